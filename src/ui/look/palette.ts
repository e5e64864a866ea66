/** The tokens of the style sheet as strings a canvas can use, and who wants to hear when they change. */
import { STATUS_TOKENS } from './glyphs.ts';

export interface Palette {
  readonly paper: string;
  readonly raised: string;
  readonly sunken: string;
  readonly ink: string;
  readonly ink2: string;
  readonly line: string;
  readonly lineStrong: string;
  readonly focus: string;
  /** By PodStatus. */
  readonly status: readonly string[];
  readonly sans: string;
  readonly mono: string;
}

export function readPalette(): Palette {
  const probe = document.createElement('span');
  probe.hidden = true;
  document.body.append(probe);
  const forced = matchMedia('(forced-colors: active)').matches;
  const colour = (token: string): string => {
    if (forced) return getSystem(token);
    probe.style.color = `var(--${token})`;
    return getComputedStyle(probe).color;
  };
  const style = getComputedStyle(document.documentElement);
  const palette: Palette = {
    paper: colour('paper'),
    raised: colour('raised'),
    sunken: colour('sunken'),
    ink: colour('ink'),
    ink2: colour('ink-2'),
    line: colour('line'),
    lineStrong: colour('line-strong'),
    focus: colour('focus'),
    status: STATUS_TOKENS.map((token) => colour(`status-${token}`)),
    sans: style.getPropertyValue('--sans') || 'sans-serif',
    mono: style.getPropertyValue('--mono') || 'monospace',
  };
  probe.remove();
  return palette;
}

/** In forced colours every fill drops to the user's own two colours. */
function getSystem(token: string): string {
  if (token === 'paper' || token === 'raised' || token === 'sunken') return 'Canvas';
  return token === 'focus' ? 'Highlight' : 'CanvasText';
}

/** Calls back when the theme, the contrast or the motion preference changes. */
export function onLookChange(callback: () => void): () => void {
  const queries = ['(prefers-color-scheme: dark)', '(forced-colors: active)', '(prefers-reduced-motion: reduce)'].map((query) => matchMedia(query));
  for (const query of queries) query.addEventListener('change', callback);
  const observer = new MutationObserver(callback);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme', 'data-motion'] });
  return () => {
    for (const query of queries) query.removeEventListener('change', callback);
    observer.disconnect();
  };
}

export const reducedMotion = (): boolean => document.documentElement.dataset['motion'] === 'reduced' || matchMedia('(prefers-reduced-motion: reduce)').matches;
