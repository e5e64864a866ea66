import { describe, expect, it } from 'vitest';
import type { ConfigMap, DaemonSet, EndpointSlice, Endpoints, Namespace, Node, Pod, ReplicaSet } from '../api/types.gen.ts';
import { deployment, type Scenario, scenario } from './scenario.test-support.ts';

const node = (s: Scenario, name: string) => s.api.get('nodes', name) as unknown as Node;
const taints = (s: Scenario, name: string) => (node(s, name).spec?.taints ?? []).map((t) => `${t.key}:${t.effect}`);
const tolerations = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 },
];
const tolerant = (name: string, replicas: number) =>
  deployment(name, replicas, 'nginx', {
    template: {
      metadata: { labels: { app: name } },
      spec: { tolerations, containers: [{ name: 'c', image: 'nginx', ports: [{ name: 'http', containerPort: 8080 }] }] },
    },
  });

describe('replica sets', () => {
  const replicaSet = (replicas: number) => ({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'rs', namespace: 'default' },
    spec: { replicas, selector: { matchLabels: { app: 'a' } }, template: { metadata: { labels: { app: 'a' } }, spec: { containers: [] } } },
  });
  const pod = (name: string, more: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: 'a' }, ...more },
    spec: { containers: [] },
  });

  it('adopts what it selects, replaces what is deleted, releases what no longer matches', async () => {
    const s = await scenario();
    s.api.put('pods', pod('stray'));
    s.api.put('replicasets', replicaSet(2));
    await s.wait(5);
    expect(s.pods()).toHaveLength(2);
    expect(s.pods().every((p) => p.metadata.ownerReferences?.[0]?.name === 'rs')).toBe(true);
    s.api.remove('pods', 'default/stray');
    await s.wait(5);
    expect(s.pods()).toHaveLength(2);
    const [first] = s.pods();
    s.api.edit('pods', `default/${first!.metadata.name}`, (p) => ({ ...p, metadata: { ...p.metadata, labels: { app: 'debug' } } }));
    await s.wait(5);
    expect(s.pods()).toHaveLength(3);
    expect(s.pods().find((p) => p.metadata.labels?.['app'] === 'debug')?.metadata.ownerReferences).toEqual([]);
  });

  it('gives up the pod with the lowest deletion cost first', async () => {
    const s = await scenario();
    s.api.put('replicasets', replicaSet(3));
    await s.wait(5);
    const keep = s.pods().map((p) => p.metadata.name!);
    for (const name of keep.slice(1))
      s.api.edit('pods', `default/${name}`, (p) => ({ ...p, metadata: { ...p.metadata, annotations: { 'controller.kubernetes.io/pod-deletion-cost': '5' } } }));
    s.api.edit('replicasets', 'default/rs', (rs) => ({ ...rs, spec: { ...(rs.spec as object), replicas: 2 } }));
    await s.wait(5);
    expect(s.pods().map((p) => p.metadata.name)).toEqual(keep.slice(1));
    expect(s.events('SuccessfulDelete')).toEqual([`SuccessfulDelete: Deleted pod: ${keep[0]}`]);
  });

  it('makes no pod twice when it is woken before it sees its own', async () => {
    const s = await scenario();
    s.api.watchLag = 30_000;
    s.api.put('replicasets', replicaSet(10));
    for (let i = 0; i < 40; i++) {
      await s.wait(0.001);
      s.api.edit('replicasets', 'default/rs', (rs) => ({ ...rs, metadata: { ...rs.metadata, annotations: { touched: String(i) } } }));
    }
    await s.wait(5);
    expect(s.events('SuccessfulCreate')).toHaveLength(10);
    expect(s.api.log.filter((line) => line === 'POST /api/v1/namespaces/default/pods')).toHaveLength(10);
    expect((s.api.get('replicasets', 'default/rs') as unknown as ReplicaSet).status).toMatchObject({ replicas: 10, readyReplicas: 10, availableReplicas: 10 });
  });
});

describe('services', () => {
  const service = (more: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default', labels: { tier: 'front' } },
    spec: { clusterIP: '10.96.0.5', selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }], ...more },
  });
  const slices = (s: Scenario) => s.api.all('endpointslices') as unknown as EndpointSlice[];

  it('have a slice with their pods, and Endpoints alike', async () => {
    const s = await scenario();
    s.api.put('services', service());
    await s.wait(1);
    expect(slices(s).map((slice) => slice.endpoints)).toEqual([[]]);
    s.api.put('deployments', tolerant('web', 3));
    await s.wait(8);
    expect(slices(s)).toHaveLength(1);
    const [slice] = slices(s);
    expect(slice!.metadata.name).toMatch(/^web-[a-z0-9]{5}$/);
    expect(slice!.metadata.labels).toEqual({
      tier: 'front',
      'kubernetes.io/service-name': 'web',
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    });
    expect(slice!.ports).toEqual([{ name: 'http', port: 8080, protocol: 'TCP' }]);
    expect(slice!.endpoints.map((e) => e.conditions)).toEqual(Array(3).fill({ ready: true, serving: true, terminating: false }));
    expect((s.api.get('endpoints', 'default/web') as unknown as Endpoints).subsets?.map((x) => x.addresses?.length)).toEqual([3]);
  });

  it('show a pod that is leaving as serving and terminating, then not at all', async () => {
    const s = await scenario();
    s.api.put('services', service());
    s.api.put('deployments', tolerant('web', 1));
    await s.wait(8);
    s.silent.add(s.pods()[0]!.spec!.nodeName!);
    const name = s.pods()[0]!.metadata.name!;
    s.api.edit('pods', `default/${name}`, (p) => ({ ...p, metadata: { ...p.metadata, deletionTimestamp: '2026-01-05T08:00:11Z' } }));
    await s.wait(0.1);
    expect(
      slices(s)
        .flatMap((x) => x.endpoints)
        .find((e) => e.targetRef?.name === name)?.conditions,
    ).toEqual({ ready: false, serving: true, terminating: true });
    s.api.remove('pods', `default/${name}`);
    await s.wait(3);
    expect(
      slices(s)
        .flatMap((x) => x.endpoints)
        .map((e) => e.targetRef?.name),
    ).toEqual([s.pods()[0]!.metadata.name]);
  });

  it('take at most a hundred endpoints to a slice', async () => {
    const s = await scenario();
    s.api.put('services', service());
    s.api.put('deployments', tolerant('web', 150));
    await s.wait(20);
    const sizes = slices(s).map((slice) => slice.endpoints.length);
    expect(sizes.reduce((a, b) => a + b, 0)).toBe(150);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
  });

  it('when a service goes, so do its slices and Endpoints', async () => {
    const s = await scenario();
    s.api.put('services', service());
    await s.wait(2);
    s.api.remove('services', 'default/web');
    await s.wait(2);
    expect(slices(s)).toEqual([]);
    expect(s.api.all('endpoints')).toEqual([]);
  });
});

describe('nodes', () => {
  it('get a pod range each', async () => {
    const s = await scenario();
    expect(['node-1', 'node-2', 'node-3'].map((name) => node(s, name).spec?.podCIDR)).toEqual(['10.244.0.0/24', '10.244.1.0/24', '10.244.2.0/24']);
    expect(s.events('RegisteredNode')).toContain('RegisteredNode: Node node-1 event: Registered Node node-1 in Controller');
  });

  it('fall silent: Unknown after forty seconds, tainted, their pods unready, then evicted and replaced', async () => {
    const s = await scenario();
    s.api.put('deployments', tolerant('web', 3));
    await s.wait(8);
    s.silent.add('node-2');
    const lost = s.pods().find((p) => p.spec?.nodeName === 'node-2')!.metadata.name!;
    await s.wait(35);
    expect(taints(s, 'node-2')).toEqual([]);
    await s.wait(20);
    expect(node(s, 'node-2').status?.conditions?.find((c) => c.type === 'Ready')).toMatchObject({
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
    });
    expect(taints(s, 'node-2').sort()).toEqual(['node.kubernetes.io/unreachable:NoExecute', 'node.kubernetes.io/unreachable:NoSchedule']);
    expect(s.events('NodeNotReady')).toEqual(['NodeNotReady: Node node-2 status is now: NodeNotReady', 'NodeNotReady: Node is not ready']);
    expect(
      s
        .pods()
        .find((p) => p.metadata.name === lost)
        ?.status?.conditions?.find((c) => c.type === 'Ready')?.status,
    ).toBe('False');
    await s.wait(35);
    expect(s.events('TaintManagerEviction')).toEqual([`TaintManagerEviction: Marking for deletion Pod default/${lost}`]);
    const old = s.pods().find((p) => p.metadata.name === lost);
    expect(old?.metadata.deletionTimestamp).toBeDefined();
    expect(old?.status?.conditions?.find((c) => c.type === 'DisruptionTarget')).toMatchObject({
      status: 'True',
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
    });
    expect(s.pods().filter((p) => !p.metadata.deletionTimestamp && p.spec?.nodeName !== 'node-2')).toHaveLength(3);
  });

  it('speak again in time: the taints go and nobody is evicted', async () => {
    const s = await scenario();
    s.api.put('deployments', tolerant('web', 3));
    await s.wait(8);
    s.silent.add('node-2');
    await s.wait(60);
    expect(taints(s, 'node-2')).toHaveLength(2);
    s.silent.delete('node-2');
    s.api.edit('nodes', 'node-2', (n) => ({ ...n, status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: 'later' }] } }));
    await s.wait(60);
    expect(taints(s, 'node-2')).toEqual([]);
    expect(s.events('TaintManagerEviction')[0]).toMatch(/^TaintManagerEviction: Cancelling deletion of Pod default\/web-/);
    expect(s.pods()).toHaveLength(3);
  });

  it('all silent at once: nobody is evicted', async () => {
    const s = await scenario();
    s.api.put('deployments', tolerant('web', 3));
    await s.wait(8);
    for (const name of ['node-1', 'node-2', 'node-3']) s.silent.add(name);
    await s.wait(150);
    expect(['node-1', 'node-2', 'node-3'].flatMap((name) => taints(s, name)).filter((t) => t.endsWith('NoExecute')).length).toBeLessThan(3);
  });

  it('removed from the cluster: pods bound to them are swept up', async () => {
    const s = await scenario();
    s.api.put('deployments', deployment('web', 3));
    await s.wait(8);
    s.silent.add('node-3');
    s.api.remove('nodes', 'node-3');
    await s.wait(90);
    expect(s.pods()).toHaveLength(3);
    expect(s.pods().some((p) => p.spec?.nodeName === 'node-3')).toBe(false);
  });
});

describe('daemon sets', () => {
  const daemons = (more: object = {}) => ({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent', namespace: 'kube-system', annotations: { 'deprecated.daemonset.template.generation': '1' } },
    spec: {
      selector: { matchLabels: { app: 'agent' } },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      template: { metadata: { labels: { app: 'agent' } }, spec: { containers: [{ name: 'c', image: 'agent:1' }], ...more } },
    },
  });
  const stored = (s: Scenario) => s.api.get('daemonsets', 'kube-system/agent') as unknown as DaemonSet;

  it('run on every node, on new ones too, and not where a taint forbids', async () => {
    const s = await scenario();
    s.api.edit('nodes', 'node-1', (n) => ({ ...n, spec: { ...(n.spec as object), taints: [{ key: 'special', effect: 'NoSchedule' }] } }));
    s.api.put('daemonsets', daemons());
    await s.wait(8);
    expect(s.pods().map((p) => p.spec?.nodeName)).toEqual(['node-2', 'node-3']);
    expect(s.pods()[0]!.spec?.tolerations).toHaveLength(6);
    expect(Object.keys(s.pods()[0]!.metadata.labels!).sort()).toEqual(['app', 'controller-revision-hash', 'pod-template-generation']);
    expect(stored(s).status).toEqual({
      currentNumberScheduled: 2,
      numberMisscheduled: 0,
      desiredNumberScheduled: 2,
      numberReady: 2,
      observedGeneration: 1,
      updatedNumberScheduled: 2,
      numberAvailable: 2,
    });
    s.api.edit('nodes', 'node-1', (n) => ({ ...n, spec: { ...(n.spec as object), taints: [] } }));
    await s.wait(5);
    expect(s.pods()).toHaveLength(3);
  });

  it('roll one node at a time', async () => {
    const s = await scenario();
    s.api.put('daemonsets', daemons());
    await s.wait(8);
    s.api.edit('daemonsets', 'kube-system/agent', (d) => ({
      ...d,
      metadata: { ...d.metadata, annotations: { 'deprecated.daemonset.template.generation': '2' } },
      spec: { ...daemons().spec, template: { metadata: { labels: { app: 'agent' } }, spec: { containers: [{ name: 'c', image: 'agent:2' }] } } },
    }));
    for (let i = 0; i < 60; i++) {
      await s.wait(0.2);
      expect(s.pods().filter((p) => p.status?.phase === 'Running' && !p.metadata.deletionTimestamp).length).toBeGreaterThanOrEqual(2);
    }
    expect(s.pods().map((p) => p.spec?.containers[0]?.image)).toEqual(['agent:2', 'agent:2', 'agent:2']);
    expect(s.api.all('controllerrevisions')).toHaveLength(2);
  });
});

describe('ownership', () => {
  const remove = async (s: Scenario, propagationPolicy: string) => {
    s.loop.spawn('kubectl', async () => {
      await s.api.handler({ method: 'DELETE', path: '/apis/apps/v1/namespaces/default/deployments/web', query: {}, headers: {}, body: { propagationPolicy } });
    });
    await s.wait(15);
  };

  it.each(['Background', 'Foreground'])('%s: with the deployment go its sets and pods', async (policy) => {
    const s = await scenario();
    s.api.put('deployments', deployment('web', 3));
    await s.wait(8);
    await remove(s, policy);
    expect(['deployments', 'replicasets', 'pods'].map((plural) => s.api.all(plural).length)).toEqual([0, 0, 0]);
    const deleted = s.api.log.filter((line) => line.startsWith('DELETE')).map((line) => line.split('/').at(-2));
    expect(deleted).toEqual(['deployments', 'replicasets', 'pods', 'pods', 'pods']);
  });

  it('Orphan: its sets stay, without an owner', async () => {
    const s = await scenario();
    s.api.put('deployments', deployment('web', 2));
    await s.wait(8);
    await remove(s, 'Orphan');
    expect(s.api.all('deployments')).toEqual([]);
    expect(s.api.all('replicasets').map((rs) => rs.metadata.ownerReferences)).toEqual([[]]);
    expect(s.pods()).toHaveLength(2);
  });

  it('an object whose owner never was is deleted; one with another owner stays', async () => {
    const s = await scenario();
    const owned = (name: string, ...owners: string[]) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name,
        namespace: 'default',
        ownerReferences: owners.map((owner) => ({ apiVersion: 'v1', kind: 'ConfigMap', name: owner, uid: `uid-of-${owner}` })),
      },
    });
    s.api.put('configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'real', namespace: 'default', uid: 'uid-of-real' } });
    s.api.put('configmaps', owned('child', 'ghost'));
    s.api.put('configmaps', owned('half', 'ghost', 'real'));
    await s.wait(5);
    expect(s.api.get('configmaps', 'default/child')).toBeUndefined();
    expect(s.api.get('configmaps', 'default/half')?.metadata.ownerReferences?.map((o) => o.name)).toEqual(['real']);
  });
});

describe('namespaces', () => {
  it('start with a service account and the root certificate', async () => {
    const s = await scenario();
    s.api.put('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } });
    await s.wait(1);
    expect(s.api.get('serviceaccounts', 'team/default')).toBeDefined();
    expect((s.api.get('configmaps', 'team/kube-root-ca.crt') as unknown as ConfigMap).data).toEqual({ 'ca.crt': 'PEM' });
    s.api.remove('serviceaccounts', 'team/default');
    await s.wait(1);
    expect(s.api.get('serviceaccounts', 'team/default')).toBeDefined();
  });

  it('take their content with them', async () => {
    const s = await scenario();
    s.api.put('namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } });
    const d = deployment('web', 2);
    s.api.put('deployments', { ...d, metadata: { ...d.metadata, namespace: 'team' } });
    await s.wait(8);
    expect(s.pods()).toHaveLength(2);
    s.loop.spawn('kubectl', async () => {
      await s.api.handler({ method: 'DELETE', path: '/api/v1/namespaces/team', query: {}, headers: {} });
    });
    await s.wait(6);
    const status = (s.api.get('namespaces', 'team') as unknown as Namespace | undefined)?.status;
    expect(status?.conditions?.find((c) => c.type === 'NamespaceContentRemaining')?.message).toBe(
      'Some resources are remaining: pods. has 2 resource instances',
    );
    await s.wait(20);
    expect(s.api.get('namespaces', 'team')).toBeUndefined();
    expect(s.pods().filter((p: Pod) => p.metadata.namespace === 'team')).toEqual([]);
  });
});

describe('the manager', () => {
  it('survives its API server', async () => {
    const s = await scenario();
    s.api.put('deployments', deployment('web', 2));
    await s.wait(8);
    s.api.down();
    s.api.put('deployments', deployment('late', 2));
    s.api.compact();
    await s.wait(5);
    s.api.up();
    await s.wait(45);
    expect(s.pods()).toHaveLength(4);
  });

  it('costs next to nothing when nothing happens', async () => {
    const s = await scenario();
    s.api.put('deployments', deployment('web', 3));
    await s.wait(20);
    const writes = s.api.log.length;
    await s.wait(60);
    // Only the manager's own lease.
    expect(s.api.log.slice(writes).filter((line) => !line.endsWith('/leases/kube-controller-manager'))).toEqual([]);
  });
});
