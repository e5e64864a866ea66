/**
 * ServiceAccount, second half: an account with the annotation `kubernetes.io/enforce-mountable-secrets` lets its pods
 * use none but the secrets it names (plugin/pkg/admission/serviceaccount, limitSecretReferences).
 */
import type { Container, Pod, ServiceAccount } from '../../api/types.gen.ts';
import { forbidden } from '../errors.ts';
import { nameOf, type Plugin } from './admission.ts';

export const mountableSecrets: Plugin = {
  name: 'ServiceAccount',
  validate(attributes, world) {
    const pod = attributes.object as Pod;
    const name = pod.spec?.serviceAccountName ?? '';
    const account = world.get(`/registry/serviceaccounts/${attributes.namespace}/${name}`) as ServiceAccount | undefined;
    if (!account) return;
    const allowed = new Set((account.secrets ?? []).map((secret) => secret.name ?? ''));
    const bad = (what: string, secret: string, which = 'secret') =>
      forbidden(
        '',
        'pods',
        nameOf(attributes),
        `${what}=${JSON.stringify(secret)} is not allowed because service account ${name} does not reference that ${which}`,
      );
    for (const { secret, projected } of pod.spec?.volumes ?? []) {
      if (secret && !allowed.has(secret.secretName ?? '')) throw bad('volume with secret.secretName', secret.secretName ?? '');
      for (const source of projected?.sources ?? [])
        if (source.secret && !allowed.has(source.secret.name ?? '')) throw bad('volume with secret.secretName', source.secret.name ?? '');
    }
    for (const [word, list] of [
      ['init container', 'initContainers'],
      ['container', 'containers'],
      ['ephemeral container', 'ephemeralContainers'],
    ] as const) {
      for (const container of (pod.spec?.[list] ?? []) as readonly Container[]) {
        for (const { name: variable, valueFrom } of container.env ?? []) {
          const secret = valueFrom?.secretKeyRef?.name;
          if (secret !== undefined && !allowed.has(secret))
            throw bad(`${word} ${container.name} with envVar ${variable} referencing secret.secretName`, secret);
        }
        for (const { secretRef } of container.envFrom ?? [])
          if (secretRef && !allowed.has(secretRef.name ?? ''))
            throw bad(`${word} ${container.name} with envFrom referencing secret.secretName`, secretRef.name ?? '');
      }
    }
    const pulls = new Set((account.imagePullSecrets ?? []).map((secret) => secret.name ?? ''));
    for (const [i, { name: secret = '' }] of (pod.spec?.imagePullSecrets ?? []).entries())
      if (!pulls.has(secret)) throw bad(`imagePullSecrets[${i}].name`, secret, 'imagePullSecret');
  },
};
