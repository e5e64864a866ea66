/**
 * CoreDNS: the cluster's name server. A Corefile chooses the plugins; the kubernetes plugin answers for
 * the cluster's zone from informers, `forward` asks others for the rest, `cache` remembers what they
 * said, `health` and `ready` tell the kubelet.
 */
import { type DnsAnswer, type DnsQuestion, decodeAnswer, decodeQuestion, encodeAnswer, encodeQuestion } from '../../linux/dns.ts';
import type { Files } from '../../linux/files.ts';
import { serveHttp } from '../../linux/http.ts';
import { parseResolvConf } from '../../linux/resolver.ts';
import { SocketError, type Sockets } from '../../linux/sockets.ts';
import { type Instant, seconds } from '../../sim/clock.ts';
import { defer } from '../../sim/mailbox.ts';
import type { Process } from '../../sim/process.ts';
import type { ApiHandler, ApiRequest } from '../api/request.ts';
import { createClient } from '../client/client.ts';
import { createInformers } from '../client/informer.ts';
import { fqdn, KUBEADM_COREFILE, type PluginConfig, parseCorefile, type ServerBlock } from './corefile.ts';
import { type ClusterView, type KubernetesZone, lookup, type Reply, reverseLookup } from './kubernetes.ts';

export interface CoreDnsOptions {
  readonly handler: ApiHandler;
  readonly token?: () => string | undefined;
  readonly certificate?: ApiRequest['certificate'];
  readonly sockets: Sockets;
  /** The Corefile is read from /etc/coredns/Corefile (kubeadm's, if there is none), upstream servers from /etc/resolv.conf. */
  readonly files: Files;
  /** `namespace/name` of the pod, for the trace. */
  readonly pod?: string;
}

const HEALTH_PORT = 8_080;
const READY_PORT = 8_181;
const FORWARD_TIMEOUT = seconds(2);

/** Runs until killed. Throws CorefileError on a bad Corefile, SocketError EADDRINUSE on a taken port. */
export async function runCoreDns(self: Process, options: CoreDnsOptions): Promise<void> {
  const { files, sockets } = options;
  const blocks = parseCorefile(files.exists('/etc/coredns/Corefile') ? files.read('/etc/coredns/Corefile') : KUBEADM_COREFILE);
  const has = (name: string): boolean => blocks.some((block) => block.plugins.some((plugin) => plugin.name === name));
  const cluster = has('kubernetes') ? watchCluster(self, options) : undefined;

  if (has('health')) serveHttp(sockets, HEALTH_PORT, (request) => (request.path === '/health' ? { status: 200, body: 'OK' } : { status: 404 }));
  if (has('ready')) {
    serveHttp(sockets, READY_PORT, (request) => {
      if (request.path !== '/ready') return { status: 404 };
      return !cluster || cluster.synced() ? { status: 200, body: 'OK' } : { status: 503, body: 'kubernetes' };
    });
  }
  // As upstream, wait up to five seconds for the API, then serve whatever there is.
  if (cluster) {
    const waited = defer<void>(self.clock);
    const cancel = self.clock.after(seconds(5), () => waited.resolve());
    cluster.whenSynced.then(() => {
      cancel();
      waited.resolve();
    });
    await waited.promise;
  }
  for (const port of [...new Set(blocks.map((block) => block.port))]) {
    const server = new Server(
      self,
      options,
      blocks.filter((block) => block.port === port),
      cluster,
    );
    sockets.listenUdp(port, (text, from, reply) => server.serve(text, from.ip, reply));
  }
  await defer<never>(self.clock).promise;
}

interface Cluster {
  readonly view: ClusterView;
  synced(): boolean;
  readonly whenSynced: Promise<void>;
}

function watchCluster(self: Process, options: CoreDnsOptions): Cluster {
  const client = createClient({
    handler: options.handler,
    userAgent: 'coredns/1.12.0 (linux/amd64)',
    ...(options.token ? { token: options.token } : {}),
    ...(options.certificate ? { certificate: options.certificate } : {}),
  });
  const informers = createInformers(self, client);
  const services = informers.of('Service');
  const slices = informers.of('EndpointSlice');
  const namespaces = informers.of('Namespace');
  services.addIndex('ip', (service) => (service.spec?.clusterIP && service.spec.clusterIP !== 'None' ? [service.spec.clusterIP] : []));
  slices.addIndex('service', (slice) => [`${slice.metadata?.namespace}/${slice.metadata?.labels?.['kubernetes.io/service-name'] ?? ''}`]);
  slices.addIndex('ip', (slice) => (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses));
  return {
    synced: () => services.hasSynced && slices.hasSynced && namespaces.hasSynced,
    whenSynced: informers.synced(),
    view: {
      service: (namespace, name) => services.get(`${namespace}/${name}`),
      slices: (namespace, service) => slices.by('service', `${namespace}/${service}`),
      namespaceExists: (name) => namespaces.get(name) !== undefined,
      serviceWithIp: (ip) => services.by('ip', ip)[0],
      slicesWithIp: (ip) => slices.by('ip', ip),
    },
  };
}

/** One port: finds the block for a name, runs its plugins, answers. */
class Server {
  private readonly cache = new Map<string, { readonly until: Instant; readonly reply: Reply }>();

  constructor(
    private readonly self: Process,
    private readonly options: CoreDnsOptions,
    private readonly blocks: readonly ServerBlock[],
    private readonly cluster: Cluster | undefined,
  ) {}

  serve(text: string, from: string, reply: (text: string) => void): void {
    const question = decodeQuestion(text);
    if (!question) return;
    const answer = (result: Reply): void => {
      const { code, answers, additional } = this.balance(result);
      this.self.trace.chatter('dns.query', this.options.pod ? `Pod/${this.options.pod}` : '', {
        name: question.name,
        type: question.type,
        from,
        code,
        answers: answers.map((record) => record.data),
      });
      reply(encodeAnswer({ id: question.id, code, answers, additional }));
    };
    const block = this.blockFor(question.name);
    if (!block) {
      answer(failure('REFUSED'));
      return;
    }
    const kubernetes = block.plugins.find((plugin) => plugin.name === 'kubernetes');
    if (kubernetes) {
      const own = this.askCluster(question, kubernetes);
      if (own) {
        // An ExternalName's target is looked up for the client (the upstream plugin).
        const alias = own.answers.length === 1 && own.answers[0]!.type === 'CNAME' && question.type === 'A' ? own.answers[0]! : undefined;
        if (!alias) answer(own);
        else {
          const target = this.askCluster({ ...question, name: alias.data }, kubernetes);
          if (target) answer({ ...target, code: 'NOERROR', answers: [alias, ...target.answers] });
          else
            this.forward({ ...question, name: alias.data }, block, (it) =>
              answer({ ...it, code: it.code === 'SERVFAIL' ? it.code : 'NOERROR', answers: [alias, ...it.answers] }),
            );
        }
        return;
      }
    }
    this.forward(question, block, answer);
  }

  /** The block with the longest zone that the name is in. */
  private blockFor(name: string): ServerBlock | undefined {
    let best: { zone: string; block: ServerBlock } | undefined;
    for (const block of this.blocks)
      for (const zone of block.zones) if (inZone(name, zone) && (!best || zone.length > best.zone.length)) best = { zone, block };
    return best?.block;
  }

  /** Undefined: not a name of the cluster, or one it lets fall through. */
  private askCluster(question: DnsQuestion, plugin: PluginConfig): Reply | undefined {
    const zones = (plugin.args.length > 0 ? plugin.args : ['.']).map(fqdn);
    const zone = zones.find((it) => inZone(question.name, it));
    if (!zone || !this.cluster) return undefined;
    if (!this.cluster.synced()) return failure('SERVFAIL');
    const option = (name: string): readonly string[] | undefined => plugin.options.find((words) => words[0] === name);
    const config: KubernetesZone = {
      zone: zones.find((it) => !it.endsWith('.arpa.')) ?? 'cluster.local.',
      ttl: Number(option('ttl')?.[1] ?? 5),
      pods: (option('pods')?.[1] ?? 'disabled') as KubernetesZone['pods'],
    };
    const found = zone.endsWith('.arpa.')
      ? reverseLookup(question.name, question.type, config, this.cluster.view)
      : lookup(question.name, question.type, config, this.cluster.view);
    if (found && found.code !== 'NXDOMAIN') return found;
    const fallthrough = option('fallthrough');
    const falls = fallthrough && (fallthrough.length === 1 || fallthrough.slice(1).some((it) => inZone(question.name, fqdn(it))));
    return falls ? undefined : (found ?? failure('NXDOMAIN'));
  }

  private forward(question: DnsQuestion, block: ServerBlock, answer: (reply: Reply) => void): void {
    const plugin = block.plugins.find((it) => it.name === 'forward' && inZone(question.name, fqdn(it.args[0] ?? '.')));
    const servers = (plugin?.args.slice(1) ?? []).flatMap((to) =>
      to.startsWith('/') ? this.serversIn(to) : [to.replace(/^dns:\/\//, '').replace(/:53$/, '')],
    );
    if (servers.length === 0) {
      answer(failure(plugin ? 'SERVFAIL' : 'REFUSED'));
      return;
    }
    const key = `${question.type} ${question.name}`;
    const known = this.cache.get(key);
    if (known && known.until > this.self.clock.now()) {
      answer(known.reply);
      return;
    }
    void this.askOthers(question, servers).then((it) => {
      const reply: Reply = it ?? failure('SERVFAIL');
      const cache = block.plugins.find((p) => p.name === 'cache');
      if (cache && reply.code !== 'SERVFAIL') {
        const ttl = Math.min(Number(cache.args[0] ?? 3_600), ...reply.answers.map((record) => record.ttl));
        if (this.cache.size > 9_984) this.cache.clear();
        this.cache.set(key, { until: this.self.clock.now() + seconds(ttl), reply });
      }
      answer(reply);
    });
  }

  private serversIn(path: string): readonly string[] {
    return this.options.files.exists(path) ? parseResolvConf(this.options.files.read(path)).nameservers : [];
  }

  private async askOthers(question: DnsQuestion, servers: readonly string[]): Promise<DnsAnswer | undefined> {
    const first = this.self.rng.between(0, servers.length);
    for (let i = 0; i < servers.length; i++) {
      try {
        const answer = decodeAnswer(await this.options.sockets.askUdp(servers[(first + i) % servers.length]!, 53, encodeQuestion(question), FORWARD_TIMEOUT));
        if (answer && answer.id === question.id) return answer;
      } catch (error) {
        if (!(error instanceof SocketError)) throw error;
      }
    }
    return undefined;
  }

  /** The loadbalance plugin: addresses in a new order each time. */
  private balance(reply: Reply): Reply {
    const addresses = reply.answers.filter((record) => record.type === 'A');
    if (addresses.length < 2) return reply;
    for (let i = addresses.length - 1; i > 0; i--) {
      const j = this.self.rng.between(0, i + 1);
      [addresses[i], addresses[j]] = [addresses[j]!, addresses[i]!];
    }
    return { ...reply, answers: [...reply.answers.filter((record) => record.type !== 'A'), ...addresses] };
  }
}

const failure = (code: Reply['code']): Reply => ({ code, answers: [], additional: [] });
const inZone = (name: string, zone: string): boolean => zone === '.' || name === zone || name.endsWith(`.${zone}`);
