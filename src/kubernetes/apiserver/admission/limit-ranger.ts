/**
 * LimitRanger: a namespace's LimitRanges fill in what a container does not say about its resources, and refuse
 * pods and claims that ask for too little, too much, or too much more than they request
 * (plugin/pkg/admission/limitranger).
 *
 * Here simplified: upstream looks into etcd when its cache shows no ranges for a namespace; ours trusts the cache.
 */
import type { KubeObject } from '../../api/meta.ts';
import { podLimits, podRequests, type ResourceList } from '../../api/pod-resources.ts';
import { formatQuantity, parseQuantity } from '../../api/quantity.ts';
import type { Container, LimitRange, LimitRangeItem, PersistentVolumeClaim, Pod } from '../../api/types.gen.ts';
import { forbidden } from '../errors.ts';
import { type Attributes, nameOf, type Plugin, type World } from './admission.ts';
import { aggregate } from './aggregate.ts';

const ANNOTATION = 'kubernetes.io/limit-ranger';

export const limitRanger: Plugin = {
  name: 'LimitRanger',
  mutate(attributes, world) {
    if (attributes.row.plural !== 'pods' || isGoing(attributes)) return attributes.object;
    let pod = attributes.object as Pod;
    for (const range of rangesOf(attributes, world)) pod = withDefaults(pod, range);
    return pod as KubeObject;
  },
  validate(attributes, world) {
    if (isGoing(attributes)) return;
    const { row, object } = attributes;
    for (const range of rangesOf(attributes, world)) {
      const errors = row.plural === 'pods' ? podErrors(object as Pod, range) : claimErrors(object as PersistentVolumeClaim, range);
      if (errors.length > 0) throw forbidden(row.group, row.plural, nameOf(attributes), aggregate(errors));
    }
  },
};

const isGoing = ({ old }: Attributes): boolean => old?.metadata.deletionTimestamp !== undefined;

function* rangesOf({ namespace }: Attributes, world: World): Iterable<LimitRange> {
  for (const { object } of world.under(`/registry/limitranges/${namespace}/`)) yield object as LimitRange;
}

const itemsOf = (range: LimitRange, type: string): LimitRangeItem[] => (range.spec?.limits ?? []).filter((item) => item.type === type);

// --- defaults ------------------------------------------------------------------------------------------

function withDefaults(pod: Pod, range: LimitRange): Pod {
  const requests: Record<string, string> = {};
  const limits: Record<string, string> = {};
  for (const item of itemsOf(range, 'Container')) {
    Object.assign(requests, item.defaultRequest);
    Object.assign(limits, item.default);
  }
  const notes: string[] = [];
  const merge =
    (prefix: string) =>
    (container: Container): Container => {
      const set = (own: ResourceList | undefined, more: ResourceList, what: string): ResourceList | undefined => {
        const missing = Object.keys(more)
          .filter((name) => own?.[name] === undefined)
          .sort();
        if (missing.length === 0) return own;
        notes.push(`${missing.join(', ')} ${what} for ${prefix} ${container.name}`);
        return { ...own, ...Object.fromEntries(missing.map((name) => [name, more[name]!])) };
      };
      const before = container.resources;
      const asked = set(before?.requests, requests, 'request');
      const most = set(before?.limits, limits, 'limit');
      if (asked === before?.requests && most === before?.limits) return container;
      const resources = { ...before, ...(most ? { limits: most } : {}), ...(asked ? { requests: asked } : {}) };
      return { ...container, resources: resources as NonNullable<Container['resources']> };
    };
  const { spec } = pod;
  if (!spec) return pod;
  const containers = (spec.containers ?? []).map(merge('container'));
  const initContainers = spec.initContainers?.map(merge('init container'));
  if (notes.length === 0) return pod;
  return {
    ...pod,
    metadata: { ...pod.metadata, annotations: { ...pod.metadata.annotations, [ANNOTATION]: `LimitRanger plugin set: ${notes.join('; ')}` } },
    spec: { ...spec, containers, ...(initContainers ? { initContainers } : {}) },
  };
}

// --- limits --------------------------------------------------------------------------------------------

const nano = (text: string | undefined): bigint => (text === undefined ? 0n : parseQuantity(text).nano);
const shown = (text: string): string => formatQuantity(parseQuantity(text));

function minimum(type: string, name: string, least: string, requests: ResourceList, limits: ResourceList): string[] {
  const usage = `minimum ${name} usage per ${type} is ${shown(least)}`;
  const [request, limit] = [requests[name], limits[name]];
  if (request === undefined) return [`${usage}.  No request is specified`];
  if (nano(request) < nano(least)) return [`${usage}, but request is ${shown(request)}`];
  if (limit !== undefined && nano(limit) < nano(least)) return [`${usage}, but limit is ${shown(limit)}`];
  return [];
}

function maximum(type: string, name: string, most: string, requests: ResourceList, limits: ResourceList): string[] {
  const usage = `maximum ${name} usage per ${type} is ${shown(most)}`;
  const [request, limit] = [requests[name], limits[name]];
  if (limit === undefined) return [`${usage}.  No limit is specified`];
  if (nano(limit) > nano(most)) return [`${usage}, but limit is ${shown(limit)}`];
  if (request !== undefined && nano(request) > nano(most)) return [`${usage}, but request is ${shown(request)}`];
  return [];
}

/** For kinds that have no limits. */
function maximumRequest(type: string, name: string, most: string, requests: ResourceList): string[] {
  const usage = `maximum ${name} usage per ${type} is ${shown(most)}`;
  const request = requests[name];
  if (request === undefined) return [`${usage}.  No request is specified`];
  return nano(request) > nano(most) ? [`${usage}, but request is ${shown(request)}`] : [];
}

function ratio(type: string, name: string, most: string, requests: ResourceList, limits: ResourceList): string[] {
  const allowed = `${name} max limit to request ratio per ${type} is ${shown(most)}`;
  const [request, limit] = [nano(requests[name]), nano(limits[name])];
  if (request === 0n) return [`${allowed}, but no request is specified or request is 0`];
  if (limit === 0n) return [`${allowed}, but no limit is specified or limit is 0`];
  // limit/request > most, without leaving the integers.
  if (limit * 1_000_000_000n <= nano(most) * request) return [];
  const millionths = (limit * 2_000_000n + request) / (2n * request);
  return [`${allowed}, but provided ratio is ${millionths / 1_000_000n}.${String(millionths % 1_000_000n).padStart(6, '0')}`];
}

function bounds(item: LimitRangeItem, requests: ResourceList, limits: ResourceList): string[] {
  const of = (list: ResourceList | undefined) => Object.entries(list ?? {}) as [string, string][];
  return [
    ...of(item.min).flatMap(([name, amount]) => minimum(item.type, name, amount, requests, limits)),
    ...of(item.max).flatMap(([name, amount]) => maximum(item.type, name, amount, requests, limits)),
    ...of(item.maxLimitRequestRatio).flatMap(([name, amount]) => ratio(item.type, name, amount, requests, limits)),
  ];
}

function podErrors(pod: Pod, range: LimitRange): string[] {
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  return (range.spec?.limits ?? []).flatMap((item) => {
    if (item.type === 'Container')
      return [...containers, ...initContainers].flatMap(({ resources }) => bounds(item, resources?.requests ?? {}, resources?.limits ?? {}));
    return item.type === 'Pod' ? bounds(item, podRequests(pod.spec), podLimits(pod.spec)) : [];
  });
}

function claimErrors(claim: PersistentVolumeClaim, range: LimitRange): string[] {
  const requests: ResourceList = claim.spec?.resources?.requests ?? {};
  return itemsOf(range, 'PersistentVolumeClaim').flatMap((item) => [
    ...Object.entries(item.min ?? {}).flatMap(([name, amount]) => minimum(item.type, name, amount, requests, {})),
    ...Object.entries(item.max ?? {}).flatMap(([name, amount]) => maximumRequest(item.type, name, amount, requests)),
  ]);
}
