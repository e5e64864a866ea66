import { describe, expect, test } from 'vitest';
import type { Kind } from '../../api/types.gen.ts';
import { applyDefaults } from './defaults.ts';
import { pullPolicyOf } from './pod.ts';

const CONTAINER = { imagePullPolicy: 'IfNotPresent', resources: {}, terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' };
const POD_SPEC = {
  dnsPolicy: 'ClusterFirst',
  restartPolicy: 'Always',
  schedulerName: 'default-scheduler',
  securityContext: {},
  terminationGracePeriodSeconds: 30,
};
const web = { name: 'web', image: 'nginx:1.27' };
const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [web] } };
const filledTemplate = { ...template, spec: { ...POD_SPEC, containers: [{ ...CONTAINER, ...web }] } };
const meta = { name: 'x', namespace: 'default' };

describe('defaults', () => {
  test.each<[Kind, object, object]>([
    ['Pod', { spec: { containers: [web] } }, { spec: { ...POD_SPEC, enableServiceLinks: true, containers: [{ ...CONTAINER, ...web }] } }],
    [
      'Pod',
      {
        spec: {
          hostNetwork: true,
          containers: [{ ...web, ports: [{ containerPort: 80 }], resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } } }],
        },
      },
      {
        spec: {
          containers: [
            {
              ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }],
              resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m', memory: '1Gi' } },
            },
          ],
        },
      },
    ],
    [
      'Pod',
      { spec: { containers: [{ ...web, livenessProbe: { httpGet: { port: 80 } }, lifecycle: { preStop: { httpGet: { port: 1 } } } }] } },
      {
        spec: {
          containers: [
            {
              livenessProbe: {
                failureThreshold: 3,
                periodSeconds: 10,
                successThreshold: 1,
                timeoutSeconds: 1,
                httpGet: { path: '/', port: 80, scheme: 'HTTP' },
              },
              lifecycle: { preStop: { httpGet: { path: '/', port: 1, scheme: 'HTTP' } } },
            },
          ],
        },
      },
    ],
    [
      'Pod',
      {
        spec: {
          containers: [{ ...web, env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }],
          volumes: [
            { name: 'a' },
            { name: 'b', configMap: { name: 'c' } },
            { name: 'd', hostPath: { path: '/x' } },
            { name: 't', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
          ],
        },
      },
      {
        spec: {
          containers: [{ env: [{ name: 'A', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } }] }],
          volumes: [
            { name: 'a', emptyDir: {} },
            { name: 'b', configMap: { defaultMode: 420, name: 'c' } },
            { name: 'd', hostPath: { path: '/x', type: '' } },
            { name: 't', projected: { defaultMode: 420, sources: [{ serviceAccountToken: { expirationSeconds: 3600, path: 't' } }] } },
          ],
        },
      },
    ],
    [
      'Deployment',
      { spec: { selector: {}, template } },
      {
        spec: {
          progressDeadlineSeconds: 600,
          replicas: 1,
          revisionHistoryLimit: 10,
          strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
          template: filledTemplate,
        },
      },
    ],
    ['Deployment', { spec: { selector: {}, template, strategy: { type: 'Recreate' } } }, { spec: { strategy: { type: 'Recreate' } } }],
    ['ReplicaSet', { spec: { selector: {}, template } }, { spec: { replicas: 1, template: filledTemplate } }],
    [
      'DaemonSet',
      { spec: { selector: {}, template } },
      { spec: { revisionHistoryLimit: 10, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } } },
    ],
    [
      'StatefulSet',
      { spec: { selector: {}, template, serviceName: 's', volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} }] } },
      {
        spec: {
          podManagementPolicy: 'OrderedReady',
          persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
          updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
          volumeClaimTemplates: [{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', spec: { volumeMode: 'Filesystem' }, status: { phase: 'Pending' } }],
        },
      },
    ],
    [
      'Job',
      { metadata: meta, spec: { template } },
      {
        metadata: { labels: { app: 'web' } },
        spec: { backoffLimit: 6, completionMode: 'NonIndexed', completions: 1, parallelism: 1, podReplacementPolicy: 'TerminatingOrFailed', suspend: false },
      },
    ],
    [
      'CronJob',
      { spec: { schedule: '* * * * *', jobTemplate: { spec: { template } } } },
      { spec: { concurrencyPolicy: 'Allow', failedJobsHistoryLimit: 1, successfulJobsHistoryLimit: 3, suspend: false } },
    ],
    [
      'Service',
      { spec: { ports: [{ port: 80 }] } },
      {
        spec: {
          type: 'ClusterIP',
          sessionAffinity: 'None',
          internalTrafficPolicy: 'Cluster',
          ipFamilies: ['IPv4'],
          ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
        },
      },
    ],
    [
      'Service',
      { spec: { type: 'LoadBalancer', sessionAffinity: 'ClientIP' } },
      { spec: { allocateLoadBalancerNodePorts: true, externalTrafficPolicy: 'Cluster', sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } } } },
    ],
    ['Namespace', { metadata: { name: 'n' } }, { metadata: { labels: { 'kubernetes.io/metadata.name': 'n' } }, status: { phase: 'Active' } }],
    ['Secret', { metadata: meta }, { type: 'Opaque' }],
    ['PersistentVolumeClaim', { metadata: meta, spec: {} }, { spec: { volumeMode: 'Filesystem' }, status: { phase: 'Pending' } }],
    ['NetworkPolicy', { spec: { podSelector: {}, egress: [{}] } }, { spec: { policyTypes: ['Ingress', 'Egress'] } }],
    ['StorageClass', { provisioner: 'x' }, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }],
    [
      'RoleBinding',
      {
        roleRef: { kind: 'Role', name: 'r' },
        subjects: [
          { kind: 'User', name: 'u' },
          { kind: 'ServiceAccount', name: 's' },
        ],
      },
      { roleRef: { apiGroup: 'rbac.authorization.k8s.io' }, subjects: [{ apiGroup: 'rbac.authorization.k8s.io' }, { kind: 'ServiceAccount' }] },
    ],
    [
      'LimitRange',
      { spec: { limits: [{ type: 'Container', max: { cpu: '2' }, min: { memory: '1Mi' } }] } },
      { spec: { limits: [{ default: { cpu: '2' }, defaultRequest: { cpu: '2', memory: '1Mi' } }] } },
    ],
    [
      'HorizontalPodAutoscaler',
      { spec: { maxReplicas: 3, scaleTargetRef: {}, behavior: { scaleUp: {} } } },
      {
        spec: {
          minReplicas: 1,
          metrics: [{ type: 'Resource' }],
          behavior: {
            scaleUp: { selectPolicy: 'Max', stabilizationWindowSeconds: 0 },
            scaleDown: { policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] },
          },
        },
      },
    ],
  ])('%s %j', (kind, object, expected) => {
    const once = applyDefaults(kind, object);
    expect(once).toMatchObject(expected);
    // Nothing is missing now: the same object comes back.
    expect(applyDefaults(kind, once)).toBe(once);
  });

  test('templates lack what only pods get', () => {
    const deployment = applyDefaults('Deployment', { spec: { selector: {}, template } }) as { spec: { template: { spec: object } } };
    expect(deployment.spec.template).toEqual(filledTemplate);
  });

  test('what was set stays, and the argument is not edited', () => {
    const pod = Object.freeze({
      spec: Object.freeze({ restartPolicy: 'Never', containers: Object.freeze([Object.freeze({ ...web, imagePullPolicy: 'Always' })]) }),
    });
    expect(applyDefaults('Pod', pod)).toMatchObject({ spec: { restartPolicy: 'Never', containers: [{ imagePullPolicy: 'Always' }] } });
  });

  test.each([
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['nginx:1.27', 'IfNotPresent'],
    ['registry.local:5000/nginx', 'Always'],
    ['registry.local:5000/nginx:1', 'IfNotPresent'],
    ['nginx@sha256:abc', 'IfNotPresent'],
    ['nginx:latest@sha256:abc', 'Always'],
  ])('pull policy of %s', (image, policy) => {
    expect(pullPolicyOf(image)).toBe(policy);
  });
});
