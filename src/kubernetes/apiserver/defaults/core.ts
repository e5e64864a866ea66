/** Defaults of the kinds that are not workloads: pkg/apis/{core,networking,storage,rbac,discovery,scheduling}/v1/defaults.go. */
import type {
  ClusterRoleBinding,
  CSIDriver,
  EndpointSlice,
  Endpoints,
  LimitRange,
  LimitRangeItem,
  Namespace,
  NetworkPolicy,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  PriorityClass,
  RbacV1Subject,
  RoleBinding,
  Secret,
  Service,
  StorageClass,
} from '../../api/types.gen.ts';
import { at, each, fill } from './fill.ts';

export const serviceDefaults = (object: Service): Service =>
  at(object, 'spec', (before) => {
    let spec = fill(before, { sessionAffinity: 'None', type: 'ClusterIP' });
    const external = spec.type === 'NodePort' || spec.type === 'LoadBalancer';
    if (spec.sessionAffinity === 'ClientIP') {
      spec = at(fill(spec, { sessionAffinityConfig: {} }), 'sessionAffinityConfig', (config) =>
        at(fill(config, { clientIP: {} }), 'clientIP', (client) => fill(client, { timeoutSeconds: 10_800 })),
      );
    }
    spec = at(spec, 'ports', (ports) =>
      each(ports, (port) => {
        const filled = fill(port, { protocol: 'TCP', targetPort: port.port });
        return filled.targetPort === 0 || filled.targetPort === '' ? { ...filled, targetPort: port.port } : filled;
      }),
    );
    if (external || spec.externalIPs?.length) spec = fill(spec, { externalTrafficPolicy: 'Cluster' });
    if (spec.type !== 'ExternalName') spec = fill(spec, { internalTrafficPolicy: 'Cluster' });
    if (spec.type === 'LoadBalancer') spec = fill(spec, { allocateLoadBalancerNodePorts: true });
    // Upstream's allocator fills these two (pkg/registry/core/service/storage/alloc.go). Here simplified: one family, IPv4.
    if (spec.type !== 'ExternalName') spec = fill(spec, { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' });
    return spec;
  });

export function namespaceDefaults(object: Namespace): Namespace {
  const name = object.metadata.name;
  const labels = object.metadata.labels;
  let out = object;
  if (name && labels?.['kubernetes.io/metadata.name'] !== name) {
    out = { ...out, metadata: { ...out.metadata, labels: { ...labels, 'kubernetes.io/metadata.name': name } } };
  }
  return at(fill(out, { status: {} }), 'status', (status) => fill(status, { phase: 'Active' }));
}

export const nodeDefaults = (object: Node): Node =>
  at(object, 'status', (status) => (status.capacity && !status.allocatable ? { ...status, allocatable: status.capacity } : status));

export const secretDefaults = (object: Secret): Secret => fill(object, { type: 'Opaque' });

export const claimDefaults = (object: PersistentVolumeClaim): PersistentVolumeClaim =>
  at(
    at(fill(object, { status: {} }), 'status', (status) => fill(status, { phase: 'Pending' })),
    'spec',
    (spec) => fill(spec, { volumeMode: 'Filesystem' }),
  );

export const volumeDefaults = (object: PersistentVolume): PersistentVolume =>
  at(
    at(fill(object, { status: {} }), 'status', (status) => fill(status, { phase: 'Pending' })),
    'spec',
    (spec) => at(fill(spec, { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' }), 'hostPath', (source) => fill(source, { type: '' })),
  );

export const endpointsDefaults = (object: Endpoints): Endpoints =>
  at(object, 'subsets', (subsets) => each(subsets, (subset) => at(subset, 'ports', (ports) => each(ports, (port) => fill(port, { protocol: 'TCP' })))));

export const endpointSliceDefaults = (object: EndpointSlice): EndpointSlice =>
  at(object, 'ports', (ports) => each(ports, (port) => fill(port, { name: '', protocol: 'TCP' })));

export const limitRangeDefaults = (object: LimitRange): LimitRange => at(object, 'spec', (spec) => at(spec, 'limits', (limits) => each(limits, limitDefaults)));

/** An unsaid default limit is the maximum; an unsaid default request is the default limit, or else the minimum. */
function limitDefaults(item: LimitRangeItem): LimitRangeItem {
  if (item.type !== 'Container') return item;
  const limit = fill(item.default ?? {}, item.max ?? {});
  const request = fill(fill(item.defaultRequest ?? {}, limit), item.min ?? {});
  let out = item;
  if (Object.keys(limit).length > 0 && limit !== item.default) out = { ...out, default: limit };
  if (Object.keys(request).length > 0 && request !== item.defaultRequest) out = { ...out, defaultRequest: request };
  return out;
}

export const networkPolicyDefaults = (object: NetworkPolicy): NetworkPolicy =>
  at(object, 'spec', (before) => {
    let spec = before;
    if (!spec.policyTypes?.length) spec = { ...spec, policyTypes: spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress'] };
    spec = at(spec, 'ingress', (rules) => each(rules, (rule) => at(rule, 'ports', (ports) => each(ports, (port) => fill(port, { protocol: 'TCP' })))));
    return at(spec, 'egress', (rules) => each(rules, (rule) => at(rule, 'ports', (ports) => each(ports, (port) => fill(port, { protocol: 'TCP' })))));
  });

export const storageClassDefaults = (object: StorageClass): StorageClass => fill(object, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' });

export const csiDriverDefaults = (object: CSIDriver): CSIDriver =>
  at(object, 'spec', (spec) =>
    fill(spec, {
      attachRequired: true,
      fsGroupPolicy: 'ReadWriteOnceWithFSType',
      podInfoOnMount: false,
      requiresRepublish: false,
      seLinuxMount: false,
      storageCapacity: false,
      volumeLifecycleModes: ['Persistent'],
    }),
  );

export const priorityClassDefaults = (object: PriorityClass): PriorityClass => fill(object, { preemptionPolicy: 'PreemptLowerPriority' });

const RBAC = 'rbac.authorization.k8s.io';

export function bindingDefaults<B extends RoleBinding | ClusterRoleBinding>(object: B): B {
  let out: RoleBinding | ClusterRoleBinding = at(object as RoleBinding, 'roleRef', (ref) => (ref.apiGroup ? ref : { ...ref, apiGroup: RBAC }));
  out = at(out as RoleBinding, 'subjects', (subjects) => each(subjects, subjectDefaults));
  return out as B;
}

const subjectDefaults = (subject: RbacV1Subject): RbacV1Subject =>
  subject.kind === 'User' || subject.kind === 'Group' ? fill(subject, { apiGroup: RBAC }) : subject;
