/** When CronJobs are due: the calendar with its time zones, and what counts as missed (pkg/controller/cronjob/utils_test.go). */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Instant, ms, seconds } from '../../sim/clock.ts';
import { EPOCH_SECONDS, instantOf, rfc3339 } from '../api/time.ts';
import type { CronJob } from '../api/types.gen.ts';
import { timeZoneNames } from '../apiserver/validation/time-zone-names.ts';
import { calendarOf } from './cronjob-calendar.ts';
import { latestStart, untilNext } from './cronjob-schedule.ts';
import { periodAt, UTC, type ZoneData, zonesOf } from './time-zones.ts';

const data = JSON.parse(readFileSync('node_modules/moment-timezone/data/packed/latest.json', 'utf8')) as ZoneData;
const zoneOf = zonesOf(data);
const at = (text: string): Instant => instantOf(text)!;
const text = (instant: Instant | undefined): string | undefined => (instant === undefined ? undefined : rfc3339(instant / seconds(1) + EPOCH_SECONDS));
const next = (schedule: string, zone = 'UTC') => {
  const calendar = calendarOf(schedule, zoneOf(zone)!);
  if ('error' in calendar) throw new Error(calendar.error);
  return calendar.next;
};
/** The next few. */
function due(schedule: string, after: string, count: number, zone = 'UTC'): (string | undefined)[] {
  const found: (string | undefined)[] = [];
  let from: Instant | undefined = at(after);
  while (found.length < count && from !== undefined) {
    from = next(schedule, zone)(from);
    found.push(text(from));
  }
  return found;
}

// robfig/cron spec_test.go: TestNext
test.each([
  ['0/15 * * * *', '2012-07-09T14:45:00Z', '2012-07-09T15:00:00Z'],
  ['20-35/15 * * * *', '2012-07-09T15:45:00Z', '2012-07-09T16:20:00Z'],
  ['*/15 * * * *', '2012-12-31T23:59:45Z', '2013-01-01T00:00:00Z'],
  ['0 0 9 4-10 ?', '2012-07-09T23:35:00Z', '2012-08-09T00:00:00Z'],
  ['0 0 9 2,8,10 mon', '2012-07-09T23:35:00Z', '2012-08-06T00:00:00Z'],
  ['0 0 29 feb ?', '2012-07-09T23:35:00Z', '2016-02-29T00:00:00Z'],
  ['59 23 ? 5 7', '2012-07-09T23:35:00Z', undefined],
  ['0 0 30 feb ?', '2012-07-09T23:35:00Z', undefined],
  ['0 0 31 apr ?', '2012-07-09T23:35:00Z', undefined],
])('%s after %s: %s', (schedule, after, expected) => {
  if (schedule.endsWith('7')) expect(calendarOf(schedule, UTC)).toHaveProperty('error');
  else expect(due(schedule, after, 1)).toEqual([expected]);
});

test('day and weekday: either, unless one is a star', () => {
  // TestActivation of robfig/cron: Sunday 15 July 2012.
  expect(due('0 0 1,15 * sun', '2012-07-08T12:00:00Z', 3)).toEqual(['2012-07-15T00:00:00Z', '2012-07-22T00:00:00Z', '2012-07-29T00:00:00Z']);
  expect(due('0 0 * * mon', '2012-07-15T00:00:00Z', 1)).toEqual(['2012-07-16T00:00:00Z']);
  expect(due('0 0 */10 * sun', '2012-07-15T00:00:00Z', 2)).toEqual(['2012-07-21T00:00:00Z', '2012-07-22T00:00:00Z']);
});

test('@every counts from the last time', () => {
  expect(due('@every 90s', '2026-01-05T08:00:10Z', 2)).toEqual(['2026-01-05T08:01:40Z', '2026-01-05T08:03:10Z']);
});

test('the clocks go forward: what is skipped does not happen; the rest keeps its civil time', () => {
  // New York, 8 March 2026: 2:00 EST becomes 3:00 EDT.
  expect(due('30 2 * * *', '2026-03-07T12:00:00Z', 1, 'America/New_York')).toEqual(['2026-03-09T06:30:00Z']);
  expect(due('0 3 * * *', '2026-03-07T12:00:00Z', 2, 'America/New_York')).toEqual(['2026-03-08T07:00:00Z', '2026-03-09T07:00:00Z']);
  expect(due('30 * * * *', '2026-03-08T06:00:00Z', 3, 'America/New_York')).toEqual(['2026-03-08T06:30:00Z', '2026-03-08T07:30:00Z', '2026-03-08T08:30:00Z']);
});

test('the clocks go back: what comes twice happens twice', () => {
  // New York, 1 November 2026: 2:00 EDT becomes 1:00 EST.
  expect(due('30 1 * * *', '2026-10-31T12:00:00Z', 3, 'America/New_York')).toEqual(['2026-11-01T05:30:00Z', '2026-11-01T06:30:00Z', '2026-11-02T06:30:00Z']);
});

test('the offsets are those the platform knows', () => {
  for (const zone of [
    'Europe/Berlin',
    'America/New_York',
    'Asia/Kolkata',
    'Asia/Kathmandu',
    'Australia/Lord_Howe',
    'America/St_Johns',
    'Pacific/Auckland',
    'Etc/GMT+5',
  ])
    for (let month = 1; month <= 12; month++) {
      const second = Math.floor(Date.UTC(2027, month - 1, 15, 12) / 1000);
      const parts = new Intl.DateTimeFormat('en-GB', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' }).formatToParts(second * 1000);
      const part = (type: string) => Number(parts.find((each) => each.type === type)?.value);
      const civil = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second')) / 1000;
      const found = zoneOf(zone)!;
      expect([zone, month, found.offsets[periodAt(found, second)]]).toEqual([zone, month, civil - second]);
    }
});

test('the server knows the names of exactly these zones', () => {
  const names = [...data.zones.map((zone) => zone.split('|')[0]), ...data.links.map((link) => link.split('|')[1])];
  expect([...timeZoneNames()].sort()).toEqual(names.sort());
  expect(names.every((name) => zoneOf(name!) !== undefined)).toBe(true);
  expect(zoneOf('Moon/Tycho')).toBeUndefined();
});

const cron = (made: string, spec: object = {}, lastScheduleTime?: string): CronJob =>
  ({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'c', creationTimestamp: made },
    spec: { schedule: '', ...spec },
    status: lastScheduleTime ? { lastScheduleTime } : {},
  }) as CronJob;
const latest = (job: CronJob, now: string, schedule = '0 * * * *', deadline = true) => {
  const found = latestStart(job, at(now), next(schedule), deadline);
  return 'error' in found ? found.error : [text(found.latest), found.missed];
};

// TestMostRecentScheduleTime
test.each([
  ['now before the first start', cron('2016-05-19T10:01:00Z'), '2016-05-19T10:30:00Z', [undefined, 'none']],
  ['just after the first', cron('2016-05-19T10:01:00Z'), '2016-05-19T11:00:01Z', ['2016-05-19T11:00:00Z', 'none']],
  ['after the second', cron('2016-05-19T10:01:00Z'), '2016-05-19T13:00:01Z', ['2016-05-19T13:00:00Z', 'few']],
  ['since the last', cron('2016-05-19T10:01:00Z', {}, '2016-05-19T12:00:00Z'), '2016-05-19T13:10:00Z', ['2016-05-19T13:00:00Z', 'none']],
  ['a week of hours', cron('2016-05-19T10:01:00Z'), '2016-05-26T10:30:00Z', ['2016-05-26T10:00:00Z', 'many']],
  ['no farther back than the deadline', cron('2016-05-19T10:01:00Z', { startingDeadlineSeconds: 60 }), '2016-05-26T10:30:00Z', [undefined, 'none']],
])('%s', (_, job, now, expected) => {
  expect(latest(job, now)).toEqual(expected);
});

test('uneven schedules count by their first two starts, and still find the latest', () => {
  // From the test of upstream: "30 6-16/4 * * 1-5".
  expect(latest(cron('2022-04-15T11:31:00Z'), '2022-04-19T14:45:00Z', '30 6-16/4 * * 1-5', false)).toEqual(['2022-04-19T14:30:00Z', 'few']);
});

test('until the next look: its start, and a little', () => {
  const job = cron('2016-05-19T10:01:00Z', {}, '2016-05-19T12:00:00Z');
  expect(untilNext(job, at('2016-05-19T12:00:05Z'), next('0 * * * *'))).toBe(seconds(3595) + ms(100));
  expect(untilNext(job, at('2016-05-19T15:30:00Z'), next('0 * * * *'))).toBe(seconds(1800) + ms(100));
});

test('a day that never comes is an error', () => {
  expect(latest(cron('2016-05-19T10:01:00Z'), '2016-05-19T10:30:00Z', '59 23 31 2 *')).toBe('time difference between two schedules is less than 1 second');
});
