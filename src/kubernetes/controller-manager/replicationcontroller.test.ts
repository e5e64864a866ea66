/** ReplicationControllers: docs/concepts/workloads/controllers/replicationcontroller; the work itself is the ReplicaSet's and tested there. */
import { expect, test } from 'vitest';
import type { ReplicationController } from '../api/types.gen.ts';
import { scenario } from './scenario.test-support.ts';

const rc = (replicas: number) => ({
  apiVersion: 'v1',
  kind: 'ReplicationController',
  metadata: { name: 'nginx', namespace: 'default' },
  spec: {
    replicas,
    selector: { app: 'nginx' },
    template: { metadata: { labels: { app: 'nginx' } }, spec: { containers: [{ name: 'nginx', image: 'nginx' }] } },
  },
});

test('keeps its number of pods, adopts what matches and lets go of what does not', async () => {
  const s = await scenario();
  s.api.put('pods', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'lone', namespace: 'default', labels: { app: 'nginx' } }, spec: { containers: [] } });
  s.api.put('replicationcontrollers', rc(3));
  await s.wait(5);
  expect(s.pods()).toHaveLength(3);
  const owner = { apiVersion: 'v1', kind: 'ReplicationController', name: 'nginx', controller: true, blockOwnerDeletion: true };
  for (const pod of s.pods()) expect(pod.metadata.ownerReferences).toEqual([expect.objectContaining(owner)]);
  expect(s.pods().some((pod) => pod.metadata.name === 'lone')).toBe(true);
  const stored = () => s.api.get('replicationcontrollers', 'default/nginx') as unknown as ReplicationController;
  expect(stored().status).toEqual({ replicas: 3, fullyLabeledReplicas: 3, readyReplicas: 3, availableReplicas: 3, observedGeneration: 1 });
  const told = s.api.all('events').find((event) => (event as { reason?: string }).reason === 'SuccessfulCreate');
  expect(told).toMatchObject({
    source: { component: 'replication-controller' },
    involvedObject: { kind: 'ReplicationController', apiVersion: 'v1', name: 'nginx' },
  });

  // "Isolating pods from a ReplicationController": change a label and it is replaced.
  s.api.edit('pods', 'default/lone', (pod) => ({ ...pod, metadata: { ...pod.metadata, labels: { app: 'debug' } } }));
  await s.wait(5);
  expect(s.pods()).toHaveLength(4);
  expect(s.pods().find((pod) => pod.metadata.name === 'lone')?.metadata.ownerReferences ?? []).toEqual([]);

  s.api.edit('replicationcontrollers', 'default/nginx', (object) => ({ ...object, spec: { ...(object.spec as object), replicas: 1 } }));
  await s.wait(5);
  expect(s.pods()).toHaveLength(2);
  expect(stored().status).toMatchObject({ replicas: 1, observedGeneration: 2 });
});
