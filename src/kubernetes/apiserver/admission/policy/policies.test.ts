/** Admission policies in CEL: matching, variables, parameters, and everything a failed expression can lead to. */
import { describe, expect, it } from 'vitest';
import { ms } from '../../../../sim/clock.ts';
import { deployment, type Loose, type TestServer, withApiServer } from '../../testing.test-support.ts';

const CONFIG = '/apis/admissionregistration.k8s.io/v1';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const RULE = { operations: ['CREATE', 'UPDATE'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] };

const policy = (spec: object): object => ({ metadata: { name: 'p' }, spec: { matchConstraints: { resourceRules: [RULE] }, ...spec } });
const binding = (spec: object = {}): object => ({ metadata: { name: 'b' }, spec: { policyName: 'p', validationActions: ['Deny'], ...spec } });

async function withPolicy(spec: object, bound: object | undefined, story: (server: TestServer) => Promise<void>): Promise<void> {
  await withApiServer(async (server) => {
    for (const [kind, object] of [
      ['validatingadmissionpolicies', policy(spec)],
      ['validatingadmissionpolicybindings', binding(bound)],
    ] as const) {
      const made = await server.post(`${CONFIG}/${kind}`, object);
      expect(made.status, made.body.message).toBe(201);
    }
    await server.sleep(ms(10));
    await story(server);
  });
}
const WORDS = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ";

describe('ValidatingAdmissionPolicy', () => {
  const cases: readonly (readonly [string, object, object | undefined, number, string | undefined, string | undefined])[] = [
    ['lets pass what is fine', { validations: [{ expression: 'object.spec.replicas <= 5' }] }, undefined, 201, undefined, undefined],
    [
      'names the expression',
      { validations: [{ expression: ' object.spec.replicas <= 1 ' }] },
      undefined,
      422,
      'Invalid',
      'failed expression: object.spec.replicas <= 1',
    ],
    ['says the message', { validations: [{ expression: 'object.spec.replicas <= 1', message: 'at most one' }] }, undefined, 422, 'Invalid', 'at most one'],
    [
      'computes the message',
      { validations: [{ expression: 'false', message: 'no', messageExpression: "'has ' + string(object.spec.replicas)" }] },
      undefined,
      422,
      'Invalid',
      'has 2',
    ],
    [
      'falls back when it cannot',
      { validations: [{ expression: 'false', message: 'no', messageExpression: 'object.spec.missing' }] },
      undefined,
      422,
      'Invalid',
      'no',
    ],
    ['gives a reason', { validations: [{ expression: 'false', reason: 'Forbidden' }] }, undefined, 403, 'Forbidden', 'failed expression: false'],
    [
      'fails closed',
      { validations: [{ expression: 'object.spec.missing == 1' }] },
      undefined,
      422,
      'Invalid',
      "expression 'object.spec.missing == 1' resulted in error: no such key: missing",
    ],
    ['or open', { failurePolicy: 'Ignore', validations: [{ expression: 'object.spec.missing == 1' }] }, undefined, 201, undefined, undefined],
    [
      'has variables',
      {
        variables: [
          { name: 'n', expression: 'object.spec.replicas' },
          { name: 'twice', expression: 'variables.n * 2' },
        ],
        validations: [{ expression: 'variables.twice < 4', messageExpression: 'string(variables.twice)' }],
      },
      undefined,
      422,
      'Invalid',
      '4',
    ],
    [
      'has conditions',
      { matchConditions: [{ name: 'c', expression: "object.metadata.name != 'web'" }], validations: [{ expression: 'false' }] },
      undefined,
      201,
      undefined,
      undefined,
    ],
    [
      'is bound to a place',
      { validations: [{ expression: 'false' }] },
      { matchResources: { namespaceSelector: { matchLabels: { env: 'prod' } } } },
      201,
      undefined,
      undefined,
    ],
    [
      'and leaves some out',
      { matchConstraints: { resourceRules: [RULE], excludeResourceRules: [{ ...RULE, resourceNames: ['web'] }] }, validations: [{ expression: 'false' }] },
      undefined,
      201,
      undefined,
      undefined,
    ],
    [
      'sees the request, the namespace and rights',
      {
        validations: [
          {
            expression:
              "request.operation == 'CREATE' && oldObject == null && namespaceObject.metadata.name == 'default' && authorizer.group('apps').resource('deployments').namespace('default').check('delete').allowed() && false",
          },
        ],
      },
      undefined,
      422,
      'Invalid',
      undefined,
    ],
  ];
  it.each(cases)('%s', (_, spec, bound, code, reason, why) =>
    withPolicy(spec, bound, async (server) => {
      const { status, body } = await server.post(DEPLOYMENTS, deployment('web'));
      expect([status, body.status === 'Failure' ? body.reason : undefined]).toEqual([code, reason]);
      if (why === undefined) return;
      expect(body.message).toBe(`deployments.apps "web" is forbidden: ${WORDS}${why}`);
      expect(body.details.causes).toEqual([{ message: WORDS + why }]);
    }),
  );

  it('warns instead', () =>
    withPolicy({ validations: [{ expression: 'false', message: 'tut' }] }, { validationActions: ['Warn', 'Audit'] }, async (server) => {
      const { status, headers } = await server.post(DEPLOYMENTS, deployment('web'));
      expect([status, headers['warning']]).toEqual([201, `299 - "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': tut"`]);
    }));

  describe('parameters', () => {
    const spec = {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      validations: [{ expression: 'object.spec.replicas <= int(params.data.most)', messageExpression: "'at most ' + params.data.most" }],
    };
    const answer = async (server: TestServer): Promise<Loose> => (await server.post(DEPLOYMENTS, deployment('web'))).body;
    const most = (server: TestServer, name: string, value: string, labels = {}) =>
      server.post('/api/v1/namespaces/default/configmaps', { metadata: { name, labels }, data: { most: value } });

    it('by name', () =>
      withPolicy(spec, { paramRef: { name: 'limits', parameterNotFoundAction: 'Deny' } }, async (server) => {
        expect((await answer(server)).message).toBe(
          `deployments.apps "web" is forbidden: ${WORDS}failed to configure binding: no params found for policy binding with \`Deny\` parameterNotFoundAction`,
        );
        await most(server, 'limits', '1');
        await server.sleep(ms(10));
        expect((await answer(server)).message).toBe(`deployments.apps "web" is forbidden: ${WORDS}at most 1`);
      }));

    it('by label, each on its own', () =>
      withPolicy(spec, { paramRef: { selector: { matchLabels: { limits: 'yes' } }, parameterNotFoundAction: 'Allow' } }, async (server) => {
        expect((await answer(server)).kind).toBe('Deployment');
        await server.delete(`${DEPLOYMENTS}/web`);
        await most(server, 'a', '9', { limits: 'yes' });
        await most(server, 'b', '1', { limits: 'yes' });
        await most(server, 'c', '0');
        await server.sleep(ms(10));
        expect((await answer(server)).message).toBe(`deployments.apps "web" is forbidden: ${WORDS}at most 1`);
      }));

    it('of a kind there is not', () =>
      withPolicy(
        { ...spec, paramKind: { apiVersion: 'x.io/v1', kind: 'Limit' } },
        { paramRef: { name: 'a', parameterNotFoundAction: 'Allow' } },
        async (server) => {
          expect((await answer(server)).message).toContain('failed to configure binding: paramKind kind `x.io/v1, Kind=Limit` not known');
        },
      ));
  });
});

describe('policies that cannot work', () => {
  const cases: readonly (readonly [string, object, string])[] = [
    ['no resource', { matchConstraints: {}, validations: [{ expression: 'true' }] }, 'spec.matchConstraints.resourceRules: Required value'],
    [
      'nothing to do',
      {},
      '[spec.validations: Required value: validations or auditAnnotations must contain at least one item, spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item]',
    ],
    [
      'a bad variable',
      { variables: [{ name: '1a', expression: '1' }], validations: [{ expression: 'true' }] },
      'spec.variables[0].name: Invalid value: "1a": name is not a valid CEL identifier',
    ],
    ['no boolean', { validations: [{ expression: '1' }] }, 'spec.validations[0].expression: Invalid value: "1": must evaluate to bool'],
    [
      'a reason',
      { validations: [{ expression: 'true', reason: 'Whim' }] },
      'spec.validations[0].reason: Unsupported value: "Whim": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"',
    ],
  ];
  it.each(cases)('%s', (_, spec, why) =>
    withApiServer(async (server) => {
      const { status, body } = await server.post(`${CONFIG}/validatingadmissionpolicies`, policy(spec));
      expect([status, body.message]).toEqual([422, `ValidatingAdmissionPolicy.admissionregistration.k8s.io "p" is invalid: ${why}`]);
    }).then(() => {}),
  );
  it('bindings', () =>
    withApiServer(async (server) => {
      const { body } = await server.post(
        `${CONFIG}/validatingadmissionpolicybindings`,
        binding({ policyName: '', validationActions: ['Deny', 'Warn'], paramRef: {} }),
      );
      expect(body.message).toBe(
        'ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io "b" is invalid: [spec.policyName: Required value, spec.paramRef: Required value: one of name or selector must be specified, spec.paramRef.parameterNotFoundAction: Required value, spec.validationActions: Invalid value: ["Deny","Warn"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)]',
      );
    }).then(() => {}));
});

describe('type checking', () => {
  it('leaves warnings in the status', () =>
    withPolicy(
      {
        matchConstraints: { resourceRules: [RULE] },
        validations: [
          { expression: 'object.replicas > 1' },
          { expression: 'object.spec.replicas > 1', messageExpression: "'few: ' + object.spec.replicas" },
          { expression: 'object.metadata.labels["a"] == "b"' },
        ],
      },
      undefined,
      async (server) => {
        const { body } = await server.get(`${CONFIG}/validatingadmissionpolicies/p`);
        expect(body.status.observedGeneration).toBe(1);
        expect(body.status.typeChecking.expressionWarnings).toEqual([
          {
            fieldRef: 'spec.validations[0].expression',
            warning: "apps/v1, Kind=Deployment: ERROR: <input>:1:7: undefined field 'replicas'\n | object.replicas > 1\n | ......^",
          },
          {
            fieldRef: 'spec.validations[1].messageExpression',
            warning: expect.stringContaining("found no matching overload for '_+_' applied to '(string, int)'"),
          },
        ]);
      },
    ));
  it('has nothing to say of a good one, or of wildcards', () =>
    withPolicy(
      { matchConstraints: { resourceRules: [{ ...RULE, resources: ['*'] }] }, validations: [{ expression: 'object.anything == 1' }] },
      undefined,
      async (server) => {
        expect((await server.get(`${CONFIG}/validatingadmissionpolicies/p`)).body.status).toEqual({ observedGeneration: 1, typeChecking: {} });
      },
    ));
});
