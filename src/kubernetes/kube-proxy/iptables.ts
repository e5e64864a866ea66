/**
 * From a Service and its EndpointSlices to iptables rules: chains, comments and order as kube-proxy's
 * iptables mode writes them (pkg/proxy/iptables/proxier.go). Pure: run.ts puts the result into the kernel.
 *
 * Here simplified: session affinity (`-m recent`) and the localhost firewall are left out.
 */
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import type { EndpointSlice, Service, ServicePort } from '../api/types.gen.ts';
import { categorize, endpointsOf, externalLocal, externallyAccessible, internalLocal, type ProxyEndpoint } from './endpoints.ts';
import { base32, sha256 } from './sha256.ts';

export interface ProxyOptions {
  readonly nodeName: string;
  readonly nodeIp: string;
  /** Traffic from here is a pod's (`--cluster-cidr`, detect-local-mode ClusterCIDR). */
  readonly clusterCidr: string;
}

/** What one Service contributes. Rules are words after `-A CHAIN`. */
export interface ServiceRules {
  /** Chains of its own, in the nat table. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  readonly nat: { readonly services: readonly string[]; readonly nodePorts: readonly string[] };
  readonly filter: {
    readonly services: readonly string[];
    readonly external: readonly string[];
    readonly nodePorts: readonly string[];
    readonly firewall: readonly string[];
  };
  readonly endpoints: number;
  /** UDP flows to these destinations (`ip:port`) may only go to these endpoints; others are stale. */
  readonly udp: ReadonlyMap<string, ReadonlySet<string>>;
}

/** `default/web:http`, or `default/web` for an unnamed port. */
export const servicePortName = (service: DeepReadonly<Service>, port: DeepReadonly<ServicePort>): string =>
  `${keyOf(service)}${port.name ? `:${port.name}` : ''}`;

/** KUBE-SVC-, KUBE-SVL-, KUBE-EXT- and KUBE-FW- chains of a port (`portProtoHash`). */
export const chainName = (kind: 'SVC' | 'SVL' | 'EXT' | 'FW', portName: string, protocol: string): string => `KUBE-${kind}-${hashOf(portName + protocol)}`;
/** The chain of one endpoint of a port (`servicePortEndpointChainName`). */
export const endpointChainName = (portName: string, protocol: string, endpoint: string): string => `KUBE-SEP-${hashOf(portName + protocol + endpoint)}`;

/** Every node names the same chains, again with every change of a Service: a hash is worked out once (40 µs). */
const hashes = new Map<string, string>();
function hashOf(text: string): string {
  let hash = hashes.get(text);
  if (hash === undefined) {
    hash = base32(sha256(text), 16);
    if (hashes.size > 20_000) hashes.clear();
    hashes.set(text, hash);
  }
  return hash;
}

/** Services kube-proxy has no business with: headless, ExternalName, or another proxy's. */
export const isProxied = (service: DeepReadonly<Service>): boolean =>
  service.spec?.type !== 'ExternalName' &&
  !!service.spec?.clusterIP &&
  service.spec.clusterIP !== 'None' &&
  service.metadata?.labels?.['service.kubernetes.io/service-proxy-name'] === undefined;

const comment = (text: string): string => `-m comment --comment "${text}"`;

export function serviceRules(service: DeepReadonly<Service>, slices: readonly DeepReadonly<EndpointSlice>[], options: ProxyOptions): ServiceRules {
  const out = {
    chains: new Map<string, readonly string[]>(),
    nat: { services: [] as string[], nodePorts: [] as string[] },
    filter: { services: [] as string[], external: [] as string[], nodePorts: [] as string[], firewall: [] as string[] },
    endpoints: 0,
    udp: new Map<string, ReadonlySet<string>>(),
  };
  if (!isProxied(service)) return out;
  for (const port of service.spec?.ports ?? []) {
    const protocol = (port.protocol ?? 'TCP').toLowerCase();
    // Here simplified: SCTP does not exist in this network.
    if (protocol === 'tcp' || protocol === 'udp') portRules(out, service, port, protocol, slices, options);
  }
  return out;
}

interface Draft {
  readonly chains: Map<string, readonly string[]>;
  readonly nat: { readonly services: string[]; readonly nodePorts: string[] };
  readonly filter: { readonly services: string[]; readonly external: string[]; readonly nodePorts: string[]; readonly firewall: string[] };
  endpoints: number;
  readonly udp: Map<string, ReadonlySet<string>>;
}

function portRules(
  out: Draft,
  service: DeepReadonly<Service>,
  port: DeepReadonly<ServicePort>,
  protocol: string,
  slices: readonly DeepReadonly<EndpointSlice>[],
  options: ProxyOptions,
): void {
  const name = servicePortName(service, port);
  const spec = service.spec!;
  const { cluster, local, reachable, any } = categorize(endpointsOf(port, slices, options.nodeName), service);
  const clusterChain = chainName('SVC', name, protocol);
  const localChain = chainName('SVL', name, protocol);
  const externalChain = chainName('EXT', name, protocol);
  const firewallChain = chainName('FW', name, protocol);
  const internalChain = internalLocal(service) ? localChain : clusterChain;
  const hasInternal = any && (!internalLocal(service) || local.length > 0);
  const hasExternal = any && (!externalLocal(service) || local.length > 0);
  const balancerIps = (service.status?.loadBalancer?.ingress ?? []).flatMap((i) => (i.ip && i.ipMode !== 'Proxy' ? [i.ip] : []));
  const sourceRanges = spec.loadBalancerSourceRanges ?? [];
  const usesFirewall = any && balancerIps.length > 0 && sourceRanges.length > 0;

  const to = (ip: string): string => `-m ${protocol} -p ${protocol} -d ${ip} --dport ${port.port}`;
  const refusal = any ? 'DROP' : 'REJECT';
  const why = comment(any ? `${name} has no local endpoints` : `${name} has no endpoints`);

  if (hasInternal) out.nat.services.push(`${comment(`${name} cluster IP`)} ${to(spec.clusterIP!)} -j ${internalChain}`);
  else out.filter.services.push(`${why} ${to(spec.clusterIP!)} -j ${refusal}`);

  for (const ip of spec.externalIPs ?? []) {
    if (any) out.nat.services.push(`${comment(`${name} external IP`)} ${to(ip)} -j ${externalChain}`);
    if (!hasExternal) out.filter.external.push(`${why} ${to(ip)} -j ${refusal}`);
  }
  for (const ip of balancerIps) {
    if (any) out.nat.services.push(`${comment(`${name} loadbalancer IP`)} ${to(ip)} -j ${usesFirewall ? firewallChain : externalChain}`);
    if (usesFirewall) out.filter.firewall.push(`${comment(`${name} traffic not accepted by ${firewallChain}`)} ${to(ip)} -j DROP`);
    if (!hasExternal) out.filter.external.push(`${why} ${to(ip)} -j ${refusal}`);
  }
  if (port.nodePort) {
    if (any) out.nat.nodePorts.push(`${comment(name)} -m ${protocol} -p ${protocol} --dport ${port.nodePort} -j ${externalChain}`);
    if (!hasExternal) out.filter.external.push(`${why} -m addrtype --dst-type LOCAL -m ${protocol} -p ${protocol} --dport ${port.nodePort} -j ${refusal}`);
  }
  if (spec.healthCheckNodePort)
    out.filter.nodePorts.push(`${comment(`${name} health check node port`)} -m tcp -p tcp --dport ${spec.healthCheckNodePort} -j ACCEPT`);

  const masqueradeOutsiders = `${comment(`${name} cluster IP`)} ${to(spec.clusterIP!)} ! -s ${options.clusterCidr} -j KUBE-MARK-MASQ`;
  if (cluster.length > 0)
    out.chains.set(clusterChain, [...(hasInternal && internalChain === clusterChain ? [masqueradeOutsiders] : []), ...spread(name, protocol, cluster)]);
  if (local.length > 0)
    out.chains.set(localChain, [...(hasInternal && internalChain === localChain ? [masqueradeOutsiders] : []), ...spread(name, protocol, local)]);
  if (any && externallyAccessible(service)) {
    const rules: string[] = [];
    if (!externalLocal(service)) rules.push(`${comment(`masquerade traffic for ${name} external destinations`)} -j KUBE-MARK-MASQ`);
    else {
      rules.push(
        `${comment(`pod traffic for ${name} external destinations`)} -s ${options.clusterCidr} -j ${clusterChain}`,
        `${comment(`masquerade LOCAL traffic for ${name} external destinations`)} -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ`,
        `${comment(`route LOCAL traffic for ${name} external destinations`)} -m addrtype --src-type LOCAL -j ${clusterChain}`,
      );
    }
    if (hasExternal) rules.push(`-j ${externalLocal(service) ? localChain : clusterChain}`);
    out.chains.set(externalChain, rules);
  }
  if (usesFirewall) {
    out.chains.set(firewallChain, [
      ...sourceRanges.map((range) => `${comment(`${name} loadbalancer IP`)} -s ${range.trim()} -j ${externalChain}`),
      comment(`other traffic to ${name} will be dropped by KUBE-PROXY-FIREWALL`),
    ]);
  }
  for (const endpoint of reachable) {
    out.chains.set(endpointChainName(name, protocol, endpoint.text), [
      `${comment(name)} -s ${endpoint.ip} -j KUBE-MARK-MASQ`,
      `${comment(name)} -m ${protocol} -p ${protocol} -j DNAT --to-destination ${endpoint.text}`,
    ]);
  }
  out.endpoints += reachable.length;
  if (protocol === 'udp') out.udp.set(`${spec.clusterIP}:${port.port}`, new Set(reachable.map((e) => e.text)));
}

/** One rule per endpoint: of n still to choose from, the first is taken one time in n; the last always. */
const spread = (name: string, protocol: string, endpoints: readonly ProxyEndpoint[]): string[] =>
  endpoints.map((endpoint, i) => {
    const left = endpoints.length - i;
    const chance = left > 1 ? ` -m statistic --mode random --probability ${(1 / left).toFixed(10)}` : '';
    return `${comment(`${name} -> ${endpoint.text}`)}${chance} -j ${endpointChainName(name, protocol, endpoint.text)}`;
  });

/** Jumps from the built-in chains, in the order kube-proxy ensures them: each is put first, so the last one stands on top. */
export const JUMPS: readonly (readonly ['filter' | 'nat', string, string])[] = [
  ['filter', 'INPUT', '-m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES'],
  ['filter', 'FORWARD', '-m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES'],
  ['filter', 'INPUT', '-m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS'],
  ['filter', 'FORWARD', '-m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES'],
  ['filter', 'OUTPUT', '-m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES'],
  ['filter', 'FORWARD', '-m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD'],
  ['filter', 'INPUT', '-m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL'],
  ['filter', 'OUTPUT', '-m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL'],
  ['filter', 'FORWARD', '-m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL'],
  ['nat', 'OUTPUT', '-m comment --comment "kubernetes service portals" -j KUBE-SERVICES'],
  ['nat', 'PREROUTING', '-m comment --comment "kubernetes service portals" -j KUBE-SERVICES'],
  ['nat', 'POSTROUTING', '-m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING'],
];

/** Chains whose rules never change. The mark is bit 14 (`--iptables-masquerade-bit`). */
export const FIXED: readonly (readonly ['filter' | 'nat', string, readonly string[]])[] = [
  [
    'filter',
    'KUBE-FORWARD',
    [
      '-m conntrack --ctstate INVALID -j DROP',
      '-m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT',
      '-m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    ],
  ],
  ['nat', 'KUBE-MARK-MASQ', ['-j MARK --or-mark 0x4000']],
  [
    'nat',
    'KUBE-POSTROUTING',
    [
      '-m mark ! --mark 0x4000/0x4000 -j RETURN',
      '-j MARK --xor-mark 0x4000',
      '-m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully',
    ],
  ],
];

export const LAST_SERVICE_RULE =
  '-m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS';

/** Chains that belong to some Service, and are deleted with it (`isServiceChainName`). */
export const isServiceChain = (chain: string): boolean => /^KUBE-(SVC|SVL|EXT|FW|SEP)-/.test(chain);
