/**
 * A bridge: a switch inside a namespace. It learns which port each MAC address lives behind from the
 * frames it sees; a frame for its own MAC goes up to the namespace's IP stack.
 */
import type { Address } from './address.ts';
import type { BridgeDevice, Device, VethDevice } from './veth.ts';

/** `ip link set PORT master BRIDGE`. */
export function enslave(port: VethDevice, bridge: BridgeDevice): void {
  port.master?.ports.delete(port);
  port.master = bridge;
  bridge.ports.add(port);
}

export function release(port: VethDevice): void {
  const bridge = port.master;
  if (!bridge) return;
  bridge.ports.delete(port);
  for (const [mac, behind] of bridge.learned) if (behind === port) bridge.learned.delete(mac);
  port.master = undefined;
}

/**
 * The port a MAC is behind. Here simplified: a frame for an unknown MAC would be flooded and accepted
 * by its one owner; the owner is looked up at once.
 */
export function portFor(bridge: BridgeDevice, mac: string): VethDevice | undefined {
  const known = bridge.learned.get(mac);
  if (known?.master === bridge && known.peer?.mac === mac) return known;
  for (const port of bridge.ports) if (port.peer?.mac === mac) return port;
  return undefined;
}

/** Who answers an ARP request for `target` on the segment this device is on; undefined when nobody does. */
export function whoHas(device: Device, target: Address, known: string | undefined): string | undefined {
  const segment = device.master ?? device;
  switch (segment.kind) {
    case 'veth':
      return segment.peer ? answers(segment.peer, target) : undefined;
    case 'bridge': {
      if (segment !== device && has(segment, target)) return segment.mac;
      // The usual case: the neighbour answered before and still has the address.
      const port = known === undefined ? undefined : portFor(segment, known);
      if (port?.peer && has(port.peer, target)) return known;
      for (const other of segment.ports) if (other !== device && other.peer && has(other.peer, target)) return other.peer.mac;
      return undefined;
    }
    default:
      return undefined;
  }
}

const has = (device: Device, target: Address): boolean => device.addresses.some((a) => a.address === target);

/** The far end of a cable answers for itself, or, being a port, for its bridge and all behind it. */
function answers(peer: VethDevice, target: Address): string | undefined {
  if (!peer.master) return peer.netns.isLocal(target) ? peer.mac : undefined;
  if (peer.master.netns.isLocal(target)) return peer.master.mac;
  for (const other of peer.master.ports) if (other !== peer && other.peer && has(other.peer, target)) return other.peer.mac;
  return undefined;
}
