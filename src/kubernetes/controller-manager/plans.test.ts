import { describe, expect, it } from 'vitest';
import { seconds } from '../../sim/clock.ts';
import { fitsNode } from '../api/node-affinity.ts';
import type { EndpointSlice, Node, ReplicaSet, Service } from '../api/types.gen.ts';
import { subsetsOf } from './endpoints.ts';
import { plan as planSlices } from './endpointslice.ts';
import { judge } from './garbage-collector.ts';
import { scaledValue } from './int-or-percent.ts';
import { withNoExecute, withNoSchedule, zoneState } from './node-health.ts';
import { firstFree } from './nodeipam.ts';
import { terminatedBeyond } from './pod-gc.ts';
import { leastUsefulFirst } from './pod-ranking.ts';
import type { ReadonlyPod } from './pods.ts';
import { plan as planPods } from './replicaset.ts';
import { stayOf } from './taint-eviction.ts';
import { tolerates } from './taints.ts';

const at = (s: number) => `2026-01-05T08:${String(Math.floor(s / 60)).padStart(2, '0')}:${String(s % 60).padStart(2, '0')}Z`;
interface Sketch {
  node?: string;
  phase?: string;
  ready?: number;
  restarts?: number;
  cost?: string;
  created?: number;
}
const pod = (name: string, { node, phase = 'Running', ready, restarts, cost, created = 0 }: Sketch = {}): ReadonlyPod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    uid: name,
    namespace: 'default',
    labels: { app: 'a' },
    creationTimestamp: at(created),
    ...(cost ? { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } } : {}),
  },
  spec: {
    containers: [{ name: 'c', ports: [{ name: 'http', containerPort: name.startsWith('odd') ? 81 : 80, protocol: 'TCP' }] }],
    ...(node ? { nodeName: node } : {}),
  },
  status: {
    phase,
    podIP: `10.244.0.${name.charCodeAt(name.length - 1)}`,
    ...(ready === undefined ? {} : { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: at(ready) }] }),
    ...(restarts === undefined ? {} : { containerStatuses: [{ name: 'c', restartCount: restarts, image: '', imageID: '', ready: true }] }),
  },
});

describe('which pod goes first', () => {
  it.each([
    ['unassigned before assigned', pod('a'), pod('b', { node: 'n' })],
    ['pending before running', pod('a', { node: 'n', phase: 'Pending' }), pod('b', { node: 'n' })],
    ['unknown before running', pod('a', { node: 'n', phase: 'Unknown' }), pod('b', { node: 'n' })],
    ['unready before ready', pod('a', { node: 'n' }), pod('b', { node: 'n', ready: 1 })],
    ['cheap before dear', pod('a', { node: 'n', ready: 1, cost: '-5' }), pod('b', { node: 'n', ready: 1 })],
    ['an invalid cost counts as none', pod('b', { node: 'n', ready: 1, cost: '-5' }), pod('a', { node: 'n', ready: 1, cost: '+9' })],
    ['crowded before lonely', pod('a', { node: 'crowd', ready: 1 }), pod('b', { node: 'n', ready: 9 })],
    ['shortly ready before long ready', pod('a', { node: 'n', ready: 995 }), pod('b', { node: 'n', ready: 5 })],
    ['often restarted first', pod('z', { node: 'n', ready: 5, restarts: 3 }), pod('b', { node: 'n', ready: 5, restarts: 0 })],
    ['young before old', pod('z', { node: 'n', created: 995 }), pod('b', { node: 'n', created: 5 })],
    ['of about the same age, by uid', pod('a', { node: 'n', created: 5 }), pod('b', { node: 'n', created: 100 })],
  ])('%s', (_, first, second) => {
    const order = leastUsefulFirst((p) => (p.spec?.nodeName === 'crowd' ? 2 : 1), seconds(1000));
    expect([second, first].sort(order)).toEqual([first, second]);
  });
});

describe('plan of a replica set', () => {
  it.each([
    [3, 1, 2, 0],
    [1, 3, 0, 2],
    [2, 2, 0, 0],
    [900, 0, 500, 0],
  ])('%i wanted, %i there: create %i, remove %i', (wanted, there, create, remove) => {
    const rs = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: {}, spec: { replicas: wanted, selector: {} } } as ReplicaSet;
    const plan = planPods(
      rs,
      Array.from({ length: there }, (_, i) => pod(`p${i}`)),
      () => 1,
      0,
    );
    expect([plan.create, plan.remove.length]).toEqual([create, remove]);
  });
});

describe('endpoint slices', () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's', namespace: 'default', uid: 'u' },
    spec: { selector: { app: 'a' }, ports: [{ port: 80, targetPort: 'http', protocol: 'TCP' }] },
  } as unknown as Service;
  const many = (n: number, prefix = 'p') => Array.from({ length: n }, (_, i) => pod(`${prefix}${i}`, { node: 'n', ready: 1 }));
  const existing = (plan: ReturnType<typeof planSlices>) =>
    plan.create.map((slice, i) => ({ ...slice, metadata: { ...slice.metadata, name: `s-${i}` } }) as EndpointSlice);

  it('fill up to a hundred each', () => expect(planSlices(service, many(250), []).create.map((s) => s.endpoints.length)).toEqual([100, 100, 50]));
  it('stay when nothing changed', () => {
    const before = existing(planSlices(service, many(150), []));
    expect(planSlices(service, many(150), before)).toEqual({ create: [], update: [], remove: [] });
  });
  it('one pod less is one slice updated', () => {
    const before = existing(planSlices(service, many(150), []));
    const { create, update, remove } = planSlices(service, many(150).slice(1), before);
    expect([create.length, update.map((s) => s.metadata.name), remove.length]).toEqual([0, ['s-0'], 0]);
  });
  it('one pod more goes where there is room', () => {
    const before = existing(planSlices(service, many(150), []));
    const { create, update } = planSlices(service, [...many(150), pod('new', { node: 'n', ready: 1 })], before);
    expect([create.length, update.map((s) => [s.metadata.name, s.endpoints.length])]).toEqual([0, [['s-1', 51]]]);
  });
  it('pods whose named port differs are in slices of their own', () => {
    const { create } = planSlices(service, [...many(2), ...many(1, 'odd')], []);
    expect(create.map((s) => [s.ports?.[0]?.port, s.endpoints.length])).toEqual([
      [80, 2],
      [81, 1],
    ]);
    expect(subsetsOf(service, [...many(2), ...many(1, 'odd')]).map((s) => [s.ports?.[0]?.port, s.addresses?.length])).toEqual([
      [80, 2],
      [81, 1],
    ]);
  });
  it('with no pods one empty slice remains', () => {
    const before = existing(planSlices(service, many(150), []));
    const { create, update, remove } = planSlices(service, [], before);
    expect([create.length, update.map((s) => s.endpoints.length), remove.length]).toEqual([0, [0], 1]);
  });
});

describe('taints', () => {
  const taint = { key: 'k', value: 'v', effect: 'NoExecute' };
  it.each([
    [{ key: 'k', operator: 'Equal', value: 'v', effect: 'NoExecute' }, true],
    [{ key: 'k', value: 'v' }, true],
    [{ key: 'k', value: 'w' }, false],
    [{ key: 'k', operator: 'Exists' }, true],
    [{ operator: 'Exists' }, true],
    [{ key: 'k', operator: 'Exists', effect: 'NoSchedule' }, false],
    [{}, false],
  ])('%j tolerates k=v:NoExecute: %s', (toleration, expected) => expect(tolerates(toleration, taint)).toBe(expected));

  it.each([
    [[], 0],
    [[{ key: 'k', operator: 'Exists' }], 'forever'],
    [[{ key: 'k', operator: 'Exists', tolerationSeconds: 300 }], seconds(300)],
    [[{ key: 'k', operator: 'Exists', tolerationSeconds: -1 }], 0],
  ])('%j may stay %s', (tolerations, expected) => expect(stayOf(tolerations, [taint])).toBe(expected));
  it('the shortest stay counts', () =>
    expect(
      stayOf(
        [
          { key: 'a', operator: 'Exists', tolerationSeconds: 9 },
          { key: 'b', operator: 'Exists', tolerationSeconds: 5 },
        ],
        [
          { key: 'a', effect: 'NoExecute' },
          { key: 'b', effect: 'NoExecute' },
        ],
      ),
    ).toBe(seconds(5)));
});

const node = (ready: string | undefined, taints: { key: string; effect: string }[] = [], more: object = {}): Node =>
  ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n', labels: { size: '5', zone: 'a' } },
    spec: { taints, ...more },
    status: { conditions: ready ? [{ type: 'Ready', status: ready }] : [] },
  }) as Node;
const keys = (taints: readonly { key: string; effect: string }[]) => taints.map((t) => `${t.key.split('/').at(-1)}:${t.effect}`);

describe('node health', () => {
  it.each([
    ['True', [], {}, []],
    ['False', [], {}, ['not-ready:NoSchedule']],
    ['Unknown', [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }], {}, ['unreachable:NoSchedule']],
    ['True', [{ key: 'mine', effect: 'NoSchedule' }], { unschedulable: true }, ['mine:NoSchedule', 'unschedulable:NoSchedule']],
    ['True', [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }], {}, []],
  ])('Ready %s with %j %j: %j', (ready, taints, more, expected) => expect(keys(withNoSchedule(node(ready, taints, more), 0))).toEqual(expected));
  it('changes nothing when nothing changes', () => {
    const n = node('False', [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }]);
    expect(withNoSchedule(n, 0)).toBe(n.spec?.taints);
    expect(withNoExecute(n, undefined, 0)).toBe(n.spec?.taints);
  });
  it('swaps one reason to leave for the other', () =>
    expect(keys(withNoExecute(node('Unknown', [{ key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' }]), 'node.kubernetes.io/unreachable', 0))).toEqual([
      'unreachable:NoExecute',
    ]));
  it.each([
    [['True', 'True', 'Unknown'], 'Normal'],
    [['True', 'Unknown', 'Unknown'], 'Normal'],
    [['True', 'Unknown', 'Unknown', 'False'], 'PartialDisruption'],
    [['Unknown', 'Unknown'], 'FullDisruption'],
    [[], 'Normal'],
  ])('a zone of %j is %s', (readiness, expected) => expect(zoneState(readiness.map((r) => node(r)))).toBe(expected));
});

describe('node affinity', () => {
  const term = (...matchExpressions: object[]) => ({
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] } } },
    containers: [],
  });
  it.each([
    [{ containers: [] }, true],
    [{ containers: [], nodeSelector: { zone: 'b' } }, false],
    [term({ key: 'zone', operator: 'In', values: ['a', 'b'] }), true],
    [term({ key: 'zone', operator: 'NotIn', values: ['a'] }), false],
    [term({ key: 'none', operator: 'DoesNotExist' }, { key: 'size', operator: 'Gt', values: ['4'] }), true],
    [term({ key: 'size', operator: 'Lt', values: ['5'] }), false],
    [term(), false],
  ])('%j: %s', (spec, expected) => expect(fitsNode(spec as never, node('True'))).toBe(expected));
});

describe('small rules', () => {
  it.each([
    ['10.244.0.0/16', [], '10.244.0.0/24'],
    ['10.244.0.0/16', ['10.244.0.0/24', '10.244.2.0/24'], '10.244.1.0/24'],
    ['10.0.0.0/23', ['10.0.0.0/24', '10.0.1.0/24'], undefined],
  ])('%s without %j: %s', (cidr, given, expected) => expect(firstFree(cidr, new Set(given))).toBe(expected));
  it.each([
    [3, 10, 'up', 3],
    ['25%', 10, 'up', 3],
    ['25%', 10, 'down', 2],
    ['x', 10, 'up', 0],
  ] as const)('%s of %i rounded %s: %i', (value, total, round, expected) => expect(scaledValue(value, total, round)).toBe(expected));
  it('the oldest finished pods go first', () => {
    const pods = [pod('a', { phase: 'Failed', created: 9 }), pod('b', { phase: 'Succeeded', created: 1 }), pod('c')];
    expect(terminatedBeyond(pods, 1).map((p) => p.metadata.name)).toEqual(['b']);
  });
  it('an owner waiting for its dependents passes it on', () => {
    const owner = { apiVersion: 'v1', kind: 'X', metadata: { uid: 'o', deletionTimestamp: at(0), finalizers: ['foregroundDeletion'] } };
    const child = { apiVersion: 'v1', kind: 'X', metadata: { uid: 'c' } };
    const references = [{ apiVersion: 'v1', kind: 'X', name: 'o', uid: 'o' }];
    expect(judge(child, references, [owner], true)).toEqual({ what: 'delete', policy: 'Foreground' });
    expect(judge(child, references, [owner], false)).toEqual({ what: 'delete', policy: 'Background' });
    expect(judge(child, references, [{ ...owner, metadata: { uid: 'o' } }], false)).toEqual({ what: 'keep', references });
  });
});
