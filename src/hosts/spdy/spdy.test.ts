import { constants, createDeflate, createInflate } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SpdyConnection, type SpdyStream } from './connection.ts';
import { DICTIONARY } from './dictionary.ts';
import { FrameReader, FrameWriter, type SpdyFrame } from './frames.ts';

test('the dictionary is the one every SPDY/3 peer has', () => {
  let [a, b] = [1, 0];
  for (const byte of DICTIONARY) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  expect(DICTIONARY.length).toBe(1423);
  expect(b * 65_536 + a).toBe(0xe3c6a7c2);
});

const FRAMES: readonly Exclude<SpdyFrame, { readonly type: 'other' }>[] = [
  { type: 'syn-stream', stream: 1, fin: false, headers: { streamtype: 'error', port: '80', requestid: '0' } },
  { type: 'data', stream: 1, fin: true, data: Buffer.alloc(0) },
  { type: 'syn-stream', stream: 3, fin: false, headers: { streamtype: 'data', port: '80', requestid: '0' } },
  { type: 'syn-reply', stream: 3, fin: false, headers: {} },
  { type: 'data', stream: 3, fin: false, data: Buffer.from('GET / HTTP/1.1\r\n\r\n') },
  { type: 'ping', id: 7 },
  { type: 'window-update', stream: 3, delta: 1000 },
  { type: 'headers', stream: 3, fin: true, headers: { a: 'ü' } },
  { type: 'rst-stream', stream: 3, status: 5 },
  { type: 'goaway', lastStream: 3, status: 0 },
];

test('frames written are the frames read, in whatever pieces they come', () => {
  for (const size of [1, 7, 1000]) {
    const writer = new FrameWriter();
    const bytes = Buffer.concat(FRAMES.map((frame) => writer.write(frame)));
    const reader = new FrameReader();
    const read: SpdyFrame[] = [];
    for (let at = 0; at < bytes.length; at += size) read.push(...reader.read(bytes.subarray(at, at + size)));
    expect(read).toEqual(FRAMES);
  }
});

test('header blocks are those of zlib', async () => {
  const inflate = createInflate({ dictionary: Buffer.from(DICTIONARY) });
  const writer = new FrameWriter();
  const packed = [1, 3, 5].map((stream) => writer.write({ type: 'syn-stream', stream, fin: false, headers: { port: '80', n: String(stream) } }).subarray(18));
  const plain: Buffer[] = [];
  inflate.on('data', (chunk: Buffer) => plain.push(chunk));
  for (const block of packed) await new Promise<void>((done) => inflate.write(block, () => done()));
  expect(Buffer.concat(plain).toString('latin1')).toBe([1, 3, 5].map((n) => `\0\0\0\x02\0\0\0\x04port\0\0\0\x0280\0\0\0\x01n\0\0\0\x01${n}`).join(''));

  const deflate = createDeflate({ dictionary: Buffer.from(DICTIONARY), level: 9 });
  const reader = new FrameReader();
  for (const n of [1, 2]) {
    const block: Buffer[] = [];
    deflate.on('data', (chunk: Buffer) => block.push(chunk));
    deflate.write(`\0\0\0\x01\0\0\0\x04host\0\0\0\x02h${n}`);
    await new Promise<void>((done) => deflate.flush(constants.Z_SYNC_FLUSH, done));
    deflate.removeAllListeners('data');
    const body = Buffer.concat([Buffer.from([0, 0, 0, n, 0, 0, 0, 0, 0, 0]), ...block]);
    const head = Buffer.from([0x80, 3, 0, 1, 0, 0, 0, body.length]);
    expect(reader.read(Buffer.concat([head, body]))).toEqual([{ type: 'syn-stream', stream: n, fin: false, headers: { host: `h${n}` } }]);
  }
});

test('whatever headers zlib has packed are read', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.dictionary(fc.stringMatching(/^[a-z-]{1,12}$/), fc.stringMatching(/^[ -~]{0,40}$/), { maxKeys: 6 }), { maxLength: 12 }),
      async (blocks) => {
        const deflate = createDeflate({ dictionary: Buffer.from(DICTIONARY), level: 9 });
        const reader = new FrameReader();
        let packed: Buffer[] = [];
        deflate.on('data', (chunk: Buffer) => packed.push(chunk));
        const text = (value: string) => {
          const length = Buffer.alloc(4);
          length.writeUInt32BE(value.length);
          return Buffer.concat([length, Buffer.from(value)]);
        };
        for (const headers of blocks) {
          const pairs = Object.entries(headers);
          const count = Buffer.alloc(4);
          count.writeUInt32BE(pairs.length);
          deflate.write(Buffer.concat([count, ...pairs.flatMap((pair) => pair.map(text))]));
          await new Promise<void>((done) => deflate.flush(constants.Z_SYNC_FLUSH, done));
          const body = Buffer.concat([Buffer.from([0, 0, 0, 1]), ...packed]);
          packed = [];
          const head = Buffer.from([0x80, 3, 0, 8, 0, 0, body.length >> 8, body.length & 255]);
          expect(reader.read(Buffer.concat([head, body]))).toEqual([{ type: 'headers', stream: 1, fin: false, headers: { ...headers } }]);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('a connection answers streams and pings', () => {
  const sent: SpdyFrame[] = [];
  const ear = new FrameReader();
  const streams: SpdyStream[] = [];
  let closed = 0;
  const connection = new SpdyConnection(
    { send: (bytes) => sent.push(...ear.read(bytes)), close: () => {} },
    (stream) => stream.headers['streamtype'] !== 'bad' && streams.push(stream) > 0,
    () => closed++,
  );
  const writer = new FrameWriter();
  connection.take(writer.write({ type: 'syn-stream', stream: 1, fin: false, headers: { streamType: 'data' } }));
  connection.take(writer.write({ type: 'syn-stream', stream: 3, fin: false, headers: { streamtype: 'bad' } }));
  connection.take(writer.write({ type: 'ping', id: 1 }));
  const heard: string[] = [];
  streams[0]!.onData = (data) => heard.push(data ? Buffer.from(data).toString() : 'END');
  connection.take(writer.write({ type: 'data', stream: 1, fin: false, data: Buffer.from('hello') }));
  connection.take(writer.write({ type: 'data', stream: 1, fin: true, data: Buffer.alloc(0) }));
  streams[0]!.write(Buffer.alloc(70_000));
  streams[0]!.close();
  expect(heard).toEqual(['hello', 'END']);
  expect(sent.map((frame) => (frame.type === 'data' ? `data ${frame.data.length}${frame.fin ? ' fin' : ''}` : frame.type))).toEqual([
    'syn-reply',
    'rst-stream',
    'ping',
    'data 65536',
    'data 4464',
    'data 0 fin',
  ]);
  expect(closed).toBe(0);
});

test('another version of the protocol ends the connection', () => {
  let closed = 0;
  const kinds: string[] = [];
  const ear = new FrameReader();
  const connection = new SpdyConnection(
    { send: (bytes) => kinds.push(...ear.read(bytes).map(({ type }) => type)), close: () => {} },
    () => true,
    () => closed++,
  );
  connection.take(Buffer.from([0x80, 2, 0, 1, 0, 0, 0, 0]));
  expect([kinds, closed]).toEqual([['goaway'], 1]);
});
