/** The way of a request as the page shows it: its stations, where it stopped, what followed and who caused it. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Journey, JourneyNode, JourneyRequest } from '../hosts/protocol.ts';
import { ms, seconds } from '../sim/clock.ts';
import { journeyOf, recentRequests } from './journey.ts';
import { cluster, isReady, type Lab } from './testing.ts';
import { explain } from './why.ts';

const recent = (lab: Lab, query: Partial<Parameters<typeof recentRequests>[1]> = {}): readonly JourneyRequest[] =>
  recentRequests(lab.world.loop.trace, { limit: 200, ...query }).requests;
const newest = (lab: Lab, words: string, more: Partial<Parameters<typeof recentRequests>[1]> = {}): Journey => {
  const [request] = recent(lab, { words, ...more });
  if (!request) throw new Error(`no request ${words}`);
  return journeyOf(lab.world.loop.trace, request.id)!;
};
const stage = (journey: Journey, id: string) => journey.stages.find((each) => each.id === id)!;
const states = (journey: Journey): string => journey.stages.map(({ id, state }) => `${id}:${state}`).join(' ');
const notes = (journey: Journey, id: string): Record<string, string> => Object.fromEntries(stage(journey, id).notes.map(({ label, text }) => [label, text]));
const flat = (nodes: readonly JourneyNode[]): JourneyNode[] => nodes.flatMap((node) => [node, ...flat(node.children)]);

describe('a Deployment of three behind a Service', () => {
  let lab: Lab;
  let journey: Journey;
  beforeAll(async () => {
    lab = await cluster();
    await lab.ok('kubectl apply -f examples/service.yaml');
    await lab.ok('kubectl apply -f examples/deployment.yaml');
    await lab.until(() => lab.pods('app=web').length === 3 && lab.pods('app=web').every(isReady));
    await lab.quiet();
    journey = newest(lab, 'create deployments', { who: 'people' });
  }, 60_000);

  test('passes at least twelve stations, in order, each at its time', () => {
    expect(states(journey)).toBe(
      'client:passed authn:passed audit:none impersonate:none apf:passed authz:passed decode:passed mutate:passed validate:passed admit:passed etcd:passed raft:passed apply:passed cache:passed watchers:passed',
    );
    const passed = journey.stages.filter(({ state }) => state === 'passed');
    expect(passed.length).toBeGreaterThanOrEqual(12);
    const times = passed.map(({ at }) => at!);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(stage(journey, 'raft').took).toBeGreaterThan(500);
    expect(journey.request).toMatchObject({ code: 201, verb: 'create', resource: 'deployments', about: 'Deployment/default/web', user: 'kubernetes-admin' });
  });

  test('everybody who acted is in the tree', () => {
    const nodes = flat(journey.followed);
    const actors = nodes.filter(({ kind }) => kind === 'actor');
    const of = (pattern: RegExp, type: string) => actors.filter((node) => pattern.test(node.title) && node.steps.some((step) => step.type === type));
    expect(of(/^deployment/, 'reconcile.start').length).toBeGreaterThan(0);
    expect(of(/^replicaset/, 'reconcile.start').length).toBeGreaterThan(0);
    expect(of(/^kube-scheduler/, 'sched.bind')).toHaveLength(3);
    expect(new Set(of(/^kubelet/, 'cri.start').map(({ about }) => about)).size).toBe(3);
    expect(of(/^endpoint-?slice/, 'reconcile.start').length).toBeGreaterThan(0);
    expect(new Set(of(/^kube-proxy/, 'proxy.sync').map(({ steps }) => steps[0]!.id)).size).toBeGreaterThanOrEqual(4);
    expect(nodes.filter(({ kind, about }) => kind === 'request' && about.startsWith('Pod/default/web-')).length).toBeGreaterThanOrEqual(6);
  });

  test('the stamps name what decided, and the objects are shown before and after', () => {
    expect(stage(journey, 'authz').policies.map(({ kind, name, url }) => [kind, name, url])).toEqual([
      ['ClusterRoleBinding', 'kubeadm:cluster-admins', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/kubeadm:cluster-admins'],
      ['ClusterRole', 'cluster-admin', '/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin'],
    ]);
    expect(stage(journey, 'decode').changes[0]).toMatchObject({ before: { kind: 'Deployment' }, after: { spec: { revisionHistoryLimit: 10 } } });
    expect(stage(journey, 'apply').changes[0]).toMatchObject({ after: { metadata: { uid: expect.any(String) } } });
    expect(stage(journey, 'apply').changes[0]!.before).toBeUndefined();
    expect(notes(journey, 'raft')).toMatchObject({ Leader: expect.stringMatching(/^etcd-/), 'Committed by': 'a majority of 3 members' });
    const pod = newest(lab, 'create pods web- replicaset-controller');
    const mutated = stage(pod, 'mutate').changes[0] as { before: { spec: object }; after: { spec: object } };
    expect(mutated.before.spec).not.toHaveProperty('serviceAccountName');
    expect(mutated.after.spec).toHaveProperty('serviceAccountName', 'default');
    expect(notes(pod, 'mutate')['Changed by']).toContain('ServiceAccount');
  });

  test('who caused it: the command, directly and through others', () => {
    expect(journey.causes.map(({ sentence }) => sentence)).toEqual(['Somebody typed `kubectl apply -f examples/deployment.yaml` on the laptop.']);
    expect(journey.siblings.map(({ verb, resource }) => `${verb} ${resource}`)).toContain('get deployments');
    const binding = newest(lab, 'pods/binding');
    expect(binding.causes.at(-1)!.sentence).toBe('Somebody typed `kubectl apply -f examples/deployment.yaml` on the laptop.');
    const parent = binding.causes.find((cause) => cause.request !== undefined)!;
    expect(journeyOf(lab.world.loop.trace, parent.request!)!.request).toMatchObject({ verb: 'create', resource: 'pods' });
  });

  test('from any pod, only following causes', () => {
    for (const pod of lab.pods('app=web')) {
      const step = explain(lab.world.loop.trace, `Pod/default/${pod.metadata.name}`).find(
        ({ fact }) => fact.type === 'api.storage' || fact.type === 'sched.bind',
      )!;
      expect(journeyOf(lab.world.loop.trace, step.fact.id)!.causes.at(-1)!.sentence).toContain('kubectl apply -f examples/deployment.yaml');
    }
  });

  test('a read takes the short way', async () => {
    await lab.ok('kubectl get pods');
    const read = newest(lab, 'list pods', { who: 'people' });
    expect(states(read)).toMatch(/authz:passed decode:none mutate:none validate:none admit:none/);
    expect(`${stage(read, 'etcd').stamp} ${stage(read, 'cache').stamp}`).toContain('3 read');
  });

  test('the list filters by verb, outcome, person and words', () => {
    expect([...new Set(recent(lab, { who: 'people' }).map(({ user }) => user))]).toEqual(['kubernetes-admin']);
    expect(recent(lab, { who: 'components' }).some(({ user }) => user === 'kubernetes-admin')).toBe(false);
    expect(new Set(recent(lab, { verb: 'create' }).map(({ verb }) => verb))).toEqual(new Set(['create']));
    expect(recent(lab, { outcome: 'refused' }).every(({ code }) => code! >= 400)).toBe(true);
    const all = recent(lab);
    expect(all.map(({ id }) => id)).toEqual([...all.map(({ id }) => id)].sort((a, b) => b - a));
    expect(recentRequests(lab.world.loop.trace, { limit: 3 })).toMatchObject({ more: true });
    expect(all.some(({ resource }) => resource === 'leases')).toBe(false);
  });
});

describe('refused', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await cluster();
  }, 60_000);

  test('without the right: at AuthZ, with the missing verb', async () => {
    const { stderr } = await lab.run('kubectl create configmap c --as=bob');
    expect(stderr).toContain('cannot create resource "configmaps"');
    const journey = newest(lab, 'create configmaps bob');
    expect(journey.stage).toBe('authz');
    expect(states(journey)).toMatch(/impersonate:passed apf:passed authz:stopped decode:ahead .*watchers:ahead$/);
    expect(stage(journey, 'authn').stamp).toBe('kubernetes-admin');
    expect(notes(journey, 'authz')).toMatchObject({ Code: '403 Forbidden', 'Missing verb': 'create', On: 'configmaps in default', For: 'bob' });
    expect(stage(journey, 'authz').stamp).toBe('403 Forbidden');
  });

  test('who may not speak for another: at Impersonation', async () => {
    await lab.run('kubectl create serviceaccount nobody');
    // A certificate would speak before the token: the user has none.
    await lab.ok('kubectl config set-credentials nobody --token=$(kubectl create token nobody)');
    const { stderr } = await lab.run('kubectl --user=nobody get --raw /api/v1/namespaces/default/pods --as=ann');
    expect(stderr).toContain('impersonate');
    const journey = newest(lab, 'list pods nobody');
    expect(journey).toMatchObject({ stage: 'impersonate', request: { code: 403 } });
  });

  test('not recognised: at AuthN, and nothing is said of who', async () => {
    await lab.ok('kubectl config set-credentials ghost --token=abc');
    await lab.run('kubectl --user=ghost get --raw /api/v1/namespaces/default/pods');
    const journey = newest(lab, 'list pods 401');
    expect(journey).toMatchObject({ stage: 'authn', request: { code: 401, user: '' } });
    expect(states(journey)).toMatch(/^client:passed authn:stopped audit:ahead/);
  });

  test('beyond a quota: at Validating, with the quota as its policy', async () => {
    await lab.ok('kubectl create quota few --hard=configmaps=1');
    await lab.wait(ms(500));
    const { stderr } = await lab.run('kubectl create configmap c');
    expect(stderr).toContain('exceeded quota: few');
    const journey = newest(lab, 'create configmaps 403', { who: 'people' });
    expect(journey.stage).toBe('admit');
    expect(states(journey)).toMatch(/validate:passed admit:stopped etcd:ahead/);
    expect(notes(journey, 'admit')).toMatchObject({ 'Refused by': 'ResourceQuota', Quota: 'few' });
    expect(stage(journey, 'admit').policies).toEqual([{ kind: 'ResourceQuota', name: 'default/few', url: '/api/v1/namespaces/default/resourcequotas/few' }]);
  });

  test.each([
    ['kubectl create deployment Web --image=nginx', 'create deployments 422', 'validate'],
    ['kubectl create secret generic s; kubectl create secret generic s', 'create secrets 409', 'apply'],
    ['kubectl create configmap c -n nowhere', 'create configmaps 404', 'mutate'],
    ['kubectl delete pod nobody', 'delete pods 404', 'etcd'],
    ['kubectl label pod nobody a=b', 'get pods 404', 'etcd'],
  ])('%s: at the station that said no', async (command, words, where) => {
    await lab.run(command);
    const journey = newest(lab, words, { who: 'people' });
    expect(journey.stage).toBe(where);
    expect(stage(journey, where).state).toBe('stopped');
  });
});

test('while etcd elects a leader the request waits at Raft, and ends as the terminal says', async () => {
  const lab = await cluster();
  const { trace } = lab.world.loop;
  const leader = trace.latest((fact) => fact.type === 'raft.role' && fact.data['role'] === 'Leader')!.data['member'] as string;
  // The member that the API server talks to lives on; the leader dies between proposal and commit.
  await lab.world.input({ type: 'run', id: 1_000_000, command: 'kubectl create configmap late 2> said; echo $? > code' });
  let waits: Journey | undefined;
  for (let i = 0; i < 20_000 && !waits; i++) {
    await lab.world.run(lab.now + 50);
    const propose = trace.latest((fact) => fact.type === 'etcd.propose' && fact.about === '/registry/configmaps/default/late');
    if (propose) {
      await lab.fault({ kind: 'node-power', node: leader, on: false });
      await lab.wait(ms(300));
      waits = journeyOf(trace, propose.id);
    }
  }
  expect(waits).toMatchObject({ stage: 'raft', request: { verb: 'create' } });
  expect(waits!.request.code).toBeUndefined();
  expect(stage(waits!, 'raft').state).toBe('waiting');
  await lab.wait(seconds(40));
  const code = Number(await lab.ok('cat code'));
  const done = journeyOf(trace, waits!.request.id)!;
  const elected = stage(done, 'raft').notes.filter(({ label }) => label === 'Election');
  expect(elected.length).toBeGreaterThan(0);
  expect(done.request.code! < 400).toBe(code === 0);
  expect(await lab.ok('cat said')).toContain(done.request.message ?? '');
}, 60_000);
