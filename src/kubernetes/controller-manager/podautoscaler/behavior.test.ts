/** In meaning from horizontal_test.go (v1.33): TestConvertDesiredReplicasWithRules, TestScalingWithRules, TestNormalizeDesiredReplicas. */
import { describe, expect, test } from 'vitest';
import { minutes, seconds } from '../../../sim/clock.ts';
import type { HPAScalingRules } from '../../api/types.gen.ts';
import { downLimit, type Memory, normalize, noteScale, remember, upLimit } from './behavior.ts';

const NOW = minutes(60);
const empty = (): Memory => ({ recommendations: [], ups: [], downs: [] });
const rules = (policies: readonly (readonly ['Pods' | 'Percent', number, number])[], selectPolicy = 'Max', window?: number): HPAScalingRules => ({
  policies: policies.map(([type, value, periodSeconds]) => ({ type, value, periodSeconds })),
  selectPolicy,
  ...(window === undefined ? {} : { stabilizationWindowSeconds: window }),
});

describe('without behavior', () => {
  test.each<[string, number, number, number, number, number, string, string]>([
    ['in range', 5, 7, 3, 8, 7, 'False', 'DesiredWithinRange'],
    ['fewer than min', 3, 1, 2, 8, 2, 'True', 'TooFewReplicas'],
    ['more than max', 8, 10, 1, 8, 8, 'True', 'TooManyReplicas'],
    ['max is above the rate', 2, 1000, 1, 2000, 4, 'True', 'ScaleUpLimit'],
    ['double at most', 21, 1000, 1, 2000, 42, 'True', 'ScaleUpLimit'],
    ['none wanted, none allowed', 0, 0, 0, 10, 0, 'False', 'DesiredWithinRange'],
  ])('%s', (_, current, desired, min, max, replicas, status, reason) => {
    expect(normalize(empty(), { current, desired, min, max }, NOW)).toMatchObject({
      replicas,
      limited: { status, reason },
      able: { reason: 'ReadyForNewScale' },
    });
  });

  test('the highest wish of the last five minutes holds', () => {
    const memory = remember(1, NOW - minutes(10));
    const wish = (desired: number, current: number, at: number) => normalize(memory, { current, desired, min: 1, max: 10 }, at);
    expect(wish(6, 6, NOW)).toMatchObject({ replicas: 6 });
    expect(wish(2, 6, NOW + minutes(4))).toMatchObject({
      replicas: 6,
      able: { reason: 'ScaleDownStabilized', message: 'recent recommendations were higher than current one, applying the highest recent recommendation' },
    });
    expect(wish(2, 6, NOW + minutes(5))).toMatchObject({ replicas: 6 });
    expect(wish(2, 6, NOW + minutes(5) + seconds(15))).toMatchObject({ replicas: 2, able: { reason: 'ReadyForNewScale' } });
    expect(memory.recommendations.length).toBeLessThanOrEqual(4);
  });
});

describe('rates', () => {
  const with5 = (): Memory => ({ recommendations: [], ups: [{ change: 5, at: NOW - seconds(10) }], downs: [] });
  test.each<[string, number, HPAScalingRules, number]>([
    ['four pods a minute', 10, rules([['Pods', 4, 60]]), 14],
    ['percent, rounded up', 3, rules([['Percent', 10, 60]]), 4],
    [
      'the greater of the two',
      10,
      rules([
        ['Pods', 4, 60],
        ['Percent', 100, 60],
      ]),
      20,
    ],
    [
      'the smaller of the two',
      10,
      rules(
        [
          ['Pods', 4, 60],
          ['Percent', 100, 60],
        ],
        'Min',
      ),
      14,
    ],
    ['disabled', 10, rules([['Pods', 4, 60]], 'Disabled'), 10],
  ])('up: %s', (_, current, given, limit) => expect(upLimit(empty(), current, given, NOW)).toBe(limit));
  test('what was added in the period counts', () => {
    expect(upLimit(with5(), 15, rules([['Pods', 6, 60]]), NOW)).toBe(16);
    expect(upLimit(with5(), 15, rules([['Pods', 6, 5]]), NOW)).toBe(21);
  });
  test.each<[string, number, HPAScalingRules, number]>([
    ['four pods a minute', 10, rules([['Pods', 4, 60]]), 6],
    ['percent, cut off', 10, rules([['Percent', 25, 60]]), 7],
    [
      'the greater change',
      10,
      rules([
        ['Pods', 4, 60],
        ['Percent', 10, 60],
      ]),
      6,
    ],
    [
      'the smaller change',
      10,
      rules(
        [
          ['Pods', 4, 60],
          ['Percent', 10, 60],
        ],
        'Min',
      ),
      9,
    ],
    ['disabled', 10, rules([['Pods', 4, 60]], 'Disabled'), 10],
  ])('down: %s', (_, current, given, limit) => expect(downLimit(empty(), current, given, NOW)).toBe(limit));
  test('noted changes are forgotten when no policy looks back that far', () => {
    const memory = empty();
    const behavior = { scaleUp: rules([['Pods', 4, 60]]), scaleDown: rules([['Pods', 4, 15]]) };
    noteScale(memory, behavior, 1, 3, NOW - minutes(2));
    noteScale(memory, behavior, 3, 7, NOW);
    expect(memory.ups).toEqual([{ change: 4, at: NOW }]);
    noteScale(memory, undefined, 7, 8, NOW);
    expect(memory.ups).toHaveLength(1);
  });
});

describe('with behavior', () => {
  const behavior = (up: HPAScalingRules, down: HPAScalingRules) => ({ scaleUp: up, scaleDown: down });
  const FREE = rules([['Percent', 1000, 15]], 'Max', 0);
  test('the lowest wish of the up window, the highest of the down window', () => {
    const memory: Memory = {
      recommendations: [
        { replicas: 3, at: NOW - seconds(10) },
        { replicas: 9, at: NOW - seconds(20) },
      ],
      ups: [],
      downs: [],
    };
    const slow = behavior({ ...FREE, stabilizationWindowSeconds: 60 }, { ...FREE, stabilizationWindowSeconds: 60 });
    expect(normalize(memory, { current: 2, desired: 8, min: 1, max: 10, behavior: slow }, NOW)).toMatchObject({
      replicas: 3,
      able: { reason: 'ScaleUpStabilized' },
    });
    expect(normalize(memory, { current: 10, desired: 1, min: 1, max: 10, behavior: slow }, NOW)).toMatchObject({
      replicas: 9,
      able: { reason: 'ScaleDownStabilized' },
    });
    expect(normalize(memory, { current: 5, desired: 5, min: 1, max: 10, behavior: slow }, NOW)).toMatchObject({
      replicas: 5,
      able: { reason: 'ReadyForNewScale' },
    });
  });
  test('a down window that is not given is five minutes', () => {
    const memory: Memory = { recommendations: [{ replicas: 9, at: NOW - minutes(4) }], ups: [], downs: [] };
    expect(normalize(memory, { current: 9, desired: 1, min: 1, max: 10, behavior: behavior(FREE, rules([['Percent', 100, 15]])) }, NOW).replicas).toBe(9);
  });
  test('limits say why', () => {
    const slow = behavior(rules([['Pods', 1, 60]], 'Max', 0), rules([['Pods', 1, 60]], 'Max', 0));
    const limited = (current: number, desired: number) => normalize(empty(), { current, desired, min: 2, max: 6, behavior: slow }, NOW);
    expect(limited(3, 6)).toMatchObject({ replicas: 4, limited: { status: 'True', reason: 'ScaleUpLimit' } });
    expect(limited(5, 9)).toMatchObject({ replicas: 6, limited: { status: 'True', reason: 'TooManyReplicas' } });
    expect(limited(5, 2)).toMatchObject({ replicas: 4, limited: { status: 'True', reason: 'ScaleDownLimit' } });
    expect(limited(3, 1)).toMatchObject({ replicas: 2, limited: { status: 'True', reason: 'TooFewReplicas' } });
    expect(limited(3, 3)).toMatchObject({
      replicas: 3,
      limited: { status: 'False', reason: 'DesiredWithinRange', message: 'the desired count is within the acceptable range' },
    });
  });
});
