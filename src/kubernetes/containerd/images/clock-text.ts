/** The time as programs write it into their logs. */
import type { Instant } from '../../../sim/clock.ts';
import { timestamp } from '../../api/time.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `05/Jan/2026:08:00:42 +0000`: the common log format. */
export function commonLogTime(now: Instant): string {
  const text = timestamp(now);
  return `${text.slice(8, 10)}/${MONTHS[Number(text.slice(5, 7)) - 1]}/${text.slice(0, 4)}:${text.slice(11, 19)} +0000`;
}
/** `2026/01/05 08:00:42`: nginx' error log and Go's log package. */
export const slashTime = (now: Instant): string => timestamp(now).slice(0, 19).replaceAll('-', '/').replace('T', ' ');
/** `05 Jan 2026 08:00:42.123`: redis. */
export function redisTime(now: Instant): string {
  const text = timestamp(now);
  return `${text.slice(8, 10)} ${MONTHS[Number(text.slice(5, 7)) - 1]} ${text.slice(0, 4)} ${text.slice(11, 19)}.${String(Math.floor(now / 1000) % 1000).padStart(3, '0')}`;
}
