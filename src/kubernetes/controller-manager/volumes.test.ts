/**
 * Binding and reclaiming as kubernetes.io's "Persistent Volumes" page says, with the texts of
 * pkg/controller/volume/persistentvolume.
 */
import { expect, test } from 'vitest';
import type { PersistentVolume, PersistentVolumeClaim } from '../api/types.gen.ts';
import { type Scenario, scenario } from './scenario.test-support.ts';

const volume = (name: string, storage: string, spec: object = {}, labels: object = {}) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name, labels },
  spec: {
    capacity: { storage },
    accessModes: ['ReadWriteOnce'],
    persistentVolumeReclaimPolicy: 'Retain',
    volumeMode: 'Filesystem',
    hostPath: { path: `/mnt/${name}` },
    ...spec,
  },
});
const claim = (name: string, storage: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace: 'default' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } }, volumeMode: 'Filesystem', storageClassName: '', ...spec },
});
const storageClass = (name: string, more: object = {}) => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name },
  provisioner: 'example.com/disk',
  volumeBindingMode: 'Immediate',
  ...more,
});
const pv = (s: Scenario, name: string) => s.api.get('persistentvolumes', name) as unknown as PersistentVolume;
const pvc = (s: Scenario, name: string) => s.api.get('persistentvolumeclaims', `default/${name}`) as unknown as PersistentVolumeClaim;
const putVolumes = (s: Scenario, ...volumes: object[]) => volumes.forEach((each) => s.api.put('persistentvolumes', each));

test.each([
  ['the smallest that is large enough', claim('c', '5Gi'), 'medium'],
  ['none is large enough', claim('c', '50Gi'), undefined],
  ['the class must be the same', claim('c', '1Gi', { storageClassName: 'slow' }), 'slow'],
  ['every access mode', claim('c', '1Gi', { accessModes: ['ReadWriteOnce', 'ReadOnlyMany'] }), 'shared'],
  ['labels', claim('c', '1Gi', { selector: { matchLabels: { release: 'stable' } } }), 'labelled'],
  ['by name', claim('c', '1Gi', { volumeName: 'large' }), 'large'],
  ['volumeMode', claim('c', '1Gi', { volumeMode: 'Block' }), 'block'],
])('static binding: %s', async (_, wanted, found) => {
  const s = await scenario();
  putVolumes(
    s,
    volume('large', '20Gi'),
    volume('medium', '10Gi'),
    volume('shared', '4Gi', { accessModes: ['ReadWriteOnce', 'ReadOnlyMany'] }),
    volume('labelled', '3Gi', {}, { release: 'stable' }),
    volume('slow', '30Gi', { storageClassName: 'slow' }),
    volume('block', '30Gi', { volumeMode: 'Block' }),
  );
  s.api.put('storageclasses', storageClass('slow', { provisioner: 'kubernetes.io/no-provisioner' }));
  await s.wait(3);
  s.api.put('persistentvolumeclaims', wanted);
  await s.wait(5);
  expect(pvc(s, 'c').spec?.volumeName).toBe(found);
  if (!found) {
    expect(pvc(s, 'c').status).toEqual({ phase: 'Pending' });
    expect(s.events('FailedBinding')).toContain('FailedBinding: no persistent volumes available for this claim and no storage class is set');
    return;
  }
  expect(pvc(s, 'c').status).toMatchObject({ phase: 'Bound', capacity: pv(s, found).spec!.capacity });
  expect(pv(s, found)).toMatchObject({
    status: { phase: 'Bound' },
    spec: { claimRef: { kind: 'PersistentVolumeClaim', namespace: 'default', name: 'c', uid: pvc(s, 'c').metadata.uid } },
  });
  expect(pvc(s, 'c').metadata.annotations).toEqual({
    'pv.kubernetes.io/bind-completed': 'yes',
    ...(Object.hasOwn(wanted.spec, 'volumeName') ? {} : { 'pv.kubernetes.io/bound-by-controller': 'yes' }),
  });
  expect(pv(s, found).metadata.annotations).toEqual({ 'pv.kubernetes.io/bound-by-controller': 'yes' });
});

test('a claim for few modes leaves the volume of many alone', async () => {
  const s = await scenario();
  putVolumes(s, volume('many', '1Gi', { accessModes: ['ReadWriteMany', 'ReadWriteOnce'] }), volume('one', '9Gi'));
  await s.wait(2);
  s.api.put('persistentvolumeclaims', claim('c', '1Gi'));
  await s.wait(3);
  expect(pvc(s, 'c').spec?.volumeName).toBe('one');
});

test('a volume that is kept for a claim goes to it alone', async () => {
  const s = await scenario();
  putVolumes(s, volume('kept', '1Gi', { claimRef: { namespace: 'default', name: 'mine' } }));
  s.api.put('persistentvolumeclaims', claim('other', '1Gi'));
  await s.wait(5);
  expect(pv(s, 'kept').status?.phase).toBe('Available');
  expect(pvc(s, 'other').status?.phase).toBe('Pending');
  s.api.put('persistentvolumeclaims', claim('mine', '1Gi'));
  await s.wait(5);
  expect(pvc(s, 'mine').spec?.volumeName).toBe('kept');
});

test.each([
  ['Cannot bind to requested volume "v": requested PV is too small', claim('c', '5Gi', { volumeName: 'v' }), 'VolumeMismatch'],
  ['Cannot bind to requested volume "v": storageClassName does not match', claim('c', '1Gi', { volumeName: 'v', storageClassName: 'x' }), 'VolumeMismatch'],
  ['Cannot bind to requested volume "v": incompatible accessMode', claim('c', '1Gi', { volumeName: 'v', accessModes: ['ReadWriteMany'] }), 'VolumeMismatch'],
  ['volume "taken" already bound to a different claim.', claim('c', '1Gi', { volumeName: 'taken' }), 'FailedBinding'],
  ['storageclass.storage.k8s.io "nowhere" not found', claim('c', '1Gi', { storageClassName: 'nowhere' }), 'ProvisioningFailed'],
  ['no volume plugin matched name: kubernetes.io/no-provisioner', claim('c', '1Gi', { storageClassName: 'manual' }), 'ProvisioningFailed'],
  [
    "Waiting for a volume to be created either by the external provisioner 'example.com/disk' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.",
    claim('c', '1Gi', { storageClassName: 'disk' }),
    'ExternalProvisioning',
  ],
  ['waiting for first consumer to be created before binding', claim('c', '1Gi', { storageClassName: 'late' }), 'WaitForFirstConsumer'],
])('what a claim that must wait is told: %s', async (message, wanted, reason) => {
  const s = await scenario();
  putVolumes(s, volume('v', '1Gi'), volume('taken', '1Gi', { claimRef: { namespace: 'default', name: 'else', uid: 'u' } }));
  s.api.put('storageclasses', storageClass('disk'));
  s.api.put('storageclasses', storageClass('late', { volumeBindingMode: 'WaitForFirstConsumer' }));
  s.api.put('storageclasses', storageClass('manual', { provisioner: 'kubernetes.io/no-provisioner' }));
  s.api.put('persistentvolumeclaims', claim('else', '1Gi', { volumeName: 'taken' }));
  s.api.put('persistentvolumeclaims', wanted);
  await s.wait(5);
  expect(s.events(reason)).toContain(`${reason}: ${message}`);
  expect(pvc(s, 'c').status?.phase).not.toBe('Bound');
});

test('a class with a provisioner is named on the claim; what the provisioner makes is bound; deleting is its business', async () => {
  const s = await scenario();
  s.api.put('storageclasses', storageClass('disk'));
  s.api.put('persistentvolumeclaims', claim('c', '1Gi', { storageClassName: 'disk' }));
  await s.wait(3);
  expect(pvc(s, 'c').metadata.annotations).toEqual({
    'volume.beta.kubernetes.io/storage-provisioner': 'example.com/disk',
    'volume.kubernetes.io/storage-provisioner': 'example.com/disk',
  });
  const made = volume('pvc-1', '1Gi', {
    storageClassName: 'disk',
    persistentVolumeReclaimPolicy: 'Delete',
    claimRef: { namespace: 'default', name: 'c', uid: pvc(s, 'c').metadata.uid },
  });
  s.api.put('persistentvolumes', { ...made, metadata: { name: 'pvc-1', annotations: { 'pv.kubernetes.io/provisioned-by': 'example.com/disk' } } });
  await s.wait(3);
  expect(pvc(s, 'c').status?.phase).toBe('Bound');
  s.api.edit('persistentvolumeclaims', 'default/c', (object) => ({ ...object, metadata: { ...object.metadata, finalizers: [] } }));
  s.api.remove('persistentvolumeclaims', 'default/c');
  await s.wait(3);
  expect(pv(s, 'pvc-1').status?.phase).toBe('Released');
});

test.each([
  ['Retain', '/mnt/data', 'Released', undefined],
  ['Delete', '/tmp/data', undefined, undefined],
  ['Delete', '/mnt/data', 'Failed', 'host_path deleter only supports /tmp/.+ but received provided /mnt/data'],
])('reclaim policy %s of a hostPath volume at %s', async (policy, path, phase, message) => {
  const s = await scenario();
  putVolumes(s, volume('v', '1Gi', { persistentVolumeReclaimPolicy: policy, hostPath: { path } }));
  await s.wait(2);
  s.api.put('persistentvolumeclaims', claim('c', '1Gi'));
  await s.wait(3);
  expect(pv(s, 'v').status?.phase).toBe('Bound');
  s.api.remove('persistentvolumeclaims', 'default/c');
  await s.wait(5);
  expect(pv(s, 'v')?.status?.phase).toBe(phase);
  expect(pv(s, 'v')?.status?.message).toBe(message);
  if (!phase) return;
  // A new claim of the same name is another claim.
  s.api.put('persistentvolumeclaims', claim('c', '1Gi'));
  await s.wait(5);
  expect(pvc(s, 'c').status?.phase).toBe('Pending');
});

test('a bound claim whose volume is gone is lost', async () => {
  const s = await scenario();
  putVolumes(s, volume('v', '1Gi'));
  await s.wait(2);
  s.api.put('persistentvolumeclaims', claim('c', '1Gi'));
  await s.wait(3);
  s.api.remove('persistentvolumes', 'v');
  await s.wait(3);
  expect(pvc(s, 'c').status).toEqual({ phase: 'Lost' });
  expect(s.events('ClaimLost')).toEqual(['ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!']);
});

test('a claim that names no class gets the default one later; one that names the empty class never', async () => {
  const s = await scenario();
  const { storageClassName: _, ...spec } = claim('c', '1Gi').spec;
  s.api.put('persistentvolumeclaims', { ...claim('c', '1Gi'), spec });
  s.api.put('persistentvolumeclaims', claim('none', '1Gi'));
  await s.wait(3);
  s.api.put('storageclasses', { ...storageClass('std'), metadata: { name: 'std', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } });
  await s.wait(20);
  expect(pvc(s, 'c').spec?.storageClassName).toBe('std');
  expect(pvc(s, 'none').spec?.storageClassName).toBe('');
});

test('two claims do not get one volume', async () => {
  const s = await scenario();
  putVolumes(s, volume('v', '1Gi'));
  await s.wait(2);
  for (const name of ['a', 'b']) s.api.put('persistentvolumeclaims', claim(name, '1Gi'));
  await s.wait(10);
  expect([pvc(s, 'a').status?.phase, pvc(s, 'b').status?.phase].sort()).toEqual(['Bound', 'Pending']);
});
