/** Breakpoints the person has set: kept while the page lives, whichever view is shown. */
import { useSyncExternalStore } from 'react';
import type { Breakpoint } from '../../hosts/protocol.ts';
import type { App } from '../app-context.ts';

let set: readonly Breakpoint[] = [];
const listeners = new Set<() => void>();
const followed = new WeakSet<object>();

export function setBreakpoints(app: App, breakpoints: readonly Breakpoint[]): void {
  set = breakpoints;
  app.world.breakOn(set);
  if (!followed.has(app.world)) {
    followed.add(app.world);
    app.world.onBreak((breakpoint, sentence) => {
      app.session.send({ type: 'pause' });
      app.ui.toast(`Stopped: ${sentence}`);
      app.say(`Stopped: ${sentence}`);
      // A term that was reached is reached for ever: the next one is what can still be waited for.
      if (breakpoint.kind === 'term-above')
        setBreakpoints(
          app,
          set.filter((one) => one.kind !== 'term-above'),
        );
    });
  }
  for (const changed of listeners) changed();
}

export const useBreakpoints = (): readonly Breakpoint[] =>
  useSyncExternalStore(
    (changed) => {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    () => set,
  );
