/** Claims, volumes, storage classes, CSI nodes. */
import { canonicalQuantity } from '../../api/quantity.ts';
import type { CSINode, PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/types.gen.ts';
import { goPrint } from '../gostring.ts';
import { accessModes, storageClass, writeClaim } from './claim.ts';
import { aboutObject, eventsOf } from './events.ts';
import { type Describer, listOf } from './reader.ts';
import { formatLabels, longTime, type Sheet, since, yesNoUnset } from './sheet.ts';
import { writePersistentSource } from './volumes.ts';

export const describeClaim: Describer<PersistentVolumeClaim> = async (sheet, claim, context) => {
  const { metadata, status } = claim;
  const pods = await listOf(context.read, 'Pod', metadata.namespace ?? '');
  const users = pods.filter(
    (pod) =>
      pod.spec?.volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === metadata.name) ||
      metadata.ownerReferences?.some(({ kind, uid }) => kind === 'Pod' && uid === pod.metadata.uid),
  );
  writeClaim(sheet, claim, context.now);
  sheet.list('Used By', users.map((pod) => pod.metadata.name ?? '').sort());
  if (status?.conditions?.length) {
    sheet.line(0, 'Conditions:');
    sheet.line(1, 'Type', 'Status', 'LastProbeTime', 'LastTransitionTime', 'Reason', 'Message');
    sheet.line(1, '----', '------', '-----------------', '------------------', '------', '-------');
    for (const c of status.conditions) {
      sheet.line(1, `${c.type} `, `${c.status} `, `${longTime(c.lastProbeTime)} `, `${longTime(c.lastTransitionTime)} `, `${c.reason ?? ''} `, c.message ?? '');
    }
  }
  await eventsOf(sheet, context, aboutObject(claim));
};

export const describeVolume: Describer<PersistentVolume> = async (sheet, volume, context) => {
  const { metadata, spec, status } = volume;
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  sheet.line(0, 'Finalizers:', goPrint(metadata.finalizers ?? []));
  sheet.line(0, 'StorageClass:', storageClass(volume));
  sheet.line(0, 'Status:', metadata.deletionTimestamp ? `Terminating (lasts ${since(metadata.deletionTimestamp, context.now)})` : (status?.phase ?? ''));
  sheet.line(0, 'Claim:', spec?.claimRef ? `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}` : '');
  sheet.line(0, 'Reclaim Policy:', spec?.persistentVolumeReclaimPolicy ?? '');
  sheet.line(0, 'Access Modes:', accessModes(spec?.accessModes));
  if (spec?.volumeMode) sheet.line(0, 'VolumeMode:', spec.volumeMode);
  sheet.line(0, 'Capacity:', canonicalQuantity(spec?.capacity?.['storage'] ?? '0'));
  writeNodeAffinity(sheet, spec?.nodeAffinity);
  sheet.line(0, 'Message:', status?.message ?? '');
  sheet.line(0, 'Source:');
  if (spec) writePersistentSource(sheet, spec);
  await eventsOf(sheet, context, aboutObject(volume));
};

function writeNodeAffinity(sheet: Sheet, affinity: NonNullable<PersistentVolume['spec']>['nodeAffinity']): void {
  if (!affinity?.required) {
    sheet.line(0, 'Node Affinity:', '<none>');
    return;
  }
  const terms = affinity.required.nodeSelectorTerms;
  sheet.line(0, 'Node Affinity:', '');
  sheet.line(1, 'Required Terms:', terms.length === 0 ? '<none>' : '');
  terms.forEach(({ matchExpressions = [] }, i) => {
    const texts = matchExpressions.map(({ key, operator, values }) => `${key} ${operator.toLowerCase()}${values?.length ? ` [${values.join(', ')}]` : ''}`);
    writeTerm(sheet, 2, `Term ${i}:`, texts);
  });
}

function writeTerm(sheet: Sheet, level: number, title: string, [first = '<none>', ...others]: readonly string[]): void {
  sheet.line(level, title, first);
  for (const text of others) sheet.line(level, '', text);
}

export const describeStorageClass: Describer<StorageClass> = async (sheet, storage, context) => {
  const { metadata, mountOptions = [], allowedTopologies } = storage;
  const marked = (name: string): boolean => metadata.annotations?.[name] === 'true';
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.line(
    0,
    'IsDefaultClass:',
    marked('storageclass.kubernetes.io/is-default-class') || marked('storageclass.beta.kubernetes.io/is-default-class') ? 'Yes' : 'No',
  );
  sheet.line(0, 'Annotations:', formatLabels(metadata.annotations));
  sheet.line(0, 'Provisioner:', storage.provisioner);
  sheet.line(0, 'Parameters:', formatLabels(storage.parameters));
  sheet.line(0, 'AllowVolumeExpansion:', yesNoUnset(storage.allowVolumeExpansion));
  if (mountOptions.length === 0) sheet.line(0, 'MountOptions:', '<none>');
  else sheet.line(0, 'MountOptions:');
  for (const option of mountOptions) sheet.line(1, option);
  if (storage.reclaimPolicy) sheet.line(0, 'ReclaimPolicy:', storage.reclaimPolicy);
  if (storage.volumeBindingMode) sheet.line(0, 'VolumeBindingMode:', storage.volumeBindingMode);
  if (allowedTopologies) {
    sheet.line(0, 'AllowedTopologies:', allowedTopologies.length === 0 ? '<none>' : '');
    allowedTopologies.forEach(({ matchLabelExpressions = [] }, i) => {
      const texts = matchLabelExpressions.map(({ key, values }) => `${key} in${values.length > 0 ? ` [${values.join(', ')}]` : ''}`);
      writeTerm(sheet, 1, `Term ${i}:`, texts);
    });
  }
  await eventsOf(sheet, context, aboutObject(storage));
};

export const describeCsiNode: Describer<CSINode> = async (sheet, node, context) => {
  const { metadata, spec } = node;
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  sheet.line(0, 'CreationTimestamp:', longTime(metadata.creationTimestamp));
  sheet.line(0, 'Spec:');
  if (spec.drivers) sheet.line(1, 'Drivers:');
  for (const { name, nodeID, allocatable, topologyKeys } of spec.drivers ?? []) {
    sheet.line(2, `${name}:`);
    sheet.line(3, 'Node ID:', nodeID);
    if (allocatable?.count !== undefined) {
      sheet.line(3, 'Allocatables:');
      sheet.line(4, 'Count:', String(allocatable.count));
    }
    if (topologyKeys) sheet.line(3, 'Topology Keys:', goPrint(topologyKeys));
  }
  await eventsOf(sheet, context, aboutObject(node));
};
