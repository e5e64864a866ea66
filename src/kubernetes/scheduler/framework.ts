/**
 * The scheduling framework: what a plugin may say, and when it is asked (upstream
 * `pkg/scheduler/framework/interface.go`). Plugins decide purely: they read the nodes, the objects and their
 * own state of the attempt, and answer. Only `preBind` and `bind` may wait, and act through what they are handed.
 *
 * Order of one attempt: PreEnqueue (before the queue), QueueSort (in it), PreFilter, Filter, PostFilter (only when
 * no node is left), PreScore, Score, Normalize, Reserve, Permit; then, beside the next attempt, PreBind, Bind, PostBind.
 */
import type { Duration } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';
import type { DeepReadonly } from '../api/json.ts';
import type { Key } from '../api/meta.ts';
import type { Kind, Kinds, Pod } from '../api/types.gen.ts';
import type { Client } from '../client/client.ts';
import type { NodeInfo, NodeList } from './snapshot.ts';

/** Why a node (or, from PreFilter, every node) will not do. `unresolvable`: evicting pods would not help (upstream UnschedulableAndUnresolvable). */
export interface Rejection {
  readonly plugin: string;
  readonly reasons: readonly string[];
  readonly unresolvable: boolean;
}

/** Every other object of the cluster, as the scheduler's informers know them; empty for kinds no plugin `needs`. */
export interface Objects {
  get<K extends Kind>(kind: K, key: Key): DeepReadonly<Kinds[K]> | undefined;
  list<K extends Kind>(kind: K, namespace?: string): readonly DeepReadonly<Kinds[K]>[];
}

export const NO_OBJECTS: Objects = { get: () => undefined, list: () => [] };

/**
 * What plugins remember between their own steps of one attempt, under keys that begin with their own names.
 * Values that change when pods are imagined away (`addPod`, `removePod`) have a `clone`.
 */
export class CycleState {
  private readonly values = new Map<string, unknown>();
  constructor(readonly objects: Objects = NO_OBJECTS) {}

  get(key: string): unknown {
    return this.values.get(key);
  }
  set(key: string, value: unknown): void {
    this.values.set(key, value);
  }
  clone(): CycleState {
    const copy = new CycleState(this.objects);
    for (const [key, value] of this.values) {
      const cloneable = value as { clone?: () => unknown } | undefined;
      copy.values.set(key, typeof cloneable === 'object' && cloneable !== null && typeof cloneable.clone === 'function' ? cloneable.clone() : value);
    }
    return copy;
  }
}

/** What happened to an object, as finely as plugins care (upstream `framework.ActionType`). */
export type Action =
  | 'Add'
  | 'Delete'
  | 'Update'
  | 'UpdateNodeAllocatable'
  | 'UpdateNodeLabel'
  | 'UpdateNodeTaint'
  | 'UpdateNodeCondition'
  | 'UpdateNodeAnnotation'
  | 'UpdatePodLabel'
  | 'UpdatePodScaleDown'
  | 'UpdatePodToleration'
  | 'UpdatePodSchedulingGatesEliminated';

/** What changed in the cluster; moves pods between the queues. `Pod` is told of both placed and waiting pods. */
export interface ClusterEvent {
  readonly resource: Kind;
  readonly action: Action;
  /** As upstream's logs and metrics name it: `AssignedPodDelete`, `NodeUpdateNodeTaint`. */
  readonly label: string;
  readonly before?: DeepReadonly<Kinds[Kind]>;
  readonly after?: DeepReadonly<Kinds[Kind]>;
}

/** An event a plugin registers for (EventsToRegister): it may make a pod schedulable which that plugin rejected. `Update` stands for every update. */
export interface Interest {
  readonly resource: Kind;
  readonly actions: readonly Action[];
  /** QueueingHintFn: false leaves the pod where it is. Absent: always worth another attempt. */
  hint?(pod: DeepReadonly<Pod>, event: ClusterEvent, objects: Objects): boolean;
}

export interface PreFilterResult {
  /** The plugin's filter has nothing to say about this pod. */
  readonly skip?: boolean;
  /** No node will do. */
  readonly reject?: Rejection;
  /** Only these nodes come into question. */
  readonly nodes?: ReadonlySet<string>;
}

/** What plugins that act (`preBind`, `bind`, `postFilter`'s follow-up) are handed. */
export interface Effects {
  readonly self: Process;
  readonly client: Client;
}

export interface Plugin {
  readonly name: string;
  /** Kinds that must have been listed before a pod is decided on. Informers begin with the first pod that needs them. */
  needs?(pod: DeepReadonly<Pod>, nodes: NodeList): readonly Kind[];
  /** The same, before `postFilter` is asked: of interest to few attempts. */
  postFilterNeeds?(pod: DeepReadonly<Pod>): readonly Kind[];
  /** What may help a pod that this plugin rejected. Absent: any event may. */
  readonly events?: readonly Interest[];

  /** Before the queue: a rejection keeps the pod out of it. */
  preEnqueue?(pod: DeepReadonly<Pod>): Rejection | undefined;
  /** QueueSort: true when `a` goes first. */
  less?(a: QueueItem, b: QueueItem): boolean;
  /** Once per attempt. */
  preFilter?(state: CycleState, pod: DeepReadonly<Pod>, nodes: NodeList): PreFilterResult | undefined;
  /** PreFilterExtensions (not asked of a plugin whose filter is skipped): `other` comes to (leaves) the node while preemption tries what would be if; adjusts what preFilter remembered. */
  addPod?(state: CycleState, pod: DeepReadonly<Pod>, other: DeepReadonly<Pod>, node: NodeInfo): void;
  removePod?(state: CycleState, pod: DeepReadonly<Pod>, other: DeepReadonly<Pod>, node: NodeInfo): void;
  filter?(state: CycleState, pod: DeepReadonly<Pod>, node: NodeInfo): Rejection | undefined;
  /** Asked when no node is left; the first that finds a remedy ends it. */
  postFilter?(attempt: FailedAttempt): PostFilterResult;
  preScore?(state: CycleState, pod: DeepReadonly<Pod>, nodes: NodeList, feasible: readonly NodeInfo[]): { readonly skip?: boolean } | undefined;
  /** An integer; 0 to 100 unless `normalize` brings it there. */
  score?(state: CycleState, pod: DeepReadonly<Pod>, node: NodeInfo): number;
  /** The same for all feasible nodes at once, where that is cheaper; must agree with `score`. */
  scoreAll?(state: CycleState, pod: DeepReadonly<Pod>, feasible: readonly NodeInfo[]): readonly number[];
  /** 0 to 100 each, in the order of `feasible`. */
  normalize?(scores: readonly number[], state: CycleState, pod: DeepReadonly<Pod>, feasible: readonly NodeInfo[]): readonly number[];
  reserve?(state: CycleState, pod: DeepReadonly<Pod>, node: NodeInfo): Rejection | undefined;
  /** Undoes `reserve`; must not mind being called without it. */
  unreserve?(state: CycleState, pod: DeepReadonly<Pod>, nodeName: string): void;
  permit?(state: CycleState, pod: DeepReadonly<Pod>, node: NodeInfo): Rejection | { readonly wait: Duration } | undefined;
  /** Rejects (throws) when it failed: the pod is unreserved and tried again after its back-off. */
  preBind?(state: CycleState, pod: DeepReadonly<Pod>, nodeName: string, effects: Effects): Promise<void>;
  /** False: not this plugin's business, ask the next (upstream Skip). */
  bind?(state: CycleState, pod: DeepReadonly<Pod>, nodeName: string, effects: Effects): Promise<boolean>;
  postBind?(state: CycleState, pod: DeepReadonly<Pod>, nodeName: string): void;
}

/** Makes a plugin from its `pluginConfig` args (undefined: the defaults). Throws ConfigError with upstream's words when they are wrong. */
export type PluginFactory = (args: DeepReadonly<Record<string, unknown>> | undefined) => Plugin;

/** What QueueSort compares. */
export interface QueueItem {
  readonly pod: DeepReadonly<Pod>;
  /** When it was last put into the queue. */
  readonly timestamp: number;
}

/** What PostFilter is asked about. */
export interface FailedAttempt {
  readonly state: CycleState;
  readonly pod: DeepReadonly<Pod>;
  readonly nodes: NodeList;
  /** The verdict on a node; undefined only for nodes not looked at. */
  readonly rejectionOf: (node: string) => Rejection | undefined;
  /** Runs PreFilter's survivors among the filters on a node, nominated pods included. */
  readonly passes: (state: CycleState, node: NodeInfo) => Rejection | undefined;
  /** Tells every plugin's PreFilterExtensions. */
  readonly addPod: (state: CycleState, other: DeepReadonly<Pod>, node: NodeInfo) => void;
  readonly removePod: (state: CycleState, other: DeepReadonly<Pod>, node: NodeInfo) => void;
  /** An integer from 0 to `n` − 1. */
  readonly pick: (n: number) => number;
}

export interface Victim {
  readonly pod: DeepReadonly<Pod>;
  /** Its eviction would exceed what a PodDisruptionBudget allows. */
  readonly violatesBudget: boolean;
}

/** One node on which evicting these pods would make room; from more to less important. */
export interface Candidate {
  readonly node: string;
  readonly victims: readonly Victim[];
}

export interface PostFilterResult {
  /** The node to nominate; '' clears a nomination, undefined leaves it. */
  readonly nominate?: string | undefined;
  readonly chosen?: Candidate | undefined;
  readonly candidates: readonly Candidate[];
  /** Appended to the pod's message; '' says nothing. */
  readonly message: string;
}

export const MAX_NODE_SCORE = 100;

/** The commonest normalisation: the highest becomes 100, or, reversed, 0 (`helper.DefaultNormalizeScore`). */
export function defaultNormalize(scores: readonly number[], reverse: boolean): readonly number[] {
  let max = 0;
  for (const score of scores) if (score > max) max = score;
  if (max === 0) return constant(scores.length, reverse ? MAX_NODE_SCORE : 0);
  return scores.map((score) => {
    const scaled = Math.floor((MAX_NODE_SCORE * score) / max);
    return reverse ? MAX_NODE_SCORE - scaled : scaled;
  });
}

const constants = new Map<number, readonly number[]>();
/** So many times one small whole number; equal lists are one and the same. */
export function constant(length: number, value: number): readonly number[] {
  const id = length * 128 + value;
  let list = constants.get(id);
  if (!list) {
    if (constants.size > 1_000) constants.clear();
    list = new Array<number>(length).fill(value);
    constants.set(id, list);
  }
  return list;
}

export const reject = (plugin: string, reasons: string | readonly string[], unresolvable = false): Rejection => ({
  plugin,
  reasons: typeof reasons === 'string' ? [reasons] : reasons,
  unresolvable,
});

/** A KubeSchedulerConfiguration that cannot be used, in upstream's words. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}
