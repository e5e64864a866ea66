/**
 * client-go: the one way to talk to an API server. Everything here also runs on the page, over HTTP or
 * against a real cluster.
 */
import type { DeepReadonly, Json } from '../api/json.ts';
import { type Key, type KubeObject, splitKey } from '../api/meta.ts';
import { ApiError, type ApiHandler, type ApiRequest, type ApiResponse, type Status, type WatchEvent } from '../api/request.ts';
import { apiVersionOf, byKind, collectionPath, objectPath } from '../api/resources.ts';
import type { Stream } from '../api/stream.ts';
import type { Kind, Kinds } from '../api/types.gen.ts';

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersion?: string;
  readonly limit?: number;
  /** Watches only: the server closes after this many seconds. */
  readonly timeoutSeconds?: number;
}
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/** All methods reject with ApiError (the server said no) or TransportError (nobody answered). */
export interface Resource<T extends KubeObject> {
  get(key: Key): Promise<DeepReadonly<T>>;
  list(options?: ListOptions): Promise<{ readonly items: readonly DeepReadonly<T>[]; readonly resourceVersion: string }>;
  /** Bookmarks included. Ends when the server closes; an ERROR event carries a Status (410 Gone: list again). */
  watch(options: ListOptions): Promise<Stream<WatchEvent<DeepReadonly<T>>>>;
  create(object: DeepReadonly<T>): Promise<DeepReadonly<T>>;
  update(object: DeepReadonly<T>): Promise<DeepReadonly<T>>;
  updateStatus(object: DeepReadonly<T>): Promise<DeepReadonly<T>>;
  patch(key: Key, patch: Json, type: 'merge' | 'json' | 'strategic', subresource?: string): Promise<DeepReadonly<T>>;
  delete(key: Key, options?: DeleteOptions): Promise<void>;
  /** POST to a subresource: `binding`, `eviction`, `token`. */
  createSubresource(key: Key, subresource: string, body: Json): Promise<Json>;
}

export interface Client {
  of<K extends Kind>(kind: K): Resource<Kinds[K]>;
  readonly request: ApiHandler;
}

/** A local copy of one kind, kept current by list-then-watch. Reads are synchronous and free. */
export interface Informer<T extends KubeObject> {
  get(key: Key): DeepReadonly<T> | undefined;
  list(namespace?: string): readonly DeepReadonly<T>[];
  /** Objects whose index function gave `value`; `owner` (controller uid) and `namespace` always exist. */
  by(index: string, value: string): readonly DeepReadonly<T>[];
  addIndex(name: string, values: (object: DeepReadonly<T>) => readonly string[]): void;
  /** Called in order, at the instant an event arrives; before undefined: added, after undefined: gone. A listener added late is told of what is already there. */
  onChange(listener: (change: { readonly before?: DeepReadonly<T>; readonly after?: DeepReadonly<T> }) => void): () => void;
  synced(): Promise<void>;
  readonly hasSynced: boolean;
  /** A watch is open at this moment. */
  readonly watching: boolean;
  /** The resourceVersion the copy has reached. */
  readonly resourceVersion: string;
}

export interface ClientOptions {
  readonly handler: ApiHandler;
  readonly userAgent: string;
  readonly certificate?: ApiRequest['certificate'];
  /** Asked before every request, since tokens are renewed. */
  readonly token?: () => string | undefined;
}

/**
 * A client on one API server. Bodies are passed as values; nothing is serialised inside the world.
 * Failures reject with ApiError made of the Status body (client-go's StatusError); what the handler
 * rejects with (TransportError) passes through.
 */
export function createClient(options: ClientOptions): Client {
  const request: ApiHandler = (r) => {
    const token = options.token?.();
    const headers = { 'user-agent': options.userAgent, accept: 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}), ...r.headers };
    return options.handler({ ...r, headers, certificate: r.certificate ?? options.certificate });
  };
  return clientOn(request);
}

/** The typed client on a way to ask that already says who asks: another client's `request`, or a layer over it. */
export function clientOn(request: ApiHandler): Client {
  const resources = new Map<Kind, unknown>();
  return {
    request,
    of: <K extends Kind>(kind: K) => {
      let resource = resources.get(kind) as Resource<Kinds[K]> | undefined;
      if (!resource) {
        resource = createResource<Kinds[K]>(request, kind);
        resources.set(kind, resource);
      }
      return resource;
    },
  };
}

const PATCH_TYPES = { merge: 'application/merge-patch+json', json: 'application/json-patch+json', strategic: 'application/strategic-merge-patch+json' };

/** The typed client on one resource of any row: a kind that a definition brings is in no table. */
export function createResource<T extends KubeObject>(request: ApiHandler, kind: Kind, row = byKind(kind)): Resource<T> {
  type Answer = DeepReadonly<T>;
  const send = async (
    method: ApiRequest['method'],
    path: string,
    query: ApiRequest['query'] = {},
    body?: unknown,
    contentType = 'application/json',
  ): Promise<ApiResponse> => {
    const response = await request({
      method,
      path,
      query,
      headers: body === undefined ? {} : { 'content-type': contentType },
      body: body as Json,
      typed: true,
    });
    if (response.status >= 400) throw new ApiError(statusOf(response));
    return response;
  };
  const pathFor = (key: Key, subresource?: string): string => {
    const { namespace, name } = splitKey(key);
    return objectPath(row, namespace, name, subresource);
  };
  const keyFor = (object: Answer): Key => {
    const metadata = object.metadata as DeepReadonly<KubeObject>['metadata'];
    return metadata.namespace ? `${metadata.namespace}/${metadata.name ?? ''}` : (metadata.name ?? '');
  };
  return {
    get: async (key) => (await send('GET', pathFor(key))).body as unknown as Answer,
    list: async (options = {}) => {
      const body = (await send('GET', collectionPath(row, options.namespace), listQuery(options))).body as unknown as {
        items?: readonly Answer[];
        metadata?: { resourceVersion?: string };
      };
      const items = body.items ?? [];
      // Real API servers leave kind and apiVersion out of the items of a typed list.
      const named = (items[0] as Partial<KubeObject> | undefined)?.kind
        ? items
        : items.map((item) => ({ apiVersion: apiVersionOf(row), kind: row.kind, ...(item as object) }) as unknown as Answer);
      return { items: named, resourceVersion: body.metadata?.resourceVersion ?? '' };
    },
    watch: async (options) => {
      const response = await send('GET', collectionPath(row, options.namespace), { ...listQuery(options), watch: 'true', allowWatchBookmarks: 'true' });
      if (!response.stream) throw new Error(`the answer to a watch of ${kind} was no stream`);
      return response.stream as Stream<WatchEvent<Answer>>;
    },
    create: async (object) => {
      const namespace = (object.metadata as DeepReadonly<KubeObject>['metadata']).namespace ?? '';
      return (await send('POST', collectionPath(row, namespace), {}, object)).body as unknown as Answer;
    },
    update: async (object) => (await send('PUT', pathFor(keyFor(object)), {}, object)).body as unknown as Answer,
    updateStatus: async (object) => (await send('PUT', pathFor(keyFor(object), 'status'), {}, object)).body as unknown as Answer,
    patch: async (key, patch, type, subresource) => (await send('PATCH', pathFor(key, subresource), {}, patch, PATCH_TYPES[type])).body as unknown as Answer,
    delete: async (key, options) => {
      const body = options && { apiVersion: 'v1', kind: 'DeleteOptions', ...options };
      await send('DELETE', pathFor(key), {}, body);
    },
    createSubresource: async (key, subresource, body) => (await send('POST', pathFor(key, subresource), {}, body)).body ?? null,
  };
}

function listQuery(options: ListOptions): Record<string, string> {
  const query: Record<string, string> = {};
  if (options.labelSelector) query['labelSelector'] = options.labelSelector;
  if (options.fieldSelector) query['fieldSelector'] = options.fieldSelector;
  if (options.resourceVersion !== undefined) query['resourceVersion'] = options.resourceVersion;
  if (options.limit !== undefined) query['limit'] = String(options.limit);
  if (options.timeoutSeconds !== undefined) query['timeoutSeconds'] = String(options.timeoutSeconds);
  return query;
}

/** The Status of a failure; an answer without one (a proxy's, say) is described as client-go does. */
function statusOf(response: ApiResponse): Status {
  const body = response.body as Partial<Status> | undefined;
  if (body && typeof body === 'object' && body.kind === 'Status') return body as Status;
  const message =
    typeof response.body === 'string' ? response.body : `the server responded with the status code ${response.status} but did not return more information`;
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason: '', code: response.status };
}
