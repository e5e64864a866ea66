/** Reading: pages, versions, selectors, forms; and watches from where one likes (the API concepts page of the documentation). */
import { describe, expect, test } from 'vitest';
import { ms, seconds } from '../../../sim/clock.ts';
import { parseYaml } from '../../api/yaml.ts';
import { deployment, type Loose, pod, type TestServer, withApiServer } from '../testing.test-support.ts';

const story = async (run: Parameters<typeof withApiServer>[0]): Promise<void> => void (await withApiServer(run));
const CORE = '/api/v1/namespaces/default';
const CONFIG = `${CORE}/configmaps`;
const cm = (name: string, more: object = {}) => ({ metadata: { name, ...more } });
const names = ({ body }: { body: Loose }): string[] => body.items.map(({ metadata }: Loose) => metadata.name);
const many = async (server: TestServer, count: number) => {
  for (let i = 0; i < count; i++) await server.post(CONFIG, cm(`c${i}`, { labels: { odd: String(i % 2) } }));
};

describe('pages', () => {
  test('a walk sees one moment, whatever happens meanwhile', () =>
    story(async (server) => {
      await many(server, 5);
      const first = await server.get(`${CONFIG}?limit=2`);
      expect([names(first), first.body.metadata.remainingItemCount]).toEqual([['c0', 'c1'], 3]);
      await server.delete(`${CONFIG}/c3`);
      await server.post(CONFIG, cm('c9'));
      const second = await server.get(`${CONFIG}?limit=2&continue=${first.body.metadata.continue}`);
      expect([names(second), second.body.metadata.remainingItemCount]).toEqual([['c2', 'c3'], 1]);
      const last = await server.get(`${CONFIG}?limit=2&continue=${second.body.metadata.continue}`);
      expect([names(last), last.body.metadata.continue, last.body.metadata.remainingItemCount]).toEqual([['c4'], undefined, undefined]);
      expect(new Set([first, second, last].map(({ body }) => body.metadata.resourceVersion)).size).toBe(1);
    }));
  test('with a selector nobody knows how many remain', () =>
    story(async (server) => {
      await many(server, 6);
      const first = await server.get(`${CONFIG}?limit=1&labelSelector=odd%3D1`);
      expect([names(first), first.body.metadata.remainingItemCount]).toEqual([['c1'], undefined]);
      expect(names(await server.get(`${CONFIG}?limit=9&labelSelector=odd%3D1&continue=${first.body.metadata.continue}`))).toEqual(['c3', 'c5']);
    }));
});

describe('versions', () => {
  test('any, the newest, not older than, exactly', () =>
    story(async (server) => {
      await many(server, 2);
      const { body: then } = await server.get(CONFIG);
      const rv = then.metadata.resourceVersion as string;
      await server.delete(`${CONFIG}/c0`);
      expect(names(await server.get(CONFIG))).toEqual(['c1']);
      expect(names(await server.get(`${CONFIG}?resourceVersion=${rv}&resourceVersionMatch=Exact`))).toEqual(['c0', 'c1']);
      expect((await server.get(`${CONFIG}?resourceVersion=${rv}&resourceVersionMatch=Exact`)).body.metadata.resourceVersion).toBe(rv);
      expect(names(await server.get(`${CONFIG}?resourceVersion=${rv}&resourceVersionMatch=NotOlderThan`))).toEqual(['c1']);
      // A limit with a version means exactly that one, unless told otherwise.
      expect(names(await server.get(`${CONFIG}?resourceVersion=${rv}&limit=5`))).toEqual(['c0', 'c1']);
      for (const any of ['resourceVersion=0', 'resourceVersion=0&limit=1', 'resourceVersion=0&resourceVersionMatch=NotOlderThan'])
        expect(names(await server.get(`${CONFIG}?${any}`))).toEqual(['c1']);
      expect((await server.get(`${CONFIG}/c1?resourceVersion=0`)).status).toBe(200);
    }));
});

describe('fields', () => {
  const podOf = (name: string, spec: object) => ({ ...pod(name), spec: { ...(pod(name) as Loose).spec, ...spec } });
  /** Kind: collection, objects with their status, and selectors with the names they find. */
  const KINDS: readonly (readonly [string, string, readonly object[], Readonly<Record<string, readonly string[]>>])[] = [
    [
      'pods',
      `${CORE}/pods`,
      [
        podOf('a', { nodeName: 'n', restartPolicy: 'Never', schedulerName: 'mine', hostNetwork: true }),
        { ...podOf('b', {}), status: { phase: 'Running', podIP: '10.1.1.1', podIPs: [{ ip: '10.1.1.1' }], nominatedNodeName: 'm' } },
      ],
      {
        'spec.nodeName=n': ['a'],
        'spec.nodeName=': ['b'],
        'spec.nodeName!=n': ['b'],
        'spec.restartPolicy=Never': ['a'],
        'spec.schedulerName=mine': ['a'],
        'spec.serviceAccountName=default': ['a', 'b'],
        'spec.hostNetwork=true': ['a'],
        'spec.hostNetwork=false': ['b'],
        'status.phase=Running': ['b'],
        'status.podIP=10.1.1.1': ['b'],
        'status.nominatedNodeName=m': ['b'],
        'metadata.name=a,metadata.namespace=default': ['a'],
      },
    ],
    [
      'nodes',
      '/api/v1/nodes',
      [{ metadata: { name: 'a' } }, { metadata: { name: 'b' }, spec: { unschedulable: true } }],
      { 'spec.unschedulable=true': ['b'], 'spec.unschedulable=false': ['a'] },
    ],
    ['secrets', `${CORE}/secrets`, [{ metadata: { name: 'a' } }, { metadata: { name: 'b' }, type: 'x/y' }], { 'type=Opaque': ['a'], 'type=x/y': ['b'] }],
    [
      'services',
      `${CORE}/services`,
      [
        { metadata: { name: 'a' }, spec: { clusterIP: 'None' } },
        { metadata: { name: 'b' }, spec: { type: 'NodePort', ports: [{ port: 1 }] } },
      ],
      { 'spec.clusterIP=None': ['a'], 'spec.type=NodePort': ['b'] },
    ],
    [
      'events',
      `${CORE}/events`,
      [
        {
          metadata: { name: 'a' },
          involvedObject: { kind: 'Pod', namespace: 'default', name: 'p', uid: 'u' },
          reason: 'Started',
          type: 'Normal',
          source: { component: 'kubelet' },
        },
        {
          metadata: { name: 'b' },
          involvedObject: { kind: 'Node', namespace: 'default', name: 'n', fieldPath: 'x' },
          reason: 'Failed',
          type: 'Warning',
          reportingComponent: 'me',
        },
      ],
      {
        'involvedObject.kind=Pod': ['a'],
        'involvedObject.name=n': ['b'],
        'involvedObject.uid=u': ['a'],
        'involvedObject.namespace=default': ['a', 'b'],
        'involvedObject.fieldPath=x': ['b'],
        'reason=Failed': ['b'],
        'type!=Normal': ['b'],
        'source=kubelet': ['a'],
        'reportingComponent=me': ['b'],
      },
    ],
    [
      'jobs',
      '/apis/batch/v1/namespaces/default/jobs',
      [
        {
          metadata: { name: 'a' },
          spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } },
          status: { succeeded: 1 },
        },
      ],
      { 'status.successful=1': ['a'], 'status.successful=0': [] },
    ],
    [
      'replicasets',
      '/apis/apps/v1/namespaces/default/replicasets',
      [{ ...deployment('a'), kind: 'ReplicaSet', status: { replicas: 2 } }],
      { 'status.replicas=2': ['a'], 'status.replicas=0': [] },
    ],
  ];
  test.each(KINDS)('%s', (_, url, objects, selectors) =>
    story(async (server) => {
      await server.post(`${CORE}/serviceaccounts`, cm('default'));
      for (const object of objects) {
        const { body, status } = await server.post(url, object);
        expect([status, body.message]).toEqual([201, (object as Loose).involvedObject ? body.message : undefined]);
        const wanted = (object as Loose).status;
        if (wanted) expect((await server.put(`${url}/${body.metadata.name}/status`, { ...body, status: wanted })).status).toBe(200);
      }
      for (const [selector, found] of Object.entries(selectors)) {
        expect([selector, names(await server.get(`${url}?fieldSelector=${encodeURIComponent(selector)}`))]).toEqual([selector, found]);
      }
    }),
  );
  test('namespaces and signers', () =>
    story(async (server) => {
      expect(names(await server.get('/api/v1/namespaces?fieldSelector=status.phase%3DTerminating'))).toEqual([]);
      expect(names(await server.get('/api/v1/namespaces?fieldSelector=status.phase%3DActive'))).toContain('default');
      expect((await server.get('/apis/certificates.k8s.io/v1/certificatesigningrequests?fieldSelector=spec.signerName%3Da%2Fb')).status).toBe(200);
      expect((await server.get('/apis/certificates.k8s.io/v1/certificatesigningrequests?fieldSelector=spec.x%3Da')).body.message).toBe(
        'field label not supported: spec.x',
      );
    }));
});

describe('forms', () => {
  const get = (server: TestServer, url: string, accept: string, more: Record<string, string> = {}) => server.get(url, { headers: { accept, ...more } });
  test('metadata alone, of one and of many, and in a watch', () =>
    story(async (server) => {
      await server.post(CONFIG, { ...cm('a'), data: { a: '1' } });
      const one = await get(server, `${CONFIG}/a`, 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1');
      expect(one.body).toMatchObject({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name: 'a' } });
      expect(one.body.data).toBeUndefined();
      const all = await get(server, CONFIG, 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1');
      expect([all.body.kind, all.body.items[0].kind, all.body.metadata.resourceVersion !== undefined]).toEqual([
        'PartialObjectMetadataList',
        'PartialObjectMetadata',
        true,
      ]);
      const watch = await server.watch(`${CONFIG}?watch=true`, { headers: { accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1' } });
      await server.sleep(ms(1));
      expect(watch.events[0]).toMatchObject({ type: 'ADDED', object: { kind: 'PartialObjectMetadata' } });
    }));
  test('a Table of the scale', () =>
    story(async (server) => {
      await server.post('/apis/apps/v1/namespaces/default/deployments', deployment('web', 3));
      const { body } = await get(server, '/apis/apps/v1/namespaces/default/deployments/web/scale', 'application/json;as=Table;g=meta.k8s.io;v=v1');
      expect([body.kind, body.columnDefinitions.map(({ name }: Loose) => name), body.rows[0].cells.slice(0, 3)]).toEqual([
        'Table',
        ['Name', 'Desired', 'Available', 'Age'],
        ['web', 3, 0],
      ]);
    }));
  test('YAML for who likes it first, JSON over lines for who reads it', () =>
    story(async (server) => {
      await server.post(CONFIG, { ...cm('a'), data: { a: '1' } });
      const yaml = await get(server, `${CONFIG}/a`, 'application/yaml, application/json');
      expect(yaml.headers['content-type']).toBe('application/yaml');
      expect(parseYaml(yaml.body)).toMatchObject({ kind: 'ConfigMap', data: { a: '1' } });
      const lost = await get(server, `${CONFIG}/nope`, 'application/yaml');
      expect([lost.status, (parseYaml(lost.body) as Loose).reason]).toEqual([404, 'NotFound']);
      expect((await get(server, `${CONFIG}/a`, 'application/json, application/yaml')).body.kind).toBe('ConfigMap');
      for (const pretty of [await server.get(`${CONFIG}/a?pretty=true`), await get(server, `${CONFIG}/a`, '*/*', { 'user-agent': 'curl/8.5.0' })]) {
        expect(pretty.headers['content-type']).toBe('application/json');
        expect(pretty.body).toMatch(/^\{\n {2}"/);
      }
      expect((await get(server, `${CONFIG}/a?pretty=false`, '*/*', { 'user-agent': 'curl/8.5.0' })).body.kind).toBe('ConfigMap');
    }));
  test('HEAD is GET without the body', () =>
    story(async (server) => {
      expect((await server.call('HEAD', CONFIG)).status).toBe(200);
      expect((await server.call('HEAD', `${CONFIG}/nope`)).status).toBe(404);
    }));
});

describe('watches', () => {
  test('initial events end with a bookmark that says so', () =>
    story(async (server) => {
      await many(server, 2);
      const watch = await server.watch(
        `${CONFIG}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=30`,
      );
      await server.post(CONFIG, cm('c9'));
      await server.sleep(ms(5));
      expect(watch.events.map(({ type }) => type)).toEqual(['ADDED', 'ADDED', 'BOOKMARK', 'ADDED']);
      expect(watch.events[2]!.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
      expect(watch.events[2]!.object.kind).toBe('ConfigMap');
      await server.sleep(seconds(31));
      expect(watch.ended()).toBe(true);
    }));
  test('from any version: nothing first; from none: what there is', () =>
    story(async (server) => {
      await many(server, 2);
      const { body } = await server.get(CONFIG);
      const from = await server.watch(`${CONFIG}?watch=true&resourceVersion=${body.metadata.resourceVersion}`);
      const all = await server.watch(`${CONFIG}?watch=1`);
      const selected = await server.watch(`${CONFIG}?watch=true&labelSelector=odd%3D1`);
      await server.sleep(ms(1));
      expect([from.texts(), all.texts(), selected.texts()]).toEqual([[], ['ADDED c0', 'ADDED c1'], ['ADDED c1']]);
      await server.patch(`${CONFIG}/c1`, { metadata: { labels: { odd: '2' } } });
      await server.sleep(ms(5));
      expect([from.texts(), selected.texts()]).toEqual([['MODIFIED c1'], ['ADDED c1', 'DELETED c1']]);
    }));
});
