import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { LoopLease, LoopRecord, LoopsPicture } from '../../hosts/protocol.ts';
import { keyOf } from './actions.ts';
import { exact } from './loop-card.tsx';
import { LoopStore, STAYS_MS } from './loop-store.ts';
import { driftText, driftWords, dueIn, headline, isAsleep, isStuck, rowWords, signed } from './words.ts';

const LEVEL = { missing: 0, extra: 0, objects: 0 };
const record = (over: Partial<LoopRecord> = {}): LoopRecord => ({
  id: 'replicaset-controller',
  role: 'controller',
  group: 'workloads',
  kind: 'ReplicaSet',
  where: 'kube-controller-manager@control-plane',
  state: 'running',
  steps: true,
  pipes: [{ kind: 'Pod', objects: 3, events: 1, watching: true }],
  waiting: [],
  waitingCount: 0,
  working: [],
  workingCount: 0,
  delayed: [],
  delayedCount: 0,
  ends: [],
  counts: { ended: 4, failed: 0, writes: 2 },
  lately: 1,
  drift: LEVEL,
  ...over,
});
const kubelet = record({ id: 'kubelet@node-1', role: 'kubelet', kind: 'Pod', steps: false, pipes: [] });
const key = (about: string, adds = 1) => ({ about, adds, fact: 1, after: false });

test.each([
  [LEVEL, '', 'nothing is missing'],
  [{ missing: -1, extra: 0, objects: 1 }, '−1', '1 missing'],
  [{ missing: 0, extra: 2, objects: 1 }, '+2', '2 too many'],
  [{ missing: -3, extra: 1, objects: 2 }, '−3 +1', '3 missing and 1 too many, on 2 objects'],
])('%o reads "%s", "%s"', (drift, text, words) => {
  expect([driftText(drift), driftWords(drift)]).toEqual([text, words]);
});
test('numbers have their sign; delays are exact', () => {
  expect([-2, 0, 3].map(signed)).toEqual(['−2', '0', '+3']);
  expect([5_000, 640_000, 1_280_000, 1_000_000_000].map(exact)).toEqual(['5 ms', '640 ms', '1.28 s', '1000 s']);
});

describe('the headline', () => {
  const lease = (copies: LoopLease['copies']): LoopLease => ({
    component: 'kube-controller-manager',
    holder: 'a',
    node: 'control-plane',
    expiresAt: 0,
    copies,
  });
  test.each<[string, readonly LoopRecord[], 'calm' | 'busy' | 'bad', string]>([
    ['calm', [record(), kubelet], 'calm', 'Everything is as asked for. 1 controller, the scheduler and 1 kubelet wait for a change.'],
    ['paused', [record({ state: 'paused', drift: { missing: -1, extra: 0, objects: 1 } }), kubelet], 'bad', 'replicaset-controller is paused; 1 missing.'],
    ['two paused', [record({ state: 'paused' }), { ...kubelet, state: 'paused' }], 'bad', '2 loops are paused: replicaset-controller, kubelet@node-1.'],
    ['at work', [record({ drift: { missing: -2, extra: 0, objects: 2 } }), kubelet], 'busy', '2 objects are not as asked for: replicaset-controller.'],
    [
      'in vain',
      [record({ drift: { missing: -1, extra: 0, objects: 1 }, delayed: [{ about: 'ReplicaSet/default/web', at: 5, requeues: 3, delay: 20_000 }] }), kubelet],
      'bad',
      'replicaset-controller tries and fails; 1 missing.',
    ],
    [
      'cut off',
      [record({ pipes: [{ kind: 'Pod', objects: 3, events: 1, watching: false }] }), kubelet],
      'bad',
      'The API server answers nobody: the watches have ended, and the controllers go by the copies they have.',
    ],
    [
      'failing',
      [record({ delayed: [{ about: 'ReplicaSet/default/web', at: 5, requeues: 3, delay: 20_000 }] }), kubelet],
      'busy',
      'Everything is as asked for, but not all work succeeds: replicaset-controller.',
    ],
    [
      'no leader',
      [record({ state: 'stopped' }), kubelet],
      'bad',
      'No controller works: the leader stands still. The copy on node-1 may take its lease once it has expired.',
    ],
  ])('%s', (_, records, mood, sentence) => {
    expect(headline(records, [lease([{ identity: 'b', node: 'node-1', state: 'waits' }])])).toEqual({ mood, sentence });
  });
});

test('a row says itself', () => {
  expect(
    rowWords(record({ state: 'paused', waitingCount: 1, waiting: [key('ReplicaSet/default/web', 5)], drift: { missing: -1, extra: 0, objects: 1 } })),
  ).toBe('replicaset-controller, paused, for ReplicaSet, 1 waiting, 0 under way, 0 put off, 4 done, 1 missing');
  expect(isAsleep(record({ steps: false, pipes: [] }))).toBe(true);
  expect(isAsleep(record())).toBe(false);
  expect([isStuck(record()), isStuck(record({ state: 'paused' })), isStuck(record({ delayed: [{ about: 'a', at: 1, requeues: 2, delay: 1 }] }))]).toEqual([
    false,
    true,
    true,
  ]);
});
test('the next that is due counts from now; what waits for a change has no time', () => {
  expect(
    dueIn(
      {
        delayed: [
          { about: 'a', at: 0, requeues: 1, delay: 0 },
          { about: 'b', at: 9, requeues: 0, delay: 0 },
        ],
      },
      4,
    ),
  ).toBe(5);
  expect(dueIn({ delayed: [{ about: 'a', at: 0, requeues: 1, delay: 0 }] }, 4)).toBeUndefined();
});
test('a key is what its queue knows it as', () => {
  expect(keyOf(record(), 'ReplicaSet/default/web')).toBe('default/web');
  expect(keyOf(record({ kind: '' }), 'Pod/default/web')).toBeUndefined();
});

describe('the store', () => {
  let wall = 0;
  const picture = (now: number, ...loops: readonly LoopRecord[]): LoopsPicture => ({
    type: 'loops',
    now,
    leases: [],
    order: loops.map(({ id }) => id),
    loops,
    closely: undefined,
  });
  const store = () => new LoopStore({ loops: () => ({ show: () => undefined, stop: () => undefined }) }, () => wall);
  beforeEach(() => {
    vi.useFakeTimers();
    wall = 0;
  });
  afterEach(() => vi.useRealTimers());

  test('while time goes on only what stays is drawn, and neither is the rest in the number', () => {
    const told = store();
    told.take(picture(1, record({ waiting: [key('ReplicaSet/default/web')], waitingCount: 1 })));
    expect(told.view.records[0]).toMatchObject({ waiting: [], waitingCount: 0 });
    wall = STAYS_MS;
    vi.advanceTimersByTime(STAYS_MS);
    expect(told.view.records[0]).toMatchObject({ waiting: [{ about: 'ReplicaSet/default/web' }], waitingCount: 1 });
    // Gone, and back: it is young again.
    told.take(picture(2, record()));
    told.take(picture(3, record({ waiting: [key('ReplicaSet/default/web')], waitingCount: 1 })));
    expect(told.view.records[0]?.waiting).toEqual([]);
    told.stand(true);
    expect(told.view.records[0]?.waiting, 'when time stands, everything is drawn').toHaveLength(1);
  });

  test('rows that did not change stay the same objects; another world is begun anew', () => {
    const told = store();
    told.take(picture(5, record(), kubelet));
    const [, before] = told.view.records;
    told.take({ ...picture(6, record({ lately: 2 })), order: ['replicaset-controller', 'kubelet@node-1'] });
    expect(told.view.records[1]).toBe(before);
    expect(told.view.records[0]?.lately).toBe(2);
    told.take(picture(1, kubelet));
    expect(told.view.records.map(({ id }) => id)).toEqual(['kubelet@node-1']);
  });
});
