/**
 * What the page knows of the world, fed by frames. React reads slices; the canvas reads the pod columns directly and is
 * told once a frame that something changed. Views never own state: this is all there is.
 */
import { createStore } from 'zustand/vanilla';
import type { Clock, World } from '../hosts/connect.ts';
import { type EtcdMemberRecord, type Frame, type Happening, type NodeRecord, PodFlag, type ServiceRecord } from '../hosts/protocol.ts';
import { parseFilter } from './filter.ts';
import { ETCD_GROUP, expectedNodes, isEtcdOnly, MapLayout } from './map/layout.ts';
import { PodTable } from './pod-table.ts';

/** API server, controller manager, scheduler: the API knows of them last, when their kubelet has joined the cluster they are. */
const CONTROL_PLANE_PODS = 3;
const HAPPENINGS_KEPT = 2_000;

export interface ClusterView {
  /** Rises with every frame; what reads the pod columns depends on it. */
  readonly version: number;
  /** Rises when a pod came or went. */
  readonly population: number;
  readonly booted: boolean;
  readonly nodes: ReadonlyMap<number, NodeRecord>;
  readonly services: ReadonlyMap<string, ServiceRecord>;
  readonly members: ReadonlyMap<string, EtcdMemberRecord>;
  readonly namespaces: readonly string[];
  readonly happenings: readonly Happening[];
  readonly clock: { readonly now: number; readonly events: number; readonly factor: number; readonly lag: number; readonly idle: boolean };
}

const EMPTY: ClusterView = {
  version: 0,
  population: 0,
  booted: false,
  nodes: new Map(),
  services: new Map(),
  members: new Map(),
  namespaces: [],
  happenings: [],
  clock: { now: 0, events: 0, factor: 1, lag: 0, idle: false },
};

/** What happened in one frame that a listener may want to say or point at. */
export interface FrameNews {
  readonly frame: Frame;
  readonly newPods: readonly number[];
  readonly newNodes: readonly number[];
}

export function createClusterStore(topology: string) {
  const store = createStore<ClusterView>(() => EMPTY);
  const pods = new PodTable();
  let layout = new MapLayout(expectedNodes(topology));
  const nodeByName = new Map<string, number>();
  const nodeByUid = new Map<string, number>();
  /** Answers of `bright` for the present version. */
  const brightness = new Map<string, { readonly mask: Uint8Array; readonly count: number }>();
  let brightAt = -1;
  const frameListeners = new Set<(news: FrameNews) => void>();

  const applyFrame = (frame: Frame, wall: number): void => {
    const before = frame.reset ? EMPTY : store.getState();
    if (frame.reset) {
      layout = new MapLayout(expectedNodes(topology));
      nodeByName.clear();
      nodeByUid.clear();
    }
    let nodes = before.nodes;
    const newNodes: number[] = [];
    if (frame.nodes.length > 0 || frame.removedNodes.length > 0) {
      const next = new Map(nodes);
      for (const index of frame.removedNodes) {
        next.delete(index);
        layout.removeNode(index);
      }
      for (const node of frame.nodes) {
        if (!next.has(node.index)) newNodes.push(node.index);
        next.set(node.index, node);
        nodeByName.set(node.name, node.index);
        nodeByUid.set(node.uid, node.index);
      }
      layout.addNodes(frame.nodes);
      nodes = next;
    }
    let services = before.services;
    if (frame.services.length > 0 || frame.removedServices.length > 0) {
      const next = new Map(services);
      for (const key of frame.removedServices) next.delete(key);
      for (const service of frame.services) next.set(service.key, service);
      layout.addServices(frame.services);
      services = next;
    }
    let members = before.members;
    if (frame.members.length > 0) {
      const next = new Map(members);
      for (const member of frame.members) next.set(member.name, member);
      layout.addMembers(frame.members);
      members = next;
    }
    const moved = pods.apply(frame, wall);
    let namespaces = before.namespaces;
    if (frame.pods.some((pod) => !namespaces.includes(pod.namespace)))
      namespaces = [...new Set([...namespaces, ...frame.pods.map((pod) => pod.namespace)])].sort();
    const happenings = frame.happenings.length > 0 ? [...before.happenings, ...frame.happenings].slice(-HAPPENINGS_KEPT) : before.happenings;
    store.setState({
      version: before.version + 1,
      population: before.population + (moved > 0 ? 1 : 0),
      booted: true,
      nodes,
      services,
      members,
      namespaces,
      happenings,
      clock: { ...before.clock, now: frame.now, events: frame.events },
    });
    if (frameListeners.size > 0) {
      const news: FrameNews = { frame, newPods: frame.pods.map((pod) => pod.index), newNodes };
      for (const listener of frameListeners) listener(news);
    }
  };

  return {
    store,
    pods,
    topology,
    get layout(): MapLayout {
      return layout;
    },
    nodeNamed: (name: string): NodeRecord | undefined => {
      const index = nodeByName.get(name);
      return index === undefined ? undefined : store.getState().nodes.get(index);
    },
    nodeWithUid: (uid: string): NodeRecord | undefined => {
      const index = nodeByUid.get(uid);
      return index === undefined ? undefined : store.getState().nodes.get(index);
    },
    nodeName: (index: number): string => store.getState().nodes.get(index)?.name ?? '',
    applyFrame,
    applyClock: (clock: Clock): void =>
      store.setState({ clock: { now: clock.now, events: clock.events, factor: clock.factor, lag: clock.lag, idle: clock.idle } }),
    onNews(listener: (news: FrameNews) => void): () => void {
      frameListeners.add(listener);
      return () => frameListeners.delete(listener);
    },
    /** Listens to a world. */
    follow(world: World): () => void {
      const stops = [world.onFrame((frame) => applyFrame(frame, performance.now())), world.onClock((clock) => this.applyClock(clock))];
      return () => {
        for (const stop of stops) stop();
      };
    },
    /** Every node the topology promises is Ready, and so are the cluster's own pods, the control plane's among them. */
    isUp(): boolean {
      if (isEtcdOnly(topology)) {
        const members = [...store.getState().members.values()];
        return members.some(({ role }) => role === 'Leader') && members.every(({ role }) => role !== 'Stopped');
      }
      let ready = 0;
      let wanted = 0;
      for (const node of store.getState().nodes.values()) {
        if (node.group === ETCD_GROUP || node.ready !== 'True') continue;
        ready++;
        if (node.roles.includes('control-plane')) wanted += CONTROL_PLANE_PODS;
      }
      if (ready < expectedNodes(topology)) return false;
      let own = 0;
      for (let index = 0; index < pods.length; index++) {
        if (!pods.alive[index] || pods.records[index]?.namespace !== 'kube-system') continue;
        const flags = pods.flags[index]!;
        if ((flags & PodFlag.Ready) === 0) return false;
        if ((flags & PodFlag.Static) !== 0) own++;
      }
      return own >= wanted;
    },
    /** Which pods a filter and a choice of namespaces leave bright; nothing when all are. Index → 1 bright, 0 dim. */
    bright(filterText: string, chosen: readonly string[]): { readonly mask: Uint8Array; readonly count: number } | undefined {
      const filter = parseFilter(filterText);
      if (!filter && chosen.length === 0) return undefined;
      const { version } = store.getState();
      if (version !== brightAt) brightness.clear();
      brightAt = version;
      const key = `${filterText}\n${chosen.join()}`;
      const known = brightness.get(key);
      if (known) return known;
      const mask = new Uint8Array(pods.length);
      let count = 0;
      for (let index = 0; index < pods.length; index++) {
        const record = pods.records[index];
        if (!record || !pods.alive[index]) continue;
        if (chosen.length > 0 && !chosen.includes(record.namespace)) continue;
        if (filter && !filter({ record, status: pods.status[index]!, flags: pods.flags[index]!, node: this.nodeName(pods.node[index]!) })) continue;
        mask[index] = 1;
        count++;
      }
      const found = { mask, count };
      brightness.set(key, found);
      return found;
    },
  };
}
export type Cluster = ReturnType<typeof createClusterStore>;

/** kubectl's STATUS word, or the nearest to it when no detail has come. */
export function podStatusText(cluster: Cluster, index: number): string {
  const { pods } = cluster;
  if ((pods.flags[index]! & PodFlag.Terminating) !== 0) return 'Terminating';
  const detail = pods.details[index];
  if (detail) return detail.status;
  if ((pods.flags[index]! & PodFlag.Unschedulable) !== 0) return 'Pending';
  return ['Running', 'Pending', 'Not ready', 'Failed', 'Completed', 'Unknown'][pods.status[index]!]!;
}
