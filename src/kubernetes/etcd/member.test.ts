import { expect, test } from 'vitest';
import { ms, seconds } from '../../sim/clock.ts';
import { forever } from '../../sim/process.ts';
import type { EtcdEvent } from './api.ts';
import { TestCluster } from './testing.test-support.ts';

test('three members boot, elect, lose their leader and lose no acknowledged write', async () => {
  const cluster = new TestCluster(1);
  await cluster.loop.run(seconds(3));
  const first = cluster.leader()!;
  expect(first).toBeDefined();

  const acknowledged: string[] = [];
  const seen: EtcdEvent[] = [];
  cluster.loop.spawn('client', async (self) => {
    const client = cluster.client(self);
    client.watch({ key: '/k/', rangeEnd: '/k0' }, (response) => seen.push(...response.events));
    for (let i = 0; i < 200; i++) {
      const key = `/k/${String(i).padStart(3, '0')}`;
      await client
        .put({ key, value: `v${i}` })
        .then(() => acknowledged.push(key))
        .catch(() => {});
      await self.clock.sleep(ms(20));
    }
    await forever();
  });
  await cluster.loop.run(seconds(5));
  expect(acknowledged.length).toBeGreaterThan(50);
  cluster.kill(first);
  await cluster.loop.run(seconds(20));
  const second = cluster.leader()!;
  expect(second.name).not.toBe(first.name);
  expect(acknowledged.length).toBeGreaterThan(195);

  cluster.start(first);
  await cluster.loop.run(seconds(25));
  for (const { etcd } of cluster.members) {
    for (const key of acknowledged) expect(etcd!.store.get(key)?.value).toBeDefined();
    expect(etcd!.store.revision).toBe(second.etcd!.store.revision);
  }
  const revisions = seen.map((event) => event.kv.modRevision);
  expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
  expect(new Set(revisions).size).toBe(revisions.length);
  expect(revisions).toEqual(second.etcd!.store.changesFrom(2, '/k/', '/k0').map((event) => event.kv.modRevision));
  expect(cluster.loop.broken).toBeUndefined();
});
