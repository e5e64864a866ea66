/**
 * RuntimeClass: what a class of runtimes needs besides the containers themselves, and where it is found, becomes
 * part of the pod (plugin/pkg/admission/runtimeclass).
 */
import type { KubeObject } from '../../api/meta.ts';
import { compareQuantities } from '../../api/quantity.ts';
import type { Pod, RuntimeClass } from '../../api/types.gen.ts';
import { forbidden } from '../errors.ts';
import { type Attributes, nameOf, type Plugin, type World } from './admission.ts';
import { mergedTolerations } from './tolerations.ts';

const MISMATCH = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
type Overhead = Readonly<Record<string, string>>;

export const runtimeClass: Plugin = {
  name: 'RuntimeClass',
  mutate(attributes, world) {
    const pod = attributes.object as Pod;
    const found = classOf(attributes, world);
    if (!found) return pod as KubeObject;
    const refuse = (why: string) => forbidden('', 'pods', nameOf(attributes), why);
    const spec: NonNullable<Pod['spec']> = { ...pod.spec! };
    const fixed = found.overhead?.podFixed;
    if (fixed) {
      if (spec.overhead && !sameAmounts(spec.overhead, fixed)) throw refuse(MISMATCH);
      spec.overhead = fixed;
    }
    const { nodeSelector, tolerations } = found.scheduling ?? {};
    for (const [key, value] of Object.entries(nodeSelector ?? {})) {
      const own = spec.nodeSelector?.[key];
      if (own !== undefined && own !== value)
        throw refuse(`conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`);
    }
    if (nodeSelector) spec.nodeSelector = { ...spec.nodeSelector, ...nodeSelector };
    if (tolerations) spec.tolerations = mergedTolerations(spec.tolerations ?? [], tolerations);
    return { ...pod, spec } as KubeObject;
  },
  validate(attributes, world) {
    const { overhead } = (attributes.object as Pod).spec ?? {};
    const fixed = classOf(attributes, world)?.overhead?.podFixed;
    const refuse = (why: string) => forbidden('', 'pods', nameOf(attributes), why);
    if (fixed) {
      if (!overhead || !sameAmounts(overhead, fixed)) throw refuse(MISMATCH);
    } else if (overhead) throw refuse('pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
  },
};

function classOf(attributes: Attributes, world: World): RuntimeClass | undefined {
  const name = (attributes.object as Pod).spec?.runtimeClassName;
  if (!name) return undefined;
  const found = world.get(`/registry/runtimeclasses/${name}`) as RuntimeClass | undefined;
  if (!found) throw forbidden('', 'pods', nameOf(attributes), `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
  return found;
}

const sameAmounts = (a: Overhead, b: Overhead): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.keys(a).every((name) => b[name] !== undefined && compareQuantities(a[name]!, b[name]!) === 0);
