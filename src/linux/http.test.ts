import { expect, test } from 'vitest';
import { ms, seconds } from '../sim/clock.ts';
import { Loop } from '../sim/loop.ts';
import { Mailbox } from '../sim/mailbox.ts';
import type { Process } from '../sim/process.ts';
import { testHost } from '../sim/test-host.ts';
import { byteLength, formatResponse, httpGet, httpOver, parseQuery, parseUrl, serveHttp } from './http.ts';
import type { Connection, Sockets } from './sockets.ts';

/** One namespace whose every connection goes to itself, with segments cut into pieces of `size` characters. */
function loopback(self: Process, size: number): Sockets {
  const listeners = new Map<number, (connection: Connection) => void>();
  return {
    listen: (port, onConnection) => {
      listeners.set(port, onConnection);
      return () => listeners.delete(port);
    },
    connect: async (_host, port) => {
      await self.clock.sleep(ms(1));
      const boxes = [new Mailbox<string | undefined>(self.clock), new Mailbox<string | undefined>(self.clock)] as const;
      const end = (me: 0 | 1): Connection => ({
        local: { ip: '10.0.0.1', port: me === 0 ? 40_000 : port },
        remote: { ip: '10.0.0.1', port: me === 0 ? port : 40_000 },
        send: (text) => {
          self.clock.after(ms(1), () => {
            for (let i = 0; i < text.length; i += size) boxes[me === 0 ? 1 : 0].put(text.slice(i, i + size));
          });
        },
        receive: () => boxes[me].take(),
        close: () => {
          self.clock.after(ms(1), () => boxes[me === 0 ? 1 : 0].put(undefined));
        },
      });
      listeners.get(port)!(end(1));
      return end(0);
    },
    listenUdp: () => () => {},
    askUdp: () => Promise.reject(new Error('no UDP here')),
    resolve: async () => ['10.0.0.1'],
  };
}
async function story(size: number, tell: (sockets: Sockets, self: Process) => Promise<void>): Promise<void> {
  const loop = new Loop({ seed: 1, host: testHost });
  let told = false;
  const process = loop.spawn('p', async (self) => {
    await tell(loopback(self, size), self);
    told = true;
  });
  let failure: Error | undefined;
  process.onExit((exit) => {
    if (exit.how === 'crashed') failure = exit.error;
  });
  await loop.run(seconds(60));
  if (failure) throw failure;
  expect(told).toBe(true);
}

test.each([
  ['http://web:8080/a?b=c', { scheme: 'http', host: 'web', port: 8080, target: '/a?b=c' }],
  ['web', { scheme: 'http', host: 'web', port: 80, target: '/' }],
  ['https://10.0.0.1', { scheme: 'https', host: '10.0.0.1', port: 443, target: '/' }],
  ['web?x=1', { scheme: 'http', host: 'web', port: 80, target: '/?x=1' }],
])('url %s', (url, parsed) => expect(parseUrl(url)).toEqual(parsed));
test('query', () => expect(parseQuery('a=1&b=x%20y+z&c')).toEqual({ a: '1', b: 'x y z', c: '' }));

test.each([1, 7, 10_000])('a request and its answer in pieces of %i characters', (size) =>
  story(size, async (sockets) => {
    const served: string[] = [];
    serveHttp(
      sockets,
      80,
      (request) => ({ status: 201, headers: { 'X-Path': request.path }, body: `${request.method} ${request.query['q']} ${request.body}` }),
      (request, response) => served.push(`${request.target} ${response.status}`),
    );
    const reply = await httpGet(sockets, 'http://web/say?q=hi', { method: 'POST', body: 'the body' });
    expect(reply).toMatchObject({ status: 201, headers: { 'x-path': '/say' }, body: 'POST hi the body' });
    expect(served).toEqual(['/say?q=hi 201']);
  }),
);

test('a connection serves one request after another; nonsense gets 400', () =>
  story(1000, async (sockets) => {
    serveHttp(sockets, 80, async () => ({ status: 200, body: 'x' }));
    const connection = await sockets.connect('web', 80);
    connection.send('GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await connection.receive()).toContain('Connection: keep-alive');
    expect(await connection.receive()).toContain('200 OK');
    connection.send('what\r\n\r\n');
    expect(await connection.receive()).toContain('400 Bad Request');
  }));

test('chunked bodies, bodies up to the close, and time-outs', () =>
  story(3, async (sockets, self) => {
    const answers = [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
      'HTTP/1.1 200 OK\r\n\r\nuntil the end',
      formatResponse({ status: 204 }),
      '',
    ];
    sockets.listen(80, (connection) => {
      connection.send(answers.shift()!);
      if (answers.length === 2) self.clock.after(ms(5), () => connection.close());
    });
    const ask = async () => httpOver(await sockets.connect('web', 80), 'GET / HTTP/1.1\r\n\r\n');
    expect((await ask()).body).toBe('abcde');
    expect((await ask()).body).toBe('until the end');
    expect((await ask()).status).toBe(204);
    await expect(httpGet(sockets, 'http://web/', { timeout: seconds(1), clock: self.clock })).rejects.toMatchObject({ code: 'TIMEOUT' });
  }));

test('lengths are those of UTF-8', () => {
  expect(['a', 'é', '€', '😀', 'aé€😀'].map(byteLength)).toEqual([1, 2, 3, 4, 10]);
  expect(formatResponse({ status: 200, body: 'Grüße 😀' })).toContain('Content-Length: 12\r\n');
});

test.each([1, 3, 10_000])('bodies of more bytes than characters arrive whole in pieces of %i, and what follows them too', (size) =>
  story(size, async (sockets, self) => {
    const bodies: string[] = [];
    serveHttp(sockets, 80, ({ body }) => {
      bodies.push(body);
      return { status: 200, body: body.toUpperCase() };
    });
    const connection = await sockets.connect('web', 80);
    connection.send('POST / HTTP/1.1\r\nContent-Length: 12\r\n\r\nGrüße 😀POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nok');
    await self.clock.sleep(ms(50));
    expect(bodies).toEqual(['Grüße 😀', 'ok']);
    expect((await httpGet(sockets, 'http://web/', { method: 'POST', body: '€uro' })).body).toBe('€URO');
  }),
);
