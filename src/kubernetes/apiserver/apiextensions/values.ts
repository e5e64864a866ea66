/**
 * Whether a value is what its schema says (kube-openapi `pkg/validation/validate`, apiextensions-apiserver
 * `pkg/apiserver/validation`), in their words. With an old value, what was wrong and has not changed is let pass
 * (ratcheting, KEP-4008).
 */
import type { Json } from '../../api/json.ts';
import { dns1123SubdomainErrors } from '../../api/names.ts';
import { goRegex } from '../cel/regex.ts';
import { parseDuration, parseTimestamp } from '../cel/time.ts';
import { bytesOfBase64 } from '../cel/values.ts';
import { duplicate, type FieldError, invalid, notSupported, required, sameJson, tooMany } from '../validation/field.ts';
import { child, isPlainObject, keyed, type Schema, valueSchema } from './schema.ts';

/** The type of a JSON value as kube-openapi names it. */
export const typeOf = (value: Json | undefined): string =>
  value === null || value === undefined
    ? 'null'
    : Array.isArray(value)
      ? 'array'
      : typeof value === 'number'
        ? Number.isInteger(value)
          ? 'integer'
          : 'number'
        : typeof value;

const label = (path: string): string => (path === '' ? '' : path);
const said = (path: string, text: string): string => `${label(path)} in body ${text}`;
const typeInvalid = (path: string, type: string, given: string): FieldError => ({
  type: 'FieldValueTypeInvalid',
  field: path === '' ? '<nil>' : path,
  badValue: given,
  detail: said(path, `must be of type ${type}: ${JSON.stringify(given)}`),
});
const at = (path: string): string => (path === '' ? '<nil>' : path);

/** The errors of `value`; `old` is what stood there before, undefined when nothing comparable did. */
export function validateValue(value: Json, schema: Schema, path: string, old: Json | undefined): FieldError[] {
  const errors = own(value, schema, path);
  const unchanged = errors.length > 0 && old !== undefined && sameJson(value, old);
  const found = unchanged ? [] : errors;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items) {
      const before = correlated(schema, old);
      value.forEach((each, i) => {
        const was = before(each, i) ?? (unchangedPart(old, value) ? each : undefined);
        found.push(...validateValue(each, items, keyed(path, i), was));
      });
    }
  } else if (isPlainObject(value)) {
    const was = isPlainObject(old) ? old : {};
    const values = valueSchema(schema);
    for (const name of Object.keys(value)) {
      const property = schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
      const inner = property ?? values;
      if (inner) found.push(...validateValue(value[name]!, inner, child(path, name), was[name]));
    }
  }
  return found;
}

const unchangedPart = (old: Json | undefined, value: Json): boolean => old !== undefined && sameJson(old, value);

/** How the items of a list find what they were before: by key in a map list, by nothing else. */
export function correlated(schema: Schema, old: Json | undefined): (item: Json, index: number) => Json | undefined {
  if (schema['x-kubernetes-list-type'] !== 'map' || !Array.isArray(old)) return () => undefined;
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  return (item) =>
    isPlainObject(item) ? old.find((each: Json) => isPlainObject(each) && keys.every((key) => sameJson(each[key] ?? null, item[key] ?? null))) : undefined;
}

/** The errors of this value itself, not of what is in it. */
function own(value: Json, schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const type = typeOf(value);
  if (value === null) {
    if (schema.nullable === true) return errors;
    if (schema['x-kubernetes-int-or-string']) return [typeInvalid(path, 'integer,string', 'null')];
    return schema.type ? [typeInvalid(path, schema.type, 'null')] : errors;
  }
  if (schema['x-kubernetes-int-or-string'] && type !== 'integer' && type !== 'string') return [typeInvalid(path, 'integer,string', type)];
  if (schema.type && schema.type !== type && !(schema.type === 'number' && type === 'integer')) return [typeInvalid(path, schema.type, type)];
  if (typeof value === 'string') errors.push(...ofString(value, schema, path));
  else if (typeof value === 'number') errors.push(...ofNumber(value, schema, path));
  else if (Array.isArray(value)) errors.push(...ofList(value, schema, path));
  else if (isPlainObject(value)) errors.push(...ofObject(value, schema, path));
  if (schema.enum && !schema.enum.some((each) => sameJson(each, value)))
    errors.push(
      notSupported(
        at(path),
        value,
        schema.enum.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))),
      ),
    );
  errors.push(...junctors(value, schema, path));
  return errors;
}

const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  'date-time': (text) => parseTimestamp(text) !== undefined,
  datetime: (text) => parseTimestamp(text) !== undefined,
  date: (text) => parseTimestamp(`${text}T00:00:00Z`) !== undefined,
  duration: (text) => parseDuration(text) !== undefined,
  byte: (text) => bytesOfBase64(text) !== undefined,
  uuid: (text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
  uri: (text) => /^(?:[A-Za-z][A-Za-z0-9+.-]*:\S+|\/\S*)$/.test(text),
  email: (text) => /^[^@\s<>]+@[^@\s<>]+$/.test(text),
  hostname: (text) => text.length <= 253 && dns1123SubdomainErrors(text.toLowerCase()).length === 0,
  ipv4: (text) => /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text),
  ipv6: (text) => text.includes(':') && /^[0-9A-Fa-f:.]+$/.test(text) && text.split('::').length <= 2 && text.split(':').length <= 8,
  cidr: (text) => /^[0-9A-Fa-f:.]+\/\d{1,3}$/.test(text),
  mac: (text) => /^(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$/.test(text),
};

function ofString(value: string, schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const length = [...value].length;
  if (schema.maxLength !== undefined && length > schema.maxLength)
    errors.push({ type: 'FieldValueTooLong', field: at(path), badValue: value, detail: `may not be more than ${schema.maxLength} bytes` });
  if (schema.minLength !== undefined && length < schema.minLength)
    errors.push(invalid(at(path), value, said(path, `should be at least ${schema.minLength} chars long`)));
  if (schema.pattern !== undefined && !goRegex(schema.pattern).test(value))
    errors.push(invalid(at(path), value, said(path, `should match '${schema.pattern}'`)));
  const format = schema.format === undefined ? undefined : FORMATS[schema.format];
  if (format && !format(value))
    errors.push({
      type: 'FieldValueTypeInvalid',
      field: at(path),
      badValue: value,
      detail: said(path, `must be of type ${schema.format}: ${JSON.stringify(value)}`),
    });
  return errors;
}

function ofNumber(value: number, schema: Schema, path: string): FieldError[] {
  const { maximum, minimum, multipleOf } = schema;
  const wrong = (text: string): FieldError => invalid(at(path), value, said(path, text));
  const errors: FieldError[] = [];
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf)) errors.push(wrong(`should be a multiple of ${multipleOf}`));
  if (maximum !== undefined && (schema.exclusiveMaximum ? value >= maximum : value > maximum))
    errors.push(wrong(`should be less than${schema.exclusiveMaximum ? '' : ' or equal to'} ${maximum}`));
  if (minimum !== undefined && (schema.exclusiveMinimum ? value <= minimum : value < minimum))
    errors.push(wrong(`should be greater than${schema.exclusiveMinimum ? '' : ' or equal to'} ${minimum}`));
  return errors;
}

function ofList(value: readonly Json[], schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (schema.maxItems !== undefined && value.length > schema.maxItems) errors.push(tooMany(at(path), value.length, schema.maxItems));
  if (schema.minItems !== undefined && value.length < schema.minItems)
    errors.push(invalid(at(path), value.length, said(path, `should have at least ${schema.minItems} items`)));
  if (schema.uniqueItems && value.some((each, i) => value.slice(0, i).some((other) => sameJson(other, each))))
    errors.push(invalid(at(path), '', said(path, "shouldn't contain duplicates")));
  const kind = schema['x-kubernetes-list-type'];
  if (kind === 'set')
    value.forEach((each, i) => {
      if (value.slice(0, i).some((other) => sameJson(other, each))) errors.push(duplicate(keyed(path, i), each));
    });
  if (kind === 'map') {
    const keys = schema['x-kubernetes-list-map-keys'] ?? [];
    const keyOf = (item: Json): Record<string, Json> => {
      const found: Record<string, Json> = {};
      if (isPlainObject(item)) for (const key of keys) if (item[key] !== undefined) found[key] = item[key]!;
      return found;
    };
    const all = value.map(keyOf);
    all.forEach((key, i) => {
      if (all.slice(0, i).some((other) => sameJson(other, key))) errors.push(duplicate(keyed(path, i), key));
    });
  }
  return errors;
}

function ofObject(value: Readonly<Record<string, Json>>, schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const size = Object.keys(value).length;
  if (schema.minProperties !== undefined && size < schema.minProperties)
    errors.push(invalid(at(path), schema.minProperties, said(path, `should have at least ${schema.minProperties} properties`)));
  if (schema.maxProperties !== undefined && size > schema.maxProperties) errors.push(tooMany(at(path), size, schema.maxProperties));
  for (const name of schema.required ?? []) if (!Object.hasOwn(value, name)) errors.push(required(child(path, name)));
  if (schema.additionalProperties === false)
    for (const name of Object.keys(value)) {
      if (!schema.properties || !Object.hasOwn(schema.properties, name))
        errors.push(invalid(child(path, name), '', said(child(path, name), 'is a forbidden property')));
    }
  return errors;
}

/** `allOf`, `anyOf`, `oneOf`, `not`. What fails of them is told at the root, as kube-openapi's composite errors have no place. */
function junctors(value: Json, schema: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const composite = (text: string): FieldError => invalid('<nil>', '', `${JSON.stringify(path)} ${text}`);
  const check = (inner: Schema): FieldError[] => validateValue(value, inner, path, undefined);
  for (const inner of schema.allOf ?? []) errors.push(...check(inner));
  if (schema.anyOf && schema.anyOf.length > 0) {
    const results = schema.anyOf.map(check);
    if (!results.some((result) => result.length === 0)) errors.push(composite('must validate at least one schema (anyOf)'), ...fewest(results));
  }
  if (schema.oneOf && schema.oneOf.length > 0) {
    const results = schema.oneOf.map(check);
    const valid = results.filter((result) => result.length === 0).length;
    if (valid === 0) errors.push(composite('must validate one and only one schema (oneOf). Found none valid'), ...fewest(results));
    else if (valid > 1) errors.push(composite(`must validate one and only one schema (oneOf). Found ${valid} valid alternatives`));
  }
  if (schema.not && check(schema.not).length === 0) errors.push(composite('must not validate the schema (not)'));
  return errors;
}

/** The errors of the alternative that came nearest. */
const fewest = (results: readonly FieldError[][]): FieldError[] => results.reduce((best, each) => (each.length < best.length ? each : best), results[0] ?? []);
