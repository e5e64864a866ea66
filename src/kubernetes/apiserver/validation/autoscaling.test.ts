/** In meaning from pkg/apis/autoscaling/validation/validation_test.go (v1.33). */
import { expect, test } from 'vitest';
import type { HorizontalPodAutoscaler, MetricSpec } from '../../api/types.gen.ts';
import { validateScaling } from './autoscaling.ts';
import { errorText, type FieldError } from './field.ts';

const texts = (spec: object): string[] => {
  const errors: FieldError[] = [];
  const object = { spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, minReplicas: 1, maxReplicas: 5, ...spec } };
  validateScaling(errors, object as unknown as HorizontalPodAutoscaler);
  return errors.map(errorText);
};
const metric = (given: object): string[] => texts({ metrics: [given as MetricSpec] });
const AT = 'spec.metrics[0]';

test.each<[string, object, string[]]>([
  ['fine', {}, []],
  [
    'bounds',
    { minReplicas: 0, maxReplicas: 0 },
    ['spec.minReplicas: Invalid value: 0: must be greater than or equal to 1', 'spec.maxReplicas: Invalid value: 0: must be greater than 0'],
  ],
  ['max below min', { minReplicas: 7 }, ['spec.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`']],
  ['no target', { scaleTargetRef: {} }, ['spec.scaleTargetRef.kind: Required value', 'spec.scaleTargetRef.name: Required value']],
  [
    'names that are no path',
    { scaleTargetRef: { kind: '..', name: 'a/b' } },
    ['spec.scaleTargetRef.kind: Invalid value: "..": may not be \'..\'', 'spec.scaleTargetRef.name: Invalid value: "a/b": may not contain \'/\''],
  ],
  [
    'rules',
    {
      behavior: {
        scaleUp: { stabilizationWindowSeconds: 4000, selectPolicy: 'Most', policies: [{ type: 'Nodes', value: 0, periodSeconds: 2000 }] },
        scaleDown: { policies: [] },
      },
    },
    [
      'spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 4000: must be less than or equal to 3600',
      'spec.behavior.scaleUp.selectPolicy: Unsupported value: "Most": supported values: "Disabled", "Max", "Min"',
      'spec.behavior.scaleUp.policies[0].type: Unsupported value: "Nodes": supported values: "Percent", "Pods"',
      'spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero',
      'spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 2000: must be less than or equal to 1800',
      'spec.behavior.scaleDown.policies: Required value: must specify at least one Policy',
    ],
  ],
])('%s', (_, spec, expected) => expect(texts(spec)).toEqual(expected));

test.each<[string, object, string[]]>([
  [
    'no type',
    {},
    [
      `${AT}.type: Required value: must specify a metric source type`,
      `${AT}.type: Unsupported value: "": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"`,
    ],
  ],
  ['no source', { type: 'Pods' }, [`${AT}.pods: Required value: must populate information for the given metric source`]],
  [
    'two sources',
    {
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
      pods: { metric: { name: 'm' }, target: { type: 'AverageValue', averageValue: '1' } },
    },
    [`${AT}.pods: Forbidden: must populate the given metric source only`],
  ],
  [
    'resource without name and target',
    { type: 'Resource', resource: { target: { type: 'Utilization' } } },
    [
      `${AT}.resource.name: Required value: must specify a resource name`,
      `${AT}.resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization`,
    ],
  ],
  [
    'resource with both',
    { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50, averageValue: '1' } } },
    [`${AT}.resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization`],
  ],
  [
    'utilization of nothing',
    { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 0 } } },
    [`${AT}.resource.target.averageUtilization: Invalid value: 0: must be greater than 0`],
  ],
  [
    'container without container',
    { type: 'ContainerResource', containerResource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
    [`${AT}.containerResource.container: Required value: must specify a container`],
  ],
  [
    'pods with a negative',
    { type: 'Pods', pods: { metric: { name: 'm' }, target: { type: 'AverageValue', averageValue: '-1' } } },
    [
      `${AT}.pods.target.averageValue: Invalid value: "-1": must be positive`,
      `${AT}.pods.target.averageValue: Required value: must specify a positive target averageValue`,
    ],
  ],
  [
    'pods without a name',
    { type: 'Pods', pods: { metric: {}, target: { type: 'AverageValue', averageValue: '1' } } },
    [`${AT}.pods.metric.name: Required value: must specify a metric name`],
  ],
  [
    'an object without target type',
    { type: 'Object', object: { describedObject: { kind: 'Ingress', name: 'a' }, metric: { name: 'm' }, target: {} } },
    [
      `${AT}.object.target.type: Required value: must specify a metric target type`,
      `${AT}.object.target.type: Invalid value: "": must be either Utilization, Value, or AverageValue`,
      `${AT}.object.target.averageValue: Required value: must set either a target value or averageValue`,
    ],
  ],
  [
    'external with both',
    { type: 'External', external: { metric: { name: 'm' }, target: { type: 'Value', value: '1', averageValue: '1' } } },
    [`${AT}.external.target.value: Forbidden: may not set both a target value for metric and a per-pod target`],
  ],
])('a metric: %s', (_, given, expected) => expect(metric(given)).toEqual(expected));
