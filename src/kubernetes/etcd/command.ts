/**
 * What a member puts in the log, as text: numbers end in `;`, strings are preceded by their length, so
 * that a value of kilobytes is never scanned. The small pieces are joined, and long values hung in between
 * uncopied: the log keeps ten thousand of these texts, and every loose piece of one would be an object.
 *
 * `cause` is the trace fact the request follows from; it travels in the log so that every member knows
 * why it changes what it changes.
 */
import type { AlarmMember, AuthOperation, Compare, DeleteRangeRequest, EtcdEvent, PutRequest, RangeRequest, RequestOp, TxnRequest } from './api.ts';
import type { Entry } from './raft/types.ts';

export type Operation =
  | { readonly type: 'put'; readonly request: PutRequest }
  | { readonly type: 'delete'; readonly request: DeleteRangeRequest }
  | { readonly type: 'txn'; readonly request: TxnRequest }
  | { readonly type: 'compact'; readonly revision: number }
  | { readonly type: 'grant'; readonly lease: number; readonly ttl: number }
  | { readonly type: 'revoke'; readonly lease: number }
  | Rare;

/** What comes once in a while; its text is JSON. */
export type Rare =
  | { readonly type: 'publish'; readonly raftId: number; readonly name: string; readonly clientURLs: readonly string[] }
  | { readonly type: 'cluster-version'; readonly version: string }
  /** What leases have left, in seconds; 0: all of their time. */
  | { readonly type: 'lease-checkpoint'; readonly leases: readonly { readonly id: number; readonly remaining: number }[] }
  | { readonly type: 'alarm'; readonly on: boolean; readonly alarm: AlarmMember }
  | { readonly type: 'auth'; readonly operation: AuthOperation };

/** Who asked for a command, as its header says, and of which state of the users it was known (etcd raft_internal.proto, RequestHeader). */
export interface Asker {
  /** Empty: nobody has said. */
  readonly user: string;
  /** 0 when nobody has. */
  readonly revision: number;
}

export interface Command {
  /** Unique over members and restarts: whoever proposed it knows its answer by it. */
  readonly id: number;
  readonly cause: number;
  readonly operation: Operation;
  /** Undefined: the members themselves, or there are no users. */
  readonly by?: Asker;
  /** Changes as the first member made them, so that the others can keep the same objects; not part of the text. */
  readonly shared?: EtcdEvent[];
}

const TARGETS = ['version', 'create', 'mod', 'value', 'lease'] as const;
const RESULTS = ['=', '!=', '<', '>'] as const;
const ORDERS = ['none', 'ascend', 'descend'] as const;
const SORTS = ['key', 'version', 'create', 'mod', 'value'] as const;

/** Longer texts are not copied. */
const LONG = 200;
const bits = (a: boolean | undefined, b?: boolean, c?: boolean): number => (a ? 1 : 0) | (b ? 2 : 0) | (c ? 4 : 0);

export function encode(id: number, cause: number, operation: Operation, by?: Asker): string {
  const writer = new Writer();
  writer.number(id);
  writer.number(cause);
  if (by) {
    writer.mark('A');
    writer.text(by.user);
    writer.number(by.revision);
  }
  switch (operation.type) {
    case 'put':
      writer.put(operation.request);
      break;
    case 'delete':
      writer.delete(operation.request);
      break;
    case 'txn':
      writer.txn(operation.request);
      break;
    case 'compact':
      writer.mark('C');
      writer.number(operation.revision);
      break;
    case 'grant':
      writer.mark('G');
      writer.number(operation.lease);
      writer.number(operation.ttl);
      break;
    case 'revoke':
      writer.mark('R');
      writer.number(operation.lease);
      break;
    default:
      writer.mark('J');
      writer.text(JSON.stringify(operation));
  }
  return writer.end();
}

function isPlain(request: RangeRequest): boolean {
  for (const field in request) if (field !== 'key') return false;
  return true;
}

class Writer {
  private done = '';
  private pieces: string[] = [];

  mark(letter: string): void {
    this.pieces.push(letter);
  }

  number(n: number): void {
    this.pieces.push(`${n};`);
  }

  text(s: string): void {
    if (s.length < LONG) this.pieces.push(`${s.length}:`, s);
    else {
      this.pieces.push(`${s.length}:`);
      this.done = this.end() + s;
      this.pieces = [];
    }
  }

  end(): string {
    const small = this.pieces.join('');
    return this.done === '' ? small : this.done + small;
  }

  put(r: PutRequest): void {
    this.mark('P');
    this.text(r.key);
    this.number(r.lease ?? 0);
    this.number(bits(r.prevKv, r.ignoreValue, r.ignoreLease));
    this.text(r.value);
  }

  delete(r: DeleteRangeRequest): void {
    this.mark('D');
    this.text(r.key);
    this.text(r.rangeEnd ?? '');
    this.number(bits(r.prevKv));
  }

  range(r: RangeRequest): void {
    this.mark('G');
    this.text(r.key);
    // Hot: the other branch of every write of an API server reads one key, and asks for nothing else.
    if (isPlain(r)) {
      this.mark('0:0;0;0;0;0;0;0;0;0;');
      return;
    }
    this.text(r.rangeEnd ?? '');
    this.number(r.limit ?? 0);
    this.number(r.revision ?? 0);
    this.number(ORDERS.indexOf(r.sortOrder ?? 'none'));
    this.number(SORTS.indexOf(r.sortTarget ?? 'key'));
    this.number(bits(r.serializable, r.keysOnly, r.countOnly));
    this.number(r.minModRevision ?? 0);
    this.number(r.maxModRevision ?? 0);
    this.number(r.minCreateRevision ?? 0);
    this.number(r.maxCreateRevision ?? 0);
  }

  compare(c: Compare): void {
    this.text(c.key);
    this.text(c.rangeEnd ?? '');
    this.number(TARGETS.indexOf(c.target));
    this.number(RESULTS.indexOf(c.result));
    if (typeof c.operand === 'string') {
      this.mark('s');
      this.text(c.operand);
    } else {
      this.mark('n');
      this.number(c.operand);
    }
  }

  txn(request: TxnRequest): void {
    this.mark('T');
    this.number(request.compare.length);
    for (const compare of request.compare) this.compare(compare);
    this.branch(request.success);
    this.branch(request.failure);
  }

  private branch(ops: readonly RequestOp[]): void {
    this.number(ops.length);
    for (const op of ops) {
      if ('requestPut' in op) this.put(op.requestPut);
      else if ('requestDeleteRange' in op) this.delete(op.requestDeleteRange);
      else if ('requestRange' in op) this.range(op.requestRange);
      else this.txn(op.requestTxn);
    }
  }
}

/**
 * An entry to propose. The command itself goes beside its text, since all members live in one memory:
 * none of them has to read it again, and the engine never joins the pieces of a text that nobody reads.
 */
export const entryOf = (command: Command): Entry => ({
  term: 0,
  index: 0,
  type: 'normal',
  data: encode(command.id, command.cause, command.operation, command.by),
  note: command,
});

/** What an entry of the log says. Throws RangeError when it is no command. */
export const commandOf = (entry: Entry): Command => (entry.note as Command | undefined) ?? decode(entry.data ?? '');

/** Throws RangeError when the text is not a command. */
export function decode(data: string): Command {
  const reader = new Reader(data);
  const head = { id: reader.int(), cause: reader.int() };
  const kind = reader.char();
  if (kind !== 'A') return { ...head, operation: operationOf(kind, reader) };
  const by = { user: reader.text(), revision: reader.int() };
  return { ...head, by, operation: operationOf(reader.char(), reader) };
}

function operationOf(kind: string, reader: Reader): Operation {
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
    case 'J':
      return JSON.parse(reader.text()) as Rare;
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
