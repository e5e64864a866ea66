/**
 * A network namespace: devices, addresses, routes, neighbours, iptables, tracked connections, sockets.
 * A machine has one called `root`; each pod gets its own. Nothing is shared but what a cable joins.
 */
import { hash32 } from '../sim/rng.ts';
import { type Address, isLoopback, maskOf, prefix } from './address.ts';
import { release } from './bridge.ts';
import { Conntrack } from './conntrack.ts';
import { Iptables } from './iptables.ts';
import { type Route, RouteTable } from './route.ts';
import { SocketTable } from './socket-table.ts';
import type { BridgeDevice, Device, VethDevice } from './veth.ts';

export class NetlinkError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NetlinkError';
  }
}

type NewDevice =
  | { readonly kind: 'loopback' | 'ethernet' | 'bridge'; readonly name: string }
  | { readonly kind: 'veth'; readonly name: string; readonly peer: undefined };

export class Netns {
  readonly devices = new Map<string, Device>();
  readonly routes = new RouteTable();
  readonly iptables = new Iptables();
  readonly conntrack = new Conntrack();
  readonly sockets: SocketTable;
  /** ARP's memory: address to MAC. */
  readonly neighbours = new Map<Address, string>();
  readonly sysctl = {
    /** net.ipv4.ip_forward */
    ipForward: false,
    /** net.bridge.bridge-nf-call-iptables: bridged packets pass through iptables too; without it replies within a bridge miss their NAT. */
    bridgeNfCallIptables: true,
  };
  deleted = false;
  private readonly local = new Map<Address, Device>();
  private nextIndex = 1;

  constructor(
    readonly name: string,
    readonly machine: string,
  ) {
    this.sockets = new SocketTable();
    this.addAddress(this.addDevice({ kind: 'loopback', name: 'lo' }), '127.0.0.1/8');
  }

  /** Throws NetlinkError when the name is taken. */
  addDevice(wanted: NewDevice): Device {
    if (this.devices.has(wanted.name)) throw new NetlinkError('RTNETLINK answers: File exists');
    const base = {
      name: wanted.name,
      index: this.nextIndex++,
      mac: wanted.kind === 'loopback' ? '00:00:00:00:00:00' : macFor(`${this.machine}/${this.name}/${wanted.name}`),
      netns: this,
      addresses: [],
      master: undefined,
    };
    let device: Device;
    if (wanted.kind === 'bridge') device = { ...base, kind: 'bridge', ports: new Set(), learned: new Map() };
    else if (wanted.kind === 'veth') device = { ...base, kind: 'veth', peer: undefined };
    else device = { ...base, kind: wanted.kind };
    this.devices.set(device.name, device);
    return device;
  }

  /** The device of that name, made if it is not there. */
  ensureBridge(name: string): BridgeDevice {
    const device = this.devices.get(name) ?? this.addDevice({ kind: 'bridge', name });
    if (device.kind !== 'bridge') throw new NetlinkError(`${name} already exists but is not a bridge`);
    return device;
  }

  /** `ip link del`; the other end of a cable goes too. */
  removeDevice(name: string): void {
    const device = this.devices.get(name);
    if (!device) return;
    this.devices.delete(name);
    this.routes.removeDevice(name);
    for (const { address } of device.addresses) this.local.delete(address);
    if (device.kind === 'bridge') for (const port of [...device.ports]) release(port);
    if (device.kind === 'veth') {
      release(device);
      const peer = device.peer as VethDevice | undefined;
      device.peer = undefined;
      if (peer) {
        peer.peer = undefined;
        peer.netns.removeDevice(peer.name);
      }
    }
  }

  /** `ip addr add 10.244.1.1/24 dev cni0`, with the connected route. Adding it again does nothing. */
  addAddress(device: Device, cidr: string): void {
    const slash = cidr.indexOf('/');
    const length = slash < 0 ? 32 : Number(cidr.slice(slash + 1));
    const { network: value } = prefix(slash < 0 ? cidr : cidr.slice(0, slash));
    if (device.addresses.some((a) => a.address === value)) return;
    device.addresses = [...device.addresses, { address: value, length }];
    this.local.set(value, device);
    if (length < 32 && device.kind !== 'loopback') {
      const mask = maskOf(length);
      this.routes.replace({ destination: { network: (value & mask) >>> 0, length, mask }, device: device.name, source: value, protocol: 'kernel' });
    }
  }

  /** `ip route replace`. Throws NetlinkError for an unknown device. */
  addRoute(route: Route): void {
    if (!this.devices.has(route.device)) throw new NetlinkError(`Cannot find device "${route.device}"`);
    this.routes.replace(route);
  }

  isLocal(target: Address): boolean {
    return this.local.has(target) || isLoopback(target);
  }

  /** The source address of a packet of our own to `target` (ip_route_output): the route's, or its device's first. */
  sourceFor(target: Address): Address | undefined {
    if (this.isLocal(target)) return target;
    const route = this.routes.lookup(target);
    if (!route) return undefined;
    return route.source ?? this.devices.get(route.device)?.addresses[0]?.address;
  }
}

/** A locally administered MAC, the same for the same place in every run. */
function macFor(place: string): string {
  const a = hash32(place);
  const b = hash32(place, 1);
  const bytes = [((a >>> 24) & 0xfc) | 2, (a >>> 16) & 255, (a >>> 8) & 255, a & 255, (b >>> 8) & 255, b & 255];
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
