/** Containers, in pods with what became of them, in templates without. */
import { canonicalQuantity, milliValue, wholeValue } from '../../api/quantity.ts';
import type {
  Container,
  ContainerPort,
  ContainerState,
  ContainerStatus,
  EnvVar,
  Pod,
  Probe,
  ResourceFieldSelector,
  ResourceRequirements,
} from '../../api/types.gen.ts';
import { goPrint, goQuote } from '../gostring.ts';
import { longTime, type Sheet, sortedKeys, yesNo } from './sheet.ts';

/** `inTemplate` indents by one more, as templates are; `pod` gives values to field references. */
export function writeContainers(
  sheet: Sheet,
  label: string,
  containers: readonly Container[],
  { statuses = [], pod, inTemplate = false }: { readonly statuses?: readonly ContainerStatus[] | undefined; readonly pod?: Pod; readonly inTemplate?: boolean },
): void {
  sheet.line(0, `${inTemplate ? '  ' : ''}${label}:${containers.length === 0 ? ' <none>' : ''}`);
  for (const container of containers) {
    const status = statuses.find(({ name }) => name === container.name);
    writeBasics(sheet, container, status, inTemplate);
    writeCommand(sheet, 'Command', container.command);
    writeCommand(sheet, 'Args', container.args);
    if (status) writeStatus(sheet, status);
    writeResources(sheet, container.resources);
    if (container.livenessProbe) sheet.line(2, 'Liveness:', probeText(container.livenessProbe));
    if (container.readinessProbe) sheet.line(2, 'Readiness:', probeText(container.readinessProbe));
    if (container.startupProbe) sheet.line(2, 'Startup:', probeText(container.startupProbe));
    writeEnvFrom(sheet, container);
    writeEnv(sheet, container, pod);
    writeMounts(sheet, container);
  }
}

function writeBasics(sheet: Sheet, container: Container, status: ContainerStatus | undefined, inTemplate: boolean): void {
  sheet.line(1, `${inTemplate ? ' ' : ''}${container.name}:`);
  if (status) sheet.line(2, 'Container ID:', status.containerID ?? '');
  sheet.line(2, 'Image:', container.image ?? '');
  if (status) sheet.line(2, 'Image ID:', status.imageID ?? '');
  const ports = container.ports ?? [];
  const plural = ports.length > 1 ? 'Ports' : 'Port';
  sheet.line(
    2,
    `${plural}:`,
    portsText(ports, (port) => port.containerPort),
  );
  sheet.line(
    2,
    `Host ${plural}:`,
    portsText(ports, (port) => port.hostPort ?? 0),
  );
  const seccomp = container.securityContext?.seccompProfile;
  if (seccomp) {
    sheet.line(2, 'SeccompProfile:', seccomp.type);
    if (seccomp.type === 'Localhost') sheet.line(3, 'LocalhostProfile:', seccomp.localhostProfile ?? '');
  }
}

const portsText = (ports: readonly ContainerPort[], number: (port: ContainerPort) => number): string =>
  ports.map((port) => `${number(port)}/${port.protocol ?? ''}`).join(', ') || '<none>';

function writeCommand(sheet: Sheet, title: string, words: readonly string[] = []): void {
  if (words.length > 0) sheet.line(2, `${title}:`);
  for (const word of words) for (const line of word.split('\n')) sheet.line(3, line);
}

export function writeResources(sheet: Sheet, resources: ResourceRequirements | undefined, level = 2): void {
  for (const [title, list] of [
    ['Limits', resources?.limits],
    ['Requests', resources?.requests],
  ] as const) {
    const names = sortedKeys(list);
    if (names.length > 0) sheet.line(level, `${title}:`);
    for (const name of names) sheet.line(level + 1, `${name}:`, canonicalQuantity(list?.[name] ?? '0'));
  }
}

function writeStatus(sheet: Sheet, status: ContainerStatus): void {
  writeState(sheet, 'State', status.state ?? {});
  if (status.lastState?.terminated) writeState(sheet, 'Last State', status.lastState);
  sheet.line(2, 'Ready:', yesNo(status.ready));
  sheet.line(2, 'Restart Count:', String(status.restartCount ?? 0));
}

function writeState(sheet: Sheet, title: string, { running, waiting, terminated }: ContainerState): void {
  if (running) {
    sheet.line(2, `${title}:`, 'Running');
    sheet.line(3, 'Started:', longTime(running.startedAt));
  } else if (!waiting && terminated) {
    sheet.line(2, `${title}:`, 'Terminated');
    if (terminated.reason) sheet.line(3, 'Reason:', terminated.reason);
    if (terminated.message) sheet.line(3, 'Message:', terminated.message);
    sheet.line(3, 'Exit Code:', String(terminated.exitCode ?? 0));
    if ((terminated.signal ?? 0) > 0) sheet.line(3, 'Signal:', String(terminated.signal));
    sheet.line(3, 'Started:', longTime(terminated.startedAt));
    sheet.line(3, 'Finished:', longTime(terminated.finishedAt));
  } else {
    sheet.line(2, `${title}:`, 'Waiting');
    if (waiting?.reason) sheet.line(3, 'Reason:', waiting.reason);
  }
}

function probeText(probe: Probe): string {
  const numbers = `delay=${probe.initialDelaySeconds ?? 0}s timeout=${probe.timeoutSeconds ?? 0}s period=${probe.periodSeconds ?? 0}s #success=${probe.successThreshold ?? 0} #failure=${probe.failureThreshold ?? 0}`;
  if (probe.exec) return `exec ${goPrint(probe.exec.command ?? [])} ${numbers}`;
  if (probe.httpGet) {
    const { scheme = '', host = '', port, path = '' } = probe.httpGet;
    return `http-get ${scheme ? `${scheme.toLowerCase()}:` : ''}//${host.includes(':') ? `[${host}]` : host}:${port}${urlPath(path)} ${numbers}`;
  }
  if (probe.tcpSocket) return `tcp-socket ${probe.tcpSocket.host ?? ''}:${probe.tcpSocket.port} ${numbers}`;
  if (probe.grpc) return `grpc <pod>:${probe.grpc.port} ${probe.grpc.service ?? ''} ${numbers}`;
  return `unknown ${numbers}`;
}

/** net/url's escaping of a path; a question mark is part of it. Here simplified: characters beyond ASCII stay as they are. */
const urlPath = (path: string): string =>
  (path && !path.startsWith('/') ? '/' : '') +
  path.replace(/[^\w\-.~$&+,/:;=@\u0080-\uffff]/g, (ch) => `%${ch.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);

function writeEnvFrom(sheet: Sheet, container: Container): void {
  if (!container.envFrom?.length) return;
  sheet.line(2, 'Environment Variables from:');
  for (const { configMapRef, secretRef, prefix } of container.envFrom) {
    const source = configMapRef ?? secretRef;
    const from = configMapRef ? 'ConfigMap' : secretRef ? 'Secret' : '';
    sheet.line(3, source?.name ?? '', prefix ? `${from} with prefix '${prefix}'` : from, `Optional: ${source?.optional ?? false}`);
  }
}

function writeEnv(sheet: Sheet, container: Container, pod: Pod | undefined): void {
  const env = container.env ?? [];
  if (env.length === 0) sheet.line(2, 'Environment:', '<none>');
  else sheet.line(2, 'Environment:');
  for (const variable of env) {
    if (variable.valueFrom) writeReference(sheet, variable.name, variable.valueFrom, container, pod);
    else
      (variable.value ?? '').split('\n').forEach((line, i) => {
        sheet.line(3, i === 0 ? `${variable.name}:` : '', line);
      });
  }
}

function writeReference(
  sheet: Sheet,
  name: string,
  { fieldRef, resourceFieldRef, secretKeyRef, configMapKeyRef }: NonNullable<EnvVar['valueFrom']>,
  container: Container,
  pod: Pod | undefined,
): void {
  if (fieldRef) sheet.line(3, `${name}:`, `${fieldValue(fieldRef.fieldPath, pod)} (${fieldRef.apiVersion ?? ''}:${fieldRef.fieldPath})`);
  else if (resourceFieldRef) sheet.line(3, `${name}:`, `${resourceValue(resourceFieldRef, container)} (${resourceFieldRef.resource})`);
  else if (secretKeyRef)
    sheet.line(3, `${name}:`, `<set to the key '${secretKeyRef.key}' in secret '${secretKeyRef.name ?? ''}'>`, `Optional: ${secretKeyRef.optional ?? false}`);
  else if (configMapKeyRef)
    sheet.line(
      3,
      `${name}:`,
      `<set to the key '${configMapKeyRef.key}' of config map '${configMapKeyRef.name ?? ''}'>`,
      `Optional: ${configMapKeyRef.optional ?? false}`,
    );
}

/** kubectl knows only the two field labels every kind has; the other values stay empty. */
const fieldValue = (path: string, pod: Pod | undefined): string =>
  path === 'metadata.name' ? (pod?.metadata.name ?? '') : path === 'metadata.namespace' ? (pod?.metadata.namespace ?? '') : '';

function resourceValue({ resource, divisor }: ResourceFieldSelector, { resources }: Container): string {
  const [side = '', name = ''] = resource.split('.');
  const list = side === 'limits' ? resources?.limits : resources?.requests;
  const cpu = name === 'cpu';
  if (!cpu && name !== 'memory' && name !== 'ephemeral-storage') return '';
  const unit = divisor === undefined || milliValue(divisor) === 0 ? '1' : divisor;
  const value = cpu ? Math.ceil(milliValue(list?.[name]) / milliValue(unit)) : Math.ceil(wholeValue(list?.[name]) / wholeValue(unit));
  return value === 0 && side === 'limits' && name !== 'ephemeral-storage' ? 'node allocatable' : String(value);
}

function writeMounts(sheet: Sheet, container: Container): void {
  const mounts = [...(container.volumeMounts ?? [])].sort((a, b) => (a.mountPath < b.mountPath ? -1 : a.mountPath > b.mountPath ? 1 : 0));
  if (mounts.length === 0) sheet.line(2, 'Mounts:', '<none>');
  else sheet.line(2, 'Mounts:');
  for (const mount of mounts) {
    const flags = `${mount.readOnly ? 'ro' : 'rw'}${mount.subPath ? `,path=${goQuote(mount.subPath)}` : ''}`;
    sheet.line(3, `${mount.mountPath} from ${mount.name} (${flags})`);
  }
  const devices = [...(container.volumeDevices ?? [])].sort((a, b) => (a.devicePath < b.devicePath ? -1 : 1));
  if (devices.length === 0) return;
  if (mounts.length === 0) sheet.line(2, 'Devices:', '<none>');
  else sheet.line(2, 'Devices:');
  for (const device of devices) sheet.line(3, `${device.devicePath} from ${device.name}`);
}
