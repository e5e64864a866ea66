/** What a request asks for: its verb and what the authorizers are told of it (apiserver `pkg/endpoints/request/requestinfo.go`). */
import type { ApiRequest } from '../api/request.ts';
import type { ResourcePath, ResourceRow } from '../api/resources.ts';
import type { RequestVerb } from './call.ts';
import { methodNotAllowed, noSuchPath } from './errors.ts';
import type { Attributes } from './rbac.ts';

/** The verb of a path that names no resource: the method itself. */
export const pathVerb = ({ method }: ApiRequest): string => (method === 'GET' || method === 'HEAD' ? 'get' : method.toLowerCase());

export function verbOf(request: ApiRequest, path: ResourcePath): RequestVerb {
  switch (request.method) {
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return path.name === '' ? 'deletecollection' : 'delete';
    case 'GET':
    case 'HEAD': {
      const { watch } = request.query;
      if (watch !== undefined && watch !== 'false' && watch !== '0' && path.subresource === '') return 'watch';
      return path.name === '' ? 'list' : 'get';
    }
    default:
      throw methodNotAllowed();
  }
}

/** What RBAC is asked. A list of one name is a question about that name (RequestInfo). */
export function attributesOf(request: ApiRequest, path: ResourcePath, verb: RequestVerb): Attributes {
  const { fieldSelector } = request.query;
  const one = path.name === '' && typeof fieldSelector === 'string' ? /^metadata\.name=([^,!=]+)$/.exec(fieldSelector)?.[1] : undefined;
  return {
    verb,
    group: path.group,
    resource: path.resource,
    subresource: path.subresource,
    namespace: path.namespace,
    name: path.name || (one ?? ''),
    path: request.path,
    version: path.version,
    ...(typeof fieldSelector === 'string' ? { fieldSelector } : {}),
  };
}

/** Kinds without namespaces are not found in one; namespaced ones are only listed across all. */
export function checkScope(row: ResourceRow, path: ResourcePath, verb: RequestVerb): void {
  if (path.name === '' && (verb === 'update' || verb === 'patch')) throw methodNotAllowed();
  if (!row.namespaced && path.namespace !== '' && path.resource !== 'namespaces') throw noSuchPath();
  if (row.namespaced && path.namespace === '' && (path.name !== '' || !['list', 'watch'].includes(verb))) {
    if (path.name !== '') throw noSuchPath();
    throw methodNotAllowed();
  }
}
