/**
 * The network that joins the machines: who has which address. What happens on the way (latency,
 * partitions, power) is the business of the wires.
 */
import type { Address } from './address.ts';
import type { Packet } from './packet.ts';
import type { Wires } from './wire.ts';

/** A machine as its neighbours on the wire see it. */
export interface Station {
  readonly hostname: string;
  fromWire(packet: Packet): void;
}

export class Lan {
  private readonly stations = new Map<Address, Station>();
  private flows = 0;
  constructor(readonly wires: Wires) {}

  attach(at: Address, station: Station): void {
    this.stations.set(at, station);
  }

  has(at: Address): boolean {
    return this.stations.has(at);
  }

  /** False when no machine has the address (nobody answers ARP). A packet for a machine that is off or cut off is lost in silence. */
  send(from: string, to: Address, packet: Packet): boolean {
    const station = this.stations.get(to);
    if (!station) return false;
    this.wires.send(from, station.hostname, () => station.fromWire(packet));
    return true;
  }

  /** A number for a new conversation. */
  newFlow(): number {
    return ++this.flows;
  }
}
