/** DaemonSets as kubernetes.io's "DaemonSet" and "Perform a Rolling Update on a DaemonSet" pages, KEP-1591 (maxSurge) and pkg/controller/daemon say. */
import { expect, test } from 'vitest';
import type { DaemonSet, Pod } from '../api/types.gen.ts';
import { type Scenario, scenario } from './scenario.test-support.ts';

const daemons = (spec: object = {}, image = 'agent:1', generation = 1) => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: {
    name: 'agent',
    namespace: 'kube-system',
    generation,
    annotations: { 'deprecated.daemonset.template.generation': String(generation) },
  },
  spec: {
    selector: { matchLabels: { app: 'agent' } },
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    revisionHistoryLimit: 10,
    template: { metadata: { labels: { app: 'agent' } }, spec: { containers: [{ name: 'c', image }] } },
    ...spec,
  },
});
const surge = { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } };
const stored = (s: Scenario) => s.api.get('daemonsets', 'kube-system/agent') as unknown as DaemonSet;
const change = (s: Scenario, spec: object, image: string, generation: number) =>
  s.api.edit('daemonsets', 'kube-system/agent', (object) => ({
    ...object,
    ...daemons(spec, image, generation),
    metadata: { ...object.metadata, ...daemons(spec, image, generation).metadata },
  }));
const images = (s: Scenario): (string | undefined)[] => s.pods().map((pod) => pod.spec?.containers[0]?.image);
const running = (pod: Pod): boolean => pod.status?.phase === 'Running' && !pod.metadata.deletionTimestamp;

test('maxSurge: the new pod is there before the old one goes, on one node at a time', async () => {
  const s = await scenario();
  s.api.put('daemonsets', daemons(surge));
  await s.wait(8);
  change(s, surge, 'agent:2', 2);
  let most = 0;
  for (let i = 0; i < 60; i++) {
    await s.wait(0.2);
    expect(
      new Set(
        s
          .pods()
          .filter(running)
          .map((pod) => pod.spec?.nodeName),
      ).size,
    ).toBe(3);
    most = Math.max(most, s.pods().filter((pod) => !pod.metadata.deletionTimestamp).length);
  }
  expect(most).toBe(4);
  expect(images(s)).toEqual(['agent:2', 'agent:2', 'agent:2']);
});

test('maxUnavailable in percent rounds up: two of three nodes at a time', async () => {
  const s = await scenario();
  const spec = { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '50%', maxSurge: 0 } } };
  s.api.put('daemonsets', daemons(spec));
  await s.wait(8);
  s.broken = (pod) => pod.spec?.containers[0]?.image === 'agent:2';
  change(s, spec, 'agent:2', 2);
  await s.wait(15);
  expect(images(s).sort()).toEqual(['agent:1', 'agent:2', 'agent:2']);
  expect(stored(s).status).toMatchObject({ updatedNumberScheduled: 2, numberAvailable: 1, numberUnavailable: 2 });
});

test('OnDelete: a pod becomes new when somebody deletes it', async () => {
  const s = await scenario();
  s.api.put('daemonsets', daemons({ updateStrategy: { type: 'OnDelete' } }));
  await s.wait(8);
  change(s, { updateStrategy: { type: 'OnDelete' } }, 'agent:2', 2);
  await s.wait(8);
  expect(images(s)).toEqual(['agent:1', 'agent:1', 'agent:1']);
  s.api.remove('pods', `kube-system/${s.pods()[0]!.metadata.name}`);
  await s.wait(8);
  expect(images(s).sort()).toEqual(['agent:1', 'agent:1', 'agent:2']);
});

test('going back makes the old revision the newest; beyond the limit the oldest go, but none in use', async () => {
  const s = await scenario();
  const spec = { revisionHistoryLimit: 1 };
  s.api.put('daemonsets', daemons(spec));
  await s.wait(8);
  const [first] = s.api.all('controllerrevisions');
  change(s, spec, 'agent:2', 2);
  await s.wait(15);
  change(s, spec, 'agent:1', 3);
  await s.wait(15);
  expect(s.api.get('controllerrevisions', `kube-system/${first!.metadata.name}`)).toMatchObject({ revision: 3 });
  expect(s.api.all('controllerrevisions')).toHaveLength(2);
  for (const [i, image] of ['agent:3', 'agent:4'].entries()) {
    change(s, spec, image, 4 + i);
    await s.wait(15);
  }
  expect(s.api.all('controllerrevisions')).toHaveLength(2);
  expect(images(s)).toEqual(['agent:4', 'agent:4', 'agent:4']);
});

test('a pod that fails again and again is made again ever later (1 s, doubling)', async () => {
  const s = await scenario({ nodes: 1 });
  s.api.put('daemonsets', daemons());
  await s.wait(4);
  const made: number[] = [];
  let last = s.pods()[0]!.metadata.uid;
  for (let i = 0; i < 300 && made.length < 5; i++) {
    await s.wait(0.2);
    const [pod] = s.pods();
    if (pod && pod.metadata.uid !== last) {
      made.push(s.loop.now);
      last = pod.metadata.uid;
    }
    if (pod && running(pod))
      s.api.edit('pods', `kube-system/${pod.metadata.name}`, (object) => ({ ...object, status: { ...(object.status as object), phase: 'Failed' } }));
  }
  const gaps = made.slice(1).map((at, i) => at - made[i]!);
  expect(gaps.at(-1)!).toBeGreaterThan(2 * gaps[0]!);
  expect(s.events('FailedDaemonPod')[0]).toMatch(/^FailedDaemonPod: Found failed daemon pod kube-system\/agent-\w+ on node node-1, will try to kill it$/);
});

test('minReadySeconds: a pod counts as available, and the next node is begun, only then', async () => {
  const s = await scenario();
  s.api.put('daemonsets', daemons({ minReadySeconds: 10 }));
  await s.wait(6);
  expect(stored(s).status).toMatchObject({ numberReady: 3, numberUnavailable: 3 });
  await s.wait(12);
  expect(stored(s).status).toMatchObject({ numberReady: 3, numberAvailable: 3 });
  change(s, { minReadySeconds: 10 }, 'agent:2', 2);
  await s.wait(10);
  expect(images(s).sort()).toEqual(['agent:1', 'agent:1', 'agent:2']);
});

test('a node the set no longer selects loses its pod', async () => {
  const s = await scenario();
  const spec = { template: { metadata: { labels: { app: 'agent' } }, spec: { nodeSelector: { disk: 'ssd' }, containers: [{ name: 'c', image: 'agent:1' }] } } };
  const label = (node: string, labels: object) =>
    s.api.edit('nodes', node, (n) => ({ ...n, metadata: { ...n.metadata, labels: { ...n.metadata.labels, ...labels } } }));
  label('node-1', { disk: 'ssd' });
  s.api.put('daemonsets', daemons(spec));
  await s.wait(8);
  expect(s.pods().map((pod) => pod.spec?.nodeName)).toEqual(['node-1']);
  label('node-1', { disk: 'hdd' });
  label('node-2', { disk: 'ssd' });
  await s.wait(8);
  expect(s.pods().map((pod) => pod.spec?.nodeName)).toEqual(['node-2']);
});
