/**
 * Go's fmt for the values a template meets: strings, bools, int64 and float64 (numbers of JSON), int (template constants,
 * lengths, indexes: JavaScript's bigint), lists, maps, and nil. Enough of `printf` for templates: flags `-+# 0`,
 * width, precision, `*` not.
 */
import { goQuote, sortedEntries } from '../gostring.ts';

/** A float written in a template: unlike a number of JSON it stays one when it is whole. */
export class Float {
  constructor(readonly value: number) {}
}
const isFloat = (value: unknown): value is Float | number => value instanceof Float || (typeof value === 'number' && !Number.isInteger(value));

/** The type as %T names it. */
export function typeName(value: unknown): string {
  if (value === undefined || value === null) return '<nil>';
  if (typeof value === 'bigint') return 'int';
  if (isFloat(value)) return 'float64';
  if (typeof value === 'number') return 'int64';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
}

/** strconv.FormatFloat(value, 'g', -1, 64): an exponent below -4 or from 6 on. */
export function floatText(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  const [digits = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power < -4 || power >= 6) return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  const plain = String(value);
  return plain.includes('e') ? value.toFixed(Math.max(0, digits.replace(/^-?\d\.?/, '').length - power)) : plain;
}

/** %v, and with `plus`/`sharp` what the flags change. */
export function plain(value: unknown): string {
  if (value === undefined || value === null) return '<nil>';
  if (value instanceof Float) return floatText(value.value);
  if (typeof value === 'number') return Number.isInteger(value) ? String(BigInt(value)) : floatText(value);
  if (Array.isArray(value)) return `[${value.map(plain).join(' ')}]`;
  if (typeof value === 'object')
    return `map[${sortedEntries(value)
      .map(([key, inner]) => `${key}:${plain(inner)}`)
      .join(' ')}]`;
  return String(value);
}

/** fmt.Sprint: spaces between operands when neither is a string. */
export const sprint = (values: readonly unknown[]): string =>
  values.map((value, i) => (i > 0 && typeof value !== 'string' && typeof values[i - 1] !== 'string' ? ' ' : '') + plain(value)).join('');
export const sprintln = (values: readonly unknown[]): string => `${values.map(plain).join(' ')}\n`;

/** fmt.Sprintf. */
export function sprintf(format: string, values: readonly unknown[]): string {
  let out = '';
  let used = 0;
  const pattern = /%([-+# 0]*)(\d+)?(?:\.(\d*))?(?:\[(\d+)\])?(.|$)/gsu;
  let last = 0;
  for (let m = pattern.exec(format); m !== null; m = pattern.exec(format)) {
    out += format.slice(last, m.index);
    last = m.index + m[0].length;
    const [, flags = '', width, precision, index, verb = ''] = m;
    if (verb === '') {
      out += '%!(NOVERB)';
      break;
    }
    if (verb === '%') {
      out += '%';
      continue;
    }
    if (index !== undefined) used = Number(index) - 1;
    if (used >= values.length) {
      out += `%!${verb}(MISSING)`;
      continue;
    }
    const value = values[used++];
    out += pad(one(verb, value, flags, precision === undefined ? undefined : Number(precision || '0')), width === undefined ? 0 : Number(width), flags, value);
  }
  out += format.slice(last);
  if (used < values.length) {
    const extra = values.slice(used).map((value) => (value === undefined || value === null ? '<nil>' : `${typeName(value)}=${plain(value)}`));
    out += `%!(EXTRA ${extra.join(', ')})`;
  }
  return out;
}

function pad(text: string, width: number, flags: string, value: unknown): string {
  const length = [...text].length;
  if (length >= width) return text;
  if (flags.includes('-')) return text + ' '.repeat(width - length);
  if (flags.includes('0') && (typeof value === 'number' || typeof value === 'bigint' || value instanceof Float)) {
    const sign = /^[-+]/.test(text) ? text[0]! : '';
    return sign + text.slice(sign.length).padStart(width - sign.length, '0');
  }
  return ' '.repeat(width - length) + text;
}

function one(verb: string, value: unknown, flags: string, precision: number | undefined): string {
  const bad = (): string => (value === undefined || value === null ? `%!${verb}(<nil>)` : `%!${verb}(${typeName(value)}=${plain(value)})`);
  if (verb === 'T') return typeName(value);
  if (verb === 'v')
    return flags.includes('#')
      ? syntax(value)
      : isFloat(value) && precision !== undefined
        ? float('g', Number(value instanceof Float ? value.value : value), precision)
        : plain(value);
  if (typeof value === 'string') {
    const cut = precision === undefined ? value : [...value].slice(0, precision).join('');
    if (verb === 's') return cut;
    if (verb === 'q') return flags.includes('#') && !cut.includes('`') ? `\`${cut}\`` : goQuote(cut);
    if (verb === 'x' || verb === 'X') {
      const text = [...utf8(cut)].map((byte) => byte.toString(16).padStart(2, '0')).join(flags.includes(' ') ? ' ' : '');
      return verb === 'X' ? text.toUpperCase() : text;
    }
    return bad();
  }
  if (typeof value === 'boolean') return verb === 't' ? String(value) : bad();
  if (isFloat(value)) return 'eEfFgG'.includes(verb) ? signed(float(verb, value instanceof Float ? value.value : value, precision), flags) : bad();
  if (typeof value === 'number' || typeof value === 'bigint') return integer(verb, BigInt(value), flags) ?? bad();
  // Verbs go down into lists and maps.
  if (Array.isArray(value)) return `[${value.map((item) => one(verb, item, flags, precision)).join(' ')}]`;
  if (typeof value === 'object' && value !== null)
    return `map[${sortedEntries(value)
      .map(([key, inner]) => `${one(verb, key, flags, precision)}:${one(verb, inner, flags, precision)}`)
      .join(' ')}]`;
  return bad();
}

const signed = (text: string, flags: string): string =>
  text.startsWith('-') ? text : flags.includes('+') ? `+${text}` : flags.includes(' ') ? ` ${text}` : text;

function float(verb: string, value: number, precision: number | undefined): string {
  const exponent = (text: string): string => text.replace(/e([-+])(\d)$/, 'e$10$2');
  if (verb === 'f' || verb === 'F') return value.toFixed(precision ?? 6);
  if (verb === 'e') return exponent(value.toExponential(precision ?? 6));
  if (verb === 'E') return exponent(value.toExponential(precision ?? 6)).toUpperCase();
  if (precision === undefined) return floatText(value);
  return exponent(String(Number(value.toPrecision(Math.max(1, precision)))));
}

function integer(verb: string, value: bigint, flags: string): string | undefined {
  const sharp = flags.includes('#');
  switch (verb) {
    case 'd':
      return signed(String(value), flags);
    case 'b':
      return signed(value.toString(2), flags);
    case 'o':
      return signed((sharp ? '0' : '') + value.toString(8), flags);
    case 'O':
      return signed(`0o${value.toString(8)}`, flags);
    case 'x':
      return signed((sharp ? '0x' : '') + value.toString(16), flags);
    case 'X':
      return signed((sharp ? '0X' : '') + value.toString(16).toUpperCase(), flags);
    case 'c':
      return String.fromCodePoint(Number(value));
    case 'q':
      return `'${String.fromCodePoint(Number(value))}'`;
    case 'U':
      return `U+${value.toString(16).toUpperCase().padStart(4, '0')}`;
    default:
      return undefined;
  }
}

/** %#v. */
function syntax(value: unknown): string {
  if (value === undefined || value === null) return '<nil>';
  const inner = (item: unknown): string => (item === null ? 'interface {}(nil)' : syntax(item));
  if (Array.isArray(value)) return `[]interface {}{${value.map(inner).join(', ')}}`;
  if (typeof value === 'object')
    return `map[string]interface {}{${sortedEntries(value)
      .map(([key, item]) => `${goQuote(key)}:${inner(item)}`)
      .join(', ')}}`;
  return typeof value === 'string' ? goQuote(value) : plain(value);
}

/** The bytes Go's len and slices count. */
export function utf8(text: string): readonly number[] {
  return (encodeURIComponent(text).match(/%[0-9A-F]{2}|[^%]/g) ?? []).map((part) =>
    part.length === 3 ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0),
  );
}
export function fromUtf8(bytes: readonly number[]): string {
  try {
    return decodeURIComponent(bytes.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''));
  } catch {
    return bytes.map((byte) => (byte < 128 ? String.fromCharCode(byte) : '\ufffd')).join('');
  }
}
