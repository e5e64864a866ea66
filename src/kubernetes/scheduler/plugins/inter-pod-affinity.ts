/**
 * InterPodAffinity: pods that must, must not, or would rather (not) share a topology domain with others.
 * Existing pods' anti-affinity is honoured too, and their preferences count (`interpodaffinity/filtering.go`, `scoring.go`).
 */
import type { DeepReadonly } from '../../api/json.ts';
import type { Node, Pod } from '../../api/types.gen.ts';
import { ConfigError, constant, MAX_NODE_SCORE, type Objects, type Plugin, type PluginFactory, reject } from '../framework.ts';
import type { NodeInfo, NodeList } from '../snapshot.ts';
import type { Domains } from '../tally.ts';
import { bump } from '../tally.ts';
import { type Labels, namespaceLabelsOf, type Term, termMatches, termsOf } from '../terms.ts';

type P = DeepReadonly<Pod>;
const NAME = 'InterPodAffinity';
const SCORES = `${NAME}/scores`;
const AFFINITY = reject(NAME, "node(s) didn't match pod affinity rules", true);
const ANTI_AFFINITY = reject(NAME, "node(s) didn't match pod anti-affinity rules");
const EXISTING = reject(NAME, "node(s) didn't satisfy existing pods anti-affinity rules");

/** Counts by value of one topology key: of the cluster as it is, and how a trial differs from it. */
class Counts {
  private changes: Map<string, number> | undefined;
  constructor(
    readonly key: string,
    private readonly bases: readonly Domains[],
  ) {}
  at(info: NodeInfo): number {
    const value = info.labels?.[this.key];
    if (value === undefined) return 0;
    if (this.bases.length === 1 && !this.changes) return this.bases[0]!.get(value) ?? 0;
    let n = this.changes?.get(value) ?? 0;
    for (const base of this.bases) n += base.get(value) ?? 0;
    return n;
  }
  change(info: NodeInfo, by: number): void {
    this.changes ??= new Map();
    bump(this.changes, info.labels?.[this.key], by);
  }
  get empty(): boolean {
    if (!this.changes) return this.bases.every((base) => base.size === 0);
    const values = new Set([...this.changes.keys(), ...this.bases.flatMap((base) => [...base.keys()])]);
    for (const value of values) {
      let n = this.changes.get(value) ?? 0;
      for (const base of this.bases) n += base.get(value) ?? 0;
      if (n > 0) return false;
    }
    return true;
  }
  clone(): Counts {
    const copy = new Counts(this.key, this.bases);
    if (this.changes) copy.changes = new Map(this.changes);
    return copy;
  }
}

/** What the filter reads. */
class Filtering {
  constructor(
    readonly affinityTerms: readonly Term[],
    readonly antiAffinityTerms: readonly Term[],
    /** One for each term: domains of pods that match all affinity terms; of pods that match this anti-affinity term. */
    readonly affinity: readonly Counts[],
    readonly antiAffinity: readonly Counts[],
    /** One for each topology key: where somebody already there wants the incoming pod kept out. */
    readonly unwelcome: Counts[],
    readonly own: boolean,
    readonly namespaceLabels: Labels,
  ) {}
  clone(): Filtering {
    const copy = (list: readonly Counts[]) => list.map((counts) => counts.clone());
    return new Filtering(
      this.affinityTerms,
      this.antiAffinityTerms,
      copy(this.affinity),
      copy(this.antiAffinity),
      copy(this.unwelcome),
      this.own,
      this.namespaceLabels,
    );
  }
  /** `other` comes to the node (1) or leaves it (−1). */
  change(pod: P, other: P, info: NodeInfo, by: number): void {
    for (const term of termsOf(other).requiredAntiAffinity) {
      if (!termMatches(term, pod, this.namespaceLabels)) continue;
      let counts = this.unwelcome.find(({ key }) => key === term.topologyKey);
      if (!counts) {
        counts = new Counts(term.topologyKey, []);
        this.unwelcome.push(counts);
      }
      counts.change(info, by);
    }
    if (this.affinityTerms.length > 0 && this.affinityTerms.every((term) => termMatches(term, other, undefined)))
      for (const counts of this.affinity) counts.change(info, by);
    this.antiAffinityTerms.forEach((term, i) => {
      if (termMatches(term, other, undefined)) this.antiAffinity[i]!.change(info, by);
    });
  }
}

/** The incoming pod's term with its namespaceSelector turned into the namespaces that there are (`mergeAffinityTermNamespacesIfNotEmpty`). */
function resolved(term: Term, objects: Objects): Term {
  if (!term.namespaceSelector || term.namespaceSelector.empty) return term;
  const selected = objects
    .list('Namespace')
    .filter(({ metadata }) => term.namespaceSelector!.matches(metadata.labels))
    .map(({ metadata }) => metadata.name!);
  const namespaces = [...new Set([...term.namespaces, ...selected])].sort();
  return { ...term, namespaces, namespaceSelector: undefined, id: `${term.id}|${namespaces.join(',')}` };
}
const resolveAll = (terms: readonly Term[], objects: Objects): readonly Term[] =>
  terms.some((term) => term.namespaceSelector) ? terms.map((term) => resolved(term, objects)) : terms;

const tallyOf = (nodes: NodeList, term: Term) => nodes.tally(`term|${term.id}`, (pod) => termMatches(term, pod, undefined));

function prepare(pod: P, nodes: NodeList): Filtering | undefined {
  const own = termsOf(pod);
  const affinityTerms = resolveAll(own.requiredAffinity, nodes.objects);
  const antiAffinityTerms = resolveAll(own.requiredAntiAffinity, nodes.objects);
  const namespaceLabels = namespaceLabelsOf(nodes.objects, pod.metadata.namespace ?? '');
  const bases = new Map<string, Domains[]>();
  for (const { as, term, holders } of nodes.terms.groups) {
    if (as !== 'requiredAntiAffinity' || !termMatches(term, pod, namespaceLabels)) continue;
    const domains = holders.domains(term.topologyKey);
    if (domains.size === 0) continue;
    const known = bases.get(term.topologyKey);
    if (known) known.push(domains);
    else bases.set(term.topologyKey, [domains]);
  }
  if (bases.size === 0 && affinityTerms.length === 0 && antiAffinityTerms.length === 0) return undefined;
  // All affinity terms must hold of one pod for it to count.
  const all =
    affinityTerms.length === 0
      ? undefined
      : nodes.tally(`terms|${affinityTerms.map((term) => term.id).join('|')}`, (other) => affinityTerms.every((term) => termMatches(term, other, undefined)));
  return new Filtering(
    affinityTerms,
    antiAffinityTerms,
    affinityTerms.map((term) => new Counts(term.topologyKey, [all!.domains(term.topologyKey)])),
    antiAffinityTerms.map((term) => new Counts(term.topologyKey, [tallyOf(nodes, term).domains(term.topologyKey)])),
    [...bases].map(([key, list]) => new Counts(key, list)),
    affinityTerms.length > 0 && affinityTerms.every((term) => termMatches(term, pod, undefined)),
    namespaceLabels,
  );
}

/** One contribution to the scores: so many points for each counted pod in the node's domain. */
interface Contribution {
  readonly key: string;
  readonly domains: Domains;
  readonly points: number;
}

function contributions(pod: P, nodes: NodeList, hardWeight: number): Contribution[] {
  const list: Contribution[] = [];
  const give = (key: string, domains: Domains, points: number): void => {
    if (domains.size > 0) list.push({ key, domains, points });
  };
  const own = termsOf(pod);
  for (const term of resolveAll(own.preferredAffinity, nodes.objects)) give(term.topologyKey, tallyOf(nodes, term).domains(term.topologyKey), term.weight);
  for (const term of resolveAll(own.preferredAntiAffinity, nodes.objects)) give(term.topologyKey, tallyOf(nodes, term).domains(term.topologyKey), -term.weight);
  const namespaceLabels = namespaceLabelsOf(nodes.objects, pod.metadata.namespace ?? '');
  for (const { as, term, holders } of nodes.terms.groups) {
    // Company that others require of us counts a little: hardPodAffinityWeight.
    const points = as === 'preferredAffinity' ? term.weight : as === 'preferredAntiAffinity' ? -term.weight : as === 'requiredAffinity' ? hardWeight : 0;
    if (as === 'requiredAntiAffinity' || (as === 'requiredAffinity' && hardWeight === 0)) continue;
    if (termMatches(term, pod, namespaceLabels)) give(term.topologyKey, holders.domains(term.topologyKey), points);
  }
  return list;
}

/** Few contributions are read as they are; many are added up first. */
function merged(list: readonly Contribution[]): readonly Contribution[] {
  if (list.length <= 3) return list;
  const sums = new Map<string, Map<string, number>>();
  for (const { key, domains, points } of list) {
    let sum = sums.get(key);
    if (!sum) {
      sum = new Map();
      sums.set(key, sum);
    }
    for (const [value, n] of domains) sum.set(value, (sum.get(value) ?? 0) + n * points);
  }
  return [...sums].map(([key, domains]) => ({ key, domains, points: 1 }));
}

const matchesAny = (terms: readonly Term[], pod: P, objects: Objects): boolean =>
  terms.some((term) => termMatches(term, pod, namespaceLabelsOf(objects, pod.metadata.namespace ?? '')));
const matchesAll = (terms: readonly Term[], pod: P, objects: Objects): boolean =>
  terms.length > 0 && terms.every((term) => termMatches(term, pod, namespaceLabelsOf(objects, pod.metadata.namespace ?? '')));

const selectsNamespaces = (pod: P): boolean =>
  Object.values(termsOf(pod)).some((terms: readonly Term[]) => terms.some((term) => term.namespaceSelector && !term.namespaceSelector.empty));

/** Args: `hardPodAffinityWeight` (1; 0 to 100), `ignorePreferredTermsOfExistingPods` (false). */
export const interPodAffinity: PluginFactory = (args) => {
  const hardWeight = (args?.['hardPodAffinityWeight'] as number | undefined) ?? 1;
  if (hardWeight < 0 || hardWeight > 100) throw new ConfigError(`hardPodAffinityWeight: Invalid value: ${hardWeight}: not in valid range [0, 100]`);
  const ignoreExisting = args?.['ignorePreferredTermsOfExistingPods'] === true;
  const plugin: Plugin = {
    name: NAME,
    needs: (pod, nodes) => (selectsNamespaces(pod) || nodes.terms.selecting > 0 ? ['Namespace'] : []),
    preFilter: (state, pod, nodes) => {
      const filtering = prepare(pod, nodes);
      state.set(NAME, filtering);
      return filtering ? undefined : { skip: true };
    },
    addPod: (state, pod, other, info) => (state.get(NAME) as Filtering | undefined)?.change(pod, other, info, 1),
    removePod: (state, pod, other, info) => (state.get(NAME) as Filtering | undefined)?.change(pod, other, info, -1),
    filter: (state, _pod, info) => {
      const { affinity, antiAffinity, unwelcome, own } = state.get(NAME) as Filtering;
      if (affinity.length > 0) {
        const { labels } = info;
        let satisfied = true;
        for (const counts of affinity) {
          if (labels?.[counts.key] === undefined) return AFFINITY;
          if (counts.at(info) <= 0) satisfied = false;
        }
        // The first of a group that wants its own company may go anywhere.
        if (!satisfied && !(own && affinity.every((counts) => counts.empty))) return AFFINITY;
      }
      for (let i = 0; i < antiAffinity.length; i++) if (antiAffinity[i]!.at(info) > 0) return ANTI_AFFINITY;
      for (let i = 0; i < unwelcome.length; i++) if (unwelcome[i]!.at(info) > 0) return EXISTING;
      return undefined;
    },
    preScore: (state, pod, nodes) => {
      const own = termsOf(pod);
      if (ignoreExisting && own.preferredAffinity.length === 0 && own.preferredAntiAffinity.length === 0) return { skip: true };
      const list = contributions(pod, nodes, hardWeight);
      if (list.length === 0) return { skip: true };
      state.set(SCORES, merged(list));
      return undefined;
    },
    score: (state, _pod, info) => {
      const { labels } = info;
      if (!labels) return 0;
      let sum = 0;
      for (const { key, domains, points } of state.get(SCORES) as readonly Contribution[]) {
        const value = labels[key];
        if (value !== undefined) sum += (domains.get(value) ?? 0) * points;
      }
      return sum;
    },
    normalize: (scores) => {
      let min = scores[0] ?? 0;
      let max = min;
      for (const score of scores) {
        if (score < min) min = score;
        if (score > max) max = score;
      }
      const spread = max - min;
      if (spread === 0) return constant(scores.length, 0);
      // In upstream's order of operations: 29 of 100 becomes 28.999…, and 28.
      return scores.map((score) => Math.trunc(MAX_NODE_SCORE * ((score - min) / spread)));
    },
    events: [
      {
        resource: 'Pod',
        actions: ['Add', 'UpdatePodLabel', 'Delete'],
        hint: (pod, { before, after }, objects) => {
          const was = before as P | undefined;
          const is = after as P | undefined;
          if (is && is.metadata.uid === pod.metadata.uid) return true;
          if ((is ?? was)?.spec?.nodeName === undefined) return false;
          const { requiredAffinity, requiredAntiAffinity } = termsOf(pod);
          if (was && is)
            return (
              (matchesAll(requiredAffinity, is, objects) && !matchesAll(requiredAffinity, was, objects)) ||
              (matchesAny(requiredAntiAffinity, was, objects) && !matchesAny(requiredAntiAffinity, is, objects))
            );
          if (is) return matchesAll(requiredAffinity, is, objects);
          return matchesAny(requiredAntiAffinity, was!, objects) || matchesAny(termsOf(was!).requiredAntiAffinity, pod, objects);
        },
      },
      {
        resource: 'Node',
        actions: ['Add', 'UpdateNodeLabel'],
        hint: (pod, { before, after }) => {
          const is = (after as DeepReadonly<Node>).metadata.labels;
          const was = (before as DeepReadonly<Node> | undefined)?.metadata.labels;
          const { requiredAffinity, requiredAntiAffinity } = termsOf(pod);
          for (const { topologyKey } of requiredAffinity)
            if (is?.[topologyKey] !== undefined && (!before || was?.[topologyKey] !== is[topologyKey])) return true;
          // Of anti-affinity, a node that lost the label or moved elsewhere is free of it too.
          for (const { topologyKey } of requiredAntiAffinity) if (!before || was?.[topologyKey] !== is?.[topologyKey]) return true;
          // Turned down for the sake of those already there: a new domain has none of them.
          return requiredAffinity.length === 0 && requiredAntiAffinity.length === 0;
        },
      },
    ],
  };
  return plugin;
};
