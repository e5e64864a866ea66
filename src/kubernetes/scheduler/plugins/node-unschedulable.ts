/** NodeUnschedulable: a cordoned node takes only pods that tolerate `node.kubernetes.io/unschedulable`. */
import { type Plugin, reject } from '../framework.ts';
import { tolerates } from './taint-toleration.ts';

const TAINT = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const;

export const nodeUnschedulable: Plugin = {
  name: 'NodeUnschedulable',
  filter: (_state, pod, { node }) =>
    !node.spec?.unschedulable || (pod.spec?.tolerations ?? []).some((toleration) => tolerates(toleration, TAINT))
      ? undefined
      : reject('NodeUnschedulable', 'node(s) were unschedulable', true),
  hint: (_pod, { kind, what }) => kind === 'Node' && what !== 'delete',
};
