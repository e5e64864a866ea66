/** What a kubelet says to pods that the scheduler did not choose for it (`lifecycle/predicate.go`). */
import { describe, expect, test } from 'vitest';
import { seconds } from '../../sim/clock.ts';
import { type AdmittingNode, refusalOf } from './admit.ts';
import { createTestNode } from './kubelet.test-support.ts';
import type { PodObject } from './pod-view.ts';

const pod = (spec: object, metadata: object = {}): PodObject =>
  ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default', uid: 'u', ...metadata }, spec: { containers: [], ...spec } }) as PodObject;
const asks = (requests: object, more: object = {}): PodObject => pod({ containers: [{ name: 'c', image: 'i', resources: { requests }, ...more }] });
const node: AdmittingNode = {
  name: 'node-1',
  labels: { disk: 'ssd', 'kubernetes.io/os': 'linux' },
  taints: [
    { key: 'broken', value: 'yes', effect: 'NoExecute' },
    { key: 'mine', effect: 'NoSchedule' },
  ],
  allocatable: { cpu: '2', memory: '1Gi', 'ephemeral-storage': '10Gi', pods: '3', 'example.com/gpu': '1' },
};
const TOLERANT = { tolerations: [{ key: 'broken', operator: 'Exists' }] };
const tolerant = (spec: object = {}): PodObject => pod({ ...TOLERANT, ...spec });

describe('refusals', () => {
  test.each<[string, PodObject, PodObject[], string | undefined]>([
    ['nothing asked', tolerant(), [], undefined],
    [
      'more CPU than is left',
      asks({ cpu: '1500m' }),
      [asks({ cpu: '600m' })],
      "OutOfcpu: Node didn't have enough resource: cpu, requested: 1500, used: 600, capacity: 2000",
    ],
    [
      'more memory than there is',
      asks({ memory: '2Gi' }),
      [],
      "OutOfmemory: Node didn't have enough resource: memory, requested: 2147483648, used: 0, capacity: 1073741824",
    ],
    ['one pod too many', pod({}), [pod({}), pod({}), pod({})], "OutOfpods: Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3"],
    [
      'a device that is taken',
      asks({ 'example.com/gpu': '1' }),
      [asks({ 'example.com/gpu': '1' })],
      "OutOfexample.com/gpu: Node didn't have enough resource: example.com/gpu, requested: 1, used: 1, capacity: 1",
    ],
    ['a device the node knows nothing of is the cluster’s affair', tolerant({ ...asks({ 'example.com/fpga': '1' }).spec, ...TOLERANT }), [], undefined],
    [
      'a label it has not',
      tolerant({ nodeSelector: { disk: 'tape' } }),
      [],
      "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    ],
    [
      'a port that is taken',
      tolerant({ containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80 }] }] }),
      [asks({}, { ports: [{ containerPort: 8080, hostPort: 80 }] })],
      "NodePorts: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    ],
    [
      'the same port of another protocol is free',
      tolerant({ containers: [{ name: 'c', ports: [{ containerPort: 53, hostPort: 53, protocol: 'UDP' }] }] }),
      [asks({}, { ports: [{ containerPort: 53, hostPort: 53 }] })],
      undefined,
    ],
    ['a taint that executes', pod({}), [], "TaintToleration: Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate"],
    ['a static pod is there whatever the taints say', pod({}, { annotations: { 'kubernetes.io/config.source': 'file' } }), [], undefined],
    ['another operating system', tolerant({ os: { name: 'windows' } }), [], "PodOSNotSupported: Failed to admit pod as the OS field doesn't match node OS"],
  ])('%s', (_, asked, others, expected) => {
    const refusal = refusalOf(asked, node, others);
    expect(refusal && `${refusal.reason}: ${refusal.message}`).toBe(expected);
  });
});

test('a pod that names its node and does not fit there has failed, and stays so; its room is not counted', async () => {
  const lab = await createTestNode();
  await lab.run(seconds(5));
  const containers = (cpu: string) => [{ name: 'c', image: 'tool', args: ['sleep', '3600'], resources: { requests: { cpu } } }];
  lab.create('first', { containers: containers('3') });
  await lab.run(seconds(5));
  lab.create('second', { containers: containers('2') });
  await lab.run(seconds(5));
  expect(lab.pod('first')?.status?.phase).toBe('Running');
  const message = "Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000";
  expect(lab.pod('second')?.status).toMatchObject({ phase: 'Failed', reason: 'OutOfcpu', message: `Pod was rejected: ${message}`, qosClass: 'Burstable' });
  expect(lab.pod('second')?.status?.containerStatuses).toBeUndefined();
  expect(lab.events('second')).toEqual([`OutOfcpu: ${message}`]);
  lab.create('third', { containers: containers('1') });
  await lab.run(seconds(5));
  expect(lab.pod('third')?.status?.phase).toBe('Running');
});

test('labels that came after the kubelet looked last are asked for before a pod is refused', async () => {
  const lab = await createTestNode();
  await lab.run(seconds(5));
  const own = lab.api.get('nodes', 'node-1')!;
  lab.api.put('nodes', { ...own, metadata: { ...own.metadata, labels: { ...own.metadata.labels, disk: 'ssd' } } });
  const containers = [{ name: 'c', image: 'tool', args: ['sleep', '3600'] }];
  lab.create('fast', { nodeSelector: { disk: 'ssd' }, containers });
  lab.create('slow', { nodeSelector: { disk: 'tape' }, containers });
  await lab.run(seconds(10));
  expect(lab.pod('fast')?.status?.phase).toBe('Running');
  expect(lab.pod('slow')?.status).toMatchObject({ phase: 'Failed', reason: 'NodeAffinity' });
});
