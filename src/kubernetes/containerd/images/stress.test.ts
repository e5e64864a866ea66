/** The documentation's pages on requests and limits: tasks/configure-pod-container/assign-{memory,cpu}-resource. */
import { expect, test } from 'vitest';
import { createFiles } from '../../../linux/files.ts';
import { seconds } from '../../../sim/clock.ts';
import { Loop } from '../../../sim/loop.ts';
import { testHost } from '../../../sim/test-host.ts';
import type { ContainerConfig, ContainerRuntime } from '../../kubelet/cri.ts';
import { createContainerd } from '../containerd.ts';
import { createFakeNetwork } from '../fake-network.test-support.ts';
import { images } from './images.ts';

const MIB = 1024 * 1024;

async function run(config: Partial<ContainerConfig> & { image: string }, after: number, look: (runtime: ContainerRuntime, id: string) => void): Promise<void> {
  const loop = new Loop({ seed: 3, host: testHost });
  let failure: unknown = 'did not come to its end';
  loop.spawn('machine', async (self) => {
    const network = createFakeNetwork(self);
    const runtime = createContainerd(self, { node: 'n', network, images, cni: network.cni, files: createFiles(), cpuMilli: 4000, preloaded: [config.image] });
    try {
      const dns = { servers: [], searches: [], options: [] };
      const box = await runtime.runPodSandbox({
        name: 'p',
        namespace: 'd',
        uid: 'u',
        attempt: 0,
        hostname: 'p',
        hostNetwork: false,
        labels: {},
        annotations: {},
        dns,
      });
      const id = await runtime.createContainer(box, { name: 'c', attempt: 0, env: {}, mounts: [], labels: {}, annotations: {}, ...config });
      await runtime.startContainer(id);
      await self.clock.sleep(seconds(after));
      look(runtime, id);
      failure = undefined;
    } catch (error) {
      failure = error;
    }
  });
  await loop.run(seconds(after + 10));
  if (failure) throw failure;
}
const logs = (runtime: ContainerRuntime, id: string): string[] => runtime.logs(id).map(({ text }) => text);

test('stress holds 150 MiB within a limit of 200Mi', () =>
  run(
    { image: 'polinux/stress', command: ['stress'], args: ['--vm', '1', '--vm-bytes', '150M', '--vm-hang', '1'], memoryLimit: 200 * MIB },
    10,
    (runtime, id) => {
      expect(runtime.stats(id)).toMatchObject({ memoryBytes: 150 * MIB + 700 * 1024 });
      expect(logs(runtime, id)).toEqual(['stress: info: [1] dispatching hogs: 0 cpu, 0 io, 1 vm, 0 hdd']);
    },
  ));
test('250M under a limit of 100Mi is OOMKilled with 137', () =>
  run({ image: 'polinux/stress', command: ['stress'], args: ['--vm', '1', '--vm-bytes', '250M', '--vm-hang', '1'], memoryLimit: 100 * MIB }, 10, (runtime) =>
    expect(runtime.containers()[0]).toMatchObject({ state: 'exited', exitCode: 137, reason: 'OOMKilled' }),
  ));
test('two busy threads under a limit of one core use one, and are throttled', () =>
  run({ image: 'vish/stress', args: ['-cpus', '2'], cpuLimit: 1000, cpuRequest: 500 }, 30, (runtime, id) => {
    expect(Math.round(runtime.stats(id)!.cpuNanoCores / 10_000_000)).toBe(100);
    expect(logs(runtime, id).map((line) => line.replace(/^.*\] /, ''))).toEqual([
      'Allocating "0" memory, in "4Ki" chunks, with a 1ms sleep between allocations',
      'Spawning a thread to consume CPU',
      'Spawning a thread to consume CPU',
      'Allocated "0" memory',
    ]);
  }));
test('vish/stress takes memory a chunk at a time', () =>
  run({ image: 'vish/stress', args: ['-mem-total', '1Gi', '-mem-alloc-size', '100Mi', '-mem-alloc-sleep', '1s'] }, 5, (runtime, id) => {
    expect(Math.floor(runtime.stats(id)!.memoryBytes / MIB)).toBeGreaterThanOrEqual(500);
    expect(Math.floor(runtime.stats(id)!.memoryBytes / MIB)).toBeLessThanOrEqual(610);
  }));
test.each<[string[], number, string]>([
  [['--bogus', '1'], 1, 'stress: FAIL: [1] (244) unrecognized option: --bogus'],
  [['--cpu', '1', '--timeout', '3s'], 0, 'stress: info: [1] successful run completed in 3s'],
])('stress %j', (args, exitCode, last) =>
  run({ image: 'polinux/stress', command: ['stress'], args }, 10, (runtime, id) => {
    expect(runtime.containers()[0]).toMatchObject({ state: 'exited', exitCode });
    expect(logs(runtime, id).at(-1)).toBe(last);
  }),
);
