/**
 * A map whose keys are tuples. Every packet is looked up by its tuple several times on its way, so the key
 * is two numbers, one for each end, and not a text to be put together first (0.1 µs instead of 0.5 µs).
 */
import type { Protocol, Tuple } from './packet.ts';

const PROTOCOLS: Readonly<Record<Protocol, number>> = { tcp: 0, udp: 1, icmp: 2 };

export class TupleMap<V> {
  private readonly bySource = new Map<number, Map<number, V>>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  get(t: Tuple): V | undefined {
    return this.bySource.get(sourceOf(t))?.get(destinationOf(t));
  }

  set(t: Tuple, value: V): void {
    const source = sourceOf(t);
    let inner = this.bySource.get(source);
    if (!inner) {
      inner = new Map();
      this.bySource.set(source, inner);
    }
    const before = inner.size;
    inner.set(destinationOf(t), value);
    this.count += inner.size - before;
  }

  delete(t: Tuple): void {
    const source = sourceOf(t);
    const inner = this.bySource.get(source);
    if (!inner?.delete(destinationOf(t))) return;
    this.count--;
    if (inner.size === 0) this.bySource.delete(source);
  }

  clear(): void {
    this.bySource.clear();
    this.count = 0;
  }
}

/** Protocol, address and port in one integer below 2^50. */
const sourceOf = (t: Tuple): number => (PROTOCOLS[t.protocol] * 0x100000000 + t.source) * 0x10000 + t.sourcePort;
const destinationOf = (t: Tuple): number => t.destination * 0x10000 + t.destinationPort;
