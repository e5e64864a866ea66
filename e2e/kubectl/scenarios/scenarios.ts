/** All scenarios, by the world they share. */
import type { Family } from '../scenario.ts';
import { addressesAndSets } from './addresses-and-sets.ts';
import { admission } from './admission.ts';
import { apply } from './apply.ts';
import { autoscaling } from './autoscaling.ts';
import { change } from './change.ts';
import { config } from './config.ts';
import { createAll } from './create-all.ts';
import { create, remove } from './create-delete.ts';
import { customResources } from './custom-resources.ts';
import { describe } from './describe.ts';
import { describeAll } from './describe-all.ts';
import { fixture, get } from './get.ts';
import { help } from './help.ts';
import { information } from './information.ts';
import { jobs } from './jobs.ts';
import { kustomize } from './kustomize.ts';
import { looseEnds } from './loose-ends.ts';
import { kinds, odds } from './more.ts';
import { security } from './security.ts';
import { serverSide } from './server-side.ts';
import { storage } from './storage.ts';
import { streams } from './streams.ts';
import { templates } from './templates.ts';
import { verbs } from './verbs.ts';
import { nodes, workloads } from './workloads.ts';

export const FAMILIES: readonly Family[] = [
  { name: 'reading', scenarios: [fixture, ...get, ...describe, ...kinds, ...information] },
  { name: 'writing', scenarios: [...apply, ...create, ...remove] },
  { name: 'changing', scenarios: [...change, ...odds] },
  { name: 'running', scenarios: [...nodes, ...workloads] },
  { name: 'extending', scenarios: [...customResources] },
  { name: 'admission', scenarios: admission },
  { name: 'owning', scenarios: [...serverSide] },
  { name: 'building', scenarios: [...kustomize, ...config, ...help] },
  { name: 'streaming', scenarios: [...streams] },
  { name: 'making', scenarios: [...createAll, ...templates] },
  { name: 'securing', scenarios: [...security] },
  { name: 'storing', scenarios: storage },
  { name: 'loose ends', scenarios: looseEnds },
  { name: 'addresses', scenarios: addressesAndSets },
  { name: 'autoscaling', scenarios: autoscaling },
  { name: 'jobs', scenarios: jobs },
  { name: 'verbs', scenarios: [...verbs, ...describeAll] },
];
