/**
 * What a member answers to clients (etcd server/etcdserver/v3_server.go and api/v3rpc): writes go through
 * the log, reads are confirmed by the leader unless the client takes what this member has.
 */
import { defer } from '../../sim/mailbox.ts';
import type { Administration } from './administration.ts';
import {
  type AlarmType,
  type EtcdClient,
  EtcdError,
  type EtcdServer,
  type RangeRequest,
  type RangeResponse,
  type ResponseHeader,
  type TxnRequest,
  type TxnResponse,
  type WatchCreateRequest,
  type WatchResponse,
} from './api.ts';
import { grows, type Outcome, rangeResponse } from './apply.ts';
import type { Auth } from './auth.ts';
import type { Operation } from './command.ts';
import type { Member } from './member.ts';
import { errors } from './mvcc.ts';
import type { Answer } from './proposals.ts';
import { checkDelete, checkPut, checkRange, checkTxn, isReadOnly, isSerializable } from './validate.ts';

/** `--quota-backend-bytes`. */
const DEFAULT_QUOTA = 2 * 1024 * 1024 * 1024;

export function createServer(member: Member): EtcdServer {
  return new Server(member);
}

type Done<T> = Extract<Outcome, T>;

class Server implements EtcdServer {
  constructor(
    private readonly member: Member,
    /** Who calls; empty: nobody has said. Asked for only while authentication is on. */
    private readonly user = '',
  ) {}

  as(user: string, password: string): EtcdServer {
    if (!this.allowed) throw new EtcdError('etcdserver: authentication is not enabled', 'FailedPrecondition');
    this.allowed.authenticate(user, password);
    return new Server(this.member, user);
  }

  private get allowed(): Auth | undefined {
    return this.member.applier.auth;
  }

  async range(request: RangeRequest): Promise<RangeResponse> {
    checkRange(request);
    if (!request.serializable) this.mustBeVoter();
    const read = () => {
      this.allowed?.mayRead(this.user, request.key, request.rangeEnd);
      return rangeResponse(this.member.store.range(request), this.member.header());
    };
    return request.serializable ? read() : this.confirmed(read);
  }

  async put(request: Parameters<EtcdClient['put']>[0]): ReturnType<EtcdClient['put']> {
    checkPut(request);
    this.mustBeVoter();
    this.mustHaveRoom(request.key.length + request.value.length);
    const { header, outcome } = await this.propose({ type: 'put', request });
    return { header, ...(outcome as Done<object>) };
  }

  async deleteRange(request: Parameters<EtcdClient['deleteRange']>[0]): ReturnType<EtcdClient['deleteRange']> {
    checkDelete(request);
    this.mustBeVoter();
    const { header, outcome } = await this.propose({ type: 'delete', request });
    return { header, ...(outcome as Done<{ deleted: number }>) };
  }

  async txn(request: TxnRequest): Promise<TxnResponse> {
    checkTxn(request);
    if (!isSerializable(request) || !isReadOnly(request)) this.mustBeVoter();
    if (grows({ type: 'txn', request })) this.mustHaveRoom(0);
    if (isReadOnly(request)) {
      const read = () => {
        this.allowed?.mayTxn(this.user, request);
        return { header: this.member.header(), ...this.member.applier.read(request) };
      };
      return isSerializable(request) ? read() : this.confirmed(read);
    }
    const { header, outcome } = await this.propose({ type: 'txn', request });
    return { header, ...(outcome as Done<{ succeeded: boolean }>) };
  }

  async compact({ revision }: Parameters<EtcdClient['compact']>[0]): ReturnType<EtcdClient['compact']> {
    const { header } = await this.propose({ type: 'compact', revision });
    return { header };
  }

  async leaseGrant({ ttl, id }: Parameters<EtcdClient['leaseGrant']>[0]): ReturnType<EtcdClient['leaseGrant']> {
    this.mustBeVoter();
    this.mustHaveRoom(0);
    const { header, outcome } = await this.propose({ type: 'grant', lease: id || this.member.nextId(), ttl });
    return { header, ...(outcome as Done<{ id: number }>) };
  }

  async leaseRevoke({ id }: Parameters<EtcdClient['leaseRevoke']>[0]): ReturnType<EtcdClient['leaseRevoke']> {
    const { header } = await this.propose({ type: 'revoke', lease: id });
    return { header };
  }

  async leaseKeepAlive({ id }: Parameters<EtcdClient['leaseKeepAlive']>[0]): ReturnType<EtcdClient['leaseKeepAlive']> {
    const ttl = await this.member.leader.renew(id);
    return { header: this.member.header(), id, ttl };
  }

  async leaseTimeToLive({ id, keys }: Parameters<EtcdClient['leaseTimeToLive']>[0]): ReturnType<EtcdClient['leaseTimeToLive']> {
    const ttl = await this.member.leader.remaining(id);
    const { lessor } = this.member;
    const state = ttl < 0 ? undefined : lessor.get(id);
    if (keys && state && this.allowed?.enabled) for (const key of lessor.keysOf(id)) this.allowed?.mayRead(this.user, key, undefined);
    return { header: this.member.header(), id, ttl, grantedTtl: state?.ttl ?? 0, keys: keys && state ? lessor.keysOf(id) : [] };
  }

  watch(request: WatchCreateRequest, onResponse: (response: WatchResponse) => void): () => void {
    if (this.member.raft.lead === 0) {
      onResponse({ header: this.member.header(), events: [], canceled: true, cancelReason: 'etcdserver: no leader' });
      return () => {};
    }
    try {
      if (this.allowed?.enabled && request.as) this.allowed.authenticate(request.as.user, request.as.password);
      this.allowed?.mayRead(request.as?.user ?? '', request.key, request.rangeEnd);
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      onResponse({ header: this.member.header(), events: [], canceled: true, cancelReason: `rpc error: code = ${error.code} desc = ${error.message}` });
      return () => {};
    }
    onResponse({ header: this.member.header(), events: [], created: true });
    return this.member.hub.watch(request, onResponse);
  }

  async watchProgress(): Promise<ResponseHeader> {
    return this.member.header();
  }

  async leases(): Promise<{ readonly header: ResponseHeader; readonly ids: readonly number[] }> {
    return { header: this.member.header(), ids: this.member.lessor.list().map(({ id }) => id) };
  }

  // ---- Maintenance, Auth, Cluster: asked for by people, and brought in when the first of them asks ----

  private async office(): Promise<Administration> {
    const { Administration } = await this.member.self.outside(import('./administration.ts'));
    return new Administration(this.member, this.user, {
      propose: (operation) => this.propose(operation),
      confirmed: (read) => this.confirmed(read),
    });
  }

  async status(): ReturnType<EtcdServer['status']> {
    return (await this.office()).status();
  }
  async alarm(request: Parameters<EtcdServer['alarm']>[0]): ReturnType<EtcdServer['alarm']> {
    return (await this.office()).alarm(request);
  }
  async snapshot(): ReturnType<EtcdServer['snapshot']> {
    return (await this.office()).snapshot();
  }
  async defragment(): ReturnType<EtcdServer['defragment']> {
    return (await this.office()).defragment();
  }
  async hashKv(request: Parameters<EtcdServer['hashKv']>[0]): ReturnType<EtcdServer['hashKv']> {
    return (await this.office()).hashKv(request);
  }
  async moveLeader(request: Parameters<EtcdServer['moveLeader']>[0]): ReturnType<EtcdServer['moveLeader']> {
    return (await this.office()).moveLeader(request);
  }
  async auth(request: Parameters<EtcdServer['auth']>[0]): ReturnType<EtcdServer['auth']> {
    return (await this.office()).auth(request);
  }
  async askAuth(request: Parameters<EtcdServer['askAuth']>[0]): ReturnType<EtcdServer['askAuth']> {
    return (await this.office()).askAuth(request);
  }
  async memberList(request: Parameters<EtcdServer['memberList']>[0]): ReturnType<EtcdServer['memberList']> {
    return (await this.office()).memberList(request);
  }
  async memberAdd(request: Parameters<EtcdServer['memberAdd']>[0]): ReturnType<EtcdServer['memberAdd']> {
    return (await this.office()).memberAdd(request);
  }
  async memberRemove(request: Parameters<EtcdServer['memberRemove']>[0]): ReturnType<EtcdServer['memberRemove']> {
    return (await this.office()).memberRemove(request);
  }
  async memberUpdate(request: Parameters<EtcdServer['memberUpdate']>[0]): ReturnType<EtcdServer['memberUpdate']> {
    return (await this.office()).memberUpdate(request);
  }
  async memberPromote(request: Parameters<EtcdServer['memberPromote']>[0]): ReturnType<EtcdServer['memberPromote']> {
    return (await this.office()).memberPromote(request);
  }

  // ---- what is refused at once ----

  private mustBeVoter(): void {
    if (this.member.membership.get(this.member.id)?.isLearner) throw new EtcdError('etcdserver: rpc not supported for learner', 'Unavailable');
  }

  /** Past its quota the backend takes no more, and everybody is told (api/v3rpc/quota.go). Throws EtcdError. */
  private mustHaveRoom(bytes: number): void {
    const { store, options, memberId: own, applier } = this.member;
    if (store.backend.size + bytes < (options.quotaBytes ?? DEFAULT_QUOTA)) return;
    const alarm: AlarmType = 'NOSPACE';
    if (!applier.alarms.some((each) => each.memberId === own && each.alarm === alarm))
      this.member.propose({ type: 'alarm', on: true, alarm: { memberId: own, alarm } }).catch(() => {});
    throw errors.noSpace();
  }

  /** Puts an operation through the log in the caller's name: whether it may is seen when it is applied, and not before. */
  private propose(operation: Operation): Promise<Answer> {
    const { allowed, user } = this;
    return this.member.propose(operation, undefined, allowed && { user, revision: user === '' ? 0 : allowed.revision });
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
