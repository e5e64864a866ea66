/** One test per rule of the paper, by section. */
import { describe, expect, test } from 'vitest';
import { Network } from './network.test-support.ts';
import { RaftCore } from './raft.ts';
import { MemoryStorage } from './storage.ts';
import type { Config, Entry, Message, NodeId } from './types.ts';

const entry = (term: number, index: number, data = `${term}/${index}`): Entry => ({ term, index, type: 'normal', data });

/** A member of {1..n} on its own, with a log of the given terms. */
function member(id: NodeId, n: number, terms: readonly number[] = [], config: Partial<Config> = {}): RaftCore {
  const storage = new MemoryStorage({
    voters: Array.from({ length: n }, (_, i) => i + 1),
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
  });
  storage.append(terms.map((term, i) => entry(term, i + 1)));
  const term = terms.at(-1) ?? 0;
  storage.hardState = { term, vote: 0, commit: 0 };
  return new RaftCore({ id, electionTick: 10, heartbeatTick: 1, random: () => 0, ...config }, storage);
}

/** Everything it says now, after writing what must be written. */
function said(raft: RaftCore): Message[] {
  const out: Message[] = [];
  while (raft.hasReady()) {
    const ready = raft.ready();
    (raft.log as unknown as { storage: MemoryStorage }).storage.append(ready.entries);
    out.push(...ready.messages);
    raft.advance();
  }
  return out;
}

function candidate(raft: RaftCore): Message[] {
  raft.campaign();
  return said(raft);
}

function leader(raft: RaftCore, voters: readonly NodeId[]): Message[] {
  candidate(raft);
  for (const from of voters) raft.step({ type: 'MsgVoteResp', from, to: raft.id, term: raft.term });
  return said(raft);
}

describe('5.1 terms', () => {
  test.each(['Follower', 'Candidate', 'Leader'])('a %s that sees a later term becomes a follower of that term', (role) => {
    const raft = member(1, 3);
    if (role !== 'Follower') candidate(raft);
    if (role === 'Leader') leader(raft, [2]);
    raft.step({ type: 'MsgApp', from: 2, to: 1, term: 9, index: 0, logTerm: 0 });
    expect([raft.role, raft.term, raft.lead]).toEqual(['Follower', 9, 2]);
  });

  test('a message of an earlier term is not acted on', () => {
    const raft = member(1, 3, [1, 2]);
    raft.step({ type: 'MsgApp', from: 2, to: 1, term: 1, index: 2, logTerm: 2, entries: [entry(1, 3)] });
    expect(raft.log.lastIndex()).toBe(2);
    expect(said(raft)).toEqual([]);
  });
});

describe('5.2 elections', () => {
  test('a leader sends heartbeats to everybody', () => {
    const raft = member(1, 3);
    leader(raft, [2]);
    raft.tick();
    expect(said(raft)).toEqual([
      { type: 'MsgHeartbeat', from: 1, to: 2, term: 1, commit: 0 },
      { type: 'MsgHeartbeat', from: 1, to: 3, term: 1, commit: 0 },
    ]);
  });

  test.each(['Follower', 'Candidate'])('a %s that hears nothing for an election timeout raises its term, votes for itself and asks the others', (role) => {
    const raft = member(1, 3);
    if (role === 'Candidate') candidate(raft);
    const { term } = raft;
    for (let i = 0; i < 10; i++) raft.tick();
    expect([raft.role, raft.term, raft.vote]).toEqual(['Candidate', term + 1, 1]);
    expect(said(raft)).toEqual([
      { type: 'MsgVote', from: 1, to: 2, term: term + 1, index: 0, logTerm: 0 },
      { type: 'MsgVote', from: 1, to: 3, term: term + 1, index: 0, logTerm: 0 },
    ]);
  });

  test.each([
    [1, [], [], 'Leader'],
    [3, [2, 3], [], 'Leader'],
    [3, [2], [], 'Leader'],
    [5, [2, 3], [], 'Leader'],
    [5, [2], [], 'Candidate'],
    [3, [], [2, 3], 'Follower'],
    [5, [], [2, 3, 4], 'Follower'],
    [5, [2], [3, 4], 'Candidate'],
    [3, [], [], 'Candidate'],
  ] as const)('of %i members, yes from itself and %j, no from %j: %s', (n, yes, no, role) => {
    const raft = member(1, n);
    candidate(raft);
    for (const from of yes) raft.step({ type: 'MsgVoteResp', from, to: 1, term: 1 });
    for (const from of no) raft.step({ type: 'MsgVoteResp', from, to: 1, term: 1, reject: true });
    expect(raft.role).toBe(role);
  });

  test.each([
    [0, 2, true],
    [0, 3, true],
    [2, 2, true],
    [3, 3, true],
    [2, 3, false],
    [3, 2, false],
  ])('a vote is given once a term: voted for %i, asked by %i: %s', (vote, from, granted) => {
    const raft = member(1, 3, [1]);
    raft.vote = vote;
    raft.step({ type: 'MsgVote', from, to: 1, term: 1, index: 1, logTerm: 1 });
    expect(said(raft)).toEqual([
      granted ? { type: 'MsgVoteResp', from: 1, to: from, term: 1 } : { type: 'MsgVoteResp', from: 1, to: from, term: 1, reject: true },
    ]);
  });

  test.each([1, 2])('a candidate that hears a leader of its term or a later one (+%i) gives up', (ahead) => {
    const raft = member(1, 3);
    candidate(raft);
    raft.step({ type: 'MsgApp', from: 2, to: 1, term: ahead, index: 0, logTerm: 0 });
    expect([raft.role, raft.term]).toEqual(['Follower', ahead]);
  });

  test('election timeouts are drawn from [t, 2t) anew each time', () => {
    const seen = new Set<number>();
    const net = new Network([1, 2, 3], { seed: 7 });
    for (let i = 0; i < 200; i++) {
      net.raft(1).becomeFollower(i + 1, 2);
      seen.add(net.raft(1).randomizedElectionTimeout);
    }
    expect([...seen].sort((a, b) => a - b)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  });

  test('split votes are rare: five members that all lost their leader elect one within 6 timeouts', () => {
    for (let seed = 0; seed < 50; seed++) {
      const net = new Network([1, 2, 3, 4, 5], { seed });
      net.run(60);
      expect(net.leader(), `seed ${seed}`).toBeDefined();
    }
  });
});

describe('5.3 replication', () => {
  test('a leader appends a proposal with the next index and its term, and sends it to all', () => {
    const raft = member(1, 3);
    leader(raft, [2]);
    for (const from of [2, 3]) raft.step({ type: 'MsgAppResp', from, to: 1, term: 1, index: 1 });
    said(raft);
    raft.propose('x');
    const placed = entry(1, 2, 'x');
    const sent = said(raft).filter((m) => m.type === 'MsgApp');
    expect(sent.map((m) => [m.to, m.index, m.logTerm, m.commit])).toEqual([
      [2, 1, 1, 1],
      [3, 1, 1, 1],
    ]);
    for (const m of sent) expect(m.entries).toMatchObject([placed]);
  });

  test.each([
    [1, [], true],
    [3, [], false],
    [3, [2], true],
    [3, [2, 3], true],
    [5, [2], false],
    [5, [2, 3], true],
    [5, [2, 3, 4, 5], true],
  ] as const)('of %i members an entry stored by the leader and %j is committed: %s', (n, others, committed) => {
    const raft = member(1, n);
    leader(raft, n === 1 ? [] : [2, 3]);
    const before = raft.log.lastIndex();
    raft.propose('x');
    said(raft);
    for (const from of others) raft.step({ type: 'MsgAppResp', from, to: 1, term: 1, index: before + 1 });
    expect(raft.log.committed === before + 1).toBe(committed);
  });

  test('a commit takes all entries before it along, those of earlier leaders too', () => {
    for (const terms of [[], [2], [1, 2], [1]]) {
      const raft = member(1, 3, terms);
      leader(raft, [2]);
      raft.step({ type: 'MsgAppResp', from: 2, to: 1, term: raft.term, index: terms.length + 1 });
      expect(raft.log.committed).toBe(terms.length + 1);
    }
  });

  test('followers learn of a commit at once and apply in log order', () => {
    const net = new Network([1, 2, 3]);
    net.elect(1);
    net.propose(1, 'a');
    net.propose(1, 'b');
    for (const id of [1, 2, 3]) expect(net.node(id).applied).toEqual(['a', 'b']);
  });

  test.each([
    [0, 0, true],
    [1, 1, true],
    [2, 2, true],
    [1, 2, false],
    [2, 1, false],
    [3, 3, false],
  ])('an append after entry %i of term %i is accepted by a log of terms 1, 2: %s', (index, logTerm, accepted) => {
    const raft = member(1, 3, [1, 2]);
    raft.step({ type: 'MsgApp', from: 2, to: 1, term: 2, index, logTerm });
    const [answer] = said(raft);
    expect([answer!.type, !answer!.reject]).toEqual(['MsgAppResp', accepted]);
  });

  test.each([
    [2, 2, [[3, 3]], [1, 2, 3]],
    [
      1,
      1,
      [
        [3, 2],
        [4, 3],
      ],
      [1, 3, 4],
    ],
    [0, 0, [[1, 1]], [1, 2]],
    [0, 0, [[3, 1]], [3]],
  ] as const)('an append after %i/%i of %j leaves the log at %j', (index, logTerm, entries, terms) => {
    const raft = member(1, 3, [1, 2]);
    raft.step({ type: 'MsgApp', from: 2, to: 1, term: 4, index, logTerm, entries: entries.map(([t, i]) => entry(t, i)) });
    expect(raft.log.entriesFrom(1)!.map((e) => e.term)).toEqual(terms);
  });

  test.each([
    [1, 1, 0, 3, 1],
    [1, 1, 1, 3, 2],
    [1, 1, 1, 1, 1],
    [3, 1, 0, 3, 3],
  ])(
    'figure 2: a follower told (after %i/%i, %i new entries) that %i is committed commits %i, not what the message does not vouch for',
    (index, logTerm, fresh, commit, expected) => {
      const raft = member(1, 3, [1, 1, 1]);
      const entries = Array.from({ length: fresh }, (_, i) => entry(1, index + 1 + i));
      raft.step({ type: 'MsgApp', from: 2, to: 1, term: 2, index, logTerm, commit, entries });
      expect(raft.log.committed).toBe(expected);
    },
  );

  test('a late sync does not make entries stable that were replaced meanwhile', () => {
    const raft = member(1, 3, [1]);
    raft.step({ type: 'MsgApp', from: 2, to: 1, term: 1, index: 1, logTerm: 1, entries: [entry(1, 2, 'old')] });
    raft.ready();
    raft.step({ type: 'MsgApp', from: 3, to: 1, term: 2, index: 1, logTerm: 1, entries: [entry(2, 2, 'new')] });
    raft.advance();
    expect(raft.ready().entries).toMatchObject([{ term: 2, index: 2, data: 'new' }]);
  });

  test.each([
    ['a', [1, 1, 1, 4, 4, 5, 5, 6, 6]],
    ['b', [1, 1, 1, 4]],
    ['c', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
    ['d', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
    ['e', [1, 1, 1, 4, 4, 4, 4]],
    ['f', [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
  ])('figure 7 %s: the leader of term 8 brings the follower to its own log', (_, terms) => {
    const own = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    const net = new Network([1, 2, 3]);
    const load = (id: NodeId, log: readonly number[]) => {
      net.node(id).storage.append(log.map((term, i) => entry(term, i + 1)));
      net.node(id).storage.hardState = { term: 7, vote: 0, commit: 0 };
      net.start(id);
    };
    load(1, own);
    load(2, terms);
    net.elect(1);
    net.propose(1, 'x');
    expect(net.terms(2)).toEqual(net.terms(1));
    expect(net.terms(1)).toEqual([...own, 8, 8]);
  });

  test('a refusal skips a whole term at a time, not one entry', () => {
    const net = new Network([1, 2, 3]);
    const load = (id: NodeId, log: readonly number[]) => {
      net.node(id).storage.append(log.map((term, i) => entry(term, i + 1)));
      net.node(id).storage.hardState = { term: 5, vote: 0, commit: 0 };
      net.start(id);
    };
    load(1, [1, ...Array(50).fill(4)]);
    load(2, [1, ...Array(60).fill(2)]);
    let refusals = 0;
    net.onSend = (m) => {
      if (m.reject && m.from === 2) refusals++;
    };
    net.cut.add('1>3');
    net.elect(1);
    expect(net.terms(2)).toEqual(net.terms(1));
    expect(refusals).toBeLessThanOrEqual(2);
  });
});

describe('5.4 safety', () => {
  test.each([
    [[1], 1, 1, true],
    [[1], 1, 2, true],
    [[1], 2, 1, true],
    [[1, 1], 1, 1, false],
    [[1, 1], 2, 1, true],
    [[2], 1, 5, false],
  ])('5.4.1: a log of terms %j gives its vote to a log that ends in term %i at index %i: %s', (terms, logTerm, index, granted) => {
    const raft = member(1, 2, terms);
    raft.step({ type: 'MsgVote', from: 2, to: 1, term: 3, index, logTerm });
    expect(said(raft)[0]!.reject ?? false).toBe(!granted);
  });

  test('5.4.2, figure 8: an entry of an earlier term is not committed by counting', () => {
    const raft = member(1, 3, [1, 2]);
    leader(raft, [2]);
    expect(raft.term).toBe(3);
    raft.step({ type: 'MsgAppResp', from: 2, to: 1, term: 3, index: 2 });
    expect(raft.log.committed).toBe(0);
    raft.step({ type: 'MsgAppResp', from: 2, to: 1, term: 3, index: 3 });
    expect(raft.log.committed).toBe(3);
  });

  test('a vote leaves only with a Ready that must be synced', () => {
    const raft = member(1, 3);
    raft.step({ type: 'MsgVote', from: 2, to: 1, term: 1, index: 0, logTerm: 0 });
    const ready = raft.ready();
    expect(ready.hardState).toEqual({ term: 1, vote: 2, commit: 0 });
    expect(ready.mustSync).toBe(true);
    expect(ready.messages).toEqual([{ type: 'MsgVoteResp', from: 1, to: 2, term: 1 }]);
  });
});

describe('7 snapshots', () => {
  test('a follower whose entries are compacted gets the state instead', () => {
    const net = new Network([1, 2, 3]);
    net.elect(1);
    net.isolate(3);
    for (let i = 0; i < 5; i++) net.propose(1, `v${i}`);
    net.compact(1);
    net.cut.clear();
    const kinds: string[] = [];
    net.onSend = (m) => kinds.push(m.type);
    net.run(3);
    expect(kinds).toContain('MsgSnap');
    expect(net.node(3).applied).toEqual(['v0', 'v1', 'v2', 'v3', 'v4']);
    net.propose(1, 'after');
    expect(net.node(3).applied.at(-1)).toBe('after');
    expect(net.raft(1).progress(3)!.state).toBe('Replicate');
  });

  test('a lost snapshot is sent again when its failure is reported', () => {
    const net = new Network([1, 2, 3]);
    net.elect(1);
    net.isolate(3);
    net.propose(1, 'a');
    net.compact(1);
    net.cut.clear();
    // The snapshot itself is lost.
    net.onSend = (m) => {
      if (m.type === 'MsgSnap') net.cut.add('1>3');
    };
    net.run(3);
    expect(net.raft(1).progress(3)!.state).toBe('Snapshot');
    net.onSend = undefined;
    net.cut.clear();
    net.run(3);
    expect(net.node(3).applied).toEqual([]);
    net.raft(1).reportSnapshot(3, false);
    net.run(3);
    expect(net.node(3).applied).toEqual(['a']);
  });
});

describe('8 clients', () => {
  test('a new leader commits an empty entry of its term', () => {
    const net = new Network([1, 2, 3]);
    net.elect(2);
    expect(net.raft(2).log.committed).toBe(1);
    expect(net.raft(2).log.entriesFrom(1)).toMatchObject([{ term: 1, index: 1, data: '' }]);
  });

  test('followers pass proposals on; without a leader they are dropped', () => {
    const net = new Network([1, 2, 3]);
    expect(net.raft(2).propose('x')).toBe('raft proposal dropped');
    net.elect(1);
    net.propose(2, 'x');
    expect(net.node(3).applied).toEqual(['x']);
  });
});

describe('thesis 3.10: leadership transfer', () => {
  test('to a member that is up to date, at once, past PreVote and the lease', () => {
    const net = new Network([1, 2, 3], { preVote: true, checkQuorum: true });
    net.elect(1);
    net.raft(1).transferLeader(2);
    net.settle();
    expect([net.raft(2).role, net.raft(1).role]).toEqual(['Leader', 'Follower']);
  });

  test('to a member that lags, after it was brought up to date; proposals are dropped meanwhile', () => {
    const net = new Network([1, 2, 3]);
    net.elect(1);
    net.isolate(2);
    net.propose(1, 'a');
    net.raft(1).transferLeader(2);
    net.drain(1);
    expect(net.raft(1).propose('b')).toBe('raft proposal dropped');
    net.cut.clear();
    net.run(2);
    expect(net.raft(2).role).toBe('Leader');
    expect(net.node(2).applied).toEqual(['a']);
  });

  test('given up after an election timeout', () => {
    const net = new Network([1, 2, 3]);
    net.elect(1);
    net.isolate(2);
    net.raft(1).transferLeader(2);
    net.tick(1, 10);
    expect(net.raft(1).leadTransferee).toBe(0);
    expect(net.raft(1).propose('b')).toBeUndefined();
  });
});

describe('thesis 4: membership', () => {
  test('a new voter is brought up to date and counts from then on', () => {
    const net = new Network([1, 2, 3]);
    net.elect(1);
    net.propose(1, 'a');
    net.add(4, { ...net.node(1).conf, voters: [1, 2, 3] });
    net.raft(1).proposeConfChange({ v1: true, changes: [{ type: 'addVoter', node: 4 }] });
    net.settle();
    net.run(3);
    expect(net.raft(4).configuration.incoming).toEqual([1, 2, 3, 4]);
    expect(net.node(4).applied).toEqual(['a']);
  });

  test('a learner receives the log but neither votes nor stands', () => {
    const net = new Network([1, 2]);
    net.elect(1);
    net.add(3, net.node(1).conf);
    net.raft(1).proposeConfChange({ v1: true, changes: [{ type: 'addLearner', node: 3 }] });
    net.settle();
    net.run(3);
    net.propose(1, 'a');
    expect(net.node(3).applied).toEqual(['a']);
    net.crash(2);
    net.propose(1, 'b');
    expect(net.node(1).applied).toEqual(['a']);
    net.tick(3, 50);
    expect(net.raft(3).role).toBe('Follower');
  });

  test('one change at a time: a second one before the first is applied becomes an empty entry', () => {
    const net = new Network([1, 2, 3]);
    net.elect(1);
    net.raft(1).proposeConfChange({ v1: true, changes: [{ type: 'addVoter', node: 4 }] });
    net.raft(1).proposeConfChange({ v1: true, changes: [{ type: 'addVoter', node: 5 }] });
    net.settle();
    expect(net.raft(1).configuration.incoming).toEqual([1, 2, 3, 4]);
    expect(net.raft(1).log.entriesFrom(3)).toMatchObject([{ type: 'normal', data: '' }]);
  });

  test('4.2.2: a removed leader steps down', () => {
    const net = new Network([1, 2, 3], { preVote: true, checkQuorum: true });
    net.elect(1);
    net.raft(1).proposeConfChange({ v1: true, changes: [{ type: 'remove', node: 1 }] });
    net.settle();
    expect(net.raft(1).role).toBe('Follower');
    net.run(40);
    expect(net.leader()?.id).toBeGreaterThan(1);
    net.propose(net.leader()!.id, 'x');
    expect(net.node(net.leader()!.id).applied).toEqual(['x']);
  });

  test('4.3: a joint change needs both majorities and is left by itself', () => {
    const net = new Network([1, 2, 3]);
    net.elect(1);
    for (const id of [4, 5]) net.add(id, net.node(1).conf);
    net.raft(1).proposeConfChange({
      changes: [
        { type: 'addVoter', node: 4 },
        { type: 'addVoter', node: 5 },
        { type: 'remove', node: 3 },
      ],
    });
    net.settle();
    net.run(3);
    expect(net.raft(1).configuration).toMatchObject({ incoming: [1, 2, 4, 5], outgoing: [], autoLeave: false });
    expect(net.raft(5).configuration).toEqual(net.raft(1).configuration);
  });
});

describe('thesis 6.2 and 4.2.3: CheckQuorum', () => {
  test('a leader that hears from no majority for an election timeout steps down', () => {
    const net = new Network([1, 2, 3], { checkQuorum: true });
    net.elect(1);
    net.isolate(1);
    net.tick(1, 21);
    expect(net.raft(1).role).toBe('Follower');
  });

  test('followers that hear their leader ignore requests for votes', () => {
    const net = new Network([1, 2, 3], { checkQuorum: true });
    net.elect(1);
    net.raft(3).campaign();
    net.settle();
    expect([net.raft(1).role, net.raft(2).lead]).toEqual(['Leader', 1]);
  });
});

describe('thesis 9.6: PreVote', () => {
  test('a member that was cut off does not depose the leader when it returns', () => {
    const net = new Network([1, 2, 3], { preVote: true, checkQuorum: true });
    net.elect(1);
    net.isolate(3);
    net.run(100);
    expect([net.raft(3).role, net.raft(3).term]).toEqual(['PreCandidate', 1]);
    net.cut.clear();
    net.run(30);
    expect([net.raft(1).role, net.raft(1).term, net.raft(3).lead]).toEqual(['Leader', 1, 1]);
  });

  test('without it, it does', () => {
    const net = new Network([1, 2, 3]);
    net.elect(1);
    net.isolate(3);
    net.run(100);
    expect(net.raft(3).term).toBeGreaterThan(2);
    net.cut.clear();
    net.run(30);
    expect(net.leader()!.term).toBeGreaterThan(2);
  });
});

describe('thesis 6.4: reads', () => {
  test('are confirmed by a round of heartbeats, at the leader and through a follower', () => {
    const net = new Network([1, 2, 3]);
    net.elect(1);
    net.propose(1, 'a');
    const confirmed: unknown[] = [];
    net.onReady = (node, ready) => confirmed.push(...ready.readStates.map((read) => [node.id, read.index, read.context]));
    net.raft(1).readIndex('r1');
    net.settle();
    net.raft(2).readIndex('r2');
    net.settle();
    expect(confirmed).toEqual([
      [1, 2, 'r1'],
      [2, 2, 'r2'],
    ]);
  });

  test('are not confirmed by a leader that others have replaced', () => {
    const net = new Network([1, 2, 3]);
    net.elect(1);
    net.isolate(1);
    net.elect(2);
    const confirmed: unknown[] = [];
    net.onReady = (_, ready) => confirmed.push(...ready.readStates);
    net.raft(1).readIndex('stale');
    net.settle();
    net.run(5);
    expect(confirmed).toEqual([]);
  });

  test('wait until the leader has committed an entry of its term', () => {
    const net = new Network([1, 2, 3]);
    net.raft(1).campaign();
    net.drain(1);
    const confirmed: unknown[] = [];
    net.onReady = (_, ready) => confirmed.push(...ready.readStates);
    // Votes arrive, the empty entry does not yet.
    net.nodes.get(2)!.raft!.step(net.wire.find((m) => m.to === 2)!);
    net.drain(2);
    net.raft(1).step(net.wire.find((m) => m.type === 'MsgVoteResp')!);
    net.wire = [];
    net.drain(1);
    expect(net.raft(1).role).toBe('Leader');
    net.raft(1).readIndex('early');
    net.drain(1);
    expect(confirmed).toEqual([]);
    net.settle();
    net.run(2);
    expect(confirmed).toEqual([{ index: 1, context: 'early' }]);
  });
});
