/**
 * The Node object as its kubelet keeps it (`kubelet_node_status.go`, `nodestatus/setters.go`): registered
 * once, its lease renewed every 10 s, its status patched when something changed and else every 5 min.
 */
import { minutes, ms, seconds } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';
import type { DeepReadonly, Json } from '../api/json.ts';
import { fromWhole, wholeValue } from '../api/quantity.ts';
import { RELEASE } from '../api/release.ts';
import { ApiError } from '../api/request.ts';
import { microTimestamp, timestamp } from '../api/time.ts';
import type { Lease, Node, NodeCondition, Taint } from '../api/types.gen.ts';
import type { Client } from '../client/client.ts';
import type { Recorder } from '../client/events.ts';
import type { ContainerRuntime } from './cri.ts';
import { RESERVED_MEMORY } from './system-use.ts';

export interface NodeInfo {
  readonly osImage: string;
  readonly kernelVersion: string;
  /** `amd64`. */
  readonly architecture?: string;
  readonly machineID?: string;
  readonly systemUUID?: string;
  /** Changes at each boot of the machine: a new one makes a Rebooted event. */
  readonly bootID?: string;
}
export interface Capacity {
  /** Quantities: `4`, `8Gi`. */
  readonly cpu: string;
  readonly memory: string;
  readonly pods: number;
  readonly ephemeralStorage: string;
}
export interface NodeOptions {
  readonly nodeName: string;
  readonly internalIP: string;
  readonly capacity: Capacity;
  readonly nodeInfo: NodeInfo;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly DeepReadonly<Taint>[];
}

const LEASE_SECONDS = 40;
const UPDATE = seconds(10);
const REPORT = minutes(5);

export const capacityOf = (capacity: Capacity): Record<string, string> => ({
  cpu: capacity.cpu,
  'ephemeral-storage': capacity.ephemeralStorage,
  'hugepages-1Gi': '0',
  'hugepages-2Mi': '0',
  memory: capacity.memory,
  pods: String(capacity.pods),
});
/** Less what hard eviction keeps back: 100Mi of memory and a tenth of the disk. */
export const allocatableOf = (capacity: Capacity): Record<string, string> => ({
  ...capacityOf(capacity),
  'ephemeral-storage': String(Math.floor((wholeValue(capacity.ephemeralStorage) * 9) / 10)),
  memory: fromWhole(wholeValue(capacity.memory) - RESERVED_MEMORY, 'BinarySI'),
});

type Conditions = readonly DeepReadonly<NodeCondition>[];

/** The four conditions, keeping the transition times of those that did not change. Pure. */
export function nodeConditions(before: Conditions | undefined, notReady: string | undefined, memoryPressure: boolean, now: string): Conditions {
  const wanted = [
    memoryPressure
      ? { type: 'MemoryPressure', status: 'True', reason: 'KubeletHasInsufficientMemory', message: 'kubelet has insufficient memory available' }
      : { type: 'MemoryPressure', status: 'False', reason: 'KubeletHasSufficientMemory', message: 'kubelet has sufficient memory available' },
    { type: 'DiskPressure', status: 'False', reason: 'KubeletHasNoDiskPressure', message: 'kubelet has no disk pressure' },
    { type: 'PIDPressure', status: 'False', reason: 'KubeletHasSufficientPID', message: 'kubelet has sufficient PID available' },
    notReady === undefined
      ? { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
      : { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: notReady },
  ];
  return [
    ...(before ?? []).filter((condition) => !wanted.some((one) => one.type === condition.type)),
    ...wanted.map((condition) => {
      const old = before?.find((one) => one.type === condition.type);
      return { ...condition, lastHeartbeatTime: now, lastTransitionTime: old?.status === condition.status ? (old.lastTransitionTime ?? now) : now };
    }),
  ];
}

/** Why the node is not ready; undefined when it is. */
export function whyNotReady(runtime: ContainerRuntime): string | undefined {
  const status = runtime.status();
  if (!status.runtimeReady) return 'container runtime status check may not have completed yet';
  if (!status.networkReady) return `container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:${status.networkMessage}`;
  return undefined;
}

export class NodeStatus {
  private node: DeepReadonly<Node> | undefined;
  private lease: DeepReadonly<Lease> | undefined;
  private reportedAt = 0;
  private renewedAt = 0;
  private signature = '';
  private wasReady: boolean | undefined;
  private wasShort = false;
  private syncing = false;
  private again = false;

  constructor(
    private readonly self: Process,
    private readonly client: Client,
    private readonly recorder: Recorder,
    private readonly runtime: ContainerRuntime,
    private readonly options: NodeOptions,
    private readonly onReadyChange: () => void,
    private readonly imageGc: { tick(): void },
    /** Looks at what is short; `memoryPressure` is what it found. */
    private readonly eviction: { look(): unknown; readonly memoryPressure: boolean },
  ) {}

  get uid(): string | undefined {
    return this.node?.metadata.uid;
  }

  /** The node's labels and taints as last heard of. */
  get marks(): { readonly labels: Readonly<Record<string, string>>; readonly taints: readonly DeepReadonly<Taint>[] } {
    return this.node
      ? { labels: this.node.metadata.labels ?? {}, taints: this.node.spec?.taints ?? [] }
      : { labels: { ...this.options.labels, 'kubernetes.io/hostname': this.options.nodeName, 'kubernetes.io/os': 'linux' }, taints: [] };
  }

  /** Reads the node anew; without an answer what was known stays. */
  async fetch(): Promise<void> {
    try {
      this.node = await this.client.of('Node').get(this.options.nodeName);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  /** Begins the loops of registration, status and lease. */
  start(): void {
    this.event('Normal', 'Starting', 'Starting kubelet.');
    const { clock } = this.self;
    const statusTick = (): void => {
      clock.after(UPDATE + this.self.rng.between(0, ms(400)), statusTick);
      // The eviction manager looks as often, and before what it finds is told.
      this.eviction.look();
      this.imageGc.tick();
      this.sync();
    };
    const leaseTick = (): void => {
      clock.after(UPDATE, leaseTick);
      clock.wake();
      void this.renewLease();
    };
    // Readiness is looked at often until it comes for the first time (fastStatusUpdateOnce).
    const watchReady = (): void => {
      if (whyNotReady(this.runtime) === undefined) this.sync();
      else clock.after(ms(100), watchReady);
    };
    clock.after(0, statusTick);
    clock.after(0, leaseTick);
    watchReady();
    let ready = whyNotReady(this.runtime) === undefined;
    const lookAtRuntime = (): void => {
      clock.after(seconds(5), lookAtRuntime);
      const now = whyNotReady(this.runtime) === undefined;
      if (now === ready) return;
      ready = now;
      this.onReadyChange();
      this.sync();
    };
    clock.after(seconds(5), lookAtRuntime);
  }

  /** Looks whether there is something to tell; nothing to tell costs a comparison. */
  private sync(): void {
    const signature = `${whyNotReady(this.runtime) ?? ''}|${this.eviction.memoryPressure}|${this.runtime.images().length}`;
    if (this.node && signature === this.signature && this.self.clock.now() - this.reportedAt < REPORT) return;
    if (this.syncing) {
      this.again = true;
      return;
    }
    this.syncing = true;
    this.self.clock.wake();
    void this.report(signature);
  }

  private async report(signature: string): Promise<void> {
    try {
      if (!this.node) await this.register();
      const node = this.node;
      if (node) {
        const patch = this.status(node);
        this.node = await this.client.of('Node').patch(this.options.nodeName, { status: patch } as unknown as Json, 'strategic', 'status');
        this.signature = signature;
        this.reportedAt = this.self.clock.now();
        this.noteConditions();
      }
    } catch (error) {
      // Deleted by somebody: it is registered again.
      if (error instanceof ApiError && error.code === 404) this.node = undefined;
    }
    this.syncing = false;
    if (!this.again) return;
    this.again = false;
    this.sync();
  }

  private async register(): Promise<void> {
    const { nodeName, labels, taints, nodeInfo } = this.options;
    const nodes = this.client.of('Node');
    const own = {
      'beta.kubernetes.io/arch': nodeInfo.architecture ?? 'amd64',
      'beta.kubernetes.io/os': 'linux',
      'kubernetes.io/arch': nodeInfo.architecture ?? 'amd64',
      'kubernetes.io/hostname': nodeName,
      'kubernetes.io/os': 'linux',
    };
    const fresh: DeepReadonly<Node> = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: nodeName, labels: { ...own, ...labels }, annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' } },
      spec: { ...(taints.length > 0 && { taints }) },
    };
    try {
      this.node = await nodes.create({ ...fresh, status: this.status(fresh) } as DeepReadonly<Node>);
      this.event('Normal', 'NodeAllocatableEnforced', 'Updated Node Allocatable limit across pods');
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 409) throw error;
      const existing = await nodes.get(nodeName);
      const boot = existing.status?.nodeInfo?.bootID;
      if (boot && nodeInfo.bootID && boot !== nodeInfo.bootID)
        this.event('Warning', 'Rebooted', `Node ${nodeName} has been rebooted, boot id: ${nodeInfo.bootID}`);
      const wrong = Object.entries({ ...own, ...labels }).some(([name, value]) => existing.metadata.labels?.[name] !== value);
      this.node = wrong ? await nodes.patch(nodeName, { metadata: { labels: { ...own, ...labels } } }, 'strategic') : existing;
    }
  }

  private status(node: DeepReadonly<Node>): NonNullable<DeepReadonly<Node>['status']> {
    const { options, runtime } = this;
    const version = runtime.version();
    const now = timestamp(this.self.clock.now());
    const images = [...runtime.images()].sort((a, b) => b.size - a.size).slice(0, 50);
    return {
      addresses: [
        { type: 'InternalIP', address: options.internalIP },
        { type: 'Hostname', address: options.nodeName },
      ],
      allocatable: allocatableOf(options.capacity),
      capacity: capacityOf(options.capacity),
      conditions: nodeConditions(node.status?.conditions, whyNotReady(runtime), this.eviction.memoryPressure, now),
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
      images: images.map((image) => ({ names: [...image.names], sizeBytes: image.size })),
      nodeInfo: {
        architecture: options.nodeInfo.architecture ?? 'amd64',
        bootID: options.nodeInfo.bootID ?? '',
        containerRuntimeVersion: `${version.runtimeName}://${version.runtimeVersion}`,
        kernelVersion: options.nodeInfo.kernelVersion,
        kubeProxyVersion: '',
        kubeletVersion: RELEASE.gitVersion,
        machineID: options.nodeInfo.machineID ?? '',
        operatingSystem: 'linux',
        osImage: options.nodeInfo.osImage,
        systemUUID: options.nodeInfo.systemUUID ?? '',
      },
    };
  }

  private noteConditions(): void {
    const ready = this.node?.status?.conditions?.find((condition) => condition.type === 'Ready')?.status === 'True';
    const name = this.options.nodeName;
    if (this.wasReady === undefined) {
      for (const reason of ['NodeHasSufficientMemory', 'NodeHasNoDiskPressure', 'NodeHasSufficientPID'])
        this.event('Normal', reason, `Node ${name} status is now: ${reason}`);
    }
    const short = this.node?.status?.conditions?.find((condition) => condition.type === 'MemoryPressure')?.status === 'True';
    if (short !== this.wasShort) {
      const reason = short ? 'NodeHasInsufficientMemory' : 'NodeHasSufficientMemory';
      this.event('Normal', reason, `Node ${name} status is now: ${reason}`);
      this.wasShort = short;
    }
    if (ready && this.wasReady !== true) this.event('Normal', 'NodeReady', `Node ${name} status is now: NodeReady`);
    if (!ready && this.wasReady === true) this.event('Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
    this.wasReady = ready;
  }

  /** `component-helpers/apimachinery/lease`: renew what is held, make it when there is none; five tries without a pause, then at the next tick. */
  private async renewLease(): Promise<void> {
    const name = this.options.nodeName;
    const leases = this.client.of('Lease');
    const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime: microTimestamp(this.self.clock.now()) };
    try {
      if (this.lease) this.lease = await leases.update({ ...this.lease, spec: { ...this.lease.spec, ...spec } });
      else {
        const owner = this.node?.metadata.uid ? [{ apiVersion: 'v1', kind: 'Node', name, uid: this.node.metadata.uid }] : undefined;
        try {
          const held = await leases.get(`kube-node-lease/${name}`);
          this.lease = await leases.update({ ...held, spec: { ...held.spec, ...spec } });
        } catch (error) {
          if (!(error instanceof ApiError) || error.code !== 404) throw error;
          this.lease = await leases.create({
            apiVersion: 'coordination.k8s.io/v1',
            kind: 'Lease',
            metadata: { name, namespace: 'kube-node-lease', ...(owner && { ownerReferences: owner }) },
            spec,
          });
        }
      }
      // Unheard of for that long, the node may have been marked Unknown. Upstream reads the node with every look at its status and so sees it.
      const now = this.self.clock.now();
      if (this.renewedAt > 0 && now - this.renewedAt >= seconds(LEASE_SECONDS)) this.reportedAt = now - REPORT;
      this.renewedAt = now;
    } catch (error) {
      // Somebody else wrote it, or it is gone: read it again next time.
      if (error instanceof ApiError) this.lease = undefined;
    }
  }

  /** The eviction manager's first word (`EvictionThresholdMet`). */
  shortOf(resource: string): void {
    this.event('Warning', 'EvictionThresholdMet', `Attempting to reclaim ${resource}`);
  }

  /** The kernel's own killer was at work (`oom_watcher_linux.go`). */
  outOfMemory(process: string, pid: number): void {
    this.event('Warning', 'SystemOOM', `System OOM encountered, victim process: ${process}, pid: ${pid}`);
  }

  /** A disk that is too full. */
  diskFull(reason: 'FreeDiskSpaceFailed' | 'ImageGCFailed', message: string): void {
    this.event('Warning', reason, message);
  }

  private event(type: 'Normal' | 'Warning', reason: string, message: string): void {
    const name = this.options.nodeName;
    // Events about nodes carry the name as uid, since a kubelet may speak before it knows its node's.
    this.recorder.event({ apiVersion: 'v1', kind: 'Node', metadata: { name, uid: name } as DeepReadonly<Node>['metadata'] }, type, reason, message);
  }
}
