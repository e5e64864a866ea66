/**
 * `kubectl describe`: an object told line by line, with what other objects say about it, in the layout of kubectl
 * 1.33 (k8s.io/kubectl pkg/describe). A kind without a description of its own is told field by field.
 */

import type { Instant } from '../../../sim/clock.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { ResourceRow } from '../../api/resources.ts';
import type { Kinds } from '../../api/types.gen.ts';
import { describeAddress, describeServiceCidr } from './address.ts';
import { describeAutoscaler, describeAutoscalerV1 } from './autoscaler.ts';
import { describeCronJob, describeJob } from './batch.ts';
import { describeAny } from './generic.ts';
import { describeEndpointSlice, describeEndpoints, describeIngress, describeIngressClass, describeService } from './network.ts';
import { describeNetworkPolicy } from './network-policy.ts';
import { describeNode } from './node.ts';
import { describePod } from './pod.ts';
import { describeLimitRange, describeNamespace, describePodDisruptionBudget, describePriorityClass, describeResourceQuota } from './quota.ts';
import { describeBinding, describeRole } from './rbac.ts';
import type { Describer, Reader } from './reader.ts';
import { describeConfigMap, describeSecret, describeServiceAccount } from './settings.ts';
import { Sheet } from './sheet.ts';
import { describeClaim, describeCsiNode, describeStorageClass, describeVolume } from './storage.ts';
import { describeDaemonSet, describeDeployment, describeReplicaSet, describeReplicationController, describeStatefulSet } from './workloads.ts';

export type { Reader } from './reader.ts';

const DESCRIBERS: { readonly [K in keyof Kinds]?: Describer<Kinds[K]> } = {
  ClusterRole: describeRole,
  ClusterRoleBinding: describeBinding,
  ConfigMap: describeConfigMap,
  CronJob: describeCronJob,
  CSINode: describeCsiNode,
  DaemonSet: describeDaemonSet,
  Deployment: describeDeployment,
  Endpoints: describeEndpoints,
  EndpointSlice: describeEndpointSlice,
  HorizontalPodAutoscaler: describeAutoscaler,
  HorizontalPodAutoscalerV1: describeAutoscalerV1,
  Ingress: describeIngress,
  IngressClass: describeIngressClass,
  IPAddress: describeAddress,
  Job: describeJob,
  LimitRange: describeLimitRange,
  Namespace: describeNamespace,
  NetworkPolicy: describeNetworkPolicy,
  Node: describeNode,
  PersistentVolume: describeVolume,
  PersistentVolumeClaim: describeClaim,
  Pod: describePod,
  PodDisruptionBudget: describePodDisruptionBudget,
  PriorityClass: describePriorityClass,
  ReplicaSet: describeReplicaSet,
  ReplicationController: describeReplicationController,
  ResourceQuota: describeResourceQuota,
  Role: describeRole,
  RoleBinding: describeBinding,
  Secret: describeSecret,
  Service: describeService,
  ServiceAccount: describeServiceAccount,
  ServiceCIDR: describeServiceCidr,
  StatefulSet: describeStatefulSet,
  StorageClass: describeStorageClass,
};

/**
 * The text for one object. `read` looks at related objects and events; its failures come through where kubectl fails
 * too. `now` is what ages are counted to.
 */
export async function describe(
  row: ResourceRow,
  object: KubeObject,
  read: Reader,
  options: { readonly showEvents: boolean; readonly now: Instant },
): Promise<string> {
  const sheet = new Sheet();
  const describer = (DESCRIBERS[row.type] ?? describeAny) as Describer<KubeObject>;
  await describer(sheet, object, { read, now: options.now, showEvents: options.showEvents });
  return sheet.toString();
}
