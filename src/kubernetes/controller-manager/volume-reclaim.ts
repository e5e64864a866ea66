/**
 * The other half of the binder: what becomes of volumes (pkg/controller/volume/persistentvolume, syncVolume).
 *
 * Keeps true: a volume's phase says whether it is free, bound or left behind; one left behind is kept or deleted as its
 * reclaim policy says.
 * Woken by: the volume, and its claim.
 *
 * Here simplified: `Recycle` is refused as for a volume without a recycler; deleting a hostPath volume removes the
 * object, not the directory on the control plane's machine.
 */
import { keyOf } from '../api/meta.ts';
import { BOUND_BY_CONTROLLER, claimKey, isBoundTo, PROVISIONED_BY, type Volume } from '../api/volumes.ts';
import { isNotFound } from '../client/retry.ts';
import { type Context, reconciler } from './controller.ts';
import { setPhase } from './volume-bind.ts';

export const volumeReclaimController = reconciler({
  name: 'persistentvolume-binder-controller-volumes',
  for: 'PersistentVolume',
  workers: 1,
  wakes: {
    PersistentVolumeClaim: (claim, { informer }) => {
      const named = claim.spec?.volumeName;
      const kept = informer('PersistentVolume')
        .list()
        .filter((volume) => isBoundTo(volume, claim) || volume.metadata.name === named);
      return kept.map(keyOf);
    },
  },

  async reconcile(volume, context) {
    const { informer, client } = context;
    const reference = volume.spec?.claimRef;
    if (!reference?.uid) {
      await setPhase(client, volume, 'Available');
      return;
    }
    const named = informer('PersistentVolumeClaim').get(claimKey(volume));
    let claim = named?.metadata.uid === reference.uid ? named : undefined;
    if (!claim && volume.status?.phase !== 'Released' && volume.status?.phase !== 'Failed') {
      // The local copy may be behind the volume's: only the server's word sets a volume free.
      try {
        const fresh = await client.of('PersistentVolumeClaim').get(claimKey(volume));
        if (fresh.metadata.uid === reference.uid) claim = fresh;
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    if (!claim) {
      await reclaim(await release(volume, context), context);
      return;
    }
    // Half bound: the claim's side finishes it.
    if (!claim.spec?.volumeName) return;
    if (claim.spec.volumeName === volume.metadata.name) {
      await setPhase(client, volume, 'Bound');
      return;
    }
    // The claim got another volume: this one was made for nothing, or is set free.
    const { annotations } = volume.metadata;
    if (annotations?.[PROVISIONED_BY] !== undefined && volume.spec?.persistentVolumeReclaimPolicy === 'Delete')
      await reclaim(await release(volume, context), context);
    else await unbind(volume, context);
  },
});

const release = async (volume: Volume, { client }: Context): Promise<Volume> =>
  volume.status?.phase === 'Released' || volume.status?.phase === 'Failed' ? volume : setPhase(client, volume, 'Released');

/** Takes the claim out of a volume; one that a person put there stays by name (`unbindVolume`). */
async function unbind(volume: Volume, { client }: Context): Promise<void> {
  const { [BOUND_BY_CONTROLLER]: byController, ...annotations } = volume.metadata.annotations ?? {};
  const { claimRef, ...spec } = volume.spec ?? {};
  const { uid: _, ...kept } = claimRef ?? {};
  const freed = await client.of('PersistentVolume').update({
    ...volume,
    metadata: { ...volume.metadata, annotations },
    spec: { ...spec, ...(byController === undefined ? { claimRef: kept } : {}) },
  });
  await setPhase(client, freed, 'Available');
}

async function reclaim(volume: Volume, context: Context): Promise<void> {
  const { client, event } = context;
  const policy = volume.spec?.persistentVolumeReclaimPolicy;
  if (policy === 'Recycle') return fail(volume, 'VolumeFailedRecycle', 'No recycler plugin found for the volume!', context);
  if (policy !== 'Delete') return;
  // Whoever made it deletes it.
  const provisioner = volume.metadata.annotations?.[PROVISIONED_BY];
  if (volume.spec?.csi || (provisioner !== undefined && !provisioner.startsWith('kubernetes.io/'))) return;
  const path = volume.spec?.hostPath?.path;
  if (path === undefined) {
    const problem = `error getting deleter volume plugin for volume "${volume.metadata.name}": no deletable volume plugin matched`;
    return fail(volume, 'VolumeFailedDelete', problem, context);
  }
  if (!/\/tmp\/.+/.test(path)) return fail(volume, 'VolumeFailedDelete', `host_path deleter only supports /tmp/.+ but received provided ${path}`, context);
  try {
    await client.of('PersistentVolume').delete(keyOf(volume));
  } catch (error) {
    if (isNotFound(error)) return;
    event(volume, 'Warning', 'VolumeFailedDelete', String(error));
    throw error;
  }
}

async function fail(volume: Volume, reason: string, message: string, { client, event }: Context): Promise<void> {
  if (volume.status?.phase === 'Failed') return;
  await setPhase(client, volume, 'Failed', message);
  event(volume, 'Warning', reason, message);
}
