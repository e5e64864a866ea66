/**
 * What an object costs a ResourceQuota, and whether a quota is about it (upstream pkg/quota/v1 and its
 * evaluators). The API server asks when something is written, the controller manager when it counts anew.
 */
import { type Instant, seconds } from '../../sim/clock.ts';
import type { DeepReadonly } from './json.ts';
import type { KubeObject } from './meta.ts';
import { addLists, podLimits, podRequests, type ResourceList } from './pod-resources.ts';
import { compareQuantities, subtractQuantities } from './quantity.ts';
import { instantOf } from './time.ts';
import type { Container, PersistentVolumeClaim, Pod, ResourceQuota, Service } from './types.gen.ts';

type Quota = DeepReadonly<ResourceQuota>;
type Item = DeepReadonly<KubeObject>;
interface Resource {
  readonly group: string;
  readonly plural: string;
}

// --- lists ---------------------------------------------------------------------------------------------

export const mask = (list: ResourceList, names: Iterable<string>): ResourceList => {
  const kept: Record<string, string | undefined> = {};
  for (const name of names) if (list[name] !== undefined) kept[name] = list[name];
  return kept;
};
const isZero = (amount: string): boolean => compareQuantities(amount, '0') === 0;
export const withoutZeros = (list: ResourceList): ResourceList =>
  Object.fromEntries(Object.entries(list).filter(([, amount]) => amount !== undefined && !isZero(amount)));
export const negatives = (list: ResourceList): string[] => Object.keys(list).filter((name) => compareQuantities(list[name] ?? '0', '0') < 0);
/** a − b, never below zero (quota.SubtractWithNonNegativeResult). */
export function subtract(a: ResourceList, b: ResourceList): ResourceList {
  const rest: Record<string, string> = {};
  for (const [name, amount] of Object.entries(a)) {
    if (amount === undefined) continue;
    const left = b[name] === undefined ? amount : subtractQuantities(amount, b[name]);
    rest[name] = compareQuantities(left, '0') < 0 ? '0' : left;
  }
  return rest;
}
export const sameLists = (a: ResourceList | undefined, b: ResourceList | undefined): boolean => {
  const [left, right] = [Object.keys(a ?? {}), Object.keys(b ?? {})];
  return left.length === right.length && left.every((name) => b?.[name] !== undefined && compareQuantities(a![name]!, b[name]) === 0);
};
/** The names whose amount in `a` exceeds that in `b` (quota.LessThanOrEqual). */
export const exceeding = (a: ResourceList, b: ResourceList): string[] =>
  Object.keys(a).filter((name) => b[name] !== undefined && compareQuantities(a[name]!, b[name]!) > 0);

// --- what a resource is counted as -----------------------------------------------------------------------

const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'] as const;
const POD_NAMES = new Set(['count/pods', 'pods', ...COMPUTE, ...COMPUTE.flatMap((name) => [`requests.${name}`, `limits.${name}`])]);
const SERVICE_NAMES = new Set(['count/services', 'services', 'services.nodeports', 'services.loadbalancers']);
const CLAIM_NAMES = new Set(['count/persistentvolumeclaims', 'persistentvolumeclaims', 'requests.storage']);
const STORAGE_CLASS_SUFFIX = '.storageclass.storage.k8s.io/';
/** Core kinds with a name of their own besides `count/…`. */
const ALIASED = new Set(['configmaps', 'resourcequotas', 'replicationcontrollers', 'secrets']);
const NEVER_COUNTED = new Set(['bindings', 'events', 'events.events.k8s.io']);

const qualified = ({ group, plural }: Resource): string => (group === '' ? plural : `${plural}.${group}`);

/** `nvidia.com/gpu`, and not `kubernetes.io/…` (helper.IsExtendedResourceName). */
export function isExtendedResource(name: string): boolean {
  if (!name.includes('/') || name.startsWith('requests.')) return false;
  return !/(^|\.)kubernetes\.io\//.test(name);
}

/** Whether objects of this resource are counted by any quota. */
export const isCounted = (resource: Resource): boolean => !NEVER_COUNTED.has(qualified(resource));

/** Those of a quota's names that objects of `resource` use up (evaluator.MatchingResources). */
export function matchingNames(resource: Resource, names: readonly string[]): string[] {
  switch (qualified(resource)) {
    case 'pods':
      return names.filter(
        (name) =>
          POD_NAMES.has(name) ||
          name.startsWith('hugepages-') ||
          name.startsWith('requests.hugepages-') ||
          (name.startsWith('requests.') && isExtendedResource(name.slice('requests.'.length))),
      );
    case 'services':
      return names.filter((name) => SERVICE_NAMES.has(name));
    case 'persistentvolumeclaims':
      return names.filter(
        (name) =>
          CLAIM_NAMES.has(name) || name.endsWith(`${STORAGE_CLASS_SUFFIX}requests.storage`) || name.endsWith(`${STORAGE_CLASS_SUFFIX}persistentvolumeclaims`),
      );
    default: {
      const count = `count/${qualified(resource)}`;
      return names.filter((name) => name === count || (resource.group === '' && ALIASED.has(resource.plural) && name === resource.plural));
    }
  }
}

/** What one object uses (evaluator.Usage). `now` decides whether a pod that should be gone is still paid for. */
export function usageOf(resource: Resource, item: Item, now: Instant): ResourceList {
  switch (qualified(resource)) {
    case 'pods':
      return podUsage(item as DeepReadonly<Pod>, now);
    case 'services':
      return serviceUsage(item as DeepReadonly<Service>);
    case 'persistentvolumeclaims':
      return claimUsage(item as DeepReadonly<PersistentVolumeClaim>);
    default:
      return { [`count/${qualified(resource)}`]: '1', ...(resource.group === '' && ALIASED.has(resource.plural) ? { [resource.plural]: '1' } : {}) };
  }
}

/** A pod that has ended costs nothing but its place in etcd; so does one whose node is lost, after its grace period. */
function isPaidFor(pod: DeepReadonly<Pod>, now: Instant): boolean {
  const phase = pod.status?.phase;
  if (phase === 'Failed' || phase === 'Succeeded') return false;
  const { deletionTimestamp, deletionGracePeriodSeconds: grace } = pod.metadata;
  const until = instantOf(deletionTimestamp);
  return until === undefined || grace === undefined || now <= until + seconds(grace);
}

function podUsage(pod: DeepReadonly<Pod>, now: Instant): ResourceList {
  if (!isPaidFor(pod, now)) return { 'count/pods': '1' };
  return { 'count/pods': '1', ...computeUsage(podRequests(pod.spec), podLimits(pod.spec)) };
}

function computeUsage(requests: ResourceList, limits: ResourceList): ResourceList {
  const usage: Record<string, string> = { pods: '1' };
  for (const name of COMPUTE) {
    const [request, limit] = [requests[name], limits[name]];
    if (request !== undefined) {
      usage[name] = request;
      usage[`requests.${name}`] = request;
    }
    if (limit !== undefined) usage[`limits.${name}`] = limit;
  }
  for (const [name, amount] of Object.entries(requests)) {
    if (amount === undefined) continue;
    if (name.startsWith('hugepages-')) usage[name] = amount;
    if (name.startsWith('hugepages-') || isExtendedResource(name)) usage[`requests.${name}`] = amount;
  }
  return usage;
}

function serviceUsage({ spec }: DeepReadonly<Service>): ResourceList {
  const ports = spec?.ports ?? [];
  const balanced = spec?.type === 'LoadBalancer';
  const withNodePorts = ports.filter((port) => (port.nodePort ?? 0) !== 0).length;
  const nodePorts = spec?.type === 'NodePort' ? ports.length : balanced ? (spec?.allocateLoadBalancerNodePorts === false ? withNodePorts : ports.length) : 0;
  return { 'count/services': '1', services: '1', 'services.nodeports': String(nodePorts), 'services.loadbalancers': balanced ? '1' : '0' };
}

const LEGACY_CLASS = 'volume.beta.kubernetes.io/storage-class';

function claimUsage(claim: DeepReadonly<PersistentVolumeClaim>): ResourceList {
  const usage: Record<string, string> = { 'count/persistentvolumeclaims': '1', persistentvolumeclaims: '1' };
  const storageClass = claim.metadata.annotations?.[LEGACY_CLASS] ?? claim.spec?.storageClassName ?? '';
  const prefix = `${storageClass}${STORAGE_CLASS_SUFFIX}`;
  if (storageClass) usage[`${prefix}persistentvolumeclaims`] = '1';
  const asked = claim.spec?.resources?.requests?.['storage'];
  if (asked === undefined) return usage;
  // A volume that is being grown is paid for at once, and one whose growth was called off until it has shrunk.
  const allocated = claim.status?.allocatedResources?.['storage'];
  const storage = allocated !== undefined && compareQuantities(allocated, asked) > 0 ? allocated : asked;
  usage['requests.storage'] = storage;
  if (storageClass) usage[`${prefix}requests.storage`] = storage;
  return usage;
}

// --- scopes --------------------------------------------------------------------------------------------

interface ScopeRule {
  readonly scopeName: string;
  readonly operator: string;
  readonly values?: readonly string[] | undefined;
}

export const scopesOf = ({ spec }: Quota): readonly ScopeRule[] => [
  ...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' })),
  ...(spec?.scopeSelector?.matchExpressions ?? []),
];

const holds = (rule: ScopeRule, value: string | undefined): boolean => {
  switch (rule.operator) {
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'In':
      return value !== undefined && (rule.values ?? []).includes(value);
    default:
      return value === undefined || !(rule.values ?? []).includes(value);
  }
};

function podInScope(pod: DeepReadonly<Pod>, rule: ScopeRule): boolean {
  switch (rule.scopeName) {
    case 'Terminating':
      return pod.spec?.activeDeadlineSeconds !== undefined;
    case 'NotTerminating':
      return pod.spec?.activeDeadlineSeconds === undefined;
    case 'BestEffort':
      return isBestEffort(pod);
    case 'NotBestEffort':
      return !isBestEffort(pod);
    case 'PriorityClass':
      return holds(rule, pod.spec?.priorityClassName || undefined);
    case 'CrossNamespacePodAffinity':
      return reachesOtherNamespaces(pod);
    default:
      return false;
  }
}

function isBestEffort(pod: DeepReadonly<Pod>): boolean {
  const asks = ({ resources }: DeepReadonly<Container>): boolean =>
    ['cpu', 'memory'].some((name) => [resources?.requests?.[name], resources?.limits?.[name]].some((amount) => amount !== undefined && !isZero(amount)));
  return ![...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].some(asks);
}

function reachesOtherNamespaces({ spec }: DeepReadonly<Pod>): boolean {
  const reaches = (term: { readonly namespaces?: readonly string[]; readonly namespaceSelector?: unknown }): boolean =>
    (term.namespaces?.length ?? 0) > 0 || term.namespaceSelector !== undefined;
  return [spec?.affinity?.podAffinity, spec?.affinity?.podAntiAffinity].some(
    (affinity) =>
      affinity?.requiredDuringSchedulingIgnoredDuringExecution?.some(reaches) ||
      affinity?.preferredDuringSchedulingIgnoredDuringExecution?.some(({ podAffinityTerm }) => reaches(podAffinityTerm)),
  );
}

/** Whether every scope of the quota applies to the object; only pods have scopes. */
export const isInScope = (quota: Quota, resource: Resource, item: Item): boolean =>
  scopesOf(quota).every((rule) => qualified(resource) === 'pods' && podInScope(item as DeepReadonly<Pod>, rule));

// --- demands -------------------------------------------------------------------------------------------

/** A quota on these makes every container say them. */
const DEMANDED = ['cpu', 'limits.cpu', 'limits.memory', 'memory', 'requests.cpu', 'requests.memory'];

/** Why a pod does not say what a quota needs to know, or nothing: `must specify cpu for: c; memory for: c` (podEvaluator.Constraints). */
export function missingDemands(pod: DeepReadonly<Pod>, names: readonly string[]): string | undefined {
  const demanded = DEMANDED.filter((name) => names.includes(name));
  if (demanded.length === 0) return undefined;
  const ofPod = (pod.spec as { resources?: { requests?: ResourceList; limits?: ResourceList } } | undefined)?.resources;
  const saidByPod = ofPod ? computeUsage(ofPod.requests ?? {}, ofPod.limits ?? {}) : {};
  const missing: string[] = [];
  for (const name of demanded) {
    if (saidByPod[name] !== undefined) continue;
    const silent = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]
      .filter(({ resources }) => computeUsage((resources?.requests ?? {}) as ResourceList, (resources?.limits ?? {}) as ResourceList)[name] === undefined)
      .map((container) => container.name);
    if (silent.length > 0) missing.push(`${name} for: ${[...new Set(silent)].sort().join(',')}`);
  }
  return missing.length > 0 ? `must specify ${missing.join('; ')}` : undefined;
}

// --- counting ------------------------------------------------------------------------------------------

/** The sum of what `items` of one resource use of `names`, for those in the quota's scopes. Names nobody uses are 0. */
export function totalUsage(quota: Quota, resource: Resource, names: readonly string[], items: Iterable<Item>, now: Instant): ResourceList {
  let total: ResourceList = Object.fromEntries(names.map((name) => [name, '0']));
  for (const item of items) if (isInScope(quota, resource, item)) total = addLists(total, mask(usageOf(resource, item, now), names));
  return total;
}
