/**
 * Counts of pods by where they are, kept up pod by pod: the reason why affinity and spreading cost nothing to begin.
 *
 * Upstream walks every pod of the cluster at the start of each attempt (`interpodaffinity/filtering.go`,
 * `podtopologyspread/filtering.go`). Here a question once asked ("pods of namespace a that match app=web") stays
 * registered: each pod that comes or goes is counted for those it answers to, so the next attempt reads the answer.
 * A question nobody asked for a while is dropped.
 */
import type { DeepReadonly } from '../api/json.ts';
import type { Pod } from '../api/types.gen.ts';
import type { NodeInfo } from './snapshot.ts';

/** By topology value. */
export type Domains = ReadonlyMap<string, number>;

/** How many of the pods meant are on which node, and in which domain. */
export class Tally {
  readonly perNode = new Map<NodeInfo, number>();
  private readonly domainsOf = new Map<string, Map<string, number>>();
  total = 0;
  /** When it was last asked for, in asks. */
  used = 0;

  /** @param by how much one more pod counts */
  count(info: NodeInfo, by: number): void {
    const now = (this.perNode.get(info) ?? 0) + by;
    if (now === 0) this.perNode.delete(info);
    else this.perNode.set(info, now);
    this.total += by;
    for (const [key, domains] of this.domainsOf) bump(domains, info.labels?.[key], by);
  }

  /** Counts by the value of a node label; nodes without it do not count. Domains without pods are absent. */
  domains(topologyKey: string): Domains {
    let domains = this.domainsOf.get(topologyKey);
    if (!domains) {
      domains = new Map();
      for (const [info, n] of this.perNode) bump(domains, info.labels?.[topologyKey], n);
      this.domainsOf.set(topologyKey, domains);
    }
    return domains;
  }

  /** A node's labels are about to change, or have: what was derived from them is derived anew when asked. */
  forgetDomains(): void {
    this.domainsOf.clear();
  }
}

export function bump(domains: Map<string, number>, value: string | undefined, by: number): void {
  if (value === undefined) return;
  const now = (domains.get(value) ?? 0) + by;
  if (now === 0) domains.delete(value);
  else domains.set(value, now);
}

const QUESTIONS = 512;

/** The questions asked so far, with their answers. */
export class Tallies {
  private readonly questions = new Map<string, { readonly tally: Tally; readonly matches: (pod: DeepReadonly<Pod>) => boolean }>();
  private asks = 0;

  /**
   * @param id names the question; equal ids mean equal questions
   * @param matches must depend on nothing but the pod
   */
  of(id: string, nodes: Iterable<NodeInfo>, matches: (pod: DeepReadonly<Pod>) => boolean): Tally {
    let question = this.questions.get(id);
    if (!question) {
      if (this.questions.size >= QUESTIONS) this.dropOldest();
      question = { tally: new Tally(), matches };
      this.questions.set(id, question);
      for (const info of nodes) for (const pod of info.pods.values()) if (matches(pod)) question.tally.count(info, 1);
    }
    question.tally.used = ++this.asks;
    return question.tally;
  }

  count(info: NodeInfo, pod: DeepReadonly<Pod>, by: 1 | -1): void {
    for (const { tally, matches } of this.questions.values()) if (matches(pod)) tally.count(info, by);
  }

  forgetDomains(): void {
    for (const { tally } of this.questions.values()) tally.forgetDomains();
  }

  forgetNode(info: NodeInfo): void {
    for (const { tally } of this.questions.values()) {
      const n = tally.perNode.get(info);
      if (n !== undefined) tally.count(info, -n);
    }
  }

  private dropOldest(): void {
    const byAge = [...this.questions].sort(([, a], [, b]) => a.tally.used - b.tally.used);
    for (const [id] of byAge.slice(0, QUESTIONS / 2)) this.questions.delete(id);
  }
}
