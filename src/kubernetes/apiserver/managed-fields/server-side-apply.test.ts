/** Server-side apply as the documentation has it (kubernetes.io, Server-Side Apply), and its errors. */
import { describe, expect, it } from 'vitest';
import { byKind } from '../../api/resources.ts';
import { deployment, type Loose, type TestServer, withApiServer } from '../testing.test-support.ts';
import { type OwnedRow, ownedByApply } from './field-manager.ts';
import type { SchemaProps } from './shapes.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const SERVICES = '/api/v1/namespaces/default/services';
const apply = (server: TestServer, path: string, body: object | string, manager: string, more = '') =>
  server.call('PATCH', `${path}?fieldManager=${manager}${more}`, body, { headers: { 'content-type': 'application/apply-patch+yaml' } });
const agent = (name: string) => ({ headers: { 'user-agent': `${name}/v1 (linux)` } });
const map = (data: Record<string, string>, more: object = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm', ...more }, data });
const owners = (object: Loose): Record<string, Loose> =>
  Object.fromEntries(
    (object.metadata.managedFields ?? []).map((one: Loose) => [`${one.manager}/${one.operation}${one.subresource ? `/${one.subresource}` : ''}`, one.fieldsV1]),
  );

describe('apply', () => {
  it('creates, and owns what it says', async () => {
    await withApiServer(async (server) => {
      const made = await apply(server, `${MAPS}/m`, 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m\n  labels: {a: b}\ndata:\n  key: v\n', 'me');
      expect(made.status).toBe(201);
      expect(made.body.data).toEqual({ key: 'v' });
      expect(owners(made.body)).toEqual({ 'me/Apply': { 'f:data': { 'f:key': {} }, 'f:metadata': { 'f:labels': { 'f:a': {} } } } });
      await server.sleep(3_000_000);
      const again = await apply(server, `${MAPS}/m`, map({ key: 'v' }, { labels: { a: 'b' } }), 'me');
      expect(again.status).toBe(200);
      expect(again.body.metadata.resourceVersion).toBe(made.body.metadata.resourceVersion);
    });
  });

  it('takes out what it no longer says, unless somebody else does', async () => {
    await withApiServer(async (server) => {
      await apply(server, `${MAPS}/m`, map({ a: '1', shared: 's', gone: 'g' }), 'one');
      const two = await apply(server, `${MAPS}/m`, map({ shared: 's', b: '2' }), 'two');
      expect(two.status).toBe(200);
      const one = await apply(server, `${MAPS}/m`, map({ a: '1' }), 'one');
      expect(one.body.data).toEqual({ a: '1', shared: 's', b: '2' });
      expect(owners(one.body)).toEqual({ 'one/Apply': { 'f:data': { 'f:a': {} } }, 'two/Apply': { 'f:data': { 'f:b': {}, 'f:shared': {} } } });
      const last = await apply(server, `${MAPS}/m`, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' } }, 'two');
      expect(last.body.data).toEqual({ a: '1' });
      expect(Object.keys(owners(last.body))).toEqual(['one/Apply']);
    });
  });

  it('conflicts, gives way, shares, and forces', async () => {
    await withApiServer(async (server) => {
      await apply(server, `${MAPS}/m`, map({ key: 'one' }), 'one');
      const refused = await apply(server, `${MAPS}/m`, map({ key: 'two' }), 'two');
      expect(refused.status).toBe(409);
      expect(refused.body).toMatchObject({
        reason: 'Conflict',
        message: 'Apply failed with 1 conflict: conflict with "one": .data.key',
        details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.key' }] },
      });
      const shared = await apply(server, `${MAPS}/m`, map({ key: 'one' }), 'two');
      expect(Object.keys(owners(shared.body)).sort()).toEqual(['one/Apply', 'two/Apply']);
      expect((await apply(server, `${MAPS}/m`, map({ key: 'new' }), 'one')).status).toBe(409);
      const forced = await apply(server, `${MAPS}/m`, map({ key: 'new' }), 'one', '&force=true');
      expect(forced.body.data.key).toBe('new');
      expect(Object.keys(owners(forced.body))).toEqual(['one/Apply']);
    });
  });

  it('names every conflict of every manager', async () => {
    await withApiServer(async (server) => {
      await apply(server, `${MAPS}/m`, map({ a: '1', b: '1' }), 'one');
      await server.patch(`${MAPS}/m`, { data: { c: '1' } }, 'merge', { headers: { 'content-type': 'application/merge-patch+json', 'user-agent': 'zed/1' } });
      const refused = await apply(server, `${MAPS}/m`, map({ a: '2', b: '2', c: '2' }), 'two');
      expect(refused.body.message).toBe(
        'Apply failed with 3 conflicts: conflicts with "one":\n- .data.a\n- .data.b\nconflicts with "zed" using v1:\n- .data.c',
      );
      const dry = await apply(server, `${MAPS}/m`, map({ a: '2', b: '2', c: '2' }), 'two', '&force=true&dryRun=All');
      expect(dry.body.data).toEqual({ a: '2', b: '2', c: '2' });
      expect((await server.get(`${MAPS}/m`)).body.data).toEqual({ a: '1', b: '1', c: '1' });
    });
  });

  it('hands replicas over to an autoscaler', async () => {
    await withApiServer(async (server) => {
      const config = (replicas?: number) => ({ ...(deployment('web') as Loose), spec: { ...(deployment('web') as Loose).spec, replicas } });
      const first = config(3);
      expect((await apply(server, `${DEPLOYMENTS}/web`, first, 'owner')).status).toBe(201);
      const scaled = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'web', namespace: 'default' }, spec: { replicas: 5 } };
      await server.put(`${DEPLOYMENTS}/web/scale`, scaled, { ...agent('kube-controller-manager'), typed: true });
      const seen = (await server.get(`${DEPLOYMENTS}/web`)).body;
      expect(owners(seen)['kube-controller-manager/Update/scale']).toEqual({ 'f:spec': { 'f:replicas': {} } });
      expect(owners(seen)['owner/Apply']['f:spec']['f:replicas']).toBeUndefined();
      expect((await apply(server, `${DEPLOYMENTS}/web`, first, 'owner')).body.message).toBe(
        'Apply failed with 1 conflict: conflict with "kube-controller-manager" with subresource "scale" using apps/v1: .spec.replicas',
      );
      const { replicas: _, ...spec } = (deployment('web') as Loose).spec;
      const handed = await apply(server, `${DEPLOYMENTS}/web`, { ...(deployment('web') as Loose), spec }, 'owner');
      expect(handed.status).toBe(200);
      expect(handed.body.spec.replicas).toBe(5);
    });
  });

  it('applies a scale', async () => {
    await withApiServer(async (server) => {
      await server.post(`${DEPLOYMENTS}?fieldManager=maker`, deployment('web'));
      const scale = (replicas: number) => ({
        apiVersion: 'autoscaling/v1',
        kind: 'Scale',
        metadata: { name: 'web', namespace: 'default' },
        spec: { replicas },
      });
      expect((await apply(server, `${DEPLOYMENTS}/web/scale`, scale(4), 'scaler')).body.message).toBe(
        'Apply failed with 1 conflict: conflict with "maker" using autoscaling/v1: .spec.replicas',
      );
      expect((await apply(server, `${DEPLOYMENTS}/web/scale`, scale(4), 'scaler', '&force=true')).body.spec.replicas).toBe(4);
      const seen = (await server.get(`${DEPLOYMENTS}/web`)).body;
      expect(seen.spec.replicas).toBe(4);
      expect(owners(seen)['scaler/Apply/scale']).toEqual({ 'f:spec': { 'f:replicas': {} } });
      expect(owners(seen)['maker/Update']['f:spec']['f:replicas']).toBeUndefined();
    });
  });

  it('merges custom resources as their schema says', () => {
    const items = { type: 'array', items: { type: 'object', properties: { name: { type: 'string' }, size: { type: 'integer' } } } };
    const keyed = { ...items, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] };
    const row = (schema: SchemaProps): OwnedRow => ({
      ...byKind('ConfigMap'),
      group: 'example.com',
      version: 'v1',
      kind: 'Box',
      plural: 'boxes',
      custom: { schema },
    });
    const box = (name: string, size: number) => ({ apiVersion: 'example.com/v1', kind: 'Box', metadata: { name: 'b' }, parts: [{ name, size }] });
    const made = (parts: object) => {
      const schema = { type: 'object', properties: { parts } } as SchemaProps;
      const writer = (manager: string) => ({ manager, apiVersion: 'example.com/v1', subresource: '' });
      const one = ownedByApply(row(schema), undefined, box('a', 1), writer('one'), { force: false, time: 't' });
      return () => ownedByApply(row(schema), one, box('b', 2), writer('two'), { force: false, time: 't' }) as Loose;
    };
    expect(made(keyed)().parts).toEqual([
      { name: 'a', size: 1 },
      { name: 'b', size: 2 },
    ]);
    expect(made(items)).toThrow('Apply failed with 1 conflict: conflict with "one": .parts');
  });

  it('leaves a field it gives up to its new owner, or to the default', async () => {
    await withApiServer(async (server) => {
      const { replicas: _, ...spec } = (deployment('web') as Loose).spec;
      const without = { ...(deployment('web') as Loose), spec };
      await apply(server, `${DEPLOYMENTS}/web`, { ...without, spec: { ...spec, replicas: 3 } }, 'owner');
      const handover = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { replicas: 3 } };
      expect((await apply(server, `${DEPLOYMENTS}/web`, handover, 'handover-to-hpa')).status).toBe(200);
      expect((await apply(server, `${DEPLOYMENTS}/web`, without, 'owner')).body.spec.replicas).toBe(3);
      await server.delete(`${DEPLOYMENTS}/web`);
      await apply(server, `${DEPLOYMENTS}/web`, { ...without, spec: { ...spec, replicas: 3 } }, 'owner');
      expect((await apply(server, `${DEPLOYMENTS}/web`, without, 'owner')).body.spec.replicas).toBe(1);
    });
  });

  it('merges lists by their keys, and takes atomic ones as a whole', async () => {
    await withApiServer(async (server) => {
      const service = (ports: object[], more: object = {}) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports, ...more } });
      await apply(server, `${SERVICES}/s`, service([{ name: 'http', port: 80 }], { selector: { app: 'web' } }), 'one');
      const two = await apply(server, `${SERVICES}/s`, service([{ name: 'https', port: 443 }]), 'two');
      expect(two.body.spec.ports.map((port: Loose) => port.port)).toEqual([80, 443]);
      expect(owners(two.body)['two/Apply']).toEqual({
        'f:spec': { 'f:ports': { 'k:{"port":443,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {} } } },
      });
      expect(owners(two.body)['one/Apply']['f:spec']['f:selector']).toEqual({});
      expect((await apply(server, `${SERVICES}/s`, service([{ name: 'https', port: 443 }], { selector: { app: 'web', tier: 'x' } }), 'two')).body.message).toBe(
        'Apply failed with 1 conflict: conflict with "one": .spec.selector',
      );
      const item = await apply(
        server,
        `${SERVICES}/s`,
        service([
          { name: 'web', port: 80 },
          { name: 'https', port: 443 },
        ]),
        'two',
      );
      expect(item.body.message).toBe('Apply failed with 1 conflict: conflict with "one": .spec.ports[port=80,protocol="TCP"].name');
      const gone = await apply(server, `${SERVICES}/s`, service([{ name: 'http', port: 80 }], { selector: { app: 'web' } }), 'one');
      expect(gone.body.spec.ports).toHaveLength(2);
      const only = await apply(server, `${SERVICES}/s`, { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' } }, 'two');
      expect(only.body.spec.ports.map((port: Loose) => port.port)).toEqual([80]);
    });
  });

  it('takes over what kubectl applied on the client’s side', async () => {
    await withApiServer(async (server) => {
      const given = map({ a: '1', b: '1' });
      const last = `${JSON.stringify({ ...given, metadata: { ...given.metadata, annotations: {} } })}\n`;
      const annotated = { ...given, metadata: { ...given.metadata, annotations: { 'kubectl.kubernetes.io/last-applied-configuration': last } } };
      await server.post(`${MAPS}?fieldManager=kubectl-client-side-apply`, annotated);
      const other = await apply(server, `${MAPS}/m`, map({ a: '2', b: '1' }), 'argo');
      expect(other.body.message).toBe('Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using v1: .data.a');
      const mine = await apply(server, `${MAPS}/m`, map({ a: '2' }), 'kubectl');
      expect(mine.status).toBe(200);
      expect(mine.body.data).toEqual({ a: '2', b: '1' });
      expect(JSON.parse(mine.body.metadata.annotations['kubectl.kubernetes.io/last-applied-configuration'])).toEqual(map({ a: '2' }));
      expect(owners(mine.body)['kubectl/Apply']).toEqual({ 'f:data': { 'f:a': {} } });
    });
  });

  it.each([
    ['no manager', map({}), '', 422, 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'],
    ['managed fields', map({}, { managedFields: [] }), 'me', 400, 'metadata.managedFields must be nil'],
    ['another version', { ...map({}), apiVersion: 'v2' }, 'me', 400, 'invalid object type: /v2, Kind=ConfigMap'],
    ['another kind', { ...map({}), kind: 'Secret' }, 'me', 400, 'invalid object type: /v1, Kind=Secret'],
    ['another name', map({}, { name: 'n' }), 'me', 400, 'the name of the object (n) does not match the name on the URL (m)'],
    [
      'an unknown field',
      { ...map({}), extra: 1 },
      'me',
      500,
      'failed to create typed patch object (/m; /v1, Kind=ConfigMap): .extra: field not declared in schema',
    ],
    ['a wrong type', { ...map({}), data: 'x' }, 'me', 500, 'failed to create typed patch object (/m; /v1, Kind=ConfigMap): .data: expected map, got &{x}'],
  ])('refuses %s', async (_, body, manager, code, message) => {
    await withApiServer(async (server) => {
      const answer = await apply(server, `${MAPS}/m`, body, manager);
      expect([answer.status, answer.body.message]).toEqual([code, message]);
    });
  });

  it('refuses duplicates, and force elsewhere', async () => {
    await withApiServer(async (server) => {
      const twice = {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 's', namespace: 'default' },
        spec: { ports: [{ port: 80 }, { port: 80, protocol: 'TCP' }] },
      };
      expect((await apply(server, `${SERVICES}/s`, twice, 'me')).body.message).toBe(
        'failed to create typed patch object (default/s; /v1, Kind=Service): .spec.ports: duplicate entries for key [port=80,protocol="TCP"]',
      );
      expect((await server.patch(`${MAPS}/m?force=true`, {}, 'merge')).body.message).toBe(
        'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
      );
    });
  });
});

describe('updates', () => {
  it('one entry a manager, version and subresource', async () => {
    await withApiServer(async (server) => {
      await server.post(DEPLOYMENTS, deployment('web'), agent('kubectl'));
      await server.patch(`${DEPLOYMENTS}/web/status?fieldManager=kubectl`, { spec: { replicas: 9 }, status: { replicas: 2 } }, 'merge');
      const seen = (await server.get(`${DEPLOYMENTS}/web`)).body;
      expect(Object.keys(owners(seen))).toEqual(['kubectl/Update', 'kubectl/Update/status']);
      expect(owners(seen)['kubectl/Update/status']).toEqual({ 'f:status': { 'f:replicas': {} } });
      expect(owners(seen)['kubectl/Update']['f:status']).toBeUndefined();
    });
  });

  it('keeps ten updaters and calls the others ancient', async () => {
    await withApiServer(async (server) => {
      await server.post(MAPS, map({ a: '1' }), agent('first'));
      for (let i = 0; i < 12; i++) {
        await server.sleep(1_000_000);
        await server.call(
          'PATCH',
          `${MAPS}/m`,
          { data: { [`k${i}`]: 'v' } },
          { headers: { 'content-type': 'application/merge-patch+json', 'user-agent': `m${i}/1` } },
        );
      }
      const seen = (await server.get(`${MAPS}/m`)).body;
      expect(seen.metadata.managedFields).toHaveLength(10);
      expect(owners(seen)['ancient-changes/Update']['f:data']).toEqual({ '.': {}, 'f:a': {}, 'f:k0': {}, 'f:k1': {}, 'f:k2': {} });
    });
  });

  it.each([[[{}]], [[]]])('forgets everything when told %j, until somebody applies', async (managedFields) => {
    await withApiServer(async (server) => {
      await server.post(MAPS, map({ a: '1' }), agent('first'));
      const reset = await server.patch(`${MAPS}/m`, { metadata: { managedFields } }, 'merge');
      expect(reset.body.metadata.managedFields).toBeUndefined();
      await server.patch(`${MAPS}/m`, { data: { b: '2' } }, 'merge');
      expect((await server.get(`${MAPS}/m`)).body.metadata.managedFields).toBeUndefined();
      const applied = await apply(server, `${MAPS}/m`, map({ a: '1' }), 'me');
      expect(owners(applied.body)).toEqual({
        'before-first-apply/Update': { 'f:data': { '.': {}, 'f:a': {}, 'f:b': {} } },
        'me/Apply': { 'f:data': { 'f:a': {} } },
      });
    });
  });

  it('takes managed fields a request brings, and ignores nonsense', async () => {
    await withApiServer(async (server) => {
      const { body } = await server.post(MAPS, map({ a: '1' }), agent('first'));
      const given = [{ manager: 'x', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:data': { 'f:a': {} } } }];
      const put = (managedFields: unknown) => server.put(`${MAPS}/m`, { ...body, metadata: { ...body.metadata, resourceVersion: undefined, managedFields } });
      expect(owners((await put(given)).body)).toEqual({ 'x/Update': { 'f:data': { 'f:a': {} } } });
      expect(owners((await put([{ manager: 'y', operation: 'Nothing', apiVersion: 'v1', fieldsType: 'FieldsV1' }])).body)).toEqual({
        'x/Update': { 'f:data': { 'f:a': {} } },
      });
      expect(owners((await server.patch(`${MAPS}/m`, [{ op: 'replace', path: '/metadata/managedFields/0/manager', value: 'z' }], 'json')).body)).toEqual({
        'z/Update': { 'f:data': { 'f:a': {} } },
      });
    });
  });
});
