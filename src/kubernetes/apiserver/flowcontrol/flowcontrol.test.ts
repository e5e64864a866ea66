/** Seats, queues, and who is turned away. */
import { describe, expect, it } from 'vitest';
import { seconds } from '../../../sim/clock.ts';
import type { ApiRequest } from '../../api/request.ts';
import { type TestServer, withApiServer } from '../testing.test-support.ts';

const FLOW = '/apis/flowcontrol.apiserver.k8s.io/v1';
const as = (commonName: string, ...organizations: string[]): Partial<ApiRequest> => ({ certificate: { commonName, organizations } });
const level = (name: string, limitResponse: object) => ({
  metadata: { name },
  spec: { type: 'Limited', limited: { nominalConcurrencyShares: 1, lendablePercent: 0, limitResponse } },
});
const schema = (name: string, priorityLevel: string, user: string) => ({
  metadata: { name },
  spec: {
    priorityLevelConfiguration: { name: priorityLevel },
    matchingPrecedence: 50,
    distinguisherMethod: { type: 'ByUser' },
    rules: [
      {
        subjects: [{ kind: 'User', user: { name: user } }],
        resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }],
        nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
      },
    ],
  },
});
const LIST = '/api/v1/namespaces/default/configmaps';
/** Consistent lists ask etcd: they take a millisecond, and are in the server together. */
const flood = (server: TestServer, count: number) => Promise.all(Array.from({ length: count }, () => server.get(LIST, as('jane', 'readers'))));
const counts = (answers: readonly { status: number }[]) => {
  const by = new Map<number, number>();
  for (const { status } of answers) by.set(status, (by.get(status) ?? 0) + 1);
  return Object.fromEntries(by);
};
async function prepare(server: TestServer, limitResponse: object): Promise<number> {
  await server.post('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: 'jane' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'jane' }],
  });
  expect((await server.post(`${FLOW}/prioritylevelconfigurations`, level('tiny', limitResponse))).status).toBe(201);
  expect((await server.post(`${FLOW}/flowschemas`, schema('jane', 'tiny', 'jane'))).status).toBe(201);
  await server.sleep(seconds(1));
  // 600 seats shared by 5 + 20 + 10 + 40 + 30 + 40 + 100 + 1.
  return Math.ceil(600 / 246);
}

describe('priority and fairness', () => {
  it.each([
    ['exempt', as('root', 'system:masters')],
    ['global-default', as('jane')],
    ['system-nodes', as('system:node:n', 'system:nodes')],
    ['service-accounts', as('system:serviceaccount:default:x', 'system:serviceaccounts')],
    ['kube-system-service-accounts', as('system:serviceaccount:kube-system:x', 'system:serviceaccounts')],
    ['kube-scheduler', as('system:kube-scheduler')],
  ] as const)('%s', (name, who) =>
    withApiServer(async (server) => {
      const { body } = await server.get(`${FLOW}/flowschemas/${name}`);
      const { headers } = await server.get(LIST, who);
      expect(headers['x-kubernetes-pf-flowschema-uid']).toBe(body.metadata.uid);
      const { body: its } = await server.get(`${FLOW}/prioritylevelconfigurations/${body.spec.priorityLevelConfiguration.name}`);
      expect(headers['x-kubernetes-pf-prioritylevel-uid']).toBe(its.metadata.uid);
    }).then(() => {}),
  );

  it('turns away who finds no seat and may not wait', () =>
    withApiServer(async (server) => {
      const seats = await prepare(server, { type: 'Reject' });
      const answers = await flood(server, seats + 4);
      expect(counts(answers)).toEqual({ 200: seats, 429: 4 });
      const refused = answers.find(({ status }) => status === 429)!;
      expect([refused.body, refused.headers['retry-after']]).toEqual(['Too many requests, please try again later.\n', '1']);
      // The seats are free again, and others never noticed.
      expect(counts(await flood(server, seats))).toEqual({ 200: seats });
      expect((await server.get(LIST)).status).toBe(200);
    }).then(() => {}));

  it('lets wait who may, until the queue is full', () =>
    withApiServer(async (server) => {
      const seats = await prepare(server, { type: 'Queue', queuing: { queues: 4, handSize: 1, queueLengthLimit: 5 } });
      expect(counts(await flood(server, seats + 5))).toEqual({ 200: seats + 5 });
      expect(counts(await flood(server, seats + 8))).toEqual({ 200: seats + 5, 429: 3 });
    }).then(() => {}));

  it('tells of its queues', () =>
    withApiServer(async (server) => {
      const dump = async (which: string) => (await server.get(`/debug/api_priority_and_fairness/${which}`)).body as unknown as string;
      const seats = await prepare(server, { type: 'Queue', queuing: { queues: 2, handSize: 1, queueLengthLimit: 5 } });
      const flooding = flood(server, seats + 2);
      const during = [await dump('dump_priority_levels'), await dump('dump_queues'), await dump('dump_requests?includeRequestDetails=1')];
      await flooding;
      const [header, ...rows] = (await dump('dump_priority_levels')).trimEnd().split('\n');
      expect(header).toMatch(
        /^PriorityLevelName, +ActiveQueues, IsIdle, IsQuiescing, WaitingRequests, ExecutingRequests, DispatchedRequests, RejectedRequests, TimedoutRequests, CancelledRequests$/,
      );
      expect(rows.map((row) => row.split(',')[0])).toEqual([...rows.map((row) => row.split(',')[0]!)].sort());
      expect(rows.some((row) => new RegExp(`, +${seats + 2}, +0, +0, +0$`).test(row))).toBe(true);
      expect(during[0]).toMatch(new RegExp(`, +false, +false, +2, +${seats}, `));
      expect(during[1]!.split('\n').length).toBeGreaterThan(3);
      expect(during[2]!.trimEnd().split('\n').length).toBe(3);
      expect((await server.get('/debug/api_priority_and_fairness/dump_nothing')).status).toBe(404);
    }).then(() => {}));

  it('is a switch', () =>
    withApiServer(
      async (server) => {
        const seats = await prepare(server, { type: 'Reject' });
        const answers = await flood(server, seats + 4);
        expect(counts(answers)).toEqual({ 200: seats + 4 });
        expect(answers[0]!.headers['x-kubernetes-pf-flowschema-uid']).toBeUndefined();
      },
      { priorityAndFairness: false },
    ).then(() => {}));
});
