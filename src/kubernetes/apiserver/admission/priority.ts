/**
 * Priority: a pod's class becomes a number (plugin/pkg/admission/priority).
 */
import type { Pod, PriorityClass } from '../../api/types.gen.ts';
import { forbidden } from '../errors.ts';
import type { Plugin, World } from './admission.ts';

const PREFIX = '/registry/priorityclasses/';
/** For critical add-ons in any namespace; upstream knows these two without asking. */
export const SYSTEM_CLASSES = [
  {
    name: 'system-cluster-critical',
    value: 2_000_000_000,
    description: 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  },
  { name: 'system-node-critical', value: 2_000_001_000, description: 'Used for system critical pods that must not be moved from their current node.' },
] as const;

export const priority: Plugin = {
  name: 'Priority',
  mutate({ operation, row, subresource, object, old }, world) {
    if (subresource !== '' || row.plural !== 'pods' || row.group !== '') return object;
    const pod = object as Pod;
    if (operation === 'UPDATE') {
      const before = (old as Pod | undefined)?.spec;
      if (before?.priority === undefined || pod.spec?.priority !== undefined) return object;
      const kept = before.preemptionPolicy !== undefined && pod.spec?.preemptionPolicy === undefined ? { preemptionPolicy: before.preemptionPolicy } : {};
      return { ...pod, spec: { ...pod.spec!, priority: before.priority, ...kept } };
    }
    if (operation !== 'CREATE') return object;
    const { name, value, preemptionPolicy } = classOf(pod, world);
    const { spec } = pod;
    const metadataName = pod.metadata.name ?? '';
    if (spec?.priority !== undefined && spec.priority !== value) {
      throw forbidden(
        '',
        'pods',
        metadataName,
        `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
      );
    }
    if (spec?.preemptionPolicy !== undefined && preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy) {
      throw forbidden(
        '',
        'pods',
        metadataName,
        `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`,
      );
    }
    return {
      ...pod,
      spec: { ...spec!, ...(name ? { priorityClassName: name } : {}), priority: value, preemptionPolicy: preemptionPolicy ?? 'PreemptLowerPriority' },
    };
  },
  validate({ operation, row, object }, world) {
    if (row.plural !== 'priorityclasses' || !object || (operation !== 'CREATE' && operation !== 'UPDATE')) return;
    const wanted = object as PriorityClass;
    if (!wanted.globalDefault) return;
    const other = defaultClass(world);
    if (other && other.metadata.name !== wanted.metadata.name) {
      throw forbidden(
        'scheduling.k8s.io',
        'priorityclasses',
        wanted.metadata.name ?? '',
        `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`,
      );
    }
  },
};

interface Class {
  readonly name: string;
  readonly value: number;
  readonly preemptionPolicy: 'Never' | 'PreemptLowerPriority' | undefined;
}

function classOf(pod: Pod, world: World): Class {
  const name = pod.spec?.priorityClassName ?? '';
  if (name === '') {
    const found = defaultClass(world);
    return found
      ? { name: found.metadata.name ?? '', value: found.value ?? 0, preemptionPolicy: found.preemptionPolicy as Class['preemptionPolicy'] }
      : { name: '', value: 0, preemptionPolicy: 'PreemptLowerPriority' };
  }
  const found = world.get(PREFIX + name) as PriorityClass | undefined;
  if (found) return { name, value: found.value ?? 0, preemptionPolicy: found.preemptionPolicy as Class['preemptionPolicy'] };
  const system = SYSTEM_CLASSES.find((candidate) => candidate.name === name);
  if (system) return { name, value: system.value, preemptionPolicy: 'PreemptLowerPriority' };
  throw forbidden('', 'pods', pod.metadata.name ?? '', `no PriorityClass with name ${name} was found`);
}

/** Of several defaults, the lowest. */
function defaultClass(world: World): PriorityClass | undefined {
  let lowest: PriorityClass | undefined;
  for (const { object } of world.under(PREFIX)) {
    const candidate = object as PriorityClass;
    if (candidate.globalDefault && (!lowest || (candidate.value ?? 0) < (lowest.value ?? 0))) lowest = candidate;
  }
  return lowest;
}
