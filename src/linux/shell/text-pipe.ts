/** Text on its way from one program to another, piece by piece: a pipe's two ends in one object. */
import type { Clock } from '../../sim/clock.ts';
import type { Input } from '../program.ts';

export class TextPipe implements Input {
  private pieces: string[] = [];
  private waiting: ((piece: string | undefined) => void) | undefined;
  private ended = false;
  private abandoned = false;
  private readonly breakListeners: (() => void)[] = [];
  constructor(private readonly clock: Pick<Clock, 'wake'>) {}

  write(text: string): void {
    if (text === '' || this.ended) return;
    if (this.abandoned) {
      for (const listener of this.breakListeners) listener();
    } else if (this.waiting) {
      const waiting = this.waiting;
      this.waiting = undefined;
      this.clock.wake();
      waiting(text);
    } else this.pieces.push(text);
  }

  /** The writer has no more. */
  close(): void {
    if (this.ended) return;
    this.ended = true;
    this.hand(undefined);
  }

  /** The reader has gone: what is written from now on is a broken pipe (SIGPIPE). */
  abandon(): void {
    this.abandoned = true;
    this.pieces = [];
  }

  onBreak(listener: () => void): void {
    this.breakListeners.push(listener);
  }

  read(): Promise<string | undefined> {
    if (this.pieces.length > 0) {
      const all = this.pieces.length === 1 ? this.pieces[0]! : this.pieces.join('');
      this.pieces = [];
      return Promise.resolve(all);
    }
    if (this.ended) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }

  /** Ends the read under way, if any, as if the input had ended; the pipe goes on. */
  interrupt(): void {
    this.hand(undefined);
  }

  private hand(piece: string | undefined): void {
    const waiting = this.waiting;
    if (!waiting) return;
    this.waiting = undefined;
    this.clock.wake();
    waiting(piece);
  }
}

/** Reads an input line by line, and gives back what it took too much of. Lines are without their newline. */
export class Lines {
  private rest = '';
  private over = false;
  constructor(private readonly input: Input) {}

  /** Undefined at the end. `complete` is false for a last line without a newline. */
  async next(): Promise<{ readonly text: string; readonly complete: boolean } | undefined> {
    for (;;) {
      const end = this.rest.indexOf('\n');
      if (end >= 0) {
        const text = this.rest.slice(0, end);
        this.rest = this.rest.slice(end + 1);
        return { text, complete: true };
      }
      if (this.over) {
        const text = this.rest;
        this.rest = '';
        return text === '' ? undefined : { text, complete: false };
      }
      const piece = await this.input.read();
      if (piece === undefined) this.over = true;
      else this.rest += piece;
    }
  }

  /** Every whole line that is already here; waits for the first piece only. Keeps pipelines of many lines short in awaits. */
  async batch(): Promise<readonly string[] | undefined> {
    const first = await this.next();
    if (!first) return undefined;
    const lines = [first.text];
    for (let end = this.rest.indexOf('\n'); end >= 0; end = this.rest.indexOf('\n')) {
      lines.push(this.rest.slice(0, end));
      this.rest = this.rest.slice(end + 1);
    }
    return lines;
  }

  /** What was read and not taken as a line yet. */
  get remainder(): string {
    return this.rest;
  }
}

/** An input whose reader can take a line and leave the rest to the next reader: what `read` and a child share. */
export class SharedInput implements Input {
  private rest = '';
  constructor(private readonly input: Input) {}
  read(): Promise<string | undefined> {
    if (this.rest === '') return this.input.read();
    const all = this.rest;
    this.rest = '';
    return Promise.resolve(all);
  }
  async line(): Promise<string | undefined> {
    let text = '';
    for (;;) {
      const piece = await this.read();
      if (piece === undefined) return text === '' ? undefined : text;
      const end = piece.indexOf('\n');
      if (end >= 0) {
        this.rest = piece.slice(end + 1);
        return `${text}${piece.slice(0, end)}\n`;
      }
      text += piece;
    }
  }
  get inner(): Input {
    return this.input;
  }
}

export async function readAll(input: Input): Promise<string> {
  const pieces: string[] = [];
  for (let piece = await input.read(); piece !== undefined; piece = await input.read()) pieces.push(piece);
  return pieces.join('');
}

export const textInput = (text: string): Input => {
  let left: string | undefined = text === '' ? undefined : text;
  return {
    read: () => {
      const piece = left;
      left = undefined;
      return Promise.resolve(piece);
    },
  };
};
export const noInput: Input = { read: () => Promise.resolve(undefined) };
