/**
 * TaintNodesByCondition: a new node takes no pods until the node controller has seen it ready
 * (plugin/pkg/admission/nodetaint).
 */
import type { Node } from '../../api/types.gen.ts';
import type { Plugin } from './admission.ts';

const NOT_READY = 'node.kubernetes.io/not-ready';

export const taintNodesByCondition: Plugin = {
  name: 'TaintNodesByCondition',
  mutate({ operation, row, subresource, object }) {
    if (operation !== 'CREATE' || row.plural !== 'nodes' || row.group !== '' || subresource !== '') return object;
    const node = object as Node;
    const taints = node.spec?.taints ?? [];
    if (taints.some((taint) => taint.key === NOT_READY && taint.effect === 'NoSchedule')) return object;
    return { ...node, spec: { ...node.spec, taints: [...taints, { key: NOT_READY, effect: 'NoSchedule' as const }] } };
  },
};
