/**
 * Proposals on their way: queued until there is a leader, batched by instant, answered when this member
 * applies them, given up after 7 s (etcd server/etcdserver/v3_server.go, processInternalRaftRequestOnce).
 */
import { type Deferred, defer } from '../../sim/mailbox.ts';
import type { Process } from '../../sim/process.ts';
import { EtcdError, type ResponseHeader } from './api.ts';
import type { Outcome } from './apply.ts';
import { type Asker, entryOf, type Operation } from './command.ts';
import { confChangeOf, type MemberChange, type MemberRecord } from './membership.ts';
import type { RaftCore } from './raft/raft.ts';
import type { Entry } from './raft/types.ts';
import { REQUEST_TIMEOUT } from './reads.ts';
import { MAX_REQUEST_BYTES } from './validate.ts';

export interface Answer<T extends Outcome = Outcome> {
  readonly header: ResponseHeader;
  readonly outcome: Exclude<T, EtcdError>;
}

interface Waiting {
  readonly answer: Deferred<Answer>;
  readonly started: number;
}

export class Proposals {
  private readonly waiting = new Map<number, Waiting>();
  private queue: { readonly id: number; readonly entry: Entry; readonly asLeaderOf: number | undefined }[] = [];
  private scheduled = false;
  private armed = false;
  /** When the present leader was elected. */
  private elected = 0;

  constructor(
    private readonly self: Process,
    private readonly raft: RaftCore,
    private readonly nextId: () => number,
    private readonly drain: () => void,
  ) {}

  /**
   * Resolves when this member has applied the operation. Rejects with EtcdError; after a timeout the operation may still happen.
   * With `asLeaderOf` it is only proposed by the leader of that term, and never passed on to another.
   */
  propose(operation: Operation, about: string, quiet: boolean, asLeaderOf?: number, by?: Asker): Promise<Answer> {
    const { trace } = this.self;
    if (quiet) trace.chatter('etcd.propose', about, { op: operation.type });
    else trace.emit('etcd.propose', about, { op: operation.type });
    const id = this.nextId();
    const entry = entryOf({ id, cause: trace.current(), operation, ...(by ? { by } : {}), shared: [] });
    if (entry.data!.length > MAX_REQUEST_BYTES) return Promise.reject(new EtcdError('etcdserver: request is too large', 'InvalidArgument'));
    return this.wait(id, entry, asLeaderOf);
  }

  /** The same for a change of the membership. */
  change(action: MemberChange['action'], member: MemberRecord): Promise<Answer> {
    const { trace } = this.self;
    trace.emit('etcd.propose', `EtcdMember/${member.name || member.peerURLs[0]}`, { op: `member ${action}` });
    const request = this.nextId();
    const confChange = confChangeOf({ action, request, cause: trace.current(), member });
    return this.wait(request, { term: 0, index: 0, type: 'confChange', confChange });
  }

  private wait(id: number, entry: Entry, asLeaderOf?: number): Promise<Answer> {
    const answer = defer<Answer>(this.self.clock);
    this.waiting.set(id, { answer, started: this.self.clock.now() });
    this.queue.push({ id, entry, asLeaderOf });
    this.schedule();
    this.arm();
    return answer.promise;
  }

  /** A leader is known (again): what waited for one goes out. */
  leaderElected(): void {
    this.elected = this.self.clock.now();
    if (this.queue.length > 0) this.schedule();
  }

  get isWaiting(): boolean {
    return this.waiting.size > 0;
  }

  /** Whether somebody here waits for command `id`. */
  has(id: number): boolean {
    return this.waiting.has(id);
  }

  answer(id: number, header: ResponseHeader, outcome: Outcome): void {
    const waiting = this.waiting.get(id);
    if (!waiting) return;
    this.waiting.delete(id);
    if (outcome instanceof EtcdError) waiting.answer.reject(outcome);
    else waiting.answer.resolve({ header, outcome });
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.self.clock.after(0, () => {
      this.scheduled = false;
      this.flush();
    });
  }

  private flush(): void {
    if (this.queue.length === 0 || this.raft.lead === 0) return;
    const ours = (term: number | undefined): boolean => term === undefined || (this.raft.role === 'Leader' && this.raft.term === term);
    const queue = this.queue.filter(({ asLeaderOf }) => ours(asLeaderOf));
    for (const { id, asLeaderOf } of this.queue) if (!ours(asLeaderOf)) this.fail(id, new EtcdError('etcdserver: not leader', 'FailedPrecondition'));
    this.queue = [];
    if (queue.length === 0) return;
    if (this.raft.proposeEntries(queue.map(({ entry }) => entry)) !== undefined) {
      for (const { id } of queue) this.fail(id, new EtcdError('raft proposal dropped', 'Unknown'));
    }
    this.drain();
  }

  /** One timer for the oldest: it is re-armed for as long as anybody waits. */
  private arm(): void {
    if (this.armed) return;
    const oldest = this.waiting.values().next().value;
    if (!oldest) return;
    this.armed = true;
    this.self.clock.after(oldest.started + REQUEST_TIMEOUT - this.self.clock.now(), () => {
      this.armed = false;
      this.expire();
      this.arm();
    });
  }

  private expire(): void {
    const due = this.self.clock.now() - REQUEST_TIMEOUT;
    for (const [id, { started }] of this.waiting) {
      if (started > due) break;
      this.queue = this.queue.filter((queued) => queued.id !== id);
      // etcd tells a request that was under way when a leader was lost from one that was merely slow.
      const leaderFailed = this.elected > 0 && started > this.elected - 2_000_000 && started < this.elected;
      this.fail(id, new EtcdError(`etcdserver: request timed out${leaderFailed ? ', possibly due to previous leader failure' : ''}`, 'Unavailable'));
    }
  }

  private fail(id: number, error: EtcdError): void {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    waiting?.answer.reject(error);
  }
}
