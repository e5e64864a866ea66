/** A small VT for tests: what a person sees after the terminal has written `output`. */

interface Page {
  readonly rows: string[][];
  row: number;
  column: number;
}
const page = (rows: number): Page => ({ rows: Array.from({ length: rows }, () => []), row: 0, column: 0 });

/** The screen's rows without trailing blanks; reverse video between braces when `marked`. Unknown sequences throw: no test passes by luck. */
export function screenOf(
  output: string,
  columns = 80,
  rows = 24,
  marked = false,
): { readonly rows: readonly string[]; readonly row: number; readonly column: number } {
  let main: Page | undefined;
  let at = page(rows);
  let reversed = false;
  const newline = () => {
    if (at.row < rows - 1) at.row++;
    else {
      at.rows.shift();
      at.rows.push([]);
    }
  };
  const put = (character: string) => {
    if (at.column >= columns) {
      at.column = 0;
      newline();
    }
    const cells = at.rows[at.row]!;
    while (cells.length < at.column) cells.push(' ');
    cells[at.column++] = reversed && marked ? `{${character}}` : character;
  };
  for (let i = 0; i < output.length; i++) {
    const sequence = /^\x1b\[(\??)([\d;]*)([A-Za-z])/.exec(output.slice(i, i + 20));
    if (sequence) {
      i += sequence[0].length - 1;
      const [, mode, parameters, final] = sequence;
      const [first = 0, second = 0] = parameters!.split(';').map(Number);
      const n = first || 1;
      if (mode) {
        if (first === 1049 && final === 'h') {
          main = at;
          at = page(rows);
        } else if (first === 1049 && main) at = main;
      } else if (final === 'A') at.row = Math.max(0, at.row - n);
      else if (final === 'C') at.column = Math.min(columns - 1, at.column + n);
      else if (final === 'D') at.column = Math.max(0, at.column - n);
      else if (final === 'H') {
        at.row = Math.min(rows, n) - 1;
        at.column = Math.min(columns, second || 1) - 1;
      } else if (final === 'K') at.rows[at.row]!.length = Math.min(at.rows[at.row]!.length, at.column);
      else if (final === 'J') {
        if (first === 0) at.rows[at.row]!.length = Math.min(at.rows[at.row]!.length, at.column);
        for (let row = first === 2 ? 0 : at.row + 1; row < rows; row++) at.rows[row] = [];
      } else if (final === 'm') reversed = first === 7;
      else throw new Error(`an unknown sequence: ${JSON.stringify(sequence[0])}`);
      continue;
    }
    const character = output[i]!;
    if (character === '\r') at.column = 0;
    else if (character === '\n') newline();
    else if (character === '\b') at.column = Math.max(0, at.column - 1);
    else if (character === '\x1b') throw new Error(`an unknown sequence: ${JSON.stringify(output.slice(i, i + 10))}`);
    else if (character >= ' ') put(character);
  }
  return { rows: at.rows.map((cells) => cells.join('').replaceAll('}{', '').trimEnd()), row: at.row, column: at.column };
}
