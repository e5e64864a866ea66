import { expect, test } from 'vitest';
import { ms, seconds } from '../../sim/clock.ts';
import { quietHost, testHost } from '../../sim/test-host.ts';
import type { ApiResponse, Frame } from '../api/request.ts';
import { Pipe } from '../api/stream.ts';
import { createTestNode } from './kubelet.test-support.ts';

const web = { containers: [{ name: 'web', image: 'web:1', ports: [{ name: 'http', containerPort: 80 }] }] };

test('registers its node, reports Ready, renews its lease', async () => {
  const node = await createTestNode();
  await node.run(seconds(30));
  const object = node.api.get('nodes', 'node-1') as {
    metadata: { labels?: object };
    status?: { conditions: { type: string; status: string; reason: string }[]; allocatable: object; nodeInfo: object };
  };
  expect(object.metadata.labels).toMatchObject({ 'kubernetes.io/hostname': 'node-1', 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' });
  expect(object.status!.conditions.map((one) => `${one.type}=${one.status} ${one.reason}`)).toEqual([
    'MemoryPressure=False KubeletHasSufficientMemory',
    'DiskPressure=False KubeletHasNoDiskPressure',
    'PIDPressure=False KubeletHasSufficientPID',
    'Ready=True KubeletReady',
  ]);
  expect(object.status!.allocatable).toMatchObject({ cpu: '4', memory: '8092Mi', pods: '110', 'ephemeral-storage': '96636764160' });
  expect(object.status!.nodeInfo).toMatchObject({
    containerRuntimeVersion: 'containerd://1.7.27',
    osImage: 'Debian GNU/Linux 12 (bookworm)',
    kubeletVersion: 'v1.33.1',
  });
  expect(node.events('node-1')).toEqual([
    'Starting: Starting kubelet.',
    'NodeAllocatableEnforced: Updated Node Allocatable limit across pods',
    'NodeHasSufficientMemory: Node node-1 status is now: NodeHasSufficientMemory',
    'NodeHasNoDiskPressure: Node node-1 status is now: NodeHasNoDiskPressure',
    'NodeHasSufficientPID: Node node-1 status is now: NodeHasSufficientPID',
    'NodeReady: Node node-1 status is now: NodeReady',
  ]);
  const renewals = () => node.api.log.filter((line) => line.startsWith('PUT') && line.includes('leases')).length;
  const patches = () => node.api.log.filter((line) => line === 'PATCH /api/v1/nodes/node-1/status').length;
  const before = [renewals(), patches()];
  await node.run(seconds(600));
  expect(renewals() - before[0]!).toBe(60);
  expect(patches() - before[1]!).toBe(2);
});

test('without a network the node is not ready and says why', async () => {
  const node = await createTestNode({ ready: false });
  node.create('web', web);
  await node.run(seconds(15));
  const ready = () =>
    (node.api.get('nodes', 'node-1') as { status?: { conditions: { type: string; status: string; message: string }[] } }).status!.conditions.find(
      (one) => one.type === 'Ready',
    )!;
  expect(ready()).toMatchObject({
    status: 'False',
    reason: 'KubeletNotReady',
    message:
      'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized',
  });
  expect(node.events('web')[0]).toMatch(/^NetworkNotReady: network is not ready: container runtime network not ready: NetworkReady=false/);
  node.network.cni.ready = true;
  await node.run(seconds(5));
  expect(ready().status).toBe('True');
  expect(node.pod('web')!.status!.phase).toBe('Running');
});

test('a pod from bound to ready, with the events and the status of the real one', async () => {
  const node = await createTestNode({ images: [] });
  await node.run(seconds(2));
  node.create('web', web);
  const phases = await node.watch(() => node.pod('web')?.status?.phase, seconds(8));
  expect(phases.map(([, phase]) => phase)).toEqual(['Pending', 'Running']);
  const pod = node.pod('web')!;
  expect(pod.status!.conditions!.map((one) => `${one.type}=${one.status}`)).toEqual([
    'PodReadyToStartContainers=True',
    'Initialized=True',
    'Ready=True',
    'ContainersReady=True',
    'PodScheduled=True',
  ]);
  expect(pod.status).toMatchObject({ podIP: '10.244.1.2', podIPs: [{ ip: '10.244.1.2' }], hostIP: '10.0.0.11', qosClass: 'BestEffort' });
  expect(pod.status!.containerStatuses![0]).toMatchObject({
    name: 'web',
    ready: true,
    started: true,
    restartCount: 0,
    image: 'docker.io/library/web:1',
    lastState: {},
    imageID: expect.stringMatching(/^docker\.io\/library\/web@sha256:/),
    containerID: expect.stringMatching(/^containerd:\/\/[0-9a-f]{64}$/),
    state: { running: { startedAt: expect.any(String) } },
  });
  expect(node.events('web').map((line) => line.replace(/in [\d.]+m?s \([\d.]+m?s including/, 'in T (T including'))).toEqual([
    'Pulling: Pulling image "web:1"',
    'Pulled: Successfully pulled image "web:1" in T (T including waiting). Image size: 40000000 bytes.',
    'Created: Created container: web',
    'Started: Started container web',
  ]);
});

test('CrashLoopBackOff: at once, then 10 s, 20 s, 40 s … after each exit', async () => {
  const node = await createTestNode();
  node.create('crash', { containers: [{ name: 'app', image: 'tool:1', args: ['exit', '1'] }] });
  const starts: number[] = [];
  node.runtime.onEvent((event) => {
    if (event.what === 'started' && event.container) starts.push(node.loop.now / 1e6);
  });
  await node.run(seconds(900));
  const gaps = starts.slice(1).map((at, i) => Math.round(at - starts[i]!));
  expect(gaps.slice(0, 7)).toEqual([expect.any(Number), 10, 20, 40, 80, 160, 300]);
  expect(gaps[0]).toBeLessThanOrEqual(2);
  const status = node.pod('crash')!.status!;
  expect(status.phase).toBe('Running');
  expect(status.containerStatuses![0]!.state).toEqual({
    waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m0s restarting failed container=app pod=crash_default(uid-crash)' },
  });
  expect(status.containerStatuses![0]!.lastState!.terminated).toMatchObject({ exitCode: 1, reason: 'Error' });
  expect(status.containerStatuses![0]!.restartCount).toBe(starts.length - 1);
  expect(node.events('crash')).toContain('BackOff: Back-off restarting failed container app in pod crash_default(uid-crash)');
  expect(status.conditions!.find((one) => one.type === 'Ready')).toMatchObject({
    status: 'False',
    reason: 'ContainersNotReady',
    message: 'containers with unready status: [app]',
  });
  // One dead container is kept for `logs --previous`.
  expect(node.runtime.containers().length).toBeLessThanOrEqual(2);
});

test('an image that is not there: ErrImagePull, then ImagePullBackOff, with growing pauses', async () => {
  const node = await createTestNode();
  node.create('typo', { containers: [{ name: 'app', image: 'ngnix' }] });
  const reasons = await node.watch(() => node.pod('typo')?.status?.containerStatuses?.[0]?.state?.waiting?.reason, seconds(200));
  expect(reasons.map(([, reason]) => reason).slice(1, 6)).toEqual([
    'ContainerCreating',
    'ErrImagePull',
    'ImagePullBackOff',
    'ErrImagePull',
    'ImagePullBackOff',
  ]);
  const pulls = node.api.all('events').find((event) => (event as unknown as { reason: string }).reason === 'Pulling') as unknown as { count: number };
  // 10 + 20 + 40 + 80 s of pauses, each seen up to 15 s late.
  expect([4, 5]).toContain(pulls.count);
  const said =
    'failed to pull and unpack image "docker.io/library/ngnix:latest": failed to resolve reference "docker.io/library/ngnix:latest": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed';
  expect(node.events('typo').slice(0, 5)).toEqual([
    'Pulling: Pulling image "ngnix"',
    `Failed: Failed to pull image "ngnix": ${said}`,
    'Failed: Error: ErrImagePull',
    'BackOff: Back-off pulling image "ngnix"',
    'Failed: Error: ImagePullBackOff',
  ]);
  expect(node.pod('typo')!.status!.containerStatuses![0]!.state!.waiting).toEqual({
    reason: 'ImagePullBackOff',
    message: `Back-off pulling image "ngnix": ErrImagePull: ${said}`,
  });
});

test('successful probes say nothing to anybody', async () => {
  const node = await createTestNode();
  const probe = { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 2 };
  node.create('web', { containers: [{ ...web.containers[0], livenessProbe: probe, readinessProbe: probe }] });
  await node.run(seconds(5));
  expect(node.pod('web')!.status!.containerStatuses![0]!.ready).toBe(true);
  const before = node.api.log.length;
  await node.run(seconds(60));
  expect(node.api.log.slice(before).filter((line) => !line.includes('leases') && !line.includes('nodes'))).toEqual([]);
});

test('a failing liveness probe restarts the container; a failing readiness probe takes it out', async () => {
  const node = await createTestNode();
  const probe = { httpGet: { path: '/healthz', port: 80 }, periodSeconds: 2 };
  node.create('web', {
    terminationGracePeriodSeconds: 5,
    containers: [{ ...web.containers[0], livenessProbe: { ...probe, failureThreshold: 4 }, readinessProbe: { ...probe, failureThreshold: 2 } }],
  });
  await node.run(seconds(5));
  node.loop.after(0, () => {
    void node.network.connect('10.244.1.2', 80).then((connection) => connection.send('GET /sick HTTP/1.1\r\nConnection: close\r\n\r\n'));
  });
  const seen = await node.watch(() => {
    const status = node.pod('web')!.status!.containerStatuses![0]!;
    return `${status.ready} ${status.restartCount}`;
  }, seconds(20));
  expect(seen.map(([, value]) => value)).toEqual(['true 0', 'false 0', 'false 1', 'true 1']);
  const events = node.events('web');
  expect(events).toContain('Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 500');
  expect(events).toContain('Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 500');
  expect(events).toContain('Killing: Container web failed liveness probe, will be restarted');
});

test('tcp and exec probes; a startup probe holds the others back', async () => {
  const node = await createTestNode();
  node.create('web', {
    containers: [
      {
        ...web.containers[0],
        startupProbe: { exec: { command: ['test', '/tmp/started'] }, periodSeconds: 1, failureThreshold: 30 },
        readinessProbe: { tcpSocket: { port: 81 }, periodSeconds: 1 },
      },
    ],
  });
  await node.run(seconds(5));
  const status = () => node.pod('web')!.status!.containerStatuses![0]!;
  expect(status()).toMatchObject({ started: false, ready: false });
  expect(node.events('web').some((line) => line.startsWith('Unhealthy: Readiness'))).toBe(false);
  const id = status().containerID!.slice('containerd://'.length);
  node.loop.after(0, () => void node.runtime.exec(id, ['write', '/tmp/started', 'x'], { stdout: () => {}, stderr: () => {} }));
  await node.run(seconds(5));
  expect(status()).toMatchObject({ started: true, ready: false });
  expect(node.events('web')).toContain('Unhealthy: Readiness probe failed: dial tcp 10.244.1.2:81: connect: connection refused');
});

test('termination: preStop, TERM, the grace period, then the object goes', async () => {
  const node = await createTestNode();
  node.create('deaf', {
    terminationGracePeriodSeconds: 10,
    containers: [{ name: 'app', image: 'tool:1', args: ['sleep', '9999'], lifecycle: { preStop: { sleep: { seconds: 3 } } } }],
  });
  node.create('polite', web);
  await node.run(seconds(4));
  for (const name of ['deaf', 'polite']) {
    node.api.edit('pods', `default/${name}`, (pod) => ({
      ...pod,
      metadata: { ...pod.metadata, deletionTimestamp: '2026-01-05T08:00:04Z', deletionGracePeriodSeconds: 10 },
    }));
  }
  const gone = async (name: string) => (await node.watch(() => node.pod(name) === undefined, seconds(15))).find(([, is]) => is)?.[0];
  const at = await Promise.all([gone('deaf')]);
  expect(at[0]).toBeGreaterThan(14);
  expect(at[0]).toBeLessThan(14.6);
  expect(node.pod('polite')).toBeUndefined();
  expect(node.events('polite')).toContain('Killing: Stopping container web');
  expect(node.runtime.sandboxes()).toEqual([]);
  expect(node.files.exists('/var/lib/kubelet/pods/uid-deaf')).toBe(false);
});

test('a job pod succeeds, its logs stay, and restartPolicy OnFailure tries again', async () => {
  const node = await createTestNode();
  node.create('job', { restartPolicy: 'Never', containers: [{ name: 'app', image: 'tool:1', args: ['exit', '0'] }] });
  node.create('bad', { restartPolicy: 'Never', containers: [{ name: 'app', image: 'tool:1', args: ['exit', '2'] }] });
  node.create('again', { restartPolicy: 'OnFailure', containers: [{ name: 'app', image: 'tool:1', args: ['exit', '2'] }] });
  await node.run(seconds(10));
  expect(node.pod('job')!.status).toMatchObject({ phase: 'Succeeded' });
  expect(node.pod('job')!.status!.conditions!.find((one) => one.type === 'Ready')).toMatchObject({ status: 'False', reason: 'PodCompleted' });
  expect(node.pod('bad')!.status).toMatchObject({ phase: 'Failed' });
  expect(node.pod('again')!.status!.containerStatuses![0]!.restartCount).toBe(1);
  let log = '';
  (await node.ask('/containerLogs/default/job/app')).stream!.read({
    value: (text) => {
      log += text as string;
    },
    end: () => {},
  });
  expect(log).toBe('exiting 0\n');
  expect(
    node.runtime
      .sandboxes()
      .filter((one) => one.state === 'ready')
      .map((one) => one.config.name),
  ).toEqual(['again']);
});

test('init containers run in order; a sidecar stays', async () => {
  const node = await createTestNode();
  const volume = { volumeMounts: [{ name: 'shared', mountPath: '/shared' }] };
  node.create('init', {
    volumes: [{ name: 'shared', emptyDir: {} }],
    initContainers: [
      { name: 'first', image: 'tool:1', args: ['write', '/shared/x', 'made by init'], ...volume },
      { name: 'proxy', image: 'web:1', restartPolicy: 'Always' },
      { name: 'second', image: 'tool:1', args: ['sleep', '2'] },
    ],
    containers: [{ name: 'app', image: 'tool:1', args: ['sleep', '999'], ...volume }],
  });
  const seen = await node.watch(() => {
    const status = node.pod('init')!.status!;
    const state = (one: { state?: object } | undefined) => Object.keys(one?.state ?? {})[0] ?? '-';
    return [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].map(state).join(' ');
  }, seconds(12));
  const steps = seen.map(([, value]) => value);
  expect(steps.at(-1)).toBe('terminated running terminated running');
  expect(steps).toContain('terminated running running waiting');
  expect(steps.some((step) => step.startsWith('running running'))).toBe(false);
  const id = node.pod('init')!.status!.containerStatuses![0]!.containerID!.slice('containerd://'.length);
  let out = '';
  node.loop.after(
    0,
    () =>
      void node.runtime.exec(id, ['cat', '/shared/x'], {
        stdout: (text) => {
          out += text;
        },
        stderr: () => {},
      }),
  );
  await node.run(seconds(1));
  expect(out).toBe('made by init');
});

test('environment and volumes from ConfigMaps, Secrets and the pod itself', async () => {
  const node = await createTestNode();
  node.api.put('configmaps', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'default' },
    data: { color: 'blue', 'app.ini': 'x=1' },
  });
  node.create('env', {
    volumes: [{ name: 'cfg', configMap: { name: 'settings' } }],
    containers: [
      {
        name: 'app',
        image: 'tool:1',
        args: ['sleep', '99999'],
        env: [
          { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color' } } },
          { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'login', key: 'password' } } },
          { name: 'WHERE', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          { name: 'GREETING', value: 'hello $(COLOR) $(NOBODY) $$(COLOR)' },
        ],
        volumeMounts: [{ name: 'cfg', mountPath: '/etc/cfg' }],
      },
    ],
  });
  await node.run(seconds(5));
  expect(node.pod('env')!.status!.containerStatuses![0]!.state!.waiting).toEqual({ reason: 'CreateContainerConfigError', message: 'secret "login" not found' });
  expect(node.events('env')).toContain('Failed: Error: secret "login" not found');
  node.api.put('secrets', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'login', namespace: 'default' }, data: { password: 'czNjcmV0' } });
  await node.run(seconds(20));
  const status = node.pod('env')!.status!.containerStatuses![0]!;
  expect(status.state!.running).toBeDefined();
  const id = status.containerID!.slice('containerd://'.length);
  let out = '';
  const io = {
    stdout: (text: string) => {
      out += text;
    },
    stderr: () => {},
  };
  node.loop.after(0, () => void node.runtime.exec(id, ['env'], io).then(() => node.runtime.exec(id, ['cat', '/etc/cfg/app.ini'], io)));
  await node.run(seconds(1));
  expect(out.split('\n')).toEqual(
    expect.arrayContaining(['COLOR=blue', 'PASSWORD=s3cret', `WHERE=${node.pod('env')!.status!.podIP}`, 'GREETING=hello blue $(NOBODY) $(COLOR)', 'x=1']),
  );
  // A changed ConfigMap reaches the files within a minute or so.
  node.api.edit('configmaps', 'default/settings', (map) => ({ ...map, data: { 'app.ini': 'x=2' } }));
  await node.run(seconds(70));
  expect(node.files.read('/var/lib/kubelet/pods/uid-env/volumes/kubernetes.io~configmap/cfg/app.ini')).toBe('x=2');
});

test('a missing ConfigMap keeps the pod in ContainerCreating with FailedMount', async () => {
  const node = await createTestNode();
  node.create('web', {
    ...web,
    volumes: [{ name: 'cfg', configMap: { name: 'settings' } }],
    containers: [{ ...web.containers[0], volumeMounts: [{ name: 'cfg', mountPath: '/etc/cfg' }] }],
  });
  await node.run(seconds(5));
  expect(node.events('web')).toEqual(['FailedMount: MountVolume.SetUp failed for volume "cfg" : configmap "settings" not found']);
  expect(node.pod('web')!.status!.containerStatuses![0]!.state).toEqual({ waiting: { reason: 'ContainerCreating' } });
  node.api.put('configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: 'default' }, data: {} });
  await node.run(seconds(15));
  expect(node.pod('web')!.status!.phase).toBe('Running');
});

const manifest = (port: string) => `
apiVersion: v1
kind: Pod
metadata:
  name: kube-apiserver
  namespace: kube-system
  labels: {component: kube-apiserver}
spec:
  hostNetwork: true
  containers:
  - name: kube-apiserver
    image: web:1
    env:
    - name: PORT
      value: "${port}"
`;

test('static pods run without an API server, get mirrors when there is one, and follow their manifests', async () => {
  const node = await createTestNode({ kubelet: false });
  node.api.down();
  node.files.write('/etc/kubernetes/manifests/kube-apiserver.yaml', manifest('6443'));
  node.startKubelet();
  await node.run(seconds(15));
  expect(node.runtime.containers()[0]).toMatchObject({ state: 'running' });
  const first = node.runtime.containers()[0]!.id;
  node.api.up();
  await node.run(seconds(60));
  const mirror = () =>
    node.api.get('pods', 'kube-system/kube-apiserver-node-1') as
      | { metadata: { annotations?: Record<string, string>; ownerReferences?: object[]; uid?: string }; status?: { phase: string; podIP: string } }
      | undefined;
  expect(mirror()!.metadata.annotations).toMatchObject({ 'kubernetes.io/config.source': 'file', 'kubernetes.io/config.mirror': expect.any(String) });
  expect(mirror()!.metadata.ownerReferences).toMatchObject([{ kind: 'Node', name: 'node-1', controller: true }]);
  expect(mirror()!.status).toMatchObject({ phase: 'Running', podIP: '10.0.0.11' });
  // Deleting the mirror does not touch the pod; it comes back.
  const before = mirror()!.metadata.uid;
  node.api.remove('pods', 'kube-system/kube-apiserver-node-1');
  await node.run(seconds(40));
  expect(mirror()!.metadata.uid).not.toBe(before);
  expect(node.runtime.containers()[0]!.id).toBe(first);
  // A changed manifest replaces the pod.
  node.files.write('/etc/kubernetes/manifests/kube-apiserver.yaml', manifest('6444'));
  await node.run(seconds(70));
  expect(
    node.runtime
      .containers()
      .filter((one) => one.state === 'running')
      .map((one) => one.config.env['PORT']),
  ).toEqual(['6444']);
  node.files.remove('/etc/kubernetes/manifests/kube-apiserver.yaml');
  await node.run(seconds(70));
  expect(node.runtime.containers()).toEqual([]);
  expect(mirror()).toBeUndefined();
});

test('a kubelet that crashes finds its containers again; orphans are removed', async () => {
  const node = await createTestNode({ kubelet: false });
  const kubelet = node.startKubelet();
  node.create('web', web);
  node.create('other', web);
  await node.run(seconds(5));
  const before = node.pod('web')!.status!.containerStatuses![0]!.containerID;
  kubelet.kill();
  node.api.remove('pods', 'default/other');
  await node.run(seconds(5));
  expect(node.runtime.containers().filter((one) => one.state === 'running')).toHaveLength(2);
  node.startKubelet();
  await node.run(seconds(40));
  expect(node.runtime.containers().filter((one) => one.state === 'running')).toHaveLength(1);
  expect(node.pod('web')!.status!.containerStatuses![0]).toMatchObject({ containerID: before, restartCount: 0, ready: true });
});

test('logs: tail, previous, follow; exec with frames', async () => {
  const node = await createTestNode();
  node.create('web', web);
  await node.run(seconds(4));
  const collect = async (query: Record<string, string>) => {
    const answer = await node.ask('/containerLogs/default/web/web', query);
    let text = typeof answer.body === 'string' ? answer.body : '';
    answer.stream?.read({
      value: (chunk) => {
        text += chunk as string;
      },
      end: () => {},
    });
    return text;
  };
  expect(await collect({ tailLines: '1', timestamps: 'true' })).toMatch(/^2026-01-05T08:00:\d\d\.\d{9}Z ready\n$/);
  expect(await collect({ previous: 'true' })).toBe('previous terminated container "web" in pod "web" not found');
  const answer = await node.ask('/exec/default/web/web', { command: ['exit', '3'], stdout: 'true' });
  const frames: unknown[] = [];
  answer.stream!.read({ value: (frame) => frames.push(frame), end: () => {} });
  await node.run(ms(100));
  expect(frames[0]).toEqual({ channel: 1, data: 'exiting 3\n' });
  expect(JSON.parse((frames[1] as { data: string }).data)).toMatchObject({
    status: 'Failure',
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: '3' }] },
  });
});

test('port-forward joins a connection of the pod; a dead kubelet refuses', async () => {
  const node = await createTestNode({ kubelet: false });
  const kubelet = node.startKubelet();
  node.create('web', web);
  await node.run(seconds(4));
  const up = new Pipe<Frame>();
  up.write({ stream: 0, channel: 4, data: '80' });
  up.write({ stream: 0, channel: 0, data: 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' });
  let frames: Frame[] = [];
  let answer: ApiResponse | undefined;
  node.loop.after(0, () => {
    void node.ask('/portForward/default/web', {}, { upgrade: up }).then((given) => {
      answer = given;
    });
  });
  await node.run(ms(10));
  answer!.stream!.read({
    value: (frame) => {
      frames = [...frames, frame as Frame];
    },
    end: () => {},
  });
  await node.run(ms(100));
  expect(frames[0]!.data).toContain('hello from web');
  kubelet.kill();
  await expect(node.ask('/healthz')).rejects.toThrow('dial tcp 10.0.0.11:10250: connect: connection refused');
});

test('termination messages: from the file, or from the log when asked', async () => {
  const node = await createTestNode();
  node.create('bye', {
    restartPolicy: 'Never',
    containers: [
      { name: 'file', image: 'tool:1', args: ['write', '/dev/termination-log', 'out of luck', '1'] },
      { name: 'log', image: 'tool:1', args: ['exit', '2'], terminationMessagePolicy: 'FallbackToLogsOnError' },
    ],
  });
  await node.run(seconds(6));
  expect(node.pod('bye')!.status!.containerStatuses!.map((one) => one.state!.terminated!.message)).toEqual(['out of luck', 'exiting 2\n']);
});

test('activeDeadlineSeconds ends a pod', async () => {
  const node = await createTestNode();
  node.create('slow', { activeDeadlineSeconds: 5, terminationGracePeriodSeconds: 1, containers: [{ name: 'app', image: 'tool:1' }] });
  await node.run(seconds(10));
  expect(node.pod('slow')!.status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' });
});

test('the same world whether settled exactly or by quiet turns, and twice the same', async () => {
  const story = async (host: typeof testHost) => {
    const node = await createTestNode({ images: [], host });
    node.api.put('configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: 'default' }, data: { color: 'blue' } });
    node.files.write('/etc/kubernetes/manifests/kube-apiserver.yaml', manifest('6443'));
    const probe = { httpGet: { path: '/healthz', port: 80 }, periodSeconds: 3 };
    for (let i = 0; i < 5; i++) {
      node.create(`web-${i}`, {
        volumes: [
          { name: 'cfg', configMap: { name: 'settings' } },
          { name: 'own', downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
        ],
        initContainers: [{ name: 'init', image: 'tool:1', args: ['exit', '0'] }],
        containers: [
          {
            ...web.containers[0],
            livenessProbe: probe,
            readinessProbe: probe,
            volumeMounts: [
              { name: 'cfg', mountPath: '/cfg' },
              { name: 'own', mountPath: '/own' },
            ],
          },
        ],
      });
    }
    node.create('crash', { containers: [{ name: 'app', image: 'tool:1', args: ['exit', '1'] }] });
    await node.run(seconds(120));
    for (let i = 0; i < 5; i++)
      node.api.edit('pods', `default/web-${i}`, (pod) => ({
        ...pod,
        metadata: { ...pod.metadata, deletionTimestamp: '2026-01-05T08:02:00Z', deletionGracePeriodSeconds: 30 },
      }));
    await node.run(seconds(60));
    expect(node.loop.lateTouches).toBe(0);
    expect(node.api.all('pods').map((pod) => pod.metadata.name)).toEqual(['crash', 'kube-apiserver-node-1']);
    return node.loop.hash();
  };
  const exact = await story(testHost);
  expect(await story(testHost)).toBe(exact);
  expect(await story(quietHost)).toBe(exact);
});
