/**
 * What this program wrote as YAML itself it need not parse to know: the manifests kubeadm leaves on a disk are
 * read by a kubelet a moment later. So a cluster boots without a YAML parser. (`dumpKnown` writes what is remembered here.)
 */
import type { Json } from './json.ts';

/** Enough for the manifests of a few clusters; who finds a text forgotten parses it. */
const MOST = 64;
const written = new Map<string, Json>();

/** `value`: what parsing the text would give. */
export function remember(text: string, value: Json): void {
  written.delete(text);
  written.set(text, value);
  for (const oldest of written.keys()) {
    if (written.size <= MOST) break;
    written.delete(oldest);
  }
}

/** What parsing this text would give, to the order of the keys; undefined when it must be parsed to be known. */
export const knownYaml = (text: string): Json | undefined => written.get(text);
