/** CSI: drivers, nodes' drivers, attachments; and what of a volume never changes (pkg/apis/{storage,core}/validation). */
import { dns1123SubdomainErrors } from '../../api/names.ts';
import type { CSIDriver, CSINode, PersistentVolume, VolumeAttachment } from '../../api/types.gen.ts';
import { duplicate, type Errors, each, forbidden, immutable, invalid, notSupported, required, sameJson } from './field.ts';

/** CSI driver names: a DNS name of at most 63 characters. */
function driverName(errors: Errors, field: string, name: string): void {
  if (name === '') errors.push(required(field));
  if (name.length > 63) errors.push({ type: 'FieldValueTooLong', field, detail: 'may not be more than 63 bytes' });
  each(errors, field, name, name === '' ? [] : dns1123SubdomainErrors(name.toLowerCase()));
}

const MODES = ['Ephemeral', 'Persistent'];
const GROUP_POLICIES = ['File', 'None', 'ReadWriteOnceWithFSType'];

export function validateDriver(errors: Errors, object: CSIDriver, old: CSIDriver | undefined): void {
  if (!old) driverName(errors, 'metadata.name', object.metadata.name ?? '');
  const spec = object.spec ?? {};
  if (spec.attachRequired === undefined) errors.push(required('spec.attachedRequired'));
  for (const mode of spec.volumeLifecycleModes ?? []) if (!MODES.includes(mode)) errors.push(notSupported('spec.volumeLifecycleModes', mode, MODES));
  if (spec.fsGroupPolicy !== undefined && !GROUP_POLICIES.includes(spec.fsGroupPolicy))
    errors.push(notSupported('spec.fsGroupPolicy', spec.fsGroupPolicy, GROUP_POLICIES));
  if (!old) return;
  immutable(errors, 'spec.attachedRequired', spec.attachRequired ?? null, old.spec?.attachRequired ?? null);
  immutable(errors, 'spec.volumeLifecycleModes', spec.volumeLifecycleModes ?? null, old.spec?.volumeLifecycleModes ?? null);
}

export function validateNodeDrivers(errors: Errors, object: CSINode, old: CSINode | undefined): void {
  const names = new Set<string>();
  const drivers = object.spec?.drivers ?? [];
  for (const [i, driver] of drivers.entries()) {
    const at = `spec.drivers[${i}]`;
    driverName(errors, `${at}.name`, driver.name ?? '');
    if (!driver.nodeID) errors.push(required(`${at}.nodeID`));
    else if (driver.nodeID.length > 256) errors.push(invalid(`${at}.nodeID`, driver.nodeID, 'must be 256 characters or less'));
    const keys = new Set<string>();
    for (const key of driver.topologyKeys ?? []) {
      if (keys.has(key)) errors.push(duplicate(`${at}.topologyKeys`, key));
      keys.add(key);
    }
    if (names.has(driver.name)) errors.push(duplicate(`${at}.name`, driver.name));
    names.add(driver.name);
  }
  // A driver that is there stays as it is, until it goes.
  for (const before of old?.spec?.drivers ?? []) {
    const now = drivers.find(({ name }) => name === before.name);
    if (now && !sameJson({ ...now, allocatable: undefined }, { ...before, allocatable: undefined }))
      errors.push(invalid('spec.drivers', now, 'field is immutable'));
  }
}

export function validateAttachment(errors: Errors, object: VolumeAttachment, old: VolumeAttachment | undefined): void {
  const spec = object.spec;
  driverName(errors, 'spec.attacher', spec?.attacher ?? '');
  const { persistentVolumeName, inlineVolumeSpec } = spec?.source ?? {};
  if (persistentVolumeName === undefined && !inlineVolumeSpec)
    errors.push(required('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
  if (persistentVolumeName !== undefined && inlineVolumeSpec)
    errors.push(forbidden('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
  if (persistentVolumeName === '') errors.push(required('spec.source.persistentVolumeName', 'must specify non empty persistentVolumeName'));
  each(errors, 'spec.nodeName', spec?.nodeName ?? '', dns1123SubdomainErrors(spec?.nodeName ?? ''));
  if (old) immutable(errors, 'spec', spec, old.spec);
}

const BESIDE_SOURCE = new Set([
  'accessModes',
  'capacity',
  'claimRef',
  'mountOptions',
  'nodeAffinity',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'volumeAttributesClassName',
  'volumeMode',
]);
const sourceOf = (volume: PersistentVolume): object => Object.fromEntries(Object.entries(volume.spec ?? {}).filter(([key]) => !BESIDE_SOURCE.has(key)));

/** Here simplified: upstream adds the difference as its cmp library shows it. */
export function validateVolumeUpdate(errors: Errors, object: PersistentVolume, old: PersistentVolume): void {
  if (!sameJson(sourceOf(object), sourceOf(old)))
    errors.push(forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation'));
  immutable(errors, 'spec.volumeMode', object.spec?.volumeMode ?? null, old.spec?.volumeMode ?? null);
  if (old.spec?.nodeAffinity && !sameJson(object.spec?.nodeAffinity, old.spec.nodeAffinity))
    errors.push(invalid('nodeAffinity', object.spec?.nodeAffinity ?? null, 'field is immutable'));
}
