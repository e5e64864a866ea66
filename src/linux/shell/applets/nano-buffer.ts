/**
 * A text under nano's hands: lines, cursor, cut buffer, undo, search. Knows nothing of keys or screens.
 *
 * The last line is always empty (nano's magic line), so the text always ends with a newline; an empty
 * text is that line alone. Lines are replaced, never changed in place: an undo step is the lines before.
 *
 * Here simplified: every character is one column wide, a control character two (`^A`).
 */
const TAB = 8;

export type Change = 'addition' | 'line break' | 'deletion' | 'line join' | 'cut' | 'paste';
interface Place {
  readonly y: number;
  readonly x: number;
}
interface Step {
  readonly change: Change;
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly from: Place;
  readonly to: Place;
}

export class NanoBuffer {
  lines: readonly string[];
  y = 0;
  x = 0;
  /** The column Up and Down try to keep. */
  private wanted = 0;
  private saved: readonly string[];
  private undoable: Step[] = [];
  private undone: Step[] = [];
  private clipboard = '';
  /** The last key was a cut too: the next one adds to it. */
  private cutting = false;

  constructor(text: string) {
    this.lines = this.saved = withMagicLine(text.split('\n'));
  }

  get text(): string {
    return this.lines.join('\n');
  }
  get line(): string {
    return this.lines[this.y]!;
  }
  get modified(): boolean {
    return this.lines !== this.saved;
  }
  /** The cursor's column on a screen without edges. */
  get column(): number {
    return columnOf(this.line, this.x);
  }

  markSaved(): void {
    this.saved = this.lines;
  }

  /** Ends a run of cuts; every key but ^K does. */
  settle(): void {
    this.cutting = false;
  }

  moveTo(y: number, x: number): void {
    this.y = Math.max(0, Math.min(this.lines.length - 1, y));
    this.x = Math.max(0, Math.min(this.line.length, x));
    this.wanted = this.column;
  }

  /** Up and down, by lines. */
  moveBy(lines: number): void {
    const { wanted } = this;
    this.y = Math.max(0, Math.min(this.lines.length - 1, this.y + lines));
    this.x = indexAt(this.line, wanted);
  }

  left(): void {
    if (this.x > 0) this.moveTo(this.y, this.x - 1);
    else if (this.y > 0) this.moveTo(this.y - 1, this.lines[this.y - 1]!.length);
  }

  right(): void {
    if (this.x < this.line.length) this.moveTo(this.y, this.x + 1);
    else if (this.y < this.lines.length - 1) this.moveTo(this.y + 1, 0);
  }

  wordLeft(): void {
    do this.left();
    while ((this.y > 0 || this.x > 0) && !(isWord(this.line[this.x]) && !isWord(this.line[this.x - 1])));
  }

  wordRight(): void {
    const atEnd = () => this.y === this.lines.length - 1 && this.x === this.line.length;
    do this.right();
    while (!atEnd() && !(isWord(this.line[this.x]) && !isWord(this.line[this.x - 1])));
  }

  insert(text: string, change: Change = text === '\n' ? 'line break' : 'addition'): void {
    const { line, x, y } = this;
    const pieces = text.split('\n');
    const last = pieces.at(-1)!;
    const changed = pieces.map((piece, i) => (i === 0 ? line.slice(0, x) : '') + piece + (i === pieces.length - 1 ? line.slice(x) : ''));
    this.change(change, y, 1, changed, { y: y + pieces.length - 1, x: pieces.length === 1 ? x + text.length : last.length });
  }

  backspace(): void {
    if (this.x === 0 && this.y === 0) return;
    const from = { y: this.y, x: this.x };
    this.left();
    // The newline before the magic line stays, unless it makes an empty line.
    if (from.y < this.lines.length - 1 || this.x === 0) this.remove(from);
  }

  delete(): void {
    const magic = this.lines.length - 1;
    if (this.y === magic || (this.y === magic - 1 && this.x > 0 && this.x === this.line.length)) return;
    this.remove({ y: this.y, x: this.x });
  }

  /** Takes away what is under the cursor; `from` is where the cursor was when the key was pressed. */
  private remove(from: Place): void {
    const { line, x, y } = this;
    if (x < line.length) this.change('deletion', y, 1, [line.slice(0, x) + line.slice(x + 1)], { y, x }, from);
    else this.change('line join', y, 2, [line + this.lines[y + 1]!], { y, x }, from);
  }

  /** Takes the line into the cut buffer; false when there is none. */
  cut(): boolean {
    if (this.y === this.lines.length - 1) return false;
    this.clipboard = `${this.cutting ? this.clipboard : ''}${this.line}\n`;
    this.cutting = true;
    this.change('cut', this.y, 1, [], { y: this.y, x: 0 });
    return true;
  }

  /** False when nothing was cut before. */
  paste(): boolean {
    if (this.clipboard === '') return false;
    this.insert(this.clipboard, 'paste');
    return true;
  }

  undo(): Change | undefined {
    const step = this.undoable.pop();
    if (!step) return undefined;
    this.undone.push(step);
    this.lines = step.before;
    this.moveTo(step.from.y, step.from.x);
    return step.change;
  }

  redo(): Change | undefined {
    const step = this.undone.pop();
    if (!step) return undefined;
    this.undoable.push(step);
    this.lines = step.after;
    this.moveTo(step.to.y, step.to.x);
    return step.change;
  }

  /** Goes to the next occurrence after the cursor, whatever the case of its letters, beginning anew at the end. */
  find(wanted: string): 'found' | 'wrapped' | 'only' | 'none' {
    const needle = wanted.toLowerCase();
    const { y, x, lines } = this;
    for (let i = 0; i <= lines.length; i++) {
      const at = (y + i) % lines.length;
      const index = lines[at]!.toLowerCase().indexOf(needle, i === 0 ? x + 1 : 0);
      if (index < 0 || (i === lines.length && index > x)) continue;
      if (i === lines.length && index === x) return 'only';
      this.moveTo(at, index);
      return i === lines.length || at < y ? 'wrapped' : 'found';
    }
    return 'none';
  }

  private change(change: Change, y: number, count: number, by: readonly string[], to: Place, from: Place = { y: this.y, x: this.x }): void {
    const before = this.lines;
    this.lines = withMagicLine([...before.slice(0, y), ...by, ...before.slice(y + count)]);
    this.moveTo(to.y, to.x);
    const after = this.lines;
    const last = this.undoable.at(-1);
    this.undone = [];
    // Letters typed, or erased, one after another are undone together.
    const goesOn = last && last.change === change && (change === 'addition' || change === 'deletion') && last.after === before && before !== this.saved;
    if (goesOn && last.to.y === from.y && last.to.x === from.x) this.undoable[this.undoable.length - 1] = { ...last, after, to };
    else this.undoable.push({ change, before, after, from, to });
  }
}

const withMagicLine = (lines: string[]): string[] => (lines.at(-1) === '' ? lines : [...lines, '']);
const isWord = (character: string | undefined): boolean => character !== undefined && /[\p{L}\p{N}]/u.test(character);
const isControl = (character: string): boolean => character < ' ' || character === '\x7f';
const widthAt = (character: string, column: number): number => (character === '\t' ? TAB - (column % TAB) : isControl(character) ? 2 : 1);

/** The column at which the character at `index` begins. */
export function columnOf(line: string, index: number): number {
  let column = 0;
  for (let i = 0; i < index; i++) column += widthAt(line[i]!, column);
  return column;
}

/** The character that covers a column; the end of the line when it is shorter. */
function indexAt(line: string, column: number): number {
  let at = 0;
  for (let i = 0; i < line.length; i++) {
    at += widthAt(line[i]!, at);
    if (at > column) return i;
  }
  return line.length;
}

/** A line as it is shown: tabs as blanks, control characters as `^A`. */
export function shownLine(line: string): string {
  let shown = '';
  for (const character of line) {
    if (character === '\t') shown += ' '.repeat(widthAt(character, shown.length));
    else if (isControl(character)) shown += `^${String.fromCharCode((character.charCodeAt(0) + 64) & 127)}`;
    else shown += character;
  }
  return shown;
}
