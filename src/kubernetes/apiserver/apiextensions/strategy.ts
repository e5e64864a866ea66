/** How CustomResourceDefinitions are written (apiextensions-apiserver `pkg/registry/customresourcedefinition`). Small, for every server has it. */
import type { KubeObject } from '../../api/meta.ts';
import type { Registry } from '../registry/store.ts';
import type { Strategy } from '../registry/strategy.ts';

const FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';
interface Shape extends KubeObject {
  readonly spec?: { readonly versions?: readonly { readonly name: string; readonly storage?: boolean }[] };
  readonly status?: { readonly storedVersions?: readonly string[]; readonly conditions?: readonly { readonly type: string }[] };
}
const stored = (object: KubeObject): readonly string[] => (object as Shape).spec?.versions?.filter(({ storage }) => storage).map(({ name }) => name) ?? [];

export const definitionStrategy: Strategy = {
  counted: true,
  prepareCreate: (object) =>
    ({ ...object, status: { conditions: [], acceptedNames: { plural: '', kind: '' }, storedVersions: stored(object) } }) as unknown as KubeObject,
  // A version that has been stored stays on record until somebody has migrated its objects.
  prepareUpdate(next, old) {
    const before = (old as Shape).status?.storedVersions ?? [];
    const added = stored(next).filter((version) => !before.includes(version));
    return added.length === 0 ? next : ({ ...next, status: { ...(old as Shape).status, storedVersions: [...before, ...added] } } as unknown as KubeObject);
  },
  /** A deleted definition waits until its objects are gone. */
  prepareDelete(object: KubeObject, registry: Registry) {
    const { status, metadata } = object as Shape;
    if (metadata.deletionTimestamp) return object;
    const lastTransitionTime = registry.timestamp();
    const terminating = {
      type: 'Terminating',
      status: 'True',
      lastTransitionTime,
      reason: 'InstanceDeletionPending',
      message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
    };
    const finalizers = metadata.finalizers ?? [];
    return {
      ...object,
      metadata: { ...metadata, finalizers: finalizers.includes(FINALIZER) ? finalizers : [...finalizers, FINALIZER] },
      status: { ...status, conditions: [...(status?.conditions ?? []).filter(({ type }) => type !== 'Terminating'), terminating] },
    } as unknown as KubeObject;
  },
};
