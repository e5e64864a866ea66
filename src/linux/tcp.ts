/**
 * TCP over packets (RFC 9293): handshake, acknowledged data, retransmission, orderly and abrupt ends.
 *
 * Here simplified: a segment is a whole text and the receiver takes only the one it expects next, so
 * there is no window, no congestion control and no reordering; sequence numbers start at 0, as a packet
 * analyser shows them.
 */
import { type Cancel, type Duration, type Instant, ms, seconds } from '../sim/clock.ts';
import type { Process } from '../sim/process.ts';
import { formatAddress } from './address.ts';
import { Flag, type Packet, segment, type Tuple } from './packet.ts';
import { type Connection, SocketError } from './sockets.ts';

/** What TCP needs of the machine it runs on. Timers are the kernel's: they fire whoever dies, and not after a reset. */
export interface Stack {
  now(): Instant;
  after(duration: Duration, callback: () => void): Cancel;
  send(packet: Packet): void;
  /** Nobody listens on the port a packet was for. */
  refused(packet: Packet): void;
}

export type TcpSocketState = 'SYN-SENT' | 'SYN-RECV' | 'ESTAB' | 'FIN-WAIT-1' | 'FIN-WAIT-2' | 'CLOSE-WAIT' | 'CLOSING' | 'LAST-ACK' | 'TIME-WAIT' | 'CLOSED';

/** net.ipv4.tcp_syn_retries: six, after 1, 3, 7, 15, 31, 63 s; given up at 127 s. */
const SYN_RETRIES = 6;
const SYN_ACK_RETRIES = 5;
/** net.ipv4.tcp_retries2. */
const DATA_RETRIES = 15;
const SYN_RTO = seconds(1);
const MIN_RTO = ms(200);
const MAX_RTO = seconds(120);
const DELAYED_ACK = ms(40);
/** TCP_TIMEWAIT_LEN, and tcp_fin_timeout. */
const LINGER = seconds(60);

interface Unacknowledged {
  readonly flags: number;
  readonly seq: number;
  /** The sequence number after it. */
  readonly end: number;
  readonly payload: string;
}

export interface TcpEvents {
  established(socket: TcpSocket): void;
  /** Forgotten before it came to a quiet end. */
  gone?(socket: TcpSocket): void;
}
/** Who keeps the socket until it is forgotten. */
export interface TcpHome {
  remove(socket: TcpSocket): void;
}
type Receiver = { readonly take: (text: string | undefined) => boolean; readonly failed: (error: SocketError) => void };

/** One end of a TCP connection. Its tuple reads from here: source is ours. */
export class TcpSocket implements Connection {
  state: TcpSocketState;
  /** For TIME-WAIT and FIN-WAIT-2: forgotten from then on. */
  expires: Instant = Number.POSITIVE_INFINITY;

  private sendNext = 0;
  private receiveNext = 0;
  /** What the other side has been told of `receiveNext`. */
  private toldNext = 0;
  private readonly unacknowledged: Unacknowledged[] = [];
  private retries = 0;
  private cancelRetransmit: Cancel | undefined;
  private cancelAck: Cancel | undefined;
  // Made when first needed: a cluster's probes alone open twelve thousand connections an hour, and each is kept for a minute after.
  private inbox: { readonly text: string; readonly cause: number }[] | undefined;
  private readers: { resolve(text: string | undefined): void; reject(error: SocketError): void }[] | undefined;
  private receiver: Receiver | undefined;
  private remoteClosed = false;
  private closed = false;
  private failure: SocketError | undefined;

  constructor(
    readonly tuple: Tuple,
    private readonly stack: Stack,
    readonly process: Process,
    private readonly home: TcpHome,
    private events: TcpEvents | undefined,
    readonly flow: number,
    role: 'active' | 'passive',
  ) {
    this.state = role === 'active' ? 'SYN-SENT' : 'SYN-RECV';
  }

  get local(): { readonly ip: string; readonly port: number } {
    return { ip: formatAddress(this.tuple.source), port: this.tuple.sourcePort };
  }
  get remote(): { readonly ip: string; readonly port: number } {
    return { ip: formatAddress(this.tuple.destination), port: this.tuple.destinationPort };
  }

  /** Sends the first SYN. */
  open(): void {
    this.queue(Flag.SYN, '');
  }

  /** Answers a SYN. */
  answer(): void {
    this.receiveNext = 1;
    this.queue(Flag.SYN | Flag.ACK, '');
  }

  // What programs see.

  send(text: string): void {
    if (this.closed || this.failure || text === '') return;
    if (this.state === 'ESTAB' || this.state === 'CLOSE-WAIT') this.queue(Flag.PSH | Flag.ACK, text);
  }

  receive(): Promise<string | undefined> {
    const next = this.inbox?.shift();
    if (next) {
      this.process.trace.because(next.cause);
      return Promise.resolve(next.text);
    }
    if (this.failure) return Promise.reject(this.failure);
    if (this.remoteClosed || this.closed) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.readers ??= [];
      this.readers.push({ resolve, reject });
    });
  }

  onReceive(take: Receiver['take'], failed: Receiver['failed']): void {
    this.receiver = { take, failed };
    for (let next = this.inbox?.shift(); next && !this.closed; next = this.inbox?.shift()) {
      this.process.trace.because(next.cause);
      this.tell(next.text);
    }
    if (this.failure) failed(this.failure);
    else if (this.remoteClosed && !this.closed) this.tell(undefined);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.state === 'CLOSED') return;
    this.wakeReaders();
    // Data nobody will read was lost, and the sender must know (RFC 1122 4.2.2.13).
    if ((this.inbox !== undefined && this.inbox.length > 0) || this.state === 'SYN-SENT' || this.state === 'SYN-RECV') {
      this.reset();
      return;
    }
    if (this.state === 'ESTAB') this.state = 'FIN-WAIT-1';
    else if (this.state === 'CLOSE-WAIT') this.state = 'LAST-ACK';
    else return;
    this.queue(Flag.FIN | Flag.ACK, '');
  }

  // What the network does.

  /** A packet of this connection has arrived. */
  arrived(p: Packet): void {
    if (p.flags & Flag.RST) {
      const refused = this.state === 'SYN-SENT';
      this.fail(new SocketError(refused ? 'ECONNREFUSED' : 'ECONNRESET', refused ? 'connect: connection refused' : 'read: connection reset by peer'));
      return;
    }
    if (this.state === 'TIME-WAIT') {
      this.acknowledge();
      return;
    }
    if (this.state === 'SYN-SENT') {
      if ((p.flags & (Flag.SYN | Flag.ACK)) !== (Flag.SYN | Flag.ACK)) return;
      this.receiveNext = p.seq + 1;
      this.state = 'ESTAB';
      this.acknowledged(p.ack);
      this.acknowledge();
      this.events?.established(this);
      return;
    }
    if (p.flags & Flag.SYN) {
      // Our SYN-ACK, or our last ACK, was lost.
      if (this.state === 'SYN-RECV') this.retransmit();
      else this.acknowledge();
      return;
    }
    if (p.flags & Flag.ACK) this.acknowledged(p.ack);
    if ((this.state as TcpSocketState) === 'CLOSED') return;
    const length = p.payload.length + (p.flags & Flag.FIN ? 1 : 0);
    if (length === 0) return;
    if (p.seq !== this.receiveNext) {
      this.acknowledge();
      return;
    }
    if (p.payload !== '') {
      if (this.closed) {
        this.reset();
        return;
      }
      this.receiveNext += p.payload.length;
      this.take(p.payload);
    }
    if (p.flags & Flag.FIN) {
      this.receiveNext += 1;
      this.finished();
    } else this.acknowledgeSoon();
  }

  /** An ICMP error about a packet we sent. Fatal only while connecting (RFC 1122 4.2.3.9). */
  unreachable(error: SocketError): void {
    if (this.state === 'SYN-SENT') this.fail(error);
  }

  /** Tells the other side that this end is gone, and forgets the connection. */
  reset(): void {
    if (this.state !== 'SYN-SENT' && this.state !== 'TIME-WAIT' && this.state !== 'CLOSED') {
      this.stack.send(segment(this.tuple, Flag.RST | Flag.ACK, this.sendNext, this.receiveNext, '', this.flow));
    }
    this.forget();
  }

  /** Why the connection failed, once it has. */
  get error(): SocketError | undefined {
    return this.failure;
  }

  /** Silence: no packet, no promise settled. */
  forget(): void {
    if (this.state === 'CLOSED') return;
    this.state = 'CLOSED';
    this.cancelRetransmit?.();
    this.cancelAck?.();
    this.home.remove(this);
    const { events } = this;
    this.events = undefined;
    events?.gone?.(this);
  }

  /** The connection is dead and its program is told. */
  fail(error: SocketError): void {
    if (this.state === 'CLOSED') return;
    this.failure = error;
    this.forget();
    this.wakeReaders();
  }

  private wakeReaders(): void {
    if (!this.process.alive) return;
    if (this.receiver) {
      if (this.failure) {
        const { failed } = this.receiver;
        this.receiver = undefined;
        this.process.clock.wake();
        failed(this.failure);
      } else if (!this.closed) this.tell(undefined);
      return;
    }
    if (this.readers === undefined || this.readers.length === 0) return;
    this.process.clock.wake();
    for (const reader of this.readers.splice(0)) {
      if (this.failure) reader.reject(this.failure);
      else reader.resolve(undefined);
    }
  }

  private take(text: string): void {
    if (this.receiver) {
      if (this.process.alive) this.tell(text);
      return;
    }
    const reader = this.readers?.shift();
    if (!reader) {
      this.inbox ??= [];
      this.inbox.push({ text, cause: this.process.trace.current() });
    } else {
      this.process.clock.wake();
      reader.resolve(text);
    }
  }

  private tell(text: string | undefined): void {
    if (this.receiver?.take(text)) this.process.clock.wake();
  }

  private finished(): void {
    this.remoteClosed = true;
    if (this.state === 'ESTAB') this.state = 'CLOSE-WAIT';
    else if (this.state === 'FIN-WAIT-1') this.state = 'CLOSING';
    else if (this.state === 'FIN-WAIT-2') this.linger();
    this.acknowledge();
    if (!this.closed) this.wakeReaders();
  }

  private linger(): void {
    this.state = 'TIME-WAIT';
    this.expires = this.stack.now() + LINGER;
    // All that its program held by it may go.
    this.events = undefined;
    if (this.closed) this.receiver = undefined;
  }

  private queue(flags: number, payload: string): void {
    const length = payload.length + (flags & (Flag.SYN | Flag.FIN) ? 1 : 0);
    const item = { flags, payload, seq: this.sendNext, end: this.sendNext + length };
    this.sendNext = item.end;
    this.unacknowledged.push(item);
    this.transmit(item);
    if (!this.cancelRetransmit) this.armRetransmit();
  }

  private transmit(item: Unacknowledged): void {
    this.cancelAck?.();
    this.cancelAck = undefined;
    if (item.flags & Flag.ACK) this.toldNext = this.receiveNext;
    this.stack.send(segment(this.tuple, item.flags, item.seq, item.flags & Flag.ACK ? this.receiveNext : 0, item.payload, this.flow));
  }

  private armRetransmit(): void {
    const base = this.state === 'SYN-SENT' || this.state === 'SYN-RECV' ? SYN_RTO : MIN_RTO;
    this.cancelRetransmit = this.stack.after(Math.min(MAX_RTO, base * 2 ** this.retries), () => {
      this.cancelRetransmit = undefined;
      this.retries++;
      const limit = this.state === 'SYN-SENT' ? SYN_RETRIES : this.state === 'SYN-RECV' ? SYN_ACK_RETRIES : DATA_RETRIES;
      if (this.retries > limit) {
        this.fail(new SocketError('ETIMEDOUT', this.state === 'SYN-SENT' ? 'connect: connection timed out' : 'read: connection timed out'));
        return;
      }
      this.armRetransmit();
      this.retransmit();
    });
  }

  private retransmit(): void {
    for (const item of this.unacknowledged) this.transmit(item);
  }

  private acknowledged(upTo: number): void {
    let advanced = false;
    while (this.unacknowledged.length > 0 && this.unacknowledged[0]!.end <= upTo) {
      const item = this.unacknowledged.shift()!;
      advanced = true;
      if (item.flags & Flag.SYN && this.state === 'SYN-RECV') {
        this.state = 'ESTAB';
        this.events?.established(this);
      }
      if (item.flags & Flag.FIN) {
        if (this.state === 'FIN-WAIT-1') {
          this.state = 'FIN-WAIT-2';
          this.expires = this.stack.now() + LINGER;
        } else if (this.state === 'CLOSING') this.linger();
        else if (this.state === 'LAST-ACK') this.forget();
      }
    }
    if (!advanced) return;
    this.retries = 0;
    this.cancelRetransmit?.();
    this.cancelRetransmit = undefined;
    if (this.unacknowledged.length > 0 && this.state !== 'CLOSED') this.armRetransmit();
  }

  private acknowledge(): void {
    this.cancelAck?.();
    this.cancelAck = undefined;
    if (this.state === 'CLOSED') return;
    this.toldNext = this.receiveNext;
    this.stack.send(segment(this.tuple, Flag.ACK, this.sendNext, this.receiveNext, '', this.flow));
  }

  /** An answer that leaves within 40 ms carries the acknowledgement with it. */
  private acknowledgeSoon(): void {
    if (this.state === 'CLOSED' || this.cancelAck || this.toldNext === this.receiveNext) return;
    this.cancelAck = this.stack.after(DELAYED_ACK, () => this.acknowledge());
  }
}
