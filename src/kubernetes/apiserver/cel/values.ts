/**
 * What CEL computes with. Objects of the API are used as they are: a JSON number becomes an int when it is
 * whole and a double otherwise at the moment it is read, unless the schema says more (`read`).
 *
 * | CEL | here |
 * |---|---|
 * | int | bigint |
 * | double | `Double` |
 * | list, map | array; plain object or `Map` |
 * | timestamp, duration | `Timestamp`, `Duration`, both of nanoseconds |
 */
import { parseDuration, parseTimestamp } from './time.ts';
import type { CelType } from './types.ts';

/** A failure while an expression runs; the text is cel-go's. */
export class CelEvaluationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CelEvaluationError';
  }
}

export class Double {
  constructor(readonly value: number) {}
}
export class Uint {
  constructor(readonly value: bigint) {}
}
/** Nanoseconds since 1970. */
export class Timestamp {
  constructor(readonly nano: bigint) {}
}
export class Duration {
  constructor(readonly nano: bigint) {}
}
/** What a library brings in; `type` is the name CEL knows it by. */
export class Opaque<T = unknown> {
  constructor(
    readonly type: string,
    readonly value: T,
    private readonly same: (a: T, b: T) => boolean = (a, b) => a === b,
  ) {}
  equals(other: Opaque): boolean {
    return other.type === this.type && this.same(this.value, other.value as T);
  }
}
export class Optional {
  constructor(readonly value: unknown) {}
  static readonly NONE = new Optional(undefined);
  get present(): boolean {
    return this.value !== undefined;
  }
}
/** Values by name, each computed when it is first asked for: the `variables` of admission policies. A computation may throw. */
export class LazyMap {
  private readonly known = new Map<string, unknown>();
  constructor(private readonly values: Readonly<Record<string, () => unknown>>) {}
  has(name: string): boolean {
    return Object.hasOwn(this.values, name);
  }
  get(name: string): unknown {
    if (!this.known.has(name) && this.has(name)) this.known.set(name, this.values[name]!());
    return this.known.get(name);
  }
}
/** The value of `type(x)`. */
export class TypeValue {
  constructor(readonly name: string) {}
}

const WHOLE = 2 ** 63;
/** A value of an object or of a caller as CEL sees it. `type` is what the schema says; dyn when it says nothing. */
export function read(value: unknown, type?: CelType): unknown {
  if (typeof value === 'number') {
    if (type?.kind === 'double') return new Double(value);
    return Number.isInteger(value) && Math.abs(value) < WHOLE ? BigInt(value) : new Double(value);
  }
  if (typeof value !== 'string' || type === undefined) return value;
  if (type.kind === 'timestamp') return new Timestamp(parseTimestamp(value) ?? 0n);
  if (type.kind === 'duration') return new Duration(parseDuration(value) ?? 0n);
  if (type.kind === 'bytes') return bytesOfBase64(value) ?? new Uint8Array();
  return value;
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && (value.constructor === Object || value.constructor === undefined);

export const isMap = (value: unknown): boolean => value instanceof Map || value instanceof LazyMap || isObject(value);

/** A map's value; undefined when there is none. */
export function lookup(map: unknown, key: unknown): unknown {
  if (map instanceof LazyMap) return typeof key === 'string' ? map.get(key) : undefined;
  if (map instanceof Map) return map.get(mapKey(key)) as unknown;
  return typeof key === 'string' && Object.hasOwn(map as object, key) ? (map as Record<string, unknown>)[key] : undefined;
}
/** Keys compare by value: 1 and 1u and 1.0 are one key. */
export const mapKey = (key: unknown): unknown => {
  if (key instanceof Uint) return key.value;
  return key instanceof Double && Number.isInteger(key.value) ? BigInt(key.value) : key;
};
export const keysOf = (map: unknown): unknown[] => (map instanceof Map ? [...map.keys()] : map instanceof LazyMap ? [] : Object.keys(map as object));

const rank = (value: unknown): bigint | number | undefined =>
  typeof value === 'bigint' ? value : value instanceof Double || value instanceof Uint ? value.value : undefined;

/** CEL's heterogeneous equality: numbers across their types, lists and maps in depth, everything else by its own type. */
export function equal(x: unknown, y: unknown): boolean {
  const a = read(x);
  const b = read(y);
  if (a === b) return !(a instanceof Double && Number.isNaN(a.value));
  const [m, n] = [rank(a), rank(b)];
  if (m !== undefined && n !== undefined) return typeof m === typeof n ? m === n : Number(m) === Number(n);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((each, i) => equal(each, (b as unknown[])[i]));
  if (a instanceof Uint8Array) return b instanceof Uint8Array && a.length === b.length && a.every((each, i) => each === b[i]);
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nano === b.nano;
  if (a instanceof Duration) return b instanceof Duration && a.nano === b.nano;
  if (a instanceof Opaque) return b instanceof Opaque && a.equals(b);
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  if (a instanceof Optional) return b instanceof Optional && a.present === b.present && (!a.present || equal(a.value, b.value));
  if (!isMap(a) || !isMap(b)) return false;
  const keys = keysOf(a);
  return (
    keys.length === keysOf(b).length &&
    keys.every((key) => {
      const other = lookup(b, key);
      return other !== undefined && equal(lookup(a, key), other);
    })
  );
}

/** Below zero, zero, above; undefined when the two cannot be ordered. */
export function order(x: unknown, y: unknown): number | undefined {
  const a = read(x);
  const b = read(y);
  const [m, n] = [rank(a), rank(b)];
  if (m !== undefined && n !== undefined) return m < n ? -1 : m > n ? 1 : Number(m) === Number(n) ? 0 : undefined;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if ((a instanceof Timestamp && b instanceof Timestamp) || (a instanceof Duration && b instanceof Duration))
    return a.nano < b.nano ? -1 : a.nano > b.nano ? 1 : 0;
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
    return a.length - b.length;
  }
  return undefined;
}

/** By Unicode code points, as Go compares the bytes of UTF-8. */
function compareText(a: string, b: string): number {
  const [x, y] = [[...a], [...b]];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const difference = x[i]!.codePointAt(0)! - y[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return x.length - y.length;
}

/** The name of a value's type at run time. */
export function typeNameOf(value: unknown): string {
  if (value === null || value === undefined) return 'null_type';
  switch (typeof value) {
    case 'bigint':
      return 'int';
    case 'number':
      return Number.isInteger(value) ? 'int' : 'double';
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
  }
  if (value instanceof Double) return 'double';
  if (value instanceof Uint) return 'uint';
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp';
  if (value instanceof Duration) return 'google.protobuf.Duration';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Optional) return 'optional_type';
  if (value instanceof TypeValue) return 'type';
  if (value instanceof Opaque) return value.type;
  return Array.isArray(value) ? 'list' : 'map';
}

/** Whether a value may be given for a parameter of this type. */
export function fits(value: unknown, type: CelType): boolean {
  switch (type.kind) {
    case 'dyn':
      return true;
    case 'list':
      return Array.isArray(value);
    case 'map':
    case 'object':
      return isMap(value);
    case 'null':
      return value === null;
    case 'timestamp':
      return value instanceof Timestamp;
    case 'duration':
      return value instanceof Duration;
    case 'optional':
      return value instanceof Optional;
    case 'opaque':
      return value instanceof Opaque && value.type === type.name;
    default:
      return typeNameOf(value) === type.kind;
  }
}

/** A result as JSON: ints as numbers, maps as objects, times as text. */
export function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Double) return value.value;
  if (value instanceof Uint) return Number(value.value);
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, each]) => [String(key), toJson(each)]));
  if (value instanceof Optional) return value.present ? toJson(value.value) : null;
  if (isObject(value)) return value;
  return value;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** Undefined when it is no base64. */
export function bytesOfBase64(text: string): Uint8Array | undefined {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/.test(text)) return undefined;
  const clean = text.replace(/=+$/, '');
  const bytes = new Uint8Array(Math.floor((clean.length * 3) / 4));
  let [bits, held, at] = [0, 0, 0];
  for (const char of clean) {
    bits = (bits << 6) | ALPHABET.indexOf(char);
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes[at++] = (bits >> held) & 255;
      bits &= (1 << held) - 1;
    }
  }
  return bytes;
}
export function base64OfBytes(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const [a, b, c] = [bytes[i]!, bytes[i + 1], bytes[i + 2]];
    text += ALPHABET[a >> 2]! + ALPHABET[((a & 3) << 4) | ((b ?? 0) >> 4)]!;
    text += b === undefined ? '==' : ALPHABET[((b & 15) << 2) | ((c ?? 0) >> 6)]! + (c === undefined ? '=' : ALPHABET[c & 63]!);
  }
  return text;
}
