/** NodeName: a pod that names its node goes there or nowhere (`nodename/node_name.go`). */
import { type Plugin, reject } from '../framework.ts';

const REJECTION = reject('NodeName', "node(s) didn't match the requested node name", true);

export const nodeName: Plugin = {
  name: 'NodeName',
  filter: (_state, pod, info) => (!pod.spec?.nodeName || pod.spec.nodeName === info.name ? undefined : REJECTION),
  events: [{ resource: 'Node', actions: ['Add'] }],
};
