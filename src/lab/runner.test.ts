import { expect, test } from 'vitest';
import { createActor, type SnapshotFrom, waitFor } from 'xstate';
import type { TextRequest } from '../hosts/protocol.ts';
import { seconds } from '../sim/clock.ts';
import { parseDuration } from '../sim/duration.ts';
import { type Lesson, parseLesson } from './lesson.ts';
import { type LessonWorld, runner, scoreOf } from './runner.ts';
import { collectionsOf } from './watching.ts';

const ready = { 'metadata.labels.app': 'web', 'status.conditions[Ready].status': 'True' };
const LESSON: Lesson = parseLesson(
  {
    id: 'x',
    title: 'X',
    minutes: 1,
    cluster: 'three-nodes',
    intro: 'i',
    outro: 'o',
    before: [{ run: 'create' }, { wait: '5s' }],
    steps: [
      {
        title: 'one',
        text: 't',
        predict: { ask: '?', choices: ['a', 'b'], answer: 1, because: 'c' },
        hints: ['first', 'second'],
        done: [
          { gone: 'Pod', where: { 'metadata.labels.app': 'web' }, atLeast: 1 },
          { count: 'Pod', where: ready, is: 2 },
        ],
        solutions: [[{ run: 'delete' }]],
        mistakes: [{ try: [{ run: 'oops' }], when: [{ absent: 'Deployment/web' }], say: 'not that' }],
      },
      { title: 'two', text: 't', hints: ['h'], done: [{ absent: 'Deployment/web' }], solutions: [[{ run: 'delete' }]] },
    ],
  },
  'x.yaml',
);

type Body = Record<string, unknown>;
const pod = (uid: string, isReady: boolean): Body => ({
  metadata: { name: `web-${uid}`, namespace: 'default', uid, labels: { app: 'web' } },
  status: { conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] },
});

/** A world of a few objects that tells its watchers; time passes when the test says so. */
class Little implements LessonWorld {
  readonly pods = new Map<string, Body>();
  readonly deployments = new Map<string, Body>();
  readonly log: string[] = [];
  readonly streams = new Map<string, { onChunk: (text: string) => void; onEnd?: (error?: string) => void }>();
  fails = '';
  private sleepers: { at: number; wake: () => void }[] = [];
  private now = 0;

  async restart(topology: string): Promise<void> {
    this.log.push(`restart ${topology}`);
    this.streams.clear();
    this.pods.clear();
    this.deployments.clear();
    this.deployments.set('d', { metadata: { name: 'web', namespace: 'default', uid: 'd' } });
    for (const uid of ['1', '2']) this.pods.set(uid, pod(uid, true));
  }
  async run(command: string) {
    this.log.push(command);
    return command === this.fails ? { stdout: '', stderr: 'error: no', exitCode: 1 } : { stdout: '', stderr: '', exitCode: 0 };
  }
  fault(): void {}
  wait(duration: number): Promise<void> {
    if (duration === seconds(5)) return Promise.resolve();
    return new Promise((wake) => this.sleepers.push({ at: this.now + duration, wake }));
  }
  pass(duration: number): void {
    this.now += duration;
    for (const sleeper of this.sleepers) if (sleeper.at <= this.now) sleeper.wake();
  }
  settled(): void {
    this.log.push('settled');
  }
  private store(url: string) {
    return url.includes('/pods') ? this.pods : this.deployments;
  }
  async observe({ url }: TextRequest) {
    return { status: 200, text: JSON.stringify({ metadata: { resourceVersion: '1' }, items: [...this.store(url).values()] }) };
  }
  watch({ url }: TextRequest, handlers: { onChunk: (text: string) => void; onEnd?: (error?: string) => void }) {
    this.streams.set(url.split('?')[0]!, handlers);
    return () => this.streams.delete(url.split('?')[0]!);
  }
  private tell(path: string, kind: string, type: string, object: Body) {
    this.streams.get(path)?.onChunk(JSON.stringify({ type, object: { kind, ...object } }));
  }
  put(uid: string, isReady: boolean): void {
    this.pods.set(uid, pod(uid, isReady));
    this.tell('/api/v1/namespaces/default/pods', 'Pod', 'MODIFIED', pod(uid, isReady));
  }
  remove(uid: string): void {
    const object = this.pods.get(uid)!;
    this.pods.delete(uid);
    this.tell('/api/v1/namespaces/default/pods', 'Pod', 'DELETED', object);
  }
  undeploy(): void {
    const object = this.deployments.get('d')!;
    this.deployments.clear();
    this.tell('/apis/apps/v1/namespaces/default/deployments', 'Deployment', 'DELETED', object);
  }
}

type Snapshot = SnapshotFrom<typeof runner>;
const at = (state: object | string) => (snapshot: Snapshot) => snapshot.matches(state as never);

async function opened(world = new Little()) {
  const actor = createActor(runner, { input: { world, load: async () => LESSON } });
  actor.start();
  actor.send({ type: 'open', id: 'x' });
  await waitFor(actor, (snapshot) => snapshot.matches({ playing: 'intro' }) || snapshot.matches('failed'));
  return { actor, world, now: () => actor.getSnapshot(), turn: () => new Promise<void>((resolve) => setImmediate(resolve)) };
}

test('a lesson from its world to its end', async () => {
  const { actor, world, now } = await opened();
  expect(world.log).toEqual(['restart three-nodes', 'create', 'settled']);
  expect(now().context.prepared).toEqual({ done: 2, of: 2 });

  actor.send({ type: 'begin' });
  expect(now().matches({ playing: 'step' })).toBe(true);
  expect(now().context.verdicts.map(({ because }) => because)).toEqual(['0 of the Pods that were there have gone.', '2 of 2 Pods are as they should be.']);

  actor.send({ type: 'predict', choice: 0 });
  actor.send({ type: 'predict', choice: 1 });
  for (let i = 0; i < 5; i++) actor.send({ type: 'hint' });
  expect(now().context.hints).toBe(2);

  world.remove('1');
  expect(now().context.verdicts[1]!.because).toBe('1 of 2 Pods are as they should be.');
  world.put('3', false);
  expect(now().matches({ playing: 'step' })).toBe(true);
  world.put('3', true);
  expect(now().matches({ playing: 'stepDone' })).toBe(true);
  // Too late for a bet.
  actor.send({ type: 'predict', choice: 0 });
  expect(scoreOf(now().context)).toEqual({ right: 1, made: 1 });

  actor.send({ type: 'next' });
  expect(now().context).toMatchObject({ step: 1, hints: 0 });
  expect(now().context.atStart).toHaveLength(3);
  world.undeploy();
  actor.send({ type: 'next' });
  expect(now().matches({ playing: 'done' })).toBe(true);
});

test('a wrong turn is answered when it lasts, and taken back when it is undone', async () => {
  const { actor, world, now, turn } = await opened();
  actor.send({ type: 'begin' });
  world.undeploy();
  world.pass(seconds(4));
  await turn();
  expect(now().context.answer).toBeUndefined();
  world.pass(seconds(7));
  await turn();
  expect(now().context.answer).toBe('not that');
  expect(now().matches({ playing: 'step' })).toBe(true);
});

test('what looks like a wrong turn for a moment is not answered', async () => {
  const { actor, world, now, turn } = await opened();
  actor.send({ type: 'begin' });
  world.undeploy();
  world.deployments.set('d', { metadata: { name: 'web', namespace: 'default', uid: 'e' } });
  world.streams.get('/apis/apps/v1/namespaces/default/deployments')!.onEnd!('too old');
  await turn();
  world.pass(seconds(60));
  await turn();
  expect(now().context.answer).toBeUndefined();
});

test('start again: another world, prepared again, no watch left over', async () => {
  const { actor, world, now } = await opened();
  actor.send({ type: 'begin' });
  actor.send({ type: 'hint' });
  world.remove('1');
  actor.send({ type: 'reset' });
  expect(world.streams.size).toBe(0);
  await waitFor(actor, at({ playing: 'intro' }));
  expect(world.log).toEqual(['restart three-nodes', 'create', 'settled', 'restart three-nodes', 'create', 'settled']);
  actor.send({ type: 'begin' });
  expect(now().context).toMatchObject({ hints: 0, step: 0, choices: {} });
  expect(now().context.atStart).toHaveLength(3);
});

test('leaving stops looking', async () => {
  const { actor, world, now } = await opened();
  actor.send({ type: 'begin' });
  actor.send({ type: 'leave' });
  expect(now().matches('idle')).toBe(true);
  expect(world.streams.size).toBe(0);
  expect(now().context.lesson).toBeUndefined();
});

test('preparation that fails, and a world that crashes, can be begun again', async () => {
  const world = new Little();
  world.fails = 'create';
  const { actor, now } = await opened(world);
  expect(now().matches('failed')).toBe(true);
  expect(now().context.problem).toBe('create: exit code 1. error: no');
  world.fails = '';
  actor.send({ type: 'reset' });
  await waitFor(actor, at({ playing: 'intro' }));
  actor.send({ type: 'begin' });
  actor.send({ type: 'world crashed', message: 'boom' });
  expect(now().context.problem).toBe('boom');
  expect(world.streams.size).toBe(0);
});

test('a lesson that cannot be read says so', async () => {
  const actor = createActor(runner, { input: { world: new Little(), load: () => Promise.reject(new Error('x.yaml: title must be a text')) } });
  actor.start();
  actor.send({ type: 'open', id: 'x' });
  await waitFor(actor, at('failed'));
  expect(actor.getSnapshot().context.problem).toBe('x.yaml: title must be a text');
});

test('durations and collections', () => {
  expect([parseDuration('30s'), parseDuration('1m30s'), parseDuration('250ms')]).toEqual([seconds(30), seconds(90), 250_000]);
  expect(() => parseDuration('soon')).toThrow('invalid duration "soon"');
  expect(collectionsOf([{ absent: 'Node/a' }, { count: 'Pod', is: 1 }, { count: 'Pod', is: 2 }]).map(({ path }) => path)).toEqual([
    '/api/v1/nodes',
    '/api/v1/namespaces/default/pods',
  ]);
  expect(() => collectionsOf([{ absent: 'Podd/a' }])).toThrow('a check looks for Podd, a kind that is not served');
});
