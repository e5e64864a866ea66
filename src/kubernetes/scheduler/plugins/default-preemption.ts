/**
 * DefaultPreemption: when no node will do, would evicting pods of lower priority from one node help, and from which
 * node does it hurt least (`defaultpreemption/default_preemption.go`, `framework/preemption/preemption.go`). Decides only; `run.ts` evicts.
 */
import type { DeepReadonly } from '../../api/json.ts';
import { selectorOf } from '../../api/selector.ts';
import type { Pod, PodDisruptionBudget } from '../../api/types.gen.ts';
import {
  type Candidate,
  ConfigError,
  type FailedAttempt,
  type Plugin,
  type PluginFactory,
  type PostFilterResult,
  type Rejection,
  reject,
  type Victim,
} from '../framework.ts';
import { fitError } from '../messages.ts';
import type { NodeInfo } from '../snapshot.ts';

type P = DeepReadonly<Pod>;
const NAME = 'DefaultPreemption';
const NOT_HELPFUL = reject(NAME, 'Preemption is not helpful for scheduling', true);
const NO_VICTIMS = reject(NAME, 'No preemption victims found for incoming pod', true);

export const priorityOf = (pod: P): number => pod.spec?.priority ?? 0;
/** When a pod that has not started is compared, now counts: later than any (`util.GetPodStartTime`). */
const startOf = (pod: P): string => pod.status?.startTime ?? '9';
/** Most worth keeping first: higher priority, then longer running (`util.MoreImportantPod`). */
const byImportance = (a: P, b: P): number => priorityOf(b) - priorityOf(a) || (startOf(a) < startOf(b) ? -1 : startOf(a) > startOf(b) ? 1 : 0);

/** Why the pod may not preempt, if so (`PodEligibleToPreemptOthers`). */
function ineligible({ pod, nodes, rejectionOf }: FailedAttempt): string | undefined {
  if (pod.spec?.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
  const nominated = pod.status?.nominatedNodeName;
  if (!nominated) return undefined;
  // A nominated node that turned out hopeless holds nobody back.
  if (rejectionOf(nominated)?.unresolvable) return undefined;
  for (const other of nodes.get(nominated)?.pods.values() ?? []) {
    if (priorityOf(other) >= priorityOf(pod) || !other.metadata.deletionTimestamp) continue;
    const preempted = other.status?.conditions?.some(
      ({ type, status, reason }) => type === 'DisruptionTarget' && status === 'True' && reason === 'PreemptionByScheduler',
    );
    if (preempted) return 'not eligible due to a terminating pod on the nominated node.';
  }
  return undefined;
}

/** Which of these pods cannot go without exceeding what budgets still allow; looked at in order (`filterPodsWithPDBViolation`). */
export function violating(pods: readonly P[], budgets: readonly DeepReadonly<PodDisruptionBudget>[]): ReadonlySet<P> {
  const allowed = budgets.map(({ status }) => status?.disruptionsAllowed ?? 0);
  const found = new Set<P>();
  for (const pod of pods) {
    if (Object.keys(pod.metadata.labels ?? {}).length === 0) continue;
    budgets.forEach((budget, i) => {
      if (budget.metadata.namespace !== pod.metadata.namespace) return;
      const selector = selectorOf(budget.spec?.selector);
      // An empty selector protects nobody here.
      if (selector.empty || !selector.matches(pod.metadata.labels)) return;
      // Already being evicted: counted when that was allowed.
      if (budget.status?.disruptedPods?.[pod.metadata.name!] !== undefined) return;
      allowed[i]!--;
      if (allowed[i]! < 0) found.add(pod);
    });
  }
  return found;
}

/**
 * Imagines every pod of lower priority away; if the pod then fits, gives back as many as still leave room, first those
 * whose budget would suffer, the important before the others (`SelectVictimsOnNode`).
 */
function victimsOn(attempt: FailedAttempt, original: NodeInfo, budgets: readonly DeepReadonly<PodDisruptionBudget>[]): readonly Victim[] | Rejection {
  const { pod } = attempt;
  const lower = [...original.pods.values()].filter((other) => priorityOf(other) < priorityOf(pod));
  if (lower.length === 0) return NO_VICTIMS;
  const info = original.clone();
  const state = attempt.state.clone();
  const remove = (other: P): void => {
    info.remove(other);
    attempt.removePod(state, other, info);
  };
  for (const other of lower) remove(other);
  const still = attempt.passes(state, info);
  if (still) return still;
  lower.sort(byImportance);
  const unaffordable = violating(lower, budgets);
  const victims: Victim[] = [];
  const reprieve = (other: P): void => {
    info.add(other);
    attempt.addPod(state, other, info);
    if (attempt.passes(state, info) === undefined) return;
    remove(other);
    victims.push({ pod: other, violatesBudget: unaffordable.has(other) });
  };
  for (const other of lower) if (unaffordable.has(other)) reprieve(other);
  for (const other of lower) if (!unaffordable.has(other)) reprieve(other);
  return victims.sort((a, b) => byImportance(a.pod, b.pod));
}

/** The node where it hurts least, by one criterion after the other; the first of equals (`pickOneNodeForPreemption`). */
export function leastHarm(candidates: readonly Candidate[]): Candidate | undefined {
  const highest = ({ victims }: Candidate): number => priorityOf(victims[0]!.pod);
  const criteria: readonly ((candidate: Candidate) => number)[] = [
    ({ victims }) => victims.filter(({ violatesBudget }) => violatesBudget).length,
    highest,
    // Shifted so that victims of negative priority add to the sum too.
    ({ victims }) => victims.reduce((sum, { pod }) => sum + priorityOf(pod) + 2_147_483_648, 0),
    ({ victims }) => victims.length,
  ];
  let left = candidates;
  for (const criterion of criteria) {
    const values = left.map(criterion);
    const least = Math.min(...values);
    left = left.filter((_, i) => values[i] === least);
    if (left.length <= 1) return left[0];
  }
  // Last: of the highest-priority victims the one that started first should have started latest.
  const earliest = (candidate: Candidate): string =>
    candidate.victims
      .filter(({ pod }) => priorityOf(pod) === highest(candidate))
      .map(({ pod }) => startOf(pod))
      .sort()[0]!;
  let best = left[0];
  for (const candidate of left.slice(1)) if (earliest(candidate) > earliest(best!)) best = candidate;
  return best;
}

/** Args: `minCandidateNodesPercentage` (10), `minCandidateNodesAbsolute` (100). */
export const defaultPreemption: PluginFactory = (args) => {
  const percentage = (args?.['minCandidateNodesPercentage'] as number | undefined) ?? 10;
  const absolute = (args?.['minCandidateNodesAbsolute'] as number | undefined) ?? 100;
  if (percentage < 0 || percentage > 100) throw new ConfigError(`minCandidateNodesPercentage: Invalid value: ${percentage}: not in valid range [0, 100]`);
  if (absolute < 0) throw new ConfigError(`minCandidateNodesAbsolute: Invalid value: ${absolute}: not in valid range [0, inf)`);
  if (percentage === 0 && absolute === 0) throw new ConfigError('minCandidateNodesPercentage and minCandidateNodesAbsolute cannot both be zero');

  const postFilter = (attempt: FailedAttempt): PostFilterResult => {
    const because = ineligible(attempt);
    if (because !== undefined) return { candidates: [], message: `preemption: ${because}` };
    const all = attempt.nodes.list();
    const potential = all.filter(({ name }) => attempt.rejectionOf(name)?.unresolvable === false);
    const verdicts = new Map<string, Rejection>();
    const candidates: Candidate[] = [];
    if (potential.length > 0) {
      const budgets = attempt.nodes.objects.list('PodDisruptionBudget');
      const enough = Math.min(potential.length, Math.max(absolute, Math.floor((potential.length * percentage) / 100)));
      const offset = attempt.pick(potential.length);
      const harmful: Candidate[] = [];
      for (let i = 0; i < potential.length; i++) {
        const info = potential[(offset + i) % potential.length]!;
        const victims = victimsOn(attempt, info, budgets);
        if ('reasons' in victims) {
          verdicts.set(info.name, victims);
          continue;
        }
        if (victims.length === 0) continue;
        (victims.some(({ violatesBudget }) => violatesBudget) ? harmful : candidates).push({ node: info.name, victims });
        if (candidates.length > 0 && candidates.length + harmful.length >= enough) break;
      }
      candidates.push(...harmful);
    }
    const chosen = leastHarm(candidates);
    if (chosen) return { nominate: chosen.node, chosen, candidates, message: '' };
    return { nominate: '', candidates: [], message: `preemption: ${fitError(all.length, verdicts, NOT_HELPFUL)}` };
  };

  const plugin: Plugin = { name: NAME, postFilterNeeds: () => ['PodDisruptionBudget'], postFilter };
  return plugin;
};
