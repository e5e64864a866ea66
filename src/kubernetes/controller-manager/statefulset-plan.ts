/**
 * What a StatefulSet must do next: pure (pkg/controller/statefulset/stateful_set_control.go, updateStatefulSet).
 *
 * Three stages, each begun only when the one before left nothing to wait for: bring up the replicas that should be, in
 * order of their ordinals; take down those that should not, highest first; and replace, highest first, those of an
 * older template. OrderedReady does one thing at a time; Parallel all of a stage at once.
 */
import type { Instant } from '../../sim/clock.ts';
import type { DeepReadonly } from '../api/json.ts';
import type { PodTemplateSpec, StatefulSetStatus } from '../api/types.gen.ts';
import { isAvailable, isReady, type ReadonlyPod } from './pods.ts';
import {
  type Claim,
  claimIsStale,
  claimsOf,
  identityMatches,
  inRange,
  ordinalOf,
  ownersMatch,
  podAt,
  revisionOf,
  type Sts,
  startOf,
  storageMatches,
  wantedReplicas,
} from './statefulset-pod.ts';

export interface StatefulRevision {
  readonly name: string;
  readonly template: DeepReadonly<PodTemplateSpec>;
}
export interface Situation {
  readonly set: Sts;
  /** What the pods below the partition are of. */
  readonly current: StatefulRevision;
  /** What the spec says now. */
  readonly update: StatefulRevision;
  readonly pods: readonly ReadonlyPod[];
  readonly claim: (key: string) => Claim | undefined;
  readonly now: Instant;
}

export type Step =
  | { readonly do: 'create'; readonly pod: ReadonlyPod }
  | { readonly do: 'delete'; readonly pod: ReadonlyPod }
  /** Makes claims that are missing and sets their owners. */
  | { readonly do: 'claims'; readonly pod: ReadonlyPod }
  /** Mends labels, volumes or the owners of claims. */
  | { readonly do: 'mend'; readonly pod: ReadonlyPod }
  /** Sets the owners of a condemned pod's claims. */
  | { readonly do: 'own'; readonly pod: ReadonlyPod };

export interface StatefulPlan {
  /** In OrderedReady one after another; in Parallel the steps of a stage together. An error ends the sync after its stage. */
  readonly stages: readonly (readonly Step[])[];
  readonly monotonic: boolean;
  readonly status: DeepReadonly<StatefulSetStatus>;
}

const isTerminating = (pod: ReadonlyPod): boolean => pod.metadata.deletionTimestamp !== undefined;
const runningAndReady = (pod: ReadonlyPod): boolean => pod.status?.phase === 'Running' && isReady(pod);
const isHealthy = (pod: ReadonlyPod): boolean => runningAndReady(pod) && !isTerminating(pod);

export function plan(situation: Situation): StatefulPlan {
  const { set, current, update, pods, now } = situation;
  const minReady = set.spec?.minReadySeconds ?? 0;
  const monotonic = set.spec?.podManagementPolicy !== 'Parallel';
  const start = startOf(set);

  const existing = new Map<number, ReadonlyPod>();
  const condemned: ReadonlyPod[] = [];
  for (const pod of pods) {
    const ordinal = ordinalOf(pod);
    if (inRange(set, ordinal)) existing.set(ordinal, pod);
    else if (ordinal >= 0) condemned.push(pod);
  }
  condemned.sort((a, b) => ordinalOf(b) - ordinalOf(a));
  const replicas = Array.from({ length: wantedReplicas(set) }, (_, i) => existing.get(start + i) ?? newPod(situation, start + i));
  const status = (fewerCurrent = 0) =>
    statusOf(
      situation,
      [...replicas, ...condemned].filter((pod) => pods.includes(pod)),
      fewerCurrent,
    );
  const result = (stages: readonly (readonly Step[])[], fewerCurrent = 0): StatefulPlan => ({ stages, monotonic, status: status(fewerCurrent) });
  if (set.metadata.deletionTimestamp) return result([]);

  const up: Step[] = [];
  for (const pod of replicas) {
    const { steps, wait } = bringUp(situation, pod, pods.includes(pod));
    up.push(...steps);
    if (monotonic && wait) return result([up]);
  }

  const own: Step[] = condemned.filter((pod) => !claimsMatch(situation, pod)).map((pod) => ({ do: 'own', pod }));
  const down: Step[] = [];
  const firstUnhealthy = [...replicas, ...[...condemned].reverse()].find((pod) => !isHealthy(pod));
  for (const pod of condemned) {
    if (monotonic && (isTerminating(pod) || ((!runningAndReady(pod) || !isAvailable(pod, minReady, now)) && pod !== firstUnhealthy))) return result([up, own]);
    if (!isTerminating(pod)) down.push({ do: 'delete', pod });
    if (monotonic) return result([up, own, down]);
  }

  if (set.spec?.updateStrategy?.type === 'OnDelete') return result([up, own, down]);
  const partition = set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
  for (let i = replicas.length - 1; i >= partition; i--) {
    const pod = replicas[i]!;
    if (revisionOf(pod) !== update.name && !isTerminating(pod))
      return result([up, own, down, [{ do: 'delete', pod }]], revisionOf(pod) === current.name && pods.includes(pod) ? 1 : 0);
    if (!isHealthy(pod)) break;
  }
  return result([up, own, down]);
}

/** One replica: what it needs, and whether those after it must wait (`processReplica`). */
function bringUp(situation: Situation, pod: ReadonlyPod, exists: boolean): { readonly steps: readonly Step[]; readonly wait: boolean } {
  const { set, now } = situation;
  if (!exists) return claimIsStale(set, pod, situation.claim) ? { steps: [], wait: true } : { steps: [{ do: 'create', pod }], wait: true };
  // Its end is no matter: a pod that succeeded is started again as one that failed, once it is gone.
  const { phase } = pod.status ?? {};
  if (phase === 'Failed' || phase === 'Succeeded') return { steps: isTerminating(pod) ? [] : [{ do: 'delete', pod }], wait: true };
  const steps: Step[] = [];
  if (phase === 'Pending' && claimsNeeded(situation, pod)) steps.push({ do: 'claims', pod });
  const ready = runningAndReady(pod) && isAvailable(pod, set.spec?.minReadySeconds ?? 0, now);
  if (set.spec?.podManagementPolicy !== 'Parallel' && (isTerminating(pod) || !ready)) return { steps, wait: true };
  if (!identityMatches(pod) || !storageMatches(set, pod) || !claimsMatch(situation, pod)) steps.push({ do: 'mend', pod });
  return { steps, wait: false };
}

const claimsMatch = ({ set, claim }: Situation, pod: ReadonlyPod): boolean =>
  claimsOf(set, ordinalOf(pod)).every((wanted) => {
    const known = claim(`${wanted.metadata.namespace}/${wanted.metadata.name}`);
    return !known || ownersMatch(known, set, pod);
  });
const claimsNeeded = (situation: Situation, pod: ReadonlyPod): boolean =>
  !claimsMatch(situation, pod) ||
  claimsOf(situation.set, ordinalOf(pod)).some((wanted) => {
    const known = situation.claim(`${wanted.metadata.namespace}/${wanted.metadata.name}`);
    return !known || known.metadata.deletionTimestamp !== undefined;
  });

/** A missing pod is made of the older template below the partition, and of the newer from there on (`newVersionedStatefulSetPod`). */
function newPod({ set, current, update }: Situation, ordinal: number): ReadonlyPod {
  const { type, rollingUpdate } = set.spec?.updateStrategy ?? {};
  const below = rollingUpdate ? (rollingUpdate.partition ?? 0) : type === 'RollingUpdate' ? (set.status?.currentReplicas ?? 0) : 0;
  const { name, template } = ordinal < startOf(set) + below ? current : update;
  return podAt(set, template, name, ordinal);
}

function statusOf({ set, current, update, now }: Situation, pods: readonly ReadonlyPod[], fewerCurrent: number): DeepReadonly<StatefulSetStatus> {
  const minReady = set.spec?.minReadySeconds ?? 0;
  const ready = pods.filter(runningAndReady);
  const living = pods.filter((pod) => !isTerminating(pod));
  let currentReplicas = living.filter((pod) => revisionOf(pod) === current.name).length - fewerCurrent;
  let currentRevision = current.name;
  const updated = living.filter((pod) => revisionOf(pod) === update.name).length;
  const wanted = wantedReplicas(set);
  // The last pod of the older template is gone: the newer is now the current (`completeRollingUpdate`).
  if (set.spec?.updateStrategy?.type === 'RollingUpdate' && updated === wanted && ready.length === wanted && pods.length === wanted) {
    currentReplicas = updated;
    currentRevision = update.name;
  }
  const count = (key: 'readyReplicas' | 'currentReplicas' | 'updatedReplicas', n: number) => (n !== 0 ? { [key]: n } : {});
  return {
    ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
    replicas: pods.length,
    ...count('readyReplicas', ready.length),
    ...count('currentReplicas', currentReplicas),
    ...count('updatedReplicas', updated),
    currentRevision,
    updateRevision: update.name,
    availableReplicas: ready.filter((pod) => isAvailable(pod, minReady, now)).length,
  };
}
