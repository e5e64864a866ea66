/** Where members stand: on a circle, the first at the top, in the order of their names for ever. A function of their number and the size of the stage only. */
export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface Stage {
  readonly width: number;
  readonly height: number;
}
export const memberRadius = ({ width, height }: Stage, count: number): number =>
  Math.max(20, Math.min(width < 560 ? 26 : 36, Math.min(width, height) / (count > 5 ? 11 : 9)));

/** Whether there is room for names beside the circle; else they stand below their members. */
export const namesBeside = ({ width }: Stage): boolean => width >= 560;

/** Room for a name below and a crown above. */
const BELOW = 36;
const ABOVE = 30;

export function placesOf(stage: Stage, count: number): readonly Point[] {
  const r = memberRadius(stage, count);
  const beside = namesBeside(stage);
  const below = beside ? 12 : BELOW;
  const rx = Math.max(0, Math.min(stage.width / 2 - r - (beside ? 140 : 40), 280));
  const ry = Math.max(0, (stage.height - ABOVE - below) / 2 - r - 8);
  // Wider than high, so that the names between do not meet.
  const x = Math.min(rx, ry * (count > 5 ? 2 : 1.5));
  const centre = { x: stage.width / 2, y: ABOVE + (stage.height - ABOVE - below) / 2 };
  if (count === 1) return [centre];
  const points = Array.from({ length: count }, (_, i) => {
    const angle = (i / count) * 2 * Math.PI - Math.PI / 2;
    return { x: Math.cos(angle) * x, y: Math.sin(angle) * ry };
  });
  // Three of them leave the lower quarter of the circle empty: the picture stands in the middle all the same.
  const low = Math.max(...points.map(({ y }) => y));
  const high = Math.min(...points.map(({ y }) => y));
  return points.map((point) => ({ x: centre.x + point.x, y: centre.y + point.y - (low + high) / 2 }));
}

/** Where a message is, to the right of its wire as it flies, so that the answer does not meet it. */
export function onTheWay(from: Point, to: Point, progress: number, radius: number): Point & { readonly angle: number } {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const length = Math.hypot(dx, dy) || 1;
  const free = Math.max(0, length - 2 * radius);
  const along = (radius + free * Math.min(1, Math.max(0, progress))) / length;
  return { x: from.x + dx * along - (dy / length) * 11, y: from.y + dy * along + (dx / length) * 11, angle: (Math.atan2(dy, dx) * 180) / Math.PI };
}

/** The part of a circle from the top, clockwise, as an SVG path; `share` of it, 0 to 1. */
export function arc(r: number, share: number): string {
  if (share <= 0) return '';
  const part = Math.min(share, 0.9999);
  const angle = part * 2 * Math.PI - Math.PI / 2;
  return `M0 ${-r}A${r} ${r} 0 ${part > 0.5 ? 1 : 0} 1 ${(Math.cos(angle) * r).toFixed(2)} ${(Math.sin(angle) * r).toFixed(2)}`;
}

/**
 * Sides of a wall: members that hear each other, directly or through others. One side: no wall.
 * Index of the side by member.
 */
export function sidesOf(names: readonly string[], cut: readonly (readonly [string, string])[]): ReadonlyMap<string, number> {
  const broken = new Set(cut.map(([a, b]) => `${a}>${b}`));
  const side = new Map<string, number>();
  let sides = 0;
  for (const start of names) {
    if (side.has(start)) continue;
    const waiting = [start];
    side.set(start, sides);
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
      for (const other of names)
        if (!side.has(other) && (!broken.has(`${next}>${other}`) || !broken.has(`${other}>${next}`))) {
          side.set(other, sides);
          waiting.push(other);
        }
    sides++;
  }
  return side;
}
