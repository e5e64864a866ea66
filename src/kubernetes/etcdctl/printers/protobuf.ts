/**
 * `--write-out protobuf`: the message of rpc.proto itself, as bytes. Inside a world everything is text, so a byte that begins no
 * character is a lone surrogate, U+DC80 to U+DCFF, as everywhere here (Python's `surrogateescape`, PEP 383).
 */
import { utf8 } from '../../api/pki/bytes.ts';
import type {
  AlarmMember,
  DeleteRangeResponse,
  EtcdEvent,
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
import { CtlError, ExitCode } from '../errors.ts';
import type { Printer, TimeToLive } from './printer.ts';

/** A piece of a message: text, and how many bytes it is. */
interface Piece {
  readonly text: string;
  readonly size: number;
}
const NOTHING: Piece = { text: '', size: 0 };
const joined = (pieces: readonly Piece[]): Piece => ({
  text: pieces.map(({ text }) => text).join(''),
  size: pieces.reduce((sum, { size }) => sum + size, 0),
});

const byte = (value: number): string => String.fromCharCode(value < 0x80 ? value : 0xdc00 + value);

/** A base-128 varint; negative numbers take ten bytes, as int64 does. */
function varint(value: bigint): Piece {
  let rest = BigInt.asUintN(64, value);
  let text = '';
  let size = 0;
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    text += byte(rest > 0n ? low | 0x80 : low);
    size++;
  } while (rest > 0n);
  return { text, size };
}

const key = (field: number, wire: 0 | 2): Piece => varint(BigInt(field * 8 + wire));
/** Left out when zero, as proto3 does. */
const number = (field: number, value: number | string | boolean): Piece => {
  const n = BigInt(value);
  return n === 0n ? NOTHING : joined([key(field, 0), varint(n)]);
};
const message = (field: number, inner: Piece): Piece => joined([key(field, 2), varint(BigInt(inner.size)), inner]);
const bytes = (field: number, text: string): Piece => (text === '' ? NOTHING : message(field, { text, size: utf8(text).length }));

const header = (h: ResponseHeader): Piece => message(1, joined([number(1, h.clusterId), number(2, h.memberId), number(3, h.revision), number(4, h.raftTerm)]));
const keyValue = (kv: KeyValue): Piece =>
  joined([bytes(1, kv.key), number(2, kv.createRevision), number(3, kv.modRevision), number(4, kv.version), bytes(5, kv.value), number(6, kv.lease)]);
const kvs = (field: number, list: readonly KeyValue[]): readonly Piece[] => list.map((kv) => message(field, keyValue(kv)));

const range = (r: RangeResponse): Piece => joined([header(r.header), ...kvs(2, r.kvs), number(3, r.more), number(4, r.count)]);
const put = (r: PutResponse): Piece => joined([header(r.header), ...(r.prevKv ? kvs(2, [r.prevKv]) : [])]);
const deleted = (r: DeleteRangeResponse): Piece => joined([header(r.header), number(2, r.deleted), ...kvs(3, r.prevKvs)]);
const txn = (r: TxnResponse): Piece => joined([header(r.header), number(2, r.succeeded), ...r.responses.map((op) => message(3, responseOp(op)))]);
function responseOp(op: ResponseOp): Piece {
  if ('responseRange' in op) return message(1, range(op.responseRange));
  if ('responsePut' in op) return message(2, put(op.responsePut));
  if ('responseDeleteRange' in op) return message(3, deleted(op.responseDeleteRange));
  return message(4, txn(op.responseTxn));
}
const event = ({ type, kv, prevKv }: EtcdEvent): Piece => joined([number(1, type === 'DELETE'), ...kvs(2, [kv]), ...(prevKv ? kvs(3, [prevKv]) : [])]);
const member = (m: MemberInfo): Piece =>
  joined([number(1, m.id), bytes(2, m.name), ...m.peerURLs.map((url) => bytes(3, url)), ...m.clientURLs.map((url) => bytes(4, url)), number(5, m.isLearner)]);

/** Their numbers in rpc.proto's AlarmType. */
const ALARMS = { NONE: 0, NOSPACE: 1, CORRUPT: 2 } as const;

export class ProtobufPrinter implements Printer {
  constructor(private readonly out: (text: string) => void) {}

  private print(...pieces: readonly Piece[]): void {
    this.out(joined(pieces).text);
  }

  get(response: RangeResponse): void {
    this.print(range(response));
  }
  put(response: PutResponse): void {
    this.print(put(response));
  }
  del(response: DeleteRangeResponse): void {
    this.print(deleted(response));
  }
  txn(response: TxnResponse): void {
    this.print(txn(response));
  }
  watch({ header: h, events, created = false, canceled = false, compactRevision = 0 }: WatchResponse): void {
    this.print(header(h), number(3, created), number(4, canceled), number(5, compactRevision), ...events.map((each) => message(11, event(each))));
  }
  grant({ header: h, id, ttl }: LeaseGrantResponse): void {
    this.print(header(h), number(2, id), number(3, ttl));
  }
  revoke(_id: number, h: ResponseHeader): void {
    this.print(header(h));
  }
  keepAlive(response: LeaseGrantResponse): void {
    this.grant(response);
  }
  timeToLive({ header: h, id, ttl, grantedTtl, keys }: TimeToLive): void {
    this.print(header(h), number(2, id), number(3, ttl), number(4, grantedTtl), ...keys.map((each) => bytes(5, each)));
  }
  leases(h: ResponseHeader, ids: readonly number[]): void {
    this.print(header(h), ...ids.map((id) => message(2, number(1, id))));
  }
  memberList({ header: h, members }: MembersResponse): void {
    this.print(header(h), ...members.map((each) => message(2, member(each))));
  }
  member(action: 'add' | 'remove' | 'update' | 'promote', _id: string, { header: h, member: added, members }: MembersResponse): void {
    if (action === 'add' && added) this.print(header(h), message(2, member(added)), ...members.map((each) => message(3, member(each))));
    else this.memberList({ header: h, members });
  }
  alarms(h: ResponseHeader, alarms: readonly AlarmMember[]): void {
    this.print(header(h), ...alarms.map(({ memberId, alarm }) => message(2, joined([number(1, memberId), number(2, ALARMS[alarm])]))));
  }
  header(h: ResponseHeader): void {
    this.print(header(h));
  }
  moveLeader(): void {}

  health(): never {
    throw unsupported();
  }
  status(): never {
    throw unsupported();
  }
  hashKv(): never {
    throw unsupported();
  }
}

const unsupported = (): CtlError => new CtlError(ExitCode.BadFeature, 'protobuf not supported as output format');
