/**
 * Informers: local copies of kinds, kept current by list-then-watch (client-go's Reflector, Store and
 * SharedInformer in one). One list, then a watch from its resourceVersion; when the watch closes, a new
 * one from where it stopped; when the server has forgotten that far back (410 Gone), a list again whose
 * difference to the copy is told as changes. While nobody answers it tries again, 800 ms doubling to
 * 30 s, and the copy stays readable: a controller outlives its API server.
 *
 * Events are plain callbacks: no promise per event.
 */
import { type Cancel, ms, seconds } from '../../sim/clock.ts';
import { type Deferred, defer } from '../../sim/mailbox.ts';
import type { Process } from '../../sim/process.ts';
import type { DeepReadonly } from '../api/json.ts';
import { type Key, type KubeObject, keyOf } from '../api/meta.ts';
import { ApiError, type Status, TransportError, type WatchEvent } from '../api/request.ts';
import type { Stream } from '../api/stream.ts';
import type { Kind, Kinds } from '../api/types.gen.ts';
import { createBackoff } from './backoff.ts';
import type { Client, Informer, Resource } from './client.ts';
import { messageOf } from './retry.ts';
import { Store } from './store.ts';

/** What informers need of a process; a page can offer the same. */
export type Runtime = Pick<Process, 'clock' | 'rng' | 'trace' | 'alive'>;

export interface InformerOptions {
  readonly namespace?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

export interface Informers {
  /** The informer of a kind and selection; the first call starts it, further ones share it. */
  of<K extends Kind>(kind: K, options?: InformerOptions): Informer<Kinds[K]>;
  /** Resolves when every informer asked for so far has listed once. */
  synced(): Promise<void>;
  /** Ends every watch; the copies stay as they are. For pages: a process of the world is simply killed. */
  stop(): void;
}

export function createInformers(self: Runtime, client: Client): Informers {
  const informers = new Map<string, { reflector: { stop(): void }; informer: Informer<KubeObject> }>();
  return {
    of: <K extends Kind>(kind: K, options: InformerOptions = {}) => {
      const id = `${kind}|${options.namespace ?? ''}|${options.fieldSelector ?? ''}|${options.labelSelector ?? ''}`;
      let entry = informers.get(id);
      if (!entry) {
        const reflector = new Reflector<Kinds[K]>(self, client.of(kind), kind, options);
        entry = { reflector, informer: reflector as unknown as Informer<KubeObject> };
        informers.set(id, entry);
        void reflector.run();
      }
      return entry.informer as unknown as Informer<Kinds[K]>;
    },
    synced: async () => {
      for (const { informer } of [...informers.values()]) if (!informer.hasSynced) await informer.synced();
    },
    stop: () => {
      for (const { reflector } of informers.values()) reflector.stop();
    },
  };
}

/** How one watch came to its end. */
type WatchEnd = { readonly how: 'closed' } | { readonly how: 'expired' } | { readonly how: 'failed'; readonly error: Error };

/** An informer of a resource that is in no table, begun at once and ended by `stop`. */
export function informerOn<T extends KubeObject>(self: Runtime, resource: Resource<T>, kind: string): Informer<T> & { stop(): void } {
  const reflector = new Reflector<T>(self, resource, kind, {});
  void reflector.run();
  return reflector;
}

class Reflector<T extends KubeObject> implements Informer<T> {
  hasSynced = false;
  resourceVersion = '';
  private readonly store = new Store<DeepReadonly<T>>();
  private readonly listeners = new Set<(change: { before?: DeepReadonly<T>; after?: DeepReadonly<T> }) => void>();
  private readonly waiting: Deferred<void>[] = [];
  private stream: Stream<unknown> | undefined;
  private stopped = false;

  constructor(
    private readonly self: Runtime,
    private readonly resource: Resource<T>,
    private readonly kind: string,
    private readonly options: InformerOptions,
  ) {
    this.store.addIndex('namespace', (object) => [metadataOf(object).namespace ?? '']);
    this.store.addIndex('owner', (object) => {
      const owner = metadataOf(object).ownerReferences?.find((reference) => reference.controller);
      return owner ? [owner.uid] : [];
    });
  }

  get(key: Key): DeepReadonly<T> | undefined {
    return this.store.get(key);
  }

  list(namespace?: string): readonly DeepReadonly<T>[] {
    return namespace ? this.store.by('namespace', namespace) : this.store.list();
  }

  by(index: string, value: string): readonly DeepReadonly<T>[] {
    return this.store.by(index, value);
  }

  addIndex(name: string, values: (object: DeepReadonly<T>) => readonly string[]): void {
    this.store.addIndex(name, values);
  }

  onChange(listener: (change: { readonly before?: DeepReadonly<T>; readonly after?: DeepReadonly<T> }) => void): () => void {
    for (const after of this.store.list()) listener({ after });
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  synced(): Promise<void> {
    if (this.hasSynced) return Promise.resolve();
    const waiter = defer<void>(this.self.clock);
    this.waiting.push(waiter);
    return waiter.promise;
  }

  get watching(): boolean {
    return this.stream !== undefined;
  }

  stop(): void {
    this.stopped = true;
    this.stream?.cancel();
  }

  /** The reflector's life. The delays are client-go's: 800 ms to 30 s, forgotten after two quiet minutes. */
  async run(): Promise<void> {
    const backoff = createBackoff(this.self, { initial: ms(800), max: seconds(30), resetAfter: seconds(120) });
    // "0": any state the server has at hand will do; afterwards at least as new as what was seen; "" after a 410: the latest there is.
    let listFrom = '0';
    let listed = false;
    while (this.going) {
      if (!listed) {
        try {
          const { items, resourceVersion } = await this.resource.list({ ...this.options, resourceVersion: listFrom });
          if (!this.going) return;
          this.replace(items, resourceVersion);
          listed = true;
        } catch (error) {
          listFrom = error instanceof ApiError && isExpired(error.status) ? '' : listFrom;
          this.complain('list', error);
          await this.self.clock.sleep(backoff());
          continue;
        }
      }
      const end = await this.watch();
      listFrom = this.resourceVersion;
      if (end.how === 'expired') {
        listFrom = '';
        listed = false;
        this.self.trace.emit('watch.gone', '', { kind: this.kind, resourceVersion: this.resourceVersion });
      } else if (end.how === 'failed') {
        this.complain('watch', end.error);
        // Nobody there, or too busy: the copy is as good as it was, so only the watch is tried again.
        listed = end.error instanceof TransportError || (end.error instanceof ApiError && end.error.code === 429);
        await this.self.clock.sleep(backoff());
      }
    }
  }

  /** One watch, from open to end. Servers close it after five to ten minutes, as asked. */
  private async watch(): Promise<WatchEnd> {
    const { clock } = this.self;
    const timeoutSeconds = this.self.rng.between(300, 600);
    const startedAt = clock.now();
    let stream: Stream<WatchEvent<DeepReadonly<T>>>;
    try {
      stream = await this.resource.watch({ ...this.options, resourceVersion: this.resourceVersion, timeoutSeconds });
    } catch (error) {
      if (error instanceof ApiError && isExpired(error.status)) return { how: 'expired' };
      return { how: 'failed', error: error instanceof Error ? error : new Error(String(error)) };
    }
    if (!this.going) {
      stream.cancel();
      return { how: 'closed' };
    }
    const ended = defer<WatchEnd>(clock);
    let received = 0;
    let overdue: Cancel = () => {};
    const finish = (end: WatchEnd) => {
      overdue();
      this.stream = undefined;
      ended.resolve(end);
    };
    // A server that died without a word never closes the watch: half a minute after it should have, it is given up.
    overdue = clock.after(seconds(timeoutSeconds + 30), () => {
      stream.cancel();
      finish({ how: 'closed' });
    });
    this.stream = stream;
    stream.read({
      value: (event) => {
        if (!this.going) return;
        received++;
        if (event.type === 'ERROR') {
          const status = event.object as unknown as Status;
          stream.cancel();
          finish(isExpired(status) ? { how: 'expired' } : { how: 'failed', error: new ApiError(status) });
        } else this.take(event);
      },
      end: (error) => {
        if (!this.going) return;
        // "very short watch": closed at once without an event. Asking again immediately would be a busy loop.
        if (received === 0 && clock.now() - startedAt < seconds(1))
          finish({
            how: 'failed',
            error: error ?? new TransportError('very short watch: Unexpected watch close - watch lasted less than a second and no items received'),
          });
        else finish(error ? { how: 'failed', error: error instanceof ApiError ? error : new TransportError(error.message) } : { how: 'closed' });
      },
    });
    return ended.promise;
  }

  private take(event: WatchEvent<DeepReadonly<T>>): void {
    const object = event.object;
    const metadata = metadataOf(object);
    this.resourceVersion = metadata.resourceVersion ?? this.resourceVersion;
    if (event.type === 'BOOKMARK') return;
    const key = keyOf({ metadata });
    const before = this.store.get(key);
    if (event.type === 'DELETED') {
      if (before === undefined) return;
      this.store.delete(key);
      this.tell(key, 'deleted', { before: object });
    } else {
      this.store.set(key, object);
      this.tell(key, before ? 'updated' : 'added', before ? { before, after: object } : { after: object });
    }
  }

  /** The copy becomes what a list said; the difference is told as changes. An object of another uid under the same name is a deletion and an addition. */
  private replace(items: readonly DeepReadonly<T>[], resourceVersion: string): void {
    this.resourceVersion = resourceVersion;
    const seen = new Set<Key>();
    for (const object of items) {
      const key = keyOf({ metadata: metadataOf(object) });
      seen.add(key);
      const before = this.store.get(key);
      if (before && metadataOf(before).resourceVersion === metadataOf(object).resourceVersion) continue;
      const reborn = before && metadataOf(before).uid !== metadataOf(object).uid;
      if (reborn) {
        this.store.delete(key);
        this.tell(key, 'deleted', { before });
      }
      this.store.set(key, object);
      this.tell(key, before && !reborn ? 'updated' : 'added', before && !reborn ? { before, after: object } : { after: object });
    }
    for (const key of [...this.store.keys()]) {
      if (seen.has(key)) continue;
      const before = this.store.get(key)!;
      this.store.delete(key);
      this.tell(key, 'deleted', { before });
    }
    if (!this.hasSynced) {
      this.hasSynced = true;
      for (const waiter of this.waiting.splice(0)) waiter.resolve();
    }
  }

  private tell(key: Key, what: 'added' | 'updated' | 'deleted', change: { before?: DeepReadonly<T>; after?: DeepReadonly<T> }): void {
    // Leases are heartbeats: told to listeners, not worth a fact each.
    const { trace } = this.self;
    if (this.kind !== 'Lease') trace.chatter('informer.event', trace.heard ? `${this.kind}/${key}` : '', { what });
    for (const listener of this.listeners) listener(change);
  }

  private complain(what: 'list' | 'watch', error: unknown): void {
    this.self.trace.chatter('informer.error', '', { kind: this.kind, what, error: messageOf(error) });
  }

  private get going(): boolean {
    return !this.stopped && this.self.alive;
  }
}

const isExpired = (status: Status): boolean => status.code === 410 || status.reason === 'Expired' || status.reason === 'Gone';
const metadataOf = (object: unknown): DeepReadonly<KubeObject>['metadata'] => (object as DeepReadonly<KubeObject>).metadata;
