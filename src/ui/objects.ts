/**
 * The things a person can point at, select and act on, under one kind of name. A pod is its UID, so a replacement with
 * the same name is another thing; a node likewise.
 */
import type { NodeRecord } from '../hosts/protocol.ts';
import { type Cluster, podStatusText } from './cluster-store.ts';
import type { Status } from './look/glyphs.ts';
import { type Box, ETCD_GROUP } from './map/layout.ts';

export type Thing =
  | { readonly kind: 'node'; readonly id: string; readonly index: number }
  | { readonly kind: 'pod'; readonly id: string; readonly index: number }
  | { readonly kind: 'service'; readonly id: string; readonly key: string }
  | { readonly kind: 'member'; readonly id: string; readonly name: string }
  /** Any object of the API that is not drawn, by where it is kept: a binding, a webhook, a quota. */
  | { readonly kind: 'object'; readonly id: string; readonly type: string; readonly url: string };

export const nodeThing = (node: NodeRecord): Thing => ({ kind: 'node', id: node.uid || `Machine/${node.name}`, index: node.index });
export const podThing = (cluster: Cluster, index: number): Thing | undefined => {
  const record = cluster.pods.records[index];
  return record ? { kind: 'pod', id: record.uid, index } : undefined;
};
export const serviceThing = (key: string): Thing => ({ kind: 'service', id: `Service/${key}`, key });
export const memberThing = (name: string): Thing => ({ kind: 'member', id: `Member/${name}`, name });
/** `object:ResourceQuota:/api/v1/…` */
export const objectThing = (type: string, url: string): Thing => ({ kind: 'object', id: `object:${type}:${url}`, type, url });

/** Finds a thing again by its id; nothing when it no longer exists. */
export function thingOf(cluster: Cluster, id: string | undefined): Thing | undefined {
  if (id === undefined) return undefined;
  const index = cluster.pods.byUid.get(id);
  if (index !== undefined) return { kind: 'pod', id, index };
  const [, type, url] = /^object:([^:]+):(.+)$/.exec(id) ?? [];
  if (type !== undefined && url !== undefined) return objectThing(type, url);
  const state = cluster.store.getState();
  if (id.startsWith('Service/')) return state.services.has(id.slice(8)) ? serviceThing(id.slice(8)) : undefined;
  if (id.startsWith('Member/')) return state.members.has(id.slice(7)) ? memberThing(id.slice(7)) : undefined;
  const node = id.startsWith('Machine/') ? cluster.nodeNamed(id.slice(8)) : cluster.nodeWithUid(id);
  return node && nodeThing(node);
}

export function boxOf(cluster: Cluster, thing: Thing): Box | undefined {
  const { layout, pods } = cluster;
  switch (thing.kind) {
    case 'node':
      return layout.nodeBox(thing.index);
    case 'pod':
      return layout.podBox(pods.node[thing.index]!, pods.slot[thing.index]!);
    case 'service':
      return layout.serviceBox(thing.key);
    case 'member': {
      const member = cluster.store.getState().members.get(thing.name);
      return member && layout.memberBox(member);
    }
    case 'object':
      return undefined;
  }
}

/** Every thing there is, nodes first, each with its pods after it; the order of the table and of `visible()`. */
export function allThings(cluster: Cluster): Thing[] {
  const { nodes, services, members } = cluster.store.getState();
  const things: Thing[] = [];
  const podsOf = (node: number): void => {
    for (const index of [...(cluster.pods.byNode.get(node) ?? [])].sort((a, b) => cluster.pods.slot[a]! - cluster.pods.slot[b]!)) {
      const thing = podThing(cluster, index);
      if (thing) things.push(thing);
    }
  };
  podsOf(-1);
  // An etcd machine and its member stand in one place; the member speaks for both.
  const hosts = new Set([...members.values()].map((member) => member.host || member.name));
  for (const node of nodes.values()) {
    if (node.group === ETCD_GROUP && hosts.has(node.name)) continue;
    things.push(nodeThing(node));
    podsOf(node.index);
  }
  for (const key of services.keys()) things.push(serviceThing(key));
  for (const name of members.keys()) things.push(memberThing(name));
  return things;
}

/** How the world names it: `Pod/default/web-1`, `Node/node-1`. Etcd members and machines outside the cluster are no API objects. */
export function aboutOf(cluster: Cluster, thing: Thing): string | undefined {
  const state = cluster.store.getState();
  switch (thing.kind) {
    case 'pod': {
      const record = cluster.pods.records[thing.index];
      return record && `Pod/${record.namespace}/${record.name}`;
    }
    case 'node': {
      const node = state.nodes.get(thing.index);
      return node && node.group !== ETCD_GROUP ? `Node/${node.name}` : undefined;
    }
    case 'service':
      return `Service/${thing.key}`;
    case 'member':
    case 'object':
      return undefined;
  }
}

/** Where the API keeps it. */
export function urlOf(cluster: Cluster, thing: Thing): string | undefined {
  if (thing.kind === 'object') return thing.url;
  const about = aboutOf(cluster, thing)?.split('/');
  if (!about) return undefined;
  if (thing.kind === 'node') return `/api/v1/nodes/${about[1]}`;
  return `/api/v1/namespaces/${about[1]}/${thing.kind === 'pod' ? 'pods' : 'services'}/${about[2]}`;
}

export interface Summary {
  readonly title: string;
  readonly kind: string;
  readonly status: Status;
  readonly word: string;
  readonly place: string;
}

export function nodeStatus(node: NodeRecord): Status {
  if (!node.powered) return 3;
  if (node.group === ETCD_GROUP) return 0;
  if (node.ready === 'Missing') return 1;
  if (node.ready === 'False') return 3;
  if (node.ready === 'Unknown') return 5;
  return node.cordoned || node.kubelet === 'stopped' || node.pressures.length > 0 ? 2 : 0;
}
export function nodeWord(node: NodeRecord): string {
  if (!node.powered) return 'Powered off';
  if (node.group === ETCD_GROUP) return 'Running';
  const ready = { True: 'Ready', False: 'NotReady', Unknown: 'NotReady', Missing: 'Joining' }[node.ready];
  return node.cordoned ? `${ready},SchedulingDisabled` : ready;
}

/** What a person or a screen reader is told about a thing in one line. */
export function summaryOf(cluster: Cluster, thing: Thing): Summary | undefined {
  const state = cluster.store.getState();
  switch (thing.kind) {
    case 'pod': {
      const record = cluster.pods.records[thing.index];
      if (!record) return undefined;
      const node = cluster.nodeName(cluster.pods.node[thing.index]!);
      return {
        title: record.name,
        kind: 'Pod',
        status: cluster.pods.status[thing.index] as Status,
        word: podStatusText(cluster, thing.index),
        place: node === '' ? 'not scheduled' : `on ${node}`,
      };
    }
    case 'node': {
      const node = state.nodes.get(thing.index);
      if (!node) return undefined;
      const pods = cluster.pods.byNode.get(node.index)?.length ?? 0;
      return {
        title: node.name,
        kind: node.group === ETCD_GROUP ? 'Machine' : 'Node',
        status: nodeStatus(node),
        word: nodeWord(node),
        place: node.group === ETCD_GROUP ? node.ip : `${pods} ${pods === 1 ? 'pod' : 'pods'}`,
      };
    }
    case 'service': {
      const service = state.services.get(thing.key);
      if (!service) return undefined;
      const ready = service.endpoints.filter((endpoint) => endpoint.ready).length;
      const selects = Object.keys(service.selector).length > 0;
      return {
        title: thing.key.split('/')[1] ?? thing.key,
        kind: 'Service',
        status: ready > 0 || !selects ? 0 : 2,
        word: selects || ready > 0 ? `${ready}/${service.endpoints.length} ready` : service.type,
        place: `in ${thing.key.split('/')[0]}`,
      };
    }
    case 'object':
      return { title: thing.url.slice(thing.url.lastIndexOf('/') + 1), kind: thing.type, status: 0, word: 'as the API keeps it', place: '' };
    case 'member': {
      const member = state.members.get(thing.name);
      if (!member) return undefined;
      const status: Status = member.role === 'Stopped' ? 3 : member.role === 'Leader' || member.role === 'Follower' ? 0 : 1;
      return { title: member.name, kind: 'etcd member', status, word: `${member.role}, term ${member.term}`, place: `on ${member.host || member.name}` };
    }
  }
}
