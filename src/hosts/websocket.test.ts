import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { seconds } from '../sim/clock.ts';
import { serve } from './http.ts';
import { Headless, keepPace } from './node.ts';

const headless = Headless.start('single', 1);
let stopped = false;
let address = '';
let close = () => {};

beforeAll(async () => {
  await headless.untilReady();
  await headless.run('kubectl run box --image=busybox:1.36 --restart=Never -- sleep 100000');
  await headless.world.run(headless.world.now + seconds(30));
  const server = await serve(headless, 0);
  address = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/namespaces/default/pods`;
  close = () => server.close();
  void keepPace(headless.world, 10, () => stopped);
});
afterAll(() => {
  stopped = true;
  close();
});

/** Everything that came back on each channel, until the server closed. */
function exec(path: string, input: readonly Buffer[] = []): Promise<{ channels: Record<number, string>; protocol: string }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${address}/${path}`, ['v5.channel.k8s.io']);
    const channels: Record<number, string> = {};
    socket.on('open', () => {
      for (const frame of input) socket.send(frame);
    });
    socket.on('message', (data: Buffer) => {
      channels[data[0]!] = (channels[data[0]!] ?? '') + data.subarray(1).toString('utf8');
    });
    socket.on('close', () => resolve({ channels, protocol: socket.protocol }));
    socket.on('unexpected-response', (_, response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () => reject(new Error(`${response.statusCode} ${text}`)));
    });
    socket.on('error', reject);
  });
}

test('output, errors and the exit code arrive on their channels', async () => {
  const { channels, protocol } = await exec(
    `box/exec?container=box&stdout=true&stderr=true&command=sh&command=-c&command=${encodeURIComponent('echo out; echo err >&2; exit 3')}`,
  );
  expect(protocol).toBe('v5.channel.k8s.io');
  expect(channels[1]).toBe('out\n');
  expect(channels[2]).toBe('err\n');
  expect(JSON.parse(channels[3]!)).toMatchObject({ reason: 'NonZeroExitCode', details: { causes: [{ reason: 'ExitCode', message: '3' }] } });
});

test('input reaches the program; a character cut in two by frames stays whole; closing the channel ends it', async () => {
  const text = Buffer.from('grüße\n', 'utf8');
  const { channels } = await exec('box/exec?container=box&stdin=true&stdout=true&command=cat', [
    Buffer.concat([Buffer.from([0]), text.subarray(0, 3)]),
    Buffer.concat([Buffer.from([0]), text.subarray(3)]),
    Buffer.from([255, 0]),
  ]);
  expect(channels[1]).toBe('grüße\n');
  expect(JSON.parse(channels[3]!)).toMatchObject({ status: 'Success' });
});

test('a refusal is plain HTTP with a Status', async () => {
  await expect(exec('nope/exec?stdout=true&command=true')).rejects.toThrow('404 {"kind":"Status"');
  await expect(exec('box/exec?container=other&stdout=true&command=true')).rejects.toThrow('container other is not valid for pod box');
});
