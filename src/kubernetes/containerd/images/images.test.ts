import { expect, test } from 'vitest';
import { createFiles } from '../../../linux/files.ts';
import { type HttpOptions, httpGet } from '../../../linux/http.ts';
import { ms, seconds } from '../../../sim/clock.ts';
import { Loop } from '../../../sim/loop.ts';
import { testHost } from '../../../sim/test-host.ts';
import type { ContainerConfig, ContainerRuntime } from '../../kubelet/cri.ts';
import { createContainerd } from '../containerd.ts';
import { createFakeNetwork } from '../fake-network.test-support.ts';
import { findImage } from '../image.ts';
import { imageFamilies, images } from './images.ts';
import { parseConfig } from './nginx-program.ts';
import { RedisStore, takeCommand } from './redis-program.ts';
import { pi } from './samples-programs.ts';

interface Running {
  readonly runtime: ContainerRuntime;
  readonly id: string;
  get(url: string, options?: HttpOptions): Promise<{ readonly status: number; readonly body: string; readonly headers: Readonly<Record<string, string>> }>;
  exec(...argv: string[]): Promise<string>;
  sleep(duration: number): Promise<void>;
  logs(): string[];
}
async function run(image: string, more: Partial<ContainerConfig>, story: (running: Running) => Promise<void>): Promise<void> {
  const loop = new Loop({ seed: 3, host: testHost });
  let failure: unknown;
  let done = false;
  loop.spawn('machine', async (self) => {
    const network = createFakeNetwork(self);
    const runtime = createContainerd(self, { node: 'n', network, images, cni: network.cni, files: createFiles(), preloaded: [image] });
    try {
      const box = await runtime.runPodSandbox({
        name: 'web-1',
        namespace: 'default',
        uid: 'u',
        attempt: 0,
        hostname: 'web-1',
        hostNetwork: false,
        labels: {},
        annotations: {},
        dns: { servers: [], searches: [], options: [] },
      });
      const id = await runtime.createContainer(box, { name: 'c', attempt: 0, image, env: {}, mounts: [], labels: {}, annotations: {}, ...more });
      await runtime.startContainer(id);
      await self.clock.sleep(ms(100));
      await story({
        runtime,
        id,
        get: (url, options) =>
          httpGet(network.hostSockets, url.replace('http://pod', `http://${runtime.sandboxes()[0]!.ips[0]}`), {
            clock: self.clock,
            timeout: seconds(2),
            ...options,
          }),
        exec: async (...argv) => {
          let out = '';
          await runtime.exec(id, argv, {
            stdout: (text) => {
              out += text;
            },
            stderr: (text) => {
              out += text;
            },
          });
          return out;
        },
        sleep: (duration) => self.clock.sleep(duration),
        logs: () => runtime.logs(id).map((line) => line.text),
      });
      done = true;
    } catch (error) {
      failure = error;
    }
    await self.clock.sleep(seconds(100_000));
  });
  await loop.run(seconds(500));
  if (failure) throw failure;
  expect(done).toBe(true);
}

test.each([
  'nginx',
  'nginx:1.14.2',
  'busybox',
  'busybox:1.36',
  'redis',
  'registry.k8s.io/pause:3.10',
  'registry.k8s.io/e2e-test-images/agnhost:2.40',
  'orrery/web',
  'docker.io/library/nginx:latest',
])('%s exists', (name) => expect(findImage(images, name, imageFamilies)).toBeDefined());
test('no two images answer to one name', () => {
  const names = images.flatMap((image) => image.names);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

test('nginx welcomes, logs, answers 404 and 405, and quits on its stop signal', () =>
  run('nginx:1.27', {}, async ({ runtime, id, get, logs }) => {
    const welcome = await get('http://pod/');
    expect(welcome).toMatchObject({ status: 200, headers: { server: 'nginx/1.27.5', 'content-type': 'text/html', 'content-length': '615' } });
    expect(welcome.body).toContain('<title>Welcome to nginx!</title>');
    expect((await get('http://pod/nope', { headers: { 'User-Agent': 'curl/8.5.0' } })).status).toBe(404);
    expect((await get('http://pod/', { method: 'POST', body: 'x' })).status).toBe(405);
    expect(logs()[0]).toBe('/docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration');
    expect(logs()).toContainEqual(
      expect.stringMatching(/^10\.0\.0\.11 - - \[05\/Jan\/2026:08:00:00 \+0000\] "GET \/nope HTTP\/1\.1" 404 153 "-" "curl\/8\.5\.0" "-"$/),
    );
    await runtime.stopContainer(id, seconds(30));
    expect(runtime.containers()[0]).toMatchObject({ exitCode: 0, reason: 'Completed' });
  }));
test('nginx follows its configuration', () => {
  const config = parseConfig('server { listen 8080; root /srv; location = /healthz { return 200 "ok\\n"; } location /old { return 301 /new; } }');
  expect(config).toMatchObject({
    ports: [8080],
    root: '/srv',
    locations: [
      { path: '/healthz', exact: true, answer: { status: 200, text: 'ok\n' } },
      { path: '/old', answer: { status: 301, text: '/new' } },
    ],
  });
});
test('a shell in nginx changes what it serves', () =>
  run('nginx', {}, async ({ exec, get }) => {
    expect(await exec('sh', '-c', 'echo hello > /usr/share/nginx/html/index.html; cat /usr/share/nginx/html/index.html')).toBe('hello\n');
    expect((await get('http://pod/')).body).toBe('hello\n');
    expect(await exec('hostname')).toBe('web-1\n');
  }));
test('busybox runs a script and ends with its exit code', () =>
  run('busybox', { command: ['sh', '-c', 'for i in 1 2 3; do echo "line $i"; sleep 1; done; exit 7'] }, async ({ sleep, logs, runtime }) => {
    await sleep(seconds(5));
    expect(logs()).toEqual(['line 1', 'line 2', 'line 3']);
    expect(runtime.containers()[0]).toMatchObject({ state: 'exited', exitCode: 7 });
  }));
test('redis counts', () =>
  run('redis', {}, async ({ exec }) => {
    expect(await exec('redis-cli', 'PING')).toBe('PONG\n');
    expect(await exec('redis-cli', 'INCR', 'hits')).toBe('1\n');
    expect(await exec('redis-cli', 'INCR', 'hits')).toBe('2\n');
    expect(await exec('redis-cli', 'GET', 'hits')).toBe('2\n');
  }));
test('redis parses both forms of command', () => {
  expect(takeCommand('PING\r\n')!.words).toEqual(['PING']);
  expect(takeCommand('*2\r\n$3\r\nGET\r\n$1\r\na\r\nrest')).toEqual({ words: ['GET', 'a'], rest: 'rest' });
  expect(takeCommand('*2\r\n$3\r\nGE')).toBeUndefined();
  const store = new RedisStore(() => 0);
  expect([store.run(['SET', 'a', 'x']), store.run(['INCR', 'a']), store.run(['GET', 'b'])]).toEqual([
    { ok: 'OK' },
    { error: 'ERR value is not an integer or out of range' },
    null,
  ]);
});
test('agnhost netexec', () =>
  run('registry.k8s.io/e2e-test-images/agnhost:2.40', { args: ['netexec', '--http-port=8080'] }, async ({ get, runtime, sleep }) => {
    expect((await get('http://pod:8080/hostname')).body).toBe('web-1');
    expect((await get('http://pod:8080/clientip')).body).toMatch(/^10\.0\.0\.11:\d+$/);
    expect(await get('http://pod:8080/echo?msg=hi&code=201')).toMatchObject({ status: 201, body: 'hi' });
    await get('http://pod:8080/exit?code=3');
    await sleep(seconds(1));
    expect(runtime.containers()[0]).toMatchObject({ exitCode: 3 });
  }));
test('orrery/web can fail, hang and leak', () =>
  run('orrery/web:v2', { memoryLimit: 128 * 1024 * 1024 }, async ({ get, runtime, id, sleep }) => {
    expect((await get('http://pod:8080/')).body).toBe('Hello from web-1, version v2\n');
    await get('http://pod:8080/fail?what=ready');
    expect([(await get('http://pod:8080/readyz')).status, (await get('http://pod:8080/healthz')).status]).toEqual([503, 200]);
    await get('http://pod:8080/burn?millicores=300');
    await sleep(seconds(60));
    const busy = runtime.stats(id)!;
    // 300m for a minute, less what the ending of the minute takes away.
    expect(Math.round(busy.cpuNanos / 1_000_000_000)).toBe(18);
    await get('http://pod:8080/leak?mib=40');
    expect(runtime.stats(id)!.memoryBytes).toBe(52 * 1024 * 1024);
    await get('http://pod:8080/leak?mib=10&every=1');
    await sleep(seconds(10));
    expect(runtime.containers()[0]).toMatchObject({ state: 'exited', exitCode: 137, reason: 'OOMKilled' });
  }));
test('orrery/web hangs: the client times out', () =>
  run('orrery/web', {}, async ({ get }) => {
    await get('http://pod:8080/hang');
    await expect(get('http://pod:8080/healthz', { timeout: seconds(1) })).rejects.toThrow('timed out');
  }));
test('pi', () => expect(pi(30)).toBe('3.14159265358979323846264338327'));
