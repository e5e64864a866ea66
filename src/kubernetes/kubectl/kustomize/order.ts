/** The order a build prints in: as read (`fifo`), or kinds others need first (`legacy`, what kubectl does unless told otherwise). */
import { type Id, isTree, type Resource, type Tree } from './resource.ts';

const FIRST =
  'Namespace ResourceQuota StorageClass CustomResourceDefinition ServiceAccount PodSecurityPolicy Role ClusterRole RoleBinding ClusterRoleBinding ConfigMap Secret Endpoints Service LimitRange PriorityClass PersistentVolume PersistentVolumeClaim Deployment StatefulSet CronJob PodDisruptionBudget'.split(
    ' ',
  );
const LAST = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

export function sorted(resources: readonly Resource[], options: Tree | undefined): readonly Resource[] {
  if (options?.['order'] === 'fifo') return resources;
  const legacy = isTree(options?.['legacySortOptions']) ? options['legacySortOptions'] : {};
  const words = (value: unknown, fallback: readonly string[]): readonly string[] => (Array.isArray(value) ? value.map(String) : fallback);
  const [first, last] = [words(legacy['orderFirst'], FIRST), words(legacy['orderLast'], LAST)];
  const rank = (kind: string): number => {
    if (last.includes(kind)) return 1 + last.indexOf(kind);
    return first.includes(kind) ? first.indexOf(kind) - first.length : 0;
  };
  const keyed = resources.map((resource) => ({ resource, rank: rank(resource.kind), kind: kindKey(resource.id), id: idKey(resource.id) }));
  return keyed.sort((a, b) => a.rank - b.rank || compare(a.kind, b.kind) || compare(a.id, b.id)).map(({ resource }) => resource);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const kindKey = ({ group, version, kind }: Id): string => [group || '~G', version || '~V', kind || '~K'].join('_');
const idKey = (id: Id): string => [kindKey(id), id.namespace || '~X', id.name || '~N'].join('_');
