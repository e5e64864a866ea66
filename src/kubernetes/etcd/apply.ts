/**
 * Committed commands, carried out (etcd server/etcdserver/apply.go and txn). The same on every member:
 * nothing here looks at the clock except to start a lease's time, which only the leader counts.
 */
import {
  type AlarmMember,
  type Compare,
  type DeleteRangeRequest,
  type DeleteRangeResponse,
  EtcdError,
  type EtcdEvent,
  type KeyValue,
  type PutRequest,
  type PutResponse,
  type RangeResponse,
  type RequestOp,
  type ResponseHeader,
  type ResponseOp,
  type TxnRequest,
  type TxnResponse,
} from './api.ts';
import type { Auth } from './auth.ts';
import { makeAuth } from './auth-door.ts';
import type { Asker, Operation } from './command.ts';
import type { Lessor } from './lease.ts';
import type { MemberRecord, Membership } from './membership.ts';
import { errors, type MvccStore, type RangeResult, WriteTxn } from './mvcc.ts';

/** What a command came to. The header is added by whoever answers. */
export type Outcome =
  | EtcdError
  | Omit<PutResponse, 'header'>
  | Omit<DeleteRangeResponse, 'header'>
  | Omit<TxnResponse, 'header'>
  | { readonly id: number; readonly ttl: number }
  | { readonly alarms: readonly AlarmMember[] }
  | { readonly members: readonly MemberRecord[]; readonly member?: MemberRecord };

/** Headers of the answers inside a transaction carry a revision and nothing else. */
const inner = (revision: number): ResponseHeader => ({ clusterId: '0', memberId: '0', revision, raftTerm: 0 });

export class Applier {
  constructor(
    private readonly store: MvccStore,
    private readonly lessor: Lessor,
    private readonly membership: Membership,
  ) {}

  /** Undefined until somebody makes users or roles. */
  auth: Auth | undefined;
  /** Alarms in force, by member and kind. While anybody's says NOSPACE nothing may grow (etcd apply.go, applierV3Capped). */
  alarms: readonly AlarmMember[] = [];

  private get full(): boolean {
    return this.alarms.some(({ alarm }) => alarm === 'NOSPACE');
  }

  /** `by`: whose wish it is; undefined: the members' own. */
  apply(operation: Operation, now: number, shared?: EtcdEvent[], by?: Asker): Outcome {
    try {
      if (this.alarms.length > 0 && this.full && grows(operation)) throw errors.noSpace();
      if (by) this.auth?.mayApply(by, operation, (lease) => (this.lessor.has(lease) ? this.lessor.keysOf(lease) : []));
      switch (operation.type) {
        case 'put': {
          this.checkPut(operation.request);
          const txn = this.store.begin(shared);
          const before = this.put(txn, operation.request);
          txn.commit();
          return before && operation.request.prevKv ? { prevKv: before } : {};
        }
        case 'delete': {
          const txn = this.store.begin(shared);
          const gone = this.delete(txn, operation.request);
          txn.commit();
          return { deleted: gone.length, prevKvs: operation.request.prevKv ? gone : [] };
        }
        case 'txn':
          return this.txn(operation.request, shared);
        case 'compact':
          this.store.compact(operation.revision);
          return {};
        case 'grant': {
          const { id, ttl } = this.lessor.grant(operation.lease, operation.ttl, now);
          return { id, ttl };
        }
        case 'revoke': {
          // All its keys go in one revision, in order.
          const keys = this.lessor.revoke(operation.lease);
          const txn = this.store.begin(shared);
          for (const key of keys) txn.delete(key, undefined);
          txn.commit();
          return {};
        }
        case 'lease-checkpoint':
          for (const { id, remaining } of operation.leases) this.lessor.checkpoint(id, remaining, now);
          return {};
        case 'publish':
          this.membership.publish(operation.raftId, operation.name, operation.clientURLs);
          return {};
        case 'cluster-version':
          this.membership.clusterVersion = operation.version;
          return {};
        case 'auth':
          this.auth ??= makeAuth();
          this.auth.apply(operation.operation);
          return {};
        case 'alarm': {
          const { alarm, on } = operation;
          const rest = this.alarms.filter((each) => each.memberId !== alarm.memberId || (alarm.alarm !== 'NONE' && each.alarm !== alarm.alarm));
          const gone = this.alarms.filter((each) => !rest.includes(each));
          this.alarms = on ? [...rest, alarm] : rest;
          return { alarms: on ? [alarm] : gone };
        }
      }
    } catch (error) {
      if (error instanceof EtcdError) return error;
      throw error;
    }
  }

  /** Evaluates a transaction that writes nothing, at the store's present revision. Throws EtcdError. */
  read(request: TxnRequest): Omit<TxnResponse, 'header'> {
    return this.run(new WriteTxn(this.store), request, this.path(request));
  }

  private txn(request: TxnRequest, shared: EtcdEvent[] | undefined): Omit<TxnResponse, 'header'> {
    // All compares, nested ones too, look at the state before the transaction; a branch that cannot be carried out fails as a whole.
    const path = this.path(request);
    this.checkBranch(request, path, 0);
    const txn = this.store.begin(shared);
    const response = this.run(txn, request, path);
    txn.commit();
    return response;
  }

  /** Which way each (nested) transaction goes, in the order they are met. */
  private path(request: TxnRequest): boolean[] {
    const taken = request.compare.every((compare) => this.holds(compare));
    const path = [taken];
    for (const op of taken ? request.success : request.failure) if ('requestTxn' in op) for (const inner of this.path(op.requestTxn)) path.push(inner);
    return path;
  }

  private checkBranch(request: TxnRequest, path: readonly boolean[], depth: number): number {
    let next = depth + 1;
    for (const op of path[depth] ? request.success : request.failure) {
      if ('requestRange' in op) {
        const { revision = 0 } = op.requestRange;
        // A read of the revision that this very transaction makes is allowed to fail later, as upstream.
        if (revision > this.store.revision) throw errors.future();
        if (revision > 0 && revision < this.store.compacted) throw errors.compacted();
      } else if ('requestPut' in op) this.checkPut(op.requestPut);
      else if ('requestTxn' in op) next = this.checkBranch(op.requestTxn, path, next);
    }
    return next;
  }

  private run(txn: WriteTxn, request: TxnRequest, path: readonly boolean[]): Omit<TxnResponse, 'header'> {
    const ops = path[0] ? request.success : request.failure;
    const only = ops.length === 1 ? ops[0] : undefined;
    // Hot: one operation, as every write of an API server is.
    if (only && !('requestTxn' in only)) return { succeeded: path[0]!, responses: [this.op(txn, only)] };
    let at = 0;
    const one = (current: TxnRequest): Omit<TxnResponse, 'header'> => {
      const succeeded = path[at++]!;
      const responses = (succeeded ? current.success : current.failure).map((op): ResponseOp => {
        if ('requestTxn' in op) {
          const response = one(op.requestTxn);
          return { responseTxn: { header: inner(txn.revision), ...response } };
        }
        return this.op(txn, op);
      });
      return { succeeded, responses };
    };
    return one(request);
  }

  private op(txn: WriteTxn, op: Exclude<RequestOp, { readonly requestTxn: TxnRequest }>): ResponseOp {
    if ('requestRange' in op) {
      const { revision, ...rest } = txn.range(op.requestRange);
      return { responseRange: { header: inner(revision), ...rest } };
    }
    if ('requestPut' in op) {
      const before = this.put(txn, op.requestPut);
      const header = inner(txn.revision);
      return { responsePut: before && op.requestPut.prevKv ? { header, prevKv: before } : { header } };
    }
    const gone = this.delete(txn, op.requestDeleteRange);
    return { responseDeleteRange: { header: inner(txn.revision), deleted: gone.length, prevKvs: op.requestDeleteRange.prevKv ? gone : [] } };
  }

  private checkPut(request: PutRequest): void {
    if ((request.ignoreValue || request.ignoreLease) && !this.store.get(request.key)) throw errors.keyNotFound();
    if (request.lease && !this.lessor.has(request.lease)) throw errors.leaseNotFound();
  }

  private put(txn: WriteTxn, request: PutRequest): KeyValue | undefined {
    const keep = request.ignoreValue || request.ignoreLease ? this.store.get(request.key) : undefined;
    const lease = request.ignoreLease ? (keep?.lease ?? 0) : (request.lease ?? 0);
    const before = txn.put(request.key, request.ignoreValue ? (keep?.value ?? '') : request.value, lease);
    this.lessor.attach(request.key, lease);
    return before;
  }

  private delete(txn: WriteTxn, request: DeleteRangeRequest): readonly KeyValue[] {
    const gone = txn.delete(request.key, request.rangeEnd || undefined);
    for (const kv of gone) this.lessor.attach(kv.key, 0);
    return gone;
  }

  private holds(compare: Compare): boolean {
    if (compare.rangeEnd) {
      const found: KeyValue[] = [];
      this.store.scan(compare.key, compare.rangeEnd, undefined, (kv) => found.push(kv));
      // An empty range holds unless its value is asked for, which nothing has.
      if (found.length === 0) return compare.target === 'value' ? false : holdsFor(compare, undefined);
      return found.every((kv) => holdsFor(compare, kv));
    }
    return holdsFor(compare, this.store.get(compare.key));
  }
}

const takesRoom = (op: RequestOp): boolean => 'requestPut' in op || ('requestTxn' in op && grows({ type: 'txn', request: op.requestTxn }));

/** Whether an operation may take room. */
export function grows(operation: Operation): boolean {
  switch (operation.type) {
    case 'put':
    case 'grant':
      return true;
    case 'txn':
      return operation.request.success.some(takesRoom) || operation.request.failure.some(takesRoom);
    default:
      return false;
  }
}

/** A missing key compares as version, create and mod revision and lease 0; its value equals nothing and differs from nothing. */
function holdsFor(compare: Compare, kv: KeyValue | undefined): boolean {
  if (!kv && compare.target === 'value') return false;
  const { operand } = compare;
  let actual: number | string;
  switch (compare.target) {
    case 'version':
      actual = kv?.version ?? 0;
      break;
    case 'create':
      actual = kv?.createRevision ?? 0;
      break;
    case 'mod':
      actual = kv?.modRevision ?? 0;
      break;
    case 'lease':
      actual = kv?.lease ?? 0;
      break;
    case 'value':
      actual = kv!.value;
      break;
  }
  switch (compare.result) {
    case '=':
      return actual === operand;
    case '!=':
      return actual !== operand;
    case '<':
      return actual < operand;
    case '>':
      return actual > operand;
  }
}

/** A range's answer; the header's revision is that of the store, not of the state read. */
export const rangeResponse = (result: RangeResult, header: ResponseHeader): RangeResponse => ({
  header,
  kvs: result.kvs,
  more: result.more,
  count: result.count,
});
