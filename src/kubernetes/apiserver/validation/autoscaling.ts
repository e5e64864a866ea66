/** How an autoscaler behaves, and by what it measures (pkg/apis/autoscaling/validation). */
import type { HorizontalPodAutoscaler, HPAScalingRules } from '../../api/types.gen.ts';
import { type Errors, forbidden, invalid, notSupported, required } from './field.ts';

const SOURCES: Readonly<Record<string, string>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};
const SELECT = ['Disabled', 'Max', 'Min'];
const POLICIES = ['Percent', 'Pods'];
const LONGEST_WINDOW = 3_600;
const LONGEST_PERIOD = 1_800;

/** Everything of `spec.metrics` but what the resource source itself needs, and `spec.behavior`. */
export function validateScaling(errors: Errors, object: HorizontalPodAutoscaler): void {
  for (const [i, metric] of (object.spec?.metrics ?? []).entries()) {
    const at = `spec.metrics[${i}]`;
    const source = SOURCES[metric.type ?? ''];
    if (!metric.type) continue;
    if (source === undefined) {
      errors.push(notSupported(`${at}.type`, metric.type, Object.keys(SOURCES)));
      continue;
    }
    const present = Object.values(SOURCES).filter((name) => (metric as unknown as Record<string, unknown>)[name] !== undefined);
    if (!present.includes(source) && source !== 'resource') errors.push(required(`${at}.${source}`, 'must populate information for the given metric source'));
    for (const other of present) if (other !== source) errors.push(forbidden(`${at}.${other}`, 'must populate the given metric source only'));
  }
  validateRules(errors, object.spec?.behavior?.scaleUp, 'spec.behavior.scaleUp');
  validateRules(errors, object.spec?.behavior?.scaleDown, 'spec.behavior.scaleDown');
}

function validateRules(errors: Errors, rules: HPAScalingRules | undefined, at: string): void {
  if (!rules) return;
  const window = rules.stabilizationWindowSeconds;
  if (window !== undefined && window < 0) errors.push(invalid(`${at}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero'));
  if (window !== undefined && window > LONGEST_WINDOW)
    errors.push(invalid(`${at}.stabilizationWindowSeconds`, window, `must be less than or equal to ${LONGEST_WINDOW}`));
  if (rules.selectPolicy !== undefined && !SELECT.includes(rules.selectPolicy)) errors.push(notSupported(`${at}.selectPolicy`, rules.selectPolicy, SELECT));
  if (!rules.policies?.length) errors.push(required(`${at}.policies`, 'must specify at least one Policy'));
  for (const [i, policy] of (rules.policies ?? []).entries()) {
    const here = `${at}.policies[${i}]`;
    if (!POLICIES.includes(policy.type)) errors.push(notSupported(`${here}.type`, policy.type, POLICIES));
    if (policy.value <= 0) errors.push(invalid(`${here}.value`, policy.value, 'must be greater than zero'));
    if (policy.periodSeconds <= 0) errors.push(invalid(`${here}.periodSeconds`, policy.periodSeconds, 'must be greater than zero'));
    if (policy.periodSeconds > LONGEST_PERIOD)
      errors.push(invalid(`${here}.periodSeconds`, policy.periodSeconds, `must be less than or equal to ${LONGEST_PERIOD}`));
  }
}
