import { expect, test } from 'vitest';
import { linearizable, type Operation, type Verdict } from './linearizability.ts';

const put = (value: number, call: number, end = Number.POSITIVE_INFINITY): Operation => ({ kind: 'put', value, call, end });
const get = (value: number, call: number, end: number): Operation => ({ kind: 'get', value, call, end });
const cas = (expected: number, value: number, done: boolean | undefined, call: number, end = Number.POSITIVE_INFINITY): Operation => ({
  kind: 'cas',
  expected,
  value,
  done,
  call,
  end,
});

test.each<[string, Verdict, Operation[]]>([
  ['nothing happened', 'yes', []],
  ['a register starts with 0', 'yes', [get(0, 1, 2)]],
  ['a value nobody wrote', 'no', [get(7, 1, 2)]],
  ['a read after a write sees it', 'yes', [put(1, 1, 2), get(1, 3, 4)]],
  ['a stale read', 'no', [put(1, 1, 2), get(0, 3, 4)]],
  ['a read during a write may see either value', 'yes', [put(1, 1, 9), get(0, 2, 3), get(1, 4, 5)]],
  ['but not the old one after the new', 'no', [put(1, 1, 9), get(1, 2, 3), get(0, 4, 5)]],
  ['a write that was never answered may have happened', 'yes', [put(1, 1), get(1, 5, 6)]],
  ['or may happen later', 'yes', [put(1, 1), get(0, 5, 6), get(1, 7, 8)]],
  ['or never', 'yes', [put(1, 1), get(0, 5, 6)]],
  ['but not twice', 'no', [put(1, 1), put(2, 2, 3), get(1, 5, 6), get(2, 7, 8), get(1, 9, 10)]],
  ['a compare-and-set that went through', 'yes', [put(1, 1, 2), cas(1, 2, true, 3, 4), get(2, 5, 6)]],
  ['a compare-and-set that could not have', 'no', [put(1, 1, 2), cas(3, 2, true, 3, 4)]],
  ['a compare-and-set that should have', 'no', [put(1, 1, 2), cas(1, 2, false, 3, 4)]],
  ['two that won the same race', 'no', [cas(0, 1, true, 1, 5), cas(0, 2, true, 1, 5)]],
  ['one that nobody answered explains the other', 'yes', [cas(0, 1, undefined, 1), cas(1, 2, true, 3, 4), get(2, 5, 6)]],
])('%s: %s', (_, verdict, history) => {
  expect(linearizable(history)).toBe(verdict);
});

test('it gives up when told to', () => {
  const history = Array.from({ length: 30 }, (_, i) => put(i + 1, 1, 100));
  expect(linearizable([...history, get(99, 50, 60)], 1_000)).toBe('undecided');
});
