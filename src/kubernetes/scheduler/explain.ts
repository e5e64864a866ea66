/**
 * Why a pod is pending, and what would help: asked of a snapshot, beside the scheduler and without a trace in the world.
 * A fix is offered only after it was tried: {@link tryFix} decides on the changed cluster with the same plugins.
 */
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import { fromMilli, fromWhole } from '../api/quantity.ts';
import type { Node, Pod, Toleration } from '../api/types.gen.ts';
import { type AttemptRecord, reasonsOf, recordOf } from './attempts.ts';
import type { PostFilterResult } from './framework.ts';
import { untolerated } from './plugins/taint-toleration.ts';
import { defaultProfile, type Profile } from './profile.ts';
import { amountOf, demandOf, fromList } from './resources.ts';
import { type Decision, postFilter, schedule, wholeMessage } from './schedule.ts';
import type { NodeInfo, Snapshot } from './snapshot.ts';

type P = DeepReadonly<Pod>;
type N = DeepReadonly<Node>;

/** Something a person could do about it. All of them are what one kubectl command does. */
export type Change =
  /** The pod's own spec, as it would be if it were made anew. */
  | { readonly kind: 'pod'; readonly what: string; readonly pod: P }
  /** A node's labels, taints, cordon or size. */
  | { readonly kind: 'node'; readonly what: string; readonly node: N }
  | { readonly kind: 'add-node'; readonly what: string; readonly node: N }
  | { readonly kind: 'delete-pod'; readonly what: string; readonly pod: P };

export interface Trial {
  /** Where the pod would go; undefined: still nowhere, as `message` says. */
  readonly node: string | undefined;
  readonly message: string;
}

export interface ShortOf {
  readonly resource: string;
  /** As quantities: what the pod needs, and the most that any node has free. */
  readonly need: string;
  readonly maxFree: string;
  readonly maxFreeNode: string;
}

export interface Explanation {
  /** Undefined: it is not pending for want of a node; it would go there. */
  readonly node: string | undefined;
  /** Held by its gates; not tried at all. */
  readonly gate: string | undefined;
  /** The event's text, PostFilter's included. */
  readonly message: string;
  /** Reason and number of nodes, the commonest first. */
  readonly reasons: readonly string[];
  readonly record: AttemptRecord;
  readonly shortOf: readonly ShortOf[];
  /** Changes that were tried, with the node the pod would then go to; those of the pod itself first. */
  readonly fixes: readonly { readonly change: Change; readonly node: string }[];
  readonly remedy: PostFilterResult;
}

const decide = (profile: Profile, snapshot: Snapshot, pod: P): Decision => schedule({ ...profile, percentageOfNodesToScore: 100 }, pod, snapshot, {});

/** Looks at every node, whatever percentageOfNodesToScore says. `snapshot` is left as it is. */
export function explainPending(snapshot: Snapshot, pod: P, profile: Profile = defaultProfile): Explanation {
  let gate: string | undefined;
  for (const plugin of profile.preEnqueue) gate ??= plugin.preEnqueue!(pod)?.reasons.join(', ');
  const decision = decide(profile, snapshot, pod);
  const remedy = postFilter(profile, pod, snapshot, decision);
  const pending = decision.node === undefined || gate !== undefined;
  return {
    node: decision.node,
    gate,
    message: wholeMessage(decision, remedy),
    reasons: [...reasonsOf(decision)].sort((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10)),
    record: recordOf(decision),
    shortOf: decision.node === undefined ? shortages(snapshot, pod) : [],
    fixes: pending
      ? suggestions(snapshot, pod, decision, gate).flatMap((change) => {
          const { node } = tryFix(snapshot, pod, change, profile);
          return node === undefined ? [] : [{ change, node }];
        })
      : [],
    remedy,
  };
}

/** Makes the change on a copy of the cluster and decides again. */
export function tryFix(snapshot: Snapshot, pod: P, change: Change, profile: Profile = defaultProfile): Trial {
  if (change.kind === 'pod') {
    for (const plugin of profile.preEnqueue) {
      const held = plugin.preEnqueue!(change.pod);
      if (held) return { node: undefined, message: held.reasons.join(', ') };
    }
    const { node, message } = decide(profile, snapshot, change.pod);
    return { node, message };
  }
  const changed = snapshot.clone();
  if (change.kind === 'delete-pod') changed.removePod(change.pod, change.pod.spec?.nodeName ?? '');
  else changed.setNode(change.node);
  const { node, message } = decide(profile, changed, pod);
  return { node, message };
}

const asQuantity = (resource: string, amount: number): string =>
  resource === 'cpu' ? fromMilli(amount) : fromWhole(amount, resource === 'memory' || resource === 'ephemeral-storage' ? 'BinarySI' : 'DecimalSI');

/** Resources of which no node has enough left. */
function shortages(snapshot: Snapshot, pod: P): ShortOf[] {
  const { requests } = demandOf(pod);
  return ['cpu', 'memory', 'ephemeral-storage', ...requests.scalar.keys()].flatMap((resource) => {
    const need = amountOf(requests, resource);
    if (need === 0) return [];
    let most: NodeInfo | undefined;
    let free = -1;
    for (const info of snapshot.list()) {
      const left = amountOf(info.allocatable, resource) - amountOf(info.requested, resource);
      if (left > free) [most, free] = [info, left];
    }
    if (!most || free >= need) return [];
    return [{ resource, need: asQuantity(resource, need), maxFree: asQuantity(resource, Math.max(0, free)), maxFreeNode: most.name }];
  });
}

/** What is worth trying, from the verdicts; at most a handful of each kind. */
function suggestions(snapshot: Snapshot, pod: P, decision: Decision, gate: string | undefined): Change[] {
  const changes: Change[] = [];
  const anew = (what: string, spec: Partial<NonNullable<P['spec']>>): void =>
    void changes.push({ kind: 'pod', what, pod: { ...pod, spec: { ...pod.spec!, ...spec } } });
  if (gate !== undefined) anew('remove its scheduling gates', { schedulingGates: [] });
  const seen = new Set<string>();
  const plugins = new Set<string>();
  for (const [name, { plugin }] of decision.rejections) {
    plugins.add(plugin);
    const { node } = snapshot.get(name)!;
    if (plugin === 'NodeUnschedulable' && seen.size < 8) {
      seen.add(name);
      const { unschedulable: _, ...spec } = node.spec ?? {};
      const taints = (spec.taints ?? []).filter(({ key }) => key !== 'node.kubernetes.io/unschedulable');
      changes.push({ kind: 'node', what: `uncordon ${name}`, node: { ...node, spec: { ...spec, taints } } });
    }
    if (plugin === 'TaintToleration') {
      const taint = untolerated(pod, node)!;
      const id = `${taint.key}=${taint.value ?? ''}:${taint.effect}`;
      if (seen.has(id)) continue;
      seen.add(id);
      const toleration: DeepReadonly<Toleration> = taint.value
        ? { key: taint.key, operator: 'Equal', value: taint.value, effect: taint.effect }
        : { key: taint.key, operator: 'Exists', effect: taint.effect };
      anew(`tolerate the taint ${id}`, { tolerations: [...(pod.spec?.tolerations ?? []), toleration] });
      changes.push({
        kind: 'node',
        what: `remove the taint ${id} from ${name}`,
        node: { ...node, spec: { ...node.spec, taints: (node.spec?.taints ?? []).filter((other) => other !== taint) } },
      });
    }
    if (plugin === 'NodeAffinity' && pod.spec?.nodeSelector && seen.size < 8) {
      seen.add(`label ${name}`);
      const { nodeSelector } = pod.spec;
      changes.push({
        kind: 'node',
        what: `label ${name} with ${pairs(nodeSelector)}`,
        node: { ...node, metadata: { ...node.metadata, labels: { ...node.metadata.labels, ...nodeSelector } } },
      });
    }
  }
  if (decision.rest) plugins.add(decision.rest.plugin);
  if (plugins.has('NodeResourcesFit')) {
    const smaller = withinReach(snapshot, pod, decision);
    if (smaller) changes.push(smaller);
    for (const victim of inTheWay(snapshot, pod, decision))
      changes.push({ kind: 'delete-pod', what: `delete pod ${keyOf(victim)} from ${victim.spec!.nodeName}`, pod: victim });
  }
  if (plugins.has('NodeAffinity')) {
    if (pod.spec?.nodeSelector) anew('drop its nodeSelector', { nodeSelector: {} });
    const affinity = pod.spec?.affinity;
    if (affinity?.nodeAffinity) {
      const { requiredDuringSchedulingIgnoredDuringExecution: _, ...nodeAffinity } = affinity.nodeAffinity;
      anew('drop its required node affinity', { affinity: { ...affinity, nodeAffinity } });
    }
  }
  if (plugins.has('InterPodAffinity') && pod.spec?.affinity) {
    const { affinity } = pod.spec;
    if (affinity.podAntiAffinity)
      anew('prefer, rather than require, to be apart', { affinity: { ...affinity, podAntiAffinity: softened(affinity.podAntiAffinity) } });
    if (affinity.podAffinity) anew('prefer, rather than require, company', { affinity: { ...affinity, podAffinity: softened(affinity.podAffinity) } });
  }
  if (plugins.has('PodTopologySpread'))
    anew('spread as well as it can (ScheduleAnyway)', {
      topologySpreadConstraints: (pod.spec?.topologySpreadConstraints ?? []).map((constraint) => ({ ...constraint, whenUnsatisfiable: 'ScheduleAnyway' })),
    });
  const model = decision.total > 0 ? snapshot.list().find(({ node }) => untolerated(pod, node) === undefined && !node.spec?.unschedulable) : undefined;
  if (model) {
    const name = `${model.name}-new`;
    changes.push({
      kind: 'add-node',
      what: `add a node like ${model.name}`,
      node: { ...model.node, metadata: { ...model.node.metadata, name, labels: { ...model.node.metadata.labels, 'kubernetes.io/hostname': name } } },
    });
  }
  return changes;
}

const pairs = (labels: DeepReadonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');

type Inter = DeepReadonly<NonNullable<NonNullable<NonNullable<Pod['spec']>['affinity']>['podAffinity']>>;
const softened = ({
  requiredDuringSchedulingIgnoredDuringExecution: required = [],
  preferredDuringSchedulingIgnoredDuringExecution: preferred = [],
}: Inter): Inter => ({
  preferredDuringSchedulingIgnoredDuringExecution: [...preferred, ...required.map((podAffinityTerm) => ({ weight: 100, podAffinityTerm }))],
});

/** The same pod asking for what the roomiest node that only lacks room has free; for a pod of one container. */
function withinReach(snapshot: Snapshot, pod: P, { rejections }: Decision): Change | undefined {
  const [container] = pod.spec?.containers ?? [];
  if (!container || pod.spec!.containers.length > 1) return undefined;
  let best: NodeInfo | undefined;
  for (const [name, { plugin }] of rejections) {
    const info = snapshot.get(name)!;
    if (
      plugin === 'NodeResourcesFit' &&
      info.pods.size < info.allowedPods &&
      (!best || info.allocatable.cpu - info.requested.cpu > best.allocatable.cpu - best.requested.cpu)
    )
      best = info;
  }
  if (!best) return undefined;
  const requests: Record<string, string> = { ...(container.resources?.requests as Record<string, string> | undefined) };
  const wanted = fromList(requests);
  const reduced: string[] = [];
  for (const resource of Object.keys(requests)) {
    const free = amountOf(best.allocatable, resource) - amountOf(best.requested, resource);
    if (amountOf(wanted, resource) <= free) continue;
    requests[resource] = asQuantity(resource, Math.max(0, free));
    reduced.push(`${resource} ${requests[resource]}`);
  }
  return {
    kind: 'pod',
    what: `ask for no more than ${best.name} has free: ${reduced.join(', ')}`,
    pod: { ...pod, spec: { ...pod.spec!, containers: [{ ...container, resources: { ...container.resources, requests } }] } },
  };
}

/** On the nodes that only lack room, the pod each whose going would free most. */
function inTheWay(snapshot: Snapshot, pod: P, { rejections }: Decision): readonly P[] {
  const found: P[] = [];
  for (const [name, { plugin }] of rejections) {
    if (plugin !== 'NodeResourcesFit' || found.length >= 3) continue;
    const wanted = demandOf(pod).requests;
    const helpful = [...snapshot.get(name)!.pods.values()].filter(
      (other) => demandOf(other).requests.cpu > 0 || demandOf(other).requests.memory > 0 || wanted.scalar.size > 0,
    );
    helpful.sort((a, b) => (a.spec?.priority ?? 0) - (b.spec?.priority ?? 0) || demandOf(b).requests.cpu - demandOf(a).requests.cpu);
    found.push(...helpful.slice(0, 1));
  }
  return found;
}
