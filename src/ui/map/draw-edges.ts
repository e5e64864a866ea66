/** Relations, only of what is hovered or selected: line style says which, the colour is ink. */
import type { Context } from '../look/glyphs.ts';
import { type Camera, toScreen } from './camera.ts';
import { capsuleIn } from './draw-pods.ts';
import { centre } from './layout.ts';
import type { Scene } from './scene.ts';

/** `titles` draws anew the titles that lines may run under: text is never crossed. */
export function drawEdges(ctx: Context, scene: Scene, camera: Camera, titles: () => void): void {
  const { palette, edges } = scene;
  if (edges.length === 0) return;
  const heads: (() => void)[] = [];
  ctx.save();
  for (const edge of edges) {
    const from = toScreen(edge.from, camera);
    const to = toScreen(edge.to, camera);
    if (edge.kind === 'owner') {
      // Siblings are bracketed rather than tied by lines: a workload has no place on this map.
      const grow = Math.min(2, to.w * 0.04);
      ctx.beginPath();
      ctx.roundRect(to.x + grow, to.y + grow, to.w - 2 * grow, to.h - 2 * grow, Math.min(5, to.w * 0.25));
      ctx.setLineDash([]);
      ctx.strokeStyle = palette.ink;
      ctx.lineWidth = 1.25;
      ctx.stroke();
      continue;
    }
    const start = { x: from.x + from.w / 2, y: from.y + from.h };
    const end = centre(to);
    const capsule = scene.level === 3 ? capsuleIn(to) : undefined;
    const reach = Math.max(3, Math.min(to.w, to.h) * 0.34);
    const bend = Math.max(24, Math.abs(end.y - start.y) * 0.4);
    const length = Math.max(4, Math.min(7, to.h * 0.3));
    const tip = { x: end.x, y: capsule ? capsule.y - 5 : end.y - reach - 1 };
    ctx.beginPath();
    ctx.moveTo(start.x, start.y);
    ctx.bezierCurveTo(start.x, start.y + bend, tip.x, tip.y - bend, tip.x, tip.y - length + 1);
    ctx.setLineDash([7, 4]);
    ctx.strokeStyle = palette.ink;
    ctx.globalAlpha = 0.8;
    ctx.lineWidth = 1.4;
    ctx.stroke();
    ctx.globalAlpha = 1;
    heads.push(() => {
      ctx.setLineDash([]);
      arrow(ctx, tip.x, tip.y, length, palette.ink);
      // The pin: solid when ready, hollow when not.
      ctx.beginPath();
      if (capsule) ctx.roundRect(capsule.x - 4, capsule.y - 4, capsule.w + 8, capsule.h + 8, capsule.h / 2 + 4);
      else ctx.arc(end.x, end.y, reach + 2, 0, Math.PI * 2);
      ctx.setLineDash(edge.ready ? [] : [3, 2]);
      ctx.strokeStyle = palette.ink;
      ctx.lineWidth = edge.ready ? 1.6 : 1.2;
      ctx.stroke();
    });
  }
  ctx.restore();
  titles();
  ctx.save();
  for (const head of heads) head();
  ctx.restore();
}

/** Points downwards. */
function arrow(ctx: Context, x: number, y: number, length: number, colour: string): void {
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(x - length / 2, y - length);
  ctx.lineTo(x + length / 2, y - length);
  ctx.closePath();
  ctx.fillStyle = colour;
  ctx.fill();
}
