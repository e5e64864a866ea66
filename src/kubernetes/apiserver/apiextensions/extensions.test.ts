/** Custom kinds from outside: what a client of the API sees of a definition and of its objects. */
import { expect, test } from 'vitest';
import { seconds } from '../../../sim/clock.ts';
import { type Loose, type TestServer, withApiServer } from '../testing.test-support.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const WIDGETS = '/apis/example.com/v1/namespaces/default/widgets';

const SPEC: Loose = {
  type: 'object',
  required: ['size'],
  properties: {
    size: { type: 'integer', minimum: 1, maximum: 10 },
    color: { type: 'string', enum: ['red', 'blue'], default: 'red' },
    name: { type: 'string', minLength: 2, maxLength: 5, pattern: '^[a-z]+$' },
    replicas: { type: 'integer' },
    port: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
    tags: { type: 'array', maxItems: 2, 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    ports: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: {
        type: 'object',
        required: ['name'],
        properties: {
          name: { type: 'string' },
          number: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self >= oldSelf', message: 'a port only grows' }] },
        },
      },
    },
    extra: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    maybe: { type: 'string', nullable: true },
    when: { type: 'string', format: 'date-time' },
    choice: {
      type: 'object',
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
      properties: { a: { type: 'string' }, b: { type: 'string' } },
    },
  },
  'x-kubernetes-validations': [
    { rule: '!has(self.name) || self.name != "bad"', messageExpression: '"name " + self.name + " is bad"', fieldPath: '.name' },
    { rule: 'self.size <= 9 || self.color == "blue"', message: 'only blue ones are large', reason: 'FieldValueForbidden' },
    { rule: 'self.color == oldSelf.color', message: 'color is immutable' },
  ],
};

const definition = (change: Loose = {}, version: Loose = {}): Loose => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', singular: 'widget', kind: 'Widget', shortNames: ['wd'], categories: ['all'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: JSON.parse(JSON.stringify(SPEC)),
              status: { type: 'object', properties: { ready: { type: 'integer' }, selector: { type: 'string' } } },
            },
          },
        },
        subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.ready', labelSelectorPath: '.status.selector' } },
        additionalPrinterColumns: [
          { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
          { name: 'Color', type: 'string', jsonPath: '.spec.color', priority: 1 },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
        selectableFields: [{ jsonPath: '.spec.color' }],
        ...version,
      },
    ],
    ...change,
  },
});
const widget = (spec: Loose = { size: 3 }, name = 'w'): Loose => ({ apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name }, spec });

async function served(server: TestServer, body: Loose = definition()): Promise<void> {
  const { status, body: answer } = await server.post(CRDS, body);
  expect(answer.message ?? status).toBe(201);
  for (let i = 0; i < 20; i++) {
    const { body: now } = await server.get(`${CRDS}/${body.metadata.name}`);
    if (now.status.conditions?.some((each: Loose) => each.type === 'Established' && each.status === 'True')) {
      // What etcd has, the server's own watch hears of a moment later.
      await server.sleep(seconds(0.01));
      return;
    }
    await server.sleep(seconds(0.1));
  }
  throw new Error('never established');
}

test('a definition is accepted, established and served', async () => {
  await withApiServer(async (server) => {
    await served(server);
    const { body } = await server.get(`${CRDS}/widgets.example.com`);
    expect(body.metadata.generation).toBe(1);
    expect(body.spec.names.listKind).toBe('WidgetList');
    expect(body.spec.conversion).toEqual({ strategy: 'None' });
    expect(body.status).toMatchObject({
      acceptedNames: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList', shortNames: ['wd'], categories: ['all'] },
      storedVersions: ['v1'],
      conditions: [
        { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' },
        { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' },
      ],
    });
    const list = await server.get('/apis/example.com/v1');
    expect(list.body.resources.map((each: Loose) => [each.name, each.kind, each.shortNames, each.verbs.length])).toEqual([
      ['widgets', 'Widget', ['wd'], 8],
      ['widgets/scale', 'Scale', undefined, 3],
      ['widgets/status', 'Widget', undefined, 3],
    ]);
    const groups = await server.get('/apis', { headers: { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json' } });
    expect(groups.body.items.at(-1).metadata.name).toBe('example.com');
    expect((await server.get('/openapi/v3')).body.paths['apis/example.com/v1'].serverRelativeURL).toMatch(/^\/openapi\/v3\/apis\/example.com\/v1\?hash=/);
    const document = await server.get('/openapi/v3/apis/example.com/v1');
    expect(document.body.components.schemas['com.example.v1.Widget'].properties.spec.properties.size).toEqual({ type: 'integer', minimum: 1, maximum: 10 });
  });
});

test('objects are written, read, watched, patched, printed and deleted', async () => {
  await withApiServer(async (server) => {
    await served(server);
    const watch = await server.watch(`${WIDGETS}?watch=true&resourceVersion=0`);
    const made = await server.post(
      WIDGETS,
      { ...widget({ size: 3, unknown: 1, extra: { any: [1, { x: 2 }] }, maybe: null, name: null }), status: { ready: 9 } },
      { headers: {} },
    );
    expect(made.status).toBe(201);
    expect(made.body.spec).toEqual({ size: 3, color: 'red', extra: { any: [1, { x: 2 }] }, maybe: null });
    expect(made.body.status).toBeUndefined();
    expect(made.body.metadata).toMatchObject({ generation: 1, namespace: 'default' });
    expect(made.headers['warning']).toBe('299 - "unknown field \\"spec.unknown\\""');
    const table = await server.get(WIDGETS, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } });
    expect(table.body.columnDefinitions.map((each: Loose) => [each.name, each.type, each.priority])).toEqual([
      ['Name', 'string', 0],
      ['Size', 'integer', 0],
      ['Color', 'string', 1],
      ['Age', 'date', 0],
    ]);
    expect(table.body.rows[0].cells).toEqual(['w', 3, 'red', '0s']);
    expect((await server.get(WIDGETS)).body).toMatchObject({ kind: 'WidgetList', apiVersion: 'example.com/v1', items: [{ kind: 'Widget' }] });
    const patched = await server.patch(`${WIDGETS}/w`, { spec: { size: 4 } }, 'merge');
    expect(patched.body).toMatchObject({ spec: { size: 4, color: 'red' }, metadata: { generation: 2 } });
    expect((await server.patch(`${WIDGETS}/w`, { spec: { size: 4 } })).body.message).toBe(
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
    );
    const status = await server.patch(`${WIDGETS}/w/status`, { status: { ready: 2 }, spec: { size: 9 } }, 'merge');
    expect(status.body).toMatchObject({ spec: { size: 4 }, status: { ready: 2 }, metadata: { generation: 2 } });
    expect((await server.patch(`${WIDGETS}/w/status`, { status: { ready: 'x' } }, 'merge')).body.message).toContain(
      'status.ready in body must be of type integer: "string"',
    );
    await server.patch(`${WIDGETS}/w`, { spec: { replicas: 1 } }, 'merge');
    const scale = await server.put(`${WIDGETS}/w/scale`, {
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name: 'w', namespace: 'default' },
      spec: { replicas: 5 },
    });
    expect(scale.body).toMatchObject({ kind: 'Scale', spec: { replicas: 5 }, status: { replicas: 2 } });
    expect((await server.get(`${WIDGETS}/w`)).body).toMatchObject({ spec: { replicas: 5 }, metadata: { generation: 4 } });
    expect((await server.get(`${WIDGETS}?fieldSelector=spec.color%3Dred`)).body.items).toHaveLength(1);
    expect((await server.get(`${WIDGETS}?fieldSelector=spec.color%3Dblue`)).body.items).toHaveLength(0);
    expect((await server.get(`${WIDGETS}?fieldSelector=spec.size%3D4`)).body.message).toBe('field label not supported: spec.size');
    expect((await server.delete(`${WIDGETS}/w`)).body).toMatchObject({ status: 'Success', details: { kind: 'widgets', group: 'example.com' } });
    await server.sleep(seconds(0.1));
    expect(watch.texts()).toEqual(['ADDED w', 'MODIFIED w', 'MODIFIED w', 'MODIFIED w', 'MODIFIED w', 'DELETED w']);
    const strict = await server.post(`${WIDGETS}?fieldValidation=Strict`, widget({ size: 3, foo: 1 }));
    expect(strict.body.message).toBe('Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.foo"');
  });
});

test.each<[Loose, string]>([
  [{ size: 0 }, 'spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1'],
  [{ size: 11, color: 'blue' }, 'spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10'],
  [{ size: 1, color: 'green' }, 'spec.color: Unsupported value: "green": supported values: "red", "blue"'],
  [{ size: 1, name: 'a' }, 'spec.name: Invalid value: "a": spec.name in body should be at least 2 chars long'],
  [{ size: 1, name: 'A1' }, 'spec.name: Invalid value: "A1": spec.name in body should match \'^[a-z]+$\''],
  [{ size: 1, tags: ['a', 'a'] }, 'spec.tags[1]: Duplicate value: "a"'],
  [{ size: 1, ports: [{ name: 'a' }, { name: 'a' }] }, 'spec.ports[1]: Duplicate value: {"name":"a"}'],
  [{ size: 10 }, 'spec: Forbidden: only blue ones are large'],
  [{ size: 1, name: 'bad' }, 'spec.name: Invalid value: "object": name bad is bad'],
])('%j is refused: %s', async (spec, expected) => {
  await withApiServer(async (server) => {
    await served(server);
    const { status, body } = await server.post(WIDGETS, widget(spec));
    expect(body.message).toBe(`Widget.example.com "w" is invalid: ${expected}`);
    expect(status).toBe(422);
  });
});

const UNCHECKED =
  '<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';
test.each<[Loose, string]>([
  [{}, 'spec.size: Required value'],
  [{ size: 'x' }, 'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"'],
  [{ size: 1.5 }, 'spec.size: Invalid value: "number": spec.size in body must be of type integer: "number"'],
  [{ size: 1, name: 'abcdef' }, 'spec.name: Too long: may not be more than 5 bytes'],
  [{ size: 1, tags: ['a', 'b', 'c'] }, 'spec.tags: Too many: 3: must have at most 2 items'],
  [{ size: 1, port: true }, 'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"'],
  [{ size: 1, when: 'today' }, 'spec.when: Invalid value: "today": spec.when in body must be of type date-time: "today"'],
  [{ size: 1, labels: { a: 1 } }, 'spec.labels.a: Invalid value: "integer": spec.labels.a in body must be of type string: "integer"'],
  [
    { size: 1, choice: {} },
    '<nil>: Invalid value: "": "spec.choice" must validate one and only one schema (oneOf). Found none valid, spec.choice.a: Required value',
  ],
])('%j is refused before rules run: %s', async (spec, expected) => {
  await withApiServer(async (server) => {
    await served(server);
    const { body } = await server.post(WIDGETS, widget(spec));
    expect(body.message).toBe(`Widget.example.com "w" is invalid: [${expected}, ${UNCHECKED}]`);
  });
});

test('transition rules see what was; what was wrong before may stay', async () => {
  await withApiServer(async (server) => {
    await served(server);
    await server.post(
      WIDGETS,
      widget({
        size: 3,
        ports: [
          { name: 'a', number: 5 },
          { name: 'b', number: 7 },
        ],
      }),
    );
    const color = await server.patch(`${WIDGETS}/w`, { spec: { color: 'blue' } }, 'merge');
    expect(color.body.message).toBe('Widget.example.com "w" is invalid: spec: Invalid value: "object": color is immutable');
    // Items of a map list find their former selves by key, wherever they stand.
    const ports = await server.patch(
      `${WIDGETS}/w`,
      {
        spec: {
          ports: [
            { name: 'b', number: 6 },
            { name: 'a', number: 6 },
          ],
        },
      },
      'merge',
    );
    expect(ports.body.message).toBe('Widget.example.com "w" is invalid: spec.ports[0].number: Invalid value: "integer": a port only grows');
    // The schema gets stricter: an unchanged value stays, a changed one is judged.
    const stricter = definition();
    stricter.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.size.minimum = 5;
    const { body: now } = await server.get(`${CRDS}/widgets.example.com`);
    expect((await server.put(`${CRDS}/widgets.example.com`, { ...stricter, metadata: now.metadata })).status).toBe(200);
    await server.sleep(seconds(0.1));
    expect((await server.patch(`${WIDGETS}/w`, { metadata: { labels: { a: 'b' } } }, 'merge')).status).toBe(200);
    expect((await server.patch(`${WIDGETS}/w`, { spec: { size: 4 } }, 'merge')).body.message).toContain('should be greater than or equal to 5');
  });
});

const node = (schema: Loose): Loose =>
  definition(
    {},
    {
      schema: { openAPIV3Schema: { type: 'object', properties: { spec: schema } } },
      subresources: undefined,
      additionalPrinterColumns: undefined,
      selectableFields: undefined,
    },
  );
const SCHEMA = 'spec.validation.openAPIV3Schema';
test.each<[string, Loose, string]>([
  [
    'name',
    { ...definition(), metadata: { name: 'foos.example.com' } },
    'metadata.name: Invalid value: "foos.example.com": must be spec.names.plural+"."+spec.group',
  ],
  ['storage', definition({}, { storage: false }), 'must have exactly one version marked as storage version'],
  ['scope', definition({ scope: 'Global' }), 'spec.scope: Unsupported value: "Global": supported values: "Cluster", "Namespaced"'],
  [
    'schema',
    definition({}, { schema: undefined, subresources: undefined, selectableFields: undefined }),
    'spec.versions[0].schema.openAPIV3Schema: Required value',
  ],
  [
    'structure',
    node({ properties: { a: { type: 'string' } } }),
    `${SCHEMA}.properties[spec].type: Required value: must not be empty for specified object fields`,
  ],
  ['items', node({ type: 'array' }), `${SCHEMA}.properties[spec].items: Required value: must be specified`],
  [
    'junctor',
    node({ type: 'object', anyOf: [{ properties: { a: { minLength: 1 } } }] }),
    `${SCHEMA}.properties[spec].properties[a]: Required value: because it is defined in ${SCHEMA}.properties[spec].anyOf[0].properties[a]`,
  ],
  [
    'junctor type',
    node({ type: 'string', anyOf: [{ type: 'string' }] }),
    `${SCHEMA}.properties[spec].anyOf[0].type: Forbidden: must be empty to be structural`,
  ],
  [
    'map keys',
    node({ type: 'array', 'x-kubernetes-list-type': 'map', items: { type: 'object' } }),
    `${SCHEMA}.properties[spec].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map`,
  ],
  [
    'default',
    node({ type: 'object', properties: { a: { type: 'integer', default: 'x' } } }),
    `${SCHEMA}.properties[spec].properties[a].default in body must be of type integer: "string"`,
  ],
  [
    'pattern',
    node({ type: 'string', pattern: 'a(' }),
    `${SCHEMA}.properties[spec].pattern: Invalid value: "a(": must be a valid regular expression, but isn't: error parsing regexp: missing closing ): \`a(\``,
  ],
  [
    'unique',
    node({ type: 'array', uniqueItems: true, items: { type: 'string' } }),
    `${SCHEMA}.properties[spec].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
  ],
  [
    'rule',
    node({ type: 'object', properties: { a: { type: 'integer' } }, 'x-kubernetes-validations': [{ rule: 'self.b > 1' }] }),
    "compilation failed: ERROR: <input>:1:5: undefined field 'b'\n | self.b > 1\n | ....^",
  ],
  [
    'rule type',
    node({ type: 'object', properties: { a: { type: 'integer' } }, 'x-kubernetes-validations': [{ rule: 'self.a' }] }),
    'cel expression must evaluate to a bool',
  ],
  [
    'oldSelf',
    node({ type: 'array', items: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self > oldSelf' }] } }),
    `oldSelf cannot be used on the uncorrelatable portion of the schema within ${SCHEMA}.properties[spec]`,
  ],
  [
    'group',
    { ...definition({ group: 'x.k8s.io' }), metadata: { name: 'widgets.x.k8s.io' } },
    'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
  ],
])('a definition is refused: %s', async (_, body, expected) => {
  await withApiServer(async (server) => {
    const { status, body: answer } = await server.post(CRDS, body);
    expect(answer.message).toContain(expected);
    expect(status).toBe(422);
  });
});

test('names that are taken are refused until they are free', async () => {
  await withApiServer(async (server) => {
    await served(server);
    const other = definition({ names: { plural: 'gadgets', kind: 'Gadget', shortNames: ['wd'] } });
    other.metadata.name = 'gadgets.example.com';
    await server.post(CRDS, other);
    await server.sleep(seconds(0.2));
    const { body } = await server.get(`${CRDS}/gadgets.example.com`);
    expect(body.status.conditions).toMatchObject([
      { type: 'NamesAccepted', status: 'False', reason: 'ShortNamesConflict', message: '"wd" is already in use' },
      { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' },
    ]);
    expect((await server.get('/apis/example.com/v1/gadgets')).status).toBe(404);
    await server.delete(`${CRDS}/widgets.example.com`);
    await server.sleep(seconds(1));
    expect((await server.get('/apis/example.com/v1/gadgets')).status).toBe(200);
  });
});

test('a deleted definition takes its objects along, and waits for those that have finalizers', async () => {
  await withApiServer(async (server) => {
    await served(server);
    await server.post(WIDGETS, widget());
    await server.post(WIDGETS, { ...widget({ size: 1 }, 'held'), metadata: { name: 'held', finalizers: ['example.com/hold'] } });
    const deleted = await server.delete(`${CRDS}/widgets.example.com`);
    expect(deleted.body.metadata.finalizers).toEqual(['customresourcecleanup.apiextensions.k8s.io']);
    await server.sleep(seconds(0.5));
    expect((await server.get(WIDGETS)).body.items.map((each: Loose) => each.metadata.name)).toEqual(['held']);
    expect((await server.get(`${CRDS}/widgets.example.com`)).body.status.conditions.at(-1)).toMatchObject({
      type: 'Terminating',
      status: 'True',
      reason: 'InstanceDeletionInProgress',
    });
    expect((await server.post(WIDGETS, widget({ size: 1 }, 'late'))).body.message).toBe('create not allowed while custom resource definition is terminating');
    await server.patch(`${WIDGETS}/held`, { metadata: { finalizers: null } }, 'merge');
    await server.sleep(seconds(6));
    expect((await server.get(`${CRDS}/widgets.example.com`)).status).toBe(404);
    expect((await server.get(WIDGETS)).status).toBe(404);
    expect((await server.get('/apis/example.com/v1')).status).toBe(404);
  });
});

test('a restarted server serves what it finds', async () => {
  const { store } = await withApiServer(async (server) => {
    await served(server);
    await server.post(WIDGETS, widget());
  });
  await withApiServer(
    async (server) => {
      expect((await server.get(`${WIDGETS}/w`)).body.spec.size).toBe(3);
    },
    { store, seed: 2 },
  );
});

test('versions that differ in schema alone are shown each in its own', async () => {
  await withApiServer(async (server) => {
    const body = definition();
    const [v1] = body.spec.versions;
    body.spec.versions.push({
      ...v1,
      name: 'v1alpha1',
      storage: false,
      deprecated: true,
      subresources: undefined,
      additionalPrinterColumns: undefined,
      selectableFields: undefined,
      schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } } } },
    });
    await served(server, body);
    await server.post(WIDGETS, widget());
    const old = await server.get('/apis/example.com/v1alpha1/namespaces/default/widgets/w');
    expect(old.body).toMatchObject({ apiVersion: 'example.com/v1alpha1', spec: { size: 3 } });
    expect(old.body.spec.color).toBeUndefined();
    expect(old.headers['warning']).toBe('299 - "example.com/v1alpha1 Widget is deprecated; use example.com/v1 Widget"');
    expect((await server.get('/apis/example.com')).body.preferredVersion.version).toBe('v1');
  });
});

test('a webhook converts between versions', async () => {
  const asked: string[] = [];
  await withApiServer(
    async (server) => {
      await server.post('/api/v1/namespaces/default/services', {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'conv' },
        spec: { ports: [{ port: 443 }] },
      });
      const body = definition({
        conversion: {
          strategy: 'Webhook',
          webhook: { clientConfig: { service: { namespace: 'default', name: 'conv', path: '/convert' } }, conversionReviewVersions: ['v1'] },
        },
      });
      const [v1] = body.spec.versions;
      const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { length: { type: 'integer' } } } } } };
      body.spec.versions.push({ name: 'v2', served: true, storage: false, schema });
      body.spec.versions[0] = { ...v1 };
      await served(server, body);
      const V2 = '/apis/example.com/v2/namespaces/default/widgets';
      expect((await server.post(V2, { ...widget({ length: 3 }), apiVersion: 'example.com/v2' })).body).toMatchObject({
        apiVersion: 'example.com/v2',
        spec: { length: 3 },
      });
      expect((await server.get(`${WIDGETS}/w`)).body).toMatchObject({ apiVersion: 'example.com/v1', spec: { size: 3, color: 'red' } });
      expect((await server.get(V2)).body.items[0]).toMatchObject({ apiVersion: 'example.com/v2', spec: { length: 3 } });
      expect((await server.patch(`${V2}/w`, { spec: { length: 4 } }, 'merge')).body.spec).toEqual({ length: 4 });
      expect((await server.get(`${WIDGETS}/w`)).body.spec.size).toBe(4);
      const watch = await server.watch(`${V2}?watch=true&resourceVersion=0`);
      await server.sleep(seconds(0.1));
      expect(watch.events.map(({ object }) => object.spec)).toEqual([{ length: 4 }]);
      await server.delete('/api/v1/namespaces/default/services/conv');
      expect((await server.get(`${V2}/w`)).body.message).toBe(
        'conversion webhook for example.com/v1, Kind=Widget failed: Post "https://conv.default.svc:443/convert?timeout=30s": service "conv" not found',
      );
      expect(asked[0]).toMatch(/^10\.\d+\.\d+\.\d+:443 conv\.default\.svc:443 \/convert\?timeout=30s example\.com\/v[12]$/);
    },
    {
      dialService: async ({ ip, port, host, path, body }) => {
        const { request } = JSON.parse(body ?? '');
        asked.push(`${ip}:${port} ${host} ${path} ${request.desiredAPIVersion}`);
        const convertedObjects = request.objects.map((object: Loose) => {
          const size = object.spec.size ?? object.spec.length;
          return { ...object, apiVersion: request.desiredAPIVersion, spec: request.desiredAPIVersion.endsWith('v1') ? { size } : { length: size } };
        });
        return {
          status: 200,
          headers: {},
          body: JSON.stringify({
            kind: 'ConversionReview',
            apiVersion: 'apiextensions.k8s.io/v1',
            response: { uid: request.uid, convertedObjects, result: { status: 'Success' } },
          }),
        };
      },
    },
  );
});
