/** Some of the random runs; `npm run fuzz -- --seeds 1000` makes many. */
import { describe, expect, test } from 'vitest';
import { type Profile, runFuzz } from './fuzz.ts';

describe.each([
  ['mixed', 20],
  ['storm', 20],
  ['succession', 10],
  ['reshape', 10],
] as [Profile, number][])('%s', (profile, seeds) => {
  test(`${seeds} seeds keep every promise and recover`, () => {
    const sums = { elections: 0, crashes: 0, committed: 0, answered: 0, faults: 0, undecided: 0 };
    for (let seed = 1; seed <= seeds; seed++) {
      const { violations, stats } = runFuzz(seed, { profile });
      expect(violations, `npm run fuzz -- --seed ${seed} --profile ${profile}`).toEqual([]);
      for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += stats[key];
    }
    // Something must have happened for the promises to mean anything.
    expect(sums.elections).toBeGreaterThan(seeds * 3);
    expect(sums.crashes).toBeGreaterThan(seeds / 2);
    expect(sums.faults).toBeGreaterThan(seeds * 20);
    expect(sums.committed).toBeGreaterThan(seeds * 20);
    expect(sums.answered).toBeGreaterThan(seeds * 40);
    expect(sums.undecided).toBeLessThanOrEqual(seeds / 20);
  }, 60_000);
});

test('the same seed gives the same run, another seed another', () => {
  const first = runFuzz(11, { profile: 'storm' });
  expect(runFuzz(11, { profile: 'storm' })).toEqual(first);
  expect(runFuzz(12, { profile: 'storm' }).digest).not.toBe(first.digest);
});

test('every size of group', () => {
  for (const members of [3, 4, 5, 6, 7]) expect(runFuzz(100 + members, { members }).violations, `${members} members`).toEqual([]);
});
