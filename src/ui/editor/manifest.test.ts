import { expect, test } from 'vitest';
import type { Json } from '../../kubernetes/api/json.ts';
import { applyStrategicMergePatch } from '../../kubernetes/api/patch.ts';
import { SAMPLES } from '../../kubernetes/api/samples.ts';
import { LAST_APPLIED, threeWayPatch } from '../../kubernetes/api/three-way.ts';
import { type Answer, applyAll, type Send } from './apply.ts';
import { EXAMPLES } from './examples.ts';
import { editable, type Manifest, type Problem, Reader } from './manifest.ts';
import { fieldsInMessage, lineOf, parseField } from './place.ts';

const DEPLOYMENT = `# a comment
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app.kubernetes.io/name: web
spec:
  replicas: 3
  selector:
    matchLabels: { app: web }
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: nginx
        image: nginx
      - name: side
        image: ''
        ports:
        - containerPort: 80
          protocol: HTTP
        resources:
          limits:
            memory: lots
`;

test.each([
  ['spec.replicas', 9],
  ['spec.template.spec.containers[1].image', 21],
  ['spec.template.spec.containers[1].ports[0].protocol', 24],
  ['spec.template.spec.containers[1].resources.limits[memory]', 27],
  ['spec.template.spec.containers[0].ports', 18],
  ['spec.template.spec.containers[7].name', 17],
  ['metadata.labels[app.kubernetes.io/name]', 7],
  ['metadata.labels.app.kubernetes.io/name', 7],
  ['metadata.annotations', 4],
  ['spec.selector.matchLabels.app', 11],
  ['nowhere', 2],
  ['', 2],
])('the field %s stands on line %i', (field, line) => {
  expect(lineOf(DEPLOYMENT, field)).toBe(line);
});

test('field paths and the fields that messages name', () => {
  expect(parseField('spec.containers[0].env["a.b"].name')).toEqual(['spec', 'containers', 0, 'env', 'a.b', 'name']);
  expect(fieldsInMessage('strict decoding error: unknown field "spec.replica", unknown field "spec.template.spec.containers[0].imag"')).toEqual([
    'spec.replica',
    'spec.template.spec.containers[0].imag',
  ]);
  expect(
    fieldsInMessage(
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ),
  ).toEqual(['spec.replicas']);
});

const read = (text: string) => {
  const reader = new Reader();
  const all = [...reader.read(text)];
  return {
    reader,
    manifests: all.flatMap((one): Manifest[] => ('manifest' in one ? [one.manifest] : [])),
    problems: all.flatMap((one): Problem[] => ('problem' in one ? [one.problem] : [])),
  };
};

test('documents keep their lines, their namespaces and their paths', () => {
  const { manifests, problems } = read(
    `# top\n---\n# two\n\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: a, namespace: shop }\n---\n\n--- # empty\n---\napiVersion: v1\nkind: Node\nmetadata:\n  name: n 1\n`,
  );
  expect(problems).toEqual([]);
  expect(manifests.map(({ line, title, path }) => [line, title, path])).toEqual([
    [5, 'ConfigMap/a', '/api/v1/namespaces/shop/configmaps/a'],
    [12, 'Node/n 1', '/api/v1/nodes/n%201'],
  ]);
});

test.each([
  ['a: b: c', 1, 'yaml: mapping values are not allowed in this context'],
  ['apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n---\napiVersion: v1\n\tkind: Pod\n', 7, 'yaml: line 7: found character that cannot start any token'],
  ['apiVersion: v1\nkind: Pood\nmetadata: { name: x }', 2, 'no matches for kind "Pood" in version "v1"'],
  ['apiVersion: v1\nkind: Pod\nmetadata:\n  labels: {}\n', 3, 'resource name may not be empty'],
  ['- a\n- b', 1, 'A manifest must be a mapping with apiVersion, kind and metadata.'],
  ['metadata:\n  name: x', 1, "Object 'Kind' is missing."],
])('%j is answered on line %i', (text, line, message) => {
  expect(read(text).problems.map((one) => [one.line, one.message])).toEqual([[line, message]]);
});

test('a binary text and an unfinished one are problems, not exceptions', () => {
  for (const text of ['\u0000\u0001\u0002PNG', '{', '"', 'a: *b', '%', '&']) expect(read(text).problems.length, JSON.stringify(text)).toBeGreaterThan(0);
});

test('the items of a List are objects of their own', () => {
  const { manifests, reader } = read(
    'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: a\n- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: b\n',
  );
  expect(manifests.map(({ title, line }) => [title, line])).toEqual([
    ['ConfigMap/a', 4],
    ['ConfigMap/b', 8],
  ]);
  expect(reader.lineOfField(1, 'metadata.name')).toBe(11);
});

test('the body carries what kubectl would write down', () => {
  const { manifests } = read('apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: "1"\n');
  expect(JSON.parse(manifests[0]!.body).metadata.annotations[LAST_APPLIED]).toBe(
    '{"apiVersion":"v1","data":{"x":"1"},"kind":"ConfigMap","metadata":{"annotations":{},"name":"a","namespace":"default"}}\n',
  );
});

test('a patch changes what the manifest says, deletes what it no longer says, and leaves alone what others added', () => {
  const original: Json = {
    spec: {
      replicas: 3,
      paused: true,
      template: {
        spec: {
          containers: [
            { name: 'a', image: 'x:1' },
            { name: 'b', image: 'b' },
          ],
        },
      },
    },
  };
  const modified: Json = {
    spec: {
      replicas: 5,
      template: {
        spec: {
          containers: [
            { name: 'a', image: 'x:2' },
            { name: 'c', image: 'c' },
          ],
        },
      },
    },
  };
  const current: Json = {
    spec: {
      replicas: 3,
      paused: true,
      revisionHistoryLimit: 10,
      template: {
        spec: {
          dnsPolicy: 'ClusterFirst',
          containers: [
            { name: 'a', image: 'x:1', imagePullPolicy: 'Always' },
            { name: 'b', image: 'b' },
          ],
        },
      },
    },
    status: { replicas: 3 },
  };
  const patch = threeWayPatch('Deployment', original, modified, current);
  expect(patch).toEqual({
    spec: {
      replicas: 5,
      paused: null,
      template: {
        spec: {
          containers: [
            { $patch: 'delete', name: 'b' },
            { name: 'a', image: 'x:2' },
            { name: 'c', image: 'c' },
          ],
          '$setElementOrder/containers': [{ name: 'a' }, { name: 'c' }],
        },
      },
    },
  });
  expect(applyStrategicMergePatch('Deployment', current, patch)).toEqual({
    spec: {
      replicas: 5,
      revisionHistoryLimit: 10,
      template: {
        spec: {
          dnsPolicy: 'ClusterFirst',
          containers: [
            { name: 'a', image: 'x:2', imagePullPolicy: 'Always' },
            { name: 'c', image: 'c' },
          ],
        },
      },
    },
    status: { replicas: 3 },
  });
  expect(threeWayPatch('Deployment', modified, modified, applyStrategicMergePatch('Deployment', current, patch) as typeof modified)).toEqual({});
});

test('a strategy changed to Recreate loses its rollingUpdate', () => {
  const current: Json = { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } };
  const patch = threeWayPatch('Deployment', undefined, { spec: { strategy: { type: 'Recreate' } } }, current);
  expect(applyStrategicMergePatch('Deployment', current, patch)).toEqual({ spec: { strategy: { type: 'Recreate' } } });
});

/** A little API: takes everything but what `refuse` says. */
function api(refuse: (url: string, body: string) => Answer | undefined = () => undefined) {
  const objects = new Map<string, string>();
  const log: string[] = [];
  const send: Send = async ({ method, url, body = '' }) => {
    const [path = '', query = ''] = url.split('?');
    const dry = query.includes('dryRun=All');
    if (method !== 'GET') log.push(`${method} ${path}${dry ? ' dry' : ''}`);
    const answer = (status: number, value: unknown): Answer => ({ status, headers: {}, text: JSON.stringify(value) });
    if (method === 'GET')
      return objects.has(path)
        ? { status: 200, headers: {}, text: objects.get(path)! }
        : answer(404, { kind: 'Status', reason: 'NotFound', message: 'not found' });
    const no = refuse(path, body);
    if (no) return no;
    if (method === 'POST') {
      const key = `${path}/${JSON.parse(body).metadata.name}`;
      if (!dry) objects.set(key, body);
      return answer(201, JSON.parse(body));
    }
    const merged = { ...(applyStrategicMergePatch('Pod', JSON.parse(objects.get(path)!), JSON.parse(body)) as object), changed: true };
    if (!dry) objects.set(path, JSON.stringify(merged));
    return answer(200, { ...merged, metadata: { resourceVersion: '2' } });
  };
  return { objects, log, send };
}
const contentsOf = (reader: Reader) => ({
  patch: async (id: number, current: string) => reader.patch(id, current),
  lineOfField: async (id: number, field: string) => reader.lineOfField(id, field),
});
const apply = (text: string, server: ReturnType<typeof api>) => {
  const { reader, manifests } = read(text);
  return applyAll(
    manifests,
    server.send,
    contentsOf(reader),
    () => {},
    () => false,
  );
};
const cm = (name: string, value = '1') => `---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  x: "${value}"\n`;

test('all documents are rehearsed before any is applied; a second apply changes nothing', async () => {
  const server = api();
  const report = await apply(cm('a') + cm('b'), server);
  expect(report.results.map(({ what }) => what)).toEqual(['created', 'created']);
  const at = '/api/v1/namespaces/default/configmaps';
  expect(server.log).toEqual([`POST ${at} dry`, `POST ${at} dry`, `POST ${at}`, `POST ${at}`]);
  expect((await apply(cm('a') + cm('b', '2'), server)).results.map(({ what }) => what)).toEqual(['unchanged', 'configured']);
});

test('one refused document: nothing is applied, and its causes stand on their lines', async () => {
  const invalid = {
    kind: 'Status',
    code: 422,
    reason: 'Invalid',
    message: 'ConfigMap "b" is invalid: data[x]: Invalid value',
    details: { causes: [{ field: 'data[x]', message: 'Invalid value: "1"' }] },
  };
  const server = api((_, body) => (body.includes('"name":"b"') ? { status: 422, headers: {}, text: JSON.stringify(invalid) } : undefined));
  const report = await apply(cm('a') + cm('b') + cm('c'), server);
  expect(report.applied).toBe(false);
  expect(report.results.map(({ what, code, notes }) => [what, code, notes])).toEqual([
    ['not tried', undefined, []],
    ['refused', '422 Invalid', [{ line: 14, text: 'data[x]: Invalid value: "1"' }]],
    ['not tried', undefined, []],
  ]);
  expect(server.objects.size).toBe(0);
});

test('an answer that is not a Status is shown as it is', async () => {
  const server = api(() => ({ status: 413, headers: {}, text: 'Request entity too large: limit is 3145728' }));
  expect((await apply(cm('a'), server)).results[0]).toMatchObject({
    what: 'refused',
    code: '413',
    notes: [{ line: 2, text: 'Request entity too large: limit is 3145728' }],
  });
});

test('a thing in a namespace the same text creates passes the rehearsal', async () => {
  const server = api();
  let made = false;
  const send: Send = async (request) => {
    if (request.url.startsWith('/api/v1/namespaces?') && !request.url.includes('dryRun')) made = true;
    if (!made && request.url.includes('/namespaces/shop/configmaps?'))
      return { status: 404, headers: {}, text: '{"reason":"NotFound","message":"namespaces \\"shop\\" not found"}' };
    return server.send(request);
  };
  const { reader, manifests } = read(`apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n${cm('a').replace('name: a', 'name: a\n  namespace: shop')}`);
  const report = await applyAll(
    manifests,
    send,
    contentsOf(reader),
    () => {},
    () => false,
  );
  expect(report.results.map(({ what }) => what)).toEqual(['created', 'created']);
});

test('two thousand documents are read with their lines', () => {
  const { manifests } = read(Array.from({ length: 2_000 }, (_, i) => cm(`c-${i}`)).join(''));
  expect(manifests).toHaveLength(2_000);
  expect(manifests[1_999]!.line).toBe(1_999 * 7 + 2);
});

test('what is loaded to be edited is without what only the server writes', () => {
  expect(
    editable('apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  uid: u\n  resourceVersion: "1"\nspec:\n  nodeName: node-1\nstatus:\n  phase: Running\n'),
  ).toBe('apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  nodeName: node-1\n');
});

test('every file of the laptop’s examples is offered', () => {
  expect(EXAMPLES.map(({ file }) => file).sort()).toEqual(Object.keys(SAMPLES).sort());
});
