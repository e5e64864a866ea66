/**
 * Looking without touching: the reads of an API server over an etcd member's own store, for the page.
 *
 * Synchronous and free: no clock moves, no luck is drawn, no fact is recorded. It needs no API server, so it
 * also shows what is there while that is down.
 */
import type { Instant } from '../../sim/clock.ts';
import type { Json } from '../api/json.ts';
import { ApiError, type ApiRequest, type ApiResponse } from '../api/request.ts';
import { byPlural, parsePath, storageKey } from '../api/resources.ts';
import { Pipe } from '../api/stream.ts';
import type { EtcdClient, EtcdEvent, KeyValue, ResponseHeader, WatchResponse } from '../etcd/api.ts';
import { refuse } from './apiserver.ts';
import { isBorderOpen } from './border.ts';
import { fromStorage } from './conversion.ts';
import { WATCH_HEADERS, watchQuery } from './dispatch.ts';
import { methodNotAllowed, noSuchPath, notFound, unavailable } from './errors.ts';
import { createFilter } from './filter.ts';
import { negotiate } from './negotiate.ts';
import { serveStaticPath } from './paths.ts';
import { presentation, presentList, presentOne } from './present.ts';
import { listCached } from './registry/read.ts';
import { openWatch } from './registry/watch.ts';
import { seen } from './stored-text.ts';
import { REGISTRY, REGISTRY_END, WatchCache } from './watch-cache.ts';

/** A member's store as far as an observer needs it; etcd's `MvccStore` is one. */
export interface ObservableStore {
  /** What there is in [key, rangeEnd), now, in key order. */
  range(request: { readonly key: string; readonly rangeEnd: string }): { readonly kvs: readonly KeyValue[]; readonly revision: number };
  /** Calls back synchronously after every applied change, in order. Returns what stops it. */
  observe(listener: (events: readonly EtcdEvent[], revision: number) => void): () => void;
}

export interface ObserverOptions {
  readonly store: ObservableStore;
  now(): Instant;
}

export interface Observer {
  /** GET only: an object, a list, a watch (as a stream), discovery. Never throws; failures are Status answers. */
  handle(request: ApiRequest): ApiResponse;
  /** Look at another member's store from now on (the one before crashed). Watches end; readers list again. */
  attach(store: ObservableStore): void;
}

const HEADER: ResponseHeader = { clusterId: '', memberId: '', revision: 0, raftTerm: 0 };

export function createObserver({ store, now }: ObserverOptions): Observer {
  const source = new StoreSource(store);
  // Opened by the first who looks: until then it costs nothing.
  let cache: WatchCache | undefined;
  return {
    handle(request) {
      // Tables and discovery are made at the border; what it needs is on its way when a world begins.
      if (!isBorderOpen() && (parsePath(request.path) === undefined || /as=Table/.test(request.headers['accept'] ?? '')))
        return refuse(unavailable('not loaded yet'));
      try {
        cache ??= source.open(now);
        return observe(cache, now, request);
      } catch (error) {
        if (error instanceof ApiError) return refuse(error);
        throw error;
      }
    },
    attach(next) {
      for (const resource of cache?.all() ?? []) for (const watcher of [...resource.allWatchers()]) watcher.end();
      source.close();
      source.store = next;
      cache = undefined;
    },
  };
}

/** A watch cache fed from the store directly instead of by an etcd client. */
class StoreSource {
  private stop: (() => void) | undefined;
  constructor(public store: ObservableStore) {}

  open(now: () => Instant): WatchCache {
    const cache = new WatchCache(NO_CLIENT, now, seen);
    const { kvs, revision } = this.store.range({ key: REGISTRY, rangeEnd: REGISTRY_END });
    cache.load(kvs, revision);
    this.stop = this.store.observe((events, at) => cache.take({ header: { ...HEADER, revision: at }, events } satisfies WatchResponse));
    return cache;
  }

  close(): void {
    this.stop?.();
  }
}

/** The observer's cache never asks anybody. */
const NO_CLIENT = {} as EtcdClient;

function observe(cache: WatchCache, now: () => Instant, request: ApiRequest): ApiResponse {
  if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed();
  const path = parsePath(request.path);
  if (!path) return serveStaticPath(request, true) ?? refuse(noSuchPath());
  const row = byPlural(path.group, path.version, path.resource);
  if (!row || row.prefix === '' || path.subresource !== '') throw noSuchPath();
  const namespace = row.namespaced ? path.namespace : '';
  const parameter = (name: string): string | undefined => {
    const value = request.query[name];
    return typeof value === 'string' || value === undefined ? value : value[0];
  };
  const flag = (name: string) => !['', 'false', '0'].includes(parameter(name) ?? '');
  const filter = () => createFilter(row, namespace, path.name, parameter('labelSelector'), parameter('fieldSelector'));
  if (flag('watch')) {
    const pipe = new Pipe<unknown>();
    openWatch(cache, row, filter(), watchQuery({ parameter, flag }), presentation({ row, parameter, request }, now), pipe);
    return { status: 200, headers: WATCH_HEADERS, stream: pipe };
  }
  const form = negotiate(request.headers['accept']);
  const headers = { 'content-type': 'application/json' };
  if (path.name === '')
    return { status: 200, headers, body: presentList(row, form, parameter('includeObject'), listCached(cache, row, filter()), now()) as unknown as Json };
  const stored = cache.get(storageKey(row, namespace, path.name));
  if (!stored) throw notFound(row.group, row.plural, path.name);
  return { status: 200, headers, body: presentOne(row, form, parameter('includeObject'), fromStorage(row, stored.object), now()) as unknown as Json };
}
