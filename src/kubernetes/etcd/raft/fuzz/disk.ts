/**
 * A simulated disk: writes reach it in order, each after its time; a crash leaves a prefix of what was
 * under way, of the first unfinished write perhaps only some entries (a torn tail).
 */
import { MemoryStorage } from '../storage.ts';
import type { ConfState, Entry, HardState, Snapshot } from '../types.ts';
import type { Luck } from './luck.ts';
import type { Timeline } from './timeline.ts';

export interface Write {
  readonly entries: readonly Entry[];
  readonly hardState?: HardState | undefined;
  readonly snapshot?: Snapshot | undefined;
}

interface Pending {
  readonly write: Write;
  readonly done: () => void;
}

export class Disk {
  /** What would be there after a power cut now. */
  readonly durable: MemoryStorage;
  private queue: Pending[] = [];
  private life = 0;
  /** How much longer everything takes at present. */
  slowness = 1;

  constructor(
    conf: ConfState,
    private readonly timeline: Timeline,
    private readonly luck: Luck,
    private readonly fsync: readonly [number, number],
  ) {
    this.durable = new MemoryStorage(conf);
  }

  write(write: Write, done: () => void): void {
    this.queue.push({ write, done });
    if (this.queue.length === 1) this.next();
  }

  /** Everything that waits goes with one sync, as every log does it; else a slow disk would never catch up. */
  private next(): void {
    const { life } = this;
    const count = this.queue.length;
    this.timeline.after(this.luck.between(this.fsync[0], this.fsync[1]) * this.slowness, () => {
      if (life !== this.life) return;
      const synced = this.queue.splice(0, count);
      if (this.queue.length > 0) this.next();
      for (const { write, done } of synced) {
        this.settle(write, write.entries.length);
        done();
      }
    });
  }

  /** Entries first and the hard state last, as etcd's WAL writes them. */
  private settle({ entries, hardState, snapshot }: Write, count: number): void {
    if (snapshot) this.durable.applySnapshot(snapshot);
    this.durable.append(count === entries.length ? entries : entries.slice(0, count));
    if (hardState && count === entries.length) this.durable.hardState = hardState;
  }

  /** What needs no sync: a commit index can be learned again. */
  note(hardState: HardState): void {
    this.durable.hardState = hardState;
  }

  crash(): void {
    this.life++;
    for (const { write } of this.queue) {
      const whole = this.luck.chance(300);
      if (whole) {
        this.settle(write, write.entries.length);
        continue;
      }
      // The marker of a snapshot is written only when the snapshot is.
      if (!write.snapshot && write.entries.length > 0) this.settle({ entries: write.entries }, this.luck.below(write.entries.length));
      break;
    }
    this.queue = [];
  }
}
