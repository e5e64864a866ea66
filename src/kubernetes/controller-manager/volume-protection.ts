/**
 * Claims in use and bound volumes are not taken away under those who use them: StorageObjectInUseProtection
 * puts a finalizer on every new one, and these two controllers take it off when the object is going and nobody
 * uses it any more (pkg/controller/volume/{pvcprotection,pvprotection}).
 *
 * Woken by: the object itself; for claims also the pods that name them.
 */
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import type { Pod } from '../api/types.gen.ts';
import { isNotFound } from '../client/retry.ts';
import { reconciler } from './controller.ts';
import { isFinished } from './pods.ts';

const CLAIM = 'kubernetes.io/pvc-protection';
const VOLUME = 'kubernetes.io/pv-protection';

/** The claims a pod uses, by key; those of its ephemeral volumes too. */
const claimsOf = (pod: DeepReadonly<Pod>): string[] =>
  (pod.spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim) return [`${pod.metadata.namespace}/${persistentVolumeClaim.claimName}`];
    return ephemeral ? [`${pod.metadata.namespace}/${pod.metadata.name}-${name}`] : [];
  });

export const claimProtectionController = reconciler({
  name: 'persistentvolumeclaim-protection-controller',
  for: 'PersistentVolumeClaim',
  wakes: { Pod: (pod, _, before) => (before === pod || isFinished(pod) ? claimsOf(pod) : []) },

  async reconcile(claim, { client, informer }) {
    const { finalizers = [], deletionTimestamp } = claim.metadata;
    const has = finalizers.includes(CLAIM);
    if (!deletionTimestamp) {
      // Made before admission looked after it.
      if (!has) await client.of('PersistentVolumeClaim').update({ ...claim, metadata: { ...claim.metadata, finalizers: [...finalizers, CLAIM] } });
      return;
    }
    if (!has) return;
    const key = keyOf(claim);
    const uses = (pod: DeepReadonly<Pod>): boolean => Boolean(pod.spec?.nodeName) && !isFinished(pod) && claimsOf(pod).includes(key);
    if (informer('Pod').list(claim.metadata.namespace).some(uses)) return;
    // The local copy may be a moment behind: what decides is what the server says.
    const { items } = await client.of('Pod').list({ namespace: claim.metadata.namespace ?? '' });
    if (items.some(uses)) return;
    await letGo(() =>
      client.of('PersistentVolumeClaim').update({ ...claim, metadata: { ...claim.metadata, finalizers: finalizers.filter((name) => name !== CLAIM) } }),
    );
  },
});

export const volumeProtectionController = reconciler({
  name: 'persistentvolume-protection-controller',
  for: 'PersistentVolume',

  async reconcile(volume, { client }) {
    const { finalizers = [], deletionTimestamp } = volume.metadata;
    const has = finalizers.includes(VOLUME);
    if (!deletionTimestamp) {
      if (!has) await client.of('PersistentVolume').update({ ...volume, metadata: { ...volume.metadata, finalizers: [...finalizers, VOLUME] } });
      return;
    }
    if (!has || volume.status?.phase === 'Bound') return;
    await letGo(() =>
      client.of('PersistentVolume').update({ ...volume, metadata: { ...volume.metadata, finalizers: finalizers.filter((name) => name !== VOLUME) } }),
    );
  },
});

async function letGo(update: () => Promise<unknown>): Promise<void> {
  try {
    await update();
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
