/**
 * What pods ask for and nodes have, as integers: milli-cpu, bytes, and units of everything else.
 */
import type { DeepReadonly } from '../api/json.ts';
import { milliValue, wholeValue } from '../api/quantity.ts';
import type { Container, Pod } from '../api/types.gen.ts';

export interface Resources {
  /** Thousandths of a core. */
  cpu: number;
  /** Bytes. */
  memory: number;
  ephemeralStorage: number;
  /** Extended resources and huge pages, in units. */
  readonly scalar: Map<string, number>;
}

export const noResources = (): Resources => ({ cpu: 0, memory: 0, ephemeralStorage: 0, scalar: new Map() });

type Quantities = Readonly<Record<string, string | number | undefined>> | undefined;

// Few distinct texts occur, and one is read for every container that comes by.
const REMEMBERED = 4_096;
const remembering = (read: (text: string) => number): ((text: string) => number) => {
  const known = new Map<string, number>();
  return (text) => {
    let value = known.get(text);
    if (value === undefined) {
      value = read(text);
      if (known.size >= REMEMBERED) known.clear();
      known.set(text, value);
    }
    return value;
  };
};
const milli = remembering(milliValue);
const whole = remembering(wholeValue);

/** From a ResourceList. `pods` is counted elsewhere. */
export function fromList(list: Quantities): Resources {
  const resources = noResources();
  for (const name in list) {
    const quantity = list[name];
    if (quantity === undefined || name === 'pods') continue;
    if (name === 'cpu') resources.cpu = milli(String(quantity));
    else if (name === 'memory') resources.memory = whole(String(quantity));
    else if (name === 'ephemeral-storage') resources.ephemeralStorage = whole(String(quantity));
    else resources.scalar.set(name, whole(String(quantity)));
  }
  return resources;
}

export function add(to: Resources, what: Resources, sign: 1 | -1 = 1): void {
  to.cpu += sign * what.cpu;
  to.memory += sign * what.memory;
  to.ephemeralStorage += sign * what.ephemeralStorage;
  if (what.scalar.size > 0) for (const [name, amount] of what.scalar) to.scalar.set(name, (to.scalar.get(name) ?? 0) + sign * amount);
}

function atLeast(to: Resources, what: Resources): void {
  to.cpu = Math.max(to.cpu, what.cpu);
  to.memory = Math.max(to.memory, what.memory);
  to.ephemeralStorage = Math.max(to.ephemeralStorage, what.ephemeralStorage);
  for (const [name, amount] of what.scalar) to.scalar.set(name, Math.max(to.scalar.get(name) ?? 0, amount));
}

/** The amount of one resource by its API name. */
export function amountOf(resources: Resources, name: string): number {
  switch (name) {
    case 'cpu':
      return resources.cpu;
    case 'memory':
      return resources.memory;
    case 'ephemeral-storage':
      return resources.ephemeralStorage;
    default:
      return resources.scalar.get(name) ?? 0;
  }
}

/** What a container that asks for nothing counts as when nodes are scored (`schedutil.DefaultMilliCPURequest`, `DefaultMemoryRequest`). */
const DEFAULT_CPU = 100;
const DEFAULT_MEMORY = 200 * 1024 * 1024;

/** Resources of the pod as a whole go before its containers' for these, and for huge pages (component-helpers `IsSupportedPodLevelResource`). */
const podLevel = (name: string): boolean => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-');

/** spec.resources is behind the PodLevelResources gate (alpha in v1.33); honoured where the API server let it through. */
const podLevelRequests = (pod: DeepReadonly<Pod>): Quantities =>
  (pod.spec as { readonly resources?: { readonly requests?: Quantities } } | undefined)?.resources?.requests;

/**
 * A running container's request is the greater of what is asked and what was allocated, while a resize is under way
 * (`resource.determineContainerReqs` with UseStatusResources); of one whose resize cannot be done, what was allocated.
 */
function requestsInStatus(pod: DeepReadonly<Pod>, container: DeepReadonly<Container>): Quantities {
  const asked = container.resources?.requests as Quantities;
  for (const status of pod.status?.containerStatuses ?? []) {
    if (status.name !== container.name) continue;
    const actual = status.resources?.requests as Quantities;
    const allocated = status.allocatedResources as Quantities;
    if (!actual && !allocated) return asked;
    const infeasible = (pod.status?.conditions ?? []).some((condition) => condition.type === 'PodResizePending' && condition.reason === 'Infeasible');
    const most: Record<string, string | number | undefined> = infeasible ? {} : { ...asked };
    for (const list of [actual, allocated])
      for (const name in list) {
        const known = most[name];
        const read = name === 'cpu' ? milli : whole;
        if (known === undefined || read(String(list[name])) > read(String(known))) most[name] = list[name];
      }
    return most;
  }
  return asked;
}

/**
 * A pod's request: its containers together with its sidecars, or its greediest init container with the
 * sidecars started before it, whichever is more; of the pod itself, where given; and its overhead
 * (component-helpers `resource.PodRequests`).
 */
export function podRequests(pod: DeepReadonly<Pod>, nonZero = false): Resources {
  const ofPod = podLevelRequests(pod);
  const requestsOf = (container: DeepReadonly<Container>): Resources => {
    const list = pod.status?.containerStatuses ? requestsInStatus(pod, container) : (container.resources?.requests as Quantities);
    const requests = fromList(list);
    if (nonZero) {
      if (list?.['cpu'] === undefined && ofPod?.['cpu'] === undefined) requests.cpu = DEFAULT_CPU;
      if (list?.['memory'] === undefined && ofPod?.['memory'] === undefined) requests.memory = DEFAULT_MEMORY;
    }
    return requests;
  };
  const total = noResources();
  for (const container of pod.spec?.containers ?? []) add(total, requestsOf(container));
  const initContainers = pod.spec?.initContainers;
  if (initContainers) {
    const sidecars = noResources();
    const init = noResources();
    for (const container of initContainers) {
      const requests = requestsOf(container);
      if (container.restartPolicy === 'Always') {
        add(total, requests);
        add(sidecars, requests);
        atLeast(init, sidecars);
      } else {
        add(requests, sidecars);
        atLeast(init, requests);
      }
    }
    atLeast(total, init);
  }
  if (ofPod) {
    const own = fromList(ofPod);
    for (const name in ofPod) {
      if (!podLevel(name)) continue;
      if (name === 'cpu') total.cpu = own.cpu;
      else if (name === 'memory') total.memory = own.memory;
      else total.scalar.set(name, own.scalar.get(name) ?? 0);
    }
  }
  if (pod.spec?.overhead) add(total, fromList(pod.spec.overhead as Quantities));
  return total;
}

/** What a pod asks for, kept by identity: objects are never edited. */
export interface PodDemand {
  readonly requests: Resources;
  /** With defaults for containers that ask for nothing; what scoring looks at. */
  readonly nonZero: Resources;
}
const demands = new WeakMap<object, PodDemand>();
export function demandOf(pod: DeepReadonly<Pod>): PodDemand {
  let demand = demands.get(pod);
  if (!demand) {
    demand = { requests: podRequests(pod), nonZero: podRequests(pod, true) };
    demands.set(pod, demand);
  }
  return demand;
}
