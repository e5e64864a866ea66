/**
 * The scheduler's view of every kind but nodes and pods: an informer a kind, begun when the first pod needs it, whose
 * changes are told to the queue from then on. Upstream starts them all; what nobody asks for would only cost.
 */
import type { DeepReadonly } from '../api/json.ts';
import type { Key, KubeObject } from '../api/meta.ts';
import type { Kind, Kinds } from '../api/types.gen.ts';
import type { Informer } from '../client/client.ts';
import type { Informers } from '../client/informer.ts';
import { objectEvents } from './cluster-events.ts';
import type { ClusterEvent, Objects } from './framework.ts';

export class InformedObjects implements Objects {
  private readonly informers = new Map<Kind, Informer<KubeObject>>();

  constructor(
    private readonly source: Informers,
    private readonly tell: (event: ClusterEvent) => void,
  ) {}

  get<K extends Kind>(kind: K, key: Key): DeepReadonly<Kinds[K]> | undefined {
    return this.informers.get(kind)?.get(key) as DeepReadonly<Kinds[K]> | undefined;
  }
  list<K extends Kind>(kind: K, namespace?: string): readonly DeepReadonly<Kinds[K]>[] {
    return (this.informers.get(kind)?.list(namespace) ?? []) as readonly DeepReadonly<Kinds[K]>[];
  }

  /** The kinds among these of which nothing is known yet. */
  missing(kinds: readonly Kind[]): readonly Kind[] {
    return kinds.filter((kind) => !this.informers.get(kind)?.hasSynced);
  }

  /** Returns when all of these have been listed. */
  async learn(kinds: readonly Kind[]): Promise<void> {
    for (const kind of this.missing(kinds)) {
      let informer = this.informers.get(kind);
      if (!informer) {
        informer = this.source.of(kind) as unknown as Informer<KubeObject>;
        this.informers.set(kind, informer);
        const known = informer;
        known.onChange(({ before, after }) => {
          // The first list is no news to anybody.
          if (!known.hasSynced) return;
          for (const event of objectEvents(kind, before as DeepReadonly<Kinds[Kind]> | undefined, after as DeepReadonly<Kinds[Kind]> | undefined))
            this.tell(event);
        });
      }
      await informer.synced();
    }
  }
}
