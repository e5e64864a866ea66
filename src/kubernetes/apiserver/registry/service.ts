/**
 * Services: cluster IPs and node ports are handed out here (upstream pkg/registry/core/service).
 *
 * What is taken is read from the Services and IPAddresses in the watch cache, plus what this server has handed out and
 * the cache has not shown yet; `addresses.ts` writes the IPAddresses. Here simplified: upstream keeps a bitmap of node
 * ports in etcd; one address family.
 */
import type { Rng } from '../../../sim/rng.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { Service } from '../../api/types.gen.ts';
import { internal } from '../errors.ts';
import type { Storage } from '../storage.ts';
import { ADDRESSES, type AddressHands, claimAddress, keepAddresses, movesAddress, ranges, releaseAddress } from './addresses.ts';
import { invalidField } from './objects.ts';
import { type CidrRange, contains, SERVICE_ROW as ROW, toAddress, toNumber } from './service-range.ts';
import type { Strategy } from './strategy.ts';

const PREFIX = '/registry/services/specs/';
const FIRST_PORT = 30_000;
const LAST_PORT = 32_767;
/** The lower ports are left to those who ask for one (ServiceNodePortStaticSubrange). */
const DYNAMIC_PORTS = 86;

interface Port {
  readonly port: number;
  readonly nodePort?: number;
}

export class ServiceAllocator {
  /** Handed out, not yet seen in the cache: address or port → who has it. */
  private readonly promised = new Map<string, string>();
  /** Services whose address was chosen here, not asked for. */
  private readonly chosen = new Set<string>();

  constructor(
    private readonly cidr: string,
    private readonly storage: Storage,
    private readonly rng: Rng,
    readonly hands: AddressHands,
    spawn: (work: () => Promise<void>) => void,
  ) {
    keepAddresses(storage, hands, spawn);
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
    for (const { object } of this.storage.cache.under(ADDRESSES)) taken.add(object.metadata.name ?? '');
    for (const [what, who] of this.promised) if (who !== except) taken.add(what);
    return taken;
  }

  private address(service: Service, old: Service | undefined, taken: Set<string>): Service {
    const spec = service.spec ?? {};
    if (spec.type === 'ExternalName') {
      const { clusterIP: _a, clusterIPs: _b, ipFamilies: _c, ipFamilyPolicy: _d, ...rest } = spec;
      return { ...service, spec: rest };
    }
    const refuse = (field: string, value: string, why: string): never => {
      throw invalidField(ROW, service.metadata.name ?? '', field, 'FieldValueInvalid', `Invalid value: ${JSON.stringify(value)}: ${why}`);
    };
    // One family, as `--service-cluster-ip-range` names one range.
    if (spec.ipFamilyPolicy === 'RequireDualStack')
      refuse('spec.ipFamilyPolicy', spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services');
    for (const [i, family] of (spec.ipFamilies ?? []).entries())
      if (family !== 'IPv4') refuse(`spec.ipFamilies[${i}]`, family, 'not configured on this cluster');
    let address = spec.clusterIP || spec.clusterIPs?.[0] || (old?.spec?.type === 'ExternalName' ? undefined : old?.spec?.clusterIP);
    const name = service.metadata.name ?? '';
    if (address !== 'None' && !(address && address === old?.spec?.clusterIP)) {
      if (address) {
        const problem = this.problem(address, taken);
        if (problem)
          throw invalidField(ROW, name, 'spec.clusterIPs', 'FieldValueInvalid', `Invalid value: ["${address}"]: failed to allocate IP ${address}: ${problem}`);
      } else {
        address = this.next(taken);
        this.chosen.add(service.metadata.uid ?? '');
      }
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
    const range = ranges(this.storage, this.cidr).find((each) => contains(each, address));
    if (!range) return 'the provided network does not match the current range';
    const offset = toNumber(address) - range.base;
    if (offset === 0 || offset === range.size - 1) return `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${range.cidr}`;
    return taken.has(address) ? 'provided IP is already allocated' : undefined;
  }

  private next(taken: Set<string>): string {
    for (const range of ranges(this.storage, this.cidr)) {
      const address = this.nextOf(range, taken);
      if (address !== undefined) return address;
    }
    throw internal('failed to allocate a serviceIP: range is full');
  }

  /** A free address from the upper part of the range; the lower part is for those asked for (KEP-3070: min(max(16, size/16), 256)). */
  private nextOf({ base, size }: CidrRange, taken: Set<string>): string | undefined {
    const reserved = Math.min(Math.max(16, Math.floor(size / 16)), 256);
    const [low, high] = size > 2 * reserved ? [reserved + 1, size - 1] : [1, size - 1];
    const start = this.rng.between(low, high);
    for (let i = 0; i < high - 1; i++) {
      let offset = start + i;
      if (offset >= high) offset = 1 + (offset - high);
      const address = toAddress(base + offset);
      if (!taken.has(address)) return address;
    }
    return undefined;
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

  /** Whether this Service's address was chosen here; asked once. */
  wasChosen({ metadata }: KubeObject): boolean {
    return this.chosen.delete(metadata.uid ?? '');
  }

  private promise(what: string, service: Service): void {
    this.promised.set(what, service.metadata.uid ?? '');
    if (this.promised.size > 4_096) this.promised.delete(this.promised.keys().next().value!);
  }
}

const without = ({ nodePort: _, ...port }: Port): Port => port;
export const serviceStrategy = (allocator: ServiceAllocator): Strategy => ({
  createsOnUpdate: true,
  returnsDeleted: true,
  prepareCreate: (object) => ({ ...allocator.allocate(object as Service, undefined), status: { loadBalancer: {} } }) as KubeObject,
  prepareUpdate: (next, old) => allocator.allocate(next as Service, old as Service) as KubeObject,
  claim: (object, old) => (movesAddress(object, old) ? claimAddress(allocator.hands, object, old, allocator.wasChosen(object)) : undefined),
  release: (object) => releaseAddress(allocator.hands, object),
});
