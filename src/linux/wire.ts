/**
 * The wires between machines: latency, order, power, partitions. Packets of the pod network and the
 * messages of the control plane (API requests, Raft) travel over the same wires, so one fault hits both.
 *
 * Here simplified: what is `send` arrives in order or not at all, as over TCP. Loss, duplication and
 * reordering are kept as a wire's weather for those who ask (etcd's members, for each message of Raft).
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
  weather: Weather;
}

/** What happens to single messages of one direction. */
export interface Weather {
  /** Of a hundred, how many are lost, and how many come twice. */
  readonly loss: number;
  readonly duplicate: number;
  /** Each is late by up to this, and may be overtaken. */
  readonly reorder: Duration;
}
const CALM: Weather = { loss: 0, duplicate: 0, reorder: 0 };

export class Wires {
  private readonly rng: Rng;
  private readonly off = new Set<string>();
  private groups: readonly (readonly string[])[] = [];
  /** Directions that are cut: `from>to`. */
  private readonly cuts = new Set<string>();
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
    return this.carry(from, to, 0, deliver) !== undefined;
  }

  /** The same, saying when it arrives; undefined: never. One that is late by `lateness` of its own does not hold up those behind it. */
  carry(from: string, to: string, lateness: Duration, deliver: () => void): Instant | undefined {
    // Hot: every packet, request and watch event passes here (two look-ups, one closure, one timer: 0.4 µs).
    const latency = this.latency(from, to, lateness);
    if (latency === undefined) return undefined;
    this.loop.post(latency, () => {
      if (this.reachable(from, to)) deliver();
    });
    return this.loop.now + latency;
  }

  /** How long what is sent now is under way, for who carries it himself and looks when it arrives whether the other side is {@link reachable}; undefined when it is not now. It takes its place in the order of the wire. */
  latency(from: string, to: string, lateness: Duration): Duration | undefined {
    if (!this.reachable(from, to)) return undefined;
    const { now } = this.loop;
    const wire = this.wire(from, to);
    const latency = (from === to ? this.rng.between(20, 30) : this.rng.between(200, 300)) + wire.delay;
    const at = Math.max(now + latency, wire.horizon) + lateness;
    if (lateness === 0) wire.horizon = at;
    return at - now;
  }

  private wire(from: string, to: string): Wire {
    let wires = this.wires.get(from);
    if (!wires) {
      wires = new Map();
      this.wires.set(from, wires);
    }
    let wire = wires.get(to);
    if (!wire) {
      wire = { delay: 0, horizon: 0, weather: CALM };
      wires.set(to, wire);
    }
    return wire;
  }

  /** Whether what `from` sends gets to `to`; the way back is another question. */
  reachable(from: string, to: string): boolean {
    if (this.off.size > 0 && (this.off.has(from) || this.off.has(to))) return false;
    if (this.cuts.size > 0 && this.cuts.has(`${from}>${to}`)) return false;
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
  /** Cuts one direction, or mends it. */
  cut(from: string, to: string, off: boolean): void {
    if (off) this.cuts.add(`${from}>${to}`);
    else this.cuts.delete(`${from}>${to}`);
    this.changed();
  }
  /** Directions that are cut, each as `[from, to]`. */
  get cutDirections(): readonly (readonly [from: string, to: string])[] {
    return Array.from(this.cuts, (each) => {
      const [from = '', to = ''] = each.split('>');
      return [from, to] as const;
    });
  }
  /** Mends every partition and every cut; latency and weather stay as they are. */
  mend(): void {
    this.groups = [];
    this.cuts.clear();
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
  latencyAdded(from: string, to: string): Duration {
    return this.wires.get(from)?.get(to)?.delay ?? 0;
  }

  weather(from: string, to: string): Weather {
    return this.wires.get(from)?.get(to)?.weather ?? CALM;
  }
  setWeather(from: string, to: string, change: Partial<Weather>): void {
    const wire = this.wire(from, to);
    wire.weather = { ...wire.weather, ...change };
  }
}
