import { test } from 'vitest';
import { seconds, ms } from '/work/main/src/sim/clock.ts';
import { forever } from '/work/main/src/sim/process.ts';
import { TestCluster } from '/work/main/src/kubernetes/etcd/testing.test-support.ts';
test('bench', async () => {
  const cluster = new TestCluster(1);
  await cluster.loop.run(seconds(3));
  let e = cluster.loop.events; let t = process.cpuUsage().user/1000;
  await cluster.loop.run(seconds(3603));
  console.log('idle hour', (process.cpuUsage().user/1000-t).toFixed(0), 'ms events', cluster.loop.events-e, 'late', cluster.loop.lateTouches);
  const value = 'x'.repeat(5000);
  let n=0;
  for (const par of [1, 10]) {
    cluster.loop.spawn('client'+par, async (self) => {
      const server = () => cluster.leader()!.etcd!.server;
      await Promise.all(Array.from({length: par}, async (_, w) => {
      for (let i = 0; i < 20000/par; i++) {
        await self.clock.sleep(ms(1));
        const key = '/registry/pods/default/'+w+'-' + (i % 1000);
        const cur = cluster.leader()!.etcd!.store.get(key);
        await server().txn({compare:[{key, target:'mod', result:'=', operand: cur?.modRevision ?? 0}], success:[{requestPut:{key, value: value+i}}], failure:[{requestRange:{key}}]});
        n++;
      } }));
    });
    e = cluster.loop.events; t = process.cpuUsage().user/1000; const n0=n;
    await cluster.loop.run(cluster.loop.now + seconds(200));
    const d = process.cpuUsage().user/1000-t;
    console.log('par', par, 'writes', n-n0, 'cpu', d.toFixed(0), 'ms; us/write', (d*1000/(n-n0)).toFixed(1), 'events/write', ((cluster.loop.events-e)/(n-n0)).toFixed(1));
  }
}, 120000);
