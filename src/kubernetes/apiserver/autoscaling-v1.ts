/**
 * autoscaling/v1 HorizontalPodAutoscalers, which have fields for CPU alone: other metrics, behavior, the metrics' status
 * and conditions travel in annotations (pkg/apis/autoscaling/v1/conversion.go). What is stored has none of them.
 */
import type { KubeObject } from '../api/meta.ts';

type Fields = Readonly<Record<string, unknown>>;
type Source = Fields | undefined;
interface Metric extends Fields {
  readonly type?: string;
}

const METRICS = 'autoscaling.alpha.kubernetes.io/metrics';
const CURRENT = 'autoscaling.alpha.kubernetes.io/current-metrics';
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior';
const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions';
const ROUND_TRIP = [METRICS, CURRENT, BEHAVIOR, CONDITIONS];
const DEFAULT_PERCENT = 80;

/** Only what is there, in the order of Go's fields. */
const only = (fields: Fields): Fields => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
const of = (object: unknown, name: string): Source => (object as Fields | undefined)?.[name] as Source;

/** CPU as a percentage, the one metric that v1 knows. */
const cpuPercent = (metric: Metric): number | undefined => {
  const resource = metric.type === 'Resource' ? of(metric, 'resource') : undefined;
  return resource?.['name'] === 'cpu' ? (of(resource, 'target')?.['averageUtilization'] as number | undefined) : undefined;
};

const identifier = (source: Source, selectorName: string): Fields => {
  const metric = of(source, 'metric');
  return { metricName: metric?.['name'], [selectorName]: metric?.['selector'] };
};

/** A v2 metric (`target`) or its status (`current`) as v1 wrote it, before there were targets. */
function toV1Metric(metric: Metric, part: 'target' | 'current'): Fields {
  const source = (name: string): Source => of(metric, name);
  const values = (name: string): Fields => of(source(name), part) ?? {};
  const plural = (name: string): Fields => ({
    [`${part}AverageUtilization`]: values(name)['averageUtilization'],
    [`${part}AverageValue`]: values(name)['averageValue'] ?? (part === 'current' ? '0' : undefined),
  });
  const object = source('object');
  const pods = source('pods');
  const resource = source('resource');
  const container = source('containerResource');
  const external = source('external');
  const objectId = identifier(object, 'selector');
  return only({
    type: metric.type ?? '',
    object:
      object &&
      only({
        target: object['describedObject'],
        metricName: objectId['metricName'],
        [`${part}Value`]: values('object')['value'] ?? '0',
        selector: objectId['selector'],
        averageValue: values('object')['averageValue'],
      }),
    pods:
      pods &&
      only({
        metricName: identifier(pods, 'selector')['metricName'],
        [`${part}AverageValue`]: values('pods')['averageValue'] ?? '0',
        selector: identifier(pods, 'selector')['selector'],
      }),
    resource: resource && only({ name: resource['name'], ...plural('resource') }),
    containerResource: container && only({ name: container['name'], ...plural('containerResource'), container: container['container'] }),
    external:
      external &&
      only({
        ...identifier(external, 'metricSelector'),
        [`${part}Value`]: values('external')['value'] ?? (part === 'current' ? '0' : undefined),
        [`${part}AverageValue`]: values('external')['averageValue'],
      }),
  });
}

/** The other way round. */
function fromV1Metric(metric: Metric, part: 'target' | 'current'): Metric {
  const inside = (value: Fields): Fields => {
    const { averageUtilization, averageValue } = value;
    const type = averageUtilization !== undefined ? 'Utilization' : averageValue !== undefined ? 'AverageValue' : 'Value';
    return part === 'target' ? only({ type, ...value }) : only(value);
  };
  const values = (source: Source, withUtilization: boolean): Fields =>
    inside({
      ...(withUtilization ? { averageUtilization: source?.[`${part}AverageUtilization`] } : {}),
      averageValue: source?.[`${part}AverageValue`] ?? source?.['averageValue'],
      value: source?.[`${part}AverageValue`] === undefined && source?.['averageValue'] === undefined ? source?.[`${part}Value`] : undefined,
    });
  const name = (source: Source, selectorName: string): Fields => only({ name: source?.['metricName'], selector: source?.[selectorName] });
  const object = of(metric, 'object');
  const pods = of(metric, 'pods');
  const resource = of(metric, 'resource');
  const container = of(metric, 'containerResource');
  const external = of(metric, 'external');
  return only({
    type: metric.type,
    object: object && { describedObject: object['target'], metric: name(object, 'selector'), [part]: values(object, false) },
    pods: pods && { metric: name(pods, 'selector'), [part]: values(pods, false) },
    resource: resource && { name: resource['name'], [part]: values(resource, true) },
    containerResource: container && { name: container['name'], container: container['container'], [part]: values(container, true) },
    external: external && { metric: name(external, 'metricSelector'), [part]: values(external, false) },
  }) as Metric;
}

/** Upstream encodes its internal type, whose fields have no JSON names. */
function behaviorText(behavior: Fields): string {
  const rules = (given: Source) =>
    given === undefined
      ? null
      : {
          StabilizationWindowSeconds: given['stabilizationWindowSeconds'] ?? null,
          SelectPolicy: given['selectPolicy'] ?? null,
          Policies: ((given['policies'] as readonly Fields[] | undefined) ?? []).map(({ type, value, periodSeconds }) => ({
            Type: type,
            Value: value,
            PeriodSeconds: periodSeconds,
          })),
          Tolerance: given['tolerance'] ?? null,
        };
  return JSON.stringify({ ScaleUp: rules(of(behavior, 'scaleUp')), ScaleDown: rules(of(behavior, 'scaleDown')) });
}
function behaviorOf(text: Fields): Fields {
  const rules = (given: Source) =>
    given === undefined || given === null
      ? undefined
      : only({
          stabilizationWindowSeconds: given['StabilizationWindowSeconds'],
          selectPolicy: given['SelectPolicy'],
          policies: ((given['Policies'] as readonly Fields[] | undefined) ?? []).map(({ Type, Value, PeriodSeconds }) => ({
            type: Type,
            value: Value,
            periodSeconds: PeriodSeconds,
          })),
          tolerance: given['Tolerance'],
        });
  return only({ scaleUp: rules(of(text, 'ScaleUp')), scaleDown: rules(of(text, 'ScaleDown')) });
}

const parse = (text: string | undefined): unknown => {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
};
const withoutRoundTrip = (annotations: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(annotations ?? {}).filter(([name]) => !ROUND_TRIP.includes(name)));
const withAnnotations = (object: KubeObject, annotations: Readonly<Record<string, string>>): KubeObject['metadata'] => {
  const { annotations: _, ...metadata } = object.metadata;
  return (Object.keys(annotations).length > 0 ? { ...metadata, annotations } : metadata) as KubeObject['metadata'];
};

/** A stored autoscaler as autoscaling/v1 shows it. */
export function autoscalerToV1(object: KubeObject, apiVersion: string): KubeObject {
  const {
    metrics = [],
    behavior,
    ...spec
  } = ((object as unknown as Fields)['spec'] ?? {}) as Fields & { readonly metrics?: readonly Metric[]; readonly behavior?: Fields };
  const {
    currentMetrics = [],
    conditions = [],
    ...status
  } = ((object as unknown as Fields)['status'] ?? {}) as Fields & {
    readonly currentMetrics?: readonly Metric[];
    readonly conditions?: readonly Fields[];
  };
  const target = metrics.map(cpuPercent).find((percent) => percent !== undefined);
  const others = metrics.filter((metric) => cpuPercent(metric) === undefined);
  const current = currentMetrics
    .map((metric) =>
      metric.type === 'Resource' && of(metric, 'resource')?.['name'] === 'cpu' ? of(of(metric, 'resource'), 'current')?.['averageUtilization'] : undefined,
    )
    .find((percent) => percent !== undefined);
  const annotations: Record<string, string> = { ...withoutRoundTrip(object.metadata.annotations) };
  if (others.length > 0) annotations[METRICS] = JSON.stringify(others.map((metric) => toV1Metric(metric, 'target')));
  if (currentMetrics.length > 0) annotations[CURRENT] = JSON.stringify(currentMetrics.map((metric) => toV1Metric(metric, 'current')));
  if (conditions.length > 0)
    annotations[CONDITIONS] = JSON.stringify(
      conditions.map((each) =>
        only({ type: each['type'], status: each['status'], lastTransitionTime: each['lastTransitionTime'], reason: each['reason'], message: each['message'] }),
      ),
    );
  if (behavior) annotations[BEHAVIOR] = behaviorText(behavior);
  return {
    ...object,
    apiVersion,
    metadata: withAnnotations(object, annotations),
    spec: { ...spec, ...(target === undefined ? {} : { targetCPUUtilizationPercentage: target }) },
    ...('status' in object ? { status: { ...status, ...(current === undefined ? {} : { currentCPUUtilizationPercentage: current }) } } : {}),
  } as unknown as KubeObject;
}

/** What is stored for one given in v1; annotations that say nothing readable are dropped. */
export function autoscalerToV2(object: KubeObject): KubeObject {
  const { targetCPUUtilizationPercentage: target, ...spec } = ((object as unknown as Fields)['spec'] ?? {}) as Fields;
  const { currentCPUUtilizationPercentage: current, ...status } = ((object as unknown as Fields)['status'] ?? {}) as Fields;
  const given = object.metadata.annotations ?? {};
  const list = (name: string): readonly Metric[] => {
    const parsed = parse(given[name]);
    return Array.isArray(parsed) ? parsed : [];
  };
  const cpu = (percent: unknown): Metric => ({ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: percent } } });
  const metrics = [...(target === undefined ? [] : [cpu(target)]), ...list(METRICS).map((metric) => fromV1Metric(metric, 'target'))];
  const currentMetrics = list(CURRENT).map((metric) => fromV1Metric(metric, 'current'));
  if (currentMetrics.length === 0 && current !== undefined)
    currentMetrics.push({ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: current } } });
  const behavior = parse(given[BEHAVIOR]) as Fields | undefined;
  const conditions = list(CONDITIONS);
  const kept = only({
    ...status,
    currentMetrics: currentMetrics.length > 0 ? currentMetrics : undefined,
    conditions: conditions.length > 0 ? conditions : undefined,
  });
  return {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata: withAnnotations(object, withoutRoundTrip(given)),
    // The default of the controller of old, made explicit here, where all metrics are known.
    spec: { ...spec, metrics: metrics.length > 0 ? metrics : [cpu(DEFAULT_PERCENT)], ...(behavior ? { behavior: behaviorOf(behavior) } : {}) },
    ...('status' in object || Object.keys(kept).length > 0 ? { status: kept } : {}),
  } as unknown as KubeObject;
}
