/** Containers, volumes, tolerations: what a pod and a pod template have in common. */
import type { DeepReadonly } from '../../api/json.ts';
import { canonicalQuantity, milliValue, parseQuantity, wholeValue } from '../../api/quantity.ts';
import { formatLabelSelector } from '../../api/selector.ts';
import type { Container, ContainerState, ContainerStatus, EnvVar, Pod, PodTemplateSpec, Probe, ResourceRequirements, Toleration, TopologySpreadConstraint, Volume } from '../../api/types.gen.ts';
import { type Doc, rfc1123 } from './doc.ts';

type R<T> = DeepReadonly<T>;
const orNone = (text: string): string => text || '<none>';
const titleBool = (value: boolean | undefined): string => (value ? 'True' : 'False');
const quantityText = (value: string | number | undefined): string => (value === undefined ? '0' : canonicalQuantity(value));

export function describePodTemplate(doc: Doc, template: R<PodTemplateSpec> | undefined): void {
  doc.line(0, 'Pod Template:');
  if (!template) {
    doc.write(1, '<unset>');
    return;
  }
  const spec = template.spec;
  doc.labels('Labels', template.metadata?.labels, '  ');
  if (Object.keys(template.metadata?.annotations ?? {}).length > 0) doc.annotations('  Annotations', template.metadata?.annotations);
  if (spec?.serviceAccountName) doc.field(1, 'Service Account', spec.serviceAccountName);
  if (spec?.initContainers?.length) describeContainers(doc, 'Init Containers', spec.initContainers, undefined, undefined, '  ');
  describeContainers(doc, 'Containers', spec?.containers ?? [], undefined, undefined, '  ');
  describeVolumes(doc, spec?.volumes, '  ');
  describeSpread(doc, spec?.topologySpreadConstraints, '  ');
  if (spec?.priorityClassName) doc.field(1, 'Priority Class Name', spec.priorityClassName);
  doc.labels('  Node-Selectors', spec?.nodeSelector);
  describeTolerations(doc, '  Tolerations', spec?.tolerations);
}

export function describeContainers(doc: Doc, label: string, containers: readonly R<Container>[], statuses: readonly R<ContainerStatus>[] | undefined, pod: R<Pod> | undefined, space: string): void {
  doc.line(0, `${space}${label}:${containers.length === 0 ? ' <none>' : ''}`);
  for (const container of containers) {
    const status = statuses?.find((one) => one.name === container.name);
    const ports = (container.ports ?? []).map((port) => `${port.containerPort}/${port.protocol ?? 'TCP'}`).join(', ');
    const hostPorts = (container.ports ?? []).map((port) => `${port.hostPort ?? 0}/${port.protocol ?? 'TCP'}`).join(', ');
    doc.line(1, `${space ? ' ' : ''}${container.name}:`);
    if (status) doc.field(2, 'Container ID', status.containerID);
    doc.field(2, 'Image', container.image);
    if (status) doc.field(2, 'Image ID', status.imageID);
    if (ports.includes(',')) doc.field(2, 'Ports', ports);
    else doc.field(2, 'Port', orNone(ports));
    if (hostPorts.includes(',')) doc.field(2, 'Host Ports', hostPorts);
    else doc.field(2, 'Host Port', orNone(hostPorts));
    const seccomp = container.securityContext?.seccompProfile;
    if (seccomp) {
      doc.field(2, 'SeccompProfile', seccomp.type);
      if (seccomp.type === 'Localhost') doc.field(3, 'LocalhostProfile', seccomp.localhostProfile);
    }
    for (const [title, words] of [
      ['Command', container.command],
      ['Args', container.args],
    ] as const) {
      if (!words?.length) continue;
      doc.line(2, `${title}:`);
      for (const word of words) for (const part of word.split('\n')) doc.line(3, part);
    }
    if (status) describeState(doc, status);
    describeResources(doc, container.resources, 2);
    if (container.livenessProbe) doc.field(2, 'Liveness', probeText(container.livenessProbe));
    if (container.readinessProbe) doc.field(2, 'Readiness', probeText(container.readinessProbe));
    if (container.startupProbe) doc.field(2, 'Startup', probeText(container.startupProbe));
    describeEnvironment(doc, container, pod);
    doc.line(2, `Mounts:${container.volumeMounts?.length ? '' : '\t<none>'}`);
    for (const mount of [...(container.volumeMounts ?? [])].sort((a, b) => (a.mountPath < b.mountPath ? -1 : 1)))
      doc.line(3, `${mount.mountPath} from ${mount.name} (${[mount.readOnly ? 'ro' : 'rw', ...(mount.subPath ? [`path=${JSON.stringify(mount.subPath)}`] : [])].join(',')})`);
    if (container.volumeDevices?.length) {
      doc.line(2, 'Devices:');
      for (const device of container.volumeDevices) doc.line(3, `${device.devicePath} from ${device.name}`);
    }
  }
}

function describeState(doc: Doc, status: R<ContainerStatus>): void {
  const one = (title: string, state: R<ContainerState> | undefined) => {
    if (state?.running) {
      doc.field(2, title, 'Running');
      doc.field(3, 'Started', rfc1123(state.running.startedAt));
    } else if (state?.terminated) {
      const { terminated } = state;
      doc.field(2, title, 'Terminated');
      if (terminated.reason) doc.field(3, 'Reason', terminated.reason);
      if (terminated.message) doc.field(3, 'Message', terminated.message);
      doc.field(3, 'Exit Code', terminated.exitCode);
      if ((terminated.signal ?? 0) > 0) doc.field(3, 'Signal', terminated.signal);
      doc.field(3, 'Started', rfc1123(terminated.startedAt));
      doc.field(3, 'Finished', rfc1123(terminated.finishedAt));
    } else {
      doc.field(2, title, 'Waiting');
      if (state?.waiting?.reason) doc.field(3, 'Reason', state.waiting.reason);
    }
  };
  one('State', status.state);
  if (status.lastState?.terminated) one('Last State', status.lastState);
  doc.field(2, 'Ready', titleBool(status.ready));
  doc.field(2, 'Restart Count', status.restartCount);
}

export function describeResources(doc: Doc, resources: R<ResourceRequirements> | undefined, level: number): void {
  for (const [title, list] of [
    ['Limits', resources?.limits],
    ['Requests', resources?.requests],
  ] as const) {
    const names = Object.keys(list ?? {}).sort();
    if (names.length > 0) doc.line(level, `${title}:`);
    for (const name of names) doc.field(level + 1, name, quantityText(list![name]));
  }
}

function probeText(probe: R<Probe>): string {
  const attributes = `delay=${probe.initialDelaySeconds ?? 0}s timeout=${probe.timeoutSeconds ?? 0}s period=${probe.periodSeconds ?? 0}s #success=${probe.successThreshold ?? 0} #failure=${probe.failureThreshold ?? 0}`;
  if (probe.exec) return `exec [${(probe.exec.command ?? []).join(' ')}] ${attributes}`;
  if (probe.httpGet) return `http-get ${(probe.httpGet.scheme ?? '').toLowerCase()}://${probe.httpGet.host ?? ''}:${probe.httpGet.port}${probe.httpGet.path ?? ''} ${attributes}`;
  if (probe.tcpSocket) return `tcp-socket ${probe.tcpSocket.host ?? ''}:${probe.tcpSocket.port} ${attributes}`;
  if (probe.grpc) return `grpc <pod>:${probe.grpc.port} ${probe.grpc.service ?? ''} ${attributes}`;
  return `unknown ${attributes}`;
}

function describeEnvironment(doc: Doc, container: R<Container>, pod: R<Pod> | undefined): void {
  if (container.envFrom?.length) {
    doc.line(2, 'Environment Variables from:');
    for (const source of container.envFrom) {
      const [kind, reference] = source.configMapRef ? ['ConfigMap', source.configMapRef] : ['Secret', source.secretRef];
      doc.line(3, `${reference?.name ?? ''}\t${kind}${source.prefix ? ` with prefix '${source.prefix}'` : ''}\tOptional: ${reference?.optional ?? false}`);
    }
  }
  doc.line(2, `Environment:${container.env?.length ? '' : '\t<none>'}`);
  for (const variable of container.env ?? []) {
    const from = variable.valueFrom;
    if (!from) {
      (variable.value ?? '').split('\n').forEach((part, i) => doc.line(3, i === 0 ? `${variable.name}:\t${part}` : `\t${part}`));
    } else if (from.fieldRef) doc.line(3, `${variable.name}:\t${pod ? fieldValue(variable, pod) : ''} (${from.fieldRef.apiVersion ?? 'v1'}:${from.fieldRef.fieldPath})`);
    else if (from.resourceFieldRef) {
      const { resource, divisor } = from.resourceFieldRef;
      const value = resourceValue(container, resource, divisor);
      doc.line(3, `${variable.name}:\t${value === '0' && resource.startsWith('limits.') ? 'node allocatable' : value} (${resource})`);
    } else if (from.secretKeyRef) doc.line(3, `${variable.name}:\t<set to the key '${from.secretKeyRef.key}' in secret '${from.secretKeyRef.name}'>\tOptional: ${from.secretKeyRef.optional ?? false}`);
    else if (from.configMapKeyRef) doc.line(3, `${variable.name}:\t<set to the key '${from.configMapKeyRef.key}' of config map '${from.configMapKeyRef.name}'>\tOptional: ${from.configMapKeyRef.optional ?? false}`);
  }
}

function fieldValue(variable: R<EnvVar>, pod: R<Pod>): string {
  const path = variable.valueFrom?.fieldRef?.fieldPath ?? '';
  const keyed = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (keyed) return pod.metadata[keyed[1] as 'labels' | 'annotations']?.[keyed[2]!] ?? '';
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name ?? '';
    case 'metadata.namespace':
      return pod.metadata.namespace ?? '';
    case 'metadata.uid':
      return pod.metadata.uid ?? '';
    case 'spec.nodeName':
      return pod.spec?.nodeName ?? '';
    case 'spec.serviceAccountName':
      return pod.spec?.serviceAccountName ?? '';
    case 'status.hostIP':
      return pod.status?.hostIP ?? '';
    case 'status.podIP':
      return pod.status?.podIP ?? '';
    case 'status.podIPs':
      return (pod.status?.podIPs ?? []).map((entry) => entry.ip).join(',');
    default:
      return '';
  }
}

/** resourcehelper.ExtractContainerResourceValue: rounded up in units of the divisor. */
function resourceValue(container: R<Container>, resource: string, divisor: string | undefined): string {
  const [list, name] = resource.split('.') as [string, string];
  const value = (list === 'limits' ? container.resources?.limits : container.resources?.requests)?.[name];
  if (value === undefined) return '0';
  const unit = divisor && divisor !== '0' ? parseQuantity(divisor).nano : 1_000_000_000n;
  const { nano } = parseQuantity(value);
  return String((nano + unit - 1n) / unit);
}

export function describeVolumes(doc: Doc, volumes: readonly R<Volume>[] | undefined, space: string): void {
  if (!volumes?.length) {
    doc.line(0, `${space}Volumes:\t<none>`);
    return;
  }
  doc.line(0, `${space}Volumes:`);
  for (const volume of volumes) {
    doc.line(1, `${space ? ' ' : ''}${volume.name}:`);
    describeVolumeSource(doc, volume);
  }
}

function describeVolumeSource(doc: Doc, volume: R<Volume>): void {
  const fields = (type: string, rows: readonly (readonly [string, string | number | boolean | undefined])[]) => {
    doc.field(2, 'Type', type);
    for (const [name, value] of rows) doc.line(0, `    ${name}:\t${value ?? ''}`);
  };
  if (volume.hostPath)
    fields('HostPath (bare host directory volume)', [
      ['Path', volume.hostPath.path],
      ['HostPathType', volume.hostPath.type ?? '<none>'],
    ]);
  else if (volume.emptyDir)
    fields("EmptyDir (a temporary directory that shares a pod's lifetime)", [
      ['Medium', volume.emptyDir.medium],
      ['SizeLimit', volume.emptyDir.sizeLimit && wholeValue(volume.emptyDir.sizeLimit) > 0 ? quantityText(volume.emptyDir.sizeLimit) : '<unset>'],
    ]);
  else if (volume.secret)
    fields('Secret (a volume populated by a Secret)', [
      ['SecretName', volume.secret.secretName],
      ['Optional', volume.secret.optional ?? false],
    ]);
  else if (volume.configMap)
    fields('ConfigMap (a volume populated by a ConfigMap)', [
      ['Name', volume.configMap.name],
      ['Optional', volume.configMap.optional ?? false],
    ]);
  else if (volume.nfs)
    fields('NFS (an NFS mount that lasts the lifetime of a pod)', [
      ['Server', volume.nfs.server],
      ['Path', volume.nfs.path],
      ['ReadOnly', volume.nfs.readOnly ?? false],
    ]);
  else if (volume.persistentVolumeClaim)
    fields('PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)', [
      ['ClaimName', volume.persistentVolumeClaim.claimName],
      ['ReadOnly', volume.persistentVolumeClaim.readOnly ?? false],
    ]);
  else if (volume.downwardAPI) {
    doc.line(2, 'Type:\tDownwardAPI (a volume populated by information about the pod)\n    Items:');
    for (const item of volume.downwardAPI.items ?? []) {
      if (item.fieldRef) doc.line(3, `${item.fieldRef.fieldPath} -> ${item.path}`);
      if (item.resourceFieldRef) doc.line(3, `${item.resourceFieldRef.resource} -> ${item.path}`);
    }
  } else if (volume.projected) {
    doc.field(2, 'Type', 'Projected (a volume that contains injected data from multiple sources)');
    for (const source of volume.projected.sources ?? []) {
      if (source.secret) doc.line(2, `SecretName:\t${source.secret.name ?? ''}\n    Optional:\t${source.secret.optional ?? false}`);
      else if (source.downwardAPI) doc.line(2, 'DownwardAPI:\ttrue');
      else if (source.configMap) doc.line(2, `ConfigMapName:\t${source.configMap.name ?? ''}\n    Optional:\t${source.configMap.optional ?? false}`);
      else if (source.serviceAccountToken) doc.line(2, `TokenExpirationSeconds:\t${source.serviceAccountToken.expirationSeconds ?? ''}`);
      else if (source.clusterTrustBundle) doc.line(2, `ClusterTrustBundle:\t${source.clusterTrustBundle.name ?? ''}`);
    }
  } else if (volume.csi)
    fields('CSI (a Container Storage Interface (CSI) volume source)', [
      ['Driver', volume.csi.driver],
      ['FSType', volume.csi.fsType],
      ['ReadOnly', volume.csi.readOnly ?? false],
    ]);
  else doc.line(1, '<unknown>');
}

export function describeSpread(doc: Doc, constraints: readonly R<TopologySpreadConstraint>[] | undefined, space: string): void {
  if (!constraints?.length) return;
  doc.write(0, `${space}Topology Spread Constraints:\t`);
  [...constraints]
    .sort((a, b) => (a.topologyKey < b.topologyKey ? -1 : 1))
    .forEach((constraint, i) => {
      if (i > 0) doc.write(0, `${space}\t`);
      doc.line(0, `${constraint.topologyKey}:${constraint.whenUnsatisfiable} when max skew ${constraint.maxSkew} is exceeded${constraint.labelSelector ? ` for selector ${formatLabelSelector(constraint.labelSelector)}` : ''}`);
    });
}

export function describeTolerations(doc: Doc, title: string, tolerations: readonly R<Toleration>[] | undefined): void {
  doc.write(0, `${title}:\t`);
  if (!tolerations?.length) {
    doc.line(0, '<none>');
    return;
  }
  [...tolerations]
    .sort((a, b) => ((a.key ?? '') < (b.key ?? '') ? -1 : (a.key ?? '') > (b.key ?? '') ? 1 : 0))
    .forEach((toleration, i) => {
      let text = toleration.key ?? '';
      if (toleration.value) text += `=${toleration.value}`;
      if (toleration.effect) text += `:${toleration.effect}`;
      if (toleration.operator === 'Exists' && !toleration.value) text += toleration.key || toleration.effect ? ' op=Exists' : 'op=Exists';
      if (toleration.tolerationSeconds !== undefined) text += ` for ${toleration.tolerationSeconds}s`;
      doc.line(0, `${i > 0 ? '\t' : ''}${text}`);
    });
}

/** What a pod asks for in all: the larger of its containers' sum and of any init container; sidecars count throughout (resourcehelper.PodRequests). */
export function podResources(pod: R<Pod>, which: 'requests' | 'limits'): { readonly cpu: number; readonly memory: number; readonly storage: number } {
  const of = (container: R<Container>) => {
    const list = container.resources?.[which];
    return { cpu: milliValue(list?.['cpu']), memory: wholeValue(list?.['memory']), storage: wholeValue(list?.['ephemeral-storage']) };
  };
  type Amounts = ReturnType<typeof of>;
  const add = (a: Amounts, b: Amounts): Amounts => ({ cpu: a.cpu + b.cpu, memory: a.memory + b.memory, storage: a.storage + b.storage });
  const max = (a: Amounts, b: Amounts): Amounts => ({ cpu: Math.max(a.cpu, b.cpu), memory: Math.max(a.memory, b.memory), storage: Math.max(a.storage, b.storage) });
  const none: Amounts = { cpu: 0, memory: 0, storage: 0 };
  let total = (pod.spec?.containers ?? []).map(of).reduce(add, none);
  let sidecars = none;
  let init = none;
  for (const container of pod.spec?.initContainers ?? []) {
    if (container.restartPolicy === 'Always') {
      sidecars = add(sidecars, of(container));
      init = max(init, sidecars);
    } else init = max(init, add(sidecars, of(container)));
  }
  total = max(add(total, sidecars), init);
  const overhead = pod.spec?.overhead;
  return overhead ? add(total, { cpu: milliValue(overhead['cpu']), memory: wholeValue(overhead['memory']), storage: 0 }) : total;
}
export { quantityText };
