/** The distribution of election times, against what the real etcd and a model of it show. */
import { expect, test } from 'vitest';
import { type ElectionOptions, electionTimes, needlessCandidacies } from './elections.ts';

const etcd: ElectionOptions = { preset: 'etcd', members: 3, latency: [1_000, 1_000], loss: 0, preVote: true };
const at = (times: readonly number[], share: number): number => times[Math.floor(times.length * share)]!;

test('etcd, 100/1000 ms, links of 1 ms: 1,000 crashed leaders', () => {
  const { times, splits } = electionTimes(1, 1_000, etcd);
  const [p50, p90] = [at(times, 0.5), at(times, 0.9)];
  expect(p50, `p50 ${p50}`).toBeGreaterThanOrEqual(1_000);
  expect(p50, `p50 ${p50}`).toBeLessThanOrEqual(1_250);
  expect(p90, `p90 ${p90}`).toBeGreaterThanOrEqual(1_450);
  expect(p90, `p90 ${p90}`).toBeLessThanOrEqual(1_750);
  expect(splits).toBeLessThan(0.03);
}, 30_000);

test('no needless candidacy in an hour at 5 % loss', () => {
  expect(needlessCandidacies(1, { ...etcd, loss: 50 })).toBe(0);
}, 30_000);

test('the teaching preset, 100/150 ms, elects faster, and for nothing when messages are lost', () => {
  const teaching: ElectionOptions = { ...etcd, preset: 'teaching', preVote: false };
  const { times } = electionTimes(1, 200, teaching);
  expect(at(times, 0.5)).toBeGreaterThan(90);
  expect(at(times, 0.5)).toBeLessThan(260);
  expect(needlessCandidacies(1, { ...teaching, loss: 10 })).toBeGreaterThan(10);
}, 30_000);
