/**
 * What the Loops view knows: the pictures of the world put together. At the speeds people run a world at, most keys pass
 * in less than a blink; while time goes on only those are shown that stay (design 4.4, M4), the rest is counted.
 */
import type { World } from '../../hosts/connect.ts';
import type { LoopClosely, LoopLease, LoopRecord, LoopsPicture } from '../../hosts/protocol.ts';

export interface LoopView {
  /** In their fixed order. */
  readonly records: readonly LoopRecord[];
  readonly leases: readonly LoopLease[];
  readonly closely: LoopClosely | undefined;
  /** Of the latest picture. */
  readonly now: number;
}
const EMPTY: LoopView = { records: [], leases: [], closely: undefined, now: 0 };
/** Real milliseconds a thing must stay to be drawn while time goes on. */
export const STAYS_MS = 300;

export class LoopStore {
  view: LoopView = EMPTY;
  private raw = new Map<string, LoopRecord>();
  private order: readonly string[] = [];
  private latest: LoopsPicture | undefined;
  private readonly shown = new Map<string, { readonly text: string; readonly record: LoopRecord }>();
  /** When a key was first seen where it is. */
  private readonly since = new Map<string, number>();
  private readonly listeners = new Set<() => void>();
  private feed: ReturnType<World['loops']> | undefined;
  private still = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly world: Pick<World, 'loops'>,
    private readonly wall: () => number = () => performance.now(),
  ) {}

  open(): () => void {
    this.feed = this.world.loops((picture) => this.take(picture));
    return () => {
      this.feed?.stop();
      this.feed = undefined;
      clearTimeout(this.timer);
      this.timer = undefined;
    };
  }
  /** Tells this one closely; `step`: a step to the next reconcile means that one. */
  show(chosen: string | undefined, step?: string): void {
    this.feed?.show(chosen, step);
  }
  /** Whether time stands still: then everything is drawn. */
  stand(still: boolean): void {
    if (this.still === still) return;
    this.still = still;
    this.settle();
  }

  readonly subscribe = (changed: () => void): (() => void) => {
    this.listeners.add(changed);
    return () => this.listeners.delete(changed);
  };
  readonly get = (): LoopView => this.view;

  take(picture: LoopsPicture): void {
    // Another world: forget the old one.
    if (this.latest && picture.now < this.latest.now) {
      this.raw.clear();
      this.since.clear();
    }
    this.latest = picture;
    this.order = picture.order;
    for (const record of picture.loops) this.raw.set(record.id, record);
    this.settle();
  }

  /** Puts together what is shown at this moment; what is too young is looked at again when it is not. */
  private settle(): void {
    const { latest } = this;
    if (!latest) return;
    const wall = this.wall();
    const present = new Set<string>();
    let young = false;
    const stays = (key: string): boolean => {
      present.add(key);
      const since = this.since.get(key) ?? wall;
      this.since.set(key, since);
      if (this.still || wall - since >= STAYS_MS) return true;
      young = true;
      return false;
    };
    const records = this.order.flatMap((id) => {
      const raw = this.raw.get(id);
      if (!raw) return [];
      const record: LoopRecord = {
        ...raw,
        waiting: raw.waiting.filter(({ about }) => stays(`${id} w ${about}`)),
        working: raw.working.filter(({ about, fact }) => stays(`${id} u ${about} ${fact}`)),
        delayed: raw.delayed.filter(({ about, requeues }) => stays(`${id} d ${about} ${requeues}`)),
      };
      const hidden = raw.waiting.length + raw.working.length + raw.delayed.length - record.waiting.length - record.working.length - record.delayed.length;
      // Of what passes too quickly neither is the number shown: it would flicker as well.
      const counted: LoopRecord =
        hidden === 0
          ? record
          : {
              ...record,
              waitingCount: raw.waitingCount - raw.waiting.length + record.waiting.length,
              workingCount: raw.workingCount - raw.working.length + record.working.length,
              delayedCount: raw.delayedCount - raw.delayed.length + record.delayed.length,
            };
      const before = this.shown.get(id);
      const text = JSON.stringify(counted);
      // What did not change stays the same object, so that its row is not drawn anew.
      if (before?.text === text) return [before.record];
      this.shown.set(id, { text, record: counted });
      return [counted];
    });
    for (const key of this.since.keys()) if (!present.has(key)) this.since.delete(key);
    clearTimeout(this.timer);
    this.timer = young ? setTimeout(() => this.settle(), STAYS_MS) : undefined;
    const same = records.length === this.view.records.length && records.every((record, i) => record === this.view.records[i]);
    this.view = { records: same ? this.view.records : records, leases: latest.leases, closely: latest.closely, now: latest.now };
    for (const changed of this.listeners) changed();
  }
}
