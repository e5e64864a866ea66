/**
 * Nobody grants what they do not have (pkg/registry/rbac: policybased storages, `escalation_check.go`, and
 * component-helpers `auth/rbac/validation`). Checked after mutating admission and before validation, as upstream
 * wraps the storage. Who may `escalate` a role or `bind` it is exempt, and so are system:masters.
 */
import type { KubeObject } from '../../api/meta.ts';
import type { ClusterRole, ClusterRoleBinding, Role } from '../../api/types.gen.ts';
import type { Plugin, Writing } from '../admission/admission.ts';
import type { User } from '../authentication.ts';
import { forbidden, notFound, quote } from '../errors.ts';
import type { Attributes, PolicyRule } from '../rbac.ts';
import { equalJson } from '../registry/equal.ts';

const GROUP = 'rbac.authorization.k8s.io';

/** What the check asks of the server's authorizers. */
export interface Rights {
  allowed(user: User, what: Attributes): boolean;
  /** Everything the user may do there, by RBAC alone, and what went wrong in finding out. */
  held(user: User, namespace: string): { readonly rules: readonly PolicyRule[]; readonly errors: readonly string[] };
  role(kind: string, namespace: string, name: string): KubeObject | undefined;
}

export const escalationCheck = (rights: Rights): Plugin => ({
  name: 'RBAC',
  mutate(attributes) {
    const { row, subresource, user, object } = attributes;
    if (row.group !== GROUP || subresource !== '' || user.groups.includes('system:masters')) return object;
    if (!onlyCollectorFields(attributes)) {
      if (row.plural === 'roles' || row.plural === 'clusterroles') checkRole(rights, attributes);
      else checkBinding(rights, attributes);
    }
    return object;
  },
});

/** The garbage collector may always take its own marks off. */
function onlyCollectorFields({ object, old }: Writing): boolean {
  if (!old) return false;
  const bare = ({ metadata, ...rest }: KubeObject) => {
    const { ownerReferences: _o, finalizers: _f, ...more } = metadata;
    return { ...rest, metadata: more };
  };
  return equalJson(bare(object), bare(old));
}

function checkRole(rights: Rights, { row, user, namespace, object, call }: Writing): void {
  const asked = { group: GROUP, subresource: '', namespace, path: '' };
  if (rights.allowed(user, { ...asked, verb: 'escalate', resource: row.plural, name: call.path.name })) return;
  const role = object as ClusterRole | Role;
  confirm(rights, user, namespace, (role.rules ?? []) as readonly PolicyRule[], row.plural, object.metadata.name ?? '');
  const gathers = ((role as ClusterRole).aggregationRule?.clusterRoleSelectors?.length ?? 0) > 0;
  if (gathers && !covers(rights.held(user, '').rules, EVERYTHING).covered)
    throw forbidden(GROUP, row.plural, object.metadata.name ?? '', 'must have cluster-admin privileges to use an aggregationRule');
}
const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

function checkBinding(rights: Rights, { row, user, namespace, object }: Writing): void {
  const { roleRef } = object as ClusterRoleBinding;
  const resource = roleRef?.kind === 'ClusterRole' ? 'clusterroles' : roleRef?.kind === 'Role' ? 'roles' : '';
  // What is no role at all is validation's to refuse.
  if (!roleRef || resource === '') return;
  if (rights.allowed(user, { verb: 'bind', group: GROUP, resource, subresource: '', namespace, name: roleRef.name, path: '' })) return;
  const role = rights.role(roleRef.kind, namespace, roleRef.name) as Role | undefined;
  if (!role) throw notFound(GROUP, resource, roleRef.name);
  confirm(rights, user, namespace, (role.rules ?? []) as readonly PolicyRule[], row.plural, object.metadata.name ?? '');
}

function confirm(rights: Rights, user: User, namespace: string, wanted: readonly PolicyRule[], resource: string, name: string): void {
  const { rules, errors } = rights.held(user, namespace);
  const { covered, missing } = covers(rules, wanted);
  if (covered) return;
  const lines = [...new Set(compact(missing).map(describeRule))].sort();
  const trouble = errors.length > 0 ? `; resolution errors: [${errors.length > 1 ? `[${errors.join(', ')}]` : errors[0]}]` : '';
  const who = `user ${quote(user.name)} (groups=${quoteList(user.groups)})`;
  throw forbidden(GROUP, resource, name, `${who} is attempting to grant RBAC permissions not currently held:\n${lines.join('\n')}${trouble}`);
}

const quoteList = (list: readonly string[]): string => `[${list.map(quote).join(' ')}]`;

/** As rbacv1helpers.CompactString writes a rule. */
export function describeRule({ apiGroups = [], resources = [], nonResourceURLs = [], resourceNames = [], verbs }: PolicyRule): string {
  const parts: string[] = [];
  for (const [label, list] of [
    ['APIGroups', apiGroups],
    ['Resources', resources],
    ['NonResourceURLs', nonResourceURLs],
    ['ResourceNames', resourceNames],
    ['Verbs', verbs],
  ] as const)
    if (list.length > 0) parts.push(`${label}:${quoteList(list)}`);
  return `{${parts.join(', ')}}`;
}

/** Whether some rules allow all that others do, and what they do not (validation.Covers). */
export function covers(owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): { readonly covered: boolean; readonly missing: readonly PolicyRule[] } {
  const missing = wanted.flatMap(breakDown).filter((part) => !owned.some((rule) => ruleCovers(rule, part)));
  return { covered: missing.length === 0, missing };
}

/** A rule as many that say one thing each. */
function breakDown({ verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }: PolicyRule): PolicyRule[] {
  const parts: PolicyRule[] = [];
  for (const group of apiGroups)
    for (const resource of resources)
      for (const verb of verbs) {
        const part = { apiGroups: [group], resources: [resource], verbs: [verb] };
        if (resourceNames.length === 0) parts.push(part);
        else for (const name of resourceNames) parts.push({ ...part, resourceNames: [name] });
      }
  for (const url of nonResourceURLs) for (const verb of verbs) parts.push({ nonResourceURLs: [url], verbs: [verb] });
  return parts;
}

function ruleCovers(owner: PolicyRule, part: PolicyRule): boolean {
  const has = (list: readonly string[] | undefined, wanted: string) => list !== undefined && (list.includes('*') || list.includes(wanted));
  if (!has(owner.verbs, part.verbs[0]!)) return false;
  const url = part.nonResourceURLs?.[0];
  if (url !== undefined)
    return (owner.nonResourceURLs ?? []).some((held) => held === '*' || held === url || (held.endsWith('*') && url.startsWith(held.slice(0, -1))));
  const resource = part.resources![0]!;
  const slash = resource.indexOf('/');
  const resources = owner.resources ?? [];
  if (!has(owner.apiGroups, part.apiGroups![0]!)) return false;
  if (!has(resources, resource) && !(slash >= 0 && resources.includes(`*${resource.slice(slash)}`))) return false;
  const names = owner.resourceNames ?? [];
  return names.length === 0 || (part.resourceNames !== undefined && names.includes(part.resourceNames[0]!));
}

/** Rules about the same thing become one with all their verbs (validation.CompactRules). */
function compact(rules: readonly PolicyRule[]): readonly PolicyRule[] {
  const byTarget = new Map<string, PolicyRule>();
  const others: PolicyRule[] = [];
  for (const rule of rules) {
    if (rule.nonResourceURLs) {
      others.push(rule);
      continue;
    }
    const key = `${rule.apiGroups![0]}|${rule.resources![0]}|${rule.resourceNames?.[0] ?? ''}`;
    const known = byTarget.get(key);
    byTarget.set(key, known ? { ...known, verbs: [...known.verbs, ...rule.verbs] } : rule);
  }
  return [...others, ...byTarget.values()];
}
