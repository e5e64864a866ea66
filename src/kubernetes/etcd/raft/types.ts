/**
 * The words Raft is spoken in: the names of etcd-io/raft, so that its scenarios can be replayed here.
 *
 * The core is synchronous and pure: no timers, no disk, no network, no chance of its own. All inputs
 * come through the calls of `Raft`, all outputs through `ready()`. 0 means "no node".
 *
 * "Paper" below is Ongaro and Ousterhout, In Search of an Understandable Consensus Algorithm (extended
 * version); "thesis" is Ongaro, Consensus: Bridging Theory and Practice.
 */
export type NodeId = number;
export type Endpoint = NodeId | 'append' | 'apply'; // local storage threads (async mode only)
export type Role = 'Follower' | 'PreCandidate' | 'Candidate' | 'Leader';
export type MessageType =
  | 'MsgHup'
  | 'MsgBeat'
  | 'MsgProp'
  | 'MsgApp'
  | 'MsgAppResp'
  | 'MsgVote'
  | 'MsgVoteResp'
  | 'MsgSnap'
  | 'MsgHeartbeat'
  | 'MsgHeartbeatResp'
  | 'MsgUnreachable'
  | 'MsgSnapStatus'
  | 'MsgCheckQuorum'
  | 'MsgTransferLeader'
  | 'MsgTimeoutNow'
  | 'MsgReadIndex'
  | 'MsgReadIndexResp'
  | 'MsgPreVote'
  | 'MsgPreVoteResp'
  | 'MsgStorageAppend'
  | 'MsgStorageAppendResp'
  | 'MsgStorageApply'
  | 'MsgStorageApplyResp'
  | 'MsgForgetLeader';

export interface ConfChange {
  v1?: boolean; // one change, one-at-a-time protocol
  transition?: 'auto' | 'implicit' | 'explicit'; // default 'auto'
  changes: { type: 'addVoter' | 'addLearner' | 'remove' | 'update'; node: NodeId }[]; // [] = leave joint
  context?: string;
}
export interface Entry {
  term: number;
  index: number;
  type: 'normal' | 'confChange' | 'confChangeV2';
  data?: string; // normal entries; '' = leader's empty entry
  confChange?: ConfChange;
  /** Anything the host keeps beside the data, such as its decoded form; raft passes it on unread. */
  note?: unknown;
}
export interface ConfState {
  voters: NodeId[];
  votersOutgoing: NodeId[];
  learners: NodeId[];
  learnersNext: NodeId[];
  autoLeave: boolean;
}
export interface Snapshot {
  index: number;
  term: number;
  conf: ConfState;
  data: string;
}
export interface HardState {
  term: number;
  vote: NodeId;
  commit: number;
}
export interface SoftState {
  lead: NodeId;
  role: Role;
}

// Paper names: RequestVote = MsgVote{term, from: candidateId, index: lastLogIndex, logTerm: lastLogTerm};
// AppendEntries = MsgApp{term, from: leaderId, index: prevLogIndex, logTerm: prevLogTerm, entries, commit: leaderCommit};
// InstallSnapshot = MsgSnap{term, from, snapshot}. Missing numeric fields mean 0, missing reject means false.
export interface Message {
  type: MessageType;
  from: Endpoint;
  to: Endpoint;
  term: number;
  logTerm?: number;
  index?: number;
  entries?: Entry[];
  commit?: number;
  vote?: NodeId;
  reject?: boolean;
  rejectHint?: number;
  snapshot?: Snapshot;
  context?: string;
  responses?: Message[]; // MsgStorageAppend / MsgStorageApply only
}

export interface Storage {
  // what the core may READ; supplied by the host (simulated disk)
  initialState(): { hardState: HardState; conf: ConfState };
  firstIndex(): number;
  lastIndex(): number;
  term(index: number): number; // throws RangeError('compacted' | 'unavailable')
  entries(lo: number, hi: number, maxBytes?: number): Entry[]; // [lo, hi)
  snapshot(): Snapshot; // most recent state-machine snapshot
}
export interface Config {
  id: NodeId;
  electionTick: number;
  heartbeatTick: number;
  applied?: number;
  preVote?: boolean;
  checkQuorum?: boolean;
  readOnly?: 'safe' | 'lease-based';
  asyncStorageWrites?: boolean;
  maxSizePerMsg?: number;
  maxInflightMsgs?: number;
  maxInflightBytes?: number;
  maxCommittedSizePerReady?: number;
  maxUncommittedEntriesSize?: number;
  disableProposalForwarding?: boolean;
  disableConfChangeValidation?: boolean;
  stepDownOnRemoval?: boolean;
  random: (n: number) => number; // seeded: integer in [0, n)
  trace?: (e: TraceEvent) => void; // for the drawing and the learner's log
}
export type TraceEvent = { at: 'role' | 'term' | 'vote' | 'append' | 'truncate' | 'commit' | 'conf' | 'reject' | 'timer'; node: NodeId; [k: string]: unknown };

export interface Ready {
  softState?: SoftState;
  hardState?: HardState; // only when changed
  entries: Entry[];
  snapshot?: Snapshot; // to persist before `messages` leave
  committedEntries: Entry[];
  messages: Message[];
  readStates: { index: number; context: string }[];
  mustSync: boolean;
}
export interface Progress {
  state: 'Probe' | 'Replicate' | 'Snapshot';
  match: number;
  next: number;
  learner: boolean;
  paused: boolean;
  pendingSnapshot: number;
  recentActive: boolean;
  inflight: number;
  full: boolean;
}
export interface Status {
  id: NodeId;
  role: Role;
  term: number;
  vote: NodeId;
  lead: NodeId;
  commit: number;
  applied: number;
  firstIndex: number;
  lastIndex: number;
  leadTransferee: NodeId;
  conf: ConfState;
  electionElapsed: number;
  heartbeatElapsed: number;
  randomizedElectionTimeout: number;
  progress?: Record<NodeId, Progress>; // leader only
}
export type RaftError = 'raft proposal dropped' | 'raft: cannot step raft local message' | 'raft: cannot step as peer not found';

export interface Raft {
  tick(): void;
  step(m: Message): RaftError | void;
  campaign(): RaftError | void;
  propose(data: string): RaftError | void;
  proposeConfChange(cc: ConfChange): RaftError | void;
  applyConfChange(cc: ConfChange): ConfState; // host calls it for every committed conf-change entry
  readIndex(context: string): void; // answer appears in Ready.readStates
  transferLeader(to: NodeId): void;
  forgetLeader(): RaftError | void;
  reportUnreachable(id: NodeId): void;
  reportSnapshot(id: NodeId, ok: boolean): void;
  hasReady(): boolean;
  ready(): Ready; // host: persist -> send -> apply -> advance()
  advance(): void; // not used in async mode
  status(): Status;
  setRandomizedElectionTimeout(ticks: number): void; // test hook
}
