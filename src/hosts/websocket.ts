/**
 * Upgraded connections of clients outside the world: exec, attach, cp and port-forward.
 *
 * Three ways lead to the same frames. kubectl from 1.30 asks for a WebSocket with `v5.channel.k8s.io`:
 * binary frames whose first byte names the channel (KEP-4006; apimachinery `pkg/util/remotecommand`). For
 * port-forward it asks, from 1.31, for a WebSocket that carries SPDY/3.1. Older ones ask for SPDY/3.1 itself.
 *
 * A refusal is answered before the upgrade, as plain HTTP. kubectl then asks once more over SPDY/3.1; that
 * request takes the same way to the same refusal, and prints it.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import type { ApiResponse, Frame } from '../kubernetes/api/request.ts';
import type { Stream } from '../kubernetes/api/stream.ts';
import { ByteReader, toBytes } from './bytes.ts';
import { headersOf } from './headers.ts';
import type { Headless } from './node.ts';
import type { SpdyConnection } from './spdy/connection.ts';
import { joinPortForward } from './spdy/port-forward.ts';
import { joinRemoteCommand } from './spdy/remote-command.ts';

/** Newest first; they differ in what the error channel carries and in v5's close of one channel. */
const CHANNELED = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const FORWARD = 'portforward.k8s.io';
const TUNNEL = `SPDY/3.1+${FORWARD}`;
const CHANNELS: readonly number[] = [0, 1, 2, 3, 4, 255];

/** Gives the world what the client says, and nothing once the client is gone. */
type Send = (frame?: Frame) => void;

/** Answers the server's upgrade requests. */
export function serveUpgrades(headless: Headless, server: Server): void {
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: (offered, incoming) => protocolFor(incoming, [...offered]) ?? false,
  });
  // A name with a slash in it is no token of HTTP, and the library would have none of it.
  sockets.on('headers', (headers, incoming) => {
    if (forwards(incoming)) headers.push(`Sec-WebSocket-Protocol: ${TUNNEL}`);
  });
  server.on('upgrade', (incoming, socket, head) => {
    socket.on('error', () => socket.destroy());
    upgrade(headless, sockets, incoming, socket, head).catch((error) =>
      refuse(socket, 502, 'text/plain', error instanceof Error ? error.message : String(error)),
    );
  });
}

const forwards = (incoming: IncomingMessage): boolean => /^[^?]*\/portforward(\?|$)/.test(incoming.url ?? '');
const protocolFor = (incoming: IncomingMessage, offered: readonly string[]): string | undefined =>
  (forwards(incoming) ? [TUNNEL] : CHANNELED).find((protocol) => offered.includes(protocol));
const listed = (header: string | readonly string[] | undefined): readonly string[] =>
  String(header ?? '')
    .split(/\s*,\s*/)
    .filter((part) => part !== '');

async function upgrade(headless: Headless, sockets: WebSocketServer, incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const { response, send } = headless.upgrade({ method: incoming.method ?? 'GET', url: incoming.url ?? '/', headers: headersOf(incoming) });
  const answer = await response;
  if (answer.status >= 400 || !answer.stream) {
    send();
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? '');
    refuse(socket, answer.status, answer.headers['content-type'] ?? 'application/json', text);
    return;
  }
  const kind = incoming.headers.upgrade?.toLowerCase();
  if (kind === 'websocket' && protocolFor(incoming, listed(incoming.headers['sec-websocket-protocol'])) !== undefined) {
    if (forwards(incoming)) delete incoming.headers['sec-websocket-protocol'];
    sockets.handleUpgrade(incoming, socket, head, (connection) => {
      connection.on('error', () => connection.terminate());
      if (forwards(incoming)) tunnel(connection, answer.stream as Stream<Frame>, send);
      else join(connection, answer.stream as Stream<Frame>, send);
    });
    return;
  }
  if (kind === 'spdy/3.1' && spdy(incoming, socket, head, answer, send)) return;
  send();
  refuse(socket, 400, 'text/plain', `unable to upgrade: unable to negotiate protocol: this server speaks ${[...CHANNELED, TUNNEL].join(', ')}`);
}

/** Joins the frames of the connection with those of the world, until one of them ends. */
function join(connection: WebSocket, stream: Stream<Frame>, send: Send): void {
  const bytes = new ByteReader();
  connection.on('message', (data: Buffer) => {
    const channel = data[0];
    if (channel === undefined || !CHANNELS.includes(channel)) return;
    const rest = data.subarray(1);
    if (channel === 255) send({ channel, data: String(rest[0] ?? 0) });
    else if (channel === 0) {
      const text = bytes.read(rest);
      if (text !== '') send({ channel, data: text });
    } else send({ channel: channel as Frame['channel'], data: rest.toString('utf8') });
  });
  connection.on('close', () => send());
  stream.read({
    value: (frame) => {
      if (connection.readyState === WebSocket.OPEN) connection.send(Buffer.concat([Buffer.from([frame.channel]), toBytes(frame.data)]));
    },
    end: () => connection.close(1000),
  });
}

/** SPDY frames in messages; a message's borders mean nothing. */
function tunnel(connection: WebSocket, stream: Stream<Frame>, send: Send): void {
  const wire = {
    send: (bytes: Buffer) => {
      if (connection.readyState === WebSocket.OPEN) connection.send(bytes);
    },
    close: () => connection.close(1000),
  };
  const session = joinPortForward(wire, stream, send);
  connection.on('message', (data: Buffer) => session.take(data));
  connection.on('close', () => session.lost());
}

/** SPDY on the connection itself. False when the client offers no protocol of ours. */
function spdy(incoming: IncomingMessage, socket: Duplex, head: Buffer, answer: ApiResponse, send: Send): boolean {
  const offered = listed(incoming.headers['x-stream-protocol-version']);
  const protocol = [forwards(incoming) ? FORWARD : 'v4.channel.k8s.io'].find((each) => offered.includes(each));
  if (protocol === undefined) return false;
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`);
  const wire = { send: (bytes: Buffer) => void socket.write(bytes), close: () => void socket.end() };
  const stream = answer.stream as Stream<Frame>;
  const session: SpdyConnection = forwards(incoming)
    ? joinPortForward(wire, stream, send)
    : joinRemoteCommand(wire, expectedStreams(new URL(incoming.url ?? '/', 'http://localhost').searchParams), stream, send);
  if (head.length > 0) session.take(head);
  socket.on('data', (data: Buffer) => session.take(data));
  socket.on('close', () => session.lost());
  return true;
}

/** What a client that asks so opens (`remotecommand/httpstream.go`). */
function expectedStreams(query: URLSearchParams): readonly string[] {
  const yes = (name: string): boolean => query.get(name) === 'true' || query.get(name) === '1';
  const tty = yes('tty');
  return [
    'error',
    ...(yes('stdin') ? ['stdin'] : []),
    ...(yes('stdout') ? ['stdout'] : []),
    ...(yes('stderr') && !tty ? ['stderr'] : []),
    ...(tty ? ['resize'] : []),
  ];
}

function refuse(socket: Duplex, status: number, type: string, text: string): void {
  const body = Buffer.from(text, 'utf8');
  socket.end(
    Buffer.concat([Buffer.from(`HTTP/1.1 ${status} Refused\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`), body]),
  );
}
