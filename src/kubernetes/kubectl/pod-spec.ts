/** Where workloads keep the spec of their pods, and the containers in it (kubectl pkg/polymorphichelpers/updatepodspec.go). */
import type { Json } from '../api/json.ts';
import type { Container } from '../api/types.gen.ts';
import type { Target } from './builder.ts';
import { partOf, withPart } from './change.ts';
import type { JsonObject, ObjectLike } from './session.ts';

const TEMPLATED = ['Deployment', 'DaemonSet', 'StatefulSet', 'ReplicaSet', 'ReplicationController', 'Job'];

/** The path to the pod's spec; undefined for kinds without pods. */
export function podSpecPath({ info }: Target): readonly string[] | undefined {
  if (info.kind === 'Pod' && info.group === '') return ['spec'];
  if (info.kind === 'CronJob') return ['spec', 'jobTemplate', 'spec', 'template', 'spec'];
  return TEMPLATED.includes(info.kind) ? ['spec', 'template', 'spec'] : undefined;
}

export type ContainerField = 'containers' | 'initContainers';
export const containersIn = (object: JsonObject, path: readonly string[], field: ContainerField): readonly Container[] => {
  const list = partOf(object, [...path, field]);
  return Array.isArray(list) ? (list as unknown as readonly Container[]) : [];
};

/** The object with each container that `change` answers for put in its place. */
export function mapContainers(
  object: ObjectLike,
  path: readonly string[],
  fields: readonly ContainerField[],
  change: (container: Container) => Container,
): ObjectLike {
  let after: JsonObject = object;
  for (const field of fields) {
    const before = containersIn(after, path, field);
    const mapped = before.map(change);
    if (mapped.some((container, i) => container !== before[i])) after = withPart(after, [...path, field], mapped as unknown as Json);
  }
  return after as ObjectLike;
}

/** `--containers=web*`: `*` stands for any text (kubectl pkg/cmd/set/helper.go). */
export function nameMatches(pattern: string, name: string): boolean {
  const parts = pattern.split('*');
  if (parts.length === 1) return pattern === name;
  if (!name.startsWith(parts[0]!)) return false;
  let at = parts[0]!.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - parts.at(-1)!.length >= at && name.endsWith(parts.at(-1)!);
}
