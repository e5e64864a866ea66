/**
 * A client of the whole cluster (etcd client/v3): it talks to one member at a time, goes to the next when
 * that one cannot be reached, repeats what may safely be repeated, and keeps watches alive across members.
 *
 * Reads are repeated after any failure of the connection. A write is repeated only when the member says
 * was never sent; otherwise it may have happened, and the caller must look (clientv3's retry interceptor).
 *
 * Here simplified: gRPC's round robin takes the next member for every call; this client stays with one
 * for as long as that works, so that a story is easier to follow.
 */
import { type Duration, ms } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';
import {
  type EtcdClient,
  type EtcdEndpoint,
  EtcdError,
  type EtcdEvent,
  type EtcdServer,
  NOT_SENT,
  type TxnRequest,
  type WatchCreateRequest,
  type WatchResponse,
} from './api.ts';
import { isReadOnly } from './validate.ts';

/** clientv3: backoff between attempts 25 ms, jittered by half; 100 attempts. */
const BACKOFF: Duration = ms(25);
const ATTEMPTS = 100;

/** A client that can also ask what only single members answer. */
export interface EtcdClusterClient extends EtcdClient {
  /** Calls the member this client is at, others after failures. `safe`: the call may be repeated when it may have happened already. */
  call<T>(invoke: (server: EtcdServer) => Promise<T>, safe: boolean): Promise<T>;
}

export interface ClientOptions {
  /**
   * gRPC's `WaitForReady`, which clientv3 asks for: while there is nobody to connect to, a call waits instead of failing, and
   * only its own deadline ends it. Told of why the last connection failed.
   */
  readonly unready?: (endpoint: string, error: EtcdError) => void;
}

/** `failed` is told of every attempt that came to nothing. */
export function createEtcdClient(
  self: Process,
  endpoints: readonly EtcdEndpoint[],
  failed?: (endpoint: string, error: EtcdError, attempt: number) => void,
  options: ClientOptions = {},
): EtcdClusterClient {
  return new Client(self, endpoints, failed, options);
}

class Client implements EtcdClusterClient {
  private at: number;

  constructor(
    private readonly self: Process,
    private readonly endpoints: readonly EtcdEndpoint[],
    private readonly failed?: (endpoint: string, error: EtcdError, attempt: number) => void,
    private readonly options: ClientOptions = {},
  ) {
    if (endpoints.length === 0) throw new RangeError('etcdclient: no available endpoints');
    // Round robin from a random one, so that many clients spread over the members.
    this.at = self.rng.between(0, endpoints.length);
  }

  range(request: Parameters<EtcdClient['range']>[0]): ReturnType<EtcdClient['range']> {
    return this.call((server) => server.range(request), true);
  }
  put(request: Parameters<EtcdClient['put']>[0]): ReturnType<EtcdClient['put']> {
    return this.call((server) => server.put(request), false);
  }
  deleteRange(request: Parameters<EtcdClient['deleteRange']>[0]): ReturnType<EtcdClient['deleteRange']> {
    return this.call((server) => server.deleteRange(request), false);
  }
  txn(request: TxnRequest): ReturnType<EtcdClient['txn']> {
    return this.call((server) => server.txn(request), isReadOnly(request));
  }
  compact(request: Parameters<EtcdClient['compact']>[0]): ReturnType<EtcdClient['compact']> {
    return this.call((server) => server.compact(request), false);
  }
  leaseGrant(request: Parameters<EtcdClient['leaseGrant']>[0]): ReturnType<EtcdClient['leaseGrant']> {
    return this.call((server) => server.leaseGrant(request), false);
  }
  leaseRevoke(request: Parameters<EtcdClient['leaseRevoke']>[0]): ReturnType<EtcdClient['leaseRevoke']> {
    return this.call((server) => server.leaseRevoke(request), false);
  }
  leaseKeepAlive(request: Parameters<EtcdClient['leaseKeepAlive']>[0]): ReturnType<EtcdClient['leaseKeepAlive']> {
    return this.call((server) => server.leaseKeepAlive(request), true);
  }
  leaseTimeToLive(request: Parameters<EtcdClient['leaseTimeToLive']>[0]): ReturnType<EtcdClient['leaseTimeToLive']> {
    return this.call((server) => server.leaseTimeToLive(request), true);
  }

  watch(request: WatchCreateRequest, onResponse: (response: WatchResponse) => void): () => void {
    return new ResumedWatch(this, request, onResponse).start();
  }

  get current(): EtcdEndpoint {
    return this.endpoints[this.at]!;
  }

  /** Goes on to the next member, unless somebody already did. */
  leave(endpoint: EtcdEndpoint): void {
    if (this.current === endpoint) this.at = (this.at + 1) % this.endpoints.length;
  }

  /** How long to wait before another attempt: not at all until every member was tried once. */
  pause(attempt: number): Duration {
    if (attempt % this.endpoints.length !== 0) return 0;
    return ms(13) + this.self.rng.between(0, BACKOFF);
  }

  after(duration: Duration, callback: () => void): () => void {
    return this.self.clock.after(duration, callback);
  }

  async call<T>(invoke: (server: EtcdServer) => Promise<T>, safe: boolean): Promise<T> {
    let refused = 0;
    for (let attempt = 1; ; attempt++) {
      const endpoint = this.current;
      try {
        return await endpoint.call(invoke);
      } catch (error) {
        if (!(error instanceof EtcdError)) throw error;
        if (this.options.unready && error.message.startsWith(NOT_SENT)) {
          this.options.unready(endpoint.name, error);
          this.leave(endpoint);
          attempt--;
          // gRPC waits a second before it dials the same address again.
          if (++refused % this.endpoints.length === 0) await this.self.clock.sleep(ms(1_000));
          continue;
        }
        this.failed?.(endpoint.name, error, attempt - 1);
        if (error.code !== 'Unavailable') throw error;
        // A member that answered is healthy, but may have lost its cluster; another one may not have.
        this.leave(endpoint);
        const again = safe || error.message.startsWith(NOT_SENT);
        if (!again || attempt >= ATTEMPTS) throw error;
        const pause = this.pause(attempt);
        if (pause > 0) await this.self.clock.sleep(pause);
      }
    }
  }
}

/** One watch over all its members' lives: it goes on after the last revision it has seen, so nothing is lost and nothing comes twice. */
class ResumedWatch {
  private next: number;
  private cancel: (() => void) | undefined;
  private stopped = false;
  private attempt = 0;
  private generation = 0;
  /** Changes whose response is not complete yet. */
  private fragments: readonly EtcdEvent[] = [];

  constructor(
    private readonly client: Client,
    private readonly request: WatchCreateRequest,
    private readonly onResponse: (response: WatchResponse) => void,
  ) {
    this.next = request.startRevision ?? 0;
  }

  start(): () => void {
    this.open();
    return () => {
      this.stopped = true;
      this.cancel?.();
    };
  }

  private open(): void {
    if (this.stopped) return;
    const endpoint = this.client.current;
    const generation = ++this.generation;
    const mine = () => !this.stopped && generation === this.generation;
    let over = false;
    const cancel = endpoint.watch(
      this.next > 0 ? { ...this.request, startRevision: this.next } : this.request,
      (response) => {
        if (mine()) this.receive(response, endpoint);
        over ||= response.canceled ?? false;
      },
      () => {
        if (mine()) this.reopen(endpoint);
      },
    );
    if (mine() && !over) this.cancel = cancel;
  }

  private receive(part: WatchResponse, endpoint: EtcdEndpoint): void {
    if (part.fragment) {
      this.fragments = [...this.fragments, ...part.events];
      return;
    }
    const response = this.fragments.length === 0 ? part : { ...part, events: [...this.fragments, ...part.events] };
    this.fragments = [];
    if (response.canceled) {
      // The past that was asked for is gone, or is nobody's business here: only the caller can decide what to do.
      if (response.compactRevision || response.cancelReason?.startsWith('rpc error: ')) {
        this.stopped = true;
        this.onResponse(response);
      } else this.reopen(endpoint);
      return;
    }
    this.attempt = 0;
    if (response.created) {
      // A watch "from now on" has a beginning from here on, wherever it is resumed.
      if (this.next === 0) this.next = response.header.revision + 1;
      return;
    }
    // They come in order: where the first is news, all are.
    const { next } = this;
    const first = response.events[0];
    const events = first && first.kv.modRevision < next ? response.events.filter((event) => event.kv.modRevision >= next) : response.events;
    const last = events[events.length - 1];
    if (last) this.next = last.kv.modRevision + 1;
    // Everything up to the header's revision was delivered: a progress notification.
    else if (response.events.length === 0) this.next = Math.max(this.next, response.header.revision + 1);
    if (events.length > 0 || response.events.length === 0) this.onResponse(events === response.events ? response : { ...response, events });
  }

  private reopen(endpoint: EtcdEndpoint): void {
    this.generation++;
    // What came of a response that was cut short comes again.
    this.fragments = [];
    this.cancel = undefined;
    this.client.leave(endpoint);
    this.client.after(this.client.pause(++this.attempt), () => this.open());
  }
}
