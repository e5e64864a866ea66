/**
 * What a value becomes on its way in (apiextensions-apiserver `pkg/apiserver/schema/{pruning,defaulting,objectmeta}`): unknown
 * fields go, nulls that may not be go, defaults come. An untouched value comes back as the same value.
 */
import type { Json } from '../../api/json.ts';
import { child, isPlainObject, keyed, OBJECT_FIELDS, type Schema, valueSchema } from './schema.ts';

/** A copy of an object that is made when something first changes. */
class Draft {
  private copy: Record<string, Json> | undefined;
  constructor(private readonly source: Readonly<Record<string, Json>>) {}
  set(name: string, value: Json): void {
    if (this.source[name] === value) return;
    this.copy ??= { ...this.source };
    this.copy[name] = value;
  }
  drop(name: string): void {
    this.copy ??= { ...this.source };
    delete this.copy[name];
  }
  get result(): Json {
    return this.copy ?? this.source;
  }
}

function mapped(list: readonly Json[], change: (each: Json, i: number) => Json): Json {
  const made = list.map(change);
  return made.some((each, i) => each !== list[i]) ? made : (list as Json);
}

/** Drops what the schema does not know. `unknown` hears the path of each field dropped. */
export function prune(value: Json, schema: Schema, root: boolean, unknown: (path: string) => void, path = ''): Json {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items) return value;
    return mapped(value, (each, i) => prune(each, items, items['x-kubernetes-embedded-resource'] === true, unknown, keyed(path, i)));
  }
  if (!isPlainObject(value)) return value;
  const keeps = schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true;
  const own = root || schema['x-kubernetes-embedded-resource'] === true;
  const draft = new Draft(value);
  for (const name of Object.keys(value)) {
    // Metadata is read as ObjectMeta elsewhere.
    if (own && OBJECT_FIELDS.has(name)) continue;
    const inner = propertyOf(schema, name) ?? valueSchema(schema);
    if (inner) draft.set(name, prune(value[name]!, inner, inner['x-kubernetes-embedded-resource'] === true, unknown, child(path, name)));
    // What is kept without a schema is kept whole.
    else if (!keeps) {
      unknown(child(path, name));
      draft.drop(name);
    }
  }
  return draft.result;
}

const propertyOf = ({ properties }: Schema, name: string): Schema | undefined => (properties && Object.hasOwn(properties, name) ? properties[name] : undefined);

/** Fills in defaults and drops nulls where none may be, from the outside in, so that defaults may have defaults. */
export function fillDefaults(value: Json, schema: Schema): Json {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items) return value;
    return mapped(value, (each) => fillDefaults(each === null && items.nullable !== true && items.default !== undefined ? items.default : each, items));
  }
  if (!isPlainObject(value)) return value;
  const draft = new Draft(value);
  const fill = (name: string, before: Json | undefined, inner: Schema): void => {
    const missing = before === undefined || (before === null && inner.nullable !== true);
    const given = missing ? inner.default : before;
    if (given !== undefined) draft.set(name, fillDefaults(given, inner));
    // A null that may not be counts as nothing.
    else if (before === null) draft.drop(name);
  };
  for (const [name, property] of Object.entries(schema.properties ?? {})) fill(name, Object.hasOwn(value, name) ? value[name] : undefined, property);
  const values = valueSchema(schema);
  if (values) for (const name of Object.keys(value)) if (!propertyOf(schema, name)) fill(name, value[name], values);
  return draft.result;
}
