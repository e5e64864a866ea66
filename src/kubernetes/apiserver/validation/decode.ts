/**
 * From JSON to an object of a kind: what sigs.k8s.io/json and the Go types do upstream. Finds fields of the wrong
 * type (the request fails) and unknown fields (which are dropped and, with fieldValidation Strict or Warn, told).
 * An object in which everything fits comes back as the same object.
 */
import type { Json } from '../../api/json.ts';
import { canonicalQuantity, QuantityError } from '../../api/quantity.ts';
import { type Model, SCHEMA } from '../../api/schema.ts';
import { instantOf } from '../../api/time.ts';
import type { Kind } from '../../api/types.gen.ts';

type JsonObject = { readonly [key: string]: Json | undefined };

export interface Decoded {
  /** Without unknown and null fields; quantities in canonical form. */
  readonly object: Json;
  /** `unknown field "spec.containers[0].imagePullPolcy"`, in order of appearance. */
  readonly unknown: readonly string[];
  /** The first thing that does not fit, in Go's words. */
  readonly error?: string;
}

/** Bodies of subresources, which are no kinds of their own. */
export type BodyKind = 'Scale' | 'Eviction' | 'TokenRequest' | 'DeleteOptions';

/** Reads `body` as an object of `kind` (a key of `Kinds`, or the body of a subresource). */
export function decode(kind: Kind | BodyKind, body: Json): Decoded {
  const walk = new Walk();
  const object = walk.value(`#${kind}`, body, '', '', kind);
  return { object: object ?? {}, unknown: walk.unknown, ...(walk.error === undefined ? {} : { error: walk.error }) };
}

/**
 * The message of the 400 that a body gets which cannot be decoded, undefined when it can; `strict` refuses unknown fields
 * too (handlers.transformDecodeError). `kind` and `version` are those the body itself names.
 */
export function decodeError(decoded: Decoded, kind: string, version: string, strict: boolean): string | undefined {
  const wrong = decoded.error ?? (strict && decoded.unknown.length > 0 ? `strict decoding error: ${decoded.unknown.join(', ')}` : undefined);
  return wrong === undefined ? undefined : `${kind} in version "${version}" cannot be handled as a ${kind}: ${wrong}`;
}

// Strings that are pointers upstream: an empty one is written back, others vanish as omitempty.
const POINTER_STRINGS = new Set([
  'appProtocol',
  'divisor',
  'fsType',
  'holderIdentity',
  'hostname',
  'ingressClassName',
  'managedBy',
  'name',
  'namespace',
  'nodeName',
  'runtimeClassName',
  'service',
  'storageClassName',
  'subPath',
  'succeededIndexes',
  'timeZone',
  'type',
  'volumeMode',
]);
/** Strings that are required and yet pointers. */
const REQUIRED_POINTERS = new Set(['pathType']);
const GO_TYPES: Readonly<Record<string, string>> = {
  s: 'string',
  b: 'bool',
  i32: 'int32',
  i64: 'int64',
  d: 'float64',
  by: '[]uint8',
  is: 'intstr.IntOrString',
  q: 'resource.Quantity',
  t: 'v1.Time',
  mt: 'v1.MicroTime',
  any: 'interface {}',
};
/** String fields that have a type of their own in Go. */
const NAMED_TYPES: Readonly<Record<string, string>> = {
  imagePullPolicy: 'v1.PullPolicy',
  restartPolicy: 'v1.RestartPolicy',
  dnsPolicy: 'v1.DNSPolicy',
  protocol: 'v1.Protocol',
  terminationMessagePolicy: 'v1.TerminationMessagePolicy',
  concurrencyPolicy: 'v1.ConcurrencyPolicy',
  sessionAffinity: 'v1.ServiceAffinity',
};

function goType(type: string): string {
  if (type.startsWith('[]')) return `[]${goType(type.slice(2))}`;
  if (type.startsWith('{}')) return `map[string]${goType(type.slice(2))}`;
  if (type.startsWith('#')) return `v1.${type.slice(1)}`;
  return GO_TYPES[type] ?? type;
}

const jsonKind = (value: Json): string =>
  Array.isArray(value) ? 'array' : typeof value === 'object' ? 'object' : typeof value === 'boolean' ? 'bool' : typeof value === 'number' ? 'number' : 'string';

class Walk {
  readonly unknown: string[] = [];
  error: string | undefined;

  /** `path` has indexes (for unknown fields), `field` has none (Go's field stack), `struct` is the type the field belongs to. */
  value(type: string, value: Json, path: string, field: string, struct: string): Json | undefined {
    const c = type.charCodeAt(0);
    if (c === 35 /* # */) return this.model(type.slice(1), value, path, field, struct);
    if (c === 91 /* [ */) return this.list(type.slice(2), value, path, field, struct);
    if (c === 123 /* { */) return this.map(type.slice(2), value, path, field, struct);
    switch (type) {
      case 's':
        return typeof value === 'string' ? value : this.mismatch(value, type, field, struct);
      case 'b':
        return typeof value === 'boolean' ? value : this.mismatch(value, type, field, struct);
      case 'i32':
      case 'i64':
        if (typeof value !== 'number') return this.mismatch(value, type, field, struct);
        if (!Number.isInteger(value) || (type === 'i32' && (value > 2_147_483_647 || value < -2_147_483_648))) {
          return this.fail(`json: cannot unmarshal number ${value} into Go struct field ${struct}.${field} of type ${goType(type)}`);
        }
        return value;
      case 'd':
        return typeof value === 'number' ? value : this.mismatch(value, type, field, struct);
      case 'is':
        if (typeof value === 'string' || (typeof value === 'number' && Number.isInteger(value))) return value;
        return this.fail(`json: cannot unmarshal ${typeof value === 'number' ? `number ${value}` : jsonKind(value)} into Go value of type int32`);
      case 'q':
        return this.quantity(value);
      case 't':
      case 'mt':
        return this.time(type, value, field, struct);
      case 'by':
        return this.bytes(value, field, struct);
      default:
        return value;
    }
  }

  private model(name: string, value: Json, path: string, field: string, struct: string): Json | undefined {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      // The whole body: Go names no field then.
      if (field === '') return this.fail(`json: cannot unmarshal ${jsonKind(value)} into Go value of type v1.${name}`);
      return this.mismatch(value, `#${name}`, field, struct);
    }
    const model = SCHEMA[name] as Model;
    const source = value as JsonObject;
    let out: Record<string, Json | undefined> | undefined;
    for (const key in source) {
      const inner = source[key];
      const type = model.fields[key];
      const here = path === '' ? key : `${path}.${key}`;
      let after: Json | undefined;
      // A field called `constructor` is unknown too, whatever an object of ours inherits.
      if (typeof type !== 'string') this.unknown.push(`unknown field "${here}"`);
      else if (inner !== null && inner !== undefined && !vanishes(type, inner, key, model)) {
        after = this.value(type, inner, here, field === '' ? key : `${field}.${key}`, name);
      }
      if (after === inner) {
        if (out && after !== undefined) out[key] = after;
        continue;
      }
      if (!out) {
        out = {};
        for (const earlier in source) {
          if (earlier === key) break;
          out[earlier] = source[earlier];
        }
      }
      if (after !== undefined) out[key] = after;
    }
    // A string or a number of Go that may not be omitted is there, if only as '' or 0.
    for (const key of model.required ?? []) {
      const type = model.fields[key]!;
      if ((out ?? source)[key] !== undefined || (type !== 's' && type !== 'i32' && type !== 'i64') || REQUIRED_POINTERS.has(key)) continue;
      out ??= { ...source };
      out[key] = zero(type);
    }
    return out ?? value;
  }

  private list(element: string, value: Json, path: string, field: string, struct: string): Json | undefined {
    if (!Array.isArray(value)) return this.mismatch(value, `[]${element}`, field, struct);
    let out: Json[] | undefined;
    for (let i = 0; i < value.length; i += 1) {
      const before = value[i] as Json;
      const after = this.value(element, before ?? zero(element), `${path}[${i}]`, field, struct) ?? zero(element);
      if (after === before) {
        out?.push(after);
        continue;
      }
      out ??= value.slice(0, i);
      out.push(after);
    }
    return out ?? value;
  }

  private map(element: string, value: Json, path: string, field: string, struct: string): Json | undefined {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return this.mismatch(value, `{}${element}`, field, struct);
    const source = value as JsonObject;
    let out: Record<string, Json | undefined> | undefined;
    for (const key in source) {
      const before = source[key];
      if (before === undefined) continue;
      const after = before === null ? zero(element) : (this.value(element, before, `${path}.${key}`, field, struct) ?? zero(element));
      if (after === before) continue;
      out ??= { ...source };
      out[key] = after;
    }
    return out ?? value;
  }

  private quantity(value: Json): Json | undefined {
    if (typeof value !== 'string' && typeof value !== 'number')
      return this.fail(`json: cannot unmarshal ${jsonKind(value)} into Go value of type resource.Quantity`);
    try {
      return canonicalQuantity(value);
    } catch (error) {
      if (!(error instanceof QuantityError)) throw error;
      return this.fail(error.message);
    }
  }

  private time(type: string, value: Json, field: string, struct: string): Json | undefined {
    if (typeof value !== 'string') return this.mismatch(value, type, field, struct);
    if (instantOf(value) !== undefined) return value;
    const layout = type === 't' ? '2006-01-02T15:04:05Z07:00' : '2006-01-02T15:04:05.000000Z07:00';
    return this.fail(`parsing time ${JSON.stringify(value)} as "${layout}": cannot parse ${JSON.stringify(value)} as "2006"`);
  }

  private bytes(value: Json, field: string, struct: string): Json | undefined {
    if (typeof value !== 'string') return this.mismatch(value, 'by', field, struct);
    const plain = value.replace(/[\r\n]/g, '');
    const bad = plain.search(/[^A-Za-z0-9+/=]/);
    const wrong =
      bad >= 0
        ? bad
        : plain.length % 4 !== 0
          ? plain.length - (plain.length % 4)
          : /=[^=]|=$/.test(plain) && !/^[^=]*={1,2}$/.test(plain)
            ? plain.indexOf('=')
            : -1;
    return wrong >= 0 ? this.fail(`illegal base64 data at input byte ${wrong}`) : value;
  }

  private mismatch(value: Json, type: string, field: string, struct: string): undefined {
    const last = field.slice(field.lastIndexOf('.') + 1);
    const go = type === 's' ? (NAMED_TYPES[last] ?? 'string') : goType(type);
    return this.fail(`json: cannot unmarshal ${jsonKind(value)} into Go struct field ${struct}.${field} of type ${go}`);
  }

  private fail(message: string): undefined {
    this.error ??= message;
    return undefined;
  }
}

/** Empty lists, maps of plain values and plain strings are not written back (omitempty). */
function vanishes(type: string, value: Json, key: string, model: Model): boolean {
  if (model.required?.includes(key)) return false;
  if (value === '') return type === 's' && !POINTER_STRINGS.has(key);
  if (typeof value !== 'object') return false;
  if (type.startsWith('[]')) return Array.isArray(value) && value.length === 0;
  if (type.startsWith('{}')) {
    for (const _ in value as JsonObject) return false;
    return true;
  }
  return false;
}

/** Go's zero value: what null is inside a list or map. */
function zero(type: string): Json {
  if (type.startsWith('#') || type.startsWith('{}')) return {};
  if (type.startsWith('[]')) return [];
  return type === 'b' ? false : type === 'i32' || type === 'i64' || type === 'd' || type === 'is' ? 0 : type === 'q' ? '0' : '';
}
