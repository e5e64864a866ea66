/** The kubeconfig: which server, who, which namespace. One file, or those `KUBECONFIG` names, merged. */

import type { ProgramContext } from '../../linux/program.ts';
import type { Json } from '../api/json.ts';
import type { PresentedCertificate } from '../api/request.ts';
import { dump as dumpYaml, parseYaml } from '../api/yaml.ts';
import { KubectlError } from './errors.ts';
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

/** The files that make up the kubeconfig: the one of --kubeconfig, those of KUBECONFIG, or the one at home. */
function configPaths(self: ProgramContext, flags: Flags): readonly string[] {
  return namedPaths(self, flags).map((path) => absolute(self, path));
}
const absolute = (self: ProgramContext, path: string): string => (path.startsWith('/') ? path : `${self.cwd}/${path}`);
function namedPaths(self: ProgramContext, flags: Flags): readonly string[] {
  const given = flags.text('kubeconfig');
  const named = given !== '' ? [given] : (self.env['KUBECONFIG'] ?? '').split(':').filter((path) => path !== '');
  return named.length > 0 ? named : [`${self.env['HOME'] ?? '/root'}/.kube/config`];
}

/** Where what is new goes, and the file messages name: of several the first that is there (client-go's GetDefaultFilename). */
export const configPath = (self: ProgramContext, flags: Flags): string => {
  const paths = configPaths(self, flags);
  return paths.find((path) => self.files.exists(path)) ?? paths.at(-1)!;
};

/** The same file as it was named. */
export const shownConfigPath = (self: ProgramContext, flags: Flags): string => {
  const paths = namedPaths(self, flags);
  return paths.find((path) => self.files.exists(absolute(self, path))) ?? paths.at(-1)!;
};

/** All files merged; who says something first is right. Throws KubectlError for a file that is no kubeconfig. */
export function readConfig(self: ProgramContext, flags: Flags): KubeConfig {
  const merged: KubeConfig = { contexts: [], clusters: [], users: [], currentContext: '' };
  const sorted = <T extends { readonly name: string }>(items: readonly T[]): readonly T[] => [...items].sort((a, b) => (a.name < b.name ? -1 : 1));
  const read = configPaths(self, flags).reduce<KubeConfig>((all, path) => {
    const one = readOne(self, path);
    const union = <T extends { readonly name: string }>(a: readonly T[], b: readonly T[]): readonly T[] => [
      ...a,
      ...b.filter(({ name }) => !a.some((known) => known.name === name)),
    ];
    return {
      contexts: union(all.contexts, one.contexts),
      clusters: union(all.clusters, one.clusters),
      users: union(all.users, one.users),
      currentContext: all.currentContext || one.currentContext,
    };
  }, merged);
  return { ...read, contexts: sorted(read.contexts), clusters: sorted(read.clusters), users: sorted(read.users) };
}

function readOne(self: ProgramContext, path: string): KubeConfig {
  const empty: KubeConfig = { contexts: [], clusters: [], users: [], currentContext: '' };
  if (!self.files.exists(path)) return empty;
  const value = parseYaml(self.files.read(path));
  if (value === null) return empty;
  if (typeof value !== 'object' || Array.isArray(value)) {
    const type = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
    const shown = path.startsWith(`${self.cwd}/`) ? path.slice(self.cwd.length + 1) : path;
    throw new KubectlError(
      `error loading config file "${shown}": couldn't get version/kind; json parse error: json: cannot unmarshal ${type} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    );
  }
  const fields = value as unknown as { readonly [key: string]: unknown };
  return {
    contexts: (fields['contexts'] as KubeConfig['contexts'] | null) ?? [],
    clusters: (fields['clusters'] as KubeConfig['clusters'] | null) ?? [],
    users: (fields['users'] as KubeConfig['users'] | null) ?? [],
    currentContext: (fields['current-context'] as string | undefined) ?? '',
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
/** Keeps a changed kubeconfig: each entry in the file it came from, new ones in the first (client-go tools/clientcmd/config.go, ModifyConfig). */
export function writeConfig(self: ProgramContext, flags: Flags, config: KubeConfig): void {
  const home = configPath(self, flags);
  const paths = [...new Set([...configPaths(self, flags).filter((path) => self.files.exists(path)), home])];
  // client-go keeps maps by name and writes them in order.
  const sorted = <T extends { readonly name: string }>(items: readonly T[]): readonly T[] => [...items].sort((a, b) => (a.name < b.name ? -1 : 1));
  const files = paths.map((path) => ({ path, before: readOne(self, path) }));
  /** Who says a name first is meant by it; a second of that name stays as it is. */
  const shared = <T extends { readonly name: string }>(list: 'clusters' | 'contexts' | 'users', at: number, wanted: readonly T[]): readonly T[] => {
    const own = (file: number): readonly T[] => files[file]!.before[list] as unknown as readonly T[];
    const ownerOf = (name: string): number => files.findIndex((_, file) => own(file).some((entry) => entry.name === name));
    const kept = own(at).flatMap((entry) => {
      if (ownerOf(entry.name) !== at) return [entry];
      const found = wanted.find(({ name }) => name === entry.name);
      return found ? [found] : [];
    });
    return sorted(paths[at] === home ? [...kept, ...wanted.filter(({ name }) => ownerOf(name) < 0)] : kept);
  };
  const current = files.findIndex(({ before }) => before.currentContext !== '');
  const moved = config.currentContext !== (files[current]?.before.currentContext ?? '');
  files.forEach(({ path, before }, at) => {
    const sets = moved && (config.currentContext !== '' ? path === home : at === current);
    const after: KubeConfig = {
      clusters: shared('clusters', at, config.clusters),
      contexts: shared('contexts', at, config.contexts),
      users: shared('users', at, config.users),
      currentContext: sets ? config.currentContext : before.currentContext,
    };
    const text = dumpYaml(configObject(after));
    // A file nothing was changed in is left as somebody wrote it.
    if (
      files.length === 1 ||
      text !== dumpYaml(configObject({ ...before, clusters: sorted(before.clusters), contexts: sorted(before.contexts), users: sorted(before.users) }))
    )
      self.files.write(path, text);
  });
}

/**
 * The client certificate a user shows: the API server reads it. A text that holds `CN=…` and `O=…` stands for one
 * as well (tests and lessons write such).
 */
export function subjectOf(user: { readonly [key: string]: Json | undefined } | undefined, self: ProgramContext): PresentedCertificate | undefined {
  const data = user?.['client-certificate-data'];
  const path = user?.['client-certificate'];
  const text = typeof data === 'string' ? decodeBase64(data) : typeof path === 'string' && self.files.exists(path) ? self.files.read(path) : undefined;
  if (text?.includes('-----BEGIN CERTIFICATE-----')) return { commonName: '', organizations: [], pem: text };
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
