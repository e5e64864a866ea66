/** Volumes of claims on a node: what is mounted, and what a pod that was put on its node by hand is told (pkg/kubelet/volumemanager). */
import { expect, test } from 'vitest';
import { seconds } from '../../sim/clock.ts';
import { createTestNode, type TestNode } from './kubelet.test-support.ts';

const spec = (source: object) => ({
  volumes: [{ name: 'data', ...source }],
  containers: [{ name: 'c', image: 'web:1', volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
});
const byClaim = spec({ persistentVolumeClaim: { claimName: 'c' } });
const claim = (node: TestNode, more: object = {}, status: object = { phase: 'Bound' }): void => {
  node.api.put('persistentvolumeclaims', {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'c', namespace: 'default', ...more },
    spec: { volumeName: 'v' },
    status,
  });
};
const volume = (node: TestNode, source: object): void => {
  node.api.put('persistentvolumes', { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'v' }, spec: source });
};
const FAILED =
  'FailedMount: Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], failed to process volumes=[data]: error processing PVC default/c: ';

test.each([
  ['no such claim', () => {}, `${FAILED}failed to fetch PVC from API server: persistentvolumeclaims "c" not found`],
  ['not bound', (node: TestNode) => claim(node, {}, { phase: 'Pending' }), `${FAILED}PVC is not bound`],
  ['on its way out', (node: TestNode) => claim(node, { deletionTimestamp: '2026-01-05T08:00:00Z', finalizers: ['x'] }), `${FAILED}PVC is being deleted`],
  [
    'a local disk that is not there',
    (node: TestNode) => {
      claim(node);
      volume(node, { local: { path: '/mnt/disks/one' } });
    },
    'FailedMount: MountVolume.NewMounter initialization failed for volume "v" : path "/mnt/disks/one" does not exist',
  ],
  [
    'a directory that is none',
    (node: TestNode) => {
      claim(node);
      volume(node, { hostPath: { path: '/nowhere', type: 'Directory' } });
    },
    'FailedMount: MountVolume.SetUp failed for volume "v" : hostPath type check failed: /nowhere is not a directory',
  ],
] as const)('%s', async (_, prepare, message) => {
  const node = await createTestNode();
  prepare(node);
  node.create('web', byClaim);
  await node.run(seconds(5));
  expect(node.events('web')[0]).toBe(message);
  expect(node.pod('web')!.status!.containerStatuses![0]!.state).toEqual({ waiting: { reason: 'ContainerCreating' } });
});

test('what one pod writes to a claim the next one reads; the claim of an ephemeral volume is named after pod and volume', async () => {
  const node = await createTestNode();
  claim(node);
  volume(node, { hostPath: { path: '/var/data', type: 'DirectoryOrCreate' } });
  node.create('first', byClaim);
  await node.run(seconds(5));
  expect(node.pod('first')!.status!.phase).toBe('Running');
  node.files.write('/var/data/kept', 'yes');
  node.api.remove('pods', 'default/first');
  await node.run(seconds(40));
  expect(node.files.read('/var/data/kept')).toBe('yes');
  node.api.put('persistentvolumeclaims', {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'second-data', namespace: 'default' },
    spec: { volumeName: 'v' },
    status: { phase: 'Bound' },
  });
  node.create('second', spec({ ephemeral: { volumeClaimTemplate: { spec: {} } } }));
  await node.run(seconds(5));
  expect(node.pod('second')!.status!.phase).toBe('Running');
});
