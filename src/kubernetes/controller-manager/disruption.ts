/**
 * PodDisruptionBudget (pkg/controller/disruption).
 *
 * Keeps true: the status says how many pods there should be, how many are healthy, and so how many may be evicted; the
 * Eviction API (`apiserver/registry/eviction.ts`) spends from it.
 * Woken by: the budget, and pods that it selects. Controllers and their scales are only read.
 *
 * Also: a pod that was marked to be disrupted and still is there after two minutes loses the mark.
 */
import { type Duration, type Instant, minutes, seconds } from '../../sim/clock.ts';
import { setCondition } from '../api/condition.ts';
import type { DeepReadonly, Json } from '../api/json.ts';
import { type Key, keyOf } from '../api/meta.ts';
import { controllerOf } from '../api/owner.ts';
import { ApiError, type Status } from '../api/request.ts';
import { objectPath, RESOURCES, splitApiVersion } from '../api/resources.ts';
import { type LabelSelectorLike, selectorOf } from '../api/selector.ts';
import { instantOf, timestamp } from '../api/time.ts';
import type { OwnerReference, PodDisruptionBudget, Scale } from '../api/types.gen.ts';
import { isConflict, isNotFound, messageOf } from '../client/retry.ts';
import { type Context, type Controller, type Runnable, reconciler } from './controller.ts';
import { goSelector } from './go-selector.ts';
import { scaledValue } from './int-or-percent.ts';
import { equal } from './json-equal.ts';
import { isReady, podCondition, type ReadonlyPod } from './pods.ts';

type Budget = DeepReadonly<PodDisruptionBudget>;

/** An eviction that was let through and not seen within this did not happen. */
export const DELETION_TIMEOUT = minutes(2);
const STALE_MARK = minutes(2);

/** Its events come from `controllermanager`, as upstream's do. */
export const disruptionController = (): Runnable => {
  const { run, ...rest } = reconciler(controller());
  return { ...rest, run: (manager) => run({ ...manager, recorderFor: (_, self, client) => manager.recorderFor('controllermanager', self, client) }) };
};

const controller = (): Controller<'PodDisruptionBudget'> => ({
  name: 'disruption-controller',
  for: 'PodDisruptionBudget',
  reads: ['ReplicationController', 'Deployment', 'ReplicaSet', 'StatefulSet'],
  workers: 1,
  // Told of the pod as it was and as it is: the latter counts, or the former of one that is gone.
  wakes: { Pod: (pod, context, before) => (pod === before && context.informer('Pod').get(keyOf(pod)) ? [] : budgetsOf(pod, context)) },
  start: (context) => watchMarks(context),
  async reconcile(budget, context) {
    const { client, event, informer, now } = context;
    const selects = selectorOf(budget.spec?.selector as LabelSelectorLike | undefined);
    const pods = informer('Pod')
      .list(budget.metadata.namespace)
      .filter((pod) => selects.matches(pod.metadata.labels));
    if (pods.length === 0) event(budget, 'Normal', 'NoPods', 'No matching pods found');
    let expectation: Expectation;
    try {
      expectation = await expectationOf(budget, pods, context);
    } catch (error) {
      event(budget, 'Warning', 'CalculateExpectedPodCountFailed', `Failed to calculate the number of expected pods: ${messageOf(error)}`);
      if (isConflict(error)) throw error;
      await client.of('PodDisruptionBudget').updateStatus(failed(budget, messageOf(error), now()));
      return undefined;
    }
    if (expectation.unmanaged.length > 0)
      event(
        budget,
        'Warning',
        'UnmanagedPods',
        `Pods selected by this PodDisruptionBudget (selector: ${goSelector(budget.spec?.selector as LabelSelectorLike)}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`,
      );
    const plan = planOf(budget, pods, expectation, now());
    // The namespace twice, as upstream has it.
    for (const pod of plan.notDeleted)
      event(pod, 'Warning', 'NotDeleted', `Pod was expected by PDB ${budget.metadata.namespace}/${budget.metadata.namespace} to be deleted but it wasn't`);
    if (plan.status) await client.of('PodDisruptionBudget').updateStatus({ ...budget, status: plan.status } as Budget);
    return plan.again === undefined ? undefined : { again: plan.again };
  },
});

/** Upstream wakes one budget per pod, and says so when there are several. */
function budgetsOf(pod: ReadonlyPod, { informer, event }: Context): readonly Key[] {
  const matching = informer('PodDisruptionBudget')
    .list(pod.metadata.namespace)
    .filter((budget) => selectorOf(budget.spec?.selector as LabelSelectorLike | undefined).matches(pod.metadata.labels));
  if (matching.length > 1)
    event(
      pod,
      'Warning',
      'MultiplePodDisruptionBudgets',
      `Pod ${JSON.stringify(pod.metadata.namespace)}/${JSON.stringify(pod.metadata.name)} matches multiple PodDisruptionBudgets.  Chose ${JSON.stringify(matching[0]?.metadata.name)} arbitrarily.`,
    );
  return matching.slice(0, 1).map(keyOf);
}

export interface Expectation {
  /** How many pods there should be. */
  readonly count: number;
  /** How many of them must be healthy. */
  readonly healthy: number;
  /** Pods nobody controls. */
  readonly unmanaged: readonly string[];
}

/** Throws when the scale of a pod's controller cannot be told. */
async function expectationOf({ spec, metadata }: Budget, pods: readonly ReadonlyPod[], context: Context): Promise<Expectation> {
  const { minAvailable, maxUnavailable } = spec ?? {};
  if (maxUnavailable !== undefined) {
    const { count, unmanaged } = await scaleOf(pods, metadata.namespace ?? '', context);
    return { count, unmanaged, healthy: Math.max(0, count - scaledValue(maxUnavailable, count, 'up')) };
  }
  if (typeof minAvailable === 'number') return { count: pods.length, unmanaged: [], healthy: minAvailable };
  if (minAvailable === undefined) return { count: 0, unmanaged: [], healthy: 0 };
  const { count, unmanaged } = await scaleOf(pods, metadata.namespace ?? '', context);
  return { count, unmanaged, healthy: scaledValue(minAvailable, count, 'up') };
}

/** The replicas of all who control one of the pods (getExpectedScale). */
async function scaleOf(pods: readonly ReadonlyPod[], namespace: string, context: Context): Promise<Pick<Expectation, 'count' | 'unmanaged'>> {
  const scales = new Map<string, number>();
  const asked = new Map<string, { readonly uid: string; readonly scale: number } | undefined>();
  const unmanaged: string[] = [];
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (!owner) {
      unmanaged.push(pod.metadata.name ?? '');
      continue;
    }
    if (scales.has(owner.uid)) continue;
    if (!asked.has(owner.uid)) asked.set(owner.uid, await controllerScale(owner, namespace, context));
    const found = asked.get(owner.uid);
    if (!found) throw new Error(`found no controllers for pod ${JSON.stringify(pod.metadata.name)}`);
    scales.set(found.uid, found.scale);
  }
  let count = 0;
  for (const scale of scales.values()) count += scale;
  return { count, unmanaged };
}

/** Who controls a pod in the end, and how large it is to be: a ReplicaSet's Deployment, a kind of its own by its scale subresource. */
async function controllerScale(
  owner: DeepReadonly<OwnerReference>,
  namespace: string,
  context: Context,
): Promise<{ readonly uid: string; readonly scale: number } | undefined> {
  const { informer, client } = context;
  const key = `${namespace}/${owner.name}`;
  const { group } = splitApiVersion(owner.apiVersion);
  const isOurs = (wanted: string, kind: string): boolean => owner.kind === kind && group === wanted;
  if (isOurs('', 'ReplicationController')) {
    const found = informer('ReplicationController').get(key);
    return found?.metadata.uid === owner.uid ? { uid: owner.uid, scale: found.spec?.replicas ?? 1 } : undefined;
  }
  if (isOurs('apps', 'ReplicaSet')) {
    const found = informer('ReplicaSet').get(key);
    if (found?.metadata.uid !== owner.uid) return undefined;
    const above = controllerOf(found!);
    if (above?.kind !== 'Deployment') return { uid: owner.uid, scale: found!.spec?.replicas ?? 1 };
    const deployment = informer('Deployment').get(`${namespace}/${above.name}`);
    return deployment?.metadata.uid === above.uid ? { uid: above.uid, scale: deployment.spec?.replicas ?? 1 } : undefined;
  }
  if (isOurs('apps', 'StatefulSet')) {
    const found = informer('StatefulSet').get(key);
    return found?.metadata.uid === owner.uid ? { uid: owner.uid, scale: found.spec?.replicas ?? 1 } : undefined;
  }
  const row = RESOURCES.find((each) => each.group === group && each.kind === owner.kind) ?? (await customRow(owner, context));
  if (!row) throw new Error(`no matches for kind ${JSON.stringify(owner.kind)} in version ${JSON.stringify(owner.apiVersion)}`);
  const resource = `${row.plural}${row.group ? `.${row.group}` : ''}`;
  const isScalable = row.subresources.some(({ name }) => name === 'scale');
  if (!isScalable) throw new Error(`${resource} does not implement the scale subresource`);
  const response = await client.request({ method: 'GET', path: objectPath(row, namespace, owner.name, 'scale'), query: {}, headers: {} });
  if (response.status === 404) return undefined;
  if (response.status >= 400) throw new ApiError(response.body as unknown as Status);
  const scale = response.body as unknown as Scale;
  return scale.metadata.uid === owner.uid ? { uid: owner.uid, scale: scale.spec?.replicas ?? 0 } : undefined;
}

type Row = Pick<(typeof RESOURCES)[number], 'plural' | 'group' | 'subresources'> & (typeof RESOURCES)[number];

/** A kind that a definition brings: what discovery says. */
async function customRow(owner: DeepReadonly<OwnerReference>, { client }: Context): Promise<Row | undefined> {
  const { group, version } = splitApiVersion(owner.apiVersion);
  if (!group) return undefined;
  const response = await client.request({ method: 'GET', path: `/apis/${group}/${version}`, query: {}, headers: {} });
  interface Item {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
  }
  const { resources = [] } = (response.status === 200 ? response.body : {}) as unknown as { readonly resources?: readonly Item[] };
  const found = resources.find(({ kind, name }) => kind === owner.kind && !name.includes('/'));
  if (!found) return undefined;
  const subresources = resources.filter(({ name }) => name.startsWith(`${found.name}/`)).map(({ name }) => ({ name: name.slice(found.name.length + 1) }));
  return { group, version, kind: owner.kind, plural: found.name, namespaced: found.namespaced, prefix: '', subresources } as unknown as Row;
}

export interface Plan {
  /** Undefined: as it is. */
  readonly status: PodDisruptionBudget['status'] | undefined;
  /** Pods whose eviction was let through and did not come. */
  readonly notDeleted: readonly ReadonlyPod[];
  readonly again: Duration | undefined;
}

/** What the status should be (trySync, updatePdbStatus). Pure. */
export function planOf(budget: Budget, pods: readonly ReadonlyPod[], { count, healthy }: Expectation, now: Instant): Plan {
  const disruptedPods: Record<string, string> = {};
  const notDeleted: ReadonlyPod[] = [];
  let again: Duration | undefined;
  const before = (budget.status?.disruptedPods ?? {}) as Readonly<Record<string, string>>;
  for (const pod of pods) {
    const name = pod.metadata.name ?? '';
    const at = before[name];
    if (pod.metadata.deletionTimestamp || at === undefined) continue;
    const due = (instantOf(at) ?? 0) + DELETION_TIMEOUT;
    if (due < now) notDeleted.push(pod);
    else {
      disruptedPods[name] = at;
      again = Math.min(again ?? Number.POSITIVE_INFINITY, Math.max(seconds(0.001), due - now + 1));
    }
  }
  const currentHealthy = pods.filter((pod) => !pod.metadata.deletionTimestamp && !(pod.metadata.name! in disruptedPods) && isReady(pod)).length;
  const disruptionsAllowed = count <= 0 ? 0 : Math.max(0, currentHealthy - healthy);
  const [conditionStatus, reason] = disruptionsAllowed > 0 ? (['True', 'SufficientPods'] as const) : (['False', 'InsufficientPods'] as const);
  const old = budget.status?.conditions?.find(({ type }) => type === 'DisruptionAllowed');
  const observedGeneration = budget.metadata.generation ?? 0;
  const status = {
    ...(observedGeneration ? { observedGeneration } : {}),
    ...(Object.keys(disruptedPods).length > 0 ? { disruptedPods } : {}),
    disruptionsAllowed,
    currentHealthy,
    desiredHealthy: healthy,
    expectedPods: count,
  };
  const { conditions: _, ...rest } = budget.status ?? ({} as NonNullable<Budget['status']>);
  const same =
    equal(withoutEmpty(rest), status) && old?.status === conditionStatus && old.reason === reason && (old.observedGeneration ?? 0) === observedGeneration;
  if (same) return { status: undefined, notDeleted, again };
  const condition = {
    type: 'DisruptionAllowed',
    status: conditionStatus,
    ...(observedGeneration ? { observedGeneration } : {}),
    lastTransitionTime: old?.status === conditionStatus ? old.lastTransitionTime : timestamp(now),
    reason,
    message: '',
  };
  return { status: { ...status, conditions: setCondition(budget.status?.conditions ?? [], condition) } as PodDisruptionBudget['status'], notDeleted, again };
}

const withoutEmpty = ({ disruptedPods, ...rest }: Omit<NonNullable<Budget['status']>, 'conditions'>) => ({
  ...rest,
  ...(disruptedPods && Object.keys(disruptedPods).length > 0 ? { disruptedPods } : {}),
});

/** Nothing may be evicted while the count cannot be told (failSafe). */
function failed(budget: Budget, message: string, now: Instant): Budget {
  const old = budget.status?.conditions?.find(({ type }) => type === 'DisruptionAllowed');
  const condition = {
    type: 'DisruptionAllowed',
    status: 'False',
    ...(budget.status?.observedGeneration ? { observedGeneration: budget.status.observedGeneration } : {}),
    lastTransitionTime: old?.status === 'False' ? old.lastTransitionTime : timestamp(now),
    reason: 'SyncFailed',
    message,
  };
  const { currentHealthy = 0, desiredHealthy = 0, expectedPods = 0 } = budget.status ?? {};
  return {
    ...budget,
    status: {
      ...budget.status,
      currentHealthy,
      desiredHealthy,
      expectedPods,
      disruptionsAllowed: 0,
      conditions: setCondition(budget.status?.conditions ?? [], condition),
    },
  } as Budget;
}

/** Marks of pods that were to be disrupted and are not going. */
function watchMarks(context: Context): void {
  const { informer, self, client, now } = context;
  const waiting = new Set<Key>();
  const stale = (pod: ReadonlyPod): Duration | undefined => {
    const condition = podCondition(pod, 'DisruptionTarget');
    if (condition?.status !== 'True' || pod.metadata.deletionTimestamp || pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') return undefined;
    return Math.max(0, (instantOf(condition.lastTransitionTime) ?? 0) + STALE_MARK - now());
  };
  const look = (key: Key): void => {
    const pod = informer('Pod').get(key);
    const wait = pod && stale(pod);
    if (wait === undefined || waiting.has(key)) return;
    waiting.add(key);
    self.clock.after(wait + seconds(0.001), () => {
      waiting.delete(key);
      const later = informer('Pod').get(key);
      if (!later || stale(later) === undefined) return;
      if (stale(later)! > 0) return look(key);
      self.trace.because(0);
      const patch = { status: { conditions: [{ type: 'DisruptionTarget', status: 'False', lastTransitionTime: timestamp(now()), reason: '', message: '' }] } };
      client
        .of('Pod')
        .patch(key, patch as unknown as Json, 'strategic', 'status')
        .catch((error: unknown) => {
          if (!isNotFound(error)) look(key);
        });
    });
  };
  informer('Pod').onChange(({ after }) => {
    if (after) look(keyOf(after));
  });
}
