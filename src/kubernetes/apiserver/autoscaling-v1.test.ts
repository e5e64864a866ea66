/** In meaning from pkg/apis/autoscaling/v1's conversion and roundtrip tests. */
import { expect, test } from 'vitest';
import type { KubeObject } from '../api/meta.ts';
import { autoscalerToV1, autoscalerToV2 } from './autoscaling-v1.ts';

const FULL = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'web', annotations: { mine: 'yes' } },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    minReplicas: 1,
    maxReplicas: 10,
    metrics: [
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } },
      { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '100Mi' } } },
      { type: 'ContainerResource', containerResource: { name: 'cpu', container: 'app', target: { type: 'Utilization', averageUtilization: 70 } } },
      { type: 'Pods', pods: { metric: { name: 'packets' }, target: { type: 'AverageValue', averageValue: '1k' } } },
      { type: 'Object', object: { describedObject: { kind: 'Ingress', name: 'main' }, metric: { name: 'hits' }, target: { type: 'Value', value: '2k' } } },
      {
        type: 'External',
        external: { metric: { name: 'queue', selector: { matchLabels: { q: 'a' } } }, target: { type: 'AverageValue', averageValue: '30' } },
      },
    ],
    behavior: {
      scaleUp: { stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies: [{ type: 'Pods', value: 4, periodSeconds: 15 }] },
      scaleDown: { selectPolicy: 'Min', policies: [{ type: 'Percent', value: 10, periodSeconds: 60 }] },
    },
  },
  status: {
    currentReplicas: 2,
    desiredReplicas: 3,
    currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 55, averageValue: '110m' } } }],
    conditions: [{ type: 'AbleToScale', status: 'True', lastTransitionTime: '2026-01-05T08:00:00Z', reason: 'ReadyForNewScale', message: 'm' }],
  },
} as unknown as KubeObject;

test('v1 has CPU in fields and the rest in annotations', () => {
  const v1 = autoscalerToV1(FULL, 'autoscaling/v1') as unknown as { spec: object; status: object; metadata: { annotations: Record<string, string> } };
  expect(v1.spec).toEqual({
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    minReplicas: 1,
    maxReplicas: 10,
    targetCPUUtilizationPercentage: 60,
  });
  expect(v1.status).toEqual({ currentReplicas: 2, desiredReplicas: 3, currentCPUUtilizationPercentage: 55 });
  const { annotations } = v1.metadata;
  expect(JSON.parse(annotations['autoscaling.alpha.kubernetes.io/metrics']!)).toEqual([
    { type: 'Resource', resource: { name: 'memory', targetAverageValue: '100Mi' } },
    { type: 'ContainerResource', containerResource: { name: 'cpu', targetAverageUtilization: 70, container: 'app' } },
    { type: 'Pods', pods: { metricName: 'packets', targetAverageValue: '1k' } },
    { type: 'Object', object: { target: { kind: 'Ingress', name: 'main' }, metricName: 'hits', targetValue: '2k' } },
    { type: 'External', external: { metricName: 'queue', metricSelector: { matchLabels: { q: 'a' } }, targetAverageValue: '30' } },
  ]);
  expect(annotations['autoscaling.alpha.kubernetes.io/behavior']).toBe(
    '{"ScaleUp":{"StabilizationWindowSeconds":0,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":4,"PeriodSeconds":15}],"Tolerance":null},"ScaleDown":{"StabilizationWindowSeconds":null,"SelectPolicy":"Min","Policies":[{"Type":"Percent","Value":10,"PeriodSeconds":60}],"Tolerance":null}}',
  );
  expect(annotations['mine']).toBe('yes');
});
test('there and back nothing is lost', () => expect(autoscalerToV2(autoscalerToV1(FULL, 'autoscaling/v1'))).toEqual(FULL));
test('without any metric, 80 percent of CPU', () => {
  const made = autoscalerToV2({
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'a' },
    spec: { maxReplicas: 3 },
  } as unknown as KubeObject);
  expect(made).toMatchObject({
    apiVersion: 'autoscaling/v2',
    spec: { metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }] },
  });
  expect('status' in made).toBe(false);
});
