/** The pure half of the Job controller: its tables follow pkg/controller/job/*_test.go. */
import { describe, expect, test } from 'vitest';
import { minutes, seconds } from '../../sim/clock.ts';
import { timestamp } from '../api/time.ts';
import type { Job, JobSpec, JobStatus, Pod, PodStatus } from '../api/types.gen.ts';
import { assess, completion, succeededByPolicy } from './job-assess.ts';
import { backoffAfter, NO_FAILURES, waitAfter } from './job-backoff.ts';
import { common, firstFree, has, indexesText, merge, parseIndexes, total, withIndexes } from './job-indexes.ts';
import { plan } from './job-plan.ts';
import { finishedAt, judgeFailure, TRACKING_FINALIZER } from './job-pods.ts';
import { podFor } from './job-template.ts';
import { note, settled } from './job-tracking.ts';
import { timeLeft } from './ttl-after-finished.ts';

const NOW = seconds(1000);
const job = (spec: Partial<JobSpec> = {}, status: JobStatus = {}): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'j', namespace: 'default', uid: 'u' },
  spec: { parallelism: 1, completions: 1, backoffLimit: 6, template: { spec: { containers: [{ name: 'c', image: 'i' }], restartPolicy: 'Never' } }, ...spec },
  status,
});
let uids = 0;
const pod = (phase: string, more: { index?: number; deleted?: boolean; tracked?: boolean; failures?: number; at?: number; status?: PodStatus } = {}): Pod => {
  const annotations = {
    ...(more.index === undefined ? {} : { 'batch.kubernetes.io/job-completion-index': String(more.index) }),
    ...(more.failures === undefined ? {} : { 'batch.kubernetes.io/job-index-failure-count': String(more.failures) }),
  };
  const terminated = { exitCode: phase === 'Failed' ? 1 : 0, finishedAt: timestamp(more.at ?? NOW) };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `p${++uids}`,
      namespace: 'default',
      uid: `uid-${uids}`,
      annotations,
      creationTimestamp: timestamp(0),
      ...(more.tracked === false ? {} : { finalizers: [TRACKING_FINALIZER] }),
      ...(more.deleted ? { deletionTimestamp: timestamp(more.at ?? NOW), deletionGracePeriodSeconds: 0 } : {}),
    },
    spec: { containers: [] },
    status: {
      phase,
      ...(phase === 'Failed' || phase === 'Succeeded' ? { containerStatuses: [{ name: 'c', state: { terminated } }] } : {}),
      ...more.status,
    } as PodStatus,
  };
};
const look = (of: Job, pods: Pod[], backoff = NO_FAILURES) => assess(of, pods, backoff, NOW);
const planned = (of: Job, pods: Pod[], backoff = NO_FAILURES) => {
  const { create, remove, wait } = plan(of, look(of, pods, backoff), NOW);
  return { create, remove: remove.map(({ metadata }) => metadata.name), ...(wait === undefined ? {} : { wait }) };
};

describe('indexes', () => {
  test.each([
    ['', 10, ''],
    ['1', 10, '1'],
    ['0-3,5,7,8', 10, '0-3,5,7,8'],
    ['0-9', 5, '0-4'],
    ['2,3,4', 10, '2-4'],
    ['0,4,x,6-y,8', 10, '0,4,8'],
    ['1-3,8', 5, '1-3'],
  ])('%s below %i: %s', (text, completions, expected) => {
    expect(indexesText(parseIndexes(text, completions))).toBe(expected);
  });
  test('merging, counting, looking up', () => {
    const indexes = withIndexes(parseIndexes('0-2,6', 20), [3, 5, 9, 5]);
    expect(indexesText(indexes)).toBe('0-3,5,6,9');
    expect(total(indexes)).toBe(7);
    expect([0, 3, 4, 5, 9, 10].filter((index) => has(indexes, index))).toEqual([0, 3, 5, 9]);
    expect(indexesText(merge(indexes, parseIndexes('4,7-8', 20)))).toBe('0-9');
    expect(common(parseIndexes('2-4,9-12', 20), indexes)).toBe(3);
    expect(firstFree(indexes, 3, 20)).toEqual([4, 7, 8]);
    expect(firstFree(indexes, 9, 9)).toEqual([4, 7, 8]);
    expect(firstFree([], 2, 5)).toEqual([0, 1]);
  });
});

describe('back-off', () => {
  test.each([
    [0, 0],
    [1, 10],
    [2, 20],
    [3, 40],
    [6, 320],
    [7, 600],
    [50, 600],
  ])('%i failures in a row: %i s', (failures, wait) => {
    expect(waitAfter({ failures, lastFailure: NOW }, NOW)).toBe(seconds(wait));
    if (failures > 0) expect(waitAfter({ failures, lastFailure: NOW - seconds(4) }, NOW)).toBe(seconds(wait - 4));
    expect(waitAfter({ failures, lastFailure: NOW - minutes(11) }, NOW)).toBe(0);
  });
  test('a success forgets what failed before it', () => {
    const failed = [pod('Failed', { at: seconds(10) }), pod('Failed', { at: seconds(30) })];
    expect(backoffAfter({ failures: 3, lastFailure: 0 }, [], failed)).toEqual({ failures: 5, lastFailure: seconds(30) });
    expect(backoffAfter({ failures: 3, lastFailure: 0 }, [pod('Succeeded', { at: seconds(20) })], failed)).toEqual({ failures: 1, lastFailure: seconds(30) });
    expect(backoffAfter({ failures: 3, lastFailure: 0 }, [pod('Succeeded', { at: seconds(40) })], [])).toEqual(NO_FAILURES);
  });
  test('when a pod ended', () => {
    expect(finishedAt(pod('Failed', { at: seconds(7) }))).toBe(seconds(7));
    const notReady = { conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: timestamp(seconds(8)) }] };
    expect(finishedAt(pod('Running', { status: notReady as PodStatus }))).toBe(seconds(8));
    expect(finishedAt(pod('Running', { deleted: true, at: seconds(9) }))).toBe(seconds(9));
    expect(finishedAt(pod('Running'))).toBe(0);
  });
});

describe('what to make and remove', () => {
  test.each([
    ['one of one', {}, [], 1],
    ['no more than is left', { completions: 5, parallelism: 3 }, [pod('Succeeded'), pod('Succeeded'), pod('Succeeded'), pod('Running')], 1],
    ['a work queue', { completions: undefined as never, parallelism: 3 }, [pod('Running')], 2],
    ['a work queue after a success', { completions: undefined as never, parallelism: 3 }, [pod('Succeeded'), pod('Running')], 0],
    ['a terminating pod is replaced', {}, [pod('Running', { deleted: true })], 1],
    ['unless only failed ones are', { podReplacementPolicy: 'Failed' }, [pod('Running', { deleted: true })], 0],
    ['no more than 500 at once', { completions: 2000, parallelism: 2000 }, [], 500],
  ])('%s', (_, spec, pods, count) => {
    const made = planned(job(spec), pods, { failures: 0 });
    // A pod that is on its way out counts as failed: its successor waits for the back-off.
    if (made.wait !== undefined) expect([count, made.wait]).toEqual([1, seconds(10)]);
    else expect(made.create).toHaveLength(count);
  });
  test('the least far along goes first', () => {
    const [running, pending, ready] = [
      pod('Running'),
      pod('Pending'),
      pod('Running', { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } }),
    ];
    expect(planned(job({ completions: 5, parallelism: 1 }), [ready!, running!, pending!]).remove).toEqual([pending!.metadata.name, running!.metadata.name]);
  });
  test('a suspended Job removes all and makes none', () => {
    const pods = [pod('Running'), pod('Pending')];
    expect(planned(job({ suspend: true, parallelism: 2, completions: 5 }), pods)).toEqual({
      create: [],
      remove: [pods[1]!.metadata.name, pods[0]!.metadata.name],
    });
  });
  test('indexes: the lowest first; doubles, strangers and those too high are removed', () => {
    const indexed = { completionMode: 'Indexed', completions: 5, parallelism: 3 } as const;
    expect(planned(job(indexed), [pod('Running', { index: 1 })]).create).toEqual([0, 2]);
    const [one, double, high, none] = [pod('Running', { index: 1 }), pod('Pending', { index: 1 }), pod('Running', { index: 7 }), pod('Running')];
    expect(planned(job(indexed), [one!, double!, high!, none!]).remove.sort()).toEqual([double, high, none].map((each) => each!.metadata.name).sort());
  });
  test('with a limit per index each index waits for itself', () => {
    const spec = { completionMode: 'Indexed', completions: 3, parallelism: 3, backoffLimitPerIndex: 2 } as const;
    const failed = pod('Failed', { index: 0, failures: 1, at: NOW - seconds(5) });
    expect(planned(job(spec), [failed, pod('Running', { index: 1 })])).toEqual({ create: [2], remove: [] });
    expect(planned(job(spec), [failed, pod('Running', { index: 1 }), pod('Running', { index: 2 })])).toEqual({ create: [], remove: [], wait: seconds(15) });
  });
});

describe('how it ends', () => {
  const reason = (of: Job, pods: Pod[]) => look(of, pods).outcome?.reason;
  test.each([
    ['backoffLimit', job({ backoffLimit: 1 }, { failed: 1 }), [pod('Failed')], 'BackoffLimitExceeded'],
    ['not yet', job({ backoffLimit: 2 }, { failed: 1 }), [pod('Failed')], undefined],
    [
      'what is noted and not yet counted counts once',
      job({ backoffLimit: 1 }, { failed: 1, uncountedTerminatedPods: { failed: ['x'] } }),
      [],
      'BackoffLimitExceeded',
    ],
    ['the deadline', job({ activeDeadlineSeconds: 10 }, { startTime: timestamp(NOW - seconds(10)) }), [], 'DeadlineExceeded'],
    ['a suspended Job has none', job({ activeDeadlineSeconds: 10, suspend: true }, { startTime: timestamp(NOW - seconds(10)) }), [], undefined],
    [
      'restarts in place',
      job({ backoffLimit: 2, template: { spec: { containers: [], restartPolicy: 'OnFailure' } } }),
      [pod('Running', { status: { containerStatuses: [{ name: 'c', restartCount: 2 }] } as unknown as PodStatus })],
      'BackoffLimitExceeded',
    ],
  ])('%s', (_, of, pods, expected) => {
    expect(reason(of, pods)).toBe(expected);
  });
  test('success, once decided, stands', () => {
    const met = job({}, { conditions: [{ type: 'SuccessCriteriaMet', status: 'True', reason: 'SuccessPolicy', message: 'm' }], failed: 100 });
    expect(look(met, []).outcome).toEqual({ type: 'SuccessCriteriaMet', reason: 'SuccessPolicy', message: 'm' });
  });
  test('completion', () => {
    expect(completion(job({ completions: 2 }), 2, 0)?.reason).toBe('CompletionsReached');
    expect(completion(job({ completions: 2 }), 2, 1)).toBeUndefined();
    expect(completion(job({ completions: undefined as never }), 1, 0)?.type).toBe('SuccessCriteriaMet');
    expect(completion(job({ completions: 0 }), 0, 0)?.type).toBe('SuccessCriteriaMet');
  });
  // success_policy_test.go
  test.each([
    [{ succeededCount: 2 }, '0,1', true],
    [{ succeededCount: 3 }, '0,1', false],
    [{ succeededIndexes: '1-3' }, '0-3', true],
    [{ succeededIndexes: '1-3' }, '0-2', false],
    [{ succeededIndexes: '1-3', succeededCount: 1 }, '3', true],
    [{ succeededIndexes: 'x' }, '3', false],
    [{ succeededCount: 0 }, '', false],
  ])('%j of %s: %s', (rule, succeeded, met) => {
    expect(succeededByPolicy({ rules: [rule] }, 10, parseIndexes(succeeded, 10)) !== undefined).toBe(met);
  });
});

// pod_failure_policy_test.go
describe('pod failure policy', () => {
  const failed = (code: number, conditions: PodStatus['conditions'] = [], container = 'main') =>
    pod('Failed', {
      status: { phase: 'Failed', conditions, containerStatuses: [{ name: container, state: { terminated: { exitCode: code } } }] } as unknown as PodStatus,
    });
  const codes = (action: string, operator: string, values: number[], containerName?: string) => ({
    action,
    onExitCodes: { operator, values, ...(containerName ? { containerName } : {}) },
  });
  test.each([
    ['In', codes('Ignore', 'In', [1, 42]), failed(42), { counts: false, action: 'Ignore' }],
    ['not in', codes('Ignore', 'In', [1]), failed(42), { counts: true }],
    ['NotIn', codes('Count', 'NotIn', [1]), failed(42), { counts: true, action: 'Count' }],
    ['a container that succeeded matches nothing', codes('Ignore', 'NotIn', [1]), failed(0), { counts: true }],
    ['another container', codes('Ignore', 'In', [42], 'side'), failed(42), { counts: true }],
    ['FailIndex', codes('FailIndex', 'In', [42]), failed(42), { counts: true, action: 'FailIndex' }],
    [
      'a condition',
      { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
      failed(1, [{ type: 'DisruptionTarget', status: 'True' }]),
      { counts: false, action: 'Ignore' },
    ],
    [
      'of another status',
      { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
      failed(1, [{ type: 'DisruptionTarget', status: 'False' }]),
      { counts: true },
    ],
  ])('%s', (_, rule, of, verdict) => {
    expect(judgeFailure({ rules: [rule] }, of)).toEqual(verdict);
  });
  test('the first rule that matches decides', () => {
    const rules = [codes('Ignore', 'In', [7]), codes('FailJob', 'In', [42]), codes('Ignore', 'In', [42])];
    const of = failed(42);
    expect(judgeFailure({ rules }, of)).toEqual({
      counts: true,
      action: 'FailJob',
      failJob: `Container main for pod default/${of.metadata.name} failed with exit code 42 matching FailJob rule at index 1`,
    });
  });
});

describe('counting', () => {
  test('noted first, then released, then counted', () => {
    const [ok, bad, running] = [pod('Succeeded'), pod('Failed'), pod('Running')];
    const of = job({ completions: 5, parallelism: 3 });
    const noted = note(of, [ok!, bad!, running!], look(of, [ok!, bad!, running!]), undefined);
    expect(noted.release).toEqual([ok, bad]);
    expect(noted.status).toEqual({ uncountedTerminatedPods: { succeeded: [ok!.metadata.uid], failed: [bad!.metadata.uid] } });
    expect(settled(noted.status, new Set([ok!.metadata.uid]))).toEqual({ failed: 1, uncountedTerminatedPods: { succeeded: [ok!.metadata.uid] } });
    expect(settled(noted.status, new Set())).toEqual({ succeeded: 1, failed: 1, uncountedTerminatedPods: {} });
  });
  test('what is already noted, or no longer tracked, is not noted again', () => {
    const [known, old] = [pod('Failed'), pod('Failed', { tracked: false })];
    const of = job({ completions: 5 }, { failed: 1, uncountedTerminatedPods: { failed: [known!.metadata.uid!] } });
    const { status, release } = note(of, [known!, old!], look(of, [known!, old!]), undefined);
    expect(status).toBe(of.status);
    expect(release).toEqual([known]);
  });
  test('five hundred at a time', () => {
    const pods = Array.from({ length: 600 }, () => pod('Succeeded'));
    const of = job({ completions: 1000, parallelism: 600 });
    const noted = note(of, pods, look(of, pods), undefined);
    expect([noted.release.length, noted.full]).toEqual([500, true]);
  });
  test('a failed pod stays until its index is tried again', () => {
    const of = job({ completionMode: 'Indexed', completions: 2, parallelism: 2, backoffLimitPerIndex: 1 });
    const first = pod('Failed', { index: 0, failures: 0 });
    expect(note(of, [first], look(of, [first]), undefined).release).toEqual([]);
    const both = [first, pod('Running', { index: 0, failures: 1 })];
    expect(note(of, both, look(of, both), undefined).release).toEqual([first]);
  });
  test('an index that a shrunken Job no longer has does not count', () => {
    const of = job({ completionMode: 'Indexed', completions: 1, parallelism: 1 }, { completedIndexes: '0-3', succeeded: 4 });
    expect(note(of, [], look(of, []), undefined).status).toMatchObject({ completedIndexes: '0', succeeded: 1 });
  });
});

test('the pod of an index', () => {
  const of = job({ completionMode: 'Indexed', completions: 5, backoffLimitPerIndex: 3 });
  const made = podFor({ ...of, metadata: { ...of.metadata, name: 'x'.repeat(63) } }, 12, pod('Failed', { index: 12, failures: 1 }));
  expect(made.metadata).toMatchObject({
    generateName: `${'x'.repeat(54)}-12-`,
    finalizers: [TRACKING_FINALIZER],
    labels: { 'batch.kubernetes.io/job-completion-index': '12' },
    annotations: { 'batch.kubernetes.io/job-completion-index': '12', 'batch.kubernetes.io/job-index-failure-count': '2' },
  });
  expect(made.spec?.hostname).toBe(`${'x'.repeat(63)}-12`);
  expect(made.spec?.containers[0]?.env).toEqual([
    { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']" } } },
  ]);
});

test('time to live', () => {
  const done = job({ ttlSecondsAfterFinished: 60 }, { conditions: [{ type: 'Complete', status: 'True', lastTransitionTime: timestamp(NOW) }] });
  expect(timeLeft(done, NOW + seconds(10))).toBe(seconds(50));
  expect(timeLeft(job({ ttlSecondsAfterFinished: 60 }), NOW)).toBeUndefined();
  expect(timeLeft({ ...done, spec: { ...done.spec!, ttlSecondsAfterFinished: undefined as never } }, NOW)).toBeUndefined();
});
