/**
 * Short stable names for contents: `pod-template-hash`, `controller-revision-hash`. Upstream hashes a dump of Go
 * structures with FNV-32a; here simplified: FNV-32a over canonical JSON (keys sorted, absent fields dropped), so
 * the letters differ from a real cluster's but depend on the template in the same way.
 */
import type { Json } from './json.ts';

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** FNV-1a, 32 bits, over UTF-16 code units split in bytes. */
export function fnv32a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    if (unit > 0xff) hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  return hash >>> 0;
}

/** Letters and digits without vowels or look-alikes, so no words appear (rand.SafeEncodeString). */
export function safeEncode(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i += 1) out += ALPHABET[text.charCodeAt(i) % ALPHABET.length];
  return out;
}

/** JSON with sorted keys: equal objects give equal texts. */
export function canonicalJson(value: unknown): string {
  if (value === undefined) return 'null';
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const object = value as Record<string, Json | undefined>;
  const parts: string[] = [];
  for (const key of Object.keys(object).sort()) if (object[key] !== undefined) parts.push(`${JSON.stringify(key)}:${canonicalJson(object[key])}`);
  return `{${parts.join(',')}}`;
}

/** controller.ComputeHash: of a pod template, and of the number of collisions seen with it so far. */
export function computeHash(template: unknown, collisionCount?: number): string {
  const text = canonicalJson(template) + (collisionCount === undefined ? '' : `/${collisionCount}`);
  return safeEncode(String(fnv32a(text)));
}
