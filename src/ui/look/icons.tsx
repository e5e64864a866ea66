/** Line icons, 16 px, drawn here so that no icon font or package is needed. */
const PATHS = {
  play: 'M5 3.2v9.6l8-4.8Z!',
  pause: 'M4.5 3h2.4v10H4.5ZM9.1 3h2.4v10H9.1Z!',
  step: 'M4 3.2v9.6l6.6-4.8ZM11.4 3h1.8v10h-1.8Z!',
  map: 'M2.5 3.5h4.5v4h-4.5ZM9 3.5h4.5v4H9ZM2.5 9.5H7v3.5H2.5ZM9 9.5h4.5v3.5H9Z',
  journey:
    'M3 8h10M3 6.2a1.8 1.8 0 1 0 0 3.6a1.8 1.8 0 1 0 0-3.6ZM8 6.2a1.8 1.8 0 1 0 0 3.6a1.8 1.8 0 1 0 0-3.6ZM13 6.2a1.8 1.8 0 1 0 0 3.6a1.8 1.8 0 1 0 0-3.6Z',
  scheduler: 'M2.5 3.5h6M2.5 8h4M2.5 12.5h6M13.5 8H9.5M11.500 5.800L13.500 8L11.500 10.200',
  table: 'M2.5 3h11v10h-11ZM2.5 6.3h11M2.5 9.6h11M6.4 6.3V13',
  lessons: 'M2.5 4.2c2-1 3.8-.9 5.5.3v8.3c-1.7-1.2-3.5-1.3-5.5-.3ZM13.5 4.2c-2-1-3.8-.9-5.5.3v8.3c1.7-1.2 3.5-1.3 5.5-.3Z',
  sun: 'M8 5.2a2.8 2.8 0 1 0 0 5.6a2.8 2.8 0 1 0 0-5.6ZM8 1.5v1.6M8 12.9v1.6M1.5 8h1.6M12.9 8h1.6M3.4 3.4l1.1 1.1M11.5 11.5l1.1 1.1M12.6 3.4l-1.1 1.1M4.5 11.5l-1.1 1.1',
  moon: 'M13 9.7A5.6 5.6 0 0 1 6.3 3A5.6 5.6 0 1 0 13 9.7Z',
  search: 'M7 2.8a4.2 4.2 0 1 0 0 8.4a4.2 4.2 0 1 0 0-8.4ZM10.2 10.2l3.3 3.3',
  close: 'M4 4l8 8M12 4l-8 8',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  down: 'M4 6l4 4l4-4',
  up: 'M4 10l4-4l4 4',
  right: 'M6 4l4 4l-4 4',
  left: 'M10 4l-4 4l4 4',
  help: 'M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12ZM6.3 6.2a1.75 1.75 0 1 1 2.5 1.7q-.8.4-.8 1.2M8 11.3v.01',
  skip: 'M3 3.5v9l5-4.5ZM8.5 3.5v9l5-4.5Z',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  terminal: 'M2.5 3.5h11v9h-11ZM4.8 6.2l2 1.8l-2 1.8M8.5 10h2.7',
  yaml: 'M4 2.5h5l3 3v8H4ZM9 2.5v3h3M6 8.3h4M6 10.7h4',
  events: 'M3 4.5h10M3 8h10M3 11.5h6',
  logs: 'M3 3.5h7M3 6.5h10M3 9.5h8M3 12.5h5',
  trace: 'M3.5 3.5v9M3.5 5.5h4M3.5 10.5h7M7.5 4v3M10.5 9v3',
  bin: 'M3.5 4.5h9M6.5 4.5v-1.5h3v1.5M4.7 4.5l.6 8.5h5.4l.6-8.5',
  power: 'M8 2.5v5M5 4.3a4.7 4.7 0 1 0 6 0',
  padlock: 'M4 7.5h8v5.5H4ZM5.7 7.5V5.6a2.3 2.3 0 0 1 4.6 0v1.9',
  drain: 'M3 3h10l-3.7 4.7v4.8l-2.6-1.3V7.7Z',
  bolt: 'M8.8 1.8L3.8 9h3.4l-.6 5.2L12 6.8H8.4Z',
  why: 'M3 3.5h10v7H8.5L5.5 13v-2.5H3Z',
  copy: 'M5.5 5.5h7.5v7.5H5.5ZM3 10.5V3h7.5',
  legend: 'M4 4.5h.01M7 4.5h6M4 8h.01M7 8h6M4 11.5h.01M7 11.5h6',
  loops: 'M3.2 7A5 5 0 0 1 12 4.6M12.8 9A5 5 0 0 1 4 11.4M12.2 2.2v2.6H9.6M3.8 13.8v-2.6h2.6M8 6.6a1.4 1.4 0 1 0 0 2.8a1.4 1.4 0 1 0 0-2.8Z',
  consensus:
    'M8 2.2a1.9 1.9 0 1 0 0 3.8a1.9 1.9 0 1 0 0-3.8ZM3.8 9.9a1.9 1.9 0 1 0 0 3.8a1.9 1.9 0 1 0 0-3.8ZM12.2 9.9a1.9 1.9 0 1 0 0 3.8a1.9 1.9 0 1 0 0-3.8ZM7 5.8L4.8 10M9 5.8l2.2 4.2M5.8 11.8h4.4',
  crown: 'M2.5 5l2.8 2.5L8 3.5l2.7 4L13.5 5l-1 7h-9Z',
} as const;
export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  const path = PATHS[name];
  const solid = path.endsWith('!');
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" style={{ flex: 'none', display: 'block' }}>
      <path
        d={solid ? path.slice(0, -1) : path}
        fill={solid ? 'currentColor' : 'none'}
        stroke={solid ? 'none' : 'currentColor'}
        strokeWidth={name === 'more' ? 2.2 : 1.5}
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
