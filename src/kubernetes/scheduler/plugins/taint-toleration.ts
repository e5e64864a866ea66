/**
 * TaintToleration: NoSchedule and NoExecute taints keep pods off that do not tolerate them; PreferNoSchedule
 * taints count against a node (`tainttoleration/taint_toleration.go`).
 */
import type { DeepReadonly } from '../../api/json.ts';
import type { Node, Pod, Taint, Toleration } from '../../api/types.gen.ts';
import { constant, defaultNormalize, type Plugin, reject } from '../framework.ts';

/** Core/v1 `Toleration.ToleratesTaint`: an empty key with Exists tolerates all; an empty effect means every effect. */
export function tolerates(toleration: DeepReadonly<Toleration>, taint: DeepReadonly<Pick<Taint, 'key' | 'value' | 'effect'>>): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  if (toleration.operator === 'Exists') return true;
  return (!toleration.operator || toleration.operator === 'Equal') && (toleration.value ?? '') === (taint.value ?? '');
}

const isTolerated = (pod: DeepReadonly<Pod>, taint: DeepReadonly<Taint>): boolean =>
  (pod.spec?.tolerations ?? []).some((toleration) => tolerates(toleration, taint));

/** The first NoSchedule or NoExecute taint the pod does not tolerate (`FindMatchingUntoleratedTaint`). */
export function untolerated(pod: DeepReadonly<Pod>, node: DeepReadonly<Node>): DeepReadonly<Taint> | undefined {
  for (const taint of node.spec?.taints ?? []) if ((taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') && !isTolerated(pod, taint)) return taint;
  return undefined;
}

export const taintToleration: Plugin = {
  name: 'TaintToleration',
  filter: (_state, pod, info) => {
    if (!info.taints) return undefined;
    const taint = untolerated(pod, info.node);
    return taint ? reject('TaintToleration', `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`, true) : undefined;
  },
  preScore: (state, pod) => {
    // Tolerations that can speak of PreferNoSchedule: of that effect, or of every one.
    state.set(
      'TaintToleration',
      (pod.spec?.tolerations ?? []).filter(({ effect }) => !effect || effect === 'PreferNoSchedule'),
    );
    return undefined;
  },
  scoreAll: (state, pod, feasible) =>
    feasible.every(({ taints }) => taints === undefined) ? constant(feasible.length, 0) : feasible.map((info) => taintToleration.score!(state, pod, info)),
  score: (state, _pod, { taints }) => {
    if (!taints) return 0;
    const tolerations = state.get('TaintToleration') as readonly DeepReadonly<Toleration>[];
    let intolerable = 0;
    for (const taint of taints) if (taint.effect === 'PreferNoSchedule' && !tolerations.some((toleration) => tolerates(toleration, taint))) intolerable++;
    return intolerable;
  },
  normalize: (scores) => defaultNormalize(scores, true),
  events: [
    {
      resource: 'Node',
      actions: ['Add', 'UpdateNodeTaint'],
      hint: (pod, { before, after }) =>
        untolerated(pod, after as DeepReadonly<Node>) === undefined && (before === undefined || untolerated(pod, before as DeepReadonly<Node>) !== undefined),
    },
    { resource: 'Pod', actions: ['UpdatePodToleration'], hint: (pod, { after }) => after?.metadata.uid === pod.metadata.uid },
  ],
};
