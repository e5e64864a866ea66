/** Small words about pods that several controllers use (pkg/controller/controller_utils.go, pkg/api/v1/pod). */
import { type Duration, type Instant, seconds } from '../../sim/clock.ts';
import { findCondition, isTrue } from '../api/condition.ts';
import type { DeepReadonly } from '../api/json.ts';
import type { KubeObject } from '../api/meta.ts';
import { newControllerRef } from '../api/owner.ts';
import { instantOf } from '../api/time.ts';
import type { Pod, PodCondition, PodTemplateSpec } from '../api/types.gen.ts';

export type ReadonlyPod = DeepReadonly<Pod>;

export const isFinished = (pod: ReadonlyPod): boolean => pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
/** Neither finished nor on its way out. */
export const isActive = (pod: ReadonlyPod): boolean => !isFinished(pod) && !pod.metadata.deletionTimestamp;
export const podCondition = (pod: ReadonlyPod, type: string): DeepReadonly<PodCondition> | undefined => findCondition(pod.status?.conditions, type);
export const isReady = (pod: ReadonlyPod): boolean => isTrue(pod.status?.conditions, 'Ready');

/** Ready for at least `minReadySeconds`. */
export function isAvailable(pod: ReadonlyPod, minReadySeconds: number, now: Instant): boolean {
  return isReady(pod) && availableIn(pod, minReadySeconds, now) === 0;
}

/** How long until a ready pod counts as available; 0 when it does. */
export function availableIn(pod: ReadonlyPod, minReadySeconds: number, now: Instant): Duration {
  if (minReadySeconds === 0) return 0;
  const since = instantOf(podCondition(pod, 'Ready')?.lastTransitionTime);
  if (since === undefined) return seconds(minReadySeconds);
  return Math.max(0, since + seconds(minReadySeconds) - now);
}

/** A pod of a template, owned by its controller; the API server gives it a name. */
export function podFromTemplate(template: DeepReadonly<PodTemplateSpec>, owner: DeepReadonly<KubeObject>): ReadonlyPod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${owner.metadata.name}-`,
      ...(owner.metadata.namespace ? { namespace: owner.metadata.namespace } : {}),
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      ...(finalizers ? { finalizers } : {}),
      ownerReferences: [newControllerRef(owner)],
    },
    ...(template.spec ? { spec: template.spec } : {}),
  };
}
