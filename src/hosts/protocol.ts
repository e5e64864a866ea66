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
  /** `kubelet@node-1`, `etcd@etcd-2`, `containerd@node-3`, `kube-apiserver@control-plane`: supervisors start it again unless `hold`. */
  | { readonly kind: 'kill'; readonly process: string; readonly hold?: boolean }
  | { readonly kind: 'start'; readonly process: string };

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
  | { readonly type: 'step'; readonly what: 'event' | 'fact' }
  | { readonly type: 'input'; readonly input: InputBody }
  /** Reads that do not disturb: GET, and watches with `watch=true`. Answered by response, then chunks (one JSON text each), then end. */
  | { readonly type: 'observe'; readonly id: number; readonly request: TextRequest }
  | { readonly type: 'stop-observing'; readonly id: number }
  /** The chain of causes behind an object (`Pod/default/web-1`) or a fact. Answered by `why`. */
  | { readonly type: 'why'; readonly id: number; readonly about: string }
  | { readonly type: 'trace'; readonly types: readonly string[] }
  | { readonly type: 'hash'; readonly id: number }
  | { readonly type: 'session'; readonly id: number };

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
  | { readonly type: 'hash'; readonly id: number; readonly hash: string }
  | { readonly type: 'session'; readonly id: number; readonly session: Session }
  /** An input that could not be carried out (a machine that does not exist) and has no answer of its own; the world goes on. */
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'crashed'; readonly message: string; readonly stack: string; readonly at: Instant; readonly events: number; readonly session: Session };

export interface WhyStep {
  readonly fact: Fact;
  /** One sentence in the present tense, e.g. `The scheduler bound Pod default/web-1 to node-2.` */
  readonly sentence: string;
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
  readonly cpu: { readonly allocatable: number; readonly requested: number };
  readonly memory: { readonly allocatable: number; readonly requested: number };
  readonly ready: 'True' | 'False' | 'Unknown' | 'Missing';
  readonly readyReason: string;
  readonly cordoned: boolean;
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
