/**
 * Gives every node its share of the pod network: a /24 of the cluster's range in `spec.podCIDR`, which the
 * node's network plugin hands out to pods (pkg/controller/nodeipam, RangeAllocator).
 *
 * Keeps true: every node has a range, and no two the same.
 * Woken by: nodes. A range is free again when its node is gone.
 */
import { type Runnable, reconciler } from './controller.ts';

/** `--node-cidr-mask-size` */
const MASK = 24;

export const nodeIpamController = (clusterCidr: string): Runnable => {
  // Promised to a node by uid, and not yet seen in its spec.
  const promised = new Map<string, string>();
  return reconciler({
    name: 'node-ipam-controller',
    for: 'Node',
    // One at a time: with read-your-writes no two nodes can be given the same range.
    workers: 1,

    async reconcile(node, { client, informer, event }) {
      if (node.spec?.podCIDR) return;
      const given = new Set(
        informer('Node')
          .list()
          .flatMap((other) => other.spec?.podCIDRs ?? (other.spec?.podCIDR ? [other.spec.podCIDR] : [])),
      );
      for (const cidr of promised.values()) given.add(cidr);
      const cidr = promised.get(node.metadata.uid ?? '') ?? firstFree(clusterCidr, given);
      if (!cidr) {
        event(node, 'Normal', 'CIDRNotAvailable', `Node ${node.metadata.name} status is now: CIDRNotAvailable`);
        throw new Error('CIDR allocation failed; there are no remaining CIDRs left to allocate in the accepted range');
      }
      promised.set(node.metadata.uid ?? '', cidr);
      await client.of('Node').patch(node.metadata.name ?? '', { spec: { podCIDR: cidr, podCIDRs: [cidr] } }, 'strategic');
    },

    start({ informer }) {
      informer('Node').onChange(({ before, after }) => {
        const gone = after ? undefined : before;
        if (gone) promised.delete(gone.metadata.uid ?? '');
        else if (after?.spec?.podCIDR) promised.delete(after.metadata.uid ?? '');
      });
    },
  });
};

/** The lowest /24 of the range that nobody has. */
export function firstFree(clusterCidr: string, given: ReadonlySet<string>): string | undefined {
  const [address = '', length = '0'] = clusterCidr.split('/');
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  const base = ((a * 256 + b) * 256 + c) * 256 + d;
  const count = 1 << (MASK - Number(length));
  for (let i = 0; i < count; i++) {
    const n = base + i * 256;
    const cidr = `${Math.floor(n / 16777216)}.${Math.floor(n / 65536) % 256}.${Math.floor(n / 256) % 256}.0/${MASK}`;
    if (!given.has(cidr)) return cidr;
  }
  return undefined;
}
