/** Who is let in with what. */
import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { seconds } from '../../../sim/clock.ts';
import { ClusterPki } from '../../api/pki/authority.ts';
import { base64, utf8 } from '../../api/pki/bytes.ts';
import { jwkOf, signJwt } from '../../api/pki/jwt.ts';
import { keyOf } from '../../api/pki/keys.ts';
import { certificatePem, issue, requestPem } from '../../api/pki/x509.ts';
import type { ApiRequest } from '../../api/request.ts';
import { EPOCH_SECONDS } from '../../api/time.ts';
import { pod, type TestServer, withApiServer } from '../testing.test-support.ts';
import { createTokenSigner, ISSUER } from '../tokens.ts';
import { configurationOfFlags, readConfiguration } from './configuration.ts';

const pki = new ClusterPki({ seed: 'x', controlPlane: { name: 'cp', ip: '10.0.0.10' } });
const shows = (pem: string): Partial<ApiRequest> => ({ certificate: { commonName: 'whoever', organizations: ['system:masters'], pem } });
const bears = (token: string): Partial<ApiRequest> => ({ certificate: undefined, headers: { authorization: `Bearer ${token}` } });
const WHO = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
const who = async (server: TestServer, more: Partial<ApiRequest>) => {
  const { status, body } = await server.post(WHO, {}, more);
  return status === 201 ? body.status.userInfo : body;
};
const UNAUTHORIZED = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: 'Unauthorized', reason: 'Unauthorized', code: 401 };
const b64 = (text: string) => base64(utf8(text));

describe('certificates', () => {
  const YEAR = 365 * 86_400;
  const stranger = keyOf('stranger');
  const template = {
    subject: { commonName: 'eve', organizations: ['system:masters'] },
    publicInfo: stranger.publicInfo,
    serial: 7n,
    notBefore: EPOCH_SECONDS,
    notAfter: EPOCH_SECONDS + YEAR,
    usages: ['client auth'],
  };
  it('say who by themselves, not by what is said of them', () =>
    withApiServer(async (server) =>
      expect(await who(server, shows(pki.client('jane', 'dev').certificate))).toEqual({ username: 'jane', groups: ['dev', 'system:authenticated'] }),
    ).then(() => {}));
  it.each([
    [
      'of nobody’s',
      certificatePem(issue(template, { commonName: 'kubernetes', organizations: [] }, stranger)),
      /x509: certificate signed by unknown authority$/,
    ],
    ['for servers', pki.file('apiserver.crt'), /x509: certificate specifies an incompatible key usage$/],
    ['no certificate', 'nonsense', /^x509: malformed certificate$/],
    [
      'of tomorrow',
      pki.pair('t', { commonName: 't', organizations: [] }, ['client auth'], { lasts: 200 }).certificate,
      /^verifying certificate SN=\d+ failed: x509: certificate has expired or is not yet valid: current time 2026-01-05T08:00:\d\dZ is after 2026-01-05T07:58:20Z$/,
    ],
  ])('%s', async (_, pem, why) => {
    const heard: string[] = [];
    await withApiServer(
      async (server) => {
        expect(await who(server, shows(pem))).toEqual(UNAUTHORIZED);
        expect(heard).toHaveLength(1);
        expect(JSON.parse(/err=(.*)$/.exec(heard[0]!)![1]!)).toMatch(why);
      },
      { log: (line) => heard.push(line) },
    );
  });
  it('end', () =>
    withApiServer(async (server) => {
      const brief = shows(pki.pair('b', { commonName: 'brief', organizations: [] }, ['client auth'], { lasts: 900 }).certificate);
      expect((await who(server, brief)).username).toBe('brief');
      await server.sleep(seconds(700));
      expect((await who(server, brief)).code).toBe(401);
    }).then(() => {}));
});

describe('service account tokens', () => {
  const ACCOUNT = '/api/v1/namespaces/default/serviceaccounts';
  const ask = (server: TestServer, spec: object, more?: Partial<ApiRequest>) => server.post(`${ACCOUNT}/default/token`, { spec }, more);
  const start = async (server: TestServer) => {
    await server.post(ACCOUNT, { metadata: { name: 'default' } });
    await server.post('/api/v1/namespaces/default/pods', pod('web', { nodeName: 'n1' }));
    await server.post('/api/v1/nodes', { metadata: { name: 'n1' } });
    await server.post('/api/v1/namespaces/default/secrets', { metadata: { name: 's' } });
    await server.sleep(seconds(1));
  };
  const ref = (kind: string, name: string, uid?: string) => ({ boundObjectRef: { apiVersion: 'v1', kind, name, ...(uid ? { uid } : {}) } });

  it('are JWTs that others verify by the published keys', () =>
    withApiServer(async (server) => {
      await start(server);
      const { token } = (await ask(server, ref('Pod', 'web'))).body.status;
      const [head, body, signature] = token.split('.');
      const { keys } = (await server.get('/openid/v1/jwks')).body;
      const key = createPublicKey({ key: keys[0], format: 'jwk' });
      expect(verify('sha256', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))).toBe(true);
      const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
      expect(claims).toMatchObject({ aud: [ISSUER], iss: ISSUER, sub: 'system:serviceaccount:default:default', exp: claims.iat + 3600 });
      expect(Object.keys(claims['kubernetes.io'])).toEqual(['namespace', 'node', 'pod', 'serviceaccount']);
      expect((await who(server, bears(token))).extra['authentication.kubernetes.io/node-name']).toEqual(['n1']);
      const config = (await server.get('/.well-known/openid-configuration')).body;
      expect([config.issuer, config.jwks_uri]).toEqual([ISSUER, `${ISSUER}/openid/v1/jwks`]);
    }).then(() => {}));

  it.each([
    ['too short', { expirationSeconds: 599 }, 422, /spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes$/],
    ['too long', { expirationSeconds: 2 ** 32 + 1 }, 422, /may not specify a duration larger than 2\^32 seconds$/],
    ['a kind of no use', ref('ConfigMap', 'x'), 400, /^cannot bind token to object of type \/v1, Kind=ConfigMap$/],
    ['no such pod', ref('Pod', 'x'), 404, /^pods "x" not found$/],
    [
      'another of that name',
      ref('Secret', 's', 'u'),
      409,
      /^Operation cannot be fulfilled on Secret "s": the UID in the bound object reference \(u\) does not match the UID in record/,
    ],
    ['a secret', ref('Secret', 's'), 201, undefined],
    ['a node', ref('Node', 'n1'), 201, undefined],
  ] as const)('%s', (_, spec, status, message) =>
    withApiServer(async (server) => {
      await start(server);
      const answer = await ask(server, spec);
      expect(answer.status).toBe(status);
      if (message) expect(answer.body.message).toMatch(message);
    }).then(() => {}),
  );

  it('are for whom they say', () =>
    withApiServer(async (server) => {
      await start(server);
      const { token } = (await ask(server, { audiences: ['vault'] })).body.status;
      expect((await who(server, bears(token))).code).toBe(401);
      const review = async (spec: object) => (await server.post('/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token, ...spec } })).body.status;
      expect(await review({ audiences: ['vault', 'other'] })).toMatchObject({ authenticated: true, audiences: ['vault'] });
      expect(await review({})).toEqual({
        user: {},
        error: `[invalid bearer token, token audiences ["vault"] is invalid for the target audiences ["${ISSUER}"]]`,
      });
    }).then(() => {}));

  it('end, and go with what they are bound to', () =>
    withApiServer(async (server) => {
      await start(server);
      const brief = (await ask(server, { expirationSeconds: 600 })).body.status.token;
      const bound = (await ask(server, ref('Secret', 's'))).body.status.token;
      expect((await who(server, bears(bound))).username).toBe('system:serviceaccount:default:default');
      await server.delete('/api/v1/namespaces/default/secrets/s');
      await server.sleep(seconds(601));
      for (const token of [brief, bound]) expect((await who(server, bears(token))).code).toBe(401);
    }).then(() => {}));

  it('are sealed for the cluster’s own, and the same when completed', () =>
    withApiServer(async (server) => {
      await start(server);
      const { token } = (await ask(server, {}, { typed: true })).body.status;
      expect(token.startsWith('~.')).toBe(true);
      expect((await who(server, bears(token))).username).toBe('system:serviceaccount:default:default');
      const real = createTokenSigner('sa.key').complete(token);
      expect(real.split('.')).toHaveLength(3);
      expect((await who(server, bears(real))).username).toBe('system:serviceaccount:default:default');
      expect((await who(server, bears(`${token}0`))).code).toBe(401);
      expect(createTokenSigner('other').complete(token)).toBe(token);
      expect((await who(server, bears(real.replace(/.$/, (last: string) => (last === 'A' ? 'B' : 'A'))))).code).toBe(401);
    }).then(() => {}));
});

describe('bootstrap tokens', () => {
  const data = (more: Record<string, string> = {}) =>
    Object.fromEntries(
      Object.entries({ 'token-id': 'abcdef', 'token-secret': '0123456789abcdef', 'usage-bootstrap-authentication': 'true', ...more }).map(([k, v]) => [
        k,
        b64(v),
      ]),
    );
  it.each([
    ['good', {}, 'abcdef.0123456789abcdef', ['system:bootstrappers', 'system:authenticated']],
    [
      'with groups',
      { 'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token' },
      'abcdef.0123456789abcdef',
      ['system:bootstrappers', 'system:bootstrappers:kubeadm:default-node-token', 'system:authenticated'],
    ],
    ['of a wrong secret', {}, 'abcdef.0123456789abcdeg', undefined],
    ['not for that', { 'usage-bootstrap-authentication': 'false' }, 'abcdef.0123456789abcdef', undefined],
    ['over', { expiration: '2026-01-05T08:00:00Z' }, 'abcdef.0123456789abcdef', undefined],
    ['not over yet', { expiration: '2026-01-06T08:00:00Z' }, 'abcdef.0123456789abcdef', ['system:bootstrappers', 'system:authenticated']],
  ] as const)('%s', (_, more, token, groups) =>
    withApiServer(async (server) => {
      const made = { metadata: { name: 'bootstrap-token-abcdef' }, type: 'bootstrap.kubernetes.io/token', data: data(more) };
      expect((await server.post('/api/v1/namespaces/kube-system/secrets', made)).status).toBe(201);
      await server.sleep(seconds(1));
      const user = await who(server, bears(token));
      expect(user).toEqual(groups ? { username: 'system:bootstrap:abcdef', groups } : UNAUTHORIZED);
    }).then(() => {}),
  );
});

describe('OpenID Connect', () => {
  const key = keyOf('issuer');
  const url = 'https://id.example.com';
  const flags = new Map([
    ['oidc-issuer-url', url],
    ['oidc-client-id', 'orrery'],
    ['oidc-username-claim', 'email'],
    ['oidc-groups-claim', 'groups'],
    ['oidc-groups-prefix', 'oidc:'],
  ]);
  const authentication = { ...configurationOfFlags(flags)!, keysOf: () => [jwkOf(key)] };
  const good = { iss: url, aud: 'orrery', exp: EPOCH_SECONDS + 900, email: 'jane@example.com', groups: ['dev'] };
  it.each([
    ['good', good, { username: 'jane@example.com', groups: ['oidc:dev', 'system:authenticated'] }],
    ['for another', { ...good, aud: 'x' }, UNAUTHORIZED],
    ['old', { ...good, exp: EPOCH_SECONDS }, UNAUTHORIZED],
    ['without a name', { ...good, email: undefined }, UNAUTHORIZED],
    ['of another issuer', { ...good, iss: 'https://evil' }, UNAUTHORIZED],
  ])('%s', (_, claims, expected) =>
    withApiServer(async (server) => expect(await who(server, bears(signJwt(key, claims)))).toEqual(expected), { authentication }).then(() => {}),
  );
  it('not signed by the issuer', () =>
    withApiServer(async (server) => expect((await who(server, bears(signJwt(keyOf('other'), good)))).code).toBe(401), { authentication }).then(() => {}));

  const file = (more: object) => ({ apiVersion: 'apiserver.config.k8s.io/v1beta1', kind: 'AuthenticationConfiguration', ...more });
  const issuer = { url, audiences: ['orrery'] };
  const structured = (more: object) => ({ ...readConfiguration(file({ jwt: [{ issuer, ...more }] })), keysOf: () => [jwkOf(key)] });
  const rich = structured({
    claimValidationRules: [
      { claim: 'tenant', requiredValue: 'acme' },
      { expression: 'claims.exp - claims.nbf <= 86400', message: 'total token lifetime must not exceed 24 hours' },
    ],
    claimMappings: {
      username: { expression: "claims.sub + ':' + claims.tenant" },
      groups: { expression: "claims.roles.split(',').map(role, 'role:' + role)" },
      uid: { claim: 'sub' },
      extra: [
        { key: 'example.com/tenant', valueExpression: 'claims.tenant' },
        { key: 'example.com/none', valueExpression: "claims.?nobody.orValue('')" },
      ],
    },
    userValidationRules: [
      { expression: "!user.username.startsWith('system:')", message: 'username cannot used reserved system: prefix' },
      { expression: "user.groups.all(group, !group.startsWith('system:'))", message: 'no groups of the system' },
    ],
  });
  const token = { iss: url, aud: 'orrery', exp: EPOCH_SECONDS + 900, nbf: EPOCH_SECONDS, sub: 'jane', tenant: 'acme', roles: 'dev,ops' };
  it.each([
    [
      'expressions make the user',
      token,
      {
        username: 'jane:acme',
        uid: 'jane',
        groups: ['role:dev', 'role:ops', 'system:authenticated'],
        extra: { 'example.com/tenant': ['acme'] },
      },
    ],
    ['a claim of another value', { ...token, tenant: 'evil' }, UNAUTHORIZED],
    ['a claim that is missing', { ...token, roles: undefined }, UNAUTHORIZED],
    ['a rule about claims says no', { ...token, nbf: EPOCH_SECONDS - 100_000 }, UNAUTHORIZED],
    ['a rule about the user says no', { ...token, sub: 'system:admin' }, UNAUTHORIZED],
    ['a name of another type', { ...token, sub: 7 }, UNAUTHORIZED],
  ])('structured: %s', (_, claims, expected) =>
    withApiServer(async (server) => expect(await who(server, bears(signJwt(key, claims)))).toEqual(expected), { authentication: rich }).then(() => {}),
  );
  it.each([
    [
      { claimMappings: { username: { claim: 'sub', prefix: '', expression: 'claims.sub' } } },
      `jwt[0].claimMappings.username: Invalid value: "": claim and expression can't both be set`,
    ],
    [
      { claimMappings: { username: { expression: 'claims.sub', prefix: 'x' } } },
      `jwt[0].claimMappings.username.prefix: Invalid value: "x": prefix can't be set when expression is set`,
    ],
    [
      { claimMappings: { username: { expression: 'claims.sub +' } } },
      'jwt[0].claimMappings.username.expression: Invalid value: "claims.sub +": compilation failed: ERROR: <input>:1:',
    ],
    [{ claimMappings: { username: { expression: 'user.name' } } }, "undeclared reference to 'user'"],
    [{ claimMappings: { username: { expression: 'claims.email' } } }, 'claims.email_verified must be used in claimMappings.username.expression'],
    [
      { claimMappings: { username: { claim: 'sub', prefix: '' } }, claimValidationRules: [{}] },
      'jwt[0].claimValidationRules[0]: Required value: claim or expression is required',
    ],
    [{ claimMappings: { username: { claim: 'sub', prefix: '' } }, claimValidationRules: [{ expression: '1 + 1' }] }, 'must evaluate to bool'],
    [
      { claimMappings: { username: { claim: 'sub', prefix: '' }, extra: [{ key: 'Foo', valueExpression: 'claims.x' }] } },
      'jwt[0].claimMappings.extra[0].key: Invalid value: "Foo": key must be lowercase',
    ],
    [
      { claimMappings: { username: { claim: 'sub', prefix: '' } }, userValidationRules: [{ expression: 'true' }, { expression: 'true' }] },
      'jwt[0].userValidationRules[1].expression: Duplicate value: "true"',
    ],
  ])('structured: %j is refused', (more, message) => expect(() => structured(more)).toThrow(message));
  it('several audiences need a policy', () => {
    const two = { issuer: { ...issuer, audiences: ['a', 'b'] }, claimMappings: { username: { claim: 'sub', prefix: '' } } };
    expect(() => readConfiguration(file({ jwt: [two] }))).toThrow(
      'jwt[0].issuer.audienceMatchPolicy: Invalid value: "": audienceMatchPolicy must be MatchAny for multiple audiences',
    );
    expect(readConfiguration(file({ jwt: [{ ...two, issuer: { ...two.issuer, audienceMatchPolicy: 'MatchAny' } }] })).jwt).toHaveLength(1);
  });
  it('may be anonymous on some paths', () =>
    withApiServer(
      async (server) => {
        expect((await server.get('/healthz', { certificate: undefined })).status).toBe(200);
        expect((await server.get('/version', { certificate: undefined })).body.code).toBe(401);
      },
      { authentication: readConfiguration(file({ anonymous: { enabled: true, conditions: [{ path: '/healthz' }] } })) },
    ).then(() => {}));
  it.each([
    [
      file({ jwt: [{ issuer: { url: 'http://x', audiences: ['a'] }, claimMappings: { username: { claim: 'sub', prefix: '' } } }] }),
      'jwt[0].issuer.url: Invalid value: "http://x": URL scheme must be https',
    ],
    [
      file({ jwt: [{ issuer: { url, audiences: [] }, claimMappings: { username: { claim: 'sub', prefix: '' } } }] }),
      'jwt[0].issuer.audiences: Required value: at least one jwt[0].issuer.audiences is required',
    ],
    [{ kind: 'X', apiVersion: 'v1' }, 'no kind "X" is registered for version "v1" in scheme'],
  ])('%#', (value, message) => expect(() => readConfiguration(value)).toThrow(message));
});

describe('impersonation', () => {
  const may = (headers: Record<string, string>) => ({ headers });
  it('of users, groups, uids and extras', () =>
    withApiServer(async (server) => {
      const all = may({ 'impersonate-user': 'jane', 'impersonate-group': 'dev', 'impersonate-uid': '7', 'impersonate-extra-example.com%2fscope': 'a,b' });
      expect(await who(server, all)).toEqual({
        username: 'jane',
        uid: '7',
        groups: ['dev', 'system:authenticated'],
        extra: { 'example.com/scope': ['a', 'b'] },
      });
      const refused = async (headers: Record<string, string>) =>
        (await who(server, { ...may(headers), certificate: { commonName: 'bob', organizations: [] } })).message;
      expect(await refused({ 'impersonate-user': 'jane' })).toBe(
        'users "jane" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope',
      );
      expect(await refused({ 'impersonate-user': 'system:serviceaccount:a:b' })).toBe(
        'serviceaccounts "b" is forbidden: User "bob" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "a"',
      );
      expect((await who(server, may({ 'impersonate-group': 'dev' }))).code).toBe(500);
    }).then(() => {}));
});

describe('signing requests', () => {
  const CSRS = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
  const request = b64(requestPem({ commonName: 'jane', organizations: ['dev'] }, keyOf('jane')));
  const csr = (spec: object = {}) => ({
    metadata: { name: 'jane' },
    spec: { request, signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'], ...spec },
  });
  it('say who made them', () =>
    withApiServer(async (server) => {
      const made = await server.post(CSRS, csr({ username: 'eve', groups: ['system:masters'] }), {
        certificate: { commonName: 'bob', organizations: ['system:masters'] },
      });
      expect(made.body.spec).toMatchObject({ username: 'bob', groups: ['system:masters', 'system:authenticated'] });
    }).then(() => {}));
  it.each([
    ['no request', { request: b64('x') }, /spec.request: Invalid value: .*PEM block type must be CERTIFICATE REQUEST$/],
    ['no usages', { usages: [] }, /spec.usages: Required value$/],
    ['twice', { usages: ['client auth', 'client auth'] }, /spec.usages\[1\]: Duplicate value: "client auth"$/],
    ['too brief', { expirationSeconds: 60 }, /spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 600 seconds \(10 minutes\)$/],
    ['the old signer', { signerName: 'kubernetes.io/legacy-unknown' }, /the legacy signerName is not allowed via this API version$/],
    [
      'a master',
      { request: b64(requestPem({ commonName: 'jane', organizations: ['system:masters'] }, keyOf('jane'))) },
      /use of kubernetes.io\/kube-apiserver-client signer with system:masters group is not allowed$/,
    ],
  ])('%s', (_, spec, message) => withApiServer(async (server) => expect((await server.post(CSRS, csr(spec))).body.message).toMatch(message)).then(() => {}));
  it('are approved by those who may', () =>
    withApiServer(async (server) => {
      const made = (await server.post(CSRS, csr())).body;
      const approval = { ...made, status: { conditions: [{ type: 'Approved', status: 'True', reason: 'KubectlApprove', message: 'ok' }] } };
      const bob = { certificate: { commonName: 'system:kube-scheduler', organizations: [] } };
      expect((await server.put(`${CSRS}/jane/approval`, approval, bob)).status).toBe(403);
      await server.post('/apis/rbac.authorization.k8s.io/v1/clusterroles', {
        metadata: { name: 'a' },
        rules: [{ verbs: ['update'], apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests/approval'] }],
      });
      await server.post('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
        metadata: { name: 'a' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'a' },
        subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'system:kube-scheduler' }],
      });
      await server.sleep(seconds(1));
      expect((await server.put(`${CSRS}/jane/approval`, approval, bob)).body.message).toBe(
        'certificatesigningrequests.certificates.k8s.io "jane" is forbidden: user not permitted to approve requests with signerName "kubernetes.io/kube-apiserver-client"',
      );
      const { body } = await server.put(`${CSRS}/jane/approval`, { ...approval, spec: { ...approval.spec, username: 'eve' } });
      expect([body.spec.username, body.status.conditions[0].type, body.status.conditions[0].lastUpdateTime]).toEqual([
        'kubernetes-admin',
        'Approved',
        expect.stringMatching(/^2026-/),
      ]);
      const both = { ...body, status: { conditions: [...body.status.conditions, { type: 'Denied', status: 'True' }] } };
      expect((await server.put(`${CSRS}/jane/approval`, both)).body.message).toContain('Approved and Denied conditions are mutually exclusive');
    }).then(() => {}));
});
