/**
 * Encryption at rest (`--encryption-provider-config`; apiserver `pkg/server/options/encryptionconfig`,
 * `pkg/storage/value/encrypt`): objects of some resources are kept in etcd encrypted, under a prefix that says with
 * what. The first provider writes; all of them read.
 *
 * etcd keeps texts here, so encrypted bytes are kept one character a byte. Here simplified: the configuration is
 * read when the server starts, and there are no KMS plugins; a value no provider can read stops the server, where
 * upstream fails each request for it.
 */
import { cbc, gcm } from '@noble/ciphers/aes.js';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import type { Rng } from '../../../sim/rng.ts';
import { type Bytes, binary, concat, fromBase64, fromBinary, textOf, utf8 } from '../../api/pki/bytes.ts';
import { RESOURCES } from '../../api/resources.ts';
import type { Transformer } from '../storage.ts';
import { readsEncrypted } from '../stored-text.ts';

interface Key {
  readonly name: string;
  readonly secret: string;
}
interface ProviderText {
  readonly identity?: object;
  readonly aescbc?: { readonly keys?: readonly Key[] };
  readonly aesgcm?: { readonly keys?: readonly Key[] };
  readonly secretbox?: { readonly keys?: readonly Key[] };
  readonly kms?: object;
}
export interface EncryptionConfiguration {
  readonly resources: readonly { readonly resources: readonly string[]; readonly providers: readonly ProviderText[] }[];
}

/** One way of reading and writing: a provider with one of its keys. */
interface Way {
  readonly prefix: string;
  write(text: string, key: string): string;
  read(value: string, key: string): string;
}

const NONCE = { aescbc: 16, aesgcm: 12, secretbox: 24 } as const;
const SIZES = { aescbc: [16, 24, 32], aesgcm: [16, 24, 32], secretbox: [32] } as const;
type Name = keyof typeof NONCE;

/** Checks a file's content. Throws an Error with the text kube-apiserver exits with. */
export function readEncryption(value: unknown, luck: Rng): Transformer {
  const file = value as (EncryptionConfiguration & { readonly apiVersion?: string; readonly kind?: string }) | null;
  if (file?.kind !== 'EncryptionConfiguration' || file.apiVersion !== 'apiserver.config.k8s.io/v1')
    throw new Error(
      `error decoding encryption provider configuration file: no kind ${JSON.stringify(file?.kind ?? '')} is registered for version ${JSON.stringify(file?.apiVersion ?? '')} in scheme`,
    );
  if (!file.resources?.length) throw new Error('resources: Required value: at least one resource must be specified');
  const tables = file.resources.map(({ resources, providers }, i) => {
    if (!resources?.length) throw new Error(`resources[${i}].resources: Required value: at least one resource must be specified`);
    if (!providers?.length) throw new Error(`resources[${i}].providers: Required value: at least one provider must be specified`);
    return { resources, ways: providers.flatMap((provider, j) => waysOf(provider, `resources[${i}].providers[${j}]`, luck)) };
  });
  const prefixes = new Map<string, readonly Way[]>();
  for (const row of RESOURCES) {
    const name = row.group ? `${row.plural}.${row.group}` : row.plural;
    // Events are never encrypted by a wildcard's grace alone upstream either; the first list that names a resource counts.
    const table = tables.find(({ resources }) => resources.some((each) => each === name || each === '*.*' || each === `*.${row.group}`));
    if (row.prefix && table) prefixes.set(`${row.prefix}/`, table.ways);
  }
  const waysFor = (key: string): readonly Way[] | undefined => {
    for (const [prefix, ways] of prefixes) if (key.startsWith(prefix)) return ways;
    return undefined;
  };
  const transformer: Transformer = {
    toStorage: (key, text) => waysFor(key)?.[0]?.write(text, key) ?? text,
    fromStorage(key, stored) {
      const ways = waysFor(key);
      if (!ways) return stored;
      const way = ways.find(({ prefix }) => (prefix === '' ? !stored.startsWith('k8s:enc:') : stored.startsWith(prefix)));
      if (!way) throw new Error(`unable to transform key ${JSON.stringify(key)}: no matching prefix found`);
      return way.read(stored, key);
    },
  };
  // What the page draws is read from etcd itself.
  readsEncrypted((stored, key) => {
    try {
      return transformer.fromStorage(key, stored);
    } catch {
      return undefined;
    }
  });
  return transformer;
}

const IDENTITY: Way = { prefix: '', write: (text) => text, read: (value) => value };

function waysOf(provider: ProviderText, at: string, luck: Rng): readonly Way[] {
  const names = Object.keys(provider);
  if (names.length !== 1)
    throw new Error(
      `${at}: Invalid value: ${JSON.stringify(names)}: ${names.length === 0 ? 'provider does not contain any of the expected providers' : 'more than one provider specified in a single element, should split into different list elements'}`,
    );
  const name = names[0] as Name | 'identity';
  if (name === 'identity') return [IDENTITY];
  if (!(name in NONCE)) throw new Error(`${at}: Invalid value: ${JSON.stringify(name)}: KMS plugins are not modelled here`);
  const keys = provider[name]?.keys ?? [];
  if (keys.length === 0) throw new Error(`${at}.${name}.keys: Required value: at least one key is required`);
  return keys.map(({ name: keyName, secret }, k) => {
    const field = `${at}.${name}.keys[${k}]`;
    if (!keyName) throw new Error(`${field}.name: Required value: name must be provided`);
    if (keyName.includes(':')) throw new Error(`${field}.name: Invalid value: ${JSON.stringify(keyName)}: name cannot contain ":"`);
    const bytes = fromBase64(secret ?? '');
    if (!bytes?.length) throw new Error(`${field}.secret: Required value: secret must be provided`);
    const sizes: readonly number[] = SIZES[name];
    if (!sizes.includes(bytes.length))
      throw new Error(
        `${field}.secret: Invalid value: "REDACTED": secret is not of the expected length, got ${bytes.length}, expected one of [${sizes.join(' ')}]`,
      );
    return way(name, keyName, bytes, luck);
  });
}

function way(name: Name, keyName: string, secret: Bytes, luck: Rng): Way {
  const prefix = `k8s:enc:${name}:v1:${keyName}:`;
  // The authenticated data of AES-GCM is the object's key: a value moved to another place is not accepted there.
  const cipher = (nonce: Bytes, key: string) =>
    name === 'aescbc' ? cbc(secret, nonce) : name === 'aesgcm' ? gcm(secret, nonce, utf8(key)) : xsalsa20poly1305(secret, nonce);
  return {
    prefix,
    write(text, key) {
      const nonce = Uint8Array.from({ length: NONCE[name] }, () => luck.between(0, 256));
      return prefix + binary(concat(nonce, cipher(nonce, key).encrypt(utf8(text))));
    },
    read(value, key) {
      const bytes = fromBinary(value.slice(prefix.length));
      return textOf(cipher(bytes.subarray(0, NONCE[name]), key).decrypt(bytes.subarray(NONCE[name])));
    },
  };
}
