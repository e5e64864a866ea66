/** Bootstrap tokens: their end (tokencleaner.go), and the signatures of cluster-info (pkg/controller/bootstrap/bootstrapsigner.go): a detached JWS (HS256) for each token that may. */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { DeepReadonly } from '../../api/json.ts';
import { keyOf } from '../../api/meta.ts';
import { base64url, fromBase64, textOf, utf8 } from '../../api/pki/bytes.ts';
import { instantOf } from '../../api/time.ts';
import type { ConfigMap, Secret } from '../../api/types.gen.ts';
import type { Context } from '../controller.ts';
import { equal } from '../json-equal.ts';

type Bytes64 = { readonly [key: string]: string | undefined } | undefined;
const entryOf = (data: Bytes64, key: string): string => textOf(fromBase64(data?.[key] ?? '') ?? new Uint8Array());

export async function cleanToken(secret: DeepReadonly<Secret>, { client, now }: Context): Promise<undefined | { readonly again: number }> {
  const until = instantOf(entryOf(secret.data as Bytes64, 'expiration'));
  if (until === undefined) return undefined;
  if (until > now()) return { again: until - now() };
  await client.of('Secret').delete(keyOf(secret), { preconditions: { uid: secret.metadata.uid ?? '' } });
  return undefined;
}

const PREFIX = 'jws-kubeconfig-';

export async function signClusterInfo(map: DeepReadonly<ConfigMap>, { client, informer }: Context): Promise<void> {
  const content = map.data?.['kubeconfig'];
  if (content === undefined) return;
  const data: Record<string, string> = {};
  for (const [key, value] of Object.entries(map.data ?? {})) if (!key.startsWith(PREFIX)) data[key] = value ?? '';
  for (const secret of informer('Secret').list('kube-system')) {
    if (secret.type !== 'bootstrap.kubernetes.io/token') continue;
    const value = (key: string) => entryOf(secret.data as Bytes64, key);
    if (value('usage-bootstrap-signing') !== 'true') continue;
    data[PREFIX + value('token-id')] = detached(content, value('token-id'), value('token-secret'));
  }
  if (!equal(data, map.data)) await client.of('ConfigMap').update({ ...map, data } as DeepReadonly<ConfigMap>);
}

/** `header..signature`, over the content between (cluster-bootstrap `token/jws`). */
export function detached(content: string, id: string, secret: string): string {
  const header = base64url(utf8(JSON.stringify({ alg: 'HS256', kid: id })));
  const signature = hmac(sha256, utf8(`${id}.${secret}`), utf8(`${header}.${base64url(utf8(content))}`));
  return `${header}..${base64url(signature)}`;
}
