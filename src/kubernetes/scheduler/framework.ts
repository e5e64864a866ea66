/**
 * The scheduling framework: what a plugin may say, and when it is asked (upstream
 * `pkg/scheduler/framework/interface.go`). Plugins are pure: they read a snapshot and answer.
 */
import type { DeepReadonly } from '../api/json.ts';
import type { Node, Pod } from '../api/types.gen.ts';
import type { NodeInfo, NodeList } from './snapshot.ts';

/** Why a node will not do. `unresolvable`: evicting pods would not help. */
export interface Rejection {
  readonly plugin: string;
  readonly reasons: readonly string[];
  readonly unresolvable: boolean;
}

/** What a plugin remembers between its own steps of one attempt. */
export type CycleState = Map<string, unknown>;

/** What changed in the cluster, for queueing hints. */
export interface ClusterEvent {
  readonly kind: 'Node' | 'Pod';
  readonly what: 'add' | 'update' | 'delete';
  readonly before?: DeepReadonly<Node> | DeepReadonly<Pod>;
  readonly after?: DeepReadonly<Node> | DeepReadonly<Pod>;
}

export interface Plugin {
  readonly name: string;
  /** Before the queue: a message keeps the pod out of it. */
  preEnqueue?(pod: DeepReadonly<Pod>): string | undefined;
  /** Once per attempt. A rejection rejects every node; `skip` leaves the plugin's filter out. */
  preFilter?(
    state: CycleState,
    pod: DeepReadonly<Pod>,
    snapshot: NodeList,
  ): { readonly skip?: boolean; readonly reject?: Rejection; readonly nodes?: ReadonlySet<string> } | undefined;
  filter?(state: CycleState, pod: DeepReadonly<Pod>, node: NodeInfo): Rejection | undefined;
  preScore?(state: CycleState, pod: DeepReadonly<Pod>, snapshot: NodeList, feasible: readonly NodeInfo[]): { readonly skip?: boolean } | undefined;
  /** An integer; 0 to 100 unless `normalize` brings it there. */
  score?(state: CycleState, pod: DeepReadonly<Pod>, node: NodeInfo): number;
  normalize?(scores: number[], state: CycleState, feasible: readonly NodeInfo[]): number[];
  /** Default weight of its score (upstream `apis/config/v1/default_plugins.go`). */
  readonly weight?: number;
  /** Whether this event may make schedulable a pod that the plugin rejected. Absent: any event may. */
  hint?(pod: DeepReadonly<Pod>, event: ClusterEvent): boolean;
}

export const MAX_NODE_SCORE = 100;

/** The commonest normalisation: the highest becomes 100, or, reversed, 0 (`helper.DefaultNormalizeScore`). */
export function defaultNormalize(scores: readonly number[], reverse: boolean): number[] {
  const max = Math.max(0, ...scores);
  if (max === 0) return scores.map(() => (reverse ? MAX_NODE_SCORE : 0));
  return scores.map((score) => {
    const scaled = Math.floor((MAX_NODE_SCORE * score) / max);
    return reverse ? MAX_NODE_SCORE - scaled : scaled;
  });
}

export const reject = (plugin: string, reasons: string | readonly string[], unresolvable = false): Rejection => ({
  plugin,
  reasons: typeof reasons === 'string' ? [reasons] : reasons,
  unresolvable,
});
