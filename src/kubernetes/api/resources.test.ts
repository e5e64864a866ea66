import { describe, expect, test } from 'vitest';
import discovery from './discovery.gen.json';
import { byKind, byObject, byPlural, collectionPath, groupKind, objectPath, parsePath, RESOURCES, storageKey } from './resources.ts';

describe('the table of resources', () => {
  test.each(RESOURCES.map((row) => [`${row.group}/${row.version}/${row.plural}`, row] as const))('%s agrees with the API classes', (path, row) => {
    const upstream = discovery.find((r) => `${r.group}/${r.version}/${r.plural}` === path);
    expect(upstream).toMatchObject({ kind: row.kind, namespaced: row.namespaced, singular: row.singular, verbs: [...row.verbs] });
    expect(row.subresources.map((s) => [s.name, [...s.verbs]])).toEqual(upstream?.subresources.map((s) => [s.name, s.verbs]));
  });

  test('prefixes are those of real etcd, and no two resources but views of one share them', () => {
    expect(storageKey(byKind('Pod'), 'default', 'web-1')).toBe('/registry/pods/default/web-1');
    expect(storageKey(byKind('Node'), '', 'node-1')).toBe('/registry/minions/node-1');
    expect(storageKey(byKind('Service'), 'default', 'kubernetes')).toBe('/registry/services/specs/default/kubernetes');
    expect(byKind('EventsV1Event').prefix).toBe(byKind('Event').prefix);
  });

  test('lookups', () => {
    expect(byPlural('apps', 'v1', 'deployments')?.kind).toBe('Deployment');
    expect(byPlural('apps', 'v2', 'deployments')).toBeUndefined();
    expect(byObject({ apiVersion: 'autoscaling/v1', kind: 'HorizontalPodAutoscaler' })?.type).toBe('HorizontalPodAutoscalerV1');
    expect(groupKind(byKind('Deployment'))).toBe('Deployment.apps');
    expect(collectionPath(byKind('Deployment'), 'default')).toBe('/apis/apps/v1/namespaces/default/deployments');
    expect(objectPath(byKind('Node'), '', 'n', 'status')).toBe('/api/v1/nodes/n/status');
  });
});

describe('request paths', () => {
  test.each([
    ['/api/v1/pods', ['', 'v1', 'pods', '', '', '', '']],
    ['/api/v1/namespaces/default/pods', ['', 'v1', 'pods', 'default', '', '', '']],
    ['/api/v1/namespaces/default/pods/web', ['', 'v1', 'pods', 'default', 'web', '', '']],
    ['/api/v1/namespaces/default/pods/web/exec', ['', 'v1', 'pods', 'default', 'web', 'exec', '']],
    ['/api/v1/namespaces/default/pods/web/proxy/a/b', ['', 'v1', 'pods', 'default', 'web', 'proxy', 'a/b']],
    ['/api/v1/namespaces', ['', 'v1', 'namespaces', '', '', '', '']],
    ['/api/v1/namespaces/default', ['', 'v1', 'namespaces', 'default', 'default', '', '']],
    ['/api/v1/namespaces/default/finalize', ['', 'v1', 'namespaces', 'default', 'default', 'finalize', '']],
    ['/apis/apps/v1/namespaces/x/deployments/web/scale', ['apps', 'v1', 'deployments', 'x', 'web', 'scale', '']],
    ['/apis/storage.k8s.io/v1/storageclasses/s', ['storage.k8s.io', 'v1', 'storageclasses', '', 's', '', '']],
  ])('%s', (path, [group, version, resource, namespace, name, subresource, rest]) => {
    expect(parsePath(path)).toEqual({ group, version, resource, namespace, name, subresource, rest });
  });
  test.each(['/', '/api', '/api/v1', '/apis', '/apis/apps', '/apis/apps/v1', '/healthz', '/version'])('%s is no resource', (path) => {
    expect(parsePath(path)).toBeUndefined();
  });
});
