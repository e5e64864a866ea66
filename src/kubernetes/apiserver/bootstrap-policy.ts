/**
 * The roles and bindings every API server makes sure of when it starts (upstream
 * plugin/pkg/auth/authorizer/rbac/bootstrappolicy), and those kubeadm adds.
 *
 * Here simplified: kubeadm's are written by the server too, a little before kubeadm's own phases would.
 */
import type { KubeObject } from '../api/meta.ts';
import { BINDINGS, CLUSTER_ROLES, CONTROLLER_ROLES, KUBEADM_BINDINGS, KUBEADM_ROLES, ROLES } from './authorization/policy-text.ts';
import type { PolicyRule } from './rbac.ts';

const GROUP = 'rbac.authorization.k8s.io';
const CONTROLLER = 'system:controller:';
const VERBS: Readonly<Record<string, readonly string[]>> = {
  R: ['get', 'list', 'watch'],
  W: ['create', 'delete', 'deletecollection', 'patch', 'update'],
};
const EVENTS: PolicyRule = { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] };

/** One line of the text. Lists are sorted, as upstream's rule builder leaves them. */
function ruleOf(line: string): PolicyRule {
  const [verbs = '', target = '', ...rest] = line.trim().split(' ');
  if (verbs === 'events') return EVENTS;
  const all = verbs.split(',').flatMap((verb) => VERBS[verb] ?? [verb]);
  const sorted = (list: readonly string[]) => [...new Set(list)].sort();
  if (target.startsWith('/')) return { nonResourceURLs: sorted([target, ...rest]).map((path) => (path === '/*' ? '*' : path)), verbs: sorted(all) };
  const apiGroups = sorted(target.split(',').map((group) => (group === '-' ? '' : group)));
  const names = rest[1];
  return { apiGroups, ...(names ? { resourceNames: sorted(names.split(',')) } : {}), resources: sorted((rest[0] ?? '').split(',')), verbs: sorted(all) };
}

interface RoleText {
  readonly name: string;
  readonly to: string | undefined;
  readonly gathers: string | undefined;
  readonly rules: readonly PolicyRule[];
}

const rolesOf = (text: string): readonly RoleText[] =>
  text
    .trim()
    .split(/\n(?! )/)
    .map((paragraph) => {
      const [head = '', ...lines] = paragraph.split('\n');
      const [name = ''] = head.split(' ');
      return { name, to: / > (\S+)/.exec(head)?.[1], gathers: / < (\S+)/.exec(head)?.[1], rules: lines.map(ruleOf) };
    });

function metadataOf(name: string, ours: boolean, more: Readonly<Record<string, string>> = {}): KubeObject['metadata'] {
  const slash = name.indexOf('/');
  const placed = slash < 0 ? { name } : { name: name.slice(slash + 1), namespace: name.slice(0, slash) };
  if (!ours) return placed;
  return {
    annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...more },
    ...placed,
  };
}

const aggregates = (to: string): string => `${GROUP}/aggregate-to-${to}`;

function role({ name, to, gathers, rules }: RoleText, ours: boolean): KubeObject {
  return {
    ...(gathers ? { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregates(gathers)]: 'true' } }] } } : {}),
    apiVersion: `${GROUP}/v1`,
    kind: name.includes('/') ? 'Role' : 'ClusterRole',
    metadata: metadataOf(name, ours, to ? { [aggregates(to)]: 'true' } : {}),
    rules,
  } as unknown as KubeObject;
}

function binding(line: string, ours: boolean): KubeObject {
  const [name = '', target = '', ...whom] = line.split(' ');
  const subjects = whom.map((subject) => {
    if (subject.startsWith('#')) return { kind: 'ServiceAccount', name: subject.slice(1), namespace: 'kube-system' };
    return subject.startsWith('@') ? { apiGroup: GROUP, kind: 'User', name: subject.slice(1) } : { apiGroup: GROUP, kind: 'Group', name: subject };
  });
  const local = name.includes('/');
  return {
    apiVersion: `${GROUP}/v1`,
    kind: local ? 'RoleBinding' : 'ClusterRoleBinding',
    metadata: metadataOf(name, ours),
    roleRef: { apiGroup: GROUP, kind: local ? 'Role' : 'ClusterRole', name: target },
    ...(subjects.length > 0 ? { subjects } : {}),
  } as KubeObject;
}

/**
 * Roles that gather others begin with what the aggregation controller would give them, so that a new cluster need
 * not write them a second time. Here simplified: upstream writes them empty, and a moment later full.
 */
function gathered(roles: readonly RoleText[]): readonly RoleText[] {
  const rulesOf = (gathers: string): readonly PolicyRule[] => {
    const parts = roles.filter(({ to }) => to === gathers).sort((a, b) => (a.name < b.name ? -1 : 1));
    const rules: PolicyRule[] = [];
    for (const part of parts) {
      for (const rule of part.gathers ? rulesOf(part.gathers) : part.rules)
        if (!rules.some((known) => JSON.stringify(known) === JSON.stringify(rule))) rules.push(rule);
    }
    return rules;
  };
  return roles.map((each) => (each.gathers ? { ...each, rules: rulesOf(each.gathers) } : each));
}

const lines = (text: string): readonly string[] => text.trim().split('\n');

/** Roles and bindings of both scopes, as they are posted. */
export function bootstrapPolicy(): readonly KubeObject[] {
  const controllers = rolesOf(CONTROLLER_ROLES);
  return [
    ...gathered(rolesOf(CLUSTER_ROLES)).map((each) => role(each, true)),
    ...controllers.map((each) => role({ ...each, name: CONTROLLER + each.name }, true)),
    ...rolesOf(ROLES).map((each) => role(each, true)),
    ...rolesOf(KUBEADM_ROLES).map((each) => role(each, false)),
    ...lines(BINDINGS).map((line) => binding(line, true)),
    ...controllers.map(({ name }) => binding(`${CONTROLLER}${name} ${CONTROLLER}${name} #${name}`, true)),
    ...lines(KUBEADM_BINDINGS).map((line) => binding(line, false)),
  ];
}
