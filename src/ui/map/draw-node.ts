/** A node's tile: title, taints as tabs, the slot grid, and what of it is promised away. */
import type { NodeRecord } from '../../hosts/protocol.ts';
import { type Context, drawGlyph } from '../look/glyphs.ts';
import { nodeStatus } from '../objects.ts';
import type { Camera } from './camera.ts';
import { toScreen } from './camera.ts';
import { drawPods } from './draw-pods.ts';
import { clip, widthOf, write } from './draw-text.ts';
import { type Box, slotGrid, TILE } from './layout.ts';
import { FLOOR, type Scene } from './scene.ts';

/** Returns whether something on the tile is still moving. */
export function drawNode(ctx: Context, scene: Scene, camera: Camera, index: number): boolean {
  const node = scene.nodes.get(index);
  const world = scene.layout.nodeBox(index);
  if (!node || !world) return false;
  const { palette } = scene;
  const box = toScreen(world, camera);
  const zoom = camera.zoom;
  const broken = node.ready === 'False' || node.ready === 'Unknown' || !node.powered;
  const surface = surfaceOf(scene, node);

  ctx.beginPath();
  ctx.roundRect(box.x, box.y, box.w, box.h, Math.min(6, 6 * zoom));
  ctx.fillStyle = surface;
  ctx.fill();
  if (broken) hatch(ctx, box, palette.line);
  ctx.beginPath();
  ctx.roundRect(box.x, box.y, box.w, box.h, Math.min(6, 6 * zoom));
  ctx.strokeStyle = broken ? palette.ink2 : palette.lineStrong;
  ctx.lineWidth = scene.level >= 2 ? 1.25 : 1;
  ctx.stroke();

  if (scene.level >= 2) {
    drawTaints(ctx, scene, node, box, zoom);
    drawEmptySlots(ctx, scene, camera, index, node);
    drawBars(ctx, scene, node, box, zoom);
  }
  const moving = drawPods(ctx, scene, camera, index, surface);
  if (box.w >= 48) drawTitle(ctx, scene, node, box, zoom, surface);
  return moving;
}

const surfaceOf = ({ palette }: Scene, node: NodeRecord): string => (node.powered ? palette.raised : palette.sunken);

/** The title once more, on a ground of its own, over lines that end on the tile. */
export function drawTitleOver(ctx: Context, scene: Scene, camera: Camera, index: number): void {
  const node = scene.nodes.get(index);
  const world = scene.layout.nodeBox(index);
  if (node && world) drawTitle(ctx, scene, node, toScreen(world, camera), camera.zoom, surfaceOf(scene, node), true);
}

function drawTitle(ctx: Context, scene: Scene, node: NodeRecord, box: Box, zoom: number, surface: string, ground = false): void {
  const { palette } = scene;
  const room = TILE.title * zoom;
  const font = scene.level >= 2 ? Math.min(16, Math.max(12, 13 * zoom)) : FLOOR;
  // From afar the name takes the place of the bars, at the foot, where it does not sit on pods.
  const middle = scene.level >= 2 ? box.y + room / 2 + 0.5 : box.y + box.h - Math.max(7, (TILE.bars * zoom) / 2);
  // Near, it stands where the first capsule stands.
  const pad =
    scene.level === 3 ? TILE.pad * zoom + 0.04 * slotGrid(node.slots).pitchX * zoom : scene.level === 2 ? Math.max(4, TILE.pad * Math.min(1, zoom)) : 3;
  if (TILE.bars * zoom < 8) return;
  const status = nodeStatus(node);
  let left = box.x + pad;
  if (status !== 0) {
    const size = Math.min(16, font);
    drawGlyph(ctx, status, left + size / 2, middle - 0.5, size, palette.status[status]!, surface);
    left += size + 5;
  }
  if (node.cordoned) {
    padlock(ctx, left, middle, font * 0.8, palette.ink);
    left += font * 0.8 + 5;
  }
  ctx.textBaseline = 'middle';
  ctx.font = `${scene.level >= 2 ? 600 : 500} ${font}px ${palette.sans}`;
  const back = (x: number, w: number): void => {
    if (!ground || w === 0) return;
    ctx.fillStyle = surface;
    ctx.fillRect(x - 3, middle - font * 0.62, w + 6, font * 1.2);
  };
  const free = box.x + box.w - pad - left;
  back(left, widthOf(ctx, clip(ctx, node.name, free)));
  ctx.fillStyle = palette.ink;
  const used = write(ctx, node.name, left, middle, free);
  if (scene.level < 2) return;
  ctx.font = `400 ${Math.max(FLOOR, font - 2)}px ${palette.sans}`;
  const rest = box.w - (left - box.x) - used - pad - 10;
  const said = stateWord(node);
  // What is wrong is told as far as there is room; where it stands, whole or not at all.
  const word = said === placeWord(node) && widthOf(ctx, said) > rest ? '' : clip(ctx, said, rest);
  const right = box.x + box.w - pad;
  back(right - widthOf(ctx, word), widthOf(ctx, word));
  ctx.fillStyle = palette.ink2;
  write(ctx, word, right, middle, rest, 'right');
}

function stateWord(node: NodeRecord): string {
  if (!node.powered) return 'powered off';
  if (node.kubelet === 'stopped') return 'kubelet stopped';
  if (node.ready === 'Missing') return 'joining';
  if (node.ready !== 'True') return 'NotReady';
  if (node.pressures.length > 0) return node.pressures.join(', ');
  if (node.cordoned) return 'cordoned';
  return placeWord(node);
}

/** Its roles, unless its name says the same. */
function placeWord(node: NodeRecord): string {
  const roles = node.roles.filter((role) => role !== '<none>').join(', ');
  return roles === node.name ? node.ip : roles || node.ip;
}

function drawEmptySlots(ctx: Context, scene: Scene, camera: Camera, index: number, node: NodeRecord): void {
  const grid = slotGrid(node.slots);
  const size = Math.min(5, Math.max(1.5, 3.5 * camera.zoom));
  const taken = new Set((scene.pods.byNode.get(index) ?? []).map((pod) => scene.pods.slot[pod]));
  ctx.fillStyle = scene.palette.line;
  const count = node.slots > 0 ? node.slots : grid.columns * grid.rows;
  for (let slot = 0; slot < count; slot++) {
    if (taken.has(slot)) continue;
    const box = scene.layout.podBox(index, slot)!;
    ctx.fillRect((box.x + box.w / 2) * camera.zoom + camera.x - size / 2, (box.y + box.h / 2) * camera.zoom + camera.y - size / 2, size, size);
  }
}

/** Outline: what is promised of what can be given away. Filled: what is in use. */
function drawBars(ctx: Context, scene: Scene, node: NodeRecord, box: Box, zoom: number): void {
  const { palette } = scene;
  const rows = [
    { label: 'CPU', of: node.cpu, text: `${cores(node.cpu.requested)} / ${cores(node.cpu.allocatable)}` },
    { label: 'MEM', of: node.memory, text: `${gib(node.memory.requested)} / ${gib(node.memory.allocatable)} Gi` },
  ];
  const labelled = zoom >= 0.72;
  const pad = TILE.pad * zoom;
  const height = Math.max(2, Math.min(12, 8 * zoom));
  const start = box.x + pad + (labelled ? 32 : 0);
  const end = box.x + box.w - pad - (labelled ? 74 : 0);
  ctx.textBaseline = 'middle';
  for (const [i, { label, of, text }] of rows.entries()) {
    const y = box.y + box.h - (TILE.bars - 10 - i * 17) * zoom;
    const whole = end - start;
    const promised = whole * share(of.requested, of.allocatable);
    ctx.fillStyle = palette.sunken;
    ctx.fillRect(start, y, whole, height);
    if (height < 6) {
      // Too thin for an outline: a lighter and a darker part.
      ctx.fillStyle = palette.line;
      ctx.fillRect(start, y, promised, height);
    }
    ctx.fillStyle = palette.lineStrong;
    ctx.fillRect(start, y, whole * share(of.used, of.allocatable), height);
    if (height >= 6 && promised > 0) {
      ctx.strokeStyle = palette.ink;
      ctx.lineWidth = 1;
      ctx.strokeRect(start + 0.5, y + 0.5, promised, height - 1);
    }
    if (!labelled) continue;
    ctx.font = `400 ${FLOOR}px ${palette.sans}`;
    ctx.fillStyle = palette.ink2;
    write(ctx, label, box.x + pad, y + height / 2 + 0.5, 30);
    write(ctx, text, box.x + box.w - pad, y + height / 2 + 0.5, 68, 'right');
  }
}
const share = (part: number, whole: number): number => (whole > 0 ? Math.min(1, part / whole) : 0);
const cores = (milli: number): string => String(Math.round(milli / 10) / 100);
const gib = (mib: number): string => String(Math.round((mib / 1024) * 10) / 10);

/** A tab on the tile's top edge for each taint, with the last part of its key. */
function drawTaints(ctx: Context, scene: Scene, node: NodeRecord, box: Box, zoom: number): void {
  if (node.taints.length === 0) return;
  const { palette } = scene;
  const height = 15;
  if (TILE.gap * zoom < height + 1) {
    ctx.beginPath();
    ctx.moveTo(box.x + box.w - 12 * zoom, box.y);
    ctx.lineTo(box.x + box.w, box.y);
    ctx.lineTo(box.x + box.w, box.y + 12 * zoom);
    ctx.fillStyle = palette.ink2;
    ctx.fill();
    return;
  }
  ctx.font = `400 ${FLOOR}px ${palette.sans}`;
  ctx.textBaseline = 'middle';
  let right = box.x + box.w - 8;
  const words = [...new Set(node.taints.map(taintWord))];
  const labels = words.slice(0, 2);
  if (words.length > 2) labels.push(`+${words.length - 2}`);
  for (const label of labels) {
    const width = Math.min(ctx.measureText(label).width + 12, right - box.x - 8);
    if (width < 24) break;
    ctx.beginPath();
    ctx.roundRect(right - width, box.y - height, width, height, [4, 4, 0, 0]);
    ctx.fillStyle = palette.sunken;
    ctx.fill();
    ctx.strokeStyle = palette.lineStrong;
    ctx.lineWidth = 1;
    ctx.stroke();
    ctx.fillStyle = palette.ink;
    write(ctx, label, right - width + 6, box.y - height / 2 + 0.5, width - 10);
    right -= width + 4;
  }
}
/** `node-role.kubernetes.io/control-plane:NoSchedule` → `control-plane`. */
export const taintWord = (taint: string): string => (taint.split(':')[0] ?? taint).split('/').at(-1)!.replace(/=$/, '');

/** 45° lines: the machine says nothing. */
export function hatch(ctx: Context, box: Box, colour: string): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(box.x, box.y, box.w, box.h);
  ctx.clip();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1;
  ctx.beginPath();
  const gap = Math.max(5, Math.min(10, box.w / 20));
  for (let x = box.x - box.h; x < box.x + box.w; x += gap) {
    ctx.moveTo(x, box.y + box.h);
    ctx.lineTo(x + box.h, box.y);
  }
  ctx.stroke();
  ctx.restore();
}

function padlock(ctx: Context, x: number, y: number, size: number, colour: string): void {
  ctx.fillStyle = colour;
  ctx.fillRect(x, y - size * 0.1, size, size * 0.6);
  ctx.strokeStyle = colour;
  ctx.lineWidth = Math.max(1.2, size * 0.14);
  ctx.beginPath();
  ctx.arc(x + size / 2, y - size * 0.12, size * 0.28, Math.PI, 0);
  ctx.stroke();
}
