/**
 * The replicated state machine of the runs: registers that are written, read, and compared-and-set.
 *
 * Clients number their commands, and the machine remembers the last one of each, so that a proposal that
 * the network brought twice takes effect once (paper 8).
 */
export type Command =
  | { readonly client: number; readonly number: number; readonly key: number; readonly kind: 'put'; readonly value: number }
  | { readonly client: number; readonly number: number; readonly key: number; readonly kind: 'cas'; readonly expected: number; readonly value: number };

export const encode = (c: Command): string => `${c.client} ${c.number} ${c.key} ${c.value}${c.kind === 'cas' ? ` ${c.expected}` : ''}`;

export function decode(data: string): Command {
  const [client = 0, number = 0, key = 0, value = 0, expected] = data.split(' ').map(Number);
  return expected === undefined ? { client, number, key, value, kind: 'put' } : { client, number, key, value, kind: 'cas', expected };
}

interface Session {
  readonly number: number;
  readonly done: boolean;
}

/** A register that was never written holds 0. */
export class Registers {
  private readonly values: number[];
  private sessions = new Map<number, Session>();

  constructor(keys: number) {
    this.values = new Array<number>(keys).fill(0);
  }

  read(key: number): number {
    return this.values[key]!;
  }

  /** False when a compare-and-set found something else. */
  apply(command: Command): boolean {
    const session = this.sessions.get(command.client);
    if (session && session.number >= command.number) return session.done;
    const done = command.kind === 'put' || this.values[command.key] === command.expected;
    if (done) this.values[command.key] = command.value;
    this.sessions.set(command.client, { number: command.number, done });
    return done;
  }

  save(): string {
    const sessions = [...this.sessions].map(([client, { number, done }]) => `${client} ${number} ${done ? 1 : 0}`);
    return `${this.values.join(' ')}|${sessions.join(',')}`;
  }

  load(data: string): void {
    const [values = '', sessions = ''] = data.split('|');
    const numbers = values === '' ? [] : values.split(' ').map(Number);
    for (let i = 0; i < this.values.length; i++) this.values[i] = numbers[i] ?? 0;
    this.sessions = new Map();
    if (sessions === '') return;
    for (const session of sessions.split(',')) {
      const [client = 0, number = 0, done = 0] = session.split(' ').map(Number);
      this.sessions.set(client, { number, done: done === 1 });
    }
  }
}
