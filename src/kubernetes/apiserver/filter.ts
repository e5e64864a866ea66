/**
 * What a list or a watch asks for: selectors compiled, and the most selective thing known about them.
 */
import { FieldSelectorError, fieldValue, matchesFields, parseFieldSelector, unsupportedField } from '../api/field-selector.ts';
import type { KubeObject } from '../api/meta.ts';
import type { ResourceRow } from '../api/resources.ts';
import { parseSelector, SelectorError } from '../api/selector.ts';
import { customOf } from './apiextensions/custom-kind.ts';
import { badRequest } from './errors.ts';
import type { WatchScope } from './resource-cache.ts';

export interface Filter {
  readonly scope: WatchScope;
  /** Undefined: everything in scope. */
  readonly matches: ((object: KubeObject) => boolean) | undefined;
}

/** Throws BadRequest in upstream's words for a selector that cannot be read or a field that cannot be selected by. */
export function createFilter(row: ResourceRow, namespace: string, name: string, labelSelector: string | undefined, fieldSelector: string | undefined): Filter {
  try {
    const custom = customOf(row);
    const labels = labelSelector ? parseSelector(labelSelector) : undefined;
    const fields = fieldSelector ? parseFieldSelector(fieldSelector) : [];
    for (const { field } of fields) {
      const problem = custom
        ? ['metadata.name', 'metadata.namespace', ...custom.selectableFields].includes(field)
          ? undefined
          : `field label not supported: ${field}`
        : unsupportedField(row.type, field);
      if (problem) throw badRequest(problem);
    }
    const exactly = (field: string) => fields.find((requirement) => requirement.field === field && requirement.operator === '=')?.value;
    const byName = name || exactly('metadata.name') || undefined;
    const inNamespace = namespace || exactly('metadata.namespace') || undefined;
    const nodeName = row.plural === 'pods' ? exactly('spec.nodeName') : undefined;
    const scope: WatchScope = { namespace: row.namespaced ? inNamespace : undefined, name: byName, nodeName };
    const byLabels = labels && !labels.empty ? labels : undefined;
    // The file a watcher lies in already says name, or node, or namespace; only what is left needs a look.
    if (!byLabels && fields.length === 0 && !(byName && scope.namespace)) {
      return { scope, matches: undefined };
    }
    return {
      scope,
      matches: (object) =>
        (scope.namespace === undefined || object.metadata.namespace === scope.namespace) &&
        (name === '' || object.metadata.name === name) &&
        (byLabels === undefined || byLabels.matches(object.metadata.labels)) &&
        (fields.length === 0 ||
          (custom
            ? fields.every(
                ({ field, operator, value }) =>
                  ((custom.selectableFields.includes(field) ? custom.selectable(field, object) : fieldValue(row.type, object, field)) === value) ===
                  (operator === '='),
              )
            : matchesFields(row.type, fields, object))),
    };
  } catch (error) {
    if (error instanceof SelectorError)
      throw badRequest(
        `unable to parse requirement: ${error.message}`.replace('unable to parse requirement: unable to parse requirement: ', 'unable to parse requirement: '),
      );
    if (error instanceof FieldSelectorError) throw badRequest(error.message);
    throw error;
  }
}
