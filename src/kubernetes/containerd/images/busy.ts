/** CPU use that follows the work done: each request costs so many milliseconds of a core, averaged over a second. */

import type { ProgramContext } from '../../../linux/program.ts';
import { seconds } from '../../../sim/clock.ts';
import { cgroupOf } from '../cgroup.ts';

/** Returns what to call per piece of work, with its cost in milliseconds of CPU. A quiet program sets no timers. */
export function createLoad(self: ProgramContext, idleMilli: number, maxMilli = 1000): (costMs: number) => void {
  const cgroup = cgroupOf(self);
  const { clock } = self.process;
  let cost = 0;
  let ticking = false;
  const tick = (): void => {
    // A millisecond of CPU in a second is a thousandth of a core.
    cgroup.setCpu(Math.min(maxMilli, idleMilli + cost));
    if (cost === 0) ticking = false;
    else clock.after(seconds(1), tick);
    cost = 0;
  };
  return (costMs) => {
    cost += costMs;
    if (ticking) return;
    ticking = true;
    clock.after(seconds(1), tick);
  };
}
