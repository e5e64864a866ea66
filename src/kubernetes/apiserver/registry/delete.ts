/**
 * How an object goes: its grace period, and the finalizers by which the garbage collector hears of the
 * caller's wish (apiserver `rest.BeforeDelete`, `deletionFinalizersForGarbageCollection`).
 */
import { type Instant, seconds } from '../../../sim/clock.ts';
import type { KubeObject } from '../../api/meta.ts';
import { instantOf, timestamp } from '../../api/time.ts';
import type { DeleteOptions, Strategy } from './strategy.ts';

export const ORPHAN = 'orphan';
export const FOREGROUND = 'foregroundDeletion';

/** The object marked for deletion in `period` seconds; `pending` when it is already going at least as soon. */
export function gracefulDelete(old: KubeObject, options: DeleteOptions, period: number, now: Instant): KubeObject | 'pending' {
  const { deletionTimestamp, deletionGracePeriodSeconds: running, generation } = old.metadata;
  if (deletionTimestamp) {
    // A first attempt marked it and then failed to delete it: finish that.
    if (running === undefined || running === 0) return old;
    const wanted = options.gracePeriodSeconds ?? running;
    // A grace period may only be shortened, counted from when the deletion was asked for.
    if (wanted >= running) return 'pending';
    const asked = (instantOf(deletionTimestamp) ?? now) - seconds(running);
    return { ...old, metadata: { ...old.metadata, deletionTimestamp: timestamp(asked + seconds(wanted)), deletionGracePeriodSeconds: wanted } };
  }
  return {
    ...old,
    metadata: {
      ...old.metadata,
      deletionTimestamp: timestamp(now + seconds(period)),
      deletionGracePeriodSeconds: period,
      ...(generation !== undefined && generation > 0 ? { generation: generation + 1 } : {}),
    },
  };
}

/** The finalizers an object has after a delete with these options: those of its own, and the collector's as asked. */
export function finalizersAfterDelete(object: KubeObject, options: DeleteOptions, strategy: Strategy): readonly string[] {
  const finalizers = object.metadata.finalizers ?? [];
  if (strategy.collects === false) return finalizers;
  const orphan = wants(options, ORPHAN, finalizers, strategy);
  const foreground = wants(options, FOREGROUND, finalizers, strategy);
  const others = finalizers.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND);
  return orphan || foreground
    ? [...others, ...(orphan ? [ORPHAN] : []), ...(foreground ? [FOREGROUND] : [])]
    : others.length === finalizers.length
      ? finalizers
      : others;
}

function wants(options: DeleteOptions, which: typeof ORPHAN | typeof FOREGROUND, finalizers: readonly string[], strategy: Strategy): boolean {
  if (options.orphanDependents !== undefined && options.orphanDependents !== null) return which === ORPHAN && options.orphanDependents;
  if (options.propagationPolicy) return options.propagationPolicy === (which === ORPHAN ? 'Orphan' : 'Foreground');
  if (finalizers.includes(which)) return true;
  if (finalizers.includes(ORPHAN) || finalizers.includes(FOREGROUND)) return false;
  return which === ORPHAN && strategy.orphansByDefault === true;
}
