/** What is refused of claims, volumes and StatefulSets (pkg/apis/core/validation, pkg/apis/apps/validation). */
import { expect, test } from 'vitest';
import type { PersistentVolume, PersistentVolumeClaim, StatefulSet } from '../../api/types.gen.ts';
import { validateClaim, validateVolume } from './core.ts';
import type { Errors } from './field.ts';
import { validateStatefulSet } from './workloads.ts';

const told = (errors: Errors): string[] => errors.map(({ field, detail }) => `${field}: ${detail}`);

test.each([
  [{ accessModes: ['ReadWriteOncePod', 'ReadWriteOnce'] }, ['spec.accessModes: may not use ReadWriteOncePod with other access modes']],
  [{ accessModes: [] }, ['spec.accessModes: at least 1 access mode is required']],
  [{ resources: { requests: { storage: '0' } } }, ['spec.resources[storage]: must be greater than zero']],
  [{}, []],
])('claim %j', (more, expected) => {
  const errors: Errors = [];
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...more };
  validateClaim(errors, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: {}, spec } as PersistentVolumeClaim, undefined);
  expect(told(errors)).toEqual(expected);
});

test.each([
  [{ capacity: { storage: '0' } }, ['spec.capacity[storage]: must be greater than zero']],
  [{ hostPath: { path: '/a/../b' } }, ["spec.hostPath.path: must not contain '..'"]],
  [
    { hostPath: { path: '/' }, persistentVolumeReclaimPolicy: 'Recycle' },
    ["spec.persistentVolumeReclaimPolicy: may not be 'recycle' for a hostPath mount of '/'"],
  ],
  [{ hostPath: undefined, local: { path: '/mnt' } }, ['spec.nodeAffinity: Local volume requires node affinity']],
  [{ nfs: { server: 's', path: '/' } }, ['spec.nfs: may not specify more than 1 volume type']],
  [{}, []],
])('volume %j', (more, expected) => {
  const errors: Errors = [];
  const spec = { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/mnt' }, ...more };
  validateVolume(errors, { apiVersion: 'v1', kind: 'PersistentVolume', metadata: {}, spec } as PersistentVolume);
  expect(told(errors)).toEqual(expected);
});

test('a StatefulSet may mount what its claim templates will bring: its pod template is not validated as a whole', () => {
  const set = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'web' },
    spec: {
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'OnDelete' },
      replicas: 1,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { restartPolicy: 'Always', containers: [{ name: 'c', image: 'i', volumeMounts: [{ name: 'www', mountPath: '/www' }] }] },
      },
      volumeClaimTemplates: [{ metadata: { name: 'www' }, spec: {} }],
    },
  } as unknown as StatefulSet;
  const errors: Errors = [];
  validateStatefulSet(errors, set, undefined);
  expect(told(errors)).toEqual([]);
});
