/**
 * TaintToleration: NoSchedule and NoExecute taints keep pods off that do not tolerate them; PreferNoSchedule
 * taints count against a node.
 */
import type { DeepReadonly } from '../../api/json.ts';
import type { Pod, Taint, Toleration } from '../../api/types.gen.ts';
import { defaultNormalize, type Plugin, reject } from '../framework.ts';

/** Core/v1 `Toleration.ToleratesTaint`: an empty key with Exists tolerates all; an empty effect means every effect. */
export function tolerates(toleration: DeepReadonly<Toleration>, taint: DeepReadonly<Pick<Taint, 'key' | 'value' | 'effect'>>): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  const operator = toleration.operator || 'Equal';
  return (
    operator === 'Exists' ||
    (operator === 'Equal' && toleration.value === (taint.value ?? '')) ||
    (operator === 'Equal' && (toleration.value ?? '') === (taint.value ?? ''))
  );
}

const isTolerated = (pod: DeepReadonly<Pod>, taint: DeepReadonly<Taint>): boolean =>
  (pod.spec?.tolerations ?? []).some((toleration) => tolerates(toleration, taint));

export const taintToleration: Plugin = {
  name: 'TaintToleration',
  weight: 3,
  filter: (_state, pod, { node }) => {
    const taint = (node.spec?.taints ?? []).find(
      ({ effect }, i) => (effect === 'NoSchedule' || effect === 'NoExecute') && !isTolerated(pod, node.spec!.taints![i]!),
    );
    return taint ? reject('TaintToleration', `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`, true) : undefined;
  },
  score: (_state, pod, { node }) => (node.spec?.taints ?? []).filter((taint) => taint.effect === 'PreferNoSchedule' && !isTolerated(pod, taint)).length,
  normalize: (scores) => defaultNormalize(scores, true),
  hint: (_pod, { kind, what }) => kind === 'Node' && what !== 'delete',
};
