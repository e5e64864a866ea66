/** Containers of a pod: validateContainers and what it calls, pkg/apis/core/validation/validation.go. */
import { configMapKeyErrors, dns1123LabelErrors, envVarNameErrors, portNameErrors, portNumberErrors, qualifiedNameErrors } from '../../api/names.ts';
import { compareQuantities, parseQuantity } from '../../api/quantity.ts';
import type { Container, EnvVar, HTTPGetAction, LifecycleHandler, Probe, ResourceRequirements, SecurityContext } from '../../api/types.gen.ts';
import { duplicate, type Errors, each, forbidden, invalid, NOT_NEGATIVE, notFound, notNegative, notSupported, oneOf, required } from './field.ts';

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const MESSAGE_POLICIES = ['FallbackToLogsOnError', 'File'];
const STANDARD_RESOURCES = new Set(['cpu', 'memory', 'ephemeral-storage']);
const ENV_FIELDS = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
const NANO = 1_000_000_000n;

export interface ContainerContext {
  readonly volumes: ReadonlySet<string>;
  readonly hostNetwork: boolean;
}

/** What holds for containers of every sort. */
export function validateContainer(errors: Errors, container: Container, path: string, context: ContainerContext): void {
  if (!container.name) errors.push(required(`${path}.name`));
  else each(errors, `${path}.name`, container.name, dns1123LabelErrors(container.name));
  if (!container.image) errors.push(required(`${path}.image`));
  else if (container.image.trim() !== container.image) errors.push(invalid(`${path}.image`, container.image, 'must not have leading or trailing whitespace'));
  if (!container.terminationMessagePolicy) errors.push(required(`${path}.terminationMessagePolicy`));
  else if (!MESSAGE_POLICIES.includes(container.terminationMessagePolicy)) {
    errors.push(notSupported(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, ['File', 'FallbackToLogsOnError']));
  }
  if (container.ports) validatePorts(errors, container, path, context);
  if (container.env) validateEnv(errors, container.env, `${path}.env`);
  for (const [i, source] of (container.envFrom ?? []).entries()) {
    const at = `${path}.envFrom[${i}]`;
    const given = (source.configMapRef ? 1 : 0) + (source.secretRef ? 1 : 0);
    if (given === 0) errors.push(invalid(at, '', 'must specify one of: `configMapRef` or `secretRef`'));
    else if (given > 1) errors.push(invalid(at, '', 'may not have more than one field specified at a time'));
    if (source.configMapRef && !source.configMapRef.name) errors.push(required(`${at}.configMapRef.name`));
    if (source.secretRef && !source.secretRef.name) errors.push(required(`${at}.secretRef.name`));
  }
  if (container.volumeMounts) validateMounts(errors, container, path, context);
  oneOf(errors, `${path}.imagePullPolicy`, container.imagePullPolicy, PULL_POLICIES);
  if (container.resources) validateResources(errors, container.resources, `${path}.resources`);
  if (container.securityContext) validateSecurityContext(errors, container.securityContext, `${path}.securityContext`);
}

/** Lifecycle and probes, which only containers that stay may have. */
export function validateRunning(errors: Errors, container: Container, path: string): void {
  if (container.lifecycle?.postStart) validateHandler(errors, container.lifecycle.postStart, `${path}.lifecycle.postStart`);
  if (container.lifecycle?.preStop) validateHandler(errors, container.lifecycle.preStop, `${path}.lifecycle.preStop`);
  if (container.livenessProbe) validateProbe(errors, container.livenessProbe, `${path}.livenessProbe`, true);
  if (container.readinessProbe) {
    validateProbe(errors, container.readinessProbe, `${path}.readinessProbe`, false);
    if (container.readinessProbe.terminationGracePeriodSeconds !== undefined) {
      errors.push(
        invalid(
          `${path}.readinessProbe.terminationGracePeriodSeconds`,
          container.readinessProbe.terminationGracePeriodSeconds,
          'must not be set for readinessProbes',
        ),
      );
    }
  }
  if (container.startupProbe) validateProbe(errors, container.startupProbe, `${path}.startupProbe`, true);
}

function validatePorts(errors: Errors, container: Container, path: string, context: ContainerContext): void {
  const names = new Set<string>();
  for (const [i, port] of (container.ports ?? []).entries()) {
    const at = `${path}.ports[${i}]`;
    if (port.name) {
      const reasons = portNameErrors(port.name);
      if (reasons.length > 0) each(errors, `${at}.name`, port.name, reasons);
      else if (names.has(port.name)) errors.push(duplicate(`${at}.name`, port.name));
      else names.add(port.name);
    }
    if (!port.containerPort) errors.push(required(`${at}.containerPort`));
    else for (const reason of portNumberErrors(port.containerPort)) errors.push(invalid(`${at}.containerPort`, port.containerPort, reason));
    if (port.hostPort) {
      for (const reason of portNumberErrors(port.hostPort)) errors.push(invalid(`${at}.hostPort`, port.hostPort, reason));
      if (context.hostNetwork && port.hostPort !== port.containerPort)
        errors.push(invalid(`${at}.containerPort`, port.containerPort, 'must match `hostPort` when `hostNetwork` is true'));
    }
    oneOf(errors, `${at}.protocol`, port.protocol, PROTOCOLS);
  }
}

export function validateEnv(errors: Errors, env: readonly EnvVar[], path: string): void {
  for (let i = 0; i < env.length; i += 1) {
    const item = env[i] as EnvVar;
    const at = `${path}[${i}]`;
    if (!item.name) errors.push(required(`${at}.name`));
    else each(errors, `${at}.name`, item.name, envVarNameErrors(item.name));
    const source = item.valueFrom;
    if (!source) continue;
    const from = `${at}.valueFrom`;
    const given = [source.fieldRef, source.resourceFieldRef, source.configMapKeyRef, source.secretKeyRef].filter((s) => s !== undefined).length;
    if (given === 0) errors.push(invalid(from, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`'));
    else if (item.value) errors.push(invalid(from, '', 'may not be specified when `value` is not empty'));
    if (given > 1) errors.push(invalid(from, '', 'may not have more than one field specified at a time'));
    if (source.fieldRef) {
      const field = source.fieldRef.fieldPath;
      if (!field) errors.push(required(`${from}.fieldRef.fieldPath`));
      else if (!ENV_FIELDS.includes(field.replace(/\['.*'\]$/, ''))) errors.push(notSupported(`${from}.fieldRef.fieldPath`, field, ENV_FIELDS.slice(2)));
    }
    if (source.resourceFieldRef && !source.resourceFieldRef.resource) errors.push(required(`${from}.resourceFieldRef.resource`));
    for (const kind of ['configMapKeyRef', 'secretKeyRef'] as const) {
      const ref = source[kind];
      if (!ref) continue;
      if (!ref.name) errors.push(required(`${from}.${kind}.name`));
      if (!ref.key) errors.push(required(`${from}.${kind}.key`));
      else each(errors, `${from}.${kind}.key`, ref.key, configMapKeyErrors(ref.key));
    }
  }
}

function validateMounts(errors: Errors, container: Container, path: string, context: ContainerContext): void {
  const points = new Set<string>();
  for (const [i, mount] of (container.volumeMounts ?? []).entries()) {
    const at = `${path}.volumeMounts[${i}]`;
    if (!mount.name) errors.push(required(`${at}.name`));
    if (!context.volumes.has(mount.name)) errors.push(notFound(`${at}.name`, mount.name));
    if (!mount.mountPath) errors.push(required(`${at}.mountPath`));
    if (points.has(mount.mountPath)) errors.push(invalid(`${at}.mountPath`, mount.mountPath, 'must be unique'));
    points.add(mount.mountPath);
    if (mount.subPath) {
      if (mount.subPathExpr) errors.push(invalid(`${at}.subPathExpr`, mount.subPathExpr, 'subPathExpr and subPath are mutually exclusive'));
      if (mount.subPath.startsWith('/')) errors.push(invalid(`${at}.subPath`, mount.subPath, 'must be a relative path'));
      if (mount.subPath.split('/').includes('..')) errors.push(invalid(`${at}.subPath`, mount.subPath, "must not contain '..'"));
    }
  }
}

/** Resources of a container: names known, amounts sensible, no request above its limit. */
export function validateResources(errors: Errors, resources: ResourceRequirements, path: string): void {
  const { limits = {}, requests = {} } = resources;
  for (const name in limits) validateResource(errors, name, limits[name] as string, `${path}.limits`);
  for (const name in requests) {
    const request = requests[name] as string;
    validateResource(errors, name, request, `${path}.requests`);
    const limit = limits[name];
    if (limit !== undefined) {
      if (!overcommits(name)) {
        if (compareQuantities(request, limit) !== 0) errors.push(invalid(`${path}.requests`, request, `must be equal to ${name} limit of ${limit}`));
      } else if (compareQuantities(request, limit) > 0)
        errors.push(invalid(`${path}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`));
    } else if (!overcommits(name)) errors.push(required(`${path}.limits`, 'Limit must be set for non overcommitable resources'));
  }
}

/** Extended resources and huge pages are given whole: what is asked for is what is had. */
const overcommits = (name: string): boolean => STANDARD_RESOURCES.has(name) || (!name.includes('/') && !name.startsWith('hugepages-'));

function validateResource(errors: Errors, name: string, amount: string, path: string): void {
  if (!STANDARD_RESOURCES.has(name)) {
    const reasons = qualifiedNameErrors(name);
    each(errors, path, name, reasons);
    if (reasons.length === 0 && !name.includes('/') && !name.startsWith('hugepages-')) {
      errors.push(invalid(`${path}[${name}]`, name, 'must be a standard resource type or fully qualified'));
      errors.push(invalid(`${path}[${name}]`, name, 'must be a standard resource for containers'));
    }
  }
  const { nano } = parseQuantity(amount);
  if (nano < 0n) errors.push(invalid(`${path}[${name}]`, amount, NOT_NEGATIVE));
  if (name.includes('/') && nano % NANO !== 0n) errors.push(invalid(`${path}[${name}]`, amount, 'must be an integer'));
}

function validateProbe(errors: Errors, probe: Probe, path: string, once: boolean): void {
  validateHandler(errors, probe, path);
  for (const field of ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const)
    notNegative(errors, `${path}.${field}`, probe[field]);
  if (probe.terminationGracePeriodSeconds !== undefined && probe.terminationGracePeriodSeconds <= 0) {
    errors.push(invalid(`${path}.terminationGracePeriodSeconds`, probe.terminationGracePeriodSeconds, 'must be greater than 0'));
  }
  if (once && probe.successThreshold !== undefined && probe.successThreshold !== 1)
    errors.push(invalid(`${path}.successThreshold`, probe.successThreshold, 'must be 1'));
}

/** An action of a probe or a hook: exactly one. */
function validateHandler(errors: Errors, handler: LifecycleHandler & { readonly grpc?: { readonly port: number } }, path: string): void {
  let given = 0;
  const one = (at: string): boolean => {
    given += 1;
    if (given > 1) errors.push(forbidden(at, 'may not specify more than 1 handler type'));
    return given === 1;
  };
  if (handler.exec && one(`${path}.exec`) && !handler.exec.command?.length) errors.push(required(`${path}.exec.command`));
  if (handler.httpGet && one(`${path}.httpGet`)) validateHttpGet(errors, handler.httpGet, `${path}.httpGet`);
  if (handler.tcpSocket && one(`${path}.tcpSocket`)) validatePort(errors, handler.tcpSocket.port, `${path}.tcpSocket.port`);
  if (handler.grpc && one(`${path}.grpc`)) validatePort(errors, handler.grpc.port, `${path}.grpc.port`);
  if (handler.sleep && one(`${path}.sleep`) && handler.sleep.seconds < 0) errors.push(invalid(`${path}.sleep`, handler.sleep.seconds, 'must be non-negative'));
  if (given === 0) errors.push(required(path, 'must specify a handler type'));
}

function validateHttpGet(errors: Errors, action: HTTPGetAction, path: string): void {
  if (!action.path) errors.push(required(`${path}.path`));
  validatePort(errors, action.port, `${path}.port`);
  if (action.scheme !== 'HTTP' && action.scheme !== 'HTTPS') errors.push(notSupported(`${path}.scheme`, action.scheme ?? '', ['HTTP', 'HTTPS']));
  for (const header of action.httpHeaders ?? []) {
    if (!/^[-A-Za-z0-9]+$/.test(header.name)) {
      errors.push(
        invalid(
          `${path}.httpHeaders`,
          header.name,
          "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
        ),
      );
    }
  }
}

/** A port's number or name (ValidatePortNumOrName). */
export function validatePort(errors: Errors, port: number | string | undefined, path: string): void {
  if (typeof port === 'string') each(errors, path, port, portNameErrors(port));
  else for (const reason of portNumberErrors(port ?? 0)) errors.push(invalid(path, port ?? 0, reason));
}

function validateSecurityContext(errors: Errors, context: SecurityContext, path: string): void {
  for (const field of ['runAsUser', 'runAsGroup'] as const) {
    const id = context[field];
    if (id !== undefined && (id < 0 || id > 2_147_483_647)) errors.push(invalid(`${path}.${field}`, id, 'must be between 0 and 2147483647, inclusive'));
  }
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged) errors.push(invalid(path, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'));
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN'))
      errors.push(invalid(path, context, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'));
  }
}
