/** How a Job looks at a pod: tracked, failed, terminating, finished when; and what the pod failure policy makes of it. */
import { type Instant, seconds } from '../../sim/clock.ts';
import { findCondition } from '../api/condition.ts';
import type { DeepReadonly } from '../api/json.ts';
import { instantOf } from '../api/time.ts';
import type { ContainerStatus, Job, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement } from '../api/types.gen.ts';
import { isFinished, podCondition, type ReadonlyPod } from './pods.ts';

export type ReadonlyJob = DeepReadonly<Job>;

/** On every pod of a Job until the Job's status has counted it: a pod that vanished uncounted would be run again. */
export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking';
const FAILURES = 'batch.kubernetes.io/job-index-failure-count';
const IGNORED_FAILURES = 'batch.kubernetes.io/job-index-ignored-failure-count';
export const FAILURE_COUNT_ANNOTATION = FAILURES;
export const IGNORED_FAILURE_COUNT_ANNOTATION = IGNORED_FAILURES;

export const isTracked = (pod: ReadonlyPod): boolean => pod.metadata.finalizers?.includes(TRACKING_FINALIZER) ?? false;
export const isIndexed = (job: ReadonlyJob): boolean => job.spec?.completionMode === 'Indexed';
export const isSuspended = (job: ReadonlyJob): boolean => job.spec?.suspend === true;
export const countsPerIndex = (job: ReadonlyJob): boolean => job.spec?.backoffLimitPerIndex !== undefined;
/** Another controller's business (`spec.managedBy`, KEP-4368). */
export const isManagedElsewhere = (job: ReadonlyJob): boolean => job.spec?.managedBy !== undefined && job.spec.managedBy !== 'kubernetes.io/job-controller';

/** Complete or Failed: which, with its condition. */
export const finishOf = (job: ReadonlyJob) =>
  job.status?.conditions?.find((condition) => (condition.type === 'Complete' || condition.type === 'Failed') && condition.status === 'True');
export const isJobFinished = (job: ReadonlyJob): boolean => finishOf(job) !== undefined;
export const jobCondition = (job: ReadonlyJob, type: string) => findCondition(job.status?.conditions, type);

/** Only pods that have fully ended are replaced, not those still terminating (`podReplacementPolicy: Failed`). */
export const replacesOnlyFailed = (job: ReadonlyJob): boolean => job.spec?.podReplacementPolicy === 'Failed' || job.spec?.podFailurePolicy !== undefined;

export const isTerminating = (pod: ReadonlyPod): boolean => !isFinished(pod) && pod.metadata.deletionTimestamp !== undefined;

/** Failed, or on its way out where that counts as failing. */
export function isFailed(pod: ReadonlyPod, job: ReadonlyJob): boolean {
  if (pod.status?.phase === 'Failed') return true;
  if (replacesOnlyFailed(job)) return false;
  return pod.metadata.deletionTimestamp !== undefined && pod.status?.phase !== 'Succeeded';
}

/** When a pod ended: by its containers, else by its Ready condition, else by its deletion, else when it was made (`getFinishedTime`). */
export function finishedAt(pod: ReadonlyPod): Instant {
  return byContainers(pod) ?? byReadiness(pod) ?? byDeletion(pod) ?? instantOf(pod.metadata.creationTimestamp) ?? 0;
}
function byContainers(pod: ReadonlyPod): Instant | undefined {
  let latest: Instant | undefined;
  for (const { state } of pod.status?.containerStatuses ?? []) {
    const at = instantOf(state?.terminated?.finishedAt);
    if (at === undefined) return undefined;
    latest = Math.max(latest ?? at, at);
  }
  return latest;
}
function byReadiness(pod: ReadonlyPod): Instant | undefined {
  const ready = podCondition(pod, 'Ready');
  return ready?.status === 'False' ? instantOf(ready.lastTransitionTime) : undefined;
}
function byDeletion({ metadata }: ReadonlyPod): Instant | undefined {
  const at = instantOf(metadata.deletionTimestamp);
  return at === undefined ? undefined : at - seconds(metadata.deletionGracePeriodSeconds ?? 0);
}

/** How often pods of this one's index failed before it, by its annotations. */
export const failuresBefore = (pod: ReadonlyPod): number => countIn(pod, FAILURES);
export const ignoredFailuresBefore = (pod: ReadonlyPod): number => countIn(pod, IGNORED_FAILURES);
export const allFailuresBefore = (pod: ReadonlyPod): number => failuresBefore(pod) + ignoredFailuresBefore(pod);
function countIn(pod: ReadonlyPod, annotation: string): number {
  const text = pod.metadata.annotations?.[annotation];
  return text !== undefined && /^\+?\d+$/.test(text) && Number(text) <= 0x7fff_ffff ? Number(text) : 0;
}

/** What a pod failure policy says of a failed pod: whether it counts, which action matched, and why the whole Job fails with it. */
export interface FailureVerdict {
  readonly counts: boolean;
  readonly action?: string;
  readonly failJob?: string;
}

/** The first rule that matches decides (pod_failure_policy.go). */
export function judgeFailure(policy: DeepReadonly<PodFailurePolicy> | undefined, pod: ReadonlyPod): FailureVerdict {
  for (const [index, { action, onExitCodes, onPodConditions }] of (policy?.rules ?? []).entries()) {
    const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
    let why: string | undefined;
    if (onExitCodes) {
      const container = exited(pod.status?.containerStatuses, onExitCodes) ?? exited(pod.status?.initContainerStatuses, onExitCodes);
      if (container)
        why = `Container ${container.name} for pod ${name} failed with exit code ${container.state?.terminated?.exitCode} matching ${action} rule at index ${index}`;
    } else if (onPodConditions) {
      const met = pod.status?.conditions?.find((condition) =>
        onPodConditions.some((pattern) => pattern.type === condition.type && (pattern.status ?? 'True') === condition.status),
      );
      if (met) why = `Pod ${name} has condition ${met.type} matching ${action} rule at index ${index}`;
    }
    if (why === undefined) continue;
    if (action === 'Ignore') return { counts: false, action };
    if (action === 'FailJob') return { counts: true, action, failJob: why };
    return { counts: true, action };
  }
  return { counts: true };
}

const exited = (
  statuses: DeepReadonly<ContainerStatus[]> | undefined,
  { containerName, operator, values }: DeepReadonly<PodFailurePolicyOnExitCodesRequirement>,
) =>
  statuses?.find(({ name, state }) => {
    const code = state?.terminated?.exitCode ?? 0;
    if (code === 0 || (containerName !== undefined && containerName !== name)) return false;
    return operator === 'In' ? values.includes(code) : operator === 'NotIn' && !values.includes(code);
  });
