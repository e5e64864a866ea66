/** The server's Table as text (cli-runtime printers.TablePrinter). */
import type { Json } from '../../api/json.ts';
import { isObject, type JsonObject } from '../session.ts';
import { TableWriter } from './tabwriter.ts';

export interface Table extends JsonObject {
  readonly columnDefinitions: readonly {
    readonly name: string;
    readonly type: string;
    readonly format?: string;
    readonly priority?: number;
    readonly [key: string]: Json | undefined;
  }[];
  readonly rows: readonly { readonly cells: readonly Json[]; readonly object?: JsonObject; readonly [key: string]: Json | undefined }[] | null;
}
export const isTable = (value: Json | undefined): value is Table => isObject(value) && value['kind'] === 'Table';

export interface TableOptions {
  readonly wide: boolean;
  readonly noHeaders: boolean;
  readonly withNamespace: boolean;
  readonly showLabels: boolean;
  readonly labelColumns: readonly string[];
  /** `deployment.apps/`, before the name. */
  readonly kindPrefix?: string;
}

/** An object the server did not make a table of: name and age only. */
export const bareTable = (items: readonly JsonObject[], age: (object: JsonObject) => string): Table => ({
  kind: 'Table',
  columnDefinitions: [
    { name: 'Name', type: 'string', format: 'name' },
    { name: 'Age', type: 'string' },
  ],
  rows: items.map((object) => ({ cells: [String((object['metadata'] as JsonObject | undefined)?.['name'] ?? ''), age(object)], object })),
});

/** Several tables of one kind share columns: the later ones of a watch print rows only. */
export class TablePrinter {
  private readonly writer = new TableWriter();
  private columns: Table['columnDefinitions'] | undefined;
  constructor(private readonly options: TableOptions) {}

  print(table: Table): string {
    const { options } = this;
    const rows: string[][] = [];
    const definitions = table.columnDefinitions?.length ? table.columnDefinitions : (this.columns ?? []);
    const first = this.columns === undefined;
    this.columns = definitions;
    const shown = definitions.map((column, i) => ({ column, i })).filter(({ column }) => options.wide || !column.priority);
    if (first && !options.noHeaders) {
      rows.push([
        ...(options.withNamespace ? ['NAMESPACE'] : []),
        ...shown.map(({ column }) => column.name.toUpperCase()),
        ...options.labelColumns.map((label) => label.split('/').at(-1)!.toUpperCase()),
        ...(options.showLabels ? ['LABELS'] : []),
      ]);
    }
    for (const row of table.rows ?? []) {
      const metadata = isObject(row.object?.['metadata']) ? (row.object['metadata'] as JsonObject) : {};
      const labels = isObject(metadata['labels']) ? (metadata['labels'] as Readonly<Record<string, string>>) : {};
      rows.push([
        ...(options.withNamespace ? [String(metadata['namespace'] ?? '')] : []),
        ...shown.map(({ column, i }) => {
          const text = cellText(row.cells[i]);
          return options.kindPrefix && column.format === 'name' ? options.kindPrefix + text : text;
        }),
        ...options.labelColumns.map((label) => labels[label] ?? ''),
        ...(options.showLabels ? [labelText(labels)] : []),
      ]);
    }
    return this.writer.rows(rows);
  }
}

function cellText(cell: Json | undefined): string {
  // What the server could not find is left out.
  if (cell === undefined || cell === null) return '';
  const text = typeof cell === 'string' ? cell : JSON.stringify(cell);
  const at = text.search(/[\f\n\r]/);
  return at < 0 ? text : `${text.slice(0, at)}...`;
}

export const labelText = (labels: Readonly<Record<string, string>> | undefined): string => {
  const keys = Object.keys(labels ?? {}).sort();
  return keys.length === 0 ? '<none>' : keys.map((key) => `${key}=${labels![key]}`).join(',');
};
