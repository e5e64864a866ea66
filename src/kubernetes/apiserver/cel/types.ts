/**
 * The static types of CEL expressions (cel-go `common/types`, and the types apiserver `pkg/cel` declares from
 * structural schemas), and how error texts write them.
 */
export type CelType =
  | { readonly kind: 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'bool' | 'null' | 'dyn' | 'timestamp' | 'duration' | 'type' }
  | { readonly kind: 'list'; readonly element: CelType }
  | { readonly kind: 'map'; readonly key: CelType; readonly value: CelType }
  | { readonly kind: 'optional'; readonly value: CelType }
  /** A message with declared fields; the key is the name as expressions write it (escaped). */
  | { readonly kind: 'object'; readonly name: string; readonly fields: Readonly<Record<string, Field>> }
  /** A type a library brings: `kubernetes.Quantity`, `net.IP`; nothing but its own functions can look into it. */
  | { readonly kind: 'opaque'; readonly name: string };

export interface Field {
  /** The name in the object itself: `x-y` for `x__dash__y`. */
  readonly name: string;
  readonly type: CelType;
}

const simple = <K extends string>(kind: K): { readonly kind: K } => ({ kind });
export const INT = simple('int');
export const UINT = simple('uint');
export const DOUBLE = simple('double');
export const STRING = simple('string');
export const BYTES = simple('bytes');
export const BOOL = simple('bool');
export const NULL = simple('null');
export const DYN = simple('dyn');
export const TIMESTAMP = simple('timestamp');
export const DURATION = simple('duration');
export const TYPE = simple('type');
export const listOf = (element: CelType): CelType => ({ kind: 'list', element });
export const mapOf = (key: CelType, value: CelType): CelType => ({ kind: 'map', key, value });
export const optionalOf = (value: CelType): CelType => ({ kind: 'optional', value });
export const opaque = (name: string): CelType => ({ kind: 'opaque', name });
export const LIST = listOf(DYN);
export const MAP = mapOf(DYN, DYN);

/** As cel-go's FormatCELType writes it: `list(string)`, `map(string, dyn)`, `optional_type(int)`. */
export function typeText(type: CelType): string {
  switch (type.kind) {
    case 'list':
      return `list(${typeText(type.element)})`;
    case 'map':
      return `map(${typeText(type.key)}, ${typeText(type.value)})`;
    case 'optional':
      return `optional_type(${typeText(type.value)})`;
    case 'object':
    case 'opaque':
      return type.name;
    default:
      return type.kind;
  }
}

/** Whether a value of type `from` may stand where `to` is asked for; dyn goes everywhere. */
export function assignable(from: CelType, to: CelType): boolean {
  if (from === to || from.kind === 'dyn' || to.kind === 'dyn') return true;
  if (from.kind === 'null') return to.kind === 'null' || to.kind === 'object' || to.kind === 'timestamp' || to.kind === 'duration';
  if (from.kind === 'list' && to.kind === 'list') return assignable(from.element, to.element);
  if (from.kind === 'map' && to.kind === 'map') return assignable(from.key, to.key) && assignable(from.value, to.value);
  if (from.kind === 'optional' && to.kind === 'optional') return assignable(from.value, to.value);
  // An object is a map of what it holds to those functions that take any map.
  if ((from.kind === 'object' && to.kind === 'object') || (from.kind === 'opaque' && to.kind === 'opaque')) return from.name === to.name;
  return from.kind === to.kind;
}

/** What both are; dyn when they differ. */
export const join = (a: CelType, b: CelType): CelType =>
  a === b || (assignable(a, b) && a.kind !== 'dyn' && b.kind !== 'dyn' && typeText(a) === typeText(b)) ? a : DYN;
