/** VolumeZone: a pod stays in the zone and region its volumes are labelled with (`volumezone/volume_zone.go`). */
import type { DeepReadonly } from '../../api/json.ts';
import type { Pod } from '../../api/types.gen.ts';
import { classOf } from '../../api/volumes.ts';
import { type Objects, type Plugin, type Rejection, reject } from '../framework.ts';
import { claimsOf, storageFor } from './pod-volumes.ts';

type P = DeepReadonly<Pod>;
const NAME = 'VolumeZone';
const CONFLICT = reject(NAME, 'node(s) had no available volume zone', true);

const ZONE = 'topology.kubernetes.io/zone';
const REGION = 'topology.kubernetes.io/region';
/** The names the labels had before, and what they are called now. */
const RENAMED: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': ZONE,
  'failure-domain.beta.kubernetes.io/region': REGION,
};
const LABELS = [...Object.keys(RENAMED), ZONE, REGION];

interface Bond {
  readonly key: string;
  /** Any of these: a volume of several zones lists them with two underscores between. */
  readonly values: readonly string[];
}

function bondsOf(pod: P, objects: Objects): readonly Bond[] | Rejection {
  const no = (why: string): Rejection => reject(NAME, why, true);
  const bonds: Bond[] = [];
  for (const { name, key, ephemeral } of claimsOf(pod)) {
    if (ephemeral) continue;
    const claim = objects.get('PersistentVolumeClaim', key);
    if (!claim) return no(`persistentvolumeclaim "${name}" not found`);
    const volumeName = claim.spec?.volumeName;
    if (!volumeName) {
      const className = classOf(claim);
      if (className === '') return no('PersistentVolumeClaim had no pv name and storageClass name');
      const storage = objects.get('StorageClass', className);
      if (!storage) return no(`storageclass.storage.k8s.io "${className}" not found`);
      if (storage.volumeBindingMode === 'WaitForFirstConsumer') continue;
      return no('PersistentVolume had no name');
    }
    const volume = objects.get('PersistentVolume', volumeName);
    if (!volume) return no(`persistentvolume "${volumeName}" not found`);
    for (const label of LABELS) {
      const value = volume.metadata.labels?.[label];
      if (value !== undefined) bonds.push({ key: label, values: value.split('__') });
    }
  }
  return bonds;
}

export const volumeZone = (): Plugin => ({
  name: NAME,
  needs: storageFor,
  preFilter(state, pod) {
    const bonds = bondsOf(pod, state.objects);
    if ('plugin' in bonds) return { reject: bonds };
    state.set(NAME, bonds);
    return bonds.length === 0 ? { skip: true } : undefined;
  },
  filter(state, _pod, { node }) {
    const labels = node.metadata.labels ?? {};
    // A node that says nothing of zones is in a cluster of one.
    if (!LABELS.some((label) => labels[label] !== undefined)) return undefined;
    for (const { key, values } of state.get(NAME) as readonly Bond[]) {
      const value = labels[key] ?? labels[RENAMED[key] ?? ''];
      if (value === undefined || !values.includes(value)) return CONFLICT;
    }
    return undefined;
  },
  events: [
    { resource: 'StorageClass', actions: ['Add'] },
    { resource: 'Node', actions: ['Add', 'UpdateNodeLabel'] },
    { resource: 'PersistentVolumeClaim', actions: ['Add', 'Update'] },
    { resource: 'PersistentVolume', actions: ['Add', 'Update'] },
  ],
});
