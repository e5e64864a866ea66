/**
 * A CronJob makes a Job whenever its schedule is due, and forgets old ones. What was missed while nobody looked is made
 * up for once, by the latest start that is not too late (pkg/controller/cronjob/cronjob_controllerv2.go).
 *
 * Keeps true: the latest start that became due has its Job, named after the minute; `status.active` lists those that run.
 * Woken by: the CronJob, its Jobs, and 100 ms after each time it is due.
 */
import { type Duration, type Instant, seconds } from '../../sim/clock.ts';
import type { DeepReadonly } from '../api/json.ts';
import { type KubeObject, keyOf } from '../api/meta.ts';
import { controllerOf, isControlledBy, newControllerRef } from '../api/owner.ts';
import { EPOCH_SECONDS, instantOf, rfc3339, timestamp } from '../api/time.ts';
import type { CronJob, CronJobStatus, ObjectReference } from '../api/types.gen.ts';
import { isAlreadyExists, isNamespaceTerminating, isNotFound, messageOf } from '../client/retry.ts';
import { type Context, type Runnable, reconciler } from './controller.ts';
import { type Calendar, calendarOf } from './cronjob-calendar.ts';
import { latestStart, minuteOf, untilNext } from './cronjob-schedule.ts';
import { finishOf, isJobFinished, type ReadonlyJob } from './job-pods.ts';
import { loadZones, periodAt, UTC, type Zone } from './time-zones.ts';

type Cron = DeepReadonly<CronJob>;
type Status = DeepReadonly<CronJobStatus>;
type ZoneOf = (name: string) => Zone | undefined;

const SCHEDULED_ANNOTATION = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

/** With the time zones, which are as much to bring as all of it. */
export const bringCronJobController = async (): Promise<Runnable> => cronJobController(await loadZones());

export const cronJobController = (zoneOf: ZoneOf): Runnable =>
  reconciler({
    name: 'cronjob-controller',
    for: 'CronJob',
    owns: ['Job'],
    // Another schedule begins with its own next start: what the old one missed is not made up for by the new one.
    delay: (after, before, { now, event }) => (after && before && isRescheduled(after, before) ? untilRescheduled(after as Cron, zoneOf, now(), event) : 0),

    async reconcile(cron, context) {
      const jobs = context
        .informer('Job')
        .list(cron.metadata.namespace)
        .filter((job) => controllerOf(job)?.name === cron.metadata.name);
      const cleaned = await removeOld(cron, jobs, context);
      const { status, again, error } = await schedule({ ...cron, status: cleaned }, jobs, zoneOf, context);
      if (status !== cron.status) await context.client.of('CronJob').updateStatus({ ...cron, status });
      if (error) throw error;
      return again === undefined ? undefined : { again };
    },
  });

function isRescheduled(after: DeepReadonly<KubeObject>, before: DeepReadonly<KubeObject>): boolean {
  if (after.kind !== 'CronJob') return false;
  const [now, was] = [(after as Cron).spec, (before as Cron).spec];
  return now?.schedule !== was?.schedule || now?.timeZone !== was?.timeZone;
}

function untilRescheduled(cron: Cron, zoneOf: ZoneOf, now: Instant, event: Context['event']): Duration {
  const calendar = calendarFor(cron, zoneOf);
  if ('next' in calendar) return untilNext(cron, now, calendar.next);
  event(cron, 'Warning', 'UnParseableCronJobSchedule', `unparseable schedule for cronjob: ${cron.spec?.schedule}`);
  return 0;
}

const calendarFor = (cron: Cron, zoneOf: ZoneOf) => calendarOf(cron.spec?.schedule ?? '', zoneOf(cron.spec?.timeZone ?? 'UTC') ?? UTC);

// --- old jobs ----------------------------------------------------------------------------------------------

/** Of the jobs that succeeded, and of those that failed, only the newest so many are kept (`cleanupFinishedJobs`). */
async function removeOld(cron: Cron, jobs: readonly ReadonlyJob[], context: Context): Promise<Status | undefined> {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cron.spec ?? {};
  let status = cron.status;
  for (const [type, limit] of [
    ['Complete', successfulJobsHistoryLimit],
    ['Failed', failedJobsHistoryLimit],
  ] as const) {
    if (limit === undefined) continue;
    const finished = jobs.filter((job) => finishOf(job)?.type === type).sort(byStart);
    for (const job of finished.slice(0, Math.max(0, finished.length - limit))) if (await removeJob(cron, job, context)) status = withoutActive(status, job);
  }
  return status;
}

function byStart(a: ReadonlyJob, b: ReadonlyJob): number {
  const [x, y] = [instantOf(a.status?.startTime), instantOf(b.status?.startTime)];
  if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
  return x - y || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1);
}

async function removeJob(cron: Cron, job: ReadonlyJob, { client, event }: Context): Promise<boolean> {
  try {
    await client.of('Job').delete(keyOf(job), { propagationPolicy: 'Background' });
  } catch (error) {
    event(cron, 'Warning', 'FailedDelete', `Deleted job: ${messageOf(error)}`);
    return false;
  }
  event(cron, 'Normal', 'SuccessfulDelete', `Deleted job ${job.metadata.name}`);
  return true;
}

// --- the list of active jobs -------------------------------------------------------------------------------

const isListed = (status: Status | undefined, job: ReadonlyJob): boolean => status?.active?.some(({ uid }) => uid === job.metadata.uid) ?? false;

function withoutActive(status: Status | undefined, job: { readonly metadata: { readonly uid?: string | undefined } }): Status | undefined {
  const active = status?.active?.filter(({ uid }) => uid !== job.metadata.uid);
  if (!active || active.length === status?.active?.length) return status;
  const { active: _, ...rest } = status ?? {};
  return active.length > 0 ? { ...rest, active } : rest;
}

/** What became of the jobs it knows, and of those it does not. */
async function takeStock(cron: Cron, jobs: readonly ReadonlyJob[], { client, event }: Context): Promise<Status | undefined> {
  let status = cron.status;
  for (const job of jobs) {
    const listed = isListed(status, job);
    const finish = finishOf(job);
    if (!listed && !finish) {
      // Perhaps only this copy does not know it yet.
      const fresh = await client.of('CronJob').get(keyOf(cron));
      if (isListed(fresh.status, job)) status = fresh.status;
      else event(cron, 'Warning', 'UnexpectedJob', `Saw a job that the controller did not create or forgot: ${job.metadata.name}`);
    } else if (finish) {
      if (listed) {
        status = withoutActive(status, job);
        event(cron, 'Normal', 'SawCompletedJob', `Saw completed job: ${job.metadata.name}, condition: ${finish.type}`);
      }
      const completed = job.status?.completionTime;
      const last = instantOf(status?.lastSuccessfulTime);
      if (finish.type === 'Complete' && completed !== undefined && (last === undefined || instantOf(completed)! > last))
        status = { ...status, lastSuccessfulTime: completed };
    }
  }
  for (const reference of status?.active ?? []) {
    if (jobs.some((job) => job.metadata.uid === reference.uid)) continue;
    try {
      await client.of('Job').get(`${reference.namespace}/${reference.name}`);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      event(cron, 'Normal', 'MissingJob', `Active job went missing: ${reference.name}`);
      status = withoutActive(status, { metadata: { uid: reference.uid } });
    }
  }
  return status;
}

// --- the schedule ------------------------------------------------------------------------------------------

interface Outcome {
  readonly status: Status | undefined;
  readonly again?: Duration;
  /** After the status is written, the key is tried again. */
  readonly error?: unknown;
}

/** Makes the Job that is due, if one is (`syncCronJob`). */
async function schedule(given: Cron, jobs: readonly ReadonlyJob[], zoneOf: ZoneOf, context: Context): Promise<Outcome> {
  const { event, now } = context;
  const cron: Cron = { ...given, status: await takeStock(given, jobs, context) };
  const { status, spec } = cron;
  if (cron.metadata.deletionTimestamp) return { status };
  if (spec?.timeZone !== undefined && !zoneOf(spec.timeZone)) {
    event(cron, 'Warning', 'UnknownTimeZone', `invalid timeZone: ${JSON.stringify(spec.timeZone)}: unknown time zone ${spec.timeZone}`);
    return { status };
  }
  if (spec?.suspend) return { status };
  const calendar = calendarFor(cron, zoneOf);
  if ('error' in calendar) {
    event(cron, 'Warning', 'UnparseableSchedule', `unparseable schedule: ${JSON.stringify(spec?.schedule)} : ${calendar.error}`);
    return { status };
  }
  const due = latestStart(cron, now(), calendar.next, true);
  if ('error' in due) {
    event(cron, 'Warning', 'InvalidSchedule', `invalid schedule: ${spec?.schedule} : ${due.error}`);
    return { status };
  }
  const later = (): Outcome => ({ status, again: untilNext(cron, now(), calendar.next) });
  const at = due.latest;
  if (at === undefined) return later();
  if (due.missed === 'many')
    event(cron, 'Warning', 'TooManyMissedTimes', 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew');
  if (spec?.startingDeadlineSeconds !== undefined && at + seconds(spec.startingDeadlineSeconds) < now()) {
    event(cron, 'Warning', 'MissSchedule', `Missed scheduled time to start a job: ${rfc1123(at)}`);
    return later();
  }
  if (status?.active?.some(({ name }) => name === jobName(cron, at)) || instantOf(status?.lastScheduleTime) === at) return later();
  if (spec?.concurrencyPolicy === 'Forbid' && status?.active?.length) {
    event(cron, 'Normal', 'JobAlreadyActive', 'Not starting job because prior execution is running and concurrency policy is Forbid');
    return later();
  }
  return start(cron, at, zoneOf, calendar.next, context);
}

async function start(cron: Cron, at: Instant, zoneOf: ZoneOf, next: Calendar, context: Context): Promise<Outcome> {
  const { client, event, now } = context;
  let { status } = cron;
  if (cron.spec?.concurrencyPolicy === 'Replace') {
    for (const { namespace, name } of status?.active ?? []) {
      let job: ReadonlyJob;
      try {
        job = await client.of('Job').get(`${namespace}/${name}`);
      } catch (error) {
        event(cron, 'Warning', 'FailedGet', `Get job: ${messageOf(error)}`);
        return { status, error };
      }
      if (!(await removeJob(cron, job, context))) return { status, error: new Error(`could not replace job ${namespace}/${name}`) };
      status = withoutActive(status, job);
    }
  }
  let job: ReadonlyJob;
  try {
    job = await client.of('Job').create(jobFrom(cron, at, zoneOf));
    event(cron, 'Normal', 'SuccessfulCreate', `Created job ${job.metadata.name}`);
  } catch (error) {
    if (!isAlreadyExists(error)) {
      if (!isNamespaceTerminating(error)) event(cron, 'Warning', 'FailedCreate', `Error creating job: ${messageOf(error)}`);
      return { status, error };
    }
    // Made by this controller before it could write its status down, or by somebody else, who is left alone.
    try {
      job = await client.of('Job').get(`${cron.metadata.namespace}/${jobName(cron, at)}`);
    } catch (gone) {
      return { status, error: gone };
    }
    if (!isControlledBy(job, cron) || isListed(status, job) || isJobFinished(job)) return { status };
  }
  const active = [...(status?.active ?? []), referenceTo(job)];
  const after: Status = { ...status, active, lastScheduleTime: timestamp(at) };
  return { status: after, again: untilNext({ ...cron, status: after }, now(), next) };
}

const jobName = (cron: Cron, at: Instant): string => `${cron.metadata.name}-${minuteOf(Math.floor(at / seconds(1)) + EPOCH_SECONDS)}`;

/** A Job of the template, named by the minute it is for: two controllers cannot make it twice (`getJobFromTemplate2`). */
export function jobFrom(cron: Cron, at: Instant, zoneOf: ZoneOf): ReadonlyJob {
  const template = cron.spec?.jobTemplate;
  const { labels, annotations } = template?.metadata ?? {};
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: jobName(cron, at),
      ...(cron.metadata.namespace ? { namespace: cron.metadata.namespace } : {}),
      ...(labels ? { labels } : {}),
      annotations: { ...annotations, [SCHEDULED_ANNOTATION]: inZone(at, zoneOf(cron.spec?.timeZone ?? 'UTC') ?? UTC) },
      ownerReferences: [newControllerRef(cron)],
    },
    ...(template?.spec ? { spec: template.spec } : {}),
  };
}

const referenceTo = ({ apiVersion, kind, metadata }: ReadonlyJob): DeepReadonly<ObjectReference> => ({
  kind: kind ?? 'Job',
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
  uid: metadata.uid ?? '',
  apiVersion: apiVersion ?? 'batch/v1',
  resourceVersion: metadata.resourceVersion ?? '',
});

/** RFC 3339 with the zone's offset, `Z` where it is none. */
function inZone(at: Instant, zone: Zone): string {
  const second = Math.floor(at / seconds(1)) + EPOCH_SECONDS;
  const offset = zone.offsets[periodAt(zone, second)] ?? 0;
  if (offset === 0) return rfc3339(second);
  const minutes = Math.floor(Math.abs(offset) / 60);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${rfc3339(second + offset).slice(0, -1)}${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

const WEEKDAYS = ['Thu', 'Fri', 'Sat', 'Sun', 'Mon', 'Tue', 'Wed'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Mon, 05 Jan 2026 08:00:00 +0000`: Go's time.RFC1123Z in UTC. */
function rfc1123(at: Instant): string {
  const second = Math.floor(at / seconds(1)) + EPOCH_SECONDS;
  const text = rfc3339(second);
  const weekday = WEEKDAYS[Math.floor(second / 86_400) % 7];
  return `${weekday}, ${text.slice(8, 10)} ${MONTHS[Number(text.slice(5, 7)) - 1]} ${text.slice(0, 4)} ${text.slice(11, 19)} +0000`;
}
