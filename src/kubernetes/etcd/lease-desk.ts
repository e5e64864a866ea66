/**
 * What only the leader can say of leases: renewals and the time that is left do not go through the log
 * (etcd server/lease/leasehttp); other members ask it. Leases that ran out are revoked through the log.
 */
import { type Deferred, defer } from '../../sim/mailbox.ts';
import { EtcdError } from './api.ts';
import type { Member } from './member.ts';
import { errors } from './mvcc.ts';
import { REQUEST_TIMEOUT } from './reads.ts';

export interface LeaseAsk {
  readonly type: 'LeaseAsk';
  readonly from: number;
  readonly id: number;
  readonly lease: number;
  readonly renew: boolean;
}
export interface LeaseAnswer {
  readonly type: 'LeaseAnswer';
  readonly id: number;
  /** Seconds left; undefined: no such lease. */
  readonly ttl: number | undefined;
}

interface Question {
  readonly ask: LeaseAsk;
  readonly answer: Deferred<number>;
}

export class LeaseDesk {
  private readonly open = new Map<number, Question>();

  constructor(private readonly member: Member) {}

  /** Starts a lease's time again; resolves to its full time in seconds. Rejects with EtcdError. */
  renew(lease: number): Promise<number> {
    return this.ask(lease, true);
  }

  /** Seconds left; -1 for a lease that is gone. Rejects with EtcdError. */
  remaining(lease: number): Promise<number> {
    return this.ask(lease, false).catch((error) => {
      if (error instanceof EtcdError && error.code === 'NotFound') return -1;
      throw error;
    });
  }

  private ask(lease: number, renew: boolean): Promise<number> {
    const { member } = this;
    const { clock } = member.self;
    const ask: LeaseAsk = { type: 'LeaseAsk', from: member.id, id: member.nextId(), lease, renew };
    const question: Question = { ask, answer: defer<number>(clock) };
    this.open.set(ask.id, question);
    this.pass(question);
    clock.after(REQUEST_TIMEOUT, () => {
      if (this.open.delete(ask.id)) question.answer.reject(new EtcdError('etcdserver: request timed out', 'Unavailable'));
    });
    return question.answer.promise;
  }

  private pass({ ask }: Question): void {
    const { raft } = this.member;
    if (raft.role === 'Leader') this.settle({ type: 'LeaseAnswer', id: ask.id, ttl: this.answer(ask) });
    else if (raft.lead !== 0) this.member.sendTo(raft.lead, ask);
  }

  /** What was asked of an old leader, or of none, is asked again. */
  leaderElected(): void {
    for (const question of [...this.open.values()]) this.pass(question);
  }

  step(m: LeaseAsk | LeaseAnswer): void {
    if (m.type === 'LeaseAnswer') this.settle(m);
    // A member that does not lead any more keeps silent: the asker will learn of the new leader.
    else if (this.member.raft.role === 'Leader') this.member.sendTo(m.from, { type: 'LeaseAnswer', id: m.id, ttl: this.answer(m) });
  }

  private settle({ id, ttl }: LeaseAnswer): void {
    const question = this.open.get(id);
    if (!question) return;
    this.open.delete(id);
    if (ttl === undefined) question.answer.reject(errors.leaseNotFound());
    else question.answer.resolve(ttl);
  }

  private answer({ lease, renew }: LeaseAsk): number | undefined {
    const { lessor, self } = this.member;
    const now = self.clock.now();
    const state = lessor.get(lease);
    if (!state) return undefined;
    if (!renew) return lessor.remaining(lease, now);
    try {
      return lessor.renew(lease, now).ttl;
    } catch {
      return undefined;
    }
  }

  /** Revokes what has run out. Called on the leader with every tick. */
  expire(): void {
    for (const lease of this.member.lessor.expired(this.member.self.clock.now())) {
      // Somebody else may have revoked it meanwhile, or the leader may change: then it is tried again.
      this.member.propose({ type: 'revoke', lease }).catch(() => {});
    }
  }
}
