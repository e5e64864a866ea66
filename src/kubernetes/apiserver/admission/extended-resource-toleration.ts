/** ExtendedResourceToleration: who asks for a device may go to the nodes kept for it (plugin/pkg/admission/extendedresourcetoleration). Off by default. */
import type { KubeObject } from '../../api/meta.ts';
import { isExtendedResource } from '../../api/quota.ts';
import type { Pod } from '../../api/types.gen.ts';
import type { Plugin } from './admission.ts';
import { mergedTolerations } from './tolerations.ts';

export const extendedResourceToleration: Plugin = {
  name: 'ExtendedResourceToleration',
  mutate({ object }) {
    const pod = object as Pod;
    const wanted = new Set(
      [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].flatMap(({ resources }) =>
        Object.keys(resources?.requests ?? {}).filter(isExtendedResource),
      ),
    );
    if (wanted.size === 0) return object;
    const more = [...wanted].sort().map((key) => ({ key, operator: 'Exists' }));
    return { ...pod, spec: { ...pod.spec!, tolerations: mergedTolerations(pod.spec?.tolerations ?? [], more) } } as KubeObject;
  },
};
