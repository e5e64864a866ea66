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

interface Watcher {
  readonly key: string;
  readonly end: string | undefined;
  readonly prevKv: boolean;
  readonly progress: boolean;
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
  private readonly touched = new Map<Watcher, EtcdEvent[]>();

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
    for (const event of events) {
      const { key } = event.kv;
      for (const watcher of this.byKey.get(key) ?? NOBODY) this.touch(watcher, event);
      if (this.byDirectory.size > 0) {
        for (const directory of this.directoriesOf(key)) for (const watcher of this.byDirectory.get(directory) ?? NOBODY) this.touch(watcher, event);
      }
      for (const watcher of this.others) if (inRange(key, watcher.key, watcher.end)) this.touch(watcher, event);
    }
    if (this.touched.size === 0) return;
    const told = [...this.touched];
    this.touched.clear();
    for (const [watcher, list] of told) {
      if (watcher.dead || revision < watcher.next) continue;
      watcher.next = revision + 1;
      this.send(watcher, list);
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
    watcher.deliver({ header: this.header(), events: told.map((event) => this.shown(event, watcher.prevKv)) });
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

const NOBODY: readonly Watcher[] = [];
/** Of how many keys the directories are remembered. */
const DIRECTORIES_KEPT = 2_000;
