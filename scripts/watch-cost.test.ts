import { expect, test } from 'vitest';
import { watchCost } from './watch-cost.ts';

test('an event is brought to those it concerns, however many others watch', () => {
  const cost = (watchers: number) => watchCost(watchers, () => performance.now(), 500, 3);
  expect([cost(50).touched, cost(5_000).touched]).toEqual([1, 1]);
});
