/**
 * A terminal's line discipline: who gets the keys. At the prompt the line editor does; a program in the
 * foreground gets whole lines, echoed, and Ctrl-C as a signal; a program in raw mode gets every key.
 *
 * Here simplified: keys typed while nobody reads are kept unechoed until somebody does.
 */
import type { Clock } from '../../sim/clock.ts';
import type { Input } from '../program.ts';
import type { Terminal } from './machine.ts';
import { TextPipe } from './text-pipe.ts';

export class Tty implements Input, Terminal {
  /** Takes keys while a prompt is shown; gives back those it does not want yet. */
  editor: ((keys: string) => string) | undefined;
  onInterrupt: () => void = () => {};
  onQuit: () => void = () => {};
  /** No more keys will come. */
  closed = false;
  onClose: () => void = () => {};
  private raw = false;
  private held = '';
  private line = '';
  private readonly ready: TextPipe;
  private reading = false;
  private ended = false;

  constructor(
    private readonly clock: Pick<Clock, 'wake'>,
    private readonly screen: Terminal,
    private readonly write: (text: string) => void,
  ) {
    this.ready = new TextPipe(clock);
  }

  get columns(): number {
    return this.screen.columns;
  }
  get rows(): number {
    return this.screen.rows;
  }

  /** What programs print: a newline also returns the carriage. */
  readonly print = (text: string): void => this.write(text.replace(/\r?\n/g, '\r\n'));

  setRaw(raw: boolean): void {
    this.raw = raw;
    if (this.reading) this.pump();
  }

  /** Keys as they come from the person. */
  keys(text: string): void {
    if (this.editor || this.raw) {
      this.held += text;
    } else {
      // Ctrl-C and Ctrl-\ act at once and throw away what was typed before them.
      for (const key of text) {
        if (key === '\x03' || key === '\x1c') {
          this.held = '';
          this.line = '';
          this.write(key === '\x03' ? '^C' : '^\\');
          if (key === '\x03') this.onInterrupt();
          else this.onQuit();
          if (this.reading) this.ready.interrupt();
        } else this.held += key;
      }
    }
    this.pump();
  }

  close(): void {
    this.closed = true;
    this.ready.close();
    this.onClose();
  }

  /** Hands held keys to whoever wants them now. */
  pump(): void {
    if (this.editor) {
      const keys = this.held;
      this.held = '';
      if (keys !== '') this.held = this.editor(keys) + this.held;
      return;
    }
    if (!this.reading) return;
    if (this.raw) {
      const keys = this.held;
      this.held = '';
      this.ready.write(keys);
      return;
    }
    while (this.held !== '' && this.reading && !this.ended) {
      const key = this.held[0]!;
      this.held = this.held.slice(1);
      this.cooked(key);
    }
  }

  private cooked(key: string): void {
    if (key === '\r' || key === '\n') {
      this.write('\r\n');
      this.ready.write(`${this.line}\n`);
      this.line = '';
      this.reading = false;
    } else if (key === '\x04') {
      if (this.line === '') {
        this.ended = true;
        this.ready.interrupt();
      } else {
        this.ready.write(this.line);
        this.line = '';
      }
      this.reading = false;
    } else if (key === '\x7f' || key === '\b') {
      if (this.line !== '') {
        this.line = this.line.slice(0, -1);
        this.write('\b \b');
      }
    } else if (key === '\x15') {
      this.write('\b \b'.repeat(this.line.length));
      this.line = '';
    } else if (key === '\x1a') {
      // Ctrl-Z. Here simplified: nothing is ever suspended.
    } else {
      this.line += key;
      this.write(key < ' ' && key !== '\t' ? `^${String.fromCharCode(key.charCodeAt(0) + 64)}` : key);
    }
  }

  async read(): Promise<string | undefined> {
    if (this.ended) {
      this.ended = false;
      return undefined;
    }
    this.reading = true;
    this.clock.wake();
    this.pump();
    if (this.ended) {
      this.ended = false;
      return undefined;
    }
    const text = await this.ready.read();
    this.clock.wake();
    this.reading = false;
    this.ended = false;
    return text;
  }
}
