/** Storage as a person on a kind cluster sees it (kind's `standard` class; kubernetes.io "Dynamic Volume Provisioning"). */
import { expect, test } from 'vitest';
import type { PersistentVolume } from '../kubernetes/api/types.gen.ts';
import { seconds } from '../sim/clock.ts';
import { cluster, isReady } from './testing.ts';

const claim = (name: string, more = '') => `apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: ${name}}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
${more}`;
const pod = (name: string, claimName: string, command: string) => `apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  containers:
  - name: c
    image: busybox
    command: [sh, -c, "${command}"]
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: ${claimName}}}]
`;
const apply = (manifest: string) => `cat <<'EOF' | kubectl apply -f -\n${manifest}\nEOF`;

test('a claim waits for its pod, gets a directory on its node, keeps what is written, and loses it with the claim', async () => {
  const lab = await cluster('three-nodes');
  await lab.until(() => lab.pods('app=local-path-provisioner', 'local-path-storage').some(isReady), 'the provisioner');
  await lab.ok(apply(claim('data')));
  await lab.wait(seconds(5));
  expect(await lab.ok('kubectl get pvc data -o jsonpath={.status.phase}')).toBe('Pending');
  expect(await lab.ok('kubectl describe pvc data')).toContain('waiting for first consumer to be created before binding');
  await lab.ok(apply(pod('writer', 'data', 'echo kept > /data/file; sleep 3600')));
  await lab.until(() => lab.pods().some(isReady), 'the writer');
  const events = lab.events('PersistentVolumeClaim/data').map(({ reason }) => reason);
  expect(events).toEqual(expect.arrayContaining(['WaitForFirstConsumer', 'ExternalProvisioning', 'Provisioning', 'ProvisioningSucceeded']));
  const [volume] = lab.objects('persistentvolumes') as readonly PersistentVolume[];
  const node = lab.pods()[0]!.spec!.nodeName!;
  expect(volume).toMatchObject({
    spec: { hostPath: { type: 'DirectoryOrCreate' }, storageClassName: 'standard', persistentVolumeReclaimPolicy: 'Delete' },
    status: { phase: 'Bound' },
  });
  const path = volume!.spec!.hostPath!.path;
  expect(path).toMatch(/^\/var\/local-path-provisioner\/pvc-.*_default_data$/);
  expect(lab.world.cluster.machine(node).files.read(`${path}/file`)).toBe('kept\n');
  // Its helper pods do not stay.
  expect(lab.pods('', 'local-path-storage')).toHaveLength(1);

  await lab.ok('kubectl delete pod writer --now');
  await lab.ok(apply(pod('reader', 'data', 'cat /data/file; sleep 3600')));
  await lab.until(() => lab.pods().some((each) => each.metadata.name === 'reader' && isReady(each)), 'the reader');
  expect(lab.pods()[0]!.spec!.nodeName).toBe(node);
  expect(await lab.ok('kubectl logs reader')).toBe('kept\n');

  // A claim in use is not taken away.
  await lab.ok('kubectl delete pvc data --wait=false');
  await lab.wait(seconds(5));
  expect(await lab.ok('kubectl get pvc data')).toContain('Terminating');
  await lab.ok('kubectl delete pod reader --now');
  await lab.until(() => lab.objects('persistentvolumes').length === 0, 'the volume to go');
  expect(lab.world.cluster.machine(node).files.exists(path)).toBe(false);
});

test('what a pod is told while its storage is not there', async () => {
  const lab = await cluster('single');
  await lab.ok(apply(pod('a', 'nowhere', 'sleep 3600')));
  await lab.ok(apply(claim('slow', '  storageClassName: ""\n')));
  await lab.ok(apply(pod('b', 'slow', 'sleep 3600')));
  await lab.wait(seconds(20));
  const told = (name: string): string => lab.events(`Pod/${name}`).find(({ reason }) => reason === 'FailedScheduling')?.message ?? '';
  expect(told('a')).toBe(
    '0/2 nodes are available: persistentvolumeclaim "nowhere" not found. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
  );
  expect(told('b')).toBe(
    '0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
  );
  await lab.ok(
    apply(`apiVersion: v1
kind: PersistentVolume
metadata: {name: by-hand}
spec:
  capacity: {storage: 2Gi}
  accessModes: [ReadWriteOnce]
  hostPath: {path: /mnt/data}
`),
  );
  await lab.until(() => lab.pods().some((each) => each.metadata.name === 'b' && isReady(each)), 'the pod to run once there is a volume');
  expect(await lab.ok('kubectl get pvc slow')).toMatch(/slow +Bound +by-hand +2Gi +RWO/);
});

test('a generic ephemeral volume comes and goes with its pod', async () => {
  const lab = await cluster('single');
  await lab.ok(
    apply(`apiVersion: v1
kind: Pod
metadata: {name: scratch}
spec:
  containers:
  - {name: c, image: busybox, command: [sleep, "3600"], volumeMounts: [{name: data, mountPath: /data}]}
  volumes:
  - name: data
    ephemeral: {volumeClaimTemplate: {metadata: {labels: {kind: scratch}}, spec: {accessModes: [ReadWriteOnce], storageClassName: standard, resources: {requests: {storage: 1Gi}}}}}
`),
  );
  await lab.until(() => lab.pods().some(isReady), 'the pod');
  expect(await lab.ok('kubectl get pvc -l kind=scratch')).toMatch(/scratch-data +Bound/);
  await lab.ok('kubectl delete pod scratch --now');
  await lab.until(() => lab.objects('persistentvolumeclaims').length === 0 && lab.objects('persistentvolumes').length === 0, 'claim and volume to go');
});
