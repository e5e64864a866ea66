/** What nano 7.2 shows, as rows of text: a function of what it holds, and of the size of the terminal. */
import { columnOf, type NanoBuffer, shownLine } from './nano-buffer.ts';

export interface View {
  readonly buffer: NanoBuffer;
  readonly name: string;
  /** The first line shown. */
  readonly top: number;
  /** What was last said, between brackets. */
  readonly message: string;
  /** A search's find: so many characters from the cursor on stand out. */
  readonly spotlight: number;
  readonly prompt: { readonly label: string; readonly answer: string; readonly x: number } | undefined;
  readonly question: string | undefined;
}
export interface Screen {
  readonly rows: readonly string[];
  readonly cursor: { readonly row: number; readonly column: number };
}

const reverse = (text: string): string => (text === '' ? '' : `\x1b[7m${text}\x1b[27m`);

/** Column by column, the upper shortcut and the lower. Here simplified: only those of the things done here. */
const SHORTCUTS: readonly (readonly [string, string])[] = [
  ['^O', 'Write Out'],
  ['^X', 'Exit'],
  ['^W', 'Where Is'],
  ['M-W', 'Next'],
  ['^K', 'Cut'],
  ['^U', 'Paste'],
  ['^C', 'Location'],
  ['^/', 'Go To Line'],
  ['M-U', 'Undo'],
  ['M-E', 'Redo'],
];

/** A terminal of fewer rows has none to spare for the shortcuts. */
const helpRows = (rows: number): number => (rows < 6 ? 0 : 2);
/** Rows of text. */
export const editRows = (rows: number): number => Math.max(1, rows - 2 - helpRows(rows));

export function draw(view: View, columns: number, rows: number): Screen {
  const { buffer, top, prompt, question } = view;
  const height = editRows(rows);
  const out = [reverse(titleBar(view.name, buffer.modified, columns).slice(0, columns).padEnd(columns))];
  const start = pageStart(buffer.column, columns);
  for (let y = top; y < top + height; y++) out.push(textRow(view, y, y === buffer.y ? start : 0, columns));
  const status = out.length;
  const here = { row: buffer.y - top + 1, column: Math.min(columns - 1, buffer.column - start) };
  const bars = helpRows(rows) === 0 ? [] : question !== undefined ? questionBars(columns) : prompt ? ['', key('^C', 'Cancel', columns)] : shortcutBars(columns);
  if (question !== undefined) {
    out.push(reverse(question.slice(0, columns).padEnd(columns)), ...bars);
    return { rows: out, cursor: { row: status, column: Math.min(columns - 1, question.length + 1) } };
  }
  if (prompt) {
    // A long answer shows its part around the cursor.
    const label = `${prompt.label}: `.slice(0, Math.max(0, columns - 2));
    const room = columns - label.length;
    const from = prompt.x < room ? 0 : prompt.x - room + 1;
    out.push(reverse((label + shownLine(prompt.answer).slice(from, from + room)).padEnd(columns)), ...bars);
    return { rows: out, cursor: { row: status, column: Math.min(columns - 1, label.length + prompt.x - from) } };
  }
  const message = view.message === '' ? '' : `[ ${view.message} ]`.slice(0, columns);
  out.push(' '.repeat((columns - message.length) >> 1) + reverse(message), ...bars);
  return { rows: out, cursor: here };
}

/** Where the shown part of a long line begins (`get_page_start` of nano's utils.c). */
function pageStart(column: number, columns: number): number {
  if (column + 2 < columns) return 0;
  return columns > 8 ? column - 6 - ((column - 6) % (columns - 8)) : Math.max(0, column - (columns - 2));
}

function textRow({ buffer, spotlight }: View, y: number, start: number, columns: number): string {
  const line = buffer.lines[y];
  if (line === undefined) return '';
  const whole = shownLine(line);
  let shown = whole.slice(start, start + columns);
  if (spotlight > 0 && y === buffer.y) {
    const from = columnOf(line, buffer.x) - start;
    const to = Math.min(columns, columnOf(line, Math.min(line.length, buffer.x + spotlight)) - start);
    shown = shown.slice(0, from) + reverse(shown.slice(from, to)) + shown.slice(to);
    return shown;
  }
  const before = start > 0;
  const beyond = whole.length > start + columns;
  return (before ? reverse('<') : '') + shown.slice(before ? 1 : 0, beyond ? columns - 1 : undefined) + (beyond ? reverse('>') : '');
}

/** Program, name, state; the program gives way first, then the head of the name. Distances are those of the real one. */
function titleBar(name: string, modified: boolean, columns: number): string {
  const caption = name === '' ? 'New Buffer' : name;
  const program = 15;
  const state = 'Modified';
  if (program + caption.length + state.length + 3 <= columns) {
    const left = '  GNU nano 7.2'.padEnd(program + ((columns - program - state.length - 3 - caption.length) >> 1)) + caption;
    return left.padEnd(columns - state.length - 2) + (modified ? state : '');
  }
  if (caption.length + state.length + 1 <= columns) {
    const left = ' '.repeat((columns - caption.length - state.length - 1) >> 1) + caption;
    return modified ? left.padEnd(Math.max(left.length + 1, columns - state.length - 2)) + state : left;
  }
  const room = columns - (modified ? state.length + 1 : 0);
  const short = caption.length <= room ? caption : `...${caption.slice(caption.length - Math.max(0, room - 3))}`;
  return modified ? `${short} ${state}` : short;
}

const key = (name: string, tag: string, width: number): string => reverse(name) + ` ${tag}`.slice(0, Math.max(0, width - name.length));

function shortcutBars(columns: number): string[] {
  const count = Math.min(SHORTCUTS.length, Math.floor((columns + 40) / 20) * 2);
  const width = Math.floor(columns / (count / 2));
  const bar = (first: number): string => {
    let text = '';
    for (let i = first; i < count; i += 2) {
      const [name, tag] = SHORTCUTS[i]!;
      const shown = ` ${tag}`.slice(0, Math.max(0, width - name.length));
      text += reverse(name) + (i + 2 < count ? shown.padEnd(width - name.length) : shown);
    }
    return text;
  };
  return [bar(0), bar(1)];
}

function questionBars(columns: number): string[] {
  const width = columns < 32 ? columns >> 1 : 16;
  return [key(' Y', 'Yes', width), reverse(' N') + ' No'.padEnd(width - 2) + key('^C', 'Cancel', columns - width)];
}
