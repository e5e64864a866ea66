/** Tokens kept in Secrets (pkg/controller/serviceaccount/tokens_controller.go, pkg/serviceaccount/legacy.go): they have no end. */
import type { DeepReadonly } from '../../api/json.ts';
import { CLUSTER_CA } from '../../api/pki/cluster-ca.ts';
import { openPki } from '../../api/pki/lazy.ts';
import type { Secret } from '../../api/types.gen.ts';
import { isNotFound } from '../../client/retry.ts';
import type { Context } from '../controller.ts';

const NAME = 'kubernetes.io/service-account.name';
const UID = 'kubernetes.io/service-account.uid';

export async function fillTokenSecret(secret: DeepReadonly<Secret>, { client, informer, self }: Context, seed: string): Promise<void> {
  const { namespace = '', name = '', annotations = {} } = secret.metadata;
  const account = annotations[NAME] ? informer('ServiceAccount').get(`${namespace}/${annotations[NAME]}`) : undefined;
  if (!account || (annotations[UID] && annotations[UID] !== account.metadata.uid)) {
    await client
      .of('Secret')
      .delete(`${namespace}/${name}`, { preconditions: { uid: secret.metadata.uid ?? '' } })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    return;
  }
  const { base64, keyOf, signJwt, utf8 } = await self.outside(openPki());
  const data = (text: string) => base64(utf8(text));
  const wanted = { 'ca.crt': data(CLUSTER_CA), namespace: data(namespace) };
  const current = secret.data ?? {};
  if (current['token'] && annotations[UID] && current['ca.crt'] === wanted['ca.crt'] && current['namespace'] === wanted.namespace) return;
  const claims = {
    iss: 'kubernetes/serviceaccount',
    'kubernetes.io/serviceaccount/namespace': namespace,
    'kubernetes.io/serviceaccount/secret.name': name,
    'kubernetes.io/serviceaccount/service-account.name': account.metadata.name,
    'kubernetes.io/serviceaccount/service-account.uid': account.metadata.uid,
    sub: `system:serviceaccount:${namespace}:${account.metadata.name}`,
  };
  const token = current['token'] || data(signJwt(keyOf(`${seed} sa`), claims));
  await client.of('Secret').update({
    ...secret,
    metadata: { ...secret.metadata, annotations: { ...annotations, [UID]: account.metadata.uid ?? '' } },
    data: { ...current, ...wanted, token },
  } as DeepReadonly<Secret>);
}
