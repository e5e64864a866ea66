/** One pod's resizes: what it desires, what it was granted, what its containers were last set to. The rules are in `resize.ts`. */
import { type Duration, type Instant, seconds } from '../../sim/clock.ts';
import type { ContainerStatus } from './cri.ts';
import type { KubeletNode } from './node.ts';
import { type ContainerSpec, newest, type PodObject, type PodView } from './pod-view.ts';
import {
  type Allocation,
  allocationInStatus,
  allocationOf,
  changes,
  needsRestart,
  type Pending,
  type Requirements,
  resizableContainers,
  runtimeResources,
  statusOf,
  withAllocation,
} from './resize.ts';
import type { ResizeState } from './status.ts';

export class PodResizer {
  /** The pod as it is wanted. */
  private desired: PodObject;
  /** The pod as it runs here: with the resources it was granted. */
  private granted: PodObject;
  private allocation: Allocation;
  /** By container id: what its control group was last set to. */
  private readonly actuated = new Map<string, Requirements>();
  private pending: (Pending & { readonly at: Instant }) | undefined;
  /** As each sync finds it when it begins: that a resize is done is seen by the next. */
  private inProgress = false;
  private error: string | undefined;

  constructor(
    private readonly node: KubeletNode,
    pod: PodObject,
  ) {
    this.desired = pod;
    this.allocation = allocationInStatus(pod) ?? allocationOf(pod);
    this.granted = withAllocation(pod, this.allocation);
  }

  get pod(): PodObject {
    return this.granted;
  }
  get wanted(): PodObject {
    return this.desired;
  }
  get state(): ResizeState {
    return { pending: this.pending, ...(this.inProgress && { inProgress: this.error === undefined ? {} : { error: this.error } }) };
  }

  update(pod: PodObject): void {
    this.desired = pod;
    this.granted = withAllocation(pod, this.allocation);
  }

  /** What is desired becomes what is granted, if it fits. Returns after how long to look again at what must wait: with every periodic sync, as upstream. */
  grant(view: PodView): Duration | undefined {
    if (this.desired === this.granted) this.pending = undefined;
    else {
      const pending = this.node.pendingResize(this.desired);
      this.pending = pending && { ...pending, at: this.node.self.clock.now() };
      if (!pending) {
        this.allocation = allocationOf(this.desired);
        this.granted = this.desired;
        this.error = undefined;
      }
    }
    this.inProgress = resizableContainers(this.granted).some((spec) => {
      const status = newest(view, spec.name);
      return status?.state === 'running' && this.changes(spec, status).length > 0;
    });
    return this.pending?.reason === 'Deferred' ? seconds(60) : undefined;
  }

  /** A container has been started with what it was granted. */
  started(id: string, spec: ContainerSpec): void {
    this.actuated.set(id, spec.resources ?? {});
  }

  restarts(spec: ContainerSpec, status: ContainerStatus): boolean {
    return needsRestart(spec, this.changes(spec, status));
  }

  /** What a container was last set to; a kubelet that has just started takes its predecessor's word for it. */
  actuatedOf({ id, config }: ContainerStatus): Requirements {
    const known = this.actuated.get(id);
    if (known) return known;
    const status = statusOf(this.granted, config.name);
    const granted = this.allocation.get(config.name) ?? {};
    return status?.resources && status.containerID === `containerd://${id}` ? { ...granted, ...status.resources } : granted;
  }

  private changes(spec: ContainerSpec, status: ContainerStatus): ReturnType<typeof changes> {
    return changes(this.actuatedOf(status), spec.resources ?? {});
  }

  /** Sets the control groups of running containers to what was granted (`doPodResizeAction`). True when there was something to set. */
  async actuate(view: PodView, sandbox: string | undefined): Promise<boolean> {
    let tried = false;
    for (const spec of resizableContainers(this.granted)) {
      const status = newest(view, spec.name);
      if (status?.state !== 'running' || status.sandbox !== sandbox || this.changes(spec, status).length === 0) continue;
      tried = true;
      try {
        await this.node.runtime.updateContainerResources(status.id, runtimeResources(this.granted, spec, this.node.memoryCapacity));
        this.started(status.id, spec);
        this.error = undefined;
      } catch (error) {
        this.error = error instanceof Error ? error.message : String(error);
      }
    }
    return tried;
  }
}
