/** What makes pods: pkg/apis/{apps,autoscaling,policy}/validation. */
import { SelectorError, selectorOf } from '../../api/selector.ts';
import type {
  DaemonSet,
  Deployment,
  LabelSelector,
  PodDisruptionBudget,
  PodTemplateSpec,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
} from '../../api/types.gen.ts';
import { type Errors, forbidden, immutable, invalid, notNegative, notSupported, oneOf, required, sameJson } from './field.ts';
import { validateLabelSelector } from './metadata.ts';
import { validatePodTemplate } from './pod.ts';

/** A template whose pods the selector would not find is refused: the controller would make pods for ever. */
function validateTemplate(errors: Errors, selector: LabelSelector | undefined, template: PodTemplateSpec | undefined, kind: string): void {
  const path = 'spec.template';
  if (!template) {
    errors.push(required(path));
    return;
  }
  const labels = template.metadata?.labels;
  try {
    if (selector) {
      const compiled = selectorOf(selector);
      if (!compiled.empty && !compiled.matches(labels))
        errors.push(invalid(`${path}.metadata.labels`, labels ?? null, '`selector` does not match template `labels`'));
    }
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    errors.push(invalid('spec.selector', selector, 'invalid label selector'));
  }
  // Upstream validates the pod spec of a StatefulSet only when pods are made of it: volumes are still missing here.
  if (kind === 'StatefulSet') validatePodTemplate(errors, { ...(template.metadata ? { metadata: template.metadata } : {}) }, path, false);
  else validatePodTemplate(errors, template, path);
  if (template.spec?.restartPolicy && template.spec.restartPolicy !== 'Always')
    errors.push(notSupported(`${path}.spec.restartPolicy`, template.spec.restartPolicy, ['Always']));
  if (template.spec?.activeDeadlineSeconds !== undefined)
    errors.push(forbidden(`${path}.spec.activeDeadlineSeconds`, `activeDeadlineSeconds in ${kind} is not Supported`));
}

function validateSelector(errors: Errors, selector: LabelSelector | undefined, empty: string): void {
  if (!selector) errors.push(required('spec.selector'));
  else {
    validateLabelSelector(errors, selector, 'spec.selector');
    if (!Object.keys(selector.matchLabels ?? {}).length && !selector.matchExpressions?.length) errors.push(invalid('spec.selector', selector, empty));
  }
}

/** A number, or a percentage of at most `most` (intstr). */
function validateShare(errors: Errors, value: number | string | undefined, path: string, most = 100): void {
  if (typeof value === 'number') notNegative(errors, path, value);
  else if (value !== undefined) {
    if (!/^[0-9]+%$/.test(value)) {
      errors.push(
        invalid(
          path,
          value,
          "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
        ),
      );
    } else if (Number.parseInt(value, 10) > most) errors.push(invalid(path, value, 'must not be greater than 100%'));
  }
}

const zero = (value: number | string | undefined): boolean => value === 0 || value === '0%' || value === undefined;

export function validateDeployment(errors: Errors, object: Deployment, old: Deployment | undefined): void {
  const spec = object.spec;
  if (!spec) return;
  notNegative(errors, 'spec.replicas', spec.replicas);
  validateSelector(errors, spec.selector, 'empty selector is invalid for deployment');
  validateTemplate(errors, spec.selector, spec.template, 'Deployment');
  const strategy = spec.strategy;
  if (strategy?.type === 'Recreate') {
    if (strategy.rollingUpdate) errors.push(forbidden('spec.strategy.rollingUpdate', "may not be specified when strategy `type` is 'Recreate'"));
  } else if (strategy?.type === 'RollingUpdate') {
    const { maxSurge, maxUnavailable } = strategy.rollingUpdate ?? {};
    validateShare(errors, maxUnavailable, 'spec.strategy.rollingUpdate.maxUnavailable');
    validateShare(errors, maxSurge, 'spec.strategy.rollingUpdate.maxSurge', Number.POSITIVE_INFINITY);
    if (zero(maxSurge) && zero(maxUnavailable))
      errors.push(invalid('spec.strategy.rollingUpdate.maxUnavailable', maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
  } else oneOf(errors, 'spec.strategy.type', strategy?.type, ['Recreate', 'RollingUpdate']);
  notNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
  notNegative(errors, 'spec.revisionHistoryLimit', spec.revisionHistoryLimit);
  if (spec.progressDeadlineSeconds !== undefined) {
    notNegative(errors, 'spec.progressDeadlineSeconds', spec.progressDeadlineSeconds);
    if (spec.progressDeadlineSeconds <= (spec.minReadySeconds ?? 0))
      errors.push(invalid('spec.progressDeadlineSeconds', spec.progressDeadlineSeconds, 'must be greater than minReadySeconds'));
  }
  if (old) immutable(errors, 'spec.selector', spec.selector, old.spec?.selector);
}

export function validateReplicaSet(errors: Errors, object: ReplicaSet, old: ReplicaSet | undefined): void {
  const spec = object.spec;
  if (!spec) return;
  notNegative(errors, 'spec.replicas', spec.replicas);
  notNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
  validateSelector(errors, spec.selector, 'empty selector is invalid for deployment');
  validateTemplate(errors, spec.selector, spec.template, 'ReplicaSet');
  if (old) immutable(errors, 'spec.selector', spec.selector, old.spec?.selector);
}

export function validateReplicationController(errors: Errors, object: ReplicationController): void {
  const spec = object.spec;
  if (!spec) return;
  notNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
  if (!spec.selector || Object.keys(spec.selector).length === 0) errors.push(required('spec.selector'));
  notNegative(errors, 'spec.replicas', spec.replicas);
  validateTemplate(errors, spec.selector ? { matchLabels: spec.selector } : undefined, spec.template, 'ReplicationController');
}

export function validateDaemonSet(errors: Errors, object: DaemonSet, old: DaemonSet | undefined): void {
  const spec = object.spec;
  if (!spec) return;
  validateSelector(errors, spec.selector, 'empty selector is invalid for daemonset');
  validateTemplate(errors, spec.selector, spec.template, 'DaemonSet');
  notNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
  const strategy = spec.updateStrategy;
  if (strategy?.type === 'RollingUpdate') {
    const { maxSurge, maxUnavailable } = strategy.rollingUpdate ?? {};
    validateShare(errors, maxUnavailable, 'spec.updateStrategy.rollingUpdate.maxUnavailable');
    validateShare(errors, maxSurge, 'spec.updateStrategy.rollingUpdate.maxSurge');
    if (zero(maxSurge) && zero(maxUnavailable))
      errors.push(invalid('spec.updateStrategy.rollingUpdate.maxUnavailable', maxUnavailable, 'cannot be 0 when maxSurge is 0'));
    else if (!zero(maxSurge) && !zero(maxUnavailable))
      errors.push(invalid('spec.updateStrategy.rollingUpdate.maxSurge', maxSurge, 'may not be set when maxUnavailable is non-zero'));
  } else if (strategy?.type !== 'OnDelete') errors.push(notSupported('spec.updateStrategy.type', strategy?.type ?? '', ['RollingUpdate', 'OnDelete']));
  notNegative(errors, 'spec.revisionHistoryLimit', spec.revisionHistoryLimit);
  if (old) immutable(errors, 'spec.selector', spec.selector, old.spec?.selector);
}

const STATEFUL_MUTABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const;

export function validateStatefulSet(errors: Errors, object: StatefulSet, old: StatefulSet | undefined): void {
  const spec = object.spec;
  if (!spec) return;
  if (!spec.podManagementPolicy) errors.push(required('spec.podManagementPolicy'));
  else if (spec.podManagementPolicy !== 'OrderedReady' && spec.podManagementPolicy !== 'Parallel') {
    errors.push(invalid('spec.podManagementPolicy', spec.podManagementPolicy, "must be 'OrderedReady' or 'Parallel'"));
  }
  const strategy = spec.updateStrategy;
  if (!strategy?.type) errors.push(required('spec.updateStrategy'));
  else if (strategy.type === 'OnDelete') {
    if (strategy.rollingUpdate)
      errors.push(invalid('spec.updateStrategy.rollingUpdate', strategy.rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'"));
  } else if (strategy.type === 'RollingUpdate') notNegative(errors, 'spec.updateStrategy.rollingUpdate.partition', strategy.rollingUpdate?.partition);
  else errors.push(invalid('spec.updateStrategy', strategy, "must be 'RollingUpdate' or 'OnDelete'"));
  for (const field of ['whenDeleted', 'whenScaled'] as const) {
    const policy = spec.persistentVolumeClaimRetentionPolicy?.[field];
    if (policy !== undefined && policy !== 'Retain' && policy !== 'Delete')
      errors.push(notSupported(`spec.persistentVolumeClaimRetentionPolicy.${field}`, policy, ['Retain', 'Delete']));
  }
  notNegative(errors, 'spec.replicas', spec.replicas);
  notNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
  notNegative(errors, 'spec.ordinals.start', spec.ordinals?.start);
  validateSelector(errors, spec.selector, 'empty selector is invalid for statefulset');
  validateTemplate(errors, spec.selector, spec.template, 'StatefulSet');
  if (old?.spec) {
    const rest = { ...spec } as Record<string, unknown>;
    const before = { ...old.spec } as Record<string, unknown>;
    for (const field of STATEFUL_MUTABLE) {
      delete rest[field];
      delete before[field];
    }
    if (!sameJson(rest, before)) {
      errors.push(
        forbidden(
          'spec',
          "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        ),
      );
    }
  }
}

export function validateDisruptionBudget(errors: Errors, object: PodDisruptionBudget): void {
  const spec = object.spec;
  if (!spec) return;
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined)
    errors.push(invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set'));
  validateShare(errors, spec.minAvailable, 'spec.minAvailable');
  validateShare(errors, spec.maxUnavailable, 'spec.maxUnavailable');
  if (spec.selector) validateLabelSelector(errors, spec.selector, 'spec.selector');
}
