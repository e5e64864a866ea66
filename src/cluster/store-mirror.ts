/**
 * The cluster's stored objects as they are now, followed from etcd's members themselves: what the page
 * draws and what tests look at, alive even when no API server is.
 *
 * It follows whichever member applies a revision first, so it never goes back, and costs the world nothing.
 */
import type { DeepReadonly } from '../kubernetes/api/json.ts';
import type { KubeObject } from '../kubernetes/api/meta.ts';
import { RESOURCES } from '../kubernetes/api/resources.ts';
import { seen } from '../kubernetes/apiserver/stored-text.ts';
import { createPrefixOf } from '../kubernetes/apiserver/watch-cache.ts';
import type { EtcdEvent, KeyValue } from '../kubernetes/etcd/api.ts';

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
  constructor(private readonly kv: KeyValue) {}

  get object(): Stored {
    if (!this.decoded) {
      const object = seen(this.kv.value);
      this.decoded = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.kv.modRevision) } };
    }
    return this.decoded;
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
    for (const { object } of followed.objects.values()) listener(undefined, object);
  }

  list(plural: string): readonly Stored[] {
    return Array.from(this.followed(plural).objects.values(), (kept) => kept.object);
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
    for (const listener of followed.listeners) listener(before?.object, after?.object);
  }

  private followed(plural: string): Followed {
    const found = this.byPlural.get(plural);
    if (!found) throw new RangeError(`no resource is called ${plural}`);
    return found;
  }
}
