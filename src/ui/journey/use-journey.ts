/** What the world says of journeys. */
import type { Journey, JourneyQuery, JourneyRequest } from '../../hosts/protocol.ts';
import { useApp } from '../app-context.ts';
import { useAsked } from '../use-asked.ts';

/** Virtual microseconds after which little more follows from a request: its tree is left alone then. */
const SETTLED = 120_000_000;

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
