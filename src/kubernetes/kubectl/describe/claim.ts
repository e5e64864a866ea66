/** A claim of storage, by itself or as the template of an ephemeral volume. */

import type { Instant } from '../../../sim/clock.ts';
import { canonicalQuantity } from '../../api/quantity.ts';
import type { PersistentVolumeClaim } from '../../api/types.gen.ts';
import { goPrint } from '../gostring.ts';
import { type Sheet, since, sortedKeys } from './sheet.ts';

const MODES: Readonly<Record<string, string>> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' };

/** `RWO,RWX`, each once and in this order (kubectl's GetAccessModesAsString). */
export const accessModes = (modes: readonly string[] = []): string =>
  Object.entries(MODES)
    .filter(([mode]) => modes.includes(mode))
    .map(([, short]) => short)
    .join(',');

/** The class a claim or volume asks for; the annotation is older than the field and wins. */
export const storageClass = (object: {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: { readonly storageClassName?: string } | undefined;
}): string => object.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? object.spec?.storageClassName ?? '';

const pairs = (map: Readonly<Record<string, string>> = {}, sign: string): string[] => {
  const texts = sortedKeys(map).map((key) => `${key}${sign}${map[key] ?? ''}`);
  return texts.length > 0 ? texts : ['<none>'];
};

/** Without `now` it is a template: name, status and finalizers mean nothing, and it stands two levels deeper. */
export function writeClaim(sheet: Sheet, claim: PersistentVolumeClaim, now: Instant | undefined): void {
  const { metadata, spec, status } = claim;
  const level = now === undefined ? 2 : 0;
  const full = now !== undefined;
  if (full) {
    sheet.line(0, 'Name:', metadata.name ?? '');
    sheet.line(0, 'Namespace:', metadata.namespace ?? '');
  }
  sheet.line(level, 'StorageClass:', storageClass(claim));
  if (full) sheet.line(0, 'Status:', metadata.deletionTimestamp ? `Terminating (lasts ${since(metadata.deletionTimestamp, now)})` : (status?.phase ?? ''));
  sheet.line(level, 'Volume:', spec?.volumeName ?? '');
  if (full) {
    sheet.labels('Labels', metadata.labels);
    sheet.annotations('Annotations', metadata.annotations);
    sheet.line(0, 'Finalizers:', goPrint(metadata.finalizers ?? []));
  } else {
    sheet.nested('Labels', pairs(metadata.labels, '='));
    sheet.nested('Annotations', pairs(metadata.annotations, ': '));
  }
  const bound = Boolean(spec?.volumeName);
  sheet.line(level, 'Capacity:', bound ? canonicalQuantity(status?.capacity?.['storage'] ?? '0') : '');
  sheet.line(level, 'Access Modes:', bound ? accessModes(status?.accessModes) : '');
  if (spec?.volumeMode) sheet.line(level, 'VolumeMode:', spec.volumeMode);
  if (spec?.dataSource) {
    sheet.line(level, 'DataSource:');
    if (spec.dataSource.apiGroup !== undefined) sheet.line(level + 1, 'APIGroup:', spec.dataSource.apiGroup);
    sheet.line(level + 1, 'Kind:', spec.dataSource.kind);
    sheet.line(level + 1, 'Name:', spec.dataSource.name);
  }
}
