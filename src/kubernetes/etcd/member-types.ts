/** What a member of etcd is told when it starts, and what whoever started it may do with it. */
import type { Duration, Instant } from '../../sim/clock.ts';
import type { EtcdServer, MemberInfo } from './api.ts';
import type { EtcdDisk } from './disk.ts';
import type { MvccStore } from './mvcc.ts';
import type { RaftCore } from './raft/raft.ts';
import type { Entry, Role } from './raft/types.ts';

export interface EtcdOptions {
  readonly name: string;
  /** Where clients reach it: `http://10.0.0.21:2379`. */
  readonly clientURLs: readonly string[];
  /** It knows who this member is: its raft id and, of a new cluster, all founding members. */
  readonly disk: EtcdDisk;
  /** Brings a message to another member, by its peer URL, some time later or never. Plain objects; messages to one member should arrive in order, but need not. */
  send(to: string, message: unknown): void;
  /** Since when this member and the one at a peer URL have been connected without a break; undefined: they are not. Membership changes ask. */
  connectedSince?(peerURL: string): Instant | undefined;
  /** What it could not go on after: zap's Fatal. The process must end now. By default it does, in silence. */
  fatal?(message: string): void;
  /** `--pre-vote`; true. */
  readonly preVote?: boolean;
  /** `--heartbeat-interval` and `--election-timeout`, in milliseconds: 100 and 1,000. See `raft/config.ts` for other sets. */
  readonly timing?: { readonly heartbeat: number; readonly election: number };
  /** The member was removed from the cluster: its process ends, and must not be started again. */
  onRemoved?(): void;
  /** `--quota-backend-bytes`; 2 GiB. */
  readonly quotaBytes?: number;
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
  /** `--experimental-enable-lease-checkpoint`; false. */
  readonly leaseCheckpoint?: boolean;
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
  step(message: unknown): void;
  /** Its election timer runs out now. A leader has none: nothing happens. */
  campaign(): void;
  readonly server: EtcdServer;
  status(): EtcdMemberStatus;
  /** Who belongs to the cluster, as far as this member knows. */
  members(): readonly MemberInfo[];
  /** The state machine, to look at without asking: no cost, no effect, perhaps behind. */
  readonly store: MvccStore;
  /** The log's entries [from, to], as far as they are kept; for drawing. */
  entries(from: number, to: number): readonly Entry[];
  /** Raft's own status, with every follower's progress when it leads. */
  raftStatus(): ReturnType<RaftCore['status']>;
}
