/**
 * A container's environment: service variables, envFrom, env, in that order, with `$(NAME)` expanded
 * (`makeEnvironmentVariables` of kubelet_pods.go, `third_party/forked/golang/expansion`). Pure: what it
 * needs from the cluster it asks `Sources` for.
 */
import type { DeepReadonly } from '../api/json.ts';
import { parseQuantity, wholeValue } from '../api/quantity.ts';
import type { ConfigMap, ObjectFieldSelector, ResourceFieldSelector, Secret, Service } from '../api/types.gen.ts';
import { decodeBase64 } from './base64.ts';
import type { ContainerSpec, PodObject } from './pod-view.ts';

/** Becomes the waiting reason CreateContainerConfigError with this message. */
export class ConfigError extends Error {}

export interface Sources {
  /** Undefined: there is none. */
  configMap(name: string): DeepReadonly<ConfigMap> | undefined;
  secret(name: string): DeepReadonly<Secret> | undefined;
  /** All Services of the cluster. */
  readonly services: readonly DeepReadonly<Service>[];
  readonly nodeName: string;
  readonly hostIP: string;
  readonly podIPs: readonly string[];
  readonly allocatable: Readonly<Record<string, string>>;
}

/** Throws ConfigError. */
export function environmentOf(pod: PodObject, container: ContainerSpec, sources: Sources): Record<string, string> {
  const namespace = pod.metadata.namespace ?? '';
  const env: Record<string, string> = {};
  for (const source of container.envFrom ?? []) {
    const prefix = source.prefix ?? '';
    if (source.configMapRef) {
      const { name = '', optional } = source.configMapRef;
      const map = sources.configMap(name);
      if (!map && !optional) throw new ConfigError(`configmap "${name}" not found`);
      for (const [key, value] of Object.entries(map?.data ?? {})) env[prefix + key] = value ?? '';
    } else if (source.secretRef) {
      const { name = '', optional } = source.secretRef;
      const secret = sources.secret(name);
      if (!secret && !optional) throw new ConfigError(`secret "${name}" not found`);
      for (const [key, value] of Object.entries(secret?.data ?? {})) env[prefix + key] = decodeBase64(value ?? '');
    }
  }
  const services = serviceEnvironment(sources.services, namespace, pod.spec?.enableServiceLinks !== false);
  const known: Record<string, string> = { ...services, ...env };
  for (const variable of container.env ?? []) {
    let value = variable.value ?? '';
    const from = variable.valueFrom;
    if (value !== '') value = expand(value, known);
    else if (from?.fieldRef) value = fieldValue(pod, from.fieldRef, sources);
    else if (from?.resourceFieldRef) value = resourceValue(container, from.resourceFieldRef, sources.allocatable);
    else if (from?.configMapKeyRef) {
      const { name = '', key, optional } = from.configMapKeyRef;
      const map = sources.configMap(name);
      if (!map && !optional) throw new ConfigError(`configmap "${name}" not found`);
      const found = map?.data?.[key];
      if (found === undefined && !optional) throw new ConfigError(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
      if (found === undefined) continue;
      value = found;
    } else if (from?.secretKeyRef) {
      const { name = '', key, optional } = from.secretKeyRef;
      const secret = sources.secret(name);
      if (!secret && !optional) throw new ConfigError(`secret "${name}" not found`);
      const found = secret?.data?.[key];
      if (found === undefined && !optional) throw new ConfigError(`couldn't find key ${key} in Secret ${namespace}/${name}`);
      if (found === undefined) continue;
      value = decodeBase64(found);
    }
    env[variable.name] = value;
    known[variable.name] = value;
  }
  return { ...services, ...env };
}

/** `$(NAME)` becomes its value, `$$(NAME)` the text `$(NAME)`; an unknown name stays as it is. */
export const expand = (text: string, env: Readonly<Record<string, string>>): string =>
  text.replace(/\$\$|\$\(([^()]*)\)/g, (whole, name: string | undefined) => (name === undefined ? '$' : (env[name] ?? whole)));

/** `WEB_SERVICE_HOST` and the Docker-link variables (`envvars.go`). The API server's own service is known everywhere. */
export function serviceEnvironment(services: readonly DeepReadonly<Service>[], namespace: string, links: boolean): Record<string, string> {
  const env: Record<string, string> = {};
  for (const service of services) {
    const ip = service.spec?.clusterIP;
    if (!ip || ip === 'None') continue;
    const isMaster = service.metadata.namespace === 'default' && service.metadata.name === 'kubernetes';
    if (!isMaster && !(links && service.metadata.namespace === namespace)) continue;
    const name = (service.metadata.name ?? '').toUpperCase().replaceAll('-', '_');
    const ports = service.spec?.ports ?? [];
    env[`${name}_SERVICE_HOST`] = ip;
    if (ports[0]) env[`${name}_SERVICE_PORT`] = String(ports[0].port);
    for (const port of ports) if (port.name) env[`${name}_SERVICE_PORT_${port.name.toUpperCase().replaceAll('-', '_')}`] = String(port.port);
    ports.forEach((port, i) => {
      const protocol = (port.protocol ?? 'TCP').toLowerCase();
      const url = `${protocol}://${ip}:${port.port}`;
      const prefix = `${name}_PORT_${port.port}_${protocol.toUpperCase()}`;
      if (i === 0) env[`${name}_PORT`] = url;
      env[prefix] = url;
      env[`${prefix}_PROTO`] = protocol;
      env[`${prefix}_PORT`] = String(port.port);
      env[`${prefix}_ADDR`] = ip;
    });
  }
  return env;
}

/** A field of the pod by its path (`fieldpath.ExtractFieldPathAsString` and podFieldSelectorRuntimeValue). */
export function fieldValue(pod: PodObject, ref: DeepReadonly<ObjectFieldSelector>, sources: Pick<Sources, 'nodeName' | 'hostIP' | 'podIPs'>): string {
  const path = ref.fieldPath;
  const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (subscript) return pod.metadata[subscript[1] as 'labels' | 'annotations']?.[subscript[2]!] ?? '';
  const list = (map: Readonly<Record<string, string | undefined>> | undefined): string =>
    Object.keys(map ?? {})
      .sort()
      .map((key) => `${key}=${JSON.stringify(map![key] ?? '')}`)
      .join('\n');
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name ?? '';
    case 'metadata.namespace':
      return pod.metadata.namespace ?? '';
    case 'metadata.uid':
      return pod.metadata.uid ?? '';
    case 'metadata.labels':
      return list(pod.metadata.labels);
    case 'metadata.annotations':
      return list(pod.metadata.annotations);
    case 'spec.nodeName':
      return pod.spec?.nodeName ?? sources.nodeName;
    case 'spec.serviceAccountName':
      return pod.spec?.serviceAccountName ?? '';
    case 'status.hostIP':
    case 'status.hostIPs':
      return sources.hostIP;
    case 'status.podIP':
      return sources.podIPs[0] ?? '';
    case 'status.podIPs':
      return sources.podIPs.join(',');
    default:
      throw new ConfigError(`unsupported fieldPath: ${path}`);
  }
}

/** A request or limit in units of the divisor, rounded up; a missing limit is what the node can give. */
export function resourceValue(container: ContainerSpec, ref: DeepReadonly<ResourceFieldSelector>, allocatable: Readonly<Record<string, string>>): string {
  const [kind, ...rest] = ref.resource.split('.');
  const name = rest.join('.');
  const own = kind === 'limits' ? (container.resources?.limits?.[name] ?? allocatable[name]) : container.resources?.requests?.[name];
  const divisor = ref.divisor && wholeValue(ref.divisor) !== 0 ? ref.divisor : '1';
  const value = parseQuantity(own ?? '0').nano;
  const by = parseQuantity(divisor).nano;
  return String((value + by - 1n) / by);
}
