/**
 * Virtual time. The world owns exactly one clock; nothing in it can see the wall's.
 */

/** Microseconds since the world began. Always an integer. */
export type Instant = number;

/** Microseconds. Built with `seconds(10)` or `ms(3)`, never by hand. */
export type Duration = number;

/** What cancels a timer. Calling it twice, or after the timer fired, does nothing. */
export type Cancel = () => void;

export const us = (n: number): Duration => Math.round(n);
export const ms = (n: number): Duration => Math.round(n * 1_000);
export const seconds = (n: number): Duration => Math.round(n * 1_000_000);
export const minutes = (n: number): Duration => Math.round(n * 60_000_000);
export const hours = (n: number): Duration => Math.round(n * 3_600_000_000);
export const inSeconds = (d: Duration): number => d / 1_000_000;

/** A process's view of time. Timers of a killed process never fire. */
export interface Clock {
  now(): Instant;
  /** Resolves after `duration` of virtual time; never, if the process that sleeps is killed. */
  sleep(duration: Duration): Promise<void>;
  /** For hot paths that need no coroutine: packets, Raft ticks, replies. */
  after(duration: Duration, callback: () => void): Cancel;
  /** Says that a promise of the world is about to resolve. `sleep`, `defer` and `Mailbox` do it themselves; whoever keeps a resolver of its own calls this first. */
  wake(): void;
}
