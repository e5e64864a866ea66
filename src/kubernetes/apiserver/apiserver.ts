/**
 * kube-apiserver: the only one that talks to etcd, and the only one everybody talks to.
 *
 * A request goes down one chain, written out in `handle`: who is it (authentication), may they speak for
 * another (impersonation), may they do this (RBAC), what do they want (decoding), what is added and what
 * refused (admission), is it valid, and then the registry reads or writes etcd. Each stage leaves a
 * fact in the trace. Reads and watches are served from the watch cache where the caller allows it.
 *
 * Everything runs inside the process it is given: when that is killed, requests are never answered and
 * watches fall silent, as when a machine dies.
 */
import { type Duration, seconds } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';
import type { Json } from '../api/json.ts';
import type { KubeObject } from '../api/meta.ts';
import { ApiError, type ApiHandler, type ApiRequest, type ApiResponse } from '../api/request.ts';
import { byKind, byObject, byPlural, parsePath, type ResourcePath, type ResourceRow, storageKey } from '../api/resources.ts';
import { EPOCH_SECONDS } from '../api/time.ts';
import type { Kind } from '../api/types.gen.ts';
import { type EtcdClient, EtcdError } from '../etcd/api.ts';
import { Admission } from './admission/admission.ts';
import { PLUGINS } from './admission/index.ts';
import { authenticate, impersonation, type TokenLookup, type User } from './authentication.ts';
import { bootstrap } from './bootstrap.ts';
import { openBorder } from './border.ts';
import { Call, type RequestVerb } from './call.ts';
import { type DispatchContext, dispatch } from './dispatch.ts';
import { failure, forbidden, internal, methodNotAllowed, noSuchPath, unavailable } from './errors.ts';
import { isHealthPath, servePath } from './paths.ts';
import { type Attributes, forbiddenText, Rbac, type RbacSource } from './rbac.ts';
import { jobStrategy } from './registry/job.ts';
import { namespaceStrategy } from './registry/namespace.ts';
import { nodeStrategy } from './registry/node.ts';
import { podStrategy } from './registry/pod.ts';
import { secretStrategy } from './registry/secret.ts';
import { ServiceAllocator, serviceStrategy } from './registry/service.ts';
import { Registry } from './registry/store.ts';
import { PLAIN } from './registry/strategy.ts';
import { kindRules } from './rules.ts';
import { Storage } from './storage.ts';
import { createTokenSigner, type TokenSigner } from './tokens.ts';

export interface ApiServerOptions {
  readonly etcd: EtcdClient;
  /** The API of a node's kubelet, for log, exec and attach; undefined when there is no such node. */
  kubelet(nodeName: string): ApiHandler | undefined;
  /** `10.96.0.0/12`. */
  readonly serviceCidr: string;
  /** Where the `kubernetes` Service leads. */
  readonly advertiseAddress?: string;
  readonly tokens?: TokenSigner;
  /** Loads the texts of fields, which only `explain` needs. */
  readonly openapiTexts?: () => Promise<unknown>;
}

export interface ApiServer {
  readonly handle: ApiHandler;
  /** The cache is filled and what every cluster has is there. */
  ready(): boolean;
}

/** The server's own identity when it writes what it makes sure of. */
const LOOPBACK: User = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };
const RETRY = seconds(1);
const BOOKMARK_EVERY: Duration = seconds(60);

/** Starts an API server inside `self`. It answers 503 until it has read etcd. */
export function createApiServer(self: Process, options: ApiServerOptions): ApiServer {
  const storage = new Storage(options.etcd, self.clock.now);
  const { cache } = storage;
  const tokens = options.tokens ?? createTokenSigner('sa.key');
  const suffixes = self.rng.fork('suffixes');
  const admission = new Admission(PLUGINS, {
    get: (key) => cache.get(key)?.object,
    live: (key) => storage.get(key),
    under: (prefix) => cache.under(prefix),
    suffix: () => suffixes.text(5, 'bcdfghjklmnpqrstvwxz2456789'),
  });
  const allocator = new ServiceAllocator(options.serviceCidr, storage, self.rng.fork('services'));
  const strategies = {
    ...PLAIN,
    pods: podStrategy,
    jobs: jobStrategy,
    secrets: secretStrategy,
    nodes: nodeStrategy,
    namespaces: namespaceStrategy,
    services: serviceStrategy(allocator),
  };
  const registry = new Registry(self, storage, kindRules, admission, strategies);
  const rbac = new Rbac(rbacSource(storage));
  const nowSeconds = () => EPOCH_SECONDS + Math.floor(self.clock.now() / 1_000_000);
  const alive: TokenLookup = ({ namespace, serviceAccount, uid, pod }) =>
    cache.get(`/registry/serviceaccounts/${namespace}/${serviceAccount}`)?.object.metadata.uid === uid &&
    (!pod || cache.get(`/registry/pods/${namespace}/${pod.name}`)?.object.metadata.uid === pod.uid);
  const context: DispatchContext = { registry, tokens, rbac, alive, nowSeconds, kubelet: options.kubelet };
  let started = false;
  let borderOpen = false;
  const advertiseAddress = options.advertiseAddress ?? '10.0.0.10';
  const address = `${advertiseAddress}:6443`;

  const authorize = (user: User, what: Attributes): void => {
    const { allowed, reason } = rbac.authorize(user, what);
    if (!allowed) throw forbidden(what.group, what.resource, what.name, forbiddenText(user, what, reason));
  };

  /** The chain. */
  const handle: ApiHandler = async (request) => {
    let call: Call | undefined;
    // Once per server, whatever other worlds of this program have brought in already.
    if (!borderOpen && !request.typed && !isHealthPath(request.path)) {
      await self.outside(openBorder());
      borderOpen = true;
    }
    try {
      if (!cache.ready)
        return await servePath(request, { started: false, authorize: () => {}, texts: options.openapiTexts, address }).catch(() =>
          refuse(unavailable('apiserver not ready')),
        );
      let user = authenticate(request, tokens, alive, nowSeconds());
      const borrowed = impersonation(request.headers);
      if (borrowed) {
        for (const need of borrowed.needs) authorize(user, { verb: 'impersonate', subresource: '', path: '', ...need });
        user = borrowed.user;
      }
      const path = parsePath(request.path);
      if (!path) {
        const asker = user;
        return await servePath(request, {
          started,
          authorize: (verb) => authorize(asker, { ...NOWHERE, verb, path: request.path }),
          texts: options.openapiTexts,
          address,
        });
      }
      const verb = verbOf(request, path);
      const row = byPlural(path.group, path.version, path.resource);
      if (!row) {
        authorize(user, attributesOf(request, path, verb));
        throw noSuchPath();
      }
      const quiet = isChatter(user, verb, path);
      if (quiet) self.trace.chatter('api.request', '', { verb, path: request.path, user: user.name });
      call = new Call(request, path, row, verb, user, self.trace, quiet);
      if (call.about === '') call.about = aboutBody(request, row, path);
      call.stage('api.request', { verb, method: request.method, path: request.path, user: user.name });
      call.stage('api.authn', { user: user.name, groups: user.groups });
      if (borrowed) call.stage('api.impersonate', { user: user.name });
      authorize(user, attributesOf(request, path, verb));
      call.stage('api.authz', { decision: 'allow' });
      checkScope(row, path, verb);
      const response = await dispatch(context, call);
      call.resume();
      call.stage('api.response', { code: response.status });
      return response;
    } catch (error) {
      const answer = toApiError(error);
      call?.resume();
      call?.stage('api.response', { code: answer.code, reason: answer.reason, message: answer.message });
      return refuse(answer);
    }
  };

  const hands = {
    get: (kind: string, namespace: string, name: string) => cache.get(storageKey(byKind(kind as Kind), namespace, name))?.object,
    create: async (object: KubeObject): Promise<void> => {
      await registry.create(ownCall(self, object, 'create'), object).catch((error: unknown) => {
        // Another server of the same cluster was quicker.
        if (!(error instanceof ApiError && error.reason === 'AlreadyExists')) throw error;
      });
    },
    replace: async (object: KubeObject): Promise<void> => {
      await registry.update(ownCall(self, object, 'update'), ({ object: current }) => ({
        ...current,
        ...object,
        metadata: { ...current.metadata, ...object.metadata },
      }));
    },
  };
  const boot = async (): Promise<void> => {
    for (;;) {
      try {
        await cache.start();
        await bootstrap(hands, { serviceCidr: options.serviceCidr, advertiseAddress });
        started = true;
        return;
      } catch (error) {
        if (!(error instanceof EtcdError)) throw error;
        await self.clock.sleep(RETRY);
      }
    }
  };
  self.spawn(`${self.name}/post-start`, boot);
  cache.onLost = () => self.spawn(`${self.name}/relist`, boot);
  const bookmarks = (): void => {
    for (const resource of cache.all()) for (const watcher of resource.allWatchers()) watcher.bookmark(cache.revision);
    self.clock.after(BOOKMARK_EVERY, bookmarks);
  };
  self.clock.after(BOOKMARK_EVERY, bookmarks);
  return { handle, ready: () => cache.ready && started };
}

const NOWHERE: Attributes = { verb: '', group: '', resource: '', subresource: '', namespace: '', name: '', path: '' };

function rbacSource({ cache }: Storage): RbacSource {
  const prefix = (resource: string) => `/registry/${resource}/`;
  const all = ['clusterrolebindings', 'clusterroles', 'rolebindings', 'roles'].map(prefix);
  const objects = function* (under: string) {
    for (const stored of cache.under(under)) yield stored.object;
  };
  return {
    version: () => {
      let newest = 0;
      for (const each of all) newest = Math.max(newest, cache.version(each));
      return newest;
    },
    list: (resource, namespace) => objects(namespace ? `${prefix(resource)}${namespace}/` : prefix(resource)),
    get: (resource, namespace, name) => cache.get(namespace ? `${prefix(resource)}${namespace}/${name}` : prefix(resource) + name)?.object,
  };
}

function verbOf(request: ApiRequest, path: ResourcePath): RequestVerb {
  switch (request.method) {
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return path.name === '' ? 'deletecollection' : 'delete';
    case 'GET':
    case 'HEAD': {
      const { watch } = request.query;
      if (watch !== undefined && watch !== 'false' && watch !== '0' && path.subresource === '') return 'watch';
      return path.name === '' ? 'list' : 'get';
    }
    default:
      throw methodNotAllowed(path.group, path.resource);
  }
}

/** What RBAC is asked. A list of one name is a question about that name (RequestInfo). */
function attributesOf(request: ApiRequest, path: ResourcePath, verb: RequestVerb): Attributes {
  const { fieldSelector } = request.query;
  const one = path.name === '' && typeof fieldSelector === 'string' ? /^metadata\.name=([^,!=]+)$/.exec(fieldSelector)?.[1] : undefined;
  return {
    verb,
    group: path.group,
    resource: path.resource,
    subresource: path.subresource,
    namespace: path.namespace,
    name: path.name || (one ?? ''),
    path: request.path,
  };
}

/** Kinds without namespaces are not found in one; namespaced ones are only listed across all. */
function checkScope(row: ResourceRow, path: ResourcePath, verb: RequestVerb): void {
  if (path.name === '' && (verb === 'update' || verb === 'patch')) throw methodNotAllowed(row.group, row.plural);
  if (!row.namespaced && path.namespace !== '' && path.resource !== 'namespaces') throw noSuchPath();
  if (row.namespaced && path.namespace === '' && (path.name !== '' || !['list', 'watch'].includes(verb))) {
    if (path.name !== '') throw noSuchPath();
    throw methodNotAllowed(row.group, row.plural);
  }
}

/** Renewals and heartbeats, and what components read: endless, and no part of a story. */
function isChatter(user: User, verb: RequestVerb, path: ResourcePath): boolean {
  if (path.resource === 'leases') return true;
  if (!user.name.startsWith('system:')) return false;
  return verb === 'get' || verb === 'list' || verb === 'watch' || (path.resource === 'nodes' && path.subresource === 'status');
}

function aboutBody({ body, method }: ApiRequest, row: ResourceRow, path: ResourcePath): string {
  if (method !== 'POST' || typeof body !== 'object' || body === null) return '';
  const metadata = (body as { metadata?: { name?: string; generateName?: string } }).metadata;
  const name = metadata?.name ?? metadata?.generateName ?? '';
  return name === '' ? '' : row.namespaced ? `${row.kind}/${path.namespace}/${name}` : `${row.kind}/${name}`;
}

function ownCall(self: Process, object: KubeObject, verb: RequestVerb): Call {
  const row = byObject(object)!;
  const { name = '', namespace = '' } = object.metadata;
  const path: ResourcePath = { group: row.group, version: row.version, resource: row.plural, namespace, name, subresource: '', rest: '' };
  return new Call({ method: 'POST', path: '', query: {}, headers: {}, typed: true }, path, row, verb, LOOPBACK, self.trace, true);
}

function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof EtcdError) {
    return error.code === 'DeadlineExceeded' ? failure(504, 'Timeout', `Timeout: ${error.message}`, {}) : failure(500, '', error.message);
  }
  return internal(error instanceof Error ? error.message : String(error));
}

export const refuse = ({ status }: ApiError): ApiResponse => ({
  status: status.code,
  headers: { 'content-type': 'application/json', ...(status.details?.retryAfterSeconds ? { 'retry-after': String(status.details.retryAfterSeconds) } : {}) },
  body: status as unknown as Json,
});
