/**
 * A machine's processors, shared by the control groups of its containers as Linux shares them.
 *
 * A group asks for what its threads could use: one core for each piece of work in hand, and what its program uses
 * all the time. While the machine has enough, everybody gets what they ask; when it has not, cores are shared out by
 * weight (cpu.weight, made of requests) among those who want them. A group with a quota (cpu.max, made of limits)
 * may use so much in every period of 100 ms, at full speed, and then stands still until the next: that is throttling
 * (kernel `sched-bwc.rst`). Nothing ticks while nobody works: use is integrated when somebody looks.
 *
 * Here simplified: what a program uses all the time is spread evenly over a period, and the machine's own daemons
 * use nothing.
 */
import type { Cancel, Clock, Duration, Instant } from '../../sim/clock.ts';
import { ms } from '../../sim/clock.ts';
import { type Deferred, defer } from '../../sim/mailbox.ts';
import type { Process } from '../../sim/process.ts';

/** CFS's period: `cpu.max` is a quota for each of these. */
export const PERIOD = ms(100);
/** One core, in thousandths. */
const CORE = 1_000;

/** What somebody wants of the processors, in thousandths of a core, and how much they count when there is not enough. */
export interface Claim {
  readonly milli: number;
  readonly weight: number;
}

/** Who gets how much, in the order of the claims: nobody more than claimed, the rest by weight. Pure. */
export function shareOut(capacity: number, claims: readonly Claim[]): readonly number[] {
  const shares = claims.map(() => 0);
  let open = claims.map((_, index) => index);
  let left = capacity;
  while (open.length > 0) {
    const weights = open.reduce((sum, index) => sum + claims[index]!.weight, 0);
    const content = open.filter((index) => claims[index]!.milli * weights <= left * claims[index]!.weight);
    if (content.length === 0) {
      for (const index of open) shares[index] = Math.floor((left * claims[index]!.weight) / weights);
      break;
    }
    for (const index of content) {
      shares[index] = claims[index]!.milli;
      left -= claims[index]!.milli;
    }
    open = open.filter((index) => !content.includes(index));
  }
  return shares;
}

/** The processors of one machine. */
export class Processors {
  private readonly claims = new Map<CpuGroup, number>();
  private claimed = 0;

  constructor(readonly milli: number) {}

  /** How many threads can run at once. */
  get cores(): number {
    return Math.max(1, Math.floor(this.milli / CORE));
  }

  /** A group's new claim; returns what it gets. Others are told when their part changes. */
  claim(group: CpuGroup, milli: number): number {
    const crowded = this.claimed > this.milli;
    this.claimed += milli - (this.claims.get(group) ?? 0);
    if (milli === 0) this.claims.delete(group);
    else this.claims.set(group, milli);
    if (this.claimed <= this.milli && !crowded) return milli;
    const groups = [...this.claims.keys()];
    const shares = shareOut(
      this.milli,
      groups.map((each) => ({ milli: this.claims.get(each)!, weight: each.weight })),
    );
    let own = 0;
    for (const [index, each] of groups.entries()) {
      if (each === group) own = shares[index]!;
      else each.granted(shares[index]!);
    }
    return own;
  }
}

interface Work {
  /** Nanoseconds of a core still to do. */
  left: number;
  readonly process: Process;
  readonly done: Deferred<void>;
}

export interface CpuLimits {
  /** Thousandths of a core asked for: the weight. */
  readonly request?: number;
  /** Thousandths of a core allowed. */
  readonly limit?: number;
}

/** cpu.stat of a control group. */
export interface CpuUsage {
  readonly nanos: number;
  readonly periods: number;
  readonly throttledPeriods: number;
}

export class CpuGroup {
  weight: number;
  private quota: number | undefined;
  private clock: Clock | undefined;
  private readonly works: Work[] = [];
  private at: Instant = 0;
  private nanos = 0;
  /** What the processors give it. */
  private grant = 0;
  private backgroundRate = 0;
  /** Of each piece of work. */
  private speed = 0;
  private periodStart: Instant = 0;
  /** Nanoseconds its works may have in a period; undefined: as many as there are. */
  private budget: number | undefined;
  private used = 0;
  private throttled = false;
  private periods = 0;
  private throttledPeriods = 0;
  private busyUntil: Instant = 0;
  private cancel: Cancel | undefined;
  private closed = false;

  constructor(
    private readonly processors: Processors,
    private background: number,
    limits: CpuLimits,
  ) {
    this.weight = weightOf(limits);
    this.quota = limits.limit;
  }

  /** From now on it runs on this clock: that of its container's process. */
  start(clock: Clock): void {
    this.clock = clock;
    this.at = clock.now();
    this.periodStart = this.at;
    this.update();
  }

  /** The container is gone: what it was working at never ends. */
  close(): void {
    this.advance();
    this.closed = true;
    this.works.length = 0;
    this.background = 0;
    this.cancel?.();
    this.processors.claim(this, 0);
    this.backgroundRate = 0;
    this.speed = 0;
  }

  /** Thousandths of a core it uses at this moment. */
  get milli(): number {
    return this.backgroundRate + (this.throttled ? 0 : this.speed * this.works.length);
  }

  usage(): CpuUsage {
    this.advance();
    return { nanos: this.nanos, periods: this.periods, throttledPeriods: this.throttledPeriods };
  }

  /** What the program uses all the time. */
  setBackground(milli: number): void {
    this.advance();
    this.background = milli;
    this.update();
  }

  /** In-place resize: other weights and quotas from now on. */
  setLimits(limits: CpuLimits): void {
    this.advance();
    this.weight = weightOf(limits);
    this.quota = limits.limit;
    this.update();
  }

  /** One thread works until it has used so much of a core; resolves then, if `process` still lives. */
  work(process: Process, cost: Duration): Promise<void> {
    if (!this.clock || this.closed) return process.clock.sleep(cost);
    this.advance();
    const work: Work = { left: cost * CORE, process, done: defer<void>(process.clock) };
    this.works.push(work);
    this.update();
    return work.done.promise;
  }

  /** Work so small that nobody waits for it; returns how long a throttled program must pause because of it. */
  charge(cost: Duration): Duration {
    const now = this.clock?.now() ?? 0;
    this.nanos += cost * CORE;
    if (this.quota === undefined) return 0;
    this.busyUntil = Math.max(now, this.busyUntil) + Math.ceil((cost * CORE) / this.quota);
    return Math.max(0, this.busyUntil - now - PERIOD);
  }

  /** The processors are shared out anew. */
  granted(milli: number): void {
    if (milli === this.grant) return;
    this.advance();
    this.plan(milli);
  }

  /** Counts what was used since the last look. Between two looks nothing changes. */
  private advance(): void {
    const now = this.clock?.now() ?? 0;
    const elapsed = now - this.at;
    if (elapsed <= 0) return;
    this.at = now;
    this.nanos += this.backgroundRate * elapsed;
    if (this.throttled || this.speed === 0) return;
    for (const work of this.works) {
      const part = Math.min(work.left, this.speed * elapsed);
      work.left -= part;
      this.used += part;
      this.nanos += part;
    }
  }

  /** Says what it wants now, and goes on with what it gets. */
  private update(): void {
    if (!this.clock || this.closed) return;
    const demand = this.demand();
    this.plan(this.processors.claim(this, this.quota === undefined ? demand : Math.min(demand, this.quota)));
  }

  private demand(): number {
    return this.background + CORE * Math.min(this.works.length, this.processors.cores);
  }

  private plan(grant: number): void {
    this.grant = grant;
    const { quota, background } = this;
    const threads = this.works.length;
    const demand = this.demand();
    this.budget = undefined;
    if (threads === 0) {
      this.backgroundRate = Math.min(background, grant);
      this.speed = 0;
      this.throttled = false;
    } else if (quota === undefined || demand <= quota) {
      this.backgroundRate = Math.floor((background * grant) / demand);
      this.speed = Math.floor((grant - this.backgroundRate) / threads);
      this.throttled = false;
    } else {
      const running = demand - background;
      const works = Math.floor((Math.max(quota - background, Math.floor((quota * running) / demand)) * grant) / quota);
      this.backgroundRate = Math.min(background, grant - works);
      if (grant < quota) {
        // The machine itself holds it back, before its quota does.
        this.speed = Math.floor(works / threads);
        this.throttled = false;
      } else {
        this.speed = Math.floor(running / threads);
        this.budget = works * PERIOD;
      }
    }
    this.next();
  }

  /** The next thing that happens by itself: a piece of work done, the quota used up, a new period. */
  private next(): void {
    this.cancel?.();
    this.cancel = undefined;
    const { clock } = this;
    if (!clock || this.works.length === 0) return;
    const now = clock.now();
    if (this.budget !== undefined) {
      const since = now - this.periodStart;
      if (since >= PERIOD) {
        const whole = Math.floor(since / PERIOD);
        this.periods += whole;
        this.periodStart += whole * PERIOD;
        this.used = 0;
        this.throttled = false;
      }
      if (!this.throttled && this.used >= this.budget) {
        this.throttled = true;
        this.throttledPeriods++;
      }
    }
    let wait = Number.POSITIVE_INFINITY;
    if (this.budget !== undefined) wait = this.periodStart + PERIOD - now;
    if (!this.throttled && this.speed > 0) {
      let least = Number.POSITIVE_INFINITY;
      for (const { left } of this.works) if (left < least) least = left;
      wait = Math.min(wait, Math.ceil(least / this.speed));
      if (this.budget !== undefined) wait = Math.min(wait, Math.ceil((this.budget - this.used) / (this.speed * this.works.length)));
    }
    if (wait === Number.POSITIVE_INFINITY) return;
    this.cancel = clock.after(Math.max(1, wait), () => this.happened());
  }

  private happened(): void {
    this.cancel = undefined;
    this.advance();
    let ended = false;
    for (let index = 0; index < this.works.length; ) {
      const work = this.works[index]!;
      const over = work.left <= 0;
      if (!over && work.process.alive) {
        index++;
        continue;
      }
      this.works.splice(index, 1);
      ended = true;
      if (over && work.process.alive) work.done.resolve();
    }
    if (ended) this.update();
    else this.next();
  }
}

/** The kernel's cpu.shares of a request (kubelet `MilliCPUToShares`). */
const weightOf = ({ request = 0 }: CpuLimits): number => Math.max(2, Math.floor((request * 1024) / 1000));
