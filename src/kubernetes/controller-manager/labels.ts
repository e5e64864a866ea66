/** Label selectors as controllers use them. */
import type { DeepReadonly } from '../api/json.ts';
import type { LabelSelector } from '../api/types.gen.ts';

type Labels = DeepReadonly<Record<string, string>> | undefined;

/** True if a LabelSelector matches. An absent or empty selector matches nothing here: a controller must never own everything. */
export function selects(selector: DeepReadonly<LabelSelector> | undefined, labels: Labels): boolean {
  if (!selector || (Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0)) return false;
  if (!hasLabels(selector.matchLabels, labels)) return false;
  return (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = labels?.[key];
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value);
      case 'NotIn':
        return value === undefined || !values.includes(value);
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
      default:
        return false;
    }
  });
}

/** True if every wanted label is there. */
export const hasLabels = (wanted: Labels, labels: Labels): boolean => Object.entries(wanted ?? {}).every(([key, value]) => labels?.[key] === value);
