/** An API server over a store in memory, for tests: one millisecond to etcd and back. */
import { ms, seconds } from '../../sim/clock.ts';
import { type Host, Loop } from '../../sim/loop.ts';
import { defer } from '../../sim/mailbox.ts';
import { forever, type Process } from '../../sim/process.ts';
import { testHost } from '../../sim/test-host.ts';
import type { Json } from '../api/json.ts';
import type { ApiRequest, ApiResponse, WatchEvent } from '../api/request.ts';
import type { EtcdClient, EtcdEvent, RequestOp, ResponseHeader, ResponseOp, TxnResponse } from '../etcd/api.ts';
import { inRange, MvccStore } from '../etcd/mvcc.ts';
import { type ApiServer, type ApiServerOptions, createApiServer } from './apiserver.ts';

/** etcd without members: applies at once, answers after half a millisecond each way. */
export function memoryEtcd(self: Process, store: MvccStore): EtcdClient {
  const header = (): ResponseHeader => ({ clusterId: '1', memberId: '1', revision: store.revision, raftTerm: 1 });
  const later = <T>(act: () => T): Promise<T> => {
    const { promise, resolve, reject } = defer<T>(self.clock);
    self.clock.after(ms(0.5), () => {
      try {
        const answer = act();
        self.clock.after(ms(0.5), () => resolve(answer));
      } catch (error) {
        self.clock.after(ms(0.5), () => reject(error as Error));
      }
    });
    return promise;
  };
  const run = (ops: readonly RequestOp[]): ResponseOp[] => {
    const txn = store.begin();
    const answers = ops.map((op): ResponseOp => {
      if ('requestPut' in op) {
        txn.put(op.requestPut.key, op.requestPut.value, op.requestPut.lease ?? 0);
        return { responsePut: { header: header() } };
      }
      if ('requestDeleteRange' in op) {
        const gone = txn.delete(op.requestDeleteRange.key, op.requestDeleteRange.rangeEnd);
        return { responseDeleteRange: { header: header(), deleted: gone.length, prevKvs: gone } };
      }
      if ('requestRange' in op) return { responseRange: { header: header(), ...store.range(op.requestRange) } };
      throw new Error('no nested transactions here');
    });
    txn.commit();
    return answers;
  };
  let leases = 0;
  return {
    range: (request) => later(() => ({ header: header(), ...store.range(request) })),
    put: (request) =>
      later(() => {
        run([{ requestPut: request }]);
        return { header: header() };
      }),
    deleteRange: (request) => later(() => ({ header: header(), deleted: 0, prevKvs: [], ...run([{ requestDeleteRange: request }]) })),
    txn: (request) =>
      later((): TxnResponse => {
        const succeeded = request.compare.every(({ key, operand }) => (store.get(key)?.modRevision ?? 0) === operand);
        const responses = run(succeeded ? request.success : request.failure);
        return { header: header(), succeeded, responses };
      }),
    compact: ({ revision }) =>
      later(() => {
        store.compact(revision);
        return { header: header() };
      }),
    leaseGrant: ({ ttl }) => later(() => ({ header: header(), id: ++leases, ttl })),
    leaseRevoke: () => later(() => ({ header: header() })),
    leaseKeepAlive: ({ id }) => later(() => ({ header: header(), id, ttl: 10 })),
    leaseTimeToLive: ({ id }) => later(() => ({ header: header(), id, ttl: 10, grantedTtl: 10, keys: [] })),
    watch(request, onResponse) {
      const deliver = (events: readonly EtcdEvent[], revision: number): void => {
        const mine = events.filter((event) => inRange(event.kv.key, request.key, request.rangeEnd));
        if (mine.length > 0) self.clock.after(ms(0.5), () => onResponse({ header: { ...header(), revision }, events: mine }));
      };
      const missed = store.changesFrom(request.startRevision ?? store.revision + 1, request.key, request.rangeEnd);
      if (missed.length > 0) deliver(missed, store.revision);
      return store.observe(deliver);
    },
  };
}

/** What tests look into freely: JSON of any shape. */
// biome-ignore lint/suspicious/noExplicitAny: an answer's shape is what the test asserts.
export type Loose = any;

export const ADMIN = { commonName: 'kubernetes-admin', organizations: ['system:masters'] };

/** Runs `story` against a started API server. Every request of the story passes through virtual time. */
export async function withApiServer(
  story: (server: TestServer) => Promise<void>,
  options: Partial<ApiServerOptions> & { seed?: number; store?: MvccStore; host?: Host } = {},
): Promise<{ loop: Loop; store: MvccStore }> {
  const loop = new Loop({ seed: options.seed ?? 1, host: options.host ?? testHost });
  const store = options.store ?? new MvccStore();
  let failed: unknown;
  let finished = false;
  loop.spawn('kube-apiserver', async (self) => {
    const api = createApiServer(self, { etcd: memoryEtcd(self, store), kubelet: () => undefined, serviceCidr: '10.96.0.0/12', ...options });
    self.spawn('story', async (teller) => {
      while (!api.ready()) await teller.clock.sleep(ms(10));
      await story(new TestServer(teller, api, store, loop)).catch((error: unknown) => {
        failed = error;
      });
      finished = true;
      loop.stop();
    });
    await forever();
  });
  await loop.run(seconds(7200));
  if (failed) throw failed;
  if (!finished) throw new Error('the story did not come to its end in two hours');
  return { loop, store };
}

export class TestServer {
  constructor(
    readonly self: Process,
    readonly api: ApiServer,
    readonly store: MvccStore,
    readonly loop: Loop,
  ) {}

  async call(method: ApiRequest['method'], url: string, body?: unknown, more: Partial<ApiRequest> = {}): Promise<ApiResponse & { body: Loose }> {
    const [path = '', search = ''] = url.split('?');
    const query: Record<string, string> = {};
    for (const pair of search.split('&').filter((part) => part !== '')) {
      const at = pair.indexOf('=');
      query[at < 0 ? pair : pair.slice(0, at)] = at < 0 ? '' : decode(pair.slice(at + 1));
    }
    const response = await this.api.handle({ method, path, query, headers: {}, body: body as Json, certificate: ADMIN, ...more });
    return response as ApiResponse & { body: Loose };
  }
  get = (url: string, more?: Partial<ApiRequest>) => this.call('GET', url, undefined, more);
  post = (url: string, body: unknown, more?: Partial<ApiRequest>) => this.call('POST', url, body, more);
  put = (url: string, body: unknown, more?: Partial<ApiRequest>) => this.call('PUT', url, body, more);
  delete = (url: string, body?: unknown, more?: Partial<ApiRequest>) => this.call('DELETE', url, body, more);
  patch = (url: string, body: unknown, type: 'merge' | 'json' | 'strategic' = 'strategic', more?: Partial<ApiRequest>) => {
    const types = { merge: 'application/merge-patch+json', json: 'application/json-patch+json', strategic: 'application/strategic-merge-patch+json' };
    return this.call('PATCH', url, body, { headers: { 'content-type': types[type] }, ...more });
  };

  /** Watches and collects; `texts` are `TYPE name`. */
  async watch(
    url: string,
    more?: Partial<ApiRequest>,
  ): Promise<{ events: WatchEvent<Loose>[]; texts: () => string[]; response: ApiResponse; ended: () => boolean }> {
    const response = await this.get(url, more);
    const events: WatchEvent<Loose>[] = [];
    let over = false;
    response.stream?.read({ value: (value) => events.push(value as WatchEvent), end: () => (over = true) });
    return { events, texts: () => events.map(({ type, object }) => `${type} ${object.metadata?.name ?? ''}`), response, ended: () => over };
  }

  sleep = (duration: number) => this.self.clock.sleep(duration);
}

const decode = (text: string): string =>
  text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))).replace(/\+/g, ' ');

export const pod = (name: string, more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image: 'nginx:1.27' }], ...more },
});
export const deployment = (name: string, replicas = 2): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'nginx:1.27' }] } },
  },
});
