/** The arithmetic of ranges of addresses: pure, IPv4. */
import { byKind } from '../../api/resources.ts';

export const SERVICE_ROW = byKind('Service');

export interface CidrRange {
  /** `10.96.0.0/12` */
  readonly cidr: string;
  readonly base: number;
  readonly size: number;
}

/** `10.96.0.0/12` → first address and how many there are. */
export function readCidr(cidr: string): { base: number; size: number } {
  const [address = '', bits = '32'] = cidr.split('/');
  const size = 2 ** (32 - Number(bits));
  const number = toNumber(address);
  return { base: number - (number % size), size };
}
export const toNumber = (ip: string): number => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
export const toAddress = (number: number): string => [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');

export const rangeOf = (cidr: string): CidrRange => ({ cidr, ...readCidr(cidr) });
export const contains = ({ base, size }: CidrRange, ip: string): boolean => toNumber(ip) >= base && toNumber(ip) < base + size;
