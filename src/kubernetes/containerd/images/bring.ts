/**
 * The images' programs, brought in when a container first runs one: the registry's table is all a cluster
 * boots with. The clock stands still meanwhile (`Process.outside`), so no world can tell.
 */
import type { Program } from '../../../linux/program.ts';

export const bring =
  (pick: (all: typeof import('./programs.ts')) => Program): Program =>
  async (self) =>
    pick(await self.process.outside(import('./programs.ts')))(self);
