/**
 * One decision: which node, if any, and why (upstream `schedule_one.go` schedulePod). Pure: a snapshot in,
 * a decision with every verdict and score out.
 */
import type { DeepReadonly } from '../api/json.ts';
import type { Pod } from '../api/types.gen.ts';
import type { CycleState, Plugin, Rejection } from './framework.ts';
import type { NodeInfo, NodeList } from './snapshot.ts';

export interface PluginScore {
  readonly plugin: string;
  readonly raw: number;
  readonly normalized: number;
  readonly weight: number;
}
export interface Decision {
  /** Undefined: no node will do. */
  readonly node: string | undefined;
  /** By node, in the order looked at; the first plugin to reject it. */
  readonly rejections: ReadonlyMap<string, Rejection>;
  readonly feasible: readonly string[];
  /** By node; empty when only one was feasible, for then nothing is scored. */
  readonly scores: ReadonlyMap<string, readonly PluginScore[]>;
  /** How many nodes were looked at: the next attempt starts after them. */
  readonly evaluated: number;
  /** `0/4 nodes are available: …`, when there is no node. */
  readonly message: string;
  readonly state: CycleState;
}

const MIN_FEASIBLE = 100;

/** How many feasible nodes are enough: all below 100, then a share that falls from 50 % to 5 % (`numFeasibleNodesToFind`). */
export function enoughNodes(total: number, percentage = 0): number {
  if (total < MIN_FEASIBLE) return total;
  const share = percentage > 0 ? percentage : Math.max(5, 50 - Math.floor(total / 125));
  if (share >= 100) return total;
  return Math.max(MIN_FEASIBLE, Math.floor((total * share) / 100));
}

/**
 * @param start where among the nodes to begin, so that over time all are looked at
 * @param pick chooses among equals: an index below `n`
 */
export function schedule(plugins: readonly Plugin[], pod: DeepReadonly<Pod>, snapshot: NodeList, start: number, pick: (n: number) => number): Decision {
  const state: CycleState = new Map();
  const all = snapshot.list();
  const rejections = new Map<string, Rejection>();
  const decide = (
    node: string | undefined,
    feasible: readonly NodeInfo[],
    scores: ReadonlyMap<string, readonly PluginScore[]>,
    evaluated: number,
    message = '',
  ): Decision => ({
    node,
    rejections,
    feasible: feasible.map((info) => info.name),
    scores,
    evaluated,
    message: node === undefined ? message || fitError(all.length, rejections) : '',
    state,
  });
  if (all.length === 0) return decide(undefined, [], new Map(), 0, 'no nodes available to schedule pods');

  let allowed: ReadonlySet<string> | undefined;
  const filters: Plugin[] = [];
  for (const plugin of plugins) {
    const result = plugin.preFilter?.(state, pod, snapshot);
    if (result?.reject) {
      for (const info of all) rejections.set(info.name, result.reject);
      return decide(undefined, [], new Map(), 0, `0/${all.length} nodes are available: ${result.reject.reasons.join(', ')}.`);
    }
    if (result?.nodes) {
      const narrowed: ReadonlySet<string> = result.nodes;
      allowed = allowed ? new Set([...allowed].filter((name) => narrowed.has(name))) : narrowed;
    }
    if (!result?.skip && plugin.filter) filters.push(plugin);
  }

  const candidates = allowed ? all.filter((info) => allowed.has(info.name)) : all;
  if (allowed)
    for (const info of all)
      if (!allowed.has(info.name))
        rejections.set(info.name, { plugin: 'NodeAffinity', reasons: ["node(s) didn't satisfy plugin(s) [NodeAffinity]"], unresolvable: true });
  const enough = enoughNodes(candidates.length);
  const feasible: NodeInfo[] = [];
  let evaluated = 0;
  for (let i = 0; i < candidates.length && feasible.length < enough; i++) {
    const info = candidates[(start + i) % candidates.length]!;
    evaluated++;
    const rejection = runFilters(filters, state, pod, info);
    if (rejection) rejections.set(info.name, rejection);
    else feasible.push(info);
  }
  if (feasible.length === 0) return decide(undefined, [], new Map(), evaluated);
  if (feasible.length === 1) return decide(feasible[0]!.name, feasible, new Map(), evaluated);

  const scores = score(plugins, state, pod, snapshot, feasible);
  const totals = feasible.map((info) => scores.get(info.name)!.reduce((sum, s) => sum + s.normalized * s.weight, 0));
  const best = Math.max(...totals);
  const winners = feasible.filter((_, i) => totals[i] === best);
  return decide(winners[winners.length === 1 ? 0 : pick(winners.length)]!.name, feasible, scores, evaluated);
}

export function runFilters(filters: readonly Plugin[], state: CycleState, pod: DeepReadonly<Pod>, info: NodeInfo): Rejection | undefined {
  for (const plugin of filters) {
    const rejection = plugin.filter!(state, pod, info);
    if (rejection) return rejection;
  }
  return undefined;
}

function score(
  plugins: readonly Plugin[],
  state: CycleState,
  pod: DeepReadonly<Pod>,
  snapshot: NodeList,
  feasible: readonly NodeInfo[],
): Map<string, PluginScore[]> {
  const scores = new Map<string, PluginScore[]>(feasible.map((info) => [info.name, []]));
  for (const plugin of plugins) {
    if (!plugin.score) continue;
    if (plugin.preScore?.(state, pod, snapshot, feasible)?.skip) continue;
    const raw = feasible.map((info) => plugin.score!(state, pod, info));
    const normalized = plugin.normalize ? plugin.normalize([...raw], state, feasible) : raw;
    feasible.forEach((info, i) => {
      scores.get(info.name)!.push({ plugin: plugin.name, raw: raw[i]!, normalized: normalized[i]!, weight: plugin.weight ?? 1 });
    });
  }
  return scores;
}

/** `0/4 nodes are available: 1 node(s) …, 3 Insufficient cpu.`: reasons counted, sorted as text (`framework.FitError`). */
export function fitError(total: number, rejections: ReadonlyMap<string, Rejection>): string {
  const counts = new Map<string, number>();
  for (const { reasons } of rejections.values()) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const lines = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  return lines.length === 0 ? `0/${total} nodes are available` : `0/${total} nodes are available: ${lines.join(', ')}.`;
}
