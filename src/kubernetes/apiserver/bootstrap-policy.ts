/**
 * The roles and bindings every API server makes sure of when it starts (upstream
 * plugin/pkg/auth/authorizer/rbac/bootstrappolicy), and `system:coredns`, which is kubeadm's.
 *
 * Here simplified: the controllers run as `system:kube-controller-manager` with the rights of all
 * `system:controller:*` roles together; admin, edit and view carry their rules themselves instead of by
 * aggregation; rare add-on roles (heapster, node-problem-detector, …) are left out.
 */
import type { KubeObject } from '../api/meta.ts';
import type { PolicyRule } from './rbac.ts';

const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update'];
const RBAC_GROUP = 'rbac.authorization.k8s.io';

const on = (verbs: readonly string[], groups: string | readonly string[], ...resources: string[]): PolicyRule => ({
  apiGroups: typeof groups === 'string' ? [groups] : groups,
  resources,
  verbs,
});
const paths = (verbs: readonly string[], ...nonResourceURLs: string[]): PolicyRule => ({ nonResourceURLs, verbs });
const only = (rule: PolicyRule, ...resourceNames: string[]): PolicyRule => ({ ...rule, resourceNames });
const EVENTS = on(['create', 'patch', 'update'], ['', 'events.k8s.io'], 'events');

/** What the Node authorizer lets a kubelet do; also the rules of ClusterRole `system:node`. */
export const NODE_RULES: readonly PolicyRule[] = [
  on(['create'], 'authentication.k8s.io', 'tokenreviews'),
  on(['create'], 'authorization.k8s.io', 'localsubjectaccessreviews', 'subjectaccessreviews'),
  on(READ, '', 'services'),
  on(['create', 'get', 'list', 'watch'], '', 'nodes'),
  on(['patch', 'update'], '', 'nodes/status'),
  on(['patch', 'update'], '', 'nodes'),
  EVENTS,
  on(READ, '', 'pods'),
  on(['create', 'delete'], '', 'pods'),
  on(['patch', 'update'], '', 'pods/status'),
  on(['create'], '', 'pods/eviction'),
  on(READ, '', 'configmaps', 'secrets'),
  on(['get'], '', 'persistentvolumeclaims', 'persistentvolumes'),
  on(['get'], '', 'endpoints'),
  on(['create', 'get', 'list', 'watch'], 'certificates.k8s.io', 'certificatesigningrequests'),
  on(['create', 'delete', 'get', 'patch', 'update'], 'coordination.k8s.io', 'leases'),
  on(['get'], 'storage.k8s.io', 'volumeattachments'),
  on(['create'], '', 'serviceaccounts/token'),
  on(['get', 'patch', 'update'], '', 'persistentvolumeclaims/status'),
  on(READ, 'storage.k8s.io', 'csidrivers'),
  on(['create', 'delete', 'get', 'patch', 'update'], 'storage.k8s.io', 'csinodes'),
  on(READ, 'node.k8s.io', 'runtimeclasses'),
];

const USER_READ: readonly PolicyRule[] = [
  on(
    READ,
    '',
    'bindings',
    'configmaps',
    'endpoints',
    'events',
    'limitranges',
    'namespaces',
    'namespaces/status',
    'persistentvolumeclaims',
    'persistentvolumeclaims/status',
  ),
  on(READ, '', 'pods', 'pods/log', 'pods/status', 'replicationcontrollers', 'replicationcontrollers/scale', 'replicationcontrollers/status'),
  on(READ, '', 'resourcequotas', 'resourcequotas/status', 'serviceaccounts', 'services', 'services/status'),
  on(READ, 'discovery.k8s.io', 'endpointslices'),
  on(
    READ,
    'apps',
    'controllerrevisions',
    'daemonsets',
    'daemonsets/status',
    'deployments',
    'deployments/scale',
    'deployments/status',
    'replicasets',
    'replicasets/scale',
    'replicasets/status',
    'statefulsets',
    'statefulsets/scale',
    'statefulsets/status',
  ),
  on(READ, 'autoscaling', 'horizontalpodautoscalers', 'horizontalpodautoscalers/status'),
  on(READ, 'batch', 'cronjobs', 'cronjobs/status', 'jobs', 'jobs/status'),
  on(READ, 'networking.k8s.io', 'ingresses', 'ingresses/status', 'networkpolicies'),
  on(READ, 'policy', 'poddisruptionbudgets', 'poddisruptionbudgets/status'),
  on(READ, 'events.k8s.io', 'events'),
  on(READ, 'metrics.k8s.io', 'pods', 'nodes'),
];
const USER_WRITE: readonly PolicyRule[] = [
  on(READ, '', 'pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy', 'secrets', 'services/proxy'),
  on(['impersonate'], '', 'serviceaccounts'),
  on(WRITE, '', 'pods', 'pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy'),
  on(['create'], '', 'pods/eviction', 'serviceaccounts/token'),
  on(
    WRITE,
    '',
    'configmaps',
    'events',
    'persistentvolumeclaims',
    'replicationcontrollers',
    'replicationcontrollers/scale',
    'secrets',
    'serviceaccounts',
    'services',
    'services/proxy',
  ),
  on(
    WRITE,
    'apps',
    'daemonsets',
    'deployments',
    'deployments/rollback',
    'deployments/scale',
    'replicasets',
    'replicasets/scale',
    'statefulsets',
    'statefulsets/scale',
  ),
  on(WRITE, 'autoscaling', 'horizontalpodautoscalers'),
  on(WRITE, 'batch', 'cronjobs', 'jobs'),
  on(WRITE, 'networking.k8s.io', 'ingresses', 'networkpolicies'),
  on(WRITE, 'policy', 'poddisruptionbudgets'),
  on([...WRITE, ...READ], 'coordination.k8s.io', 'leases'),
];
const USER_ADMIN: readonly PolicyRule[] = [
  on(['create'], 'authorization.k8s.io', 'localsubjectaccessreviews'),
  on([...WRITE, ...READ], RBAC_GROUP, 'rolebindings', 'roles'),
];

const CONTROLLER_MANAGER: readonly PolicyRule[] = [
  EVENTS,
  on(READ, '*', '*'),
  on(['create', 'get', 'update'], 'coordination.k8s.io', 'leases'),
  on(
    WRITE,
    '',
    'pods',
    'endpoints',
    'secrets',
    'serviceaccounts',
    'configmaps',
    'persistentvolumeclaims',
    'persistentvolumes',
    'replicationcontrollers',
    'services',
    'podtemplates',
  ),
  on(['create'], '', 'pods/eviction', 'pods/binding', 'serviceaccounts/token'),
  on(
    ['patch', 'update'],
    '',
    'pods/status',
    'nodes',
    'nodes/status',
    'namespaces/status',
    'namespaces/finalize',
    'persistentvolumes/status',
    'persistentvolumeclaims/status',
    'replicationcontrollers/status',
    'replicationcontrollers/scale',
    'resourcequotas/status',
    'services/status',
  ),
  on(['delete'], '', 'nodes', 'namespaces'),
  on(WRITE, 'apps', 'controllerrevisions', 'replicasets', 'deployments', 'daemonsets', 'statefulsets'),
  on(
    ['patch', 'update'],
    'apps',
    'deployments/status',
    'deployments/scale',
    'replicasets/status',
    'replicasets/scale',
    'statefulsets/status',
    'statefulsets/scale',
    'daemonsets/status',
    'deployments/finalizers',
    'replicasets/finalizers',
    'statefulsets/finalizers',
    'daemonsets/finalizers',
  ),
  on(WRITE, 'batch', 'jobs', 'cronjobs'),
  on(['patch', 'update'], 'batch', 'jobs/status', 'cronjobs/status', 'jobs/finalizers', 'cronjobs/finalizers'),
  on(WRITE, 'discovery.k8s.io', 'endpointslices'),
  on(['patch', 'update'], 'autoscaling', 'horizontalpodautoscalers', 'horizontalpodautoscalers/status'),
  on(['patch', 'update'], 'policy', 'poddisruptionbudgets/status'),
  on(['patch', 'update'], 'networking.k8s.io', 'ingresses/status'),
  on([...WRITE, ...READ], 'storage.k8s.io', 'volumeattachments'),
  on(WRITE, RBAC_GROUP, 'clusterroles'),
  on(['escalate', 'bind'], RBAC_GROUP, 'clusterroles', 'roles'),
  // The namespace controller and the garbage collector delete and patch whatever there is.
  on(['delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'], '*', '*'),
  on(['create'], 'authentication.k8s.io', 'tokenreviews'),
  on(['create'], 'authorization.k8s.io', 'subjectaccessreviews'),
  paths(['get'], '*'),
];

const SCHEDULER: readonly PolicyRule[] = [
  EVENTS,
  on(['create'], 'coordination.k8s.io', 'leases'),
  on(['list', 'watch'], 'coordination.k8s.io', 'leases'),
  only(on(['get', 'update'], 'coordination.k8s.io', 'leases'), 'kube-scheduler'),
  on(READ, '', 'nodes'),
  on(['delete', 'get', 'list', 'watch'], '', 'pods'),
  on(['create'], '', 'bindings', 'pods/binding'),
  on(['patch', 'update'], '', 'pods/status'),
  on(READ, '', 'replicationcontrollers', 'services', 'namespaces', 'persistentvolumeclaims', 'persistentvolumes'),
  on(['patch', 'update'], '', 'persistentvolumeclaims', 'persistentvolumes'),
  on(READ, 'apps', 'replicasets', 'statefulsets'),
  on(READ, 'policy', 'poddisruptionbudgets'),
  on(READ, 'storage.k8s.io', 'csidrivers', 'csinodes', 'csistoragecapacities', 'storageclasses', 'volumeattachments'),
  on(['create'], 'authentication.k8s.io', 'tokenreviews'),
  on(['create'], 'authorization.k8s.io', 'subjectaccessreviews'),
];

const AGGREGATE = (name: string) => ({ clusterRoleSelectors: [{ matchLabels: { [`${RBAC_GROUP}/aggregate-to-${name}`]: 'true' } }] });

const ROLES: readonly (readonly [string, readonly PolicyRule[], object?])[] = [
  ['cluster-admin', [on(['*'], '*', '*'), paths(['*'], '*')]],
  [
    'system:discovery',
    [paths(['get'], '/api', '/api/*', '/apis', '/apis/*', '/healthz', '/livez', '/openapi', '/openapi/*', '/readyz', '/version', '/version/')],
  ],
  ['system:public-info-viewer', [paths(['get'], '/healthz', '/livez', '/readyz', '/version', '/version/')]],
  [
    'system:basic-user',
    [
      on(['create'], 'authorization.k8s.io', 'selfsubjectaccessreviews', 'selfsubjectrulesreviews'),
      on(['create'], 'authentication.k8s.io', 'selfsubjectreviews'),
    ],
  ],
  ['system:monitoring', [paths(['get'], '/healthz', '/healthz/*', '/livez', '/livez/*', '/metrics', '/metrics/slis', '/readyz', '/readyz/*')]],
  ['admin', [...USER_READ, ...USER_WRITE, ...USER_ADMIN], AGGREGATE('admin')],
  ['edit', [...USER_READ, ...USER_WRITE], AGGREGATE('edit')],
  ['view', USER_READ, AGGREGATE('view')],
  ['system:node', NODE_RULES],
  [
    'system:kubelet-api-admin',
    [on(['*'], '', 'nodes/log', 'nodes/metrics', 'nodes/proxy', 'nodes/stats'), on(['get', 'list', 'watch'], '', 'nodes'), on(['proxy'], '', 'nodes')],
  ],
  ['system:node-bootstrapper', [on(['create', 'get', 'list', 'watch'], 'certificates.k8s.io', 'certificatesigningrequests')]],
  ['system:auth-delegator', [on(['create'], 'authentication.k8s.io', 'tokenreviews'), on(['create'], 'authorization.k8s.io', 'subjectaccessreviews')]],
  ['system:kube-controller-manager', CONTROLLER_MANAGER],
  ['system:kube-scheduler', SCHEDULER],
  [
    'system:node-proxier',
    [
      on(['list', 'watch'], '', 'endpoints', 'services'),
      on(READ, '', 'nodes'),
      EVENTS,
      on(['list', 'watch'], 'discovery.k8s.io', 'endpointslices'),
      on(['list', 'watch'], 'networking.k8s.io', 'servicecidrs'),
    ],
  ],
  ['system:service-account-issuer-discovery', [paths(['get'], '/.well-known/openid-configuration', '/openid/v1/jwks')]],
  ['system:coredns', [on(['list', 'watch'], '', 'endpoints', 'services', 'pods', 'namespaces'), on(['list', 'watch'], 'discovery.k8s.io', 'endpointslices')]],
];

type Whom = readonly ['User' | 'Group', string] | readonly ['ServiceAccount', string, string];
const BINDINGS: readonly (readonly [string, string, ...Whom[]])[] = [
  ['cluster-admin', 'cluster-admin', ['Group', 'system:masters']],
  ['kubeadm:cluster-admins', 'cluster-admin', ['Group', 'kubeadm:cluster-admins']],
  ['system:discovery', 'system:discovery', ['Group', 'system:authenticated']],
  ['system:public-info-viewer', 'system:public-info-viewer', ['Group', 'system:authenticated'], ['Group', 'system:unauthenticated']],
  ['system:basic-user', 'system:basic-user', ['Group', 'system:authenticated']],
  ['system:monitoring', 'system:monitoring', ['Group', 'system:monitoring']],
  ['system:node', 'system:node'],
  ['system:kube-controller-manager', 'system:kube-controller-manager', ['User', 'system:kube-controller-manager']],
  ['system:kube-scheduler', 'system:kube-scheduler', ['User', 'system:kube-scheduler']],
  ['system:node-proxier', 'system:node-proxier', ['User', 'system:kube-proxy']],
  ['kubeadm:node-proxier', 'system:node-proxier', ['ServiceAccount', 'kube-proxy', 'kube-system']],
  ['system:service-account-issuer-discovery', 'system:service-account-issuer-discovery', ['Group', 'system:serviceaccounts']],
  ['system:coredns', 'system:coredns', ['ServiceAccount', 'coredns', 'kube-system']],
];

const metadata = (name: string) =>
  name.startsWith('kubeadm:') || name === 'system:coredns'
    ? { name }
    : { name, annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' }, labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } };

/** ClusterRoles and ClusterRoleBindings, as they are posted. */
export const bootstrapPolicy = (): readonly KubeObject[] => [
  ...ROLES.map(
    ([name, rules, aggregationRule]) =>
      ({ apiVersion: `${RBAC_GROUP}/v1`, kind: 'ClusterRole', metadata: metadata(name), ...(aggregationRule ? { aggregationRule } : {}), rules }) as KubeObject,
  ),
  ...BINDINGS.map(
    ([name, role, ...subjects]) =>
      ({
        apiVersion: `${RBAC_GROUP}/v1`,
        kind: 'ClusterRoleBinding',
        metadata: metadata(name),
        roleRef: { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name: role },
        ...(subjects.length > 0
          ? {
              subjects: subjects.map(([kind, who, namespace]) =>
                kind === 'ServiceAccount' ? { kind, name: who, namespace } : { apiGroup: RBAC_GROUP, kind, name: who },
              ),
            }
          : {}),
      }) as KubeObject,
  ),
];
