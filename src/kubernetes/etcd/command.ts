/**
 * What a member puts in the log, as text: numbers end in `;`, strings are preceded by their length, so
 * that a value of kilobytes is copied once and never scanned.
 *
 * `cause` is the trace fact the request follows from; it travels in the log so that every member knows
 * why it changes what it changes.
 */
import type { Compare, DeleteRangeRequest, EtcdEvent, PutRequest, RangeRequest, RequestOp, TxnRequest } from './api.ts';
import type { Entry } from './raft/types.ts';

export type Operation =
  | { readonly type: 'put'; readonly request: PutRequest }
  | { readonly type: 'delete'; readonly request: DeleteRangeRequest }
  | { readonly type: 'txn'; readonly request: TxnRequest }
  | { readonly type: 'compact'; readonly revision: number }
  | { readonly type: 'grant'; readonly lease: number; readonly ttl: number }
  | { readonly type: 'revoke'; readonly lease: number };

export interface Command {
  /** Unique over members and restarts: whoever proposed it knows its answer by it. */
  readonly id: number;
  readonly cause: number;
  readonly operation: Operation;
  /** Changes as the first member made them, so that the others can keep the same objects; not part of the text. */
  readonly shared?: EtcdEvent[];
}

const TARGETS = ['version', 'create', 'mod', 'value', 'lease'] as const;
const RESULTS = ['=', '!=', '<', '>'] as const;
const ORDERS = ['none', 'ascend', 'descend'] as const;
const SORTS = ['key', 'version', 'create', 'mod', 'value'] as const;

const text = (s: string): string => `${s.length}:${s}`;
const bits = (...flags: (boolean | undefined)[]): number => flags.reduce((sum, flag, i) => (flag ? sum | (1 << i) : sum), 0);

export function encode(id: number, cause: number, operation: Operation): string {
  const head = `${id};${cause};`;
  switch (operation.type) {
    case 'put':
      return `${head}P${encodePut(operation.request)}`;
    case 'delete':
      return `${head}D${encodeDelete(operation.request)}`;
    case 'txn':
      return `${head}T${encodeTxn(operation.request)}`;
    case 'compact':
      return `${head}C${operation.revision};`;
    case 'grant':
      return `${head}G${operation.lease};${operation.ttl};`;
    case 'revoke':
      return `${head}R${operation.lease};`;
  }
}

const encodePut = (r: PutRequest): string => `${text(r.key)}${r.lease ?? 0};${bits(r.prevKv, r.ignoreValue, r.ignoreLease)};${text(r.value)}`;
const encodeDelete = (r: DeleteRangeRequest): string => `${text(r.key)}${text(r.rangeEnd ?? '')}${bits(r.prevKv)};`;
const encodeRange = (r: RangeRequest): string =>
  `${text(r.key)}${text(r.rangeEnd ?? '')}${r.limit ?? 0};${r.revision ?? 0};${ORDERS.indexOf(r.sortOrder ?? 'none')};${SORTS.indexOf(r.sortTarget ?? 'key')};` +
  `${bits(r.serializable, r.keysOnly, r.countOnly)};${r.minModRevision ?? 0};${r.maxModRevision ?? 0};${r.minCreateRevision ?? 0};${r.maxCreateRevision ?? 0};`;
const encodeCompare = (c: Compare): string =>
  `${text(c.key)}${text(c.rangeEnd ?? '')}${TARGETS.indexOf(c.target)};${RESULTS.indexOf(c.result)};${typeof c.operand === 'string' ? `s${text(c.operand)}` : `n${c.operand};`}`;

function encodeTxn(request: TxnRequest): string {
  let out = `${request.compare.length};`;
  for (const compare of request.compare) out += encodeCompare(compare);
  for (const branch of [request.success, request.failure]) {
    out += `${branch.length};`;
    for (const op of branch) out += encodeOp(op);
  }
  return out;
}

function encodeOp(op: RequestOp): string {
  if ('requestPut' in op) return `P${encodePut(op.requestPut)}`;
  if ('requestDeleteRange' in op) return `D${encodeDelete(op.requestDeleteRange)}`;
  if ('requestRange' in op) return `G${encodeRange(op.requestRange)}`;
  return `T${encodeTxn(op.requestTxn)}`;
}

/**
 * An entry to propose. The command itself goes beside its text, since all members live in one memory:
 * none of them has to read it again, and the engine never joins the pieces of a text that nobody reads.
 */
export const entryOf = (command: Command): Entry => ({
  term: 0,
  index: 0,
  type: 'normal',
  data: encode(command.id, command.cause, command.operation),
  note: command,
});

/** What an entry of the log says. Throws RangeError when it is no command. */
export const commandOf = (entry: Entry): Command => (entry.note as Command | undefined) ?? decode(entry.data ?? '');

/** Throws RangeError when the text is not a command. */
export function decode(data: string): Command {
  const reader = new Reader(data);
  return { id: reader.int(), cause: reader.int(), operation: operationOf(reader) };
}

function operationOf(reader: Reader): Operation {
  const kind = reader.char();
  switch (kind) {
    case 'P':
      return { type: 'put', request: decodePut(reader) };
    case 'D':
      return { type: 'delete', request: decodeDelete(reader) };
    case 'T':
      return { type: 'txn', request: decodeTxn(reader) };
    case 'C':
      return { type: 'compact', revision: reader.int() };
    case 'G':
      return { type: 'grant', lease: reader.int(), ttl: reader.int() };
    case 'R':
      return { type: 'revoke', lease: reader.int() };
    default:
      throw new RangeError(`etcd: no such command: ${kind}`);
  }
}

class Reader {
  private at = 0;
  constructor(private readonly data: string) {}

  char(): string {
    return this.data[this.at++] ?? '';
  }

  int(): number {
    return this.number(59 /* ; */);
  }

  text(): string {
    const length = this.number(58 /* : */);
    const start = this.at;
    this.at += length;
    return this.data.slice(start, this.at);
  }

  private number(end: number): number {
    const { data } = this;
    let at = this.at;
    const negative = data.charCodeAt(at) === 45;
    if (negative) at++;
    let value = 0;
    for (; ; at++) {
      const code = data.charCodeAt(at);
      if (code === end) break;
      if (!(code >= 48 && code <= 57)) throw new RangeError(`etcd: a command is broken at ${at}`);
      value = value * 10 + (code - 48);
    }
    this.at = at + 1;
    return negative ? -value : value;
  }
}

function decodePut(r: Reader): PutRequest {
  const key = r.text();
  const lease = r.int();
  const flags = r.int();
  return { key, value: r.text(), lease, prevKv: (flags & 1) > 0, ignoreValue: (flags & 2) > 0, ignoreLease: (flags & 4) > 0 };
}

const decodeDelete = (r: Reader): DeleteRangeRequest => ({ key: r.text(), rangeEnd: r.text(), prevKv: r.int() > 0 });

function decodeRange(r: Reader): RangeRequest {
  const head = { key: r.text(), rangeEnd: r.text(), limit: r.int(), revision: r.int(), sortOrder: ORDERS[r.int()]!, sortTarget: SORTS[r.int()]! };
  const flags = r.int();
  return {
    ...head,
    serializable: (flags & 1) > 0,
    keysOnly: (flags & 2) > 0,
    countOnly: (flags & 4) > 0,
    minModRevision: r.int(),
    maxModRevision: r.int(),
    minCreateRevision: r.int(),
    maxCreateRevision: r.int(),
  };
}

const decodeCompare = (r: Reader): Compare => ({
  key: r.text(),
  rangeEnd: r.text(),
  target: TARGETS[r.int()]!,
  result: RESULTS[r.int()]!,
  operand: r.char() === 's' ? r.text() : r.int(),
});

function decodeTxn(r: Reader): TxnRequest {
  const list = <T>(one: (r: Reader) => T): T[] => {
    const out: T[] = [];
    for (let n = r.int(); n > 0; n--) out.push(one(r));
    return out;
  };
  return { compare: list(decodeCompare), success: list(decodeOp), failure: list(decodeOp) };
}

function decodeOp(r: Reader): RequestOp {
  switch (r.char()) {
    case 'P':
      return { requestPut: decodePut(r) };
    case 'D':
      return { requestDeleteRange: decodeDelete(r) };
    case 'G':
      return { requestRange: decodeRange(r) };
    default:
      return { requestTxn: decodeTxn(r) };
  }
}
