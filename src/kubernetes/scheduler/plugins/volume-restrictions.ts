/** VolumeRestrictions: disks that only one node may write, and claims that only one pod may use (`volumerestrictions/volume_restrictions.go`). */
import type { DeepReadonly } from '../../api/json.ts';
import type { Pod, Volume } from '../../api/types.gen.ts';
import { type Plugin, reject } from '../framework.ts';
import { claimsOf, storageFor } from './pod-volumes.ts';

type P = DeepReadonly<Pod>;
type V = DeepReadonly<Volume>;
const NAME = 'VolumeRestrictions';
const DISK = reject(NAME, 'node(s) had no available disk');
const ONE_POD = reject(NAME, 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode');

const isDisk = (volume: V): boolean => Boolean(volume.gcePersistentDisk || volume.awsElasticBlockStore || volume.rbd || volume.iscsi);

/** Whether two volumes are one disk that cannot be mounted by both (`isVolumeConflict`). */
export function clash(a: V, b: V): boolean {
  const [gce, aws, rbd, iscsi] = [a.gcePersistentDisk, a.awsElasticBlockStore, a.rbd, a.iscsi];
  if (gce && b.gcePersistentDisk) return gce.pdName === b.gcePersistentDisk.pdName && !(gce.readOnly && b.gcePersistentDisk.readOnly);
  if (aws && b.awsElasticBlockStore) return aws.volumeID === b.awsElasticBlockStore.volumeID;
  if (iscsi && b.iscsi) return iscsi.iqn === b.iscsi.iqn && !(iscsi.readOnly && b.iscsi.readOnly);
  if (rbd && b.rbd) {
    const { monitors, pool, image, readOnly } = b.rbd;
    return rbd.monitors.some((monitor) => monitors.includes(monitor)) && rbd.pool === pool && rbd.image === image && !(rbd.readOnly && readOnly);
  }
  return false;
}

/** How many volumes of placed pods are of the pod's own ReadWriteOncePod claims. */
class Conflicts {
  constructor(
    readonly claims: ReadonlySet<string>,
    public count: number,
  ) {}
  clone(): Conflicts {
    return new Conflicts(this.claims, this.count);
  }
  of(other: P): number {
    return claimsOf(other).filter(({ key }) => this.claims.has(key)).length;
  }
}

export const volumeRestrictions = (): Plugin => ({
  name: NAME,
  needs: storageFor,
  preFilter(state, pod, nodes) {
    const alone = new Set<string>();
    for (const { name, key, ephemeral } of claimsOf(pod)) {
      if (ephemeral) continue;
      const claim = state.objects.get('PersistentVolumeClaim', key);
      if (!claim) return { reject: reject(NAME, `persistentvolumeclaim "${name}" not found`, true) };
      if (claim.spec?.accessModes?.includes('ReadWriteOncePod')) alone.add(key);
    }
    const conflicts = new Conflicts(alone, 0);
    if (alone.size > 0) for (const info of nodes.list()) for (const other of info.pods.values()) conflicts.count += conflicts.of(other);
    state.set(NAME, conflicts);
    return conflicts.count === 0 && !(pod.spec?.volumes ?? []).some(isDisk) ? { skip: true } : undefined;
  },
  addPod(state, _pod, other) {
    const conflicts = state.get(NAME) as Conflicts | undefined;
    if (conflicts) conflicts.count += conflicts.of(other);
  },
  removePod(state, _pod, other) {
    const conflicts = state.get(NAME) as Conflicts | undefined;
    if (conflicts) conflicts.count -= conflicts.of(other);
  },
  filter(state, pod, info) {
    for (const volume of pod.spec?.volumes ?? []) {
      if (!isDisk(volume)) continue;
      for (const other of info.pods.values()) if ((other.spec?.volumes ?? []).some((theirs) => clash(volume, theirs))) return DISK;
    }
    return (state.get(NAME) as Conflicts).count > 0 ? ONE_POD : undefined;
  },
  events: [
    {
      resource: 'Pod',
      actions: ['Delete'],
      hint: (pod, { before }) => {
        const gone = before as P;
        if (gone.metadata.namespace !== pod.metadata.namespace) return false;
        const own = new Set(claimsOf(pod).map(({ key }) => key));
        return (
          claimsOf(gone).some(({ key }) => own.has(key)) ||
          (pod.spec?.volumes ?? []).some((volume) => (gone.spec?.volumes ?? []).some((theirs) => isDisk(volume) && clash(volume, theirs)))
        );
      },
    },
    { resource: 'Node', actions: ['Add'] },
    {
      resource: 'PersistentVolumeClaim',
      actions: ['Add', 'Update'],
      hint: (pod, { after }) => claimsOf(pod).some(({ key }) => key === `${after?.metadata.namespace}/${after?.metadata.name}`),
    },
  ],
});
