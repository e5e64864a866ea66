/** The API server as its clients see it: every scenario goes through `handle`. */
import { describe, expect, it } from 'vitest';
import { ms, seconds } from '../../sim/clock.ts';
import { deployment, type Loose, pod, withApiServer } from './testing.test-support.ts';

const PODS = '/api/v1/namespaces/default/pods';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const CONFIG = '/api/v1/namespaces/default/configmaps';
const SA = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
const cm = (name: string, data: object = {}, metadata: object = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data });

describe('start', () => {
  it('makes sure of namespaces, roles, priority classes and its own Service', () =>
    withApiServer(async (server) => {
      const names = async (url: string) => (await server.get(url)).body.items.map((item: Loose) => item.metadata.name);
      expect(await names('/api/v1/namespaces')).toEqual(['default', 'kube-node-lease', 'kube-public', 'kube-system']);
      expect(await names('/apis/scheduling.k8s.io/v1/priorityclasses')).toEqual(['system-cluster-critical', 'system-node-critical']);
      expect(await names('/apis/rbac.authorization.k8s.io/v1/clusterroles')).toContain('system:kube-scheduler');
      const { body } = await server.get('/api/v1/namespaces/default/services/kubernetes');
      expect(body.spec.clusterIP).toBe('10.96.0.1');
      const slice = (await server.get('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes')).body;
      expect(slice.endpoints[0].addresses).toEqual(['10.0.0.10']);
      expect((await server.get('/api/v1/namespaces/kube-system')).body.metadata.labels).toEqual({ 'kubernetes.io/metadata.name': 'kube-system' });
      expect((await server.get('/readyz')).body).toBe('ok');
    }));
});

describe('create and get', () => {
  it('fills in what the server knows', () =>
    withApiServer(async (server) => {
      const { status, body } = await server.post(CONFIG, cm('a', { k: 'v' }));
      expect(status).toBe(201);
      expect(body.metadata).toMatchObject({ name: 'a', namespace: 'default', creationTimestamp: '2026-01-05T08:00:00Z' });
      expect(body.metadata.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      const got = await server.get(`${CONFIG}/a`);
      expect(got.body).toEqual(body);
      expect(Number(body.metadata.resourceVersion)).toBe(server.store.revision);
    }));

  it.each([
    ['a name that is taken', 'a', 409, 'configmaps "a" already exists'],
    ['an unknown namespace', 'x', 404, 'namespaces "nowhere" not found'],
  ])('refuses %s', (_, name, code, message) =>
    withApiServer(async (server) => {
      await server.post(CONFIG, cm('a'));
      const { status, body } = await server.post(name === 'x' ? '/api/v1/namespaces/nowhere/configmaps' : CONFIG, cm(name));
      expect([status, body.message]).toEqual([code, message]);
    }).then(() => {}),
  );

  it('generates names', () =>
    withApiServer(async (server) => {
      const { body } = await server.post(CONFIG, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'job-' } });
      expect(body.metadata.name).toMatch(/^job-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    }));

  it('prepares a pod: service account, tolerations, priority, class, status', () =>
    withApiServer(async (server) => {
      await server.post('/api/v1/namespaces/default/serviceaccounts', SA);
      const { body } = await server.post(PODS, pod('web'));
      expect(body.status).toMatchObject({ phase: 'Pending', qosClass: 'BestEffort' });
      expect(body.spec.serviceAccountName).toBe('default');
      expect(body.spec.volumes[0].name).toMatch(/^kube-api-access-[a-z0-9]{5}$/);
      expect(body.spec.containers[0].volumeMounts[0].mountPath).toBe('/var/run/secrets/kubernetes.io/serviceaccount');
      expect(body.spec.tolerations.map((t: Loose) => [t.key, t.tolerationSeconds])).toEqual([
        ['node.kubernetes.io/not-ready', 300],
        ['node.kubernetes.io/unreachable', 300],
      ]);
      expect(body.spec).toMatchObject({ priority: 0, preemptionPolicy: 'PreemptLowerPriority', restartPolicy: 'Always', terminationGracePeriodSeconds: 30 });
      expect(body.metadata.generation).toBe(1);
    }));

  it('refuses a pod without its service account', () =>
    withApiServer(async (server) => {
      const { status, body } = await server.post(PODS, pod('web'));
      expect([status, body.message]).toEqual([
        403,
        'pods "web" is forbidden: error looking up service account default/default: serviceaccount "default" not found',
      ]);
    }));

  it('tells of unknown fields as asked', () =>
    withApiServer(async (server) => {
      const typo = { ...deployment('web'), spec: { ...(deployment('web') as Loose).spec, replica: 3 } };
      const strict = await server.post(`${DEPLOYMENTS}?fieldValidation=Strict`, typo);
      expect([strict.status, strict.body.message]).toEqual([
        400,
        'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replica"',
      ]);
      const warned = await server.post(`${DEPLOYMENTS}?dryRun=All`, typo);
      expect(warned.status).toBe(201);
      expect(warned.headers['warning']).toBe('299 - "unknown field \\"spec.replica\\""');
      expect((await server.get(`${DEPLOYMENTS}/web`)).status).toBe(404);
    }));

  it('reads JSON and YAML text, and says what is wrong with it', () =>
    withApiServer(async (server) => {
      const text = (body: string, type: string) => server.post(CONFIG, body, { headers: { 'content-type': type } });
      expect((await text('{"metadata":{"name":"j"},"data":{"a":"1"}}', 'application/json')).body.data).toEqual({ a: '1' });
      expect((await text('metadata:\n  name: from-yaml\ndata:\n  a: "1"\n', 'application/yaml')).status).toBe(201);
      expect((await text('{"metadata"', 'application/json')).body.message).toContain('the object provided is unrecognized (must be of type ConfigMap)');
      expect((await text('x', 'text/plain')).status).toBe(415);
      expect((await text(`"${'x'.repeat(3_200_000)}"`, 'application/json')).body.message).toBe('Request entity too large: limit is 3145728');
    }));

  it('knows wrong kinds, paths and methods', () =>
    withApiServer(async (server) => {
      expect((await server.post(CONFIG, { ...cm('a'), kind: 'Secret' })).body.message).toContain('Secret in version "v1" cannot be handled as a ConfigMap');
      expect((await server.post(CONFIG, { ...cm('a'), apiVersion: 'v2' })).body.message).toBe(
        'ConfigMap in version "v2" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "v2" in scheme "pkg/api/legacyscheme/scheme.go:30"',
      );
      const missing = await server.get('/apis/apps/v1/namespaces/default/nothings');
      expect([missing.status, missing.body.message]).toEqual([404, 'the server could not find the requested resource']);
      expect((await server.put('/api/v1/namespaces/default/pods', {})).status).toBe(405);
      expect((await server.get('/nowhere')).status).toBe(404);
      expect((await server.get(CONFIG, { headers: { accept: 'text/html' } })).status).toBe(406);
    }));
});

describe('update', () => {
  it('refuses what was based on an older version', () =>
    withApiServer(async (server) => {
      const first = (await server.post(DEPLOYMENTS, deployment('web'))).body;
      const second = (await server.put(`${DEPLOYMENTS}/web`, { ...first, spec: { ...first.spec, replicas: 5 } })).body;
      expect(second.metadata.generation).toBe(2);
      const { status, body } = await server.put(`${DEPLOYMENTS}/web`, { ...first, spec: { ...first.spec, replicas: 7 } });
      expect([status, body.reason]).toEqual([409, 'Conflict']);
      expect(body.message).toBe(
        'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your changes to the latest version and try again',
      );
    }));

  it('keeps status and spec apart', () =>
    withApiServer(async (server) => {
      const made = (await server.post(DEPLOYMENTS, deployment('web'))).body;
      const wrong = await server.put(`${DEPLOYMENTS}/web`, { ...made, status: { replicas: 9 } });
      expect(wrong.body.status.replicas).toBeUndefined();
      expect(wrong.body.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
      const right = await server.put(`${DEPLOYMENTS}/web/status`, {
        ...made,
        spec: { ...made.spec, replicas: 9 },
        status: { replicas: 2, observedGeneration: 1 },
      });
      expect(right.body.status).toMatchObject({ replicas: 2 });
      expect([right.body.spec.replicas, right.body.metadata.generation]).toEqual([2, 1]);
    }));

  it('writes nothing when nothing changes', () =>
    withApiServer(async (server) => {
      const made = (await server.post(CONFIG, cm('a', { k: 'v' }))).body;
      const { revision } = server.store;
      expect((await server.patch(`${CONFIG}/a`, { data: { k: 'v' } })).body).toEqual(made);
      expect(server.store.revision).toBe(revision);
    }));

  it.each([
    ['merge', { data: { a: null, b: '2' } }],
    [
      'json',
      [
        { op: 'remove', path: '/data/a' },
        { op: 'add', path: '/data/b', value: '2' },
      ],
    ],
    ['strategic', { data: { a: null, b: '2' } }],
  ] as const)('patches: %s', (type, patch) =>
    withApiServer(async (server) => {
      await server.post(CONFIG, cm('a', { a: '1' }));
      expect((await server.patch(`${CONFIG}/a`, patch, type)).body.data).toEqual({ b: '2' });
    }).then(() => {}),
  );

  it('scales', () =>
    withApiServer(async (server) => {
      await server.post(DEPLOYMENTS, deployment('web'));
      const { body } = await server.patch(`${DEPLOYMENTS}/web/scale`, { spec: { replicas: 4 } }, 'merge');
      expect([body.kind, body.spec.replicas, body.status.selector]).toEqual(['Scale', 4, 'app=web']);
      const after = (await server.get(`${DEPLOYMENTS}/web`)).body;
      expect([after.spec.replicas, after.metadata.generation]).toEqual([4, 2]);
    }));

  it('two writers without versions both win, one after the other', () =>
    withApiServer(async (server) => {
      await server.post(CONFIG, cm('a'));
      await Promise.all([server.patch(`${CONFIG}/a`, { data: { x: '1' } }), server.patch(`${CONFIG}/a`, { data: { y: '2' } })]);
      expect((await server.get(`${CONFIG}/a`)).body.data).toEqual({ x: '1', y: '2' });
    }));
});

describe('delete', () => {
  const bound = (name: string) => ({ apiVersion: 'v1', kind: 'Binding', metadata: { name }, target: { kind: 'Node', name: 'node-1' } });

  it('lets a running pod say goodbye', () =>
    withApiServer(async (server) => {
      await server.post('/api/v1/namespaces/default/serviceaccounts', SA);
      await server.post(PODS, pod('web'));
      expect((await server.post(`${PODS}/web/binding`, bound('web'))).status).toBe(201);
      const first = (await server.delete(`${PODS}/web`)).body;
      expect(first.metadata.deletionGracePeriodSeconds).toBe(30);
      expect(first.metadata.deletionTimestamp).toBe('2026-01-05T08:00:30Z');
      const again = (await server.delete(`${PODS}/web`, { gracePeriodSeconds: 5 })).body;
      expect([again.metadata.deletionGracePeriodSeconds, again.metadata.deletionTimestamp]).toEqual([5, '2026-01-05T08:00:05Z']);
      expect((await server.get(`${PODS}/web`)).status).toBe(200);
      const watch = await server.watch(`${PODS}?watch=true&resourceVersion=${again.metadata.resourceVersion}`);
      expect((await server.delete(`${PODS}/web`, { gracePeriodSeconds: 0, preconditions: { uid: first.metadata.uid } })).status).toBe(200);
      expect((await server.get(`${PODS}/web`)).status).toBe(404);
      await server.sleep(ms(5));
      expect(watch.texts()).toEqual(['MODIFIED web', 'DELETED web']);
    }));

  it('takes an unscheduled pod at once', () =>
    withApiServer(async (server) => {
      await server.post('/api/v1/namespaces/default/serviceaccounts', SA);
      await server.post(PODS, pod('web'));
      expect((await server.delete(`${PODS}/web`)).body.kind).toBe('Pod');
      expect((await server.get(`${PODS}/web`)).body.message).toBe('pods "web" not found');
    }));

  it('waits for finalizers', () =>
    withApiServer(async (server) => {
      await server.post(CONFIG, cm('a', {}, { finalizers: ['example.com/hold'] }));
      const marked = (await server.delete(`${CONFIG}/a`)).body;
      expect(marked.metadata.deletionTimestamp).toBeDefined();
      const more = await server.patch(`${CONFIG}/a`, { metadata: { finalizers: ['example.com/hold', 'example.com/late'] } }, 'merge');
      expect(more.body.message).toContain('metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted');
      await server.patch(`${CONFIG}/a`, { metadata: { finalizers: null } }, 'merge');
      expect((await server.get(`${CONFIG}/a`)).status).toBe(404);
    }));

  it.each([
    ['Foreground', ['foregroundDeletion']],
    ['Orphan', ['orphan']],
  ])('leaves the garbage collector a note: %s', (propagationPolicy, finalizers) =>
    withApiServer(async (server) => {
      await server.post(DEPLOYMENTS, deployment('web'));
      expect((await server.delete(`${DEPLOYMENTS}/web`, { propagationPolicy })).body.metadata.finalizers).toEqual(finalizers);
    }).then(() => {}),
  );

  it('minds preconditions and answers with a Status', () =>
    withApiServer(async (server) => {
      const made = (await server.post(CONFIG, cm('a'))).body;
      expect((await server.delete(`${CONFIG}/a`, { preconditions: { uid: 'other' } })).status).toBe(409);
      expect((await server.delete(`${CONFIG}/a`)).body).toMatchObject({
        kind: 'Status',
        status: 'Success',
        details: { name: 'a', kind: 'configmaps', uid: made.metadata.uid },
      });
    }));

  it('namespaces go when they are empty', () =>
    withApiServer(async (server) => {
      await server.post('/api/v1/namespaces', { metadata: { name: 'shop' } });
      const going = (await server.delete('/api/v1/namespaces/shop')).body;
      expect(going.status.phase).toBe('Terminating');
      const late = await server.post('/api/v1/namespaces/shop/configmaps', cm('a'));
      expect([late.status, late.body.message]).toEqual([
        403,
        'configmaps "a" is forbidden: unable to create new content in namespace shop because it is being terminated',
      ]);
      await server.put('/api/v1/namespaces/shop/finalize', { ...going, metadata: { ...going.metadata, resourceVersion: undefined }, spec: { finalizers: [] } });
      expect((await server.get('/api/v1/namespaces/shop')).status).toBe(404);
      expect((await server.delete('/api/v1/namespaces/kube-system')).body.message).toBe(
        'namespaces "kube-system" is forbidden: this namespace may not be deleted',
      );
    }));
});

describe('binding and eviction', () => {
  it('binds once', () =>
    withApiServer(async (server) => {
      await server.post('/api/v1/namespaces/default/serviceaccounts', SA);
      await server.post(PODS, pod('web'));
      const bind = (node: string) => server.post(`${PODS}/web/binding`, { metadata: { name: 'web' }, target: { kind: 'Node', name: node } });
      expect((await bind('node-1')).body.status).toBe('Success');
      expect((await bind('node-2')).body.message).toBe('Operation cannot be fulfilled on pods/binding "web": pod web is already assigned to node "node-1"');
      const { body } = await server.get(`${PODS}/web`);
      expect([body.spec.nodeName, body.status.conditions[0].type]).toEqual(['node-1', 'PodScheduled']);
    }));

  it('asks the disruption budget', () =>
    withApiServer(async (server) => {
      await server.post('/api/v1/namespaces/default/serviceaccounts', SA);
      await server.post(PODS, pod('web', { nodeName: 'node-1' }));
      await server.patch(`${PODS}/web/status`, { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } });
      const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';
      await server.post(budgets, { metadata: { name: 'web' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } } });
      await server.patch(
        `${budgets}/web/status`,
        { status: { observedGeneration: 1, disruptionsAllowed: 0, desiredHealthy: 1, currentHealthy: 1, expectedPods: 1 } },
        'merge',
      );
      const evict = () => server.post(`${PODS}/web/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'web' } });
      const { status, body } = await evict();
      expect([status, body.message, body.details.causes[0].message]).toEqual([
        429,
        "Cannot evict pod as it would violate the pod's disruption budget.",
        'The disruption budget web needs 1 healthy pods and has 1 currently',
      ]);
      await server.patch(`${budgets}/web/status`, { status: { disruptionsAllowed: 1 } }, 'merge');
      expect((await evict()).status).toBe(201);
      expect((await server.get(`${budgets}/web`)).body.status.disruptionsAllowed).toBe(0);
      expect((await server.get(`${PODS}/web`)).body.status.conditions.at(-1).reason).toBe('EvictionByEvictionAPI');
    }));
});

describe('watch', () => {
  it('tells what is, what was missed, and what happens', () =>
    withApiServer(async (server) => {
      const first = (await server.post(CONFIG, cm('a'))).body;
      await server.post(CONFIG, cm('b'));
      const all = await server.watch(`${CONFIG}?watch=true&resourceVersion=0`);
      const since = await server.watch(`${CONFIG}?watch=true&resourceVersion=${first.metadata.resourceVersion}`);
      const one = await server.watch(`${CONFIG}?watch=true&resourceVersion=0&fieldSelector=metadata.name%3Db`);
      await server.patch(`${CONFIG}/b`, { data: { x: '1' } });
      await server.delete(`${CONFIG}/a`);
      await server.sleep(ms(5));
      expect(all.texts()).toEqual(['ADDED a', 'ADDED b', 'MODIFIED b', 'DELETED a']);
      expect(since.texts()).toEqual(['ADDED b', 'MODIFIED b', 'DELETED a']);
      expect(one.texts()).toEqual(['ADDED b', 'MODIFIED b']);
    }));

  it('shows an object entering and leaving a selector', () =>
    withApiServer(async (server) => {
      const watch = await server.watch(`${CONFIG}?watch=true&labelSelector=tier%3Dweb`);
      await server.post(CONFIG, cm('a'));
      await server.patch(`${CONFIG}/a`, { metadata: { labels: { tier: 'web' } } });
      await server.patch(`${CONFIG}/a`, { metadata: { labels: { tier: 'db' } } });
      await server.sleep(ms(5));
      expect(watch.texts()).toEqual(['ADDED a', 'DELETED a']);
    }));

  it('files watchers by node', () =>
    withApiServer(async (server) => {
      await server.post('/api/v1/namespaces/default/serviceaccounts', SA);
      const mine = await server.watch('/api/v1/pods?watch=true&fieldSelector=spec.nodeName%3Dnode-1');
      const other = await server.watch('/api/v1/pods?watch=true&fieldSelector=spec.nodeName%3Dnode-2');
      await server.post(PODS, pod('web'));
      await server.post(`${PODS}/web/binding`, { metadata: { name: 'web' }, target: { kind: 'Node', name: 'node-1' } });
      await server.delete(`${PODS}/web`, { gracePeriodSeconds: 0 });
      await server.sleep(ms(5));
      expect([mine.texts(), other.texts()]).toEqual([['ADDED web', 'MODIFIED web', 'DELETED web'], []]);
    }));

  it('answers 410 when the window has moved on', () =>
    withApiServer(async (server) => {
      const first = (await server.post(CONFIG, cm('a'))).body;
      for (let i = 0; i < 150; i++) {
        await server.patch(`${CONFIG}/a`, { data: { n: String(i) } });
        await server.sleep(seconds(2));
      }
      const late = await server.watch(`${CONFIG}?watch=true&resourceVersion=${first.metadata.resourceVersion}`);
      await server.sleep(ms(1));
      const [{ type, object: body }] = late.events as [{ type: string; object: Loose }];
      expect([late.response.status, late.ended(), type, body.code, body.reason]).toEqual([200, true, 'ERROR', 410, 'Expired']);
      expect(body.message).toMatch(/^too old resource version: \d+ \(\d+\)$/);
    }));

  it('bookmarks once a minute for those who ask, and ends in time', () =>
    withApiServer(async (server) => {
      const watch = await server.watch(`${CONFIG}?watch=true&resourceVersion=${server.store.revision}&allowWatchBookmarks=true&timeoutSeconds=90`);
      await server.post('/api/v1/namespaces/default/secrets', { metadata: { name: 's' } });
      await server.sleep(seconds(100));
      expect(watch.events.map(({ type }) => type)).toEqual(['BOOKMARK']);
      expect(watch.ended()).toBe(true);
    }));
});

describe('list', () => {
  it('selects, pages and prints', () =>
    withApiServer(async (server) => {
      for (const name of ['a', 'b', 'c', 'd', 'e']) await server.post(CONFIG, cm(name, {}, name < 'c' ? { labels: { early: 'yes' } } : {}));
      const names = (body: Loose) => body.items.map((item: Loose) => item.metadata.name);
      expect(names((await server.get(`${CONFIG}?labelSelector=early`)).body)).toEqual(['a', 'b']);
      expect(names((await server.get(`${CONFIG}?fieldSelector=metadata.name!%3Da&resourceVersion=0`)).body)).toEqual(['b', 'c', 'd', 'e']);
      expect((await server.get(`${CONFIG}?fieldSelector=data.x%3D1`)).status).toBe(400);
      const page = (await server.get(`${CONFIG}?limit=2`)).body;
      expect([names(page), page.metadata.remainingItemCount]).toEqual([['a', 'b'], 3]);
      await server.delete(`${CONFIG}/d`);
      const rest = (await server.get(`${CONFIG}?limit=10&continue=${page.metadata.continue}`)).body;
      expect([names(rest), rest.metadata.resourceVersion]).toEqual([['c', 'd', 'e'], page.metadata.resourceVersion]);
      const table = (await server.get(CONFIG, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' } })).body;
      expect([table.kind, table.columnDefinitions[0].name, table.rows.length]).toEqual(['Table', 'Name', 4]);
      expect(table.rows[0].object.kind).toBe('PartialObjectMetadata');
    }));

  it('watches tables of one row', () =>
    withApiServer(async (server) => {
      await server.post(CONFIG, cm('a'));
      const watch = await server.watch(`${CONFIG}?watch=true&resourceVersion=0`, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } });
      await server.patch(`${CONFIG}/a`, { data: { x: '1' } });
      await server.sleep(ms(5));
      expect(watch.events.map(({ type, object }) => [type, object.kind, object.rows.length, object.columnDefinitions !== undefined])).toEqual([
        ['ADDED', 'Table', 1, true],
        ['MODIFIED', 'Table', 1, false],
      ]);
    }));

  it('empties a collection', () =>
    withApiServer(async (server) => {
      for (const name of ['a', 'b']) await server.post(CONFIG, cm(name));
      expect((await server.delete(CONFIG)).body.items).toHaveLength(2);
      expect((await server.get(CONFIG)).body.items).toHaveLength(0);
    }));
});
