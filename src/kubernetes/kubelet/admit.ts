/**
 * Whether this node takes a pod at all (`lifecycle/predicate.go`): what the scheduler has weighed is weighed again where
 * the pod arrives, since a pod may name its node itself, a static pod knows no scheduler, and two schedulers may have
 * filled one node at once. A pod that is refused has Failed: it will not be tried again.
 *
 * Here simplified: a critical pod does not evict others to make room for itself, and ports are compared whatever address
 * they are bound to.
 */
import type { DeepReadonly } from '../api/json.ts';
import { fitsNode } from '../api/node-affinity.ts';
import { podRequests } from '../api/pod-resources.ts';
import { milliValue, wholeValue } from '../api/quantity.ts';
import type { Taint } from '../api/types.gen.ts';
import type { PodObject } from './pod-view.ts';
import { isStatic } from './static-pods.ts';

export interface AdmittingNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly DeepReadonly<Taint>[];
  /** Quantities by resource, `pods` among them. */
  readonly allocatable: Readonly<Record<string, string>>;
}
export interface Refusal {
  /** Of the event and of the pod's status: `OutOfcpu`, `NodeAffinity`. */
  readonly reason: string;
  readonly message: string;
  /** It hangs on the node's labels or taints. */
  readonly ofNode: boolean;
}

/** Undefined: it may run here, beside `others` (those already admitted that have not ended). */
export function refusalOf(pod: PodObject, node: AdmittingNode, others: readonly PodObject[]): Refusal | undefined {
  if (pod.spec?.os && pod.spec.os.name !== 'linux')
    return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS", ofNode: false };
  return outOfResource(pod, node, others) ?? failedPredicate(pod, node, others);
}

/**
 * As the scheduler's fit, in the order its plugin looks: pods, then cpu, memory, ephemeral storage, then whatever else is
 * asked for, if the node has any of it (removeMissingExtendedResources).
 */
function outOfResource(pod: PodObject, { allocatable }: AdmittingNode, others: readonly PodObject[]): Refusal | undefined {
  const capacity = wholeValue(allocatable['pods'] ?? '0');
  if (others.length + 1 > capacity) return outOf('pods', 1, others.length, capacity);
  const wanted = podRequests(pod.spec);
  const names = [
    'cpu',
    'memory',
    'ephemeral-storage',
    ...Object.keys(wanted)
      .filter((name) => !BASIC.has(name))
      .sort(),
  ];
  for (const name of names) {
    const amount = amountOf(name, wanted[name]);
    if (amount === 0 || (!BASIC.has(name) && allocatable[name] === undefined)) continue;
    const most = amountOf(name, allocatable[name]);
    let used = 0;
    for (const other of others) used += amountOf(name, podRequests(other.spec)[name]);
    if (amount > most - used) return outOf(name, amount, used, most);
  }
  return undefined;
}
const BASIC = new Set(['cpu', 'memory', 'ephemeral-storage']);
/** CPU counts in thousandths of a core. */
const amountOf = (name: string, quantity: string | undefined): number => (name === 'cpu' ? milliValue(quantity) : wholeValue(quantity));
const outOf = (name: string, requested: number, used: number, capacity: number): Refusal => ({
  reason: `OutOf${name}`,
  message: `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  ofNode: false,
});

function failedPredicate(pod: PodObject, node: AdmittingNode, others: readonly PodObject[]): Refusal | undefined {
  if (!fitsNode(pod.spec, { metadata: { name: node.name, labels: node.labels } }))
    return failed('NodeAffinity', "node(s) didn't match Pod's node affinity/selector");
  if (portsTaken(pod, others)) return failed('NodePorts', "node(s) didn't have free ports for the requested pod ports");
  // Static pods are there whatever the node's taints say.
  if (!isStatic(pod) && node.taints.some((taint) => taint.effect === 'NoExecute' && !tolerated(pod, taint)))
    return failed('TaintToleration', "node(s) had taints that the pod didn't tolerate");
  return undefined;
}
const failed = (predicate: string, why: string): Refusal => ({
  reason: predicate,
  message: `Predicate ${predicate} failed: ${why}`,
  ofNode: predicate !== 'NodePorts',
});

function hostPorts(pod: PodObject): readonly string[] {
  const ports: string[] = [];
  for (const container of pod.spec?.containers ?? [])
    for (const { hostPort, protocol = 'TCP' } of container.ports ?? []) if (hostPort) ports.push(`${protocol} ${hostPort}`);
  return ports;
}
function portsTaken(pod: PodObject, others: readonly PodObject[]): boolean {
  const wanted = hostPorts(pod);
  if (wanted.length === 0) return false;
  return others.some((other) => hostPorts(other).some((port) => wanted.includes(port)));
}

const tolerated = (pod: PodObject, taint: DeepReadonly<Taint>): boolean =>
  (pod.spec?.tolerations ?? []).some(
    (toleration) =>
      (!toleration.effect || toleration.effect === taint.effect) &&
      (!toleration.key || toleration.key === taint.key) &&
      (toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? '')),
  );
