/** Which machines a cluster is made of, by name. */
export interface Topology {
  readonly name: string;
  readonly title: string;
  readonly etcd: readonly { readonly name: string; readonly ip: string }[];
  /** Absent in a world of etcd alone. */
  readonly controlPlane?: { readonly name: string; readonly ip: string };
  readonly workers: readonly { readonly name: string; readonly ip: string }[];
  /** What is installed once the cluster is up: kind's storage, and after it metrics-server. */
  readonly addons?: readonly ('local-path-storage' | 'metrics-server')[];
}

export const etcdMachine = (n: number) => ({ name: `etcd-${n}`, ip: `10.0.0.${20 + n}` });
const members = (count: number) => Array.from({ length: count }, (_, i) => etcdMachine(i + 1));
const etcd = members(3);
const workers = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `node-${i + 1}`, ip: `10.0.0.${11 + i}` }));
const addons = ['local-path-storage'] as const;
const controlPlane = { name: 'control-plane', ip: '10.0.0.10' };

export const TOPOLOGIES: Readonly<Record<string, Topology>> = {
  'three-nodes': { name: 'three-nodes', title: 'One control plane, three workers', etcd, controlPlane, workers: workers(3), addons },
  single: { name: 'single', title: 'One control plane, one worker', etcd, controlPlane, workers: workers(1), addons },
  metrics: {
    name: 'metrics',
    title: 'Three workers and metrics-server',
    etcd,
    controlPlane,
    workers: workers(3),
    addons: [...addons, 'metrics-server'],
  },
  ...Object.fromEntries(
    [1, 2, 3, 4, 5, 6, 7].map((count) => [
      `etcd-${count}`,
      { name: `etcd-${count}`, title: count === 1 ? 'One etcd member' : `${count} etcd members`, etcd: members(count), workers: [] },
    ]),
  ),
};

/** Throws RangeError naming those there are. */
export function topologyOf(name: string): Topology {
  const topology = Object.hasOwn(TOPOLOGIES, name) ? TOPOLOGIES[name] : undefined;
  if (!topology) throw new RangeError(`there is no topology "${name}"; there are ${Object.keys(TOPOLOGIES).join(', ')}`);
  return topology;
}
