/** Configuration, nodes, storage, rules and leases: pkg/apis/{core,storage,rbac,scheduling,coordination}/validation. */
import { configMapKeyErrors, dns1123SubdomainErrors, labelValueErrors, qualifiedNameErrors } from '../../api/names.ts';
import { compareQuantities, parseQuantity } from '../../api/quantity.ts';
import type {
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  Lease,
  LimitRange,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  PolicyRule,
  PriorityClass,
  ResourceQuota,
  Role,
  RoleBinding,
  RuntimeClass,
  Secret,
  StorageClass,
} from '../../api/types.gen.ts';
import { duplicate, type Errors, each, forbidden, immutable, invalid, NOT_NEGATIVE, notSupported, required, sameJson, tooLong } from './field.ts';
import { validateLabelSelector } from './metadata.ts';

const OBJECT_LIMIT = 1024 * 1024;
const FROZEN = 'field is immutable when `immutable` is set';

/** Bytes a text has in UTF-8. */
function bytes(text: string): number {
  let count = 0;
  for (const ch of text) {
    const code = ch.codePointAt(0) ?? 0;
    count += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return count;
}

export function validateConfigMap(errors: Errors, object: ConfigMap, old: ConfigMap | undefined): void {
  let size = 0;
  for (const [key, value] of Object.entries(object.data ?? {})) {
    each(errors, `data[${key}]`, key, configMapKeyErrors(key));
    if (object.binaryData?.[key] !== undefined) errors.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    size += bytes(value);
  }
  for (const [key, value] of Object.entries(object.binaryData ?? {})) {
    each(errors, `binaryData[${key}]`, key, configMapKeyErrors(key));
    size += Math.floor((value.length * 3) / 4);
  }
  if (size > OBJECT_LIMIT) errors.push(tooLong('', OBJECT_LIMIT));
  if (!old?.immutable) return;
  if (!object.immutable) errors.push(forbidden('immutable', FROZEN));
  if (!sameJson(object.data ?? {}, old.data ?? {})) errors.push(forbidden('data', FROZEN));
  if (!sameJson(object.binaryData ?? {}, old.binaryData ?? {})) errors.push(forbidden('binaryData', FROZEN));
}

const NEEDED: ReadonlyMap<string, readonly string[]> = new Map([
  ['kubernetes.io/dockercfg', ['.dockercfg']],
  ['kubernetes.io/dockerconfigjson', ['.dockerconfigjson']],
  ['kubernetes.io/ssh-auth', ['ssh-privatekey']],
  ['kubernetes.io/tls', ['tls.crt', 'tls.key']],
]);

export function validateSecret(errors: Errors, object: Secret, old: Secret | undefined): void {
  let size = 0;
  for (const [key, value] of Object.entries(object.data ?? {})) {
    each(errors, `data[${key}]`, key, configMapKeyErrors(key));
    size += Math.floor((value.length * 3) / 4);
  }
  if (size > OBJECT_LIMIT) errors.push(tooLong('data', OBJECT_LIMIT));
  for (const key of NEEDED.get(object.type ?? '') ?? []) if (object.data?.[key] === undefined) errors.push(required(`data[${key}]`));
  if (object.type === 'kubernetes.io/service-account-token' && !object.metadata.annotations?.['kubernetes.io/service-account.name']) {
    errors.push(required('metadata.annotations[kubernetes.io/service-account.name]'));
  }
  if (object.type === 'kubernetes.io/basic-auth' && object.data?.['username'] === undefined && object.data?.['password'] === undefined) {
    errors.push(required('data[username]'), required('data[password]'));
  }
  if (!old) return;
  immutable(errors, 'type', object.type, old.type);
  if (!old.immutable) return;
  if (!object.immutable) errors.push(forbidden('immutable', FROZEN));
  if (!sameJson(object.data ?? {}, old.data ?? {})) errors.push(forbidden('data', FROZEN));
}

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

export function validateNode(errors: Errors, object: Node, old: Node | undefined): void {
  const seen = new Set<string>();
  for (const [i, taint] of (object.spec?.taints ?? []).entries()) {
    const at = `spec.taints[${i}]`;
    each(errors, `${at}.key`, taint.key, qualifiedNameErrors(taint.key));
    const value = labelValueErrors(taint.value ?? '');
    if (value.length > 0) errors.push(invalid(`${at}.value`, taint.value, value.join(';')));
    if (!taint.effect) errors.push(required(`${at}.effect`));
    else if (!EFFECTS.includes(taint.effect)) errors.push(notSupported(`${at}.effect`, taint.effect, EFFECTS));
    const pair = `${taint.effect}/${taint.key}`;
    if (seen.has(pair)) errors.push({ ...duplicate(at, taint), detail: 'taints must be unique by key and effect pair' });
    seen.add(pair);
  }
  const before = old?.spec;
  if (!before) return;
  if (before.podCIDRs?.length && !sameJson(object.spec?.podCIDRs, before.podCIDRs))
    errors.push(forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'));
  if (before.providerID && object.spec?.providerID !== before.providerID)
    errors.push(forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'));
}

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

/** A volume for one pod alone cannot be anything else besides. */
function validateAlone(errors: Errors, modes: readonly string[] = []): void {
  if (modes.length > 1 && modes.includes('ReadWriteOncePod'))
    errors.push(forbidden('spec.accessModes', 'may not use ReadWriteOncePod with other access modes'));
}

export function validateClaim(errors: Errors, object: PersistentVolumeClaim, old: PersistentVolumeClaim | undefined): void {
  const spec = object.spec ?? {};
  if (!spec.accessModes?.length) errors.push(required('spec.accessModes', 'at least 1 access mode is required'));
  for (const mode of spec.accessModes ?? []) if (!ACCESS_MODES.includes(mode)) errors.push(notSupported('spec.accessModes', mode, ACCESS_MODES));
  validateAlone(errors, spec.accessModes);
  if (spec.selector) validateLabelSelector(errors, spec.selector, 'spec.selector');
  if (spec.storageClassName) each(errors, 'spec.storageClassName', spec.storageClassName, dns1123SubdomainErrors(spec.storageClassName));
  const storage = spec.resources?.requests?.['storage'];
  if (storage === undefined) errors.push(required('spec.resources[storage]'));
  else if (parseQuantity(storage).nano <= 0n) errors.push(invalid('spec.resources[storage]', storage, 'must be greater than zero'));
  if (spec.volumeMode !== undefined && spec.volumeMode !== 'Filesystem' && spec.volumeMode !== 'Block')
    errors.push(notSupported('spec.volumeMode', spec.volumeMode, ['Block', 'Filesystem']));
  const before = old?.spec;
  if (!before) return;
  // A binder may name the volume; a bound claim may grow.
  const bound = Boolean(before.volumeName);
  const rest = { ...spec, resources: {}, volumeName: bound ? (spec.volumeName ?? '') : '' };
  const then = {
    ...before,
    resources: {},
    volumeName: bound ? (before.volumeName ?? '') : '',
    ...(before.storageClassName === undefined ? { storageClassName: spec.storageClassName } : {}),
  };
  const resized = !sameJson(spec.resources, before.resources);
  if (!sameJson(rest, then) || (resized && !bound)) {
    errors.push(forbidden('spec', 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'));
  }
  const had = before.resources?.requests?.['storage'];
  if (resized && bound && storage !== undefined && had !== undefined && compareQuantities(storage, had) < 0) {
    const capacity = old?.status?.capacity?.['storage'];
    if (capacity === undefined || compareQuantities(storage, capacity) <= 0)
      errors.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'));
  }
}

const VOLUME_FIELDS = new Set([
  'accessModes',
  'capacity',
  'claimRef',
  'mountOptions',
  'nodeAffinity',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'volumeAttributesClassName',
  'volumeMode',
]);

export function validateVolume(errors: Errors, object: PersistentVolume): void {
  const spec = object.spec ?? {};
  if (!spec.accessModes?.length) errors.push(required('spec.accessModes'));
  for (const mode of spec.accessModes ?? []) if (!ACCESS_MODES.includes(mode)) errors.push(notSupported('spec.accessModes', mode, ACCESS_MODES));
  validateAlone(errors, spec.accessModes);
  if (!spec.capacity || Object.keys(spec.capacity).length === 0) errors.push(required('spec.capacity'));
  const size = spec.capacity?.['storage'];
  if (size !== undefined && parseQuantity(size).nano <= 0n) errors.push(invalid('spec.capacity[storage]', size, 'must be greater than zero'));
  if (spec.volumeMode !== undefined && spec.volumeMode !== 'Filesystem' && spec.volumeMode !== 'Block')
    errors.push(notSupported('spec.volumeMode', spec.volumeMode, ['Block', 'Filesystem']));
  if (spec.storageClassName) each(errors, 'spec.storageClassName', spec.storageClassName, dns1123SubdomainErrors(spec.storageClassName));
  if (spec.capacity?.['storage'] === undefined || Object.keys(spec.capacity).length > 1) errors.push(notSupported('spec.capacity', spec.capacity, ['storage']));
  const sources = Object.keys(spec).filter((key) => !VOLUME_FIELDS.has(key) && (spec as Record<string, unknown>)[key] !== undefined);
  if (sources.length === 0) errors.push(required('spec', 'must specify a volume type'));
  for (const extra of sources.slice(1)) errors.push(forbidden(`spec.${extra}`, 'may not specify more than 1 volume type'));
  if (spec.hostPath && !spec.hostPath.path) errors.push(required('spec.hostPath.path'));
  for (const source of ['hostPath', 'local'] as const)
    if (spec[source]?.path?.split('/').includes('..')) errors.push(invalid(`spec.${source}.path`, spec[source].path, "must not contain '..'"));
  if (spec.local && !spec.local.path) errors.push(required('spec.local.path'));
  if (spec.hostPath?.path === '/' && spec.persistentVolumeReclaimPolicy === 'Recycle')
    errors.push(forbidden('spec.persistentVolumeReclaimPolicy', "may not be 'recycle' for a hostPath mount of '/'"));
  if (spec.local && !spec.nodeAffinity) errors.push(required('spec.nodeAffinity', 'Local volume requires node affinity'));
  const policy = spec.persistentVolumeReclaimPolicy;
  if (policy && !['Delete', 'Recycle', 'Retain'].includes(policy))
    errors.push(notSupported('spec.persistentVolumeReclaimPolicy', policy, ['Delete', 'Recycle', 'Retain']));
}

export function validateStorageClass(errors: Errors, object: StorageClass, old: StorageClass | undefined): void {
  if (!object.provisioner) errors.push(required('provisioner', object.provisioner));
  else each(errors, 'provisioner', object.provisioner, qualifiedNameErrors(object.provisioner.toLowerCase()));
  if (object.reclaimPolicy && !['Delete', 'Retain'].includes(object.reclaimPolicy))
    errors.push(notSupported('reclaimPolicy', object.reclaimPolicy, ['Delete', 'Retain']));
  if (!object.volumeBindingMode) errors.push(required('volumeBindingMode'));
  else if (!['Immediate', 'WaitForFirstConsumer'].includes(object.volumeBindingMode))
    errors.push(notSupported('volumeBindingMode', object.volumeBindingMode, ['Immediate', 'WaitForFirstConsumer']));
  if (!old) return;
  if (!sameJson(object.parameters ?? {}, old.parameters ?? {})) errors.push(forbidden('parameters', 'updates to parameters are forbidden.'));
  if (object.provisioner !== old.provisioner) errors.push(forbidden('provisioner', 'updates to provisioner are forbidden.'));
  if (object.reclaimPolicy !== old.reclaimPolicy) errors.push(forbidden('reclaimPolicy', 'updates to reclaimPolicy are forbidden.'));
  immutable(errors, 'volumeBindingMode', object.volumeBindingMode, old.volumeBindingMode);
}

function validateRules(errors: Errors, rules: readonly PolicyRule[], namespaced: boolean): void {
  for (const [i, rule] of rules.entries()) {
    const at = `rules[${i}]`;
    if (!rule.verbs?.length) errors.push(required(`${at}.verbs`, 'verbs must contain at least one value'));
    if (rule.nonResourceURLs?.length) {
      if (namespaced) errors.push(invalid(`${at}.nonResourceURLs`, rule.nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'));
      if (rule.apiGroups?.length || rule.resources?.length || rule.resourceNames?.length) {
        errors.push(invalid(`${at}.nonResourceURLs`, rule.nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'));
      }
      continue;
    }
    if (!rule.apiGroups?.length) errors.push(required(`${at}.apiGroups`, 'resource rules must supply at least one api group'));
    if (!rule.resources?.length) errors.push(required(`${at}.resources`, 'resource rules must supply at least one resource'));
  }
}

export const validateRole = (errors: Errors, object: Role): void => validateRules(errors, object.rules ?? [], true);

export function validateClusterRole(errors: Errors, object: ClusterRole): void {
  validateRules(errors, object.rules ?? [], false);
  for (const [i, selector] of (object.aggregationRule?.clusterRoleSelectors ?? []).entries())
    validateLabelSelector(errors, selector, `aggregationRule.clusterRoleSelectors[${i}]`);
}

const RBAC = 'rbac.authorization.k8s.io';

export function validateBinding(
  errors: Errors,
  object: RoleBinding | ClusterRoleBinding,
  old: RoleBinding | ClusterRoleBinding | undefined,
  namespaced: boolean,
): void {
  const ref = object.roleRef;
  if (ref?.apiGroup !== RBAC) errors.push(notSupported('roleRef.apiGroup', ref?.apiGroup ?? '', [RBAC]));
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  if (!kinds.includes(ref?.kind ?? '')) errors.push(notSupported('roleRef.kind', ref?.kind ?? '', kinds));
  if (!ref?.name) errors.push(required('roleRef.name'));
  for (const [i, subject] of (object.subjects ?? []).entries()) {
    const at = `subjects[${i}]`;
    if (!subject.name) errors.push(required(`${at}.name`));
    if (subject.kind === 'ServiceAccount') {
      if (subject.apiGroup) errors.push(notSupported(`${at}.apiGroup`, subject.apiGroup, ['']));
      if (!subject.namespace) errors.push(required(`${at}.namespace`));
    } else if (subject.kind === 'User' || subject.kind === 'Group') {
      if (subject.apiGroup !== RBAC) errors.push(notSupported(`${at}.apiGroup`, subject.apiGroup ?? '', [RBAC]));
    } else errors.push(notSupported(`${at}.kind`, subject.kind ?? '', ['ServiceAccount', 'User', 'Group']));
  }
  if (old && !sameJson(ref, old.roleRef)) errors.push(invalid('roleRef', ref, 'cannot change roleRef'));
}

export function validatePriorityClass(errors: Errors, object: PriorityClass, old: PriorityClass | undefined): void {
  const name = object.metadata.name ?? '';
  if (name.startsWith('system-') && name !== 'system-node-critical' && name !== 'system-cluster-critical') {
    errors.push(
      forbidden(
        'metadata.name',
        "priority class names with 'system-' prefix are reserved for system use only. error: only the following are allowed: system-node-critical, system-cluster-critical",
      ),
    );
  } else if (!name.startsWith('system-') && object.value > 1_000_000_000) {
    errors.push(forbidden('value', 'maximum allowed value of a user defined priority is 1000000000'));
  }
  if (object.preemptionPolicy && !['Never', 'PreemptLowerPriority'].includes(object.preemptionPolicy))
    errors.push(notSupported('preemptionPolicy', object.preemptionPolicy, ['Never', 'PreemptLowerPriority']));
  if (!old) return;
  if (object.value !== old.value) errors.push(forbidden('value', 'may not be changed in an update.'));
  immutable(errors, 'preemptionPolicy', object.preemptionPolicy, old.preemptionPolicy);
}

export function validateRuntimeClass(errors: Errors, object: RuntimeClass, old: RuntimeClass | undefined): void {
  if (!object.handler) errors.push(required('handler'));
  if (old) immutable(errors, 'handler', object.handler, old.handler);
}

export function validateLease(errors: Errors, object: Lease): void {
  const spec = object.spec ?? {};
  if (spec.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0)
    errors.push(invalid('spec.leaseDurationSeconds', spec.leaseDurationSeconds, 'must be greater than 0'));
  if (spec.leaseTransitions !== undefined && spec.leaseTransitions < 0) errors.push(invalid('spec.leaseTransitions', spec.leaseTransitions, NOT_NEGATIVE));
}

export function validateResourceQuota(errors: Errors, object: ResourceQuota): void {
  for (const [name, amount] of Object.entries(object.spec?.hard ?? {})) {
    each(errors, `spec.hard[${name}]`, name, qualifiedNameErrors(name));
    if (parseQuantity(amount).nano < 0n) errors.push(invalid(`spec.hard[${name}]`, amount, NOT_NEGATIVE));
  }
}

export function validateLimitRange(errors: Errors, object: LimitRange): void {
  for (const [i, item] of (object.spec?.limits ?? []).entries()) {
    const at = `spec.limits[${i}]`;
    if (!item.type) errors.push(required(`${at}.type`));
    if (item.type === 'Pod') {
      if (item.default) errors.push(forbidden(`${at}.default`, "may not be specified when `type` is 'Pod'"));
      if (item.defaultRequest) errors.push(forbidden(`${at}.defaultRequest`, "may not be specified when `type` is 'Pod'"));
    }
    const { min, max, default: limit, defaultRequest } = item;
    // [the field told, whose amount is shown, the smaller one, its words, the larger one, its words]
    const pairs = [
      ['min', min, min, 'min value', max, 'max value'],
      ['defaultRequest', defaultRequest, min, 'min value', defaultRequest, 'default request value'],
      ['defaultRequest', defaultRequest, defaultRequest, 'default request value', max, 'max value'],
      ['defaultRequest', defaultRequest, defaultRequest, 'default request value', limit, 'default limit value'],
      ['default', min, min, 'min value', limit, 'default value'],
      ['default', max, limit, 'default value', max, 'max value'],
    ] as const;
    const names = [...new Set([min, max, limit, defaultRequest].flatMap((amounts) => Object.keys(amounts ?? {})))].sort();
    for (const name of names) {
      for (const [field, shown, lows, low, highs, high] of pairs) {
        const [least, most] = [lows?.[name], highs?.[name]];
        if (least === undefined || most === undefined || compareQuantities(least, most) <= 0) continue;
        errors.push(invalid(`${at}.${field}[${name}]`, shown?.[name], `${low} ${least} is greater than ${high} ${most}`));
      }
    }
  }
}

/** ValidateEvent, of what was before events.k8s.io: an event lies where what it is about lies; of what lies nowhere, in default. */
export function validateEvent(errors: Errors, { metadata, involvedObject }: CoreV1EventLike): void {
  const about = involvedObject?.namespace ?? '';
  const own = metadata.namespace ?? '';
  if (about === '' ? own !== 'default' && own !== '' : about !== own) errors.push(invalid('involvedObject.namespace', about, 'does not match event.namespace'));
}

interface CoreV1EventLike {
  readonly metadata: { readonly namespace?: string };
  readonly involvedObject?: { readonly namespace?: string };
}
