/**
 * What the page and the world say to each other. The only file both sides import.
 *
 * API bodies cross as text, exactly as over HTTP; bulk state crosses once a frame as typed arrays.
 */
import type { Instant } from '../sim/clock.ts';
import type { Fact } from '../sim/trace.ts';

export type Fault =
  | { readonly kind: 'node-power'; readonly node: string; readonly on: boolean }
  | { readonly kind: 'partition'; readonly groups: readonly (readonly string[])[] }
  | { readonly kind: 'heal' }
  | { readonly kind: 'latency'; readonly from: string; readonly to: string; readonly micros: number }
  /** One direction between two machines. `mend` undoes it; `heal` mends everything that was cut. */
  | { readonly kind: 'cut'; readonly from: string; readonly to: string }
  | { readonly kind: 'mend'; readonly from: string; readonly to: string }
  /** Of a hundred messages of Raft from one member's machine to another's so many are lost, or come twice; each is late by up to `micros` and may be overtaken. 0: no more. */
  | { readonly kind: 'loss'; readonly from: string; readonly to: string; readonly percent: number }
  | { readonly kind: 'duplicate'; readonly from: string; readonly to: string; readonly percent: number }
  | { readonly kind: 'reorder'; readonly from: string; readonly to: string; readonly micros: number }
  /** One message of Raft that is under way, by its number. */
  | { readonly kind: 'raft-drop'; readonly id: number }
  | { readonly kind: 'raft-delay'; readonly id: number; readonly micros: number }
  /** A member's election timer runs out now. `member`: its machine. */
  | { readonly kind: 'raft-timeout'; readonly member: string }
  /** SIGSTOP, and SIGCONT: its timers stand still, messages wait at its sockets. */
  | { readonly kind: 'pause'; readonly process: string; readonly on: boolean }
  /** How long the disk of the etcd on a machine takes for every sync; 0: as usual. */
  | { readonly kind: 'disk'; readonly machine: string; readonly micros: number }
  /** All members are restarted with other times: `etcd` (its defaults), `paper`, `teaching`, `classroom` (kubernetes/etcd/raft/config.ts). */
  | { readonly kind: 'etcd-timing'; readonly preset: string }
  | { readonly kind: 'disk-full'; readonly machine: string; readonly on: boolean }
  /** A machine's clock: so many thousandths of a second pass for its processes in one. 1000: as it should. */
  | { readonly kind: 'clock'; readonly machine: string; readonly permille: number }
  /** `kubelet@node-1`, `etcd@etcd-2`, `containerd@node-3`, `kube-apiserver@control-plane`: supervisors start it again unless `hold`. */
  | { readonly kind: 'kill'; readonly process: string; readonly hold?: boolean }
  /** Not the cluster's but the simulator's own: the world stops with an exception. For seeing what the page does then. */
  | { readonly kind: 'crash-simulator' }
  | { readonly kind: 'start'; readonly process: string }
  /** One controller of the manager: its queue hands out nothing, while all others work on. */
  | { readonly kind: 'pause-loop'; readonly loop: string; readonly on: boolean }
  /** A paused controller works on one key: this one, or the next in its line. */
  | { readonly kind: 'step-loop'; readonly loop: string; readonly key?: string }
  /** A new machine with an etcd on it that wants to join the others. */
  | { readonly kind: 'add-etcd'; readonly machine: string };

/** Text form of an API request, as HTTP would carry it. */
export interface TextRequest {
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export type InputBody =
  /** `upgrade`: an exec or attach, whose caller goes on sending `frame`s under the same id. */
  | { readonly type: 'request'; readonly id: number; readonly request: TextRequest; readonly upgrade?: boolean }
  /** A frame of `v5.channel.k8s.io`; without one, the caller closed the connection. */
  | { readonly type: 'frame'; readonly id: number; readonly frame?: { readonly channel: 0 | 1 | 2 | 3 | 4 | 255; readonly data: string } }
  /** The client of a `request` that is answered by a stream (a watch, a followed log, an exec) has gone: it closed its connection. */
  | { readonly type: 'hang-up'; readonly id: number }
  | { readonly type: 'keys'; readonly terminal: string; readonly text: string }
  | { readonly type: 'resize'; readonly terminal: string; readonly columns: number; readonly rows: number }
  | { readonly type: 'run'; readonly id: number; readonly command: string }
  | { readonly type: 'fault'; readonly fault: Fault };
/** `event`: how many events had fired when the loop took it. Replaying applies it at exactly that point. */
export type Input = { readonly at: Instant; readonly event: number } & InputBody;

/** A session is fully told by this: replaying it gives the same world, bit for bit. */
export interface Session {
  readonly build: string;
  readonly seed: number;
  readonly topology: string;
  readonly inputs: readonly Input[];
}

export type ToWorld =
  | { readonly type: 'boot'; readonly session: Session; readonly factor: number }
  /** Virtual seconds per real second; 0 is paused. */
  | { readonly type: 'speed'; readonly factor: number; readonly skipIdle: boolean }
  /** One event; or until something of the story happens (no chatter); paused afterwards. */
  | { readonly type: 'step'; readonly what: StepKind }
  | { readonly type: 'input'; readonly input: InputBody }
  /** Reads that do not disturb: GET, and watches with `watch=true`. Answered by response, then chunks (one JSON text each), then end. */
  | { readonly type: 'observe'; readonly id: number; readonly request: TextRequest }
  | { readonly type: 'stop-observing'; readonly id: number }
  /** The chain of causes behind an object (`Pod/default/web-1`) or a fact. Answered by `why`. */
  | { readonly type: 'why'; readonly id: number; readonly about: string }
  /** The requests the API server was asked lately, newest first. Answered by `journeys`. */
  | { readonly type: 'journeys'; readonly id: number; readonly query: JourneyQuery }
  /** One request's way, by the id of any fact of it or after it. Answered by `journey`. */
  | { readonly type: 'journey'; readonly id: number; readonly fact: number }
  | { readonly type: 'trace'; readonly types: readonly string[] }
  | { readonly type: 'hash'; readonly id: number }
  | { readonly type: 'session'; readonly id: number }
  /** While `open`, a `consensus` picture comes whenever it changed, at most one a frame. `end`: the last entry of the log to show; without it, the newest. Reads only. */
  | { readonly type: 'consensus'; readonly open: boolean; readonly end?: number }
  /** An entry of a member's log, decoded. Answered by `entry`. */
  | { readonly type: 'entry'; readonly id: number; readonly member: string; readonly index: number }
  /** While `open`, a `loops` picture comes whenever it changed. `chosen`: the loop that is told closely; `step`: the one a step to the next reconcile means. Reads only. */
  | { readonly type: 'loops'; readonly open: boolean; readonly chosen?: string; readonly step?: string }
  /** Pods the scheduler has had to do with lately, newest first. Answered by `scheduled`. */
  | { readonly type: 'scheduled'; readonly id: number; readonly query: SchedulingQuery }
  /** Every attempt of a pod (`namespace/name`), and what would help if it is pending now. Answered by `scheduling`. */
  | { readonly type: 'scheduling'; readonly id: number; readonly pod: string }
  /** All breakpoints there are from now on. The world stands still when one comes true, and says `broke`. */
  | { readonly type: 'break-on'; readonly breakpoints: readonly Breakpoint[] };

/** How far a step goes: one event; until something of the story happens; until the next Raft message arrives; until a loop has ended a reconcile (`loops` says which loop). */
export type StepKind = 'event' | 'fact' | 'message' | 'reconcile';

export type FromWorld =
  | {
      readonly type: 'clock';
      readonly now: Instant;
      readonly events: number;
      readonly factor: number /** Virtual microseconds the world is behind what the factor asks for. */;
      readonly lag: number;
      readonly idle: boolean;
    }
  | Frame
  | { readonly type: 'response'; readonly id: number; readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly text: string }
  | { readonly type: 'chunk'; readonly id: number; readonly text: string }
  | { readonly type: 'end'; readonly id: number; readonly error?: string }
  | { readonly type: 'terminal'; readonly terminal: string; readonly text: string }
  | { readonly type: 'ran'; readonly id: number; readonly stdout: string; readonly stderr: string; readonly exitCode: number }
  | { readonly type: 'trace'; readonly facts: readonly Fact[]; readonly skipped: number }
  | { readonly type: 'why'; readonly id: number; readonly chain: readonly WhyStep[] }
  | { readonly type: 'journeys'; readonly id: number; readonly requests: readonly JourneyRequest[]; readonly more: boolean }
  /** Undefined when the trace no longer reaches back that far. */
  | { readonly type: 'journey'; readonly id: number; readonly journey: Journey | undefined }
  | { readonly type: 'scheduled'; readonly id: number; readonly pods: readonly ScheduledPod[]; readonly more: boolean }
  /** Undefined when the trace no longer reaches back that far. */
  | { readonly type: 'scheduling'; readonly id: number; readonly scheduling: Scheduling | undefined }
  | { readonly type: 'hash'; readonly id: number; readonly hash: string }
  | { readonly type: 'session'; readonly id: number; readonly session: Session }
  | ConsensusPicture
  | LoopsPicture
  | { readonly type: 'entry'; readonly id: number; readonly entry?: EntryDetail }
  /** A breakpoint came true: the world stands at exactly that event. */
  | { readonly type: 'broke'; readonly breakpoint: Breakpoint; readonly sentence: string }
  /** An input that could not be carried out (a machine that does not exist) and has no answer of its own; the world goes on. */
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'crashed'; readonly message: string; readonly stack: string; readonly at: Instant; readonly events: number; readonly session: Session };

export interface WhyStep {
  readonly fact: Fact;
  /** One sentence in the present tense, e.g. `The scheduler bound Pod default/web-1 to node-2.` */
  readonly sentence: string;
}

/** Which requests; what is left out does not matter. */
export interface JourneyQuery {
  /** Words that all occur in the resource, the name, the user, the verb or the code. */
  readonly words?: string;
  readonly verb?: string;
  readonly outcome?: 'accepted' | 'refused' | 'waiting';
  /** `people`: typed at the laptop or sent from the page, not asked by what runs in the cluster. */
  readonly who?: 'people' | 'components';
  readonly limit: number;
}

/** One request, as the list of them has it. */
export interface JourneyRequest {
  /** Of its `api.request` fact. */
  readonly id: number;
  readonly at: Instant;
  readonly verb: string;
  readonly method: string;
  readonly path: string;
  /** With the subresource: `deployments`, `pods/binding`. */
  readonly resource: string;
  readonly about: string;
  readonly user: string;
  /** HTTP status, once there is an answer; with what a refusal says. */
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  /** Virtual microseconds from arrival to answer. */
  readonly took?: number;
}

/** The stations of a request, in the order it passes them. */
export const STAGES = [
  'client',
  'authn',
  'audit',
  'impersonate',
  'apf',
  'authz',
  'decode',
  'mutate',
  'validate',
  'admit',
  'etcd',
  'raft',
  'apply',
  'cache',
  'watchers',
] as const;
export type StageId = (typeof STAGES)[number];
export interface JourneyStage {
  readonly id: StageId;
  /** `none`: it has no business there (a read is not validated). `ahead`: not reached, and never will be after a refusal. */
  readonly state: 'passed' | 'none' | 'stopped' | 'waiting' | 'ahead';
  /** When it was through. */
  readonly at?: Instant;
  /** Virtual microseconds since the station before. */
  readonly took?: number;
  /** The process, e.g. `etcd@etcd-2`. */
  readonly by: string;
  /** What the stamp on the ticket says, in a few words. */
  readonly stamp: string;
  readonly notes: readonly { readonly label: string; readonly text: string }[];
  /** The objects that decided here: a binding, a webhook, a quota. */
  readonly policies: readonly JourneyPolicy[];
  readonly changes: readonly JourneyChange[];
}
export interface JourneyPolicy {
  readonly kind: string;
  readonly name: string;
  /** Where the API keeps it. */
  readonly url: string;
}
/** An object before and after; without one of them it came to be or ceased to be here. */
export interface JourneyChange {
  readonly title: string;
  readonly before?: object;
  readonly after?: object;
}

/** What followed: a request, or somebody who acts on what they saw. */
export interface JourneyNode {
  /** Of the first fact. */
  readonly id: number;
  readonly kind: 'request' | 'actor';
  readonly at: Instant;
  /** `replicaset-controller`, `kubelet@node-2`; of a request its verb. */
  readonly title: string;
  readonly about: string;
  readonly request?: JourneyRequest;
  /** What an actor did, first to last. */
  readonly steps: readonly { readonly id: number; readonly at: Instant; readonly type: string; readonly text: string }[];
  readonly children: readonly JourneyNode[];
}

export interface Journey {
  readonly request: JourneyRequest;
  readonly stages: readonly JourneyStage[];
  /** Where it stands or ended; of one that went all the way, the last station. */
  readonly stage: StageId;
  /** Who caused it, nearest first, ending with the root: a command, a timer, a fault, the boot. `request`: that step belongs to another request. */
  readonly causes: readonly { readonly fact: number; readonly sentence: string; readonly request?: number }[];
  /** The other requests of the same command. */
  readonly siblings: readonly JourneyRequest[];
  readonly followed: readonly JourneyNode[];
  /** Requests in `followed`, and how many more there were than are told. */
  readonly counts: { readonly requests: number; readonly untold: number };
}

/** At most one per animation frame; everything that changed since the one before. */
export interface Frame {
  readonly type: 'frame';
  readonly now: Instant;
  readonly events: number;
  /** True for the first frame after boot: forget what came before. */
  readonly reset: boolean;
  /** New or changed machines, whole. Few, so plain. */
  readonly nodes: readonly NodeRecord[];
  readonly removedNodes: readonly number[];
  /** Identity of new pods. An index is never used again. */
  readonly pods: readonly PodRecord[];
  readonly removedPods: readonly number[];
  /** POD_FIELDS integers per changed pod: index, nodeIndex (-1: unscheduled), slot (place in the node's grid, or on the shelf), status (PodStatus), flags (PodFlag), restarts. Transferred. */
  readonly podChanges: Int32Array;
  /** Rich detail for close zoom; of changed pods, in clusters under 2,000 pods. */
  readonly podDetails: readonly PodDetail[];
  readonly services: readonly ServiceRecord[];
  readonly removedServices: readonly string[];
  readonly members: readonly EtcdMemberRecord[];
  /** Latest Events, newest last; a bounded list of its own so that none is lost to coalescing. */
  readonly happenings: readonly Happening[];
}

export const POD_FIELDS = 6;
/** The status palette's six: shape first, then colour. */
export const PodStatus = { Healthy: 0, Progress: 1, Degraded: 2, Failed: 3, Completed: 4, Unknown: 5 } as const;
export const PodFlag = { Terminating: 1, Unschedulable: 2, Static: 4, DaemonSet: 8, Ready: 16 } as const;

/** What of a node's resource can be given away, has been promised, and is really in use lately. */
export interface NodeShare {
  readonly allocatable: number;
  readonly requested: number;
  readonly used: number;
}
export interface NodeRecord {
  readonly index: number;
  readonly uid: string;
  readonly name: string;
  /** Shelf it stands on: a zone, or `etcd` for machines outside the cluster. */
  readonly group: string;
  readonly roles: readonly string[];
  readonly ip: string;
  readonly podCidr: string;
  readonly slots: number;
  /** Milli-cpu and MiB. */
  readonly cpu: NodeShare;
  readonly memory: NodeShare;
  readonly ready: 'True' | 'False' | 'Unknown' | 'Missing';
  readonly readyReason: string;
  readonly cordoned: boolean;
  /** Conditions of shortage that hold: `MemoryPressure`. */
  readonly pressures: readonly string[];
  readonly taints: readonly string[];
  /** Known to the simulation, not to the API: is the machine on, are its services up. */
  readonly powered: boolean;
  readonly kubelet: 'running' | 'stopped';
}
export interface PodRecord {
  readonly index: number;
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** The workload it belongs to, e.g. `Deployment/web`, or its own name. */
  readonly owner: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: Instant;
}
export interface PodDetail {
  readonly index: number;
  readonly ip: string;
  /** As kubectl's STATUS column: `Running`, `ContainerCreating`, `CrashLoopBackOff`. */
  readonly status: string;
  readonly message: string;
  readonly qos: string;
  readonly containers: readonly {
    readonly name: string;
    readonly kind: 'init' | 'sidecar' | 'main' | 'ephemeral';
    readonly image: string;
    /** Nobody here knows the image's program: a server stands in for it. */
    readonly assumed: boolean;
    readonly state: 'waiting' | 'running' | 'terminated';
    readonly reason: string;
    readonly ready: boolean;
    readonly restarts: number;
  }[];
}
export interface ServiceRecord {
  readonly key: string;
  readonly type: string;
  readonly clusterIP: string;
  readonly ports: string;
  readonly selector: Readonly<Record<string, string>>;
  /** uids of pods behind it, ready or not. */
  readonly endpoints: readonly { readonly uid: string; readonly ready: boolean }[];
}
export interface EtcdMemberRecord {
  readonly name: string;
  readonly host: string;
  readonly role: 'Follower' | 'PreCandidate' | 'Candidate' | 'Leader' | 'Stopped';
  readonly term: number;
  readonly commit: number;
  readonly revision: number;
}
export interface Happening {
  readonly at: Instant;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly about: string;
  readonly source: string;
  readonly count: number;
}

/** A condition on the world that stops the clock when it becomes true. */
export type Breakpoint =
  /** Two members hold themselves for leader: one of them is stale. */
  | { readonly kind: 'two-leaders' }
  /** A member has reached a term above this. */
  | { readonly kind: 'term-above'; readonly term: number }
  /** An entry was committed beyond all that were when this was set. */
  | { readonly kind: 'commit-advances' }
  /** A fact of the trace: of this type and, when given, about this. */
  | { readonly kind: 'fact'; readonly fact: string; readonly about?: string };

/** What the Consensus view draws. Bounded: at most CONSENSUS_COLUMNS entries a member, at most CONSENSUS_MESSAGES messages. */
export interface ConsensusPicture {
  readonly type: 'consensus';
  readonly now: Instant;
  readonly members: readonly ConsensusMember[];
  /** On the wires between members, the next to arrive first. */
  readonly messages: readonly RaftFlight[];
  /** Pairs of members whose messages do not arrive, in this direction. */
  readonly cut: readonly (readonly [from: string, to: string])[];
  /** Directions on which single messages are lost or come twice (of a hundred), or are late by up to so many microseconds. */
  readonly weather: readonly WireWeather[];
  /** How many messages were sent since the view was opened, by direction and kind. */
  readonly sent: readonly RaftTraffic[];
  /** Columns of the log grid: indices `first` to `last`; `newest` is the last index any member has. */
  readonly window: { readonly first: number; readonly last: number; readonly newest: number };
  /** Logs that changed since the picture before, in the window. */
  readonly logs: readonly { readonly member: string; readonly first: number; readonly terms: readonly number[] }[];
  /** Entries seen for the first time. Term and index name an entry: no two members hold different ones under the same. */
  readonly entries: readonly EntrySummary[];
}
export const CONSENSUS_COLUMNS = 40;
export const CONSENSUS_MESSAGES = 200;

export interface ConsensusMember {
  readonly name: string;
  /** As etcdctl prints and takes it; empty before it has joined. */
  readonly id: string;
  readonly peerURL: string;
  /** `joining`: its machine runs an etcd that no cluster knows yet. */
  readonly state: 'running' | 'stopped' | 'paused' | 'off' | 'joining';
  readonly role: 'Follower' | 'PreCandidate' | 'Candidate' | 'Leader';
  readonly learner: boolean;
  readonly term: number;
  /** Names; empty: nobody. */
  readonly vote: string;
  readonly lead: string;
  readonly commit: number;
  readonly applied: number;
  /** Of its log; what lies before is in its snapshot. */
  readonly first: number;
  readonly last: number;
  /** Ticks (of 100 ms on its own clock) since it heard of a leader, and how many it waits before it stands for election. */
  readonly elapsed: number;
  readonly timeout: number;
  readonly tickMicros: number;
  /** Microseconds on its own clock: between two heartbeats of a leader, and of the shortest election timeout it draws. */
  readonly heartbeat: number;
  readonly election: number;
  /** Of a candidate: what each voter has answered; one without an entry has not. */
  readonly votes: readonly { readonly member: string; readonly granted: boolean }[];
  readonly voters: readonly string[];
  /** Of a leader. */
  readonly progress: readonly FollowerProgress[];
  /** Microseconds a write to its disk takes at least, when a fault made it slow. */
  readonly disk?: number;
  /** Its clock's rate in thousandths, when a fault changed it. */
  readonly clock?: number;
}
export interface FollowerProgress {
  readonly member: string;
  readonly state: 'Probe' | 'Replicate' | 'Snapshot';
  readonly match: number;
  readonly next: number;
  readonly paused: boolean;
}
export interface RaftFlight {
  readonly id: number;
  readonly from: string;
  readonly to: string;
  /** `MsgApp`, `MsgVoteResp`, … */
  readonly kind: string;
  readonly term: number;
  readonly entries: number;
  readonly reject: boolean;
  /** Of the entry before those it carries, of the candidate's last, or the newest the answer speaks of. */
  readonly index?: number;
  readonly logTerm?: number;
  readonly commit?: number;
  readonly sentAt: Instant;
  readonly arrivesAt: Instant;
}
export interface WireWeather {
  readonly from: string;
  readonly to: string;
  readonly loss: number;
  readonly duplicate: number;
  readonly reorder: number;
}
export interface RaftTraffic {
  readonly from: string;
  readonly to: string;
  readonly kind: string;
  readonly count: number;
}
export interface EntrySummary {
  readonly term: number;
  readonly index: number;
  /** `create`, `update`, `delete`, `put`, `txn`, `lease`, `compact`, `member`, `empty` (a leader's first), `other`. */
  readonly verb: string;
  /** Key, or what else it is about. */
  readonly about: string;
  /** When the key is where the API server keeps an object. */
  readonly object?: { readonly kind: string; readonly namespace: string; readonly name: string };
}
export interface EntryDetail extends EntrySummary {
  readonly value: string;
  /** Other keys of the same transaction. */
  readonly also: readonly string[];
  /** The fact it follows from; 0: none is known. */
  readonly cause: number;
  /** Bytes in the log. */
  readonly size: number;
}

/** What the Loops view draws: who works on what, and how far the world is from what is asked for. */
export interface LoopsPicture {
  readonly type: 'loops';
  readonly now: Instant;
  readonly leases: readonly LoopLease[];
  /** Every loop there is, in a fixed order. */
  readonly order: readonly string[];
  /** Those that changed since the picture before. */
  readonly loops: readonly LoopRecord[];
  /** The chosen one. */
  readonly closely: LoopClosely | undefined;
}
/** Who of several copies acts. */
export interface LoopLease {
  readonly component: string;
  /** Identity of the holder; empty: nobody holds it. */
  readonly holder: string;
  /** Where the holder runs; empty: it is gone. */
  readonly node: string;
  /** Whoever sees it unrenewed until then takes it. */
  readonly expiresAt: Instant;
  readonly copies: readonly { readonly identity: string; readonly node: string; readonly state: 'leads' | 'waits' | 'paused' }[];
}
/** What has one conveyor: a controller, the scheduler, a kubelet. Bounded: LOOP_KEYS keys of a kind, LOOP_ENDS results. */
export interface LoopRecord {
  /** `replicaset-controller`, `kube-scheduler`, `kubelet@node-1`. */
  readonly id: string;
  readonly role: 'controller' | 'scheduler' | 'kubelet';
  readonly group: LoopGroup;
  /** What it looks after; empty: nothing in particular. */
  readonly kind: string;
  /** `kube-controller-manager@control-plane`; empty while it runs nowhere. */
  readonly where: string;
  readonly state: 'running' | 'paused' | 'stopped';
  /** Has a queue of keys: it can be let work on one. */
  readonly steps: boolean;
  readonly pipes: readonly LoopPipe[];
  readonly waiting: readonly LoopKey[];
  readonly waitingCount: number;
  readonly working: readonly LoopWork[];
  readonly workingCount: number;
  readonly delayed: readonly LoopDelay[];
  readonly delayedCount: number;
  /** The latest results, newest first. */
  readonly ends: readonly LoopEnd[];
  /** As far back as facts are remembered. */
  readonly counts: { readonly ended: number; readonly failed: number; readonly writes: number };
  /** Ended in the last ten virtual seconds. */
  readonly lately: number;
  /** Missing (below 0) and too many (above 0), summed over the objects that are not as asked for. */
  readonly drift: { readonly missing: number; readonly extra: number; readonly objects: number };
}
export const LOOP_KEYS = 12;
export const LOOP_ENDS = 12;
export const LOOP_RECONCILES = 40;
export type LoopGroup = 'workloads' | 'placement' | 'network' | 'nodes' | 'housekeeping';
/** A watch whose events wake it. */
export interface LoopPipe {
  readonly kind: string;
  /** In its local copy. */
  readonly objects: number;
  /** Told since the view was opened. */
  readonly events: number;
  readonly watching: boolean;
}
export interface LoopKey {
  /** `Deployment/default/web` */
  readonly about: string;
  /** How often it was asked for since it was last taken: all but one were merged. */
  readonly adds: number;
  /** Of the fact that asked for it. */
  readonly fact: number;
  /** It is being worked on, and waits for the end of that. */
  readonly after: boolean;
}
export interface LoopWork {
  readonly about: string;
  readonly since: Instant;
  readonly fact: number;
  readonly requests: number;
}
export interface LoopDelay {
  readonly about: string;
  readonly at: Instant;
  /** Failures in a row; 0: its controller asked for a later look. */
  readonly requeues: number;
  /** What it was told to wait in all. */
  readonly delay: number;
}
export interface LoopEnd {
  /** Of the fact it began with. */
  readonly fact: number;
  readonly about: string;
  readonly outcome: 'ok' | 'retry';
  readonly at: Instant;
  readonly took: number;
  readonly writes: number;
  readonly error: string;
}
export interface LoopDrift {
  readonly about: string;
  /** `pods`, `a node`, `ready endpoints` */
  readonly what: string;
  readonly desired: number;
  readonly observed: number;
}
/** A request made while a key was worked on. */
export interface LoopRequest {
  readonly fact: number;
  readonly verb: string;
  readonly resource: string;
  readonly about: string;
  readonly code?: number;
}
export interface LoopReconcile extends LoopEnd {
  readonly requests: readonly LoopRequest[];
  /** Why the key was in the queue. */
  readonly cause: string;
}
export interface LoopClosely {
  readonly id: string;
  readonly drifts: readonly LoopDrift[];
  /** Objects that are as asked for, beyond those told. */
  readonly level: number;
  readonly causes: readonly { readonly fact: number; readonly sentence: string }[];
  readonly reconciles: readonly LoopReconcile[];
  /** Of keys that fail: every delay in a row, oldest first. */
  readonly backoffs: readonly { readonly about: string; readonly delays: readonly number[] }[];
}

export interface SchedulingQuery {
  /** All of them must be in the pod's key, its node or the message. */
  readonly words?: string;
  readonly pending?: boolean;
  readonly limit: number;
}
/** Where a pod is with the scheduler: it has a node; no node would do; a gate holds it; it waits or is being tried. */
export type SchedulingState = 'bound' | 'unschedulable' | 'gated' | 'waiting';
export interface ScheduledPod {
  /** `namespace/name`. */
  readonly key: string;
  /** Of its newest fact. */
  readonly at: Instant;
  readonly attempts: number;
  readonly state: SchedulingState;
  /** The node, or why there is none. */
  readonly says: string;
}
/** Nodes with one and the same verdict of Filter. */
export interface VerdictGroup {
  readonly plugin: string;
  readonly reasons: readonly string[];
  readonly unresolvable: boolean;
  readonly nodes: readonly string[];
}
export interface ScoreColumn {
  readonly plugin: string;
  readonly weight: number;
  /** In the order of the feasible nodes. */
  readonly raw: readonly number[];
  readonly normalized: readonly number[];
}
export interface SchedulingAttempt {
  /** From 1. */
  readonly attempt: number;
  /** The fact it began with. */
  readonly fact: number;
  readonly at: Instant;
  readonly scheduler: string;
  /** What put the pod into the queue for it: upstream's name of the event, and the plugin whose hint took it for a reason. */
  readonly trigger: { readonly event: string; readonly plugin?: string; readonly at: Instant };
  readonly filter?: {
    readonly total: number;
    readonly evaluated: number;
    readonly feasible: number;
    /** As the event counts them: `3 Insufficient cpu`. */
    readonly reasons: readonly string[];
    readonly skipped: readonly string[];
  };
  /** Nothing: the world has forgotten it (it keeps the latest). */
  readonly record?: {
    readonly rejected: readonly VerdictGroup[];
    readonly rest: Omit<VerdictGroup, 'nodes'> | undefined;
    readonly feasible: readonly string[];
    readonly scores: readonly ScoreColumn[];
    readonly totals: readonly number[];
  };
  /** How many nodes shared the highest total. */
  readonly ties: number;
  readonly preemption?: {
    readonly node: string;
    readonly victims: readonly { readonly pod: string; readonly priority: number; readonly violatesBudget: boolean }[];
    readonly candidates: readonly { readonly node: string; readonly victims: number; readonly violations: number; readonly highestPriority: number }[];
    readonly considered: number;
    readonly message: string;
  };
  /** Plugins that made it wait at Permit. */
  readonly permit: readonly string[];
  readonly end: 'bound' | 'unschedulable' | 'failed' | 'under way';
  readonly node: string;
  /** The whole text of the event, when no node would do or binding failed. */
  readonly message: string;
}
/** Something that would help: tried on a copy of the cluster. */
export interface SchedulingFix {
  readonly what: string;
  /** Where the pod would go then. */
  readonly node: string;
  /** The command that does it; nothing when no single one does. */
  readonly command?: string;
}
export interface Scheduling {
  readonly pod: string;
  readonly state: SchedulingState;
  readonly says: string;
  readonly attempts: readonly SchedulingAttempt[];
  /** What holds it before the queue. */
  readonly gate?: { readonly plugin: string; readonly reason: string; readonly at: Instant };
  /** Until when it rests before the next attempt. */
  readonly restsUntil?: Instant;
  /** Filter's plugins in the order they are asked. */
  readonly filters: readonly string[];
  /** Looked at now, whatever the attempts found: only of a pod that is pending. */
  readonly now?: {
    /** It would be placed at the next attempt. */
    readonly node?: string;
    readonly shortOf: readonly { readonly resource: string; readonly need: string; readonly maxFree: string; readonly maxFreeNode: string }[];
    readonly fixes: readonly SchedulingFix[];
  };
}
