/**
 * What is wrong with a policy's expressions, given the types of what it is about: warnings in its status
 * (apiserver `plugin/policy/validating/typechecking.go`). A policy for kinds by wildcard is not checked.
 *
 * Here simplified: times, quantities and bytes are `dyn`, and so are variables; custom resources are not checked.
 */
import type { DeepReadonly } from '../../../api/json.ts';
import { apiVersionOf, byObject, byPlural, type ResourceRow } from '../../../api/resources.ts';
import { SCHEMA } from '../../../api/schema.ts';
import type { ExpressionWarning, ValidatingAdmissionPolicy } from '../../../api/types.gen.ts';
import { escapeName } from '../../apiextensions/rules.ts';
import { compile } from '../../cel/environment.ts';
import { BOOL, type CelType, DOUBLE, DYN, INT, listOf, mapOf, STRING } from '../../cel/types.ts';
import { namesOf } from './compiled.ts';

type Policy = DeepReadonly<ValidatingAdmissionPolicy>;

/** maxTypesToCheck */
const MOST_TYPES = 10;

const models = new Map<string, CelType>();

function typeOf(type: string): CelType {
  if (type.startsWith('[]')) return listOf(typeOf(type.slice(2)));
  if (type.startsWith('{}')) return mapOf(STRING, typeOf(type.slice(2)));
  if (type.startsWith('#')) return modelType(type.slice(1));
  return { s: STRING, b: BOOL, i32: INT, i64: INT, d: DOUBLE }[type] ?? DYN;
}

function modelType(name: string): CelType {
  const known = models.get(name);
  if (known) return known;
  const model = SCHEMA[name];
  if (!model) return DYN;
  // Models may contain themselves: the type is known before its fields are.
  const fields: Record<string, { name: string; type: CelType }> = {};
  const type: CelType = { kind: 'object', name, fields };
  models.set(name, type);
  for (const [field, each] of Object.entries(model.fields)) fields[escapeName(field) ?? field] = { name: field, type: typeOf(each) };
  return type;
}

/** The kinds the rules name, when they do so without wildcards. */
function rowsOf(policy: Policy): readonly ResourceRow[] {
  const found = new Set<ResourceRow>();
  for (const { apiGroups = [], apiVersions = [], resources = [] } of policy.spec?.matchConstraints?.resourceRules ?? []) {
    if ([...apiGroups, ...apiVersions, ...resources].some((each) => each.includes('*'))) continue;
    for (const group of apiGroups)
      for (const version of apiVersions)
        for (const resource of resources) {
          const row = byPlural(group, version, resource);
          if (row) found.add(row);
        }
  }
  return [...found].sort((a, b) => (named(a) < named(b) ? -1 : 1)).slice(0, MOST_TYPES);
}
/** `apps/v1, Kind=Deployment`, as Go prints a GroupVersionKind. */
const named = (row: ResourceRow): string => `${row.group === '' ? '/' : ''}${apiVersionOf(row)}, Kind=${row.kind}`;

export function typeWarnings(policy: Policy): ExpressionWarning[] {
  const rows = rowsOf(policy);
  if (rows.length === 0) return [];
  const { paramKind, validations = [] } = policy.spec ?? {};
  const params = paramKind && byObject(paramKind);
  const names = namesOf(policy);
  const check = (expression: string): string =>
    rows
      .flatMap((row) => {
        const object = modelType(row.type);
        try {
          compile(expression, { variables: names, typed: { object, oldObject: object, ...(params ? { params: modelType(params.type) } : {}) } });
          return [];
        } catch (error) {
          return [`${named(row)}: ${(error as Error).message.replace(/^compilation failed: /, '')}`];
        }
      })
      .join('\n');
  return validations.flatMap(({ expression, messageExpression }, i) => {
    const of = (field: string, text: string | undefined): ExpressionWarning[] => {
      const warning = text ? check(text) : '';
      return warning === '' ? [] : [{ fieldRef: `spec.validations[${i}].${field}`, warning }];
    };
    return [...of('expression', expression), ...of('messageExpression', messageExpression)];
  });
}
