import { describe, expect, it } from 'vitest';
import { minutes, ms, seconds } from '../../sim/clock.ts';
import { Loop } from '../../sim/loop.ts';
import type { Process } from '../../sim/process.ts';
import { testHost } from '../../sim/test-host.ts';
import { ApiError } from '../api/request.ts';
import { Pipe } from '../api/stream.ts';
import type { Event, Pod } from '../api/types.gen.ts';
import { type Client, createClient, type Informer } from './client.ts';
import { createRecorder } from './events.ts';
import { createFakeApiServer, type FakeApiServer } from './fake-apiserver.test-support.ts';
import { createInformers } from './informer.ts';
import { runLeaderElected } from './leader-election.ts';
import { isAlreadyExists, isConflict, isNotFound, retryOnConflict } from './retry.ts';
import { values } from './stream.ts';
import { createWorkqueue } from './workqueue.ts';

interface World {
  loop: Loop;
  api: FakeApiServer;
  client: Client;
  run(s: number): Promise<void>;
  spawn(name: string, main: (self: Process, client: Client) => Promise<void>): Process;
}

async function world(seed = 1): Promise<World> {
  const loop = new Loop({ seed, host: testHost });
  let api!: FakeApiServer;
  loop.spawn('apiserver', async (self) => {
    api = createFakeApiServer(self);
    await new Promise(() => {});
  });
  await loop.run(0);
  const client = createClient({ handler: api.handler, userAgent: 'test' });
  return { loop, api, client, run: (s) => loop.run(loop.now + seconds(s)), spawn: (name, main) => loop.spawn(name, (self) => main(self, client)) };
}
const pod = (name: string, labels: Record<string, string> = {}) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default', labels } });

describe('the client', () => {
  it('makes, reads, changes and deletes; failures are ApiErrors', async () => {
    const w = await world();
    const said: unknown[] = [];
    w.spawn('test', async (_, client) => {
      const pods = client.of('Pod');
      const made = await pods.create(pod('a'));
      said.push(made.metadata.uid !== undefined, (await pods.get('default/a')).metadata.name);
      await pods.create(pod('a')).catch((e) => said.push(isAlreadyExists(e)));
      await pods.patch('default/a', { metadata: { labels: { x: '1' } } }, 'merge');
      await pods.update(made).catch((e) => said.push(isConflict(e)));
      said.push((await pods.list({ namespace: 'default', labelSelector: 'x=1' })).items.length);
      await pods.delete('default/a');
      await pods.get('default/a').catch((e) => said.push(e instanceof ApiError, isNotFound(e), e.message));
    });
    await w.run(1);
    expect(said).toEqual([true, 'a', true, true, 1, true, true, 'pods "a" not found']);
  });

  it('names itself, its token and its certificate', async () => {
    const seen: unknown[] = [];
    const client = createClient({
      handler: async (r) => {
        seen.push(r.headers['user-agent'], r.headers['authorization'], r.certificate?.commonName, r.path);
        return { status: 200, headers: {}, body: {} };
      },
      userAgent: 'kubelet/v1',
      token: () => 'abc',
      certificate: { commonName: 'system:node:n', organizations: [] },
    });
    await client.of('Node').get('n');
    expect(seen).toEqual(['kubelet/v1', 'Bearer abc', 'system:node:n', '/api/v1/nodes/n']);
  });

  it('tries again after a conflict', async () => {
    const w = await world();
    w.api.put('pods', pod('a'));
    let attempts = 0;
    w.spawn('test', async (self, client) => {
      const stale = await client.of('Pod').get('default/a');
      w.api.edit('pods', 'default/a', (p) => ({ ...p, metadata: { ...p.metadata, labels: { other: '1' } } }));
      await retryOnConflict(self, async () => {
        const now = ++attempts === 1 ? stale : await client.of('Pod').get('default/a');
        await client.of('Pod').update({ ...now, metadata: { ...now.metadata, labels: { ...now.metadata.labels, mine: '1' } } });
      });
    });
    await w.run(1);
    expect(attempts).toBe(2);
    expect(w.api.get('pods', 'default/a')?.metadata.labels).toEqual({ other: '1', mine: '1' });
  });
});

describe('an informer', () => {
  const watching = async (w: World) => {
    const told: string[] = [];
    let informer!: Informer<Pod>;
    w.spawn('watcher', async (self, client) => {
      const informers = createInformers(self, client);
      const pods = informers.of('Pod', { namespace: 'default' });
      informer = pods;
      pods.onChange(({ before, after }) => told.push(`${before ? '-' : ''}${after ? '+' : ''}${(after ?? before)!.metadata.name}`));
      await new Promise(() => {});
    });
    await w.run(1);
    return { told, informer };
  };

  it('lists, then follows; tells latecomers what is there', async () => {
    const w = await world();
    w.api.put('pods', pod('a'));
    const { told, informer } = await watching(w);
    w.api.put('pods', pod('b'));
    w.api.edit('pods', 'default/a', (p) => ({ ...p, metadata: { ...p.metadata, labels: { x: '1' } } }));
    w.api.remove('pods', 'default/b');
    await w.run(1);
    expect(told).toEqual(['+a', '+b', '-+a', '-b']);
    expect(informer.hasSynced).toBe(true);
    const late: (string | undefined)[] = [];
    informer.onChange(({ after }) => late.push(after?.metadata.name));
    expect(late).toEqual(['a']);
    informer.addIndex('x', (p) => (p.metadata.labels?.['x'] ? [p.metadata.labels['x']] : []));
    expect(informer.by('x', '1').map((p) => p.metadata.name)).toEqual(['a']);
    expect(informer.by('namespace', 'default')).toHaveLength(1);
  });

  it('outlives its API server: goes on from where it stopped', async () => {
    const w = await world();
    w.api.put('pods', pod('a'));
    const { told, informer } = await watching(w);
    w.api.down();
    w.api.put('pods', pod('b'));
    await w.run(20);
    expect(informer.get('default/a')).toBeDefined();
    w.api.up();
    await w.run(40);
    expect(told).toEqual(['+a', '+b']);
    expect(w.api.log.filter((line) => line.endsWith('/pods')).length).toBe(3);
  });

  it('410 Gone: lists again and tells the difference', async () => {
    const w = await world();
    w.api.put('pods', pod('a'));
    w.api.put('pods', pod('b'));
    w.api.put('pods', pod('c'));
    const { told } = await watching(w);
    w.api.down();
    w.api.remove('pods', 'default/a');
    w.api.edit('pods', 'default/b', (p) => ({ ...p, metadata: { ...p.metadata, labels: { x: '1' } } }));
    w.api.put('pods', pod('d'));
    w.api.remove('pods', 'default/c');
    w.api.put('pods', pod('c'));
    w.api.compact();
    w.api.up();
    await w.run(40);
    expect(told.slice(0, 3)).toEqual(['+a', '+b', '+c']);
    expect([...told.slice(3)].sort()).toEqual(['+c', '+d', '-+b', '-a', '-c']);
  });

  it('waits for an API server that is not there yet, ever longer', async () => {
    const w = await world();
    w.api.put('pods', pod('a'));
    w.api.down();
    let tries = 0;
    w.loop.trace.listen((fact) => {
      if (fact.type === 'informer.error') tries++;
    });
    const { informer } = await watching(w);
    await w.run(minutes(2) / 1_000_000);
    expect(informer.hasSynced).toBe(false);
    w.api.up();
    await w.run(65);
    expect(informer.hasSynced).toBe(true);
    expect(tries).toBeGreaterThan(3);
    expect(tries).toBeLessThan(12);
  });
});

describe('a stream', () => {
  it('can be read with for await; leaving the loop cancels it', async () => {
    const loop = new Loop({ seed: 1, host: testHost });
    const got: (number | string)[] = [];
    const [first, second] = [new Pipe<number>(), new Pipe<number>()];
    first.onCancel(() => got.push('cancelled'));
    loop.spawn('reader', async (self) => {
      for await (const n of values(self.clock, first)) {
        got.push(n);
        if (n === 2) break;
      }
      try {
        for await (const n of values(self.clock, second)) got.push(n);
      } catch (error) {
        got.push((error as Error).message);
      }
    });
    loop.spawn('writer', async (self) => {
      for (const n of [1, 2, 3]) {
        first.write(n);
        second.write(n * 10);
        await self.clock.sleep(ms(1));
      }
      second.close(new Error('cut'));
    });
    await loop.run(seconds(1));
    expect(got).toEqual([1, 2, 'cancelled', 10, 20, 30, 'cut']);
  });
});

describe('a work queue', () => {
  it('holds each key once, never gives it to two, and gives it again if it was added meanwhile', async () => {
    const loop = new Loop({ seed: 1, host: testHost });
    const story: string[] = [];
    loop.spawn('test', async (self) => {
      const queue = createWorkqueue(self, 'q');
      const worker = async (name: string) => {
        for (;;) {
          const key = await queue.get();
          story.push(`${name} ${key} ${self.clock.now() / 1000}`);
          await self.clock.sleep(ms(10));
          queue.done(key);
        }
      };
      void worker('w1');
      void worker('w2');
      queue.add('a');
      queue.add('a');
      queue.add('b');
      await self.clock.sleep(ms(5));
      queue.add('a');
      queue.addAfter('c', ms(30));
      queue.addAfter('c', ms(20));
      await self.clock.sleep(seconds(1));
    });
    await loop.run(seconds(2));
    expect(story).toEqual(['w1 a 0', 'w2 b 0', 'w1 a 10', 'w2 c 25']);
  });

  it('backs off per key from 5 ms, doubling; forgets when told', async () => {
    const loop = new Loop({ seed: 1, host: testHost });
    const at: number[] = [];
    loop.spawn('test', async (self) => {
      const queue = createWorkqueue(self, 'q');
      queue.add('a');
      for (let i = 0; i < 6; i++) {
        const key = await queue.get();
        at.push(self.clock.now() / 1000);
        if (i === 3) queue.forget(key);
        queue.addRateLimited(key);
        queue.done(key);
      }
    });
    await loop.run(seconds(2));
    expect(at.map((t, i) => t - (at[i - 1] ?? 0))).toEqual([0, 5, 10, 20, 5, 10]);
  });

  it('carries the cause with the key, however busy the workers', async () => {
    const loop = new Loop({ seed: 1, host: testHost });
    const causes: Record<string, unknown> = {};
    loop.spawn('test', async (self) => {
      const queue = createWorkqueue(self, 'q', 'Pod');
      const worker = async () => {
        for (;;) {
          const key = await queue.get();
          await self.clock.sleep(ms(10));
          const root = loop.trace.chain(self.trace.current()).at(-1);
          causes[key] = root?.about;
          queue.done(key);
        }
      };
      void worker();
      void worker();
      for (const key of ['a', 'b', 'c', 'd', 'e']) {
        self.trace.because(0);
        self.trace.emit('test.root', `root of ${key}`);
        queue.add(key);
      }
      await self.clock.sleep(seconds(1));
    });
    await loop.run(seconds(2));
    expect(causes).toEqual({ a: 'root of a', b: 'root of b', c: 'root of c', d: 'root of d', e: 'root of e' });
  });
});

describe('events', () => {
  const noted = (w: World) => (w.api.all('events') as unknown as Event[]).map((e) => `${e.count} ${e.reason}: ${e.message}`);

  it('are written aside, counted when alike, combined when similar', async () => {
    const w = await world();
    w.api.put('pods', pod('a'));
    w.spawn('kubelet', async (self, client) => {
      const recorder = createRecorder(self, client, { component: 'kubelet', host: 'node-1' });
      const about = await client.of('Pod').get('default/a');
      const before = self.clock.now();
      for (let i = 0; i < 3; i++) recorder.event(about, 'Normal', 'Pulled', 'same', { fieldPath: 'spec.containers{c}' });
      recorder.event(about, 'Warning', 'Failed', 'other');
      expect(self.clock.now()).toBe(before);
      await self.clock.sleep(seconds(5));
    });
    await w.run(5);
    expect(noted(w)).toEqual(['3 Pulled: same', '1 Failed: other']);
    const [first] = w.api.all('events') as unknown as Event[];
    expect(first!.metadata.name).toMatch(/^a\.18[0-9a-f]{14}$/);
    expect(first).toMatchObject({
      source: { component: 'kubelet', host: 'node-1' },
      involvedObject: { kind: 'Pod', namespace: 'default', name: 'a', fieldPath: 'spec.containers{c}', apiVersion: 'v1' },
      type: 'Normal',
      reportingComponent: 'kubelet',
      reportingInstance: 'node-1',
    });
  });

  it('of one kind with ever new messages are combined, and a flood is cut off', async () => {
    const w = await world();
    w.spawn('kubelet', async (self, client) => {
      const recorder = createRecorder(self, client, { component: 'kubelet' });
      for (let i = 0; i < 60; i++) recorder.event(pod('a'), 'Warning', 'BackOff', `try ${i}`);
      await self.clock.sleep(seconds(5));
    });
    await w.run(5);
    expect(noted(w)).toHaveLength(10);
    expect(noted(w).at(-1)).toBe('16 BackOff: (combined from similar events): try 24');
  });
});

describe('leader election', () => {
  const candidate = (w: World, name: string, story: string[]) =>
    w.spawn(name, async (self, client) => {
      await runLeaderElected(self, client, { name: 'boss', identity: name }, async (inner) => {
        story.push(`${name} leads`);
        for (;;) await inner.clock.sleep(seconds(1));
      });
    });

  it('one leads; when it dies another follows within the lease', async () => {
    const w = await world();
    const story: string[] = [];
    const first = candidate(w, 'a', story);
    await w.run(1);
    candidate(w, 'b', story);
    await w.run(60);
    expect(story).toEqual(['a leads']);
    expect(w.api.get('leases', 'kube-system/boss')).toMatchObject({ spec: { holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 } });
    first.kill();
    const died = w.loop.now;
    await w.run(14);
    expect(story).toEqual(['a leads']);
    await w.run(8);
    expect(story).toEqual(['a leads', 'b leads']);
    expect(w.loop.now - died).toBeLessThanOrEqual(seconds(22));
    expect(w.api.get('leases', 'kube-system/boss')).toMatchObject({ spec: { holderIdentity: 'b', leaseTransitions: 1 } });
    expect((w.api.all('events') as unknown as Event[]).map((e) => e.message)).toEqual(['a became leader', 'b became leader']);
  });

  it('a leader that cannot renew for ten seconds ends', async () => {
    const w = await world();
    const process = candidate(w, 'a', []);
    let error = '';
    process.onExit((exit) => {
      error = exit.how === 'crashed' ? exit.error.message : exit.how;
    });
    await w.run(5);
    w.api.down();
    await w.run(9);
    expect(error).toBe('');
    await w.run(5);
    expect(error).toBe('leaderelection lost');
  });
});
