/**
 * Pods placed one after the other on a large empty cluster, each assumed where it was put: what scheduler_perf measures
 * upstream (SchedulingBasic, SchedulingPodAntiAffinity, TopologySpreading), without an API server around it.
 */
import type { Node, Pod, PodSpec } from '../api/types.gen.ts';
import { AttemptLog } from './attempts.ts';
import { defaultProfile } from './profile.ts';
import { schedule } from './schedule.ts';
import { Snapshot } from './snapshot.ts';

export type Load = 'basic' | 'anti-affinity' | 'spread' | 'affinity';

export function largeCluster(nodes: number): Snapshot {
  const snapshot = new Snapshot();
  for (let i = 0; i < nodes; i++) {
    const name = `node-${i}`;
    const node: Node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': `zone-${i % 3}` } },
      spec: i % 50 === 49 ? { taints: [{ key: 'dedicated', value: 'gpu', effect: 'NoSchedule' }] } : {},
      status: { allocatable: { cpu: '32', memory: '64Gi', pods: '110' }, images: [{ names: ['docker.io/library/nginx:latest'], sizeBytes: 70_000_000 }] },
    };
    snapshot.setNode(node);
  }
  return snapshot;
}

const SPECS: Readonly<Record<Load, Partial<PodSpec>>> = {
  basic: {},
  'anti-affinity': {
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'anti-affinity' } } }],
      },
    },
  },
  affinity: {
    affinity: {
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'topology.kubernetes.io/zone', labelSelector: { matchLabels: { app: 'affinity' } } }],
      },
    },
  },
  spread: {
    topologySpreadConstraints: [
      { maxSkew: 5, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'spread' } } },
    ],
  },
};

const podOf = (load: Load, i: number): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `${load}-${i}`, namespace: 'default', uid: `${load}-${i}`, labels: { app: load } },
  spec: {
    containers: [{ name: 'c', image: 'nginx', resources: { requests: { cpu: '100m', memory: '128Mi' } } }],
    tolerations: [
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    ],
    ...SPECS[load],
  },
});

/** Decides on `count` pods, keeps each decision as the scheduler does, and returns how many found a node. */
export function placeMany(snapshot: Snapshot, load: Load, count: number, from = 0): number {
  const log = new AttemptLog();
  let start = 0;
  let placed = 0;
  for (let i = from; i < from + count; i++) {
    const pod = podOf(load, i);
    const decision = schedule(defaultProfile, pod, snapshot, { start });
    start = (start + decision.evaluated) % decision.total;
    log.filterFact(1, decision);
    if (decision.node === undefined) continue;
    placed++;
    snapshot.addPod({ ...pod, spec: { ...pod.spec!, nodeName: decision.node } });
  }
  return placed;
}

/** A pod comes and goes, `count` times. */
export function podEventsOn(snapshot: Snapshot, count: number): void {
  const info = snapshot.list()[0]!;
  for (let i = 0; i < count; i++) {
    const pod = podOf('basic', i);
    const there = { ...pod, spec: { ...pod.spec!, nodeName: info.name } };
    snapshot.addPod(there);
    snapshot.removePod(there, info.name);
  }
}
