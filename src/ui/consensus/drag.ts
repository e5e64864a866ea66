/** A message taken with the pointer: pulled off its wire it is lost, pulled back towards its sender it arrives later. */
import type { RaftFlight } from '../../hosts/protocol.ts';
import type { Point } from './geometry.ts';

/** What letting go would do. `by`: microseconds. */
export type Outcome = { readonly kind: 'nothing' } | { readonly kind: 'drop' } | { readonly kind: 'delay'; readonly by: number };

/** Pixels: less is a click; so far off the wire it is lost. */
export const STILL = 5;
export const OFF_THE_WIRE = 40;
/** Over the whole wire; a message that is quicker than this is held back by as much. */
const LEAST_WHOLE = 100_000;
const STEP = 1_000;

/** `moved`: how far it was pulled. The whole way back is as long as it takes for the way, or 100 ms. */
export function outcomeOf(from: Point, to: Point, moved: Point, flight: Pick<RaftFlight, 'sentAt' | 'arrivesAt'>): Outcome {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const length = Math.hypot(dx, dy) || 1;
  const along = (moved.x * dx + moved.y * dy) / length;
  const across = Math.abs(moved.x * dy - moved.y * dx) / length;
  if (across > OFF_THE_WIRE) return { kind: 'drop' };
  if (-along <= STILL) return { kind: 'nothing' };
  const whole = Math.max(LEAST_WHOLE, flight.arrivesAt - flight.sentAt);
  return { kind: 'delay', by: Math.max(STEP, Math.round(((-along / length) * whole) / STEP) * STEP) };
}
