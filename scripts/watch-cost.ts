/** What one event costs an API server with many watchers, each of whom asks for one node's pods, as kubelets do. */
import { type CacheEvent, ResourceCache, type Watcher } from '../src/kubernetes/apiserver/resource-cache.ts';

const pod = (node: number, n: number): CacheEvent['object'] =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `p${n}`, namespace: 'default', resourceVersion: String(n) },
    spec: { nodeName: `node-${node}`, containers: [] },
  }) as never;

/** `touched`: watchers an event is brought to, on the average; `us`: real time an event takes, the median of several rounds. */
export function watchCost(watchers: number, now: () => number, events = 2_000, rounds = 9): { readonly touched: number; readonly us: number } {
  const cache = new ResourceCache(0);
  let told = 0;
  for (let i = 0; i < watchers; i++) {
    const watcher: Watcher = { scope: { nodeName: `node-${i}` }, receive: () => told++, bookmark: () => {}, end: () => {} };
    cache.watch(watcher);
  }
  const times: number[] = [];
  let revision = 0;
  for (let round = 0; round < rounds; round++) {
    const batch = Array.from({ length: events }, (_, i): CacheEvent => {
      revision++;
      const object = pod((i * 7) % watchers, revision);
      return { type: 'MODIFIED', revision, at: revision * 1_000_000, previous: object, object };
    });
    const from = now();
    for (const event of batch) cache.add(event);
    times.push(((now() - from) * 1_000) / events);
  }
  times.sort((a, b) => a - b);
  return { touched: told / revision, us: times[Math.floor(times.length / 2)]! };
}
