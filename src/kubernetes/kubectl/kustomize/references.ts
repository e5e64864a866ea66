/**
 * Fields that name other resources, and how they follow when names change (kustomize api/filters/nameref and its
 * built-in table of references).
 */
import { applies, changeField, type FieldSpec, partsOf } from './fields.ts';
import { groupVersion, type Id, idText, isClusterScoped, isTree, KustomizeError, type Resource, sameNamespace, type Tree, type Value } from './resource.ts';

interface Reference {
  /** What is named. */
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly fields: readonly FieldSpec[];
}

/** Where pods are described, by the kind that describes them. */
const POD_SPECS: Readonly<Record<string, string>> = {
  Pod: 'spec',
  PodTemplate: 'template/spec',
  Deployment: 'spec/template/spec',
  ReplicaSet: 'spec/template/spec',
  DaemonSet: 'spec/template/spec',
  StatefulSet: 'spec/template/spec',
  Job: 'spec/template/spec',
  CronJob: 'spec/jobTemplate/spec/template/spec',
};
const inPods = (paths: readonly string[], kinds = Object.keys(POD_SPECS)): readonly FieldSpec[] =>
  kinds.flatMap((kind) => paths.map((path) => ({ path: `${POD_SPECS[kind] ?? 'spec/template/spec'}/${path}`, kind })));
/** The kinds for which accounts, claims and priorities are followed. */
const RUNNERS = ['Pod', 'StatefulSet', 'Deployment', 'ReplicationController', 'CronJob', 'Job', 'DaemonSet'];
const RBAC = 'rbac.authorization.k8s.io';
const RULES = (kinds: readonly string[]): readonly FieldSpec[] => kinds.map((kind) => ({ path: 'rules/resourceNames', kind }));

const REFERENCES: readonly Reference[] = [
  ...['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet'].map((kind) => ({
    kind,
    fields: [{ path: 'spec/scaleTargetRef/name', kind: 'HorizontalPodAutoscaler' }],
  })),
  {
    kind: 'ConfigMap',
    version: 'v1',
    fields: [
      ...inPods([
        'volumes/configMap/name',
        'containers/env/valueFrom/configMapKeyRef/name',
        'initContainers/env/valueFrom/configMapKeyRef/name',
        'containers/envFrom/configMapRef/name',
        'initContainers/envFrom/configMapRef/name',
        'volumes/projected/sources/configMap/name',
      ]),
      { path: 'spec/configSource/configMap', kind: 'Node' },
      ...RULES(['Role', 'ClusterRole']),
      { path: 'metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap', kind: 'Ingress' },
    ],
  },
  {
    kind: 'Secret',
    version: 'v1',
    fields: [
      ...inPods([
        'volumes/secret/secretName',
        'containers/env/valueFrom/secretKeyRef/name',
        'initContainers/env/valueFrom/secretKeyRef/name',
        'containers/envFrom/secretRef/name',
        'initContainers/envFrom/secretRef/name',
        'imagePullSecrets/name',
        'volumes/projected/sources/secret/name',
      ]),
      { path: 'spec/tls/secretName', kind: 'Ingress' },
      ...['ingress.kubernetes.io\\/auth-secret', 'nginx.ingress.kubernetes.io\\/auth-secret', 'nginx.ingress.kubernetes.io\\/auth-tls-secret'].map((name) => ({
        path: `metadata/annotations/${name}`,
        kind: 'Ingress',
      })),
      { path: 'imagePullSecrets/name', kind: 'ServiceAccount' },
      ...['secretName', 'adminSecretName', 'userSecretName', 'secretRef'].map((name) => ({ path: `parameters/${name}`, kind: 'StorageClass' })),
      ...RULES(['Role', 'ClusterRole']),
      { path: 'spec/azureFile/secretName', kind: 'PersistentVolume' },
    ],
  },
  {
    kind: 'Service',
    version: 'v1',
    fields: [
      { path: 'spec/serviceName', kind: 'StatefulSet', group: 'apps' },
      ...[
        'spec/rules/http/paths/backend/serviceName',
        'spec/backend/serviceName',
        'spec/rules/http/paths/backend/service/name',
        'spec/defaultBackend/service/name',
      ].map((path) => ({ path, kind: 'Ingress' })),
      { path: 'spec/service/name', kind: 'APIService', group: 'apiregistration.k8s.io' },
      ...['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'].map((kind) => ({
        path: 'webhooks/clientConfig/service',
        kind,
        group: 'admissionregistration.k8s.io',
      })),
      { path: 'spec/rules/backendRefs/name', kind: 'HTTPRoute' },
    ],
  },
  { kind: 'Role', group: RBAC, fields: [{ path: 'roleRef/name', kind: 'RoleBinding', group: RBAC }] },
  {
    kind: 'ClusterRole',
    group: RBAC,
    fields: ['RoleBinding', 'ClusterRoleBinding'].map((kind) => ({ path: 'roleRef/name', kind, group: RBAC })),
  },
  {
    kind: 'ServiceAccount',
    version: 'v1',
    fields: [...['RoleBinding', 'ClusterRoleBinding'].map((kind) => ({ path: 'subjects', kind, group: RBAC })), ...inPods(['serviceAccountName'], RUNNERS)],
  },
  { kind: 'PersistentVolumeClaim', version: 'v1', fields: inPods(['volumes/persistentVolumeClaim/claimName'], RUNNERS) },
  {
    kind: 'PersistentVolume',
    version: 'v1',
    fields: [{ path: 'spec/volumeName', kind: 'PersistentVolumeClaim' }, ...RULES(['ClusterRole'])],
  },
  {
    kind: 'StorageClass',
    version: 'v1',
    group: 'storage.k8s.io',
    fields: [
      { path: 'spec/storageClassName', kind: 'PersistentVolume' },
      { path: 'spec/storageClassName', kind: 'PersistentVolumeClaim' },
      { path: 'spec/volumeClaimTemplates/spec/storageClassName', kind: 'StatefulSet' },
    ],
  },
  { kind: 'PriorityClass', version: 'v1', group: 'scheduling.k8s.io', fields: inPods(['priorityClassName'], RUNNERS) },
];

/** Makes every reference say what its target is called now. Throws KustomizeError when several could be meant. */
export function followNames(resources: readonly Resource[]): void {
  const renamed = resources.filter((resource) => resource.previous.length > 0);
  for (const referrer of resources)
    for (const reference of REFERENCES) {
      const candidates = renamed.filter((resource) => resource.ids.some((id) => matches(reference, id)));
      if (candidates.length === 0) continue;
      for (const field of reference.fields)
        if (applies(field, referrer)) changeField(referrer, field, (value) => follow(referrer, reference, field, candidates, value));
    }
}

const matches = (reference: Reference, id: Id): boolean =>
  reference.kind === id.kind &&
  (reference.group === undefined || reference.group === id.group) &&
  (reference.version === undefined || reference.version === id.version);

function follow(referrer: Resource, reference: Reference, field: FieldSpec, candidates: readonly Resource[], value: Value): Value | undefined {
  if (typeof value === 'string') return select(referrer, reference, field, value, candidates, undefined)?.name;
  if (Array.isArray(value)) return value.map((item) => follow(referrer, reference, field, candidates, item) ?? item);
  if (!isTree(value)) return undefined;
  // Subjects and services of webhooks: name and namespace together.
  const { name, namespace } = value;
  if (typeof name !== 'string') return undefined;
  const found = select(referrer, reference, field, name, candidates, typeof namespace === 'string' ? namespace : undefined, true);
  if (!found) return undefined;
  const next: Tree = { ...value, name: found.name };
  if (found.namespace !== '') next['namespace'] = found.namespace;
  return next;
}

function select(
  referrer: Resource,
  reference: Reference,
  field: FieldSpec,
  name: string,
  all: readonly Resource[],
  namespace: string | undefined,
  explicit = false,
): Resource | undefined {
  let left = all.filter((one) => one.previous.some((id) => id.name === name && matches(reference, id)));
  if (partsOf(field.path).join('/') === 'roleRef/name') {
    const role = referrer.object['roleRef'];
    if (isTree(role))
      left = left.filter(
        (one) => one.kind === role['kind'] && (role['apiGroup'] === undefined || groupVersion(String(one.object['apiVersion']))[0] === role['apiGroup']),
      );
  }
  if (namespace !== undefined)
    left = left.filter((one) => one.previous.some((id) => id.name === name && sameNamespace(id, { ...id, namespace })) || one.namespace === namespace);
  else if (!explicit || !isClusterScoped(referrer.id))
    left = isClusterScoped(referrer.id) ? left : left.filter((one) => isClusterScoped(one.id) || sameNamespace(one.id, referrer.id));
  if (left.length > 1) {
    const same = (one: Resource): boolean => tail(one.prefixes, referrer.prefixes) && tail(one.suffixes, referrer.suffixes);
    const alike = left.filter(same);
    if (alike.length > 0) left = alike;
  }
  if (left.length > 1 && left.some((one) => one.name !== left[0]!.name))
    throw new KustomizeError(`found multiple possible referrals: ${left.map((one) => idText(one.id)).join(', ')}`);
  return left[0];
}

/** Went through the same overlays since. */
const tail = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((one, i) => one === b[i]);
