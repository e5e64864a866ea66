import { describe, expect, test } from 'vitest';
import { seconds } from '../../sim/clock.ts';
import type { Pod } from '../api/types.gen.ts';
import { createTestNode, type TestNode } from './kubelet.test-support.ts';
import type { PodObject } from './pod-view.ts';
import { changes, needsRestart, pendingResize, withAllocation } from './resize.ts';

const GI = 1024 * 1024 * 1024;
const asks = (cpu: string, memory: string): PodObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'default', uid: 'u' },
  spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu, memory } } }] },
});
const NODE = { cpu: '4', memory: '8Gi' };

// Texts: allocation_manager_test.go of v1.33's TestHandlePodResourcesResize.
describe('what is not granted', () => {
  test.each([
    ['fits', asks('1', '1Gi'), undefined],
    [
      'more memory than there is',
      asks('1', '9Gi'),
      { reason: 'Infeasible', message: `Node didn't have enough capacity: memory, requested: ${9 * GI}, capacity: ${8 * GI}` },
    ],
    [
      'more processors than there are',
      asks('1000', '1Gi'),
      { reason: 'Infeasible', message: "Node didn't have enough capacity: cpu, requested: 1000000, capacity: 4000" },
    ],
  ])('%s', (_, pod, wanted) => expect(pendingResize(pod, NODE, () => undefined)).toEqual(wanted));

  test('what admission would refuse is deferred', () => {
    const message = "Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000";
    expect(pendingResize(asks('2', '1Gi'), NODE, () => ({ message }))).toEqual({ reason: 'Deferred', message });
  });
});

test('amounts are compared, not their spelling', () => {
  expect(changes({ requests: { cpu: '500m', memory: '1Gi' } }, { requests: { cpu: '0.5', memory: '1024Mi' } })).toEqual([]);
  expect(changes({ requests: { cpu: '500m' } }, { requests: { cpu: '600m' }, limits: { memory: '1Gi' } })).toEqual(['cpu', 'memory']);
});

test('a policy is for its own resource', () => {
  const container = { name: 'c', resizePolicy: [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }] };
  expect(needsRestart(container, ['cpu'])).toBe(false);
  expect(needsRestart(container, ['cpu', 'memory'])).toBe(true);
  expect(needsRestart({ name: 'c' }, ['memory'])).toBe(false);
});

test('a pod that was granted what it asks for is itself', () => {
  const pod = asks('1', '1Gi');
  expect(withAllocation(pod, new Map([['c', { requests: { memory: '1Gi', cpu: '1' } }]]))).toBe(pod);
  expect(withAllocation(pod, new Map([['c', { requests: { cpu: '2' } }]])).spec?.containers[0]?.resources).toEqual({ requests: { cpu: '2' } });
});

const resize = (node: TestNode, name: string, resources: object, container = 'c'): void =>
  node.api.edit('pods', `default/${name}`, (stored) => {
    const pod = stored as unknown as Pod;
    return { ...pod, spec: { ...pod.spec!, containers: pod.spec!.containers.map((one) => (one.name === container ? { ...one, resources } : one)) } };
  });
const resources = (cpu: string, memory: string) => ({ requests: { cpu, memory }, limits: { cpu, memory } });
const statusOf = (node: TestNode, name: string) => node.pod(name)?.status?.containerStatuses?.[0];
const resizing = (node: TestNode, name: string) =>
  (node.pod(name)?.status?.conditions ?? []).filter(({ type }) => type.startsWith('PodResize')).map(({ type, reason, message }) => ({ type, reason, message }));
const web = (cpu: string, memory: string, more: object = {}) => ({ containers: [{ name: 'c', image: 'web:1', resources: resources(cpu, memory), ...more }] });

test('resources of a running container change under it', async () => {
  const node = await createTestNode();
  node.create('p', web('500m', '200Mi'));
  await node.run(seconds(10));
  const before = statusOf(node, 'p')!;
  expect(before).toMatchObject({ resources: resources('500m', '200Mi'), allocatedResources: { cpu: '500m', memory: '200Mi' } });

  resize(node, 'p', resources('800m', '300Mi'));
  const seen = await node.watch(() => resizing(node, 'p').map(({ type }) => type), seconds(5));
  expect(seen.map(([, types]) => types)).toEqual([[], ['PodResizeInProgress'], []]);
  expect(statusOf(node, 'p')).toMatchObject({
    containerID: before.containerID,
    restartCount: 0,
    resources: resources('800m', '300Mi'),
    allocatedResources: { cpu: '800m', memory: '300Mi' },
  });
  expect(node.runtime.containers()[0]?.config).toMatchObject({ cpuLimit: 800, cpuRequest: 800, memoryLimit: 300 * 1024 * 1024 });
});

test('a container whose policy wants it is made anew', async () => {
  const node = await createTestNode();
  node.create('p', web('500m', '200Mi', { resizePolicy: [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }] }));
  await node.run(seconds(10));
  resize(node, 'p', resources('700m', '200Mi'));
  await node.run(seconds(5));
  expect(statusOf(node, 'p')?.restartCount).toBe(0);
  resize(node, 'p', resources('700m', '100Mi'));
  await node.run(seconds(10));
  expect(statusOf(node, 'p')).toMatchObject({ restartCount: 1, resources: resources('700m', '100Mi'), lastState: { terminated: { exitCode: 0 } } });
  expect(node.events('p')).toContain('Killing: Container c resize requires restart');
  expect(resizing(node, 'p')).toEqual([]);
});

test('what cannot be is told, and taken back', async () => {
  const node = await createTestNode();
  node.create('p', web('500m', '200Mi'));
  await node.run(seconds(10));
  resize(node, 'p', resources('1000', '200Mi'));
  await node.run(seconds(5));
  expect(resizing(node, 'p')).toEqual([
    { type: 'PodResizePending', reason: 'Infeasible', message: "Node didn't have enough capacity: cpu, requested: 1000000, capacity: 4000" },
  ]);
  expect(statusOf(node, 'p')).toMatchObject({ resources: resources('500m', '200Mi'), allocatedResources: { cpu: '500m' } });
  resize(node, 'p', resources('500m', '200Mi'));
  await node.run(seconds(5));
  expect(resizing(node, 'p')).toEqual([]);
});

test('what must wait is granted once another pod has gone; a kubelet that dies meanwhile forgets nothing', async () => {
  const node = await createTestNode({ kubelet: false });
  const first = node.startKubelet();
  node.create('large', web('3', '200Mi'));
  node.create('p', web('500m', '200Mi'));
  await node.run(seconds(10));
  resize(node, 'p', resources('2', '200Mi'));
  await node.run(seconds(5));
  const deferred = {
    type: 'PodResizePending',
    reason: 'Deferred',
    message: "Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000",
  };
  expect(resizing(node, 'p')).toEqual([deferred]);
  first.kill();
  node.startKubelet();
  await node.run(seconds(15));
  expect(node.pod('p')?.status?.phase).toBe('Running');
  expect(resizing(node, 'p')).toEqual([deferred]);
  expect(statusOf(node, 'p')).toMatchObject({ restartCount: 0, allocatedResources: { cpu: '500m' }, resources: resources('500m', '200Mi') });

  node.api.edit('pods', 'default/large', (pod) => ({
    ...pod,
    metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 1 },
  }));
  await node.run(seconds(120));
  expect(resizing(node, 'p')).toEqual([]);
  expect(statusOf(node, 'p')).toMatchObject({ restartCount: 0, allocatedResources: { cpu: '2' }, resources: resources('2', '200Mi') });
});
