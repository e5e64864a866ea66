/**
 * kube-proxy: keeps a node's iptables in step with Services and EndpointSlices.
 *
 * What changed is gathered and written at most once a second, with a burst of two (minSyncPeriod 1 s,
 * upstream's BoundedFrequencyRunner). Only the chains of changed Services are written again. When it
 * dies the rules stay and traffic goes on, to ever staler places; the next start cleans up.
 */

import { formatAddress } from '../../linux/address.ts';
import { serveHttp } from '../../linux/http.ts';
import { parseRule, type Rule } from '../../linux/iptables-rule.ts';
import type { Kernel } from '../../linux/kernel.ts';
import type { Sockets } from '../../linux/sockets.ts';
import { type Duration, type Instant, ms, seconds, us } from '../../sim/clock.ts';
import { defer } from '../../sim/mailbox.ts';
import type { Process } from '../../sim/process.ts';
import type { DeepReadonly } from '../api/json.ts';
import { type Key, keyOf } from '../api/meta.ts';
import type { ApiHandler, ApiRequest } from '../api/request.ts';
import type { EndpointSlice, Service } from '../api/types.gen.ts';
import { createClient, type Informer } from '../client/client.ts';
import { createInformers } from '../client/informer.ts';
import { FIXED, isServiceChain, JUMPS, LAST_SERVICE_RULE, type ServiceRules, serviceRules } from './iptables.ts';

export interface KubeProxyOptions {
  readonly nodeName: string;
  readonly handler: ApiHandler;
  readonly token?: () => string | undefined;
  readonly certificate?: ApiRequest['certificate'];
  /** The machine whose root namespace the rules go into. */
  readonly kernel: Kernel;
  readonly clusterCidr: string;
  /** Of the host network: /healthz on 10256. */
  readonly sockets?: Sockets;
}

const MIN_SYNC_PERIOD = seconds(1);
const BURST = 2;
const HEALTHZ_PORT = 10_256;
/** iptables-restore: a fork and a lock, then about 40 µs a line (0.42 s for 10,000). */
const restoreTime = (lines: number): Duration => ms(5) + us(40) * lines;

/** Runs until killed. */
export async function runKubeProxy(self: Process, options: KubeProxyOptions): Promise<void> {
  const client = createClient({
    handler: options.handler,
    userAgent: 'kube-proxy/v1.33.0 (linux/amd64)',
    ...(options.token ? { token: options.token } : {}),
    ...(options.certificate ? { certificate: options.certificate } : {}),
  });
  const informers = createInformers(self, client);
  const services = informers.of('Service');
  const slices = informers.of('EndpointSlice');
  slices.addIndex('service', (slice) => [serviceOf(slice)]);

  const proxier = new Proxier(self, options, services, slices);
  if (options.sockets) {
    serveHttp(options.sockets, HEALTHZ_PORT, (request) =>
      request.path === '/healthz' || request.path === '/livez'
        ? {
            status: proxier.healthy ? 200 : 503,
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({ lastUpdated: proxier.lastSync, currentTime: self.clock.now() }),
          }
        : { status: 404 },
    );
  }
  await informers.synced();
  services.onChange(({ before, after }) => proxier.changed(keyOf((after ?? before)!)));
  slices.onChange(({ before, after }) => {
    for (const slice of [before, after]) if (slice) proxier.changed(serviceOf(slice));
  });
  proxier.start();
  await defer<never>(self.clock).promise;
}

/** The Service a slice belongs to: its `kubernetes.io/service-name` label. */
const serviceOf = (slice: DeepReadonly<EndpointSlice>): Key => `${slice.metadata?.namespace}/${slice.metadata?.labels?.['kubernetes.io/service-name'] ?? ''}`;

interface Installed {
  readonly rules: ServiceRules;
  readonly parsed: {
    readonly services: readonly Rule[];
    readonly nodePorts: readonly Rule[];
    readonly filterServices: readonly Rule[];
    readonly external: readonly Rule[];
    readonly filterNodePorts: readonly Rule[];
    readonly firewall: readonly Rule[];
  };
}

class Proxier {
  lastSync: Instant = 0;
  private readonly dirty = new Set<Key>();
  private readonly installed = new Map<Key, Installed>();
  private started = false;
  private scheduled = false;
  private full = true;
  private cause = 0;
  /** The token bucket, in time: full at BURST periods. */
  private credit = BURST * MIN_SYNC_PERIOD;
  private creditAt: Instant = 0;

  constructor(
    private readonly self: Process,
    private readonly options: KubeProxyOptions,
    private readonly services: Informer<Service>,
    private readonly slices: Informer<EndpointSlice>,
  ) {}

  get healthy(): boolean {
    return this.lastSync > 0;
  }

  changed(key: Key): void {
    if (this.dirty.size === 0) this.cause = this.self.trace.current();
    this.dirty.add(key);
    if (this.started) this.schedule();
  }

  start(): void {
    this.started = true;
    this.creditAt = this.self.clock.now();
    this.schedule();
  }

  /** Runs as soon as the bucket allows. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    const now = this.self.clock.now();
    this.credit = Math.min(BURST * MIN_SYNC_PERIOD, this.credit + (now - this.creditAt));
    this.creditAt = now;
    this.self.clock.after(Math.max(0, MIN_SYNC_PERIOD - this.credit), () => {
      const at = this.self.clock.now();
      this.credit = this.credit + (at - this.creditAt) - MIN_SYNC_PERIOD;
      this.creditAt = at;
      this.sync();
    });
  }

  private sync(): void {
    const full = this.full;
    const keys = [...this.dirty].sort();
    this.dirty.clear();
    this.self.trace.because(this.cause);
    const changes = keys.map((key) => ({ key, rules: this.rulesOf(key) }));
    let lines = this.installed.size;
    for (const { rules } of changes) if (rules) for (const chain of rules.chains.values()) lines += chain.length + 1;
    const began = this.self.clock.now();
    this.self.clock.after(restoreTime(lines), () => {
      this.write(changes, full);
      this.full = false;
      this.scheduled = false;
      this.lastSync = this.self.clock.now();
      this.self.trace.emit('proxy.sync', `Node/${this.options.nodeName}`, {
        mode: 'iptables',
        full,
        services: this.installed.size,
        changed: keys,
        lines,
        took: this.self.clock.now() - began,
      });
      if (this.dirty.size > 0) this.schedule();
    });
  }

  private rulesOf(key: Key): ServiceRules | undefined {
    const service = this.services.get(key);
    if (!service) return undefined;
    return serviceRules(service, this.slices.by('service', key), {
      nodeName: this.options.nodeName,
      nodeIp: this.options.kernel.address,
      clusterCidr: this.options.clusterCidr,
    });
  }

  private write(changes: readonly { readonly key: Key; readonly rules: ServiceRules | undefined }[], full: boolean): void {
    const { iptables } = this.options.kernel.root;
    let staleUdp = false;
    const gone: string[] = [];
    for (const { key, rules } of changes) {
      const before = this.installed.get(key);
      if (rules) {
        for (const [chain, texts] of rules.chains) iptables.setChain('nat', chain, texts.map(parseRule));
        this.installed.set(key, { rules, parsed: parseShared(rules) });
      } else this.installed.delete(key);
      if (before) for (const chain of before.rules.chains.keys()) if (!rules?.chains.has(chain)) gone.push(chain);
      if (rules?.udp.size || before?.rules.udp.size) staleUdp = true;
    }
    const order = [...this.installed.keys()].sort();
    const all = (pick: (parsed: Installed['parsed']) => readonly Rule[]): Rule[] => order.flatMap((key) => pick(this.installed.get(key)!.parsed));
    iptables.setChain(
      'filter',
      'KUBE-NODEPORTS',
      all((p) => p.filterNodePorts),
    );
    iptables.setChain(
      'filter',
      'KUBE-SERVICES',
      all((p) => p.filterServices),
    );
    iptables.setChain(
      'filter',
      'KUBE-EXTERNAL-SERVICES',
      all((p) => p.external),
    );
    iptables.setChain(
      'filter',
      'KUBE-PROXY-FIREWALL',
      all((p) => p.firewall),
    );
    iptables.setChain(
      'nat',
      'KUBE-NODEPORTS',
      all((p) => p.nodePorts),
    );
    iptables.setChain('nat', 'KUBE-SERVICES', [...all((p) => p.services), parseRule(LAST_SERVICE_RULE)]);
    if (full) {
      for (const [table, chain, texts] of FIXED) iptables.setChain(table, chain, texts.map(parseRule));
      for (const [table, chain, text] of JUMPS) iptables.ensureFirst(table, chain, text);
      const active = new Set([...this.installed.values()].flatMap(({ rules }) => [...rules.chains.keys()]));
      for (const chain of [...iptables.tables.nat.chains.keys()]) if (isServiceChain(chain) && !active.has(chain)) gone.push(chain);
    }
    for (const chain of gone) iptables.removeChain('nat', chain);
    if (staleUdp) this.forgetStaleUdp();
  }

  /** UDP has no end of connection: flows to endpoints that are gone would go on for ever (pkg/proxy/conntrack). */
  private forgetStaleUdp(): void {
    const valid = new Map<string, ReadonlySet<string>>();
    for (const { rules } of this.installed.values()) for (const [destination, endpoints] of rules.udp) valid.set(destination, endpoints);
    this.options.kernel.root.conntrack.remove((entry) => {
      if (entry.original.protocol !== 'udp') return false;
      const endpoints = valid.get(`${formatAddress(entry.original.destination)}:${entry.original.destinationPort}`);
      return endpoints !== undefined && !endpoints.has(`${formatAddress(entry.reply.source)}:${entry.reply.sourcePort}`);
    });
  }
}

const parseShared = (rules: ServiceRules): Installed['parsed'] => ({
  services: rules.nat.services.map(parseRule),
  nodePorts: rules.nat.nodePorts.map(parseRule),
  filterServices: rules.filter.services.map(parseRule),
  external: rules.filter.external.map(parseRule),
  filterNodePorts: rules.filter.nodePorts.map(parseRule),
  firewall: rules.filter.firewall.map(parseRule),
});
