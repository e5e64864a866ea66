/**
 * DefaultPreemption: when nothing fits, would evicting lower-priority pods from one node help, and which
 * node suffers least (`plugins/defaultpreemption`, `framework/preemption`). Pure.
 *
 * Here simplified: PodDisruptionBudgets are not consulted yet, so no victim counts as a violation.
 */
import type { DeepReadonly } from '../api/json.ts';
import type { Pod } from '../api/types.gen.ts';
import type { CycleState, Plugin, Rejection } from './framework.ts';
import { runFilters } from './schedule.ts';
import type { NodeInfo, NodeList } from './snapshot.ts';

export interface Preemption {
  readonly node: string;
  readonly victims: readonly DeepReadonly<Pod>[];
}

const priorityOf = (pod: DeepReadonly<Pod>): number => pod.spec?.priority ?? 0;
/** Most worth keeping first: higher priority, then longer running (`util.MoreImportantPod`). */
const moreImportant = (a: DeepReadonly<Pod>, b: DeepReadonly<Pod>): number =>
  priorityOf(b) - priorityOf(a) || ((a.status?.startTime ?? '9') < (b.status?.startTime ?? '9') ? -1 : 1);

/** The least harmful preemption that makes room, or the message that says why there is none. */
export function preempt(
  plugins: readonly Plugin[],
  pod: DeepReadonly<Pod>,
  snapshot: NodeList,
  rejections: ReadonlyMap<string, Rejection>,
): { readonly found?: Preemption; readonly message: string } {
  const total = snapshot.list().length;
  if (pod.spec?.preemptionPolicy === 'Never') return { message: 'not eligible due to preemptionPolicy=Never.' };
  const unhelped = new Map<string, number>();
  const say = (reason: string): void => void unhelped.set(reason, (unhelped.get(reason) ?? 0) + 1);
  const candidates: Preemption[] = [];
  for (const info of snapshot.list()) {
    const rejection = rejections.get(info.name);
    if (!rejection || rejection.unresolvable) {
      say('Preemption is not helpful for scheduling');
      continue;
    }
    const victims = victimsOn(plugins, pod, info, snapshot);
    if (victims === undefined) say('No preemption victims found for incoming pod');
    else candidates.push({ node: info.name, victims });
  }
  const found = candidates.sort(leastHarm)[0];
  if (found) return { found, message: '' };
  const lines = [...unhelped].map(([reason, count]) => `${count} ${reason}`).sort();
  return { message: `0/${total} nodes are available: ${lines.join(', ')}.` };
}

/** Removes every lower-priority pod, and if the pod then fits, gives back as many as still leave room, the important first. */
function victimsOn(plugins: readonly Plugin[], pod: DeepReadonly<Pod>, info: NodeInfo, snapshot: NodeList): DeepReadonly<Pod>[] | undefined {
  const lower = [...info.pods.values()].filter((other) => priorityOf(other) < priorityOf(pod));
  if (lower.length === 0) return undefined;
  const trial = info.clone();
  for (const victim of lower) trial.remove(victim);
  const fits = (): boolean => {
    // Filters that count pods across nodes must see the node as it would be.
    const world: NodeList = { list: () => snapshot.list().map((other) => (other.name === info.name ? trial : other)) };
    const state: CycleState = new Map();
    const filters: Plugin[] = [];
    for (const plugin of plugins) {
      const result = plugin.preFilter?.(state, pod, world);
      if (result?.reject || (result?.nodes && !result.nodes.has(info.name))) return false;
      if (!result?.skip && plugin.filter) filters.push(plugin);
    }
    return runFilters(filters, state, pod, trial) === undefined;
  };
  if (!fits()) return undefined;
  const victims: DeepReadonly<Pod>[] = [];
  for (const other of lower.sort(moreImportant)) {
    trial.add(other);
    if (fits()) continue;
    trial.remove(other);
    victims.push(other);
  }
  return victims;
}

/** `pickOneNodeForPreemption`: lowest highest victim priority, then smallest sum of priorities, fewest victims, latest start of the most important. */
function leastHarm(a: Preemption, b: Preemption): number {
  const highest = (p: Preemption) => Math.max(...p.victims.map(priorityOf));
  const sum = (p: Preemption) => p.victims.reduce((total, victim) => total + priorityOf(victim) + 2_147_483_648, 0);
  const start = (p: Preemption) =>
    p.victims
      .filter((victim) => priorityOf(victim) === highest(p))
      .map((victim) => victim.status?.startTime ?? '')
      .sort()[0] ?? '9';
  return highest(a) - highest(b) || sum(a) - sum(b) || a.victims.length - b.victims.length || (start(a) > start(b) ? -1 : start(a) < start(b) ? 1 : 0);
}
