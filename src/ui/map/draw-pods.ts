/**
 * Pods: dots in their slots when far, capsules when near. A picture of one node's pods costs one path for all that are
 * simply healthy and one glyph for each that is not.
 */
import { PodFlag } from '../../hosts/protocol.ts';
import { type Context, drawGlyph, type Status } from '../look/glyphs.ts';
import type { Camera } from './camera.ts';
import { lines, widthOf, write } from './draw-text.ts';
import type { Box } from './layout.ts';
import { COMING, DIM, FLOOR, GONE, OUTLINED, type Scene } from './scene.ts';

const TAU = Math.PI * 2;
const eased = (t: number): number => 1 - (1 - t) ** 3;

/** Draws the pods of one node (-1: those waiting). Returns whether any of them is still coming or going. */
export function drawPods(ctx: Context, scene: Scene, camera: Camera, node: number, surface: string): boolean {
  const { pods, layout, palette, bright, wall, reduced } = scene;
  const list = pods.byNode.get(node);
  const unit = layout.podBox(node, 0);
  if (!unit) return false;
  const pitch = Math.min(unit.w, unit.h) * camera.zoom;
  const capsules = scene.level === 3;
  const size = Math.max(2, pitch * (scene.level >= 2 ? 0.64 : 0.78));
  let busy = false;

  if (list) {
    const plain: number[] = [];
    ctx.fillStyle = palette.status[0]!;
    ctx.beginPath();
    for (const index of list) {
      const settled = wall - pods.born[index]! > (reduced ? OUTLINED : COMING);
      if (!settled) busy = true;
      const simple = settled && !capsules && pods.status[index] === 0 && (pods.flags[index]! & PodFlag.Terminating) === 0 && (!bright || bright[index] === 1);
      if (!simple) {
        plain.push(index);
        continue;
      }
      const box = layout.podBox(node, pods.slot[index]!)!;
      const x = (box.x + box.w / 2) * camera.zoom + camera.x;
      const y = (box.y + box.h / 2) * camera.zoom + camera.y;
      if (size < 3) ctx.rect(x - size / 2, y - size / 2, size, size);
      else {
        ctx.moveTo(x + size * 0.45, y);
        ctx.arc(x, y, size * 0.45, 0, TAU);
      }
    }
    ctx.fill();
    for (const index of plain) drawPod(ctx, scene, camera, node, index, size, pitch, surface);
  }
  for (const ghost of pods.ghosts) {
    if (ghost.node !== node || reduced) continue;
    const t = (wall - ghost.at) / COMING;
    if (t >= 1) continue;
    busy = true;
    const box = layout.podBox(node, ghost.slot)!;
    ctx.globalAlpha = (1 - t) * GONE;
    drawGlyph(
      ctx,
      ghost.status,
      (box.x + box.w / 2) * camera.zoom + camera.x,
      (box.y + box.h / 2) * camera.zoom + camera.y,
      size * (1 - eased(t)),
      palette.status[ghost.status]!,
      surface,
    );
    ctx.globalAlpha = 1;
  }
  return busy;
}

function drawPod(ctx: Context, scene: Scene, camera: Camera, node: number, index: number, size: number, pitch: number, surface: string): void {
  const { pods, layout, palette, wall, reduced } = scene;
  const box = layout.podBox(node, pods.slot[index]!)!;
  const x = (box.x + box.w / 2) * camera.zoom + camera.x;
  const y = (box.y + box.h / 2) * camera.zoom + camera.y;
  const terminating = (pods.flags[index]! & PodFlag.Terminating) !== 0;
  const status = pods.status[index] as Status;
  const colour = palette.status[status]!;
  const age = wall - pods.born[index]!;
  const grown = reduced ? 1 : eased(Math.min(1, Math.max(0, age / COMING)));
  const base = scene.bright && scene.bright[index] !== 1 ? DIM : 1;
  ctx.globalAlpha = base * (terminating ? GONE : 1);
  if (scene.level === 3) drawCapsule(ctx, scene, index, x, y, pitch * grown, colour, status);
  else drawGlyph(ctx, status, x, y, size * grown, colour, surface);
  ctx.globalAlpha = base;
  if (terminating) {
    ctx.strokeStyle = palette.ink2;
    ctx.lineWidth = Math.max(1, size * 0.1);
    ctx.beginPath();
    ctx.moveTo(x - size * 0.55, y + size * 0.55);
    ctx.lineTo(x + size * 0.55, y - size * 0.55);
    ctx.stroke();
  }
  if (reduced && age < OUTLINED) {
    ctx.strokeStyle = palette.ink;
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    ctx.roundRect(x - pitch * 0.42, y - pitch * 0.42, pitch * 0.84, pitch * 0.84, Math.min(5, pitch * 0.2));
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
}

/** Where the capsule of a pod stands in the box of its slot, which may be grown or wider than high. */
export function capsuleIn(box: Box, p = Math.min(box.w, box.h)): Box {
  return { x: box.x + box.w / 2 - p * 0.46, y: box.y + box.h / 2 - p * 0.44, w: p * 0.92, h: p * 0.46 };
}

/** Near: a 2:1 capsule with the owner's initials, its containers under it, and nearest of all the IP. */
function drawCapsule(ctx: Context, scene: Scene, index: number, x: number, y: number, p: number, colour: string, status: Status): void {
  const { palette, pods } = scene;
  const { x: left, y: top, w, h } = capsuleIn({ x, y, w: 0, h: 0 }, p);
  ctx.beginPath();
  ctx.roundRect(left, top, w, h, h / 2);
  ctx.fillStyle = palette.paper;
  ctx.fill();
  ctx.strokeStyle = palette.lineStrong;
  ctx.lineWidth = 1.2;
  ctx.stroke();
  const glyph = Math.min(24, h * 0.62);
  const inset = Math.max(h * 0.24, 5);
  drawGlyph(ctx, status, left + inset + glyph / 2, top + h / 2, glyph, colour, palette.paper);
  const record = pods.records[index];
  const font = Math.min(14, Math.max(FLOOR, p * 0.16));
  ctx.textBaseline = 'middle';
  if (record && h >= 15) {
    const name = record.owner.split('/').at(-1) || record.name;
    ctx.font = `600 ${font}px ${palette.sans}`;
    ctx.fillStyle = palette.ink;
    const start = inset + glyph + Math.max(4, p * 0.05);
    const room = w - start - Math.max(4, h * 0.2);
    // Rather smaller than on two lines, on two lines than as initials, and never cut: the card under the pointer has the whole name.
    if (widthOf(ctx, name) > room) ctx.font = `600 ${FLOOR}px ${palette.sans}`;
    const told = lines(ctx, name, room, h >= 2 * FLOOR + 6 ? 2 : 1) ?? [initials(name)];
    for (const [i, line] of told.entries()) write(ctx, line, left + start, top + h / 2 + 0.5 + (i - (told.length - 1) / 2) * (FLOOR + 2), room);
  }
  const detail = pods.details[index];
  if (!detail) return;
  const cell = Math.min(14, p * 0.15);
  let cx = left + cell * 0.4;
  const cy = y + p * 0.1;
  let step = 0;
  for (const container of detail.containers) {
    if (cx + cell > x + w / 2) break;
    if (container.kind === 'init') step++;
    ctx.setLineDash(container.kind === 'ephemeral' ? [2, 2] : []);
    ctx.strokeStyle = palette.ink2;
    ctx.lineWidth = 1.2;
    ctx.strokeRect(cx, cy, cell, cell);
    ctx.setLineDash([]);
    if (container.state === 'running') {
      ctx.fillStyle = container.ready ? palette.ink2 : palette.line;
      ctx.fillRect(cx + 2, cy + 2, cell - 4, cell - 4);
    } else if (container.kind === 'init' && container.reason === 'Completed' && cell >= FLOOR + 1) {
      // Done: its place in the order is all that is left of it.
      ctx.font = `600 ${FLOOR}px ${palette.sans}`;
      ctx.fillStyle = palette.ink2;
      write(ctx, String(step), cx + cell / 2, cy + cell / 2 + 0.5, cell, 'center');
    } else if (container.state === 'terminated') {
      ctx.beginPath();
      ctx.moveTo(cx, cy + cell);
      ctx.lineTo(cx + cell, cy);
      ctx.stroke();
    }
    cx += cell + (container.kind === 'init' ? cell * 0.2 : cell * 0.45);
    if (p >= 130) {
      ctx.font = `400 ${Math.min(12, Math.max(FLOOR, p * 0.08))}px ${palette.sans}`;
      ctx.fillStyle = palette.ink2;
      const name = `${container.kind === 'sidecar' ? '↻ ' : ''}${container.name}${container.assumed ? ' (assumed)' : ''}`;
      cx += write(ctx, name, cx, cy + cell / 2 + 0.5, x + w / 2 - cx) + cell * 0.8;
    }
  }
  const restarts = pods.restarts[index]!;
  if (restarts > 0 && p >= 46) {
    ctx.font = `600 ${FLOOR}px ${palette.sans}`;
    ctx.fillStyle = palette.ink;
    write(ctx, `×${restarts}`, x + w / 2 - 2, cy + cell / 2 + 0.5, x + w / 2 - cx, 'right');
  }
  if (p >= 80 && detail.ip !== '') {
    ctx.font = `400 ${Math.min(13, Math.max(FLOOR, p * 0.12))}px ${palette.mono}`;
    ctx.fillStyle = palette.ink2;
    write(ctx, p >= 190 && detail.qos !== '' ? `${detail.ip}  ${detail.qos}` : detail.ip, left + cell * 0.4, y + p * 0.36, w);
  }
}

/** `web-frontend` → `wf`, `coredns` → `co`. */
export function initials(name: string): string {
  const words = name.split('-').filter((word) => word !== '');
  return words.length > 1 ? `${words[0]![0]}${words[1]![0]}` : name.slice(0, 2);
}
