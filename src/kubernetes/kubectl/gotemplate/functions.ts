/** The functions of Go templates (text/template/funcs.go) and the two that kubectl adds, `exists` and `base64decode`. */
import { decodeBase64 } from '../kubeconfig.ts';
import { Float, fromUtf8, plain, sprint, sprintf, sprintln, typeName, utf8 } from './format.ts';

export interface TemplateFunction {
  /** How many arguments it must have, and whether more are welcome. */
  readonly wants: number;
  readonly more?: boolean;
  /** Arguments that must be strings, by position. */
  readonly strings?: readonly number[];
  /** Throws Error with what went wrong, without `error calling NAME: `. */
  call(args: readonly unknown[]): unknown;
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Float);
const isComposite = (value: unknown): boolean => Array.isArray(value) || isMap(value);
const isNothing = (value: unknown): boolean => value === undefined || value === null;

/** text/template.IsTrue. */
export function truth(value: unknown): boolean {
  if (isNothing(value)) return false;
  if (typeof value === 'boolean') return value;
  if (value instanceof Float) return value.value !== 0;
  if (typeof value === 'number') return value !== 0;
  if (typeof value === 'bigint') return value !== 0n;
  if (typeof value === 'string' || Array.isArray(value)) return value.length > 0;
  return Object.keys(value as object).length > 0;
}

const length = (value: unknown): bigint => {
  if (typeof value === 'string') return BigInt(utf8(value).length);
  if (Array.isArray(value)) return BigInt(value.length);
  if (isMap(value)) return BigInt(Object.keys(value).length);
  // What Go says of a value that is not there at all.
  throw new Error(isNothing(value) ? 'reflect: call of reflect.Value.Type on zero Value' : `len of type ${typeName(value)}`);
};

function position(index: unknown, size: number): number {
  if (isNothing(index)) throw new Error('cannot index slice/array with nil');
  if (typeof index !== 'bigint' && !(typeof index === 'number' && Number.isInteger(index)))
    throw new Error(`cannot index slice/array with type ${typeName(index)}`);
  const at = Number(index);
  if (at < 0 || at >= size) throw new Error(`index out of range: ${at}`);
  return at;
}

function indexed([item, ...keys]: readonly unknown[]): unknown {
  if (isNothing(item)) throw new Error('index of untyped nil');
  let value = item;
  for (const key of keys) {
    if (isNothing(value)) throw new Error('index of nil pointer');
    if (typeof value === 'string') value = BigInt(utf8(value)[position(key, utf8(value).length)]!);
    else if (Array.isArray(value)) value = value[position(key, value.length)];
    else if (isMap(value)) {
      if (typeof key !== 'string')
        throw new Error(isNothing(key) ? 'value is nil; should be of type string' : `value has type ${typeName(key)}; should be string`);
      value = Object.hasOwn(value, key) ? value[key] : null;
    } else throw new Error(`can't index item of type ${typeName(value)}`);
  }
  return value;
}

function sliced([item, ...indexes]: readonly unknown[]): unknown {
  if (isNothing(item)) throw new Error('slice of untyped nil');
  if (indexes.length > 3) throw new Error(`too many slice indexes: ${indexes.length}`);
  if (typeof item === 'string' && indexes.length === 3) throw new Error('cannot 3-index slice a string');
  if (typeof item !== 'string' && !Array.isArray(item)) throw new Error(`can't slice item of type ${typeName(item)}`);
  const bytes = typeof item === 'string' ? utf8(item) : undefined;
  const size = bytes ? bytes.length : (item as readonly unknown[]).length;
  const [from = 0, to = size] = indexes.map((index) => position(index, size + 1));
  if (from > to) throw new Error(`invalid slice index: ${from} > ${to}`);
  return bytes ? fromUtf8(bytes.slice(from, to)) : (item as readonly unknown[]).slice(from, to);
}

function exists([item, ...keys]: readonly unknown[]): boolean {
  let value = item;
  for (const key of keys) {
    if (isNothing(value)) return false;
    if (Array.isArray(value) || typeof value === 'string') {
      if (typeof key !== 'bigint' || key < 0n || key >= BigInt(value.length)) return false;
      value = value[Number(key)];
    } else if (isMap(value)) {
      if (typeof key !== 'string') return false;
      value = Object.hasOwn(value, key) ? value[key] : undefined;
    } else return false;
  }
  return !isNothing(value);
}

type Basic = 'bool' | 'int' | 'float' | 'string';
function basicKind(value: unknown): Basic {
  if (value instanceof Float) return 'float';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float';
    case 'string':
      return 'string';
    default:
      throw new Error('invalid type for comparison');
  }
}

/** What `<` and `===` understand; whole numbers of all kinds alike. */
const sortable = (value: unknown): string | number | boolean =>
  value instanceof Float ? value.value : typeof value === 'bigint' ? Number(value) : (value as string | number | boolean);

const INCOMPATIBLE = 'incompatible types for comparison';

function equal([first, ...others]: readonly unknown[]): boolean {
  if (isComposite(first)) throw new Error(`non-comparable type ${plain(first)}: ${typeName(first)}`);
  if (others.length === 0) throw new Error('missing argument for comparison');
  for (const other of others) {
    if (isComposite(other)) throw new Error(`non-comparable type ${plain(other)}: ${typeName(other)}`);
    if (isNothing(first) || isNothing(other)) {
      if (isNothing(first) && isNothing(other)) return true;
      continue;
    }
    if (basicKind(first) !== basicKind(other)) throw new Error(INCOMPATIBLE);
    if (sortable(first) === sortable(other)) return true;
  }
  return false;
}

function less([a, b]: readonly unknown[]): boolean {
  const [x, y] = [basicKind(a), basicKind(b)];
  if (x !== y) throw new Error(INCOMPATIBLE);
  if (x === 'bool') throw new Error('invalid type for comparison');
  return sortable(a) < sortable(b);
}

const ESCAPED: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&#34;', "'": '&#39;', '\0': '\ufffd' };
const scripted = (text: string): string =>
  text.replace(
    /[\\'"<>&=\n\r\t\0-\x1f]/g,
    (c) => ({ '\\': '\\\\', "'": "\\'", '"': '\\"' })[c] ?? `\\u${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
  );

/** `and` and `or` evaluate their arguments themselves (exec.ts). */
export const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  and: { wants: 1, more: true, call: (args) => args.at(-1) },
  base64decode: {
    wants: 1,
    strings: [0],
    call: ([text]) => {
      const clean = (text as string).replace(/[\r\n]/g, '');
      const good = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?/.exec(clean)![0].length;
      if (good < clean.length)
        throw new Error(`base64 decode failed: illegal base64 data at input byte ${good + /^[A-Za-z0-9+/]*/.exec(clean.slice(good))![0].length}`);
      return decodeBase64(text as string);
    },
  },
  call: {
    wants: 1,
    more: true,
    call: ([first]) => {
      throw new Error(isNothing(first) ? 'call of nil' : `non-function ${plain(first)} of type ${typeName(first)}`);
    },
  },
  eq: { wants: 1, more: true, call: equal },
  exists: { wants: 1, more: true, call: exists },
  ge: { wants: 2, call: (args) => !less(args) },
  gt: { wants: 2, call: (args) => !less(args) && !equal(args) },
  html: { wants: 0, more: true, call: (args) => sprint(args).replace(/[<>&"'\0]/g, (c) => ESCAPED[c]!) },
  index: { wants: 1, more: true, call: indexed },
  js: { wants: 0, more: true, call: (args) => scripted(sprint(args)) },
  le: { wants: 2, call: (args) => less(args) || equal(args) },
  len: { wants: 1, call: ([value]) => length(value) },
  lt: { wants: 2, call: less },
  ne: { wants: 2, call: (args) => !equal(args) },
  not: { wants: 1, call: ([value]) => !truth(value) },
  or: { wants: 1, more: true, call: (args) => args.at(-1) },
  print: { wants: 0, more: true, call: sprint },
  printf: { wants: 1, more: true, strings: [0], call: ([format, ...args]) => sprintf(format as string, args) },
  println: { wants: 0, more: true, call: sprintln },
  slice: { wants: 1, more: true, call: sliced },
  urlquery: {
    wants: 0,
    more: true,
    call: (args) =>
      encodeURIComponent(sprint(args))
        .replaceAll('%20', '+')
        .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`),
  },
};
