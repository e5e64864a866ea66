/**
 * Webhook configurations and admission policies that could never work are refused when they are written
 * (pkg/apis/admissionregistration/validation). A plugin of ours and not part of `validation/`, because it
 * compiles expressions, and CEL comes only with admission's own bundle.
 *
 * Here simplified: the estimated cost of an expression is not checked.
 */
import type { DeepReadonly } from '../../../api/json.ts';
import { dns1035LabelErrors, dns1123SubdomainErrors, qualifiedNameErrors } from '../../../api/names.ts';
import { ApiError } from '../../../api/request.ts';
import type {
  MatchCondition,
  MatchResources,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhook,
  NamedRuleWithOperations,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhook,
} from '../../../api/types.gen.ts';
import { compile } from '../../cel/environment.ts';
import { duplicate, type Errors, invalid, invalidStatus, notSupported, required, sameJson, tooMany } from '../../validation/field.ts';
import { validateLabelSelector } from '../../validation/metadata.ts';
import type { Plugin } from '../admission.ts';
import { CONDITION_NAMES } from '../matching.ts';
import { namesOf } from './compiled.ts';
import { namesOfMutations } from './mutating.ts';

type Policy = DeepReadonly<ValidatingAdmissionPolicy>;
type Rule = DeepReadonly<NamedRuleWithOperations>;

export const admissionConfiguration: Plugin = {
  name: 'AdmissionConfiguration',
  validate({ row, object, old }) {
    if (!object) return;
    const errors: Errors = [];
    switch (row.kind) {
      case 'MutatingWebhookConfiguration':
      case 'ValidatingWebhookConfiguration':
        validateWebhooks(
          errors,
          (object as { webhooks?: readonly MutatingWebhook[] }).webhooks ?? [],
          (old as { webhooks?: readonly MutatingWebhook[] } | undefined)?.webhooks,
        );
        break;
      case 'MutatingAdmissionPolicy':
        validateMutations(errors, object as DeepReadonly<MutatingAdmissionPolicy>, old as DeepReadonly<MutatingAdmissionPolicy> | undefined);
        break;
      case 'MutatingAdmissionPolicyBinding':
        validateMutatingBinding(errors, object as DeepReadonly<MutatingAdmissionPolicyBinding>);
        break;
      case 'ValidatingAdmissionPolicy':
        validatePolicy(errors, object as Policy, old as Policy | undefined);
        break;
      default:
        validateBinding(errors, object as DeepReadonly<ValidatingAdmissionPolicyBinding>);
    }
    if (errors.length > 0) throw new ApiError(invalidStatus(row.kind, row.group, object.metadata.name ?? '', errors));
  },
};

const supported = (errors: Errors, at: string, value: string | undefined, values: readonly string[]): void => {
  if (value !== undefined && !values.includes(value)) errors.push(notSupported(at, value, values));
};
const FAILURE_POLICIES = ['Fail', 'Ignore'];
const MATCH_POLICIES = ['Equivalent', 'Exact'];
const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const NO_SIDE_EFFECTS = ['None', 'NoneOnDryRun'];
const REVIEW_VERSIONS = ['v1', 'v1beta1'];

// --- webhooks ------------------------------------------------------------------------------------------

function validateWebhooks(
  errors: Errors,
  webhooks: readonly (MutatingWebhook | ValidatingWebhook)[],
  before: readonly (MutatingWebhook | ValidatingWebhook)[] | undefined,
): void {
  const names = new Set<string>();
  for (const [i, webhook] of webhooks.entries()) {
    const at = `webhooks[${i}]`;
    const unchanged = before !== undefined && sameJson(before[i]?.matchConditions, webhook.matchConditions);
    validateWebhook(errors, at, webhook, unchanged);
    reviewVersions(errors, `${at}.admissionReviewVersions`, webhook.admissionReviewVersions ?? []);
    if (!webhook.name) continue;
    if (names.has(webhook.name)) errors.push(duplicate(`${at}.name`, webhook.name));
    names.add(webhook.name);
  }
}

function validateWebhook(errors: Errors, at: string, webhook: MutatingWebhook | ValidatingWebhook, sameConditions: boolean): void {
  fullyQualified(errors, `${at}.name`, webhook.name);
  for (const [i, rule] of (webhook.rules ?? []).entries()) validateRule(errors, `${at}.rules[${i}]`, rule);
  supported(errors, `${at}.failurePolicy`, webhook.failurePolicy, FAILURE_POLICIES);
  supported(errors, `${at}.matchPolicy`, webhook.matchPolicy, MATCH_POLICIES);
  if (!webhook.sideEffects) errors.push(required(`${at}.sideEffects`, `must specify one of ${NO_SIDE_EFFECTS.join(', ')}`));
  else supported(errors, `${at}.sideEffects`, webhook.sideEffects, NO_SIDE_EFFECTS);
  const { timeoutSeconds } = webhook;
  if (timeoutSeconds !== undefined && (timeoutSeconds > 30 || timeoutSeconds < 1))
    errors.push(invalid(`${at}.timeoutSeconds`, timeoutSeconds, 'the timeout value must be between 1 and 30 seconds'));
  if (webhook.namespaceSelector) validateLabelSelector(errors, webhook.namespaceSelector, `${at}.namespaceSelector`);
  if (webhook.objectSelector) validateLabelSelector(errors, webhook.objectSelector, `${at}.objectSelector`);
  if ('reinvocationPolicy' in webhook) supported(errors, `${at}.reinvocationPolicy`, webhook.reinvocationPolicy, ['IfNeeded', 'Never']);
  const { url, service } = webhook.clientConfig ?? {};
  if ((url === undefined) === (service === undefined)) errors.push(required(`${at}.clientConfig`, 'exactly one of url or service is required'));
  else if (url !== undefined) validateUrl(errors, `${at}.clientConfig.url`, url);
  else validateService(errors, `${at}.clientConfig.service`, service!);
  if (!sameConditions) validateConditions(errors, `${at}.matchConditions`, webhook.matchConditions ?? [], CONDITION_NAMES);
}

function fullyQualified(errors: Errors, at: string, name: string): void {
  if (!name) {
    errors.push(required(at));
    return;
  }
  const wrong = dns1123SubdomainErrors(name);
  if (wrong.length > 0) errors.push(invalid(at, name, wrong.join(',')));
  else if (name.split('.').length < 3) errors.push(invalid(at, name, 'should be a domain with at least three segments separated by dots'));
}

function reviewVersions(errors: Errors, at: string, versions: readonly string[]): void {
  if (versions.length === 0) {
    errors.push(required(at, `must specify one of ${REVIEW_VERSIONS.join(', ')}`));
    return;
  }
  const seen = new Set<string>();
  for (const [i, version] of versions.entries()) {
    if (seen.has(version)) errors.push(invalid(`${at}[${i}]`, version, 'duplicate version'));
    else for (const wrong of dns1035LabelErrors(version)) errors.push(invalid(`${at}[${i}]`, version, wrong));
    seen.add(version);
  }
  if (!versions.some((version) => REVIEW_VERSIONS.includes(version)))
    errors.push(invalid(at, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`));
}

function validateUrl(errors: Errors, at: string, url: string): void {
  const form = '; desired format: https://host[/path]';
  const m = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?(?:([^@/?#]*)@)?([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/.exec(url);
  const [, scheme = '', user, host = '', , query, fragment] = m ?? [];
  if (scheme !== 'https') errors.push(invalid(at, scheme, `'https' is the only allowed URL scheme${form}`));
  if (scheme === '' || host === '') errors.push(invalid(at, scheme === '' ? '' : host, `host must be specified${form}`));
  if (user !== undefined) errors.push(invalid(at, user, 'user information is not permitted in the URL'));
  if (fragment) errors.push(invalid(at, fragment, 'fragments are not permitted in the URL'));
  if (query) errors.push(invalid(at, query, 'query parameters are not permitted in the URL'));
}

function validateService(
  errors: Errors,
  at: string,
  { name, namespace, path, port }: { name?: string; namespace?: string; path?: string; port?: number },
): void {
  if (!name) errors.push(required(`${at}.name`, 'service name is required'));
  if (!namespace) errors.push(required(`${at}.namespace`, 'service namespace is required'));
  if (port !== undefined && (port < 1 || port > 65535)) errors.push(invalid(`${at}.port`, port, 'port is not valid: must be between 1 and 65535, inclusive'));
  if (!path || path === '/') return;
  const bad = (detail: string): void => void errors.push(invalid(`${at}.path`, path, detail));
  if (path === '//') {
    bad('segment[0] may not be empty');
    return;
  }
  if (!path.startsWith('/')) bad("must start with a '/'");
  const steps = path.slice(1).replace(/\/$/, '').split('/');
  for (const [i, step] of steps.entries()) {
    if (step === '') bad(`segment[${i}] may not be empty`);
    else for (const failure of dns1123SubdomainErrors(step)) bad(`segment[${i}]: ${failure}`);
  }
}

// --- rules -----------------------------------------------------------------------------------------------

function validateRule(errors: Errors, at: string, rule: Rule): void {
  const lonely = (field: 'operations' | 'apiGroups' | 'apiVersions', what: string): void => {
    const list = rule[field] ?? [];
    if (list.length === 0) errors.push(required(`${at}.${field}`));
    if (list.length > 1 && list.includes('*')) errors.push(invalid(`${at}.${field}`, list, `if '*' is present, must not specify other ${what}`));
  };
  lonely('operations', 'operations');
  for (const [i, operation] of (rule.operations ?? []).entries()) supported(errors, `${at}.operations[${i}]`, operation, OPERATIONS);
  lonely('apiGroups', 'API groups');
  lonely('apiVersions', 'API versions');
  for (const [i, version] of (rule.apiVersions ?? []).entries()) if (version === '') errors.push(required(`${at}.apiVersions[${i}]`));
  validateResources(errors, `${at}.resources`, rule.resources ?? []);
  supported(errors, `${at}.scope`, rule.scope, ['*', 'Cluster', 'Namespaced']);
}

function validateResources(errors: Errors, at: string, resources: readonly string[]): void {
  if (resources.length === 0) errors.push(required(at));
  const anySub = new Set<string>();
  const anyResource = new Set<string>();
  let plain = false;
  for (const [i, each] of resources.entries()) {
    if (each === '') {
      errors.push(required(`${at}[${i}]`));
      continue;
    }
    const slash = each.indexOf('/');
    if (slash < 0) {
      plain = each !== '*';
      continue;
    }
    const [resource, sub] = [each.slice(0, slash), each.slice(slash + 1)];
    if (anySub.has(resource)) errors.push(invalid(`${at}[${i}]`, each, `if '${resource}/*' is present, must not specify ${each}`));
    if (anyResource.has(sub)) errors.push(invalid(`${at}[${i}]`, each, `if '*/${sub}' is present, must not specify ${each}`));
    if (sub === '*') anySub.add(resource);
    if (resource === '*') anyResource.add(sub);
  }
  if (resources.length > 1 && resources.includes('*/*')) errors.push(invalid(at, resources, "if '*/*' is present, must not specify other resources"));
  if (resources.includes('*') && plain) errors.push(invalid(at, resources, "if '*' is present, must not specify other resources without subresources"));
}

// --- expressions ------------------------------------------------------------------------------------------

function expressionErrors(errors: Errors, at: string, expression: string, variables: readonly string[], returns: 'bool' | 'string' | 'dyn'): void {
  try {
    compile(expression, { variables, returns });
  } catch (error) {
    errors.push(invalid(at, expression, (error as Error).message));
  }
}

function validateConditions(errors: Errors, at: string, conditions: readonly DeepReadonly<MatchCondition>[], variables: readonly string[]): void {
  if (conditions.length > 64) errors.push(tooMany(at, conditions.length, 64));
  const names = new Set<string>();
  for (const [i, { name, expression }] of conditions.entries()) {
    const trimmed = (expression ?? '').trim();
    if (trimmed === '') errors.push(required(`${at}[${i}].expression`));
    else expressionErrors(errors, `${at}[${i}].expression`, trimmed, variables, 'bool');
    if (!name) errors.push(required(`${at}[${i}].name`));
    else {
      for (const wrong of qualifiedNameErrors(name)) errors.push(invalid(`${at}[${i}].name`, name, wrong));
      if (names.has(name)) errors.push(duplicate(`${at}[${i}].name`, name));
      names.add(name);
    }
  }
}

// --- policies --------------------------------------------------------------------------------------------

const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized'];
const MOST_ANNOTATIONS = 20;
const IDENTIFIER = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const KEYWORDS = new Set('true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' '));

/** What both kinds of policies say alike: what they are about, and their variables. */
function validateCommon(errors: Errors, policy: Pick<Policy, 'spec'>, old: Pick<Policy, 'spec'> | undefined, names: readonly string[]): void {
  const spec = policy.spec ?? {};
  supported(errors, 'spec.failurePolicy', spec.failurePolicy, FAILURE_POLICIES);
  if (spec.paramKind) {
    if (!spec.paramKind.apiVersion) errors.push(required('spec.paramKind.apiVersion'));
    if (!spec.paramKind.kind) errors.push(required('spec.paramKind.kind'));
  }
  if (!spec.matchConstraints) errors.push(required('spec.matchConstraints'));
  else {
    validateMatch(errors, 'spec.matchConstraints', spec.matchConstraints);
    if (!spec.matchConstraints.resourceRules?.length) errors.push(required('spec.matchConstraints.resourceRules'));
  }
  const known = old !== undefined && sameJson(old.spec?.matchConditions, spec.matchConditions) && sameJson(old.spec?.paramKind, spec.paramKind);
  if (!known) validateConditions(errors, 'spec.matchConditions', spec.matchConditions ?? [], names);
  for (const [i, { name, expression }] of (spec.variables ?? []).entries()) {
    const at = `spec.variables[${i}]`;
    if (!name?.trim()) errors.push(required(`${at}.name`, 'name is not specified'));
    else if (!IDENTIFIER.test(name) || KEYWORDS.has(name)) errors.push(invalid(`${at}.name`, name, 'name is not a valid CEL identifier'));
    if (!expression?.trim()) errors.push(required(`${at}.expression`, 'expression is not specified'));
    else expressionErrors(errors, `${at}.expression`, expression, names, 'dyn');
  }
}

const PATCH_TYPES = ['ApplyConfiguration', 'JSONPatch'];

function validateMutations(errors: Errors, policy: DeepReadonly<MutatingAdmissionPolicy>, old: DeepReadonly<MutatingAdmissionPolicy> | undefined): void {
  const names = namesOfMutations(policy);
  validateCommon(errors, policy as Pick<Policy, 'spec'>, old as Pick<Policy, 'spec'> | undefined, names);
  const { mutations = [], reinvocationPolicy } = policy.spec ?? {};
  if (mutations.length === 0) errors.push(required('spec.mutations', 'mutations must contain at least one item'));
  for (const [i, { patchType, applyConfiguration, jsonPatch }] of mutations.entries()) {
    const at = `spec.mutations[${i}]`;
    if (!patchType) errors.push(required(`${at}.patchType`));
    else if (!PATCH_TYPES.includes(patchType)) errors.push(notSupported(`${at}.patchType`, patchType, PATCH_TYPES));
    const json = patchType === 'JSONPatch';
    const [field, own, other] = json
      ? (['jsonPatch', jsonPatch, applyConfiguration] as const)
      : (['applyConfiguration', applyConfiguration, jsonPatch] as const);
    if (!own) errors.push(required(`${at}.${field}`, `must be specified when patchType is ${patchType || 'ApplyConfiguration'}`));
    else if (!own.expression?.trim()) errors.push(required(`${at}.${field}.expression`, 'expression is not specified'));
    else expressionErrors(errors, `${at}.${field}.expression`, own.expression, names, 'dyn');
    if (other) errors.push(invalid(`${at}.${json ? 'applyConfiguration' : 'jsonPatch'}`, other, `must not be specified when patchType is ${patchType}`));
  }
  if (!reinvocationPolicy) errors.push(required('spec.reinvocationPolicy'));
  else supported(errors, 'spec.reinvocationPolicy', reinvocationPolicy, ['IfNeeded', 'Never']);
}

function validateMutatingBinding(errors: Errors, { spec }: DeepReadonly<MutatingAdmissionPolicyBinding>): void {
  if (!spec?.policyName) errors.push(required('spec.policyName'));
  if (spec?.matchResources) validateMatch(errors, 'spec.matchResources', spec.matchResources as DeepReadonly<MatchResources>);
}

function validatePolicy(errors: Errors, policy: Policy, old: Policy | undefined): void {
  const spec = policy.spec ?? {};
  const names = namesOf(policy);
  validateCommon(errors, policy, old, names);
  const { validations = [], auditAnnotations = [] } = spec;
  if (validations.length === 0 && auditAnnotations.length === 0) {
    for (const field of ['validations', 'auditAnnotations'])
      errors.push(required(`spec.${field}`, 'validations or auditAnnotations must contain at least one item'));
    return;
  }
  for (const [i, validation] of validations.entries()) validateValidation(errors, `spec.validations[${i}]`, validation, policy);
  if (auditAnnotations.length > MOST_ANNOTATIONS)
    errors.push(invalid('spec.auditAnnotations', auditAnnotations, `must not have more than ${MOST_ANNOTATIONS} auditAnnotations`));
  const keys = new Set<string>();
  for (const [i, { key, valueExpression }] of auditAnnotations.entries()) {
    const at = `spec.auditAnnotations[${i}]`;
    if (!key) errors.push(required(`${at}.key`));
    else for (const wrong of qualifiedNameErrors(`${policy.metadata.name}/${key}`)) errors.push(invalid(`${at}.key`, key, wrong));
    if (!valueExpression?.trim()) errors.push(required(`${at}.valueExpression`, 'valueExpression is not specified'));
    else expressionErrors(errors, `${at}.valueExpression`, valueExpression, names, 'dyn');
    if (keys.has(key)) errors.push(duplicate(`${at}.key`, key));
    keys.add(key);
  }
}

function validateValidation(
  errors: Errors,
  at: string,
  { expression, message, messageExpression, reason }: { expression?: string; message?: string; messageExpression?: string; reason?: string },
  policy: Policy,
): void {
  if (!expression?.trim()) errors.push(required(`${at}.expression`, 'expression is not specified'));
  else expressionErrors(errors, `${at}.expression`, expression, namesOf(policy), 'bool');
  if (messageExpression) {
    if (messageExpression.trim() === '') errors.push(invalid(`${at}.messageExpression`, messageExpression, 'must be non-empty if specified'));
    else expressionErrors(errors, `${at}.messageExpression`, messageExpression, namesOf(policy, false), 'string');
  }
  if (message) {
    if (message.trim() === '') errors.push(invalid(`${at}.message`, message, 'message must be non-empty if specified'));
    else if (/[\r\n]/.test(message.trim())) errors.push(invalid(`${at}.message`, message, 'message must not contain line breaks'));
  } else if (/[\r\n]/.test((expression ?? '').trim())) errors.push(required(`${at}.message`, 'message must be specified if expression contains line breaks'));
  supported(errors, `${at}.reason`, reason, REASONS);
}

function validateMatch(errors: Errors, at: string, match: DeepReadonly<MatchResources>): void {
  supported(errors, `${at}.matchPolicy`, match.matchPolicy, MATCH_POLICIES);
  if (match.namespaceSelector)
    validateLabelSelector(errors, match.namespaceSelector as NonNullable<MatchResources['namespaceSelector']>, `${at}.namespaceSelector`);
  if (match.objectSelector) validateLabelSelector(errors, match.objectSelector as NonNullable<MatchResources['objectSelector']>, `${at}.objectSelector`);
  for (const list of ['resourceRules', 'excludeResourceRules'] as const) {
    for (const [i, rule] of (match[list] ?? []).entries()) {
      const names = new Set<string>();
      for (const [j, name] of (rule.resourceNames ?? []).entries()) {
        if (names.has(name)) errors.push(duplicate(`${at}.${list}[${i}].resourceNames[${j}]`, name));
        names.add(name);
      }
      validateRule(errors, `${at}.${list}[${i}]`, rule);
    }
  }
}

function validateBinding(errors: Errors, { spec = {} }: DeepReadonly<ValidatingAdmissionPolicyBinding>): void {
  if (!spec.policyName) errors.push(required('spec.policyName'));
  else for (const wrong of dns1123SubdomainErrors(spec.policyName)) errors.push(invalid('spec.policyName', spec.policyName, wrong));
  const { paramRef } = spec;
  if (paramRef) {
    if (paramRef.name && paramRef.selector)
      errors.push({ type: 'FieldValueForbidden', field: 'spec.paramRef.name', detail: 'name and selector are mutually exclusive' });
    if (!paramRef.name && !paramRef.selector) errors.push(required('spec.paramRef', 'one of name or selector must be specified'));
    if (paramRef.selector) validateLabelSelector(errors, paramRef.selector as NonNullable<MatchResources['objectSelector']>, 'spec.paramRef.selector');
    if (!paramRef.parameterNotFoundAction) errors.push(required('spec.paramRef.parameterNotFoundAction'));
    else supported(errors, 'spec.paramRef.parameterNotFoundAction', paramRef.parameterNotFoundAction, ['Allow', 'Deny']);
  }
  if (spec.matchResources) validateMatch(errors, 'spec.matchResources', spec.matchResources);
  const actions = spec.validationActions ?? [];
  const seen = new Set<string>();
  for (const [i, action] of actions.entries()) {
    supported(errors, `spec.validationActions[${i}]`, action, ['Audit', 'Deny', 'Warn']);
    if (seen.has(action)) errors.push(duplicate(`spec.validationActions[${i}]`, action));
    seen.add(action);
  }
  if (seen.has('Deny') && seen.has('Warn'))
    errors.push(
      invalid(
        'spec.validationActions',
        actions,
        'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
      ),
    );
  if (seen.size === 0) errors.push(required('spec.validationActions', 'at least one validation action is required'));
}
