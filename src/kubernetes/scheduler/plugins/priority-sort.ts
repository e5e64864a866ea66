/** PrioritySort: higher priority first, then who has waited longer (`queuesort/priority_sort.go`). */
import type { Plugin } from '../framework.ts';

export const prioritySort: Plugin = {
  name: 'PrioritySort',
  less: (a, b) => {
    const difference = (a.pod.spec?.priority ?? 0) - (b.pod.spec?.priority ?? 0);
    return difference === 0 ? a.timestamp < b.timestamp : difference > 0;
  },
};
