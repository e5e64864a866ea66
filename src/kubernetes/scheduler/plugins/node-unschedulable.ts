/** NodeUnschedulable: a cordoned node takes only pods that tolerate `node.kubernetes.io/unschedulable` (`nodeunschedulable/node_unschedulable.go`). */
import type { DeepReadonly } from '../../api/json.ts';
import type { Node, Pod } from '../../api/types.gen.ts';
import { type Plugin, reject } from '../framework.ts';
import { tolerates } from './taint-toleration.ts';

const TAINT = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const;
const REJECTION = reject('NodeUnschedulable', 'node(s) were unschedulable', true);

const toleratesCordon = (pod: DeepReadonly<Pod>): boolean => (pod.spec?.tolerations ?? []).some((toleration) => tolerates(toleration, TAINT));

export const nodeUnschedulable: Plugin = {
  name: 'NodeUnschedulable',
  filter: (_state, pod, info) => (!info.unschedulable || toleratesCordon(pod) ? undefined : REJECTION),
  events: [
    {
      resource: 'Node',
      actions: ['Add', 'UpdateNodeTaint'],
      hint: (_pod, { before, after }) =>
        !(after as DeepReadonly<Node>).spec?.unschedulable && (before === undefined || (before as DeepReadonly<Node>).spec?.unschedulable === true),
    },
    {
      resource: 'Pod',
      actions: ['UpdatePodToleration'],
      hint: (pod, { after }) => after?.metadata.uid === pod.metadata.uid && toleratesCordon(after as DeepReadonly<Pod>),
    },
  ],
};
