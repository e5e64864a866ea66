/**
 * What only the leader can say: renewals of leases and the time that is left of them do not go through
 * the log (etcd server/lease/leasehttp), and whether a learner has caught up is known to it alone; other
 * members ask it. Leases that ran out are revoked through the log.
 */
import { type Deferred, defer } from '../../sim/mailbox.ts';
import { EtcdError } from './api.ts';
import type { Member } from './member.ts';
import { errors } from './mvcc.ts';
import { REQUEST_TIMEOUT } from './reads.ts';

export interface LeaderQuestion {
  readonly type: 'LeaderQuestion';
  readonly from: number;
  readonly id: number;
  readonly what: 'renew' | 'remaining' | 'in-sync';
  /** A lease, or a member's raft id. */
  readonly subject: number;
}
export interface LeaderAnswer {
  readonly type: 'LeaderAnswer';
  readonly id: number;
  /** Seconds; of a learner 1 or 0; undefined: no such thing. */
  readonly value: number | undefined;
}

interface Question {
  readonly ask: LeaderQuestion;
  readonly answer: Deferred<number>;
}

export class LeaderDesk {
  private readonly open = new Map<number, Question>();

  constructor(private readonly member: Member) {}

  /** Starts a lease's time again; resolves to its full time in seconds. Rejects with EtcdError. */
  renew(lease: number): Promise<number> {
    return this.ask('renew', lease);
  }

  /** Seconds left; -1 for a lease that is gone. Rejects with EtcdError. */
  remaining(lease: number): Promise<number> {
    return this.ask('remaining', lease).catch((error) => {
      if (error instanceof EtcdError && error.code === 'NotFound') return -1;
      throw error;
    });
  }

  /** Whether a learner has nearly all of the leader's log (etcd server.go, isLearnerReady). Rejects with EtcdError. */
  async inSync(raftId: number): Promise<boolean> {
    return (await this.ask('in-sync', raftId)) === 1;
  }

  private ask(what: LeaderQuestion['what'], subject: number): Promise<number> {
    const { member } = this;
    const { clock } = member.self;
    const ask: LeaderQuestion = { type: 'LeaderQuestion', from: member.id, id: member.nextId(), what, subject };
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
    if (raft.role === 'Leader') this.whileLeading(ask.what, () => this.settle({ type: 'LeaderAnswer', id: ask.id, value: this.answer(ask) }));
    else if (raft.lead !== 0) this.member.sendTo(raft.lead, ask);
  }

  /** What was asked of an old leader, or of none, is asked again. */
  leaderElected(): void {
    for (const question of [...this.open.values()]) this.pass(question);
  }

  step(m: LeaderQuestion | LeaderAnswer): void {
    if (m.type === 'LeaderAnswer') this.settle(m);
    // A member that does not lead any more keeps silent: the asker will learn of the new leader.
    else if (this.member.raft.role === 'Leader')
      this.whileLeading(m.what, () => this.member.sendTo(m.from, { type: 'LeaderAnswer', id: m.id, value: this.answer(m) }));
  }

  /** A leader that was deposed without knowing must renew nothing and end nothing: a majority is asked first (etcd server.go, ensureLeadership). */
  private whileLeading(what: LeaderQuestion['what'] | 'expire', act: () => void): void {
    if (what === 'remaining' || what === 'in-sync') {
      act();
      return;
    }
    const { raft, reads } = this.member;
    const { term } = raft;
    // Nothing is said if not: who asked will ask the next leader, or give up.
    reads.add(
      () => {
        if (raft.role === 'Leader' && raft.term === term) act();
      },
      () => {},
    );
  }

  private settle({ id, value }: LeaderAnswer): void {
    const question = this.open.get(id);
    if (!question) return;
    this.open.delete(id);
    if (value === undefined) question.answer.reject(errors.leaseNotFound());
    else question.answer.resolve(value);
  }

  private answer({ what, subject }: LeaderQuestion): number | undefined {
    const { lessor, self, raft } = this.member;
    if (what === 'in-sync') {
      const progress = raft.progress(subject);
      return progress && progress.match >= (raft.log.lastIndex() * 9) / 10 ? 1 : 0;
    }
    const now = self.clock.now();
    if (!lessor.get(subject)) return undefined;
    if (what === 'remaining') return lessor.remaining(subject, now);
    try {
      const written = lessor.isCheckpointed(subject);
      const { ttl } = lessor.renew(subject, now);
      // The others must not go by what it had left before.
      if (written) this.member.propose({ type: 'lease-checkpoint', leases: [{ id: subject, remaining: 0 }] }, raft.term).catch(() => {});
      return ttl;
    } catch {
      return undefined;
    }
  }

  /** Revokes what has run out, and writes down what long leases have left. Called on the leader with every tick. */
  expire(): void {
    const { member } = this;
    const { lessor, raft, self } = member;
    const leases = lessor.checkpoints(self.clock.now());
    if (leases.length > 0) member.propose({ type: 'lease-checkpoint', leases }, raft.term).catch(() => {});
    const expired = lessor.expired(self.clock.now());
    if (expired.length === 0) return;
    const { term } = raft;
    this.whileLeading('expire', () => {
      for (const lease of expired) {
        // It may have been renewed while the others were asked.
        if (!lessor.isExpired(lease, self.clock.now())) continue;
        // Somebody else may have revoked it meanwhile, or the leader may change: then it is tried again.
        member.propose({ type: 'revoke', lease }, term).catch(() => {});
      }
    });
  }
}
