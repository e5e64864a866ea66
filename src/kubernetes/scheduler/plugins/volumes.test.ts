/** The volume plugins' verdicts, with the reasons of pkg/scheduler/framework/plugins/volume* and nodevolumelimits. */
import { describe, expect, test } from 'vitest';
import type { DeepReadonly } from '../../api/json.ts';
import { type Key, type KubeObject, keyOf } from '../../api/meta.ts';
import type { Kind, Kinds, Node, Pod } from '../../api/types.gen.ts';
import type { Objects } from '../framework.ts';
import { defaultProfile } from '../profile.ts';
import { schedule } from '../schedule.ts';
import { Snapshot } from '../snapshot.ts';
import { volumeBinding } from './volume-binding.ts';

const objectsOf = (list: readonly KubeObject[]): Objects => ({
  get: <K extends Kind>(kind: K, key: Key) => list.find((object) => object.kind === kind && keyOf(object) === key) as DeepReadonly<Kinds[K]> | undefined,
  list: <K extends Kind>(kind: K) => list.filter((object) => object.kind === kind) as unknown as readonly DeepReadonly<Kinds[K]>[],
});
const node = (name: string, labels: Record<string, string> = {}): DeepReadonly<Node> => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
  status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110' } },
});
const pod = (name: string, volumes: object[], more: object = {}): DeepReadonly<Pod> =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: name },
    spec: { containers: [{ name: 'c', image: 'i' }], volumes, ...more },
  }) as DeepReadonly<Pod>;
const uses = (claimName: string) => ({ name: claimName, persistentVolumeClaim: { claimName } });
const claim = (name: string, spec: object = {}, bound?: string, more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {
    name,
    namespace: 'default',
    uid: `uid-${name}`,
    resourceVersion: '5',
    ...(bound ? { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } } : {}),
    ...more,
  },
  ...{
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...(bound ? { volumeName: bound } : {}), ...spec },
    status: { phase: bound ? 'Bound' : 'Pending' },
  },
});
const on = (...names: string[]) => ({
  nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: names }] }] } },
});
const volume = (name: string, spec: object = {}, labels: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name, labels, resourceVersion: '5' },
  ...{ spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], ...spec }, status: { phase: 'Available' } },
});
const storageClass = (name: string, more: object = {}): KubeObject => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name },
  ...{ provisioner: 'rancher.io/local-path', volumeBindingMode: 'WaitForFirstConsumer', ...more },
});

function decide(incoming: DeepReadonly<Pod>, objects: readonly KubeObject[], nodes: readonly DeepReadonly<Node>[], placed: readonly DeepReadonly<Pod>[] = []) {
  const snapshot = new Snapshot(objectsOf(objects));
  for (const each of nodes) snapshot.setNode(each);
  for (const each of placed) snapshot.addPod(each);
  return schedule(defaultProfile, incoming, snapshot);
}
const two = [node('a'), node('b')];

describe('VolumeBinding', () => {
  test.each([
    ['no such claim', [], '0/2 nodes are available: persistentvolumeclaim "c" not found.'],
    ['immediate and unbound', [claim('c', { storageClassName: '' })], '0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.'],
    [
      'on its way out',
      [claim('c', {}, 'v', { deletionTimestamp: '2025-01-01T00:00:00Z' }), volume('v')],
      '0/2 nodes are available: persistentvolumeclaim "c" is being deleted.',
    ],
    ['bound to what is gone', [claim('c', {}, 'v')], '0/2 nodes are available: persistentvolume "v" not found.'],
    ['bound elsewhere', [claim('c', {}, 'v'), volume('v', on('z'))], '0/2 nodes are available: 2 node(s) had volume node affinity conflict.'],
    [
      'no volume and no provisioner',
      [claim('c', { storageClassName: 'manual' }), storageClass('manual', { provisioner: 'kubernetes.io/no-provisioner' })],
      "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind.",
    ],
    [
      'no room',
      [
        claim('c', { storageClassName: 'disk' }),
        storageClass('disk', { provisioner: 'd' }),
        { apiVersion: 'storage.k8s.io/v1', kind: 'CSIDriver', metadata: { name: 'd' }, ...{ spec: { storageCapacity: true } } },
      ],
      '0/2 nodes are available: 2 node(s) did not have enough free storage.',
    ],
  ] as const)('%s', (_, objects, message) => {
    expect(decide(pod('p', [uses('c')]), objects, two).message).toBe(message);
  });

  test('a bound claim sends the pod to its volume', () => {
    expect(decide(pod('p', [uses('c')]), [claim('c', {}, 'v'), volume('v', on('b'))], two).node).toBe('b');
  });

  test('an unbound one to where there is a volume for it, if nobody provisions', () => {
    const objects = [
      claim('c', { storageClassName: 'manual' }),
      storageClass('manual', { provisioner: 'kubernetes.io/no-provisioner' }),
      volume('v', { storageClassName: 'manual', ...on('b') }),
    ];
    expect(decide(pod('p', [uses('c')]), objects, two).node).toBe('b');
  });

  test('what is reserved for one pod is not there for the next; unreserved it is again', () => {
    const objects = objectsOf([
      claim('c', { storageClassName: 'manual' }),
      claim('d', { storageClassName: 'manual' }),
      storageClass('manual', { provisioner: 'kubernetes.io/no-provisioner' }),
      volume('v', { storageClassName: 'manual', ...on('b') }),
    ]);
    const snapshot = new Snapshot(objects);
    for (const each of two) snapshot.setNode(each);
    const plugin = volumeBinding();
    const first = schedule(defaultProfile, pod('p', [uses('c')]), snapshot);
    plugin.reserve!(first.state, pod('p', []), snapshot.get('b')!);
    expect(schedule(defaultProfile, pod('q', [uses('d')]), snapshot).message).toContain("2 node(s) didn't find available persistent volumes to bind");
    plugin.unreserve!(first.state, pod('p', []), 'b');
    expect(schedule(defaultProfile, pod('q', [uses('d')]), snapshot).node).toBe('b');
  });

  test('a claim that was given to a node stays there', () => {
    const given = claim('c', { storageClassName: 'standard' }, undefined, { annotations: { 'volume.kubernetes.io/selected-node': 'b' } });
    expect(decide(pod('p', [uses('c')]), [given, storageClass('standard')], two).node).toBe('b');
  });

  test('allowedTopologies', () => {
    const only = storageClass('standard', { allowedTopologies: [{ matchLabelExpressions: [{ key: 'kubernetes.io/hostname', values: ['b'] }] }] });
    expect(decide(pod('p', [uses('c')]), [claim('c', { storageClassName: 'standard' }), only], two).node).toBe('b');
  });
});

describe('VolumeRestrictions', () => {
  test('ReadWriteOncePod: one pod in the whole cluster', () => {
    const objects = [claim('c', { accessModes: ['ReadWriteOncePod'] }, 'v'), volume('v')];
    const { message } = decide(pod('q', [uses('c')]), objects, two, [pod('p', [uses('c')], { nodeName: 'a' })]);
    expect(message).toBe('0/2 nodes are available: 2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode.');
  });
  test('a disk is written by one node', () => {
    const disk = [{ name: 'd', gcePersistentDisk: { pdName: 'x' } }];
    expect(decide(pod('q', disk), [], [node('a')], [pod('p', disk, { nodeName: 'a' })]).message).toBe(
      '0/1 nodes are available: 1 node(s) had no available disk.',
    );
  });
});

describe('VolumeZone', () => {
  const zones = [node('a', { 'topology.kubernetes.io/zone': 'one' }), node('b', { 'topology.kubernetes.io/zone': 'two' })];
  test.each([
    ['two', 'b'],
    ['two__three', 'b'],
    ['four', undefined],
  ])('zone %s', (zone, where) => {
    const decision = decide(pod('p', [uses('c')]), [claim('c', {}, 'v'), volume('v', {}, { 'topology.kubernetes.io/zone': zone })], zones);
    expect(decision.node).toBe(where);
    if (!where) expect(decision.message).toBe('0/2 nodes are available: 2 node(s) had no available volume zone.');
  });
});

test('NodeVolumeLimits', () => {
  const csi = (handle: string) => ({ csi: { driver: 'd', volumeHandle: handle } });
  const objects = [
    claim('c', {}, 'v'),
    claim('other', {}, 'w'),
    volume('v', csi('1')),
    volume('w', csi('2')),
    ...['a', 'b'].map(
      (name): KubeObject => ({
        apiVersion: 'storage.k8s.io/v1',
        kind: 'CSINode',
        metadata: { name },
        ...{ spec: { drivers: [{ name: 'd', nodeID: name, allocatable: { count: 1 } }] } },
      }),
    ),
  ];
  const placed = [pod('x', [uses('other')], { nodeName: 'a' })];
  expect(decide(pod('p', [uses('c')]), objects, two, placed).node).toBe('b');
  expect(decide(pod('p', [uses('c')]), objects, [node('a')], placed).message).toBe('0/1 nodes are available: 1 node(s) exceed max volume count.');
  // The same volume again costs nothing.
  expect(decide(pod('p', [uses('other')]), objects, [node('a')], placed).node).toBe('a');
});
