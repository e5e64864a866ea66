/**
 * Back-off per key, as client-go's `flowcontrol.Backoff`: each failure doubles the wait; it starts over
 * after twice the longest wait without one (ten minutes for containers and images).
 */
import type { Duration, Instant } from '../../sim/clock.ts';

interface Entry {
  backoff: Duration;
  lastUpdate: Instant;
}
export class Backoff {
  private readonly entries = new Map<string, Entry>();
  constructor(
    private readonly initial: Duration,
    private readonly max: Duration,
  ) {}

  /** The wait now in force; zero when there is none. */
  get(key: string): Duration {
    return this.entries.get(key)?.backoff ?? 0;
  }

  /** Something failed (again): the wait grows, counted from `now`. */
  next(key: string, event: Instant, now: Instant): void {
    const entry = this.entries.get(key);
    if (!entry || event - entry.lastUpdate > this.max * 2) this.entries.set(key, { backoff: this.initial, lastUpdate: now });
    else this.entries.set(key, { backoff: Math.min(entry.backoff * 2, this.max), lastUpdate: now });
  }

  /** When the wait that began at `event` is over; undefined when there is none or it is over already. */
  until(key: string, event: Instant, now: Instant): Instant | undefined {
    const entry = this.entries.get(key);
    if (!entry || event - entry.lastUpdate > this.max * 2) return undefined;
    const end = event + entry.backoff;
    return now < end ? end : undefined;
  }

  /** The same, counted from the last failure. */
  untilSinceUpdate(key: string, now: Instant): Instant | undefined {
    const entry = this.entries.get(key);
    if (!entry || now - entry.lastUpdate > this.max * 2) return undefined;
    const end = entry.lastUpdate + entry.backoff;
    return now < end ? end : undefined;
  }

  forget(prefix: string): void {
    for (const key of [...this.entries.keys()]) if (key.startsWith(prefix)) this.entries.delete(key);
  }
}

/** Go's `time.Duration.String()` for whole seconds and milliseconds: `10s`, `2m40s`, `1.2s`, `313ms`. */
export function goDuration(duration: Duration): string {
  const millis = Math.floor(duration / 1000);
  if (millis < 1000) return millis === 0 ? `${duration}µs` : `${millis}ms`;
  const hours = Math.floor(millis / 3_600_000);
  const minutes = Math.floor(millis / 60_000) % 60;
  const rest = millis % 60_000;
  const fraction =
    rest % 1000 === 0
      ? ''
      : `.${String(rest % 1000)
          .padStart(3, '0')
          .replace(/0+$/, '')}`;
  const seconds = `${Math.floor(rest / 1000)}${fraction}s`;
  return hours > 0 ? `${hours}h${minutes}m${seconds}` : minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
