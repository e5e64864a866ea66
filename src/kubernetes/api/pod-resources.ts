/**
 * What a pod asks for as a whole, in quantities (component-helpers `resource.PodRequests`, `PodLimits`): its
 * containers together with its sidecars, or its greediest init container with the sidecars started before it,
 * whichever is more, and its overhead. Resources of the pod itself (spec.resources) go before its containers'.
 */
import type { DeepReadonly } from './json.ts';
import { addQuantities, compareQuantities } from './quantity.ts';
import type { Container, PodSpec } from './types.gen.ts';

export type ResourceList = Readonly<Record<string, string | undefined>>;
type Spec = DeepReadonly<PodSpec> | undefined;

/** The sum, name by name. Neither list is changed. */
export function addLists(a: ResourceList, b: ResourceList): ResourceList {
  const sum: Record<string, string | undefined> = { ...a };
  for (const [name, amount] of Object.entries(b)) if (amount !== undefined) sum[name] = sum[name] === undefined ? amount : addQuantities(sum[name], amount);
  return sum;
}

function greater(a: ResourceList, b: ResourceList): ResourceList {
  const most: Record<string, string | undefined> = { ...a };
  for (const [name, amount] of Object.entries(b))
    if (amount !== undefined && (most[name] === undefined || compareQuantities(amount, most[name]) > 0)) most[name] = amount;
  return most;
}

function together(spec: Spec, of: (container: DeepReadonly<Container>) => ResourceList | undefined): ResourceList {
  let total: ResourceList = {};
  for (const container of spec?.containers ?? []) total = addLists(total, of(container) ?? {});
  let sidecars: ResourceList = {};
  let greediest: ResourceList = {};
  for (const container of spec?.initContainers ?? []) {
    const own = of(container) ?? {};
    if (container.restartPolicy === 'Always') {
      total = addLists(total, own);
      sidecars = addLists(sidecars, own);
      greediest = greater(greediest, sidecars);
    } else greediest = greater(greediest, addLists(own, sidecars));
  }
  return greater(total, greediest);
}

const ofPod = (spec: Spec): { readonly requests?: ResourceList; readonly limits?: ResourceList } =>
  (spec as { resources?: { requests?: ResourceList; limits?: ResourceList } } | undefined)?.resources ?? {};

export function podRequests(spec: Spec): ResourceList {
  const total = { ...together(spec, ({ resources }) => resources?.requests as ResourceList | undefined), ...ofPod(spec).requests };
  return spec?.overhead ? addLists(total, spec.overhead as ResourceList) : total;
}

/** Overhead counts only where there is a limit to raise. */
export function podLimits(spec: Spec): ResourceList {
  const total: ResourceList = { ...together(spec, ({ resources }) => resources?.limits as ResourceList | undefined), ...ofPod(spec).limits };
  const overhead = Object.fromEntries(Object.entries((spec?.overhead ?? {}) as ResourceList).filter(([name]) => total[name] !== undefined));
  return addLists(total, overhead);
}
