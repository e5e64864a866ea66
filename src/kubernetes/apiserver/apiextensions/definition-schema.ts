/** What is refused of a definition's schema (`ValidateCustomResourceDefinitionOpenAPISchema`). */
import type { Json } from '../../api/json.ts';
import { type FieldError, forbidden, invalid, notSupported, required, sameJson } from '../validation/field.ts';
import { prune } from './fill.ts';
import { ruleErrors } from './rules.ts';
import { isPlainObject, OBJECT_FIELDS, type Schema, valueSchema } from './schema.ts';
import { structuralErrors } from './structural.ts';
import { validateValue } from './values.ts';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const AT_ROOT = new Set([
  'description',
  'type',
  'format',
  'title',
  'maximum',
  'exclusiveMaximum',
  'minimum',
  'exclusiveMinimum',
  'maxLength',
  'minLength',
  'pattern',
  'maxItems',
  'minItems',
  'uniqueItems',
  'multipleOf',
  'required',
  'items',
  'properties',
  'externalDocs',
  'example',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
]);
const AT_ROOT_TEXT =
  'only [Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations] fields are allowed at the root of the schema if the status subresource is enabled';
const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];

interface Where {
  readonly root: boolean;
  readonly meta: boolean;
  /** Why defaults are forbidden here. */
  readonly noDefaults: string | undefined;
  /** The first ancestor whose parts cannot be told apart between two states. */
  readonly uncorrelated: string | undefined;
  /** Below a junctor no rules are compiled. */
  readonly rules: boolean;
}

export function schemaErrors(schema: Schema, path: string, status: boolean): FieldError[] {
  const errors: FieldError[] = [];
  if (status) {
    if (schema.type !== undefined && schema.type !== 'object')
      errors.push(invalid(`${path}.type`, schema.type, 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'));
    else if (Object.keys(schema).some((name) => !AT_ROOT.has(name))) errors.push(invalid(path, schema, AT_ROOT_TEXT));
  }
  if (schema.nullable) errors.push(forbidden(`${path}.nullable`, 'nullable cannot be true at the root'));
  const structural = structuralErrors(schema, path);
  errors.push(...structural);
  if (structural.length === 0) errors.push(...defaultErrors(schema, path));
  errors.push(...nodeErrors(schema, path, { root: true, meta: false, noDefaults: undefined, uncorrelated: undefined, rules: errors.length === 0 }));
  return errors;
}

function nodeErrors(s: Schema, path: string, where: Where): FieldError[] {
  const errors: FieldError[] = [];
  const inner = { ...where, root: false };
  if (s.type !== undefined && s.type !== '' && !TYPES.includes(s.type) && s.type !== 'null') errors.push(notSupported(`${path}.type`, s.type, TYPES));
  if (s.type === 'null') errors.push(forbidden(`${path}.type`, 'type cannot be set to null, use nullable as an alternative'));
  if (s.default !== undefined && where.noDefaults !== undefined) errors.push(forbidden(`${path}.default`, `must not be set ${where.noDefaults}`));
  for (const name of ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'])
    if ((s as Readonly<Record<string, unknown>>)[name] !== undefined) errors.push(forbidden(`${path}.${name}`, `${name} is not supported`));
  if (Array.isArray(s.items)) errors.push(forbidden(`${path}.items`, 'items must be a schema object and not an array'));
  if (where.meta && s['x-kubernetes-embedded-resource'])
    errors.push(forbidden(`${path}.x-kubernetes-embedded-resource`, 'must not be used inside of resource meta'));
  if (s.uniqueItems) errors.push(forbidden(`${path}.uniqueItems`, 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'));
  const values = valueSchema(s);
  if (s.additionalProperties !== undefined && s.additionalProperties !== true && Object.keys(s.properties ?? {}).length > 0)
    errors.push(forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'));
  if (values)
    errors.push(
      ...nodeErrors(
        values,
        `${path}.additionalProperties`,
        where.meta ? { ...inner, noDefaults: 'inside additionalProperties applying to object metadata' } : inner,
      ),
    );
  for (const [name, property] of Object.entries(s.properties ?? {})) {
    const ofObject = (where.root || s['x-kubernetes-embedded-resource'] === true) && OBJECT_FIELDS.has(name);
    errors.push(
      ...nodeErrors(property, `${path}.properties[${name}]`, {
        ...inner,
        meta: where.meta || ofObject,
        noDefaults: ofObject && where.root ? `in top-level ${name}` : where.noDefaults,
        uncorrelated: where.uncorrelated ?? (s['x-kubernetes-map-type'] === 'atomic' ? path : undefined),
      }),
    );
  }
  if (s.not) errors.push(...nodeErrors(s.not, `${path}.not`, { ...inner, rules: false }));
  for (const junctor of ['allOf', 'oneOf', 'anyOf'] as const)
    s[junctor]?.forEach((each, i) => errors.push(...nodeErrors(each, `${path}.${junctor}[${i}]`, { ...inner, rules: false })));
  if (s.items && !Array.isArray(s.items))
    errors.push(
      ...nodeErrors(s.items, `${path}.items`, { ...inner, uncorrelated: where.uncorrelated ?? (s['x-kubernetes-list-type'] === 'map' ? undefined : path) }),
    );
  errors.push(...extensionErrors(s, path));
  errors.push(...ruleTextErrors(s, path));
  if (where.rules && errors.length === 0 && (s['x-kubernetes-validations']?.length ?? 0) > 0)
    errors.push(...ruleErrors(s, where.root || s['x-kubernetes-embedded-resource'] === true, path, where.uncorrelated));
  return errors;
}

function extensionErrors(s: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const keeps = s['x-kubernetes-preserve-unknown-fields'];
  const mapType = s['x-kubernetes-map-type'];
  const listType = s['x-kubernetes-list-type'];
  const keys = s['x-kubernetes-list-map-keys'] ?? [];
  const must = (type: string, text: string): void => {
    if (s.type !== type) errors.push(s.type ? invalid(`${path}.type`, s.type, text) : required(`${path}.type`, text));
  };
  if (keeps === false) errors.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'));
  if (mapType !== undefined) {
    must('object', 'must be object if x-kubernetes-map-type is specified');
    if (mapType !== 'atomic' && mapType !== 'granular') errors.push(notSupported(`${path}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']));
  }
  if (listType !== undefined) {
    must('array', 'must be array if x-kubernetes-list-type is specified');
    if (!['atomic', 'set', 'map'].includes(listType)) errors.push(notSupported(`${path}.x-kubernetes-list-type`, listType, ['atomic', 'set', 'map']));
  }
  const { items } = s;
  if (listType === 'set' && s.type === 'array' && items) {
    const text = 'must be atomic as item of a list with x-kubernetes-list-type=set';
    if (items.type === 'array' && (items['x-kubernetes-list-type'] ?? 'atomic') !== 'atomic')
      errors.push(invalid(`${path}.items.x-kubernetes-list-type`, items['x-kubernetes-list-type'], text));
    if (items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic') errors.push(invalid(`${path}.items.x-kubernetes-map-type`, null, text));
  }
  if (keys.length > 0 && listType !== 'map') {
    const text = 'must be map if x-kubernetes-list-map-keys is non-empty';
    errors.push(listType === undefined ? required(`${path}.x-kubernetes-list-type`, text) : invalid(`${path}.x-kubernetes-list-type`, listType, text));
  }
  if (listType === 'map') {
    if (keys.length === 0) errors.push(required(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'));
    if (!items) errors.push(required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map'));
    else if (items.type !== 'object')
      errors.push(invalid(`${path}.items.type`, items.type ?? '', "must be object if parent array's x-kubernetes-list-type is map"));
    else
      keys.forEach((key, i) => {
        const property = items.properties?.[key];
        if (!property) errors.push(invalid(`${path}.x-kubernetes-list-map-keys`, keys, 'entries must all be names of item properties'));
        else if (property.type === 'array' || property.type === 'object')
          errors.push(invalid(`${path}.items.properties[${key}].type`, items.type, "must be a scalar type if parent array's x-kubernetes-list-type is map"));
        else if (!items.required?.includes(key) && property.default === undefined)
          errors.push(
            required(
              `${path}.items.properties[${key}].default`,
              'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
            ),
          );
        if (property?.nullable)
          errors.push(forbidden(`${path}.items.properties[${key}].nullable`, 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable'));
        if (keys.indexOf(key) !== i) errors.push(invalid(`${path}.x-kubernetes-list-map-keys`, keys, 'must not contain duplicate entries'));
      });
  }
  if ((listType === 'map' || listType === 'set') && items?.nullable)
    errors.push(forbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${listType}`));
  return errors;
}

function ruleTextErrors(s: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  s['x-kubernetes-validations']?.forEach((rule, i) => {
    const at = `${path}.x-kubernetes-validations[${i}]`;
    const [text, message] = [(rule.rule ?? '').trim(), (rule.message ?? '').trim()];
    if (text === '') errors.push(required(`${at}.rule`, 'rule is not specified'));
    else if (rule.message && message === '') errors.push(invalid(`${at}.message`, rule.message, 'must be non-empty if specified'));
    else if (/[\n\r]/.test(message)) errors.push(invalid(`${at}.message`, rule.message, 'must not contain line breaks'));
    else if (/[\n\r]/.test(text) && message === '') errors.push(required(`${at}.message`, 'message must be specified if rule contains line breaks'));
    if (rule.messageExpression && rule.messageExpression.trim() === '')
      errors.push(required(`${at}.messageExpression`, 'messageExpression must be non-empty if specified'));
    if (rule.reason !== undefined && !REASONS.includes(rule.reason)) errors.push(notSupported(`${at}.reason`, rule.reason, REASONS));
    if (rule.fieldPath) {
      if (rule.fieldPath.trim() === '') errors.push(invalid(`${at}.fieldPath`, rule.fieldPath, 'must be non-empty if specified'));
      if (/[\n\r]/.test(rule.fieldPath)) errors.push(invalid(`${at}.fieldPath`, rule.fieldPath, 'must not contain line breaks'));
      else if (!leadsSomewhere(s, rule.fieldPath)) errors.push(invalid(`${at}.fieldPath`, rule.fieldPath, 'must be a valid path'));
    }
  });
  return errors;
}

/** `.spec.a['b']` through the schema. */
function leadsSomewhere(schema: Schema, path: string): boolean {
  const steps = path.match(/^(?:\.[^.[\]]+|\['(?:[^'\\]|\\.)*'\])+$/)
    ? [...path.matchAll(/\.([^.[\]]+)|\['((?:[^'\\]|\\.)*)'\]/g)].map((m) => m[1] ?? m[2] ?? '')
    : undefined;
  if (!steps) return false;
  let at: Schema | undefined = schema;
  for (const step of steps) at = at?.properties ? at.properties[step] : at && valueSchema(at);
  return at !== undefined;
}

/** Defaults are values of their own schema, without unknown fields. */
function defaultErrors(s: Schema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (s.default !== undefined) {
    const at = `${path}.default`;
    errors.push(...validateValue(s.default, s, at, undefined));
    const pruned = prune(s.default, s, s['x-kubernetes-embedded-resource'] === true, () => {}) as Json;
    if (isPlainObject(s.default) && !sameJson(pruned, s.default)) errors.push(invalid(at, s.default, 'must be pruned'));
  }
  if (s.items) errors.push(...defaultErrors(s.items, `${path}.items`));
  for (const [name, property] of Object.entries(s.properties ?? {})) errors.push(...defaultErrors(property, `${path}.properties[${name}]`));
  const values = valueSchema(s);
  if (values) errors.push(...defaultErrors(values, `${path}.additionalProperties`));
  return errors;
}
