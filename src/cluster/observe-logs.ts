/**
 * A pod's logs without touching the world: read from the node's runtime directly, as the observer reads the store.
 * The world's own way, through the API server and the kubelet, takes virtual time and leaves its mark.
 */
import type { DeepReadonly } from '../kubernetes/api/json.ts';
import type { ApiRequest, ApiResponse } from '../kubernetes/api/request.ts';
import type { Pod } from '../kubernetes/api/types.gen.ts';
import { refuse } from '../kubernetes/apiserver/apiserver.ts';
import { badRequest, notFound, unavailable } from '../kubernetes/apiserver/errors.ts';
import { viewOf } from '../kubernetes/kubelet/pod-view.ts';
import type { Cluster } from './cluster.ts';

const PATH = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/log$/;
const one = (value: string | readonly string[] | undefined): string | undefined => (typeof value === 'string' ? value : value?.[0]);

/** Answers GETs of `…/pods/NAME/log` with `container`, `tailLines` and `previous`; nothing for any other request. Here simplified: `follow` ends with what there is. */
export function observeLogs(cluster: Cluster, request: ApiRequest): ApiResponse | undefined {
  const [, namespace, name = ''] = (request.method === 'GET' && PATH.exec(request.path)) || [];
  if (namespace === undefined) return undefined;
  const pod = cluster.mirror.get('pods', `${namespace}/${name}`) as DeepReadonly<Pod> | undefined;
  if (!pod) return refuse(notFound('', 'pods', name));
  const container = one(request.query['container']) ?? pod.spec?.containers?.[0]?.name ?? '';
  const node = pod.spec?.nodeName;
  if (!node) return refuse(badRequest(`container "${container}" in pod "${name}" is waiting to start: the pod has no node yet`));
  const runtime = cluster.node(node)?.runtime;
  if (!runtime) return refuse(unavailable(`no containerd answers on ${node}`));
  // Of a static pod the API holds a mirror with a uid of its own; the node knows it by the hash of its manifest.
  const uid = pod.metadata.annotations?.['kubernetes.io/config.mirror'] ?? pod.metadata.uid ?? '';
  const runs = viewOf(runtime, uid).containers.get(container) ?? [];
  const previous = one(request.query['previous']) === 'true';
  const run = previous ? runs.filter((each) => each.state === 'exited')[runs[0]?.state === 'exited' ? 1 : 0] : runs[0];
  if (!run || run.state === 'created') {
    return refuse(
      badRequest(
        previous
          ? `previous terminated container "${container}" in pod "${name}" not found`
          : `container "${container}" in pod "${name}" is waiting to start: ContainerCreating`,
      ),
    );
  }
  const tail = Number(one(request.query['tailLines']) ?? Number.POSITIVE_INFINITY);
  const lines = tail === 0 ? [] : runtime.logs(run.id).slice(-tail);
  return { status: 200, headers: { 'content-type': 'text/plain' }, body: lines.map((line) => `${line.text}\n`).join('') };
}
