/**
 * Connection tracking: every flow is remembered by the tuple it began with and the tuple its answers
 * will have. Address translation is nothing but a reply tuple that is not the plain inverse; undoing it
 * on replies needs no rules.
 *
 * Time-outs are looked at only when an entry is touched, so an idle table costs nothing. Here
 * simplified: TCP follows the states of nf_conntrack_proto_tcp without checking windows.
 */
import { type Duration, type Instant, seconds } from '../sim/clock.ts';
import type { Address } from './address.ts';
import type { CtState } from './iptables-rule.ts';
import { Flag, inverse, type Packet, sameTuple, type Tuple, tupleOf } from './packet.ts';
import { TupleMap } from './tuple-map.ts';

export type TcpState = 'SYN_SENT' | 'SYN_RECV' | 'ESTABLISHED' | 'FIN_WAIT' | 'CLOSE_WAIT' | 'LAST_ACK' | 'TIME_WAIT' | 'CLOSE';

/** nf_conntrack_tcp_timeout_* and _udp_timeout*, Linux 6.1; kube-proxy lowers established to 24 h and raises close_wait to 1 h. */
export const TIMEOUTS: Readonly<Record<TcpState | 'udp' | 'udp-stream' | 'icmp', Duration>> = {
  SYN_SENT: seconds(120),
  SYN_RECV: seconds(60),
  ESTABLISHED: seconds(86_400),
  FIN_WAIT: seconds(120),
  CLOSE_WAIT: seconds(3_600),
  LAST_ACK: seconds(30),
  TIME_WAIT: seconds(120),
  CLOSE: seconds(10),
  udp: seconds(30),
  'udp-stream': seconds(120),
  icmp: seconds(30),
};

export class Entry {
  reply: Tuple;
  /** An answer has been seen: packets are ESTABLISHED from here on. */
  seenReply = false;
  tcp: TcpState | undefined;
  expires: Instant;
  destinationChanged = false;
  sourceChanged = false;

  constructor(
    readonly original: Tuple,
    now: Instant,
    readonly createdAt: Instant,
  ) {
    this.reply = inverse(original);
    this.tcp = original.protocol === 'tcp' ? 'SYN_SENT' : undefined;
    this.expires = now + TIMEOUTS[this.tcp ?? (original.protocol === 'udp' ? 'udp' : 'icmp')];
  }

  /** DNAT: packets go to another place. */
  translateDestination(to: Address, port: number | undefined): void {
    this.reply = { ...this.reply, source: to, sourcePort: port ?? this.reply.sourcePort };
    this.destinationChanged = true;
  }

  /** SNAT: packets seem to come from another place. */
  translateSource(to: Address, port: number): void {
    this.reply = { ...this.reply, destination: to, destinationPort: port };
    this.sourceChanged = true;
  }
}

/** What conntrack says of one packet. */
export interface Tracked {
  readonly entry: Entry | undefined;
  readonly direction: 'original' | 'reply';
  /** Not in the table yet: the nat table is consulted for this packet. */
  readonly fresh: boolean;
  readonly states: readonly CtState[];
}

const INVALID: Tracked = { entry: undefined, direction: 'original', fresh: false, states: ['INVALID'] };

export class Conntrack {
  /** Oldest first. */
  private readonly entries = new Set<Entry>();
  private readonly originals = new TupleMap<Entry>();
  private readonly replies = new TupleMap<Entry>();
  private sweepAt = 1_024;

  get size(): number {
    return this.entries.size;
  }

  /** The entry a packet belongs to, or a new one that nobody else knows of until `confirm`. */
  track(packet: Packet, now: Instant): Tracked {
    if (packet.error) {
      const found = this.find(inverse(packet.error.about), now);
      return found ? { entry: found.entry, direction: found.direction, fresh: false, states: ['RELATED'] } : INVALID;
    }
    const found = this.find(packet, now);
    if (found && !reopens(found.entry, packet))
      return { entry: found.entry, direction: found.direction, fresh: false, states: statesOf(found.entry, found.direction) };
    // A RST of no known connection is invalid; a bare ACK is picked up in mid-stream (nf_conntrack_tcp_loose).
    if (packet.protocol === 'tcp' && packet.flags & Flag.RST) return INVALID;
    const entry = new Entry(tupleOf(packet), now, now);
    return { entry, direction: 'original', fresh: true, states: NEW };
  }

  private find(tuple: Tuple, now: Instant): { entry: Entry; direction: 'original' | 'reply' } | undefined {
    let direction: 'original' | 'reply' = 'original';
    let entry = this.originals.get(tuple);
    if (!entry) {
      entry = this.replies.get(tuple);
      direction = 'reply';
    }
    return entry && entry.expires > now ? { entry, direction } : undefined;
  }

  /** Whether the answers to this new flow would be mistaken for another's. */
  taken(entry: Entry, now: Instant): boolean {
    const found = this.find(entry.reply, now);
    return found !== undefined && !sameTuple(found.entry.original, entry.original);
  }

  /** The packet got through: its entry is kept, and moved on by what it carries. */
  confirm(tracked: Tracked, packet: Packet, now: Instant): void {
    const { entry, direction } = tracked;
    if (!entry || packet.error) return;
    if (tracked.fresh) {
      const old = this.originals.get(entry.original);
      if (old) this.drop(old);
      this.entries.add(entry);
      this.originals.set(entry.original, entry);
      this.replies.set(entry.reply, entry);
      if (this.entries.size > this.sweepAt) this.sweep(now);
    }
    if (direction === 'reply') entry.seenReply = true;
    if (packet.protocol === 'tcp') {
      entry.tcp = nextTcpState(entry.tcp ?? 'SYN_SENT', direction, packet.flags);
      entry.expires = now + TIMEOUTS[entry.tcp];
    } else entry.expires = now + TIMEOUTS[packet.protocol === 'icmp' ? 'icmp' : entry.seenReply ? 'udp-stream' : 'udp'];
  }

  private drop(entry: Entry): void {
    this.entries.delete(entry);
    this.originals.delete(entry.original);
    this.replies.delete(entry.reply);
  }

  /** `conntrack -D`: forgets matching flows; says how many. */
  remove(matches: (entry: Entry) => boolean): number {
    let count = 0;
    for (const entry of [...this.entries]) {
      if (!matches(entry)) continue;
      this.drop(entry);
      count++;
    }
    return count;
  }

  private sweep(now: Instant): void {
    this.remove((entry) => entry.expires <= now);
    this.sweepAt = Math.max(1_024, this.entries.size * 2);
  }

  /** Living entries, oldest first. */
  list(now: Instant): Entry[] {
    return [...this.entries].filter((entry) => entry.expires > now);
  }
}

/** A new SYN on a closed connection's ports begins another one. */
const reopens = (entry: Entry, packet: Packet): boolean =>
  (entry.tcp === 'TIME_WAIT' || entry.tcp === 'CLOSE') && (packet.flags & (Flag.SYN | Flag.ACK)) === Flag.SYN;

const NEW: readonly CtState[] = ['NEW'];
const ESTABLISHED: readonly CtState[] = ['ESTABLISHED'];

const statesOf = (entry: Entry, direction: 'original' | 'reply'): readonly CtState[] => {
  const established = direction === 'reply' || entry.seenReply;
  if (!entry.destinationChanged && !entry.sourceChanged) return established ? ESTABLISHED : NEW;
  const states: CtState[] = [established ? 'ESTABLISHED' : 'NEW'];
  if (entry.destinationChanged) states.push('DNAT');
  if (entry.sourceChanged) states.push('SNAT');
  return states;
};

function nextTcpState(state: TcpState, direction: 'original' | 'reply', flags: number): TcpState {
  if (flags & Flag.RST) return 'CLOSE';
  if (flags & Flag.SYN) return direction === 'reply' ? 'SYN_RECV' : state === 'SYN_RECV' ? state : 'SYN_SENT';
  if (flags & Flag.FIN) {
    if (state === 'FIN_WAIT' || state === 'CLOSE_WAIT') return 'LAST_ACK';
    return state === 'LAST_ACK' || state === 'TIME_WAIT' ? state : 'FIN_WAIT';
  }
  switch (state) {
    case 'SYN_RECV':
    // An ACK in mid-stream of a connection never seen before: nf_conntrack_tcp_loose.
    case 'SYN_SENT':
      return 'ESTABLISHED';
    case 'FIN_WAIT':
      return 'CLOSE_WAIT';
    case 'LAST_ACK':
      return 'TIME_WAIT';
    default:
      return state;
  }
}
