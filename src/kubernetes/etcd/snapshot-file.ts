/**
 * A snapshot as a file: what `etcdctl snapshot save` fetches from a member and `etcdutl snapshot restore` makes a new member of.
 *
 * Here simplified: the real file is a bbolt database; this one is text, so that a person may read it. The first line says what it
 * is, then comes every kept revision of every key as one line of JSON, in the order in which they were made.
 */
import type { EtcdEvent, KeyValue } from './api.ts';
import type { AuthImage } from './auth.ts';
import type { LeaseState } from './lease.ts';
import type { StoreImage } from './mvcc.ts';

interface Head {
  readonly etcd: 'snapshot';
  readonly revision: number;
  readonly compacted: number;
  /** How many of the lines are older than the list of changes, and stand there as the newest of their keys. */
  readonly settled: number;
  readonly leases: readonly LeaseState[];
  readonly auth?: AuthImage;
}

export interface SnapshotContent {
  readonly store: StoreImage;
  readonly leases: readonly LeaseState[];
  readonly auth?: AuthImage | undefined;
}

export function writeSnapshot({ store, leases, auth }: SnapshotContent): string {
  const changed = new Set(store.changes.map(({ kv }) => kv));
  const settled = store.keys.flatMap(([, versions]) => versions.filter((kv) => !changed.has(kv)));
  const head: Head = { etcd: 'snapshot', revision: store.revision, compacted: store.compacted, settled: settled.length, leases, ...(auth ? { auth } : {}) };
  const lines = [...settled, ...store.changes.map(({ kv }) => kv)].map((kv) => JSON.stringify(kv));
  return `${[JSON.stringify(head), ...lines].join('\n')}\n`;
}

/** Throws RangeError when the text is no snapshot. */
export function readSnapshot(text: string): SnapshotContent {
  const [first = '', ...lines] = text.trimEnd().split('\n');
  let head: Head;
  let kvs: KeyValue[];
  try {
    head = JSON.parse(first) as Head;
    kvs = lines.map((line) => JSON.parse(line) as KeyValue);
  } catch {
    throw new RangeError('invalid database');
  }
  if (head?.etcd !== 'snapshot' || kvs.length < head.settled) throw new RangeError('invalid database');
  const keys = new Map<string, KeyValue[]>();
  const changes: EtcdEvent[] = [];
  kvs.forEach((kv, i) => {
    const versions = keys.get(kv.key) ?? [];
    const before = versions.at(-1);
    if (i >= head.settled) changes.push({ type: kv.version === 0 ? 'DELETE' : 'PUT', kv, ...(before && before.version > 0 ? { prevKv: before } : {}) });
    // A deletion at the compacted revision can still be watched; its key is gone all the same.
    if (kv.version === 0 && versions.length === 0 && kv.modRevision <= head.compacted) return;
    versions.push(kv);
    keys.set(kv.key, versions);
  });
  const store: StoreImage = {
    revision: head.revision,
    compacted: head.compacted,
    keys: [...keys].sort(([a], [b]) => (a < b ? -1 : 1)),
    changes,
  };
  return { store, leases: head.leases, ...(head.auth ? { auth: head.auth } : {}) };
}
