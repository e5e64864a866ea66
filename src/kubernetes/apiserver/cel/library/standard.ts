/** CEL's own functions and operators (cel-go `common/stdlib`), and the strings extension (cel-go `ext/strings.go`, version 2). */
import { both, fn, type Library, method, type Overload } from '../functions.ts';
import { goRegex } from '../regex.ts';
import { calendar, durationText, parseDuration, parseTimestamp, timestampText, zoneOffset } from '../time.ts';
import { BOOL, BYTES, type CelType, DOUBLE, DURATION, DYN, INT, join, LIST, listOf, MAP, STRING, TIMESTAMP, TYPE, UINT } from '../types.ts';
import { CelEvaluationError, Double, Duration, equal, isMap, keysOf, lookup, order, Timestamp, TypeValue, typeNameOf, Uint } from '../values.ts';
import { formatted } from './format.ts';

const fail = (message: string): never => {
  throw new CelEvaluationError(message);
};
const MAX = 2n ** 63n - 1n;
const int = (value: bigint): bigint => (value > MAX || value < -MAX - 1n ? fail('integer overflow') : value);
const uint = (value: bigint): Uint => (value < 0n || value > 2n ** 64n - 1n ? fail('unsigned integer overflow') : new Uint(value));
const dbl = (value: number): Double => new Double(value);
const SECOND = 1_000_000_000n;

const elementOf = (type: CelType | undefined): CelType => (type?.kind === 'list' ? type.element : DYN);
const compare = (name: string, test: (order: number) => boolean): Overload[] =>
  (
    [
      [BOOL, BOOL],
      [INT, INT],
      [UINT, UINT],
      [DOUBLE, DOUBLE],
      [STRING, STRING],
      [BYTES, BYTES],
      [TIMESTAMP, TIMESTAMP],
      [DURATION, DURATION],
      [INT, DOUBLE],
      [DOUBLE, INT],
      [INT, UINT],
      [UINT, INT],
      [UINT, DOUBLE],
      [DOUBLE, UINT],
    ] as const
  ).map((args) =>
    fn(args, BOOL, (a: unknown, b: unknown) => {
      const how = order(a, b);
      // NaN is neither less nor more.
      return how === undefined ? (name === '' ? fail('no such overload') : false) : test(how);
    }),
  );

const divide = (a: bigint, b: bigint): bigint => (b === 0n ? fail('division by zero') : int(a / b));
const modulo = (a: bigint, b: bigint): bigint => (b === 0n ? fail('modulus by zero') : a % b);

/** Code points, as Go counts runes. */
const runes = (text: string): string[] => [...text];
const utf8 = (text: string): Uint8Array => {
  const bytes: number[] = [];
  for (const char of text) {
    const c = char.codePointAt(0)!;
    if (c < 0x80) bytes.push(c);
    else if (c < 0x800) bytes.push(0xc0 | (c >> 6), 0x80 | (c & 63));
    else if (c < 0x10000) bytes.push(0xe0 | (c >> 12), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63));
    else bytes.push(0xf0 | (c >> 18), 0x80 | ((c >> 12) & 63), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63));
  }
  return Uint8Array.from(bytes);
};
const textOf = (bytes: Uint8Array): string => {
  let text = '';
  for (let i = 0; i < bytes.length; ) {
    const b = bytes[i]!;
    const size = b < 0x80 ? 1 : b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : b >= 0xc0 ? 2 : 0;
    if (size === 0 || i + size > bytes.length) fail('invalid UTF-8 in bytes, cannot convert to string');
    let c = size === 1 ? b : b & (0xff >> (size + 1));
    for (let k = 1; k < size; k++) c = (c << 6) | (bytes[i + k]! & 63);
    text += String.fromCodePoint(c);
    i += size;
  }
  return text;
};
/** As Go's `%g` writes it. */
export const doubleText = (value: number): string => {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2');
};

const parsedInt = (text: string): bigint =>
  /^[+-]?\d+$/.test(text) ? int(BigInt(text.replace(/^\+/, ''))) : fail(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
const parsedDouble = (text: string): Double => {
  if (/^[+-]?(?:inf|infinity)$/i.test(text)) return dbl(text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
  if (/^nan$/i.test(text)) return dbl(Number.NaN);
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)
    ? dbl(Number(text))
    : fail(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
};
const parsedBool = (text: string): boolean => {
  if (['1', 't', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'false', 'FALSE', 'False'].includes(text)) return false;
  return fail(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
};

const part = (name: string, pick: (at: ReturnType<typeof calendar>) => number): Overload[] => [
  method([TIMESTAMP], INT, (t: Timestamp) => BigInt(pick(calendar(t.nano)))),
  method([TIMESTAMP, STRING], INT, (t: Timestamp, zone: string) => {
    const offset = zoneOffset(zone);
    return offset === undefined ? fail(`unknown time zone ${zone}`) : BigInt(pick(calendar(t.nano, offset)));
  }),
  ...({ getHours: 3_600n * SECOND, getMinutes: 60n * SECOND, getSeconds: SECOND, getMilliseconds: 1_000_000n }[name] !== undefined
    ? [
        method(
          [DURATION],
          INT,
          (d: Duration) => d.nano / { getHours: 3_600n * SECOND, getMinutes: 60n * SECOND, getSeconds: SECOND, getMilliseconds: 1_000_000n }[name]!,
        ),
      ]
    : []),
];

const found = (at: number, chars: readonly string[], size: number): bigint => (at < 0 || at > chars.length - size ? -1n : BigInt(at));
function indexIn(text: string, search: string, from: bigint): bigint {
  const [chars, wanted] = [runes(text), runes(search)];
  if (from < 0n || from > BigInt(chars.length)) fail(`index out of range: ${from}`);
  for (let i = Number(from); i + wanted.length <= chars.length; i++)
    if (wanted.every((char, k) => chars[i + k] === char)) return found(i, chars, wanted.length);
  return -1n;
}
function lastIndexIn(text: string, search: string, from?: bigint): bigint {
  const [chars, wanted] = [runes(text), runes(search)];
  if (from !== undefined && (from < 0n || from > BigInt(chars.length))) fail(`index out of range: ${from}`);
  for (let i = Math.min(Number(from ?? chars.length), chars.length - wanted.length); i >= 0; i--)
    if (wanted.every((char, k) => chars[i + k] === char)) return BigInt(i);
  return -1n;
}
function substring(text: string, start: bigint, end?: bigint): string {
  const chars = runes(text);
  const to = end ?? BigInt(chars.length);
  if (start < 0n || start > BigInt(chars.length)) fail(`index out of range: ${start}`);
  if (to < 0n || to > BigInt(chars.length)) fail(`index out of range: ${to}`);
  if (start > to) fail(`invalid substring range. start: ${start}, end: ${to}`);
  return chars.slice(Number(start), Number(to)).join('');
}
function split(text: string, by: string, limit = -1n): string[] {
  if (limit === 0n) return [];
  const parts = by === '' ? runes(text) : text.split(by);
  if (limit < 0n || BigInt(parts.length) <= limit) return parts;
  const n = Number(limit);
  return [...parts.slice(0, n - 1), parts.slice(n - 1).join(by)];
}
function replace(text: string, old: string, next: string, limit = -1n): string {
  if (limit < 0n) return text.split(old).join(next);
  let left = Number(limit);
  let done = '';
  let rest = text;
  while (left-- > 0) {
    const at = rest.indexOf(old);
    if (at < 0) break;
    done += rest.slice(0, at) + next;
    rest = rest.slice(at + old.length);
  }
  return done + rest;
}
const joined = (list: readonly unknown[], by = ''): string => list.map((each) => (typeof each === 'string' ? each : fail('no such overload'))).join(by);
const matches = (text: string, pattern: string): boolean => {
  try {
    return goRegex(pattern).test(text);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
};
const contains = (list: readonly unknown[], value: unknown): boolean => list.some((each) => equal(each, value));
const SPACE = /^[\s\u0085\u180e\u200b-\u200d\u2060]+|[\s\u0085\u180e\u200b-\u200d\u2060]+$/gu;

export const STANDARD: Library = {
  '!_': [fn([BOOL], BOOL, (a: boolean) => !a)],
  '-_': [fn([INT], INT, (a: bigint) => int(-a)), fn([DOUBLE], DOUBLE, (a: Double) => dbl(-a.value))],
  '_==_': [fn([DYN, DYN], BOOL, equal)],
  '_!=_': [fn([DYN, DYN], BOOL, (a: unknown, b: unknown) => !equal(a, b))],
  '_<_': compare('<', (n) => n < 0),
  '_<=_': compare('<=', (n) => n <= 0),
  '_>_': compare('>', (n) => n > 0),
  '_>=_': compare('>=', (n) => n >= 0),
  '_+_': [
    fn([INT, INT], INT, (a: bigint, b: bigint) => int(a + b)),
    fn([UINT, UINT], UINT, (a: Uint, b: Uint) => uint(a.value + b.value)),
    fn([DOUBLE, DOUBLE], DOUBLE, (a: Double, b: Double) => dbl(a.value + b.value)),
    fn([STRING, STRING], STRING, (a: string, b: string) => a + b),
    fn([BYTES, BYTES], BYTES, (a: Uint8Array, b: Uint8Array) => Uint8Array.from([...a, ...b])),
    fn(
      [LIST, LIST],
      ([a, b]) => listOf(join(elementOf(a), elementOf(b))),
      (a: unknown[], b: unknown[]) => [...a, ...b],
    ),
    fn([TIMESTAMP, DURATION], TIMESTAMP, (a: Timestamp, b: Duration) => new Timestamp(a.nano + b.nano)),
    fn([DURATION, TIMESTAMP], TIMESTAMP, (a: Duration, b: Timestamp) => new Timestamp(a.nano + b.nano)),
    fn([DURATION, DURATION], DURATION, (a: Duration, b: Duration) => new Duration(a.nano + b.nano)),
  ],
  '_-_': [
    fn([INT, INT], INT, (a: bigint, b: bigint) => int(a - b)),
    fn([UINT, UINT], UINT, (a: Uint, b: Uint) => uint(a.value - b.value)),
    fn([DOUBLE, DOUBLE], DOUBLE, (a: Double, b: Double) => dbl(a.value - b.value)),
    fn([TIMESTAMP, TIMESTAMP], DURATION, (a: Timestamp, b: Timestamp) => new Duration(a.nano - b.nano)),
    fn([TIMESTAMP, DURATION], TIMESTAMP, (a: Timestamp, b: Duration) => new Timestamp(a.nano - b.nano)),
    fn([DURATION, DURATION], DURATION, (a: Duration, b: Duration) => new Duration(a.nano - b.nano)),
  ],
  '_*_': [
    fn([INT, INT], INT, (a: bigint, b: bigint) => int(a * b)),
    fn([UINT, UINT], UINT, (a: Uint, b: Uint) => uint(a.value * b.value)),
    fn([DOUBLE, DOUBLE], DOUBLE, (a: Double, b: Double) => dbl(a.value * b.value)),
  ],
  '_/_': [
    fn([INT, INT], INT, divide),
    fn([UINT, UINT], UINT, (a: Uint, b: Uint) => uint(divide(a.value, b.value))),
    fn([DOUBLE, DOUBLE], DOUBLE, (a: Double, b: Double) => dbl(a.value / b.value)),
  ],
  '_%_': [fn([INT, INT], INT, modulo), fn([UINT, UINT], UINT, (a: Uint, b: Uint) => uint(modulo(a.value, b.value)))],
  '@in': [fn([DYN, LIST], BOOL, (a: unknown, b: unknown[]) => contains(b, a)), fn([DYN, MAP], BOOL, (a: unknown, b: unknown) => lookup(b, a) !== undefined)],
  size: [
    ...both([STRING], INT, (a: string) => BigInt(runes(a).length)),
    ...both([BYTES], INT, (a: Uint8Array) => BigInt(a.length)),
    ...both([LIST], INT, (a: unknown[]) => BigInt(a.length)),
    ...both([MAP], INT, (a: unknown) => BigInt(isMap(a) ? keysOf(a).length : 0)),
  ],
  dyn: [fn([DYN], DYN, (a: unknown) => a)],
  type: [fn([DYN], TYPE, (a: unknown) => new TypeValue(typeNameOf(a)))],
  int: [
    fn([INT], INT, (a: bigint) => a),
    fn([UINT], INT, (a: Uint) => int(a.value)),
    fn([DOUBLE], INT, (a: Double) => (Number.isFinite(a.value) ? int(BigInt(Math.trunc(a.value))) : fail('integer overflow'))),
    fn([STRING], INT, parsedInt),
    fn([TIMESTAMP], INT, (a: Timestamp) => a.nano / SECOND),
    fn([DURATION], INT, (a: Duration) => a.nano),
  ],
  uint: [
    fn([UINT], UINT, (a: Uint) => a),
    fn([INT], UINT, (a: bigint) => uint(a)),
    fn([DOUBLE], UINT, (a: Double) => (Number.isFinite(a.value) ? uint(BigInt(Math.trunc(a.value))) : fail('unsigned integer overflow'))),
    fn([STRING], UINT, (a: string) => uint(parsedInt(a))),
  ],
  double: [
    fn([DOUBLE], DOUBLE, (a: Double) => a),
    fn([INT], DOUBLE, (a: bigint) => dbl(Number(a))),
    fn([UINT], DOUBLE, (a: Uint) => dbl(Number(a.value))),
    fn([STRING], DOUBLE, parsedDouble),
  ],
  bool: [fn([BOOL], BOOL, (a: boolean) => a), fn([STRING], BOOL, parsedBool)],
  string: [
    fn([STRING], STRING, (a: string) => a),
    fn([BOOL], STRING, String),
    fn([INT], STRING, String),
    fn([UINT], STRING, (a: Uint) => String(a.value)),
    fn([DOUBLE], STRING, (a: Double) => doubleText(a.value)),
    fn([BYTES], STRING, textOf),
    fn([TIMESTAMP], STRING, (a: Timestamp) => timestampText(a.nano)),
    fn([DURATION], STRING, (a: Duration) => durationText(a.nano)),
  ],
  bytes: [fn([BYTES], BYTES, (a: Uint8Array) => a), fn([STRING], BYTES, utf8)],
  timestamp: [
    fn([TIMESTAMP], TIMESTAMP, (a: Timestamp) => a),
    fn([INT], TIMESTAMP, (a: bigint) => new Timestamp(a * SECOND)),
    fn(
      [STRING],
      TIMESTAMP,
      (a: string) =>
        new Timestamp(
          parseTimestamp(a) ?? fail(`parsing time ${JSON.stringify(a)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(a)} as "2006"`),
        ),
    ),
  ],
  duration: [
    fn([DURATION], DURATION, (a: Duration) => a),
    fn([INT], DURATION, (a: bigint) => new Duration(a)),
    fn([STRING], DURATION, (a: string) => new Duration(parseDuration(a) ?? fail(`time: invalid duration ${JSON.stringify(a)}`))),
  ],
  getDate: part('getDate', (at) => at.day),
  getDayOfMonth: part('getDayOfMonth', (at) => at.day - 1),
  getDayOfWeek: part('getDayOfWeek', (at) => at.weekday),
  getDayOfYear: part('getDayOfYear', (at) => at.yearday),
  getFullYear: part('getFullYear', (at) => at.year),
  getHours: part('getHours', (at) => at.hour),
  getMilliseconds: part('getMilliseconds', (at) => at.milli),
  getMinutes: part('getMinutes', (at) => at.minute),
  getMonth: part('getMonth', (at) => at.month - 1),
  getSeconds: part('getSeconds', (at) => at.second),
  contains: [method([STRING, STRING], BOOL, (a: string, b: string) => a.includes(b))],
  startsWith: [method([STRING, STRING], BOOL, (a: string, b: string) => a.startsWith(b))],
  endsWith: [method([STRING, STRING], BOOL, (a: string, b: string) => a.endsWith(b))],
  matches: both([STRING, STRING], BOOL, matches),
  charAt: [
    method([STRING, INT], STRING, (a: string, i: bigint) =>
      i < 0n || i > BigInt(runes(a).length) ? fail(`index out of range: ${i}`) : (runes(a)[Number(i)] ?? ''),
    ),
  ],
  indexOf: [
    method([STRING, STRING], INT, (a: string, b: string) => indexIn(a, b, 0n)),
    method([STRING, STRING, INT], INT, indexIn),
    method([LIST, DYN], INT, (list: unknown[], value: unknown) => BigInt(list.findIndex((each) => equal(each, value)))),
  ],
  lastIndexOf: [
    method([STRING, STRING], INT, (a: string, b: string) => lastIndexIn(a, b)),
    method([STRING, STRING, INT], INT, lastIndexIn),
    method([LIST, DYN], INT, (list: unknown[], value: unknown) => BigInt(list.map((each) => equal(each, value)).lastIndexOf(true))),
  ],
  join: [method([listOf(STRING)], STRING, (list: unknown[]) => joined(list)), method([listOf(STRING), STRING], STRING, joined)],
  lowerAscii: [method([STRING], STRING, (a: string) => a.replace(/[A-Z]/g, (char) => char.toLowerCase()))],
  upperAscii: [method([STRING], STRING, (a: string) => a.replace(/[a-z]/g, (char) => char.toUpperCase()))],
  replace: [
    method([STRING, STRING, STRING], STRING, (a: string, b: string, c: string) => replace(a, b, c)),
    method([STRING, STRING, STRING, INT], STRING, replace),
  ],
  split: [method([STRING, STRING], listOf(STRING), (a: string, b: string) => split(a, b)), method([STRING, STRING, INT], listOf(STRING), split)],
  substring: [method([STRING, INT], STRING, (a: string, b: bigint) => substring(a, b)), method([STRING, INT, INT], STRING, substring)],
  trim: [method([STRING], STRING, (a: string) => a.replace(SPACE, ''))],
  reverse: [method([STRING], STRING, (a: string) => runes(a).reverse().join(''))],
  format: [method([STRING, LIST], STRING, formatted)],
  'strings.quote': [fn([STRING], STRING, (a: string) => JSON.stringify(a))],
};

/** Types by the names expressions use. */
export const TYPE_NAMES: Readonly<Record<string, string>> = {
  bool: 'bool',
  bytes: 'bytes',
  double: 'double',
  int: 'int',
  list: 'list',
  map: 'map',
  null_type: 'null_type',
  string: 'string',
  type: 'type',
  uint: 'uint',
};
