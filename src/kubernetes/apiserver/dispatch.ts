/**
 * From an authorized request to its answer: which registry function, with which body
 * (apiserver `pkg/endpoints/handlers`).
 */

import { seconds } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';
import type { Json } from '../api/json.ts';
import type { KubeObject } from '../api/meta.ts';
import { applyMergePatch, applyStrategicMergePatch, PatchError } from '../api/patch.ts';
import { ApiError, type ApiResponse } from '../api/request.ts';
import { apiVersionOf, byKind, type ResourceRow } from '../api/resources.ts';
import { Pipe } from '../api/stream.ts';
import type { Kind } from '../api/types.gen.ts';
import { customOf } from './apiextensions/custom-kind.ts';
import { convertedWatch, inVersion } from './apiextensions/versions.ts';
import { bodyObject, bodyValue, checked, JsonTextError, mediaType } from './body.ts';
import { border } from './border.ts';
import { type Call, dryRunOf } from './call.ts';
import { fromStorage, storageRow, toStorage } from './conversion.ts';
import { badRequest, conflict, failure, methodNotAllowed, noSuchPath, success, tooManyOperations, unsupportedMediaType } from './errors.ts';
import { createFilter, type Filter } from './filter.ts';
import { ledgerOf, withLedger } from './managed-fields/ledger.ts';
import { APPLY, shownTo } from './managed-fields/ownership.ts';
import { type Form, negotiate } from './negotiate.ts';
import { presentation, presentList, presentOne } from './present.ts';
import type { ComponentSource } from './registry/component-status.ts';
import { withoutEmptyMetadata } from './registry/empty-metadata.ts';
import { getObject, type ListQuery, type ListResult, listObjects, listOf, readsCache, revisionOf } from './registry/read.ts';
import type { Registry } from './registry/store.ts';
import type { DeleteOptions } from './registry/strategy.ts';
import { type SubresourceContext, serveSubresource } from './registry/subresources.ts';
import { openWatch, type WatchQuery } from './registry/watch.ts';
import type { ReviewContext } from './reviews.ts';
import type { WatchCache } from './watch-cache.ts';

export type DispatchContext = ReviewContext & Omit<SubresourceContext, 'wanted'> & { readonly etcdMembers?: ComponentSource['etcdMembers'] };

/** What is said with every answer about these (APILifecycleDeprecated). */
const DEPRECATED: Readonly<Partial<Record<Kind, string>>> = {
  ComponentStatus: 'v1 ComponentStatus is deprecated in v1.19+',
  Endpoints: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
};

export const PATCH_TYPES = ['application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json', APPLY];

/** maxJSONPatchOperations */
const MOST_OPERATIONS = 10_000;

/** Custom kinds have no merge keys, and know no strategic merge. */
const CUSTOM_PATCH_TYPES = PATCH_TYPES.filter((type) => !type.includes('strategic'));

/** Serves one call. Rejects with ApiError or EtcdError. */
export async function dispatch(context: DispatchContext, call: Call): Promise<ApiResponse> {
  const { row, path, verb } = call;
  const form = negotiate(call.request.headers['accept']);
  const custom = customOf(row);
  const deprecation = custom ? custom.deprecation : call.request.typed ? undefined : DEPRECATED[row.type];
  if (deprecation) call.warn(deprecation);
  const now = () => context.registry.self.clock.now();
  const time = () => context.registry.timestamp();
  if (!call.request.typed && (verb === 'create' || verb === 'update' || verb === 'patch')) {
    border().checkOptions(call);
    border().checkWriteOptions(call);
  }
  const present = (status: number, object: object): ApiResponse =>
    answer(call, status, presentOne(row, form, call.parameter('includeObject'), object as KubeObject, now(), call.request.typed));
  if (path.subresource !== '') {
    if (!row.subresources.some((subresource) => subresource.name === path.subresource)) throw noSuchPath();
    const stored = call.derive(path, storageRow(row));
    const { status, body, response } = await serveSubresource(
      { ...context, wanted: (_, kind, expected, current) => wanted(call, kind, expected, current, time()) },
      stored,
    );
    if (response) return response;
    const own = (body as KubeObject).kind === stored.row.kind && (body as KubeObject).apiVersion === apiVersionOf(stored.row);
    if ((body as KubeObject).kind === 'Scale') return present(status, body as KubeObject);
    return own ? present(status, fromStorage(row, body as KubeObject)) : answer(call, status, body as unknown as Json);
  }
  if (row.type === 'ComponentStatus') return components(context, call, form);
  if (row.prefix === '') return answer(call, 201, await virtual(context, call));
  const read = verb === 'get' || verb === 'list' || verb === 'watch';
  if (!read && !row.verbs.includes(verb)) throw methodNotAllowed();
  if (!call.request.typed && (verb === 'list' || verb === 'watch' || verb === 'deletecollection')) border().checkListOptions(call);
  const { registry } = context;
  const write = row === storageRow(row) ? call : call.derive(path, storageRow(row));
  const shown = (object: KubeObject) => fromStorage(row, object);
  // A version that is not the stored one has defaults of its own, which are filled in before it is converted.
  const stored = (object: KubeObject) => (write === call ? object : toStorage(row, registry.rules.defaults(row, object)));
  switch (verb) {
    case 'get': {
      const object = await getObject(registry.self, registry.storage, row, call.namespace, path.name, call.parameter('resourceVersion'));
      call.resume();
      call.stage('api.read', { from: call.parameter('resourceVersion') ? 'cache' : 'etcd' });
      return present(200, custom ? await inVersion(row, object) : object);
    }
    case 'list': {
      const query = listQuery(call);
      const list = await listObjects(registry.self, registry.storage, row, filterOf(call), query);
      call.resume();
      call.stage('api.read', { from: readsCache(query) ? 'cache' : 'etcd', items: list.items.length });
      const shownList = custom?.convertAll ? { ...list, items: await custom.convertAll(list.items) } : list;
      return answer(call, 200, presentList(row, form, call.parameter('includeObject'), shownList, now(), call.request.typed) as unknown as Json);
    }
    case 'watch':
      return serveWatch(registry.self, registry.storage.cache, call);
    case 'create': {
      if (path.name !== '' || (row.namespaced && path.namespace === '')) throw methodNotAllowed();
      const body = placed(call, bodyObject(call, row.type, expectedOf(row)), '');
      return present(201, shown(await registry.create(write, stored(body))));
    }
    case 'update':
    case 'patch': {
      const missing = () => {
        const fresh = whenMissing(context, call);
        return fresh && stored(fresh);
      };
      const next = (current: KubeObject) => stored(placed(call, withName(call, wanted(call, row.type, expectedOf(row), shown(current), time())), path.name));
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
      return answer(
        call,
        200,
        presentList(row, { ...form, as: 'object' }, undefined, await deleteCollection(registry, call, write), now(), call.request.typed),
      );
  }
}

const expectedOf = (row: ResourceRow) => ({ apiVersion: apiVersionOf(row), kind: row.kind });

function answer(call: Call, status: number, body: unknown): ApiResponse {
  const headers = call.warnings.length === 0 ? JSON_HEADERS : { ...JSON_HEADERS, warning: call.warnings.map(warning).join(', ') };
  return { status, headers, body: body as Json };
}
const JSON_HEADERS: Readonly<Record<string, string>> = { 'content-type': 'application/json', 'cache-control': 'no-cache, private' };
export const warning = (text: string): string => `299 - ${JSON.stringify(text)}`;

async function components(context: DispatchContext, call: Call, form: Form): Promise<ApiResponse> {
  const { row, path, verb, request } = call;
  if (!row.verbs.includes(verb as 'get')) throw methodNotAllowed();
  const { self } = context.registry;
  const { getComponent, listComponents } = await self.outside(import('./registry/component-status.ts'));
  const source: ComponentSource = { self, dialService: context.dialService, etcdMembers: context.etcdMembers };
  const include = call.parameter('includeObject');
  if (verb === 'get') {
    const object = await getComponent(source, path.name);
    call.resume();
    return answer(call, 200, presentOne(row, form, include, object, self.clock.now(), request.typed));
  }
  const { matches } = filterOf(call);
  const items = (await listComponents(source)).filter((item) => matches === undefined || matches(item));
  call.resume();
  return answer(call, 200, presentList(row, form, include, listOf(row, items, { resourceVersion: '' }), self.clock.now(), request.typed));
}

/** Reviews, and Binding posted to its own collection. */
async function virtual(context: DispatchContext, call: Call): Promise<object> {
  const { row, path } = call;
  if (call.verb !== 'create') throw methodNotAllowed();
  const body = bodyObject(call, row.type, expectedOf(row));
  if (row.kind !== 'Binding') {
    // Nobody reviews while a cluster boots: brought in for each, so that no world can tell.
    const { prepareReview, review } = await context.registry.self.outside(import('./reviews.ts'));
    await prepareReview(context, call, body);
    return review(context, call, body);
  }
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
function wanted(call: Call, kind: Kind, expected: { apiVersion: string; kind: string }, current: KubeObject, time: string): KubeObject {
  if (call.verb !== 'patch') return bodyObject(call, kind, expected);
  const type = mediaType(call.request);
  const types = customOf(call.row) ? CUSTOM_PATCH_TYPES : PATCH_TYPES;
  if (!types.includes(type)) throw unsupportedMediaType(types);
  const patch = patchValue(call, type);
  if (type === APPLY && call.path.subresource !== 'scale') return checkedApply(call, kind, border().applied(call, call.row, current, patch, time));
  const { typed } = call.request;
  // A patch of the managed fields themselves finds them in the form it knows; any other leaves them alone.
  const before = (typed ? current : touchesManagedFields(patch) ? shownTo(call.row, current, typed) : withLedger(current, undefined)) as unknown as Json;
  let after: Json;
  try {
    if (type === PATCH_TYPES[0]) {
      if (Array.isArray(patch) && patch.length > MOST_OPERATIONS) throw tooManyOperations(MOST_OPERATIONS, patch.length);
      after = border().applyJsonPatch(before, patch);
    } else if (type === PATCH_TYPES[1]) after = applyMergePatch(before, patch);
    else after = applyStrategicMergePatch(kind, before, patch);
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    if (error.code === 400) throw badRequest(error.message);
    // What was wrong is not told (NewGenericServerResponse of an expected answer).
    throw failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
  }
  const strategic = type === PATCH_TYPES[2];
  after = typed ? withoutEmptyMetadata(after) : border().ofSameKind(after, expected, strategic, customOf(call.row) !== undefined);
  return checked(call, kind, after, call.row.version, { patch, strategic });
}

/** The value of a patch's body. Throws 400 in the words of its kind. */
function patchValue(call: Call, type: string): Json {
  try {
    return bodyValue(call.request, type === APPLY ? 'application/yaml' : 'application/json') ?? {};
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    throw badRequest(type === PATCH_TYPES[2] ? error.words : `error decoding patch: ${error.words}`);
  }
}

/** What an apply made, as its type has it; whose it is stays aside meanwhile. */
const checkedApply = (call: Call, kind: Kind, object: KubeObject): KubeObject =>
  withLedger(checked(call, kind, withLedger(object, undefined) as unknown as Json, call.row.version), ledgerOf(object));

const touchesManagedFields = (patch: Json): boolean => JSON.stringify(patch).includes('managedFields');

/** PUT of a name that does not exist creates some kinds; server-side apply creates any. */
function whenMissing({ registry }: DispatchContext, call: Call): KubeObject | undefined {
  const { row, path } = call;
  const apply = call.verb === 'patch' && mediaType(call.request) === APPLY;
  if (!apply && !(call.verb === 'update' && registry.strategy(row).createsOnUpdate)) return undefined;
  const body = apply
    ? checkedApply(call, row.type, border().applied(call, row, undefined, bodyValue(call.request, 'application/yaml') ?? null, registry.timestamp()))
    : bodyObject(call, row.type, expectedOf(row));
  if (apply && body.metadata?.uid)
    throw conflict(row.group, row.plural, path.name, `uid mismatch: the provided object specified uid ${body.metadata.uid}, and no existing object was found`);
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
  if (!call.request.typed) border().checkDeleteOptions(options);
  return options;
}

async function deleteCollection(registry: Registry, call: Call, write: Call): Promise<ListResult> {
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
  const custom = customOf(call.row);
  const show = presentation(call, () => self.clock.now());
  let opened: ReturnType<typeof openWatch>;
  try {
    opened = openWatch(cache, call.row, filterOf(call), watchQuery(call), custom?.convertAll ? (object) => object : show, pipe);
  } catch (error) {
    // Who was let in and asked rightly hears the rest as an event (cacher.go, newErrorWatcher).
    if (!(error instanceof ApiError && error.code === 410)) throw error;
    pipe.write({ type: 'ERROR', object: error.status });
    pipe.close();
    return { status: 200, headers: WATCH_HEADERS, stream: pipe };
  }
  const { close, watcher } = opened;
  const asked = Number(call.parameter('timeoutSeconds') ?? 0);
  const timeout = asked > 0 ? seconds(asked) : seconds(MIN_WATCH_SECONDS) + self.rng.between(0, seconds(MIN_WATCH_SECONDS));
  const cancel = self.clock.after(timeout, () => {
    watcher.bookmark(cache.revision);
    close();
  });
  pipe.onCancel(cancel);
  return { status: 200, headers: WATCH_HEADERS, stream: custom?.convertAll ? convertedWatch(pipe, custom.convertAll, show) : pipe };
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
