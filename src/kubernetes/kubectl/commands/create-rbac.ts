/** kubectl create role, clusterrole, rolebinding, clusterrolebinding (kubectl pkg/cmd/create). */
import type { Json } from '../../api/json.ts';
import { AggregateFailure, KubectlError } from '../errors.ts';
import { type FlagSpecs, text } from '../flags.ts';
import type { Session } from '../session.ts';
import { type Generator, newObject, ownNamespace } from './generator.ts';

const RBAC = 'rbac.authorization.k8s.io';
const list = (): { readonly type: 'strings' } => ({ type: 'strings' });

const RESOURCE_VERBS = '* approve attest bind create delete deletecollection escalate get impersonate list patch proxy sign update use watch'.split(' ');
const URL_VERBS = '* get put post head options delete patch'.split(' ');
/** Verbs for things that are no resources of the server. */
const SPECIAL: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  use: { podsecuritypolicies: ['policy', 'extensions'] },
  bind: { roles: [RBAC], clusterroles: [RBAC] },
  escalate: { roles: [RBAC], clusterroles: [RBAC] },
  impersonate: { users: [''], serviceaccounts: [''], groups: [''], userextras: ['authentication.k8s.io'] },
};

interface Named {
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
}

/** `deployments.apps/scale`. */
function named(spec: string): Named {
  const [before = '', ...after] = spec.split('/');
  const [resource = '', ...group] = before.split('.');
  if (before === '*' && group.length === 0 && after.length === 0) return { group: '', resource: '*', subresource: '' };
  return { group: group.join('.'), resource, subresource: after.join('/') };
}

async function resolved(session: Session, { group, resource, subresource }: Named, verbs: readonly string[]): Promise<Named> {
  if (resource === '*') return { group, resource, subresource };
  const info = await session.discovery.find(group === '' ? resource : `${resource}.${group}`);
  if (info) return { group: info.group, resource: info.resource, subresource };
  if (verbs.some((verb) => SPECIAL[verb]?.[resource]?.includes(group))) return { group, resource, subresource };
  // Said as the server's having none, which is not put after `error: `.
  throw new AggregateFailure([
    new KubectlError(`the server doesn't have a resource type ${JSON.stringify(resource)}${group === '' ? '' : ` in group ${JSON.stringify(group)}`}`),
  ]);
}

async function rulesOf(session: Session, clusterWide: boolean): Promise<Json> {
  const { flags } = session;
  const given = [...new Set(flags.list('verb'))].filter((verb) => verb !== '');
  const verbs = given.includes('*') ? ['*'] : given;
  const urls = flags.list('non-resource-url').filter((url) => url !== '');
  const resources = flags
    .list('resource')
    .filter((one) => one !== '')
    .map(named);
  if (verbs.length === 0) throw new KubectlError('at least one verb must be specified');
  if (clusterWide && resources.length === 0 && urls.length === 0) throw new KubectlError('one of resource or nonResourceURL must be specified');
  if (!clusterWide && resources.length === 0) throw new KubectlError('at least one resource must be specified');
  const names = flags.all('resource-name');
  if (resources.length > 0) {
    for (const verb of verbs) if (!RESOURCE_VERBS.includes(verb)) session.err(`Warning: '${verb}' is not a standard resource verb\n`);
  }
  if (urls.length > 0) {
    for (const verb of verbs) if (!URL_VERBS.includes(verb)) throw new KubectlError(`invalid verb: '${verb}' for nonResourceURL`);
    for (const url of urls) {
      if (url === '*') continue;
      if (!url.startsWith('/')) throw new KubectlError('nonResourceURL should start with /');
      if (url.slice(0, -1).includes('*')) throw new KubectlError("nonResourceURL only supports wildcard matches when '*' is at the end");
    }
  }
  const byGroup = new Map<string, string[]>();
  for (const one of resources) {
    const { group, resource, subresource } = await resolved(session, one, verbs);
    const full = subresource === '' ? resource : `${resource}/${subresource}`;
    const known = byGroup.get(group) ?? [];
    if (!known.includes(full)) byGroup.set(group, [...known, full]);
  }
  const rules: Json[] = [...byGroup.keys()]
    .sort()
    .map((group) => ({ apiGroups: [group], ...(names.length > 0 ? { resourceNames: names as Json } : {}), resources: byGroup.get(group)!, verbs }));
  if (urls.length > 0) rules.push({ nonResourceURLs: urls as Json, verbs });
  return rules;
}
const RULE_FLAGS: FlagSpecs = { verb: list(), resource: list(), 'resource-name': list() };

function subjectsOf(session: Session): { readonly subjects?: Json } {
  const { flags } = session;
  const subjects: Json[] = [];
  for (const name of flags.all('user')) subjects.push({ apiGroup: RBAC, kind: 'User', name });
  for (const name of flags.all('group')) subjects.push({ apiGroup: RBAC, kind: 'Group', name });
  for (const account of flags.all('serviceaccount')) {
    const parts = account.split(':');
    const [namespace, name] = parts;
    if (parts.length !== 2 || !namespace || !name) throw new KubectlError('serviceaccount must be <namespace>:<name>');
    subjects.push({ kind: 'ServiceAccount', name, namespace });
  }
  return subjects.length > 0 ? { subjects } : {};
}
const SUBJECT_FLAGS: FlagSpecs = { user: list(), group: list(), serviceaccount: list() };

export const RBAC_GENERATORS: Readonly<Record<string, Generator>> = {
  role: {
    summary: 'Create a role with single rule',
    usage: 'kubectl create role NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename] [--dry-run=server|client|none] [options]',
    flags: RULE_FLAGS,
    make: async (session, name) => newObject(`${RBAC}/v1`, 'Role', name, ownNamespace(session), { rules: await rulesOf(session, false) }),
  },
  clusterrole: {
    summary: 'Create a cluster role',
    usage: 'kubectl create clusterrole NAME --verb=verb --resource=resource.group [--resource-name=resourcename] [--dry-run=server|client|none] [options]',
    flags: { ...RULE_FLAGS, 'non-resource-url': list(), 'aggregation-rule': { type: 'plain' } },
    make: async (session, name) => {
      const { flags } = session;
      const pairs = flags.text('aggregation-rule');
      if (pairs === '') return newObject(`${RBAC}/v1`, 'ClusterRole', name, undefined, { rules: await rulesOf(session, true) });
      if (['verb', 'resource', 'resource-name', 'non-resource-url'].some((flag) => flags.has(flag)))
        throw new KubectlError('aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames');
      const matchLabels = Object.fromEntries(
        pairs.split(',').map((pair) => {
          if (!pair.includes('='))
            throw new KubectlError(`invalid argument ${JSON.stringify(pairs)} for "--aggregation-rule" flag: ${pair} must be formatted as key=value`);
          return [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
        }),
      );
      return newObject(`${RBAC}/v1`, 'ClusterRole', name, undefined, { aggregationRule: { clusterRoleSelectors: [{ matchLabels }] }, rules: null });
    },
  },
  rolebinding: {
    summary: 'Create a role binding for a particular role or cluster role',
    usage:
      'kubectl create rolebinding NAME --clusterrole=NAME|--role=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none] [options]',
    flags: { ...SUBJECT_FLAGS, clusterrole: text(), role: text() },
    make: (session, name) => {
      const [role, clusterRole] = [session.flags.text('role'), session.flags.text('clusterrole')];
      if ((role === '') === (clusterRole === '')) throw new KubectlError('exactly one of clusterrole or role must be specified');
      return newObject(`${RBAC}/v1`, 'RoleBinding', name, ownNamespace(session), {
        roleRef: { apiGroup: RBAC, kind: role ? 'Role' : 'ClusterRole', name: role || clusterRole },
        ...subjectsOf(session),
      });
    },
  },
  clusterrolebinding: {
    summary: 'Create a cluster role binding for a particular cluster role',
    usage:
      'kubectl create clusterrolebinding NAME --clusterrole=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none] [options]',
    flags: { ...SUBJECT_FLAGS, clusterrole: text() },
    required: ['clusterrole'],
    make: (session, name) =>
      newObject(`${RBAC}/v1`, 'ClusterRoleBinding', name, undefined, {
        roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: session.flags.text('clusterrole') },
        ...subjectsOf(session),
      }),
  },
};
