import { expect, test } from 'vitest';
import { applets } from './applets/applets.ts';
import { APPLET_NAMES } from './lazy.ts';

test('every applet can be brought in, and nothing else', () => {
  expect([...APPLET_NAMES].sort()).toEqual(Object.keys(applets).sort());
});
