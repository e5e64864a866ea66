/** Clusters drawn from a seed: small, crowded, and full of opinions. */
import type { Namespace, Node, Pod, PodAffinityTerm, PodDisruptionBudget, PodSpec, ReplicaSet, Service, TopologySpreadConstraint } from '../api/types.gen.ts';

export class Luck {
  private state: number;
  constructor(seed: number) {
    this.state = (seed * 2_654_435_761) >>> 0 || 1;
  }
  below(n: number): number {
    this.state ^= this.state << 13;
    this.state >>>= 0;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    this.state >>>= 0;
    return this.state % n;
  }
  /** True so many times in a hundred. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

const APPS = ['web', 'db', 'cache'];
const NAMESPACES = ['default', 'blue', 'green'];
const KEYS = ['kubernetes.io/hostname', 'topology.kubernetes.io/zone', 'rack'];
const Mi = 1024 * 1024;

export interface RandomCluster {
  readonly nodes: Node[];
  readonly pods: Pod[];
  readonly namespaces: Namespace[];
  readonly services: Service[];
  readonly replicaSets: ReplicaSet[];
  readonly budgets: PodDisruptionBudget[];
}

export function randomNode(luck: Luck, name: string): Node {
  const labels: Record<string, string> = { 'kubernetes.io/hostname': name };
  if (luck.chance(85)) labels['topology.kubernetes.io/zone'] = luck.of(['a', 'b', 'c']);
  if (luck.chance(60)) labels['rack'] = luck.of(['1', '2']);
  if (luck.chance(50)) labels['disk'] = luck.of(['ssd', 'hdd']);
  if (luck.chance(50)) labels['cores'] = luck.of(['2', '4', '16']);
  const taints = [
    ...(luck.chance(15) ? [{ key: 'dedicated', value: luck.of(['gpu', 'ops']), effect: 'NoSchedule' }] : []),
    ...(luck.chance(8) ? [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }] : []),
    ...(luck.chance(15) ? [{ key: 'old', value: 'true', effect: 'PreferNoSchedule' }] : []),
    ...(luck.chance(10) ? [{ key: 'noisy', effect: 'PreferNoSchedule' }] : []),
  ];
  const images = luck.chance(50) ? [{ names: [`${luck.of(APPS)}:latest`], sizeBytes: luck.below(900) * Mi }] : [];
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels },
    spec: { ...(taints.length > 0 ? { taints } : {}), ...(luck.chance(6) ? { unschedulable: true } : {}) },
    status: {
      allocatable: {
        cpu: luck.of(['2', '4', '3500m']),
        memory: luck.of(['4Gi', '8Gi']),
        pods: luck.of(['4', '10', '110']),
        'ephemeral-storage': '20Gi',
        ...(luck.chance(20) ? { 'nvidia.com/gpu': '2' } : {}),
      },
      ...(images.length > 0 ? { images } : {}),
    },
  };
}

function selector(luck: Luck): { matchLabels?: Record<string, string>; matchExpressions?: { key: string; operator: string; values?: string[] }[] } {
  if (luck.chance(70)) return { matchLabels: { app: luck.of(APPS) } };
  if (luck.chance(10)) return {};
  return {
    matchExpressions: [
      luck.chance(50)
        ? { key: 'app', operator: luck.of(['In', 'NotIn']), values: [luck.of(APPS), luck.of(APPS)] }
        : { key: luck.of(['app', 'track']), operator: luck.of(['Exists', 'DoesNotExist']) },
    ],
  };
}

function term(luck: Luck): PodAffinityTerm {
  return {
    topologyKey: luck.of(KEYS),
    labelSelector: selector(luck),
    ...(luck.chance(15) ? { namespaces: [luck.of(NAMESPACES)] } : {}),
    ...(luck.chance(15) ? { namespaceSelector: luck.chance(30) ? {} : { matchLabels: { team: luck.of(['x', 'y']) } } } : {}),
    ...(luck.chance(10) ? { matchLabelKeys: ['track'] } : {}),
    ...(luck.chance(10) ? { mismatchLabelKeys: ['track'] } : {}),
  };
}
const few = <T>(luck: Luck, percent: number, make: () => T): T[] => (luck.chance(percent) ? (luck.chance(25) ? [make(), make()] : [make()]) : []);

function constraint(luck: Luck): TopologySpreadConstraint {
  return {
    maxSkew: 1 + luck.below(2),
    topologyKey: luck.of(KEYS),
    whenUnsatisfiable: luck.of(['DoNotSchedule', 'ScheduleAnyway']),
    labelSelector: selector(luck),
    ...(luck.chance(15) ? { matchLabelKeys: ['track'] } : {}),
    ...(luck.chance(25) ? { nodeAffinityPolicy: luck.of(['Honor', 'Ignore']) } : {}),
    ...(luck.chance(25) ? { nodeTaintsPolicy: luck.of(['Honor', 'Ignore']) } : {}),
  };
}

/** With `rich`, as opinionated as pods get; without, mostly plain. */
export function randomPod(luck: Luck, name: string, nodeNames: readonly string[], rich: boolean): Pod {
  const often = rich ? 1 : 0.4;
  const labels: Record<string, string> = luck.chance(90) ? { app: luck.of(APPS) } : {};
  if (luck.chance(40)) labels['track'] = luck.of(['stable', 'canary']);
  const requests = (): Record<string, string> => ({
    ...(luck.chance(75) ? { cpu: luck.of(['100m', '500m', '1', '1500m']) } : {}),
    ...(luck.chance(60) ? { memory: luck.of(['64Mi', '512Mi', '2Gi']) } : {}),
    ...(luck.chance(8) ? { 'nvidia.com/gpu': '1' } : {}),
    ...(luck.chance(8) ? { 'ephemeral-storage': luck.of(['1Gi', '15Gi']) } : {}),
  });
  const container = (n: string) => ({
    name: n,
    image: luck.of([...APPS, 'other:1']),
    resources: { requests: requests() },
    ...(luck.chance(12)
      ? {
          ports: [
            {
              containerPort: 80,
              hostPort: luck.of([80, 8080]),
              ...(luck.chance(30) ? { hostIP: '10.0.0.1' } : {}),
              ...(luck.chance(20) ? { protocol: 'UDP' } : {}),
            },
          ],
        }
      : {}),
  });
  const nodeTerm = () =>
    luck.chance(15)
      ? { matchFields: [{ key: 'metadata.name', operator: 'In', values: [luck.of(nodeNames), luck.of(nodeNames)] }] }
      : {
          matchExpressions: [
            luck.of([
              { key: 'disk', operator: 'In', values: ['ssd'] },
              { key: 'disk', operator: 'NotIn', values: ['ssd'] },
              { key: 'cores', operator: 'Gt', values: ['3'] },
              { key: 'cores', operator: 'Lt', values: ['8'] },
              { key: 'rack', operator: 'Exists' },
              { key: 'rack', operator: 'DoesNotExist' },
            ]),
          ],
        };
  const required = few(luck, 15 * often, nodeTerm);
  const wished = few(luck, 15 * often, () => ({ weight: 1 + luck.below(100), preference: nodeTerm() }));
  const [affinity, anti] = [few(luck, 12 * often, () => term(luck)), few(luck, 18 * often, () => term(luck))];
  const soft = (percent: number) => few(luck, percent * often, () => ({ weight: 1 + luck.below(100), podAffinityTerm: term(luck) }));
  const [likes, dislikes] = [soft(20), soft(20)];
  const spread = few(luck, 30 * often, () => constraint(luck)).map((each) =>
    each.whenUnsatisfiable === 'DoNotSchedule' && luck.chance(20) ? { ...each, minDomains: 1 + luck.below(3) } : each,
  );
  const spec: PodSpec = {
    containers: luck.chance(20) ? [container('a'), container('b')] : [container('a')],
    ...(luck.chance(15) ? { initContainers: [{ ...container('i'), ...(luck.chance(50) ? { restartPolicy: 'Always' } : {}) }, container('j')] } : {}),
    ...(luck.chance(5) ? { overhead: { cpu: '100m', memory: '32Mi' } } : {}),
    ...(luck.chance(60) ? { priority: luck.of([-10, 0, 5, 100, 1000]) } : {}),
    ...(luck.chance(5) ? { preemptionPolicy: 'Never' } : {}),
    ...(luck.chance(10 * often) ? { nodeSelector: { disk: luck.of(['ssd', 'hdd']) } } : {}),
    tolerations: [
      ...(luck.chance(25) ? [{ key: 'dedicated', operator: 'Equal', value: 'gpu', effect: 'NoSchedule' }] : []),
      ...(luck.chance(20) ? [{ key: luck.of(['noisy', 'old']), operator: 'Exists' }] : []),
      ...(luck.chance(8) ? [{ operator: 'Exists' }] : []),
    ],
    affinity: {
      ...(required.length + wished.length > 0
        ? {
            nodeAffinity: {
              ...(required.length > 0 ? { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: required } } : {}),
              ...(wished.length > 0 ? { preferredDuringSchedulingIgnoredDuringExecution: wished } : {}),
            },
          }
        : {}),
      podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: affinity, preferredDuringSchedulingIgnoredDuringExecution: likes },
      podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: anti, preferredDuringSchedulingIgnoredDuringExecution: dislikes },
    },
    ...(spread.length > 0 ? { topologySpreadConstraints: spread } : {}),
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: luck.chance(75) ? 'default' : luck.of(NAMESPACES),
      uid: name,
      labels,
      ...(luck.chance(40) ? { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: luck.of(APPS), uid: 'r', controller: true }] } : {}),
    },
    spec,
    status: {},
  };
}

export function randomCluster(luck: Luck): RandomCluster {
  const nodes = Array.from({ length: 1 + luck.below(9) }, (_, i) => randomNode(luck, `n${i}`));
  const names = nodes.map((node) => node.metadata.name!);
  const pods = Array.from({ length: luck.below(24) }, (_, i) => {
    const pod = randomPod(luck, `p${i}`, names, false);
    return {
      ...pod,
      metadata: { ...pod.metadata, ...(luck.chance(8) ? { deletionTimestamp: '2026-01-05T08:00:00Z' } : {}) },
      spec: { ...pod.spec!, nodeName: luck.of(names) },
      status: { startTime: `2026-01-05T08:00:${String(luck.below(60)).padStart(2, '0')}Z` },
    };
  });
  return {
    nodes,
    pods,
    namespaces: NAMESPACES.map((name, i) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'kubernetes.io/metadata.name': name, ...(i > 0 ? { team: i === 1 ? 'x' : 'y' } : {}) } },
    })),
    services: luck.chance(50)
      ? [{ apiVersion: 'v1', kind: 'Service', metadata: { name: 's', namespace: 'default' }, spec: { selector: { app: luck.of(APPS) } } }]
      : [],
    replicaSets: APPS.filter(() => luck.chance(50)).map((app) => ({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: app, namespace: 'default' },
      spec: { selector: { matchLabels: { app } } },
    })),
    budgets: few(luck, 50, () => ({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: `b${luck.below(1000)}`, namespace: 'default' },
      spec: { selector: selector(luck) },
      status: { disruptionsAllowed: luck.below(2), currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
    })),
  };
}
