import { expect, test } from 'vitest';
import { type Direction, nearest } from './moves.ts';

const box = (x: number, y: number) => ({ x, y, w: 10, h: 10 });
const grid = [0, 1, 2].flatMap((row) => [0, 1, 2].map((column) => ({ id: `${column},${row}`, box: box(column * 20, row * 20) })));

test.each<[Direction, string]>([
  ['left', '0,1'],
  ['right', '2,1'],
  ['up', '1,0'],
  ['down', '1,2'],
])('%s of the middle of a grid is %s', (direction, id) => {
  const from = grid.find((one) => one.id === '1,1')!;
  expect(
    nearest(
      from.box,
      grid.filter((one) => one !== from),
      direction,
    )?.id,
  ).toBe(id);
});

test('beyond the edge there is nothing', () => {
  expect(nearest(box(0, 0), grid.slice(1), 'left')).toBeUndefined();
});

test('straight ahead is preferred to nearer but aside', () => {
  const candidates = [
    { id: 'aside', box: box(15, 30) },
    { id: 'ahead', box: box(50, 0) },
  ];
  expect(nearest(box(0, 0), candidates, 'right')?.id).toBe('ahead');
});
