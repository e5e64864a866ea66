/**
 * The API server of a world over plain HTTP on the loopback, for the real kubectl.
 *
 * Node's http ↔ ApiRequest. A request without credentials is the cluster's administrator and may
 * impersonate; a bearer token makes it somebody else. Watches and followed logs are chunked.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { ApiResponse } from '../kubernetes/api/request.ts';
import { headersOf } from './headers.ts';
import type { Headless } from './node.ts';
import { serveUpgrades } from './websocket.ts';

/** The API server's own limit on a request body (apiserver `MaxRequestBodyBytes`). */
const MAX_BODY = 3 * 1024 * 1024;

/** Serves until closed. Rejects when the port is taken. */
export function serve(headless: Headless, port: number): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    answer(headless, incoming, outgoing).catch((error) => {
      if (!outgoing.headersSent) outgoing.writeHead(502, { 'content-type': 'text/plain' });
      outgoing.end(error instanceof Error ? error.message : String(error));
    });
  });
  server.keepAliveTimeout = 60_000;
  serveUpgrades(headless, server);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

async function answer(headless: Headless, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    // One byte over is enough for the API server to say no; the rest is drained, not kept.
    if (size <= MAX_BODY + 1) chunks.push(chunk);
    else if (chunks.length > 0 && Buffer.concat(chunks).length <= MAX_BODY) chunks.push(chunk.subarray(0, 1));
  }
  const body = Buffer.concat(chunks);
  const headers = headersOf(incoming);
  const binary = (headers['content-type'] ?? '').includes('protobuf');
  const text = {
    method: incoming.method ?? 'GET',
    url: incoming.url ?? '/',
    headers,
    ...(body.length > 0 ? { body: body.toString(binary ? 'latin1' : 'utf8') } : {}),
  };
  const result = await headless.request(text);
  send(result, incoming, outgoing);
}

function send(response: ApiResponse, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const headers: Record<string, string> = { ...response.headers };
  const stream = response.stream;
  if (!stream) {
    const binary = (headers['content-type'] ?? '').includes('protobuf');
    const text = response.body === undefined ? '' : typeof response.body === 'string' ? response.body : `${JSON.stringify(response.body)}\n`;
    let bytes = Buffer.from(text, binary ? 'latin1' : 'utf8');
    if (bytes.length > 131_072 && /\bgzip\b/.test(String(incoming.headers['accept-encoding'] ?? ''))) {
      bytes = gzipSync(bytes, { level: 4 });
      headers['content-encoding'] = 'gzip';
    }
    headers['content-length'] = String(bytes.length);
    outgoing.writeHead(response.status, headers);
    outgoing.end(incoming.method === 'HEAD' ? undefined : bytes);
    return;
  }
  outgoing.writeHead(response.status, headers);
  outgoing.flushHeaders();
  stream.read({
    value: (value) => {
      outgoing.write(typeof value === 'string' ? value : `${JSON.stringify(value)}\n`);
    },
    end: () => outgoing.end(),
  });
  // Here simplified: a client that left before the answer came is noticed when it comes.
  if (outgoing.destroyed) stream.cancel();
  else outgoing.on('close', () => stream.cancel());
}
