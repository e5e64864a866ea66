/**
 * Linearizable reads without a log entry (thesis 6.4): the leader notes its commit index, makes sure with
 * a round of heartbeats that it still leads, and lets the read go once that index is applied.
 */
import { type Voters, voteResult } from './quorum.ts';
import type { Message, NodeId } from './types.ts';

interface PendingRead {
  readonly request: Message;
  readonly context: string;
  /** The commit index when the request came. */
  readonly index: number;
  readonly acks: Set<NodeId>;
}

export class ReadOnly {
  private queue: PendingRead[] = [];

  add(index: number, request: Message, self: NodeId): void {
    const context = request.context ?? '';
    if (this.queue.some((read) => read.context === context)) return;
    this.queue.push({ request, context, index, acks: new Set([self]) });
  }

  /** A follower answered the heartbeat that carried `context`. A majority for one read confirms all before it; those are returned, oldest first. */
  acknowledge(from: NodeId, context: string, voters: Voters): readonly PendingRead[] {
    const at = this.queue.findIndex((read) => read.context === context);
    if (at < 0) return [];
    const { acks } = this.queue[at]!;
    acks.add(from);
    if (voteResult(voters, (id) => acks.has(id) || undefined) !== 'won') return [];
    return this.queue.splice(0, at + 1);
  }

  /** The newest read's context: every heartbeat carries it, so that a lost round is made up for. */
  get newest(): string {
    return this.queue.length > 0 ? this.queue[this.queue.length - 1]!.context : '';
  }

  clear(): void {
    this.queue.length = 0;
  }
}
