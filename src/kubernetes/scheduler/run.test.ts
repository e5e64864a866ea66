/**
 * The cycles around a decision, with plugins of the test's own: Reserve, Permit, PreBind, Bind, PostBind and what each does when it
 * fails (upstream `schedule_one.go`, KEP-624).
 */
import { expect, test } from 'vitest';
import { seconds } from '../../sim/clock.ts';
import { Loop } from '../../sim/loop.ts';
import { testHost } from '../../sim/test-host.ts';
import type { Event, Node, Pod, PodSpec } from '../api/types.gen.ts';
import { createFakeApiServer, type FakeApiServer } from '../client/fake-apiserver.test-support.ts';
import { type Plugin, reject } from './framework.ts';
import { defaultPlugins } from './plugins/index.ts';
import { profileOf } from './profile.ts';
import { DEFAULT_CONFIG, runScheduler } from './run.ts';
import { WaitingPods } from './waiting-pods.ts';

const node = (name: string, cpu = '4'): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  spec: {},
  status: { allocatable: { cpu, memory: '8Gi', pods: '110' } },
});
const pod = (name: string, spec: Partial<PodSpec> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: { containers: [{ name: 'c', resources: { requests: { cpu: '3' } } }], ...spec },
  status: { phase: 'Pending' },
});

interface Stage {
  readonly server: FakeApiServer;
  readonly waiting: WaitingPods;
  readonly wait: (duration: number) => Promise<void>;
  readonly nodeOf: (name: string) => string | undefined;
  readonly events: (name: string) => string[];
}

/** A scheduler with the default plugins and these, on an API server in memory with one node. */
async function stage(plugins: readonly Plugin[], play: (stage: Stage) => Promise<void>): Promise<readonly string[]> {
  const loop = new Loop({ seed: 1, host: testHost });
  let played = false;
  loop.spawn('test', async (self) => {
    const server = createFakeApiServer(self);
    const waiting = new WaitingPods();
    server.put('nodes', node('a'));
    const config = { ...DEFAULT_CONFIG, profiles: [profileOf([...plugins, ...defaultPlugins].map((plugin) => ({ plugin, weight: 1 })))] };
    self.spawn('scheduler', (process) => runScheduler(process, { handler: server.handler, leaderElect: false, identity: 'me', config, waitingPods: waiting }));
    await play({
      server,
      waiting,
      wait: (duration) => self.clock.sleep(duration),
      nodeOf: (name) => (server.get('pods', `default/${name}`)?.spec as PodSpec | undefined)?.nodeName,
      events: (name) =>
        (server.all('events') as unknown as Event[])
          .filter(({ involvedObject }) => involvedObject?.name === name)
          .map(({ type, reason, message, count }) => `${type} ${reason} ${message}${(count ?? 1) > 1 ? ` ×${count}` : ''}`),
    });
    played = true;
  });
  await loop.run(seconds(600));
  expect(played).toBe(true);
  return loop.trace
    .since(0, ({ type }) => type.startsWith('sched.'))
    .map(({ type, data }) => (type === 'sched.queue' ? `${type} ${String(data['event'])}` : type));
}

test('the order of things, and what each is told', async () => {
  const calls: string[] = [];
  const spy: Plugin = {
    name: 'Spy',
    reserve: (_state, what, { name }) => void calls.push(`reserve ${what.metadata.name} ${name}`),
    permit: () => void calls.push('permit'),
    preBind: async () => void calls.push('preBind'),
    bind: async () => {
      calls.push('bind');
      // Not this one's business: the next is asked.
      return false;
    },
    postBind: () => void calls.push('postBind'),
    unreserve: () => void calls.push('unreserve'),
  };
  await stage([spy], async ({ server, wait, nodeOf, events }) => {
    server.put('pods', pod('p'));
    await wait(seconds(2));
    expect(nodeOf('p')).toBe('a');
    expect(events('p')).toEqual(['Normal Scheduled Successfully assigned default/p to a']);
  });
  expect(calls).toEqual(['reserve p a', 'permit', 'preBind', 'bind', 'postBind']);
});

test('Permit: a pod waits with its place reserved, until allowed', async () => {
  const gate: Plugin = { name: 'Gate', permit: (_state, what) => (what.metadata.name === 'first' ? { wait: seconds(60) } : undefined) };
  const facts = await stage([gate], async ({ server, waiting, wait, nodeOf }) => {
    server.put('pods', pod('first'));
    await wait(seconds(5));
    expect([waiting.keys, nodeOf('first')]).toEqual([['default/first'], undefined]);
    // Its cpu is taken meanwhile.
    server.put('pods', pod('second'));
    await wait(seconds(5));
    expect(nodeOf('second')).toBeUndefined();
    waiting.allow('default/first', 'Gate');
    await wait(seconds(2));
    expect([waiting.keys, nodeOf('first')]).toEqual([[], 'a']);
  });
  expect(facts).toContain('sched.permit');
});

test('Permit: time over, or a no, gives the place back and says so', async () => {
  const gate: Plugin = {
    name: 'Gate',
    permit: (_state, { metadata: { name } }) => (name === 'slow' ? { wait: seconds(10) } : name === 'never' ? reject('Gate', 'not today') : undefined),
    events: [],
  };
  await stage([gate], async ({ server, wait, nodeOf, events }) => {
    server.put('pods', pod('slow'));
    await wait(seconds(12));
    expect(events('slow')).toEqual([
      'Warning FailedScheduling pod "slow" rejected while waiting on permit: rejected due to timeout after waiting 10s at plugin Gate',
    ]);
    server.put('pods', pod('never'));
    await wait(seconds(2));
    expect(events('never')).toEqual(['Warning FailedScheduling not today']);
    server.put('pods', pod('third'));
    await wait(seconds(2));
    expect(nodeOf('third')).toBe('a');
  });
});

test('PreBind fails: unreserved, told as an error, tried again after its back-off', async () => {
  const calls: string[] = [];
  let fails = 2;
  const volumes: Plugin = {
    name: 'Volumes',
    reserve: () => void calls.push('reserve'),
    unreserve: () => void calls.push('unreserve'),
    preBind: async () => {
      if (fails-- > 0) throw new Error('timed out waiting for the condition');
    },
  };
  const facts = await stage([volumes], async ({ server, wait, nodeOf, events }) => {
    server.put('pods', pod('p'));
    await wait(ms(500));
    const condition = (server.get('pods', 'default/p')!.status as Pod['status'])!.conditions!.find(({ type }) => type === 'PodScheduled');
    expect(condition).toMatchObject({
      status: 'False',
      reason: 'SchedulerError',
      message: 'running PreBind plugin "Volumes": timed out waiting for the condition',
    });
    await wait(seconds(1.2));
    expect(nodeOf('p')).toBeUndefined();
    await wait(seconds(2.5));
    expect(nodeOf('p')).toBe('a');
    expect(events('p')).toEqual([
      'Warning FailedScheduling running PreBind plugin "Volumes": timed out waiting for the condition ×2',
      'Normal Scheduled Successfully assigned default/p to a',
    ]);
  });
  expect(calls).toEqual(['reserve', 'unreserve', 'reserve', 'unreserve', 'reserve']);
  expect(facts.filter((type) => type.startsWith('sched.queue') || type === 'sched.unbind')).toEqual([
    'sched.unbind',
    'sched.queue ScheduleAttemptFailure',
    'sched.queue BackoffComplete',
    'sched.unbind',
    'sched.queue ScheduleAttemptFailure',
    'sched.queue BackoffComplete',
  ]);
});

test('Reserve says no: nobody is bound, and those that reserved before are undone', async () => {
  const calls: string[] = [];
  const first: Plugin = { name: 'First', reserve: () => void calls.push('first'), unreserve: () => void calls.push('undo first') };
  const second: Plugin = { name: 'Second', reserve: () => reject('Second', 'taken'), unreserve: () => void calls.push('undo second'), events: [] };
  await stage([first, second], async ({ server, wait, nodeOf, events }) => {
    server.put('pods', pod('p'));
    await wait(seconds(2));
    expect(nodeOf('p')).toBeUndefined();
    expect(events('p')).toEqual(['Warning FailedScheduling taken']);
  });
  expect(calls).toEqual(['first', 'undo second', 'undo first']);
});

test('a pod deleted, or bound by somebody else, is forgotten; its place is free', async () => {
  await stage([], async ({ server, wait, nodeOf }) => {
    server.put('pods', pod('waits', { containers: [{ name: 'c', resources: { requests: { cpu: '9' } } }] }));
    await wait(seconds(2));
    server.remove('pods', 'default/waits');
    server.put('nodes', node('large', '16'));
    await wait(seconds(2));
    expect(server.get('pods', 'default/waits')).toBeUndefined();
    server.put('pods', pod('theirs', { schedulerName: 'other' }));
    await wait(seconds(2));
    expect(nodeOf('theirs')).toBeUndefined();
  });
});

const ms = (n: number): number => n * 1_000;
