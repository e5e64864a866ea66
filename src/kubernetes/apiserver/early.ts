/** Facts about requests that are not yet calls, and which requests are no part of a story. */
import type { Instant } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';
import type { TraceId } from '../../sim/trace.ts';
import type { ApiRequest } from '../api/request.ts';
import { byPlural, parsePath, type ResourcePath, type ResourceRow } from '../api/resources.ts';
import { ANONYMOUS, type User } from './authentication.ts';
import type { RequestVerb } from './call.ts';
import { verbOf } from './request-info.ts';

/**
 * A request that was refused before there was a call of it (not recognised, no seat, may not speak for another) is a
 * story of one request and its answer. Of paths that name no resource nothing is told.
 */
export function tellEarly(
  self: Process,
  request: ApiRequest,
  cause: TraceId,
  user: User | undefined,
  began: Instant,
  refusal: Readonly<Record<string, unknown>>,
): void {
  const path = parsePath(request.path);
  const row = path && byPlural(path.group, path.version, path.resource);
  if (!path || !row || request.method === 'OPTIONS') return;
  const verb = verbOf(request, path);
  if (isChatter(request, user ?? ANONYMOUS, verb, path)) return;
  const about = path.name === '' ? aboutBody(request, row, path) : row.namespaced ? `${row.kind}/${path.namespace}/${path.name}` : `${row.kind}/${path.name}`;
  self.trace.because(cause);
  self.trace.emit('api.request', about, { verb, method: request.method, path: request.path, user: user?.name ?? '', began });
  if (user) self.trace.emit('api.authn', about, { user: user.name, groups: user.groups });
  self.trace.emit('api.response', about, refusal);
}

/** Renewals and heartbeats, and what the cluster's own components read: endless, and no part of a story. */
export function isChatter({ typed }: ApiRequest, user: User, verb: RequestVerb, path: ResourcePath): boolean {
  if (path.resource === 'leases') return true;
  if (!typed || !user.name.startsWith('system:')) return false;
  return verb === 'get' || verb === 'list' || verb === 'watch' || (path.resource === 'nodes' && path.subresource === 'status');
}

export function aboutBody({ body, method }: ApiRequest, row: ResourceRow, path: ResourcePath): string {
  if (method !== 'POST' || typeof body !== 'object' || body === null) return '';
  const metadata = (body as { metadata?: { name?: string; generateName?: string } }).metadata;
  const name = metadata?.name ?? metadata?.generateName ?? '';
  return name === '' ? '' : row.namespaced ? `${row.kind}/${path.namespace}/${name}` : `${row.kind}/${name}`;
}
