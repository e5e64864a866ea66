/**
 * HTTP/1.1 as programs speak it over a `Connection` (RFC 9112): enough for probes, web servers and wget.
 *
 * Messages are text, and their lengths are counted in the bytes UTF-8 makes of it. Here simplified: no trailers, no
 * pipelining beyond one request after the other; a length that ends within a character takes that character whole.
 */
import type { Clock, Duration } from '../sim/clock.ts';
import type { Connection, SocketError, Sockets } from './sockets.ts';

export interface HttpRequest {
  readonly method: string;
  /** Percent-decoded, without the query. */
  readonly path: string;
  /** The last value wins where a name is repeated. */
  readonly query: Readonly<Record<string, string>>;
  /** As on the request line. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly remote: { readonly ip: string; readonly port: number };
  readonly local: { readonly ip: string; readonly port: number };
}
export interface HttpResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** In place of a body: what goes on arriving, sent in chunks. Called when the head is out; returns what to do when the client leaves. */
  readonly pour?: (out: HttpPour) => () => void;
}
export interface HttpPour {
  write(text: string): void;
  end(): void;
}
export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
export type HttpHandler = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>;

/** A reply that is not HTTP, a time-out, or a connection closed half way. */
export class HttpError extends Error {
  constructor(
    readonly code: 'TIMEOUT' | 'MALFORMED' | 'CLOSED',
    message: string,
  ) {
    super(message);
    this.name = 'HttpError';
  }
}

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  204: 'No Content',
  301: 'Moved Permanently',
  302: 'Found',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};
/** The reason phrase of a status code, empty when unknown. */
export const reasonPhrase = (status: number): string => REASONS[status] ?? '';

/** Splits `http://host:port/path?query`; the port defaults to 80 (443 for https, whose TLS is not modelled). Undefined when it is no URL. */
export function parseUrl(url: string): { readonly scheme: string; readonly host: string; readonly port: number; readonly target: string } | undefined {
  const m = /^(?:(https?):\/\/)?([^/:?#\s]+)(?::(\d+))?([/?][^#\s]*)?/.exec(url);
  if (!m) return undefined;
  const target = m[4] ?? '/';
  return {
    scheme: m[1] ?? 'http',
    host: m[2]!,
    port: m[3] ? Number(m[3]) : m[1] === 'https' ? 443 : 80,
    target: target.startsWith('?') ? `/${target}` : target,
  };
}

const decode = (text: string): string => {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
};
export function parseQuery(text: string): Record<string, string> {
  const query: Record<string, string> = {};
  for (const part of text.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    query[decode(equals < 0 ? part : part.slice(0, equals))] = equals < 0 ? '' : decode(part.slice(equals + 1));
  }
  return query;
}

const ASCII = /^[\x00-\x7f]*$/;
/** What UTF-8 makes of the code unit at `at`: half a pair is two bytes, so that a whole one is four. */
const bytesAt = (text: string, at: number): number => {
  const unit = text.charCodeAt(at);
  return unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3;
};
/** Bytes of a text in UTF-8. */
export function byteLength(text: string): number {
  if (ASCII.test(text)) return text.length;
  let bytes = 0;
  for (let i = 0; i < text.length; i++) bytes += bytesAt(text, i);
  return bytes;
}
/** How many code units at the front of a text make so many bytes; undefined when there are not enough. */
export function unitsOf(text: string, bytes: number): number | undefined {
  if (text.length >= bytes && ASCII.test(text.slice(0, bytes))) return bytes;
  let left = bytes;
  let i = 0;
  for (; left > 0 && i < text.length; i++) left -= bytesAt(text, i);
  return left > 0 ? undefined : i;
}

export interface Head {
  readonly first: string;
  readonly headers: Readonly<Record<string, string>>;
}
interface Message extends Head {
  readonly body: string;
}

/** Heads as they were read: a cluster's probes ask the same and hear the same thousands of times. */
const heads = new Map<string, Head>();
const HEADS_KEPT = 200;

export function headOf(text: string): Head {
  const known = heads.get(text);
  if (known) return known;
  const lines = text.split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':');
    if (colon > 0) headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  const head = { first: lines[0] ?? '', headers };
  if (heads.size >= HEADS_KEPT) heads.clear();
  heads.set(text, head);
  return head;
}

/** Takes one message from the front of `text`. Undefined when more is needed. */
function takeMessage(text: string, ended: boolean, isReply: boolean): { readonly message: Message; readonly rest: string } | undefined {
  const split = text.indexOf('\r\n\r\n');
  if (split < 0) return undefined;
  const { first, headers } = headOf(text.slice(0, split));
  const after = text.slice(split + 4);
  if (headers['transfer-encoding'] === 'chunked') {
    let body = '';
    let at = 0;
    for (;;) {
      const eol = after.indexOf('\r\n', at);
      if (eol < 0) return undefined;
      const size = Number.parseInt(after.slice(at, eol), 16);
      const units = size >= 0 ? unitsOf(after.slice(eol + 2), size) : undefined;
      if (units === undefined || after.length < eol + 2 + units + 2) return undefined;
      body += after.slice(eol + 2, eol + 2 + units);
      at = eol + 2 + units + 2;
      if (size === 0) return { message: { first, headers, body }, rest: after.slice(at) };
    }
  }
  if (headers['content-length'] !== undefined) {
    const length = unitsOf(after, Number(headers['content-length']));
    if (length === undefined) return undefined;
    return { message: { first, headers, body: after.slice(0, length) }, rest: after.slice(length) };
  }
  // A reply without a length lasts until the connection closes (RFC 9112 6.3); a request without one has no body.
  if (!isReply) return { message: { first, headers, body: '' }, rest: after };
  if (/^HTTP\/1\.\d (204|304|1\d\d)/.test(first)) return { message: { first, headers, body: '' }, rest: after };
  return ended ? { message: { first, headers, body: after }, rest: '' } : undefined;
}

export const formatRequest = (method: string, target: string, headers: Readonly<Record<string, string>>, body = ''): string => {
  let text = `${method} ${target} HTTP/1.1\r\n`;
  for (const name in headers) text += `${name}: ${headers[name]}\r\n`;
  if (body !== '') text += `Content-Length: ${byteLength(body)}\r\n`;
  return `${text}\r\n${body}`;
};
export const formatResponse = (response: HttpResponse, headOnly = false): string => {
  const body = response.body ?? '';
  let text = `HTTP/1.1 ${response.status} ${reasonPhrase(response.status)}\r\n`;
  for (const name in response.headers) text += `${name}: ${response.headers[name]}\r\n`;
  if (response.pour) return `${text}Transfer-Encoding: chunked\r\n\r\n`;
  return `${text}Content-Length: ${byteLength(body)}\r\n\r\n${headOnly ? '' : body}`;
};

/** Reads a connection to its end, by callback where it can: `take` says whether a promise hangs on it. */
export function read(connection: Connection, take: (text: string | undefined) => boolean, failed: (error: SocketError) => void): void {
  if (connection.onReceive) {
    connection.onReceive(take, failed);
    return;
  }
  const next = (): void => {
    connection.receive().then((text) => {
      take(text);
      if (text !== undefined) next();
    }, failed);
  };
  next();
}

/** Sends one request over an open connection and reads the reply; closes the connection. Rejects with HttpError or SocketError. */
export function httpOver(connection: Connection, request: string): Promise<HttpReply> {
  return new Promise((resolve, reject) => exchange(connection, request, resolve, reject));
}

/** The same by callback, for the thousands of probes of an hour. */
export function exchange(connection: Connection, request: string, done: (reply: HttpReply) => void, failed: (error: HttpError | SocketError) => void): void {
  connection.send(request);
  let text = '';
  let over = false;
  read(
    connection,
    (segment) => {
      if (over) return false;
      if (segment !== undefined) text = text === '' ? segment : text + segment;
      const taken = takeMessage(text, segment === undefined, true);
      if (!taken && segment !== undefined) return false;
      over = true;
      connection.close();
      if (!taken) {
        failed(new HttpError(text === '' ? 'CLOSED' : 'MALFORMED', text === '' ? 'EOF' : `malformed HTTP response "${text.split('\r\n')[0]!.slice(0, 40)}"`));
        return true;
      }
      const { first, headers, body } = taken.message;
      const m = /^HTTP\/1\.\d (\d{3})/.exec(first);
      if (m) done({ status: Number(m[1]), headers, body });
      else failed(new HttpError('MALFORMED', `malformed HTTP response "${first.slice(0, 40)}"`));
      return true;
    },
    (error) => {
      if (over) return;
      over = true;
      failed(error);
    },
  );
}

export interface HttpOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For connecting and, when a clock is given, for the whole exchange. */
  readonly timeout?: Duration;
  readonly clock?: Clock;
  /** How the reply is read, if not when it is whole (`http-stream.ts`). */
  readonly exchange?: (connection: Connection, request: string, timeout: Duration | undefined) => Promise<HttpReply>;
}

/**
 * One request, connection and all. Rejects with SocketError (`ECONNREFUSED`, `ENOTFOUND`, …) or HttpError
 * (`TIMEOUT` needs `clock`). Follows no redirects.
 */
export async function httpGet(sockets: Sockets, url: string, options: HttpOptions = {}): Promise<HttpReply> {
  const parsed = parseUrl(url);
  if (!parsed) throw new HttpError('MALFORMED', `bad address '${url}'`);
  const began = options.clock?.now() ?? 0;
  const connection = await sockets.connect(parsed.host, parsed.port, options.timeout === undefined ? {} : { timeout: options.timeout });
  const host = parsed.port === 80 ? parsed.host : `${parsed.host}:${parsed.port}`;
  const request = formatRequest(options.method ?? 'GET', parsed.target, { Host: host, Connection: 'close', ...options.headers }, options.body);
  const left = options.timeout === undefined ? undefined : Math.max(0, options.timeout - ((options.clock?.now() ?? 0) - began));
  if (options.exchange) return options.exchange(connection, request, left);
  if (!options.clock || left === undefined) return httpOver(connection, request);
  return withTimeout(options.clock, left, connection, request);
}

/** `httpOver` that gives up after `timeout` and closes the connection. */
export function withTimeout(clock: Clock, timeout: Duration, connection: Connection, request: string): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(timeout, () => {
      connection.close();
      clock.wake();
      reject(new HttpError('TIMEOUT', 'timed out'));
    });
    httpOver(connection, request).then(
      (reply) => {
        cancel();
        resolve(reply);
      },
      (error) => {
        cancel();
        reject(error);
      },
    );
  });
}

/**
 * Serves HTTP on a port of the namespace; returns the function that stops listening. A handler that
 * rejects gives 500. A connection stays open for the next request unless the client asked to close.
 * Throws SocketError EADDRINUSE.
 */
export function serveHttp(sockets: Sockets, port: number, handler: HttpHandler, onReply?: (request: HttpRequest, response: HttpResponse) => void): () => void {
  return sockets.listen(port, (connection) => serveConnection(connection, handler, onReply));
}

/** Requests of one connection, one after the other; a handler that answers at once costs no promise. */
function serveConnection(connection: Connection, handler: HttpHandler, onReply?: (request: HttpRequest, response: HttpResponse) => void): void {
  let text = '';
  let busy = false;
  let ended = false;
  const hangUp = (): void => {
    ended = true;
    connection.close();
  };
  const reply = (request: HttpRequest, response: HttpResponse): void => {
    const close = request.headers['connection']?.toLowerCase() === 'close';
    onReply?.(request, response);
    connection.send(formatResponse({ ...response, headers: { ...response.headers, Connection: close ? 'close' : 'keep-alive' } }, request.method === 'HEAD'));
    if (response.pour && request.method !== 'HEAD') pour(response.pour, close);
    else if (close) hangUp();
  };
  /** Chunks as they come; the next request waits for the last. */
  const pour = (start: NonNullable<HttpResponse['pour']>, close: boolean): void => {
    busy = true;
    let done = false;
    const leave = start({
      write: (piece) => {
        if (!done && !ended && piece !== '') connection.send(`${byteLength(piece).toString(16)}\r\n${piece}\r\n`);
      },
      end: () => {
        if (done || ended) return;
        done = true;
        left = undefined;
        busy = false;
        connection.send('0\r\n\r\n');
        if (close || gone) hangUp();
        else serve();
      },
    });
    if (!done) left = leave;
  };
  /** What is to be done when the client goes while something is poured. */
  let left: (() => void) | undefined;
  const failure = (error: unknown): HttpResponse => ({
    status: 500,
    headers: { 'Content-Type': 'text/plain' },
    body: `${error instanceof Error ? error.message : String(error)}\n`,
  });
  /** Says whether a promise hangs on it. */
  const serve = (): boolean => {
    while (!busy && !ended) {
      const taken = takeMessage(text, false, false);
      if (!taken) return false;
      text = taken.rest;
      const request = toRequest(taken.message, connection);
      if (!request) {
        connection.send(formatResponse({ status: 400, headers: { Connection: 'close' } }));
        hangUp();
        return false;
      }
      let answer: HttpResponse | Promise<HttpResponse>;
      try {
        answer = handler(request);
      } catch (error) {
        answer = failure(error);
      }
      if (!(answer instanceof Promise)) {
        reply(request, answer);
        continue;
      }
      busy = true;
      const answered = (response: HttpResponse): void => {
        busy = false;
        reply(request, response);
        serve();
        if (gone && left) abandon();
        else if (gone && !busy && !ended) hangUp();
      };
      answer.then(answered, (error) => answered(failure(error)));
    }
    return busy;
  };
  // The other side has no more to say; what it asked before is still answered.
  let gone = false;
  const abandon = (): void => {
    const leave = left;
    left = undefined;
    hangUp();
    leave?.();
  };
  const leave = (): boolean => {
    gone = true;
    if (left) abandon();
    else if (!busy && !ended) hangUp();
    return false;
  };
  read(
    connection,
    (segment) => {
      if (segment === undefined) return leave();
      text = text === '' ? segment : text + segment;
      return serve();
    },
    leave,
  );
}

function toRequest(message: Message, connection: Connection): HttpRequest | undefined {
  const m = /^([A-Z]+) (\S+) HTTP\/1\.\d$/.exec(message.first);
  if (!m) return undefined;
  const target = m[2]!;
  const question = target.indexOf('?');
  return {
    method: m[1]!,
    path: decode(question < 0 ? target : target.slice(0, question)),
    query: question < 0 ? {} : parseQuery(target.slice(question + 1)),
    target,
    headers: message.headers,
    body: message.body,
    remote: connection.remote,
    local: connection.local,
  };
}
