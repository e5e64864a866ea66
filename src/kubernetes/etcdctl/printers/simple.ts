/** `--write-out simple`: what people read. */
import { utf8 } from '../../api/pki/bytes.ts';
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
import type { EndpointHash, EndpointHealth, EndpointStatus, Printer, TimeToLive } from './printer.ts';
import { hashRows, hexId, leaseId, memberRows, type Rows, statusRows } from './rows.ts';

export class SimplePrinter implements Printer {
  constructor(
    private readonly hex: boolean,
    private readonly out: (text: string) => void,
  ) {}

  private line(text: string): void {
    this.out(`${text}\n`);
  }
  private bytes(text: string): string {
    if (!this.hex) return text;
    let out = '';
    for (const byte of utf8(text)) out += `\\x${byte.toString(16).padStart(2, '0')}`;
    return out;
  }
  private kv(kv: KeyValue, valueOnly = false): void {
    if (!valueOnly) this.line(this.bytes(kv.key));
    this.line(this.bytes(kv.value));
  }
  private rows({ rows }: Rows): void {
    for (const row of rows) this.line(row.join(', '));
  }

  get(response: RangeResponse, valueOnly = false): void {
    for (const kv of response.kvs) this.kv(kv, valueOnly);
  }
  put({ prevKv }: PutResponse): void {
    this.line('OK');
    if (prevKv) this.kv(prevKv);
  }
  del({ deleted, prevKvs }: DeleteRangeResponse): void {
    this.line(String(deleted));
    for (const kv of prevKvs) this.kv(kv);
  }
  txn({ succeeded, responses }: TxnResponse): void {
    this.line(succeeded ? 'SUCCESS' : 'FAILURE');
    for (const op of responses) {
      this.line('');
      if ('responseRange' in op) this.get(op.responseRange);
      else if ('responsePut' in op) this.put(op.responsePut);
      else if ('responseDeleteRange' in op) this.del(op.responseDeleteRange);
    }
  }
  watch({ events }: WatchResponse): void {
    for (const { type, kv, prevKv } of events) {
      this.line(type);
      if (prevKv) this.kv(prevKv);
      this.kv(kv);
    }
  }
  grant({ id, ttl }: LeaseGrantResponse): void {
    this.line(`lease ${leaseId(id)} granted with TTL(${ttl}s)`);
  }
  revoke(id: number): void {
    this.line(`lease ${leaseId(id)} revoked`);
  }
  keepAlive({ id, ttl }: LeaseGrantResponse): void {
    this.line(`lease ${leaseId(id)} keepalived with TTL(${ttl})`);
  }
  timeToLive({ id, ttl, grantedTtl, keys }: TimeToLive, withKeys: boolean): void {
    if (grantedTtl === 0 && ttl === -1) this.line(`lease ${leaseId(id)} already expired`);
    else this.line(`lease ${leaseId(id)} granted with TTL(${grantedTtl}s), remaining(${ttl}s)${withKeys ? `, attached keys([${keys.join(' ')}])` : ''}`);
  }
  leases(_header: ResponseHeader, ids: readonly number[]): void {
    this.line(`found ${ids.length} leases`);
    for (const id of ids) this.line(leaseId(id));
  }
  memberList(response: MembersResponse): void {
    this.rows(memberRows(response));
  }
  member(action: 'add' | 'remove' | 'update' | 'promote', id: string, { header }: MembersResponse): void {
    const done = { add: 'added to', remove: 'removed from', update: 'updated in', promote: 'promoted in' }[action];
    this.line(`Member ${hexId(id).padStart(16)} ${done} cluster ${hexId(header.clusterId).padStart(16)}`);
  }
  health(list: readonly EndpointHealth[], stderr: (text: string) => void): void {
    for (const { endpoint, took, error } of list) {
      stderr(
        error === ''
          ? `${endpoint} is healthy: successfully committed proposal: took = ${took}\n`
          : `${endpoint} is unhealthy: failed to commit proposal: ${error}\n`,
      );
    }
  }
  status(list: readonly EndpointStatus[]): void {
    this.rows(statusRows(list));
  }
  hashKv(list: readonly EndpointHash[]): void {
    this.rows(hashRows(list));
  }
  alarms(_header: ResponseHeader, alarms: readonly AlarmMember[]): void {
    for (const { memberId, alarm } of alarms) this.line(`memberID:${memberId} alarm:${alarm} `);
  }
  moveLeader(from: string, to: string): void {
    this.line(`Leadership transferred from ${hexId(from)} to ${hexId(to)}`);
  }
}
