/**
 * PodTopologySpread: no topology domain may have more than maxSkew matching pods above the emptiest
 * (DoNotSchedule filters, ScheduleAnyway scores). A pod without constraints, but selected by a Service or
 * a workload, gets the default ones: zone and hostname, ScheduleAnyway.
 *
 * Here simplified: default constraints take the pod's own workload labels (its ReplicaSet's
 * pod-template-hash sibling labels) as the selector instead of looking Services up; weights of the score
 * use integer logarithms.
 */
import type { DeepReadonly } from '../../api/json.ts';
import { selectorOf } from '../../api/selector.ts';
import type { Pod, TopologySpreadConstraint } from '../../api/types.gen.ts';
import { type CycleState, MAX_NODE_SCORE, type Plugin, reject } from '../framework.ts';
import type { NodeInfo, NodeList } from '../snapshot.ts';
import { matchesRequired } from './node-affinity.ts';
import { tolerates } from './taint-toleration.ts';

type Constraint = DeepReadonly<TopologySpreadConstraint>;

interface Counted {
  readonly constraint: Constraint;
  /** Matching pods by domain; only domains of eligible nodes. */
  readonly counts: Map<string, number>;
  readonly min: number;
}

const constraintsOf = (pod: DeepReadonly<Pod>, action: 'DoNotSchedule' | 'ScheduleAnyway'): readonly Constraint[] => {
  const own = pod.spec?.topologySpreadConstraints ?? [];
  if (own.length > 0) return own.filter((constraint) => constraint.whenUnsatisfiable === action);
  const labels = pod.metadata.labels ?? {};
  if (
    action !== 'ScheduleAnyway' ||
    !pod.metadata.ownerReferences?.some((owner) => owner.controller && owner.kind !== 'DaemonSet') ||
    Object.keys(labels).length === 0
  )
    return [];
  const labelSelector = { matchLabels: labels };
  return [
    { maxSkew: 3, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', labelSelector },
    { maxSkew: 5, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway', labelSelector },
  ];
};

const matches = (constraint: Constraint, pod: DeepReadonly<Pod>, incoming: DeepReadonly<Pod>): boolean => {
  if (pod.metadata.namespace !== incoming.metadata.namespace || pod.metadata.deletionTimestamp) return false;
  for (const key of constraint.matchLabelKeys ?? []) {
    const wanted = incoming.metadata.labels?.[key];
    if (wanted !== undefined && pod.metadata.labels?.[key] !== wanted) return false;
  }
  return constraint.labelSelector !== undefined && selectorOf(constraint.labelSelector).matches(pod.metadata.labels);
};

/** Which nodes' domains count: those the pod may go to by affinity and, if asked, by taints. */
function eligible(constraint: Constraint, pod: DeepReadonly<Pod>, { node }: NodeInfo): boolean {
  if ((constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor' && !matchesRequired(pod, node)) return false;
  if (constraint.nodeTaintsPolicy !== 'Honor') return true;
  return (node.spec?.taints ?? []).every(
    (taint) => taint.effect === 'PreferNoSchedule' || (pod.spec?.tolerations ?? []).some((toleration) => tolerates(toleration, taint)),
  );
}

function count(constraint: Constraint, pod: DeepReadonly<Pod>, nodes: readonly NodeInfo[], keys: readonly string[]): Counted {
  const counts = new Map<string, number>();
  for (const info of nodes) {
    const labels = info.node.metadata.labels ?? {};
    const domain = labels[constraint.topologyKey];
    if (domain === undefined || !keys.every((key) => labels[key] !== undefined) || !eligible(constraint, pod, info)) continue;
    let here = counts.get(domain) ?? 0;
    for (const other of info.pods.values()) if (matches(constraint, other, pod)) here++;
    counts.set(domain, here);
  }
  let min = counts.size === 0 ? 0 : Number.MAX_SAFE_INTEGER;
  for (const n of counts.values()) min = Math.min(min, n);
  if (constraint.minDomains !== undefined && counts.size < constraint.minDomains) min = 0;
  return { constraint, counts, min };
}

/** Integer log2, scaled by 100: keeps `log` out of the world. */
function log2x100(n: number): number {
  let whole = 0;
  let rest = n;
  while (rest >= 2) {
    rest = Math.floor(rest / 2);
    whole++;
  }
  const low = 2 ** whole;
  return whole * 100 + Math.floor(((n - low) * 100) / low);
}

export const podTopologySpread: Plugin = {
  name: 'PodTopologySpread',
  weight: 2,
  preFilter: (state, pod, snapshot) => {
    const hard = constraintsOf(pod, 'DoNotSchedule');
    if (hard.length === 0) return { skip: true };
    const keys = hard.map((constraint) => constraint.topologyKey);
    state.set(
      'spread/hard',
      hard.map((constraint) => count(constraint, pod, snapshot.list(), keys)),
    );
    return undefined;
  },
  filter: (state, pod, { node }) => {
    for (const { constraint, counts, min } of state.get('spread/hard') as readonly Counted[]) {
      const domain = node.metadata.labels?.[constraint.topologyKey];
      if (domain === undefined) return reject('PodTopologySpread', "node(s) didn't match pod topology spread constraints (missing required label)", true);
      const self = matches(constraint, pod, pod) ? 1 : 0;
      if ((counts.get(domain) ?? 0) + self - min > constraint.maxSkew)
        return reject('PodTopologySpread', "node(s) didn't match pod topology spread constraints");
    }
    return undefined;
  },
  preScore: (state: CycleState, pod, snapshot: NodeList, feasible) => {
    const soft = constraintsOf(pod, 'ScheduleAnyway');
    if (soft.length === 0) return { skip: true };
    const own = (pod.spec?.topologySpreadConstraints ?? []).length > 0;
    const keys = own ? soft.map((constraint) => constraint.topologyKey) : [];
    state.set(
      'spread/soft',
      soft.map((constraint) => ({
        ...count(constraint, pod, snapshot.list(), keys),
        domains: new Set(feasible.map((info) => info.node.metadata.labels?.[constraint.topologyKey])).size,
      })),
    );
    return undefined;
  },
  score: (state, _pod, { node }) => {
    let sum = 0;
    for (const { constraint, counts, domains } of state.get('spread/soft') as readonly (Counted & { readonly domains: number })[]) {
      const domain = node.metadata.labels?.[constraint.topologyKey];
      if (domain !== undefined) sum += (counts.get(domain) ?? 0) * log2x100(domains + 2) + (constraint.maxSkew - 1) * 100;
    }
    return sum;
  },
  normalize: (scores) => {
    const max = Math.max(...scores);
    const min = Math.min(...scores);
    return scores.map((score) => (max === 0 ? MAX_NODE_SCORE : Math.floor((MAX_NODE_SCORE * (max + min - score)) / max)));
  },
  hint: (pod, { kind, what, after, before }) => {
    if (kind === 'Node') return true;
    const other = (after ?? before) as DeepReadonly<Pod> | undefined;
    return what !== 'update' || other?.metadata.namespace === pod.metadata.namespace;
  },
};
