/** Audit policy (audit.k8s.io/v1 Policy; apiserver `pkg/audit/policy`): the first rule that matches says how much is written. */
import type { User } from '../authentication.ts';
import type { Attributes } from '../rbac.ts';

export type Level = 'None' | 'Metadata' | 'Request' | 'RequestResponse';
export type Stage = 'RequestReceived' | 'ResponseStarted' | 'ResponseComplete' | 'Panic';
const LEVELS: readonly string[] = ['None', 'Metadata', 'Request', 'RequestResponse'];
const STAGES: readonly string[] = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'];

export interface PolicyRule {
  readonly level: Level;
  readonly users?: readonly string[];
  readonly userGroups?: readonly string[];
  readonly verbs?: readonly string[];
  readonly resources?: readonly { readonly group?: string; readonly resources?: readonly string[]; readonly resourceNames?: readonly string[] }[];
  readonly namespaces?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly omitStages?: readonly Stage[];
  readonly omitManagedFields?: boolean;
}
export interface Policy {
  readonly omitStages?: readonly Stage[];
  readonly omitManagedFields?: boolean;
  readonly rules: readonly PolicyRule[];
}

export interface Decision {
  readonly level: Level;
  readonly omitStages: readonly Stage[];
  readonly omitManagedFields: boolean;
}

/** Checks a file's content. Throws an Error with the text kube-apiserver exits with. */
export function readPolicy(value: unknown, path: string): Policy {
  const policy = value as (Policy & { readonly apiVersion?: string; readonly kind?: string }) | null;
  if (policy?.kind !== 'Policy' || policy.apiVersion !== 'audit.k8s.io/v1')
    throw new Error(
      `failed decoding: no kind ${JSON.stringify(policy?.kind ?? '')} is registered for version ${JSON.stringify(policy?.apiVersion ?? '')} in scheme: from file ${path}`,
    );
  if (!policy.rules?.length) throw new Error(`loaded illegal policy with 0 rules from file ${path}`);
  const errors: string[] = [];
  const stages = (list: readonly string[] | undefined, at: string) => {
    (list ?? []).forEach((stage, i) => {
      if (!STAGES.includes(stage)) errors.push(`${at}[${i}]: Invalid value: ${JSON.stringify(stage)}: allowed stages are ${STAGES.join(',')}`);
    });
  };
  stages(policy.omitStages, 'omitStages');
  policy.rules.forEach((rule, i) => {
    const at = `rules[${i}]`;
    if (!rule.level) errors.push(`${at}.level: Required value`);
    else if (!LEVELS.includes(rule.level))
      errors.push(
        `${at}.level: Unsupported value: ${JSON.stringify(rule.level)}: supported values: ${LEVELS.map((level) => JSON.stringify(level)).join(', ')}`,
      );
    stages(rule.omitStages, `${at}.omitStages`);
    if (rule.nonResourceURLs?.length && (rule.resources?.length || rule.namespaces?.length))
      errors.push(
        `${at}.nonResourceURLs: Invalid value: ${JSON.stringify(rule.nonResourceURLs)}: rules cannot apply to both regular resources and non-resource URLs`,
      );
    (rule.nonResourceURLs ?? []).forEach((url, j) => {
      if (url === '*') return;
      if (!url.startsWith('/'))
        errors.push(`${at}.nonResourceURLs[${j}]: Invalid value: ${JSON.stringify(url)}: non-resource URL rules must begin with a '/' character`);
      else if (url.slice(0, -1).includes('*'))
        errors.push(
          `${at}.nonResourceURLs[${j}]: Invalid value: ${JSON.stringify(url)}: non-resource URL wildcards '*' must be the final character of the rule`,
        );
    });
    (rule.resources ?? []).forEach(({ group = '', resources, resourceNames }, j) => {
      if (group.includes('/')) errors.push(`${at}.resources[${j}].group: Invalid value: ${JSON.stringify(group)}: resource groups may not contain '/'`);
      if (resourceNames?.length && !resources?.length)
        errors.push(`${at}.resources[${j}].resourceNames: Invalid value: ${JSON.stringify(resourceNames)}: using resourceNames requires at least one resource`);
    });
  });
  if (errors.length > 0) throw new Error(`loaded illegal policy: ${errors.length > 1 ? `[${errors.join(', ')}]` : errors[0]}`);
  return policy;
}

export function decide(policy: Policy, user: User, what: Attributes): Decision {
  const rule = policy.rules.find((each) => matches(each, user, what));
  return {
    level: rule?.level ?? 'None',
    omitStages: [...(policy.omitStages ?? []), ...(rule?.omitStages ?? [])],
    omitManagedFields: rule?.omitManagedFields ?? policy.omitManagedFields ?? false,
  };
}

function matches(rule: PolicyRule, user: User, what: Attributes): boolean {
  const some = (list: readonly string[] | undefined, holds: (each: string) => boolean) => !list?.length || list.some(holds);
  if (!some(rule.users, (name) => name === user.name)) return false;
  if (!some(rule.userGroups, (group) => user.groups.includes(group))) return false;
  if (!some(rule.verbs, (verb) => verb === what.verb)) return false;
  if (rule.namespaces?.length || rule.resources?.length) return what.resource !== '' && matchesResource(rule, what);
  if (rule.nonResourceURLs?.length)
    return (
      what.resource === '' &&
      rule.nonResourceURLs.some((url) => url === '*' || url === what.path || (url.endsWith('*') && what.path.startsWith(url.slice(0, -1))))
    );
  return true;
}

function matchesResource({ namespaces, resources }: PolicyRule, { namespace, group, resource, subresource, name }: Attributes): boolean {
  if (namespaces?.length && !namespaces.includes(namespace)) return false;
  if (!resources?.length) return true;
  const combined = subresource ? `${resource}/${subresource}` : resource;
  return resources.some((each) => {
    if ((each.group ?? '') !== group) return false;
    if (!each.resources?.length) return true;
    if (each.resourceNames?.length && !each.resourceNames.includes(name)) return false;
    return each.resources.some(
      (wanted) => wanted === combined || wanted === '*' || (subresource !== '' && wanted === `*/${subresource}`) || wanted === `${resource}/*`,
    );
  });
}
