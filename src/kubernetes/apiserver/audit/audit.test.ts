/** What the audit log says of a request, rule by rule. */
import { describe, expect, it } from 'vitest';
import type { Process } from '../../../sim/process.ts';
import type { ApiRequest } from '../../api/request.ts';
import { ANONYMOUS } from '../authentication.ts';
import type { Attributes } from '../rbac.ts';
import { type Loose, type TestServer, withApiServer } from '../testing.test-support.ts';
import { type Auditor, createAuditor } from './audit.ts';
import { decide, type PolicyRule, readPolicy } from './policy.ts';

const POLICY = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy' };
const what = (more: Partial<Attributes> = {}): Attributes => ({
  verb: 'get',
  group: '',
  resource: 'pods',
  subresource: '',
  namespace: 'default',
  name: 'a',
  path: '',
  ...more,
});
const jane = { name: 'jane', groups: ['dev', 'system:authenticated'] };

describe('rules', () => {
  const rule = (more: Partial<PolicyRule>): PolicyRule => ({ level: 'Metadata', ...more });
  it.each([
    ['all', rule({}), what(), true],
    ['a user', rule({ users: ['jane'] }), what(), true],
    ['another', rule({ users: ['bob'] }), what(), false],
    ['a group', rule({ userGroups: ['dev'] }), what(), true],
    ['a verb', rule({ verbs: ['list'] }), what(), false],
    ['a resource', rule({ resources: [{ group: '', resources: ['pods'] }] }), what(), true],
    ['not its subresource', rule({ resources: [{ group: '', resources: ['pods'] }] }), what({ subresource: 'log' }), false],
    ['the subresource', rule({ resources: [{ group: '', resources: ['pods/log'] }] }), what({ subresource: 'log' }), true],
    ['all of a resource', rule({ resources: [{ group: '', resources: ['pods/*'] }] }), what({ subresource: 'log' }), true],
    ['a subresource of all', rule({ resources: [{ group: '', resources: ['*/log'] }] }), what({ subresource: 'log' }), true],
    ['a group of resources', rule({ resources: [{ group: 'apps' }] }), what(), false],
    ['a name', rule({ resources: [{ group: '', resources: ['pods'], resourceNames: ['b'] }] }), what(), false],
    ['a namespace', rule({ namespaces: ['kube-system'] }), what(), false],
    ['those without one', rule({ namespaces: [''] }), what({ resource: 'nodes', namespace: '' }), true],
    ['a path', rule({ nonResourceURLs: ['/healthz*'] }), what({ resource: '', path: '/healthz/etcd' }), true],
    ['no resource by a path', rule({ nonResourceURLs: ['*'] }), what(), false],
  ] as const)('%s', (_, given, asked, expected) => expect(decide({ rules: [given] }, jane, asked).level).toBe(expected ? 'Metadata' : 'None'));

  it.each([
    [{ kind: 'X' }, 'failed decoding: no kind "X" is registered for version "" in scheme: from file /p'],
    [{ ...POLICY, rules: [] }, 'loaded illegal policy with 0 rules from file /p'],
    [
      { ...POLICY, rules: [{ level: 'All' }] },
      'loaded illegal policy: rules[0].level: Unsupported value: "All": supported values: "None", "Metadata", "Request", "RequestResponse"',
    ],
    [{ ...POLICY, rules: [{ level: 'None', nonResourceURLs: ['/*/a'] }] }, "non-resource URL wildcards '*' must be the final character of the rule"],
  ])('%#', (value, message) => expect(() => readPolicy(value, '/p')).toThrow(message));
});

describe('the log', () => {
  async function lines(rules: readonly PolicyRule[], story: (server: TestServer) => Promise<unknown>, more: object = {}): Promise<Loose[]> {
    const written: Loose[] = [];
    let auditor: Auditor | undefined;
    // The server's own process is there only once it runs.
    const late: Auditor = { begin: (request, user, asked, version) => auditor?.begin(request, user, asked, version) };
    await withApiServer(
      async (server) => {
        auditor = createAuditor(server.self as Process, readPolicy({ ...POLICY, ...more, rules }, '/p'), (line) => {
          expect(line.endsWith('\n')).toBe(true);
          written.push(JSON.parse(line));
        });
        await story(server);
      },
      { audit: late },
    );
    return written;
  }
  const URL = '/api/v1/namespaces/default/configmaps';
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: 'v' } };
  const text = (body: object): Partial<ApiRequest> => ({
    headers: { 'content-type': 'application/json', 'user-agent': 'kubectl/v1.33.1' },
    body: JSON.stringify(body),
  });

  it('of Metadata', async () => {
    const [received, complete] = await lines([{ level: 'Metadata' }], (server) => server.call('POST', URL, undefined, text(map)));
    expect(received).toMatchObject({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: 'Metadata',
      stage: 'RequestReceived',
      verb: 'create',
      requestURI: URL,
      userAgent: 'kubectl/v1.33.1',
    });
    expect(complete).toMatchObject({
      stage: 'ResponseComplete',
      auditID: received.auditID,
      user: { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] },
      objectRef: { resource: 'configmaps', namespace: 'default', name: 'a', apiVersion: 'v1' },
      responseStatus: { metadata: {}, code: 201 },
      annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' },
    });
    expect([complete.requestObject, complete.responseObject]).toEqual([undefined, undefined]);
    expect(complete.stageTimestamp > complete.requestReceivedTimestamp).toBe(true);
  });
  it('of Request and of RequestResponse', async () => {
    const [request] = await lines([{ level: 'Request', omitStages: ['RequestReceived'] }], (server) => server.call('POST', URL, undefined, text(map)));
    expect([request.requestObject.data, request.responseObject]).toEqual([{ k: 'v' }, undefined]);
    const [both] = await lines([{ level: 'RequestResponse' }], (server) => server.call('POST', URL, undefined, text(map)), { omitStages: ['RequestReceived'] });
    expect([both.stage, both.responseObject.metadata.name, both.objectRef.uid]).toEqual(['ResponseComplete', 'a', both.responseObject.metadata.uid]);
  });
  it('of refusals, strangers and borrowed names', async () => {
    const written = await lines([{ level: 'Metadata', omitStages: ['RequestReceived'] }], async (server) => {
      await server.get(URL, { certificate: { commonName: 'jane', organizations: [] } });
      await server.get(URL, { certificate: undefined, headers: { authorization: 'Bearer a.b.c' } });
      await server.get(URL, { headers: { 'impersonate-user': 'bob' } });
    });
    expect(written.map(({ responseStatus }) => responseStatus.code)).toEqual([403, 401, 403]);
    expect(written[0].annotations['authorization.k8s.io/decision']).toBe('forbid');
    expect(written[0].responseStatus).toMatchObject({ status: 'Failure', reason: 'Forbidden' });
    expect(written[1].user.username).toBe(ANONYMOUS.name);
    expect([written[2].user.username, written[2].impersonatedUser.username]).toEqual(['kubernetes-admin', 'bob']);
  });
  it('of a watch, when it begins and when it ends', async () => {
    const written = await lines([{ level: 'Metadata', resources: [{ group: '', resources: ['configmaps'] }] }], async (server) => {
      const { response } = await server.watch(`${URL}?watch=true`);
      response.stream!.cancel();
    });
    expect(written.map(({ stage, verb }) => `${verb} ${stage}`)).toEqual(['watch RequestReceived', 'watch ResponseStarted', 'watch ResponseComplete']);
    expect(written[0].requestURI).toBe(`${URL}?watch=true`);
  });
  it('gives its number back, and takes one', async () => {
    const ids: (string | undefined)[] = [];
    const [, complete] = await lines([{ level: 'Metadata' }], async (server) => {
      ids.push((await server.get(URL)).headers['audit-id'], (await server.get(URL, { headers: { 'audit-id': 'mine' } })).headers['audit-id']);
    });
    expect(ids).toEqual([complete.auditID, 'mine']);
  });
});
