/**
 * StatefulSets behave as kubernetes.io's "StatefulSets" concept page, the "StatefulSet Basics" tutorial and KEP-1847
 * say; texts are those of pkg/controller/statefulset.
 */
import { expect, test } from 'vitest';
import type { KubeObject } from '../api/meta.ts';
import type { Pod, StatefulSet } from '../api/types.gen.ts';
import { type Scenario, scenario } from './scenario.test-support.ts';

const statefulSet = (replicas: number, more: object = {}, image = 'nginx:1'): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'web', namespace: 'default' },
  ...{
    spec: {
      serviceName: 'nginx',
      replicas,
      selector: { matchLabels: { app: 'nginx' } },
      podManagementPolicy: 'OrderedReady',
      revisionHistoryLimit: 10,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      template: { metadata: { labels: { app: 'nginx' } }, spec: { containers: [{ name: 'nginx', image }] } },
      ...more,
    },
  },
});
const claims = {
  volumeClaimTemplates: [
    { metadata: { name: 'www', labels: { kept: 'yes' } }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
  ],
};
const names = (s: Scenario): string[] =>
  s
    .pods()
    .map((pod) => pod.metadata.name!)
    .sort();
const images = (s: Scenario): string[] =>
  s
    .pods()
    .map((pod) => `${pod.metadata.name} ${pod.spec?.containers[0]?.image}`)
    .sort();
const set = (s: Scenario): StatefulSet => s.api.get('statefulsets', 'default/web') as unknown as StatefulSet;
const edit = (s: Scenario, spec: object): void =>
  s.api.edit('statefulsets', 'default/web', (object) => ({
    ...object,
    metadata: { ...object.metadata, generation: (object.metadata.generation ?? 0) + 1 },
    spec: { ...(object.spec as object), ...spec },
  }));
const template = (image: string) => ({ template: { metadata: { labels: { app: 'nginx' } }, spec: { containers: [{ name: 'nginx', image }] } } });
const owners = (s: Scenario, claim: string): string[] =>
  (s.api.get('persistentvolumeclaims', `default/${claim}`)?.metadata.ownerReferences ?? []).map(({ kind, name }) => `${kind}/${name}`);

test('ordered: each pod waits for the one before, and has its name, labels, host name and claim', async () => {
  const s = await scenario();
  s.broken = (pod) => pod.metadata.name === 'web-1';
  s.api.put('statefulsets', statefulSet(3, claims));
  await s.wait(20);
  expect(names(s)).toEqual(['web-0', 'web-1']);
  s.broken = () => false;
  s.api.edit('pods', 'default/web-1', (pod) => ({ ...pod, status: {} }));
  await s.wait(20);
  expect(names(s)).toEqual(['web-0', 'web-1', 'web-2']);
  const pod = s.api.get('pods', 'default/web-1') as unknown as Pod;
  const revision = set(s).status?.updateRevision;
  expect(pod.metadata.labels).toEqual({
    app: 'nginx',
    'apps.kubernetes.io/pod-index': '1',
    'controller-revision-hash': revision,
    'statefulset.kubernetes.io/pod-name': 'web-1',
  });
  expect(pod.spec).toMatchObject({ hostname: 'web-1', subdomain: 'nginx', volumes: [{ name: 'www', persistentVolumeClaim: { claimName: 'www-web-1' } }] });
  expect(s.api.get('persistentvolumeclaims', 'default/www-web-1')).toMatchObject({ metadata: { labels: { app: 'nginx', kept: 'yes' } } });
  expect(owners(s, 'www-web-1')).toEqual([]);
  expect(s.events('SuccessfulCreate')).toEqual([
    'SuccessfulCreate: create Claim www-web-0 Pod web-0 in StatefulSet web success',
    'SuccessfulCreate: create Pod web-0 in StatefulSet web successful',
    'SuccessfulCreate: create Claim www-web-1 Pod web-1 in StatefulSet web success',
    'SuccessfulCreate: create Pod web-1 in StatefulSet web successful',
    'SuccessfulCreate: create Claim www-web-2 Pod web-2 in StatefulSet web success',
    'SuccessfulCreate: create Pod web-2 in StatefulSet web successful',
  ]);
  expect(set(s).status).toEqual({
    availableReplicas: 3,
    collisionCount: 0,
    currentReplicas: 3,
    currentRevision: revision,
    observedGeneration: 1,
    readyReplicas: 3,
    replicas: 3,
    updateRevision: revision,
    updatedReplicas: 3,
  });
  expect(revision).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]+$/);
  expect(s.api.get('controllerrevisions', `default/${revision}`)).toMatchObject({ revision: 1, metadata: { ownerReferences: [{ kind: 'StatefulSet' }] } });
});

test('scaling down takes the highest ordinal first, one at a time, and leaves the claims', async () => {
  const s = await scenario();
  s.api.put('statefulsets', statefulSet(3, claims));
  await s.wait(20);
  edit(s, { replicas: 1 });
  await s.wait(20);
  expect(names(s)).toEqual(['web-0']);
  expect(s.events('SuccessfulDelete')).toEqual([
    'SuccessfulDelete: delete Pod web-2 in StatefulSet web successful',
    'SuccessfulDelete: delete Pod web-1 in StatefulSet web successful',
  ]);
  expect(s.api.all('persistentvolumeclaims')).toHaveLength(3);
});

test('ordered scaling down waits while a pod that stays is not ready', async () => {
  const s = await scenario();
  s.api.put('statefulsets', statefulSet(3));
  await s.wait(20);
  s.api.edit('pods', 'default/web-0', (pod) => ({ ...pod, status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'False' }] } }));
  edit(s, { replicas: 1 });
  await s.wait(20);
  expect(names(s)).toEqual(['web-0', 'web-1', 'web-2']);
});

test('parallel: all at once, whatever state the others are in', async () => {
  const s = await scenario();
  s.broken = () => true;
  s.api.put('statefulsets', statefulSet(4, { podManagementPolicy: 'Parallel' }));
  await s.wait(3);
  expect(names(s)).toEqual(['web-0', 'web-1', 'web-2', 'web-3']);
  edit(s, { replicas: 0 });
  await s.wait(3);
  expect(names(s)).toEqual([]);
});

test('ordinals start where spec.ordinals.start says (KEP-3335)', async () => {
  const s = await scenario();
  s.api.put('statefulsets', statefulSet(2, { ordinals: { start: 5 } }));
  await s.wait(10);
  expect(names(s)).toEqual(['web-5', 'web-6']);
  edit(s, { ordinals: { start: 6 } });
  await s.wait(20);
  expect(names(s)).toEqual(['web-6', 'web-7']);
});

test('a rolling update goes from the highest ordinal down, and stops at a pod that does not become ready', async () => {
  const s = await scenario();
  s.api.put('statefulsets', statefulSet(3));
  await s.wait(20);
  const first = set(s).status?.currentRevision;
  s.broken = (pod) => pod.spec?.containers[0]?.image === 'nginx:2' && pod.metadata.name === 'web-1';
  edit(s, template('nginx:2'));
  await s.wait(20);
  expect(images(s)).toEqual(['web-0 nginx:1', 'web-1 nginx:2', 'web-2 nginx:2']);
  expect(set(s).status).toMatchObject({ currentRevision: first, currentReplicas: 1, updatedReplicas: 2, readyReplicas: 2, replicas: 3 });
  s.broken = () => false;
  s.api.edit('pods', 'default/web-1', (pod) => ({ ...pod, status: {} }));
  await s.wait(20);
  expect(images(s)).toEqual(['web-0 nginx:2', 'web-1 nginx:2', 'web-2 nginx:2']);
  const { currentRevision, updateRevision } = set(s).status!;
  expect(currentRevision).toBe(updateRevision);
  expect(currentRevision).not.toBe(first);
});

test('a partition keeps the lower ordinals at the old template, and a deleted one comes back at its own', async () => {
  const s = await scenario();
  s.api.put('statefulsets', statefulSet(3));
  await s.wait(20);
  edit(s, { ...template('nginx:2'), updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } });
  await s.wait(20);
  expect(images(s)).toEqual(['web-0 nginx:1', 'web-1 nginx:1', 'web-2 nginx:2']);
  s.api.remove('pods', 'default/web-1');
  await s.wait(10);
  expect(images(s)).toEqual(['web-0 nginx:1', 'web-1 nginx:1', 'web-2 nginx:2']);
  expect(set(s).status).toMatchObject({ currentReplicas: 2, updatedReplicas: 1 });
  edit(s, { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } } });
  await s.wait(20);
  expect(images(s)).toEqual(['web-0 nginx:2', 'web-1 nginx:2', 'web-2 nginx:2']);
});

test('OnDelete replaces a pod only when somebody deletes it', async () => {
  const s = await scenario();
  s.api.put('statefulsets', statefulSet(2, { updateStrategy: { type: 'OnDelete' } }));
  await s.wait(20);
  edit(s, template('nginx:2'));
  await s.wait(20);
  expect(images(s)).toEqual(['web-0 nginx:1', 'web-1 nginx:1']);
  s.api.remove('pods', 'default/web-0');
  await s.wait(20);
  expect(images(s)).toEqual(['web-0 nginx:2', 'web-1 nginx:1']);
});

test('going back to an earlier template takes its revision again, with the newest number', async () => {
  const s = await scenario();
  s.api.put('statefulsets', statefulSet(1, { revisionHistoryLimit: 1 }));
  await s.wait(10);
  const first = set(s).status?.updateRevision;
  edit(s, template('nginx:2'));
  await s.wait(10);
  edit(s, template('nginx:1'));
  await s.wait(10);
  expect(set(s).status).toMatchObject({ currentRevision: first, updateRevision: first });
  expect(s.api.get('controllerrevisions', `default/${first}`)).toMatchObject({ revision: 3 });
  for (const image of ['nginx:3', 'nginx:4', 'nginx:5']) {
    edit(s, template(image));
    await s.wait(10);
  }
  // The live one and one of history.
  expect(s.api.all('controllerrevisions')).toHaveLength(2);
});

test('minReadySeconds: the next pod waits until the one before has been ready for so long', async () => {
  const s = await scenario();
  s.api.put('statefulsets', statefulSet(2, { minReadySeconds: 20 }));
  await s.wait(10);
  expect(names(s)).toEqual(['web-0']);
  expect(set(s).status).toMatchObject({ readyReplicas: 1, availableReplicas: 0 });
  await s.wait(20);
  expect(names(s)).toEqual(['web-0', 'web-1']);
  await s.wait(25);
  expect(set(s).status).toMatchObject({ readyReplicas: 2, availableReplicas: 2 });
});

test('a pod that ended is deleted and made again, without a word of its own (since v1.31)', async () => {
  const s = await scenario();
  s.api.put('statefulsets', statefulSet(1));
  await s.wait(10);
  const before = s.pods()[0]!.metadata.uid;
  s.api.edit('pods', 'default/web-0', (pod) => ({ ...pod, status: { phase: 'Failed' } }));
  await s.wait(10);
  expect(s.pods()[0]!.metadata.uid).not.toBe(before);
  expect(s.events().filter((text) => text.startsWith('Recreating'))).toEqual([]);
});

test.each([
  // KEP-1847: whenDeleted, whenScaled, owners of a claim in use
  ['Retain', 'Retain', [], 3],
  ['Delete', 'Retain', ['StatefulSet/web'], 3],
  ['Retain', 'Delete', [], 1],
  ['Delete', 'Delete', ['StatefulSet/web'], 1],
])('claims when the set is deleted: %s, when it is scaled: %s', async (whenDeleted, whenScaled, owned, left) => {
  const s = await scenario();
  s.api.put('statefulsets', statefulSet(3, { ...claims, persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled } }));
  await s.wait(30);
  expect(owners(s, 'www-web-2')).toEqual(owned);
  // A set that is changed later changes the owners as well.
  edit(s, { replicas: 1 });
  await s.wait(60);
  expect(s.api.all('persistentvolumeclaims').map(({ metadata }) => metadata.name)).toHaveLength(left);
});

test('pods nobody owns are adopted by name and labels; one that no longer matches is let go', async () => {
  const s = await scenario();
  const pod = (name: string) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: 'nginx' } },
    spec: { containers: [] },
  });
  s.api.put('pods', pod('web-0'));
  s.api.put('pods', pod('stranger'));
  s.api.put('statefulsets', statefulSet(2, { updateStrategy: { type: 'OnDelete' } }));
  await s.wait(15);
  expect(s.api.get('pods', 'default/web-0')?.metadata.ownerReferences).toMatchObject([{ kind: 'StatefulSet', name: 'web' }]);
  expect(s.api.get('pods', 'default/web-0')?.metadata.labels).toMatchObject({ 'apps.kubernetes.io/pod-index': '0' });
  expect(s.api.get('pods', 'default/stranger')?.metadata.ownerReferences).toBeUndefined();
  s.api.edit('pods', 'default/web-1', (object) => ({ ...object, metadata: { ...object.metadata, labels: { other: 'x' } } }));
  await s.wait(10);
  expect(s.api.get('pods', 'default/web-1')?.metadata.ownerReferences ?? []).toEqual([]);
});
