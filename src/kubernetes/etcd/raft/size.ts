/**
 * Sizes on the wire, so that limits in bytes bite where upstream's do: those of etcd-io/raft's protobuf
 * messages (raftpb/raft.proto). Our entries are never encoded; only their size is needed.
 */
import type { ConfChange, Entry } from './types.ts';

const typeCode = { normal: 0, confChange: 1, confChangeV2: 2 };

const varint = (n: number): number => {
  let bytes = 1;
  for (let rest = n; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
};

const field = (length: number): number => 1 + varint(length) + length;

/** raftpb.ConfChange and ConfChangeV2. The empty change that leaves a joint configuration has no bytes at all. */
function confChangeSize(change: ConfChange): number {
  const { changes, context = '' } = change;
  const tail = context === '' ? 0 : field(context.length);
  if (change.v1) return 6 + changes.reduce((sum, { node }) => sum + varint(node) - 1, 0) + tail;
  if (changes.length === 0) return tail;
  return 2 + changes.reduce((sum, { node }) => sum + field(3 + varint(node)), 0) + tail;
}

const dataSize = (entry: Entry): number => (entry.data ? entry.data.length : entry.confChange ? confChangeSize(entry.confChange) : 0);

/** Bytes of an entry with its head (raftpb.Entry). */
export function entrySize(entry: Entry): number {
  const length = dataSize(entry);
  return 3 + varint(typeCode[entry.type]) + varint(entry.term) + varint(entry.index) + (length > 0 ? field(length) : 0);
}

export function entriesSize(entries: readonly Entry[]): number {
  let sum = 0;
  for (const entry of entries) sum += entrySize(entry);
  return sum;
}

/** Bytes of what the entries carry, without their heads. */
export function payloadSize(entries: readonly Entry[]): number {
  let sum = 0;
  for (const entry of entries) sum += dataSize(entry);
  return sum;
}

/** The longest prefix within `maxBytes`, but at least one entry. */
export function limitSize(entries: Entry[], maxBytes = Number.POSITIVE_INFINITY): Entry[] {
  if (maxBytes === Number.POSITIVE_INFINITY || entries.length < 2) return entries;
  let size = entrySize(entries[0]!);
  for (let i = 1; i < entries.length; i++) {
    size += entrySize(entries[i]!);
    if (size > maxBytes) return entries.slice(0, i);
  }
  return entries;
}
