/** The plugins in upstream's order (kubeapiserver `pkg/kubeapiserver/options/plugins.go`, AllOrderedPlugins). */
import type { Plugin } from './admission.ts';
import { defaultIngressClass } from './default-ingress-class.ts';
import { defaultStorageClass } from './default-storage-class.ts';
import { defaultTolerationSeconds } from './default-toleration-seconds.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { nodeRestriction } from './node-restriction.ts';
import { priority } from './priority.ts';
import { serviceAccount } from './service-account.ts';
import { taintNodesByCondition } from './taint-nodes-by-condition.ts';

export const PLUGINS: readonly Plugin[] = [
  namespaceLifecycle,
  serviceAccount,
  nodeRestriction,
  taintNodesByCondition,
  priority,
  defaultTolerationSeconds,
  // StorageObjectInUseProtection comes with the controllers that let go of its finalizers; without them a claim could never be deleted.
  defaultIngressClass,
  defaultStorageClass,
];
