/**
 * Times that nobody has set: Go's encoding/json cannot leave a struct out, so metav1.Time writes `null`
 * (`omitempty` does nothing for structs). People meet it in every template (`creationTimestamp: null`)
 * and in every condition of a pod (`lastProbeTime: null`). Only what outsiders read is written so.
 */
import type { KubeObject } from '../api/meta.ts';

type Loose = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Loose => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The same with `field` null where it is not set; anything but an object stays as it is. */
const unset = (value: unknown, field: string): unknown => (isObject(value) && value[field] === undefined ? { ...value, [field]: null } : value);

/** The same with `field` replaced, if it is there. */
function inside(value: unknown, field: string, change: (inner: unknown) => unknown): unknown {
  if (!isObject(value) || value[field] === undefined) return value;
  const inner = change(value[field]);
  return inner === value[field] ? value : { ...value, [field]: inner };
}
const each =
  (change: (item: unknown) => unknown) =>
  (list: unknown): unknown =>
    Array.isArray(list) ? list.map(change) : list;

const created = (meta: unknown): unknown => unset(meta, 'creationTimestamp');
/** A template always has metadata: an empty struct is written too. */
const template = (value: unknown): unknown => (isObject(value) ? { ...value, metadata: created(value['metadata'] ?? {}) } : value);
const ofSpec = (object: unknown): unknown => inside(object, 'spec', (spec) => inside(spec, 'template', template));
const conditions = (object: unknown, field: string): unknown =>
  inside(object, 'status', (status) =>
    inside(
      status,
      'conditions',
      each((condition) => unset(condition, field)),
    ),
  );

const BY_KIND: Readonly<Record<string, (object: unknown) => unknown>> = {
  Pod: (object) => conditions(object, 'lastProbeTime'),
  PersistentVolumeClaim: (object) => conditions(object, 'lastProbeTime'),
  PodTemplate: (object) => inside(object, 'template', template),
  Deployment: ofSpec,
  ReplicaSet: ofSpec,
  ReplicationController: ofSpec,
  DaemonSet: ofSpec,
  Job: ofSpec,
  CronJob: (object) => inside(object, 'spec', (spec) => inside(spec, 'jobTemplate', (job) => ofSpec(template(job)))),
  StatefulSet: (object) =>
    inside(ofSpec(object), 'spec', (spec) =>
      inside(
        spec,
        'volumeClaimTemplates',
        each((claim) => inside(claim, 'metadata', created)),
      ),
    ),
};

/** An object as Go would write it. */
export function withGoNulls(object: KubeObject): KubeObject {
  const change = object.kind !== undefined && Object.hasOwn(BY_KIND, object.kind) ? BY_KIND[object.kind] : undefined;
  return change ? (change(object) as KubeObject) : object;
}
