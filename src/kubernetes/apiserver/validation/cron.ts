/** Whether a text is a cron schedule: the standard parser of robfig/cron v3, whose messages the API server repeats. */

interface Field {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS: readonly Field[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 6, names: DAYS },
];
const DESCRIPTORS = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']);

/** What is wrong with a schedule; undefined when nothing is. */
export function parseSchedule(schedule: string): string | undefined {
  if (schedule.startsWith('@')) {
    if (DESCRIPTORS.has(schedule)) return undefined;
    if (!schedule.startsWith('@every ')) return `unrecognized descriptor: ${schedule}`;
    const duration = schedule.slice('@every '.length);
    return /^(?:\d+(?:\.\d+)?(?:ns|us|ms|s|m|h))+$/.test(duration)
      ? undefined
      : `failed to parse duration ${schedule}: time: invalid duration ${JSON.stringify(duration)}`;
  }
  const fields = schedule
    .trim()
    .split(/\s+/)
    .filter((f) => f !== '');
  if (fields.length !== 5) return `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`;
  for (const [i, field] of fields.entries()) {
    for (const range of field.split(',')) {
      const wrong = parseRange(range, FIELDS[i] as Field);
      if (wrong) return wrong;
    }
  }
  return undefined;
}

function parseRange(text: string, { min, max, names }: Field): string | undefined {
  const [range = '', step, ...more] = text.split('/');
  if (more.length > 0) return `too many slashes: ${text}`;
  const [low = '', high, ...rest] = range.split('-');
  let start = min;
  let end = max;
  if (low !== '*' && low !== '?') {
    const first = parseValue(low, names);
    if (first === undefined) return `failed to parse int from ${low}: strconv.Atoi: parsing ${JSON.stringify(low)}: invalid syntax`;
    start = first;
    if (rest.length > 0) return `too many hyphens: ${text}`;
    if (high === undefined) end = step === undefined ? start : max;
    else {
      const last = parseValue(high, names);
      if (last === undefined) return `failed to parse int from ${high}: strconv.Atoi: parsing ${JSON.stringify(high)}: invalid syntax`;
      end = last;
    }
  }
  if (step !== undefined) {
    if (!/^\d+$/.test(step)) return `failed to parse int from ${step}: strconv.Atoi: parsing ${JSON.stringify(step)}: invalid syntax`;
    if (Number(step) === 0) return `step of range should be a positive number: ${text}`;
  }
  if (start < min) return `beginning of range (${start}) below minimum (${min}): ${text}`;
  if (end > max) return `end of range (${end}) above maximum (${max}): ${text}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${text}`;
  return undefined;
}

function parseValue(text: string, names: readonly string[] | undefined): number | undefined {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return names === MONTHS ? named + 1 : named;
  return /^\d+$/.test(text) ? Number(text) : undefined;
}
