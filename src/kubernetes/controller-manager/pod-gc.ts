/**
 * Sweeps up pods that nobody else will (pkg/controller/podgc): those bound to a node that is no more, those
 * that were deleted before they ever had a node, and finished ones beyond a threshold.
 *
 * Looks every twenty seconds, at the local copy only; asks the API server before it believes a node gone.
 */
import { type Instant, seconds } from '../../sim/clock.ts';
import type { DeepReadonly, Json } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import { timestamp } from '../api/time.ts';
import type { PodCondition } from '../api/types.gen.ts';
import { isNotFound } from '../client/retry.ts';
import { type Context, runnable } from './controller.ts';
import { isFinished, type ReadonlyPod } from './pods.ts';

/** podgc.gcCheckPeriod, podgc.quarantineTime, `--terminated-pod-gc-threshold` */
const PERIOD = seconds(20);
const QUARANTINE = seconds(40);
const THRESHOLD = 12500;

export const podGcController = runnable('pod-garbage-collector-controller', async (context) => {
  const { self, informer } = context;
  await informer('Node').synced();
  await informer('Pod').synced();
  /** Nodes missed since; only those missed for a while are asked for. */
  const missed = new Map<string, Instant>();
  for (;;) {
    await self.clock.sleep(PERIOD);
    const pods = informer('Pod').list();
    for (const pod of terminatedBeyond(pods, THRESHOLD)) await sweep(pod, undefined, context);
    await sweepOrphans(pods, missed, context);
    for (const pod of pods) if (pod.metadata.deletionTimestamp && !pod.spec?.nodeName) await sweep(pod, undefined, context);
  }
});

/** Finished pods, oldest first, as many as there are too many. */
export function terminatedBeyond(pods: readonly ReadonlyPod[], threshold: number): readonly ReadonlyPod[] {
  const finished = pods.filter(isFinished);
  if (finished.length <= threshold) return [];
  const key = (pod: ReadonlyPod) => `${pod.metadata.creationTimestamp ?? ''} ${pod.metadata.name}`;
  return finished.sort((a, b) => (key(a) < key(b) ? -1 : 1)).slice(0, finished.length - threshold);
}

async function sweepOrphans(pods: readonly ReadonlyPod[], missed: Map<string, Instant>, context: Context): Promise<void> {
  const { client, informer, now } = context;
  const orphans = pods.filter((pod) => pod.spec?.nodeName && !informer('Node').get(pod.spec.nodeName));
  const names = new Set(orphans.map((pod) => pod.spec?.nodeName ?? ''));
  for (const name of [...missed.keys()]) if (!names.has(name)) missed.delete(name);
  for (const name of names) {
    const since = missed.get(name);
    if (since === undefined) {
      missed.set(name, now());
      continue;
    }
    if (now() - since < QUARANTINE) continue;
    try {
      await client.of('Node').get(name);
      continue;
    } catch (error) {
      if (!isNotFound(error)) continue;
    }
    for (const pod of orphans) {
      if (pod.spec?.nodeName === name)
        await sweep(
          pod,
          {
            type: 'DisruptionTarget',
            status: 'True',
            reason: 'DeletionByPodGC',
            message: 'PodGC: node no longer exists',
            lastTransitionTime: timestamp(now()),
          },
          context,
        );
    }
  }
}

/** Deletes at once; a pod whose end nobody reported is marked Failed first. */
async function sweep(pod: ReadonlyPod, why: DeepReadonly<PodCondition> | undefined, { client, self }: Context): Promise<void> {
  // The clock's doing, not that of the pod swept before.
  self.trace.because(0);
  try {
    if (why && !isFinished(pod)) {
      const conditions = [...(pod.status?.conditions ?? []).filter((condition) => condition.type !== why.type), why];
      // A patch, which is what its role allows.
      await client.of('Pod').patch(keyOf(pod), { status: { phase: 'Failed', conditions } } as unknown as Json, 'strategic', 'status');
    }
    await client.of('Pod').delete(keyOf(pod), { gracePeriodSeconds: 0 });
  } catch {
    // Gone, changed, or nobody answers: the next round sees.
  }
}
