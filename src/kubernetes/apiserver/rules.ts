/** The kinds' own rules, by resource: defaults and validation, which are written kind by kind in their folders. */
import type { KubeObject } from '../api/meta.ts';
import { ApiError } from '../api/request.ts';
import type { ResourceRow } from '../api/resources.ts';
import type { Job } from '../api/types.gen.ts';
import type { ApiService } from './aggregator/availability.ts';
import { aggregatorBundle } from './aggregator/gate.ts';
import { customOf } from './apiextensions/custom-kind.ts';
import { extensionsBundle, isDefinition } from './apiextensions/gate.ts';
import { border } from './border.ts';
import { applyDefaults } from './defaults/defaults.ts';
import type { Rules } from './registry/store.ts';

export const kindRules: Rules = {
  defaults: (row: ResourceRow, object: KubeObject) =>
    customOf(row)?.defaults(object) ?? (isDefinition(row) ? extensionsBundle().definitionDefaults(object) : applyDefaults(row.type, object)),
  validate(row, object, old, warn = () => {}, subresource = '') {
    const { invalidStatus, jobWarnings, validate } = border();
    const custom = customOf(row);
    const errors = custom
      ? custom.validate(object, old, warn)
      : isDefinition(row)
        ? extensionsBundle().definitionErrors(object, old)
        : row.type === 'APIService'
          ? aggregatorBundle().apiServiceErrors(object as ApiService)
          : validate(row.type, object, old, subresource);
    if (errors.length > 0) throw new ApiError(invalidStatus(row.kind, row.group, object.metadata.name ?? '', errors));
    if (row.type === 'Job' && subresource === '') for (const text of jobWarnings(object as Job, old as Job | undefined)) warn(text);
  },
};
