/** The controllers of kube-controller-manager, in the order in which they start. */
import type { Runnable } from './controller.ts';
import { daemonSetController } from './daemonset.ts';
import { deploymentController } from './deployment.ts';
import { endpointsController } from './endpoints.ts';
import { endpointSliceController } from './endpointslice.ts';
import { garbageCollector } from './garbage-collector.ts';
import { namespaceController } from './namespace.ts';
import { nodeLifecycleController, nodeTaintController } from './node-lifecycle.ts';
import { nodeIpamController } from './nodeipam.ts';
import { podGcController } from './pod-gc.ts';
import { replicaSetController } from './replicaset.ts';
import { resourceQuotaController } from './resourcequota.ts';
import { securityControllers } from './security/lazy.ts';
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
  endpointSliceController,
  endpointsController,
  podGcController,
  garbageCollector,
  claimProtectionController,
  volumeProtectionController,
  ...securityControllers(serviceAccountSeed),
];
