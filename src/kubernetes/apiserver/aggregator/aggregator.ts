/**
 * The aggregation layer (kube-aggregator): every group version has an APIService; most are served here, and some by
 * a Service of the cluster, to which requests are passed on, with the caller's name in their headers.
 *
 * Here simplified: the APIServices of this server's own groups are written when somebody first asks for them, not when
 * the server starts; a watch of a remote API gets a single answer; TLS to the backend is not modelled.
 */
import { seconds } from '../../../sim/clock.ts';
import { defer } from '../../../sim/mailbox.ts';
import type { Process } from '../../../sim/process.ts';
import type { Json } from '../../api/json.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { ApiRequest, ApiResponse } from '../../api/request.ts';
import type { ResourceRow, Verb } from '../../api/resources.ts';
import { Pipe, type Stream } from '../../api/stream.ts';
import type { Extensions } from '../apiextensions/custom-kind.ts';
import type { User } from '../authentication.ts';
import { equalJson } from '../registry/equal.ts';
import type { Registry } from '../registry/store.ts';
import { type FieldError, invalid, required } from '../validation/field.ts';
import { type DialService, resolveService } from '../webhook-client.ts';
import { type ApiService, type Condition, judge, LOCAL } from './availability.ts';
import { API_SERVICES } from './gate.ts';

export interface Aggregator {
  /** Before a request for APIServices themselves: those of this server's own groups are there. */
  prepare(): Promise<void>;
  /** Who serves a group version instead of this server; undefined: nobody. */
  remote(group: string, version: string): ((request: ApiRequest, user: User) => Promise<ApiResponse>) | undefined;
  /** Custom kinds, and what remote servers say they serve. */
  over(extensions: Extensions | undefined): Extensions;
}

export interface AggregatorContext {
  readonly self: Process;
  readonly registry: Registry;
  readonly dialService: DialService | undefined;
  extensions(): Extensions | undefined;
  /** The server's own kinds. */
  served(): readonly ResourceRow[];
  createAll(objects: readonly KubeObject[]): Promise<boolean>;
  update(name: string, change: (object: KubeObject) => KubeObject): Promise<void>;
  remove(name: string): Promise<void>;
}

/** `groupPriorityMinimum` and `versionPriority` (pkg/controlplane/apiserver/aggregator.go). */
const PRIORITIES: Readonly<Record<string, number>> = {
  '': 18_000,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  'certificates.k8s.io': 17_300,
  'networking.k8s.io': 17_200,
  policy: 17_100,
  'rbac.authorization.k8s.io': 17_000,
  'storage.k8s.io': 16_800,
  'apiextensions.k8s.io': 16_700,
  'admissionregistration.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
  'flowcontrol.apiserver.k8s.io': 16_100,
  'resource.k8s.io': 15_900,
};
const CHECK_EVERY = seconds(30);
const AUTOMANAGED = 'kube-aggregator.kubernetes.io/automanaged';

export function apiServiceErrors({ metadata, spec }: ApiService): FieldError[] {
  const errors: FieldError[] = [];
  const wanted = `${spec?.version ?? ''}.${spec?.group ?? ''}`;
  if (metadata.name !== wanted) errors.push(invalid('metadata.name', metadata.name, `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`));
  if (!spec?.version) errors.push(required('spec.version'));
  const [group, version] = [spec?.groupPriorityMinimum ?? 0, spec?.versionPriority ?? 0];
  if (group <= 0 || group > 20_000) errors.push(invalid('spec.groupPriorityMinimum', group, 'must be positive and less than 20000'));
  if (version <= 0 || version > 1_000) errors.push(invalid('spec.versionPriority', version, 'must be positive and less than 1000'));
  if (spec?.service && !spec.service.name) errors.push(required('spec.service.name'));
  if (spec?.service && !spec.service.namespace) errors.push(required('spec.service.namespace'));
  return errors;
}

export const createAggregator = (context: AggregatorContext): Aggregator => new Served(context);

class Served implements Aggregator {
  private readonly found = new Map<string, readonly ResourceRow[]>();
  /** Names that are being looked at; true: something has changed meanwhile. */
  private readonly checking = new Map<string, boolean>();

  constructor(private readonly context: AggregatorContext) {
    const { self, registry } = context;
    const { cache } = registry.storage;
    for (const service of this.remotes()) this.check(service.metadata.name ?? '');
    cache.listen((prefix, { object }) => {
      if (prefix === API_SERVICES) this.check(object.metadata.name ?? '');
      else if (prefix === '/registry/services/specs/' || prefix === '/registry/endpointslices/') {
        const name = prefix.includes('slices') ? object.metadata.labels?.['kubernetes.io/service-name'] : object.metadata.name;
        for (const { metadata, spec } of this.remotes())
          if (spec.service?.name === name && spec.service?.namespace === object.metadata.namespace) this.check(metadata.name ?? '');
      }
    });
    const again = (): void => {
      for (const { metadata } of this.remotes()) this.check(metadata.name ?? '');
      self.clock.after(CHECK_EVERY, again);
    };
    self.clock.after(CHECK_EVERY, again);
  }

  private *all(): Iterable<ApiService> {
    for (const { object } of this.context.registry.storage.cache.under(API_SERVICES)) yield object as ApiService;
  }

  private remotes(): readonly ApiService[] {
    return [...this.all()].filter(({ spec }) => spec.service != null);
  }

  private service(group: string, version: string): ApiService | undefined {
    const object = this.context.registry.storage.cache.get(`${API_SERVICES}${version}.${group}`)?.object as ApiService | undefined;
    return object?.spec.service ? object : undefined;
  }

  async prepare(): Promise<void> {
    const wanted = new Map<string, KubeObject>();
    for (const { group, version } of this.context.served()) wanted.set(`${version}.${group}`, localService(group, version, false));
    for (const { group, version } of this.context.extensions()?.rows() ?? []) wanted.set(`${version}.${group}`, localService(group, version, true));
    const have = new Map([...this.all()].map((each) => [each.metadata.name ?? '', each]));
    const missing = [...wanted].filter(([name]) => !have.has(name));
    const lastTransitionTime = this.context.registry.timestamp();
    if (missing.length > 0)
      await this.context.createAll(
        missing.map(([, object]) => ({ ...object, status: { conditions: [{ ...LOCAL, lastTransitionTime }] } }) as unknown as KubeObject),
      );
    for (const [name, { metadata }] of have) if (!wanted.has(name) && metadata.labels?.[AUTOMANAGED] === 'true') await this.context.remove(name);
  }

  /** Looks at one APIService; once more afterwards if it is being looked at already. */
  private check(name: string): void {
    if (this.checking.has(name)) {
      this.checking.set(name, true);
      return;
    }
    const { self } = this.context;
    self.spawn(`${self.name}/apiservice ${name}`, async () => {
      do {
        this.checking.set(name, false);
        // Somebody else wrote meanwhile: the change wakes us again.
        await this.sync(name).catch(() => {});
      } while (this.checking.get(name));
      this.checking.delete(name);
    });
  }

  private async sync(name: string): Promise<void> {
    const { registry, dialService } = this.context;
    const { cache } = registry.storage;
    const service = cache.get(API_SERVICES + name)?.object as ApiService | undefined;
    if (!service) {
      this.found.delete(name);
      return;
    }
    const judgement = service.spec.service
      ? await judge(service, {
          service: (namespace, each) => cache.get(`/registry/services/specs/${namespace}/${each}`)?.object,
          slices: (namespace, each) =>
            [...cache.under(`/registry/endpointslices/${namespace}/`)]
              .map(({ object }) => object)
              .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === each),
          dial: dialService,
        })
      : { condition: LOCAL };
    if ('discovery' in judgement && judgement.discovery !== undefined) this.found.set(name, rowsOf(service, judgement.discovery));
    else this.found.delete(name);
    const before = service.status?.conditions?.find(({ type }) => type === 'Available');
    const same = before?.status === judgement.condition.status;
    const condition: Condition = {
      ...judgement.condition,
      lastTransitionTime: same && before.lastTransitionTime ? before.lastTransitionTime : registry.timestamp(),
    };
    if (equalJson(before, condition)) return;
    await this.context.update(
      name,
      (object) =>
        ({
          ...object,
          status: { conditions: [...((object as ApiService).status?.conditions ?? []).filter(({ type }) => type !== 'Available'), condition] },
        }) as unknown as KubeObject,
    );
  }

  remote(group: string, version: string): ((request: ApiRequest, user: User) => Promise<ApiResponse>) | undefined {
    const service = this.service(group, version);
    return service && ((request, user) => this.pass(service, request, user));
  }

  private async pass({ spec, status }: ApiService, request: ApiRequest, user: User): Promise<ApiResponse> {
    const { dialService, registry } = this.context;
    const text = (code: number, body: string): ApiResponse => ({
      status: code,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
      body,
    });
    if (status?.conditions?.find(({ type }) => type === 'Available')?.status !== 'True') return text(503, 'service unavailable\n');
    const { name = '', namespace = '', port = 443 } = spec.service ?? {};
    try {
      const target = resolveService(
        { service: (ns, each) => registry.storage.cache.get(`/registry/services/specs/${ns}/${each}`)?.object },
        namespace,
        name,
        port,
      );
      if (!dialService) throw new Error(`dial tcp ${target.ip}:${target.port}: connect: no route to host`);
      const { authorization: _a, ...headers } = request.headers;
      const reply = await dialService({
        method: request.method,
        ...target,
        host: `${name}.${namespace}.svc:${port}`,
        path: request.path + queryOf(request),
        headers: { ...headers, 'x-remote-user': user.name, 'x-remote-group': user.groups.join(',') },
        ...(request.body === undefined ? {} : { body: typeof request.body === 'string' ? request.body : JSON.stringify(request.body) }),
        timeout: seconds(60),
        streams: true,
      });
      const type = reply.headers['content-type'] ?? '';
      if (!reply.stream) return { status: reply.status, headers: reply.headers, body: bodyOf(type, reply.body) };
      const watch = request.query['watch'] !== undefined && type.includes('json');
      return watch
        ? { status: reply.status, headers: reply.headers, stream: linesOf(reply.stream) }
        : { status: reply.status, headers: reply.headers, body: bodyOf(type, await wholeOf(registry.self, reply.stream)) };
    } catch (error) {
      return text(503, `error trying to reach service: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Group versions whose server does not say what it serves: discovery names them, as stale (kube-aggregator's discovery manager). */
  private silent(): readonly ResourceRow[] {
    return this.remotes()
      .filter(({ metadata }) => !this.found.has(metadata.name ?? ''))
      .flatMap((service) => rowsOf(service, '{"resources":[{"name":"","kind":""}]}'));
  }

  over(extensions: Extensions | undefined): Extensions {
    const rows = (): readonly ResourceRow[] => [...(extensions?.rows() ?? []), ...[...this.found.values()].flat(), ...this.silent()];
    return {
      find: (group, version, plural) => extensions?.find(group, version, plural),
      rows,
      openApi: (root, texts) => extensions?.openApi(root, texts),
      openApiRoots: () => extensions?.openApiRoots() ?? [],
    };
  }
}

const localService = (group: string, version: string, custom: boolean): KubeObject =>
  ({
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: `${version}.${group}`, labels: { [AUTOMANAGED]: custom ? 'true' : 'onstart' } },
    spec: {
      ...(group ? { group } : {}),
      version,
      groupPriorityMinimum: custom ? 1_000 : (PRIORITIES[group] ?? 16_000),
      versionPriority: custom ? 100 : group === '' ? 1 : group === 'autoscaling' && version === 'v2' ? 30 : version.includes('beta') ? 9 : 15,
    },
  }) as unknown as KubeObject;

/** What a remote server's APIResourceList says, as rows for discovery. */
function rowsOf({ spec }: ApiService, body: string): readonly ResourceRow[] {
  interface Item {
    readonly name: string;
    readonly singularName?: string;
    readonly namespaced?: boolean;
    readonly kind: string;
    readonly verbs?: readonly Verb[];
    readonly shortNames?: readonly string[];
    readonly categories?: readonly string[];
  }
  let items: readonly Item[];
  try {
    items = (JSON.parse(body) as { resources?: readonly Item[] }).resources ?? [];
  } catch {
    return [];
  }
  return items
    .filter(({ name }) => !name.includes('/'))
    .map((item) => ({
      type: `${item.name}.${spec.group}/${spec.version}` as ResourceRow['type'],
      group: spec.group ?? '',
      version: spec.version ?? '',
      kind: item.kind,
      plural: item.name,
      singular: item.singularName ?? '',
      namespaced: item.namespaced === true,
      shortNames: item.shortNames ?? [],
      categories: item.categories ?? [],
      verbs: item.verbs ?? [],
      subresources: items
        .filter(({ name }) => name.startsWith(`${item.name}/`))
        .map((sub) => ({ name: sub.name.slice(item.name.length + 1), kind: sub.kind, verbs: sub.verbs ?? [] })),
      prefix: '',
      beta: false,
    }));
}

const queryOf = ({ query }: ApiRequest): string => {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((each) => `${encodeURIComponent(name)}=${encodeURIComponent(each)}`),
  );
  return pairs.length > 0 ? `?${pairs.join('&')}` : '';
};

/** A watch's events, one a line, of what comes in pieces. */
function linesOf(pieces: Stream<string>): Stream<unknown> {
  const events = new Pipe<unknown>();
  let text = '';
  events.onCancel(() => pieces.cancel());
  pieces.read({
    value: (piece) => {
      const lines = (text + piece).split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') events.write(bodyOf('json', line));
    },
    end: (error) => events.close(error),
  });
  return events;
}

/** Rejects when the pieces break off. */
function wholeOf(self: Process, pieces: Stream<string>): Promise<string> {
  const { promise, resolve, reject } = defer<string>(self.clock);
  let text = '';
  pieces.read({
    value: (piece) => {
      text += piece;
    },
    end: (error) => (error ? reject(error) : resolve(text)),
  });
  return promise;
}

function bodyOf(type: string, body: string): Json {
  if (!type.includes('json')) return body;
  try {
    return JSON.parse(body) as Json;
  } catch {
    return body;
  }
}
