/**
 * The old way to tell what is behind a Service: one object `Endpoints` of the Service's name, deprecated
 * since 1.33 and still written.
 *
 * Keeps true: ready pods are in `addresses`, others in `notReadyAddresses`, terminating ones nowhere.
 * Woken by: the Service and pods it selects.
 */
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import type { EndpointAddress, EndpointSubset, Endpoints } from '../api/types.gen.ts';
import { isNamespaceTerminating, isNotFound } from '../client/retry.ts';
import { reconciler } from './controller.ts';
import { type EndpointPort, hasEndpoints, isHeadless, isInEndpoints, podsBehind, portsFor, type ReadonlyService, servicesOf } from './endpoint-pods.ts';
import { equal } from './json-equal.ts';
import { isReady, type ReadonlyPod } from './pods.ts';

/** Beyond this many addresses the rest is left out, and an annotation says so. */
const MAX_CAPACITY = 1000;
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity';

export const endpointsController = reconciler({
  name: 'endpoint-controller',
  for: 'Service',
  reads: ['Endpoints'],
  wakes: { Pod: (pod, context) => servicesOf(pod, context) },

  async reconcile(service, context) {
    if (!hasEndpoints(service) || service.metadata.deletionTimestamp) return;
    const { client, informer } = context;
    const current = informer('Endpoints').get(keyOf(service));
    const subsets = subsetsOf(service, podsBehind(service, context));
    const labels = {
      ...service.metadata.labels,
      'endpoints.kubernetes.io/managed-by': 'endpoint-controller',
      ...(isHeadless(service) ? { 'service.kubernetes.io/headless': '' } : {}),
    };
    if (current && equal(current.subsets ?? [], subsets) && equal(current.metadata.labels, labels)) return;
    const { [OVER_CAPACITY]: _, ...annotations } = current?.metadata.annotations ?? {};
    const over = subsets.reduce((sum, subset) => sum + (subset.addresses?.length ?? 0) + (subset.notReadyAddresses?.length ?? 0), 0) >= MAX_CAPACITY;
    const metadata = {
      ...(current?.metadata ?? { name: service.metadata.name ?? '', ...(service.metadata.namespace ? { namespace: service.metadata.namespace } : {}) }),
      labels,
      ...(over ? { annotations: { ...annotations, [OVER_CAPACITY]: 'truncated' } } : Object.keys(annotations).length > 0 ? { annotations } : {}),
    };
    const next: DeepReadonly<Endpoints> = { apiVersion: 'v1', kind: 'Endpoints', metadata, ...(subsets.length > 0 ? { subsets } : {}) };
    try {
      if (current) await client.of('Endpoints').update(next);
      else await client.of('Endpoints').create(next);
    } catch (error) {
      if (!isNamespaceTerminating(error)) throw error;
    }
  },

  // Endpoints have no owner, so the garbage collector would not notice.
  async gone(key, { client, informer }) {
    if (!informer('Endpoints').get(key)) return;
    try {
      await client.of('Endpoints').delete(key);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  },
});

/** Addresses by the set of ports they offer, in canonical order (endpoints.RepackSubsets). */
export function subsetsOf(service: ReadonlyService, pods: readonly ReadonlyPod[]): readonly DeepReadonly<EndpointSubset>[] {
  const groups = new Map<string, { ports: readonly EndpointPort[]; ready: DeepReadonly<EndpointAddress>[]; notReady: DeepReadonly<EndpointAddress>[] }>();
  const publishAll = service.spec?.publishNotReadyAddresses === true;
  for (const pod of pods.filter((p) => isInEndpoints(p, publishAll)).slice(0, MAX_CAPACITY)) {
    const ports = portsFor(service, pod);
    if (ports.length === 0 && !isHeadless(service)) continue;
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, ready: [], notReady: [] };
    groups.set(key, group);
    (publishAll || isReady(pod) ? group.ready : group.notReady).push({
      ip: pod.status?.podIP ?? '',
      ...(pod.spec?.hostname && pod.spec.subdomain === service.metadata.name ? { hostname: pod.spec.hostname } : {}),
      ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
      targetRef: { kind: 'Pod', namespace: pod.metadata.namespace ?? '', name: pod.metadata.name ?? '', uid: pod.metadata.uid ?? '' },
    });
  }
  const byIp = (a: DeepReadonly<EndpointAddress>, b: DeepReadonly<EndpointAddress>) => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : 0);
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { ports, ready, notReady }]) => ({
      ...(ready.length > 0 ? { addresses: ready.sort(byIp) } : {}),
      ...(notReady.length > 0 ? { notReadyAddresses: notReady.sort(byIp) } : {}),
      ...(ports.length > 0 ? { ports: ports.map(({ name, ...port }) => (name ? { name, ...port } : port)) } : {}),
    }));
}
