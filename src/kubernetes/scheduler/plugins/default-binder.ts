/** DefaultBinder: a Binding says where the pod goes (`defaultbinder/default_binder.go`). */
import { keyOf } from '../../api/meta.ts';
import type { Plugin } from '../framework.ts';

export const defaultBinder: Plugin = {
  name: 'DefaultBinder',
  bind: async (_state, pod, nodeName, { client }) => {
    await client.of('Pod').createSubresource(keyOf(pod), 'binding', {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: pod.metadata.name, namespace: pod.metadata.namespace, uid: pod.metadata.uid },
      target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
    });
    return true;
  },
};
