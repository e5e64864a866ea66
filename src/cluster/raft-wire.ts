/**
 * The messages of Raft on their way between etcd's members: each has a number while it is under way, so
 * that it can be drawn, lost or held back on its own.
 *
 * Here simplified: etcd's members speak over TCP streams (rafthttp), where a lost packet is a delay or a
 * broken stream, and nothing comes twice or out of order. For teaching, loss, duplication and reordering
 * befall single messages here, as in the paper's model of the network; Raft must stand that too.
 */
import type { Wires } from '../linux/wire.ts';
import type { Duration, Instant } from '../sim/clock.ts';
import type { Loop } from '../sim/loop.ts';
import type { Rng } from '../sim/rng.ts';

export interface RaftInFlight {
  readonly id: number;
  /** Machines. */
  readonly from: string;
  readonly to: string;
  readonly type: string;
  readonly term: number;
  /** Of the entry before those it carries, or of what it speaks of. */
  readonly index?: number;
  readonly logTerm?: number;
  readonly commit?: number;
  /** How many it carries. */
  readonly entries: number;
  readonly reject?: boolean;
  readonly sentAt: Instant;
  readonly arrivesAt: Instant;
}

/** The fields of a message that are told; what members say to each other beside Raft has only a type. */
interface Told {
  readonly type: string;
  readonly term?: number;
  readonly index?: number;
  readonly logTerm?: number;
  readonly commit?: number;
  readonly entries?: readonly unknown[];
  readonly reject?: boolean;
}

interface Flight {
  readonly id: number;
  readonly from: string;
  readonly to: string;
  readonly message: Told;
  readonly sentAt: Instant;
  arrivesAt: Instant;
  readonly deliver: (message: unknown) => void;
}

export class RaftWire {
  private readonly flights = new Map<number, Flight>();
  private sent = 0;
  private readonly rng: Rng;

  constructor(
    private readonly loop: Pick<Loop, 'now' | 'post' | 'rng'>,
    private readonly wires: Wires,
  ) {
    this.rng = loop.rng.fork('raft-wire');
    // What was under way on a wire that is cut is lost.
    wires.onChange(() => {
      for (const { id, from, to } of [...this.flights.values()]) if (!wires.reachable(from, to)) this.flights.delete(id);
    });
  }

  /** Brings a message to another machine, some time later or never. */
  send(from: string, to: string, message: unknown, deliver: (message: unknown) => void): void {
    const { loss, duplicate, reorder } = this.wires.weather(from, to);
    if (loss > 0 && this.rng.between(0, 100) < loss) return;
    this.launch(from, to, message as Told, reorder, deliver);
    // A proposal passed on to the leader is a request, not a message of the protocol: carried out twice it would be two writes.
    if (duplicate > 0 && (message as Told).type !== 'MsgProp' && this.rng.between(0, 100) < duplicate) this.launch(from, to, message as Told, reorder, deliver);
  }

  /** In the order in which they were sent. */
  inFlight(): readonly RaftInFlight[] {
    return Array.from(this.flights.values(), ({ id, from, to, message, sentAt, arrivesAt }) => ({
      id,
      from,
      to,
      type: message.type,
      term: message.term ?? 0,
      ...(message.index === undefined ? {} : { index: message.index }),
      ...(message.logTerm === undefined ? {} : { logTerm: message.logTerm }),
      ...(message.commit === undefined ? {} : { commit: message.commit }),
      entries: message.entries?.length ?? 0,
      ...(message.reject ? { reject: true } : {}),
      sentAt,
      arrivesAt,
    }));
  }

  /** Throws RangeError when no such message is under way. */
  drop(id: number): void {
    this.need(id);
    this.flights.delete(id);
  }

  /** Makes one arrive later, and others overtake it. Throws RangeError when no such message is under way. */
  delay(id: number, by: Duration): void {
    this.need(id).arrivesAt += by;
  }

  /** Hot: two of three events of an idle cluster are these. A message under way is one flight, one closure and one timer. */
  private launch(from: string, to: string, message: Told, reorder: Duration, deliver: (message: unknown) => void): void {
    const id = ++this.sent;
    const latency = this.wires.latency(from, to, reorder > 0 ? this.rng.between(1, reorder + 1) : 0);
    if (latency === undefined) return;
    const sentAt = this.loop.now;
    const flight: Flight = { id, from, to, message, sentAt, arrivesAt: sentAt + latency, deliver };
    this.flights.set(id, flight);
    this.loop.post(latency, () => this.arrive(flight));
  }

  private arrive(flight: Flight): void {
    const rest = flight.arrivesAt - this.loop.now;
    if (rest > 0 && this.flights.has(flight.id)) {
      this.loop.post(rest, () => this.arrive(flight));
      return;
    }
    // Gone: dropped, or lost with its wire.
    if (this.flights.delete(flight.id) && this.wires.reachable(flight.from, flight.to)) flight.deliver(flight.message);
  }

  private need(id: number): Flight {
    const flight = this.flights.get(id);
    if (!flight) throw new RangeError(`no message ${id} is under way between etcd's members`);
    return flight;
  }
}
