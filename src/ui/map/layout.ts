/**
 * Where everything stands on the map. A place is a pure function of the order in which things came into being, so
 * adding, changing or deleting one thing never moves another, and the same history gives the same picture.
 *
 * There is no layout engine: nodes take the next place of their shelf and never give it back, pods sit in the slot the
 * world gave them. Shelves have a fixed width, so a new group lands beyond the others; they grow downwards only.
 */
import type { EtcdMemberRecord, NodeRecord, ServiceRecord } from '../../hosts/protocol.ts';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** World units are screen pixels at 100 %. */
export const TILE = { w: 252, h: 292, gap: 20, title: 30, bars: 44, pad: 10 } as const;
export const CARD = { w: 148, h: 88, gap: 14 } as const;
export const PILL = { w: 148, h: 34, gap: 12, columns: 7 } as const;
export const SHELF_HEAD = 28;
/** The Unscheduled shelf: how many pods stand side by side, and how far apart. */
export const WAITING = { columns: 6, pitch: 22, w: 148 } as const;
/** The group of machines that carry etcd and nothing else. */
export const ETCD_GROUP = 'etcd';

const GUTTER = 28;
/** Left edges of the two columns that stand left of the shelves. Fixed, so they never depend on what stands on them. */
const WAITING_X = -(WAITING.w + GUTTER);
const ETCD_X = WAITING_X - (CARD.w + GUTTER);
export const SERVICES_Y = -(SHELF_HEAD + PILL.h + GUTTER);

/** How many tiles stand side by side on a shelf: about as wide as high for the cluster the topology promises. */
export function shelfColumns(expectedNodes: number): number {
  return expectedNodes <= 16 ? 4 : Math.ceil(Math.sqrt(expectedNodes * 1.2 * 1.9));
}

/** A world of etcd members and a laptop, without Kubernetes: `etcd-1` to `etcd-7`. */
export const isEtcdOnly = (topology: string): boolean => /^etcd-\d$/.test(topology);

/** The number of nodes a topology's name promises; 4 when it does not say. */
export function expectedNodes(topology: string): number {
  if (topology === 'single') return 2;
  if (isEtcdOnly(topology)) return 0;
  const digits = /\d+/.exec(topology)?.[0];
  if (digits) return Number(digits);
  if (topology.includes('five-thousand')) return 5000;
  return topology.includes('thousand') ? 1000 : 4;
}

export interface SlotGrid {
  readonly columns: number;
  readonly rows: number;
  readonly pitchX: number;
  readonly pitchY: number;
}
const grids = new Map<number, SlotGrid>();

/** The grid of a node's tile: 110 slots are 11 × 10. The tile keeps its size; more slots stand closer. */
export function slotGrid(slots: number): SlotGrid {
  const wanted = slots > 0 ? slots : 110;
  let grid = grids.get(wanted);
  if (!grid) {
    const columns = Math.ceil(Math.sqrt(wanted * 1.1));
    const rows = Math.ceil(wanted / columns);
    grid = { columns, rows, pitchX: (TILE.w - 2 * TILE.pad) / columns, pitchY: (TILE.h - TILE.title - TILE.bars) / rows };
    grids.set(wanted, grid);
  }
  return grid;
}

interface Placed {
  readonly node: number;
  readonly box: Box;
  readonly grid: SlotGrid;
}
export interface Shelf {
  readonly name: string;
  readonly x: number;
  readonly columns: number;
  /** Node index by place; never shrinks. */
  readonly places: number[];
}

export class MapLayout {
  readonly columns: number;
  readonly shelves: Shelf[] = [];
  readonly nodes = new Map<number, Placed>();
  private readonly etcdPlaces: string[] = [];
  private readonly servicePlaces: string[] = [];
  private readonly cells = new Map<string, number>();

  constructor(expected: number) {
    this.columns = shelfColumns(expected);
  }

  /** Gives new nodes their place, in the order of their indices; those known keep theirs. */
  addNodes(nodes: readonly NodeRecord[]): void {
    for (const node of [...nodes].sort((a, b) => a.index - b.index)) {
      if (this.nodes.has(node.index)) continue;
      if (node.group === ETCD_GROUP) {
        this.nodes.set(node.index, { node: node.index, box: this.placeEtcd(node.name), grid: slotGrid(node.slots) });
        continue;
      }
      let shelf = this.shelves.find((one) => one.name === node.group);
      if (!shelf) {
        const width = this.columns * (TILE.w + TILE.gap) - TILE.gap;
        shelf = { name: node.group, x: this.shelves.length * (width + 2 * GUTTER), columns: this.columns, places: [] };
        this.shelves.push(shelf);
      }
      const place = shelf.places.push(node.index) - 1;
      const column = place % shelf.columns;
      const row = Math.floor(place / shelf.columns);
      const box = { x: shelf.x + column * (TILE.w + TILE.gap), y: SHELF_HEAD + row * (TILE.h + TILE.gap), w: TILE.w, h: TILE.h };
      this.nodes.set(node.index, { node: node.index, box, grid: slotGrid(node.slots) });
      this.cells.set(`${this.shelves.indexOf(shelf)}/${column}/${row}`, node.index);
    }
  }

  removeNode(index: number): void {
    // The place stays empty; only Tidy gives it away.
    this.nodes.delete(index);
  }

  addMembers(members: readonly EtcdMemberRecord[]): void {
    for (const member of members) this.placeEtcd(member.host || member.name);
  }

  addServices(services: readonly ServiceRecord[]): void {
    for (const service of services) if (!this.servicePlaces.includes(service.key)) this.servicePlaces.push(service.key);
  }

  private placeEtcd(host: string): Box {
    let place = this.etcdPlaces.indexOf(host);
    if (place < 0) place = this.etcdPlaces.push(host) - 1;
    return { x: ETCD_X, y: SHELF_HEAD + place * (CARD.h + CARD.gap), w: CARD.w, h: CARD.h };
  }

  nodeBox(index: number): Box | undefined {
    return this.nodes.get(index)?.box;
  }

  memberBox(member: EtcdMemberRecord): Box | undefined {
    const place = this.etcdPlaces.indexOf(member.host || member.name);
    return place < 0 ? undefined : { x: ETCD_X, y: SHELF_HEAD + place * (CARD.h + CARD.gap), w: CARD.w, h: CARD.h };
  }

  /** Rows of services stack upwards, so a new row pushes nothing. */
  serviceBox(key: string): Box | undefined {
    const place = this.servicePlaces.indexOf(key);
    if (place < 0) return undefined;
    return {
      x: (place % PILL.columns) * (PILL.w + PILL.gap),
      y: SERVICES_Y + SHELF_HEAD - Math.floor(place / PILL.columns) * (PILL.h + PILL.gap),
      w: PILL.w,
      h: PILL.h,
    };
  }

  /** The box of a slot on a node's grid, or on the Unscheduled shelf when `node` is -1. Nothing when the node has no place. */
  podBox(node: number, slot: number): Box | undefined {
    if (node < 0) {
      const column = slot % WAITING.columns;
      const row = Math.floor(slot / WAITING.columns);
      return { x: WAITING_X + 8 + column * WAITING.pitch, y: SHELF_HEAD + 8 + row * WAITING.pitch, w: WAITING.pitch, h: WAITING.pitch };
    }
    const placed = this.nodes.get(node);
    if (!placed) return undefined;
    const { grid, box } = placed;
    return {
      x: box.x + TILE.pad + (slot % grid.columns) * grid.pitchX,
      y: box.y + TILE.title + Math.floor(slot / grid.columns) * grid.pitchY,
      w: grid.pitchX,
      h: grid.pitchY,
    };
  }

  waitingBox(rows: number): Box {
    return { x: WAITING_X, y: SHELF_HEAD, w: WAITING.w, h: Math.max(TILE.h, 16 + rows * WAITING.pitch) };
  }

  /** What is under a point: a node and the slot of its grid; grid arithmetic, no search through pods. */
  locate(x: number, y: number): { readonly node: number; readonly slot: number } | undefined {
    if (x >= WAITING_X && x < WAITING_X + WAITING.w && y >= SHELF_HEAD) {
      const column = Math.floor((x - WAITING_X - 8) / WAITING.pitch);
      const row = Math.floor((y - SHELF_HEAD - 8) / WAITING.pitch);
      return column >= 0 && column < WAITING.columns && row >= 0 ? { node: -1, slot: row * WAITING.columns + column } : { node: -1, slot: -1 };
    }
    if (x < 0) {
      for (const placed of this.nodes.values()) if (placed.box.x === ETCD_X && inside(placed.box, x, y)) return { node: placed.node, slot: -1 };
      return undefined;
    }
    const width = this.columns * (TILE.w + TILE.gap) - TILE.gap + 2 * GUTTER;
    const shelf = Math.floor(x / width);
    const column = Math.floor((x - shelf * width) / (TILE.w + TILE.gap));
    const row = Math.floor((y - SHELF_HEAD) / (TILE.h + TILE.gap));
    const node = this.cells.get(`${shelf}/${column}/${row}`);
    const placed = node === undefined ? undefined : this.nodes.get(node);
    if (!placed || !inside(placed.box, x, y)) return undefined;
    const { grid, box } = placed;
    const slotColumn = Math.floor((x - box.x - TILE.pad) / grid.pitchX);
    const slotRow = Math.floor((y - box.y - TILE.title) / grid.pitchY);
    const within = slotColumn >= 0 && slotColumn < grid.columns && slotRow >= 0 && slotRow < grid.rows;
    return { node: placed.node, slot: within ? slotRow * grid.columns + slotColumn : -1 };
  }

  /** Indices of nodes whose tile touches the view; by arithmetic on the shelves, so its cost is that of what is seen. */
  nodesIn(view: Box): number[] {
    const found: number[] = [];
    for (const shelf of this.shelves) {
      const first = Math.max(0, Math.floor((view.x - shelf.x) / (TILE.w + TILE.gap)));
      const last = Math.min(shelf.columns - 1, Math.floor((view.x + view.w - shelf.x) / (TILE.w + TILE.gap)));
      const top = Math.max(0, Math.floor((view.y - SHELF_HEAD) / (TILE.h + TILE.gap)));
      const bottom = Math.min(Math.floor((shelf.places.length - 1) / shelf.columns), Math.floor((view.y + view.h - SHELF_HEAD) / (TILE.h + TILE.gap)));
      for (let row = top; row <= bottom; row++) {
        for (let column = first; column <= last; column++) {
          const node = shelf.places[row * shelf.columns + column];
          if (node !== undefined && this.nodes.has(node)) found.push(node);
        }
      }
    }
    return found;
  }

  shelfBox(shelf: Shelf): Box {
    const rows = Math.max(1, Math.ceil(shelf.places.length / shelf.columns));
    return { x: shelf.x, y: 0, w: shelf.columns * (TILE.w + TILE.gap) - TILE.gap, h: SHELF_HEAD + rows * (TILE.h + TILE.gap) - TILE.gap };
  }

  /** All that stands anywhere, and at least the first row of the first shelf: what "fit" fits. */
  extent(waiting: number): Box {
    const first = this.shelves[0];
    const left = ETCD_X;
    let right = Math.min(this.columns, Math.max(4, first?.places.length ?? 0)) * (TILE.w + TILE.gap) - TILE.gap;
    let bottom = SHELF_HEAD + TILE.h;
    for (const shelf of this.shelves) {
      const box = this.shelfBox(shelf);
      const used = Math.min(shelf.columns, Math.max(1, shelf.places.length));
      right = Math.max(right, box.x + used * (TILE.w + TILE.gap) - TILE.gap);
      bottom = Math.max(bottom, box.y + box.h);
    }
    bottom = Math.max(
      bottom,
      SHELF_HEAD + 16 + Math.ceil(waiting / WAITING.columns) * WAITING.pitch,
      SHELF_HEAD + this.etcdPlaces.length * (CARD.h + CARD.gap) - CARD.gap,
    );
    const serviceRows = Math.max(1, Math.ceil(this.servicePlaces.length / PILL.columns));
    const top = SERVICES_Y - (serviceRows - 1) * (PILL.h + PILL.gap);
    return { x: left, y: top, w: right - left, h: bottom - top };
  }
}

export const inside = (box: Box, x: number, y: number): boolean => x >= box.x && x < box.x + box.w && y >= box.y && y < box.y + box.h;
export const touches = (a: Box, b: Box): boolean => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
export const centre = (box: Box): { readonly x: number; readonly y: number } => ({ x: box.x + box.w / 2, y: box.y + box.h / 2 });
export const ETCD_LEFT = ETCD_X;
