/**
 * IPv4 addresses and prefixes as unsigned 32-bit integers, so that the hot path compares numbers and
 * text is made only for people. Here simplified: there is no IPv6.
 */
export type Address = number;

export interface Prefix {
  readonly network: Address;
  readonly length: number;
  readonly mask: number;
}

/** NaN-free: undefined when the text is not a dotted quad. */
export function parseAddress(text: string): Address | undefined {
  const m = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!m) return undefined;
  let value = 0;
  for (let i = 1; i <= 4; i++) {
    const part = Number(m[i]);
    if (part > 255) return undefined;
    value = value * 256 + part;
  }
  return value;
}

/** As parseAddress; throws RangeError when the text is no address. */
export function address(text: string): Address {
  const value = parseAddress(text);
  if (value === undefined) throw new RangeError(`not an IPv4 address: ${text}`);
  return value;
}

export const formatAddress = (value: Address): string => `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;

export const maskOf = (length: number): number => (length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0);

/** `10.244.0.0/16`; a bare address is a /32. Host bits are cleared. Throws RangeError. */
export function prefix(text: string): Prefix {
  const slash = text.indexOf('/');
  const length = slash < 0 ? 32 : Number(text.slice(slash + 1));
  if (!Number.isInteger(length) || length < 0 || length > 32) throw new RangeError(`not a prefix: ${text}`);
  const mask = maskOf(length);
  return { network: (address(slash < 0 ? text : text.slice(0, slash)) & mask) >>> 0, length, mask };
}

export const formatPrefix = (p: Prefix): string => `${formatAddress(p.network)}/${p.length}`;

export const contains = (p: Prefix, value: Address): boolean => (value & p.mask) >>> 0 === p.network;

/** 127.0.0.0/8. */
export const isLoopback = (value: Address): boolean => value >>> 24 === 127;
