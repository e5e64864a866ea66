/**
 * When a cron schedule is due next. The calendar is croner's; it is asked about civil time only, and the zone's offsets
 * come from pinned data. Between two changes of a zone's clocks civil time runs evenly, so a time that is skipped in
 * spring is not due at all and one that comes twice in autumn is due twice, as with robfig/cron, which upstream uses.
 */
import { CronDate, CronPattern } from 'croner';
import type { Instant } from '../../sim/clock.ts';
import { type CalendarSchedule, parseSchedule, type Schedule } from '../api/cron.ts';
import { EPOCH_SECONDS, instantOf, rfc3339 } from '../api/time.ts';
import { periodAt, type Zone } from './time-zones.ts';

const SECOND = 1_000_000;
/** Farther than this nobody looks: a schedule such as 31 February is never due (robfig/cron). */
const YEARS_AHEAD = 5;

/** The first instant after the given one at which it is due; undefined: never. */
export type Calendar = (after: Instant) => Instant | undefined;

/** Undefined with the parser's words when the text is no schedule. */
export function calendarOf(text: string, zone: Zone): { readonly next: Calendar } | { readonly error: string } {
  const parsed = parseSchedule(text);
  if ('error' in parsed) return parsed;
  return { next: calendar(parsed.schedule, zone) };
}

export function calendar(schedule: Schedule, zone: Zone): Calendar {
  if ('every' in schedule) {
    const { every } = schedule;
    return (after) => Math.floor(after / SECOND) * SECOND + every;
  }
  const nextCivil = civilCalendar(schedule);
  return (after) => {
    const second = Math.floor(after / SECOND) + EPOCH_SECONDS;
    for (let period = periodAt(zone, second + 1), from = second; ; period++) {
      const offset = zone.offsets[period]!;
      const civil = nextCivil(from + offset);
      if (civil === undefined) return undefined;
      if (civil - offset < zone.untils[period]!) return (civil - offset - EPOCH_SECONDS) * SECOND;
      // Due only after the clocks are changed: from there it is another civil time.
      from = zone.untils[period]! - 1;
    }
  };
}

/** Seconds of civil time, as if since 1970, to such seconds. */
function civilCalendar({ minutes, hours, days, months, weekdays, starred }: CalendarSchedule): (after: number) => number | undefined {
  const every = (values: readonly number[], count: number) => (values.length === count ? '*' : values.join(','));
  // Where a star stands both must match; croner takes a star by itself for that.
  const day = starred ? every(days, 31) : days.join(',');
  const weekday = starred ? every(weekdays, 7) : weekdays.join(',');
  const options = { domAndDow: starred };
  let pattern: { readonly year: number; readonly parsed: CronPattern } | undefined;
  return (after) => {
    const from = dateAt(after);
    if (pattern?.year !== from.year) {
      const years = `${from.year}-${from.year + YEARS_AHEAD}`;
      pattern = { year: from.year, parsed: new CronPattern(`0 ${every(minutes, 60)} ${every(hours, 24)} ${day} ${every(months, 12)} ${weekday} ${years}`) };
    }
    const found = from.increment(pattern.parsed, options, false);
    return found ? secondsOf(found) : undefined;
  };
}

/** A date of croner's, made of its fields: its own constructor would ask the machine for the time. */
function dateAt(second: number): CronDate<undefined> {
  const [, year, month, day, hour, minute, rest] = /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)Z$/.exec(rfc3339(second))!.map(Number);
  const fields = { tz: 0, year, month: month! - 1, day, hour, minute, second: rest, ms: 0 };
  return Object.assign(Object.create(CronDate.prototype) as CronDate<undefined>, fields);
}

function secondsOf({ year, month, day, hour, minute, second }: CronDate<undefined>): number {
  const two = (n: number) => String(n).padStart(2, '0');
  return Math.floor(instantOf(`${year}-${two(month + 1)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}Z`)! / SECOND) + EPOCH_SECONDS;
}
