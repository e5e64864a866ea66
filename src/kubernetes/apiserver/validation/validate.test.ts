import { describe, expect, test } from 'vitest';
import type { Json } from '../../api/json.ts';
import type { Kind } from '../../api/types.gen.ts';
import { applyDefaults } from '../defaults/defaults.ts';
import { errorText } from './field.ts';
import { invalidStatus, validate } from './validate.ts';

type Fields = { readonly [key: string]: Json | undefined };
const metadata = { name: 'web', namespace: 'default' };
const container = { name: 'c', image: 'nginx:1' };
const labels = { app: 'web' };
const template = { metadata: { labels }, spec: { containers: [container] } };
const selector = { matchLabels: labels };

const made = (kind: Kind, object: Fields): object => applyDefaults(kind, { apiVersion: 'v1', kind, metadata, ...object });
const texts = (kind: Kind, object: Fields, old?: Fields): string[] => validate(kind, made(kind, object), old && made(kind, old)).map(errorText);
const pod = (spec: Fields): Fields => ({ spec: { containers: [container], ...spec } });
const inContainer = (fields: Fields): Fields => pod({ containers: [{ ...container, ...fields }] });

const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

describe('what is fine', () => {
  test.each<[Kind, Fields]>([
    ['Pod', pod({})],
    [
      'Pod',
      inContainer({
        resources: { limits: { cpu: '1', 'nvidia.com/gpu': '1' }, requests: { cpu: '1' } },
        ports: [{ containerPort: 80, name: 'http' }],
        livenessProbe: { httpGet: { port: 'http' } },
      }),
    ],
    ['Pod', pod({ initContainers: [{ ...container, name: 'proxy', restartPolicy: 'Always', readinessProbe: { tcpSocket: { port: 1 } } }] })],
    ['Deployment', { spec: { selector, template } }],
    ['ReplicaSet', { spec: { selector, template } }],
    ['DaemonSet', { spec: { selector, template } }],
    ['StatefulSet', { spec: { selector, template, serviceName: 's' } }],
    ['Job', { spec: { manualSelector: true, selector, template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } } }],
    ['CronJob', { spec: { schedule: '*/5 * * * *', jobTemplate: { spec: { template: { spec: { containers: [container], restartPolicy: 'OnFailure' } } } } } }],
    ['Service', { spec: { ports: [{ port: 80 }], selector: labels } }],
    ['Service', { spec: { clusterIP: 'None', selector: labels } }],
    ['ConfigMap', { data: { 'a.conf': 'x' } }],
    ['Secret', {}],
    ['Namespace', { metadata: { name: 'x' } }],
    ['Node', { metadata: { name: 'n' } }],
    ['PersistentVolumeClaim', { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }],
    ['ClusterRole', { metadata: { name: 'system:node' }, rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] }],
    [
      'Ingress',
      {
        spec: { rules: [{ host: '*.x.io', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } }] } }] },
      },
    ],
    ['NetworkPolicy', { spec: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }] } }],
  ])('%s %j', (kind, object) => {
    expect(texts(kind, object)).toEqual([]);
  });
});

describe('what is refused', () => {
  test.each<[Kind, Fields, string[]]>([
    ['Pod', { ...pod({}), metadata: { namespace: 'default', name: 'Web' } }, [`metadata.name: Invalid value: "Web": ${SUBDOMAIN}`]],
    ['Pod', { ...pod({}), metadata: { namespace: 'default' } }, ['metadata.name: Required value: name or generateName is required']],
    ['Namespace', { metadata: { name: 'a.b' } }, ['metadata.name: Invalid value: "a.b": must not contain dots']],
    ['Namespace', { metadata: { name: 'A' } }, [`metadata.name: Invalid value: "A": ${LABEL}`]],
    [
      'Service',
      { metadata: { namespace: 'd', name: '1a' }, spec: { ports: [{ port: 1 }] } },
      [
        "metadata.name: Invalid value: \"1a\": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
      ],
    ],
    [
      'Pod',
      { ...pod({}), metadata: { ...metadata, labels: { a: '-' } } },
      [
        "metadata.labels: Invalid value: \"-\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
      ],
    ],
    ['Pod', pod({ containers: [] }), ['spec.containers: Required value']],
    ['Pod', pod({ containers: [{ image: 'x:1' }] }), ['spec.containers[0].name: Required value']],
    ['Pod', pod({ containers: [{ name: 'c' }] }), ['spec.containers[0].image: Required value']],
    ['Pod', pod({ containers: [container, container] }), ['spec.containers[1].name: Duplicate value: "c"']],
    [
      'Pod',
      inContainer({ imagePullPolicy: 'Sometimes' }),
      ['spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"'],
    ],
    [
      'Pod',
      inContainer({ ports: [{ containerPort: 70000 }] }),
      ['spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive'],
    ],
    [
      'Pod',
      inContainer({ ports: [{ containerPort: 80, protocol: 'tcp' }] }),
      ['spec.containers[0].ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"'],
    ],
    [
      'Pod',
      inContainer({ ports: [{ containerPort: 80, name: 'a-very-long-port-name' }] }),
      ['spec.containers[0].ports[0].name: Invalid value: "a-very-long-port-name": must be no more than 15 characters'],
    ],
    ['Pod', inContainer({ volumeMounts: [{ name: 'v', mountPath: '/x' }] }), ['spec.containers[0].volumeMounts[0].name: Not found: "v"']],
    [
      'Pod',
      inContainer({ resources: { limits: { cpu: '1' }, requests: { cpu: '2' } } }),
      ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
    ],
    [
      'Pod',
      inContainer({ resources: { limits: { memory: '-1' }, requests: { memory: '-1' } } }),
      [
        'spec.containers[0].resources.limits[memory]: Invalid value: "-1": must be greater than or equal to 0',
        'spec.containers[0].resources.requests[memory]: Invalid value: "-1": must be greater than or equal to 0',
      ],
    ],
    ['Pod', inContainer({ livenessProbe: {} }), ['spec.containers[0].livenessProbe: Required value: must specify a handler type']],
    [
      'Pod',
      inContainer({ livenessProbe: { tcpSocket: { port: 80 }, successThreshold: 2 } }),
      ['spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1'],
    ],
    [
      'Pod',
      inContainer({ env: [{ name: 'A', valueFrom: {} }] }),
      ['spec.containers[0].env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`'],
    ],
    ['Pod', pod({ restartPolicy: 'Sometimes' }), ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"']],
    [
      'Pod',
      pod({ initContainers: [{ ...container, name: 'i', livenessProbe: { tcpSocket: { port: 1 } } }] }),
      ['spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always'],
    ],
    [
      'Pod',
      pod({ tolerations: [{ effect: 'NoSchedule' }] }),
      ['spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys"'],
    ],
    [
      'Pod',
      pod({ volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/x' } }] }),
      ['spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type'],
    ],
    [
      'Deployment',
      { spec: { selector: { matchLabels: { app: 'db' } }, template } },
      ['spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'],
    ],
    ['Deployment', { spec: { template } }, ['spec.selector: Required value']],
    ['Deployment', { spec: { selector: {}, template } }, ['spec.selector: Invalid value: {}: empty selector is invalid for deployment']],
    ['Deployment', { spec: { selector, template, replicas: -1 } }, ['spec.replicas: Invalid value: -1: must be greater than or equal to 0']],
    [
      'Deployment',
      { spec: { selector, template, strategy: { type: 'Big' } } },
      ['spec.strategy.type: Unsupported value: "Big": supported values: "Recreate", "RollingUpdate"'],
    ],
    [
      'Deployment',
      { spec: { selector, template, strategy: { type: 'Recreate', rollingUpdate: {} } } },
      ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    ],
    [
      'Deployment',
      { spec: { selector, template, strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } } },
      ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0'],
    ],
    [
      'Deployment',
      { spec: { selector, template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } } },
      ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ],
    [
      'Deployment',
      { spec: { selector, template: { ...template, spec: { containers: [{ name: 'C', image: 'x:1' }] } } } },
      [`spec.template.spec.containers[0].name: Invalid value: "C": ${LABEL}`],
    ],
    ['Job', { spec: { manualSelector: true, selector, template } }, ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']],
    [
      'CronJob',
      { spec: { schedule: 'x', jobTemplate: { spec: { template: { spec: { containers: [container], restartPolicy: 'Never' } } } } } },
      ['spec.schedule: Invalid value: "x": expected exactly 5 fields, found 1: [x]'],
    ],
    ['Service', { spec: {} }, ['spec.ports: Required value']],
    ['Service', { spec: { ports: [{ port: 80 }, { port: 81 }] } }, ['spec.ports[0].name: Required value', 'spec.ports[1].name: Required value']],
    [
      'Service',
      { spec: { type: 'Cluster', ports: [{ port: 80 }] } },
      ['spec.type: Unsupported value: "Cluster": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'],
    ],
    ['Service', { spec: { ports: [{ port: 80, nodePort: 30000 }] } }, ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"]],
    [
      'ConfigMap',
      { data: { 'a b': 'x' } },
      [
        "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
      ],
    ],
    ['Secret', { type: 'kubernetes.io/tls' }, ['data[tls.crt]: Required value', 'data[tls.key]: Required value']],
    [
      'PersistentVolumeClaim',
      { spec: {} },
      ['spec.accessModes: Required value: at least 1 access mode is required', 'spec.resources[storage]: Required value'],
    ],
    [
      'PodDisruptionBudget',
      { spec: { minAvailable: 1, maxUnavailable: 1 } },
      ['spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: minAvailable and maxUnavailable cannot be both set'],
    ],
    [
      'HorizontalPodAutoscaler',
      { spec: { scaleTargetRef: { kind: 'Deployment', name: 'x' }, minReplicas: 5, maxReplicas: 2 } },
      ['spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`'],
    ],
    ['Ingress', { spec: {} }, ['spec: Invalid value: []: either `defaultBackend` or `rules` must be specified']],
    ['Role', { rules: [{ verbs: [], apiGroups: [''], resources: ['pods'] }] }, ['rules[0].verbs: Required value: verbs must contain at least one value']],
    [
      'RoleBinding',
      { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Roll', name: 'r' } },
      ['roleRef.kind: Unsupported value: "Roll": supported values: "Role", "ClusterRole"'],
    ],
    ['PriorityClass', { metadata: { name: 'p' }, value: 2_000_000_000 }, ['value: Forbidden: maximum allowed value of a user defined priority is 1000000000']],
  ])('%s %j', (kind, object, expected) => {
    expect(texts(kind, object)).toEqual(expected);
  });
});

describe('updates', () => {
  test.each<[Kind, Fields, Fields, string[]]>([
    [
      'Deployment',
      { spec: { selector: { matchLabels: { app: 'web', x: 'y' } }, template: { ...template, metadata: { labels: { app: 'web', x: 'y' } } } } },
      { spec: { selector, template } },
      ['spec.selector: Invalid value: {"matchLabels":{"app":"web","x":"y"}}: field is immutable'],
    ],
    [
      'Service',
      { spec: { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'], ports: [{ port: 80 }] } },
      { spec: { clusterIP: '10.96.0.8', ports: [{ port: 80 }] } },
      ['spec.clusterIPs[0]: Invalid value: ["10.96.0.9"]: may not change once set'],
    ],
    [
      'ConfigMap',
      { immutable: true, data: { a: '2' } },
      { immutable: true, data: { a: '1' } },
      ['data: Forbidden: field is immutable when `immutable` is set'],
    ],
    ['Secret', { type: 'x/y' }, {}, ['type: Invalid value: "x/y": field is immutable']],
    [
      'RoleBinding',
      { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'b' } },
      { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'a' } },
      ['roleRef: Invalid value: {"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"b"}: cannot change roleRef'],
    ],
    [
      'StatefulSet',
      { spec: { selector, template, serviceName: 'b' } },
      { spec: { selector, template, serviceName: 'a' } },
      [
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      ],
    ],
    ['Pod', pod({ activeDeadlineSeconds: 5, tolerations: [{ operator: 'Exists' }] }), pod({}), []],
    ['Pod', inContainer({ image: 'nginx:2', imagePullPolicy: 'IfNotPresent' }), pod({}), []],
    [
      'Pod',
      pod({ containers: [container, { ...container, name: 'd' }] }),
      pod({}),
      ['spec.containers: Forbidden: pod updates may not add or remove containers'],
    ],
  ])('%s %j from %j', (kind, object, old, expected) => {
    expect(texts(kind, object, old)).toEqual(expected);
  });

  test('a pod’s other fields may not change', () => {
    const [error, ...more] = texts('Pod', pod({ nodeName: 'node-2' }), pod({ nodeName: 'node-1' }));
    expect(more).toEqual([]);
    expect(error).toMatch(/^spec: Forbidden: pod updates may not change fields other than `spec.containers\[\*\].image`,/);
    expect(error).toContain('nodeName: "node-1"');
    expect(validate('Pod', made('Pod', pod({ nodeName: 'node-2' })), made('Pod', pod({})), 'binding')).toEqual([]);
  });

  test('no finalizers are added to what is being deleted', () => {
    const old = { ...pod({}), metadata: { ...metadata, deletionTimestamp: '2026-01-05T08:00:00Z', finalizers: ['x/a'] } };
    const next = { ...pod({}), metadata: { ...old.metadata, finalizers: ['x/a', 'x/b'] } };
    expect(texts('Pod', next, old)).toEqual([
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"x/b"}',
    ]);
  });
});

describe('the 422', () => {
  test('one error', () => {
    const errors = validate('Deployment', made('Deployment', { spec: { selector: { matchLabels: { app: 'db' } }, template } }));
    expect(invalidStatus('Deployment', 'apps', 'web', errors)).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Deployment.apps "web" is invalid: spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
      reason: 'Invalid',
      details: {
        name: 'web',
        group: 'apps',
        kind: 'Deployment',
        causes: [
          {
            reason: 'FieldValueInvalid',
            message: 'Invalid value: {"app":"web"}: `selector` does not match template `labels`',
            field: 'spec.template.metadata.labels',
          },
        ],
      },
      code: 422,
    });
  });
  test('several errors', () => {
    const errors = validate('Pod', made('Pod', pod({ containers: [{}] })));
    expect(invalidStatus('Pod', '', 'web', errors).message).toBe(
      'Pod "web" is invalid: [spec.containers[0].name: Required value, spec.containers[0].image: Required value]',
    );
  });
});
