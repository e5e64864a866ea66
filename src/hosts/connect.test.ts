import { expect, test } from 'vitest';
import { clockText, connect, type WorldPort } from './connect.ts';
import type { FromWorld, ToWorld } from './protocol.ts';

function port() {
  const sent: ToWorld[] = [];
  let listener: ((event: MessageEvent<FromWorld>) => void) | undefined;
  const made: WorldPort = {
    postMessage: (message) => void sent.push(message),
    addEventListener: (type: string, added: unknown) => {
      if (type === 'message') listener = added as typeof listener;
    },
    terminate: () => undefined,
  };
  return { made, sent, say: (message: FromWorld) => listener?.({ data: message } as MessageEvent<FromWorld>) };
}

test('a request is an input, answered by its id', async () => {
  const { made, sent, say } = port();
  const world = connect(made);
  const first = world.request({ method: 'GET', url: '/a', headers: {} });
  const second = world.request({ method: 'GET', url: '/b', headers: {} });
  expect(sent.map((message) => message.type)).toEqual(['input', 'input']);
  say({ type: 'response', id: 2, status: 404, headers: {}, text: 'no' });
  say({ type: 'response', id: 1, status: 200, headers: {}, text: 'yes' });
  expect((await first).status).toBe(200);
  expect((await second).text).toBe('no');
});

test('a watch brings chunks until it is stopped, and says so', () => {
  const { made, sent, say } = port();
  const world = connect(made);
  const got: string[] = [];
  const stop = world.watch({ method: 'GET', url: '/watch', headers: {} }, { onChunk: (text) => got.push(text), onEnd: () => got.push('end') });
  say({ type: 'response', id: 1, status: 200, headers: {}, text: '' });
  say({ type: 'chunk', id: 1, text: '{}' });
  stop();
  say({ type: 'chunk', id: 1, text: 'late' });
  expect(got).toEqual(['{}']);
  expect(sent.at(-1)).toEqual({ type: 'stop-observing', id: 1 });
});

test('no answer at all, and a world that stopped, reject', async () => {
  const { made, say } = port();
  const world = connect(made);
  const refused = world.request({ method: 'GET', url: '/a', headers: {} });
  say({ type: 'response', id: 1, status: 0, headers: {}, text: 'connection refused' });
  await expect(refused).rejects.toThrow('connection refused');
  const hash = world.hash();
  say({ type: 'crashed', message: 'x', stack: '', at: 0, events: 0, session: { build: '', seed: 1, topology: '', inputs: [] } });
  await expect(hash).rejects.toThrow('the world stopped');
});

test('the world is told which facts anybody wants', () => {
  const { made, sent } = port();
  const world = connect(made);
  const stop = world.onTrace(['sched.bind'], () => undefined);
  const stopAll = world.onTrace([], () => undefined);
  stopAll();
  stop();
  expect(sent).toEqual([
    { type: 'trace', types: ['sched.bind'] },
    { type: 'trace', types: ['*'] },
    { type: 'trace', types: ['sched.bind'] },
    { type: 'trace', types: [] },
  ]);
});

test.each([
  [0, '00:00:00.000'],
  [83_456_789, '00:01:23.456'],
  [360_000_000_000, '100:00:00.000'],
])('%i µs reads %s', (now, text) => {
  expect(clockText(now)).toBe(text);
});

test('of a world that stopped the session is kept, and nothing else is waited for', async () => {
  const { made, sent, say } = port();
  const world = connect(made);
  const session = { build: '', seed: 7, topology: 'single', inputs: [] };
  say({ type: 'crashed', message: 'x', stack: '', at: 1, events: 2, session });
  expect(await world.session()).toBe(session);
  await expect(world.hash()).rejects.toThrow('the world stopped');
  const ended = await new Promise((resolve) => world.watch({ method: 'GET', url: '/watch', headers: {} }, { onChunk: () => {}, onEnd: resolve }));
  expect(ended).toBe('the world stopped');
  expect(sent).toEqual([]);
  world.boot(session, 1);
  void world.hash();
  expect(sent.map((message) => message.type)).toEqual(['boot', 'hash']);
});
