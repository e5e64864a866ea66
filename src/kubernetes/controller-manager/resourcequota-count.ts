/** The arithmetic of the resource quota controller: pure. */
import type { Instant } from '../../sim/clock.ts';
import type { DeepReadonly } from '../api/json.ts';
import type { KubeObject } from '../api/meta.ts';
import { addLists, type ResourceList } from '../api/pod-resources.ts';
import { isCounted, mask, matchingNames, sameLists, totalUsage } from '../api/quota.ts';
import { type ResourceRow, SERVED } from '../api/resources.ts';
import type { PersistentVolumeClaim, Pod, ResourceQuota, Service } from '../api/types.gen.ts';
import { equal } from './json-equal.ts';
import { isFinished } from './pods.ts';

type Quota = DeepReadonly<ResourceQuota>;
type Any = DeepReadonly<KubeObject>;

/** One row for each kind that is stored in namespaces. */
const COUNTED: readonly ResourceRow[] = SERVED.filter(
  (row, i) => row.namespaced && row.prefix !== '' && isCounted(row) && SERVED.findIndex((other) => other.prefix === row.prefix) === i,
);

const namesOf = ({ spec }: Quota): string[] => Object.keys(spec?.hard ?? {});

/** The resources a quota counts objects of. */
export const rowsOf = (quota: Quota): readonly ResourceRow[] => COUNTED.filter((row) => concerns(quota, row));
export const concerns = (quota: Quota, row: ResourceRow): boolean => matchingNames(row, namesOf(quota)).length > 0;

/** Whether a change can have set something free (the QuotaMonitor's update filters). */
export function gaveBack(row: ResourceRow, before: Any, after: Any | undefined): boolean {
  if (!after) return true;
  switch (row.kind) {
    case 'Pod': {
      const [was, is] = [before as DeepReadonly<Pod>, after as DeepReadonly<Pod>];
      return (!isFinished(was) && isFinished(is)) || !equal(was.spec?.containers, is.spec?.containers);
    }
    case 'Service': {
      const [was, is] = [before as DeepReadonly<Service>, after as DeepReadonly<Service>];
      return was.spec?.type !== is.spec?.type || (was.spec?.ports?.length ?? 0) !== (is.spec?.ports?.length ?? 0);
    }
    case 'PersistentVolumeClaim': {
      const [was, is] = [before as DeepReadonly<PersistentVolumeClaim>, after as DeepReadonly<PersistentVolumeClaim>];
      return !equal(was.spec?.resources, is.spec?.resources) || !equal(was.status?.allocatedResources, is.status?.allocatedResources);
    }
    default:
      return false;
  }
}

/** The status a quota should have; undefined when it has it (syncResourceQuota). */
export function count(
  quota: Quota,
  items: (row: ResourceRow) => readonly Any[],
  now: Instant,
): { hard: Record<string, string>; used: Record<string, string> } | undefined {
  const hard = (quota.spec?.hard ?? {}) as ResourceList;
  const names = Object.keys(hard);
  const before = quota.status;
  let counted: ResourceList = {};
  for (const row of rowsOf(quota)) counted = addLists(counted, totalUsage(quota, row, matchingNames(row, names), items(row), now));
  const used = mask({ ...(before?.used as ResourceList | undefined), ...counted }, names);
  if (before?.hard && before.used && sameLists(before.hard as ResourceList, hard) && sameLists(before.used as ResourceList, used)) return undefined;
  return { hard: { ...hard } as Record<string, string>, used: used as Record<string, string> };
}
