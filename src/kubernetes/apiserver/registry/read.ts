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
import type { ResourceRow } from '../../api/resources.ts';
import { apiVersionOf, storageKey } from '../../api/resources.ts';
import { EtcdError } from '../../etcd/api.ts';
import { base64url, fromBase64url } from '../base64.ts';
import { fromStorage } from '../conversion.ts';
import { badRequest, expired, notFound, tooLargeResourceVersion } from '../errors.ts';
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
  if (!/^\d+$/.test(text)) throw badRequest(`Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
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
  kind: `${row.kind}List`,
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
  checkMatch(query, revision);
  const exact = query.match === 'Exact' || (revision !== undefined && revision > 0 && query.limit > 0 && query.match === undefined);
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

function checkMatch({ match, continueToken }: ListQuery, revision: number | undefined): void {
  if (match !== undefined) {
    if (match !== 'Exact' && match !== 'NotOlderThan')
      throw badRequest(`resourceVersionMatch: Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan"`);
    if (revision === undefined) throw badRequest('resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided');
    if (match === 'Exact' && revision === 0)
      throw badRequest('resourceVersionMatch: Forbidden: resourceVersionMatch "Exact" is forbidden for resourceVersion "0"');
    if (continueToken) throw badRequest('resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided');
  }
  if (continueToken && revision !== undefined && revision !== 0) {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
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
        const object = fromStorage(row, storage.cache.stored(kv).object);
        if (filter.matches === undefined || filter.matches(object)) items.push(object);
      }
      const last = kvs[kvs.length - 1];
      if (!more || !last) return listOf(row, items, { resourceVersion: String(revision) });
      from = `${last.key}\0`;
      if (items.length < limit) continue;
      const next = base64url(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start: from.slice(prefix.length) }));
      const remaining = filter.matches === undefined && filter.scope.nodeName === undefined ? count - kvs.length : undefined;
      return listOf(row, items, { resourceVersion: String(revision), continue: next, ...(remaining !== undefined ? { remainingItemCount: remaining } : {}) });
    }
  } catch (error) {
    if (error instanceof EtcdError && error.message.includes('required revision has been compacted')) {
      if (token === undefined) throw expired(`The resourceVersion for the provided list is too old.`);
      throw expired(
        'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
      );
    }
    throw error;
  }
}

function readToken(token: string): Place {
  try {
    const place = JSON.parse(fromBase64url(token)) as { v?: string; rv?: number; start?: string };
    if (place.v === 'meta.k8s.io/v1' && typeof place.rv === 'number' && typeof place.start === 'string') return { rv: place.rv, start: place.start };
  } catch {
    // Falls through to the one answer for every token that is not ours.
  }
  throw badRequest('continue key is not valid: illegal base64 data');
}
