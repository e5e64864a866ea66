/**
 * Linearizable reads (etcd server/etcdserver/v3_server.go, linearizableReadLoop): reads that arrive while
 * one confirmation is under way share the next one. A confirmation says up to which log index this member
 * must have applied before it may answer.
 */
import { type Cancel, ms, seconds } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';
import { EtcdError } from './api.ts';

const RETRY = ms(500);
/** 5 s and two election timeouts. */
export const REQUEST_TIMEOUT = seconds(7);

interface Read {
  readonly cause: number;
  readonly go: () => void;
  readonly fail: (error: EtcdError) => void;
}

export class ReadLoop {
  private waiting: Read[] = [];
  private flight: { readonly context: string; readonly reads: Read[]; readonly deadline: number; index: number } | undefined;
  private scheduled = false;
  private counter = 0;
  private retry: Cancel | undefined;

  constructor(
    private readonly self: Process,
    private readonly prefix: string,
    private readonly ask: (context: string) => void,
    private readonly applied: () => number,
  ) {}

  /** Calls `go` in an event of its own as soon as this member's state is at least as new as any answer given before now. */
  add(go: () => void, fail: (error: EtcdError) => void): void {
    this.waiting.push({ cause: this.self.trace.current(), go, fail });
    this.schedule();
  }

  /** The leader confirmed `context`: state up to `index` was current then. */
  confirmed(context: string, index: number): void {
    if (this.flight?.context !== context || this.flight.index > 0) return;
    this.flight.index = index;
    this.retry?.();
    this.progressed();
  }

  /** Something was applied. */
  progressed(): void {
    const flight = this.flight;
    if (!flight || flight.index === 0 || this.applied() < flight.index) return;
    this.flight = undefined;
    this.release(flight.reads, (read) => read.go());
    if (this.waiting.length > 0) this.schedule();
  }

  /** A confirmation asked of the old leader will not come. */
  leaderChanged(): void {
    if (this.flight && this.flight.index === 0) this.abort(new EtcdError('etcdserver: leader changed', 'Unavailable'));
  }

  /** The leader has committed an entry of its term and can confirm now what it could not before. */
  again(): void {
    if (this.flight && this.flight.index === 0) this.ask(this.flight.context);
  }

  private schedule(): void {
    if (this.scheduled || this.flight) return;
    this.scheduled = true;
    this.self.clock.after(0, () => {
      this.scheduled = false;
      this.start();
    });
  }

  private start(): void {
    if (this.flight || this.waiting.length === 0) return;
    const context = `${this.prefix}.${++this.counter}`;
    this.flight = { context, reads: this.waiting, deadline: this.self.clock.now() + REQUEST_TIMEOUT, index: 0 };
    this.waiting = [];
    this.armRetry();
    this.ask(context);
  }

  private armRetry(): void {
    this.retry = this.self.clock.after(RETRY, () => {
      const flight = this.flight;
      if (!flight || flight.index > 0) return;
      if (this.self.clock.now() >= flight.deadline) {
        this.abort(new EtcdError('etcdserver: request timed out', 'Unavailable'));
        return;
      }
      this.armRetry();
      this.ask(flight.context);
    });
  }

  private abort(error: EtcdError): void {
    const flight = this.flight!;
    this.flight = undefined;
    this.retry?.();
    this.release(flight.reads, (read) => read.fail(error));
    if (this.waiting.length > 0) this.schedule();
  }

  /** Each answer in an event of its own, so that what follows from it has the right cause. */
  private release(reads: readonly Read[], how: (read: Read) => void): void {
    if (reads.length === 1) {
      this.self.trace.because(reads[0]!.cause);
      how(reads[0]!);
      return;
    }
    for (const read of reads) {
      this.self.trace.because(read.cause);
      this.self.clock.after(0, () => how(read));
    }
  }
}
