/**
 * A ReplicaSet keeps a number of identical pods alive. It never moves or repairs a pod: it only counts,
 * then creates or deletes.
 *
 * Keeps true: `spec.replicas` active pods match the selector and are owned by the set.
 * Woken by: the ReplicaSet, its pods, and pods nobody owns that its selector matches.
 */
import { type Duration, type Instant, seconds } from '../../sim/clock.ts';
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import { controllerOf } from '../api/owner.ts';
import { selectorOf } from '../api/selector.ts';
import { timestamp } from '../api/time.ts';
import type { ReplicaSet, ReplicaSetCondition, ReplicaSetStatus } from '../api/types.gen.ts';
import { isNamespaceTerminating, isNotFound, messageOf } from '../client/retry.ts';
import { claim } from './claim.ts';
import { type Context, reconciler } from './controller.ts';
import { equal } from './json-equal.ts';
import { leastUsefulFirst } from './pod-ranking.ts';
import { isActive, isAvailable, isReady, podFromTemplate, type ReadonlyPod } from './pods.ts';

type Set = DeepReadonly<ReplicaSet>;

/** No more than this many pods are made or removed in one go (BurstReplicas). */
const BURST = 500;

export const replicaSetController = reconciler({
  name: 'replicaset-controller',
  for: 'ReplicaSet',
  owns: ['Pod'],
  wakes: {
    Pod: (pod, { informer }) =>
      controllerOf(pod) || pod.metadata.deletionTimestamp
        ? []
        : informer('ReplicaSet')
            .list(pod.metadata.namespace)
            .filter((rs) => selectorOf(rs.spec?.selector).matches(pod.metadata.labels))
            .map(keyOf),
  },

  reconcile: (rs, context) => reconcileSet(rs, context, (status) => context.client.of('ReplicaSet').updateStatus({ ...rs, status })),
});

/**
 * Brings a set's pods to their number and writes what they amount to. A ReplicationController comes here in the shape
 * of a ReplicaSet, as upstream's adapter has it, with its own kind and its own way to write.
 */
export async function reconcileSet(rs: Set, context: Context, write: (status: DeepReadonly<ReplicaSetStatus>) => Promise<unknown>) {
  const { informer } = context;
  const inNamespace = informer('Pod').list(rs.metadata.namespace).filter(isActive);
  const pods = await claim(context, rs, 'Pod', inNamespace, (pod) => selectorOf(rs.spec?.selector).matches(pod.metadata.labels));

  let failure: Failure | undefined;
  if (!rs.metadata.deletionTimestamp) {
    const { create, remove } = plan(rs, pods, crowding(rs, context), context.now());
    failure = (await createPods(rs, create, context)) ?? (await deletePods(rs, remove, context));
  }

  const status = statusOf(rs, pods, failure, context.now());
  if (!equal(rs.status, status)) await write(status);
  if (failure) throw failure.error;

  const { minReadySeconds = 0 } = rs.spec ?? {};
  if (minReadySeconds > 0 && status.readyReplicas === rs.spec?.replicas && status.availableReplicas !== rs.spec?.replicas)
    return { again: seconds(minReadySeconds) as Duration };
  return undefined;
}

/** What must change for the pods to match the set. */
export function plan(
  rs: Set,
  pods: readonly ReadonlyPod[],
  doubled: (pod: ReadonlyPod) => number,
  now: Instant,
): { readonly create: number; readonly remove: readonly ReadonlyPod[] } {
  const missing = (rs.spec?.replicas ?? 1) - pods.length;
  if (missing >= 0) return { create: Math.min(missing, BURST), remove: [] };
  return { create: 0, remove: [...pods].sort(leastUsefulFirst(doubled, now)).slice(0, Math.min(-missing, BURST)) };
}

interface Failure {
  readonly reason: 'FailedCreate' | 'FailedDelete';
  readonly error: unknown;
}

/** In batches of 1, 2, 4, …: when the first fails (a quota, say), hundreds more requests are spared (slowStartBatch). */
async function createPods(rs: Set, count: number, { client, event }: Context): Promise<Failure | undefined> {
  const template = rs.spec?.template;
  if (!template) return undefined;
  let left = count;
  for (let batch = Math.min(left, 1); batch > 0; batch = Math.min(2 * batch, left)) {
    const errors: unknown[] = [];
    await Promise.all(
      Array.from({ length: batch }, async () => {
        try {
          const pod = await client.of('Pod').create(podFromTemplate(template, rs));
          event(rs, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
        } catch (error) {
          // The namespace is going away: whatever was made would be deleted at once.
          if (isNamespaceTerminating(error)) return;
          event(rs, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`);
          errors.push(error);
        }
      }),
    );
    left -= batch;
    if (errors.length > 0) return { reason: 'FailedCreate', error: errors[0] };
  }
  return undefined;
}

async function deletePods(rs: Set, pods: readonly ReadonlyPod[], { client, event }: Context): Promise<Failure | undefined> {
  const errors: unknown[] = [];
  await Promise.all(
    pods.map(async (pod) => {
      try {
        await client.of('Pod').delete(keyOf(pod));
        event(rs, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
      } catch (error) {
        if (isNotFound(error)) return;
        event(rs, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
        errors.push(error);
      }
    }),
  );
  return errors.length > 0 ? { reason: 'FailedDelete', error: errors[0] } : undefined;
}

/** How many active pods on a pod's node belong to this set or to its siblings under one Deployment (getIndirectlyRelatedPods). */
function crowding(rs: Set, { informer }: Context): (pod: ReadonlyPod) => number {
  let perNode: Map<string, number> | undefined;
  return (pod) => {
    if (!perNode) {
      perNode = new Map();
      const owner = controllerOf(rs);
      const siblings = owner ? informer('ReplicaSet').by('owner', owner.uid) : [rs];
      for (const sibling of siblings)
        for (const { spec, ...other } of informer('Pod').by('owner', sibling.metadata.uid ?? '')) {
          if (spec?.nodeName && isActive(other)) perNode.set(spec.nodeName, (perNode.get(spec.nodeName) ?? 0) + 1);
        }
    }
    return perNode.get(pod.spec?.nodeName ?? '') ?? 0;
  };
}

/** The status these pods amount to. */
export function statusOf(rs: Set, pods: readonly ReadonlyPod[], failure: Failure | undefined, now: Instant): DeepReadonly<ReplicaSetStatus> {
  const { minReadySeconds = 0, template } = rs.spec ?? {};
  const templateLabels = Object.entries(template?.metadata?.labels ?? {});
  const ready = pods.filter(isReady);
  const conditions = failureConditions(rs.status?.conditions ?? [], failure, now);
  const count = (n: number, key: 'fullyLabeledReplicas' | 'readyReplicas' | 'availableReplicas') => (n > 0 ? { [key]: n } : {});
  return {
    replicas: pods.length,
    ...count(pods.filter((pod) => templateLabels.every(([key, value]) => pod.metadata.labels?.[key] === value)).length, 'fullyLabeledReplicas'),
    ...count(ready.length, 'readyReplicas'),
    ...count(ready.filter((pod) => isAvailable(pod, minReadySeconds, now)).length, 'availableReplicas'),
    ...(rs.metadata.generation === undefined ? {} : { observedGeneration: rs.metadata.generation }),
    ...(conditions.length > 0 ? { conditions } : {}),
  };
}

function failureConditions(
  conditions: readonly DeepReadonly<ReplicaSetCondition>[],
  failure: Failure | undefined,
  now: Instant,
): readonly DeepReadonly<ReplicaSetCondition>[] {
  const others = conditions.filter((condition) => condition.type !== 'ReplicaFailure');
  if (!failure) return others;
  const known = conditions.find((condition) => condition.type === 'ReplicaFailure');
  if (known?.reason === failure.reason) return conditions;
  return [...others, { type: 'ReplicaFailure', status: 'True', reason: failure.reason, message: messageOf(failure.error), lastTransitionTime: timestamp(now) }];
}
