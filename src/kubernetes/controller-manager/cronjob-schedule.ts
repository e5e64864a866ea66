/** Which start a CronJob has missed, and how long until the next (pkg/controller/cronjob/utils.go). Pure. */
import { type Duration, type Instant, ms, seconds } from '../../sim/clock.ts';
import type { DeepReadonly } from '../api/json.ts';
import { instantOf } from '../api/time.ts';
import type { CronJob } from '../api/types.gen.ts';
import type { Calendar } from './cronjob-calendar.ts';

/** So much after a start is due its CronJob is looked at again. */
const MARGIN = ms(100);
/** More missed starts than this are worth a warning: a clock may be wrong. */
const MANY = 100;

export interface Missed {
  /** From where on starts count: the last one, or when the CronJob was made. */
  readonly since: Instant;
  /** The latest start that has become due. */
  readonly latest?: Instant;
  readonly missed: 'none' | 'few' | 'many';
}

/** @returns an error where the schedule can be written but never comes, such as 31 February (`mostRecentScheduleTime`) */
export function latestStart(cron: DeepReadonly<CronJob>, now: Instant, next: Calendar, withDeadline: boolean): Missed | { readonly error: string } {
  let since = instantOf(cron.status?.lastScheduleTime) ?? instantOf(cron.metadata.creationTimestamp) ?? 0;
  const deadline = cron.spec?.startingDeadlineSeconds;
  if (withDeadline && deadline !== undefined) since = Math.max(since, now - seconds(deadline));
  const first = next(since);
  const second = first === undefined ? undefined : next(first);
  if (first !== undefined && now < first) return { since, missed: 'none' };
  if (first !== undefined && second !== undefined && now < second) return { since, latest: first, missed: 'none' };
  const between = first === undefined || second === undefined ? 0 : Math.floor((second - first) / seconds(1));
  if (first === undefined || between < 1) return { error: 'time difference between two schedules is less than 1 second' };
  // Roughly how many: as if all were as far apart as the first two.
  const count = Math.floor(Math.floor((now - first) / seconds(1)) / between) + 1;
  let latest: Instant | undefined;
  for (let at = next(first + seconds((count - 2) * between)); at !== undefined && at <= now; at = next(at)) latest = at;
  const missed = count > MANY ? 'many' : count > 0 ? 'few' : 'none';
  return latest === undefined ? { since, missed } : { since, latest, missed };
}

/** How long until it should be looked at again (`nextScheduleTimeDuration`). */
export function untilNext(cron: DeepReadonly<CronJob>, now: Instant, next: Calendar): Duration {
  const found = latestStart(cron, now, next, false);
  const from = 'error' in found ? now : (found.latest ?? (found.missed === 'none' ? found.since : now));
  return Math.max(0, (next(from) ?? now) + MARGIN - now);
}

/** Seconds since 1970 in minutes: no schedule comes more often (`getTimeHashInMinutes`). */
export const minuteOf = (epochSecond: number): number => Math.floor(epochSecond / 60);
