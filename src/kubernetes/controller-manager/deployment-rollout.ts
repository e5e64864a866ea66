/**
 * The arithmetic of rollouts (pkg/controller/deployment: rolling.go, sync.go, util/deployment_util.go):
 * given a Deployment and its ReplicaSets, which set gets how many replicas now. Pure.
 */

import type { DeepReadonly } from '../api/json.ts';
import type { Deployment, ReplicaSet } from '../api/types.gen.ts';
import { scaledValue } from './int-or-percent.ts';

export type Dep = DeepReadonly<Deployment>;
export type Rs = DeepReadonly<ReplicaSet>;

export const REVISION = 'deployment.kubernetes.io/revision';
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';

/** A set and the size it should get. */
export interface Scale {
  readonly rs: Rs;
  readonly replicas: number;
}

export const wanted = (d: Dep): number => d.spec?.replicas ?? 1;
export const sizeOf = (rs: Rs | undefined): number => (rs ? (rs.spec?.replicas ?? 1) : 0);
export const availableOf = (rs: Rs | undefined): number => rs?.status?.availableReplicas ?? 0;
export const total = (sets: readonly Rs[], of: (rs: Rs) => number): number => sets.reduce((sum, rs) => sum + of(rs), 0);
export const isRolling = (d: Dep): boolean => (d.spec?.strategy?.type ?? 'RollingUpdate') === 'RollingUpdate';

/** How many pods too many and how many too few a rolling update may have. Percentages of surge round up, of unavailability down; never both 0. */
export function fenceposts(d: Dep): { readonly surge: number; readonly unavailable: number } {
  if (!isRolling(d)) return { surge: 0, unavailable: 0 };
  const rolling = d.spec?.strategy?.rollingUpdate;
  const surge = scaledValue(rolling?.maxSurge ?? '25%', wanted(d), 'up');
  const unavailable = scaledValue(rolling?.maxUnavailable ?? '25%', wanted(d), 'down');
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

export const maxUnavailable = (d: Dep): number => (wanted(d) === 0 ? 0 : Math.min(fenceposts(d).unavailable, wanted(d)));

/** How large the new set may be now: `NewRSNewReplicas`. `sets` are all of them, the new one included if it exists. */
export function newSetSize(d: Dep, sets: readonly Rs[], newSet: Rs | undefined): number {
  if (!isRolling(d)) return wanted(d);
  const most = wanted(d) + fenceposts(d).surge;
  const current = total(sets, sizeOf);
  if (current >= most) return sizeOf(newSet);
  return sizeOf(newSet) + Math.min(most - current, wanted(d) - sizeOf(newSet));
}

/** Oldest first. */
export const byAge = (a: Rs, b: Rs): number => {
  const [x, y] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  if (x !== y) return x < y ? -1 : 1;
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
};

/**
 * What to take from the old sets in this step of a rolling update (`reconcileOldReplicaSets`): first pods
 * that are not available anyway, then available ones as far as the minimum allows.
 */
export function shrinkOld(d: Dep, newSet: Rs, oldSets: readonly Rs[]): readonly Scale[] {
  const sets = [...oldSets, newSet];
  if (total(oldSets, sizeOf) === 0) return [];
  const minAvailable = wanted(d) - maxUnavailable(d);
  const newUnavailable = sizeOf(newSet) - availableOf(newSet);
  const mayGo = total(sets, sizeOf) - minAvailable - newUnavailable;
  if (mayGo <= 0) return [];

  const sizes = new Map(oldSets.map((rs) => [rs, sizeOf(rs)]));
  const inOrder = [...oldSets].sort(byAge);
  let unhealthyLeft = mayGo;
  for (const rs of inOrder) {
    const take = Math.min(unhealthyLeft, Math.max(0, sizeOf(rs) - availableOf(rs)));
    sizes.set(rs, sizeOf(rs) - take);
    unhealthyLeft -= take;
  }
  let healthyLeft = total(sets, availableOf) - minAvailable;
  for (const rs of inOrder) {
    const size = sizes.get(rs)!;
    const take = Math.min(Math.max(0, healthyLeft), size);
    sizes.set(rs, size - take);
    healthyLeft -= take;
  }
  return inOrder.filter((rs) => sizes.get(rs) !== sizeOf(rs)).map((rs) => ({ rs, replicas: sizes.get(rs)! }));
}

/**
 * What a change of `spec.replicas` (or a paused Deployment) means for the sets: `scale`. In the middle of a
 * rollout the change is spread over all active sets in proportion to their sizes.
 */
export function proportional(d: Dep, newSet: Rs | undefined, oldSets: readonly Rs[]): readonly Scale[] {
  const oldActive = oldSets.filter((rs) => sizeOf(rs) > 0);
  const active = [...oldActive, ...(newSet && sizeOf(newSet) > 0 ? [newSet] : [])];
  const only = active.length === 0 ? (newSet ?? [...oldSets].sort(byAge).at(-1)) : active.length === 1 ? active[0] : undefined;
  if (only) return sizeOf(only) === wanted(d) ? [] : [{ rs: only, replicas: wanted(d) }];
  if (active.length === 0) return [];
  if (newSet && isSaturated(d, newSet)) return [...oldActive].sort(byAge).map((rs) => ({ rs, replicas: 0 }));
  if (!isRolling(d)) return [];

  const allowed = wanted(d) > 0 ? wanted(d) + fenceposts(d).surge : 0;
  const toAdd = allowed - total(active, sizeOf);
  const larger = (a: Rs, b: Rs) => sizeOf(b) - sizeOf(a);
  const inOrder = [...active].sort((a, b) => larger(a, b) || (toAdd > 0 ? byAge(b, a) : byAge(a, b)));
  const sizes = new Map<Rs, number>();
  let added = 0;
  for (const rs of inOrder) {
    const share = toAdd === 0 ? 0 : proportion(d, rs, toAdd, added);
    sizes.set(rs, sizeOf(rs) + share);
    added += share;
  }
  const first = inOrder[0]!;
  // What rounding left over goes to the largest.
  if (toAdd !== 0) sizes.set(first, Math.max(0, sizes.get(first)! + toAdd - added));
  return inOrder.filter((rs) => sizes.get(rs) !== sizeOf(rs)).map((rs) => ({ rs, replicas: sizes.get(rs)! }));
}

function proportion(d: Dep, rs: Rs, toAdd: number, added: number): number {
  if (sizeOf(rs) === 0 || added === toAdd) return 0;
  const fraction = fractionOf(d, rs);
  return toAdd > 0 ? Math.min(fraction, toAdd - added) : Math.max(fraction, toAdd - added);
}

/** How much a set would grow if it grew as the whole Deployment does. */
function fractionOf(d: Dep, rs: Rs): number {
  if (wanted(d) === 0) return -sizeOf(rs);
  const annotated = Number(rs.metadata.annotations?.[MAX_REPLICAS] ?? 0);
  const before = annotated || (d.status?.replicas ?? 0);
  if (before === 0) return 0;
  const after = wanted(d) + fenceposts(d).surge;
  // Rounded half up, in whole numbers.
  return Math.floor((2 * sizeOf(rs) * after + before) / (2 * before)) - sizeOf(rs);
}

/** The new set has all the pods the Deployment wants, and wanted when it was last scaled. */
const isSaturated = (d: Dep, rs: Rs): boolean =>
  sizeOf(rs) === wanted(d) && Number(rs.metadata.annotations?.[DESIRED_REPLICAS]) === wanted(d) && availableOf(rs) === wanted(d);

/** `revision` of a set, 0 if it has none. */
export const revisionOf = (rs: Rs): number => Number(rs.metadata.annotations?.[REVISION] ?? 0) || 0;

/** Old sets beyond `revisionHistoryLimit`, oldest revisions first, that have no pods left. */
export function beyondHistory(d: Dep, oldSets: readonly Rs[]): readonly Rs[] {
  const limit = d.spec?.revisionHistoryLimit ?? 10;
  const cleanable = oldSets.filter((rs) => !rs.metadata.deletionTimestamp).sort((a, b) => revisionOf(a) - revisionOf(b));
  return cleanable
    .slice(0, Math.max(0, cleanable.length - limit))
    .filter((rs) => (rs.status?.replicas ?? 0) === 0 && sizeOf(rs) === 0 && (rs.metadata.generation ?? 0) <= (rs.status?.observedGeneration ?? 0));
}
