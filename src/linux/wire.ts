/**
 * The wires between machines: latency, order, power, partitions. Packets of the pod network and the
 * messages of the control plane (API requests, Raft) travel over the same wires, so one fault hits both.
 */
import type { Duration, Instant } from '../sim/clock.ts';
import type { Loop } from '../sim/loop.ts';
import type { Rng } from '../sim/rng.ts';

/** One direction between two machines. */
interface Wire {
  /** What a fault adds to its latency. */
  delay: Duration;
  /** When the latest message on it arrives: later ones do not overtake it. */
  horizon: Instant;
}

export class Wires {
  private readonly rng: Rng;
  private readonly off = new Set<string>();
  private groups: readonly (readonly string[])[] = [];
  private readonly wires = new Map<string, Map<string, Wire>>();
  private readonly listeners = new Set<() => void>();

  constructor(private readonly loop: Pick<Loop, 'post' | 'now' | 'rng'>) {
    this.rng = loop.rng.fork('wires');
  }

  /**
   * Delivers after the wire's latency (200 to 300 µs between machines, 20 to 30 µs within one), in order
   * per pair. Says false, and never delivers, when the other side cannot be reached now; a machine that
   * loses power or is cut off while the message is under way does not get it either.
   */
  send(from: string, to: string, deliver: () => void): boolean {
    // Hot: every packet, Raft message, request and watch event passes here (two look-ups, one closure, one timer: 0.4 µs).
    if (!this.reachable(from, to)) return false;
    const { now } = this.loop;
    const wire = this.wire(from, to);
    const latency = (from === to ? this.rng.between(20, 30) : this.rng.between(200, 300)) + wire.delay;
    const at = Math.max(now + latency, wire.horizon);
    wire.horizon = at;
    this.loop.post(at - now, () => {
      if (this.reachable(from, to)) deliver();
    });
    return true;
  }

  private wire(from: string, to: string): Wire {
    let wires = this.wires.get(from);
    if (!wires) {
      wires = new Map();
      this.wires.set(from, wires);
    }
    let wire = wires.get(to);
    if (!wire) {
      wire = { delay: 0, horizon: 0 };
      wires.set(to, wire);
    }
    return wire;
  }

  reachable(from: string, to: string): boolean {
    if (this.off.size > 0 && (this.off.has(from) || this.off.has(to))) return false;
    if (from === to || this.groups.length === 0) return true;
    const groupOf = (host: string) => this.groups.findIndex((group) => group.includes(host));
    return groupOf(from) === groupOf(to);
  }

  setPower(host: string, on: boolean): void {
    if (on) this.off.delete(host);
    else this.off.add(host);
    this.changed();
  }
  powered(host: string): boolean {
    return !this.off.has(host);
  }

  /** Machines in different groups cannot hear each other; those in no group form one together. An empty list heals. */
  partition(groups: readonly (readonly string[])[]): void {
    this.groups = groups;
    this.changed();
  }
  get partitions(): readonly (readonly string[])[] {
    return this.groups;
  }

  /** Called when who can reach whom may have changed. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  private changed(): void {
    for (const listener of [...this.listeners]) listener();
  }

  /** Adds to the latency of one direction. */
  slow(from: string, to: string, by: Duration): void {
    this.wire(from, to).delay = by;
  }
}
