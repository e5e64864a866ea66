/**
 * What an in-place resize may change (ValidatePodResize, pkg/apis/core/validation/validation.go): processor and memory of
 * containers and sidecars, within the pod's class, and nothing is taken away altogether.
 *
 * Here simplified: fields that are no resources are left as they were, not refused, as the subresource takes none of them.
 */
import { compareQuantities } from '../../api/quantity.ts';
import type { Container, Pod, ResourceRequirements } from '../../api/types.gen.ts';
import { qosClass } from '../registry/pod.ts';
import { type Errors, forbidden, invalid, sameJson } from './field.ts';

type List = Readonly<Record<string, string | undefined>>;
const MIRROR = 'kubernetes.io/config.mirror';
const MUTABLE = new Set(['cpu', 'memory']);

export function validatePodResize(errors: Errors, pod: Pod, old: Pod): void {
  if (old.metadata.annotations?.[MIRROR] !== undefined) {
    errors.push(forbidden('', 'static pods cannot be resized'));
    return;
  }
  const qos = qosClass(pod);
  if (qos !== (old.status?.qosClass ?? qosClass(old))) errors.push(invalid('spec', qos, 'Pod QOS Class may not change as a result of resizing'));
  let others = false;
  for (const field of ['containers', 'initContainers'] as const) {
    for (const [i, container] of (pod.spec?.[field] ?? []).entries()) {
      const before = old.spec?.[field]?.[i];
      if (!before || sameJson(container.resources, before.resources)) continue;
      const path = `spec.${field}[${i}].resources`;
      validateContainerResize(errors, container.resources ?? {}, before, path);
      if (!sameJson(fixed(container.resources), fixed(before.resources))) others = true;
    }
  }
  if (others) errors.push(forbidden('spec', 'only cpu and memory resources are mutable'));
}

function validateContainerResize(
  errors: Errors,
  resources: ResourceRequirements,
  { resources: before = {}, resizePolicy = [] }: Container,
  path: string,
): void {
  for (const field of ['limits', 'requests'] as const) {
    const removed = Object.keys(before[field] ?? {}).some((name) => (resources[field] as List | undefined)?.[name] === undefined);
    if (removed) errors.push(forbidden(`${path}.${field}`, `resource ${field} cannot be removed`));
  }
  const now = (resources.limits as List | undefined)?.['memory'];
  const then = (before.limits as List | undefined)?.['memory'];
  const restarts = resizePolicy.some(({ resourceName, restartPolicy }) => resourceName === 'memory' && restartPolicy === 'RestartContainer');
  if (now !== undefined && then !== undefined && !restarts && compareQuantities(now, then) < 0)
    errors.push(forbidden(`${path}.limits[memory]`, 'memory limits cannot be decreased unless resizePolicy is RestartContainer'));
}

/** The part that is not to change. */
const fixed = ({ requests, limits, ...rest }: ResourceRequirements = {}): object => {
  const kept = (list: List | undefined): List => Object.fromEntries(Object.entries(list ?? {}).filter(([name]) => !MUTABLE.has(name)));
  return { ...rest, requests: kept(requests as List), limits: kept(limits as List) };
};
