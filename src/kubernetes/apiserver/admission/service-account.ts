/**
 * ServiceAccount: every pod runs as one, and gets its credentials mounted
 * (plugin/pkg/admission/serviceaccount).
 */
import type { KubeObject } from '../../api/meta.ts';
import type { Pod, ServiceAccount } from '../../api/types.gen.ts';
import { forbidden, quote } from '../errors.ts';
import type { Plugin, World, Writing } from './admission.ts';

const MIRROR = 'kubernetes.io/config.mirror';
const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';

export const serviceAccount: Plugin = {
  name: 'ServiceAccount',
  mutate(attributes, world) {
    const { operation, row, subresource, object } = attributes;
    if (operation !== 'CREATE' || row.plural !== 'pods' || row.group !== '' || subresource !== '') return object;
    // A mirror pod shows what a kubelet runs from a file: it speaks to no API.
    if (object.metadata.annotations?.[MIRROR] !== undefined) return checkMirror(object as Pod);
    const pod = object as Pod;
    const name = pod.spec?.serviceAccountName || 'default';
    const key = `/registry/serviceaccounts/${attributes.namespace}/${name}`;
    const account = world.get(key);
    if (account) return withAccount(pod, name, account as ServiceAccount, world);
    return world.live(key).then((stored) => {
      if (!stored) {
        throw forbidden(
          '',
          'pods',
          nameOf(attributes),
          `error looking up service account ${attributes.namespace}/${name}: serviceaccount ${quote(name)} not found`,
        );
      }
      return withAccount(pod, name, stored.object as ServiceAccount, world);
    });
  },
};

const nameOf = ({ object }: Writing): string => object.metadata.name ?? '';

function checkMirror(pod: Pod): KubeObject {
  const name = pod.metadata.name ?? '';
  if (pod.spec?.serviceAccountName) throw forbidden('', 'pods', name, 'a mirror pod may not reference service accounts');
  if (namesSecrets(pod)) throw forbidden('', 'pods', name, 'a mirror pod may not reference secrets');
  if (pod.spec?.volumes?.some((volume) => volume.projected?.sources?.some((source) => source.serviceAccountToken))) {
    throw forbidden('', 'pods', name, 'a mirror pod may not use ServiceAccountToken volume projections');
  }
  return pod;
}

const namesSecrets = ({ spec }: Pod): boolean =>
  Boolean(spec?.imagePullSecrets?.length) ||
  (spec?.volumes ?? []).some((volume) => volume.secret || volume.projected?.sources?.some((source) => source.secret)) ||
  [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].some(
    ({ env, envFrom }) => env?.some((each) => each.valueFrom?.secretKeyRef) || envFrom?.some((each) => each.secretRef),
  );

function withAccount(pod: Pod, name: string, account: ServiceAccount, world: World): KubeObject {
  const spec: NonNullable<Pod['spec']> = { ...pod.spec!, serviceAccountName: name, serviceAccount: name };
  if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length) spec.imagePullSecrets = account.imagePullSecrets;
  const mounts = spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
  if (!mounts) return { ...pod, spec } as KubeObject;
  const existing = spec.volumes?.find((volume) => volume.name.startsWith('kube-api-access-'));
  const volume = existing?.name ?? `kube-api-access-${world.suffix()}`;
  let used = false;
  const withMount = <C extends { volumeMounts?: { mountPath: string; name: string; readOnly?: boolean }[] }>(container: C): C => {
    if (container.volumeMounts?.some((mount) => mount.mountPath === MOUNT_PATH)) return container;
    used = true;
    return { ...container, volumeMounts: [...(container.volumeMounts ?? []), { name: volume, readOnly: true, mountPath: MOUNT_PATH }] };
  };
  if (spec.initContainers) spec.initContainers = spec.initContainers.map(withMount);
  spec.containers = (spec.containers ?? []).map(withMount);
  if (used && !existing) spec.volumes = [...(spec.volumes ?? []), tokenVolume(volume)];
  return { ...pod, spec } as KubeObject;
}

/** The token (an hour and 7 seconds, so that it can be told from one asked for), the cluster's CA and the namespace. */
const tokenVolume = (name: string) => ({
  name,
  projected: {
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
    ],
    defaultMode: 420,
  },
});
