/**
 * A profile: one scheduler's name with the plugins it runs at each point, in order, and the weights of their scores
 * (upstream `pkg/scheduler/profile`, `framework/runtime/framework.go`).
 */
import type { Plugin } from './framework.ts';
import { DEFAULT_PLUGINS, defaultPlugins } from './plugins/index.ts';

export const DEFAULT_SCHEDULER_NAME = 'default-scheduler';

export interface WeightedPlugin {
  readonly plugin: Plugin;
  readonly weight: number;
}

export interface Profile {
  readonly schedulerName: string;
  /** 0: by the size of the cluster. Undefined: what the scheduler as a whole says. */
  readonly percentageOfNodesToScore?: number | undefined;
  /** Every plugin that runs at any point. */
  readonly plugins: readonly Plugin[];
  readonly preEnqueue: readonly Plugin[];
  readonly queueSort: Plugin;
  readonly preFilter: readonly Plugin[];
  readonly filter: readonly Plugin[];
  readonly postFilter: readonly Plugin[];
  readonly preScore: readonly Plugin[];
  readonly score: readonly WeightedPlugin[];
  readonly reserve: readonly Plugin[];
  readonly permit: readonly Plugin[];
  readonly preBind: readonly Plugin[];
  readonly bind: readonly Plugin[];
  readonly postBind: readonly Plugin[];
}

/** The profile in which these plugins run wherever they have something to say. */
export function profileOf(plugins: readonly WeightedPlugin[], schedulerName = DEFAULT_SCHEDULER_NAME): Profile {
  const having = (has: (plugin: Plugin) => unknown): readonly Plugin[] => plugins.filter(({ plugin }) => has(plugin)).map(({ plugin }) => plugin);
  return {
    schedulerName,
    plugins: plugins.map(({ plugin }) => plugin),
    preEnqueue: having(({ preEnqueue }) => preEnqueue),
    queueSort: having(({ less }) => less)[0] ?? { name: 'none', less: (a, b) => a.timestamp < b.timestamp },
    preFilter: having(({ preFilter }) => preFilter),
    filter: having(({ filter }) => filter),
    postFilter: having(({ postFilter }) => postFilter),
    preScore: having(({ preScore }) => preScore),
    score: plugins.filter(({ plugin }) => plugin.score).map(({ plugin, weight }) => ({ plugin, weight: weight || 1 })),
    reserve: having(({ reserve }) => reserve),
    permit: having(({ permit }) => permit),
    preBind: having(({ preBind }) => preBind),
    bind: having(({ bind }) => bind),
    postBind: having(({ postBind }) => postBind),
  };
}

const weights = new Map(DEFAULT_PLUGINS);

/** All default plugins, default weights, default args. */
export const defaultProfile: Profile = profileOf(defaultPlugins.map((plugin) => ({ plugin, weight: weights.get(plugin.name) ?? 0 })));
