/**
 * Two versions of one object: what is stored and what is asked for. Stored are core/v1 Events and
 * autoscaling/v2 HorizontalPodAutoscalers; events.k8s.io/v1 and autoscaling/v1 are views of them
 * (upstream pkg/apis/{events,autoscaling}/v1/conversion.go).
 */
import type { KubeObject } from '../api/meta.ts';
import { apiVersionOf, byKind, type ResourceRow } from '../api/resources.ts';
import { customOf } from './apiextensions/custom-kind.ts';

const STORED: Readonly<Record<string, ResourceRow>> = {
  EventsV1Event: byKind('Event'),
  HorizontalPodAutoscalerV1: byKind('HorizontalPodAutoscaler'),
};

/** The row a kind is stored as: its own, but for the two that are views. */
export const storageRow = (row: ResourceRow): ResourceRow => STORED[row.type] ?? row;

type Fields = KubeObject & Record<string, unknown>;

const views = new WeakMap<KubeObject, KubeObject>();

/** A stored object as `row` shows it; the same view for the same object. */
export function fromStorage(row: ResourceRow, object: KubeObject): KubeObject {
  const custom = customOf(row);
  if (custom) return custom.convert(object);
  const convert = row.type === 'EventsV1Event' ? eventToV1 : row.type === 'HorizontalPodAutoscalerV1' ? autoscalerToV1 : undefined;
  if (!convert) return object;
  let view = views.get(object);
  if (!view) {
    view = convert(object as Fields, apiVersionOf(row));
    views.set(object, view);
  }
  return view;
}

/** What is stored for an object given as `row` shows it. */
export function toStorage(row: ResourceRow, object: KubeObject): KubeObject {
  if (row.type === 'EventsV1Event') return eventToCore(object as Fields);
  if (row.type === 'HorizontalPodAutoscalerV1') return autoscalerToV2(object as Fields);
  return object;
}

const without = (object: Fields, ...fields: string[]): Fields => {
  const copy = { ...object };
  for (const field of fields) delete copy[field];
  return copy;
};
const renamed = (object: Fields, apiVersion: string, names: readonly (readonly [string, string])[]): Fields => {
  const copy: Fields = { ...without(object, ...names.map(([from]) => from)), apiVersion };
  for (const [from, to] of names) if (object[from] !== undefined) copy[to] = object[from];
  return copy;
};

const EVENT_FIELDS = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
  ['reportingComponent', 'reportingController'],
] as const;
const eventToV1 = (event: Fields, apiVersion: string): KubeObject => renamed(event, apiVersion, EVENT_FIELDS);
const eventToCore = (event: Fields): KubeObject =>
  renamed(
    event,
    'v1',
    EVENT_FIELDS.map(([core, v1]) => [v1, core] as const),
  );

interface Metric {
  readonly type?: string;
  readonly resource?: { readonly name?: string; readonly target?: { readonly averageUtilization?: number } };
}
const isCpu = (metric: Metric): boolean =>
  metric.type === 'Resource' && metric.resource?.name === 'cpu' && metric.resource.target?.averageUtilization !== undefined;

/** Here simplified: other metrics than cpu, and behavior, are kept as they are instead of in annotations. */
function autoscalerToV1(object: Fields, apiVersion: string): KubeObject {
  const spec = { ...(object['spec'] as Record<string, unknown>) };
  const metrics = (spec['metrics'] as readonly Metric[] | undefined) ?? [];
  const cpu = metrics.find(isCpu);
  const rest = metrics.filter((metric) => metric !== cpu);
  delete spec['metrics'];
  if (rest.length > 0) spec['metrics'] = rest;
  if (cpu) spec['targetCPUUtilizationPercentage'] = cpu.resource?.target?.averageUtilization;
  return { ...object, apiVersion, spec } as Fields;
}
function autoscalerToV2(object: Fields): KubeObject {
  const { targetCPUUtilizationPercentage: target, metrics, ...spec } = object['spec'] as Record<string, unknown> & { metrics?: readonly Metric[] };
  const cpu = target === undefined ? [] : [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: target } } }];
  return { ...object, apiVersion: 'autoscaling/v2', spec: { ...spec, metrics: [...cpu, ...(metrics ?? [])] } } as Fields;
}
