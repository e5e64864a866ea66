import { expect, test } from 'vitest';
import type { SchedulingAttempt } from '../../hosts/protocol.ts';
import { eventWords, filterRows, stepsOf, totalsWith } from './words.ts';

const FILTERS = ['NodeUnschedulable', 'TaintToleration', 'NodeAffinity', 'NodeResourcesFit'];
const attempt = (more: Partial<SchedulingAttempt>): SchedulingAttempt => ({
  attempt: 1,
  fact: 7,
  at: 0,
  scheduler: 'default-scheduler',
  trigger: { event: 'PodAdd', at: 0 },
  ties: 1,
  permit: [],
  end: 'under way',
  node: '',
  message: '',
  ...more,
});
const filter = { total: 4, evaluated: 4, feasible: 1, reasons: [], skipped: ['NodeAffinity'] };

test('a node that was rejected passed what was asked before, and was not asked what comes after', () => {
  const rows = filterRows(
    attempt({
      filter,
      record: {
        feasible: ['node-3'],
        rejected: [{ plugin: 'TaintToleration', reasons: ['untolerated taint'], unresolvable: true, nodes: ['node-1', 'node-2'] }],
        rest: undefined,
        scores: [],
        totals: [],
      },
    }),
    FILTERS,
  );
  expect(rows.map(({ node, verdicts }) => [node, ...verdicts.map(({ kind }) => kind)])).toEqual([
    ['node-3', 'pass', 'pass', 'skipped', 'pass'],
    ['node-1', 'pass', 'reject', 'unasked', 'unasked'],
    ['node-2', 'pass', 'reject', 'unasked', 'unasked'],
  ]);
});

test('five thousand nodes become rows within a frame or two', () => {
  const nodes = Array.from({ length: 5_000 }, (_, i) => `node-${i}`);
  const record = {
    feasible: [],
    rejected: [{ plugin: 'NodeResourcesFit', reasons: ['Insufficient cpu'], unresolvable: false, nodes }],
    rest: undefined,
    scores: [],
    totals: [],
  };
  expect(filterRows(attempt({ filter: { ...filter, feasible: 0 }, record }), FILTERS)).toHaveLength(5_000);
});

test('the stations of an attempt that found nothing end at Filter, of one that found one node leave Score out', () => {
  const states = (of: SchedulingAttempt) => Object.fromEntries(stepsOf(of).map(({ name, state }) => [name, state]));
  expect(states(attempt({ end: 'unschedulable', filter: { ...filter, feasible: 0 } }))).toMatchObject({
    Filter: 'stopped',
    PostFilter: 'stopped',
    Score: 'ahead',
    Bind: 'ahead',
  });
  const record = { feasible: ['node-1'], rejected: [], rest: undefined, scores: [], totals: [] };
  expect(states(attempt({ end: 'bound', node: 'node-1', filter, record }))).toMatchObject({
    Filter: 'done',
    PostFilter: 'skipped',
    Score: 'skipped',
    Bind: 'done',
  });
});

test('totals follow the weights', () => {
  const scores = [
    { plugin: 'A', weight: 1, raw: [5, 9], normalized: [50, 90] },
    { plugin: 'B', weight: 3, raw: [3, 1], normalized: [100, 20] },
  ];
  expect(totalsWith(scores, {}, 2)).toEqual({ totals: [350, 150], winner: 0 });
  expect(totalsWith(scores, { B: 0 }, 2)).toEqual({ totals: [50, 90], winner: 1 });
});

test('events are told in words, and unknown ones by their names', () => {
  expect(eventWords('NodeAdd')).toBe('a node came');
  expect(eventWords('NodeUpdateNodeTaint')).toBe('a node’s taints changed');
  expect(eventWords('SomethingElse')).toBe('SomethingElse');
});
