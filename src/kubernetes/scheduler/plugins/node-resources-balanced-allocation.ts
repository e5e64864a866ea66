/**
 * NodeResourcesBalancedAllocation: prefers nodes whose resources would be used in like proportion: (1 − standard
 * deviation of the fractions) × 100, the fraction toward zero dropped (`noderesources/balanced_allocation.go`). The
 * arithmetic is upstream's, in doubles: + − × ÷ give the same bits in every engine; the root is made of them.
 */
import { MAX_NODE_SCORE, type Plugin, type PluginFactory } from '../framework.ts';
import { amountOf, demandOf, type Resources } from '../resources.ts';
import type { NodeInfo } from '../snapshot.ts';
import { demandOn, resourcesOf } from './resource-scoring.ts';

const NAME = 'NodeResourcesBalancedAllocation';

/** Newton's way, until it stands still. */
function root(x: number): number {
  if (x <= 0) return 0;
  let guess = Math.max(x, 1);
  for (let i = 0; i < 100; i++) {
    const next = (guess + x / guess) / 2;
    if (next >= guess) break;
    guess = next;
  }
  return guess;
}

export function balance(fractions: readonly number[]): number {
  let deviation = 0;
  if (fractions.length === 2) deviation = Math.abs((fractions[0]! - fractions[1]!) / 2);
  else if (fractions.length > 2) {
    let total = 0;
    for (const fraction of fractions) total += fraction;
    const mean = total / fractions.length;
    let sum = 0;
    for (const fraction of fractions) sum += (fraction - mean) * (fraction - mean);
    deviation = root(sum / fractions.length);
  }
  return Math.trunc((1 - deviation) * MAX_NODE_SCORE);
}

/** Args: `resources`. */
export const nodeResourcesBalancedAllocation: PluginFactory = (args) => {
  const resources = resourcesOf(args?.['resources'], 'resources');
  const justTwo = resources.length === 2 && resources[0]!.name === 'cpu' && resources[1]!.name === 'memory';
  const scoreOf = (info: NodeInfo, wanted: Resources): number => {
    if (justTwo) {
      const { allocatable, requested } = info;
      if (allocatable.cpu === 0 || allocatable.memory === 0) return MAX_NODE_SCORE;
      const cpu = Math.min(1, (requested.cpu + wanted.cpu) / allocatable.cpu);
      const memory = Math.min(1, (requested.memory + wanted.memory) / allocatable.memory);
      return Math.trunc((1 - Math.abs((cpu - memory) / 2)) * MAX_NODE_SCORE);
    }
    const fractions: number[] = [];
    for (const { name } of resources) {
      const demand = demandOn(info, name, amountOf(wanted, name), true);
      if (demand) fractions.push(Math.min(1, demand.requested / demand.capacity));
    }
    return balance(fractions);
  };
  const plugin: Plugin = {
    name: NAME,
    // A pod that asks for nothing would follow itself onto the one node that happens to be balanced.
    preScore: (state, pod) => {
      const wanted = demandOf(pod).requests;
      state.set(NAME, wanted);
      return resources.every(({ name }) => amountOf(wanted, name) === 0) ? { skip: true } : undefined;
    },
    score: (state, _pod, info) => scoreOf(info, state.get(NAME) as Resources),
    scoreAll: (state, _pod, feasible) => {
      const wanted = state.get(NAME) as Resources;
      return feasible.map((info) => scoreOf(info, wanted));
    },
  };
  return plugin;
};
