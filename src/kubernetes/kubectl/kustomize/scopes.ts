/** Which kinds are namespaced, as kustomize's built-in schema says. */
import { RESOURCES } from '../../api/resources.ts';

/** Cluster-wide kinds, whether our API server serves them or not. */
const CLUSTER_WIDE: readonly (readonly [string, string])[] = [
  ['', 'ComponentStatus Namespace Node PersistentVolume'],
  [
    'admissionregistration.k8s.io',
    'MutatingWebhookConfiguration ValidatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding MutatingAdmissionPolicy MutatingAdmissionPolicyBinding',
  ],
  ['apiextensions.k8s.io', 'CustomResourceDefinition'],
  ['apiregistration.k8s.io', 'APIService'],
  ['authentication.k8s.io', 'SelfSubjectReview TokenReview'],
  ['authorization.k8s.io', 'SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview'],
  ['certificates.k8s.io', 'CertificateSigningRequest ClusterTrustBundle'],
  ['flowcontrol.apiserver.k8s.io', 'FlowSchema PriorityLevelConfiguration'],
  ['networking.k8s.io', 'IngressClass IPAddress ServiceCIDR'],
  ['node.k8s.io', 'RuntimeClass'],
  ['policy', 'PodSecurityPolicy'],
  ['rbac.authorization.k8s.io', 'ClusterRole ClusterRoleBinding'],
  ['resource.k8s.io', 'DeviceClass ResourceSlice'],
  ['scheduling.k8s.io', 'PriorityClass'],
  ['storage.k8s.io', 'CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass'],
];

/** `group/Kind` → namespaced. */
export const BUILT_IN: ReadonlyMap<string, boolean> = new Map([
  ...RESOURCES.map((row) => [`${row.group}/${row.kind}`, row.namespaced] as const),
  ...CLUSTER_WIDE.flatMap(([group, kinds]) => kinds.split(' ').map((kind) => [`${group}/${kind}`, false] as const)),
]);
