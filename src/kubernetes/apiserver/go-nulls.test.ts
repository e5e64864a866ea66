import { expect, test } from 'vitest';
import type { KubeObject } from '../api/meta.ts';
import { withGoNulls } from './go-nulls.ts';

const object = (kind: string, rest: object): KubeObject => ({ apiVersion: 'x', kind, metadata: {}, ...rest });

test.each<[string, object, object]>([
  ['Deployment', { spec: { template: { metadata: { labels: {} } } } }, { spec: { template: { metadata: { labels: {}, creationTimestamp: null } } } }],
  ['Job', { spec: { template: {} } }, { spec: { template: { metadata: { creationTimestamp: null } } } }],
  [
    'CronJob',
    { spec: { jobTemplate: { spec: { template: { spec: {} } } } } },
    { spec: { jobTemplate: { metadata: { creationTimestamp: null }, spec: { template: { metadata: { creationTimestamp: null }, spec: {} } } } } },
  ],
  [
    'Pod',
    { status: { conditions: [{ type: 'Ready' }, { type: 'x', lastProbeTime: 't' }] } },
    {
      status: {
        conditions: [
          { type: 'Ready', lastProbeTime: null },
          { type: 'x', lastProbeTime: 't' },
        ],
      },
    },
  ],
  [
    'StatefulSet',
    { spec: { template: {}, volumeClaimTemplates: [{ metadata: { name: 'd' } }] } },
    { spec: { template: { metadata: { creationTimestamp: null } }, volumeClaimTemplates: [{ metadata: { name: 'd', creationTimestamp: null } }] } },
  ],
  ['ConfigMap', { data: {} }, { data: {} }],
])('%s', (kind, given, wanted) => {
  expect(withGoNulls(object(kind, given))).toEqual(object(kind, wanted));
});
