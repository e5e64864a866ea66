/**
 * What a member answers to whoever looks after the cluster: the services Maintenance, Auth and Cluster (etcd server/etcdserver/
 * api/v3rpc/{maintenance,auth,member}.go). A file of its own, since a cluster runs without it until a person asks.
 */
import { seconds } from '../../sim/clock.ts';
import {
  type AuthAnswer,
  type AuthOperation,
  type AuthQuestion,
  EtcdError,
  type EtcdServer,
  type MembersResponse,
  type ResponseHeader,
  type StatusResponse,
} from './api.ts';
import type { Outcome } from './apply.ts';
import type { Auth } from './auth.ts';
import { makeAuth, openAuth } from './auth-door.ts';
import type { Operation } from './command.ts';
import type { Member } from './member.ts';
import { type MemberChange, type MemberRecord, memberErrors, memberId } from './membership.ts';
import type { Answer } from './proposals.ts';

/** What kubeadm 1.33 installs. */
const VERSION = '3.5.21';
/** How long a voter must have been connected to count in a membership change (HealthInterval). */
const HEALTH_INTERVAL = seconds(5);

type Done<T> = Extract<Outcome, T>;

/** What of the member's services a caller's request goes through. */
interface Door {
  /** Puts an operation through the log in the caller's name. */
  propose(operation: Operation): Promise<Answer>;
  /** Evaluates `read` once the leader has confirmed that this member is not behind. */
  confirmed<T>(read: () => T): Promise<T>;
}

export class Administration {
  constructor(
    private readonly member: Member,
    /** Who calls; empty: nobody has said. */
    private readonly user: string,
    private readonly door: Door,
  ) {}

  private get allowed(): Auth | undefined {
    return this.member.applier.auth;
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
    await openAuth(this.member.self);
    const { header } = await this.door.propose({ type: 'auth', operation });
    return { header };
  }

  /** Everybody may ask after themselves and the roles they have (etcd apply_auth.go). */
  async askAuth(question: AuthQuestion): Promise<AuthAnswer> {
    const { user } = this;
    await openAuth(this.member.self);
    return this.door.confirmed(() => {
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
    return linearizable ? this.door.confirmed(read) : read();
  }

  async memberAdd({ peerURLs, isLearner }: Parameters<EtcdServer['memberAdd']>[0]): Promise<MembersResponse> {
    this.allowed?.mayAdminister(this.user);
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
    this.allowed?.mayAdminister(this.user);
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
    this.allowed?.mayAdminister(this.user);
    const member = this.member.membership.find(id);
    if (!member) throw memberErrors.notFound();
    return this.change('update', { ...member, peerURLs });
  }

  async memberPromote({ id }: { readonly id: string }): Promise<MembersResponse> {
    this.allowed?.mayAdminister(this.user);
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
}

const quorum = (voters: number): number => Math.floor(voters / 2) + 1;
