/**
 * Counting what ended, exactly once (`trackJobStatusAndRemoveFinalizers`, KEP-2307): a pod is first noted in
 * `status.uncountedTerminatedPods`, then loses its finalizer, and only then adds to a counter. Whoever crashes in
 * between finds in the Job and on its pods how far it had come.
 */
import type { Instant } from '../../sim/clock.ts';
import type { DeepReadonly, Json } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import { timestamp } from '../api/time.ts';
import type { JobCondition, JobStatus } from '../api/types.gen.ts';
import { isNotFound } from '../client/retry.ts';
import type { Context } from './controller.ts';
import { type Assessment, isOwnIndex, type Outcome } from './job-assess.ts';
import { indexesText, indexOf, total } from './job-indexes.ts';
import { isFailed, isIndexed, isTracked, judgeFailure, type ReadonlyJob, TRACKING_FINALIZER } from './job-pods.ts';
import type { ReadonlyPod } from './pods.ts';

export type ReadonlyStatus = DeepReadonly<JobStatus>;

/** Never more pods are noted at once: their uids take up room in the Job (MaxUncountedPods). */
const MOST_UNCOUNTED = 500;

export const RELEASE_PATCH: Json = { metadata: { '$deleteFromPrimitiveList/finalizers': [TRACKING_FINALIZER] } };

export interface Tracking {
  /** With the status as it is to be, the counters apart. */
  readonly job: ReadonlyJob;
  readonly pods: readonly ReadonlyPod[];
  readonly state: Assessment;
  /** Undefined while the Job goes on. */
  readonly outcome: Outcome | undefined;
  /** Something of the status differs from what is stored. */
  readonly changed: boolean;
  /** Called when what ended is safely noted. */
  noted(): void;
}

/** Writes what is to be written. Rejects with the first error; the next look goes on from there. */
export async function track({ job: given, pods, state, outcome, changed, noted }: Tracking, context: Context): Promise<void> {
  const { client, event, now } = context;
  const jobs = client.of('Job');
  let job = given;
  let dirty = changed;
  const setStatus = (status: ReadonlyStatus): void => {
    if (status === job.status) return;
    job = { ...job, status };
    dirty = true;
  };
  const save = async (): Promise<void> => {
    job = await jobs.updateStatus(job);
    dirty = false;
  };

  const tracked = new Set(pods.filter(isTracked).map((pod) => pod.metadata.uid));
  setStatus(settled(job.status ?? {}, tracked));
  const { release, status, full } = note(job, pods, state, outcome);
  setStatus(status);
  if (outcome?.type === 'FailureTarget' || outcome?.type === 'SuccessCriteriaMet') setStatus(withCondition(job.status ?? {}, outcome, now()));
  if (dirty) {
    await save();
    noted();
  }

  const errors: unknown[] = [];
  await Promise.all(
    release.map(async (pod) => {
      try {
        await client.of('Pod').patch(keyOf(pod), RELEASE_PATCH, 'strategic');
        tracked.delete(pod.metadata.uid);
      } catch (error) {
        if (isNotFound(error)) tracked.delete(pod.metadata.uid);
        else errors.push(error);
      }
    }),
  );
  setStatus(settled(job.status ?? {}, tracked));
  if (errors.length > 0) {
    if (dirty) await save();
    throw errors[0];
  }

  const end = outcome && !full && isAllCounted(job.status) && (job.status?.terminating ?? 0) === 0 ? terminal(outcome) : undefined;
  if (end) setStatus(withCondition(job.status ?? {}, end, now()));
  if (dirty) await save();
  if (end) tellEnd(job, end, event);
}

/** Failed after FailureTarget, Complete after SuccessCriteriaMet, with the same words. */
function terminal(outcome: Outcome): Outcome {
  if (outcome.type === 'FailureTarget') return { ...outcome, type: 'Failed' };
  return outcome.type === 'SuccessCriteriaMet' ? { ...outcome, type: 'Complete' } : outcome;
}

function tellEnd(job: ReadonlyJob, { type, reason, message }: Outcome, event: Context['event']): void {
  if (type === 'Failed') {
    event(job, 'Warning', reason, message);
    return;
  }
  if (job.spec?.completions !== undefined && (job.status?.succeeded ?? 0) > job.spec.completions)
    event(job, 'Warning', 'TooManySucceededPods', 'Too many succeeded pods running after completion count reached');
  event(job, 'Normal', 'Completed', 'Job completed');
}

const isAllCounted = (status: ReadonlyStatus | undefined): boolean =>
  !status?.uncountedTerminatedPods?.succeeded?.length && !status?.uncountedTerminatedPods?.failed?.length;

/** Pods noted earlier that have lost their finalizer since become part of the counters; the same status when there are none. */
export function settled(status: ReadonlyStatus, tracked: ReadonlySet<string | undefined>): ReadonlyStatus {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const left = { succeeded: succeeded.filter((uid) => tracked.has(uid)), failed: failed.filter((uid) => tracked.has(uid)) };
  if (left.succeeded.length === succeeded.length && left.failed.length === failed.length) return status;
  return {
    ...status,
    ...counter('succeeded', (status.succeeded ?? 0) + succeeded.length - left.succeeded.length),
    ...counter('failed', (status.failed ?? 0) + failed.length - left.failed.length),
    uncountedTerminatedPods: uncounted(left.succeeded, left.failed),
  };
}

export const counter = <K extends 'active' | 'succeeded' | 'failed'>(name: K, n: number): { readonly [key in K]?: number } =>
  (n > 0 ? { [name]: n } : {}) as { readonly [key in K]?: number };

const uncounted = (succeeded: readonly string[], failed: readonly string[]): DeepReadonly<NonNullable<JobStatus['uncountedTerminatedPods']>> => ({
  ...(succeeded.length > 0 ? { succeeded } : {}),
  ...(failed.length > 0 ? { failed } : {}),
});

/** Which pods may lose their finalizer, and the status that notes them. */
export function note(job: ReadonlyJob, pods: readonly ReadonlyPod[], state: Assessment, outcome: Outcome | undefined) {
  const status = job.status ?? {};
  const indexed = isIndexed(job);
  const succeeded = [...(status.uncountedTerminatedPods?.succeeded ?? [])];
  const failed = [...(status.uncountedTerminatedPods?.failed ?? [])];
  const known = succeeded.length + failed.length;
  const release: ReadonlyPod[] = [];
  let newIndexes = 0;
  let full = false;
  for (const pod of indexed ? [...pods].sort((a, b) => indexOf(a) - indexOf(b)) : pods) {
    if (!isTracked(pod)) continue;
    const hasFailed = isFailed(pod, job);
    if (!mayRelease(job, pod, state, outcome, hasFailed)) continue;
    release.push(pod);
    const uid = pod.metadata.uid ?? '';
    if (pod.status?.phase === 'Succeeded' && !failed.includes(uid)) {
      if (indexed) newIndexes++;
      else if (!succeeded.includes(uid)) succeeded.push(uid);
    } else if (hasFailed || (outcome && outcome.type !== 'SuccessCriteriaMet')) {
      // When the Job is over, whatever had not ended counts as failed.
      const counts = judgeFailure(job.spec?.podFailurePolicy, pod).counts && (!indexed || isOwnIndex(job, indexOf(pod)));
      if (counts && !failed.includes(uid)) failed.push(uid);
    }
    if (newIndexes + succeeded.length + failed.length >= MOST_UNCOUNTED) {
      full = true;
      break;
    }
  }
  let next: ReadonlyStatus = succeeded.length + failed.length === known ? status : { ...status, uncountedTerminatedPods: uncounted(succeeded, failed) };
  if (state.indexes) {
    const completedIndexes = indexesText(state.indexes.succeeded);
    const failedIndexes = state.indexes.failed && indexesText(state.indexes.failed);
    if (completedIndexes !== (next.completedIndexes ?? '') || failedIndexes !== next.failedIndexes) {
      const { completedIndexes: _c, failedIndexes: _f, succeeded: _s, ...rest } = next;
      next = {
        ...rest,
        ...counter('succeeded', total(state.indexes.succeeded)),
        ...(completedIndexes === '' ? {} : { completedIndexes }),
        ...(failedIndexes === undefined ? {} : { failedIndexes }),
      };
    }
  }
  return { release, status: next, full };
}

/** A failed pod whose index is to be tried again stays until its successor carries its count on (`canRemoveFinalizer`). */
function mayRelease(job: ReadonlyJob, pod: ReadonlyPod, { indexes }: Assessment, outcome: Outcome | undefined, hasFailed: boolean): boolean {
  if (job.metadata.deletionTimestamp || outcome || pod.status?.phase === 'Succeeded') return true;
  return hasFailed && indexes?.lastFailed.get(indexOf(pod))?.metadata.uid !== pod.metadata.uid;
}

/** Conditions of Jobs carry the time of the last probe too; a new one replaces that of its type where anything differs (`ensureJobConditionStatus`). */
export function withCondition(
  status: ReadonlyStatus,
  { type, reason, message }: Pick<JobCondition, 'type'> & { readonly reason: string; readonly message: string },
  now: Instant,
  value: 'True' | 'False' = 'True',
): ReadonlyStatus {
  const conditions = status.conditions ?? [];
  const before = conditions.find((condition) => condition.type === type);
  if (before ? before.status === value && before.reason === reason && before.message === message : value === 'False') return status;
  const time = timestamp(now);
  const condition = { type, status: value, lastProbeTime: time, lastTransitionTime: time, reason, message };
  return {
    ...status,
    conditions: before ? conditions.map((each) => (each === before ? condition : each)) : [...conditions, condition],
    ...(type === 'Complete' ? { completionTime: time } : {}),
  };
}
