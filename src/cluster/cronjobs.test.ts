/**
 * CronJobs on a whole cluster, with what kubernetes.io says of them (docs/concepts/workloads/controllers/cron-jobs and
 * docs/tasks/job/automated-tasks-with-cron-jobs), and pkg/controller/cronjob where the pages are silent. Every world
 * begins on Monday 5 January 2026 at 08:00 UTC.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import type { DeepReadonly } from '../kubernetes/api/json.ts';
import { EPOCH_SECONDS, instantOf } from '../kubernetes/api/time.ts';
import type { CronJob, Job } from '../kubernetes/api/types.gen.ts';
import { minutes, seconds } from '../sim/clock.ts';
import { cluster, type Lab } from './testing.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await cluster('single');
}, 120_000);

const jobTemplate = (script: string, more: object = {}) => ({
  spec: {
    template: { spec: { containers: [{ name: 'hello', image: 'busybox:1.28', command: ['/bin/sh', '-c', script] }], restartPolicy: 'OnFailure' } },
    ...more,
  },
});
const create = (name: string, spec: object) =>
  lab.ok(`kubectl apply -f - <<'EOF'\n${JSON.stringify({ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name }, spec })}\nEOF`);
const refused = async (spec: object) => {
  const made = {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'bad' },
    spec: { schedule: '* * * * *', jobTemplate: jobTemplate('true'), ...spec },
  };
  const { stderr } = await lab.run(`kubectl create -f - <<'EOF'\n${JSON.stringify(made)}\nEOF`);
  return stderr;
};
const patch = (name: string, spec: object) => lab.ok(`kubectl patch cronjob ${name} --type=merge -p '${JSON.stringify({ spec })}'`);
const cron = (name: string): DeepReadonly<CronJob> | undefined =>
  (lab.objects('cronjobs') as readonly DeepReadonly<CronJob>[]).find((each) => each.metadata.name === name);
const jobs = (name: string): readonly DeepReadonly<Job>[] =>
  (lab.objects('jobs') as readonly DeepReadonly<Job>[]).filter((each) =>
    each.metadata.ownerReferences?.some((owner) => owner.kind === 'CronJob' && owner.name === name),
  );
const events = (name: string) => lab.events(`CronJob/${name}`).map(({ reason, message }) => `${reason} ${message}`);
const untilJob = (name: string) => lab.until(() => jobs(name).length > 0, `a job of ${name}`);
/** The name of the Job for a time of that day. */
const nameFor = (name: string, time: string) => `${name}-${Math.floor((instantOf(`2026-01-05T${time}:00Z`)! / seconds(1) + EPOCH_SECONDS) / 60)}`;
const gone = async (name: string) => {
  await lab.ok(`kubectl delete cronjob ${name}`);
  await lab.until(() => jobs(name).length === 0 && lab.pods().every((pod) => !pod.metadata.name?.startsWith(name)), `${name} is gone`);
};

describe('the page of the tasks', () => {
  test('hello every minute: jobs by the minute, the last three kept', async () => {
    await create('hello', { schedule: '* * * * *', jobTemplate: jobTemplate('date; echo Hello from the Kubernetes cluster') });
    expect(await lab.ok('kubectl get cronjob hello')).toMatch(
      /NAME +SCHEDULE +TIMEZONE +SUSPEND +ACTIVE +LAST SCHEDULE +AGE\nhello +\* \* \* \* \* +<none> +False +0 +<none> +\d+s\n/,
    );
    await untilJob('hello');
    expect(jobs('hello')[0]?.metadata.name).toBe(nameFor('hello', '08:01'));
    await lab.wait(minutes(5) + seconds(15));
    expect(jobs('hello').map((job) => job.metadata.name)).toEqual(['08:04', '08:05', '08:06'].map((time) => nameFor('hello', time)));
    expect(cron('hello')?.status).toMatchObject({ lastScheduleTime: '2026-01-05T08:06:00Z' });
    expect(instantOf(cron('hello')?.status?.lastSuccessfulTime)).toBe(Math.max(...jobs('hello').map((job) => instantOf(job.status?.completionTime)!)));
    expect(cron('hello')?.status?.active).toBeUndefined();
    const first = nameFor('hello', '08:01');
    expect(events('hello').slice(0, 2)).toEqual([`SuccessfulCreate Created job ${first}`, `SawCompletedJob Saw completed job: ${first}, condition: Complete`]);
    expect(events('hello')).toContain(`SuccessfulDelete Deleted job ${first}`);
    const job = jobs('hello')[0]!;
    expect(job.metadata.annotations).toEqual({ 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-05T08:04:00Z' });
    expect(job.metadata.ownerReferences).toEqual([
      { apiVersion: 'batch/v1', kind: 'CronJob', name: 'hello', uid: cron('hello')?.metadata.uid, controller: true, blockOwnerDeletion: true },
    ]);
    expect(await lab.ok(`kubectl logs job/${job.metadata.name}`)).toMatch(/^Mon Jan +5 08:04:\d\d UTC 2026\nHello from the Kubernetes cluster\n$/);
  });

  test('deleting it takes its jobs and their pods', () => gone('hello'));
});

describe('concurrencyPolicy', () => {
  test('Allow: they overlap', async () => {
    await create('allow', { schedule: '*/1 * * * *', jobTemplate: jobTemplate('sleep 150') });
    await lab.until(() => cron('allow')?.status?.active?.length === 3, 'three at a time');
    expect(cron('allow')?.status?.active?.[0]).toMatchObject({
      kind: 'Job',
      apiVersion: 'batch/v1',
      namespace: 'default',
      name: jobs('allow')[0]?.metadata.name,
    });
    await gone('allow');
  });

  test('Forbid: a start is left out while one runs', async () => {
    await create('forbid', { schedule: '*/1 * * * *', concurrencyPolicy: 'Forbid', jobTemplate: jobTemplate('sleep 100') });
    await untilJob('forbid');
    const [first] = jobs('forbid');
    await lab.until(() => events('forbid').length > 1, 'a second start');
    expect(events('forbid')[1]).toBe('JobAlreadyActive Not starting job because prior execution is running and concurrency policy is Forbid');
    expect(jobs('forbid')).toHaveLength(1);
    // What was left out is made up for when the way is free: its time has passed, but no later one has come.
    await lab.until(() => jobs('forbid').length === 2, 'the second');
    const minute = (job: DeepReadonly<Job> | undefined) => Number(job?.metadata.name?.split('-')[1]);
    expect(minute(jobs('forbid')[1]) - minute(first)).toBe(1);
    await gone('forbid');
  });

  test('Replace: the old one is deleted', async () => {
    await create('replace', { schedule: '*/1 * * * *', concurrencyPolicy: 'Replace', jobTemplate: jobTemplate('sleep 1000') });
    await untilJob('replace');
    const [first] = jobs('replace');
    await lab.until(() => jobs('replace').length > 0 && !jobs('replace').some((job) => job.metadata.uid === first?.metadata.uid), 'replaced');
    expect(events('replace')).toContain(`SuccessfulDelete Deleted job ${first?.metadata.name}`);
    expect(cron('replace')?.status?.active).toHaveLength(1);
    await gone('replace');
  });
});

describe('when', () => {
  test('time zones', async () => {
    const at = new Date(Number(lab.now / 1000) + EPOCH_SECONDS * 1000 + 3_600_000);
    const tokyo = (at.getUTCHours() + 9) % 24;
    await create('tokyo', { schedule: `0 ${tokyo} * * *`, timeZone: 'Asia/Tokyo', jobTemplate: jobTemplate('true') });
    await create('utc', { schedule: `0 ${tokyo} * * *`, jobTemplate: jobTemplate('true') });
    await lab.until(() => jobs('tokyo').length > 0, 'the hour', minutes(65));
    const hour = String(at.getUTCHours()).padStart(2, '0');
    expect(cron('tokyo')?.status?.lastScheduleTime).toBe(`2026-01-05T${hour}:00:00Z`);
    expect(jobs('tokyo')[0]?.metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp']).toBe(`2026-01-05T${tokyo}:00:00+09:00`);
    expect(jobs('utc')).toHaveLength(0);
    expect(await lab.ok('kubectl get cronjob tokyo --no-headers')).toMatch(/^tokyo +0 \d+ \* \* \* +Asia\/Tokyo +False/);
    await gone('tokyo');
    await gone('utc');
  });

  test('suspended it makes no job; what it missed is made up for once', async () => {
    await create('suspended', { schedule: '*/5 * * * *', suspend: true, jobTemplate: jobTemplate('true') });
    await lab.wait(minutes(15));
    await lab.until(() => Math.floor(lab.now / minutes(1)) % 5 === 2, 'two past');
    expect(jobs('suspended')).toHaveLength(0);
    await patch('suspended', { suspend: false });
    await lab.wait(seconds(5));
    expect(jobs('suspended')).toHaveLength(1);
    expect(events('suspended').filter((text) => text.startsWith('SuccessfulCreate'))).toHaveLength(1);
    await gone('suspended');
  });

  test('a hundred missed starts are worth a warning', async () => {
    await create('late', { schedule: '* * * * *', suspend: true, jobTemplate: jobTemplate('true') });
    await lab.wait(minutes(105));
    await patch('late', { suspend: false });
    await lab.wait(seconds(5));
    expect(events('late')[0]).toBe('TooManyMissedTimes too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew');
    expect(jobs('late')).toHaveLength(1);
    await gone('late');
  });

  test('with startingDeadlineSeconds what is too late is not made up for', async () => {
    await create('deadline', { schedule: '*/10 * * * *', startingDeadlineSeconds: 20, suspend: true, jobTemplate: jobTemplate('true') });
    // Into the middle between two starts.
    await lab.until(() => Math.floor(lab.now / minutes(1)) % 10 === 4, 'four past', minutes(30));
    await lab.wait(minutes(20));
    await patch('deadline', { suspend: false });
    await lab.wait(seconds(30));
    expect(jobs('deadline')).toHaveLength(0);
    await lab.wait(minutes(10));
    expect(jobs('deadline')).toHaveLength(1);
    await gone('deadline');
  });

  test('a new schedule begins with its own next start', async () => {
    await create('changed', { schedule: '0 0 1 1 *', jobTemplate: jobTemplate('true') });
    await lab.wait(minutes(3));
    await patch('changed', { schedule: '*/2 * * * *' });
    await lab.wait(seconds(1));
    expect(jobs('changed')).toHaveLength(0);
    await lab.wait(minutes(2));
    expect(jobs('changed')).toHaveLength(1);
    await gone('changed');
  });

  test('a day that never comes', async () => {
    await create('never', { schedule: '59 23 31 2 *', jobTemplate: jobTemplate('true') });
    await lab.wait(seconds(5));
    expect(events('never')).toEqual(['InvalidSchedule invalid schedule: 59 23 31 2 * : time difference between two schedules is less than 1 second']);
    await gone('never');
  });
});

describe('its jobs', () => {
  test('failed ones are kept apart: one', async () => {
    await create('failing', { schedule: '* * * * *', jobTemplate: jobTemplate('exit 1', { backoffLimit: 0 }) });
    await lab.until(() => events('failing').some((text) => text.startsWith('SuccessfulDelete')), 'the first is deleted');
    expect(events('failing')[1]).toBe(`SawCompletedJob Saw completed job: ${events('failing')[0]?.split(' ').at(-1)}, condition: Failed`);
    expect(jobs('failing').filter((job) => job.status?.conditions?.some(({ type }) => type === 'Failed'))).toHaveLength(1);
    expect(cron('failing')?.status?.lastSuccessfulTime).toBeUndefined();
    await gone('failing');
  });

  test('one that somebody deletes is missed', async () => {
    await create('missing', { schedule: '* * * * *', jobTemplate: jobTemplate('sleep 1000') });
    await untilJob('missing');
    const name = jobs('missing')[0]!.metadata.name;
    await lab.ok(`kubectl delete job ${name}`);
    await lab.until(() => events('missing').includes(`MissingJob Active job went missing: ${name}`), 'it is noticed');
    expect(cron('missing')?.status?.active?.some((job) => job.name === name) ?? false).toBe(false);
    await gone('missing');
  });

  // docs/reference/kubectl: create job --from=cronjob/…
  test('one made by hand from its template', async () => {
    await create('template', { schedule: '0 0 1 1 *', jobTemplate: jobTemplate('echo by hand') });
    await lab.ok('kubectl create job by-hand --from=cronjob/template');
    await lab.ok('kubectl wait --for=condition=complete job/by-hand --timeout=60s');
    expect(await lab.ok('kubectl logs job/by-hand')).toBe('by hand\n');
    expect(jobs('template').map((job) => job.metadata.annotations)).toEqual([{ 'cronjob.kubernetes.io/instantiate': 'manual' }]);
    await gone('template');
  });
});

// pkg/apis/batch/validation
test.each([
  [{ schedule: '* * * *' }, 'spec.schedule: Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]'],
  [{ schedule: 'TZ=UTC * * * * *' }, 'spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead'],
  [{ timeZone: 'Moon/Tycho' }, 'spec.timeZone: Invalid value: "Moon/Tycho": unknown time zone Moon/Tycho'],
  [{ timeZone: 'europe/berlin' }, 'spec.timeZone: Invalid value: "europe/berlin": unknown time zone europe/berlin'],
  [{ timeZone: '' }, 'spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string'],
  [{ timeZone: 'Local' }, 'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'],
  [{ concurrencyPolicy: 'Never' }, 'spec.concurrencyPolicy: Unsupported value: "Never": supported values: "Allow", "Forbid", "Replace"'],
  [
    { jobTemplate: { spec: { template: { spec: { containers: [{ name: 'a', image: 'b' }] } } } } },
    'spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
  ],
])('%j is refused', async (spec, message) => {
  expect(await refused(spec)).toBe(`The CronJob "bad" is invalid: ${message}\n`);
});
