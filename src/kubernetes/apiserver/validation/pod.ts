/** Pods and pod templates: ValidatePodSpec, ValidatePodUpdate (pkg/apis/core/validation/validation.go). */
import { dns1123LabelErrors, dns1123SubdomainErrors, labelValueErrors, qualifiedNameErrors } from '../../api/names.ts';
import type { Container, NodeAffinity, Pod, PodAffinityTerm, PodSpec, PodTemplateSpec, Toleration, Volume } from '../../api/types.gen.ts';
import { type ContainerContext, validateContainer, validateRunning } from './container.ts';
import { duplicate, type Errors, each, forbidden, invalid, notSupported, oneOf, required, sameJson } from './field.ts';
import { validateAnnotations, validateLabelSelector, validateLabels } from './metadata.ts';

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];
const DNS_POLICIES = ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'];
const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function validatePodTemplate(errors: Errors, template: PodTemplateSpec, path: string, whole = true): void {
  if (template.metadata?.labels) validateLabels(errors, template.metadata.labels, `${path}.labels`);
  if (template.metadata?.annotations) validateAnnotations(errors, template.metadata.annotations, `${path}.annotations`);
  if (!whole) return;
  validatePodSpec(errors, template.spec ?? { containers: [] }, `${path}.spec`);
  if (template.spec?.ephemeralContainers?.length)
    errors.push(forbidden(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'));
}

/** IsValidSysctlName: dots or slashes between its parts. */
const SYSCTL_TEXT = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';
const SYSCTL = new RegExp(SYSCTL_TEXT);

export function validatePodSpec(errors: Errors, spec: PodSpec, path: string): void {
  const volumes = new Set<string>();
  for (const [i, volume] of (spec.volumes ?? []).entries()) {
    const at = `${path}.volumes[${i}]`;
    const before = errors.length;
    validateVolumeSource(errors, volume, at);
    if (!volume.name) errors.push(required(`${at}.name`));
    else {
      each(errors, `${at}.name`, volume.name, dns1123LabelErrors(volume.name));
      if (volumes.has(volume.name)) errors.push(duplicate(`${at}.name`, volume.name));
    }
    // A mount of a volume that is wrong is not told a second time.
    if (volume.name && (errors.length === before || !volumes.has(volume.name))) volumes.add(volume.name);
  }

  const context: ContainerContext = { volumes, hostNetwork: spec.hostNetwork ?? false };
  const names = new Set<string>();
  if (!spec.containers?.length) errors.push(required(`${path}.containers`));
  validateContainers(errors, spec.containers ?? [], `${path}.containers`, context, names, false);
  if (spec.initContainers) validateContainers(errors, spec.initContainers, `${path}.initContainers`, context, names, true);
  for (const [i, container] of (spec.ephemeralContainers ?? []).entries()) {
    const at = `${path}.ephemeralContainers[${i}]`;
    validateContainer(errors, container as Container, at, context);
    if (names.has(container.name)) errors.push(duplicate(`${at}.name`, container.name));
    names.add(container.name);
    if (container.targetContainerName && !names.has(container.targetContainerName))
      errors.push({ type: 'FieldValueNotFound', field: `${at}.targetContainerName`, badValue: container.targetContainerName, detail: '' });
    for (const field of ['ports', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'] as const) {
      if (container[field] !== undefined) errors.push(forbidden(`${at}.${field}`, 'cannot be set for an Ephemeral Container'));
    }
  }

  oneOf(errors, `${path}.restartPolicy`, spec.restartPolicy, RESTART_POLICIES);
  oneOf(errors, `${path}.dnsPolicy`, spec.dnsPolicy, DNS_POLICIES);
  if (spec.nodeSelector) validateLabels(errors, spec.nodeSelector, `${path}.nodeSelector`);
  if (spec.securityContext) {
    for (const [i, { name }] of (spec.securityContext.sysctls ?? []).entries()) {
      const at = `${path}.securityContext.sysctls[${i}].name`;
      if (!name) errors.push(required(at));
      else if (name.length > 253 || !SYSCTL.test(name)) errors.push(invalid(at, name, `must have at most 253 characters and match regex ${SYSCTL_TEXT}`));
    }
    for (const field of ['runAsUser', 'runAsGroup', 'fsGroup'] as const) {
      const id = spec.securityContext[field];
      if (id !== undefined && (id < 0 || id > 2_147_483_647))
        errors.push(invalid(`${path}.securityContext.${field}`, id, 'must be between 0 and 2147483647, inclusive'));
    }
  }
  for (const [i, ref] of (spec.imagePullSecrets ?? []).entries()) if (!ref.name) errors.push(required(`${path}.imagePullSecrets[${i}].name`));
  if (spec.affinity) validateAffinity(errors, spec, `${path}.affinity`);
  if (spec.dnsPolicy === 'None' && !spec.dnsConfig?.nameservers?.length)
    errors.push(required(`${path}.dnsConfig.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'));
  for (const [i, gate] of (spec.schedulingGates ?? []).entries()) each(errors, `${path}.schedulingGates[${i}]`, gate.name, qualifiedNameErrors(gate.name));
  validateSpread(errors, spec, `${path}.topologySpreadConstraints`);
  if (spec.serviceAccountName) each(errors, `${path}.serviceAccountName`, spec.serviceAccountName, dns1123SubdomainErrors(spec.serviceAccountName));
  if (spec.nodeName) each(errors, `${path}.nodeName`, spec.nodeName, dns1123SubdomainErrors(spec.nodeName));
  if (spec.activeDeadlineSeconds !== undefined && (spec.activeDeadlineSeconds < 1 || spec.activeDeadlineSeconds > 2_147_483_647)) {
    errors.push(invalid(`${path}.activeDeadlineSeconds`, spec.activeDeadlineSeconds, 'must be between 1 and 2147483647, inclusive'));
  }
  if (spec.hostname) each(errors, `${path}.hostname`, spec.hostname, dns1123LabelErrors(spec.hostname));
  if (spec.subdomain) each(errors, `${path}.subdomain`, spec.subdomain, dns1123LabelErrors(spec.subdomain));
  if (spec.tolerations) validateTolerations(errors, spec.tolerations, `${path}.tolerations`);
  for (const [i, alias] of (spec.hostAliases ?? []).entries()) {
    for (const hostname of alias.hostnames ?? []) each(errors, `${path}.hostAliases[${i}].hostnames`, hostname, dns1123SubdomainErrors(hostname));
  }
  if (spec.priorityClassName) each(errors, `${path}.priorityClassName`, spec.priorityClassName, dns1123SubdomainErrors(spec.priorityClassName));
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== '')
    oneOf(errors, `${path}.preemptionPolicy`, spec.preemptionPolicy, ['Never', 'PreemptLowerPriority']);
  if (spec.terminationGracePeriodSeconds === undefined) errors.push(required(`${path}.terminationGracePeriodSeconds`));
}

function validateContainers(
  errors: Errors,
  containers: readonly Container[],
  path: string,
  context: ContainerContext,
  names: Set<string>,
  init: boolean,
): void {
  const hostPorts = new Set<string>();
  for (let i = 0; i < containers.length; i += 1) {
    const container = containers[i] as Container;
    const at = `${path}[${i}]`;
    validateContainer(errors, container, at, context);
    if (names.has(container.name)) errors.push(duplicate(`${at}.name`, container.name));
    else if (container.name) names.add(container.name);
    const sidecar = init && container.restartPolicy === 'Always';
    if (init && container.restartPolicy !== undefined && !sidecar) errors.push(notSupported(`${at}.restartPolicy`, container.restartPolicy, ['Always']));
    if (!init && container.restartPolicy !== undefined) errors.push(forbidden(`${at}.restartPolicy`, 'may not be set for non-init containers'));
    if (!init || sidecar) validateRunning(errors, container, at);
    else {
      for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
        if (container[field] !== undefined) errors.push(forbidden(`${at}.${field}`, 'may not be set for init containers without restartPolicy=Always'));
      }
    }
    for (const [j, port] of (container.ports ?? []).entries()) {
      if (!port.hostPort) continue;
      const key = `${port.protocol ?? 'TCP'}/${port.hostIP ?? ''}/${port.hostPort}`;
      if (hostPorts.has(key)) errors.push(duplicate(`${at}.ports[${j}].hostPort`, key));
      hostPorts.add(key);
    }
  }
}

function validateVolumeSource(errors: Errors, volume: Volume, path: string): void {
  const sources = Object.keys(volume).filter((key) => key !== 'name' && (volume as unknown as Record<string, unknown>)[key] !== undefined);
  if (sources.length === 0) errors.push(required(path, 'must specify a volume type'));
  for (const extra of sources.slice(1)) errors.push(forbidden(`${path}.${extra}`, 'may not specify more than 1 volume type'));
  if (volume.hostPath && !volume.hostPath.path) errors.push(required(`${path}.hostPath.path`));
  if (volume.secret && !volume.secret.secretName) errors.push(required(`${path}.secret.secretName`));
  if (volume.configMap && !volume.configMap.name) errors.push(required(`${path}.configMap.name`));
  if (volume.persistentVolumeClaim && !volume.persistentVolumeClaim.claimName) errors.push(required(`${path}.persistentVolumeClaim.claimName`));
  for (const kind of ['secret', 'configMap'] as const) {
    const mode = volume[kind]?.defaultMode;
    if (mode !== undefined && (mode < 0 || mode > 0o777)) {
      errors.push(invalid(`${path}.${kind}.defaultMode`, mode, 'must be a number between 0 and 0777 (octal), both inclusive'));
    }
    for (const [i, item] of (volume[kind]?.items ?? []).entries()) {
      if (!item.key) errors.push(required(`${path}.${kind}.items[${i}].key`));
      if (!item.path) errors.push(required(`${path}.${kind}.items[${i}].path`));
      else if (item.path.startsWith('/')) errors.push(invalid(`${path}.${kind}.items[${i}].path`, item.path, 'must be a relative path'));
    }
  }
}

function validateTolerations(errors: Errors, tolerations: readonly Toleration[], path: string): void {
  for (const [i, toleration] of tolerations.entries()) {
    const at = `${path}[${i}]`;
    if (toleration.key) each(errors, `${at}.key`, toleration.key, qualifiedNameErrors(toleration.key));
    else if (toleration.operator !== 'Exists') {
      errors.push(
        invalid(`${at}.operator`, toleration.operator ?? '', 'operator must be Exists when `key` is empty, which means "match all values and all keys"'),
      );
    }
    if (toleration.tolerationSeconds !== undefined && toleration.effect !== 'NoExecute') {
      errors.push(invalid(`${at}.effect`, toleration.effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    }
    switch (toleration.operator ?? '') {
      case '':
      case 'Equal':
        if (labelValueErrors(toleration.value ?? '').length > 0)
          errors.push(invalid(`${at}.operator`, toleration.value, labelValueErrors(toleration.value ?? '').join(';')));
        break;
      case 'Exists':
        if (toleration.value) errors.push(invalid(`${at}.operator`, toleration, "value must be empty when `operator` is 'Exists'"));
        break;
      default:
        errors.push(notSupported(`${at}.operator`, toleration.operator, ['Equal', 'Exists']));
    }
    if (toleration.effect && !TAINT_EFFECTS.includes(toleration.effect)) errors.push(notSupported(`${at}.effect`, toleration.effect, TAINT_EFFECTS));
  }
}

function validateSpread(errors: Errors, spec: PodSpec, path: string): void {
  const seen = new Set<string>();
  for (const [i, constraint] of (spec.topologySpreadConstraints ?? []).entries()) {
    const at = `${path}[${i}]`;
    if (!constraint.maxSkew || constraint.maxSkew <= 0) errors.push(invalid(`${at}.maxSkew`, constraint.maxSkew ?? 0, 'must be greater than zero'));
    if (!constraint.topologyKey) errors.push(required(`${at}.topologyKey`, 'can not be empty'));
    if (constraint.whenUnsatisfiable !== 'DoNotSchedule' && constraint.whenUnsatisfiable !== 'ScheduleAnyway') {
      errors.push(notSupported(`${at}.whenUnsatisfiable`, constraint.whenUnsatisfiable ?? '', ['DoNotSchedule', 'ScheduleAnyway']));
    }
    const pair = `{${constraint.topologyKey}, ${constraint.whenUnsatisfiable}}`;
    if (seen.has(pair)) errors.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, pair));
    seen.add(pair);
    if (constraint.minDomains !== undefined && constraint.minDomains <= 0)
      errors.push(invalid(`${at}.minDomains`, constraint.minDomains, 'must be greater than zero'));
    if (constraint.labelSelector) validateLabelSelector(errors, constraint.labelSelector, `${at}.labelSelector`);
  }
}

function validateAffinity(errors: Errors, spec: PodSpec, path: string): void {
  const { nodeAffinity, podAffinity, podAntiAffinity } = spec.affinity ?? {};
  if (nodeAffinity) validateNodeAffinity(errors, nodeAffinity, `${path}.nodeAffinity`);
  for (const [name, affinity] of [
    ['podAffinity', podAffinity],
    ['podAntiAffinity', podAntiAffinity],
  ] as const) {
    for (const [i, term] of (affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      validateAffinityTerm(errors, term, `${path}.${name}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`);
    }
    for (const [i, weighted] of (affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      const at = `${path}.${name}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
      if (weighted.weight <= 0 || weighted.weight > 100) errors.push(invalid(`${at}.weight`, weighted.weight, 'must be in the range 1-100'));
      validateAffinityTerm(errors, weighted.podAffinityTerm ?? { topologyKey: '' }, `${at}.podAffinityTerm`);
    }
  }
}

function validateAffinityTerm(errors: Errors, term: PodAffinityTerm, path: string): void {
  if (term.labelSelector) validateLabelSelector(errors, term.labelSelector, `${path}.labelSelector`);
  if (!term.topologyKey) errors.push(required(`${path}.topologyKey`, 'can not be empty'));
}

const NODE_OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'];

function validateNodeAffinity(errors: Errors, affinity: NodeAffinity, path: string): void {
  const wanted = affinity.requiredDuringSchedulingIgnoredDuringExecution;
  if (wanted) {
    const terms = `${path}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`;
    if (!wanted.nodeSelectorTerms?.length) errors.push(required(terms, 'must have at least one node selector term'));
    for (const [i, term] of (wanted.nodeSelectorTerms ?? []).entries()) {
      for (const [j, expression] of (term.matchExpressions ?? []).entries()) {
        const at = `${terms}[${i}].matchExpressions[${j}]`;
        const count = expression.values?.length ?? 0;
        if ((expression.operator === 'In' || expression.operator === 'NotIn') && count === 0)
          errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
        if ((expression.operator === 'Exists' || expression.operator === 'DoesNotExist') && count > 0) {
          errors.push(forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
        }
        if ((expression.operator === 'Gt' || expression.operator === 'Lt') && count !== 1)
          errors.push(required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
        if (!NODE_OPERATORS.includes(expression.operator)) errors.push(invalid(`${at}.operator`, expression.operator, 'not a valid selector operator'));
        each(errors, `${at}.key`, expression.key, qualifiedNameErrors(expression.key));
      }
    }
  }
  for (const [i, term] of (affinity.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
    if (term.weight <= 0 || term.weight > 100)
      errors.push(invalid(`${path}.preferredDuringSchedulingIgnoredDuringExecution[${i}].weight`, term.weight, 'must be in the range 1-100'));
  }
}

const UPDATE_TEXT =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n';

/** What of a pod may be changed by an update of the pod itself (subresources have their own rules). */
export function validatePodUpdate(errors: Errors, pod: Pod, before: Pod): void {
  const spec = pod.spec;
  const old = before.spec;
  if (!spec || !old) return;
  if (spec.containers.length !== old.containers.length) {
    errors.push(forbidden('spec.containers', 'pod updates may not add or remove containers'));
    return;
  }
  if ((spec.initContainers?.length ?? 0) !== (old.initContainers?.length ?? 0)) {
    errors.push(forbidden('spec.initContainers', 'pod updates may not add or remove containers'));
    return;
  }
  for (const [i, container] of spec.containers.entries()) if (!container.image) errors.push(required(`spec.containers[${i}].image`));
  if (spec.activeDeadlineSeconds !== undefined) {
    if (old.activeDeadlineSeconds !== undefined && spec.activeDeadlineSeconds > old.activeDeadlineSeconds) {
      errors.push(invalid('spec.activeDeadlineSeconds', spec.activeDeadlineSeconds, 'must be less than or equal to previous value'));
      return;
    }
  } else if (old.activeDeadlineSeconds !== undefined) {
    errors.push(invalid('spec.activeDeadlineSeconds', null, 'must not update from a positive integer to nil value'));
    return;
  }
  const lost = (old.tolerations ?? []).some(
    (toleration) => !spec.tolerations?.some((t) => sameJson({ ...t, tolerationSeconds: 0 }, { ...toleration, tolerationSeconds: 0 })),
  );
  if (lost) errors.push(forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'));
  const addedGates = (spec.schedulingGates ?? []).filter((gate) => !old.schedulingGates?.some((g) => g.name === gate.name));
  if (addedGates.length > 0) errors.push(forbidden('spec.schedulingGates', `only deletion is allowed, but found new scheduling gate '${addedGates[0]?.name}'`));

  const gated = (old.schedulingGates?.length ?? 0) > 0;
  const munge = (value: PodSpec): PodSpec => ({
    ...value,
    containers: value.containers.map((c) => ({ ...c, image: '' })),
    initContainers: value.initContainers?.map((c) => ({ ...c, image: '' })) ?? [],
    activeDeadlineSeconds: 0,
    tolerations: [],
    schedulingGates: [],
    terminationGracePeriodSeconds:
      (old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1 ? 1 : (value.terminationGracePeriodSeconds ?? 0),
    // Gated pods may still be steered to other nodes. Here simplified: any change, where upstream allows only tightening.
    ...(gated ? { nodeSelector: {}, affinity: {} } : {}),
  });
  const now = munge(spec);
  const then = munge(old);
  if (!sameJson(now, then)) errors.push(forbidden('spec', UPDATE_TEXT + specDiff(then, now)));
}

/** Which fields differ. Here simplified: upstream prints a go-cmp diff of the Go structures. */
function specDiff(before: PodSpec, after: PodSpec): string {
  const lines: string[] = [];
  const walk = (a: unknown, b: unknown, path: string): void => {
    if (sameJson(a, b)) return;
    const both = typeof a === 'object' && typeof b === 'object' && a !== null && b !== null && Array.isArray(a) === Array.isArray(b);
    if (both) {
      const x = a as Record<string, unknown>;
      const y = b as Record<string, unknown>;
      for (const key of new Set([...Object.keys(x), ...Object.keys(y)]))
        walk(x[key], y[key], Array.isArray(a) ? `${path}[${key}]` : path ? `${path}.${key}` : key);
      return;
    }
    lines.push(`- \t${path}: ${JSON.stringify(a ?? null)},`, `+ \t${path}: ${JSON.stringify(b ?? null)},`);
  };
  walk(before, after, '');
  return `  core.PodSpec{\n${lines.join('\n')}\n  }\n`;
}
