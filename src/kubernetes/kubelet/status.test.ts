import { expect, test } from 'vitest';
import { seconds } from '../../sim/clock.ts';
import type { Container } from '../api/types.gen.ts';
import { computeActions } from './actions.ts';
import { Backoff, goDuration } from './backoff.ts';
import { decodeBase64 } from './base64.ts';
import type { ContainerStatus, SandboxStatus } from './cri.ts';
import { expand, serviceEnvironment } from './environment.ts';
import { defaultPolicy } from './image-puller.ts';
import { ANNOTATION, containerHash, type PodObject, type PodView } from './pod-view.ts';
import { qosClass } from './qos.ts';
import { podDns } from './sandbox-config.ts';
import { podStatus, type StatusInput } from './status.ts';
import { sameJson, statusPatch } from './statuses.ts';

const pod = (policy: string, containers: readonly string[], inits: readonly Container[] = []): PodObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'default', uid: 'u' },
  spec: { restartPolicy: policy, containers: containers.map((name) => ({ name, image: 'x' })), initContainers: inits },
});
const box = (state: 'ready' | 'notready' = 'ready', attempt = 0): SandboxStatus => ({
  id: `box-${attempt}`,
  state,
  ips: state === 'ready' ? ['10.244.0.9'] : [],
  createdAt: attempt,
  config: {
    name: 'p',
    namespace: 'default',
    uid: 'u',
    attempt,
    hostname: 'p',
    hostNetwork: false,
    labels: {},
    annotations: {},
    dns: { servers: [], searches: [], options: [] },
  },
});
const one = (name: string, state: 'running' | 'exited', exitCode?: number, attempt = 0, sandbox = 'box-0'): ContainerStatus => ({
  id: `${name}-${attempt}`,
  sandbox,
  imageId: 'x@sha256:1',
  state,
  createdAt: attempt,
  startedAt: attempt,
  ...(state === 'exited' && { finishedAt: attempt + 1, exitCode: exitCode!, reason: exitCode === 0 ? 'Completed' : 'Error' }),
  config: {
    name,
    attempt,
    image: 'x',
    env: {},
    mounts: [],
    labels: {},
    annotations: { [ANNOTATION.restartCount]: String(attempt), [ANNOTATION.hash]: containerHash({ name, image: 'x' }) },
  },
});
const view = (containers: readonly ContainerStatus[], sandboxes: readonly SandboxStatus[] = [box()]): PodView => {
  const map = new Map<string, ContainerStatus[]>();
  for (const status of [...containers].sort((a, b) => b.createdAt - a.createdAt)) map.set(status.config.name, [...(map.get(status.config.name) ?? []), status]);
  return { sandboxes, containers: map };
};
const statusOf = (object: PodObject, state: PodView, more: Partial<StatusInput> = {}) =>
  podStatus({
    pod: object,
    old: {},
    view: state,
    waiting: new Map(),
    started: () => true,
    ready: () => true,
    hostIP: '10.0.0.1',
    now: seconds(100),
    terminating: false,
    terminal: false,
    terminationMessage: () => undefined,
    ...more,
  });

const init = (name: string, restartPolicy?: string): Container => ({ name, image: 'x', ...(restartPolicy && { restartPolicy }) });

test.each<[string, string, readonly Container[], readonly ContainerStatus[], boolean, string]>([
  ['nothing started', 'Always', [], [], false, 'Pending'],
  ['all running', 'Always', [], [one('a', 'running'), one('b', 'running')], false, 'Running'],
  ['one not yet started', 'Always', [], [one('a', 'running')], false, 'Pending'],
  ['one dead, to be restarted', 'Always', [], [one('a', 'running'), one('b', 'exited', 1)], false, 'Running'],
  ['all dead, to be restarted', 'Always', [], [one('a', 'exited', 0), one('b', 'exited', 1)], false, 'Running'],
  ['all succeeded', 'OnFailure', [], [one('a', 'exited', 0), one('b', 'exited', 0)], false, 'Succeeded'],
  ['one failed, tried again', 'OnFailure', [], [one('a', 'exited', 0), one('b', 'exited', 1)], false, 'Running'],
  ['one failed, for good', 'Never', [], [one('a', 'exited', 0), one('b', 'exited', 1)], false, 'Failed'],
  ['an init container runs', 'Always', [init('i')], [one('i', 'running')], false, 'Pending'],
  ['an init container failed for good', 'Never', [init('i')], [one('i', 'exited', 1)], false, 'Failed'],
  ['an init container failed, tried again', 'Always', [init('i')], [one('i', 'exited', 1)], false, 'Pending'],
  [
    'the sidecar outlives its job for a moment',
    'Never',
    [init('i', 'Always')],
    [one('i', 'running'), one('a', 'exited', 0), one('b', 'exited', 0)],
    false,
    'Running',
  ],
  ['stopped for good, killed', 'Always', [], [one('a', 'exited', 137), one('b', 'exited', 0)], true, 'Failed'],
  ['stopped for good, politely', 'Always', [], [one('a', 'exited', 0), one('b', 'exited', 0)], true, 'Succeeded'],
])('phase: %s', (_, policy, inits, containers, terminal, phase) => {
  expect(statusOf(pod(policy, ['a', 'b'], inits), view(containers), { terminal, terminating: terminal }).phase).toBe(phase);
});

const conditions = (status: ReturnType<typeof statusOf>) =>
  Object.fromEntries(status.conditions!.map(({ type, status: value, reason, message }) => [type, [value, reason, message].filter(Boolean).join(' ')]));
test('conditions while init containers run', () => {
  expect(conditions(statusOf(pod('Always', ['a'], [init('i')]), view([one('i', 'running')])))).toEqual({
    PodReadyToStartContainers: 'True',
    Initialized: 'False ContainersNotInitialized containers with incomplete status: [i]',
    Ready: 'False ContainersNotReady containers with unready status: [a]',
    ContainersReady: 'False ContainersNotReady containers with unready status: [a]',
    PodScheduled: 'True',
  });
});
test('conditions when the work is done', () => {
  expect(conditions(statusOf(pod('Never', ['a']), view([one('a', 'exited', 0)], [box('notready')])))).toEqual({
    PodReadyToStartContainers: 'False',
    Initialized: 'True PodCompleted',
    Ready: 'False PodCompleted',
    ContainersReady: 'False PodCompleted',
    PodScheduled: 'True',
  });
});
test('a readiness gate holds Ready back, not ContainersReady', () => {
  const gated: PodObject = { ...pod('Always', ['a']), spec: { ...pod('Always', ['a']).spec!, readinessGates: [{ conditionType: 'x/y' }] } };
  expect(conditions(statusOf(gated, view([one('a', 'running')])))).toMatchObject({
    Ready: 'False ReadinessGatesNotReady corresponding condition of pod readiness gate "x/y" does not exist.',
    ContainersReady: 'True',
  });
});
test('transition times move only when the status does', () => {
  const first = statusOf(pod('Always', ['a']), view([one('a', 'running')]));
  const again = statusOf(pod('Always', ['a']), view([one('a', 'running')]), { old: first, now: seconds(500) });
  expect(sameJson(first, again)).toBe(true);
  const unready = statusOf(pod('Always', ['a']), view([one('a', 'running')]), { old: first, now: seconds(500), ready: () => false });
  const time = (type: string) => unready.conditions!.find((condition) => condition.type === type)!.lastTransitionTime;
  expect([time('Ready'), time('Initialized')]).toEqual(['2026-01-05T08:08:20Z', '2026-01-05T08:01:40Z']);
});
test('a crash loop: waiting, with the last state beside it', () => {
  const status = statusOf(pod('Always', ['a']), view([one('a', 'exited', 1, 3), one('a', 'exited', 2, 2)]), {
    waiting: new Map([['a', { reason: 'CrashLoopBackOff', message: 'back-off' }]]),
  });
  expect(status.containerStatuses![0]).toMatchObject({
    restartCount: 3,
    state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
    lastState: { terminated: { exitCode: 1 } },
    ready: false,
    started: false,
  });
});

const probes = { liveness: () => 'success' as const, startup: () => 'unknown' as const, started: () => true };
const plan = (object: PodObject, state: PodView, more: Partial<Parameters<typeof computeActions>[2]> = {}) => {
  const actions = computeActions(object, state, { ...probes, ...more });
  return [
    actions.killPod ? 'kill pod' : '',
    actions.createSandbox !== undefined ? `sandbox ${actions.createSandbox}` : '',
    ...actions.kill.map(({ why }) => `kill: ${why}`),
    ...actions.start.map(({ spec }) => `start ${spec.name}`),
  ]
    .filter(Boolean)
    .join(', ');
};
test.each<[string, PodObject, PodView, string]>([
  ['a new pod', pod('Always', ['a', 'b']), view([], []), 'sandbox 0, start a, start b'],
  ['a new pod with init containers', pod('Always', ['a'], [init('i'), init('j')]), view([], []), 'sandbox 0, start i'],
  ['the next init container', pod('Always', ['a'], [init('i'), init('j')]), view([one('i', 'exited', 0)]), 'start j'],
  ['waiting for an init container', pod('Always', ['a'], [init('i')]), view([one('i', 'running')]), ''],
  ['a failed init container', pod('Always', ['a'], [init('i')]), view([one('i', 'exited', 1)]), 'start i'],
  ['a failed init container for good', pod('Never', ['a'], [init('i')]), view([one('i', 'exited', 1)]), 'kill pod'],
  ['past a sidecar', pod('Always', ['a'], [init('i', 'Always')]), view([one('i', 'running')]), 'start a'],
  ['a dead sidecar', pod('Always', ['a'], [init('i', 'Always')]), view([one('i', 'exited', 0), one('a', 'running')]), 'start i'],
  ['all well', pod('Always', ['a']), view([one('a', 'running')]), ''],
  ['a dead container', pod('Always', ['a', 'b']), view([one('a', 'running'), one('b', 'exited', 0)]), 'start b'],
  ['done', pod('OnFailure', ['a']), view([one('a', 'exited', 0)]), 'kill pod'],
  ['the sandbox died', pod('Always', ['a']), view([one('a', 'exited', 255)], [box('notready')]), 'kill pod, sandbox 1, start a'],
  ['the sandbox died and so it stays', pod('Never', ['a']), view([one('a', 'exited', 255)], [box('notready')]), 'kill pod'],
])('actions: %s', (_, object, state, expected) => expect(plan(object, state)).toBe(expected));
test('a container that fails its liveness probe, and one whose image changed', () => {
  expect(plan(pod('Always', ['a']), view([one('a', 'running')]), { liveness: () => 'failure' })).toBe(
    'kill: Container a failed liveness probe, will be restarted, start a',
  );
  const changed: PodObject = { ...pod('Always', ['a']), spec: { containers: [{ name: 'a', image: 'y' }] } };
  expect(plan(changed, view([one('a', 'running')]))).toBe('kill: Container a definition changed, will be restarted, start a');
});

test('back-off doubles to its maximum and starts over after twice that', () => {
  const backoff = new Backoff(seconds(10), seconds(300));
  const waits: number[] = [];
  let now = 0;
  for (let i = 0; i < 7; i++) {
    backoff.next('k', now, now);
    waits.push((backoff.until('k', now, now)! - now) / 1e6);
    now += backoff.get('k');
  }
  expect(waits).toEqual([10, 20, 40, 80, 160, 300, 300]);
  now += seconds(601);
  backoff.next('k', now, now);
  expect(backoff.get('k')).toBe(seconds(10));
});
test.each([
  [10, '10s'],
  [160, '2m40s'],
  [300, '5m0s'],
  [1.2, '1.2s'],
  [0.313, '313ms'],
  [3600, '1h0m0s'],
])('%f s is %s', (n, text) => expect(goDuration(seconds(n))).toBe(text));
test.each([
  ['nginx', 'Always'],
  ['nginx:latest', 'Always'],
  ['nginx:1.27', 'IfNotPresent'],
  ['localhost:5000/x', 'Always'],
  ['x@sha256:1', 'IfNotPresent'],
])('pull policy of %s is %s', (image, policy) => expect(defaultPolicy(image)).toBe(policy));
test('base64', () => expect([decodeBase64('czNjcmV0'), decodeBase64('w6TDtsO8'), decodeBase64('YQ==')]).toEqual(['s3cret', 'äöü', 'a']));
test('$(NAME)', () => expect(expand('$(A) $$(A) $(B) $A', { A: '1' })).toBe('1 $(A) $(B) $A'));
test('service variables', () => {
  const services = [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kubernetes', namespace: 'default' },
      spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, protocol: 'TCP' }] },
    },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'my-web', namespace: 'shop' }, spec: { clusterIP: '10.96.1.1', ports: [{ port: 80 }] } },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'headless', namespace: 'shop' }, spec: { clusterIP: 'None' } },
  ];
  expect(serviceEnvironment(services, 'other', true)).toEqual({
    KUBERNETES_SERVICE_HOST: '10.96.0.1',
    KUBERNETES_SERVICE_PORT: '443',
    KUBERNETES_SERVICE_PORT_HTTPS: '443',
    KUBERNETES_PORT: 'tcp://10.96.0.1:443',
    KUBERNETES_PORT_443_TCP: 'tcp://10.96.0.1:443',
    KUBERNETES_PORT_443_TCP_PROTO: 'tcp',
    KUBERNETES_PORT_443_TCP_PORT: '443',
    KUBERNETES_PORT_443_TCP_ADDR: '10.96.0.1',
  });
  expect(serviceEnvironment(services, 'shop', true)).toMatchObject({ MY_WEB_SERVICE_HOST: '10.96.1.1', MY_WEB_PORT_80_TCP_PORT: '80' });
  expect(serviceEnvironment(services, 'shop', false)['MY_WEB_SERVICE_HOST']).toBeUndefined();
});
test.each([
  [{ requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1000m', memory: '1024Mi' } }, 'Guaranteed'],
  [{ limits: { cpu: '1', memory: '1Gi' } }, 'Guaranteed'],
  [{ requests: { cpu: '100m' } }, 'Burstable'],
  [{}, 'BestEffort'],
])('QoS of %j is %s', (resources, expected) => {
  const object: PodObject = { ...pod('Always', []), spec: { containers: [{ name: 'a', image: 'x', resources }] } };
  expect(qosClass(object)).toBe(expected);
});
test('DNS policies', () => {
  const defaults = { clusterDns: ['10.96.0.10'], clusterDomain: 'cluster.local', host: 'nameserver 10.0.0.2\nsearch corp\n', nodeName: 'n' };
  const dns = (spec: object) => podDns({ ...pod('Always', []), spec: { containers: [], ...spec } }, defaults);
  expect(dns({})).toEqual({
    servers: ['10.96.0.10'],
    searches: ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'corp'],
    options: ['ndots:5'],
  });
  expect(dns({ hostNetwork: true }).servers).toEqual(['10.0.0.2']);
  expect(dns({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }).servers).toEqual(['10.96.0.10']);
  expect(dns({ dnsPolicy: 'None', dnsConfig: { nameservers: ['1.1.1.1'], options: [{ name: 'ndots', value: '2' }] } })).toEqual({
    servers: ['1.1.1.1'],
    searches: [],
    options: ['ndots:2'],
  });
});
test('status patches say only what changed', () => {
  expect(statusPatch({ phase: 'Running', podIP: '1' }, { phase: 'Running', podIP: '1' })).toBeUndefined();
  expect(statusPatch({ phase: 'Pending', reason: 'x' }, { phase: 'Running' })).toEqual({ phase: 'Running', reason: null });
  const waiting = { type: 'Ready', status: 'False', reason: 'ContainersNotReady', message: 'containers with unready status: [c]' };
  expect(statusPatch({ conditions: [waiting] }, { conditions: [{ type: 'Ready', status: 'True' }] })).toEqual({
    conditions: [{ type: 'Ready', status: 'True', reason: null, message: null }],
  });
  expect(statusPatch({ podIPs: [{ ip: '1' }] }, { podIPs: [{ ip: '2' }] })).toEqual({ podIPs: [{ ip: '2' }, { ip: '1', $patch: 'delete' }] });
});
