/**
 * What a process lays open of itself to whoever looks in from outside (the Loops view): its work queues and the copies
 * it keeps. Noted when they are made; nothing is counted, told or kept for it afterwards.
 */
import type { KubeObject } from '../api/meta.ts';
import type { Informer } from './client.ts';
import type { Workqueue } from './workqueue.ts';

export interface Inside {
  readonly queues: Workqueue[];
  /** By kind; the first of a kind. */
  readonly informers: Map<string, Informer<KubeObject>>;
}

/** By the process. Never walked through, so no world can depend on its order; gone with the process. */
const insides = new WeakMap<object, Inside>();

export function insideOf(self: object): Inside {
  let inside = insides.get(self);
  if (!inside) {
    inside = { queues: [], informers: new Map() };
    insides.set(self, inside);
  }
  return inside;
}
