/** The kinds' own rules, by resource: defaults and validation, which are written kind by kind in their folders. */
import type { KubeObject } from '../api/meta.ts';
import type { ResourceRow } from '../api/resources.ts';
import { applyDefaults } from './defaults/defaults.ts';
import type { Rules } from './registry/store.ts';

export const kindRules: Rules = {
  defaults: (row: ResourceRow, object: KubeObject) => applyDefaults(row.type, object),
  validate: () => {},
};
