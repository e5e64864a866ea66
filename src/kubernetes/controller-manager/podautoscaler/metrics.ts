/**
 * Where an autoscaler's metrics come from (pkg/controller/podautoscaler/metrics/client.go): the resource metrics API, the
 * custom and the external ones, each served by somebody else through the aggregation layer. Rejections are Errors with
 * upstream's text.
 */
import { minutes, seconds } from '../../../sim/clock.ts';
import type { DeepReadonly, Json } from '../../api/json.ts';
import { milliValue } from '../../api/quantity.ts';
import type { ApiHandler, ApiResponse } from '../../api/request.ts';
import { byObject } from '../../api/resources.ts';
import { type LabelSelectorLike, selectorOf } from '../../api/selector.ts';
import { instantOf } from '../../api/time.ts';
import type { CrossVersionObjectReference } from '../../api/types.gen.ts';
import { messageOf } from '../../client/retry.ts';
import type { PodMetric, PodMetrics } from './replicas.ts';

interface Usage {
  readonly usage?: Readonly<Record<string, string>>;
}
interface PodMetricsItem extends Usage {
  readonly metadata: { readonly name?: string; readonly namespace?: string };
  readonly timestamp?: string;
  readonly window?: string;
  readonly containers?: readonly (Usage & { readonly name?: string })[];
}
interface MetricValue {
  readonly describedObject?: { readonly name?: string };
  readonly timestamp?: string;
  readonly windowSeconds?: number;
  readonly value?: string;
}

/** Custom metrics that do not say are taken for averages over a minute. */
const DEFAULT_WINDOW = minutes(1);

const said = (code: number, what: string): string => {
  switch (code) {
    case 404:
      return `the server could not find the requested resource (get ${what})`;
    case 503:
      return `the server is currently unable to handle the request (get ${what})`;
    case 500:
      return `an error on the server ("unknown") has prevented the request from succeeding (get ${what})`;
    default:
      return `the server responded with the status code ${code} but did not return more information (get ${what})`;
  }
};

/** The answer's body, or the error client-go makes of it. */
async function get(request: ApiHandler, path: string, query: Readonly<Record<string, string>>, what: string): Promise<Json> {
  const response: ApiResponse = await request({ method: 'GET', path, query, headers: {} });
  const { status, body } = response;
  if (status < 400 && body !== undefined) return body;
  const failure = body as { readonly kind?: string; readonly message?: string; readonly details?: { readonly name?: string } } | undefined;
  // A Status about nothing in particular is a path that nobody serves.
  if (typeof failure === 'object' && failure?.kind === 'Status' && failure.message && (status !== 404 || failure.details?.name))
    throw new Error(failure.message);
  throw new Error(said(status, what));
}

const wrapped = async <T>(api: string, work: Promise<T>): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    throw new Error(`unable to fetch metrics from ${api} metrics API: ${messageOf(error)}`);
  }
};

/** `15.042s`, `1m0s`. */
function durationOf(text: string | undefined): number {
  const m = /^(?:(\d+)h)?(?:(\d+)m)?(?:([\d.]+)s)?$/.exec(text ?? '');
  return m ? seconds(Number(m[1] ?? 0) * 3600 + Number(m[2] ?? 0) * 60 + Number(m[3] ?? 0)) : 0;
}

/** Use of a resource by each pod a selector names; of one container if it is named. */
export async function resourceMetrics(request: ApiHandler, resource: string, namespace: string, selector: string, container: string): Promise<PodMetrics> {
  const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods`;
  const body = await wrapped('resource', get(request, path, selector ? { labelSelector: selector } : {}, 'pods.metrics.k8s.io'));
  const { items = [] } = body as unknown as { readonly items?: readonly PodMetricsItem[] };
  if (items.length === 0) throw new Error('no metrics returned from resource metrics API');
  const found = new Map<string, PodMetric>();
  for (const item of items) {
    const { name = '', namespace: where = '' } = item.metadata;
    let containers = item.containers ?? [];
    if (container !== '') {
      containers = containers.filter((each) => each.name === container);
      if (containers.length === 0) throw new Error(`failed to get container metrics: container ${container} not present in metrics for pod ${where}/${name}`);
    }
    if (containers.length === 0 || containers.some(({ usage }) => usage?.[resource] === undefined)) continue;
    const value = containers.reduce((sum, { usage }) => sum + milliValue(usage?.[resource]), 0);
    found.set(name, { at: instantOf(item.timestamp) ?? 0, window: durationOf(item.window), value });
  }
  return found;
}

/** The version of the custom metrics API that is served; the newer if both are. */
async function customRoot(request: ApiHandler): Promise<string> {
  const body = await get(request, '/apis', {}, 'apis');
  const { groups = [] } = body as unknown as {
    readonly groups?: readonly { readonly name: string; readonly versions: readonly { readonly version: string }[] }[];
  };
  const versions = groups.find(({ name }) => name === 'custom.metrics.k8s.io')?.versions.map(({ version }) => version) ?? [];
  const version = ['v1beta2', 'v1beta1'].find((each) => versions.includes(each));
  if (!version) throw new Error('no custom metrics API (custom.metrics.k8s.io) registered');
  return `/apis/custom.metrics.k8s.io/${version}`;
}

/** A metric of each pod a selector names. */
export async function podsMetric(
  request: ApiHandler,
  metric: string,
  namespace: string,
  selector: string,
  metricSelector: LabelSelectorLike | undefined,
): Promise<PodMetrics> {
  const body = await wrapped(
    'custom',
    customRoot(request).then((root) =>
      get(
        request,
        `${root}/namespaces/${namespace}/pods/*/${metric}`,
        { labelSelector: selector, ...metricQuery(metricSelector) },
        `pods.custom.metrics.k8s.io *`,
      ),
    ),
  );
  const { items = [] } = body as unknown as { readonly items?: readonly MetricValue[] };
  if (items.length === 0) throw new Error('no metrics returned from custom metrics API');
  return new Map(
    items.map((item) => [
      item.describedObject?.name ?? '',
      {
        at: instantOf(item.timestamp) ?? 0,
        window: item.windowSeconds === undefined ? DEFAULT_WINDOW : seconds(item.windowSeconds),
        value: milliValue(item.value),
      },
    ]),
  );
}

/** A metric of one object. */
export async function objectMetric(
  request: ApiHandler,
  metric: string,
  namespace: string,
  object: DeepReadonly<CrossVersionObjectReference>,
  metricSelector: LabelSelectorLike | undefined,
): Promise<number> {
  const row = byObject({ ...(object.apiVersion ? { apiVersion: object.apiVersion } : {}), kind: object.kind });
  const plural = row ? `${row.plural}${row.group ? `.${row.group}` : ''}` : `${object.kind.toLowerCase()}s`;
  const body = await wrapped(
    'custom',
    customRoot(request).then((root) =>
      get(
        request,
        object.kind === 'Namespace'
          ? `${root}/namespaces/${object.name}/metrics/${metric}`
          : `${root}/namespaces/${namespace}/${plural}/${object.name}/${metric}`,
        metricQuery(metricSelector),
        `${plural}.custom.metrics.k8s.io ${object.name}`,
      ),
    ),
  );
  const { items = [] } = body as unknown as { readonly items?: readonly MetricValue[] };
  if (items.length !== 1)
    throw new Error(
      `unable to fetch metrics from custom metrics API: the custom metrics API server returned ${items.length} results when we asked for exactly one`,
    );
  return milliValue(items[0]?.value);
}

/** Values of a metric from outside the cluster, one for each series the selector names. */
export async function externalMetric(
  request: ApiHandler,
  metric: string,
  namespace: string,
  metricSelector: LabelSelectorLike | undefined,
): Promise<readonly number[]> {
  const path = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}/${metric}`;
  const selector = selectorOf(metricSelector ?? {}).toString();
  const body = await wrapped('external', get(request, path, selector ? { labelSelector: selector } : {}, `${metric}.external.metrics.k8s.io`));
  const { items = [] } = body as unknown as { readonly items?: readonly MetricValue[] };
  if (items.length === 0) throw new Error('no metrics returned from external metrics API');
  return items.map(({ value }) => milliValue(value));
}

function metricQuery(selector: LabelSelectorLike | undefined): Readonly<Record<string, string>> {
  const text = selectorOf(selector ?? {}).toString();
  return text ? { metricLabelSelector: text } : {};
}
