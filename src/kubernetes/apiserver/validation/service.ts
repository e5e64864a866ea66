/** Services, endpoints, ingresses and network policies: pkg/apis/{core,discovery,networking}/validation. */
import { dns1123LabelErrors, dns1123SubdomainErrors, portNameErrors, portNumberErrors } from '../../api/names.ts';
import type { EndpointSlice, Endpoints, Ingress, IngressBackend, IngressClass, NetworkPolicy, NetworkPolicyPort, Service } from '../../api/types.gen.ts';
import { validatePort } from './container.ts';
import { duplicate, type Errors, each, forbidden, invalid, notSupported, oneOf, required } from './field.ts';
import { validateLabelSelector, validateLabels } from './metadata.ts';

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const IP_TEXT = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';

export function isIp(text: string): boolean {
  const parts = text.split('.');
  if (parts.length === 4) return parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
  return /^[0-9a-fA-F:]+$/.test(text) && text.includes(':') && text.split('::').length <= 2 && text.split(':').length <= 8;
}

export function isCidr(text: string): boolean {
  const [address = '', bits = '', ...more] = text.split('/');
  return more.length === 0 && isIp(address) && /^\d{1,3}$/.test(bits) && Number(bits) <= (address.includes(':') ? 128 : 32);
}

export function validateService(errors: Errors, object: Service, old: Service | undefined): void {
  const spec = object.spec;
  if (!spec) return;
  const headless = spec.clusterIP === 'None';
  if (!spec.ports?.length && !headless && spec.type !== 'ExternalName') errors.push(required('spec.ports'));
  oneOf(errors, 'spec.type', spec.type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']);
  if (spec.type === 'LoadBalancer' && headless) errors.push(invalid('spec.clusterIPs[0]', 'None', 'may not be set to "None" for LoadBalancer services'));
  if (spec.type === 'NodePort' && headless) errors.push(invalid('spec.clusterIPs[0]', 'None', 'may not be set to "None" for NodePort services'));
  if (spec.type === 'ExternalName') {
    if (spec.clusterIP) errors.push(forbidden('spec.clusterIPs[0]', 'may not be set for ExternalName services'));
    const name = (spec.externalName ?? '').replace(/\.$/, '');
    if (name === '') errors.push(required('spec.externalName'));
    else each(errors, 'spec.externalName', name, dns1123SubdomainErrors(name));
  }
  const names = new Set<string>();
  const nodePorts = new Set<string>();
  const seen = new Set<string>();
  for (const [i, port] of (spec.ports ?? []).entries()) {
    const at = `spec.ports[${i}]`;
    if (!port.name) {
      if ((spec.ports?.length ?? 0) > 1) errors.push(required(`${at}.name`));
    } else {
      each(errors, `${at}.name`, port.name, dns1123LabelErrors(port.name));
      if (names.has(port.name)) errors.push(duplicate(`${at}.name`, port.name));
      names.add(port.name);
    }
    for (const reason of portNumberErrors(port.port ?? 0)) errors.push(invalid(`${at}.port`, port.port ?? 0, reason));
    oneOf(errors, `${at}.protocol`, port.protocol, PROTOCOLS);
    validatePort(errors, port.targetPort, `${at}.targetPort`);
    if (port.nodePort) {
      if (spec.type === 'ClusterIP') errors.push(forbidden(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
      const key = `${port.protocol}/${port.nodePort}`;
      if (nodePorts.has(key)) errors.push(duplicate(`${at}.nodePort`, port.nodePort));
      nodePorts.add(key);
    }
    const key = `${port.protocol}/${port.port}`;
    if (seen.has(key)) errors.push(duplicate(at, { protocol: port.protocol, port: port.port }));
    seen.add(key);
  }
  if (spec.selector) validateLabels(errors, spec.selector, 'spec.selector');
  oneOf(errors, 'spec.sessionAffinity', spec.sessionAffinity, ['ClientIP', 'None']);
  if (spec.sessionAffinity === 'ClientIP') {
    const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
    if (seconds !== undefined && (seconds <= 0 || seconds > 86_400)) {
      errors.push(invalid('spec.sessionAffinityConfig.clientIP.timeoutSeconds', seconds, 'must be greater than 0 and less than 86400'));
    }
  }
  const ips = spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : []);
  for (const [i, ip] of ips.entries()) if (ip !== '' && ip !== 'None' && !isIp(ip)) errors.push(invalid(`spec.clusterIPs[${i}]`, ip, IP_TEXT));
  for (const [i, ip] of (spec.externalIPs ?? []).entries()) if (!isIp(ip)) errors.push(invalid(`spec.externalIPs[${i}]`, ip, IP_TEXT));
  if (spec.loadBalancerClass !== undefined && spec.type !== 'LoadBalancer')
    errors.push(forbidden('spec.loadBalancerClass', "may only be used when `type` is 'LoadBalancer'"));
  else if (old && old.spec?.type === 'LoadBalancer' && spec.type === 'LoadBalancer' && spec.loadBalancerClass !== old.spec.loadBalancerClass)
    errors.push(invalid('spec.loadBalancerClass', spec.loadBalancerClass ?? null, 'may not change once set'));
  for (const [i, range] of (spec.loadBalancerSourceRanges ?? []).entries()) {
    if (!isCidr(range)) errors.push(invalid(`spec.loadBalancerSourceRanges[${i}]`, range, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'));
  }
  if (spec.internalTrafficPolicy !== undefined) oneOf(errors, 'spec.internalTrafficPolicy', spec.internalTrafficPolicy, ['Cluster', 'Local']);
  if (spec.externalTrafficPolicy) {
    if (spec.type !== 'NodePort' && spec.type !== 'LoadBalancer' && !spec.externalIPs?.length) {
      errors.push(invalid('spec.externalTrafficPolicy', spec.externalTrafficPolicy, 'may only be set for externally-accessible services'));
    } else oneOf(errors, 'spec.externalTrafficPolicy', spec.externalTrafficPolicy, ['Cluster', 'Local']);
  }

  const before = old?.spec;
  if (!before || before.type === 'ExternalName' || spec.type === 'ExternalName') return;
  if (before.clusterIP && (spec.clusterIP ?? '') !== before.clusterIP) {
    errors.push(invalid('spec.clusterIPs[0]', spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : []), 'may not change once set'));
  }
}

export function validateEndpoints(errors: Errors, object: Endpoints): void {
  for (const [i, subset] of (object.subsets ?? []).entries()) {
    const at = `subsets[${i}]`;
    if (!subset.addresses?.length && !subset.notReadyAddresses?.length) errors.push(required(at, 'must specify `addresses` or `notReadyAddresses`'));
    for (const field of ['addresses', 'notReadyAddresses'] as const) {
      for (const [j, address] of (subset[field] ?? []).entries()) if (!isIp(address.ip)) errors.push(invalid(`${at}.${field}[${j}].ip`, address.ip, IP_TEXT));
    }
    for (const [j, port] of (subset.ports ?? []).entries()) {
      if ((subset.ports?.length ?? 0) > 1 && !port.name) errors.push(required(`${at}.ports[${j}].name`));
      for (const reason of portNumberErrors(port.port)) errors.push(invalid(`${at}.ports[${j}].port`, port.port, reason));
    }
  }
}

export function validateEndpointSlice(errors: Errors, object: EndpointSlice, old: EndpointSlice | undefined): void {
  if (!object.addressType) errors.push(required('addressType'));
  else if (!['FQDN', 'IPv4', 'IPv6'].includes(object.addressType)) errors.push(notSupported('addressType', object.addressType, ['FQDN', 'IPv4', 'IPv6']));
  const endpoints = object.endpoints ?? [];
  if (endpoints.length > 1000)
    errors.push({ type: 'FieldValueTooMany', field: 'endpoints', badValue: endpoints.length, detail: 'must have at most 1000 items' });
  for (const [i, endpoint] of endpoints.entries()) {
    if (!endpoint.addresses?.length) errors.push(required(`endpoints[${i}].addresses`, 'must contain at least 1 address'));
    for (const [j, address] of (endpoint.addresses ?? []).entries()) {
      if (object.addressType !== 'FQDN' && !isIp(address)) errors.push(invalid(`endpoints[${i}].addresses[${j}]`, address, IP_TEXT));
    }
  }
  const names = new Set<string>();
  for (const [i, port] of (object.ports ?? []).entries()) {
    if (names.has(port.name ?? '')) errors.push(duplicate(`ports[${i}].name`, port.name ?? ''));
    names.add(port.name ?? '');
  }
  if (old && object.addressType !== old.addressType) errors.push(invalid('addressType', object.addressType, 'field is immutable'));
}

function validateBackend(errors: Errors, backend: IngressBackend, path: string): void {
  if (backend.service && backend.resource) {
    errors.push(invalid(path, '', 'cannot set both resource and service backends'));
    return;
  }
  if (backend.resource) return;
  if (!backend.service) {
    errors.push(required(path, 'resource or service backend is required'));
    return;
  }
  if (!backend.service.name) errors.push(required(`${path}.service.name`));
  const { name, number } = backend.service.port ?? {};
  if (name && number) errors.push(invalid(path, '', 'cannot set both port name & port number'));
  else if (name) each(errors, `${path}.service.port.name`, name, portNameErrors(name));
  else if (number) for (const reason of portNumberErrors(number)) errors.push(invalid(`${path}.service.port.number`, number, reason));
  else errors.push(required(path, 'port name or number is required'));
}

export function validateIngress(errors: Errors, object: Ingress): void {
  const spec = object.spec ?? {};
  if (!spec.rules?.length && !spec.defaultBackend) errors.push(invalid('spec', spec.rules ?? [], 'either `defaultBackend` or `rules` must be specified'));
  if (spec.defaultBackend) validateBackend(errors, spec.defaultBackend, 'spec.defaultBackend');
  for (const [i, rule] of (spec.rules ?? []).entries()) {
    const at = `spec.rules[${i}]`;
    if (rule.host) {
      if (isIp(rule.host)) errors.push(invalid(`${at}.host`, rule.host, 'must be a DNS name, not an IP address'));
      else each(errors, `${at}.host`, rule.host, dns1123SubdomainErrors(rule.host.replace(/^\*\./, '')));
    }
    if (!rule.http) continue;
    if (!rule.http.paths?.length) errors.push(required(`${at}.http.paths`));
    for (const [j, path] of (rule.http.paths ?? []).entries()) {
      const here = `${at}.http.paths[${j}]`;
      if (!path.pathType) errors.push(required(`${here}.pathType`, 'pathType must be specified'));
      else if (path.pathType === 'Exact' || path.pathType === 'Prefix') {
        if (!path.path?.startsWith('/')) errors.push(invalid(`${here}.path`, path.path ?? '', 'must be an absolute path'));
        for (const bad of ['//', '/./', '/../', '%2f', '%2F'])
          if (path.path?.includes(bad)) errors.push(invalid(`${here}.path`, path.path, `must not contain '${bad}'`));
      } else if (path.pathType !== 'ImplementationSpecific')
        errors.push(notSupported(`${here}.pathType`, path.pathType, ['Exact', 'ImplementationSpecific', 'Prefix']));
      validateBackend(errors, path.backend ?? {}, `${here}.backend`);
    }
  }
  if (spec.ingressClassName !== undefined) each(errors, 'spec.ingressClassName', spec.ingressClassName, dns1123SubdomainErrors(spec.ingressClassName));
}

export function validateIngressClass(errors: Errors, object: IngressClass, old: IngressClass | undefined): void {
  if (old && object.spec?.controller !== old.spec?.controller) errors.push(invalid('spec.controller', object.spec?.controller ?? '', 'field is immutable'));
}

function validatePolicyPorts(errors: Errors, ports: readonly NetworkPolicyPort[], path: string): void {
  for (const [i, port] of ports.entries()) {
    if (port.protocol !== undefined && !PROTOCOLS.includes(port.protocol))
      errors.push(notSupported(`${path}[${i}].protocol`, port.protocol, ['TCP', 'UDP', 'SCTP']));
    if (port.port !== undefined) validatePort(errors, port.port, `${path}[${i}].port`);
    if (port.endPort !== undefined) {
      if (port.port === undefined) errors.push(invalid(`${path}[${i}].endPort`, port.endPort, 'may not be specified when `port` is not specified'));
      else if (typeof port.port !== 'number') errors.push(invalid(`${path}[${i}].endPort`, port.endPort, 'may not be specified when `port` is non-numeric'));
      else if (port.endPort < port.port) errors.push(invalid(`${path}[${i}].endPort`, port.endPort, 'must be greater than or equal to `port`'));
    }
  }
}

export function validateNetworkPolicy(errors: Errors, object: NetworkPolicy): void {
  const spec = object.spec;
  if (!spec) return;
  if (spec.podSelector) validateLabelSelector(errors, spec.podSelector, 'spec.podSelector');
  for (const [direction, rules] of [
    ['ingress', (spec.ingress ?? []).map((rule) => ({ ports: rule.ports, peers: rule.from, word: 'from' }))],
    ['egress', (spec.egress ?? []).map((rule) => ({ ports: rule.ports, peers: rule.to, word: 'to' }))],
  ] as const) {
    for (const [i, rule] of rules.entries()) {
      const at = `spec.${direction}[${i}]`;
      validatePolicyPorts(errors, rule.ports ?? [], `${at}.ports`);
      for (const [j, peer] of (rule.peers ?? []).entries()) {
        const here = `${at}.${rule.word}[${j}]`;
        if (!peer.podSelector && !peer.namespaceSelector && !peer.ipBlock) errors.push(required(here, 'must specify a peer'));
        if (peer.ipBlock && (peer.podSelector || peer.namespaceSelector)) errors.push(forbidden(here, 'may not specify both ipBlock and another peer'));
        if (peer.podSelector) validateLabelSelector(errors, peer.podSelector, `${here}.podSelector`);
        if (peer.namespaceSelector) validateLabelSelector(errors, peer.namespaceSelector, `${here}.namespaceSelector`);
        if (peer.ipBlock && !isCidr(peer.ipBlock.cidr ?? '')) {
          errors.push(
            peer.ipBlock.cidr
              ? invalid(`${here}.ipBlock.cidr`, peer.ipBlock.cidr, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')
              : required(`${here}.ipBlock.cidr`),
          );
        }
      }
    }
  }
  for (const [i, type] of (spec.policyTypes ?? []).entries()) {
    if (type !== 'Ingress' && type !== 'Egress') errors.push(notSupported(`spec.policyTypes[${i}]`, type, ['Egress', 'Ingress']));
  }
}
