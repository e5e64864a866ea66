/**
 * StorageObjectInUseProtection: new claims and volumes get a finalizer, which the controller manager takes off
 * again when nobody uses them any more (plugin/pkg/admission/storage/storageobjectinuseprotection).
 */
import type { Plugin } from './admission.ts';

export const FINALIZERS: Readonly<Record<string, string>> = {
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
  persistentvolumes: 'kubernetes.io/pv-protection',
};

export const storageInUse: Plugin = {
  name: 'StorageObjectInUseProtection',
  mutate({ row, object }) {
    const finalizer = FINALIZERS[row.plural]!;
    const { finalizers = [] } = object.metadata;
    if (finalizers.includes(finalizer)) return object;
    return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } };
  },
};
