/**
 * A member of an etcd cluster: the keeper of the pure Raft. It gives it ticks and messages, carries out
 * what `ready()` asks for (write, sync, send, apply), and answers whoever waits (etcd
 * server/etcdserver/raft.go and server.go).
 *
 * The rule everything here serves: an acknowledgement or a vote leaves only after what it promises is on
 * disk. A leader's appends promise nothing and leave while its own disk still works (thesis 10.2.1).
 *
 * Heartbeats every 100 ms, elections after 1 to 2 s without one, PreVote and CheckQuorum on: etcd 3.5's
 * defaults. Here simplified: one member's disk serves one write at a time with a latency drawn evenly
 * from 0.5 to 1.5 ms; a value drawn, not a device modelled.
 */
import { type Duration, type Instant, minutes, ms, seconds } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';
import { hash32 } from '../../sim/rng.ts';
import type { EtcdServer, MemberInfo, ResponseHeader } from './api.ts';
import { Applier, type Outcome } from './apply.ts';
import { makeAuth } from './auth-door.ts';
import { type Asker, type Command, commandOf, type Operation } from './command.ts';
import type { EtcdDisk, MemberImage } from './disk.ts';
import { type LeaderAnswer, LeaderDesk, type LeaderQuestion } from './leader-desk.ts';
import { Lessor } from './lease.ts';
import type { EtcdMember, EtcdMemberStatus, EtcdOptions } from './member-types.ts';
import { confChangeOf, type MemberRecord, Membership, memberChangeOf } from './membership.ts';
import { MvccStore } from './mvcc.ts';
import { type Answer, Proposals } from './proposals.ts';
import { RaftCore } from './raft/raft.ts';
import type { ConfChange, ConfState, Entry, Message, NodeId, Ready, Snapshot, TraceEvent } from './raft/types.ts';
import { ReadLoop } from './reads.ts';
import { createServer } from './server.ts';
import { subject } from './subject.ts';
import { WatchHub } from './watch.ts';

/** A tick of a member with the default times. */
export const TICK: Duration = ms(100);
/** etcd closes streams that asked for a leader after so many election timeouts without one. */
const NO_LEADER_TIMEOUTS = 3;
/** For times that do not go into each other as etcd wants them. */
const FINE_TICK: Duration = ms(10);
/** How long a follower may take to say that it has a snapshot. */
const SNAPSHOT_PATIENCE = seconds(5);

/** What members say to each other. A snapshot travels with the state it stands for. */
type PeerMessage = (Message & { readonly image?: MemberImage }) | LeaderQuestion | LeaderAnswer | { readonly type: 'Removed' };

/** Starts (or, on a disk that was used before, restarts) a member. It runs until the process dies. */
export function startEtcd(self: Process, options: EtcdOptions): EtcdMember {
  return new Member(self, options);
}

export class Member implements EtcdMember {
  readonly name: string;
  readonly id: NodeId;
  readonly store = new MvccStore();
  readonly lessor: Lessor;
  /** How long one of its ticks is, and how many an election timeout has at least. */
  readonly tickDuration: Duration;
  readonly electionTicks: number;
  readonly heartbeat: Duration;
  readonly hub: WatchHub;
  readonly raft: RaftCore;
  readonly server: EtcdServer;
  readonly reads: ReadLoop;
  readonly proposals: Proposals;
  readonly leader: LeaderDesk;
  readonly applier: Applier;
  readonly membership = new Membership();
  readonly memberId: string;
  private readonly clusterId: string;
  private published = false;
  private readonly disk: EtcdDisk;
  private readonly about: string;
  private writing = false;
  private draining = false;
  private batching = false;
  private applied: number;
  /** Of the newest empty entry applied: the first of each term. */
  private term = 0;
  /** Peer URLs of members that were removed, to tell them so. */
  private readonly gone = new Map<NodeId, string>();
  private conf: ConfState;
  private snapshotIndex: number;
  /** The state that came with a snapshot raft has been given but not yet handed out. */
  private arriving: MemberImage | undefined;
  private leaderless = 0;
  private ticks = 0;
  private lastLead: NodeId = 0;
  private requests = 0;
  private readonly requestBase: number;
  private cachedHeader: ResponseHeader | undefined;
  /** When this member learnt that what is not yet applied is committed, by index. */
  private readonly commits: { readonly index: number; readonly at: Instant }[] = [];

  constructor(
    readonly self: Process,
    readonly options: EtcdOptions,
  ) {
    const { disk } = options;
    this.name = options.name;
    this.about = `EtcdMember/${options.name}`;
    this.id = disk.raftId;
    this.clusterId = disk.clusterId;
    this.disk = disk;
    disk.recover(self.rng);
    const { heartbeat, election } = options.timing ?? { heartbeat: 100, election: 1_000 };
    // etcd's ticks are its heartbeats; here they may be finer, for times that etcd would refuse and a lesson may want.
    this.tickDuration = election % heartbeat === 0 && election >= 5 * heartbeat ? ms(heartbeat) : FINE_TICK;
    this.electionTicks = Math.max(2, Math.round(ms(election) / this.tickDuration));
    this.heartbeat = ms(heartbeat);
    // A lease must outlive an election (minTTL: one and a half of them).
    this.lessor = new Lessor(Math.max(1, Math.ceil((election * 3) / 2_000)), options.leaseCheckpoint ? minutes(5) : undefined);

    const snapshot = disk.storage.snapshot();
    if (disk.image) this.restore(disk.image);
    this.applied = this.snapshotIndex = snapshot.index;
    this.conf = snapshot.conf;
    // Unique over restarts: 8 bits of the name, the instant of the start, a counter (etcd pkg/idutil).
    this.requestBase = (hash32(options.name) % 256) * 2 ** 45 + Math.floor(self.clock.now() / 1000) * 256 + disk.starts * 2 ** 36;
    this.raft = new RaftCore(
      {
        id: this.id,
        electionTick: this.electionTicks,
        heartbeatTick: Math.max(1, Math.round(ms(heartbeat) / this.tickDuration)),
        applied: snapshot.index,
        preVote: options.preVote ?? true,
        checkQuorum: true,
        maxSizePerMsg: 1024 * 1024,
        maxInflightMsgs: 512,
        stepDownOnRemoval: true,
        random: (n) => self.rng.between(0, n),
        trace: (event) => this.tell(event),
      },
      disk.storage,
    );
    // The founding members count from the start; their entries are applied in their turn (etcd-io/raft bootstrap.go).
    if (snapshot.index === 0) {
      for (const change of disk.founding) {
        this.raft.applyConfChange(confChangeOf(change));
        this.membership.apply(change);
      }
    }
    this.memberId = disk.memberId;
    this.hub = new WatchHub(this.store, () => this.header());
    this.store.observe((events, revision) => {
      if (options.onApply) for (const { kv } of events) options.onApply(revision, kv.key, kv.modRevision);
      this.hub.notify(events, revision);
    });
    this.applier = new Applier(this.store, this.lessor, this.membership);
    if (disk.image) this.applier.alarms = disk.image.alarms;
    if (disk.image?.auth) this.applier.auth = makeAuth(disk.image.auth);
    this.proposals = new Proposals(
      self,
      this.raft,
      () => this.nextId(),
      () => this.drain(),
    );
    this.reads = new ReadLoop(
      self,
      `${this.id}.${disk.starts}`,
      (context) => {
        this.raft.readIndex(context);
        this.drain();
      },
      () => this.applied,
    );
    this.leader = new LeaderDesk(this);
    this.server = createServer(this);
    this.tickAfter(self.rng.between(1, this.tickDuration));
    this.drain();
  }

  // ---- what comes in ----

  step(message: unknown): void {
    if (!this.self.alive) return;
    const m = message as PeerMessage;
    switch (m.type) {
      case 'LeaderQuestion':
      case 'LeaderAnswer':
        this.leader.step(m);
        return;
      case 'Removed':
        this.leave();
        return;
    }
    if (this.membership.isRemoved(m.from as NodeId)) {
      // etcd answers its stream with 410 Gone: the member has been permanently removed from the cluster.
      const gone = this.gone.get(m.from as NodeId);
      if (gone !== undefined) this.options.send(gone, { type: 'Removed' });
      return;
    }
    this.raft.step(m);
    // Only if raft took the snapshot is its state kept for when it is on disk.
    if (m.type === 'MsgSnap' && m.image && this.raft.log.unstableSnapshot === m.snapshot) this.arriving = m.image;
    // Proposals of one instant share one append; everything else is acted on at once.
    if (m.type === 'MsgProp') this.drainLater();
    else this.drain();
  }

  campaign(): void {
    if (!this.self.alive || this.raft.role === 'Leader') return;
    this.raft.campaign();
    this.drain();
  }

  private fatal(message: string): void {
    if (this.options.fatal) this.options.fatal(message);
    else this.self.kill();
  }

  private tickAfter(duration: Duration): void {
    this.self.clock.after(duration, this.onTick);
  }

  private readonly onTick = (): void => {
    // A tick follows from nothing but time.
    this.self.trace.because(0);
    this.tickAfter(this.tickDuration);
    this.tick();
  };

  private tick(): void {
    this.raft.tick();
    if (this.raft.hasReady()) this.drain();
    this.ticks++;
    if (this.raft.lead !== 0) this.leaderless = 0;
    else if (++this.leaderless === NO_LEADER_TIMEOUTS * this.electionTicks) this.hub.cancelAll('etcdserver: no leader');
    if (this.raft.role === 'Leader') this.leader.expire();
    const { progressNotifyInterval = minutes(10) } = this.options;
    if ((this.ticks * this.tickDuration) % progressNotifyInterval < this.tickDuration) this.hub.progress();
  }

  // ---- Ready: write, sync, send, apply ----

  /** Carries out what raft has come up with, unless a write is under way: then it goes on when that is done. */
  drain(): void {
    if (this.draining || this.writing) return;
    this.draining = true;
    while (!this.writing && this.raft.hasReady()) this.carryOut(this.raft.ready());
    this.draining = false;
  }

  private drainLater(): void {
    if (this.batching) return;
    this.batching = true;
    this.self.clock.after(0, () => {
      this.batching = false;
      this.drain();
    });
  }

  private carryOut(ready: Ready): void {
    if (ready.softState) this.roleChanged();
    if (!ready.mustSync && !ready.snapshot) {
      if (ready.hardState) this.disk.noteCommit(ready.hardState);
      for (const m of ready.messages) this.send(m);
      this.finish(ready);
      return;
    }
    const later: Message[] = [];
    for (const m of ready.messages) {
      if (promises(m)) later.push(m);
      else this.send(m);
    }
    const image = ready.snapshot ? this.arriving : undefined;
    if (ready.snapshot) this.arriving = undefined;
    if (this.disk.full) {
      // Even the log of a member that follows has nowhere to go (etcd server/etcdserver/raft.go): it ends, and nothing of this was said to anybody.
      this.fatal('failed to save Raft hard state and entries: write /var/lib/etcd/member/wal/0.tmp: no space left on device');
      return;
    }
    this.disk.write({ entries: ready.entries, hardState: ready.hardState, snapshot: ready.snapshot, image });
    this.writing = true;
    const usual = this.self.rng.between(500, 1501);
    this.self.clock.after(this.disk.slow || usual, () => {
      this.disk.synced();
      this.writing = false;
      // A snapshot comes before the entries after it.
      if (ready.snapshot && image) this.install(ready.snapshot, image);
      for (const m of later) this.send(m);
      this.draining = true;
      this.finish(ready);
      this.draining = false;
      this.drain();
    });
  }

  private finish(ready: Ready): void {
    if (ready.committedEntries.length > 0) this.apply(ready.committedEntries);
    for (const { context, index } of ready.readStates) this.reads.confirmed(context, index);
    this.raft.advance();
    if (this.applied - this.snapshotIndex >= (this.options.snapshotCount ?? 10_000)) this.saveSnapshot();
  }

  private send(m: Message): void {
    const member = this.peer(m.to as NodeId);
    if (member === undefined) return;
    const url = member.peerURLs[0]!;
    const to = member.name || url;
    const { trace } = this.self;
    if (this.options.traceMessages !== false)
      trace.chatter('raft.send', this.about, trace.heard ? { to, type: m.type, term: m.term, entries: m.entries ? m.entries.length : 0 } : undefined);
    if (m.type !== 'MsgSnap') {
      this.options.send(url, m);
      return;
    }
    // The state sent is the present one, so that the follower need not come back for what was compacted meanwhile.
    const snapshot = this.snapshot();
    const follower = m.to as NodeId;
    this.options.send(url, { ...m, snapshot, image: this.image() });
    this.self.trace.emit('raft.snapshot', this.about, { to, index: snapshot.index });
    this.self.clock.after(SNAPSHOT_PATIENCE, () => {
      if (this.raft.role !== 'Leader' || this.raft.progress(follower)?.state !== 'Snapshot') return;
      this.raft.reportSnapshot(follower, false);
      this.drain();
    });
  }

  // ---- applying ----

  private apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.applied = entry.index;
      if (entry.confChange) this.applyMembership(entry.confChange);
      else if (entry.data) this.applyCommand(entry, entries.length === 1);
      else if (entry.term !== this.term) this.termBegins(entry.term);
    }
    while (this.commits.length > 0 && this.commits[0]!.index <= this.applied) this.commits.shift();
    if (this.options.traceMessages !== false) this.self.trace.chatter('raft.apply', this.about, { index: this.applied });
    this.cachedHeader = undefined;
    this.reads.progressed();
  }

  private applyCommand(entry: Entry, alone: boolean): void {
    const command = commandOf(entry);
    const { trace, clock } = this.self;
    trace.because(command.cause);
    const mine = this.proposals.has(command.id);
    if (mine) this.tellTxn(command, entry);
    this.cachedHeader = undefined;
    const outcome = this.applier.apply(command.operation, clock.now(), command.shared, command.by);
    if (!mine) return;
    // Each answer in an event of its own, so that what follows from it has the right cause.
    const header = this.header();
    if (alone) this.proposals.answer(command.id, header, outcome);
    else clock.after(0, () => this.proposals.answer(command.id, header, outcome));
  }

  private applyMembership(confChange: ConfChange): void {
    this.conf = this.raft.applyConfChange(confChange);
    const change = memberChangeOf(confChange);
    if (!change) return;
    const { action, member, request, cause } = change;
    this.self.trace.because(cause);
    if (action === 'remove') this.gone.set(member.raftId, member.peerURLs[0]!);
    this.membership.apply(change);
    this.cachedHeader = undefined;
    if (request !== 0 && this.proposals.has(request)) {
      this.self.trace.emit('etcd.member', `EtcdMember/${member.name || member.peerURLs[0]}`, { action });
      const header = this.header();
      const after = this.membership.get(member.raftId) ?? member;
      this.self.clock.after(0, () => this.proposals.answer(request, header, { members: this.membership.list(), member: after }));
    }
    // Those who follow must first learn that the change is committed; etcd waits an election timeout.
    if (action === 'remove' && member.raftId === this.id) this.self.clock.after(this.tickDuration * this.electionTicks, () => this.leave());
  }

  /** Removed from the cluster for good. */
  private leave(): void {
    this.self.trace.emit('etcd.removed', this.about, { member: this.name });
    this.options.onRemoved?.();
  }

  private tellTxn(command: Command, { index, term }: Entry): void {
    const about = subject(command.operation);
    const quiet = this.options.quiet?.(about) ?? false;
    if (quiet && !this.self.trace.heard) {
      this.self.trace.chatter('etcd.txn', about);
      return;
    }
    const data = {
      op: command.operation.type,
      index,
      term,
      lead: this.nameOf(this.raft.lead),
      members: this.conf.voters.length,
      committed: this.commits.find((each) => each.index >= index)?.at,
    };
    if (quiet) this.self.trace.chatter('etcd.txn', about, data);
    else this.self.trace.emit('etcd.txn', about, data);
  }

  /** The leader's empty entry is applied: it now knows all that is committed, and counts the leases' time. */
  private termBegins(term: number): void {
    this.term = term;
    if (this.raft.role !== 'Leader') {
      this.reads.again();
      return;
    }
    // A new cluster has no version until its leader has looked at the members (etcd server.go, monitorVersions).
    if (this.membership.clusterVersion === '') this.propose({ type: 'cluster-version', version: '3.5.0' }).catch(() => {});
    this.lessor.promote(this.self.clock.now(), this.tickDuration * this.electionTicks);
    this.reads.again();
  }

  private roleChanged(): void {
    const { lead, role } = this.raft;
    this.cachedHeader = undefined;
    if (role !== 'Leader') this.lessor.demote();
    if (lead !== 0 && lead !== this.lastLead) {
      this.reads.leaderChanged();
      this.proposals.leaderElected();
      this.leader.leaderElected();
      this.publish();
    }
    this.lastLead = lead;
  }

  /** Tells everybody this member's name and addresses, once it belongs to a cluster with a leader (etcd server.go, publishV3). */
  private publish(): void {
    if (this.published) return;
    this.published = true;
    const known = this.membership.get(this.id);
    if (known?.name === this.name && known.clientURLs.join() === this.options.clientURLs.join()) return;
    this.propose({ type: 'publish', raftId: this.id, name: this.name, clientURLs: this.options.clientURLs }).catch(() => {
      this.published = false;
      if (this.raft.lead !== 0) this.publish();
    });
  }

  // ---- snapshots ----

  private snapshot(): Snapshot {
    return { index: this.applied, term: this.raft.log.term(this.applied) ?? 0, conf: this.conf, data: '' };
  }

  image(): MemberImage {
    return {
      store: this.store.image(),
      leases: this.lessor.image(),
      membership: this.membership.image(),
      alarms: this.applier.alarms,
      auth: this.applier.auth?.image(),
    };
  }

  private saveSnapshot(): void {
    this.snapshotIndex = this.applied;
    this.disk.saveSnapshot(this.snapshot(), this.image(), this.options.snapshotCatchUp ?? 5_000);
  }

  private install(snapshot: Snapshot, image: MemberImage): void {
    this.restore(image);
    this.applied = this.snapshotIndex = snapshot.index;
    this.conf = snapshot.conf;
    this.cachedHeader = undefined;
    this.hub.resync();
  }

  private restore(image: MemberImage): void {
    this.store.restore(image.store);
    this.lessor.restore(image.leases, this.store.attachments());
    this.membership.restore(image.membership);
    // A member's constructor restores before there is an applier, and gives it the alarms itself.
    if (!(this.applier as Applier | undefined)) return;
    this.applier.alarms = image.alarms;
    this.applier.auth = image.auth && makeAuth(image.auth);
  }

  // ---- what others ask ----

  /** Puts an operation through the log. Rejects with EtcdError. */
  propose(operation: Operation, asLeaderOf?: number, by?: Asker): Promise<Answer<Outcome>> {
    const about = subject(operation);
    return this.proposals.propose(operation, about, this.options.quiet?.(about) ?? false, asLeaderOf, by);
  }

  header(): ResponseHeader {
    if (!this.cachedHeader || this.cachedHeader.revision !== this.store.revision || this.cachedHeader.raftTerm !== this.raft.term) {
      this.cachedHeader = { clusterId: this.clusterId, memberId: this.memberId, revision: this.store.revision, raftTerm: this.raft.term };
    }
    return this.cachedHeader;
  }

  nextId(): number {
    return this.requestBase + ++this.requests;
  }

  private peer(id: NodeId): MemberRecord | undefined {
    return this.membership.get(id) ?? this.disk.contacts.find(({ raftId }) => raftId === id);
  }

  nameOf(id: NodeId): string {
    const member = this.peer(id);
    return member ? member.name || member.peerURLs[0]! : '';
  }

  sendTo(id: NodeId, message: LeaderQuestion | LeaderAnswer): void {
    const to = this.peer(id)?.peerURLs[0];
    if (to !== undefined) this.options.send(to, message);
  }

  status(): EtcdMemberStatus {
    const { raft, store } = this;
    return {
      role: raft.role,
      term: raft.term,
      lead: this.nameOf(raft.lead),
      commit: raft.log.committed,
      applied: this.applied,
      firstIndex: raft.log.firstIndex(),
      lastIndex: raft.log.lastIndex(),
      revision: store.revision,
      keys: store.live,
    };
  }

  members(): readonly MemberInfo[] {
    return this.membership.list();
  }

  raftStatus(): ReturnType<RaftCore['status']> {
    return this.raft.status();
  }

  entries(from: number, to: number): readonly Entry[] {
    const { log } = this.raft;
    return log.slice(Math.max(from, log.firstIndex()), Math.min(to, log.lastIndex()) + 1) ?? [];
  }

  // ---- the trace ----

  private tell(event: TraceEvent): void {
    const { at } = event;
    if (at === 'commit') this.commits.push({ index: Number(event['index']), at: this.self.clock.now() });
    // Hot: appends and commits are chatter that mostly nobody hears.
    if (at === 'append' || at === 'commit') {
      if (this.options.traceMessages === false) return;
      const { index, term, count } = event;
      if (at === 'append') this.self.trace.chatter('raft.append', this.about, { index, term, count });
      else this.self.trace.chatter('raft.commit', this.about, { index });
      return;
    }
    const { at: _at, node: _, ...data } = event;
    if (at === 'role') this.self.trace.emit('raft.role', this.about, { ...data, member: this.name, lead: this.nameOf(data['lead'] as NodeId) });
    else if (at === 'vote') this.self.trace.emit('raft.vote', this.about, { member: this.name, term: data['term'], for: this.nameOf(data['value'] as NodeId) });
    else if (at === 'truncate') this.self.trace.emit('raft.truncate', this.about, data);
  }
}

/** Messages that say something is on disk here. */
const promises = (m: Message): boolean =>
  m.type === 'MsgAppResp' || m.type === 'MsgVoteResp' || m.type === 'MsgVote' || m.type === 'MsgHeartbeatResp' || m.type === 'MsgPreVoteResp';
