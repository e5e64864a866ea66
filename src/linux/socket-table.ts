/** The sockets of one namespace: who listens where, which connections live, where a packet that was delivered belongs. */
import type { Process } from '../sim/process.ts';
import { Flag, icmpError, inverse, type Packet, segment, type Tuple } from './packet.ts';
import { type Connection, SocketError } from './sockets.ts';
import { type Stack, TcpSocket } from './tcp.ts';
import { TupleMap } from './tuple-map.ts';

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
  /** In the order they began. */
  private readonly sockets = new Set<TcpSocket>();
  private readonly connections = new TupleMap<TcpSocket>();
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
    const before = this.connections.get(socket.tuple);
    if (before) this.sockets.delete(before);
    this.sockets.add(socket);
    this.connections.set(socket.tuple, socket);
    if (this.sockets.size <= this.sweepAt) return;
    for (const other of this.sockets) if (other.expires <= now) this.remove(other);
    this.sweepAt = Math.max(256, this.sockets.size * 2);
  }

  remove(socket: TcpSocket): void {
    if (this.sockets.delete(socket)) this.connections.delete(socket.tuple);
  }

  /** The living connection with this tuple, seen from here. */
  connection(tuple: Tuple, now: number): TcpSocket | undefined {
    const found = this.connections.get(tuple);
    return found && found.expires > now ? found : undefined;
  }

  list(now: number): TcpSocket[] {
    return [...this.sockets].filter((socket) => socket.expires > now);
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
      const passive = new TcpSocket(tuple, stack, listener.process, this, { established: (it) => listener.onConnection(it) }, p.flow, 'passive');
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
    for (const socket of [...this.sockets]) if (socket.process === process) socket.reset();
  }

  /** The namespace or the machine is gone: silence. */
  clear(): void {
    for (const socket of [...this.sockets]) socket.forget();
    this.sockets.clear();
    this.connections.clear();
    this.listeners.clear();
    this.udp.clear();
  }
}
