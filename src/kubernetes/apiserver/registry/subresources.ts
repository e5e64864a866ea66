/**
 * What lies below an object's path: status, scale, binding, eviction, finalize, token, and the three that
 * lead on to a kubelet (log, exec, attach).
 */
import type { KubeObject } from '../../api/meta.ts';
import { type ApiError, type ApiHandler, type ApiRequest, type ApiResponse, TransportError } from '../../api/request.ts';
import { apiVersionOf, storageKey } from '../../api/resources.ts';
import { EPOCH_SECONDS, rfc3339 } from '../../api/time.ts';
import type { Binding, Eviction, Kind, Namespace, Node, Pod, Scale, TokenRequest } from '../../api/types.gen.ts';
import { bodyObject } from '../body.ts';
import type { Call } from '../call.ts';
import { badRequest, conflict, failure, internal, methodNotAllowed, noSuchPath, notFound } from '../errors.ts';
import { ISSUER, type TokenSigner } from '../tokens.ts';
import { evictPod } from './eviction.ts';
import { bindPod, containerOf, withEphemeralContainers } from './pod.ts';
import { scaleOf, withScale } from './scale.ts';
import type { Registry } from './store.ts';
import type { DeleteOptions } from './strategy.ts';

export interface SubresourceContext {
  readonly registry: Registry;
  readonly tokens: TokenSigner;
  kubelet(nodeName: string): ApiHandler | undefined;
  /** The body a PUT or PATCH gives, computed from what is. */
  wanted(call: Call, kind: Kind, expected: { apiVersion: string; kind: string }, current: KubeObject): KubeObject;
}

export interface Answer {
  readonly status: number;
  readonly body: object;
  /** Answered by somebody else, with a stream or headers of its own. */
  readonly response?: ApiResponse;
}

const SCALE = { apiVersion: 'autoscaling/v1', kind: 'Scale' };

/** Answers a request for a subresource that is there and that the caller may use. */
export async function serveSubresource(context: SubresourceContext, call: Call): Promise<Answer> {
  const { registry } = context;
  const { row, path, verb } = call;
  const own = { apiVersion: apiVersionOf(row), kind: row.kind };
  const writes = verb === 'update' || verb === 'patch';
  const current = async (): Promise<KubeObject> => {
    const stored = await registry.storage.get(storageKey(row, call.namespace, path.name));
    call.resume();
    if (!stored) throw notFound(row.group, row.plural, path.name);
    return stored.object;
  };
  switch (path.subresource) {
    case 'status':
      if (verb === 'get') return { status: 200, body: await current() };
      if (!writes) break;
      return { status: 200, body: (await registry.update(call, ({ object }) => context.wanted(call, row.type, own, object), { status: true })).object };
    case 'scale': {
      if (verb === 'get') return { status: 200, body: scaleOf(await current()) };
      if (!writes) break;
      const { object } = await registry.update(
        call,
        (stored) =>
          withScale(
            stored.object,
            checkScale(context.wanted(call, 'Scale' as Kind, SCALE, scaleOf(stored.object) as unknown as KubeObject) as unknown as Scale),
          ),
        { raw: true },
      );
      return { status: 200, body: scaleOf(object) };
    }
    case 'finalize': {
      if (verb !== 'update') break;
      const body = bodyObject(call, row.type, own) as Namespace;
      const { object } = await registry.update(call, (stored) => finalized(stored.object as Namespace, body), { raw: true });
      return { status: 200, body: object };
    }
    case 'ephemeralcontainers':
      if (verb === 'get') return { status: 200, body: await current() };
      if (!writes) break;
      return {
        status: 200,
        body: (
          await registry.update(call, ({ object }) => withEphemeralContainers(object as Pod, context.wanted(call, row.type, own, object) as Pod), { raw: true })
        ).object,
      };
    case 'resize':
      if (verb === 'get') return { status: 200, body: await current() };
      if (!writes) break;
      return {
        status: 200,
        body: (await registry.update(call, ({ object }) => resized(object as Pod, context.wanted(call, row.type, own, object) as Pod))).object,
      };
    case 'binding': {
      if (verb !== 'create') break;
      return { status: 201, body: await bindPod(registry, call, bodyObject(call, 'Binding', { apiVersion: 'v1', kind: 'Binding' }) as Binding) };
    }
    case 'eviction': {
      if (verb !== 'create') break;
      const eviction = bodyObject(call, 'Eviction' as Kind, { apiVersion: 'policy/v1', kind: 'Eviction' }) as Eviction;
      if (eviction.metadata?.name && eviction.metadata.name !== path.name) throw badRequest('name in URL does not match name in Eviction object');
      return { status: 201, body: await evictPod(registry, call, (eviction.deleteOptions ?? {}) as DeleteOptions, (to, toRow) => call.derive(to, toRow)) };
    }
    case 'token': {
      if (verb !== 'create') break;
      const account = await current();
      return {
        status: 201,
        body: await issueToken(
          context,
          call,
          account,
          bodyObject(call, 'TokenRequest' as Kind, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' }) as TokenRequest,
        ),
      };
    }
    case 'proxy':
      if (row.kind !== 'Node') break;
      return { status: 200, body: {}, response: await askKubelet(context, call, path.name, { ...call.request, path: `/${path.rest}` }) };
    case 'log':
    case 'exec':
    case 'attach':
    case 'portforward':
      return toKubelet(context, call, (await current()) as Pod);
    default:
      throw noSuchPath();
  }
  throw methodNotAllowed(row.group, row.plural);
}

function checkScale(scale: Scale): Scale {
  const replicas = scale.spec?.replicas ?? 0;
  if (replicas >= 0) return scale;
  const message = `Invalid value: ${replicas}: must be greater than or equal to 0`;
  throw failure(422, 'Invalid', `Scale.autoscaling ${JSON.stringify(scale.metadata.name ?? '')} is invalid: spec.replicas: ${message}`, {
    name: scale.metadata.name ?? '',
    group: 'autoscaling',
    kind: 'Scale',
    causes: [{ reason: 'FieldValueInvalid', message, field: 'spec.replicas' }],
  });
}

function finalized(old: Namespace, wanted: Namespace): KubeObject {
  const asked = wanted.metadata.resourceVersion;
  const finalizers = wanted.spec?.finalizers ?? [];
  return { ...old, metadata: { ...old.metadata, ...(asked ? { resourceVersion: asked } : {}) }, spec: { ...old.spec, finalizers } } as KubeObject;
}

/** In-place resize (KEP-1287): only resources change. */
function resized(old: Pod, wanted: Pod): KubeObject {
  const containers = (old.spec?.containers ?? []).map((container) => {
    const asked = wanted.spec?.containers?.find((candidate) => candidate.name === container.name);
    return asked?.resources ? { ...container, resources: asked.resources } : container;
  });
  return { ...old, metadata: { ...old.metadata, resourceVersion: wanted.metadata.resourceVersion! }, spec: { ...old.spec!, containers } } as KubeObject;
}

const SHORTEST_TOKEN = 600;
const WARNED_AFTER = 3607;
const EXTENDED = 365 * 24 * 3600;

async function issueToken({ registry, tokens }: SubresourceContext, call: Call, account: KubeObject, request: TokenRequest): Promise<object> {
  const { spec } = request;
  const seconds = spec?.expirationSeconds ?? 3600;
  if (seconds < SHORTEST_TOKEN) {
    const message = `Invalid value: ${seconds}: may not specify a duration less than 10 minutes`;
    throw failure(422, 'Invalid', `TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: ${message}`, {
      group: 'authentication.k8s.io',
      kind: 'TokenRequest',
      causes: [{ reason: 'FieldValueInvalid', message, field: 'spec.expirationSeconds' }],
    });
  }
  const reference = spec?.boundObjectRef;
  let pod: Pod | undefined;
  if (reference) {
    if (reference.kind !== 'Pod') throw badRequest(`cannot bind token for serviceaccount "${account.metadata.name}" to an object of kind ${reference.kind}`);
    const stored = await registry.storage.get(`/registry/pods/${call.namespace}/${reference.name}`);
    call.resume();
    if (!stored) throw notFound('', 'pods', reference.name ?? '');
    pod = stored.object as Pod;
    if (reference.uid && reference.uid !== pod.metadata.uid) {
      throw conflict(
        '',
        'pods',
        reference.name ?? '',
        `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      );
    }
    if (pod.spec?.serviceAccountName !== account.metadata.name) {
      throw badRequest(`cannot bind token for serviceaccount "${account.metadata.name}" to pod running with different serviceaccount name.`);
    }
  }
  const now = EPOCH_SECONDS + Math.floor(registry.self.clock.now() / 1_000_000);
  const audiences = spec?.audiences?.length ? spec.audiences : [ISSUER];
  // The well-known 3607 marks a pod's own token: clients too old to reload it are given a year (extended expiration).
  const lasts = seconds === WARNED_AFTER && pod ? EXTENDED : seconds;
  const token = tokens.sign({
    namespace: call.namespace,
    serviceAccount: account.metadata.name ?? '',
    uid: account.metadata.uid ?? '',
    ...(pod ? { pod: { name: pod.metadata.name ?? '', uid: pod.metadata.uid ?? '' }, ...(pod.spec?.nodeName ? { node: pod.spec.nodeName } : {}) } : {}),
    audiences,
    iat: now,
    exp: now + lasts,
    jti: registry.uid(),
  });
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name: account.metadata.name, namespace: call.namespace, creationTimestamp: registry.timestamp() },
    spec: { ...spec, audiences, expirationSeconds: seconds },
    status: { token, expirationTimestamp: rfc3339(now + seconds) },
  };
}

/** The kubelet's paths for the three (kubelet `pkg/kubelet/server`). */
const KUBELET_PATH: Readonly<Record<string, string>> = { log: 'containerLogs', exec: 'exec', attach: 'attach', portforward: 'portForward' };

async function toKubelet(context: SubresourceContext, call: Call, pod: Pod): Promise<Answer> {
  const { request, path } = call;
  const node = pod.spec?.nodeName ?? '';
  const name = pod.metadata.name ?? '';
  const container = path.subresource === 'portforward' ? '' : containerOf(pod, call.parameter('container'));
  if (node === '') {
    if (path.subresource === 'log') return { status: 200, body: {}, response: { status: 200, headers: { 'content-type': 'text/plain' }, body: '' } };
    throw badRequest(`pod ${name} does not have a host assigned`);
  }
  const { container: _, ...query } = request.query;
  const target = `/${KUBELET_PATH[path.subresource]}/${call.namespace}/${name}${container ? `/${container}` : ''}`;
  const response = await askKubelet(context, call, node, { ...request, path: target, query });
  if (path.subresource === 'log' && response.status > 206) throw kubeletRefusal(response, name);
  return { status: response.status, body: {}, response };
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
async function askKubelet({ registry, kubelet }: SubresourceContext, call: Call, name: string, request: ApiRequest): Promise<ApiResponse> {
  const node = registry.storage.cache.get(`/registry/minions/${name}`)?.object as Node | undefined;
  if (!node) throw notFound('', 'nodes', name);
  // kubeadm's --kubelet-preferred-address-types: InternalIP first.
  const host = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? name;
  try {
    const reach = kubelet(name);
    if (!reach) throw new TransportError(`dial tcp ${host}:10250: connect: no route to host`);
    const response = await reach(request);
    call.resume();
    return response;
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    call.resume();
    const query = queryText(request.query);
    throw failure(
      500,
      '',
      call.path.subresource === 'log' ? `Get "https://${host}:10250${request.path}${query}": ${error.message}` : `error dialing backend: ${error.message}`,
    );
  }
}

const queryText = (query: ApiRequest['query']): string => {
  const pairs = Object.entries(query).flatMap(([name, value]) => (typeof value === 'string' ? [value] : value).map((each) => `${name}=${each}`));
  return pairs.length > 0 ? `?${pairs.sort().join('&')}` : '';
};
