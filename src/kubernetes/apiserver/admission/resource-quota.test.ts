/** Quotas: what is charged, what is refused, and two that want the last unit. */
import { describe, expect, it } from 'vitest';
import { ms } from '../../../sim/clock.ts';
import type { KubeObject } from '../../api/meta.ts';
import { usageOf } from '../../api/quota.ts';
import { byKind } from '../../api/resources.ts';
import type { Kind } from '../../api/types.gen.ts';
import { deployment, type Loose, pod, type TestServer, withApiServer } from '../testing.test-support.ts';

const NS = '/api/v1/namespaces/default';

describe('what an object costs', () => {
  const of = (kind: Kind, object: object): object => usageOf(byKind(kind), object as KubeObject, 0);
  const spec = (containers: object[], more: object = {}): object => ({ metadata: { name: 'x' }, spec: { containers, ...more } });
  it.each([
    ['a pod that asks for nothing', 'Pod', spec([{ name: 'c' }]), { 'count/pods': '1', pods: '1' }],
    ['an ended pod', 'Pod', { ...spec([{ name: 'c' }]), status: { phase: 'Succeeded' } }, { 'count/pods': '1' }],
    [
      'requests and limits of all containers',
      'Pod',
      spec([{ resources: { requests: { cpu: '100m', 'nvidia.com/gpu': '1' }, limits: { memory: '1Gi' } } }, { resources: { requests: { cpu: '200m' } } }]),
      { 'count/pods': '1', pods: '1', cpu: '300m', 'requests.cpu': '300m', 'requests.nvidia.com/gpu': '1', 'limits.memory': '1Gi' },
    ],
    [
      'the greediest init container, a sidecar, and overhead',
      'Pod',
      spec([{ resources: { requests: { cpu: '100m' } } }], {
        initContainers: [{ restartPolicy: 'Always', resources: { requests: { cpu: '50m' } } }, { resources: { requests: { cpu: '1' } } }],
        overhead: { cpu: '10m' },
      }),
      { 'count/pods': '1', pods: '1', cpu: '1060m', 'requests.cpu': '1060m' },
    ],
    [
      'a node port',
      'Service',
      { metadata: {}, spec: { type: 'NodePort', ports: [{ port: 1 }, { port: 2 }] } },
      { 'count/services': '1', services: '1', 'services.nodeports': '2', 'services.loadbalancers': '0' },
    ],
    [
      'a load balancer without node ports',
      'Service',
      { metadata: {}, spec: { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ports: [{ port: 1 }] } },
      { 'count/services': '1', services: '1', 'services.nodeports': '0', 'services.loadbalancers': '1' },
    ],
    [
      'a claim',
      'PersistentVolumeClaim',
      { metadata: {}, spec: { storageClassName: 'gold', resources: { requests: { storage: '2Gi' } } } },
      {
        'count/persistentvolumeclaims': '1',
        persistentvolumeclaims: '1',
        'requests.storage': '2Gi',
        'gold.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
        'gold.storageclass.storage.k8s.io/requests.storage': '2Gi',
      },
    ],
    ['a config map', 'ConfigMap', { metadata: {} }, { 'count/configmaps': '1', configmaps: '1' }],
    ['a deployment', 'Deployment', { metadata: {} }, { 'count/deployments.apps': '1' }],
  ] as const)('%s', (_, kind, object, usage) => expect(of(kind, object)).toEqual(usage));
});

/** A namespace with quotas that somebody has counted already. */
async function withQuota(
  quotas: readonly { name?: string; hard: Record<string, string>; used?: Record<string, string>; spec?: object }[],
  story: (server: TestServer) => Promise<void>,
): Promise<void> {
  await withApiServer(async (server) => {
    await server.post(`${NS}/serviceaccounts`, { metadata: { name: 'default' } });
    for (const { name = 'q', hard, used, spec } of quotas) {
      await server.post(`${NS}/resourcequotas`, { metadata: { name }, spec: { hard, ...spec } });
      const zero = Object.fromEntries(Object.keys(hard).map((each) => [each, '0']));
      if (used) await server.put(`${NS}/resourcequotas/${name}/status`, { metadata: { name }, status: { hard, used: { ...zero, ...used } } });
    }
    await server.sleep(ms(10));
    await story(server);
  });
}
const used = async (server: TestServer, name = 'q'): Promise<Loose> => (await server.get(`${NS}/resourcequotas/${name}`)).body.status.used;

describe('ResourceQuota', () => {
  it('charges before it grants', () =>
    withQuota([{ hard: { pods: '2', 'requests.cpu': '1' }, used: {} }], async (server) => {
      const asking = pod('a', { containers: [{ name: 'c', image: 'nginx', resources: { requests: { cpu: '600m' } } }] });
      expect((await server.post(`${NS}/pods`, asking)).status).toBe(201);
      expect(await used(server)).toEqual({ pods: '1', 'requests.cpu': '600m' });
      const { status, body } = await server.post(`${NS}/pods`, { ...asking, metadata: { name: 'b' } });
      expect([status, body.message]).toEqual([
        403,
        'pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1',
      ]);
      expect((await used(server)).pods).toBe('1');
    }));

  it.each([
    ['as many as there may be', { pods: '2' }, { pods: '2' }, {}, 'exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2'],
    ['what must be said', { cpu: '1', memory: '1Gi' }, {}, {}, 'failed quota: q: must specify cpu for: c; memory for: c'],
    [
      'requests that must be said',
      { 'requests.cpu': '1', 'limits.memory': '1Gi' },
      {},
      {},
      'failed quota: q: must specify limits.memory for: c; requests.cpu for: c',
    ],
    ['count/pods', { 'count/pods': '1' }, { 'count/pods': '1' }, {}, 'exceeded quota: q, requested: count/pods=1, used: count/pods=1, limited: count/pods=1'],
    ['in its scope', { pods: '0' }, {}, { scopes: ['BestEffort'] }, 'exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0'],
    ['not in its scope', { pods: '0' }, {}, { scopes: ['NotBestEffort'] }, undefined],
    [
      'not of its class',
      { pods: '0' },
      {},
      { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] } },
      undefined,
    ],
    [
      'of a class that is not its own',
      { pods: '0' },
      {},
      { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'DoesNotExist' }] } },
      'exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0',
    ],
  ] as const)('pods: %s', (_, hard, before, spec, why) =>
    withQuota([{ hard, used: before, spec }], async (server) => {
      const { body } = await server.post(`${NS}/pods`, pod('x'));
      expect(body.message).toBe(why && `pods "x" is forbidden: ${why}`);
    }),
  );

  it('refuses before anybody has counted', () =>
    withQuota([{ hard: { configmaps: '3' } }], async (server) => {
      // The status says nothing of the limits yet, so there is nothing to hold against.
      expect((await server.post(`${NS}/configmaps`, { metadata: { name: 'a' } })).status).toBe(201);
      await server.put(`${NS}/resourcequotas/q/status`, { metadata: { name: 'q' }, status: { hard: { configmaps: '3' } } });
      await server.sleep(ms(10));
      const { body } = await server.post(`${NS}/configmaps`, { metadata: { name: 'b' } });
      expect(body.message).toBe('configmaps "b" is forbidden: status unknown for quota: q, resources: configmaps');
    }));

  it('counts any kind, by its group', () =>
    withQuota([{ hard: { 'count/deployments.apps': '1' }, used: {} }], async (server) => {
      const at = '/apis/apps/v1/namespaces/default/deployments';
      expect((await server.post(at, deployment('a'))).status).toBe(201);
      const { body } = await server.post(at, deployment('b'));
      expect(body.message).toBe(
        'deployments.apps "b" is forbidden: exceeded quota: q, requested: count/deployments.apps=1, used: count/deployments.apps=1, limited: count/deployments.apps=1',
      );
      // An update costs nothing.
      expect((await server.patch(`${at}/a`, { spec: { replicas: 5 } })).status).toBe(200);
    }));

  it('charges a service that becomes dearer', () =>
    withQuota([{ hard: { 'services.nodeports': '1' }, used: {} }], async (server) => {
      const service = (name: string, more: object): object => ({ metadata: { name }, spec: { selector: { a: 'b' }, ports: [{ port: 80 }], ...more } });
      await server.post(`${NS}/services`, service('a', { type: 'NodePort' }));
      await server.post(`${NS}/services`, service('b', {}));
      await server.sleep(ms(10));
      const { body } = await server.patch(`${NS}/services/b`, { spec: { type: 'NodePort' } });
      expect(body.message).toBe(
        'services "b" is forbidden: exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=1, limited: services.nodeports=1',
      );
    }));

  it('lets only one have the last unit', () =>
    withQuota(
      [
        { hard: { pods: '3' }, used: { pods: '1' } },
        { name: 'r', hard: { 'count/pods': '9' }, used: {} },
      ],
      async (server) => {
        const answers = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => server.post(`${NS}/pods`, pod(name))));
        expect(answers.map(({ status }) => status)).toEqual([201, 201, 403, 403, 403]);
        expect([await used(server), await used(server, 'r')]).toEqual([{ pods: '3' }, { 'count/pods': '2' }]);
      },
    ));

  it('charges nothing for a dry run', () =>
    withQuota([{ hard: { pods: '1' }, used: {} }], async (server) => {
      expect((await server.post(`${NS}/pods?dryRun=All`, pod('x'))).status).toBe(201);
      expect(await used(server)).toEqual({ pods: '0' });
    }));

  it('settles with a quota that somebody else has changed', () =>
    withQuota([{ hard: { pods: '5' }, used: {} }], async (server) => {
      const raced = Promise.all([
        server.put(`${NS}/resourcequotas/q/status`, { metadata: { name: 'q' }, status: { hard: { pods: '5' }, used: { pods: '2' } } }),
        server.post(`${NS}/pods`, pod('x')),
      ]);
      expect((await raced).map(({ status }) => status)).toEqual([200, 201]);
      expect(await used(server)).toEqual({ pods: '3' });
    }));
});
