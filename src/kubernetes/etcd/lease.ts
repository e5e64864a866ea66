/**
 * Leases: keys that live as long as somebody keeps saying so (etcd server/lease).
 *
 * Granting, revoking and attaching go through the log and are the same on every member. When a lease
 * runs out is decided by the leader alone, from its own clock, and is then revoked through the log; a
 * new leader extends every lease to its full time, so that none ends early.
 */
import { EtcdError } from './api.ts';
import { errors } from './mvcc.ts';

/** Seconds. */
export const MAX_LEASE_TTL = 9_000_000_000;

export interface LeaseState {
  readonly id: number;
  /** Seconds, as granted. */
  readonly ttl: number;
}

interface Lease extends LeaseState {
  readonly keys: Set<string>;
  /** Microseconds of virtual time; Infinity on members that do not lead. */
  expiry: number;
}

export class Lessor {
  private leases = new Map<number, Lease>();
  private byKey = new Map<string, number>();
  private primary = false;

  /** Seconds a lease has at least: 1.5 election timeouts, rounded up. */
  constructor(private readonly minTtl = 2) {}

  /** No lease runs out before this instant. */
  nextExpiry = Number.POSITIVE_INFINITY;

  /** Throws EtcdError when the id is taken or the time too long. */
  grant(id: number, ttl: number, now: number): LeaseState {
    if (ttl > MAX_LEASE_TTL) throw new EtcdError('etcdserver: too large lease TTL', 'OutOfRange');
    if (this.leases.has(id)) throw new EtcdError('etcdserver: lease already exists', 'FailedPrecondition');
    const lease: Lease = { id, ttl: Math.max(ttl, this.minTtl), keys: new Set(), expiry: Number.POSITIVE_INFINITY };
    this.leases.set(id, lease);
    if (this.primary) this.extend(lease, now);
    return lease;
  }

  has(id: number): boolean {
    return this.leases.has(id);
  }

  get(id: number): LeaseState | undefined {
    return this.leases.get(id);
  }

  list(): readonly LeaseState[] {
    return [...this.leases.values()];
  }

  /** Attached keys, in order. Throws EtcdError. */
  keysOf(id: number): readonly string[] {
    return [...this.need(id).keys].sort();
  }

  /** The lease a key hangs on; 0: none. */
  leaseOf(key: string): number {
    return this.byKey.get(key) ?? 0;
  }

  /** Forgets a lease; the caller deletes its keys, in one revision, in order. Throws EtcdError. */
  revoke(id: number): readonly string[] {
    const keys = this.keysOf(id);
    this.leases.delete(id);
    for (const key of keys) this.byKey.delete(key);
    return keys;
  }

  /** Hangs a key on a lease, or on none (0). */
  attach(key: string, id: number): void {
    const before = this.byKey.get(key);
    if (before === undefined && id === 0) return;
    if (before !== undefined) this.leases.get(before)?.keys.delete(key);
    if (id === 0) this.byKey.delete(key);
    else {
      this.leases.get(id)?.keys.add(key);
      this.byKey.set(key, id);
    }
  }

  /** This member leads from now on: every lease gets its full time again, and the time an election may have taken. */
  promote(now: number, grace: number): void {
    this.primary = true;
    this.nextExpiry = Number.POSITIVE_INFINITY;
    for (const lease of this.leases.values()) this.extend(lease, now + grace);
  }

  demote(): void {
    if (!this.primary) return;
    this.primary = false;
    this.nextExpiry = Number.POSITIVE_INFINITY;
    for (const lease of this.leases.values()) lease.expiry = Number.POSITIVE_INFINITY;
  }

  /** Starts a lease's time again. Only on the leader. Throws EtcdError. */
  renew(id: number, now: number): LeaseState {
    const lease = this.need(id);
    if (lease.expiry <= now) throw errors.leaseNotFound();
    this.extend(lease, now);
    return lease;
  }

  /** Whole seconds left, rounded down. Throws EtcdError. */
  remaining(id: number, now: number): number {
    return Math.max(0, Math.floor((this.need(id).expiry - now) / 1_000_000));
  }

  /** Leases that have run out; at most `limit` (etcd revokes 1000 a second). */
  expired(now: number, limit = 500): readonly number[] {
    if (now < this.nextExpiry) return [];
    const out: number[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const lease of this.leases.values()) {
      if (lease.expiry <= now && out.length < limit) out.push(lease.id);
      else if (lease.expiry < next) next = lease.expiry;
    }
    // The revocation goes through the log and may be lost with a leader: look again in 3 s, as etcd does.
    this.nextExpiry = Math.min(next, out.length > 0 ? now + 3_000_000 : next);
    return out;
  }

  isExpired(id: number, now: number): boolean {
    const lease = this.leases.get(id);
    return lease !== undefined && lease.expiry <= now;
  }

  image(): readonly LeaseState[] {
    return [...this.leases.values()].map(({ id, ttl }) => ({ id, ttl }));
  }

  /** Becomes the image; attachments are found in the keys themselves. */
  restore(leases: readonly LeaseState[], attached: Iterable<readonly [key: string, lease: number]>): void {
    this.leases = new Map(leases.map(({ id, ttl }) => [id, { id, ttl, keys: new Set(), expiry: Number.POSITIVE_INFINITY }]));
    this.byKey = new Map();
    this.primary = false;
    this.nextExpiry = Number.POSITIVE_INFINITY;
    for (const [key, id] of attached) this.attach(key, id);
  }

  private extend(lease: Lease, now: number): void {
    lease.expiry = now + lease.ttl * 1_000_000;
    if (lease.expiry < this.nextExpiry) this.nextExpiry = lease.expiry;
  }

  private need(id: number): Lease {
    const lease = this.leases.get(id);
    if (!lease) throw errors.leaseNotFound();
    return lease;
  }
}
