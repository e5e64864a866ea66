/**
 * Calls of webhooks: JSON posted to a Service of the cluster (apiserver `pkg/util/webhook`, client-go's REST client).
 *
 * The Service's name is looked up here and its cluster IP dialled from the API server's own node, so the call goes
 * through that node's kube-proxy rules to a pod; whatever goes wrong on the way is said as Go says it.
 * Here simplified: TLS is not modelled, so `caBundle` is not checked; URLs lead to Services and addresses only.
 */
import { type Duration, seconds } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';
import type { Json } from '../api/json.ts';
import type { KubeObject } from '../api/meta.ts';
import type { ApiRequest } from '../api/request.ts';
import type { Stream } from '../api/stream.ts';

/** `clientConfig` of a webhook or of a CRD's conversion. */
export interface WebhookClientConfig {
  readonly url?: string;
  readonly service?: { readonly namespace?: string; readonly name?: string; readonly path?: string; readonly port?: number };
  readonly caBundle?: string;
}

/** One HTTP request over a node's network. */
export interface ServiceRequest {
  readonly method: ApiRequest['method'];
  /** An address, not a name. */
  readonly ip: string;
  readonly port: number;
  /** The `Host` header: `hook.default.svc:443`. */
  readonly host: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For the whole exchange; of a stream, for its head. */
  readonly timeout: Duration;
  /** A reply without a length is handed over as it arrives. */
  readonly streams?: boolean;
}
export interface ServiceReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** In place of a body, where the request `streams`. */
  readonly stream?: Stream<string>;
}
/**
 * Sends a request from the machine of the API server. Rejects with an Error whose message is Go's:
 * `dial tcp 10.96.3.4:443: connect: connection refused`, `context deadline exceeded`, `EOF`.
 */
export type DialService = (request: ServiceRequest) => Promise<ServiceReply>;

/** A call that got no usable answer: `Post "https://hook.default.svc:443/validate?timeout=10s": context deadline exceeded`. */
export class WebhookError extends Error {
  constructor(
    message: string,
    /** No answer came at all; the failure policy decides. */
    readonly unreachable = true,
  ) {
    super(message);
    this.name = 'WebhookError';
  }
}

export interface WebhookClient {
  /**
   * Posts `body` and gives the answer's JSON. `timeoutSeconds` (10 by default) is also told in the URL.
   * Rejects with WebhookError.
   */
  call(config: WebhookClientConfig, body: Json, timeoutSeconds?: number): Promise<Json>;
}

export interface WebhookSource {
  readonly self: Process;
  readonly dial: DialService | undefined;
  /** A Service of the watch cache. */
  service(namespace: string, name: string): KubeObject | undefined;
}

interface ServiceLike {
  readonly spec?: {
    readonly clusterIP?: string;
    readonly type?: string;
    readonly externalName?: string;
    readonly ports?: readonly { readonly port?: number }[];
  };
}

/** Where a Service is reached; throws in the words of `proxy.ResolveCluster` (apiserver pkg/util/proxy). */
export function resolveService(
  source: Pick<WebhookSource, 'service'>,
  namespace: string,
  name: string,
  port: number,
): { readonly ip: string; readonly port: number } {
  const found = source.service(namespace, name) as (KubeObject & ServiceLike) | undefined;
  if (!found) throw new WebhookError(`service ${JSON.stringify(name)} not found`);
  const { spec } = found;
  if (spec?.type === 'ExternalName') return { ip: spec.externalName ?? '', port };
  if (!spec?.ports?.some((each) => each.port === port)) throw new WebhookError(`no service port ${port} found for service ${JSON.stringify(name)}`);
  if (!spec.clusterIP || spec.clusterIP === 'None') throw new WebhookError(`no endpoints available for service ${JSON.stringify(name)}`);
  return { ip: spec.clusterIP, port };
}

export function createWebhookClient(source: WebhookSource): WebhookClient {
  return {
    async call(config, body, timeoutSeconds = 10) {
      const { service } = config;
      const target = service
        ? { namespace: service.namespace ?? '', name: service.name ?? '', port: service.port ?? 443, path: service.path ?? '/' }
        : ofUrl(config.url ?? '');
      const path = `${target.path.startsWith('/') ? '' : '/'}${target.path}${target.path.includes('?') ? '&' : '?'}timeout=${timeoutSeconds}s`;
      const host = `${target.name}.${target.namespace}.svc:${target.port}`;
      const url = `https://${service ? host : (config.url ?? '').replace(/^https?:\/\//, '').split('/')[0]}${path}`;
      const failed = (why: string): WebhookError => new WebhookError(`Post ${JSON.stringify(url)}: ${why}`);
      let reply: ServiceReply;
      try {
        const { ip, port } = addressOf(source, target, config.url ?? '');
        if (!source.dial) throw new WebhookError(`dial tcp ${ip}:${port}: connect: no route to host`);
        reply = await within(
          source.self,
          seconds(timeoutSeconds),
          source.dial({
            method: 'POST',
            ip,
            port,
            host,
            path,
            headers: { accept: 'application/json', 'content-type': 'application/json', 'user-agent': 'kube-apiserver-admission' },
            body: JSON.stringify(body),
            timeout: seconds(timeoutSeconds),
          }),
        );
      } catch (error) {
        throw failed(error instanceof Error ? error.message : String(error));
      }
      if (reply.status < 200 || reply.status > 299) throw new WebhookError(statusText(reply));
      try {
        return JSON.parse(reply.body) as Json;
      } catch {
        throw new WebhookError(
          `couldn't get version/kind; json parse error: invalid character ${JSON.stringify(reply.body[0] ?? '')} looking for beginning of value`,
          false,
        );
      }
    },
  };
}

interface Named {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  readonly ip?: string;
}
function addressOf(source: Pick<WebhookSource, 'service'>, target: Named, url: string): { readonly ip: string; readonly port: number } {
  if (target.ip !== undefined) return { ip: target.ip, port: target.port };
  if (target.name === '') throw new WebhookError(`dial tcp: lookup ${url.replace(/^https?:\/\//, '').split(/[:/]/)[0]}: no such host`);
  return resolveService(source, target.namespace, target.name, target.port);
}

/** The JSON found at a URL. Rejects with WebhookError in the words of Go's http.Get. */
export async function fetchJson(source: WebhookSource, url: string): Promise<Json> {
  const target = ofUrl(url);
  const failed = (why: string): WebhookError => new WebhookError(`Get ${JSON.stringify(url)}: ${why}`);
  let reply: ServiceReply;
  try {
    const { ip, port } = addressOf(source, target, url);
    if (!source.dial) throw new WebhookError(`dial tcp ${ip}:${port}: connect: no route to host`);
    const host = url.replace(/^https?:\/\//, '').split('/')[0]!;
    const headers = { accept: 'application/json', 'user-agent': 'Go-http-client/1.1' };
    reply = await within(source.self, seconds(30), source.dial({ method: 'GET', ip, port, host, path: target.path, headers, timeout: seconds(30) }));
  } catch (error) {
    throw failed(error instanceof Error ? error.message : String(error));
  }
  if (reply.status !== 200) throw new WebhookError(`${reply.status}: ${reply.body}`);
  try {
    return JSON.parse(reply.body) as Json;
  } catch {
    throw new WebhookError(`failed to decode ${url}: invalid character ${JSON.stringify(reply.body[0] ?? '')} looking for beginning of value`, false);
  }
}

/** A deadline, whatever the connection does. */
function within<T>(self: Process, timeout: Duration, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = self.clock.after(timeout, () => {
      self.clock.wake();
      reject(new Error('context deadline exceeded'));
    });
    work.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}

/** `https://hook.default.svc:8443/path` as a Service; names of other hosts have no address here. */
function ofUrl(url: string): Named & { readonly path: string } {
  const m = /^https?:\/\/([^/:]+)(?::(\d+))?(\/.*)?$/.exec(url);
  if (/^\d+(\.\d+){3}$/.test(m?.[1] ?? '')) return { namespace: '', name: '', ip: m![1]!, port: Number(m![2] ?? 443), path: m![3] ?? '/' };
  const parts = (m?.[1] ?? '').split('.');
  const known = parts[2] === 'svc';
  return { namespace: known ? parts[1]! : '', name: known ? parts[0]! : '', port: Number(m?.[2] ?? 443), path: m?.[3] ?? '/' };
}

/** What client-go makes of an answer that is no success and no Status (`NewGenericServerResponse`). */
function statusText({ status, body }: ServiceReply): string {
  const told = statusMessage(body);
  if (told !== undefined) return told;
  switch (status) {
    case 400:
      return 'the server rejected our request for an unknown reason';
    case 401:
      return 'the server has asked for the client to provide credentials';
    case 403:
      return 'unknown';
    case 404:
      return 'the server could not find the requested resource';
    case 405:
      return 'the server does not allow this method on the requested resource';
    case 429:
      return 'the server has received too many requests and has asked us to try again later';
    case 503:
      return 'the server is currently unable to handle the request';
    case 504:
      return 'the server was unable to return a response in the time allotted, but may still be processing the request';
    default:
      return status >= 500
        ? `an error on the server (${JSON.stringify(body.trim())}) has prevented the request from succeeding`
        : `the server responded with the status code ${status} but did not return more information`;
  }
}

function statusMessage(body: string): string | undefined {
  try {
    const value = JSON.parse(body) as { readonly kind?: string; readonly message?: string };
    return value.kind === 'Status' ? value.message : undefined;
  } catch {
    return undefined;
  }
}
