/** What makes a schema structural (apiextensions-apiserver `pkg/apiserver/schema/validation.go`). */
import { goRegex, RegexError } from '../cel/regex.ts';
import { errorText, type FieldError, forbidden, invalid, required, sameJson } from '../validation/field.ts';
import { type Schema, valueSchema } from './schema.ts';

type Level = 'root' | 'item' | 'field';
const INT_OR_STRING = [{ type: 'integer' }, { type: 'string' }];
const EMPTY: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

export function structuralErrors(schema: Schema, path: string): FieldError[] {
  const errors = [...invariants(schema, 'root', path), ...completeness(schema, path)];
  return errors.sort((a, b) => (errorText(a) < errorText(b) ? -1 : 1));
}

function invariants(s: Schema, level: Level, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const embedded = s['x-kubernetes-embedded-resource'] === true;
  const keeps = s['x-kubernetes-preserve-unknown-fields'] === true;
  const intOrString = s['x-kubernetes-int-or-string'] === true;
  if (s.type === 'array' && !s.items) errors.push(required(`${path}.items`, 'must be specified'));
  if (s.items) errors.push(...invariants(s.items, 'item', `${path}.items`));
  for (const [name, inner] of Object.entries(s.properties ?? {})) errors.push(...invariants(inner, 'field', `${path}.properties[${name}]`));
  const values = valueSchema(s);
  if (s.additionalProperties !== undefined && level === 'root') errors.push(forbidden(`${path}.additionalProperties`, 'must not be used at the root'));
  if (values) errors.push(...invariants(values, 'field', `${path}.additionalProperties`));
  if (intOrString && keeps) errors.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, true, 'must be false if x-kubernetes-int-or-string is true'));
  if (intOrString && embedded) errors.push(invalid(`${path}.x-kubernetes-embedded-resource`, true, 'must be false if x-kubernetes-int-or-string is true'));
  const pattern = (list: readonly Schema[] | undefined) => intOrString && sameJson(list, INT_OR_STRING);
  errors.push(...valueValidation(s, pattern(s.anyOf), pattern(s.allOf?.[0]?.anyOf), level, path));
  const checksMeta = level === 'root' || embedded;
  if (embedded && s.type !== 'object')
    errors.push(
      s.type
        ? invalid(`${path}.type`, s.type, 'must be object if x-kubernetes-embedded-resource is true')
        : required(`${path}.type`, 'must be object if x-kubernetes-embedded-resource is true'),
    );
  else if (!s.type && !intOrString && !keeps) errors.push(required(`${path}.type`, EMPTY[level]));
  if (embedded && s.additionalProperties !== undefined)
    errors.push(forbidden(`${path}.additionalProperties`, 'must not be used if x-kubernetes-embedded-resource is set'));
  if (level === 'root' && s.type && s.type !== 'object') errors.push(invalid(`${path}.type`, s.type, 'must be object at the root'));
  for (const name of ['kind', 'apiVersion']) {
    const property = s.properties?.[name];
    if (checksMeta && property && property.type !== 'string') errors.push(invalid(`${path}.properties[${name}].type`, property.type ?? '', 'must be string'));
  }
  const metadata = s.properties?.['metadata'];
  if (metadata && checksMeta) {
    if (metadata.type !== 'object') errors.push(invalid(`${path}.properties[metadata].type`, metadata.type ?? '', 'must be object'));
    if (level === 'root' && !onlyNames(metadata))
      errors.push(
        forbidden(`${path}.properties[metadata]`, 'must not specify anything other than name and generateName, but metadata is implicitly specified'),
      );
  }
  if (embedded && !keeps && Object.keys(s.properties ?? {}).length === 0)
    errors.push(required(`${path}.properties`, 'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'));
  return errors;
}

/** Root metadata may say something about the name and nothing else. */
function onlyNames(metadata: Schema): boolean {
  const { type: _t, description: _d, properties, default: _f, ...rest } = metadata;
  return Object.keys(rest).length === 0 && Object.keys(properties ?? {}).every((name) => name === 'name' || name === 'generateName');
}

function valueValidation(s: Schema, skipAnyOf: boolean, skipFirst: boolean, level: Level, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!skipAnyOf) s.anyOf?.forEach((each, i) => errors.push(...nested(each, false, level, `${path}.anyOf[${i}]`)));
  s.allOf?.forEach((each, i) => errors.push(...nested(each, skipFirst && i === 0, level, `${path}.allOf[${i}]`)));
  s.oneOf?.forEach((each, i) => errors.push(...nested(each, false, level, `${path}.oneOf[${i}]`)));
  if (s.not) errors.push(...nested(s.not, false, level, `${path}.not`));
  if (s.pattern) {
    try {
      goRegex(s.pattern);
    } catch (error) {
      if (!(error instanceof RegexError)) throw error;
      errors.push(invalid(`${path}.pattern`, s.pattern, `must be a valid regular expression, but isn't: ${error.message}`));
    }
  }
  return errors;
}

const FORBIDDEN: readonly (readonly [keyof Schema, string])[] = [
  ['type', 'must be empty to be structural'],
  ['additionalProperties', 'must be undefined to be structural'],
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['externalDocs', 'must be undefined to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
];

/** Below a junctor there may be conditions only, no structure. */
function nested(v: Schema, skipAnyOf: boolean, level: Level, path: string): FieldError[] {
  const errors = valueValidation(v, skipAnyOf, false, level, path);
  if (v.items) errors.push(...nested(v.items, false, level, `${path}.items`));
  for (const [name, inner] of Object.entries(v.properties ?? {})) errors.push(...nested(inner, false, 'field', `${path}.properties[${name}]`));
  for (const [name, why] of FORBIDDEN) {
    const value = v[name];
    if (value !== undefined && value !== false && value !== '') errors.push(forbidden(`${path}.${name}`, why));
  }
  if (v.properties?.['metadata']) errors.push(forbidden(`${path}.properties[metadata]`, 'must not be specified in a nested context'));
  return errors;
}

/** What a condition speaks of must exist outside of it. */
function completeness(s: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const check = (v: Schema | undefined, vPath: string): void => {
    if (v) errors.push(...nestedCompleteness(v, s, path, vPath));
  };
  for (const junctor of ['allOf', 'anyOf', 'oneOf'] as const) s[junctor]?.forEach((each, i) => check(each, `${path}.${junctor}[${i}]`));
  check(s.not, `${path}.not`);
  if (s.items) errors.push(...completeness(s.items, `${path}.items`));
  for (const [name, inner] of Object.entries(s.properties ?? {})) errors.push(...completeness(inner, `${path}.properties[${name}]`));
  const values = valueSchema(s);
  if (values) errors.push(...completeness(values, `${path}.additionalProperties`));
  return errors;
}

function nestedCompleteness(v: Schema, s: Schema | undefined, sPath: string, vPath: string): FieldError[] {
  if (!s) return [required(sPath, `because it is defined in ${vPath}`)];
  const errors: FieldError[] = [];
  for (const junctor of ['allOf', 'anyOf', 'oneOf'] as const)
    v[junctor]?.forEach((each, i) => errors.push(...nestedCompleteness(each, s, sPath, `${vPath}.${junctor}[${i}]`)));
  if (v.not) errors.push(...nestedCompleteness(v.not, s, sPath, `${vPath}.not`));
  if (v.items) errors.push(...nestedCompleteness(v.items, s.items, `${sPath}.items`, `${vPath}.items`));
  for (const [name, inner] of Object.entries(v.properties ?? {}))
    errors.push(...nestedCompleteness(inner, s.properties?.[name], `${sPath}.properties[${name}]`, `${vPath}.properties[${name}]`));
  return errors;
}
