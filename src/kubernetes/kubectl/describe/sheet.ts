/** What descriptions are written on: lines of tab-ended cells, indented by levels of two spaces and aligned at the end. */

import type { Instant } from '../../../sim/clock.ts';
import { EPOCH_SECONDS, humanDuration, instantOf, rfc3339 } from '../../api/time.ts';
import { escapeTerminal } from '../gostring.ts';
import { alignTabs, DESCRIBE_TABS } from '../printers/tabwriter.ts';

type Strings = Readonly<Record<string, string | undefined>>;

const MAX_ANNOTATION = 140;
/** What `kubectl apply` remembers is for machines. */
const SKIPPED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';

export class Sheet {
  private text = '';

  /** A line of cells; all but the last belong to columns. */
  line(level: number, ...cells: readonly string[]): void {
    this.text += `${'  '.repeat(level)}${cells.join('\t')}\n`;
  }

  /** `title:` with a value per line; `<none>` without any. */
  list(title: string, values: readonly string[], indent = ''): void {
    const [first = '<none>', ...others] = values;
    this.line(0, `${indent}${title}:`, first);
    for (const value of others) this.line(0, indent, value);
  }

  /** A list two levels deep, whose values upstream's writer indents as well. */
  nested(title: string, values: readonly string[]): void {
    values.forEach((value, i) => {
      this.line(2, i === 0 ? `${title}:` : '    ', `    ${value}`);
    });
  }

  /** `Labels:`, `Node-Selectors:` and the like, sorted by key. */
  labels(title: string, labels: Strings | undefined, indent = ''): void {
    this.list(
      title,
      sortedKeys(labels).map((key) => `${key}=${labels?.[key] ?? ''}`),
      indent,
    );
  }

  /** Long values go on lines of their own and are cut. */
  annotations(title: string, annotations: Strings | undefined): void {
    const keys = sortedKeys(annotations).filter((key) => key !== SKIPPED_ANNOTATION);
    if (keys.length === 0) this.line(0, `${title}:`, '<none>');
    keys.forEach((key, i) => {
      const head = i === 0 ? `${title}:` : '';
      const value = (annotations?.[key] ?? '').replace(/\n$/, '');
      if (value.length + key.length + 2 <= MAX_ANNOTATION && !value.includes('\n')) {
        this.line(0, head, `${key}: ${value}`);
        return;
      }
      this.line(0, head, `${key}:`);
      for (const part of value.split('\n')) this.line(0, '', `  ${part.length > MAX_ANNOTATION - 2 ? `${part.slice(0, MAX_ANNOTATION - 2)}...` : part}`);
    });
  }

  /** Headings over columns, underlined. */
  head(level: number, ...titles: readonly string[]): void {
    this.line(level, ...titles);
    this.line(level, ...titles.map((title) => '-'.repeat(title.length)));
  }

  toString(): string {
    return alignTabs(escapeTerminal(this.text), DESCRIBE_TABS);
  }
}

export const sortedKeys = (map: object | undefined): string[] => Object.keys(map ?? {}).sort();

/** labels.FormatLabels: `a=1,b=2`, or `<none>`. */
export const formatLabels = (labels: Strings | undefined): string =>
  sortedKeys(labels)
    .map((key) => `${key}=${labels?.[key] ?? ''}`)
    .join(',') || '<none>';

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Mon, 05 Jan 2026 08:00:42 +0000` (time.RFC1123Z); a missing time is Go's zero time. */
export function longTime(time: string | undefined): string {
  const at = instantOf(time);
  if (at === undefined) return 'Mon, 01 Jan 0001 00:00:00 +0000';
  const epoch = EPOCH_SECONDS + Math.floor(at / 1_000_000);
  const text = rfc3339(epoch);
  // 1 January 1970 was a Thursday.
  const weekday = (((Math.floor(epoch / 86_400) + 4) % 7) + 7) % 7;
  return `${WEEKDAYS[weekday]}, ${text.slice(8, 10)} ${MONTHS[Number(text.slice(5, 7)) - 1]} ${text.slice(0, 4)} ${text.slice(11, 19)} +0000`;
}

/** How long ago: `3m20s`; `<unknown>` without a time. */
export function since(time: string | undefined, now: Instant): string {
  const at = instantOf(time);
  return at === undefined ? '<unknown>' : humanDuration(now - at);
}

export const yesNo = (value: boolean | undefined): string => (value ? 'True' : 'False');
export const yesNoUnset = (value: boolean | undefined): string => (value === undefined ? '<unset>' : yesNo(value));
