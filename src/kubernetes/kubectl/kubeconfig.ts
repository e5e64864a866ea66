/** The kubeconfig: which server, who, which namespace. One file; `KUBECONFIG` may name it. */

import type { ProgramContext } from '../../linux/program.ts';
import type { Json } from '../api/json.ts';
import { dump as dumpYaml, parseYaml } from '../api/yaml.ts';
import type { Flags } from './flags.ts';

export interface ConfigContext {
  readonly cluster?: string;
  readonly user?: string;
  readonly namespace?: string;
}
export interface KubeConfig {
  readonly contexts: readonly { readonly name: string; readonly context: ConfigContext }[];
  readonly clusters: readonly { readonly name: string; readonly cluster: { readonly server?: string; readonly [key: string]: Json | undefined } }[];
  readonly users: readonly { readonly name: string; readonly user: { readonly token?: string; readonly [key: string]: Json | undefined } }[];
  readonly currentContext: string;
}

export const configPath = (self: ProgramContext, flags: Flags): string => {
  const path = flags.text('kubeconfig') || self.env['KUBECONFIG']?.split(':')[0] || `${self.env['HOME'] ?? '/root'}/.kube/config`;
  return path.startsWith('/') ? path : `${self.cwd}/${path}`;
};

export function readConfig(self: ProgramContext, flags: Flags): KubeConfig {
  const path = configPath(self, flags);
  const empty: KubeConfig = { contexts: [], clusters: [], users: [], currentContext: '' };
  if (!self.files.exists(path)) return empty;
  const value = parseYaml(self.files.read(path)) as Record<string, unknown> | null;
  if (!value) return empty;
  return {
    contexts: (value['contexts'] as KubeConfig['contexts'] | null) ?? [],
    clusters: (value['clusters'] as KubeConfig['clusters'] | null) ?? [],
    users: (value['users'] as KubeConfig['users'] | null) ?? [],
    currentContext: (value['current-context'] as string | undefined) ?? '',
  };
}

/** As the file is written: keys sorted, empty lists as null. */
export function configObject(config: KubeConfig): { readonly [key: string]: Json | undefined } {
  const list = <T>(items: readonly T[]): Json => (items.length === 0 ? null : (items as unknown as Json));
  return {
    apiVersion: 'v1',
    clusters: list(config.clusters),
    contexts: list(config.contexts),
    'current-context': config.currentContext,
    kind: 'Config',
    preferences: {},
    users: list(config.users),
  };
}
export function writeConfig(self: ProgramContext, flags: Flags, config: KubeConfig): void {
  // client-go keeps maps by name and writes them in order.
  const sorted = <T extends { readonly name: string }>(items: readonly T[]): readonly T[] => [...items].sort((a, b) => (a.name < b.name ? -1 : 1));
  const ordered = { ...config, clusters: sorted(config.clusters), contexts: sorted(config.contexts), users: sorted(config.users) };
  self.files.write(configPath(self, flags), dumpYaml(configObject(ordered)));
}

/** The subject of a client certificate. Here simplified: a certificate is a text that holds `CN=…` and `O=…`. */
export function subjectOf(
  user: { readonly [key: string]: Json | undefined } | undefined,
  self: ProgramContext,
): { readonly commonName: string; readonly organizations: readonly string[] } | undefined {
  const data = user?.['client-certificate-data'];
  const path = user?.['client-certificate'];
  const text = typeof data === 'string' ? decodeBase64(data) : typeof path === 'string' && self.files.exists(path) ? self.files.read(path) : undefined;
  const commonName = /CN\s*=\s*([^,/\n]+)/.exec(text ?? '')?.[1]?.trim();
  if (!commonName) return undefined;
  return { commonName, organizations: [...text!.matchAll(/\bO\s*=\s*([^,/\n]+)/g)].map((m) => m[1]!.trim()) };
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const bytesOf = (text: string): number[] =>
  (encodeURIComponent(text).match(/%[0-9A-F]{2}|[^%]/g) ?? []).map((part) => (part.length === 3 ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0)));
export function encodeBase64(text: string): string {
  const bytes = bytesOf(text);
  let result = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const word = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    result +=
      ALPHABET[(word >> 18) & 63]! +
      ALPHABET[(word >> 12) & 63]! +
      (i + 1 < bytes.length ? ALPHABET[(word >> 6) & 63]! : '=') +
      (i + 2 < bytes.length ? ALPHABET[word & 63]! : '=');
  }
  return result;
}
/** Bytes that are no UTF-8 become one character each. */
export function decodeBase64(text: string): string {
  const bytes = base64Bytes(text);
  try {
    return decodeURIComponent(bytes.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''));
  } catch {
    return bytes.map((byte) => String.fromCharCode(byte)).join('');
  }
}
export function base64Bytes(text: string): number[] {
  const bytes: number[] = [];
  const clean = text.replace(/[^A-Za-z0-9+/]/g, '');
  for (let i = 0, bits = 0, word = 0; i < clean.length; i++) {
    word = ((word << 6) | ALPHABET.indexOf(clean[i]!)) & 0xfff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((word >> bits) & 255);
    }
  }
  return bytes;
}
export const utf8Length = (text: string): number => bytesOf(text).length;
