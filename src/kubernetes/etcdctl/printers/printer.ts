/** The forms etcdctl prints answers in (etcd etcdctl/ctlv3/command/printer.go): `--write-out simple|json|fields|table|protobuf`. */
import type {
  AlarmMember,
  DeleteRangeResponse,
  HashKvResponse,
  LeaseGrantResponse,
  MembersResponse,
  PutResponse,
  RangeResponse,
  ResponseHeader,
  StatusResponse,
  TxnResponse,
  WatchResponse,
} from '../../etcd/api.ts';
import { CtlError, ExitCode } from '../errors.ts';
import { FieldsPrinter } from './fields.ts';
import { JsonPrinter } from './json.ts';
import { ProtobufPrinter } from './protobuf.ts';
import { SimplePrinter } from './simple.ts';
import { TablePrinter } from './table.ts';

export interface EndpointHealth {
  readonly endpoint: string;
  readonly health: boolean;
  /** `6.39ms` */
  readonly took: string;
  readonly error: string;
}
export interface EndpointStatus {
  readonly endpoint: string;
  readonly status: StatusResponse;
}
export interface EndpointHash {
  readonly endpoint: string;
  readonly hash: HashKvResponse;
}
export interface TimeToLive {
  readonly header: ResponseHeader;
  readonly id: number;
  readonly ttl: number;
  readonly grantedTtl: number;
  readonly keys: readonly string[];
}

export interface Printer {
  get(response: RangeResponse, valueOnly: boolean): void;
  put(response: PutResponse): void;
  del(response: DeleteRangeResponse): void;
  txn(response: TxnResponse): void;
  watch(response: WatchResponse): void;
  grant(response: LeaseGrantResponse): void;
  revoke(id: number, header: ResponseHeader): void;
  keepAlive(response: LeaseGrantResponse): void;
  timeToLive(response: TimeToLive, keys: boolean): void;
  leases(header: ResponseHeader, ids: readonly number[]): void;
  memberList(response: MembersResponse): void;
  member(action: 'add' | 'remove' | 'update' | 'promote', id: string, response: MembersResponse): void;
  health(list: readonly EndpointHealth[], stderr: (text: string) => void): void;
  status(list: readonly EndpointStatus[]): void;
  hashKv(list: readonly EndpointHash[]): void;
  alarms(header: ResponseHeader, alarms: readonly AlarmMember[]): void;
  moveLeader(from: string, to: string): void;
}

/** Throws CtlError when there is no such form. */
export function printerOf(form: string, hex: boolean, out: (text: string) => void): Printer {
  switch (form) {
    case 'simple':
      return new SimplePrinter(hex, out);
    case 'json':
      return new JsonPrinter(out);
    case 'fields':
      return new FieldsPrinter(out);
    case 'table':
      return new TablePrinter(out);
    case 'protobuf':
      return new ProtobufPrinter(out);
    default:
      throw new CtlError(ExitCode.BadFeature, 'unsupported output format');
  }
}
