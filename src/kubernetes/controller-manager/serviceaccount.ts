/**
 * What every namespace starts with: the ServiceAccount `default`, and the ConfigMap `kube-root-ca.crt`
 * by which its pods know the API server (serviceaccounts_controller.go, rootcacertpublisher).
 *
 * Woken by: the namespace, and the loss or change of what it should have.
 */
import { keyOf } from '../api/meta.ts';
import { isAlreadyExists, isNamespaceTerminating, isNotFound } from '../client/retry.ts';
import { type Controller, type Runnable, reconciler } from './controller.ts';
import { equal } from './json-equal.ts';

const ROOT_CA = 'kube-root-ca.crt';

export const serviceAccountController = reconciler({
  name: 'serviceaccount-controller',
  for: 'Namespace',
  wakes: { ServiceAccount: (account, _, before) => (account.metadata.name === 'default' && before === account ? [account.metadata.namespace ?? ''] : []) },

  async reconcile(namespace, { client, informer }) {
    const name = keyOf(namespace);
    if (namespace.status?.phase === 'Terminating' || informer('ServiceAccount').get(`${name}/default`)) return;
    try {
      await client.of('ServiceAccount').create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } });
    } catch (error) {
      if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error;
    }
  },
});

const ROOT_CA_WAKES: Controller['wakes'] = { ConfigMap: (map) => (map.metadata.name === ROOT_CA ? [map.metadata.namespace ?? ''] : []) };

/** @param certificate the cluster's root, in PEM */
export const rootCaPublisher = (certificate: string): Runnable =>
  reconciler({
    name: 'root-ca-certificate-publisher',
    for: 'Namespace',
    wakes: ROOT_CA_WAKES,

    async reconcile(namespace, { client, informer }) {
      const name = keyOf(namespace);
      if (namespace.status?.phase === 'Terminating') return;
      const data = { 'ca.crt': certificate };
      const current = informer('ConfigMap').get(`${name}/${ROOT_CA}`);
      if (current && equal(current.data, data)) return;
      const description =
        'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';
      try {
        if (current) await client.of('ConfigMap').update({ ...current, data });
        else
          await client.of('ConfigMap').create({
            apiVersion: 'v1',
            kind: 'ConfigMap',
            metadata: { name: ROOT_CA, namespace: name, annotations: { 'kubernetes.io/description': description } },
            data,
          });
      } catch (error) {
        if (!isAlreadyExists(error) && !isNamespaceTerminating(error) && !isNotFound(error)) throw error;
      }
    },
  });
