/**
 * Watches: who is told of which change (etcd server/storage/mvcc/watchable_store.go).
 *
 * Every watcher gets each change of its range once, in revision order, and all changes of one revision
 * in one response. Watchers are kept by key and by directory, so that a change visits those it concerns.
 *
 * Here simplified: a watch from an earlier revision is brought up to date at once, not by a loop that
 * runs every 100 ms, and slow receivers are the wire's affair.
 */
import type { EtcdEvent, ResponseHeader, WatchCreateRequest, WatchResponse } from './api.ts';
import { inRange, type MvccStore, prefixEnd } from './mvcc.ts';
import { MAX_REQUEST_BYTES } from './validate.ts';

interface Watcher {
  readonly key: string;
  readonly end: string | undefined;
  readonly prevKv: boolean;
  readonly progress: boolean;
  readonly fragment: boolean;
  /** Kinds of changes it is not told of. */
  readonly hidden: readonly EtcdEvent['type'][];
  readonly deliver: (response: WatchResponse) => void;
  /** The first revision not yet delivered. */
  next: number;
  /** Nothing was delivered since the last progress notification. */
  idle: boolean;
  dead: boolean;
}

export class WatchHub {
  private readonly byKey = new Map<string, Set<Watcher>>();
  /** Watchers of everything under a key that ends in `/`. */
  private readonly byDirectory = new Map<string, Set<Watcher>>();
  private readonly others = new Set<Watcher>();
  /** Watchers touched by the write being told, with their changes. */
  private readonly directories = new Map<string, readonly string[]>();
  private touched = new Map<Watcher, EtcdEvent[]>();

  constructor(
    private readonly store: MvccStore,
    private readonly header: () => ResponseHeader,
  ) {}

  /** Starts a watch; what it missed is delivered before this returns. A start that was compacted away is cancelled by its first response. Returns the cancel function. */
  watch(request: WatchCreateRequest, deliver: (response: WatchResponse) => void): () => void {
    const start = request.startRevision ?? 0;
    const watcher: Watcher = {
      key: request.key,
      end: request.rangeEnd || undefined,
      prevKv: request.prevKv ?? false,
      progress: request.progressNotify ?? false,
      fragment: request.fragment ?? false,
      hidden: (request.filters ?? []).map((filter) => (filter === 'NOPUT' ? 'PUT' : 'DELETE')),
      deliver,
      next: start > 0 ? start : this.store.revision + 1,
      idle: true,
      dead: false,
    };
    const shelf = this.shelf(watcher, true)!;
    shelf.add(watcher);
    this.catchUp(watcher);
    return () => this.remove(watcher);
  }

  /** Tells of one write. */
  notify(events: readonly EtcdEvent[], revision: number): void {
    // Hot: nearly every write changes one key, and then nothing has to be gathered.
    if (events.length === 1) {
      this.notifyOne(events[0]!, revision);
      return;
    }
    for (const event of events) {
      const { key } = event.kv;
      for (const watcher of this.byKey.get(key) ?? NOBODY) this.touch(watcher, event);
      if (this.byDirectory.size > 0) {
        for (const directory of this.directoriesOf(key)) for (const watcher of this.byDirectory.get(directory) ?? NOBODY) this.touch(watcher, event);
      }
      for (const watcher of this.others) if (inRange(key, watcher.key, watcher.end)) this.touch(watcher, event);
    }
    const { touched } = this;
    if (touched.size === 0) return;
    // Who is told may begin or end watches: the next write finds an empty list of its own.
    this.touched = new Map();
    for (const [watcher, list] of touched) {
      if (watcher.dead || revision < watcher.next) continue;
      watcher.next = revision + 1;
      this.send(watcher, list);
    }
  }

  private notifyOne(event: EtcdEvent, revision: number): void {
    const { key } = event.kv;
    // Gathered first: who is told may begin or end watches.
    const told: Watcher[] = [];
    const direct = this.byKey.get(key);
    if (direct) told.push(...direct);
    if (this.byDirectory.size > 0) {
      for (const directory of this.directoriesOf(key)) {
        const watchers = this.byDirectory.get(directory);
        if (watchers) told.push(...watchers);
      }
    }
    for (const watcher of this.others) if (inRange(key, watcher.key, watcher.end)) told.push(watcher);
    for (const watcher of told) {
      if (watcher.dead || revision < watcher.next) continue;
      watcher.next = revision + 1;
      this.send(watcher, [event]);
    }
  }

  /** `/registry/pods/`, `/registry/`, … of a key: remembered, since cutting and hashing them anew is half the cost of a write nobody else cares for. */
  private directoriesOf(key: string): readonly string[] {
    let found = this.directories.get(key);
    if (!found) {
      const cut: string[] = [];
      for (let slash = key.indexOf('/'); slash >= 0; slash = key.indexOf('/', slash + 1)) cut.push(key.slice(0, slash + 1));
      if (this.directories.size >= DIRECTORIES_KEPT) this.directories.clear();
      this.directories.set(key, cut);
      found = cut;
    }
    return found;
  }

  /** Tells idle watchers that asked for it how far the store is: nothing up to here was missed. */
  progress(): void {
    for (const watcher of this.all()) {
      if (!watcher.progress) continue;
      if (watcher.idle && watcher.next <= this.store.revision + 1) watcher.deliver({ header: this.header(), events: [] });
      watcher.idle = true;
    }
  }

  /** Ends every watch, as a member does that has no leader. */
  cancelAll(reason: string): void {
    for (const watcher of this.all()) this.cancel(watcher, { header: this.header(), events: [], canceled: true, cancelReason: reason });
  }

  /** After a snapshot took the store's place: delivers what the watchers have not seen of it. */
  resync(): void {
    for (const watcher of this.all()) this.catchUp(watcher);
  }

  get size(): number {
    return this.all().length;
  }

  private all(): Watcher[] {
    const all = [...this.others];
    for (const shelf of [this.byKey, this.byDirectory]) for (const watchers of shelf.values()) all.push(...watchers);
    return all;
  }

  private touch(watcher: Watcher, event: EtcdEvent): void {
    const list = this.touched.get(watcher);
    if (list) list.push(event);
    else this.touched.set(watcher, [event]);
  }

  private catchUp(watcher: Watcher): void {
    if (watcher.next < this.store.compacted) {
      this.cancel(watcher, {
        // etcd leaves the revision out of this one.
        header: { ...this.header(), revision: 0 },
        events: [],
        canceled: true,
        compactRevision: this.store.compacted,
        cancelReason: 'etcdserver: mvcc: required revision has been compacted',
      });
      return;
    }
    if (watcher.next > this.store.revision) return;
    const missed = this.store.changesFrom(watcher.next, watcher.key, watcher.end);
    watcher.next = this.store.revision + 1;
    if (missed.length > 0) this.send(watcher, missed);
  }

  private send(watcher: Watcher, events: readonly EtcdEvent[]): void {
    const told = watcher.hidden.length === 0 ? events : events.filter(({ type }) => !watcher.hidden.includes(type));
    if (told.length === 0) return;
    watcher.idle = false;
    const response: WatchResponse = { header: this.header(), events: told.map((event) => this.shown(event, watcher.prevKv)) };
    if (watcher.fragment) for (const part of fragments(response)) watcher.deliver(part);
    else watcher.deliver(response);
  }

  /** The previous version is only shown on request, and only while it is kept. */
  private shown(event: EtcdEvent, withPrevious: boolean): EtcdEvent {
    if (!event.prevKv || (withPrevious && event.kv.modRevision > this.store.compacted)) return event;
    return { type: event.type, kv: event.kv };
  }

  private cancel(watcher: Watcher, response: WatchResponse): void {
    this.remove(watcher);
    watcher.deliver(response);
  }

  private remove(watcher: Watcher): void {
    watcher.dead = true;
    const shelf = this.shelf(watcher, false);
    shelf?.delete(watcher);
    if (!shelf || shelf.size > 0 || shelf === this.others) return;
    if (!watcher.end) this.byKey.delete(watcher.key);
    else this.byDirectory.delete(watcher.key);
  }

  private shelf(watcher: Watcher, create: boolean): Set<Watcher> | undefined {
    const { key, end } = watcher;
    if (end && !(key.endsWith('/') && end === prefixEnd(key))) return this.others;
    const shelves = end ? this.byDirectory : this.byKey;
    let shelf = shelves.get(key);
    if (!shelf && create) {
      shelf = new Set();
      shelves.set(key, shelf);
    }
    return shelf;
  }
}

/** A response may have as many bytes as a request, and 512 KiB for what gRPC adds (MaxRequestBytesWithOverhead). */
const MAX_RESPONSE = MAX_REQUEST_BYTES + 512 * 1024;
/** Here simplified: characters are counted as bytes, and what stands around a value as fifty. */
const sizeOf = ({ kv, prevKv }: EtcdEvent): number => 50 + kv.key.length + kv.value.length + (prevKv ? 50 + prevKv.key.length + prevKv.value.length : 0);

/** The same changes in responses that are small enough, each with one at least; all but the last say that more follow (etcd api/v3rpc/watch.go, sendFragments). */
export function fragments(response: WatchResponse): readonly WatchResponse[] {
  const parts: EtcdEvent[][] = [[]];
  let size = 0;
  for (const event of response.events) {
    const own = sizeOf(event);
    if (parts.at(-1)!.length > 0 && size + own >= MAX_RESPONSE) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)!.push(event);
    size += own;
  }
  if (parts.length === 1) return [response];
  return parts.map((events, i) => (i < parts.length - 1 ? { ...response, events, fragment: true } : { ...response, events }));
}

const NOBODY: readonly Watcher[] = [];
/** Of how many keys the directories are remembered. */
const DIRECTORIES_KEPT = 2_000;
