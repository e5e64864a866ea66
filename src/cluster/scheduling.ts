/**
 * The scheduler's doings, told from the trace: which pods it has had to do with, every attempt of one, and, for a pod that
 * is pending now, what would help. Pure: it reads facts and stored objects and changes nothing.
 *
 * Here simplified: what would help is tried with the default profile, whichever scheduler the pod names.
 */
import type { ScheduledPod, Scheduling, SchedulingAttempt, SchedulingFix, SchedulingQuery, SchedulingState } from '../hosts/protocol.ts';
import type { DeepReadonly } from '../kubernetes/api/json.ts';
import { keyOf } from '../kubernetes/api/meta.ts';
import { RESOURCES } from '../kubernetes/api/resources.ts';
import type { Kind, Kinds, Node, Pod } from '../kubernetes/api/types.gen.ts';
import type { AttemptRecord, FilterFact, PostFilterFact, ScoreFact } from '../kubernetes/scheduler/attempts.ts';
import { type Change, explainPending } from '../kubernetes/scheduler/explain.ts';
import type { Objects } from '../kubernetes/scheduler/framework.ts';
import { defaultProfile } from '../kubernetes/scheduler/profile.ts';
import { Snapshot } from '../kubernetes/scheduler/snapshot.ts';
import type { Fact, Trace } from '../sim/trace.ts';
import type { StoreMirror } from './store-mirror.ts';

/** How far back the list looks, in facts. */
const LOOK_BACK = 120_000;

/** Facts about scheduling, oldest first; from a pod's latest life when one is named. */
function facts(trace: Trace, about?: string): readonly Fact[] {
  const all = trace
    .since(about === undefined ? Math.max(1, trace.newest - LOOK_BACK) : 1)
    .filter(({ type, about: of }) => type.startsWith('sched.') && (about === undefined || of === about));
  if (about === undefined) return all;
  const born = all.map(({ type }) => type).lastIndexOf('sched.enqueue');
  return born > 0 ? all.slice(born) : all;
}

/** The pods, the one with the newest fact first; `more` when there are older ones. */
export function scheduledPods(trace: Trace, query: SchedulingQuery): { readonly pods: readonly ScheduledPod[]; readonly more: boolean } {
  const words = (query.words ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const byPod = new Map<string, Fact[]>();
  for (const fact of facts(trace)) {
    const of = byPod.get(fact.about);
    if (!of || fact.type === 'sched.enqueue') byPod.set(fact.about, [fact]);
    else of.push(fact);
  }
  const pods: ScheduledPod[] = [];
  for (const [about, of] of byPod) {
    const pod: ScheduledPod = {
      key: about.slice('Pod/'.length),
      at: of.at(-1)!.at,
      attempts: of.reduce((most, { type, data }) => (type === 'sched.start' ? Math.max(most, data['attempt'] as number) : most), 0),
      ...stateOf(of),
    };
    const text = `${pod.key} ${pod.state} ${pod.says}`.toLowerCase();
    if ((query.pending && pod.state === 'bound') || !words.every((word) => text.includes(word))) continue;
    pods.push(pod);
  }
  pods.sort((a, b) => b.at - a.at || (a.key < b.key ? -1 : 1));
  return { pods: pods.slice(0, query.limit), more: pods.length > query.limit };
}

function stateOf(of: readonly Fact[]): { readonly state: SchedulingState; readonly says: string } {
  let state: SchedulingState = 'waiting';
  let says = 'waiting for its turn';
  for (const { type, data } of of) {
    if (type === 'sched.bind') [state, says] = ['bound', String(data['node'])];
    else if (type === 'sched.unschedulable' || type === 'sched.unbind') [state, says] = ['unschedulable', String(data['message'])];
    else if (type === 'sched.queue' && data['to'] === 'gated') [state, says] = ['gated', String(data['reason'] ?? 'held by a gate')];
    else if (type === 'sched.queue' && state === 'gated') [state, says] = ['waiting', 'waiting for its turn'];
  }
  return { state, says };
}

/** Every attempt of a pod (`namespace/name`); undefined when there is nothing about it. */
export function schedulingOf(trace: Trace, mirror: StoreMirror, key: string): Scheduling | undefined {
  const of = facts(trace, `Pod/${key}`);
  if (of.length === 0) return undefined;
  const attempts: SchedulingAttempt[] = [];
  let trigger: SchedulingAttempt['trigger'] = { event: 'PodAdd', at: of[0]!.at };
  let gate: Scheduling['gate'];
  let restsUntil: number | undefined;
  for (const fact of of) {
    const { type, data, at } = fact;
    const last = attempts.at(-1);
    const change = (changes: Partial<SchedulingAttempt>): void => {
      if (last) attempts[attempts.length - 1] = { ...last, ...changes };
    };
    if (type === 'sched.enqueue') trigger = { event: 'PodAdd', at };
    else if (type === 'sched.queue') {
      gate = data['to'] === 'gated' ? { plugin: String(data['plugin'] ?? ''), reason: String(data['reason'] ?? ''), at } : undefined;
      restsUntil = data['to'] === 'backoff' ? (data['until'] as number) : undefined;
      // The end of a back-off is not what moved it: that came before.
      if (data['event'] && data['event'] !== 'BackoffComplete')
        trigger = { event: String(data['event']), at, ...(data['plugin'] ? { plugin: String(data['plugin']) } : {}) };
    } else if (type === 'sched.start') {
      restsUntil = undefined;
      attempts.push({
        attempt: data['attempt'] as number,
        fact: fact.id,
        at,
        scheduler: String(data['scheduler']),
        trigger,
        ties: 1,
        permit: [],
        end: 'under way',
        node: '',
        message: '',
      });
    } else if (type === 'sched.filter') {
      const { total, evaluated, feasible, reasons, skipped, record } = data as unknown as FilterFact;
      change({ filter: { total, evaluated, feasible, reasons: reasons ?? [], skipped: skipped ?? [] }, ...(record && { record: record as AttemptRecord }) });
    } else if (type === 'sched.score') {
      const { ties } = data as unknown as ScoreFact;
      change({ ties });
    } else if (type === 'sched.select') change({ node: String(data['node']) });
    else if (type === 'sched.postfilter') {
      const { node, victims, candidates, considered, message } = data as unknown as PostFilterFact;
      change({ preemption: { node, victims, candidates, considered, message } });
    } else if (type === 'sched.permit') change({ permit: (data['plugins'] as readonly string[] | undefined) ?? [] });
    else if (type === 'sched.bind') change({ end: 'bound', node: String(data['node']) });
    else if (type === 'sched.unschedulable') change({ end: 'unschedulable', message: String(data['message']) });
    else if (type === 'sched.unbind') change({ end: 'failed', message: String(data['message']) });
  }
  const now = nowOf(mirror, key);
  return {
    pod: key,
    ...stateOf(of),
    attempts,
    ...(gate && { gate }),
    ...(restsUntil !== undefined && { restsUntil }),
    filters: defaultProfile.filter.map(({ name }) => name),
    ...(now && { now }),
  };
}

/** The scheduler's view of the stored objects. */
function objectsOf(mirror: StoreMirror): Objects {
  const plural = (kind: Kind): string => RESOURCES.find((resource) => resource.kind === kind)?.plural ?? '';
  const stored = (kind: Kind) => mirror.list(plural(kind));
  return {
    list: <K extends Kind>(kind: K, namespace?: string) =>
      stored(kind).filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace) as unknown as readonly DeepReadonly<Kinds[K]>[],
    get: <K extends Kind>(kind: K, key: string) => stored(kind).find((object) => keyOf(object) === key) as unknown as DeepReadonly<Kinds[K]> | undefined,
  };
}

function nowOf(mirror: StoreMirror, key: string): Scheduling['now'] | undefined {
  const pods = mirror.list('pods') as readonly DeepReadonly<Pod>[];
  const pod = pods.find((each) => keyOf(each) === key);
  if (!pod || pod.spec?.nodeName || pod.metadata.deletionTimestamp !== undefined) return undefined;
  const snapshot = new Snapshot(objectsOf(mirror));
  const nodes = mirror.list('nodes') as readonly DeepReadonly<Node>[];
  for (const node of nodes) snapshot.setNode(node);
  for (const other of pods) if (other.spec?.nodeName && other.status?.phase !== 'Succeeded' && other.status?.phase !== 'Failed') snapshot.addPod(other);
  const { node, shortOf, fixes } = explainPending(snapshot, pod);
  return {
    ...(node !== undefined && { node }),
    shortOf,
    fixes: fixes.map(({ change, node: to }): SchedulingFix => {
      const command = commandFor(change, pod, nodes, mirror);
      return { what: change.what, node: to, ...(command !== undefined && { command }) };
    }),
  };
}

/** The one command that makes a change; undefined when there is none. */
function commandFor(change: Change, pod: DeepReadonly<Pod>, nodes: readonly DeepReadonly<Node>[], mirror: StoreMirror): string | undefined {
  if (change.kind === 'delete-pod') return `kubectl delete pod ${change.pod.metadata.name} -n ${change.pod.metadata.namespace}`;
  if (change.kind === 'add-node') return undefined;
  if (change.kind === 'node') {
    const { name } = change.node.metadata;
    const before = nodes.find((node) => node.metadata.name === name);
    if (!before) return undefined;
    if (before.spec?.unschedulable && !change.node.spec?.unschedulable) return `kubectl uncordon ${name}`;
    const taint = (before.spec?.taints ?? []).find((one) => !(change.node.spec?.taints ?? []).includes(one));
    if (taint) return `kubectl taint nodes ${name} ${taint.key}${taint.value ? `=${taint.value}` : ''}:${taint.effect}-`;
    const labels = Object.entries(change.node.metadata.labels ?? {}).filter(([label, value]) => before.metadata.labels?.[label] !== value);
    return labels.length > 0 ? `kubectl label node ${name} --overwrite ${labels.map(([label, value]) => `${label}=${value}`).join(' ')}` : undefined;
  }
  return commandForPod(change.pod, pod, mirror);
}

/** A pod's spec cannot be changed in place, but for its gates: its owner's template is patched, or the pod made anew. */
function commandForPod(changed: DeepReadonly<Pod>, pod: DeepReadonly<Pod>, mirror: StoreMirror): string | undefined {
  const { name, namespace } = pod.metadata;
  const before = (pod.spec ?? {}) as Readonly<Record<string, unknown>>;
  const after = (changed.spec ?? {}) as Readonly<Record<string, unknown>>;
  const fields = Object.keys({ ...before, ...after }).filter((field) => before[field] !== after[field]);
  if (fields.length === 1 && fields[0] === 'schedulingGates')
    return `kubectl patch pod ${name} -n ${namespace} --type=json -p '[{"op":"remove","path":"/spec/schedulingGates"}]'`;
  const owner = templateOwner(pod, mirror);
  if (owner) {
    const spec = Object.fromEntries(fields.map((field) => [field, field === 'containers' ? resourcesOf(changed) : difference(before[field], after[field])]));
    return `kubectl patch ${owner.kind.toLowerCase()} ${owner.name} -n ${namespace} -p ${quoted({ spec: { template: { spec } } })}`;
  }
  if ((pod.metadata.ownerReferences ?? []).length > 0) return undefined;
  const { labels, annotations } = pod.metadata;
  const kept = Object.fromEntries(Object.entries(annotations ?? {}).filter(([annotation]) => !annotation.startsWith('kubectl.kubernetes.io/')));
  const manifest = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, ...(labels && { labels }), ...(Object.keys(kept).length > 0 && { annotations: kept }) },
    spec: after,
  };
  return `echo ${quoted(manifest)} | kubectl replace --force -f -`;
}

const resourcesOf = (pod: DeepReadonly<Pod>) => (pod.spec?.containers ?? []).map(({ name, resources }) => ({ name, resources }));
const quoted = (value: unknown): string => `'${JSON.stringify(value).replaceAll("'", "'\\''")}'`;

/** As a patch says it: what is gone is null, what is a list is said whole. */
function difference(before: unknown, after: unknown): unknown {
  if (!isRecord(before) || !isRecord(after)) return after ?? null;
  const patch: Record<string, unknown> = {};
  for (const field of Object.keys({ ...before, ...after })) {
    if (before[field] === after[field]) continue;
    patch[field] = after[field] === undefined ? null : difference(before[field], after[field]);
  }
  return patch;
}
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The workload whose template makes such pods. */
function templateOwner(pod: DeepReadonly<Pod>, mirror: StoreMirror): { readonly kind: string; readonly name: string } | undefined {
  let owner = pod.metadata.ownerReferences?.find(({ controller }) => controller);
  if (owner?.kind === 'ReplicaSet') {
    const set = mirror.list('replicasets').find(({ metadata }) => metadata.namespace === pod.metadata.namespace && metadata.name === owner!.name);
    owner = set?.metadata.ownerReferences?.find(({ controller }) => controller);
  }
  return owner && ['Deployment', 'StatefulSet', 'DaemonSet'].includes(owner.kind) ? owner : undefined;
}
