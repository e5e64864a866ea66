/** Which machines a cluster is made of, by name. */
export interface Topology {
  readonly name: string;
  readonly title: string;
  readonly etcd: readonly { readonly name: string; readonly ip: string }[];
  readonly controlPlane: { readonly name: string; readonly ip: string };
  readonly workers: readonly { readonly name: string; readonly ip: string }[];
}

const etcd = [1, 2, 3].map((n) => ({ name: `etcd-${n}`, ip: `10.0.0.2${n}` }));
const workers = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `node-${i + 1}`, ip: `10.0.0.${11 + i}` }));
const controlPlane = { name: 'control-plane', ip: '10.0.0.10' };

export const TOPOLOGIES: Readonly<Record<string, Topology>> = {
  'three-nodes': { name: 'three-nodes', title: 'One control plane, three workers', etcd, controlPlane, workers: workers(3) },
  single: { name: 'single', title: 'One control plane, one worker', etcd, controlPlane, workers: workers(1) },
};

/** Throws RangeError naming those there are. */
export function topologyOf(name: string): Topology {
  const topology = Object.hasOwn(TOPOLOGIES, name) ? TOPOLOGIES[name] : undefined;
  if (!topology) throw new RangeError(`there is no topology "${name}"; there are ${Object.keys(TOPOLOGIES).join(', ')}`);
  return topology;
}
