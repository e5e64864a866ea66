/**
 * What Raft promises (paper figure 3), checked at every step from outside. The first broken promise is
 * kept in words and ends the run.
 */
import type { RaftCore } from '../raft.ts';
import type { MemoryStorage } from '../storage.ts';
import type { Entry, HardState, Message, NodeId } from '../types.ts';

export class Broken extends Error {}

const contentOf = (entry: Entry): string => `${entry.type} ${entry.data ?? (entry.confChange ? JSON.stringify(entry.confChange) : '')}`;

interface Seen {
  readonly content: string;
  /** The term of the entry before; undefined while nobody has shown it. */
  readonly before: number | undefined;
}

export class Checks {
  private readonly leaders = new Map<number, NodeId>();
  private readonly votes = new Map<string, NodeId>();
  private readonly written = new Map<number, Seen>();
  /** By index: term and content of what was applied anywhere, and a term in which it was committed already. */
  private readonly applied: { readonly term: number; readonly content: string; readonly known: number }[] = [];
  private readonly known = new Map<NodeId, { term: number; commit: number; durableTerm: number; end: number; endTerm: number }>();
  elections = 0;
  committed = 0;

  private of(id: NodeId): { term: number; commit: number; durableTerm: number; end: number; endTerm: number } {
    let known = this.known.get(id);
    if (!known) {
      known = { term: 0, commit: 0, durableTerm: 0, end: 0, endTerm: 0 };
      this.known.set(id, known);
    }
    return known;
  }

  /** A crash may lose what was not yet durable: terms and commit indexes start again from the disk. */
  restarted(id: NodeId, { term, commit }: HardState): void {
    const known = this.of(id);
    if (term < known.durableTerm) throw new Broken(`durability: member ${id} restarts in term ${term} after it had spoken in term ${known.durableTerm}`);
    known.term = term;
    known.commit = commit;
    known.endTerm = 0;
  }

  /** Looks at a member after it was given something to do, before its Ready is carried out. */
  member(raft: RaftCore): void {
    const { id, term, log } = raft;
    const known = this.of(id);
    if (term < known.term) throw new Broken(`monotonicity: the term of member ${id} went back from ${known.term} to ${term}`);
    if (log.committed < known.commit) throw new Broken(`monotonicity: the commit index of member ${id} went back from ${known.commit} to ${log.committed}`);
    known.term = term;
    known.commit = log.committed;
    if (raft.role !== 'Leader') return;
    const leader = this.leaders.get(term);
    if (leader === undefined) {
      this.leaders.set(term, id);
      this.elections++;
      this.completeness(raft);
    } else if (leader !== id) throw new Broken(`election safety: members ${leader} and ${id} both lead term ${term}`);
  }

  /** Paper 5.4.3: whatever was committed in a term is in the logs of the leaders of all later terms. */
  private completeness({ id, log, term }: RaftCore): void {
    for (let index = Math.max(1, log.firstIndex()); index < this.applied.length; index++) {
      const entry = this.applied[index];
      if (entry && entry.known < term && log.term(index) !== entry.term)
        throw new Broken(`leader completeness: member ${id} leads term ${term} without committed entry ${entry.term}/${index}`);
    }
  }

  /** Entries a member is about to write. */
  writes(raft: RaftCore, entries: readonly Entry[]): void {
    const first = entries[0];
    if (!first) return;
    const known = this.of(raft.id);
    if (raft.role === 'Leader') {
      if (known.endTerm === raft.term && first.index !== known.end + 1)
        throw new Broken(`leader append-only: member ${raft.id} writes ${first.index} after ${known.end} in its own term ${raft.term}`);
      known.end = entries[entries.length - 1]!.index;
      known.endTerm = raft.term;
    }
    let before = raft.log.term(first.index - 1);
    for (const entry of entries) {
      // Log matching: index and term say what the entry is, and by induction all entries before it.
      const key = entry.index * 1_000_000 + entry.term;
      const content = contentOf(entry);
      const seen = this.written.get(key);
      if (seen && (seen.content !== content || (before !== undefined && seen.before !== undefined && seen.before !== before)))
        throw new Broken(`log matching: entry ${entry.term}/${entry.index} is not the same everywhere`);
      if (!seen || (seen.before === undefined && before !== undefined)) this.written.set(key, { content, before });
      before = entry.term;
    }
  }

  /** A message leaves a member: what it promises must be on disk. */
  leaves(m: Message, disk: MemoryStorage): void {
    const from = m.from as NodeId;
    const known = this.of(from);
    // A later leader may have cut the log meanwhile; then nobody believes this any more.
    if (m.type === 'MsgAppResp' && !m.reject && disk.hardState.term <= m.term && (m.index ?? 0) > disk.lastIndex())
      throw new Broken(`durability: member ${from} acknowledges ${m.index} but its disk ends at ${disk.lastIndex()}`);
    if (m.type === 'MsgAppResp' || m.type === 'MsgVoteResp') known.durableTerm = Math.max(known.durableTerm, m.term);
    if (m.type === 'MsgVoteResp' && !m.reject) this.vote(from, m.to as NodeId, m.term, disk.hardState);
  }

  /** Paper 5.2: one vote in a term, whatever happens in between; and it is on disk before anybody hears of it. */
  vote(from: NodeId, to: NodeId, term: number, { term: durable, vote }: HardState): void {
    if (durable < term || (durable === term && vote !== to))
      throw new Broken(`durability: member ${from} votes for ${to} in term ${term} before its disk knows`);
    const key = `${from}/${term}`;
    const earlier = this.votes.get(key);
    if (earlier !== undefined && earlier !== to) throw new Broken(`one vote per term: member ${from} votes for ${earlier} and for ${to} in term ${term}`);
    this.votes.set(key, to);
  }

  /** A member applies an entry; `last` is what it applied before. */
  applies(id: NodeId, entry: Entry, last: number): void {
    if (entry.index !== last + 1) throw new Broken(`state machine safety: member ${id} applies ${entry.index} after ${last}`);
    const content = contentOf(entry);
    const earlier = this.applied[entry.index];
    if (!earlier) {
      this.applied[entry.index] = { term: entry.term, content, known: this.of(id).term };
      this.committed++;
    } else if (earlier.term !== entry.term || earlier.content !== content)
      throw new Broken(`state machine safety: members apply different entries at ${entry.index}: ${earlier.term} and ${entry.term}`);
  }

  /** A newly applied entry is durable on a majority of the voters (only where the membership is fixed). */
  durable(entry: Entry, disks: readonly MemoryStorage[]): void {
    let holders = 0;
    for (const disk of disks) {
      const { index, term } = entry;
      if (index < disk.firstIndex() || (index <= disk.lastIndex() && disk.term(index) === term)) holders++;
    }
    if (holders * 2 <= disks.length) throw new Broken(`durability: committed entry ${entry.term}/${entry.index} is on ${holders} of ${disks.length} disks`);
  }
}
