/** One describer per kind; kinds without one are written field by field. */
import type { DeepReadonly, Json } from '../../api/json.ts';
import { fromMilli, fromWhole, milliValue, wholeValue } from '../../api/quantity.ts';
import { formatLabelSelector, selectorOf } from '../../api/selector.ts';
import { isControlledBy } from '../../api/owner.ts';
import type {
  ConfigMap, CronJob, DaemonSet, Deployment, Endpoints, EndpointSlice, Event, Job, Lease, LimitRange, Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod, PodDisruptionBudget, PriorityClass, ReplicaSet, ResourceQuota, Role, RoleBinding,
  Secret, Service, ServiceAccount, StatefulSet, StorageClass,
} from '../../api/types.gen.ts'; // biome-ignore format: a list
import { humanDuration, instantOf } from '../../api/time.ts';
import { isNotFound } from '../errors.ts';
import { base64Bytes, decodeBase64 } from '../kubeconfig.ts';
import { isObject, type JsonObject, type ObjectLike, type Session } from '../session.ts';
import { Doc, formatLabels, rfc1123 } from './doc.ts';
import { describeContainers, describePodTemplate, describeSpread, describeTolerations, describeVolumes, podResources, quantityText } from './pod-template.ts';

type R<T> = DeepReadonly<T>;
interface Help {
  readonly session: Session;
  readonly events: readonly R<Event>[] | undefined;
  list<T>(path: string, query?: Record<string, string>): Promise<readonly R<T>[]>;
}
type Describer = (doc: Doc, object: ObjectLike, help: Help) => void | Promise<void>;
const typed = <T>(describe: (doc: Doc, object: R<T>, help: Help) => void | Promise<void>): Describer => (doc, object, help) => describe(doc, object as unknown as R<T>, help);

/** The text for one object, events included. */
export async function describeObject(session: Session, group: string, object: ObjectLike, showEvents: boolean): Promise<string> {
  const doc = new Doc(session.self.process.clock.now());
  const list = async <T>(path: string, query: Record<string, string> = {}): Promise<readonly R<T>[]> => {
    const body = await session.request('GET', path, { query: { limit: '500', ...query } });
    return isObject(body) ? ((body['items'] as unknown as readonly R<T>[] | undefined) ?? []) : [];
  };
  const describer = DESCRIBERS[group === '' ? object.kind : `${group}/${object.kind}`];
  let events: readonly R<Event>[] | undefined;
  if (showEvents && !WITHOUT_EVENTS.has(object.kind)) {
    const namespace = object.metadata.namespace ?? '';
    const selector = (kind: string, uid: string) => [`involvedObject.name=${object.metadata.name}`, `involvedObject.namespace=${namespace}`, ...(kind ? [`involvedObject.kind=${kind}`] : []), ...(uid ? [`involvedObject.uid=${uid}`] : [])].join(',');
    const path = namespace === '' ? '/api/v1/events' : `/api/v1/namespaces/${namespace}/events`;
    const uid = object.kind === 'Pod' ? (object.metadata.annotations?.['kubernetes.io/config.mirror'] ?? object.metadata.uid ?? '') : (object.metadata.uid ?? '');
    try {
      events = await list<Event>(path, { fieldSelector: selector(object.kind === 'Pod' ? '' : object.kind, uid) });
      // The kubelet's events about its node carry the node's name as uid.
      if (object.kind === 'Node') events = [...events, ...(await list<Event>(path, { fieldSelector: selector('Node', object.metadata.name ?? '') }))];
    } catch {
      events = undefined;
    }
  }
  await (describer ?? generic)(doc, object, { session, events, list });
  doc.events(events);
  return doc.finish();
}

const WITHOUT_EVENTS = new Set(['Secret', 'Namespace', 'ResourceQuota', 'LimitRange', 'Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding', 'NetworkPolicy']);

function head(doc: Doc, object: { readonly metadata: { readonly name?: string | undefined; readonly namespace?: string | undefined; readonly labels?: R<Record<string, string>> | undefined; readonly annotations?: R<Record<string, string>> | undefined } }, namespaced = true): void {
  doc.field(0, 'Name', object.metadata.name);
  if (namespaced) doc.field(0, 'Namespace', object.metadata.namespace);
  doc.labels('Labels', object.metadata.labels);
  doc.annotations('Annotations', object.metadata.annotations);
}

const pod = typed<Pod>((doc, object) => {
  const { metadata, spec, status } = object;
  doc.field(0, 'Name', metadata.name);
  doc.field(0, 'Namespace', metadata.namespace);
  if (spec?.priority !== undefined) doc.field(0, 'Priority', spec.priority);
  if (spec?.priorityClassName) doc.field(0, 'Priority Class Name', spec.priorityClassName);
  if (spec?.runtimeClassName) doc.field(0, 'Runtime Class Name', spec.runtimeClassName);
  if (spec?.serviceAccountName) doc.field(0, 'Service Account', spec.serviceAccountName);
  doc.field(0, 'Node', spec?.nodeName ? `${spec.nodeName}/${status?.hostIP ?? ''}` : '<none>');
  if (status?.startTime) doc.field(0, 'Start Time', rfc1123(status.startTime));
  doc.labels('Labels', metadata.labels);
  doc.annotations('Annotations', metadata.annotations);
  if (metadata.deletionTimestamp && status?.phase !== 'Failed' && status?.phase !== 'Succeeded') {
    doc.field(0, 'Status', `Terminating (lasts ${doc.since(metadata.deletionTimestamp)})`);
    doc.field(0, 'Termination Grace Period', `${metadata.deletionGracePeriodSeconds ?? 0}s`);
  } else doc.field(0, 'Status', status?.phase);
  if (status?.reason) doc.field(0, 'Reason', status.reason);
  if (status?.message) doc.field(0, 'Message', status.message);
  if (spec?.securityContext?.seccompProfile) doc.field(0, 'SeccompProfile', spec.securityContext.seccompProfile.type);
  doc.field(0, 'IP', status?.podIP);
  if (status?.podIPs?.length) {
    doc.line(0, 'IPs:');
    for (const entry of status.podIPs) doc.field(1, 'IP', entry.ip);
  } else doc.field(0, 'IPs', '<none>');
  doc.controlledBy(object);
  if (status?.nominatedNodeName) doc.field(0, 'NominatedNodeName', status.nominatedNodeName);
  if (spec?.initContainers?.length) describeContainers(doc, 'Init Containers', spec.initContainers, status?.initContainerStatuses, object, '');
  describeContainers(doc, 'Containers', spec?.containers ?? [], status?.containerStatuses, object, '');
  if (spec?.ephemeralContainers?.length) describeContainers(doc, 'Ephemeral Containers', spec.ephemeralContainers, status?.ephemeralContainerStatuses, object, '');
  if (spec?.readinessGates?.length) {
    doc.line(0, 'Readiness Gates:\n  Type\tStatus');
    for (const gate of spec.readinessGates) doc.line(1, `${gate.conditionType} \t${status?.conditions?.find((condition) => condition.type === gate.conditionType)?.status ?? '<none>'} `);
  }
  if (status?.conditions?.length) {
    doc.line(0, 'Conditions:\n  Type\tStatus');
    for (const condition of status.conditions) doc.line(1, `${condition.type} \t${condition.status} `);
  }
  describeVolumes(doc, spec?.volumes, '');
  doc.field(0, 'QoS Class', status?.qosClass ?? qosOf(object));
  doc.labels('Node-Selectors', spec?.nodeSelector);
  describeTolerations(doc, 'Tolerations', spec?.tolerations);
  describeSpread(doc, spec?.topologySpreadConstraints, '');
});

/** helper/qos.GetPodQOS, for a pod the server has not classified. */
function qosOf(object: R<Pod>): string {
  const containers = [...(object.spec?.containers ?? []), ...(object.spec?.initContainers ?? [])];
  if (containers.every((container) => !Object.keys(container.resources?.limits ?? {}).length && !Object.keys(container.resources?.requests ?? {}).length)) return 'BestEffort';
  const guaranteed = containers.every((container) => ['cpu', 'memory'].every((name) => container.resources?.limits?.[name] !== undefined && container.resources.limits[name] === (container.resources.requests?.[name] ?? container.resources.limits[name])));
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

/** How many pods of a controller are in which phase. */
async function podCounts(owner: { readonly metadata: { readonly uid?: string | undefined; readonly namespace?: string | undefined } }, selector: string, help: Help): Promise<string> {
  const pods = await help.list<Pod>(`/api/v1/namespaces/${owner.metadata.namespace}/pods`, { labelSelector: selector });
  const mine = pods.filter((one) => isControlledBy(one, owner));
  const count = (phase: string) => mine.filter((one) => one.status?.phase === phase).length;
  return `${count('Running')} Running / ${count('Pending')} Waiting / ${count('Succeeded')} Succeeded / ${count('Failed')} Failed`;
}
const selectorText = (selector: Parameters<typeof selectorOf>[0]): string => selectorOf(selector).toString();

const deployment = typed<Deployment>(async (doc, object, help) => {
  const { metadata, spec, status } = object;
  const all = await help.list<ReplicaSet>(`/apis/apps/v1/namespaces/${metadata.namespace}/replicasets`, { labelSelector: selectorText(spec?.selector) });
  doc.field(0, 'Name', metadata.name);
  doc.field(0, 'Namespace', metadata.namespace);
  doc.field(0, 'CreationTimestamp', rfc1123(metadata.creationTimestamp));
  doc.labels('Labels', metadata.labels);
  doc.annotations('Annotations', metadata.annotations);
  doc.field(0, 'Selector', selectorText(spec?.selector));
  doc.field(0, 'Replicas', `${spec?.replicas ?? 1} desired | ${status?.updatedReplicas ?? 0} updated | ${status?.replicas ?? 0} total | ${status?.availableReplicas ?? 0} available | ${status?.unavailableReplicas ?? 0} unavailable`);
  doc.field(0, 'StrategyType', spec?.strategy?.type);
  doc.field(0, 'MinReadySeconds', spec?.minReadySeconds ?? 0);
  const rolling = spec?.strategy?.rollingUpdate;
  if (rolling) doc.field(0, 'RollingUpdateStrategy', `${rolling.maxUnavailable ?? 0} max unavailable, ${rolling.maxSurge ?? 0} max surge`);
  describePodTemplate(doc, spec?.template);
  if (status?.conditions?.length) conditionsWithReason(doc, status.conditions);
  const mine = all.filter((set) => isControlledBy(set, object));
  const newest = mine.filter((set) => sameTemplate(set.spec?.template, spec?.template)).sort((a, b) => ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1))[0];
  // Old sets are those that still have pods; deploymentutil.FindOldReplicaSets gives all of them.
  const old = mine.filter((set) => set !== newest);
  if (mine.length > 0) {
    const text = (sets: readonly R<ReplicaSet>[]) => sets.map((set) => `${set.metadata.name} (${set.status?.replicas ?? 0}/${set.spec?.replicas ?? 0} replicas created)`).join(', ') || '<none>';
    doc.field(0, 'OldReplicaSets', text(old));
    doc.field(0, 'NewReplicaSet', text(newest ? [newest] : []));
  }
});

/** Equal but for the pod-template-hash label (deploymentutil.EqualIgnoreHash). */
export function sameTemplate(a: unknown, b: unknown): boolean {
  const strip = (template: unknown): Json => {
    const object = (template ?? {}) as JsonObject;
    const metadata = (object['metadata'] ?? {}) as JsonObject;
    const { 'pod-template-hash': _, ...labels } = (metadata['labels'] ?? {}) as Record<string, string>;
    return sortKeys({ ...object, metadata: { ...metadata, labels, creationTimestamp: undefined } } as unknown as Json);
  };
  return JSON.stringify(strip(a)) === JSON.stringify(strip(b));
}
function sortKeys(value: Json | undefined): Json {
  if (Array.isArray(value)) return value.map((item) => sortKeys(item as Json));
  if (!isObject(value)) return value ?? null;
  const out: Record<string, Json> = {};
  for (const key of Object.keys(value).sort()) if (value[key] !== undefined && value[key] !== null) out[key] = sortKeys(value[key]);
  return out;
}

function conditionsWithReason(doc: Doc, conditions: readonly { readonly type: string; readonly status: string; readonly reason?: string | undefined }[]): void {
  doc.line(0, 'Conditions:\n  Type\tStatus\tReason');
  doc.line(1, '----\t------\t------');
  for (const condition of conditions) doc.line(1, `${condition.type} \t${condition.status}\t${condition.reason ?? ''}`);
}

const replicaSet = typed<ReplicaSet>(async (doc, object, help) => {
  doc.field(0, 'Name', object.metadata.name);
  doc.field(0, 'Namespace', object.metadata.namespace);
  doc.field(0, 'Selector', formatLabelSelector(object.spec?.selector));
  doc.labels('Labels', object.metadata.labels);
  doc.annotations('Annotations', object.metadata.annotations);
  doc.controlledBy(object);
  doc.field(0, 'Replicas', `${object.status?.replicas ?? 0} current / ${object.spec?.replicas ?? 1} desired`);
  doc.field(0, 'Pods Status', await podCounts(object, selectorText(object.spec?.selector), help));
  describePodTemplate(doc, object.spec?.template);
  if (object.status?.conditions?.length) conditionsWithReason(doc, object.status.conditions);
});

const daemonSet = typed<DaemonSet>(async (doc, object, help) => {
  const { status } = object;
  doc.field(0, 'Name', object.metadata.name);
  doc.field(0, 'Namespace', object.metadata.namespace);
  doc.field(0, 'Selector', selectorText(object.spec?.selector));
  doc.field(0, 'Node-Selector', formatLabels(object.spec?.template.spec?.nodeSelector));
  doc.labels('Labels', object.metadata.labels);
  doc.annotations('Annotations', object.metadata.annotations);
  doc.line(0, `Desired Number of Nodes Scheduled: ${status?.desiredNumberScheduled ?? 0}`);
  doc.line(0, `Current Number of Nodes Scheduled: ${status?.currentNumberScheduled ?? 0}`);
  doc.line(0, `Number of Nodes Scheduled with Up-to-date Pods: ${status?.updatedNumberScheduled ?? 0}`);
  doc.line(0, `Number of Nodes Scheduled with Available Pods: ${status?.numberAvailable ?? 0}`);
  doc.line(0, `Number of Nodes Misscheduled: ${status?.numberMisscheduled ?? 0}`);
  doc.field(0, 'Pods Status', await podCounts(object, selectorText(object.spec?.selector), help));
  describePodTemplate(doc, object.spec?.template);
});

const statefulSet = typed<StatefulSet>(async (doc, object, help) => {
  doc.field(0, 'Name', object.metadata.name);
  doc.field(0, 'Namespace', object.metadata.namespace);
  doc.field(0, 'CreationTimestamp', rfc1123(object.metadata.creationTimestamp));
  doc.field(0, 'Selector', selectorText(object.spec?.selector));
  doc.labels('Labels', object.metadata.labels);
  doc.annotations('Annotations', object.metadata.annotations);
  doc.field(0, 'Replicas', `${object.spec?.replicas ?? 1} desired | ${object.status?.replicas ?? 0} total`);
  doc.field(0, 'Update Strategy', object.spec?.updateStrategy?.type);
  const partition = object.spec?.updateStrategy?.rollingUpdate?.partition;
  if (partition !== undefined) doc.field(1, 'Partition', partition);
  doc.field(0, 'Pods Status', await podCounts(object, selectorText(object.spec?.selector), help));
  describePodTemplate(doc, object.spec?.template);
  const claims = object.spec?.volumeClaimTemplates ?? [];
  doc.line(0, claims.length === 0 ? 'Volume Claims:\t<none>' : 'Volume Claims:');
  for (const claim of claims) {
    doc.field(1, 'Name', claim.metadata?.name);
    doc.field(1, 'StorageClass', claim.spec?.storageClassName ?? '');
    doc.labels('Labels', claim.metadata?.labels, '  ');
    doc.labels('Annotations', claim.metadata?.annotations, '  ');
    const storage = claim.spec?.resources?.requests?.['storage'];
    doc.field(1, 'Capacity', storage ? quantityText(storage) : '<default>');
    doc.field(1, 'Access Modes', `[${(claim.spec?.accessModes ?? []).join(' ')}]`);
  }
});

const job = typed<Job>((doc, object) => {
  const { spec, status } = object;
  doc.field(0, 'Name', object.metadata.name);
  doc.field(0, 'Namespace', object.metadata.namespace);
  doc.field(0, 'Selector', selectorText(spec?.selector));
  doc.labels('Labels', object.metadata.labels);
  doc.annotations('Annotations', object.metadata.annotations);
  doc.controlledBy(object);
  if (spec?.parallelism !== undefined) doc.field(0, 'Parallelism', spec.parallelism);
  doc.field(0, 'Completions', spec?.completions ?? '<unset>');
  if (spec?.completionMode) doc.field(0, 'Completion Mode', spec.completionMode);
  if (spec?.suspend !== undefined) doc.field(0, 'Suspend', spec.suspend);
  if (spec?.backoffLimit !== undefined) doc.field(0, 'Backoff Limit', spec.backoffLimit);
  if (spec?.ttlSecondsAfterFinished !== undefined) doc.field(0, 'TTL Seconds After Finished', spec.ttlSecondsAfterFinished);
  if (status?.startTime) doc.field(0, 'Start Time', rfc1123(status.startTime));
  if (status?.completionTime) doc.field(0, 'Completed At', rfc1123(status.completionTime));
  if (status?.startTime && status.completionTime) doc.field(0, 'Duration', humanDuration((instantOf(status.completionTime) ?? 0) - (instantOf(status.startTime) ?? 0)));
  if (spec?.activeDeadlineSeconds !== undefined) doc.field(0, 'Active Deadline Seconds', `${spec.activeDeadlineSeconds}s`);
  const ready = status?.ready === undefined ? '' : ` (${status.ready} Ready)`;
  doc.field(0, 'Pods Statuses', `${status?.active ?? 0} Active${ready} / ${status?.succeeded ?? 0} Succeeded / ${status?.failed ?? 0} Failed`);
  if (spec?.completionMode === 'Indexed') doc.field(0, 'Completed Indexes', status?.completedIndexes || '<none>');
  describePodTemplate(doc, spec?.template);
});

const cronJob = typed<CronJob>((doc, object) => {
  const { spec, status } = object;
  head(doc, object);
  doc.field(0, 'Schedule', spec?.schedule);
  doc.field(0, 'Concurrency Policy', spec?.concurrencyPolicy);
  doc.field(0, 'Suspend', spec?.suspend === undefined ? '<unset>' : spec.suspend ? 'True' : 'False');
  doc.field(0, 'Successful Job History Limit', spec?.successfulJobsHistoryLimit ?? '<unset>');
  doc.field(0, 'Failed Job History Limit', spec?.failedJobsHistoryLimit ?? '<unset>');
  doc.field(0, 'Starting Deadline Seconds', spec?.startingDeadlineSeconds === undefined ? '<unset>' : `${spec.startingDeadlineSeconds}s`);
  const template = spec?.jobTemplate.spec;
  doc.field(0, 'Selector', template?.selector ? selectorText(template.selector) : '<unset>');
  doc.field(0, 'Parallelism', template?.parallelism ?? '<unset>');
  doc.field(0, 'Completions', template?.completions ?? '<unset>');
  if (template?.activeDeadlineSeconds !== undefined) doc.field(0, 'Active Deadline Seconds', `${template.activeDeadlineSeconds}s`);
  describePodTemplate(doc, template?.template);
  doc.field(0, 'Last Schedule Time', status?.lastScheduleTime ? rfc1123(status.lastScheduleTime) : '<unset>');
  doc.field(0, 'Active Jobs', (status?.active ?? []).map((reference) => reference.name).join(', ') || '<none>');
});

const service = typed<Service>(async (doc, object, help) => {
  const { spec } = object;
  const slices = await help.list<EndpointSlice>(`/apis/discovery.k8s.io/v1/namespaces/${object.metadata.namespace}/endpointslices`, { labelSelector: `kubernetes.io/service-name=${object.metadata.name}` });
  head(doc, object);
  doc.field(0, 'Selector', formatLabels(spec?.selector));
  doc.field(0, 'Type', spec?.type);
  if (spec?.ipFamilyPolicy) doc.field(0, 'IP Family Policy', spec.ipFamilyPolicy);
  doc.field(0, 'IP Families', spec?.ipFamilies?.join(',') || '<none>');
  doc.field(0, 'IP', spec?.clusterIP);
  doc.field(0, 'IPs', spec?.clusterIPs?.join(',') || '<none>');
  if (spec?.externalIPs?.length) doc.field(0, 'External IPs', spec.externalIPs.join(','));
  if (spec?.loadBalancerIP) doc.field(0, 'Desired LoadBalancer IP', spec.loadBalancerIP);
  if (spec?.externalName) doc.field(0, 'External Name', spec.externalName);
  const ingress = object.status?.loadBalancer?.ingress ?? [];
  if (ingress.length > 0) doc.field(0, 'LoadBalancer Ingress', ingress.map((entry) => (entry.ip ? entry.ip + (entry.ipMode ? ` (${entry.ipMode})` : '') : entry.hostname)).join(', '));
  for (const port of spec?.ports ?? []) {
    const name = port.name || '<unset>';
    doc.line(0, `Port:\t${name}\t${port.port}/${port.protocol ?? 'TCP'}`);
    doc.field(0, 'TargetPort', `${port.targetPort ?? port.port}/${port.protocol ?? 'TCP'}`);
    if (port.nodePort) doc.line(0, `NodePort:\t${name}\t${port.nodePort}/${port.protocol ?? 'TCP'}`);
    doc.field(0, 'Endpoints', endpointsText(slices, port.name ?? ''));
  }
  doc.field(0, 'Session Affinity', spec?.sessionAffinity);
  if (spec?.externalTrafficPolicy) doc.field(0, 'External Traffic Policy', spec.externalTrafficPolicy);
  if (spec?.internalTrafficPolicy) doc.field(0, 'Internal Traffic Policy', spec.internalTrafficPolicy);
  if (spec?.healthCheckNodePort) doc.field(0, 'HealthCheck NodePort', spec.healthCheckNodePort);
  if (spec?.loadBalancerSourceRanges?.length) doc.field(0, 'LoadBalancer Source Ranges', spec.loadBalancerSourceRanges.join(','));
});

/** Ready addresses, three at most (formatEndpointSlices). */
function endpointsText(slices: readonly R<EndpointSlice>[], portName: string): string {
  if (slices.length === 0) return '<none>';
  const all: string[] = [];
  for (const slice of slices) {
    const ready = (slice.endpoints ?? []).filter((endpoint) => endpoint.conditions?.ready !== false);
    if (!slice.ports?.length) all.push(...ready.map((endpoint) => endpoint.addresses[0]!));
    for (const port of slice.ports ?? []) if ((port.name ?? '') === portName) all.push(...ready.map((endpoint) => (endpoint.addresses[0]!.includes(':') ? `[${endpoint.addresses[0]}]:${port.port}` : `${endpoint.addresses[0]}:${port.port}`)));
  }
  return all.length > 3 ? `${all.slice(0, 3).join(',')} + ${all.length - 3} more...` : all.join(',');
}

const endpointSlice = typed<EndpointSlice>((doc, object) => {
  head(doc, object);
  doc.field(0, 'AddressType', object.addressType);
  if (!object.ports?.length) doc.line(0, 'Ports: <unset>');
  else {
    doc.line(0, 'Ports:');
    doc.line(1, 'Name\tPort\tProtocol');
    doc.line(1, '----\t----\t--------');
    for (const port of object.ports) doc.line(1, `${port.name || '<unset>'}\t${port.port ?? '<unset>'}\t${port.protocol ?? 'TCP'}`);
  }
  if (!object.endpoints?.length) doc.line(0, 'Endpoints: <none>');
  else {
    doc.line(0, 'Endpoints:');
    for (const endpoint of object.endpoints) {
      doc.line(1, `- Addresses:\t${endpoint.addresses.join(', ') || '<none>'}`);
      doc.line(2, 'Conditions:');
      doc.field(3, 'Ready', endpoint.conditions?.ready === undefined ? '<unset>' : String(endpoint.conditions.ready));
      doc.field(2, 'Hostname', endpoint.hostname ?? '<unset>');
      if (endpoint.targetRef) doc.field(2, 'TargetRef', `${endpoint.targetRef.kind}/${endpoint.targetRef.name}`);
      doc.field(2, 'NodeName', endpoint.nodeName ?? '<unset>');
      doc.field(2, 'Zone', endpoint.zone ?? '<unset>');
    }
  }
});

const endpoints = typed<Endpoints>((doc, object) => {
  head(doc, object);
  doc.line(0, 'Subsets:');
  for (const subset of object.subsets ?? []) {
    doc.field(1, 'Addresses', (subset.addresses ?? []).map((address) => address.ip).join(',') || '<none>');
    doc.field(1, 'NotReadyAddresses', (subset.notReadyAddresses ?? []).map((address) => address.ip).join(',') || '<none>');
    if (subset.ports?.length) {
      doc.line(1, 'Ports:');
      doc.line(2, 'Name\tPort\tProtocol');
      doc.line(2, '----\t----\t--------');
      for (const port of subset.ports) doc.line(2, `${port.name || '<unset>'}\t${port.port}\t${port.protocol ?? 'TCP'}`);
    }
    doc.line(0, '');
  }
});

const node = typed<Node>(async (doc, object, help) => {
  const { metadata, spec, status } = object;
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (key.startsWith('node-role.kubernetes.io/') && key.length > 24) roles.add(key.slice(24));
    else if (key === 'kubernetes.io/role' && value) roles.add(value);
  }
  doc.field(0, 'Name', metadata.name);
  doc.field(0, 'Roles', [...roles].sort().join(',') || '<none>');
  doc.labels('Labels', metadata.labels);
  doc.annotations('Annotations', metadata.annotations);
  doc.field(0, 'CreationTimestamp', rfc1123(metadata.creationTimestamp));
  doc.write(0, 'Taints:\t');
  const taints = [...(spec?.taints ?? [])].sort((a, b) => (`${a.effect},${a.key}` < `${b.effect},${b.key}` ? -1 : 1));
  if (taints.length === 0) doc.line(0, '<none>');
  taints.forEach((taint, i) => doc.line(0, `${i > 0 ? '\t' : ''}${taint.key}${taint.value ? `=${taint.value}` : ''}:${taint.effect}`));
  doc.field(0, 'Unschedulable', spec?.unschedulable ?? false);
  try {
    const lease = (await help.session.request('GET', `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${metadata.name}`)) as unknown as R<Lease>;
    doc.line(0, 'Lease:');
    doc.field(1, 'HolderIdentity', lease.spec?.holderIdentity ?? '<unset>');
    doc.field(1, 'AcquireTime', lease.spec?.acquireTime ? rfc1123(lease.spec.acquireTime) : '<unset>');
    doc.field(1, 'RenewTime', lease.spec?.renewTime ? rfc1123(lease.spec.renewTime) : '<unset>');
  } catch (error) {
    doc.field(0, 'Lease', `Failed to get lease: ${(error as Error).message}`);
  }
  if (status?.conditions?.length) {
    doc.line(0, 'Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage');
    doc.line(1, '----\t------\t-----------------\t------------------\t------\t-------');
    for (const condition of status.conditions) doc.line(1, `${condition.type} \t${condition.status} \t${rfc1123(condition.lastHeartbeatTime)} \t${rfc1123(condition.lastTransitionTime)} \t${condition.reason ?? ''} \t${condition.message ?? ''}`);
  }
  doc.line(0, 'Addresses:');
  for (const address of status?.addresses ?? []) doc.field(1, address.type, address.address);
  for (const [title, list] of [
    ['Capacity', status?.capacity],
    ['Allocatable', status?.allocatable],
  ] as const) {
    if (!Object.keys(list ?? {}).length) continue;
    doc.line(0, `${title}:`);
    for (const name of Object.keys(list!).sort()) doc.line(0, `  ${name}:\t${quantityText(list![name])}`);
  }
  const info = status?.nodeInfo;
  doc.line(0, 'System Info:');
  for (const [title, value] of [
    ['Machine ID', info?.machineID],
    ['System UUID', info?.systemUUID],
    ['Boot ID', info?.bootID],
    ['Kernel Version', info?.kernelVersion],
    ['OS Image', info?.osImage],
    ['Operating System', info?.operatingSystem],
    ['Architecture', info?.architecture],
    ['Container Runtime Version', info?.containerRuntimeVersion],
    ['Kubelet Version', info?.kubeletVersion],
    ['Kube-Proxy Version', info?.kubeProxyVersion],
  ] as const)
    doc.line(0, `  ${title}:\t${value ?? ''}`);
  if (spec?.podCIDR) doc.field(0, 'PodCIDR', spec.podCIDR);
  if (spec?.podCIDRs?.length) doc.field(0, 'PodCIDRs', spec.podCIDRs.join(','));
  if (spec?.providerID) doc.field(0, 'ProviderID', spec.providerID);
  const pods = await help.list<Pod>('/api/v1/pods', { fieldSelector: `spec.nodeName=${metadata.name},status.phase!=Succeeded,status.phase!=Failed` });
  describeNodePods(doc, object, pods);
});

function describeNodePods(doc: Doc, object: R<Node>, pods: readonly R<Pod>[]): void {
  const list = object.status?.allocatable ?? object.status?.capacity;
  const allocatable = { cpu: milliValue(list?.['cpu']), memory: wholeValue(list?.['memory']), storage: wholeValue(list?.['ephemeral-storage']) };
  const percent = (value: number, of: number) => (of === 0 ? 0 : Math.trunc((value * 100) / of));
  // A sum keeps the format of its parts; requests in binary units stay so.
  const memoryText = (value: number) => (value === 0 ? '0' : fromWhole(value, value % 1024 === 0 ? 'BinarySI' : 'DecimalSI'));
  const cpuText = (value: number) => (value === 0 ? '0' : fromMilli(value));
  doc.field(0, 'Non-terminated Pods', `(${pods.length} in total)`);
  doc.line(1, 'Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge');
  doc.line(1, '---------\t----\t\t------------\t----------\t---------------\t-------------\t---');
  const total = { requests: { cpu: 0, memory: 0, storage: 0 }, limits: { cpu: 0, memory: 0, storage: 0 } };
  for (const one of pods) {
    const amounts = { requests: podResources(one, 'requests'), limits: podResources(one, 'limits') };
    for (const which of ['requests', 'limits'] as const) for (const name of ['cpu', 'memory', 'storage'] as const) total[which][name] += amounts[which][name];
    const cell = (text: string, value: number, of: number) => `${text} (${percent(value, of)}%)`;
    doc.line(
      1,
      [
        one.metadata.namespace,
        one.metadata.name,
        '',
        cell(cpuText(amounts.requests.cpu), amounts.requests.cpu, allocatable.cpu),
        cell(cpuText(amounts.limits.cpu), amounts.limits.cpu, allocatable.cpu),
        cell(memoryText(amounts.requests.memory), amounts.requests.memory, allocatable.memory),
        cell(memoryText(amounts.limits.memory), amounts.limits.memory, allocatable.memory),
        doc.since(one.metadata.creationTimestamp),
      ].join('\t'),
    );
  }
  doc.line(0, 'Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)');
  doc.line(1, 'Resource\tRequests\tLimits');
  doc.line(1, '--------\t--------\t------');
  for (const [name, key, text] of [
    ['cpu', 'cpu', cpuText],
    ['memory', 'memory', memoryText],
    ['ephemeral-storage', 'storage', memoryText],
  ] as const)
    doc.line(1, `${name}\t${text(total.requests[key])} (${percent(total.requests[key], allocatable[key])}%)\t${text(total.limits[key])} (${percent(total.limits[key], allocatable[key])}%)`);
  for (const name of Object.keys(list ?? {}).filter((key) => key.startsWith('hugepages-')).sort()) doc.line(1, `${name}\t0 (0%)\t0 (0%)`);
}

const namespace = typed<Namespace>(async (doc, object, help) => {
  head(doc, object, false);
  doc.field(0, 'Status', object.status?.phase);
  if (object.status?.conditions?.length) {
    doc.line(0, 'Conditions:');
    doc.line(1, 'Type\tStatus\tLastTransitionTime\tReason\tMessage');
    doc.line(1, '----\t------\t------------------\t------\t-------');
    for (const condition of object.status.conditions) doc.line(1, `${condition.type}\t${condition.status}\t${rfc1123(condition.lastTransitionTime)}\t${condition.reason ?? ''}\t${condition.message ?? ''}`);
  }
  const optional = async <T>(path: string) => {
    try {
      return await help.list<T>(path);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
  const quotas = await optional<ResourceQuota>(`/api/v1/namespaces/${object.metadata.name}/resourcequotas`);
  if (quotas) {
    doc.line(0, '');
    if (quotas.length === 0) doc.line(0, 'No resource quota.');
    else {
      doc.line(0, 'Resource Quotas');
      for (const quota of quotas) {
        doc.field(1, 'Name', quota.metadata.name);
        doc.line(1, 'Resource\tUsed\tHard');
        doc.line(1, '--------\t---\t---');
        for (const name of Object.keys(quota.status?.hard ?? {}).sort()) doc.line(1, `${name}\t${quantityText(quota.status?.used?.[name])}\t${quantityText(quota.status?.hard?.[name])}`);
      }
    }
  }
  const ranges = await optional<LimitRange>(`/api/v1/namespaces/${object.metadata.name}/limitranges`);
  if (ranges) {
    doc.line(0, '');
    if (ranges.length === 0) doc.line(0, 'No LimitRange resource.');
    else {
      doc.line(0, 'Resource Limits\n Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio');
      doc.line(0, ' ----\t--------\t---\t---\t---------------\t-------------\t-----------------------');
      for (const range of ranges) limitRows(doc, range, ' ');
    }
  }
});

function limitRows(doc: Doc, range: R<LimitRange>, prefix: string): void {
  for (const item of range.spec?.limits ?? []) {
    const names = new Set([item.max, item.min, item.default, item.defaultRequest, item.maxLimitRequestRatio].flatMap((list) => Object.keys(list ?? {})));
    const cell = (list: R<Record<string, string>> | undefined, name: string) => (list?.[name] === undefined ? '-' : quantityText(list[name]));
    for (const name of [...names].sort()) doc.line(0, `${prefix}${item.type}\t${name}\t${cell(item.min, name)}\t${cell(item.max, name)}\t${cell(item.defaultRequest, name)}\t${cell(item.default, name)}\t${cell(item.maxLimitRequestRatio, name)}`);
  }
}
const limitRange = typed<LimitRange>((doc, object) => {
  doc.field(0, 'Name', object.metadata.name);
  doc.field(0, 'Namespace', object.metadata.namespace);
  doc.line(0, 'Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio');
  doc.line(0, '----\t--------\t---\t---\t---------------\t-------------\t-----------------------');
  limitRows(doc, object, '');
});
const resourceQuota = typed<ResourceQuota>((doc, object) => {
  doc.field(0, 'Name', object.metadata.name);
  doc.field(0, 'Namespace', object.metadata.namespace);
  doc.line(0, 'Resource\tUsed\tHard');
  doc.line(0, '--------\t----\t----');
  for (const name of Object.keys(object.status?.hard ?? {}).sort()) doc.line(0, `${name}\t${quantityText(object.status?.used?.[name])}\t${quantityText(object.status?.hard?.[name])}`);
});

const configMap = typed<ConfigMap>((doc, object) => {
  head(doc, object);
  doc.line(0, '\nData\n====');
  for (const key of Object.keys(object.data ?? {}).sort()) doc.line(0, `${key}:\n----\n${object.data![key]}\n`);
  doc.line(0, '\nBinaryData\n====');
  for (const key of Object.keys(object.binaryData ?? {}).sort()) doc.line(0, `${key}: ${base64Bytes(object.binaryData![key]!).length} bytes`);
  doc.line(0, '');
});
const secret = typed<Secret>((doc, object) => {
  head(doc, object);
  doc.line(0, `\nType:\t${object.type ?? ''}`);
  doc.line(0, '\nData\n====');
  for (const key of Object.keys(object.data ?? {}).sort()) {
    if (key === 'token' && object.type === 'kubernetes.io/service-account-token') doc.field(0, key, decodeBase64(object.data![key]!));
    else doc.field(0, key, `${base64Bytes(object.data![key]!).length} bytes`);
  }
});

const serviceAccount = typed<ServiceAccount>((doc, object) => {
  head(doc, object);
  const rows = (title: string, names: readonly (string | undefined)[]) => {
    if (names.length === 0) doc.line(0, `${title}\t<none>`);
    names.forEach((name, i) => doc.line(0, `${i === 0 ? title : '                   '}\t${name}`));
  };
  rows('Image pull secrets:', (object.imagePullSecrets ?? []).map((reference) => reference.name));
  rows('Mountable secrets: ', (object.secrets ?? []).map((reference) => reference.name));
  // Here simplified: token secrets of the old kind are not looked for.
  rows('Tokens:            ', []);
});

const role = typed<Role>((doc, object) => {
  head(doc, object, false);
  doc.line(0, 'PolicyRule:');
  doc.line(1, 'Resources\tNon-Resource URLs\tResource Names\tVerbs');
  doc.line(1, '---------\t-----------------\t--------------\t-----');
  // One row per resource and group; verbs of the same one are put together (rbac.CompactRules).
  const rows = new Map<string, { resource: string; urls: readonly string[]; names: readonly string[]; verbs: string[] }>();
  for (const rule of object.rules ?? []) {
    const targets = rule.nonResourceURLs?.length ? rule.nonResourceURLs.map((url) => ({ resource: '', urls: [url] })) : (rule.resources ?? []).flatMap((resource) => (rule.apiGroups ?? ['']).map((group) => ({ resource: combined(resource, group), urls: [] as string[] })));
    for (const target of targets) {
      for (const names of rule.resourceNames?.length ? rule.resourceNames.map((name) => [name]) : [[]]) {
        const key = `${target.resource}|${target.urls}|${names}`;
        const row = rows.get(key) ?? { ...target, names, verbs: [] };
        for (const verb of rule.verbs) if (!row.verbs.includes(verb)) row.verbs.push(verb);
        rows.set(key, row);
      }
    }
  }
  for (const row of [...rows.values()].sort((a, b) => (a.resource < b.resource ? -1 : a.resource > b.resource ? 1 : 0))) doc.line(1, `${row.resource}\t[${row.urls.join(' ')}]\t[${row.names.join(' ')}]\t[${row.verbs.join(' ')}]`);
});
const combined = (resource: string, group: string): string => {
  const [name, sub] = resource.split('/') as [string, string | undefined];
  return name + (group ? `.${group}` : '') + (sub ? `/${sub}` : '');
};
const roleBinding = typed<RoleBinding>((doc, object) => {
  head(doc, object, false);
  doc.line(0, 'Role:');
  doc.field(1, 'Kind', object.roleRef.kind);
  doc.field(1, 'Name', object.roleRef.name);
  doc.line(0, 'Subjects:');
  doc.line(1, 'Kind\tName\tNamespace');
  doc.line(1, '----\t----\t---------');
  for (const subject of object.subjects ?? []) doc.line(1, `${subject.kind}\t${subject.name}\t${subject.namespace ?? ''}`);
});

const disruptionBudget = typed<PodDisruptionBudget>((doc, object) => {
  doc.field(0, 'Name', object.metadata.name);
  doc.field(0, 'Namespace', object.metadata.namespace);
  if (object.spec?.minAvailable !== undefined) doc.field(0, 'Min available', object.spec.minAvailable);
  else if (object.spec?.maxUnavailable !== undefined) doc.field(0, 'Max unavailable', object.spec.maxUnavailable);
  doc.field(0, 'Selector', object.spec?.selector ? formatLabelSelector(object.spec.selector) : '<unset>');
  doc.line(0, 'Status:');
  doc.field(2, 'Allowed disruptions', object.status?.disruptionsAllowed ?? 0);
  doc.field(2, 'Current', object.status?.currentHealthy ?? 0);
  doc.field(2, 'Desired', object.status?.desiredHealthy ?? 0);
  doc.field(2, 'Total', object.status?.expectedPods ?? 0);
});

const priorityClass = typed<PriorityClass>((doc, object) => {
  doc.field(0, 'Name', object.metadata.name);
  doc.field(0, 'Value', object.value);
  doc.field(0, 'GlobalDefault', object.globalDefault ?? false);
  doc.field(0, 'PreemptionPolicy', object.preemptionPolicy);
  doc.field(0, 'Description', object.description);
  doc.field(0, 'Annotations', formatLabels(object.metadata.annotations));
});

const MODES: Readonly<Record<string, string>> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' };
const accessModes = (modes: readonly string[] | undefined): string => (modes ?? []).map((mode) => MODES[mode] ?? mode).join(',');
const claim = typed<PersistentVolumeClaim>(async (doc, object, help) => {
  const { metadata, spec, status } = object;
  doc.field(0, 'Name', metadata.name);
  doc.field(0, 'Namespace', metadata.namespace);
  doc.field(0, 'StorageClass', spec?.storageClassName ?? '');
  doc.field(0, 'Status', metadata.deletionTimestamp ? `Terminating (lasts ${doc.since(metadata.deletionTimestamp)})` : status?.phase);
  doc.field(0, 'Volume', spec?.volumeName ?? '');
  doc.labels('Labels', metadata.labels);
  doc.annotations('Annotations', metadata.annotations);
  doc.field(0, 'Finalizers', `[${(metadata.finalizers ?? []).join(' ')}]`);
  doc.field(0, 'Capacity', spec?.volumeName ? quantityText(status?.capacity?.['storage']) : '');
  doc.field(0, 'Access Modes', spec?.volumeName ? accessModes(status?.accessModes) : '');
  if (spec?.volumeMode) doc.field(0, 'VolumeMode', spec.volumeMode);
  const users = (await help.list<Pod>(`/api/v1/namespaces/${metadata.namespace}/pods`)).filter((one) => one.spec?.volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === metadata.name)).map((one) => one.metadata.name!);
  users.sort().forEach((name, i) => doc.line(0, i === 0 ? `Used By:\t${name}` : `\t${name}`));
  if (users.length === 0) doc.field(0, 'Used By', '<none>');
});
const volume = typed<PersistentVolume>((doc, object) => {
  const { metadata, spec, status } = object;
  doc.field(0, 'Name', metadata.name);
  doc.labels('Labels', metadata.labels);
  doc.annotations('Annotations', metadata.annotations);
  doc.field(0, 'Finalizers', `[${(metadata.finalizers ?? []).join(' ')}]`);
  doc.field(0, 'StorageClass', spec?.storageClassName ?? '');
  doc.field(0, 'Status', metadata.deletionTimestamp ? `Terminating (lasts ${doc.since(metadata.deletionTimestamp)})` : status?.phase);
  doc.field(0, 'Claim', spec?.claimRef ? `${spec.claimRef.namespace}/${spec.claimRef.name}` : '');
  doc.field(0, 'Reclaim Policy', spec?.persistentVolumeReclaimPolicy);
  doc.field(0, 'Access Modes', accessModes(spec?.accessModes));
  if (spec?.volumeMode) doc.field(0, 'VolumeMode', spec.volumeMode);
  doc.field(0, 'Capacity', quantityText(spec?.capacity?.['storage']));
  doc.field(0, 'Node Affinity', spec?.nodeAffinity?.required ? '' : '<none>');
  doc.field(0, 'Message', status?.message ?? '');
  doc.line(0, 'Source:');
  if (spec?.hostPath) {
    doc.line(2, 'Type:\tHostPath (bare host directory volume)');
    doc.line(0, `    Path:\t${spec.hostPath.path}`);
    doc.line(0, `    HostPathType:\t${spec.hostPath.type ?? '<none>'}`);
  } else if (spec?.local) {
    doc.line(2, 'Type:\tLocalVolume (a persistent volume backed by local storage on a node)');
    doc.line(0, `    Path:\t${spec.local.path}`);
  } else if (spec?.csi) {
    doc.line(2, 'Type:\tCSI (a Container Storage Interface (CSI) volume source)');
    doc.line(0, `    Driver:\t${spec.csi.driver}`);
    doc.line(0, `    VolumeHandle:\t${spec.csi.volumeHandle}`);
  } else doc.line(1, '<unknown>');
});
const storageClass = typed<StorageClass>((doc, object) => {
  doc.field(0, 'Name', object.metadata.name);
  doc.field(0, 'IsDefaultClass', object.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true' ? 'Yes' : 'No');
  doc.field(0, 'Annotations', formatLabels(object.metadata.annotations));
  doc.field(0, 'Provisioner', object.provisioner);
  doc.field(0, 'Parameters', formatLabels(object.parameters));
  doc.field(0, 'AllowVolumeExpansion', object.allowVolumeExpansion === undefined ? '<unset>' : object.allowVolumeExpansion ? 'True' : 'False');
  doc.field(0, 'MountOptions', object.mountOptions?.join('\n') || '<none>');
  doc.field(0, 'ReclaimPolicy', object.reclaimPolicy ?? '<unset>');
  doc.field(0, 'VolumeBindingMode', object.volumeBindingMode ?? '<unset>');
  doc.field(0, 'AllowedTopologies', '<none>');
});

const ACRONYMS = new Set(['API', 'URL', 'UID', 'OSB', 'GUID']);
/** `creationTimestamp` → `Creation Timestamp` (describe.smartLabelFor). */
function smartLabel(field: string): string {
  if (/[^A-Za-z-]/.test(field)) return field;
  const parts = field.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|-/g) ?? [field];
  return parts.map((part) => (ACRONYMS.has(part.toUpperCase()) ? part.toUpperCase() : part.slice(0, 1).toUpperCase() + part.slice(1))).join(' ');
}
const SKIPPED = new Set(['.metadata.managedFields', '.metadata.name', '.metadata.namespace', '.metadata.labels', '.metadata.annotations']);
function generic(doc: Doc, object: ObjectLike): void {
  head(doc, object);
  const write = (level: number, content: JsonObject, prefix: string): void => {
    for (const field of Object.keys(content).sort()) {
      const value = content[field];
      const path = `${prefix}.${field}`;
      if (value === undefined || SKIPPED.has(path)) continue;
      if (Array.isArray(value)) {
        doc.line(level, `${smartLabel(field)}:`);
        for (const item of value) {
          if (isObject(item)) write(level + 1, item, path);
          else doc.line(level + 1, String(item));
        }
      } else if (isObject(value)) {
        doc.line(level, `${smartLabel(field)}:`);
        write(level + 1, value, path);
      } else doc.field(level, smartLabel(field), value === null ? '<nil>' : String(value));
    }
  };
  write(0, object, '');
}

const DESCRIBERS: Readonly<Record<string, Describer>> = {
  Pod: pod,
  Service: service,
  Endpoints: endpoints,
  Node: node,
  Namespace: namespace,
  LimitRange: limitRange,
  ResourceQuota: resourceQuota,
  ConfigMap: configMap,
  Secret: secret,
  ServiceAccount: serviceAccount,
  PersistentVolumeClaim: claim,
  PersistentVolume: volume,
  'apps/Deployment': deployment,
  'apps/ReplicaSet': replicaSet,
  'apps/DaemonSet': daemonSet,
  'apps/StatefulSet': statefulSet,
  'batch/Job': job,
  'batch/CronJob': cronJob,
  'discovery.k8s.io/EndpointSlice': endpointSlice,
  'policy/PodDisruptionBudget': disruptionBudget,
  'scheduling.k8s.io/PriorityClass': priorityClass,
  'storage.k8s.io/StorageClass': storageClass,
  'rbac.authorization.k8s.io/Role': role,
  'rbac.authorization.k8s.io/ClusterRole': role,
  'rbac.authorization.k8s.io/RoleBinding': roleBinding,
  'rbac.authorization.k8s.io/ClusterRoleBinding': roleBinding,
};
