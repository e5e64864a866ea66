/**
 * How fast the core is, for `npm run bench`: the same work as the bare Raft of limits/e_raft.mjs, so that
 * the two can be compared. Proposals are committed and applied on all members; messages are delivered at
 * once and nothing is written anywhere but to memory.
 */
import { RaftCore } from './raft.ts';
import { MemoryStorage } from './storage.ts';
import type { ConfState, Message } from './types.ts';

interface Bare {
  readonly raft: RaftCore;
  readonly storage: MemoryStorage;
  applied: number;
  sum: number;
}

/** Members 1..n with messages that arrive at once; 1 leads. */
class BareGroup {
  private readonly members: Bare[];

  constructor(n: number) {
    const voters = Array.from({ length: n }, (_, i) => i + 1);
    const conf: ConfState = { voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
    this.members = voters.map((id) => {
      const storage = new MemoryStorage(conf);
      const raft = new RaftCore({ id, electionTick: 10, heartbeatTick: 1, checkQuorum: true, preVote: true, random: () => id % 10 }, storage);
      return { raft, storage, applied: 0, sum: 0 };
    });
    this.members[0]!.raft.campaign();
    this.pump();
  }

  get leader(): RaftCore {
    return this.members[0]!.raft;
  }

  get sums(): number[] {
    return this.members.map(({ sum }) => sum);
  }

  /** Lets everything happen that happens without time passing; returns how many messages that took. */
  pump(): number {
    let count = 0;
    for (let busy = true; busy; ) {
      busy = false;
      for (const member of this.members) {
        if (!member.raft.hasReady()) continue;
        busy = true;
        for (const m of this.carryOut(member)) {
          count++;
          this.members[(m.to as number) - 1]!.raft.step(m);
        }
      }
    }
    return count;
  }

  private carryOut(member: Bare): Message[] {
    const { raft, storage } = member;
    const ready = raft.ready();
    if (ready.entries.length > 0) storage.append(ready.entries);
    if (ready.hardState) storage.hardState = ready.hardState;
    for (const entry of ready.committedEntries) {
      member.applied = entry.index;
      if (entry.data) member.sum = (Math.imul(member.sum, 31) + entry.data.length) | 0;
    }
    raft.advance();
    return ready.messages;
  }

  tick(): void {
    for (const { raft } of this.members) raft.tick();
  }

  /** As a member does after many entries: the state is kept, the log before it forgotten. */
  compact(): void {
    for (const { storage, applied } of this.members) storage.compact(applied - 100);
  }
}

/** Commits `proposals` entries on a group of `members`, `batch` of them to a message. Throws Error when the members end up different. */
export function commitProposals(members: number, batch: number, proposals: number): void {
  const group = new BareGroup(members);
  for (let i = 0; i < proposals; i += batch) {
    if (batch === 1) group.leader.propose('x');
    else group.leader.proposeEntries(Array.from({ length: batch }, () => ({ term: 0, index: 0, type: 'normal' as const, data: 'x' })));
    group.pump();
    if (i % 10_240 === 0) group.compact();
  }
  if (new Set(group.sums).size !== 1) throw new Error('the members diverged');
}

/** Ticks an idle group of `members` `ticks` times, heartbeats and their answers included; returns the messages sent. */
export function idle(members: number, ticks: number): number {
  const group = new BareGroup(members);
  let messages = 0;
  for (let i = 0; i < ticks; i++) {
    group.tick();
    messages += group.pump();
  }
  return messages;
}
