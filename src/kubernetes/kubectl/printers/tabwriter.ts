/** Go's text/tabwriter, as kubectl sets it up: cells end with a tab, columns are blocks of consecutive lines. */

export interface TabOptions {
  readonly minWidth: number;
  readonly padding: number;
}
/** printers.GetNewTabWriter and describe's: minimum 6 or 0, padding 3 or 2. */
export const TABLE_TABS: TabOptions = { minWidth: 6, padding: 3 };
export const DESCRIBE_TABS: TabOptions = { minWidth: 0, padding: 2 };

const lengthOf = (text: string): number => [...text].length;

/** Aligns a whole text. Lines without a tab end a column block. */
export function alignTabs(text: string, options: TabOptions): string {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const out: string[] = lines.map(() => '');
  // A column block: consecutive lines that have a cell (a tab after it) in this column (tabwriter.format).
  const format = (from: number, to: number, widths: readonly number[]): void => {
    const column = widths.length;
    for (let line = from; line < to; line++) {
      if (column >= lines[line]!.length - 1) continue;
      let end = line;
      let width = options.minWidth;
      let blank = true;
      while (end < to && column < lines[end]!.length - 1) {
        const size = lengthOf(lines[end]![column]!) + options.padding;
        width = Math.max(width, size);
        if (size > options.padding) blank = false;
        end++;
      }
      void blank;
      format(line, end, [...widths, width]);
      line = end - 1;
    }
    for (let line = from; line < to; line++) {
      if (out[line] !== '' || done[line]) continue;
      const cells = lines[line]!;
      if (cells.length - 1 > column) continue;
      out[line] = cells.map((cell, i) => (i < cells.length - 1 ? cell + ' '.repeat(Math.max(0, (widths[i] ?? 0) - lengthOf(cell))) : cell)).join('');
      done[line] = true;
    }
  };
  const done: boolean[] = lines.map(() => false);
  format(0, lines.length, []);
  return out.join('\n');
}

/** Rows of cells as a table whose columns keep the widths they once had (tabwriter.RememberWidths): what `get -w` needs. */
export class TableWriter {
  private readonly widths: number[] = [];
  constructor(private readonly options: TabOptions = TABLE_TABS) {}

  rows(rows: readonly (readonly string[])[]): string {
    for (const row of rows)
      row.slice(0, -1).forEach((cell, i) => (this.widths[i] = Math.max(this.widths[i] ?? this.options.minWidth, lengthOf(cell) + this.options.padding)));
    return rows.map((row) => `${row.map((cell, i) => (i < row.length - 1 ? cell + ' '.repeat(this.widths[i]! - lengthOf(cell)) : cell)).join('')}\n`).join('');
  }
}
