import { describe, expect, test } from 'vitest';
import { seconds } from '../../../sim/clock.ts';
import type { Json } from '../../api/json.ts';
import { timestamp } from '../../api/time.ts';
import type { Kind, Pod } from '../../api/types.gen.ts';
import { podSummary } from './pod.ts';
import { tableFor } from './printers.ts';

const now = seconds(600);
const metadata = { name: 'web', namespace: 'default', creationTimestamp: timestamp(seconds(300)), resourceVersion: '7' };

/** `NAME|READY|…` over the row, wide columns behind `||`. */
function printed(kind: Kind, object: object): [string, string] {
  const table = tableFor(kind, [{ metadata, ...object }], { now });
  const columns = table.columnDefinitions ?? [];
  const cells = table.rows[0]?.cells ?? [];
  expect(cells).toHaveLength(columns.length);
  const line = (values: readonly Json[]): string => {
    const narrow = values.filter((_, i) => columns[i]?.priority === 0).join('|');
    const wide = values.filter((_, i) => columns[i]?.priority === 1).join('|');
    return wide ? `${narrow}||${wide}` : narrow;
  };
  return [line(columns.map((c) => c.name)), line(cells)];
}

const template = {
  spec: {
    containers: [
      { name: 'a', image: 'x:1' },
      { name: 'b', image: 'y:2' },
    ],
  },
};
const selector = { matchLabels: { app: 'web' } };

describe('tables', () => {
  test.each<[Kind, object, string, string]>([
    [
      'Deployment',
      { spec: { replicas: 3, selector, template }, status: { readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1 } },
      'Name|Ready|Up-to-date|Available|Age||Containers|Images|Selector',
      'web|1/3|2|1|5m||a,b|x:1,y:2|app=web',
    ],
    [
      'ReplicaSet',
      { spec: { replicas: 2, selector, template } },
      'Name|Desired|Current|Ready|Age||Containers|Images|Selector',
      'web|2|0|0|5m||a,b|x:1,y:2|app=web',
    ],
    [
      'StatefulSet',
      { spec: { replicas: 2, selector, template }, status: { readyReplicas: 2 } },
      'Name|Ready|Age||Containers|Images',
      'web|2/2|5m||a,b|x:1,y:2',
    ],
    [
      'DaemonSet',
      { spec: { selector, template }, status: { desiredNumberScheduled: 3, numberReady: 2 } },
      'Name|Desired|Current|Ready|Up-to-date|Available|Node Selector|Age||Containers|Images|Selector',
      'web|3|0|2|0|0|<none>|5m||a,b|x:1,y:2|app=web',
    ],
    [
      'Job',
      { spec: { completions: 3, selector, template }, status: { succeeded: 1, startTime: timestamp(seconds(570)) } },
      'Name|Status|Completions|Duration|Age||Containers|Images|Selector',
      'web|Running|1/3|30s|5m||a,b|x:1,y:2|app=web',
    ],
    [
      'CronJob',
      { spec: { schedule: '@hourly', suspend: false, jobTemplate: { spec: { template } } } },
      'Name|Schedule|Timezone|Suspend|Active|Last Schedule|Age||Containers|Images|Selector',
      'web|@hourly|<none>|False|0|<none>|5m||a,b|x:1,y:2|<none>',
    ],
    [
      'Service',
      { spec: { type: 'NodePort', clusterIP: '10.96.0.5', ports: [{ port: 80, nodePort: 30080, protocol: 'TCP' }], selector: { app: 'web' } } },
      'Name|Type|Cluster-IP|External-IP|Port(s)|Age||Selector',
      'web|NodePort|10.96.0.5|<none>|80:30080/TCP|5m||app=web',
    ],
    [
      'Service',
      { spec: { type: 'LoadBalancer', clusterIP: '10.96.0.5', ports: [{ port: 80, protocol: 'TCP' }] } },
      'Name|Type|Cluster-IP|External-IP|Port(s)|Age||Selector',
      'web|LoadBalancer|10.96.0.5|<pending>|80/TCP|5m||<none>',
    ],
    [
      'Endpoints',
      { subsets: [{ addresses: [{ ip: '1.1.1.1' }, { ip: '1.1.1.2' }, { ip: '1.1.1.3' }, { ip: '1.1.1.4' }], ports: [{ port: 80 }] }] },
      'Name|Endpoints|Age',
      'web|1.1.1.1:80,1.1.1.2:80,1.1.1.3:80 + 1 more...|5m',
    ],
    ['EndpointSlice', { addressType: 'IPv4', endpoints: [], ports: [] }, 'Name|AddressType|Ports|Endpoints|Age', 'web|IPv4|<unset>|<unset>|5m'],
    ['Namespace', { status: { phase: 'Active' } }, 'Name|Status|Age', 'web|Active|5m'],
    ['ConfigMap', { data: { a: '1' } }, 'Name|Data|Age', 'web|1|5m'],
    ['Secret', { type: 'Opaque' }, 'Name|Type|Data|Age', 'web|Opaque|0|5m'],
    ['ServiceAccount', {}, 'Name|Secrets|Age', 'web|0|5m'],
    [
      'Node',
      {
        metadata: { ...metadata, labels: { 'node-role.kubernetes.io/control-plane': '' } },
        spec: { unschedulable: true },
        status: {
          conditions: [{ type: 'Ready', status: 'True' }],
          addresses: [{ type: 'InternalIP', address: '10.0.0.11' }],
          nodeInfo: { kubeletVersion: 'v1.33.1', osImage: 'Debian', kernelVersion: '6.1.0', containerRuntimeVersion: 'containerd://1.7.27' },
        },
      },
      'Name|Status|Roles|Age|Version||Internal-IP|External-IP|OS-Image|Kernel-Version|Container-Runtime',
      'web|Ready,SchedulingDisabled|control-plane|5m|v1.33.1||10.0.0.11|<none>|Debian|6.1.0|containerd://1.7.27',
    ],
    [
      'Node',
      {},
      'Name|Status|Roles|Age|Version||Internal-IP|External-IP|OS-Image|Kernel-Version|Container-Runtime',
      'web|Unknown|<none>|5m|||<none>|<none>|<unknown>|<unknown>|<unknown>',
    ],
    [
      'Event',
      {
        involvedObject: { kind: 'Pod', name: 'p' },
        type: 'Normal',
        reason: 'Pulled',
        message: 'm',
        source: { component: 'kubelet', host: 'node-1' },
        firstTimestamp: timestamp(seconds(500)),
        lastTimestamp: timestamp(seconds(590)),
        count: 3,
      },
      'Last Seen|Type|Reason|Object|Message||Subobject|Source|First Seen|Count|Name',
      '10s|Normal|Pulled|pod/p|m|||kubelet, node-1|100s|3|web',
    ],
    [
      'HorizontalPodAutoscaler',
      {
        spec: {
          scaleTargetRef: { kind: 'Deployment', name: 'd' },
          minReplicas: 1,
          maxReplicas: 5,
          metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { averageUtilization: 80 } } }],
        },
      },
      'Name|Reference|Targets|MinPods|MaxPods|Replicas|Age',
      'web|Deployment/d|cpu: <unknown>/80%|1|5|0|5m',
    ],
    [
      'PodDisruptionBudget',
      { spec: { minAvailable: '50%' }, status: { disruptionsAllowed: 1 } },
      'Name|Min Available|Max Unavailable|Allowed Disruptions|Age',
      'web|50%|N/A|1|5m',
    ],
    ['Ingress', { spec: { ingressClassName: 'nginx', rules: [{ host: 'a.io' }] } }, 'Name|Class|Hosts|Address|Ports|Age', 'web|nginx|a.io||80|5m'],
    [
      'PersistentVolumeClaim',
      { spec: { storageClassName: 'fast', volumeMode: 'Filesystem' }, status: { phase: 'Pending' } },
      'Name|Status|Volume|Capacity|Access Modes|StorageClass|VolumeAttributesClass|Age||VolumeMode',
      'web|Pending||||fast|<unset>|5m||Filesystem',
    ],
    ['Role', {}, 'Name|Created At', `web|${metadata.creationTimestamp}`],
    [
      'RoleBinding',
      { roleRef: { kind: 'Role', name: 'r' }, subjects: [{ kind: 'ServiceAccount', name: 's', namespace: 'n' }] },
      'Name|Role|Age||Users|Groups|ServiceAccounts',
      'web|Role/r|5m||||n/s',
    ],
    ['Lease', { spec: { holderIdentity: 'node-1' } }, 'Name|Holder|Age', 'web|node-1|5m'],
    [
      'ControllerRevision',
      { metadata: { ...metadata, ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', uid: 'u', controller: true }] }, revision: 2 },
      'Name|Controller|Revision|Age',
      'web|daemonset.apps/d|2|5m',
    ],
    [
      'StorageClass',
      {
        metadata: { ...metadata, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
        provisioner: 'x.io/p',
        reclaimPolicy: 'Delete',
        volumeBindingMode: 'Immediate',
      },
      'Name|Provisioner|ReclaimPolicy|VolumeBindingMode|AllowVolumeExpansion|Age',
      'web (default)|x.io/p|Delete|Immediate|false|5m',
    ],
  ])('%s', (kind, object, header, row) => {
    expect(printed(kind, object)).toEqual([header, row]);
  });

  test('kinds without a printer show name and age; rows carry metadata, the object, or nothing', () => {
    expect(printed('Binding', { target: {} })).toEqual(['Name|Age', 'web|5m']);
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
    expect(tableFor('ConfigMap', [object], { now }).rows[0]?.object).toEqual({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata });
    expect(tableFor('ConfigMap', [object], { now, includeObject: 'Object' }).rows[0]?.object).toBe(object);
    expect(tableFor('ConfigMap', [object], { now, includeObject: 'None' }).rows[0]?.object).toBeNull();
    expect(tableFor('ConfigMap', [object], { now }).metadata).toEqual({ resourceVersion: '7' });
    expect(tableFor('ConfigMap', [], { now, resourceVersion: '9', withoutColumns: true })).toEqual({
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion: '9' },
      rows: [],
    });
  });
});

describe('pods', () => {
  const running = { name: 'c', ready: true, restartCount: 0, state: { running: {} } };
  const spec = { containers: [{ name: 'c' }] };
  const init = { ...spec, initContainers: [{ name: 'i' }, { name: 'j' }] };
  const sidecar = { ...spec, initContainers: [{ name: 's', restartPolicy: 'Always' }] };
  test.each<[string, object, string]>([
    ['pending', { spec, status: { phase: 'Pending' } }, '0/1 Pending 0'],
    ['running', { spec, status: { phase: 'Running', containerStatuses: [running] } }, '1/1 Running 0'],
    [
      'creating',
      { spec, status: { phase: 'Pending', containerStatuses: [{ ...running, ready: false, state: { waiting: { reason: 'ContainerCreating' } } }] } },
      '0/1 ContainerCreating 0',
    ],
    [
      'crashing',
      {
        spec,
        status: {
          phase: 'Running',
          containerStatuses: [
            {
              ...running,
              ready: false,
              restartCount: 3,
              state: { waiting: { reason: 'CrashLoopBackOff' } },
              lastState: { terminated: { exitCode: 1, finishedAt: timestamp(seconds(570)) } },
            },
          ],
        },
      },
      '0/1 CrashLoopBackOff 3 (30s ago)',
    ],
    [
      'failed',
      { spec, status: { phase: 'Failed', containerStatuses: [{ ...running, ready: false, state: { terminated: { exitCode: 3 } } }] } },
      '0/1 ExitCode:3 0',
    ],
    [
      'killed by a signal',
      { spec, status: { phase: 'Failed', containerStatuses: [{ ...running, ready: false, state: { terminated: { exitCode: 137, signal: 9 } } }] } },
      '0/1 Signal:9 0',
    ],
    [
      'completed',
      { spec, status: { phase: 'Succeeded', containerStatuses: [{ ...running, ready: false, state: { terminated: { exitCode: 0, reason: 'Completed' } } }] } },
      '0/1 Completed 0',
    ],
    ['evicted', { spec, status: { phase: 'Failed', reason: 'Evicted' } }, '0/1 Evicted 0'],
    [
      'terminating',
      { metadata: { ...metadata, deletionTimestamp: 'x' }, spec, status: { phase: 'Running', containerStatuses: [running] } },
      '1/1 Terminating 0',
    ],
    [
      'on a lost node',
      { metadata: { ...metadata, deletionTimestamp: 'x' }, spec, status: { phase: 'Running', reason: 'NodeLost', containerStatuses: [running] } },
      '1/1 Unknown 0',
    ],
    [
      'initializing',
      {
        spec: init,
        status: {
          phase: 'Pending',
          initContainerStatuses: [
            { name: 'i', restartCount: 0, state: { terminated: { exitCode: 0 } } },
            { name: 'j', restartCount: 0, state: { running: {} } },
          ],
        },
      },
      '0/1 Init:1/2 0',
    ],
    [
      'init failing',
      { spec: init, status: { phase: 'Pending', initContainerStatuses: [{ name: 'i', restartCount: 2, state: { waiting: { reason: 'CrashLoopBackOff' } } }] } },
      '0/1 Init:CrashLoopBackOff 2',
    ],
    [
      'init error',
      {
        spec: init,
        status: { phase: 'Pending', initContainerStatuses: [{ name: 'i', restartCount: 0, state: { terminated: { exitCode: 1, reason: 'Error' } } }] },
      },
      '0/1 Init:Error 0',
    ],
    [
      'with a sidecar',
      {
        spec: sidecar,
        status: {
          phase: 'Running',
          initContainerStatuses: [{ name: 's', started: true, ready: true, restartCount: 1, state: { running: {} } }],
          containerStatuses: [running],
        },
      },
      '2/2 Running 1',
    ],
    [
      'gated',
      { spec, status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] } },
      '0/1 SchedulingGated 0',
    ],
    [
      'half completed',
      {
        spec: { containers: [{ name: 'c' }, { name: 'd' }] },
        status: {
          phase: 'Running',
          containerStatuses: [
            { ...running, ready: false, state: { terminated: { exitCode: 0, reason: 'Completed' } } },
            { ...running, name: 'd' },
          ],
        },
      },
      '1/2 NotReady 0',
    ],
  ])('%s', (_, object, expected) => {
    const { ready, status, restarts } = podSummary({ apiVersion: 'v1', kind: 'Pod', metadata, ...object } as Pod, now);
    expect(`${ready} ${status} ${restarts}`).toBe(expected);
  });
  test('columns', () => {
    expect(printed('Pod', { spec: { ...spec, nodeName: 'node-1' }, status: { phase: 'Running', podIP: '10.244.1.2', containerStatuses: [running] } })).toEqual([
      'Name|Ready|Status|Restarts|Age||IP|Node|Nominated Node|Readiness Gates',
      'web|1/1|Running|0|5m||10.244.1.2|node-1|<none>|<none>',
    ]);
  });
});
