/**
 * What Kubernetes adds to CEL (apiserver `pkg/cel/library`): quantities, addresses, URLs, regular expressions, lists,
 * semantic versions, named formats; and cel-go's extensions for sets, math and base64.
 */
import ipaddr from 'ipaddr.js';
import { parseQuantity, QuantityError } from '../../../api/quantity.ts';
import { fn, type Library, method, type Overload } from '../functions.ts';
import { goRegex } from '../regex.ts';
import { BOOL, BYTES, type CelType, DOUBLE, DYN, INT, LIST, listOf, opaque, optionalOf, STRING } from '../types.ts';
import { base64OfBytes, bytesOfBase64, CelEvaluationError, Double, Duration, equal, Opaque, Optional, order, read } from '../values.ts';
import { NAMED_FORMATS } from './named-formats.ts';
import { parseUrl, type Url } from './url.ts';

const fail = (message: string): never => {
  throw new CelEvaluationError(message);
};
const QUANTITY = opaque('kubernetes.Quantity');
const IP = opaque('net.IP');
const CIDR = opaque('net.CIDR');
const URL_TYPE = opaque('kubernetes.URL');
const SEMVER = opaque('kubernetes.Semver');
const FORMAT = opaque('kubernetes.NamedFormat');
const NANO = 1_000_000_000n;

type Q = Opaque<bigint>;
const q = (nano: bigint): Q => new Opaque('kubernetes.Quantity', nano);
function quantity(text: string): Q {
  try {
    return q(parseQuantity(text).nano);
  } catch (error) {
    return fail(error instanceof QuantityError ? error.message : String(error));
  }
}
const attempt = (make: () => unknown): boolean => {
  try {
    make();
    return true;
  } catch (error) {
    if (error instanceof CelEvaluationError) return false;
    throw error;
  }
};
const MAX = 2n ** 63n - 1n;
const isWhole = (a: Q): boolean => a.value % NANO === 0n && a.value / NANO <= MAX && a.value / NANO >= -MAX;

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Ip = Opaque<Address>;
type Cidr = Opaque<readonly [Address, number]>;
const sameAddress = (a: Address, b: Address): boolean => a.kind() === b.kind() && textOfAddress(a) === textOfAddress(b);
const ipOf = (address: Address): Ip => new Opaque('net.IP', address, sameAddress);
const cidrOf = (address: Address, bits: number): Cidr =>
  new Opaque<readonly [Address, number]>('net.CIDR', [address, bits], ([a, n], [b, m]) => n === m && sameAddress(a, b));

/** RFC 5952, as net/netip writes it. */
const textOfAddress = (address: Address): string => (address.kind() === 'ipv6' ? (address as ipaddr.IPv6).toRFC5952String() : address.toString());

function parseIp(text: string): Ip {
  const v4 = /^\d{1,3}(?:\.\d{1,3}){3}$/.test(text);
  if (text.includes('%')) return fail(`IP Address ${JSON.stringify(text)} parse error during conversion from string: zone is not allowed`);
  if ((v4 && !/^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){3}$/.test(text)) || !(v4 ? ipaddr.IPv4.isValid(text) : text.includes(':') && ipaddr.IPv6.isValid(text)))
    return fail(`IP Address ${JSON.stringify(text)} parse error during conversion from string: ParseAddr(${JSON.stringify(text)}): unable to parse IP`);
  const address = ipaddr.parse(text);
  if (address.kind() === 'ipv6' && (address as ipaddr.IPv6).isIPv4MappedAddress())
    return fail(`IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`);
  return ipOf(address);
}
function parseCidr(text: string): Cidr {
  const bad = (): never => fail(`network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)}): no '/'`);
  const m = /^(.*)\/(0|[1-9]\d{0,2})$/.exec(text);
  if (!m) return bad();
  if (!attempt(() => parseIp(m[1]!)))
    return fail(
      `network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)}): ParseAddr(${JSON.stringify(m[1])}): unable to parse IP`,
    );
  const address = parseIp(m[1]!).value;
  const bits = Number(m[2]);
  if (bits > (address.kind() === 'ipv4' ? 32 : 128))
    return fail(`network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)}): prefix length out of range`);
  return cidrOf(address, bits);
}
const masked = ([address, bits]: readonly [Address, number]): Address => {
  const bytes = address.toByteArray().map((byte, i) => byte & (0xff00 >> Math.max(0, Math.min(8, bits - i * 8))) & 0xff);
  return ipaddr.fromByteArray(bytes);
};
const covers = (cidr: Cidr, address: Address): boolean =>
  cidr.value[0].kind() === address.kind() && sameAddress(masked(cidr.value), masked([address, cidr.value[1]]));
const range = (a: Ip): string => a.value.range();

type U = Opaque<Url>;
const url = (text: string): U => {
  const parsed = parseUrl(text);
  return typeof parsed === 'string'
    ? fail(`URL parse error during conversion from string: ${parsed}`)
    : new Opaque('kubernetes.URL', parsed, (a, b) => a.text === b.text);
};

const regex = (pattern: string): RegExp => {
  try {
    return goRegex(pattern);
  } catch (error) {
    return fail(`Illegal regex: ${error instanceof Error ? error.message : String(error)}`);
  }
};
const findAll = (text: string, pattern: string, limit = -1n): string[] => {
  const re = regex(pattern);
  const all = [...text.matchAll(new RegExp(re.source, `${re.flags}g`))].map((m) => m[0]);
  return limit < 0n ? all : all.slice(0, Number(limit));
};

const elementOf = (args: readonly CelType[]): CelType => (args[0]?.kind === 'list' ? args[0].element : DYN);
const extreme = (name: string, better: (n: number) => boolean) => (list: readonly unknown[]) => {
  if (list.length === 0) return fail(`${name} called on empty list`);
  return list.map((each) => read(each)).reduce((best, each) => (better(order(each, best) ?? fail('no such overload')) ? each : best));
};
function sum(list: readonly unknown[]): unknown {
  const values = list.map((each) => read(each));
  if (values.length === 0) return 0n;
  return values.reduce((a, b) => {
    if (typeof a === 'bigint' && typeof b === 'bigint') return a + b;
    if (a instanceof Double && b instanceof Double) return new Double(a.value + b.value);
    if (a instanceof Duration && b instanceof Duration) return new Duration(a.nano + b.nano);
    return fail('no such overload');
  });
}
const has = (list: readonly unknown[], value: unknown): boolean => list.some((each) => equal(each, value));

interface Version {
  readonly text: string;
  readonly numbers: readonly [bigint, bigint, bigint];
  readonly pre: readonly string[];
}
type V = Opaque<Version>;
function semver(text: string): V {
  const m = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?$/.exec(text);
  if (!m) return fail(`Invalid character(s) found in version ${JSON.stringify(text)}`);
  const version = { text, numbers: [BigInt(m[1]!), BigInt(m[2]!), BigInt(m[3]!)] as const, pre: m[4]?.split('.') ?? [] };
  return new Opaque<Version>('kubernetes.Semver', version, (a, b) => compareVersions(a, b) === 0);
}
function compareVersions(a: Version, b: Version): number {
  for (let i = 0; i < 3; i++) if (a.numbers[i] !== b.numbers[i]) return a.numbers[i]! < b.numbers[i]! ? -1 : 1;
  if (a.pre.length === 0 || b.pre.length === 0) return a.pre.length === b.pre.length ? 0 : a.pre.length === 0 ? 1 : -1;
  for (let i = 0; i < Math.max(a.pre.length, b.pre.length); i++) {
    const [x, y] = [a.pre[i], b.pre[i]];
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
    if (x === y) continue;
    const [m, n] = [/^\d+$/.test(x), /^\d+$/.test(y)];
    if (m && n) return BigInt(x) < BigInt(y) ? -1 : 1;
    return m !== n ? (m ? -1 : 1) : x < y ? -1 : 1;
  }
  return 0;
}

const NUMBERS: readonly (readonly CelType[])[] = [[DYN], [DYN, DYN], [DYN, DYN, DYN], [DYN, DYN, DYN, DYN], [DYN, DYN, DYN, DYN, DYN]];
const best = (name: string, better: (n: number) => boolean): Overload[] =>
  NUMBERS.map((args) => fn(args, DYN, (...values: unknown[]) => extreme(name, better)(values.length === 1 && Array.isArray(values[0]) ? values[0] : values)));
const number = (value: unknown): number => (value instanceof Double ? value.value : Number(value));
const rounding = (round: (n: number) => number): Overload[] => [fn([DOUBLE], DOUBLE, (a: Double) => new Double(round(a.value)))];
type Named = Opaque<string>;
const named = (name: string): Named => new Opaque('kubernetes.NamedFormat', name);
const validate = (format: Named, text: string): Optional => {
  const errors = NAMED_FORMATS[format.value]!(text);
  return errors.length === 0 ? Optional.NONE : new Optional(errors);
};

export const KUBERNETES: Library = {
  quantity: [fn([STRING], QUANTITY, quantity)],
  isQuantity: [fn([STRING], BOOL, (a: string) => attempt(() => quantity(a)))],
  isGreaterThan: [
    method([QUANTITY, QUANTITY], BOOL, (a: Q, b: Q) => a.value > b.value),
    method([SEMVER, SEMVER], BOOL, (a: V, b: V) => compareVersions(a.value, b.value) > 0),
  ],
  isLessThan: [
    method([QUANTITY, QUANTITY], BOOL, (a: Q, b: Q) => a.value < b.value),
    method([SEMVER, SEMVER], BOOL, (a: V, b: V) => compareVersions(a.value, b.value) < 0),
  ],
  compareTo: [
    method([QUANTITY, QUANTITY], INT, (a: Q, b: Q) => (a.value < b.value ? -1n : a.value > b.value ? 1n : 0n)),
    method([SEMVER, SEMVER], INT, (a: V, b: V) => BigInt(compareVersions(a.value, b.value))),
  ],
  sign: [method([QUANTITY], INT, (a: Q) => (a.value < 0n ? -1n : a.value > 0n ? 1n : 0n))],
  add: [
    method([QUANTITY, QUANTITY], QUANTITY, (a: Q, b: Q) => q(a.value + b.value)),
    method([QUANTITY, INT], QUANTITY, (a: Q, b: bigint) => q(a.value + b * NANO)),
  ],
  sub: [
    method([QUANTITY, QUANTITY], QUANTITY, (a: Q, b: Q) => q(a.value - b.value)),
    method([QUANTITY, INT], QUANTITY, (a: Q, b: bigint) => q(a.value - b * NANO)),
  ],
  isInteger: [method([QUANTITY], BOOL, isWhole)],
  asInteger: [method([QUANTITY], INT, (a: Q) => (isWhole(a) ? a.value / NANO : fail('cannot convert value to integer')))],
  asApproximateFloat: [method([QUANTITY], DOUBLE, (a: Q) => new Double(Number(a.value) / 1e9))],

  ip: [fn([STRING], IP, parseIp), method([CIDR], IP, (a: Cidr) => ipOf(a.value[0]))],
  isIP: [fn([STRING], BOOL, (a: string) => attempt(() => parseIp(a)))],
  'ip.isCanonical': [fn([STRING], BOOL, (a: string) => textOfAddress(parseIp(a).value) === a)],
  family: [method([IP], INT, (a: Ip) => (a.value.kind() === 'ipv4' ? 4n : 6n))],
  isUnspecified: [method([IP], BOOL, (a: Ip) => /^(?:0\.0\.0\.0|::)$/.test(textOfAddress(a.value)))],
  isLoopback: [method([IP], BOOL, (a: Ip) => range(a) === 'loopback')],
  isLinkLocalMulticast: [method([IP], BOOL, (a: Ip) => /^(?:224\.0\.0\.|ff.2:)/.test(textOfAddress(a.value)))],
  isLinkLocalUnicast: [method([IP], BOOL, (a: Ip) => range(a) === 'linkLocal')],
  isGlobalUnicast: [method([IP], BOOL, (a: Ip) => !['unspecified', 'loopback', 'multicast', 'linkLocal', 'broadcast'].includes(range(a)))],
  cidr: [fn([STRING], CIDR, parseCidr)],
  isCIDR: [fn([STRING], BOOL, (a: string) => attempt(() => parseCidr(a)))],
  containsIP: [
    method([CIDR, STRING], BOOL, (a: Cidr, b: string) => covers(a, parseIp(b).value)),
    method([CIDR, IP], BOOL, (a: Cidr, b: Ip) => covers(a, b.value)),
  ],
  containsCIDR: [
    method([CIDR, STRING], BOOL, (a: Cidr, b: string) => parseCidr(b).value[1] >= a.value[1] && covers(a, parseCidr(b).value[0])),
    method([CIDR, CIDR], BOOL, (a: Cidr, b: Cidr) => b.value[1] >= a.value[1] && covers(a, b.value[0])),
  ],
  masked: [method([CIDR], CIDR, (a: Cidr) => cidrOf(masked(a.value), a.value[1]))],
  prefixLength: [method([CIDR], INT, (a: Cidr) => BigInt(a.value[1]))],
  string: [fn([IP], STRING, (a: Ip) => textOfAddress(a.value)), fn([CIDR], STRING, (a: Cidr) => `${textOfAddress(a.value[0])}/${a.value[1]}`)],

  url: [fn([STRING], URL_TYPE, url)],
  isURL: [fn([STRING], BOOL, (a: string) => attempt(() => url(a)))],
  getScheme: [method([URL_TYPE], STRING, (a: U) => a.value.scheme)],
  getHost: [method([URL_TYPE], STRING, (a: U) => a.value.host)],
  getHostname: [method([URL_TYPE], STRING, (a: U) => a.value.hostname)],
  getPort: [method([URL_TYPE], STRING, (a: U) => a.value.port)],
  getEscapedPath: [method([URL_TYPE], STRING, (a: U) => a.value.path)],
  getQuery: [method([URL_TYPE], { kind: 'map', key: STRING, value: listOf(STRING) }, (a: U) => a.value.query)],

  find: [method([STRING, STRING], STRING, (a: string, b: string) => regex(b).exec(a)?.[0] ?? '')],
  findAll: [method([STRING, STRING], listOf(STRING), (a: string, b: string) => findAll(a, b)), method([STRING, STRING, INT], listOf(STRING), findAll)],

  isSorted: [method([LIST], BOOL, (a: unknown[]) => a.every((each, i) => i === 0 || (order(a[i - 1], each) ?? fail('no such overload')) <= 0))],
  sum: [method([LIST], elementOf, sum)],
  min: [
    method(
      [LIST],
      elementOf,
      extreme('min', (n) => n < 0),
    ),
  ],
  max: [
    method(
      [LIST],
      elementOf,
      extreme('max', (n) => n > 0),
    ),
  ],

  'sets.contains': [fn([LIST, LIST], BOOL, (a: unknown[], b: unknown[]) => b.every((each) => has(a, each)))],
  'sets.equivalent': [fn([LIST, LIST], BOOL, (a: unknown[], b: unknown[]) => a.every((each) => has(b, each)) && b.every((each) => has(a, each)))],
  'sets.intersects': [fn([LIST, LIST], BOOL, (a: unknown[], b: unknown[]) => a.some((each) => has(b, each)))],

  'math.greatest': best('math.greatest', (n) => n > 0),
  'math.least': best('math.least', (n) => n < 0),
  'math.ceil': rounding(Math.ceil),
  'math.floor': rounding(Math.floor),
  'math.trunc': rounding(Math.trunc),
  'math.round': rounding((n) => (n < 0 ? -Math.round(-n) : Math.round(n))),
  'math.abs': [fn([INT], INT, (a: bigint) => (a < 0n ? -a : a)), fn([DOUBLE], DOUBLE, (a: Double) => new Double(Math.abs(number(a))))],

  'base64.encode': [fn([BYTES], STRING, base64OfBytes)],
  'base64.decode': [fn([STRING], BYTES, (a: string) => bytesOfBase64(a) ?? fail(`illegal base64 data at input byte 0`))],

  semver: [fn([STRING], SEMVER, semver)],
  isSemver: [fn([STRING], BOOL, (a: string) => attempt(() => semver(a)))],
  major: [method([SEMVER], INT, (a: V) => a.value.numbers[0])],
  minor: [method([SEMVER], INT, (a: V) => a.value.numbers[1])],
  patch: [method([SEMVER], INT, (a: V) => a.value.numbers[2])],

  'format.named': [fn([STRING], optionalOf(FORMAT), (a: string) => (Object.hasOwn(NAMED_FORMATS, a) ? new Optional(named(a)) : Optional.NONE))],
  ...Object.fromEntries(Object.keys(NAMED_FORMATS).map((name) => [`format.${name}`, [fn([], FORMAT, () => named(name))]])),
  validate: [method([FORMAT, STRING], optionalOf(listOf(STRING)), validate)],

  'optional.of': [
    fn(
      [DYN],
      ([a]) => optionalOf(a ?? DYN),
      (a: unknown) => new Optional(a),
    ),
  ],
  'optional.none': [fn([], optionalOf(DYN), () => Optional.NONE)],
  'optional.ofNonZeroValue': [
    fn(
      [DYN],
      ([a]) => optionalOf(a ?? DYN),
      (a: unknown) => (isZero(a) ? Optional.NONE : new Optional(a)),
    ),
  ],
  hasValue: [method([optionalOf(DYN)], BOOL, (a: Optional) => a.present)],
  value: [
    method(
      [optionalOf(DYN)],
      ([a]) => (a?.kind === 'optional' ? a.value : DYN),
      (a: Optional) => (a.present ? a.value : fail('optional.none() dereference')),
    ),
  ],
  'jsonpatch.escapeKey': [fn([STRING], STRING, (a: string) => a.replaceAll('~', '~0').replaceAll('/', '~1'))],
};

function isZero(value: unknown): boolean {
  const v = read(value);
  return (
    v === null ||
    v === false ||
    v === '' ||
    v === 0n ||
    (v instanceof Double && v.value === 0) ||
    (v instanceof Duration && v.nano === 0n) ||
    (Array.isArray(v) && v.length === 0) ||
    (typeof v === 'object' && v?.constructor === Object && Object.keys(v).length === 0)
  );
}
