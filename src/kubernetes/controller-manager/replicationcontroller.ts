/**
 * A ReplicationController is what came before ReplicaSets: the same work, with a selector that only knows equality. It
 * is looked after by the same code, through an adapter (pkg/controller/replication/conversion.go).
 *
 * Keeps true: `spec.replicas` active pods match the selector and are owned by it.
 * Woken by: the ReplicationController, its pods, and pods nobody owns that its selector matches.
 */
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import { controllerOf } from '../api/owner.ts';
import type { ReplicaSet, ReplicationController } from '../api/types.gen.ts';
import { reconciler } from './controller.ts';
import { reconcileSet } from './replicaset.ts';

export const replicationController = reconciler({
  // Its events are signed so; `--controllers` calls it replicationcontroller-controller.
  name: 'replication-controller',
  for: 'ReplicationController',
  owns: ['Pod'],
  reads: ['ReplicaSet'],
  wakes: {
    Pod: (pod, { informer }) =>
      controllerOf(pod) || pod.metadata.deletionTimestamp
        ? []
        : informer('ReplicationController')
            .list(pod.metadata.namespace)
            .filter((rc) => selects(rc, pod.metadata.labels))
            .map(keyOf),
  },

  reconcile: (rc, context) => reconcileSet(asReplicaSet(rc), context, (status) => context.client.of('ReplicationController').updateStatus({ ...rc, status })),
});

function selects(rc: DeepReadonly<ReplicationController>, labels: DeepReadonly<Record<string, string>> | undefined): boolean {
  const wanted = Object.entries(rc.spec?.selector ?? {});
  return wanted.length > 0 && wanted.every(([key, value]) => labels?.[key] === value);
}

/** Its shape only: kind and apiVersion stay its own, and so do references and events. */
const asReplicaSet = ({ spec, ...rc }: DeepReadonly<ReplicationController>): DeepReadonly<ReplicaSet> =>
  ({ ...rc, ...(spec ? { spec: { ...spec, selector: { matchLabels: spec.selector ?? {} } } } : {}) }) as DeepReadonly<ReplicaSet>;
