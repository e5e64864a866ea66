/**
 * OwnerReferencesPermissionEnforcement: who gives an object an owner makes the collector delete it one day, so they
 * must be allowed to delete it; who blocks the owner's deletion must be allowed to set the owner's finalizers
 * (plugin/pkg/admission/gc). Off by default.
 */
import type { OwnerReference } from '../../api/meta.ts';
import { byObject } from '../../api/resources.ts';
import { forbidden } from '../errors.ts';
import { equalJson } from '../registry/equal.ts';
import { nameOf, type Plugin } from './admission.ts';

export const ownerReferences: Plugin = {
  name: 'OwnerReferencesPermissionEnforcement',
  validate(attributes, world) {
    const { object, old, user, row, namespace, operation, subresource } = attributes;
    if (!object) return;
    const [now, before] = [object.metadata.ownerReferences ?? [], old?.metadata.ownerReferences ?? []];
    if (equalJson(now, before)) return;
    const refuse = (why: string) => forbidden(row.group, row.plural, nameOf(attributes), why);
    const name = operation === 'CREATE' ? '' : (object.metadata.name ?? '');
    if (!world.allowed(user, { verb: 'delete', group: row.group, resource: row.plural, subresource, namespace, name, path: '' }))
      throw refuse("cannot set an ownerRef on a resource you can't delete: , <nil>");
    for (const owner of now) {
      if (!blocks(owner) || before.some((each) => each.uid === owner.uid && blocks(each))) continue;
      const target = byObject(owner);
      if (!target)
        throw refuse(
          `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ${owner.apiVersion} Kind ${owner.kind}: no matches for kind ${JSON.stringify(owner.kind)} in version ${JSON.stringify(owner.apiVersion)}`,
        );
      const asked = {
        verb: 'update',
        group: target.group,
        resource: target.plural,
        subresource: 'finalizers',
        namespace: target.namespaced ? namespace : '',
        name: owner.name,
        path: '',
      };
      if (!world.allowed(user, asked))
        throw refuse("cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: , <nil>");
    }
  },
};

const blocks = ({ blockOwnerDeletion }: Readonly<OwnerReference>): boolean => blockOwnerDeletion === true;
