/** The scheduler's doings in words, and the sums of its tables. Pure. */
import type { ScheduledPod, SchedulingAttempt, SchedulingState, ScoreColumn } from '../../hosts/protocol.ts';
import type { Status } from '../look/glyphs.ts';

export const STATE_STATUS: Readonly<Record<SchedulingState, Status>> = { bound: 0, unschedulable: 2, gated: 2, waiting: 1 };
export const STATE_WORDS: Readonly<Record<SchedulingState, string>> = {
  bound: 'bound',
  unschedulable: 'no node will do',
  gated: 'held by a gate',
  waiting: 'waiting',
};

export const saysOf = ({ state, says }: ScheduledPod): string =>
  state === 'bound' ? `on ${says}` : state === 'gated' ? says : state === 'unschedulable' ? says.split('. preemption:')[0]! : STATE_WORDS[state];

/** `NodeAdd` → `a node came`; names nobody here knows stay as they are. */
const EVENTS: Readonly<Record<string, string>> = {
  PodAdd: 'the pod is new',
  NodeAdd: 'a node came',
  NodeDelete: 'a node went',
  UpdateNodeTaint: 'a node’s taints changed',
  UpdateNodeLabel: 'a node’s labels changed',
  UpdateNodeAllocatable: 'a node has more room',
  UpdateNodeCondition: 'a node’s state changed',
  AssignedPodDelete: 'a pod went',
  AssignedPodAdd: 'a pod was placed',
  UnschedulableTimeout: 'five minutes passed',
  BackoffComplete: 'its back-off ended',
};
export function eventWords(event: string): string {
  const known = EVENTS[event] ?? EVENTS[event.replace(/^(Node|Pod)(?=Update)/, '')];
  return known ?? event;
}

export type StepState = 'done' | 'stopped' | 'skipped' | 'ahead';
export interface Step {
  readonly name: string;
  readonly state: StepState;
  readonly says: string;
}
const count = (n: number, thing: string): string => `${n} ${thing}${n === 1 ? '' : 's'}`;

/** The stations of the framework, as one attempt passed them. */
export function stepsOf(attempt: SchedulingAttempt): readonly Step[] {
  const { filter, end, record, preemption } = attempt;
  const found = (filter?.feasible ?? 0) > 0;
  const scored = (record?.scores.length ?? 0) > 0;
  const failed = end === 'unschedulable';
  const ahead = (says = ''): { state: StepState; says: string } => ({ state: 'ahead', says });
  const done = (says = ''): { state: StepState; says: string } => ({ state: 'done', says });
  const skipped = (says: string): { state: StepState; says: string } => ({ state: 'skipped', says });
  const after = found ? done() : failed ? ahead() : ahead();
  return [
    { name: 'PreEnqueue', ...done('no gate') },
    { name: 'QueueSort', ...done() },
    { name: 'PreFilter', ...(filter ? done(filter.skipped.length > 0 ? `${count(filter.skipped.length, 'filter')} not needed` : '') : ahead()) },
    {
      name: 'Filter',
      ...(!filter
        ? ahead()
        : found
          ? done(`${filter.feasible} of ${filter.evaluated} will do`)
          : { state: 'stopped', says: `none of ${filter.evaluated} will do` }),
    },
    {
      name: 'PostFilter',
      ...(found ? skipped('not needed') : preemption?.node ? done(`clears ${preemption.node}`) : failed ? { state: 'stopped', says: 'no help' } : ahead()),
    },
    { name: 'PreScore', ...(scored ? done() : found ? skipped('one node left') : ahead()) },
    { name: 'Score', ...(scored ? done(count(record!.feasible.length, 'node')) : found ? skipped('one node left') : ahead()) },
    { name: 'Reserve', ...after },
    { name: 'Permit', ...(attempt.permit.length > 0 ? done(`${attempt.permit.join(', ')} waits`) : after) },
    { name: 'PreBind', ...(end === 'bound' ? done() : end === 'failed' ? { state: 'stopped', says: 'failed' } : ahead()) },
    { name: 'Bind', ...(end === 'bound' ? done(attempt.node) : ahead()) },
  ];
}

/** How a filter judged a node: it passed, it was rejected, it was not asked any more, or the filter had nothing to say about the pod. */
export type Verdict =
  | { readonly kind: 'pass' | 'unasked' | 'skipped' }
  | { readonly kind: 'reject'; readonly reasons: readonly string[]; readonly unresolvable: boolean };
export interface NodeRow {
  readonly node: string;
  readonly verdicts: readonly Verdict[];
}

/** The rows of Filter's matrix, those that will do first. */
export function filterRows(attempt: SchedulingAttempt, filters: readonly string[]): readonly NodeRow[] {
  const { record, filter } = attempt;
  if (!record) return [];
  const skipped = new Set(filter?.skipped ?? []);
  const passed = filters.map((name): Verdict => ({ kind: skipped.has(name) ? 'skipped' : 'pass' }));
  const rows: NodeRow[] = record.feasible.map((node) => ({ node, verdicts: passed }));
  for (const { plugin, reasons, unresolvable, nodes } of record.rejected) {
    const at = filters.indexOf(plugin);
    const verdicts = filters.map(
      (name, i): Verdict =>
        i === at ? { kind: 'reject', reasons, unresolvable } : at >= 0 && i > at ? { kind: 'unasked' } : { kind: skipped.has(name) ? 'skipped' : 'pass' },
    );
    for (const node of nodes) rows.push({ node, verdicts });
  }
  return rows;
}

/** Totals of the feasible nodes with these weights, and who would win: the first of the highest. */
export function totalsWith(
  scores: readonly ScoreColumn[],
  weights: Readonly<Record<string, number>>,
  nodes: number,
): { readonly totals: readonly number[]; readonly winner: number } {
  const totals = Array.from({ length: nodes }, (_, i) =>
    scores.reduce((sum, { plugin, weight, normalized }) => sum + normalized[i]! * (weights[plugin] ?? weight), 0),
  );
  return { totals, winner: totals.indexOf(Math.max(...totals)) };
}
