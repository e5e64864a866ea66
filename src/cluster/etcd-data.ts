/** An etcd's data directory that did not come from its own past: one that `etcdutl snapshot restore` has made. */
import { openAuth } from '../kubernetes/etcd/auth-door.ts';
import { EtcdDisk } from '../kubernetes/etcd/disk.ts';
import { clusterIdOf, confChangeOf, foundingChanges, Membership } from '../kubernetes/etcd/membership.ts';
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
