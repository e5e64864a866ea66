/** A routing table: the longest prefix wins (RFC 1812 5.2.4.3), by one map lookup per prefix length in use. */
import { type Address, formatAddress, formatPrefix, maskOf, type Prefix } from './address.ts';

export interface Route {
  readonly destination: Prefix;
  /** The next hop; undefined when the destination is on the link itself. */
  readonly via?: Address | undefined;
  readonly device: string;
  /** The source address the kernel prefers for packets of its own that take this route. */
  readonly source?: Address | undefined;
  /** Who installed it: `kernel` for connected routes. */
  readonly protocol?: 'kernel' | 'static' | undefined;
}

export class RouteTable {
  private readonly byLength = new Map<number, Map<Address, Route>>();
  /** Prefix lengths in use, longest first. */
  private lengths: readonly number[] = [];

  /** Adds, or replaces the route to the same prefix (`ip route replace`). */
  replace(route: Route): void {
    const { length, network } = route.destination;
    let level = this.byLength.get(length);
    if (!level) {
      level = new Map();
      this.byLength.set(length, level);
      this.lengths = [...this.byLength.keys()].sort((a, b) => b - a);
    }
    level.set(network, route);
  }

  remove(destination: Prefix): void {
    this.byLength.get(destination.length)?.delete(destination.network);
  }

  removeDevice(device: string): void {
    for (const level of this.byLength.values()) for (const [network, route] of level) if (route.device === device) level.delete(network);
  }

  lookup(destination: Address): Route | undefined {
    for (const length of this.lengths) {
      const route = this.byLength.get(length)!.get((destination & maskOf(length)) >>> 0);
      if (route) return route;
    }
    return undefined;
  }

  /** In the order `ip route` prints: the default first, then by network. */
  list(): Route[] {
    const routes: Route[] = [];
    for (const level of this.byLength.values()) routes.push(...level.values());
    return routes.sort((a, b) => a.destination.network - b.destination.network || a.destination.length - b.destination.length);
  }
}

/** A line of `ip route`. */
export function formatRoute(route: Route): string {
  const to =
    route.destination.length === 0 ? 'default' : route.destination.length === 32 ? formatAddress(route.destination.network) : formatPrefix(route.destination);
  const via = route.via === undefined ? '' : ` via ${formatAddress(route.via)}`;
  const kernel = route.protocol === 'kernel' ? ' proto kernel scope link' : '';
  const source = route.source === undefined ? '' : ` src ${formatAddress(route.source)}`;
  return `${to}${via} dev ${route.device}${kernel}${source}`;
}
