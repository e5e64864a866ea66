/** Services, their endpoints, and ingresses. */
import type { EndpointSlice, Endpoints, Ingress, IngressBackend, IngressClass, Service } from '../../api/types.gen.ts';
import { aboutObject, eventsOf } from './events.ts';
import { type Context, type Describer, getOf, listOf, type Reader } from './reader.ts';
import { formatLabels, type Sheet } from './sheet.ts';

const slicesOf = (read: Reader, namespace: string, service: string): Promise<readonly EndpointSlice[]> =>
  listOf(read, 'EndpointSlice', namespace, { labelSelector: `kubernetes.io/service-name=${service}` });

/** The first three ready addresses of a port, and how many more there are. */
function formatSlices(slices: readonly EndpointSlice[], portName: string): string {
  if (slices.length === 0) return '<none>';
  const all: string[] = [];
  for (const { ports = [], endpoints = [] } of slices) {
    const addresses = endpoints.filter(({ conditions }) => conditions?.ready !== false).map((endpoint) => endpoint.addresses[0] ?? '');
    if (ports.length === 0) all.push(...addresses);
    for (const { name, port } of ports) {
      if ((name ?? '') === portName) all.push(...addresses.map((address) => `${address.includes(':') ? `[${address}]` : address}:${port ?? 0}`));
    }
  }
  return all.length > 3 ? `${all.slice(0, 3).join(',')} + ${all.length - 3} more...` : all.join(',');
}

export const describeService: Describer<Service> = async (sheet, service, context) => {
  const { metadata, spec = {}, status } = service;
  const slices = await slicesOf(context.read, metadata.namespace ?? '', metadata.name ?? '').catch(() => []);
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.line(0, 'Namespace:', metadata.namespace ?? '');
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  sheet.line(0, 'Selector:', formatLabels(spec.selector));
  sheet.line(0, 'Type:', spec.type ?? '');
  if (spec.ipFamilyPolicy) sheet.line(0, 'IP Family Policy:', spec.ipFamilyPolicy);
  sheet.line(0, 'IP Families:', spec.ipFamilies?.join(',') || '<none>');
  sheet.line(0, 'IP:', spec.clusterIP ?? '');
  sheet.line(0, 'IPs:', spec.clusterIPs?.join(',') || '<none>');
  if (spec.externalIPs?.length) sheet.line(0, 'External IPs:', spec.externalIPs.join(','));
  if (spec.loadBalancerIP) sheet.line(0, 'Desired LoadBalancer IP:', spec.loadBalancerIP);
  if (spec.externalName) sheet.line(0, 'External Name:', spec.externalName);
  const ingress = status?.loadBalancer?.ingress ?? [];
  if (ingress.length > 0) {
    const texts = ingress.map(({ ip, ipMode, hostname }) => (ip ? `${ip}${ipMode ? ` (${ipMode})` : ''}` : (hostname ?? '')));
    sheet.line(0, 'LoadBalancer Ingress:', texts.join(', '));
  }
  for (const { name, port, protocol = '', targetPort, nodePort } of spec.ports ?? []) {
    const shown = name || '<unset>';
    sheet.line(0, 'Port:', shown, `${port}/${protocol}`);
    sheet.line(0, 'TargetPort:', `${targetPort ?? 0}/${protocol}`);
    if (nodePort) sheet.line(0, 'NodePort:', shown, `${nodePort}/${protocol}`);
    sheet.line(0, 'Endpoints:', formatSlices(slices, name ?? ''));
  }
  sheet.line(0, 'Session Affinity:', spec.sessionAffinity ?? '');
  if (spec.externalTrafficPolicy) sheet.line(0, 'External Traffic Policy:', spec.externalTrafficPolicy);
  if (spec.internalTrafficPolicy) sheet.line(0, 'Internal Traffic Policy:', spec.internalTrafficPolicy);
  if (spec.healthCheckNodePort) sheet.line(0, 'HealthCheck NodePort:', String(spec.healthCheckNodePort));
  if (spec.loadBalancerSourceRanges?.length) sheet.line(0, 'LoadBalancer Source Ranges:', spec.loadBalancerSourceRanges.join(','));
  await eventsOf(sheet, context, aboutObject(service));
};

export const describeEndpoints: Describer<Endpoints> = async (sheet, endpoints, context) => {
  const { metadata, subsets = [] } = endpoints;
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.line(0, 'Namespace:', metadata.namespace ?? '');
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  sheet.line(0, 'Subsets:');
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets) {
    sheet.line(1, 'Addresses:', addresses.map(({ ip }) => ip).join(',') || '<none>');
    sheet.line(1, 'NotReadyAddresses:', notReadyAddresses.map(({ ip }) => ip).join(',') || '<none>');
    if (ports.length > 0) {
      sheet.line(1, 'Ports:');
      sheet.head(2, 'Name', 'Port', 'Protocol');
      for (const { name, port, protocol = '' } of ports) sheet.line(2, name || '<unset>', String(port), protocol);
    }
    sheet.line(0, '');
  }
  await eventsOf(sheet, context, aboutObject(endpoints));
};

export const describeEndpointSlice: Describer<EndpointSlice> = async (sheet, slice, context) => {
  const { metadata, addressType, ports = [], endpoints = [] } = slice;
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.line(0, 'Namespace:', metadata.namespace ?? '');
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  sheet.line(0, 'AddressType:', addressType);
  if (ports.length === 0) sheet.line(0, 'Ports: <unset>');
  else {
    sheet.line(0, 'Ports:');
    sheet.head(1, 'Name', 'Port', 'Protocol');
    for (const { name, port, protocol = '' } of ports) sheet.line(1, name || '<unset>', String(port ?? '<unset>'), protocol);
  }
  sheet.line(0, endpoints.length === 0 ? 'Endpoints: <none>' : 'Endpoints:');
  for (const { addresses, conditions, hostname, targetRef, nodeName, zone } of endpoints) {
    sheet.line(1, '- Addresses:', addresses.join(', ') || '<none>');
    sheet.line(2, 'Conditions:');
    sheet.line(3, 'Ready:', String(conditions?.ready ?? '<unset>'));
    sheet.line(2, 'Hostname:', hostname ?? '<unset>');
    if (targetRef) sheet.line(2, 'TargetRef:', `${targetRef.kind ?? ''}/${targetRef.name ?? ''}`);
    sheet.line(2, 'NodeName:', nodeName ?? '<unset>');
    sheet.line(2, 'Zone:', zone ?? '<unset>');
  }
  await eventsOf(sheet, context, aboutObject(slice));
};

export const describeIngress: Describer<Ingress> = async (sheet, ingress, context) => {
  const { metadata, spec, status } = ingress;
  const namespace = metadata.namespace ?? '';
  const addresses = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '').filter((text) => text !== '');
  const fallback = spec?.defaultBackend ? await backendText(context, namespace, spec.defaultBackend) : '<default>';
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.labels('Labels', metadata.labels);
  sheet.line(0, 'Namespace:', namespace);
  sheet.line(0, 'Address:', [...new Set(addresses)].sort().join(','));
  sheet.line(0, 'Ingress Class:', spec?.ingressClassName ?? '<none>');
  sheet.line(0, 'Default backend:', fallback);
  if (spec?.tls?.length) {
    sheet.line(0, 'TLS:');
    for (const { secretName, hosts = [] } of spec.tls)
      sheet.line(1, secretName ? `${secretName} terminates ${hosts.join(',')}` : `SNI routes ${hosts.join(',')}`);
  }
  await writeRules(sheet, context, ingress, fallback);
  sheet.annotations('Annotations', metadata.annotations);
  await eventsOf(sheet, context, aboutObject(ingress));
};

async function writeRules(sheet: Sheet, context: Context, { metadata, spec }: Ingress, fallback: string): Promise<void> {
  sheet.line(0, 'Rules:');
  sheet.head(1, 'Host', 'Path', 'Backends');
  const rules = (spec?.rules ?? []).filter(({ http }) => http);
  if (rules.length === 0) sheet.line(1, '*', '*', fallback);
  for (const { host, http } of rules) {
    sheet.line(1, host || '*', '');
    for (const { path = '', backend } of http?.paths ?? []) sheet.line(2, '', `${path} `, await backendText(context, metadata.namespace ?? '', backend));
  }
}

async function backendText({ read }: Context, namespace: string, { service, resource }: IngressBackend): Promise<string> {
  if (resource) return `APIGroup: ${resource.apiGroup ?? '<none>'}, Kind: ${resource.kind}, Name: ${resource.name}`;
  if (!service) return '';
  const text = `${service.name}:${service.port?.number || (service.port?.name ?? '')}`;
  try {
    const slices = await slicesOf(read, namespace, service.name);
    const found = await getOf(read, 'Service', namespace, service.name);
    if (!found) return `${text} (<error: services "${service.name}" not found>)`;
    const ports = found.spec?.ports ?? [];
    const port = [...ports]
      .reverse()
      .find(({ port, name }) => (service.port?.number ? port === service.port.number : service.port?.name && name === service.port.name));
    return `${text} (${formatSlices(slices, port?.name ?? '')})`;
  } catch (error) {
    return `${text} (<error: ${error instanceof Error ? error.message : String(error)}>)`;
  }
}

export const describeIngressClass: Describer<IngressClass> = async (sheet, ingressClass, context) => {
  const { metadata, spec } = ingressClass;
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  sheet.line(0, 'Controller:', spec?.controller ?? '');
  if (spec?.parameters) {
    sheet.line(0, 'Parameters:');
    if (spec.parameters.apiGroup !== undefined) sheet.line(1, 'APIGroup:', spec.parameters.apiGroup);
    sheet.line(1, 'Kind:', spec.parameters.kind);
    sheet.line(1, 'Name:', spec.parameters.name);
  }
  await eventsOf(sheet, context, aboutObject(ingressClass));
};
