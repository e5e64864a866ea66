/** Nodes: the pod CIDR is given once (upstream pkg/registry/core/node/strategy.go). */
import type { KubeObject } from '../../api/meta.ts';
import type { Node } from '../../api/types.gen.ts';
import type { Strategy } from './strategy.ts';

export const nodeStrategy: Strategy = {
  // A kubelet registers its node with a status already: it is kept, unlike with other kinds.
  keepsStatus: true,
  prepareUpdate(next, old) {
    const spec = (old as Node).spec;
    const wanted = (next as Node).spec ?? {};
    const kept = spec?.podCIDR && !wanted.podCIDR ? { podCIDR: spec.podCIDR, ...(spec.podCIDRs ? { podCIDRs: spec.podCIDRs } : {}) } : {};
    const provider = spec?.providerID && !wanted.providerID ? { providerID: spec.providerID } : {};
    return { ...next, spec: { ...wanted, ...kept, ...provider } } as KubeObject;
  },
};
