/** Requests that a node's kubelet answers: log, exec, attach, port-forward and nodes/proxy (upstream pkg/registry/core/pod/rest). */
import { type ApiError, type ApiRequest, type ApiResponse, TransportError } from '../../api/request.ts';
import type { Node, Pod } from '../../api/types.gen.ts';
import type { Call } from '../call.ts';
import { badRequest, failure, internal, notFound } from '../errors.ts';
import { containerOf } from '../registry/pod.ts';
import type { SubresourceContext } from '../registry/subresources.ts';

/** The kubelet's paths (kubelet `pkg/kubelet/server`). */
const KUBELET_PATH: Readonly<Record<string, string>> = { log: 'containerLogs', exec: 'exec', attach: 'attach', portforward: 'portForward' };
const KUBELET_PORT = 10250;

/** Rejects with ApiError; what the kubelet refuses before an upgrade is passed on as it is. */
export async function toKubelet(context: SubresourceContext, call: Call, pod: Pod): Promise<ApiResponse> {
  const { request, path } = call;
  const node = pod.spec?.nodeName ?? '';
  const name = pod.metadata.name ?? '';
  const log = path.subresource === 'log';
  const container = path.subresource === 'portforward' ? '' : containerOf(pod, call.parameter('container'));
  if (node === '') {
    if (log) return { status: 200, headers: { 'content-type': 'text/plain' }, body: '' };
    throw badRequest(`pod ${name} does not have a host assigned`);
  }
  if (!log && !request.upgrade) throw badRequest('Upgrade request required');
  const { container: _, ...query } = request.query;
  const target = `/${KUBELET_PATH[path.subresource]}/${call.namespace}/${name}${container ? `/${container}` : ''}`;
  const response = await askKubelet(context, call, node, { ...request, path: target, query });
  if (log && response.status > 206) throw kubeletRefusal(response, name);
  return response;
}

/** What a kubelet says of a log it cannot give, as a Status (`GenericHttpResponseChecker`). */
function kubeletRefusal({ status, body }: ApiResponse, name: string): ApiError {
  const text = typeof body === 'string' ? body : '';
  if (status === 500) return internal(text);
  if (status === 400) return badRequest(text);
  return status === 404
    ? failure(404, 'NotFound', 'the server could not find the requested resource', {
        name,
        kind: 'pods/log',
        causes: [{ reason: 'UnexpectedServerResponse', message: text }],
      })
    : failure(status, '', text, { name, kind: 'pods/log' });
}

/** Passes a request on to the kubelet of a node; its answer, streams too, is the answer. */
export async function askKubelet({ registry, kubelet }: SubresourceContext, call: Call, name: string, request: ApiRequest): Promise<ApiResponse> {
  const node = registry.storage.cache.get(`/registry/minions/${name}`)?.object as Node | undefined;
  if (!node) throw notFound('', 'nodes', name);
  const host = addressOf(node);
  try {
    const reach = kubelet(name);
    if (!reach) throw new TransportError(`dial tcp ${host}:${KUBELET_PORT}: connect: no route to host`);
    const response = await reach(request);
    call.resume();
    return response;
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    call.resume();
    if (call.path.subresource === 'proxy') throw failure(503, 'ServiceUnavailable', `error trying to reach service: ${error.message}`);
    const query = queryText(request.query);
    const log = call.path.subresource === 'log';
    throw failure(500, '', log ? `Get "https://${host}:${KUBELET_PORT}${request.path}${query}": ${error.message}` : `error dialing backend: ${error.message}`);
  }
}

/** kubeadm's `--kubelet-preferred-address-types`: InternalIP first. */
export const addressOf = (node: Node): string => node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? node.metadata.name ?? '';

export const queryText = (query: ApiRequest['query']): string => {
  const pairs = Object.entries(query).flatMap(([name, value]) => (typeof value === 'string' ? [value] : value).map((each) => `${name}=${each}`));
  return pairs.length > 0 ? `?${pairs.sort().join('&')}` : '';
};
