/**
 * What an object is in etcd: JSON text. Who only looks at the world (the page's mirror, the observer) sees
 * each text an instant after it was made, and then has the object for nothing (parsing costs 10 to 50 µs).
 *
 * Only for looking: a server of the world reads texts itself, so that what it knows depends on nothing but
 * the world.
 */
import type { KubeObject } from '../api/meta.ts';

/** A text is looked at within milliseconds of being written; who comes later parses it. */
const MOST = 256;
const recent = new Map<string, KubeObject>();

/** Whether what a text stands for is an object as an API server keeps them: whoever writes to etcd by hand may leave anything there. */
export function isObject(value: KubeObject): boolean {
  const { apiVersion, kind, metadata } = value;
  return typeof apiVersion === 'string' && typeof kind === 'string' && typeof metadata?.name === 'string' && typeof metadata.uid === 'string';
}

/** The text of an object in etcd: without its resourceVersion, which is the key's own revision. */
export function encode(object: KubeObject): string {
  let stored = object;
  if (object.metadata.resourceVersion !== undefined) {
    const { resourceVersion: _, ...metadata } = object.metadata;
    stored = { ...object, metadata };
  }
  const text = JSON.stringify(stored);
  remember(text, stored);
  return text;
}

/** What a text (or its encrypted form) in etcd stands for. */
export function remember(text: string, stored: KubeObject): void {
  recent.set(text, stored);
  if (recent.size > MOST)
    for (const oldest of recent.keys()) {
      recent.delete(oldest);
      break;
    }
}

/** The object of a text, for those who only look. */
export const seen = (text: string, key = ''): KubeObject =>
  recent.get(text) ?? (JSON.parse(text.startsWith('k8s:enc:') ? decrypted(text, key) : text) as KubeObject);

/** Servers that encrypt leave here how to read what they wrote. */
type Reader = (text: string, key: string) => string | undefined;
const readers = new Set<Reader>();
export const readsEncrypted = (reader: Reader): void => void readers.add(reader);

function decrypted(text: string, key: string): string {
  for (const reader of readers) {
    const found = reader(text, key);
    if (found !== undefined) return found;
  }
  return '{"apiVersion":"v1","kind":"Unknown","metadata":{}}';
}
