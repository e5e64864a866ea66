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
import { ApiError, type ApiHandler, type ApiResponse } from '../api/request.ts';
import { apiVersionOf, byKind, byObject, byPlural, parsePath, RESOURCES, type ResourcePath, type ResourceRow, SERVED, storageKey } from '../api/resources.ts';
import { EPOCH_SECONDS } from '../api/time.ts';
import type { Kind } from '../api/types.gen.ts';
import { type EtcdClient, type EtcdEndpoint, EtcdError } from '../etcd/api.ts';
import { Admission } from './admission/admission.ts';
import { type PluginChoice, pluginsFor } from './admission/index.ts';
import { AggregatorGate } from './aggregator/gate.ts';
import { ExtensionsGate } from './apiextensions/gate.ts';
import { definitionStrategy } from './apiextensions/strategy.ts';
import type { Audited, Auditor } from './audit/audit.ts';
import type { AuthenticationConfiguration } from './authentication/configuration.ts';
import { needsForeign, openForeign } from './authentication/lazy.ts';
import { ANONYMOUS, authenticate, type Credentials, impersonation, type TokenLookup, type User } from './authentication.ts';
import type { Delegation } from './authorization/delegation.ts';
import type { NodeAuthorizer } from './authorization/node.ts';
import { bootstrap } from './bootstrap.ts';
import { border, openBorder } from './border.ts';
import { Call, type RequestVerb } from './call.ts';
import { startCompactor } from './compactor.ts';
import { openDevices } from './devices.ts';
import { type DispatchContext, dispatch, warning } from './dispatch.ts';
import { aboutBody, isChatter, tellEarly } from './early.ts';
import { failure, forbidden, internal, noSuchPath, unavailable } from './errors.ts';
import type { FlowControl, Seat } from './flowcontrol/flowcontrol.ts';
import { isHealthPath, servePath } from './paths.ts';
import { type Attributes, allows, forbiddenText, Rbac, type RbacSource, type Verdict } from './rbac.ts';
import { registryChecks } from './registry/checks.ts';
import { jobStrategy } from './registry/job.ts';
import { namespaceStrategy } from './registry/namespace.ts';
import { nodeStrategy } from './registry/node.ts';
import { podStrategy } from './registry/pod.ts';
import { secretStrategy } from './registry/secret.ts';
import { ServiceAllocator, serviceStrategy } from './registry/service.ts';
import { signingRequestStrategy } from './registry/signing-request.ts';
import { Registry } from './registry/store.ts';
import { PLAIN } from './registry/strategy.ts';
import { attributesOf, checkScope, pathVerb, verbOf } from './request-info.ts';
import { kindRules } from './rules.ts';
import { Storage, type Transformer } from './storage.ts';
import { createTokenSigner, type TokenSigner } from './tokens.ts';
import { tellOfChanges } from './watch-cache-facts.ts';
import type { DialService, WebhookSource } from './webhook-client.ts';

export interface ApiServerOptions {
  readonly etcd: EtcdClient;
  /** The API of a node's kubelet, for log, exec and attach; undefined when there is no such node. */
  kubelet(nodeName: string): ApiHandler | undefined;
  /** The members of etcd one by one, for their health. */
  readonly etcdMembers?: () => readonly EtcdEndpoint[];
  /** `--runtime-config`: betas are served where it says so, as `resource.k8s.io/v1beta1`. */
  readonly betas?: ReadonlySet<string>;
  /** `10.96.0.0/12`. */
  readonly serviceCidr: string;
  /** Where the `kubernetes` Service leads. */
  readonly advertiseAddress?: string;
  readonly tokens?: TokenSigner;
  /** The way from the API server's machine into the cluster's network, for webhooks and aggregated APIs. */
  readonly dialService?: DialService;
  /** `--enable-admission-plugins`, `--disable-admission-plugins`. */
  readonly admissionPlugins?: PluginChoice;
  /** `--authentication-config`, or what the `--oidc-…` flags stand for. */
  readonly authentication?: AuthenticationConfiguration;
  /** `--anonymous-auth`; true by default. */
  readonly anonymousAuth?: boolean;
  /** `--authorization-mode` names Node; true by default, as kubeadm has it. */
  readonly nodeAuthorizer?: boolean;
  /** Who else is asked: authorization and token webhooks, issuers of tokens. */
  readonly delegation?: (source: WebhookSource) => Delegation;
  /** `--audit-policy-file` */
  readonly audit?: Auditor;
  /** `--encryption-provider-config` */
  readonly encryption?: Transformer;
  /** `--enable-priority-and-fairness`; true by default. */
  readonly priorityAndFairness?: boolean;
  /** What the server writes to its own log. */
  log?(message: string): void;
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
  const storage = new Storage(options.etcd, self.clock.now, options.encryption);
  const { cache } = storage;
  const tokens = options.tokens ?? createTokenSigner('sa.key');
  const suffixes = self.rng.fork('suffixes');
  /** Its own kinds; betas only where a flag asks for them. */
  const { betas: wanted } = options;
  const served = wanted ? RESOURCES.filter((row) => !row.beta || wanted.has(apiVersionOf(row))) : SERVED;
  const service = (namespace: string, name: string) => cache.get(`/registry/services/specs/${namespace}/${name}`)?.object;
  const webhookSource: WebhookSource = { self, dial: options.dialService, service };
  const delegation = options.delegation?.(webhookSource);
  const admission = new Admission([...pluginsFor(options.admissionPlugins), registryChecks(() => rbac)], {
    clock: self.clock,
    get: (key) => cache.get(key)?.object,
    live: (key) => storage.get(key),
    under: (prefix) => cache.under(prefix),
    any: (prefix) => cache.any(prefix),
    rowOf: (kind) => byObject(kind) ?? gate.extensions?.rows().find((row) => row.kind === kind.kind && apiVersionOf(row) === kind.apiVersion),
    version: (prefix) => cache.version(prefix),
    suffix: () => suffixes.text(5, 'bcdfghjklmnpqrstvwxz2456789'),
    uid: () => registry.uid(),
    timestamp: () => registry.timestamp(),
    defaults: (row, object) => kindRules.defaults(row, object),
    allowed: (user, what) => rbac.authorize(user, what).allowed,
    outside: (work) => self.outside(work),
    webhookSource,
    writeStatus: async (_row, object, quiet) =>
      (await registry.update(ownCall(self, object, 'update', 'status', quiet), () => object, { status: true })).object,
  });
  cache.listen((prefix, { type, object }) => {
    if (prefix === '/registry/validatingadmissionpolicies/' && type !== 'DELETED') admission.policyChanged(object);
  });
  tellOfChanges(self, cache);
  const addresses = {
    create: (object: KubeObject) => refusing('AlreadyExists', registry.create(ownCall(self, object, 'create'), object)),
    remove: async (name: string) => {
      await refusing('NotFound', registry.delete(rowCall(self, byKind('IPAddress'), '', name, 'delete'), name, {}, false));
    },
  };
  const allocator = new ServiceAllocator(options.serviceCidr, storage, self.rng.fork('services'), addresses, (work) => {
    self.spawn(`${self.name}/addresses`, work);
  });
  const strategies = {
    ...PLAIN,
    pods: podStrategy,
    jobs: jobStrategy,
    secrets: secretStrategy,
    nodes: nodeStrategy,
    namespaces: namespaceStrategy,
    certificatesigningrequests: signingRequestStrategy,
    services: serviceStrategy(allocator),
    customresourcedefinitions: definitionStrategy,
  };
  const registry = new Registry(self, storage, kindRules, admission, strategies);
  let kubelets: NodeAuthorizer | undefined;
  const rbac = new Rbac(rbacSource(storage), { authorize: (user, what) => kubelets?.authorize(user, what) }, () => delegation);
  const gate = new ExtensionsGate(self, cache, ({ createExtensions }) =>
    createExtensions({
      self,
      registry,
      dialService: options.dialService,
      row: byKind('CustomResourceDefinition'),
      call: (row, namespace, name, verb) => rowCall(self, row, namespace, name, verb),
    }),
  );
  const aggregation = new AggregatorGate(self, cache, ({ createAggregator }) => {
    const row = byKind('APIService');
    return createAggregator({
      self,
      registry,
      dialService: options.dialService,
      extensions: () => gate.extensions,
      served: () => served,
      createAll: (objects) => hands.createAll(objects),
      update: async (name, change) => {
        await registry.update(rowCall(self, row, '', name, 'update'), ({ object }) => change(object), { raw: true });
      },
      remove: async (name) => {
        await registry.delete(rowCall(self, row, '', name, 'delete'), name, {}, false);
      },
    });
  });
  const nowSeconds = () => EPOCH_SECONDS + Math.floor(self.clock.now() / 1_000_000);
  const startSeconds = nowSeconds();
  const uidOf = (key: string): string | undefined => cache.get(key)?.object.metadata.uid;
  const alive: TokenLookup = ({ namespace, serviceAccount, uid, pod, secret, node }) =>
    uidOf(`/registry/serviceaccounts/${namespace}/${serviceAccount}`) === uid &&
    (!pod || uidOf(`/registry/pods/${namespace}/${pod.name}`) === pod.uid) &&
    (!secret || sameUid(uidOf(`/registry/secrets/${namespace}/${secret.name}`), secret.uid)) &&
    // A pod's node is told, not bound to.
    (!node || pod !== undefined || uidOf(`/registry/minions/${node.name}`) === node.uid);
  const credentials: Credentials = {
    tokens,
    alive,
    nowSeconds,
    secret: (namespace, name) => cache.get(`/registry/secrets/${namespace}/${name}`)?.object,
    configuration: delegation && options.authentication ? { keysOf: (issuer) => delegation.keysOf(issuer), ...options.authentication } : options.authentication,
    webhookUser: (token) => delegation?.tokenUser(token),
    anonymous: options.anonymousAuth,
    refused: (why) => options.log?.(`authentication.go:73] "Unable to authenticate the request" err=${JSON.stringify(why)}`),
  };
  const prepareToken = (token: string) => delegation?.prepareToken(token);
  const { kubelet, dialService, etcdMembers } = options;
  const context: DispatchContext = { registry, tokens, rbac, credentials, prepareToken, kubelet, dialService, etcdMembers };
  let flows: FlowControl | undefined;
  let foreignOpen = false;
  let started = false;
  let borderOpen = false;
  const advertiseAddress = options.advertiseAddress ?? '10.0.0.10';
  const address = `${advertiseAddress}:6443`;

  const authorize = (user: User, what: Attributes): Verdict => {
    const verdict = rbac.authorize(user, what);
    if (!verdict.allowed) throw forbidden(what.group, what.resource, what.name, forbiddenText(user, what, verdict.reason));
    return verdict;
  };

  /** Who comes from outside waits no longer than the server lets anyone wait. */
  const handle: ApiHandler = async (request) => {
    if (request.typed || !borderOpen || isHealthPath(request.path)) return serve(request);
    try {
      return await border().withDeadline(self, request, serve);
    } catch (error) {
      return border().dressed(request, refuse(toApiError(error)));
    }
  };

  /** The chain. */
  const serve: ApiHandler = async (request) => {
    let call: Call | undefined;
    // Once per server, whatever other worlds of this program have brought in already.
    if (!borderOpen && !request.typed && !isHealthPath(request.path)) {
      const [, flowcontrol] = await self.outside(Promise.all([openBorder(), import('./flowcontrol/flowcontrol.ts')]));
      borderOpen = true;
      // Here simplified: the cluster's own components alone never fill their seats, so nobody counts before an outsider comes.
      if (options.priorityAndFairness !== false) flows = new flowcontrol.FlowControl(self, cache);
    }
    if (!foreignOpen && needsForeign(request)) {
      await self.outside(openForeign());
      foreignOpen = true;
    }
    let audited: Audited | undefined;
    let seat: Seat | undefined;
    /** Whose doing the request is: others act while it waits for its turn. */
    const cause = self.trace.current();
    const began = self.clock.now();
    let asker: User | undefined;
    const finish = (response: ApiResponse): ApiResponse => {
      const answer = seat ? seat.leave(response) : response;
      const last = audited ? audited.done(answer, call?.auditAnnotations) : answer;
      return request.typed || !borderOpen ? last : border().dressed(request, last);
    };
    try {
      if (!cache.ready)
        return await servePath(request, { started: false, authorize: () => {}, texts: options.openapiTexts, address }).catch(() =>
          refuse(unavailable('apiserver not ready')),
        );
      const known = delegation?.prepare(request);
      if (known) await known;
      asker = authenticate(request, credentials);
      let user = asker;
      const path = parsePath(request.path);
      if (gate.needed(path?.group ?? '', request.method === 'GET')) await gate.open();
      if (aggregation.needed(path?.group ?? '')) await aggregation.open();
      const verb = path ? verbOf(request, path) : 'get';
      const what = path ? attributesOf(request, path, verb) : { ...NOWHERE, verb: pathVerb(request), path: request.path };
      audited = options.audit?.begin(request, user, what, path?.version ?? '');
      const borrowed = impersonation(request.headers);
      if (borrowed) {
        for (const need of borrowed.needs) {
          const others = rbac.consult(user, { verb: 'impersonate', path: '', ...need });
          if (others) await others;
          authorize(user, { verb: 'impersonate', path: '', ...need });
        }
        user = borrowed.user;
        audited?.impersonated(user);
      }
      if (flows) {
        const entered = flows.enter(user, what, request);
        seat = entered instanceof Promise ? await entered : entered;
        if (seat.rejected) {
          tellEarly(self, request, cause, user, began, { stage: 'apf', flow: seat.flow, code: 429, reason: 'TooManyRequests', message: seat.rejected.body });
          return finish(seat.rejected);
        }
      }
      const asked = rbac.consult(user, what);
      if (asked) await asked;
      if (!path) {
        const asker = user;
        const allow = () => {
          const { reason } = authorize(asker, what);
          audited?.allowed(reason);
        };
        return finish(
          await servePath(request, {
            started,
            authorize: allow,
            texts: options.openapiTexts,
            address,
            served,
            metrics: async () => (await self.outside(import('./metrics.ts'))).serverMetrics(cache, served, startSeconds, started),
            keys: () => tokens.keys(),
            debug: (asking) => flows?.dump(asking),
            extensions: aggregation.aggregator?.over(gate.extensions) ?? gate.extensions,
          }),
        );
      }
      const remote = aggregation.aggregator?.remote(path.group, path.version);
      if (remote) {
        authorize(user, what);
        return finish(await remote(request, user));
      }
      if (path.group === 'apiregistration.k8s.io' && !request.typed) await aggregation.aggregator?.prepare();
      const row = byPlural(path.group, path.version, path.resource) ?? gate.extensions?.find(path.group, path.version, path.resource);
      if (!row || (row.beta && !served.includes(row))) {
        authorize(user, what);
        throw noSuchPath();
      }
      const quiet = isChatter(request, user, verb, path);
      self.trace.because(cause);
      if (quiet) self.trace.chatter('api.request', '', { verb, path: request.path, user: user.name });
      call = new Call(request, path, row, verb, user, self.trace, quiet);
      if (call.about === '') call.about = aboutBody(request, row, path);
      call.stage('api.request', { verb, method: request.method, path: request.path, user: user.name });
      call.stage('api.authn', { user: asker.name, groups: asker.groups });
      if (audited) call.stage('api.audit', { level: audited.level });
      if (borrowed) call.stage('api.impersonate', { user: user.name, groups: user.groups });
      if (seat?.flow && !quiet) call.stage('api.apf', { ...seat.flow, waited: self.clock.now() - began });
      const { reason } = authorize(user, what);
      audited?.allowed(reason);
      call.stage('api.authz', { decision: 'allow', reason });
      checkScope(row, path, verb);
      const told = admission.connect(call);
      if (told) await told;
      const response = await dispatch(context, call);
      call.resume();
      call.stage('api.response', { code: response.status });
      return finish(response);
    } catch (error) {
      const answer = toApiError(error);
      call?.resume();
      if (call) call.stage('api.response', { code: answer.code, reason: answer.reason, message: answer.message });
      else
        tellEarly(self, request, cause, asker, began, {
          stage: asker ? 'impersonate' : 'authn',
          code: answer.code,
          reason: answer.reason,
          message: answer.message,
        });
      // Who was not recognised is nobody, and still written down.
      if (answer.code === 401) audited ??= options.audit?.begin(request, ANONYMOUS, NOWHERE, '');
      if (answer.code === 403) audited?.forbidden(answer.message);
      return finish(withWarnings(refuse(answer), call));
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
    createAll: async (objects: readonly KubeObject[]): Promise<boolean> => {
      const creationTimestamp = registry.timestamp();
      const made = objects.map((object): readonly [string, KubeObject] => {
        const row = byObject(object)!;
        const { name = '', namespace = '' } = object.metadata;
        return [storageKey(row, namespace, name), { ...object, metadata: { ...object.metadata, uid: registry.uid(), creationTimestamp } }];
      });
      return storage.createAll(made);
    },
    outside: <T>(work: Promise<T>): Promise<T> => self.outside(work),
    now: () => registry.timestamp(),
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
        // Nobody is let in before the cache is filled.
        if (!kubelets && options.nodeAuthorizer !== false) {
          const { NodeAuthorizer } = await self.outside(import('./authorization/node.ts'));
          kubelets = new NodeAuthorizer(cache, allows);
        }
        if (options.betas) await self.outside(openDevices());
        await cache.start();
        kubelets?.reset();
        await bootstrap(hands, { serviceCidr: options.serviceCidr, advertiseAddress });
        if (gate.needed('', true)) await gate.open();
        aggregation.look();
        if (aggregation.needed('')) await aggregation.open();
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
  startCompactor(self, options.etcd);
  return { handle, ready: () => cache.ready && started };
}

/** A token kept in a Secret does not say which uid that has. */
const sameUid = (found: string | undefined, wanted: string): boolean => found !== undefined && (wanted === '' || found === wanted);

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

function ownCall(self: Process, object: KubeObject, verb: RequestVerb, subresource = '', quiet = true): Call {
  const row = byObject(object)!;
  const { name = '', namespace = '' } = object.metadata;
  const path: ResourcePath = { group: row.group, version: row.version, resource: row.plural, namespace, name, subresource, rest: '' };
  return new Call({ method: 'POST', path: '', query: {}, headers: {}, typed: true }, path, row, verb, LOOPBACK, self.trace, quiet);
}

/** A call of the server's own about an object of any row. */
function rowCall(self: Process, row: ResourceRow, namespace: string, name: string, verb: RequestVerb): Call {
  const path: ResourcePath = { group: row.group, version: row.version, resource: row.plural, namespace, name, subresource: '', rest: '' };
  return new Call({ method: 'POST', path: '', query: {}, headers: {}, typed: true }, path, row, verb, LOOPBACK, self.trace, true);
}

/** Whether it was done; false when it was refused for that reason. */
async function refusing(reason: string, work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.reason === reason) return false;
    throw error;
  }
}

function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof EtcdError) {
    return error.code === 'DeadlineExceeded' ? failure(504, 'Timeout', `Timeout: ${error.message}`, {}) : failure(500, '', error.message);
  }
  return internal(error instanceof Error ? error.message : String(error));
}

/** What was to be warned of is said to those who are refused, too. */
const withWarnings = (response: ApiResponse, call: Call | undefined): ApiResponse =>
  call && call.warnings.length > 0 ? { ...response, headers: { ...response.headers, warning: call.warnings.map(warning).join(', ') } } : response;

export const refuse = ({ status }: ApiError): ApiResponse => ({
  status: status.code,
  headers: { 'content-type': 'application/json', ...(status.details?.retryAfterSeconds ? { 'retry-after': String(status.details.retryAfterSeconds) } : {}) },
  body: status as unknown as Json,
});
