/** The conveyors: what the lens tells of queues, drift, causes and back-off; and that looking and pausing are what they say. */
import { describe, expect, test } from 'vitest';
import { Headless } from '../hosts/node.ts';
import type { LoopRecord, LoopsPicture } from '../hosts/protocol.ts';
import { createWorkqueue } from '../kubernetes/client/workqueue.ts';
import { ms, seconds } from '../sim/clock.ts';
import { Loop } from '../sim/loop.ts';
import { testHost } from '../sim/test-host.ts';
import { causeSentence, groupOf, LoopsLens } from './loops.ts';
import { cluster, isReady, type Lab } from './testing.ts';

class Onlooker {
  readonly lens: LoopsLens;
  private readonly records = new Map<string, LoopRecord>();
  private last: LoopsPicture | undefined;
  constructor(
    readonly lab: Lab,
    chosen?: string,
  ) {
    this.lens = new LoopsLens(lab.world.cluster);
    this.lens.chosen = chosen;
  }
  look(): LoopsPicture {
    const picture = this.lens.picture();
    if (picture) {
      this.last = picture;
      for (const record of picture.loops) this.records.set(record.id, record);
    }
    return this.last!;
  }
  of(id: string): LoopRecord {
    this.look();
    return this.records.get(id)!;
  }
}
const replicaSets = 'replicaset-controller';
const web = async (lab: Lab, count: number): Promise<void> => {
  await lab.ok(`kubectl create deployment web --image=nginx --replicas=${count}`);
  await lab.until(() => lab.pods('app=web').length === count && lab.pods('app=web').every(isReady), 'web');
};
const REFUSES = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: no-pods}
spec:
  failurePolicy: Fail
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  validations: [{expression: "false", message: no pods today}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: no-pods}
spec: {policyName: no-pods, validationActions: [Deny], matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: default}}}}
`;

test('every controller the manager started, the scheduler and the kubelets have a conveyor; the past is told to whoever comes late', async () => {
  const lab = await cluster('three-nodes');
  await web(lab, 2);
  const { loops } = lab.world.cluster;
  const onlooker = new Onlooker(lab, replicaSets);
  const { order, leases, closely } = onlooker.look();
  for (const { controller } of loops.running) expect(order).toContain(controller.name);
  expect(order).toHaveLength(loops.running.length + 1 + 4);
  expect(leases.map(({ component, node, copies }) => [component, node, copies.map(({ state }) => state)])).toEqual([
    ['kube-controller-manager', 'control-plane', ['leads']],
    ['kube-scheduler', 'control-plane', ['leads']],
  ]);
  const record = onlooker.of(replicaSets);
  expect(record).toMatchObject({
    role: 'controller',
    kind: 'ReplicaSet',
    state: 'running',
    steps: true,
    group: 'workloads',
    drift: { missing: 0, extra: 0, objects: 0 },
  });
  expect(record.pipes.map(({ kind, watching }) => [kind, watching])).toEqual(
    expect.arrayContaining([
      ['ReplicaSet', true],
      ['Pod', true],
    ]),
  );
  expect(record.ends.length).toBeGreaterThan(2);
  const created = closely!.reconciles.find(({ requests }) => requests.some(({ verb, resource }) => verb === 'create' && resource === 'pods'))!;
  expect(created.requests.filter(({ resource }) => resource === 'pods').map(({ code }) => code)).toContain(201);
  expect(closely!.reconciles.map(({ cause }) => cause)).toContain(`deployment-controller asked to create ReplicaSet default/${created.about.split('/')[2]}.`);
  expect(closely!.drifts.find(({ about }) => about === created.about)).toEqual({ about: created.about, what: 'pods', desired: 2, observed: 2 });
  expect(onlooker.of('kubelet@node-1').ends.length).toBeGreaterThan(0);
  expect(onlooker.of('kube-scheduler').counts.ended).toBeGreaterThan(0);
  expect(onlooker.lens.picture(), 'nothing new is no picture').toBeUndefined();
});

test('a paused controller: the drift stays and the queue fills, merged; a step works on one key; going on repairs the rest', async () => {
  const lab = await cluster('three-nodes');
  await web(lab, 3);
  const onlooker = new Onlooker(lab, replicaSets);
  await lab.fault({ kind: 'pause-loop', loop: replicaSets, on: true });
  expect(onlooker.of(replicaSets).state).toBe('paused');
  await lab.ok(`kubectl delete pod ${lab.pods('app=web')[0]!.metadata.name} --wait`);
  await lab.wait(seconds(40));
  const paused = onlooker.of(replicaSets);
  expect(paused.drift).toEqual({ missing: -1, extra: 0, objects: 1 });
  expect(paused.waiting).toHaveLength(1);
  expect(paused.waiting[0]).toMatchObject({ about: expect.stringMatching(/^ReplicaSet\/default\/web-/), after: false });
  expect(paused.waiting[0]!.adds).toBeGreaterThan(1);
  expect(onlooker.look().closely!.causes[0]!.sentence).toMatch(/^kubernetes-admin asked to delete Pod default\/web-/);
  expect(lab.pods('app=web')).toHaveLength(2);
  const before = paused.counts.ended;
  await lab.fault({ kind: 'step-loop', loop: replicaSets });
  await lab.wait(seconds(1));
  expect(onlooker.of(replicaSets).counts.ended).toBe(before + 1);
  expect(onlooker.of(replicaSets).drift.objects).toBe(0);
  expect(onlooker.of(replicaSets).waitingCount, 'what the step itself caused waits again').toBe(1);
  await lab.fault({ kind: 'pause-loop', loop: replicaSets, on: false });
  await lab.wait(seconds(20));
  expect(onlooker.of(replicaSets)).toMatchObject({ state: 'running', waitingCount: 0 });
  await lab.until(() => lab.pods('app=web').length === 3 && lab.pods('app=web').every(isReady), 'three again');
  await expect(lab.fault({ kind: 'step-loop', loop: replicaSets })).rejects.toThrow(`${replicaSets} is not paused`);
  await expect(lab.fault({ kind: 'pause-loop', loop: 'nobody', on: true })).rejects.toThrow('no controller "nobody" runs; there are ');
}, 30_000);

test('what cannot be written is tried again, twice as late each time; the delays told are those of the queue', async () => {
  const lab = await cluster('three-nodes');
  await lab.ok(`cat <<'EOF' | kubectl apply -f -\n${REFUSES}\nEOF`);
  await lab.wait(seconds(1));
  const onlooker = new Onlooker(lab, replicaSets);
  const from = lab.world.loop.trace.newest + 1;
  await lab.ok('kubectl create deployment web --image=nginx');
  await lab.wait(seconds(30));
  const record = onlooker.of(replicaSets);
  expect(record.delayed).toHaveLength(1);
  const { about, requeues, delay } = record.delayed[0]!;
  const told = lab.world.loop.trace.since(from, (fact) => fact.type === 'queue.requeue' && fact.by === replicaSets).map(({ data }) => Number(data['delay']));
  expect(requeues).toBe(told.length);
  expect(delay).toBe(told.at(-1));
  const [{ delays } = { delays: [] }] = onlooker.look().closely!.backoffs;
  expect(delays).toEqual(told);
  expect(delays.slice(0, 11)).toEqual(Array.from({ length: 11 }, (_, i) => ms(5) * 2 ** i));
  expect(record.ends[0]).toMatchObject({ about, outcome: 'retry', error: expect.stringContaining('no pods today') });
  expect(record.drift).toEqual({ missing: -1, extra: 0, objects: 1 });
  await lab.ok('kubectl delete validatingadmissionpolicybinding no-pods');
  await lab.until(() => onlooker.of(replicaSets).drift.objects === 0, 'it succeeds');
  expect(onlooker.look().closely!.backoffs).toEqual([]);
}, 30_000);

test('a pod that fits nowhere lies on the shelf of the scheduler; one that is started is the work of its kubelet', async () => {
  const lab = await cluster('single');
  const onlooker = new Onlooker(lab);
  await lab.ok(`kubectl run big --image=nginx --overrides='{"spec":{"containers":[{"name":"big","image":"nginx","resources":{"requests":{"cpu":"100"}}}]}}'`);
  await lab.wait(seconds(5));
  expect(onlooker.of('kube-scheduler')).toMatchObject({
    drift: { missing: -1, extra: 0, objects: 1 },
    waitingCount: 0,
    delayed: [{ about: 'Pod/default/big', requeues: 1 }],
  });
  expect(onlooker.of('kube-scheduler').ends[0]).toMatchObject({ outcome: 'retry', error: expect.stringContaining('0/2 nodes are available') });
  await lab.ok('kubectl run small --image=nginx');
  await lab.wait(ms(300));
  expect(onlooker.of('kubelet@node-1')).toMatchObject({ drift: { missing: -1, extra: 0, objects: 1 }, working: [{ about: 'Pod/default/small' }] });
  await lab.until(() => lab.pods('run=small').every(isReady), 'small');
  expect(onlooker.of('kubelet@node-1')).toMatchObject({ drift: { missing: 0, extra: 0, objects: 0 }, working: [] });
  await lab.fault({ kind: 'pause', process: 'kubelet@node-1', on: true });
  expect(onlooker.of('kubelet@node-1').state).toBe('paused');
}, 30_000);

test('while no API server answers the pipes are broken, and mend by themselves', async () => {
  const lab = await cluster('single');
  const onlooker = new Onlooker(lab);
  expect(onlooker.of(replicaSets).pipes.map(({ watching }) => watching)).toEqual([true, true]);
  await lab.fault({ kind: 'kill', process: 'kube-apiserver@control-plane' });
  await lab.wait(ms(100));
  expect(onlooker.of(replicaSets).pipes.map(({ watching }) => watching)).toEqual([false, false]);
  expect(
    onlooker.of(replicaSets).pipes.every(({ objects }) => objects > 0),
    'the copies stay',
  ).toBe(true);
  await lab.until(() => onlooker.of(replicaSets).pipes.every(({ watching }) => watching), 'the watches are back', seconds(120));
}, 30_000);

test('looking changes nothing; pausing is replayed', async () => {
  const told = async (watch: boolean) => {
    const lab = await cluster('single', 4);
    const onlooker = watch ? new Onlooker(lab, replicaSets) : undefined;
    await lab.fault({ kind: 'pause-loop', loop: replicaSets, on: true });
    for (let i = 0; i < 20; i++) {
      await lab.wait(ms(333));
      onlooker?.look();
    }
    return lab.world.hash();
  };
  expect(await told(true)).toBe(await told(false));
});

test('a session in which loops were paused and stepped replays to the same world', async () => {
  const lab = await cluster('single', 4);
  await lab.fault({ kind: 'pause-loop', loop: replicaSets, on: true });
  await lab.fault({ kind: 'pause-loop', loop: 'node-controller', on: true });
  await lab.ok('kubectl create deployment web --image=nginx');
  await lab.wait(seconds(2));
  await lab.fault({
    kind: 'step-loop',
    loop: replicaSets,
    key: `default/${lab.objects('replicasets').find(({ metadata }) => metadata.namespace === 'default')!.metadata.name}`,
  });
  await lab.wait(seconds(2));
  expect(lab.pods('app=web')).toHaveLength(1);
  const again = new Headless(lab.world.session);
  await again.world.run(lab.now, { maxEvents: lab.world.loop.events });
  expect([again.world.loop.events, again.world.hash()]).toEqual([lab.world.loop.events, lab.world.hash()]);
});

test('two copies: one leads; when it stands still the other takes the lease after it expires, and the conveyors go with it', async () => {
  const lab = await cluster('three-nodes');
  await lab.ok(
    'ssh control-plane cat /etc/kubernetes/manifests/kube-controller-manager.yaml > kcm.yaml; ssh node-1 mkdir -p /etc/kubernetes/manifests; scp kcm.yaml node-1:/etc/kubernetes/manifests/',
  );
  const onlooker = new Onlooker(lab);
  const lease = () => onlooker.look().leases.find(({ component }) => component === 'kube-controller-manager')!;
  await lab.until(() => lease().copies.length === 2, 'the second copy', seconds(60));
  expect(lease().copies.map(({ node, state }) => [node, state])).toEqual([
    ['control-plane', 'leads'],
    ['node-1', 'waits'],
  ]);
  const { expiresAt } = lease();
  expect(expiresAt).toBeGreaterThan(lab.now);
  await lab.fault({ kind: 'pause', process: 'kube-controller-manager@control-plane', on: true });
  expect(onlooker.of(replicaSets)).toMatchObject({ state: 'stopped' });
  await lab.until(() => lease().node === 'node-1', 'the other takes it', seconds(60));
  expect(lab.now).toBeGreaterThan(expiresAt);
  expect(lease().copies.filter(({ state }) => state === 'leads')).toHaveLength(1);
  expect(onlooker.of(replicaSets)).toMatchObject({ state: 'running', where: 'kube-controller-manager@node-1' });
  await lab.fault({ kind: 'pause', process: 'kube-controller-manager@control-plane', on: false });
  await lab.wait(seconds(5));
  expect(lease().node).toBe('node-1');
}, 30_000);

describe('a queue that is held', () => {
  test('hands out nothing, then one key a step, then all; what is asked for again meanwhile is one', async () => {
    const loop = new Loop({ seed: 1, host: testHost });
    const worked: string[] = [];
    loop.spawn('q', async (self) => {
      const queue = createWorkqueue(self, 'q', 'Pod');
      const work = async (): Promise<never> => {
        for (;;) {
          const key = await queue.get();
          worked.push(key);
          await self.clock.sleep(ms(10));
          queue.done(key);
        }
      };
      void work();
      queue.add('a');
      await self.clock.sleep(ms(1));
      for (let i = 0; i < 5; i++) queue.add('a');
      expect(queue.look()).toMatchObject({ processing: ['a'], again: [{ key: 'a', adds: 5 }], waiting: [] });
      queue.hold(true);
      for (const key of ['b', 'c', 'b']) queue.add(key);
      await self.clock.sleep(ms(50));
      expect(worked).toEqual(['a']);
      expect(queue.look().waiting.map(({ key, adds }) => [key, adds])).toEqual([
        ['b', 2],
        ['c', 1],
        ['a', 5],
      ]);
      expect(queue.step('nobody')).toBe(false);
      expect(queue.step('c')).toBe(true);
      await self.clock.sleep(ms(50));
      expect(worked).toEqual(['a', 'c']);
      queue.hold(false);
      await self.clock.sleep(ms(50));
      expect(worked).toEqual(['a', 'c', 'b', 'a']);
      // The cap of the back-off, with nobody working: failures are only counted.
      queue.hold(true);
      for (let i = 0; i < 30; i++) queue.addRateLimited('d');
      expect(queue.look().delayed).toEqual([expect.objectContaining({ key: 'd', requeues: 30 })]);
    });
    await loop.run(seconds(1));
    expect(loop.lateTouches).toBe(0);
    const delays = loop.trace.since(0, ({ type }) => type === 'queue.requeue').map(({ data }) => data['delay']);
    expect(delays.slice(0, 4)).toEqual([5_000, 10_000, 20_000, 40_000]);
    expect(delays.at(-1)).toBe(seconds(1000));
    expect(worked).toHaveLength(4);
  });
});

test.each([
  ['ReplicaSet', [], 'workloads'],
  ['CronJob', [], 'workloads'],
  ['PodDisruptionBudget', [], 'workloads'],
  ['HorizontalPodAutoscaler', [], 'workloads'],
  ['Service', [], 'network'],
  ['Node', [], 'nodes'],
  ['', ['Pod', 'Node'], 'nodes'],
  ['', ['Pod', 'ReplicaSet', 'Node', 'Job', 'Service'], 'housekeeping'],
  ['Namespace', [], 'housekeeping'],
  ['NobodyKnows', [], 'housekeeping'],
])('a controller for "%s" that listens to %o is among the %s', (kind, listens, group) => {
  expect(groupOf(kind, listens)).toBe(group);
});

test('the cause of a key is told in a sentence', () => {
  const fact = (type: string, by: string, about: string, data = {}) => ({ id: 1, at: 0, type, by, cause: 0, about, data });
  const key = fact('queue.add', 'c', 'Pod/default/a');
  expect(causeSentence([key, fact('queue.requeue', 'c', 'Pod/default/a', { requeues: 3, delay: 20_000 })], 'c')).toBe(
    'It failed for the 3rd time in a row, and was put off for 20 ms.',
  );
  expect(causeSentence([key, fact('reconcile.start', 'c', 'Pod/default/a')], 'c')).toBe('An earlier look at it asked for this one.');
  expect(causeSentence([key, fact('fault', 'user', 'x', { kind: 'node-power', node: 'node-1', on: false })], 'c')).toBe(
    'The power of node-1 was switched off.',
  );
  expect(causeSentence([key], 'c')).toBe('');
});
