import { expect, test } from 'vitest';
import { PodFlag } from '../hosts/protocol.ts';
import { parseFilter } from './filter.ts';

const pod = {
  record: { index: 0, uid: 'u', namespace: 'shop', name: 'web-7c9-x2', owner: 'Deployment/web', labels: { app: 'web', tier: 'front' }, createdAt: 0 },
  status: 3,
  flags: PodFlag.Terminating,
  node: 'node-2',
};

test.each([
  ['status:failed', true],
  ['status:healthy', false],
  ['status:terminating', true],
  ['status:pending', false],
  ['app=web', true],
  ['app!=web', false],
  ['tier=back', false],
  ['ns:shop', true],
  ['ns:default', false],
  ['node:node-2', true],
  ['owner:web', true],
  ['web', true],
  ['!web', false],
  ['status:failed app=web', true],
  ['status:failed app=db', false],
])('%s → %s', (text, expected) => {
  expect(parseFilter(text)!(pod)).toBe(expected);
});

test('an empty filter is none', () => {
  expect(parseFilter('  ')).toBeUndefined();
});
