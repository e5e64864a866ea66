/** MutatingAdmissionPolicy: configurations applied and JSON patches, made by expressions. */
import { describe, expect, test } from 'vitest';
import { deployment, type Loose, type TestServer, withApiServer } from '../../testing.test-support.ts';

const GROUP = '/apis/admissionregistration.k8s.io/v1alpha1';
const CONFIG = '/api/v1/namespaces/default/configmaps';
const betas = new Set(['admissionregistration.k8s.io/v1alpha1']);
const story = async (run: (server: TestServer) => Promise<void>): Promise<void> => void (await withApiServer(run, { betas }));
const rule = (apiGroups: string[], resources: string[]) => ({ apiGroups, apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources });
const policy = (mutations: Loose[], more: Loose = {}) => ({
  metadata: { name: 'p' },
  spec: { matchConstraints: { resourceRules: [rule([''], ['configmaps'])] }, mutations, reinvocationPolicy: 'Never', ...more },
});
const applying = (expression: string) => ({ patchType: 'ApplyConfiguration', applyConfiguration: { expression } });
const patching = (expression: string) => ({ patchType: 'JSONPatch', jsonPatch: { expression } });

async function install(server: TestServer, made: Loose, binding: Loose = {}): Promise<void> {
  expect((await server.post(`${GROUP}/mutatingadmissionpolicies`, made)).body).toMatchObject({ kind: 'MutatingAdmissionPolicy' });
  const bound = { metadata: { name: `${made.metadata.name}-b` }, spec: { policyName: made.metadata.name, ...binding } };
  expect((await server.post(`${GROUP}/mutatingadmissionpolicybindings`, bound)).status).toBe(201);
}

describe('mutations', () => {
  test.each<[string, Loose[], Loose, Loose]>([
    [
      'a label by configuration',
      [applying("Object{metadata: Object.metadata{labels: {'a': 'b'}}}")],
      { x: '1' },
      { data: { x: '1' }, metadata: { labels: { a: 'b' } } },
    ],
    ['a value made of what is there', [applying("Object{data: {'y': object.data.x + '!'}}")], { x: '1' }, { data: { x: '1', y: '1!' } }],
    [
      'two, one after the other',
      [applying("Object{data: {'y': '2'}}"), applying("Object{data: {'z': object.data.y}}")],
      { x: '1' },
      { data: { x: '1', y: '2', z: '2' } },
    ],
    [
      'a JSON patch',
      [
        patching(
          "[JSONPatch{op: 'add', path: '/metadata/labels', value: {'x': 'y'}}, JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('e.com/a'), value: 'q'}]",
        ),
      ],
      { x: '1' },
      { metadata: { labels: { x: 'y', 'e.com/a': 'q' } } },
    ],
    [
      'a JSON patch or none',
      [patching("has(object.data.skip) ? [] : [JSONPatch{op: 'remove', path: '/data/x'}]")],
      { skip: 'y', x: '1' },
      { data: { skip: 'y', x: '1' } },
    ],
  ])('%s', (_, mutations, data, expected) =>
    story(async (server) => {
      await install(server, policy(mutations));
      const { status, body } = await server.post(CONFIG, { metadata: { name: 'a' }, data });
      expect([status, body]).toMatchObject([201, expected]);
    }),
  );
  test('items of a list are told apart by their keys, and variables are shared', () =>
    story(async (server) => {
      const made = policy(
        [
          applying(
            'Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers{name: "c", image: variables.image}]}}}}',
          ),
        ],
        {
          matchConstraints: { resourceRules: [rule(['apps'], ['deployments'])] },
          variables: [{ name: 'image', expression: "'mirror.example.com/' + object.spec.template.spec.containers[0].image" }],
          matchConditions: [{ name: 'far', expression: "!object.spec.template.spec.containers[0].image.startsWith('mirror')" }],
        },
      );
      await install(server, made);
      const { body } = await server.post('/apis/apps/v1/namespaces/default/deployments', deployment('web'));
      expect(body.spec.template.spec.containers).toHaveLength(1);
      expect(body.spec.template.spec.containers[0]).toMatchObject({ name: 'c', image: 'mirror.example.com/nginx:1.27' });
      const again = await server.patch('/apis/apps/v1/namespaces/default/deployments/web', { spec: { replicas: 3 } });
      expect(again.body.spec.template.spec.containers[0].image).toBe('mirror.example.com/nginx:1.27');
    }));
});

test.each<[string, Loose[], Loose, string]>([
  ['an expression that fails', [applying("Object{data: {'y': object.data.nope}}")], {}, 'no such key: nope'],
  ['what is no list of patches', [patching("'x'")], {}, 'JSONPatchType.expression should evaluate to array'],
  ['a patch that does not fit', [patching("[JSONPatch{op: 'remove', path: '/data/nope'}]")], {}, 'JSON Patch: '],
  ['a field there is not', [applying('Object{foo: 1}')], {}, 'unknown field "foo"'],
])('%s is refused, unless the policy may fail', (_, mutations, more, why) =>
  story(async (server) => {
    await install(server, policy(mutations, more));
    const refused = await server.post(CONFIG, { metadata: { name: 'a' }, data: { x: '1' } });
    expect([refused.status, refused.body.message]).toEqual([
      403,
      expect.stringContaining(`configmaps "a" is forbidden: policy 'p' with binding 'p-b' denied request: `),
    ]);
    expect(refused.body.message).toContain(why);
    await server.patch(`${GROUP}/mutatingadmissionpolicies/p`, { spec: { failurePolicy: 'Ignore' } }, 'merge');
    expect((await server.post(CONFIG, { metadata: { name: 'a' }, data: { x: '1' } })).status).toBe(201);
  }),
);

test.each<[Loose, string]>([
  [policy([]), 'spec.mutations: Required value: mutations must contain at least one item'],
  [policy([applying('object.x +')]), 'spec.mutations[0].applyConfiguration.expression: Invalid value: "object.x +": compilation failed: '],
  [
    policy([{ patchType: 'Foo', applyConfiguration: { expression: 'Object{}' } }]),
    'spec.mutations[0].patchType: Unsupported value: "Foo": supported values: "ApplyConfiguration", "JSONPatch"',
  ],
  [policy([applying('Object{}')], { reinvocationPolicy: undefined }), 'spec.reinvocationPolicy: Required value'],
  [policy([applying('Object{}')], { matchConstraints: undefined }), 'spec.matchConstraints: Required value'],
])('%j cannot be', (made, why) =>
  story(async (server) => {
    const { body } = await server.post(`${GROUP}/mutatingadmissionpolicies`, made);
    expect([body.code, body.message]).toEqual([422, expect.stringContaining(why)]);
  }),
);

test('is not there unless a flag asks for it', () =>
  withApiServer(async (server) => expect((await server.get(`${GROUP}/mutatingadmissionpolicies`)).status).toBe(404)).then(() => {}));
