/**
 * Something that runs and can crash: a kubelet, a controller manager, a container.
 *
 * A crash is silence: the timers of a killed process never fire and so its promises never settle; no
 * clean-up runs. Recovery is the next start, from what was written down.
 */
import type { Clock } from './clock.ts';
import type { Rng } from './rng.ts';
import type { Tracer } from './trace.ts';

export interface Process {
  readonly name: string;
  readonly clock: Clock;
  /** A stream of luck of its own, by name. */
  readonly rng: Rng;
  readonly trace: Tracer;
  readonly alive: boolean;
  /** Goes silent, with every process it spawned. */
  kill(): void;
  /** Whether it stands still (SIGSTOP). */
  readonly paused: boolean;
  /** Stands still with every process it spawned: timers that come due wait. Whoever brings it a message does so through {@link whenRunning}. */
  pause(): void;
  /** Goes on (SIGCONT): what came due meanwhile fires now, in order. */
  resume(): void;
  /** Makes its clock, and those of the processes it spawned, run too fast or too slowly: so many thousandths of a second pass for it in one. Timers that are set already stay. Throws RangeError. */
  setClockRate(permille: number): void;
  /** Waits for work outside of the world that takes real time (a part of the program to be loaded) while the clock stands still, so that no world can tell how long it took. Several such waits end in the order they began. */
  outside<T>(work: Promise<T>): Promise<T>;
  /** A child: dies with this one, if not before. */
  spawn(name: string, main: Main): Process;
  /** Called once, at the instant of death (killed, ended or crashed); for whoever supervises it. Returns the function that stops listening. */
  onExit(listener: (exit: Exit) => void): () => void;
}

/** How a process ended: by itself, by an uncaught error, or killed from outside. */
export type Exit = { readonly how: 'ended' } | { readonly how: 'crashed'; readonly error: Error } | { readonly how: 'killed' };

export type Main = (self: Process) => Promise<void>;

/** What a main awaits that has set up its listeners and stays: returning ends the process, and with it its timers. */
export const forever = (): Promise<never> => new Promise<never>(() => {});

/** What reaches a process from outside is taken in when it runs: of one that is paused it waits in the socket, in order. */
export function whenRunning(process: Process, act: () => void): void {
  if (process.paused) process.clock.after(0, act);
  else act();
}
