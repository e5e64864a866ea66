/**
 * What the API server serves: one row per kind. Routing, discovery, storage, RBAC verbs, the client and
 * the generated `Kinds` all derive from this table, so adding a kind touches one row (then run `generate`).
 * Sources: the storage registries under upstream pkg/registry and the default etcd prefixes of
 * pkg/kubeapiserver/default_storage_factory_builder.go. A test compares the table with the API classes of the generator.
 */
import type { Kind } from './types.gen.ts';

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch';

export interface Subresource {
  /** `status`, `scale`, `log`, … */
  readonly name: string;
  /** The kind its bodies have; group and version only when they differ from the resource's own. */
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly Verb[];
}

export interface ResourceRow {
  /** Key in `Kinds` and name of the TypeScript type; differs from `kind` only where two versions or groups share a kind name. */
  readonly type: Kind;
  /** `''` for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly Verb[];
  readonly subresources: readonly Subresource[];
  /** Key prefix in etcd without a slash at the end; `''` for kinds that are asked but never stored (Binding, reviews). */
  readonly prefix: string;
  /** A version that is no GA: served only where `--runtime-config` asks for it (KEP-3136). */
  readonly beta: boolean;
}

const ALL: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const RW: readonly Verb[] = ['get', 'patch', 'update'];
const CREATE: readonly Verb[] = ['create'];
const PROXY: readonly Verb[] = ['create', 'delete', 'get', 'patch', 'update'];
const SCALE: Subresource = { name: 'scale', kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: RW };

interface Extra {
  readonly type?: Kind;
  readonly short?: readonly string[];
  readonly categories?: readonly string[];
  readonly verbs?: readonly Verb[];
  /** Has a `status` subresource. */
  readonly status?: boolean;
  readonly subresources?: readonly Subresource[];
  /** Path under /registry when it is not the plural; `null` when the kind is never stored. */
  readonly prefix?: string | null;
}

const NAMESPACED = true;
const CLUSTER = false;
const VIRTUAL: Extra = { verbs: CREATE, prefix: null };

function row(group: string, version: string, kind: string, plural: string, namespaced: boolean, extra: Extra = {}): ResourceRow {
  const status: readonly Subresource[] = extra.status ? [{ name: 'status', kind, verbs: RW }] : [];
  return {
    type: extra.type ?? (kind as Kind),
    group,
    version,
    kind,
    plural,
    singular: kind.toLowerCase(),
    namespaced,
    shortNames: extra.short ?? [],
    categories: extra.categories ?? [],
    verbs: extra.verbs ?? ALL,
    subresources: [...(extra.subresources ?? []), ...status].sort((a, b) => (a.name < b.name ? -1 : 1)),
    prefix: extra.prefix === null ? '' : `/registry/${extra.prefix ?? plural}`,
    beta: /alpha|beta/.test(version),
  };
}

/**
 * The generator reads these rows as text: keep a row's first three arguments, and `type:`, literal. Order is the order of discovery.
 */
export const RESOURCES: readonly ResourceRow[] = [
  row('', 'v1', 'Binding', 'bindings', NAMESPACED, VIRTUAL),
  row('', 'v1', 'ComponentStatus', 'componentstatuses', CLUSTER, { short: ['cs'], verbs: ['get', 'list'], prefix: null }),
  row('', 'v1', 'ConfigMap', 'configmaps', NAMESPACED, { short: ['cm'] }),
  row('', 'v1', 'Endpoints', 'endpoints', NAMESPACED, { short: ['ep'], prefix: 'services/endpoints' }),
  row('', 'v1', 'Event', 'events', NAMESPACED, { short: ['ev'] }),
  row('', 'v1', 'LimitRange', 'limitranges', NAMESPACED, { short: ['limits'] }),
  row('', 'v1', 'Namespace', 'namespaces', CLUSTER, {
    short: ['ns'],
    status: true,
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    subresources: [{ name: 'finalize', kind: 'Namespace', verbs: ['update'] }],
  }),
  row('', 'v1', 'Node', 'nodes', CLUSTER, {
    short: ['no'],
    status: true,
    prefix: 'minions',
    subresources: [{ name: 'proxy', kind: 'NodeProxyOptions', verbs: PROXY }],
  }),
  row('', 'v1', 'PersistentVolumeClaim', 'persistentvolumeclaims', NAMESPACED, { short: ['pvc'], status: true }),
  row('', 'v1', 'PersistentVolume', 'persistentvolumes', CLUSTER, { short: ['pv'], status: true }),
  row('', 'v1', 'Pod', 'pods', NAMESPACED, {
    short: ['po'],
    categories: ['all'],
    status: true,
    subresources: [
      { name: 'attach', kind: 'PodAttachOptions', verbs: ['create', 'get'] },
      { name: 'binding', kind: 'Binding', verbs: CREATE },
      { name: 'ephemeralcontainers', kind: 'Pod', verbs: RW },
      { name: 'eviction', kind: 'Eviction', group: 'policy', version: 'v1', verbs: CREATE },
      { name: 'exec', kind: 'PodExecOptions', verbs: ['create', 'get'] },
      { name: 'log', kind: 'Pod', verbs: ['get'] },
      { name: 'portforward', kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
      { name: 'proxy', kind: 'PodProxyOptions', verbs: PROXY },
      { name: 'resize', kind: 'Pod', verbs: RW },
    ],
  }),
  row('', 'v1', 'PodTemplate', 'podtemplates', NAMESPACED),
  row('', 'v1', 'ReplicationController', 'replicationcontrollers', NAMESPACED, {
    short: ['rc'],
    categories: ['all'],
    status: true,
    subresources: [SCALE],
    prefix: 'controllers',
  }),
  row('', 'v1', 'ResourceQuota', 'resourcequotas', NAMESPACED, { short: ['quota'], status: true }),
  row('', 'v1', 'Secret', 'secrets', NAMESPACED),
  row('', 'v1', 'ServiceAccount', 'serviceaccounts', NAMESPACED, {
    short: ['sa'],
    subresources: [{ name: 'token', kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1', verbs: CREATE }],
  }),
  row('', 'v1', 'Service', 'services', NAMESPACED, {
    short: ['svc'],
    categories: ['all'],
    status: true,
    prefix: 'services/specs',
    subresources: [{ name: 'proxy', kind: 'ServiceProxyOptions', verbs: PROXY }],
  }),

  row('apps', 'v1', 'ControllerRevision', 'controllerrevisions', NAMESPACED),
  row('apps', 'v1', 'DaemonSet', 'daemonsets', NAMESPACED, { short: ['ds'], categories: ['all'], status: true }),
  row('apps', 'v1', 'Deployment', 'deployments', NAMESPACED, { short: ['deploy'], categories: ['all'], status: true, subresources: [SCALE] }),
  row('apps', 'v1', 'ReplicaSet', 'replicasets', NAMESPACED, { short: ['rs'], categories: ['all'], status: true, subresources: [SCALE] }),
  row('apps', 'v1', 'StatefulSet', 'statefulsets', NAMESPACED, { short: ['sts'], categories: ['all'], status: true, subresources: [SCALE] }),

  row('events.k8s.io', 'v1', 'Event', 'events', NAMESPACED, { type: 'EventsV1Event', short: ['ev'] }),

  row('authentication.k8s.io', 'v1', 'SelfSubjectReview', 'selfsubjectreviews', CLUSTER, VIRTUAL),
  row('authentication.k8s.io', 'v1', 'TokenReview', 'tokenreviews', CLUSTER, VIRTUAL),

  row('authorization.k8s.io', 'v1', 'LocalSubjectAccessReview', 'localsubjectaccessreviews', NAMESPACED, VIRTUAL),
  row('authorization.k8s.io', 'v1', 'SelfSubjectAccessReview', 'selfsubjectaccessreviews', CLUSTER, VIRTUAL),
  row('authorization.k8s.io', 'v1', 'SelfSubjectRulesReview', 'selfsubjectrulesreviews', CLUSTER, VIRTUAL),
  row('authorization.k8s.io', 'v1', 'SubjectAccessReview', 'subjectaccessreviews', CLUSTER, VIRTUAL),

  row('autoscaling', 'v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers', NAMESPACED, { short: ['hpa'], categories: ['all'], status: true }),
  row('autoscaling', 'v1', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers', NAMESPACED, {
    type: 'HorizontalPodAutoscalerV1',
    short: ['hpa'],
    categories: ['all'],
    status: true,
  }),

  row('batch', 'v1', 'CronJob', 'cronjobs', NAMESPACED, { short: ['cj'], categories: ['all'], status: true }),
  row('batch', 'v1', 'Job', 'jobs', NAMESPACED, { categories: ['all'], status: true }),

  row('certificates.k8s.io', 'v1', 'CertificateSigningRequest', 'certificatesigningrequests', CLUSTER, {
    short: ['csr'],
    status: true,
    subresources: [{ name: 'approval', kind: 'CertificateSigningRequest', verbs: RW }],
  }),

  row('networking.k8s.io', 'v1', 'IngressClass', 'ingressclasses', CLUSTER),
  row('networking.k8s.io', 'v1', 'Ingress', 'ingresses', NAMESPACED, { short: ['ing'], status: true, prefix: 'ingress' }),
  row('networking.k8s.io', 'v1', 'IPAddress', 'ipaddresses', CLUSTER, { short: ['ip'] }),
  row('networking.k8s.io', 'v1', 'NetworkPolicy', 'networkpolicies', NAMESPACED, { short: ['netpol'] }),
  row('networking.k8s.io', 'v1', 'ServiceCIDR', 'servicecidrs', CLUSTER, { status: true }),

  row('policy', 'v1', 'PodDisruptionBudget', 'poddisruptionbudgets', NAMESPACED, { short: ['pdb'], status: true }),

  row('rbac.authorization.k8s.io', 'v1', 'ClusterRoleBinding', 'clusterrolebindings', CLUSTER),
  row('rbac.authorization.k8s.io', 'v1', 'ClusterRole', 'clusterroles', CLUSTER),
  row('rbac.authorization.k8s.io', 'v1', 'RoleBinding', 'rolebindings', NAMESPACED),
  row('rbac.authorization.k8s.io', 'v1', 'Role', 'roles', NAMESPACED),

  row('storage.k8s.io', 'v1', 'CSIDriver', 'csidrivers', CLUSTER),
  row('storage.k8s.io', 'v1', 'CSINode', 'csinodes', CLUSTER),
  row('storage.k8s.io', 'v1', 'CSIStorageCapacity', 'csistoragecapacities', NAMESPACED),
  row('storage.k8s.io', 'v1', 'StorageClass', 'storageclasses', CLUSTER, { short: ['sc'] }),
  row('storage.k8s.io', 'v1', 'VolumeAttachment', 'volumeattachments', CLUSTER, { status: true }),

  row('admissionregistration.k8s.io', 'v1', 'MutatingWebhookConfiguration', 'mutatingwebhookconfigurations', CLUSTER),
  row('admissionregistration.k8s.io', 'v1', 'ValidatingAdmissionPolicy', 'validatingadmissionpolicies', CLUSTER, { status: true }),
  row('admissionregistration.k8s.io', 'v1', 'ValidatingAdmissionPolicyBinding', 'validatingadmissionpolicybindings', CLUSTER),
  row('admissionregistration.k8s.io', 'v1', 'ValidatingWebhookConfiguration', 'validatingwebhookconfigurations', CLUSTER),

  row('scheduling.k8s.io', 'v1', 'PriorityClass', 'priorityclasses', CLUSTER, { short: ['pc'] }),

  row('coordination.k8s.io', 'v1', 'Lease', 'leases', NAMESPACED),

  row('node.k8s.io', 'v1', 'RuntimeClass', 'runtimeclasses', CLUSTER),

  row('discovery.k8s.io', 'v1', 'EndpointSlice', 'endpointslices', NAMESPACED),

  row('apiregistration.k8s.io', 'v1', 'APIService', 'apiservices', CLUSTER, {
    status: true,
    categories: ['api-extensions'],
    prefix: 'apiregistration.k8s.io/apiservices',
  }),

  row('apiextensions.k8s.io', 'v1', 'CustomResourceDefinition', 'customresourcedefinitions', CLUSTER, {
    short: ['crd', 'crds'],
    categories: ['api-extensions'],
    status: true,
    prefix: 'apiextensions.k8s.io/customresourcedefinitions',
  }),

  row('flowcontrol.apiserver.k8s.io', 'v1', 'FlowSchema', 'flowschemas', CLUSTER, { status: true }),
  row('flowcontrol.apiserver.k8s.io', 'v1', 'PriorityLevelConfiguration', 'prioritylevelconfigurations', CLUSTER, { status: true }),

  row('admissionregistration.k8s.io', 'v1alpha1', 'MutatingAdmissionPolicy', 'mutatingadmissionpolicies', CLUSTER),
  row('admissionregistration.k8s.io', 'v1alpha1', 'MutatingAdmissionPolicyBinding', 'mutatingadmissionpolicybindings', CLUSTER),

  row('resource.k8s.io', 'v1beta2', 'DeviceClass', 'deviceclasses', CLUSTER, { type: 'DeviceClassV1beta2' }),
  row('resource.k8s.io', 'v1beta2', 'ResourceClaim', 'resourceclaims', NAMESPACED, { type: 'ResourceClaimV1beta2', status: true }),
  row('resource.k8s.io', 'v1beta2', 'ResourceClaimTemplate', 'resourceclaimtemplates', NAMESPACED, { type: 'ResourceClaimTemplateV1beta2' }),
  row('resource.k8s.io', 'v1beta2', 'ResourceSlice', 'resourceslices', CLUSTER, { type: 'ResourceSliceV1beta2' }),
  row('resource.k8s.io', 'v1beta1', 'DeviceClass', 'deviceclasses', CLUSTER, { type: 'DeviceClassV1beta1' }),
  row('resource.k8s.io', 'v1beta1', 'ResourceClaim', 'resourceclaims', NAMESPACED, { type: 'ResourceClaimV1beta1', status: true }),
  row('resource.k8s.io', 'v1beta1', 'ResourceClaimTemplate', 'resourceclaimtemplates', NAMESPACED, { type: 'ResourceClaimTemplateV1beta1' }),
  row('resource.k8s.io', 'v1beta1', 'ResourceSlice', 'resourceslices', CLUSTER, { type: 'ResourceSliceV1beta1' }),
];

/** What a server serves unless told otherwise: nothing that is no GA (`--runtime-config`). */
export const SERVED: readonly ResourceRow[] = RESOURCES.filter((r) => !r.beta);

const byType = new Map<string, ResourceRow>(RESOURCES.map((r) => [r.type, r]));
const byPath = new Map<string, ResourceRow>(RESOURCES.map((r) => [`${r.group}/${r.version}/${r.plural}`, r]));
const byGvk = new Map<string, ResourceRow>(RESOURCES.map((r) => [`${r.group}/${r.version}/${r.kind}`, r]));

/** `apps/v1`, or `v1` for the core group. */
export const apiVersionOf = (row: { readonly group: string; readonly version: string }): string => (row.group ? `${row.group}/${row.version}` : row.version);

/** `apps/v1` → its parts; `v1` is the core group. */
export function splitApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? { group: '', version: apiVersion } : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** The row of a key of `Kinds`. Throws for a kind that is not served: that is a mistake in our code. */
export function byKind(kind: Kind): ResourceRow {
  const found = byType.get(kind);
  if (!found) throw new Error(`no resource serves kind ${kind}`);
  return found;
}

/** The row a path names; undefined when nothing is served there. */
export const byPlural = (group: string, version: string, plural: string): ResourceRow | undefined => byPath.get(`${group}/${version}/${plural}`);

/** The row an object belongs to, by its own `apiVersion` and `kind`. */
export function byObject(object: { readonly apiVersion?: string; readonly kind?: string }): ResourceRow | undefined {
  const { group, version } = splitApiVersion(object.apiVersion ?? '');
  return byGvk.get(`${group}/${version}/${object.kind ?? ''}`);
}

/** `Deployment.apps`, `Pod`: how messages name a kind (schema.GroupKind). */
export const groupKind = (row: { readonly group: string; readonly kind: string }): string => (row.group ? `${row.kind}.${row.group}` : row.kind);

/** `deployments.apps`, `pods`: how messages name a resource (schema.GroupResource). */
export const groupResource = (row: { readonly group: string; readonly plural: string }): string => (row.group ? `${row.plural}.${row.group}` : row.plural);

export interface ResourcePath {
  readonly group: string;
  readonly version: string;
  /** The plural. */
  readonly resource: string;
  /** `''` when the path names none. For the resource `namespaces` itself: the name, as upstream's RequestInfo has it. */
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  /** What follows the subresource: `proxy/some/path` gives `some/path`. */
  readonly rest: string;
}

const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

/**
 * Reads a request path as RequestInfoFactory.NewRequestInfo does (apiserver/pkg/endpoints/request):
 * undefined when it is not a resource request (`/api`, `/apis/apps/v1`, `/healthz`).
 */
export function parsePath(path: string): ResourcePath | undefined {
  // Hot: every request's, and a cluster's own ask for the same ones again and again.
  let parsed = PARSED.get(path);
  if (parsed === undefined && !PARSED.has(path)) {
    parsed = readPath(path);
    if (PARSED.size >= PATHS_KEPT) PARSED.clear();
    PARSED.set(path, parsed);
  }
  return parsed;
}
const PARSED = new Map<string, ResourcePath | undefined>();
const PATHS_KEPT = 1_000;

function readPath(path: string): ResourcePath | undefined {
  const parts = path.split('/').filter((part) => part !== '');
  let group = '';
  let at: number;
  if (parts[0] === 'api') at = 1;
  else if (parts[0] === 'apis') {
    group = parts[1] ?? '';
    at = 2;
  } else return undefined;
  const version = parts[at];
  if (version === undefined || parts.length <= at + 1) return undefined;
  let rest = parts.slice(at + 1);
  let namespace = '';
  if (rest[0] === 'namespaces' && rest[1] !== undefined) {
    namespace = rest[1];
    if (rest.length > 2 && !NAMESPACE_SUBRESOURCES.has(rest[2] ?? '')) rest = rest.slice(2);
  }
  return { group, version, resource: rest[0] ?? '', namespace, name: rest[1] ?? '', subresource: rest[2] ?? '', rest: rest.slice(3).join('/') };
}

/** The collection's path: `/apis/apps/v1/namespaces/default/deployments`. */
export function collectionPath(row: ResourceRow, namespace = ''): string {
  const root = row.group ? `/apis/${row.group}/${row.version}` : `/api/${row.version}`;
  return row.namespaced && namespace ? `${root}/namespaces/${namespace}/${row.plural}` : `${root}/${row.plural}`;
}

/** One object's path, with an optional subresource. */
export const objectPath = (row: ResourceRow, namespace: string, name: string, subresource = ''): string =>
  `${collectionPath(row, namespace)}/${name}${subresource ? `/${subresource}` : ''}`;

/** An object's key in etcd: `/registry/pods/default/web-1`, `/registry/minions/node-1`. */
export const storageKey = (row: ResourceRow, namespace: string, name: string): string =>
  row.namespaced ? `${row.prefix}/${namespace}/${name}` : `${row.prefix}/${name}`;
