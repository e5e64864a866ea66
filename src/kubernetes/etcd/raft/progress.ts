/**
 * What a leader knows of one follower: `match` is known to be in its log, `next` is sent next (paper
 * figure 2, nextIndex and matchIndex).
 *
 * - Probe: the log's common end is unknown; one append per heartbeat until the follower answers.
 * - Replicate: the end is known; appends are streamed ahead of the answers, up to `maxInflightMsgs`.
 * - Snapshot: the follower needs entries that were compacted away; nothing is sent until it has the snapshot.
 *
 * States and rules are those of etcd-io/raft, tracker/progress.go.
 */
import type { Progress } from './types.ts';

/** Appends under way, oldest first, in a ring that grows up to its limit (etcd-io/raft, tracker/inflights.go). */
export class Inflights {
  private ends: number[] = [];
  private sizes: number[] = [];
  private start = 0;
  count = 0;
  private bytes = 0;

  constructor(
    private readonly maxMessages: number,
    private readonly maxBytes: number,
  ) {}

  full(): boolean {
    return this.count >= this.maxMessages || (this.maxBytes !== 0 && this.bytes >= this.maxBytes);
  }

  /** `end`: the last index of the message. */
  add(end: number, bytes: number): void {
    if (this.count === this.ends.length) this.unroll();
    if (this.count === this.ends.length) {
      this.ends.push(end);
      this.sizes.push(bytes);
    } else {
      const at = (this.start + this.count) % this.ends.length;
      this.ends[at] = end;
      this.sizes[at] = bytes;
    }
    this.count++;
    this.bytes += bytes;
  }

  /** Puts the oldest first again, so that the ring can grow at its end. */
  private unroll(): void {
    if (this.start === 0) return;
    this.ends = [...this.ends.slice(this.start), ...this.ends.slice(0, this.start)];
    this.sizes = [...this.sizes.slice(this.start), ...this.sizes.slice(0, this.start)];
    this.start = 0;
  }

  /** The follower has everything up to `index`. */
  freeTo(index: number): void {
    while (this.count > 0 && this.ends[this.start]! <= index) {
      this.bytes -= this.sizes[this.start]!;
      this.start = this.start + 1 === this.ends.length ? 0 : this.start + 1;
      this.count--;
    }
  }

  reset(): void {
    this.start = 0;
    this.count = 0;
    this.bytes = 0;
  }
}

export class FollowerProgress {
  state: 'Probe' | 'Replicate' | 'Snapshot' = 'Probe';
  match = 0;
  next: number;
  /** The highest commit index sent, so that an unchanged one is not sent again. */
  sentCommit = 0;
  pendingSnapshot = 0;
  /** Heard from since the last check of the quorum. */
  recentActive = false;
  /** One append is out and must be answered, or a heartbeat must be, before the next. */
  flowPaused = false;

  constructor(
    next: number,
    readonly inflights: Inflights,
    public learner: boolean,
  ) {
    this.next = next;
  }

  /** Starts over, as every new leader does (paper 5.3: nextIndex = last log index + 1). */
  reset(match: number, next: number): void {
    this.match = match;
    this.next = next;
    this.sentCommit = 0;
    this.recentActive = false;
    this.enter('Probe');
  }

  private enter(state: 'Probe' | 'Replicate' | 'Snapshot'): void {
    this.flowPaused = false;
    this.pendingSnapshot = 0;
    this.state = state;
    this.inflights.reset();
  }

  becomeProbe(): void {
    // The follower may have the snapshot already although it has not said so.
    const floor = this.state === 'Snapshot' ? this.pendingSnapshot : 0;
    this.enter('Probe');
    this.next = Math.max(this.match, floor) + 1;
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
  }

  becomeReplicate(): void {
    this.enter('Replicate');
    this.next = this.match + 1;
  }

  becomeSnapshot(index: number): void {
    this.enter('Snapshot');
    this.pendingSnapshot = index;
    this.next = index + 1;
    this.sentCommit = index;
  }

  get paused(): boolean {
    return this.state === 'Snapshot' || this.flowPaused;
  }

  sentEntries(count: number, bytes: number): void {
    if (this.state === 'Replicate') {
      if (count > 0) {
        this.next += count;
        this.inflights.add(this.next - 1, bytes);
      }
      this.flowPaused = this.inflights.full();
    } else if (count > 0) this.flowPaused = true;
  }

  /** Whether telling the follower of commit index `index` can move its own. */
  canBumpCommit(index: number): boolean {
    return index > this.sentCommit && this.sentCommit < this.next - 1;
  }

  /** The follower acknowledged everything up to `index`; false if that is old news. */
  maybeUpdate(index: number): boolean {
    if (index <= this.match) return false;
    this.match = index;
    this.next = Math.max(this.next, index + 1);
    this.flowPaused = false;
    return true;
  }

  /** The follower refused an append after `rejected`; `hint` is where the logs may agree. False if the refusal is stale. */
  maybeDecrease(rejected: number, hint: number): boolean {
    if (this.state === 'Replicate') {
      if (rejected <= this.match) return false;
      this.next = this.match + 1;
    } else {
      if (this.next - 1 !== rejected) return false;
      this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1);
      this.flowPaused = false;
    }
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
    return true;
  }

  /** What a status shows of it. */
  view(): Progress {
    return {
      state: this.state,
      match: this.match,
      next: this.next,
      learner: this.learner,
      paused: this.paused,
      pendingSnapshot: this.pendingSnapshot,
      recentActive: this.recentActive,
      inflight: this.inflights.count,
      full: this.inflights.full(),
    };
  }
}
