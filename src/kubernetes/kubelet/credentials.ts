/**
 * Who is asking a registry: imagePullSecrets of a pod (`kubelet_pods.go` getPullSecretsForPod) and which of what they hold
 * goes to which image (pkg/credentialprovider `keyring.go`).
 */
import type { DeepReadonly } from '../api/json.ts';
import type { Secret } from '../api/types.gen.ts';
import { decodeBase64 } from './base64.ts';
import type { RegistryAuth } from './cri.ts';

/** Logins for an image, the most specific first; none of them: asked for without a name. */
export type Credentials = (image: string) => readonly RegistryAuth[];

interface Entry extends RegistryAuth {
  /** `registry.example.net/private`, without a scheme. */
  readonly registry: string;
}
interface DockerEntry {
  readonly username?: string;
  readonly password?: string;
  /** Base64 of `username:password`. */
  readonly auth?: string;
}

/** What a secret of one of the two kinds holds; nothing of any other, and nothing that cannot be read. */
function entriesOf(secret: DeepReadonly<Secret>): readonly Entry[] {
  const config = secret.data?.['.dockerconfigjson'];
  const legacy = secret.data?.['.dockercfg'];
  try {
    const entries: Readonly<Record<string, DockerEntry>> =
      secret.type === 'kubernetes.io/dockerconfigjson' && config !== undefined
        ? ((JSON.parse(decodeBase64(config)) as { auths?: Record<string, DockerEntry> }).auths ?? {})
        : secret.type === 'kubernetes.io/dockercfg' && legacy !== undefined
          ? (JSON.parse(decodeBase64(legacy)) as Record<string, DockerEntry>)
          : {};
    return Object.entries(entries).map(([key, { username = '', password = '', auth }]) => {
      const [user = '', ...rest] = auth === undefined ? [] : decodeBase64(auth).split(':');
      return {
        registry: key
          .replace(/^https?:\/\//, '')
          .replace(/\/(v1|v2)\/?$/, '')
          .replace(/\/$/, ''),
        ...(auth === undefined ? { username, password } : { username: user, password: rest.join(':') }),
      };
    });
  } catch {
    return [];
  }
}

/** Whether an entry is for an image: its host, each part of which may have stars, its port, and the beginning of its path. */
export function isFor(registry: string, image: string): boolean {
  const [host = '', ...path] = registry.split('/');
  const [theirs = '', ...rest] = withHost(image).split('/');
  const [name = '', port] = host.split(':');
  const [theirName = '', theirPort] = theirs.split(':');
  if (port !== theirPort) return false;
  const parts = name.split('.');
  const theirParts = theirName.split('.');
  if (parts.length !== theirParts.length) return false;
  const like = (pattern: string, text: string): boolean => new RegExp(`^${pattern.replaceAll(/[^a-z0-9*-]/gi, '').replaceAll('*', '.*')}$`).test(text);
  return parts.every((part, i) => like(part, theirParts[i]!)) && rest.join('/').startsWith(path.join('/'));
}
/** `nginx` → `index.docker.io/library/nginx`: the name Docker's own registry has in such secrets. */
function withHost(image: string): string {
  const slash = image.indexOf('/');
  const first = slash < 0 ? '' : image.slice(0, slash);
  if (slash >= 0 && (/[.:]/.test(first) || first === 'localhost')) return first === 'docker.io' ? `index.${image}` : image;
  return `index.docker.io/${slash < 0 ? `library/${image}` : image}`;
}

export function credentialsOf(secrets: readonly DeepReadonly<Secret>[]): Credentials {
  const entries = secrets.flatMap(entriesOf).sort((a, b) => (a.registry < b.registry ? 1 : a.registry > b.registry ? -1 : 0));
  return (image) => entries.filter(({ registry }) => isFor(registry, image));
}
