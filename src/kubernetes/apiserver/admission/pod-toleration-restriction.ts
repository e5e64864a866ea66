/**
 * PodTolerationRestriction: a namespace's annotations say what its pods tolerate by default, and the most they may
 * (plugin/pkg/admission/podtolerationrestriction). Off by default.
 *
 * Here simplified: no configuration file with defaults for the whole cluster.
 */
import type { KubeObject } from '../../api/meta.ts';
import type { Pod, Toleration } from '../../api/types.gen.ts';
import { forbidden } from '../errors.ts';
import { type Attributes, nameOf, type Plugin, type World } from './admission.ts';
import { covers, mergedTolerations } from './tolerations.ts';

const DEFAULTS = 'scheduler.alpha.kubernetes.io/defaultTolerations';
const ALLOWED = 'scheduler.alpha.kubernetes.io/tolerationsWhitelist';
const MEMORY_PRESSURE: Toleration = { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' };

export const podTolerationRestriction: Plugin = {
  name: 'PodTolerationRestriction',
  mutate(attributes, world) {
    const pod = attributes.object as Pod;
    const own = pod.spec?.tolerations ?? [];
    const defaults = attributes.operation === 'CREATE' ? (listOf(attributes, DEFAULTS, world) ?? []) : [];
    const besteffort = (pod.status as { qosClass?: string } | undefined)?.qosClass === 'BestEffort';
    const all = mergedTolerations(own, [...defaults, ...(attributes.operation === 'UPDATE' && !besteffort ? [MEMORY_PRESSURE] : [])]);
    return all.length === own.length ? attributes.object : ({ ...pod, spec: { ...pod.spec!, tolerations: all } } as KubeObject);
  },
  validate(attributes, world) {
    const allowed = listOf(attributes, ALLOWED, world) ?? [];
    if (allowed.length === 0) return;
    const own = (attributes.object as Pod).spec?.tolerations ?? [];
    if (!own.every((toleration) => allowed.some((each) => covers(each, toleration))))
      throw forbidden(
        '',
        'pods',
        nameOf(attributes),
        'pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist',
      );
  },
};

function listOf({ namespace }: Attributes, annotation: string, world: World): Toleration[] | undefined {
  const text = world.get(`/registry/namespaces/${namespace}`)?.metadata.annotations?.[annotation];
  if (!text) return undefined;
  try {
    return JSON.parse(text) as Toleration[];
  } catch {
    return undefined;
  }
}
