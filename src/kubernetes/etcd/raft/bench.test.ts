import { expect, test } from 'vitest';
import { commitProposals, idle } from './bench.ts';

test.each([
  [3, 1],
  [5, 16],
])('%i members commit in batches of %i and agree', (members, batch) => {
  expect(() => commitProposals(members, batch, 2_048)).not.toThrow();
});

test('an idle group sends a heartbeat and an answer for each follower and tick, and nothing else', () => {
  const start = idle(3, 100);
  expect(idle(3, 1_100) - start).toBe(4 * 1_000);
});
