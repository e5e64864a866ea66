/**
 * The text border inwards: a request's body becomes an object of the kind the path asks for, with
 * unknown fields dropped, told of, or refused (apiserver `pkg/endpoints/handlers/{create,rest}.go`).
 */
import type { Json } from '../api/json.ts';
import type { KubeObject } from '../api/meta.ts';
import type { ApiRequest } from '../api/request.ts';
import type { Kind } from '../api/types.gen.ts';
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
    throw new JsonTextError(jsonErrorText(body), body);
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
class JsonTextError extends Error {
  constructor(
    message: string,
    readonly body: string,
  ) {
    super(message);
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
      `the object provided is unrecognized (must be of type ${expected.kind}): couldn't get version/kind; json parse error: ${error.message} (${summary(error.body)})`,
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
  if (bodyKind !== expected.kind)
    throw badRequest(
      `${bodyKind} in version ${JSON.stringify(versionOf(apiVersion))} cannot be handled as a ${expected.kind}: converting (${apiVersion}.${bodyKind}) to (${expected.apiVersion}.${expected.kind}): unknown conversion`,
    );
  if (apiVersion !== expected.apiVersion)
    throw badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${expected.apiVersion})`);
  const object = checked(call, kind, given.apiVersion && given.kind ? value : { ...value, ...expected }, versionOf(apiVersion));
  return object.metadata === undefined ? { ...object, metadata: {} } : object;
}

const versionOf = (apiVersion: string): string => apiVersion.slice(apiVersion.indexOf('/') + 1);

/** Types and unknown fields of a value that is to be of `kind`. Throws 400. */
export function checked(call: Call, kind: Kind, value: Json, version: string): KubeObject {
  if (call.request.typed) return value as unknown as KubeObject;
  const { decode, decodeError } = border();
  const decoded = decode(kind, value);
  const how = fieldValidation(call);
  const named = (value as { readonly kind?: string }).kind ?? kind;
  const wrong = decodeError(decoded, named, version, how === 'Strict');
  if (wrong !== undefined) throw badRequest(wrong);
  if (how === 'Warn') for (const text of decoded.unknown) call.warn(text);
  return decoded.object as unknown as KubeObject;
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

/** What Go's decoder says of a text that is no JSON: the offending character and where it stands. Here simplified: the common cases. */
function jsonErrorText(text: string): string {
  let at = 0;
  const space = /\s/;
  while (at < text.length && space.test(text[at]!)) at++;
  const first = text[at];
  if (first === undefined) return 'unexpected end of JSON input';
  if (!'{["-0123456789tfn'.includes(first)) return `invalid character '${first}' looking for beginning of value`;
  let depth = 0;
  let quoted = false;
  for (let i = at; i < text.length; i++) {
    const c = text[i]!;
    if (quoted) {
      if (c === '\\') i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === '{' || c === '[') depth++;
    else if (c === '}' || c === ']') {
      depth--;
      const before = text.slice(0, i).trimEnd();
      if (before.endsWith(',')) return `invalid character '${c}' looking for beginning of ${c === '}' ? 'object key string' : 'value'}`;
      const rest = text.slice(i + 1).trimStart();
      if (depth === 0 && rest !== '') return `invalid character '${rest[0]}' after top-level value`;
    }
  }
  return depth > 0 || quoted ? 'unexpected end of JSON input' : `invalid character '${text[text.length - 1]}' in literal`;
}
