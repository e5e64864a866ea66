/**
 * Pods: graceful deletion, quality of service, binding, ephemeral containers
 * (upstream pkg/registry/core/pod/strategy.go, pkg/registry/core/pod/storage).
 */
import { setCondition } from '../../api/condition.ts';
import type { KubeObject } from '../../api/meta.ts';
import { parseQuantity } from '../../api/quantity.ts';
import type { Binding, Container, Pod } from '../../api/types.gen.ts';
import type { Call } from '../call.ts';
import { badRequest, conflict, failure, success } from '../errors.ts';
import { equalJson } from './equal.ts';
import type { Registry } from './store.ts';
import type { Strategy } from './strategy.ts';

type Condition = { type: string; status: string; reason?: string; message?: string; lastTransitionTime?: string; lastProbeTime?: null };

export const podStrategy: Strategy = {
  counted: true,
  returnsDeleted: true,
  prepareCreate(object, registry) {
    const pod = object as Pod;
    const gated = (pod.spec?.schedulingGates ?? []).length > 0;
    const gate: Condition = {
      type: 'PodScheduled',
      status: 'False',
      lastProbeTime: null,
      lastTransitionTime: registry.timestamp(),
      reason: 'SchedulingGated',
      message: 'Scheduling is blocked due to non-empty scheduling gates',
    };
    return { ...pod, status: { phase: 'Pending', ...(gated ? { conditions: [gate] } : {}), qosClass: qosClass(pod) } } as unknown as KubeObject;
  },
  gracePeriod(object, options) {
    const pod = object as Pod;
    const asked = options.gracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30;
    // Nothing runs yet, or any more: there is nobody to say goodbye to.
    if (!pod.spec?.nodeName || pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') return 0;
    return asked < 0 ? 1 : asked;
  },
  prepareStatus(next, old) {
    const pod = next as Pod;
    const before = old as Pod;
    // The class is decided once, from the spec.
    return { ...pod, status: { ...pod.status, qosClass: before.status?.qosClass ?? qosClass(before) } } as KubeObject;
  },
};

const QOS_RESOURCES = ['cpu', 'memory'] as const;

/** Guaranteed: cpu and memory limits everywhere, equal to the requests. BestEffort: none at all (pkg/apis/core/v1/helper/qos). */
export function qosClass(pod: Pod): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const containers: readonly Container[] = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  let guaranteed = true;
  let anything = false;
  const total = { requests: { cpu: 0n, memory: 0n }, limits: { cpu: 0n, memory: 0n } };
  for (const { resources } of containers) {
    for (const name of QOS_RESOURCES) {
      const request = scaled(resources?.requests?.[name]);
      const limit = scaled(resources?.limits?.[name]);
      if (request > 0n || limit > 0n) anything = true;
      if (limit <= 0n) guaranteed = false;
      total.requests[name] += request;
      total.limits[name] += limit;
    }
  }
  if (!anything) return 'BestEffort';
  const equal = QOS_RESOURCES.every((name) => total.requests[name] === total.limits[name]);
  return guaranteed && equal ? 'Guaranteed' : 'Burstable';
}

const scaled = (quantity: unknown): bigint => (quantity === undefined || quantity === null ? 0n : toNano(String(quantity)));
const toNano = (text: string): bigint => parseQuantity(text).nano;

/** POST pods/NAME/binding, or bindings: the scheduler's decision. */
export async function bindPod(registry: Registry, call: Call, binding: Binding): Promise<object> {
  const { name } = call.path;
  const target = binding.target;
  if (target?.kind && target.kind !== 'Node' && target.kind !== 'Minion')
    throw failure(
      422,
      'Invalid',
      `Binding ${JSON.stringify(name)} is invalid: target.kind: Unsupported value: ${JSON.stringify(target.kind)}: supported values: "Node", "<empty>"`,
    );
  if (!target?.name) throw failure(422, 'Invalid', `Binding ${JSON.stringify(name)} is invalid: target.name: Required value`);
  const { uid, resourceVersion } = binding.metadata ?? {};
  await registry.update(
    call,
    ({ object }) => {
      const pod = object as Pod;
      if (uid && uid !== pod.metadata.uid)
        throw conflict('', 'pods/binding', name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid}`);
      if (resourceVersion && resourceVersion !== pod.metadata.resourceVersion) {
        throw conflict(
          '',
          'pods/binding',
          name,
          `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${pod.metadata.resourceVersion}`,
        );
      }
      if (pod.metadata.deletionTimestamp) throw conflict('', 'pods/binding', name, `pod ${name} is being deleted, cannot be assigned to a host`);
      if (pod.spec?.nodeName) throw conflict('', 'pods/binding', name, `pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`);
      if (pod.spec?.schedulingGates?.length) throw conflict('', 'pods/binding', name, `pod ${name} has non-empty .spec.schedulingGates`);
      const scheduled: Condition = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: registry.timestamp() };
      const conditions = setCondition(pod.status?.conditions as unknown as Condition[] | undefined, scheduled);
      return {
        ...pod,
        metadata: {
          ...pod.metadata,
          ...(binding.metadata?.annotations ? { annotations: { ...pod.metadata.annotations, ...binding.metadata.annotations } } : {}),
        },
        spec: { ...pod.spec!, nodeName: target.name! },
        status: { ...pod.status, conditions },
      } as unknown as KubeObject;
    },
    { raw: true },
  );
  return success(201);
}

/** PUT pods/NAME/ephemeralcontainers: only that list changes, and only grows (`ValidatePodEphemeralContainersUpdate`). */
export function withEphemeralContainers(old: Pod, wanted: Pod): KubeObject {
  const next = wanted.spec?.ephemeralContainers ?? [];
  const causes: { reason: string; message: string; field: string }[] = [];
  const forbid = (field: string, message: string): void => void causes.push({ reason: 'FieldValueForbidden', message: `Forbidden: ${message}`, field });
  if (old.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) forbid('<nil>', 'static pods do not support ephemeral containers');
  for (const before of old.spec?.ephemeralContainers ?? []) {
    const after = next.find(({ name }) => name === before.name);
    if (!after) forbid('spec.ephemeralContainers', `existing ephemeral containers ${JSON.stringify(before.name)} may not be removed\n`);
    else if (!equalJson(before, after)) forbid('spec.ephemeralContainers', `existing ephemeral containers ${JSON.stringify(before.name)} may not be changed\n`);
  }
  if (causes.length > 0) {
    const name = old.metadata.name ?? '';
    const text = causes.map(({ field, message }) => `${field}: ${message}`).join(', ');
    throw failure(422, 'Invalid', `Pod ${JSON.stringify(name)} is invalid: ${causes.length > 1 ? `[${text}]` : text}`, { name, kind: 'Pod', causes });
  }
  return {
    ...old,
    metadata: { ...old.metadata, resourceVersion: wanted.metadata.resourceVersion! },
    spec: { ...old.spec!, ephemeralContainers: next },
  } as KubeObject;
}

/** The container a log, exec or attach means when it names none; throws BadRequest when there is a choice. */
export function containerOf(pod: Pod, asked: string | undefined): string {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {};
  const all = [...containers, ...initContainers, ...ephemeralContainers];
  if (asked) {
    if (!all.some((container) => container.name === asked)) throw badRequest(`container ${asked} is not valid for pod ${pod.metadata.name}`);
    return asked;
  }
  if (containers.length === 1) return containers[0]!.name;
  const names = (list: readonly { readonly name: string }[]) => `[${list.map((container) => container.name).join(' ')}]`;
  const init = initContainers.length > 0 ? ` or one of the init containers: ${names(initContainers)}` : '';
  throw badRequest(`a container name must be specified for pod ${pod.metadata.name}, choose one of: ${names(containers)}${init}`);
}
