/**
 * DefaultTolerationSeconds: unless a pod says otherwise, it stays five minutes on a node that is not
 * ready or cannot be reached (plugin/pkg/admission/defaulttolerationseconds).
 */
import type { Pod } from '../../api/types.gen.ts';
import type { Plugin } from './admission.ts';

const NOT_READY = 'node.kubernetes.io/not-ready';
const UNREACHABLE = 'node.kubernetes.io/unreachable';
const SECONDS = 300;

export const defaultTolerationSeconds: Plugin = {
  name: 'DefaultTolerationSeconds',
  mutate({ operation, row, subresource, object }) {
    if (row.plural !== 'pods' || row.group !== '' || subresource !== '' || (operation !== 'CREATE' && operation !== 'UPDATE')) return object;
    const pod = object as Pod;
    const tolerations = pod.spec?.tolerations ?? [];
    const missing = [NOT_READY, UNREACHABLE].filter(
      (key) => !tolerations.some((toleration) => (!toleration.key || toleration.key === key) && (!toleration.effect || toleration.effect === 'NoExecute')),
    );
    if (missing.length === 0) return object;
    const added = missing.map((key) => ({ key, operator: 'Exists' as const, effect: 'NoExecute' as const, tolerationSeconds: SECONDS }));
    return { ...pod, spec: { ...pod.spec!, tolerations: [...tolerations, ...added] } };
  },
};
