/**
 * Eviction: a delete that asks the PodDisruptionBudgets first (upstream
 * pkg/registry/core/pod/storage/eviction.go).
 */
import { findCondition, setCondition } from '../../api/condition.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { Status } from '../../api/request.ts';
import { byKind, type ResourcePath } from '../../api/resources.ts';
import { type LabelSelectorLike, selectorOf } from '../../api/selector.ts';
import type { Pod, PodDisruptionBudget } from '../../api/types.gen.ts';
import type { Call } from '../call.ts';
import { failure, notFound, success, tooManyRequests } from '../errors.ts';
import type { Registry } from './store.ts';
import type { DeleteOptions } from './strategy.ts';

const BUDGETS = byKind('PodDisruptionBudget');
/** Beyond this many, the controller has stopped keeping up and nothing more is let through. */
const MOST_DISRUPTED = 2_000;
type Condition = { type: string; status: string; reason?: string; message?: string; lastTransitionTime?: string };

/** Rejects with 429 when a budget has nothing left to give. `derived` makes a call of the same request on another object. */
export async function evictPod(
  registry: Registry,
  call: Call,
  options: DeleteOptions,
  derived: (path: ResourcePath, row: typeof BUDGETS) => Call,
): Promise<Status> {
  const { name } = call.path;
  const stored = await registry.storage.get(`/registry/pods/${call.namespace}/${name}`);
  call.resume();
  if (!stored) throw notFound('', 'pods', name);
  const pod = stored.object as Pod;
  const dryRun = call.dryRun || (options.dryRun ?? []).includes('All');
  if (!ignoresBudgets(pod)) {
    const budgets = budgetsOf(registry, pod);
    if (budgets.length > 1)
      throw failure(500, 'InternalError', 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.');
    const budget = budgets[0];
    if (budget && !mayGoUnready(pod, budget)) {
      const path: ResourcePath = {
        group: 'policy',
        version: 'v1',
        resource: 'poddisruptionbudgets',
        namespace: call.namespace,
        name: budget.metadata.name ?? '',
        subresource: 'status',
        rest: '',
      };
      if (dryRun) spend(registry, budget, name);
      else await registry.update(derived(path, BUDGETS), ({ object }) => spend(registry, object as PodDisruptionBudget, name), { raw: true });
      call.resume();
    }
  }
  if (!dryRun) {
    await registry.update(
      call,
      ({ object }) => {
        const current = object as Pod;
        if (current.metadata.deletionTimestamp) return object;
        const why: Condition = {
          type: 'DisruptionTarget',
          status: 'True',
          reason: 'EvictionByEvictionAPI',
          message: 'Eviction API: evicting',
          lastTransitionTime: registry.timestamp(),
        };
        return {
          ...current,
          status: { ...current.status, conditions: setCondition(current.status?.conditions as unknown as Condition[] | undefined, why) },
        } as unknown as KubeObject;
      },
      { raw: true },
    );
    call.resume();
  }
  await registry.delete(call, name, options, dryRun);
  call.resume();
  return success(201);
}

/** Finished, not yet running, or going anyway: nobody depends on it (canIgnorePDB). */
const ignoresBudgets = (pod: Pod): boolean =>
  ['Succeeded', 'Failed', 'Pending'].includes(pod.status?.phase ?? '') || pod.metadata.deletionTimestamp !== undefined;

function budgetsOf(registry: Registry, pod: Pod): PodDisruptionBudget[] {
  const found: PodDisruptionBudget[] = [];
  for (const { object } of registry.storage.cache.under(`${BUDGETS.prefix}/${pod.metadata.namespace}/`)) {
    const budget = object as PodDisruptionBudget;
    if (selectorOf(budget.spec?.selector as LabelSelectorLike | undefined).matches(pod.metadata.labels)) found.push(budget);
  }
  return found;
}

/** A pod that is not ready costs the budget nothing: always, or (IfHealthyBudget, the default) while enough others are healthy. */
function mayGoUnready(pod: Pod, budget: PodDisruptionBudget): boolean {
  const ready = findCondition(pod.status?.conditions as unknown as Condition[] | undefined, 'Ready')?.status === 'True';
  if (ready) return false;
  if ((budget.spec as { unhealthyPodEvictionPolicy?: string } | undefined)?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = budget.status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

function spend(registry: Registry, budget: PodDisruptionBudget, pod: string): KubeObject {
  const name = budget.metadata.name ?? '';
  const { status } = budget;
  const tooMany = (text: string, wait = false) =>
    tooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", {
      causes: [{ reason: 'DisruptionBudget', message: text }],
      ...(wait ? { retryAfterSeconds: 10 } : {}),
    });
  if ((status?.observedGeneration ?? 0) < (budget.metadata.generation ?? 0))
    throw tooMany(`The disruption budget ${name} is still being processed by the server.`, true);
  const allowed = status?.disruptionsAllowed ?? 0;
  if (allowed < 0) throw failure(403, 'Forbidden', `poddisruptionbudgets.policy ${JSON.stringify(name)} is forbidden: pdb disruptions allowed is negative`);
  if (Object.keys(status?.disruptedPods ?? {}).length > MOST_DISRUPTED) {
    throw failure(
      403,
      'Forbidden',
      `poddisruptionbudgets.policy ${JSON.stringify(name)} is forbidden: DisruptedPods map too big - too many evictions not confirmed by PDB controller`,
    );
  }
  if (allowed === 0)
    throw tooMany(`The disruption budget ${name} needs ${status?.desiredHealthy ?? 0} healthy pods and has ${status?.currentHealthy ?? 0} currently`);
  const left = allowed - 1;
  const conditions =
    left === 0
      ? setCondition(status?.conditions as unknown as Condition[] | undefined, {
          type: 'DisruptionAllowed',
          status: 'False',
          reason: 'InsufficientPods',
          message: '',
          lastTransitionTime: registry.timestamp(),
        })
      : status?.conditions;
  return {
    ...budget,
    status: { ...status, disruptionsAllowed: left, disruptedPods: { ...status?.disruptedPods, [pod]: registry.timestamp() }, conditions },
  } as unknown as KubeObject;
}
