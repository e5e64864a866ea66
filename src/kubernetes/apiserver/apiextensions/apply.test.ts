/** Server-side apply of custom objects: lists merge as their schema says. */
import { expect, test } from 'vitest';
import { seconds } from '../../../sim/clock.ts';
import { type Loose, withApiServer } from '../testing.test-support.ts';

const definition: Loose = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gates.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Cluster',
    names: { plural: 'gates', kind: 'Gate' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: {
                  ports: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['name'],
                    items: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, number: { type: 'integer' } } },
                  },
                  tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
                  words: { type: 'array', items: { type: 'string' } },
                },
              },
            },
          },
        },
      },
    ],
  },
};

test('maps, sets and atomic lists of two managers', async () => {
  await withApiServer(async (server) => {
    await server.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
    await server.sleep(seconds(0.1));
    const apply = (manager: string, spec: Loose) =>
      server.call(
        'PATCH',
        `/apis/example.com/v1/gates/g?fieldManager=${manager}`,
        JSON.stringify({ apiVersion: 'example.com/v1', kind: 'Gate', metadata: { name: 'g' }, spec }),
        {
          headers: { 'content-type': 'application/apply-patch+yaml' },
        },
      );
    expect((await apply('a', { ports: [{ name: 'x', number: 1 }], tags: ['one'], words: ['w'] })).status).toBe(201);
    const { body } = await apply('b', { ports: [{ name: 'y', number: 2 }], tags: ['two'] });
    expect(body.spec).toEqual({
      ports: [
        { name: 'x', number: 1 },
        { name: 'y', number: 2 },
      ],
      tags: ['one', 'two'],
      words: ['w'],
    });
    const conflict = await apply('b', { ports: [{ name: 'x', number: 9 }], words: ['v'] });
    expect(conflict.status).toBe(409);
    expect(conflict.body.message).toBe('Apply failed with 2 conflicts: conflicts with "a":\n- .spec.ports[name="x"].number\n- .spec.words');
    const bad = await apply('c', { ports: [{ name: 'z', number: 'many' }] });
    expect(bad.status).toBeGreaterThanOrEqual(400);
  });
});
