/**
 * NodeRestriction: a kubelet may write its own Node and Lease, and the pods bound to it, and nobody
 * else's (plugin/pkg/admission/noderestriction).
 *
 * Here simplified: labels under node-restriction.kubernetes.io, CSINodes, ResourceSlices and the
 * references of mirror pods are not looked at.
 */
import type { KubeObject } from '../../api/meta.ts';
import type { Pod } from '../../api/types.gen.ts';
import { forbidden, quote } from '../errors.ts';
import type { Attributes, Plugin } from './admission.ts';

const MIRROR = 'kubernetes.io/config.mirror';

export const nodeRestriction: Plugin = {
  name: 'NodeRestriction',
  validate(attributes) {
    const { user, row } = attributes;
    if (!user.groups.includes('system:nodes') || !user.name.startsWith('system:node:')) return;
    const node = user.name.slice('system:node:'.length);
    if (row.group === '' && row.plural === 'pods') checkPod(attributes, node);
    else if (row.group === '' && row.plural === 'nodes') checkNode(attributes, node);
    else if (row.plural === 'leases') checkLease(attributes, node);
  },
};

const nameOf = (object: KubeObject | undefined): string => object?.metadata.name ?? '';

function checkPod({ operation, subresource, object, old }: Attributes, node: string): void {
  const refuse = (why: string) => forbidden('', 'pods', nameOf(object ?? old), why);
  if (subresource === 'eviction' || subresource === 'binding') return;
  const pod = (object ?? old) as Pod;
  if (operation === 'CREATE') {
    if (pod.metadata.annotations?.[MIRROR] === undefined)
      throw refuse(`pod does not have ${quote(MIRROR)} annotation, node ${quote(node)} can only create mirror pods`);
    if (pod.spec?.nodeName !== node) throw refuse(`node ${quote(node)} can only create pods with spec.nodeName set to itself`);
  } else if (operation === 'UPDATE') {
    if (subresource !== 'status') throw refuse(`unexpected operation ${operation}`);
    if ((old as Pod | undefined)?.spec?.nodeName !== node)
      throw refuse(`node ${quote(node)} can only update pod status for pods with spec.nodeName set to itself`);
  } else if (operation === 'DELETE' && pod.spec?.nodeName !== node) {
    throw refuse(`node ${quote(node)} can only delete pods with spec.nodeName set to itself`);
  }
}

function checkNode({ operation, object, old }: Attributes, node: string): void {
  const name = nameOf(object ?? old);
  if (name !== node) throw forbidden('', 'nodes', name, `node ${quote(node)} is not allowed to modify node ${quote(name)}`);
  if (operation === 'DELETE') throw forbidden('', 'nodes', name, `node ${quote(node)} is not allowed to delete node ${quote(name)}`);
}

function checkLease({ object, old, namespace }: Attributes, node: string): void {
  const name = nameOf(object ?? old);
  if (namespace !== 'kube-node-lease')
    throw forbidden('coordination.k8s.io', 'leases', name, `can only access leases in the ${quote('kube-node-lease')} system namespace`);
  if (name !== node) throw forbidden('coordination.k8s.io', 'leases', name, 'can only access node lease with the same name as the requesting node');
}
