/** Resource quotas: what may be counted, and of what (ValidateResourceQuota in pkg/apis/core/validation). */
import { parseQuantity } from '../../api/quantity.ts';
import type { ResourceQuota } from '../../api/types.gen.ts';
import { type Errors, invalid, notSupported, required } from './field.ts';

const STANDARD = new Set([
  'configmaps',
  'cpu',
  'ephemeral-storage',
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'memory',
  'persistentvolumeclaims',
  'pods',
  'replicationcontrollers',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
  'requests.storage',
  'resourcequotas',
  'secrets',
  'services',
  'services.loadbalancers',
  'services.nodeports',
]);
/** Those that pods ask for. */
const COMPUTE = new Set(['cpu', 'limits.cpu', 'limits.memory', 'memory', 'requests.cpu', 'requests.memory']);
/** Those that count objects. */
const WHOLE = new Set([
  'configmaps',
  'persistentvolumeclaims',
  'pods',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'services',
  'services.loadbalancers',
  'services.nodeports',
]);
const SCOPES = ['BestEffort', 'CrossNamespacePodAffinity', 'NotBestEffort', 'NotTerminating', 'PriorityClass', 'Terminating', 'VolumeAttributesClass'];
const OPPOSITES = [
  ['BestEffort', 'NotBestEffort'],
  ['NotTerminating', 'Terminating'],
] as const;
const OPERATORS = ['DoesNotExist', 'Exists', 'In', 'NotIn'];
const prefixed = (name: string): boolean => /^(count|requests|limits)[./]/.test(name) || name.includes('/') || name.startsWith('hugepages-');

/** `spec.hard` and `spec.scopes`; the syntax of names is checked elsewhere. */
export function validateQuota(errors: Errors, object: ResourceQuota, old: ResourceQuota | undefined): void {
  const spec = object.spec ?? {};
  for (const [name, amount] of Object.entries(spec.hard ?? {})) {
    const at = `spec.hard[${name}]`;
    if (!STANDARD.has(name) && !prefixed(name)) errors.push(invalid(at, name, 'must be a standard resource for quota'));
    if ((WHOLE.has(name) || name.startsWith('count/')) && parseQuantity(amount).nano % 1_000_000_000n !== 0n)
      errors.push(invalid(at, amount, 'must be an integer'));
  }
  const scopes = spec.scopes ?? [];
  for (const scope of scopes) {
    if (!SCOPES.includes(scope)) errors.push(invalid('spec.scopes', scopes, 'unsupported scope'));
    else if (scope !== 'VolumeAttributesClass')
      for (const name of Object.keys(spec.hard ?? {}).sort())
        if (STANDARD.has(name) && name !== 'pods' && (scope === 'BestEffort' || !COMPUTE.has(name)))
          errors.push(invalid('spec.scopes', scopes, 'unsupported scope applied to resource'));
  }
  for (const [one, other] of OPPOSITES) if (scopes.includes(one) && scopes.includes(other)) errors.push(invalid('spec.scopes', scopes, 'conflicting scopes'));
  for (const [i, expression] of (spec.scopeSelector?.matchExpressions ?? []).entries()) {
    const at = `spec.scopeSelector.matchExpressions[${i}]`;
    if (!SCOPES.includes(expression.scopeName)) errors.push(invalid(`${at}.scopeName`, expression.scopeName, 'unsupported scope'));
    if (!OPERATORS.includes(expression.operator)) errors.push(invalid(`${at}.operator`, expression.operator, 'not a valid selector operator'));
    const values = expression.values?.length ?? 0;
    if ((expression.operator === 'In' || expression.operator === 'NotIn') && values === 0)
      errors.push(required(`${at}.values`, 'must be at least one value when `operator` is `In` or `NotIn` for scope selector'));
    if ((expression.operator === 'Exists' || expression.operator === 'DoesNotExist') && values > 0)
      errors.push(invalid(`${at}.values`, expression.values, 'must be no value when `operator` is `Exists` or `DoesNotExist` for scope selector'));
  }
  if (!old) return;
  const before = [...(old.spec?.scopes ?? [])].sort();
  if (JSON.stringify([...scopes].sort()) !== JSON.stringify(before)) errors.push(invalid('spec.scopes', scopes, 'field is immutable'));
}

/** PodDisruptionBudgets: which sick pods may go. */
export function validateUnhealthyPolicy(errors: Errors, policy: string | undefined): void {
  if (policy !== undefined && policy !== 'IfHealthyBudget' && policy !== 'AlwaysAllow')
    errors.push(notSupported('spec.unhealthyPodEvictionPolicy', policy, ['AlwaysAllow', 'IfHealthyBudget']));
}
