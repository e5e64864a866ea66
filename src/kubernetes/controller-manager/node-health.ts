/**
 * What follows from a node's conditions and its silence (pkg/controller/nodelifecycle). Pure.
 */
import type { Instant } from '../../sim/clock.ts';
import { findCondition } from '../api/condition.ts';
import type { DeepReadonly } from '../api/json.ts';
import { timestamp } from '../api/time.ts';
import type { Node, NodeCondition } from '../api/types.gen.ts';
import {
  DISK_PRESSURE,
  MEMORY_PRESSURE,
  NETWORK_UNAVAILABLE,
  NOT_READY,
  PID_PRESSURE,
  type ReadonlyTaint,
  sameTaint,
  UNREACHABLE,
  UNSCHEDULABLE,
} from './taints.ts';

export type ReadonlyNode = DeepReadonly<Node>;

export type Readiness = 'True' | 'False' | 'Unknown';
export const readiness = (node: ReadonlyNode): Readiness | undefined => findCondition(node.status?.conditions, 'Ready')?.status as Readiness | undefined;

/** The conditions of a node nobody hears from: all Unknown; the list itself when they are already. */
export function silentConditions(node: ReadonlyNode, now: Instant): readonly DeepReadonly<NodeCondition>[] {
  const conditions = node.status?.conditions ?? [];
  const at = timestamp(now);
  let result = [...conditions];
  for (const type of ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']) {
    const known = findCondition(conditions, type);
    if (!known)
      result.push({
        type,
        status: 'Unknown',
        reason: 'NodeStatusNeverUpdated',
        message: 'Kubelet never posted node status.',
        lastHeartbeatTime: node.metadata.creationTimestamp ?? at,
        lastTransitionTime: at,
      });
    else if (known.status !== 'Unknown')
      result = result.map((c) =>
        c.type === type ? { ...c, status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.', lastTransitionTime: at } : c,
      );
  }
  return result;
}

/** Conditions that keep pods from being scheduled, as taints (`nodeConditionToTaintKeyStatusMap`). */
const CONDITION_TAINTS: readonly (readonly [type: string, status: string, key: string])[] = [
  ['Ready', 'False', NOT_READY],
  ['Ready', 'Unknown', UNREACHABLE],
  ['MemoryPressure', 'True', MEMORY_PRESSURE],
  ['DiskPressure', 'True', DISK_PRESSURE],
  ['NetworkUnavailable', 'True', NETWORK_UNAVAILABLE],
  ['PIDPressure', 'True', PID_PRESSURE],
];
const OURS = new Set([...CONDITION_TAINTS.map(([, , key]) => key), UNSCHEDULABLE]);

/** The node's taints with the NoSchedule ones that its conditions call for; the same list if nothing changes. */
export function withNoSchedule(node: ReadonlyNode, now: Instant): readonly ReadonlyTaint[] {
  const taints = node.spec?.taints ?? [];
  const wanted = CONDITION_TAINTS.filter(([type, status]) => findCondition(node.status?.conditions, type)?.status === status).map(([, , key]) => key);
  if (node.spec?.unschedulable) wanted.push(UNSCHEDULABLE);
  const isOurs = (taint: ReadonlyTaint) => taint.effect === 'NoSchedule' && OURS.has(taint.key);
  const stays = taints.filter((taint) => !isOurs(taint) || wanted.includes(taint.key));
  const added = wanted
    .filter((key) => !taints.some((taint) => taint.effect === 'NoSchedule' && taint.key === key))
    .map((key): ReadonlyTaint => ({ key, effect: 'NoSchedule', timeAdded: timestamp(now) }));
  return stays.length === taints.length && added.length === 0 ? taints : [...stays, ...added];
}

/** The NoExecute taint of a node that is not ready, if it should have one. */
export const evictionTaint = (node: ReadonlyNode): string | undefined =>
  readiness(node) === 'Unknown' ? UNREACHABLE : readiness(node) === 'False' ? NOT_READY : undefined;

/** The node's taints with exactly this one of the two NoExecute taints, or with neither; the same list if nothing changes. */
export function withNoExecute(node: ReadonlyNode, key: string | undefined, now: Instant): readonly ReadonlyTaint[] {
  const taints = node.spec?.taints ?? [];
  const wanted: ReadonlyTaint | undefined = key ? { key, effect: 'NoExecute', timeAdded: timestamp(now) } : undefined;
  const stays = taints.filter(
    (taint) => taint.effect !== 'NoExecute' || (taint.key !== NOT_READY && taint.key !== UNREACHABLE) || (wanted && sameTaint(taint, wanted)),
  );
  const has = wanted && stays.some((taint) => sameTaint(taint, wanted));
  return stays.length === taints.length && (!wanted || has) ? taints : wanted && !has ? [...stays, wanted] : stays;
}

export type ZoneState = 'Normal' | 'PartialDisruption' | 'FullDisruption';

/** `ComputeZoneState`: more than two not ready and at least 55 % of them is a partial disruption. */
export function zoneState(nodes: readonly ReadonlyNode[]): ZoneState {
  const ready = nodes.filter((node) => readiness(node) === 'True').length;
  const notReady = nodes.length - ready;
  if (ready === 0 && notReady > 0) return 'FullDisruption';
  return notReady > 2 && 100 * notReady >= 55 * nodes.length ? 'PartialDisruption' : 'Normal';
}

export const zoneOf = (node: ReadonlyNode): string => {
  const labels = node.metadata.labels ?? {};
  return `${labels['topology.kubernetes.io/region'] ?? ''}:${labels['topology.kubernetes.io/zone'] ?? ''}`;
};
