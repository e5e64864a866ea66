import { expect, test } from 'vitest';
import type { WatchCreateRequest, WatchResponse } from './api.ts';
import { MvccStore } from './mvcc.ts';
import { WatchHub } from './watch.ts';

function fresh() {
  const store = new MvccStore();
  const hub = new WatchHub(store, () => ({ clusterId: '1', memberId: '1', revision: store.revision, raftTerm: 1 }));
  store.observe((events, revision) => hub.notify(events, revision));
  const write = (...changes: [key: string, value?: string][]) => {
    const txn = store.begin();
    for (const [key, value] of changes) {
      if (value === undefined) txn.delete(key, undefined);
      else txn.put(key, value, 0);
    }
    txn.commit();
  };
  const watch = (request: WatchCreateRequest) => {
    const got: WatchResponse[] = [];
    const cancel = hub.watch(request, (response) => got.push(response));
    return { got, cancel, text: () => got.map((r) => r.events.map((e) => `${e.type[0]} ${e.kv.key}@${e.kv.modRevision}`).join(', ')) };
  };
  return { store, hub, write, watch };
}

test.each<[string, WatchCreateRequest, string[]]>([
  ['one key', { key: '/a/1' }, ['P /a/1@3', 'D /a/1@5']],
  ['a directory', { key: '/a/', rangeEnd: '/a0' }, ['P /a/1@3, P /a/2@3', 'D /a/1@5', 'P /a/b/c@6']],
  ['a range that is no directory', { key: '/a/2', rangeEnd: '/c' }, ['P /a/2@3', 'P /b@4', 'P /a/b/c@6']],
  ['everything', { key: '\0', rangeEnd: '\0' }, ['P /a/1@3, P /a/2@3', 'P /b@4', 'D /a/1@5', 'P /a/b/c@6']],
  ['from the past', { key: '/', rangeEnd: '0', startRevision: 2 }, ['P /a/0@2', 'P /a/1@3, P /a/2@3', 'P /b@4', 'D /a/1@5', 'P /a/b/c@6']],
  ['from the future', { key: '/', rangeEnd: '0', startRevision: 5 }, ['D /a/1@5', 'P /a/b/c@6']],
])('%s', (_, request, expected) => {
  const { write, watch } = fresh();
  write(['/a/0', '']);
  const { text } = watch(request);
  write(['/a/1', 'x'], ['/a/2', 'x']);
  write(['/b', 'x']);
  write(['/a/1']);
  write(['/a/b/c', 'x']);
  expect(text()).toEqual(expected);
});

test('previous values come on request, while they are kept', () => {
  const { store, write, watch } = fresh();
  for (const value of ['1', '2', '3', '4']) write(['k', value]);
  store.compact(4);
  const shown = watch({ key: 'k', startRevision: 4, prevKv: true }).got[0]!.events.map((e) => [e.kv.value, e.prevKv?.value]);
  expect(shown).toEqual([
    ['3', undefined],
    ['4', '3'],
  ]);
  expect(watch({ key: 'k', startRevision: 4 }).got[0]!.events[1]!.prevKv).toBeUndefined();
});

test('a start that was compacted away is cancelled; the compacted revision itself is not', () => {
  const { store, hub, write, watch } = fresh();
  for (const value of ['1', '2', '3', '4', '5']) write(['k', value]);
  store.compact(4);
  expect(watch({ key: 'k', startRevision: 2 }).got).toMatchObject([
    { canceled: true, compactRevision: 4, cancelReason: 'etcdserver: mvcc: required revision has been compacted', events: [] },
  ]);
  expect(hub.size).toBe(0);
  expect(watch({ key: 'k', startRevision: 4 }).text()).toEqual(['P k@4, P k@5, P k@6']);
});

test('a deletion at the compacted revision is still told', () => {
  const { store, write, watch } = fresh();
  write(['k', '1']);
  write(['k']);
  write(['j', '1']);
  store.compact(3);
  expect(watch({ key: 'k', startRevision: 3 }).text()).toEqual(['D k@3']);
});

test('a cancelled watch hears nothing more; the others do', () => {
  const { write, watch } = fresh();
  const one = watch({ key: '/a/', rangeEnd: '/a0' });
  const two = watch({ key: '/a/', rangeEnd: '/a0' });
  one.cancel();
  write(['/a/1', 'x']);
  expect([one.got.length, two.got.length]).toEqual([0, 1]);
});

test('progress is told to idle watchers that asked', () => {
  const { hub, write, watch } = fresh();
  const asked = watch({ key: 'a', progressNotify: true });
  const not = watch({ key: 'a' });
  write(['b', '1']);
  hub.progress();
  write(['a', '1']);
  hub.progress();
  hub.progress();
  expect(asked.got.map((r) => [r.events.length, r.header.revision])).toEqual([
    [0, 2],
    [1, 3],
    [0, 3],
  ]);
  expect(not.got.length).toBe(1);
});

test('a watcher misses nothing and sees nothing twice when a snapshot takes the store over', () => {
  const { store, hub, write, watch } = fresh();
  const other = new MvccStore();
  const both = (key: string, value: string, here: boolean) => {
    if (here) write([key, value]);
    const txn = other.begin();
    txn.put(key, value, 0);
    txn.commit();
  };
  const { text } = watch({ key: 'k', rangeEnd: 'l' });
  both('k1', '', true);
  both('k2', '', false);
  both('k3', '', false);
  store.restore(other.image());
  hub.resync();
  both('k4', '', true);
  expect(text()).toEqual(['P k1@2', 'P k2@3, P k3@4', 'P k4@5']);
});

test('filters hide changes of a kind, and nothing else', () => {
  const store = new MvccStore();
  const hub = new WatchHub(store, () => ({ clusterId: '1', memberId: '1', revision: store.revision, raftTerm: 1 }));
  store.observe((events, revision) => hub.notify(events, revision));
  const seen: Record<string, string[]> = { NOPUT: [], NODELETE: [] };
  for (const filter of ['NOPUT', 'NODELETE'] as const)
    hub.watch({ key: 'k', filters: [filter] }, ({ events }) => seen[filter]!.push(...events.map(({ type, kv }) => `${type}@${kv.modRevision}`)));
  const write = (act: (txn: ReturnType<MvccStore['begin']>) => void): void => {
    const txn = store.begin();
    act(txn);
    txn.commit();
  };
  write((txn) => txn.put('k', '1', 0));
  write((txn) => txn.delete('k', undefined));
  write((txn) => txn.put('k', '2', 0));
  expect(seen).toEqual({ NOPUT: ['DELETE@3'], NODELETE: ['PUT@2', 'PUT@4'] });
});

test('what is too large for one response comes in fragments to those who asked, each with one change at least', () => {
  const { write, watch } = fresh();
  const large = 'x'.repeat(900_000);
  write(['a', large], ['b', large], ['c', large], ['d', `${large}${large}${large}`], ['e', 'small']);
  const sizes = (request: WatchCreateRequest) => watch(request).got.map((r) => [r.events.map((e) => e.kv.key).join(''), r.fragment ?? false]);
  expect(sizes({ key: 'a', rangeEnd: 'z', startRevision: 2, fragment: true })).toEqual([
    ['ab', true],
    ['c', true],
    ['d', true],
    ['e', false],
  ]);
  expect(sizes({ key: 'a', rangeEnd: 'z', startRevision: 2 })).toEqual([['abcde', false]]);
  expect(sizes({ key: 'e', startRevision: 2, fragment: true })).toEqual([['e', false]]);
});
