/**
 * One resource in the watch cache: its objects in key order, a sliding window of its latest events, and
 * its watchers, filed under what they ask for (one object, one namespace, one node's pods), so that an
 * event costs nothing to those it does not concern.
 */

import { type Instant, seconds } from '../../sim/clock.ts';
import { BTree } from '../../sim/sorted-map.ts';
import type { KubeObject } from '../api/meta.ts';
import { tooOldResourceVersion } from './errors.ts';

/** An object as stored: with its resourceVersion, and the text it came from. */
export interface Stored {
  readonly key: string;
  readonly object: KubeObject;
  readonly value: string;
  readonly modRevision: number;
}

export interface CacheEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly revision: number;
  readonly at: Instant;
  /** What was before, for selectors that an object enters or leaves. */
  readonly previous: KubeObject | undefined;
  /** After a delete: the last state, with the revision of the delete. */
  readonly object: KubeObject;
}

/** What a watcher asks for; the most selective of the three decides where it is filed. */
export interface WatchScope {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly nodeName?: string | undefined;
}

export interface Watcher {
  readonly scope: WatchScope;
  receive(event: CacheEvent): void;
  /** The revision everything up to has been delivered; called once a minute. */
  bookmark(revision: number): void;
  /** The cache lost its place (etcd compacted what it had not read): list again. */
  end(): void;
}

/** Upstream keeps at least this much (`eventFreshDuration`). */
const FRESH = seconds(75);
const SMALLEST_WINDOW = 100;
const LARGEST_WINDOW = 102_400;

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** One resource's objects, recent events and watchers. */
export class ResourceCache {
  readonly objects = new BTree<string, Stored>(undefined, byText);
  private readonly window: CacheEvent[] = [];
  private start = 0;
  private capacity = SMALLEST_WINDOW;
  /** Events after this revision are all in the window. */
  private floor: number;
  private readonly watchers = new Map<string, Set<Watcher>>();

  constructor(listRevision: number) {
    this.floor = listRevision;
  }

  add(event: CacheEvent): void {
    if (this.window.length - this.start >= this.capacity) {
      const oldest = this.window[this.start]!;
      if (event.at - oldest.at < FRESH && this.capacity < LARGEST_WINDOW) this.capacity *= 2;
      else {
        this.start++;
        this.floor = oldest.revision;
        if (this.start > 256 && this.start * 2 > this.window.length) {
          this.window.splice(0, this.start);
          this.start = 0;
        }
      }
    }
    this.window.push(event);
    this.deliver(event);
  }

  /** Events after `revision`, oldest first. Throws 410 Expired when the window does not reach back that far. */
  since(revision: number): readonly CacheEvent[] {
    if (revision < this.floor) throw tooOldResourceVersion(revision, this.floor);
    let low = this.start;
    let high = this.window.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (this.window[mid]!.revision <= revision) low = mid + 1;
      else high = mid;
    }
    return this.window.slice(low);
  }

  /** Files a watcher; the returned function takes it out again. */
  watch(watcher: Watcher): () => void {
    const file = fileOf(watcher.scope);
    let set = this.watchers.get(file);
    if (!set) {
      set = new Set();
      this.watchers.set(file, set);
    }
    set.add(watcher);
    return () => {
      set.delete(watcher);
      if (set.size === 0 && this.watchers.get(file) === set) this.watchers.delete(file);
    };
  }

  *allWatchers(): Iterable<Watcher> {
    for (const set of this.watchers.values()) yield* set;
  }

  get watcherCount(): number {
    let count = 0;
    for (const set of this.watchers.values()) count += set.size;
    return count;
  }

  /** How many watchers an event is brought to, before each looks at it through its selectors. */
  concerned({ object, previous }: CacheEvent): number {
    if (this.watchers.size === 0) return 0;
    const { namespace, name } = object.metadata;
    const count = (file: string): number => this.watchers.get(file)?.size ?? 0;
    let sum = count('') + count(`name/${namespace ?? ''}/${name}`);
    if (namespace !== undefined) sum += count(`ns/${namespace}`) + count(`name//${name}`);
    if (object.kind !== 'Pod') return sum;
    const now = nodeOf(object);
    const before = previous ? nodeOf(previous) : now;
    return sum + count(`node/${now}`) + (before === now ? 0 : count(`node/${before}`));
  }

  private deliver(event: CacheEvent): void {
    if (this.watchers.size === 0) return;
    const { object, previous } = event;
    const { namespace, name } = object.metadata;
    this.tell('', event);
    if (namespace !== undefined) this.tell(`ns/${namespace}`, event);
    this.tell(`name/${namespace ?? ''}/${name}`, event);
    if (namespace !== undefined) this.tell(`name//${name}`, event);
    if (object.kind === 'Pod') {
      const now = nodeOf(object);
      this.tell(`node/${now}`, event);
      const before = previous ? nodeOf(previous) : now;
      if (before !== now) this.tell(`node/${before}`, event);
    }
  }

  private tell(file: string, event: CacheEvent): void {
    const set = this.watchers.get(file);
    if (set) for (const watcher of set) watcher.receive(event);
  }
}

const nodeOf = (object: KubeObject): string => (object as { spec?: { nodeName?: string } }).spec?.nodeName ?? '';
const fileOf = ({ namespace, name, nodeName }: WatchScope): string =>
  name ? `name/${namespace ?? ''}/${name}` : nodeName !== undefined ? `node/${nodeName}` : namespace ? `ns/${namespace}` : '';
