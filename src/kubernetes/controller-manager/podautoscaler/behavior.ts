/**
 * From what the metrics ask for to what is done: stabilization windows, rates of change, bounds (the second half of
 * pkg/controller/podautoscaler/horizontal.go). Pure, but for what it remembers of one autoscaler: `Memory`.
 */
import { type Duration, type Instant, seconds } from '../../../sim/clock.ts';
import type { DeepReadonly } from '../../api/json.ts';
import type { HorizontalPodAutoscalerBehavior, HPAScalingRules } from '../../api/types.gen.ts';

/** `--horizontal-pod-autoscaler-downscale-stabilization` */
export const DOWNSCALE_STABILIZATION = 300;

interface Recommendation {
  readonly replicas: number;
  readonly at: Instant;
}
interface ScaleEvent {
  readonly change: number;
  readonly at: Instant;
}

/** What is remembered of one autoscaler, in memory only: a controller that starts anew begins with what it finds. */
export interface Memory {
  recommendations: readonly Recommendation[];
  ups: readonly ScaleEvent[];
  downs: readonly ScaleEvent[];
}
export const remember = (replicas: number, at: Instant): Memory => ({ recommendations: [{ replicas, at }], ups: [], downs: [] });

export interface Wish {
  readonly current: number;
  readonly desired: number;
  readonly min: number;
  readonly max: number;
  readonly behavior?: DeepReadonly<HorizontalPodAutoscalerBehavior> | undefined;
}
export interface Verdict {
  readonly replicas: number;
  /** The condition AbleToScale, which is True. */
  readonly able: { readonly reason: string; readonly message: string };
  readonly limited: { readonly status: 'True' | 'False'; readonly reason: string; readonly message: string };
}

const READY = { reason: 'ReadyForNewScale', message: 'recommended size matches current size' };
const DOWN_STABILIZED = {
  reason: 'ScaleDownStabilized',
  message: 'recent recommendations were higher than current one, applying the highest recent recommendation',
};
const UP_STABILIZED = {
  reason: 'ScaleUpStabilized',
  message: 'recent recommendations were lower than current one, applying the lowest recent recommendation',
};
const WITHIN = { reason: 'DesiredWithinRange', message: 'the desired count is within the acceptable range' };
const TOO_FAST_UP = { reason: 'ScaleUpLimit', message: 'the desired replica count is increasing faster than the maximum scale rate' };
const TOO_FAST_DOWN = { reason: 'ScaleDownLimit', message: 'the desired replica count is decreasing faster than the maximum scale rate' };
const TOO_MANY = { reason: 'TooManyReplicas', message: 'the desired replica count is more than the maximum replica count' };
const TOO_FEW = { reason: 'TooFewReplicas', message: 'the desired replica count is less than the minimum replica count' };

/** What to do now; the wish is noted in the memory. */
export function normalize(memory: Memory, wish: Wish, now: Instant): Verdict {
  return wish.behavior ? normalizeWithBehavior(memory, wish, wish.behavior, now) : normalizePlainly(memory, wish, now);
}

/** A wish in place of one nobody looks at any more, or behind the others. */
function note(memory: Memory, replicas: number, now: Instant, old: (each: Recommendation) => boolean): void {
  const list = [...memory.recommendations];
  let index = list.length - 1;
  while (index >= 0 && !old(list[index]!)) index--;
  if (index >= 0) list[index] = { replicas, at: now };
  else list.push({ replicas, at: now });
  memory.recommendations = list;
}

/** Without `spec.behavior`: the highest wish of five minutes, and no more than double, or four, at once. */
function normalizePlainly(memory: Memory, { current, desired, min, max }: Wish, now: Instant): Verdict {
  const cutoff = now - seconds(DOWNSCALE_STABILIZATION);
  let stable = desired;
  for (const { replicas, at } of memory.recommendations) if (at >= cutoff && replicas > stable) stable = replicas;
  note(memory, desired, now, ({ at }) => at < cutoff);
  const able = stable === desired ? READY : DOWN_STABILIZED;
  const rate = Math.max(2 * current, 4);
  const [most, why] = max > rate ? [rate, TOO_FAST_UP] : [max, TOO_MANY];
  if (stable < min) return { replicas: min, able, limited: { status: 'True', ...TOO_FEW } };
  if (stable > most) return { replicas: most, able, limited: { status: 'True', ...why } };
  return { replicas: stable, able, limited: { status: 'False', ...WITHIN } };
}

function normalizeWithBehavior(memory: Memory, wish: Wish, behavior: DeepReadonly<HorizontalPodAutoscalerBehavior>, now: Instant): Verdict {
  const up = behavior.scaleUp ?? {};
  const down = behavior.scaleDown ?? {};
  const stable = stabilize(memory, wish, up.stabilizationWindowSeconds ?? 0, down.stabilizationWindowSeconds ?? DOWNSCALE_STABILIZATION, now);
  const able = stable === wish.desired ? READY : wish.desired >= wish.current ? UP_STABILIZED : DOWN_STABILIZED;
  const { replicas, ...why } = withinRates(memory, { ...wish, desired: stable }, up, down, now);
  return { replicas, able, limited: { status: replicas === stable ? 'False' : 'True', ...why } };
}

/** Between the lowest wish of the up window and the highest of the down window, nearest to what there is (stabilizeRecommendationWithBehaviors). */
function stabilize(memory: Memory, { current, desired }: Wish, upSeconds: number, downSeconds: number, now: Instant): number {
  const upCutoff = now - seconds(upSeconds);
  const downCutoff = now - seconds(downSeconds);
  let low = desired;
  let high = desired;
  for (const { replicas, at } of memory.recommendations) {
    if (at > upCutoff) low = Math.min(replicas, low);
    if (at > downCutoff) high = Math.max(replicas, high);
  }
  note(memory, desired, now, ({ at }) => at < upCutoff && at < downCutoff);
  let stable = current;
  if (stable < low) stable = low;
  if (stable > high) stable = high;
  return stable;
}

type Rules = DeepReadonly<HPAScalingRules>;

function withinRates(
  memory: Memory,
  { current, desired, min, max }: Wish,
  up: Rules,
  down: Rules,
  now: Instant,
): { readonly replicas: number; readonly reason: string; readonly message: string } {
  if (desired > current) {
    const rate = Math.max(current, upLimit(memory, current, up, now));
    const [most, why] = max > rate ? [rate, TOO_FAST_UP] : [max, TOO_MANY];
    if (desired > most) return { replicas: most, ...why };
  } else if (desired < current) {
    const rate = Math.min(current, downLimit(memory, current, down, now));
    const [least, why] = min < rate ? [rate, TOO_FAST_DOWN] : [min, TOO_FEW];
    if (desired < least) return { replicas: least, ...why };
  }
  return { replicas: desired, ...WITHIN };
}

/** How much was changed within a policy's period. */
function changedIn(period: number, events: readonly ScaleEvent[], now: Instant): number {
  const cutoff = now - seconds(period);
  let sum = 0;
  for (const { change, at } of events) if (at > cutoff) sum += change;
  return sum;
}

/** The most replicas the policies let it grow to (calculateScaleUpLimitWithScalingRules). */
export function upLimit(memory: Memory, current: number, { policies = [], selectPolicy }: Rules, now: Instant): number {
  if (selectPolicy === 'Disabled') return current;
  const proposals = policies.map(({ type, value, periodSeconds }) => {
    const start = current - changedIn(periodSeconds, memory.ups, now) + changedIn(periodSeconds, memory.downs, now);
    // Rounded up, or a small deployment would never grow.
    return type === 'Pods' ? start + value : Math.ceil(start * (1 + value / 100));
  });
  return selectPolicy === 'Min' ? Math.min(...proposals) : Math.max(...proposals);
}

/** The fewest the policies let it shrink to (calculateScaleDownLimitWithBehaviors). */
export function downLimit(memory: Memory, current: number, { policies = [], selectPolicy }: Rules, now: Instant): number {
  if (selectPolicy === 'Disabled') return current;
  const proposals = policies.map(({ type, value, periodSeconds }) => {
    const start = current - changedIn(periodSeconds, memory.ups, now) + changedIn(periodSeconds, memory.downs, now);
    return type === 'Pods' ? start - value : Math.trunc(start * (1 - value / 100));
  });
  // The least change is the highest count.
  return selectPolicy === 'Min' ? Math.max(...proposals) : Math.min(...proposals);
}

/** Notes what was done, for the rates; forgets what no policy looks back to. */
export function noteScale(
  memory: Memory,
  behavior: DeepReadonly<HorizontalPodAutoscalerBehavior> | undefined,
  before: number,
  after: number,
  now: Instant,
): void {
  if (!behavior) return;
  const longest = (rules: Rules | undefined): Duration => seconds(Math.max(0, ...(rules?.policies ?? []).map(({ periodSeconds }) => periodSeconds)));
  const keep = (events: readonly ScaleEvent[], period: Duration): readonly ScaleEvent[] => events.filter(({ at }) => at >= now - period);
  const period = Math.max(longest(behavior.scaleUp), longest(behavior.scaleDown));
  if (after > before) memory.ups = [...keep(memory.ups, period), { change: after - before, at: now }];
  else memory.downs = [...keep(memory.downs, period), { change: before - after, at: now }];
}
