// biome-ignore-all lint/a11y/noSvgWithoutTitle: named by aria-label, or hidden beside its word
import { GLYPHS, STATUS_TOKENS, STATUS_WORDS, type Status } from './glyphs.ts';

/** A status in the DOM. Silent by default, since a word stands beside it; `label` makes it speak. */
export function Glyph({ status, size = 14, label, surface = 'var(--paper)' }: { status: Status; size?: number; label?: boolean; surface?: string }) {
  const colour = `var(--status-${STATUS_TOKENS[status]})`;
  const ink = (which: 'status' | 'surface' | undefined) => (which === undefined ? 'none' : which === 'status' ? colour : surface);
  return (
    <svg
      width={size}
      height={size}
      viewBox="-.5 -.5 1 1"
      style={{ flex: 'none' }}
      {...(label ? { role: 'img', 'aria-label': STATUS_WORDS[status] } : { 'aria-hidden': true })}
    >
      {GLYPHS[status]!.filter((mark) => mark.detailFrom === undefined || size >= mark.detailFrom).map((mark) => (
        <path
          key={mark.d}
          d={mark.d}
          style={{ fill: ink(mark.fill), stroke: ink(mark.stroke) }}
          strokeWidth={Math.max(mark.width ?? 0.1, 1.1 / size)}
          strokeDasharray={mark.dash?.join(' ')}
        />
      ))}
    </svg>
  );
}
