/**
 * Why a body cannot be what the path asks for: another kind, fields it does not know or knows twice, values of another type
 * (apiserver `pkg/endpoints/handlers/{rest,create,patch}.go`).
 */
import type { Json } from '../api/json.ts';
import type { ApiError } from '../api/request.ts';
import { byObject } from '../api/resources.ts';
import { badRequest, failure } from './errors.ts';
import type { Decoded } from './validation/decode.ts';

interface Named {
  readonly apiVersion: string;
  readonly kind: string;
}

const versionOf = (apiVersion: string): string => apiVersion.slice(apiVersion.indexOf('/') + 1);
const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '');

/** The Go package of a group's internal types: `core`, `rbac`. */
const packageOf = (apiVersion: string): string => groupOf(apiVersion).split('.')[0] || 'core';

/** Kinds every group version knows, and those of core that are no resources. */
const COMMON = new Set(['CreateOptions', 'DeleteOptions', 'GetOptions', 'ListOptions', 'PatchOptions', 'UpdateOptions', 'WatchEvent']);
const registered = (named: Named): boolean =>
  byObject(named) !== undefined ||
  COMMON.has(named.kind) ||
  (named.apiVersion === 'v1' && ['List', 'Status', 'APIGroup', 'APIVersions'].includes(named.kind)) ||
  (named.kind.endsWith('List') && byObject({ ...named, kind: named.kind.slice(0, -4) }) !== undefined);

/** A body of another kind or version than the path's; undefined when it is the one. */
export function wrongKind(given: Named, expected: Named, custom: boolean): ApiError | undefined {
  const { apiVersion, kind } = given;
  if (apiVersion === expected.apiVersion && kind === expected.kind) return undefined;
  if (kind === expected.kind && (custom || registered(given)))
    return badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${expected.apiVersion})`);
  return badRequest(`${kind} in version ${JSON.stringify(versionOf(apiVersion))} cannot be handled as a ${expected.kind}: ${unlike(given, expected, custom)}`);
}

/** Why an object of one kind cannot be read as another. */
const unlike = (given: Named, expected: Named, custom: boolean): string =>
  registered(given) || custom
    ? `converting (${versionOf(given.apiVersion)}.${given.kind}) to (${packageOf(expected.apiVersion)}.${expected.kind}): unknown conversion`
    : `no kind ${JSON.stringify(given.kind)} is registered for version ${JSON.stringify(given.apiVersion)} in scheme "pkg/api/legacyscheme/scheme.go:30"`;

/** A patch that makes another kind of an object: a strategic merge cannot, the others are refused (422). */
export function ofSameKind(after: Json, expected: Named, strategic: boolean, custom: boolean): Json {
  const { apiVersion, kind } = after as unknown as Named;
  if (typeof after !== 'object' || after === null || (apiVersion === expected.apiVersion && kind === expected.kind)) return after;
  if (strategic) return { ...after, apiVersion: expected.apiVersion, kind: expected.kind };
  throw patchFailure(sortedJson(after), unlike({ apiVersion: String(apiVersion ?? ''), kind: String(kind ?? '') }, expected, custom));
}

function patchFailure(value: string, why: string): ApiError {
  const message = `Invalid value: ${JSON.stringify(value)}: ${why}`;
  return failure(422, 'Invalid', ` "" is invalid: patch: ${message}`, { causes: [{ reason: 'FieldValueInvalid', message, field: 'patch' }] });
}

/** What a patch made does not fit its kind; undefined when it does. `strict` refuses unknown and doubled fields too. */
export function patchRefusal(
  decoded: Decoded,
  doubled: readonly string[],
  strict: boolean,
  strategic: boolean,
  patch: Json,
  after: Json,
): ApiError | undefined {
  const odd = [...doubled, ...decoded.unknown];
  const why =
    decoded.error !== undefined
      ? strategic
        ? reflected(decoded.error)
        : decoded.error
      : strict && odd.length > 0
        ? `strict decoding error: ${odd.join(', ')}`
        : undefined;
  if (why === undefined) return undefined;
  return patchFailure(strategic ? goText(patch) : sortedJson(after), why);
}

/** A strategic merge goes from maps to structures by reflection, which has words of its own. Here simplified: the common cases. */
function reflected(error: string): string {
  const [, from = '', to = ''] = /cannot unmarshal (\w+) into Go .*of type (\S+)$/.exec(error) ?? [];
  if (to === '') return error;
  const value = from === 'object' ? 'map' : from === 'array' ? 'slice' : from === 'number' ? 'int64' : from;
  if (to.startsWith('[]')) return `cannot restore slice from ${value}`;
  if (to.startsWith('map[')) return `cannot restore map from ${value}`;
  if (to.includes('.')) return `cannot restore struct from: ${value}`;
  return `unrecognized type: ${to}`;
}

/** As Go's `%+v` shows maps: `map[spec:map[replicas:x]]`. */
function goText(value: Json | undefined): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const object = value as { readonly [key: string]: Json };
  return `map[${Object.keys(object)
    .sort()
    .map((key) => `${key}:${goText(object[key])}`)
    .join(' ')}]`;
}

/** JSON with its keys in order, as Go writes maps. */
function sortedJson(value: Json): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
