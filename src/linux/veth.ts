/** Network devices of a namespace: the loopback, the machine's own card, and both ends of a virtual cable. */
import type { Address } from './address.ts';
import type { Netns } from './netns.ts';

interface DeviceBase {
  readonly name: string;
  readonly mac: string;
  readonly index: number;
  readonly netns: Netns;
  /** Addresses with their prefix lengths; the first is primary. */
  addresses: readonly { readonly address: Address; readonly length: number }[];
  /** The bridge it is a port of. */
  master: BridgeDevice | undefined;
}
export interface LoopbackDevice extends DeviceBase {
  readonly kind: 'loopback';
}
/** The card that reaches other machines, over `Lan`. */
export interface EthernetDevice extends DeviceBase {
  readonly kind: 'ethernet';
}
export interface VethDevice extends DeviceBase {
  readonly kind: 'veth';
  /** The other end; undefined while the pair is being made. */
  peer: VethDevice | undefined;
}
export interface BridgeDevice extends DeviceBase {
  readonly kind: 'bridge';
  readonly ports: Set<VethDevice>;
  /** Which port each MAC was last seen behind. */
  readonly learned: Map<string, VethDevice>;
}
export type Device = LoopbackDevice | EthernetDevice | VethDevice | BridgeDevice;

/** Makes a cable: whatever enters one end leaves the other. Throws when a name is taken (RTNETLINK's EEXIST). */
export function connectVeth(a: Netns, nameA: string, b: Netns, nameB: string): { readonly a: VethDevice; readonly b: VethDevice } {
  const first = a.addDevice({ kind: 'veth', name: nameA, peer: undefined });
  const second = b.addDevice({ kind: 'veth', name: nameB, peer: undefined });
  (first as VethDevice).peer = second as VethDevice;
  (second as VethDevice).peer = first as VethDevice;
  return { a: first as VethDevice, b: second as VethDevice };
}
