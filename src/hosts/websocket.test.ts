import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { seconds } from '../sim/clock.ts';
import { serve } from './http.ts';
import { Headless, keepPace } from './node.ts';
import { FrameReader, FrameWriter, type SpdyFrame } from './spdy/frames.ts';

const headless = Headless.start('single', 1);
let stopped = false;
let address = '';
let close = () => {};

beforeAll(async () => {
  await headless.untilReady();
  await headless.run('kubectl run box --image=busybox:1.36 --restart=Never -- sleep 100000');
  await headless.run('kubectl run web --image=nginx:1.29 --restart=Never');
  await headless.world.run(headless.world.now + seconds(30));
  const server = await serve(headless, 0);
  address = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/namespaces/default/pods`;
  close = () => server.close();
  void keepPace(headless.world, 10, () => stopped);
}, 60_000);
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

test('bytes that are no text come back as they went', async () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  const back: Buffer[] = [];
  await new Promise<void>((resolve, reject) => {
    const socket = new WebSocket(`${address}/box/exec?container=box&stdin=true&stdout=true&command=cat`, ['v4.channel.k8s.io']);
    socket.on('open', () => {
      socket.send(Buffer.concat([Buffer.from([0]), bytes.subarray(0, 200)]));
      socket.send(Buffer.concat([Buffer.from([0]), bytes.subarray(200)]));
      socket.send(Buffer.from([255, 0]));
    });
    socket.on('message', (data: Buffer) => data[0] === 1 && back.push(data.subarray(1)));
    socket.on('close', () => resolve());
    socket.on('error', reject);
  });
  expect(Buffer.concat(back)).toEqual(bytes);
});

test('a client that offers nothing we speak is refused', async () => {
  const refusal = await new Promise<string>((resolve) => {
    const socket = new WebSocket(`${address}/box/exec?container=box&stdout=true&command=true`, ['base64.channel.k8s.io']);
    socket.on('error', () => {});
    socket.on('unexpected-response', (_, response) => resolve(`${response.statusCode}`));
  });
  expect(refusal).toBe('400');
});

/** A connection to the server after its upgrade to SPDY/3.1, as kubectl before 1.30 makes it. */
function spdy(
  path: string,
  protocol: string,
): Promise<{ send(frame: Parameters<FrameWriter['write']>[0]): void; frames: SpdyFrame[]; closed: Promise<void>; head: string }> {
  const { hostname, port, pathname } = new URL(address);
  return new Promise((resolve, reject) => {
    const asked = request({
      host: hostname,
      port,
      method: 'POST',
      path: `${pathname}/${path}`,
      headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': `v1.nothing, ${protocol}` },
    });
    asked.on('error', reject);
    asked.on('response', (response) => reject(new Error(String(response.statusCode))));
    asked.on('upgrade', (response, socket, head) => {
      const [reader, writer, frames] = [new FrameReader(), new FrameWriter(), [] as SpdyFrame[]];
      const take = (data: Buffer) => frames.push(...reader.read(data));
      take(head);
      socket.on('data', take);
      const closed = new Promise<void>((done) => socket.on('close', () => done()));
      resolve({ send: (frame) => socket.write(writer.write(frame)), frames, closed, head: String(response.headers['x-stream-protocol-version']) });
    });
    asked.end();
  });
}
const heard = (frames: readonly SpdyFrame[], stream: number): string =>
  frames.map((frame) => (frame.type === 'data' && frame.stream === stream ? Buffer.from(frame.data).toString() : '')).join('');

test('exec over SPDY: a stream for each channel', async () => {
  const { send, frames, closed, head } = await spdy(
    'box/exec?container=box&stdin=true&stdout=true&stderr=true&command=sh&command=-c&command=cat%3B%20exit%203',
    'v4.channel.k8s.io',
  );
  expect(head).toBe('v4.channel.k8s.io');
  ['error', 'stdin', 'stdout', 'stderr'].forEach((streamtype, i) => send({ type: 'syn-stream', stream: 2 * i + 1, fin: false, headers: { streamtype } }));
  send({ type: 'data', stream: 3, fin: false, data: Buffer.from('hello') });
  send({ type: 'data', stream: 3, fin: true, data: Buffer.alloc(0) });
  await closed;
  expect(heard(frames, 5)).toBe('hello');
  expect(JSON.parse(heard(frames, 1))).toMatchObject({ reason: 'NonZeroExitCode' });
  expect(frames.at(-1)).toMatchObject({ type: 'goaway' });
});

test('port-forward: pairs of streams, over SPDY and over a WebSocket that carries it', async () => {
  const bytes = Buffer.from('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  const direct = await spdy('web/portforward', 'portforward.k8s.io');
  const talk = (send: (frame: Parameters<FrameWriter['write']>[0]) => void, first: number, port: string): void => {
    send({ type: 'syn-stream', stream: first, fin: true, headers: { streamtype: 'error', port, requestid: port } });
    send({ type: 'syn-stream', stream: first + 2, fin: false, headers: { streamtype: 'data', port, requestid: port } });
    send({ type: 'data', stream: first + 2, fin: false, data: bytes });
  };
  talk(direct.send, 1, '80');
  talk(direct.send, 5, '81');
  await vi.waitFor(() => expect(direct.frames.filter((frame) => frame.type === 'data' && frame.fin)).toHaveLength(4), 10_000);
  expect(heard(direct.frames, 3)).toContain('Welcome to nginx');
  expect(heard(direct.frames, 5)).toContain('connect: connection refused');

  const [reader, writer, frames] = [new FrameReader(), new FrameWriter(), [] as SpdyFrame[]];
  // The library refuses to offer a name with a slash, which is what kubectl does.
  const { hostname, port, pathname } = new URL(address);
  const asked = request({
    host: hostname,
    port,
    path: `${pathname}/web/portforward`,
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-protocol': 'SPDY/3.1+portforward.k8s.io',
    },
  });
  const protocol = await new Promise<string>((resolve, reject) => {
    asked.on('error', reject);
    asked.on('response', (response) => reject(new Error(String(response.statusCode))));
    asked.on('upgrade', (response, socket) => {
      socket.on('data', (data: Buffer) => {
        // One unmasked message in each: short, of 16 bits, or of 64.
        for (let at = 0; at < data.length; ) {
          const short = data[at + 1]! & 127;
          const [length, start] =
            short < 126 ? [short, at + 2] : short === 126 ? [data.readUInt16BE(at + 2), at + 4] : [Number(data.readBigUInt64BE(at + 2)), at + 10];
          if ((data[at]! & 15) === 2) frames.push(...reader.read(data.subarray(start, start + length)));
          at = start + length;
        }
      });
      talk(
        (frame) => {
          const message = writer.write(frame);
          socket.write(Buffer.concat([Buffer.from([0x82, 0x80 | 126, message.length >> 8, message.length & 255, 0, 0, 0, 0]), message]));
        },
        1,
        '80',
      );
      resolve(String(response.headers['sec-websocket-protocol']));
    });
    asked.end();
  });
  expect(protocol).toBe('SPDY/3.1+portforward.k8s.io');
  await vi.waitFor(() => expect(heard(frames, 3)).toContain('Welcome to nginx'), 10_000);
});
