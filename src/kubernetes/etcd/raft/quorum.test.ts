import { expect, test } from 'vitest';
import { committedIndex, voteResult } from './quorum.ts';

test.each([
  [[1], [], { 1: 5 }, 5],
  [[1, 2], [], { 1: 5, 2: 3 }, 3],
  [[1, 2, 3], [], { 1: 5, 2: 3, 3: 4 }, 4],
  [[1, 2, 3], [], { 1: 5 }, 0],
  [[1, 2, 3, 4], [], { 1: 9, 2: 8, 3: 7, 4: 6 }, 7],
  [[1, 2, 3, 4, 5], [], { 1: 9, 2: 8, 3: 7, 4: 6, 5: 5 }, 7],
  [[1, 2, 3], [4, 5, 6], { 1: 9, 2: 9, 3: 9, 4: 2, 5: 1, 6: 0 }, 1],
  [[1, 2, 3], [1, 2, 3], { 1: 5, 2: 3, 3: 4 }, 4],
  [[], [], {}, Number.POSITIVE_INFINITY],
] as const)('committed by %j and %j with %j: %d', (incoming, outgoing, acked, index) => {
  const acks: Readonly<Record<number, number>> = acked;
  expect(committedIndex({ incoming, outgoing }, (id) => acks[id] ?? 0)).toBe(index);
});

test.each([
  [[1, 2, 3], [], { 1: true, 2: true }, 'won'],
  [[1, 2, 3], [], { 1: true }, 'pending'],
  [[1, 2, 3], [], { 1: true, 2: false }, 'pending'],
  [[1, 2, 3], [], { 2: false, 3: false }, 'lost'],
  [[1, 2, 3, 4], [], { 1: true, 2: true }, 'pending'],
  [[1, 2, 3, 4], [], { 3: false, 4: false }, 'lost'],
  [[1, 2], [3, 4], { 1: true, 2: true, 3: true, 4: true }, 'won'],
  [[1, 2], [3, 4], { 1: true, 2: true, 3: true }, 'pending'],
  [[1, 2], [3, 4], { 1: true, 2: true, 3: false }, 'lost'],
  [[], [], {}, 'won'],
] as const)('votes of %j and %j with %j: %s', (incoming, outgoing, given, result) => {
  const votes: Readonly<Record<number, boolean>> = given;
  expect(voteResult({ incoming, outgoing }, (id) => votes[id])).toBe(result);
});
