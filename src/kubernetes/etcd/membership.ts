/**
 * Who belongs to the cluster: a part of the replicated state, changed by committed configuration changes
 * and by what members say of themselves once they run (etcd server/etcdserver/api/membership).
 *
 * Raft knows members by small numbers that are never given twice; people and clients know them by 64-bit
 * ids, names and URLs, which travel in the context of the configuration change.
 *
 * Here simplified: upstream takes an id from the SHA-1 of the peer URLs, the cluster's token and, for
 * members added later, the time; ours is a smaller hash of the same things.
 */
import { hash32 } from '../../sim/rng.ts';
import { EtcdError, type MemberInfo } from './api.ts';
import type { ConfChange, NodeId } from './raft/types.ts';

export interface MemberRecord extends MemberInfo {
  readonly raftId: NodeId;
}

/** What the context of a configuration change says. */
export interface MemberChange {
  readonly action: 'add' | 'remove' | 'update' | 'promote';
  /** Whoever proposed it knows its answer by this; 0 for the members a cluster begins with. */
  readonly request: number;
  readonly cause: number;
  readonly member: MemberRecord;
}

export const memberErrors = {
  notFound: () => new EtcdError('etcdserver: member not found', 'NotFound'),
  peerUrlExists: () => new EtcdError('etcdserver: Peer URLs already exists', 'FailedPrecondition'),
  notLearner: () => new EtcdError('etcdserver: can only promote a learner member', 'FailedPrecondition'),
  notInSync: () => new EtcdError('etcdserver: can only promote a learner member which is in sync with leader', 'FailedPrecondition'),
  tooManyLearners: () => new EtcdError('etcdserver: too many learner members in cluster', 'FailedPrecondition'),
  notEnoughStarted: () => new EtcdError('etcdserver: re-configuration failed due to not enough started members', 'FailedPrecondition'),
  unhealthy: () => new EtcdError('etcdserver: unhealthy cluster', 'Unavailable'),
};

/** `--experimental-max-learners`. */
const MAX_LEARNERS = 1;

/** Two 32-bit halves as one decimal number. */
const wide = (text: string, seed: number): string => ((BigInt(hash32(text, seed)) << 32n) | BigInt(hash32(text, ~seed))).toString();

export const memberId = (peerURLs: readonly string[], salt: number): string => wide([...peerURLs].sort().join(), salt);
export const clusterIdOf = (ids: readonly string[], salt: number): string => wide([...ids].sort().join(), salt);

/** The changes a new cluster's log begins with, one per member in order: raft ids 1, 2, 3, … */
export function foundingChanges(initial: readonly { readonly name: string; readonly peerURL: string }[], salt: number): readonly MemberChange[] {
  return initial.map(({ name, peerURL }, i) => ({
    action: 'add' as const,
    request: 0,
    cause: 0,
    member: { raftId: i + 1, id: memberId([peerURL], salt), name, peerURLs: [peerURL], clientURLs: [], isLearner: false },
  }));
}

export const confChangeOf = (change: MemberChange): ConfChange => ({
  v1: true,
  changes: [{ type: RAFT_TYPE[change.action], node: change.member.raftId }].map((each) =>
    change.action === 'add' && change.member.isLearner ? { ...each, type: 'addLearner' as const } : each,
  ),
  context: JSON.stringify(change),
});
const RAFT_TYPE = { add: 'addVoter', promote: 'addVoter', remove: 'remove', update: 'update' } as const;

export const memberChangeOf = (change: ConfChange): MemberChange | undefined => (change.context ? (JSON.parse(change.context) as MemberChange) : undefined);

export class Membership {
  /** The lowest version among the members, agreed on through the log; empty until a leader has looked. */
  clusterVersion = '';
  private members = new Map<NodeId, MemberRecord>();
  /** Raft ids that were removed: they never come back. */
  private removed = new Set<NodeId>();

  apply({ action, member }: MemberChange): void {
    const known = this.members.get(member.raftId);
    switch (action) {
      case 'add':
        // The founding entries may be applied again after a restart, when the member has long told its name.
        if (!known) this.members.set(member.raftId, member);
        return;
      case 'remove':
        this.members.delete(member.raftId);
        this.removed.add(member.raftId);
        return;
      case 'update':
        if (known) this.members.set(member.raftId, { ...known, peerURLs: member.peerURLs });
        return;
      case 'promote':
        if (known) this.members.set(member.raftId, { ...known, isLearner: false });
    }
  }

  /** What a member says of itself once it runs. */
  publish(raftId: NodeId, name: string, clientURLs: readonly string[]): void {
    const known = this.members.get(raftId);
    if (known) this.members.set(raftId, { ...known, name, clientURLs });
  }

  get(raftId: NodeId): MemberRecord | undefined {
    return this.members.get(raftId);
  }
  isRemoved(raftId: NodeId): boolean {
    return this.removed.has(raftId);
  }
  /** By its 64-bit id. */
  find(id: string): MemberRecord | undefined {
    for (const member of this.members.values()) if (member.id === id) return member;
    return undefined;
  }
  /** In order of their ids, as etcd lists them. */
  list(): readonly MemberRecord[] {
    return [...this.members.values()].sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
  }
  voters(): readonly MemberRecord[] {
    return this.list().filter(({ isLearner }) => !isLearner);
  }
  /** A raft id nobody had. */
  nextRaftId(): NodeId {
    return Math.max(0, ...this.members.keys(), ...this.removed) + 1;
  }

  /** Throws EtcdError when the change cannot be made to this membership. */
  check({ action, member }: MemberChange): void {
    if (action === 'add') {
      const urls = new Set(this.list().flatMap(({ peerURLs }) => peerURLs));
      if (member.peerURLs.some((url) => urls.has(url))) throw memberErrors.peerUrlExists();
      if (member.isLearner && this.list().filter(({ isLearner }) => isLearner).length >= MAX_LEARNERS) throw memberErrors.tooManyLearners();
      return;
    }
    const known = this.members.get(member.raftId);
    if (!known) throw memberErrors.notFound();
    if (action === 'promote' && !known.isLearner) throw memberErrors.notLearner();
    if (action === 'update') {
      const urls = new Set(
        this.list()
          .filter(({ raftId }) => raftId !== member.raftId)
          .flatMap(({ peerURLs }) => peerURLs),
      );
      if (member.peerURLs.some((url) => urls.has(url))) throw memberErrors.peerUrlExists();
    }
  }

  image(): { readonly members: readonly MemberRecord[]; readonly removed: readonly NodeId[]; readonly clusterVersion: string } {
    return { members: [...this.members.values()], removed: [...this.removed], clusterVersion: this.clusterVersion };
  }
  restore(image: ReturnType<Membership['image']>): void {
    this.members = new Map(image.members.map((member) => [member.raftId, member]));
    this.removed = new Set(image.removed);
    this.clusterVersion = image.clusterVersion;
  }
}
