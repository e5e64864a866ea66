/**
 * `--write-out json`: answers as Go's encoding/json writes their structs. Zero fields are left out, keys
 * and values are base64, 64-bit numbers are plain numbers.
 */
import { base64, utf8 } from '../../api/pki/bytes.ts';
import type {
  AlarmMember,
  DeleteRangeResponse,
  KeyValue,
  LeaseGrantResponse,
  MemberInfo,
  MembersResponse,
  PutResponse,
  RangeResponse,
  ResponseHeader,
  ResponseOp,
  TxnResponse,
  WatchResponse,
} from '../../etcd/api.ts';
import type { EndpointHash, EndpointHealth, EndpointStatus, Printer, TimeToLive } from './printer.ts';

/** A value already written as JSON; undefined leaves the field out. */
type Written = string | undefined;

const object = (fields: Readonly<Record<string, Written>>): string =>
  `{${Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `"${name}":${value}`)
    .join()}}`;
const list = (items: readonly string[]): string => `[${items.join()}]`;
const some = (items: readonly string[]): Written => (items.length > 0 ? list(items) : undefined);
/** A number, unless it is zero. */
const number = (value: number | string): Written => (String(value) === '0' ? undefined : String(value));
const quoted = (text: string): string => JSON.stringify(text).replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
const text = (value: string): Written => (value === '' ? undefined : quoted(value));
const truth = (value: boolean): Written => (value ? 'true' : undefined);
/** Base64 of its bytes, as Go writes `[]byte`. */
export const bytes = (value: string): Written => (value === '' ? undefined : quoted(base64(utf8(value))));

const headerFields = (header: ResponseHeader): Record<string, Written> => ({
  cluster_id: number(header.clusterId),
  member_id: number(header.memberId),
  revision: number(header.revision),
  raft_term: number(header.raftTerm),
});
const headerOf = (header: ResponseHeader): string => object(headerFields(header));
export const headerJson = headerOf;

const keyValue = (kv: KeyValue): string =>
  object({
    key: bytes(kv.key),
    create_revision: number(kv.createRevision),
    mod_revision: number(kv.modRevision),
    version: number(kv.version),
    value: bytes(kv.value),
    lease: number(kv.lease),
  });

const range = ({ header, kvs, more, count }: RangeResponse): string =>
  object({ header: headerOf(header), kvs: some(kvs.map(keyValue)), more: truth(more), count: number(count) });
const put = ({ header, prevKv }: PutResponse): string => object({ header: headerOf(header), prev_kv: prevKv && keyValue(prevKv) });
const deleted = ({ header, deleted: count, prevKvs }: DeleteRangeResponse): string =>
  object({ header: headerOf(header), deleted: number(count), prev_kvs: some(prevKvs.map(keyValue)) });
const txn = ({ header, succeeded, responses }: TxnResponse): string =>
  object({ header: headerOf(header), succeeded: truth(succeeded), responses: some(responses.map((op) => object({ Response: responseOp(op) }))) });

function responseOp(op: ResponseOp): string {
  if ('responseRange' in op) return object({ response_range: range(op.responseRange) });
  if ('responsePut' in op) return object({ response_put: put(op.responsePut) });
  if ('responseDeleteRange' in op) return object({ response_delete_range: deleted(op.responseDeleteRange) });
  return object({ response_txn: txn(op.responseTxn) });
}

const member = ({ id, name, peerURLs, clientURLs, isLearner }: MemberInfo): string =>
  object({ ID: id, name: text(name), peerURLs: some(peerURLs.map(quoted)), clientURLs: some(clientURLs.map(quoted)), isLearner: truth(isLearner) });

/** Their numbers in rpc.proto's AlarmType. */
const ALARMS = { NONE: 0, NOSPACE: 1, CORRUPT: 2 } as const;

export class JsonPrinter implements Printer {
  constructor(private readonly out: (text: string) => void) {}

  private line(json: string): void {
    this.out(`${json}\n`);
  }

  get(response: RangeResponse): void {
    this.line(range(response));
  }
  put(response: PutResponse): void {
    this.line(put(response));
  }
  del(response: DeleteRangeResponse): void {
    this.line(deleted(response));
  }
  txn(response: TxnResponse): void {
    this.line(txn(response));
  }
  watch({ header, events, compactRevision = 0, canceled = false, created = false }: WatchResponse): void {
    const told = events.map(({ type, kv, prevKv }) =>
      object({ type: type === 'DELETE' ? '1' : undefined, kv: keyValue(kv), prev_kv: prevKv && keyValue(prevKv) }),
    );
    this.line(
      object({ Header: headerOf(header), Events: list(told), CompactRevision: String(compactRevision), Canceled: String(canceled), Created: String(created) }),
    );
  }
  grant({ header, id, ttl }: LeaseGrantResponse): void {
    this.line(object({ ...headerFields(header), ID: String(id), TTL: String(ttl), Error: '""' }));
  }
  revoke(_id: number, header: ResponseHeader): void {
    this.line(object({ header: headerOf(header) }));
  }
  keepAlive({ header, id, ttl }: LeaseGrantResponse): void {
    this.line(object({ ...headerFields(header), ID: String(id), TTL: String(ttl) }));
  }
  timeToLive({ header, id, ttl, grantedTtl, keys }: TimeToLive): void {
    const shown = keys.length > 0 ? list(keys.map((key) => bytes(key) ?? '""')) : 'null';
    this.line(object({ ...headerFields(header), id: String(id), ttl: String(ttl), 'granted-ttl': String(grantedTtl), keys: shown }));
  }
  leases(header: ResponseHeader, ids: readonly number[]): void {
    this.line(object({ ...headerFields(header), leases: list(ids.map((id) => object({ id: String(id) }))) }));
  }
  memberList({ header, members }: MembersResponse): void {
    this.line(object({ header: headerOf(header), members: some(members.map(member)) }));
  }
  member(action: 'add' | 'remove' | 'update' | 'promote', _id: string, response: MembersResponse): void {
    const added = action === 'add' && response.member ? member(response.member) : undefined;
    this.line(object({ header: headerOf(response.header), member: added, members: some(response.members.map(member)) }));
  }
  health(all: readonly EndpointHealth[]): void {
    this.line(
      list(
        all.map(({ endpoint, health, took, error }) => object({ endpoint: quoted(endpoint), health: String(health), took: quoted(took), error: text(error) })),
      ),
    );
  }
  status(all: readonly EndpointStatus[]): void {
    this.line(
      list(
        all.map(({ endpoint, status }) =>
          object({
            Endpoint: quoted(endpoint),
            Status: object({
              header: headerOf(status.header),
              version: text(status.version),
              dbSize: number(status.dbSize),
              leader: number(status.leader),
              raftIndex: number(status.raftIndex),
              raftTerm: number(status.raftTerm),
              raftAppliedIndex: number(status.raftAppliedIndex),
              errors: some(status.errors.map(quoted)),
              dbSizeInUse: number(status.dbSizeInUse),
              isLearner: truth(status.isLearner),
            }),
          }),
        ),
      ),
    );
  }
  hashKv(all: readonly EndpointHash[]): void {
    this.line(
      list(
        all.map(({ endpoint, hash }) =>
          object({
            Endpoint: quoted(endpoint),
            HashKV: object({ header: headerOf(hash.header), hash: number(hash.hash), compact_revision: number(hash.compactRevision) }),
          }),
        ),
      ),
    );
  }
  alarms(header: ResponseHeader, alarms: readonly AlarmMember[]): void {
    this.line(
      object({ header: headerOf(header), alarms: some(alarms.map(({ memberId, alarm }) => object({ memberID: memberId, alarm: String(ALARMS[alarm]) }))) }),
    );
  }
  moveLeader(): void {
    this.line('{}');
  }
}
