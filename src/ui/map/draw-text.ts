/** Text on the canvas: in screen pixels, never below the floor, cut with an ellipsis where it would leave its box. */
import type { Context } from '../look/glyphs.ts';

const widths = new Map<string, number>();

/** In screen pixels, with the font that is set. */
export function widthOf(ctx: Context, text: string): number {
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

/** A name on one line of `room` pixels if it fits, else on two if so many may be, broken after a hyphen (`kube-`, `proxy`); nothing when it does not fit whole. */
export function lines(ctx: Context, name: string, room: number, most: 1 | 2): readonly string[] | undefined {
  if (widthOf(ctx, name) <= room) return [name];
  const parts = most === 2 ? name.split(/(?<=-)/) : [];
  for (let first = parts.length - 1; first > 0; first--) {
    const pair = [parts.slice(0, first).join(''), parts.slice(first).join('')];
    if (pair.every((line) => widthOf(ctx, line) <= room)) return pair;
  }
  return undefined;
}

export function write(ctx: Context, text: string, x: number, y: number, room: number, align: 'left' | 'right' | 'center' = 'left'): number {
  const shown = clip(ctx, text, room);
  if (shown === '') return 0;
  ctx.textAlign = align;
  ctx.fillText(shown, x, y);
  return widthOf(ctx, shown);
}
