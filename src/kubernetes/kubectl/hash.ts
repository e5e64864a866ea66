/** The ten letters that `--append-hash` adds to a name, and kustomize to what it generates (kubectl pkg/util/hash). */
import { sha256 } from '@noble/hashes/sha2.js';
import { goJson } from './gostring.ts';
import { utf8 } from './gotemplate/format.ts';

/** Digits and vowels that could make words or be misread. */
const LETTERS: Readonly<Record<string, string>> = { '0': 'g', '1': 'h', '3': 'k', a: 'm', e: 't' };

/** Of a value as Go writes it as JSON, keys in order. */
export function shortHash(value: unknown): string {
  const hex = [...sha256(Uint8Array.from(utf8(goJson(value))))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [...hex.slice(0, 10)].map((letter) => LETTERS[letter] ?? letter).join('');
}
