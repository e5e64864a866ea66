/** The relations of one thing, derived from state each time: a Service to its endpoints, a pod to its services and to its siblings of one owner. */
import type { Cluster } from '../cluster-store.ts';
import { boxOf, podThing, serviceThing, thingOf } from '../objects.ts';
import type { Edge } from './scene.ts';

/** A service of 5,000 endpoints is not drawn as 5,000 lines. */
const MOST = 200;

export function edgesOf(cluster: Cluster, id: string | undefined): Edge[] {
  const thing = thingOf(cluster, id);
  if (!thing) return [];
  const edges: Edge[] = [];
  const select = (key: string, uid: string, ready: boolean): void => {
    const pod = thingOf(cluster, uid);
    const from = boxOf(cluster, serviceThing(key));
    const to = pod && boxOf(cluster, pod);
    if (from && to && edges.length < MOST) edges.push({ from, to, kind: 'selects', ready });
  };
  const { services } = cluster.store.getState();
  if (thing.kind === 'service') for (const endpoint of services.get(thing.key)?.endpoints ?? []) select(thing.key, endpoint.uid, endpoint.ready);
  if (thing.kind === 'pod') {
    for (const service of services.values())
      for (const endpoint of service.endpoints) if (endpoint.uid === thing.id) select(service.key, endpoint.uid, endpoint.ready);
    const mine = cluster.pods.records[thing.index];
    const from = boxOf(cluster, thing);
    if (mine?.owner.includes('/') && from) {
      for (let index = 0; index < cluster.pods.length && edges.length < MOST; index++) {
        const other = cluster.pods.records[index];
        if (!other || index === thing.index || other.owner !== mine.owner || other.namespace !== mine.namespace) continue;
        const sibling = podThing(cluster, index);
        const to = sibling && boxOf(cluster, sibling);
        if (to) edges.push({ from, to, kind: 'owner', ready: true });
      }
    }
  }
  return edges;
}
