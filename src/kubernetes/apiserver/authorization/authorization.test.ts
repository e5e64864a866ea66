/** Grants that go too far, kubelets that look too far, roles every cluster has. */
import { describe, expect, it } from 'vitest';
import { seconds } from '../../../sim/clock.ts';
import type { ApiRequest } from '../../api/request.ts';
import { reconciled } from '../bootstrap-objects.ts';
import { bootstrapPolicy } from '../bootstrap-policy.ts';
import type { PolicyRule } from '../rbac.ts';
import { ADMIN, type Loose, pod, type TestServer, withApiServer } from '../testing.test-support.ts';
import { covers, describeRule } from './escalation.ts';

const as = (commonName: string, ...organizations: string[]): Partial<ApiRequest> => ({ certificate: { commonName, organizations } });
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const GROUP = 'rbac.authorization.k8s.io';
const rule = (verbs: string, group: string, resources: string, names?: string): PolicyRule => ({
  verbs: verbs.split(','),
  apiGroups: [group],
  resources: resources.split(','),
  ...(names ? { resourceNames: names.split(',') } : {}),
});

describe('covering', () => {
  it.each([
    ['the same', [rule('get', '', 'pods')], rule('get', '', 'pods'), true],
    ['in two parts', [rule('get', '', 'pods'), rule('list', '', 'pods')], rule('get,list', '', 'pods'), true],
    ['everything', [rule('*', '*', '*')], rule('get', 'apps', 'deployments/scale'), true],
    ['a subresource of all', [rule('get', 'apps', '*/scale')], rule('get', 'apps', 'deployments/scale'), true],
    ['not the resource by its subresource', [rule('get', '', 'pods/log')], rule('get', '', 'pods'), false],
    ['not all verbs by one', [rule('get', '', 'pods')], rule('*', '', 'pods'), false],
    ['a name by all names', [rule('get', '', 'pods')], rule('get', '', 'pods', 'a'), true],
    ['not all names by one', [rule('get', '', 'pods', 'a')], rule('get', '', 'pods'), false],
    ['names one by one', [rule('get', '', 'pods', 'a,b')], rule('get', '', 'pods', 'b'), true],
    ['a path below', [{ verbs: ['get'], nonResourceURLs: ['/healthz*'] }], { verbs: ['get'], nonResourceURLs: ['/healthz/etcd'] }, true],
    ['not a path above', [{ verbs: ['get'], nonResourceURLs: ['/healthz/etcd'] }], { verbs: ['get'], nonResourceURLs: ['/healthz/*'] }, false],
  ] as const)('%s', (_, owned, wanted, expected) => expect(covers(owned, [wanted]).covered).toBe(expected));

  it('is described as Go prints it', () =>
    expect(describeRule(rule('get,list', '', 'pods', 'a'))).toBe('{APIGroups:[""], Resources:["pods"], ResourceNames:["a"], Verbs:["get" "list"]}'));
});

const bind = async (server: TestServer, user: string, role: string, namespace?: string) => {
  const made = await server.post(namespace ? `${RBAC}/namespaces/${namespace}/rolebindings` : `${RBAC}/clusterrolebindings`, {
    metadata: { name: `${user}-${role}` },
    roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'User', apiGroup: GROUP, name: user }],
  });
  expect(made.status).toBe(201);
};
const clusterRole = async (server: TestServer, name: string, ...rules: PolicyRule[]) =>
  expect((await server.post(`${RBAC}/clusterroles`, { metadata: { name }, rules })).status).toBe(201);

describe('escalation', () => {
  const roleOf = (rules: readonly PolicyRule[]) => ({ metadata: { name: 'r' }, rules });
  const ROLES = `${RBAC}/namespaces/default/roles`;

  it('nobody gives what they have not got', () =>
    withApiServer(async (server) => {
      await clusterRole(server, 'role-writer', rule('create,update,get', GROUP, 'roles,rolebindings'), rule('get', '', 'pods'));
      await bind(server, 'jane', 'role-writer', 'default');
      await server.sleep(seconds(1));
      const jane = as('jane', 'dev');
      const made = await server.post(ROLES, roleOf([rule('get', '', 'pods'), rule('list,get', '', 'secrets'), rule('delete', '', 'pods')]), jane);
      expect([made.status, made.body.message]).toEqual([
        403,
        'roles.rbac.authorization.k8s.io "r" is forbidden: user "jane" (groups=["dev" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
          '{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}\n{APIGroups:[""], Resources:["secrets"], Verbs:["list" "get"]}',
      ]);
      expect((await server.post(ROLES, roleOf([rule('get', '', 'pods')]), jane)).status).toBe(201);
      // What is there already may not be widened either.
      const wider = await server.put(`${ROLES}/r`, roleOf([rule('*', '*', '*')]), jane);
      expect(wider.body.message).toContain('{APIGroups:["*"], Resources:["*"], Verbs:["*"]}');
      const binding = await server.post(
        `${RBAC}/namespaces/default/rolebindings`,
        {
          metadata: { name: 'b' },
          roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name: 'view' },
          subjects: [{ kind: 'User', apiGroup: GROUP, name: 'bob' }],
        },
        jane,
      );
      expect(binding.body.message).toMatch(
        /^rolebindings.rbac.authorization.k8s.io "b" is forbidden: user "jane" \(groups=\["dev" "system:authenticated"\]\) is attempting to grant RBAC permissions not currently held:\n\{APIGroups:/,
      );
      const missing = await server.post(
        `${RBAC}/namespaces/default/rolebindings`,
        { metadata: { name: 'c' }, roleRef: { apiGroup: GROUP, kind: 'Role', name: 'nowhere' }, subjects: [] },
        jane,
      );
      expect([missing.status, missing.body.message]).toEqual([404, 'roles.rbac.authorization.k8s.io "nowhere" not found']);
    }));

  it.each([
    ['escalate', rule('create,escalate', GROUP, 'roles'), 201],
    ['nothing more', rule('create', GROUP, 'roles'), 403],
  ] as const)('with %s: %s', (_, more, status) =>
    withApiServer(async (server) => {
      await clusterRole(server, 'w', more);
      await bind(server, 'jane', 'w');
      await server.sleep(seconds(1));
      expect((await server.post(ROLES, roleOf([rule('*', '*', '*')]), as('jane'))).status).toBe(status);
    }).then(() => {}),
  );

  it.each([
    ['that role', 'view', 201],
    ['another', 'edit', 403],
  ] as const)('bind of %s', (_, role, status) =>
    withApiServer(async (server) => {
      await clusterRole(server, 'w', rule('create', GROUP, 'rolebindings'), rule('bind', GROUP, 'clusterroles', 'view'));
      await bind(server, 'jane', 'w');
      await server.sleep(seconds(1));
      const made = await server.post(
        `${RBAC}/namespaces/default/rolebindings`,
        { metadata: { name: 'b' }, roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name: role }, subjects: [{ kind: 'User', apiGroup: GROUP, name: 'bob' }] },
        as('jane'),
      );
      expect(made.status).toBe(status);
    }).then(() => {}),
  );

  it('gathering is for cluster-admins', () =>
    withApiServer(async (server) => {
      await clusterRole(server, 'w', rule('create', GROUP, 'clusterroles'));
      await bind(server, 'jane', 'w');
      await bind(server, 'boss', 'cluster-admin');
      await server.sleep(seconds(1));
      const gathers = { metadata: { name: 'g' }, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] }, rules: [] };
      const refused = await server.post(`${RBAC}/clusterroles`, gathers, as('jane'));
      expect(refused.body.message).toBe(
        'clusterroles.rbac.authorization.k8s.io "g" is forbidden: must have cluster-admin privileges to use an aggregationRule',
      );
      expect((await server.post(`${RBAC}/clusterroles`, gathers, as('boss'))).status).toBe(201);
    }));
});

describe('the Node authorizer', () => {
  const kubelet = as('system:node:node-1', 'system:nodes');
  const D = '/api/v1/namespaces/default';
  const cases: readonly (readonly [string, string, number, string?])[] = [
    ['GET', `${D}/secrets/mounted`, 200],
    ['GET', `${D}/secrets/pulled`, 200],
    ['GET', `${D}/configmaps/environment`, 200],
    ['GET', `${D}/secrets?fieldSelector=metadata.name=mounted`, 200],
    ['GET', `${D}/secrets/other`, 403, "no relationship found between node 'node-1' and this object"],
    ['GET', `${D}/secrets/elsewhere`, 403, "no relationship found between node 'node-1' and this object"],
    ['GET', `${D}/secrets`, 403, 'No Object name found'],
    ['GET', '/api/v1/secrets', 403, 'can only read namespaced object of this type'],
    ['DELETE', `${D}/secrets/mounted`, 403, 'can only read resources of this type'],
    ['GET', `${D}/pods/mine`, 200],
    ['GET', `${D}/pods/theirs`, 403, "no relationship found between node 'node-1' and this object"],
    ['GET', '/api/v1/pods', 403, 'can only list/watch pods with spec.nodeName field selector'],
    ['GET', '/api/v1/pods?fieldSelector=spec.nodeName=node-1', 200],
    ['GET', '/api/v1/pods?fieldSelector=spec.nodeName=node-2', 403, 'can only list/watch pods with spec.nodeName field selector'],
    ['GET', '/api/v1/nodes', 403, "node 'node-1' cannot read all nodes, only its own Node object"],
    ['GET', '/api/v1/nodes/node-2', 403, "node 'node-1' cannot read 'node-2', only its own Node object"],
    ['GET', `${D}/persistentvolumeclaims/data`, 200],
    ['GET', '/api/v1/persistentvolumes/disk', 404],
    ['GET', `${D}/services`, 200],
    ['GET', '/apis/coordination.k8s.io/v1/namespaces/default/leases/node-1', 403, 'can only access leases in the "kube-node-lease" system namespace'],
    [
      'GET',
      '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-2',
      403,
      'can only access node lease with the same name as the requesting node',
    ],
    ['POST', `${D}/serviceaccounts/default/token`, 201],
    ['POST', `${D}/serviceaccounts/other/token`, 403, "no relationship found between node 'node-1' and this object"],
  ];
  it('follows the references of the node’s pods', () =>
    withApiServer(async (server) => {
      for (const name of ['default', 'other']) await server.post(`${D}/serviceaccounts`, { metadata: { name } });
      for (const name of ['mounted', 'pulled', 'other', 'elsewhere']) await server.post(`${D}/secrets`, { metadata: { name } });
      await server.post(`${D}/configmaps`, { metadata: { name: 'environment' } });
      const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, volumeName: 'disk' };
      await server.post(`${D}/persistentvolumeclaims`, { metadata: { name: 'data' }, spec: claim });
      const mine = {
        nodeName: 'node-1',
        imagePullSecrets: [{ name: 'pulled' }],
        containers: [{ name: 'c', image: 'nginx', envFrom: [{ configMapRef: { name: 'environment' } }] }],
        volumes: [
          { name: 'a', secret: { secretName: 'mounted' } },
          { name: 'b', persistentVolumeClaim: { claimName: 'data' } },
        ],
      };
      await server.post(`${D}/pods`, pod('mine', mine));
      await server.post(`${D}/pods`, pod('theirs', { nodeName: 'node-2', volumes: [{ name: 'a', secret: { secretName: 'elsewhere' } }] }));
      await server.sleep(seconds(1));
      for (const [method, url, status, why] of cases) {
        const answer = await server.call(method as 'GET', url, method === 'POST' ? { spec: {} } : undefined, kubelet);
        expect([method, url, answer.status]).toEqual([method, url, status]);
        if (why) expect(answer.body.message.endsWith(`: ${why}`), answer.body.message).toBe(true);
      }
      // A pod that leaves takes its references with it.
      await server.delete(`${D}/pods/mine`, { gracePeriodSeconds: 0 });
      await server.sleep(seconds(1));
      expect((await server.get(`${D}/secrets/mounted`, kubelet)).status).toBe(403);
    }));

  it('is one of the modes', () =>
    withApiServer(
      async (server) => {
        expect((await server.get('/api/v1/services', kubelet)).status).toBe(403);
      },
      { nodeAuthorizer: false },
    ).then(() => {}));
});

describe('bootstrap roles', () => {
  const objects = bootstrapPolicy() as readonly Loose[];
  const find = (kind: string, name: string) => objects.find((object) => object.kind === kind && object.metadata.name === name);
  it('are all there, each once', () => {
    const names = objects.map(({ kind, metadata }) => `${kind}/${metadata.namespace ?? ''}/${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    expect(objects.filter(({ metadata }) => metadata.name.startsWith('system:controller:') && !metadata.namespace)).toHaveLength(2 * 35);
    for (const { kind, roleRef } of objects) if (kind.endsWith('Binding')) expect(find(roleRef.kind, roleRef.name), roleRef.name).toBeDefined();
  });
  it('say what upstream’s say', () => {
    expect(find('ClusterRole', 'system:controller:replicaset-controller')).toMatchObject({
      metadata: { labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' }, annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' } },
      rules: [
        { apiGroups: ['apps', 'extensions'], resources: ['replicasets'], verbs: ['get', 'list', 'update', 'watch'] },
        { apiGroups: ['apps', 'extensions'], resources: ['replicasets/status'], verbs: ['update'] },
        { apiGroups: ['apps', 'extensions'], resources: ['replicasets/finalizers'], verbs: ['update'] },
        { apiGroups: [''], resources: ['pods'], verbs: ['create', 'delete', 'list', 'patch', 'watch'] },
        { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] },
      ],
    });
    expect(find('ClusterRole', 'cluster-admin').rules).toEqual([
      { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      { nonResourceURLs: ['*'], verbs: ['*'] },
    ]);
  });
  it('gather: admin is edit and more, edit is view and more', () => {
    const rules = (name: string) => find('ClusterRole', name).rules as PolicyRule[];
    expect(covers(rules('edit'), rules('view')).covered).toBe(true);
    expect(covers(rules('admin'), rules('edit')).covered).toBe(true);
    expect(covers(rules('edit'), rules('admin')).covered).toBe(false);
  });
  it('are made good again, and never less', () => {
    const wanted = find('ClusterRole', 'system:basic-user');
    const broken = { ...wanted, rules: wanted.rules.slice(1) };
    expect(covers((reconciled(broken, wanted) as Loose).rules, wanted.rules).covered).toBe(true);
    expect(reconciled({ ...wanted, rules: [...wanted.rules, rule('get', '', 'pods')] }, wanted)).toBeUndefined();
    expect(reconciled({ ...broken, metadata: { ...wanted.metadata, annotations: {} } }, wanted)).toBeUndefined();
  });
});

describe('reviews', () => {
  const URL = '/apis/authorization.k8s.io/v1';
  it.each([
    [
      'selfsubjectaccessreviews',
      {},
      422,
      /spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified$/,
    ],
    ['subjectaccessreviews', { nonResourceAttributes: { path: '/' } }, 422, /spec.user: Invalid value: "": at least one of user or group must be specified$/],
    [
      'namespaces/a/localsubjectaccessreviews',
      { user: 'x', resourceAttributes: { namespace: 'b' } },
      400,
      /^spec.resourceAttributes.namespace must match namespace: a$/,
    ],
    ['selfsubjectrulesreviews', {}, 400, /^no namespace on request$/],
  ] as const)('%s', (path, spec, status, message) =>
    withApiServer(async (server) => {
      const answer = await server.post(`${URL}/${path}`, { spec });
      expect(answer.status).toBe(status);
      expect(answer.body.message).toMatch(message);
    }).then(() => {}),
  );
  it('say why', () =>
    withApiServer(async (server) => {
      const can = async (user: string, groups: string[], verb: string) =>
        (
          await server.post(
            `${URL}/subjectaccessreviews`,
            { spec: { user, groups, resourceAttributes: { verb, resource: 'pods', namespace: 'default' } } },
            { certificate: ADMIN },
          )
        ).body.status;
      expect(await can('system:kube-scheduler', [], 'get')).toEqual({
        allowed: true,
        reason: 'RBAC: allowed by ClusterRoleBinding "system:kube-scheduler" of ClusterRole "system:kube-scheduler" to User "system:kube-scheduler"',
      });
      expect(await can('system:node:n', ['system:nodes'], 'list')).toEqual({
        allowed: false,
        reason: 'can only list/watch pods with spec.nodeName field selector',
      });
      expect(await can('jane', [], 'get')).toEqual({ allowed: false });
    }));
});
