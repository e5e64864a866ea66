/** What the world says of journeys, asked again while time goes on. Asking changes nothing there. */
import { useEffect, useState } from 'react';
import type { Journey, JourneyQuery, JourneyRequest } from '../../hosts/protocol.ts';
import { useApp } from '../app-context.ts';

const EVERY_MS = 700;
/** Virtual microseconds after which little more follows from a request: its tree is left alone then. */
const SETTLED = 120_000_000;

/** Repeats `ask` while events happen; `idle` says when it need not. The answer of an older question is dropped. */
function useAsked<T>(
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

/** The journey of fact `id`. `forgotten`: the world remembers no such request. */
export function useJourney(id: number | undefined): { readonly journey: Journey | undefined; readonly forgotten: boolean } {
  const { world } = useApp();
  const key = String(id ?? '');
  const { answer, asked } = useAsked<Journey | undefined | null>(
    async () => (id === undefined ? null : await world.journey(id)),
    key,
    (journey, now) => journey === null || (journey !== undefined && journey.request.code !== undefined && now - journey.request.at > SETTLED),
  );
  const mine = asked === key && answer !== null;
  return { journey: mine ? (answer ?? undefined) : undefined, forgotten: mine && id !== undefined && answer === undefined && asked === key };
}

export interface Requests {
  readonly requests: readonly JourneyRequest[];
  readonly more: boolean;
}
export function useRequests(query: JourneyQuery): Requests | undefined {
  const { world } = useApp();
  const key = JSON.stringify(query);
  const { answer, asked } = useAsked(
    () => world.journeys(query),
    key,
    () => false,
  );
  // An answer to what was asked before is none.
  return asked === key ? answer : undefined;
}
