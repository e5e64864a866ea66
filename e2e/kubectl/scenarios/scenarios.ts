/** All scenarios, by the world they share. */
import type { Family } from '../scenario.ts';
import { apply } from './apply.ts';
import { change } from './change.ts';
import { create, remove } from './create-delete.ts';
import { describe } from './describe.ts';
import { fixture, get } from './get.ts';
import { information } from './information.ts';
import { kinds, odds } from './more.ts';
import { nodes, workloads } from './workloads.ts';

export const FAMILIES: readonly Family[] = [
  { name: 'reading', scenarios: [fixture, ...get, ...describe, ...kinds, ...information] },
  { name: 'writing', scenarios: [...apply, ...create, ...remove] },
  { name: 'changing', scenarios: [...change, ...odds] },
  { name: 'running', scenarios: [...nodes, ...workloads] },
];
