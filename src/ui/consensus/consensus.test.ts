import { expect, test } from 'vitest';
import type { ConsensusMember, ConsensusPicture, RaftFlight } from '../../hosts/protocol.ts';
import type { Fact } from '../../sim/trace.ts';
import { OFF_THE_WIRE, outcomeOf } from './drag.ts';
import { arc, onTheWay, placesOf, sidesOf } from './geometry.ts';
import { cellState } from './log-grid.tsx';
import { RaftStore, takenBack } from './raft-store.ts';
import { drawnFrom, headline, messageFacts, SplitVotes, sentenceOf, span, tagOf } from './sentences.ts';
import { refusalOf, TIMES, timeOutAll, timesOf } from './timers.tsx';

const member = (name: string, more: Partial<ConsensusMember> = {}): ConsensusMember => ({
  name,
  id: name,
  peerURL: '',
  state: 'running',
  role: 'Follower',
  learner: false,
  term: 2,
  vote: '',
  lead: '',
  commit: 5,
  applied: 4,
  first: 1,
  last: 6,
  elapsed: 3,
  timeout: 15,
  tickMicros: 100_000,
  heartbeat: 100_000,
  election: 1_000_000,
  votes: [],
  voters: ['a', 'b', 'c'],
  progress: [],
  ...more,
});
const both = (a: string, b: string): [string, string][] => [
  [a, b],
  [b, a],
];

test.each<[string, Partial<ConsensusPicture>, 'calm' | 'busy' | 'bad', RegExp]>([
  ['a leader all hear', { members: [member('a', { role: 'Leader' }), member('b'), member('c')], cut: [] }, 'calm', /^a leads term 2\. 3 of 3/],
  [
    'two leaders',
    { members: [member('a', { role: 'Leader' }), member('b', { role: 'Leader', term: 3 }), member('c')], cut: [] },
    'bad',
    /^Two leaders: b of term 3; a of term 2 is stale/,
  ],
  [
    'a leader alone',
    { members: [member('a', { role: 'Leader' }), member('b'), member('c')], cut: [...both('a', 'b'), ...both('a', 'c')] },
    'bad',
    /reaches 1 of 3: nothing can be committed/,
  ],
  [
    'one direction cut',
    { members: [member('a', { role: 'Leader' }), member('b'), member('c', { state: 'stopped' })], cut: [['a', 'b']] },
    'bad',
    /reaches 1 of 3/,
  ],
  [
    'a split vote',
    {
      members: [
        member('a', { role: 'Candidate', term: 4, votes: [{ member: 'a', granted: true }] }),
        member('b', { role: 'Candidate', term: 4, votes: [{ member: 'b', granted: true }] }),
        member('c', { state: 'stopped' }),
      ],
      cut: [],
    },
    'busy',
    /^The vote of term 4 is split: a has 1, b has 1; 2 are needed\.$/,
  ],
  ['no quorum', { members: [member('a'), member('b', { state: 'stopped' }), member('c', { state: 'off' })], cut: [] }, 'bad', /^No leader: at most 1 of 3/],
  ['waiting', { members: [member('a'), member('b'), member('c')], cut: [] }, 'busy', /^No leader yet/],
])('%s', (_, picture, mood, sentence) => {
  const said = headline({ members: [], cut: [], ...picture });
  expect(said.mood).toBe(mood);
  expect(said.sentence).toMatch(sentence);
});

const fact = (type: string, about: string, data: Record<string, unknown>, id = 1): Fact => ({ id, at: 0, type, by: 'etcd@x', cause: 0, about, data });

test('facts are told in sentences', () => {
  expect(sentenceOf(fact('raft.role', 'EtcdMember/etcd-2', { role: 'Leader', was: 'Candidate', term: 3 }))).toBe('etcd-2 became leader of term 3.');
  expect(sentenceOf(fact('raft.role', 'EtcdMember/etcd-2', { role: 'Follower', was: 'Leader', term: 3 }))).toBe('etcd-2 steps down: term 3.');
  expect(sentenceOf(fact('raft.vote', 'EtcdMember/etcd-2', { for: 'etcd-2', term: 3 }))).toBe('etcd-2 votes for itself in term 3.');
  expect(sentenceOf(fact('fault', '', { kind: 'cut', from: 'etcd-1', to: 'etcd-2' }))).toBe('You: cut etcd-1 etcd-2');
  expect(sentenceOf(fact('api.request', '', {}))).toBeUndefined();
});

test('a split vote is said once, when a candidate gives up', () => {
  const votes = new SplitVotes();
  expect(votes.take(fact('raft.vote', '', { for: 'a', term: 4 }))).toBeUndefined();
  expect(votes.take(fact('raft.vote', '', { for: 'b', term: 4 }))).toBeUndefined();
  expect(votes.take(fact('raft.role', '', { role: 'PreCandidate', was: 'Candidate', term: 4 }))).toBe(
    'Split vote in term 4: a had 1, b had 1. Nobody won; the timers are drawn anew.',
  );
  expect(votes.take(fact('raft.role', '', { role: 'PreCandidate', was: 'Candidate', term: 4 }))).toBeUndefined();
  votes.take(fact('raft.vote', '', { for: 'a', term: 5 }));
  votes.take(fact('raft.vote', '', { for: 'b', term: 5 }));
  votes.take(fact('raft.role', '', { role: 'Leader', was: 'Candidate', term: 5 }));
  expect(votes.take(fact('raft.role', '', { role: 'Follower', was: 'Candidate', term: 5 }))).toBeUndefined();
});

test.each([
  [1, 'uncommitted', { first: 1, commit: 0, applied: 0 }],
  [1, 'committed', { first: 1, commit: 1, applied: 0 }],
  [1, 'applied', { first: 1, commit: 1, applied: 1 }],
  [9, 'empty', { first: 1, commit: 1, applied: 1 }],
  [4, 'snapshot', { first: 5, commit: 6, applied: 6 }],
  [2, 'folded', { first: 5, commit: 6, applied: 6 }],
])('cell %i is %s', (index, state, rest) => {
  expect(cellState(member('a', rest), { first: rest.first, terms: [1, 1] }, index).state).toBe(state);
});

test('what a log lost is known; what was folded into a snapshot is not lost', () => {
  const before = { first: 1, terms: [1, 1, 2, 2] };
  expect(takenBack('a', before, { first: 1, terms: [1, 1, 3] }, 1, 40)).toEqual([
    { member: 'a', index: 3, term: 2 },
    { member: 'a', index: 4, term: 2 },
  ]);
  expect(takenBack('a', before, { first: 3, terms: [2, 2] }, 1, 40)).toEqual([]);
  expect(takenBack('a', before, { first: 1, terms: [1, 1, 2, 2, 2] }, 1, 40)).toEqual([]);
  // The window moved on: what left it is not lost.
  expect(takenBack('a', before, { first: 3, terms: [2, 2] }, 3, 42)).toEqual([]);
});

test('pictures are put together: members that did not change stay the same, entries are kept', () => {
  let give: (picture: ConsensusPicture) => void = () => {};
  const store = new RaftStore({
    consensus: (listener) => {
      give = listener;
      return { show: () => undefined, stop: () => undefined };
    },
  });
  store.open();
  const picture: ConsensusPicture = {
    type: 'consensus',
    now: 1,
    members: [member('a'), member('b')],
    messages: [],
    cut: [],
    weather: [],
    sent: [],
    window: { first: 1, last: 40, newest: 1 },
    logs: [{ member: 'a', first: 1, terms: [1] }],
    entries: [{ term: 1, index: 1, verb: 'put', about: 'k' }],
  };
  give(picture);
  const [a] = store.view.members;
  give({ ...picture, now: 2, members: [member('a'), member('b', { elapsed: 9 })], logs: [], entries: [] });
  expect(store.view.members[0]).toBe(a);
  expect(store.view.members[1]?.elapsed).toBe(9);
  expect(store.view.entries.get('1/1')?.about).toBe('k');
  // A world begun again: the old one is forgotten.
  give({ ...picture, now: 0, entries: [], logs: [] });
  expect(store.view.logs.size).toBe(0);
});

test.each([1, 2, 3, 4, 5, 6, 7])('%i members stand apart, inside the stage', (count) => {
  for (const stage of [
    { width: 980, height: 330 },
    { width: 390, height: 320 },
  ]) {
    const places = placesOf(stage, count);
    for (const { x, y } of places) {
      expect(x).toBeGreaterThan(20);
      expect(x).toBeLessThan(stage.width - 20);
      expect(y).toBeGreaterThan(20);
      expect(y).toBeLessThan(stage.height - 20);
    }
    for (const [i, a] of places.entries())
      for (const b of places.slice(i + 1)) expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThan(count > 5 && stage.width < 500 ? 55 : 70);
  }
});

test('small things', () => {
  expect(arc(10, 0)).toBe('');
  expect(arc(10, 0.75)).toContain('0 1 1');
  expect(onTheWay({ x: 0, y: 0 }, { x: 100, y: 0 }, 0, 10)).toEqual({ x: 10, y: 11, angle: 0 });
  expect([...sidesOf(['a', 'b', 'c'], [...both('a', 'b'), ...both('a', 'c')]).values()]).toEqual([0, 1, 1]);
  expect([...sidesOf(['a', 'b', 'c'], [['a', 'b']]).values()]).toEqual([0, 0, 0]);
  expect([350, 142_000, 2_430_000].map(span)).toEqual(['350 µs', '142 ms', '2.4 s']);
  expect(tagOf({ kind: 'MsgVoteResp', reject: true })).toBe('v✕');
});

test.each<[string, number, number, ReturnType<typeof outcomeOf>]>([
  ['hardly moved', 3, 2, { kind: 'nothing' }],
  ['along the wire, ahead', 80, 0, { kind: 'nothing' }],
  ['off the wire, to the right', 0, OFF_THE_WIRE + 1, { kind: 'drop' }],
  ['off the wire, to the left', 10, -OFF_THE_WIRE - 1, { kind: 'drop' }],
  ['a quarter of the way back', -50, 10, { kind: 'delay', by: 50_000 }],
])('a message pulled %s', (_, x, y, outcome) => {
  expect(outcomeOf({ x: 0, y: 0 }, { x: 200, y: 0 }, { x, y }, { sentAt: 0, arrivesAt: 200_000 })).toEqual(outcome);
  // The same of a wire that runs down: turned by a quarter.
  expect(outcomeOf({ x: 0, y: 0 }, { x: 0, y: 200 }, { x: -y, y: x }, { sentAt: 0, arrivesAt: 200_000 })).toEqual(outcome);
});
test('a quick message is held back by at least a tenth of a second over the whole way', () => {
  expect(outcomeOf({ x: 0, y: 0 }, { x: 200, y: 0 }, { x: -100, y: 0 }, { sentAt: 0, arrivesAt: 250 })).toEqual({ kind: 'delay', by: 50_000 });
});

test('times are known by what the members have, and etcd refuses two of the four', () => {
  expect(timesOf([member('a'), member('b')])?.preset).toBe('etcd');
  expect(timesOf([member('a'), member('b', { election: 150_000 })])).toBeUndefined();
  expect(timesOf([member('a', { election: 150_000 })])?.preset).toBe('teaching');
  expect(TIMES.filter((times) => refusalOf(times)).map(({ preset }) => preset)).toEqual(['paper', 'teaching']);
  expect(drawnFrom(member('a'))).toBe('1 s to 1.9 s');
  expect(drawnFrom(member('a', { election: 150_000, tickMicros: 10_000 }))).toBe('150 ms to 290 ms');
});
test('everybody who may stand for election is timed out at once', () => {
  const members = [member('a', { role: 'Leader' }), member('b'), member('c', { state: 'stopped' }), member('d', { learner: true }), member('e')];
  expect(timeOutAll(members)).toEqual([
    { kind: 'raft-timeout', member: 'b' },
    { kind: 'raft-timeout', member: 'e' },
  ]);
});

test.each<[string, Parameters<typeof messageFacts>[0], readonly (readonly [string, string])[]]>([
  [
    'entries',
    flightOf({ kind: 'MsgApp', index: 4, logTerm: 2, entries: 3, commit: 4 }),
    [
      ['Entries', '5 to 7'],
      ['They follow', '4 of term 2'],
      ['Committed', 'up to 4'],
    ],
  ],
  ['a refusal', flightOf({ kind: 'MsgAppResp', index: 4, reject: true }), [['Refused', 'its log has no entry 4 of that term']]],
  ['an acknowledgement', flightOf({ kind: 'MsgAppResp', index: 4 }), [['On disk', 'up to 4']]],
  ['a candidate', flightOf({ kind: 'MsgVote', index: 9, logTerm: 3 }), [['Its last entry', '9 of term 3']]],
  ['a vote', flightOf({ kind: 'MsgVoteResp' }), []],
])('a message that carries %s says so', (_, flight, facts) => {
  expect(messageFacts(flight)).toEqual(facts);
});

function flightOf(more: Partial<RaftFlight>): RaftFlight {
  return { id: 1, from: 'a', to: 'b', kind: 'MsgApp', term: 2, entries: 0, reject: false, sentAt: 0, arrivesAt: 250, ...more };
}
