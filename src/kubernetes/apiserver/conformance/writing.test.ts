/** Writing: dry runs of every verb, generations, status apart, collections, validation as asked. */
import { describe, expect, test } from 'vitest';
import { deployment, type Loose, type TestServer, withApiServer } from '../testing.test-support.ts';

const story = async (run: Parameters<typeof withApiServer>[0]): Promise<void> => void (await withApiServer(run));
const CORE = '/api/v1/namespaces/default';
const CONFIG = `${CORE}/configmaps`;
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const cm = (name: string, more: object = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...more });

describe('dry run', () => {
  const VERBS: readonly (readonly [string, (server: TestServer) => Promise<{ status: number; body: Loose }>, number])[] = [
    ['create', (server) => server.post(`${CONFIG}?dryRun=All`, cm('new')), 201],
    ['update', (server) => server.put(`${CONFIG}/there?dryRun=All`, cm('there', { data: { a: '2' } })), 200],
    ['JSON patch', (server) => server.patch(`${CONFIG}/there?dryRun=All`, [{ op: 'add', path: '/data', value: { a: '2' } }], 'json'), 200],
    ['merge patch', (server) => server.patch(`${CONFIG}/there?dryRun=All`, { data: { a: '2' } }, 'merge'), 200],
    ['strategic merge patch', (server) => server.patch(`${CONFIG}/there?dryRun=All`, { data: { a: '2' } }), 200],
    [
      'apply',
      (server) => server.call('PATCH', `${CONFIG}/new?dryRun=All&fieldManager=me`, cm('new'), { headers: { 'content-type': 'application/apply-patch+yaml' } }),
      201,
    ],
    ['delete, in the query', (server) => server.delete(`${CONFIG}/there?dryRun=All`), 200],
    ['delete, in the body', (server) => server.delete(`${CONFIG}/there`, { dryRun: ['All'] }), 200],
    ['delete of a collection', (server) => server.delete(`${CONFIG}?dryRun=All`), 200],
  ];
  test.each(VERBS)('%s', (_, act, status) =>
    story(async (server) => {
      await server.post(CONFIG, cm('there', { data: { a: '1' } }));
      const before = server.store.revision;
      const { status: told, body } = await act(server);
      expect([told, body.message]).toEqual([status, undefined]);
      expect(server.store.revision).toBe(before);
      expect((await server.get(CONFIG)).body.items.map(({ metadata, data }: Loose) => [metadata.name, data])).toEqual([['there', { a: '1' }]]);
    }),
  );
});

describe('generation', () => {
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const selector = { matchLabels: { a: 'b' } };
  /** Kind: collection, object, a change of its spec, and whether it counts. */
  const KINDS: readonly (readonly [string, string, object, object, boolean])[] = [
    ['deployments', DEPLOYMENTS, { spec: { selector, template } }, { spec: { replicas: 3 } }, true],
    ['statefulsets', '/apis/apps/v1/namespaces/default/statefulsets', { spec: { selector, template } }, { spec: { replicas: 3 } }, true],
    ['daemonsets', '/apis/apps/v1/namespaces/default/daemonsets', { spec: { selector, template } }, { spec: { minReadySeconds: 3 } }, true],
    ['replicasets', '/apis/apps/v1/namespaces/default/replicasets', { spec: { selector, template } }, { spec: { replicas: 3 } }, true],
    ['replicationcontrollers', `${CORE}/replicationcontrollers`, { spec: { selector: { a: 'b' }, template } }, { spec: { replicas: 3 } }, true],
    [
      'cronjobs',
      '/apis/batch/v1/namespaces/default/cronjobs',
      { spec: { schedule: '* * * * *', jobTemplate: { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } } } },
      { spec: { suspend: true } },
      true,
    ],
    [
      'networkpolicies',
      '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies',
      { spec: { podSelector: {} } },
      { spec: { policyTypes: ['Egress'] } },
      true,
    ],
    [
      'ingresses',
      '/apis/networking.k8s.io/v1/namespaces/default/ingresses',
      { spec: { defaultBackend: { service: { name: 's', port: { number: 1 } } } } },
      { spec: { ingressClassName: 'x' } },
      true,
    ],
    ['poddisruptionbudgets', '/apis/policy/v1/namespaces/default/poddisruptionbudgets', { spec: { minAvailable: 1 } }, { spec: { minAvailable: 2 } }, true],
    ['services', `${CORE}/services`, { spec: { ports: [{ port: 1 }] } }, { spec: { ports: [{ port: 2 }] } }, false],
    ['configmaps', CONFIG, {}, { data: { a: 'b' } }, false],
    ['secrets', `${CORE}/secrets`, {}, { data: { a: 'Yg==' } }, false],
  ];
  test.each(KINDS)('%s', (_, url, object, change, counts) =>
    story(async (server) => {
      const made = await server.post(url, { metadata: { name: 'x' }, ...object });
      expect([made.status, made.body.message, made.body.metadata.generation]).toEqual([201, undefined, counts ? 1 : undefined]);
      expect((await server.patch(`${url}/x`, { metadata: { labels: { l: '1' } } }, 'merge')).body.metadata.generation).toBe(counts ? 1 : undefined);
      expect((await server.patch(`${url}/x`, change, 'merge')).body.metadata.generation).toBe(counts ? 2 : undefined);
      // What nobody may say is not said: it is counted, or it is not.
      expect((await server.patch(`${url}/x`, { metadata: { generation: 77 } }, 'merge')).body.metadata.generation).toBe(counts ? 2 : undefined);
    }),
  );
});

describe('status', () => {
  test('the object keeps its status, the status its object', () =>
    story(async (server) => {
      const { body } = await server.post(DEPLOYMENTS, { ...deployment('web', 1), status: { replicas: 9 } });
      expect(body.status).toEqual({});
      const put = await server.put(`${DEPLOYMENTS}/web`, { ...body, status: { replicas: 8 } });
      expect(put.body.status).toEqual({});
      const changed = { ...put.body, spec: { ...put.body.spec, replicas: 7 }, metadata: { ...put.body.metadata, labels: { a: 'b' } }, status: { replicas: 3 } };
      const status = await server.put(`${DEPLOYMENTS}/web/status`, changed);
      expect([status.body.spec.replicas, status.body.status.replicas, status.body.metadata.generation]).toEqual([1, 3, 1]);
      const patched = await server.patch(`${DEPLOYMENTS}/web/status`, { spec: { replicas: 5 }, status: { readyReplicas: 2 } });
      expect([patched.body.spec.replicas, patched.body.status]).toEqual([1, { replicas: 3, readyReplicas: 2 }]);
    }));
});

describe('collections', () => {
  test('are emptied as selected', () =>
    story(async (server) => {
      for (const [name, app] of Object.entries({ a: 'x', b: 'y', c: 'x' })) await server.post(CONFIG, { metadata: { name, labels: { app } } });
      const gone = await server.delete(`${CONFIG}?labelSelector=app%3Dx&fieldSelector=metadata.name!%3Da`);
      expect([gone.body.kind, gone.body.items.map(({ metadata }: Loose) => metadata.name)]).toEqual(['ConfigMapList', ['c']]);
      expect((await server.get(CONFIG)).body.items).toHaveLength(2);
    }));
});

describe('field validation', () => {
  const text = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"dta":{"x":"1"},"data":{"x":"1","x":"2"}}';
  const post = (server: TestServer, how: string) => server.post(`${CONFIG}${how}`, text, { headers: { 'content-type': 'application/json' } });
  test('warns unless told otherwise; the last one counts', () =>
    story(async (server) => {
      const warned = await post(server, '');
      expect([warned.status, warned.body.data]).toEqual([201, { x: '2' }]);
      expect(warned.headers['warning']).toBe('299 - "duplicate field \\"data.x\\"", 299 - "unknown field \\"dta\\""');
    }));
  test('ignores', () => story(async (server) => expect((await post(server, '?fieldValidation=Ignore')).headers['warning']).toBeUndefined()));
});

describe('names', () => {
  test('are made up of what is asked for and five letters', () =>
    story(async (server) => {
      const base = 'x'.repeat(70);
      const made = [await server.post(CONFIG, { metadata: { generateName: 'web-' } }), await server.post(CONFIG, { metadata: { generateName: base } })];
      expect(made[0]!.body.metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
      expect(made[1]!.body.metadata.name).toHaveLength(63);
      expect(made[1]!.body.metadata.generateName).toBe(base);
    }));
});
