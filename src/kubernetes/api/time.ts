/**
 * Timestamps of the world. Virtual zero is one fixed instant of the calendar, so that no wall clock is
 * ever needed. `Date` is not used: it is the wall's.
 */
import type { Duration, Instant } from '../../sim/clock.ts';

/** The calendar instant at which every world begins: Monday 5 January 2026, 08:00:00 UTC; seconds since 1970. */
export const EPOCH_SECONDS = 1_767_600_000;

/** `2026-01-05T08:00:42Z`: metav1.Time, whole seconds. */
export function timestamp(now: Instant): string {
  const second = EPOCH_SECONDS + Math.floor(now / 1_000_000);
  // Much happens within one second, and all of it bears the same stamp.
  if (second !== latest.second) latest = { second, text: rfc3339(second) };
  return latest.text;
}
let latest = { second: -1, text: '' };

/** `2026-01-05T08:00:42.123456Z`: metav1.MicroTime. */
export const microTimestamp = (now: Instant): string => `${timestamp(now).slice(0, -1)}.${String(now % 1_000_000).padStart(6, '0')}Z`;

/** Seconds since 1970 as RFC 3339 in UTC (days-to-civil after Howard Hinnant's `civil_from_days`). */
export function rfc3339(epochSeconds: number): string {
  const days = Math.floor(epochSeconds / 86_400);
  const rest = epochSeconds - days * 86_400;
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const doe = z - era * 146_097;
  const yoe = Math.floor((doe - Math.floor(doe / 1_460) + Math.floor(doe / 36_524) - Math.floor(doe / 146_096)) / 365);
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  const day = doy - Math.floor((153 * mp + 2) / 5) + 1;
  const month = mp < 10 ? mp + 3 : mp - 9;
  const year = yoe + era * 400 + (month <= 2 ? 1 : 0);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(Math.floor(rest / 3_600))}:${two(Math.floor(rest / 60) % 60)}:${two(rest % 60)}Z`;
}

/** The instant an RFC 3339 text names, in virtual microseconds (negative before the world began); undefined if it is not one. */
export function instantOf(text: string | undefined): Instant | undefined {
  const m = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/.exec(text ?? '');
  if (!m) return undefined;
  const month = Number(m[2]);
  const y = Number(m[1]) - (month <= 2 ? 1 : 0);
  const era = Math.floor(y / 400);
  const yoe = y - era * 400;
  const doy = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + Number(m[3]) - 1;
  const days = era * 146_097 + yoe * 365 + Math.floor(yoe / 4) - Math.floor(yoe / 100) + doy - 719_468;
  const offset = m[8] ? (m[8] === '-' ? -1 : 1) * (Number(m[9]) * 3_600 + Number(m[10]) * 60) : 0;
  const whole = days * 86_400 + Number(m[4]) * 3_600 + Number(m[5]) * 60 + Number(m[6]) - offset;
  return (whole - EPOCH_SECONDS) * 1_000_000 + Number((m[7] ?? '').padEnd(6, '0').slice(0, 6));
}

/** `45s`, `3m20s`, `5h`, `2d3h`: how kubectl writes ages (apimachinery `duration.HumanDuration`). */
export function humanDuration(duration: Duration): string {
  const s = Math.floor(duration / 1_000_000);
  if (s < -1) return '<invalid>';
  if (s < 0) return '0s';
  if (s < 120) return `${s}s`;
  const m = Math.floor(s / 60);
  if (m < 10) return s % 60 === 0 ? `${m}m` : `${m}m${s % 60}s`;
  if (m < 180) return `${m}m`;
  const h = Math.floor(m / 60);
  if (h < 8) return m % 60 === 0 ? `${h}h` : `${h}h${m % 60}m`;
  if (h < 48) return `${h}h`;
  const d = Math.floor(h / 24);
  if (h < 192) return h % 24 === 0 ? `${d}d` : `${d}d${h % 24}h`;
  if (d < 365 * 2) return `${d}d`;
  const y = Math.floor(d / 365);
  if (d < 365 * 8) return d % 365 === 0 ? `${y}y` : `${y}y${d % 365}d`;
  return `${y}y`;
}
