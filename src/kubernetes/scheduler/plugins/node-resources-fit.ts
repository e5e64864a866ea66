/**
 * NodeResourcesFit: what the pod asks for must be free; scored LeastAllocated unless told otherwise, so that load
 * spreads (`noderesources/fit.go`).
 */
import type { DeepReadonly } from '../../api/json.ts';
import type { Node, Pod } from '../../api/types.gen.ts';
import { type Plugin, type PluginFactory, reject } from '../framework.ts';
import { amountOf, demandOf, type Resources } from '../resources.ts';
import { NodeInfo } from '../snapshot.ts';
import { CPU_AND_MEMORY, leastAllocated, scoreWith, strategyOf } from './resource-scoring.ts';

const NAME = 'NodeResourcesFit';
const SCORE = `${NAME}/score`;

const NOTHING_IGNORED: ReadonlySet<string> = new Set();

/** Each resource that is short, in upstream's order, and whether it could never fit there even if the node were empty. */
export function insufficient(
  pod: Resources,
  info: NodeInfo,
  ignored: ReadonlySet<string> = NOTHING_IGNORED,
  ignoredGroups: ReadonlySet<string> = NOTHING_IGNORED,
): { readonly reasons: readonly string[]; readonly unresolvable: boolean } | undefined {
  let reasons: string[] | undefined;
  let unresolvable = false;
  const { requested, allocatable } = info;
  const short = (name: string, wanted: number, capacity: number): void => {
    reasons ??= [];
    reasons.push(`Insufficient ${name}`);
    if (wanted > capacity) unresolvable = true;
  };
  if (info.pods.size + 1 > info.allowedPods) reasons = ['Too many pods'];
  if (pod.cpu > 0 && pod.cpu > allocatable.cpu - requested.cpu) short('cpu', pod.cpu, allocatable.cpu);
  if (pod.memory > 0 && pod.memory > allocatable.memory - requested.memory) short('memory', pod.memory, allocatable.memory);
  if (pod.ephemeralStorage > 0 && pod.ephemeralStorage > allocatable.ephemeralStorage - requested.ephemeralStorage)
    short('ephemeral-storage', pod.ephemeralStorage, allocatable.ephemeralStorage);
  if (pod.scalar.size > 0)
    for (const [name, wanted] of pod.scalar) {
      if (wanted === 0) continue;
      // Only extended resources (those with a domain) can be ignored.
      if (name.includes('/') && (ignored.has(name) || ignoredGroups.has(name.slice(0, name.indexOf('/'))))) continue;
      const capacity = allocatable.scalar.get(name) ?? 0;
      if (wanted > capacity - (requested.scalar.get(name) ?? 0)) short(name, wanted, capacity);
    }
  return reasons && { reasons, unresolvable };
}

const RESOURCES = (resources: Resources): readonly string[] => ['cpu', 'memory', 'ephemeral-storage', ...resources.scalar.keys()];

/** Args: `ignoredResources`, `ignoredResourceGroups`, `scoringStrategy`. */
export const nodeResourcesFit: PluginFactory = (args) => {
  const ignored = new Set((args?.['ignoredResources'] as readonly string[] | undefined) ?? []);
  const ignoredGroups = new Set((args?.['ignoredResourceGroups'] as readonly string[] | undefined) ?? []);
  const strategy = strategyOf(args);
  const plain = strategy.type === 'LeastAllocated' && strategy.resources === CPU_AND_MEMORY;
  const fitsEmpty = (pod: DeepReadonly<Pod>, node: DeepReadonly<Node>): boolean =>
    insufficient(demandOf(pod).requests, new NodeInfo(node), ignored, ignoredGroups) === undefined;
  const scoreOf = (info: NodeInfo, wanted: Resources): number => {
    if (plain) {
      const score = leastAllocated(info, wanted);
      if (score >= 0) return score;
    }
    return scoreWith(strategy, info, wanted);
  };
  const plugin: Plugin = {
    name: NAME,
    preFilter: (state, pod) => {
      state.set(NAME, demandOf(pod).requests);
      return undefined;
    },
    filter: (state, _pod, info) => {
      const short = insufficient(state.get(NAME) as Resources, info, ignored, ignoredGroups);
      return short && reject(NAME, short.reasons, short.unresolvable);
    },
    preScore: (state, pod) => {
      state.set(SCORE, demandOf(pod).nonZero);
      return undefined;
    },
    score: (state, _pod, info) => scoreOf(info, state.get(SCORE) as Resources),
    scoreAll: (state, _pod, feasible) => {
      const wanted = state.get(SCORE) as Resources;
      return feasible.map((info) => scoreOf(info, wanted));
    },
    events: [
      {
        resource: 'Pod',
        actions: ['Delete', 'UpdatePodScaleDown'],
        hint: (pod, { before, after }) => {
          const was = before as DeepReadonly<Pod>;
          if (!after) return was.spec?.nodeName !== undefined || was.status?.nominatedNodeName !== undefined;
          // The pod itself asks for less now, or a placed one gave back what this one asks for.
          if (after.metadata.uid === pod.metadata.uid) return true;
          const is = after as DeepReadonly<Pod>;
          if (is.spec?.nodeName === undefined) return false;
          const wanted = demandOf(pod).requests;
          const [had, has] = [demandOf(was).requests, demandOf(is).requests];
          return RESOURCES(wanted).some((name) => amountOf(wanted, name) > 0 && amountOf(had, name) > amountOf(has, name));
        },
      },
      {
        resource: 'Node',
        actions: ['Add', 'UpdateNodeAllocatable'],
        hint: (pod, { before, after }) => {
          const is = after as DeepReadonly<Node>;
          if (!fitsEmpty(pod, is)) return false;
          if (!before) return true;
          const was = before as DeepReadonly<Node>;
          const wanted = demandOf(pod).requests;
          const [had, has] = [new NodeInfo(was), new NodeInfo(is)];
          return (
            has.allowedPods > had.allowedPods ||
            RESOURCES(wanted).some((name) => amountOf(wanted, name) > 0 && amountOf(has.allocatable, name) > amountOf(had.allocatable, name)) ||
            !fitsEmpty(pod, was)
          );
        },
      },
    ],
  };
  return plugin;
};
