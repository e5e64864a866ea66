/**
 * etcd's contract with its clients (etcd `api/etcdserverpb/rpc.proto`, in camel case). Types only: the
 * API server may import this file and nothing else of etcd.
 */
export interface ResponseHeader {
  readonly clusterId: string;
  readonly memberId: string;
  /** The store's revision when the answer was made. */
  readonly revision: number;
  readonly raftTerm: number;
}
export interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  /** 0: none. */
  readonly lease: number;
}
export interface RangeRequest {
  readonly key: string;
  /** Absent: one key. `\0`: from key on. */
  readonly rangeEnd?: string;
  readonly limit?: number;
  /** 0 or absent: now. */
  readonly revision?: number;
  readonly sortOrder?: 'none' | 'ascend' | 'descend';
  readonly sortTarget?: 'key' | 'version' | 'create' | 'mod' | 'value';
  readonly serializable?: boolean;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
  readonly minModRevision?: number;
  readonly maxModRevision?: number;
  readonly minCreateRevision?: number;
  readonly maxCreateRevision?: number;
}
export interface RangeResponse {
  readonly header: ResponseHeader;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly count: number;
}
export interface PutRequest {
  readonly key: string;
  readonly value: string;
  readonly lease?: number;
  readonly prevKv?: boolean;
  readonly ignoreValue?: boolean;
  readonly ignoreLease?: boolean;
}
export interface PutResponse {
  readonly header: ResponseHeader;
  readonly prevKv?: KeyValue;
}
export interface DeleteRangeRequest {
  readonly key: string;
  readonly rangeEnd?: string;
  readonly prevKv?: boolean;
}
export interface DeleteRangeResponse {
  readonly header: ResponseHeader;
  readonly deleted: number;
  readonly prevKvs: readonly KeyValue[];
}
export interface Compare {
  readonly key: string;
  readonly rangeEnd?: string;
  readonly target: 'version' | 'create' | 'mod' | 'value' | 'lease';
  readonly result: '=' | '!=' | '<' | '>';
  readonly operand: number | string;
}
export type RequestOp =
  | { readonly requestRange: RangeRequest }
  | { readonly requestPut: PutRequest }
  | { readonly requestDeleteRange: DeleteRangeRequest }
  | { readonly requestTxn: TxnRequest };
export type ResponseOp =
  | { readonly responseRange: RangeResponse }
  | { readonly responsePut: PutResponse }
  | { readonly responseDeleteRange: DeleteRangeResponse }
  | { readonly responseTxn: TxnResponse };
export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}
export interface TxnResponse {
  readonly header: ResponseHeader;
  readonly succeeded: boolean;
  readonly responses: readonly ResponseOp[];
}
export interface WatchCreateRequest {
  readonly key: string;
  readonly rangeEnd?: string;
  /** 0 or absent: from now on. */
  readonly startRevision?: number;
  readonly prevKv?: boolean;
  readonly progressNotify?: boolean;
}
export interface EtcdEvent {
  readonly type: 'PUT' | 'DELETE';
  /** For DELETE only key and modRevision mean anything. */
  readonly kv: KeyValue;
  readonly prevKv?: KeyValue;
}
export interface WatchResponse {
  readonly header: ResponseHeader;
  readonly events: readonly EtcdEvent[];
  /** The first response of every watch on a member: it has begun after `header.revision`. A client of the whole cluster keeps it to itself. */
  readonly created?: boolean;
  readonly canceled?: boolean;
  readonly compactRevision?: number;
  readonly cancelReason?: string;
}
export interface LeaseGrantResponse {
  readonly header: ResponseHeader;
  readonly id: number;
  /** Seconds. */
  readonly ttl: number;
}

/** A client's view of an etcd cluster: any member, linearizable unless asked otherwise. Rejects with EtcdError. */
export interface EtcdClient {
  range(request: RangeRequest): Promise<RangeResponse>;
  put(request: PutRequest): Promise<PutResponse>;
  deleteRange(request: DeleteRangeRequest): Promise<DeleteRangeResponse>;
  txn(request: TxnRequest): Promise<TxnResponse>;
  compact(request: { readonly revision: number; readonly physical?: boolean }): Promise<{ readonly header: ResponseHeader }>;
  leaseGrant(request: { readonly ttl: number; readonly id?: number }): Promise<LeaseGrantResponse>;
  leaseRevoke(request: { readonly id: number }): Promise<{ readonly header: ResponseHeader }>;
  leaseKeepAlive(request: { readonly id: number }): Promise<LeaseGrantResponse>;
  leaseTimeToLive(request: {
    readonly id: number;
    readonly keys?: boolean;
  }): Promise<{ readonly header: ResponseHeader; readonly id: number; readonly ttl: number; readonly grantedTtl: number; readonly keys: readonly string[] }>;
  /** Calls `onResponse` for every batch; survives the loss of a member by resuming at another one after the last revision seen. Returns the cancel function. */
  watch(request: WatchCreateRequest, onResponse: (response: WatchResponse) => void): () => void;
}

/** `text` as etcd prints it: `etcdserver: mvcc: required revision has been compacted`. */
export class EtcdError extends Error {
  constructor(
    message: string,
    readonly code: 'InvalidArgument' | 'NotFound' | 'OutOfRange' | 'FailedPrecondition' | 'ResourceExhausted' | 'Unavailable' | 'DeadlineExceeded' | 'Unknown',
  ) {
    super(message);
    this.name = 'EtcdError';
  }
}
