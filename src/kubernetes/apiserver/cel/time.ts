/** Times and durations as CEL knows them: nanoseconds, counted by hand, for a world has no wall clock. */

const SECOND = 1_000_000_000n;
const UNITS: Readonly<Record<string, bigint>> = { ns: 1n, us: 1_000n, µs: 1_000n, μs: 1_000n, ms: 1_000_000n, s: SECOND, m: 60n * SECOND, h: 3_600n * SECOND };

/** Go's time.ParseDuration (`1h30m`, `-1.5s`) in nanoseconds; undefined when it is none. */
export function parseDuration(text: string): bigint | undefined {
  const m = /^([+-]?)((?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.exec(text);
  if (!m) return text === '0' || text === '+0' || text === '-0' ? 0n : undefined;
  let nano = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(/(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g)) {
    const size = UNITS[unit]!;
    nano += BigInt(whole || '0') * size;
    if (fraction !== '') nano += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
  }
  return m[1] === '-' ? -nano : nano;
}

/** RFC 3339 in nanoseconds since 1970; undefined when it is none. */
export function parseTimestamp(text: string): bigint | undefined {
  const m = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:[Zz]|([+-])(\d\d):(\d\d))$/.exec(text);
  if (!m) return undefined;
  const [year, month, day, hour, minute, second] = m.slice(1, 7).map(Number) as [number, number, number, number, number, number];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59) return undefined;
  const away = m[8] ? (Number(m[9]) * 60 + Number(m[10])) * 60 * (m[8] === '-' ? -1 : 1) : 0;
  const seconds = daysSinceEpoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - away;
  return BigInt(seconds) * SECOND + BigInt((m[7] ?? '').padEnd(9, '0') || '0');
}

const leap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
const daysIn = (year: number, month: number): number => (month === 2 ? (leap(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31);

/** Days from 1970-01-01 in the Gregorian calendar (Hinnant's days_from_civil). */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yoe = y - era * 400;
  const doy = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146_097 + yoe * 365 + Math.floor(yoe / 4) - Math.floor(yoe / 100) + doy - 719_468;
}

export interface Calendar {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly milli: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** 0 is the first of January. */
  readonly yearday: number;
}

const floorDiv = (a: bigint, b: bigint): bigint => (a >= 0n ? a / b : -((-a + b - 1n) / b));

/** The calendar in UTC, or `offset` seconds east of it. */
export function calendar(nano: bigint, offset = 0): Calendar {
  const seconds = floorDiv(nano, SECOND) + BigInt(offset);
  const days = Number(floorDiv(seconds, 86_400n));
  const rest = Number(seconds - BigInt(days) * 86_400n);
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const doe = z - era * 146_097;
  const yoe = Math.floor((doe - Math.floor(doe / 1_460) + Math.floor(doe / 36_524) - Math.floor(doe / 146_096)) / 365);
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  const year = yoe + era * 400 + (month <= 2 ? 1 : 0);
  return {
    year,
    month,
    day: doy - Math.floor((153 * mp + 2) / 5) + 1,
    hour: Math.floor(rest / 3_600),
    minute: Math.floor((rest % 3_600) / 60),
    second: rest % 60,
    milli: Number((nano - floorDiv(nano, SECOND) * SECOND) / 1_000_000n),
    weekday: (((days + 4) % 7) + 7) % 7,
    yearday: days - daysSinceEpoch(year, 1, 1),
  };
}

/** `-03:30`, `+01:00` or `UTC` as seconds east. Here simplified: names of zones (`Europe/Zurich`) are not known. */
export function zoneOffset(zone: string): number | undefined {
  if (zone === '' || zone === 'UTC' || zone === 'Z') return 0;
  const m = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  return m ? (Number(m[2]) * 3_600 + Number(m[3]) * 60) * (m[1] === '-' ? -1 : 1) : undefined;
}

const two = (n: number): string => String(n).padStart(2, '0');
export function timestampText(nano: bigint): string {
  const at = calendar(nano);
  const fraction = nano - floorDiv(nano, SECOND) * SECOND;
  const tail = fraction === 0n ? '' : `.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`;
  return `${String(at.year).padStart(4, '0')}-${two(at.month)}-${two(at.day)}T${two(at.hour)}:${two(at.minute)}:${two(at.second)}${tail}Z`;
}
/** In seconds, as CEL's `string(duration)`: `5400s`, `0.5s`. */
export function durationText(nano: bigint): string {
  const magnitude = nano < 0n ? -nano : nano;
  const fraction = magnitude % SECOND;
  return `${nano < 0n ? '-' : ''}${magnitude / SECOND}${fraction === 0n ? '' : `.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`}s`;
}
