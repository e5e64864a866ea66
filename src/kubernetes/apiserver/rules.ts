/** The kinds' own rules, by resource: defaults and validation, which are written kind by kind in their folders. */
import type { KubeObject } from '../api/meta.ts';
import { ApiError } from '../api/request.ts';
import type { ResourceRow } from '../api/resources.ts';
import { border } from './border.ts';
import { applyDefaults } from './defaults/defaults.ts';
import type { Rules } from './registry/store.ts';

export const kindRules: Rules = {
  defaults: (row: ResourceRow, object: KubeObject) => applyDefaults(row.type, object),
  validate(row, object, old) {
    const { invalidStatus, validate } = border();
    const errors = validate(row.type, object, old);
    if (errors.length > 0) throw new ApiError(invalidStatus(row.kind, row.group, object.metadata.name ?? '', errors));
  },
};
