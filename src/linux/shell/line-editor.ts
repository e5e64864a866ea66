/**
 * Edits one line at a prompt, as readline's emacs mode does, over VT sequences: cursor movement, kill and
 * yank, history, Ctrl-R, Tab completion, wrapping over several rows.
 *
 * Here simplified: every character is one column wide.
 */
import type { Clock } from '../../sim/clock.ts';
import { type Deferred, defer } from '../../sim/mailbox.ts';

export interface Completion {
  /** Where in the line the completed word begins. */
  readonly start: number;
  /** Whole words, sorted. One that ends in `/` or `=` gets no blank after it. */
  readonly candidates: readonly string[];
}
export type Completer = (line: string, cursor: number) => Promise<Completion>;

export type LineResult = { readonly how: 'line'; readonly text: string } | { readonly how: 'interrupt' } | { readonly how: 'end' };

const KEY = /^(?:\x1b\[200~|\x1b\[201~|\x1b\[[\d;]*[A-Za-z~]|\x1bO[A-Za-z]|\x1b[\s\S]|[\s\S])/;

export class LineEditor {
  private prompt = '';
  private text = '';
  private cursor = 0;
  private killed = '';
  /** Row of the cursor below the prompt's first row; letters typed within a row do not change it. */
  private row = 0;
  private at = 0;
  private draft = '';
  private search: { query: string; index: number; before: string } | undefined;
  private pasting = false;
  private lastTab = false;
  private completing = false;
  private queued = '';
  private result: Deferred<LineResult> | undefined;

  constructor(
    private readonly clock: Pick<Clock, 'wake'>,
    private readonly screen: { readonly columns: number },
    private readonly write: (text: string) => void,
    private readonly history: () => readonly string[],
    private readonly complete: Completer,
  ) {}

  /** Shows the prompt and waits for a line. */
  read(prompt: string): Promise<LineResult> {
    this.prompt = prompt;
    this.text = '';
    this.cursor = 0;
    this.row = 0;
    this.at = this.history().length;
    this.draft = '';
    this.lastTab = false;
    this.search = undefined;
    this.write(prompt);
    const result = defer<LineResult>(this.clock);
    this.result = result;
    if (this.queued !== '') this.queued = this.keys('');
    return result.promise;
  }

  get reading(): boolean {
    return this.result !== undefined;
  }

  /** Takes keys until a line is finished; gives back the rest. */
  readonly keys = (input: string): string => {
    let rest = this.queued + input;
    this.queued = '';
    while (rest !== '' && this.result) {
      if (this.completing) {
        this.queued = rest;
        return '';
      }
      const plain = this.search || this.pasting ? null : /^[^\x00-\x1f\x7f]+/.exec(rest);
      const key = plain ? plain[0] : KEY.exec(rest)![0];
      rest = rest.slice(key.length);
      this.key(key, rest);
    }
    return rest;
  };

  private finish(result: LineResult): void {
    const waiting = this.result;
    this.result = undefined;
    waiting?.resolve(result);
  }

  private key(key: string, rest: string): void {
    const tabbed = this.lastTab;
    this.lastTab = false;
    if (key === '\x1b[200~') this.pasting = true;
    else if (key === '\x1b[201~') this.pasting = false;
    else if (this.pasting) {
      if (key === '\r' || key === '\n') this.accept();
      else this.insert(key);
    } else if (this.search) this.searchKey(key);
    else this.editKey(key, tabbed, rest);
  }

  private editKey(key: string, tabbed: boolean, rest: string): void {
    switch (key) {
      case '\r':
      case '\n':
        this.accept();
        return;
      case '\x03':
        this.moveTo(this.text.length);
        this.write('^C\r\n');
        this.finish({ how: 'interrupt' });
        return;
      case '\x04':
        if (this.text === '') this.finish({ how: 'end' });
        else this.remove(this.cursor, this.cursor + 1);
        return;
      case '\x7f':
      case '\b':
        if (this.cursor > 0) this.remove(this.cursor - 1, this.cursor);
        return;
      case '\x1b[3~':
        this.remove(this.cursor, this.cursor + 1);
        return;
      case '\x01':
      case '\x1b[H':
      case '\x1b[1~':
      case '\x1bOH':
        this.moveTo(0);
        return;
      case '\x05':
      case '\x1b[F':
      case '\x1b[4~':
      case '\x1bOF':
        this.moveTo(this.text.length);
        return;
      case '\x02':
      case '\x1b[D':
      case '\x1bOD':
        this.moveTo(Math.max(0, this.cursor - 1));
        return;
      case '\x06':
      case '\x1b[C':
      case '\x1bOC':
        this.moveTo(Math.min(this.text.length, this.cursor + 1));
        return;
      case '\x1bb':
      case '\x1b[1;5D':
      case '\x1b[1;3D':
        this.moveTo(this.wordLeft());
        return;
      case '\x1bf':
      case '\x1b[1;5C':
      case '\x1b[1;3C':
        this.moveTo(this.wordRight());
        return;
      case '\x0b':
        this.kill(this.cursor, this.text.length);
        return;
      case '\x15':
        this.kill(0, this.cursor);
        return;
      case '\x17': {
        // Ctrl-W goes by blanks, not by letters.
        const left = this.text.slice(0, this.cursor).replace(/\S+\s*$/, '').length;
        this.kill(left, this.cursor);
        return;
      }
      case '\x1bd':
        this.kill(this.cursor, this.wordRight());
        return;
      case '\x1b\x7f':
        this.kill(this.wordLeft(), this.cursor);
        return;
      case '\x19':
        this.insert(this.killed);
        return;
      case '\x14':
        if (this.cursor > 0 && this.text.length > 1) {
          const i = Math.min(this.cursor, this.text.length - 1);
          this.text = this.text.slice(0, i - 1) + this.text[i]! + this.text[i - 1]! + this.text.slice(i + 1);
          this.cursor = i + 1;
          this.redraw();
        }
        return;
      case '\x0c':
        this.write('\x1b[H\x1b[2J');
        this.row = 0;
        this.redraw();
        return;
      case '\x10':
      case '\x1b[A':
      case '\x1bOA':
        this.recall(-1);
        return;
      case '\x0e':
      case '\x1b[B':
      case '\x1bOB':
        this.recall(1);
        return;
      case '\x12':
        this.search = { query: '', index: this.history().length, before: this.text };
        this.redraw();
        return;
      case '\x1b.': {
        const last = this.history().at(-1)?.split(/\s+/).at(-1);
        if (last) this.insert(last);
        return;
      }
      case '\t':
        // A tab in the middle of pasted text is a blank to the shell, not a question.
        if (rest.length > 1 && /[\r\n]/.test(rest)) this.insert(' ');
        else this.tab(tabbed);
        return;
    }
    if (key >= ' ' && !key.startsWith('\x1b') && key !== '\x7f') this.insert(key);
  }

  private accept(): void {
    this.moveTo(this.text.length);
    this.write('\r\n');
    this.finish({ how: 'line', text: this.text });
  }

  private insert(text: string): void {
    const atEnd = this.cursor === this.text.length;
    this.text = this.text.slice(0, this.cursor) + text + this.text.slice(this.cursor);
    this.cursor += text.length;
    const columns = this.screen.columns;
    const before = width(this.prompt) + this.cursor - text.length;
    // The common case, a letter typed at the end of a row that has room, writes only the letter.
    if (atEnd && !this.search && (before % columns) + text.length < columns) this.write(text);
    else this.redraw();
  }

  private remove(from: number, to: number): void {
    if (from >= this.text.length) return;
    const last = to === this.text.length && from === to - 1 && this.cursor === to;
    this.text = this.text.slice(0, from) + this.text.slice(to);
    this.cursor = from;
    if (last && (width(this.prompt) + to) % this.screen.columns !== 0 && (width(this.prompt) + from) % this.screen.columns !== 0) this.write('\b \b');
    else this.redraw();
  }

  private kill(from: number, to: number): void {
    if (from === to) return;
    this.killed = this.text.slice(from, to);
    this.text = this.text.slice(0, from) + this.text.slice(to);
    this.cursor = from;
    this.redraw();
  }

  private wordLeft(): number {
    return this.text.slice(0, this.cursor).replace(/[A-Za-z0-9]+[^A-Za-z0-9]*$|[^A-Za-z0-9]+$/, '').length;
  }
  private wordRight(): number {
    return this.cursor + (/^[^A-Za-z0-9]*[A-Za-z0-9]*/.exec(this.text.slice(this.cursor))?.[0].length ?? 0);
  }

  private recall(by: number): void {
    const history = this.history();
    const next = this.at + by;
    if (next < 0 || next > history.length) return;
    if (this.at === history.length) this.draft = this.text;
    this.at = next;
    this.replace(next === history.length ? this.draft : history[next]!);
  }

  private replace(text: string): void {
    this.text = text;
    this.cursor = text.length;
    this.redraw();
  }

  private searchKey(key: string): void {
    const search = this.search!;
    const find = (from: number) => {
      const history = this.history();
      for (let i = Math.min(from, history.length - 1); i >= 0; i--) {
        if (!history[i]!.includes(search.query)) continue;
        search.index = i;
        this.text = history[i]!;
        this.cursor = this.text.indexOf(search.query);
        return;
      }
    };
    if (key === '\x12') find(search.index - 1);
    else if (key === '\x7f' || key === '\b') {
      search.query = search.query.slice(0, -1);
      find(this.history().length - 1);
    } else if (key === '\x07' || key === '\x03') {
      this.search = undefined;
      this.text = search.before;
      this.cursor = this.text.length;
      if (key === '\x03') {
        this.editKey(key, false, '');
        return;
      }
    } else if (key.length === 1 && key >= ' ') {
      search.query += key;
      find(search.index);
    } else {
      this.search = undefined;
      this.redraw();
      this.editKey(key, false, '');
      return;
    }
    this.redraw();
  }

  private tab(second: boolean): void {
    this.completing = true;
    this.complete(this.text, this.cursor).then(
      (completion) => {
        this.clock.wake();
        this.completing = false;
        this.lastTab = true;
        this.completed(completion, second);
        if (this.queued !== '') this.queued = this.keys('');
      },
      () => {
        this.clock.wake();
        this.completing = false;
      },
    );
  }

  private completed({ start, candidates }: Completion, second: boolean): void {
    const typed = this.text.slice(start, this.cursor);
    if (candidates.length === 0) return;
    let common = candidates[0]!;
    for (const candidate of candidates) while (!candidate.startsWith(common)) common = common.slice(0, -1);
    if (candidates.length === 1 && !/[/=]$/.test(common)) common += ' ';
    if (common.length > typed.length) {
      this.text = this.text.slice(0, start) + common + this.text.slice(this.cursor);
      this.cursor = start + common.length;
      this.redraw();
      if (candidates.length === 1) this.lastTab = false;
      return;
    }
    if (!second || candidates.length < 2) return;
    const shown = candidates.map((candidate) =>
      candidate.includes('/') ? candidate.replace(/\/$/, '').split('/').at(-1)! + (candidate.endsWith('/') ? '/' : '') : candidate,
    );
    const columnWidth = Math.max(...shown.map((name) => name.length)) + 2;
    const perRow = Math.max(1, Math.floor(this.screen.columns / columnWidth));
    const rows = Math.ceil(shown.length / perRow);
    this.moveTo(this.text.length);
    let listing = '\r\n';
    for (let row = 0; row < rows; row++) {
      let line = '';
      for (let column = 0; column < perRow; column++) {
        const name = shown[column * rows + row];
        if (name !== undefined) line += name.padEnd(columnWidth);
      }
      listing += `${line.trimEnd()}\r\n`;
    }
    this.write(listing);
    this.row = 0;
    this.cursor = this.text.length;
    this.redraw();
  }

  private moveTo(cursor: number): void {
    const columns = this.screen.columns;
    const base = width(this.prompt);
    const from = base + this.cursor;
    const to = base + cursor;
    this.cursor = cursor;
    if (from === to) return;
    if (Math.floor(from / columns) === Math.floor(to / columns)) this.write(to < from ? `\x1b[${from - to}D` : `\x1b[${to - from}C`);
    else this.redraw();
  }

  /** Writes prompt and text anew, from the prompt's first row. */
  private redraw(): void {
    const columns = this.screen.columns;
    const prompt = this.search ? `(reverse-i-search)\`${this.search.query}': ` : this.prompt;
    const total = width(prompt) + this.text.length;
    let sequence = '';
    if (this.row > 0) sequence += `\x1b[${this.row}A`;
    sequence += `\r\x1b[J${prompt}${this.text}`;
    // A row that is exactly full leaves the cursor beside it; step onto the next row, where it belongs.
    if (total > 0 && total % columns === 0) sequence += '\r\n';
    const endRow = Math.floor(total / columns);
    const target = width(prompt) + this.cursor;
    const row = Math.floor(target / columns);
    if (endRow > row) sequence += `\x1b[${endRow - row}A`;
    sequence += '\r';
    if (target % columns > 0) sequence += `\x1b[${target % columns}C`;
    this.row = row;
    this.write(sequence);
  }
}

/** Columns a prompt takes, without its colours. */
export const width = (text: string): number => text.replace(/\x1b\[[\d;]*[A-Za-z]/g, '').length;
