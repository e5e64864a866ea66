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
  /** What is too large for one response may come in several. */
  readonly fragment?: boolean;
  /** Changes of these kinds are not told (`FilterType`). */
  readonly filters?: readonly ('NOPUT' | 'NODELETE')[];
  /** Who watches, where that is asked. */
  readonly as?: { readonly user: string; readonly password: string };
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
  /** More of the same changes follow. A client of the whole cluster puts them together again. */
  readonly fragment?: boolean;
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

/** A member as the cluster knows it (rpc.proto `Member`). */
export interface MemberInfo {
  /** The 64-bit id, decimal. */
  readonly id: string;
  /** Empty until the member has started. */
  readonly name: string;
  readonly peerURLs: readonly string[];
  /** None until the member has started. */
  readonly clientURLs: readonly string[];
  readonly isLearner: boolean;
}
export interface MembersResponse {
  readonly header: ResponseHeader;
  readonly members: readonly MemberInfo[];
  /** The one that was added. */
  readonly member?: MemberInfo;
}
export type AlarmType = 'NONE' | 'NOSPACE' | 'CORRUPT';
export interface AlarmMember {
  readonly memberId: string;
  readonly alarm: AlarmType;
}
export interface StatusResponse {
  readonly header: ResponseHeader;
  readonly version: string;
  /** Bytes of the backend file, and of what is used of it. */
  readonly dbSize: number;
  readonly dbSizeInUse: number;
  /** The leader's member id, decimal; `0` when there is none. */
  readonly leader: string;
  readonly raftIndex: number;
  readonly raftTerm: number;
  readonly raftAppliedIndex: number;
  readonly errors: readonly string[];
  readonly isLearner: boolean;
}
export interface HashKvResponse {
  readonly header: ResponseHeader;
  readonly hash: number;
  readonly compactRevision: number;
}

/** A range of keys and what a role may do with it. `rangeEnd` empty: one key; `\0`: from key on. */
export interface AuthPermission {
  readonly type: 'READ' | 'WRITE' | 'READWRITE';
  readonly key: string;
  readonly rangeEnd: string;
}
export type AuthOperation =
  | { readonly what: 'enable' | 'disable' }
  /** Without a password nobody can be this user here: in life its certificate would tell. */
  | { readonly what: 'user-add'; readonly name: string; readonly password?: string }
  | { readonly what: 'user-delete'; readonly name: string }
  | { readonly what: 'user-password'; readonly name: string; readonly password: string }
  | { readonly what: 'user-grant' | 'user-revoke'; readonly name: string; readonly role: string }
  | { readonly what: 'role-add' | 'role-delete'; readonly role: string }
  | { readonly what: 'role-grant'; readonly role: string; readonly permission: AuthPermission }
  | { readonly what: 'role-revoke'; readonly role: string; readonly key: string; readonly rangeEnd: string };
export type AuthQuestion =
  | { readonly what: 'status' | 'users' | 'roles' }
  | { readonly what: 'user'; readonly name: string }
  | { readonly what: 'role'; readonly role: string };
export interface AuthAnswer {
  readonly header: ResponseHeader;
  readonly enabled: boolean;
  readonly revision: number;
  /** Of users, roles, or a user's roles. */
  readonly names: readonly string[];
  readonly permissions: readonly AuthPermission[];
}

/** What one member offers besides keys and leases: the services Cluster and Maintenance of rpc.proto. */
export interface EtcdServer extends EtcdClient {
  memberList(request: { readonly linearizable: boolean }): Promise<MembersResponse>;
  memberAdd(request: { readonly peerURLs: readonly string[]; readonly isLearner: boolean }): Promise<MembersResponse>;
  memberRemove(request: { readonly id: string }): Promise<MembersResponse>;
  memberUpdate(request: { readonly id: string; readonly peerURLs: readonly string[] }): Promise<MembersResponse>;
  memberPromote(request: { readonly id: string }): Promise<MembersResponse>;
  status(): Promise<StatusResponse>;
  alarm(request: { readonly action: 'GET' | 'ACTIVATE' | 'DEACTIVATE'; readonly memberId: string; readonly alarm: AlarmType }): Promise<{
    readonly header: ResponseHeader;
    readonly alarms: readonly AlarmMember[];
  }>;
  defragment(): Promise<{ readonly header: ResponseHeader }>;
  /** How far a member's watches are: whatever changed up to this revision has been sent before the answer (`WatchProgressRequest`). */
  watchProgress(): Promise<ResponseHeader>;
  /** `revision` 0: now. */
  hashKv(request: { readonly revision: number }): Promise<HashKvResponse>;
  /** Hands leadership over; only the leader can. */
  moveLeader(request: { readonly targetId: string }): Promise<{ readonly header: ResponseHeader }>;
  leases(): Promise<{ readonly header: ResponseHeader; readonly ids: readonly number[] }>;
  /** The whole store of this member as text. */
  snapshot(): Promise<{ readonly header: ResponseHeader; readonly text: string }>;
  /** Changes users, roles or whether they count. */
  auth(operation: AuthOperation): Promise<{ readonly header: ResponseHeader }>;
  askAuth(question: AuthQuestion): Promise<AuthAnswer>;
  /** The same member as somebody else. Throws EtcdError when the password is wrong, or when nobody is asked for one. */
  as(user: string, password: string): EtcdServer;
}

/** One member as a client reaches it. */
export interface EtcdEndpoint {
  /** As a client names it: `http://10.0.0.21:2379`, or the member's name inside a composition. */
  readonly name: string;
  /** Carries a call to the member and its answer back. Rejects with EtcdError code Unavailable when the member cannot be reached or the connection breaks; the text begins with {@link NOT_SENT} when the request surely never arrived. */
  call<T>(invoke: (server: EtcdServer) => Promise<T>): Promise<T>;
  /** Opens a watch on the member. `onClosed` is called once if the connection breaks. Returns the cancel function. */
  watch(request: WatchCreateRequest, onResponse: (response: WatchResponse) => void, onClosed: () => void): () => void;
}

/** What gRPC says when there was no connection to send on: such a call may be repeated elsewhere, a write too. */
export const NOT_SENT = 'connection error: ';

/** `text` as etcd prints it: `etcdserver: mvcc: required revision has been compacted`. */
export class EtcdError extends Error {
  constructor(
    message: string,
    readonly code:
      | 'InvalidArgument'
      | 'NotFound'
      | 'OutOfRange'
      | 'FailedPrecondition'
      | 'ResourceExhausted'
      | 'Unavailable'
      | 'DeadlineExceeded'
      | 'PermissionDenied'
      | 'Unknown',
  ) {
    super(message);
    this.name = 'EtcdError';
  }
}
