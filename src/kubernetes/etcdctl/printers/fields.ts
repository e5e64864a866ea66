/** `--write-out fields`: every field of an answer on a line of its own. */
import type {
  AlarmMember,
  DeleteRangeResponse,
  KeyValue,
  LeaseGrantResponse,
  MembersResponse,
  PutResponse,
  RangeResponse,
  ResponseHeader,
  TxnResponse,
  WatchResponse,
} from '../../etcd/api.ts';
import { CtlError, ExitCode } from '../errors.ts';
import type { EndpointHash, EndpointHealth, EndpointStatus, Printer, TimeToLive } from './printer.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};
/** Go's strconv.Quote, for text: what cannot be printed is `\x00`. */
export const goQuote = (text: string): string =>
  `"${text.replace(/["\\\x00-\x1f\x7f]/g, (c) => ESCAPES[c] ?? `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`;

export class FieldsPrinter implements Printer {
  constructor(private readonly out: (text: string) => void) {}

  private field(name: string, value: string | number | boolean): void {
    this.out(`"${name}" : ${value}\n`);
  }
  /** Go's `%q`. */
  private quoted(name: string, value: string): void {
    this.field(name, goQuote(value));
  }
  private gap(): void {
    this.out('\n');
  }
  header(header: ResponseHeader): void {
    this.field('ClusterID', header.clusterId);
    this.field('MemberID', header.memberId);
    this.field('Revision', header.revision);
    this.field('RaftTerm', header.raftTerm);
  }
  private kv(prefix: string, kv: KeyValue): void {
    this.quoted(`${prefix}Key`, kv.key);
    this.field(`${prefix}CreateRevision`, kv.createRevision);
    this.field(`${prefix}ModRevision`, kv.modRevision);
    this.field(`${prefix}Version`, kv.version);
    this.quoted(`${prefix}Value`, kv.value);
    this.field(`${prefix}Lease`, kv.lease);
  }

  get({ header, kvs, more, count }: RangeResponse): void {
    this.header(header);
    for (const kv of kvs) this.kv('', kv);
    this.field('More', more);
    this.field('Count', count);
  }
  put({ header, prevKv }: PutResponse): void {
    this.header(header);
    if (prevKv) this.kv('Prev', prevKv);
  }
  del({ header, deleted, prevKvs }: DeleteRangeResponse): void {
    this.header(header);
    this.field('Deleted', deleted);
    for (const kv of prevKvs) this.kv('Prev', kv);
  }
  txn({ header, succeeded, responses }: TxnResponse): void {
    this.header(header);
    this.field('Succeeded', succeeded);
    for (const op of responses) {
      if ('responseRange' in op) this.get(op.responseRange);
      else if ('responsePut' in op) this.put(op.responsePut);
      else if ('responseDeleteRange' in op) this.del(op.responseDeleteRange);
    }
  }
  watch({ header, events }: WatchResponse): void {
    this.header(header);
    for (const { type, kv, prevKv } of events) {
      this.field('Type', type);
      if (prevKv) this.kv('Prev', prevKv);
      this.kv('', kv);
    }
  }
  grant({ header, id, ttl }: LeaseGrantResponse): void {
    this.header(header);
    this.field('ID', id);
    this.field('TTL', ttl);
  }
  revoke(_id: number, header: ResponseHeader): void {
    this.header(header);
  }
  keepAlive(response: LeaseGrantResponse): void {
    this.grant(response);
  }
  timeToLive({ header, id, ttl, grantedTtl, keys }: TimeToLive): void {
    this.header(header);
    this.field('ID', id);
    this.field('TTL', ttl);
    this.field('GrantedTTL', grantedTtl);
    for (const key of keys) this.quoted('Key', key);
  }
  leases(header: ResponseHeader, ids: readonly number[]): void {
    this.header(header);
    for (const id of ids) this.field('ID', id);
  }
  memberList({ header, members }: MembersResponse): void {
    this.header(header);
    for (const { id, name, peerURLs, clientURLs, isLearner } of members) {
      this.field('ID', id);
      this.quoted('Name', name);
      for (const url of peerURLs) this.quoted('PeerURL', url);
      for (const url of clientURLs) this.quoted('ClientURL', url);
      this.field('IsLearner', isLearner);
      this.gap();
    }
  }
  member(): void {
    throw new CtlError(ExitCode.BadFeature, 'fields not supported as output format');
  }
  health(list: readonly EndpointHealth[]): void {
    for (const { endpoint, health, took, error } of list) {
      this.quoted('Endpoint', endpoint);
      this.field('Health', health);
      this.field('Took', took);
      this.field('Error', error);
      this.gap();
    }
  }
  status(list: readonly EndpointStatus[]): void {
    for (const { endpoint, status } of list) {
      this.header(status.header);
      this.quoted('Version', status.version);
      this.field('DBSize', status.dbSize);
      this.field('Leader', status.leader);
      this.field('IsLearner', status.isLearner);
      this.field('RaftIndex', status.raftIndex);
      this.field('RaftTerm', status.raftTerm);
      this.field('RaftAppliedIndex', status.raftAppliedIndex);
      this.field('Errors', `[${status.errors.join(' ')}]`);
      this.quoted('Endpoint', endpoint);
      this.gap();
    }
  }
  hashKv(list: readonly EndpointHash[]): void {
    for (const { endpoint, hash } of list) {
      this.header(hash.header);
      this.quoted('Endpoint', endpoint);
      this.field('Hash', hash.hash);
      this.gap();
    }
  }
  alarms(header: ResponseHeader, alarms: readonly AlarmMember[]): void {
    this.header(header);
    for (const { memberId, alarm } of alarms) {
      this.field('MemberID', memberId);
      this.field('AlarmType', alarm);
      this.gap();
    }
  }
  moveLeader(): void {
    throw new CtlError(ExitCode.BadFeature, 'fields not supported as output format');
  }
}
