/** Every fix that is offered has been tried; the ones a person would think of are among them (visual.md V4, check C4). */
import { expect, test } from 'vitest';
import type { Node, Pod, PodSpec } from '../api/types.gen.ts';
import { explainPending, tryFix } from './explain.ts';
import { Luck, randomCluster, randomPod } from './random-cluster.test-support.ts';
import { Snapshot } from './snapshot.ts';

const node = (name: string, labels: Record<string, string> = {}, spec: Node['spec'] = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
  spec,
  status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110' } },
});
const pod = (spec: Partial<PodSpec> = {}, cpu = '100m', name = 'p'): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', uid: name, labels: { app: name } },
  spec: { containers: [{ name: 'c', resources: { requests: { cpu } } }], ...spec },
});
const cluster = (nodes: Node[], pods: Pod[] = []): Snapshot => {
  const snapshot = new Snapshot();
  for (const each of nodes) snapshot.setNode(each);
  for (const each of pods) snapshot.addPod(each);
  return snapshot;
};
const control = node('control-plane', {}, { taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] });
const apart = {
  podAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'p' } } }],
  },
};

test.each<[string, Pod, Snapshot, string[]]>([
  [
    'too much cpu asked',
    pod({}, '5'),
    cluster([control, node('a')], [{ ...pod({ nodeName: 'a' }, '1', 'there') }]),
    ['ask for no more than a has free: cpu 3'],
  ],
  [
    'room taken by others',
    pod({}, '3'),
    cluster([node('a')], [pod({ nodeName: 'a' }, '2', 'there')]),
    ['ask for no more than a has free: cpu 2', 'delete pod default/there from a', 'add a node like a'],
  ],
  ['a selector nobody has', pod({ nodeSelector: { disk: 'ssd' } }), cluster([control, node('a')]), ['label a with disk=ssd', 'drop its nodeSelector']],
  [
    'a taint',
    pod(),
    cluster([control]),
    [
      'tolerate the taint node-role.kubernetes.io/control-plane=:NoSchedule',
      'remove the taint node-role.kubernetes.io/control-plane=:NoSchedule from control-plane',
    ],
  ],
  ['cordoned', pod(), cluster([node('a', {}, { unschedulable: true })]), ['uncordon a']],
  [
    'one a node',
    pod({ affinity: apart }),
    cluster([node('a')], [{ ...pod({ nodeName: 'a' }, '1', 'p0'), metadata: { name: 'p0', namespace: 'default', labels: { app: 'p' } } }]),
    ['prefer, rather than require, to be apart', 'add a node like a'],
  ],
  ['gates', pod({ schedulingGates: [{ name: 'x' }] }), cluster([node('a')]), ['remove its scheduling gates']],
])('%s', (_, what, snapshot, expected) => {
  const { fixes, message } = explainPending(snapshot, what);
  expect(fixes.map(({ change }) => change.what)).toEqual(expect.arrayContaining(expected));
  for (const { change, node: target } of fixes) expect(tryFix(snapshot, what, change)).toEqual({ node: target, message: '' });
  // Nothing was changed by trying.
  expect(explainPending(snapshot, what).message).toBe(message);
});

test('what is short, and by how much', () => {
  const { shortOf, message, reasons, record } = explainPending(cluster([node('a'), node('b')], [pod({ nodeName: 'a' }, '3700m', 'there')]), pod({}, '5'));
  expect(shortOf).toEqual([{ resource: 'cpu', need: '5', maxFree: '4', maxFreeNode: 'b' }]);
  expect(message).toBe('0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.');
  expect(reasons).toEqual(['2 Insufficient cpu']);
  expect(record.rejected).toEqual([{ plugin: 'NodeResourcesFit', reasons: ['Insufficient cpu'], unresolvable: true, nodes: ['a', 'b'] }]);
});

test('on random clusters: a fix that is offered works, and asking changes nothing', () => {
  let offered = 0;
  let pending = 0;
  for (let seed = 1; seed <= 150; seed++) {
    const luck = new Luck(seed);
    const drawn = randomCluster(luck);
    const snapshot = cluster(drawn.nodes, drawn.pods);
    const what = randomPod(
      luck,
      'new',
      drawn.nodes.map(({ metadata }) => metadata.name!),
      true,
    );
    const explanation = explainPending(snapshot, what);
    if (explanation.node === undefined) pending++;
    for (const { change, node: target } of explanation.fixes) {
      offered++;
      expect(tryFix(snapshot, what, change).node).toBe(target);
    }
    expect(explainPending(snapshot, what).message).toBe(explanation.message);
  }
  expect(pending).toBeGreaterThan(20);
  expect(offered).toBeGreaterThan(pending);
});
