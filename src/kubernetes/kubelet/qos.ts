/** A pod's quality of service class (`component-helpers/qos`): who is killed first when memory runs out. */
import { milliValue, wholeValue } from '../api/quantity.ts';
import { allContainers, type ContainerSpec, isSidecar, type PodObject } from './pod-view.ts';
import { isStatic } from './static-pods.ts';

export function qosClass(pod: PodObject): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  let any = false;
  let guaranteed = true;
  for (const container of allContainers(pod)) {
    for (const resource of ['cpu', 'memory']) {
      const request = milliValue(container.resources?.requests?.[resource]);
      const limit = milliValue(container.resources?.limits?.[resource]);
      if (request > 0 || limit > 0) any = true;
      if (limit === 0 || (container.resources?.requests?.[resource] !== undefined && request !== limit)) guaranteed = false;
    }
  }
  return !any ? 'BestEffort' : guaranteed ? 'Guaranteed' : 'Burstable';
}

const GUARANTEED = -997;
const BEST_EFFORT = 1000;
const SYSTEM_CRITICAL = 2_000_000_000;
/** system-node-critical; static pods count as critical, too. */
const NODE_CRITICAL = SYSTEM_CRITICAL + 1000;

/**
 * The score the kernel adds to a container's own when memory runs out (`qos/policy.go` GetContainerOOMScoreAdjust): the
 * less of the machine it asked for, the higher. `capacity` in bytes. Sidecars outlive the containers they serve: theirs is
 * at most the least of those.
 */
export function oomScoreAdj(pod: PodObject, container: ContainerSpec, capacity: number): number {
  if ((pod.spec?.priority ?? 0) >= NODE_CRITICAL || (isStatic(pod) && (pod.spec?.priority ?? 0) >= SYSTEM_CRITICAL)) return GUARANTEED;
  const qos = qosClass(pod);
  if (qos === 'Guaranteed') return GUARANTEED;
  if (qos === 'BestEffort') return BEST_EFFORT;
  const own = burstable(container, capacity);
  if (!isSidecar(container) || !pod.spec?.initContainers?.includes(container)) return own;
  return Math.min(own, ...(pod.spec.containers ?? []).map((regular) => burstable(regular, capacity)));
}
function burstable(container: ContainerSpec, capacity: number): number {
  const request = wholeValue(container.resources?.requests?.['memory']);
  const score = 1000 - Math.floor((1000 * request) / capacity);
  // Never as safe as Guaranteed, never as exposed as BestEffort.
  return score < 1000 + GUARANTEED ? 1000 + GUARANTEED : score === BEST_EFFORT ? BEST_EFFORT - 1 : score;
}
