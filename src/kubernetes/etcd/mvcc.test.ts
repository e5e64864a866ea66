import { describe, expect, test } from 'vitest';
import type { EtcdEvent, RangeRequest, TxnRequest } from './api.ts';
import { EtcdError } from './api.ts';
import { Applier } from './apply.ts';
import { Lessor } from './lease.ts';
import { Membership } from './membership.ts';
import { MvccStore, prefixEnd } from './mvcc.ts';
import { checkTxn } from './validate.ts';

function fresh() {
  const store = new MvccStore();
  const lessor = new Lessor();
  const applier = new Applier(store, lessor, new Membership());
  return {
    store,
    lessor,
    applier,
    put: (key: string, value = key, more = {}) => applier.apply({ type: 'put', request: { key, value, ...more } }, 0),
    del: (key: string, rangeEnd?: string) => applier.apply({ type: 'delete', request: rangeEnd ? { key, rangeEnd, prevKv: true } : { key, prevKv: true } }, 0),
    txn: (request: Partial<TxnRequest>) => applier.apply({ type: 'txn', request: { compare: [], success: [], failure: [], ...request } }, 0),
    compact: (revision: number) => applier.apply({ type: 'compact', revision }, 0),
  };
}

const message = (outcome: unknown) => (outcome instanceof EtcdError ? outcome.message : outcome);

describe('revisions', () => {
  test('start at 1; every effective write request adds exactly one', () => {
    const { store, put, del, txn } = fresh();
    const steps: [unknown, number][] = [
      [() => put('a'), 2],
      [() => put('a'), 3],
      [() => del('nothing'), 3],
      [() => txn({ success: [{ requestRange: { key: 'a' } }] }), 3],
      [() => txn({ success: [{ requestPut: { key: 'b', value: '1' } }, { requestPut: { key: 'c', value: '1' } }, { requestDeleteRange: { key: 'a' } }] }), 4],
      [() => txn({ compare: [{ key: 'b', target: 'mod', result: '=', operand: 99 }], success: [{ requestPut: { key: 'b', value: '2' } }] }), 4],
      [() => del('b', 'd'), 5],
    ];
    expect(store.revision).toBe(1);
    for (const [step, revision] of steps) {
      (step as () => void)();
      expect(store.revision).toBe(revision);
    }
  });

  test('a key counts its versions from its creation; a deletion ends the incarnation', () => {
    const { store, put, del } = fresh();
    put('k', '1');
    put('k', '2');
    expect(store.get('k')).toMatchObject({ createRevision: 2, modRevision: 3, version: 2, lease: 0 });
    del('k');
    expect(store.get('k')).toBeUndefined();
    put('k', '3');
    expect(store.get('k')).toMatchObject({ createRevision: 5, modRevision: 5, version: 1 });
  });
});

describe('ranges', () => {
  const { store, put, del } = fresh();
  for (const key of ['a', 'a/1', 'a/2', 'a/3', 'b', 'c']) put(key, `v-${key}`);
  put('a/1', 'zz');
  del('b');
  const keys = (request: RangeRequest) => {
    const { kvs, more, count } = store.range(request);
    return [kvs.map((kv) => kv.key).join(' '), more, count];
  };

  test.each<[string, RangeRequest, string, boolean, number]>([
    ['one key', { key: 'a' }, 'a', false, 1],
    ['a missing key', { key: 'x' }, '', false, 0],
    ['a prefix', { key: 'a/', rangeEnd: prefixEnd('a/') }, 'a/1 a/2 a/3', false, 3],
    ['from a key on', { key: 'a/2', rangeEnd: '\0' }, 'a/2 a/3 c', false, 3],
    ['everything', { key: '\0', rangeEnd: '\0' }, 'a a/1 a/2 a/3 c', false, 5],
    ['start at or after the end', { key: 'c', rangeEnd: 'a' }, '', false, 0],
    ['a limit', { key: 'a', rangeEnd: '\0', limit: 2 }, 'a a/1', true, 5],
    ['a limit that is not reached', { key: 'a', rangeEnd: '\0', limit: 5 }, 'a a/1 a/2 a/3 c', false, 5],
    ['count only', { key: 'a', rangeEnd: '\0', countOnly: true }, '', false, 5],
    ['keys descending', { key: 'a', rangeEnd: '\0', sortOrder: 'descend', limit: 2 }, 'c a/3', true, 5],
    ['by revision, no order means ascending', { key: 'a', rangeEnd: '\0', sortTarget: 'mod' }, 'a a/2 a/3 c a/1', false, 5],
    ['by version, descending', { key: 'a', rangeEnd: '\0', sortTarget: 'version', sortOrder: 'descend', limit: 1 }, 'a/1', true, 5],
    ['by value', { key: 'a/', rangeEnd: 'a0', sortTarget: 'value', sortOrder: 'ascend' }, 'a/2 a/3 a/1', false, 3],
    ['at least a revision', { key: 'a', rangeEnd: '\0', minModRevision: 6 }, 'a/1 c', false, 5],
    ['created at most', { key: 'a', rangeEnd: '\0', maxCreateRevision: 3 }, 'a a/1', false, 5],
    ['the past', { key: 'a', rangeEnd: '\0', revision: 6 }, 'a a/1 a/2 a/3 b', false, 5],
    ['a negative revision is now', { key: 'b', revision: -1 }, '', false, 0],
  ])('%s', (_, request, expected, more, count) => {
    expect(keys(request)).toEqual([expected, more, count]);
  });

  test('the past keeps its values; keys only leaves them out', () => {
    expect(store.range({ key: 'a/1', revision: 7 }).kvs[0]).toMatchObject({ value: 'v-a/1', version: 1 });
    expect(store.range({ key: 'a/1', keysOnly: true }).kvs[0]).toMatchObject({ value: '', version: 2 });
  });

  test('the future is refused', () => {
    expect(() => store.range({ key: 'a', revision: 100 })).toThrow('etcdserver: mvcc: required revision is a future revision');
  });
});

describe('put options', () => {
  test('previous value, ignored value and lease', () => {
    const { store, lessor, put } = fresh();
    lessor.grant(7, 60, 0);
    expect(put('k', '1', { lease: 7 })).toEqual({});
    expect(put('k', '2', { prevKv: true, ignoreLease: true })).toMatchObject({ prevKv: { value: '1' } });
    expect(store.get('k')).toMatchObject({ value: '2', lease: 7 });
    put('k', '', { ignoreValue: true });
    expect(store.get('k')).toMatchObject({ value: '2', lease: 0 });
    expect(lessor.keysOf(7)).toEqual([]);
    expect(message(put('x', '', { ignoreValue: true }))).toBe('etcdserver: key not found');
    expect(message(put('x', '', { lease: 99 }))).toBe('etcdserver: requested lease not found');
    expect(store.revision).toBe(4);
  });
});

describe('transactions', () => {
  test('a create is "not there yet", an update "still as I saw it"', () => {
    const { txn } = fresh();
    const create = {
      compare: [{ key: 'k', target: 'mod', result: '=', operand: 0 }],
      success: [{ requestPut: { key: 'k', value: '1' } }],
      failure: [{ requestRange: { key: 'k' } }],
    } as const;
    expect(txn(create)).toMatchObject({ succeeded: true, responses: [{ responsePut: { header: { revision: 2 } } }] });
    expect(txn(create)).toMatchObject({ succeeded: false, responses: [{ responseRange: { count: 1, kvs: [{ value: '1', modRevision: 2 }] } }] });
  });

  test('later operations see earlier ones; each answer has its own revision', () => {
    const { put, txn } = fresh();
    put('k', 'v1');
    expect(txn({ success: [{ requestRange: { key: 'k' } }, { requestPut: { key: 'k', value: 'v2' } }, { requestRange: { key: 'k' } }] })).toMatchObject({
      responses: [
        { responseRange: { header: { revision: 2 }, kvs: [{ value: 'v1' }] } },
        { responsePut: { header: { revision: 3 } } },
        { responseRange: { header: { revision: 3 }, kvs: [{ value: 'v2' }] } },
      ],
    });
  });

  test.each([
    ['version', '=', 0, true],
    ['create', '=', 0, true],
    ['mod', '<', 1, true],
    ['lease', '=', 0, true],
    ['value', '=', '', false],
    ['value', '!=', 'x', false],
  ] as const)('a missing key compares as %s %s %j: %s', (target, result, operand, succeeded) => {
    expect(fresh().txn({ compare: [{ key: 'none', target, result, operand }] })).toMatchObject({ succeeded });
  });

  test.each([
    ['version', '=', 2, true],
    ['version', '>', 2, false],
    ['create', '=', 2, true],
    ['mod', '!=', 2, true],
    ['mod', '<', 4, true],
    ['value', '=', 'v2', true],
    ['value', '>', 'v1', true],
  ] as const)('compare %s %s %j: %s', (target, result, operand, succeeded) => {
    const { put, txn } = fresh();
    put('k', 'v1');
    put('k', 'v2');
    expect(txn({ compare: [{ key: 'k', target, result, operand }] })).toMatchObject({ succeeded });
  });

  test('nested transactions are decided before anything is written, and share the revision', () => {
    const { store, txn } = fresh();
    const inner: TxnRequest = {
      compare: [{ key: 'a', target: 'version', result: '=', operand: 0 }],
      success: [{ requestPut: { key: 'b', value: '1' } }],
      failure: [],
    };
    expect(txn({ success: [{ requestPut: { key: 'a', value: '1' } }, { requestTxn: inner }] })).toMatchObject({
      responses: [{}, { responseTxn: { succeeded: true } }],
    });
    expect([store.get('a')?.modRevision, store.get('b')?.modRevision, store.revision]).toEqual([2, 2, 2]);
  });

  test('a branch that cannot be carried out changes nothing', () => {
    const { store, txn } = fresh();
    expect(message(txn({ success: [{ requestPut: { key: 'a', value: '1' } }, { requestPut: { key: 'b', value: '1', lease: 5 } }] }))).toBe(
      'etcdserver: requested lease not found',
    );
    expect([store.revision, store.get('a')]).toEqual([1, undefined]);
  });

  const put = (key: string) => ({ requestPut: { key, value: '' } });
  test.each<[string, TxnRequest, string | undefined]>([
    ['two puts', { compare: [], success: [put('a'), put('a')], failure: [] }, 'etcdserver: duplicate key given in txn request'],
    [
      'a put and a delete',
      { compare: [], success: [put('a'), { requestDeleteRange: { key: 'a', rangeEnd: 'b' } }], failure: [] },
      'etcdserver: duplicate key given in txn request',
    ],
    ['in different branches', { compare: [], success: [put('a')], failure: [put('a')] }, undefined],
    ['an empty key', { compare: [], success: [put('')], failure: [] }, 'etcdserver: key is not provided'],
    ['128 operations', { compare: [], success: Array.from({ length: 128 }, (_, i) => put(`${i}`)), failure: [] }, undefined],
    [
      '129 operations',
      { compare: [], success: Array.from({ length: 129 }, (_, i) => put(`${i}`)), failure: [] },
      'etcdserver: too many operations in txn request',
    ],
  ])('%s', (_, request, error) => {
    if (error) expect(() => checkTxn(request)).toThrow(error);
    else checkTxn(request);
  });
});

describe('compaction', () => {
  test('keeps the newest version at or before it, unless that is a tombstone', () => {
    const { store, put, del, compact } = fresh();
    put('k', '2');
    put('k', '3');
    del('k');
    put('k', '5');
    put('j', '6');
    expect(compact(4)).toEqual({});
    const read = (revision: number) => {
      try {
        return store.range({ key: 'k', revision }).kvs.map((kv) => kv.value);
      } catch (error) {
        return message(error);
      }
    };
    const gone = 'etcdserver: mvcc: required revision has been compacted';
    expect([2, 3, 4, 5].map(read)).toEqual([gone, gone, [], ['5']]);
    expect([message(compact(4)), message(compact(3))]).toEqual([gone, gone]);
    expect(message(compact(100))).toBe('etcdserver: mvcc: required revision is a future revision');
    compact(6);
    expect(store.range({ key: '\0', rangeEnd: '\0' }).kvs.map((kv) => kv.key)).toEqual(['j', 'k']);
    expect([store.history('k').length, store.live]).toEqual([1, 2]);
  });

  test('a store restored from its image answers alike', () => {
    const { store, put, del, compact } = fresh();
    for (let i = 0; i < 20; i++) put(`k${i % 7}`, `${i}`);
    del('k3');
    compact(10);
    const copy = new MvccStore();
    copy.restore(store.image());
    for (const revision of [10, 15, 22]) expect(copy.range({ key: 'k', rangeEnd: 'l', revision })).toEqual(store.range({ key: 'k', rangeEnd: 'l', revision }));
    expect(copy.changesFrom(11, 'k', 'l')).toEqual(store.changesFrom(11, 'k', 'l'));
    expect(copy.live).toBe(store.live);
  });
});

describe('leases', () => {
  test('a revocation deletes all keys in one revision, in order', () => {
    const { store, lessor, put, applier } = fresh();
    lessor.grant(1, 60, 0);
    for (const key of ['c', 'a', 'b']) put(key, '', { lease: 1 });
    put('b', 'free');
    const events: EtcdEvent[] = [];
    store.observe((list) => events.push(...list));
    applier.apply({ type: 'revoke', lease: 1 }, 0);
    expect(events.map((e) => [e.type, e.kv.key, e.kv.modRevision])).toEqual([
      ['DELETE', 'a', 6],
      ['DELETE', 'c', 6],
    ]);
    expect(message(applier.apply({ type: 'revoke', lease: 1 }, 0))).toBe('etcdserver: requested lease not found');
  });

  test.each([
    [0, 2],
    [-5, 2],
    [2, 2],
    [100, 100],
  ])('a time of %i s is granted as %i', (asked, granted) => {
    expect(new Lessor().grant(1, asked, 0).ttl).toBe(granted);
  });

  test('refusals', () => {
    const lessor = new Lessor();
    lessor.grant(1, 60, 0);
    expect(() => lessor.grant(1, 60, 0)).toThrow('etcdserver: lease already exists');
    expect(() => lessor.grant(2, 9_000_000_001, 0)).toThrow('etcdserver: too large lease TTL');
  });

  test('only a leader counts time, and a new one starts it anew', () => {
    const lessor = new Lessor();
    const s = 1_000_000;
    lessor.grant(1, 10, 0);
    expect(lessor.expired(100 * s)).toEqual([]);
    lessor.promote(100 * s, s);
    expect(lessor.expired(110 * s)).toEqual([]);
    expect(lessor.remaining(1, 105 * s)).toBe(6);
    lessor.renew(1, 105 * s);
    expect(lessor.expired(114 * s)).toEqual([]);
    expect(lessor.expired(115 * s)).toEqual([1]);
  });
});
