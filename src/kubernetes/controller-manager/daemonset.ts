/**
 * A DaemonSet runs one pod on every node that suits it: a node's agents. It does not choose among nodes, it
 * names one to each pod by node affinity and lets the scheduler bind it; and its pods tolerate what drives
 * others away, for they are what makes a node ready.
 *
 * Keeps true: one pod of the present template on each node it should run on, none elsewhere.
 * Woken by: the DaemonSet, its pods, pods nobody owns that its selector matches, and nodes that become or cease to be fit for it.
 */
import { type Duration, minutes, seconds } from '../../sim/clock.ts';
import { computeHash } from '../api/hash.ts';
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import { controllerOf, newControllerRef } from '../api/owner.ts';
import { selectorOf } from '../api/selector.ts';
import type { NodeSelectorTerm, PodSpec } from '../api/types.gen.ts';
import { FailureBackoff } from '../client/backoff.ts';
import { isAlreadyExists, isNamespaceTerminating, isNotFound, messageOf } from '../client/retry.ts';
import { claim } from './claim.ts';
import { type Context, type Controller, type Runnable, reconciler } from './controller.ts';
import {
  byTarget,
  type DaemonPlan,
  type Daemons,
  GENERATION_LABEL,
  generationOf,
  HASH_LABEL,
  manage,
  nothingIn,
  roll,
  shouldRun,
  statusOf,
  withDaemonTolerations,
} from './daemonset-plan.ts';
import { byRevision, patchOf, type Revision, renumber, revisionsOf } from './history.ts';
import { equal } from './json-equal.ts';
import { podFromTemplate, type ReadonlyPod } from './pods.ts';

/** A node where the pod fails again and again is left alone ever longer (`failedPodsBackoff`). */
const FIRST_BACKOFF = seconds(1);
const LONGEST_BACKOFF = minutes(15);

const controller = (): Controller<'DaemonSet'> => {
  const backoff = new FailureBackoff(FIRST_BACKOFF, LONGEST_BACKOFF);
  return {
    name: 'daemonset-controller',
    for: 'DaemonSet',
    owns: ['Pod'],
    reads: ['ControllerRevision'],
    workers: 2,
    wakes: {
      Pod: (pod, { informer }) =>
        controllerOf(pod) || pod.metadata.deletionTimestamp || !pod.metadata.labels
          ? []
          : informer('DaemonSet')
              .list(pod.metadata.namespace)
              .filter((ds) => selectorOf(ds.spec?.selector).matches(pod.metadata.labels))
              .map(keyOf),
      Node: (node, { informer }, before) => {
        // Told of the node as it was and as it is; heartbeats are no business of ours.
        if (before && before !== node && equal(before.metadata.labels, node.metadata.labels) && equal(before.spec?.taints ?? [], node.spec?.taints ?? []))
          return [];
        if (before === node && informer('Node').get(keyOf(node))) return [];
        const all = informer('DaemonSet').list();
        if (!before || before === node) return all.map(keyOf);
        return all.filter((ds) => !equal(shouldRun(ds, before), shouldRun(ds, node))).map(keyOf);
      },
    },

    async reconcile(ds, context) {
      const { informer, now, event, client } = context;
      if (Object.keys(ds.spec?.selector?.matchLabels ?? {}).length === 0 && !ds.spec?.selector?.matchExpressions?.length) {
        event(ds, 'Warning', 'SelectingAll', 'This daemon set is selecting all pods. A non-empty selector is required.');
        return undefined;
      }
      if (ds.metadata.deletionTimestamp) return undefined;
      const selects = (labels: DeepReadonly<Record<string, string>> | undefined) => selectorOf(ds.spec?.selector).matches(labels);
      const { hash, old } = await revisions(ds, selects, context);
      const pods = await claim(context, ds, 'Pod', informer('Pod').list(ds.metadata.namespace), (pod) => selects(pod.metadata.labels));
      const byNode = byTarget(pods);
      const nodes = informer('Node').list();

      let failure: { readonly error: unknown } | undefined;
      let wait: Duration | undefined;
      try {
        const first = manage(ds, hash, nodes, byNode, now());
        const todo = nothingIn(first) ? roll(ds, hash, nodes, byNode, now()) : first;
        wait = await carryOut(ds, hash, todo, backoff, context);
        await forget(ds, old, pods, context);
      } catch (error) {
        failure = { error };
      }
      const status = statusOf(ds, hash, nodes, byNode, now());
      if (!equal(ds.status, status)) await client.of('DaemonSet').updateStatus({ ...ds, status });
      if (failure) throw failure.error;
      const { minReadySeconds = 0 } = ds.spec ?? {};
      if (minReadySeconds > 0 && status.numberReady !== (status.numberAvailable ?? 0)) wait = Math.min(wait ?? Infinity, seconds(minReadySeconds));
      return wait === undefined ? undefined : { again: wait };
    },
  };
};

/** Each manager has its own, for it remembers which pods failed. */
export const daemonSetController: Runnable = {
  name: 'daemonset-controller',
  for: 'DaemonSet',
  run: (manager) => reconciler(controller()).run(manager),
};

/** Answers for how long a failed pod is left lying, if one is. Rejects with the first error, after all was tried. */
async function carryOut(
  ds: Daemons,
  hash: string,
  { create, remove, ended }: DaemonPlan,
  backoff: FailureBackoff,
  { client, event, now }: Context,
): Promise<Duration | undefined> {
  const errors: unknown[] = [];
  const goes = [...remove];
  let wait: Duration | undefined;
  for (const pod of ended) {
    const where = `${keyOf(pod)} on node ${pod.spec?.nodeName}`;
    if (pod.status?.phase === 'Succeeded') event(ds, 'Normal', 'SucceededDaemonPod', `Found succeeded daemon pod ${where}, will try to delete it`);
    else {
      const key = `${ds.metadata.uid}/${ds.status?.observedGeneration ?? 0}/${pod.spec?.nodeName}`;
      const left = backoff.left(key, now());
      if (left > 0) {
        wait = Math.min(wait ?? left, left);
        continue;
      }
      backoff.failed(key, now());
      event(ds, 'Warning', 'FailedDaemonPod', `Found failed daemon pod ${where}, will try to kill it`);
    }
    goes.push(pod);
  }
  await Promise.all([
    ...create.map(async (node) => {
      try {
        const pod = await client.of('Pod').create(podFor(ds, hash, node));
        event(ds, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
      } catch (error) {
        if (isNamespaceTerminating(error)) return;
        event(ds, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`);
        errors.push(error);
      }
    }),
    ...goes.map(async (pod) => {
      try {
        await client.of('Pod').delete(keyOf(pod));
        event(ds, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
      } catch (error) {
        if (isNotFound(error)) return;
        event(ds, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
        errors.push(error);
      }
    }),
  ]);
  if (errors.length > 0) throw errors[0];
  return wait;
}

/** The pod for one node: the template, bound by affinity to the node's name. */
export function podFor(ds: Daemons, hash: string, node: string): ReadonlyPod {
  const template = ds.spec?.template;
  const generation = generationOf(ds);
  const labels = { ...template?.metadata?.labels, ...(generation ? { [GENERATION_LABEL]: generation } : {}), [HASH_LABEL]: hash };
  const spec = template?.spec ?? { containers: [] };
  return podFromTemplate(
    { metadata: { ...template?.metadata, labels }, spec: { ...spec, affinity: onNode(spec, node), tolerations: withDaemonTolerations(spec) } },
    ds,
  );
}

/** Replaces the terms of the required node affinity by "this node"; the set's own terms were checked already (`ReplaceDaemonSetPodNodeNameNodeAffinity`). */
function onNode(spec: DeepReadonly<PodSpec>, node: string): DeepReadonly<PodSpec>['affinity'] {
  const term: DeepReadonly<NodeSelectorTerm> = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] };
  return { ...spec.affinity, nodeAffinity: { ...spec.affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } } };
}

/** The hash of the present template's revision, which is made if need be, and the revisions of others (`constructHistory`). */
async function revisions(
  ds: Daemons,
  selects: (labels: DeepReadonly<Record<string, string>> | undefined) => boolean,
  context: Context,
): Promise<{ readonly hash: string; readonly old: readonly Revision[] }> {
  const data = patchOf(ds.spec?.template);
  const all = await revisionsOf(context, ds, selects);
  const old = all.filter((revision) => !equal(revision.data, data));
  const number = (old.at(-1)?.revision ?? 0) + 1;
  const same = all.filter((revision) => equal(revision.data, data)).sort(byRevision);
  // Here simplified: two revisions of one content, as hand-made ones would be, both stay; the newer counts.
  let current = same.at(-1);
  if (!current) current = await snapshot(ds, number, data, context);
  else if (current.revision < number) current = await renumber(context, current, number);
  return { hash: current.metadata.labels?.[HASH_LABEL] ?? current.metadata.name ?? '', old };
}

async function snapshot(ds: Daemons, revision: number, data: unknown, { client }: Context): Promise<Revision> {
  const hash = computeHash(ds.spec?.template, ds.status?.collisionCount);
  const made = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${ds.metadata.name}-${hash}`,
      ...(ds.metadata.namespace ? { namespace: ds.metadata.namespace } : {}),
      labels: { ...ds.spec?.template?.metadata?.labels, [HASH_LABEL]: hash },
      ...(ds.metadata.annotations ? { annotations: ds.metadata.annotations } : {}),
      ownerReferences: [newControllerRef(ds)],
    },
    data,
    revision,
  };
  try {
    return (await client.of('ControllerRevision').create(made as never)) as unknown as Revision;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const there = (await client.of('ControllerRevision').get(keyOf(made))) as unknown as Revision;
    if (equal(there.data, data)) return there;
    // Another template with the same hash: counted, so that the next try hashes anew.
    await client.of('DaemonSet').updateStatus({ ...ds, status: { ...statusLike(ds), collisionCount: (ds.status?.collisionCount ?? 0) + 1 } });
    throw error;
  }
}

/** A status with the fields that may not be missing. */
const statusLike = (ds: Daemons) => ({ currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0, ...ds.status });

/** Beyond `revisionHistoryLimit` old revisions go, the oldest first, but none that a pod is still of (`cleanupHistory`). */
async function forget(ds: Daemons, old: readonly Revision[], pods: readonly ReadonlyPod[], { client }: Context): Promise<void> {
  let surplus = old.length - (ds.spec?.revisionHistoryLimit ?? 10);
  const live = new Set(pods.map((pod) => pod.metadata.labels?.[HASH_LABEL]));
  for (const revision of old) {
    if (surplus <= 0) return;
    if (live.has(revision.metadata.labels?.[HASH_LABEL])) continue;
    surplus--;
    try {
      await client.of('ControllerRevision').delete(keyOf(revision));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
