/** Durations as Go writes them: `1h30m`, `45s`, `250ms`. Throws RangeError with the text when it is not one. */
import type { Duration } from './clock.ts';

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000_000, m: 60_000_000, s: 1_000_000, ms: 1_000, us: 1, µs: 1 };

export function parseDuration(text: string): Duration {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|us|µs|h|m|s)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text) throw new RangeError(`invalid duration "${text}"`);
  return parts.reduce((sum, [, amount, unit]) => sum + Math.round(Number(amount) * UNITS[unit!]!), 0);
}
