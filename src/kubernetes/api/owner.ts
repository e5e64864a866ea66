/** Who owns an object: metav1.GetControllerOf, NewControllerRef. */
import type { KubeObject, OwnerReference } from './meta.ts';

interface Owned {
  readonly metadata?: { readonly ownerReferences?: readonly Readonly<OwnerReference>[] | undefined } | undefined;
}

/** The one owner reference with `controller: true`. */
export const controllerOf = (object: Owned): Readonly<OwnerReference> | undefined => object.metadata?.ownerReferences?.find((ref) => ref.controller === true);

/** Whether `owner` is the controller of `object`, by uid. */
export const isControlledBy = (object: Owned, owner: { readonly metadata: { readonly uid?: string | undefined } }): boolean => {
  const uid = controllerOf(object)?.uid;
  return uid !== undefined && uid === owner.metadata.uid;
};

/** The reference a controller puts on what it makes; it blocks the owner's foreground deletion. */
export const newControllerRef = (owner: {
  readonly apiVersion: KubeObject['apiVersion'];
  readonly kind: string;
  readonly metadata: { readonly name?: string | undefined; readonly uid?: string | undefined };
}): OwnerReference => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name ?? '',
  uid: owner.metadata.uid ?? '',
  controller: true,
  blockOwnerDeletion: true,
});
