/**
 * Reading: get, list and watch, each from the watch cache or from etcd as the resourceVersion asks
 * (apiserver `pkg/storage/cacher/cacher.go`; the table in the API concepts page of the documentation).
 *
 * Here simplified: items of a list carry kind and apiVersion, because they are the very objects the
 * cache holds; a list of page and revision limits is served by etcd, all else from the cache.
 */
import { seconds } from '../../../sim/clock.ts';
import { defer } from '../../../sim/mailbox.ts';
import type { Process } from '../../../sim/process.ts';
import type { KubeObject } from '../../api/meta.ts';
import { ApiError } from '../../api/request.ts';
import type { ResourceRow } from '../../api/resources.ts';
import { apiVersionOf, storageKey } from '../../api/resources.ts';
import { EtcdError } from '../../etcd/api.ts';
import { customOf } from '../apiextensions/custom-kind.ts';
import { base64url, fromBase64url } from '../base64.ts';
import { fromStorage } from '../conversion.ts';
import { badRequest, expired, failure, notFound, tooLargeResourceVersion } from '../errors.ts';
import type { Filter } from '../filter.ts';
import type { Stored } from '../resource-cache.ts';
import type { Storage } from '../storage.ts';
import type { WatchCache } from '../watch-cache.ts';

export interface ListQuery {
  readonly resourceVersion: string | undefined;
  readonly match: string | undefined;
  readonly limit: number;
  readonly continueToken: string | undefined;
}

export interface ListResult {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string; readonly remainingItemCount?: number };
  readonly items: readonly KubeObject[];
}

/** How long a read waits for the cache to catch up with a revision it has not seen (upstream `blockTimeout`). */
const CATCH_UP = seconds(3);

/** A resourceVersion as a number; throws BadRequest otherwise. */
export function revisionOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d+$/.test(text)) {
    // No Status of its own upstream (storage.InvalidError), so the server's fault.
    const quoted = JSON.stringify(text);
    throw failure(500, '', `resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: invalid syntax`);
  }
  return Number(text);
}

/** Waits until the cache has reached `revision`. Rejects with a Timeout after three seconds. */
export async function reached(self: Process, cache: WatchCache, revision: number): Promise<void> {
  if (cache.revision >= revision) return;
  const { promise, resolve, reject } = defer<void>(self.clock);
  const forget = cache.whenReached(revision, () => {
    giveUp();
    resolve();
  });
  const giveUp = self.clock.after(CATCH_UP, () => {
    forget();
    reject(tooLargeResourceVersion(revision, cache.revision));
  });
  await promise;
}

export async function getObject(
  self: Process,
  storage: Storage,
  row: ResourceRow,
  namespace: string,
  name: string,
  resourceVersion: string | undefined,
): Promise<KubeObject> {
  const key = storageKey(row, namespace, name);
  const revision = revisionOf(resourceVersion);
  let stored: Stored | undefined;
  if (revision === undefined) stored = await storage.get(key);
  else {
    if (revision > 0) await reached(self, storage.cache, revision);
    stored = storage.cache.get(key);
  }
  if (!stored) throw notFound(row.group, row.plural, name);
  return fromStorage(row, stored.object);
}

/** Where a collection begins in etcd. */
export const prefixOf = (row: ResourceRow, namespace: string | undefined): string =>
  row.namespaced && namespace ? `${row.prefix}/${namespace}/` : `${row.prefix}/`;

export const listOf = (row: ResourceRow, items: readonly KubeObject[], metadata: ListResult['metadata']): ListResult => ({
  kind: customOf(row)?.listKind ?? `${row.kind}List`,
  apiVersion: apiVersionOf(row),
  metadata,
  items,
});

/** From the cache: synchronous, and as current as the cache is. */
export function listCached(cache: WatchCache, row: ResourceRow, filter: Filter): ListResult {
  const items: KubeObject[] = [];
  for (const stored of cached(cache, row, filter)) {
    const object = fromStorage(row, stored.object);
    if (filter.matches === undefined || filter.matches(object)) items.push(object);
  }
  return listOf(row, items, { resourceVersion: String(cache.revision) });
}

function cached(cache: WatchCache, row: ResourceRow, { scope }: Filter): Iterable<Stored> {
  if (scope.name !== undefined && (scope.namespace !== undefined || !row.namespaced)) {
    const one = cache.get(storageKey(row, scope.namespace ?? '', scope.name));
    return one ? [one] : [];
  }
  return cache.under(prefixOf(row, scope.namespace));
}

export async function listObjects(self: Process, storage: Storage, row: ResourceRow, filter: Filter, query: ListQuery): Promise<ListResult> {
  const revision = revisionOf(query.resourceVersion);
  if (query.continueToken && revision !== undefined && revision !== 0) throw badRequest('specifying resource version is not allowed when using continue');
  const exact = isExact(query, revision);
  const cache = storage.cache;
  if (query.continueToken === undefined && !exact) {
    if (revision !== undefined) {
      if (revision > 0) await reached(self, cache, revision);
      return listCached(cache, row, filter);
    }
    // A consistent read without paging: what etcd says now, as soon as the cache has it (KEP-2340).
    if (query.limit === 0) {
      await reached(self, cache, await storage.revision());
      return listCached(cache, row, filter);
    }
  }
  return listPaged(storage, row, filter, query.limit, exact ? (revision ?? 0) : 0, query.continueToken);
}

const isExact = ({ match, limit }: ListQuery, revision: number | undefined): boolean =>
  match === 'Exact' || (revision !== undefined && revision > 0 && limit > 0 && match === undefined);

/** Whether a list is answered from the watch cache, or page by page by etcd. */
export function readsCache(query: ListQuery): boolean {
  const revision = revisionOf(query.resourceVersion);
  return query.continueToken === undefined && !isExact(query, revision) && (revision !== undefined || query.limit === 0);
}

interface Place {
  readonly rv: number;
  readonly start: string;
}

async function listPaged(
  storage: Storage,
  row: ResourceRow,
  filter: Filter,
  limit: number,
  atRevision: number,
  token: string | undefined,
): Promise<ListResult> {
  const prefix = prefixOf(row, filter.scope.namespace);
  let from = prefix;
  let revision = atRevision;
  if (token !== undefined) {
    const place = readToken(token);
    from = prefix + place.start;
    revision = Math.max(place.rv, 0);
  }
  const items: KubeObject[] = [];
  try {
    for (;;) {
      const { kvs, more, count, header } = await storage.range(prefix, from, limit === 0 ? 0 : limit - items.length, revision);
      if (revision === 0) revision = header.revision;
      for (const kv of kvs) {
        const stored = storage.cache.readable(kv);
        if (!stored) continue;
        const object = fromStorage(row, stored.object);
        if (filter.matches === undefined || filter.matches(object)) items.push(object);
      }
      const last = kvs[kvs.length - 1];
      if (!more || !last) return listOf(row, items, { resourceVersion: String(revision) });
      from = `${last.key}\0`;
      if (items.length < limit) continue;
      const next = tokenOf(revision, from.slice(prefix.length));
      const remaining = filter.matches === undefined && filter.scope.nodeName === undefined ? count - kvs.length : undefined;
      return listOf(row, items, { resourceVersion: String(revision), continue: next, ...(remaining !== undefined ? { remainingItemCount: remaining } : {}) });
    }
  } catch (error) {
    if (error instanceof EtcdError && error.message.includes('required revision has been compacted')) {
      if (token === undefined) throw expired(`The resourceVersion for the provided list is too old.`);
      const { status } = expired(
        'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
      );
      throw new ApiError({ ...status, metadata: { continue: tokenOf(-1, from.slice(prefix.length)) } });
    }
    throw error;
  }
}

/** A revision of -1: what there is by then, consistent or not. */
const tokenOf = (rv: number, start: string): string => base64url(JSON.stringify({ v: 'meta.k8s.io/v1', rv, start }));

/** storage.DecodeContinue. Throws 400. */
function readToken(token: string): Place {
  const refuse = (why: string): never => {
    throw badRequest(`invalid continue token: continue key is not valid${why}`);
  };
  const odd = [...token].findIndex((char) => !/[A-Za-z0-9_-]/.test(char));
  if (odd >= 0) refuse(`: illegal base64 data at input byte ${odd}`);
  if (token.length % 4 === 1) refuse(`: illegal base64 data at input byte ${token.length - 1}`);
  let place: { v?: unknown; rv?: unknown; start?: unknown };
  try {
    place = JSON.parse(fromBase64url(token)) as typeof place;
  } catch {
    return refuse(`: invalid character ${quoted(fromBase64url(token))} looking for beginning of value`);
  }
  const { v, rv, start } = place ?? {};
  if (v !== 'meta.k8s.io/v1') return refuse(': server does not recognize this encoded version');
  if (typeof rv !== 'number' || rv === 0) return refuse(': incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  if (typeof start !== 'string' || start === '') return refuse(': encoded start key empty (version meta.k8s.io/v1)');
  return { rv, start };
}

const quoted = (text: string): string => `'${text.trimStart()[0] ?? ''}'`;
