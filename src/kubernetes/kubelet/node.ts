/** What the parts of one kubelet share: who it is and what it can reach. */

import type { Files } from '../../linux/files.ts';
import type { Connection } from '../../linux/sockets.ts';
import type { Duration } from '../../sim/clock.ts';
import type { Process } from '../../sim/process.ts';
import type { DeepReadonly } from '../api/json.ts';
import type { Service } from '../api/types.gen.ts';
import type { Client } from '../client/client.ts';
import type { Recorder } from '../client/events.ts';
import type { Backoff } from './backoff.ts';
import type { ContainerRuntime } from './cri.ts';
import type { ImagePuller } from './image-puller.ts';
import type { ObjectCache } from './object-cache.ts';
import type { PodObject } from './pod-view.ts';
import type { Pending } from './resize.ts';
import type { Statuses } from './statuses.ts';

export interface KubeletNode {
  readonly self: Process;
  readonly nodeName: string;
  readonly hostIP: string;
  readonly allocatable: Readonly<Record<string, string>>;
  /** Bytes. */
  readonly memoryCapacity: number;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  readonly client: Client;
  readonly recorder: Recorder;
  /** Guarded: answers never reach a kubelet that has crashed. */
  readonly runtime: ContainerRuntime;
  readonly files: Files;
  readonly images: ImagePuller;
  readonly objects: ObjectCache;
  readonly statuses: Statuses;
  /** Back-off of containers that fail again and again. */
  readonly crashes: Backoff;
  /** All Services, or undefined while they have not been listed yet. */
  services(): readonly DeepReadonly<Service>[] | undefined;
  /** The pod as the API has it now: itself, or a static pod's mirror. */
  current(uid: string): PodObject | undefined;
  /** Sees to it that a static pod has its mirror in the API. */
  ensureMirror(pod: PodObject): void;
  /** Why a pod that asks for this now does not get it here, beside what the others were granted. */
  pendingResize(desired: PodObject): Pending | undefined;
  completeToken?(sealed: string): string;
  connect(ip: string, port: number, timeout: Duration): Promise<Connection>;
}

/** Keeps the promises of another process (the runtime, the network) from waking a kubelet that is dead. */
export function whileAlive<T>(self: Process, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    promise.then(
      (value) => {
        if (self.alive) resolve(value);
      },
      (error) => {
        if (self.alive) reject(error);
      },
    );
  });
}

/** The runtime as this kubelet process sees it: silent once the kubelet is dead. */
export function guarded(self: Process, runtime: ContainerRuntime): ContainerRuntime {
  return {
    ...runtime,
    version: () => runtime.version(),
    status: () => runtime.status(),
    sandboxes: () => runtime.sandboxes(),
    containers: () => runtime.containers(),
    logs: (id) => runtime.logs(id),
    imageStatus: (image) => runtime.imageStatus(image),
    images: () => runtime.images(),
    stats: (id) => runtime.stats(id),
    load: () => runtime.load(),
    usage: () => runtime.usage(),
    runPodSandbox: (config) => whileAlive(self, runtime.runPodSandbox(config)),
    stopPodSandbox: (id) => whileAlive(self, runtime.stopPodSandbox(id)),
    removePodSandbox: (id) => whileAlive(self, runtime.removePodSandbox(id)),
    createContainer: (sandbox, config) => whileAlive(self, runtime.createContainer(sandbox, config)),
    startContainer: (id) => whileAlive(self, runtime.startContainer(id)),
    stopContainer: (id, grace) => whileAlive(self, runtime.stopContainer(id, grace)),
    updateContainerResources: (id, resources) => whileAlive(self, runtime.updateContainerResources(id, resources)),
    removeContainer: (id) => whileAlive(self, runtime.removeContainer(id)),
    exec: (id, argv, io) => whileAlive(self, runtime.exec(id, argv, io)),
    attach: (id, io) => whileAlive(self, runtime.attach(id, io)),
    portForward: (sandbox, port) => whileAlive(self, runtime.portForward(sandbox, port)),
    pullImage: (image, auth) => whileAlive(self, runtime.pullImage(image, auth)),
    removeImage: (id) => whileAlive(self, runtime.removeImage(id)),
    imageFsUsed: () => runtime.imageFsUsed(),
    onEvent: (listener) => {
      const off = runtime.onEvent((event) => {
        if (self.alive) listener(event);
        else off();
      });
      return off;
    },
    followLogs: (id, listener) => runtime.followLogs(id, listener),
    onSystemOom: (listener) => {
      const off = runtime.onSystemOom((victim) => {
        if (self.alive) listener(victim);
        else off();
      });
      return off;
    },
  };
}
