/**
 * Linearizable reads without a log entry (thesis 6.4): the leader notes its commit index, makes sure with
 * a round of heartbeats that it still leads, and lets the read go once that index is applied.
 *
 * Reads are numbered as they come, and a heartbeat carries the number of the newest: whoever answers it
 * vouches for all reads up to there. The number is ours, not the reader's own context, so that an answer
 * to an earlier heartbeat can never confirm a read that was asked again under the same name (etcd-io/raft,
 * read_only.go as of v3.7; etcd issue 20418 is the stale read this prevents).
 */
import { committedIndex, type Voters } from './quorum.ts';
import type { Message, NodeId } from './types.ts';

interface PendingRead {
  readonly request: Message;
  /** The commit index when the request came. */
  readonly index: number;
}

export class ReadOnly {
  private waiting: PendingRead[] = [];
  /** How many reads were confirmed before those that wait. */
  private confirmed = 0;
  /** The number each member has vouched for. */
  private readonly acks = new Map<NodeId, number>();

  add(index: number, request: Message, self: NodeId): void {
    this.waiting.push({ request, index });
    this.acks.set(self, this.confirmed + this.waiting.length);
  }

  /** A member answered the heartbeat that carried `context`. Returns the reads that a majority now vouches for, oldest first. */
  acknowledge(from: NodeId, context: string, voters: Voters): readonly PendingRead[] {
    const number = Number(context);
    if (number > (this.acks.get(from) ?? 0)) this.acks.set(from, number);
    const count = committedIndex(voters, (id) => this.acks.get(id) ?? 0) - this.confirmed;
    if (count <= 0) return [];
    this.confirmed += count;
    return this.waiting.splice(0, count);
  }

  /** What every heartbeat carries while reads wait, so that a lost round is made up for. */
  get context(): string {
    return this.waiting.length > 0 ? String(this.confirmed + this.waiting.length) : '';
  }

  clear(): void {
    this.waiting.length = 0;
    this.confirmed = 0;
    this.acks.clear();
  }
}
