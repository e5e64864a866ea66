/**
 * Jobs on a whole cluster: what kubernetes.io's pages "Jobs" (docs/concepts/workloads/controllers/job) and "Tasks › Run
 * Jobs" say comes of them, with real kubelets and containers. The numbers in seconds are upstream's
 * (pkg/controller/job/job_controller.go: back-off of 10 s doubling, batches of 1 s).
 */
import { beforeAll, describe, expect, test } from 'vitest';
import type { DeepReadonly } from '../kubernetes/api/json.ts';
import { instantOf } from '../kubernetes/api/time.ts';
import type { Job, Pod } from '../kubernetes/api/types.gen.ts';
import { seconds } from '../sim/clock.ts';
import { cluster, type Lab } from './testing.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await cluster('three-nodes');
}, 120_000);

const SECOND = seconds(1);

/** One container that runs a line of shell. */
const template = (script: string, more: object = {}) => ({
  spec: {
    containers: [{ name: 'main', image: 'busybox:1.36', command: ['sh', '-c', script] }],
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 1,
    ...more,
  },
});
async function apply(object: object): Promise<void> {
  await lab.ok(`kubectl apply -f - <<'EOF'\n${JSON.stringify(object)}\nEOF`);
}
const create = (name: string, spec: object) => apply({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec });
const job = (name: string): DeepReadonly<Job> | undefined =>
  (lab.objects('jobs') as readonly DeepReadonly<Job>[]).find((each) => each.metadata.name === name && each.metadata.namespace === 'default');
const status = (name: string) => job(name)?.status ?? {};
const pods = (name: string): readonly DeepReadonly<Pod>[] => lab.pods(`job-name=${name}`);
const condition = (name: string, type: string) => status(name).conditions?.find((each) => each.type === type && each.status === 'True');
const finished = (name: string) => !!condition(name, 'Complete') || !!condition(name, 'Failed');
const finish = (name: string) => lab.until(() => finished(name), `${name} finished`);
const events = (name: string) => lab.events(`Job/${name}`).map(({ type, reason, message }) => `${type} ${reason} ${message}`);
const indexes = (name: string) =>
  pods(name)
    .map((pod) => Number(pod.metadata.annotations?.['batch.kubernetes.io/job-completion-index']))
    .sort((a, b) => a - b);

describe('how many', () => {
  test('completions one after the other; counters, conditions, times and events', async () => {
    await create('count', { completions: 3, parallelism: 1, template: template('sleep 2') });
    await lab.until(() => status('count').active === 1 && status('count').ready === 1, 'one runs');
    expect(status('count')).toMatchObject({ active: 1, ready: 1, terminating: 0, uncountedTerminatedPods: {} });
    await finish('count');
    expect(status('count')).toMatchObject({ succeeded: 3, ready: 0, terminating: 0, uncountedTerminatedPods: {} });
    expect(status('count').active).toBeUndefined();
    expect(status('count').conditions?.map(({ type, status: value, reason, message }) => [type, value, reason, message])).toEqual([
      ['SuccessCriteriaMet', 'True', 'CompletionsReached', 'Reached expected number of succeeded pods'],
      ['Complete', 'True', 'CompletionsReached', 'Reached expected number of succeeded pods'],
    ]);
    expect(status('count').completionTime).toBe(condition('count', 'Complete')?.lastTransitionTime);
    expect(pods('count').map((pod) => pod.metadata.finalizers)).toEqual([undefined, undefined, undefined]);
    expect(pods('count').every((pod) => pod.metadata.name?.startsWith('count-'))).toBe(true);
    expect(events('count')).toEqual([
      ...pods('count').map((pod) => `Normal SuccessfulCreate Created pod: ${pod.metadata.name}`),
      'Normal Completed Job completed',
    ]);
  });

  test('parallelism bounds how many run; never more than there is work left', async () => {
    await create('wide', { completions: 5, parallelism: 3, template: template('sleep 3') });
    let most = 0;
    let last = 0;
    while (!finished('wide')) {
      await lab.wait(SECOND / 2);
      const active = pods('wide').filter((pod) => pod.status?.phase === 'Running').length;
      most = Math.max(most, active);
      if ((status('wide').succeeded ?? 0) === 3) last = Math.max(last, active);
    }
    expect([most, last, pods('wide').length]).toEqual([3, 2, 5]);
  });

  // "Parallel Jobs with a work queue": no completions; done when one has succeeded and all have ended.
  test('a work queue starts no pod after the first success', async () => {
    await create('queue', { parallelism: 3, template: template('sleep $(( ($(hostname | wc -c) % 2) + 3 ))') });
    await finish('queue');
    expect(pods('queue')).toHaveLength(3);
    expect(status('queue').succeeded).toBe(3);
  });

  test('parallelism 0 pauses; scaling up and down', async () => {
    await create('resize', { completions: 20, parallelism: 0, template: template('sleep 100') });
    await lab.wait(3 * SECOND);
    expect(pods('resize')).toHaveLength(0);
    await lab.ok(`kubectl patch job resize --type=merge -p '{"spec":{"parallelism":4}}'`);
    await lab.until(() => status('resize').ready === 4, 'four');
    await lab.ok(`kubectl patch job resize --type=merge -p '{"spec":{"parallelism":1}}'`);
    await lab.until(() => status('resize').active === 1 && status('resize').terminating === 0, 'one');
    // What is not needed is no failure.
    expect(status('resize').failed).toBeUndefined();
    expect(events('resize').filter((text) => text.includes('SuccessfulDelete'))).toHaveLength(3);
    await lab.ok('kubectl delete job resize');
  });
});

describe('failing', () => {
  // "Pod backoff failure policy": recreated with an exponential back-off delay (10s, 20s, 40s ...) capped at six minutes [ten since 1.28].
  test('a failed pod is made anew after 10, 20, 40 s; backoffLimit ends it', async () => {
    await create('fail', { backoffLimit: 3, template: template('exit 1') });
    await finish('fail');
    expect(status('fail')).toMatchObject({ failed: 4, ready: 0, terminating: 0 });
    expect(status('fail').completionTime).toBeUndefined();
    expect(status('fail').conditions?.map(({ type, reason, message }) => [type, reason, message])).toEqual([
      ['FailureTarget', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit'],
      ['Failed', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit'],
    ]);
    expect(events('fail').at(-1)).toBe('Warning BackoffLimitExceeded Job has reached the specified backoff limit');
    const ended = pods('fail').map((pod) => instantOf(pod.status?.containerStatuses?.[0]?.state?.terminated?.finishedAt)!);
    const made = pods('fail').map((pod) => instantOf(pod.metadata.creationTimestamp)!);
    const waits = made.slice(1).map((at, i) => (at - ended[i]!) / SECOND);
    for (const [i, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(10 * 2 ** i);
      expect(wait).toBeLessThanOrEqual(10 * 2 ** i + 2);
    }
  }, 30_000);

  test('restartPolicy OnFailure: containers start again in place, and their restarts count', async () => {
    await create('onfailure', { backoffLimit: 2, template: template('exit 1', { restartPolicy: 'OnFailure' }) });
    await lab.until(() => (pods('onfailure')[0]?.status?.containerStatuses?.[0]?.restartCount ?? 0) === 1, 'a restart');
    expect(finished('onfailure')).toBe(false);
    await finish('onfailure');
    expect(condition('onfailure', 'Failed')?.reason).toBe('BackoffLimitExceeded');
    // "the Pod running the Job will be terminated once the job backoff limit has been reached"
    await lab.until(() => pods('onfailure').length === 0, 'its pod is gone');
    expect(status('onfailure').failed).toBe(1);
  });

  // "Job termination and cleanup": activeDeadlineSeconds takes precedence over backoffLimit; all its pods are terminated.
  test('activeDeadlineSeconds', async () => {
    await create('deadline', { backoffLimit: 5, activeDeadlineSeconds: 10, template: template('sleep 1000') });
    await finish('deadline');
    expect(condition('deadline', 'Failed')).toMatchObject({ reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' });
    expect(instantOf(condition('deadline', 'FailureTarget')?.lastTransitionTime)! - instantOf(status('deadline').startTime)!).toBe(10 * SECOND);
    expect(pods('deadline')).toHaveLength(0);
    expect(events('deadline')).toContain('Warning DeadlineExceeded Job was active longer than specified deadline');
    expect(events('deadline').some((text) => text.startsWith('Normal SuccessfulDelete Deleted pod: deadline-'))).toBe(true);
  });

  // KEP-3939 (podReplacementPolicy): by default a terminating pod is replaced at once, and counts as failed.
  test('podReplacementPolicy: at once, or when the pod has ended', async () => {
    const slow = template("trap '' TERM; sleep 1000", { terminationGracePeriodSeconds: 20 });
    await create('replace', { template: slow });
    await create('replace-failed', { podReplacementPolicy: 'Failed', template: slow });
    await lab.until(() => status('replace').ready === 1 && status('replace-failed').ready === 1, 'both run');
    await lab.ok('kubectl delete pod -l job-name=replace --wait=false; kubectl delete pod -l job-name=replace-failed --wait=false');
    await lab.until(() => status('replace').ready === 1 && status('replace').failed === 1, 'replaced', 15 * SECOND);
    expect(status('replace')).toMatchObject({ active: 1 });
    expect(status('replace-failed')).toMatchObject({ terminating: 1 });
    expect(status('replace-failed').failed).toBeUndefined();
    expect(pods('replace-failed')).toHaveLength(1);
    await lab.until(() => status('replace-failed').failed === 1 && (status('replace-failed').ready ?? 0) === 1, 'replaced when it had ended');
    await lab.ok('kubectl delete job replace replace-failed');
  });
});

describe('indexes', () => {
  // docs/tasks/job/indexed-parallel-processing-static
  test('every index has its pod, told by annotation, label, hostname and environment', async () => {
    await create('indexed', { completions: 5, parallelism: 3, completionMode: 'Indexed', template: template('echo $(hostname) $JOB_COMPLETION_INDEX') });
    await finish('indexed');
    expect(status('indexed')).toMatchObject({ succeeded: 5, completedIndexes: '0-4' });
    expect(indexes('indexed')).toEqual([0, 1, 2, 3, 4]);
    for (const pod of pods('indexed')) {
      const index = pod.metadata.annotations?.['batch.kubernetes.io/job-completion-index'];
      expect(pod.metadata.name).toMatch(new RegExp(`^indexed-${index}-[a-z0-9]{5}$`));
      expect(pod.metadata.labels?.['batch.kubernetes.io/job-completion-index']).toBe(index);
      expect(pod.spec?.hostname).toBe(`indexed-${index}`);
      expect(await lab.ok(`kubectl logs ${pod.metadata.name}`)).toBe(`indexed-${index} ${index}\n`);
    }
    expect(await lab.ok('kubectl describe job indexed')).toContain('Completed Indexes:  0-4\n');
  });

  // "Elastic Indexed Jobs": completions and parallelism move together.
  test('an elastic Indexed Job grows and shrinks', async () => {
    await create('elastic', { completions: 2, parallelism: 2, completionMode: 'Indexed', template: template('sleep 1000') });
    await lab.until(() => status('elastic').ready === 2, 'two');
    await lab.ok(`kubectl patch job elastic --type=merge -p '{"spec":{"completions":4,"parallelism":4}}'`);
    await lab.until(() => status('elastic').ready === 4, 'four');
    await lab.ok(`kubectl patch job elastic --type=merge -p '{"spec":{"completions":1,"parallelism":1}}'`);
    await lab.until(() => status('elastic').active === 1 && pods('elastic').length === 1, 'one');
    expect(indexes('elastic')).toEqual([0]);
    const { stderr } = await lab.run(`kubectl patch job elastic --type=merge -p '{"spec":{"completions":3}}'`);
    expect(stderr).toBe('The Job "elastic" is invalid: spec.completions: Invalid value: 3: can only be modified in tandem with spec.parallelism\n');
    await lab.ok('kubectl delete job elastic');
  });

  // "Backoff limit per index": even indexes fail twice; all are tried, and the Job fails at the end.
  test('backoffLimitPerIndex', async () => {
    await create('per-index', {
      completions: 10,
      parallelism: 3,
      completionMode: 'Indexed',
      backoffLimitPerIndex: 1,
      maxFailedIndexes: 5,
      template: template('exit $(( ($JOB_COMPLETION_INDEX + 1) % 2 ))'),
    });
    await finish('per-index');
    expect(job('per-index')?.spec?.backoffLimit).toBe(2147483647);
    expect(status('per-index')).toMatchObject({ completedIndexes: '1,3,5,7,9', failedIndexes: '0,2,4,6,8', succeeded: 5, failed: 10 });
    expect(condition('per-index', 'Failed')).toMatchObject({ reason: 'FailedIndexes', message: 'Job has failed indexes' });
    const counts = pods('per-index').map((pod) => pod.metadata.annotations?.['batch.kubernetes.io/job-index-failure-count']);
    expect(counts.filter((count) => count === '1')).toHaveLength(5);
  }, 30_000);

  test('maxFailedIndexes ends it early', async () => {
    await create('max-failed', {
      completions: 6,
      parallelism: 2,
      completionMode: 'Indexed',
      backoffLimitPerIndex: 0,
      maxFailedIndexes: 1,
      template: template('sleep $JOB_COMPLETION_INDEX; exit 1'),
    });
    await finish('max-failed');
    expect(condition('max-failed', 'Failed')).toMatchObject({
      reason: 'MaxFailedIndexesExceeded',
      message: 'Job has exceeded the specified maximal number of failed indexes',
    });
    expect(status('max-failed').failedIndexes).toBe('0,1');
  });

  // "Success policy": index 2 succeeds; the others are terminated.
  test('successPolicy', async () => {
    await create('success', {
      completions: 10,
      parallelism: 10,
      completionMode: 'Indexed',
      successPolicy: { rules: [{ succeededIndexes: '0,2-3', succeededCount: 1 }] },
      template: template('[ "$JOB_COMPLETION_INDEX" = 2 ] && exit 0; sleep 1000'),
    });
    await finish('success');
    expect(status('success')).toMatchObject({ succeeded: 1, completedIndexes: '2' });
    expect(status('success').conditions?.map(({ type, reason, message }) => [type, reason, message])).toEqual([
      ['SuccessCriteriaMet', 'SuccessPolicy', 'Matched rules at index 0'],
      ['Complete', 'SuccessPolicy', 'Matched rules at index 0'],
    ]);
    // "the job controller terminates the lingering Pods"; they do not count as failed.
    expect(status('success').failed).toBeUndefined();
    expect(pods('success')).toHaveLength(1);
  });
});

describe('pod failure policy', () => {
  // docs/tasks/job/pod-failure-policy, first example
  test('FailJob by exit code', async () => {
    await create('failjob', {
      completions: 8,
      parallelism: 2,
      backoffLimit: 6,
      podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { containerName: 'main', operator: 'In', values: [42] } }] },
      template: template('sleep 3 && exit 42'),
    });
    await finish('failjob');
    expect(condition('failjob', 'Failed')?.reason).toBe('PodFailurePolicy');
    expect(condition('failjob', 'Failed')?.message).toMatch(
      /^Container main for pod default\/failjob-[a-z0-9]{5} failed with exit code 42 matching FailJob rule at index 0$/,
    );
    expect(pods('failjob').length).toBeLessThanOrEqual(2);
  });

  // second example: a drained node is no failure, although backoffLimit is 0.
  test('Ignore a disruption', async () => {
    await create('ignore', {
      completions: 2,
      parallelism: 1,
      backoffLimit: 0,
      podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] }] },
      template: template('trap "exit 143" TERM; sleep 15 & wait $!'),
    });
    expect(job('ignore')?.spec?.podFailurePolicy?.rules[0]?.onPodConditions).toEqual([{ type: 'DisruptionTarget', status: 'True' }]);
    await lab.until(() => status('ignore').ready === 1, 'it runs');
    const node = pods('ignore')[0]!.spec!.nodeName!;
    await lab.ok(`kubectl drain ${node} --ignore-daemonsets --delete-emptydir-data --force`);
    await finish('ignore');
    await lab.ok(`kubectl uncordon ${node}`);
    expect(condition('ignore', 'Complete')).toBeDefined();
    expect(status('ignore').failed).toBeUndefined();
  }, 30_000);

  // third example: a pod that cannot start is given up by a condition somebody sets.
  test('FailJob by condition', async () => {
    await create('config-issue', {
      completions: 8,
      parallelism: 2,
      podFailurePolicy: { rules: [{ action: 'FailJob', onPodConditions: [{ type: 'ConfigIssue', status: 'True' }] }] },
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'non-existing-repo/non-existing-image:example' }] } },
    });
    await lab.until(() => pods('config-issue').length === 2, 'two pods');
    await lab.wait(5 * SECOND);
    const name = pods('config-issue')[0]!.metadata.name;
    await lab.ok(
      `kubectl patch pod ${name} --subresource=status -p '{"status":{"conditions":[{"type":"ConfigIssue","status":"True","reason":"NonExistingImage","lastTransitionTime":"2026-01-05T09:00:00Z"}]}}'`,
    );
    await lab.ok(`kubectl delete pod ${name}`);
    await finish('config-issue');
    expect(condition('config-issue', 'Failed')?.message).toBe(`Pod default/${name} has condition ConfigIssue matching FailJob rule at index 0`);
  });

  // fourth example: FailIndex spares an index its retries.
  test('FailIndex', async () => {
    await create('failindex', {
      completions: 4,
      parallelism: 2,
      completionMode: 'Indexed',
      backoffLimitPerIndex: 1,
      podFailurePolicy: { rules: [{ action: 'FailIndex', onExitCodes: { containerName: 'main', operator: 'In', values: [42] } }] },
      template: template('[ $JOB_COMPLETION_INDEX = 0 ] && exit 1; [ $JOB_COMPLETION_INDEX = 1 ] && exit 42; exit 0'),
    });
    await finish('failindex');
    expect(status('failindex')).toMatchObject({ completedIndexes: '2,3', failedIndexes: '0,1', succeeded: 2, failed: 3 });
    expect(indexes('failindex')).toEqual([0, 0, 1, 2, 3]);
    expect(condition('failindex', 'Failed')?.reason).toBe('FailedIndexes');
  }, 30_000);

  test('Count is as without a policy; NotIn', async () => {
    await create('counted', {
      backoffLimit: 0,
      podFailurePolicy: {
        rules: [
          { action: 'Count', onExitCodes: { operator: 'In', values: [3] } },
          { action: 'FailJob', onExitCodes: { operator: 'NotIn', values: [4] } },
        ],
      },
      template: template('exit 3'),
    });
    await finish('counted');
    expect(condition('counted', 'Failed')?.reason).toBe('BackoffLimitExceeded');
  });
});

describe('suspending', () => {
  // "Suspending a Job"
  test('a suspended Job has no pods and no start time; resuming starts the clock anew', async () => {
    await create('suspend', { suspend: true, activeDeadlineSeconds: 30, completions: 1, template: template('sleep 20') });
    await lab.until(() => !!condition('suspend', 'Suspended'), 'suspended');
    expect(condition('suspend', 'Suspended')).toMatchObject({ reason: 'JobSuspended', message: 'Job suspended' });
    expect(status('suspend').startTime).toBeUndefined();
    expect(await lab.ok('kubectl get job suspend --no-headers')).toMatch(/^suspend\s+Suspended\s+0\/1/);
    await lab.ok(`kubectl patch job/suspend --type=strategic --patch '{"spec":{"suspend":false}}'`);
    await lab.until(() => status('suspend').ready === 1, 'running');
    const started = status('suspend').startTime;
    await lab.wait(12 * SECOND);
    await lab.ok(`kubectl patch job/suspend --type=strategic --patch '{"spec":{"suspend":true}}'`);
    await lab.until(() => !!condition('suspend', 'Suspended') && pods('suspend').length === 0, 'suspended again');
    // Its pods were taken away, which is no failure.
    expect(status('suspend').failed).toBeUndefined();
    // v1.33 looks at the deadline before it starts the clock anew: whoever resumes later than that fails at once.
    await lab.wait(8 * SECOND);
    await lab.ok(`kubectl patch job/suspend --type=strategic --patch '{"spec":{"suspend":false}}'`);
    await finish('suspend');
    expect(instantOf(status('suspend').startTime)!).toBeGreaterThan(instantOf(started)! + 20 * SECOND);
    // 20 s of work since, though more than 30 s after the first start.
    expect(instantOf(status('suspend').completionTime)!).toBeGreaterThan(instantOf(started)! + 40 * SECOND);
    expect(condition('suspend', 'Complete')).toBeDefined();
    expect(status('suspend').conditions?.find(({ type }) => type === 'Suspended')).toMatchObject({
      status: 'False',
      reason: 'JobResumed',
      message: 'Job resumed',
    });
    expect(events('suspend').filter((text) => /Suspended|Resumed/.test(text))).toEqual(
      expect.arrayContaining(['Normal Suspended Job suspended', 'Normal Resumed Job resumed']),
    );
  });

  // KEP-2926: until it has started, where its pods may run can be changed.
  test('the scheduling directives of a Job that never started may change, and nothing else', async () => {
    await create('directives', { suspend: true, template: template('true') });
    await lab.until(() => !!condition('directives', 'Suspended'), 'suspended');
    await lab.ok(`kubectl patch job directives --type=merge -p '{"spec":{"template":{"spec":{"nodeSelector":{"kubernetes.io/hostname":"node-2"}}}}}'`);
    const { stderr } = await lab.run(`kubectl patch job directives --type=merge -p '{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":7}}}}'`);
    expect(stderr).toContain('field is immutable');
    await lab.ok(`kubectl patch job directives --type=merge -p '{"spec":{"suspend":false}}'`);
    await finish('directives');
    expect(pods('directives')[0]?.spec?.nodeName).toBe('node-2');
  });

  // KEP-4368
  test('managedBy leaves it to another controller', async () => {
    await create('managed', { managedBy: 'example.com/mine', template: template('true') });
    await lab.wait(10 * SECOND);
    expect(job('managed')?.status).toEqual({});
    await lab.ok('kubectl delete job managed');
  });
});

describe('ends', () => {
  // docs/concepts/workloads/controllers/ttlafterfinished
  test('ttlSecondsAfterFinished deletes it, pods first', async () => {
    await create('ttl', { ttlSecondsAfterFinished: 20, template: template('true') });
    await finish('ttl');
    await lab.wait(15 * SECOND);
    expect(job('ttl')).toBeDefined();
    await lab.until(() => !job('ttl') && pods('ttl').length === 0, 'gone', 10 * SECOND);
  });

  test('deleting: pods go with it, or stay without their finalizer', async () => {
    await create('gone', { parallelism: 2, completions: 4, template: template('sleep 1000') });
    await create('orphans', { parallelism: 2, completions: 4, template: template('sleep 1000') });
    await lab.until(() => status('gone').ready === 2 && status('orphans').ready === 2, 'running');
    const kept = pods('orphans').map((pod) => pod.metadata.name);
    await lab.ok('kubectl delete job gone; kubectl delete job orphans --cascade=orphan');
    await lab.until(() => pods('gone').length === 0, 'gone');
    expect(pods('orphans').map((pod) => pod.metadata.name)).toEqual(kept);
    await lab.until(() => pods('orphans').every((pod) => !pod.metadata.finalizers && !pod.metadata.ownerReferences?.length), 'released');
    await lab.ok('kubectl delete pod -l job-name=orphans --now');
  });

  // "Specifying your own Pod selector": the new Job adopts what an old one left.
  test('manualSelector adopts', async () => {
    await create('old', { completions: 1, template: template('sleep 30') });
    await lab.until(() => status('old').ready === 1, 'running');
    const uid = job('old')!.metadata.uid!;
    const name = pods('old')[0]!.metadata.name;
    await lab.ok('kubectl delete job old --cascade=orphan');
    const labels = { 'batch.kubernetes.io/controller-uid': uid };
    const { spec } = template('sleep 30');
    await create('new', { manualSelector: true, completions: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } });
    await finish('new');
    expect(lab.pods(`batch.kubernetes.io/controller-uid=${uid}`).map((pod) => pod.metadata.name)).toEqual([name]);
    expect(status('new').succeeded).toBe(1);
  });

  test('a quota: FailedCreate is told, and it goes on when there is room', async () => {
    await lab.ok(`kubectl create namespace tight; kubectl create quota pods --hard=pods=1 -n tight`);
    await apply({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'tight', namespace: 'tight' },
      spec: { completions: 2, parallelism: 2, template: template('sleep 3') },
    });
    await lab.until(
      () => (lab.objects('jobs') as DeepReadonly<Job>[]).some((each) => each.metadata.name === 'tight' && each.status?.succeeded === 2),
      'both in turn',
    );
    const told = await lab.ok('kubectl get events -n tight --field-selector reason=FailedCreate');
    expect(told).toMatch(/Error creating: pods "tight-[a-z0-9]{5}" is forbidden: exceeded quota: pods, requested: pods=1, used: pods=1, limited: pods=1/);
  });

  test('nothing is left behind: no pod of a finished Job bears the finalizer', () => {
    for (const pod of lab.pods()) if (pod.metadata.finalizers) expect(pod.metadata.name).toMatch(/^(replace|elastic)/);
  });
});
