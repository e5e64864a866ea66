/** exec, attach and port-forward at the kubelet's own API, and the containers that are added to a running pod. */
import { expect, test } from 'vitest';
import { ms, seconds } from '../../sim/clock.ts';
import type { ApiRequest, ApiResponse, Frame } from '../api/request.ts';
import { Pipe } from '../api/stream.ts';
import { createTestNode, type TestNode } from './kubelet.test-support.ts';

interface Talk {
  readonly up: Pipe<Frame>;
  readonly frames: Frame[];
  readonly ended: boolean;
  readonly answer: ApiResponse | undefined;
  /** Everything on one channel. */
  heard(channel: number, stream?: number): string;
}

/** Asks for an upgrade and hears what comes. */
function talk(node: TestNode, path: string, query: ApiRequest['query'] = {}): Talk {
  const up = new Pipe<Frame>();
  const state = { up, frames: [] as Frame[], ended: false, answer: undefined as ApiResponse | undefined };
  node.loop.spawn(`client of ${path}`, async () => {
    void node.ask(path, query, { upgrade: up }).then((answer) => {
      state.answer = answer;
      answer.stream?.read({
        value: (frame) => state.frames.push(frame as Frame),
        end: () => {
          state.ended = true;
        },
      });
    });
  });
  return Object.assign(state, {
    heard: (channel: number, stream?: number) =>
      state.frames
        .filter((frame) => frame.channel === channel && frame.stream === stream)
        .map(({ data }) => data)
        .join(''),
  });
}

const running = async (container: object = {}): Promise<TestNode> => {
  const node = await createTestNode();
  node.create('app', { containers: [{ name: 'main', image: 'tool:1', ...container }] });
  await node.run(seconds(5));
  return node;
};

test('exec: input to its end, output, exit code', async () => {
  const node = await running();
  const exec = talk(node, '/exec/default/app/main', { command: ['repeat'], stdin: 'true', stdout: 'true', stderr: 'true' });
  exec.up.write({ channel: 0, data: 'a\n' });
  await node.run(ms(50));
  expect(exec.heard(1)).toBe('got a\n');
  exec.up.write({ channel: 255, data: '0' });
  await node.run(ms(50));
  expect(exec.heard(1)).toBe('got a\nend\n');
  expect(JSON.parse(exec.heard(3))).toMatchObject({ status: 'Success' });
  expect(exec.ended).toBe(true);
});

test('exec at a terminal: lines are echoed, the window has a size, Ctrl-C is a signal', async () => {
  const node = await running();
  const echo = talk(node, '/exec/default/app/main', { command: ['repeat'], stdin: 'true', stdout: 'true', tty: 'true' });
  await node.run(ms(50));
  echo.up.write({ channel: 0, data: 'ab\x7fc\r' });
  await node.run(ms(50));
  expect(echo.heard(1)).toBe('ab\b \bc\r\ngot ac\r\n');
  const window = talk(node, '/exec/default/app/main', { command: ['size'], stdin: 'true', stdout: 'true', tty: 'true' });
  await node.run(ms(50));
  window.up.write({ channel: 4, data: '{"Width":132,"Height":43}' });
  window.up.write({ channel: 4, data: 'nonsense' });
  await node.run(ms(50));
  window.up.write({ channel: 0, data: '\x03' });
  await node.run(ms(50));
  expect(window.heard(1)).toBe('80x24\r\n132x43\r\n^C\r\n');
  expect(JSON.parse(window.heard(3))).toMatchObject({ reason: 'NonZeroExitCode', details: { causes: [{ message: '130' }] } });
});

test('what cannot be joined is refused before the upgrade', async () => {
  const node = await running();
  const refusals = [
    talk(node, '/exec/default/app/other', { command: ['true'], stdout: 'true' }),
    talk(node, '/attach/default/app/other', { stdout: 'true' }),
    talk(node, '/exec/default/app/main', { command: ['true'] }),
    talk(node, '/portForward/default/nope'),
  ];
  await node.run(ms(50));
  expect(refusals.map(({ answer }) => `${answer!.status} ${answer!.body}`)).toEqual([
    '500 container not found ("other")',
    '500 container other not found in pod app_default',
    '400 you must specify at least 1 of stdin, stdout, stderr',
    '500 pod not found ("nope_default")',
  ]);
});

test.each([
  [true, 'got x\nend\n'],
  [false, 'got x\n'],
])('attach: with stdinOnce %s the end of the session is the end of input or not', async (stdinOnce, heard) => {
  const node = await running({ args: ['repeat'], stdin: true, stdinOnce });
  const attach = talk(node, '/attach/default/app/main', { stdin: 'true', stdout: 'true', stderr: 'true' });
  await node.run(ms(50));
  attach.up.write({ channel: 0, data: 'x\n' });
  attach.up.write({ channel: 255, data: '0' });
  await node.run(ms(100));
  expect(attach.heard(1)).toBe(heard);
  expect(attach.ended).toBe(stdinOnce);
});

test('attach without stdin: true reaches nobody with its input', async () => {
  const node = await running({ args: ['repeat'] });
  await node.run(seconds(1));
  expect(node.runtime.logs(node.runtime.containers()[0]!.id).map(({ text }) => text)).toEqual(['end']);
});

test('port-forward: many connections over one, to localhost in the pod', async () => {
  const node = await createTestNode();
  node.create('web', { containers: [{ name: 'web', image: 'web:1' }] });
  await node.run(seconds(5));
  const forward = talk(node, '/portForward/default/web');
  const ask = (stream: number, port: string): void => {
    forward.up.write({ stream, channel: 4, data: port });
    forward.up.write({ stream, channel: 0, data: 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' });
  };
  ask(0, '80');
  ask(1, '81');
  ask(2, '80');
  await node.run(ms(100));
  expect(forward.heard(1, 0)).toContain('hello from web');
  expect(forward.heard(1, 2)).toContain('hello from web');
  expect(forward.heard(255, 0)).toBe('1');
  expect(forward.heard(3, 1)).toMatch(
    /^error forwarding port 81 to pod [0-9a-f]{64}, uid : failed to execute portforward in network namespace "\/var\/run\/netns\/cni-/,
  );
  expect(forward.ended).toBe(false);
  forward.up.close();
  await node.run(ms(10));
  expect(forward.ended).toBe(true);
});

test('a port-forward whose client has no more to say gets the answer within a second, and is closed then', async () => {
  const node = await createTestNode();
  node.create('web', { containers: [{ name: 'web', image: 'web:1' }] });
  await node.run(seconds(5));
  const forward = talk(node, '/portForward/default/web');
  forward.up.write({ stream: 7, channel: 4, data: '80' });
  forward.up.write({ stream: 7, channel: 255, data: '0' });
  await node.run(ms(500));
  expect(forward.heard(255, 7)).toBe('');
  await node.run(seconds(1));
  expect(forward.heard(255, 7)).toBe('1');
});

test('an ephemeral container joins a running pod, once, and nobody waits for it', async () => {
  const node = await running();
  const pod = node.pod('app')!;
  node.api.put('pods', {
    ...(pod as object),
    spec: { ...(pod.spec as object), ephemeralContainers: [{ name: 'debugger', image: 'tool:1', command: ['exit', '4'], targetContainerName: 'main' }] },
  } as never);
  await node.run(seconds(30));
  const { phase, containerStatuses, ephemeralContainerStatuses } = node.pod('app')!.status!;
  expect(phase).toBe('Running');
  expect(containerStatuses!.map(({ name, ready }) => [name, ready])).toEqual([['main', true]]);
  expect(ephemeralContainerStatuses).toMatchObject([
    { name: 'debugger', ready: false, restartCount: 0, state: { terminated: { exitCode: 4, reason: 'Error' } } },
  ]);
  expect(node.events('app').filter((text) => text.includes('debugger'))).toEqual([
    'Created: Created container: debugger',
    'Started: Started container debugger',
  ]);
  const logs = talk(node, '/containerLogs/default/app/debugger');
  await node.run(ms(10));
  expect(logs.frames).toEqual(['exiting 4\n']);
});
