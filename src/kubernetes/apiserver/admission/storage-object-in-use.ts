/**
 * StorageObjectInUseProtection: claims and volumes get a finalizer, so that they outlive the pods that
 * use them (plugin/pkg/admission/storage/storageobjectinuseprotection).
 */
import type { Plugin } from './admission.ts';

const FINALIZERS: Readonly<Record<string, string>> = {
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
  persistentvolumes: 'kubernetes.io/pv-protection',
};

export const storageObjectInUse: Plugin = {
  name: 'StorageObjectInUseProtection',
  mutate({ operation, row, subresource, object }) {
    const finalizer = row.group === '' ? FINALIZERS[row.plural] : undefined;
    if (operation !== 'CREATE' || finalizer === undefined || subresource !== '') return object;
    const finalizers = object.metadata.finalizers ?? [];
    if (finalizers.includes(finalizer)) return object;
    return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } };
  },
};
