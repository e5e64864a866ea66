/** A keyed store with indexes: client-go's ThreadSafeStore, without the threads. */
import type { Key } from '../api/meta.ts';

type Values<T> = (object: T) => readonly string[];

export class Store<T> {
  private readonly items = new Map<Key, T>();
  private readonly indexes = new Map<string, { values: Values<T>; buckets: Map<string, Map<Key, T>> }>();
  private all: readonly T[] | undefined;

  get size(): number {
    return this.items.size;
  }

  get(key: Key): T | undefined {
    return this.items.get(key);
  }

  keys(): IterableIterator<Key> {
    return this.items.keys();
  }

  /** Oldest first; the same array until something changes. */
  list(): readonly T[] {
    this.all ??= [...this.items.values()];
    return this.all;
  }

  by(index: string, value: string): readonly T[] {
    const found = this.indexes.get(index);
    if (!found) throw new Error(`no index "${index}"`);
    const bucket = found.buckets.get(value);
    return bucket ? [...bucket.values()] : [];
  }

  addIndex(name: string, values: Values<T>): void {
    if (this.indexes.has(name)) return;
    const buckets = new Map<string, Map<Key, T>>();
    this.indexes.set(name, { values, buckets });
    for (const [key, object] of this.items) for (const value of values(object)) putIn(buckets, value, key, object);
  }

  set(key: Key, object: T): void {
    const before = this.items.get(key);
    this.items.set(key, object);
    this.all = undefined;
    for (const { values, buckets } of this.indexes.values()) {
      const now = values(object);
      if (before !== undefined) for (const value of values(before)) if (!now.includes(value)) takeFrom(buckets, value, key);
      for (const value of now) putIn(buckets, value, key, object);
    }
  }

  delete(key: Key): void {
    const before = this.items.get(key);
    if (before === undefined) return;
    this.items.delete(key);
    this.all = undefined;
    for (const { values, buckets } of this.indexes.values()) for (const value of values(before)) takeFrom(buckets, value, key);
  }
}

function putIn<T>(buckets: Map<string, Map<Key, T>>, value: string, key: Key, object: T): void {
  const bucket = buckets.get(value);
  if (bucket) bucket.set(key, object);
  else buckets.set(value, new Map([[key, object]]));
}

function takeFrom<T>(buckets: Map<string, Map<Key, T>>, value: string, key: Key): void {
  const bucket = buckets.get(value);
  bucket?.delete(key);
  if (bucket?.size === 0) buckets.delete(value);
}
