/** Lists of tolerations (pkg/util/tolerations). */
import type { Toleration } from '../../api/types.gen.ts';

/** `a` tolerates whatever `b` does. */
export function covers(a: Toleration, b: Toleration): boolean {
  if (a.key !== undefined && a.key !== '' && a.key !== b.key) return false;
  if (a.effect !== undefined && a.effect !== '' && a.effect !== b.effect) return false;
  if (a.effect === 'NoExecute' && a.tolerationSeconds !== undefined && (b.tolerationSeconds === undefined || b.tolerationSeconds > a.tolerationSeconds))
    return false;
  if (a.operator === 'Exists') return true;
  return b.operator !== 'Exists' && (a.value ?? '') === (b.value ?? '');
}

/** Both lists together, without those that another one covers. */
export function mergedTolerations(first: readonly Toleration[], second: readonly Toleration[]): Toleration[] {
  const all = [...first, ...second];
  return all.filter((toleration, i) => !all.some((other, j) => j !== i && covers(other, toleration) && (j < i || !covers(toleration, other))));
}
