/**
 * Namespaces: deletion is announced first, and the object goes when the namespace controller has emptied
 * it and takes `kubernetes` from spec.finalizers (upstream pkg/registry/core/namespace).
 */
import type { KubeObject } from '../../api/meta.ts';
import type { Namespace } from '../../api/types.gen.ts';
import type { Strategy } from './strategy.ts';

export const NAME_LABEL = 'kubernetes.io/metadata.name';
const FINALIZER = 'kubernetes';

export const namespaceStrategy: Strategy = {
  prepareCreate(object) {
    const namespace = object as Namespace;
    const finalizers = namespace.spec?.finalizers ?? [];
    const { name, labels } = namespace.metadata;
    return {
      ...namespace,
      metadata: { ...namespace.metadata, labels: { ...labels, [NAME_LABEL]: name! } },
      spec: { ...namespace.spec, finalizers: finalizers.includes(FINALIZER) ? finalizers : [...finalizers, FINALIZER] },
      status: { phase: 'Active' },
    } as KubeObject;
  },
  prepareUpdate(next, old) {
    const label = { [NAME_LABEL]: old.metadata.name! };
    return { ...next, metadata: { ...next.metadata, labels: { ...next.metadata.labels, ...label } }, spec: (old as Namespace).spec } as KubeObject;
  },
  prepareStatus: (next, old) =>
    old.metadata.deletionTimestamp ? next : ({ ...next, status: { ...(next as Namespace).status, phase: 'Active' } } as KubeObject),
};

/** A namespace asked to go: Terminating, until its finalizers are gone. */
export const terminating = (object: KubeObject, now: string): KubeObject =>
  object.metadata.deletionTimestamp
    ? object
    : ({
        ...object,
        metadata: { ...object.metadata, deletionTimestamp: now },
        status: { ...(object as Namespace).status, phase: 'Terminating' },
      } as KubeObject);

export const specFinalizers = (object: KubeObject): readonly string[] => (object as Namespace).spec?.finalizers ?? [];
