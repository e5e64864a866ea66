/** robfig/cron v3's standard parser: its own tests (parser_test.go) and messages. */
import { expect, test } from 'vitest';
import { hours, minutes, seconds } from '../../sim/clock.ts';
import { parseSchedule } from './cron.ts';

test.each([
  ['60 * * * *', 'end of range (60) above maximum (59): 60'],
  ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
  ['* * * * 7', 'end of range (7) above maximum (6): 7'],
  ['5-3 * * * *', 'beginning of range (5) beyond end of range (3): 5-3'],
  ['a * * * *', 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
  ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
  ['*/1/2 * * * *', 'too many slashes: */1/2'],
  ['*/0 * * * *', 'step of range should be a positive number: */0'],
  ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
  ['0 * * * * *', 'expected exactly 5 fields, found 6: [0 * * * * *]'],
  ['', 'empty spec string'],
  ['@never', 'unrecognized descriptor: @never'],
  ['@every 5', 'failed to parse duration @every 5: time: missing unit in duration "5"'],
  ['@every 1d', 'failed to parse duration @every 1d: time: unknown unit "d" in duration "1d"'],
  ['@every soon', 'failed to parse duration @every soon: time: invalid duration "soon"'],
])('%s: %s', (text, error) => {
  expect(parseSchedule(text)).toEqual({ error });
});

const all = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const any = { minutes: all(0, 59), hours: all(0, 23), days: all(1, 31), months: all(1, 12), weekdays: all(0, 6), starred: true };

test.each([
  ['* * * * *', any],
  ['5 * * * ?', { ...any, minutes: [5] }],
  ['*/20 0-6/3 * * *', { ...any, minutes: [0, 20, 40], hours: [0, 3, 6] }],
  // "N/step" goes to the end.
  ['50/3 * * * *', { ...any, minutes: [50, 53, 56, 59] }],
  ['0 0 1,15 jan,MAR mon-FRI', { minutes: [0], hours: [0], days: [1, 15], months: [1, 3], weekdays: [1, 2, 3, 4, 5], starred: false }],
  // A star with a step is no star: the day or the weekday may match.
  ['0 0 */10 * 1', { ...any, minutes: [0], hours: [0], days: [1, 11, 21, 31], weekdays: [1], starred: false }],
  ['0 0 */1 * 1', { ...any, minutes: [0], hours: [0], weekdays: [1] }],
  ['@weekly', { ...any, minutes: [0], hours: [0], weekdays: [0] }],
  ['@hourly', { ...any, minutes: [0] }],
  ['@every 1h30m', { every: hours(1) + minutes(30) }],
  ['@every 1.9s', { every: seconds(1) }],
  ['@every 10ms', { every: seconds(1) }],
])('%s', (text, schedule) => {
  expect(parseSchedule(text)).toEqual({ schedule });
});

test('a zone in front is told apart', () => {
  expect(parseSchedule('CRON_TZ=Asia/Tokyo 30 4 * * *')).toEqual({ schedule: { ...any, minutes: [30], hours: [4] }, zone: 'Asia/Tokyo' });
});
