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

/** The text of an object in etcd: without its resourceVersion, which is the key's own revision. */
export function encode(object: KubeObject): string {
  let stored = object;
  if (object.metadata.resourceVersion !== undefined) {
    const { resourceVersion: _, ...metadata } = object.metadata;
    stored = { ...object, metadata };
  }
  const text = JSON.stringify(stored);
  recent.set(text, stored);
  if (recent.size > MOST)
    for (const oldest of recent.keys()) {
      recent.delete(oldest);
      break;
    }
  return text;
}

/** The object of a text, for those who only look. */
export const seen = (text: string): KubeObject => recent.get(text) ?? (JSON.parse(text) as KubeObject);
