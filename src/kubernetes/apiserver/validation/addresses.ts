/** Addresses and their ranges, and the capacity of storage (pkg/apis/{networking,storage}/validation). */
import { dns1123SubdomainErrors } from '../../api/names.ts';
import { compareQuantities } from '../../api/quantity.ts';
import type { CSIStorageCapacity, IPAddress, ServiceCIDR } from '../../api/types.gen.ts';
import { type Errors, each, immutable, invalid, NOT_NEGATIVE, required } from './field.ts';
import { PATH_SEGMENT, validateLabelSelector } from './metadata.ts';

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
/** Canonical as RFC 5952 wants it, as far as a pattern tells. */
const IPV6 = /^(?=.*:)[0-9a-f:]+$/;
const isV6 = (text: string): boolean => {
  if (!IPV6.test(text) || /:::|^:[^:]|[^:]:$/.test(text) || text.split('::').length > 2) return false;
  const groups = text.split(/::?/).filter((part) => part !== '');
  return groups.every((part) => /^(0|[1-9a-f][0-9a-f]{0,3})$/.test(part)) && (text.includes('::') ? groups.length < 8 : groups.length === 8);
};

/** The name of an IPAddress is the address, in its canonical form. */
export const ADDRESS_NAME = (name: string): string[] => (IPV4.test(name) || isV6(name) ? [] : ['must be a valid IP address in canonical form']);

export function validateAddress(errors: Errors, object: IPAddress, old: IPAddress | undefined): void {
  const ref = object.spec?.parentRef;
  const at = 'spec.parentRef';
  if (!ref) errors.push(required(at, ''));
  else {
    if (ref.group) each(errors, `${at}.group`, ref.group, dns1123SubdomainErrors(ref.group));
    if (!ref.resource) errors.push(required(`${at}.resource`));
    else each(errors, `${at}.resource`, ref.resource, PATH_SEGMENT(ref.resource));
    if (!ref.name) errors.push(required(`${at}.name`));
    else each(errors, `${at}.name`, ref.name, PATH_SEGMENT(ref.name));
    if (ref.namespace) each(errors, `${at}.namespace`, ref.namespace, PATH_SEGMENT(ref.namespace));
  }
  if (old) immutable(errors, at, ref ?? null, old.spec?.parentRef ?? null);
}

function cidrError(cidr: string): string | undefined {
  const [address = '', bits = ''] = cidr.split('/');
  const v6 = isV6(address);
  if ((!IPV4.test(address) && !v6) || !/^(0|[1-9]\d*)$/.test(bits) || Number(bits) > (v6 ? 128 : 32))
    return 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
  if (v6) return undefined;
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  const base = number - (number % size);
  const first = [24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256).join('.');
  return base === number ? undefined : `must be in canonical form ("${first}/${bits}")`;
}

export function validateServiceCidr(errors: Errors, object: ServiceCIDR, old: ServiceCIDR | undefined): void {
  const cidrs = object.spec?.cidrs ?? [];
  const at = 'spec.cidrs';
  if (old) {
    immutable(errors, at, cidrs, old.spec?.cidrs ?? []);
    return;
  }
  if (cidrs.length === 0) errors.push(required(at, 'at least one CIDR required'));
  else if (cidrs.length > 2) errors.push(invalid(at, object.spec, 'may only hold up to 2 values'));
  else if (cidrs.length === 2 && cidrs[0]!.includes(':') === cidrs[1]!.includes(':'))
    errors.push(invalid(at, object.spec, 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64'));
  else
    for (const [i, cidr] of cidrs.entries()) {
      const error = cidrError(cidr);
      if (error !== undefined) errors.push(invalid(`${at}[${i}]`, cidr, error));
    }
}

export function validateCapacity(errors: Errors, object: CSIStorageCapacity, old: CSIStorageCapacity | undefined): void {
  if (object.nodeTopology) validateLabelSelector(errors, object.nodeTopology, 'nodeTopology');
  each(errors, 'storageClassName', object.storageClassName ?? '', dns1123SubdomainErrors(object.storageClassName ?? ''));
  if (object.capacity !== undefined && compareQuantities(object.capacity, '0') < 0) errors.push(invalid('capacity', object.capacity, NOT_NEGATIVE));
  if (!old) return;
  immutable(errors, 'nodeTopology', object.nodeTopology ?? null, old.nodeTopology ?? null);
  immutable(errors, 'storageClassName', object.storageClassName, old.storageClassName);
}
