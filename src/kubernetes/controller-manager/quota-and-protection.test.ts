/** Counting for quotas, and letting go of what nobody uses. */
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../api/meta.ts';
import type { ResourceRow } from '../api/resources.ts';
import type { ResourceQuota } from '../api/types.gen.ts';
import { count, gaveBack, rowsOf } from './resourcequota-count.ts';
import { type Scenario, scenario } from './scenario.test-support.ts';

const quota = (hard: Record<string, string>, more: object = {}, status?: object): ResourceQuota => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'q', namespace: 'default' },
  spec: { hard, ...more },
  ...(status ? { status } : {}),
});
const pod = (cpu: string | undefined, more: object = {}): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'x', namespace: 'default' },
    spec: { containers: [{ name: 'c', ...(cpu ? { resources: { requests: { cpu } } } : {}) }] },
    ...more,
  }) as unknown as KubeObject;
const of =
  (objects: Record<string, KubeObject[]>) =>
  (row: ResourceRow): KubeObject[] =>
    objects[row.plural] ?? [];

describe('counting', () => {
  it('knows which kinds a quota is about', () => {
    expect(rowsOf(quota({ pods: '1', 'requests.storage': '1Gi', 'count/deployments.apps': '1', secrets: '2' })).map(({ plural }) => plural)).toEqual([
      'persistentvolumeclaims',
      'pods',
      'secrets',
      'deployments',
    ]);
  });

  it('sums what is there', () => {
    const items = of({
      pods: [pod('100m'), pod('1'), pod(undefined), pod('5', { status: { phase: 'Succeeded' } })],
      configmaps: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: {} } as KubeObject],
    });
    expect(count(quota({ pods: '9', 'requests.cpu': '9', configmaps: '1', 'limits.memory': '1Gi', 'count/pods': '9' }), items, 0)?.used).toEqual({
      pods: '3',
      'requests.cpu': '1100m',
      configmaps: '1',
      'limits.memory': '0',
      'count/pods': '4',
    });
    expect(count(quota({ pods: '9' }, { scopes: ['BestEffort'] }), items, 0)?.used).toEqual({ pods: '1' });
  });

  it('writes only what changes', () => {
    const status = { hard: { pods: '9' }, used: { pods: '1' } };
    expect(count(quota({ pods: '9' }, {}, status), of({ pods: [pod('1')] }), 0)).toBeUndefined();
    expect(count(quota({ pods: '8' }, {}, status), of({ pods: [pod('1')] }), 0)).toEqual({ hard: { pods: '8' }, used: { pods: '1' } });
    // What the quota no longer limits is forgotten; what nobody can count stays as it was.
    expect(count(quota({ 'count/widgets.x.io': '3' }, {}, { hard: {}, used: { pods: '1', 'count/widgets.x.io': '2' } }), of({}), 0)?.used).toEqual({
      'count/widgets.x.io': '2',
    });
  });

  it('wakes for what gives back', () => {
    const row = { kind: 'Pod' } as ResourceRow;
    expect([
      gaveBack(row, pod('1'), undefined),
      gaveBack(row, pod('1'), pod('1', { status: { phase: 'Failed' } })),
      gaveBack(row, pod('1'), pod('1', { metadata: { labels: {} } })),
    ]).toEqual([true, true, false]);
  });
});

describe('protection', () => {
  const claim = (more: object = {}): KubeObject =>
    ({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data', namespace: 'default', ...more }, spec: {} }) as unknown as KubeObject;
  const user = { spec: { nodeName: 'node-1', containers: [{ name: 'c' }], volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] } };
  const finalizers = (s: Scenario, plural: string): unknown => s.api.all(plural)[0]?.metadata.finalizers;

  it('gives old claims their finalizer', async () => {
    const s = await scenario();
    s.api.put('persistentvolumeclaims', claim());
    await s.wait(2);
    expect(finalizers(s, 'persistentvolumeclaims')).toEqual(['kubernetes.io/pvc-protection']);
  });

  it('keeps a claim while a pod uses it', async () => {
    const s = await scenario();
    s.api.put('pods', pod(undefined, user));
    s.api.put('persistentvolumeclaims', claim({ finalizers: ['kubernetes.io/pvc-protection', 'x.io/mine'], deletionTimestamp: '2026-01-05T08:00:00Z' }));
    await s.wait(5);
    expect(finalizers(s, 'persistentvolumeclaims')).toEqual(['kubernetes.io/pvc-protection', 'x.io/mine']);
    s.api.remove('pods', 'default/x');
    await s.wait(5);
    expect(finalizers(s, 'persistentvolumeclaims')).toEqual(['x.io/mine']);
  });

  it('keeps a volume while it is bound', async () => {
    const s = await scenario();
    const volume = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'pv', finalizers: ['kubernetes.io/pv-protection', 'x.io/mine'], deletionTimestamp: '2026-01-05T08:00:00Z' },
      spec: { capacity: { storage: '1Gi' }, claimRef: { kind: 'PersistentVolumeClaim', namespace: 'default', name: 'c', uid: 'u' } },
      status: { phase: 'Bound' },
    };
    const bound = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'c', namespace: 'default', uid: 'u' }, spec: { volumeName: 'pv' } };
    s.api.put('persistentvolumeclaims', bound as KubeObject);
    s.api.put('persistentvolumes', volume as unknown as KubeObject);
    await s.wait(3);
    expect(finalizers(s, 'persistentvolumes')).toEqual(['kubernetes.io/pv-protection', 'x.io/mine']);
    s.api.remove('persistentvolumeclaims', 'default/c');
    await s.wait(3);
    expect(finalizers(s, 'persistentvolumes')).toEqual(['x.io/mine']);
  });
});
