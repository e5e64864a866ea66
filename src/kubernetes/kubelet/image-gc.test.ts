import { expect, test } from 'vitest';
import { minutes } from '../../sim/clock.ts';
import { ImageGc } from './image-gc.ts';
import { createTestNode } from './kubelet.test-support.ts';

test('a disk that is too full loses what nobody uses', async () => {
  // 4 MB and 40 MB, three times that on a disk of which 85 % are 127.5 MB.
  const node = await createTestNode({ disk: '150000000' });
  node.create('p', { containers: [{ name: 'c', image: 'tool', args: ['sleep', '36000'] }] });
  await node.run(minutes(7));
  expect(node.runtime.images().flatMap(({ names }) => names)).toContain('docker.io/library/tool:latest');
  expect(node.runtime.images().flatMap(({ names }) => names)).not.toContain('docker.io/library/web:1');
  expect(node.events('node-1').filter((line) => line.includes('DiskSpace'))).toEqual([]);
});

test('a disk with room keeps everything', async () => {
  const node = await createTestNode({ disk: '160000000' });
  await node.run(minutes(7));
  expect(node.runtime.images()).toHaveLength(2);
});

test('what is used stays, the image of every sandbox stays, and what goes is what was used longest ago', async () => {
  let now = 0;
  const images = new Map([
    ['a', 30],
    ['b', 30],
    ['used', 20],
    ['pause', 15],
  ]);
  const failures: string[] = [];
  const removed: string[] = [];
  let using = ['used', 'b'];
  const gc = new ImageGc({
    now: () => now,
    capacity: 100,
    failed: (reason, message) => failures.push(`${reason}: ${message}`),
    runtime: {
      images: () => [...images].map(([id, size]) => ({ id, names: [`x/${id}:1`], size })),
      containers: () =>
        using.map((id) => ({
          id: `c-${id}`,
          sandbox: 's',
          imageId: `x/${id}@${id}`,
          state: 'exited' as const,
          createdAt: 0,
          config: { name: 'c', attempt: 0, image: id, env: {}, mounts: [], labels: {}, annotations: {} },
        })),
      removeImage: async (id) => {
        removed.push(id);
        images.delete(id);
      },
      imageFsUsed: () => [...images.values()].reduce((sum, size) => sum + size, 0),
    },
  });
  gc.tick();
  await Promise.resolve();
  await Promise.resolve();
  expect(removed).toEqual(['a']);
  using = ['used'];
  images.set('new', 40);
  now += minutes(6);
  gc.tick();
  for (let i = 0; i < 10; i++) await Promise.resolve();
  expect(removed).toEqual(['a', 'b']);
  expect(failures).toEqual([]);
  images.set('newer', 30);
  now += minutes(5);
  gc.tick();
  for (let i = 0; i < 10; i++) await Promise.resolve();
  expect(removed).toEqual(['a', 'b', 'new']);
});
