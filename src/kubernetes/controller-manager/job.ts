/**
 * A Job runs pods until enough of them have succeeded. It makes no more than `parallelism` at a time, makes anew what
 * fails, ever more slowly, and gives up when too much has failed or too long has passed.
 *
 * Keeps true: as many pods run as there is work left for; every pod that ended is counted once.
 * Woken by: the Job; a second later, so that many changes become one look, its pods and its own status.
 *
 * The parts: `job-assess.ts` what the pods amount to, `job-plan.ts` what to make or remove, `job-tracking.ts` counting,
 * `job-backoff.ts`, `job-template.ts`, `job-indexes.ts`, `job-orphans.ts`. Here simplified: no metrics.
 */
import { type Duration, minutes, seconds } from '../../sim/clock.ts';
import { type Key, keyOf } from '../api/meta.ts';
import { controllerOf } from '../api/owner.ts';
import { selectorOf } from '../api/selector.ts';
import { timestamp } from '../api/time.ts';
import { isNamespaceTerminating, isNotFound, messageOf } from '../client/retry.ts';
import { claim } from './claim.ts';
import { type Context, type Runnable, reconciler } from './controller.ts';
import { type Assessment, assess, completion } from './job-assess.ts';
import { type Backoff, NO_FAILURES } from './job-backoff.ts';
import { releaseOrphans } from './job-orphans.ts';
import { type JobPlan, plan } from './job-plan.ts';
import { isJobFinished, isManagedElsewhere, isSuspended, isTracked, type ReadonlyJob, TRACKING_FINALIZER } from './job-pods.ts';
import { podFor } from './job-template.ts';
import { counter, RELEASE_PATCH, type ReadonlyStatus, track, withCondition } from './job-tracking.ts';
import { isReady, type ReadonlyPod } from './pods.ts';
import { slowStart } from './slow-start.ts';

/** Changes within this time are looked at together (syncJobBatchPeriod); retries and waits are never shorter. */
const BATCH = seconds(1);

/** One for each run of the manager: the count of failures in a row lives as long as its memory. */
export function jobController(): Runnable {
  const backoffs = new Map<Key, Backoff>();
  return reconciler({
    name: 'job-controller',
    for: 'Job',
    owns: ['Pod'],
    wakes: {
      Pod: (pod, { informer }) =>
        controllerOf(pod) || pod.metadata.deletionTimestamp
          ? []
          : informer('Job')
              .list(pod.metadata.namespace)
              .filter((job) => selectorOf(job.spec?.selector).matches(pod.metadata.labels))
              .map(keyOf),
    },
    retry: { first: BATCH, longest: minutes(1) },
    delay: (object, before) => (object?.kind === 'Pod' || (before && object?.metadata.generation === before.metadata.generation) ? BATCH : 0),
    start: releaseOrphans,

    async reconcile(job, context) {
      if (isManagedElsewhere(job)) return undefined;
      const key = keyOf(job);
      if (isJobFinished(job)) {
        backoffs.delete(key);
        return undefined;
      }
      const started = withStart(job, context);
      const pods = await podsOf(started, context);
      const state = assess(started, pods, backoffs.get(key) ?? NO_FAILURES, context.now());
      return bringOn(job, started, pods, state, context, () => backoffs.set(key, state.backoff));
    },

    async gone(key) {
      backoffs.delete(key);
    },
  });
}

/** The Job with its start time, if it is not suspended. */
function withStart(job: ReadonlyJob, { now }: Context): ReadonlyJob {
  const status = { ...job.status, uncountedTerminatedPods: job.status?.uncountedTerminatedPods ?? {} };
  return { ...job, status: status.startTime || isSuspended(job) ? status : { ...status, startTime: timestamp(now()) } };
}

/** Its pods, adopted and released as upstream's ControllerRefManager does: adopted ones are tracked from then on. */
const podsOf = (job: ReadonlyJob, context: Context): Promise<readonly ReadonlyPod[]> =>
  claim(
    context,
    job,
    'Pod',
    context.informer('Pod').list(job.metadata.namespace),
    (pod) => selectorOf(job.spec?.selector).matches(pod.metadata.labels),
    TRACKING_FINALIZER,
  );

/** Makes and removes pods, then writes the status (the second half of `syncJob`). */
async function bringOn(original: ReadonlyJob, job: ReadonlyJob, pods: readonly ReadonlyPod[], state: Assessment, context: Context, noted: () => void) {
  let { outcome } = state;
  let wait: Duration | undefined = state.deadlineIn;
  let active = state.active.length;
  let removed: readonly ReadonlyPod[] = [];
  let error: unknown;
  let status = job.status ?? {};
  if (outcome) {
    // What still runs is stopped; the finalizers stay until all is counted.
    const deleted = await removePods(job, state.active, context, false);
    ({ removed, error } = deleted);
    if (removed.length < active) outcome = undefined;
    active -= removed.length;
  } else {
    if (!job.metadata.deletionTimestamp) {
      const todo = plan(job, state, context.now());
      if (todo.wait !== undefined) wait = Math.min(wait ?? todo.wait, Math.max(todo.wait, BATCH));
      const done = await carryOut(job, todo, state, context);
      ({ removed, error } = done);
      active += done.created - removed.length;
    }
    outcome = completion(job, state.succeeded, active);
    if (!outcome && !job.metadata.deletionTimestamp) status = withSuspension(job, context);
  }
  const ready = state.active.filter((pod) => isReady(pod) && !removed.includes(pod)).length;
  const terminating = state.terminating.length + removed.length;
  const { active: _, ...rest } = status;
  const next: ReadonlyStatus = { ...rest, ...counter('active', active), ready, terminating };
  const before = original.status;
  const changed = status !== job.status || active !== (before?.active ?? 0) || ready !== before?.ready || terminating !== before?.terminating;
  await track({ job: { ...job, status: next }, pods, state, outcome, changed, noted }, context);
  if (error) throw error;
  return wait === undefined ? undefined : { again: wait };
}

/** The Suspended condition and its event, when either way changes. Whoever resumes starts the clock of the deadline anew. */
function withSuspension(job: ReadonlyJob, { event, now }: Context): ReadonlyStatus {
  const status = job.status ?? {};
  if (isSuspended(job)) {
    const next = withCondition(status, { type: 'Suspended', reason: 'JobSuspended', message: 'Job suspended' }, now());
    if (next !== status) event(job, 'Normal', 'Suspended', 'Job suspended');
    return next;
  }
  const next = withCondition(status, { type: 'Suspended', reason: 'JobResumed', message: 'Job resumed' }, now(), 'False');
  if (next === status) return status;
  event(job, 'Normal', 'Resumed', 'Job resumed');
  return { ...next, startTime: timestamp(now()) };
}

interface Done {
  readonly created: number;
  readonly removed: readonly ReadonlyPod[];
  readonly error: unknown;
}

async function carryOut(job: ReadonlyJob, { remove, create }: JobPlan, { indexes }: Assessment, context: Context): Promise<Done> {
  if (remove.length > 0) return removePods(job, remove, context, true);
  const { client, event } = context;
  let created = 0;
  const errors = await slowStart(create.length, async (i) => {
    const index = create[i];
    try {
      const pod = await client.of('Pod').create(podFor(job, index, index === undefined ? undefined : indexes?.lastFailed.get(index)));
      created++;
      event(job, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
    } catch (error) {
      // The namespace is going away: whatever was made would be deleted at once.
      if (isNamespaceTerminating(error)) return;
      event(job, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`);
      throw error;
    }
  });
  return { created, removed: [], error: errors[0] };
}

/** @param release first takes the finalizer, so that a pod that is not needed does not count as failed */
async function removePods(job: ReadonlyJob, pods: readonly ReadonlyPod[], { client, event }: Context, release: boolean): Promise<Done> {
  const errors: unknown[] = [];
  const kept = new Set<ReadonlyPod>();
  await Promise.all(
    pods.map(async (pod) => {
      const key = keyOf(pod);
      try {
        if (release && isTracked(pod)) await client.of('Pod').patch(key, RELEASE_PATCH, 'strategic');
        await client.of('Pod').delete(key);
        event(job, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
      } catch (error) {
        if (isNotFound(error)) return;
        event(job, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
        kept.add(pod);
        errors.push(error);
      }
    }),
  );
  return { created: 0, removed: pods.filter((pod) => !kept.has(pod)), error: errors[0] };
}
