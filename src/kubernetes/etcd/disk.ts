/**
 * A member's data directory: what survives a crash. The write-ahead log and the latest snapshot are on
 * it; a write that was not yet synced when the process died may be there in part, or not at all.
 *
 * It belongs to the machine, not to the process: make one per member, and give it to every `startEtcd`
 * of that member.
 */
import type { Duration } from '../../sim/clock.ts';
import type { Rng } from '../../sim/rng.ts';
import type { AlarmMember } from './api.ts';
import type { AuthImage } from './auth.ts';
import type { LeaseState } from './lease.ts';
import { confChangeOf, type MemberChange, type MemberRecord, type Membership } from './membership.ts';
import type { StoreImage } from './mvcc.ts';
import { emptyConf, MemoryStorage } from './raft/storage.ts';
import type { Entry, HardState, NodeId, Snapshot } from './raft/types.ts';

/** The state machine at a snapshot's index. */
export interface MemberImage {
  readonly store: StoreImage;
  readonly leases: readonly LeaseState[];
  readonly membership: ReturnType<Membership['image']>;
  readonly alarms: readonly AlarmMember[];
  /** Absent: nobody has made users or roles. */
  readonly auth?: AuthImage | undefined;
}

/** What one fsync makes durable. */
export interface WalBatch {
  readonly entries: readonly Entry[];
  readonly hardState?: HardState | undefined;
  readonly snapshot?: Snapshot | undefined;
  readonly image?: MemberImage | undefined;
}

export class EtcdDisk {
  readonly storage: MemoryStorage;
  /** The state at `storage.snapshot().index`; absent before the first snapshot. */
  image: MemberImage | undefined;
  /** How often a member was started from this disk. */
  starts = 0;
  /** How long a sync takes, if not as usual. */
  slow: Duration = 0;
  /** No room is left on it. */
  full = false;
  private writing: WalBatch | undefined;

  /**
   * A new member's directory. One of the members a cluster begins with has their names in its log as the
   * first entries, committed from the start (etcd-io/raft bootstrap.go); one that joins later begins with
   * nothing and is told by the leader.
   */
  constructor(
    readonly raftId: NodeId,
    /** 64-bit ids, decimal. */
    readonly memberId: string,
    readonly clusterId: string,
    readonly founding: readonly MemberChange[],
    /** Whom a member that joins may speak to before it has the log that says so. */
    readonly contacts: readonly MemberRecord[] = [],
  ) {
    this.storage = new MemoryStorage(emptyConf);
    this.storage.append(founding.map((change, i) => ({ term: 1, index: i + 1, type: 'confChange', confChange: confChangeOf(change) })));
    if (founding.length > 0) this.storage.hardState = { term: 1, vote: 0, commit: founding.length };
  }

  /** Hands a batch to the disk; it is durable once `synced` is called. */
  write(batch: WalBatch): void {
    this.writing = batch;
  }

  synced(): void {
    const batch = this.writing;
    this.writing = undefined;
    if (!batch) return;
    if (batch.snapshot) {
      this.image = batch.image;
      this.storage.applySnapshot(batch.snapshot);
    }
    this.storage.append(batch.entries);
    if (batch.hardState) this.storage.hardState = batch.hardState;
  }

  /** Notes a new commit index, which needs no sync: it can be learned again. */
  noteCommit(hardState: HardState): void {
    this.storage.hardState = hardState;
  }

  /** Keeps the state at `index` and forgets all but the last `catchUp` entries before it. */
  saveSnapshot(snapshot: Snapshot, image: MemberImage, catchUp: number): void {
    this.image = image;
    this.storage.createSnapshot(snapshot.index, snapshot.conf, snapshot.data);
    this.storage.compact(snapshot.index - catchUp);
  }

  /** After a crash: of a batch that was being written a prefix of the entries may have reached the disk, its hard state only with all of them. */
  recover(rng: Rng): void {
    this.starts++;
    const batch = this.writing;
    this.writing = undefined;
    if (!batch || batch.snapshot) return;
    const kept = rng.between(0, batch.entries.length + 1);
    this.storage.append(batch.entries.slice(0, kept));
    const { hardState } = batch;
    if (hardState && kept === batch.entries.length && rng.between(0, 2) === 1) this.storage.hardState = hardState;
  }
}
