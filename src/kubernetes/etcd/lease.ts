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
  /** Seconds it had left when that was last written down; absent: all of them. */
  readonly remaining?: number;
}

interface Lease extends Omit<LeaseState, 'remaining'> {
  readonly keys: Set<string>;
  /** Seconds, as written down; 0: all of them. */
  remaining: number;
  /** When what it has left is to be written down again; Infinity: not at all. */
  checkpointAt: number;
  /** Microseconds of virtual time; Infinity on members that do not lead. */
  expiry: number;
}

export class Lessor {
  private leases = new Map<number, Lease>();
  private byKey = new Map<string, number>();
  private primary = false;

  /**
   * `minTtl`: seconds a lease has at least, 1.5 election timeouts rounded up. `checkpointEvery`: microseconds after which the leader
   * writes down what long leases have left, so that a new leader does not give them their full time again
   * (`--experimental-enable-lease-checkpoint`: every five minutes; off by default).
   */
  constructor(
    private readonly minTtl = 2,
    private readonly checkpointEvery = Number.POSITIVE_INFINITY,
  ) {}

  /** No lease runs out before this instant. */
  nextExpiry = Number.POSITIVE_INFINITY;
  private nextCheckpoint = Number.POSITIVE_INFINITY;

  /** Throws EtcdError when the id is taken or the time too long. */
  grant(id: number, ttl: number, now: number): LeaseState {
    if (ttl > MAX_LEASE_TTL) throw new EtcdError('etcdserver: too large lease TTL', 'OutOfRange');
    if (this.leases.has(id)) throw new EtcdError('etcdserver: lease already exists', 'FailedPrecondition');
    const lease: Lease = {
      id,
      ttl: Math.max(ttl, this.minTtl),
      keys: new Set(),
      remaining: 0,
      checkpointAt: Number.POSITIVE_INFINITY,
      expiry: Number.POSITIVE_INFINITY,
    };
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

  /** This member leads from now on: every lease gets its full time again (or what was written down of it), and the time an election may have taken. */
  promote(now: number, grace: number): void {
    this.primary = true;
    this.nextExpiry = Number.POSITIVE_INFINITY;
    this.nextCheckpoint = Number.POSITIVE_INFINITY;
    for (const lease of this.leases.values()) this.extend(lease, now + grace, now);
  }

  demote(): void {
    if (!this.primary) return;
    this.primary = false;
    this.nextExpiry = Number.POSITIVE_INFINITY;
    this.nextCheckpoint = Number.POSITIVE_INFINITY;
    for (const lease of this.leases.values()) lease.checkpointAt = lease.expiry = Number.POSITIVE_INFINITY;
  }

  /** Starts a lease's time again. Only on the leader. Throws EtcdError. */
  renew(id: number, now: number): LeaseState {
    const lease = this.need(id);
    if (lease.expiry <= now) throw errors.leaseNotFound();
    lease.remaining = 0;
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

  /** What long leases have left, in seconds rounded up, of those whose time has come to write it down. Only on the leader. */
  checkpoints(now: number): readonly { readonly id: number; readonly remaining: number }[] {
    if (now < this.nextCheckpoint) return [];
    const out: { id: number; remaining: number }[] = [];
    this.nextCheckpoint = Number.POSITIVE_INFINITY;
    for (const lease of this.leases.values()) {
      if (lease.checkpointAt > now) {
        this.nextCheckpoint = Math.min(this.nextCheckpoint, lease.checkpointAt);
        continue;
      }
      // Scheduled anew when it has been applied.
      lease.checkpointAt = Number.POSITIVE_INFINITY;
      const remaining = Math.ceil((lease.expiry - now) / 1_000_000);
      if (remaining > 0 && remaining !== (lease.remaining || lease.ttl)) out.push({ id: lease.id, remaining });
    }
    return out;
  }

  /** Writes down what a lease has left; 0: all of its time, since it was renewed. One that is gone is passed over. */
  checkpoint(id: number, remaining: number, now: number): void {
    const lease = this.leases.get(id);
    if (!lease) return;
    lease.remaining = remaining;
    if (this.primary) this.schedule(lease, now);
  }

  /** Whether less than all of a lease's time is written down. */
  isCheckpointed(id: number): boolean {
    return (this.leases.get(id)?.remaining ?? 0) > 0;
  }

  isExpired(id: number, now: number): boolean {
    const lease = this.leases.get(id);
    return lease !== undefined && lease.expiry <= now;
  }

  image(): readonly LeaseState[] {
    return [...this.leases.values()].map(({ id, ttl, remaining }) => (remaining > 0 ? { id, ttl, remaining } : { id, ttl }));
  }

  /** Becomes the image; attachments are found in the keys themselves. */
  restore(leases: readonly LeaseState[], attached: Iterable<readonly [key: string, lease: number]>): void {
    this.leases = new Map(
      leases.map(({ id, ttl, remaining = 0 }) => [
        id,
        { id, ttl, remaining, keys: new Set(), checkpointAt: Number.POSITIVE_INFINITY, expiry: Number.POSITIVE_INFINITY },
      ]),
    );
    this.byKey = new Map();
    this.primary = false;
    this.nextExpiry = this.nextCheckpoint = Number.POSITIVE_INFINITY;
    for (const [key, id] of attached) this.attach(key, id);
  }

  /** `from`: when its time begins, which may be later than now. */
  private extend(lease: Lease, from: number, now = from): void {
    lease.expiry = from + (lease.remaining || lease.ttl) * 1_000_000;
    if (lease.expiry < this.nextExpiry) this.nextExpiry = lease.expiry;
    this.schedule(lease, now);
  }

  private schedule(lease: Lease, now: number): void {
    if ((lease.remaining || lease.ttl) * 1_000_000 <= this.checkpointEvery) return;
    lease.checkpointAt = now + this.checkpointEvery;
    this.nextCheckpoint = Math.min(this.nextCheckpoint, lease.checkpointAt);
  }

  private need(id: number): Lease {
    const lease = this.leases.get(id);
    if (!lease) throw errors.leaseNotFound();
    return lease;
  }
}
