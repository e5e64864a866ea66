/**
 * What the API server fills in when an object is read from a request: pure functions, one per kind. A field
 * already set stays; an object or a part of it in which nothing is missing comes back as the same object.
 */
import type { Kind, Kinds } from '../../api/types.gen.ts';
import { devices } from '../devices.ts';
import { mutatingPolicyBindingDefaults, mutatingPolicyDefaults, policyBindingDefaults, policyDefaults, webhookConfigurationDefaults } from './admission.ts';
import {
  bindingDefaults,
  claimDefaults,
  csiDriverDefaults,
  endpointSliceDefaults,
  endpointsDefaults,
  limitRangeDefaults,
  namespaceDefaults,
  networkPolicyDefaults,
  nodeDefaults,
  priorityClassDefaults,
  secretDefaults,
  serviceDefaults,
  storageClassDefaults,
  volumeDefaults,
} from './core.ts';
import { podDefaults } from './pod.ts';
import {
  autoscalerDefaults,
  autoscalerV1Defaults,
  cronJobDefaults,
  daemonSetDefaults,
  deploymentDefaults,
  jobDefaults,
  podTemplateObjectDefaults,
  replicaSetDefaults,
  replicationControllerDefaults,
  statefulSetDefaults,
} from './workloads.ts';

const DEFAULTS: { readonly [K in Kind]?: (object: Kinds[K]) => Kinds[K] } = {
  ClusterRoleBinding: bindingDefaults,
  CronJob: cronJobDefaults,
  CSIDriver: csiDriverDefaults,
  DaemonSet: daemonSetDefaults,
  Deployment: deploymentDefaults,
  Endpoints: endpointsDefaults,
  EndpointSlice: endpointSliceDefaults,
  HorizontalPodAutoscaler: autoscalerDefaults,
  HorizontalPodAutoscalerV1: autoscalerV1Defaults,
  Job: jobDefaults,
  LimitRange: limitRangeDefaults,
  MutatingAdmissionPolicy: mutatingPolicyDefaults,
  MutatingAdmissionPolicyBinding: mutatingPolicyBindingDefaults,
  MutatingWebhookConfiguration: webhookConfigurationDefaults,
  Namespace: namespaceDefaults,
  NetworkPolicy: networkPolicyDefaults,
  Node: nodeDefaults,
  PersistentVolume: volumeDefaults,
  PersistentVolumeClaim: claimDefaults,
  Pod: podDefaults,
  PodTemplate: podTemplateObjectDefaults,
  PriorityClass: priorityClassDefaults,
  ReplicaSet: replicaSetDefaults,
  ResourceClaimTemplateV1beta1: (object) => devices().claimTemplateDefaults(object),
  ResourceClaimTemplateV1beta2: (object) => devices().claimTemplateDefaults(object),
  ResourceClaimV1beta1: (object) => devices().claimDefaultsOfDevices(object),
  ResourceClaimV1beta2: (object) => devices().claimDefaultsOfDevices(object),
  ReplicationController: replicationControllerDefaults,
  RoleBinding: bindingDefaults,
  Secret: secretDefaults,
  Service: serviceDefaults,
  StatefulSet: statefulSetDefaults,
  StorageClass: storageClassDefaults,
  ValidatingAdmissionPolicy: policyDefaults,
  ValidatingAdmissionPolicyBinding: policyBindingDefaults,
  ValidatingWebhookConfiguration: webhookConfigurationDefaults,
};

/** The object as the API server would store it, as far as defaults go. `kind` is the key of `Kinds`. */
export function applyDefaults<T extends object>(kind: Kind, object: T): T {
  const defaults = DEFAULTS[kind] as ((value: object) => object) | undefined;
  return defaults ? (defaults(object) as T) : object;
}
