/** What stands around the shelves: services above, etcd and the waiting pods to the left, and the headings. */
import type { EtcdMemberRecord, ServiceRecord } from '../../hosts/protocol.ts';
import { type Context, drawGlyph } from '../look/glyphs.ts';
import { type Camera, toScreen } from './camera.ts';
import { hatch } from './draw-node.ts';
import { drawPods } from './draw-pods.ts';
import { write } from './draw-text.ts';
import { type Box, ETCD_GROUP, ETCD_LEFT, SHELF_HEAD, touches, WAITING } from './layout.ts';
import { FLOOR, type Scene } from './scene.ts';

export function drawHeadings(ctx: Context, scene: Scene, camera: Camera): void {
  const { layout, pods } = scene;
  if (scene.level === 0) return;
  for (const shelf of layout.shelves) {
    const count = shelf.places.filter((index) => layout.nodes.has(index)).length;
    // `nodes` is the group of those that name no zone.
    const named = shelf.name !== '' && shelf.name !== 'nodes';
    heading(ctx, scene, camera, named ? shelf.name : 'Nodes', named ? `${count} ${count === 1 ? 'node' : 'nodes'}` : String(count), shelf.x, 0);
  }
  if (layout.shelves.length === 0) heading(ctx, scene, camera, 'Nodes', '', 0, 0);
  const waiting = pods.byNode.get(-1)?.length ?? 0;
  const box = layout.waitingBox(0);
  heading(ctx, scene, camera, 'Unscheduled', String(waiting), box.x, 0, box.w);
  if (scene.members.size > 0) heading(ctx, scene, camera, 'etcd', `${scene.members.size} members`, ETCD_LEFT, 0, 148);
  if (scene.services.size > 0) heading(ctx, scene, camera, 'Services', String(scene.services.size), 0, layout.extent(0).y);
}

function heading(ctx: Context, scene: Scene, camera: Camera, text: string, extra: string, x: number, y: number, room = 600): void {
  const { palette } = scene;
  if (SHELF_HEAD * camera.zoom < 12) return;
  const left = x * camera.zoom + camera.x;
  const middle = (y + SHELF_HEAD / 2 - 3) * camera.zoom + camera.y;
  ctx.textBaseline = 'middle';
  ctx.font = `600 12px ${palette.sans}`;
  ctx.fillStyle = palette.ink2;
  const width = write(ctx, text, left, middle, room * camera.zoom);
  if (extra === '') return;
  ctx.font = `400 12px ${palette.sans}`;
  write(ctx, extra, left + width + 8, middle, room * camera.zoom - width - 8);
}

/** The shelf of pods no node has been found for. Dashed: it is no machine. */
export function drawWaiting(ctx: Context, scene: Scene, camera: Camera): boolean {
  const { layout, pods, palette } = scene;
  let top = 0;
  for (const index of pods.byNode.get(-1) ?? []) top = Math.max(top, pods.slot[index]! + 1);
  const box = toScreen(layout.waitingBox(Math.ceil(top / WAITING.columns)), camera);
  ctx.beginPath();
  ctx.roundRect(box.x, box.y, box.w, box.h, Math.min(6, 6 * camera.zoom));
  ctx.setLineDash([6, 4]);
  ctx.strokeStyle = palette.lineStrong;
  ctx.lineWidth = 1;
  ctx.stroke();
  ctx.setLineDash([]);
  if (scene.level >= 2 && (pods.byNode.get(-1)?.length ?? 0) === 0 && box.w > 120) {
    ctx.font = `400 12px ${palette.sans}`;
    ctx.fillStyle = palette.ink2;
    ctx.textBaseline = 'middle';
    write(ctx, 'No pod is waiting', box.x + box.w / 2, box.y + 26, box.w - 12, 'center');
  }
  return drawPods(ctx, scene, camera, -1, palette.paper);
}

export function drawServices(ctx: Context, scene: Scene, camera: Camera, view: Box): void {
  if (scene.level === 0) return;
  for (const service of scene.services.values()) {
    const box = scene.layout.serviceBox(service.key);
    if (box && touches(box, view)) drawService(ctx, scene, camera, service, toScreen(box, camera));
  }
}

/** A flat capsule; a headless service has no address of its own and is open at the right. */
function drawService(ctx: Context, scene: Scene, camera: Camera, service: ServiceRecord, box: Box): void {
  const { palette } = scene;
  const headless = service.clusterIP === 'None';
  const r = box.h / 2;
  ctx.beginPath();
  if (headless) {
    ctx.moveTo(box.x + box.w, box.y);
    ctx.lineTo(box.x + r, box.y);
    ctx.arc(box.x + r, box.y + r, r, -Math.PI / 2, Math.PI / 2, true);
    ctx.lineTo(box.x + box.w, box.y + box.h);
  } else ctx.roundRect(box.x, box.y, box.w, box.h, r);
  ctx.fillStyle = palette.raised;
  ctx.fill();
  ctx.strokeStyle = palette.lineStrong;
  ctx.lineWidth = 1.25;
  ctx.stroke();
  if (box.h < 15) return;
  const ready = service.endpoints.filter((endpoint) => endpoint.ready).length;
  const empty = Object.keys(service.selector).length > 0 && ready === 0;
  const zoom = camera.zoom;
  const pad = 12 * Math.min(1, zoom);
  let left = box.x + pad;
  ctx.textBaseline = 'middle';
  if (empty) {
    const size = Math.min(14, box.h * 0.45);
    drawGlyph(ctx, 2, left + size / 2, box.y + r, size, palette.status[2]!, palette.raised);
    left += size + 4;
  }
  const font = Math.min(15, Math.max(FLOOR, 12 * zoom));
  const two = box.h >= 30;
  ctx.font = `600 ${font}px ${palette.sans}`;
  ctx.fillStyle = palette.ink;
  write(ctx, service.key.split('/')[1] ?? service.key, left, box.y + (two ? box.h * 0.32 : r) + 0.5, box.x + box.w - pad - left);
  if (!two) return;
  ctx.font = `400 ${FLOOR}px ${palette.mono}`;
  ctx.fillStyle = palette.ink2;
  write(ctx, empty ? '0 endpoints' : headless ? 'headless' : service.clusterIP, left, box.y + box.h * 0.7, box.x + box.w - pad - left);
}

export function drawMembers(ctx: Context, scene: Scene, camera: Camera, view: Box): void {
  for (const member of scene.members.values()) {
    const box = scene.layout.memberBox(member);
    if (box && touches(box, view)) drawMember(ctx, scene, member, toScreen(box, camera), camera.zoom);
  }
  // A machine of the etcd shelf whose member has not spoken yet.
  const hosts = new Set([...scene.members.values()].map((member) => member.host || member.name));
  for (const node of scene.nodes.values()) {
    if (node.group !== ETCD_GROUP || hosts.has(node.name)) continue;
    const box = scene.layout.nodeBox(node.index);
    if (box && touches(box, view))
      drawMember(ctx, scene, { name: node.name, host: node.name, role: 'Stopped', term: 0, commit: 0, revision: 0 }, toScreen(box, camera), camera.zoom);
  }
}

/** The term is always written; the outline is the role: thick with a crown leads, thin follows, dashed stands for election, hatched is stopped. */
function drawMember(ctx: Context, scene: Scene, member: EtcdMemberRecord, box: Box, zoom: number): void {
  const { palette } = scene;
  const stopped = member.role === 'Stopped';
  ctx.beginPath();
  ctx.roundRect(box.x, box.y, box.w, box.h, Math.min(6, 6 * zoom));
  ctx.fillStyle = stopped ? palette.sunken : palette.raised;
  ctx.fill();
  if (stopped) hatch(ctx, box, palette.line);
  ctx.beginPath();
  ctx.roundRect(box.x, box.y, box.w, box.h, Math.min(6, 6 * zoom));
  ctx.strokeStyle = palette.line;
  ctx.lineWidth = 1;
  ctx.stroke();

  const r = box.h * 0.27;
  const x = box.x + box.h * 0.42;
  const y = box.y + box.h * 0.54;
  ctx.beginPath();
  ctx.arc(x, y, r, 0, Math.PI * 2);
  ctx.fillStyle = palette.paper;
  ctx.fill();
  ctx.strokeStyle = palette.ink;
  const leader = member.role === 'Leader';
  ctx.lineWidth = leader ? Math.max(2, 3 * Math.min(1.4, zoom)) : 1.4;
  ctx.setLineDash(member.role === 'Candidate' || member.role === 'PreCandidate' ? [4, 3] : []);
  ctx.stroke();
  ctx.setLineDash([]);
  if (leader) crown(ctx, x, y - r - box.h * 0.07, r * 0.5, palette.ink);
  if (r * 0.9 >= FLOOR) {
    ctx.font = `600 ${Math.min(24, r * 0.9)}px ${palette.sans}`;
    ctx.fillStyle = palette.ink;
    ctx.textBaseline = 'middle';
    write(ctx, stopped ? '–' : String(member.term), x, y + 1, r * 1.8, 'center');
  }
  if (zoom < 0.6) return;
  const left = x + r + 10 * zoom;
  const room = box.x + box.w - left - 4;
  ctx.textBaseline = 'middle';
  ctx.font = `600 ${Math.max(FLOOR, Math.min(14, 12 * zoom))}px ${palette.sans}`;
  ctx.fillStyle = palette.ink;
  write(ctx, member.name, left, box.y + box.h * 0.27, room);
  ctx.font = `400 ${FLOOR}px ${palette.sans}`;
  ctx.fillStyle = palette.ink2;
  write(ctx, stopped ? 'stopped' : member.role.toLowerCase(), left, box.y + box.h * 0.52, room);
  if (!stopped) {
    ctx.font = `400 ${FLOOR}px ${palette.mono}`;
    write(ctx, `r${member.revision}`, left, box.y + box.h * 0.76, room);
  }
}

function crown(ctx: Context, x: number, y: number, w: number, colour: string): void {
  const h = w * 0.8;
  ctx.fillStyle = colour;
  ctx.beginPath();
  ctx.moveTo(x - w, y + h / 2);
  ctx.lineTo(x - w, y - h / 2);
  ctx.lineTo(x - w / 2, y);
  ctx.lineTo(x, y - h / 2 - 1);
  ctx.lineTo(x + w / 2, y);
  ctx.lineTo(x + w, y - h / 2);
  ctx.lineTo(x + w, y + h / 2);
  ctx.fill();
}
