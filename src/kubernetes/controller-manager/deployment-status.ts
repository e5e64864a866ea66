/**
 * What a Deployment says of itself (pkg/controller/deployment: progress.go, sync.go): counts and the
 * conditions Available, Progressing and ReplicaFailure. Pure.
 */
import { type Duration, type Instant, seconds } from '../../sim/clock.ts';
import { findCondition } from '../api/condition.ts';
import type { DeepReadonly } from '../api/json.ts';
import { instantOf, timestamp } from '../api/time.ts';
import type { DeploymentCondition, DeploymentStatus } from '../api/types.gen.ts';
import { availableOf, type Dep, maxUnavailable, type Rs, sizeOf, total, wanted } from './deployment-rollout.ts';

type Condition = DeepReadonly<DeploymentCondition>;
type Status = DeepReadonly<DeploymentStatus>;

export const condition = (type: string, status: 'True' | 'False' | 'Unknown', reason: string, message: string, now: Instant): Condition => ({
  type,
  status,
  reason,
  message,
  lastUpdateTime: timestamp(now),
  lastTransitionTime: timestamp(now),
});

/** Adds or replaces; the same status and reason change nothing, the same status keeps its transition time (`SetDeploymentCondition`). */
export function withCondition(conditions: readonly Condition[], next: Condition): readonly Condition[] {
  const known = findCondition(conditions, next.type);
  if (known && known.status === next.status && known.reason === next.reason) return conditions;
  const kept = known && known.status === next.status && known.lastTransitionTime ? { ...next, lastTransitionTime: known.lastTransitionTime } : next;
  return [...conditions.filter((c) => c.type !== next.type), kept];
}

/** `deadline` unset, or math.MaxInt32: no deadline. */
export const hasProgressDeadline = (d: Dep): boolean => d.spec?.progressDeadlineSeconds !== undefined && d.spec.progressDeadlineSeconds !== 2147483647;

export function deploymentComplete(d: Dep, status: Status): boolean {
  const n = wanted(d);
  return (
    (status.updatedReplicas ?? 0) === n &&
    (status.replicas ?? 0) === n &&
    (status.availableReplicas ?? 0) === n &&
    (status.observedGeneration ?? 0) >= (d.metadata.generation ?? 0)
  );
}

/** Something got better since the last status was written. */
function isProgressing(d: Dep, status: Status): boolean {
  const before = d.status ?? {};
  const old = (s: Status) => (s.replicas ?? 0) - (s.updatedReplicas ?? 0);
  return (
    (status.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(status) < old(before) ||
    (status.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (status.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function hasTimedOut(d: Dep, conditions: readonly Condition[], now: Instant): boolean {
  const progressing = findCondition(conditions, 'Progressing');
  if (!progressing || progressing.reason === 'NewReplicaSetAvailable') return false;
  if (progressing.reason === 'ProgressDeadlineExceeded') return true;
  const since = instantOf(progressing.lastUpdateTime) ?? now;
  return since + seconds(d.spec?.progressDeadlineSeconds ?? 600) < now;
}

/** Counts and Available: `calculateStatus`. */
export function countedStatus(d: Dep, sets: readonly Rs[], newSet: Rs | undefined, now: Instant): Status {
  const available = total(sets, availableOf);
  const ready = total(sets, (rs) => rs.status?.readyReplicas ?? 0);
  const replicas = total(sets, (rs) => rs.status?.replicas ?? 0);
  const updated = newSet?.status?.replicas ?? 0;
  const unavailable = Math.max(0, total(sets, sizeOf) - available);
  const isAvailable = available >= wanted(d) - maxUnavailable(d);
  const conditions = withCondition(
    d.status?.conditions ?? [],
    isAvailable
      ? condition('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.', now)
      : condition('Available', 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.', now),
  );
  return {
    ...(d.metadata.generation === undefined ? {} : { observedGeneration: d.metadata.generation }),
    ...(replicas > 0 ? { replicas } : {}),
    ...(updated > 0 ? { updatedReplicas: updated } : {}),
    ...(ready > 0 ? { readyReplicas: ready } : {}),
    ...(available > 0 ? { availableReplicas: available } : {}),
    ...(unavailable > 0 ? { unavailableReplicas: unavailable } : {}),
    ...(d.status?.collisionCount === undefined ? {} : { collisionCount: d.status.collisionCount }),
    conditions,
  };
}

/** Counts and all conditions of a rollout under way: `syncRolloutStatus`. */
export function rolloutStatus(d: Dep, sets: readonly Rs[], newSet: Rs | undefined, now: Instant): Status {
  const status = countedStatus(d, sets, newSet, now);
  let conditions = status.conditions ?? [];
  const current = findCondition(d.status?.conditions, 'Progressing');
  const what = newSet ? `ReplicaSet "${newSet.metadata.name}"` : `Deployment "${d.metadata.name}"`;
  const isComplete = (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === 'NewReplicaSetAvailable';
  if (!hasProgressDeadline(d)) conditions = conditions.filter((c) => c.type !== 'Progressing');
  else if (!isComplete) {
    if (deploymentComplete(d, status))
      conditions = withCondition(conditions, condition('Progressing', 'True', 'NewReplicaSetAvailable', `${what} has successfully progressed.`, now));
    else if (isProgressing(d, status)) {
      // Always written anew, so that lastUpdateTime tells the last progress; the deadline counts from it.
      const next = condition('Progressing', 'True', 'ReplicaSetUpdated', `${what} is progressing.`, now);
      const kept = current?.status === 'True' && current.lastTransitionTime ? { ...next, lastTransitionTime: current.lastTransitionTime } : next;
      conditions = [...conditions.filter((c) => c.type !== 'Progressing'), kept];
    } else if (hasTimedOut(d, conditions, now))
      conditions = withCondition(conditions, condition('Progressing', 'False', 'ProgressDeadlineExceeded', `${what} has timed out progressing.`, now));
  }
  const failure = replicaFailure(sets, newSet, now);
  conditions = failure ? withCondition(conditions, failure) : conditions.filter((c) => c.type !== 'ReplicaFailure');
  return { ...status, conditions };
}

/** A set's ReplicaFailure shows on its Deployment, the new set's first. */
function replicaFailure(sets: readonly Rs[], newSet: Rs | undefined, now: Instant): Condition | undefined {
  for (const rs of newSet ? [newSet, ...sets] : sets) {
    const found = findCondition(rs.status?.conditions, 'ReplicaFailure');
    if (found?.status === 'True')
      return {
        ...condition('ReplicaFailure', 'True', found.reason ?? '', found.message ?? '', now),
        ...(found.lastTransitionTime ? { lastTransitionTime: found.lastTransitionTime } : {}),
      };
  }
  return undefined;
}

/** When to look again whether the deadline has passed, if it matters: `requeueStuckDeployment`. */
export function checkDeadlineIn(d: Dep, status: Status, now: Instant): Duration | undefined {
  const progressing = findCondition(status.conditions, 'Progressing');
  if (
    !hasProgressDeadline(d) ||
    !progressing ||
    deploymentComplete(d, status) ||
    progressing.reason === 'ProgressDeadlineExceeded' ||
    progressing.reason === 'NewReplicaSetAvailable'
  )
    return undefined;
  const due = (instantOf(progressing.lastUpdateTime) ?? now) + seconds(d.spec?.progressDeadlineSeconds ?? 600);
  return Math.max(0, due - now) + seconds(1);
}
