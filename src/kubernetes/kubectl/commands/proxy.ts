/**
 * kubectl proxy: the API server on a port of the laptop, without credentials (kubectl pkg/proxy). What goes on
 * arriving, a watch or a log, is passed on as it arrives.
 */
import { type HttpPour, type HttpRequest, type HttpResponse, serveHttp } from '../../../linux/http.ts';
import { SocketError } from '../../../linux/sockets.ts';
import { defer } from '../../../sim/mailbox.ts';
import type { Json } from '../../api/json.ts';
import { type ApiRequest, type ApiResponse, TransportError } from '../../api/request.ts';
import type { Stream } from '../../api/stream.ts';
import { KubectlError } from '../errors.ts';
import { bool, text } from '../flags.ts';
import type { Session } from '../session.ts';
import type { Command } from './command.ts';

export const proxy: Command = {
  summary: 'Run a proxy to the Kubernetes API server',
  usage: 'kubectl proxy [--port=PORT] [--www=static-dir] [--www-prefix=prefix] [--api-prefix=prefix] [options]',
  flags: {
    port: { type: 'int', short: 'p', default: '8001' },
    address: text(undefined, '127.0.0.1'),
    www: text('w'),
    'www-prefix': text('P', '/static/'),
    'api-prefix': text(undefined, '/'),
    'accept-paths': text(undefined, '^.*'),
    'reject-paths': text(undefined, '^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach'),
    'accept-hosts': text(undefined, '^localhost$,^127\\.0\\.0\\.1$,^\\[::1\\]$'),
    'reject-methods': text(undefined, '^$'),
    'disable-filter': bool(),
    'append-server-path': bool(),
    'unix-socket': text('u'),
    keepalive: { type: 'duration', default: '0' },
  },
  run: async (session, args) => {
    const { self, flags } = session;
    if (args.length > 0) throw new KubectlError(`unknown command ${JSON.stringify(args[0])} for "kubectl proxy"`);
    if (flags.text('unix-socket')) throw new KubectlError('sockets of the file system are not modelled here');
    if (flags.text('www') && !self.files.isDirectory(at(session, flags.text('www'))))
      session.err(`F proxy.go] unable to stat static file directory ${flags.text('www')}\n`);
    const filter = flags.bool('disable-filter') ? () => true : filterOf(session);
    if (flags.bool('disable-filter')) session.err('Request filter disabled, your proxy is vulnerable to XSRF attacks, please be cautious\n');
    const over = defer<void>(self.process.clock);
    const handler = (request: HttpRequest): HttpResponse | Promise<HttpResponse> => {
      if (!filter(request)) return { status: 403, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: 'Forbidden\n' };
      return fileAnswer(session, request) ?? pass(session, request);
    };
    let port = flags.number('port');
    let close: (() => void) | undefined;
    while (!close) {
      const chosen = port === 0 ? self.process.rng.between(32_768, 60_999) : port;
      try {
        close = serveHttp(self.sockets, chosen, handler);
        if (port === 0) port = chosen;
      } catch (error) {
        if (!(error instanceof SocketError)) throw error;
        if (port !== 0) throw new KubectlError(`listen tcp ${flags.text('address')}:${port}: bind: address already in use`);
      }
    }
    self.process.onExit(close);
    session.out(`Starting to serve on ${flags.text('address')}:${port}\n`);
    await over.promise;
  },
};

const at = ({ self }: Session, path: string): string => (path.startsWith('/') ? path : `${self.cwd === '/' ? '' : self.cwd}/${path}`);
const patterns = (list: string): readonly RegExp[] =>
  list
    .split(',')
    .filter((each) => each !== '')
    .map((each) => new RegExp(each));
const any = (list: readonly RegExp[], value: string): boolean => list.some((pattern) => pattern.test(value));

/** `FilterServer`: which requests are let through. */
function filterOf({ flags }: Session): (request: HttpRequest) => boolean {
  const [acceptPaths, rejectPaths, acceptHosts, rejectMethods] = ['accept-paths', 'reject-paths', 'accept-hosts', 'reject-methods'].map((name) =>
    patterns(flags.text(name)),
  );
  return ({ method, path, headers }) => {
    const host = (headers['host'] ?? '').replace(/:\d+$/, '');
    return !any(rejectPaths!, path) && !any(rejectMethods!, method) && any(acceptPaths!, path) && any(acceptHosts!, host);
  };
}

/** Files of --www, below their prefix. */
function fileAnswer(session: Session, { path }: HttpRequest): HttpResponse | undefined {
  const { flags, self } = session;
  const prefix = flags.text('www-prefix');
  if (!flags.text('www') || !path.startsWith(prefix)) return undefined;
  const file = `${at(session, flags.text('www'))}/${path.slice(prefix.length)}`;
  if (self.files.isDirectory(file)) {
    const names = self.files.list(file).map((name) => (self.files.isDirectory(`${file}/${name}`) ? `${name}/` : name));
    return {
      status: 200,
      headers: { 'Content-Type': 'text/html; charset=utf-8' },
      body: `<pre>\n${names.map((name) => `<a href="${name}">${name}</a>\n`).join('')}</pre>\n`,
    };
  }
  if (!self.files.exists(file)) return { status: 404, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: '404 page not found\n' };
  return { status: 200, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: self.files.read(file) };
}

const METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

async function pass(session: Session, request: HttpRequest): Promise<HttpResponse> {
  const prefix = session.flags.text('api-prefix').replace(/\/?$/, '/');
  if (!`${request.path}/`.startsWith(prefix)) return { status: 404, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: '404 page not found\n' };
  if (!METHODS.includes(request.method)) return { status: 405, body: '' };
  const { accept, 'content-type': contentType, 'user-agent': userAgent } = request.headers;
  try {
    const response = await session.send(request.method as ApiRequest['method'], `/${request.path.slice(prefix.length)}`, {
      query: request.query,
      ...(accept ? { accept } : {}),
      ...(userAgent ? { userAgent } : {}),
      ...(request.body !== '' ? { body: request.body as Json, contentType: contentType ?? 'application/json' } : {}),
    });
    const head = { status: response.status, headers: headersOf(response) };
    const { stream } = response;
    return stream ? { ...head, pour: (out) => pour(stream as Stream<unknown>, out) } : { ...head, body: bodyOf(response) };
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    return { status: 502, body: '' };
  }
}

function headersOf({ headers }: ApiResponse): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    if (name !== 'transfer-encoding' && name !== 'content-length') kept[name.replace(/(^|-)[a-z]/g, (c) => c.toUpperCase())] = value;
  return kept;
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : `${JSON.stringify(value)}\n`);
const bodyOf = ({ body }: ApiResponse): string => (body === undefined ? '' : shown(body));

function pour(stream: Stream<unknown>, out: HttpPour): () => void {
  stream.read({ value: (value) => out.write(shown(value)), end: () => out.end() });
  return () => stream.cancel();
}
