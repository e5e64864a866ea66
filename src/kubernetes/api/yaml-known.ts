/** YAML for a file that somebody in this world is about to read. */
import type { Json } from './json.ts';
import { compareKeys, dump } from './yaml-dump.ts';
import { remember } from './yaml-memory.ts';

/** As `dump`, and remembered for `knownYaml`. */
export function dumpKnown(value: unknown): string {
  const text = dump(value);
  remember(text, asRead(value as Json));
  return text;
}

/** The value as a reader gets it back: keys in the order of the text, absent ones left out. */
function asRead(value: Json | undefined): Json {
  if (Array.isArray(value)) return value.map(asRead);
  if (typeof value !== 'object' || value === null) return value ?? null;
  const map = value as { readonly [key: string]: Json | undefined };
  const out: Record<string, Json> = {};
  for (const key of Object.keys(map).sort(compareKeys)) if (map[key] !== undefined) out[key] = asRead(map[key]);
  return out;
}
