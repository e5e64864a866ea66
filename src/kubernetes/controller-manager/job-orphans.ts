/**
 * Pods that nobody will count any more lose their tracking finalizer, or they could never go away: those whose Job is
 * gone or finished, and those that belong to nobody (`syncOrphanPod`). A queue of its own beside the Jobs'.
 */
import { seconds } from '../../sim/clock.ts';
import { type Key, keyOf } from '../api/meta.ts';
import { controllerOf } from '../api/owner.ts';
import { isNotFound } from '../client/retry.ts';
import { createWorkqueue } from '../client/workqueue.ts';
import type { Context } from './controller.ts';
import { isJobFinished, isManagedElsewhere, isTracked, type ReadonlyJob } from './job-pods.ts';
import { RELEASE_PATCH } from './job-tracking.ts';
import type { ReadonlyPod } from './pods.ts';

/** Runs until the process ends. */
export function releaseOrphans({ client, informer, self }: Context): void {
  const pods = informer('Pod');
  const jobs = informer('Job');
  const queue = createWorkqueue(self, 'job_orphan_pod', 'Pod');

  const jobOf = (pod: ReadonlyPod): ReadonlyJob | undefined => {
    const owner = controllerOf(pod);
    const job = owner?.kind === 'Job' ? jobs.get(`${pod.metadata.namespace}/${owner.name}`) : undefined;
    return job?.metadata.uid === owner?.uid ? job : undefined;
  };
  const isOrphan = (pod: ReadonlyPod): boolean => {
    const owner = controllerOf(pod);
    if (!isTracked(pod) || (owner && (owner.kind !== 'Job' || owner.apiVersion !== 'batch/v1'))) return false;
    const job = jobOf(pod);
    return !job || (!isManagedElsewhere(job) && isJobFinished(job));
  };

  pods.onChange(({ after }) => {
    if (after && isTracked(after) && (!controllerOf(after) || after.metadata.deletionTimestamp) && isOrphan(after)) queue.add(keyOf(after));
  });
  jobs.onChange(({ before, after }) => {
    if (after && !isJobFinished(after)) return;
    for (const pod of pods.by('owner', (after ?? before)?.metadata.uid ?? '')) if (isTracked(pod)) queue.add(keyOf(pod));
  });

  const release = async (key: Key): Promise<void> => {
    const pod = pods.get(key);
    if (!pod || !isOrphan(pod)) return;
    try {
      await client.of('Pod').patch(key, RELEASE_PATCH, 'strategic');
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };
  const work = async (): Promise<never> => {
    await pods.synced();
    await jobs.synced();
    for (;;) {
      const key = await queue.get();
      try {
        await release(key);
        queue.forget(key);
      } catch {
        queue.addAfter(key, seconds(1));
      }
      queue.done(key);
    }
  };
  void work();
}
