/**
 * InterPodAffinity: pods that must, must not, or would rather (not) share a topology domain with others.
 * Existing pods' anti-affinity is honoured too (`interpodaffinity/filtering.go`, `scoring.go`).
 *
 * Here simplified: namespaceSelector matches all namespaces when empty and otherwise is evaluated as if
 * namespaces carried only `kubernetes.io/metadata.name`.
 */
import type { DeepReadonly } from '../../api/json.ts';
import { selectorOf } from '../../api/selector.ts';
import type { Pod, PodAffinityTerm } from '../../api/types.gen.ts';
import { MAX_NODE_SCORE, type Plugin, reject } from '../framework.ts';
import type { NodeInfo, NodeList } from '../snapshot.ts';

type Term = DeepReadonly<PodAffinityTerm>;
type P = DeepReadonly<Pod>;

/** Does `term` of `owner` speak of `other`? */
function concerns(term: Term, owner: P, other: P): boolean {
  const namespaces = term.namespaces ?? [];
  const selector = term.namespaceSelector;
  const namespace = other.metadata.namespace ?? '';
  const inNamespace =
    namespaces.includes(namespace) ||
    (selector ? selectorOf(selector).matches({ 'kubernetes.io/metadata.name': namespace }) : namespaces.length === 0 && namespace === owner.metadata.namespace);
  if (!inNamespace || !term.labelSelector) return false;
  for (const key of term.matchLabelKeys ?? []) if (owner.metadata.labels?.[key] !== other.metadata.labels?.[key]) return false;
  for (const key of term.mismatchLabelKeys ?? []) if (owner.metadata.labels?.[key] === other.metadata.labels?.[key]) return false;
  return selectorOf(term.labelSelector).matches(other.metadata.labels);
}

const requiredAffinity = (pod: P): readonly Term[] => pod.spec?.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
const requiredAntiAffinity = (pod: P): readonly Term[] => pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
const preferredAffinity = (pod: P) => pod.spec?.affinity?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
const preferredAntiAffinity = (pod: P) => pod.spec?.affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];

/** Counts by `topologyKey=value`. */
type Domains = Map<string, number>;
const domainOf = (info: NodeInfo, key: string): string | undefined => {
  const value = info.node.metadata.labels?.[key];
  return value === undefined ? undefined : `${key}=${value}`;
};
const bump = (domains: Domains, domain: string | undefined, by: number): void => {
  if (domain !== undefined) domains.set(domain, (domains.get(domain) ?? 0) + by);
};

interface Filtering {
  readonly affinity: readonly Domains[];
  readonly antiAffinity: readonly Domains[];
  /** Domains where somebody already there wants the incoming pod kept out. */
  readonly unwelcome: Domains;
  readonly nobodyYet: boolean;
}

function prepare(pod: P, snapshot: NodeList): Filtering {
  const affinity = requiredAffinity(pod).map((): Domains => new Map());
  const antiAffinity = requiredAntiAffinity(pod).map((): Domains => new Map());
  const unwelcome: Domains = new Map();
  for (const info of snapshot.list()) {
    for (const other of info.pods.values()) {
      for (const term of requiredAntiAffinity(other)) if (concerns(term, other, pod)) bump(unwelcome, domainOf(info, term.topologyKey), 1);
      // All affinity terms must hold of one pod for it to count.
      if (requiredAffinity(pod).length > 0 && requiredAffinity(pod).every((term) => concerns(term, pod, other))) {
        requiredAffinity(pod).forEach((term, i) => {
          bump(affinity[i]!, domainOf(info, term.topologyKey), 1);
        });
      }
      requiredAntiAffinity(pod).forEach((term, i) => {
        if (concerns(term, pod, other)) bump(antiAffinity[i]!, domainOf(info, term.topologyKey), 1);
      });
    }
  }
  return { affinity, antiAffinity, unwelcome, nobodyYet: affinity.every((domains) => domains.size === 0) };
}

export const interPodAffinity: Plugin = {
  name: 'InterPodAffinity',
  weight: 2,
  preFilter: (state, pod, snapshot) => {
    const filtering = prepare(pod, snapshot);
    if (filtering.unwelcome.size === 0 && requiredAffinity(pod).length === 0 && requiredAntiAffinity(pod).length === 0) return { skip: true };
    state.set('affinity', filtering);
    return undefined;
  },
  filter: (state, pod, info) => {
    const { affinity, antiAffinity, unwelcome, nobodyYet } = state.get('affinity') as Filtering;
    const terms = requiredAffinity(pod);
    if (terms.length > 0) {
      const labelled = terms.every((term) => domainOf(info, term.topologyKey) !== undefined);
      const satisfied = labelled && terms.every((term, i) => (affinity[i]!.get(domainOf(info, term.topologyKey)!) ?? 0) > 0);
      // The first of a group that wants its own company may go anywhere.
      const first = labelled && nobodyYet && terms.every((term) => concerns(term, pod, pod));
      if (!satisfied && !first) return reject('InterPodAffinity', "node(s) didn't match pod affinity rules", true);
    }
    for (const [i, term] of requiredAntiAffinity(pod).entries()) {
      const domain = domainOf(info, term.topologyKey);
      if (domain !== undefined && (antiAffinity[i]!.get(domain) ?? 0) > 0) return reject('InterPodAffinity', "node(s) didn't match pod anti-affinity rules");
    }
    for (const domain of unwelcome.keys()) {
      const key = domain.slice(0, domain.indexOf('='));
      if (domainOf(info, key) === domain) return reject('InterPodAffinity', "node(s) didn't satisfy existing pods anti-affinity rules");
    }
    return undefined;
  },
  preScore: (state, pod, snapshot) => {
    const scores: Domains = new Map();
    for (const info of snapshot.list()) {
      for (const other of info.pods.values()) {
        for (const { weight = 0, podAffinityTerm: term } of preferredAffinity(pod))
          if (term && concerns(term, pod, other)) bump(scores, domainOf(info, term.topologyKey), weight);
        for (const { weight = 0, podAffinityTerm: term } of preferredAntiAffinity(pod))
          if (term && concerns(term, pod, other)) bump(scores, domainOf(info, term.topologyKey), -weight);
        for (const { weight = 0, podAffinityTerm: term } of preferredAffinity(other))
          if (term && concerns(term, other, pod)) bump(scores, domainOf(info, term.topologyKey), weight);
        for (const { weight = 0, podAffinityTerm: term } of preferredAntiAffinity(other))
          if (term && concerns(term, other, pod)) bump(scores, domainOf(info, term.topologyKey), -weight);
        // HardPodAffinityWeight, 1 by default: company that others require of us counts a little.
        for (const term of requiredAffinity(other)) if (concerns(term, other, pod)) bump(scores, domainOf(info, term.topologyKey), 1);
      }
    }
    state.set('affinity/scores', scores);
    return scores.size === 0 ? { skip: true } : undefined;
  },
  score: (state, _pod, info) => {
    let sum = 0;
    for (const [domain, score] of state.get('affinity/scores') as Domains) if (domainOf(info, domain.slice(0, domain.indexOf('='))) === domain) sum += score;
    return sum;
  },
  normalize: (scores) => {
    const min = Math.min(...scores);
    const spread = Math.max(...scores) - min;
    return scores.map((score) => (spread === 0 ? 0 : Math.floor((MAX_NODE_SCORE * (score - min)) / spread)));
  },
};
