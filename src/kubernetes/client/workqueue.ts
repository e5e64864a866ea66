/**
 * The work queue of client-go (util/workqueue): keys to reconcile, each at most once in line and never
 * worked on twice at a time. A key added while it is being worked on comes back when that is done.
 *
 * Every key carries the trace fact that asked for it; each is handed out in an event of its own, so
 * that whoever takes it acts on that fact's behalf, however many workers wait.
 */
import type { Cancel, Duration, Instant } from '../../sim/clock.ts';
import { ms, seconds } from '../../sim/clock.ts';
import { type Deferred, defer } from '../../sim/mailbox.ts';
import type { Process } from '../../sim/process.ts';
import type { TraceId } from '../../sim/trace.ts';
import type { Key } from '../api/meta.ts';
import { insideOf } from './inside.ts';

export interface Workqueue {
  /** Puts the key in line, unless it is there already. */
  add(key: Key): void;
  /** As `add`, but `delay` later; of several delays of a key the earliest counts. */
  addAfter(key: Key, delay: Duration): void;
  /** As `addAfter`, by the key's own exponential back-off (5 ms doubling to 1000 s) and ten a second over all with bursts of a hundred. */
  addRateLimited(key: Key): void;
  /** The next key; waits while there is none. Every `get` is followed by a `done`. */
  get(): Promise<Key>;
  /** `unworked`: it was taken and found too early to work on, so a step let through by `step` is still to come. */
  done(key: Key, unworked?: boolean): void;
  /** Resets the key's back-off. */
  forget(key: Key): void;
  /** How often `addRateLimited` was called since the last `forget`. */
  requeues(key: Key): number;
  readonly length: number;
  /** Hands out nothing any more, or again; what is under way goes on. For whoever wants to see what a controller's absence does. */
  hold(on: boolean): void;
  /** Of a queue that is held: hands out this key of the line, or the first. False: it is not in line. */
  step(key?: Key): boolean;
  /** What is in it, for whoever looks in from outside. */
  look(): QueueInside;
}

/** A queue as it is at a moment. Facts are those that asked for a key; `adds`: how often it was asked for since it was last taken. */
export interface QueueInside {
  readonly name: string;
  /** What the keys name; empty: not told. */
  readonly kind: string;
  readonly held: boolean;
  readonly waiting: readonly QueueItem[];
  readonly processing: readonly Key[];
  /** Asked for again while being worked on: they go into the line when that is done. */
  readonly again: readonly QueueItem[];
  /** `requeues`: how often it failed in a row; 0: its controller asked for a later look. */
  readonly delayed: readonly { readonly key: Key; readonly at: Instant; readonly requeues: number; readonly fact: TraceId }[];
}
export interface QueueItem {
  readonly key: Key;
  readonly fact: TraceId;
  readonly adds: number;
}

/** Upstream's DefaultTypedControllerRateLimiter. */
const BASE_DELAY = ms(5);
const MAX_DELAY = seconds(1000);
const TOKEN = ms(100);
const BURST = 100;

/**
 * @param name as in upstream's metrics: `deployment`, `replicaset`
 * @param kind what the keys name, for the trace's `about`
 * @param limits of a key's own back-off
 */
export function createWorkqueue(
  self: Pick<Process, 'clock' | 'trace'>,
  name: string,
  kind = '',
  limits: { readonly first: Duration; readonly longest: Duration } = { first: BASE_DELAY, longest: MAX_DELAY },
): Workqueue {
  const { clock, trace } = self;
  const dirty = new Map<Key, TraceId>();
  const processing = new Set<Key>();
  const line: Key[] = [];
  const takers: Deferred<Key>[] = [];
  /** Of keys that were asked for again before they were taken: how often in all. */
  const merged = new Map<Key, number>();
  const delayed = new Map<Key, { at: Instant; cancel: Cancel; fact: TraceId }>();
  const failures = new Map<Key, number>();
  /** When the token bucket will be full again. */
  let fullAt: Instant = 0;

  const about = (key: Key) => (kind ? `${kind}/${key}` : key);

  /** Acts for another fact and then goes back to the one that was being acted on. */
  const aside = <T>(act: () => T): T => {
    const current = trace.current();
    const result = act();
    trace.because(current);
    return result;
  };

  let held = false;
  /** Keys that may be taken though the queue is held. */
  let passes = 0;

  const pump = () => {
    while (line.length > 0 && takers.length > 0) {
      if (held && --passes < 0) {
        passes = 0;
        return;
      }
      const key = line.shift()!;
      const taker = takers.shift()!;
      const cause = dirty.get(key) ?? 0;
      dirty.delete(key);
      if (merged.size > 0) merged.delete(key);
      processing.add(key);
      aside(() => {
        trace.because(cause);
        clock.after(0, () => {
          trace.emit('queue.get', about(key), { queue: name });
          taker.resolve(key);
        });
      });
    }
  };

  const add = (key: Key) => {
    if (dirty.has(key)) {
      merged.set(key, (merged.get(key) ?? 1) + 1);
      return;
    }
    dirty.set(
      key,
      aside(() => trace.emit('queue.add', about(key), { queue: name })),
    );
    if (processing.has(key)) return;
    line.push(key);
    pump();
  };

  const addAfter = (key: Key, delay: Duration) => {
    if (delay <= 0) {
      add(key);
      return;
    }
    const at = clock.now() + delay;
    const earlier = delayed.get(key);
    if (earlier && earlier.at <= at) return;
    earlier?.cancel();
    const cancel = clock.after(delay, () => {
      delayed.delete(key);
      add(key);
    });
    delayed.set(key, { at, cancel, fact: trace.current() });
  };

  const bucketDelay = (): Duration => {
    const now = clock.now();
    fullAt = Math.max(fullAt, now) + TOKEN;
    return Math.max(0, fullAt - now - BURST * TOKEN);
  };

  const itemOf = (key: Key): QueueItem => ({ key, fact: dirty.get(key) ?? 0, adds: merged.get(key) ?? 1 });

  const queue: Workqueue = {
    add,
    addAfter,
    addRateLimited: (key) => {
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      const own = count >= 28 ? limits.longest : Math.min(limits.longest, limits.first * (1 << count));
      const delay = Math.max(own, bucketDelay());
      aside(() => {
        trace.emit('queue.requeue', about(key), { queue: name, delay, requeues: count + 1 });
        addAfter(key, delay);
      });
    },
    get: () => {
      const taker = defer<Key>(clock);
      takers.push(taker);
      pump();
      return taker.promise;
    },
    done: (key, unworked = false) => {
      processing.delete(key);
      if (unworked && held) passes++;
      trace.emit('queue.done', about(key), { queue: name });
      if (!dirty.has(key)) return;
      line.push(key);
      pump();
    },
    forget: (key) => {
      failures.delete(key);
    },
    requeues: (key) => failures.get(key) ?? 0,
    get length() {
      return line.length;
    },
    hold: (on) => {
      held = on;
      passes = 0;
      if (!on) pump();
    },
    step: (key = line[0]) => {
      const at = key === undefined ? -1 : line.indexOf(key);
      if (at < 0) return false;
      line.unshift(...line.splice(at, 1));
      if (!held) return true;
      passes++;
      pump();
      return true;
    },
    look: () => ({
      name,
      kind,
      held,
      waiting: line.map(itemOf),
      processing: [...processing],
      again: [...dirty.keys()].filter((key) => processing.has(key)).map(itemOf),
      delayed: [...delayed].map(([key, { at, fact }]) => ({ key, at, fact, requeues: failures.get(key) ?? 0 })),
    }),
  };
  insideOf(self).queues.push(queue);
  return queue;
}
