/**
 * What this program wrote as YAML itself it need not parse to know: the manifests kubeadm leaves on a disk are
 * read by a kubelet a moment later. So a cluster boots without a YAML parser.
 */
import type { Json } from './json.ts';
import { compareKeys, dump } from './yaml-dump.ts';

/** Enough for the manifests of a few clusters; who finds a text forgotten parses it. */
const MOST = 64;
const written = new Map<string, Json>();

/** As `dump`, and remembered for `knownYaml`. */
export function dumpKnown(value: unknown): string {
  const text = dump(value);
  written.delete(text);
  written.set(text, asRead(value as Json));
  for (const oldest of written.keys()) {
    if (written.size <= MOST) break;
    written.delete(oldest);
  }
  return text;
}

/** What parsing this text would give, to the order of the keys; undefined when it must be parsed to be known. */
export const knownYaml = (text: string): Json | undefined => written.get(text);

/** The value as a reader gets it back: keys in the order of the text, absent ones left out. */
function asRead(value: Json | undefined): Json {
  if (Array.isArray(value)) return value.map(asRead);
  if (typeof value !== 'object' || value === null) return value ?? null;
  const map = value as { readonly [key: string]: Json | undefined };
  const out: Record<string, Json> = {};
  for (const key of Object.keys(map).sort(compareKeys)) if (map[key] !== undefined) out[key] = asRead(map[key]);
  return out;
}
