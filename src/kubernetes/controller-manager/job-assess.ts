/**
 * What a Job's pods amount to: how many ended and how, which indexes are done, and whether that decides the Job
 * (the first half of `syncJob` in pkg/controller/job/job_controller.go). Pure: nothing is written, and asking twice answers the same.
 */
import { type Duration, type Instant, seconds } from '../../sim/clock.ts';
import type { DeepReadonly } from '../api/json.ts';
import { instantOf } from '../api/time.ts';
import type { SuccessPolicy } from '../api/types.gen.ts';
import { type Backoff, backoffAfter } from './job-backoff.ts';
import { common, has, type Indexes, indexOf, parseIndexes, total, UNKNOWN_INDEX, withIndexes } from './job-indexes.ts';
import {
  allFailuresBefore,
  countsPerIndex,
  failuresBefore,
  finishedAt,
  isFailed,
  isIndexed,
  isSuspended,
  isTerminating,
  isTracked,
  jobCondition,
  judgeFailure,
  type ReadonlyJob,
} from './job-pods.ts';
import { isActive, type ReadonlyPod } from './pods.ts';

/**
 * How the Job ends. `FailureTarget` and `SuccessCriteriaMet` are decided here and announced before pods lose their
 * finalizers; `Failed` and `Complete` follow when every pod is counted and gone.
 */
export interface Outcome {
  readonly type: 'FailureTarget' | 'SuccessCriteriaMet' | 'Failed' | 'Complete';
  readonly reason: string;
  readonly message: string;
}

export interface IndexState {
  /** As `status.completedIndexes` has it. */
  readonly counted: Indexes;
  readonly succeeded: Indexes;
  /** Only where failures count per index. */
  readonly failed?: Indexes;
  /** The pod that last failed in an index that is to be tried again: it stays until its successor carries its count on. */
  readonly lastFailed: ReadonlyMap<number, ReadonlyPod>;
}

export interface Assessment {
  readonly active: readonly ReadonlyPod[];
  readonly terminating: readonly ReadonlyPod[];
  /** Pods, or for an Indexed Job indexes, that succeeded. */
  readonly succeeded: number;
  readonly failed: number;
  readonly indexes?: IndexState;
  readonly backoff: Backoff;
  readonly outcome?: Outcome;
  /** `activeDeadlineSeconds` runs out in so long. */
  readonly deadlineIn?: Duration;
}

/** @param job with `status.startTime`, if it has begun @param pods those that belong to it */
export function assess(job: ReadonlyJob, pods: readonly ReadonlyPod[], before: Backoff, now: Instant): Assessment {
  const uncounted = job.status?.uncountedTerminatedPods;
  const fresh = (known: readonly string[] | undefined, ended: (pod: ReadonlyPod) => boolean) =>
    countable(job, pods).filter((pod) => !known?.includes(pod.metadata.uid ?? '') && ended(pod));
  const newlySucceeded = fresh(uncounted?.succeeded, (pod) => pod.status?.phase === 'Succeeded');
  const newlyFailed = fresh(uncounted?.failed, (pod) => isFailed(pod, job));
  const failed =
    (job.status?.failed ?? 0) + (uncounted?.failed?.length ?? 0) + newlyFailed.filter((pod) => judgeFailure(job.spec?.podFailurePolicy, pod).counts).length;
  const deadlineIn = leftUntilDeadline(job, now);
  const active = pods.filter(isActive);

  let outcome = decidedBefore(job) ?? failedByPolicy(job, pods);
  if (!outcome && (failed > (job.spec?.backoffLimit ?? 6) || restartedTooOften(job, pods)))
    outcome = failure('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  if (!outcome && deadlineIn !== undefined && deadlineIn <= 0) outcome = failure('DeadlineExceeded', 'Job was active longer than specified deadline');

  let indexes: IndexState | undefined;
  if (isIndexed(job)) {
    indexes = indexState(job, pods, active);
    outcome ??= failedByIndexes(job, indexes) ?? succeededByPolicy(job.spec?.successPolicy, job.spec?.completions ?? 0, indexes.succeeded);
  }
  return {
    active,
    terminating: pods.filter(isTerminating),
    succeeded: indexes ? total(indexes.succeeded) : (job.status?.succeeded ?? 0) + (uncounted?.succeeded?.length ?? 0) + newlySucceeded.length,
    failed,
    ...(indexes ? { indexes } : {}),
    backoff: backoffAfter(before, newlySucceeded, newlyFailed),
    ...(outcome ? { outcome } : {}),
    ...(deadlineIn !== undefined && deadlineIn > 0 ? { deadlineIn } : {}),
  };
}

/** When as many have succeeded as are wanted and nothing runs any more; without a number, one is enough. */
export function completion(job: ReadonlyJob, succeeded: number, active: number): Outcome | undefined {
  const wanted = job.spec?.completions;
  const done = active === 0 && (wanted === undefined ? succeeded > 0 : succeeded >= wanted);
  return done ? { type: 'SuccessCriteriaMet', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' } : undefined;
}

const failure = (reason: string, message: string): Outcome => ({ type: 'FailureTarget', reason, message });

/** Pods whose end may still be counted: tracked, and of an index the Job has. */
function countable(job: ReadonlyJob, pods: readonly ReadonlyPod[]): readonly ReadonlyPod[] {
  return pods.filter((pod) => isTracked(pod) && (!isIndexed(job) || isOwnIndex(job, indexOf(pod))));
}
export const isOwnIndex = (job: ReadonlyJob, index: number): boolean => index !== UNKNOWN_INDEX && index < (job.spec?.completions ?? 0);

/** An earlier look decided; success stands before failure. */
function decidedBefore(job: ReadonlyJob): Outcome | undefined {
  const met = jobCondition(job, 'SuccessCriteriaMet');
  if (met?.status === 'True') return { type: 'SuccessCriteriaMet', reason: met.reason ?? '', message: met.message ?? '' };
  const target = jobCondition(job, 'FailureTarget');
  return target?.status === 'True' ? { type: 'Failed', reason: target.reason ?? '', message: target.message ?? '' } : undefined;
}

function failedByPolicy(job: ReadonlyJob, pods: readonly ReadonlyPod[]): Outcome | undefined {
  const policy = job.spec?.podFailurePolicy;
  if (!policy) return undefined;
  for (const pod of pods) {
    const message = isFailed(pod, job) ? judgeFailure(policy, pod).failJob : undefined;
    if (message !== undefined) return failure('PodFailurePolicy', message);
  }
  return undefined;
}

/** With restartPolicy OnFailure containers fail in place: their restarts count towards the limit (`pastBackoffLimitOnFailure`). */
function restartedTooOften(job: ReadonlyJob, pods: readonly ReadonlyPod[]): boolean {
  if (job.spec?.template.spec?.restartPolicy !== 'OnFailure') return false;
  const limit = job.spec.backoffLimit ?? 6;
  let restarts = 0;
  for (const { status } of pods) {
    if (status?.phase !== 'Running' && status?.phase !== 'Pending') continue;
    for (const { restartCount } of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) restarts += restartCount ?? 0;
  }
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

function leftUntilDeadline(job: ReadonlyJob, now: Instant): Duration | undefined {
  const limit = job.spec?.activeDeadlineSeconds;
  const since = instantOf(job.status?.startTime);
  return limit === undefined || since === undefined || isSuspended(job) ? undefined : since + seconds(limit) - now;
}

function indexState(job: ReadonlyJob, pods: readonly ReadonlyPod[], active: readonly ReadonlyPod[]): IndexState {
  const completions = job.spec?.completions ?? 0;
  const counted = parseIndexes(job.status?.completedIndexes, completions);
  const mine = countable(job, pods);
  const succeeded = withIndexes(counted, mine.filter((pod) => pod.status?.phase === 'Succeeded').map(indexOf));
  if (!countsPerIndex(job)) return { counted, succeeded, lastFailed: new Map() };
  const failed = withIndexes(parseIndexes(job.status?.failedIndexes, completions), mine.filter((pod) => failsItsIndex(job, pod)).map(indexOf));
  const running = new Set(active.map(indexOf));
  const lastFailed = new Map<number, ReadonlyPod>();
  for (const pod of mine) {
    const index = indexOf(pod);
    if (!isFailed(pod, job) || has(succeeded, index) || has(failed, index) || running.has(index)) continue;
    const known = lastFailed.get(index);
    if (!known || (allFailuresBefore(known) <= allFailuresBefore(pod) && finishedAt(pod) >= finishedAt(known))) lastFailed.set(index, pod);
  }
  return { counted, succeeded, failed, lastFailed };
}

/** The index will not be tried again: its limit is reached, or the policy says so (`isIndexFailed`). */
function failsItsIndex(job: ReadonlyJob, pod: ReadonlyPod): boolean {
  if (!isFailed(pod, job)) return false;
  const { action, counts } = judgeFailure(job.spec?.podFailurePolicy, pod);
  return action === 'FailIndex' || (counts && failuresBefore(pod) >= (job.spec?.backoffLimitPerIndex ?? 0));
}

function failedByIndexes(job: ReadonlyJob, { failed, succeeded }: IndexState): Outcome | undefined {
  if (!failed) return undefined;
  const most = job.spec?.maxFailedIndexes;
  if (most !== undefined && total(failed) > most) return failure('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes');
  if (total(failed) > 0 && total(failed) + total(succeeded) >= (job.spec?.completions ?? 0)) return failure('FailedIndexes', 'Job has failed indexes');
  return undefined;
}

/** The first rule that is met ends the Job early (success_policy.go). */
export function succeededByPolicy(policy: DeepReadonly<SuccessPolicy> | undefined, completions: number, succeeded: Indexes): Outcome | undefined {
  if (succeeded.length === 0) return undefined;
  const at = (policy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) return succeededCount !== undefined && total(succeeded) >= succeededCount;
    const wanted = parseIndexes(succeededIndexes, completions);
    const met = common(wanted, succeeded);
    return wanted.length > 0 && (met === total(wanted) || (succeededCount !== undefined && met >= succeededCount));
  });
  return at < 0 ? undefined : { type: 'SuccessCriteriaMet', reason: 'SuccessPolicy', message: `Matched rules at index ${at}` };
}
