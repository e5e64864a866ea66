/**
 * One decision: which node, if any, and why (upstream `schedule_one.go` schedulePod). Pure: a snapshot in,
 * a decision with every verdict and score out.
 */
import type { DeepReadonly } from '../api/json.ts';
import type { Pod } from '../api/types.gen.ts';
import { CycleState, type FailedAttempt, type Plugin, type PostFilterResult, type Rejection, reject } from './framework.ts';
import { fitError } from './messages.ts';
import type { Profile } from './profile.ts';
import type { NodeInfo, NodeList } from './snapshot.ts';

type P = DeepReadonly<Pod>;

/** The verdicts on rejected nodes, in the order looked at; like a map by node name, which is only made when it is asked. */
export class Verdicts {
  private readonly nodes: NodeInfo[] = [];
  private readonly list: Rejection[] = [];
  private index: Map<string, Rejection> | undefined;

  add(info: NodeInfo, rejection: Rejection): void {
    this.nodes.push(info);
    this.list.push(rejection);
    this.index = undefined;
  }
  get size(): number {
    return this.nodes.length;
  }
  get(name: string): Rejection | undefined {
    this.index ??= new Map(this);
    return this.index.get(name);
  }
  has(name: string): boolean {
    return this.get(name) !== undefined;
  }
  values(): readonly Rejection[] {
    return this.list;
  }
  *[Symbol.iterator](): IterableIterator<[string, Rejection]> {
    for (let i = 0; i < this.nodes.length; i++) yield [this.nodes[i]!.name, this.list[i]!];
  }
}

/** What one plugin gave, in the order of the feasible nodes. */
export interface ScoreColumn {
  readonly plugin: string;
  readonly weight: number;
  readonly raw: readonly number[];
  readonly normalized: readonly number[];
}

export interface Decision {
  /** Undefined: no node will do. */
  readonly node: string | undefined;
  /** How many nodes there are. */
  readonly total: number;
  /** Where among the nodes the search began, and how many were looked at: the next attempt starts after them. */
  readonly start: number;
  readonly evaluated: number;
  /** By node, in the order looked at; the first plugin to reject it. */
  readonly rejections: Verdicts;
  /** What holds of every node that was not looked at, when PreFilter turned them down; undefined when they simply were not needed. */
  readonly rest: Rejection | undefined;
  readonly feasible: readonly NodeInfo[];
  /** Empty when only one was feasible, for then nothing is scored. */
  readonly scores: readonly ScoreColumn[];
  /** Weighted sums, in the order of the feasible nodes. */
  readonly totals: readonly number[];
  /** How many shared the highest total, the chosen one among them. */
  readonly ties: number;
  /** Plugins that had nothing to say about this pod. */
  readonly skipped: { readonly filter: readonly string[]; readonly score: readonly string[] };
  /** `0/4 nodes are available: …`, when there is no node; without what PostFilter adds. */
  readonly message: string;
  readonly state: CycleState;
  /** The filters that ran. */
  readonly filters: readonly Plugin[];
}

export interface ScheduleOptions {
  /** Where among the nodes to begin, so that over time all are looked at. */
  readonly start?: number;
  /** Chooses among equals: an integer from 0 to `n` − 1. Absent: the first. */
  readonly pick?: (n: number) => number;
  /** Pods that preemption cleared a node for, by node; those at least as important as the pod are taken to be there. */
  readonly nominated?: ReadonlyMap<string, readonly P[]>;
  /** What the scheduler as a whole says; 0: by the size of the cluster. */
  readonly percentageOfNodesToScore?: number;
}

const MIN_FEASIBLE = 100;
const MIN_PERCENTAGE = 5;
const NO_NODES: ReadonlyMap<string, readonly P[]> = new Map();

/** How many feasible nodes are enough: all below 100, then a share that falls from 50 % to 5 % (`numFeasibleNodesToFind`). */
export function enoughNodes(total: number, percentage = 0): number {
  if (total < MIN_FEASIBLE) return total;
  const share = percentage > 0 ? percentage : Math.max(MIN_PERCENTAGE, 50 - Math.floor(total / 125));
  return Math.min(total, Math.max(MIN_FEASIBLE, Math.floor((total * share) / 100)));
}

export function schedule(profile: Profile, pod: P, nodes: NodeList, options: ScheduleOptions = {}): Decision {
  const { start = 0, pick = () => 0, nominated = NO_NODES } = options;
  const state = new CycleState(nodes.objects);
  const all = nodes.list();
  let rejections = new Verdicts();
  const filters: Plugin[] = [];
  const skippedFilters: string[] = [];
  const failed = (message: string, evaluated: number, rest?: Rejection): Decision => ({
    node: undefined,
    total: all.length,
    start,
    evaluated,
    rejections,
    rest,
    feasible: [],
    scores: [],
    totals: [],
    ties: 0,
    skipped: { filter: skippedFilters, score: [] },
    message,
    state,
    filters,
  });
  if (all.length === 0) return failed('no nodes available to schedule pods', 0);

  const { allowed, narrowing, refused } = preFilter(profile, state, pod, nodes, filters, skippedFilters);
  if (refused) return failed(`0/${all.length} nodes are available: ${refused.reasons.join(', ')}.`, 0, refused);
  const candidates = allowed ? all.filter(({ name }) => allowed.has(name)) : all;
  const rest = allowed ? reject(narrowing[0]!, `node(s) didn't satisfy plugin(s) [${narrowing.join(' ')}]`, true) : undefined;

  const chosenFirst = pod.status?.nominatedNodeName;
  let feasible: NodeInfo[] = [];
  let evaluated = 0;
  // The node that was cleared for the pod is asked first, and alone if it will do.
  if (chosenFirst) {
    const info = nodes.get(chosenFirst);
    if (info && (!allowed || allowed.has(chosenFirst))) {
      evaluated = 1;
      const rejection = filterNode(filters, state, pod, info, nominated);
      if (rejection) rejections.add(info, rejection);
      else feasible = [info];
    }
  }
  if (feasible.length === 0) {
    const enough = profile.score.length === 0 ? 1 : enoughNodes(candidates.length, profile.percentageOfNodesToScore ?? options.percentageOfNodesToScore ?? 0);
    evaluated = 0;
    rejections = new Verdicts();
    const n = candidates.length;
    let at = n === 0 ? 0 : start % n;
    while (evaluated < n && feasible.length < enough) {
      const info = candidates[at]!;
      evaluated++;
      if (++at === n) at = 0;
      const rejection = filterNode(filters, state, pod, info, nominated);
      if (rejection) rejections.add(info, rejection);
      else feasible.push(info);
    }
  }
  if (feasible.length === 0) return failed(fitError(all.length, rejections, rest), evaluated, rest);
  const decided = (node: NodeInfo, more: Pick<Decision, 'scores' | 'totals' | 'ties' | 'skipped'>): Decision => ({
    node: node.name,
    total: all.length,
    start,
    evaluated,
    rejections,
    rest,
    feasible,
    message: '',
    state,
    filters,
    ...more,
  });
  if (feasible.length === 1) return decided(feasible[0]!, { scores: [], totals: [], ties: 1, skipped: { filter: skippedFilters, score: [] } });

  const skippedScores: string[] = [];
  const scores = score(profile, state, pod, nodes, feasible, skippedScores);
  const totals: number[] = [];
  for (let i = 0; i < feasible.length; i++) totals.push(0);
  for (const { weight, normalized } of scores) for (let i = 0; i < totals.length; i++) totals[i]! += normalized[i]! * weight;
  let best = totals[0]!;
  for (const total of totals) if (total > best) best = total;
  let ties = 0;
  for (const total of totals) if (total === best) ties++;
  let nth = ties === 1 ? 0 : pick(ties);
  let winner = 0;
  for (let i = 0; i < totals.length; i++)
    if (totals[i] === best && nth-- === 0) {
      winner = i;
      break;
    }
  return decided(feasible[winner]!, { scores, totals, ties, skipped: { filter: skippedFilters, score: skippedScores } });
}

function preFilter(
  profile: Profile,
  state: CycleState,
  pod: P,
  nodes: NodeList,
  filters: Plugin[],
  skipped: string[],
): { readonly allowed?: ReadonlySet<string>; readonly narrowing: readonly string[]; readonly refused?: Rejection } {
  let allowed: ReadonlySet<string> | undefined;
  let refused: Rejection | undefined;
  const narrowing: string[] = [];
  const skip = new Set<Plugin>();
  for (const plugin of profile.preFilter) {
    const result = plugin.preFilter!(state, pod, nodes);
    if (result?.skip) {
      skip.add(plugin);
      continue;
    }
    if (result?.reject) {
      // Beyond help: nobody else is asked. Otherwise the rest may still say so.
      if (result.reject.unresolvable) return { narrowing, refused: result.reject };
      refused = result.reject;
      continue;
    }
    if (!result?.nodes) continue;
    narrowing.push(plugin.name);
    const names: ReadonlySet<string> = result.nodes;
    allowed = allowed ? new Set([...allowed].filter((name) => names.has(name))) : names;
    if (allowed.size === 0) {
      const text =
        narrowing.length === 1
          ? `node(s) didn't satisfy plugin ${narrowing[0]}`
          : `node(s) didn't satisfy plugin(s) [${narrowing.sort().join(' ')}] simultaneously`;
      return { narrowing, refused: reject(plugin.name, text, true) };
    }
  }
  if (refused) return { narrowing, refused };
  for (const plugin of profile.filter)
    if (skip.has(plugin)) skipped.push(plugin.name);
    else filters.push(plugin);
  return { ...(allowed ? { allowed } : {}), narrowing };
}

function filterNode(
  filters: readonly Plugin[],
  state: CycleState,
  pod: P,
  info: NodeInfo,
  nominated: ReadonlyMap<string, readonly P[]>,
): Rejection | undefined {
  if (nominated.size > 0 && nominated.has(info.name)) return runFiltersWithNominated(filters, state, pod, info, nominated.get(info.name)!);
  return runFilters(filters, state, pod, info);
}

export function runFilters(filters: readonly Plugin[], state: CycleState, pod: P, info: NodeInfo): Rejection | undefined {
  for (let i = 0; i < filters.length; i++) {
    const rejection = filters[i]!.filter!(state, pod, info);
    if (rejection) return rejection;
  }
  return undefined;
}

/**
 * With the pods for which preemption cleared the node, and, if it passes, again without: they may end up elsewhere
 * (`RunFilterPluginsWithNominatedPods`). Only those of equal or higher priority count.
 */
export function runFiltersWithNominated(filters: readonly Plugin[], state: CycleState, pod: P, info: NodeInfo, nominated: readonly P[]): Rejection | undefined {
  const expected = nominated.filter((other) => (other.spec?.priority ?? 0) >= (pod.spec?.priority ?? 0) && other.metadata.uid !== pod.metadata.uid);
  if (expected.length > 0) {
    const crowded = info.clone();
    const imagined = state.clone();
    for (const other of expected) {
      crowded.add(other);
      for (const plugin of filters) plugin.addPod?.(imagined, pod, other, crowded);
    }
    const rejection = runFilters(filters, imagined, pod, crowded);
    if (rejection) return rejection;
  }
  return runFilters(filters, state, pod, info);
}

function score(profile: Profile, state: CycleState, pod: P, nodes: NodeList, feasible: readonly NodeInfo[], skipped: string[]): readonly ScoreColumn[] {
  const skip = new Set<Plugin>();
  for (const plugin of profile.preScore) if (plugin.preScore!(state, pod, nodes, feasible)?.skip) skip.add(plugin);
  const columns: ScoreColumn[] = [];
  for (const { plugin, weight } of profile.score) {
    if (skip.has(plugin)) {
      skipped.push(plugin.name);
      continue;
    }
    const raw = plugin.scoreAll ? plugin.scoreAll(state, pod, feasible) : feasible.map((info) => plugin.score!(state, pod, info));
    columns.push({ plugin: plugin.name, weight, raw, normalized: plugin.normalize ? plugin.normalize(raw, state, pod, feasible) : raw });
  }
  return columns;
}

/** Asks the profile's PostFilter plugins for a remedy, after a decision without a node. Pure. */
export function postFilter(profile: Profile, pod: P, nodes: NodeList, decision: Decision, options: ScheduleOptions = {}): PostFilterResult {
  const { pick = () => 0, nominated = NO_NODES } = options;
  const nothing: PostFilterResult = { candidates: [], message: '' };
  // Without nodes nothing was filtered, so there is nothing to remedy.
  if (decision.node !== undefined || decision.total === 0) return nothing;
  const { filters } = decision;
  const attempt: FailedAttempt = {
    state: decision.state,
    pod,
    nodes,
    pick,
    rejectionOf: (name) => decision.rejections.get(name) ?? decision.rest,
    passes: (state, info) => runFiltersWithNominated(filters, state, pod, info, nominated.get(info.name) ?? []),
    addPod: (state, other, info) => {
      for (const plugin of filters) plugin.addPod?.(state, pod, other, info);
    },
    removePod: (state, other, info) => {
      for (const plugin of filters) plugin.removePod?.(state, pod, other, info);
    },
  };
  const messages: string[] = [];
  let last = nothing;
  for (const plugin of profile.postFilter) {
    last = plugin.postFilter!(attempt);
    if (last.chosen) return last;
    if (last.message) messages.push(last.message);
  }
  return { ...last, message: messages.join(', ') };
}

/** What the event and the condition say. */
export const wholeMessage = (decision: Decision, remedy: PostFilterResult): string =>
  remedy.message ? `${decision.message} ${remedy.message}` : decision.message;
