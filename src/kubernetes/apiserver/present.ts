/**
 * Answers in the form that was asked for: the object, a Table of the server's columns, or metadata alone.
 */
import type { Instant } from '../../sim/clock.ts';
import type { KubeObject } from '../api/meta.ts';
import type { ResourceRow } from '../api/resources.ts';
import { customOf } from './apiextensions/custom-kind.ts';
import { border, isBorderOpen } from './border.ts';
import { shownTo } from './managed-fields/ownership.ts';
import { type Form, negotiate, partial } from './negotiate.ts';
import type { TableOptions } from './printers/printers.ts';
import type { ListResult } from './registry/read.ts';
import type { Present } from './registry/watch.ts';

/** `includeObject`: what a row carries of its object. */
const included = (include: string | undefined): Pick<TableOptions, 'includeObject'> =>
  include === 'Object' || include === 'None' || include === 'Metadata' ? { includeObject: include } : {};

/** As Go writes it; while nobody has opened the border, nobody reads it. */
const written = (object: KubeObject): KubeObject => (isBorderOpen() ? border().withGoNulls(object) : object);

function tableOf(row: ResourceRow, form: Form, objects: readonly KubeObject[], options: TableOptions): object {
  const scale = objects[0]?.kind === 'Scale' && row.kind !== 'Scale';
  const table = border().tableFor(row.type, objects, options, scale ? border().scalePrinter : customOf(row)?.printer);
  return form.version === 'v1' ? table : { ...table, apiVersion: `meta.k8s.io/${form.version}` };
}

/** `typed`: for a component, which has no use for managed fields. */
export function presentOne(row: ResourceRow, form: Form, include: string | undefined, stored: KubeObject, now: Instant, typed?: boolean): object {
  const object = shownTo(row, stored, typed);
  if (form.as === 'object' || object.kind === 'Status') return typed ? object : written(object);
  if (form.as === 'partial') return partial(object, form.version);
  return tableOf(row, form, [object], { now, ...included(include) });
}

export function presentList(row: ResourceRow, form: Form, include: string | undefined, stored: ListResult, now: Instant, typed?: boolean): object {
  const list = typed ? stored : { ...stored, items: stored.items.map((item) => shownTo(row, item, typed)) };
  if (form.as === 'object') return typed ? list : { ...list, items: list.items.map(written) };
  if (form.as === 'table') return tableOf(row, form, list.items, { now, ...included(include), ...list.metadata });
  return {
    kind: 'PartialObjectMetadataList',
    apiVersion: `meta.k8s.io/${form.version}`,
    metadata: list.metadata,
    items: list.items.map((item) => partial(item, form.version)),
  };
}

export interface Asked {
  readonly row: ResourceRow;
  readonly request: { readonly headers: Readonly<Record<string, string>>; readonly typed?: boolean | undefined };
  parameter(name: string): string | undefined;
}

/** The form of a watch's objects. Only the first Table of a watch has the columns, as upstream. Throws 406. */
export function presentation(asked: Asked, now: () => Instant): Present {
  const form = negotiate(asked.request.headers['accept']);
  const { row } = asked;
  const { typed } = asked.request;
  if (form.as === 'object') return typed ? (object) => object : (object) => written(shownTo(row, object, typed));
  if (form.as === 'partial') return (object) => partial(shownTo(row, object, typed), form.version);
  const include = included(asked.parameter('includeObject'));
  let first = true;
  return (object) => {
    // A bookmark is a position, not an object: a Table without rows.
    const bookmark = object.metadata.uid === undefined;
    const { resourceVersion } = object.metadata;
    const table = tableOf(row, form, bookmark ? [] : [shownTo(row, object, typed)], {
      now: now(),
      ...include,
      withoutColumns: !first,
      ...(resourceVersion ? { resourceVersion } : {}),
    });
    first = false;
    return table;
  };
}
