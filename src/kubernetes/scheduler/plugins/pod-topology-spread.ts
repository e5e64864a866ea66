/**
 * PodTopologySpread: no topology domain may have more than maxSkew matching pods above the emptiest (DoNotSchedule
 * filters, ScheduleAnyway scores). A pod without constraints that a Service or a workload selects gets the default
 * ones: hostname and zone, ScheduleAnyway (`podtopologyspread/filtering.go`, `scoring.go`, `common.go`, `plugin.go`).
 */
import type { DeepReadonly } from '../../api/json.ts';
import { NOTHING, type Selector, selectorOf } from '../../api/selector.ts';
import type { Kind, Node, Pod, TopologySpreadConstraint } from '../../api/types.gen.ts';
import { ConfigError, type CycleState, MAX_NODE_SCORE, type Objects, type Plugin, type PluginFactory, reject } from '../framework.ts';
import { lnNano, NANO } from '../logarithm.ts';
import type { NodeInfo, NodeList } from '../snapshot.ts';
import { bump, type Domains, type Tally } from '../tally.ts';
import { matchesRequired } from './node-affinity.ts';
import { untolerated } from './taint-toleration.ts';

type P = DeepReadonly<Pod>;
type Labels = Readonly<Record<string, string | undefined>> | undefined;
const NAME = 'PodTopologySpread';
const SCORES = `${NAME}/scores`;
const HOSTNAME = 'kubernetes.io/hostname';
const MISSING_LABEL = reject(NAME, "node(s) didn't match pod topology spread constraints (missing required label)", true);
const TOO_SKEWED = reject(NAME, "node(s) didn't match pod topology spread constraints");

/** A constraint as the pod means it. */
interface Constraint {
  readonly maxSkew: number;
  readonly topologyKey: string;
  readonly minDomains: number;
  readonly honorAffinity: boolean;
  readonly honorTaints: boolean;
  readonly matches: (labels: Labels) => boolean;
  /** Equal for constraints that count the same pods. */
  readonly counts: string;
}
type Action = 'DoNotSchedule' | 'ScheduleAnyway';
type Given = DeepReadonly<TopologySpreadConstraint>;

function constraintOf(given: Given, pod: P, selector?: { readonly matches: (labels: Labels) => boolean; readonly id: string }): Constraint {
  const own = selectorOf(given.labelSelector);
  const same = (given.matchLabelKeys ?? []).flatMap((key) => (pod.metadata.labels?.[key] === undefined ? [] : [[key, pod.metadata.labels[key]!] as const]));
  const matches = selector?.matches ?? ((labels: Labels) => own.matches(labels) && same.every(([key, value]) => labels?.[key] === value));
  return {
    maxSkew: given.maxSkew,
    topologyKey: given.topologyKey,
    minDomains: given.minDomains ?? 1,
    honorAffinity: (given.nodeAffinityPolicy ?? 'Honor') === 'Honor',
    honorTaints: given.nodeTaintsPolicy === 'Honor',
    matches,
    counts: `spread|${pod.metadata.namespace}|${selector?.id ?? JSON.stringify([given.labelSelector ?? null, same])}`,
  };
}

/** What Services and the pod's workload select it by, together (`helper.DefaultSelector`); undefined: nobody does. */
function defaultSelector(pod: P, objects: Objects): { readonly matches: (labels: Labels) => boolean; readonly id: string } | undefined {
  const namespace = pod.metadata.namespace ?? '';
  const wanted: Record<string, string> = {};
  for (const { spec } of objects.list('Service', namespace)) {
    const selector = spec?.selector;
    if (!selector || !Object.entries(selector).every(([key, value]) => pod.metadata.labels?.[key] === value)) continue;
    Object.assign(wanted, selector);
  }
  let workload: Selector | undefined;
  let workloadId: unknown;
  const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller);
  if (owner) {
    const key = `${namespace}/${owner.name}`;
    const id = `${owner.apiVersion}/${owner.kind}`;
    if (id === 'v1/ReplicationController') Object.assign(wanted, objects.get('ReplicationController', key)?.spec?.selector);
    else if (id === 'apps/v1/ReplicaSet' || id === 'apps/v1/StatefulSet') {
      const spec = id === 'apps/v1/ReplicaSet' ? objects.get('ReplicaSet', key)?.spec : objects.get('StatefulSet', key)?.spec;
      if (spec?.selector) {
        workload = selectorOf(spec.selector);
        workloadId = spec.selector;
      }
    }
  }
  const pairs = Object.entries(wanted).sort(([a], [b]) => (a < b ? -1 : 1));
  if (pairs.length === 0 && (!workload || workload.empty || workload === NOTHING)) return undefined;
  return {
    id: JSON.stringify([pairs, workloadId ?? null]),
    matches: (labels) => {
      for (const [key, value] of pairs) if (labels?.[key] !== value) return false;
      return !workload || workload.matches(labels);
    },
  };
}

/** By which other kinds the default constraints know a pod's company. */
function selectingKinds(pod: P): readonly Kind[] {
  const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller)?.kind;
  return owner === 'ReplicaSet' || owner === 'StatefulSet' || owner === 'ReplicationController' ? ['Service', owner] : ['Service'];
}

const hasAllKeys = (labels: Labels, constraints: readonly Constraint[]): boolean => {
  for (const { topologyKey } of constraints) if (labels?.[topologyKey] === undefined) return false;
  return true;
};

/** Whether a node's pods and its domain count (`matchNodeInclusionPolicies`). */
const included = (constraint: Constraint, pod: P, node: DeepReadonly<Node>): boolean =>
  (!constraint.honorAffinity || matchesRequired(pod, node)) && (!constraint.honorTaints || untolerated(pod, node) === undefined);

/** The nodes that count for a constraint; undefined when all do. */
interface Eligible {
  readonly nodes: ReadonlySet<NodeInfo> | undefined;
  /** Values of the topology key among them. */
  readonly values: ReadonlySet<string>;
}

function eligibleNodes(constraint: Constraint, pod: P, nodes: NodeList, keys: readonly Constraint[]): Eligible {
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const id = JSON.stringify([
    'spread',
    constraint.topologyKey,
    keys.map(({ topologyKey }) => topologyKey),
    constraint.honorAffinity ? [pod.spec?.nodeSelector ?? null, required ?? null] : null,
    constraint.honorTaints ? (pod.spec?.tolerations ?? []) : null,
  ]);
  return nodes.derived(id, () => {
    const counted = new Set<NodeInfo>();
    const values = new Set<string>();
    for (const info of nodes.list()) {
      const { labels } = info;
      if (!hasAllKeys(labels, keys) || !included(constraint, pod, info.node)) continue;
      counted.add(info);
      const value = labels?.[constraint.topologyKey];
      if (value !== undefined) values.add(value);
    }
    return { nodes: counted.size === nodes.list().length ? undefined : counted, values };
  });
}

const tallyOf = (constraint: Constraint, pod: P, nodes: NodeList): Tally => {
  const namespace = pod.metadata.namespace;
  // Pods on their way out do not count.
  return nodes.tally(
    constraint.counts,
    (other) => other.metadata.namespace === namespace && !other.metadata.deletionTimestamp && constraint.matches(other.metadata.labels),
  );
};

function domainsOf(constraint: Constraint, tally: Tally, eligible: Eligible): Domains {
  if (!eligible.nodes) return tally.domains(constraint.topologyKey);
  const domains = new Map<string, number>();
  for (const [info, n] of tally.perNode) if (eligible.nodes.has(info)) bump(domains, info.labels?.[constraint.topologyKey], n);
  return domains;
}

/** One hard constraint's counts, and how a trial differs from them. */
class Counted {
  private changes: Map<string, number> | undefined;
  private known: number | undefined;
  constructor(
    readonly constraint: Constraint,
    private readonly domains: Domains,
    private readonly values: ReadonlySet<string>,
    readonly self: number,
  ) {}
  at(value: string): number {
    return (this.domains.get(value) ?? 0) + (this.changes?.get(value) ?? 0);
  }
  /** Matching pods of the emptiest domain; 0 while there are fewer domains than minDomains. */
  get min(): number {
    if (this.known === undefined) {
      if (this.values.size < this.constraint.minDomains) this.known = 0;
      else if (!this.changes && this.values.size > this.domains.size) this.known = 0;
      else {
        let min = Number.MAX_SAFE_INTEGER;
        for (const value of this.values) min = Math.min(min, this.at(value));
        this.known = min === Number.MAX_SAFE_INTEGER ? 0 : min;
      }
    }
    return this.known;
  }
  change(value: string, by: number): void {
    this.changes ??= new Map();
    bump(this.changes, value, by);
    this.known = undefined;
  }
  clone(): Counted {
    const copy = new Counted(this.constraint, this.domains, this.values, this.self);
    if (this.changes) copy.changes = new Map(this.changes);
    return copy;
  }
}
class Hard {
  constructor(readonly list: readonly Counted[]) {}
  clone(): Hard {
    return new Hard(this.list.map((counted) => counted.clone()));
  }
  change(pod: P, other: P, info: NodeInfo, by: number): void {
    if (other.metadata.namespace !== pod.metadata.namespace || other.metadata.deletionTimestamp) return;
    const { labels } = info;
    if (
      !hasAllKeys(
        labels,
        this.list.map(({ constraint }) => constraint),
      )
    )
      return;
    for (const counted of this.list)
      if (counted.constraint.matches(other.metadata.labels) && included(counted.constraint, pod, info.node))
        counted.change(labels![counted.constraint.topologyKey]!, by);
  }
}

/** One soft constraint as scoring reads it. */
interface Soft {
  readonly key: string;
  readonly maxSkew: number;
  /** By domain; undefined for the hostname, where each node counts its own. */
  readonly domains: Domains | undefined;
  readonly perNode: ReadonlyMap<NodeInfo, number>;
  /** ln(number of domains + 2), in billionths: the more domains, the more a pod weighs. */
  readonly weight: number;
}
interface Scoring {
  readonly soft: readonly Soft[];
  readonly ignored: ReadonlySet<NodeInfo>;
}

const SYSTEM_DEFAULTS: readonly Given[] = [
  { maxSkew: 3, topologyKey: HOSTNAME, whenUnsatisfiable: 'ScheduleAnyway' },
  { maxSkew: 5, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
];

/** `defaultingType` and `defaultConstraints` (`ValidatePodTopologySpreadArgs`). */
function defaultsOf(args: DeepReadonly<Record<string, unknown>> | undefined): { readonly constraints: readonly Given[]; readonly system: boolean } {
  const list = (args?.['defaultConstraints'] as readonly Given[] | undefined) ?? [];
  const type = (args?.['defaultingType'] as string | undefined) ?? 'System';
  if (type !== 'System' && type !== 'List')
    throw new ConfigError(`defaultingType: Unsupported value: ${JSON.stringify(type)}: supported values: "System", "List"`);
  if (type === 'System') {
    if (list.length > 0) throw new ConfigError(`defaultingType: Invalid value: "System": when .defaultConstraints are not empty`);
    return { constraints: SYSTEM_DEFAULTS, system: true };
  }
  list.forEach((constraint, i) => {
    if (!(constraint.maxSkew > 0)) throw new ConfigError(`defaultConstraints[${i}].maxSkew: Invalid value: ${constraint.maxSkew}: not in valid range (0, inf)`);
    if (!constraint.topologyKey) throw new ConfigError(`defaultConstraints[${i}].topologyKey: Required value: can not be empty`);
    if (constraint.labelSelector)
      throw new ConfigError(`defaultConstraints[${i}].labelSelector: Forbidden: constraint must not define a selector, as they deduced for each pod`);
  });
  return { constraints: list, system: false };
}

/** Args: `defaultConstraints`, `defaultingType`. */
export const podTopologySpread: PluginFactory = (args) => {
  const defaults = defaultsOf(args);
  const constraintsOf = (pod: P, action: Action, objects: Objects): readonly Constraint[] => {
    const own = pod.spec?.topologySpreadConstraints;
    if (own && own.length > 0) return own.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action).map((given) => constraintOf(given, pod));
    const given = defaults.constraints.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action);
    if (given.length === 0) return [];
    const selector = defaultSelector(pod, objects);
    return selector ? given.map((constraint) => constraintOf(constraint, pod, selector)) : [];
  };
  const plugin: Plugin = {
    name: NAME,
    needs: (pod) => ((pod.spec?.topologySpreadConstraints ?? []).length > 0 || defaults.constraints.length === 0 ? [] : selectingKinds(pod)),
    preFilter: (state, pod, nodes) => {
      const hard = constraintsOf(pod, 'DoNotSchedule', nodes.objects);
      if (hard.length === 0) return { skip: true };
      state.set(
        NAME,
        new Hard(
          hard.map((constraint) => {
            const eligible = eligibleNodes(constraint, pod, nodes, hard);
            return new Counted(
              constraint,
              domainsOf(constraint, tallyOf(constraint, pod, nodes), eligible),
              eligible.values,
              constraint.matches(pod.metadata.labels) ? 1 : 0,
            );
          }),
        ),
      );
      return undefined;
    },
    addPod: (state, pod, other, info) => (state.get(NAME) as Hard | undefined)?.change(pod, other, info, 1),
    removePod: (state, pod, other, info) => (state.get(NAME) as Hard | undefined)?.change(pod, other, info, -1),
    filter: (state, _pod, { labels }) => {
      for (const counted of (state.get(NAME) as Hard).list) {
        const value = labels?.[counted.constraint.topologyKey];
        if (value === undefined) return MISSING_LABEL;
        if (counted.at(value) + counted.self - counted.min > counted.constraint.maxSkew) return TOO_SKEWED;
      }
      return undefined;
    },
    preScore: (state: CycleState, pod, nodes, feasible) => {
      const soft = constraintsOf(pod, 'ScheduleAnyway', nodes.objects);
      if (soft.length === 0) return { skip: true };
      // The system's own defaults do not ask that every node has a zone.
      const all = (pod.spec?.topologySpreadConstraints ?? []).length > 0 || !defaults.system;
      const ignored = new Set<NodeInfo>();
      if (all) for (const info of feasible) if (!hasAllKeys(info.labels, soft)) ignored.add(info);
      state.set(SCORES, {
        ignored,
        soft: soft.map((constraint): Soft => {
          const { topologyKey: key, maxSkew } = constraint;
          const tally = tallyOf(constraint, pod, nodes);
          if (key === HOSTNAME) return { key, maxSkew, domains: undefined, perNode: tally.perNode, weight: lnNano(feasible.length - ignored.size + 2) };
          const values = new Set<string | undefined>();
          for (const info of feasible) if (!ignored.has(info)) values.add(info.labels?.[key]);
          const eligible = eligibleNodes(constraint, pod, nodes, all ? soft : []);
          return { key, maxSkew, domains: domainsOf(constraint, tally, eligible), perNode: tally.perNode, weight: lnNano(values.size + 2) };
        }),
      } satisfies Scoring);
      return undefined;
    },
    score: (state, _pod, info) => {
      const { soft, ignored } = state.get(SCORES) as Scoring;
      if (ignored.size > 0 && ignored.has(info)) return 0;
      const { labels } = info;
      let sum = 0;
      for (const { key, maxSkew, domains, perNode, weight } of soft) {
        const value = labels?.[key];
        if (value === undefined) continue;
        const n = (domains ? domains.get(value) : perNode.get(info)) ?? 0;
        sum += n * weight + (maxSkew - 1) * NANO;
      }
      return Math.floor((sum + NANO / 2) / NANO);
    },
    normalize: (scores, state, _pod, feasible) => {
      const { ignored } = state.get(SCORES) as Scoring;
      let min = Number.MAX_SAFE_INTEGER;
      let max = 0;
      scores.forEach((score, i) => {
        if (ignored.size > 0 && ignored.has(feasible[i]!)) return;
        if (score < min) min = score;
        if (score > max) max = score;
      });
      return scores.map((score, i) => {
        if (ignored.size > 0 && ignored.has(feasible[i]!)) return 0;
        return max === 0 ? MAX_NODE_SCORE : Math.floor((MAX_NODE_SCORE * (max + min - score)) / max);
      });
    },
    events: [
      {
        resource: 'Pod',
        actions: ['Add', 'UpdatePodLabel', 'UpdatePodToleration', 'Delete'],
        hint: (pod, { before, after }, objects) => {
          const was = before as P | undefined;
          const is = after as P | undefined;
          const concerned = (other: P): boolean =>
            other.metadata.uid === pod.metadata.uid || (other.spec?.nodeName !== undefined && other.metadata.namespace === pod.metadata.namespace);
          if ((is && !concerned(is)) || (was && !concerned(was))) return false;
          const constraints = constraintsOf(pod, 'DoNotSchedule', objects);
          if (is && was) {
            if (is.metadata.uid === pod.metadata.uid && is.spec?.tolerations !== was.spec?.tolerations && constraints.some(({ honorTaints }) => honorTaints))
              return true;
            return constraints.some(({ matches }) => matches(was.metadata.labels) !== matches(is.metadata.labels));
          }
          return constraints.some(({ matches }) => matches((is ?? was)!.metadata.labels));
        },
      },
      {
        resource: 'Node',
        actions: ['Add', 'Delete', 'UpdateNodeLabel', 'UpdateNodeTaint'],
        hint: (pod, { before, after }, objects) => {
          const was = before as DeepReadonly<Node> | undefined;
          const is = after as DeepReadonly<Node> | undefined;
          const constraints = constraintsOf(pod, 'DoNotSchedule', objects);
          const had = was !== undefined && hasAllKeys(was.metadata.labels, constraints);
          const has = is !== undefined && hasAllKeys(is.metadata.labels, constraints);
          if (!was || !is) return had || has;
          if (had !== has) return true;
          return (
            has &&
            (constraints.some(({ topologyKey }) => was.metadata.labels?.[topologyKey] !== is.metadata.labels?.[topologyKey]) ||
              JSON.stringify(was.spec?.taints ?? []) !== JSON.stringify(is.spec?.taints ?? []))
          );
        },
      },
    ],
  };
  return plugin;
};
