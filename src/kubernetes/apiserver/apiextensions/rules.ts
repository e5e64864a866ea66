/**
 * `x-kubernetes-validations` (apiextensions-apiserver `pkg/apiserver/schema/cel`): CEL types from structural schemas, rules compiled
 * once per schema, and run over a value and, for transition rules, what it was before.
 */
import type { Json } from '../../api/json.ts';
import { CelCompileError, CelEvaluationError, type CelProgram, compile } from '../cel/environment.ts';
import { BOOL, BYTES, type CelType, DOUBLE, DURATION, DYN, type Field, INT, listOf, mapOf, optionalOf, STRING, TIMESTAMP } from '../cel/types.ts';
import { Optional } from '../cel/values.ts';
import { type FieldError, forbidden, invalid, required, sameJson } from '../validation/field.ts';
import { child, isPlainObject, keyed, type Schema, type ValidationRule, valueSchema } from './schema.ts';
import { correlated } from './values.ts';

const RESERVED = new Set('true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' '));

/** A property's name as expressions write it; undefined when they cannot (apiserver `pkg/cel/escaping.go`). */
export function escapeName(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`;
  if (!/^[A-Za-z_][\w./-]*$/.test(name)) return undefined;
  return name.replaceAll('__', '__underscores__').replaceAll('.', '__dot__').replaceAll('-', '__dash__').replaceAll('/', '__slash__');
}

const META: CelType = {
  kind: 'object',
  name: 'object.metadata',
  fields: { name: { name: 'name', type: STRING }, generateName: { name: 'generateName', type: STRING } },
};

/** The type of a value with this schema; undefined when expressions cannot see it (unknown fields, no type). */
export function celTypeOf(schema: Schema, root: boolean, name: string): CelType | undefined {
  if (schema['x-kubernetes-int-or-string']) return DYN;
  switch (schema.type) {
    case 'boolean':
      return BOOL;
    case 'integer':
      return INT;
    case 'number':
      return DOUBLE;
    case 'string':
      return schema.format === 'byte'
        ? BYTES
        : schema.format === 'duration'
          ? DURATION
          : schema.format === 'date' || schema.format === 'date-time'
            ? TIMESTAMP
            : STRING;
    case 'array': {
      const element = schema.items && celTypeOf(schema.items, schema.items['x-kubernetes-embedded-resource'] === true, `${name}.@idx`);
      return element && listOf(element);
    }
    case 'object': {
      const values = valueSchema(schema);
      if (values) {
        const value = celTypeOf(values, values['x-kubernetes-embedded-resource'] === true, `${name}.@elem`);
        return value && mapOf(STRING, value);
      }
      const fields: Record<string, Field> = {};
      for (const [property, inner] of Object.entries(schema.properties ?? {})) {
        const type = celTypeOf(inner, inner['x-kubernetes-embedded-resource'] === true, `${name}.${property}`);
        const escaped = escapeName(property);
        if (type && escaped !== undefined) fields[escaped] = { name: property, type };
      }
      if (root || schema['x-kubernetes-embedded-resource']) {
        fields['apiVersion'] = { name: 'apiVersion', type: STRING };
        fields['kind'] = { name: 'kind', type: STRING };
        fields['metadata'] = { name: 'metadata', type: META };
      }
      return { kind: 'object', name, fields };
    }
    default:
      return undefined;
  }
}

interface Compiled {
  readonly rule: ValidationRule;
  readonly program: CelProgram | undefined;
  readonly message: CelProgram | undefined;
  readonly usesOld: boolean;
  readonly error?: string;
  readonly messageError?: string;
}

const compiled = new WeakMap<Schema, readonly Compiled[]>();

/** The rules of one node of a schema. */
function compileRules(schema: Schema, root: boolean): readonly Compiled[] {
  const had = compiled.get(schema);
  if (had) return had;
  const rules = schema['x-kubernetes-validations'] ?? [];
  const type = rules.length > 0 ? celTypeOf(schema, root, 'object') : undefined;
  const made = rules.map((rule): Compiled => {
    const typed = { self: type ?? DYN, oldSelf: rule.optionalOldSelf ? optionalOf(type ?? DYN) : (type ?? DYN) };
    const attempt = (text: string, returns: 'bool' | 'string'): { program?: CelProgram; error?: string } => {
      try {
        return { program: compile(text, { variables: [], typed, returns }) };
      } catch (error) {
        if (!(error instanceof CelCompileError)) throw error;
        return {
          error: /^must evaluate/.test(error.message)
            ? returns === 'bool'
              ? 'cel expression must evaluate to a bool'
              : 'messageExpression must evaluate to a string'
            : error.message,
        };
      }
    };
    const main = attempt((rule.rule ?? '').trim(), 'bool');
    const message = rule.messageExpression ? attempt(rule.messageExpression.trim(), 'string') : {};
    return {
      rule,
      program: main.program,
      message: message.program,
      usesOld: (main.program?.uses.has('oldSelf') ?? false) || (message.program?.uses.has('oldSelf') ?? false),
      ...(main.error !== undefined ? { error: main.error } : {}),
      ...(message.error !== undefined ? { messageError: message.error.replace(/^compilation failed/, 'messageExpression compilation failed') } : {}),
    };
  });
  compiled.set(schema, made);
  return made;
}

/** What is wrong with the rules of one node, told when the definition is written. */
export function ruleErrors(schema: Schema, root: boolean, path: string, uncorrelated: string | undefined): FieldError[] {
  const errors: FieldError[] = [];
  compileRules(schema, root).forEach((each, i) => {
    const place = `${path}.x-kubernetes-validations[${i}]`;
    if (each.error !== undefined) errors.push(invalid(`${place}.rule`, each.rule, each.error));
    if (each.messageError !== undefined) errors.push(invalid(`${place}.messageExpression`, each.rule, each.messageError));
    if (each.usesOld && uncorrelated !== undefined)
      errors.push(invalid(`${place}.rule`, each.rule.rule, `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`));
    if (!each.usesOld && each.rule.optionalOldSelf !== undefined)
      errors.push(invalid(`${place}.optionalOldSelf`, each.rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'));
  });
  return errors;
}

const hasRules = new WeakMap<Schema, boolean>();
/** Does a schema have rules anywhere? Most branches have none and are not walked. */
export function anyRules(schema: Schema): boolean {
  const known = hasRules.get(schema);
  if (known !== undefined) return known;
  const inner = [schema.items, valueSchema(schema), ...Object.values(schema.properties ?? {})];
  const found = (schema['x-kubernetes-validations']?.length ?? 0) > 0 || inner.some((each) => each !== undefined && anyRules(each));
  hasRules.set(schema, found);
  return found;
}

/** Runs every rule that applies. `old` is what stood in the same place, undefined when nothing comparable did; `warn` hears of what is let pass because it was so before. */
export function runRules(value: Json, schema: Schema, root: boolean, path: string, old: Json | undefined, warn: (error: FieldError) => void): FieldError[] {
  if (value === null || !anyRules(schema)) return [];
  const errors: FieldError[] = [];
  for (const each of compileRules(schema, root)) errors.push(...runRule(each, value, schema, path, old, warn));
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items) return errors;
    const before = correlated(schema, old);
    const same = old !== undefined && sameJson(old, value);
    value.forEach((each, i) => {
      const pass = same ? warn : undefined;
      errors.push(...letPass(runRules(each, items, items['x-kubernetes-embedded-resource'] === true, keyed(path, i), before(each, i), warn), pass));
    });
    return errors;
  }
  if (!isPlainObject(value)) return errors;
  const was = isPlainObject(old) && schema['x-kubernetes-map-type'] !== 'atomic' ? old : {};
  const values = valueSchema(schema);
  for (const name of Object.keys(value)) {
    const property = schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    const inner = property ?? values;
    if (inner)
      errors.push(
        ...runRules(value[name]!, inner, inner['x-kubernetes-embedded-resource'] === true, property ? child(path, name) : keyed(path, name), was[name], warn),
      );
  }
  return errors;
}

const letPass = (errors: FieldError[], warn: ((error: FieldError) => void) | undefined): FieldError[] => {
  if (!warn) return errors;
  for (const error of errors) warn(error);
  return [];
};

function runRule(
  { rule, program, message, usesOld, error }: Compiled,
  value: Json,
  schema: Schema,
  path: string,
  old: Json | undefined,
  warn: (error: FieldError) => void,
): FieldError[] {
  const place = path === '' ? '<nil>' : path;
  if (!program) return error === undefined ? [] : [invalid(place, schema.type, `rule compile error: ${error}`)];
  if (usesOld && old === undefined && rule.optionalOldSelf !== true) return [];
  const text = rule.message ? rule.message.trim() : (rule.rule ?? '').trim();
  const bindings = { self: value, oldSelf: rule.optionalOldSelf ? (old === undefined ? Optional.NONE : new Optional(old)) : (old ?? null) };
  try {
    if (program.evaluate(bindings) === true) return [];
  } catch (failure) {
    if (!(failure instanceof CelEvaluationError)) throw failure;
    const why = failure.message.startsWith('no such overload')
      ? `'${failure.message}': call arguments did not match a supported operator, function or macro signature for rule: ${text}`
      : failure.message.startsWith('operation cancelled')
        ? `'${failure.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${text}`
        : `${failure.message} evaluating rule: ${text}`;
    return [invalid(place, schema.type, why)];
  }
  const where = rule.fieldPath ? childPath(place, rule.fieldPath) : place;
  const detail = messageOf(message, bindings) ?? (rule.message ? rule.message.trim() : `failed rule: ${text}`);
  const found = ofReason(rule.reason, where, schema.type, detail);
  if (!usesOld && old !== undefined && sameJson(old, value)) {
    warn(found);
    return [];
  }
  return [found];
}

/** The text of a `messageExpression`; undefined when it fails or gives nothing that can be shown, and `message` is shown instead. */
function messageOf(program: CelProgram | undefined, bindings: Readonly<Record<string, unknown>>): string | undefined {
  if (!program) return undefined;
  try {
    const text = program.evaluate(bindings);
    const trimmed = typeof text === 'string' ? text.trim() : '';
    return trimmed === '' || trimmed.includes('\n') || trimmed.length > 5 * 1024 ? undefined : trimmed;
  } catch (error) {
    if (error instanceof CelEvaluationError) return undefined;
    throw error;
  }
}

/** `.spec.a['b']` below a path. */
function childPath(path: string, fieldPath: string): string {
  const tail = fieldPath.trim().replace(/\['([^']*)'\]/g, '.$1');
  return path === '<nil>' ? tail.replace(/^\./, '') : `${path}${tail.startsWith('.') ? '' : '.'}${tail}`;
}

function ofReason(reason: string | undefined, path: string, type: unknown, detail: string): FieldError {
  switch (reason) {
    case 'FieldValueForbidden':
      return forbidden(path, detail);
    case 'FieldValueRequired':
      return required(path, detail);
    case 'FieldValueDuplicate':
      return { type: 'FieldValueDuplicate', field: path, badValue: type, detail: '' };
    default:
      return invalid(path, type, detail);
  }
}
