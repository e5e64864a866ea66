/** The queues: upstream `pkg/scheduler/backend/queue/scheduling_queue.go`, KEP-4247 (queueing hints), KEP-5142 (pop from backoffQ). */
import { expect, test } from 'vitest';
import { seconds } from '../../sim/clock.ts';
import { Loop } from '../../sim/loop.ts';
import type { Process } from '../../sim/process.ts';
import { testHost } from '../../sim/test-host.ts';
import type { Node, Pod, PodSpec } from '../api/types.gen.ts';
import { nodeEvents, podEvents } from './cluster-events.ts';
import { defaultProfile } from './profile.ts';
import { type QueueOptions, SchedulingQueue } from './queue.ts';

const pod = (name: string, spec: Partial<PodSpec> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', uid: name, labels: { app: name } },
  spec: { containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }], ...spec },
});
const node = (name: string, change: Partial<Node['metadata']> = {}, spec: Node['spec'] = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, ...change },
  spec,
  status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110' } },
});

/** Runs `play` in a world, with the list of what was popped and when (in seconds). */
async function world(play: (queue: SchedulingQueue, self: Process) => Promise<void>, options: QueueOptions = {}, limit = 1000) {
  const loop = new Loop({ seed: 1, host: testHost });
  const popped: [string, number][] = [];
  let done = false;
  loop.spawn('test', async (self) => {
    const queue = new SchedulingQueue(self, () => defaultProfile, defaultProfile.queueSort, options);
    self.spawn('popper', async () => {
      for (;;) {
        const entry = await queue.next();
        if (!done) popped.push([`${entry.key.slice(8)}#${entry.attempts}`, self.clock.now() / 1_000_000]);
        const verdict = verdicts.get(entry.pod.metadata.name!);
        await self.clock.sleep(1);
        if (verdict === undefined) queue.done(entry.key);
        else queue.unschedulableAgain(entry, verdict);
      }
    });
    await play(queue, self);
    done = true;
    await new Promise<never>(() => {});
  });
  await loop.run(seconds(limit));
  expect(done).toBe(true);
  return { popped, moves: loop.trace.since(0, ({ type }) => type === 'sched.queue').map(({ data }) => data) };
}
const verdicts = new Map<string, readonly string[]>();

test('PrioritySort: higher priority first, then who came first', async () => {
  verdicts.clear();
  const { popped } = await world(async (queue, self) => {
    for (const [name, priority] of [
      ['a', 0],
      ['b', 10],
      ['c', 0],
      ['d', 10],
    ] as const) {
      queue.add(pod(name, { priority }));
      if (name === 'a') continue;
    }
    await self.clock.sleep(10);
  });
  expect(popped.map(([name]) => name)).toEqual(['b#1', 'd#1', 'a#1', 'c#1']);
});

test('an error is tried again after 1 s, 2 s, 4 s, 8 s, then every 10 s', async () => {
  verdicts.clear();
  verdicts.set('broken', []);
  const { popped } = await world(async (queue, self) => {
    queue.add(pod('broken'));
    await self.clock.sleep(seconds(50));
  });
  const at = popped.map(([, when]) => Math.round(when));
  expect(at.slice(0, 7)).toEqual([0, 1, 3, 7, 15, 25, 35]);
});

test('turned down: waits for an event its plugin cares for; without one, five minutes (UnschedulableTimeout)', async () => {
  verdicts.clear();
  verdicts.set('big', ['NodeResourcesFit']);
  const { popped, moves } = await world(
    async (queue, self) => {
      queue.add(pod('big'));
      await self.clock.sleep(seconds(20));
      // Nobody waits for a label, a taint or an annotation here.
      for (const after of [
        node('n', { labels: { a: 'b' } }),
        node('n', {}, { taints: [{ key: 'k', effect: 'NoSchedule' }] }),
        node('n', { annotations: { a: 'b' } }),
      ])
        for (const event of nodeEvents(node('n'), after)) queue.wake(event);
      await self.clock.sleep(seconds(320));
    },
    {},
    400,
  );
  expect(popped.map(([name]) => name)).toEqual(['big#1', 'big#2']);
  expect(popped[1]![1]).toBeGreaterThanOrEqual(300);
  expect(popped[1]![1]).toBeLessThanOrEqual(330);
  expect(moves.at(-1)).toMatchObject({ to: 'active', event: 'UnschedulableTimeout' });
});

test.each<[string, boolean, number]>([
  ['is tried at once when nothing else is ready (v1.33)', true, 0.1],
  ['serves its back-off when that is turned off', false, 1],
])('woken during its back-off, a pod %s', async (_, popFromBackoff, expected) => {
  verdicts.clear();
  verdicts.set('big', ['NodeResourcesFit']);
  const { popped, moves } = await world(
    async (queue, self) => {
      queue.add(pod('big'));
      await self.clock.sleep(100_000);
      for (const event of podEvents(pod('gone', { nodeName: 'n' }), undefined)) queue.wake(event);
      await self.clock.sleep(seconds(5));
    },
    { popFromBackoff },
  );
  expect(popped[1]![1]).toBeCloseTo(expected, 2);
  expect(moves[0]).toMatchObject({ to: 'backoff', event: 'AssignedPodDelete', plugin: 'NodeResourcesFit' });
});

test('what happens during an attempt counts as if it came after', async () => {
  verdicts.clear();
  verdicts.set('big', ['NodeResourcesFit']);
  const { popped } = await world(async (queue, self) => {
    queue.add(pod('big'));
    // The attempt takes a microsecond; the node comes in its midst.
    self.clock.after(0, () => {
      for (const event of nodeEvents(undefined, node('new'))) queue.wake(event);
    });
    await self.clock.sleep(seconds(3));
  });
  expect(popped.map(([name]) => name)).toEqual(['big#1', 'big#2']);
});

test('gates: never tried while there are any; the last one gone, at once', async () => {
  verdicts.clear();
  const gated = pod('gated', { schedulingGates: [{ name: 'a' }, { name: 'b' }] });
  const { popped, moves } = await world(async (queue, self) => {
    queue.add(gated);
    await self.clock.sleep(seconds(400));
    expect(queue.lengths).toEqual({ active: 0, backoff: 0, unschedulable: 0, gated: 1 });
    const half = { ...gated, spec: { ...gated.spec!, schedulingGates: [{ name: 'a' }] } };
    queue.update(gated, half);
    expect(queue.lengths.gated).toBe(1);
    queue.update(half, pod('gated'));
    await self.clock.sleep(10);
  });
  expect(popped).toHaveLength(1);
  expect(moves).toEqual([
    { to: 'gated', plugin: 'SchedulingGates', reason: 'waiting for scheduling gates: [a b]' },
    { to: 'active', event: 'UnscheduledPodUpdatePodSchedulingGatesEliminated', plugin: 'SchedulingGates' },
  ]);
});

test('while its victims are being evicted a pod is not woken', async () => {
  verdicts.clear();
  verdicts.set('big', ['NodeResourcesFit']);
  const { popped } = await world(async (queue, self) => {
    const gone = () => {
      for (const event of podEvents(pod('gone', { nodeName: 'n' }), undefined)) queue.wake(event);
    };
    queue.add(pod('big'));
    await self.clock.sleep(seconds(12));
    queue.setPreempting('default/big', true);
    gone();
    await self.clock.sleep(seconds(1));
    queue.setPreempting('default/big', false);
    gone();
    await self.clock.sleep(seconds(1));
  });
  expect(popped.map(([name, when]) => [name, Math.round(when)])).toEqual([
    ['big#1', 0],
    ['big#2', 13],
  ]);
});

test.each<[string, Node, Node, string[]]>([
  ['heartbeat', node('n'), { ...node('n'), status: { ...node('n').status!, conditions: [] } }, []],
  ['cordon', node('n'), node('n', {}, { unschedulable: true }), []],
  ['uncordon', node('n', {}, { unschedulable: true }), node('n'), ['NodeUpdateNodeTaint']],
  ['taint', node('n'), node('n', {}, { taints: [{ key: 'k', effect: 'NoSchedule' }] }), ['NodeUpdateNodeTaint']],
  ['label', node('n'), node('n', { labels: { a: 'b' } }), ['NodeUpdateNodeLabel']],
  ['annotation', node('n'), node('n', { annotations: { a: 'b' } }), ['NodeUpdateNodeAnnotation']],
  ['size', node('n'), { ...node('n'), status: { allocatable: { cpu: '8', memory: '8Gi', pods: '110' } } }, ['NodeUpdateNodeAllocatable']],
  ['Ready', node('n'), { ...node('n'), status: { ...node('n').status!, conditions: [{ type: 'Ready', status: 'True' }] } }, ['NodeUpdateNodeCondition']],
])("what a node's change is: %s (nodeSchedulingPropertiesChange)", (_, before, after, labels) => {
  expect(nodeEvents(before, after).map(({ label }) => label)).toEqual(labels);
});

/** Rejected by the plugin, then this happens: does its hint wake the pod? Upstream: the isSchedulableAfter… functions of each plugin. */
const store = { matchLabels: { app: 'store' } };
const affine = (kind: 'podAffinity' | 'podAntiAffinity'): Pod =>
  pod('p', { affinity: { [kind]: { requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: store, topologyKey: 'zone' }] } } });
const other = (labels: Record<string, string>, nodeName?: string, spec: Partial<PodSpec> = {}): Pod => ({
  ...pod('other', { ...spec, ...(nodeName ? { nodeName } : {}) }),
  metadata: { name: 'other', namespace: 'default', uid: 'other', labels },
});
const spreading = pod('p', { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: store }] });
const gpu = (n: string): Node => ({ ...node('n'), status: { allocatable: { cpu: n, memory: '8Gi', pods: '110' } } });
test.each<[string, string, Pod, Node | Pod | undefined, Node | Pod | undefined, boolean]>([
  ['NodeAffinity', 'a node comes that matches', pod('p', { nodeSelector: { disk: 'ssd' } }), undefined, node('n', { labels: { disk: 'ssd' } }), true],
  ['NodeAffinity', 'a node comes that does not', pod('p', { nodeSelector: { disk: 'ssd' } }), undefined, node('n'), false],
  ['NodeAffinity', 'a node gets the label', pod('p', { nodeSelector: { disk: 'ssd' } }), node('n'), node('n', { labels: { disk: 'ssd' } }), true],
  [
    'NodeAffinity',
    'a node had it all along',
    pod('p', { nodeSelector: { disk: 'ssd' } }),
    node('n', { labels: { disk: 'ssd' } }),
    node('n', { labels: { disk: 'ssd', a: 'b' } }),
    false,
  ],
  ['TaintToleration', 'the taint goes', pod('p'), node('n', {}, { taints: [{ key: 'k', effect: 'NoSchedule' }] }), node('n'), true],
  [
    'TaintToleration',
    'another one stays',
    pod('p'),
    node(
      'n',
      {},
      {
        taints: [
          { key: 'k', effect: 'NoSchedule' },
          { key: 'l', effect: 'NoSchedule' },
        ],
      },
    ),
    node('n', {}, { taints: [{ key: 'l', effect: 'NoSchedule' }] }),
    false,
  ],
  ['NodeUnschedulable', 'uncordoned', pod('p'), node('n', {}, { unschedulable: true }), node('n'), true],
  ['NodeUnschedulable', 'a cordoned node comes', pod('p'), undefined, node('n', {}, { unschedulable: true }), false],
  ['NodeName', 'a node comes', pod('p'), undefined, node('n'), true],
  [
    'NodePorts',
    'who had the port goes',
    pod('p', { containers: [{ name: 'c', ports: [{ containerPort: 1, hostPort: 80 }] }] }),
    other({}, 'n', { containers: [{ name: 'c', ports: [{ containerPort: 1, hostPort: 80 }] }] }),
    undefined,
    true,
  ],
  [
    'NodePorts',
    'another port is free',
    pod('p', { containers: [{ name: 'c', ports: [{ containerPort: 1, hostPort: 80 }] }] }),
    other({}, 'n', { containers: [{ name: 'c', ports: [{ containerPort: 1, hostPort: 81 }] }] }),
    undefined,
    false,
  ],
  ['NodeResourcesFit', 'a placed pod goes', pod('p'), other({}, 'n'), undefined, true],
  ['NodeResourcesFit', 'a waiting pod goes', pod('p'), other({}), undefined, false],
  ['NodeResourcesFit', 'a node grows', pod('p'), gpu('2'), gpu('4'), true],
  ['NodeResourcesFit', 'a node shrinks', pod('p'), gpu('4'), gpu('2'), false],
  ['NodeResourcesFit', 'a node comes that is too small', pod('p'), undefined, gpu('500m'), false],
  ['InterPodAffinity', 'wanted company comes', affine('podAffinity'), undefined, other({ app: 'store' }, 'n'), true],
  ['InterPodAffinity', 'other company comes', affine('podAffinity'), undefined, other({ app: 'web' }, 'n'), false],
  ['InterPodAffinity', 'unwanted company goes', affine('podAntiAffinity'), other({ app: 'store' }, 'n'), undefined, true],
  ['InterPodAffinity', 'others go', affine('podAntiAffinity'), other({ app: 'web' }, 'n'), undefined, false],
  ['InterPodAffinity', 'company is relabelled', affine('podAffinity'), other({ app: 'web' }, 'n'), other({ app: 'store' }, 'n'), true],
  ['InterPodAffinity', 'a node comes with the key', affine('podAffinity'), undefined, node('n', { labels: { zone: 'a' } }), true],
  ['InterPodAffinity', 'a node comes without', affine('podAffinity'), undefined, node('n'), false],
  ['PodTopologySpread', 'a counted pod goes', spreading, other({ app: 'store' }, 'n'), undefined, true],
  ['PodTopologySpread', 'an uncounted pod goes', spreading, other({ app: 'web' }, 'n'), undefined, false],
  ['PodTopologySpread', 'a pod becomes counted', spreading, other({ app: 'web' }, 'n'), other({ app: 'store' }, 'n'), true],
  ['PodTopologySpread', 'a new domain comes', spreading, undefined, node('n', { labels: { zone: 'a' } }), true],
  ['PodTopologySpread', 'a node without the key comes', spreading, undefined, node('n'), false],
  ['PodTopologySpread', 'a domain goes', spreading, node('n', { labels: { zone: 'a' } }), undefined, true],
])('hint of %s: %s', async (plugin, _, waiting, before, after, woken) => {
  verdicts.clear();
  verdicts.set('p', [plugin]);
  const { popped } = await world(async (queue, self) => {
    queue.add(waiting);
    await self.clock.sleep(seconds(30));
    const isNode = (before ?? after)!.kind === 'Node';
    const events = isNode ? nodeEvents(before as Node | undefined, after as Node | undefined) : podEvents(before as Pod | undefined, after as Pod | undefined);
    for (const event of events) queue.wake(event);
    await self.clock.sleep(seconds(1));
  });
  expect(popped.length > 1).toBe(woken);
});
