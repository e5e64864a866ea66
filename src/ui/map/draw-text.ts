/** Text on the canvas: in screen pixels, never below the floor, cut with an ellipsis where it would leave its box. */
import type { Context } from '../look/glyphs.ts';

const widths = new Map<string, number>();

function widthOf(ctx: Context, text: string): number {
  const key = `${ctx.font}|${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    if (widths.size > 20_000) widths.clear();
    width = ctx.measureText(text).width;
    widths.set(key, width);
  }
  return width;
}

/** Fonts may arrive after the first picture. */
export const forgetWidths = (): void => widths.clear();

/** `text` if it fits in `room` pixels, else as much of it as does, with an ellipsis; empty when not even one letter fits. */
export function clip(ctx: Context, text: string, room: number): string {
  if (widthOf(ctx, text) <= room) return text;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const mid = (low + high + 1) >> 1;
    if (widthOf(ctx, `${text.slice(0, mid)}…`) <= room) low = mid;
    else high = mid - 1;
  }
  return low === 0 ? '' : `${text.slice(0, low)}…`;
}

export function write(ctx: Context, text: string, x: number, y: number, room: number, align: 'left' | 'right' | 'center' = 'left'): number {
  const shown = clip(ctx, text, room);
  if (shown === '') return 0;
  ctx.textAlign = align;
  ctx.fillText(shown, x, y);
  return widthOf(ctx, shown);
}
