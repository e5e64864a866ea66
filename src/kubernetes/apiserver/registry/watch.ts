/**
 * A watch: what already is (if asked), what happened since, then what happens, each as seen through the
 * watcher's selectors: an object that begins to match is ADDED to it, one that ceases to match DELETED.
 */
import type { KubeObject } from '../../api/meta.ts';
import type { Status, WatchEvent } from '../../api/request.ts';
import { apiVersionOf, type ResourceRow } from '../../api/resources.ts';
import type { Pipe } from '../../api/stream.ts';
import { fromStorage } from '../conversion.ts';
import { expired } from '../errors.ts';
import type { Filter } from '../filter.ts';
import type { CacheEvent, Watcher } from '../resource-cache.ts';
import { atRevision, type WatchCache } from '../watch-cache.ts';
import { listCached } from './read.ts';

export interface WatchQuery {
  /** undefined or 0: begin with everything there is. */
  readonly since: number | undefined;
  readonly bookmarks: boolean;
  /** sendInitialEvents=true: a bookmark marks the end of what already was (KEP-3157). */
  readonly initialEvents: boolean;
}

/** How an object goes over the wire: as it is, as a Table of one row, or its metadata alone. */
export type Present = (object: KubeObject) => unknown;

/** Starts a watch into `pipe`. Throws 410 Expired when the window does not reach back to `since`. Returns what ends it. */
export function openWatch(
  cache: WatchCache,
  row: ResourceRow,
  filter: Filter,
  query: WatchQuery,
  present: Present,
  pipe: Pipe<unknown>,
): { close(): void; watcher: Watcher } {
  const resource = cache.resource(`${row.prefix}/`);
  const write = (type: WatchEvent['type'], object: KubeObject): void => pipe.write({ type, object: present(object) });
  const whole = query.since === undefined || query.since === 0;
  const missed = whole || query.initialEvents ? [] : resource.since(query.since!);
  let bookmarked = cache.revision;
  const watcher: Watcher = {
    scope: filter.scope,
    receive(event) {
      const seen = seenThrough(row, filter, event);
      if (seen) write(seen.type, seen.object);
    },
    bookmark(revision) {
      if (!query.bookmarks || revision <= bookmarked) return;
      bookmarked = revision;
      write('BOOKMARK', bookmarkOf(row, revision));
    },
    end() {
      pipe.write({ type: 'ERROR', object: expired('The resourceVersion for the provided watch is too old.').status satisfies Status });
      close();
    },
  };
  if (whole || query.initialEvents) for (const object of listCached(cache, row, filter).items) write('ADDED', object);
  if (query.initialEvents && query.bookmarks) write('BOOKMARK', bookmarkOf(row, cache.revision, true));
  for (const event of missed) if (inScope(filter, event)) watcher.receive(event);
  const forget = resource.watch(watcher);
  const close = (): void => {
    forget();
    pipe.close();
  };
  pipe.onCancel(forget);
  return { close, watcher };
}

/** The cache files watchers by scope; for what is replayed from the window the scope is checked here. */
function inScope({ scope }: Filter, { object, previous }: CacheEvent): boolean {
  const { namespace, name } = object.metadata;
  if (scope.namespace !== undefined && namespace !== scope.namespace) return false;
  if (scope.name !== undefined && name !== scope.name) return false;
  if (scope.nodeName === undefined) return true;
  const nodeOf = (pod: KubeObject | undefined) => (pod as { spec?: { nodeName?: string } } | undefined)?.spec?.nodeName ?? '';
  return nodeOf(object) === scope.nodeName || (previous !== undefined && nodeOf(previous) === scope.nodeName);
}

function seenThrough(row: ResourceRow, { matches }: Filter, event: CacheEvent): { type: WatchEvent['type']; object: KubeObject } | undefined {
  const object = fromStorage(row, event.object);
  if (matches === undefined) return { type: event.type, object };
  const now = event.type !== 'DELETED' && matches(object);
  const before = event.previous !== undefined && matches(fromStorage(row, event.previous));
  if (now) return { type: before ? 'MODIFIED' : 'ADDED', object };
  if (!before) return undefined;
  return { type: 'DELETED', object: event.type === 'DELETED' ? object : atRevision(fromStorage(row, event.previous!), event.revision) };
}

const bookmarkOf = (row: ResourceRow, revision: number, initial = false): KubeObject => ({
  kind: row.kind,
  apiVersion: apiVersionOf(row),
  metadata: { resourceVersion: String(revision), ...(initial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}) },
});
