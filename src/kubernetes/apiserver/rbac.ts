/**
 * Who may do what: RBAC evaluated from the objects this server has in its watch cache
 * (upstream plugin/pkg/auth/authorizer/rbac). Every rule only allows; nothing denies. Before it stand
 * system:masters, who may do everything, and the Node authorizer (`authorization/node.ts`): the first to allow
 * decides, and a refusal gives the reasons of all (apiserver `authorization/union`).
 */
import type { KubeObject } from '../api/meta.ts';
import type { User } from './authentication.ts';
import type { Delegation, Own } from './authorization/delegation.ts';
import { quote } from './errors.ts';

export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

/** What is asked. `resource` empty: a path. */
export interface Attributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
  /** As the request has it; the Node authorizer looks for the node's own. */
  readonly fieldSelector?: string;
  /** Of the resource; only authorization webhooks are told. */
  readonly version?: string;
}

interface RoleRef {
  readonly kind: string;
  readonly name: string;
}
interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}
interface Binding extends KubeObject {
  readonly roleRef: RoleRef;
  readonly subjects?: readonly Subject[];
}
interface Role extends KubeObject {
  readonly rules?: readonly PolicyRule[];
}

/** Where roles and bindings are read: synchronous, from the cache. `version` changes whenever any of them does. */
export interface RbacSource {
  version(): number;
  list(resource: 'clusterrolebindings' | 'rolebindings', namespace?: string): Iterable<KubeObject>;
  get(resource: 'clusterroles' | 'roles', namespace: string, name: string): KubeObject | undefined;
}

/** Rules with the binding that grants them, which is what the answer can blame. */
interface Grant {
  readonly rule: PolicyRule;
  readonly by: string;
}
interface Grants {
  readonly grants: readonly Grant[];
  readonly missing: readonly string[];
}

export interface Verdict {
  readonly allowed: boolean;
  /** Somebody said no, and no one after them was asked. */
  readonly denied?: boolean;
  /** `RBAC: allowed by ClusterRoleBinding "cluster-admin" of ClusterRole "cluster-admin" to Group "system:masters"`, or what went wrong. */
  readonly reason: string;
}

export class Rbac {
  private readonly known = new Map<string, Grants>();
  /** The same by the caller himself, where one comes again as the same object: no key need be put together. */
  private byUser = new WeakMap<User, Map<string, Grants>>();
  private knownVersion = -1;
  /** `node`: the Node authorizer where `--authorization-mode` names it; undefined for users that are no kubelet. */
  constructor(
    private readonly source: RbacSource,
    private readonly node?: { authorize(user: User, what: Attributes): Verdict | undefined },
    /** Where the configuration names authorizers of others, and an order (`authorization/delegation.ts`). */
    private readonly delegation?: () => Delegation | undefined,
  ) {}

  private readonly own: Own = {
    Node: (user, what) => this.node?.authorize(user, what),
    RBAC: (user, what) => this.byRules(user, what),
  };

  /** Asks others what they think, before `authorize` is called; undefined when nobody need be asked. */
  consult(user: User, what: Attributes): Promise<void> | undefined {
    return this.delegation?.()?.consult(user, what, this.own);
  }

  authorize(user: User, what: Attributes): Verdict {
    if (user.groups.includes('system:masters')) return ALLOWED;
    const delegated = this.delegation?.()?.decide(user, what, this.own);
    if (delegated) return delegated;
    const own = this.node?.authorize(user, what);
    if (own?.allowed) return own;
    const verdict = this.byRules(user, what);
    return own?.reason && !verdict.allowed ? { allowed: false, reason: verdict.reason ? `${own.reason}\n${verdict.reason}` : own.reason } : verdict;
  }

  private byRules(user: User, what: Attributes): Verdict {
    const { grants, missing } = this.grantsOf(user, what.resource === '' ? '' : what.namespace);
    for (const grant of grants) if (allows(grant.rule, what)) return { allowed: true, reason: `RBAC: allowed by ${grant.by}` };
    return { allowed: false, reason: missing.length > 0 ? `RBAC: ${missing.length > 1 ? `[${missing.join(', ')}]` : missing[0]}` : '' };
  }

  /** All rules that hold for a user in a namespace, and the bindings that lead nowhere. */
  rulesOf(user: User, namespace: string): { readonly rules: readonly PolicyRule[]; readonly errors: readonly string[] } {
    const { grants, missing } = this.grantsOf(user, namespace);
    return { rules: grants.map((grant) => grant.rule), errors: missing };
  }

  /** The role a binding of `namespace` refers to. */
  role(kind: string, namespace: string, name: string): KubeObject | undefined {
    return kind === 'ClusterRole' ? this.source.get('clusterroles', '', name) : this.source.get('roles', namespace, name);
  }

  private grantsOf(user: User, namespace: string): Grants {
    const version = this.source.version();
    if (version !== this.knownVersion || this.known.size > 20_000) {
      this.known.clear();
      this.byUser = new WeakMap();
      this.knownVersion = version;
    }
    let own = this.byUser.get(user);
    const before = own?.get(namespace);
    if (before) return before;
    if (!own) {
      own = new Map();
      this.byUser.set(user, own);
    }
    const key = `${namespace}|${user.name}|${user.groups.join(',')}`;
    let grants = this.known.get(key);
    if (!grants) {
      grants = this.collect(user, namespace);
      this.known.set(key, grants);
    }
    own.set(namespace, grants);
    return grants;
  }

  private collect(user: User, namespace: string): Grants {
    const grants: Grant[] = [];
    const missing: string[] = [];
    const take = (kind: 'ClusterRoleBinding' | 'RoleBinding', binding: Binding): void => {
      const own = binding.metadata.namespace ?? '';
      const subject = binding.subjects?.find((candidate) => isSubject(candidate, user, own));
      if (!subject) return;
      const { kind: roleKind, name } = binding.roleRef;
      const role = (roleKind === 'ClusterRole' ? this.source.get('clusterroles', '', name) : this.source.get('roles', own, name)) as Role | undefined;
      if (!role) {
        missing.push(`${roleKind === 'ClusterRole' ? 'clusterrole' : 'role'}.rbac.authorization.k8s.io ${quote(name)} not found`);
        return;
      }
      const bound = kind === 'RoleBinding' ? `${binding.metadata.name}/${own}` : `${binding.metadata.name}`;
      const whom = `${subject.kind} ${quote(subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace ?? own}` : subject.name)}`;
      const by = `${kind} ${quote(bound)} of ${roleKind} ${quote(name)} to ${whom}`;
      for (const rule of role.rules ?? []) grants.push({ rule, by });
    };
    for (const binding of this.source.list('clusterrolebindings')) take('ClusterRoleBinding', binding as Binding);
    if (namespace !== '') for (const binding of this.source.list('rolebindings', namespace)) take('RoleBinding', binding as Binding);
    return { grants, missing };
  }
}

const ALLOWED: Verdict = { allowed: true, reason: '' };

function isSubject(subject: Subject, user: User, bindingNamespace: string): boolean {
  switch (subject.kind) {
    case 'User':
      return subject.name === user.name;
    case 'Group':
      return user.groups.includes(subject.name);
    case 'ServiceAccount':
      return user.name === `system:serviceaccount:${subject.namespace || bindingNamespace}:${subject.name}`;
    default:
      return false;
  }
}

/** One rule against one request (upstream pkg/apis/rbac/v1/evaluation_helpers.go). */
export function allows(rule: PolicyRule, what: Attributes): boolean {
  if (!rule.verbs.includes('*') && !rule.verbs.includes(what.verb)) return false;
  if (what.resource === '') {
    return (rule.nonResourceURLs ?? []).some((url) => url === '*' || url === what.path || (url.endsWith('*') && what.path.startsWith(url.slice(0, -1))));
  }
  const groups = rule.apiGroups ?? [];
  if (!groups.includes('*') && !groups.includes(what.group)) return false;
  const resources = rule.resources ?? [];
  const combined = what.subresource ? `${what.resource}/${what.subresource}` : what.resource;
  if (!resources.includes('*') && !resources.includes(combined) && !(what.subresource !== '' && resources.includes(`*/${what.subresource}`))) return false;
  const names = rule.resourceNames ?? [];
  return names.length === 0 || names.includes(what.name);
}

/** The text of a refusal (apiserver `responsewriters.forbiddenMessage`). */
export function forbiddenText(user: User, what: Attributes, reason: string): string {
  const who = `User ${quote(user.name)} cannot ${what.verb}`;
  const resource = what.subresource ? `${what.resource}/${what.subresource}` : what.resource;
  const text =
    what.resource === ''
      ? `${who} path ${quote(what.path)}`
      : what.namespace !== ''
        ? `${who} resource ${quote(resource)} in API group ${quote(what.group)} in the namespace ${quote(what.namespace)}`
        : `${who} resource ${quote(resource)} in API group ${quote(what.group)} at the cluster scope`;
  return reason === '' ? text : `${text}: ${reason}`;
}
