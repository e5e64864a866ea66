/** Rows that both the simple and the table form print. */
import type { MembersResponse } from '../../etcd/api.ts';
import type { EndpointHash, EndpointHealth, EndpointStatus } from './printer.ts';

export type Rows = { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] };

/** A 64-bit id, decimal, as people read it. */
export const hexId = (id: string): string => BigInt(id).toString(16);
/** Go's `%016x` of a lease. */
export const leaseId = (id: number): string => BigInt(id).toString(16).padStart(16, '0');

export const memberRows = ({ members }: MembersResponse): Rows => ({
  head: ['ID', 'Status', 'Name', 'Peer Addrs', 'Client Addrs', 'Is Learner'],
  rows: members.map(({ id, name, peerURLs, clientURLs, isLearner }) => [
    hexId(id),
    name === '' ? 'unstarted' : 'started',
    name,
    peerURLs.join(),
    clientURLs.join(),
    String(isLearner),
  ]),
});

export const statusRows = (list: readonly EndpointStatus[]): Rows => ({
  head: ['endpoint', 'ID', 'version', 'db size', 'is leader', 'is learner', 'raft term', 'raft index', 'raft applied index', 'errors'],
  rows: list.map(({ endpoint, status }) => [
    endpoint,
    hexId(status.header.memberId),
    status.version,
    humanBytes(status.dbSize),
    String(status.leader === status.header.memberId),
    String(status.isLearner),
    String(status.raftTerm),
    String(status.raftIndex),
    String(status.raftAppliedIndex),
    status.errors.join(', '),
  ]),
});

export const hashRows = (list: readonly EndpointHash[]): Rows => ({
  head: ['endpoint', 'hash'],
  rows: list.map(({ endpoint, hash }) => [endpoint, String(hash.hash)]),
});

export const healthRows = (list: readonly EndpointHealth[]): Rows => ({
  head: ['endpoint', 'health', 'took', 'error'],
  rows: list.map(({ endpoint, health, took, error }) => [endpoint, String(health), took, error]),
});

/** go-humanize's Bytes: powers of a thousand, one digit after the point below ten. */
export function humanBytes(bytes: number): string {
  if (bytes < 10) return `${bytes} B`;
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const rounded = Math.floor(value * 10 + 0.5) / 10;
  return `${rounded < 10 ? rounded.toFixed(1) : String(Math.floor(value + 0.5))} ${units[unit]}`;
}
