/**
 * The store: every key with all its versions since the last compaction, and the list of changes in
 * revision order that watches are fed from (etcd server/storage/mvcc).
 *
 * A revision is one successful write request; changes inside one request share it and are ordered by
 * their place in it. Everything is synchronous: a member calls `write` for each committed entry.
 *
 * Here simplified: keys are compared as UTF-16 text, not as bytes; the same for ASCII. Of the backend file
 * only its size is modelled (`backend.ts`).
 */
import { hash32 } from '../../sim/rng.ts';
import { BTree } from '../../sim/sorted-map.ts';
import { EtcdError, type EtcdEvent, type KeyValue, type RangeRequest } from './api.ts';
import { Backend } from './backend.ts';

/** One key's versions, oldest first; a tombstone is a version 0. */
interface KeyHistory {
  readonly key: string;
  versions: KeyValue[];
}

/** A copy of a store at one instant: what a snapshot holds. Immutable. */
export interface StoreImage {
  readonly revision: number;
  readonly compacted: number;
  readonly keys: readonly (readonly [string, readonly KeyValue[]])[];
  readonly changes: readonly EtcdEvent[];
}

export interface RangeResult {
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly count: number;
  /** The store's revision when it was read. */
  readonly revision: number;
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const errors = {
  compacted: () => new EtcdError('etcdserver: mvcc: required revision has been compacted', 'OutOfRange'),
  future: () => new EtcdError('etcdserver: mvcc: required revision is a future revision', 'OutOfRange'),
  keyNotFound: () => new EtcdError('etcdserver: key not found', 'InvalidArgument'),
  noSpace: () => new EtcdError('etcdserver: mvcc: database space exceeded', 'ResourceExhausted'),
  leaseNotFound: () => new EtcdError('etcdserver: requested lease not found', 'NotFound'),
};

/** The end of the range of all keys that begin with `prefix`: the prefix with its last character raised; `\0` (to the end of all keys) for the empty one. */
export function prefixEnd(prefix: string): string {
  if (prefix === '') return '\0';
  const last = prefix.length - 1;
  return prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1);
}

/** Whether a key lies in [start, end); no end: that one key; `\0`: everything from start on. */
export const inRange = (key: string, start: string, end: string | undefined): boolean => (end ? key >= start && (end === '\0' || key < end) : key === start);

export class MvccStore {
  /** The last write's revision; a fresh store stands at 1. */
  revision = 1;
  /** Revisions before this one are forgotten; -1 until the first compaction. */
  compacted = -1;
  private index = new BTree<string, KeyHistory>(undefined, byText);
  private keys = new Map<string, KeyHistory>();
  /** Changes since the last compaction, in revision order. */
  private changes: EtcdEvent[] = [];
  private readonly observers = new Set<(events: readonly EtcdEvent[], revision: number) => void>();

  /** Live keys. */
  live = 0;
  /** Room the kept versions take. */
  readonly backend = new Backend();

  /** Told of every write as it is applied, at no cost and with no effect on the world; for drawing and for tests. Returns what stops it. */
  observe(listener: (events: readonly EtcdEvent[], revision: number) => void): () => void {
    this.observers.add(listener);
    return () => this.observers.delete(listener);
  }

  /** The newest version of a key, unless deleted. */
  get(key: string): KeyValue | undefined {
    const versions = this.keys.get(key)?.versions;
    return versions && alive(versions[versions.length - 1]);
  }

  /** The version of a key that stood at `revision`. The caller has checked that the revision is kept. */
  getAt(key: string, revision: number): KeyValue | undefined {
    const history = this.keys.get(key);
    return history && alive(at(history, revision));
  }

  /** All versions of a key since the last compaction, oldest first, tombstones (version 0) included. */
  history(key: string): readonly KeyValue[] {
    return this.keys.get(key)?.versions ?? [];
  }

  /** Live keys of [key, end) in order, as they stood at `revision` (absent: now). */
  scan(key: string, end: string, revision: number | undefined, visit: (kv: KeyValue) => void): void {
    const toEnd = end === '\0';
    const high = toEnd ? this.index.maxKey() : end;
    if (high === undefined || (!toEnd && key >= end) || key > high) return;
    this.index.forRange(key, high, toEnd, (_, history) => {
      const kv = alive(revision === undefined ? history.versions[history.versions.length - 1] : at(history, revision));
      if (kv) visit(kv);
    });
  }

  /** Answers a range request. Throws EtcdError (compacted, future). */
  range(request: RangeRequest): RangeResult {
    return readRange(this, request, this.revision);
  }

  /** Changes from `from` on, in order, of keys in [key, end). */
  changesFrom(from: number, key: string, end: string | undefined): EtcdEvent[] {
    const found: EtcdEvent[] = [];
    for (let i = this.firstChange(from); i < this.changes.length; i++) {
      const event = this.changes[i]!;
      if (inRange(event.kv.key, key, end)) found.push(event);
    }
    return found;
  }

  private firstChange(revision: number): number {
    let low = 0;
    let high = this.changes.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (this.changes[mid]!.kv.modRevision < revision) low = mid + 1;
      else high = mid;
    }
    return low;
  }

  /** Starts a write request. Nothing else may touch the store until `commit`. `shared`: see {@link WriteTxn}. */
  begin(shared?: EtcdEvent[]): WriteTxn {
    return new WriteTxn(this, shared);
  }

  /** @internal One change of a write under way; `twin` is the same change as another member made it, if any. */
  push(made: KeyValue, twin: EtcdEvent | undefined): EtcdEvent {
    const history = this.keys.get(made.key);
    const prevKv = history && alive(history.versions[history.versions.length - 1]);
    const same = twin !== undefined && twin.prevKv === prevKv && equal(twin.kv, made);
    const kv = same ? twin.kv : made;
    if (history) history.versions.push(kv);
    else {
      const begun: KeyHistory = { key: kv.key, versions: [kv] };
      this.keys.set(kv.key, begun);
      this.index.set(kv.key, begun);
    }
    this.backend.grow(kv.key.length + kv.value.length);
    const deleted = kv.version === 0;
    if (deleted) this.live--;
    else if (!prevKv) this.live++;
    const event: EtcdEvent = same ? twin : prevKv ? { type: deleted ? 'DELETE' : 'PUT', kv, prevKv } : { type: 'PUT', kv };
    this.changes.push(event);
    return event;
  }

  /** @internal The write is over: its revision is the store's. */
  finish(events: readonly EtcdEvent[], revision: number): void {
    this.revision = revision;
    for (const observer of this.observers) observer(events, revision);
  }

  /**
   * Forgets what was superseded before `revision`: of every key the newest version at or before it stays,
   * unless that is a tombstone. Throws EtcdError (compacted, future).
   */
  compact(revision: number): void {
    if (revision <= this.compacted) throw errors.compacted();
    if (revision > this.revision) throw errors.future();
    const first = this.firstChange(revision);
    // Only keys that changed before `revision` (or held a version from before) can have anything to forget.
    const touched = new Set<string>();
    for (let i = 0; i < this.changes.length && this.changes[i]!.kv.modRevision <= revision; i++) touched.add(this.changes[i]!.kv.key);
    for (const key of touched) {
      const history = this.keys.get(key);
      if (!history) continue;
      const { versions } = history;
      let keep = versions.length - 1;
      while (keep > 0 && versions[keep]!.modRevision > revision) keep--;
      const newest = versions[keep]!;
      // A deletion at exactly the compacted revision can still be watched; its key is gone all the same.
      if (newest.modRevision <= revision && newest.version === 0) keep++;
      for (let i = 0; i < keep; i++) this.backend.shrink(key.length + versions[i]!.value.length);
      if (keep > 0) history.versions = versions.slice(keep);
      if (history.versions.length === 0) {
        this.keys.delete(key);
        this.index.delete(key);
      }
    }
    this.changes = this.changes.slice(first);
    this.compacted = revision;
  }

  /** What all members agree on if they hold the same: every kept version up to `revision`. Throws EtcdError (compacted, future). */
  hash(revision: number): number {
    if (revision > this.revision) throw errors.future();
    if (revision > 0 && revision < this.compacted) throw errors.compacted();
    const upTo = revision > 0 ? revision : this.revision;
    let digest = hash32(String(this.compacted));
    this.index.forEachPair((key, { versions }) => {
      for (const kv of versions) {
        if (kv.modRevision > upTo) continue;
        digest = hash32(`${key}\0${kv.modRevision}\0${kv.createRevision}\0${kv.version}\0${kv.lease}\0${kv.value}`, digest);
      }
    });
    return digest >>> 0;
  }

  /** Live keys that hang on a lease. */
  attachments(): (readonly [key: string, lease: number])[] {
    const out: (readonly [string, number])[] = [];
    this.index.forEachPair((key, history) => {
      const kv = alive(history.versions[history.versions.length - 1]);
      if (kv && kv.lease !== 0) out.push([key, kv.lease]);
    });
    return out;
  }

  /** A copy to restore from. Versions are shared, lists are not. */
  image(): StoreImage {
    const keys: [string, readonly KeyValue[]][] = [];
    this.index.forEachPair((key, history) => {
      keys.push([key, history.versions.slice()]);
    });
    return { revision: this.revision, compacted: this.compacted, keys, changes: this.changes.slice() };
  }

  /** Becomes the image; observers stay. */
  restore(image: StoreImage): void {
    this.revision = image.revision;
    this.compacted = image.compacted;
    this.changes = image.changes.slice();
    this.index = new BTree<string, KeyHistory>(undefined, byText);
    this.keys = new Map();
    this.live = 0;
    this.backend.clear();
    for (const [key, versions] of image.keys) {
      for (const { value } of versions) this.backend.grow(key.length + value.length);
      const history: KeyHistory = { key, versions: versions.slice() };
      this.keys.set(key, history);
      this.index.set(key, history);
      if (alive(versions.at(-1))) this.live++;
    }
  }
}

const equal = (a: KeyValue, b: KeyValue): boolean =>
  a.modRevision === b.modRevision &&
  a.version === b.version &&
  a.createRevision === b.createRevision &&
  a.lease === b.lease &&
  a.key === b.key &&
  a.value === b.value;

const alive = (kv: KeyValue | undefined): KeyValue | undefined => (kv && kv.version > 0 ? kv : undefined);

/** The newest version at or before `revision`; reads of the past are mostly of the near past, so it looks from the end. */
function at(history: KeyHistory, revision: number): KeyValue | undefined {
  for (let i = history.versions.length - 1; i >= 0; i--) if (history.versions[i]!.modRevision <= revision) return history.versions[i];
  return undefined;
}

/**
 * One write request: all its changes get the next revision, and later operations of it see the earlier ones.
 *
 * `shared` is a list that the members of one world pass on with a log entry: the first to apply it leaves
 * its changes there, and the others, who work them out for themselves, keep those objects when they are
 * equal to their own. Three members then need the memory of one.
 */
export class WriteTxn {
  readonly events: EtcdEvent[] = [];
  private readonly next: number;

  constructor(
    private readonly store: MvccStore,
    private readonly shared?: EtcdEvent[],
  ) {
    this.next = store.revision + 1;
  }

  private push(kv: KeyValue): void {
    const at = this.events.length;
    const event = this.store.push(kv, this.shared?.[at]);
    this.events.push(event);
    if (this.shared && this.shared.length === at) this.shared.push(event);
  }

  /** The revision an operation sees: the next one as soon as anything has changed. */
  get revision(): number {
    return this.events.length > 0 ? this.next : this.next - 1;
  }

  /** Returns the previous version, if the key was there. */
  put(key: string, value: string, lease: number): KeyValue | undefined {
    const before = this.store.get(key);
    const kv: KeyValue = {
      key,
      value,
      createRevision: before ? before.createRevision : this.next,
      modRevision: this.next,
      version: before ? before.version + 1 : 1,
      lease,
    };
    this.push(kv);
    return before;
  }

  /** Deletes what is there of [key, end) and returns it, in order. */
  delete(key: string, end: string | undefined): readonly KeyValue[] {
    const gone: KeyValue[] = [];
    if (end) this.store.scan(key, end, undefined, (kv) => gone.push(kv));
    else {
      const kv = this.store.get(key);
      if (kv) gone.push(kv);
    }
    for (const kv of gone) this.push({ key: kv.key, value: '', createRevision: 0, modRevision: this.next, version: 0, lease: 0 });
    return gone;
  }

  range(request: RangeRequest): RangeResult {
    return readRange(this.store, request, this.revision);
  }

  /** Ends the write; its revision counts only if anything changed. */
  commit(): readonly EtcdEvent[] {
    if (this.events.length > 0) this.store.finish(this.events, this.next);
    return this.events;
  }
}

const targets: Record<NonNullable<RangeRequest['sortTarget']>, (a: KeyValue, b: KeyValue) => number> = {
  key: (a, b) => byText(a.key, b.key),
  version: (a, b) => a.version - b.version,
  create: (a, b) => a.createRevision - b.createRevision,
  mod: (a, b) => a.modRevision - b.modRevision,
  value: (a, b) => byText(a.value, b.value),
};

/** etcd server/etcdserver/txn: filters, sort, limit and count, in this order; the count is of all keys of the range. */
function readRange(store: MvccStore, request: RangeRequest, current: number): RangeResult {
  const revision = request.revision ?? 0;
  if (revision > current) throw errors.future();
  if (revision > 0 && revision < store.compacted) throw errors.compacted();
  const past = revision > 0 && revision < current ? revision : undefined;
  const { minModRevision = 0, maxModRevision = 0, minCreateRevision = 0, maxCreateRevision = 0, limit = 0 } = request;
  const filtered = minModRevision > 0 || maxModRevision > 0 || minCreateRevision > 0 || maxCreateRevision > 0;
  const { sortTarget = 'key' } = request;
  const order = request.sortOrder && request.sortOrder !== 'none' ? request.sortOrder : sortTarget === 'key' ? 'none' : 'ascend';
  const gather = !request.countOnly;
  const early = gather && limit > 0 && !filtered && order === 'none' ? limit + 1 : Number.POSITIVE_INFINITY;

  let kvs: KeyValue[] = [];
  let count = 0;
  const visit = (kv: KeyValue) => {
    count++;
    if (gather && kvs.length < early) kvs.push(kv);
  };
  if (request.rangeEnd) store.scan(request.key, request.rangeEnd, past, visit);
  else {
    const kv = past === undefined ? store.get(request.key) : store.getAt(request.key, past);
    if (kv) visit(kv);
  }
  if (minModRevision > 0) kvs = kvs.filter((kv) => kv.modRevision >= minModRevision);
  if (maxModRevision > 0) kvs = kvs.filter((kv) => kv.modRevision <= maxModRevision);
  if (minCreateRevision > 0) kvs = kvs.filter((kv) => kv.createRevision >= minCreateRevision);
  if (maxCreateRevision > 0) kvs = kvs.filter((kv) => kv.createRevision <= maxCreateRevision);
  if (order !== 'none' && (sortTarget !== 'key' || order === 'descend')) {
    const compare = targets[sortTarget];
    kvs.sort(order === 'descend' ? (a, b) => compare(b, a) : compare);
  }
  const more = limit > 0 && kvs.length > limit;
  if (more) kvs.length = limit;
  if (request.keysOnly) kvs = kvs.map((kv) => ({ ...kv, value: '' }));
  return { kvs, more, count, revision: current };
}
