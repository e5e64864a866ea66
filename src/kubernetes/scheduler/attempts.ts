/**
 * What the world remembers of every attempt, for the Scheduler view ("why here, why Pending").
 *
 * One attempt is these facts about `Pod/<namespace>/<name>`, each following from the one before:
 *
 * - `sched.enqueue` the scheduler has seen the pod, for the first time; it is ready to be tried unless a gate holds it.
 * - `sched.queue` how the pod came into a queue later: `{ to: 'active' | 'backoff' | 'gated', event?, plugin?, until?, reason? }`. `event` is
 *   upstream's label (`NodeAdd`, `AssignedPodDelete`, `BackoffComplete`, `UnschedulableTimeout`, …), `plugin` the one
 *   whose queueing hint held the event worth an attempt (or, for `gated`, whose PreEnqueue holds it and `reason` why), `until` the end of the back-off in µs.
 * - `sched.start` `{ attempt, scheduler }`: popped; attempts count from 1.
 * - `sched.filter` {@link FilterFact}: counts, reasons, and `record`, everything in columns.
 * - `sched.score` {@link ScoreFact}: when more than one node was feasible.
 * - `sched.select` `{ attempt, node }` or `sched.unschedulable` `{ attempt, message, plugins }`, with the event's whole text.
 * - `sched.postfilter` {@link PostFilterFact}: what preemption considered and chose.
 * - `sched.permit`, `sched.bind` `{ node }`, and `sched.unbind` `{ node, message }` when binding failed.
 *
 * A record is made when it is read, from what the log keeps of the decision: the hot path copies its numbers. Decisions are
 * forgotten oldest first beyond a budget (those that found no node have a budget of their own, so a pending pod's
 * first attempt outlives thousands of easy ones); a forgotten record (and its reasons) reads `undefined`, and since worlds replay exactly, going back
 * in time brings it back. Cloning a fact for the page reads it.
 */
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import type { Pod } from '../api/types.gen.ts';
import type { Candidate, PostFilterResult, Rejection } from './framework.ts';
import { countReasons } from './messages.ts';
import type { Decision, ScoreColumn } from './schedule.ts';

/** Nodes with one and the same verdict. */
export interface VerdictGroup {
  readonly plugin: string;
  readonly reasons: readonly string[];
  /** Preemption could not help. */
  readonly unresolvable: boolean;
  /** In the order looked at. */
  readonly nodes: readonly string[];
}

export interface AttemptRecord {
  /** Rejected nodes by verdict, the commonest first. */
  readonly rejected: readonly VerdictGroup[];
  /** PreFilter's verdict on all nodes not named above, if it gave one. */
  readonly rest: { readonly plugin: string; readonly reasons: readonly string[]; readonly unresolvable: boolean } | undefined;
  /** Nodes that passed, in the order looked at; scores and totals are in this order. */
  readonly feasible: readonly string[];
  /** Points of a node from a plugin: `normalized[i] × weight`. */
  readonly scores: readonly ScoreColumn[];
  readonly totals: readonly number[];
}

export interface FilterFact {
  readonly attempt: number;
  /** Nodes there are; looked at; fit for the pod. */
  readonly total: number;
  readonly evaluated: number;
  readonly feasible: number;
  /** Index among the nodes at which the search began. */
  readonly start: number;
  /** Filters that had nothing to say about this pod. */
  readonly skipped: readonly string[];
  /** Reason and number of nodes, as the event prints them; they add up to its text. */
  readonly reasons: readonly string[] | undefined;
  readonly record: AttemptRecord | undefined;
}

export interface ScoreFact {
  readonly attempt: number;
  readonly node: string;
  readonly total: number;
  /** How many nodes shared the highest total; above 1, chance chose. */
  readonly ties: number;
  /** Of the chosen node. */
  readonly points: readonly { readonly plugin: string; readonly raw: number; readonly normalized: number; readonly weight: number }[];
  readonly skipped: readonly string[];
}

export interface PostFilterFact {
  readonly attempt: number;
  /** The node to be cleared; '' when preemption does not help. */
  readonly node: string;
  readonly victims: readonly { readonly pod: string; readonly priority: number; readonly violatesBudget: boolean }[];
  /** The first of the nodes considered, each with what it would cost. */
  readonly candidates: readonly { readonly node: string; readonly victims: number; readonly violations: number; readonly highestPriority: number }[];
  readonly considered: number;
  readonly message: string;
}

/** How many numbers of score columns are kept, and how many nodes' verdicts. */
const SCORES = 1 << 19;
const VERDICTS = 1 << 18;
const CANDIDATES = 50;

/** The latest numbers written, in one piece of memory made for good: what is kept for a while costs the garbage collector nothing. */
class NumberRing {
  private memory = new Int32Array(1 << 10);
  private written = 0;

  /** Returns where they begin. */
  write(lists: readonly (readonly number[])[]): number {
    let count = 0;
    for (const list of lists) count += list.length;
    while (this.written + count > this.memory.length && this.memory.length < SCORES) {
      const larger = new Int32Array(this.memory.length * 2);
      larger.set(this.memory);
      this.memory = larger;
    }
    const from = this.written;
    const mask = this.memory.length - 1;
    for (const list of lists) for (let i = 0; i < list.length; i++) this.memory[this.written++ & mask] = list[i]!;
    return from;
  }

  /** Undefined when they have been written over. */
  read(from: number, length: number): readonly number[] | undefined {
    if (this.written - from > this.memory.length) return undefined;
    const mask = this.memory.length - 1;
    return Array.from({ length }, (_, i) => this.memory[(from + i) & mask]!);
  }
}

/** One decision without its columns, until later ones used the budget up. */
interface Kept {
  decision: Pick<Decision, 'rejections' | 'rest' | 'feasible' | 'total'> | undefined;
  readonly columns: readonly { readonly plugin: string; readonly weight: number }[];
  /** Where raw, normalized, …, totals begin. */
  readonly from: number;
}

class Shelf {
  readonly numbers = new NumberRing();
  private readonly kept: Kept[] = [];
  private first = 0;
  private nodes = 0;

  keep(decision: Decision): Kept {
    const { rejections, rest, feasible, total, scores, totals } = decision;
    const kept: Kept = {
      decision: { rejections, rest, feasible, total },
      columns: scores.map(({ plugin, weight }) => ({ plugin, weight })),
      from: this.numbers.write([...scores.flatMap(({ raw, normalized }) => [raw, normalized]), totals]),
    };
    this.kept.push(kept);
    this.nodes += decision.evaluated + 8;
    while (this.nodes > VERDICTS && this.first < this.kept.length - 1) {
      const oldest = this.kept[this.first++]!;
      this.nodes -= oldest.decision!.rejections.size + oldest.decision!.feasible.length + 8;
      oldest.decision = undefined;
    }
    if (this.first > 1024 && this.first * 2 > this.kept.length) {
      this.kept.splice(0, this.first);
      this.first = 0;
    }
    return kept;
  }

  record({ decision, columns, from }: Kept): AttemptRecord | undefined {
    if (!decision) return undefined;
    const n = decision.feasible.length;
    const numbers = columns.length === 0 ? [] : this.numbers.read(from, n * (2 * columns.length + 1));
    if (!numbers) return undefined;
    const part = (i: number): readonly number[] => numbers.slice(i * n, (i + 1) * n);
    return recordOf({
      ...decision,
      scores: columns.map(({ plugin, weight }, i) => ({ plugin, weight, raw: part(2 * i), normalized: part(2 * i + 1) })),
      totals: columns.length === 0 ? [] : part(2 * columns.length),
    });
  }
}

export class AttemptLog {
  private readonly bound = new Shelf();
  private readonly failed = new Shelf();

  filterFact(attempt: number, decision: Decision): Readonly<Record<string, unknown>> {
    const shelf = decision.node === undefined ? this.failed : this.bound;
    const kept = shelf.keep(decision);
    const fact: FilterFact = {
      attempt,
      total: decision.total,
      evaluated: decision.evaluated,
      feasible: decision.feasible.length,
      start: decision.start,
      skipped: decision.skipped.filter,
      get reasons() {
        return kept.decision ? reasonsOf(kept.decision) : undefined;
      },
      get record() {
        return shelf.record(kept);
      },
    };
    return fact as unknown as Readonly<Record<string, unknown>>;
  }
}

/** Reason and number of nodes, as the event prints them. */
export const reasonsOf = ({ rejections, rest, total }: Pick<Decision, 'rejections' | 'rest' | 'total'>): readonly string[] =>
  countReasons(rejections.values(), rest && { rejection: rest, nodes: total - rejections.size });

/** Everything a decision says, in plain columns. */
export function recordOf(decision: Pick<Decision, 'rejections' | 'rest' | 'feasible' | 'scores' | 'totals'>): AttemptRecord {
  const groups = new Map<string, { readonly rejection: Rejection; readonly nodes: string[] }>();
  for (const [node, rejection] of decision.rejections) {
    const id = `${rejection.plugin}|${rejection.unresolvable}|${rejection.reasons.join('|')}`;
    const group = groups.get(id);
    if (group) group.nodes.push(node);
    else groups.set(id, { rejection, nodes: [node] });
  }
  return {
    rejected: [...groups.values()].map(({ rejection, nodes }) => ({ ...rejection, nodes })).sort((a, b) => b.nodes.length - a.nodes.length),
    rest: decision.rest,
    feasible: decision.feasible.map(({ name }) => name),
    scores: decision.scores,
    totals: decision.totals,
  };
}

export function scoreFact(attempt: number, decision: Decision): ScoreFact {
  const winner = decision.feasible.findIndex(({ name }) => name === decision.node);
  return {
    attempt,
    node: decision.node!,
    total: decision.totals[winner] ?? 0,
    ties: decision.ties,
    points: decision.scores.map(({ plugin, weight, raw, normalized }) => ({ plugin, raw: raw[winner]!, normalized: normalized[winner]!, weight })),
    skipped: decision.skipped.score,
  };
}

export function postFilterFact(attempt: number, { chosen, candidates, message }: PostFilterResult): PostFilterFact {
  const priority = (pod: DeepReadonly<Pod>): number => pod.spec?.priority ?? 0;
  const cost = ({ node, victims }: Candidate) => ({
    node,
    victims: victims.length,
    violations: victims.filter(({ violatesBudget }) => violatesBudget).length,
    highestPriority: priority(victims[0]!.pod),
  });
  return {
    attempt,
    node: chosen?.node ?? '',
    victims: (chosen?.victims ?? []).map(({ pod, violatesBudget }) => ({ pod: keyOf(pod), priority: priority(pod), violatesBudget })),
    candidates: candidates.slice(0, CANDIDATES).map(cost),
    considered: candidates.length,
    message,
  };
}
