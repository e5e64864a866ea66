/**
 * From an authorized request to its answer: which registry function, with which body
 * (apiserver `pkg/endpoints/handlers`).
 */

import { seconds } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';
import type { Json } from '../api/json.ts';
import type { KubeObject } from '../api/meta.ts';
import { applyMergePatch, applyStrategicMergePatch, PatchError } from '../api/patch.ts';
import type { ApiResponse } from '../api/request.ts';
import { apiVersionOf, byKind, type ResourceRow } from '../api/resources.ts';
import { Pipe } from '../api/stream.ts';
import type { Kind } from '../api/types.gen.ts';
import { bodyObject, bodyValue, checked, mediaType } from './body.ts';
import { border } from './border.ts';
import { type Call, dryRunOf } from './call.ts';
import { fromStorage, storageRow, toStorage } from './conversion.ts';
import { badRequest, failure, methodNotAllowed, noSuchPath, success, unsupportedMediaType } from './errors.ts';
import { createFilter, type Filter } from './filter.ts';
import { negotiate } from './negotiate.ts';
import { presentation, presentList, presentOne } from './present.ts';
import { getObject, type ListQuery, listObjects, revisionOf } from './registry/read.ts';
import type { Registry } from './registry/store.ts';
import type { DeleteOptions } from './registry/strategy.ts';
import { type SubresourceContext, serveSubresource } from './registry/subresources.ts';
import { openWatch, type WatchQuery } from './registry/watch.ts';
import { type ReviewContext, review } from './reviews.ts';
import type { WatchCache } from './watch-cache.ts';

export type DispatchContext = ReviewContext & Omit<SubresourceContext, 'wanted'>;

export const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];
const APPLY = 'application/apply-patch+yaml';

/** Serves one call. Rejects with ApiError or EtcdError. */
export async function dispatch(context: DispatchContext, call: Call): Promise<ApiResponse> {
  const { row, path, verb } = call;
  const form = negotiate(call.request.headers['accept']);
  const now = () => context.registry.self.clock.now();
  const present = (status: number, object: object): ApiResponse =>
    answer(call, status, presentOne(row, form, call.parameter('includeObject'), object as KubeObject, now()));
  if (path.subresource !== '') {
    if (!row.subresources.some((subresource) => subresource.name === path.subresource)) throw noSuchPath();
    const stored = call.derive(path, storageRow(row));
    const { status, body, response } = await serveSubresource(
      { ...context, wanted: (_, kind, expected, current) => wanted(call, kind, expected, current) },
      stored,
    );
    if (response) return response;
    const own = (body as KubeObject).kind === stored.row.kind && (body as KubeObject).apiVersion === apiVersionOf(stored.row);
    return own ? present(status, fromStorage(row, body as KubeObject)) : answer(call, status, body as unknown as Json);
  }
  if (row.prefix === '') return answer(call, 201, await virtual(context, call));
  const read = verb === 'get' || verb === 'list' || verb === 'watch';
  if (!read && !row.verbs.includes(verb)) throw methodNotAllowed(row.group, row.plural);
  const { registry } = context;
  const write = row === storageRow(row) ? call : call.derive(path, storageRow(row));
  const shown = (object: KubeObject) => fromStorage(row, object);
  // A version that is not the stored one has defaults of its own, which are filled in before it is converted.
  const stored = (object: KubeObject) => (write === call ? object : toStorage(row, registry.rules.defaults(row, object)));
  switch (verb) {
    case 'get': {
      const object = await getObject(registry.self, registry.storage, row, call.namespace, path.name, call.parameter('resourceVersion'));
      call.resume();
      return present(200, object);
    }
    case 'list': {
      const list = await listObjects(registry.self, registry.storage, row, filterOf(call), listQuery(call));
      call.resume();
      return answer(call, 200, presentList(row, form, call.parameter('includeObject'), list, now()) as unknown as Json);
    }
    case 'watch':
      return serveWatch(registry.self, registry.storage.cache, call);
    case 'create': {
      if (path.name !== '' || (row.namespaced && path.namespace === '')) throw methodNotAllowed(row.group, row.plural);
      const body = placed(call, bodyObject(call, row.type, expectedOf(row)), '');
      return present(201, shown(await registry.create(write, stored(body))));
    }
    case 'update':
    case 'patch': {
      const missing = () => {
        const fresh = whenMissing(context, call);
        return fresh && stored(fresh);
      };
      const next = (current: KubeObject) => stored(placed(call, withName(call, wanted(call, row.type, expectedOf(row), shown(current))), path.name));
      const { object, created } = await registry.update(write, ({ object: current }) => next(current), { whenMissing: missing });
      return present(created ? 201 : 200, shown(object));
    }
    case 'delete': {
      const options = deleteOptions(call);
      const dryRun = call.dryRun || dryRunOf(options.dryRun ?? []);
      const { object, gone } = await registry.delete(write, path.name, options, dryRun);
      if (!gone || registry.strategy(write.row).returnsDeleted) return present(200, shown(object));
      const { uid } = object.metadata;
      return answer(
        call,
        200,
        success(200, { name: path.name, ...(row.group ? { group: row.group } : {}), kind: row.plural, ...(uid ? { uid } : {}) }) as unknown as Json,
      );
    }
    case 'deletecollection':
      return answer(call, 200, await deleteCollection(registry, call, write));
  }
}

const expectedOf = (row: ResourceRow) => ({ apiVersion: apiVersionOf(row), kind: row.kind });

function answer(call: Call, status: number, body: unknown): ApiResponse {
  const headers = call.warnings.length === 0 ? JSON_HEADERS : { ...JSON_HEADERS, warning: call.warnings.map(warning).join(', ') };
  return { status, headers, body: body as Json };
}
const JSON_HEADERS: Readonly<Record<string, string>> = { 'content-type': 'application/json', 'cache-control': 'no-cache, private' };
export const warning = (text: string): string => `299 - ${JSON.stringify(text)}`;

/** Reviews, and Binding posted to its own collection. */
async function virtual(context: DispatchContext, call: Call): Promise<object> {
  const { row, path } = call;
  if (call.verb !== 'create') throw methodNotAllowed(row.group, row.plural);
  const body = bodyObject(call, row.type, expectedOf(row));
  if (row.kind !== 'Binding') return review(context, call, body);
  const pods = call.derive({ ...path, resource: 'pods', name: body.metadata.name ?? '', subresource: 'binding' }, byKind('Pod'));
  const { body: bound } = await serveSubresource({ ...context, wanted: () => body }, pods);
  return bound;
}

/** What is put or patched names itself; only our own components leave that to the path (handlers.checkName). */
function withName(call: Call, object: KubeObject): KubeObject {
  if (object.metadata?.name || call.request.typed) return object;
  throw badRequest(`the name of the object (${call.path.name} based on URL) was undeterminable: name must be provided`);
}

/** The name and the namespace of the path and of the body must agree; what the body leaves out the path says. */
function placed(call: Call, object: KubeObject, name: string): KubeObject {
  const { metadata } = object;
  const { row } = call;
  if (name !== '' && metadata.name && metadata.name !== name)
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  if (row.namespaced && metadata.namespace && metadata.namespace !== call.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (!row.namespaced && metadata.namespace) {
    const { namespace: _, ...clean } = metadata;
    return placed(call, { ...object, metadata: clean }, name);
  }
  const named = name !== '' && !metadata.name;
  if (!named && (!row.namespaced || metadata.namespace)) return object;
  return { ...object, metadata: { ...metadata, ...(named ? { name } : {}), ...(row.namespaced ? { namespace: call.namespace } : {}) } };
}

/** What the caller wants the object to be: PUT says it, PATCH says how to get there. */
function wanted(call: Call, kind: Kind, expected: { apiVersion: string; kind: string }, current: KubeObject): KubeObject {
  if (call.verb !== 'patch') return bodyObject(call, kind, expected);
  const type = mediaType(call.request);
  if (!PATCH_TYPES.includes(type)) throw unsupportedMediaType(PATCH_TYPES);
  const patch = (bodyValue(call.request, type === APPLY ? 'application/yaml' : 'application/json') ?? {}) as Json;
  const before = current as unknown as Json;
  let after: Json;
  try {
    if (type === PATCH_TYPES[0]) after = border().applyJsonPatch(before, patch);
    else if (type === PATCH_TYPES[1]) after = applyMergePatch(before, patch);
    // Here simplified: server-side apply merges, and keeps no record of who set what.
    else after = applyStrategicMergePatch(kind, before, patch);
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    if (error.code === 400) throw badRequest(error.message);
    throw failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {
      causes: [{ reason: 'UnexpectedServerResponse', message: error.message }],
    });
  }
  return checked(call, kind, after, call.row.version);
}

/** PUT of a name that does not exist creates some kinds; server-side apply creates any. */
function whenMissing({ registry }: DispatchContext, call: Call): KubeObject | undefined {
  const { row, path } = call;
  const apply = call.verb === 'patch' && mediaType(call.request) === APPLY;
  if (!apply && !(call.verb === 'update' && registry.strategy(row).createsOnUpdate)) return undefined;
  const body = apply
    ? checked(call, row.type, { ...expectedOf(row), ...(bodyValue(call.request, 'application/yaml') as object) } as unknown as Json, row.version)
    : bodyObject(call, row.type, expectedOf(row));
  const { resourceVersion: _, ...metadata } = body.metadata ?? {};
  return placed(call, { ...body, metadata }, path.name);
}

export function filterOf(call: Pick<Call, 'row' | 'namespace' | 'path' | 'parameter'>): Filter {
  return createFilter(call.row, call.namespace, call.path.name, call.parameter('labelSelector'), call.parameter('fieldSelector'));
}

function listQuery(call: Call): ListQuery {
  const limit = Number(call.parameter('limit') ?? 0);
  return {
    resourceVersion: call.parameter('resourceVersion'),
    match: call.parameter('resourceVersionMatch'),
    limit: Number.isInteger(limit) && limit > 0 ? limit : 0,
    continueToken: call.parameter('continue') || undefined,
  };
}

function deleteOptions(call: Call): DeleteOptions {
  const body = (bodyValue(call.request) ?? {}) as DeleteOptions;
  const grace = call.parameter('gracePeriodSeconds');
  const orphan = call.parameter('orphanDependents');
  const options: DeleteOptions = {
    ...body,
    ...(grace !== undefined ? { gracePeriodSeconds: Number(grace) } : {}),
    ...(call.parameter('propagationPolicy') ? { propagationPolicy: call.parameter('propagationPolicy') } : {}),
    ...(orphan !== undefined ? { orphanDependents: orphan === 'true' } : {}),
  };
  const policy = options.propagationPolicy;
  if (policy && !['Orphan', 'Background', 'Foreground'].includes(policy)) {
    throw badRequest(
      `DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: ${JSON.stringify(policy)}: supported values: "Background", "Foreground", "Orphan", "nil"`,
    );
  }
  return options;
}

async function deleteCollection(registry: Registry, call: Call, write: Call): Promise<object> {
  const options = deleteOptions(call);
  const list = await listObjects(registry.self, registry.storage, call.row, filterOf(call), {
    ...listQuery(call),
    resourceVersion: undefined,
    match: undefined,
  });
  call.resume();
  const dryRun = call.dryRun || dryRunOf(options.dryRun ?? []);
  for (const item of list.items) {
    const name = item.metadata.name ?? '';
    const one = write.derive({ ...call.path, namespace: item.metadata.namespace ?? '', name }, write.row);
    try {
      await registry.delete(one, name, options, dryRun);
    } catch (error) {
      // Somebody was quicker: it is gone, which is what was asked.
      if (!(error instanceof Error && 'code' in error && error.code === 404)) throw error;
    }
    call.resume();
  }
  return list;
}

/** `--min-request-timeout`: a watch that names no time-out gets this, and up to as much again, so that not all end at once. */
const MIN_WATCH_SECONDS = 1_800;

function serveWatch(self: Process, cache: WatchCache, call: Call): ApiResponse {
  const pipe = new Pipe<unknown>();
  const { close, watcher } = openWatch(
    cache,
    call.row,
    filterOf(call),
    watchQuery(call),
    presentation(call, () => self.clock.now()),
    pipe,
  );
  const asked = Number(call.parameter('timeoutSeconds') ?? 0);
  const timeout = asked > 0 ? seconds(asked) : seconds(MIN_WATCH_SECONDS) + self.rng.between(0, seconds(MIN_WATCH_SECONDS));
  const cancel = self.clock.after(timeout, () => {
    watcher.bookmark(cache.revision);
    close();
  });
  pipe.onCancel(cancel);
  return { status: 200, headers: WATCH_HEADERS, stream: pipe };
}
export const WATCH_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'application/json',
  'cache-control': 'no-cache, private',
  'transfer-encoding': 'chunked',
};

export function watchQuery(call: Pick<Call, 'parameter' | 'flag'>): WatchQuery {
  return {
    since: revisionOf(call.parameter('resourceVersion')),
    bookmarks: call.flag('allowWatchBookmarks'),
    initialEvents: call.flag('sendInitialEvents'),
  };
}
