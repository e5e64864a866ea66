/**
 * exec and attach over WebSocket for clients outside the world: `v5.channel.k8s.io`, binary frames whose
 * first byte names the channel (KEP-4006; apimachinery `pkg/util/remotecommand`).
 *
 * A refusal is answered before the upgrade, as plain HTTP. kubectl then asks once more over SPDY/3.1; that
 * request takes the same way to the same refusal, and prints it. Here simplified: input is text, so that
 * what is not UTF-8 (`kubectl cp` of a tar archive) does not survive; SPDY itself is not spoken.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { WebSocket, WebSocketServer } from 'ws';
import type { Frame } from '../kubernetes/api/request.ts';
import type { Stream } from '../kubernetes/api/stream.ts';
import { headersOf } from './headers.ts';
import type { Headless } from './node.ts';

/** Newest first; they differ in what the error channel carries and in v5's close of one channel. */
const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const CHANNELS: readonly number[] = [0, 1, 2, 3, 4, 255];

/** Answers the server's upgrade requests. */
export function serveUpgrades(headless: Headless, server: Server): void {
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: (offered) => PROTOCOLS.find((protocol) => offered.has(protocol)) ?? false,
  });
  server.on('upgrade', (incoming, socket, head) => {
    socket.on('error', () => socket.destroy());
    upgrade(headless, sockets, incoming, socket, head).catch((error) =>
      refuse(socket, 502, 'text/plain', error instanceof Error ? error.message : String(error)),
    );
  });
}

async function upgrade(headless: Headless, sockets: WebSocketServer, incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const { response, send } = headless.upgrade({ method: incoming.method ?? 'GET', url: incoming.url ?? '/', headers: headersOf(incoming) });
  const answer = await response;
  if (answer.status >= 400 || !answer.stream) {
    send();
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? '');
    refuse(socket, answer.status, answer.headers['content-type'] ?? 'application/json', text);
    return;
  }
  const stream = answer.stream as Stream<Frame>;
  const offered = String(incoming.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
  if (incoming.headers.upgrade?.toLowerCase() !== 'websocket' || !PROTOCOLS.some((protocol) => offered.includes(protocol))) {
    stream.cancel();
    send();
    refuse(socket, 400, 'text/plain', `unable to upgrade: this server speaks ${PROTOCOLS.join(' and ')} only`);
    return;
  }
  sockets.handleUpgrade(incoming, socket, head, (connection) => join(connection, stream, send));
}

/** Joins the frames of the connection with those of the world, until one of them ends. */
function join(connection: WebSocket, stream: Stream<Frame>, send: (frame?: Frame) => void): void {
  // A character may be cut in two by a frame's end.
  const decoder = new StringDecoder('utf8');
  connection.on('message', (data: Buffer) => {
    const channel = data[0];
    if (channel === undefined || !CHANNELS.includes(channel)) return;
    const rest = data.subarray(1);
    if (channel === 255) send({ channel, data: String(rest[0] ?? 0) });
    else if (channel === 0) {
      const text = decoder.write(rest);
      if (text !== '') send({ channel, data: text });
    } else send({ channel: channel as Frame['channel'], data: rest.toString('utf8') });
  });
  connection.on('close', () => {
    stream.cancel();
    send();
  });
  connection.on('error', () => connection.terminate());
  stream.read({
    value: (frame) => {
      if (connection.readyState === WebSocket.OPEN) connection.send(Buffer.concat([Buffer.from([frame.channel]), Buffer.from(frame.data, 'utf8')]));
    },
    end: () => connection.close(1000),
  });
}

function refuse(socket: Duplex, status: number, type: string, text: string): void {
  const body = Buffer.from(text, 'utf8');
  socket.end(
    Buffer.concat([Buffer.from(`HTTP/1.1 ${status} Refused\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`), body]),
  );
}
