/**
 * Objects in etcd: one key each, JSON text, written only if nobody else wrote in between
 * (upstream apiserver `pkg/storage/etcd3/store.go`).
 */
import { type Instant, seconds } from '../../sim/clock.ts';
import type { KubeObject } from '../api/meta.ts';
import type { EtcdClient, RangeResponse, RequestOp, TxnResponse } from '../etcd/api.ts';
import { failure } from './errors.ts';
import type { Stored } from './resource-cache.ts';
import { encode, remember } from './stored-text.ts';
import { REGISTRY, WatchCache } from './watch-cache.ts';

/** etcd's `--max-request-bytes`. */
const LARGEST_REQUEST = 1.5 * 1024 * 1024;
/** Upstream's lease manager shares one lease among the keys written within a minute, so as not to drown etcd in leases. */
const LEASE_SHARED_FOR = seconds(60);
const LEASE_SHARED_BY = 1_000;

/** Encryption at rest: how a resource's texts are kept in etcd. */
export interface Transformer {
  toStorage(key: string, text: string): string;
  /** Throws when no key fits. */
  fromStorage(key: string, value: string): string;
}

/** The outcome of a conditional write: done, or refused because the key is not as it was. */
export type Outcome = { readonly written: Stored } | { readonly found: Stored | undefined };

export class Storage {
  readonly cache: WatchCache;
  private lease = { id: 0, ttl: 0, until: 0, keys: 0 };

  constructor(
    private readonly etcd: EtcdClient,
    private readonly now: () => Instant,
    /** `--encryption-provider-config` */
    private readonly transformer?: Transformer,
  ) {
    this.cache = transformer
      ? new WatchCache(etcd, now, (value, key) => JSON.parse(transformer.fromStorage(key, value)) as KubeObject)
      : new WatchCache(etcd, now);
  }

  /** The latest state, linearizable. Rejects with EtcdError. */
  async get(key: string): Promise<Stored | undefined> {
    const { kvs } = await this.etcd.range({ key });
    return kvs[0] ? this.cache.readable(kvs[0]) : undefined;
  }

  /** A consistent page of keys under `prefix`, from `from` on, at `revision` (0: now). */
  range(prefix: string, from: string, limit: number, revision: number): Promise<RangeResponse> {
    return this.etcd.range({ key: from, rangeEnd: endOf(prefix), ...(limit > 0 ? { limit } : {}), ...(revision > 0 ? { revision } : {}) });
  }

  /** The store's revision now, linearizable: what a consistent list must have seen. */
  async revision(): Promise<number> {
    const { header } = await this.etcd.range({ key: REGISTRY, countOnly: true });
    return header.revision;
  }

  /** Writes a key that must not exist. `ttl` in seconds: it goes away by itself (Events). */
  create(key: string, object: KubeObject, ttl = 0): Promise<Outcome> {
    return ttl > 0 ? this.leaseFor(ttl).then((lease) => this.write(key, 0, object, lease)) : this.write(key, 0, object, 0);
  }

  /**
   * Writes many keys that must not exist, in one transaction (at most 128, etcd's `--max-txn-ops`). False when one of
   * them exists: then none was written.
   */
  async createAll(objects: readonly (readonly [key: string, object: KubeObject])[]): Promise<boolean> {
    const puts = objects.map(([key, object]) => ({ key, object, value: this.encode(key, object) }));
    for (const { value, object } of puts) this.cache.announce(value, object);
    let revision: number | undefined;
    try {
      const { succeeded, header } = await this.etcd.txn({
        compare: puts.map(({ key }) => ({ key, target: 'mod', result: '=', operand: 0 })),
        success: puts.map(({ key, value }) => ({ requestPut: { key, value } })),
        failure: [],
      });
      if (succeeded) revision = header.revision;
    } finally {
      for (const { key, value, object } of puts) this.cache.settle(key, value, object, revision);
    }
    return revision !== undefined;
  }

  /** Writes a key that must still be at `before`. */
  replace(key: string, before: Stored, object: KubeObject, lease = 0): Promise<Outcome> {
    return this.write(key, before.modRevision, object, lease);
  }

  /** Deletes a key that must still be at `before`. `written` is the last state, at the revision of the delete. */
  async remove(key: string, before: Stored): Promise<Outcome> {
    const { succeeded, responses, header } = await this.etcd.txn({
      compare: [{ key, target: 'mod', result: '=', operand: before.modRevision }],
      success: [{ requestDeleteRange: { key } }],
      failure: [{ requestRange: { key } }],
    });
    if (!succeeded) return { found: this.found(responses) };
    return { written: { ...before, modRevision: header.revision } };
  }

  private async write(key: string, expected: number, object: KubeObject, lease: number): Promise<Outcome> {
    const value = this.encode(key, object);
    if (value.length > LARGEST_REQUEST) throw failure(500, '', 'etcdserver: request is too large');
    this.cache.announce(value, object);
    const put: RequestOp = { requestPut: lease ? { key, value, lease } : { key, value } };
    let response: TxnResponse;
    try {
      response = await this.etcd.txn({
        compare: [{ key, target: 'mod', result: '=', operand: expected }],
        success: [put],
        failure: [{ requestRange: { key } }],
      });
    } catch (error) {
      this.cache.settle(key, value, object, undefined);
      throw error;
    }
    const written = this.cache.settle(key, value, object, response.succeeded ? response.header.revision : undefined);
    return written ? { written } : { found: this.found(response.responses) };
  }

  /** What etcd keeps of an object: its text, or that text encrypted. */
  private encode(key: string, object: KubeObject): string {
    const text = encode(object);
    const kept = this.transformer ? this.transformer.toStorage(key, text) : text;
    if (kept !== text) remember(kept, object);
    return kept;
  }

  private found(responses: TxnResponse['responses']): Stored | undefined {
    const first = responses[0];
    const kv = first && 'responseRange' in first ? first.responseRange.kvs[0] : undefined;
    return kv ? this.cache.stored(kv) : undefined;
  }

  private async leaseFor(ttl: number): Promise<number> {
    const now = this.now();
    const lease = this.lease;
    if (lease.ttl === ttl && now < lease.until && ++lease.keys < LEASE_SHARED_BY) return lease.id;
    // The lease outlives its first key's time so that the last key to share it gets its full time.
    const { id } = await this.etcd.leaseGrant({ ttl: ttl + LEASE_SHARED_FOR / 1_000_000 });
    this.lease = { id, ttl, until: now + LEASE_SHARED_FOR, keys: 1 };
    return id;
  }
}

/** The end of the range of all keys that begin with `prefix` (which ends in a slash). */
export const endOf = (prefix: string): string => prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
