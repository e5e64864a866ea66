/** A pod's quality of service class (`component-helpers/qos`): who is killed first when memory runs out. */
import { milliValue } from '../api/quantity.ts';
import { allContainers, type PodObject } from './pod-view.ts';

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
