/** Are a definition's names free? (apiextensions-apiserver `pkg/controller/status/naming_controller.go`) */
import type { Condition, Definition, Names } from './schema.ts';

export interface Naming {
  readonly names: Names;
  readonly accepted: Condition;
}

/** What is accepted of the names asked for, among the other definitions of the same group. */
export function acceptNames(definition: Definition, others: readonly Definition[]): Naming {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const { status } of others) {
    const names = status?.acceptedNames;
    if (!names) continue;
    for (const name of [names.plural, names.singular, ...(names.shortNames ?? [])]) if (name) resources.add(name);
    for (const name of [names.kind, names.listKind]) if (name) kinds.add(name);
  }
  const wanted = definition.spec.names;
  const had: Partial<Names> = definition.status?.acceptedNames ?? {};
  let conflict: { reason: string; message: string } | undefined;
  const check = (name: string | undefined, before: string | undefined, used: ReadonlySet<string>): string | undefined =>
    !name || name === before || !used.has(name) ? undefined : `${JSON.stringify(name)} is already in use`;
  const take = (field: 'plural' | 'singular' | 'kind' | 'listKind', used: ReadonlySet<string>, reason: string): string | undefined => {
    const message = check(wanted[field], had[field], used);
    if (message === undefined) return wanted[field];
    conflict = { reason, message };
    return had[field];
  };
  const plural = take('plural', resources, 'PluralConflict');
  const singular = take('singular', resources, 'SingularConflict');
  const shortErrors = (wanted.shortNames ?? []).flatMap((name) => (had.shortNames?.includes(name) ? [] : (check(name, undefined, resources) ?? [])));
  let shortNames = wanted.shortNames;
  if (shortErrors.length > 0) {
    conflict = { reason: 'ShortNamesConflict', message: shortErrors.length === 1 ? shortErrors[0]! : `[${shortErrors.join(', ')}]` };
    shortNames = had.shortNames;
  }
  const kind = take('kind', kinds, 'KindConflict');
  const listKind = take('listKind', kinds, 'ListKindConflict');
  return {
    names: {
      plural: plural ?? '',
      ...(singular ? { singular } : {}),
      ...(shortNames ? { shortNames } : {}),
      kind: kind ?? '',
      ...(listKind ? { listKind } : {}),
      ...(wanted.categories ? { categories: wanted.categories } : {}),
    },
    accepted: conflict
      ? { type: 'NamesAccepted', status: 'False', ...conflict }
      : { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' },
  };
}
