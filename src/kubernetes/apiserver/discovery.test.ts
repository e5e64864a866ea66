import { describe, expect, test } from 'vitest';
import texts from '../api/texts.gen.json';
import { discover } from './discovery.ts';
import { OpenApiV3, openApiV2, openApiV3Index } from './openapi.ts';

const AGGREGATED =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';
const body = (path: string, accept = 'application/json'): Record<string, unknown> => discover(path, accept, '10.0.0.10:6443')?.body as Record<string, unknown>;

describe('discovery', () => {
  test('legacy documents', () => {
    expect(body('/api')).toEqual({
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '10.0.0.10:6443' }],
    });
    expect((body('/apis')['groups'] as { name: string }[]).map((g) => g.name)).toContain('apps');
    expect(body('/apis/autoscaling')).toEqual({
      kind: 'APIGroup',
      apiVersion: 'v1',
      name: 'autoscaling',
      versions: [
        { groupVersion: 'autoscaling/v2', version: 'v2' },
        { groupVersion: 'autoscaling/v1', version: 'v1' },
      ],
      preferredVersion: { groupVersion: 'autoscaling/v2', version: 'v2' },
    });
    expect(body('/version')).toMatchObject({ gitVersion: 'v1.33.1', minor: '33' });
    expect(discover('/apis/nope')).toBeUndefined();
    expect(discover('/apis/apps/v9')).toBeUndefined();
    expect(discover('/healthz')).toBeUndefined();
  });

  test('resources with what kubectl needs to know of them', () => {
    const core = body('/api/v1') as {
      groupVersion: string;
      resources: { name: string; shortNames?: string[]; group?: string; version?: string; kind: string }[];
    };
    expect(core.groupVersion).toBe('v1');
    const find = (name: string) => core.resources.find((r) => r.name === name);
    expect(find('pods')).toMatchObject({ singularName: 'pod', namespaced: true, kind: 'Pod', shortNames: ['po'], categories: ['all'] });
    // Without group and version here drain deletes instead of evicting.
    expect(find('pods/eviction')).toMatchObject({ group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] });
    expect(find('serviceaccounts/token')).toMatchObject({ group: 'authentication.k8s.io', kind: 'TokenRequest' });
  });

  test('aggregated discovery in the version the client prefers', () => {
    const answer = discover('/apis', AGGREGATED);
    expect(answer?.contentType).toBe('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
    expect(answer?.body).toMatchObject({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2' });
    const list = answer?.body as { items: { metadata: { name: string }; versions: { resources: { resource: string }[] }[] }[] };
    const apps = list.items.find((i) => i.metadata.name === 'apps');
    expect(apps?.versions[0]?.resources.find((r) => r.resource === 'deployments')).toMatchObject({
      responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
      scope: 'Namespaced',
      shortNames: ['deploy'],
      subresources: [{ subresource: 'scale', responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' } }, { subresource: 'status' }],
    });
    expect(discover('/api', 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json')?.body).toMatchObject({
      apiVersion: 'apidiscovery.k8s.io/v2beta1',
    });
    expect(discover('/api', '*/*')?.body).toMatchObject({ kind: 'APIVersions' });
  });
});

describe('openapi', () => {
  test('v2 is the small protobuf document', () => {
    const hex = [...openApiV2()].map((ch) => ch.charCodeAt(0).toString(16).padStart(2, '0')).join('');
    expect(hex).toBe('0a03322e3012150a0a4b756265726e65746573120776312e33332e314200');
  });

  test('v3: an index, and documents with a PATCH that knows fieldValidation but no strategic merge patch', async () => {
    expect(openApiV3Index()).toMatchObject({
      paths: { 'apis/apps/v1': { serverRelativeURL: expect.stringMatching(/^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{8}$/) } },
    });
    const api = new OpenApiV3(async () => texts);
    const document = (await api.document('apis/apps/v1')) as {
      paths: Record<string, Record<string, { parameters?: { name: string; in: string }[]; 'x-kubernetes-group-version-kind': object }>>;
      components: {
        schemas: Record<string, { properties: Record<string, { description?: string; allOf?: object[] }>; 'x-kubernetes-group-version-kind'?: object[] }>;
      };
    };
    const patch = document.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']?.['patch'];
    expect(patch?.parameters).toContainEqual(expect.objectContaining({ name: 'fieldValidation', in: 'query' }));
    expect(patch?.['x-kubernetes-group-version-kind']).toEqual({ group: 'apps', kind: 'Deployment', version: 'v1' });
    expect(JSON.stringify(document)).not.toContain('strategic-merge-patch');
    const deployment = document.components.schemas['io.k8s.api.apps.v1.Deployment'];
    expect(deployment?.['x-kubernetes-group-version-kind']).toEqual([{ group: 'apps', kind: 'Deployment', version: 'v1' }]);
    expect(deployment?.properties['spec']).toMatchObject({
      allOf: [{ $ref: '#/components/schemas/io.k8s.api.apps.v1.DeploymentSpec' }],
      description: expect.stringContaining('desired behavior'),
    });
    expect(document.components.schemas['io.k8s.api.core.v1.PodSpec']).toBeDefined();
    // Every reference leads somewhere.
    const names = new Set(Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`));
    for (const [, target] of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)) expect(names).toContain(target);
    expect(await api.document('apis/apps/v1')).toBe(document);
    expect(await api.document('apis/nope/v1')).toBeUndefined();
    expect(await new OpenApiV3().document('api/v1')).toBeDefined();
  });
});
