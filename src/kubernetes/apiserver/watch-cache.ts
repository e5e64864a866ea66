/**
 * The watch cache: everything in etcd, decoded once, and the latest changes of each resource
 * (upstream apiserver `pkg/storage/cacher`).
 *
 * One etcd watch over /registry/ feeds it. Each resource has its objects in key order and a sliding
 * window of events, so that a watch may start in the recent past. Watchers are filed under what they
 * ask for (one object, one namespace, one node's pods), so an event costs nothing to those it does not
 * concern. Delivery is a plain synchronous call.
 */
import { BTree } from '../../sim/sorted-map.ts';
import type { Instant } from '../../sim/clock.ts';
import { seconds } from '../../sim/clock.ts';
import type { KubeObject } from '../api/meta.ts';
import type { EtcdClient, EtcdEvent, KeyValue, WatchResponse } from '../etcd/api.ts';
import { tooOldResourceVersion } from './errors.ts';

/** An object as stored: with its resourceVersion, and the text it came from. */
export interface Stored {
  readonly key: string;
  readonly object: KubeObject;
  readonly value: string;
  readonly modRevision: number;
}

export interface CacheEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly revision: number;
  readonly at: Instant;
  /** What was before, for selectors that an object enters or leaves. */
  readonly previous: KubeObject | undefined;
  /** After a delete: the last state, with the revision of the delete. */
  readonly object: KubeObject;
}

/** What a watcher asks for; the most selective of the three decides where it is filed. */
export interface WatchScope {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly nodeName?: string | undefined;
}

export interface Watcher {
  readonly scope: WatchScope;
  receive(event: CacheEvent): void;
  /** The revision everything up to has been delivered; called once a minute. */
  bookmark(revision: number): void;
  /** The cache lost its place (etcd compacted what it had not read): list again. */
  end(): void;
}

/** Upstream keeps at least this much (`eventFreshDuration`). */
const FRESH = seconds(75);
const SMALLEST_WINDOW = 100;
const LARGEST_WINDOW = 102_400;

/** One resource's objects, recent events and watchers. */
export class ResourceCache {
  readonly objects = new BTree<string, Stored>();
  private readonly window: CacheEvent[] = [];
  private start = 0;
  private capacity = SMALLEST_WINDOW;
  /** Events after this revision are all in the window. */
  private floor: number;
  private readonly watchers = new Map<string, Set<Watcher>>();

  constructor(listRevision: number) {
    this.floor = listRevision;
  }

  add(event: CacheEvent): void {
    if (this.window.length - this.start >= this.capacity) {
      const oldest = this.window[this.start]!;
      if (event.at - oldest.at < FRESH && this.capacity < LARGEST_WINDOW) this.capacity *= 2;
      else {
        this.start++;
        this.floor = oldest.revision;
        if (this.start > 256 && this.start * 2 > this.window.length) {
          this.window.splice(0, this.start);
          this.start = 0;
        }
      }
    }
    this.window.push(event);
    this.deliver(event);
  }

  /** Events after `revision`, oldest first. Throws 410 Expired when the window does not reach back that far. */
  since(revision: number): readonly CacheEvent[] {
    if (revision < this.floor) throw tooOldResourceVersion(revision, this.floor);
    let low = this.start;
    let high = this.window.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (this.window[mid]!.revision <= revision) low = mid + 1;
      else high = mid;
    }
    return this.window.slice(low);
  }

  /** Files a watcher; the returned function takes it out again. */
  watch(watcher: Watcher): () => void {
    const file = fileOf(watcher.scope);
    let set = this.watchers.get(file);
    if (!set) {
      set = new Set();
      this.watchers.set(file, set);
    }
    set.add(watcher);
    return () => {
      set.delete(watcher);
      if (set.size === 0 && this.watchers.get(file) === set) this.watchers.delete(file);
    };
  }

  *allWatchers(): Iterable<Watcher> {
    for (const set of this.watchers.values()) yield* set;
  }

  get watcherCount(): number {
    let count = 0;
    for (const set of this.watchers.values()) count += set.size;
    return count;
  }

  private deliver(event: CacheEvent): void {
    if (this.watchers.size === 0) return;
    const { object, previous } = event;
    const { namespace, name } = object.metadata;
    this.tell('', event);
    if (namespace !== undefined) this.tell(`ns/${namespace}`, event);
    this.tell(`name/${namespace ?? ''}/${name}`, event);
    if (namespace !== undefined) this.tell(`name//${name}`, event);
    if (object.kind === 'Pod') {
      const now = nodeOf(object);
      this.tell(`node/${now}`, event);
      const before = previous ? nodeOf(previous) : now;
      if (before !== now) this.tell(`node/${before}`, event);
    }
  }

  private tell(file: string, event: CacheEvent): void {
    const set = this.watchers.get(file);
    if (set) for (const watcher of set) watcher.receive(event);
  }
}

const nodeOf = (object: KubeObject): string => (object as { spec?: { nodeName?: string } }).spec?.nodeName ?? '';
const fileOf = ({ namespace, name, nodeName }: WatchScope): string =>
  name ? `name/${namespace ?? ''}/${name}` : nodeName !== undefined ? `node/${nodeName}` : namespace ? `ns/${namespace}` : '';

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
  private waiting: { readonly revision: number; readonly callback: () => void }[] = [];
  private readonly readers: ((prefix: string, event: CacheEvent) => void)[] = [];

  constructor(
    private readonly etcd: EtcdClient,
    private readonly now: () => Instant,
  ) {}

  /** Reads everything once, then follows. Rejects with EtcdError when etcd does not answer; call again then. */
  async start(): Promise<void> {
    const generation = ++this.generation;
    const { header, kvs } = await this.etcd.range({ key: REGISTRY, rangeEnd: REGISTRY_END });
    if (generation !== this.generation) return;
    this.load(kvs, header.revision);
    // The whole key space, so that the cache's revision reaches etcd's whatever was written: a consistent
    // list waits for that. Here simplified: upstream asks each watch for a progress notification instead.
    const cancel = this.etcd.watch({ key: '\0', rangeEnd: '\0', startRevision: header.revision + 1 }, (response) => {
      if (generation !== this.generation) return;
      if (response.canceled) {
        cancel();
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
      this.resource(prefix).objects.set(kv.key, this.stored(kv));
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
    const object = this.writing.get(kv.value) ?? (JSON.parse(kv.value) as KubeObject);
    return { key: kv.key, object: atRevision(object, kv.modRevision), value: kv.value, modRevision: kv.modRevision };
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
    if (type === 'PUT') {
      const stored = this.stored(kv);
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
