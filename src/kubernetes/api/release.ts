/** The release that is modelled. The one place that names it; everything else derives from here. */
export const RELEASE = {
  major: '1',
  minor: '33',
  gitVersion: 'v1.33.1',
} as const;
