/** NodeVolumeLimits: as many volumes of a driver on a node as the driver says it can attach there (`nodevolumelimits/csi.go`). */
import type { DeepReadonly } from '../../api/json.ts';
import type { Pod } from '../../api/types.gen.ts';
import { classOf } from '../../api/volumes.ts';
import { type Objects, type Plugin, reject } from '../framework.ts';
import { claimsOf, storageFor, usesClaims } from './pod-volumes.ts';

type P = DeepReadonly<Pod>;
const NAME = 'NodeVolumeLimits';
const FULL = reject(NAME, 'node(s) exceed max volume count');

/** The driver of each volume a pod attaches, by what makes the volume unique; claims without a volume count too. */
function attached(pod: P, objects: Objects): ReadonlyMap<string, string> {
  const volumes = new Map<string, string>();
  for (const { key } of claimsOf(pod)) {
    const claim = objects.get('PersistentVolumeClaim', key);
    if (!claim) continue;
    const csi = claim.spec?.volumeName ? objects.get('PersistentVolume', claim.spec.volumeName)?.spec?.csi : undefined;
    if (csi) volumes.set(`${csi.driver}/${csi.volumeHandle}`, csi.driver);
    else if (!claim.spec?.volumeName) {
      const storage = objects.get('StorageClass', classOf(claim));
      if (storage) volumes.set(`${storage.provisioner}/pending/${key}`, storage.provisioner);
    }
  }
  return volumes;
}

export const nodeVolumeLimits = (): Plugin => ({
  name: NAME,
  needs: (pod) => (usesClaims(pod) ? [...storageFor(pod), 'CSINode'] : []),
  preFilter: (_state, pod) => (usesClaims(pod) ? undefined : { skip: true }),
  filter({ objects }, pod, info) {
    const drivers = objects.get('CSINode', info.name)?.spec.drivers ?? [];
    if (!drivers.some(({ allocatable }) => allocatable?.count !== undefined)) return undefined;
    const wanted = attached(pod, objects);
    const there = new Map<string, string>();
    for (const other of info.pods.values()) for (const [volume, driver] of attached(other, objects)) there.set(volume, driver);
    for (const { name, allocatable } of drivers) {
      if (allocatable?.count === undefined) continue;
      const count = (volumes: ReadonlyMap<string, string>, not?: ReadonlyMap<string, string>): number =>
        [...volumes].filter(([volume, driver]) => driver === name && !not?.has(volume)).length;
      const more = count(wanted, there);
      if (more > 0 && count(there) + more > allocatable.count) return FULL;
    }
    return undefined;
  },
  events: [
    { resource: 'CSINode', actions: ['Add', 'Update'] },
    { resource: 'Pod', actions: ['Delete'], hint: (_pod, { before }) => usesClaims(before as P) },
    { resource: 'PersistentVolumeClaim', actions: ['Add', 'Update'] },
    { resource: 'PersistentVolume', actions: ['Add'] },
  ],
});
