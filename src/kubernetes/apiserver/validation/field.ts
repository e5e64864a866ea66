/** What is wrong with a field, and how the API server says it: apimachinery pkg/util/validation/field. */
import type { Json } from '../../api/json.ts';
import type { Status } from '../../api/request.ts';

export type FieldErrorType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

export interface FieldError {
  readonly type: FieldErrorType;
  /** `spec.containers[0].name` */
  readonly field: string;
  readonly badValue?: unknown;
  readonly detail: string;
}

const WORDS: Readonly<Record<FieldErrorType, string>> = {
  FieldValueNotFound: 'Not found',
  FieldValueRequired: 'Required value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  FieldValueTypeInvalid: 'Invalid value',
  InternalError: 'Internal error',
};

export const required = (field: string, detail = ''): FieldError => ({ type: 'FieldValueRequired', field, detail });
export const invalid = (field: string, badValue: unknown, detail: string): FieldError => ({ type: 'FieldValueInvalid', field, badValue, detail });
export const forbidden = (field: string, detail: string): FieldError => ({ type: 'FieldValueForbidden', field, detail });
export const duplicate = (field: string, badValue: unknown): FieldError => ({ type: 'FieldValueDuplicate', field, badValue, detail: '' });
export const notFound = (field: string, badValue: unknown): FieldError => ({ type: 'FieldValueNotFound', field, badValue, detail: '' });
export const tooLong = (field: string, bytes: number): FieldError => ({ type: 'FieldValueTooLong', field, detail: `may not be more than ${bytes} bytes` });
export const tooMany = (field: string, actual: number, most: number): FieldError => ({
  type: 'FieldValueTooMany',
  field,
  badValue: actual,
  detail: `must have at most ${most} item${most === 1 ? '' : 's'}`,
});
export const notSupported = (field: string, badValue: unknown, values: readonly string[]): FieldError => ({
  type: 'FieldValueNotSupported',
  field,
  badValue,
  detail: `supported values: ${values.map((v) => JSON.stringify(v)).join(', ')}`,
});

/** Instead of a value that is not repeated in the message (field.OmitValueType). */
export const OMITTED: unique symbol = Symbol('omitted');

/** `Invalid value: "Web": a lowercase RFC 1123 …` (Error.ErrorBody). */
export function errorBody(error: FieldError): string {
  let text = WORDS[error.type];
  switch (error.type) {
    case 'FieldValueRequired':
    case 'FieldValueForbidden':
    case 'FieldValueTooLong':
    case 'InternalError':
      break;
    default:
      if (error.badValue !== OMITTED) text += `: ${error.badValue === undefined ? 'null' : JSON.stringify(error.badValue)}`;
  }
  return error.detail ? `${text}: ${error.detail}` : text;
}

export const errorText = (error: FieldError): string => `${error.field}: ${errorBody(error)}`;

/** The 422 an invalid object gets (errors.NewInvalid). `kind` is the wire kind; `group` is '' for the core group. */
export function invalidStatus(kind: string, group: string, name: string, errors: readonly FieldError[]): Status {
  const texts = [...new Set(errors.map(errorText))];
  const all = texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
  const qualified = group ? `${kind}.${group}` : kind;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: errors.length > 0 ? `${qualified} ${JSON.stringify(name)} is invalid: ${all}` : `${qualified} ${JSON.stringify(name)} is invalid`,
    reason: 'Invalid',
    details: {
      ...(name ? { name } : {}),
      ...(group ? { group } : {}),
      kind,
      causes: errors.map((error) => ({ reason: error.type, message: errorBody(error), field: error.field })),
    },
    code: 422,
  };
}

// --- small checks that recur ---------------------------------------------------------------------------

export const NOT_NEGATIVE = 'must be greater than or equal to 0';
export const IMMUTABLE = 'field is immutable';

/** Collects errors; every check below appends to it. */
export type Errors = FieldError[];

export function notNegative(errors: Errors, field: string, value: number | undefined): void {
  if (value !== undefined && value < 0) errors.push(invalid(field, value, NOT_NEGATIVE));
}

export function oneOf(errors: Errors, field: string, value: string | undefined, values: readonly string[], detail = ''): void {
  if (!value) errors.push(required(field, detail));
  else if (!values.includes(value)) errors.push(notSupported(field, value, values));
}

/** Each reason why a text is refused becomes an error of its own. */
export function each(errors: Errors, field: string, value: string, reasons: readonly string[]): void {
  for (const reason of reasons) errors.push(invalid(field, value, reason));
}

/** Deep equality of plain JSON, absent fields counting as undefined. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return (a ?? undefined) === (b ?? undefined);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const x = a as Record<string, Json>;
  const y = b as Record<string, Json>;
  for (const key in x) if (!sameJson(x[key], y[key])) return false;
  for (const key in y) if (!(key in x) && y[key] !== undefined) return false;
  return true;
}

/** An update that changes a field which never changes (ValidateImmutableField). */
export function immutable(errors: Errors, field: string, value: unknown, before: unknown, detail = IMMUTABLE): void {
  if (!sameJson(value, before)) errors.push(invalid(field, value, detail));
}
