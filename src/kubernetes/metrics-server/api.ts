/**
 * The resource metrics API, `metrics.k8s.io/v1beta1`, as metrics-server answers it (`pkg/api`): NodeMetrics and PodMetrics,
 * read only, selected by labels and by name; and the discovery documents of an aggregated server.
 */
import { seconds } from '../../sim/clock.ts';
import type { Json } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import { formatQuantity } from '../api/quantity.ts';
import { parseSelector } from '../api/selector.ts';
import { EPOCH_SECONDS, rfc3339, timestamp } from '../api/time.ts';
import type { Node, Pod } from '../api/types.gen.ts';
import type { Informer } from '../client/client.ts';
import type { Millis, Storage, Usage } from './storage.ts';

const GROUP = 'metrics.k8s.io';
const VERSION = `${GROUP}/v1beta1`;

export interface MetricsApi {
  readonly storage: Storage;
  readonly nodes: Informer<Node>;
  /** Those that run. */
  readonly pods: Informer<Pod>;
  now(): number;
}

export interface Answer {
  readonly status: number;
  readonly body: Json;
}

const RESOURCES = [
  { name: 'nodes', singularName: '', namespaced: false, kind: 'NodeMetrics', verbs: ['get', 'list'] },
  { name: 'pods', singularName: '', namespaced: true, kind: 'PodMetrics', verbs: ['get', 'list'] },
];

/** Undefined: no such path. */
export function answer(api: MetricsApi, method: string, path: string, query: Readonly<Record<string, string>>, accept: string): Answer | undefined {
  if (path === '/apis') return { status: 200, body: { kind: 'APIGroupList', apiVersion: 'v1', groups: [groupOf()] } };
  if (path === `/apis/${GROUP}`) return { status: 200, body: { kind: 'APIGroup', apiVersion: 'v1', ...groupOf() } };
  const root = `/apis/${VERSION}`;
  if (path === root) return { status: 200, body: { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: VERSION, resources: RESOURCES } };
  if (!path.startsWith(`${root}/`)) return undefined;
  if (method !== 'GET') return failure(405, 'MethodNotAllowed', `the server does not allow this method on the requested resource`);
  const parts = path.slice(root.length + 1).split('/');
  const namespace = parts[0] === 'namespaces' ? (parts.splice(0, 2)[1] ?? '') : '';
  const [resource, name, ...rest] = parts;
  if (rest.length > 0) return undefined;
  const table = accept.includes('as=Table');
  if (resource === 'nodes' && namespace === '') return nodeMetrics(api, name, query, table);
  if (resource === 'pods' && (namespace !== '' || name === undefined)) return podMetrics(api, namespace, name, query, table);
  return undefined;
}

const groupOf = () => ({
  name: GROUP,
  versions: [{ groupVersion: VERSION, version: 'v1beta1' }],
  preferredVersion: { groupVersion: VERSION, version: 'v1beta1' },
});

function failure(code: number, reason: string, message: string, details?: Json): Answer {
  return {
    status: code,
    body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, ...(details === undefined ? {} : { details }), code },
  };
}
const notFound = (resource: string, group: string, name: string): Answer =>
  failure(404, 'NotFound', `${resource}${group ? `.${group}` : ''} ${JSON.stringify(name)} not found`, { name, ...(group ? { group } : {}), kind: resource });

interface Selection {
  matches(labels: Readonly<Record<string, string>> | undefined, fields: Readonly<Record<string, string>>): boolean;
}

/** Throws the text of an Answer's message on a selector that is none. */
function selectionOf(query: Readonly<Record<string, string>>): Selection {
  const labels = parseSelector(query['labelSelector'] ?? '');
  const fields = (query['fieldSelector'] ?? '').split(',').filter((part) => part !== '');
  return {
    matches: (own, known) =>
      labels.matches(own) &&
      fields.every((part) => {
        const m = /^([^=!]+)(!=|==|=)(.*)$/.exec(part);
        return m !== null && ((known[m[1]!] ?? '') === m[3]) === (m[2] !== '!=');
      }),
  };
}

const timeOf = (at: Millis): string => rfc3339(Math.floor(at / 1_000));
const quantities = (used: Pick<Usage, 'cpuNanoCores' | 'memoryBytes'>) => ({
  cpu: formatQuantity({ nano: BigInt(used.cpuNanoCores), format: 'DecimalSI' }),
  memory: formatQuantity({ nano: BigInt(used.memoryBytes) * 1_000_000_000n, format: 'BinarySI' }),
});
/** Go's Duration: `15.042s`, `1m0s`. */
export function goDuration(millis: Millis): string {
  const minutes = Math.floor(millis / 60_000);
  const rest = millis - minutes * 60_000;
  return `${minutes > 0 ? `${minutes}m` : ''}${rest / 1_000}s`;
}

function nodeMetrics(api: MetricsApi, name: string | undefined, query: Readonly<Record<string, string>>, table: boolean): Answer {
  const of = (node: { readonly metadata: { readonly name?: string; readonly labels?: unknown } }): Metrics | undefined => {
    const used = api.storage.node(node.metadata.name ?? '');
    return (
      used && {
        head: { name: node.metadata.name ?? '', labels: node.metadata.labels as Labels },
        at: used.at,
        window: used.window,
        total: used,
        body: { usage: quantities(used) },
      }
    );
  };
  if (name !== undefined) {
    const node = api.nodes.get(name);
    if (!node) return notFound('nodes', '', name);
    const metrics = of(node);
    return metrics ? single('NodeMetrics', api, metrics, table) : notFound('nodes', GROUP, name);
  }
  return list('NodeMetrics', api, api.nodes.list(), of, query, table);
}

function podMetrics(api: MetricsApi, namespace: string, name: string | undefined, query: Readonly<Record<string, string>>, table: boolean): Answer {
  const of = (pod: { readonly metadata: { readonly name?: string; readonly namespace?: string; readonly labels?: unknown } }): Metrics | undefined => {
    const used = api.storage.pod(keyOf(pod as Pod));
    if (!used) return undefined;
    const containers = [...used.containers].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      head: { name: pod.metadata.name ?? '', namespace: pod.metadata.namespace ?? '', labels: pod.metadata.labels as Labels },
      at: used.at,
      window: used.window,
      total: containers.reduce((sum, [, one]) => ({ cpuNanoCores: sum.cpuNanoCores + one.cpuNanoCores, memoryBytes: sum.memoryBytes + one.memoryBytes }), {
        cpuNanoCores: 0,
        memoryBytes: 0,
      }),
      body: { containers: containers.map(([container, one]) => ({ name: container, usage: quantities(one) })) },
    };
  };
  if (name !== undefined) {
    const pod = api.pods.get(`${namespace}/${name}`);
    if (!pod) return notFound('pods', '', name);
    const metrics = of(pod);
    return metrics ? single('PodMetrics', api, metrics, table) : notFound('podmetrics', GROUP, `${namespace}/${name}`);
  }
  return list('PodMetrics', api, api.pods.list(namespace || undefined), of, query, table);
}

type Labels = Readonly<Record<string, string>> | undefined;
interface Metrics {
  readonly head: { readonly name: string; readonly namespace?: string; readonly labels: Labels };
  readonly at: Millis;
  readonly window: Millis;
  readonly total: Pick<Usage, 'cpuNanoCores' | 'memoryBytes'>;
  readonly body: Json;
}

const objectOf = (api: MetricsApi, { head, at, window, body }: Metrics): Record<string, Json> => ({
  metadata: {
    name: head.name,
    ...(head.namespace ? { namespace: head.namespace } : {}),
    creationTimestamp: timestamp(api.now()),
    ...(head.labels ? { labels: { ...head.labels } } : {}),
  },
  timestamp: timeOf(at),
  window: goDuration(window),
  ...(body as Record<string, Json>),
});

const single = (kind: string, api: MetricsApi, metrics: Metrics, table: boolean): Answer => ({
  status: 200,
  body: table ? tableOf(kind, api, [metrics]) : { kind, apiVersion: VERSION, ...objectOf(api, metrics) },
});

function list<T extends { readonly metadata: { readonly name?: string; readonly namespace?: string; readonly labels?: unknown } }>(
  kind: string,
  api: MetricsApi,
  objects: readonly T[],
  of: (object: T) => Metrics | undefined,
  query: Readonly<Record<string, string>>,
  table: boolean,
): Answer {
  let selection: Selection;
  try {
    selection = selectionOf(query);
  } catch (error) {
    return failure(400, 'BadRequest', `unable to parse requirement: ${error instanceof Error ? error.message : String(error)}`);
  }
  const order = ({ metadata: { namespace = '', name = '' } }: T): string => `${namespace}/${name}`;
  const found = objects
    .filter(({ metadata: { name = '', namespace = '', labels } }) =>
      selection.matches(labels as Labels, { 'metadata.name': name, 'metadata.namespace': namespace }),
    )
    .sort((a, b) => (order(a) < order(b) ? -1 : 1))
    .map(of)
    .filter((metrics) => metrics !== undefined);
  return {
    status: 200,
    body: table ? tableOf(kind, api, found) : { kind: `${kind}List`, apiVersion: VERSION, metadata: {}, items: found.map((metrics) => objectOf(api, metrics)) },
  };
}

function tableOf(kind: string, api: MetricsApi, rows: readonly Metrics[]): Json {
  const column = (name: string, format: string, description = '') => ({ name, type: 'string', format, description, priority: 0 });
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: {},
    columnDefinitions:
      rows.length === 0
        ? []
        : [column('Name', 'name', 'Name of the resource'), column('cpu', 'quantity'), column('memory', 'quantity'), column('Window', 'duration')],
    rows: rows.map((metrics) => {
      const { cpu, memory } = quantities(metrics.total);
      return { cells: [metrics.head.name, cpu, memory, goDuration(metrics.window)], object: { kind, apiVersion: VERSION, ...objectOf(api, metrics) } };
    }),
  };
}

/** The virtual instant as the samples' clock has it. */
export const millisOf = (now: number): Millis => EPOCH_SECONDS * 1_000 + Math.floor(now / seconds(0.001));
