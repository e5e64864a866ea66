/**
 * The audit log (apiserver `pkg/audit`, `plugin/pkg/audit/log`): one line of JSON for every stage of a request
 * the policy asks for.
 *
 * Here simplified: sourceIPs are not known, since connections carry no addresses; lines are written at once, and
 * files are not rotated.
 */
import type { Process } from '../../../sim/process.ts';
import type { Json } from '../../api/json.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { ApiRequest, ApiResponse, Status } from '../../api/request.ts';
import type { Stream } from '../../api/stream.ts';
import { microTimestamp } from '../../api/time.ts';
import type { User } from '../authentication.ts';
import { border, isBorderOpen } from '../border.ts';
import type { Attributes } from '../rbac.ts';
import { type Decision, decide, type Level, type Policy, type Stage } from './policy.ts';

/** One request that is written down. */
export interface Audited {
  /** How much is written down: `Metadata`, `Request`, `RequestResponse`. */
  readonly level: string;
  impersonated(user: User): void;
  allowed(reason: string): void;
  forbidden(reason: string): void;
  /** The answer goes out: what it was. Returns it with its audit ID. */
  done(response: ApiResponse, annotations?: Readonly<Record<string, string>>): ApiResponse;
}
export interface Auditor {
  /** Undefined when the policy asks for nothing. */
  begin(request: ApiRequest, user: User, what: Attributes, version: string): Audited | undefined;
}

const LEVELS: readonly Level[] = ['None', 'Metadata', 'Request', 'RequestResponse'];

/** `write` gets each line, with its end. */
export function createAuditor(self: Process, policy: Policy, write: (line: string) => void): Auditor {
  const ids = self.rng.fork('audit');
  const uuid = () => {
    const hex = ids.text(31, '0123456789abcdef');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(12, 15)}-a${hex.slice(15, 18)}-${hex.slice(18, 30)}`;
  };
  return {
    begin(request, user, what, version) {
      const decision = decide(policy, user, what);
      if (decision.level === 'None') return undefined;
      const auditID = request.headers['audit-id'] ?? uuid();
      return new Writing(self, write, request, user, what, version, decision, auditID);
    },
  };
}

class Writing implements Audited {
  private readonly received: string;
  private impersonatedUser: object | undefined;
  private readonly annotations: Record<string, string> = {};

  constructor(
    private readonly self: Process,
    private readonly write: (line: string) => void,
    private readonly request: ApiRequest,
    private readonly user: User,
    private readonly what: Attributes,
    private readonly version: string,
    private readonly decision: Decision,
    private readonly id: string,
  ) {
    this.received = microTimestamp(self.clock.now());
    this.stage('RequestReceived', undefined, {});
  }

  get level(): string {
    return this.decision.level;
  }

  impersonated(user: User): void {
    this.impersonatedUser = userInfo(user);
  }

  allowed(reason: string): void {
    this.annotations['authorization.k8s.io/decision'] = 'allow';
    this.annotations['authorization.k8s.io/reason'] = reason;
  }

  forbidden(reason: string): void {
    this.annotations['authorization.k8s.io/decision'] ??= 'forbid';
    this.annotations['authorization.k8s.io/reason'] ??= reason;
  }

  done(response: ApiResponse, annotations: Readonly<Record<string, string>> = {}): ApiResponse {
    Object.assign(this.annotations, annotations);
    const headers = this.request.typed ? response.headers : { ...response.headers, 'audit-id': this.id };
    if (response.stream && this.what.verb === 'watch') {
      this.stage('ResponseStarted', response, {});
      return { ...response, headers, stream: this.untilEnd(response.stream, response) };
    }
    this.stage('ResponseComplete', response, this.bodies(response));
    return { ...response, headers };
  }

  private untilEnd(stream: Stream<unknown>, response: ApiResponse): Stream<unknown> {
    let over = false;
    const end = (): void => {
      if (!over) this.stage('ResponseComplete', response, {});
      over = true;
    };
    return {
      read: (reader) =>
        stream.read({
          value: (value) => reader.value(value),
          end: (error) => {
            end();
            reader.end(error);
          },
        }),
      cancel: () => {
        end();
        stream.cancel();
      },
    };
  }

  private bodies(response: ApiResponse): { requestObject?: unknown; responseObject?: unknown } {
    const level = LEVELS.indexOf(this.decision.level);
    if (level < 2 || this.what.resource === '') return {};
    const request = bodyOf(this.request);
    const bare = (value: unknown) => (this.decision.omitManagedFields ? withoutManagedFields(value) : value);
    return {
      ...(request === undefined ? {} : { requestObject: bare(request) }),
      ...(level === 3 && typeof response.body === 'object' && response.body !== null ? { responseObject: bare(response.body) } : {}),
    };
  }

  private stage(stage: Stage, response: ApiResponse | undefined, bodies: object): void {
    if (this.decision.omitStages.includes(stage)) return;
    const { what, request } = this;
    const event = {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: this.decision.level,
      auditID: this.id,
      stage,
      requestURI: uriOf(request),
      verb: what.verb,
      user: userInfo(this.user),
      ...(this.impersonatedUser ? { impersonatedUser: this.impersonatedUser } : {}),
      ...(request.headers['user-agent'] ? { userAgent: request.headers['user-agent'] } : {}),
      ...(what.resource === '' ? {} : { objectRef: this.reference(response) }),
      ...(response ? { responseStatus: statusOf(response) } : {}),
      ...bodies,
      requestReceivedTimestamp: this.received,
      stageTimestamp: microTimestamp(this.self.clock.now()),
      ...(stage !== 'RequestReceived' && Object.keys(this.annotations).length > 0 ? { annotations: sorted(this.annotations) } : {}),
    };
    this.write(`${JSON.stringify(event)}\n`);
  }

  private reference(response: ApiResponse | undefined): object {
    const { resource, namespace, name, group, subresource } = this.what;
    // The name of what is created is known from the body, or when it has been created.
    const body = response?.body as Partial<KubeObject> | undefined;
    const known = name || (this.what.verb === 'create' ? ((bodyOf(this.request) as Partial<KubeObject> | undefined)?.metadata?.name ?? '') : '');
    const uid = this.what.verb === 'create' && response && response.status < 300 ? body?.metadata?.uid : undefined;
    return {
      resource,
      ...(namespace ? { namespace } : {}),
      ...(known ? { name: known } : {}),
      ...(uid ? { uid } : {}),
      ...(group ? { apiGroup: group } : {}),
      ...(this.version ? { apiVersion: this.version } : {}),
      ...(subresource ? { subresource } : {}),
    };
  }
}

const userInfo = ({ name, uid, groups, extra }: User): object => ({ username: name, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) });

const sorted = (map: Readonly<Record<string, string>>): Record<string, string> => Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));

function statusOf({ status, body }: ApiResponse): object {
  const failure = body as Status | undefined;
  if (failure && typeof failure === 'object' && failure.kind === 'Status') {
    const { metadata, status: outcome, message, reason, details } = failure;
    return {
      metadata,
      ...(outcome ? { status: outcome } : {}),
      ...(message ? { message } : {}),
      ...(reason ? { reason } : {}),
      ...(details ? { details } : {}),
      code: status,
    };
  }
  return { metadata: {}, code: status };
}

function uriOf({ path, query }: ApiRequest): string {
  const pairs = Object.entries(query).flatMap(([key, value]) =>
    (typeof value === 'string' ? [value] : value).map((each) => `${encodeURIComponent(key)}=${encodeURIComponent(each)}`),
  );
  return pairs.length > 0 ? `${path}?${pairs.join('&')}` : path;
}

function bodyOf({ body, headers }: ApiRequest): unknown {
  if (body === undefined || typeof body !== 'string') return body;
  const type = (headers['content-type'] ?? 'application/json').split(';')[0]!.trim();
  try {
    if (/json/.test(type)) return JSON.parse(body);
    if (/yaml/.test(type) && isBorderOpen()) return border().parseYaml(body);
  } catch {
    // What cannot be read is not written down; the caller has been told.
  }
  return undefined;
}

function withoutManagedFields(value: unknown): Json {
  const object = value as { metadata?: { managedFields?: unknown }; items?: unknown[] } | null;
  if (typeof object !== 'object' || object === null) return value as Json;
  if (Array.isArray(object.items)) return { ...object, items: object.items.map(withoutManagedFields) } as unknown as Json;
  if (object.metadata?.managedFields === undefined) return value as Json;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata } as unknown as Json;
}
