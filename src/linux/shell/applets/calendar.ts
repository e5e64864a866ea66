/** Dates for `date`, without the wall's clock. */
import type { Instant } from '../../../sim/clock.ts';

/** The calendar's instant of virtual zero: Monday 5 January 2026, 08:00:00 UTC, in seconds since 1970 (the same instant as in `kubernetes/api/time.ts`, which `linux` may not import). */
export const BOOT_SECONDS = 1_767_600_000;

export interface CalendarDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly weekday: number;
  readonly dayOfYear: number;
  readonly epoch: number;
  readonly micros: number;
}

/** Days to civil, after Howard Hinnant. */
export function dateAt(now: Instant): CalendarDate {
  const epoch = BOOT_SECONDS + Math.floor(now / 1_000_000);
  const days = Math.floor(epoch / 86_400);
  const rest = epoch - days * 86_400;
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const doe = z - era * 146_097;
  const yoe = Math.floor((doe - Math.floor(doe / 1_460) + Math.floor(doe / 36_524) - Math.floor(doe / 146_096)) / 365);
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  const day = doy - Math.floor((153 * mp + 2) / 5) + 1;
  const month = mp < 10 ? mp + 3 : mp - 9;
  const year = yoe + era * 400 + (month <= 2 ? 1 : 0);
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 1 : 0;
  const before = [0, 31, 59 + leap, 90 + leap, 120 + leap, 151 + leap, 181 + leap, 212 + leap, 243 + leap, 273 + leap, 304 + leap, 334 + leap];
  return {
    year,
    month,
    day,
    hour: Math.floor(rest / 3_600),
    minute: Math.floor(rest / 60) % 60,
    second: rest % 60,
    weekday: (days + 4) % 7,
    dayOfYear: before[month - 1]! + day,
    epoch,
    micros: now - Math.floor(now / 1_000_000) * 1_000_000,
  };
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const two = (n: number): string => String(n).padStart(2, '0');

/** strftime(3), in UTC. */
export function strftime(format: string, date: CalendarDate): string {
  return format.replace(/%(-?)([a-zA-Z%])/g, (match, bare: string, letter: string) => {
    const value = one(letter, date);
    if (value === undefined) return match;
    return bare ? value.replace(/^[0 ]+(?=.)/, '') : value;
  });
}

function one(letter: string, date: CalendarDate): string | undefined {
  switch (letter) {
    case 'Y': return String(date.year);
    case 'y': return two(date.year % 100);
    case 'm': return two(date.month);
    case 'd': return two(date.day);
    case 'e': return String(date.day).padStart(2);
    case 'H': return two(date.hour);
    case 'I': return two(date.hour % 12 || 12);
    case 'M': return two(date.minute);
    case 'S': return two(date.second);
    case 'p': return date.hour < 12 ? 'AM' : 'PM';
    case 'N': return String(date.micros * 1000).padStart(9, '0');
    case 's': return String(date.epoch);
    case 'a': return DAYS[date.weekday]!.slice(0, 3);
    case 'A': return DAYS[date.weekday];
    case 'b': return MONTHS[date.month - 1]!.slice(0, 3);
    case 'B': return MONTHS[date.month - 1];
    case 'j': return String(date.dayOfYear).padStart(3, '0');
    case 'u': return String(date.weekday || 7);
    case 'w': return String(date.weekday);
    case 'Z': return 'UTC';
    case 'z': return '+0000';
    case 'F': return strftime('%Y-%m-%d', date);
    case 'T': return strftime('%H:%M:%S', date);
    case 'R': return strftime('%H:%M', date);
    case 'D': return strftime('%m/%d/%y', date);
    case 'c': return strftime('%a %b %e %H:%M:%S %Y', date);
    case 'n': return '\n';
    case 't': return '\t';
    case '%': return '%';
    default: return undefined;
  }
} // biome-ignore format: a table
