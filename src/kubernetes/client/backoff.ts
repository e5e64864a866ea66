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
