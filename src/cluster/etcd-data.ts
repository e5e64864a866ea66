/** An etcd's data directory that did not come from its own past: one that `etcdutl snapshot restore` has made, and what a member without one asks the others. */
import { type EtcdEndpoint, EtcdError, type MembersResponse } from '../kubernetes/etcd/api.ts';
import { openAuth } from '../kubernetes/etcd/auth-door.ts';
import { EtcdDisk } from '../kubernetes/etcd/disk.ts';
import { clusterIdOf, confChangeOf, foundingChanges, type MemberRecord, Membership } from '../kubernetes/etcd/membership.ts';
import { readSnapshot } from '../kubernetes/etcd/snapshot-file.ts';
import type { Process } from '../sim/process.ts';
import { hash32 } from '../sim/rng.ts';

interface Wal {
  readonly etcd: 'wal';
  readonly name: string;
  readonly token: string;
  readonly members: readonly { readonly name: string; readonly peerURL: string }[];
}

/** What the restored files say, as a disk to start from. Rejects with RangeError when they say nothing of the kind. */
export async function restoredDisk(self: Process, wal: string, db: string): Promise<EtcdDisk> {
  let head: Wal;
  try {
    head = JSON.parse(wal) as Wal;
  } catch {
    throw new RangeError('walpb: crc mismatch');
  }
  if (head?.etcd !== 'wal') throw new RangeError('walpb: crc mismatch');
  const salt = hash32(head.token);
  const changes = foundingChanges(head.members, salt);
  const own = changes.find(({ member }) => member.name === head.name)!.member;
  const clusterId = clusterIdOf(
    changes.map(({ member }) => member.id),
    salt,
  );
  const { store, leases, auth } = readSnapshot(db);
  if (auth) await openAuth(self);
  const membership = new Membership();
  for (const change of changes) membership.apply(change);
  // As if the founding entries had been applied, with a store that came from elsewhere (etcdutl, saveWALAndSnap).
  const disk = new EtcdDisk(own.raftId, own.id, clusterId, changes);
  const voters = changes.map((change) => confChangeOf(change).changes[0]!.node);
  disk.image = { store, leases, membership: membership.image(), alarms: [], auth };
  const conf = { ...disk.storage.initialState().conf, voters };
  disk.storage.applySnapshot({ index: changes.length, term: 1, conf, data: '' });
  disk.storage.hardState = { term: 1, vote: 0, commit: changes.length };
  return disk;
}

/** What the first member that answers knows of the cluster, and who makes sense of it says so; undefined: nobody. */
async function asked<T>(others: readonly EtcdEndpoint[], look: (answer: MembersResponse) => T | undefined): Promise<T | undefined> {
  for (const other of others) {
    try {
      const found = look(await other.call((server) => server.memberList({ linearizable: false })));
      if (found !== undefined) return found;
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
    }
  }
  return undefined;
}

/** Whether the others know a member as started (etcd bootstrap.go, isMemberBootstrapped). */
export async function isBootstrapped(others: readonly EtcdEndpoint[], memberId: string): Promise<boolean> {
  return (await asked(others, ({ members }) => (members.some(({ id, clientURLs }) => id === memberId && clientURLs.length > 0) ? true : undefined))) ?? false;
}

/** The disk of a member that the others have added (etcd bootstrap.go, bootstrapExistingClusterNoWAL). Throws while they have not. */
export async function joinedDisk(others: readonly EtcdEndpoint[], peerURL: string): Promise<EtcdDisk> {
  const disk = await asked(others, ({ header, members }) => {
    const own = members.find(({ peerURLs }) => peerURLs.includes(peerURL)) as MemberRecord | undefined;
    return own && new EtcdDisk(own.raftId, own.id, header.clusterId, [], members as readonly MemberRecord[]);
  });
  if (!disk) throw new Error('error validating peerURLs: member count is unequal');
  return disk;
}
