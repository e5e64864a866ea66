/**
 * What Go's typed structs write that nobody said: `creationTimestamp: null` and empty statuses. It shows where
 * kubectl prints an object it made itself: `create deployment … --dry-run=client -o yaml`, `run …`.
 */
import type { Json } from '../../api/json.ts';
import { isObject, type JsonObject, type ObjectLike } from '../session.ts';

const STATUS: Readonly<Record<string, Json>> = {
  CronJob: {},
  Deployment: {},
  Ingress: { loadBalancer: {} },
  Job: {},
  Namespace: {},
  Pod: {},
  PodDisruptionBudget: { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
  ResourceQuota: {},
  Service: { loadBalancer: {} },
};

export function asTyped(object: ObjectLike): ObjectLike {
  const stamped = stamp(object) as JsonObject;
  const status = STATUS[object.kind];
  return { ...stamped, ...(isObject(status) ? { status: { ...status, ...(object['status'] as JsonObject | undefined) } } : {}) } as unknown as ObjectLike;
}

/** Into every `metadata`, the templates' included. */
function stamp(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((item) => stamp(item as Json) ?? null);
  if (!isObject(value)) return value;
  const out: Record<string, Json | undefined> = {};
  for (const [key, inner] of Object.entries(value)) {
    const stamped = stamp(inner);
    out[key] = key === 'metadata' && isObject(stamped) && stamped['creationTimestamp'] === undefined ? { creationTimestamp: null, ...stamped } : stamped;
  }
  return out;
}
