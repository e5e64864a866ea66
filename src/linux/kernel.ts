/**
 * A machine's kernel: its network namespaces, and the packets between them and the wire.
 *
 * A packet's way through the machine is one synchronous call (`forward.ts`); only its arrival, at a
 * socket of this machine or at another machine, is an event. The kernel has no process of its own: it
 * dies with the power (`reset`), and what belongs to a program dies with that program.
 */
import { type Duration, type Instant, seconds } from '../sim/clock.ts';
import type { Loop } from '../sim/loop.ts';
import type { Process } from '../sim/process.ts';
import type { Rng } from '../sim/rng.ts';
import type { TimerOwner } from '../sim/timers.ts';
import { address, formatAddress, maskOf, prefix } from './address.ts';
import type { Files } from './files.ts';
import { type Circumstances, type Journey, output, receive } from './forward.ts';
import type { Lan, Station } from './lan.ts';
import { Netns } from './netns.ts';
import { openSockets, type SocketHost } from './open-sockets.ts';
import { describePacket, Flag, icmpError, type Packet, segment, type Tuple } from './packet.ts';
import type { Sockets } from './sockets.ts';
import type { EthernetDevice } from './veth.ts';

export interface KernelOptions {
  readonly hostname: string;
  /** The machine's address and its network: `10.0.0.11/24`. */
  readonly address: string;
  /** The way out of that network; `.1` of it by default. */
  readonly gateway?: string;
  readonly loop: Pick<Loop, 'now' | 'set' | 'cancel' | 'trace'>;
  readonly lan: Lan;
  readonly rng: Rng;
}

/** What one walk of one packet looked like. */
export interface PacketRecord {
  readonly at: Instant;
  readonly machine: string;
  /** The packet as it came. */
  readonly packet: Packet;
  readonly journey: Journey;
}

const REMEMBERED = 64;
/** Linux asks three times, a second apart, before it gives up on a neighbour (mcast_solicit, retrans_time_ms). */
const ARP_PATIENCE = seconds(3);

export class Kernel implements Station {
  readonly hostname: string;
  /** The machine's own address, as text. */
  readonly address: string;
  private readonly options: KernelOptions;
  private readonly namespaces = new Map<string, Netns>();
  private rootNetns: Netns;
  private readonly hosts = new Map<Netns, SocketHost>();
  /** Rises with every reset: what was under way before is silent. */
  private epoch = 0;
  private readonly recentRecords: PacketRecord[] = [];
  private recentStart = 0;
  private readonly followers = new Set<(packet: Packet) => boolean>();
  private readonly saidAt = new Map<string, Instant>();
  private nextNetns = 0;
  /** Set: `recent` remembers packets. Off, since a packet costs a quarter less when nobody looks. */
  recording = false;

  constructor(options: KernelOptions) {
    this.options = options;
    this.hostname = options.hostname;
    this.address = options.address.split('/')[0]!;
    this.rootNetns = this.boot();
    options.lan.attach(address(this.address), this);
  }

  /** The machine's own namespace. A new one after `reset`: do not keep it. */
  get root(): Netns {
    return this.rootNetns;
  }

  private boot(): Netns {
    const root = new Netns('root', this.hostname);
    this.namespaces.clear();
    this.namespaces.set('root', root);
    root.sysctl.ipForward = true;
    root.addAddress(root.addDevice({ kind: 'ethernet', name: 'eth0' }), this.options.address);
    const network = prefix(this.options.address);
    const gateway = this.options.gateway ? address(this.options.gateway) : (network.network + 1) >>> 0;
    root.addRoute({ destination: { network: 0, length: 0, mask: maskOf(0) }, via: gateway, device: 'eth0' });
    return root;
  }

  /** The power went: namespaces, rules, connections and packets under way are gone without a word. */
  reset(): void {
    this.epoch++;
    for (const netns of this.namespaces.values()) this.silence(netns);
    this.hosts.clear();
    this.recentRecords.length = 0;
    this.recentStart = 0;
    this.saidAt.clear();
    this.rootNetns = this.boot();
  }

  private silence(netns: Netns): void {
    netns.deleted = true;
    netns.sockets.clear();
  }

  // Namespaces.

  /** `ip netns add`; a name is made up when none is given. Throws when it exists. */
  createNetns(name = `cni-${(++this.nextNetns).toString(16).padStart(8, '0')}`): Netns {
    if (this.namespaces.has(name)) throw new Error(`Cannot create namespace file "/var/run/netns/${name}": File exists`);
    const netns = new Netns(name, this.hostname);
    this.namespaces.set(name, netns);
    return netns;
  }

  netns(name: string): Netns | undefined {
    return this.namespaces.get(name);
  }

  get netnsNames(): readonly string[] {
    return [...this.namespaces.keys()];
  }

  /** Its devices go, with their other ends, and its sockets fall silent. Nothing if there is none. */
  deleteNetns(name: string): void {
    const netns = this.namespaces.get(name);
    if (!netns || netns === this.rootNetns) return;
    this.namespaces.delete(name);
    this.hosts.delete(netns);
    for (const device of [...netns.devices.keys()]) netns.removeDevice(device);
    this.silence(netns);
  }

  /** The network as a process in that namespace sees it. Throws when there is no such namespace. */
  sockets(netns: string | Netns, process: Process, files: Files): Sockets {
    const space = typeof netns === 'string' ? this.namespaces.get(netns) : netns;
    if (!space) throw new Error(`no network namespace ${String(netns)} on ${this.hostname}`);
    return openSockets(space, process, files, this.hostFor(space));
  }

  private hostFor(netns: Netns): SocketHost {
    let host = this.hosts.get(netns);
    if (!host) {
      const { loop } = this.options;
      const epoch = this.epoch;
      const isAlive = (): boolean => this.epoch === epoch && !netns.deleted;
      const owner: TimerOwner = {
        get alive() {
          return isAlive();
        },
      };
      host = {
        now: () => loop.now,
        after: (duration, callback) => {
          const timer = loop.set(duration, callback, owner);
          return () => loop.cancel(timer);
        },
        send: (packet) => this.send(netns, packet),
        refused: (packet) => this.tellDrop(packet, 'connection refused'),
        draw: this.draw,
        newFlow: () => this.options.lan.newFlow(),
      };
      this.hosts.set(netns, host);
    }
    return host;
  }

  // Packets.

  private readonly draw = (): number => this.options.rng.between(0, 0x80000000);

  private circumstances(): Circumstances {
    return { now: this.options.loop.now, draw: this.draw, commit: true, unseen: !this.recording && this.followers.size === 0 };
  }

  /** A packet made in this namespace sets out. */
  send(netns: Netns, packet: Packet): void {
    if (netns.deleted || !this.options.lan.wires.powered(this.hostname)) return;
    const journey = output(netns, packet, this.circumstances());
    this.carry(packet, journey, false);
  }

  fromWire(packet: Packet): void {
    const eth0 = this.rootNetns.devices.get('eth0') as EthernetDevice;
    this.carry(packet, receive(this.rootNetns, eth0, packet, this.circumstances()), true);
  }

  /** What would happen to a packet now: draws no luck of the world's and changes nothing. */
  predict(netns: Netns, packet: Packet): Journey {
    const luck = this.options.rng.fork('predict');
    return output(netns, packet, { now: this.options.loop.now, draw: () => luck.between(0, 0x80000000), commit: false });
  }

  private carry(packet: Packet, journey: Journey, arrived: boolean): void {
    if (this.recording || this.followers.size > 0) this.remember(packet, journey);
    const outcome = journey.outcome;
    switch (outcome.kind) {
      case 'delivered':
        if (arrived) this.deliver(outcome.netns, outcome.packet);
        else {
          const epoch = this.epoch;
          this.options.lan.wires.send(this.hostname, this.hostname, () => {
            if (this.epoch === epoch) this.deliver(outcome.netns, outcome.packet);
          });
        }
        break;
      case 'wire':
        if (!this.options.lan.send(this.hostname, outcome.nextHop, outcome.packet)) {
          this.tellDrop(outcome.packet, 'host unreachable');
          this.answer(outcome.netns, outcome.packet, { kind: 'icmp-host-unreachable', about: outcome.packet }, ARP_PATIENCE);
        }
        break;
      case 'dropped':
        this.tellDrop(outcome.packet, outcome.reason);
        if (outcome.answer) this.answer(outcome.netns, outcome.packet, outcome.answer, outcome.reason === 'host unreachable' ? ARP_PATIENCE : 0);
        break;
    }
  }

  private deliver(netns: Netns, packet: Packet): void {
    if (netns.deleted) return;
    netns.sockets.deliver(packet, this.hostFor(netns));
  }

  /** Tells the sender that its packet came to nothing. */
  private answer(
    netns: Netns,
    packet: Packet,
    what: { readonly kind: Parameters<typeof icmpError>[2] | 'tcp-reset'; readonly about: Tuple },
    after: Duration,
  ): void {
    if (packet.error) return;
    const { about, kind } = what;
    let reply: Packet;
    if (kind === 'tcp-reset') {
      const back = { ...about, source: about.destination, sourcePort: about.destinationPort, destination: about.source, destinationPort: about.sourcePort };
      reply = segment(back, Flag.RST | Flag.ACK, packet.ack, packet.seq + packet.payload.length + (packet.flags & Flag.SYN ? 1 : 0), '', packet.flow);
    } else {
      const source = netns.sourceFor(about.source);
      if (source === undefined) return;
      reply = icmpError(source, about, kind, packet.flow);
    }
    if (after === 0) this.send(netns, reply);
    else this.hostFor(netns).after(after, () => this.send(netns, reply));
  }

  // Looking.

  /** Facts `net.pkt` with all hops for the packets that pass the test, on this machine. Returns the way to stop. */
  followFlows(predicate: (packet: Packet) => boolean): () => void {
    this.followers.add(predicate);
    return () => this.followers.delete(predicate);
  }

  /** The last 64 packets this machine handled while `recording` was set or a flow followed, oldest first. */
  recent(): readonly PacketRecord[] {
    return [...this.recentRecords.slice(this.recentStart), ...this.recentRecords.slice(0, this.recentStart)];
  }

  private remember(packet: Packet, journey: Journey): void {
    const record: PacketRecord = { at: this.options.loop.now, machine: this.hostname, packet, journey };
    if (this.recentRecords.length < REMEMBERED) this.recentRecords.push(record);
    else {
      this.recentRecords[this.recentStart] = record;
      this.recentStart = (this.recentStart + 1) % REMEMBERED;
    }
    for (const follows of this.followers) {
      if (!follows(packet)) continue;
      const outcome = journey.outcome;
      // Told as chatter: following a flow must not change what later facts are blamed on.
      const say = (type: string, data: Readonly<Record<string, unknown>>): void => {
        this.options.loop.trace.record(`kernel@${this.hostname}`, type, `Node/${this.hostname}`, data, true);
      };
      say('net.pkt', { flow: packet.flow, packet: describePacket(packet), hops: journey.hops, outcome: outcome.kind });
      if (outcome.kind === 'delivered') say('net.deliver', { flow: packet.flow, netns: outcome.netns.name, packet: describePacket(outcome.packet) });
      break;
    }
  }

  /** A story fact, at most one a second for the same reason and destination. */
  private tellDrop(packet: Packet, reason: string): void {
    const key = `${reason} ${packet.protocol} ${packet.destination}:${packet.destinationPort}`;
    const now = this.options.loop.now;
    const last = this.saidAt.get(key);
    if (last !== undefined && now - last < seconds(1)) return;
    if (this.saidAt.size > 1_000) this.saidAt.clear();
    this.saidAt.set(key, now);
    this.options.loop.trace.record(
      `kernel@${this.hostname}`,
      'net.drop',
      `Node/${this.hostname}`,
      { reason, packet: describePacket(packet), to: formatAddress(packet.destination), flow: packet.flow },
      false,
    );
  }
}

/** One per machine; the lead's `Machine` owns it. */
export const createKernel = (options: KernelOptions): Kernel => new Kernel(options);
