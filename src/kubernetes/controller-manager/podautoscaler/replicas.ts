/**
 * How many replicas a metric asks for (pkg/controller/podautoscaler/replica_calculator.go, metrics/utilization.go).
 * Pure. Values are in thousandths, as upstream's MilliValue; ratios are floating-point numbers, because upstream's
 * are and its rounding up depends on it (IEEE's division and multiplication are the same everywhere).
 */
import { type Duration, type Instant, minutes, seconds } from '../../../sim/clock.ts';
import { findCondition } from '../../api/condition.ts';
import { milliValue } from '../../api/quantity.ts';
import { instantOf } from '../../api/time.ts';
import { isReady, type ReadonlyPod } from '../pods.ts';

export interface PodMetric {
  readonly at: Instant;
  /** Over how long it was measured. */
  readonly window: Duration;
  readonly value: number;
}
/** By the pod's name. */
export type PodMetrics = ReadonlyMap<string, PodMetric>;

/** By how much the ratio of use to target may differ from 1 before anything is done. */
export interface Tolerances {
  readonly scaleDown: number;
  readonly scaleUp: number;
}
/** `--horizontal-pod-autoscaler-tolerance`, `-cpu-initialization-period`, `-initial-readiness-delay` */
export const TOLERANCE = 0.1;
export const CPU_INITIALIZATION = minutes(5);
export const INITIAL_READINESS = seconds(30);
const MOST = 2_147_483_647;

const isWithin = ({ scaleDown, scaleUp }: Tolerances, ratio: number): boolean => 1 - scaleDown <= ratio && ratio <= 1 + scaleUp;

/** What could not be calculated, in upstream's words. */
export class ReplicaError extends Error {}

export interface Delays {
  readonly cpuInitialization: Duration;
  readonly initialReadiness: Duration;
}
export const DELAYS: Delays = { cpuInitialization: CPU_INITIALIZATION, initialReadiness: INITIAL_READINESS };

export interface Groups {
  readonly ready: number;
  readonly unready: ReadonlySet<string>;
  readonly missing: ReadonlySet<string>;
  readonly ignored: ReadonlySet<string>;
}

/** Which pods count: those that are going or failed do not, pending and not yet ready ones hold a scale-up back, those without a metric are assumed (groupPods). */
export function groupPods(pods: readonly ReadonlyPod[], metrics: PodMetrics, resource: string, now: Instant, delays: Delays = DELAYS): Groups {
  const unready = new Set<string>();
  const missing = new Set<string>();
  const ignored = new Set<string>();
  let ready = 0;
  for (const pod of pods) {
    const name = pod.metadata.name ?? '';
    if (pod.metadata.deletionTimestamp || pod.status?.phase === 'Failed') ignored.add(name);
    else if (pod.status?.phase === 'Pending') unready.add(name);
    else {
      const metric = metrics.get(name);
      if (!metric) missing.add(name);
      else if (resource === 'cpu' && warmingUp(pod, metric, now, delays)) unready.add(name);
      else ready++;
    }
  }
  return { ready, unready, missing, ignored };
}

/** CPU at a program's start says nothing: not while it is not ready, nor before one whole window since it became so. */
function warmingUp(pod: ReadonlyPod, metric: PodMetric, now: Instant, delays: Delays): boolean {
  const condition = findCondition(pod.status?.conditions, 'Ready');
  const started = instantOf(pod.status?.startTime);
  if (!condition || started === undefined) return true;
  const changed = instantOf(condition.lastTransitionTime) ?? 0;
  if (started + delays.cpuInitialization > now) return condition.status === 'False' || metric.at < changed + metric.window;
  return condition.status === 'False' && started + delays.initialReadiness > changed;
}

/** The request of each pod for a resource, of one container or of all together. Throws when one has none. */
export function requestsOf(pods: readonly ReadonlyPod[], container: string, resource: string): ReadonlyMap<string, number> {
  const requests = new Map<string, number>();
  for (const pod of pods) {
    let sum = 0;
    const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
    for (const { name, resources } of [...(pod.spec?.containers ?? []), ...sidecars]) {
      if (container !== '' && container !== name) continue;
      const request = (resources?.requests as Record<string, string> | undefined)?.[resource];
      if (request === undefined) throw new ReplicaError(`missing request for ${resource} in container ${name} of Pod ${pod.metadata.name}`);
      sum += milliValue(request);
    }
    requests.set(pod.metadata.name ?? '', sum);
  }
  return requests;
}

interface Utilization {
  /** Of use to target. */
  readonly ratio: number;
  /** Percent of the requests. */
  readonly percent: number;
  /** Average per pod. */
  readonly raw: number;
}

/** GetResourceUtilizationRatio */
function utilizationOf(metrics: PodMetrics, requests: ReadonlyMap<string, number>, target: number): Utilization {
  let used = 0;
  let asked = 0;
  let entries = 0;
  for (const [pod, { value }] of metrics) {
    const request = requests.get(pod);
    if (request === undefined) continue;
    used += value;
    asked += request;
    entries++;
  }
  if (asked === 0) throw new ReplicaError('no metrics returned matched known pods');
  const percent = Math.trunc((used * 100) / asked);
  return { ratio: percent / target, percent, raw: Math.trunc(used / entries) };
}

/** GetMetricUsageRatio */
function usageOf(metrics: PodMetrics, target: number): { readonly ratio: number; readonly average: number } {
  let total = 0;
  for (const { value } of metrics.values()) total += value;
  const average = Math.trunc(total / metrics.size);
  return { ratio: average / target, average };
}

const without = (metrics: PodMetrics, ...sets: readonly ReadonlySet<string>[]): Map<string, PodMetric> =>
  new Map([...metrics].filter(([name]) => !sets.some((set) => set.has(name))));

export interface Question {
  readonly current: number;
  readonly pods: readonly ReadonlyPod[];
  readonly metrics: PodMetrics;
  readonly now: Instant;
  readonly tolerances: Tolerances;
  readonly delays?: Delays;
}

/** The pods that count, after which metrics there are. Throws when there is nothing to go by. */
function sorted({ pods, metrics, now, delays }: Question, resource: string): Groups & { readonly counted: Map<string, PodMetric> } {
  if (pods.length === 0) throw new ReplicaError('no pods returned by selector while calculating replica count');
  const groups = groupPods(pods, metrics, resource, now, delays);
  const counted = without(metrics, groups.ignored, groups.unready);
  if (counted.size === 0) throw new ReplicaError('did not receive metrics for targeted pods (pods might be unready)');
  return { ...groups, counted };
}

/**
 * With pods assumed: on the way down those without a metric use what `fallback` says, on the way up they and the
 * unready use nothing; what is left must still point the same way, or nothing changes.
 */
function assumed(
  { current, tolerances }: Question,
  { counted, missing, unready }: ReturnType<typeof sorted>,
  ratio: number,
  fallback: (pod: string) => number,
  again: (metrics: PodMetrics) => number,
): number {
  const metrics = new Map(counted);
  const fill = (pods: ReadonlySet<string>, value: (pod: string) => number): void => {
    for (const pod of pods) metrics.set(pod, { at: 0, window: 0, value: value(pod) });
  };
  if (ratio < 1) fill(missing, fallback);
  else if (ratio > 1) {
    fill(missing, () => 0);
    fill(unready, () => 0);
  }
  const next = again(metrics);
  if (isWithin(tolerances, next) || (ratio < 1 && next > 1) || (ratio > 1 && next < 1)) return current;
  const replicas = Math.ceil(next * metrics.size);
  if ((next < 1 && replicas > current) || (next > 1 && replicas < current)) return current;
  return replicas;
}

/** For a percentage of requests (GetResourceReplicas). Throws ReplicaError. */
export function byUtilization(
  question: Question,
  target: number,
  resource: string,
  container: string,
): { readonly replicas: number; readonly percent: number; readonly raw: number } {
  const groups = sorted(question, resource);
  const requests = requestsOf(question.pods, container, resource);
  const { ratio, percent, raw } = utilizationOf(groups.counted, requests, target);
  const answer = (replicas: number) => ({ replicas, percent, raw });
  const held = groups.unready.size > 0 && ratio > 1;
  if (!held && groups.missing.size === 0) return answer(isWithin(question.tolerances, ratio) ? question.current : Math.ceil(ratio * groups.ready));
  // On the way down a pod without a metric uses all it asked for, or the target where that is more.
  const fallback = (pod: string): number => Math.trunc(((requests.get(pod) ?? 0) * Math.max(100, target)) / 100);
  return answer(assumed(question, groups, ratio, fallback, (metrics) => utilizationOf(metrics, requests, target).ratio));
}

/** For an average per pod, of a resource or of a metric of their own (GetRawResourceReplicas, GetMetricReplicas). Throws ReplicaError. */
export function byAverage(question: Question, target: number, resource = ''): { readonly replicas: number; readonly average: number } {
  const groups = sorted(question, resource);
  const { ratio, average } = usageOf(groups.counted, target);
  const answer = (replicas: number) => ({ replicas, average });
  const held = groups.unready.size > 0 && ratio > 1;
  if (!held && groups.missing.size === 0) return answer(isWithin(question.tolerances, ratio) ? question.current : Math.ceil(ratio * groups.ready));
  return answer(
    assumed(
      question,
      groups,
      ratio,
      () => target,
      (metrics) => usageOf(metrics, target).ratio,
    ),
  );
}

/** For one value of something outside the pods (getUsageRatioReplicaCount): scaled with the pods that are ready; from nothing, as many as the ratio says. Throws ReplicaError. */
export function byValue({ current, pods, tolerances }: Pick<Question, 'current' | 'pods' | 'tolerances'>, usage: number, target: number): number {
  const ratio = usage / target;
  if (current === 0) return Math.ceil(ratio);
  if (isWithin(tolerances, ratio)) return current;
  if (pods.length === 0) throw new ReplicaError('unable to calculate ready pods: no pods returned by selector while calculating replica count');
  const ready = pods.filter((pod) => pod.status?.phase === 'Running' && isReady(pod)).length;
  return Math.min(MOST, Math.ceil(ratio * ready));
}

/** For a value divided among the pods there are (GetObjectPerPodMetricReplicas, GetExternalPerPodMetricReplicas). */
export function byShare(
  statusReplicas: number,
  usage: number,
  target: number,
  tolerances: Tolerances,
): { readonly replicas: number; readonly average: number } {
  const ratio = usage / (target * statusReplicas);
  const replicas = isWithin(tolerances, ratio) ? statusReplicas : Math.min(MOST, Math.ceil(usage / target));
  const average = usage / statusReplicas;
  return { replicas, average: Number.isFinite(average) ? Math.ceil(average) : 0 };
}
