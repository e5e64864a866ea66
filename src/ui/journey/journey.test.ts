/** The parts of the Journey view that need no page. */
import { describe, expect, test } from 'vitest';
import type { JourneyNode } from '../../hosts/protocol.ts';
import { isTable, twinOf, VIEWS, viewOf } from '../views.ts';
import { doneText, rowsOf } from './followed.tsx';
import { codeText, microsText, nameText } from './stage-words.ts';
import { linesOf } from './yaml-diff.tsx';

const told = (lines: ReturnType<typeof linesOf>): string[] => lines.map(({ kind, text }) => `${kind} ${text}`);

describe('the difference of two objects', () => {
  const before = {
    kind: 'Pod',
    metadata: { name: 'a', managedFields: [{ manager: 'kubectl' }] },
    spec: { one: 1, two: 2, three: 3, four: 4, five: 5, six: 6 },
  };

  test('is the lines that changed, with three around them', () => {
    const after = { ...before, spec: { ...before.spec, six: 7 } };
    expect(told(linesOf({ title: '', before, after }, false))).toEqual([
      'gap ',
      'same   three: 3',
      'same   four: 4',
      'same   five: 5',
      'removed   six: 6',
      'added   six: 7',
    ]);
  });
  test('is every line of what came to be, and of what ceased to be', () => {
    expect(told(linesOf({ title: '', after: { kind: 'Pod' } }, false))).toEqual(['added kind: Pod']);
    expect(told(linesOf({ title: '', before: { kind: 'Pod' } }, false))).toEqual(['removed kind: Pod']);
  });
  test('leaves managed fields out until they are wanted', () => {
    const after = { ...before, metadata: { name: 'a', managedFields: [{ manager: 'helm' }] } };
    expect(linesOf({ title: '', before, after }, false)).toEqual([]);
    expect(told(linesOf({ title: '', before, after }, true))).toContain('added     - manager: helm');
  });
});

test.each([
  [0, '0 µs'],
  [254, '254 µs'],
  [2_261, '2.26 ms'],
  [41_230, '41.2 ms'],
  [1_300_000, '1.30 s'],
  [61_000_000, '61.0 s'],
])('%i µs is told as %s', (micros, text) => expect(microsText(micros)).toBe(text));

test('codes and names in words', () => {
  expect(codeText(undefined)).toBe('under way');
  expect(codeText(201)).toBe('201 Created');
  expect(codeText(403, 'Forbidden')).toBe('403 Forbidden');
  expect(nameText('Pod/default/web-1')).toBe('Pod default/web-1');
});

test('the tree folds, and each who acted is told in a few words', () => {
  const node = (id: number, children: JourneyNode[] = [], types: string[] = []): JourneyNode => ({
    id,
    kind: 'actor',
    at: 0,
    title: 'x',
    about: '',
    steps: types.map((type) => ({ id, at: 0, type, text: '' })),
    children,
  });
  const tree = [node(1, [node(2, [node(3)])]), node(4)];
  expect(rowsOf(tree, (_, level) => level < 2).map(({ node: { id }, level }) => [id, level])).toEqual([
    [1, 1],
    [2, 2],
    [4, 1],
  ]);
  expect(doneText(node(1, [], ['queue.add', 'queue.get', 'reconcile.start', 'reconcile.end', 'queue.done', 'queue.add', 'reconcile.start']))).toBe(
    'informer → queue → reconcile',
  );
});

describe('views', () => {
  test('each has a key and an address of its own; an unknown address is the map', () => {
    expect(new Set(VIEWS.map(({ key }) => key)).size).toBe(VIEWS.length);
    expect(viewOf('journey').id).toBe('journey');
    expect(viewOf('nowhere').id).toBe('map');
    expect(viewOf(null).id).toBe('map');
  });
  test('the map’s twin is a view, the journey has its own', () => {
    expect(twinOf({ view: 'map', twin: false })).toEqual({ view: 'table' });
    expect(twinOf({ view: 'table', twin: false })).toEqual({ view: 'map' });
    expect(twinOf({ view: 'journey', twin: false })).toEqual({ twin: true });
    expect(isTable({ view: 'journey', twin: true })).toBe(true);
    expect(isTable({ view: 'map', twin: true })).toBe(false);
  });
});
