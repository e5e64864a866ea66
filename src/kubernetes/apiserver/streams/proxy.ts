/**
 * pods/proxy, services/proxy and nodes/proxy: HTTP through the API server to something in the cluster
 * (upstream pkg/registry/core/{pod,service,node}, apimachinery pkg/util/proxy).
 *
 * An answer without a length goes on as it arrives. Here simplified: links in pages that come back are not rewritten,
 * and connections are not upgraded.
 */
import { seconds } from '../../../sim/clock.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { ApiRequest, ApiResponse } from '../../api/request.ts';
import type { Endpoints, Node, Pod, Service } from '../../api/types.gen.ts';
import type { Call } from '../call.ts';
import { badRequest, failure, notFound, unavailable } from '../errors.ts';
import type { SubresourceContext } from '../registry/subresources.ts';
import { addressOf, askKubelet } from './kubelet.ts';

interface Place {
  readonly ip: string;
  readonly port: number;
}

/** Rejects with ApiError. */
export async function serveProxy(context: SubresourceContext, call: Call): Promise<ApiResponse> {
  const { request, row, path } = call;
  const inside = /\/proxy(\/.*)?$/.exec(request.path.slice(request.path.indexOf(`/${path.name}/proxy`)))?.[1] ?? '';
  const asked = schemeNamePort(path.name);
  if (!asked) throw badRequest(`invalid ${row.kind.toLowerCase()} request ${JSON.stringify(path.name)}`);
  const node = row.kind === 'Node' ? nodeOf(context, asked.name) : undefined;
  const place = node
    ? { ip: addressOf(node), port: Number(asked.port || 10_250) }
    : row.kind === 'Pod'
      ? podPlace(context, call, asked)
      : servicePlace(context, call, asked);
  // A relative link of what is served here needs the slash (kubernetes issue 4958).
  if (inside === '') return { status: 301, headers: { location: `${encodeURI(request.path)}/${queryOf(request)}` }, body: '' };
  if (node && place.port === 10_250) return askKubelet(context, call, asked.name, { ...request, path: inside });
  return carry(context, call, place, encodeURI(inside) + queryOf(request));
}

interface Asked {
  readonly name: string;
  readonly port: string;
}
/** `name`, `name:port`, `scheme:name:port` (apimachinery `SplitSchemeNamePort`). */
function schemeNamePort(text: string): Asked | undefined {
  const parts = text.split(':');
  const [scheme, name, port] = parts.length === 3 ? (parts as [string, string, string]) : ['', parts[0]!, parts[1] ?? ''];
  if (parts.length > 3 || name === '' || !['', 'http', 'https'].includes(scheme)) return undefined;
  return { name, port };
}

function queryOf({ query }: ApiRequest): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((each) => `${encodeURIComponent(name)}=${encodeURIComponent(each)}`),
  );
  return pairs.length > 0 ? `?${pairs.join('&')}` : '';
}

const stored = <T extends object>({ registry }: SubresourceContext, key: string): T | undefined =>
  registry.storage.cache.get(key)?.object as (KubeObject & T) | undefined;

function nodeOf(context: SubresourceContext, name: string): Node {
  const node = stored<Node>(context, `/registry/minions/${name}`);
  if (!node) throw notFound('', 'nodes', name);
  return node;
}

function podPlace(context: SubresourceContext, call: Call, { name, port }: Asked): Place {
  const pod = stored<Pod>(context, `/registry/pods/${call.namespace}/${name}`);
  if (!pod) throw notFound('', 'pods', name);
  const ip = pod.status?.podIP;
  if (!ip) throw badRequest('address not allowed');
  const first = pod.spec?.containers?.flatMap(({ ports = [] }) => ports)[0]?.containerPort;
  return { ip, port: port === '' ? (first ?? 80) : Number(port) };
}

/** A random one of the endpoints that serve the port, which is named by name or number. */
function servicePlace(context: SubresourceContext, call: Call, { name, port }: Asked): Place {
  const { registry } = context;
  const service = stored<Service>(context, `/registry/services/specs/${call.namespace}/${name}`);
  let wanted = port;
  if (/^\d+$/.test(port)) {
    if (!service) throw notFound('', 'services', name);
    const found = service.spec?.ports?.find((one) => one.port === Number(port));
    if (!found) throw unavailable(`no service port ${port} found for service ${JSON.stringify(name)}`);
    wanted = found.name ?? '';
  }
  const endpoints = stored<Endpoints>(context, `/registry/services/endpoints/${call.namespace}/${name}`);
  if (!endpoints) throw notFound('', 'endpoints', name);
  for (const { addresses = [], ports = [] } of endpoints.subsets ?? []) {
    const found = ports.find((one) => (one.name ?? '') === wanted);
    if (found && addresses.length > 0) return { ip: registry.self.rng.pick(addresses).ip, port: found.port };
  }
  throw unavailable(`no endpoints available for service ${JSON.stringify(port === '' ? name : `${name}:${port}`)}`);
}

/** Headers that are of one connection alone, or that name who asked. */
const OWN = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'content-length', 'host', 'authorization', 'accept-encoding']);
const TIMEOUT = seconds(30);

async function carry({ dialService }: SubresourceContext, call: Call, { ip, port }: Place, path: string): Promise<ApiResponse> {
  const { request } = call;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) if (!OWN.has(name) && !name.startsWith('impersonate-')) headers[name] = value;
  const body = request.body === undefined ? undefined : typeof request.body === 'string' ? request.body : JSON.stringify(request.body);
  try {
    if (!dialService) throw new Error(`dial tcp ${ip}:${port}: connect: no route to host`);
    const reply = await dialService({
      method: request.method,
      ip,
      port,
      host: `${ip}:${port}`,
      path,
      headers,
      timeout: TIMEOUT,
      streams: true,
      ...(body === undefined ? {} : { body }),
    });
    call.resume();
    const kept = Object.entries(reply.headers).filter(([name]) => !['connection', 'keep-alive', 'transfer-encoding', 'content-length'].includes(name));
    const answer = { status: reply.status, headers: Object.fromEntries(kept) };
    return reply.stream ? { ...answer, stream: reply.stream } : { ...answer, body: reply.body };
  } catch (error) {
    call.resume();
    throw failure(503, 'ServiceUnavailable', `error trying to reach service: ${error instanceof Error ? error.message : String(error)}`);
  }
}
