/** Who a pod may ask registries as (`kubelet_pods.go` getPullSecretsForPod). */
import type { DeepReadonly } from '../api/json.ts';
import type { Secret } from '../api/types.gen.ts';
import type { Note } from './container-start.ts';
import { type Credentials, credentialsOf } from './credentials.ts';
import type { KubeletNode } from './node.ts';
import type { PodObject } from './pod-view.ts';

/** The secrets are read before anything is pulled; that some cannot be had is said, and it is tried without them. Undefined: it names none. */
export async function pullCredentials(node: KubeletNode, pod: PodObject, note: Note): Promise<Credentials | undefined> {
  const names = (pod.spec?.imagePullSecrets ?? []).flatMap(({ name }) => (name ? [name] : []));
  if (names.length === 0) return undefined;
  const secrets: DeepReadonly<Secret>[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const secret = await node.objects.get('Secret', pod.metadata.namespace ?? '', name, pod.metadata.uid ?? '');
    if (secret) secrets.push(secret as DeepReadonly<Secret>);
    else missing.push(name);
  }
  if (missing.length > 0)
    note(
      'Warning',
      'FailedToRetrieveImagePullSecret',
      `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`,
    );
  return credentialsOf(secrets);
}
