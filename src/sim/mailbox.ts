/**
 * Promises that the loop knows about: the only two ways world code keeps a resolver.
 */
import type { Clock } from './clock.ts';

export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

/** A promise settled by whoever holds it; settling wakes the loop. */
export function defer<T>(clock: Pick<Clock, 'wake'>): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return {
    promise,
    resolve: (value) => {
      clock.wake();
      resolve(value);
    },
    reject: (error) => {
      clock.wake();
      reject(error);
    },
  };
}

/** First in, first out; `take` waits while it is empty. Takers are served in the order they came. */
export class Mailbox<T> {
  private readonly items: T[] = [];
  private readonly takers: ((item: T) => void)[] = [];
  constructor(private readonly clock: Pick<Clock, 'wake'>) {}

  get length(): number {
    return this.items.length;
  }

  put(item: T): void {
    const taker = this.takers.shift();
    if (!taker) this.items.push(item);
    else {
      this.clock.wake();
      taker(item);
    }
  }

  take(): Promise<T> {
    if (this.items.length > 0) {
      // Tells the loop somebody is still busy: a long queue drained in one instant is a long chain of awaits.
      this.clock.wake();
      return Promise.resolve(this.items.shift()!);
    }
    return new Promise((resolve) => this.takers.push(resolve));
  }
}
