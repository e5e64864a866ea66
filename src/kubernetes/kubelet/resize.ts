/**
 * In-place resize of pods (KEP-1287, on by default in v1.33): what a pod asks for may change while it runs.
 *
 * Three values are told apart. *Desired* is in the pod's spec. *Allocated* is what this node has granted: desired, once
 * it fits beside what the other pods were granted. *Actuated* is what a running container's control group was last set
 * to. The worker runs the pod as allocated; where allocated and desired differ the condition PodResizePending says why,
 * while actuated and allocated differ there is PodResizeInProgress (`allocation_manager.go`, `handlePodResourcesResize`).
 *
 * Here simplified: upstream keeps allocated and actuated in checkpoint files; a kubelet that starts anew here reads both
 * from the last status it told the API server.
 */
import type { DeepReadonly } from '../api/json.ts';
import { podRequests } from '../api/pod-resources.ts';
import { milliValue, wholeValue } from '../api/quantity.ts';
import type { ContainerStatus, ResourceRequirements } from '../api/types.gen.ts';
import type { ContainerResources } from './cri.ts';
import { type ContainerSpec, isSidecar, type PodObject } from './pod-view.ts';
import { oomScoreAdj } from './qos.ts';
import { isStatic } from './static-pods.ts';
import { sameJson } from './statuses.ts';

export type Requirements = DeepReadonly<ResourceRequirements>;
/** By container. */
export type Allocation = ReadonlyMap<string, Requirements>;

export interface Pending {
  readonly reason: 'Infeasible' | 'Deferred';
  readonly message: string;
}

const RESIZABLE = ['cpu', 'memory'] as const;
type Resizable = (typeof RESIZABLE)[number];

/** Regular containers and sidecars; what runs to its end before them is never resized. */
export const resizableContainers = (pod: PodObject): readonly ContainerSpec[] => [
  ...(pod.spec?.containers ?? []),
  ...(pod.spec?.initContainers ?? []).filter(isSidecar),
];

export const allocationOf = (pod: PodObject): Allocation => new Map(resizableContainers(pod).map(({ name, resources }) => [name, resources ?? {}]));

/** What a status says was granted, if any of it says so. */
export function allocationInStatus(pod: PodObject): Allocation | undefined {
  const known = new Map<string, Requirements>();
  for (const { name, resources = {} } of resizableContainers(pod)) {
    const status = statusOf(pod, name);
    if (!status?.resources) continue;
    const { requests: _, limits: __, ...others } = resources;
    known.set(name, { ...others, ...pick('limits', status.resources.limits), ...pick('requests', status.allocatedResources ?? status.resources.requests) });
  }
  return known.size > 0 ? known : undefined;
}
const pick = (field: 'limits' | 'requests', list: Requirements['limits']): Requirements => (list ? { [field]: list } : {});

export const statusOf = (pod: PodObject, name: string): DeepReadonly<ContainerStatus> | undefined =>
  [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find((status) => status.name === name);

/** The pod with what was granted in place of what it asks for: the same object when that is the same. */
export function withAllocation(pod: PodObject, allocation: Allocation): PodObject {
  let changed = false;
  const granted = (container: ContainerSpec): ContainerSpec => {
    const resources = allocation.get(container.name);
    if (!resources || sameJson(resources, container.resources ?? {})) return container;
    changed = true;
    return { ...container, resources };
  };
  const containers = (pod.spec?.containers ?? []).map(granted);
  const inits = pod.spec?.initContainers?.map((container) => (isSidecar(container) ? granted(container) : container));
  return changed ? { ...pod, spec: { ...pod.spec!, containers, ...(inits && { initContainers: inits }) } } : pod;
}

/** Why what a pod desires is not granted; undefined when it is. `refusal`: what admission would say, were it to come now. */
export function pendingResize(
  desired: PodObject,
  allocatable: Readonly<Record<string, string>>,
  refusal: () => { readonly message: string } | undefined,
): Pending | undefined {
  if (isStatic(desired)) return { reason: 'Infeasible', message: 'In-place resize of static-pods is not supported' };
  const wanted = podRequests(desired.spec);
  const memory = { asked: wholeValue(wanted['memory']), most: wholeValue(allocatable['memory']) };
  const cpu = { asked: milliValue(wanted['cpu']), most: milliValue(allocatable['cpu']) };
  const short = memory.asked > memory.most ? { name: 'memory', ...memory } : cpu.asked > cpu.most ? { name: 'cpu', ...cpu } : undefined;
  if (short) return { reason: 'Infeasible', message: `Node didn't have enough capacity: ${short.name}, requested: ${short.asked}, capacity: ${short.most}` };
  const refused = refusal();
  return refused && { reason: 'Deferred', message: refused.message };
}

const amount = (list: Requirements['limits'], name: Resizable): number | undefined => {
  const quantity = list?.[name];
  return quantity === undefined ? undefined : name === 'cpu' ? milliValue(quantity) : wholeValue(quantity);
};
const same = (a: Requirements['limits'], b: Requirements['limits'], name: Resizable): boolean => a?.[name] === b?.[name] || amount(a, name) === amount(b, name);
const differs = (a: Requirements, b: Requirements, name: Resizable): boolean => !same(a.requests, b.requests, name) || !same(a.limits, b.limits, name);

/** Which of processor and memory are to be set anew. */
export const changes = (actuated: Requirements, allocated: Requirements): readonly Resizable[] =>
  actuated === allocated ? [] : RESIZABLE.filter((name) => differs(actuated, allocated, name));

/** Whether its policy wants it made anew for such a change. */
export const needsRestart = (container: ContainerSpec, changed: readonly Resizable[]): boolean =>
  (container.resizePolicy ?? []).some(
    ({ resourceName, restartPolicy }) => restartPolicy === 'RestartContainer' && changed.some((name) => name === resourceName),
  );

/** What the runtime is told of a container's resources (`generateLinuxContainerResources`). */
export function runtimeResources(pod: PodObject, container: ContainerSpec, memoryCapacity: number): ContainerResources {
  const { requests, limits } = container.resources ?? {};
  const request = amount(requests, 'cpu');
  const limit = amount(limits, 'cpu');
  const memory = amount(limits, 'memory');
  return {
    ...(memory && { memoryLimit: memory }),
    ...(request && { cpuRequest: request }),
    ...(limit && { cpuLimit: limit }),
    oomScoreAdj: oomScoreAdj(pod, container, memoryCapacity),
  };
}
