/**
 * A StatefulSet keeps pods that are not alike: each has an ordinal, and with it a name, a host name under the set's
 * headless Service, and claims of storage that outlive it.
 *
 * Keeps true: the pods of ordinals `start` to `start + replicas - 1` exist, each with its claims, at the revision the
 * update strategy allows; none besides.
 * Woken by: the StatefulSet, its pods, and pods nobody owns that its selector matches. Claims are read and do not wake.
 */
import type { Duration } from '../../sim/clock.ts';
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import { controllerOf } from '../api/owner.ts';
import { selectorOf } from '../api/selector.ts';
import type { StatefulSetStatus } from '../api/types.gen.ts';
import { isAlreadyExists, isNamespaceTerminating, isNotFound, messageOf } from '../client/retry.ts';
import { claim } from './claim.ts';
import { type Context, reconciler } from './controller.ts';
import { byRevision, createRevision, nextNumber, patchOf, type Revision, renumber, revisionsOf, templateOf, truncate } from './history.ts';
import { equal } from './json-equal.ts';
import { availableIn, isReady, type ReadonlyPod } from './pods.ts';
import { plan, type Step } from './statefulset-plan.ts';
import {
  claimsOf,
  conflictingController,
  identityMatches,
  isMemberOf,
  ordinalOf,
  ownersMatch,
  revisionOf,
  type Sts,
  withIdentity,
  withOwners,
} from './statefulset-pod.ts';

export const statefulSetController = reconciler({
  name: 'statefulset-controller',
  for: 'StatefulSet',
  owns: ['Pod'],
  reads: ['ControllerRevision', 'PersistentVolumeClaim'],
  wakes: {
    Pod: (pod, { informer }) =>
      controllerOf(pod) || pod.metadata.deletionTimestamp
        ? []
        : informer('StatefulSet')
            .list(pod.metadata.namespace)
            .filter((set) => selectorOf(set.spec?.selector).matches(pod.metadata.labels))
            .map(keyOf),
  },

  async reconcile(set, context) {
    const { informer, client, now } = context;
    const selects = (labels: DeepReadonly<Record<string, string>> | undefined) => selectorOf(set.spec?.selector).matches(labels);
    const known = await revisionsOf(context, set, selects);
    const pods = await claim(context, set, 'Pod', informer('Pod').list(set.metadata.namespace), (pod) => selects(pod.metadata.labels) && isMemberOf(set, pod));
    const { current, update, collisions, all } = await revisions(set, known, context);
    const todo = plan({
      set,
      current: { name: current.metadata.name ?? '', template: templateOf(current) },
      update: { name: update.metadata.name ?? '', template: templateOf(update) },
      pods,
      claim: (key) => informer('PersistentVolumeClaim').get(key),
      now: now(),
    });

    let failure: { readonly error: unknown } | undefined;
    try {
      for (const stage of todo.stages) await carryOut(set, stage, todo.monotonic, context);
    } catch (error) {
      failure = { error };
    }
    const status: DeepReadonly<StatefulSetStatus> = { ...todo.status, collisionCount: collisions };
    if (!equal({ ...set.status, collisionCount: collisions }, status)) await client.of('StatefulSet').updateStatus({ ...set, status });
    const live = new Set([current.metadata.name, update.metadata.name, ...pods.map(revisionOf)]);
    await truncate(
      context,
      all.filter(({ metadata }) => !live.has(metadata.name)),
      set.spec?.revisionHistoryLimit ?? 10,
    );
    if (failure) throw failure.error;
    const again = nextAvailable(set, pods, now());
    return again === undefined ? undefined : { again };
  },
});

/** When the next ready pod will have been so for `minReadySeconds`. */
function nextAvailable(set: Sts, pods: readonly ReadonlyPod[], now: number): Duration | undefined {
  const minReady = set.spec?.minReadySeconds ?? 0;
  const waits = pods.filter(isReady).map((pod) => availableIn(pod, minReady, now));
  return waits.some((wait) => wait > 0) ? Math.min(...waits.filter((wait) => wait > 0)) : undefined;
}

interface Revisions {
  readonly current: Revision;
  readonly update: Revision;
  readonly collisions: number;
  readonly all: readonly Revision[];
}

/** The revision of the present template, made or given a new number if need be, and that which the status calls current (`getStatefulSetRevisions`). */
async function revisions(set: Sts, known: readonly Revision[], context: Context): Promise<Revisions> {
  const data = patchOf(set.spec?.template);
  const newest = known.at(-1);
  const same = known.filter((revision) => equal(revision.data, data)).at(-1);
  let collisions = set.status?.collisionCount ?? 0;
  let update: Revision;
  if (same && equal(newest?.data, data)) update = newest!;
  else if (same) update = await renumber(context, same, nextNumber(known));
  else ({ revision: update, collisions } = await createRevision(context, set, nextNumber(known), collisions));
  const all = [...known.filter(({ metadata }) => metadata.name !== update.metadata.name), update].sort(byRevision);
  const current = all.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update;
  return { current, update, collisions, all };
}

/** One after another up to the first error, or in batches of 1, 2, 4, … (`runForAll`, `slowStartBatch`). Rejects with the first error. */
async function carryOut(set: Sts, steps: readonly Step[], monotonic: boolean, context: Context): Promise<void> {
  if (monotonic) {
    for (const step of steps) await take(set, step, context);
    return;
  }
  for (let done = 0, batch = 1; done < steps.length; done += batch, batch *= 2) {
    const results = await Promise.allSettled(steps.slice(done, done + batch).map((step) => take(set, step, context)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }
}

async function take(set: Sts, step: Step, context: Context): Promise<void> {
  const { pod } = step;
  if (step.do === 'create') return createPod(set, pod, context);
  if (step.do === 'delete') {
    return recorded(set, 'delete', pod, context, async () => {
      try {
        await context.client.of('Pod').delete(keyOf(pod));
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    });
  }
  if (step.do === 'claims') {
    await createClaims(set, pod, context);
    return setOwners(set, pod, context);
  }
  if (step.do === 'own') return setOwners(set, pod, context);
  return recorded(set, 'update', pod, context, async () => {
    await createClaims(set, pod, context);
    await setOwners(set, pod, context);
    if (!identityMatches(pod)) await context.client.of('Pod').update(withIdentity(pod));
  });
}

const VERBS = { create: 'Create', delete: 'Delete', update: 'Update' } as const;

/** Does it, and tells of it on the set (`recordPodEvent`). */
async function recorded(set: Sts, verb: keyof typeof VERBS, pod: ReadonlyPod, { event }: Context, act: () => Promise<void>): Promise<void> {
  const what = `${verb} Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
  try {
    await act();
  } catch (error) {
    // The namespace is going away; and what is there already says so itself.
    if (isNamespaceTerminating(error)) return;
    if (!isAlreadyExists(error)) event(set, 'Warning', `Failed${VERBS[verb]}`, `${what} failed error: ${messageOf(error)}`);
    throw error;
  }
  event(set, 'Normal', `Successful${VERBS[verb]}`, `${what} successful`);
}

const createPod = (set: Sts, pod: ReadonlyPod, context: Context): Promise<void> =>
  recorded(set, 'create', pod, context, async () => {
    await createClaims(set, pod, context);
    const made = await context.client.of('Pod').create(pod);
    await setOwners(set, made, context);
  });

/** Makes the claims of a pod that are not there. One on its way out is an error: its name is taken. */
async function createClaims(set: Sts, pod: ReadonlyPod, { client, event, informer }: Context): Promise<void> {
  const errors: string[] = [];
  for (const wanted of claimsOf(set, ordinalOf(pod))) {
    const known = informer('PersistentVolumeClaim').get(keyOf(wanted));
    const name = wanted.metadata.name ?? '';
    if (known?.metadata.deletionTimestamp) errors.push(`pvc ${name} is being deleted`);
    if (known) continue;
    const of = `Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
    try {
      await client.of('PersistentVolumeClaim').create(wanted);
      event(set, 'Normal', 'SuccessfulCreate', `create Claim ${name} ${of} success`);
    } catch (error) {
      errors.push(`failed to create PVC ${name}: ${messageOf(error)}`);
      if (!isAlreadyExists(error)) event(set, 'Warning', 'FailedCreate', `create Claim ${name} for ${of} failed error: ${messageOf(error)}`);
    }
  }
  if (errors.length === 1) throw new Error(errors[0]);
  if (errors.length > 1) throw new Error(`[${errors.join(', ')}]`);
}

/** Gives a pod's claims the owners the retention policy wants (`UpdatePodClaimForRetentionPolicy`). */
async function setOwners(set: Sts, pod: ReadonlyPod, { client, event, informer }: Context): Promise<void> {
  for (const wanted of claimsOf(set, ordinalOf(pod))) {
    const known = informer('PersistentVolumeClaim').get(keyOf(wanted));
    if (!known) continue;
    if (conflictingController(known, set, pod))
      event(
        set,
        'Warning',
        'ConflictingController',
        `PersistentVolumeClaim ${known.metadata.name} has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim`,
      );
    if (!ownersMatch(known, set, pod)) await client.of('PersistentVolumeClaim').update(withOwners(known, set, pod));
  }
}
