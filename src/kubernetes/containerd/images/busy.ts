/** CPU use that follows the work done, for requests so cheap that nobody waits for their computing. */
import type { ProgramContext } from '../../../linux/program.ts';
import { type Duration, ms } from '../../../sim/clock.ts';
import { cgroupOf } from '../cgroup.ts';

/**
 * Returns what to call per piece of work, with its cost in milliseconds of CPU: it says how long the program must pause
 * because it is over its CPU limit, which is 0 nearly always. A quiet program sets no timers, and neither does a busy one.
 */
export function createLoad(self: ProgramContext, idleMilli: number): (costMs: number) => Duration {
  const cgroup = cgroupOf(self);
  cgroup.setCpu(idleMilli);
  return (costMs) => cgroup.charge(ms(costMs));
}
