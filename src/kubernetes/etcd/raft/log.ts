/**
 * The log (paper 5.3): the stable part lives in the host's `Storage`, the newest entries are held here
 * until the host says they are on disk (`stableTo`).
 *
 *   compacted | ----- storage ----- | --- being written --- | --- unstable --- |
 *             ^ firstIndex-1         ^ offset                ^ accepted         ^ lastIndex
 *   applied <= applying <= committed, anywhere inside.
 *
 * "Being written" was handed to the host by a Ready; it stays here until it is safe on disk, because a
 * later leader may still replace it. Rules are those of etcd-io/raft, log.go and log_unstable.go.
 */
import { limitSize } from './size.ts';
import type { Entry, Snapshot, Storage } from './types.ts';

const NONE: Entry[] = [];

export class RaftLog {
  committed: number;
  /** What the host was told to apply; `applied` follows when it has. */
  applying: number;
  applied: number;
  /** Bytes handed out for applying and not yet applied, and whether that is enough for now. */
  private applyingSize = 0;
  private applyingPaused = false;
  /** A snapshot received but not yet on disk. */
  unstableSnapshot: Snapshot | undefined;
  private snapshotAccepted = false;
  /** Entries not yet on disk; the first has index `offset`. */
  unstable: Entry[] = [];
  /**
   * Hot: what is new is asked for by each follower and by the disk, mostly all of it, so they are lent the very list.
   * A list that was lent never changes; who adds to it begins another.
   */
  private lent = false;
  offset: number;
  /** The first index no Ready has handed out yet. */
  private accepted: number;

  /**
   * `maxApplyingSize`: bytes of committed entries handed out at a time, over all that is not yet applied.
   * `applyUnstable`: whether an entry may be applied before it is on this disk; a majority has it anyway.
   */
  constructor(
    private readonly storage: Storage,
    readonly maxApplyingSize = Number.POSITIVE_INFINITY,
    private readonly applyUnstable = true,
  ) {
    this.offset = this.accepted = storage.lastIndex() + 1;
    this.committed = this.applying = this.applied = storage.firstIndex() - 1;
  }

  firstIndex(): number {
    return this.unstableSnapshot ? this.unstableSnapshot.index + 1 : this.storage.firstIndex();
  }

  lastIndex(): number {
    if (this.unstable.length > 0) return this.offset + this.unstable.length - 1;
    return this.unstableSnapshot ? this.unstableSnapshot.index : this.storage.lastIndex();
  }

  lastTerm(): number {
    return this.term(this.lastIndex())!;
  }

  /** The term of entry `index`; undefined when it is compacted or not there yet. */
  term(index: number): number | undefined {
    if (index >= this.offset) return this.unstable[index - this.offset]?.term;
    if (this.unstableSnapshot && index === this.unstableSnapshot.index) return this.unstableSnapshot.term;
    if (index < this.firstIndex() - 1 || index > this.lastIndex()) return undefined;
    return this.storage.term(index);
  }

  matchTerm(index: number, term: number): boolean {
    return this.term(index) === term;
  }

  /** Paper 5.4.1: of two logs the one whose last term is later is more up-to-date; with equal terms, the longer. */
  isUpToDate(lastIndex: number, lastTerm: number): boolean {
    const mine = this.lastTerm();
    return lastTerm > mine || (lastTerm === mine && lastIndex >= this.lastIndex());
  }

  /** Entries [lo, hi) within `maxBytes` (at least one); undefined when `lo` was compacted. */
  slice(lo: number, hi: number, maxBytes?: number): Entry[] | undefined {
    if (lo >= hi) return NONE;
    if (lo < this.firstIndex()) return undefined;
    if (lo >= this.offset) return limitSize(this.fresh(lo, hi), maxBytes);
    const cut = Math.min(hi, this.offset);
    const stable = this.storage.entries(lo, cut, maxBytes);
    if (hi <= this.offset || stable.length < cut - lo) return stable;
    return limitSize(stable.concat(this.unstable.slice(0, hi - this.offset)), maxBytes);
  }

  /** Entries [lo, hi) of those not yet on disk. */
  private fresh(lo: number, hi: number): Entry[] {
    const { unstable, offset } = this;
    if (lo !== offset || hi !== offset + unstable.length) return unstable.slice(lo - offset, hi - offset);
    this.lent = true;
    return unstable;
  }

  /** Everything from `lo` on, within `maxBytes`. */
  entriesFrom(lo: number, maxBytes?: number): Entry[] | undefined {
    const last = this.lastIndex();
    return lo > last ? NONE : this.slice(lo, last + 1, maxBytes);
  }

  snapshot(): Snapshot {
    return this.unstableSnapshot ?? this.storage.snapshot();
  }

  /** Puts entries at the end, after cutting off whatever stood from their first index on. */
  append(entries: readonly Entry[]): number {
    const first = entries[0];
    if (!first) return this.lastIndex();
    if (first.index <= this.committed) throw new Error(`raft: entry ${first.index} is committed and may not be overwritten (committed ${this.committed})`);
    if (first.index === this.offset + this.unstable.length) {
      if (this.unstable.length === 0) this.unstable = entries.slice();
      else if (this.lent) this.unstable = this.unstable.concat(entries);
      else for (const entry of entries) this.unstable.push(entry);
    } else if (first.index <= this.offset) {
      this.offset = this.accepted = first.index;
      this.unstable = entries.slice();
    } else {
      this.unstable = [...this.unstable.slice(0, first.index - this.offset), ...entries];
      this.accepted = Math.min(this.accepted, first.index);
    }
    this.lent = false;
    return this.lastIndex();
  }

  /**
   * Paper figure 2, AppendEntries receiver 2-5: refuses (undefined) unless the log holds `prevIndex` with
   * `prevTerm`; else removes what conflicts, appends what is new, follows the leader's commit, and returns
   * the index of the last new entry. `onTruncate` is told the first index that conflicted.
   */
  maybeAppend(prevIndex: number, prevTerm: number, commit: number, entries: readonly Entry[], onTruncate?: (from: number) => void): number | undefined {
    if (!this.matchTerm(prevIndex, prevTerm)) return undefined;
    const last = prevIndex + entries.length;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!;
      if (this.matchTerm(entry.index, entry.term)) continue;
      if (entry.index <= this.lastIndex()) onTruncate?.(entry.index);
      this.append(i === 0 ? entries : entries.slice(i));
      break;
    }
    this.commitTo(Math.min(commit, last));
    return last;
  }

  /** The last index at or before `index` whose term is at most `term`: where two logs may agree (paper 5.3, the optional back-up by term). Its term is 0 when unknown. */
  findConflictByTerm(index: number, term: number): { index: number; term: number } {
    let at = index;
    for (; at > 0; at--) {
      const ours = this.term(at);
      if (ours === undefined) return { index: at, term: 0 };
      if (ours <= term) return { index: at, term: ours };
    }
    return { index: 0, term: 0 };
  }

  commitTo(index: number): void {
    if (index <= this.committed) return;
    if (index > this.lastIndex()) throw new Error(`raft: commit ${index} is beyond the last index ${this.lastIndex()}: the log was lost or corrupted`);
    this.committed = index;
  }

  // ---- what the host writes ----

  hasNextUnstable(): boolean {
    return this.offset + this.unstable.length > this.accepted || (this.unstableSnapshot !== undefined && !this.snapshotAccepted);
  }

  /** Entries to be written that no Ready has handed out yet. */
  nextUnstable(): Entry[] {
    const end = this.offset + this.unstable.length;
    return end > this.accepted ? this.fresh(this.accepted, end) : NONE;
  }

  nextSnapshot(): Snapshot | undefined {
    return this.snapshotAccepted ? undefined : this.unstableSnapshot;
  }

  /** A Ready has handed out everything there was to write. */
  acceptUnstable(): void {
    this.accepted = this.offset + this.unstable.length;
    this.snapshotAccepted = this.unstableSnapshot !== undefined;
  }

  /** Entries up to `index` of `term` are on disk. Ignored if they were replaced meanwhile. */
  stableTo(index: number, term: number): void {
    if (index < this.offset || this.unstable[index - this.offset]?.term !== term) return;
    const count = index - this.offset + 1;
    this.unstable = count === this.unstable.length ? [] : this.unstable.slice(count);
    this.lent = false;
    this.offset = index + 1;
    this.accepted = Math.max(this.accepted, this.offset);
  }

  stableSnapshotTo(index: number): void {
    if (this.unstableSnapshot?.index !== index) return;
    this.unstableSnapshot = undefined;
    this.snapshotAccepted = false;
  }

  /** Paper figure 13: the whole log gives way to a snapshot. */
  restore(snapshot: Snapshot): void {
    this.committed = snapshot.index;
    this.offset = this.accepted = snapshot.index + 1;
    this.unstable = [];
    this.lent = false;
    this.unstableSnapshot = snapshot;
    this.snapshotAccepted = false;
  }

  // ---- what the host applies ----

  /** The host has applied everything up to `index`, `size` bytes of what was handed out. */
  appliedTo(index: number, size: number): void {
    if (index > this.committed || index < this.applied) throw new Error(`raft: applied ${index} is out of range [${this.applied}, ${this.committed}]`);
    this.applied = index;
    this.applying = Math.max(this.applying, index);
    this.applyingSize = Math.max(0, this.applyingSize - size);
    this.applyingPaused = this.applyingSize >= this.maxApplyingSize;
  }

  /** A Ready has handed out committed entries up to `index`. Waits with more when the limit cut them short. */
  acceptApplying(index: number, size: number): void {
    this.applying = index;
    this.applyingSize += size;
    this.applyingPaused = this.applyingSize >= this.maxApplyingSize || index < this.maxAppliable();
  }

  private maxAppliable(): number {
    return this.applyUnstable ? this.committed : Math.min(this.committed, this.offset - 1);
  }

  hasNextCommitted(): boolean {
    return this.applying < this.maxAppliable() && !this.applyingPaused && this.unstableSnapshot === undefined;
  }

  /** Committed entries not yet handed to the host. None while a snapshot waits, which comes before them. */
  nextCommitted(): Entry[] {
    if (!this.hasNextCommitted()) return NONE;
    return this.slice(this.applying + 1, this.maxAppliable() + 1, this.maxApplyingSize - this.applyingSize) ?? NONE;
  }
}
