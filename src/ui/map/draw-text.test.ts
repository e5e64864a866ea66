import { expect, test } from 'vitest';
import type { Context } from '../look/glyphs.ts';
import { clip, lines } from './draw-text.ts';

/** Every letter is six pixels wide. */
const ctx = { font: '11px test', measureText: (text: string) => ({ width: text.length * 6 }) } as unknown as Context;

test.each<[string, number, 1 | 2, readonly string[] | undefined]>([
  ['web', 18, 1, ['web']],
  ['kube-proxy', 60, 1, ['kube-proxy']],
  ['kube-proxy', 40, 1, undefined],
  ['kube-proxy', 40, 2, ['kube-', 'proxy']],
  ['a-long-name', 48, 2, ['a-long-', 'name']],
  ['kube-proxy', 24, 2, undefined],
  ['kindnet', 24, 2, undefined],
])('%s in %i pixels on %i lines at most', (name, room, most, told) => {
  expect(lines(ctx, name, room, most)).toEqual(told);
});

test('what is cut ends in an ellipsis, and nothing is left of what has no room', () => {
  expect(clip(ctx, 'kindnet', 30)).toBe('kind…');
  expect(clip(ctx, 'kindnet', 6)).toBe('');
});
