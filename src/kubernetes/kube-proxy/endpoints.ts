/**
 * Which endpoints a node may send a Service port's traffic to (upstream `CategorizeEndpoints`,
 * pkg/proxy/topology.go): ready ones; when there is none, those terminating that still serve (KEP-1669).
 * Here simplified: topology hints are not followed.
 */
import type { DeepReadonly } from '../api/json.ts';
import type { EndpointSlice, Service, ServicePort } from '../api/types.gen.ts';

export interface ProxyEndpoint {
  readonly ip: string;
  readonly port: number;
  /** `10.244.1.5:8080`. */
  readonly text: string;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** Runs on this node. */
  readonly local: boolean;
}

/** All endpoints of one port, each once, in the order of their text (as upstream sorts them). */
export function endpointsOf(port: DeepReadonly<ServicePort>, slices: readonly DeepReadonly<EndpointSlice>[], nodeName: string): ProxyEndpoint[] {
  const found = new Map<string, ProxyEndpoint>();
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue;
    for (const slicePort of slice.ports ?? []) {
      if ((slicePort.name ?? '') !== (port.name ?? '') || slicePort.port === undefined) continue;
      if ((slicePort.protocol ?? 'TCP') !== (port.protocol ?? 'TCP')) continue;
      for (const endpoint of slice.endpoints ?? []) {
        const ip = endpoint.addresses[0];
        if (ip === undefined) continue;
        const text = `${ip}:${slicePort.port}`;
        const ready = endpoint.conditions?.ready ?? true;
        const terminating = endpoint.conditions?.terminating ?? false;
        const it: ProxyEndpoint = {
          ip,
          port: slicePort.port,
          text,
          ready,
          serving: endpoint.conditions?.serving ?? ready,
          terminating,
          local: endpoint.nodeName === nodeName,
        };
        const other = found.get(text);
        if (!other || (it.ready && !other.ready)) found.set(text, it);
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.text < b.text ? -1 : 1));
}

export interface Categorized {
  /** For Cluster traffic policy. */
  readonly cluster: readonly ProxyEndpoint[];
  /** For Local traffic policy. */
  readonly local: readonly ProxyEndpoint[];
  /** All that some rule of this node leads to. */
  readonly reachable: readonly ProxyEndpoint[];
  /** There is a usable endpoint on some node. */
  readonly any: boolean;
}

const usable = (endpoints: readonly ProxyEndpoint[]): readonly ProxyEndpoint[] => {
  const ready = endpoints.filter((e) => e.ready);
  return ready.length > 0 ? ready : endpoints.filter((e) => e.serving && e.terminating);
};

export const internalLocal = (service: DeepReadonly<Service>): boolean => service.spec?.internalTrafficPolicy === 'Local';
/** Meant only where there is external traffic at all. */
export const externalLocal = (service: DeepReadonly<Service>): boolean => externallyAccessible(service) && service.spec?.externalTrafficPolicy === 'Local';
export const externallyAccessible = (service: DeepReadonly<Service>): boolean =>
  service.spec?.type === 'NodePort' || service.spec?.type === 'LoadBalancer' || (service.spec?.externalIPs ?? []).length > 0;

export function categorize(endpoints: readonly ProxyEndpoint[], service: DeepReadonly<Service>): Categorized {
  const usesCluster = !internalLocal(service) || externallyAccessible(service);
  const usesLocal = internalLocal(service) || externalLocal(service);
  const cluster = usesCluster ? usable(endpoints) : [];
  const local = usesLocal ? usable(endpoints.filter((e) => e.local)) : [];
  const known = new Set(cluster);
  const reachable = [...cluster, ...local.filter((e) => !known.has(e))];
  return { cluster, local, reachable, any: reachable.length > 0 || usable(endpoints).length > 0 };
}
