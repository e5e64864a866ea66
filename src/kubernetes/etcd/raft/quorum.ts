/**
 * Majorities: what a set of voters has agreed to.
 *
 * During a joint membership change (thesis 4.3) two majorities, of the incoming and of the outgoing
 * voters, must agree separately; an empty outgoing set means there is no change under way.
 */
import type { NodeId } from './types.ts';

export interface Voters {
  /** Sorted. */
  readonly incoming: readonly NodeId[];
  /** Sorted; empty unless a joint change is under way. */
  readonly outgoing: readonly NodeId[];
}

export type VoteResult = 'won' | 'lost' | 'pending';

const scratch: number[] = [];

/** The highest index a majority of `ids` has acknowledged; Infinity for nobody, so that an empty half of a joint configuration never holds the other back. */
function majorityCommitted(ids: readonly NodeId[], acked: (id: NodeId) => number): number {
  const n = ids.length;
  if (n === 0) return Number.POSITIVE_INFINITY;
  // Insertion sort into a reused array: clusters are small and this runs for every acknowledgement.
  for (let i = 0; i < n; i++) {
    const value = acked(ids[i]!);
    let j = i;
    for (; j > 0 && scratch[j - 1]! > value; j--) scratch[j] = scratch[j - 1]!;
    scratch[j] = value;
  }
  return scratch[n - ((n >> 1) + 1)]!;
}

/** Paper 5.3 and figure 2: an entry is committed once it is stored on a majority (of both halves, when joint). */
export function committedIndex(voters: Voters, acked: (id: NodeId) => number): number {
  return Math.min(majorityCommitted(voters.incoming, acked), majorityCommitted(voters.outgoing, acked));
}

function majorityVote(ids: readonly NodeId[], vote: (id: NodeId) => boolean | undefined): VoteResult {
  if (ids.length === 0) return 'won';
  let yes = 0;
  let missing = 0;
  for (const id of ids) {
    const answer = vote(id);
    if (answer === undefined) missing++;
    else if (answer) yes++;
  }
  const needed = (ids.length >> 1) + 1;
  if (yes >= needed) return 'won';
  return yes + missing >= needed ? 'pending' : 'lost';
}

/** Paper 5.2: a candidate wins with the votes of a majority; it has lost once a majority can no longer be reached. */
export function voteResult(voters: Voters, vote: (id: NodeId) => boolean | undefined): VoteResult {
  const incoming = majorityVote(voters.incoming, vote);
  const outgoing = majorityVote(voters.outgoing, vote);
  if (incoming === outgoing) return incoming;
  return incoming === 'lost' || outgoing === 'lost' ? 'lost' : 'pending';
}

/** Every voter of either half, sorted, once. */
export function voterIds(voters: Voters): readonly NodeId[] {
  if (voters.outgoing.length === 0) return voters.incoming;
  return [...new Set([...voters.incoming, ...voters.outgoing])].sort((a, b) => a - b);
}

export function isVoter(voters: Voters, id: NodeId): boolean {
  return voters.incoming.includes(id) || voters.outgoing.includes(id);
}
