/** All scenarios, by the world they share. */
import type { Family } from '../scenario.ts';
import { describe } from './describe.ts';
import { fixture, get } from './get.ts';
import { information } from './information.ts';

export const FAMILIES: readonly Family[] = [{ name: 'reading', scenarios: [fixture, ...get, ...describe, ...information] }];
