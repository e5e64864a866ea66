/**
 * Services: cluster IPs and node ports are handed out here (upstream pkg/registry/core/service).
 *
 * What is taken is read from the Services in the watch cache, plus what this server has handed out and
 * the cache has not shown yet. Here simplified: upstream keeps bitmaps (ports) and IPAddress objects in
 * etcd; one address family.
 */
import type { Rng } from '../../../sim/rng.ts';
import type { KubeObject } from '../../api/meta.ts';
import { byKind } from '../../api/resources.ts';
import type { Service } from '../../api/types.gen.ts';
import { internal } from '../errors.ts';
import type { Storage } from '../storage.ts';
import { invalidField } from './objects.ts';
import type { Strategy } from './strategy.ts';

const ROW = byKind('Service');
const PREFIX = '/registry/services/specs/';
const FIRST_PORT = 30_000;
const LAST_PORT = 32_767;
/** The lower ports are left to those who ask for one (ServiceNodePortStaticSubrange). */
const DYNAMIC_PORTS = 86;

/** `10.96.0.0/12` → first address and how many there are. */
export function readCidr(cidr: string): { base: number; size: number } {
  const [address = '', bits = '32'] = cidr.split('/');
  const size = 2 ** (32 - Number(bits));
  const number = toNumber(address);
  return { base: number - (number % size), size };
}
const toNumber = (ip: string): number => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
export const toAddress = (number: number): string => [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');

interface Port {
  readonly port: number;
  readonly nodePort?: number;
}

export class ServiceAllocator {
  private readonly base: number;
  private readonly size: number;
  /** Handed out, not yet seen in the cache: address or port → who has it. */
  private readonly promised = new Map<string, string>();

  constructor(
    cidr: string,
    private readonly storage: Storage,
    private readonly rng: Rng,
  ) {
    ({ base: this.base, size: this.size } = readCidr(cidr));
    storage.cache.listen((prefix, { object }) => {
      if (prefix !== PREFIX || this.promised.size === 0) return;
      const uid = object.metadata.uid;
      for (const [what, who] of this.promised) if (who === uid) this.promised.delete(what);
    });
  }

  /** Fills in addresses and ports of a new or changed Service. Throws Invalid when what it asks for cannot be had. */
  allocate(service: Service, old: Service | undefined): Service {
    const taken = this.taken(service.metadata.uid);
    const withAddress = this.address(service, old, taken);
    return this.ports(withAddress, old, taken);
  }

  private taken(except: string | undefined): Set<string> {
    const taken = new Set<string>();
    for (const { object } of this.storage.cache.under(PREFIX)) {
      if (object.metadata.uid === except) continue;
      const { spec } = object as Service;
      if (spec?.clusterIP && spec.clusterIP !== 'None') taken.add(spec.clusterIP);
      for (const port of (spec?.ports ?? []) as readonly Port[]) if (port.nodePort) taken.add(String(port.nodePort));
      if (spec?.healthCheckNodePort) taken.add(String(spec.healthCheckNodePort));
    }
    for (const [what, who] of this.promised) if (who !== except) taken.add(what);
    return taken;
  }

  private address(service: Service, old: Service | undefined, taken: Set<string>): Service {
    const spec = service.spec ?? {};
    if (spec.type === 'ExternalName') {
      const { clusterIP: _a, clusterIPs: _b, ipFamilies: _c, ipFamilyPolicy: _d, ...rest } = spec;
      return { ...service, spec: rest };
    }
    let address = spec.clusterIP || spec.clusterIPs?.[0] || (old?.spec?.type === 'ExternalName' ? undefined : old?.spec?.clusterIP);
    const name = service.metadata.name ?? '';
    if (address !== 'None' && !(address && address === old?.spec?.clusterIP)) {
      if (address) {
        const problem = this.problem(address, taken);
        if (problem)
          throw invalidField(ROW, name, 'spec.clusterIPs', 'FieldValueInvalid', `Invalid value: ["${address}"]: failed to allocate IP ${address}: ${problem}`);
      } else address = this.next(taken);
      this.promise(address, service);
    }
    return {
      ...service,
      spec: {
        ...spec,
        clusterIP: address!,
        clusterIPs: [address!],
        ipFamilies: spec.ipFamilies ?? ['IPv4'],
        ipFamilyPolicy: spec.ipFamilyPolicy ?? 'SingleStack',
      },
    };
  }

  private problem(address: string, taken: Set<string>): string | undefined {
    const offset = toNumber(address) - this.base;
    if (!(offset > 0 && offset < this.size - 1))
      return `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${toAddress(this.base)}/${prefixLength(this.size)}`;
    return taken.has(address) ? 'provided IP is already allocated' : undefined;
  }

  /** A free address from the upper part of the range; the lower part is for those asked for (KEP-3070: min(max(16, size/16), 256)). */
  private next(taken: Set<string>): string {
    const reserved = Math.min(Math.max(16, Math.floor(this.size / 16)), 256);
    const [low, high] = this.size > 2 * reserved ? [reserved + 1, this.size - 1] : [1, this.size - 1];
    const start = this.rng.between(low, high);
    for (let i = 0; i < high - 1; i++) {
      let offset = start + i;
      if (offset >= high) offset = 1 + (offset - high);
      const address = toAddress(this.base + offset);
      if (!taken.has(address)) return address;
    }
    throw internal('failed to allocate a serviceIP: range is full');
  }

  private ports(service: Service, old: Service | undefined, taken: Set<string>): Service {
    const spec = service.spec ?? {};
    const wants = spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
    const name = service.metadata.name ?? '';
    let ports = (spec.ports ?? []) as readonly (Port & { protocol?: string; name?: string })[];
    if (!wants && spec.type !== 'LoadBalancer') {
      // A Service that stops being of type NodePort gives up the ports it did not ask for itself.
      if (old && old.spec?.type !== spec.type) {
        const before = new Set(((old.spec?.ports ?? []) as readonly Port[]).map((port) => port.nodePort));
        ports = ports.map((port) => (port.nodePort && before.has(port.nodePort) ? without(port) : port));
      }
      return { ...service, spec: { ...spec, ports } as Service['spec'] & object };
    }
    const own = new Set<number>();
    ports = ports.map((port, index) => {
      const before = ((old?.spec?.ports ?? []) as readonly (Port & { protocol?: string })[]).find(
        (candidate) => candidate.port === port.port && candidate.protocol === port.protocol,
      );
      let nodePort = port.nodePort || before?.nodePort;
      if (nodePort === undefined) {
        if (!wants) return port;
        nodePort = this.nextPort(taken, own);
        this.promise(String(nodePort), service);
      } else if (port.nodePort && port.nodePort !== before?.nodePort) {
        const where = `spec.ports[${index}].nodePort`;
        if (nodePort < FIRST_PORT || nodePort > LAST_PORT) {
          throw invalidField(
            ROW,
            name,
            where,
            'FieldValueInvalid',
            `Invalid value: ${nodePort}: provided port is not in the valid range. The range of valid ports is ${FIRST_PORT}-${LAST_PORT}`,
          );
        }
        if (taken.has(String(nodePort)))
          throw invalidField(ROW, name, where, 'FieldValueInvalid', `Invalid value: ${nodePort}: provided port is already allocated`);
        this.promise(String(nodePort), service);
      }
      own.add(nodePort);
      return { ...port, nodePort };
    });
    const health =
      spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'
        ? (spec.healthCheckNodePort ?? old?.spec?.healthCheckNodePort ?? this.nextPort(taken, own))
        : undefined;
    if (health !== undefined) this.promise(String(health), service);
    return { ...service, spec: { ...spec, ports, ...(health !== undefined ? { healthCheckNodePort: health } : {}) } as Service['spec'] & object };
  }

  private nextPort(taken: Set<string>, own: Set<number>): number {
    const size = LAST_PORT - FIRST_PORT + 1;
    const start = this.rng.between(DYNAMIC_PORTS, size);
    for (let i = 0; i < size; i++) {
      const port = FIRST_PORT + ((start + i) % size);
      if (!taken.has(String(port)) && !own.has(port)) return port;
    }
    throw internal('failed to allocate a nodePort: range is full');
  }

  private promise(what: string, service: Service): void {
    this.promised.set(what, service.metadata.uid ?? '');
    if (this.promised.size > 4_096) this.promised.delete(this.promised.keys().next().value!);
  }
}

const without = ({ nodePort: _, ...port }: Port): Port => port;
const prefixLength = (size: number): number => {
  let bits = 32;
  for (let n = size; n > 1; n /= 2) bits--;
  return bits;
};

export const serviceStrategy = (allocator: ServiceAllocator): Strategy => ({
  createsOnUpdate: true,
  returnsDeleted: true,
  prepareCreate: (object) => ({ ...allocator.allocate(object as Service, undefined), status: { loadBalancer: {} } }) as KubeObject,
  prepareUpdate: (next, old) => allocator.allocate(next as Service, old as Service) as KubeObject,
});
