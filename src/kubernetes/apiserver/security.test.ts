/** Who is let in, and to what. */
import { describe, expect, it } from 'vitest';
import { ms, seconds } from '../../sim/clock.ts';
import type { Host } from '../../sim/loop.ts';
import { forever } from '../../sim/process.ts';
import { quietHost, testHost } from '../../sim/test-host.ts';
import type { ApiRequest } from '../api/request.ts';
import { type ApiServer, createApiServer } from './apiserver.ts';
import { createObserver } from './observer.ts';
import { type Attributes, allows } from './rbac.ts';
import { ADMIN, type Loose, memoryEtcd, pod, withApiServer } from './testing.test-support.ts';
import { createTokenSigner } from './tokens.ts';

const as = (commonName: string, ...organizations: string[]): Partial<ApiRequest> => ({ certificate: { commonName, organizations } });
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const PODS = '/api/v1/namespaces/default/pods';
const SA = { metadata: { name: 'default' } };

describe('rules', () => {
  const ask = (more: Partial<Attributes>): Attributes => ({
    verb: 'get',
    group: '',
    resource: 'pods',
    subresource: '',
    namespace: 'default',
    name: 'a',
    path: '',
    ...more,
  });
  const rule = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
  it.each([
    ['the resource itself', rule, {}, true],
    ['not its subresource', rule, { subresource: 'log' }, false],
    ['not another verb', rule, { verb: 'list' }, false],
    ['a subresource by name', { ...rule, resources: ['pods/log'] }, { subresource: 'log' }, true],
    ['a subresource of anything', { ...rule, resources: ['*/scale'] }, { resource: 'deployments', subresource: 'scale' }, true],
    ['everything', { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, { subresource: 'exec', verb: 'create' }, true],
    ['one name', { ...rule, resourceNames: ['a'] }, {}, true],
    ['not another name', { ...rule, resourceNames: ['b'] }, {}, false],
    ['a path', { verbs: ['get'], nonResourceURLs: ['/healthz/*'] }, { resource: '', path: '/healthz/etcd' }, true],
  ])('%s', (_, given, what, allowed) => expect(allows(given, ask(what))).toBe(allowed));
});

describe('authorization', () => {
  it.each([
    ['GET', PODS, 403, 'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"'],
    ['GET', `${PODS}/web`, 403, 'pods "web" is forbidden: User "jane" cannot get resource "pods" in API group "" in the namespace "default"'],
    [
      'GET',
      '/apis/apps/v1/namespaces/default/deployments/web/scale',
      403,
      'deployments.apps "web" is forbidden: User "jane" cannot get resource "deployments/scale" in API group "apps" in the namespace "default"',
    ],
    ['GET', '/api/v1/nodes', 403, 'nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope'],
    ['GET', '/metrics', 403, 'forbidden: User "jane" cannot get path "/metrics"'],
    ['GET', '/version', 200, undefined],
  ] as const)('%s %s', (method, url, status, message) =>
    withApiServer(async (server) => {
      const answer = await server.call(method, url, undefined, as('jane'));
      expect([answer.status, answer.body.message]).toEqual([status, message]);
    }).then(() => {}),
  );

  it('follows roles and bindings as they change', () =>
    withApiServer(async (server) => {
      const list = async () => (await server.get(PODS, as('jane', 'dev'))).status;
      expect(await list()).toBe(403);
      await server.post(`${RBAC}/namespaces/default/roles`, {
        metadata: { name: 'reader' },
        rules: [{ verbs: ['list'], apiGroups: [''], resources: ['pods'] }],
      });
      await server.post(`${RBAC}/namespaces/default/rolebindings`, {
        metadata: { name: 'dev' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
        subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'dev' }],
      });
      await server.sleep(seconds(1));
      expect(await list()).toBe(200);
      await server.delete(`${RBAC}/namespaces/default/roles/reader`);
      await server.sleep(seconds(1));
      const { body } = await server.get(PODS, as('jane', 'dev'));
      expect(body.message).toContain(': RBAC: role.rbac.authorization.k8s.io "reader" not found');
    }));

  it.each([
    ['system:kube-scheduler', [], 'GET', '/api/v1/pods', 200],
    ['system:kube-scheduler', [], 'GET', '/api/v1/secrets', 403],
    ['system:kube-controller-manager', [], 'GET', '/apis/batch/v1/jobs', 200],
    ['system:kube-proxy', [], 'GET', '/apis/discovery.k8s.io/v1/endpointslices', 200],
    ['system:node:node-1', ['system:nodes'], 'GET', '/api/v1/pods', 403],
    ['system:node:node-1', ['system:nodes'], 'GET', '/api/v1/pods?fieldSelector=spec.nodeName=node-1', 200],
    ['system:node:node-1', ['system:nodes'], 'GET', '/apis/apps/v1/deployments', 403],
  ] as const)('%s%s %s %s: %i', (name, groups, method, url, status) =>
    withApiServer(async (server) => {
      expect((await server.call(method, url, undefined, as(name, ...groups))).status).toBe(status);
    }).then(() => {}),
  );

  it('keeps kubelets to their own', () =>
    withApiServer(async (server) => {
      const kubelet = as('system:node:node-1', 'system:nodes');
      const made = await server.post('/api/v1/nodes', { metadata: { name: 'node-1' }, status: { capacity: { cpu: '4' } } }, kubelet);
      expect([made.status, made.body.spec.taints, made.body.status.capacity.cpu]).toEqual([
        201,
        [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }],
        '4',
      ]);
      const other = await server.post('/api/v1/nodes', { metadata: { name: 'node-2' } }, kubelet);
      expect(other.body.message).toBe('nodes "node-2" is forbidden: node "node-1" is not allowed to modify node "node-2"');
    }));
});

describe('identities', () => {
  it('knows nobody, and forged tokens', () =>
    withApiServer(async (server) => {
      const anonymous = await server.get(PODS, { certificate: undefined });
      expect(anonymous.body.message).toContain('User "system:anonymous" cannot list resource "pods"');
      const forged = await server.get(PODS, { certificate: undefined, headers: { authorization: 'Bearer a.b.c' } });
      expect([forged.status, forged.body.message]).toEqual([401, 'Unauthorized']);
    }));

  it('issues tokens that live as long as their account and pod', () =>
    withApiServer(async (server) => {
      await server.post('/api/v1/namespaces/default/serviceaccounts', SA);
      const made = (await server.post(PODS, pod('web'))).body;
      const { body, status } = await server.post('/api/v1/namespaces/default/serviceaccounts/default/token', {
        spec: { audiences: [], expirationSeconds: 3607, boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web', uid: made.metadata.uid } },
      });
      expect([status, body.kind, body.status.expirationTimestamp]).toEqual([201, 'TokenRequest', '2026-01-05T09:00:07Z']);
      const bearer = { certificate: undefined, headers: { authorization: `Bearer ${body.status.token}` } };
      const me = await server.post('/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, bearer);
      expect(me.body.status.userInfo.username).toBe('system:serviceaccount:default:default');
      expect(me.body.status.userInfo.groups).toContain('system:serviceaccounts:default');
      await server.delete(`${PODS}/web`);
      await server.sleep(seconds(1));
      expect((await server.get('/version', bearer)).status).toBe(401);
    }));

  it('accepts tokens of a signer with the same key only', () => {
    const claims = { namespace: 'a', serviceAccount: 'b', uid: 'u', audiences: ['x'], iat: 1, exp: 2, jti: 'j' };
    const token = createTokenSigner('k').sign(claims);
    expect(createTokenSigner('k').verify(token)).toEqual(claims);
    expect(createTokenSigner('other').verify(token)).toBeUndefined();
    expect(createTokenSigner('k').verify(`${token}A`)).toBeUndefined();
  });

  it('lets those impersonate who may', () =>
    withApiServer(async (server) => {
      const jane = { headers: { 'impersonate-user': 'jane', 'impersonate-group': 'dev,ops' } };
      const me = await server.post('/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, jane);
      expect(me.body.status.userInfo).toEqual({ username: 'jane', groups: ['dev', 'ops', 'system:authenticated'] });
      const bob = await server.get(PODS, { ...as('bob'), ...jane });
      expect(bob.body.message).toBe('users "jane" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope');
    }));

  it('answers can-i', () =>
    withApiServer(async (server) => {
      const can = async (verb: string, resource: string) =>
        (
          await server.post(
            '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
            { spec: { resourceAttributes: { verb, resource, namespace: 'default' } } },
            as('system:kube-scheduler'),
          )
        ).body.status.allowed;
      expect([await can('list', 'pods'), await can('list', 'secrets')]).toEqual([true, false]);
      const rules = await server.post('/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', { spec: { namespace: 'default' } }, as('jane'));
      expect(rules.body.status.nonResourceRules.length).toBeGreaterThan(0);
    }));
});

describe('services', () => {
  const SERVICES = '/api/v1/namespaces/default/services';
  const service = (name: string, spec: object) => ({ metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } });

  it('hands out addresses and ports', () =>
    withApiServer(async (server) => {
      const [a, b] = await Promise.all([server.post(SERVICES, service('a', {})), server.post(SERVICES, service('b', { type: 'NodePort' }))]);
      expect(a.body.spec.clusterIP).toMatch(/^10\.(9[6-9]|10\d|11[01])\./);
      expect(a.body.spec.clusterIP).not.toBe(b.body.spec.clusterIP);
      expect(a.body.spec).toMatchObject({
        clusterIPs: [a.body.spec.clusterIP],
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        internalTrafficPolicy: 'Cluster',
        sessionAffinity: 'None',
      });
      expect(b.body.spec.ports[0].nodePort).toBeGreaterThanOrEqual(30086);
      const taken = await server.post(SERVICES, service('c', { clusterIP: a.body.spec.clusterIP }));
      expect(taken.body.message).toContain('provided IP is already allocated');
      const port = await server.post(SERVICES, service('c', { type: 'NodePort', ports: [{ port: 80, nodePort: b.body.spec.ports[0].nodePort }] }));
      expect(port.body.message).toContain('spec.ports[0].nodePort: Invalid value');
      expect((await server.post(SERVICES, service('h', { clusterIP: 'None' }))).body.spec.clusterIPs).toEqual(['None']);
      const kept = await server.put(`${SERVICES}/a`, service('a', { selector: { app: 'x' } }));
      expect(kept.body.spec.clusterIP).toBe(a.body.spec.clusterIP);
    }));
});

describe('kubelets', () => {
  it('are asked for logs', () => {
    const asked: string[] = [];
    return withApiServer(
      async (server) => {
        await server.post('/api/v1/namespaces/default/serviceaccounts', SA);
        await server.post(PODS, pod('web', { nodeName: 'node-1' }));
        await server.post(PODS, pod('lost', { nodeName: 'node-9' }));
        for (const name of ['node-1', 'node-2'])
          await server.post('/api/v1/nodes', { metadata: { name }, status: { addresses: [{ type: 'InternalIP', address: '10.0.0.11' }] } });
        await server.post(PODS, pod('cut', { nodeName: 'node-2' }));
        expect((await server.get(`${PODS}/web/log?tailLines=5`)).body).toBe('hello\n');
        expect(asked).toEqual(['/containerLogs/default/web/c']);
        expect((await server.get(`${PODS}/web/log?container=x`)).body.message).toBe('container x is not valid for pod web');
        expect((await server.get(`${PODS}/lost/log`)).body.message).toBe('nodes "node-9" not found');
        expect((await server.get(`${PODS}/cut/log?follow=true`)).body.message).toBe(
          'Get "https://10.0.0.11:10250/containerLogs/default/cut/c?follow=true": dial tcp 10.0.0.11:10250: connect: no route to host',
        );
      },
      {
        kubelet: (node) =>
          node !== 'node-1'
            ? undefined
            : async (request) => {
                asked.push(request.path);
                return { status: 200, headers: { 'content-type': 'text/plain' }, body: 'hello\n' };
              },
      },
    ).then(() => {});
  });
});

describe('the observer', () => {
  it('sees what the server sees, without moving the world', async () => {
    await withApiServer(async (server) => {
      const hash = server.loop.hash();
      const observer = createObserver({ store: server.store, now: () => server.self.clock.now() });
      const get = (url: string, query: Record<string, string> = {}) =>
        observer.handle({ method: 'GET', path: url, query, headers: {} }) as { body: Loose; status: number; stream?: Loose };
      expect(get('/api/v1/namespaces').body.items).toHaveLength(4);
      expect(get(PODS + '/none').status).toBe(404);
      const events: Loose[] = [];
      get('/api/v1/configmaps', { watch: 'true' }).stream.read({ value: (event: Loose) => events.push(event.type), end: () => events.push('end') });
      expect(server.loop.hash()).toBe(hash);
      await server.post('/api/v1/namespaces/default/configmaps', { metadata: { name: 'a' } });
      expect(events).toEqual(['ADDED']);
      observer.attach(server.store);
      expect(events).toEqual(['ADDED', 'ERROR', 'end']);
      expect(get('/api/v1/configmaps').body.items).toHaveLength(1);
    });
  });
});

describe('the trace', () => {
  it('tells the stages of a write, each because of the one before', async () => {
    const { loop } = await withApiServer(async (server) => {
      await server.post('/api/v1/namespaces/default/configmaps', { metadata: { name: 'a' } });
    });
    const facts = loop.trace.since(0, (fact) => fact.about === 'ConfigMap/default/a');
    expect(facts.map(({ type }) => type)).toEqual([
      'api.request',
      'api.authn',
      'api.apf',
      'api.authz',
      'api.decode',
      'api.mutate',
      'api.validate',
      'api.admit',
      'api.storage',
      'api.response',
    ]);
    for (let i = 1; i < facts.length; i++) expect(facts[i]!.cause).toBe(facts[i - 1]!.id);
  });

  it('does not tell of leases', async () => {
    const { loop } = await withApiServer(async (server) => {
      await server.post('/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases', { metadata: { name: 'node-1' }, spec: {} });
    });
    expect(loop.trace.since(0, (fact) => fact.type.startsWith('api.'))).toEqual([]);
  });
});

describe('kinds with ways of their own', () => {
  it('secrets take stringData, jobs get selectors, claims a finalizer', () =>
    withApiServer(async (server) => {
      const secret = await server.post('/api/v1/namespaces/default/secrets', { metadata: { name: 's' }, stringData: { a: 'grün' } });
      expect([secret.body.data, secret.body.stringData]).toEqual([{ a: 'Z3LDvG4=' }, undefined]);
      const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox' }] } };
      const { body } = await server.post('/apis/batch/v1/namespaces/default/jobs', { metadata: { name: 'j' }, spec: { template } });
      expect(body.spec.selector.matchLabels).toEqual({ 'batch.kubernetes.io/controller-uid': body.metadata.uid });
      expect(body.spec.template.metadata.labels['batch.kubernetes.io/job-name']).toBe('j');
      const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
      const claim = await server.post('/api/v1/namespaces/default/persistentvolumeclaims', { metadata: { name: 'c' }, spec });
      expect(claim.body.status.phase).toBe('Pending');
    }));

  it('shows one object in two versions', () =>
    withApiServer(async (server) => {
      const spec = {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
        minReplicas: 1,
        maxReplicas: 5,
        targetCPUUtilizationPercentage: 60,
      };
      const url = (version: string) => `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers`;
      const made = await server.post(url('v1'), { apiVersion: 'autoscaling/v1', kind: 'HorizontalPodAutoscaler', metadata: { name: 'web' }, spec });
      expect([made.body.apiVersion, made.body.spec.targetCPUUtilizationPercentage]).toEqual(['autoscaling/v1', 60]);
      const v2 = await server.get(`${url('v2')}/web`);
      expect(v2.body.apiVersion).toBe('autoscaling/v2');
      expect(v2.body.spec.metrics[0].resource).toEqual({ name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } });
    }));
});

describe('the two ways to let the world settle', () => {
  it('give one history', async () => {
    const story = async (host: Host) => {
      const { loop } = await withApiServer(
        async (server) => {
          await server.post('/api/v1/namespaces/default/serviceaccounts', SA);
          await Promise.all(['a', 'b', 'c'].map((name) => server.post(PODS, pod(name))));
          await Promise.all(['a', 'b'].map((name) => server.patch(`${PODS}/${name}/status`, { status: { phase: 'Running' } })));
          await Promise.all([
            server.get(`${PODS}?limit=2`),
            server.get(PODS),
            server.delete(`${PODS}/a`),
            server.post(`${PODS}/b/binding`, { target: { name: 'node-1' } }),
          ]);
          await Promise.all([server.put(`${PODS}/c`, pod('c')), server.patch(`${PODS}/c`, { metadata: { labels: { x: 'y' } } }), server.delete(PODS)]);
          expect(server.loop.lateTouches).toBe(0);
        },
        { host },
      );
      return loop.hash();
    };
    expect(await story(quietHost)).toBe(await story(testHost));
  });
});

describe('several servers', () => {
  it('share one store, and one that dies falls silent', () =>
    withApiServer(async (server) => {
      let other!: ApiServer;
      const process = server.loop.spawn('kube-apiserver-2', async (self) => {
        other = createApiServer(self, {
          etcd: memoryEtcd(self, server.store),
          kubelet: () => undefined,
          serviceCidr: '10.96.0.0/12',
          advertiseAddress: '10.0.0.9',
        });
        await forever();
      });
      await server.sleep(seconds(2));
      expect(other.ready()).toBe(true);
      const slice = (await server.get('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes')).body;
      expect(slice.endpoints.flatMap((endpoint: Loose) => endpoint.addresses)).toEqual(['10.0.0.10', '10.0.0.9']);
      const watch = await server.watch('/api/v1/configmaps?watch=true');
      const make = (name: string) =>
        other.handle({
          method: 'POST',
          path: '/api/v1/namespaces/default/configmaps',
          query: {},
          headers: {},
          certificate: ADMIN,
          body: { metadata: { name } },
        });
      expect((await make('a')).status).toBe(201);
      await server.sleep(ms(5));
      expect(watch.texts()).toEqual(['ADDED a']);
      process.kill();
      let answered = false;
      void make('b').then(() => {
        answered = true;
      });
      await server.sleep(seconds(60));
      expect(answered).toBe(false);
    }));

  it('starts again from what is stored', async () => {
    const { store } = await withApiServer(async (server) => {
      await server.post('/api/v1/namespaces/default/configmaps', { metadata: { name: 'a' }, data: { k: 'v' } });
    });
    await withApiServer(
      async (server) => {
        const revision = server.store.revision;
        expect((await server.get('/api/v1/namespaces/default/configmaps/a')).body.data).toEqual({ k: 'v' });
        expect(server.store.revision).toBe(revision);
      },
      { store },
    );
  });
});
