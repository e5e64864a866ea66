/**
 * API Priority and Fairness (KEP-1040; apiserver `pkg/util/flowcontrol`): every request belongs to a flow schema and
 * through it to a priority level, which has so many seats. When they are taken, requests wait in queues dealt by
 * shuffle sharding, so that one flow's flood delays few others; a full queue, or fifteen seconds in it, is a 429.
 *
 * Here simplified: every request takes one seat, levels lend none to each other, and queues take turns where
 * upstream weighs the time their requests took.
 */
import { seconds } from '../../../sim/clock.ts';
import { type Deferred, defer } from '../../../sim/mailbox.ts';
import type { Process } from '../../../sim/process.ts';
import { hash32 } from '../../../sim/rng.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { ApiRequest, ApiResponse } from '../../api/request.ts';
import { timestamp } from '../../api/time.ts';
import type { FlowSchema, PriorityLevelConfiguration } from '../../api/types.gen.ts';
import type { User } from '../authentication.ts';
import type { Attributes } from '../rbac.ts';
import type { WatchCache } from '../watch-cache.ts';
import { dumpOf, type WaitingDigest } from './dump.ts';

/** `--max-requests-inflight` and `--max-mutating-requests-inflight` together. */
const SEATS = 400 + 200;
/** A quarter of `--request-timeout`, as long as a request may wait (defaultRequestWaitLimit). */
const LONGEST_WAIT = seconds(15);
const SCHEMAS = '/registry/flowschemas/';
const LEVELS = '/registry/prioritylevelconfigurations/';
/** Of how many verbs and places of a caller it is remembered where they belong. */
const MOST_KNOWN = 1_000;

export interface Seat {
  /** The names of the flow schema and the priority level it belongs to. */
  readonly flow?: Readonly<{ schema: string; level: string }>;
  /** There is none: what the caller is told. */
  readonly rejected?: ApiResponse;
  /** The request is answered: the seat is free. The answer says which flow it belonged to. */
  leave(response: ApiResponse): ApiResponse;
}

interface Waiting {
  readonly ready: Deferred<boolean>;
  readonly cancel: () => void;
  readonly digest: WaitingDigest;
}

class Level {
  executing = 0;
  seats = 0;
  queues: Waiting[][] = [];
  handSize = 0;
  queueLength = 0;
  waiting = 0;
  dispatched = 0;
  rejected = 0;
  timedOut = 0;
  private turn = 0;
  constructor(readonly name: string) {}

  configure(spec: NonNullable<PriorityLevelConfiguration['spec']>['limited'], seats: number): void {
    this.seats = seats;
    const queuing = spec?.limitResponse?.type === 'Queue' ? (spec.limitResponse.queuing ?? {}) : undefined;
    const queues = queuing ? (queuing.queues ?? 64) : 0;
    while (this.queues.length < queues) this.queues.push([]);
    this.handSize = queuing?.handSize ?? 8;
    this.queueLength = queuing?.queueLengthLimit ?? 50;
  }

  /** The shortest of the queues dealt to a flow (shufflesharding.Dealer). */
  pick(flow: string): Waiting[] | undefined {
    let best: Waiting[] | undefined;
    const dealt = new Set<number>();
    for (let card = 0; dealt.size < Math.min(this.handSize, this.queues.length); card++) dealt.add(hash32(flow, card) % this.queues.length);
    for (const index of dealt) if (!best || this.queues[index]!.length < best.length) best = this.queues[index]!;
    return best;
  }

  /** The next that waited, queues in turn. */
  next(): Waiting | undefined {
    for (let i = 0; i < this.queues.length; i++) {
      this.turn = (this.turn + 1) % this.queues.length;
      const found = this.queues[this.turn]!.shift();
      if (found) return found;
    }
    return undefined;
  }
}

/** A schema with its level, and what is told of a request that belongs to it. */
interface Flow {
  readonly schema: FlowSchema;
  readonly object: PriorityLevelConfiguration | undefined;
  readonly told: NonNullable<Seat['flow']>;
  readonly headers: Readonly<Record<string, string>>;
}

export class FlowControl {
  private readonly levels = new Map<string, Level>();
  private flows: readonly Flow[] = [];
  /** What was found for callers that come again as the same object. */
  private found = new WeakMap<User, Map<string, Flow | undefined>>();
  private version = -1;

  constructor(
    private readonly self: Process,
    private readonly cache: WatchCache,
  ) {}

  /** A seat, at once or when one is free. Never rejects: who gets none is told so in `rejected`. */
  enter(user: User, what: Attributes, request: ApiRequest): Seat | Promise<Seat> {
    this.refresh();
    const found = this.flowOf(user, what);
    // Nothing configured yet, or a schema whose level is gone.
    if (!found?.object) return FREE;
    const { schema, object, told: flow } = found;
    const headers = request.typed ? undefined : found.headers;
    const level = this.levels.get(flow.level)!;
    const free = (): void => this.leave(level);
    if (object.spec?.type === 'Exempt' || (level.executing < level.seats && level.waiting === 0)) {
      level.executing++;
      level.dispatched++;
      return seatOf(flow, headers, free);
    }
    const distinguisher = distinguish(schema, user, what);
    const queue = level.queues.length > 0 ? level.pick(`${schema.metadata.name}|${distinguisher}`) : undefined;
    if (!queue || queue.length >= level.queueLength) {
      level.rejected++;
      return rejection(flow, headers);
    }
    const ready = defer<boolean>(this.self.clock);
    const entry: Waiting = {
      ready,
      digest: {
        ...{ schema: schema.metadata.name ?? '', distinguisher, user: user.name, verb: what.verb, path: request.path, namespace: what.namespace },
        ...{ name: what.name, version: what.version ?? '', resource: what.resource, subresource: what.subresource },
        arrived: timestamp(this.self.clock.now()).replace('Z', '.000000000Z'),
      },
      cancel: this.self.clock.after(LONGEST_WAIT, () => {
        queue.splice(queue.indexOf(entry), 1);
        level.waiting--;
        level.timedOut++;
        ready.resolve(false);
      }),
    };
    queue.push(entry);
    level.waiting++;
    return ready.promise.then((granted) => (granted ? seatOf(flow, headers, free) : rejection(flow, headers)));
  }

  private leave(level: Level): void {
    level.executing--;
    if (level.waiting === 0 || level.executing >= level.seats) return;
    const next = level.next();
    if (!next) return;
    level.waiting--;
    level.executing++;
    level.dispatched++;
    next.cancel();
    next.ready.resolve(true);
  }

  /** The answer to `/debug/api_priority_and_fairness/…`; undefined for any other path. */
  dump({ path, query }: ApiRequest): ApiResponse | undefined {
    const which = /^\/debug\/api_priority_and_fairness\/(\w+)$/.exec(path)?.[1];
    if (which === undefined) return undefined;
    this.refresh();
    const levels = Array.from(this.levels.values(), ({ name, executing, dispatched, rejected, timedOut, queues }) => ({
      ...{ name, executing, dispatched, rejected, timedOut },
      queues: queues.map((queue) => queue.map(({ digest }) => digest)),
    }));
    const details = query['includeRequestDetails'];
    const body = dumpOf(which, levels, details === '1' || details === 'true');
    return body === undefined
      ? undefined
      : { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }, body };
  }

  /** Hot: asked of every request. */
  private flowOf(user: User, what: Attributes): Flow | undefined {
    const resource = what.subresource ? `${what.resource}/${what.subresource}` : what.resource;
    let known = this.found.get(user);
    if (!known) {
      known = new Map();
      this.found.set(user, known);
    }
    const key = what.resource === '' ? `${what.verb} ${what.path}` : `${what.verb} ${resource} ${what.namespace} ${what.group}`;
    let flow = known.get(key);
    if (flow === undefined) {
      flow = this.flows.find(({ schema }) => matches(schema, user, what, resource));
      if (known.size > MOST_KNOWN) known.clear();
      known.set(key, flow);
    }
    return flow;
  }

  private refresh(): void {
    const version = Math.max(this.cache.version(SCHEMAS), this.cache.version(LEVELS));
    if (version === this.version) return;
    this.version = version;
    this.found = new WeakMap();
    const all = <T>(prefix: string) => Array.from(this.cache.under(prefix), ({ object }) => object as KubeObject as T);
    this.flows = all<FlowSchema>(SCHEMAS)
      .sort((a, b) => precedence(a) - precedence(b) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
      .map((schema) => {
        const object = this.cache.get(LEVELS + schema.spec?.priorityLevelConfiguration.name)?.object as PriorityLevelConfiguration | undefined;
        return {
          schema,
          object,
          told: { schema: schema.metadata.name ?? '', level: object?.metadata.name ?? '' },
          headers: { [FLOW_HEADER]: schema.metadata.uid ?? '', [LEVEL_HEADER]: object?.metadata.uid ?? '' },
        };
      });
    const objects = all<PriorityLevelConfiguration>(LEVELS);
    const shares = (object: PriorityLevelConfiguration) =>
      object.spec?.type === 'Limited' ? (object.spec.limited?.nominalConcurrencyShares ?? 30) : (object.spec?.exempt?.nominalConcurrencyShares ?? 0);
    const sum = objects.reduce((total, object) => total + shares(object), 0);
    for (const object of objects) {
      const name = object.metadata.name ?? '';
      let level = this.levels.get(name);
      if (!level) {
        level = new Level(name);
        this.levels.set(name, level);
      }
      level.configure(object.spec?.limited, Math.ceil((SEATS * shares(object)) / Math.max(1, sum)));
    }
  }
}

const FLOW_HEADER = 'x-kubernetes-pf-flowschema-uid';
const LEVEL_HEADER = 'x-kubernetes-pf-prioritylevel-uid';
const FREE: Seat = { leave: (response) => response };

const seatOf = (flow: NonNullable<Seat['flow']>, headers: Readonly<Record<string, string>> | undefined, free: (() => void) | undefined): Seat => ({
  flow,
  leave(response) {
    free?.();
    return headers ? { ...response, headers: { ...response.headers, ...headers } } : response;
  },
});

function rejection(flow: NonNullable<Seat['flow']>, headers: Readonly<Record<string, string>> | undefined): Seat {
  const rejected: ApiResponse = {
    status: 429,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff', 'retry-after': '1' },
    body: 'Too many requests, please try again later.\n',
  };
  return { ...seatOf(flow, headers, undefined), rejected };
}

const precedence = (schema: FlowSchema): number => schema.spec?.matchingPrecedence ?? 1_000;

function distinguish({ spec }: FlowSchema, user: User, what: Attributes): string {
  switch (spec?.distinguisherMethod?.type) {
    case 'ByUser':
      return user.name;
    case 'ByNamespace':
      return what.namespace;
    default:
      return '';
  }
}

const NONE: readonly never[] = [];
const has = (list: readonly string[], wanted: string): boolean => list.includes('*') || list.includes(wanted);

/** `resource` with its subresource. */
function matches({ spec }: FlowSchema, user: User, what: Attributes, resource: string): boolean {
  for (const rule of spec?.rules ?? NONE) {
    if (!isAbout(rule.subjects, user)) continue;
    if (what.resource === '') {
      for (const { verbs, nonResourceURLs } of rule.nonResourceRules ?? NONE) {
        if (!has(verbs, what.verb)) continue;
        for (const url of nonResourceURLs) if (url === '*' || url === what.path || (url.endsWith('/*') && what.path.startsWith(url.slice(0, -1)))) return true;
      }
      continue;
    }
    for (const { verbs, apiGroups, resources, namespaces, clusterScope } of rule.resourceRules ?? NONE) {
      if (!has(verbs, what.verb) || !has(apiGroups, what.group) || !has(resources, resource)) continue;
      if (what.namespace === '' ? clusterScope === true : has(namespaces ?? NONE, what.namespace)) return true;
    }
  }
  return false;
}

function isAbout(subjects: NonNullable<NonNullable<FlowSchema['spec']>['rules']>[number]['subjects'], { name: caller, groups }: User): boolean {
  for (const { kind, user, group, serviceAccount } of subjects) {
    if (kind === 'User') {
      if (user?.name === '*' || user?.name === caller) return true;
    } else if (kind === 'Group') {
      if (group?.name === '*' || groups.includes(group?.name ?? '')) return true;
    } else if (caller.startsWith('system:serviceaccount:')) {
      const { name, namespace } = serviceAccount ?? { name: '', namespace: '' };
      const prefix = `system:serviceaccount:${namespace}:`;
      if (name === '*' ? caller.startsWith(prefix) : caller === prefix + name) return true;
    }
  }
  return false;
}
