/** `'%s is %d'.format([a, b])` (cel-go `ext/formatting.go`). */
import { durationText, timestampText } from '../time.ts';
import { CelEvaluationError, Double, Duration, isMap, keysOf, lookup, read, Timestamp, TypeValue, typeNameOf, Uint } from '../values.ts';

const fail = (message: string): never => {
  throw new CelEvaluationError(message);
};

const hexOf = (bytes: Iterable<number>): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** What `%s` writes. Maps are in the order of their keys' texts. */
export function plain(given: unknown): string {
  const value = read(given);
  if (value === null) return 'null';
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Double) {
    if (Number.isNaN(value.value)) return 'NaN';
    return Number.isFinite(value.value) ? String(value.value) : value.value > 0 ? 'Infinity' : '-Infinity';
  }
  if (value instanceof Timestamp) return timestampText(value.nano);
  if (value instanceof Duration) return durationText(value.nano);
  if (value instanceof TypeValue) return value.name;
  if (value instanceof Uint8Array) return String.fromCharCode(...value);
  if (Array.isArray(value)) return `[${value.map(plain).join(', ')}]`;
  if (isMap(value)) {
    const entries = keysOf(value).map((key) => [plain(key), plain(lookup(value, key))] as const);
    return `{${entries
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => `${key}: ${each}`)
      .join(', ')}}`;
  }
  return fail(
    `error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given ${typeNameOf(value)}`,
  );
}

function clause(verb: string, precision: number, given: unknown): string {
  const value = read(given);
  const wrong = (what: string): never => fail(`error during formatting: ${what}, was given ${typeNameOf(value)}`);
  switch (verb) {
    case 's':
      return plain(value);
    case 'd':
      if (typeof value === 'bigint') return String(value);
      if (value instanceof Uint) return String(value.value);
      if (value instanceof Double)
        return Number.isNaN(value.value) ? 'NaN' : Number.isFinite(value.value) ? wrong('decimal clause can only be used on integers') : plain(value);
      return wrong('decimal clause can only be used on integers');
    case 'f':
    case 'e': {
      const n = value instanceof Double ? value.value : typeof value === 'bigint' ? Number(value) : value instanceof Uint ? Number(value.value) : undefined;
      if (n === undefined) return wrong(`${verb === 'f' ? 'fixed-point' : 'scientific'} clause can only be used on doubles`);
      if (!Number.isFinite(n)) return plain(new Double(n));
      return verb === 'f' ? n.toFixed(precision) : n.toExponential(precision).replace(/e([+-])(\d)$/, 'e$10$2');
    }
    case 'b':
      if (typeof value === 'boolean') return value ? '1' : '0';
      return typeof value === 'bigint'
        ? value.toString(2)
        : value instanceof Uint
          ? value.value.toString(2)
          : wrong('only integers and bools can be formatted as binary');
    case 'o':
      return typeof value === 'bigint'
        ? value.toString(8)
        : value instanceof Uint
          ? value.value.toString(8)
          : wrong('octal clause can only be used on integers');
    case 'x':
    case 'X': {
      const text =
        typeof value === 'bigint'
          ? value.toString(16)
          : value instanceof Uint
            ? value.value.toString(16)
            : value instanceof Uint8Array
              ? hexOf(value)
              : typeof value === 'string'
                ? hexOf([...value].map((char) => char.charCodeAt(0)))
                : wrong('only integers, byte buffers, and strings can be formatted as hex');
      return verb === 'X' ? text.toUpperCase() : text;
    }
    default:
      return fail(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
  }
}

export function formatted(format: string, args: readonly unknown[]): string {
  let next = 0;
  const text = format.replace(/%(?:%|(?:\.(\d+))?(.?))/g, (whole, precision: string | undefined, verb: string) => {
    if (whole === '%%') return '%';
    if (verb === '') return fail('could not parse formatting clause: unexpected end of format string');
    if (next >= args.length) return fail(`index ${next} out of range`);
    return clause(verb, precision === undefined ? 6 : Number(precision), args[next++]);
  });
  return text;
}
