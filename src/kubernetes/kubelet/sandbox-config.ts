/** What a pod asks of its sandbox: name, DNS, hosts (`kuberuntime_sandbox.go`, `network/dns/dns.go`). */
import type { Client } from '../client/client.ts';
import type { SandboxConfig } from './cri.ts';
import { LABEL, type PodObject } from './pod-view.ts';

export interface DnsDefaults {
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  /** The node's own resolv.conf. */
  readonly host: string;
  readonly nodeName: string;
}

/** `runtimeHandler`: of the pod's RuntimeClass. */
export function sandboxConfig(pod: PodObject, attempt: number, defaults: DnsDefaults, runtimeHandler?: string): SandboxConfig {
  const spec = pod.spec;
  const hostNetwork = spec?.hostNetwork === true;
  const aliases = (spec?.hostAliases ?? []).map((alias) => `${alias.ip}\t${(alias.hostnames ?? []).join('\t')}`);
  return {
    name: pod.metadata.name ?? '',
    namespace: pod.metadata.namespace ?? '',
    uid: pod.metadata.uid ?? '',
    attempt,
    hostname: hostNetwork ? defaults.nodeName : (spec?.hostname || (pod.metadata.name ?? '')).slice(0, 63).replace(/[-.]+$/, ''),
    ...(spec?.subdomain && !hostNetwork ? { domain: `${spec.subdomain}.${pod.metadata.namespace}.svc.${defaults.clusterDomain}` } : {}),
    hostNetwork,
    ...(runtimeHandler && { runtimeHandler }),
    labels: {
      ...(pod.metadata.labels as Record<string, string> | undefined),
      [LABEL.pod]: pod.metadata.name ?? '',
      [LABEL.namespace]: pod.metadata.namespace ?? '',
      [LABEL.uid]: pod.metadata.uid ?? '',
    },
    annotations: (pod.metadata.annotations as Record<string, string> | undefined) ?? {},
    dns: podDns(pod, defaults),
    ...(aliases.length > 0 && { hosts: ['', '# Entries added by HostAliases.', ...aliases] }),
  };
}

/** `GetPodDNS`: ClusterFirst asks the cluster's DNS with the namespace's search list; host-network pods do so only by ClusterFirstWithHostNet. */
export function podDns(pod: PodObject, defaults: DnsDefaults): SandboxConfig['dns'] {
  const host = parseResolvConf(defaults.host);
  const policy = pod.spec?.dnsPolicy ?? 'ClusterFirst';
  const cluster = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !pod.spec?.hostNetwork);
  const domain = defaults.clusterDomain;
  let dns = policy === 'None' ? { servers: [] as string[], searches: [] as string[], options: [] as string[] } : host;
  if (cluster) {
    const own = [`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain];
    dns = { servers: [...defaults.clusterDns], searches: [...own, ...host.searches.filter((search) => !own.includes(search))], options: ['ndots:5'] };
  }
  const extra = pod.spec?.dnsConfig;
  if (!extra) return dns;
  const options = new Map(dns.options.map((option) => [option.split(':')[0]!, option]));
  for (const option of extra.options ?? []) options.set(option.name ?? '', option.value === undefined ? (option.name ?? '') : `${option.name}:${option.value}`);
  return {
    servers: [...new Set([...dns.servers, ...(extra.nameservers ?? [])])],
    searches: [...new Set([...dns.searches, ...(extra.searches ?? [])])],
    options: [...options.values()],
  };
}

export function parseResolvConf(text: string): { servers: string[]; searches: string[]; options: string[] } {
  const dns = { servers: [] as string[], searches: [] as string[], options: [] as string[] };
  for (const line of text.split('\n')) {
    const [word, ...rest] = line.trim().split(/\s+/);
    if (word === 'nameserver' && rest[0]) dns.servers.push(rest[0]);
    else if (word === 'search') dns.searches = rest;
    else if (word === 'options') dns.options.push(...rest);
  }
  return dns;
}

/** The handler of the pod's RuntimeClass; undefined when it has none. Here simplified: asked for when it is needed, where upstream watches all classes. */
export async function runtimeHandlerOf(client: Client, pod: PodObject): Promise<string | undefined> {
  const name = pod.spec?.runtimeClassName;
  return name ? (await client.of('RuntimeClass').get(name)).handler : undefined;
}
