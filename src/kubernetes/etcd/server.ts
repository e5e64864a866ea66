/**
 * What a member answers to clients (etcd server/etcdserver/v3_server.go and api/v3rpc): writes go through
 * the log, reads are confirmed by the leader unless the client takes what this member has.
 */

import { defer } from '../../sim/mailbox.ts';
import {
  type EtcdClient,
  EtcdError,
  type RangeRequest,
  type RangeResponse,
  type TxnRequest,
  type TxnResponse,
  type WatchCreateRequest,
  type WatchResponse,
} from './api.ts';
import { type Outcome, rangeResponse } from './apply.ts';
import type { Member } from './member.ts';
import { checkDelete, checkPut, checkRange, checkTxn, isReadOnly, isSerializable } from './validate.ts';

export interface EndpointStatus {
  readonly name: string;
  readonly memberId: string;
  /** `3.5.x` as `etcdctl endpoint status` prints it. */
  readonly version: string;
  readonly leader: string;
  readonly isLeader: boolean;
  readonly raftTerm: number;
  readonly raftIndex: number;
  readonly raftAppliedIndex: number;
  readonly errors: readonly string[];
}

/** The same calls as a client's, to one member, with no time on the way. */
export interface EtcdServer extends EtcdClient {
  /** A member that has no leader ends its watches with `etcdserver: no leader`, as for a client that requires one. */
  watch(request: WatchCreateRequest, onResponse: (response: WatchResponse) => void): () => void;
  endpointStatus(): EndpointStatus;
  /** Hands leadership over; only the leader can. Rejects with EtcdError. */
  moveLeader(to: number): Promise<void>;
}

export function createServer(member: Member): EtcdServer {
  return new Server(member);
}

type Done<T> = Extract<Outcome, T>;

class Server implements EtcdServer {
  constructor(private readonly member: Member) {}

  async range(request: RangeRequest): Promise<RangeResponse> {
    checkRange(request);
    const read = () => rangeResponse(this.member.store.range(request), this.member.header());
    return request.serializable ? read() : this.confirmed(read);
  }

  async put(request: Parameters<EtcdClient['put']>[0]): ReturnType<EtcdClient['put']> {
    checkPut(request);
    const { header, outcome } = await this.member.propose({ type: 'put', request });
    return { header, ...(outcome as Done<object>) };
  }

  async deleteRange(request: Parameters<EtcdClient['deleteRange']>[0]): ReturnType<EtcdClient['deleteRange']> {
    checkDelete(request);
    const { header, outcome } = await this.member.propose({ type: 'delete', request });
    return { header, ...(outcome as Done<{ deleted: number }>) };
  }

  async txn(request: TxnRequest): Promise<TxnResponse> {
    checkTxn(request);
    if (isReadOnly(request)) {
      const read = () => ({ header: this.member.header(), ...this.member.applier.read(request) });
      return isSerializable(request) ? read() : this.confirmed(read);
    }
    const { header, outcome } = await this.member.propose({ type: 'txn', request });
    return { header, ...(outcome as Done<{ succeeded: boolean }>) };
  }

  async compact({ revision }: Parameters<EtcdClient['compact']>[0]): ReturnType<EtcdClient['compact']> {
    const { header } = await this.member.propose({ type: 'compact', revision });
    return { header };
  }

  async leaseGrant({ ttl, id }: Parameters<EtcdClient['leaseGrant']>[0]): ReturnType<EtcdClient['leaseGrant']> {
    const { header, outcome } = await this.member.propose({ type: 'grant', lease: id || this.member.nextId(), ttl });
    return { header, ...(outcome as Done<{ id: number }>) };
  }

  async leaseRevoke({ id }: Parameters<EtcdClient['leaseRevoke']>[0]): ReturnType<EtcdClient['leaseRevoke']> {
    const { header } = await this.member.propose({ type: 'revoke', lease: id });
    return { header };
  }

  async leaseKeepAlive({ id }: Parameters<EtcdClient['leaseKeepAlive']>[0]): ReturnType<EtcdClient['leaseKeepAlive']> {
    const ttl = await this.member.leases.renew(id);
    return { header: this.member.header(), id, ttl };
  }

  async leaseTimeToLive({ id, keys }: Parameters<EtcdClient['leaseTimeToLive']>[0]): ReturnType<EtcdClient['leaseTimeToLive']> {
    const ttl = await this.member.leases.remaining(id);
    const { lessor } = this.member;
    const state = ttl < 0 ? undefined : lessor.get(id);
    return { header: this.member.header(), id, ttl, grantedTtl: state?.ttl ?? 0, keys: keys && state ? lessor.keysOf(id) : [] };
  }

  watch(request: WatchCreateRequest, onResponse: (response: WatchResponse) => void): () => void {
    if (this.member.raft.lead === 0) {
      onResponse({ header: this.member.header(), events: [], canceled: true, cancelReason: 'etcdserver: no leader' });
      return () => {};
    }
    onResponse({ header: this.member.header(), events: [], created: true });
    return this.member.hub.watch(request, onResponse);
  }

  endpointStatus(): EndpointStatus {
    const { raft, name, id } = this.member;
    const { applied } = this.member.status();
    return {
      name,
      memberId: String(id),
      version: '3.5.21',
      leader: this.member.nameOf(raft.lead),
      isLeader: raft.role === 'Leader',
      raftTerm: raft.term,
      raftIndex: raft.log.committed,
      raftAppliedIndex: applied,
      errors: raft.lead === 0 ? ['etcdserver: no leader'] : [],
    };
  }

  async moveLeader(to: number): Promise<void> {
    const { raft, self } = this.member;
    if (raft.role !== 'Leader') throw new EtcdError('etcdserver: not leader', 'FailedPrecondition');
    const progress = raft.progress(to);
    if (!progress || progress.learner) throw new EtcdError('etcdserver: bad leader transferee', 'FailedPrecondition');
    if (to === this.member.id) return;
    raft.transferLeader(to);
    this.member.drain();
    // etcd looks every tick until the transfer is seen, for as long as a request may take.
    for (let waited = 0; waited < 70; waited++) {
      if (raft.lead === to) return;
      await self.clock.sleep(100_000);
    }
    throw new EtcdError('etcdserver: request timed out, leader transfer took too long', 'Unavailable');
  }

  /** Evaluates `read` once the leader has confirmed that this member is not behind. */
  private confirmed<T>(read: () => T): Promise<T> {
    const answer = defer<T>(this.member.self.clock);
    this.member.reads.add(
      () => {
        try {
          answer.resolve(read());
        } catch (error) {
          answer.reject(error as Error);
        }
      },
      (error) => answer.reject(error),
    );
    return answer.promise;
  }
}
