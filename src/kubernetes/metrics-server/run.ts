/**
 * metrics-server: asks every kubelet every 15 seconds what its node and containers use, keeps the last two answers, and
 * serves the difference as an aggregated API (github.com/kubernetes-sigs/metrics-server). `kubectl top` and the
 * HorizontalPodAutoscaler read it; nothing is kept longer than two scrapes.
 *
 * Here simplified: TLS is not modelled, and whom the API server passes on it believes without asking again.
 */
import { serveHttp } from '../../linux/http.ts';
import type { Sockets } from '../../linux/sockets.ts';
import { type Duration, ms, seconds } from '../../sim/clock.ts';
import { forever, type Process } from '../../sim/process.ts';
import type { ApiHandler, ApiRequest } from '../api/request.ts';
import type { Node } from '../api/types.gen.ts';
import { createClient } from '../client/client.ts';
import { createInformers } from '../client/informer.ts';
import { messageOf } from '../client/retry.ts';
import { answer } from './api.ts';
import { type Batch, type Point, parseResourceMetrics, Storage } from './storage.ts';

export interface MetricsServerOptions {
  readonly argv: readonly string[];
  readonly handler: ApiHandler;
  readonly token?: () => string | undefined;
  readonly certificate?: ApiRequest['certificate'];
  /** The pod's own. */
  readonly sockets: Sockets;
  /** A way to a node's kubelet. */
  kubelet(node: string): ApiHandler | undefined;
  /** klog's lines, without their head. */
  log(severity: 'I' | 'E', text: string): void;
}

/** Flags and what they are when not given; others are accepted if they are known, and do nothing. */
const DEFAULTS = { 'secure-port': '443', 'metric-resolution': '1m0s' };
const KNOWN = [
  'cert-dir',
  'kubelet-preferred-address-types',
  'kubelet-use-node-status-port',
  'kubelet-insecure-tls',
  'kubelet-certificate-authority',
  'kubelet-port',
  'kubelet-request-timeout',
  'node-selector',
  'bind-address',
  'v',
  'requestheader-client-ca-file',
  'tls-cert-file',
  'tls-private-key-file',
  'kubeconfig',
  'authorization-always-allow-paths',
];
/** Requests to many kubelets are spread over this, 8 ms for each (pkg/scraper). */
const SPREAD = ms(8);

/** Runs until killed. Throws an Error with cobra's message on flags it does not know. */
export async function runMetricsServer(self: Process, options: MetricsServerOptions): Promise<void> {
  const flags = flagsOf(options.argv);
  const resolution = durationOf(flags['metric-resolution']);
  const informers = createInformers(
    self,
    createClient({
      handler: options.handler,
      userAgent: 'metrics-server/v0.7.2 (linux/amd64) kubernetes/3b7b7b3',
      ...(options.token ? { token: options.token } : {}),
      ...(options.certificate ? { certificate: options.certificate } : {}),
    }),
  );
  const nodes = informers.of('Node');
  const pods = informers.of('Pod', { fieldSelector: 'status.phase=Running' });
  const storage = new Storage(Math.floor(resolution / ms(1)));
  const api = { storage, nodes, pods, now: () => self.clock.now() };
  await informers.synced();
  serveHttp(options.sockets, Number(flags['secure-port']), (request) => {
    if (request.path === '/livez' || request.path === '/healthz') return { status: 200, body: 'ok' };
    if (request.path === '/readyz')
      return storage.ready
        ? { status: 200, body: 'ok' }
        : { status: 500, body: '[+]ping ok\n[-]metric-storage-ready failed: reason withheld\n[+]metric-informer-sync ok\nreadyz check failed\n' };
    const found = answer(api, request.method, request.path, request.query, request.headers['accept'] ?? '');
    if (!found) return { status: 404, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: '404 page not found\n' };
    return { status: found.status, headers: { 'Content-Type': 'application/json' }, body: `${JSON.stringify(found.body)}\n` };
  });
  options.log('I', `secure_serving.go:213] Serving securely on [::]:${flags['secure-port']}`);
  const scrape = (): void => {
    self.clock.after(resolution, scrape);
    self.trace.because(0);
    void scrapeAll(self, options, nodes.list() as readonly Node[]).then((batch) => storage.store(batch));
  };
  scrape();
  await forever();
}

/** All at about the same time; a kubelet that does not answer is left out. */
async function scrapeAll(self: Process, options: MetricsServerOptions, nodes: readonly Node[]): Promise<Batch> {
  const all = { nodes: new Map<string, Point>(), pods: new Map<string, ReadonlyMap<string, Point>>() };
  const spread = Math.min(SPREAD * nodes.length, seconds(4));
  await Promise.all(
    nodes.map(async ({ metadata: { name = '' } }) => {
      await self.clock.sleep(self.rng.between(0, Math.max(1, spread)));
      try {
        const kubelet = options.kubelet(name);
        if (!kubelet) throw new Error(`unable to find the address of node ${name}`);
        const response = await kubelet({ method: 'GET', path: '/metrics/resource', query: {}, headers: {} });
        if (response.status !== 200) throw new Error(`request failed, status: "${response.status}"`);
        const batch = parseResourceMetrics(name, String(response.body));
        for (const [key, point] of batch.nodes) all.nodes.set(key, point);
        for (const [key, points] of batch.pods) all.pods.set(key, points);
      } catch (error) {
        options.log('E', `scraper.go:149] "Failed to scrape node" err=${JSON.stringify(messageOf(error))} node=${JSON.stringify(name)}`);
      }
    }),
  );
  return all;
}

type Flags = typeof DEFAULTS;

function flagsOf(argv: readonly string[]): Flags {
  const flags: Record<string, string> = { ...DEFAULTS };
  for (const word of argv) {
    const m = /^--?([\w-]+)(?:=(.*))?$/.exec(word);
    if (!m) throw new Error(`unknown command ${JSON.stringify(word)} for "metrics-server"`);
    if (!(m[1]! in DEFAULTS) && !KNOWN.includes(m[1]!)) throw new Error(`unknown flag: --${m[1]}`);
    flags[m[1]!] = m[2] ?? 'true';
  }
  const parsed = flags as Flags;
  if (durationOf(parsed['metric-resolution']) < seconds(10))
    throw new Error(`metric-resolution should be a time duration at least 10s, but value ${parsed['metric-resolution']} provided`);
  return parsed;
}

/** `15s`, `1m0s`. Throws. */
function durationOf(text: string): Duration {
  const m = /^(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  if (!m || text === '')
    throw new Error(`invalid argument ${JSON.stringify(text)} for "--metric-resolution" flag: time: invalid duration ${JSON.stringify(text)}`);
  return seconds(Number(m[1] ?? 0) * 60 + Number(m[2] ?? 0));
}
