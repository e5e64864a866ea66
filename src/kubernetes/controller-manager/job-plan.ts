/** Which pods a Job makes or takes away next (`manageJob`): one or the other, never both at once. Pure. */
import type { Duration, Instant } from '../../sim/clock.ts';
import type { Assessment } from './job-assess.ts';
import { waitAfter, waitForIndex } from './job-backoff.ts';
import { firstFree, indexOf, merge, UNKNOWN_INDEX, withIndexes } from './job-indexes.ts';
import { countsPerIndex, isIndexed, isSuspended, type ReadonlyJob, replacesOnlyFailed } from './job-pods.ts';
import { earlierStageFirst } from './pod-ranking.ts';
import type { ReadonlyPod } from './pods.ts';

/** No more pods are made or removed at once (MaxPodCreateDeletePerSync). */
const AT_ONCE = 500;

export interface JobPlan {
  /** With their finalizers, so that they do not count as failed. */
  readonly remove: readonly ReadonlyPod[];
  /** One entry for each pod to make: its index, undefined for Jobs without. */
  readonly create: readonly (number | undefined)[];
  /** Nothing may be made yet: a pod failed not long enough ago. */
  readonly wait?: Duration;
}

export function plan(job: ReadonlyJob, state: Assessment, now: Instant): JobPlan {
  const active = state.active.length;
  if (isSuspended(job)) return { remove: surplus(job, state.active, active), create: [] };
  const wanted = wantedPods(job, state);
  const remove = surplus(job, state.active, Math.max(0, active - wanted)).slice(0, AT_ONCE);
  if (remove.length > 0) return { remove, create: [] };
  const missing = wanted - active - (replacesOnlyFailed(job) ? state.terminating.length : 0);
  if (missing <= 0) return { remove, create: [] };
  if (!countsPerIndex(job)) {
    const wait = waitAfter(state.backoff, now);
    if (wait > 0) return { remove, create: [], wait };
  }
  const count = Math.min(missing, AT_ONCE);
  if (!isIndexed(job)) return { remove, create: new Array<undefined>(count).fill(undefined) };
  const pending = firstFree(takenIndexes(job, state), count, job.spec?.completions ?? 0);
  if (!countsPerIndex(job)) return { remove, create: pending };
  const waits = pending.map((index) => waitForIndex(state.indexes?.lastFailed.get(index), now));
  const ready = pending.filter((_, i) => waits[i] === 0);
  return ready.length > 0 || pending.length === 0 ? { remove, create: ready } : { remove, create: [], wait: Math.min(...waits) };
}

/** How many pods should run: never more than there is work left. */
function wantedPods(job: ReadonlyJob, { succeeded, active }: Assessment): number {
  const { completions, parallelism = 1 } = job.spec ?? {};
  // A work queue: once one pod has succeeded no more are started, and those that run may finish.
  if (completions === undefined) return succeeded > 0 ? active.length : parallelism;
  return Math.max(0, Math.min(completions - succeeded, parallelism));
}

function takenIndexes(job: ReadonlyJob, { active, terminating, indexes }: Assessment) {
  const held = [...active, ...(replacesOnlyFailed(job) ? terminating : [])].map(indexOf).filter((index) => index !== UNKNOWN_INDEX);
  const taken = withIndexes(indexes?.succeeded ?? [], held);
  return indexes?.failed ? merge(taken, indexes.failed) : taken;
}

/** At least so many active pods; of an Indexed Job also those without an index of its own, and all but one of an index (`activePodsForRemoval`). */
function surplus(job: ReadonlyJob, active: readonly ReadonlyPod[], atLeast: number): readonly ReadonlyPod[] {
  if (!isIndexed(job)) return atLeast === 0 ? [] : [...active].sort(earlierStageFirst).slice(0, atLeast);
  const remove: ReadonlyPod[] = [];
  const left: ReadonlyPod[] = [];
  const byIndex = new Map<number, ReadonlyPod[]>();
  for (const pod of active) {
    const index = indexOf(pod);
    if (index === UNKNOWN_INDEX || index >= (job.spec?.completions ?? 0)) remove.push(pod);
    else byIndex.set(index, [...(byIndex.get(index) ?? []), pod]);
  }
  for (const [, pods] of [...byIndex].sort(([a], [b]) => a - b)) {
    pods.sort(earlierStageFirst);
    remove.push(...pods.slice(0, -1));
    left.push(pods.at(-1)!);
  }
  return remove.length >= atLeast ? remove : [...remove, ...left.sort(earlierStageFirst).slice(0, atLeast - remove.length)];
}
