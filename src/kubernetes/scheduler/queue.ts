/**
 * Pods waiting for a node: ready to be tried, serving a back-off, waiting for something to change, or held by a gate
 * (upstream `pkg/scheduler/backend/queue`). What is tried next is for QueueSort to say; who is worth trying again after
 * a change, for the queueing hints of the plugins that turned the pod down.
 *
 * As in v1.33 (SchedulerPopFromBackoffQ), when nothing is ready, a pod that is only serving its back-off is tried
 * early; one that failed by an error, never.
 */
import { type Cancel, type Duration, type Instant, minutes, seconds } from '../../sim/clock.ts';
import { Mailbox } from '../../sim/mailbox.ts';
import type { Process } from '../../sim/process.ts';
import type { TraceId } from '../../sim/trace.ts';
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import type { Pod } from '../api/types.gen.ts';
import { podEvents } from './cluster-events.ts';
import type { ClusterEvent, Objects, Plugin, QueueItem } from './framework.ts';
import { NO_OBJECTS } from './framework.ts';
import { Heap } from './heap.ts';
import type { Profile } from './profile.ts';

type P = DeepReadonly<Pod>;

/** A pod nobody woke is tried again after this long. */
const UNSCHEDULABLE_LIMIT = minutes(5);
const FLUSH_PERIOD = seconds(30);
/** Back-offs that end within the same second count as ending together. */
const WINDOW = seconds(1);

export type Place = 'active' | 'backoff' | 'unschedulable' | 'gated';

export interface QueuedPod extends QueueItem {
  readonly key: string;
  pod: P;
  /** How often it has been tried. */
  attempts: number;
  /** When it was first seen. */
  readonly addedAt: Instant;
  /** When it was last put into a queue; back-offs count from here. */
  timestamp: Instant;
  backoffUntil: Instant;
  /** Earlier of equals. */
  order: number;
  cause: TraceId;
  /** Who said no last time; only events these care for wake it. Empty after an error. */
  rejectedBy: ReadonlySet<string>;
}

export interface QueueOptions {
  readonly initialBackoff?: Duration;
  readonly maxBackoff?: Duration;
  readonly objects?: Objects;
  /** Whether pods that serve a back-off are tried early when nothing else is ready; true as in v1.33. */
  readonly popFromBackoff?: boolean;
}

/** An attempt under way: what happens meanwhile counts as if it came after. */
interface InFlight {
  readonly events: ClusterEvent[];
}

export class SchedulingQueue {
  private readonly active: Heap<QueuedPod>;
  private readonly backoff: Heap<QueuedPod>;
  private readonly errorBackoff: Heap<QueuedPod>;
  private readonly unschedulable = new Map<string, QueuedPod>();
  private readonly gated = new Map<string, QueuedPod>();
  private readonly inFlight = new Map<string, InFlight>();
  private readonly timers = new Map<string, Cancel>();
  private readonly bell: Mailbox<true>;
  /** Pods whose victims are being evicted: kept out until that is done (DefaultPreemption's PreEnqueue). */
  private readonly preempting = new Set<string>();
  private readonly initialBackoff: Duration;
  private readonly maxBackoff: Duration;
  private readonly objects: Objects;
  private readonly popFromBackoff: boolean;
  private order = 0;
  private flushing = false;
  private asleep = false;

  constructor(
    private readonly self: Pick<Process, 'clock' | 'trace'>,
    private readonly profileOf: (pod: P) => Profile | undefined,
    queueSort: Plugin,
    options: QueueOptions = {},
  ) {
    this.bell = new Mailbox(self.clock);
    this.initialBackoff = options.initialBackoff ?? seconds(1);
    this.maxBackoff = options.maxBackoff ?? seconds(10);
    this.objects = options.objects ?? NO_OBJECTS;
    this.popFromBackoff = options.popFromBackoff ?? true;
    const first = (a: QueuedPod, b: QueuedPod): boolean => {
      if (queueSort.less!(a, b)) return true;
      return !queueSort.less!(b, a) && a.order < b.order;
    };
    const sooner = (a: QueuedPod, b: QueuedPod): boolean => {
      const [x, y] = [Math.floor(a.backoffUntil / WINDOW), Math.floor(b.backoffUntil / WINDOW)];
      return x === y ? first(a, b) : x < y;
    };
    this.active = new Heap(first);
    this.backoff = new Heap(sooner);
    this.errorBackoff = new Heap(sooner);
  }

  get lengths(): { readonly active: number; readonly backoff: number; readonly unschedulable: number; readonly gated: number } {
    return {
      active: this.active.length,
      backoff: this.backoff.length + this.errorBackoff.length,
      unschedulable: this.unschedulable.size,
      gated: this.gated.size,
    };
  }

  /** A pod that has no node yet, new to the queue. */
  add(pod: P): void {
    const now = this.self.clock.now();
    const entry: QueuedPod = {
      key: keyOf(pod),
      pod,
      attempts: 0,
      addedAt: now,
      timestamp: now,
      backoffUntil: 0,
      order: ++this.order,
      cause: this.self.trace.current(),
      rejectedBy: new Set(),
    };
    this.drop(entry.key);
    this.activate(entry, 'PodAdd');
  }

  /** The pod changed while it waits. */
  update(before: P, after: P): void {
    const key = keyOf(after);
    const queued = this.active.get(key) ?? this.backoff.get(key) ?? this.errorBackoff.get(key);
    if (queued) {
      // Its priority or its gates may be others: it is put in anew.
      const heap = this.active.get(key) ? this.active : this.backoff.get(key) ? this.backoff : this.errorBackoff;
      heap.delete(key);
      queued.pod = after;
      heap.push(queued);
      return;
    }
    const waiting = this.unschedulable.get(key) ?? this.gated.get(key);
    if (!waiting) {
      const flight = this.inFlight.get(key);
      if (flight) flight.events.push(...podEvents(before, after));
      else this.add(after);
      return;
    }
    waiting.pod = after;
    for (const event of podEvents(before, after)) {
      const who = this.helper(waiting, event);
      if (who === undefined) continue;
      this.gated.delete(key);
      this.unschedulable.delete(key);
      waiting.cause = this.self.trace.current();
      this.requeue(waiting, event.label, who);
      return;
    }
  }

  /** The pod is gone, or has a node. */
  remove(key: string): void {
    this.drop(key);
    this.preempting.delete(key);
    this.inFlight.delete(key);
  }

  /** The next pod to try. Waits while there is none. */
  async next(): Promise<QueuedPod> {
    for (;;) {
      const entry = this.active.pop() ?? (this.popFromBackoff ? this.backoff.pop() : undefined);
      if (entry) {
        this.timers.get(entry.key)?.();
        this.timers.delete(entry.key);
        this.inFlight.set(entry.key, { events: [] });
        entry.attempts++;
        this.self.trace.because(entry.cause);
        return entry;
      }
      this.asleep = true;
      await this.bell.take();
      this.asleep = false;
    }
  }

  /** Nothing that happens from here on can turn the attempt into one that found no node. */
  done(key: string): void {
    this.inFlight.delete(key);
  }

  /** No node would do; what happened during the attempt counts as if it came after. Empty `rejectedBy`: it was an error. */
  unschedulableAgain(entry: QueuedPod, rejectedBy: Iterable<string>): void {
    const missed = this.inFlight.get(entry.key)?.events ?? [];
    this.inFlight.delete(entry.key);
    entry.rejectedBy = new Set(rejectedBy);
    entry.timestamp = this.self.clock.now();
    entry.backoffUntil = 0;
    if (entry.rejectedBy.size === 0) {
      this.requeue(entry, 'ScheduleAttemptFailure');
      return;
    }
    for (const event of missed) {
      const who = this.helper(entry, event);
      if (who === undefined) continue;
      this.requeue(entry, event.label, who);
      return;
    }
    this.rest(entry);
  }

  /** Its victims are being evicted (true), or all but the last have been (false). */
  setPreempting(key: string, is: boolean): void {
    if (is) this.preempting.add(key);
    else this.preempting.delete(key);
  }

  /** Something in the cluster changed: pods it may help are tried again. */
  wake(event: ClusterEvent): void {
    for (const { events } of this.inFlight.values()) events.push(event);
    if (this.unschedulable.size === 0 && this.gated.size === 0) return;
    const cause = this.self.trace.current();
    // What a gate holds may be let go by an event too; whoever is put in anew is not looked at again.
    for (const [key, waiting] of [...this.unschedulable, ...this.gated]) {
      if (this.preempting.has(key)) continue;
      const who = this.helper(waiting, event);
      if (who === undefined) continue;
      this.unschedulable.delete(key);
      this.gated.delete(key);
      this.self.trace.because(cause);
      waiting.cause = cause;
      this.requeue(waiting, event.label, who);
    }
    this.self.trace.because(cause);
  }

  /** Everybody waiting for a change is tried, whatever the plugins would say (`ForceActivate`). */
  activateNow(key: string): void {
    const waiting = this.unschedulable.get(key);
    if (!waiting) return;
    this.unschedulable.delete(key);
    this.activate(waiting, 'ForceActivate');
  }

  /** The plugin whose hint says that the event may help; undefined: it will not (`isPodWorthRequeuing`). */
  private helper(waiting: QueuedPod, event: ClusterEvent): string | undefined {
    for (const plugin of this.profileOf(waiting.pod)?.plugins ?? []) {
      if (!waiting.rejectedBy.has(plugin.name)) continue;
      if (!plugin.events) return plugin.name;
      for (const { resource, actions, hint } of plugin.events) {
        if (resource !== event.resource) continue;
        if (!actions.includes(event.action) && !(event.action !== 'Add' && event.action !== 'Delete' && actions.includes('Update'))) continue;
        if (!hint || hint(waiting.pod, event, this.objects)) return plugin.name;
      }
    }
    return undefined;
  }

  /** To the back-off queue, or straight on when the back-off is over. 1 s, doubling to 10 s, counted from the last attempt. */
  private requeue(entry: QueuedPod, event: string, plugin?: string): void {
    const until = entry.timestamp + backoffFor(entry.attempts, this.initialBackoff, this.maxBackoff);
    const wait = until - this.self.clock.now();
    if (entry.attempts === 0 || wait <= 0) {
      this.activate(entry, event, plugin);
      return;
    }
    if (this.gate(entry)) return;
    entry.backoffUntil = until;
    entry.cause = this.self.trace.emit('sched.queue', about(entry.pod), { to: 'backoff', event, until, ...(plugin ? { plugin } : {}) });
    (entry.rejectedBy.size === 0 ? this.errorBackoff : this.backoff).push(entry);
    this.timers.set(
      entry.key,
      this.self.clock.after(wait, () => {
        this.timers.delete(entry.key);
        this.backoff.delete(entry.key);
        this.errorBackoff.delete(entry.key);
        this.activate(entry, 'BackoffComplete');
      }),
    );
    if (this.asleep && this.popFromBackoff && entry.rejectedBy.size > 0) this.bell.put(true);
  }

  private activate(entry: QueuedPod, event: string, plugin?: string): void {
    if (this.gate(entry)) return;
    // A new pod's coming is a fact already: sched.enqueue.
    if (event !== 'PodAdd') entry.cause = this.self.trace.emit('sched.queue', about(entry.pod), { to: 'active', event, ...(plugin ? { plugin } : {}) });
    this.active.push(entry);
    if (this.asleep) this.bell.put(true);
  }

  private gate(entry: QueuedPod): boolean {
    for (const plugin of this.profileOf(entry.pod)?.preEnqueue ?? []) {
      const held = plugin.preEnqueue!(entry.pod);
      if (!held) continue;
      entry.rejectedBy = new Set([plugin.name]);
      entry.cause = this.self.trace.emit('sched.queue', about(entry.pod), { to: 'gated', plugin: plugin.name, reason: held.reasons.join(', ') });
      this.gated.set(entry.key, entry);
      return true;
    }
    return false;
  }

  private rest(entry: QueuedPod): void {
    this.unschedulable.set(entry.key, entry);
    this.flushLater();
  }

  private flushLater(): void {
    if (this.flushing) return;
    this.flushing = true;
    this.self.clock.after(FLUSH_PERIOD, () => {
      this.flushing = false;
      for (const [key, waiting] of this.unschedulable) {
        if (this.self.clock.now() - waiting.timestamp < UNSCHEDULABLE_LIMIT || this.preempting.has(key)) continue;
        this.unschedulable.delete(key);
        this.self.trace.because(0);
        this.activate(waiting, 'UnschedulableTimeout');
      }
      if (this.unschedulable.size > 0) this.flushLater();
    });
  }

  private drop(key: string): void {
    this.timers.get(key)?.();
    this.timers.delete(key);
    this.active.delete(key);
    this.backoff.delete(key);
    this.errorBackoff.delete(key);
    this.unschedulable.delete(key);
    this.gated.delete(key);
  }
}

const about = (pod: P): string => `Pod/${keyOf(pod)}`;

/** @param attempts how often the pod has been tried */
export function backoffFor(attempts: number, initial: Duration = seconds(1), max: Duration = seconds(10)): Duration {
  let wait = initial;
  for (let i = 1; i < attempts && wait < max; i++) wait *= 2;
  return Math.min(wait, max);
}
