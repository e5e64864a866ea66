/**
 * The scheduler's picture of the cluster: each node with its pods and what they ask for, kept up event by
 * event so that an attempt costs nothing to begin (upstream `pkg/scheduler/backend/cache`). Pods just bound are
 * assumed until the watch confirms them. What one pod's coming or going costs does not depend on how many nodes there are.
 */
import type { DeepReadonly } from '../api/json.ts';
import { keyOf } from '../api/meta.ts';
import type { Node, Pod, Taint } from '../api/types.gen.ts';
import { NO_OBJECTS, type Objects } from './framework.ts';
import { add, demandOf, fromList, noResources, type Resources } from './resources.ts';
import { Tallies, type Tally } from './tally.ts';
import { type HeldTerm, type HeldTerms, heldTermsOf, TermBook } from './terms.ts';

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
  readonly name: string;
  // What filters ask every node for, close at hand.
  labels: Readonly<Record<string, string>> | undefined;
  unschedulable: boolean;
  taints: readonly DeepReadonly<Taint>[] | undefined;
  private ports: HostPort[] | undefined;
  private sizes: ReadonlyMap<string, number> | undefined;

  constructor(public node: DeepReadonly<Node>) {
    this.name = node.metadata.name!;
    this.labels = node.metadata.labels;
    this.unschedulable = node.spec?.unschedulable === true;
    this.taints = node.spec?.taints;
    this.allocatable = fromList(node.status?.allocatable as Readonly<Record<string, string>> | undefined);
    this.allowedPods = Number(node.status?.allocatable?.['pods'] ?? 0);
  }

  update(node: DeepReadonly<Node>): void {
    if (node.status?.allocatable !== this.node.status?.allocatable) {
      this.allocatable = fromList(node.status?.allocatable as Readonly<Record<string, string>> | undefined);
      this.allowedPods = Number(node.status?.allocatable?.['pods'] ?? 0);
    }
    if (node.status?.images !== this.node.status?.images) this.sizes = undefined;
    this.labels = node.metadata.labels;
    this.unschedulable = node.spec?.unschedulable === true;
    this.taints = node.spec?.taints;
    this.node = node;
  }

  add(pod: DeepReadonly<Pod>): void {
    this.remove(pod);
    this.pods.set(keyOf(pod), pod);
    const demand = demandOf(pod);
    add(this.requested, demand.requests);
    add(this.nonZeroRequested, demand.nonZero);
    this.ports = undefined;
  }

  /** Returns the pod that was there under this name. */
  remove(pod: DeepReadonly<Pod>): DeepReadonly<Pod> | undefined {
    const known = this.pods.get(keyOf(pod));
    if (!known) return undefined;
    this.pods.delete(keyOf(pod));
    const demand = demandOf(known);
    add(this.requested, demand.requests, -1);
    add(this.nonZeroRequested, demand.nonZero, -1);
    this.ports = undefined;
    return known;
  }

  hostPorts(): readonly HostPort[] {
    this.ports ??= [...this.pods.values()].flatMap(hostPortsOf);
    return this.ports;
  }

  /** Bytes by every name of every image on the node (`ImageStates`). */
  imageSizes(): ReadonlyMap<string, number> {
    if (!this.sizes) {
      const sizes = new Map<string, number>();
      for (const { names, sizeBytes } of this.node.status?.images ?? []) for (const name of names ?? []) sizes.set(name, sizeBytes ?? 0);
      this.sizes = sizes;
    }
    return this.sizes;
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

/** The nodes as plugins see them. */
export interface NodeList {
  /** In the order in which they are looked at. */
  list(): readonly NodeInfo[];
  get(name: string): NodeInfo | undefined;
  /** Every other object of the cluster. */
  readonly objects: Objects;
  /** How many pods matching a question are where; `id` names the question. */
  tally(id: string, matches: (pod: DeepReadonly<Pod>) => boolean): Tally;
  /** The affinity terms held by placed pods, equal ones together. */
  readonly terms: { readonly groups: Iterable<HeldTerm>; readonly selecting: number };
  /** Remembers what is derived from the nodes' own fields (labels, taints) until any of them changes. */
  derived<T>(id: string, make: () => T): T;
  /** Nodes that have an image of this name. */
  imageNodes(name: string): number;
}

const zoneOf = (node: DeepReadonly<Node>): string => {
  const labels = node.metadata.labels;
  return `${labels?.['topology.kubernetes.io/region'] ?? ''}\0${labels?.['topology.kubernetes.io/zone'] ?? ''}`;
};

const DERIVED = 256;

/** Nodes in a fixed order: zones take turns, then order of arrival (`backend/cache/node_tree.go`). */
export class Snapshot implements NodeList {
  readonly nodes = new Map<string, NodeInfo>();
  readonly terms = new TermBook();
  private readonly tallies = new Tallies();
  private readonly memo = new Map<string, unknown>();
  private imageCounts: Map<string, number> | undefined;
  private ordered: readonly NodeInfo[] | undefined;
  /** Pods told of before their nodes, by node name. */
  private readonly homeless = new Map<string, Map<string, DeepReadonly<Pod>>>();

  constructor(public objects: Objects = NO_OBJECTS) {}

  list(): readonly NodeInfo[] {
    if (this.ordered) return this.ordered;
    const zones = new Map<string, NodeInfo[]>();
    for (const info of this.nodes.values()) {
      const zone = zoneOf(info.node);
      const there = zones.get(zone);
      if (there) there.push(info);
      else zones.set(zone, [info]);
    }
    const ordered: NodeInfo[] = [];
    for (let i = 0; ordered.length < this.nodes.size; i++) for (const zone of zones.values()) if (zone[i]) ordered.push(zone[i]!);
    this.ordered = ordered;
    return ordered;
  }

  get(name: string): NodeInfo | undefined {
    return this.nodes.get(name);
  }

  setNode(node: DeepReadonly<Node>): void {
    const name = node.metadata.name!;
    const known = this.nodes.get(name);
    if (!known) {
      const info = new NodeInfo(node);
      this.nodes.set(name, info);
      this.ordered = undefined;
      this.memo.clear();
      this.imageCounts = undefined;
      const waiting = this.homeless.get(name);
      this.homeless.delete(name);
      for (const pod of waiting?.values() ?? []) this.place(info, pod);
      return;
    }
    const before = known.node;
    const relabelled = !sameLabels(before.metadata.labels, node.metadata.labels);
    if (before.status?.images !== node.status?.images) this.imageCounts = undefined;
    known.update(node);
    if (relabelled || before.spec !== node.spec) this.memo.clear();
    if (relabelled) {
      this.tallies.forgetDomains();
      this.terms.forgetDomains();
      if (zoneOf(before) !== zoneOf(node)) this.ordered = undefined;
    }
  }

  removeNode(name: string): void {
    const info = this.nodes.get(name);
    if (!info) return;
    const pods = new Map(info.pods);
    for (const pod of pods.values()) this.displace(info, pod);
    this.nodes.delete(name);
    // Its pods are deleted one by one by whoever cleans up; should the node come back, they are still there.
    if (pods.size > 0) this.homeless.set(name, pods);
    this.ordered = undefined;
    this.memo.clear();
    this.imageCounts = undefined;
  }

  /** A pod is on its node (spec.nodeName), or is assumed to be. Replaces what was known under its name there. */
  addPod(pod: DeepReadonly<Pod>): void {
    const name = pod.spec!.nodeName!;
    const info = this.nodes.get(name);
    if (info) {
      this.displace(info, pod);
      this.place(info, pod);
      return;
    }
    const waiting = this.homeless.get(name);
    if (waiting) waiting.set(keyOf(pod), pod);
    else this.homeless.set(name, new Map([[keyOf(pod), pod]]));
  }

  removePod(pod: DeepReadonly<Pod>, nodeName: string): void {
    const info = this.nodes.get(nodeName);
    if (info) this.displace(info, pod);
    else {
      this.homeless.get(nodeName)?.delete(keyOf(pod));
      if (this.homeless.get(nodeName)?.size === 0) this.homeless.delete(nodeName);
    }
  }

  tally(id: string, matches: (pod: DeepReadonly<Pod>) => boolean): Tally {
    return this.tallies.of(id, this.nodes.values(), matches);
  }

  derived<T>(id: string, make: () => T): T {
    if (this.memo.has(id)) return this.memo.get(id) as T;
    if (this.memo.size >= DERIVED) this.memo.clear();
    const value = make();
    this.memo.set(id, value);
    return value;
  }

  imageNodes(name: string): number {
    if (!this.imageCounts) {
      this.imageCounts = new Map();
      for (const info of this.nodes.values()) for (const image of info.imageSizes().keys()) this.imageCounts.set(image, (this.imageCounts.get(image) ?? 0) + 1);
    }
    return this.imageCounts.get(name) ?? 0;
  }

  allPods(): DeepReadonly<Pod>[] {
    return this.list().flatMap((info) => [...info.pods.values()]);
  }

  /** A copy to try things on; the objects are shared. */
  clone(): Snapshot {
    const copy = new Snapshot(this.objects);
    for (const info of this.nodes.values()) copy.setNode(info.node);
    for (const info of this.nodes.values()) for (const pod of info.pods.values()) copy.place(copy.nodes.get(info.name)!, pod);
    return copy;
  }

  private place(info: NodeInfo, pod: DeepReadonly<Pod>): void {
    info.add(pod);
    this.tallies.count(info, pod, 1);
    const held: HeldTerms | undefined = heldTermsOf(pod);
    if (held) this.terms.count(info, held, 1);
  }
  private displace(info: NodeInfo, pod: DeepReadonly<Pod>): void {
    const known = info.remove(pod);
    if (!known) return;
    this.tallies.count(info, known, -1);
    const held = heldTermsOf(known);
    if (held) this.terms.count(info, held, -1);
  }
}

function sameLabels(a: DeepReadonly<Record<string, string>> | undefined, b: DeepReadonly<Record<string, string>> | undefined): boolean {
  if (a === b) return true;
  if (!a || !b) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  for (const key of keys) if (a[key] !== b[key]) return false;
  return true;
}
