/**
 * ConfigMaps and Secrets of this node's pods, each watched by itself (`util/manager/watch_based_manager.go`):
 * the node authorizer lets a kubelet see no others. A watch lasts as long as some pod refers to the object.
 */
import { seconds } from '../../sim/clock.ts';
import { type Deferred, defer } from '../../sim/mailbox.ts';
import type { Process } from '../../sim/process.ts';
import type { TraceId } from '../../sim/trace.ts';
import type { DeepReadonly } from '../api/json.ts';
import { ApiError, type WatchEvent } from '../api/request.ts';
import type { Stream } from '../api/stream.ts';
import type { ConfigMap, Secret } from '../api/types.gen.ts';
import type { Client } from '../client/client.ts';

export type Cached = DeepReadonly<ConfigMap> | DeepReadonly<Secret>;
type CachedKind = 'ConfigMap' | 'Secret';

interface Entry {
  readonly users: Set<string>;
  /** `undefined`: the API server says there is none. */
  object: Cached | undefined;
  known: boolean;
  readonly waiting: { readonly ready: Deferred<void>; readonly cause: TraceId }[];
  stream: Stream<unknown> | undefined;
  closed: boolean;
}

export class ObjectCache {
  private readonly entries = new Map<string, Entry>();
  constructor(
    private readonly self: Process,
    private readonly client: Client,
    /** Called when an object changed after it was first seen, with the uids of the pods that use it. */
    private readonly onChange: (users: readonly string[]) => void,
  ) {}

  /** The object, or undefined if there is none; waits for the first answer of the API server. `user` is a pod's uid. */
  async get(kind: CachedKind, namespace: string, name: string, user: string): Promise<Cached | undefined> {
    const id = `${kind}/${namespace}/${name}`;
    let entry = this.entries.get(id);
    if (!entry) {
      entry = { users: new Set(), object: undefined, known: false, waiting: [], stream: undefined, closed: false };
      this.entries.set(id, entry);
      void this.follow(kind, namespace, name, entry);
    }
    entry.users.add(user);
    if (!entry.known) {
      const ready = defer<void>(this.self.clock);
      entry.waiting.push({ ready, cause: this.self.trace.current() });
      await ready.promise;
    }
    return entry.object;
  }

  /** A pod is gone: what only it used is no longer watched. */
  release(user: string): void {
    for (const [id, entry] of [...this.entries]) {
      if (!entry.users.delete(user) || entry.users.size > 0) continue;
      entry.closed = true;
      entry.stream?.cancel();
      this.entries.delete(id);
    }
  }

  private put(entry: Entry, object: Cached | undefined): void {
    const changed = entry.known && entry.object?.metadata.resourceVersion !== object?.metadata.resourceVersion;
    entry.object = object;
    entry.known = true;
    // Each in an event of its own, so that every pod goes on on its own behalf.
    const { clock, trace } = this.self;
    const current = trace.current();
    for (const { ready, cause } of entry.waiting.splice(0)) {
      trace.because(cause);
      clock.after(0, () => ready.resolve());
    }
    trace.because(current);
    if (changed) this.onChange([...entry.users]);
  }

  private async follow(kind: CachedKind, namespace: string, name: string, entry: Entry): Promise<void> {
    const resource = this.client.of(kind);
    const fieldSelector = `metadata.name=${name}`;
    while (!entry.closed) {
      try {
        const list = await resource.list({ namespace, fieldSelector });
        if (entry.closed) return;
        this.put(entry, list.items[0] as Cached | undefined);
        const stream = (await resource.watch({ namespace, fieldSelector, resourceVersion: list.resourceVersion })) as Stream<WatchEvent<Cached>>;
        entry.stream = stream;
        const ended = defer<void>(this.self.clock);
        stream.read({
          value: (event) => {
            if (!this.self.alive || entry.closed) return stream.cancel();
            if (event.type === 'ADDED' || event.type === 'MODIFIED') this.put(entry, event.object);
            else if (event.type === 'DELETED') this.put(entry, undefined);
            else if (event.type === 'ERROR') ended.resolve();
          },
          end: () => ended.resolve(),
        });
        await ended.promise;
      } catch (error) {
        // Forbidden or unknown: as good as absent for those who wait, and asked for again.
        if (error instanceof ApiError && !entry.known) this.put(entry, undefined);
      }
      await this.self.clock.sleep(seconds(1) + this.self.rng.between(0, seconds(1)));
    }
  }
}
