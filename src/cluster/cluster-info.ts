/**
 * What anybody may read before he trusts a cluster: its address and its authority, in the ConfigMap cluster-info of
 * kube-public (kubeadm `phases/bootstraptoken/clusterinfo`). The bootstrap signer signs it with every token that may.
 */
import type { DeepReadonly } from '../kubernetes/api/json.ts';
import type { KubeObject } from '../kubernetes/api/meta.ts';
import { base64, utf8 } from '../kubernetes/api/pki/bytes.ts';

/** @param authority the cluster's root certificate, in PEM */
export function clusterInfo(server: string, authority: string): readonly DeepReadonly<KubeObject>[] {
  const kubeconfig = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${base64(utf8(authority))}
    server: ${server}
  name: ""
contexts: null
current-context: ""
kind: Config
preferences: {}
users: null
`;
  const name = 'kubeadm:bootstrap-signer-clusterinfo';
  const rbac = 'rbac.authorization.k8s.io';
  const objects: readonly DeepReadonly<KubeObject & { readonly [field: string]: unknown }>[] = [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cluster-info', namespace: 'kube-public' }, data: { kubeconfig } },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'Role',
      metadata: { name, namespace: 'kube-public' },
      rules: [{ apiGroups: [''], resourceNames: ['cluster-info'], resources: ['configmaps'], verbs: ['get'] }],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata: { name, namespace: 'kube-public' },
      roleRef: { apiGroup: rbac, kind: 'Role', name },
      subjects: [{ apiGroup: rbac, kind: 'User', name: 'system:anonymous' }],
    },
  ];
  return objects;
}
