/**
 * A packet: the headers that routing, filtering and address translation read, and a payload of text.
 *
 * Packets are never edited: a rewrite is a new packet, so a recorded hop keeps what it saw.
 * Here simplified: a TCP segment carries a whole text however long (no MSS, no fragmentation), and
 * Ethernet headers exist only as the MAC addresses bridges look at.
 */
import { type Address, formatAddress } from './address.ts';

export type Protocol = 'tcp' | 'udp' | 'icmp';

/** TCP flags as bits (RFC 9293 3.1). */
export const Flag = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16 } as const;

export interface Tuple {
  readonly protocol: Protocol;
  readonly source: Address;
  readonly sourcePort: number;
  readonly destination: Address;
  readonly destinationPort: number;
}

export interface Packet extends Tuple {
  readonly ttl: number;
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  readonly payload: string;
  /** Known to the simulation alone: the conversation this packet is part of, through every translation; for following it. */
  readonly flow: number;
  /** ICMP errors only: what went wrong, and the packet it is about as it was then. */
  readonly error: IcmpError | undefined;
}

export interface IcmpError {
  readonly kind: IcmpErrorKind;
  readonly about: Tuple;
}
/** ICMP types 3 and 11 (RFC 792), by the names iptables' `--reject-with` uses. */
export type IcmpErrorKind = 'icmp-port-unreachable' | 'icmp-host-unreachable' | 'icmp-net-unreachable' | 'icmp-admin-prohibited' | 'ttl-exceeded';

export const DEFAULT_TTL = 64;

export const segment = (tuple: Tuple, flags: number, seq: number, ack: number, payload: string, flow: number): Packet => ({
  protocol: 'tcp',
  source: tuple.source,
  sourcePort: tuple.sourcePort,
  destination: tuple.destination,
  destinationPort: tuple.destinationPort,
  ttl: DEFAULT_TTL,
  flags,
  seq,
  ack,
  payload,
  flow,
  error: undefined,
});

export const datagram = (source: Address, sourcePort: number, destination: Address, destinationPort: number, payload: string, flow: number): Packet => ({
  protocol: 'udp',
  source,
  sourcePort,
  destination,
  destinationPort,
  ttl: DEFAULT_TTL,
  flags: 0,
  seq: 0,
  ack: 0,
  payload,
  flow,
  error: undefined,
});

/** An ICMP error from `source` to whoever sent `about`. */
export const icmpError = (source: Address, about: Tuple, kind: IcmpErrorKind, flow: number): Packet => ({
  protocol: 'icmp',
  source,
  sourcePort: 0,
  destination: about.source,
  destinationPort: 0,
  ttl: DEFAULT_TTL,
  flags: 0,
  seq: 0,
  ack: 0,
  payload: '',
  flow,
  error: { kind, about: tupleOf(about) },
});

export const tupleOf = (p: Tuple): Tuple => ({
  protocol: p.protocol,
  source: p.source,
  sourcePort: p.sourcePort,
  destination: p.destination,
  destinationPort: p.destinationPort,
});

/** The tuple an answer to this one has. */
export const inverse = (t: Tuple): Tuple => ({
  protocol: t.protocol,
  source: t.destination,
  sourcePort: t.destinationPort,
  destination: t.source,
  destinationPort: t.sourcePort,
});

export const sameTuple = (a: Tuple, b: Tuple): boolean =>
  a.protocol === b.protocol &&
  a.source === b.source &&
  a.sourcePort === b.sourcePort &&
  a.destination === b.destination &&
  a.destinationPort === b.destinationPort;

export const formatFlags = (flags: number): string => (['SYN', 'FIN', 'RST', 'PSH', 'ACK'] as const).filter((name) => flags & Flag[name]).join(',');

/** `TCP 10.244.1.5:40000 > 10.96.0.1:443 [SYN]`, for people. */
export function describePacket(p: Packet): string {
  if (p.error) return `ICMP ${formatAddress(p.source)} > ${formatAddress(p.destination)} ${p.error.kind}`;
  const flags = p.protocol === 'tcp' ? ` [${formatFlags(p.flags)}]` : '';
  return `${p.protocol.toUpperCase()} ${formatAddress(p.source)}:${p.sourcePort} > ${formatAddress(p.destination)}:${p.destinationPort}${flags}`;
}
