/** What people read when a pod stays pending (`framework/types.go` FitError). */
import type { Rejection } from './framework.ts';

/** A reason and how many nodes have it, as they are printed: sorted as text. */
export function countReasons(rejections: Iterable<Rejection>, absent?: { readonly rejection: Rejection; readonly nodes: number }): readonly string[] {
  const counts = new Map<string, number>();
  for (const { reasons } of rejections) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  if (absent && absent.nodes > 0) for (const reason of absent.rejection.reasons) counts.set(reason, (counts.get(reason) ?? 0) + absent.nodes);
  return [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
}

/**
 * `0/4 nodes are available: 1 node(s) …, 3 Insufficient cpu.`
 * @param absent what holds of the nodes without a verdict of their own
 */
export function fitError(total: number, rejections: { readonly size: number; values(): Iterable<Rejection> }, absent?: Rejection): string {
  const lines = countReasons(rejections.values(), absent && { rejection: absent, nodes: total - rejections.size });
  return lines.length === 0 ? `0/${total} nodes are available:` : `0/${total} nodes are available: ${lines.join(', ')}.`;
}
