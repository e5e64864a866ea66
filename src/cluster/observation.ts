/** Looking at a cluster without touching it, for the page; its code comes while the cluster boots (`cluster.ts`), and no world waits for it. */
import type { ApiRequest, ApiResponse } from '../kubernetes/api/request.ts';
import { createObserver } from '../kubernetes/apiserver/observer.ts';
import type { Cluster } from './cluster.ts';
import { observeLogs } from './observe-logs.ts';

/** Answers GETs at once and for free; failures are Status answers. */
export function observation(cluster: Cluster): (request: ApiRequest) => ApiResponse {
  const observer = createObserver({ store: cluster.mirror, now: () => cluster.loop.now });
  return (request) => observeLogs(cluster, request) ?? observer.handle(request);
}
