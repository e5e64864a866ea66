/** Controllers whose code comes with the first object that concerns them: many a cluster never has one. */
import { defer } from '../../sim/mailbox.ts';
import type { DeepReadonly } from '../api/json.ts';
import type { Kind, Kinds } from '../api/types.gen.ts';
import type { Runnable } from './controller.ts';

/**
 * A controller that sleeps until there is an object of one of the kinds (one that `concerns` it, if that is told), then
 * is brought in and runs for good. The clock stands still meanwhile (`Process.outside`), so no world can tell.
 */
export const late = <K extends Kind>(
  name: string,
  kinds: readonly K[],
  bring: () => Promise<Runnable>,
  concerns: (object: DeepReadonly<Kinds[K]>) => boolean = () => true,
): Runnable => ({
  name,
  ...(kinds[0] ? { for: kinds[0] } : {}),
  run: (manager) => async (self) => {
    const needed = defer<void>(self.clock);
    const stop = kinds.map((kind) =>
      manager.informers.of(kind).onChange(({ after }) => {
        if (after && concerns(after as DeepReadonly<Kinds[K]>)) needed.resolve();
      }),
    );
    await needed.promise;
    for (const each of stop) each();
    const runnable = await self.outside(bring());
    await runnable.run(manager)(self);
  },
});
