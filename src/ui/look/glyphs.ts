/**
 * The six status glyphs, drawn once and used by the canvas and by the DOM. Shape says it; colour repeats it.
 *
 * Paths live in a box of one unit around the origin, as on the glyph sheet: at 8 px they must still be told apart,
 * so below `detailFrom` pixels the inner marks are left out.
 */
import type { PodStatus } from '../../hosts/protocol.ts';

export type Status = (typeof PodStatus)[keyof typeof PodStatus];
export const STATUS_WORDS = ['Healthy', 'In progress', 'Degraded', 'Failed', 'Completed', 'Unknown'] as const;
/** Names of the custom properties that hold the colours. */
export const STATUS_TOKENS = ['healthy', 'progress', 'degraded', 'failed', 'completed', 'unknown'] as const;

export interface Mark {
  readonly d: string;
  /** `status` is the status colour, `surface` what lies beneath. */
  readonly fill?: 'status' | 'surface';
  readonly stroke?: 'status' | 'surface';
  readonly width?: number;
  readonly dash?: readonly number[];
  /** Left out when the glyph is smaller than so many pixels. */
  readonly detailFrom?: number;
}

const disc = (r: number) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;

export const GLYPHS: readonly (readonly Mark[])[] = [
  [{ d: disc(0.45), fill: 'status' }],
  [
    { d: disc(0.385), fill: 'surface', stroke: 'status', width: 0.13 },
    { d: 'M0 -.385A.385 .385 0 0 1 0 .385Z', fill: 'status' },
  ],
  [
    { d: 'M0 -.46L.48 .42L-.48 .42Z', fill: 'status' },
    { d: 'M-.06 -.14h.12v.28h-.12ZM-.06 .2h.12v.12h-.12Z', fill: 'surface', detailFrom: 9 },
  ],
  [
    { d: 'M-.45 -.45h.9v.9h-.9Z', fill: 'status' },
    { d: 'M-.22 -.22L.22 .22M.22 -.22L-.22 .22', stroke: 'surface', width: 0.15 },
  ],
  [{ d: 'M-.42 .05L-.12 .35L.44 -.32', stroke: 'status', width: 0.196 }],
  [
    { d: 'M-.4 -.4h.8v.8h-.8Z', fill: 'surface', stroke: 'status', width: 0.11, dash: [0.18, 0.14] },
    { d: 'M-.13 -.12A.135 .135 0 1 1 .04 .01Q0 .04 0 .1M0 .2V.24', stroke: 'status', width: 0.09, detailFrom: 12 },
  ],
];

/** The part of a 2D context that drawing needs; an OffscreenCanvas has it too. */
export type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

let paths: readonly (readonly Path2D[])[] | undefined;

/** Draws one glyph of `size` pixels centred on (x, y). */
export function drawGlyph(ctx: Context, status: Status, x: number, y: number, size: number, colour: string, surface: string): void {
  paths ??= GLYPHS.map((marks) => marks.map((mark) => new Path2D(mark.d)));
  const marks = GLYPHS[status]!;
  ctx.save();
  ctx.translate(x, y);
  ctx.scale(size, size);
  for (const [i, mark] of marks.entries()) {
    if (mark.detailFrom !== undefined && size < mark.detailFrom) continue;
    const path = paths[status]![i]!;
    if (mark.fill) {
      ctx.fillStyle = mark.fill === 'status' ? colour : surface;
      ctx.fill(path);
    }
    if (mark.stroke) {
      ctx.strokeStyle = mark.stroke === 'status' ? colour : surface;
      ctx.lineWidth = Math.max(mark.width ?? 0.1, 1.1 / size);
      ctx.setLineDash(mark.dash ? [...mark.dash] : []);
      ctx.stroke(path);
    }
  }
  ctx.restore();
}
