/**
 * Bugs to plant in a copy of the core, one at a time: exact words of its source and what to put in their
 * place. planted.test.ts builds the copy and expects the runs to find each one; the core itself knows
 * nothing of them.
 */
import type { FuzzOptions } from './swarm.ts';

export interface Planted {
  readonly name: string;
  /** File in the raft folder, the words (which must be there exactly once), and the wrong ones. */
  readonly edits: readonly (readonly [file: string, right: string, wrong: string])[];
  readonly options?: FuzzOptions;
  /** Which promise must be found broken. */
  readonly breaks: RegExp;
}

const any = /./;

export const PLANTED: readonly Planted[] = [
  {
    name: 'an entry of an earlier term is committed by counting (paper figure 8)',
    edits: [['leader.ts', ' || raft.log.term(index) !== raft.term) return false;', ') return false;']],
    options: { profile: 'succession' },
    breaks: /leader completeness|state machine safety/,
  },
  {
    name: 'a member votes twice in a term',
    edits: [['candidate.ts', 'const free = raft.vote === from ||', 'const free = m.term === raft.term || raft.vote === from ||']],
    breaks: /one vote per term|election safety/,
  },
  {
    name: 'the vote is not persisted',
    edits: [
      [
        'ready.ts',
        'if (raft.config.asyncStorageWrites) this.addressThreads(ready);',
        'if (ready.hardState) ready.hardState = { ...ready.hardState, vote: 0 };\n    if (raft.config.asyncStorageWrites) this.addressThreads(ready);',
      ],
    ],
    breaks: /durability/,
  },
  {
    name: 'a restarted member has lost its term',
    edits: [['raft.ts', '    this.term = term;\n    this.vote = vote;\n  }', '  }']],
    breaks: /monotonicity/,
  },
  {
    name: 'entries are acknowledged before they are durable',
    edits: [['ready.ts', "if (m.type === 'MsgAppResp' || m.type === 'MsgVoteResp'", "if (m.type === 'MsgVoteResp'"]],
    breaks: /durability/,
  },
  {
    name: 'reads are answered without asking the others',
    edits: [['leader.ts', "if (raft.config.readOnly === 'lease-based') {", 'if (m.context !== undefined) {']],
    breaks: /linearizability/,
  },
  {
    name: 'a new leader answers reads before it has committed anything',
    edits: [['leader.ts', 'else if (raft.log.term(raft.log.committed) !== raft.term) raft.earlyReads.push(m);', '']],
    breaks: /linearizability/,
  },
  {
    name: 'leases are trusted although clocks run apart (thesis 6.4.1)',
    edits: [],
    options: { trustLeases: true },
    breaks: /linearizability/,
  },
  {
    name: 'an append that came late cuts off what followed it, committed or not',
    edits: [
      ['log.ts', 'if (this.matchTerm(entry.index, entry.term)) continue;', ''],
      ['log.ts', 'if (first.index <= this.committed) throw', 'if (first.index < 0) throw'],
    ],
    breaks: any,
  },
  {
    name: 'an append is taken without looking whether the logs match before it',
    edits: [['log.ts', 'if (!this.matchTerm(prevIndex, prevTerm)) return undefined;', 'if (prevIndex > this.lastIndex()) return undefined;']],
    breaks: any,
  },
  {
    name: 'a heartbeat tells a follower to commit what it may not have',
    edits: [['leader.ts', 'const commit = Math.min(progress.match, committed);', 'const commit = committed;']],
    breaks: any,
  },
  {
    name: 'an election is won without a majority',
    edits: [['quorum.ts', 'const needed = (ids.length >> 1) + 1;', 'const needed = (ids.length + 1) >> 1;']],
    options: { members: 4 },
    breaks: /election safety|leader completeness|log matching|state machine safety|panic/,
  },
  {
    name: 'an entry is committed without a majority',
    edits: [['quorum.ts', 'return scratch[n - ((n >> 1) + 1)]!;', 'return scratch[n - (n >> 1)]!;']],
    breaks: any,
  },
  {
    name: 'a candidate with an older log is voted for',
    edits: [['candidate.ts', 'if (free && raft.log.isUpToDate(m.index ?? 0, m.logTerm ?? 0)) {', 'if (free) {']],
    breaks: any,
  },
  {
    name: 'what learners hold counts towards commitment',
    edits: [
      [
        'leader.ts',
        'const index = committedIndex(raft.configuration, ',
        'const { incoming, outgoing, learners } = raft.configuration;\n  const index = committedIndex({ incoming: [...incoming, ...learners], outgoing }, ',
      ],
    ],
    options: { profile: 'reshape' },
    breaks: any,
  },
  {
    name: 'one majority is enough in a joint configuration',
    edits: [
      [
        'quorum.ts',
        'return Math.min(majorityCommitted(voters.incoming, acked), majorityCommitted(voters.outgoing, acked));',
        'return majorityCommitted(voters.incoming, acked);',
      ],
      ['quorum.ts', 'const outgoing = majorityVote(voters.outgoing, vote);', 'const outgoing = incoming;'],
    ],
    options: { profile: 'reshape' },
    breaks: any,
  },
  {
    name: 'a second membership change does not wait for the first',
    edits: [['leader.ts', 'raft.pendingConfIndex > raft.log.applied || joint !== leave', 'joint !== leave']],
    options: { profile: 'reshape' },
    breaks: any,
  },
  {
    name: 'entries are applied before they are committed',
    edits: [['log.ts', 'return this.applyUnstable ? this.committed : Math.min(this.committed, this.offset - 1);', 'return this.offset - 1;']],
    breaks: any,
  },
  {
    name: 'the end of an earlier write is believed of what was written later (ABA)',
    edits: [
      [
        'ready.ts',
        'if (index > 0 && term === raft.term) raft.log.stableTo(index, logTerm);',
        'if (index > 0) raft.log.stableTo(index, raft.log.term(index) ?? logTerm);',
      ],
    ],
    breaks: any,
  },
];
