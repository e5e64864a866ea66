/**
 * Facts, each with its cause: what the world can say about itself.
 *
 * A fact's cause is the fact that was current when the timer being served was set; `emit` makes the
 * new fact current. Since one event wakes one process, a chain of causes needs no bookkeeping except
 * where work is queued (work queues, sockets, the Raft log): there `current()` is stored with the
 * item and `because()` restores it.
 *
 * Ids are given to every fact, kept or not, so that looking never changes the world. The story is kept
 * in a ring. Chatter (heartbeats, lease renewals, probes) is told to whoever listens at that moment and
 * kept nowhere: nothing is ever blamed on it, and an hour of idleness is a quarter of a million of it.
 */
import type { Instant } from './clock.ts';

export type TraceId = number;

export interface Fact {
  readonly id: TraceId;
  readonly at: Instant;
  /** One of the dotted names of the trace vocabulary, e.g. `sched.bind`. */
  readonly type: string;
  /** The process that says it, e.g. `kubelet@node-1`. */
  readonly by: string;
  /** The fact this one follows from; 0 for a root: a user's command, a timer, a fault, the boot. */
  readonly cause: TraceId;
  /** What it is about, e.g. `Pod/default/web-1`; empty when it is about no one object. */
  readonly about: string;
  /** The rest: plain, small, never mutated. */
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Tracer {
  /** Records a story fact and makes it current. */
  emit(type: string, about: string, data?: Readonly<Record<string, unknown>>): TraceId;
  /** Says a fact that recurs for ever (heartbeats, renewals) to whoever listens; it is not kept and not made current. */
  chatter(type: string, about: string, data?: Readonly<Record<string, unknown>>): TraceId;
  /** Whether anybody listens now: where not, chatter on a hot path need not say what it is about. */
  readonly heard: boolean;
  /** The fact being acted on; store it with anything queued. */
  current(): TraceId;
  /** Acts on behalf of `id` from here to the end of the event. */
  because(id: TraceId): void;
}

/** A bounded memory of the latest items, oldest first. */
class Ring {
  private readonly items: Fact[] = [];
  private start = 0;
  constructor(private readonly capacity: number) {}
  push(fact: Fact): void {
    if (this.items.length < this.capacity) this.items.push(fact);
    else {
      this.items[this.start] = fact;
      this.start = (this.start + 1) % this.capacity;
    }
  }
  get length(): number {
    return this.items.length;
  }
  at(i: number): Fact | undefined {
    return this.items[(this.start + i) % this.capacity];
  }
  /** Index of the first fact with id >= `id`; ids rise, so a binary search does. */
  seek(id: TraceId): number {
    let low = 0;
    let high = this.items.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (this.at(mid)!.id < id) low = mid + 1;
      else high = mid;
    }
    return low;
  }
}

export class Trace {
  current: TraceId = 0;
  private last: TraceId = 0;
  private readonly story = new Ring(200_000);
  private readonly listeners = new Set<(fact: Fact) => void>();

  constructor(private readonly now: () => Instant) {}

  /** The newest id given. */
  get newest(): TraceId {
    return this.last;
  }

  get heard(): boolean {
    return this.listeners.size > 0;
  }

  record(by: string, type: string, about: string, data: Readonly<Record<string, unknown>>, chatter: boolean): TraceId {
    const id = ++this.last;
    // Hot: most facts are chatter that nobody listens to.
    if (chatter && this.listeners.size === 0) return id;
    const fact: Fact = { id, at: this.now(), type, by, cause: this.current, about, data };
    if (!chatter) {
      this.story.push(fact);
      this.current = id;
    }
    for (const listener of this.listeners) listener(fact);
    return id;
  }

  /** Finds a fact of the story that is still remembered. */
  find(id: TraceId): Fact | undefined {
    const fact = this.story.at(this.story.seek(id));
    return fact?.id === id ? fact : undefined;
  }

  /** Story facts with `from <= id`, oldest first, that pass the test; at most `limit`. */
  since(from: TraceId, keep: (fact: Fact) => boolean = () => true, limit = 1_000_000): Fact[] {
    const found: Fact[] = [];
    for (let i = this.story.seek(from); i < this.story.length && found.length < limit; i++) {
      const fact = this.story.at(i)!;
      if (keep(fact)) found.push(fact);
    }
    return found;
  }

  /** The newest story fact that passes the test. */
  latest(keep: (fact: Fact) => boolean): Fact | undefined {
    for (let i = this.story.length - 1; i >= 0; i--) {
      const fact = this.story.at(i)!;
      if (keep(fact)) return fact;
    }
    return undefined;
  }

  /** From a fact back to its root, nearest first. */
  chain(id: TraceId): Fact[] {
    const chain: Fact[] = [];
    for (let fact = this.find(id); fact; fact = this.find(fact.cause)) chain.push(fact);
    return chain;
  }

  /** Told of every fact, chatter too, as it happens. Listeners must not touch the world. */
  listen(listener: (fact: Fact) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
