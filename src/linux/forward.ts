/**
 * A packet's way through one machine: netfilter hooks, routing decisions, cables and bridges, up to a
 * socket, a wire, or its end (the picture known as "Packet flow in Netfilter and General Networking").
 *
 * One synchronous call whatever the number of namespaces on the way. It changes only what Linux itself
 * remembers of a packet (tracked connections, learned MACs, neighbours), and with `commit: false` not
 * even those: then it is a prediction.
 */
import type { Instant } from '../sim/clock.ts';
import type { Address } from './address.ts';
import { portFor, whoHas } from './bridge.ts';
import type { Tracked } from './conntrack.ts';
import type { Hook, MatchedRule, TableName } from './iptables.ts';
import type { CtState } from './iptables-rule.ts';
import type { Netns } from './netns.ts';
import { Flag, type IcmpErrorKind, type Packet, type Tuple, tupleOf } from './packet.ts';
import type { BridgeDevice, Device, VethDevice } from './veth.ts';

/** One step of a packet's way, with the rules that decided it. */
export interface Hop {
  readonly netns: string;
  readonly device: string;
  readonly step: 'send' | 'receive' | 'raw' | 'mangle' | 'dnat' | 'filter' | 'snat' | 'route' | 'bridge' | 'transmit' | 'deliver' | 'drop';
  /** At which hook, for the steps of netfilter. */
  readonly hook: Hook | undefined;
  readonly rules: readonly MatchedRule[];
  readonly before: Packet;
  readonly after: Packet;
  /** The route taken, the MAC found, the reason of a drop. */
  readonly note: string;
}

export type DropReason =
  | 'network unreachable'
  | 'host unreachable'
  | 'forwarding disabled'
  | 'ttl exceeded'
  | 'dropped by rule'
  | 'rejected by rule'
  | 'forwarding loop'
  | 'link down';

export type Outcome =
  | { readonly kind: 'delivered'; readonly netns: Netns; readonly packet: Packet }
  /** Leaves the machine by its card; who has the address is the wire's business. */
  | { readonly kind: 'wire'; readonly netns: Netns; readonly nextHop: Address; readonly packet: Packet }
  | {
      readonly kind: 'dropped';
      readonly netns: Netns;
      readonly reason: DropReason;
      readonly packet: Packet;
      /** The sender is told: an ICMP error, or a TCP reset, about the packet as its sender knows it. */
      readonly answer: { readonly kind: IcmpErrorKind | 'tcp-reset'; readonly about: Tuple } | undefined;
    };

export interface Journey {
  readonly hops: readonly Hop[];
  readonly outcome: Outcome;
}

export interface Circumstances {
  readonly now: Instant;
  /** An integer in [0, 2^31): what `--probability` and random ports are decided by. */
  draw(): number;
  readonly commit: boolean;
  /** Nobody looks: no hops are recorded (a quarter of a packet's cost). */
  readonly unseen?: boolean;
}

interface Walk {
  packet: Packet;
  mark: number;
  tracked: Tracked | undefined;
  confirmed: boolean;
  /** The nat table has been asked about destination and source. */
  destinationAsked: boolean;
  sourceAsked: boolean;
  budget: number;
  readonly hops: Hop[];
  readonly at: Circumstances;
}

/** A packet made by a program in `netns`. Its source address is already chosen. */
export function output(netns: Netns, packet: Packet, at: Circumstances): Journey {
  const w = start(packet, at);
  return { outcome: send(w, netns), hops: w.hops };
}

/** A packet that came in by `device`. */
export function receive(netns: Netns, device: Device, packet: Packet, at: Circumstances): Journey {
  const w = start(packet, at);
  return { outcome: arrive(w, netns, device), hops: w.hops };
}

const start = (packet: Packet, at: Circumstances): Walk => ({
  packet,
  mark: 0,
  tracked: undefined,
  confirmed: false,
  destinationAsked: false,
  sourceAsked: false,
  budget: 64,
  hops: [],
  at,
});

const NO_RULES: readonly MatchedRule[] = [];
const NO_STATES: readonly CtState[] = [];

function hop(w: Walk, netns: Netns, device: string, step: Hop['step'], note = '', before = w.packet, rules = NO_RULES, hook?: Hook): void {
  if (w.at.unseen) return;
  w.hops.push({ netns: netns.name, device, step, hook, rules, before, after: w.packet, note });
}

function drop(w: Walk, netns: Netns, device: string, reason: DropReason, answer?: IcmpErrorKind | 'tcp-reset'): Outcome {
  hop(w, netns, device, 'drop', reason);
  // Never an error about an error, nor a reset for a reset (RFC 1122 3.2.2).
  const silent = !answer || w.packet.error || (answer === 'tcp-reset' && w.packet.flags & Flag.RST);
  const entry = w.tracked?.entry;
  const about = entry && w.tracked?.direction === 'original' ? entry.original : tupleOf(w.packet);
  return { kind: 'dropped', netns, reason, packet: w.packet, answer: silent ? undefined : { kind: answer, about } };
}

function send(w: Walk, netns: Netns): Outcome {
  let way = route(netns, w.packet.destination);
  if (!way) return drop(w, netns, '', 'network unreachable', 'icmp-net-unreachable');
  hop(w, netns, way.device.name, 'send', way.note);
  const before = w.packet.destination;
  const end = hook(w, netns, 'OUTPUT', '', way.device.name);
  if (end) return end;
  if (w.packet.destination !== before) {
    way = route(netns, w.packet.destination);
    if (!way) return drop(w, netns, '', 'network unreachable', 'icmp-net-unreachable');
    hop(w, netns, way.device.name, 'route', way.note);
  }
  return leave(w, netns, way.device, way.nextHop, '');
}

interface Way {
  readonly device: Device;
  readonly nextHop: Address;
  readonly note: string;
}

function route(netns: Netns, destination: Address): Way | undefined {
  if (netns.isLocal(destination)) return { device: netns.devices.get('lo')!, nextHop: destination, note: 'local' };
  const found = netns.routes.lookup(destination);
  const device = found && netns.devices.get(found.device);
  if (!device) return undefined;
  return { device, nextHop: found.via ?? destination, note: found.device };
}

function arrive(w: Walk, netns: Netns, device: Device): Outcome {
  if (--w.budget < 0) return drop(w, netns, device.name, 'forwarding loop');
  hop(w, netns, device.name, 'receive');
  const end = hook(w, netns, 'PREROUTING', device.name, '');
  return end ?? routed(w, netns, device);
}

/** The routing decision for a packet from outside: for us, or to be passed on. */
function routed(w: Walk, netns: Netns, from: Device): Outcome {
  if (netns.isLocal(w.packet.destination)) {
    const end = hook(w, netns, 'INPUT', from.name, '');
    if (end) return end;
    confirm(w, netns);
    hop(w, netns, from.name, 'deliver');
    return { kind: 'delivered', netns, packet: w.packet };
  }
  if (!netns.sysctl.ipForward) return drop(w, netns, from.name, 'forwarding disabled');
  if (w.packet.ttl <= 1) return drop(w, netns, from.name, 'ttl exceeded', 'ttl-exceeded');
  const way = route(netns, w.packet.destination);
  if (!way) return drop(w, netns, from.name, 'network unreachable', 'icmp-net-unreachable');
  const before = w.packet;
  w.packet = { ...before, ttl: before.ttl - 1 };
  hop(w, netns, way.device.name, 'route', way.note, before);
  const end = hook(w, netns, 'FORWARD', from.name, way.device.name);
  return end ?? leave(w, netns, way.device, way.nextHop, from.name);
}

function leave(w: Walk, netns: Netns, device: Device, nextHop: Address, from: string): Outcome {
  const end = hook(w, netns, 'POSTROUTING', from, device.name);
  if (end) return end;
  confirm(w, netns);
  hop(w, netns, device.name, 'transmit');
  switch (device.kind) {
    case 'loopback':
      // The packet keeps what conntrack knows of it, as an skb does.
      return arrive(w, netns, device);
    case 'ethernet':
      return { kind: 'wire', netns, nextHop, packet: w.packet };
    default: {
      const known = netns.neighbours.get(nextHop);
      const mac = whoHas(device, nextHop, known);
      if (mac === undefined) return drop(w, netns, device.name, 'host unreachable', 'icmp-host-unreachable');
      if (w.at.commit && mac !== known) netns.neighbours.set(nextHop, mac);
      const cable = device.kind === 'bridge' ? portFor(device, mac) : device;
      if (cable && device.kind === 'bridge' && w.at.commit) device.learned.set(mac, cable);
      return cross(w, netns, cable, device.mac, mac);
    }
  }
}

/** Through the cable: the other side knows nothing of marks or of this side's connections. */
function cross(w: Walk, netns: Netns, cable: VethDevice | undefined, sourceMac: string, mac: string): Outcome {
  const far = cable?.peer;
  if (!far) return drop(w, netns, cable?.name ?? '', 'link down');
  w.mark = 0;
  w.tracked = undefined;
  w.confirmed = false;
  w.destinationAsked = false;
  w.sourceAsked = false;
  return far.master ? switched(w, far.master, far, sourceMac, mac) : arrive(w, far.netns, far);
}

/** A frame enters a bridge by one of its ports. */
function switched(w: Walk, bridge: BridgeDevice, port: VethDevice, sourceMac: string, mac: string): Outcome {
  const netns = bridge.netns;
  if (--w.budget < 0) return drop(w, netns, bridge.name, 'forwarding loop');
  if (w.at.commit) bridge.learned.set(sourceMac, port);
  hop(w, netns, port.name, 'bridge', mac === bridge.mac ? `to ${bridge.name} itself` : `to ${mac}`);
  if (mac === bridge.mac) return arrive(w, netns, bridge);
  if (netns.sysctl.bridgeNfCallIptables) {
    const before = w.packet.destination;
    const end = hook(w, netns, 'PREROUTING', bridge.name, '');
    if (end) return end;
    // Translated to somewhere else: the bridge gives it to the IP stack (br_nf_pre_routing_finish).
    if (w.packet.destination !== before) return routed(w, netns, bridge);
    const stop = hook(w, netns, 'FORWARD', bridge.name, bridge.name) ?? hook(w, netns, 'POSTROUTING', bridge.name, bridge.name);
    if (stop) return stop;
    confirm(w, netns);
  }
  return cross(w, netns, portFor(bridge, mac), sourceMac, mac);
}

function confirm(w: Walk, netns: Netns): void {
  if (!w.tracked || w.confirmed) return;
  w.confirmed = true;
  if (w.at.commit) netns.conntrack.confirm(w.tracked, w.packet, w.at.now);
}

const STEPS: Readonly<Record<Hook, readonly (TableName | 'conntrack')[]>> = {
  PREROUTING: ['raw', 'conntrack', 'mangle', 'nat'],
  OUTPUT: ['raw', 'conntrack', 'mangle', 'nat', 'filter'],
  FORWARD: ['mangle', 'filter'],
  INPUT: ['mangle', 'filter', 'nat'],
  POSTROUTING: ['mangle', 'nat'],
};

/** All tables at one hook; an outcome when the packet goes no further. */
function hook(w: Walk, netns: Netns, name: Hook, inside: string, outside: string): Outcome | undefined {
  if (!netns.iptables.active) return undefined;
  for (const step of STEPS[name]) {
    if (step === 'conntrack') {
      w.tracked ??= netns.conntrack.track(w.packet, w.at.now);
      continue;
    }
    if (step === 'nat') {
      const end = name === 'PREROUTING' || name === 'OUTPUT' ? natDestination(w, netns, name, inside, outside) : natSource(w, netns, name, inside, outside);
      if (end) return end;
      continue;
    }
    // Hot: most tables are empty at most hooks, and then cost a packet one look.
    if (!netns.iptables.speaks(step, name)) continue;
    const result = ask(w, netns, step, name, inside, outside);
    w.mark = result.mark;
    if (result.matched.length > 0) hop(w, netns, inside || outside, step, result.verdict.kind, w.packet, result.matched, name);
    if (result.verdict.kind === 'DROP') return drop(w, netns, inside || outside, 'dropped by rule');
    if (result.verdict.kind === 'REJECT') return drop(w, netns, inside || outside, 'rejected by rule', result.verdict.with as IcmpErrorKind | 'tcp-reset');
  }
  return undefined;
}

const ask = (w: Walk, netns: Netns, table: TableName, name: Hook, inside: string, outside: string) =>
  netns.iptables.walk(
    table,
    name,
    {
      packet: w.packet,
      in: inside,
      out: outside,
      mark: w.mark,
      states: w.tracked?.states ?? NO_STATES,
      netns,
      draw: w.at.draw,
    },
    w.at.unseen,
  );

function natDestination(w: Walk, netns: Netns, name: Hook, inside: string, outside: string): Outcome | undefined {
  const tracked = w.tracked;
  const entry = tracked?.entry;
  if (!entry) return undefined;
  const before = w.packet;
  let rules = NO_RULES;
  if (before.error) {
    // The error speaks of the packet as it was here; its sender knows it as it was there.
    const about = tracked.direction === 'reply' ? entry.original : entry.reply;
    w.packet = { ...before, destination: about.source, error: { kind: before.error.kind, about } };
    return undefined;
  }
  if (tracked.fresh && !w.destinationAsked) {
    w.destinationAsked = true;
    const result = ask(w, netns, 'nat', name, inside, outside);
    w.mark = result.mark;
    rules = result.matched;
    if (result.verdict.kind === 'DROP') return drop(w, netns, inside || outside, 'dropped by rule');
    if (result.verdict.kind === 'DNAT') entry.translateDestination(result.verdict.to, result.verdict.port);
  }
  if (tracked.direction === 'original') {
    if (entry.destinationChanged) w.packet = { ...before, destination: entry.reply.source, destinationPort: entry.reply.sourcePort };
  } else if (entry.sourceChanged) w.packet = { ...before, destination: entry.original.source, destinationPort: entry.original.sourcePort };
  if (rules.length > 0 || w.packet !== before) hop(w, netns, inside || outside, 'dnat', rules.length > 0 ? '' : 'conntrack', before, rules, name);
  return undefined;
}

function natSource(w: Walk, netns: Netns, name: Hook, inside: string, outside: string): Outcome | undefined {
  const tracked = w.tracked;
  const entry = tracked?.entry;
  if (!entry || w.packet.error) return undefined;
  const before = w.packet;
  let rules = NO_RULES;
  if (tracked.fresh && !w.sourceAsked) {
    w.sourceAsked = true;
    const result = ask(w, netns, 'nat', name, inside, outside);
    w.mark = result.mark;
    rules = result.matched;
    const verdict = result.verdict;
    if (verdict.kind === 'DROP') return drop(w, netns, inside || outside, 'dropped by rule');
    if (verdict.kind === 'SNAT') entry.translateSource(verdict.to, before.sourcePort);
    if (verdict.kind === 'MASQUERADE') {
      const to = netns.devices.get(outside)?.addresses[0]?.address;
      if (to !== undefined) entry.translateSource(to, verdict.randomFully ? randomPort(w) : before.sourcePort);
    }
    // Two flows must never have the same answers: the later one takes another port (nf_nat_get_unique_tuple).
    if (before.protocol !== 'icmp') {
      for (let tries = 0; tries < 128 && netns.conntrack.taken(entry, w.at.now); tries++) entry.translateSource(entry.reply.destination, randomPort(w));
    }
  }
  if (tracked.direction === 'original') {
    if (entry.sourceChanged) w.packet = { ...before, source: entry.reply.destination, sourcePort: entry.reply.destinationPort };
  } else if (entry.destinationChanged) w.packet = { ...before, source: entry.original.destination, sourcePort: entry.original.destinationPort };
  if (rules.length > 0 || w.packet !== before) hop(w, netns, outside || inside, 'snat', rules.length > 0 ? '' : 'conntrack', before, rules, name);
  return undefined;
}

/** 1024 to 65535, as `--random-fully` chooses. */
const randomPort = (w: Walk): number => 1_024 + (w.at.draw() % 64_512);
