/** A node that runs short (concepts/scheduling-eviction/node-pressure-eviction). */
import { describe, expect, test } from 'vitest';
import { minutes, seconds } from '../../sim/clock.ts';
import type { Node } from '../api/types.gen.ts';
import { isCritical, memoryMessage, rankForMemory, storageMessage } from './eviction.ts';
import { createTestNode } from './kubelet.test-support.ts';
import type { PodObject } from './pod-view.ts';

const MIB = 1024 * 1024;
const pod = (name: string, memory: string | undefined, more: object = {}): PodObject =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: name },
    spec: { containers: [{ name: 'c', image: 'i', resources: memory ? { requests: { memory } } : {} }], ...more },
  }) as PodObject;

describe('who goes first', () => {
  test('more than asked for, then the less important, then the greediest', () => {
    const used: Record<string, number> = { modest: 100, greedy: 900, greedier: 1000, important: 2000, within: 500 };
    const pods = [
      pod('within', '600Mi'),
      pod('important', '100Mi', { priority: 1000 }),
      pod('modest', undefined),
      pod('greedy', '100Mi'),
      pod('greedier', '300Mi'),
    ];
    const ranked = rankForMemory(pods, ({ metadata }) => used[metadata.name ?? '']! * MIB);
    expect(ranked.map(({ metadata }) => metadata.name)).toEqual(['greedy', 'greedier', 'modest', 'important', 'within']);
  });
  test('static pods and system priorities never', () => {
    expect(isCritical(pod('a', undefined, { priority: 2_000_000_000 }))).toBe(true);
    expect(isCritical(pod('a', undefined, { priority: 1_000_000_000 }))).toBe(false);
  });
  test('what is said', () => {
    expect(memoryMessage(pod('a', '64Mi'), [{ name: 'c', memoryBytes: 100 * MIB + 5 }], 50 * MIB)).toBe(
      'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container c was using 100Mi, request is 64Mi, has larger consumption of memory. ',
    );
  });
  test.each<[string, object, number, string | undefined]>([
    ['within its limit', { sizeLimit: '1Mi' }, MIB, undefined],
    ['over its limit', { sizeLimit: '1Mi' }, MIB + 1, 'Usage of EmptyDir volume "cache" exceeds the limit "1Mi". '],
    ['no limit', {}, 100 * MIB, undefined],
  ])('an emptyDir: %s', (_, emptyDir, bytes, expected) => {
    expect(storageMessage(pod('a', undefined, { volumes: [{ name: 'cache', emptyDir }] }), () => bytes)).toBe(expected);
  });
  test('all its volumes together over the limits of its containers', () => {
    const containers = [{ name: 'c', resources: { limits: { 'ephemeral-storage': '2Mi' } } }];
    const volumes = [
      { name: 'a', emptyDir: {} },
      { name: 'b', emptyDir: {} },
      { name: 'memory', emptyDir: { medium: 'Memory' } },
    ];
    expect(storageMessage(pod('a', undefined, { containers, volumes }), () => MIB)).toBeUndefined();
    expect(storageMessage(pod('a', undefined, { containers, volumes }), () => MIB + 1)).toBe(
      'Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. ',
    );
  });
});

test('a node short of memory says so, ends the greediest pod, and takes none that asked for nothing until five minutes after', async () => {
  const lab = await createTestNode();
  await lab.run(seconds(5));
  const containers = (requests: object) => [{ name: 'c', image: 'web:1', resources: { requests } }];
  lab.create('promised', { containers: containers({ memory: '1Gi' }) });
  lab.create('greedy', { containers: containers({ memory: '10Mi' }) });
  await lab.run(seconds(10));
  const leak = async (name: string, mebibytes: number) => {
    const connected = lab.network.connect(lab.pod(name)!.status!.podIP!, 80);
    await lab.run(seconds(1));
    (await connected).send(`GET /leak?bytes=${mebibytes * MIB} HTTP/1.1\r\nhost: ${name}\r\n\r\n`);
    await lab.run(seconds(1));
  };
  const pressure = () => {
    const node = lab.api.get('nodes', 'node-1') as unknown as Node;
    return node.status?.conditions?.find(({ type }) => type === 'MemoryPressure');
  };
  await leak('promised', 900);
  await lab.run(seconds(20));
  expect(pressure()).toMatchObject({ status: 'False', reason: 'KubeletHasSufficientMemory' });

  await leak('greedy', 6_900);
  await lab.run(seconds(20));
  expect(lab.pod('greedy')?.status).toMatchObject({ phase: 'Failed', reason: 'Evicted' });
  expect(lab.pod('greedy')?.status?.message).toBe(
    'The node was low on resource: memory. Threshold quantity: 100Mi, available: 24Mi. Container c was using 6904Mi, request is 10Mi, has larger consumption of memory. ',
  );
  expect(lab.pod('greedy')?.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')).toMatchObject({
    status: 'True',
    reason: 'TerminationByKubelet',
  });
  expect(lab.pod('promised')?.status?.phase).toBe('Running');
  expect(lab.events('greedy').filter((line) => line.startsWith('Evicted: The node was low on resource: memory.'))).toHaveLength(1);
  expect(lab.events('node-1')).toEqual(
    expect.arrayContaining([
      'EvictionThresholdMet: Attempting to reclaim memory',
      'NodeHasInsufficientMemory: Node node-1 status is now: NodeHasInsufficientMemory',
    ]),
  );
  expect(pressure()).toMatchObject({ status: 'True', reason: 'KubeletHasInsufficientMemory' });

  lab.create('nothing', { containers: containers({}) });
  lab.create('something', { containers: containers({ memory: '10Mi' }) });
  lab.create('brave', { containers: containers({}), tolerations: [{ key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' }] });
  await lab.run(seconds(10));
  expect(lab.pod('nothing')?.status).toMatchObject({
    phase: 'Failed',
    reason: 'Evicted',
    message: 'Pod was rejected: The node had condition: [MemoryPressure]. ',
  });
  expect(lab.pod('something')?.status?.phase).toBe('Running');
  expect(lab.pod('brave')?.status?.phase).toBe('Running');

  await lab.run(minutes(5) + seconds(20));
  expect(pressure()).toMatchObject({ status: 'False' });
  lab.create('later', { containers: containers({}) });
  await lab.run(seconds(10));
  expect(lab.pod('later')?.status?.phase).toBe('Running');
});

test('a pod that outgrows its emptyDir is evicted', async () => {
  const lab = await createTestNode();
  await lab.run(seconds(5));
  lab.create('hoarder', {
    containers: [{ name: 'c', image: 'tool', args: ['sleep', '3600'], volumeMounts: [{ name: 'cache', mountPath: '/cache' }] }],
    volumes: [{ name: 'cache', emptyDir: { sizeLimit: '1Ki' } }],
  });
  await lab.run(seconds(10));
  expect(lab.pod('hoarder')?.status?.phase).toBe('Running');
  lab.files.write('/var/lib/kubelet/pods/uid-hoarder/volumes/kubernetes.io~empty-dir/cache/heap', 'x'.repeat(2_000));
  await lab.run(seconds(20));
  expect(lab.pod('hoarder')?.status).toMatchObject({
    phase: 'Failed',
    reason: 'Evicted',
    message: 'Usage of EmptyDir volume "cache" exceeds the limit "1Ki". ',
  });
});
