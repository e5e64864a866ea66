/** SchedulingGates: a pod with gates does not enter the queue (KEP-3521, `schedulinggates/scheduling_gates.go`). */
import { type Plugin, reject } from '../framework.ts';

export const schedulingGates: Plugin = {
  name: 'SchedulingGates',
  preEnqueue: (pod) => {
    const gates = pod.spec?.schedulingGates ?? [];
    return gates.length === 0 ? undefined : reject('SchedulingGates', `waiting for scheduling gates: [${gates.map((gate) => gate.name).join(' ')}]`, true);
  },
  events: [
    {
      resource: 'Pod',
      actions: ['UpdatePodSchedulingGatesEliminated'],
      hint: (pod, { after }) => after?.metadata.uid === pod.metadata.uid,
    },
  ],
};
