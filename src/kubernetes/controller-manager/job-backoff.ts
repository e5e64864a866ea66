/**
 * How long a Job waits before it replaces a failed pod: 10 s after the first failure in a row, doubling to ten minutes
 * (pkg/controller/job/backoff_utils.go). The count is kept by the controller, not in the Job, and starts anew with it.
 */
import { type Duration, type Instant, minutes, seconds } from '../../sim/clock.ts';
import { allFailuresBefore, finishedAt } from './job-pods.ts';
import type { ReadonlyPod } from './pods.ts';

const FIRST = seconds(10);
const LONGEST = minutes(10);

/** Failures since the last success, and when the last of them was. */
export interface Backoff {
  readonly failures: number;
  readonly lastFailure?: Instant;
}
export const NO_FAILURES: Backoff = { failures: 0 };

/** The record after pods that have newly ended. */
export function backoffAfter(before: Backoff, succeeded: readonly ReadonlyPod[], failed: readonly ReadonlyPod[]): Backoff {
  const latest = (pods: readonly ReadonlyPod[]): Instant => pods.reduce((most, pod) => Math.max(most, finishedAt(pod)), Number.NEGATIVE_INFINITY);
  if (succeeded.length === 0) {
    return failed.length === 0 ? before : { failures: before.failures + failed.length, lastFailure: latest(failed) };
  }
  const success = latest(succeeded);
  const since = failed.filter((pod) => finishedAt(pod) > success);
  return since.length === 0 ? NO_FAILURES : { failures: since.length, lastFailure: latest(since) };
}

export function waitAfter({ failures, lastFailure }: Backoff, now: Instant): Duration {
  if (failures === 0 || lastFailure === undefined) return 0;
  let wait = FIRST;
  for (let i = 1; i < failures && wait < LONGEST; i++) wait = Math.min(LONGEST, wait * 2);
  return Math.max(0, wait - (now - lastFailure));
}

/** Where every index has its own count: by the last pod that failed in it. */
export const waitForIndex = (lastFailed: ReadonlyPod | undefined, now: Instant): Duration =>
  lastFailed ? waitAfter({ failures: allFailuresBefore(lastFailed) + 1, lastFailure: finishedAt(lastFailed) }, now) : 0;
