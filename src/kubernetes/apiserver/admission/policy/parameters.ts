/** The objects a policy is told to look at: paramKind of the policy, paramRef of the binding (apiserver `plugin/policy/generic/policy_dispatcher.go`, CollectParams). */
import type { DeepReadonly } from '../../../api/json.ts';
import type { KubeObject } from '../../../api/meta.ts';
import { type LabelSelectorLike, selectorOf } from '../../../api/selector.ts';
import type { ParamKind, ParamRef } from '../../../api/types.gen.ts';
import type { World } from '../admission.ts';

/** One run for each; `null` is a run without. Throws Error, which is a mistake in the binding. */
export function parametersOf(
  kind: DeepReadonly<ParamKind> | undefined,
  reference: DeepReadonly<ParamRef> | undefined,
  namespace: string,
  world: World,
): readonly (KubeObject | null)[] {
  if (!kind || !reference) return [null];
  const row = world.rowOf(kind);
  if (!row || row.prefix === '') throw new Error(`paramKind kind \`${kind.apiVersion}, Kind=${kind.kind}\` not known`);
  let prefix = `${row.prefix}/`;
  if (row.namespaced) {
    const where = reference.namespace || namespace;
    if (where === '') throw new Error('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources');
    prefix += `${where}/`;
  } else if (reference.namespace) throw new Error('paramRef.namespace must not be provided for a cluster-scoped `paramKind`');
  const found: KubeObject[] = [];
  if (reference.name) {
    if (reference.selector) throw new Error('paramRef.name and paramRef.selector are mutually exclusive');
    const object = world.get(prefix + reference.name);
    if (object) found.push(object);
  } else if (reference.selector) {
    const selector = selectorOf(reference.selector as LabelSelectorLike);
    for (const { object } of world.under(prefix)) if (selector.matches(object.metadata.labels)) found.push(object);
  } else throw new Error('one of name or selector must be provided');
  if (found.length === 0 && reference.parameterNotFoundAction === 'Deny')
    throw new Error('no params found for policy binding with `Deny` parameterNotFoundAction');
  return found;
}
