/**
 * Pods waiting for a node: ready to be tried, serving a back-off, or waiting for something to change
 * (upstream `internal/queue/scheduling_queue.go`).
 */

import { type Duration, type Instant, minutes, seconds } from '../../sim/clock.ts';
import { Mailbox } from '../../sim/mailbox.ts';
import type { Process } from '../../sim/process.ts';
import type { TraceId } from '../../sim/trace.ts';
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import type { Pod } from '../api/types.gen.ts';
import type { ClusterEvent, Plugin } from './framework.ts';

const INITIAL_BACKOFF = seconds(1);
const MAX_BACKOFF = seconds(10);
/** A pod nobody woke is tried again after this long. */
const UNSCHEDULABLE_LIMIT = minutes(5);
const FLUSH_PERIOD = seconds(30);

export interface QueuedPod {
  readonly pod: DeepReadonly<Pod>;
  readonly attempts: number;
  readonly addedAt: Instant;
  readonly cause: TraceId;
  /** Who said no last time; only events these plugins care for wake it. */
  readonly rejectedBy: readonly string[];
}
interface Waiting extends QueuedPod {
  readonly since: Instant;
}

export class SchedulingQueue {
  private readonly active: QueuedPod[] = [];
  private readonly backoff = new Map<string, { readonly entry: QueuedPod; readonly cancel: () => void }>();
  private readonly unschedulable = new Map<string, Waiting>();
  private readonly gated = new Map<string, QueuedPod>();
  private readonly bell: Mailbox<true>;
  private inFlight: { readonly key: string; readonly events: ClusterEvent[] } | undefined;
  private flushing = false;

  constructor(
    private readonly self: Pick<Process, 'clock' | 'trace'>,
    private readonly plugins: readonly Plugin[],
  ) {
    this.bell = new Mailbox(self.clock);
  }

  get lengths(): { readonly active: number; readonly backoff: number; readonly unschedulable: number; readonly gated: number } {
    return { active: this.active.length, backoff: this.backoff.size, unschedulable: this.unschedulable.size, gated: this.gated.size };
  }

  /** A pod that has no node yet, new or changed. */
  add(pod: DeepReadonly<Pod>): void {
    const key = keyOf(pod);
    const known = this.find(key);
    this.remove(key);
    const entry: QueuedPod = {
      pod,
      attempts: known?.attempts ?? 0,
      addedAt: known?.addedAt ?? this.self.clock.now(),
      cause: this.self.trace.current(),
      rejectedBy: known?.rejectedBy ?? [],
    };
    const gate = this.plugins.map((plugin) => plugin.preEnqueue?.(pod)).find((message) => message !== undefined);
    if (gate !== undefined) {
      this.gated.set(key, entry);
      return;
    }
    this.activate(entry);
  }

  /** The pod's spec or status changed while it waits; only a changed spec, labels or gates are worth a new try. */
  update(before: DeepReadonly<Pod>, after: DeepReadonly<Pod>): void {
    const key = keyOf(after);
    if (this.gated.has(key)) {
      this.add(after);
      return;
    }
    const waiting = this.unschedulable.get(key);
    const worthATry = before.spec !== after.spec || before.metadata.labels !== after.metadata.labels;
    if (waiting && worthATry && JSON.stringify([before.spec, before.metadata.labels]) !== JSON.stringify([after.spec, after.metadata.labels])) {
      this.add(after);
      return;
    }
    this.replace(key, after);
  }

  remove(key: string): void {
    const at = this.active.findIndex((entry) => keyOf(entry.pod) === key);
    if (at >= 0) this.active.splice(at, 1);
    this.backoff.get(key)?.cancel();
    this.backoff.delete(key);
    this.unschedulable.delete(key);
    this.gated.delete(key);
  }

  /** The next pod to try: highest priority, then longest waiting (PrioritySort). Waits while there is none. */
  async next(): Promise<QueuedPod> {
    for (;;) {
      let best = -1;
      this.active.forEach((entry, i) => {
        if (best < 0 || precedes(entry, this.active[best]!)) best = i;
      });
      if (best >= 0) {
        const [entry] = this.active.splice(best, 1);
        this.inFlight = { key: keyOf(entry!.pod), events: [] };
        this.self.trace.because(entry!.cause);
        return { ...entry!, attempts: entry!.attempts + 1 };
      }
      await this.bell.take();
    }
  }

  /** The attempt is over and the pod is bound, or gone. */
  done(): void {
    this.inFlight = undefined;
  }

  /** No node would do. What happened during the attempt counts as if it came after. */
  unschedulableAgain(entry: QueuedPod, rejectedBy: readonly string[]): void {
    const missed = this.inFlight?.events ?? [];
    this.inFlight = undefined;
    const waiting: Waiting = { ...entry, rejectedBy, since: this.self.clock.now() };
    if (missed.some((event) => this.helps(waiting, event))) this.afterBackoff(waiting);
    else {
      this.unschedulable.set(keyOf(entry.pod), waiting);
      this.flushLater();
    }
  }

  /** An error, not a verdict: tried again after its back-off. */
  failed(entry: QueuedPod): void {
    this.inFlight = undefined;
    this.afterBackoff(entry);
  }

  /** Something in the cluster changed: pods it may help are tried again. */
  wake(event: ClusterEvent): void {
    this.inFlight?.events.push(event);
    for (const [key, waiting] of this.unschedulable) {
      if (!this.helps(waiting, event)) continue;
      this.unschedulable.delete(key);
      this.afterBackoff({ ...waiting, cause: this.self.trace.current() });
    }
  }

  private helps(waiting: QueuedPod, event: ClusterEvent): boolean {
    const concerned = this.plugins.filter((plugin) => waiting.rejectedBy.includes(plugin.name));
    return concerned.length === 0 || concerned.some((plugin) => plugin.hint?.(waiting.pod, event) ?? true);
  }

  /** 1 s, doubling to 10 s, counted from the last attempt. */
  private afterBackoff(entry: QueuedPod): void {
    const key = keyOf(entry.pod);
    const wait = Math.max(0, backoffFor(entry.attempts) - ('since' in entry ? this.self.clock.now() - (entry as Waiting).since : 0));
    if (wait === 0) {
      this.activate(entry);
      return;
    }
    const cancel = this.self.clock.after(wait, () => {
      this.backoff.delete(key);
      this.activate(entry);
    });
    this.backoff.set(key, { entry, cancel });
  }

  private activate(entry: QueuedPod): void {
    this.active.push(entry);
    this.bell.put(true);
  }

  private flushLater(): void {
    if (this.flushing) return;
    this.flushing = true;
    this.self.clock.after(FLUSH_PERIOD, () => {
      this.flushing = false;
      for (const [key, waiting] of this.unschedulable) {
        if (this.self.clock.now() - waiting.since < UNSCHEDULABLE_LIMIT) continue;
        this.unschedulable.delete(key);
        this.activate({ ...waiting, cause: 0 });
      }
      if (this.unschedulable.size > 0) this.flushLater();
    });
  }

  private find(key: string): QueuedPod | undefined {
    return this.active.find((entry) => keyOf(entry.pod) === key) ?? this.backoff.get(key)?.entry ?? this.unschedulable.get(key) ?? this.gated.get(key);
  }

  private replace(key: string, pod: DeepReadonly<Pod>): void {
    const at = this.active.findIndex((entry) => keyOf(entry.pod) === key);
    if (at >= 0) this.active[at] = { ...this.active[at]!, pod };
    const waiting = this.unschedulable.get(key);
    if (waiting) this.unschedulable.set(key, { ...waiting, pod });
    const backing = this.backoff.get(key);
    if (backing) {
      backing.cancel();
      this.backoff.delete(key);
      this.afterBackoff({ ...backing.entry, pod });
    }
  }
}

const priorityOf = (entry: QueuedPod): number => entry.pod.spec?.priority ?? 0;
const precedes = (a: QueuedPod, b: QueuedPod): boolean => priorityOf(a) > priorityOf(b) || (priorityOf(a) === priorityOf(b) && a.addedAt < b.addedAt);

/** @param attempts how often the pod has been tried */
export function backoffFor(attempts: number): Duration {
  let wait = INITIAL_BACKOFF;
  for (let i = 1; i < attempts && wait < MAX_BACKOFF; i++) wait *= 2;
  return Math.min(wait, MAX_BACKOFF);
}
