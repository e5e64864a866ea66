import { describe, expect, it } from 'vitest';
import { seconds } from '../../../sim/clock.ts';
import { jwkOf, signJwt } from '../../api/pki/jwt.ts';
import { keyOf } from '../../api/pki/keys.ts';
import { EPOCH_SECONDS } from '../../api/time.ts';
import { configurationOfFlags } from '../authentication/configuration.ts';
import { type TestServer, withApiServer } from '../testing.test-support.ts';
import type { ServiceRequest } from '../webhook-client.ts';
import { readAuthorizers } from './configuration.ts';
import { Delegation, type DelegationOptions } from './delegation.ts';
import { delegationOfFlags } from './from-flags.ts';

const KUBECONFIG = {
  'current-context': 'webhook',
  contexts: [{ name: 'webhook', context: { cluster: 'authz', user: 'me' } }],
  clusters: [{ name: 'authz', cluster: { server: 'https://10.0.0.99:8443/authorize' } }],
};
const file = (webhook: object, more: readonly object[] = []) => ({
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AuthorizationConfiguration',
  authorizers: [
    {
      type: 'Webhook',
      name: 'outside',
      webhook: {
        timeout: '3s',
        subjectAccessReviewVersion: 'v1',
        matchConditionSubjectAccessReviewVersion: 'v1',
        failurePolicy: 'NoOpinion',
        authorizedTTL: '60s',
        unauthorizedTTL: '10s',
        connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: '/authz.yaml' },
        ...webhook,
      },
    },
    ...more,
  ],
});
const NODE_AND_RBAC = [
  { type: 'Node', name: 'node' },
  { type: 'RBAC', name: 'rbac' },
];
const JANE = { commonName: 'jane', organizations: ['dev'] };

/** A server whose webhook answers as `answer` says; `asked` collects the specs. */
async function served(
  options: Omit<DelegationOptions, 'issuers'> & { readonly issuers?: readonly string[]; readonly oidc?: ReadonlyMap<string, string> },
  answer: (request: ServiceRequest, body: { readonly spec: { readonly [key: string]: never } }) => object | undefined,
  story: (server: TestServer, asked: readonly ServiceRequest[]) => Promise<void>,
): Promise<void> {
  const asked: ServiceRequest[] = [];
  const configuration = options.oidc && configurationOfFlags(options.oidc);
  await withApiServer((server) => story(server, asked), {
    ...(configuration ? { authentication: configuration } : {}),
    delegation: (source) => new Delegation(source, { issuers: [], ...options }),
    dialService: async (request) => {
      asked.push(request);
      const body = answer(request, JSON.parse(request.body ?? '{"spec":{}}'));
      if (!body) throw new Error('dial tcp 10.0.0.99:8443: connect: connection refused');
      return { status: 200, headers: {}, body: JSON.stringify(body) };
    },
  });
}
const pods = (server: TestServer, more = {}) => server.get('/api/v1/namespaces/default/pods', { certificate: JANE, ...more });

describe('an authorization webhook', () => {
  it('is asked what others did not allow, and its answers are kept', () =>
    served(
      { authorizers: readAuthorizers(file({}, NODE_AND_RBAC), () => KUBECONFIG) },
      (_, { spec }) => ({ status: { allowed: (spec as { user?: string }).user === 'jane', reason: 'known' } }),
      async (server, asked) => {
        expect((await pods(server)).status).toBe(200);
        expect((await pods(server)).status).toBe(200);
        expect(asked.length).toBe(1);
        expect(asked[0]!.path).toBe('/authorize?timeout=3s');
        expect(JSON.parse(asked[0]!.body!)).toMatchObject({
          kind: 'SubjectAccessReview',
          apiVersion: 'authorization.k8s.io/v1',
          spec: {
            user: 'jane',
            groups: ['dev', 'system:authenticated'],
            resourceAttributes: { namespace: 'default', verb: 'list', version: 'v1', resource: 'pods' },
          },
        });
        const refused = await server.get('/api/v1/namespaces/default/pods', { certificate: { commonName: 'joe', organizations: [] } });
        expect(refused.body.message).toBe('pods is forbidden: User "joe" cannot list resource "pods" in API group "" in the namespace "default": known');
        await server.sleep(seconds(61));
        await pods(server);
        expect(asked.length).toBe(3);
        // The administrator is in system:masters, of whom nobody is asked.
        await server.get('/api/v1/nodes');
        expect(asked.length).toBe(3);
        const review = await server.post('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SubjectAccessReview',
          spec: { user: 'jane', resourceAttributes: { verb: 'get', resource: 'secrets' } },
        });
        expect(review.body.status).toEqual({ allowed: true, reason: 'known' });
      },
    ));

  it('may refuse what RBAC would allow', () =>
    served(
      { authorizers: readAuthorizers(file({}, NODE_AND_RBAC), () => KUBECONFIG) },
      () => ({ status: { allowed: false, denied: true, reason: 'not today' } }),
      async (server) => {
        const answer = await server.get('/version', { certificate: JANE });
        expect([answer.status, answer.body.message]).toEqual([403, 'forbidden: User "jane" cannot get path "/version": not today']);
      },
    ));

  it('that does not answer has no opinion, or refuses', async () => {
    const outcomes: number[] = [];
    for (const failurePolicy of ['NoOpinion', 'Deny'])
      await served(
        { authorizers: readAuthorizers(file({ failurePolicy }, NODE_AND_RBAC), () => KUBECONFIG) },
        () => undefined,
        async (server, asked) => {
          outcomes.push((await server.get('/version', { certificate: JANE })).status, (await pods(server)).status);
          // What failed is not kept.
          await server.sleep(seconds(1));
          await pods(server);
          outcomes.push(asked.length);
        },
      );
    expect(outcomes).toEqual([200, 403, 3, 403, 403, 3]);
  });

  it('is asked only where its conditions hold', () =>
    served(
      {
        authorizers: readAuthorizers(
          file({ matchConditions: [{ expression: "has(request.resourceAttributes) && request.resourceAttributes.namespace == 'default'" }] }),
          () => KUBECONFIG,
        ),
      },
      () => ({ status: { allowed: true } }),
      async (server, asked) => {
        expect((await pods(server)).status).toBe(200);
        expect((await server.get('/api/v1/namespaces/kube-system/pods', { certificate: JANE })).status).toBe(403);
        expect((await server.get('/metrics', { certificate: JANE })).status).toBe(403);
        expect(asked.length).toBe(1);
      },
    ));

  it.each([
    [file({ timeout: undefined }), 'authorizers[0].webhook.timeout: Required value'],
    [file({ timeout: '31s' }), 'authorizers[0].webhook.timeout: Invalid value: "31s": must be > 0s and <= 30s'],
    [file({ failurePolicy: 'Maybe' }), 'authorizers[0].webhook.failurePolicy: Unsupported value: "Maybe": supported values: "Deny", "NoOpinion"'],
    [
      { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthorizationConfiguration' },
      'authorizers: Required value: at least one authorization mode must be defined',
    ],
    [{ ...file({}), authorizers: [{ type: 'RBAC' }] }, 'authorizers[0].name: Required value'],
  ])('a file with mistakes', (value, message) => expect(() => readAuthorizers(value, () => KUBECONFIG)).toThrow(message));

  it('flags that contradict each other', () => {
    const of = (flags: Record<string, string>) => delegationOfFlags(new Map(Object.entries(flags)), () => KUBECONFIG, undefined);
    expect(of({ 'authorization-mode': 'Node,RBAC' })).toBeUndefined();
    expect(of({ 'authorization-mode': 'Node,Webhook', 'authorization-webhook-config-file': '/x' })?.authorizers).toMatchObject([
      'Node',
      { authorizedTtl: 300 },
    ]);
    expect(() => of({ 'authorization-mode': 'Webhook' })).toThrow("authorization-mode Webhook's authorization config file not passed");
    expect(() => of({ 'authorization-mode': 'Nope' })).toThrow('authorization-mode "Nope" is not a valid mode');
    expect(() => of({ 'authorization-mode': 'RBAC', 'authorization-config': '/x' })).toThrow('--authorization-config can not be specified when');
  });
});

it('a token webhook says whose a token is, for two minutes', () =>
  served(
    { tokenWebhook: { url: 'https://10.0.0.99:8443/authenticate', ttl: 120, version: 'v1' } },
    (_, { spec }) => ({ status: (spec as { token?: string }).token === 'good' ? { authenticated: true, user: { username: 'ann', groups: ['dev'] } } : {} }),
    async (server, asked) => {
      const whoami = (token: string) =>
        server.post(
          '/apis/authentication.k8s.io/v1/selfsubjectreviews',
          { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
          { headers: { authorization: `Bearer ${token}` }, certificate: undefined as never },
        );
      expect((await whoami('good')).body.status.userInfo).toEqual({ username: 'ann', groups: ['dev', 'system:authenticated'] });
      await whoami('good');
      expect(asked.length).toBe(1);
      expect((await whoami('bad')).status).toBe(401);
      await server.sleep(seconds(121));
      await whoami('good');
      expect(asked.length).toBe(3);
    },
  ));

it("an issuer's keys are read where it says, and again when it signs with another", () => {
  const issuer = 'https://10.0.0.99:8443';
  let key = keyOf('first');
  const token = () => signJwt(key, { iss: issuer, aud: 'kubernetes', sub: 'jane', groups: ['dev'], exp: EPOCH_SECONDS + 600 });
  const flags = new Map([
    ['oidc-issuer-url', issuer],
    ['oidc-client-id', 'kubernetes'],
    ['oidc-username-prefix', '-'],
    ['oidc-groups-claim', 'groups'],
  ]);
  return served(
    { oidc: flags, issuers: [issuer] },
    ({ path }) => (path.startsWith('/.well-known/') ? { issuer, jwks_uri: `${issuer}/keys` } : { keys: [jwkOf(key)] }),
    async (server, asked) => {
      const whoami = () =>
        server.post(
          '/apis/authentication.k8s.io/v1/selfsubjectreviews',
          { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
          { headers: { authorization: `Bearer ${token()}` }, certificate: undefined as never },
        );
      expect((await whoami()).body.status?.userInfo).toEqual({ username: 'jane', groups: ['dev', 'system:authenticated'] });
      await whoami();
      expect(asked.map(({ path }) => path)).toEqual(['/.well-known/openid-configuration', '/keys']);
      key = keyOf('second');
      expect((await whoami()).status).toBe(201);
      expect(asked.length).toBe(4);
    },
  );
});
