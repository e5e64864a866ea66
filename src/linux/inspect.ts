/** What an administrator reads: the texts of `ip addr`, `ip route`, `iptables-save`, `conntrack -L`, `ss -tlnp` for one namespace. */
import { type Instant, inSeconds } from '../sim/clock.ts';
import { formatAddress, maskOf } from './address.ts';
import type { Entry } from './conntrack.ts';
import type { Hop } from './forward.ts';
import type { TableName } from './iptables.ts';
import type { Netns } from './netns.ts';
import { describePacket, type Tuple } from './packet.ts';
import { formatRoute } from './route.ts';

/** `ip addr` (iproute2). */
export function ipAddr(netns: Netns): string {
  const out: string[] = [];
  for (const device of netns.devices.values()) {
    const loopback = device.kind === 'loopback';
    const flags = loopback ? 'LOOPBACK,UP,LOWER_UP' : 'BROADCAST,MULTICAST,UP,LOWER_UP';
    const peer = device.kind === 'veth' && device.peer ? `@if${device.peer.index}` : '';
    const master = device.master ? ` master ${device.master.name}` : '';
    const queue = loopback || device.kind !== 'ethernet' ? 'noqueue' : 'fq_codel';
    out.push(
      `${device.index}: ${device.name}${peer}: <${flags}> mtu ${loopback ? 65_536 : 1_500} qdisc ${queue}${master} state ${loopback ? 'UNKNOWN' : 'UP'} group default`,
    );
    out.push(loopback ? '    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00' : `    link/ether ${device.mac} brd ff:ff:ff:ff:ff:ff`);
    for (const { address, length } of device.addresses) {
      const broadcast = loopback || length >= 31 ? '' : ` brd ${formatAddress((address | ~maskOf(length)) >>> 0)}`;
      out.push(
        `    inet ${formatAddress(address)}/${length}${broadcast} scope ${loopback ? 'host' : 'global'} ${device.name}`,
        '       valid_lft forever preferred_lft forever',
      );
    }
  }
  return `${out.join('\n')}\n`;
}

/** `ip route`. */
export const ipRoute = (netns: Netns): string =>
  netns.routes
    .list()
    .map((route) => `${formatRoute(route)}\n`)
    .join('');

/** `ip neigh`. */
export const ipNeigh = (netns: Netns): string =>
  [...netns.neighbours].map(([at, mac]) => `${formatAddress(at)} dev ${netns.routes.lookup(at)?.device ?? ''} lladdr ${mac} REACHABLE\n`).join('');

export const iptablesSave = (netns: Netns, table?: TableName): string => netns.iptables.save(table);

const tuple = (t: Tuple): string => `src=${formatAddress(t.source)} dst=${formatAddress(t.destination)} sport=${t.sourcePort} dport=${t.destinationPort}`;

function conntrackLine(entry: Entry, now: Instant): string {
  const protocol = { tcp: 'tcp      6', udp: 'udp      17', icmp: 'icmp     1' }[entry.original.protocol];
  const left = Math.ceil(inSeconds(entry.expires - now));
  const state = entry.tcp ? ` ${entry.tcp}` : '';
  const unreplied = entry.seenReply ? '' : ' [UNREPLIED]';
  const assured = entry.seenReply && entry.tcp !== 'SYN_SENT' && entry.tcp !== 'SYN_RECV' ? ' [ASSURED]' : '';
  return `${protocol} ${left}${state} ${tuple(entry.original)}${unreplied} ${tuple(entry.reply)}${assured} mark=0 use=1`;
}

/** `conntrack -L` (conntrack-tools). */
export const conntrackList = (netns: Netns, now: Instant): string =>
  netns.conntrack
    .list(now)
    .map((entry) => `${conntrackLine(entry, now)}\n`)
    .join('');

const pad = (text: string, width: number): string => text.padEnd(width);

/** `ss -tlnp`. Here simplified: a process is shown by its name in the simulation. */
export function ssListening(netns: Netns): string {
  const lines = ['State  Recv-Q Send-Q Local Address:Port  Peer Address:Port Process'];
  for (const { port, process } of [...netns.sockets.listeners.values()].sort((a, b) => a.port - b.port)) {
    lines.push(`LISTEN 0      4096   ${pad(`*:${port}`, 19)} ${pad('*:*', 17)} users:(("${process.name}"))`);
  }
  return `${lines.join('\n')}\n`;
}

/** `ss -tn`. */
export function ssConnections(netns: Netns, now: Instant): string {
  const lines = ['State      Recv-Q Send-Q Local Address:Port  Peer Address:Port'];
  for (const socket of netns.sockets.list(now)) {
    lines.push(`${pad(socket.state, 10)} 0      0      ${pad(`${socket.local.ip}:${socket.local.port}`, 19)} ${socket.remote.ip}:${socket.remote.port}`);
  }
  return `${lines.join('\n')}\n`;
}

/** One line per hop of a recorded packet, with the rules that matched as iptables-save writes them. */
export function describeHops(hops: readonly Hop[]): string {
  return hops
    .map((hop) => {
      const where = `${hop.netns}/${hop.device || '-'}`;
      const change = hop.before === hop.after ? describePacket(hop.after) : `${describePacket(hop.before)} => ${describePacket(hop.after)}`;
      const rules = hop.rules.map((m) => `\n    ${m.table}: -A ${m.chain} ${m.rule.text}`).join('');
      return `${where} ${hop.hook ? `${hop.hook} ` : ''}${hop.step}${hop.note ? ` (${hop.note})` : ''}: ${change}${rules}\n`;
    })
    .join('');
}
