/** Arrow keys: from a thing to the nearest one in that direction, by geometry alone. */
import type { Box } from './layout.ts';
import { centre } from './layout.ts';

export type Direction = 'left' | 'right' | 'up' | 'down';

export interface Candidate {
  readonly id: string;
  readonly box: Box;
}

/** The nearest candidate in a direction; straying sideways counts double. Nothing when there is none. */
export function nearest(from: Box, candidates: readonly Candidate[], direction: Direction): Candidate | undefined {
  const at = centre(from);
  let best: Candidate | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const to = centre(candidate.box);
    const dx = to.x - at.x;
    const dy = to.y - at.y;
    const ahead = direction === 'left' ? -dx : direction === 'right' ? dx : direction === 'up' ? -dy : dy;
    const aside = Math.abs(direction === 'left' || direction === 'right' ? dy : dx);
    if (ahead < 1) continue;
    const distance = ahead + 2 * aside;
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}
