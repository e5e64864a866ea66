/**
 * The cluster's stored objects as they are now, followed from etcd's members themselves: what the page
 * draws and what tests look at, alive even when no API server is.
 *
 * It follows whichever member applies a revision first, so it never goes back, and costs the world nothing.
 */
import type { DeepReadonly } from '../kubernetes/api/json.ts';
import type { KubeObject } from '../kubernetes/api/meta.ts';
import { RESOURCES } from '../kubernetes/api/resources.ts';
import type { EtcdEvent, KeyValue } from '../kubernetes/etcd/api.ts';

type Stored = DeepReadonly<KubeObject>;
export type StoreListener = (before: Stored | undefined, after: Stored | undefined) => void;

interface Followed {
  readonly prefix: string;
  readonly objects: Map<string, Stored>;
  readonly listeners: StoreListener[];
}

export class StoreMirror {
  revision = 1;
  private readonly byPlural = new Map<string, Followed>();
  private readonly kvs = new Map<string, KeyValue>();
  private readonly eventListeners = new Set<(events: readonly EtcdEvent[], revision: number) => void>();

  constructor() {
    for (const row of RESOURCES) {
      // Reviews and bindings are asked, not kept.
      if (!row.prefix) continue;
      const name = row.group === 'events.k8s.io' ? `events.${row.group}` : row.plural;
      if (!this.byPlural.has(name)) this.byPlural.set(name, { prefix: `${row.prefix}/`, objects: new Map(), listeners: [] });
    }
  }

  /** Every change of one resource from now on, after those already known. */
  watch(plural: string, listener: StoreListener): void {
    const followed = this.followed(plural);
    followed.listeners.push(listener);
    for (const object of followed.objects.values()) listener(undefined, object);
  }

  list(plural: string): readonly Stored[] {
    return [...this.followed(plural).objects.values()];
  }

  get(plural: string, key: string): Stored | undefined {
    const followed = this.followed(plural);
    return followed.objects.get(followed.prefix + key);
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
    for (const followed of this.byPlural.values()) {
      if (!kv.key.startsWith(followed.prefix)) continue;
      const before = followed.objects.get(kv.key);
      let after: Stored | undefined;
      if (type === 'PUT') {
        const object = JSON.parse(kv.value) as KubeObject;
        after = { ...object, metadata: { ...object.metadata, resourceVersion: String(kv.modRevision) } };
        followed.objects.set(kv.key, after);
      } else followed.objects.delete(kv.key);
      for (const listener of followed.listeners) listener(before, after);
      return;
    }
  }

  private followed(plural: string): Followed {
    const found = this.byPlural.get(plural);
    if (!found) throw new RangeError(`no resource is called ${plural}`);
    return found;
  }
}
