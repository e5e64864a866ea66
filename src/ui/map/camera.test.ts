import { expect, test } from 'vitest';
import { fitTo, levelOf, reveal, toScreen, zoomStep } from './camera.ts';
import { TILE } from './layout.ts';

const at = (tileWidth: number) => tileWidth / TILE.w;
const NONE = { top: 0, right: 0, bottom: 0, left: 0 };

test.each([
  [23, 0],
  [24, 1],
  [119, 1],
  [121, 2],
  [479, 2],
  [481, 3],
])('a tile of %i px is at level %i', (width, level) => {
  expect(levelOf(at(width))).toBe(level);
});

test('a level is left only ten per cent beyond its edge', () => {
  expect(levelOf(at(125), 1)).toBe(1);
  expect(levelOf(at(133), 1)).toBe(2);
  expect(levelOf(at(112), 2)).toBe(2);
  expect(levelOf(at(107), 2)).toBe(1);
  expect(levelOf(at(500), 1)).toBe(2);
});

test('fit puts all of a box into what is left free', () => {
  const camera = fitTo({ x: -100, y: -50, w: 2000, h: 400 }, 1000, 800, { ...NONE, right: 300 });
  const seen = toScreen({ x: -100, y: -50, w: 2000, h: 400 }, camera);
  expect(seen.x).toBeCloseTo(0);
  expect(seen.x + seen.w).toBeCloseTo(700);
  expect(seen.y + seen.h).toBeLessThanOrEqual(800);
});

test('reveal moves no further than it must, and not at all for what is in view', () => {
  const camera = { x: 0, y: 0, zoom: 1 };
  expect(reveal({ x: 100, y: 100, w: 50, h: 50 }, camera, 800, 600, NONE)).toBe(camera);
  expect(reveal({ x: 900, y: 100, w: 50, h: 50 }, camera, 800, 600, NONE)).toEqual({ x: -174, y: 0, zoom: 1 });
});

test('keys zoom by the fixed ladder about the centre', () => {
  const next = zoomStep({ x: 0, y: 0, zoom: 0.97 }, 1, 800, 600);
  expect(next.zoom).toBe(1);
  expect((400 - next.x) / next.zoom).toBeCloseTo(400 / 0.97);
  expect(zoomStep({ x: 0, y: 0, zoom: 1 }, -1, 800, 600).zoom).toBe(0.5);
});
