/**
 * Affinity terms: what one says, and the book of those held by placed pods. Pods of one workload hold equal terms;
 * the book keeps each once, with how many hold it where, so that an incoming pod is compared with terms, not with pods.
 */
import type { DeepReadonly } from '../api/json.ts';
import { type Selector, selectorOf } from '../api/selector.ts';
import type { Pod, PodAffinityTerm } from '../api/types.gen.ts';
import type { Objects } from './framework.ts';
import type { NodeInfo } from './snapshot.ts';
import { Tally } from './tally.ts';

type P = DeepReadonly<Pod>;
export type Labels = Readonly<Record<string, string | undefined>> | undefined;

/** A term as its owner means it (upstream `framework.AffinityTerm`). */
export interface Term {
  readonly topologyKey: string;
  readonly namespaces: readonly string[];
  readonly namespaceSelector: Selector | undefined;
  readonly selector: Selector;
  /** (mis)matchLabelKeys of the owner, as further requirements. The API server writes them into labelSelector; a term may come with either. */
  readonly same: readonly (readonly [string, string])[];
  readonly other: readonly (readonly [string, string])[];
  /** Equal for equal terms. */
  readonly id: string;
  readonly weight: number;
}

const NO_TERMS: readonly Term[] = [];

function termOf(owner: P, term: DeepReadonly<PodAffinityTerm>, weight: number): Term {
  const ownerLabels = owner.metadata.labels;
  const pairs = (keys: readonly string[] | undefined): (readonly [string, string])[] =>
    term.labelSelector ? (keys ?? []).flatMap((key) => (ownerLabels?.[key] === undefined ? [] : [[key, ownerLabels[key]!] as const])) : [];
  // Neither namespaces nor a selector of them: the owner's own.
  const namespaces = (term.namespaces ?? []).length === 0 && !term.namespaceSelector ? [owner.metadata.namespace ?? ''] : (term.namespaces ?? []);
  const same = pairs(term.matchLabelKeys);
  const other = pairs(term.mismatchLabelKeys);
  return {
    topologyKey: term.topologyKey,
    namespaces,
    namespaceSelector: term.namespaceSelector ? selectorOf(term.namespaceSelector) : undefined,
    selector: selectorOf(term.labelSelector),
    same,
    other,
    id: JSON.stringify([term.topologyKey, namespaces, term.namespaceSelector ?? null, term.labelSelector ?? null, same, other]),
    weight,
  };
}

/** `namespaceLabels`: of the pod asked about; needed only by terms with a namespaceSelector. */
export function termMatches(term: Term, pod: P, namespaceLabels: Labels): boolean {
  const namespace = pod.metadata.namespace ?? '';
  if (!term.namespaces.includes(namespace) && !term.namespaceSelector?.matches(namespaceLabels)) return false;
  const labels = pod.metadata.labels;
  if (!term.selector.matches(labels)) return false;
  for (const [key, value] of term.same) if (labels?.[key] !== value) return false;
  for (const [key, value] of term.other) if (labels?.[key] === value) return false;
  return true;
}

/** The namespace's labels; those every namespace has, where the namespace is not known. */
export const namespaceLabelsOf = (objects: Objects, namespace: string): Labels =>
  objects.get('Namespace', namespace)?.metadata.labels ?? { 'kubernetes.io/metadata.name': namespace };

export interface PodTerms {
  readonly requiredAffinity: readonly Term[];
  readonly requiredAntiAffinity: readonly Term[];
  readonly preferredAffinity: readonly Term[];
  readonly preferredAntiAffinity: readonly Term[];
}
const NONE: PodTerms = { requiredAffinity: NO_TERMS, requiredAntiAffinity: NO_TERMS, preferredAffinity: NO_TERMS, preferredAntiAffinity: NO_TERMS };
const known = new WeakMap<object, PodTerms>();

/** A pod's own terms, kept by identity. */
export function termsOf(pod: P): PodTerms {
  const affinity = pod.spec?.affinity;
  if (!affinity || (!affinity.podAffinity && !affinity.podAntiAffinity)) return NONE;
  let terms = known.get(pod);
  if (!terms) {
    const required = (list: readonly DeepReadonly<PodAffinityTerm>[] | undefined) => (list ?? []).map((term) => termOf(pod, term, 0));
    const preferred = (
      list: DeepReadonly<NonNullable<NonNullable<typeof affinity.podAffinity>['preferredDuringSchedulingIgnoredDuringExecution']>> | undefined,
    ) => (list ?? []).flatMap(({ weight = 0, podAffinityTerm }) => (podAffinityTerm ? [termOf(pod, podAffinityTerm, weight)] : []));
    terms = {
      requiredAffinity: required(affinity.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
      requiredAntiAffinity: required(affinity.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
      preferredAffinity: preferred(affinity.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
      preferredAntiAffinity: preferred(affinity.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    };
    known.set(pod, terms);
  }
  return terms;
}

export type HeldAs = keyof PodTerms;
export type HeldTerms = readonly (readonly [HeldAs, Term])[];

/** One term with everybody who holds it as the same kind and weight. */
export interface HeldTerm {
  readonly as: HeldAs;
  readonly term: Term;
  readonly holders: Tally;
}

export function heldTermsOf(pod: P): HeldTerms | undefined {
  const terms = termsOf(pod);
  if (terms === NONE) return undefined;
  return (Object.keys(terms) as HeldAs[]).flatMap((as) => terms[as].map((term) => [as, term] as const));
}

export class TermBook {
  private readonly byId = new Map<string, HeldTerm>();
  /** How many of the terms held select namespaces by their labels. */
  selecting = 0;

  get groups(): Iterable<HeldTerm> {
    return this.byId.values();
  }
  get size(): number {
    return this.byId.size;
  }

  count(info: NodeInfo, held: HeldTerms, by: 1 | -1): void {
    for (const [as, term] of held) {
      const id = `${as}|${term.weight}|${term.id}`;
      let group = this.byId.get(id);
      if (!group) {
        group = { as, term, holders: new Tally() };
        this.byId.set(id, group);
        if (term.namespaceSelector && !term.namespaceSelector.empty) this.selecting++;
      }
      group.holders.count(info, by);
      if (group.holders.total > 0) continue;
      this.byId.delete(id);
      if (term.namespaceSelector && !term.namespaceSelector.empty) this.selecting--;
    }
  }

  forgetDomains(): void {
    for (const { holders } of this.byId.values()) holders.forgetDomains();
  }
}
