/**
 * What lies below an object's path: status, scale, binding, eviction, finalize, token, and the three that
 * lead on to a kubelet (log, exec, attach).
 */
import type { KubeObject } from '../../api/meta.ts';
import type { ApiHandler, ApiResponse } from '../../api/request.ts';
import { apiVersionOf, storageKey } from '../../api/resources.ts';
import type { Binding, Eviction, Kind, Namespace, Pod, Scale, TokenRequest } from '../../api/types.gen.ts';
import { customOf } from '../apiextensions/custom-kind.ts';
import { foreign } from '../authentication/lazy.ts';
import { issueToken } from '../authentication/token-request.ts';
import { bodyObject } from '../body.ts';
import type { Call } from '../call.ts';
import { fromStorage } from '../conversion.ts';
import { badRequest, failure, methodNotAllowed, noSuchPath, notFound } from '../errors.ts';
import type { TokenSigner } from '../tokens.ts';
import type { DialService } from '../webhook-client.ts';
import { bindPod, withEphemeralContainers } from './pod.ts';
import { scaleOf, withScale } from './scale.ts';
import type { Registry } from './store.ts';
import type { DeleteOptions } from './strategy.ts';

export interface SubresourceContext {
  readonly registry: Registry;
  readonly tokens: TokenSigner;
  kubelet(nodeName: string): ApiHandler | undefined;
  /** Into the cluster's network, for pods/proxy and services/proxy. */
  readonly dialService?: DialService | undefined;
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
    // The scale of what is not there is what is not found (ScaleREST.Get).
    if (!stored && path.subresource === 'scale' && !customOf(row)) throw notFound(row.group || 'autoscaling', `${row.plural}/scale`, path.name);
    if (!stored) throw notFound(row.group, row.plural, path.name);
    return stored.object;
  };
  switch (path.subresource) {
    case 'status':
      if (verb === 'get') return { status: 200, body: await current() };
      if (!writes) break;
      return { status: 200, body: (await registry.update(call, ({ object }) => context.wanted(call, row.type, own, object), { status: true })).object };
    case 'scale': {
      const { of: scaleFrom, with: scaleInto } = customOf(row)?.scale ?? { of: scaleOf, with: withScale };
      if (verb === 'get') return { status: 200, body: scaleFrom(fromStorage(row, await current())) };
      if (!writes) break;
      const { object } = await registry.update(
        call,
        (stored) =>
          scaleInto(
            stored.object,
            checkScale(context.wanted(call, 'Scale' as Kind, SCALE, scaleFrom(stored.object) as unknown as KubeObject) as unknown as Scale),
          ),
        { raw: true },
      );
      return { status: 200, body: scaleFrom(object) };
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
        body: (await registry.update(call, ({ object }) => withEphemeralContainers(object as Pod, context.wanted(call, row.type, own, object) as Pod))).object,
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
      const { evictPod } = await registry.self.outside(import('./eviction.ts'));
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
    case 'approval':
      if (verb === 'get') return { status: 200, body: await current() };
      if (!writes) break;
      return {
        status: 200,
        body: (
          await registry.update(call, (stored) => foreign().approved(stored.object, context.wanted(call, row.type, own, stored.object), registry.timestamp()), {
            raw: true,
          })
        ).object,
      };
    case 'proxy':
      return lead(async () => (await streams(registry)).serveProxy(context, call));
    case 'log':
    case 'exec':
    case 'attach':
    case 'portforward':
      return lead(async () => {
        const pod = (await current()) as Pod;
        return (await streams(registry)).toKubelet(context, call, pod);
      });
    default:
      throw noSuchPath();
  }
  throw methodNotAllowed();
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
  const sized = (field: 'containers' | 'initContainers') =>
    (old.spec?.[field] ?? []).map((container) => {
      const asked = wanted.spec?.[field]?.find((candidate) => candidate.name === container.name);
      return asked?.resources && (field === 'containers' || container.restartPolicy === 'Always') ? { ...container, resources: asked.resources } : container;
    });
  const spec = { ...old.spec!, containers: sized('containers'), ...(old.spec?.initContainers && { initContainers: sized('initContainers') }) };
  return { ...old, metadata: { ...old.metadata, resourceVersion: wanted.metadata.resourceVersion! }, spec } as KubeObject;
}

/** Brought in for each request anew, so that no world can tell whether another has brought it in before. */
const streams = ({ self }: Registry): Promise<typeof import('../streams/bundle.ts')> => self.outside(import('../streams/bundle.ts'));

/** An answer that is somebody else's. */
const lead = async (answer: () => Promise<ApiResponse>): Promise<Answer> => {
  const response = await answer();
  return { status: response.status, body: {}, response };
};
