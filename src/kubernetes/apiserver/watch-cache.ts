/**
 * The watch cache: everything in etcd, decoded once, and the latest changes of each resource
 * (upstream apiserver `pkg/storage/cacher`).
 *
 * One etcd watch feeds it. Each resource (`resource-cache.ts`) has a window of events, so that a watch may
 * start in the recent past. Delivery is a plain synchronous call.
 */

import type { Instant } from '../../sim/clock.ts';
import type { KubeObject } from '../api/meta.ts';
import type { EtcdClient, EtcdEvent, KeyValue, WatchResponse } from '../etcd/api.ts';
import { type CacheEvent, ResourceCache, type Stored } from './resource-cache.ts';
import { isObject } from './stored-text.ts';

/** The part of an etcd key that says which resource it is: `/registry/pods/`, `/registry/services/specs/`. */
const RESOURCE_PREFIX = /^\/registry\/(?:services\/(?:specs|endpoints)\/|[^/]*\.[^/]*\/[^/]+\/|[^/]+\/)/;

/** Prefixes repeat for ever; the regular expression need not. */
export function createPrefixOf(): (key: string) => string {
  const plain = new Map<string, boolean>();
  return (key) => {
    const second = key.indexOf('/', 10);
    if (second > 0) {
      const head = key.slice(0, second + 1);
      let simple = plain.get(head);
      if (simple === undefined) {
        simple = head !== '/registry/services/' && !head.includes('.');
        plain.set(head, simple);
      }
      if (simple) return head;
    }
    return RESOURCE_PREFIX.exec(key)?.[0] ?? key;
  };
}

/** An object with the revision it was stored at. */
export const atRevision = (object: KubeObject, revision: number): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: String(revision) },
});

export const REGISTRY = '/registry/';
export const REGISTRY_END = '/registry0';

export class WatchCache {
  ready = false;
  /** Everything up to this revision has been taken in. */
  revision = 0;
  private resources = new Map<string, ResourceCache>();
  private readonly versions = new Map<string, number>();
  private listRevision = 0;
  private readonly prefixOf = createPrefixOf();
  /** What this process has just written, by key: the watch brings it back, and it need not be parsed. */
  private readonly written = new Map<string, Stored>();
  private readonly writing = new Map<string, KubeObject>();
  private generation = 0;
  private unwatch: () => void = () => {};
  private waiting: { readonly revision: number; readonly callback: () => void }[] = [];
  private readonly readers: ((prefix: string, event: CacheEvent) => void)[] = [];

  constructor(
    private readonly etcd: EtcdClient,
    private readonly now: () => Instant,
    private readonly parse: (text: string, key: string) => KubeObject = (text) => JSON.parse(text) as KubeObject,
  ) {}

  /** Reads everything once, then follows. Rejects with EtcdError when etcd does not answer; call again then. */
  async start(): Promise<void> {
    const generation = ++this.generation;
    const { header, kvs } = await this.etcd.range({ key: REGISTRY, rangeEnd: REGISTRY_END });
    if (generation !== this.generation) return;
    this.load(kvs, header.revision);
    // The whole key space, so that the cache's revision reaches etcd's whatever was written: a consistent
    // list waits for that. Here simplified: upstream asks each watch for a progress notification instead.
    this.unwatch();
    this.unwatch = this.etcd.watch({ key: '\0', rangeEnd: '\0', startRevision: header.revision + 1 }, (response) => {
      if (generation !== this.generation) return;
      if (response.canceled) {
        this.unwatch();
        this.lost();
      } else this.take(response);
    });
  }

  /** Begins anew with what there is at `revision`. */
  load(kvs: readonly KeyValue[], revision: number): void {
    this.resources = new Map();
    this.listRevision = revision;
    this.revision = revision;
    for (const kv of kvs) {
      const prefix = this.prefixOf(kv.key);
      const stored = this.readable(kv);
      if (!stored) continue;
      this.resource(prefix).objects.set(kv.key, stored);
      this.versions.set(prefix, revision);
    }
    this.ready = true;
  }

  /** Hears of every event before the watchers do; for what this server itself derives from objects. */
  listen(reader: (prefix: string, event: CacheEvent) => void): void {
    this.readers.push(reader);
  }

  resource(prefix: string): ResourceCache {
    let resource = this.resources.get(prefix);
    if (!resource) {
      resource = new ResourceCache(this.listRevision);
      this.resources.set(prefix, resource);
    }
    return resource;
  }

  /** The revision of the last change under a prefix. */
  version(prefix: string): number {
    return this.versions.get(prefix) ?? 0;
  }

  get(key: string): Stored | undefined {
    return this.resources.get(this.prefixOf(key))?.objects.get(key);
  }

  /** Objects whose key begins with `prefix`, in key order. */
  *under(prefix: string): Iterable<Stored> {
    const resource = this.resources.get(this.prefixOf(prefix));
    if (!resource) return;
    for (const pair of resource.objects.entries(prefix)) {
      if (!pair[0].startsWith(prefix)) return;
      yield pair[1];
    }
  }

  /** Is there an object whose key begins with `prefix`? */
  any(prefix: string): boolean {
    const resource = this.resources.get(this.prefixOf(prefix));
    if (!resource || resource.objects.size === 0) return false;
    for (const pair of resource.objects.entries(prefix)) return pair[0].startsWith(prefix);
    return false;
  }

  watchersOf(prefix: string): Iterable<unknown> {
    return this.resources.get(this.prefixOf(prefix))?.allWatchers() ?? [];
  }

  all(): Iterable<ResourceCache> {
    return this.resources.values();
  }

  /** Says that `value` is about to be written and what it stands for. */
  announce(value: string, object: KubeObject): void {
    this.writing.set(value, object);
  }

  /** The write came to an end; with `revision`, it succeeded. Returns the object as stored. */
  settle(key: string, value: string, object: KubeObject, revision: number | undefined): Stored | undefined {
    this.writing.delete(value);
    if (revision === undefined) return undefined;
    const cached = this.get(key);
    if (cached && cached.modRevision === revision) return cached;
    const stored: Stored = { key, object: atRevision(object, revision), value, modRevision: revision };
    // A watch that is ahead of the answer has taken in a later state already: nothing will ask for this one.
    if (this.revision < revision) this.written.set(key, stored);
    return stored;
  }

  /** The object of a key-value pair: shared when this process knows that version already, parsed when not. */
  stored(kv: KeyValue): Stored {
    const cached = this.get(kv.key);
    if (cached && cached.modRevision === kv.modRevision) return cached;
    const written = this.written.get(kv.key);
    if (written && written.modRevision === kv.modRevision) return written;
    const object = this.writing.get(kv.value) ?? this.parse(kv.value, kv.key);
    return { key: kv.key, object: atRevision(object, kv.modRevision), value: kv.value, modRevision: kv.modRevision };
  }

  /**
   * The same, unless somebody wrote under /registry by hand what is no object, or a hollow one. Here simplified: such a
   * key is passed over; upstream fails every list and watch of that resource until the key is gone.
   */
  readable(kv: KeyValue): Stored | undefined {
    try {
      const stored = this.stored(kv);
      return isObject(stored.object) ? stored : undefined;
    } catch {
      return undefined;
    }
  }

  /** A batch of changes, in order. */
  take({ header, events }: WatchResponse): void {
    for (const event of events) {
      if (event.kv.key.startsWith(REGISTRY)) this.apply(event);
      else this.revision = event.kv.modRevision;
    }
    if (header.revision > this.revision && events.length === 0) this.revision = header.revision;
    if (this.waiting.length === 0) return;
    const due = this.waiting.filter((waiter) => waiter.revision <= this.revision);
    this.waiting = this.waiting.filter((waiter) => waiter.revision > this.revision);
    for (const waiter of due) waiter.callback();
  }

  /** Calls back once everything up to `revision` has been taken in; the returned function forgets it. */
  whenReached(revision: number, callback: () => void): () => void {
    const waiter = { revision, callback };
    this.waiting.push(waiter);
    return () => {
      this.waiting = this.waiting.filter((other) => other !== waiter);
    };
  }

  private apply({ type, kv }: EtcdEvent): void {
    const revision = kv.modRevision;
    const prefix = this.prefixOf(kv.key);
    const resource = this.resource(prefix);
    const before = resource.objects.get(kv.key);
    const at = this.now();
    let event: CacheEvent | undefined;
    const stored = type === 'PUT' ? this.readable(kv) : undefined;
    if (stored) {
      resource.objects.set(kv.key, stored);
      event = { type: before ? 'MODIFIED' : 'ADDED', revision, at, previous: before?.object, object: stored.object };
    } else if (before) {
      resource.objects.delete(kv.key);
      event = { type: 'DELETED', revision, at, previous: before.object, object: atRevision(before.object, revision) };
    }
    const written = this.written.get(kv.key);
    if (written && written.modRevision <= revision) this.written.delete(kv.key);
    this.revision = revision;
    this.versions.set(prefix, revision);
    if (!event) return;
    for (const reader of this.readers) reader(prefix, event);
    resource.add(event);
  }

  /** The place in history is gone: every watch ends, and all is read again. */
  private lost(): void {
    this.ready = false;
    for (const resource of this.resources.values()) for (const watcher of [...resource.allWatchers()]) watcher.end();
    this.onLost();
  }

  /** Set by the server: starts the cache again. */
  onLost: () => void = () => {};
}
