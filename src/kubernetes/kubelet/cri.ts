/**
 * The container runtime interface, as the kubelet sees it (cri-api `runtime/v1/api.proto`). containerd
 * implements it; the kubelet imports nothing else of containerd.
 */
import type { Connection } from '../../linux/sockets.ts';
import type { Duration, Instant } from '../../sim/clock.ts';

export type SandboxId = string;
export type ContainerId = string;

export interface SandboxConfig {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly attempt: number;
  readonly hostname: string;
  /** What follows the host name in /etc/hosts: of a pod with a subdomain. */
  readonly domain?: string | undefined;
  readonly hostNetwork: boolean;
  /** The handler of the pod's RuntimeClass; undefined is the default one. */
  readonly runtimeHandler?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly dns: { readonly servers: readonly string[]; readonly searches: readonly string[]; readonly options: readonly string[] };
  /** Extra lines of /etc/hosts. */
  readonly hosts?: readonly string[];
}
export interface SandboxStatus {
  readonly id: SandboxId;
  readonly config: SandboxConfig;
  readonly state: 'ready' | 'notready';
  /** The pod's addresses; the node's when hostNetwork. */
  readonly ips: readonly string[];
  readonly createdAt: Instant;
}
/** LinuxContainerResources. */
export interface ContainerResources {
  /** Bytes; a program that holds more is OOMKilled (137). */
  readonly memoryLimit?: number;
  /** Thousandths of a core: what it counts for when there is not enough, and what it may have (cpu.weight, cpu.max). */
  readonly cpuRequest?: number;
  readonly cpuLimit?: number;
  /** -1000 to 1000: who goes first when the machine itself runs out of memory (proc(5)). */
  readonly oomScoreAdj?: number;
}
export interface ContainerConfig extends ContainerResources {
  readonly name: string;
  readonly attempt: number;
  readonly image: string;
  /** Replaces the image's entrypoint. */
  readonly command?: readonly string[];
  /** Replaces the image's arguments. */
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly env: Readonly<Record<string, string>>;
  /** Absolute path in the container to file contents (ConfigMaps, Secrets, tokens, emptyDir). */
  readonly mounts: readonly Mount[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Whom it runs as; the image's own user and group where a number is missing. */
  readonly user?: { readonly uid?: number; readonly gid?: number; readonly groups?: readonly number[] };
  readonly stdin?: boolean;
  /** Standard input ends with the first attached session that ends it. */
  readonly stdinOnce?: boolean;
  readonly tty?: boolean;
}
export interface Mount {
  readonly containerPath: string;
  readonly readOnly: boolean;
  /** Shared between containers and restarts: the directory on the node. */
  readonly hostPath: string;
}
export interface ContainerStatus {
  readonly id: ContainerId;
  readonly sandbox: SandboxId;
  readonly config: ContainerConfig;
  /** The image's full name: `docker.io/library/nginx:latest`; the configured text when the runtime does not say. */
  readonly image?: string;
  /** `docker.io/library/nginx@sha256:…`. */
  readonly imageId: string;
  readonly state: 'created' | 'running' | 'exited';
  readonly createdAt: Instant;
  readonly startedAt?: Instant;
  readonly finishedAt?: Instant;
  readonly exitCode?: number;
  /** `Completed`, `Error`, `OOMKilled`, `ContainerCannotRun`. */
  readonly reason?: string;
  readonly message?: string;
}
export interface ContainerEvent {
  readonly what: 'created' | 'started' | 'stopped' | 'deleted';
  readonly sandbox: SandboxId;
  readonly container?: ContainerId;
}
export interface ExecIo {
  stdout(text: string): void;
  stderr(text: string): void;
  /** Called with a function that receives typed text; undefined means end of input. */
  readonly stdin?: (reader: (text: string | undefined) => void) => void;
  readonly tty?: boolean;
  /** Called with a function that is told the size of the caller's window, whenever it changes. */
  readonly resize?: (listener: (size: TerminalSize) => void) => void;
}
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}
export interface LogLine {
  readonly at: Instant;
  readonly stream: 'stdout' | 'stderr';
  /** Without the newline. */
  readonly text: string;
}

/** Rejections are RuntimeErrors whose message is what containerd's would be. */
export interface ContainerRuntime {
  version(): { readonly runtimeName: 'containerd'; readonly runtimeVersion: string };
  /** Whether runtime and network are ready; the messages go into the node's Ready condition. */
  status(): { readonly runtimeReady: boolean; readonly networkReady: boolean; readonly networkMessage: string };

  runPodSandbox(config: SandboxConfig): Promise<SandboxId>;
  stopPodSandbox(id: SandboxId): Promise<void>;
  removePodSandbox(id: SandboxId): Promise<void>;
  sandboxes(): readonly SandboxStatus[];

  createContainer(sandbox: SandboxId, config: ContainerConfig): Promise<ContainerId>;
  startContainer(id: ContainerId): Promise<void>;
  /** Of a container that runs: what is not named is not limited any more, but its oom_score_adj stays. */
  updateContainerResources(id: ContainerId, resources: ContainerResources): Promise<void>;
  /** TERM, then KILL after the grace; resolves when the container has exited. */
  stopContainer(id: ContainerId, grace: Duration): Promise<void>;
  removeContainer(id: ContainerId): Promise<void>;
  containers(): readonly ContainerStatus[];
  /** Stops what runs in it where it stands, or lets it go on (containerd's task service, over the cgroup freezer). False when nothing runs in it. */
  freeze(id: ContainerId, on: boolean): boolean;
  onEvent(listener: (event: ContainerEvent) => void): () => void;

  /** Runs to its end; resolves with the exit code. */
  exec(id: ContainerId, argv: readonly string[], io: ExecIo): Promise<number>;
  /** Joins the streams of its first process; resolves when that has ended. */
  attach(id: ContainerId, io: ExecIo): Promise<void>;
  /** Connects to a port on `localhost` in the pod's network namespace. */
  portForward(sandbox: SandboxId, port: number): Promise<Connection>;
  logs(id: ContainerId): readonly LogLine[];
  /** Called for each line written after now. */
  followLogs(id: ContainerId, listener: (line: LogLine) => void): () => void;

  imageStatus(image: string): { readonly id: string; readonly size: number } | undefined;
  /** Takes the time its size needs. Rejects as a registry would: not found, no such host, unauthorized. */
  pullImage(image: string, auth?: RegistryAuth): Promise<{ readonly id: string; readonly size: number }>;
  images(): readonly { readonly id: string; readonly names: readonly string[]; readonly size: number }[];
  removeImage(id: string): Promise<void>;
  /** Bytes of disk under all images and containers. */
  imageFsUsed(): number;

  /** Of a container that runs. */
  stats(id: ContainerId): ContainerStats | undefined;
  /** Of all containers together at this instant. Looking changes nothing. */
  load(): { readonly cpuMilli: number; readonly memoryBytes: number };
  /** Of all containers together, those that are gone included in what was used of the processors. */
  usage(): { readonly cpuNanos: number; readonly memoryBytes: number };
  /** Called when the kernel has killed something because the machine itself was out of memory. Here simplified: kubelets read that in /dev/kmsg. */
  onSystemOom(listener: (victim: SystemOom) => void): () => void;
}
export interface SystemOom {
  /** The program's name, at most 15 characters. */
  readonly process: string;
  readonly pid: number;
}
export interface RegistryAuth {
  readonly username: string;
  readonly password: string;
}
/** What its control group says (CRI ContainerStats). */
export interface ContainerStats {
  /** Nanoseconds of a core since it started, and how many it uses a second lately. */
  readonly cpuNanos: number;
  readonly cpuNanoCores: number;
  /** Periods of 100 ms in which it had work, and those in which its limit stopped it. */
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly memoryBytes: number;
  readonly startedAt: Instant;
}
export class RuntimeError extends Error {
  constructor(
    message: string,
    /** What the kubelet turns into a waiting reason. */
    readonly reason: 'ErrImagePull' | 'CreateContainerError' | 'RunContainerError' | 'CreatePodSandboxError' | 'NotFound' | 'InvalidImageName',
  ) {
    super(message);
    this.name = 'RuntimeError';
  }
}
