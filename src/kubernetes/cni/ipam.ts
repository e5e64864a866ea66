/**
 * host-local: which address of the node's subnet a sandbox gets (containernetworking/plugins
 * `plugins/ipam/host-local`). State is files, one per address, so it outlives every process; the search
 * begins after the address given last, so a released one is not used again at once.
 */
import { formatAddress, parseAddress, prefix } from '../../linux/address.ts';
import type { Files } from '../../linux/files.ts';

const DIRECTORY = '/var/lib/cni/networks';

export class HostLocal {
  private readonly directory: string;
  constructor(
    private readonly files: Files,
    network: string,
    private readonly subnet: string,
  ) {
    this.directory = `${DIRECTORY}/${network}`;
  }

  /** The first address, which is the bridge's. */
  get gateway(): string {
    return formatAddress(prefix(this.subnet).network + 1);
  }
  get length(): number {
    return prefix(this.subnet).length;
  }

  /** Throws Error `no IP addresses available in range set`. */
  reserve(id: string): string {
    const { network, length } = prefix(this.subnet);
    const size = 2 ** (32 - length);
    const first = network + 2;
    const usable = size - 3;
    const last = this.files.exists(`${this.directory}/last_reserved_ip.0`) ? this.files.read(`${this.directory}/last_reserved_ip.0`).trim() : '';
    const previous = (parseAddress(last) ?? 0) - first;
    const start = previous >= 0 && previous < usable ? previous + 1 : 0;
    for (let i = 0; i < usable; i++) {
      const ip = formatAddress(first + ((start + i) % usable));
      if (this.files.exists(`${this.directory}/${ip}`)) continue;
      this.files.write(`${this.directory}/${ip}`, `${id}\r\neth0`);
      this.files.write(`${this.directory}/last_reserved_ip.0`, ip);
      return ip;
    }
    throw new Error(`failed to allocate for range 0: no IP addresses available in range set: ${formatAddress(first)}-${formatAddress(network + size - 2)}`);
  }

  /** Gives back whatever the sandbox held; nothing if it held none. */
  release(id: string): void {
    for (const ip of this.reservations(id)) this.files.remove(`${this.directory}/${ip}`);
  }

  /** The addresses a sandbox holds. */
  reservations(id: string): string[] {
    if (!this.files.isDirectory(this.directory)) return [];
    return this.files
      .list(this.directory)
      .filter((name) => name !== 'last_reserved_ip.0' && this.files.read(`${this.directory}/${name}`).split('\r\n')[0] === id);
  }
}
