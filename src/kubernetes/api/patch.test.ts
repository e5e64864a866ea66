import { describe, expect, test } from 'vitest';
import type { Json } from './json.ts';
import { applyJsonPatch } from './json-patch.ts';
import { childModel, mergeKeyOf } from './merge-keys.ts';
import { applyMergePatch, applyStrategicMergePatch } from './patch.ts';
import { modelOf, SCHEMA } from './schema.ts';

describe('JSON patch', () => {
  test('applies in order and leaves its argument alone', () => {
    const object = { a: { b: [1, 2] } };
    expect(
      applyJsonPatch(object, [
        { op: 'add', path: '/a/b/-', value: 3 },
        { op: 'remove', path: '/a/b/0' },
        { op: 'test', path: '/a/b/0', value: 2 },
      ]),
    ).toEqual({ a: { b: [2, 3] } });
    expect(object).toEqual({ a: { b: [1, 2] } });
  });
  test.each<[Json, string]>([
    [[{ op: 'remove', path: '/x/y' }], 'remove operation does not apply: doc is missing path: /x/y: missing value'],
    [[{ op: 'replace', path: '/x', value: 1 }], 'replace operation does not apply: doc is missing key: /x: missing value'],
    [[{ op: 'test', path: '/a', value: 2 }], 'testing value /a failed: test failed'],
    [{}, 'error decoding patch: json: cannot unmarshal object into Go value of type []interface {}'],
  ])('%j is refused', (patch, message) => {
    expect(() => applyJsonPatch({ a: 1 }, patch)).toThrow(message);
  });
});

describe('merge patch (the examples of RFC 7386)', () => {
  test.each<[Json, Json, Json]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j + %j', (target, patch, result) => {
    expect(applyMergePatch(target, patch)).toEqual(result);
  });
});

describe('strategic merge patch', () => {
  const web = { name: 'web', image: 'nginx:1', env: [{ name: 'A', value: '1' }], ports: [{ containerPort: 80 }] };
  const side = { name: 'side', image: 'busybox' };
  const pod = (spec: Json): Json => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec });
  const patched = (patch: Json, spec: Json = { containers: [web, side] }): Json =>
    (applyStrategicMergePatch('Pod', pod(spec), { spec: patch }) as { spec: Json }).spec;

  test('containers merge by name, their env by name', () => {
    expect(patched({ containers: [{ name: 'web', image: 'nginx:2', env: [{ name: 'B', value: '2' }] }] })).toEqual({
      containers: [
        {
          ...web,
          image: 'nginx:2',
          env: [
            { name: 'B', value: '2' },
            { name: 'A', value: '1' },
          ],
        },
        side,
      ],
    });
  });
  test('an untouched container is the same object', () => {
    const spec = patched({ containers: [{ name: 'web', image: 'nginx:2' }] }) as { containers: unknown[] };
    expect(spec.containers[1]).toBe(side);
  });
  test('a new container comes first, as the patch’s order counts, and one is deleted', () => {
    expect(
      patched({
        containers: [
          { name: 'new', image: 'x' },
          { $patch: 'delete', name: 'web' },
        ],
      }),
    ).toEqual({ containers: [{ name: 'new', image: 'x' }, side] });
  });
  test('$patch: replace takes the whole list', () => {
    expect(patched({ containers: [{ name: 'only', image: 'x' }, { $patch: 'replace' }] })).toEqual({ containers: [{ name: 'only', image: 'x' }] });
  });
  test('$patch: replace takes the whole map', () => {
    expect(patched({ securityContext: { $patch: 'replace', runAsUser: 1 } }, { securityContext: { fsGroup: 2 } })).toEqual({
      securityContext: { runAsUser: 1 },
    });
  });
  test('tolerations and args are atomic', () => {
    expect(patched({ tolerations: [{ key: 'b' }] }, { tolerations: [{ key: 'a' }] })).toEqual({ tolerations: [{ key: 'b' }] });
  });
  test('null deletes a field', () => {
    expect(patched({ nodeSelector: { a: null, c: '3' } }, { nodeSelector: { a: '1', b: '2' } })).toEqual({ nodeSelector: { b: '2', c: '3' } });
  });
  test('$retainKeys keeps only what it names', () => {
    expect(
      patched({ volumes: [{ name: 'v', $retainKeys: ['name', 'emptyDir'], emptyDir: {} }] }, { volumes: [{ name: 'v', hostPath: { path: '/x' } }] }),
    ).toEqual({
      volumes: [{ name: 'v', emptyDir: {} }],
    });
    expect(
      applyStrategicMergePatch(
        'Deployment',
        { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } },
        { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
      ),
    ).toEqual({ spec: { strategy: { type: 'Recreate' } } });
  });
  test('finalizers are a set with deletion', () => {
    const object = { metadata: { finalizers: ['a', 'b'] } };
    expect(applyStrategicMergePatch('Pod', object, { metadata: { finalizers: ['b', 'c'] } })).toEqual({ metadata: { finalizers: ['a', 'b', 'c'] } });
    expect(applyStrategicMergePatch('Pod', object, { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } })).toEqual({
      metadata: { finalizers: ['b'] },
    });
  });
  test('$setElementOrder orders what the patch names; the server’s own items keep their place', () => {
    expect(
      patched(
        { '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }], containers: [{ name: 'c', image: 'c' }] },
        { containers: [{ name: 'a' }, { name: 'injected' }, { name: 'b' }] },
      ),
    ).toEqual({ containers: [{ name: 'c', image: 'c' }, { name: 'a' }, { name: 'injected' }, { name: 'b' }] });
  });
  test('a list item without its merge key is refused', () => {
    expect(() => patched({ containers: [{ image: 'x' }] })).toThrow('map: {"image":"x"} does not contain declared merge key: name');
  });
  test('service ports merge by port, conditions by type', () => {
    expect(
      applyStrategicMergePatch('Service', { spec: { ports: [{ port: 80, name: 'a' }] } }, { spec: { ports: [{ port: 80, nodePort: 30000 }, { port: 81 }] } }),
    ).toEqual({
      spec: { ports: [{ port: 80, name: 'a', nodePort: 30000 }, { port: 81 }] },
    });
    expect(
      applyStrategicMergePatch(
        'Node',
        { status: { conditions: [{ type: 'Ready', status: 'True' }] } },
        { status: { conditions: [{ type: 'Ready', status: 'False' }] } },
      ),
    ).toEqual({
      status: { conditions: [{ type: 'Ready', status: 'False' }] },
    });
  });
});

test('the way to every list that merges by key is known, as the whole schema has it', () => {
  const merges = new Set<string>();
  const leadsOn = (model: string): boolean =>
    Object.entries(SCHEMA[model]?.fields ?? {}).some(([field, type]) => mergeKeyOf(model, field) !== undefined || merges.has(modelOf(type) ?? ''));
  for (let before = -1; before !== merges.size; ) {
    before = merges.size;
    for (const model of Object.keys(SCHEMA)) if (leadsOn(model)) merges.add(model);
  }
  expect(merges.size).toBeGreaterThan(50);
  for (const [model, shape] of Object.entries(SCHEMA))
    for (const [field, type] of Object.entries(shape?.fields ?? {})) {
      const inner = modelOf(type);
      if (inner !== undefined && merges.has(inner)) expect(childModel(model, field)).toBe(inner);
    }
});
