/**
 * Two versions of one object: what is stored and what is asked for. Stored are core/v1 Events and
 * autoscaling/v2 HorizontalPodAutoscalers; events.k8s.io/v1 and autoscaling/v1 are views of them. So are devices in v1beta2
 * (upstream pkg/apis/{events,autoscaling}/v1/conversion.go).
 */
import type { KubeObject } from '../api/meta.ts';
import { apiVersionOf, byKind, type ResourceRow } from '../api/resources.ts';
import { customOf } from './apiextensions/custom-kind.ts';
import { border } from './border.ts';
import { devices } from './devices.ts';

const STORED: Readonly<Record<string, ResourceRow>> = {
  EventsV1Event: byKind('Event'),
  HorizontalPodAutoscalerV1: byKind('HorizontalPodAutoscaler'),
  DeviceClassV1beta2: byKind('DeviceClassV1beta1'),
  ResourceClaimV1beta2: byKind('ResourceClaimV1beta1'),
  ResourceClaimTemplateV1beta2: byKind('ResourceClaimTemplateV1beta1'),
  ResourceSliceV1beta2: byKind('ResourceSliceV1beta1'),
};

/** The row a kind is stored as: its own, but for the two that are views. */
export const storageRow = (row: ResourceRow): ResourceRow => STORED[row.type] ?? row;

type Fields = KubeObject & Record<string, unknown>;

const views = new WeakMap<KubeObject, KubeObject>();

/** A stored object as `row` shows it; the same view for the same object. */
export function fromStorage(row: ResourceRow, object: KubeObject): KubeObject {
  const custom = customOf(row);
  if (custom) return custom.convert(object);
  const convert =
    row.type === 'EventsV1Event'
      ? eventToV1
      : row.type === 'HorizontalPodAutoscalerV1'
        ? border().autoscalerToV1
        : row.version === 'v1beta2' && STORED[row.type]
          ? (stored: Fields) => devices().devicesIn('v1beta2', stored)
          : undefined;
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
  if (row.type === 'HorizontalPodAutoscalerV1') return border().autoscalerToV2(object);
  if (row.version === 'v1beta2' && STORED[row.type]) return devices().devicesIn('v1beta1', object);
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
