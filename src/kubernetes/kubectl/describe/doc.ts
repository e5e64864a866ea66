/** Writes what `describe` prints: lines with tabs, indented by level, aligned at the end (kubectl pkg/describe PrefixWriter over tabwriter). */
import { humanDuration, instantOf } from '../../api/time.ts';
import { controllerOf } from '../../api/owner.ts';
import type { Event } from '../../api/types.gen.ts';
import { alignTabs, DESCRIBE_TABS } from '../printers/tabwriter.ts';
import type { DeepReadonly } from '../../api/json.ts';

export type Labels = Readonly<Record<string, string | undefined>> | undefined;

export class Doc {
  private done = '';
  private text = '';
  constructor(readonly now: number) {}

  /** As it is; the caller puts the newline. */
  write(level: number, text: string): void {
    this.text += '  '.repeat(level) + text;
  }
  line(level: number, text: string): void {
    this.write(level, `${text}\n`);
  }
  field(level: number, name: string, value: string | number | boolean | undefined): void {
    this.line(level, `${name}:\t${value ?? ''}`);
  }

  /** What follows is aligned for itself. */
  flush(): void {
    this.done += alignTabs(this.text, DESCRIBE_TABS);
    this.text = '';
  }
  finish(): string {
    this.flush();
    return this.done;
  }

  labels(title: string, labels: Labels, indent = ''): void {
    this.write(0, `${indent}${title}:\t`);
    const keys = Object.keys(labels ?? {}).sort();
    if (keys.length === 0) this.line(0, '<none>');
    keys.forEach((key, i) => this.line(0, `${i > 0 ? `${indent}\t` : ''}${key}=${labels![key]}`));
  }

  annotations(title: string, annotations: Labels): void {
    this.write(0, `${title}:\t`);
    const keys = Object.keys(annotations ?? {})
      .filter((key) => key !== 'kubectl.kubernetes.io/last-applied-configuration')
      .sort();
    if (keys.length === 0) this.line(0, '<none>');
    keys.forEach((key, i) => {
      if (i > 0) this.write(0, '\t');
      const value = (annotations![key] ?? '').replace(/\n$/, '');
      if (value.length + key.length + 2 > 140 || value.includes('\n')) {
        this.line(0, `${key}:`);
        for (const part of value.split('\n')) this.line(0, `\t  ${part.length > 138 ? `${part.slice(0, 138)}...` : part}`);
      } else this.line(0, `${key}: ${value}`);
    });
  }

  controlledBy(object: Parameters<typeof controllerOf>[0]): void {
    const owner = controllerOf(object);
    if (owner) this.field(0, 'Controlled By', `${owner.kind}/${owner.name}`);
  }

  /** `45s`, or `<unknown>`. */
  since(text: string | undefined): string {
    const at = instantOf(text);
    return at === undefined ? '<unknown>' : humanDuration(this.now - at);
  }

  events(events: readonly DeepReadonly<Event>[] | undefined): void {
    if (!events) return;
    if (events.length === 0) {
      this.field(0, 'Events', '<none>');
      return;
    }
    this.flush();
    const last = (event: DeepReadonly<Event>) => instantOf(event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp) ?? 0;
    this.line(0, 'Events:\n  Type\tReason\tAge\tFrom\tMessage');
    this.line(1, '----\t------\t----\t----\t-------');
    for (const event of [...events].sort((a, b) => last(a) - last(b))) {
      const first = this.since(event.eventTime ?? event.firstTimestamp);
      const series = event.series;
      const age = series ? `${this.since(series.lastObservedTime)} (x${series.count} over ${first})` : (event.count ?? 0) > 1 ? `${this.since(event.lastTimestamp)} (x${event.count} over ${first})` : first;
      this.line(1, `${event.type}\t${event.reason}\t${age}\t${event.source?.component || (event.reportingComponent ?? '')}\t${(event.message ?? '').trim()}`);
    }
  }
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Go's time.RFC1123Z: `Mon, 05 Jan 2026 08:00:00 +0000`; the zero time for what is not set. */
export function rfc1123(text: string | undefined): string {
  const m = /^(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d:\d\d)/.exec(text ?? '');
  if (!m) return 'Mon, 01 Jan 0001 00:00:00 +0000';
  // Day of the week after Sakamoto.
  const [year, month, day] = [Number(m[1]), Number(m[2]), Number(m[3])];
  const y = month < 3 ? year - 1 : year;
  const weekday = (y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4][month - 1]! + day) % 7;
  return `${WEEKDAYS[weekday]}, ${m[3]} ${MONTHS[month - 1]} ${m[1]} ${m[4]} +0000`;
}

/** labels.FormatLabels: `a=b,c=d` or `<none>`. */
export const formatLabels = (labels: Labels): string => {
  const keys = Object.keys(labels ?? {}).sort();
  return keys.length === 0 ? '<none>' : keys.map((key) => `${key}=${labels![key]}`).join(',');
};
