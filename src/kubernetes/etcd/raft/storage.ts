/** A log in memory, as etcd-io/raft's MemoryStorage: what a member's disk and the tests keep the stable log in. */
import { limitSize } from './size.ts';
import type { ConfState, Entry, HardState, Snapshot, Storage } from './types.ts';

export const emptyConf: ConfState = { voters: [], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };

export class MemoryStorage implements Storage {
  hardState: HardState = { term: 0, vote: 0, commit: 0 };
  private snap: Snapshot;
  /** Index and term of the entry before the first one held. */
  private before = { index: 0, term: 0 };
  private log: Entry[] = [];

  /** A log starts with a configuration everybody knows beforehand. */
  constructor(conf: ConfState = emptyConf) {
    this.snap = { index: 0, term: 0, conf, data: '' };
  }

  initialState(): { hardState: HardState; conf: ConfState } {
    return { hardState: this.hardState, conf: this.snap.conf };
  }

  firstIndex(): number {
    return this.before.index + 1;
  }

  lastIndex(): number {
    return this.before.index + this.log.length;
  }

  /** Throws RangeError('compacted' | 'unavailable'). */
  term(index: number): number {
    if (index === this.before.index) return this.before.term;
    if (index < this.before.index) throw new RangeError('compacted');
    const entry = this.log[index - this.before.index - 1];
    if (!entry) throw new RangeError('unavailable');
    return entry.term;
  }

  entries(lo: number, hi: number, maxBytes?: number): Entry[] {
    if (lo <= this.before.index) throw new RangeError('compacted');
    if (hi > this.lastIndex() + 1) throw new RangeError('unavailable');
    return limitSize(this.log.slice(lo - this.before.index - 1, hi - this.before.index - 1), maxBytes);
  }

  snapshot(): Snapshot {
    return this.snap;
  }

  /** Appends, after cutting off whatever stood from the first new index on. */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (!first) return;
    const at = first.index - this.before.index - 1;
    if (at > this.log.length) throw new RangeError(`missing log entries between ${this.lastIndex()} and ${first.index}`);
    if (at < 0) {
      this.append(entries.slice(-at));
      return;
    }
    if (at < this.log.length) this.log.length = at;
    for (const entry of entries) this.log.push(entry);
  }

  /** Notes the state machine's state at `index`, which must be in the log. */
  createSnapshot(index: number, conf: ConfState, data: string): Snapshot {
    this.snap = { index, term: this.term(index), conf, data };
    return this.snap;
  }

  /** Replaces everything by a snapshot from a leader. */
  applySnapshot(snapshot: Snapshot): void {
    if (snapshot.index <= this.snap.index) return;
    this.snap = snapshot;
    this.before = { index: snapshot.index, term: snapshot.term };
    this.log = [];
  }

  /** Forgets entries up to and including `index`. */
  compact(index: number): void {
    if (index <= this.before.index) return;
    const term = this.term(index);
    this.log = this.log.slice(index - this.before.index);
    this.before = { index, term };
  }
}
