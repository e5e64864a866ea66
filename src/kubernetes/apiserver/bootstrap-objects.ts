/**
 * The many objects an API server makes sure of when it starts: roles and bindings, flow schemas and priority
 * levels, priority classes; and how roles are kept up to date (pkg/registry/rbac/reconciliation).
 *
 * Here simplified: a new cluster's are written a hundred at a time, one revision of etcd for all of them, where
 * upstream writes each by itself.
 */
import type { KubeObject } from '../api/meta.ts';
import { SYSTEM_CLASSES } from './admission/priority.ts';
import { covers } from './authorization/escalation.ts';
import type { Hands } from './bootstrap.ts';
import { bootstrapPolicy } from './bootstrap-policy.ts';
import { flowObjects } from './flowcontrol/defaults.ts';
import type { PolicyRule } from './rbac.ts';

/** etcd's `--max-txn-ops` is 128. */
const AT_ONCE = 100;
const AUTO_UPDATE = 'rbac.authorization.kubernetes.io/autoupdate';

export async function ensureObjects(hands: Hands, serviceCidr: string): Promise<void> {
  const wanted = [...bootstrapPolicy(), ...flowObjects(), ...priorityClasses(), defaultServiceCidr(hands, serviceCidr)];
  const found = (object: KubeObject) => hands.get(object.kind, object.metadata.namespace ?? '', object.metadata.name ?? '');
  const missing = wanted.filter((object) => !found(object));
  for (let at = 0; at < missing.length; at += AT_ONCE) {
    const part = missing.slice(at, at + AT_ONCE);
    // Another server of the same cluster may be at the same work.
    if (!(await hands.createAll(part))) for (const object of part) await hands.create(object);
  }
  for (const object of wanted) {
    const current = found(object);
    const next = current && reconciled(current, object);
    if (next) await hands.replace(next);
  }
}

interface RoleLike extends KubeObject {
  readonly rules?: readonly PolicyRule[];
  readonly subjects?: readonly object[];
  readonly aggregationRule?: object;
}

/** What is missing from a role or binding that may be kept up to date, added to it; undefined when nothing is. */
export function reconciled(current: KubeObject, wanted: KubeObject): KubeObject | undefined {
  const [has, needs] = [current as RoleLike, wanted as RoleLike];
  if (current.metadata.annotations?.[AUTO_UPDATE] !== 'true') return undefined;
  let next: RoleLike = has;
  // What a role gathers is the aggregation controller's to write.
  if (needs.rules && !needs.aggregationRule) {
    const { missing } = covers(has.rules ?? [], needs.rules);
    if (missing.length > 0) next = { ...next, rules: [...(has.rules ?? []), ...missing] };
  }
  if (needs.subjects) {
    const known = new Set((has.subjects ?? []).map((subject) => JSON.stringify(subject)));
    const more = needs.subjects.filter((subject) => !known.has(JSON.stringify(subject)));
    if (more.length > 0) next = { ...next, subjects: [...(has.subjects ?? []), ...more] };
  }
  const labels = needs.metadata.labels ?? {};
  if (Object.entries(labels).some(([key, value]) => has.metadata.labels?.[key] !== value))
    next = { ...next, metadata: { ...next.metadata, labels: { ...has.metadata.labels, ...labels } } };
  return next === has ? undefined : next;
}

/**
 * The range of `--service-cluster-ip-range` (pkg/controlplane/controller/defaultservicecidr).
 * Here simplified: ready from the beginning, where upstream writes the condition apart.
 */
const defaultServiceCidr = (hands: Hands, cidr: string): KubeObject =>
  ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: 'kubernetes', generation: 1 },
    spec: { cidrs: [cidr] },
    status: {
      conditions: [{ type: 'Ready', status: 'True', reason: '', message: 'Kubernetes default Service CIDR is ready', lastTransitionTime: hands.now() }],
    },
  }) as KubeObject;

const priorityClasses = (): readonly KubeObject[] =>
  SYSTEM_CLASSES.map(
    ({ name, value, description }) =>
      ({
        apiVersion: 'scheduling.k8s.io/v1',
        kind: 'PriorityClass',
        metadata: { name, generation: 1 },
        value,
        description,
        preemptionPolicy: 'PreemptLowerPriority',
      }) as KubeObject,
  );
