/**
 * Which of an Indexed Job's indexes are done: ordered intervals, written `0-3,5,7,8` in `status.completedIndexes` and
 * `failedIndexes` (pkg/controller/job/indexed_job_utils.go). Two neighbours are written with a comma, three or more as a range.
 */
import type { ReadonlyPod } from './pods.ts';

export interface Interval {
  readonly first: number;
  readonly last: number;
}
/** Ascending, and never touching one another. */
export type Indexes = readonly Interval[];

export const INDEX_ANNOTATION = 'batch.kubernetes.io/job-completion-index';
export const UNKNOWN_INDEX = -1;

/** What the text says of indexes below `completions`; corrupted pieces are left out. */
export function parseIndexes(text: string | undefined, completions: number): Indexes {
  const found: Interval[] = [];
  for (const piece of text ? text.split(',') : []) {
    const [from = '', to] = piece.split('-');
    if (!/^\d+$/.test(from) || (to !== undefined && !/^\d+$/.test(to))) continue;
    const first = Number(from);
    if (first >= completions) break;
    found.push({ first, last: to === undefined ? first : Math.min(Number(to), completions - 1) });
  }
  return merge(found, []);
}

export const indexesText = (indexes: Indexes): string =>
  indexes.map(({ first, last }) => (last === first ? `${first}` : `${first}${last === first + 1 ? ',' : '-'}${last}`)).join(',');

export const total = (indexes: Indexes): number => indexes.reduce((sum, { first, last }) => sum + last - first + 1, 0);

export function has(indexes: Indexes, index: number): boolean {
  let low = 0;
  let high = indexes.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (indexes[middle]!.last >= index) high = middle;
    else low = middle + 1;
  }
  return low < indexes.length && indexes[low]!.first <= index;
}

/** Both, of two lists each in ascending order. */
export function merge(a: Indexes, b: Indexes): Indexes {
  const merged: { first: number; last: number }[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const next = j >= b.length || (i < a.length && a[i]!.first < b[j]!.first) ? a[i++]! : b[j++]!;
    const last = merged.at(-1);
    if (!last || next.first > last.last + 1) merged.push({ ...next });
    else last.last = Math.max(last.last, next.last);
  }
  return merged;
}

export const withIndexes = (indexes: Indexes, more: Iterable<number>): Indexes =>
  merge(
    indexes,
    [...new Set(more)].sort((a, b) => a - b).map((index) => ({ first: index, last: index })),
  );

/** How many of `wanted` are among `indexes`. */
export function common(wanted: Indexes, indexes: Indexes): number {
  let count = 0;
  for (let i = 0, j = 0; i < wanted.length && j < indexes.length; ) {
    count += Math.max(0, Math.min(wanted[i]!.last, indexes[j]!.last) - Math.max(wanted[i]!.first, indexes[j]!.first) + 1);
    if (wanted[i]!.last < indexes[j]!.last) i++;
    else j++;
  }
  return count;
}

/** The lowest indexes below `completions` that are not `taken`, at most `count`. */
export function firstFree(taken: Indexes, count: number, completions: number): number[] {
  const free: number[] = [];
  let candidate = 0;
  for (const { first, last } of [...taken, { first: completions, last: completions }]) {
    for (; candidate < first && candidate < completions && free.length < count; candidate++) free.push(candidate);
    candidate = Math.max(candidate, last + 1);
  }
  return free;
}

/** The index a pod is to complete; UNKNOWN_INDEX when it names none. */
export function indexOf(pod: ReadonlyPod): number {
  const text = pod.metadata.annotations?.[INDEX_ANNOTATION];
  return text !== undefined && /^\+?\d+$/.test(text) ? Number(text) : UNKNOWN_INDEX;
}
