/**
 * Jobs that are done and say how long they are to be kept (`ttlSecondsAfterFinished`) are deleted when that time is over,
 * their pods first (pkg/controller/ttlafterfinished).
 *
 * Keeps true: no finished Job is older than it wants to become.
 * Woken by: the Job.
 */
import { type Duration, type Instant, seconds } from '../../sim/clock.ts';
import { keyOf } from '../api/meta.ts';
import { instantOf } from '../api/time.ts';
import { isNotFound } from '../client/retry.ts';
import { type Runnable, reconciler } from './controller.ts';
import { finishOf, type ReadonlyJob } from './job-pods.ts';

export const ttlAfterFinishedController = (): Runnable =>
  reconciler({
    name: 'ttl-after-finished-controller',
    for: 'Job',
    async reconcile(job, { client, now }) {
      const left = timeLeft(job, now());
      if (left === undefined) return undefined;
      if (left > 0) return { again: left };
      try {
        // Somebody may just have given it more time: the copy at hand is not enough to delete by.
        const fresh = await client.of('Job').get(keyOf(job));
        const still = timeLeft(fresh, now());
        if (still === undefined) return undefined;
        if (still > 0) return { again: still };
        await client.of('Job').delete(keyOf(job), { propagationPolicy: 'Foreground', preconditions: { uid: fresh.metadata.uid ?? '' } });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      return undefined;
    },
  });

/** Until it is to go; undefined when it is not to, or not finished. */
export function timeLeft(job: ReadonlyJob, now: Instant): Duration | undefined {
  const ttl = job.spec?.ttlSecondsAfterFinished;
  const finished = instantOf(finishOf(job)?.lastTransitionTime);
  if (ttl === undefined || finished === undefined || job.metadata.deletionTimestamp) return undefined;
  return finished + seconds(ttl) - now;
}
