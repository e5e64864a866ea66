/**
 * How the two resource plugins score a node: what would be asked of it against what it has, resource by resource
 * (`noderesources/resource_allocation.go`, `least_allocated.go`, `most_allocated.go`, `requested_to_capacity_ratio.go`).
 */
import type { DeepReadonly } from '../../api/json.ts';
import { ConfigError, MAX_NODE_SCORE } from '../framework.ts';
import { amountOf, type Resources } from '../resources.ts';
import type { NodeInfo } from '../snapshot.ts';

export interface WeightedResource {
  readonly name: string;
  readonly weight: number;
}
export const CPU_AND_MEMORY: readonly WeightedResource[] = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
];

/** A resource that only those pay for who ask for it. */
const isScalar = (name: string): boolean => name !== 'cpu' && name !== 'memory' && name !== 'ephemeral-storage';

/** Of one resource: what the node has, and what would be asked of it with the pod. Nothing, when the resource says nothing about this pod here. */
export function demandOn(info: NodeInfo, name: string, wanted: number, actual: boolean): { readonly capacity: number; readonly requested: number } | undefined {
  const used = actual ? info.requested : info.nonZeroRequested;
  if (name === 'cpu') return info.allocatable.cpu === 0 ? undefined : { capacity: info.allocatable.cpu, requested: used.cpu + wanted };
  if (name === 'memory') return info.allocatable.memory === 0 ? undefined : { capacity: info.allocatable.memory, requested: used.memory + wanted };
  if (isScalar(name) && wanted === 0) return undefined;
  const capacity = amountOf(info.allocatable, name);
  return capacity === 0 ? undefined : { capacity, requested: amountOf(info.requested, name) + wanted };
}

export type Scorer = (requested: number, capacity: number) => number;

export const leastRequested: Scorer = (requested, capacity) => (requested > capacity ? 0 : Math.floor(((capacity - requested) * MAX_NODE_SCORE) / capacity));
export const mostRequested: Scorer = (requested, capacity) => Math.floor((Math.min(requested, capacity) * MAX_NODE_SCORE) / capacity);

interface ShapePoint {
  readonly utilization: number;
  readonly score: number;
}
/** Scores of a shape are 0 to 10. */
const MAX_CUSTOM_SCORE = 10;

/** A broken line through the points: utilization in percent → score. */
export function ratioScorer(shape: readonly ShapePoint[]): Scorer {
  const points = shape.map(({ utilization, score }) => ({ utilization, score: score * (MAX_NODE_SCORE / MAX_CUSTOM_SCORE) }));
  const at = (p: number): number => {
    for (let i = 0; i < points.length; i++) {
      const point = points[i]!;
      if (p > point.utilization) continue;
      if (i === 0) return point.score;
      const before = points[i - 1]!;
      return before.score + Math.trunc(((point.score - before.score) * (p - before.utilization)) / (point.utilization - before.utilization));
    }
    return points.at(-1)!.score;
  };
  return (requested, capacity) => at(requested > capacity ? 100 : Math.floor((requested * 100) / capacity));
}

type Args = DeepReadonly<Record<string, unknown>> | undefined;

/** `resources` of the args, checked as `ValidateNodeResources…Args` does. */
export function resourcesOf(list: unknown, path: string): readonly WeightedResource[] {
  if (!Array.isArray(list) || list.length === 0) return CPU_AND_MEMORY;
  const seen = new Set<string>();
  return (list as readonly { readonly name?: unknown; readonly weight?: unknown }[]).map(({ name, weight = 1 }, i) => {
    if (typeof name !== 'string' || name === '') throw new ConfigError(`${path}[${i}].name: Required value`);
    if (seen.has(name)) throw new ConfigError(`${path}[${i}]: Duplicate value: ${JSON.stringify(name)}`);
    seen.add(name);
    if (typeof weight !== 'number' || weight <= 0 || weight > 100)
      throw new ConfigError(`${path}[${i}].weight: Invalid value: ${String(weight)}: resource weight of ${name} not in valid range (0, 100]`);
    return { name, weight };
  });
}

export interface Strategy {
  readonly type: 'LeastAllocated' | 'MostAllocated' | 'RequestedToCapacityRatio';
  readonly resources: readonly WeightedResource[];
  readonly scorer: Scorer;
}

/** `scoringStrategy` of NodeResourcesFitArgs. Throws ConfigError (`validation_pluginargs.go`). */
export function strategyOf(args: Args): Strategy {
  const strategy = args?.['scoringStrategy'] as
    | { readonly type?: string; readonly resources?: unknown; readonly requestedToCapacityRatio?: { readonly shape?: readonly ShapePoint[] } }
    | undefined;
  const resources = resourcesOf(strategy?.resources, 'scoringStrategy.resources');
  switch (strategy?.type) {
    case undefined:
    case 'LeastAllocated':
      return { type: 'LeastAllocated', resources, scorer: leastRequested };
    case 'MostAllocated':
      return { type: 'MostAllocated', resources, scorer: mostRequested };
    case 'RequestedToCapacityRatio': {
      const shape = strategy.requestedToCapacityRatio?.shape ?? [];
      const path = 'scoringStrategy.requestedToCapacityRatio.shape';
      if (shape.length === 0) throw new ConfigError(`${path}: Required value: at least one point must be specified`);
      shape.forEach(({ utilization, score }, i) => {
        if (utilization < 0 || utilization > 100)
          throw new ConfigError(`${path}[${i}].utilization: Invalid value: ${utilization}: not in valid range [0, 100]`);
        if (i > 0 && utilization <= shape[i - 1]!.utilization)
          throw new ConfigError(`${path}[${i}].utilization: Invalid value: ${utilization}: utilization values must be sorted in increasing order`);
        if (score < 0 || score > MAX_CUSTOM_SCORE)
          throw new ConfigError(`${path}[${i}].score: Invalid value: ${score}: not in valid range [0, ${MAX_CUSTOM_SCORE}]`);
      });
      return { type: 'RequestedToCapacityRatio', resources, scorer: ratioScorer(shape) };
    }
    default:
      throw new ConfigError(
        `scoringStrategy.type: Unsupported value: ${JSON.stringify(strategy?.type)}: supported values: "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"`,
      );
  }
}

/** What {@link scoreWith} gives for LeastAllocated with cpu and memory alike: nearly every score there is. */
export function leastAllocated({ allocatable, nonZeroRequested }: NodeInfo, wanted: Resources): number {
  if (allocatable.cpu === 0 || allocatable.memory === 0) return -1;
  const cpu = leastRequested(nonZeroRequested.cpu + wanted.cpu, allocatable.cpu);
  return Math.floor((cpu + leastRequested(nonZeroRequested.memory + wanted.memory, allocatable.memory)) / 2);
}

/** The weighted mean over the resources that say something. */
export function scoreWith({ type, resources, scorer }: Strategy, info: NodeInfo, wanted: Resources): number {
  let sum = 0;
  let weights = 0;
  for (const { name, weight } of resources) {
    const demand = demandOn(info, name, amountOf(wanted, name), false);
    if (!demand) continue;
    const score = scorer(demand.requested, demand.capacity);
    // A ratio of zero is no opinion (`requested_to_capacity_ratio.go`).
    if (type === 'RequestedToCapacityRatio' && score <= 0) continue;
    sum += score * weight;
    weights += weight;
  }
  if (weights === 0) return 0;
  return type === 'RequestedToCapacityRatio' ? Math.round(sum / weights) : Math.floor(sum / weights);
}
