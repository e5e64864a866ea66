/**
 * The kubernetes plugin: names of the cluster, from Services and EndpointSlices (the specification is
 * kubernetes/dns `docs/specification.md`; the behaviour CoreDNS `plugin/kubernetes`). Pure, given what
 * the informers know.
 */
import { parseAddress } from '../../linux/address.ts';
import type { DnsRecord, RecordType, ResponseCode } from '../../linux/dns.ts';
import type { DeepReadonly } from '../api/json.ts';
import type { EndpointSlice, Service } from '../api/types.gen.ts';

type Endpoint = DeepReadonly<EndpointSlice>['endpoints'][number];

/** What the plugin knows of the cluster. */
export interface ClusterView {
  service(namespace: string, name: string): DeepReadonly<Service> | undefined;
  slices(namespace: string, service: string): readonly DeepReadonly<EndpointSlice>[];
  namespaceExists(name: string): boolean;
  serviceWithIp(ip: string): DeepReadonly<Service> | undefined;
  slicesWithIp(ip: string): readonly DeepReadonly<EndpointSlice>[];
}
export interface KubernetesZone {
  /** With the final dot: `cluster.local.` */
  readonly zone: string;
  readonly ttl: number;
  readonly pods: 'disabled' | 'insecure' | 'verified';
}
export interface Reply {
  readonly code: ResponseCode;
  readonly answers: readonly DnsRecord[];
  readonly additional: readonly DnsRecord[];
}

const NXDOMAIN: Reply = { code: 'NXDOMAIN', answers: [], additional: [] };
const NODATA: Reply = { code: 'NOERROR', answers: [], additional: [] };
const noerror = (answers: readonly DnsRecord[], additional: readonly DnsRecord[] = []): Reply => ({ code: 'NOERROR', answers, additional });

/** An endpoint that may be told: ready ones (publishNotReadyAddresses shows as ready in the slice). */
const isReady = (endpoint: Endpoint): boolean => endpoint.conditions?.ready ?? true;
/** The label a headless Service's endpoint is known by: its hostname, or its address with dashes. */
const labelOf = (endpoint: Endpoint): string => endpoint.hostname || endpoint.addresses[0]!.replaceAll('.', '-');
export const isHeadless = (service: DeepReadonly<Service>): boolean => service.spec?.clusterIP === 'None';

/** Answers a name of the zone. `name` is in lower case and ends in the zone. */
export function lookup(name: string, type: RecordType, { zone, ttl, pods }: KubernetesZone, view: ClusterView): Reply {
  if (name === zone) return NODATA;
  const labels = name.slice(0, -(zone.length + 1)).split('.');
  const kind = labels.pop();
  if (kind !== 'svc' && kind !== 'pod') return name === `dns-version.${zone}` && type === 'TXT' ? noerror([{ name, type, ttl, data: '"1.1.0"' }]) : NXDOMAIN;
  const namespace = labels.pop();
  if (namespace === undefined) return NODATA;
  if (!view.namespaceExists(namespace)) return NXDOMAIN;
  if (labels.length === 0) return NODATA;
  if (kind === 'pod') return podName(name, labels, type, ttl, pods);

  const serviceName = labels.pop()!;
  const service = view.service(namespace, serviceName);
  if (!service) return NXDOMAIN;
  const base = `${serviceName}.${namespace}.svc.${zone}`;
  if (service.spec?.type === 'ExternalName') return labels.length > 0 ? NXDOMAIN : externalName(name, service, ttl);
  const slices = view.slices(namespace, serviceName);
  // Nothing ready behind a headless Service: the name does not exist, as far as DNS is concerned.
  if (isHeadless(service) && !slices.some((slice) => (slice.endpoints ?? []).some(isReady))) return NXDOMAIN;
  if (labels.length === 2 && labels.every((label) => label.startsWith('_'))) return portName(name, labels, type, service, slices, base, ttl);
  if (labels.length === 1) return endpointName(name, labels[0]!, type, slices, ttl);
  if (labels.length > 1) return NXDOMAIN;
  if (type === 'A') return noerror(addresses(service, slices).map((data) => ({ name, type, ttl, data })));
  if (type === 'SRV') return servicePorts(name, service, slices, base, ttl, () => true);
  return NODATA;
}

function podName(name: string, labels: readonly string[], type: RecordType, ttl: number, pods: KubernetesZone['pods']): Reply {
  const ip = labels[0]!.replaceAll('-', '.');
  if (labels.length !== 1 || pods === 'disabled' || parseAddress(ip) === undefined) return NXDOMAIN;
  // Here simplified: `verified` is answered like `insecure`, from the name alone.
  return type === 'A' ? noerror([{ name, type, ttl, data: ip }]) : NODATA;
}

function externalName(name: string, service: DeepReadonly<Service>, ttl: number): Reply {
  const target = service.spec?.externalName;
  return target ? noerror([{ name, type: 'CNAME', ttl, data: target.endsWith('.') ? target : `${target}.` }]) : NODATA;
}

function addresses(service: DeepReadonly<Service>, slices: readonly DeepReadonly<EndpointSlice>[]): string[] {
  if (!isHeadless(service)) return service.spec?.clusterIP ? [service.spec.clusterIP] : [];
  const found = new Set<string>();
  for (const slice of slices) for (const endpoint of slice.endpoints ?? []) if (isReady(endpoint)) for (const ip of endpoint.addresses) found.add(ip);
  return [...found];
}

function endpointName(name: string, label: string, type: RecordType, slices: readonly DeepReadonly<EndpointSlice>[], ttl: number): Reply {
  const found = new Set<string>();
  for (const slice of slices) {
    for (const endpoint of slice.endpoints ?? []) if (isReady(endpoint) && labelOf(endpoint) === label) for (const ip of endpoint.addresses) found.add(ip);
  }
  if (found.size === 0) return NXDOMAIN;
  return type === 'A' ? noerror([...found].map((data) => ({ name, type, ttl, data }))) : NODATA;
}

function portName(
  name: string,
  labels: readonly string[],
  type: RecordType,
  service: DeepReadonly<Service>,
  slices: readonly DeepReadonly<EndpointSlice>[],
  base: string,
  ttl: number,
): Reply {
  const port = labels[0]!.slice(1);
  const protocol = labels[1]!.slice(1).toUpperCase();
  const matches = (p: { readonly name?: string | undefined; readonly protocol?: string | undefined }): boolean =>
    (p.name ?? '') === port && (p.protocol ?? 'TCP') === protocol;
  const known = isHeadless(service) ? slices.some((slice) => (slice.ports ?? []).some(matches)) : (service.spec?.ports ?? []).some(matches);
  if (!known) return NXDOMAIN;
  if (type === 'SRV') return servicePorts(name, service, slices, base, ttl, matches);
  if (type === 'A') return noerror(addresses(service, slices).map((data) => ({ name, type, ttl, data })));
  return NODATA;
}

type PortTest = (port: { readonly name?: string | undefined; readonly protocol?: string | undefined }) => boolean;

/** SRV: priority 0, weight an equal share of 100, the port, and a name that has an address. */
function servicePorts(
  name: string,
  service: DeepReadonly<Service>,
  slices: readonly DeepReadonly<EndpointSlice>[],
  base: string,
  ttl: number,
  matches: PortTest,
): Reply {
  const targets: { port: number; target: string; ip: string }[] = [];
  if (!isHeadless(service)) {
    for (const port of service.spec?.ports ?? []) if (matches(port)) targets.push({ port: port.port, target: base, ip: service.spec?.clusterIP ?? '' });
  } else {
    for (const slice of slices) {
      for (const port of slice.ports ?? []) {
        if (!matches(port) || port.port === undefined) continue;
        for (const endpoint of slice.endpoints ?? [])
          if (isReady(endpoint)) targets.push({ port: port.port, target: `${labelOf(endpoint)}.${base}`, ip: endpoint.addresses[0]! });
      }
    }
  }
  const weight = Math.max(1, Math.floor(100 / Math.max(1, targets.length)));
  const seen = new Set<string>();
  const additional = targets.flatMap(({ target, ip }): DnsRecord[] => {
    if (seen.has(target)) return [];
    seen.add(target);
    return [{ name: target, type: 'A', ttl, data: ip }];
  });
  return noerror(
    targets.map(({ port, target }) => ({ name, type: 'SRV', ttl, data: `0 ${weight} ${port} ${target}` })),
    additional,
  );
}

/** `5.1.244.10.in-addr.arpa.` backwards; undefined when no Service or endpoint has the address, or the name is no address. */
export function reverseLookup(name: string, type: RecordType, { zone, ttl }: KubernetesZone, view: ClusterView): Reply | undefined {
  const ip = name
    .replace(/\.in-addr\.arpa\.$/, '')
    .split('.')
    .reverse()
    .join('.');
  if (parseAddress(ip) === undefined) return undefined;
  const targets: string[] = [];
  const service = view.serviceWithIp(ip);
  if (service) targets.push(`${service.metadata!.name}.${service.metadata!.namespace}.svc.${zone}`);
  else {
    for (const slice of view.slicesWithIp(ip)) {
      const owner = slice.metadata?.labels?.['kubernetes.io/service-name'];
      if (!owner) continue;
      for (const endpoint of slice.endpoints ?? [])
        if (endpoint.addresses.includes(ip)) targets.push(`${labelOf(endpoint)}.${owner}.${slice.metadata!.namespace}.svc.${zone}`);
    }
  }
  if (targets.length === 0) return undefined;
  return type === 'PTR' ? noerror([...new Set(targets)].map((data) => ({ name, type, ttl, data }))) : NODATA;
}
