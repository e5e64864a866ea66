/** The sockets of one namespace: who listens where, which connections live, where a packet that was delivered belongs. */
import type { Process } from '../sim/process.ts';
import { Flag, icmpError, inverse, type Packet, segment, type Tuple, tupleKey } from './packet.ts';
import { type Connection, SocketError } from './sockets.ts';
import { type Stack, TcpSocket } from './tcp.ts';

export interface Listener {
  readonly port: number;
  readonly process: Process;
  onConnection(connection: Connection): void;
}
export interface UdpSocket {
  readonly port: number;
  readonly process: Process;
  arrived(packet: Packet): void;
  failed(error: SocketError): void;
}

/** net.ipv4.ip_local_port_range. */
const EPHEMERAL = { from: 32_768, count: 28_232 };
const ICMP_ERRORS: Readonly<Record<string, readonly ['ECONNREFUSED' | 'EHOSTUNREACH' | 'ENETUNREACH', string]>> = {
  'icmp-port-unreachable': ['ECONNREFUSED', 'connect: connection refused'],
  'icmp-net-unreachable': ['ENETUNREACH', 'connect: network is unreachable'],
};

export class SocketTable {
  readonly listeners = new Map<number, Listener>();
  readonly udp = new Map<number, UdpSocket>();
  private readonly connections = new Map<string, TcpSocket>();
  private lastPort = 0;
  private sweepAt = 256;

  /** Throws SocketError EADDRINUSE. */
  listen(listener: Listener): () => void {
    if (this.listeners.has(listener.port)) throw new SocketError('EADDRINUSE', `listen tcp :${listener.port}: bind: address already in use`);
    this.listeners.set(listener.port, listener);
    return () => {
      if (this.listeners.get(listener.port) === listener) this.listeners.delete(listener.port);
    };
  }

  listenUdp(socket: UdpSocket): () => void {
    if (this.udp.has(socket.port)) throw new SocketError('EADDRINUSE', `listen udp :${socket.port}: bind: address already in use`);
    this.udp.set(socket.port, socket);
    return () => {
      if (this.udp.get(socket.port) === socket) this.udp.delete(socket.port);
    };
  }

  /** A port for an outgoing flow: the next free one, beginning at a place given by `luck`. */
  ephemeralPort(luck: () => number, free: (port: number) => boolean): number | undefined {
    if (this.lastPort === 0) this.lastPort = luck() % EPHEMERAL.count;
    for (let tries = 0; tries < EPHEMERAL.count; tries++) {
      this.lastPort = (this.lastPort + 1) % EPHEMERAL.count;
      const port = EPHEMERAL.from + this.lastPort;
      if (free(port)) return port;
    }
    return undefined;
  }

  add(socket: TcpSocket, now: number): void {
    this.connections.set(tupleKey(socket.tuple), socket);
    if (this.connections.size <= this.sweepAt) return;
    for (const [key, other] of this.connections) if (other.expires <= now) this.connections.delete(key);
    this.sweepAt = Math.max(256, this.connections.size * 2);
  }

  remove(socket: TcpSocket): void {
    const key = tupleKey(socket.tuple);
    if (this.connections.get(key) === socket) this.connections.delete(key);
  }

  /** The living connection with this tuple, seen from here. */
  connection(tuple: Tuple, now: number): TcpSocket | undefined {
    const found = this.connections.get(tupleKey(tuple));
    return found && found.expires > now ? found : undefined;
  }

  list(now: number): TcpSocket[] {
    return [...this.connections.values()].filter((socket) => socket.expires > now);
  }

  /** A packet for this namespace. */
  deliver(p: Packet, stack: Stack): void {
    if (p.error) this.errorArrived(p, stack.now());
    else if (p.protocol === 'tcp') this.tcpArrived(p, stack);
    else if (p.protocol === 'udp') {
      const socket = this.udp.get(p.destinationPort);
      if (socket?.process.alive) socket.arrived(p);
      else {
        stack.refused(p);
        stack.send(icmpError(p.destination, p, 'icmp-port-unreachable', p.flow));
      }
    }
  }

  private tcpArrived(p: Packet, stack: Stack): void {
    const tuple = inverse(p);
    const fresh = (p.flags & (Flag.SYN | Flag.ACK | Flag.RST)) === Flag.SYN;
    let socket = this.connection(tuple, stack.now());
    if (socket && fresh && socket.state === 'TIME-WAIT') {
      // A new connection may take the place of one that has ended (RFC 6191).
      socket.forget();
      socket = undefined;
    }
    if (socket) {
      socket.arrived(p);
      return;
    }
    const listener = fresh ? this.listeners.get(p.destinationPort) : undefined;
    if (listener?.process.alive) {
      const passive = new TcpSocket(
        tuple,
        stack,
        listener.process,
        {
          established: (it) => listener.onConnection(it),
          gone: (it) => this.remove(it),
        },
        p.flow,
        'passive',
      );
      this.add(passive, stack.now());
      passive.answer();
    } else if (!(p.flags & Flag.RST)) {
      if (fresh) stack.refused(p);
      const seq = p.flags & Flag.ACK ? p.ack : 0;
      stack.send(segment(tuple, Flag.RST | (p.flags & Flag.ACK ? 0 : Flag.ACK), seq, p.seq + p.payload.length + (p.flags & Flag.SYN ? 1 : 0), '', p.flow));
    }
  }

  private errorArrived(p: Packet, now: number): void {
    const { kind, about } = p.error!;
    const [code, message] = ICMP_ERRORS[kind] ?? ['EHOSTUNREACH', 'connect: no route to host'];
    const error = new SocketError(code, message);
    if (about.protocol === 'tcp') this.connection(about, now)?.unreachable(error);
    else if (about.protocol === 'udp') this.udp.get(about.sourcePort)?.failed(error);
  }

  /** Everything of a process that died: its ports are free again and its peers hear RST. */
  processDied(process: Process): void {
    for (const [port, listener] of this.listeners) if (listener.process === process) this.listeners.delete(port);
    for (const [port, socket] of this.udp) if (socket.process === process) this.udp.delete(port);
    for (const socket of [...this.connections.values()]) if (socket.process === process) socket.reset();
  }

  /** The namespace or the machine is gone: silence. */
  clear(): void {
    for (const socket of [...this.connections.values()]) socket.forget();
    this.connections.clear();
    this.listeners.clear();
    this.udp.clear();
  }
}
