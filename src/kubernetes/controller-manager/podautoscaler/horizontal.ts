/**
 * HorizontalPodAutoscaler (pkg/controller/podautoscaler).
 *
 * Keeps true: a scalable object has as many replicas as its metrics ask for, within bounds and rates.
 * Woken by: the clock, every 15 s for each autoscaler (`--horizontal-pod-autoscaler-sync-period`); nothing else.
 * Each time it asks for the target's scale, computes a wish per metric (`replicas.ts`), takes the highest, bounds it
 * (`behavior.ts`), and writes scale and status. What it remembers (wishes, changes) is lost when it starts anew.
 */
import { type Instant, seconds } from '../../../sim/clock.ts';
import { setCondition } from '../../api/condition.ts';
import type { DeepReadonly, Json } from '../../api/json.ts';
import { type Key, keyOf } from '../../api/meta.ts';
import { fromMilli, milliValue, parseQuantity } from '../../api/quantity.ts';
import { ApiError, type ApiResponse, type Status } from '../../api/request.ts';
import { objectPath, RESOURCES, type ResourceRow, splitApiVersion } from '../../api/resources.ts';
import { type LabelSelectorLike, parseSelector, type Selector } from '../../api/selector.ts';
import { timestamp } from '../../api/time.ts';
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerCondition,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
  Scale,
} from '../../api/types.gen.ts';
import { messageOf } from '../../client/retry.ts';
import { createWorkqueue } from '../../client/workqueue.ts';
import { type Context, type Runnable, runnable } from '../controller.ts';
import { goSelector } from '../go-selector.ts';
import { equal } from '../json-equal.ts';
import type { ReadonlyPod } from '../pods.ts';
import { type Memory, normalize, noteScale, remember } from './behavior.ts';
import { externalMetric, objectMetric, podsMetric, resourceMetrics } from './metrics.ts';
import { byAverage, byShare, byUtilization, byValue, TOLERANCE, type Tolerances } from './replicas.ts';

const NAME = 'horizontal-pod-autoscaler-controller';
const SYNC_PERIOD = seconds(15);
/** `--concurrent-horizontal-pod-autoscaler-syncs` */
const WORKERS = 5;

type Autoscaler = DeepReadonly<HorizontalPodAutoscaler>;
type Condition = DeepReadonly<HorizontalPodAutoscalerCondition>;
interface State {
  readonly memories: Map<Key, Memory>;
  /** What each autoscaler's target selects, as last seen. */
  readonly selectors: Map<Key, Selector>;
}

/** Its events come from `horizontal-pod-autoscaler`, as upstream's do. */
export const horizontalPodAutoscaler: Runnable = {
  name: NAME,
  for: 'HorizontalPodAutoscaler',
  run: (manager) => (self) =>
    runnable(NAME, (context) => main({ ...context, event: manager.recorderFor('horizontal-pod-autoscaler', self, context.client) })).run(manager)(self),
};

async function main(context: Context): Promise<void> {
  const { self, informer } = context;
  const autoscalers = informer('HorizontalPodAutoscaler');
  const state: State = { memories: new Map(), selectors: new Map() };
  const queue = createWorkqueue(self, NAME, 'HorizontalPodAutoscaler');
  autoscalers.onChange(({ before, after }) => {
    const key = keyOf((after ?? before)!);
    if (after) queue.addAfter(key, SYNC_PERIOD);
    else {
      state.memories.delete(key);
      state.selectors.delete(key);
    }
  });
  await autoscalers.synced();
  await informer('Pod').synced();
  const work = async (): Promise<never> => {
    for (;;) {
      const key = await queue.get();
      const autoscaler = autoscalers.get(key);
      if (autoscaler) {
        const about = `HorizontalPodAutoscaler/${key}`;
        const cause = self.trace.emit('reconcile.start', about, { controller: NAME });
        let error: unknown;
        try {
          await new Reconciliation(autoscaler, context, state).run();
        } catch (caught) {
          error = caught;
        }
        self.trace.because(cause);
        self.trace.emit('reconcile.end', about, { controller: NAME, outcome: error ? 'retry' : 'ok', ...(error ? { error: messageOf(error) } : {}) });
        queue.addAfter(key, SYNC_PERIOD);
      }
      queue.done(key);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
}

/** One metric's wish. */
interface Proposal {
  readonly replicas: number;
  /** As it is named in reasons: `cpu resource utilization (percentage of request)`. */
  readonly metric: string;
  readonly status: MetricStatus;
}
/** A metric that could not be had: the condition's reason, and the text of the event. */
class MetricError extends Error {
  constructor(
    readonly reason: string,
    /** What the condition and the event say. */
    readonly text: string,
    /** What the sum of all metrics says. */
    message: string,
  ) {
    super(message);
  }
}

/** One look at one autoscaler; its status is built up on the way. */
class Reconciliation {
  private readonly key: Key;
  private readonly now: Instant;
  private conditions: readonly Condition[];

  constructor(
    private readonly autoscaler: Autoscaler,
    private readonly context: Context,
    private readonly state: State,
  ) {
    this.key = keyOf(autoscaler);
    this.now = context.now();
    this.conditions = autoscaler.status?.conditions ?? [];
  }

  private set(type: string, status: 'True' | 'False', reason: string, message: string): void {
    const old = this.conditions.find((each) => each.type === type);
    const lastTransitionTime = old?.status === status && old.lastTransitionTime ? old.lastTransitionTime : timestamp(this.now);
    this.conditions = setCondition(this.conditions, { type, status, lastTransitionTime, reason, message });
  }
  private warn(reason: string, message: string): void {
    this.context.event(this.autoscaler, 'Warning', reason, message);
  }

  async run(): Promise<void> {
    const { autoscaler, context, now, key } = this;
    const { spec, status } = autoscaler;
    const target = spec?.scaleTargetRef;
    const reference = `${target?.kind}/${autoscaler.metadata.namespace}/${target?.name}`;
    let scale: Scale;
    let path: string;
    try {
      ({ scale, path } = await this.scaleOf());
    } catch (error) {
      this.warn('FailedGetScale', messageOf(error));
      this.set('AbleToScale', 'False', 'FailedGetScale', `the HPA controller was unable to get the target's current scale: ${messageOf(error)}`);
      await this.write(status?.currentReplicas ?? 0, status?.desiredReplicas ?? 0, status?.currentMetrics ?? [], false);
      throw new Error(`failed to query scale subresource for ${reference}: ${messageOf(error)}`);
    }
    this.set('AbleToScale', 'True', 'SucceededGetScale', "the HPA controller was able to get the target's current scale");
    const current = scale.spec?.replicas ?? 0;
    let memory = this.state.memories.get(key);
    if (!memory) {
      memory = remember(current, now);
      this.state.memories.set(key, memory);
    }
    const min = spec?.minReplicas ?? 1;
    const max = spec?.maxReplicas ?? 0;
    let desired = 0;
    let reason = '';
    let metrics: readonly MetricStatus[] = [];
    let rescale = true;
    let later: Error | undefined;
    if (current === 0 && min !== 0) {
      rescale = false;
      this.set('ScalingActive', 'False', 'ScalingDisabled', 'scaling is disabled since the replica count of the target is zero');
    } else if (current > max) {
      reason = 'Current number of replicas above Spec.MaxReplicas';
      desired = max;
    } else if (current < min) {
      reason = 'Current number of replicas below Spec.MinReplicas';
      desired = min;
    } else {
      const wish = await this.wishOf(scale);
      if (wish.replicas === undefined) {
        await this.write(current, status?.desiredReplicas ?? 0, status?.currentMetrics ?? [], false);
        this.warn('FailedComputeMetricsReplicas', wish.error.message);
        throw new Error(`failed to compute desired number of replicas based on listed metrics for ${reference}: ${wish.error.message}`);
      }
      later = wish.error;
      metrics = wish.statuses;
      desired = wish.replicas;
      if (desired > current) reason = `${wish.metric} above target`;
      if (desired < current) reason = 'All metrics below target';
      const verdict = normalize(memory, { current, desired, min, max, behavior: spec?.behavior }, now);
      desired = verdict.replicas;
      this.set('AbleToScale', 'True', verdict.able.reason, verdict.able.message);
      this.set('ScalingLimited', verdict.limited.status, verdict.limited.reason, verdict.limited.message);
      rescale = desired !== current;
    }
    if (rescale) {
      try {
        await this.rescale(path, scale, desired);
      } catch (error) {
        this.warn('FailedRescale', `New size: ${desired}; reason: ${reason}; error: ${messageOf(error)}`);
        this.set('AbleToScale', 'False', 'FailedUpdateScale', `the HPA controller was unable to update the target scale: ${messageOf(error)}`);
        await this.write(current, status?.desiredReplicas ?? 0, status?.currentMetrics ?? [], false);
        throw new Error(`failed to rescale ${reference}: ${messageOf(error)}`);
      }
      this.set('AbleToScale', 'True', 'SucceededRescale', `the HPA controller was able to update the target scale to ${desired}`);
      context.event(autoscaler, 'Normal', 'SuccessfulRescale', `New size: ${desired}; reason: ${reason}`);
      noteScale(memory, spec?.behavior, current, desired, now);
    } else desired = current;
    await this.write(current, desired, metrics, rescale);
    if (later) throw later;
  }

  /** Writes the status, unless it is what it was. */
  private async write(
    currentReplicas: number,
    desiredReplicas: number,
    currentMetrics: readonly DeepReadonly<MetricStatus>[],
    rescaled: boolean,
  ): Promise<void> {
    const { autoscaler, context } = this;
    const lastScaleTime = rescaled ? timestamp(this.now) : autoscaler.status?.lastScaleTime;
    const status = {
      ...(lastScaleTime ? { lastScaleTime } : {}),
      currentReplicas,
      desiredReplicas,
      ...(currentMetrics.length > 0 ? { currentMetrics } : {}),
      conditions: this.conditions,
    };
    if (equal(status, autoscaler.status)) return;
    try {
      await context.client.of('HorizontalPodAutoscaler').updateStatus({ ...autoscaler, status } as Autoscaler);
    } catch (error) {
      this.warn('FailedUpdateStatus', messageOf(error));
      throw new Error(`failed to update status for ${autoscaler.metadata.name}: ${messageOf(error)}`);
    }
  }

  /** The target's scale and where it is written. */
  private async scaleOf(): Promise<{ readonly scale: Scale; readonly path: string }> {
    const { apiVersion = '', kind = '', name = '' } = this.autoscaler.spec?.scaleTargetRef ?? {};
    const { group } = splitApiVersion(apiVersion);
    const row = RESOURCES.find((each) => each.group === group && each.kind === kind) ?? (await this.customRow(apiVersion, kind));
    if (!row) throw new Error(`no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`);
    const path = objectPath(row, this.autoscaler.metadata.namespace ?? '', name, 'scale');
    const response = await this.context.client.request({ method: 'GET', path, query: {}, headers: {} });
    if (response.status >= 400) throw failureOf(response, `get ${row.plural}${row.group ? `.${row.group}` : ''} ${name}`);
    return { scale: response.body as unknown as Scale, path };
  }

  /** A kind that a definition brings: what discovery says. */
  private async customRow(apiVersion: string, kind: string): Promise<ResourceRow | undefined> {
    const { group, version } = splitApiVersion(apiVersion);
    if (!group) return undefined;
    const response = await this.context.client.request({ method: 'GET', path: `/apis/${group}/${version}`, query: {}, headers: {} });
    const { resources = [] } = (response.status === 200 ? response.body : {}) as unknown as {
      readonly resources?: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
    };
    const found = resources.find((each) => each.kind === kind && !each.name.includes('/'));
    return found && ({ group, version, kind, plural: found.name, namespaced: found.namespaced, prefix: '' } as unknown as ResourceRow);
  }

  private async rescale(path: string, scale: Scale, replicas: number): Promise<void> {
    const body = { ...scale, spec: { ...scale.spec, replicas } } as unknown as Json;
    const response = await this.context.client.request({ method: 'PUT', path, query: {}, headers: { 'content-type': 'application/json' }, body });
    if (response.status >= 400) throw failureOf(response, 'put scale');
  }

  /** The highest of what the metrics ask for; nothing when none could be had, or when one is missing and the others ask for less than there is (computeReplicasForMetrics). */
  private async wishOf(
    scale: Scale,
  ): Promise<
    | { readonly replicas: undefined; readonly error: Error }
    | { readonly replicas: number; readonly metric: string; readonly statuses: readonly MetricStatus[]; readonly error: Error | undefined }
  > {
    const selector = this.selectorOf(scale);
    if (selector instanceof Error) return { replicas: undefined, error: selector };
    const specs = this.autoscaler.spec?.metrics ?? [];
    const current = scale.spec?.replicas ?? 0;
    const statuses: MetricStatus[] = [];
    const failures: MetricError[] = [];
    let best: Proposal | undefined;
    for (const spec of specs) {
      try {
        const proposal = await this.proposalOf(spec, current, scale.status?.replicas ?? 0, selector);
        statuses.push(proposal.status);
        if (!best || proposal.replicas > best.replicas) best = proposal;
      } catch (error) {
        if (!(error instanceof MetricError)) throw error;
        this.warn(error.reason, error.text);
        statuses.push({ type: '' });
        failures.push(error);
      }
    }
    const [first] = failures;
    const error = first && new Error(`invalid metrics (${failures.length} invalid out of ${specs.length}), first error is: ${first.message}`);
    if (first && (!best || best.replicas < current)) {
      this.set('ScalingActive', 'False', first.reason, `the HPA was unable to compute the replica count: ${first.text}`);
      return { replicas: undefined, error: error! };
    }
    const metric = best?.metric ?? '';
    this.set('ScalingActive', 'True', 'ValidMetricFound', `the HPA was able to successfully calculate a replica count from ${metric}`);
    return { replicas: best?.replicas ?? 0, metric, statuses, error };
  }

  /** What the target's pods are selected by; two autoscalers of the same pods would fight. */
  private selectorOf(scale: Scale): Selector | Error {
    const text = scale.status?.selector ?? '';
    if (text === '') {
      this.warn('SelectorRequired', 'selector is required');
      this.set('ScalingActive', 'False', 'InvalidSelector', "the HPA target's scale is missing a selector");
      return new Error('selector is required');
    }
    let selector: Selector;
    try {
      selector = parseSelector(text);
    } catch (error) {
      const message = `couldn't convert selector into a corresponding internal selector object: ${messageOf(error)}`;
      this.warn('InvalidSelector', message);
      this.set('ScalingActive', 'False', 'InvalidSelector', message);
      return new Error(message);
    }
    this.state.selectors.set(this.key, selector);
    const pods = this.podsOf(selector);
    const mine = `${this.autoscaler.metadata.namespace}/`;
    const rivals = [...this.state.selectors].filter(([key, other]) => key.startsWith(mine) && pods.some((pod) => other.matches(pod.metadata.labels)));
    if (rivals.length <= 1) return selector;
    const names = rivals.map(([key]) => `{${key.slice(mine.length)} ${mine.slice(0, -1)}}`);
    const message = `pods by selector ${text} are controlled by multiple HPAs: [${names.join(' ')}]`;
    this.warn('AmbiguousSelector', message);
    this.set('ScalingActive', 'False', 'AmbiguousSelector', message);
    return new Error(message);
  }

  private podsOf(selector: Selector): readonly ReadonlyPod[] {
    return this.context
      .informer('Pod')
      .list(this.autoscaler.metadata.namespace)
      .filter((pod) => selector.matches(pod.metadata.labels));
  }

  /** One metric of one autoscaler (computeReplicasForMetric). Rejects with MetricError. */
  private async proposalOf(spec: DeepReadonly<MetricSpec>, current: number, statusReplicas: number, selector: Selector): Promise<Proposal> {
    const { context, autoscaler, now } = this;
    const { request } = context.client;
    const namespace = autoscaler.metadata.namespace ?? '';
    const tolerances = this.tolerances();
    const question = { current, pods: this.podsOf(selector), now, tolerances };
    const attempt = async (reason: string, prefix: string, work: () => Promise<Proposal>, within = ''): Promise<Proposal> => {
      try {
        return await work();
      } catch (error) {
        throw new MetricError(reason, messageOf(error), `${prefix}: ${within ? `${within}: ` : ''}${messageOf(error)}`);
      }
    };
    const { resource, containerResource, pods, object, external } = spec;
    if (spec.type === 'Resource' && resource)
      return attempt('FailedGetResourceMetric', `failed to get ${resource.name} resource metric value`, async () => {
        const { current: value, ...found } = await this.byResource(question, resource.name, '', resource.target, selector);
        return { ...found, status: { type: 'Resource', resource: { name: resource.name, current: value } } };
      });
    if (spec.type === 'ContainerResource' && containerResource)
      return attempt('FailedGetContainerResourceMetric', `failed to get ${containerResource.container} container metric value`, async () => {
        const { name, container, target } = containerResource;
        const { current: value, ...found } = await this.byResource(question, name, container, target, selector);
        return { ...found, status: { type: 'ContainerResource', containerResource: { name, container, current: value } } };
      });
    if (spec.type === 'Pods' && pods)
      return attempt('FailedGetPodsMetric', 'failed to get pods metric value', async () => {
        const { name, selector: metricSelector } = pods.metric;
        const metrics = await because(
          `unable to get metric ${name}`,
          podsMetric(request, name, namespace, selector.toString(), metricSelector as LabelSelectorLike),
        );
        const { replicas, average } = byAverage({ ...question, metrics }, milliValue(pods.target.averageValue));
        return {
          replicas,
          metric: `pods metric ${name}`,
          status: { type: 'Pods', pods: { metric: pods.metric as MetricIdentifier, current: { averageValue: fromMilli(average) } } },
        };
      });
    if (spec.type === 'Object' && object) {
      const { target, describedObject } = object;
      const metric = object.metric as MetricIdentifier;
      const { name } = metric;
      return attempt(
        'FailedGetObjectMetric',
        'failed to get object metric value',
        async () => {
          if (target.type !== 'Value' && target.type !== 'AverageValue')
            throw new Error('invalid object metric source: neither a value target nor an average value target was set');
          const usage = await because(
            // Upstream hands its format the error last, where the object's name is due; so do we.
            `unable to get metric ${name}: ${describedObject.kind} on ${namespace} ${describedObject.name}/`,
            objectMetric(request, name, namespace, describedObject, metric.selector as LabelSelectorLike),
            '',
          );
          if (target.type === 'Value')
            return {
              replicas: byValue(question, usage, milliValue(target.value)),
              metric: `${describedObject.kind} metric ${name}`,
              status: { type: 'Object', object: { describedObject, metric, current: { value: fromMilli(usage) } } },
            };
          const { replicas, average } = byShare(statusReplicas, usage, milliValue(target.averageValue), tolerances);
          return {
            replicas,
            metric: `external metric ${name}(${goSelector(metric.selector as LabelSelectorLike)})`,
            // Upstream does not say what object it was, either.
            status: { type: 'Object', object: { describedObject: { kind: '', name: '' }, metric, current: { averageValue: fromMilli(average) } } },
          };
        },
        target.type === 'AverageValue' ? `failed to get ${name} object metric` : '',
      );
    }
    if (spec.type === 'External' && external) {
      const { target } = external;
      const metric = external.metric as MetricIdentifier;
      const text = goSelector(metric.selector as LabelSelectorLike);
      const within =
        target.averageValue !== undefined
          ? `failed to get ${metric.name} external metric`
          : target.value !== undefined
            ? `failed to get external metric ${metric.name}`
            : '';
      return attempt(
        'FailedGetExternalMetric',
        `failed to get ${metric.name} external metric value`,
        async () => {
          if (target.averageValue === undefined && target.value === undefined)
            throw new Error('invalid external metric source: neither a value target nor an average value target was set');
          const values = await because(
            `unable to get external metric ${namespace}/${metric.name}/${text}`,
            externalMetric(request, metric.name, namespace, metric.selector as LabelSelectorLike),
          );
          const usage = values.reduce((sum, value) => sum + value, 0);
          const found = { metric: `external metric ${metric.name}(${text})` };
          if (target.averageValue !== undefined) {
            const { replicas, average } = byShare(statusReplicas, usage, milliValue(target.averageValue), tolerances);
            return { ...found, replicas, status: { type: 'External', external: { metric, current: { averageValue: fromMilli(average) } } } };
          }
          return {
            ...found,
            replicas: byValue(question, usage, milliValue(target.value)),
            status: { type: 'External', external: { metric, current: { value: fromMilli(usage) } } },
          };
        },
        within,
      );
    }
    const text = `unknown metric source type ${JSON.stringify(spec.type)}`;
    throw new MetricError('InvalidMetricSourceType', text, text);
  }

  /** Alpha HPAConfigurableTolerance: the API server drops the fields unless the gate is on. */
  private tolerances(): Tolerances {
    const of = (text: string | undefined): number => (text === undefined ? TOLERANCE : Number(parseQuantity(text).nano) / 1_000_000_000);
    const { scaleUp, scaleDown } = this.autoscaler.spec?.behavior ?? {};
    return { scaleUp: of(scaleUp?.tolerance), scaleDown: of(scaleDown?.tolerance) };
  }

  /** CPU and memory, of pods or of one container of each (computeStatusForResourceMetricGeneric). */
  private async byResource(
    question: Omit<Parameters<typeof byAverage>[0], 'metrics'>,
    resource: string,
    container: string,
    target: DeepReadonly<MetricTarget>,
    selector: Selector,
  ): Promise<{ readonly replicas: number; readonly metric: string; readonly current: MetricValueStatus }> {
    const namespace = this.autoscaler.metadata.namespace ?? '';
    const fetch = () =>
      because(
        `unable to get metrics for resource ${resource}`,
        resourceMetrics(this.context.client.request, resource, namespace, selector.toString(), container),
      );
    if (target.averageValue !== undefined) {
      const { averageValue } = target;
      return because(
        `failed to get ${resource} usage`,
        fetch().then((metrics) => {
          const { replicas, average } = byAverage({ ...question, metrics }, milliValue(averageValue), resource);
          return { replicas, metric: `${resource} resource`, current: { averageValue: fromMilli(average) } };
        }),
      );
    }
    const { averageUtilization } = target;
    if (averageUtilization === undefined)
      throw new Error('invalid resource metric source: neither an average utilization target nor an average value (usage) target was set');
    return because(
      `failed to get ${resource} utilization`,
      fetch().then((metrics) => {
        const { replicas, percent, raw } = byUtilization({ ...question, metrics }, averageUtilization, resource, container);
        return {
          replicas,
          metric: `${resource} ${container ? 'container ' : ''}resource utilization (percentage of request)`,
          current: { averageUtilization: percent, averageValue: fromMilli(raw) },
        };
      }),
    );
  }
}

type MetricIdentifier = NonNullable<MetricStatus['pods']>['metric'];

const because = async <T>(what: string, work: Promise<T>, between = ': '): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    throw new Error(`${what}${between}${messageOf(error)}`);
  }
};

function failureOf({ status, body }: ApiResponse, what: string): Error {
  const found = body as unknown as Partial<Status> | undefined;
  if (typeof found === 'object' && found?.kind === 'Status') return new ApiError(found as Status);
  return new Error(
    status === 404
      ? `the server could not find the requested resource (${what})`
      : `the server responded with the status code ${status} but did not return more information (${what})`,
  );
}
