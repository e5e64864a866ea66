/**
 * The cluster's stored objects as they are now, followed from etcd's members themselves: what the page
 * draws and what tests look at, alive even when no API server is.
 *
 * It follows whichever member applies a revision first, so it never goes back, and costs the world nothing.
 */
import type { DeepReadonly } from '../kubernetes/api/json.ts';
import type { KubeObject } from '../kubernetes/api/meta.ts';
import { RESOURCES } from '../kubernetes/api/resources.ts';
import { isObject, seen } from '../kubernetes/apiserver/stored-text.ts';
import { createPrefixOf } from '../kubernetes/apiserver/watch-cache.ts';
import type { EtcdEvent, KeyValue } from '../kubernetes/etcd/api.ts';
import type { MvccStore } from '../kubernetes/etcd/mvcc.ts';

type Stored = DeepReadonly<KubeObject>;
export type StoreListener = (before: Stored | undefined, after: Stored | undefined) => void;

interface Followed {
  readonly prefix: string;
  readonly objects: Map<string, Kept>;
  readonly listeners: StoreListener[];
}

/** A stored text, decoded when somebody first looks: a lease is renewed thousands of times between two looks. */
class Kept {
  private decoded: Stored | undefined;
  private rubbish = false;
  constructor(private readonly kv: KeyValue) {}

  /** Nothing, when somebody wrote by hand what is no object: the API server passes over it too. */
  get object(): Stored | undefined {
    if (!this.decoded && !this.rubbish) {
      const object = this.read();
      if (!object) {
        this.rubbish = true;
        return undefined;
      }
      this.decoded = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.kv.modRevision) } };
    }
    return this.decoded;
  }

  private read(): Stored | undefined {
    try {
      const object = seen(this.kv.value, this.kv.key);
      return isObject(object) ? object : undefined;
    } catch {
      return undefined;
    }
  }
}

export class StoreMirror {
  revision = 1;
  private readonly byPlural = new Map<string, Followed>();
  private readonly byPrefix = new Map<string, Followed>();
  private readonly prefixOf = createPrefixOf();
  private readonly kvs = new Map<string, KeyValue>();
  private readonly eventListeners = new Set<(events: readonly EtcdEvent[], revision: number) => void>();

  constructor() {
    for (const row of RESOURCES) {
      // Reviews and bindings are asked, not kept.
      if (!row.prefix) continue;
      const name = row.group === 'events.k8s.io' ? `events.${row.group}` : row.plural;
      if (this.byPlural.has(name)) continue;
      const followed: Followed = { prefix: `${row.prefix}/`, objects: new Map(), listeners: [] };
      this.byPlural.set(name, followed);
      if (!this.byPrefix.has(followed.prefix)) this.byPrefix.set(followed.prefix, followed);
    }
  }

  /** Every change of one resource from now on, after those already known. */
  watch(plural: string, listener: StoreListener): void {
    const followed = this.followed(plural);
    followed.listeners.push(listener);
    for (const { object } of followed.objects.values()) if (object) listener(undefined, object);
  }

  list(plural: string): readonly Stored[] {
    return Array.from(this.followed(plural).objects.values(), (kept) => kept.object).filter((object) => object !== undefined);
  }

  get(plural: string, key: string): Stored | undefined {
    const followed = this.followed(plural);
    return followed.objects.get(followed.prefix + key)?.object;
  }

  /** Events of one member, in revision order; those another member told of already are passed over. */
  apply(events: readonly EtcdEvent[], revision: number): void {
    if (revision <= this.revision) return;
    const news = events.filter((event) => event.kv.modRevision > this.revision);
    this.revision = revision;
    for (const event of news) this.change(event);
    for (const listener of this.eventListeners) listener(news, revision);
  }

  /** A restored store took the place of the one that was followed, and may be older: what is not in it is told as gone. */
  replace(store: MvccStore): void {
    const now = new Map<string, KeyValue>();
    store.scan('\0', '\0', undefined, (kv) => now.set(kv.key, kv));
    const events: EtcdEvent[] = [];
    for (const [key, prevKv] of this.kvs)
      if (!now.has(key)) events.push({ type: 'DELETE', kv: { key, value: '', createRevision: 0, modRevision: store.revision, version: 0, lease: 0 }, prevKv });
    for (const [key, kv] of now) if (this.kvs.get(key) !== kv) events.push({ type: 'PUT', kv });
    this.revision = store.revision;
    for (const event of events) this.change(event);
    for (const listener of this.eventListeners) listener(events, store.revision);
  }

  /** What there is in [key, rangeEnd), now, in key order. */
  range({ key: from, rangeEnd }: { readonly key: string; readonly rangeEnd: string }): { readonly kvs: readonly KeyValue[]; readonly revision: number } {
    const kvs = [...this.kvs.values()].filter(({ key }) => key >= from && key < rangeEnd).sort((a, b) => (a.key < b.key ? -1 : 1));
    return { kvs, revision: this.revision };
  }

  observe(listener: (events: readonly EtcdEvent[], revision: number) => void): () => void {
    this.eventListeners.add(listener);
    return () => this.eventListeners.delete(listener);
  }

  private change({ type, kv }: EtcdEvent): void {
    if (type === 'PUT') this.kvs.set(kv.key, kv);
    else this.kvs.delete(kv.key);
    const followed = this.byPrefix.get(this.prefixOf(kv.key));
    if (!followed) return;
    const before = followed.objects.get(kv.key);
    const after = type === 'PUT' ? new Kept(kv) : undefined;
    if (after) followed.objects.set(kv.key, after);
    else followed.objects.delete(kv.key);
    if (followed.listeners.length === 0) return;
    const [was, is] = [before?.object, after?.object];
    if (was || is) for (const listener of followed.listeners) listener(was, is);
  }

  private followed(plural: string): Followed {
    const found = this.byPlural.get(plural);
    if (!found) throw new RangeError(`no resource is called ${plural}`);
    return found;
  }
}
