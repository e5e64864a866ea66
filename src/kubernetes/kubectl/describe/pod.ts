/** `kubectl describe pod`, and the pod templates of workloads. */
import { formatLabelSelector } from '../../api/selector.ts';
import type { Container, Pod, PodTemplateSpec, Toleration, TopologySpreadConstraint } from '../../api/types.gen.ts';
import { writeContainers, writeResources } from './containers.ts';
import { eventsOf } from './events.ts';
import type { Describer } from './reader.ts';
import { longTime, type Sheet, since } from './sheet.ts';
import { writeVolumes } from './volumes.ts';

const MIRROR = 'kubernetes.io/config.mirror';

export const describePod: Describer<Pod> = async (sheet, pod, context) => {
  const { metadata, spec, status } = pod;
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.line(0, 'Namespace:', metadata.namespace ?? '');
  if (spec?.priority !== undefined) sheet.line(0, 'Priority:', String(spec.priority));
  if (spec?.priorityClassName) sheet.line(0, 'Priority Class Name:', spec.priorityClassName);
  if (spec?.runtimeClassName) sheet.line(0, 'Runtime Class Name:', spec.runtimeClassName);
  if (spec?.serviceAccountName) sheet.line(0, 'Service Account:', spec.serviceAccountName);
  sheet.line(0, 'Node:', spec?.nodeName ? `${spec.nodeName}/${status?.hostIP ?? ''}` : '<none>');
  if (status?.startTime) sheet.line(0, 'Start Time:', longTime(status.startTime));
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  if (metadata.deletionTimestamp && status?.phase !== 'Failed' && status?.phase !== 'Succeeded') {
    sheet.line(0, 'Status:', `Terminating (lasts ${since(metadata.deletionTimestamp, context.now)})`);
    sheet.line(0, 'Termination Grace Period:', `${metadata.deletionGracePeriodSeconds ?? 0}s`);
  } else sheet.line(0, 'Status:', status?.phase ?? '');
  if (status?.reason) sheet.line(0, 'Reason:', status.reason);
  if (status?.message) sheet.line(0, 'Message:', status.message);
  const seccomp = spec?.securityContext?.seccompProfile;
  if (seccomp) {
    sheet.line(0, 'SeccompProfile:', seccomp.type);
    if (seccomp.type === 'Localhost') sheet.line(0, 'LocalhostProfile:', seccomp.localhostProfile ?? '');
  }
  sheet.line(0, 'IP:', status?.podIP ?? '');
  if (!status?.podIPs?.length) sheet.line(0, 'IPs:', '<none>');
  else {
    sheet.line(0, 'IPs:');
    for (const { ip } of status.podIPs) sheet.line(1, 'IP:', ip);
  }
  writeController(sheet, pod);
  if (status?.nominatedNodeName) sheet.line(0, 'NominatedNodeName:', status.nominatedNodeName);
  if (spec?.resources) {
    sheet.line(0, 'Resources:');
    writeResources(sheet, spec.resources, 1);
  }
  if (spec?.initContainers?.length) writeContainers(sheet, 'Init Containers', spec.initContainers, { statuses: status?.initContainerStatuses, pod });
  writeContainers(sheet, 'Containers', spec?.containers ?? [], { statuses: status?.containerStatuses, pod });
  if (spec?.ephemeralContainers?.length) {
    writeContainers(sheet, 'Ephemeral Containers', spec.ephemeralContainers as readonly Container[], { statuses: status?.ephemeralContainerStatuses, pod });
  }
  const conditions = status?.conditions ?? [];
  if (spec?.readinessGates?.length) {
    sheet.line(0, 'Readiness Gates:');
    sheet.line(1, 'Type', 'Status');
    for (const { conditionType } of spec.readinessGates)
      sheet.line(1, `${conditionType} `, `${conditions.find(({ type }) => type === conditionType)?.status ?? '<none>'} `);
  }
  if (conditions.length > 0) {
    sheet.line(0, 'Conditions:');
    sheet.line(1, 'Type', 'Status');
    for (const condition of conditions) sheet.line(1, `${condition.type} `, `${condition.status} `);
  }
  writeVolumes(sheet, spec?.volumes);
  sheet.line(0, 'QoS Class:', status?.qosClass ?? qosClass(pod));
  sheet.labels('Node-Selectors', spec?.nodeSelector);
  writeTolerations(sheet, 'Tolerations', spec?.tolerations);
  writeSpread(sheet, spec?.topologySpreadConstraints, '');
  // The kubelet files the events of a static pod under the hash of its manifest.
  await eventsOf(sheet, context, { ...metadata, uid: metadata.annotations?.[MIRROR] ?? metadata.uid });
};

/** The template a workload makes its pods of. */
export function writePodTemplate(sheet: Sheet, template: PodTemplateSpec | undefined): void {
  const spec = template?.spec;
  sheet.line(0, 'Pod Template:');
  sheet.labels('  Labels', template?.metadata?.labels);
  if (Object.keys(template?.metadata?.annotations ?? {}).length > 0) sheet.annotations('  Annotations', template?.metadata?.annotations);
  if (spec?.serviceAccountName) sheet.line(1, 'Service Account:', spec.serviceAccountName);
  if (spec?.initContainers?.length) writeContainers(sheet, 'Init Containers', spec.initContainers, { inTemplate: true });
  writeContainers(sheet, 'Containers', spec?.containers ?? [], { inTemplate: true });
  writeVolumes(sheet, spec?.volumes, true);
  writeSpread(sheet, spec?.topologySpreadConstraints, '  ');
  if (spec?.priorityClassName) sheet.line(1, 'Priority Class Name:', spec.priorityClassName);
  sheet.labels('  Node-Selectors', spec?.nodeSelector);
  writeTolerations(sheet, '  Tolerations', spec?.tolerations);
}

/** `Controlled By: ReplicaSet/web-5d9c`, if it is. */
export function writeController(sheet: Sheet, { metadata }: Pick<Pod, 'metadata'>): void {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller);
  if (owner) sheet.line(0, 'Controlled By:', `${owner.kind}/${owner.name}`);
}

function writeTolerations(sheet: Sheet, title: string, tolerations: readonly Toleration[] = []): void {
  const key = (toleration: Toleration): string => toleration.key ?? '';
  const sorted = [...tolerations].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
  sheet.list(title, sorted.map(tolerationText));
}

function tolerationText(toleration: Toleration): string {
  let text = toleration.key ?? '';
  if (toleration.value) text += `=${toleration.value}`;
  if (toleration.effect) text += `:${toleration.effect}`;
  if (toleration.operator === 'Exists' && !toleration.value) text += toleration.key || toleration.effect ? ' op=Exists' : 'op=Exists';
  if (toleration.tolerationSeconds !== undefined) text += ` for ${toleration.tolerationSeconds}s`;
  return text;
}

function writeSpread(sheet: Sheet, constraints: readonly TopologySpreadConstraint[] = [], space: string): void {
  if (constraints.length === 0) return;
  const sorted = [...constraints].sort((a, b) => (a.topologyKey < b.topologyKey ? -1 : a.topologyKey > b.topologyKey ? 1 : 0));
  const texts = sorted.map(({ topologyKey, whenUnsatisfiable, maxSkew, labelSelector }) => {
    const selector = labelSelector ? ` for selector ${formatLabelSelector(labelSelector)}` : '';
    return `${topologyKey}:${whenUnsatisfiable} when max skew ${maxSkew} is exceeded${selector}`;
  });
  sheet.list('Topology Spread Constraints', texts, space);
}

/** What the API server will put in the status (kubectl's qos.GetPodQOS). */
function qosClass({ spec }: Pod): string {
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  const named = (list: Readonly<Record<string, string>> | undefined): string[] =>
    ['cpu', 'memory'].filter((name) => list?.[name] !== undefined && list[name] !== '0');
  const any = containers.some(({ resources }) => named(resources?.requests).length + named(resources?.limits).length > 0);
  if (!any) return 'BestEffort';
  const guaranteed = containers.every(({ resources }) => {
    if (named(resources?.limits).length !== 2) return false;
    return named(resources?.requests).every((name) => resources?.requests?.[name] === resources?.limits?.[name]);
  });
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
