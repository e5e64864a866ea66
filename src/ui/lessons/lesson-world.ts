/** The page's world as the lesson runner wants it: it can be begun anew, and virtual time can be waited for. */
import type { LessonWorld } from '../../lab/runner.ts';
import type { App } from '../app-context.ts';
import { BOOT_FACTOR } from '../session.ts';

/** Real milliseconds a cluster may take to come up before the lesson gives up on it. */
const PATIENCE_MS = 120_000;

export function lessonWorld(app: App): LessonWorld {
  const { world, session, cluster } = app;
  /** The learner's speed, kept while a lesson is prepared faster. */
  let pace: number | undefined;

  const begin = (topology: string): void => {
    const state = session.getSnapshot();
    if (topology === state.context.session.topology && state.can({ type: 'restart' })) session.send({ type: 'restart' });
    else {
      session.send({ type: 'play' });
      world.boot({ ...state.context.session, topology, inputs: [] }, BOOT_FACTOR);
    }
  };

  return {
    restart: (topology) =>
      new Promise((resolve, reject) => {
        pace ??= session.getSnapshot().context.factor;
        let began = false;
        const stop = (): void => {
          clearTimeout(timer);
          stopFrames();
        };
        const timer = setTimeout(() => {
          stop();
          reject(new Error('The cluster did not come up.'));
        }, PATIENCE_MS);
        const stopFrames = world.onFrame((frame) => {
          if (frame.reset) began = true;
          if (!began || !cluster.isUp()) return;
          stop();
          session.send({ type: 'play' });
          session.send({ type: 'speed', factor: Math.max(BOOT_FACTOR, pace ?? 1) });
          resolve();
        });
        begin(topology);
      }),
    settled: () => {
      if (pace !== undefined) session.send({ type: 'speed', factor: pace });
      pace = undefined;
    },
    run: (command) => world.run(command),
    fault: (fault) => world.fault(fault),
    observe: (request) => world.observe(request),
    watch: (request, handlers) => world.watch(request, handlers),
    wait: (duration) =>
      new Promise((resolve) => {
        const from = cluster.store.getState().clock.now;
        const stop = world.onClock(({ now }) => {
          // Time that goes back is another world: nobody waits for this one any more.
          if (now >= from + duration) resolve();
          if (now >= from + duration || now < from) stop();
        });
      }),
  };
}
