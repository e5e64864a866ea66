import { describe, expect, test } from 'vitest';
import { seconds } from '../../../sim/clock.ts';
import { matchesFields, parseFieldSelector } from '../../api/field-selector.ts';
import type { KubeObject } from '../../api/meta.ts';
import { byKind, byObject } from '../../api/resources.ts';
import { parseSelector } from '../../api/selector.ts';
import { describe as describeObject, type Reader } from './describe.ts';

/** Reads from a handful of objects as an API server would. */
function readerOf(objects: readonly KubeObject[]): Reader {
  const of = (kind: Parameters<Reader['get']>[0], namespace: string): readonly KubeObject[] =>
    objects.filter((object) => byObject(object) === byKind(kind) && (namespace === '' || object.metadata.namespace === namespace));
  return {
    get: async (kind, namespace, name) => of(kind, namespace).find(({ metadata }) => metadata.name === name),
    list: async (kind, namespace, query = {}) =>
      of(kind, namespace).filter(
        (object) =>
          parseSelector(query.labelSelector ?? '').matches(object.metadata.labels) &&
          matchesFields(kind, parseFieldSelector(query.fieldSelector ?? ''), object),
      ),
  };
}

async function told(object: object, others: readonly object[] = [], showEvents = true): Promise<string[]> {
  const row = byObject(object as KubeObject);
  if (!row) throw new Error('not served');
  const text = await describeObject(row, object as KubeObject, readerOf(others as readonly KubeObject[]), { showEvents, now: seconds(300) });
  return text.split('\n');
}

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web-1',
    namespace: 'default',
    uid: 'u1',
    creationTimestamp: '2026-01-05T08:00:42Z',
    labels: { app: 'web', 'pod-template-hash': 'x' },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'rs', controller: true }],
  },
  spec: {
    nodeName: 'node-1',
    priority: 0,
    serviceAccountName: 'default',
    containers: [
      {
        name: 'web',
        image: 'nginx',
        ports: [{ containerPort: 80, protocol: 'TCP' }],
        resources: { limits: { cpu: '1000m' }, requests: { cpu: '250m', memory: '67108864' } },
        readinessProbe: {
          httpGet: { path: '/healthz', port: 80, scheme: 'HTTP' },
          timeoutSeconds: 1,
          periodSeconds: 10,
          successThreshold: 1,
          failureThreshold: 3,
        },
        env: [{ name: 'NODE', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'spec.nodeName' } } }],
        volumeMounts: [{ name: 'token', mountPath: '/var/run', readOnly: true }],
      },
    ],
    volumes: [{ name: 'token', projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }] } }],
    tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }],
  },
  status: {
    phase: 'Running',
    hostIP: '10.0.0.11',
    podIP: '10.244.1.2',
    podIPs: [{ ip: '10.244.1.2' }],
    startTime: '2026-01-05T08:00:42Z',
    qosClass: 'Burstable',
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [
      {
        name: 'web',
        image: 'nginx',
        imageID: 'i',
        containerID: 'containerd://1',
        ready: true,
        restartCount: 1,
        state: { running: { startedAt: '2026-01-05T08:01:00Z' } },
      },
    ],
  },
};
const event = {
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: 'e', namespace: 'default' },
  involvedObject: { kind: 'Pod', namespace: 'default', name: 'web-1', uid: 'u1' },
  type: 'Warning',
  reason: 'BackOff',
  message: 'Back-off restarting failed container\n',
  source: { component: 'kubelet' },
  count: 3,
  firstTimestamp: '2026-01-05T08:01:00Z',
  lastTimestamp: '2026-01-05T08:04:30Z',
};

describe('describe', () => {
  test('a pod', async () => {
    expect(await told(pod, [event])).toEqual([
      'Name:             web-1',
      'Namespace:        default',
      'Priority:         0',
      'Service Account:  default',
      'Node:             node-1/10.0.0.11',
      'Start Time:       Mon, 05 Jan 2026 08:00:42 +0000',
      'Labels:           app=web',
      '                  pod-template-hash=x',
      'Annotations:      <none>',
      'Status:           Running',
      'IP:               10.244.1.2',
      'IPs:',
      '  IP:           10.244.1.2',
      'Controlled By:  ReplicaSet/web',
      'Containers:',
      '  web:',
      '    Container ID:   containerd://1',
      '    Image:          nginx',
      '    Image ID:       i',
      '    Port:           80/TCP',
      '    Host Port:      0/TCP',
      '    State:          Running',
      '      Started:      Mon, 05 Jan 2026 08:01:00 +0000',
      '    Ready:          True',
      '    Restart Count:  1',
      '    Limits:',
      '      cpu:  1',
      '    Requests:',
      '      cpu:      250m',
      '      memory:   67108864',
      '    Readiness:  http-get http://:80/healthz delay=0s timeout=1s period=10s #success=1 #failure=3',
      '    Environment:',
      '      NODE:   (v1:spec.nodeName)',
      '    Mounts:',
      '      /var/run from token (ro)',
      'Conditions:',
      '  Type    Status',
      '  Ready   True ',
      'Volumes:',
      '  token:',
      '    Type:                    Projected (a volume that contains injected data from multiple sources)',
      '    TokenExpirationSeconds:  3607',
      'QoS Class:                   Burstable',
      'Node-Selectors:              <none>',
      'Tolerations:                 node.kubernetes.io/not-ready:NoExecute op=Exists for 300s',
      'Events:',
      '  Type     Reason   Age               From     Message',
      '  ----     ------   ----              ----     -------',
      '  Warning  BackOff  30s (x3 over 4m)  kubelet  Back-off restarting failed container',
      '',
    ]);
  });

  test('without events', async () => {
    expect((await told(pod, [event], false)).join('\n')).not.toContain('Events');
  });

  test('a deployment names its replica sets, the old ones first', async () => {
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'nginx:2' }] } };
    const owner = [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'd', controller: true }];
    const set = (name: string, created: string, replicas: number, image: string): object => ({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name, namespace: 'default', creationTimestamp: created, labels: { app: 'web' }, ownerReferences: owner },
      spec: { replicas, template: { metadata: { labels: { 'pod-template-hash': name, app: 'web' } }, spec: { containers: [{ name: 'c', image }] } } },
      status: { replicas },
    });
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'default', uid: 'd', creationTimestamp: '2026-01-05T08:00:00Z' },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'web' } },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } },
        template,
      },
      status: { replicas: 3, updatedReplicas: 1, availableReplicas: 2, unavailableReplicas: 1 },
    };
    const lines = await told(deployment, [set('web-b', '2026-01-05T08:02:00Z', 1, 'nginx:2'), set('web-a', '2026-01-05T08:01:00Z', 2, 'nginx:1')]);
    expect(lines).toContain('Replicas:               2 desired | 1 updated | 3 total | 2 available | 1 unavailable');
    expect(lines).toContain('RollingUpdateStrategy:  0 max unavailable, 25% max surge');
    expect(lines.slice(-4)).toEqual([
      'OldReplicaSets:    web-a (2/2 replicas created)',
      'NewReplicaSet:     web-b (1/1 replicas created)',
      'Events:            <none>',
      '',
    ]);
  });

  test('a node counts what its pods ask for', async () => {
    const node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'node-1', uid: 'n', labels: { 'node-role.kubernetes.io/control-plane': '' } },
      spec: { taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] },
      status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110' }, nodeInfo: {} },
    };
    const lines = await told(node, [pod]);
    expect(lines).toContain('Roles:              control-plane');
    expect(lines).toContain('Lease:              Failed to get lease: leases.coordination.k8s.io "node-1" not found');
    const at = lines.findIndex((line) => line.startsWith('Non-terminated'));
    expect(lines.slice(at)).toEqual([
      'Non-terminated Pods:          (1 in total)',
      '  Namespace                   Name     CPU Requests  CPU Limits  Memory Requests  Memory Limits  Age',
      '  ---------                   ----     ------------  ----------  ---------------  -------------  ---',
      '  default                     web-1    250m (6%)     1 (25%)     67108864 (0%)    0 (0%)         4m18s',
      'Allocated resources:',
      '  (Total limits may be over 100 percent, i.e., overcommitted.)',
      '  Resource           Requests       Limits',
      '  --------           --------       ------',
      '  cpu                250m (6%)      1 (25%)',
      '  memory             67108864 (0%)  0 (0%)',
      '  ephemeral-storage  0 (0%)         0 (0%)',
      'Events:              <none>',
      '',
    ]);
  });

  test('a service lists ready endpoints', async () => {
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        type: 'ClusterIP',
        clusterIP: '10.96.1.1',
        clusterIPs: ['10.96.1.1'],
        sessionAffinity: 'None',
        ports: [{ port: 80, targetPort: 'http', protocol: 'TCP' }],
      },
    };
    const endpoint = (address: string, ready: boolean): object => ({ addresses: [address], conditions: { ready } });
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'web-x', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      ports: [{ name: '', port: 8080, protocol: 'TCP' }],
      endpoints: [endpoint('10.1.0.1', true), endpoint('10.1.0.2', false), endpoint('10.1.0.3', true), endpoint('10.1.0.4', true), endpoint('10.1.0.5', true)],
    };
    const lines = await told(service, [slice]);
    expect(lines).toContain('TargetPort:        http/TCP');
    expect(lines).toContain('Endpoints:         10.1.0.1:8080,10.1.0.3:8080,10.1.0.4:8080 + 1 more...');
  });

  test('a namespace without quotas', async () => {
    expect(await told({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' }, status: { phase: 'Active' } })).toEqual([
      'Name:         default',
      'Labels:       <none>',
      'Annotations:  <none>',
      'Status:       Active',
      '',
      'No resource quota.',
      '',
      'No LimitRange resource.',
      '',
    ]);
  });

  test('a secret keeps its values', async () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace: 'default' },
      type: 'Opaque',
      data: { password: 'c2VjcmV0', a: 'YWI=' },
    };
    expect((await told(secret)).slice(4)).toEqual(['', 'Type:  Opaque', '', 'Data', '====', 'a:         2 bytes', 'password:  6 bytes', '']);
  });

  test('a kind without a description is told field by field', async () => {
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'l', namespace: 'n', uid: 'u' },
      spec: { holderIdentity: 'me', leaseDurationSeconds: 40 },
    };
    expect(await told(lease)).toEqual([
      'Name:         l',
      'Namespace:    n',
      'Labels:       <none>',
      'Annotations:  <none>',
      'API Version:  coordination.k8s.io/v1',
      'Kind:         Lease',
      'Metadata:',
      '  UID:  u',
      'Spec:',
      '  Holder Identity:         me',
      '  Lease Duration Seconds:  40',
      'Events:                    <none>',
      '',
    ]);
  });
});
