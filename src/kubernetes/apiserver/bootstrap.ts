/**
 * What an API server makes sure of when it starts: system namespaces, priority classes, roles, and the
 * Service by which pods reach it (upstream pkg/controlplane: systemnamespaces, kubernetesservice,
 * reconcilers).
 *
 * Here simplified: no master leases; a server adds its own address to the endpoints and takes none away.
 */
import type { KubeObject } from '../api/meta.ts';
import type { EndpointSlice } from '../api/types.gen.ts';
import { readCidr, toAddress } from './registry/service-range.ts';

const SYSTEM_NAMESPACES = ['kube-system', 'kube-public', 'kube-node-lease', 'default'];
const PORT = 6443;

/** How objects are looked up and written: with the server's own rights. */
export interface Hands {
  get(kind: string, namespace: string, name: string): KubeObject | undefined;
  create(object: KubeObject): Promise<void>;
  /** All or none; false when one of them is there. */
  createAll(objects: readonly KubeObject[]): Promise<boolean>;
  /** Waits for a part of the program while the clock stands still. */
  outside<T>(work: Promise<T>): Promise<T>;
  replace(object: KubeObject): Promise<void>;
  /** The time as objects tell it. */
  now(): string;
}

export async function bootstrap(hands: Hands, options: { readonly serviceCidr: string; readonly advertiseAddress: string }): Promise<void> {
  const ensure = async (object: KubeObject): Promise<void> => {
    if (!hands.get(object.kind, object.metadata.namespace ?? '', object.metadata.name ?? '')) await hands.create(object);
  };
  await Promise.all(SYSTEM_NAMESPACES.map((name) => ensure({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })));
  const objects = await hands.outside(import('./bootstrap-objects.ts'));
  await objects.ensureObjects(hands, options.serviceCidr);
  await kubernetesService(hands, ensure, options);
}

const LABELS = { component: 'apiserver', provider: 'kubernetes' };
const NAMED = { name: 'kubernetes', namespace: 'default' };

async function kubernetesService(
  hands: Hands,
  ensure: (object: KubeObject) => Promise<void>,
  { serviceCidr, advertiseAddress }: { serviceCidr: string; advertiseAddress: string },
): Promise<void> {
  const clusterIP = toAddress(readCidr(serviceCidr).base + 1);
  await ensure({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...NAMED, labels: LABELS },
    spec: { type: 'ClusterIP', clusterIP, sessionAffinity: 'None', ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: PORT }] },
  } as KubeObject);
  const slice = hands.get('EndpointSlice', 'default', 'kubernetes') as EndpointSlice | undefined;
  const before = (slice?.endpoints ?? []).flatMap((endpoint) => endpoint.addresses);
  if (before.includes(advertiseAddress)) return;
  const addresses = [...before, advertiseAddress].sort();
  const endpoints = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { ...NAMED, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: addresses.map((ip) => ({ ip })), ports: [{ name: 'https', port: PORT, protocol: 'TCP' }] }],
  } as KubeObject;
  const mirrored = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...NAMED, labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: 'IPv4',
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    ports: [{ name: 'https', port: PORT, protocol: 'TCP' }],
  } as unknown as KubeObject;
  await (slice ? hands.replace(endpoints) : ensure(endpoints));
  await (slice ? hands.replace(mirrored) : ensure(mirrored));
}
