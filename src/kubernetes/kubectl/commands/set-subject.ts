/** kubectl set subject (kubectl pkg/cmd/set/set_subject.go). */
import type { Json } from '../../api/json.ts';
import { partOf, withPart } from '../change.ts';
import { KubectlError } from '../errors.ts';
import type { ObjectLike } from '../session.ts';
import type { Command } from './command.ts';
import { changeAll, objectsFor, SET_FLAGS } from './set-pods.ts';

const RBAC = 'rbac.authorization.k8s.io';
interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly apiGroup?: string;
  readonly namespace?: string;
}

export const subject: Command = {
  summary: 'Update the user, group, or service account in a role binding or cluster role binding',
  usage:
    'kubectl set subject (-f FILENAME | TYPE NAME) [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none] [options]',
  flags: { ...SET_FLAGS, user: { type: 'strings' }, group: { type: 'strings' }, serviceaccount: { type: 'strings' } },
  run: async (session, args) => {
    const { flags } = session;
    const { found, failures } = await objectsFor(session, args);
    if (flags.bool('all') && flags.text('selector') !== '') throw new KubectlError('cannot set --all and --selector at the same time');
    const [users, groups, accounts] = ['user', 'group', 'serviceaccount'].map((name) => flags.list(name).filter((one) => one !== '')) as [
      string[],
      string[],
      string[],
    ];
    if (users.length + groups.length + accounts.length === 0) throw new KubectlError('you must specify at least one value of user, group or serviceaccount');
    for (const account of accounts) {
      const parts = account.split(':');
      if (parts.length !== 2) throw new KubectlError('serviceaccount must be <namespace>:<name>');
      for (const [i, what] of ['namespace', 'name'].entries())
        if (parts[i] === '') throw new KubectlError(`serviceaccount must be <namespace>:<name>, ${what} must be specified`.replace(/, .*/, ''));
    }
    const wanted: readonly Subject[] = [
      ...users.map((name) => ({ kind: 'User', apiGroup: RBAC, name })),
      ...groups.map((name) => ({ kind: 'Group', apiGroup: RBAC, name })),
      ...accounts.map((account) => ({ kind: 'ServiceAccount', namespace: account.split(':')[0]!, name: account.split(':')[1]! })),
    ];
    await changeAll(session, {
      found,
      failures,
      manager: 'kubectl-set',
      outcome: 'subjects updated',
      failed: 'failed to patch subjects to rolebinding',
      change: (target) => {
        if (target.info.group !== RBAC || !/^(Cluster)?RoleBinding$/.test(target.info.kind))
          throw new KubectlError(`${target.info.resource}/${target.name} setting subjects is only supported for RoleBinding/ClusterRoleBinding`);
        const before = (partOf(target.object, ['subjects']) ?? []) as unknown as readonly Subject[];
        const added = wanted.filter(
          (one) => !before.some((old) => old.kind === one.kind && old.name === one.name && (old.namespace ?? '') === (one.namespace ?? '')),
        );
        return added.length === 0 ? target.object : (withPart(target.object, ['subjects'], [...before, ...added] as unknown as Json) as ObjectLike);
      },
    });
  },
};
