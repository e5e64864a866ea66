/**
 * GNU nano: a full-screen editor, small enough to need no manual. Behaviour, messages and layout are
 * those of nano 7.2, Debian 12's, of which a part is here: no help, replace, marks, colours, or options.
 */
import { type Deferred, defer } from '../../../sim/mailbox.ts';
import { FileError } from '../../files.ts';
import type { Program, ProgramContext } from '../../program.ts';
import type { Terminal } from '../machine.ts';
import { nameOf, pathOf } from './applet.ts';
import { columnOf, NanoBuffer } from './nano-buffer.ts';
import { draw, editRows } from './nano-screen.ts';

const KEY = /^(?:\x1b\[[\d;]*[A-Za-z~]|\x1bO[A-Za-z]|\x1b[\s\S]|[\s\S])/;
/** A sequence of which more must come. */
const UNFINISHED = /^\x1b(?:\[[\d;]*|O)?$/;
/** A message goes away after so many keys. */
const MESSAGE_KEYS = 20;
const BELL = '\x07';

interface Prompt {
  readonly label: string;
  readonly answer: string;
  readonly x: number;
  done(answer: string | undefined): void;
}
interface Question {
  readonly text: string;
  done(answer: boolean | undefined): void;
}

class Nano {
  private buffer = new NanoBuffer('');
  private name = '';
  private top = 0;
  private message = '';
  private messageLeft = 0;
  private spotlight = 0;
  private prompt: Prompt | undefined;
  private question: Question | undefined;
  private lastSearch = '';
  private shown: readonly string[] = [];
  /** What a paste under way has brought so far. */
  private pasted: string | undefined;
  private held = '';
  over = false;

  constructor(
    private readonly self: ProgramContext,
    private readonly terminal: Terminal,
  ) {}

  open(name: string, line: number, column: number): void {
    const path = pathOf(this.self, name);
    const { files } = this.self;
    this.name = name;
    if (name === '') return;
    if (files.isDirectory(path)) {
      this.name = '';
      this.say(`"${name}" is a directory`);
    } else if (files.exists(path)) {
      this.buffer = new NanoBuffer(files.read(path));
      const count = this.buffer.lines.length - 1;
      this.say(`Read ${count} line${count === 1 ? '' : 's'}`);
    } else {
      const directory = name.slice(0, name.lastIndexOf('/')) || '/';
      this.say(name.includes('/') && !files.isDirectory(pathOf(this.self, directory)) ? `Directory '${directory}' does not exist` : 'New File');
    }
    this.buffer.moveTo(line - 1, column - 1);
    this.center();
  }

  keys(text: string): void {
    let rest = this.held + text;
    this.held = '';
    while (rest !== '' && !this.over) {
      if (UNFINISHED.test(rest)) {
        this.held = rest;
        break;
      }
      const key = KEY.exec(rest)![0];
      rest = rest.slice(key.length);
      if (key === '\x1b[200~') this.pasted = '';
      else if (key === '\x1b[201~') this.endPaste();
      else if (this.pasted !== undefined) this.pasted += key;
      else this.key(key);
    }
    if (!this.over) this.draw();
  }

  /** Draws what differs from what is on the screen; all of it after a change of size. */
  draw(all = false): void {
    const { columns, rows } = this.terminal;
    const height = editRows(rows);
    if (this.buffer.y < this.top) this.top = this.buffer.y;
    if (this.buffer.y >= this.top + height) this.top = this.buffer.y - height + 1;
    const screen = draw({ ...this.view, top: this.top }, Math.max(8, columns), rows);
    let sequence = '\x1b[?25l';
    if (all) {
      this.shown = [];
      sequence += '\x1b[H\x1b[2J';
    }
    screen.rows.forEach((text, row) => {
      // Erased before it is written: after the last column the cursor still stands on it.
      if (text !== (this.shown[row] ?? '')) sequence += `\x1b[${row + 1};1H\x1b[K${text}`;
    });
    this.shown = screen.rows;
    this.self.stdout(`${sequence}\x1b[${screen.cursor.row + 1};${screen.cursor.column + 1}H\x1b[?25h`);
  }

  private get view() {
    const { buffer, name, message, spotlight, prompt, question } = this;
    return { buffer, name, message, spotlight, prompt, question: question?.text };
  }

  private say(message: string): void {
    this.message = message;
    this.messageLeft = MESSAGE_KEYS;
  }

  private ask(label: string, answer: string, done: (answer: string | undefined) => void): void {
    this.message = '';
    this.prompt = { label, answer, x: answer.length, done };
  }

  private askYesNo(text: string, done: (answer: boolean | undefined) => void): void {
    this.message = '';
    this.question = { text, done };
  }

  private center(): void {
    const height = editRows(this.terminal.rows);
    const { y } = this.buffer;
    if (y < this.top || y >= this.top + height) this.top = Math.max(0, y - (height >> 1));
  }

  private key(key: string): void {
    if (this.question) this.questionKey(this.question, key);
    else if (this.prompt) this.promptKey(this.prompt, key);
    else {
      if (this.messageLeft > 0 && --this.messageLeft === 0) this.message = '';
      this.spotlight = 0;
      if (key !== '\x0b') this.buffer.settle();
      this.editKey(key);
    }
  }

  /** Into the text as one piece; at a prompt as if typed, its first line only. */
  private endPaste(): void {
    const text = (this.pasted ?? '').replace(/\r\n?/g, '\n');
    this.pasted = undefined;
    if (this.prompt) for (const key of text.split('\n')[0]!) this.key(key);
    else if (!this.question && text !== '') {
      this.message = '';
      this.buffer.insert(text, 'paste');
    }
  }

  private questionKey(question: Question, key: string): void {
    const answer = key === '\x03' ? undefined : /^y$/i.test(key) ? true : /^n$/i.test(key) ? false : 'neither';
    if (answer === 'neither') this.self.stdout(BELL);
    else {
      this.question = undefined;
      question.done(answer);
    }
  }

  private promptKey(prompt: Prompt, key: string): void {
    const { answer, x } = prompt;
    const edit = (text: string, at: number) => {
      this.prompt = { ...prompt, answer: text, x: Math.max(0, Math.min(text.length, at)) };
    };
    if (key === '\r' || key === '\n' || key === '\x03') {
      this.prompt = undefined;
      prompt.done(key === '\x03' ? undefined : answer);
    } else if (key === '\x7f' || key === '\b') edit(x > 0 ? answer.slice(0, x - 1) + answer.slice(x) : answer, x - 1);
    else if (key === '\x1b[3~' || key === '\x04') edit(answer.slice(0, x) + answer.slice(x + 1), x);
    else if (key === '\x0b') edit('', 0);
    else if (/^(?:\x1b[[O]D|\x02)$/.test(key)) edit(answer, x - 1);
    else if (/^(?:\x1b[[O]C|\x06)$/.test(key)) edit(answer, x + 1);
    else if (/^(?:\x1b[[O]H|\x1b\[1~|\x01)$/.test(key)) edit(answer, 0);
    else if (/^(?:\x1b[[O]F|\x1b\[4~|\x05)$/.test(key)) edit(answer, answer.length);
    else if (key >= ' ' && key.length === 1) edit(answer.slice(0, x) + key + answer.slice(x), x + 1);
  }

  private editKey(key: string): void {
    const { buffer } = this;
    const act = this.actions[key.replace(/^\x1bO([A-DFH])$/, '\x1b[$1')];
    if (act) act();
    else if (key >= ' ' && key.length === 1) buffer.insert(key);
    else if (/^\x1b[!-~]$/.test(key)) this.say(`Unbound key: M-${key.slice(1).toUpperCase()}`);
    else if (key.length === 1) this.say(`Unbound key: ^${String.fromCharCode(key.charCodeAt(0) + 64)}`);
  }

  private readonly actions: Readonly<Record<string, () => void>> = this.bind([
    ['\r \n', () => this.buffer.insert('\n')],
    ['\t', () => this.buffer.insert('\t')],
    ['\x7f \b', () => this.buffer.backspace()],
    ['\x1b[3~ \x04', () => this.buffer.delete()],
    ['\x1b[A \x10', () => this.buffer.moveBy(-1)],
    ['\x1b[B \x0e', () => this.buffer.moveBy(1)],
    ['\x1b[D \x02', () => this.buffer.left()],
    ['\x1b[C \x06', () => this.buffer.right()],
    ['\x1b[1;5D', () => this.buffer.wordLeft()],
    ['\x1b[1;5C', () => this.buffer.wordRight()],
    ['\x1b[H \x1b[1~ \x01', () => this.buffer.moveTo(this.buffer.y, 0)],
    ['\x1b[F \x1b[4~ \x05', () => this.buffer.moveTo(this.buffer.y, Number.MAX_SAFE_INTEGER)],
    ['\x1b[1;5H \x1b\\', () => this.buffer.moveTo(0, 0)],
    ['\x1b[1;5F \x1b/', () => this.buffer.moveTo(this.buffer.lines.length - 1, 0)],
    ['\x1b[5~ \x19', () => this.page(-1)],
    ['\x1b[6~ \x16', () => this.page(1)],
    ['\x0b', () => this.say(this.buffer.cut() ? '' : 'Nothing was cut')],
    ['\x15', () => this.say(this.buffer.paste() ? '' : 'Cutbuffer is empty')],
    ['\x03', () => this.say(this.location())],
    ['\x0c', () => this.draw(true)],
    ['\x0f', () => this.writeOut(() => {})],
    ['\x18', () => this.exit()],
    ['\x17', () => this.whereIs()],
    ['\x1bw \x1bW', () => (this.lastSearch === '' ? this.say('No current search pattern') : this.search(this.lastSearch))],
    ['\x1f \x1bg \x1bG', () => this.goTo()],
    ['\x1bu \x1bU', () => this.undone(this.buffer.undo(), 'Undid', 'undo')],
    ['\x1be \x1bE', () => this.undone(this.buffer.redo(), 'Redid', 'redo')],
  ]);

  private bind(table: readonly (readonly [keys: string, act: () => void])[]): Record<string, () => void> {
    return Object.fromEntries(table.flatMap(([keys, act]) => keys.split(' ').map((key) => [key, act])));
  }

  /** A page is the screen less two rows; the cursor keeps its row, or goes to the very end. */
  private page(direction: 1 | -1): void {
    const { buffer } = this;
    const step = direction * Math.max(1, editRows(this.terminal.rows) - 2);
    const target = buffer.y + step;
    if (target < 0 || target >= buffer.lines.length) buffer.moveTo(direction < 0 ? 0 : buffer.lines.length - 1, 0);
    else {
      buffer.moveBy(step);
      this.top = Math.max(0, this.top + step);
    }
  }

  private location(): string {
    const { buffer } = this;
    const percent = (part: number, whole: number, width: number) => `(${String(whole === 0 ? 0 : Math.floor((100 * part) / whole)).padStart(width)}%)`;
    const of = (part: number, whole: number) => `${String(part).padStart(Math.max(2, String(whole).length))}/${whole}`;
    const before = buffer.lines.slice(0, buffer.y).reduce((sum, line) => sum + line.length + 1, buffer.x);
    const all = buffer.text.length;
    const [line, lines] = [buffer.y + 1, buffer.lines.length];
    const column = buffer.column + 1;
    const columns = columnOf(buffer.line, buffer.line.length) + 1;
    return `line ${of(line, lines)} ${percent(line, lines, 2)}, col ${String(column).padStart(2)}/${String(columns).padStart(2)} ${percent(column, columns, 3)}, char ${of(before, all)} ${percent(before, all, 2)}`;
  }

  private undone(change: string | undefined, did: string, verb: string): void {
    this.center();
    this.say(change === undefined ? `Nothing to ${verb}` : `${did} ${change}`);
  }

  private whereIs(): void {
    const { lastSearch } = this;
    const shown = lastSearch.length > 20 ? `${lastSearch.slice(0, 20)}...` : lastSearch;
    this.ask(shown === '' ? 'Search' : `Search [${shown}]`, '', (answer) => {
      const wanted = answer === '' ? lastSearch : answer;
      if (wanted === undefined || wanted === '') this.say('Cancelled');
      else this.search(wanted);
    });
  }

  private search(wanted: string): void {
    this.lastSearch = wanted;
    const found = this.buffer.find(wanted);
    if (found !== 'none') this.spotlight = wanted.length;
    this.center();
    this.say({ found: '', wrapped: 'Search Wrapped', only: 'This is the only occurrence', none: `"${wanted}" not found` }[found]);
  }

  private goTo(): void {
    this.ask('Enter line number, column number', '', (answer) => {
      const numbers = /^\s*(-?\d+)?\s*(?:[,.:/;]\s*(\d+))?\s*$/.exec(answer ?? '');
      if (answer === undefined || answer === '') this.say('Cancelled');
      else if (!numbers) this.say('Invalid line or column number');
      else {
        const line = Number(numbers[1] ?? this.buffer.y + 1);
        this.buffer.moveTo(line < 0 ? this.buffer.lines.length + line : line - 1, Number(numbers[2] ?? 1) - 1);
        this.center();
      }
    });
  }

  private exit(): void {
    const leave = () => {
      this.over = true;
    };
    if (!this.buffer.modified) leave();
    else
      this.askYesNo('Save modified buffer?', (answer) => {
        if (answer === undefined) this.say('Cancelled');
        else if (answer) this.writeOut(leave);
        else leave();
      });
  }

  private writeOut(then: () => void, proposed = this.name): void {
    this.ask('File Name to Write', proposed, (answer) => {
      if (answer === undefined || answer === '') this.say('Cancelled');
      else this.confirmName(answer, (agreed) => (agreed ? this.write(answer, then) : this.writeOut(then, answer)));
    });
  }

  /** Another file than the one opened, and one that is there already, want a yes each. */
  private confirmName(name: string, then: (agreed: boolean) => void): void {
    const exists = this.self.files.exists(pathOf(this.self, name));
    const overwrite = () => (exists ? this.askYesNo(`File "${name}" exists; OVERWRITE?`, (yes) => then(yes === true)) : then(true));
    if (name === this.name) then(true);
    else if (this.name === '') overwrite();
    else this.askYesNo('Save file under DIFFERENT NAME?', (yes) => (yes ? overwrite() : then(false)));
  }

  private write(name: string, then: () => void): void {
    const { files } = this.self;
    const path = pathOf(this.self, name);
    try {
      if (!files.isDirectory(path.slice(0, path.lastIndexOf('/')) || '/')) throw new FileError('ENOENT', path);
      files.write(path, this.buffer.text);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.say(`Error writing ${name}: ${error.message}`);
      return;
    }
    this.name = name;
    this.buffer.markSaved();
    const count = this.buffer.lines.length - 1;
    this.say(`Wrote ${count} line${count === 1 ? '' : 's'}`);
    then();
  }

  /** What is left behind when nano is told to end: the changed text beside the file. */
  rescue(): string {
    if (!this.buffer.modified) return '';
    let name = `${this.name || 'nano'}.save`;
    for (let i = 1; this.self.files.exists(pathOf(this.self, name)); i++) name = `${this.name || 'nano'}.save.${i}`;
    this.self.files.write(pathOf(this.self, name), this.buffer.text);
    return `\nBuffer written to ${name}\n`;
  }
}

const usage = (self: ProgramContext, message: string): number => {
  self.stderr(`${nameOf(self)}: ${message}\nType '${nameOf(self)} -h' for a list of available options.\n`);
  return 1;
};

/** `nano [+LINE[,COLUMN]] [FILE]…`: one file after the other. */
export const nano: Program = async (self) => {
  const files: { name: string; line: number; column: number }[] = [];
  let [line, column] = [1, 1];
  for (const arg of self.argv.slice(1)) {
    const place = /^\+(\d+)(?:[,.:](\d+))?$/.exec(arg);
    if (arg === '-V' || arg === '--version') {
      self.stdout(' GNU nano, version 7.2\n');
      return 0;
    }
    if (arg.startsWith('--') && arg !== '--') return usage(self, `unrecognized option '${arg}'`);
    if (/^-[^-]/.test(arg)) return usage(self, `invalid option -- '${arg[1]}'`);
    if (place) [line, column] = [Number(place[1]), Number(place[2] ?? 1)];
    else if (arg !== '--') {
      files.push({ name: arg, line, column });
      [line, column] = [1, 1];
    }
  }
  const terminal = self.terminal as Terminal | undefined;
  if (!terminal) {
    self.stderr('Standard input is not a terminal\n');
    return 1;
  }
  let current: Nano | undefined;
  const ended: Deferred<undefined> = defer(self.process.clock);
  let told = false;
  self.onSignal((signal) => {
    if (signal === 'WINCH') current?.draw(true);
    else if (signal === 'TERM' || signal === 'HUP') {
      told = true;
      ended.resolve(undefined);
    }
  });
  terminal.setRaw?.(true);
  // The alternate screen, and pastes marked as such.
  self.stdout('\x1b[?2004h\x1b[?1049h');
  let last = '';
  for (const file of files.length > 0 ? files : [{ name: '', line, column }]) {
    current = new Nano(self, terminal);
    current.open(file.name, file.line, file.column);
    current.draw(true);
    while (!current.over && !told) {
      const keys = await Promise.race([self.stdin.read(), ended.promise]);
      self.process.clock.wake();
      if (keys === undefined) told = true;
      else current.keys(keys);
    }
    if (told) {
      last = `Received SIGHUP or SIGTERM\n${current.rescue()}`;
      break;
    }
  }
  terminal.setRaw?.(false);
  self.stdout(`\x1b[${terminal.rows};1H\x1b[?1049l\x1b[?2004l`);
  if (last !== '') self.stderr(last);
  return told ? 1 : 0;
};
