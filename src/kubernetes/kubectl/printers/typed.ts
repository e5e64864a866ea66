/**
 * What Go's typed structs write that nobody said: `creationTimestamp: null` and empty statuses. It shows where
 * kubectl prints an object it made itself: `create deployment … --dry-run=client -o yaml`, `run …`.
 */
import type { Json } from '../../api/json.ts';
import { isObject, type JsonObject, type ObjectLike } from '../session.ts';

const STATUS: Readonly<Record<string, Json>> = {
  CronJob: {},
  DaemonSet: { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 },
  Deployment: {},
  Ingress: { loadBalancer: {} },
  Job: {},
  Namespace: {},
  Pod: {},
  HorizontalPodAutoscaler: { currentMetrics: null, desiredReplicas: 0 },
  PodDisruptionBudget: { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
  ReplicaSet: { replicas: 0 },
  ResourceQuota: {},
  Service: { loadBalancer: {} },
  StatefulSet: { availableReplicas: 0, replicas: 0 },
};

export function asTyped(object: ObjectLike): ObjectLike {
  const stamped = stamp(object) as JsonObject;
  const strategy = STRATEGY[object.kind];
  const spec = stamped['spec'];
  if (strategy !== undefined && isObject(spec) && spec[strategy] === undefined)
    return asTyped({ ...object, spec: { ...(object['spec'] as JsonObject), [strategy]: {} } } as ObjectLike);
  const status = STATUS[object.kind];
  return { ...stamped, ...(isObject(status) ? { status: { ...status, ...(object['status'] as JsonObject | undefined) } } : {}) } as unknown as ObjectLike;
}

/** Structs that Go writes though they are empty, by the field that holds what they are in. */
const EMPTY: Readonly<Record<string, string>> = { containers: 'resources', initContainers: 'resources' };
const STRATEGY: Readonly<Record<string, string>> = { Deployment: 'strategy', StatefulSet: 'updateStrategy', DaemonSet: 'updateStrategy' };

/** Into every `metadata`, the templates' included. */
function stamp(value: Json | undefined, field = ''): Json | undefined {
  if (Array.isArray(value)) {
    const empty = EMPTY[field];
    return value.map((item) => {
      const stamped = stamp(item as Json) ?? null;
      return empty !== undefined && isObject(stamped) && stamped[empty] === undefined ? { ...stamped, [empty]: {} } : stamped;
    });
  }
  if (!isObject(value)) return value;
  const out: Record<string, Json | undefined> = {};
  for (const [key, inner] of Object.entries(value)) {
    const stamped = stamp(inner, key);
    out[key] = key === 'metadata' && isObject(stamped) && stamped['creationTimestamp'] === undefined ? { creationTimestamp: null, ...stamped } : stamped;
  }
  return out;
}
