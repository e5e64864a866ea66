/** One run of kubectl: its context, its flags, and its line to the API server. */

import type { ProgramContext } from '../../linux/program.ts';
import { defer, Mailbox } from '../../sim/mailbox.ts';
import type { Json } from '../api/json.ts';
import { RELEASE } from '../api/release.ts';
import { ApiError, type ApiHandler, type ApiRequest, type ApiResponse, type Status, TransportError } from '../api/request.ts';
import type { Stream } from '../api/stream.ts';
import type { Discovery } from './discovery.ts';
import { type Flags, parseDuration } from './flags.ts';
import type { KubeConfig } from './kubeconfig.ts';

export type JsonObject = { readonly [key: string]: Json | undefined };
export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

export interface ObjectLike extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: JsonObject & {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Json;
  readonly contentType?: string;
  readonly accept?: string;
  /** Whoever asks through `kubectl proxy`; kubectl itself by default. */
  readonly userAgent?: string;
  readonly upgrade?: ApiRequest['upgrade'];
}

export interface Session {
  readonly self: ProgramContext;
  readonly flags: Flags;
  readonly config: KubeConfig;
  /** `host:port`, as errors name it. */
  readonly server: string;
  readonly serverUrl: string;
  readonly namespace: string;
  /** True when -n was given. */
  readonly namespaceGiven: boolean;
  /** `kubectl get`. */
  readonly command: string;
  readonly discovery: Discovery;
  readonly loadTexts: (() => Promise<unknown>) | undefined;
  out(text: string): void;
  err(text: string): void;
  /** The raw answer. Rejects with TransportError only. */
  send(method: ApiRequest['method'], path: string, options?: RequestOptions): Promise<ApiResponse>;
  /** The body of a success; rejects with ApiError for anything else. */
  request(method: ApiRequest['method'], path: string, options?: RequestOptions): Promise<Json>;
  /** How many warnings of the server were printed. */
  warnings(): number;
  /** An answer that goes on: a watch or a followed log. */
  open<T>(path: string, options?: RequestOptions): Promise<Reader<T>>;
}

/** Pulls from a pushed stream. */
export interface Reader<T> {
  /** Undefined at the end. */
  next(): Promise<T | undefined>;
  cancel(): void;
}

/** Told apart by `ended`, so that a stream may carry any value. */
export function readStream<T>(stream: Stream<T>, self: ProgramContext, limit = 0): Reader<T> {
  const items = new Mailbox<{ readonly value?: T; readonly ended: boolean }>(self.process.clock);
  if (limit > 0) self.process.clock.after(limit, () => items.put({ ended: true }));
  stream.read({ value: (value) => items.put({ value, ended: false }), end: () => items.put({ ended: true }) });
  self.process.onExit(() => stream.cancel());
  return {
    next: async () => {
      const item = await items.take();
      self.process.clock.wake();
      return item.ended ? undefined : item.value;
    },
    cancel: () => stream.cancel(),
  };
}

export interface Wiring {
  readonly self: ProgramContext;
  readonly handler: ApiHandler;
  readonly certificate: ApiRequest['certificate'];
  readonly token: string | undefined;
  readonly flags: Flags;
  readonly server: string;
}

/** --request-timeout in microseconds; 0 for none. A bare number is seconds. */
function timeoutOf(flags: Flags): number {
  const given = flags.text('request-timeout');
  return parseDuration(given || '0') ?? (/^\d+$/.test(given) ? Number(given) * 1_000_000 : 0);
}

/** The two ways to ask, with warnings printed as they come. */
export function createRequester({ self, handler, certificate, token, flags, server }: Wiring): Pick<Session, 'send' | 'request' | 'open' | 'warnings'> {
  const warned = new Set<string>();
  const send = async (method: ApiRequest['method'], path: string, options: RequestOptions = {}): Promise<ApiResponse> => {
    const headers: Record<string, string> = {
      accept: options.accept ?? 'application/json',
      'user-agent': options.userAgent ?? `kubectl/${RELEASE.gitVersion} (linux/amd64) kubernetes/orrery`,
    };
    if (options.body !== undefined) headers['content-type'] = options.contentType ?? 'application/json';
    if (token) headers['authorization'] = `Bearer ${token}`;
    if (flags.text('as')) headers['impersonate-user'] = flags.text('as');
    if (flags.all('as-group').length > 0) headers['impersonate-group'] = flags.all('as-group').join(',');
    if (flags.text('as-uid')) headers['impersonate-uid'] = flags.text('as-uid');
    const request: ApiRequest = {
      method,
      path,
      query: options.query ?? {},
      headers,
      body: options.body,
      ...(certificate && !token ? { certificate } : {}),
      ...(options.upgrade ? { upgrade: options.upgrade } : {}),
    };
    const timeout = timeoutOf(flags);
    const { clock } = self.process;
    const answer = defer<ApiResponse>(clock);
    const url = `https://${server}${path}`;
    const cancel =
      timeout > 0
        ? clock.after(timeout, () =>
            answer.reject(new TransportError(`Get "${url}": net/http: request canceled (Client.Timeout exceeded while awaiting headers)`)),
          )
        : () => {};
    handler(request).then(
      (response) => {
        // To a killed kubectl no answer comes any more: its promise stays open for ever.
        if (self.process.alive) answer.resolve(response);
        else response.stream?.cancel();
      },
      (error: Error) => {
        if (self.process.alive) answer.reject(error);
      },
    );
    const response = await answer.promise;
    cancel();
    const { location } = response.headers;
    // As Go's http.Client: the slash that pods/proxy wants.
    if (response.status === 301 && method === 'GET' && location?.startsWith('/')) return send(method, decodeURI(location.split('?')[0]!), options);
    const warnings = response.headers['warning'];
    if (warnings) {
      for (const m of warnings.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)) {
        const text = m[1]!.replace(/\\(.)/g, '$1');
        if (warned.has(text)) continue;
        warned.add(text);
        self.stderr(`Warning: ${text}\n`);
      }
    }
    return response;
  };
  const check = (response: ApiResponse, asked = ''): void => {
    if (response.status < 400) return;
    const body = response.body;
    if (isObject(body) && body['kind'] === 'Status') throw new ApiError(body as unknown as Status);
    throw new ApiError({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      code: response.status,
      // What is not there is worded by the client, whatever page came with it (client-go NewGenericServerResponse).
      message:
        response.status === 503
          ? `${httpMessage(503)}${asked}`
          : response.status !== 404 && typeof body === 'string' && body.trim() !== ''
            ? body.trim()
            : httpMessage(response.status),
      reason: httpReason(response.status),
    });
  };
  return {
    send,
    warnings: () => warned.size,
    request: async (method, path, options) => {
      const response = await send(method, path, options);
      check(response, whatWasAsked(method, path));
      return response.body ?? null;
    },
    open: async <T>(path: string, options?: RequestOptions) => {
      const response = await send('GET', path, options);
      check(response);
      if (response.stream) {
        const { stream } = response;
        // --request-timeout bounds the whole answer, a watch too: it ends as if the server had ended it.
        const limit = timeoutOf(flags);
        if (limit > 0) self.process.clock.after(limit, () => stream.cancel());
        return readStream(stream as Stream<T>, self, limit);
      }
      let left: T | undefined = (response.body ?? undefined) as T | undefined;
      return {
        next: async () => {
          const value = left;
          left = undefined;
          return value;
        },
        cancel: () => {},
      };
    },
  };
}

/** ` (get nodes.metrics.k8s.io node-1)`: what a request was about, for paths of resources. */
function whatWasAsked(method: string, path: string): string {
  const m = /^\/(?:api|apis\/([^/]+))\/[^/]+\/(?:namespaces\/[^/]+\/)?([^/]+)(?:\/([^/]+))?/.exec(path);
  return m ? ` (${method.toLowerCase()} ${m[2]}${m[1] ? `.${m[1]}` : ''}${m[3] ? ` ${m[3]}` : ''})` : '';
}

const httpReason = (status: number): string =>
  ({
    400: 'BadRequest',
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'NotFound',
    405: 'MethodNotAllowed',
    409: 'Conflict',
    429: 'TooManyRequests',
    500: 'InternalError',
    503: 'ServiceUnavailable',
    504: 'Timeout',
  })[status] ?? '';
const httpMessage = (status: number): string =>
  status === 404
    ? 'the server could not find the requested resource'
    : status === 503
      ? 'the server is currently unable to handle the request'
      : status === 405
        ? 'the server does not allow this method on the requested resource'
        : `the server responded with the status code ${status}`;
