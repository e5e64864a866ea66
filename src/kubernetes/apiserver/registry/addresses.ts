/**
 * Every cluster IP is an object (KEP-1880): an IPAddress is written before the Service that has the address, taken
 * back when that write fails, and deleted with it; two servers that choose the same address meet in etcd. From
 * which ranges addresses come ServiceCIDRs say (upstream pkg/registry/core/service/ipallocator).
 *
 * Here simplified: one family of addresses; no repair loop of ten minutes, but an IPAddress that is deleted under its
 * Service is written again at once, which upstream's repair controller does too.
 */
import type { KubeObject } from '../../api/meta.ts';
import type { IPAddress, Service, ServiceCIDR } from '../../api/types.gen.ts';
import type { Storage } from '../storage.ts';
import { invalidField } from './objects.ts';
import { type CidrRange, rangeOf, SERVICE_ROW } from './service-range.ts';
import type { Claim } from './strategy.ts';

export const ADDRESSES = '/registry/ipaddresses/';
const CIDRS = '/registry/servicecidrs/';
const SERVICES = '/registry/services/specs/';
/** What the objects written here are labelled with. */
const MANAGED_BY = 'ipallocator.k8s.io';

/** How IPAddresses are written: as any object, with the server's own rights. */
export interface AddressHands {
  /** False when there is one of that name. */
  create(object: KubeObject): Promise<boolean>;
  /** Nothing happens when there is none. */
  remove(name: string): Promise<void>;
}

/** The ranges of the ServiceCIDRs that are ready and not on their way out; the flag's own while there are none. */
export function ranges({ cache }: Storage, flag: string): readonly CidrRange[] {
  const found: CidrRange[] = [];
  let some = false;
  for (const { object } of cache.under(CIDRS)) {
    some = true;
    const { metadata, spec, status } = object as ServiceCIDR;
    const ready = status?.conditions?.find(({ type }) => type === 'Ready');
    // No condition counts as ready: the controller manager may not be running.
    if (metadata.deletionTimestamp || (ready && ready.status !== 'True')) continue;
    for (const cidr of spec?.cidrs ?? []) if (!cidr.includes(':')) found.push(rangeOf(cidr));
  }
  return some ? found : [rangeOf(flag)];
}

const addressOf = (object: KubeObject | undefined): string | undefined => {
  const ip = (object as Service | undefined)?.spec?.clusterIP;
  return ip && ip !== 'None' ? ip : undefined;
};

const addressObject = (ip: string, service: KubeObject): KubeObject =>
  ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: { name: ip, labels: { 'ipaddress.kubernetes.io/ip-family': 'IPv4', 'ipaddress.kubernetes.io/managed-by': MANAGED_BY } },
    spec: { parentRef: { group: '', resource: 'services', namespace: service.metadata.namespace ?? '', name: service.metadata.name ?? '' } },
  }) satisfies IPAddress as KubeObject;

/**
 * Writes the address a Service is about to have. `chosen` says that the server chose it, so that another will do:
 * then the answer is `taken` instead of an error. Rejects with Invalid.
 */
export async function claimAddress(hands: AddressHands, service: KubeObject, old: KubeObject | undefined, chosen: boolean): Promise<Claim | 'taken'> {
  const ip = addressOf(service);
  const before = addressOf(old);
  if (ip !== undefined && ip !== before && !(await hands.create(addressObject(ip, service)))) {
    if (chosen) return 'taken';
    const message = `Invalid value: ["${ip}"]: failed to allocate IP ${ip}: provided IP is already allocated`;
    throw invalidField(SERVICE_ROW, service.metadata.name ?? '', 'spec.clusterIPs', 'FieldValueInvalid', message);
  }
  const drop = async (name: string | undefined): Promise<void> => {
    if (name !== undefined && ip !== before) await hands.remove(name);
  };
  return { done: () => drop(before), undo: () => drop(ip) };
}

/** Whether a write of this Service changes which address it has. */
export const movesAddress = (service: KubeObject, old: KubeObject | undefined): boolean => addressOf(service) !== addressOf(old);

/** What a Service that is gone held. */
export async function releaseAddress(hands: AddressHands, service: KubeObject): Promise<void> {
  const ip = addressOf(service);
  if (ip !== undefined) await hands.remove(ip);
}

/** Who deletes an address in use sees it come back. `spawn` runs the work beside what is going on. */
export function keepAddresses({ cache }: Storage, hands: AddressHands, spawn: (work: () => Promise<void>) => void): void {
  cache.listen((prefix, { type, object }) => {
    if (prefix !== ADDRESSES || type !== 'DELETED') return;
    const { parentRef } = (object as IPAddress).spec ?? {};
    if (parentRef?.resource !== 'services') return;
    const key = `${SERVICES}${parentRef.namespace}/${parentRef.name}`;
    const ip = object.metadata.name ?? '';
    spawn(async () => {
      const service = cache.get(key)?.object;
      if (service && addressOf(service) === ip && !cache.get(ADDRESSES + ip)) await hands.create(addressObject(ip, service));
    });
  });
}
