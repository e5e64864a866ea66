/**
 * What etcd's part of a write costs, for the bench: the store alone, beside the bare one of limits/b_mvcc.mjs, and
 * a whole cluster of three over its clients, wires and disks, beside a real one (limits/etcd_peer.mjs).
 */
import { etcdClient } from '../src/cluster/etcd-host.ts';
import { Headless } from '../src/hosts/node.ts';
import { MvccStore } from '../src/kubernetes/etcd/mvcc.ts';
import { seconds } from '../src/sim/clock.ts';
import { forever } from '../src/sim/process.ts';

/** As many keys, writes and kept revisions as the limit script. */
const KEYS = 50_000;
const WRITES = 100_000;
const KEPT = 20_000;
/** Of a pod as JSON, in characters, as the limit scripts have it. */
const VALUE = 3_400;

/** Writes per second of the main thread to the store alone, `repetitions` times over; compactions are in it. `spent`: its milliseconds so far. */
export function storeWrites(repetitions: number, spent: () => number): number[] {
  const store = new MvccStore();
  const keys = Array.from({ length: KEYS }, (_, i) => `/registry/pods/ns-${i % 50}/p-${i}`);
  const values = Array.from({ length: 200 }, (_, i) => String(i).padEnd(VALUE, 'x'));
  const put = (key: string, value: string): void => {
    const txn = store.begin();
    txn.put(key, value, 0);
    txn.commit();
  };
  for (const key of keys) put(key, values[0]!);
  // The same well mixed order every time.
  let at = 5;
  return Array.from({ length: repetitions }, () => {
    const from = spent();
    for (let i = 0; i < WRITES; i++) {
      at = (Math.imul(at, 1_664_525) + 1_013_904_223) >>> 0;
      put(keys[at % KEYS]!, values[i % 200]!);
    }
    store.compact(store.revision - KEPT);
    return (WRITES * 1_000) / (spent() - from);
  });
}

/** Microseconds of each spender for one write to three members, `clients` writing at once, as a real cluster is driven by the limit script. */
export async function clusterWrites(clients: number, writes: number, ...spenders: readonly (() => number)[]): Promise<number[]> {
  const headless = Headless.start('etcd-3', 1);
  const { world } = headless;
  await headless.untilReady();
  const values = Array.from({ length: 200 }, (_, i) => String(i).padEnd(VALUE, 'x'));
  let sent = 0;
  let done = 0;
  const run = async (goal: number): Promise<void> => {
    await world.loop.input(() => {
      for (let i = 0; i < clients; i++) {
        world.loop.spawn(`client-${sent}-${i}`, async (self) => {
          const client = etcdClient(self, 'laptop', world.cluster.etcd, world.cluster.wires);
          while (sent < goal) {
            const n = sent++;
            await client.put({ key: `/registry/pods/ns/p${n % 20_000}`, value: values[n % 200]! });
            if (++done === goal) world.loop.stop();
          }
          await forever();
        });
      }
    });
    while (done < goal) await world.run(world.now + seconds(3600));
  };
  // The engine takes its time to compile it well; a real etcd is compiled.
  await run(Math.floor(writes / 2));
  const from = spenders.map((spent) => spent());
  const before = done;
  await run(before + writes);
  return spenders.map((spent, i) => ((spent() - from[i]!) * 1_000) / (done - before));
}
