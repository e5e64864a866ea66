/**
 * The cluster's stored objects as they are now, followed from etcd's members themselves: what the page
 * draws and what tests look at, alive even when no API server is.
 *
 * It follows whichever member applies a revision first, so it never goes back, and costs the world nothing.
 */
import type { DeepReadonly } from '../kubernetes/api/json.ts';
import type { KubeObject } from '../kubernetes/api/meta.ts';
import { RESOURCES } from '../kubernetes/api/resources.ts';
import type { EtcdEvent } from '../kubernetes/etcd/api.ts';

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

  constructor() {
    for (const row of RESOURCES) {
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
    for (const event of events) if (event.kv.modRevision > this.revision) this.change(event);
    this.revision = revision;
  }

  private change({ type, kv }: EtcdEvent): void {
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
