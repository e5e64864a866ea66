/** DefaultStorageClass: a claim that names no class gets the newest one marked as default (plugin/pkg/admission/storage/storageclass/setdefault). */
import type { PersistentVolumeClaim } from '../../api/types.gen.ts';
import type { Plugin } from './admission.ts';

const IS_DEFAULT = 'storageclass.kubernetes.io/is-default-class';
const LEGACY = 'volume.beta.kubernetes.io/storage-class';

export const defaultStorageClass: Plugin = {
  name: 'DefaultStorageClass',
  mutate({ operation, row, subresource, object }, world) {
    if (operation !== 'CREATE' || row.plural !== 'persistentvolumeclaims' || subresource !== '') return object;
    const claim = object as PersistentVolumeClaim;
    if (claim.spec?.storageClassName !== undefined || claim.metadata.annotations?.[LEGACY] !== undefined) return object;
    const newest = [...world.under('/registry/storageclasses/')]
      .map(({ object: found }) => found)
      .filter((found) => found.metadata.annotations?.[IS_DEFAULT] === 'true')
      .sort(
        (a, b) => compare(b.metadata.creationTimestamp ?? '', a.metadata.creationTimestamp ?? '') || compare(a.metadata.name ?? '', b.metadata.name ?? ''),
      )[0];
    return newest ? { ...claim, spec: { ...claim.spec, storageClassName: newest.metadata.name! } } : object;
  },
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
