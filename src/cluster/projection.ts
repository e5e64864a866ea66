/**
 * What the page draws, made from the world without disturbing it: once a frame, everything that changed.
 *
 * Bulk state crosses as integers (24 bytes a pod), names once. Places are decided here, in virtual time,
 * so that they are a function of the world's history and of nothing else: a pod takes the lowest free
 * slot of its node when it is bound, and a freed slot rests for ten virtual seconds, so that a replacement
 * never takes a place unseen.
 */
import {
  type EtcdMemberRecord,
  type Frame,
  type Happening,
  type NodeRecord,
  POD_FIELDS,
  type PodDetail,
  PodFlag,
  type PodRecord,
  PodStatus,
  type ServiceRecord,
} from '../hosts/protocol.ts';
import type { DeepReadonly } from '../kubernetes/api/json.ts';
import { milliValue, wholeValue } from '../kubernetes/api/quantity.ts';
import { instantOf } from '../kubernetes/api/time.ts';
import type { EndpointSlice, Event, Node, Pod, Service } from '../kubernetes/api/types.gen.ts';
import { podSummary } from '../kubernetes/apiserver/printers/pod.ts';
import { type Instant, ms, seconds } from '../sim/clock.ts';
import type { Cluster } from './cluster.ts';
import { isAssumed } from './registries.ts';

/** How long a freed slot stays empty. */
const SLOT_RESTS = seconds(10);
/** Above this many pods, details are asked for one by one. */
const DETAIL_LIMIT = 2_000;
/** How often the use of the nodes is looked at. */
const LOAD_EVERY = ms(500);
const HAPPENINGS_PER_FRAME = 200;

interface Place {
  readonly record: PodRecord;
  pod: DeepReadonly<Pod>;
  node: number;
  slot: number;
  changed: boolean;
}
interface Grid {
  readonly taken: Map<number, number>;
  readonly restsUntil: Map<number, Instant>;
}

export class Projection {
  private readonly pods = new Map<string, Place>();
  private readonly newPods: Place[] = [];
  private readonly gone: number[] = [];
  private readonly changed = new Set<Place>();
  private nextPod = 0;

  private readonly nodes = new Map<string, { index: number; record: NodeRecord | undefined; node: DeepReadonly<Node> | undefined }>();
  private readonly nodeIndex = new Map<string, number>();
  private readonly dirtyNodes = new Set<string>();
  private readonly removedNodes: number[] = [];
  private nextNode = 0;
  private readonly grids = new Map<number, Grid>();

  private readonly services = new Map<string, DeepReadonly<Service>>();
  private readonly slices = new Map<string, DeepReadonly<EndpointSlice>>();
  private readonly dirtyServices = new Set<string>();
  private readonly removedServices: string[] = [];

  private readonly loads = new Map<string, { readonly cpu: number; readonly told: { readonly cpu: number; readonly memory: number } }>();
  private sampledAt: Instant = 0;
  private happenings: Happening[] = [];
  private reset = true;
  private lastMembers = '';
  /** Grows whenever something a person could see has changed; chatter does not move it. */
  stirred = 0;

  constructor(private readonly cluster: Cluster) {
    for (const machine of cluster.machines) {
      machine.onPower(() => this.dirtyNodes.add(machine.name));
    }
    for (const host of cluster.etcdHosts) this.seeNode(host.name, undefined);
    cluster.onMachine((machine) => {
      machine.onPower(() => this.dirtyNodes.add(machine.name));
      this.seeNode(machine.name, undefined);
    });
    cluster.watchStore('nodes', (before, after) =>
      this.seeNode((after ?? before)!.metadata.name!, after as DeepReadonly<Node> | undefined, before as DeepReadonly<Node> | undefined),
    );
    cluster.watchStore('pods', (before, after) => this.seePod(before as DeepReadonly<Pod> | undefined, after as DeepReadonly<Pod> | undefined));
    cluster.watchStore('services', (before, after) => this.seeService(before as DeepReadonly<Service> | undefined, after as DeepReadonly<Service> | undefined));
    cluster.watchStore('endpointslices', (before, after) =>
      this.seeSlice(before as DeepReadonly<EndpointSlice> | undefined, after as DeepReadonly<EndpointSlice> | undefined),
    );
    cluster.watchStore('events', (_before, after) => after && this.seeEvent(after as DeepReadonly<Event>));
    cluster.onServiceChange((machine) => this.dirtyNodes.add(machine));
  }

  /** Everything since the frame before. */
  frame(): Frame {
    this.sampleLoad();
    const nodes: NodeRecord[] = [];
    for (const name of this.dirtyNodes) {
      const known = this.nodes.get(name);
      if (!known) continue;
      known.record = this.nodeRecord(name, known.index, known.node);
      nodes.push(known.record);
    }
    this.dirtyNodes.clear();

    const alive = [...this.changed];
    const podChanges = new Int32Array(alive.length * POD_FIELDS);
    const podDetails: PodDetail[] = [];
    alive.forEach((place, i) => {
      const { status, flags, restarts } = condense(place.pod);
      podChanges.set([place.record.index, place.node, place.slot, status, flags, restarts], i * POD_FIELDS);
      if (this.pods.size <= DETAIL_LIMIT) podDetails.push(detail(place.record.index, place.pod));
    });
    this.changed.clear();

    const services = [...this.dirtyServices].flatMap((key) => {
      const service = this.services.get(key);
      return service ? [this.serviceRecord(key, service)] : [];
    });
    this.dirtyServices.clear();

    const members = this.members();
    const said = JSON.stringify(members);
    const frame: Frame = {
      type: 'frame',
      now: this.cluster.loop.now,
      events: this.cluster.loop.events,
      reset: this.reset,
      nodes,
      removedNodes: this.removedNodes.splice(0),
      pods: this.newPods.splice(0).map((place) => place.record),
      removedPods: this.gone.splice(0),
      podChanges,
      podDetails,
      services,
      removedServices: this.removedServices.splice(0),
      members: said === this.lastMembers ? [] : members,
      happenings: this.happenings.splice(0),
    };
    this.lastMembers = said;
    this.reset = false;
    return frame;
  }

  /** What the nodes' containers use, smoothed; a node is told of again when that has changed by what could be seen. */
  private sampleLoad(): void {
    const { now } = this.cluster.loop;
    if (now - this.sampledAt < LOAD_EVERY) return;
    this.sampledAt = now;
    for (const { name, runtime } of this.cluster.nodes) {
      const load = runtime?.load() ?? { cpuMilli: 0, memoryBytes: 0 };
      const known = this.loads.get(name);
      const cpu = known ? Math.round((known.cpu * 3 + load.cpuMilli) / 4) : load.cpuMilli;
      const memory = Math.floor(load.memoryBytes / 1048576);
      const told = known?.told ?? { cpu: 0, memory: 0 };
      const seen = Math.abs(cpu - told.cpu) >= 20 || Math.abs(memory - told.memory) >= 8;
      this.loads.set(name, { cpu, told: seen ? { cpu, memory } : told });
      if (seen) this.dirtyNodes.add(name);
    }
  }

  private members(): EtcdMemberRecord[] {
    return this.cluster.etcdHosts.map(({ name, host }) => {
      const status = this.cluster.etcdStatus(name);
      return status
        ? { name, host, role: status.role, term: status.term, commit: status.commit, revision: status.revision }
        : { name, host, role: 'Stopped', term: 0, commit: 0, revision: 0 };
    });
  }

  private seeNode(name: string, after: DeepReadonly<Node> | undefined, before?: DeepReadonly<Node>): void {
    this.stirred++;
    const known = this.nodes.get(name);
    if (!after && before) {
      if (known) {
        this.nodes.delete(name);
        this.nodeIndex.delete(name);
        this.removedNodes.push(known.index);
        this.dirtyNodes.delete(name);
      }
      return;
    }
    if (known) known.node = after;
    else {
      const index = this.nextNode++;
      this.nodes.set(name, { index, record: undefined, node: after });
      this.nodeIndex.set(name, index);
    }
    this.dirtyNodes.add(name);
  }

  private nodeRecord(name: string, index: number, node: DeepReadonly<Node> | undefined): NodeRecord {
    const machine = this.cluster.machines.find((m) => m.name === name);
    const ready = node?.status?.conditions?.find((condition) => condition.type === 'Ready');
    const labels = node?.metadata.labels ?? {};
    let cpu = 0;
    let memory = 0;
    for (const { pod, node: at } of this.pods.values()) {
      if (at !== index || pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') continue;
      for (const container of pod.spec?.containers ?? []) {
        cpu += milliValue(container.resources?.requests?.['cpu'] as string | undefined);
        memory += wholeValue(container.resources?.requests?.['memory'] as string | undefined);
      }
    }
    return {
      index,
      uid: node?.metadata.uid ?? `machine-${name}`,
      name,
      group: node ? (labels['topology.kubernetes.io/zone'] ?? 'nodes') : 'etcd',
      roles: Object.keys(labels)
        .filter((label) => label.startsWith('node-role.kubernetes.io/'))
        .map((label) => label.slice('node-role.kubernetes.io/'.length)),
      ip: node?.status?.addresses?.find((address) => address.type === 'InternalIP')?.address ?? machine?.ip ?? '',
      podCidr: node?.spec?.podCIDR ?? '',
      slots: node ? Number(node.status?.allocatable?.['pods'] ?? 110) : 0,
      cpu: { allocatable: milliValue(node?.status?.allocatable?.['cpu'] as string | undefined), requested: cpu, used: this.loads.get(name)?.told.cpu ?? 0 },
      memory: {
        allocatable: Math.floor(wholeValue(node?.status?.allocatable?.['memory'] as string | undefined) / 1048576),
        requested: Math.floor(memory / 1048576),
        used: this.loads.get(name)?.told.memory ?? 0,
      },
      ready: node ? ((ready?.status as NodeRecord['ready'] | undefined) ?? 'Missing') : machine?.on ? 'True' : 'Unknown',
      readyReason: ready?.message ?? '',
      cordoned: node?.spec?.unschedulable ?? false,
      pressures: (node?.status?.conditions ?? []).filter(({ type, status }) => type !== 'Ready' && status === 'True').map(({ type }) => type),
      taints: (node?.spec?.taints ?? []).map((taint) => `${taint.key}${taint.value ? `=${taint.value}` : ''}:${taint.effect}`),
      powered: machine?.on ?? false,
      kubelet: machine?.isRunning('kubelet') ? 'running' : 'stopped',
    };
  }

  private seePod(before: DeepReadonly<Pod> | undefined, after: DeepReadonly<Pod> | undefined): void {
    this.stirred++;
    const uid = (after ?? before)!.metadata.uid!;
    let place = this.pods.get(uid);
    if (!after) {
      if (!place) return;
      this.pods.delete(uid);
      this.changed.delete(place);
      this.gone.push(place.record.index);
      this.leave(place);
      this.touchNode(place.node);
      return;
    }
    const node = after.spec?.nodeName ? (this.nodeIndex.get(after.spec.nodeName) ?? -1) : -1;
    if (!place) {
      place = {
        record: {
          index: this.nextPod++,
          uid,
          namespace: after.metadata.namespace ?? '',
          name: after.metadata.name!,
          owner: ownerName(after),
          labels: after.metadata.labels ?? {},
          createdAt: instantOf(after.metadata.creationTimestamp) ?? 0,
        },
        pod: after,
        node,
        slot: this.take(node),
        changed: true,
      };
      this.pods.set(uid, place);
      this.newPods.push(place);
      this.touchNode(node);
    } else if (place.node !== node) {
      this.leave(place);
      place.node = node;
      place.slot = this.take(node);
      this.touchNode(node);
    }
    place.pod = after;
    this.changed.add(place);
  }

  private touchNode(index: number): void {
    for (const [name, known] of this.nodes) if (known.index === index) this.dirtyNodes.add(name);
  }

  private grid(node: number): Grid {
    let grid = this.grids.get(node);
    if (!grid) {
      grid = { taken: new Map(), restsUntil: new Map() };
      this.grids.set(node, grid);
    }
    return grid;
  }
  private take(node: number): number {
    const grid = this.grid(node);
    const now = this.cluster.loop.now;
    let slot = 0;
    while (grid.taken.has(slot) || (grid.restsUntil.get(slot) ?? 0) > now) slot++;
    grid.taken.set(slot, 1);
    grid.restsUntil.delete(slot);
    return slot;
  }
  private leave(place: Place): void {
    const grid = this.grid(place.node);
    grid.taken.delete(place.slot);
    grid.restsUntil.set(place.slot, this.cluster.loop.now + SLOT_RESTS);
  }

  private seeService(before: DeepReadonly<Service> | undefined, after: DeepReadonly<Service> | undefined): void {
    this.stirred++;
    const { namespace, name } = (after ?? before)!.metadata;
    const key = `${namespace}/${name}`;
    if (after) {
      this.services.set(key, after);
      this.dirtyServices.add(key);
    } else {
      this.services.delete(key);
      this.removedServices.push(key);
    }
  }
  private seeSlice(before: DeepReadonly<EndpointSlice> | undefined, after: DeepReadonly<EndpointSlice> | undefined): void {
    this.stirred++;
    const { namespace, name, labels } = (after ?? before)!.metadata;
    const key = `${namespace}/${name}`;
    if (after) this.slices.set(key, after);
    else this.slices.delete(key);
    const service = labels?.['kubernetes.io/service-name'];
    if (service) this.dirtyServices.add(`${namespace}/${service}`);
  }
  private serviceRecord(key: string, service: DeepReadonly<Service>): ServiceRecord {
    const endpoints: { uid: string; ready: boolean }[] = [];
    for (const slice of this.slices.values()) {
      if (slice.metadata.namespace !== service.metadata.namespace || slice.metadata.labels?.['kubernetes.io/service-name'] !== service.metadata.name) continue;
      for (const endpoint of slice.endpoints ?? []) {
        if (endpoint.targetRef?.uid) endpoints.push({ uid: endpoint.targetRef.uid, ready: endpoint.conditions?.ready ?? true });
      }
    }
    return {
      key,
      type: service.spec?.type ?? 'ClusterIP',
      clusterIP: service.spec?.clusterIP ?? '',
      ports: (service.spec?.ports ?? []).map((port) => `${port.port}${port.nodePort ? `:${port.nodePort}` : ''}/${port.protocol ?? 'TCP'}`).join(','),
      selector: service.spec?.selector ?? {},
      endpoints,
    };
  }

  private seeEvent(event: DeepReadonly<Event>): void {
    this.stirred++;
    const about = event.involvedObject;
    this.happenings.push({
      at: this.cluster.loop.now,
      type: event.type === 'Warning' ? 'Warning' : 'Normal',
      reason: event.reason ?? '',
      message: event.message ?? '',
      about: about ? `${about.kind}/${about.namespace ? `${about.namespace}/` : ''}${about.name}` : '',
      source: event.source?.component ?? event.reportingComponent ?? '',
      count: event.count ?? 1,
    });
    if (this.happenings.length > HAPPENINGS_PER_FRAME) this.happenings = this.happenings.slice(-HAPPENINGS_PER_FRAME);
  }
}

/** A pod's place in the palette, its flags and its restarts. */
function condense(pod: DeepReadonly<Pod>): { status: number; flags: number; restarts: number } {
  const conditions = pod.status?.conditions ?? [];
  const ready = conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
  const unschedulable = conditions.some(
    (condition) => condition.type === 'PodScheduled' && condition.status === 'False' && condition.reason === 'Unschedulable',
  );
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const waitingBadly = statuses.some((status) => BAD_WAITS.has(status.state?.waiting?.reason ?? ''));
  const lost = pod.status?.reason === 'NodeLost';
  const phase = pod.status?.phase;
  let status: number = PodStatus.Progress;
  if (lost || phase === 'Unknown') status = PodStatus.Unknown;
  else if (phase === 'Succeeded') status = PodStatus.Completed;
  else if (phase === 'Failed' || waitingBadly) status = PodStatus.Failed;
  else if (unschedulable) status = PodStatus.Degraded;
  else if (phase === 'Running')
    status = ready
      ? PodStatus.Healthy
      : statuses.some((s) => s.state?.terminated && s.state.terminated.exitCode !== 0)
        ? PodStatus.Failed
        : statuses.every((s) => s.started ?? false)
          ? PodStatus.Degraded
          : PodStatus.Progress;
  const flags =
    (pod.metadata.deletionTimestamp ? PodFlag.Terminating : 0) |
    (unschedulable ? PodFlag.Unschedulable : 0) |
    (pod.metadata.annotations?.['kubernetes.io/config.mirror'] ? PodFlag.Static : 0) |
    (pod.metadata.ownerReferences?.some((owner) => owner.kind === 'DaemonSet') ? PodFlag.DaemonSet : 0) |
    (ready ? PodFlag.Ready : 0);
  return { status, flags, restarts: statuses.reduce((sum, s) => sum + (s.restartCount ?? 0), 0) };
}
const BAD_WAITS = new Set([
  'CrashLoopBackOff',
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'ErrImageNeverPull',
]);

function detail(index: number, pod: DeepReadonly<Pod>): PodDetail {
  const statusOf = (name: string) =>
    [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? []), ...(pod.status?.ephemeralContainerStatuses ?? [])].find(
      (status) => status.name === name,
    );
  const container = (
    spec: { readonly name?: string; readonly image?: string; readonly restartPolicy?: string },
    kind: 'init' | 'sidecar' | 'main' | 'ephemeral',
  ): PodDetail['containers'][number] => {
    const status = statusOf(spec.name ?? '');
    const state = status?.state?.running ? 'running' : status?.state?.terminated ? 'terminated' : 'waiting';
    return {
      name: spec.name ?? '',
      kind,
      image: spec.image ?? '',
      assumed: isAssumed(spec.image ?? ''),
      state,
      reason: status?.state?.waiting?.reason ?? status?.state?.terminated?.reason ?? '',
      ready: status?.ready ?? false,
      restarts: status?.restartCount ?? 0,
    };
  };
  return {
    index,
    ip: pod.status?.podIP ?? '',
    status: podSummary(pod as Pod, 0).status,
    message: pod.status?.message ?? pod.status?.conditions?.find((condition) => condition.status === 'False' && condition.message)?.message ?? '',
    qos: pod.status?.qosClass ?? '',
    containers: [
      ...(pod.spec?.initContainers ?? []).map((spec) => container(spec, spec.restartPolicy === 'Always' ? 'sidecar' : 'init')),
      ...(pod.spec?.containers ?? []).map((spec) => container(spec, 'main')),
      ...(pod.spec?.ephemeralContainers ?? []).map((spec) => container(spec, 'ephemeral')),
    ],
  };
}

/** `Deployment/web` for a pod of the Deployment's ReplicaSet: the name people know it by. */
function ownerName(pod: DeepReadonly<Pod>): string {
  const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller);
  if (!owner) return `Pod/${pod.metadata.name}`;
  const hash = pod.metadata.labels?.['pod-template-hash'];
  if (owner.kind === 'ReplicaSet' && hash && owner.name.endsWith(`-${hash}`)) return `Deployment/${owner.name.slice(0, -hash.length - 1)}`;
  return `${owner.kind}/${owner.name}`;
}
