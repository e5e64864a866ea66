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

export interface Workqueue {
  /** Puts the key in line, unless it is there already. */
  add(key: Key): void;
  /** As `add`, but `delay` later; of several delays of a key the earliest counts. */
  addAfter(key: Key, delay: Duration): void;
  /** As `addAfter`, by the key's own exponential back-off (5 ms doubling to 1000 s) and ten a second over all with bursts of a hundred. */
  addRateLimited(key: Key): void;
  /** The next key; waits while there is none. Every `get` is followed by a `done`. */
  get(): Promise<Key>;
  done(key: Key): void;
  /** Resets the key's back-off. */
  forget(key: Key): void;
  /** How often `addRateLimited` was called since the last `forget`. */
  requeues(key: Key): number;
  readonly length: number;
}

/** Upstream's DefaultTypedControllerRateLimiter. */
const BASE_DELAY = ms(5);
const MAX_DELAY = seconds(1000);
const TOKEN = ms(100);
const BURST = 100;

/**
 * @param name as in upstream's metrics: `deployment`, `replicaset`
 * @param kind what the keys name, for the trace's `about`
 */
export function createWorkqueue(self: Pick<Process, 'clock' | 'trace'>, name: string, kind = ''): Workqueue {
  const { clock, trace } = self;
  const dirty = new Map<Key, TraceId>();
  const processing = new Set<Key>();
  const line: Key[] = [];
  const takers: Deferred<Key>[] = [];
  const delayed = new Map<Key, { at: Instant; cancel: Cancel }>();
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

  const pump = () => {
    while (line.length > 0 && takers.length > 0) {
      const key = line.shift()!;
      const taker = takers.shift()!;
      const cause = dirty.get(key) ?? 0;
      dirty.delete(key);
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
    if (dirty.has(key)) return;
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
    delayed.set(key, { at, cancel });
  };

  const bucketDelay = (): Duration => {
    const now = clock.now();
    fullAt = Math.max(fullAt, now) + TOKEN;
    return Math.max(0, fullAt - now - BURST * TOKEN);
  };

  return {
    add,
    addAfter,
    addRateLimited: (key) => {
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      const own = count >= 28 ? MAX_DELAY : Math.min(MAX_DELAY, BASE_DELAY * (1 << count));
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
    done: (key) => {
      processing.delete(key);
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
  };
}
