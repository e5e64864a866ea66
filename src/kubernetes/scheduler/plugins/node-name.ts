/** NodeName: a pod that names its node goes there or nowhere. */
import { type Plugin, reject } from '../framework.ts';

export const nodeName: Plugin = {
  name: 'NodeName',
  filter: (_state, pod, info) =>
    !pod.spec?.nodeName || pod.spec.nodeName === info.name ? undefined : reject('NodeName', "node(s) didn't match the requested node name", true),
  hint: (_pod, { kind, what }) => kind === 'Node' && what === 'add',
};
