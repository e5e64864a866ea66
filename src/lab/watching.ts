/**
 * The objects a lesson's checks look at, kept up to date by list and watch on the observer lane: looking costs the
 * world nothing.
 */
import type { TextRequest } from '../hosts/protocol.ts';
import type { DeepReadonly } from '../kubernetes/api/json.ts';
import type { KubeObject } from '../kubernetes/api/meta.ts';
import type { WatchEvent } from '../kubernetes/api/request.ts';
import { apiVersionOf, collectionPath, RESOURCES } from '../kubernetes/api/resources.ts';
import { kindOf, type Objects } from './check.ts';
import type { Check, Lesson } from './lesson.ts';

/** What looks into a world; the page's client on it is one. */
export interface Observer {
  observe(request: TextRequest): Promise<{ readonly status: number; readonly text: string }>;
  watch(request: TextRequest, handlers: { readonly onChunk: (text: string) => void; readonly onEnd?: (error?: string) => void }): () => void;
}
type KubeList = DeepReadonly<{ metadata: { resourceVersion: string }; items: KubeObject[] }>;
type Object = DeepReadonly<KubeObject>;

/** Every check of a lesson, those of wrong turns too. */
export const checksOf = (lesson: Lesson): readonly Check[] =>
  lesson.steps.flatMap((step) => [...step.done, ...(step.mistakes ?? []).flatMap((mistake) => mistake.when)]);

interface Collection {
  readonly path: string;
  readonly kind: string;
  readonly apiVersion: string;
}
/** The collections in which the checks' objects are, each once. A kind that is not served throws: the lesson is wrong. */
export function collectionsOf(checks: readonly Check[]): readonly Collection[] {
  const found = new Map<string, Collection>();
  for (const check of checks) {
    const kind = kindOf(check);
    const row = RESOURCES.find((one) => one.kind === kind && one.group !== 'events.k8s.io');
    if (!row) throw new Error(`a check looks for ${kind}, a kind that is not served`);
    const path = collectionPath(row, check.namespace ?? 'default');
    found.set(path, { path, kind, apiVersion: apiVersionOf(row) });
  }
  return [...found.values()];
}

export class Watching {
  private readonly byCollection = new Map<string, Map<string, Object>>();
  private readonly stops = new Map<string, () => void>();
  private readonly listeners = new Set<() => void>();
  private stopped = false;
  private all: Objects | undefined;

  private constructor(private readonly world: Observer) {}

  /** Resolves when everything there is has been seen once. Rejects when the world does not answer. */
  static async begin(world: Observer, checks: readonly Check[]): Promise<Watching> {
    const watching = new Watching(world);
    try {
      await Promise.all(collectionsOf(checks).map((collection) => watching.follow(collection)));
    } catch (error) {
      watching.stop();
      throw error;
    }
    return watching;
  }

  /** As they are now; the same array until something changes. */
  get objects(): Objects {
    this.all ??= [...this.byCollection.values()].flatMap((objects) => [...objects.values()]);
    return this.all;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  stop(): void {
    this.stopped = true;
    for (const stop of this.stops.values()) stop();
    this.listeners.clear();
  }

  private async follow(collection: Collection): Promise<void> {
    const headers = { accept: 'application/json' };
    const answer = await this.world.observe({ method: 'GET', url: collection.path, headers });
    if (this.stopped) return;
    if (answer.status !== 200) throw new Error(`${collection.path}: ${answer.status} ${answer.text}`);
    const list = JSON.parse(answer.text) as KubeList;
    const objects = new Map<string, Object>();
    // Items of a list carry neither kind nor version; checks need the kind.
    for (const item of list.items)
      objects.set(item.metadata.uid ?? item.metadata.name ?? '', { ...item, kind: collection.kind, apiVersion: collection.apiVersion });
    this.byCollection.set(collection.path, objects);
    this.changed();
    const version = encodeURIComponent(list.metadata.resourceVersion);
    this.stops.set(
      collection.path,
      this.world.watch(
        { method: 'GET', url: `${collection.path}?watch=true&resourceVersion=${version}`, headers },
        {
          onChunk: (text) => this.take(objects, JSON.parse(text) as WatchEvent<Object>),
          // Broken off (too old, another etcd member is asked now): list again. A world that is gone answers nothing more.
          onEnd: () => {
            if (!this.stopped) this.follow(collection).catch(() => undefined);
          },
        },
      ),
    );
  }

  private take(objects: Map<string, Object>, { type, object }: WatchEvent<Object>): void {
    if (this.stopped || type === 'BOOKMARK' || type === 'ERROR') return;
    const key = object.metadata.uid ?? object.metadata.name ?? '';
    if (type === 'DELETED') objects.delete(key);
    else objects.set(key, object);
    this.changed();
  }

  private changed(): void {
    this.all = undefined;
    for (const listener of this.listeners) listener();
  }
}
