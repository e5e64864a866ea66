/**
 * Values that go on arriving: a watch, a log, one direction of an exec.
 *
 * Pushed, not pulled: delivering a watch event is the hottest thing an API server does, and a callback
 * costs no promise. `client/` has the `for await` form for those who read at leisure.
 */
export interface StreamReader<T> {
  value(value: T): void;
  /** No more values; with an error when the stream broke rather than closed. Called once. */
  end(error?: Error): void;
}

export interface Stream<T> {
  /** Takes the one reader; values that came before it are handed over at once, in order. */
  read(reader: StreamReader<T>): void;
  /** The reader has had enough; the writer is told. Nothing is delivered afterwards. */
  cancel(): void;
}

/** The writing end and the reading end of one stream in memory. */
export class Pipe<T> implements Stream<T> {
  private reader: StreamReader<T> | undefined;
  private buffer: T[] = [];
  private ended: { error?: Error } | undefined;
  private cancelled = false;
  private readonly cancelListeners: (() => void)[] = [];

  write(value: T): void {
    if (this.cancelled || this.ended) return;
    if (this.reader) this.reader.value(value);
    else this.buffer.push(value);
  }

  close(error?: Error): void {
    if (this.cancelled || this.ended) return;
    this.ended = error ? { error } : {};
    this.reader?.end(error);
  }

  get open(): boolean {
    return !this.cancelled && !this.ended;
  }

  onCancel(listener: () => void): void {
    this.cancelListeners.push(listener);
  }

  read(reader: StreamReader<T>): void {
    if (this.reader) throw new Error('a stream has one reader');
    this.reader = reader;
    const waiting = this.buffer;
    this.buffer = [];
    for (const value of waiting) if (!this.cancelled) reader.value(value);
    if (this.ended && !this.cancelled) reader.end(this.ended.error);
  }

  cancel(): void {
    if (this.cancelled) return;
    this.cancelled = true;
    this.buffer = [];
    if (!this.ended) for (const listener of this.cancelListeners) listener();
  }
}
