/**
 * What the API server refuses, kind by kind, in upstream's words (the validation packages under pkg/apis). Pure: an object goes in,
 * errors come out. Objects are validated after defaulting, as upstream does. Kinds without rules of their own have their metadata checked.
 */
import type { KubeObject } from '../../api/meta.ts';
import { byKind } from '../../api/resources.ts';
import type { Kind, Kinds, Pod } from '../../api/types.gen.ts';
import { ADDRESS_NAME, validateAddress, validateCapacity, validateServiceCidr } from './addresses.ts';
import { validateAttachment, validateDriver, validateNodeDrivers, validateVolumeUpdate } from './attachment.ts';
import { validateScaling } from './autoscaling.ts';
import { validateCronJob, validateJob } from './batch.ts';
import * as core from './core.ts';
import { validateResourceClaim, validateResourceClaimTemplate, validateResourceSlice } from './devices.ts';
import { type Errors, type FieldError, immutable, notNegative, required } from './field.ts';
import { validateFlowSchema, validatePriorityLevel } from './flows.ts';
import { validateJobStatus } from './job-status.ts';
import { LABEL, type NameRule, PATH_SEGMENT, SERVICE_NAME, SUBDOMAIN, validateMetadata, validateMetadataUpdate } from './metadata.ts';
import { validatePodSpec, validatePodTemplate, validatePodUpdate } from './pod.ts';
import { validatePodResize } from './pod-resize.ts';
import { validateQuota, validateUnhealthyPolicy } from './quota.ts';
import * as network from './service.ts';
import * as workloads from './workloads.ts';

export { type FieldError, invalidStatus } from './field.ts';

const NAME_RULES: Partial<Record<Kind, NameRule>> = {
  ClusterRole: PATH_SEGMENT,
  ClusterRoleBinding: PATH_SEGMENT,
  IPAddress: ADDRESS_NAME,
  Namespace: LABEL,
  Role: PATH_SEGMENT,
  RoleBinding: PATH_SEGMENT,
  Service: SERVICE_NAME,
  StatefulSet: LABEL,
};

type Rule<T> = (errors: Errors, object: T, old: T | undefined, subresource: string) => void;

const RULES: { readonly [K in Kind]?: Rule<Kinds[K]> } = {
  ClusterRole: core.validateClusterRole,
  ClusterRoleBinding: (errors, object, old) => core.validateBinding(errors, object, old, false),
  ConfigMap: core.validateConfigMap,
  ControllerRevision: (errors, object, old) => {
    if (object.data === undefined || object.data === null) errors.push(required('data', 'data is mandatory'));
    notNegative(errors, 'revision', object.revision);
    if (old) immutable(errors, 'data', object.data, old.data);
  },
  CronJob: validateCronJob,
  CSIDriver: validateDriver,
  CSINode: validateNodeDrivers,
  CSIStorageCapacity: validateCapacity,
  DaemonSet: workloads.validateDaemonSet,
  Deployment: workloads.validateDeployment,
  Endpoints: network.validateEndpoints,
  EndpointSlice: network.validateEndpointSlice,
  Event: (errors, object, old) => {
    if (!old) core.validateEvent(errors, object);
  },
  FlowSchema: validateFlowSchema,
  HorizontalPodAutoscaler: validateScaling,
  Ingress: network.validateIngress,
  IngressClass: network.validateIngressClass,
  IPAddress: validateAddress,
  Job: (errors, object, old, subresource) => (subresource === 'status' ? validateJobStatus(errors, object, old) : validateJob(errors, object, old)),
  Lease: core.validateLease,
  LimitRange: core.validateLimitRange,
  NetworkPolicy: network.validateNetworkPolicy,
  Node: core.validateNode,
  PersistentVolume: (errors, object, old) => {
    core.validateVolume(errors, object);
    if (old) validateVolumeUpdate(errors, object, old);
  },
  PersistentVolumeClaim: core.validateClaim,
  Pod: validatePod,
  PodDisruptionBudget: (errors, object) => {
    workloads.validateDisruptionBudget(errors, object);
    validateUnhealthyPolicy(errors, object.spec?.unhealthyPodEvictionPolicy);
  },
  PodTemplate: (errors, object) => object.template && validatePodTemplate(errors, object.template, 'template'),
  PriorityLevelConfiguration: validatePriorityLevel,
  PriorityClass: core.validatePriorityClass,
  ReplicaSet: workloads.validateReplicaSet,
  ReplicationController: workloads.validateReplicationController,
  ResourceClaimTemplateV1beta1: validateResourceClaimTemplate,
  ResourceClaimV1beta1: validateResourceClaim,
  ResourceSliceV1beta1: validateResourceSlice,
  ResourceQuota: (errors, object, old) => {
    core.validateResourceQuota(errors, object);
    validateQuota(errors, object, old);
  },
  Role: core.validateRole,
  RoleBinding: (errors, object, old) => core.validateBinding(errors, object, old, true),
  RuntimeClass: core.validateRuntimeClass,
  Secret: core.validateSecret,
  Service: network.validateService,
  ServiceCIDR: validateServiceCidr,
  StatefulSet: workloads.validateStatefulSet,
  StorageClass: core.validateStorageClass,
  VolumeAttachment: validateAttachment,
};

/** Subresources that change a pod's spec in their own way; the API server's registry limits what of it they may touch. */
const POD_SPEC_SUBRESOURCES = new Set(['ephemeralcontainers', 'resize', 'binding']);

function validatePod(errors: Errors, pod: Pod, old: Pod | undefined, subresource: string): void {
  // An unchanged spec was fine when it came: most updates of pods are of labels, and this is a hot path.
  if (old && old.spec === pod.spec) return;
  validatePodSpec(errors, pod.spec ?? { containers: [] }, 'spec');
  if (old && !POD_SPEC_SUBRESOURCES.has(subresource)) validatePodUpdate(errors, pod, old);
  if (old && subresource === 'resize') validatePodResize(errors, pod, old);
}

/**
 * The errors of an object to be created, or, with `old`, to be updated. `kind` is the key of `Kinds`; `subresource` is
 * what the update came through, where that decides what of a pod may change.
 */
export function validate(kind: Kind, object: object, old?: object, subresource = ''): FieldError[] {
  const errors: FieldError[] = [];
  const { metadata } = object as KubeObject;
  const before = (old as KubeObject | undefined)?.metadata;
  validateMetadata(errors, metadata, byKind(kind).namespaced, NAME_RULES[kind] ?? SUBDOMAIN);
  if (before) validateMetadataUpdate(errors, metadata, before);
  const rule = RULES[kind] as Rule<object> | undefined;
  rule?.(errors, object, old, subresource);
  return errors;
}
