/** What the server sets on workloads, or takes away (upstream pkg/registry/apps/{daemonset,statefulset}/strategy.go). */
import type { KubeObject } from '../../api/meta.ts';
import type { DaemonSet, StatefulSet } from '../../api/types.gen.ts';
import { equalJson } from './equal.ts';
import type { Strategy } from './strategy.ts';

const GENERATION = 'deprecated.daemonset.template.generation';

/** The template's generation, which v1 shows as an annotation only. */
function withGeneration(object: DaemonSet, generation: number): KubeObject {
  const { annotations } = object.metadata;
  if (annotations?.[GENERATION] === String(generation)) return object as KubeObject;
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [GENERATION]: String(generation) } } } as KubeObject;
}
const generationOf = (object: DaemonSet): number => Math.max(1, Math.floor(Number(object.metadata.annotations?.[GENERATION])) || 1);

/** How often the template has changed: what pods were told apart by before there were hashes. */
export const daemonSetStrategy: Strategy = {
  counted: true,
  prepareCreate: (object) => withGeneration(object as DaemonSet, generationOf(object as DaemonSet)),
  prepareUpdate(next, old) {
    const changed = !equalJson((next as DaemonSet).spec?.template, (old as DaemonSet).spec?.template);
    return withGeneration(next as DaemonSet, generationOf(old as DaemonSet) + (changed ? 1 : 0));
  },
};

/** `maxUnavailable` is alpha, and its gate (MaxUnavailableStatefulSet) is off: the field is dropped. */
function withoutAlpha(object: StatefulSet): KubeObject {
  const rolling = object.spec?.updateStrategy?.rollingUpdate;
  if (!object.spec || rolling?.maxUnavailable === undefined) return object as KubeObject;
  const { maxUnavailable: _, ...rollingUpdate } = rolling;
  return { ...object, spec: { ...object.spec, updateStrategy: { ...object.spec.updateStrategy, rollingUpdate } } } as KubeObject;
}
export const statefulSetStrategy: Strategy = {
  counted: true,
  prepareCreate: (object) => withoutAlpha(object as StatefulSet),
  prepareUpdate: (next) => withoutAlpha(next as StatefulSet),
};
