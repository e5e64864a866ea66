/**
 * All pods of the cluster in columns, as the frames bring them. The map reads the columns directly: at 150,000 pods
 * an object per pod, or React state per pod, would cost more than drawing them.
 */
import { type Frame, POD_FIELDS, type PodDetail, type PodRecord } from '../hosts/protocol.ts';
import type { Status } from './look/glyphs.ts';

/** A pod that is gone; its slot empties over 160 ms. */
export interface Ghost {
  readonly node: number;
  readonly slot: number;
  readonly status: Status;
  readonly at: number;
}

export class PodTable {
  /** One past the highest index ever seen. Indices are never used again, so a pod keeps its row for life. */
  length = 0;
  count = 0;
  node = new Int32Array(256).fill(-1);
  slot = new Int32Array(256);
  status = new Uint8Array(256);
  flags = new Uint8Array(256);
  restarts = new Int32Array(256);
  alive = new Uint8Array(256);
  /** Wall milliseconds at which the pod took its present place; 0 when that was before the page looked. */
  born = new Float64Array(256);
  private where = new Int32Array(256);
  readonly records: (PodRecord | undefined)[] = [];
  readonly details: (PodDetail | undefined)[] = [];
  readonly byUid = new Map<string, number>();
  /** Pods of a node, in no order; -1 holds those not scheduled. */
  readonly byNode = new Map<number, number[]>();
  ghosts: Ghost[] = [];

  /** Takes one frame. `wall`: milliseconds of the page's clock, for motion only. Returns how many pods came or went. */
  apply(frame: Frame, wall: number): number {
    if (frame.reset) this.clear();
    let moved = 0;
    for (const record of frame.pods) {
      this.grow(record.index);
      if (!this.alive[record.index]) {
        this.alive[record.index] = 1;
        this.count++;
        moved++;
        this.node[record.index] = -1;
        this.slot[record.index] = 0;
        this.status[record.index] = 1;
        this.born[record.index] = frame.reset ? 0 : wall;
        this.enter(record.index, -1);
      }
      this.records[record.index] = record;
      this.byUid.set(record.uid, record.index);
    }
    const changes = frame.podChanges;
    for (let i = 0; i + POD_FIELDS <= changes.length; i += POD_FIELDS) {
      const index = changes[i]!;
      if (index >= this.length || !this.alive[index]) continue;
      const node = changes[i + 1]!;
      const slot = changes[i + 2]!;
      if (node !== this.node[index]) {
        this.leave(index);
        this.enter(index, node);
        if (!frame.reset) this.born[index] = wall;
      }
      this.node[index] = node;
      this.slot[index] = slot;
      this.status[index] = changes[i + 3]!;
      this.flags[index] = changes[i + 4]!;
      this.restarts[index] = changes[i + 5]!;
    }
    for (const detail of frame.podDetails) this.details[detail.index] = detail;
    for (const index of frame.removedPods) {
      if (!this.alive[index]) continue;
      this.ghosts.push({ node: this.node[index]!, slot: this.slot[index]!, status: this.status[index] as Status, at: wall });
      this.leave(index);
      this.alive[index] = 0;
      this.count--;
      moved++;
      const uid = this.records[index]?.uid;
      if (uid !== undefined) this.byUid.delete(uid);
      this.records[index] = undefined;
      this.details[index] = undefined;
    }
    if (this.ghosts.length > 0) this.ghosts = this.ghosts.filter((ghost) => wall - ghost.at < 160);
    return moved;
  }

  /** Which pod sits in that slot, if any. */
  at(node: number, slot: number): number | undefined {
    return this.byNode.get(node)?.find((index) => this.slot[index] === slot);
  }

  private clear(): void {
    this.alive.fill(0);
    this.records.length = 0;
    this.details.length = 0;
    this.byUid.clear();
    this.byNode.clear();
    this.ghosts = [];
    this.length = 0;
    this.count = 0;
  }

  private enter(index: number, node: number): void {
    let list = this.byNode.get(node);
    if (!list) {
      list = [];
      this.byNode.set(node, list);
    }
    this.where[index] = list.length;
    list.push(index);
  }

  private leave(index: number): void {
    const list = this.byNode.get(this.node[index]!);
    const last = list?.pop();
    if (!list || last === undefined || last === index) return;
    const place = this.where[index]!;
    list[place] = last;
    this.where[last] = place;
  }

  private grow(index: number): void {
    if (index >= this.length) this.length = index + 1;
    if (index < this.node.length) return;
    const size = Math.max(index + 1, this.node.length * 2);
    const more = <T extends Int32Array | Uint8Array | Float64Array>(old: T, made: T): T => {
      made.set(old);
      return made;
    };
    this.node = more(this.node, new Int32Array(size));
    this.slot = more(this.slot, new Int32Array(size));
    this.status = more(this.status, new Uint8Array(size));
    this.flags = more(this.flags, new Uint8Array(size));
    this.restarts = more(this.restarts, new Int32Array(size));
    this.alive = more(this.alive, new Uint8Array(size));
    this.born = more(this.born, new Float64Array(size));
    this.where = more(this.where, new Int32Array(size));
  }
}
