/** PersistentVolumeClaimResize: only a bound claim of a class that allows it may grow (plugin/pkg/admission/storage/persistentvolume/resize). */
import { compareQuantities } from '../../api/quantity.ts';
import type { PersistentVolumeClaim, StorageClass } from '../../api/types.gen.ts';
import { forbidden } from '../errors.ts';
import { nameOf, type Plugin, type World } from './admission.ts';

const LEGACY = 'volume.beta.kubernetes.io/storage-class';
const classOf = ({ metadata, spec }: PersistentVolumeClaim): string => metadata.annotations?.[LEGACY] ?? spec?.storageClassName ?? '';

export const volumeResize: Plugin = {
  name: 'PersistentVolumeClaimResize',
  validate(attributes, world) {
    const [claim, old] = [attributes.object as PersistentVolumeClaim, attributes.old as PersistentVolumeClaim];
    const size = (of: PersistentVolumeClaim): string => of.spec?.resources?.requests?.['storage'] ?? '0';
    if (compareQuantities(size(claim), size(old)) <= 0) return;
    const refuse = (why: string) => forbidden('', 'persistentvolumeclaims', nameOf(attributes), why);
    if (old.status?.phase !== 'Bound') throw refuse('Only bound persistent volume claims can be expanded');
    if (!growable(claim, old, world))
      throw refuse('only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize');
  },
};

function growable(claim: PersistentVolumeClaim, old: PersistentVolumeClaim, world: World): boolean {
  const name = classOf(claim);
  if (name === '' || name !== classOf(old)) return false;
  return (world.get(`/registry/storageclasses/${name}`) as StorageClass | undefined)?.allowVolumeExpansion === true;
}
