/**
 * Finds a volume for every claim, or has one made (pkg/controller/volume/persistentvolume, syncClaim).
 *
 * Keeps true: a claim that can be satisfied is bound to the smallest volume that does; one whose class has a
 * provisioner asks it for a volume; one whose class waits for a consumer waits until the scheduler has chosen a node.
 * Woken by: the claim, volumes that name it, and again every 15 s while it is not bound: a volume that becomes free wakes nobody.
 */
import { seconds } from '../../sim/clock.ts';
import { keyOf } from '../api/meta.ts';
import {
  BETA_STORAGE_PROVISIONER,
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  type Claim,
  type Class,
  claimKey,
  classOf,
  findBestMatch,
  isBoundTo,
  isDelayed,
  mismatch,
  namesClass,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
  type Volume,
} from '../api/volumes.ts';
import { type Context, reconciler } from './controller.ts';
import { isFinished } from './pods.ts';
import { bind, setClaimStatus } from './volume-bind.ts';

/** `--pvclaimbinder-sync-period` */
const RESYNC = { again: seconds(15) };

/** In-tree provisioners, all of which have moved to drivers (CSI migration). */
const MIGRATED: Readonly<Record<string, string>> = {
  'kubernetes.io/aws-ebs': 'ebs.csi.aws.com',
  'kubernetes.io/azure-disk': 'disk.csi.azure.com',
  'kubernetes.io/azure-file': 'file.csi.azure.com',
  'kubernetes.io/cinder': 'cinder.csi.openstack.org',
  'kubernetes.io/gce-pd': 'pd.csi.storage.gke.io',
  'kubernetes.io/portworx-volume': 'pxd.portworx.com',
  'kubernetes.io/vsphere-volume': 'csi.vsphere.vmware.com',
};

export const volumeClaimController = reconciler({
  name: 'persistentvolume-binder-controller',
  for: 'PersistentVolumeClaim',
  reads: ['StorageClass', 'Pod'],
  // One at a time: two claims must not take one volume.
  workers: 1,
  wakes: {
    PersistentVolume: (volume) => (volume.spec?.claimRef ? [claimKey(volume)] : []),
  },

  async reconcile(claim, context) {
    const again = claim.metadata.annotations?.[BIND_COMPLETED] === undefined ? await bindNew(claim, context) : await keepBound(claim, context);
    return again ? RESYNC : undefined;
  },
});

/** Answers whether to look again. */
async function bindNew(claim: Claim, context: Context): Promise<boolean> {
  const { informer, client, event } = context;
  const volumes = informer('PersistentVolume');
  const pending = async (): Promise<true> => {
    await toPending(claim, context);
    return true;
  };
  const wanted = claim.spec?.volumeName;
  if (wanted) {
    const volume = volumes.get(wanted);
    if (!volume) return pending();
    if (volume.spec?.claimRef && !isBoundTo(volume, claim)) {
      if (claim.metadata.annotations?.[BOUND_BY_CONTROLLER] !== undefined)
        throw new Error(`invalid binding of claim "${keyOf(claim)}" to volume "${wanted}": volume already claimed by "${claimKey(volume)}"`);
      event(claim, 'Warning', 'FailedBinding', `volume "${wanted}" already bound to a different claim.`);
      return pending();
    }
    const problem = volume.spec?.claimRef ? undefined : mismatch(volume, claim);
    if (problem === undefined) {
      await bind(client, volume, claim);
      return false;
    }
    event(claim, 'Warning', 'VolumeMismatch', `Cannot bind to requested volume "${wanted}": ${problem}`);
    return pending();
  }

  const storage = classOf(claim) ? informer('StorageClass').get(classOf(claim)) : undefined;
  const found = findBestMatch(claim, volumes.list(), isDelayed(storage));
  if (found) {
    await bind(client, found, claim);
    return false;
  }
  const fallback = namesClass(claim) ? undefined : defaultClass(informer('StorageClass').list());
  if (fallback) {
    // Made before there was a default class: it gets it now (RetroactiveDefaultStorageClass).
    await client.of('PersistentVolumeClaim').update({ ...claim, spec: { ...claim.spec, storageClassName: fallback.metadata.name ?? '' } });
    return false;
  }
  if (isDelayed(storage) && claim.metadata.annotations?.[SELECTED_NODE] === undefined) tellOfWaiting(claim, context);
  else if (classOf(claim)) return provision(claim, storage, context);
  else event(claim, 'Normal', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set');
  return pending();
}

const toPending = (claim: Claim, { client }: Context): Promise<void> => {
  const { accessModes: _, capacity: __, ...rest } = claim.status ?? {};
  return setClaimStatus(client, claim, { ...rest, phase: 'Pending' });
};

/** The newest class that is marked as default. */
function defaultClass(classes: readonly Class[]): Class | undefined {
  const marked = classes.filter(({ metadata: { annotations } }) =>
    ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'].some((name) => annotations?.[name] === 'true'),
  );
  const age = ({ metadata }: Class): string => metadata.creationTimestamp ?? '';
  return marked.sort((a, b) => (age(a) === age(b) ? ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1) : age(a) > age(b) ? -1 : 1))[0];
}

function tellOfWaiting(claim: Claim, { informer, event }: Context): void {
  const name = claim.metadata.name;
  const waiting = informer('Pod')
    .list(claim.metadata.namespace)
    .filter(
      (pod) =>
        !pod.spec?.nodeName &&
        !isFinished(pod) &&
        pod.spec?.volumes?.some(
          (volume) => volume.persistentVolumeClaim?.claimName === name || (volume.ephemeral && `${pod.metadata.name}-${volume.name}` === name),
        ),
    )
    .map((pod) => pod.metadata.name);
  if (waiting.length === 0) event(claim, 'Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding');
  else event(claim, 'Normal', 'WaitForPodScheduled', `waiting for ${waiting.length > 1 ? 'pods' : 'pod'} ${waiting.join(',')} to be scheduled`);
}

/** Names the provisioner on the claim and leaves the rest to it (`provisionClaimOperationExternal`). */
async function provision(claim: Claim, storage: Class | undefined, { client, event }: Context): Promise<boolean> {
  if (!storage) {
    event(claim, 'Warning', 'ProvisioningFailed', `storageclass.storage.k8s.io "${classOf(claim)}" not found`);
    return true;
  }
  const provisioner = MIGRATED[storage.provisioner] ?? storage.provisioner;
  if (provisioner.startsWith('kubernetes.io/')) {
    event(claim, 'Warning', 'ProvisioningFailed', `no volume plugin matched name: ${provisioner}`);
    return true;
  }
  const { annotations } = claim.metadata;
  const named = { [BETA_STORAGE_PROVISIONER]: provisioner, [STORAGE_PROVISIONER]: provisioner };
  if (annotations?.[STORAGE_PROVISIONER] !== provisioner || annotations[BETA_STORAGE_PROVISIONER] !== provisioner)
    await client.of('PersistentVolumeClaim').update({ ...claim, metadata: { ...claim.metadata, annotations: { ...annotations, ...named } } });
  event(
    claim,
    'Normal',
    'ExternalProvisioning',
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`,
  );
  return true;
}

/** A claim that was bound stays so, or is lost for good (`syncBoundClaim`). */
async function keepBound(claim: Claim, context: Context): Promise<boolean> {
  const { informer, client } = context;
  const name = claim.spec?.volumeName;
  const volume: Volume | undefined = name ? informer('PersistentVolume').get(name) : undefined;
  if (!name) await lose(claim, 'ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!', context);
  else if (!volume) await lose(claim, 'ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!', context);
  else if (!volume.spec?.claimRef || volume.spec.claimRef.uid === claim.metadata.uid) await bind(client, volume, claim);
  else await lose(claim, 'ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly', context);
  return false;
}

async function lose(claim: Claim, reason: string, message: string, { client, event }: Context): Promise<void> {
  if (claim.status?.phase === 'Lost') return;
  const { accessModes: _, capacity: __, ...rest } = claim.status ?? {};
  await setClaimStatus(client, claim, { ...rest, phase: 'Lost' });
  event(claim, 'Warning', reason, message);
}
