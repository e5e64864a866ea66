/** Taints and tolerations, as controllers judge them (pkg/apis/core/v1/helper, component-helpers/scheduling). */
import type { DeepReadonly } from '../api/json.ts';
import type { Taint, Toleration } from '../api/types.gen.ts';

export type ReadonlyTaint = DeepReadonly<Taint>;
export type ReadonlyToleration = DeepReadonly<Toleration>;

export const NOT_READY = 'node.kubernetes.io/not-ready';
export const UNREACHABLE = 'node.kubernetes.io/unreachable';
export const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';
export const MEMORY_PRESSURE = 'node.kubernetes.io/memory-pressure';
export const DISK_PRESSURE = 'node.kubernetes.io/disk-pressure';
export const PID_PRESSURE = 'node.kubernetes.io/pid-pressure';
export const NETWORK_UNAVAILABLE = 'node.kubernetes.io/network-unavailable';

export function tolerates(toleration: ReadonlyToleration, taint: ReadonlyTaint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  if (toleration.operator === 'Exists') return true;
  return !!toleration.key && (toleration.value ?? '') === (taint.value ?? '');
}

export const isTolerated = (tolerations: readonly ReadonlyToleration[] | undefined, taint: ReadonlyTaint): boolean =>
  (tolerations ?? []).some((toleration) => tolerates(toleration, taint));

export const sameTaint = (a: ReadonlyTaint, b: ReadonlyTaint): boolean => a.key === b.key && a.effect === b.effect;
