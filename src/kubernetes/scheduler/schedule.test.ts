import { expect, test } from 'vitest';
import type { Node, Pod, PodSpec } from '../api/types.gen.ts';
import { recordOf, scoreFact } from './attempts.ts';
import { defaultProfile } from './profile.ts';
import { backoffFor } from './queue.ts';
import { enoughNodes, postFilter, schedule, wholeMessage } from './schedule.ts';
import { Snapshot } from './snapshot.ts';

const node = (
  name: string,
  change: {
    cpu?: string;
    memory?: string;
    labels?: Record<string, string>;
    taints?: NonNullable<Node['spec']>['taints'];
    unschedulable?: boolean;
    images?: { names: string[]; sizeBytes: number }[];
  } = {},
): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'kubernetes.io/hostname': name, ...change.labels } },
  spec: { ...(change.taints ? { taints: change.taints } : {}), ...(change.unschedulable ? { unschedulable: true } : {}) },
  status: { allocatable: { cpu: change.cpu ?? '4', memory: change.memory ?? '8Gi', pods: '110' }, ...(change.images ? { images: change.images } : {}) },
});
let serial = 0;
const pod = (spec: Partial<PodSpec> = {}, labels: Record<string, string> = {}, requests?: Record<string, string>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `pod-${++serial}`, namespace: 'default', labels },
  spec: { containers: [{ name: 'c', image: 'nginx', ...(requests ? { resources: { requests } } : {}) }], ...spec },
});
const on = (name: string, what: Pod): Pod => ({ ...what, spec: { ...what.spec!, nodeName: name } });
const cluster = (nodes: Node[], pods: Pod[] = []): Snapshot => {
  const snapshot = new Snapshot();
  for (const each of nodes) snapshot.setNode(each);
  for (const each of pods) snapshot.addPod(each);
  return snapshot;
};
const decide = (what: Pod, snapshot: Snapshot) => schedule(defaultProfile, what, snapshot);
const remedyFor = (what: Pod, snapshot: Snapshot) => postFilter(defaultProfile, what, snapshot, decide(what, snapshot));

const control = node('cp', { taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] });

test.each<[string, Pod, Node[], Pod[], string]>([
  [
    'a taint nobody tolerates, and too little cpu',
    pod({}, {}, { cpu: '5' }),
    [control, node('a'), node('b')],
    [],
    '0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 Insufficient cpu.',
  ],
  [
    'cpu and memory short on one node count for both',
    pod({}, {}, { cpu: '5', memory: '9Gi' }),
    [node('a')],
    [],
    '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.',
  ],
  [
    'a selector no node has',
    pod({ nodeSelector: { disk: 'ssd' } }),
    [node('a'), node('b')],
    [],
    "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
  ],
  ['cordoned', pod(), [node('a', { unschedulable: true })], [], '0/1 nodes are available: 1 node(s) were unschedulable.'],
  [
    'a host port taken',
    pod({ containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80 }] }] }),
    [node('a')],
    [on('a', pod({ containers: [{ name: 'c', ports: [{ containerPort: 8080, hostPort: 80 }] }] }))],
    "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
  ],
  [
    'anti-affinity by hostname',
    pod({
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: { app: 'db' } }, topologyKey: 'kubernetes.io/hostname' }],
        },
      },
    }),
    [node('a')],
    [on('a', pod({}, { app: 'db' }))],
    "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules.",
  ],
  [
    'those already there want it kept out',
    pod({}, { app: 'noisy' }),
    [node('a')],
    [
      on(
        'a',
        pod({
          affinity: {
            podAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: { app: 'noisy' } }, topologyKey: 'kubernetes.io/hostname' }],
            },
          },
        }),
      ),
    ],
    "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules.",
  ],
  [
    'spread',
    pod(
      {
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'web' } } },
        ],
      },
      { app: 'web' },
    ),
    [node('a'), node('b', { cpu: '0' })],
    [on('a', pod({}, { app: 'web' }))],
    // b has room for a pod that asks for nothing, so only a is over the skew.
    '',
  ],
  ['no nodes at all', pod(), [], [], 'no nodes available to schedule pods'],
])('%s', (_, what, nodes, pods, message) => {
  expect(decide(what, cluster(nodes, pods)).message).toBe(message);
});

test('equal nodes: the emptier one wins, and replicas spread', () => {
  const nodes = [node('a'), node('b'), node('c')];
  const snapshot = cluster(nodes);
  const placed: string[] = [];
  for (let i = 0; i < 6; i++) {
    const next = {
      ...pod({}, { app: 'web' }),
      metadata: {
        name: `web-${i}`,
        namespace: 'default',
        labels: { app: 'web' },
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: '1', controller: true }],
      },
    };
    const { node: chosen } = decide(next, snapshot);
    placed.push(chosen!);
    snapshot.addPod(on(chosen!, next));
  }
  expect([...placed].sort()).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
});

test('preferred affinity outweighs emptiness; every plugin says how it scored', () => {
  const prefers = pod({
    affinity: {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 100, preference: { matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] } },
        ],
      },
    },
  });
  const decision = decide(prefers, cluster([node('a'), node('b', { labels: { disk: 'ssd' } })], [on('b', pod({}, {}, { cpu: '1', memory: '2Gi' }))]));
  expect(decision.node).toBe('b');
  expect(scoreFact(1, decision).points.find(({ plugin }) => plugin === 'NodeAffinity')).toEqual({
    plugin: 'NodeAffinity',
    raw: 100,
    normalized: 100,
    weight: 2,
  });
  const { feasible, scores, totals } = recordOf(decision);
  expect(feasible).toEqual(['a', 'b']);
  expect(totals).toEqual(feasible.map((_, i) => scores.reduce((sum, { normalized, weight }) => sum + normalized[i]! * weight, 0)));
});

test('preemption evicts the least important pods that make room, and says why not when it cannot', () => {
  const high = pod({ priority: 1000 }, {}, { cpu: '3' });
  const low = on('a', pod({ priority: 1 }, {}, { cpu: '2' }));
  const lower = on('a', pod({ priority: 0 }, {}, { cpu: '2' }));
  const snapshot = cluster([node('a'), control], [low, lower]);
  const victimsOf = (what: Pod) => remedyFor(what, snapshot).chosen?.victims.map((victim) => victim.pod);
  expect(decide(high, snapshot).message).toBe(
    '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }.',
  );
  expect(remedyFor(high, snapshot).nominate).toBe('a');
  expect(victimsOf(high)).toEqual([low, lower]);
  expect(victimsOf(pod({ priority: 1000 }, {}, { cpu: '2' }))).toEqual([lower]);
  const equal = pod({ priority: 0 }, {}, { cpu: '2' });
  expect(wholeMessage(decide(equal, snapshot), remedyFor(equal, snapshot))).toBe(
    '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }. preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.',
  );
  const never = pod({ priority: 1000, preemptionPolicy: 'Never' }, {}, { cpu: '3' });
  expect(remedyFor(never, snapshot).message).toBe('preemption: not eligible due to preemptionPolicy=Never.');
});

test('how many nodes are enough', () => {
  expect([50, 100, 400, 1000, 5000, 6000].map((n) => enoughNodes(n))).toEqual([50, 100, 188, 420, 500, 300]);
});

test('back-off doubles from 1 s to 10 s', () => {
  expect([1, 2, 3, 4, 5, 9].map((attempts) => backoffFor(attempts) / 1_000_000)).toEqual([1, 2, 4, 8, 10, 10]);
});
