/**
 * KubeSchedulerConfiguration, `kubescheduler.config.k8s.io/v1`: the file `--config` names (upstream `pkg/scheduler/apis/config`:
 * defaults, `v1/default_plugins.go` mergePlugins, `framework/runtime/framework.go` expandMultiPointPlugins, `validation/validation.go`).
 *
 * Here simplified: `extenders`, `clientConnection` and the debugging switches are read over.
 */
import type { DeepReadonly } from '../api/json.ts';
import { parseYaml } from '../api/yaml.ts';
import { ConfigError, type Plugin } from './framework.ts';
import { DEFAULT_PLUGINS, registry } from './plugins/index.ts';
import { DEFAULT_SCHEDULER_NAME, type Profile, type WeightedPlugin } from './profile.ts';
import { DEFAULT_CONFIG, type SchedulerConfig } from './run.ts';

interface PluginSet {
  readonly enabled?: readonly { readonly name: string; readonly weight?: number }[];
  readonly disabled?: readonly { readonly name: string }[];
}
interface ProfileSpec {
  readonly schedulerName?: string;
  readonly percentageOfNodesToScore?: number;
  readonly plugins?: Readonly<Record<string, PluginSet | undefined>>;
  readonly pluginConfig?: readonly { readonly name: string; readonly args?: DeepReadonly<Record<string, unknown>> }[];
}
interface Spec {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly profiles?: readonly ProfileSpec[];
  readonly percentageOfNodesToScore?: number;
  readonly podInitialBackoffSeconds?: number;
  readonly podMaxBackoffSeconds?: number;
  readonly leaderElection?: { readonly leaderElect?: boolean; readonly resourceName?: string; readonly resourceNamespace?: string };
}

/** Extension points, with what a plugin has that runs there. */
const POINTS: Readonly<Record<string, keyof Plugin>> = {
  preEnqueue: 'preEnqueue',
  queueSort: 'less',
  preFilter: 'preFilter',
  filter: 'filter',
  postFilter: 'postFilter',
  preScore: 'preScore',
  score: 'score',
  reserve: 'reserve',
  permit: 'permit',
  preBind: 'preBind',
  bind: 'bind',
  postBind: 'postBind',
};
const ARGS_KINDS = new Set([
  'DefaultPreemption',
  'InterPodAffinity',
  'NodeAffinity',
  'NodeResourcesBalancedAllocation',
  'NodeResourcesFit',
  'PodTopologySpread',
  'VolumeBinding',
]);

/** Throws ConfigError, with the words kube-scheduler exits with. */
export function parseConfig(text: string): SchedulerConfig {
  const spec = (parseYaml(text) ?? {}) as unknown as Spec;
  if (!spec.kind) throw new ConfigError("Object 'Kind' is missing in the configuration");
  if (spec.apiVersion !== 'kubescheduler.config.k8s.io/v1' || spec.kind !== 'KubeSchedulerConfiguration')
    throw new ConfigError(
      `no kind ${JSON.stringify(spec.kind)} is registered for version ${JSON.stringify(spec.apiVersion ?? '')} in scheme "pkg/scheduler/apis/config/scheme/scheme.go:30"`,
    );
  const initial = spec.podInitialBackoffSeconds ?? DEFAULT_CONFIG.podInitialBackoffSeconds;
  const max = spec.podMaxBackoffSeconds ?? DEFAULT_CONFIG.podMaxBackoffSeconds;
  if (initial <= 0) throw new ConfigError(`podInitialBackoffSeconds: Invalid value: ${initial}: must be greater than 0`);
  if (max < initial) throw new ConfigError(`podMaxBackoffSeconds: Invalid value: ${max}: must be greater than or equal to PodInitialBackoffSeconds`);
  const percentage = checkedPercentage(spec.percentageOfNodesToScore, 'percentageOfNodesToScore');
  const specs = spec.profiles && spec.profiles.length > 0 ? spec.profiles : [{}];
  const names = new Set<string>();
  const profiles = specs.map((each, i) => {
    const name = each.schedulerName ?? (specs.length === 1 ? DEFAULT_SCHEDULER_NAME : '');
    if (name === '') throw new ConfigError(`profiles[${i}].schedulerName: Required value`);
    if (names.has(name)) throw new ConfigError(`profiles[${i}].schedulerName: Duplicate value: ${JSON.stringify(name)}`);
    names.add(name);
    return profileFrom(name, each, i);
  });
  for (const [i, { queueSort }] of profiles.entries())
    if (queueSort.name !== profiles[0]!.queueSort.name)
      throw new ConfigError(`profiles[${i}].plugins.queueSort: Invalid value: ${JSON.stringify(queueSort.name)}: has to match for all profiles`);
  const election = spec.leaderElection ?? {};
  return {
    profiles,
    percentageOfNodesToScore: percentage ?? 0,
    podInitialBackoffSeconds: initial,
    podMaxBackoffSeconds: max,
    leaderElection: {
      leaderElect: election.leaderElect ?? true,
      resourceName: election.resourceName || DEFAULT_CONFIG.leaderElection.resourceName,
      resourceNamespace: election.resourceNamespace || DEFAULT_CONFIG.leaderElection.resourceNamespace,
    },
  };
}

function checkedPercentage(value: number | undefined, path: string): number | undefined {
  if (value !== undefined && (value < 0 || value > 100)) throw new ConfigError(`${path}: Invalid value: ${value}: not in valid range [0-100]`);
  return value;
}

/** Defaults without what is disabled; what is enabled again keeps its place with the new weight, the rest follows. */
function merged(defaults: readonly (readonly [string, number])[], { enabled = [], disabled = [] }: PluginSet): readonly (readonly [string, number])[] {
  const off = new Set(disabled.map(({ name }) => name));
  const again = new Map(enabled.map(({ name, weight = 0 }) => [name, weight]));
  const kept = defaults.filter(([name]) => !off.has('*') && !off.has(name)).map(([name, weight]) => [name, again.get(name) ?? weight] as const);
  const known = new Set(kept.map(([name]) => name));
  return [...kept, ...enabled.filter(({ name }) => !known.has(name)).map(({ name, weight = 0 }) => [name, weight] as const)];
}

function profileFrom(schedulerName: string, spec: ProfileSpec, index: number): Profile {
  const args = new Map<string, DeepReadonly<Record<string, unknown>> | undefined>();
  (spec.pluginConfig ?? []).forEach(({ name, args: given }, i) => {
    if (args.has(name)) throw new ConfigError(`profiles[${index}].pluginConfig[${i}]: Duplicate value: ${JSON.stringify(name)}`);
    if (given && ARGS_KINDS.has(name) && given['kind'] !== undefined && given['kind'] !== `${name}Args`)
      throw new ConfigError(
        `decoding .profiles[${index}].pluginConfig[${i}]: args for plugin ${name} were not of type ${name}Args.kubescheduler.config.k8s.io, got ${String(given['kind'])}`,
      );
    args.set(name, given);
  });
  const made = new Map<string, Plugin>();
  const make = (name: string, point: string): Plugin => {
    let plugin = made.get(name);
    if (!plugin) {
      const factory = registry[name];
      if (!factory)
        throw new ConfigError(`initializing profiles: creating profile for scheduler name ${schedulerName}: ${point} ${JSON.stringify(name)} does not exist`);
      try {
        plugin = factory(args.get(name));
      } catch (error) {
        if (error instanceof ConfigError) throw new ConfigError(`profiles[${index}].pluginConfig: ${name}: ${error.message}`);
        throw error;
      }
      made.set(name, plugin);
    }
    return plugin;
  };
  const everywhere = merged(
    DEFAULT_PLUGINS.filter(([name]) => registry[name]),
    spec.plugins?.['multiPoint'] ?? {},
  ).map(([name, weight]): WeightedPlugin => ({ plugin: make(name, 'MultiPointExtension plugin'), weight }));
  const at = (point: string): readonly WeightedPlugin[] => {
    const has = POINTS[point]!;
    const { enabled = [], disabled = [] } = spec.plugins?.[point] ?? {};
    const own = enabled.map(({ name, weight = 0 }): WeightedPlugin => {
      const plugin = make(name, `${point} plugin`);
      if (!plugin[has]) throw new ConfigError(`plugin ${JSON.stringify(name)} does not extend ${point} plugin`);
      return { plugin, weight };
    });
    const off = new Set(disabled.map(({ name }) => name));
    const general = off.has('*') ? [] : everywhere.filter(({ plugin }) => plugin[has] && !off.has(plugin.name));
    const overrides = own.filter(({ plugin }) => general.some((other) => other.plugin === plugin));
    return [...overrides, ...general.filter(({ plugin }) => !own.some((other) => other.plugin === plugin)), ...own.filter((each) => !overrides.includes(each))];
  };
  const plain = (point: string): readonly Plugin[] => at(point).map(({ plugin }) => plugin);
  const sorts = plain('queueSort');
  const named = `for profile with scheduler name ${JSON.stringify(schedulerName)}`;
  if (sorts.length === 0) throw new ConfigError(`at least one queue sort plugin is needed ${named}`);
  if (sorts.length > 1) throw new ConfigError(`only one queue sort plugin required ${named}, but got ${sorts.length}`);
  const bind = plain('bind');
  if (bind.length === 0) throw new ConfigError(`at least one bind plugin is needed ${named}`);
  const points = Object.keys(POINTS).map((point) => [point, plain(point)] as const);
  return {
    schedulerName,
    percentageOfNodesToScore: checkedPercentage(spec.percentageOfNodesToScore, `profiles[${index}].percentageOfNodesToScore`),
    plugins: [...made.values()].filter((plugin) => points.some(([, list]) => list.includes(plugin))),
    preEnqueue: plain('preEnqueue'),
    queueSort: sorts[0]!,
    preFilter: plain('preFilter'),
    filter: plain('filter'),
    postFilter: plain('postFilter'),
    preScore: plain('preScore'),
    score: at('score').map(({ plugin, weight }) => ({ plugin, weight: weight || 1 })),
    reserve: plain('reserve'),
    permit: plain('permit'),
    preBind: plain('preBind'),
    bind,
    postBind: plain('postBind'),
  };
}
