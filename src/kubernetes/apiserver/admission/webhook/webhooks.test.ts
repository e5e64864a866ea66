/** Webhooks: who is asked, what they may change, and what happens when they do not answer. */
import { describe, expect, it } from 'vitest';
import { ms, seconds } from '../../../../sim/clock.ts';
import type { ApiServerOptions } from '../../apiserver.ts';
import { deployment, type Loose, pod, type TestServer, withApiServer } from '../../testing.test-support.ts';

const NS = '/api/v1/namespaces/default';
const CONFIG = '/apis/admissionregistration.k8s.io/v1';
const RULE = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['configmaps'] };

type Review = { kind: string; apiVersion: string; request: Loose };
type Hook = (review: Review) => object | string;

const allow = ({ request, apiVersion, kind }: Review, more: object = {}): object => ({
  kind,
  apiVersion,
  response: { uid: request.uid, allowed: true, ...more },
});
const deny = ({ request, apiVersion, kind }: Review, status?: object): object => ({
  kind,
  apiVersion,
  response: { uid: request.uid, allowed: false, ...(status ? { status } : {}) },
});
const patch = (operations: object[]) => ({ patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(operations)).toString('base64') });

/** Programs behind the Service `hook`, by path; what they were asked is kept. */
function world(hooks: Record<string, Hook>): { asked: Review[]; options: Partial<ApiServerOptions> } {
  const asked: Review[] = [];
  return {
    asked,
    options: {
      dialService: async ({ path, body }) => {
        const name = path.split('?')[0]!.slice(1);
        const hook = hooks[name];
        if (!hook) throw new Error('dial tcp 10.96.0.20:443: connect: connection refused');
        const review = JSON.parse(body ?? '') as Review;
        asked.push(review);
        const answer = hook(review);
        return typeof answer === 'string' ? { status: 500, headers: {}, body: answer } : { status: 200, headers: {}, body: JSON.stringify(answer) };
      },
    },
  };
}

const webhook = (path: string, more: object = {}): object => ({
  name: `${path}.example.com`,
  clientConfig: { service: { namespace: 'default', name: 'hook', path: `/${path}` } },
  rules: [RULE],
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  ...more,
});

async function withHooks(
  hooks: Record<string, Hook>,
  configured: { validating?: object[]; mutating?: object[] },
  story: (server: TestServer, asked: Review[]) => Promise<void>,
): Promise<void> {
  const { asked, options } = world(hooks);
  await withApiServer(async (server) => {
    await server.post(`${NS}/serviceaccounts`, { metadata: { name: 'default' } });
    await server.post(`${NS}/services`, { metadata: { name: 'hook' }, spec: { selector: { app: 'hook' }, ports: [{ port: 443 }] } });
    for (const [kind, webhooks] of Object.entries(configured)) {
      const made = await server.post(`${CONFIG}/${kind}webhookconfigurations`, { metadata: { name: kind }, webhooks });
      expect(made.status, made.body.message).toBe(201);
    }
    await server.sleep(ms(10));
    await story(server, asked);
  }, options);
}
const cm = (name = 'x', more: object = {}): object => ({ metadata: { name }, data: { z: '0' }, ...more });

describe('validating', () => {
  it('is told what is written, by whom and how', () =>
    withHooks({ ok: (review) => allow(review, { warnings: ['mind the gap'] }) }, { validating: [webhook('ok')] }, async (server, asked) => {
      const made = await server.post(`${NS}/configmaps?fieldManager=me`, cm());
      expect([made.status, made.headers['warning']]).toEqual([201, '299 - "mind the gap"']);
      const { kind, apiVersion, request } = asked[0]!;
      const { uid, object, ...rest } = request;
      expect([kind, apiVersion, uid.length, object.metadata.name, object.kind]).toEqual(['AdmissionReview', 'admission.k8s.io/v1', 36, 'x', 'ConfigMap']);
      expect(rest).toEqual({
        kind: { group: '', version: 'v1', kind: 'ConfigMap' },
        resource: { group: '', version: 'v1', resource: 'configmaps' },
        requestKind: { group: '', version: 'v1', kind: 'ConfigMap' },
        requestResource: { group: '', version: 'v1', resource: 'configmaps' },
        name: 'x',
        namespace: 'default',
        operation: 'CREATE',
        userInfo: expect.objectContaining({ username: 'kubernetes-admin' }),
        dryRun: false,
        options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'me' },
        oldObject: null,
      });
      await server.delete(`${NS}/configmaps/x`);
      expect([asked[1]!.request.operation, asked[1]!.request.object, asked[1]!.request.oldObject.metadata.name]).toEqual(['DELETE', null, 'x']);
    }));

  const refusals: readonly (readonly [string, object | undefined, number, string])[] = [
    ['with a message', { code: 403, message: 'not on a Friday' }, 403, 'denied the request: not on a Friday'],
    ['with a reason', { reason: 'Because' }, 400, 'denied the request: Because'],
    ['with nothing', undefined, 400, 'denied the request without explanation'],
  ];
  it.each(refusals)('refuses %s', (_, status, code, words) =>
    withHooks({ no: (review) => deny(review, status) }, { validating: [webhook('no')] }, async (server, asked) => {
      for (const [verb, run] of [
        ['create', () => server.post(`${NS}/configmaps`, cm())],
        ['again', () => server.post(`${NS}/configmaps`, cm())],
      ] as const) {
        const answer = await run();
        expect([verb, answer.status, answer.body.message]).toEqual([verb, code, `admission webhook "no.example.com" ${words}`]);
      }
      expect(asked).toHaveLength(2);
    }),
  );

  it('asks only once about a delete it refuses', () =>
    withHooks(
      { no: (review) => (review.request.operation === 'DELETE' ? deny(review) : allow(review)) },
      { validating: [webhook('no')] },
      async (server, asked) => {
        await server.post(`${NS}/configmaps`, cm());
        await server.sleep(ms(10));
        expect((await server.delete(`${NS}/configmaps/x`)).status).toBe(400);
        expect(asked.map(({ request }) => request.operation)).toEqual(['CREATE', 'DELETE']);
      },
    ));

  const failures: readonly (readonly [string, Hook | undefined, string])[] = [
    [
      'nobody listens',
      undefined,
      'failed to call webhook: Post "https://hook.default.svc:443/h?timeout=10s": dial tcp 10.96.0.20:443: connect: connection refused',
    ],
    ['an error', () => 'boom', 'failed to call webhook: an error on the server ("boom") has prevented the request from succeeding'],
    ['no response', ({ kind, apiVersion }) => ({ kind, apiVersion }), 'received invalid webhook response: webhook response was absent'],
    [
      'somebody else’s answer',
      (review) => ({ ...allow(review), response: { uid: 'other', allowed: true } }),
      'received invalid webhook response: expected response.uid="UID", got "other"',
    ],
    [
      'another version',
      (review) => ({ ...allow(review), apiVersion: 'admission.k8s.io/v1beta1' }),
      'received invalid webhook response: expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got admission.k8s.io/v1beta1, Kind=AdmissionReview',
    ],
    ['a patch', (review) => allow(review, patch([])), 'received invalid webhook response: validating webhook may not return response.patch'],
  ];
  it.each(failures)('%s: fails closed, and open when told so', (_, hook, why) =>
    withHooks(hook ? { h: hook } : {}, { validating: [webhook('h')] }, async (server) => {
      const { status, body } = await server.post(`${NS}/configmaps`, cm());
      expect([status, body.reason, body.message.replace(/uid="[0-9a-f-]{36}"/, 'uid="UID"')]).toEqual([
        500,
        'InternalError',
        `Internal error occurred: failed calling webhook "h.example.com": ${why}`,
      ]);
      await server.patch(
        `${CONFIG}/validatingwebhookconfigurations/validating`,
        [{ op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Ignore' }],
        'json',
      );
      await server.sleep(ms(10));
      expect((await server.post(`${NS}/configmaps`, cm())).status).toBe(201);
    }),
  );

  it('gives up on one that is silent', async () => {
    await withApiServer(
      async (server) => {
        await server.post(`${NS}/services`, { metadata: { name: 'hook' }, spec: { selector: { app: 'hook' }, ports: [{ port: 443 }] } });
        await server.post(`${CONFIG}/validatingwebhookconfigurations`, { metadata: { name: 'v' }, webhooks: [webhook('h', { timeoutSeconds: 2 })] });
        await server.sleep(ms(10));
        const began = server.self.clock.now();
        const { body } = await server.post(`${NS}/configmaps`, cm());
        expect(body.message).toBe(
          'Internal error occurred: failed calling webhook "h.example.com": failed to call webhook: Post "https://hook.default.svc:443/h?timeout=2s": context deadline exceeded',
        );
        expect(Math.round((server.self.clock.now() - began) / seconds(1))).toBe(2);
      },
      { dialService: () => new Promise(() => {}) },
    );
  });

  it('is asked only about what it wants', () =>
    withHooks(
      { h: (review) => allow(review) },
      {
        validating: [
          webhook('h', {
            rules: [{ ...RULE, operations: ['CREATE'], scope: 'Namespaced' }],
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } },
            objectSelector: { matchLabels: { look: 'here' } },
            matchConditions: [
              { name: 'not-mine', expression: "request.userInfo.username != 'me'" },
              { name: 'some', expression: 'size(object.data) > 0' },
            ],
          }),
        ],
      },
      async (server, asked) => {
        const look = (name: string, data: object): object => ({ metadata: { name, labels: { look: 'here' } }, data });
        await server.post('/api/v1/namespaces', { metadata: { name: 'other' } });
        await server.post(`${NS}/configmaps`, cm('unlabelled', { data: { a: 'b' } }));
        await server.post(`${NS}/configmaps`, look('empty', {}));
        await server.post('/api/v1/namespaces/other/configmaps', look('elsewhere', { a: 'b' }));
        await server.post(`${NS}/secrets`, look('secret', {}));
        await server.post(`${NS}/configmaps`, look('mine', { a: 'b' }), { certificate: { commonName: 'me', organizations: ['system:masters'] } });
        expect(asked).toEqual([]);
        await server.post(`${NS}/configmaps`, look('yes', { a: 'b' }));
        await server.patch(`${NS}/configmaps/yes`, { data: { c: 'd' } });
        expect(asked.map(({ request }) => request.name)).toEqual(['yes']);
      },
    ));

  it('refuses what its conditions cannot be told of', () =>
    withHooks(
      { h: (review) => allow(review) },
      { validating: [webhook('h', { matchConditions: [{ name: 'odd', expression: 'object.data.missing == "1"' }] })] },
      async (server, asked) => {
        const { status, body } = await server.post(`${NS}/configmaps`, cm());
        expect([status, body.message]).toEqual([
          403,
          'configmaps "x" is forbidden: expression \'object.data.missing == "1"\' resulted in error: no such key: missing',
        ]);
        expect(asked).toEqual([]);
      },
    ));

  it('is not asked about dry runs when it does something', () =>
    withHooks({ h: (review) => allow(review) }, { validating: [webhook('h', { sideEffects: 'NoneOnDryRun' })] }, async (server, asked) => {
      expect((await server.post(`${NS}/configmaps?dryRun=All`, cm())).status).toBe(201);
      expect([asked[0]!.request.dryRun, asked[0]!.request.options.dryRun]).toEqual([true, ['All']]);
    }));
});

describe('mutating', () => {
  it('changes objects by JSON patch, one after the other', () =>
    withHooks(
      {
        a: (review) => allow(review, patch([{ op: 'add', path: '/data/a', value: 'ä' }])),
        b: (review) => allow(review, patch([{ op: 'add', path: '/data/b', value: Object.keys(review.request.object.data).join() }])),
        no: (review) => (review.request.object.data.b === 'z,a' ? deny(review, { message: 'b saw a' }) : allow(review)),
      },
      { mutating: [webhook('a'), webhook('b')], validating: [webhook('no', { failurePolicy: 'Ignore' })] },
      async (server) => {
        const { body } = await server.post(`${NS}/configmaps`, cm());
        expect(body.message).toBe('admission webhook "no.example.com" denied the request: b saw a');
        await server.delete(`${CONFIG}/validatingwebhookconfigurations/validating`);
        await server.sleep(ms(10));
        expect((await server.post(`${NS}/configmaps`, cm())).body.data).toEqual({ z: '0', a: 'ä', b: 'z,a' });
      },
    ));

  it('gets defaults and validation afterwards', () =>
    withHooks(
      {
        pods: (review) =>
          allow(
            review,
            patch([{ op: 'add', path: '/spec/initContainers', value: [{ name: 'added', image: review.request.namespace === 'default' ? 'busybox' : '' }] }]),
          ),
      },
      { mutating: [webhook('pods', { rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }] })] },
      async (server) => {
        const { body } = await server.post(`${NS}/pods`, pod('x'));
        expect(body.spec.initContainers[0]).toMatchObject({ name: 'added', imagePullPolicy: 'Always', terminationMessagePath: '/dev/termination-log' });
        // ServiceAccount and the like had another look: the new container has its token too.
        expect(body.spec.initContainers[0].volumeMounts[0].mountPath).toBe('/var/run/secrets/kubernetes.io/serviceaccount');
      },
    ));

  it('asks again those who want to know', () => {
    const seen: string[] = [];
    const note =
      (name: string, field: string): Hook =>
      (review) => {
        seen.push(name);
        return allow(review, review.request.object.data[field] ? {} : patch([{ op: 'add', path: `/data/${field}`, value: '1' }]));
      };
    return withHooks(
      { first: note('first', 'a'), never: note('never', 'n'), last: note('last', 'b') },
      { mutating: [webhook('first', { reinvocationPolicy: 'IfNeeded' }), webhook('never'), webhook('last', { reinvocationPolicy: 'IfNeeded' })] },
      async (server) => {
        expect((await server.post(`${NS}/configmaps`, cm())).body.data).toEqual({ z: '0', a: '1', n: '1', b: '1' });
        expect(seen).toEqual(['first', 'never', 'last', 'first']);
      },
    );
  });

  it('writes a Scale', () =>
    withHooks(
      { cap: (review) => allow(review, review.request.object.spec.replicas > 3 ? patch([{ op: 'replace', path: '/spec/replicas', value: 3 }]) : {}) },
      { mutating: [webhook('cap', { rules: [{ operations: ['UPDATE'], apiGroups: ['apps'], apiVersions: ['*'], resources: ['deployments/scale'] }] })] },
      async (server, asked) => {
        const at = '/apis/apps/v1/namespaces/default/deployments';
        await server.post(at, deployment('web'));
        await server.sleep(ms(10));
        const { body } = await server.patch(`${at}/web/scale`, { spec: { replicas: 9 } }, 'merge');
        expect([body.spec.replicas, asked[0]!.request.kind, asked[0]!.request.subResource]).toEqual([
          3,
          { group: 'autoscaling', version: 'v1', kind: 'Scale' },
          'scale',
        ]);
      },
    ));

  const wrong: readonly (readonly [string, object, string])[] = [
    [
      'no patch type',
      { patch: 'W10=' },
      'failed calling webhook "h.example.com": received invalid webhook response: webhook returned response.patch but not response.patchType',
    ],
    [
      'no patch',
      { patchType: 'JSONPatch' },
      'failed calling webhook "h.example.com": received invalid webhook response: webhook returned response.patchType but not response.patch',
    ],
    [
      'a patch that does not fit',
      patch([{ op: 'remove', path: '/data/none' }]),
      'remove operation does not apply: doc is missing path: /data/none: missing value',
    ],
  ];
  it.each(wrong)('refuses %s', (_, more, why) =>
    withHooks({ h: (review) => allow(review, more) }, { mutating: [webhook('h')] }, async (server) => {
      const { status, body } = await server.post(`${NS}/configmaps`, cm());
      expect([status, body.message]).toEqual([500, `Internal error occurred: ${why}`]);
    }),
  );
});

describe('configurations', () => {
  const made = (server: TestServer, more: object) =>
    server.post(`${CONFIG}/validatingwebhookconfigurations`, { metadata: { name: 'v' }, webhooks: [webhook('h', more)] });
  const cases: readonly (readonly [string, object, string])[] = [
    ['a short name', { name: 'h' }, 'webhooks[0].name: Invalid value: "h": should be a domain with at least three segments separated by dots'],
    ['nowhere to go', { clientConfig: {} }, 'webhooks[0].clientConfig: Required value: exactly one of url or service is required'],
    [
      'a URL without TLS',
      { clientConfig: { url: 'http://a.b' } },
      'webhooks[0].clientConfig.url: Invalid value: "http": \'https\' is the only allowed URL scheme; desired format: https://host[/path]',
    ],
    ['side effects', { sideEffects: 'Some' }, 'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"'],
    ['a long time', { timeoutSeconds: 31 }, 'webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds'],
    [
      'an operation',
      { rules: [{ ...RULE, operations: ['READ'] }] },
      'webhooks[0].rules[0].operations[0]: Unsupported value: "READ": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"',
    ],
    ['no versions', { admissionReviewVersions: [] }, 'webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1'],
    [
      'a resource beside all',
      { rules: [{ ...RULE, resources: ['*', 'pods'] }] },
      'webhooks[0].rules[0].resources: Invalid value: ["*","pods"]: if \'*\' is present, must not specify other resources without subresources',
    ],
  ];
  it.each(cases)('refuses %s', (_, more, why) =>
    withApiServer(async (server) => {
      const { status, body } = await made(server, more);
      expect([status, body.message]).toEqual([422, `ValidatingWebhookConfiguration.admissionregistration.k8s.io "v" is invalid: ${why}`]);
    }).then(() => {}),
  );

  it('refuses an expression that does not compile', () =>
    withApiServer(async (server) => {
      const { status, body } = await made(server, { matchConditions: [{ name: 'c', expression: 'nothing == 1' }] });
      expect(status).toBe(422);
      expect(body.message).toContain(
        'webhooks[0].matchConditions[0].expression: Invalid value: "nothing == 1": compilation failed: ERROR: <input>:1:1: undeclared reference to \'nothing\'',
      );
    }).then(() => {}));

  it('get defaults, and are never subject to webhooks', () =>
    withHooks({ no: (review) => deny(review) }, { validating: [webhook('no', { rules: [{ ...RULE, resources: ['*/*'] }] })] }, async (server, asked) => {
      const { body } = await server.get(`${CONFIG}/validatingwebhookconfigurations/validating`);
      expect(body.webhooks[0]).toMatchObject({
        failurePolicy: 'Fail',
        matchPolicy: 'Equivalent',
        namespaceSelector: {},
        objectSelector: {},
        timeoutSeconds: 10,
      });
      expect(body.webhooks[0].clientConfig.service.port).toBe(443);
      expect(body.metadata.generation).toBe(1);
      expect((await server.delete(`${CONFIG}/validatingwebhookconfigurations/validating`)).status).toBe(200);
      expect(asked).toEqual([]);
    }));
});

describe('what is no write', () => {
  const rule = (resources: string[], operations = ['CONNECT', 'CREATE', 'UPDATE', 'DELETE']): object => ({
    operations,
    apiGroups: [''],
    apiVersions: ['v1'],
    resources,
  });
  it('exec, eviction and binding are told of, once', () =>
    withHooks(
      { h: (review) => (review.request.operation === 'CONNECT' ? deny(review, { message: 'hands off' }) : allow(review, { warnings: ['seen'] })) },
      { validating: [webhook('h', { rules: [rule(['pods/exec', 'pods/eviction', 'pods/binding', 'pods'])] })] },
      async (server, asked) => {
        await server.post(`${NS}/pods`, pod('x'));
        const refused = await server.get(`${NS}/pods/x/exec?command=ls&container=c&stdout=true`);
        expect([refused.status, refused.body.message]).toEqual([400, 'admission webhook "h.example.com" denied the request: hands off']);
        await server.post(`${NS}/pods/x/binding`, { metadata: { name: 'x' }, target: { kind: 'Node', name: 'node-1' } });
        await server.post(`${NS}/pods/x/eviction`, { metadata: { name: 'x' } });
        expect(asked.map(({ request }) => [request.operation, request.subResource ?? '', request.kind.kind])).toEqual([
          ['CREATE', '', 'Pod'],
          ['CONNECT', 'exec', 'PodExecOptions'],
          ['CREATE', 'binding', 'Binding'],
          ['CREATE', 'eviction', 'Eviction'],
        ]);
        expect(asked[1]!.request.object).toMatchObject({ command: ['ls'], container: 'c', stdout: true });
      },
    ));

  it('warnings reach those who are refused', () =>
    withHooks({ w: (review) => deny(review, { message: 'no' }) }, { validating: [webhook('w')] }, async (server) => {
      await server.post('/api/v1/namespaces', { metadata: { name: 'z' } });
      const { headers } = await server.post(`${NS}/configmaps?fieldValidation=Warn`, { ...(cm() as object), nonsense: 1 });
      expect(headers['warning']).toBe('299 - "unknown field \\"nonsense\\""');
    }));
});

describe('kinds of their own', () => {
  it('custom resources are changed, pruned and judged like others', () =>
    withHooks(
      {
        paint: (review) =>
          allow(
            review,
            patch([
              { op: 'add', path: '/spec/color', value: review.request.object.spec.size > 5 ? 7 : 'red' },
              { op: 'add', path: '/spec/nonsense', value: 1 },
            ]),
          ),
      },
      { mutating: [webhook('paint', { rules: [{ operations: ['CREATE'], apiGroups: ['x.io'], apiVersions: ['v1'], resources: ['widgets'] }] })] },
      async (server, asked) => {
        await server.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
          metadata: { name: 'widgets.x.io' },
          spec: {
            group: 'x.io',
            scope: 'Namespaced',
            names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
            versions: [
              {
                name: 'v1',
                served: true,
                storage: true,
                schema: {
                  openAPIV3Schema: {
                    type: 'object',
                    properties: { spec: { type: 'object', properties: { size: { type: 'integer' }, color: { type: 'string' } } } },
                  },
                },
              },
            ],
          },
        });
        await server.sleep(seconds(10));
        const at = '/apis/x.io/v1/namespaces/default/widgets';
        const widget = (name: string, size: number): object => ({ apiVersion: 'x.io/v1', kind: 'Widget', metadata: { name }, spec: { size } });
        expect((await server.post(at, widget('a', 1))).body.spec).toEqual({ size: 1, color: 'red' });
        expect(asked[0]!.request.resource).toEqual({ group: 'x.io', version: 'v1', resource: 'widgets' });
        const { status, body } = await server.post(at, widget('b', 9));
        expect([status, body.message]).toEqual([422, expect.stringContaining('spec.color: Invalid value: "integer"')]);
      },
    ));

  it('a component’s own request is judged too, once a webhook had its hands on it', () =>
    withHooks(
      { spoil: (review) => allow(review, patch([{ op: 'add', path: '/metadata/labels', value: { a: 'not a label!' } }])) },
      { mutating: [webhook('spoil')] },
      async (server) => {
        const { status, body } = await server.post(
          `${NS}/configmaps`,
          { ...(cm() as object), apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'default' } },
          { typed: true },
        );
        expect([status, body.message]).toEqual([422, expect.stringContaining('metadata.labels: Invalid value: "not a label!"')]);
      },
    ));
});
