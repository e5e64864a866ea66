/**
 * The failures an API server answers with, in upstream's words (apimachinery `pkg/api/errors`,
 * apiserver `endpoints/handlers/responsewriters`). Each is an ApiError to be thrown; the chain turns
 * it into the response.
 */
import { ApiError, type Status } from '../api/request.ts';

type Details = NonNullable<Status['details']>;

/** `deployments.apps`, or `pods` in the core group. */
export const qualified = (group: string, resource: string): string => (group === '' ? resource : `${resource}.${group}`);

export const failure = (code: number, reason: string, message: string, details?: Details): ApiError =>
  new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason ? { reason } : {}),
    ...(details ? { details } : {}),
    code,
  });

const named = (group: string, resource: string, name: string): Details => ({ ...(name ? { name } : {}), ...(group ? { group } : {}), kind: resource });

export const notFound = (group: string, resource: string, name: string): ApiError =>
  failure(404, 'NotFound', `${qualified(group, resource)} ${quote(name)} not found`, named(group, resource, name));
export const alreadyExists = (group: string, resource: string, name: string): ApiError =>
  failure(409, 'AlreadyExists', `${qualified(group, resource)} ${quote(name)} already exists`, named(group, resource, name));
/** generateName met an existing name eight times running. */
export const generateNameConflict = (group: string, resource: string, name: string): ApiError =>
  failure(
    409,
    'AlreadyExists',
    `${qualified(group, resource)} ${quote(name)} already exists, the server was not able to generate a unique name for the object`,
    named(group, resource, name),
  );
export const conflict = (group: string, resource: string, name: string, why: string): ApiError =>
  failure(409, 'Conflict', `Operation cannot be fulfilled on ${qualified(group, resource)} ${quote(name)}: ${why}`, named(group, resource, name));
export const modified = (group: string, resource: string, name: string): ApiError =>
  conflict(group, resource, name, 'the object has been modified; please apply your changes to the latest version and try again');
export const forbidden = (group: string, resource: string, name: string, why: string): ApiError =>
  resource === ''
    ? failure(403, 'Forbidden', `forbidden: ${why}`, {})
    : failure(403, 'Forbidden', `${qualified(group, resource)} ${name ? `${quote(name)} ` : ''}is forbidden: ${why}`, named(group, resource, name));
export const badRequest = (message: string): ApiError => failure(400, 'BadRequest', message);
export const unauthorized = (): ApiError => failure(401, 'Unauthorized', 'Unauthorized');
export const noSuchPath = (): ApiError => failure(404, 'NotFound', 'the server could not find the requested resource', {});
/** No route for this method: the details say nothing (NewGenericServerResponse). */
export const methodNotAllowed = (): ApiError => failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
export const notAcceptable = (): ApiError =>
  failure(406, 'NotAcceptable', 'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf');
export const unsupportedMediaType = (accepted: readonly string[]): ApiError =>
  failure(415, 'UnsupportedMediaType', `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`);
export const entityTooLarge = (limit: number): ApiError => failure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limit}`);
export const tooManyOperations = (most: number, got: number): ApiError =>
  failure(413, 'RequestEntityTooLarge', `Request entity too large: The allowed maximum operations in a JSON patch is ${most}, got ${got}`);
/** The watch window or the MVCC history no longer reaches back that far: list again. */
export const expired = (message: string): ApiError => failure(410, 'Expired', message);
export const tooOldResourceVersion = (asked: number, oldest: number): ApiError => expired(`too old resource version: ${asked} (${oldest})`);
export const tooLargeResourceVersion = (asked: number, current: number): ApiError =>
  failure(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
export const tooManyRequests = (message: string, details?: Details): ApiError => failure(429, 'TooManyRequests', message, details);
export const unavailable = (message: string): ApiError => failure(503, 'ServiceUnavailable', message);
export const internal = (message: string): ApiError => failure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });

/** `metav1.Status` of success: what delete, binding and eviction answer. */
export const success = (code: number, details?: Details): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  ...(details ? { details } : {}),
  code,
});

/** As Go's `%q` for the texts that occur here. */
export const quote = (text: string): string => JSON.stringify(text);
