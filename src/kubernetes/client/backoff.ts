/** Exponential back-off with jitter, as apimachinery's `wait.BackoffManager`. */
import type { Duration, Instant } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';

export interface BackoffOptions {
  readonly initial: Duration;
  readonly max: Duration;
  /** Quiet for this long, it starts again from `initial`. */
  readonly resetAfter: Duration;
}

/** Each call gives the next delay: doubling, capped, stretched by up to as much again (jitter 1.0). */
export function createBackoff(self: Pick<Process, 'clock' | 'rng'>, options: BackoffOptions): () => Duration {
  let next = options.initial;
  let last: Instant | undefined;
  return () => {
    const now = self.clock.now();
    if (last !== undefined && now - last > options.resetAfter) next = options.initial;
    last = now;
    const base = next;
    next = Math.min(options.max, next * 2);
    return base + self.rng.between(0, base);
  };
}

/** A delay stretched by up to `percent` of itself: `wait.Jitter`. */
export const jitter = (self: Pick<Process, 'rng'>, delay: Duration, percent: number): Duration =>
  delay + self.rng.between(0, Math.max(1, Math.floor((delay * percent) / 100)));

/** Per key: a failure starts a wait, each further one doubles it, and a long quiet makes it start over (client-go's `flowcontrol.Backoff`). */
export class FailureBackoff {
  private readonly entries = new Map<string, { readonly wait: Duration; readonly at: Instant }>();
  constructor(
    private readonly first: Duration,
    private readonly longest: Duration,
  ) {}

  /** How long still to wait; 0 when there is no need. */
  left(key: string, now: Instant): Duration {
    const entry = this.entries.get(key);
    return entry ? Math.max(0, entry.at + entry.wait - now) : 0;
  }

  failed(key: string, now: Instant): void {
    const entry = this.entries.get(key);
    const quiet = entry === undefined || now - entry.at > 2 * this.longest;
    this.entries.set(key, { wait: quiet ? this.first : Math.min(entry.wait * 2, this.longest), at: now });
  }
}
