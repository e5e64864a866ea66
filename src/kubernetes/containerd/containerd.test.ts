import { expect, test } from 'vitest';
import { createFiles, type Files } from '../../linux/files.ts';
import { ms, seconds } from '../../sim/clock.ts';
import { Loop } from '../../sim/loop.ts';
import type { Process } from '../../sim/process.ts';
import { testHost } from '../../sim/test-host.ts';
import type { ContainerConfig, ContainerRuntime, SandboxConfig } from '../kubelet/cri.ts';
import { createContainerd } from './containerd.ts';
import { createFakeNetwork, type FakeNetwork } from './fake-network.test-support.ts';
import { normaliseReference } from './image.ts';
import { testImages } from './test-images.test-support.ts';

const sandbox: SandboxConfig = {
  name: 'web',
  namespace: 'default',
  uid: 'u1',
  attempt: 0,
  hostname: 'web',
  hostNetwork: false,
  labels: {},
  annotations: {},
  dns: { servers: ['10.96.0.10'], searches: ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local'], options: ['ndots:5'] },
};
const container = (more: Partial<ContainerConfig> = {}): ContainerConfig => ({
  name: 'c',
  attempt: 0,
  image: 'tool',
  env: {},
  mounts: [],
  labels: {},
  annotations: {},
  ...more,
});

interface Machine {
  readonly runtime: ContainerRuntime;
  readonly network: FakeNetwork;
  readonly files: Files;
  readonly self: Process;
}
async function machine(story: (machine: Machine) => Promise<void>, until = seconds(300)): Promise<Loop> {
  const loop = new Loop({ seed: 7, host: testHost });
  let failure: Error | undefined;
  let done = false;
  loop.spawn('machine', async (self) => {
    const files = createFiles();
    const network = createFakeNetwork(self);
    const runtime = createContainerd(self, { node: 'node-1', network, images: testImages, cni: network.cni, files, preloaded: ['tool', 'web:1'] });
    try {
      await story({ runtime, network, files, self });
      done = true;
    } catch (error) {
      failure = error as Error;
    }
    await self.clock.sleep(seconds(100_000));
  });
  await loop.run(until);
  if (failure) throw failure;
  expect(done).toBe(true);
  return loop;
}
async function started(runtime: ContainerRuntime, more: Partial<ContainerConfig> = {}): Promise<string> {
  const box = runtime.sandboxes()[0]?.id ?? (await runtime.runPodSandbox(sandbox));
  const id = await runtime.createContainer(box, container(more));
  await runtime.startContainer(id);
  return id;
}
const statusOf = (runtime: ContainerRuntime, id: string) => runtime.containers().find((one) => one.id === id);

test.each([
  ['nginx', 'docker.io/library/nginx:latest'],
  ['nginx:1.27', 'docker.io/library/nginx:1.27'],
  ['bitnami/redis', 'docker.io/bitnami/redis:latest'],
  ['registry.k8s.io/pause:3.10', 'registry.k8s.io/pause:3.10'],
  ['localhost:5000/x', 'localhost:5000/x:latest'],
])('%s is %s', (short, long) => expect(normaliseReference(short)).toBe(long));
test('an upper-case name is no reference', () =>
  expect(() => normaliseReference('Nginx')).toThrow('invalid reference format: repository name (library/Nginx) must be lowercase'));

test('a pull takes the time of its size, and failures say what containerd says', () =>
  machine(async ({ self, files, network }) => {
    const runtime = createContainerd(self, { node: 'n', network, images: testImages, cni: network.cni, files: createFiles() });
    expect(files).toBeDefined();
    expect(runtime.imageStatus('web:1')).toBeUndefined();
    const began = self.clock.now();
    const { id, size } = await runtime.pullImage('web:1');
    expect(self.clock.now() - began).toBeGreaterThan(ms(1300));
    expect(self.clock.now() - began).toBeLessThan(ms(1700));
    expect(id).toMatch(/^docker\.io\/library\/web@sha256:[0-9a-f]{64}$/);
    expect(size).toBe(40_000_000);
    await expect(runtime.pullImage('nope')).rejects.toThrow(
      'failed to pull and unpack image "docker.io/library/nope:latest": failed to resolve reference "docker.io/library/nope:latest": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
    );
    await expect(runtime.pullImage('web:9')).rejects.toThrow(
      'rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/web:9": failed to resolve reference "docker.io/library/web:9": docker.io/library/web:9: not found',
    );
  }));

test('exit codes: 0, 1, 137 for a pid 1 that ignores TERM, 0 for one that handles it', () =>
  machine(async ({ runtime, self }) => {
    const ended = await started(runtime, { args: ['exit', '3'] });
    await self.clock.sleep(ms(50));
    expect(statusOf(runtime, ended)).toMatchObject({ state: 'exited', exitCode: 3, reason: 'Error' });
    const deaf = await started(runtime, { args: ['sleep', '600'] });
    const began = self.clock.now();
    await runtime.stopContainer(deaf, seconds(30));
    expect(self.clock.now() - began).toBe(seconds(30));
    expect(statusOf(runtime, deaf)).toMatchObject({ exitCode: 137, reason: 'Error' });
    const polite = await started(runtime, { image: 'web:1' });
    await self.clock.sleep(ms(50));
    await runtime.stopContainer(polite, seconds(30));
    expect(statusOf(runtime, polite)).toMatchObject({ exitCode: 0, reason: 'Completed', image: 'docker.io/library/web:1' });
    expect(runtime.logs(polite).map((line) => line.text)).toEqual(['ready']);
  }));

test('a command that is not there', () =>
  machine(async ({ runtime }) => {
    await expect(started(runtime, { command: ['nosuch'] })).rejects.toThrow('exec: "nosuch": executable file not found in $PATH: unknown');
    expect(runtime.containers()[0]).toMatchObject({ state: 'exited', exitCode: 128, reason: 'StartError' });
  }));

test('over the memory limit: OOMKilled', () =>
  machine(async ({ runtime, network, self }) => {
    const id = await started(runtime, { image: 'web:1', memoryLimit: 64 * 1024 * 1024 });
    await self.clock.sleep(ms(10));
    const connection = await network.connect(runtime.sandboxes()[0]!.ips[0]!, 80);
    connection.send('GET /leak?bytes=100000000 HTTP/1.1\r\nHost: x\r\n\r\n');
    await self.clock.sleep(ms(10));
    expect(statusOf(runtime, id)).toMatchObject({ state: 'exited', exitCode: 137, reason: 'OOMKilled' });
    // The kernel closed what the dead had open.
    await expect(network.connect(runtime.sandboxes()[0]!.ips[0]!, 80)).rejects.toThrow('Connection refused');
  }));

test('generated files, mounts shared with the node, and exec', () =>
  machine(async ({ runtime, files, self }) => {
    files.write('/data/x', 'from the node');
    const id = await started(runtime, { args: ['sleep', '600'], mounts: [{ containerPath: '/mnt', hostPath: '/data', readOnly: false }] });
    let out = '';
    const io = {
      stdout: (text: string) => {
        out += text;
      },
      stderr: (text: string) => {
        out += text;
      },
    };
    expect(await runtime.exec(id, ['cat', '/etc/resolv.conf', '/etc/hosts', '/mnt/x'], io)).toBe(0);
    expect(out).toContain('search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n');
    expect(out).toContain('10.244.1.2\tweb\n');
    expect(out).toContain('from the node');
    await runtime.exec(id, ['write', '/mnt/y', 'from the container'], io);
    expect(files.read('/data/y')).toBe('from the container');
    expect(await runtime.exec(id, ['exit', '4'], io)).toBe(4);
    await expect(runtime.exec(id, ['nosuch'], io)).rejects.toThrow('exec: "nosuch": executable file not found in $PATH');
    // An exec dies with its container.
    const long = runtime.exec(id, ['sleep', '500'], io);
    self.clock.after(seconds(1), () => void runtime.stopContainer(id, 0));
    expect(await long).toBe(137);
  }));

test('a sandbox that gets no network leaves nothing behind', () =>
  machine(async ({ runtime, network }) => {
    network.cni.fail = 'no IP addresses available in range set: 10.244.1.1-10.244.1.254';
    await expect(runtime.runPodSandbox(sandbox)).rejects.toThrow(/failed to setup network for sandbox "[0-9a-f]{64}": no IP addresses available in range set/);
    expect(network.namespaces.size).toBe(0);
    expect(runtime.sandboxes()).toEqual([]);
  }));

test('after a power failure containers are known and dead, images are still there', async () => {
  const loop = new Loop({ seed: 1, host: testHost });
  const files = createFiles();
  const boot = (name: string, story: (runtime: ContainerRuntime) => Promise<void>) =>
    loop.spawn(name, async (self) => {
      const network = createFakeNetwork(self);
      const runtime = createContainerd(self, { node: 'node-1', network, images: testImages, cni: network.cni, files });
      await story(runtime);
      await self.clock.sleep(seconds(1000));
    });
  const first = boot('first', async (runtime) => {
    await runtime.pullImage('tool');
    await started(runtime);
  });
  await loop.run(seconds(5));
  first.kill();
  let seen: ContainerRuntime | undefined;
  boot('second', async (runtime) => {
    seen = runtime;
  });
  await loop.run(seconds(6));
  expect(seen!.sandboxes()[0]).toMatchObject({ state: 'notready' });
  expect(seen!.containers()[0]).toMatchObject({ state: 'exited', exitCode: 255, reason: 'Unknown' });
  expect(seen!.imageStatus('tool')).toBeDefined();
});
