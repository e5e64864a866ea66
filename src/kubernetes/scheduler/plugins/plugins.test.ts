/**
 * Each plugin's documented outcome. Sources: kubernetes.io "Scheduler Configuration", "Assigning Pods to Nodes", "Taints and
 * Tolerations", "Pod Topology Spread Constraints", "Resource Bin Packing", "Pod Priority and Preemption", "Sidecar Containers", "Pod
 * Overhead"; and the table tests upstream keeps beside each plugin (`pkg/scheduler/framework/plugins/<name>/*_test.go`), whose numbers are used.
 */
import { describe, expect, test } from 'vitest';
import type { DeepReadonly } from '../../api/json.ts';
import { keyOf } from '../../api/meta.ts';
import type { Container, Kind, Kinds, Node, Pod, PodDisruptionBudget, PodSpec } from '../../api/types.gen.ts';
import type { Objects, PluginFactory } from '../framework.ts';
import { type Profile, profileOf } from '../profile.ts';
import { podRequests } from '../resources.ts';
import { postFilter, schedule, wholeMessage } from '../schedule.ts';
import { Snapshot } from '../snapshot.ts';
import { leastHarm, violating } from './default-preemption.ts';
import { defaultPlugins, registry } from './index.ts';
import { balance } from './node-resources-balanced-allocation.ts';
import { ratioScorer } from './resource-scoring.ts';

const node = (
  name: string,
  labels: Record<string, string> = {},
  allocatable: Record<string, string> = {},
  spec: Node['spec'] = {},
  images: { names: string[]; sizeBytes: number }[] = [],
): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
  spec,
  status: { allocatable: { cpu: '4', memory: '10000', pods: '32', ...allocatable }, images },
});
let serial = 0;
const pod = (spec: Partial<PodSpec> = {}, metadata: Partial<Pod['metadata']> = {}, status: Pod['status'] = {}): Pod => {
  const name = `p${++serial}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: name, ...metadata },
    spec: { containers: [{ name: 'c' }], ...spec },
    status,
  };
};
const asking = (requests: Record<string, string>, more: Partial<PodSpec> = {}): Pod => pod({ containers: [{ name: 'c', resources: { requests } }], ...more });
const on = (name: string, what: Pod): Pod => ({ ...what, spec: { ...what.spec!, nodeName: name } });
const objects = (...all: object[]): Objects => {
  type Any = { readonly kind: string; readonly metadata: { readonly namespace?: string; readonly name?: string } };
  const of = (kind: Kind) => (all as Any[]).filter((each) => each.kind === kind);
  return {
    list: <K extends Kind>(kind: K, namespace?: string) =>
      of(kind).filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace) as unknown as readonly DeepReadonly<Kinds[K]>[],
    get: <K extends Kind>(kind: K, key: string) => of(kind).find((each) => keyOf(each) === key) as unknown as DeepReadonly<Kinds[K]> | undefined,
  };
};
const cluster = (nodes: Node[], pods: Pod[] = [], others: Objects = objects()): Snapshot => {
  const snapshot = new Snapshot(others);
  for (const each of nodes) snapshot.setNode(each);
  for (const each of pods) snapshot.addPod(each);
  return snapshot;
};
/** Only these plugins, so that a score is theirs alone. */
const only = (...names: string[]): Profile => profileOf(names.map((name) => ({ plugin: registry[name]!(undefined), weight: 1 })));
const using = (factory: PluginFactory, args: Record<string, unknown>): Profile => profileOf([{ plugin: factory(args), weight: 1 }]);
const all = profileOf(defaultPlugins.map((plugin) => ({ plugin, weight: 1 })));
const scoresOf = (profile: Profile, what: Pod, snapshot: Snapshot): Record<string, number> => {
  const { scores, feasible } = schedule(profile, what, snapshot);
  return Object.fromEntries(feasible.map(({ name }, i) => [name, scores[0]?.normalized[i] ?? -1]));
};
const verdict = (profile: Profile, what: Pod, snapshot: Snapshot): string => {
  const decision = schedule(profile, what, snapshot);
  return decision.node ?? wholeMessage(decision, postFilter(profile, what, snapshot, decision));
};

describe('what a pod asks for (component-helpers resource.PodRequests)', () => {
  const c = (cpu: string, restartPolicy?: string): Container => ({ name: 'x', resources: { requests: { cpu } }, ...(restartPolicy ? { restartPolicy } : {}) });
  test.each<[string, Partial<PodSpec>, number]>([
    ['containers add up', { containers: [c('1'), c('2')] }, 3000],
    ['the greediest init container, if more', { containers: [c('1')], initContainers: [c('3'), c('2')] }, 3000],
    ['sidecars run beside the containers', { containers: [c('1')], initContainers: [c('1', 'Always')] }, 2000],
    [
      'an init container runs beside the sidecars begun before it',
      { containers: [c('1')], initContainers: [c('1', 'Always'), c('5'), c('1', 'Always')] },
      6000,
    ],
    ['overhead on top', { containers: [c('1')], initContainers: [c('2')], overhead: { cpu: '250m' } }, 2250],
    ["resources of the pod go before its containers'", { containers: [c('1'), c('1')], resources: { requests: { cpu: '5' } } } as Partial<PodSpec>, 5000],
  ])('%s', (_, spec, cpu) => expect(podRequests(pod(spec)).cpu).toBe(cpu));
});

describe('NodeResourcesFit', () => {
  test.each<[string, Pod, Pod[], string]>([
    [
      'extended resources',
      asking({ 'nvidia.com/gpu': '2' }),
      [on('a', asking({ 'nvidia.com/gpu': '1' }))],
      '0/1 nodes are available: 1 Insufficient nvidia.com/gpu.',
    ],
    ['of a kind the node lacks', asking({ 'example.com/foo': '1' }), [], '0/1 nodes are available: 1 Insufficient example.com/foo.'],
    ['huge pages', asking({ 'hugepages-2Mi': '4Mi' }), [], '0/1 nodes are available: 1 Insufficient hugepages-2Mi.'],
    ['ephemeral storage', asking({ 'ephemeral-storage': '1Gi' }), [], '0/1 nodes are available: 1 Insufficient ephemeral-storage.'],
    ['all that is short is told', asking({ cpu: '5', memory: '10001' }), [], '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.'],
    ['nothing asked, nothing needed', pod(), [on('a', asking({ cpu: '4', memory: '10000' }))], 'a'],
  ])('%s', (_, what, there, expected) => {
    expect(verdict(only('NodeResourcesFit'), what, cluster([node('a', {}, { 'nvidia.com/gpu': '2' })], there))).toBe(expected);
  });
  test('too many pods', () => {
    expect(verdict(only('NodeResourcesFit'), pod(), cluster([node('a', {}, { pods: '1' })], [on('a', pod())]))).toBe(
      '0/1 nodes are available: 1 Too many pods.',
    );
  });
  test('ignoredResources and ignoredResourceGroups', () => {
    const snapshot = cluster([node('a')]);
    const wants = asking({ 'example.com/foo': '1' });
    expect(verdict(using(registry['NodeResourcesFit']!, { ignoredResources: ['example.com/foo'] }), wants, snapshot)).toBe('a');
    expect(verdict(using(registry['NodeResourcesFit']!, { ignoredResourceGroups: ['example.com'] }), wants, snapshot)).toBe('a');
    expect(verdict(using(registry['NodeResourcesFit']!, { ignoredResourceGroups: ['example.org'] }), wants, snapshot)).toContain(
      'Insufficient example.com/foo',
    );
  });
  const strategy = (type: string, more: object = {}) => using(registry['NodeResourcesFit']!, { scoringStrategy: { type, ...more } });
  // least_allocated_test.go "nothing scheduled, resources requested, differently sized nodes": 37 and 50.
  test('LeastAllocated', () => {
    const snapshot = cluster([node('a', {}, { cpu: '4000m', memory: '10000' }), node('b', {}, { cpu: '6000m', memory: '10000' })]);
    const what = pod({
      containers: [
        { name: 'x', resources: { requests: { cpu: '1000m', memory: '2000' } } },
        { name: 'y', resources: { requests: { cpu: '2000m', memory: '3000' } } },
      ],
    });
    expect(scoresOf(only('NodeResourcesFit'), what, snapshot)).toEqual({ a: 37, b: 50 });
  });
  // most_allocated_test.go "nothing scheduled, resources requested, differently sized nodes": 62 and 50.
  test('MostAllocated', () => {
    const snapshot = cluster([node('a', {}, { cpu: '4000m', memory: '10000' }), node('b', {}, { cpu: '6000m', memory: '10000' })]);
    const what = pod({
      containers: [
        { name: 'x', resources: { requests: { cpu: '1000m', memory: '2000' } } },
        { name: 'y', resources: { requests: { cpu: '2000m', memory: '3000' } } },
      ],
    });
    expect(scoresOf(strategy('MostAllocated'), what, snapshot)).toEqual({ a: 62, b: 50 });
  });
  test('weights of resources; one that is not asked for has no say unless it is cpu or memory', () => {
    const snapshot = cluster([node('a', {}, { cpu: '4', memory: '10000', 'example.com/foo': '10' }), node('b', {}, { cpu: '4', memory: '10000' })]);
    const profile = strategy('LeastAllocated', {
      resources: [
        { name: 'cpu', weight: 1 },
        { name: 'example.com/foo', weight: 9 },
      ],
    });
    expect(scoresOf(profile, asking({ cpu: '2' }), snapshot)).toEqual({ a: 50, b: 50 });
  });
  // "Resource Bin Packing": intel.com/foo 3 and bar 5 (kubernetes.io, the page's worked example gives 5 of 10 and 7 of 10).
  test('RequestedToCapacityRatio: the worked example of the documentation', () => {
    const profile = strategy('RequestedToCapacityRatio', {
      resources: [
        { name: 'intel.com/foo', weight: 5 },
        { name: 'memory', weight: 1 },
        { name: 'cpu', weight: 3 },
      ],
      requestedToCapacityRatio: {
        shape: [
          { utilization: 0, score: 0 },
          { utilization: 100, score: 10 },
        ],
      },
    });
    const what = asking({ 'intel.com/foo': '2', memory: '256Mi', cpu: '2' });
    const nodes = [node('one', {}, { 'intel.com/foo': '4', memory: '1Gi', cpu: '8' }), node('two', {}, { 'intel.com/foo': '8', memory: '1Gi', cpu: '8' })];
    const there = [
      on('one', asking({ 'intel.com/foo': '1', memory: '256Mi', cpu: '1' })),
      on('two', asking({ 'intel.com/foo': '2', memory: '512Mi', cpu: '6' })),
    ];
    // foo 75 %, memory 50 %, cpu 37 %: (75·5 + 50 + 37·3) / 9; foo 50 %, memory 75 %, cpu 100 %: (50·5 + 75 + 100·3) / 9.
    expect(scoresOf(profile, what, cluster(nodes, there))).toEqual({ one: 60, two: 69 });
  });
  // requested_to_capacity_ratio_test.go TestBrokenLinearFunction.
  test.each<[number, number]>([
    [-10, 10],
    [0, 10],
    [9, 10],
    [10, 10],
    [15, 10],
    [19, 10],
    [20, 10],
    [89, 10],
    [90, 10],
    [99, 10],
    [100, 10],
  ])('a shape of one point is flat (%i)', (p, expected) => {
    expect(ratioScorer([{ utilization: 50, score: 1 }])(Math.max(0, p), 100)).toBe(expected);
  });
  test('between the points the line is straight, outside it is flat', () => {
    const at = ratioScorer([
      { utilization: 10, score: 1 },
      { utilization: 90, score: 9 },
    ]);
    expect([0, 9, 10, 15, 19, 20, 89, 90, 99].map((p) => at(p, 100))).toEqual([10, 10, 10, 15, 19, 20, 89, 90, 90]);
    expect(at(101, 100)).toBe(90);
  });
  test.each<[string, Record<string, unknown>, string]>([
    [
      'an unknown type',
      { type: 'Magic' },
      'scoringStrategy.type: Unsupported value: "Magic": supported values: "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"',
    ],
    ['no shape', { type: 'RequestedToCapacityRatio' }, 'scoringStrategy.requestedToCapacityRatio.shape: Required value: at least one point must be specified'],
    [
      'a weight out of range',
      { resources: [{ name: 'cpu', weight: 101 }] },
      'scoringStrategy.resources[0].weight: Invalid value: 101: resource weight of cpu not in valid range (0, 100]',
    ],
  ])('args: %s', (_, scoringStrategy, message) => {
    expect(() => registry['NodeResourcesFit']!({ scoringStrategy })).toThrow(message);
  });
});

describe('NodeResourcesBalancedAllocation', () => {
  // balanced_allocation_test.go: fractions 3000/4000 and 5000/10000 → 87; 3000/6000 and 5000/10000 → 100.
  test('like proportions win', () => {
    const snapshot = cluster([node('a', {}, { cpu: '4000m' }), node('b', {}, { cpu: '6000m' })]);
    expect(scoresOf(only('NodeResourcesBalancedAllocation'), asking({ cpu: '3000m', memory: '5000' }), snapshot)).toEqual({ a: 87, b: 100 });
  });
  test('a pod that asks for nothing is not scored (issue 129138)', () => {
    expect(schedule(only('NodeResourcesBalancedAllocation'), pod(), cluster([node('a'), node('b')])).skipped.score).toEqual([
      'NodeResourcesBalancedAllocation',
    ]);
  });
  test('of more than two resources, the standard deviation', () => {
    expect(balance([0.5, 0.5, 0.5])).toBe(100);
    // Mean 0.5, variance (0.25 + 0 + 0.25) / 3: deviation 0.408.
    expect(balance([0, 0.5, 1])).toBe(59);
    expect(balance([0.3])).toBe(100);
  });
});

describe('NodeAffinity', () => {
  const wants = (terms: object[]) => pod({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } } });
  const nodes = () => cluster([node('a', { cores: '8', disk: 'ssd' }), node('b', { cores: '2' })]);
  const NO = "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.";
  test.each<[string, object[], string]>([
    ['In', [{ matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd', 'nvme'] }] }], 'a'],
    ['NotIn also where the label is missing', [{ matchExpressions: [{ key: 'disk', operator: 'NotIn', values: ['ssd'] }] }], 'b'],
    ['Exists', [{ matchExpressions: [{ key: 'disk', operator: 'Exists' }] }], 'a'],
    ['DoesNotExist', [{ matchExpressions: [{ key: 'disk', operator: 'DoesNotExist' }] }], 'b'],
    ['Gt', [{ matchExpressions: [{ key: 'cores', operator: 'Gt', values: ['4'] }] }], 'a'],
    ['Lt', [{ matchExpressions: [{ key: 'cores', operator: 'Lt', values: ['4'] }] }], 'b'],
    [
      'terms are alternatives',
      [{ matchExpressions: [{ key: 'x', operator: 'Exists' }] }, { matchExpressions: [{ key: 'disk', operator: 'DoesNotExist' }] }],
      'b',
    ],
    [
      'expressions of one term must all hold',
      [
        {
          matchExpressions: [
            { key: 'disk', operator: 'Exists' },
            { key: 'cores', operator: 'Lt', values: ['4'] },
          ],
        },
      ],
      NO,
    ],
    ['an empty term matches nothing', [{}], NO],
    ['matchFields names a node', [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b'] }] }], 'b'],
    [
      'matchFields of nodes that are not',
      [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['z'] }] }],
      "0/2 nodes are available: 2 node(s) didn't satisfy plugin(s) [NodeAffinity].",
    ],
    [
      'matchFields that exclude one another',
      [
        {
          matchFields: [
            { key: 'metadata.name', operator: 'In', values: ['a'] },
            { key: 'metadata.name', operator: 'In', values: ['b'] },
          ],
        },
      ],
      '0/2 nodes are available: pod affinity terms conflict.',
    ],
  ])('%s', (_, terms, expected) => expect(verdict(only('NodeAffinity'), wants(terms), nodes())).toBe(expected));
  test('only named nodes are looked at; the others are counted', () => {
    const what = pod({
      ...wants([{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b'] }] }]).spec!,
      ...{ containers: [{ name: 'c', resources: { requests: { cpu: '9' } } }] },
    });
    expect(verdict(only('NodeAffinity', 'NodeResourcesFit'), what, nodes())).toBe(
      "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't satisfy plugin(s) [NodeAffinity].",
    );
  });
  test('preferred: weights of what holds, scaled so that the best has 100', () => {
    const term = (weight: number, key: string, value: string) => ({ weight, preference: { matchExpressions: [{ key, operator: 'In', values: [value] }] } });
    const what = pod({
      affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [term(2, 'disk', 'ssd'), term(4, 'cores', '8'), term(3, 'cores', '2')] } },
    });
    expect(scoresOf(only('NodeAffinity'), what, nodes())).toEqual({ a: 100, b: 50 });
  });
  test('addedAffinity of the profile', () => {
    const addedAffinity = {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'disk', operator: 'In', values: ['hdd'] }] }] },
    };
    expect(verdict(using(registry['NodeAffinity']!, { addedAffinity }), pod(), nodes())).toBe(
      "0/2 nodes are available: 2 node(s) didn't match scheduler-enforced node affinity.",
    );
  });
});

describe('TaintToleration, NodeUnschedulable, NodeName, NodePorts, ImageLocality', () => {
  const tainted = node('a', {}, {}, { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] });
  test.each<[string, object[], boolean]>([
    ['Equal', [{ key: 'k', operator: 'Equal', value: 'v', effect: 'NoSchedule' }], true],
    ['Equal is the default', [{ key: 'k', value: 'v' }], true],
    ['another value', [{ key: 'k', value: 'w' }], false],
    ['another effect', [{ key: 'k', value: 'v', effect: 'NoExecute' }], false],
    ['Exists', [{ key: 'k', operator: 'Exists' }], true],
    ['Exists without a key tolerates all', [{ operator: 'Exists' }], true],
  ])('toleration: %s', (_, tolerations, fits) => {
    expect(verdict(only('TaintToleration'), pod({ tolerations } as Partial<PodSpec>), cluster([tainted]))).toBe(
      fits ? 'a' : '0/1 nodes are available: 1 node(s) had untolerated taint {k: v}.',
    );
  });
  test('PreferNoSchedule: fewest untolerated taints win', () => {
    const prefer = (...keys: string[]) => ({ taints: keys.map((key) => ({ key, effect: 'PreferNoSchedule' })) });
    const snapshot = cluster([node('a', {}, {}, prefer('x', 'y')), node('b', {}, {}, prefer('x')), node('c')]);
    expect(scoresOf(only('TaintToleration'), pod(), snapshot)).toEqual({ a: 0, b: 50, c: 100 });
    expect(scoresOf(only('TaintToleration'), pod({ tolerations: [{ key: 'x', operator: 'Exists' }] }), snapshot)).toEqual({ a: 0, b: 100, c: 100 });
  });
  test('a cordoned node takes who tolerates node.kubernetes.io/unschedulable', () => {
    const snapshot = cluster([node('a', {}, {}, { unschedulable: true })]);
    expect(verdict(only('NodeUnschedulable'), pod(), snapshot)).toBe('0/1 nodes are available: 1 node(s) were unschedulable.');
    expect(verdict(only('NodeUnschedulable'), pod({ tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }] }), snapshot)).toBe('a');
  });
  test('NodeName', () => {
    expect(verdict(only('NodeName'), pod({ nodeName: 'z' }), cluster([node('a')]))).toBe(
      "0/1 nodes are available: 1 node(s) didn't match the requested node name.",
    );
  });
  const port = (hostPort: number, more: object = {}) => pod({ containers: [{ name: 'c', ports: [{ containerPort: 1, hostPort, ...more }] }] });
  test.each<[string, Pod, Pod, boolean]>([
    ['the same', port(80), port(80), false],
    ['another port', port(80), port(81), true],
    ['another protocol', port(80), port(80, { protocol: 'UDP' }), true],
    ['two addresses', port(80, { hostIP: '10.0.0.1' }), port(80, { hostIP: '10.0.0.2' }), true],
    ['one address and all', port(80, { hostIP: '10.0.0.1' }), port(80), false],
    ['of a sidecar', pod({ initContainers: [{ name: 'i', restartPolicy: 'Always', ports: [{ containerPort: 1, hostPort: 80 }] }] }), port(80), false],
  ])('host port: %s', (_, there, what, fits) => {
    expect(verdict(only('NodePorts'), what, cluster([node('a')], [on('a', there)]))).toBe(
      fits ? 'a' : "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
    );
  });
  // image_locality_test.go "two images spread on 2 nodes, prefer the larger image one": 0 and 5; "if exceed limit, use limit": 5 … 100 per cent of 2000 MB.
  test('ImageLocality: size times spread, between 23 MB and 1000 MB a container', () => {
    const MB = 1024 * 1024;
    const image = (name: string, size: number) => ({ names: [name], sizeBytes: size * MB });
    const snapshot = cluster([node('a', {}, {}, {}, [image('small:latest', 40)]), node('b', {}, {}, {}, [image('large:latest', 250)])]);
    const what = pod({
      containers: [
        { name: 'x', image: 'small' },
        { name: 'y', image: 'large:latest' },
      ],
    });
    expect(scoresOf(only('ImageLocality'), what, snapshot)).toEqual({ a: 0, b: 5 });
  });
});

describe('PodTopologySpread', () => {
  const web = { matchLabels: { app: 'web' } };
  const labelled = (name: string, more: Partial<Pod['metadata']> = {}) => on(name, pod({}, { labels: { app: 'web' }, ...more }));
  const spread = (more: object = {}, labels: Record<string, string> = { app: 'web' }, spec: Partial<PodSpec> = {}) =>
    pod(
      { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: web, ...more }], ...spec },
      { labels },
    );
  const zones = () => [node('a1', { zone: 'a' }), node('a2', { zone: 'a' }), node('b1', { zone: 'b' })];
  const fits = (what: Pod, nodes: Node[], pods: Pod[]): string[] =>
    schedule(only('PodTopologySpread'), what, cluster(nodes, pods)).feasible.map(({ name }) => name);
  // The documentation's figure: 2 in zone A, 1 in zone B, maxSkew 1: the next must go to B.
  test("the documentation's example", () => expect(fits(spread(), zones(), [labelled('a1'), labelled('a2'), labelled('b1')])).toEqual(['b1']));
  test('with maxSkew 2 either zone will do', () =>
    expect(fits(spread({ maxSkew: 2 }), zones(), [labelled('a1'), labelled('a2'), labelled('b1')])).toEqual(['a1', 'b1', 'a2'].sort()));
  test('a pod the selector does not match adds nothing itself', () =>
    expect(fits(spread({}, {}), zones(), [labelled('a1'), labelled('a2'), labelled('b1')])).toContain('a1'));
  test('pods on their way out do not count', () =>
    expect(fits(spread(), zones(), [labelled('a1', { deletionTimestamp: '2026-01-01T00:00:00Z' })])).toHaveLength(3));
  test('other namespaces do not count', () => expect(fits(spread(), zones(), [labelled('a1', { namespace: 'other' })])).toHaveLength(3));
  test('minDomains: with fewer domains the minimum counts as zero', () => {
    expect(fits(spread({ minDomains: 3 }), zones(), [labelled('a1'), labelled('b1')])).toEqual([]);
    expect(fits(spread({ minDomains: 2 }), zones(), [labelled('a1'), labelled('b1')])).toHaveLength(3);
  });
  test('matchLabelKeys: each revision spreads by itself', () => {
    const what = spread({ matchLabelKeys: ['pod-template-hash'] }, { app: 'web', 'pod-template-hash': 'new' });
    expect(fits(what, zones(), [labelled('a1'), labelled('a2')])).toHaveLength(3);
    expect(fits(what, zones(), [on('a1', pod({}, { labels: { app: 'web', 'pod-template-hash': 'new' } }))])).toEqual(['b1']);
  });
  test('nodeAffinityPolicy: domains the pod cannot go to count or do not', () => {
    const selector = { nodeSelector: { zone: 'a' } };
    const there = [labelled('a1')];
    // Honor: zone b does not exist for this pod, so a is its own minimum. Ignore: b is empty.
    expect(fits(spread({}, { app: 'web' }, selector), zones(), there)).toContain('a1');
    expect(fits(spread({ nodeAffinityPolicy: 'Ignore' }, { app: 'web' }, selector), zones(), there)).toEqual(['b1']);
  });
  test('nodeTaintsPolicy', () => {
    const nodes = [node('a1', { zone: 'a' }), node('b1', { zone: 'b' }, {}, { taints: [{ key: 'k', effect: 'NoSchedule' }] })];
    expect(fits(spread({ nodeTaintsPolicy: 'Honor' }), nodes, [labelled('a1')])).toContain('a1');
    expect(fits(spread(), nodes, [labelled('a1')])).toEqual(['b1']);
  });
  test('texts', () => {
    const snapshot = cluster([node('a', { zone: 'a' }), node('x')], [labelled('a')]);
    expect(verdict(only('PodTopologySpread'), spread({ minDomains: 2 }), snapshot)).toBe(
      "0/2 nodes are available: 1 node(s) didn't match pod topology spread constraints, 1 node(s) didn't match pod topology spread constraints (missing required label).",
    );
  });
  test('system defaults: what a Service or a ReplicaSet selects spreads over hosts and zones', () => {
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 's', namespace: 'default' }, spec: { selector: { app: 'web' } } };
    const nodes = [node('a', { 'topology.kubernetes.io/zone': 'a' }), node('b', { 'topology.kubernetes.io/zone': 'b' })];
    const what = pod({}, { labels: { app: 'web' } });
    // One pod in each of two domains of two: 2 ln 4 + (3 − 1) + (5 − 1) = 8.77 against 6; (9 + 6 − 9) / 9.
    expect(scoresOf(only('PodTopologySpread'), what, cluster(nodes, [labelled('a')], objects(service)))).toEqual({ a: 66, b: 100 });
    expect(schedule(only('PodTopologySpread'), what, cluster(nodes, [labelled('a')])).skipped.score).toEqual(['PodTopologySpread']);
    const replicaSet = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'rs', namespace: 'default' }, spec: { selector: web } };
    const owned = pod({}, { labels: { app: 'web' }, ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: '1', controller: true }] });
    expect(scoresOf(only('PodTopologySpread'), owned, cluster(nodes, [labelled('a')], objects(replicaSet)))).toEqual({ a: 66, b: 100 });
  });
  test("a profile's own list of defaults", () => {
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 's', namespace: 'default' }, spec: { selector: { app: 'web' } } };
    const profile = using(registry['PodTopologySpread']!, {
      defaultingType: 'List',
      defaultConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }],
    });
    const decision = schedule(profile, pod({}, { labels: { app: 'web' } }), cluster(zones(), [labelled('a1')], objects(service)));
    expect(decision.feasible.map(({ name }) => name)).toEqual(['b1']);
    expect(() => registry['PodTopologySpread']!({ defaultConstraints: [{ maxSkew: 1 }] })).toThrow('when .defaultConstraints are not empty');
  });
});

describe('InterPodAffinity', () => {
  const term = (more: object = {}) => ({ topologyKey: 'zone', labelSelector: { matchLabels: { app: 'db' } }, ...more });
  const wants = (kind: 'podAffinity' | 'podAntiAffinity', more: object = {}, metadata: Partial<Pod['metadata']> = {}) =>
    pod({ affinity: { [kind]: { requiredDuringSchedulingIgnoredDuringExecution: [term(more)] } } }, metadata);
  const nodes = () => [node('a', { zone: 'a' }), node('b', { zone: 'b' }), node('x')];
  const db = (name: string, namespace = 'default', labels: Record<string, string> = {}) => on(name, pod({}, { namespace, labels: { app: 'db', ...labels } }));
  const fits = (what: Pod, pods: Pod[], others = objects()): string[] =>
    schedule(only('InterPodAffinity'), what, cluster(nodes(), pods, others)).feasible.map(({ name }) => name);
  test("affinity: the company's domain", () => expect(fits(wants('podAffinity'), [db('a')])).toEqual(['a']));
  test('anti-affinity: every other domain, and nodes without one', () => expect(fits(wants('podAntiAffinity'), [db('a')])).toEqual(['b', 'x']));
  test('the first of its kind may go anywhere that has the key', () => {
    expect(fits(wants('podAffinity', {}, { labels: { app: 'db' } }), [])).toEqual(['a', 'b']);
    expect(fits(wants('podAffinity'), [])).toEqual([]);
  });
  test('those already there are asked too', () => expect(fits(pod({}, { labels: { app: 'db' } }), [on('a', wants('podAntiAffinity'))])).toEqual(['b', 'x']));
  test('its own namespace unless told', () => {
    expect(fits(wants('podAffinity'), [db('a', 'other')])).toEqual([]);
    expect(fits(wants('podAffinity', { namespaces: ['other'] }), [db('a', 'other')])).toEqual(['a']);
  });
  test('namespaceSelector: by the labels of the namespaces there are; an empty one means all', () => {
    const namespace = (name: string, labels: Record<string, string>) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
    const others = objects(namespace('default', {}), namespace('other', { team: 'x' }));
    expect(fits(wants('podAffinity', { namespaceSelector: { matchLabels: { team: 'x' } } }), [db('a', 'other')], others)).toEqual(['a']);
    expect(fits(wants('podAffinity', { namespaceSelector: { matchLabels: { team: 'y' } } }), [db('a', 'other')], others)).toEqual([]);
    expect(fits(wants('podAffinity', { namespaceSelector: {} }), [db('a', 'other')], others)).toEqual(['a']);
  });
  test('matchLabelKeys and mismatchLabelKeys (KEP-3633)', () => {
    const mine = { labels: { tenant: 't1' } };
    expect(fits(wants('podAffinity', { matchLabelKeys: ['tenant'] }, mine), [db('a', 'default', { tenant: 't2' })])).toEqual([]);
    expect(
      fits(wants('podAntiAffinity', { mismatchLabelKeys: ['tenant'] }, mine), [db('a', 'default', { tenant: 't2' }), db('b', 'default', { tenant: 't1' })]),
    ).toEqual(['b', 'x']);
  });
  test('preferences, of both sides, and hardPodAffinityWeight', () => {
    const likes = pod({ affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 5, podAffinityTerm: term() }] } } });
    expect(scoresOf(only('InterPodAffinity'), likes, cluster(nodes(), [db('a')]))).toEqual({ a: 100, b: 0, x: 0 });
    const dislikes = pod({ affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 5, podAffinityTerm: term() }] } } });
    expect(scoresOf(only('InterPodAffinity'), dislikes, cluster(nodes(), [db('a')]))).toEqual({ a: 0, b: 100, x: 100 });
    expect(scoresOf(only('InterPodAffinity'), pod({}, { labels: { app: 'db' } }), cluster(nodes(), [on('b', likes)]))).toEqual({ a: 0, b: 100, x: 0 });
    const needsUs = on('b', wants('podAffinity'));
    expect(scoresOf(only('InterPodAffinity'), pod({}, { labels: { app: 'db' } }), cluster(nodes(), [needsUs]))).toEqual({ a: 0, b: 100, x: 0 });
    expect(
      schedule(using(registry['InterPodAffinity']!, { hardPodAffinityWeight: 0 }), pod({}, { labels: { app: 'db' } }), cluster(nodes(), [needsUs])).skipped
        .score,
    ).toEqual(['InterPodAffinity']);
  });
});

describe('DefaultPreemption', () => {
  const low = (name: string, priority: number, cpu: string, startTime = '2026-01-05T08:00:00Z', labels: Record<string, string> = {}) =>
    on(name, { ...asking({ cpu }, { priority }), metadata: { name: `v${++serial}`, namespace: 'default', uid: `v${serial}`, labels }, status: { startTime } });
  const high = (cpu: string) => asking({ cpu }, { priority: 100 });
  const chosen = (what: Pod, snapshot: Snapshot) => {
    const { chosen: found } = postFilter(all, what, snapshot, schedule(all, what, snapshot));
    return found && { node: found.node, victims: found.victims.map(({ pod: victim }) => victim) };
  };
  const budget = (allowed: number): PodDisruptionBudget => ({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'b', namespace: 'default' },
    spec: { selector: { matchLabels: { app: 'kept' } } },
    status: { disruptionsAllowed: allowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
  });
  // default_preemption_test.go TestPickOneNodeForPreemption.
  test('the node whose most important victim is least important', () =>
    expect(chosen(high('3'), cluster([node('a'), node('b')], [low('a', 50, '4'), low('b', 10, '4')]))?.node).toBe('b'));
  test('then the smallest sum of priorities', () =>
    expect(chosen(high('4'), cluster([node('a'), node('b')], [low('a', 10, '2'), low('a', 5, '2'), low('b', 10, '2'), low('b', 1, '2')]))?.node).toBe('b'));
  test('then the fewest victims', () => {
    expect(chosen(high('4'), cluster([node('a'), node('b')], [low('a', 0, '2'), low('a', 0, '2'), low('b', 0, '4')]))?.node).toBe('b');
  });
  test('then the latest start', () => {
    expect(chosen(high('4'), cluster([node('a'), node('b')], [low('a', 0, '4', '2026-01-05T08:00:00Z'), low('b', 0, '4', '2026-01-05T09:00:00Z')]))?.node).toBe(
      'b',
    );
  });
  test('a budget that would be exceeded comes before all that', () => {
    const snapshot = cluster([node('a'), node('b')], [low('a', 0, '4', undefined, { app: 'kept' }), low('b', 50, '4')], objects(budget(0)));
    expect(chosen(high('3'), snapshot)?.node).toBe('b');
  });
  test('but budgets hold nobody back when there is no other way', () => {
    const decision = chosen(high('3'), cluster([node('a')], [low('a', 0, '4', undefined, { app: 'kept' })], objects(budget(0))));
    expect(decision?.node).toBe('a');
  });
  test('who could be kept is: the more important, and those with a budget, first', () => {
    const [kept, other] = [low('a', 1, '2', undefined, { app: 'kept' }), low('a', 5, '2')];
    expect(chosen(high('2'), cluster([node('a')], [kept, other]))?.victims).toEqual([kept]);
    expect(chosen(high('2'), cluster([node('a')], [kept, other], objects(budget(0))))?.victims).toEqual([other]);
  });
  test('budgets count down as pods are looked at; disruptedPods were counted before', () => {
    const pods = [low('a', 0, '1', undefined, { app: 'kept' }), low('a', 0, '1', undefined, { app: 'kept' })];
    expect([...violating(pods, [budget(1)])]).toEqual([pods[1]]);
    const disrupted = { ...budget(0), status: { ...budget(0).status!, disruptedPods: { [pods[0]!.metadata.name!]: '2026-01-05T08:00:00Z' } } };
    expect([...violating(pods, [disrupted])]).toEqual([pods[1]]);
  });
  test('what removing everybody leaves unmet is told', () => {
    const what = asking({ cpu: '3', memory: '9000' }, { priority: 100 });
    const equal = on('a', asking({ memory: '5000' }, { priority: 100 }));
    expect(verdict(all, what, cluster([node('a')], [low('a', 0, '4'), equal]))).toBe(
      '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. preemption: 0/1 nodes are available: 1 Insufficient memory.',
    );
  });
  test('anti-affinity towards lower pods can be solved by evicting them', () => {
    const rival = on('a', pod({ priority: 0 }, { labels: { app: 'rival' } }));
    const what = pod({
      priority: 10,
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'rival' } } }],
        },
      },
    });
    expect(chosen(what, cluster([node('a')], [rival]))?.victims).toEqual([rival]);
  });
  test('a pod terminating for us on the nominated node: wait for it', () => {
    const leaving = { ...low('a', 0, '4'), status: { conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }] } };
    const dying = { ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: '2026-01-05T08:00:00Z' } };
    const what = { ...high('3'), status: { nominatedNodeName: 'a' } };
    expect(verdict(all, what, cluster([node('a')], [dying]))).toBe(
      '0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to a terminating pod on the nominated node.',
    );
  });
  test('criteria keep their order', () => {
    const victim = (priority: number, violatesBudget = false) => ({ pod: low('a', priority, '1'), violatesBudget });
    expect(
      leastHarm([
        { node: 'many', victims: [victim(1), victim(1)] },
        { node: 'one-higher', victims: [victim(2)] },
      ])?.node,
    ).toBe('many');
    expect(
      leastHarm([
        { node: 'budget', victims: [victim(0, true)] },
        { node: 'high', victims: [victim(99)] },
      ])?.node,
    ).toBe('high');
    expect(leastHarm([])).toBeUndefined();
  });
});

test('a node promised to a more important pod is not given away', () => {
  const snapshot = cluster([node('a')]);
  const promised = { ...asking({ cpu: '3' }, { priority: 10 }), status: { nominatedNodeName: 'a' } };
  const nominated = new Map([['a', [promised]]]);
  const lesser = asking({ cpu: '2' });
  expect(schedule(all, lesser, snapshot, { nominated }).node).toBeUndefined();
  expect(schedule(all, asking({ cpu: '2' }, { priority: 11 }), snapshot, { nominated }).node).toBe('a');
  expect(schedule(all, promised, snapshot, { nominated }).node).toBe('a');
});

test('the search goes round: it stops when enough fit, and begins after where it stopped', () => {
  const snapshot = cluster(Array.from({ length: 200 }, (_, i) => node(`n${i}`)));
  const first = schedule(all, pod(), snapshot, { start: 0 });
  expect([first.evaluated, first.feasible.length, first.feasible[0]!.name]).toEqual([100, 100, 'n0']);
  const second = schedule(all, pod(), snapshot, { start: 150 });
  expect(second.feasible.map(({ name }) => name).slice(49, 51)).toEqual(['n199', 'n0']);
  expect(schedule(all, pod(), snapshot, { percentageOfNodesToScore: 100 }).evaluated).toBe(200);
  // Without a plugin that scores, the first will do.
  expect(schedule(only('NodeResourcesFit', 'DefaultBinder'), pod(), snapshot).evaluated).toBeGreaterThan(1);
  expect(schedule(only('NodeName', 'DefaultBinder'), pod(), snapshot).evaluated).toBe(1);
});
