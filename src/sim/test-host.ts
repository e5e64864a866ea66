/** The host tests run on: the exact barrier, no slices. Wall time never matters. */
import type { Host } from './loop.ts';

declare const setImmediate: (callback: () => void) => void;

export const testHost: Host = {
  wallClockMs: () => 0,
  nextTask: () => new Promise((resolve) => setImmediate(resolve)),
  exactBarrier: true,
};

/** The same world settled by quiet microtask turns, as a browser's worker does it. */
export const quietHost: Host = { ...testHost, exactBarrier: false };

declare const process: { nextTick(callback: () => void): void };

/** The same world settled by Node's own queue behind the microtasks, as the headless host does it. */
export const drainedHost: Host = { ...testHost, drained: (callback) => process.nextTick(callback) };
