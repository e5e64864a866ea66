/**
 * client-go: the one way to talk to an API server. Everything here also runs on the page, over HTTP or
 * against a real cluster.
 */
import type { DeepReadonly, Json } from '../api/json.ts';
import type { Key, KubeObject } from '../api/meta.ts';
import type { ApiHandler, WatchEvent } from '../api/request.ts';
import type { Stream } from '../api/stream.ts';
import type { Kind, Kinds } from '../api/types.gen.ts';

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersion?: string;
  readonly limit?: number;
}
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/** All methods reject with ApiError (the server said no) or TransportError (nobody answered). */
export interface Resource<T extends KubeObject> {
  get(key: Key): Promise<DeepReadonly<T>>;
  list(options?: ListOptions): Promise<{ readonly items: readonly DeepReadonly<T>[]; readonly resourceVersion: string }>;
  /** Bookmarks included. Ends when the server closes; an ERROR event carries a Status (410 Gone: list again). */
  watch(options: ListOptions): Promise<Stream<WatchEvent<DeepReadonly<T>>>>;
  create(object: DeepReadonly<T>): Promise<DeepReadonly<T>>;
  update(object: DeepReadonly<T>): Promise<DeepReadonly<T>>;
  updateStatus(object: DeepReadonly<T>): Promise<DeepReadonly<T>>;
  patch(key: Key, patch: Json, type: 'merge' | 'json' | 'strategic', subresource?: string): Promise<DeepReadonly<T>>;
  delete(key: Key, options?: DeleteOptions): Promise<void>;
  /** POST to a subresource: `binding`, `eviction`, `token`. */
  createSubresource(key: Key, subresource: string, body: Json): Promise<Json>;
}

export interface Client {
  of<K extends Kind>(kind: K): Resource<Kinds[K]>;
  readonly request: ApiHandler;
}

/** A local copy of one kind, kept current by list-then-watch. Reads are synchronous and free. */
export interface Informer<T extends KubeObject> {
  get(key: Key): DeepReadonly<T> | undefined;
  list(namespace?: string): readonly DeepReadonly<T>[];
  /** Objects whose index function gave `value`; `owner` (controller uid) and `namespace` always exist. */
  by(index: string, value: string): readonly DeepReadonly<T>[];
  addIndex(name: string, values: (object: DeepReadonly<T>) => readonly string[]): void;
  /** Called in order, at the instant an event arrives; before undefined: added, after undefined: gone. A listener added late is told of what is already there. */
  onChange(listener: (change: { readonly before?: DeepReadonly<T>; readonly after?: DeepReadonly<T> }) => void): () => void;
  synced(): Promise<void>;
  readonly hasSynced: boolean;
  /** The resourceVersion the copy has reached. */
  readonly resourceVersion: string;
}
