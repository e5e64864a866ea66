/**
 * Cron schedules as CronJobs have them: the standard parser of robfig/cron v3 with its messages, which the API server
 * repeats and the CronJob controller depends on. It says what a text means; when that is due is for the controller.
 */
import { type Duration, ms, seconds } from '../../sim/clock.ts';

/** Five fields, each with the values it matches, ascending. */
export interface CalendarSchedule {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: readonly number[];
  /** January is 1. */
  readonly months: readonly number[];
  /** Sunday is 0. */
  readonly weekdays: readonly number[];
  /** The day, or the weekday, was a bare star: both must match. Otherwise either does. */
  readonly starred: boolean;
}
export type Schedule = CalendarSchedule | { readonly every: Duration };

export interface ParsedSchedule {
  readonly schedule: Schedule;
  /** Of a `TZ=` or `CRON_TZ=` in front, which people may no longer write. */
  readonly zone?: string;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MINUTE: Bounds = { min: 0, max: 59 };
const HOUR: Bounds = { min: 0, max: 23 };
const DAY: Bounds = { min: 1, max: 31 };
const MONTH: Bounds = { min: 1, max: 12, names: MONTHS };
const WEEKDAY: Bounds = { min: 0, max: 6, names: DAYS };
const DESCRIPTORS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** Go's error of one text, without a stack: caught within this file. */
class Unparseable extends Error {}

/** What a schedule means, or in the parser's words what is wrong with it. */
export function parseSchedule(text: string): ParsedSchedule | { readonly error: string } {
  try {
    if (text === '') throw new Unparseable('empty spec string');
    const prefixed = /^(?:CRON_TZ|TZ)=(\S*) *(.*)$/s.exec(text);
    if (prefixed) return { schedule: parse((prefixed[2] ?? '').trim()), zone: prefixed[1] ?? '' };
    return { schedule: parse(text) };
  } catch (error) {
    if (error instanceof Unparseable) return { error: error.message };
    throw error;
  }
}

function parse(text: string): Schedule {
  if (text.startsWith('@')) {
    const fields = DESCRIPTORS[text];
    if (fields !== undefined) return parse(fields);
    if (!text.startsWith('@every ')) throw new Unparseable(`unrecognized descriptor: ${text}`);
    return { every: everyOf(text.slice('@every '.length)) };
  }
  const fields = text.split(/\s+/).filter((field) => field !== '');
  if (fields.length !== 5) throw new Unparseable(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`);
  const [minutes, hours, days, months, weekdays] = [MINUTE, HOUR, DAY, MONTH, WEEKDAY].map((bounds, i) => parseField(fields[i]!, bounds)) as [
    Field,
    Field,
    Field,
    Field,
    Field,
  ];
  return {
    minutes: minutes.values,
    hours: hours.values,
    days: days.values,
    months: months.values,
    weekdays: weekdays.values,
    starred: days.star || weekdays.star,
  };
}

interface Field {
  readonly values: readonly number[];
  readonly star: boolean;
}

function parseField(text: string, bounds: Bounds): Field {
  const values = new Set<number>();
  let star = false;
  for (const range of text.split(',').filter((part) => part !== '')) {
    const parsed = parseRange(range, bounds);
    star ||= parsed.star;
    for (let value = parsed.start; value <= parsed.end; value += parsed.step) values.add(value);
  }
  return { values: [...values].sort((a, b) => a - b), star };
}

/** `number | number "-" number [ "/" number ]`; a star with a step greater than one is no star (`getRange`). */
function parseRange(text: string, { min, max, names }: Bounds): { start: number; end: number; step: number; star: boolean } {
  const [range = '', stepText, ...more] = text.split('/');
  const [low = '', high, ...rest] = range.split('-');
  let start = min;
  let end = max;
  let star = false;
  if (low === '*' || low === '?') star = true;
  else {
    start = numberOf(low, names);
    if (rest.length > 0) throw new Unparseable(`too many hyphens: ${text}`);
    end = high === undefined ? start : numberOf(high, names);
  }
  let step = 1;
  if (more.length > 0) throw new Unparseable(`too many slashes: ${text}`);
  if (stepText !== undefined) {
    step = integer(stepText);
    // "N/step" means "N-max/step".
    if (high === undefined && !star) end = max;
    if (step > 1) star = false;
  }
  if (start < min) throw new Unparseable(`beginning of range (${start}) below minimum (${min}): ${text}`);
  if (end > max) throw new Unparseable(`end of range (${end}) above maximum (${max}): ${text}`);
  if (start > end) throw new Unparseable(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (step === 0) throw new Unparseable(`step of range should be a positive number: ${text}`);
  return { start, end, step, star };
}

function numberOf(text: string, names: readonly string[] | undefined): number {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return names === MONTHS ? named + 1 : named;
  return integer(text);
}

function integer(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw new Unparseable(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  if (Number(text) < 0) throw new Unparseable(`negative number (${Number(text)}) not allowed: ${text}`);
  return Number(text);
}

const UNITS: Readonly<Record<string, number>> = { ns: 0.000_001, us: 0.001, µs: 0.001, μs: 0.001, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** time.ParseDuration; whole seconds, at least one (`cron.Every`). */
function everyOf(text: string): Duration {
  const wrong = (message: string) => new Unparseable(`failed to parse duration @every ${text}: time: ${message}`);
  const parts = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)[^\d.]+)*$/.test(text) ? [...text.matchAll(/(\d+\.?\d*|\.\d+)([^\d.]+)/g)] : [];
  if (parts.length === 0) {
    if (/^[+-]?\d+(?:\.\d*)?$/.test(text) && Number(text) !== 0) throw wrong(`missing unit in duration ${JSON.stringify(text)}`);
    if (!/^[+-]?0$/.test(text)) throw wrong(`invalid duration ${JSON.stringify(text)}`);
  }
  let total = 0;
  for (const [, number, unit] of parts) {
    const factor = UNITS[unit!];
    if (factor === undefined) throw wrong(`unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`);
    total += Number(number) * factor;
  }
  const whole = Math.floor((text.startsWith('-') ? -total : total) / 1_000);
  return Math.max(seconds(1), ms(whole * 1_000));
}
