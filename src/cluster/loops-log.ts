/**
 * What loops did, gathered from facts as they come: which key was worked on, for how long, what it asked of the API
 * server, how it ended. Bounded in every direction. Facts of the past are read the same way as those to come.
 */
import type { LoopRequest } from '../hosts/protocol.ts';
import { parsePath } from '../kubernetes/api/resources.ts';
import type { Duration, Instant } from '../sim/clock.ts';
import type { Fact, TraceId } from '../sim/trace.ts';

/** Results kept of one loop. */
const KEPT = 60;
const REQUESTS = 60;
/** Works under way that nobody ends belong to a process that died. */
const OPEN = 2_000;
const DELAYS = 40;
const LATELY: Duration = 10_000_000;

type OpenRequest = { -readonly [K in keyof LoopRequest]: LoopRequest[K] };

/** A key being worked on, or that was. */
export interface Work {
  readonly fact: TraceId;
  readonly about: string;
  readonly began: Instant;
  readonly requests: OpenRequest[];
  /** Writes that were carried out. */
  writes: number;
  /** A reconciler began: without, the key was put back or had nothing behind it. */
  begun: boolean;
  ended: Instant | undefined;
  outcome: 'ok' | 'retry';
  error: string;
  /** Ids that lead to it. */
  readonly owned: TraceId[];
}

export interface LoopLog {
  /** Newest first. */
  readonly works: Work[];
  ended: number;
  failed: number;
  writes: number;
  /** When the latest ended, oldest first. */
  readonly recent: Instant[];
  /** It says when it begins: what it only took and put back is no result. */
  says: boolean;
}

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

export class LoopsLog {
  private readonly logs = new Map<string, LoopLog>();
  /** By loop, queue and key. */
  private readonly open = new Map<string, Work>();
  private readonly owners = new Map<TraceId, { readonly work: Work; readonly request?: OpenRequest; readonly log: LoopLog }>();
  /** Delays in a row, by loop and key. */
  private readonly delays = new Map<string, number[]>();
  private readonly told = new Map<string, number>();
  /** Kinds whose watch was told to begin anew, by the process. */
  private endings = 0;
  private endingsOf = new Map<string, number>();

  of(loop: string): LoopLog {
    let log = this.logs.get(loop);
    if (!log) {
      log = { works: [], ended: 0, failed: 0, writes: 0, recent: [], says: false };
      this.logs.set(loop, log);
    }
    return log;
  }
  /** The work under way on a key. */
  under(loop: string, queue: string, about: string): Work | undefined {
    return this.open.get(`${loop} ${queue} ${about}`);
  }
  delaysOf(loop: string): readonly { readonly about: string; readonly delays: readonly number[] }[] {
    const start = `${loop} `;
    return [...this.delays].filter(([key]) => key.startsWith(start)).map(([key, delays]) => ({ about: key.slice(start.length), delays }));
  }
  lastDelay(loop: string, about: string): number {
    return this.delays.get(`${loop} ${about}`)?.at(-1) ?? 0;
  }
  /** Events an informer of a process has told, of one kind. */
  events(process: string, kind: string): number {
    return this.told.get(`${process} ${kind}`) ?? 0;
  }
  /** Rises with every end of a reconcile: of one loop, or of any. */
  ends(loop?: string): number {
    return loop === undefined ? this.endings : (this.endingsOf.get(loop) ?? 0);
  }
  lately(loop: string, now: Instant): number {
    const { recent } = this.of(loop);
    while (recent.length > 0 && recent[0]! < now - LATELY) recent.shift();
    return recent.length;
  }

  take(fact: Fact): void {
    const { type, by, about, data } = fact;
    switch (type) {
      case 'queue.get':
        this.begin(by, String(data['queue']), fact);
        return;
      case 'queue.requeue': {
        const key = `${by} ${about}`;
        const before = data['requeues'] === 1 ? [] : (this.delays.get(key) ?? []);
        this.delays.set(key, [...before.slice(1 - DELAYS), Number(data['delay'])]);
        const work = this.under(by, String(data['queue']), about);
        if (work) work.outcome = 'retry';
        return;
      }
      case 'queue.done':
        this.end(by, String(data['queue']), fact);
        return;
      case 'reconcile.start': {
        const found = this.owners.get(fact.cause);
        const log = this.of(by);
        log.says = true;
        if (!found) return;
        found.work.begun = true;
        this.own(fact.id, found.work, log);
        return;
      }
      case 'reconcile.end': {
        const found = this.owners.get(fact.cause);
        if (!found) return;
        found.work.outcome = data['outcome'] === 'retry' ? 'retry' : 'ok';
        found.work.error = String(data['error'] ?? '');
        return;
      }
      case 'sched.start':
        this.begin('kube-scheduler', '', fact).begun = true;
        return;
      case 'sched.bind':
        this.request(fact);
        this.end('kube-scheduler', '', fact);
        return;
      case 'sched.unschedulable': {
        const work = this.under('kube-scheduler', '', about);
        if (work) {
          work.outcome = 'retry';
          work.error = String(data['message'] ?? '');
        }
        this.end('kube-scheduler', '', fact);
        return;
      }
      case 'kubelet.sync': {
        const work = this.begin(by, '', fact);
        work.begun = true;
        work.error = String(data['error'] ?? '');
        if (work.error) work.outcome = 'retry';
        this.end(by, '', fact);
        return;
      }
      case 'informer.event': {
        const key = `${by} ${about.slice(0, about.indexOf('/'))}`;
        this.told.set(key, (this.told.get(key) ?? 0) + 1);
        return;
      }
    }
    if (type.startsWith('api.') || type.startsWith('etcd.') || type.startsWith('sched.')) this.request(fact);
  }

  private begin(loop: string, queue: string, fact: Fact): Work {
    const work: Work = {
      fact: fact.id,
      about: fact.about,
      began: fact.at,
      requests: [],
      writes: 0,
      begun: false,
      ended: undefined,
      outcome: 'ok',
      error: '',
      owned: [],
    };
    this.open.set(`${loop} ${queue} ${fact.about}`, work);
    this.own(fact.id, work, this.of(loop));
    for (const [key, old] of this.open) {
      if (this.open.size <= OPEN) break;
      this.open.delete(key);
      this.disown(old);
    }
    return work;
  }

  private end(loop: string, queue: string, fact: Fact): void {
    const key = `${loop} ${queue} ${fact.about}`;
    const work = this.open.get(key);
    if (!work) return;
    this.open.delete(key);
    const log = this.of(loop);
    if (work.outcome === 'ok') this.delays.delete(`${loop} ${fact.about}`);
    // Of one that says when it begins: taken too early, or its object was gone.
    if (log.says && !work.begun && work.requests.length === 0) {
      this.disown(work);
      return;
    }
    work.ended = fact.at;
    log.ended++;
    if (work.outcome === 'retry') log.failed++;
    log.recent.push(fact.at);
    this.endings++;
    this.endingsOf.set(loop, (this.endingsOf.get(loop) ?? 0) + 1);
    log.works.unshift(work);
    for (const old of log.works.splice(KEPT)) this.disown(old);
  }

  private request(fact: Fact): void {
    const owner = this.owners.get(fact.cause);
    if (!owner) return;
    const { work, log } = owner;
    if (fact.type === 'api.request') {
      const verb = String(fact.data['verb'] ?? '');
      const parsed = parsePath(String(fact.data['path'] ?? ''));
      // Events are told on the side, and not what it was for.
      if (parsed?.resource === 'events') return;
      if (work.requests.length >= REQUESTS) return;
      const resource = parsed ? (parsed.subresource ? `${parsed.resource}/${parsed.subresource}` : parsed.resource) : '';
      const request: OpenRequest = { fact: fact.id, verb, resource, about: fact.about };
      work.requests.push(request);
      this.own(fact.id, work, log, request);
      return;
    }
    if (fact.type === 'api.response') {
      if (!owner.request) return;
      owner.request.code = Number(fact.data['code']);
      if (WRITES.has(owner.request.verb) && owner.request.code < 400) {
        work.writes++;
        log.writes++;
      }
      if (fact.about) owner.request.about = fact.about;
      // What comes of the answer is another story; the answer itself may still lead to an Event.
      return;
    }
    // A step on the way: to the answer, or to the request.
    this.own(fact.id, work, log, owner.request);
  }

  private own(id: TraceId, work: Work, log: LoopLog, request?: OpenRequest): void {
    work.owned.push(id);
    this.owners.set(id, request ? { work, log, request } : { work, log });
  }
  private disown(work: Work): void {
    for (const id of work.owned) this.owners.delete(id);
  }
}
