/** What a change of an object means to waiting pods: which of the fine-grained events it is (`framework/events.go`). */
import type { DeepReadonly } from '../api/json.ts';
import type { Kind, Kinds, Node, Pod } from '../api/types.gen.ts';
import type { Action, ClusterEvent } from './framework.ts';
import { demandOf } from './resources.ts';

type Object = DeepReadonly<Kinds[Kind]>;
const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

const event = (resource: Kind, prefix: string, action: Action, before: Object | undefined, after: Object | undefined): ClusterEvent => ({
  resource,
  action,
  label: `${prefix}${action}`,
  ...(before ? { before } : {}),
  ...(after ? { after } : {}),
});

/** Conditions without their heartbeats. */
const conditionsOf = (node: DeepReadonly<Node>): unknown => (node.status?.conditions ?? []).map(({ lastHeartbeatTime, lastTransitionTime, ...rest }) => rest);

export function nodeEvents(before: DeepReadonly<Node> | undefined, after: DeepReadonly<Node> | undefined): readonly ClusterEvent[] {
  if (!before) return [event('Node', 'Node', 'Add', undefined, after)];
  if (!after) return [event('Node', 'Node', 'Delete', before, undefined)];
  const events: ClusterEvent[] = [];
  const changed = (action: Action): void => void events.push(event('Node', 'Node', action, before, after));
  if (before.spec !== after.spec) {
    const uncordoned = before.spec?.unschedulable === true && !after.spec?.unschedulable;
    if (uncordoned || !same(before.spec?.taints, after.spec?.taints)) changed('UpdateNodeTaint');
  }
  if (before.status !== after.status) {
    if (!same(before.status?.allocatable, after.status?.allocatable)) changed('UpdateNodeAllocatable');
    if (before.status?.conditions !== after.status?.conditions && !same(conditionsOf(before), conditionsOf(after))) changed('UpdateNodeCondition');
  }
  if (!same(before.metadata.labels, after.metadata.labels)) changed('UpdateNodeLabel');
  if (!same(before.metadata.annotations, after.metadata.annotations)) changed('UpdateNodeAnnotation');
  return events;
}

const prefixOf = (pod: DeepReadonly<Pod>): string => (pod.spec?.nodeName === undefined ? 'UnscheduledPod' : 'AssignedPod');

export function podEvents(before: DeepReadonly<Pod> | undefined, after: DeepReadonly<Pod> | undefined): readonly ClusterEvent[] {
  if (!before) return [event('Pod', prefixOf(after!), 'Add', undefined, after)];
  if (!after) return [event('Pod', prefixOf(before), 'Delete', before, undefined)];
  const events: ClusterEvent[] = [];
  const changed = (action: Action): void => void events.push(event('Pod', prefixOf(after), action, before, after));
  if (!same(before.metadata.labels, after.metadata.labels)) changed('UpdatePodLabel');
  if (before.spec !== after.spec || before.status?.containerStatuses !== after.status?.containerStatuses) {
    const [had, has] = [demandOf(before).requests, demandOf(after).requests];
    if (has.cpu < had.cpu || has.memory < had.memory || [...had.scalar].some(([name, amount]) => (has.scalar.get(name) ?? 0) < amount))
      changed('UpdatePodScaleDown');
  }
  if ((before.spec?.schedulingGates ?? []).length > 0 && (after.spec?.schedulingGates ?? []).length === 0) changed('UpdatePodSchedulingGatesEliminated');
  if (before.spec !== after.spec && !same(before.spec?.tolerations, after.spec?.tolerations)) changed('UpdatePodToleration');
  return events;
}

export const objectEvents = (kind: Kind, before: Object | undefined, after: Object | undefined): readonly ClusterEvent[] => [
  event(kind, kind, before ? (after ? 'Update' : 'Delete') : 'Add', before, after),
];
