/**
 * Makes the claims of generic ephemeral volumes (pkg/controller/volume/ephemeral): each is owned by its pod, and so goes
 * with it.
 *
 * Woken by: pods with such volumes, and their claims going away.
 */
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import { controllerOf, newControllerRef } from '../api/owner.ts';
import type { Pod } from '../api/types.gen.ts';
import { messageOf } from '../client/retry.ts';
import { createWorkqueue } from '../client/workqueue.ts';
import { type Context, runnable } from './controller.ts';

const NAME = 'ephemeral-volume-controller';

/** Whether a pod has volumes of this kind. */
export const hasEphemeral = (pod: DeepReadonly<Pod>): boolean => (pod.spec?.volumes ?? []).some(({ ephemeral }) => ephemeral);

export const ephemeralVolumeController = runnable(NAME, async (context) => {
  const pods = context.informer('Pod');
  const claims = context.informer('PersistentVolumeClaim');
  // Pods without such volumes never enter the queue, of which there may be thousands.
  const queue = createWorkqueue(context.self, NAME, 'Pod');
  pods.onChange(({ after }) => {
    if (after && hasEphemeral(after) && !after.metadata.deletionTimestamp) queue.add(keyOf(after));
  });
  claims.onChange(({ before, after }) => {
    const owner = !after && before ? controllerOf(before) : undefined;
    if (owner?.kind === 'Pod') queue.add(`${before!.metadata.namespace}/${owner.name}`);
  });
  await pods.synced();
  await claims.synced();
  for (;;) {
    const key = await queue.get();
    const pod = pods.get(key);
    try {
      if (pod && !pod.metadata.deletionTimestamp) await makeClaims(pod, context);
      queue.forget(key);
    } catch {
      queue.addRateLimited(key);
    }
    queue.done(key);
  }
});

async function makeClaims(pod: DeepReadonly<Pod>, { client, informer, event }: Context): Promise<void> {
  for (const { name, ephemeral } of pod.spec?.volumes ?? []) {
    const template = ephemeral?.volumeClaimTemplate;
    if (!template) continue;
    const claim = `${pod.metadata.name}-${name}`;
    const key = `${pod.metadata.namespace}/${claim}`;
    const known = informer('PersistentVolumeClaim').get(key);
    try {
      if (known && controllerOf(known)?.uid !== pod.metadata.uid) throw new Error(`PVC ${key} was not created for pod ${keyOf(pod)} (pod is not owner)`);
      if (known) continue;
      const { labels, annotations } = template.metadata ?? {};
      await client.of('PersistentVolumeClaim').create({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: {
          name: claim,
          ...(pod.metadata.namespace ? { namespace: pod.metadata.namespace } : {}),
          ...(labels ? { labels } : {}),
          ...(annotations ? { annotations } : {}),
          ownerReferences: [newControllerRef(pod)],
        },
        spec: template.spec,
      });
    } catch (error) {
      event(pod, 'Warning', 'FailedBinding', `ephemeral volume ${name}: ${messageOf(error)}`);
      throw error;
    }
  }
}
