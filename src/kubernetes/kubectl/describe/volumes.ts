/** Volumes of pods and templates, and what backs a persistent volume. */
import { canonicalQuantity } from '../../api/quantity.ts';
import type { PersistentVolumeClaim, PersistentVolumeSpec, Volume } from '../../api/types.gen.ts';
import { goPrint } from '../gostring.ts';
import { writeClaim } from './claim.ts';
import { type Sheet, sortedKeys } from './sheet.ts';

type Value = string | number | boolean;
/** Label, field, and what is printed when the field is not set. */
type Field = readonly [label: string, field: string, unset: Value];
interface Source {
  readonly type: string;
  readonly fields: readonly Field[];
}

const READ_ONLY: Field = ['ReadOnly', 'readOnly', false];
const FS_TYPE: Field = ['FSType', 'fsType', ''];

/**
 * Sources that are printed field by field, by their name in the API. Here simplified: in-tree drivers of storage
 * systems that Kubernetes no longer ships (RBD, CephFS, ScaleIO, …) are described as unknown.
 */
const SOURCES: Readonly<Record<string, Source>> = {
  hostPath: {
    type: 'HostPath (bare host directory volume)',
    fields: [
      ['Path', 'path', ''],
      ['HostPathType', 'type', '<none>'],
    ],
  },
  gcePersistentDisk: {
    type: 'GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)',
    fields: [['PDName', 'pdName', ''], FS_TYPE, ['Partition', 'partition', 0], READ_ONLY],
  },
  awsElasticBlockStore: {
    type: 'AWSElasticBlockStore (a Persistent Disk resource in AWS)',
    fields: [['VolumeID', 'volumeID', ''], FS_TYPE, ['Partition', 'partition', 0], READ_ONLY],
  },
  gitRepo: {
    type: 'GitRepo (a volume that is pulled from git when the pod is created)',
    fields: [
      ['Repository', 'repository', ''],
      ['Revision', 'revision', ''],
    ],
  },
  secret: {
    type: 'Secret (a volume populated by a Secret)',
    fields: [
      ['SecretName', 'secretName', ''],
      ['Optional', 'optional', false],
    ],
  },
  configMap: {
    type: 'ConfigMap (a volume populated by a ConfigMap)',
    fields: [
      ['Name', 'name', ''],
      ['Optional', 'optional', false],
    ],
  },
  nfs: { type: 'NFS (an NFS mount that lasts the lifetime of a pod)', fields: [['Server', 'server', ''], ['Path', 'path', ''], READ_ONLY] },
  persistentVolumeClaim: {
    type: 'PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)',
    fields: [['ClaimName', 'claimName', ''], READ_ONLY],
  },
  local: { type: 'LocalVolume (a persistent volume backed by local storage on a node)', fields: [['Path', 'path', '']] },
  csi: { type: 'CSI (a Container Storage Interface (CSI) volume source)', fields: [['Driver', 'driver', ''], FS_TYPE, READ_ONLY] },
  image: {
    type: 'Image (a container image or OCI artifact)',
    fields: [
      ['Reference', 'reference', ''],
      ['PullPolicy', 'pullPolicy', ''],
    ],
  },
};
const PERSISTENT_CSI: Source = {
  type: SOURCES['csi']?.type ?? '',
  fields: [['Driver', 'driver', ''], FS_TYPE, ['VolumeHandle', 'volumeHandle', ''], READ_ONLY],
};

export function writeVolumes(sheet: Sheet, volumes: readonly Volume[] = [], inTemplate = false): void {
  const space = inTemplate ? '  ' : '';
  if (volumes.length === 0) {
    sheet.line(0, `${space}Volumes:`, '<none>');
    return;
  }
  sheet.line(0, `${space}Volumes:`);
  for (const volume of volumes) {
    sheet.line(1, `${inTemplate ? ' ' : ''}${volume.name}:`);
    writeVolume(sheet, volume);
  }
}

function writeVolume(sheet: Sheet, volume: Volume): void {
  if (volume.emptyDir) writeEmptyDir(sheet, volume.emptyDir);
  else if (volume.projected) writeProjected(sheet, volume.projected);
  else if (volume.downwardAPI) {
    sheet.line(2, 'Type:', 'DownwardAPI (a volume populated by information about the pod)');
    sheet.line(2, 'Items:');
    for (const { path, fieldRef, resourceFieldRef } of volume.downwardAPI.items ?? []) {
      if (fieldRef) sheet.line(3, `${fieldRef.fieldPath} -> ${path}`);
      if (resourceFieldRef) sheet.line(3, `${resourceFieldRef.resource} -> ${path}`);
    }
  } else if (volume.ephemeral) {
    sheet.line(2, 'Type:', 'EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)');
    const template = volume.ephemeral.volumeClaimTemplate;
    if (template) writeClaim(sheet, { metadata: template.metadata ?? {}, spec: template.spec } as PersistentVolumeClaim, undefined);
  } else writeSource(sheet, volume, SOURCES);
}

/** What a persistent volume is made of. */
export const writePersistentSource = (sheet: Sheet, spec: PersistentVolumeSpec): void => writeSource(sheet, spec, { ...SOURCES, csi: PERSISTENT_CSI });

function writeSource(sheet: Sheet, holder: object, sources: Readonly<Record<string, Source>>): void {
  const name = Object.keys(sources).find((key) => (holder as Readonly<Record<string, unknown>>)[key]);
  const source = name === undefined ? undefined : sources[name];
  if (name === undefined || !source) {
    sheet.line(1, '<unknown>');
    return;
  }
  const value = (holder as Readonly<Record<string, Readonly<Record<string, unknown>>>>)[name] ?? {};
  sheet.line(2, 'Type:', source.type);
  for (const [label, field, unset] of source.fields) sheet.line(2, `${label}:`, goPrint(value[field] ?? unset));
  if (name === 'csi') {
    const attributes = (value['volumeAttributes'] ?? {}) as Readonly<Record<string, string>>;
    const texts = sortedKeys(attributes).map((key) => `${key}=${attributes[key]}`);
    const cut = texts.map((text) => (text.length > 140 ? `${text.slice(0, 140)}...` : text));
    if (cut.length === 0) sheet.line(2, 'VolumeAttributes:', '<none>');
    sheet.nested('VolumeAttributes', cut);
  }
}

function writeEmptyDir(sheet: Sheet, { medium, sizeLimit }: NonNullable<Volume['emptyDir']>): void {
  sheet.line(2, 'Type:', "EmptyDir (a temporary directory that shares a pod's lifetime)");
  sheet.line(2, 'Medium:', medium ?? '');
  const limit = sizeLimit === undefined ? '0' : canonicalQuantity(sizeLimit);
  sheet.line(2, 'SizeLimit:', limit === '0' || limit.startsWith('-') ? '<unset>' : limit);
}

function writeProjected(sheet: Sheet, projected: NonNullable<Volume['projected']>): void {
  sheet.line(2, 'Type:', 'Projected (a volume that contains injected data from multiple sources)');
  for (const { secret, downwardAPI, configMap, serviceAccountToken } of projected.sources ?? []) {
    if (secret) {
      sheet.line(2, 'SecretName:', secret.name ?? '');
      sheet.line(2, 'Optional:', String(secret.optional ?? false));
    } else if (downwardAPI) sheet.line(2, 'DownwardAPI:', 'true');
    else if (configMap) {
      sheet.line(2, 'ConfigMapName:', configMap.name ?? '');
      sheet.line(2, 'Optional:', String(configMap.optional ?? false));
    } else if (serviceAccountToken) sheet.line(2, 'TokenExpirationSeconds:', String(serviceAccountToken.expirationSeconds ?? 3600));
  }
}
