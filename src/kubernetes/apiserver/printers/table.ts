/** `metav1.Table`: what `kubectl get` prints. Columns and cells are made by the server, one printer per kind. */
import type { Instant } from '../../../sim/clock.ts';
import type { Json } from '../../api/json.ts';
import type { KubeObject } from '../../api/meta.ts';
import { humanDuration, instantOf } from '../../api/time.ts';

export interface ColumnDefinition {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  /** 1: only with `-o wide`. */
  readonly priority: number;
}

export interface TableRow {
  readonly cells: readonly Json[];
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string; readonly message: string }[];
  readonly object: Json;
}

export interface Table {
  readonly kind: 'Table';
  readonly apiVersion: 'meta.k8s.io/v1';
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string; readonly remainingItemCount?: number };
  readonly columnDefinitions?: readonly ColumnDefinition[];
  readonly rows: readonly TableRow[];
}

/** How one kind is printed: cells in the order of the columns. */
export interface Printer<T> {
  readonly columns: readonly ColumnDefinition[];
  readonly cells: (object: T, now: Instant) => readonly Json[];
  readonly conditions?: (object: T) => TableRow['conditions'];
}

/** `Name`, `Ready`, …; a `+` in front makes a column wide; ` #` behind it makes it a number. */
export const columns = (...names: readonly string[]): readonly ColumnDefinition[] =>
  names.map((spec) => {
    const wide = spec.startsWith('+');
    const integer = spec.endsWith(' #');
    const name = spec.slice(wide ? 1 : 0, integer ? -2 : undefined);
    return { name, type: integer ? 'integer' : 'string', format: name === 'Name' ? 'name' : '', description: '', priority: wide ? 1 : 0 };
  });

/** The time since a timestamp, `<unknown>` when there is none (printers.translateTimestampSince). */
export function ageOf(timestamp: string | undefined, now: Instant): string {
  const at = instantOf(timestamp);
  return at === undefined ? '<unknown>' : humanDuration(Math.max(0, now - at));
}

export const age = (object: KubeObject, now: Instant): string => ageOf(object.metadata.creationTimestamp, now);

/** labels.FormatLabels: `a=1,b=2`, `<none>`. */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const text = Object.keys(labels ?? {})
    .sort()
    .map((key) => `${key}=${labels?.[key] ?? ''}`)
    .join(',');
  return text === '' ? '<none>' : text;
}

/** Names and images of containers, each joined by commas (layoutContainerCells). */
export const containerCells = (containers: readonly { readonly name: string; readonly image?: string }[] | undefined): [string, string] => [
  (containers ?? []).map((c) => c.name).join(','),
  (containers ?? []).map((c) => c.image ?? '').join(','),
];
