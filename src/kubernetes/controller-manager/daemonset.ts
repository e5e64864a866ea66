/**
 * A DaemonSet runs one pod on every node that suits it: a node's agents. It does not choose among nodes, it
 * names one to each pod by node affinity and lets the scheduler bind it; and its pods tolerate what drives
 * others away, for they are what makes a node ready.
 *
 * Keeps true: one pod of the present template on each node it should run on, none elsewhere.
 * Woken by: the DaemonSet, its pods, and nodes whose labels or taints change.
 */
import { type Duration, type Instant, seconds } from '../../sim/clock.ts';
import { computeHash } from '../api/hash.ts';
import type { DeepReadonly } from '../api/json.ts';
import { type KubeObject, keyOf } from '../api/meta.ts';
import { newControllerRef } from '../api/owner.ts';
import { selectorOf } from '../api/selector.ts';
import type { DaemonSet, DaemonSetStatus, NodeSelectorTerm, PodSpec } from '../api/types.gen.ts';
import { isAlreadyExists, isNamespaceTerminating, isNotFound, messageOf } from '../client/retry.ts';
import { claim } from './claim.ts';
import { type Context, reconciler } from './controller.ts';
import { scaledValue } from './int-or-percent.ts';
import { equal } from './json-equal.ts';
import { fitsNode } from './node-affinity.ts';
import type { ReadonlyNode } from './node-health.ts';
import { isAvailable, isReady, podFromTemplate, type ReadonlyPod } from './pods.ts';
import {
  DISK_PRESSURE,
  isTolerated,
  MEMORY_PRESSURE,
  NETWORK_UNAVAILABLE,
  NOT_READY,
  PID_PRESSURE,
  type ReadonlyToleration,
  UNREACHABLE,
  UNSCHEDULABLE,
} from './taints.ts';

type Daemons = DeepReadonly<DaemonSet>;

const HASH_LABEL = 'controller-revision-hash';
const GENERATION_LABEL = 'pod-template-generation';
const GENERATION_ANNOTATION = 'deprecated.daemonset.template.generation';

export const daemonSetController = reconciler({
  name: 'daemonset-controller',
  for: 'DaemonSet',
  owns: ['Pod'],
  reads: ['ControllerRevision'],
  workers: 2,
  wakes: {
    Node: (node, { informer }, before) => {
      // Status heartbeats are no business of ours: only a new node, or other labels or taints.
      if (before && before !== node && equal(before.metadata.labels, node.metadata.labels) && equal(before.spec?.taints ?? [], node.spec?.taints ?? []))
        return [];
      if (before === node && informer('Node').get(keyOf(node))) return [];
      return informer('DaemonSet').list().map(keyOf);
    },
  },

  async reconcile(ds, context) {
    const { informer, now } = context;
    if (ds.metadata.deletionTimestamp) return undefined;
    const hash = await currentRevision(ds, context);
    const pods = await claim(context, ds, 'Pod', informer('Pod').list(ds.metadata.namespace), (pod) =>
      selectorOf(ds.spec?.selector).matches(pod.metadata.labels),
    );
    const nodes = informer('Node').list();
    const todo = plan(ds, hash, nodes, pods, now());
    await carryOut(ds, hash, todo, context);
    const status = statusOf(ds, hash, nodes, pods, now());
    if (!equal(ds.status, status)) await context.client.of('DaemonSet').updateStatus({ ...ds, status });
    const { minReadySeconds = 0 } = ds.spec ?? {};
    return minReadySeconds > 0 && status.numberReady !== (status.numberAvailable ?? 0) ? { again: seconds(minReadySeconds) as Duration } : undefined;
  },
});

/** Whether a node should get the set's pod, and whether one that is there may stay (`NodeShouldRunDaemonPod`). */
export function shouldRun(ds: Daemons, node: ReadonlyNode): { readonly run: boolean; readonly stay: boolean } {
  const spec = ds.spec?.template?.spec;
  if (spec?.nodeName && spec.nodeName !== node.metadata.name) return { run: false, stay: false };
  if (!fitsNode(spec, node)) return { run: false, stay: false };
  const tolerations = withDaemonTolerations(spec);
  const untolerated = (node.spec?.taints ?? []).filter((taint) => taint.effect !== 'PreferNoSchedule' && !isTolerated(tolerations, taint));
  return { run: untolerated.length === 0, stay: !untolerated.some((taint) => taint.effect === 'NoExecute') };
}

export interface DaemonPlan {
  readonly create: readonly string[];
  readonly remove: readonly ReadonlyPod[];
  readonly failed: readonly ReadonlyPod[];
}

/** Nodes that need a pod, and pods that must go. */
export function plan(ds: Daemons, hash: string, nodes: readonly ReadonlyNode[], pods: readonly ReadonlyPod[], now: Instant): DaemonPlan {
  const create: string[] = [];
  const remove: ReadonlyPod[] = [];
  const failed: ReadonlyPod[] = [];
  const byNode = new Map<string, ReadonlyPod[]>();
  for (const pod of pods) {
    const node = targetOf(pod);
    byNode.set(node, [...(byNode.get(node) ?? []), pod]);
  }
  const live = new Map<string, ReadonlyPod>();
  for (const node of nodes) {
    const name = node.metadata.name ?? '';
    const here = byNode.get(name) ?? [];
    const { run, stay } = shouldRun(ds, node);
    if (!stay && !run) {
      remove.push(...here.filter((pod) => !pod.metadata.deletionTimestamp));
      continue;
    }
    const running: ReadonlyPod[] = [];
    for (const pod of here) {
      if (pod.metadata.deletionTimestamp) continue;
      if (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') failed.push(pod);
      else running.push(pod);
    }
    // The oldest stays.
    running.sort((a, b) => ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1));
    remove.push(...running.slice(1));
    if (running[0]) live.set(name, running[0]);
    // A terminating pod keeps its place: the next is made when it is gone.
    else if (run && here.every((pod) => failed.includes(pod)) && !here.some((pod) => pod.metadata.deletionTimestamp)) create.push(name);
  }
  return { create, remove: [...remove, ...outdated(ds, hash, nodes, live, now)], failed };
}

/**
 * Pods of older templates that may be taken down now. Here simplified: `maxSurge` is not supported; the
 * old pod goes before the new one comes.
 */
function outdated(ds: Daemons, hash: string, nodes: readonly ReadonlyNode[], live: ReadonlyMap<string, ReadonlyPod>, now: Instant): readonly ReadonlyPod[] {
  const strategy = ds.spec?.updateStrategy;
  if (strategy?.type === 'OnDelete') return [];
  const wanted = nodes.filter((node) => shouldRun(ds, node).run);
  const most = Math.max(1, scaledValue(strategy?.rollingUpdate?.maxUnavailable ?? 1, wanted.length, 'up'));
  const minReady = ds.spec?.minReadySeconds ?? 0;
  let unavailable = 0;
  const broken: ReadonlyPod[] = [];
  const candidates: ReadonlyPod[] = [];
  for (const node of wanted) {
    const pod = live.get(node.metadata.name ?? '');
    const up = pod && isAvailable(pod, minReady, now);
    if (!up) unavailable++;
    if (!pod || pod.metadata.labels?.[HASH_LABEL] === hash) continue;
    if (up) candidates.push(pod);
    else broken.push(pod);
  }
  return [...broken, ...candidates.slice(0, Math.max(0, most - unavailable))];
}

async function carryOut(ds: Daemons, hash: string, { create, remove, failed }: DaemonPlan, { client, event }: Context): Promise<void> {
  const errors: unknown[] = [];
  for (const pod of failed) event(ds, 'Warning', 'FailedDaemonPod', `Found failed daemon pod ${keyOf(pod)} on node ${pod.spec?.nodeName}, will try to kill it`);
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
    ...[...remove, ...failed].map(async (pod) => {
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
}

/** The pod for one node: the template, bound by affinity to the node's name. */
export function podFor(ds: Daemons, hash: string, node: string): ReadonlyPod {
  const template = ds.spec?.template;
  const generation = ds.metadata.annotations?.[GENERATION_ANNOTATION];
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

/** What daemon pods tolerate besides (`AddOrUpdateDaemonPodTolerations`). */
function withDaemonTolerations(spec: DeepReadonly<PodSpec> | undefined): readonly ReadonlyToleration[] {
  const tolerations = [...(spec?.tolerations ?? [])];
  const add = (key: string, effect: string) => {
    const at = tolerations.findIndex((toleration) => toleration.key === key && toleration.effect === effect && toleration.operator === 'Exists');
    if (at < 0) tolerations.push({ key, operator: 'Exists', effect });
    else tolerations[at] = { key, operator: 'Exists', effect };
  };
  add(NOT_READY, 'NoExecute');
  add(UNREACHABLE, 'NoExecute');
  add(DISK_PRESSURE, 'NoSchedule');
  add(MEMORY_PRESSURE, 'NoSchedule');
  add(PID_PRESSURE, 'NoSchedule');
  add(UNSCHEDULABLE, 'NoSchedule');
  if (spec?.hostNetwork) add(NETWORK_UNAVAILABLE, 'NoSchedule');
  return tolerations;
}

/** The node a pod is on, or is meant for. */
function targetOf(pod: ReadonlyPod): string {
  if (pod.spec?.nodeName) return pod.spec.nodeName;
  const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  for (const term of terms)
    for (const field of term.matchFields ?? [])
      if (field.key === 'metadata.name' && field.operator === 'In' && field.values?.length === 1) return field.values[0] ?? '';
  return '';
}

export function statusOf(ds: Daemons, hash: string, nodes: readonly ReadonlyNode[], pods: readonly ReadonlyPod[], now: Instant): DeepReadonly<DaemonSetStatus> {
  const counts = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 };
  const minReady = ds.spec?.minReadySeconds ?? 0;
  for (const node of nodes) {
    const here = pods.filter((pod) => targetOf(pod) === node.metadata.name);
    if (!shouldRun(ds, node).run) {
      if (here.length > 0) counts.misscheduled++;
      continue;
    }
    counts.desired++;
    const pod = here.sort((a, b) => ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1))[0];
    if (!pod) continue;
    counts.current++;
    if (isReady(pod)) counts.ready++;
    if (isAvailable(pod, minReady, now)) counts.available++;
    if (pod.metadata.labels?.[HASH_LABEL] === hash) counts.updated++;
  }
  const unavailable = counts.desired - counts.available;
  return {
    currentNumberScheduled: counts.current,
    numberMisscheduled: counts.misscheduled,
    desiredNumberScheduled: counts.desired,
    numberReady: counts.ready,
    ...(ds.metadata.generation === undefined ? {} : { observedGeneration: ds.metadata.generation }),
    ...(counts.updated > 0 ? { updatedNumberScheduled: counts.updated } : {}),
    ...(counts.available > 0 ? { numberAvailable: counts.available } : {}),
    ...(unavailable > 0 ? { numberUnavailable: unavailable } : {}),
    ...(ds.status?.collisionCount === undefined ? {} : { collisionCount: ds.status.collisionCount }),
  };
}

/**
 * The ControllerRevision of the present template, made if need be; answers its hash.
 * Here simplified: hash collisions are not counted, and old revisions are cut at `revisionHistoryLimit` without asking whether pods still use them.
 */
async function currentRevision(ds: Daemons, context: Context): Promise<string> {
  const { client, informer } = context;
  const data = { spec: { template: { ...ds.spec?.template, $patch: 'replace' } } };
  // `data` is any JSON: its deeply read-only type is endless, so it is named unknown here.
  type Revision = { readonly metadata: DeepReadonly<KubeObject>['metadata']; readonly data?: unknown; readonly revision: number };
  const mine = informer('ControllerRevision').by('owner', ds.metadata.uid ?? '') as unknown as readonly Revision[];
  const revisions = [...mine].sort((a, b) => a.revision - b.revision);
  const known = revisions.find((revision) => equal(revision.data, data));
  const highest = revisions.at(-1)?.revision ?? 0;
  if (known) {
    if (known.revision < highest) await client.of('ControllerRevision').patch(keyOf(known), { revision: highest + 1 }, 'merge');
    return known.metadata.labels?.[HASH_LABEL] ?? '';
  }
  const hash = computeHash(ds.spec?.template, ds.status?.collisionCount);
  const revision = {
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
    revision: highest + 1,
  };
  try {
    await client.of('ControllerRevision').create(revision as never);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  for (const old of revisions.slice(0, Math.max(0, revisions.length - (ds.spec?.revisionHistoryLimit ?? 10)))) {
    try {
      await client.of('ControllerRevision').delete(keyOf(old));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  return hash;
}
