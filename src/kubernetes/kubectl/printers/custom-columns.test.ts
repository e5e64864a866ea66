import { expect, test } from 'vitest';
import { printCustomColumns } from './custom-columns.ts';

const ITEMS = [
  { metadata: { name: 'web-1', labels: { app: 'web', tier: 'front' } }, spec: { containers: [{ image: 'nginx' }, { image: 'side' }], priority: 0 } },
  { metadata: { name: 'a-longer-name' }, spec: { containers: [{ image: 'redis' }] } },
];

test('columns as wide as their widest value, nothing as <none>', () => {
  expect(printCustomColumns('NAME:.metadata.name,IMG:.spec.containers[*].image,P:spec.priority', ITEMS, false)).toBe(
    ['NAME            IMG          P', 'web-1           nginx,side   0', 'a-longer-name   redis        <none>', ''].join('\n'),
  );
});

test('maps and lists as Go prints them', () => {
  expect(printCustomColumns('L:{.metadata.labels},C:.spec.containers', ITEMS.slice(0, 1), true)).toBe(
    'map[app:web tier:front]   [map[image:nginx] map[image:side]]\n',
  );
});

test.each([
  ['', 'custom-columns format specified but no custom columns given'],
  ['bad', 'unexpected custom-columns spec: bad, expected <header>:<json-path-expr>'],
  ['A:.b[', 'unterminated array'],
])('%j is no spec', (spec, message) => {
  expect(() => printCustomColumns(spec, ITEMS, false)).toThrow(new Error(message));
});
