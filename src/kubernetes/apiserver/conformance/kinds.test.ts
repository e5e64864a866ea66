/** Kinds that are more than stored: addresses written with Services, components that are asked, devices behind a flag. */
import { describe, expect, test } from 'vitest';
import { seconds } from '../../../sim/clock.ts';
import { type Loose, type TestServer, withApiServer } from '../testing.test-support.ts';

const story = async (run: (server: TestServer) => Promise<void>, options: Parameters<typeof withApiServer>[1] = {}): Promise<void> =>
  void (await withApiServer(run, options));
const SERVICES = '/api/v1/namespaces/default/services';
const ADDRESSES = '/apis/networking.k8s.io/v1/ipaddresses';
const RANGES = '/apis/networking.k8s.io/v1/servicecidrs';
const service = (name: string, spec: object = {}) => ({ metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } });
const names = ({ body }: { body: Loose }): string[] => body.items.map(({ metadata }: Loose) => metadata.name);
const table = { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' } };

describe('addresses of Services', () => {
  test('each is an object, from the first Service on, and goes with it', () =>
    story(async (server) => {
      expect(names(await server.get(ADDRESSES))).toEqual(['10.96.0.1']);
      const { body: made } = await server.post(SERVICES, service('web'));
      const ip = made.spec.clusterIP as string;
      expect(names(await server.get(ADDRESSES)).sort()).toEqual(['10.96.0.1', ip].sort());
      const { body: object } = await server.get(`${ADDRESSES}/${ip}`);
      expect([object.metadata.labels, object.spec]).toEqual([
        { 'ipaddress.kubernetes.io/ip-family': 'IPv4', 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' },
        { parentRef: { group: '', resource: 'services', namespace: 'default', name: 'web' } },
      ]);
      const printed = await server.get(`${ADDRESSES}/${ip}`, table);
      expect(printed.body.rows[0].cells).toEqual([ip, 'services/default/web']);
      await server.delete(`${SERVICES}/web`);
      expect(names(await server.get(ADDRESSES))).toEqual(['10.96.0.1']);
    }));
  test('a Service without one has no object; one that gives its address up gives the object up', () =>
    story(async (server) => {
      await server.post(SERVICES, service('headless', { clusterIP: 'None' }));
      await server.post(SERVICES, service('dry'), {});
      const { body: dry } = await server.post(`${SERVICES}?dryRun=All`, service('never'));
      expect(dry.metadata.name).toBe('never');
      expect(names(await server.get(ADDRESSES))).toHaveLength(2);
      const answer = await server.patch(
        `${SERVICES}/dry`,
        { spec: { type: 'ExternalName', externalName: 'example.com', clusterIP: null, clusterIPs: null } },
        'merge',
      );
      expect(answer.status).toBe(200);
      expect(names(await server.get(ADDRESSES))).toEqual(['10.96.0.1']);
      await server.post(SERVICES, service('refused', { ports: [] }));
      expect(names(await server.get(ADDRESSES))).toEqual(['10.96.0.1']);
    }));
  test('an address somebody keeps an object for is not given out; one in use comes back when it is deleted', () =>
    story(async (server) => {
      await server.post(ADDRESSES, { metadata: { name: '10.96.0.77' }, spec: { parentRef: { resource: 'gateways', group: 'example.com', name: 'mine' } } });
      const refused = await server.post(SERVICES, service('web', { clusterIP: '10.96.0.77' }));
      expect([refused.status, refused.body.message]).toEqual([
        422,
        'Service "web" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.77"]: failed to allocate IP 10.96.0.77: provided IP is already allocated',
      ]);
      expect((await server.get(`${SERVICES}/web`)).status).toBe(404);
      await server.delete(`${ADDRESSES}/10.96.0.1`);
      await server.sleep(seconds(1));
      expect((await server.get(`${ADDRESSES}/10.96.0.1`)).body.spec.parentRef.name).toBe('kubernetes');
    }));
  test.each([
    ['10.20.0.5', 'the provided network does not match the current range'],
    ['10.96.0.0', 'the provided IP (10.96.0.0) is not in the valid range. The range of valid IPs is 10.96.0.0/12'],
    ['10.96.0.1', 'provided IP is already allocated'],
  ])('%s: %s', (clusterIP, why) =>
    story(async (server) => {
      const { body } = await server.post(SERVICES, service('web', { clusterIP }));
      expect(body.message).toBe(`Service "web" is invalid: spec.clusterIPs: Invalid value: ["${clusterIP}"]: failed to allocate IP ${clusterIP}: ${why}`);
    }),
  );
  test.each([
    ['10.96.00.1', {}, 'metadata.name: Invalid value: "10.96.00.1": must be a valid IP address in canonical form'],
    ['10.96.0.9', {}, 'spec.parentRef: Required value'],
    ['2001:db8::1', { parentRef: { name: 'x' } }, 'spec.parentRef.resource: Required value'],
  ])('IPAddress %s is refused: %s', (name, spec, why) =>
    story(async (server) => {
      const { body } = await server.post(ADDRESSES, { metadata: { name }, spec });
      expect([body.code, body.message]).toEqual([422, expect.stringContaining(why)]);
    }),
  );
});

describe('ranges of addresses', () => {
  test('the default one is there and ready', () =>
    story(async (server) => {
      const { body } = await server.get(`${RANGES}/kubernetes`);
      expect(body.spec).toEqual({ cidrs: ['10.96.0.0/12'] });
      expect(body.status.conditions).toEqual([expect.objectContaining({ type: 'Ready', status: 'True', message: 'Kubernetes default Service CIDR is ready' })]);
      expect((await server.get(`${RANGES}/kubernetes`, table)).body.rows[0].cells).toEqual(['kubernetes', '10.96.0.0/12', '0s']);
    }));
  test('another one makes room for more; what it is never changes', () =>
    story(async (server) => {
      expect((await server.post(RANGES, { metadata: { name: 'more' }, spec: { cidrs: ['192.168.7.0/24'] } })).status).toBe(201);
      const { body } = await server.post(SERVICES, service('web', { clusterIP: '192.168.7.9' }));
      expect(body.spec.clusterIP).toBe('192.168.7.9');
      const changed = await server.patch(`${RANGES}/more`, { spec: { cidrs: ['192.168.8.0/24'] } }, 'merge');
      expect(changed.body.message).toContain('spec.cidrs: Invalid value: ["192.168.8.0/24"]: field is immutable');
    }));
  test('when the first is full the next one serves', () =>
    story(
      async (server) => {
        const made = async (name: string) => (await server.post(SERVICES, service(name))).body;
        for (const name of ['a', 'b', 'c', 'd', 'e']) expect((await made(name)).spec.clusterIP).toMatch(/^10\.0\.9\./);
        const full = await made('f');
        expect([full.code, full.message]).toEqual([500, 'Internal error occurred: failed to allocate a serviceIP: range is full']);
        await server.post(RANGES, { metadata: { name: 'more' }, spec: { cidrs: ['192.168.7.0/24'] } });
        expect((await made('f')).spec.clusterIP).toMatch(/^192\.168\.7\./);
      },
      { serviceCidr: '10.0.9.0/29' },
    ));
  test.each([
    [[], 'spec.cidrs: Required value: at least one CIDR required'],
    [['10.1.2.3/16'], 'spec.cidrs[0]: Invalid value: "10.1.2.3/16": must be in canonical form ("10.1.0.0/16")'],
    [['10.1/16'], 'spec.cidrs[0]: Invalid value: "10.1/16": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'],
    [['10.1.0.0/16', '10.2.0.0/16'], 'may specify no more than one IP for each IP family'],
  ])('%j: %s', (cidrs, why) =>
    story(async (server) => {
      const { body } = await server.post(RANGES, { metadata: { name: 'x' }, spec: { cidrs } });
      expect([body.code, body.message]).toEqual([422, expect.stringContaining(why)]);
    }),
  );
});

describe('components', () => {
  const health = { status: 200, headers: {}, body: 'ok' };
  test('those that answer are healthy, the others say why not; all with a warning', () =>
    story(
      async (server) => {
        const answer = await server.get('/api/v1/componentstatuses', table);
        expect(answer.headers['warning']).toBe('299 - "v1 ComponentStatus is deprecated in v1.19+"');
        expect(answer.body.columnDefinitions.map(({ name }: Loose) => name)).toEqual(['Name', 'Status', 'Message', 'Error']);
        expect(answer.body.rows.map(({ cells }: Loose) => cells)).toEqual([
          ['controller-manager', 'Healthy', 'ok', ''],
          ['scheduler', 'Unhealthy', 'Get "https://127.0.0.1:10259/healthz": dial tcp 127.0.0.1:10259: connect: connection refused', ''],
        ]);
        const { body } = await server.get('/api/v1/componentstatuses/scheduler');
        expect([body.kind, body.conditions[0].status]).toEqual(['ComponentStatus', 'False']);
        const unknown = await server.get('/api/v1/componentstatuses/nobody');
        expect([unknown.status, unknown.body.reason, unknown.body.message]).toEqual([500, undefined, 'Component not found: nobody']);
        expect((await server.post('/api/v1/componentstatuses', { metadata: { name: 'x' } })).status).toBe(405);
      },
      {
        dialService: async ({ port }) => {
          if (port === 10257) return health;
          throw new Error(`dial tcp 127.0.0.1:${port}: connect: connection refused`);
        },
      },
    ));
  test('Endpoints are on their way out', () =>
    story(async (server) => {
      const { headers } = await server.get('/api/v1/namespaces/default/endpoints/kubernetes');
      expect(headers['warning']).toBe('299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"');
    }));
});

describe('devices', () => {
  const V1 = '/apis/resource.k8s.io/v1beta1';
  const V2 = '/apis/resource.k8s.io/v1beta2';
  const betas = new Set(['resource.k8s.io/v1beta1', 'resource.k8s.io/v1beta2']);
  const claim = { metadata: { name: 'gpu' }, spec: { devices: { requests: [{ name: 'one', exactly: { deviceClassName: 'gpu.example.com' } }] } } };
  test('are not served unless a flag asks for them', () =>
    story(async (server) => {
      expect((await server.get(`${V1}/deviceclasses`)).status).toBe(404);
      expect((await server.get(V1)).status).toBe(404);
      expect((await server.get('/apis')).body.groups.map(({ name }: Loose) => name)).not.toContain('resource.k8s.io');
    }));
  test('are one object in two versions', () =>
    story(
      async (server) => {
        expect((await server.get('/apis/resource.k8s.io')).body.preferredVersion.version).toBe('v1beta2');
        const made = await server.post(`${V2}/namespaces/default/resourceclaims`, claim);
        expect([made.status, made.body.apiVersion]).toEqual([201, 'resource.k8s.io/v1beta2']);
        const { body: older } = await server.get(`${V1}/namespaces/default/resourceclaims/gpu`);
        expect(older.spec.devices.requests).toEqual([{ name: 'one', deviceClassName: 'gpu.example.com', allocationMode: 'ExactCount', count: 1 }]);
        const printed = await server.get(`${V2}/namespaces/default/resourceclaims`, table);
        expect(printed.body.rows[0].cells).toEqual(['gpu', 'pending', '0s']);
        const slice = {
          metadata: { name: 's' },
          spec: {
            driver: 'gpu.example.com',
            nodeName: 'n',
            pool: { name: 'p', generation: 1, resourceSliceCount: 1 },
            devices: [{ name: 'd0', attributes: { model: { string: 'x' } } }],
          },
        };
        await server.post(`${V2}/resourceslices`, slice);
        expect((await server.get(`${V1}/resourceslices/s`)).body.spec.devices).toEqual([{ name: 'd0', basic: { attributes: { model: { string: 'x' } } } }]);
        const refused = await server.post(`${V1}/namespaces/default/resourceclaims`, {
          metadata: { name: 'x' },
          spec: { devices: { requests: [{ name: 'one' }] } },
        });
        expect(refused.body.message).toContain('spec.devices.requests[0].deviceClassName: Required value');
      },
      { betas },
    ));
});

test('storage capacity is stored and printed', () =>
  story(async (server) => {
    const path = '/apis/storage.k8s.io/v1/namespaces/default/csistoragecapacities';
    await server.post(path, { metadata: { name: 'c' }, storageClassName: 'fast', capacity: '10Gi' });
    expect((await server.get(path, table)).body.rows[0].cells).toEqual(['c', 'fast', '10Gi']);
    const refused = await server.post(path, { metadata: { name: 'd' }, storageClassName: '', capacity: '-1' });
    expect(refused.body.details.causes.map(({ field }: Loose) => field)).toEqual(['storageClassName', 'capacity']);
  }));

describe('what the server tells of itself', () => {
  test('every path it serves', () =>
    story(async (server) => {
      const { body } = await server.get('/');
      expect(body.paths).toEqual([...body.paths].sort());
      expect(body.paths).toEqual(expect.arrayContaining(['/api/v1', '/apis/apps/v1', '/healthz/ping', '/metrics', '/openapi/v3', '/version']));
      expect(body.paths).not.toContain('/apis/resource.k8s.io');
    }));
  test('its health, without what one does not want to know', () =>
    story(async (server) => {
      const { body } = await server.get('/readyz', { query: { verbose: '', exclude: ['etcd', 'nope'] } });
      expect(body).toContain('[+]ping ok\n');
      expect(body).toContain('[+]etcd excluded: ok\n');
      expect(body).toMatch(/warn: some health checks cannot be excluded: no matches for "nope"\nreadyz check passed\n$/);
    }));
  test('what it keeps, as metrics', () =>
    story(async (server) => {
      await server.post(SERVICES, service('web'));
      const watch = await server.watch('/api/v1/pods?watch=true');
      const { body } = await server.get('/metrics');
      expect(body).toContain('\napiserver_storage_objects{resource="services"} 2\n');
      expect(body).toContain('verb="WATCH",version="v1"} 1\n');
      watch.response.stream?.cancel();
    }));
});

test.each<[string, object, string]>([
  ['services', service('s', { ipFamilies: ['IPv6'] }), 'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'],
  [
    'services',
    service('s', { ipFamilyPolicy: 'RequireDualStack' }),
    'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
  ],
  ['services', service('s', { loadBalancerClass: 'x/y' }), "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"],
  [
    'events',
    { metadata: { name: 'e' }, involvedObject: { namespace: 'other' } },
    'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
  ],
  [
    'pods',
    { metadata: { name: 'p' }, spec: { securityContext: { sysctls: [{ name: 'a b', value: '1' }] }, containers: [{ name: 'c', image: 'x' }] } },
    'spec.securityContext.sysctls[0].name: Invalid value: "a b": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$',
  ],
])('%s: %j is refused', (plural, object, why) =>
  story(async (server) => {
    await server.post('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
    const { body } = await server.post(`/api/v1/namespaces/default/${plural}`, object);
    expect([body.code, body.message]).toEqual([422, expect.stringContaining(why)]);
  }),
);
