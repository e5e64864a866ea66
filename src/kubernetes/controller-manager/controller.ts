/**
 * What a controller is, and what runs one. A controller says which objects it looks after, which other
 * objects wake it, and how to make the world a little more like one object's spec. The runner does the
 * rest: informers, a work queue, workers, back-off, traces.
 *
 * It also gives every controller *read-your-writes*: a key is not reconciled before the informers have
 * seen what this controller last wrote on its behalf. Upstream's controllers keep "expectations" for the
 * same reason, each its own; without either, a controller that is woken between its write and the watch
 * event would create its pods twice.
 */
import { type Duration, type Instant, minutes } from '../../sim/clock.ts';
import { forever, type Main, type Process } from '../../sim/process.ts';
import type { TraceId } from '../../sim/trace.ts';
import type { DeepReadonly } from '../api/json.ts';
import { type Key, type KubeObject, keyOf } from '../api/meta.ts';
import type { Kind, Kinds } from '../api/types.gen.ts';
import { type Client, clientOn, type Informer, type Resource } from '../client/client.ts';
import type { EventSubject } from '../client/events.ts';
import type { InformerOptions, Informers } from '../client/informer.ts';
import { insideOf } from '../client/inside.ts';
import { messageOf } from '../client/retry.ts';
import { createWorkqueue } from '../client/workqueue.ts';

/** Everything a reconciler may touch. */
export interface Context {
  /** Writes through it are remembered for read-your-writes. */
  readonly client: Client;
  /** The manager's shared local copy of a kind. */
  informer<K extends Kind>(kind: K, options?: InformerOptions): Informer<Kinds[K]>;
  event(about: EventSubject, type: 'Normal' | 'Warning', reason: string, message: string): void;
  now(): Instant;
  readonly self: Process;
}

/** What a woken controller may do besides reconciling. */
export interface Wake {
  add(key: Key): void;
  addAfter(key: Key, delay: Duration): void;
}

export interface Controller<K extends Kind = Kind> {
  /** Upstream's name, and the component of its events: `replicaset-controller`. */
  readonly name: string;
  readonly for: K;
  /** Kinds whose controller owner is a K: a change in one of them wakes its owner. */
  readonly owns?: readonly Kind[];
  /** Kinds that are read and do not wake. */
  readonly reads?: readonly Kind[];
  /** Further wake-ups: which keys a change of another kind concerns. Called with the object before and after. */
  readonly wakes?: { readonly [W in Kind]?: (object: DeepReadonly<Kinds[W]>, context: Context, before: DeepReadonly<Kinds[W]> | undefined) => readonly Key[] };
  /** How many keys at once; upstream's `--concurrent-…-syncs`, 5 if not told. */
  readonly workers?: number;
  /** How long after a change of one of its objects, or of those that wake it, it looks: many changes become one look. At once, if not told. */
  delay?(after: DeepReadonly<KubeObject> | undefined, before: DeepReadonly<KubeObject> | undefined, context: Context): Duration;
  /** Delays after failures, where they are not those of every work queue. */
  readonly retry?: { readonly first: Duration; readonly longest: Duration };
  /** Called once before the informers have synced: to add indexes, or to wake by other means. */
  start?(context: Context, wake: Wake): void;
  /** Makes the world a little more like the spec. Called again after any change, so it remembers nothing. An error means: later again, with back-off. */
  reconcile(object: DeepReadonly<Kinds[K]>, context: Context): Promise<undefined | { readonly again: Duration }>;
  /** The object is no more. */
  gone?(key: Key, context: Context): Promise<void>;
}

/** What controllers run on: made once by the manager. */
export interface Manager {
  readonly self: Process;
  readonly informers: Informers;
  clientFor(controller: string): Client;
  recorderFor(controller: string, self: Process, client: Client): (about: EventSubject, type: 'Normal' | 'Warning', reason: string, message: string) => void;
}

/** One entry of the manager's list: starts and runs until killed. */
export interface Runnable {
  readonly name: string;
  /** The kind it looks after; undefined: none in particular. */
  readonly for?: Kind;
  /** Runs as a process of its own, child of the manager. */
  run(manager: Manager): Main;
}

/** One that was started. */
export interface RunningController {
  readonly name: string;
  /** The kind it looks after; undefined: none in particular. */
  readonly kind: Kind | undefined;
  readonly process: Process;
}

/** A controller that is not a reconciler of keys (the garbage collector, the node monitors) is a main with a context. */
export const runnable = (name: string, main: (context: Context) => Promise<void>): Runnable => ({
  name,
  run: (manager) => async (self) => {
    await main(contextFor(manager, name, self));
    // Listeners and timers are still at work: a process that returned would be dead.
    await forever();
  },
});

export const reconciler = <K extends Kind>(controller: Controller<K>): Runnable => ({
  name: controller.name,
  for: controller.for,
  run: (manager) => (self) => runController(controller, contextFor(manager, controller.name, self)),
});

function contextFor(manager: Manager, name: string, self: Process): Context {
  const client = manager.clientFor(name);
  const { informers } = insideOf(self);
  return {
    self,
    client,
    informer: (kind, options) => {
      const informer = manager.informers.of(kind, options);
      if (!informers.has(kind)) informers.set(kind, informer as unknown as Informer<KubeObject>);
      return informer;
    },
    event: manager.recorderFor(name, self, client),
    now: () => self.clock.now(),
  };
}

/** Longer than this nothing is waited for: upstream's ExpectationsTimeout. */
const GIVE_UP_WAITING = minutes(5);

interface Write {
  readonly at: Instant;
  /** The informers have reached it. */
  seen(): boolean;
}

async function runController<K extends Kind>(controller: Controller<K>, context: Context): Promise<void> {
  const { self } = context;
  const queue = createWorkqueue(self, controller.name, controller.for, controller.retry);
  const objects = context.informer(controller.for);
  const watched = new Set<Kind>([controller.for, ...(controller.owns ?? []), ...(controller.reads ?? []), ...(Object.keys(controller.wakes ?? {}) as Kind[])]);
  const writes = new Map<Key, Write[]>();
  const blocked = new Set<Key>();

  const caughtUp = (key: Key): boolean => {
    const unseen = (writes.get(key) ?? []).filter((write) => !write.seen() && self.clock.now() - write.at < GIVE_UP_WAITING);
    if (unseen.length === 0) writes.delete(key);
    else writes.set(key, unseen);
    return unseen.length === 0;
  };

  controller.start?.(context, queue);

  const wake = (key: Key, after: DeepReadonly<KubeObject> | undefined, before: DeepReadonly<KubeObject> | undefined): void =>
    queue.addAfter(key, controller.delay?.(after, before, context) ?? 0);

  (objects as unknown as Informer<KubeObject>).onChange(({ before, after }) => {
    if (after || controller.gone) wake(keyOf((after ?? before)!), after, before);
  });
  for (const kind of controller.owns ?? []) {
    const wakeOwner = (object: DeepReadonly<KubeObject> | undefined) => {
      const owner = object?.metadata.ownerReferences?.find((reference) => reference.controller);
      if (!owner || owner.kind !== controller.for) return;
      const key = object!.metadata.namespace ? `${object!.metadata.namespace}/${owner.name}` : owner.name;
      if (objects.get(key)?.metadata.uid === owner.uid) wake(key, object, undefined);
    };
    context.informer(kind as 'Pod').onChange(({ before, after }) => {
      if (before) wakeOwner(before as DeepReadonly<KubeObject>);
      if (after) wakeOwner(after as DeepReadonly<KubeObject>);
    });
  }
  for (const kind of Object.keys(controller.wakes ?? {}) as Kind[]) {
    const keysOf = controller.wakes![kind] as unknown as (object: unknown, context: Context, before: unknown) => readonly Key[];
    context.informer(kind as 'Pod').onChange(({ before, after }) => {
      if (before) for (const key of keysOf(before, context, before)) wake(key, before as DeepReadonly<KubeObject>, undefined);
      if (after) for (const key of keysOf(after, context, before)) wake(key, after as DeepReadonly<KubeObject>, undefined);
    });
  }
  for (const kind of watched) {
    context.informer(kind).onChange(() => {
      for (const key of blocked) {
        if (!caughtUp(key)) continue;
        blocked.delete(key);
        queue.add(key);
      }
    });
  }
  for (const kind of watched) await context.informer(kind).synced();

  const work = async (): Promise<never> => {
    for (;;) {
      const key = await queue.get();
      if (!caughtUp(key)) {
        // Woken again by the event that is still on its way.
        blocked.add(key);
        queue.addAfter(key, GIVE_UP_WAITING);
        queue.done(key, true);
        continue;
      }
      blocked.delete(key);
      const about = `${controller.for}/${key}`;
      const object = objects.get(key);
      if (!object && !controller.gone) {
        queue.forget(key);
        queue.done(key);
        continue;
      }
      const cause = self.trace.emit('reconcile.start', about, { controller: controller.name });
      const made: Write[] = [];
      const client = rememberWrites({ ...context, client: onBehalfOf(cause, context) }, watched, made);
      try {
        const own: Context = { ...context, client };
        const result = object ? await controller.reconcile(object, own) : await controller.gone!(key, own);
        queue.forget(key);
        if (made.length > 0) writes.set(key, made);
        self.trace.because(cause);
        if (result) queue.addAfter(key, result.again);
        self.trace.emit('reconcile.end', about, {
          controller: controller.name,
          outcome: 'ok',
          writes: made.length,
          ...(result ? { again: result.again } : {}),
        });
      } catch (error) {
        if (made.length > 0) writes.set(key, made);
        self.trace.because(cause);
        self.trace.emit('reconcile.end', about, { controller: controller.name, outcome: 'retry', error: messageOf(error) });
        queue.addRateLimited(key);
      }
      queue.done(key);
    }
  };
  await Promise.all(Array.from({ length: controller.workers ?? 5 }, work));
}

/** The client, every request of which is made on behalf of `cause`: a reconcile that goes on after the answer to one write was not caused by that answer. */
const onBehalfOf = (cause: TraceId, { client, self }: Context): Client =>
  clientOn((request) => {
    self.trace.because(cause);
    return client.request(request);
  });

/** The client, noting into `made` every write of a watched kind and how to tell that the informers have seen it. */
function rememberWrites(context: Context, watched: ReadonlySet<Kind>, made: Write[]): Client {
  const { client } = context;
  const wrap = <T extends KubeObject>(resource: Resource<T>, informer: Informer<T>): Resource<T> => {
    const note = <O extends DeepReadonly<T>>(object: O): O => {
      const version = Number((object.metadata as { resourceVersion?: string }).resourceVersion);
      made.push({ at: context.now(), seen: () => Number(informer.resourceVersion) >= version });
      return object;
    };
    return {
      ...resource,
      create: async (object) => note(await resource.create(object)),
      update: async (object) => note(await resource.update(object)),
      updateStatus: async (object) => note(await resource.updateStatus(object)),
      patch: async (key, patch, type, subresource) => note(await resource.patch(key, patch, type, subresource)),
      delete: async (key, options) => {
        const uid = (informer.get(key)?.metadata as { uid?: string } | undefined)?.uid;
        await resource.delete(key, options);
        made.push({
          at: context.now(),
          seen: () => {
            const now = informer.get(key)?.metadata as { uid?: string; deletionTimestamp?: string } | undefined;
            return !now || now.uid !== uid || now.deletionTimestamp !== undefined;
          },
        });
      },
    };
  };
  return {
    request: client.request,
    of: (kind) => (watched.has(kind) ? wrap(client.of(kind), context.informer(kind)) : client.of(kind)),
  };
}
