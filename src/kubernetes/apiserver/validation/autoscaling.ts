/** How an autoscaler behaves, and by what it measures (pkg/apis/autoscaling/validation). */
import { parseQuantity } from '../../api/quantity.ts';
import type { CrossVersionObjectReference, HorizontalPodAutoscaler, HPAScalingRules, MetricIdentifier, MetricSpec, MetricTarget } from '../../api/types.gen.ts';
import { type Errors, forbidden, invalid, notSupported, required } from './field.ts';

/** In the order in which they are looked at. */
const SOURCES = [
  ['Object', 'object'],
  ['External', 'external'],
  ['Pods', 'pods'],
  ['Resource', 'resource'],
  ['ContainerResource', 'containerResource'],
] as const;
const TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];
const SELECT = ['Disabled', 'Max', 'Min'];
const POLICIES = ['Percent', 'Pods'];
const LONGEST_WINDOW = 3_600;
const LONGEST_PERIOD = 1_800;

export function validateScaling(errors: Errors, { spec }: HorizontalPodAutoscaler): void {
  if (!spec) return;
  const { minReplicas: min, maxReplicas: max = 0, metrics = [] } = spec;
  // Zero needs the alpha gate HPAScaleToZero.
  if (min !== undefined && min < 1) errors.push(invalid('spec.minReplicas', min, 'must be greater than or equal to 1'));
  if (max < 1) errors.push(invalid('spec.maxReplicas', max, 'must be greater than 0'));
  if (min !== undefined && max < min) errors.push(invalid('spec.maxReplicas', max, 'must be greater than or equal to `minReplicas`'));
  validateReference(errors, spec.scaleTargetRef, 'spec.scaleTargetRef');
  for (const [i, metric] of metrics.entries()) validateMetric(errors, metric, `spec.metrics[${i}]`);
  validateRules(errors, spec.behavior?.scaleUp, 'spec.behavior.scaleUp');
  validateRules(errors, spec.behavior?.scaleDown, 'spec.behavior.scaleDown');
}

/** A name that can stand in a path (path.IsValidPathSegmentName). */
function validateSegment(errors: Errors, name: string | undefined, at: string, missing = ''): void {
  if (!name) errors.push(required(at, missing));
  else if (name === '.' || name === '..') errors.push(invalid(at, name, `may not be '${name}'`));
  else for (const illegal of ['/', '%']) if (name.includes(illegal)) errors.push(invalid(at, name, `may not contain '${illegal}'`));
}

function validateReference(errors: Errors, reference: CrossVersionObjectReference | undefined, at: string): void {
  validateSegment(errors, reference?.kind, `${at}.kind`);
  validateSegment(errors, reference?.name, `${at}.name`);
}

function validateMetric(errors: Errors, metric: MetricSpec, at: string): void {
  if (!metric.type) errors.push(required(`${at}.type`, 'must specify a metric source type'));
  if (!TYPES.includes(metric.type)) errors.push(notSupported(`${at}.type`, metric.type ?? '', TYPES));
  const present = SOURCES.filter(([, field]) => metric[field] !== undefined).map(([, field]) => field);
  // Only the first is looked into; there may be no other.
  if (present[0]) validateSource(errors, metric, present[0], `${at}.${present[0]}`);
  const expected = SOURCES.find(([type]) => type === metric.type)?.[1];
  if (expected && metric[expected] === undefined) errors.push(required(`${at}.${expected}`, 'must populate information for the given metric source'));
  if (present.length !== 1)
    for (const field of present) if (field !== expected) errors.push(forbidden(`${at}.${field}`, 'must populate the given metric source only'));
}

function validateSource(errors: Errors, metric: MetricSpec, field: (typeof SOURCES)[number][1], at: string): void {
  const source = metric[field]!;
  const target = (source.target ?? {}) as MetricTarget;
  const { averageUtilization, averageValue, value } = target;
  if ('describedObject' in source) validateReference(errors, source.describedObject, `${at}.describedObject`);
  if (field === 'object' || field === 'external' || field === 'pods') validateIdentifier(errors, metric[field]!.metric, `${at}.metric`);
  if (field === 'resource' || field === 'containerResource') {
    if (!metric[field]!.name) errors.push(required(`${at}.name`, 'must specify a resource name'));
    if (field === 'containerResource' && !metric.containerResource?.container) errors.push(required(`${at}.container`, 'must specify a container'));
  }
  validateTarget(errors, target, `${at}.target`);
  switch (field) {
    case 'object':
      if (value === undefined && averageValue === undefined)
        errors.push(required(`${at}.target.averageValue`, 'must set either a target value or averageValue'));
      break;
    case 'external':
      if (value === undefined && averageValue === undefined)
        errors.push(required(`${at}.target.averageValue`, 'must set either a target value for metric or a per-pod target'));
      if (value !== undefined && averageValue !== undefined)
        errors.push(forbidden(`${at}.target.value`, 'may not set both a target value for metric and a per-pod target'));
      break;
    case 'pods':
      if (averageValue === undefined || !isPositive(averageValue))
        errors.push(required(`${at}.target.averageValue`, 'must specify a positive target averageValue'));
      break;
    default:
      if (averageUtilization === undefined && averageValue === undefined)
        errors.push(required(`${at}.target.averageUtilization`, 'must set either a target raw value or a target utilization'));
      if (averageUtilization !== undefined && averageValue !== undefined)
        errors.push(forbidden(`${at}.target.averageValue`, 'may not set both a target raw value and a target utilization'));
  }
}

const validateIdentifier = (errors: Errors, metric: MetricIdentifier | undefined, at: string): void =>
  validateSegment(errors, metric?.name, `${at}.name`, 'must specify a metric name');

const isPositive = (quantity: string): boolean => parseQuantity(quantity).nano > 0n;

function validateTarget(errors: Errors, { type, value, averageValue, averageUtilization }: MetricTarget, at: string): void {
  if (!type) errors.push(required(`${at}.type`, 'must specify a metric target type'));
  if (!['Utilization', 'Value', 'AverageValue'].includes(type))
    errors.push(invalid(`${at}.type`, type ?? '', 'must be either Utilization, Value, or AverageValue'));
  if (value !== undefined && !isPositive(value)) errors.push(invalid(`${at}.value`, value, 'must be positive'));
  if (averageValue !== undefined && !isPositive(averageValue)) errors.push(invalid(`${at}.averageValue`, averageValue, 'must be positive'));
  if (averageUtilization !== undefined && averageUtilization < 1)
    errors.push(invalid(`${at}.averageUtilization`, averageUtilization, 'must be greater than 0'));
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
