import { expect, test } from 'vitest';
import { seconds } from '../../../sim/clock.ts';
import { Pipe } from '../../api/stream.ts';
import { type Loose, type TestServer, withApiServer } from '../testing.test-support.ts';
import type { DialService } from '../webhook-client.ts';

const SERVICES = '/apis/apiregistration.k8s.io/v1/apiservices';
const NAME = 'v1beta1.metrics.example.com';
const remote = (spec: Loose = {}): Loose => ({
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: NAME },
  spec: {
    group: 'metrics.example.com',
    version: 'v1beta1',
    groupPriorityMinimum: 100,
    versionPriority: 100,
    service: { namespace: 'default', name: 'metrics', port: 443 },
    ...spec,
  },
});
const available = async (server: TestServer): Promise<Loose> => {
  await server.sleep(seconds(1));
  return (await server.get(`${SERVICES}/${NAME}`)).body.status?.conditions?.[0];
};
const service = (server: TestServer, port = 443) =>
  server.post('/api/v1/namespaces/default/services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'metrics' },
    spec: { ports: [{ name: 'https', port }] },
  });
const slice = (server: TestServer, addresses: readonly string[]) =>
  server.post('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'metrics-1', labels: { 'kubernetes.io/service-name': 'metrics' } },
    addressType: 'IPv4',
    ports: [{ name: 'https', port: 8443 }],
    endpoints: addresses.map((each) => ({ addresses: [each], conditions: { ready: true } })),
  });

const LIST = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: 'metrics.example.com/v1beta1',
  resources: [{ name: 'nodes', singularName: 'node', namespaced: false, kind: 'NodeMetrics', verbs: ['get', 'list'] }],
};
const backend =
  (asked: string[] = []): DialService =>
  async ({ method, path, headers }) => {
    asked.push(`${method} ${path} ${headers['x-remote-user'] ?? '-'}`);
    const body =
      path === '/apis/metrics.example.com/v1beta1' ? LIST : { kind: 'NodeMetricsList', apiVersion: 'metrics.example.com/v1beta1', metadata: {}, items: [] };
    return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  };

test('the groups of this server have APIServices that are local', async () => {
  await withApiServer(async (server) => {
    const { body } = await server.get(SERVICES);
    const apps = body.items.find((each: Loose) => each.metadata.name === 'v1.apps');
    expect(apps).toMatchObject({
      spec: { group: 'apps', version: 'v1', groupPriorityMinimum: 17800, versionPriority: 15 },
      metadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } },
    });
    expect(apps.status.conditions[0]).toMatchObject({ type: 'Available', status: 'True', reason: 'Local', message: 'Local APIServices are always available' });
    expect(body.items.some((each: Loose) => each.metadata.name === 'v1.')).toBe(true);
    const table = await server.get(`${SERVICES}/v1.apps`, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } });
    expect(table.body.rows[0].cells).toEqual(['v1.apps', 'Local', 'True', '0s']);
  });
});

test('a remote group says why it is not available, step by step, and then is', async () => {
  const asked: string[] = [];
  let broken = true;
  const good = backend(asked);
  await withApiServer(
    async (server) => {
      await server.get(SERVICES);
      expect((await server.post(SERVICES, remote())).status).toBe(201);
      expect(await available(server)).toMatchObject({ status: 'False', reason: 'ServiceNotFound', message: 'service/metrics in "default" is not present' });
      const refused = await server.get('/apis/metrics.example.com/v1beta1/nodes');
      expect([refused.status, refused.body]).toEqual([503, 'service unavailable\n']);
      await service(server, 80);
      expect(await available(server)).toMatchObject({ reason: 'ServicePortError', message: 'service/metrics in "default" is not listening on port 443' });
      await server.delete('/api/v1/namespaces/default/services/metrics');
      await service(server);
      expect(await available(server)).toMatchObject({ reason: 'EndpointsNotFound', message: 'cannot find endpointslices for service/metrics in "default"' });
      await slice(server, []);
      expect(await available(server)).toMatchObject({
        reason: 'MissingEndpoints',
        message: 'endpoints for service/metrics in "default" have no addresses with port name "https"',
      });
      await server.delete('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/metrics-1');
      await slice(server, ['10.244.1.2']);
      expect(await available(server)).toMatchObject({
        status: 'False',
        reason: 'FailedDiscoveryCheck',
        message: expect.stringMatching(
          /^failing or missing response from https:\/\/10\.\d+\.\d+\.\d+:443\/apis\/metrics\.example\.com\/v1beta1: Get "https:.*": dial tcp: connection refused$/,
        ),
      });
      broken = false;
      await server.sleep(seconds(30));
      expect(await available(server)).toMatchObject({ status: 'True', reason: 'Passed', message: 'all checks passed' });
      expect((await server.get('/apis/metrics.example.com/v1beta1/nodes?limit=5')).body.kind).toBe('NodeMetricsList');
      expect(asked.at(-1)).toBe('GET /apis/metrics.example.com/v1beta1/nodes?limit=5 kubernetes-admin');
      expect((await server.get('/apis')).body.groups.at(-1).name).toBe('metrics.example.com');
      expect((await server.get('/apis/metrics.example.com/v1beta1')).body.resources).toMatchObject([{ name: 'nodes', kind: 'NodeMetrics' }]);
      await server.delete(`${SERVICES}/${NAME}`);
      await server.sleep(seconds(0.1));
      expect((await server.get('/apis/metrics.example.com/v1beta1/nodes')).status).toBe(404);
    },
    {
      dialService: async (request) => {
        if (broken) throw new Error('dial tcp: connection refused');
        return good(request);
      },
    },
  );
});

test.each<[string, Loose, string]>([
  [
    'name',
    { group: 'other.example.com' },
    'metadata.name: Invalid value: "v1beta1.metrics.example.com": must be `spec.version+"."+spec.group`: "v1beta1.other.example.com"',
  ],
  ['priority', { versionPriority: 0 }, 'spec.versionPriority: Invalid value: 0: must be positive and less than 1000'],
])('an APIService of a wrong %s is refused', async (_, spec, expected) => {
  await withApiServer(async (server) => {
    const { body } = await server.post(SERVICES, remote(spec));
    expect(body.message).toContain(expected);
  });
});

test('a watch of an aggregated API comes event by event, and ends when the backend hangs up', async () => {
  const pieces = new Pipe<string>();
  let left = false;
  pieces.onCancel(() => {
    left = true;
  });
  const dialService: DialService = async (request) =>
    request.path.includes('watch=') ? { status: 200, headers: { 'content-type': 'application/json' }, body: '', stream: pieces } : backend()(request);
  await withApiServer(
    async (server) => {
      await service(server);
      await slice(server, ['10.244.1.9']);
      await server.post(SERVICES, remote());
      expect((await available(server)).status).toBe('True');
      const watch = await server.watch('/apis/metrics.example.com/v1beta1/nodes?watch=true');
      const line = (name: string) => `${JSON.stringify({ type: 'ADDED', object: { metadata: { name } } })}\n`;
      pieces.write(line('a') + line('b').slice(0, 10));
      expect(watch.texts()).toEqual(['ADDED a']);
      pieces.write(line('b').slice(10));
      expect(watch.texts()).toEqual(['ADDED a', 'ADDED b']);
      watch.response.stream?.cancel();
      expect(left).toBe(true);
    },
    { dialService },
  );
});
