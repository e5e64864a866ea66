/**
 * Scheduling on a whole cluster: what kubernetes.io's pages under "Scheduling, Preemption and Eviction" and "Configure Multiple
 * Schedulers" say comes of their examples, with the texts kube-scheduler v1.33 writes.
 */
import { beforeAll, expect, test } from 'vitest';
import type { AttemptRecord, FilterFact } from '../kubernetes/scheduler/attempts.ts';
import { seconds } from '../sim/clock.ts';
import { cluster, conditionOf, isReady, type Lab } from './testing.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await cluster('three-nodes');
}, 120_000);

const apply = (...objects: object[]): Promise<string> =>
  lab.ok(`kubectl apply -f - <<'EOF'\n${objects.map((object) => JSON.stringify(object)).join('\n---\n')}\nEOF`);
const pod = (name: string, spec: object = {}, labels: Record<string, string> = {}, requests?: object): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { test: name.split('-')[0]!, ...labels } },
  spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'c', image: 'nginx', ...(requests ? { resources: { requests } } : {}) }], ...spec },
});
const find = (name: string) => lab.pods().find(({ metadata }) => metadata.name === name);
const nodeOf = (name: string): string | undefined => find(name)?.spec?.nodeName;
const events = (name: string) => lab.events(`Pod/${name}`).map(({ type, reason, message }) => `${type} ${reason} ${message}`);
const condition = (name: string) => find(name)?.status?.conditions?.find(({ type }) => type === 'PodScheduled');
const pendingWith = async (name: string, message: string): Promise<void> => {
  await lab.until(() => condition(name)?.message !== undefined, `${name} is found unschedulable`, seconds(60));
  expect(condition(name)).toMatchObject({ status: 'False', reason: 'Unschedulable', message });
  await lab.until(() => events(name).some((event) => event.startsWith('Warning FailedScheduling')), 'the event', seconds(10));
  expect(events(name)).toContain(`Warning FailedScheduling ${message}`);
};
const clean = async (): Promise<void> => {
  await lab.ok('kubectl delete pods --all --wait=false');
  await lab.until(() => lab.pods().length === 0, 'all gone');
};
const PREEMPTION = (n: number) => `preemption: 0/${n} nodes are available: ${n} Preemption is not helpful for scheduling.`;
const CONTROL_PLANE = '1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }';

test('too little cpu anywhere: Pending with the reason on each node; the event says the same', async () => {
  await apply(pod('huge', {}, {}, { cpu: '100' }));
  const total = lab.objects('nodes').length;
  await pendingWith('huge', `0/${total} nodes are available: ${CONTROL_PLANE}, ${total - 1} Insufficient cpu. ${PREEMPTION(total)}`);
  expect(find('huge')!.status!.phase).toBe('Pending');
  await clean();
});

test('a node selector nobody matches; labelling a node is what its hint waits for', async () => {
  await apply(pod('choosy', { nodeSelector: { disktype: 'ssd' } }));
  const total = lab.objects('nodes').length;
  await pendingWith(
    'choosy',
    `0/${total} nodes are available: ${CONTROL_PLANE}, ${total - 1} node(s) didn't match Pod's node affinity/selector. ${PREEMPTION(total)}`,
  );
  const worker = lab
    .objects('nodes')
    .map(({ metadata }) => metadata.name!)
    .find((name) => name !== 'control-plane')!;
  const tries = () => lab.world.loop.trace.since(0, ({ type, about }) => type === 'sched.start' && about === 'Pod/default/choosy').length;
  const before = tries();
  // Heartbeats, and a label it does not ask for, are no reason to try again.
  await lab.ok(`kubectl label node ${worker} colour=blue`);
  await lab.wait(seconds(20));
  expect(tries()).toBe(before);
  await lab.ok(`kubectl label node ${worker} disktype=ssd`);
  await lab.until(() => nodeOf('choosy') === worker, 'scheduled on the labelled node', seconds(30));
  expect(events('choosy').at(-1)).toMatch(/./);
  expect(events('choosy')).toContain(`Normal Scheduled Successfully assigned default/choosy to ${worker}`);
  const moved = lab.world.loop.trace.latest(({ type, about }) => type === 'sched.queue' && about === 'Pod/default/choosy');
  expect(moved?.data).toMatchObject({ event: 'NodeUpdateNodeLabel', plugin: 'NodeAffinity' });
  await lab.ok(`kubectl label node ${worker} disktype- colour-`);
  await clean();
});

test('taints keep off, tolerations let in', async () => {
  const workers = lab
    .objects('nodes')
    .map(({ metadata }) => metadata.name!)
    .filter((name) => name !== 'control-plane');
  await lab.ok(`kubectl taint nodes ${workers.join(' ')} key1=value1:NoSchedule`);
  await apply(pod('plain'), pod('tolerant', { tolerations: [{ key: 'key1', operator: 'Equal', value: 'value1', effect: 'NoSchedule' }] }));
  const total = workers.length + 1;
  await pendingWith(
    'plain',
    `0/${total} nodes are available: ${CONTROL_PLANE}, ${workers.length} node(s) had untolerated taint {key1: value1}. ${PREEMPTION(total)}`,
  );
  await lab.until(() => nodeOf('tolerant') !== undefined, 'tolerant is scheduled', seconds(30));
  await lab.ok(`kubectl taint nodes ${workers.join(' ')} key1=value1:NoSchedule-`);
  await lab.until(() => nodeOf('plain') !== undefined, 'plain is scheduled', seconds(30));
  await clean();
});

test('cordoned nodes are unschedulable; uncordon brings the pod in', async () => {
  const workers = lab
    .objects('nodes')
    .map(({ metadata }) => metadata.name!)
    .filter((name) => name !== 'control-plane');
  await lab.ok(`kubectl cordon ${workers.join(' ')}`);
  await apply(pod('shut'));
  const total = workers.length + 1;
  await pendingWith('shut', `0/${total} nodes are available: ${CONTROL_PLANE}, ${workers.length} node(s) were unschedulable. ${PREEMPTION(total)}`);
  await lab.ok(`kubectl uncordon ${workers.join(' ')}`);
  await lab.until(() => nodeOf('shut') !== undefined, 'scheduled', seconds(30));
  await clean();
});

test('scheduling gates: not tried until they are gone', async () => {
  await apply(pod('gated', { schedulingGates: [{ name: 'example.com/foo' }, { name: 'example.com/bar' }] }));
  await lab.wait(seconds(15));
  expect(condition('gated')).toMatchObject({ status: 'False', reason: 'SchedulingGated', message: 'Scheduling is blocked due to non-empty scheduling gates' });
  expect(events('gated')).toEqual([]);
  expect(await lab.ok('kubectl get pod gated')).toContain('SchedulingGated');
  await lab.ok(`kubectl patch pod gated --type=json -p '[{"op":"remove","path":"/spec/schedulingGates"}]'`);
  await lab.until(() => nodeOf('gated') !== undefined, 'scheduled', seconds(30));
  await clean();
});

test('required anti-affinity: one a node, the next one waits', async () => {
  const apart = {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: { app: 'store' } }, topologyKey: 'kubernetes.io/hostname' }],
    },
  };
  const workers = lab.objects('nodes').length - 1;
  for (let i = 0; i <= workers; i++) await apply(pod(`store-${i}`, { affinity: apart }, { app: 'store' }));
  const waiting = () => lab.pods('app=store').filter(({ spec }) => spec?.nodeName === undefined);
  await lab.until(() => waiting().length === 1 && condition(waiting()[0]!.metadata.name!)?.message !== undefined, 'all but one', seconds(60));
  const [left] = waiting();
  const total = workers + 1;
  expect(new Set(lab.pods('app=store').map(({ spec }) => spec?.nodeName)).size).toBe(total);
  await pendingWith(
    left!.metadata.name!,
    `0/${total} nodes are available: ${CONTROL_PLANE}, ${workers} node(s) didn't match pod anti-affinity rules. preemption: 0/${total} nodes are available: 1 Preemption is not helpful for scheduling, ${workers} No preemption victims found for incoming pod.`,
  );
  const other = lab.pods('app=store').find(({ spec }) => spec?.nodeName !== undefined)!;
  await lab.ok(`kubectl delete pod ${other.metadata.name} --wait=false`);
  await lab.until(() => nodeOf(left!.metadata.name!) !== undefined, 'its place is taken', seconds(60));
  await clean();
});

test('topology spread: replicas stay within maxSkew of one another', async () => {
  const template = {
    metadata: { labels: { app: 'even' } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'c', image: 'nginx' }],
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'kubernetes.io/hostname',
          whenUnsatisfiable: 'DoNotSchedule',
          nodeTaintsPolicy: 'Honor',
          labelSelector: { matchLabels: { app: 'even' } },
        },
      ],
    },
  };
  await apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'even' },
    spec: { replicas: 7, selector: { matchLabels: { app: 'even' } }, template },
  });
  await lab.until(() => lab.pods('app=even').filter(({ spec }) => spec?.nodeName).length === 7, 'seven placed', seconds(60));
  const counts = new Map<string, number>();
  for (const { spec } of lab.pods('app=even')) counts.set(spec!.nodeName!, (counts.get(spec!.nodeName!) ?? 0) + 1);
  expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThanOrEqual(1);
  expect(counts.size).toBe(lab.objects('nodes').length - 1);
  await lab.ok('kubectl delete deployment even');
  await clean();
});

test('preemption: a pod of a higher PriorityClass has lower ones evicted, and takes the node cleared for it', async () => {
  const workers = lab
    .objects('nodes')
    .map(({ metadata }) => metadata.name!)
    .filter((name) => name !== 'control-plane');
  const big = { cpu: '2500m' };
  await apply(
    { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'high-priority' }, value: 1000000 },
    ...workers.map((_, i) => pod(`filler-${i}`, {}, { app: 'filler' }, big)),
  );
  await lab.until(() => workers.every((_, i) => isReady(find(`filler-${i}`) ?? ({ metadata: {} } as never))), 'full', seconds(120));
  await apply(pod('urgent', { priorityClassName: 'high-priority' }, {}, big));
  await lab.until(() => nodeOf('urgent') !== undefined, 'urgent has a node', seconds(120));
  const node = nodeOf('urgent')!;
  const victims = workers.map((_, i) => `filler-${i}`).filter((name) => find(name) === undefined);
  expect(victims).toHaveLength(1);
  const uid = find('urgent')!.metadata.uid;
  expect(events(victims[0]!)).toContain(`Normal Preempted Preempted by pod ${uid} on node ${node}`);
  const total = workers.length + 1;
  // With a remedy at hand the text ends at the reasons.
  expect(events('urgent')).toContain(`Warning FailedScheduling 0/${total} nodes are available: ${CONTROL_PLANE}, ${workers.length} Insufficient cpu.`);
  const chosen = lab.world.loop.trace.latest(({ type, about }) => type === 'sched.postfilter' && about === 'Pod/default/urgent');
  expect(chosen?.data).toMatchObject({ node, victims: [{ pod: `default/${victims[0]}`, priority: 0, violatesBudget: false }] });
  const nominated = lab.world.loop.trace.latest(({ type, about }) => type === 'sched.start' && about === 'Pod/default/urgent');
  expect(nominated?.data['attempt']).toBeGreaterThan(1);
  await clean();
});

test('every attempt is a fact: verdict by node and plugin, raw and normalized score, what was skipped', async () => {
  await apply(pod('told', {}, {}, { cpu: '100m' }));
  await lab.until(() => nodeOf('told') !== undefined, 'scheduled', seconds(30));
  const facts = lab.world.loop.trace.since(0, ({ type, about }) => about === 'Pod/default/told' && type.startsWith('sched.'));
  expect(facts.map(({ type }) => type)).toEqual(['sched.enqueue', 'sched.start', 'sched.filter', 'sched.score', 'sched.select', 'sched.bind']);
  const filter = facts[2]!.data as unknown as FilterFact;
  expect(filter).toMatchObject({ attempt: 1, total: lab.objects('nodes').length, reasons: [CONTROL_PLANE] });
  expect(filter.skipped).toEqual(expect.arrayContaining(['NodeAffinity', 'NodePorts', 'PodTopologySpread', 'InterPodAffinity']));
  const record: AttemptRecord = filter.record!;
  expect(record.rejected).toEqual([
    {
      plugin: 'TaintToleration',
      reasons: ['node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }'],
      unresolvable: true,
      nodes: ['control-plane'],
    },
  ]);
  expect(record.feasible).toHaveLength(lab.objects('nodes').length - 1);
  expect(record.scores.map(({ plugin, weight }) => `${plugin} ${weight}`)).toEqual([
    'TaintToleration 3',
    'NodeResourcesFit 1',
    'NodeResourcesBalancedAllocation 1',
    'ImageLocality 1',
  ]);
  const totals = record.feasible.map((_, i) => record.scores.reduce((sum, { normalized, weight }) => sum + normalized[i]! * weight, 0));
  expect(record.totals).toEqual(totals);
  expect(record.feasible[totals.indexOf(Math.max(...totals))] === nodeOf('told') || (facts[3]!.data['ties'] as number) > 1).toBe(true);
  await clean();
});

const MY_SCHEDULER = (config: string): object[] => [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'my-scheduler', namespace: 'kube-system' } },
  ...['kube-scheduler', 'volume-scheduler'].map((role) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: `my-scheduler-as-${role}` },
    subjects: [{ kind: 'ServiceAccount', name: 'my-scheduler', namespace: 'kube-system' }],
    roleRef: { kind: 'ClusterRole', name: `system:${role}`, apiGroup: 'rbac.authorization.k8s.io' },
  })),
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'my-scheduler-config', namespace: 'kube-system' }, data: { 'my-scheduler-config.yaml': config } },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'my-scheduler', namespace: 'kube-system', labels: { component: 'scheduler' } },
    spec: {
      replicas: 1,
      selector: { matchLabels: { component: 'second' } },
      template: {
        metadata: { labels: { component: 'second' } },
        spec: {
          serviceAccountName: 'my-scheduler',
          containers: [
            {
              name: 'kube-second-scheduler',
              image: 'registry.k8s.io/kube-scheduler:v1.33.1',
              command: ['/usr/local/bin/kube-scheduler', '--config=/etc/kubernetes/my-scheduler/my-scheduler-config.yaml'],
              livenessProbe: { httpGet: { path: '/healthz', port: 10259, scheme: 'HTTPS' }, initialDelaySeconds: 15 },
              readinessProbe: { httpGet: { path: '/healthz', port: 10259, scheme: 'HTTPS' } },
              volumeMounts: [{ name: 'config-volume', mountPath: '/etc/kubernetes/my-scheduler' }],
            },
          ],
          volumes: [{ name: 'config-volume', configMap: { name: 'my-scheduler-config' } }],
        },
      },
    },
  },
];

test('a second scheduler, as the page "Configure Multiple Schedulers" sets it up, with plugins of its own choosing', async () => {
  await apply(pod('by-second', { schedulerName: 'my-scheduler' }), pod('by-nobody', { schedulerName: 'nobody' }));
  await lab.wait(seconds(15));
  // Nobody answers to the name yet: no attempt, no event.
  expect([nodeOf('by-second'), events('by-second')]).toEqual([undefined, []]);
  await apply(
    ...MY_SCHEDULER(`apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
  - schedulerName: my-scheduler
    pluginConfig:
      - name: NodeResourcesFit
        args:
          scoringStrategy:
            type: MostAllocated
    plugins:
      score:
        disabled:
          - name: "*"
        enabled:
          - name: NodeResourcesFit
            weight: 7
leaderElection:
  leaderElect: false
`),
  );
  await lab.until(() => nodeOf('by-second') !== undefined, 'my-scheduler placed it', seconds(180));
  await lab.until(() => isReady(find('by-second')!), 'it runs', seconds(120));
  const scheduled = lab.events('Pod/by-second').find(({ reason }) => reason === 'Scheduled')!;
  expect(scheduled.source?.component).toBe('my-scheduler');
  expect(nodeOf('by-nobody')).toBeUndefined();
  // Most allocated: they all go where the first went.
  for (let i = 0; i < 3; i++) await apply(pod(`packed-${i}`, { schedulerName: 'my-scheduler' }, { app: 'packed' }, { cpu: '100m', memory: '100Mi' }));
  await lab.until(() => lab.pods('app=packed').every(({ spec }) => spec?.nodeName), 'placed', seconds(60));
  expect(new Set(lab.pods('app=packed').map(({ spec }) => spec!.nodeName)).size).toBe(1);
  const score = lab.world.loop.trace.latest(({ type, about }) => type === 'sched.score' && about === 'Pod/default/packed-2');
  expect((score!.data['points'] as readonly { plugin: string; weight: number }[]).map(({ plugin, weight }) => `${plugin} ${weight}`)).toEqual([
    'NodeResourcesFit 7',
  ]);
  expect(conditionOf(find('packed-2')!, 'PodScheduled')).toBe('True');
  await lab.ok('kubectl -n kube-system delete deployment my-scheduler');
  await clean();
});
