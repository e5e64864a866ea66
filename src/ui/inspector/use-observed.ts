import { useEffect, useState } from 'react';
import type { TextResponse } from '../../hosts/connect.ts';
import { useApp } from '../app-context.ts';

const EVERY_MS = 1_000;

/** A read that does not disturb the world, repeated each second while it lives on: what the API answers to `url` now. */
export function useObserved(url: string | undefined, accept = 'application/json'): { readonly answer: TextResponse | undefined; readonly error: string } {
  const { world, cluster } = useApp();
  const [answer, setAnswer] = useState<TextResponse>();
  const [error, setError] = useState('');
  useEffect(() => {
    if (url === undefined) return;
    let stopped = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let seen = -1;
    const read = async (): Promise<void> => {
      const { events } = cluster.store.getState().clock;
      // Nothing has happened since: the answer would be the same.
      if (events !== seen) {
        seen = events;
        try {
          const got = await world.observe({ method: 'GET', url, headers: { accept } });
          if (!stopped) {
            setAnswer((before) => (before?.status === got.status && before.text === got.text ? before : got));
            setError('');
          }
        } catch (problem) {
          if (!stopped) setError(problem instanceof Error ? problem.message : String(problem));
        }
      }
      if (!stopped) timer = setTimeout(() => void read(), EVERY_MS);
    };
    void read();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [world, cluster, url, accept]);
  return { answer, error };
}
