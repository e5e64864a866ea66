/**
 * A small API server in memory for tests of clients and controllers: list, watch, create, update, patch,
 * delete with resourceVersions, finalizers, graceful pod deletion and propagation policies; no
 * validation, no defaults, no admission. Not the product's API server.
 */
import { ms } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';
import type { Json } from '../api/json.ts';
import type { KubeObject, ObjectMeta } from '../api/meta.ts';
import { type ApiHandler, type ApiRequest, type ApiResponse, TransportError, type WatchEvent } from '../api/request.ts';
import { byPlural, parsePath, type ResourceRow } from '../api/resources.ts';
import { Pipe } from '../api/stream.ts';
import { timestamp } from '../api/time.ts';

type Stored = KubeObject & { readonly spec?: unknown; readonly status?: unknown };
type Body = Record<string, unknown> & { metadata: ObjectMeta; kind: string; apiVersion: string };

export interface FakeApiServer {
  readonly handler: ApiHandler;
  /** How long watch events take; 1 ms unless changed. */
  watchLag: number;
  /** Requests answered, newest last: `POST /api/v1/namespaces/default/pods`. Watches and lists included. */
  readonly log: string[];
  down(): void;
  up(): void;
  /** Forgets history: watches from before end with 410. */
  compact(): void;
  /** The object as stored: `get('pods', 'default/web')`. */
  get(plural: string, key: string): Stored | undefined;
  all(plural: string): Stored[];
  /** Writes without a request, as somebody else. */
  put(plural: string, object: object): Stored;
  edit(plural: string, key: string, change: (object: Stored) => object): void;
  remove(plural: string, key: string): void;
}

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

export function createFakeApiServer(self: Process): FakeApiServer {
  const objects = new Map<string, Stored>();
  const history: { rv: number; plural: string; event: WatchEvent<Stored>; before: Stored | undefined }[] = [];
  const watchers = new Set<{ plural: string; select: (o: Stored) => boolean; pipe: Pipe<WatchEvent<unknown>>; from: number }>();
  const log: string[] = [];
  let rv = 100;
  let compacted = 0;
  let isDown = false;
  let uids = 0;

  const idOf = (plural: string, namespace: string | undefined, name: string) => `${plural}|${namespace ? `${namespace}/` : ''}${name}`;
  const record = (plural: string, type: 'ADDED' | 'MODIFIED' | 'DELETED', object: Stored, before?: Stored) => {
    const entry = { rv, plural, event: { type, object }, before };
    history.push(entry);
    for (const watcher of watchers) if (watcher.plural === plural) deliver(watcher, entry);
  };
  const deliver = (watcher: { select: (o: Stored) => boolean; pipe: Pipe<WatchEvent<unknown>> }, entry: (typeof history)[number]) => {
    const is = watcher.select(entry.event.object);
    const was = entry.before ? watcher.select(entry.before) : false;
    if (entry.event.type === 'DELETED' ? !was && !is : !is && !was) return;
    const type = entry.event.type === 'DELETED' || !is ? 'DELETED' : was ? 'MODIFIED' : 'ADDED';
    self.clock.after(server.watchLag, () => watcher.pipe.write({ type, object: entry.event.object }));
  };
  const store = (plural: string, object: Body, before?: Stored): Stored => {
    rv++;
    const stored = freeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(rv) } }) as unknown as Stored;
    objects.set(idOf(plural, stored.metadata.namespace, stored.metadata.name!), stored);
    record(plural, before ? 'MODIFIED' : 'ADDED', stored, before);
    return stored;
  };
  const erase = (plural: string, object: Stored): Stored => {
    rv++;
    const last = freeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(rv) } });
    objects.delete(idOf(plural, object.metadata.namespace, object.metadata.name!));
    record(plural, 'DELETED', last, object);
    return last;
  };
  const create = (plural: string, body: Body): Stored => {
    const metadata = { ...body.metadata };
    metadata.name ??= `${metadata.generateName ?? ''}${self.rng.text(5, ALPHABET)}`;
    metadata.uid ??= `uid-${++uids}`;
    metadata.creationTimestamp ??= timestamp(self.clock.now());
    if (body['spec'] !== undefined) metadata.generation ??= 1;
    const extra = body.kind === 'Namespace' ? { spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } } : {};
    return store(plural, { ...body, ...extra, metadata });
  };
  const replace = (plural: string, before: Stored, next: Body, subresource: string): Stored => {
    const kept = before as unknown as Body;
    const metadata = { ...next.metadata, uid: before.metadata.uid!, creationTimestamp: before.metadata.creationTimestamp! };
    if (before.metadata.deletionTimestamp) metadata.deletionTimestamp = before.metadata.deletionTimestamp;
    const merged: Body =
      subresource === 'status'
        ? // As the registry: annotations may ride on a status update, labels may not.
          { ...kept, metadata: { ...kept.metadata, ...(metadata.annotations ? { annotations: metadata.annotations } : {}) }, status: next['status'] }
        : { ...next, metadata, ...(kept['status'] === undefined ? {} : { status: next.kind === 'Namespace' ? next['status'] : kept['status'] }) };
    if (subresource !== 'status' && JSON.stringify(kept['spec']) !== JSON.stringify(merged['spec']))
      merged.metadata = { ...merged.metadata, generation: (before.metadata.generation ?? 0) + 1 };
    const same =
      JSON.stringify({ ...merged, metadata: { ...merged.metadata, resourceVersion: '' } }) ===
      JSON.stringify({ ...kept, metadata: { ...kept.metadata, resourceVersion: '' } });
    if (same) return before;
    const finalizers =
      merged.kind === 'Namespace'
        ? [...((merged['spec'] as { finalizers?: string[] })?.finalizers ?? []), ...(merged.metadata.finalizers ?? [])]
        : (merged.metadata.finalizers ?? []);
    if (before.metadata.deletionTimestamp && finalizers.length === 0 && subresource !== 'status' && merged.kind !== 'Pod')
      return erase(plural, merged as unknown as Stored);
    return store(plural, merged, before);
  };
  const remove = (plural: string, object: Stored, options: { gracePeriodSeconds?: number; propagationPolicy?: string } = {}): Stored => {
    const finalizers = new Set(object.metadata.finalizers ?? []);
    if (options.propagationPolicy === 'Foreground') finalizers.add('foregroundDeletion');
    if (options.propagationPolicy === 'Orphan') finalizers.add('orphan');
    const spec = object.spec as { nodeName?: string; terminationGracePeriodSeconds?: number } | undefined;
    const grace = object.kind === 'Pod' && spec?.nodeName ? (options.gracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30) : 0;
    if (finalizers.size === 0 && grace === 0 && object.kind !== 'Namespace') return erase(plural, object);
    if (object.metadata.deletionTimestamp && object.metadata.deletionGracePeriodSeconds === grace) return object;
    const metadata = {
      ...object.metadata,
      deletionTimestamp: timestamp(self.clock.now()),
      deletionGracePeriodSeconds: grace,
      ...(finalizers.size > 0 ? { finalizers: [...finalizers] } : {}),
    };
    return store(plural, { ...(object as unknown as Body), metadata, ...(object.kind === 'Namespace' ? { status: { phase: 'Terminating' } } : {}) }, object);
  };

  const failure = (code: number, reason: string, message: string, causes?: { reason: string; message: string }[]): ApiResponse => ({
    status: code,
    headers: {},
    body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code, ...(causes ? { details: { causes } } : {}) } as Json,
  });
  const ok = (body: unknown, status = 200): ApiResponse => ({ status, headers: {}, body: body as Json });

  const answer = (request: ApiRequest): ApiResponse => {
    const at = parsePath(request.path);
    const row = at && byPlural(at.group, at.version, at.resource);
    if (!at || !row) return failure(404, 'NotFound', 'the server could not find the requested resource');
    const { plural } = row;
    const namespace = row.namespaced ? at.namespace : '';
    const select = selection(request, namespace);
    if (request.method === 'GET' && !at.name) {
      if (request.query['watch'] === 'true') return watch(row, select, Number(request.query['resourceVersion'] ?? 0));
      return ok({
        kind: `${row.kind}List`,
        apiVersion: 'v1',
        metadata: { resourceVersion: String(rv) },
        items: [...objects].filter(([id, o]) => id.startsWith(`${plural}|`) && select(o)).map(([, o]) => o),
      });
    }
    const body = request.body as unknown as Body;
    if (request.method === 'DELETE' && !at.name) {
      for (const [id, o] of [...objects]) if (id.startsWith(`${plural}|`) && select(o)) remove(plural, o);
      return ok({ kind: `${row.kind}List`, apiVersion: 'v1', metadata: { resourceVersion: String(rv) }, items: [] });
    }
    if (request.method === 'POST' && !at.name) {
      const metadata = { ...body.metadata, ...(row.namespaced ? { namespace } : {}) };
      if (metadata.name && objects.has(idOf(plural, namespace, metadata.name)))
        return failure(409, 'AlreadyExists', `${plural} "${metadata.name}" already exists`);
      const home = row.namespaced ? objects.get(idOf('namespaces', '', namespace)) : undefined;
      if (home?.metadata.deletionTimestamp)
        return failure(403, 'Forbidden', `forbidden: unable to create new content in namespace ${namespace} because it is being terminated`, [
          { reason: 'NamespaceTerminating', message: '' },
        ]);
      return ok(create(plural, { ...body, metadata }), 201);
    }
    const object = objects.get(idOf(plural, namespace, at.name));
    if (!object) return failure(404, 'NotFound', `${plural} "${at.name}" not found`);
    if (request.method === 'GET') return ok(object);
    if (request.method === 'POST' && at.subresource === 'binding') {
      const node = (body as unknown as { target: { name: string } }).target.name;
      return ok(store(plural, { ...(object as unknown as Body), spec: { ...(object.spec as object), nodeName: node } }, object), 201);
    }
    if (request.method === 'PUT') {
      if (body.metadata.resourceVersion && body.metadata.resourceVersion !== object.metadata.resourceVersion)
        return failure(
          409,
          'Conflict',
          `Operation cannot be fulfilled on ${plural} "${at.name}": the object has been modified; please apply your changes to the latest version and try again`,
        );
      return ok(replace(plural, object, body, at.subresource));
    }
    if (request.method === 'PATCH') return ok(replace(plural, object, merge(object, request.body) as Body, at.subresource));
    const options = (body ?? {}) as unknown as { gracePeriodSeconds?: number; propagationPolicy?: string; preconditions?: { uid?: string } };
    if (options.preconditions?.uid && options.preconditions.uid !== object.metadata.uid)
      return failure(409, 'Conflict', 'the UID in the precondition does not match');
    return ok(remove(plural, object, options));
  };

  const watch = (row: ResourceRow, select: (o: Stored) => boolean, from: number): ApiResponse => {
    if (from < compacted) return failure(410, 'Expired', `too old resource version: ${from} (${compacted})`);
    const pipe = new Pipe<WatchEvent<unknown>>();
    const watcher = { plural: row.plural, select, pipe, from };
    watchers.add(watcher);
    pipe.onCancel(() => watchers.delete(watcher));
    for (const entry of history) if (entry.rv > from && entry.plural === row.plural) deliver(watcher, entry);
    return { status: 200, headers: {}, stream: pipe };
  };

  const byKey = (plural: string, key: string) => objects.get(`${plural}|${key}`);
  const server: FakeApiServer = {
    watchLag: ms(1),
    handler: async (request) => {
      await self.clock.sleep(ms(1));
      if (isDown) throw new TransportError('dial tcp 10.0.0.10:6443: connect: connection refused');
      log.push(`${request.method} ${request.path}`);
      const response = answer(request);
      await self.clock.sleep(ms(1));
      return response;
    },
    log,
    down: () => {
      isDown = true;
      for (const watcher of watchers) watcher.pipe.close(new TransportError('unexpected EOF'));
      watchers.clear();
    },
    up: () => {
      isDown = false;
    },
    compact: () => {
      compacted = rv;
      history.length = 0;
    },
    get: byKey,
    all: (plural) => [...objects].filter(([id]) => id.startsWith(`${plural}|`)).map(([, o]) => o),
    put: (plural, object) => create(plural, object as Body),
    edit: (plural, key, change) => {
      const before = byKey(plural, key);
      if (!before) throw new Error(`no ${plural} ${key}`);
      const next = change(before) as Body;
      const bump = JSON.stringify(next['spec']) !== JSON.stringify(before.spec) ? { generation: (before.metadata.generation ?? 0) + 1 } : {};
      store(plural, { ...next, metadata: { ...next.metadata, ...bump } }, before);
    },
    remove: (plural, key) => {
      const object = byKey(plural, key);
      if (object) erase(plural, object);
    },
  };
  return server;
}

function selection(request: ApiRequest, namespace: string): (o: Stored) => boolean {
  const terms = (text: unknown) => (typeof text === 'string' && text ? text.split(',').map((term) => term.split('=').filter(Boolean)) : []);
  const labels = terms(request.query['labelSelector']);
  const fields = terms(request.query['fieldSelector']);
  return (o) =>
    (!namespace || o.metadata.namespace === namespace) &&
    labels.every(([k, v]) => o.metadata.labels?.[k!] === v) &&
    fields.every(([k, v]) => {
      let at: unknown = o;
      for (const part of k!.split('.')) at = (at as Record<string, unknown> | undefined)?.[part];
      return at === v;
    });
}

function merge(target: unknown, patch: unknown): unknown {
  // Lists go whole, without those they say are gone.
  if (Array.isArray(patch)) return patch.filter((item: { readonly $patch?: string } | null) => item?.$patch !== 'delete');
  if (patch === null || typeof patch !== 'object') return patch;
  const result: Record<string, unknown> =
    typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...(target as Record<string, unknown>) } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}

function freeze<T>(value: T): T {
  if (value === null || typeof value !== 'object' || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) freeze(inner);
  return Object.freeze(value);
}
