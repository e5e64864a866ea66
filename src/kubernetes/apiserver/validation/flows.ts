/** Flow schemas and priority levels (pkg/apis/flowcontrol/validation). */
import type { FlowSchema, PriorityLevelConfiguration } from '../../api/types.gen.ts';
import { type Errors, invalid, notSupported, required, sameJson } from './field.ts';

const DISTINGUISHERS = ['ByNamespace', 'ByUser'];
const SUBJECTS = ['Group', 'ServiceAccount', 'User'];

export function validateFlowSchema(errors: Errors, object: FlowSchema): void {
  const spec = object.spec;
  const precedence = spec?.matchingPrecedence ?? 0;
  if (precedence <= 0) errors.push(invalid('spec.matchingPrecedence', precedence, 'must be a positive value'));
  if (precedence > 10_000) errors.push(invalid('spec.matchingPrecedence', precedence, 'must not be greater than 10000'));
  if (precedence === 1 && object.metadata.name !== 'exempt')
    errors.push(invalid('spec.matchingPrecedence', precedence, "only the schema named 'exempt' may have matchingPrecedence 1"));
  const method = spec?.distinguisherMethod?.type;
  if (spec?.distinguisherMethod && !DISTINGUISHERS.includes(method ?? ''))
    errors.push(notSupported('spec.distinguisherMethod', spec.distinguisherMethod, DISTINGUISHERS));
  if (!spec?.priorityLevelConfiguration?.name) errors.push(required('spec.priorityLevelConfiguration.name', 'must reference a priority level'));
  for (const [i, rule] of (spec?.rules ?? []).entries()) {
    const at = `spec.rules[${i}]`;
    if (!rule.subjects?.length) errors.push(required(`${at}.subjects`, 'subjects must contain at least one value'));
    for (const [j, subject] of (rule.subjects ?? []).entries()) {
      const here = `${at}.subjects[${j}]`;
      if (!SUBJECTS.includes(subject.kind)) errors.push(notSupported(`${here}.kind`, subject.kind, SUBJECTS));
      else if (subject.kind === 'ServiceAccount') {
        if (!subject.serviceAccount?.name) errors.push(required(`${here}.serviceAccount.name`));
        if (!subject.serviceAccount?.namespace) errors.push(required(`${here}.serviceAccount.namespace`, 'must specify namespace for service account'));
      } else if (!(subject.kind === 'User' ? subject.user?.name : subject.group?.name)) errors.push(required(`${here}.${subject.kind.toLowerCase()}.name`));
    }
    if (!rule.resourceRules?.length && !rule.nonResourceRules?.length)
      errors.push(required(at, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
    for (const [j, resource] of (rule.resourceRules ?? []).entries()) {
      const here = `${at}.resourceRules[${j}]`;
      if (!resource.verbs?.length) errors.push(required(`${here}.verbs`, 'verbs must contain at least one value'));
      if (!resource.apiGroups?.length) errors.push(required(`${here}.apiGroups`, 'resource rules must supply at least one api group'));
      if (!resource.resources?.length) errors.push(required(`${here}.resources`, 'resource rules must supply at least one resource'));
      if (!resource.namespaces?.length && !resource.clusterScope)
        errors.push(required(`${here}.namespaces`, 'resource rules that are not cluster scoped must supply at least one namespace'));
    }
    for (const [j, path] of (rule.nonResourceRules ?? []).entries()) {
      const here = `${at}.nonResourceRules[${j}]`;
      if (!path.verbs?.length) errors.push(required(`${here}.verbs`, 'verbs must contain at least one value'));
      if (!path.nonResourceURLs?.length) errors.push(required(`${here}.nonResourceURLs`, 'nonResourceURLs must contain at least one value'));
    }
  }
}

const TYPES = ['Exempt', 'Limited'];

export function validatePriorityLevel(errors: Errors, object: PriorityLevelConfiguration, old: PriorityLevelConfiguration | undefined): void {
  const spec = object.spec;
  const { name } = object.metadata;
  if (name === 'exempt' && old && spec?.type !== old.spec?.type)
    errors.push(invalid('spec.type', spec?.type ?? '', "must be 'Exempt' for the 'exempt' PriorityLevelConfiguration"));
  if (name === 'catch-all' && old && !sameJson(spec, old.spec)) errors.push(invalid('spec', spec, "spec of 'catch-all' must equal the fixed value"));
  if (spec?.type === 'Exempt') {
    if (spec.limited) errors.push({ type: 'FieldValueForbidden', field: 'spec.limited', detail: 'must be nil if the type is not Limited' });
    return;
  }
  if (spec?.type !== 'Limited') {
    errors.push(notSupported('spec.type', spec?.type ?? '', TYPES));
    return;
  }
  if (spec.exempt) errors.push({ type: 'FieldValueForbidden', field: 'spec.exempt', detail: 'must be nil if the type is Limited' });
  const limited = spec.limited;
  if (!limited) {
    errors.push(required('spec.limited', 'must not be empty when type is Limited'));
    return;
  }
  const shares = limited.nominalConcurrencyShares ?? 0;
  if (shares < 0) errors.push(invalid('spec.limited.nominalConcurrencyShares', shares, 'must be a non-negative integer'));
  const lendable = limited.lendablePercent ?? 0;
  if (lendable < 0 || lendable > 100) errors.push(invalid('spec.limited.lendablePercent', lendable, 'must be between 0 and 100, inclusive'));
  if ((limited.borrowingLimitPercent ?? 0) < 0)
    errors.push(invalid('spec.limited.borrowingLimitPercent', limited.borrowingLimitPercent, 'if specified, must be a non-negative integer'));
  const response = limited.limitResponse;
  if (response?.type === 'Reject') {
    if (response.queuing)
      errors.push({
        type: 'FieldValueForbidden',
        field: 'spec.limited.limitResponse.queuing',
        detail: 'must be nil if limited.limitResponse.type is not Limited',
      });
  } else if (response?.type === 'Queue') {
    if (!response.queuing) errors.push(required('spec.limited.limitResponse.queuing', 'must not be empty if limited.limitResponse.type is Limited'));
    for (const field of ['queues', 'handSize', 'queueLengthLimit'] as const) {
      const value = response.queuing?.[field];
      if (value !== undefined && value <= 0) errors.push(invalid(`spec.limited.limitResponse.queuing.${field}`, value, 'must be positive'));
    }
    const { queues, handSize } = response.queuing ?? {};
    if (queues !== undefined && handSize !== undefined && handSize > queues)
      errors.push(invalid('spec.limited.limitResponse.queuing.handSize', handSize, `should not be greater than queues (${queues})`));
  } else errors.push(notSupported('spec.limited.limitResponse.type', response?.type ?? '', ['Queue', 'Reject']));
}
