/** What the world says of something, asked again while time goes on. Asking changes nothing there. */
import { useEffect, useState } from 'react';
import { useApp } from './app-context.ts';

const EVERY_MS = 700;

/** Repeats `ask` while events happen; `idle` says when it need not. The answer of an older question is dropped. */
export function useAsked<T>(
  ask: () => Promise<T>,
  key: string,
  idle: (answer: T, now: number) => boolean,
): { readonly answer: T | undefined; readonly asked: string } {
  const { cluster } = useApp();
  const [kept, setKept] = useState<{ readonly answer: T; readonly asked: string }>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key says what is asked
  useEffect(() => {
    let stopped = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let seen = -1;
    let last: T | undefined;
    const turn = async (): Promise<void> => {
      const { events, now } = cluster.store.getState().clock;
      if (events !== seen && !(last !== undefined && idle(last, now))) {
        seen = events;
        try {
          last = await ask();
          if (!stopped) setKept({ answer: last, asked: key });
        } catch {
          // The world ended; a new one is asked at the next turn.
        }
      }
      if (!stopped) timer = setTimeout(() => void turn(), EVERY_MS);
    };
    void turn();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [cluster, key]);
  return { answer: kept?.answer, asked: kept?.asked ?? '' };
}
