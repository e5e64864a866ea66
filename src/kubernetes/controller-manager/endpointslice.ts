/**
 * EndpointSlices tell, for every Service with a selector, which pods stand behind it and in what state:
 * what kube-proxy and DNS read. At most a hundred endpoints to a slice, so that one pod's change is a
 * small message however large the Service.
 *
 * Keeps true: each pod of the selector that has an address is in exactly one slice of its Service.
 * Woken by: the Service, pods it selects (before or after the change), its slices.
 */
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import { newControllerRef } from '../api/owner.ts';
import type { Endpoint, EndpointSlice } from '../api/types.gen.ts';
import { isNamespaceTerminating, isNotFound } from '../client/retry.ts';
import { reconciler } from './controller.ts';
import { type EndpointPort, hasEndpoints, isHeadless, isInEndpoints, podsBehind, portsFor, type ReadonlyService, servicesOf } from './endpoint-pods.ts';
import { equal } from './json-equal.ts';
import { isReady, type ReadonlyPod } from './pods.ts';

type Slice = DeepReadonly<EndpointSlice>;

export const SERVICE_NAME = 'kubernetes.io/service-name';
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const MANAGER = 'endpointslice-controller.k8s.io';
const MAX_ENDPOINTS = 100;

export const endpointSliceController = reconciler({
  name: 'endpoint-slice-controller',
  for: 'Service',
  wakes: {
    Pod: (pod, context) => servicesOf(pod, context),
    EndpointSlice: (slice) => {
      const { labels, namespace } = slice.metadata;
      return labels?.[MANAGED_BY] === MANAGER && labels[SERVICE_NAME] ? [`${namespace}/${labels[SERVICE_NAME]}`] : [];
    },
  },
  // The zone of an endpoint comes from its node.
  reads: ['Node'],
  start: ({ informer }) =>
    informer('EndpointSlice').addIndex('service', (slice) => [`${slice.metadata.namespace}/${slice.metadata.labels?.[SERVICE_NAME] ?? ''}`]),

  async reconcile(service, context) {
    if (!hasEndpoints(service) || service.metadata.deletionTimestamp) return;
    const { client, informer, event } = context;
    const existing = informer('EndpointSlice')
      .by('service', keyOf(service))
      .filter((slice) => slice.metadata.labels?.[MANAGED_BY] === MANAGER && !slice.metadata.deletionTimestamp);
    const zoneOf = (node: string | undefined) => (node ? informer('Node').get(node)?.metadata.labels?.['topology.kubernetes.io/zone'] : undefined);
    const { create, update, remove } = plan(service, podsBehind(service, context), existing, zoneOf);
    try {
      for (const slice of create) await client.of('EndpointSlice').create(slice);
      for (const slice of update) await client.of('EndpointSlice').update(slice);
      for (const slice of remove) {
        try {
          await client.of('EndpointSlice').delete(keyOf(slice));
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }
    } catch (error) {
      if (isNamespaceTerminating(error)) return;
      event(
        service,
        'Warning',
        'FailedToUpdateEndpointSlices',
        `Error updating Endpoint Slices for Service ${keyOf(service)}: ${error instanceof Error ? error.message : String(error)}`,
      );
      throw error;
    }
  },
});

interface Plan {
  readonly create: readonly Slice[];
  readonly update: readonly Slice[];
  readonly remove: readonly Slice[];
}

/**
 * The least change of slices that makes them tell the truth (reconciler.reconcileByPortMapping): endpoints
 * stay where they are, newcomers fill slices that change anyway, then the fullest with room, then new ones.
 */
export function plan(
  service: ReadonlyService,
  pods: readonly ReadonlyPod[],
  existing: readonly Slice[],
  zoneOf: (node: string | undefined) => string | undefined = () => undefined,
): Plan {
  const wanted = new Map<string, { ports: readonly EndpointPort[]; endpoints: Map<string, DeepReadonly<Endpoint>> }>();
  for (const pod of pods) {
    if (!isInEndpoints(pod, true)) continue;
    const ports = portsFor(service, pod);
    const group = portKey(ports);
    const entry = wanted.get(group) ?? { ports, endpoints: new Map<string, DeepReadonly<Endpoint>>() };
    entry.endpoints.set(pod.metadata.uid ?? '', endpointOf(service, pod, zoneOf(pod.spec?.nodeName)));
    wanted.set(group, entry);
  }
  const create: Slice[] = [];
  const update: Slice[] = [];
  const remove: Slice[] = [];
  const labels = labelsFor(service);

  for (const [group, { ports, endpoints }] of wanted) {
    const left = new Map(endpoints);
    const kept = existing
      .filter((slice) => portKey(slice.ports as readonly EndpointPort[] | undefined) === group)
      .map((slice) => {
        const staying = slice.endpoints.flatMap((old) => {
          const uid = old.targetRef?.uid ?? '';
          const now = left.get(uid);
          left.delete(uid);
          return now ? [equal(now, old) ? old : now] : [];
        });
        const changed =
          staying.length !== slice.endpoints.length || staying.some((endpoint, i) => endpoint !== slice.endpoints[i]) || !equal(slice.metadata.labels, labels);
        return { slice, staying, changed };
      });
    const newcomers = [...left.values()];
    for (const entry of kept.filter(({ changed, staying }) => changed && staying.length > 0).sort((a, b) => b.staying.length - a.staying.length))
      entry.staying.push(...newcomers.splice(0, MAX_ENDPOINTS - entry.staying.length));
    if (newcomers.length > 0 && newcomers.length < MAX_ENDPOINTS) {
      const room = kept.filter(({ staying }) => staying.length + newcomers.length <= MAX_ENDPOINTS).sort((a, b) => b.staying.length - a.staying.length)[0];
      if (room) {
        room.staying.push(...newcomers.splice(0));
        room.changed = true;
      }
    }
    while (newcomers.length > 0) create.push(sliceFor(service, labels, ports, newcomers.splice(0, MAX_ENDPOINTS)));
    for (const { slice, staying, changed } of kept) {
      if (staying.length === 0) remove.push(slice);
      else if (changed) update.push({ ...slice, metadata: { ...slice.metadata, labels }, endpoints: staying });
    }
  }
  const unused = existing.filter((slice) => !wanted.has(portKey(slice.ports as readonly EndpointPort[] | undefined)));
  if (wanted.size > 0) return { create, update, remove: [...remove, ...unused] };
  // Nothing behind the Service: one empty slice stays, so that readers can tell "none" from "not yet known".
  const [placeholder, ...others] = [...unused.filter((slice) => slice.endpoints.length === 0), ...unused.filter((slice) => slice.endpoints.length > 0)];
  if (!placeholder) return { create: [sliceFor(service, labels, [], [])], update: [], remove: [] };
  const empty = placeholder.endpoints.length === 0 && (placeholder.ports ?? []).length === 0 && equal(placeholder.metadata.labels, labels);
  return { create: [], update: empty ? [] : [{ ...placeholder, metadata: { ...placeholder.metadata, labels }, endpoints: [], ports: [] }], remove: others };
}

export function endpointOf(service: ReadonlyService, pod: ReadonlyPod, zone: string | undefined): DeepReadonly<Endpoint> {
  const serving = isReady(pod);
  const terminating = !!pod.metadata.deletionTimestamp;
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  return {
    addresses: [pod.status?.podIP ?? ''],
    conditions: { ready, serving, terminating },
    ...(pod.spec?.hostname && pod.spec.subdomain === service.metadata.name ? { hostname: pod.spec.hostname } : {}),
    ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: 'Pod', namespace: pod.metadata.namespace ?? '', name: pod.metadata.name ?? '', uid: pod.metadata.uid ?? '' },
    ...(zone ? { zone } : {}),
  };
}

const sliceFor = (
  service: ReadonlyService,
  labels: Record<string, string>,
  ports: readonly EndpointPort[],
  endpoints: readonly DeepReadonly<Endpoint>[],
): Slice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    generateName: `${service.metadata.name}-`,
    ...(service.metadata.namespace ? { namespace: service.metadata.namespace } : {}),
    labels,
    ownerReferences: [newControllerRef(service)],
  },
  addressType: 'IPv4',
  endpoints,
  ports,
});

/** The Service's own labels go with the slice, and three that say whose it is. */
function labelsFor(service: ReadonlyService): Record<string, string> {
  const own = Object.fromEntries(
    Object.entries(service.metadata.labels ?? {}).filter(([key]) => key !== SERVICE_NAME && key !== MANAGED_BY && key !== 'service.kubernetes.io/headless'),
  );
  return {
    ...own,
    [MANAGED_BY]: MANAGER,
    [SERVICE_NAME]: service.metadata.name ?? '',
    ...(isHeadless(service) ? { 'service.kubernetes.io/headless': '' } : {}),
  };
}

const portKey = (ports: readonly EndpointPort[] | undefined): string =>
  (ports ?? [])
    .map(({ name, port, protocol, appProtocol }) => `${name ?? ''}:${protocol}:${port}:${appProtocol ?? ''}`)
    .sort()
    .join(',');
