/**
 * What a member answers to clients (etcd server/etcdserver/v3_server.go and api/v3rpc): writes go through
 * the log, reads are confirmed by the leader unless the client takes what this member has.
 */
import { seconds } from '../../sim/clock.ts';
import { defer } from '../../sim/mailbox.ts';
import {
  type AlarmType,
  type AuthAnswer,
  type AuthOperation,
  type AuthQuestion,
  type EtcdClient,
  EtcdError,
  type EtcdServer,
  type MembersResponse,
  type RangeRequest,
  type RangeResponse,
  type ResponseHeader,
  type StatusResponse,
  type TxnRequest,
  type TxnResponse,
  type WatchCreateRequest,
  type WatchResponse,
} from './api.ts';
import { grows, type Outcome, rangeResponse } from './apply.ts';
import type { Auth } from './auth.ts';
import { makeAuth, openAuth } from './auth-door.ts';
import type { Member } from './member.ts';
import { type MemberChange, type MemberRecord, memberErrors, memberId } from './membership.ts';
import { errors } from './mvcc.ts';
import { checkDelete, checkPut, checkRange, checkTxn, isReadOnly, isSerializable } from './validate.ts';

/** What kubeadm 1.33 installs. */
const VERSION = '3.5.21';
/** `--quota-backend-bytes`. */
const DEFAULT_QUOTA = 2 * 1024 * 1024 * 1024;
/** How long a voter must have been connected to count in a membership change (HealthInterval). */
const HEALTH_INTERVAL = seconds(5);

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
    this.allowed?.mayRead(this.user, request.key, request.rangeEnd);
    if (!request.serializable) this.mustBeVoter();
    const read = () => rangeResponse(this.member.store.range(request), this.member.header());
    return request.serializable ? read() : this.confirmed(read);
  }

  async put(request: Parameters<EtcdClient['put']>[0]): ReturnType<EtcdClient['put']> {
    checkPut(request);
    this.mustBeVoter();
    this.allowed?.mayTxn(this.user, { compare: [], success: [{ requestPut: request }], failure: [] });
    this.mustHaveRoom(request.key.length + request.value.length);
    const { header, outcome } = await this.member.propose({ type: 'put', request });
    return { header, ...(outcome as Done<object>) };
  }

  async deleteRange(request: Parameters<EtcdClient['deleteRange']>[0]): ReturnType<EtcdClient['deleteRange']> {
    checkDelete(request);
    this.mustBeVoter();
    this.allowed?.mayTxn(this.user, { compare: [], success: [{ requestDeleteRange: request }], failure: [] });
    const { header, outcome } = await this.member.propose({ type: 'delete', request });
    return { header, ...(outcome as Done<{ deleted: number }>) };
  }

  async txn(request: TxnRequest): Promise<TxnResponse> {
    checkTxn(request);
    this.allowed?.mayTxn(this.user, request);
    if (!isSerializable(request) || !isReadOnly(request)) this.mustBeVoter();
    if (grows({ type: 'txn', request })) this.mustHaveRoom(0);
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
    this.mustBeVoter();
    this.mustHaveRoom(0);
    const { header, outcome } = await this.member.propose({ type: 'grant', lease: id || this.member.nextId(), ttl });
    return { header, ...(outcome as Done<{ id: number }>) };
  }

  async leaseRevoke({ id }: Parameters<EtcdClient['leaseRevoke']>[0]): ReturnType<EtcdClient['leaseRevoke']> {
    if (this.allowed?.enabled && this.member.lessor.has(id)) for (const key of this.member.lessor.keysOf(id)) this.allowed?.mayWrite(this.user, key);
    const { header } = await this.member.propose({ type: 'revoke', lease: id });
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
      onResponse({ header: this.member.header(), events: [], canceled: true, cancelReason: 'etcdserver: permission denied' });
      return () => {};
    }
    onResponse({ header: this.member.header(), events: [], created: true });
    return this.member.hub.watch(request, onResponse);
  }

  async leases(): Promise<{ readonly header: ResponseHeader; readonly ids: readonly number[] }> {
    return { header: this.member.header(), ids: this.member.lessor.list().map(({ id }) => id) };
  }

  // ---- Maintenance ----

  async status(): Promise<StatusResponse> {
    const { raft, store, membership, applier, id } = this.member;
    const { applied } = this.member.status();
    const alarms = applier.alarms.map((each) => `memberID:${each.memberId} alarm:${each.alarm} `);
    return {
      header: this.member.header(),
      version: VERSION,
      dbSize: store.backend.size,
      dbSizeInUse: store.backend.inUse,
      leader: membership.get(raft.lead)?.id ?? '0',
      raftIndex: raft.log.committed,
      raftTerm: raft.term,
      raftAppliedIndex: applied,
      errors: raft.lead === 0 ? ['etcdserver: no leader', ...alarms] : alarms,
      isLearner: membership.get(id)?.isLearner ?? false,
    };
  }

  async alarm({ action, memberId, alarm }: Parameters<EtcdServer['alarm']>[0]): ReturnType<EtcdServer['alarm']> {
    if (action === 'GET') {
      const alarms = this.member.applier.alarms.filter(
        (each) => (memberId === '0' || each.memberId === memberId) && (alarm === 'NONE' || each.alarm === alarm),
      );
      return { header: this.member.header(), alarms };
    }
    const { header, outcome } = await this.member.propose({ type: 'alarm', on: action === 'ACTIVATE', alarm: { memberId, alarm } });
    return { header, alarms: (outcome as Done<{ readonly alarms: unknown }>).alarms };
  }

  async snapshot(): Promise<{ readonly header: ResponseHeader; readonly text: string }> {
    this.allowed?.mayAdminister(this.user);
    const { writeSnapshot } = await this.member.self.outside(import('./snapshot-file.ts'));
    const { store, leases, auth } = this.member.image();
    return { header: this.member.header(), text: writeSnapshot({ store, leases, auth }) };
  }

  async defragment(): Promise<{ readonly header: ResponseHeader }> {
    this.allowed?.mayAdminister(this.user);
    const { store, self } = this.member;
    // Reading and writing what is in use; the member serves nothing meanwhile. Here simplified: it only answers later.
    await self.clock.sleep(Math.ceil(store.backend.inUse / 100) + 1_000);
    store.backend.defragment();
    return { header: this.member.header() };
  }

  async hashKv({ revision }: { readonly revision: number }): ReturnType<EtcdServer['hashKv']> {
    this.allowed?.mayAdminister(this.user);
    const { store } = this.member;
    return { header: this.member.header(), hash: store.hash(revision), compactRevision: store.compacted };
  }

  async moveLeader({ targetId }: { readonly targetId: string }): Promise<{ readonly header: ResponseHeader }> {
    const { raft, self, membership, id } = this.member;
    if (raft.role !== 'Leader') throw new EtcdError('etcdserver: not leader', 'FailedPrecondition');
    const target = membership.find(targetId);
    if (!target || target.isLearner) throw new EtcdError('etcdserver: bad leader transferee', 'FailedPrecondition');
    const to = target.raftId;
    if (to === id) return { header: this.member.header() };
    raft.transferLeader(to);
    this.member.drain();
    // etcd looks every tick until the transfer is seen, for as long as a request may take.
    for (let waited = 0; waited < 70; waited++) {
      if (raft.lead === to) return { header: this.member.header() };
      await self.clock.sleep(100_000);
    }
    throw new EtcdError('etcdserver: request timed out, leader transfer took too long', 'Unavailable');
  }

  // ---- Auth ----

  async auth(operation: AuthOperation): Promise<{ readonly header: ResponseHeader }> {
    this.allowed?.mayAdminister(this.user);
    await openAuth(this.member.self);
    const { header } = await this.member.propose({ type: 'auth', operation });
    return { header };
  }

  /** Everybody may ask after themselves and the roles they have (etcd apply_auth.go). */
  async askAuth(question: AuthQuestion): Promise<AuthAnswer> {
    const { user } = this;
    await openAuth(this.member.self);
    return this.confirmed(() => {
      const allowed = this.allowed ?? makeAuth();
      const own =
        (question.what === 'user' && question.name === user) || (question.what === 'role' && user !== '' && allowed.userRoles(user).includes(question.role));
      if (!own) allowed.mayAdminister(user);
      const answer = {
        header: this.member.header(),
        enabled: allowed.enabled,
        revision: allowed.revision,
        names: [] as readonly string[],
        permissions: [] as const,
      };
      switch (question.what) {
        case 'status':
          return answer;
        case 'users':
          return { ...answer, names: allowed.userNames() };
        case 'roles':
          return { ...answer, names: allowed.roleNames() };
        case 'user':
          return { ...answer, names: allowed.userRoles(question.name) };
        case 'role':
          return { ...answer, permissions: allowed.rolePermissions(question.role) };
      }
    });
  }

  // ---- Cluster ----

  async memberList({ linearizable }: { readonly linearizable: boolean }): Promise<MembersResponse> {
    const read = (): MembersResponse => ({ header: this.clusterHeader(), members: this.member.membership.list() });
    return linearizable ? this.confirmed(read) : read();
  }

  async memberAdd({ peerURLs, isLearner }: Parameters<EtcdServer['memberAdd']>[0]): Promise<MembersResponse> {
    const { membership } = this.member;
    const raftId = membership.nextRaftId();
    const id = memberId(peerURLs, this.member.self.clock.now() & 0x7fffffff);
    const member: MemberRecord = { raftId, id, name: '', peerURLs, clientURLs: [], isLearner };
    if (!isLearner) {
      // A cluster of one may always grow; otherwise the larger cluster must have a quorum of members that run (cluster.go, IsReadyToAddVotingMember).
      const voters = membership.voters();
      const started = voters.filter(({ name }) => name !== '').length;
      if (!(started === 1 && voters.length === 1) && started < quorum(voters.length + 1)) throw memberErrors.notEnoughStarted();
      if (!this.connected(voters).every(Boolean)) throw memberErrors.unhealthy();
    }
    return this.change('add', member);
  }

  async memberRemove({ id }: { readonly id: string }): Promise<MembersResponse> {
    const { membership } = this.member;
    const member = membership.find(id);
    if (!member) throw memberErrors.notFound();
    if (!member.isLearner) {
      const left = membership.voters().filter((each) => each.id !== id);
      const started = left.filter(({ name }) => name !== '').length;
      // Not-yet-started members can always be removed, unless too few started ones would remain.
      if (left.length > 0 && started < quorum(left.length)) throw memberErrors.notEnoughStarted();
      // Downed members can be removed whenever those that run still have a quorum among themselves.
      const all = membership.voters();
      const reachable = this.connected(all);
      const running = reachable.filter(Boolean).length;
      const wasRunning = reachable[all.findIndex((each) => each.id === id)];
      if (wasRunning && running - 1 < quorum(all.length - 1)) throw memberErrors.unhealthy();
    }
    return this.change('remove', member);
  }

  async memberUpdate({ id, peerURLs }: Parameters<EtcdServer['memberUpdate']>[0]): Promise<MembersResponse> {
    const member = this.member.membership.find(id);
    if (!member) throw memberErrors.notFound();
    return this.change('update', { ...member, peerURLs });
  }

  async memberPromote({ id }: { readonly id: string }): Promise<MembersResponse> {
    const { membership, leader } = this.member;
    const member = membership.find(id);
    if (!member) throw memberErrors.notFound();
    if (!member.isLearner) throw memberErrors.notLearner();
    if (!(await leader.inSync(member.raftId))) throw memberErrors.notInSync();
    const voters = membership.voters();
    if (voters.filter(({ name }) => name !== '').length + 1 < quorum(voters.length + 1)) throw memberErrors.notEnoughStarted();
    return this.change('promote', member);
  }

  private async change(action: MemberChange['action'], member: MemberRecord): Promise<MembersResponse> {
    this.allowed?.mayAdminister(this.user);
    this.member.membership.check({ action, request: 0, cause: 0, member });
    const { outcome } = await this.member.proposals.change(action, member);
    const { members, member: after } = outcome as Done<{ readonly members: unknown }>;
    return { header: this.clusterHeader(), members, ...(after ? { member: after } : {}) };
  }

  /** Answers about members carry no revision (api/v3rpc/member.go). */
  private clusterHeader(): ResponseHeader {
    return { ...this.member.header(), revision: 0 };
  }

  /** For each member, whether it has been connected to this one for long enough to be counted on. */
  private connected(members: readonly MemberRecord[]): boolean[] {
    const { options, self, id } = this.member;
    const now = self.clock.now();
    return members.map(({ raftId, peerURLs }) => {
      if (raftId === id || !options.connectedSince) return true;
      const since = options.connectedSince(peerURLs[0]!);
      return since !== undefined && now - since >= HEALTH_INTERVAL;
    });
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

const quorum = (voters: number): number => Math.floor(voters / 2) + 1;
