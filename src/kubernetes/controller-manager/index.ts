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
import { rootCaPublisher, serviceAccountController } from './serviceaccount.ts';
import { taintEvictionController } from './taint-eviction.ts';

export interface ControllerOptions {
  /** The range of which every node gets a /24. */
  readonly clusterCidr: string;
  /** What pods are told to trust, in PEM. */
  readonly rootCa: string;
}

export const controllers = ({ clusterCidr, rootCa }: ControllerOptions): readonly Runnable[] => [
  serviceAccountController,
  rootCaPublisher(rootCa),
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
];
