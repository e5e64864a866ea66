/** What the server refuses of Jobs and CronJobs: pkg/apis/batch/validation/validation_test.go. */
import { describe, expect, test } from 'vitest';
import type { Job, JobSpec, JobStatus } from '../../api/types.gen.ts';
import { jobWarnings } from './batch.ts';
import { errorText } from './field.ts';
import { validate } from './validate.ts';

const labels = { 'controller-uid': 'u', 'job-name': 'j', 'batch.kubernetes.io/controller-uid': 'u', 'batch.kubernetes.io/job-name': 'j' };
const template = {
  metadata: { labels },
  spec: {
    containers: [{ name: 'main', image: 'i', imagePullPolicy: 'Always', terminationMessagePolicy: 'File' }],
    restartPolicy: 'Never',
    dnsPolicy: 'ClusterFirst',
    terminationGracePeriodSeconds: 30,
  },
};
const job = (spec: Partial<JobSpec> = {}, more: Partial<Job> = {}): Job =>
  ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'j', namespace: 'default', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-05T08:00:00Z' },
    spec: { parallelism: 1, selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u' } }, template, ...spec },
    ...more,
  }) as Job;
const errors = (of: Job, old?: Job, subresource?: string) => validate('Job', of, old, subresource).map(errorText);
const indexed = { completionMode: 'Indexed', completions: 10 } as const;
const policy = (...rules: object[]) => ({ podFailurePolicy: { rules } }) as unknown as Partial<JobSpec>;
const codes = (more: object = {}) => ({ action: 'FailJob', onExitCodes: { operator: 'In', values: [1], ...more } });

test('a plain one', () => expect(errors(job())).toEqual([]));

test.each<[Partial<JobSpec>, string[]]>([
  [{ completions: -1 }, ['spec.completions: Invalid value: -1: must be greater than or equal to 0']],
  [{ ttlSecondsAfterFinished: -1 }, ['spec.ttlSecondsAfterFinished: Invalid value: -1: must be greater than or equal to 0']],
  [{ completionMode: 'Sideways' }, ['spec.completionMode: Unsupported value: "Sideways": supported values: "NonIndexed", "Indexed"']],
  [{ completionMode: 'Indexed' }, ['spec.completions: Required value: when completion mode is Indexed']],
  [{ ...indexed, parallelism: 100_001 }, ['spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed']],
  [{ backoffLimitPerIndex: 1 }, ['spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode']],
  [{ ...indexed, maxFailedIndexes: 1 }, ['spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified']],
  [{ ...indexed, backoffLimitPerIndex: 1, maxFailedIndexes: 11 }, ['spec.maxFailedIndexes: Invalid value: 11: must be less than or equal to completions']],
  [
    { completionMode: 'Indexed', completions: 100_001, backoffLimitPerIndex: 1 },
    ['spec.maxFailedIndexes: Required value: must be specified when completions is above 100000'],
  ],
  [{ managedBy: 'mine' }, ['spec.managedBy: Invalid value: "mine": must be a domain-prefixed path (such as "acme.io/foo")']],
  [{ managedBy: `a.b/${'c'.repeat(60)}` }, ['spec.managedBy: Too long: may not be more than 63 bytes']],
  [{ podReplacementPolicy: 'Never' }, ['spec.podReplacementPolicy: Unsupported value: "Never": supported values: "Failed", "TerminatingOrFailed"']],
  [
    { ...policy(codes()), podReplacementPolicy: 'TerminatingOrFailed' },
    ['spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"'],
  ],
  [
    policy({ action: '', onExitCodes: { operator: 'In', values: [1] } }),
    ['spec.podFailurePolicy.rules[0].action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]'],
  ],
  [
    policy({ action: 'FailIndex', onExitCodes: { operator: 'In', values: [1] } }),
    ['spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set'],
  ],
  [policy({ action: 'FailJob' }), ['spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required']],
  [
    policy({ ...codes(), onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }),
    ['spec.podFailurePolicy.rules[0]: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported'],
  ],
  [
    policy(codes({ containerName: 'x' })),
    ['spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "x": must be one of the container or initContainer names in the pod template'],
  ],
  [policy(codes({ values: [] })), ['spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: []: at least one value is required']],
  [policy(codes({ values: [0, 1] })), ['spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator']],
  [
    policy(codes({ values: [3, 1, 1] })),
    [
      'spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 1',
      'spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [3,1,1]: must be ordered',
    ],
  ],
  [
    { successPolicy: { rules: [{ succeededCount: 1 }] } },
    ['spec.successPolicy: Invalid value: {"rules":[{"succeededCount":1}]}: requires indexed completion mode'],
  ],
  [
    { ...indexed, successPolicy: { rules: [] } },
    ['spec.successPolicy.rules: Required value: at least one rules must be specified when the successPolicy is specified'],
  ],
  [
    { ...indexed, successPolicy: { rules: [{}] } },
    ['spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be specified'],
  ],
  [
    { ...indexed, successPolicy: { rules: [{ succeededIndexes: '0-10' }] } },
    ['spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0-10": error parsing succeededIndexes: too large index: "10"'],
  ],
  [
    { ...indexed, successPolicy: { rules: [{ succeededIndexes: '0-2', succeededCount: 4 }] } },
    [
      'spec.successPolicy.rules[0].succeededCount: Invalid value: 4: must be less than or equal to 3 (the number of indexes in the specified succeededIndexes field)',
    ],
  ],
  [
    { template: { ...template, metadata: { labels: { ...labels, 'job-name': 'other' } } } },
    [`spec.template.metadata.labels[job-name]: Invalid value: ${JSON.stringify({ ...labels, 'job-name': 'other' })}: must be 'j'`],
  ],
])('%j', (spec, expected) => {
  expect(errors(job(spec))).toEqual(expected);
});

test('a name too long for the hostnames of its pods', () => {
  const name = 'x'.repeat(62);
  const of = job({ ...indexed, manualSelector: true, selector: { matchLabels: labels } });
  expect(errors({ ...of, metadata: { ...of.metadata, name } })).toEqual([
    `metadata.name: Invalid value: "${name}": will not able to create pod with invalid DNS label: ${name}-9`,
  ]);
});

describe('updates', () => {
  const change = (before: Partial<JobSpec>, after: Partial<JobSpec>, status: JobStatus = {}) => errors(job(after, { status }), job(before, { status }));
  test('what never changes', () => {
    expect(change({ completions: 1 }, { completions: 2 })).toEqual(['spec.completions: Invalid value: 2: field is immutable']);
    expect(change({ managedBy: 'a.io/b' }, { managedBy: 'a.io/c' })).toEqual(['spec.managedBy: Invalid value: "a.io/c": field is immutable']);
    expect(change(indexed, { ...indexed, completions: 3, parallelism: 3 })).toEqual([]);
    expect(change(indexed, { ...indexed, completions: 3 })).toEqual([
      'spec.completions: Invalid value: 3: can only be modified in tandem with spec.parallelism',
    ]);
    expect(
      change({ parallelism: 1, backoffLimit: 1, activeDeadlineSeconds: 1 }, { parallelism: 2, backoffLimit: 2, activeDeadlineSeconds: 2, suspend: true }),
    ).toEqual([]);
  });
  test('scheduling directives, until it starts', () => {
    const aimed = { ...template, spec: { ...template.spec, nodeSelector: { a: 'b' }, affinity: { nodeAffinity: {} }, tolerations: [] } };
    expect(change({ suspend: true }, { suspend: true, template: aimed })).toEqual([]);
    expect(change({ suspend: true }, { suspend: true, template: aimed }, { startTime: '2026-01-05T08:00:00Z' })).toHaveLength(1);
    expect(change({}, { template: aimed })).toHaveLength(1);
    expect(
      change(
        { suspend: true },
        { suspend: true, template: { ...aimed, spec: { ...aimed.spec, affinity: { podAffinity: {} } } } as unknown as JobSpec['template'] },
      ),
    ).toHaveLength(1);
  });
});

// validation_test.go: TestValidateJobUpdateStatus; pkg/registry/batch/job/strategy_test.go: TestStatusStrategy_ValidateUpdate
describe('status', () => {
  const is = (...types: string[]): JobStatus['conditions'] => types.map((type) => ({ type, status: 'True' }));
  const step = (before: JobStatus, after: JobStatus, spec: Partial<JobSpec> = {}) =>
    errors(job(spec, { status: after }), job(spec, { status: before }), 'status');
  const startTime = '2026-01-05T08:00:00Z';
  const completionTime = '2026-01-05T08:01:00Z';
  test.each<[string, JobStatus, JobStatus, Partial<JobSpec>, string[]]>([
    [
      'what the controller does',
      { startTime, active: 1 },
      { startTime, succeeded: 1, completionTime, conditions: is('SuccessCriteriaMet', 'Complete') },
      {},
      [],
    ],
    [
      'Complete alone',
      { startTime },
      { startTime, completionTime, conditions: is('Complete') },
      {},
      ['status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition'],
    ],
    [
      'Failed alone',
      { startTime },
      { startTime, conditions: is('Failed') },
      {},
      ['status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition'],
    ],
    [
      'Complete without its time',
      { startTime },
      { startTime, conditions: is('SuccessCriteriaMet', 'Complete') },
      {},
      ['status.completionTime: Required value: completionTime is required for Complete jobs'],
    ],
    [
      'back from the end',
      { startTime, conditions: is('FailureTarget', 'Failed') },
      { startTime },
      {},
      [
        'status.conditions: Invalid value: cannot disable the terminal Failed=True condition',
        'status.conditions: Invalid value: cannot disable the terminal FailureTarget=True condition',
      ],
    ],
    ['fewer failures', { failed: 2 }, { failed: 1 }, {}, ['status.failed: Invalid value: 1: cannot decrease the failed counter']],
    ['fewer successes', { succeeded: 2 }, { succeeded: 1 }, {}, ['status.succeeded: Invalid value: 1: cannot decrease the succeeded counter']],
    ['fewer successes of a Job that shrank', { succeeded: 2 }, { succeeded: 1 }, { ...indexed, parallelism: 10 }, []],
    [
      'active at the end',
      { startTime },
      { startTime, active: 1, conditions: is('FailureTarget', 'Failed') },
      {},
      ['status.active: Invalid value: 1: active>0 is invalid for finished job'],
    ],
    [
      'an index too high',
      {},
      { completedIndexes: '8-10' },
      indexed,
      ['status.completedIndexes: Invalid value: "8-10": error parsing completedIndexes: too large index: "10"'],
    ],
    [
      'both',
      {},
      { completedIndexes: '1-4', failedIndexes: '0,3' },
      { ...indexed, backoffLimitPerIndex: 1 },
      ['status.failedIndexes: Invalid value: "0,3": failedIndexes and completedIndexes overlap at index: 3'],
    ],
    [
      'a uid twice',
      {},
      { uncountedTerminatedPods: { succeeded: ['a'], failed: ['a'] } },
      {},
      ['status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"'],
    ],
    ['more ready than active', {}, { ready: 2, active: 1 }, {}, ['status.ready: Invalid value: 2: cannot set more ready pods than active']],
  ])('%s', (_, before, after, spec, expected) => {
    expect(step(before, after, spec)).toEqual(expected);
  });
});

test('warnings', () => {
  const of = job();
  expect(jobWarnings(of, undefined)).toEqual([]);
  expect(jobWarnings({ ...of, metadata: { ...of.metadata, name: 'a.b' } }, undefined)[0]).toMatch(
    /^metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: \[must not contain dots\]$/,
  );
});
