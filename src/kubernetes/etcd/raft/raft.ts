/**
 * Raft, a member of a group that agrees on one log. It reads like the paper: roles and how one becomes
 * them here, what a leader does in leader.ts, a follower in follower.ts, a candidate in candidate.ts.
 *
 * The host gives it ticks, messages and proposals; `ready()` says what to write, send and apply. Behaviour
 * is that of etcd-io/raft (v3.7) where the paper leaves a choice.
 */
import { answerVote, CAMPAIGN_TRANSFER, campaign, stepCandidate } from './candidate.ts';
import { validate } from './config.ts';
import { stepFollower } from './follower.ts';
import { abortTransfer, stepLeader } from './leader.ts';
import { RaftLog } from './log.ts';
import { type Configuration, changed, configurationOf, confStateOf } from './membership.ts';
import type { FollowerProgress } from './progress.ts';
import { ReadOnly } from './read-only.ts';
import { Outbox } from './ready.ts';
import { peersOf, switchTo } from './reconfigure.ts';
import { payloadSize } from './size.ts';
import type {
  ConfChange,
  Config,
  ConfState,
  Entry,
  HardState,
  Message,
  MessageType,
  NodeId,
  Raft,
  RaftError,
  Ready,
  Role,
  Status,
  Storage,
  TraceEvent,
} from './types.ts';

export interface Peer {
  readonly id: NodeId;
  readonly progress: FollowerProgress;
}

/** What only this member itself may say, and what only a member may be answered. */
const LOCAL: ReadonlySet<MessageType> = new Set<MessageType>([
  'MsgHup',
  'MsgBeat',
  'MsgUnreachable',
  'MsgSnapStatus',
  'MsgCheckQuorum',
  'MsgStorageAppend',
  'MsgStorageAppendResp',
  'MsgStorageApply',
  'MsgStorageApplyResp',
]);
const ANSWERS: ReadonlySet<MessageType> = new Set<MessageType>(['MsgAppResp', 'MsgVoteResp', 'MsgHeartbeatResp', 'MsgReadIndexResp', 'MsgPreVoteResp']);

export class RaftCore implements Raft {
  readonly id: NodeId;
  /** Paper figure 2: currentTerm and votedFor, on stable storage before anything that depends on them is said. */
  term = 0;
  vote: NodeId = 0;
  readonly log: RaftLog;
  role: Role = 'Follower';
  lead: NodeId = 0;
  leadTransferee: NodeId = 0;
  configuration: Configuration;
  /** Everybody in the configuration, by id; self included. */
  peers: readonly Peer[] = [];
  readonly votes = new Map<NodeId, boolean>();
  /** A second membership change may only be proposed once this index is applied (thesis 4.1). */
  pendingConfIndex = 0;
  uncommittedSize = 0;
  readonly reads = new ReadOnly();
  /** Reads that came before the leader has committed an entry of its term (thesis 6.4, step 1). */
  earlyReads: Message[] = [];
  electionElapsed = 0;
  heartbeatElapsed = 0;
  randomizedElectionTimeout = 0;
  isLearner: boolean;
  private readonly outbox: Outbox;

  /** Throws Error when the configuration cannot work, or does not fit what the storage holds. */
  constructor(
    readonly config: Config,
    storage: Storage,
  ) {
    validate(config);
    this.id = config.id;
    this.log = new RaftLog(storage, config.maxCommittedSizePerReady || config.maxSizePerMsg, !config.asyncStorageWrites);
    const { hardState, conf } = storage.initialState();
    this.configuration = configurationOf(conf);
    this.peers = peersOf(this);
    this.isLearner = conf.learners.includes(this.id);
    this.restore(hardState);
    if (config.applied) this.log.appliedTo(config.applied, 0);
    const { vote } = this;
    this.becomeFollower(this.term, 0);
    this.vote = vote;
    this.outbox = new Outbox(this);
  }

  /** Thesis 3.8: what it promised before a crash binds it still. */
  private restore({ term, vote, commit }: HardState): void {
    if (term === 0 && vote === 0 && commit === 0) return;
    const { log } = this;
    if (commit < log.committed || commit > log.lastIndex()) throw new Error(`raft: commit ${commit} is out of range [${log.committed}, ${log.lastIndex()}]`);
    log.committed = commit;
    this.term = term;
    this.vote = vote;
  }

  // ---- roles (paper 5.1, figure 4) ----

  becomeFollower(term: number, lead: NodeId): void {
    this.reset(term);
    this.lead = lead;
    this.enter('Follower');
  }

  /** Thesis 9.6: asks whether an election could be won, without raising the term or forgetting the vote. */
  becomePreCandidate(): void {
    if (this.role === 'Leader') throw new Error('raft: a leader does not campaign');
    this.votes.clear();
    this.lead = 0;
    this.enter('PreCandidate');
  }

  /** Paper 5.2: raises its term and votes for itself. */
  becomeCandidate(): void {
    if (this.role === 'Leader') throw new Error('raft: a leader does not campaign');
    this.reset(this.term + 1);
    this.vote = this.id;
    this.enter('Candidate');
    this.trace('vote', this.vote);
  }

  /** Paper 5.2, and 8: a new leader appends an empty entry, so that it can learn what is committed. */
  becomeLeader(): void {
    this.reset(this.term);
    this.lead = this.id;
    this.enter('Leader');
    const own = this.progress(this.id);
    if (own) {
      own.becomeReplicate();
      own.recentActive = true;
    }
    // Whatever change an earlier leader left in the log might be pending.
    this.pendingConfIndex = this.log.lastIndex();
    this.appendEntries([{ term: 0, index: 0, type: 'normal', data: '' }]);
  }

  private enter(role: Role): void {
    const was = this.role;
    this.role = role;
    if (this.config.trace && was !== role) this.config.trace({ at: 'role', node: this.id, role, was, term: this.term, lead: this.lead });
  }

  /** What every change of term or role forgets. */
  private reset(term: number): void {
    if (this.term !== term) {
      this.term = term;
      this.vote = 0;
      this.trace('term', term);
    }
    this.lead = 0;
    this.electionElapsed = 0;
    this.heartbeatElapsed = 0;
    // Paper 5.2: timeouts are drawn anew each time, so that split votes are rare.
    this.randomizedElectionTimeout = this.config.electionTick + this.config.random(this.config.electionTick);
    abortTransfer(this);
    this.votes.clear();
    const last = this.log.lastIndex();
    for (const { id, progress } of this.peers) progress.reset(id === this.id ? last : 0, last + 1);
    this.pendingConfIndex = 0;
    this.uncommittedSize = 0;
    this.reads.clear();
  }

  tick(): void {
    if (this.role === 'Leader') this.tickHeartbeat();
    else this.tickElection();
  }

  private tickElection(): void {
    this.electionElapsed++;
    if (this.promotable() && this.electionElapsed >= this.randomizedElectionTimeout) {
      this.electionElapsed = 0;
      this.trace('timer', this.randomizedElectionTimeout);
      this.hup();
    }
  }

  private tickHeartbeat(): void {
    this.heartbeatElapsed++;
    this.electionElapsed++;
    if (this.electionElapsed >= this.config.electionTick) {
      this.electionElapsed = 0;
      if (this.config.checkQuorum) stepLeader(this, { type: 'MsgCheckQuorum', from: this.id, to: this.id, term: 0 });
      // Thesis 3.10: a transfer that takes longer than an election timeout has failed.
      if (this.role === 'Leader' && this.leadTransferee !== 0) abortTransfer(this);
    }
    if (this.role !== 'Leader') return;
    if (this.heartbeatElapsed >= this.config.heartbeatTick) {
      this.heartbeatElapsed = 0;
      stepLeader(this, { type: 'MsgBeat', from: this.id, to: this.id, term: 0 });
    }
  }

  /** Learners, strangers and members in the middle of a snapshot do not stand for election. */
  promotable(): boolean {
    return this.progress(this.id) !== undefined && !this.isLearner && this.log.unstableSnapshot === undefined;
  }

  private hup(force = false): void {
    if (this.role === 'Leader' || !this.promotable()) return;
    // A member that has not yet applied a committed change does not know who may vote.
    if (this.hasUnappliedConfChange()) return;
    campaign(this, force ? 'transfer' : this.config.preVote ? 'pre-election' : 'election');
  }

  private hasUnappliedConfChange(): boolean {
    if (this.log.applied >= this.log.committed) return false;
    const entries = this.log.slice(this.log.applied + 1, this.log.committed + 1) ?? [];
    return entries.some((entry) => entry.type !== 'normal');
  }

  // ---- messages ----

  /** A message from another member, or from a local thread. Local events may not come from outside, nor answers from strangers (etcd-io/raft, rawnode.go Step). */
  step(m: Message): RaftError | undefined {
    // Hot: nearly all there is, and allowed from anybody.
    if (m.type !== 'MsgApp' && m.type !== 'MsgHeartbeat' && typeof m.from === 'number') {
      if (LOCAL.has(m.type)) return 'raft: cannot step raft local message';
      if (ANSWERS.has(m.type) && !this.progress(m.from)) return 'raft: cannot step as peer not found';
    }
    return this.handle(m);
  }

  handle(m: Message): RaftError | undefined {
    if (m.term !== 0 && m.term !== this.term && !this.agreeOnTerm(m)) return undefined;
    // Hot: replication and heartbeats pass without being compared with every other type.
    if (m.type === 'MsgApp' || m.type === 'MsgAppResp' || m.type === 'MsgHeartbeat' || m.type === 'MsgHeartbeatResp') return this.act(m);
    switch (m.type) {
      case 'MsgHup':
        this.hup();
        return undefined;
      case 'MsgTimeoutNow':
        // Thesis 3.10: the leader asked for it, so neither a timeout nor PreVote stands in the way.
        if (this.role === 'Follower') this.hup(true);
        return undefined;
      case 'MsgVote':
      case 'MsgPreVote':
        answerVote(this, m);
        return undefined;
      case 'MsgStorageAppendResp':
        this.outbox.appended(this.term, m.index ?? 0, m.logTerm ?? 0, m.snapshot);
        return undefined;
      case 'MsgStorageApplyResp':
        if (m.entries && m.entries.length > 0) this.outbox.applied(m.entries);
        return undefined;
      default:
        return this.act(m);
    }
  }

  /** As its role has it. */
  private act(m: Message): RaftError | undefined {
    if (this.role === 'Leader') return stepLeader(this, m);
    if (this.role === 'Follower') return stepFollower(this, m);
    return stepCandidate(this, m);
  }

  /** Paper 5.1: whoever sees a later term follows it, whoever speaks of an earlier one is not heard; `m` is of another term than ours. False: drop the message. */
  private agreeOnTerm(m: Message): boolean {
    const from = m.from as NodeId;
    if (m.term > this.term) {
      if (m.type === 'MsgVote' || m.type === 'MsgPreVote') {
        // Paper 6, thesis 4.2.3: while a leader was heard of lately, nobody can disturb it by asking for votes.
        const inLease = this.config.checkQuorum && this.lead !== 0 && this.electionElapsed < this.config.electionTick;
        if (inLease && m.context !== CAMPAIGN_TRANSFER) return false;
      }
      // A pre-vote speaks of a term that nobody is in yet.
      if (m.type === 'MsgPreVote' || (m.type === 'MsgPreVoteResp' && !m.reject)) return true;
      this.becomeFollower(m.term, m.type === 'MsgApp' || m.type === 'MsgHeartbeat' || m.type === 'MsgSnap' ? from : 0);
      return true;
    }
    if ((this.config.checkQuorum || this.config.preVote) && (m.type === 'MsgHeartbeat' || m.type === 'MsgApp')) {
      // A leader of an earlier term is told of ours at once; our votes alone would not reach it, because others ignore them.
      this.send({ type: 'MsgAppResp', from: this.id, to: from, term: this.term });
    } else if (m.type === 'MsgPreVote') {
      // Our term lets a candidate with a longer log but an earlier term catch up.
      this.send({ type: 'MsgPreVoteResp', from: this.id, to: from, term: this.term, reject: true });
    } else if (m.type === 'MsgStorageAppendResp') this.outbox.appended(m.term, m.index ?? 0, m.logTerm ?? 0, m.snapshot);
    return false;
  }

  send(m: Message): void {
    this.outbox.send(m);
  }

  /** Gives entries their places at the end of the leader's log. False when too much is uncommitted already. */
  appendEntries(entries: readonly Entry[]): boolean {
    const limit = this.config.maxUncommittedEntriesSize;
    const size = payloadSize(entries);
    if (limit && this.uncommittedSize > 0 && size > 0 && this.uncommittedSize + size > limit) return false;
    this.uncommittedSize += size;
    let index = this.log.lastIndex();
    const placed = entries.map((e): Entry => {
      index++;
      if (e.confChange) return { term: this.term, index, type: e.type, confChange: e.confChange };
      return { term: this.term, index, type: e.type, data: e.data ?? '', note: e.note };
    });
    this.log.append(placed);
    if (this.config.trace) this.config.trace({ at: 'append', node: this.id, index, term: this.term, count: placed.length });
    // The leader is a follower of itself: its own acknowledgement comes when its disk is done.
    this.send({ type: 'MsgAppResp', from: this.id, to: this.id, term: this.term, index });
    return true;
  }

  // ---- what the host asks ----

  campaign(): RaftError | undefined {
    return this.handle({ type: 'MsgHup', from: this.id, to: this.id, term: 0 });
  }

  propose(data: string): RaftError | undefined {
    return this.proposeEntries([{ term: 0, index: 0, type: 'normal', data }]);
  }

  /** Several entries at once, which then share one append. */
  proposeEntries(entries: Entry[]): RaftError | undefined {
    return this.handle({ type: 'MsgProp', from: this.id, to: this.id, term: 0, entries });
  }

  proposeConfChange(cc: ConfChange): RaftError | undefined {
    return this.proposeEntries([{ term: 0, index: 0, type: cc.v1 ? 'confChange' : 'confChangeV2', confChange: cc }]);
  }

  /** The host calls this for every membership change it applies. Throws Error when the change makes no sense. */
  applyConfChange(cc: ConfChange): ConfState {
    // A snapshot came while the host was still applying what is before it: its configuration has this change in it.
    if (this.log.unstableSnapshot) return confStateOf(this.configuration);
    return switchTo(this, changed(this.configuration, cc));
  }

  readIndex(context: string): void {
    this.handle({ type: 'MsgReadIndex', from: this.id, to: this.id, term: 0, context });
  }

  transferLeader(to: NodeId): void {
    this.handle({ type: 'MsgTransferLeader', from: to, to: this.id, term: 0 });
  }

  forgetLeader(): RaftError | undefined {
    return this.handle({ type: 'MsgForgetLeader', from: this.id, to: this.id, term: 0 });
  }

  reportUnreachable(id: NodeId): void {
    this.handle({ type: 'MsgUnreachable', from: id, to: this.id, term: 0 });
  }

  reportSnapshot(id: NodeId, ok: boolean): void {
    this.handle({ type: 'MsgSnapStatus', from: id, to: this.id, term: 0, reject: !ok });
  }

  // ---- the way out (ready.ts) ----

  hasReady(): boolean {
    return this.outbox.hasReady();
  }

  /** What has come up since the last call. The host persists, sends and applies it, then calls `advance`. */
  ready(): Ready {
    return this.outbox.ready();
  }

  advance(): void {
    this.outbox.advance();
  }

  /** The host has applied up to `index`. A leader that was told to leave the joint configuration by itself proposes so now (thesis 4.3). */
  appliedTo(index: number, size: number): void {
    const { log } = this;
    log.appliedTo(Math.max(index, log.applied), size);
    if (this.configuration.autoLeave && log.applied >= this.pendingConfIndex && this.role === 'Leader') this.proposeConfChange({ changes: [] });
  }

  progress(id: NodeId): FollowerProgress | undefined {
    for (const peer of this.peers) if (peer.id === id) return peer.progress;
    return undefined;
  }

  /** How far a member is known to hold the log. One function for good: it is asked at every acknowledgement. */
  readonly matchOf = (id: NodeId): number => this.progress(id)?.match ?? 0;

  trace(at: TraceEvent['at'], value: number, why?: string): void {
    this.config.trace?.({ at, node: this.id, term: this.term, value, why });
  }

  readState(index: number, context: string): void {
    this.outbox.readState({ index, context });
  }

  status(): Status {
    const { log } = this;
    const status: Status = {
      id: this.id,
      role: this.role,
      term: this.term,
      vote: this.vote,
      lead: this.lead,
      commit: log.committed,
      applied: log.applied,
      firstIndex: log.firstIndex(),
      lastIndex: log.lastIndex(),
      leadTransferee: this.leadTransferee,
      conf: confStateOf(this.configuration),
      electionElapsed: this.electionElapsed,
      heartbeatElapsed: this.heartbeatElapsed,
      randomizedElectionTimeout: this.randomizedElectionTimeout,
    };
    if (this.role === 'Leader') status.progress = Object.fromEntries(this.peers.map(({ id, progress }) => [id, progress.view()]));
    return status;
  }

  setRandomizedElectionTimeout(ticks: number): void {
    this.randomizedElectionTimeout = ticks;
  }
}

/** Starts a member from what its storage holds. Throws RangeError for options it does not support. */
export function createRaft(config: Config, storage: Storage): Raft {
  return new RaftCore(config, storage);
}
