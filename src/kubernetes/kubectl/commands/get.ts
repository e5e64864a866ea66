/** kubectl get. */

import type { Json } from '../../api/json.ts';
import { parseQuantity } from '../../api/quantity.ts';
import { ApiError, type Status, type WatchEvent } from '../../api/request.ts';
import { humanDuration, instantOf } from '../../api/time.ts';
import { explained, fromFiles, listObjects, loadFiles, locate, select, type Target } from '../builder.ts';
import { pathOf, type ResourceInfo, shownName } from '../discovery.ts';
import { AggregateFailure, isNotFound, KubectlError, usageError } from '../errors.ts';
import { bool, FILE_FLAGS, PRINT_FLAGS, text } from '../flags.ts';
import { compileJsonPath, relaxedPath } from '../jsonpath.ts';
import { GET_FORMATS, objectPrinter, withoutManagedFields } from '../printers/objects.ts';
import { bareTable, isTable, type Table, TablePrinter } from '../printers/table.ts';
import { isObject, type JsonObject, type ObjectLike, type Session } from '../session.ts';
import type { Command } from './command.ts';

const TABLE_ACCEPT = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json';

export const get: Command = {
  summary: 'Display one or many resources',
  usage:
    'kubectl get [(-o|--output=)json|yaml|name|go-template|go-template-file|template|templatefile|jsonpath|jsonpath-as-json|jsonpath-file|custom-columns|custom-columns-file|wide] (TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE[.VERSION][.GROUP]/NAME ...) [flags] [options]',
  flags: {
    ...FILE_FLAGS,
    ...PRINT_FLAGS,
    selector: text('l'),
    'field-selector': text(),
    'all-namespaces': bool('A'),
    watch: bool('w'),
    'watch-only': bool(),
    'output-watch-events': bool(),
    'show-labels': bool(),
    'label-columns': { type: 'strings', short: 'L' },
    'sort-by': text(),
    'no-headers': bool(),
    'ignore-not-found': bool(),
    'show-kind': bool(),
    'chunk-size': { type: 'int', default: '500' },
    'server-print': { type: 'bool', default: 'true' },
    subresource: text(),
    raw: text(),
  },
  run: async (session, args) => {
    const { flags } = session;
    if (flags.has('raw')) {
      if (args.length > 0) throw new KubectlError('arguments may not be passed when --raw is specified');
      if (flags.text('output') !== '') throw new KubectlError('--raw and --output are mutually exclusive');
      return raw(session);
    }
    if (flags.bool('output-watch-events') && !flags.bool('watch') && !flags.bool('watch-only'))
      throw new KubectlError('--output-watch-events option can only be used with --watch or --watch-only');
    const filed = fromFiles(session);
    if (args.length === 0 && !filed) {
      session.err('You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of supported resources.\n\n');
      throw usageError(
        'kubectl get',
        'Required resource not specified.\nUse "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain pods).',
      );
    }
    const everything = flags.bool('all-namespaces');
    const printer = objectPrinter(session, GET_FORMATS);
    if (filed) {
      const targets: Target[] = [];
      const loaded = await loadFiles(session).catch((error: unknown) => {
        // get finds out about a kustomization while it visits, and says so without `error: `.
        throw session.flags.text('kustomize') === '' ? error : new AggregateFailure([error]);
      });
      for (const one of loaded) targets.push(await locate(session, one));
      return show(session, { targets, lists: [], several: new Set(targets.map((target) => target.info)).size > 1 }, printer, false);
    }
    const selection = await select(session, args, { everything, selector: flags.text('selector') });
    if (flags.bool('watch') || flags.bool('watch-only')) return watch(session, selection, printer, everything);
    return show(session, selection, printer, everything);
  },
};

type Selection = Awaited<ReturnType<typeof select>>;
type Printer = ReturnType<typeof objectPrinter>;

async function raw(session: Session): Promise<void> {
  const [path = '', search = ''] = session.flags.text('raw').split('?');
  const query: Record<string, string> = {};
  for (const pair of search.split('&').filter((part) => part !== '')) query[pair.split('=')[0]!] = decodeURIComponent(pair.split('=').slice(1).join('='));
  // Whatever it is is copied as it comes.
  const reader = await session.open<Json>(path, { query });
  for (let piece = await reader.next(); piece !== undefined; piece = await reader.next())
    session.out(typeof piece === 'string' ? piece : `${JSON.stringify(piece)}\n`);
}

const tableOptions = (session: Session, everything: boolean, prefix: string | undefined) => ({
  wide: session.flags.text('output') === 'wide',
  noHeaders: session.flags.bool('no-headers'),
  withNamespace: everything,
  showLabels: session.flags.bool('show-labels'),
  labelColumns: session.flags.list('label-columns'),
  ...(prefix ? { kindPrefix: prefix } : {}),
});

async function show(session: Session, selection: Selection, printer: Printer, everything: boolean): Promise<void> {
  const { flags } = session;
  const failures: unknown[] = [];
  const fail = (error: unknown) => {
    if (!(flags.bool('ignore-not-found') && isNotFound(error))) failures.push(error);
  };
  const sub = flags.text('subresource') || undefined;
  if (printer) {
    const items: ObjectLike[] = [];
    for (const target of selection.targets) {
      try {
        items.push((await session.request('GET', pathOf(target.info, target.namespace, target.name, sub))) as unknown as ObjectLike);
      } catch (error) {
        fail(error);
      }
    }
    for (const info of selection.lists) {
      try {
        items.push(
          ...(
            await listObjects(session, info, {
              everything: everything || !info.namespaced,
              selector: flags.text('selector'),
              fieldSelector: flags.text('field-selector'),
              chunk: flags.number('chunk-size'),
            })
          ).items,
        );
      } catch (error) {
        fail(error);
      }
    }
    if (flags.text('sort-by')) sortBy(items, (item) => item, flags.text('sort-by'));
    const single = selection.targets.length === 1 && selection.lists.length === 0;
    if (items.length > 0 || !(selection.targets.length > 0)) {
      if (single) session.out(printer(items[0] as unknown as JsonObject));
      else if (flags.text('output') === 'name') for (const item of items) session.out(printer(item));
      else session.out(printer({ apiVersion: 'v1', items: items as unknown as Json, kind: 'List', metadata: { resourceVersion: '' } }));
    }
    return throwAll(failures);
  }

  const parts: { info: ResourceInfo; table: Table }[] = [];
  const fetch = async (info: ResourceInfo, path: string, query: Record<string, string>, list = false) => {
    try {
      const table = fetchTable(session, path, query);
      parts.push({ info, table: await (list ? explained(info, query, table) : table) });
    } catch (error) {
      fail(error);
    }
  };
  for (const target of selection.targets) await fetch(target.info, pathOf(target.info, target.namespace, target.name, sub), {});
  for (const info of selection.lists) {
    const query: Record<string, string> = {};
    if (flags.text('selector')) query['labelSelector'] = flags.text('selector');
    if (flags.text('field-selector')) query['fieldSelector'] = flags.text('field-selector');
    if (flags.text('sort-by')) query['includeObject'] = 'Object';
    else if (flags.number('chunk-size') > 0) query['limit'] = flags.text('chunk-size');
    await fetch(info, pathOf(info, everything ? undefined : session.namespace), query, true);
  }
  // Of several tables upstream sorts the tables, by a field of theirs: few fields will do.
  if (flags.text('sort-by') && parts.length > 1)
    sortBy(
      parts.map(({ table }) => table),
      (table) => table as unknown as JsonObject,
      flags.text('sort-by'),
    );
  // Rows of one kind that follow each other are one table.
  const groups: { info: ResourceInfo; table: Table }[] = [];
  for (const part of parts) {
    const last = groups.at(-1);
    if (last && last.info === part.info)
      groups[groups.length - 1] = { info: last.info, table: { ...last.table, rows: [...(last.table.rows ?? []), ...(part.table.rows ?? [])] } };
    else groups.push(part);
  }
  let printed = false;
  for (const { info, table } of groups) {
    let rows = table.rows ?? [];
    if (rows.length === 0) continue;
    if (flags.text('sort-by') && parts.length === 1 && rows.length > 1) {
      const sorted = [...rows];
      try {
        sortBy(sorted, (row) => row.object ?? {}, flags.text('sort-by'));
      } catch (error) {
        // A field that no row has leaves upstream's table sorter with no table at all.
        if (!(error instanceof KubectlError)) throw error;
        continue;
      }
      rows = sorted;
    }
    const prefixed = selection.several || flags.bool('show-kind');
    if (printed && !flags.bool('no-headers')) session.out('\n');
    session.out(new TablePrinter(tableOptions(session, everything && info.namespaced, prefixed ? shownName(info, '') : undefined)).print({ ...table, rows }));
    printed = true;
  }
  if (!printed && failures.length === 0 && !flags.bool('ignore-not-found')) session.err(noneFound(session, selection, everything));
  throwAll(failures);
}

function noneFound(session: Session, selection: Selection, everything: boolean): string {
  const infos = [...selection.lists, ...selection.targets.map((target) => target.info)];
  return everything || infos.some((info) => !info.namespaced) ? 'No resources found\n' : `No resources found in ${session.namespace} namespace.\n`;
}

function throwAll(failures: readonly unknown[]): void {
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateFailure(failures);
}

const ageOf = (session: Session) => (object: JsonObject) => {
  const created = instantOf(String((object['metadata'] as JsonObject | undefined)?.['creationTimestamp'] ?? ''));
  return created === undefined ? '<unknown>' : humanDuration(session.self.process.clock.now() - created);
};

async function fetchTable(session: Session, path: string, query: Record<string, string>): Promise<Table> {
  const { flags } = session;
  let table: Table | undefined;
  let token = '';
  do {
    const body = await session.request('GET', path, {
      accept: flags.bool('server-print') ? TABLE_ACCEPT : 'application/json',
      query: token ? { ...query, continue: token } : query,
    });
    if (!isTable(body)) {
      const items = isObject(body) && Array.isArray(body['items']) ? (body['items'] as readonly JsonObject[]) : isObject(body) ? [body] : [];
      return bareTable(items, ageOf(session));
    }
    table = table ? { ...table, rows: [...(table.rows ?? []), ...(body.rows ?? [])] } : body;
    token = String((body['metadata'] as JsonObject | undefined)?.['continue'] ?? '');
    if (!token) table = { ...table, metadata: body['metadata'] } as Table;
  } while (token);
  return table;
}

/** Stable, by the first value of the path; quantities and timestamps compare as what they are. */
function sortBy<T>(items: T[], object: (item: T) => JsonObject, path: string): void {
  const compiled = compileJsonPath(relaxedPath(path));
  const keys = new Map(items.map((item) => [item, compiled.find(object(item))[0] as Json | undefined]));
  if (items.length > 0 && [...keys.values()].every((value) => value === undefined)) {
    throw new KubectlError(
      `couldn't find any field with path ${JSON.stringify(`{${path.startsWith('{') ? path.slice(1, -1) : path.startsWith('.') ? path : `.${path}`}}`)} in the list of objects`,
    );
  }
  const compare = (a: Json | undefined, b: Json | undefined): number => {
    if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
    if (typeof a === 'number' && typeof b === 'number') return a - b;
    const [x, y] = [String(a), String(b)];
    if (/^[0-9.]+([KMGTPE]i?|[numk])?$/.test(x) && /^[0-9.]+([KMGTPE]i?|[numk])?$/.test(y)) {
      const difference = parseQuantity(x).nano - parseQuantity(y).nano;
      return difference < 0n ? -1 : difference > 0n ? 1 : 0;
    }
    return natural(x, y);
  };
  items.sort((a, b) => compare(keys.get(a), keys.get(b)));
}

/** fvbommel/sortorder.NaturalLess: digits inside names count as numbers. */
function natural(a: string, b: string): number {
  const [x, y] = [a.match(/\d+|\D+/g) ?? [], b.match(/\d+|\D+/g) ?? []];
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    if (x[i] === y[i]) continue;
    if (x[i] === undefined || y[i] === undefined) return x[i] === undefined ? -1 : 1;
    if (/^\d/.test(x[i]!) && /^\d/.test(y[i]!) && Number(x[i]) !== Number(y[i])) return Number(x[i]) - Number(y[i]);
    return x[i]! < y[i]! ? -1 : 1;
  }
  return 0;
}

async function watch(session: Session, selection: Selection, printer: Printer, everything: boolean): Promise<void> {
  const { flags } = session;
  const infos = new Set([...selection.lists, ...selection.targets.map((target) => target.info)]);
  if (infos.size > 1 || selection.targets.length > 1) throw new KubectlError('you may only specify a single resource type');
  const [info] = infos;
  if (!info) return;
  const target = selection.targets[0];
  const query: Record<string, string> = {};
  if (flags.text('selector')) query['labelSelector'] = flags.text('selector');
  if (flags.text('field-selector')) query['fieldSelector'] = flags.text('field-selector');
  const accept = printer ? 'application/json' : TABLE_ACCEPT;
  const collection = pathOf(info, everything ? undefined : target ? target.namespace : session.namespace);
  const body = await session.request('GET', target ? pathOf(info, target.namespace, target.name) : collection, {
    accept,
    query: target ? {} : { ...query, limit: '500' },
  });
  const tables = new TablePrinter(tableOptions(session, everything && info.namespaced, flags.bool('show-kind') ? shownName(info, '') : undefined));
  const events = flags.bool('output-watch-events');
  const print = (type: string, object: Json) => {
    if (printer) {
      const plainObject = isObject(object) ? object : {};
      session.out(events ? printer({ object: withoutManagedFields(plainObject) as Json, type }) : printer(plainObject));
    } else {
      const table = isTable(object) ? object : bareTable(isObject(object) ? [object] : [], ageOf(session));
      session.out(tables.print(events ? withEvent(table, type) : table));
    }
  };
  let resourceVersion = isObject(body) ? String((body['metadata'] as JsonObject | undefined)?.['resourceVersion'] ?? '') : '';
  if (!flags.bool('watch-only')) {
    if (printer && isObject(body) && Array.isArray(body['items']))
      for (const item of body['items'] as readonly ObjectLike[])
        print('ADDED', item.kind ? item : ({ ...item, apiVersion: body['apiVersion'], kind: String(body['kind']).replace(/List$/, '') } as unknown as Json));
    else if (!isTable(body) || (body.rows ?? []).length > 0) print('ADDED', body);
  }
  if (target) {
    query['fieldSelector'] = `metadata.name=${target.name}`;
    if (isTable(body)) resourceVersion = String((body.rows?.[0]?.object?.['metadata'] as JsonObject | undefined)?.['resourceVersion'] ?? resourceVersion);
  }
  const reader = await session.open<WatchEvent<Json>>(collection, { accept, query: { ...query, watch: 'true', resourceVersion } });
  for (let event = await reader.next(); event !== undefined; event = await reader.next()) {
    if (event.type === 'BOOKMARK') continue;
    if (event.type === 'ERROR') throw new ApiError(event.object as unknown as Status);
    print(event.type, event.object);
  }
}

const withEvent = (table: Table, type: string): Table => ({
  ...table,
  columnDefinitions: table.columnDefinitions?.length ? [{ name: 'Event', type: 'string' }, ...table.columnDefinitions] : table.columnDefinitions,
  rows: (table.rows ?? []).map((row) => ({ ...row, cells: [type, ...row.cells] })),
});
