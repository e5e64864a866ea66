/** Conditions: the list of `{type, status, reason, message, lastTransitionTime}` in an object's status. */

export interface ConditionLike {
  readonly type: string;
  readonly status: string;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly lastTransitionTime?: string | undefined;
}

export const findCondition = <C extends { readonly type: string }>(conditions: readonly C[] | undefined, type: string): C | undefined =>
  conditions?.find((condition) => condition.type === type);

/** Whether the condition is there with status `True`. */
export const isTrue = (conditions: readonly ConditionLike[] | undefined, type: string): boolean => findCondition(conditions, type)?.status === 'True';

/**
 * The list with `condition` in it. The time of the last transition is kept when the status stays the same
 * (podutil.UpdatePodCondition); the same list when nothing changes at all.
 */
export function setCondition<C extends ConditionLike>(conditions: readonly C[] | undefined, condition: C): readonly C[] {
  const list = conditions ?? [];
  const at = list.findIndex((c) => c.type === condition.type);
  const before = list[at];
  if (!before) return [...list, condition];
  const after =
    before.status === condition.status ? { ...condition, lastTransitionTime: before.lastTransitionTime ?? condition.lastTransitionTime } : condition;
  if (sameFields(before, after)) return list;
  return list.map((c, i) => (i === at ? after : c));
}

/** The list without the condition of that type. */
export const removeCondition = <C extends { readonly type: string }>(conditions: readonly C[] | undefined, type: string): readonly C[] =>
  conditions?.some((c) => c.type === type) ? conditions.filter((c) => c.type !== type) : (conditions ?? []);

function sameFields(a: object, b: object): boolean {
  const x = a as Record<string, unknown>;
  const y = b as Record<string, unknown>;
  for (const key in x) if (x[key] !== y[key]) return false;
  for (const key in y) if (!(key in x) && y[key] !== undefined) return false;
  return true;
}
