import { expect, test } from 'vitest';
import type { Pod } from '../../api/types.gen.ts';
import type { FieldError } from './field.ts';
import { validatePodResize } from './pod-resize.ts';

const pod = (resources: object, more: object = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'c', image: 'i', resources, ...more }] },
});
const burstable = { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '2', memory: '2Gi' } };
const restart = { resizePolicy: [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }] };

// validation_test.go TestValidatePodResize.
test.each<[string, Pod, Pod, string[]]>([
  ['more of both', pod(burstable), pod({ requests: { cpu: '2', memory: '2Gi' }, limits: { cpu: '3', memory: '3Gi' } }), []],
  ['a lower request', pod(burstable), pod({ ...burstable, requests: { cpu: '500m', memory: '512Mi' } }), []],
  [
    'a lower memory limit',
    pod(burstable),
    pod({ ...burstable, limits: { cpu: '2', memory: '1536Mi' } }),
    ['spec.containers[0].resources.limits[memory]: memory limits cannot be decreased unless resizePolicy is RestartContainer'],
  ],
  ['a lower memory limit with a restart', pod(burstable, restart), pod({ ...burstable, limits: { cpu: '2', memory: '1536Mi' } }, restart), []],
  [
    'no limit any more',
    pod(burstable),
    pod({ requests: burstable.requests, limits: { memory: '2Gi' } }),
    ['spec.containers[0].resources.limits: resource limits cannot be removed'],
  ],
  [
    'another class',
    pod(burstable),
    pod({ requests: burstable.limits, limits: burstable.limits }),
    ['spec: Pod QOS Class may not change as a result of resizing'],
  ],
  [
    'another resource',
    pod(burstable),
    pod({ ...burstable, requests: { ...burstable.requests, 'ephemeral-storage': '1Gi' } }),
    ['spec: only cpu and memory resources are mutable'],
  ],
])('%s', (_, before, after, wanted) => {
  const errors: FieldError[] = [];
  validatePodResize(errors, after, before);
  expect(errors.map(({ field, detail }) => `${field}: ${detail}`)).toEqual(wanted);
});
