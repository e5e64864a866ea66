/**
 * Which pod goes first when there are too many (ActivePodsWithRanks in pkg/controller/controller_utils.go):
 * the one whose loss hurts least.
 */
import type { Instant } from '../../sim/clock.ts';
import { instantOf } from '../api/time.ts';
import { isReady, podCondition, type ReadonlyPod } from './pods.ts';

/** Annotation by which a user says which pod to give up first; lower goes first, 0 if absent. */
export const POD_DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

const PHASES: Record<string, number> = { Pending: 0, Unknown: 1, Running: 2 };

/**
 * Orders pods, first to be deleted first.
 * @param doubled how many active pods of related sets share the pod's node: crowded ones go first
 */
export function leastUsefulFirst(doubled: (pod: ReadonlyPod) => number, now: Instant): (a: ReadonlyPod, b: ReadonlyPod) => number {
  return (a, b) => {
    const unassigned = Number(!!a.spec?.nodeName) - Number(!!b.spec?.nodeName);
    if (unassigned !== 0) return unassigned;
    const phase = (PHASES[a.status?.phase ?? ''] ?? 0) - (PHASES[b.status?.phase ?? ''] ?? 0);
    if (phase !== 0) return phase;
    const ready = Number(isReady(a)) - Number(isReady(b));
    if (ready !== 0) return ready;
    const cost = deletionCost(a) - deletionCost(b);
    if (cost !== 0) return cost;
    const rank = doubled(b) - doubled(a);
    if (rank !== 0) return rank;
    if (isReady(a)) {
      const readyFor = youngerFirst(podCondition(a, 'Ready')?.lastTransitionTime, podCondition(b, 'Ready')?.lastTransitionTime, now, a, b);
      if (readyFor !== 0) return readyFor;
    }
    const restarts = maxRestarts(b) - maxRestarts(a);
    if (restarts !== 0) return restarts;
    return youngerFirst(a.metadata.creationTimestamp, b.metadata.creationTimestamp, now, a, b);
  };
}

/**
 * The younger goes first, but ages count only by their magnitude (LogarithmicScaleDown): among pods of
 * about the same age the uid decides, so that scaling down does not always hit the same node.
 */
function youngerFirst(timeA: string | undefined, timeB: string | undefined, now: Instant, a: ReadonlyPod, b: ReadonlyPod): number {
  if (timeA === timeB) return 0;
  const sinceA = instantOf(timeA);
  const sinceB = instantOf(timeB);
  if (sinceA === undefined || sinceB === undefined) return sinceA === undefined ? -1 : 1;
  const difference = magnitude(now - sinceA) - magnitude(now - sinceB);
  if (difference !== 0) return difference;
  return (a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : 1;
}

/** Decimal magnitude of an age in nanoseconds; -1 for none. */
const magnitude = (age: number): number => (age <= 0 ? -1 : String(age).length + 2);

const deletionCost = (pod: ReadonlyPod): number => {
  const text = pod.metadata.annotations?.[POD_DELETION_COST];
  return text !== undefined && /^(0|-?[1-9][0-9]*)$/.test(text) ? Number(text) : 0;
};

const maxRestarts = (pod: ReadonlyPod): number => (pod.status?.containerStatuses ?? []).reduce((most, status) => Math.max(most, status.restartCount ?? 0), 0);

/**
 * Orders pods, the one least far along first: ActivePods of upstream, without the costs and crowds that only ReplicaSets weigh.
 */
export function earlierStageFirst(a: ReadonlyPod, b: ReadonlyPod): number {
  const stage = (pod: ReadonlyPod) => [Number(!!pod.spec?.nodeName), PHASES[pod.status?.phase ?? ''] ?? 0, Number(isReady(pod))];
  const [x, y] = [stage(a), stage(b)];
  for (const [i, value] of x.entries()) if (value !== y[i]) return value - y[i]!;
  const later = (first: string | undefined, second: string | undefined): number => (instantOf(second) ?? 0) - (instantOf(first) ?? 0);
  const ready = isReady(a) ? later(podCondition(a, 'Ready')?.lastTransitionTime, podCondition(b, 'Ready')?.lastTransitionTime) : 0;
  return ready || maxRestarts(b) - maxRestarts(a) || later(a.metadata.creationTimestamp, b.metadata.creationTimestamp);
}
