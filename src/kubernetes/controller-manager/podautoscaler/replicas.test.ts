/** In meaning from pkg/controller/podautoscaler/replica_calculator_test.go (v1.33), whose initialisation period is two minutes and whose readiness delay is ten seconds. */
import { describe, expect, test } from 'vitest';
import { minutes, seconds } from '../../../sim/clock.ts';
import { timestamp } from '../../api/time.ts';
import type { ReadonlyPod } from '../pods.ts';
import { byAverage, byShare, byUtilization, byValue, type PodMetrics, ReplicaError } from './replicas.ts';

const NOW = minutes(60);
const DELAYS = { cpuInitialization: minutes(2), initialReadiness: seconds(10) };
const TOLERANCES = { scaleUp: 0.1, scaleDown: 0.1 };

interface PodCase {
  readonly phase?: string;
  readonly ready?: 'True' | 'False';
  /** Seconds before now. */
  readonly started?: number;
  readonly changed?: number;
  readonly deleted?: boolean;
  readonly request?: string | undefined;
}
const pod = (index: number, { phase = 'Running', ready = 'True', started = 3600, changed = 3600, deleted = false, request = '1000m' }: PodCase): ReadonlyPod =>
  ({
    metadata: { name: `pod-${index}`, namespace: 'test', ...(deleted ? { deletionTimestamp: timestamp(NOW) } : {}) },
    spec: { containers: [{ name: 'c', resources: request === undefined ? {} : { requests: { cpu: request, memory: request } } }] },
    status: {
      phase,
      startTime: timestamp(NOW - seconds(started)),
      conditions: [{ type: 'Ready', status: ready, lastTransitionTime: timestamp(NOW - seconds(changed)) }],
    },
  }) as unknown as ReadonlyPod;
const pods = (count: number, cases: readonly PodCase[] = [], request = '1000m'): readonly ReadonlyPod[] =>
  Array.from({ length: count }, (_, i) => pod(i, { request, ...cases[i] }));
/** Levels in thousandths; undefined: no metric of that pod. */
const levels = (values: readonly (number | undefined)[]): PodMetrics =>
  new Map(values.flatMap((value, i) => (value === undefined ? [] : [[`pod-${i}`, { at: NOW, window: minutes(1), value }] as const])));
const question = (current: number, all: readonly ReadonlyPod[], metrics: PodMetrics) => ({
  current,
  pods: all,
  metrics,
  now: NOW,
  tolerances: TOLERANCES,
  delays: DELAYS,
});

const UNREADY: PodCase = { ready: 'False', started: 60, changed: 60 };
const HOT: PodCase = { ready: 'True', started: 30, changed: 30 };
const GONE: PodCase = { deleted: true };
const FAILED: PodCase = { phase: 'Failed' };
const PENDING: PodCase = { phase: 'Pending', ready: 'False' };

describe('percent of requests', () => {
  test.each<[string, number, readonly PodCase[], readonly (number | undefined)[], number, number, number, number]>([
    // name, replicas, pods, levels, target, expected replicas, percent, raw
    ['scale up', 3, [], [300, 500, 700], 30, 5, 50, 500],
    ['not yet ready pods hold back: less', 3, [UNREADY, {}, {}], [300, 500, 700], 30, 4, 60, 600],
    ['hot pods less than a window ago hold back, too', 3, [HOT, {}, {}], [300, 500, 700], 30, 4, 60, 600],
    ['what the unready would use up keeps things as they are', 3, [{}, {}, UNREADY], [300, 500, 700], 30, 3, 40, 400],
    ['unready pods mean no scale', 3, [UNREADY, {}, UNREADY], [400, 500, 700], 30, 3, 50, 500],
    ['pending pods count as unready', 4, [{}, {}, PENDING, PENDING], [500, 700], 30, 4, 60, 600],
    ['failed pods are ignored', 2, [{}, {}, FAILED, FAILED], [500, 700], 30, 4, 60, 600],
    ['pods that are going are ignored', 2, [{}, {}, GONE, GONE], [500, 700], 30, 4, 60, 600],
    ['scale down', 5, [], [100, 300, 500, 250, 250], 50, 3, 28, 280],
    ['scale down, unready not counted', 5, [{}, {}, {}, UNREADY, UNREADY], [100, 300, 500, 250, 250], 50, 2, 30, 300],
    ['within tolerance', 3, [], [1010, 1030, 1020], 100, 3, 102, 1020],
    ['missing on the way up use nothing', 3, [], [undefined, 500, 900], 30, 5, 70, 700],
    ['missing on the way down use all they asked for', 4, [], [undefined, undefined, 200, 300], 50, 4, 25, 250],
    ['one missing of five, still down', 5, [], [100, 100, 100, 100, undefined], 80, 2, 10, 100],
    ['missing and unready on the way up', 4, [{}, UNREADY, {}, {}], [100, 450, undefined, 900], 50, 4, 50, 500],
  ])('%s', (_, current, cases, values, target, replicas, percent, raw) => {
    expect(byUtilization(question(current, pods(Math.max(current, cases.length), cases), levels(values)), target, 'cpu', '')).toEqual({
      replicas,
      percent,
      raw,
    });
  });

  test('memory is counted of pods that are not ready, too', () => {
    expect(byUtilization(question(3, pods(3, [UNREADY, UNREADY, UNREADY]), levels([300, 500, 700])), 30, 'memory', '').replicas).toBe(5);
  });
  test('a pod that has never been ready does not count after the period either; one that was does', () => {
    const never: PodCase = { ready: 'False', started: 3600, changed: 3595 };
    const once: PodCase = { ready: 'False', started: 3600, changed: 60 };
    expect(byUtilization(question(2, pods(2, [{}, never]), levels([300, 900])), 30, 'cpu', '').percent).toBe(30);
    expect(byUtilization(question(2, pods(2, [{}, once]), levels([300, 900])), 30, 'cpu', '').percent).toBe(60);
  });
  // The tolerance is on the ratio itself, and floating point: 33/30 is more than 1.1 by a hair in no language but just 1.1 here.
  test.each([
    [33, 3],
    [34, 4],
    [27, 3],
    [26, 3],
  ])('three pods at %i%% of 30%%', (level, replicas) => {
    const values = [level * 10, level * 10, level * 10];
    expect(byUtilization(question(3, pods(3), levels(values)), 30, 'cpu', '').replicas).toBe(replicas);
  });
  test('a tolerance of its own for each direction (KEP-4951)', () => {
    const asked = { ...question(3, pods(3), levels([320, 320, 320])), tolerances: { scaleUp: 0.01, scaleDown: 0.5 } };
    expect(byUtilization(asked, 30, 'cpu', '').replicas).toBe(4);
    expect(byUtilization({ ...asked, metrics: levels([200, 200, 200]) }, 30, 'cpu', '').replicas).toBe(3);
  });
  test.each<[string, readonly ReadonlyPod[], PodMetrics, string, string]>([
    ['no pods', [], levels([100]), '', 'no pods returned by selector while calculating replica count'],
    ['nothing but unready', pods(1, [UNREADY]), levels([100]), '', 'did not receive metrics for targeted pods (pods might be unready)'],
    [
      'no request',
      [pod(0, { request: undefined })].map((one) => ({ ...one, spec: { containers: [{ name: 'c' }] } })) as never,
      levels([100]),
      '',
      'missing request for cpu in container c of Pod pod-0',
    ],
    ['requests of nothing', pods(1, [], '0'), levels([100]), '', 'no metrics returned matched known pods'],
  ])('%s', (_, all, metrics, container, message) => {
    const ask = () => byUtilization(question(1, all, metrics), 50, 'cpu', container);
    expect(ask).toThrow(ReplicaError);
    expect(ask).toThrow(message);
  });
});

describe('an average per pod', () => {
  test.each<[string, number, readonly PodCase[], readonly (number | undefined)[], number, number, number]>([
    ['scale up', 3, [], [20_000, 10_000, 30_000], 15_000, 4, 20_000],
    ['scale down', 5, [], [12_000, 12_000, 12_000, 12_000, 12_000], 20_000, 3, 12_000],
    ['within tolerance', 3, [], [20_000, 21_000, 21_000], 20_000, 3, 20_666],
    ['missing on the way up, no change', 3, [], [undefined, 19_000, 21_000], 15_000, 3, 20_000],
    ['missing on the way down use the target', 4, [], [undefined, undefined, 10_000, 12_000], 15_000, 4, 11_000],
  ])('%s', (_, current, cases, values, target, replicas, average) => {
    expect(byAverage(question(current, pods(current, cases), levels(values)), target)).toEqual({ replicas, average });
  });
  test('of CPU, pods that are warming up do not count', () => {
    expect(byAverage(question(2, pods(2, [{}, HOT]), levels([300, 900])), 300, 'cpu').replicas).toBe(2);
  });
});

describe('one value', () => {
  test.each<[string, number, readonly PodCase[], number, number, number]>([
    ['scale up', 3, [], 20_000, 15_000, 4],
    ['scale down', 5, [], 12_000, 20_000, 3],
    ['within tolerance', 3, [], 20_666, 20_000, 3],
    ['only pods that are ready are multiplied', 3, [{}, {}, { ready: 'False' }], 50_000, 15_000, 7],
    ['from nothing', 0, [], 16_000, 15_000, 2],
    ['from nothing with nothing to do', 0, [], 0, 15_000, 0],
    ['to nothing', 3, [], 0, 20_000, 0],
  ])('%s', (_, current, cases, usage, target, replicas) => {
    expect(byValue({ current, pods: pods(current, cases), tolerances: TOLERANCES }, usage, target)).toBe(replicas);
  });
  test.each<[string, number, number, number, number, number]>([
    ['divided, scale up', 3, 8_600, 2_150, 4, 2_867],
    ['divided, scale down', 5, 8_600, 2_867, 3, 1_720],
    ['divided, within tolerance', 4, 8_600, 2_150, 4, 2_150],
  ])('%s', (_, current, usage, target, replicas, average) => {
    expect(byShare(current, usage, target, TOLERANCES)).toEqual({ replicas, average });
  });
});
