/** What a member refuses before it asks the others (etcd server/etcdserver/api/v3rpc/key.go). Throws EtcdError. */
import { type DeleteRangeRequest, EtcdError, type PutRequest, type RangeRequest, type RequestOp, type TxnRequest } from './api.ts';
import { inRange } from './mvcc.ts';

/** `--max-txn-ops`. */
const MAX_TXN_OPS = 128;
/** `--max-request-bytes`. */
export const MAX_REQUEST_BYTES = 1.5 * 1024 * 1024;

const invalid = (text: string): EtcdError => new EtcdError(`etcdserver: ${text}`, 'InvalidArgument');

export function checkRange(request: RangeRequest): void {
  if (request.key === '') throw invalid('key is not provided');
}

export function checkDelete(request: DeleteRangeRequest): void {
  if (request.key === '') throw invalid('key is not provided');
}

export function checkPut(request: PutRequest): void {
  if (request.key === '') throw invalid('key is not provided');
  if (request.ignoreValue && request.value !== '') throw invalid('value is provided');
  if (request.ignoreLease && request.lease) throw invalid('lease is provided');
}

export function checkTxn(request: TxnRequest): void {
  checkParts(request);
  // Hot: of one operation nothing can overlap, and every write of an API server is of one.
  if (isSeveral(request.success)) checkOverlaps(request.success);
  if (isSeveral(request.failure)) checkOverlaps(request.failure);
}

const isSeveral = (ops: readonly RequestOp[]): boolean => ops.length > 1 || (ops.length === 1 && 'requestTxn' in ops[0]!);

function checkParts(request: TxnRequest): void {
  if (Math.max(request.compare.length, request.success.length, request.failure.length) > MAX_TXN_OPS) throw invalid('too many operations in txn request');
  for (const compare of request.compare) if (compare.key === '') throw invalid('key is not provided');
  for (const op of request.success) checkOp(op);
  for (const op of request.failure) checkOp(op);
}

function checkOp(op: RequestOp): void {
  if ('requestRange' in op) checkRange(op.requestRange);
  else if ('requestPut' in op) checkPut(op.requestPut);
  else if ('requestDeleteRange' in op) checkDelete(op.requestDeleteRange);
  else checkParts(op.requestTxn);
}

interface Touched {
  readonly puts: Set<string>;
  readonly deletes: { readonly key: string; readonly end: string | undefined }[];
}

/** No key may be put twice, or put and deleted, on one way through a transaction. */
function checkOverlaps(ops: readonly RequestOp[]): Touched {
  const all: Touched = { puts: new Set(), deletes: [] };
  if (ops.length === 1 && !('requestTxn' in ops[0]!)) return single(ops[0]!);
  const duplicate = () => invalid('duplicate key given in txn request');
  for (const op of ops) if ('requestDeleteRange' in op) all.deletes.push({ key: op.requestDeleteRange.key, end: op.requestDeleteRange.rangeEnd || undefined });
  for (const op of ops) {
    if (!('requestTxn' in op)) continue;
    const ways = [checkOverlaps(op.requestTxn.success), checkOverlaps(op.requestTxn.failure)];
    for (const way of ways) {
      for (const key of way.puts) if (all.puts.has(key) || all.deletes.some((d) => inRange(key, d.key, d.end))) throw duplicate();
      for (const d of way.deletes) for (const key of all.puts) if (inRange(key, d.key, d.end)) throw duplicate();
    }
    // Only one of the two ways is taken, so they may touch the same keys.
    for (const way of ways) {
      for (const key of way.puts) all.puts.add(key);
      all.deletes.push(...way.deletes);
    }
  }
  for (const op of ops) {
    if (!('requestPut' in op)) continue;
    const { key } = op.requestPut;
    if (all.puts.has(key) || all.deletes.some((d) => inRange(key, d.key, d.end))) throw duplicate();
    all.puts.add(key);
  }
  return all;
}

function single(op: RequestOp): Touched {
  if ('requestPut' in op) return { puts: new Set([op.requestPut.key]), deletes: [] };
  if ('requestDeleteRange' in op) return { puts: new Set(), deletes: [{ key: op.requestDeleteRange.key, end: op.requestDeleteRange.rangeEnd || undefined }] };
  return { puts: new Set(), deletes: [] };
}

export const isReadOnly = (request: TxnRequest): boolean => request.success.every(onlyReads) && request.failure.every(onlyReads);
const onlyReads = (op: RequestOp): boolean => 'requestRange' in op || ('requestTxn' in op && isReadOnly(op.requestTxn));

/** A transaction that may be answered from this member's own, perhaps old, state. */
export const isSerializable = (request: TxnRequest): boolean => request.success.every(isOld) && request.failure.every(isOld);
const isOld = (op: RequestOp): boolean => 'requestRange' in op && op.requestRange.serializable === true;
