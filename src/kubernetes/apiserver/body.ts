/**
 * The text border inwards: a request's body becomes an object of the kind the path asks for, with
 * unknown fields dropped, told of, or refused (apiserver `pkg/endpoints/handlers/{create,rest}.go`).
 */
import type { Json } from '../api/json.ts';
import type { KubeObject } from '../api/meta.ts';
import { ApiError, type ApiRequest } from '../api/request.ts';
import type { Kind } from '../api/types.gen.ts';
import { customOf } from './apiextensions/custom-kind.ts';
import { border } from './border.ts';
import type { Call } from './call.ts';
import { badRequest, entityTooLarge, unsupportedMediaType } from './errors.ts';

/** Upstream's `MaxRequestBodyBytes`. */
const LARGEST_BODY = 3 * 1024 * 1024;
const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const BODY_TYPES = ['application/json', 'application/yaml', PROTOBUF];

export const mediaType = (request: ApiRequest): string => (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();

interface Named {
  readonly apiVersion: string;
  readonly kind: string;
}
/** The only body that is read for its value alone. */
const DELETE_OPTIONS: Named = { apiVersion: 'v1', kind: 'DeleteOptions' };

/**
 * The value of a body: inside the world it is one, from outside it is JSON or YAML text, or protobuf with a character
 * for each byte, which is a message of kind `expected` if it names none itself. Throws 400, 413, 415.
 */
export function bodyValue(request: ApiRequest, asType = mediaType(request), expected = DELETE_OPTIONS): Json | undefined {
  const { body } = request;
  if (typeof body !== 'string') return body;
  if (body.length > LARGEST_BODY) throw entityTooLarge(LARGEST_BODY);
  if (body === '') return undefined;
  if (asType === PROTOBUF) return protobufValue(body, expected);
  if (asType.endsWith('yaml')) {
    const { parseYaml, YamlError } = border();
    try {
      return parseYaml(body);
    } catch (error) {
      if (error instanceof YamlError) throw badRequest(`error converting YAML to JSON: ${error.message}`);
      throw error;
    }
  }
  try {
    return JSON.parse(body) as Json;
  } catch {
    throw new JsonTextError(border().jsonErrorText(body), body);
  }
}

/** A protobuf body's value. Kinds without a protobuf form are refused, as upstream refuses those of custom resources. Throws 400, 415. */
function protobufValue(body: string, expected: Named): Json {
  const read = border().fromProtobuf(body, expected);
  if ('value' in read) return read.value;
  if ('unknown' in read) throw unsupportedMediaType(BODY_TYPES.slice(0, 2));
  if (read.gvk) {
    const { apiVersion, kind } = read.gvk;
    throw badRequest(`${kind} in version ${JSON.stringify(versionOf(apiVersion))} cannot be handled as a ${expected.kind}: ${read.error}`);
  }
  throw badRequest(`the object provided is unrecognized (must be of type ${expected.kind}): ${read.error} (${summary(body)})`);
}

/** The body is no JSON; what it was to be decides the words. */
export class JsonTextError extends ApiError {
  constructor(
    readonly words: string,
    readonly body: string,
  ) {
    super(badRequest(`couldn't get version/kind; json parse error: ${words}`).status);
  }
}

/** The body as an object of `kind`, whose apiVersion and kind may be left out. Unknown fields are dealt with as fieldValidation says. */
export function bodyObject(call: Call, kind: Kind, expected: Named): KubeObject {
  const type = mediaType(call.request);
  if (typeof call.request.body === 'string' && type !== '' && !BODY_TYPES.includes(type)) throw unsupportedMediaType(BODY_TYPES);
  let value: Json | undefined;
  try {
    value = bodyValue(call.request, type, expected) ?? (type === PROTOBUF ? protobufValue('', expected) : undefined);
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    throw badRequest(
      `the object provided is unrecognized (must be of type ${expected.kind}): couldn't get version/kind; json parse error: ${error.words} (${summary(error.body)})`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badRequest(
      `the object provided is unrecognized (must be of type ${expected.kind}): couldn't get version/kind; json parse error: json: cannot unmarshal ${value === undefined ? 'null' : Array.isArray(value) ? 'array' : typeof value} into Go value of type struct`,
    );
  }
  for (const field of ['apiVersion', 'kind']) {
    const named = (value as { readonly [key: string]: Json })[field] ?? '';
    if (typeof named !== 'string')
      throw badRequest(
        `the object provided is unrecognized (must be of type ${expected.kind}): couldn't get version/kind; json parse error: json: cannot unmarshal ${Array.isArray(named) ? 'array' : typeof named === 'boolean' ? 'bool' : typeof named} into Go struct field .${field} of type string`,
      );
  }
  const given = value as { readonly apiVersion?: string; readonly kind?: string };
  const [apiVersion, bodyKind] = [given.apiVersion || expected.apiVersion, given.kind || expected.kind];
  const wrong = call.request.typed ? undefined : border().wrongKind({ apiVersion, kind: bodyKind }, expected, customOf(call.row) !== undefined);
  if (wrong) throw wrong;
  const object = checked(call, kind, given.apiVersion && given.kind ? value : { ...value, ...expected }, versionOf(apiVersion));
  return object.metadata === undefined ? { ...object, metadata: {} } : object;
}

const versionOf = (apiVersion: string): string => apiVersion.slice(apiVersion.indexOf('/') + 1);

/** Types and unknown fields of a value that is to be of `kind`, or of what `patched` made of one. Throws 400, of a patch 422. */
export function checked(call: Call, kind: Kind, given: Json, version: string, patched?: { readonly patch: Json; readonly strategic: boolean }): KubeObject {
  if (call.request.typed) return given as unknown as KubeObject;
  const value = keepingReset(given);
  const { decode, decodeError, duplicateFields, patchRefusal } = border();
  const decoded = kind === call.row.type ? (customOf(call.row)?.decode(value) ?? decode(kind, value)) : decode(kind, value);
  const how = fieldValidation(call);
  const { body } = call.request;
  const doubled = how !== 'Ignore' && typeof body === 'string' && mediaType(call.request).endsWith('json') ? duplicateFields(body) : [];
  const named = (value as { readonly kind?: string }).kind ?? kind;
  if (patched) {
    const refusal = patchRefusal(decoded, doubled, how === 'Strict', patched.strategic, patched.patch, value);
    if (refusal) throw refusal;
  } else {
    const wrong = decodeError({ ...decoded, unknown: [...doubled, ...decoded.unknown] }, named, version, how === 'Strict');
    if (wrong !== undefined) throw badRequest(wrong);
  }
  if (how === 'Warn') for (const text of [...doubled, ...decoded.unknown]) call.warn(text);
  return decoded.object as unknown as KubeObject;
}

/** An empty list of managed fields is a wish, as one empty entry is, and not the same as none. */
function keepingReset(value: Json): Json {
  const { metadata } = value as { readonly metadata?: { readonly managedFields?: Json } };
  return Array.isArray(metadata?.managedFields) && metadata.managedFields.length === 0
    ? ({ ...(value as object), metadata: { ...metadata, managedFields: [{}] } } as unknown as Json)
    : value;
}

function fieldValidation(call: Call): 'Strict' | 'Warn' | 'Ignore' {
  const how = call.parameter('fieldValidation') ?? '';
  if (how === '') return 'Warn';
  if (how !== 'Strict' && how !== 'Warn' && how !== 'Ignore')
    throw badRequest(`fieldValidation: Unsupported value: ${JSON.stringify(how)}: supported values: "", "Ignore", "Strict", "Warn"`);
  return how;
}

/** The first thirty bytes of a body, as upstream shows them (`summarizeData`). Here simplified: beyond ASCII, text is shown by its UTF-16 codes. */
function summary(body: string): string {
  if (body === '') return '<empty>';
  const start = body.slice(0, 30);
  const shown = body[0] === '{' ? start : [...start].map((char) => char.charCodeAt(0).toString(16).padStart(2, '0')).join('');
  return body.length > 30 ? `${shown} ...` : shown;
}
