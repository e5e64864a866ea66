/** The controllers of kube-controller-manager, in the order in which they start. */
import type { Runnable } from './controller.ts';
import { daemonSetController } from './daemonset.ts';
import { deploymentController } from './deployment.ts';
import { endpointsController } from './endpoints.ts';
import { endpointSliceController } from './endpointslice.ts';
import { garbageCollector } from './garbage-collector.ts';
import { late } from './late.ts';
import { namespaceController } from './namespace.ts';
import { nodeLifecycleController, nodeTaintController } from './node-lifecycle.ts';
import { nodeIpamController } from './nodeipam.ts';
import { podGcController } from './pod-gc.ts';
import { replicaSetController } from './replicaset.ts';
import { resourceQuotaController } from './resourcequota.ts';
import { securityControllers } from './security/lazy.ts';
import { serviceCidrController } from './service-cidrs.ts';
import { rootCaPublisher, serviceAccountController } from './serviceaccount.ts';
import { taintEvictionController } from './taint-eviction.ts';
import { claimProtectionController, volumeProtectionController } from './volume-protection.ts';

export interface ControllerOptions {
  /** What stands for `--service-account-private-key-file`; undefined: no tokens are kept in Secrets. */
  readonly serviceAccountSeed?: string | undefined;
  /** The range of which every node gets a /24. */
  readonly clusterCidr: string;
  /** What pods are told to trust, in PEM. */
  readonly rootCa: string;
}

export const controllers = ({ clusterCidr, rootCa, serviceAccountSeed }: ControllerOptions): readonly Runnable[] => [
  serviceAccountController,
  rootCaPublisher(rootCa),
  resourceQuotaController,
  namespaceController,
  nodeIpamController(clusterCidr),
  nodeLifecycleController,
  nodeTaintController,
  taintEvictionController,
  daemonSetController,
  deploymentController,
  replicaSetController,
  late('replication-controller', ['ReplicationController'], async () => (await import('./replicationcontroller.ts')).replicationController),
  late('job-controller', ['Job'], async () => (await import('./job.ts')).jobController()),
  late('ttl-after-finished-controller', ['Job'], async () => (await import('./ttl-after-finished.ts')).ttlAfterFinishedController()),
  late('cronjob-controller', ['CronJob'], async () => (await import('./cronjob.ts')).bringCronJobController()),
  late('statefulset-controller', ['StatefulSet'], async () => (await import('./statefulset.ts')).statefulSetController),
  late('disruption-controller', ['PodDisruptionBudget'], async () => (await import('./disruption.ts')).disruptionController()),
  late(
    'horizontal-pod-autoscaler-controller',
    ['HorizontalPodAutoscaler'],
    async () => (await import('./podautoscaler/horizontal.ts')).horizontalPodAutoscaler,
  ),
  endpointSliceController,
  endpointsController,
  podGcController,
  garbageCollector,
  late('persistentvolume-binder-controller', ['PersistentVolumeClaim'], async () => (await import('./storage.ts')).volumeClaimController),
  late('persistentvolume-binder-controller-volumes', ['PersistentVolume'], async () => (await import('./storage.ts')).volumeReclaimController),
  late(
    'ephemeral-volume-controller',
    ['Pod'],
    async () => (await import('./storage.ts')).ephemeralVolumeController,
    ({ spec }) => (spec?.volumes ?? []).some(({ ephemeral }) => ephemeral),
  ),
  late('persistentvolume-expander-controller', ['PersistentVolumeClaim'], async () => (await import('./storage.ts')).volumeExpandController),
  claimProtectionController,
  volumeProtectionController,
  serviceCidrController,
  ...securityControllers(serviceAccountSeed),
];
