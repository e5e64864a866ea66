/** Relations, only of what is hovered or selected: line style says which, the colour is ink. */
import type { Context } from '../look/glyphs.ts';
import { type Camera, toScreen } from './camera.ts';
import { centre } from './layout.ts';
import type { Scene } from './scene.ts';

export function drawEdges(ctx: Context, scene: Scene, camera: Camera): void {
  const { palette, edges } = scene;
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
    const reach = Math.max(3, Math.min(to.w, to.h) * 0.34);
    const bend = Math.max(24, Math.abs(end.y - start.y) * 0.4);
    const angle = Math.PI / 2;
    const tip = { x: end.x, y: end.y - reach - 1 };
    ctx.beginPath();
    ctx.moveTo(start.x, start.y);
    ctx.bezierCurveTo(start.x, start.y + bend, tip.x, tip.y - bend, tip.x, tip.y - 6);
    ctx.setLineDash([7, 4]);
    ctx.strokeStyle = palette.ink;
    ctx.globalAlpha = 0.8;
    ctx.lineWidth = 1.4;
    ctx.stroke();
    ctx.setLineDash([]);
    arrow(ctx, tip.x, tip.y, angle, palette.paper, palette.ink);
    // The pin: solid when ready, hollow when not.
    ctx.globalAlpha = 1;
    ctx.beginPath();
    ctx.arc(end.x, end.y, reach + 2, 0, Math.PI * 2);
    ctx.setLineDash(edge.ready ? [] : [3, 2]);
    ctx.lineWidth = edge.ready ? 1.6 : 1.2;
    ctx.stroke();
  }
  ctx.restore();
}

function arrow(ctx: Context, x: number, y: number, angle: number, fill: string, stroke: string): void {
  ctx.save();
  ctx.translate(x, y);
  ctx.rotate(angle);
  ctx.beginPath();
  ctx.moveTo(0, 0);
  ctx.lineTo(-7, -3.5);
  ctx.lineTo(-7, 3.5);
  ctx.closePath();
  ctx.fillStyle = fill;
  ctx.fill();
  ctx.strokeStyle = stroke;
  ctx.stroke();
  ctx.restore();
}
