/** Aggregated cluster roles (pkg/controller/clusterroleaggregation): the rules of all selected roles, by name, each once. */
import type { DeepReadonly } from '../../api/json.ts';
import { selectorOf } from '../../api/selector.ts';
import type { ClusterRole } from '../../api/types.gen.ts';
import type { Context } from '../controller.ts';
import { equal } from '../json-equal.ts';

export async function aggregate(role: DeepReadonly<ClusterRole>, { client, informer }: Context): Promise<void> {
  const rules: unknown[] = [];
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const wanted = selectorOf(selector);
    const chosen = informer('ClusterRole')
      .list()
      .filter((each) => each.metadata.name !== role.metadata.name && wanted.matches(each.metadata.labels))
      .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
    for (const each of chosen) for (const rule of each.rules ?? []) if (!rules.some((known) => equal(known, rule))) rules.push(rule);
  }
  if (equal(rules, role.rules ?? [])) return;
  await client.of('ClusterRole').update({ ...role, rules: rules as ClusterRole['rules'] } as DeepReadonly<ClusterRole>);
}
