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

/** From a ResourceList. `pods` is counted elsewhere. */
export function fromList(list: Quantities): Resources {
  const resources = noResources();
  for (const [name, quantity] of Object.entries(list ?? {})) {
    if (quantity === undefined || name === 'pods') continue;
    if (name === 'cpu') resources.cpu = milliValue(String(quantity));
    else if (name === 'memory') resources.memory = wholeValue(String(quantity));
    else if (name === 'ephemeral-storage') resources.ephemeralStorage = wholeValue(String(quantity));
    else resources.scalar.set(name, wholeValue(String(quantity)));
  }
  return resources;
}

export function add(to: Resources, what: Resources, sign: 1 | -1 = 1): void {
  to.cpu += sign * what.cpu;
  to.memory += sign * what.memory;
  to.ephemeralStorage += sign * what.ephemeralStorage;
  for (const [name, amount] of what.scalar) to.scalar.set(name, (to.scalar.get(name) ?? 0) + sign * amount);
}

function atLeast(to: Resources, what: Resources): void {
  to.cpu = Math.max(to.cpu, what.cpu);
  to.memory = Math.max(to.memory, what.memory);
  to.ephemeralStorage = Math.max(to.ephemeralStorage, what.ephemeralStorage);
  for (const [name, amount] of what.scalar) to.scalar.set(name, Math.max(to.scalar.get(name) ?? 0, amount));
}

/** What a container that asks for nothing counts as when nodes are scored (`schedutil.DefaultMilliCPURequest`, `DefaultMemoryRequest`). */
const DEFAULT_CPU = 100;
const DEFAULT_MEMORY = 200 * 1024 * 1024;

/**
 * A pod's request: its containers together with its sidecars, or its greediest init container with the
 * sidecars started before it, whichever is more, and its overhead (component-helpers `resource.PodRequests`).
 */
export function podRequests(pod: DeepReadonly<Pod>, nonZero = false): Resources {
  const requestsOf = (container: DeepReadonly<Container>): Resources => {
    const list = container.resources?.requests as Quantities;
    const requests = fromList(list);
    if (nonZero) {
      if (list?.['cpu'] === undefined) requests.cpu = DEFAULT_CPU;
      if (list?.['memory'] === undefined) requests.memory = DEFAULT_MEMORY;
    }
    return requests;
  };
  const total = noResources();
  for (const container of pod.spec?.containers ?? []) add(total, requestsOf(container));
  const sidecars = noResources();
  const init = noResources();
  for (const container of pod.spec?.initContainers ?? []) {
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
  if (pod.spec?.overhead) add(total, fromList(pod.spec.overhead as Quantities));
  return total;
}
