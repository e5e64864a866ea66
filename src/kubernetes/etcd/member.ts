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
 * from 0.5 to 1.5 ms; the peers a cluster begins with are known from the disk, not from log entries.
 */
import { type Duration, minutes, ms, seconds } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';
import { hash32 } from '../../sim/rng.ts';
import type { ResponseHeader } from './api.ts';
import { Applier, type Outcome } from './apply.ts';
import { type Command, commandOf, type Operation } from './command.ts';
import type { EtcdDisk, MemberImage } from './disk.ts';
import { Lessor } from './lease.ts';
import { type LeaseAnswer, type LeaseAsk, LeaseDesk } from './lease-desk.ts';
import { MvccStore } from './mvcc.ts';
import { type Answer, Proposals } from './proposals.ts';
import { RaftCore } from './raft/raft.ts';
import type { ConfState, Entry, Message, NodeId, Ready, Role, Snapshot, TraceEvent } from './raft/types.ts';
import { ReadLoop } from './reads.ts';
import { createServer, type EtcdServer } from './server.ts';
import { WatchHub } from './watch.ts';

export const TICK: Duration = ms(100);
const HEARTBEAT_TICKS = 1;
const ELECTION_TICKS = 10;
/** etcd closes streams that asked for a leader after three election timeouts without one. */
const NO_LEADER_TICKS = 3 * ELECTION_TICKS;
/** How long a follower may take to say that it has a snapshot. */
const SNAPSHOT_PATIENCE = seconds(5);

export interface EtcdOptions {
  readonly name: string;
  readonly clusterMembers: readonly { readonly name: string; readonly id: number }[];
  readonly disk: EtcdDisk;
  /** Brings a message to another member, by name, some time later or never. Plain objects; messages to one member should arrive in order, but need not. */
  send(to: string, message: unknown): void;
  /** Makes the cluster id of one world differ from another's. */
  readonly epochSeed?: number;
  /** Told of every change as this member applies it, for the world's digest. */
  onApply?(revision: number, key: string, modRevision: number): void;
  /** Keys whose writes recur for ever (lease renewals): told as chatter, not as story. */
  readonly quiet?: (key: string) => boolean;
  /** Entries between snapshots; `--snapshot-count`, 10,000 as in etcd 3.6. */
  readonly snapshotCount?: number;
  /** Entries kept behind a snapshot for slow followers; 5,000. */
  readonly snapshotCatchUp?: number;
  /** `--experimental-watch-progress-notify-interval`; 10 minutes. */
  readonly progressNotifyInterval?: Duration;
  /** Whether messages between members are told as chatter; true. */
  readonly traceMessages?: boolean;
}

export interface EtcdMemberStatus {
  readonly role: Role;
  readonly term: number;
  /** The leader's name; empty: none known. */
  readonly lead: string;
  readonly commit: number;
  readonly applied: number;
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly revision: number;
  readonly keys: number;
}

export interface EtcdMember {
  readonly name: string;
  readonly id: number;
  /** Takes in a message another member sent. */
  step(from: string, message: unknown): void;
  readonly server: EtcdServer;
  status(): EtcdMemberStatus;
  /** The state machine, to look at without asking: no cost, no effect, perhaps behind. */
  readonly store: MvccStore;
  /** The log's entries [from, to], as far as they are kept; for drawing. */
  entries(from: number, to: number): readonly Entry[];
  /** Raft's own status, with every follower's progress when it leads. */
  raftStatus(): ReturnType<RaftCore['status']>;
}

/** What members say to each other. A snapshot travels with the state it stands for. */
type PeerMessage = (Message & { readonly image?: MemberImage }) | LeaseAsk | LeaseAnswer;

/** Starts (or, on a disk that was used before, restarts) a member. It runs until the process dies. */
export function startEtcd(self: Process, options: EtcdOptions): EtcdMember {
  return new Member(self, options);
}

export class Member implements EtcdMember {
  readonly name: string;
  readonly id: NodeId;
  readonly store = new MvccStore();
  readonly lessor = new Lessor();
  readonly hub: WatchHub;
  readonly raft: RaftCore;
  readonly server: EtcdServer;
  readonly reads: ReadLoop;
  readonly proposals: Proposals;
  readonly leases: LeaseDesk;
  readonly applier: Applier;
  private readonly names = new Map<NodeId, string>();
  private readonly clusterId: string;
  private readonly disk: EtcdDisk;
  private readonly about: string;
  private writing = false;
  private draining = false;
  private batching = false;
  private applied: number;
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

  constructor(
    readonly self: Process,
    readonly options: EtcdOptions,
  ) {
    const { disk, clusterMembers } = options;
    this.name = options.name;
    this.about = `EtcdMember/${options.name}`;
    const own = clusterMembers.find(({ name }) => name === options.name);
    if (!own) throw new RangeError(`etcd: ${options.name} is not among the cluster's members`);
    this.id = own.id;
    for (const { name, id } of clusterMembers) this.names.set(id, name);
    const roll = clusterMembers.map(({ name }) => name).join();
    this.clusterId = ((BigInt(hash32(roll, options.epochSeed)) << 32n) | BigInt(hash32(roll, ~(options.epochSeed ?? 0)))).toString();
    this.disk = disk;
    disk.recover(self.rng);

    const snapshot = disk.storage.snapshot();
    if (disk.image) this.restore(disk.image);
    this.applied = this.snapshotIndex = snapshot.index;
    this.conf = snapshot.conf;
    // Unique over restarts: 8 bits of the name, the instant of the start, a counter (etcd pkg/idutil).
    this.requestBase = (hash32(options.name) % 256) * 2 ** 45 + Math.floor(self.clock.now() / 1000) * 256 + disk.starts * 2 ** 36;
    this.raft = new RaftCore(
      {
        id: this.id,
        electionTick: ELECTION_TICKS,
        heartbeatTick: HEARTBEAT_TICKS,
        applied: snapshot.index,
        preVote: true,
        checkQuorum: true,
        maxSizePerMsg: 1024 * 1024,
        maxInflightMsgs: 512,
        stepDownOnRemoval: true,
        random: (n) => self.rng.between(0, n),
        trace: (event) => this.tell(event),
      },
      disk.storage,
    );
    this.hub = new WatchHub(this.store, () => this.header());
    this.store.observe((events, revision) => {
      if (options.onApply) for (const { kv } of events) options.onApply(revision, kv.key, kv.modRevision);
      this.hub.notify(events, revision);
    });
    this.applier = new Applier(this.store, this.lessor);
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
    this.leases = new LeaseDesk(this);
    this.server = createServer(this);
    this.tickAfter(self.rng.between(1, TICK));
    this.drain();
  }

  // ---- what comes in ----

  step(_from: string, message: unknown): void {
    if (!this.self.alive) return;
    const m = message as PeerMessage;
    if (m.type === 'LeaseAsk' || m.type === 'LeaseAnswer') {
      this.leases.step(m);
      return;
    }
    this.raft.step(m);
    // Only if raft took the snapshot is its state kept for when it is on disk.
    if (m.type === 'MsgSnap' && m.image && this.raft.log.unstableSnapshot === m.snapshot) this.arriving = m.image;
    // Proposals of one instant share one append; everything else is acted on at once.
    if (m.type === 'MsgProp') this.drainLater();
    else this.drain();
  }

  private tickAfter(duration: Duration): void {
    this.self.clock.after(duration, this.onTick);
  }

  private readonly onTick = (): void => {
    // A tick follows from nothing but time.
    this.self.trace.because(0);
    this.tickAfter(TICK);
    this.tick();
  };

  private tick(): void {
    this.raft.tick();
    if (this.raft.hasReady()) this.drain();
    this.ticks++;
    if (this.raft.lead !== 0) this.leaderless = 0;
    else if (++this.leaderless === NO_LEADER_TICKS) this.hub.cancelAll('etcdserver: no leader');
    if (this.raft.role === 'Leader') this.leases.expire();
    const { progressNotifyInterval = minutes(10) } = this.options;
    if ((this.ticks * TICK) % progressNotifyInterval < TICK) this.hub.progress();
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
    this.disk.write({ entries: ready.entries, hardState: ready.hardState, snapshot: ready.snapshot, image });
    this.writing = true;
    this.self.clock.after(this.self.rng.between(500, 1501), () => {
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
    const to = this.names.get(m.to as NodeId);
    if (to === undefined) return;
    if (this.options.traceMessages !== false)
      this.self.trace.chatter('raft.send', this.about, { to, type: m.type, term: m.term, entries: m.entries ? m.entries.length : 0 });
    if (m.type !== 'MsgSnap') {
      this.options.send(to, m);
      return;
    }
    // The state sent is the present one, so that the follower need not come back for what was compacted meanwhile.
    const snapshot = this.snapshot();
    const follower = m.to as NodeId;
    this.options.send(to, { ...m, snapshot, image: this.image() });
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
      if (entry.confChange) this.conf = this.raft.applyConfChange(entry.confChange);
      else if (entry.data) this.applyCommand(entry, entries.length === 1);
      else this.termBegins();
    }
    if (this.options.traceMessages !== false) this.self.trace.chatter('raft.apply', this.about, { index: this.applied });
    this.cachedHeader = undefined;
    this.reads.progressed();
  }

  private applyCommand(entry: Entry, alone: boolean): void {
    const command = commandOf(entry);
    const { trace, clock } = this.self;
    trace.because(command.cause);
    const mine = this.proposals.has(command.id);
    if (mine) this.tellTxn(command, entry.index);
    this.cachedHeader = undefined;
    const outcome = this.applier.apply(command.operation, clock.now(), command.shared);
    if (!mine) return;
    // Each answer in an event of its own, so that what follows from it has the right cause.
    const header = this.header();
    if (alone) this.proposals.answer(command.id, header, outcome);
    else clock.after(0, () => this.proposals.answer(command.id, header, outcome));
  }

  private tellTxn(command: Command, index: number): void {
    const about = subject(command.operation);
    const data = { op: command.operation.type, index };
    if (this.options.quiet?.(about)) this.self.trace.chatter('etcd.txn', about, data);
    else this.self.trace.emit('etcd.txn', about, data);
  }

  /** The leader's empty entry is applied: it now knows all that is committed, and counts the leases' time. */
  private termBegins(): void {
    if (this.raft.role === 'Leader') this.lessor.promote(this.self.clock.now(), TICK * ELECTION_TICKS);
    this.reads.again();
  }

  private roleChanged(): void {
    const { lead, role } = this.raft;
    this.cachedHeader = undefined;
    if (role !== 'Leader') this.lessor.demote();
    if (lead !== 0 && lead !== this.lastLead) {
      this.reads.leaderChanged();
      this.proposals.leaderElected();
      this.leases.leaderElected();
    }
    this.lastLead = lead;
  }

  // ---- snapshots ----

  private snapshot(): Snapshot {
    return { index: this.applied, term: this.raft.log.term(this.applied) ?? 0, conf: this.conf, data: '' };
  }

  private image(): MemberImage {
    return { store: this.store.image(), leases: this.lessor.image() };
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
  }

  // ---- what others ask ----

  /** Puts an operation through the log. Rejects with EtcdError. */
  propose(operation: Operation): Promise<Answer<Outcome>> {
    const about = subject(operation);
    return this.proposals.propose(operation, about, this.options.quiet?.(about) ?? false);
  }

  header(): ResponseHeader {
    if (!this.cachedHeader || this.cachedHeader.revision !== this.store.revision || this.cachedHeader.raftTerm !== this.raft.term) {
      this.cachedHeader = { clusterId: this.clusterId, memberId: String(this.id), revision: this.store.revision, raftTerm: this.raft.term };
    }
    return this.cachedHeader;
  }

  nextId(): number {
    return this.requestBase + ++this.requests;
  }

  nameOf(id: NodeId): string {
    return this.names.get(id) ?? '';
  }

  sendTo(id: NodeId, message: LeaseAsk | LeaseAnswer): void {
    const to = this.names.get(id);
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

  raftStatus(): ReturnType<RaftCore['status']> {
    return this.raft.status();
  }

  entries(from: number, to: number): readonly Entry[] {
    const { log } = this.raft;
    return log.slice(Math.max(from, log.firstIndex()), Math.min(to, log.lastIndex()) + 1) ?? [];
  }

  // ---- the trace ----

  private tell(event: TraceEvent): void {
    const { at, node: _, ...data } = event;
    if (at === 'role') this.self.trace.emit('raft.role', this.about, { ...data, member: this.name, lead: this.nameOf(data['lead'] as NodeId) });
    else if (at === 'vote') this.self.trace.emit('raft.vote', this.about, { member: this.name, term: data['term'], for: this.nameOf(data['value'] as NodeId) });
    else if (at === 'truncate') this.self.trace.emit('raft.truncate', this.about, data);
    else if (this.options.traceMessages !== false && (at === 'append' || at === 'commit'))
      this.self.trace.chatter(at === 'append' ? 'raft.append' : 'raft.commit', this.about, data);
  }
}

/** Messages that say something is on disk here. */
const promises = (m: Message): boolean =>
  m.type === 'MsgAppResp' || m.type === 'MsgVoteResp' || m.type === 'MsgVote' || m.type === 'MsgHeartbeatResp' || m.type === 'MsgPreVoteResp';

/** The key an operation is about, for the trace. */
function subject(operation: Operation): string {
  switch (operation.type) {
    case 'put':
    case 'delete':
      return operation.request.key;
    case 'txn': {
      const { compare, success } = operation.request;
      if (compare[0]) return compare[0].key;
      const first = success[0];
      if (!first) return '';
      return 'requestPut' in first ? first.requestPut.key : 'requestDeleteRange' in first ? first.requestDeleteRange.key : '';
    }
    case 'compact':
      return '';
    case 'grant':
    case 'revoke':
      return `lease/${operation.lease}`;
  }
}
