/**
 * What a DaemonSet must do next: pure (pkg/controller/daemon, podsShouldBeOnNode and rollingUpdate).
 *
 * First of all every node gets its pod and loses what it should not have (`manage`); only when there was nothing of
 * that to do are pods of older templates replaced (`roll`): by taking them down, at most `maxUnavailable` nodes without
 * a pod at a time, or, with `maxSurge`, by putting a new pod beside the old one first.
 */
import type { Instant } from '../../sim/clock.ts';
import type { DeepReadonly } from '../api/json.ts';
import { fitsNode } from '../api/node-affinity.ts';
import type { DaemonSet, DaemonSetStatus, PodSpec } from '../api/types.gen.ts';
import { scaledValue } from './int-or-percent.ts';
import type { ReadonlyNode } from './node-health.ts';
import { isAvailable, isFinished, isReady, type ReadonlyPod } from './pods.ts';
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

export type Daemons = DeepReadonly<DaemonSet>;

export const HASH_LABEL = 'controller-revision-hash';
export const GENERATION_LABEL = 'pod-template-generation';
const GENERATION_ANNOTATION = 'deprecated.daemonset.template.generation';

export const generationOf = (ds: Daemons): string | undefined => ds.metadata.annotations?.[GENERATION_ANNOTATION];

/** Whether a node should get the set's pod, and whether one that is there may stay (`NodeShouldRunDaemonPod`). */
export function shouldRun(ds: Daemons, node: ReadonlyNode): { readonly run: boolean; readonly stay: boolean } {
  const spec = ds.spec?.template?.spec;
  if (spec?.nodeName && spec.nodeName !== node.metadata.name) return { run: false, stay: false };
  if (!fitsNode(spec, node)) return { run: false, stay: false };
  const tolerations = withDaemonTolerations(spec);
  const untolerated = (node.spec?.taints ?? []).filter((taint) => taint.effect !== 'PreferNoSchedule' && !isTolerated(tolerations, taint));
  return { run: untolerated.length === 0, stay: !untolerated.some((taint) => taint.effect === 'NoExecute') };
}

/** What daemon pods tolerate besides (`AddOrUpdateDaemonPodTolerations`). */
export function withDaemonTolerations(spec: DeepReadonly<PodSpec> | undefined): readonly ReadonlyToleration[] {
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
export function targetOf(pod: ReadonlyPod): string {
  if (pod.spec?.nodeName) return pod.spec.nodeName;
  const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  for (const term of terms)
    for (const field of term.matchFields ?? [])
      if (field.key === 'metadata.name' && field.operator === 'In' && field.values?.length === 1) return field.values[0] ?? '';
  return '';
}

/** Of the present template, by its hash or, as before there were hashes, by its generation (`IsPodUpdated`). */
function isUpdated(ds: Daemons, hash: string, { metadata: { labels } }: ReadonlyPod): boolean {
  const generation = generationOf(ds);
  return labels?.[HASH_LABEL] === hash || (generation !== undefined && labels?.[GENERATION_LABEL] === generation);
}

/** Scheduled pods before others, then the oldest (`podByCreationTimestampAndPhase`). */
const oldestFirst = (a: ReadonlyPod, b: ReadonlyPod): number => {
  const placed = Number(Boolean(b.spec?.nodeName)) - Number(Boolean(a.spec?.nodeName));
  if (placed !== 0) return placed;
  const [x, y] = [`${a.metadata.creationTimestamp} ${a.metadata.name}`, `${b.metadata.creationTimestamp} ${b.metadata.name}`];
  return x < y ? -1 : 1;
};

export type ByNode = ReadonlyMap<string, readonly ReadonlyPod[]>;

/** Pods by the node they are for. Ended ones on their way out make room at once. */
export function byTarget(pods: readonly ReadonlyPod[]): ByNode {
  const byNode = new Map<string, ReadonlyPod[]>();
  for (const pod of pods) {
    if (isFinished(pod) && pod.metadata.deletionTimestamp) continue;
    const node = targetOf(pod);
    const here = byNode.get(node);
    if (here) here.push(pod);
    else byNode.set(node, [pod]);
  }
  return byNode;
}

export interface DaemonPlan {
  /** Nodes that need a pod. */
  readonly create: readonly string[];
  readonly remove: readonly ReadonlyPod[];
  /** Pods that ended: removed too, and told of; those that failed with a back-off. */
  readonly ended: readonly ReadonlyPod[];
}

export const nothingIn = ({ create, remove, ended }: DaemonPlan): boolean => create.length === 0 && remove.length === 0 && ended.length === 0;

const surges = (ds: Daemons): boolean => {
  const { maxSurge = 0 } = ds.spec?.updateStrategy?.rollingUpdate ?? {};
  return ds.spec?.updateStrategy?.type === 'RollingUpdate' && scaledValue(maxSurge, 100, 'up') > 0;
};

/** Every node that should have a pod gets one, and loses what is too much. */
export function manage(ds: Daemons, hash: string, nodes: readonly ReadonlyNode[], byNode: ByNode, now: Instant): DaemonPlan {
  const create: string[] = [];
  const remove: ReadonlyPod[] = [];
  const ended: ReadonlyPod[] = [];
  for (const node of nodes) {
    const name = node.metadata.name ?? '';
    const here = byNode.get(name) ?? [];
    const { run, stay } = shouldRun(ds, node);
    if (run && here.length === 0) {
      create.push(name);
      continue;
    }
    const living = here.filter((pod) => !pod.metadata.deletionTimestamp);
    if (!stay) {
      remove.push(...living);
      continue;
    }
    ended.push(...living.filter(isFinished));
    const running = living.filter((pod) => !isFinished(pod)).sort(oldestFirst);
    if (!surges(ds)) remove.push(...running.slice(1));
    else if (running.length === 0 && run) create.push(name);
    else if (running.length > 1) remove.push(...tooManyOfASurge(ds, hash, running, now));
  }
  // Pods for nodes that are no more are never scheduled, and so nobody else would remove them.
  const known = new Set(nodes.map((node) => node.metadata.name ?? ''));
  for (const [name, here] of byNode) if (!known.has(name)) remove.push(...here.filter((pod) => !pod.spec?.nodeName && !pod.metadata.deletionTimestamp));
  return { create, remove, ended };
}

/** Two pods may be on a node only while the old one is ready and the new one is not yet available. */
function tooManyOfASurge(ds: Daemons, hash: string, running: readonly ReadonlyPod[], now: Instant): readonly ReadonlyPod[] {
  const fresh = running.filter((pod) => pod.metadata.labels?.[HASH_LABEL] === hash);
  const old = running.filter((pod) => pod.metadata.labels?.[HASH_LABEL] !== hash);
  const remove = [...fresh.slice(1), ...old.slice(1)];
  if (fresh[0] && old[0] && (!isReady(old[0]) || isAvailable(fresh[0], ds.spec?.minReadySeconds ?? 0, now))) remove.push(old[0]);
  return remove;
}

/** Pods of older templates that may be replaced now. */
export function roll(ds: Daemons, hash: string, nodes: readonly ReadonlyNode[], byNode: ByNode, now: Instant): DaemonPlan {
  const strategy = ds.spec?.updateStrategy;
  if (strategy?.type !== 'RollingUpdate') return { create: [], remove: [], ended: [] };
  const runs = new Map(nodes.map((node) => [node.metadata.name ?? '', shouldRun(ds, node).run]));
  const wanted = [...runs].filter(([, run]) => run).map(([name]) => name);
  const surge = scaledValue(strategy.rollingUpdate?.maxSurge ?? 0, wanted.length, 'up');
  const unavailable = scaledValue(strategy.rollingUpdate?.maxUnavailable ?? 1, wanted.length, 'up');
  const places = [...new Set([...wanted, ...byNode.keys()])].map((name) => ({
    name,
    run: runs.get(name) ?? false,
    ...pairOn(ds, hash, byNode.get(name) ?? []),
  }));
  const up = (pod: ReadonlyPod): boolean => isAvailable(pod, ds.spec?.minReadySeconds ?? 0, now);
  return surge === 0 ? takeDown(places, Math.max(1, unavailable), up) : putBeside(places, surge, wanted.length, up);
}

interface Place {
  readonly name: string;
  readonly run: boolean;
  readonly fresh: ReadonlyPod | undefined;
  readonly old: ReadonlyPod | undefined;
  /** More than one of either: `manage` has to see to it first. */
  readonly crowded: boolean;
}

function pairOn(ds: Daemons, hash: string, pods: readonly ReadonlyPod[]): Pick<Place, 'fresh' | 'old' | 'crowded'> {
  const living = pods.filter((pod) => !pod.metadata.deletionTimestamp);
  const fresh = living.filter((pod) => isUpdated(ds, hash, pod));
  const old = living.filter((pod) => !isUpdated(ds, hash, pod));
  return { fresh: fresh[0], old: old[0], crowded: fresh.length > 1 || old.length > 1 };
}

/** Pods that are not available go in any case, others while fewer than `most` nodes are without. */
function takeDown(places: readonly Place[], most: number, up: (pod: ReadonlyPod) => boolean): DaemonPlan {
  let without = 0;
  const broken: ReadonlyPod[] = [];
  const candidates: ReadonlyPod[] = [];
  for (const { fresh, old, crowded } of places) {
    if (crowded || Boolean(fresh) === Boolean(old)) without++;
    else if (fresh) without += up(fresh) ? 0 : 1;
    else if (old && !up(old)) {
      broken.push(old);
      without++;
    } else if (old) candidates.push(old);
  }
  return { create: [], remove: [...broken, ...candidates.slice(0, Math.max(0, most - without))], ended: [] };
}

/** New pods beside old ones, at most `most` of them not yet available; an old one goes when the new one is. */
function putBeside(places: readonly Place[], most: number, desired: number, up: (pod: ReadonlyPod) => boolean): DaemonPlan {
  let surging = 0;
  let available = 0;
  const remove: ReadonlyPod[] = [];
  const unwanted: ReadonlyPod[] = [];
  const replace: string[] = [];
  const candidates: string[] = [];
  for (const { name, run, fresh, old, crowded } of places) {
    if (crowded) {
      surging++;
      continue;
    }
    const one = old ?? fresh;
    if (one && up(one)) available++;
    if (!old) continue;
    if (fresh) {
      if (up(fresh)) remove.push(old);
      else surging++;
    } else if (!run) (up(old) ? unwanted : remove).push(old);
    else (up(old) ? candidates : replace).push(name);
  }
  // A node the set has left keeps its pod until there are enough elsewhere.
  remove.push(...unwanted.slice(0, Math.max(0, available - desired)));
  return { create: [...replace, ...candidates.slice(0, Math.max(0, most - surging))], remove, ended: [] };
}

export function statusOf(ds: Daemons, hash: string, nodes: readonly ReadonlyNode[], byNode: ByNode, now: Instant): DeepReadonly<DaemonSetStatus> {
  const counts = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 };
  for (const node of nodes) {
    const here = byNode.get(node.metadata.name ?? '') ?? [];
    if (!shouldRun(ds, node).run) {
      if (here.length > 0) counts.misscheduled++;
      continue;
    }
    counts.desired++;
    const pod = [...here].sort(oldestFirst)[0];
    if (!pod) continue;
    counts.current++;
    if (isReady(pod)) counts.ready++;
    if (isAvailable(pod, ds.spec?.minReadySeconds ?? 0, now)) counts.available++;
    if (isUpdated(ds, hash, pod)) counts.updated++;
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
