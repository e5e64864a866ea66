/**
 * A second scheduler, slow and meant to be obviously right: for every node it asks every question again, walking all pods
 * of the cluster each time, and it shares no code with the first but the reading of quantities. Written from what the
 * documentation and the KEPs say (kube-scheduler configuration, assigning pods to nodes, topology spread constraints,
 * taints and tolerations, pod priority and preemption; KEP-895, 3022, 3094, 3633, 3838) and from upstream's formulas.
 */
import type { DeepReadonly } from '../api/json.ts';
import { milliValue, wholeValue } from '../api/quantity.ts';
import type { Container, Namespace, Node, NodeSelectorTerm, Pod, PodAffinityTerm, PodDisruptionBudget, ReplicaSet, Service, Taint } from '../api/types.gen.ts';

type P = DeepReadonly<Pod>;
type N = DeepReadonly<Node>;
type Labels = Readonly<Record<string, string>>;

/** Everything there is. Pods have spec.nodeName. Nodes are in the order in which they are looked at. */
export interface World {
  readonly nodes: readonly N[];
  readonly pods: readonly P[];
  readonly namespaces: readonly DeepReadonly<Namespace>[];
  readonly services: readonly DeepReadonly<Service>[];
  readonly replicaSets: readonly DeepReadonly<ReplicaSet>[];
  readonly budgets: readonly DeepReadonly<PodDisruptionBudget>[];
}

export interface Verdict {
  readonly plugin: string;
  readonly reasons: readonly string[];
  readonly hopeless: boolean;
}
export interface Answer {
  readonly node: string | undefined;
  readonly message: string;
  readonly verdicts: Readonly<Record<string, Verdict>>;
  /** Plugin → node → [raw, normalized]. */
  readonly scores: Readonly<Record<string, Readonly<Record<string, readonly [number, number]>>>>;
  readonly totals: Readonly<Record<string, number>>;
  readonly preemption: { readonly node: string; readonly victims: readonly string[] } | undefined;
}

const name = (object: { readonly metadata: { readonly name?: string | undefined } }): string => object.metadata.name!;
const labelsOf = (object: { readonly metadata: { readonly labels?: unknown } }): Labels => (object.metadata.labels ?? {}) as Labels;
const priority = (pod: P): number => pod.spec!.priority ?? 0;

// --- selectors --------------------------------------------------------------------------------------------

interface LabelSelector {
  readonly matchLabels?: unknown;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[];
}
function selected(selector: LabelSelector | undefined, labels: Labels): boolean {
  if (selector === undefined) return false;
  for (const [key, value] of Object.entries((selector.matchLabels ?? {}) as Labels)) if (labels[key] !== value) return false;
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    if (operator === 'In' && !(key in labels && values.includes(labels[key]!))) return false;
    if (operator === 'NotIn' && key in labels && values.includes(labels[key]!)) return false;
    if (operator === 'Exists' && !(key in labels)) return false;
    if (operator === 'DoesNotExist' && key in labels) return false;
  }
  return true;
}
const isEmpty = (selector: LabelSelector): boolean =>
  Object.keys((selector.matchLabels ?? {}) as Labels).length + (selector.matchExpressions ?? []).length === 0;

function nodeTermHolds(term: DeepReadonly<NodeSelectorTerm>, node: N): boolean {
  const questions = [
    ...(term.matchExpressions ?? []).map((requirement) => ({ requirement, value: labelsOf(node)[requirement.key!] })),
    ...(term.matchFields ?? []).map((requirement) => ({ requirement, value: requirement.key === 'metadata.name' ? name(node) : undefined })),
  ];
  if (questions.length === 0) return false;
  return questions.every(({ requirement: { operator, values = [] }, value }) => {
    if (operator === 'In') return value !== undefined && values.includes(value);
    if (operator === 'NotIn') return value === undefined || !values.includes(value);
    if (operator === 'Exists') return value !== undefined;
    if (operator === 'DoesNotExist') return value === undefined;
    if (value === undefined || Number.isNaN(Number(value))) return false;
    return operator === 'Gt' ? Number(value) > Number(values[0]) : Number(value) < Number(values[0]);
  });
}
function nodeWanted(pod: P, node: N): boolean {
  for (const [key, value] of Object.entries(pod.spec!.nodeSelector ?? {})) if (labelsOf(node)[key] !== value) return false;
  const required = pod.spec!.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || (required.nodeSelectorTerms ?? []).some((term) => nodeTermHolds(term, node));
}

// --- taints -----------------------------------------------------------------------------------------------

const tolerated = (pod: P, taint: DeepReadonly<Taint>): boolean =>
  (pod.spec!.tolerations ?? []).some(({ key, operator = 'Equal', value = '', effect }) => {
    if (effect && effect !== taint.effect) return false;
    if (!key) return operator === 'Exists';
    return key === taint.key && (operator === 'Exists' || value === (taint.value ?? ''));
  });
const repelling = (pod: P, node: N): DeepReadonly<Taint> | undefined =>
  (node.spec?.taints ?? []).filter(({ effect }) => effect !== 'PreferNoSchedule').find((taint) => !tolerated(pod, taint));

// --- resources --------------------------------------------------------------------------------------------

type Amounts = Record<string, number>;
const amounts = (list: unknown): Amounts =>
  Object.fromEntries(
    Object.entries((list ?? {}) as Record<string, string>)
      .filter(([resource]) => resource !== 'pods')
      .map(([resource, text]) => [resource, resource === 'cpu' ? milliValue(text) : wholeValue(text)]),
  );
const combine = (a: Amounts, b: Amounts, how: (x: number, y: number) => number): Amounts =>
  Object.fromEntries([...new Set([...Object.keys(a), ...Object.keys(b)])].map((resource) => [resource, how(a[resource] ?? 0, b[resource] ?? 0)]));
const plus = (x: number, y: number): number => x + y;

/** The most the pod ever needs at once. `padded`: containers that do not say count as 100m and 200Mi. */
function needs(pod: P, padded: boolean): Amounts {
  const of = (container: DeepReadonly<Container>): Amounts => {
    const asked = amounts(container.resources?.requests);
    return padded ? { cpu: 100, memory: 200 * 1024 * 1024, ...asked } : asked;
  };
  // Moments: while each init container runs, with the sidecars begun before it; and when all is up.
  const moments: Amounts[] = [];
  let sidecars: Amounts = {};
  for (const container of pod.spec!.initContainers ?? []) {
    const moment = combine(sidecars, of(container), plus);
    moments.push(moment);
    if (container.restartPolicy === 'Always') sidecars = moment;
  }
  moments.push(pod.spec!.containers.map(of).reduce((sum, own) => combine(sum, own, plus), sidecars));
  const most = moments.reduce((a, b) => combine(a, b, Math.max), {});
  return combine(most, amounts(pod.spec!.overhead), plus);
}
const here = (world: World, node: N): readonly P[] => world.pods.filter((pod) => pod.spec!.nodeName === name(node));
const used = (world: World, node: N, padded: boolean): Amounts => here(world, node).reduce((sum, pod) => combine(sum, needs(pod, padded), plus), {} as Amounts);
const capacityOf = (node: N): Amounts => amounts(node.status!.allocatable);

// --- ports ------------------------------------------------------------------------------------------------

const ports = (pod: P) =>
  [...pod.spec!.containers, ...(pod.spec!.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')]
    .flatMap((container) => container.ports ?? [])
    .filter(({ hostPort }) => hostPort)
    .map(({ hostPort, protocol = 'TCP', hostIP }) => ({ hostPort, protocol, ip: hostIP || '0.0.0.0' }));

// --- affinity between pods ---------------------------------------------------------------------------------

type Term = DeepReadonly<PodAffinityTerm>;
function speaksOf(world: World, owner: P, term: Term, other: P): boolean {
  const namespace = other.metadata.namespace!;
  const unspecific = (term.namespaces ?? []).length === 0 && term.namespaceSelector === undefined;
  const where =
    (unspecific && namespace === owner.metadata.namespace) ||
    (term.namespaces ?? []).includes(namespace) ||
    (term.namespaceSelector !== undefined &&
      selected(term.namespaceSelector as LabelSelector, labelsOf(world.namespaces.find((each) => name(each) === namespace)!)));
  if (!where || !selected(term.labelSelector as LabelSelector | undefined, labelsOf(other))) return false;
  const mine = labelsOf(owner);
  const theirs = labelsOf(other);
  for (const key of term.matchLabelKeys ?? []) if (key in mine && theirs[key] !== mine[key]) return false;
  for (const key of term.mismatchLabelKeys ?? []) if (key in mine && theirs[key] === mine[key]) return false;
  return true;
}
const required = (pod: P, kind: 'podAffinity' | 'podAntiAffinity'): readonly Term[] =>
  pod.spec!.affinity?.[kind]?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
const preferred = (pod: P, kind: 'podAffinity' | 'podAntiAffinity') => pod.spec!.affinity?.[kind]?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
const nodeOf = (world: World, pod: P): N => world.nodes.find((node) => name(node) === pod.spec!.nodeName)!;
/** Both nodes are in one domain of this key. */
const together = (key: string, a: N, b: N): boolean => key in labelsOf(a) && labelsOf(a)[key] === labelsOf(b)[key];

function company(world: World, pod: P, node: N): Verdict | undefined {
  const say = (reason: string, hopeless = false): Verdict => ({ plugin: 'InterPodAffinity', reasons: [reason], hopeless });
  const terms = required(pod, 'podAffinity');
  if (terms.length > 0) {
    const friends = world.pods.filter((other) => terms.every((term) => speaksOf(world, pod, term, other)));
    const labelled = terms.every(({ topologyKey }) => topologyKey in labelsOf(node));
    const met = terms.every(({ topologyKey }) => friends.some((friend) => together(topologyKey, nodeOf(world, friend), node)));
    const nobody = !friends.some((friend) => terms.some(({ topologyKey }) => topologyKey in labelsOf(nodeOf(world, friend))));
    const pioneer = nobody && terms.every((term) => speaksOf(world, pod, term, pod));
    if (!labelled || !(met || pioneer)) return say("node(s) didn't match pod affinity rules", true);
  }
  for (const term of required(pod, 'podAntiAffinity'))
    if (world.pods.some((other) => speaksOf(world, pod, term, other) && together(term.topologyKey, nodeOf(world, other), node)))
      return say("node(s) didn't match pod anti-affinity rules");
  for (const other of world.pods)
    for (const term of required(other, 'podAntiAffinity'))
      if (speaksOf(world, other, term, pod) && together(term.topologyKey, nodeOf(world, other), node))
        return say("node(s) didn't satisfy existing pods anti-affinity rules");
  return undefined;
}

/** Undefined: nobody has an opinion anywhere. */
function liking(world: World, pod: P): ((node: N) => number) | undefined {
  const opinions: { readonly key: string; readonly at: N; readonly points: number }[] = [];
  const give = (term: Term | undefined, owner: P, of: P, at: N, points: number): void => {
    if (term && term.topologyKey in labelsOf(at) && speaksOf(world, owner, term, of)) opinions.push({ key: term.topologyKey, at, points });
  };
  for (const other of world.pods) {
    const at = nodeOf(world, other);
    for (const { weight, podAffinityTerm } of preferred(pod, 'podAffinity')) give(podAffinityTerm, pod, other, at, weight!);
    for (const { weight, podAffinityTerm } of preferred(pod, 'podAntiAffinity')) give(podAffinityTerm, pod, other, at, -weight!);
    for (const { weight, podAffinityTerm } of preferred(other, 'podAffinity')) give(podAffinityTerm, other, pod, at, weight!);
    for (const { weight, podAffinityTerm } of preferred(other, 'podAntiAffinity')) give(podAffinityTerm, other, pod, at, -weight!);
    for (const term of required(other, 'podAffinity')) give(term, other, pod, at, 1);
  }
  if (opinions.length === 0) return undefined;
  return (node) => opinions.filter(({ key, at }) => together(key, at, node)).reduce((sum, { points }) => sum + points, 0);
}

// --- spreading ---------------------------------------------------------------------------------------------

interface Constraint {
  readonly maxSkew: number;
  readonly topologyKey: string;
  readonly hard: boolean;
  readonly minDomains: number;
  readonly counts: (other: P) => boolean;
  readonly includes: (node: N) => boolean;
}
function constraints(world: World, pod: P): { readonly list: readonly Constraint[]; readonly own: boolean } {
  const given = pod.spec!.topologySpreadConstraints ?? [];
  const alive = (other: P): boolean => other.metadata.namespace === pod.metadata.namespace && other.metadata.deletionTimestamp === undefined;
  if (given.length > 0)
    return {
      own: true,
      list: given.map((each) => ({
        maxSkew: each.maxSkew,
        topologyKey: each.topologyKey,
        hard: each.whenUnsatisfiable === 'DoNotSchedule',
        minDomains: each.minDomains ?? 1,
        counts: (other) =>
          alive(other) &&
          selected(each.labelSelector as LabelSelector | undefined, labelsOf(other)) &&
          (each.matchLabelKeys ?? []).every((key) => !(key in labelsOf(pod)) || labelsOf(other)[key] === labelsOf(pod)[key]),
        includes: (node) =>
          (each.nodeAffinityPolicy === 'Ignore' || nodeWanted(pod, node)) && (each.nodeTaintsPolicy !== 'Honor' || repelling(pod, node) === undefined),
      })),
    };
  const services = world.services.filter(
    ({ metadata, spec }) =>
      metadata.namespace === pod.metadata.namespace && spec?.selector && Object.entries(spec.selector).every(([key, value]) => labelsOf(pod)[key] === value),
  );
  const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller);
  const set = world.replicaSets.find((each) => owner?.kind === 'ReplicaSet' && name(each) === owner.name && each.metadata.namespace === pod.metadata.namespace);
  const nothingAsked =
    services.every(({ spec }) => Object.keys(spec!.selector!).length === 0) && (set === undefined || isEmpty(set.spec!.selector as LabelSelector));
  if (nothingAsked) return { own: false, list: [] };
  const counts = (other: P): boolean =>
    alive(other) &&
    services.every(({ spec }) => Object.entries(spec!.selector!).every(([key, value]) => labelsOf(other)[key] === value)) &&
    (set === undefined || selected(set.spec!.selector as LabelSelector, labelsOf(other)));
  const soft = (topologyKey: string, maxSkew: number): Constraint => ({
    maxSkew,
    topologyKey,
    hard: false,
    minDomains: 1,
    counts,
    includes: (node) => nodeWanted(pod, node),
  });
  return { own: false, list: [soft('kubernetes.io/hostname', 3), soft('topology.kubernetes.io/zone', 5)] };
}
const hasKeys = (node: N, list: readonly Constraint[]): boolean => list.every(({ topologyKey }) => topologyKey in labelsOf(node));
const countIn = (world: World, constraint: Constraint, nodes: readonly N[]): number =>
  nodes.flatMap((node) => here(world, node)).filter(constraint.counts).length;

function spread(world: World, pod: P, node: N): Verdict | undefined {
  const hard = constraints(world, pod).list.filter((each) => each.hard);
  for (const constraint of hard) {
    const { topologyKey: key, maxSkew, minDomains } = constraint;
    if (!(key in labelsOf(node)))
      return { plugin: 'PodTopologySpread', reasons: ["node(s) didn't match pod topology spread constraints (missing required label)"], hopeless: true };
    const counted = world.nodes.filter((each) => hasKeys(each, hard) && constraint.includes(each));
    const domains = [...new Set(counted.map((each) => labelsOf(each)[key]))];
    const inDomain = (value: string | undefined): number =>
      countIn(
        world,
        constraint,
        counted.filter((each) => labelsOf(each)[key] === value),
      );
    const least = domains.length < minDomains || domains.length === 0 ? 0 : Math.min(...domains.map(inDomain));
    const self = constraint.counts({ ...pod, metadata: { ...pod.metadata } }) ? 1 : 0;
    if (inDomain(labelsOf(node)[key]) + self - least > maxSkew)
      return { plugin: 'PodTopologySpread', reasons: ["node(s) didn't match pod topology spread constraints"], hopeless: false };
  }
  return undefined;
}

// --- one decision -----------------------------------------------------------------------------------------

function room(world: World, pod: P, node: N): Verdict | undefined {
  const reasons: string[] = [];
  let hopeless = false;
  if (here(world, node).length + 1 > Number(node.status!.allocatable!['pods'])) reasons.push('Too many pods');
  const capacity = capacityOf(node);
  const taken = used(world, node, false);
  for (const [resource, wanted] of Object.entries(needs(pod, false))) {
    if (wanted === 0 || wanted <= (capacity[resource] ?? 0) - (taken[resource] ?? 0)) continue;
    reasons.push(`Insufficient ${resource}`);
    if (wanted > (capacity[resource] ?? 0)) hopeless = true;
  }
  return reasons.length > 0 ? { plugin: 'NodeResourcesFit', reasons, hopeless } : undefined;
}

export function verdictOn(world: World, pod: P, node: N): Verdict | undefined {
  const say = (plugin: string, reason: string, hopeless: boolean): Verdict => ({ plugin, reasons: [reason], hopeless });
  if (node.spec?.unschedulable && !tolerated(pod, { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }))
    return say('NodeUnschedulable', 'node(s) were unschedulable', true);
  if (pod.spec!.nodeName && pod.spec!.nodeName !== name(node)) return say('NodeName', "node(s) didn't match the requested node name", true);
  const taint = repelling(pod, node);
  if (taint) return say('TaintToleration', `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`, true);
  if (!nodeWanted(pod, node)) return say('NodeAffinity', "node(s) didn't match Pod's node affinity/selector", true);
  const clash = ports(pod).some((mine) =>
    here(world, node)
      .flatMap(ports)
      .some(
        (theirs) =>
          mine.hostPort === theirs.hostPort && mine.protocol === theirs.protocol && (mine.ip === theirs.ip || mine.ip === '0.0.0.0' || theirs.ip === '0.0.0.0'),
      ),
  );
  if (clash) return say('NodePorts', "node(s) didn't have free ports for the requested pod ports", false);
  return room(world, pod, node) ?? spread(world, pod, node) ?? company(world, pod, node);
}

function text(total: number, verdicts: readonly Verdict[], others: string): string {
  const all = [...verdicts.flatMap(({ reasons }) => reasons), ...Array<string>(total - verdicts.length).fill(others)];
  const lines = [...new Set(all)].map((reason) => `${all.filter((other) => other === reason).length} ${reason}`).sort();
  return `0/${total} nodes are available: ${lines.join(', ')}.`;
}

const scaled = (values: readonly number[], reversed: boolean): number[] => {
  const max = Math.max(0, ...values);
  return values.map((value) => (max === 0 ? (reversed ? 100 : 0) : reversed ? 100 - Math.floor((100 * value) / max) : Math.floor((100 * value) / max)));
};

type Opinion = {
  readonly plugin: string;
  readonly weight: number;
  readonly raw: (node: N) => number;
  readonly scale?: (raw: readonly number[], nodes: readonly N[]) => readonly number[];
};

function opinions(world: World, pod: P, feasible: readonly N[]): Opinion[] {
  const list: Opinion[] = [];
  list.push({
    plugin: 'TaintToleration',
    weight: 3,
    raw: (node) => (node.spec?.taints ?? []).filter((taint) => taint.effect === 'PreferNoSchedule' && !tolerated(pod, taint)).length,
    scale: (raw) => scaled(raw, true),
  });
  const wishes = pod.spec!.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  if (wishes.length > 0)
    list.push({
      plugin: 'NodeAffinity',
      weight: 2,
      raw: (node) => wishes.filter(({ preference }) => nodeTermHolds(preference!, node)).reduce((sum, { weight }) => sum + weight!, 0),
      scale: (raw) => scaled(raw, false),
    });
  list.push({
    plugin: 'NodeResourcesFit',
    weight: 1,
    raw: (node) => {
      const capacity = capacityOf(node);
      const after = combine(used(world, node, true), needs(pod, true), plus);
      const shares = ['cpu', 'memory']
        .filter((resource) => (capacity[resource] ?? 0) > 0)
        .map((resource) => Math.max(0, Math.floor(((capacity[resource]! - after[resource]!) * 100) / capacity[resource]!)));
      return shares.length === 0 ? 0 : Math.floor(shares.reduce(plus, 0) / shares.length);
    },
  });
  const { list: all, own } = constraints(world, pod);
  const soft = all.filter(({ hard }) => !hard);
  if (soft.length > 0) {
    const out = (node: N): boolean => own && !hasKeys(node, soft);
    const inside = feasible.filter((node) => !out(node));
    list.push({
      plugin: 'PodTopologySpread',
      weight: 2,
      raw: (node) => {
        if (out(node)) return 0;
        let sum = 0;
        for (const constraint of soft) {
          const { topologyKey: key, maxSkew } = constraint;
          if (!(key in labelsOf(node))) continue;
          const isHost = key === 'kubernetes.io/hostname';
          const domains = isHost ? inside.length : new Set(inside.map((each) => labelsOf(each)[key] ?? '')).size;
          const there = isHost ? [node] : world.nodes.filter((each) => together(key, each, node) && constraint.includes(each) && (!own || hasKeys(each, soft)));
          sum += countIn(world, constraint, there) * Math.log(domains + 2) + (maxSkew - 1);
        }
        return Math.round(sum);
      },
      scale: (raw, nodes) => {
        const counted = raw.filter((_, i) => !out(nodes[i]!));
        const [min, max] = [Math.min(...counted), Math.max(0, ...counted)];
        return raw.map((value, i) => (out(nodes[i]!) ? 0 : max === 0 ? 100 : Math.floor((100 * (max + min - value)) / max)));
      },
    });
  }
  const like = liking(world, pod);
  if (like)
    list.push({
      plugin: 'InterPodAffinity',
      weight: 2,
      raw: like,
      scale: (raw) => {
        const [min, max] = [Math.min(...raw), Math.max(...raw)];
        return raw.map((value) => (max === min ? 0 : Math.trunc(100 * ((value - min) / (max - min)))));
      },
    });
  const asked = needs(pod, false);
  if ((asked['cpu'] ?? 0) + (asked['memory'] ?? 0) > 0)
    list.push({
      plugin: 'NodeResourcesBalancedAllocation',
      weight: 1,
      raw: (node) => {
        const capacity = capacityOf(node);
        const after = combine(used(world, node, false), asked, plus);
        const shares = ['cpu', 'memory']
          .filter((resource) => (capacity[resource] ?? 0) > 0)
          .map((resource) => Math.min(1, (after[resource] ?? 0) / capacity[resource]!));
        return shares.length < 2 ? 100 : Math.trunc((1 - Math.abs((shares[0]! - shares[1]!) / 2)) * 100);
      },
    });
  const MB = 1024 * 1024;
  const images = [...(pod.spec!.initContainers ?? []), ...pod.spec!.containers].map(({ image = '' }) => (/:[^/]*$/.test(image) ? image : `${image}:latest`));
  const sizeOn = (node: N, image: string): number => (node.status!.images ?? []).findLast(({ names }) => names?.includes(image))?.sizeBytes ?? 0;
  list.push({
    plugin: 'ImageLocality',
    weight: 1,
    raw: (node) => {
      const sum = images
        .map((image) => Math.floor(sizeOn(node, image) * (world.nodes.filter((each) => sizeOn(each, image) > 0).length / world.nodes.length)))
        .reduce(plus, 0);
      const top = 1000 * MB * images.length;
      return Math.floor((100 * (Math.min(Math.max(sum, 23 * MB), top) - 23 * MB)) / (top - 23 * MB));
    },
  });
  return list;
}

/** The nodes that matchFields names, if every term names some. */
function named(pod: P): readonly string[] | undefined {
  const terms = pod.spec!.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (terms.length === 0 || !terms.every(({ matchFields = [] }) => matchFields.some(({ key, operator }) => key === 'metadata.name' && operator === 'In')))
    return undefined;
  return terms.flatMap(({ matchFields = [] }) => matchFields.filter(({ operator }) => operator === 'In').flatMap(({ values = [] }) => values));
}

export function decide(world: World, pod: P): Answer {
  const only = named(pod);
  const looked = world.nodes.filter((node) => only === undefined || only.includes(name(node)));
  const verdicts: Record<string, Verdict> = {};
  for (const node of looked) {
    const verdict = verdictOn(world, pod, node);
    if (verdict) verdicts[name(node)] = verdict;
  }
  const feasible = looked.filter((node) => !verdicts[name(node)]);
  if (feasible.length === 0) {
    const { found, message } = preempt(world, pod, looked, verdicts);
    return {
      node: undefined,
      verdicts,
      scores: {},
      totals: {},
      message: `${text(world.nodes.length, Object.values(verdicts), "node(s) didn't satisfy plugin(s) [NodeAffinity]")}${found ? '' : ` preemption: ${message}`}`,
      preemption: found,
    };
  }
  const scores: Record<string, Record<string, readonly [number, number]>> = {};
  const totals: Record<string, number> = Object.fromEntries(feasible.map((node) => [name(node), 0]));
  if (feasible.length > 1)
    for (const { plugin, weight, raw, scale } of opinions(world, pod, feasible)) {
      const values = feasible.map(raw);
      const points = scale ? scale(values, feasible) : values;
      scores[plugin] = Object.fromEntries(feasible.map((node, i) => [name(node), [values[i]!, points[i]!] as const]));
      feasible.forEach((node, i) => {
        totals[name(node)]! += points[i]! * weight;
      });
    }
  const best = Math.max(...Object.values(totals));
  return {
    node: name(feasible.find((node) => totals[name(node)] === best)!),
    message: '',
    verdicts,
    scores,
    totals: feasible.length > 1 ? totals : {},
    preemption: undefined,
  };
}

// --- preemption ---------------------------------------------------------------------------------------------

const start = (pod: P): string => pod.status?.startTime ?? '9';
const important = (a: P, b: P): number => priority(b) - priority(a) || (start(a) < start(b) ? -1 : start(a) > start(b) ? 1 : 0);

function preempt(
  world: World,
  pod: P,
  looked: readonly N[],
  verdicts: Readonly<Record<string, Verdict>>,
): { readonly found?: { readonly node: string; readonly victims: readonly string[] }; readonly message: string } {
  if (pod.spec!.preemptionPolicy === 'Never') return { message: 'not eligible due to preemptionPolicy=Never.' };
  const excuses: Verdict[] = [];
  const options: { readonly node: string; readonly victims: readonly P[]; readonly broken: number }[] = [];
  for (const node of looked) {
    if (verdicts[name(node)]!.hopeless) continue;
    const lesser = here(world, node)
      .filter((other) => priority(other) < priority(pod))
      .sort(important);
    if (lesser.length === 0) {
      excuses.push({ plugin: 'DefaultPreemption', reasons: ['No preemption victims found for incoming pod'], hopeless: true });
      continue;
    }
    const without = (gone: readonly P[]): World => ({ ...world, pods: world.pods.filter((other) => !gone.includes(other)) });
    const still = verdictOn(without(lesser), pod, node);
    if (still) {
      excuses.push(still);
      continue;
    }
    const left = new Map(world.budgets.map((budget) => [budget, budget.status?.disruptionsAllowed ?? 0]));
    const protectedPods = lesser.filter((other) => {
      const mine = world.budgets.filter(
        ({ metadata, spec }) =>
          metadata.namespace === other.metadata.namespace &&
          spec?.selector &&
          !isEmpty(spec.selector as LabelSelector) &&
          Object.keys(labelsOf(other)).length > 0 &&
          selected(spec.selector as LabelSelector, labelsOf(other)),
      );
      for (const budget of mine) left.set(budget, left.get(budget)! - 1);
      return mine.some((budget) => left.get(budget)! < 0);
    });
    let gone = lesser;
    for (const other of [...protectedPods, ...lesser.filter((each) => !protectedPods.includes(each))]) {
      const kept = gone.filter((each) => each !== other);
      if (verdictOn(without(kept), pod, node) === undefined) gone = kept;
    }
    options.push({ node: name(node), victims: gone, broken: gone.filter((each) => protectedPods.includes(each)).length });
  }
  const top = (victims: readonly P[]): number => Math.max(...victims.map(priority));
  const eldest = (victims: readonly P[]): string =>
    victims
      .filter((each) => priority(each) === top(victims))
      .map(start)
      .sort()[0]!;
  // Nodes where no budget would be broken come first, each group in the nodes' order; then a stable sort by what hurts.
  const [best] = [...options.filter(({ broken }) => broken === 0), ...options.filter(({ broken }) => broken > 0)].sort(
    (a, b) =>
      a.broken - b.broken ||
      top(a.victims) - top(b.victims) ||
      a.victims.reduce((sum, each) => sum + priority(each) + 2 ** 31, 0) - b.victims.reduce((sum, each) => sum + priority(each) + 2 ** 31, 0) ||
      a.victims.length - b.victims.length ||
      (eldest(a.victims) > eldest(b.victims) ? -1 : eldest(a.victims) < eldest(b.victims) ? 1 : 0),
  );
  if (best) return { found: { node: best.node, victims: best.victims.map(name).sort() }, message: '' };
  return { message: text(world.nodes.length, excuses, 'Preemption is not helpful for scheduling') };
}
