/**
 * The scheduler's picture of the cluster: each node with its pods and what they ask for, kept up event by
 * event so that an attempt costs nothing to begin (upstream `internal/cache`). Pods just bound are assumed
 * until the watch confirms them.
 */
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import type { Node, Pod } from '../api/types.gen.ts';
import { add, fromList, noResources, podRequests, type Resources } from './resources.ts';

export interface HostPort {
  readonly protocol: string;
  readonly ip: string;
  readonly port: number;
}

export class NodeInfo {
  readonly pods = new Map<string, DeepReadonly<Pod>>();
  readonly requested: Resources = noResources();
  /** With defaults for containers that ask for nothing; what scoring looks at. */
  readonly nonZeroRequested: Resources = noResources();
  allocatable: Resources;
  allowedPods: number;

  constructor(public node: DeepReadonly<Node>) {
    this.allocatable = fromList(node.status?.allocatable as Readonly<Record<string, string>> | undefined);
    this.allowedPods = Number(node.status?.allocatable?.['pods'] ?? 0);
  }

  get name(): string {
    return this.node.metadata.name!;
  }

  update(node: DeepReadonly<Node>): void {
    this.node = node;
    this.allocatable = fromList(node.status?.allocatable as Readonly<Record<string, string>> | undefined);
    this.allowedPods = Number(node.status?.allocatable?.['pods'] ?? 0);
  }

  add(pod: DeepReadonly<Pod>): void {
    this.remove(pod);
    this.pods.set(keyOf(pod), pod);
    add(this.requested, podRequests(pod));
    add(this.nonZeroRequested, podRequests(pod, true));
  }

  remove(pod: DeepReadonly<Pod>): void {
    const known = this.pods.get(keyOf(pod));
    if (!known) return;
    this.pods.delete(keyOf(pod));
    add(this.requested, podRequests(known), -1);
    add(this.nonZeroRequested, podRequests(known, true), -1);
  }

  hostPorts(): HostPort[] {
    return [...this.pods.values()].flatMap(hostPortsOf);
  }

  /** A copy to try things on. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.node);
    for (const pod of this.pods.values()) copy.add(pod);
    return copy;
  }
}

export const hostPortsOf = (pod: DeepReadonly<Pod>): HostPort[] =>
  [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always')].flatMap((container) =>
    (container.ports ?? []).flatMap((port) => (port.hostPort ? [{ protocol: port.protocol ?? 'TCP', ip: port.hostIP || '0.0.0.0', port: port.hostPort }] : [])),
  );

/** Nodes in the order in which they are looked at. */
export interface NodeList {
  list(): readonly NodeInfo[];
}

/** Nodes in a fixed order: zones take turns, then order of arrival (`internal/cache/node_tree.go`). */
export class Snapshot implements NodeList {
  readonly nodes = new Map<string, NodeInfo>();
  private ordered: NodeInfo[] | undefined;

  list(): readonly NodeInfo[] {
    if (this.ordered) return this.ordered;
    const zones = new Map<string, NodeInfo[]>();
    for (const info of this.nodes.values()) {
      const zone = info.node.metadata.labels?.['topology.kubernetes.io/zone'] ?? '';
      zones.set(zone, [...(zones.get(zone) ?? []), info]);
    }
    const ordered: NodeInfo[] = [];
    for (let i = 0; ordered.length < this.nodes.size; i++) for (const zone of zones.values()) if (zone[i]) ordered.push(zone[i]!);
    this.ordered = ordered;
    return ordered;
  }

  setNode(node: DeepReadonly<Node>): void {
    const known = this.nodes.get(node.metadata.name!);
    if (known) known.update(node);
    else this.nodes.set(node.metadata.name!, new NodeInfo(node));
    this.ordered = undefined;
  }
  removeNode(name: string): void {
    this.nodes.delete(name);
    this.ordered = undefined;
  }

  allPods(): DeepReadonly<Pod>[] {
    return this.list().flatMap((info) => [...info.pods.values()]);
  }
}
