/**
 * containerd: images, sandboxes and containers of one machine, behind the CRI.
 *
 * Containers are processes of their own, children of containerd's process, so a kubelet may die and come
 * back without them noticing; it finds them again by `sandboxes()` and `containers()`. What must survive
 * a power failure (which images are here, which containers there were) is written to the machine's files;
 * after one, sandboxes are NotReady and containers have exited with 255 `Unknown`, as in
 * containerd's `restart.go`. Here simplified: there are no shims, so containerd's own death is a power
 * failure to its containers.
 */
import type { Files } from '../../linux/files.ts';
import type { MachineUser } from '../../linux/shell/machine.ts';
import type { Sockets } from '../../linux/sockets.ts';
import { type Duration, ms } from '../../sim/clock.ts';
import { type Deferred, defer } from '../../sim/mailbox.ts';
import type { Process } from '../../sim/process.ts';
import type { NetworkPlugin } from '../kubelet/cni.ts';
import {
  type ContainerConfig,
  type ContainerEvent,
  type ContainerId,
  type ContainerResources,
  type ContainerRuntime,
  type ContainerStatus,
  type ExecIo,
  RuntimeError,
  type SandboxId,
  type SandboxStatus,
  type SystemOom,
} from '../kubelet/cri.ts';
import { type Cgroup, type CgroupLimits, createCgroup } from './cgroup.ts';
import { Processors } from './cpu.ts';
import { accessFailure, findImage, type Image, InvalidReference, imageId, normaliseReference, parseReference, pullFailure, type Registry } from './image.ts';
import { ContainerLog } from './log.ts';
import { MachineMemory } from './memory.ts';
import { lookupIn, notFoundText } from './program-lookup.ts';
import { createRootFilesystem } from './root-filesystem.ts';
import { writeSandboxFiles } from './sandbox-files.ts';
import type { Pty } from './streams.ts';
import { createInput, emptyInput, startTask, type Task } from './task.ts';

/** The part of a node's kernel that containerd and its shims use. */
export interface NodeNetwork {
  createNetns(name: string): void;
  deleteNetns(name: string): void;
  /** Sockets in a namespace; names are resolved by the given files' /etc/hosts and /etc/resolv.conf. */
  sockets(netns: string, context: { readonly files: Files }): Sockets;
  /** Sockets of the node's own namespace. */
  readonly hostSockets: Sockets;
  /** The name of the node's own namespace; with it hostNetwork containers resolve names by files of their own (ClusterFirstWithHostNet). */
  readonly hostNetns?: string;
}

export interface ContainerdOptions {
  /** The machine's name. */
  readonly node: string;
  readonly network: NodeNetwork;
  /** Images that can be had at once. */
  readonly images: readonly Image[];
  /** What else the registries hold: `known` once `bring` has been asked, which is when something is pulled that is not among `images`. */
  readonly registry?: { readonly known: Registry | undefined; bring(): Promise<Registry> };
  readonly cni: NetworkPlugin;
  /** The machine's disk. */
  readonly files: Files;
  /** References already on the disk of a new machine. */
  readonly preloaded?: readonly string[];
  /** Thousandths of a core the machine has; as many as anybody wants when undefined. */
  readonly cpuMilli?: number;
  /** Bytes of memory the machine has, and what it needs for itself; as much as anybody wants when undefined. */
  readonly memory?: { readonly bytes: number; readonly reserved: number };
  /** The machine's address: what a hostNetwork sandbox reports. */
  readonly hostIP?: string;
}

interface Sandbox {
  status: SandboxStatus;
  readonly netns: string | undefined;
  readonly directory: string;
  /** Its network has been given back. */
  released: boolean;
}
/** What of a sandbox is on disk. */
interface SandboxRecord {
  readonly status: SandboxStatus;
  readonly netns?: string;
}
interface Container {
  status: ContainerStatus;
  readonly image: Image;
  readonly log: ContainerLog;
  files: Files | undefined;
  cgroup: Cgroup | undefined;
  task: Task | undefined;
  input: ReturnType<typeof createInput> | undefined;
  pty: Pty | undefined;
  readonly waiters: Deferred<void>[];
}

const STATE = '/var/lib/containerd';
const IMAGES = `${STATE}/images.json`;
const limitsOf = ({ memoryLimit, cpuRequest = 0, cpuLimit, oomScoreAdj }: ContainerResources): CgroupLimits => ({
  memory: memoryLimit,
  cpu: { request: cpuRequest, ...(cpuLimit !== undefined && { limit: cpuLimit }) },
  oomScoreAdj,
});
const notRunning = (id: string): RuntimeError =>
  new RuntimeError(`rpc error: code = Unknown desc = failed to update resources of container "${id}": container is not running`, 'NotFound');

/** A user without a group of its own is in root's. */
const userOf = (asked: ContainerConfig['user'], own = 0): MachineUser => ({
  uid: asked?.uid ?? own,
  gid: asked?.gid ?? (asked?.uid === undefined ? own : 0),
  groups: asked?.groups ?? [],
});

const HEX = '0123456789abcdef';
/** 40 MB/s of line and disk, and the time a registry takes to answer. */
const PULL_BYTES_PER_MS = 40_000;
const PULL_OVERHEAD = ms(300);
/** How much more room an image takes on a disk than on the wire: its layers as they came, and unpacked. Here simplified: the same for all, and layers are not shared. */
const UNPACKED = 3;
/** Every containerd has this one; without a name it is meant, too. */
const RUNTIME_HANDLERS: readonly string[] = ['', 'runc'];

/** The ports a container names, as the kubelet tells the runtime of them. */
const portsOf = (annotations: Readonly<Record<string, string>>): readonly number[] =>
  (JSON.parse(annotations['io.kubernetes.container.ports'] ?? '[]') as readonly { readonly containerPort: number; readonly protocol?: string }[])
    .filter(({ protocol = 'TCP' }) => protocol === 'TCP')
    .map(({ containerPort }) => containerPort);

/** Starts containerd on one machine. The runtime answers at once; what takes time is asynchronous. */
export function createContainerd(self: Process, options: ContainerdOptions): ContainerRuntime {
  const { clock, rng } = self;
  const { files, network, cni } = options;
  const sandboxes = new Map<SandboxId, Sandbox>();
  const containers = new Map<ContainerId, Container>();
  const listeners = new Set<(event: ContainerEvent) => void>();
  const pulling = new Map<string, Promise<void>>();
  const present = new Map<string, Image>();
  /** Nanoseconds of a core that containers used which are gone. */
  let spent = 0;
  const processors = new Processors(options.cpuMilli ?? Number.MAX_SAFE_INTEGER);
  let listed: ReturnType<ContainerRuntime['images']> | undefined;
  const oomListeners = new Set<(victim: SystemOom) => void>();
  const memory = new MachineMemory(options.memory?.bytes, options.memory?.reserved);

  const say = (event: ContainerEvent): void => {
    for (const listener of [...listeners]) listener(event);
  };
  const about = (labels: Readonly<Record<string, string>>, fallback: string): string => {
    const pod = labels['io.kubernetes.pod.name'];
    return pod === undefined ? fallback : `Pod/${labels['io.kubernetes.pod.namespace'] ?? 'default'}/${pod}`;
  };
  const notFound = (kind: string, id: string): RuntimeError =>
    new RuntimeError(`rpc error: code = NotFound desc = an error occurred when try to find ${kind} "${id}": not found`, 'NotFound');
  const sandboxOf = (id: SandboxId): Sandbox => {
    const sandbox = sandboxes.get(id);
    if (!sandbox) throw notFound('sandbox', id);
    return sandbox;
  };
  const containerOf = (id: ContainerId): Container => {
    const container = containers.get(id);
    if (!container) throw notFound('container', id);
    return container;
  };

  // --- What is on disk -----------------------------------------------------------------------------
  const remember = (container: Container): void => files.write(`${STATE}/containers/${container.status.id}.json`, JSON.stringify(container.status));
  const rememberSandbox = (sandbox: Sandbox): void =>
    files.write(
      `${STATE}/sandboxes/${sandbox.status.id}.json`,
      JSON.stringify({ status: sandbox.status, ...(sandbox.netns && { netns: sandbox.netns }) } satisfies SandboxRecord),
    );
  const forget = (path: string): void => {
    if (files.exists(path)) files.remove(path);
  };
  const inRegistries = (reference: string): Image | undefined =>
    findImage(options.images, reference) ?? (options.registry?.known && findImage(options.registry.known.images, reference, options.registry.known.families));
  const imagesChanged = (): void => {
    listed = undefined;
    files.write(IMAGES, JSON.stringify([...present.values()].map(({ names }) => names[0])));
  };
  const keepImage = (image: Image): void => {
    present.set(image.digest, image);
    imagesChanged();
  };
  const load = (): void => {
    const here = files.exists(IMAGES) ? (JSON.parse(files.read(IMAGES)) as string[]) : (options.preloaded ?? []);
    for (const reference of here) {
      const image = inRegistries(reference);
      if (image) present.set(image.digest, image);
    }
    if (files.exists(`${STATE}/sandboxes`)) {
      for (const name of files.list(`${STATE}/sandboxes`)) {
        const { status, netns } = JSON.parse(files.read(`${STATE}/sandboxes/${name}`)) as SandboxRecord;
        sandboxes.set(status.id, { status: { ...status, state: 'notready', ips: [] }, netns, directory: `${STATE}/shm/${status.id}`, released: false });
      }
    }
    if (files.exists(`${STATE}/containers`)) {
      for (const name of files.list(`${STATE}/containers`)) {
        const status = JSON.parse(files.read(`${STATE}/containers/${name}`)) as ContainerStatus;
        const image = inRegistries(status.config.image);
        if (!image) continue;
        const lost: ContainerStatus = { ...status, state: 'exited', finishedAt: clock.now(), exitCode: 255, reason: 'Unknown' };
        containers.set(status.id, { ...blank(image, new ContainerLog(clock)), status: status.state === 'exited' ? status : lost });
      }
    }
  };
  const blank = (image: Image, log: ContainerLog): Omit<Container, 'status'> => ({
    image,
    log,
    files: undefined,
    cgroup: undefined,
    task: undefined,
    input: undefined,
    pty: undefined,
    waiters: [],
  });

  // --- Images --------------------------------------------------------------------------------------
  const localImage = (reference: string): Image | undefined => {
    try {
      const image = inRegistries(reference);
      return image && present.has(image.digest) ? image : undefined;
    } catch {
      return undefined;
    }
  };
  const pull = async (reference: string, image: Image): Promise<void> => {
    const exact = Math.floor(image.sizeBytes / PULL_BYTES_PER_MS);
    const fact = self.trace.emit('cri.pull', '', { node: options.node, image: reference, size: image.sizeBytes });
    await clock.sleep(PULL_OVERHEAD + ms(exact + rng.between(0, Math.max(1, Math.floor(exact / 5)))) + rng.between(0, ms(60)));
    self.trace.because(fact);
    keepImage(image);
  };

  // --- Programs ------------------------------------------------------------------------------------
  /** What only a person's session needs comes with it. */
  const streams = (): Promise<typeof import('./streams.ts')> => self.outside(import('./streams.ts'));
  const socketsFor = (sandbox: Sandbox, root: Files): Sockets => {
    const netns = sandbox.netns ?? network.hostNetns;
    return netns === undefined ? network.hostSockets : network.sockets(netns, { files: root });
  };

  const environment = (container: Container, sandbox: Sandbox): Record<string, string> => ({
    HOME: '/root',
    HOSTNAME: sandbox.status.config.hostname,
    ...container.image.env,
    ...(container.status.config.tty && { TERM: 'xterm' }),
    ...container.status.config.env,
  });

  const exited = (container: Container, code: number): void => {
    container.log.flush();
    container.task = undefined;
    if (container.cgroup) {
      container.cgroup.close();
      spent += container.cgroup.stats().cpuNanos;
    }
    const oom = container.cgroup?.oomKilled === true;
    container.status = {
      ...container.status,
      state: 'exited',
      finishedAt: clock.now(),
      exitCode: oom ? 137 : code,
      reason: oom ? 'OOMKilled' : code === 0 ? 'Completed' : 'Error',
    };
    remember(container);
    self.trace.emit('cri.exit', about(container.status.config.labels, container.status.id), {
      node: options.node,
      container: container.status.config.name,
      exitCode: container.status.exitCode,
      reason: container.status.reason,
    });
    for (const waiter of container.waiters.splice(0)) waiter.resolve();
    say({ what: 'stopped', sandbox: container.status.sandbox, container: container.status.id });
  };

  /** The kernel's last line about it: `Killed process 4711 (stress)`. */
  const tellOom = (argv0: string): void => {
    // Here simplified: process ids of the machine itself are not kept; one is drawn when somebody wants to know.
    const fact = { process: argv0.slice(argv0.lastIndexOf('/') + 1).slice(0, 15), pid: rng.between(1_000, 60_000) };
    for (const listener of [...oomListeners]) listener(fact);
  };

  const waitExit = (container: Container): Promise<void> => {
    if (!container.task) return Promise.resolve();
    const waiter = defer<void>(clock);
    container.waiters.push(waiter);
    return waiter.promise;
  };
  const stop = async (container: Container, grace: Duration): Promise<void> => {
    const task = container.task;
    if (!task) return;
    const done = waitExit(container);
    if (grace <= 0) task.signal('KILL');
    else {
      task.signal(container.image.stopSignal ?? 'TERM');
      clock.after(grace, () => task.signal('KILL'));
    }
    await done;
  };

  /** Stops what runs in it and gives its network back, which outlives a power failure (the plugin's leases are on disk). */
  const stopSandbox = async (sandbox: Sandbox): Promise<void> => {
    const { id, config } = sandbox.status;
    await Promise.all([...containers.values()].filter((container) => container.status.sandbox === id).map((container) => stop(container, 0)));
    if (sandbox.netns !== undefined && !sandbox.released) {
      sandbox.released = true;
      await cni.del(sandbox.netns, { name: config.name, namespace: config.namespace, uid: config.uid }).catch(() => {});
      network.deleteNetns(sandbox.netns);
    }
    if (sandbox.status.state === 'notready') return;
    sandbox.status = { ...sandbox.status, state: 'notready' };
    rememberSandbox(sandbox);
    say({ what: 'stopped', sandbox: id });
  };

  load();
  return {
    version: () => ({ runtimeName: 'containerd', runtimeVersion: '1.7.27' }),
    status: () => ({
      runtimeReady: true,
      networkReady: cni.ready,
      networkMessage: cni.ready ? '' : 'Network plugin returns error: cni plugin not initialized',
    }),

    runPodSandbox: async (config) => {
      const { runtimeHandler = '' } = config;
      if (!RUNTIME_HANDLERS.includes(runtimeHandler)) {
        await clock.sleep(ms(1));
        throw new RuntimeError(
          `rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for ${JSON.stringify(runtimeHandler)} is configured`,
          'CreatePodSandboxError',
        );
      }
      const id = rng.text(64, HEX);
      const directory = `${STATE}/shm/${id}`;
      const netns = config.hostNetwork ? undefined : `cni-${rng.text(8, HEX)}-${rng.text(4, HEX)}-${rng.text(4, HEX)}-${rng.text(4, HEX)}-${rng.text(12, HEX)}`;
      await clock.sleep(ms(20) + rng.between(0, ms(15)));
      let ips: readonly string[] = options.hostIP ? [options.hostIP] : [];
      if (netns !== undefined) {
        network.createNetns(netns);
        try {
          const added = await cni.add(netns, { name: config.name, namespace: config.namespace, uid: config.uid });
          ips = [added.ip];
        } catch (error) {
          network.deleteNetns(netns);
          throw new RuntimeError(
            `rpc error: code = Unknown desc = failed to setup network for sandbox "${id}": ${error instanceof Error ? error.message : String(error)}`,
            'CreatePodSandboxError',
          );
        }
      }
      writeSandboxFiles(files, directory, config, ips[0]);
      const sandbox: Sandbox = { status: { id, config, state: 'ready', ips, createdAt: clock.now() }, netns, directory, released: false };
      sandboxes.set(id, sandbox);
      rememberSandbox(sandbox);
      self.trace.emit('cri.sandbox', about(config.labels, id), { node: options.node, sandbox: id, ip: ips[0] });
      say({ what: 'started', sandbox: id });
      return id;
    },
    stopPodSandbox: async (id) => {
      const sandbox = sandboxes.get(id);
      if (sandbox) await stopSandbox(sandbox);
    },
    removePodSandbox: async (id) => {
      const sandbox = sandboxes.get(id);
      if (!sandbox) return;
      await stopSandbox(sandbox);
      for (const container of [...containers.values()]) {
        if (container.status.sandbox !== id) continue;
        containers.delete(container.status.id);
        forget(`${STATE}/containers/${container.status.id}.json`);
      }
      sandboxes.delete(id);
      forget(`${STATE}/sandboxes/${id}.json`);
      forget(sandbox.directory);
      say({ what: 'deleted', sandbox: id });
    },
    sandboxes: () => [...sandboxes.values()].map((sandbox) => sandbox.status),

    createContainer: async (sandboxId, config) => {
      const sandbox = sandboxOf(sandboxId);
      const image = localImage(config.image);
      if (!image) throw new RuntimeError(`failed to get image "${config.image}": not found`, 'CreateContainerError');
      if (image.entrypoint.length === 0 && image.cmd.length === 0 && !config.command && !config.args) {
        throw new RuntimeError('failed to generate container "" spec: failed to generate spec: no command specified', 'CreateContainerError');
      }
      await clock.sleep(ms(8) + rng.between(0, ms(8)));
      const id = rng.text(64, HEX);
      const status: ContainerStatus = {
        id,
        sandbox: sandboxId,
        config,
        image: normaliseReference(config.image),
        imageId: imageId(image, config.image),
        state: 'created',
        createdAt: clock.now(),
      };
      const container: Container = { ...blank(image, new ContainerLog(clock)), status };
      const etc = ['hosts', 'hostname', 'resolv.conf'].map((name) => ({
        containerPath: `/etc/${name}`,
        readOnly: false,
        hostPath: `${sandbox.directory}/${name}`,
      }));
      const own = new Set(config.mounts.map((mount) => mount.containerPath));
      container.files = createRootFilesystem(image.files, [...etc.filter((mount) => !own.has(mount.containerPath)), ...config.mounts], files);
      containers.set(id, container);
      remember(container);
      say({ what: 'created', sandbox: sandboxId, container: id });
      return id;
    },
    startContainer: async (id) => {
      const container = containerOf(id);
      const sandbox = sandboxOf(container.status.sandbox);
      await clock.sleep(ms(6) + rng.between(0, ms(10)));
      const { config } = container.status;
      const { image } = container;
      const root = container.files!;
      const env = environment(container, sandbox);
      // A command of the pod replaces ENTRYPOINT and CMD both; arguments alone replace CMD.
      const argv = config.command ? [...config.command, ...(config.args ?? [])] : [...image.entrypoint, ...(config.args ?? image.cmd)];
      const cwd = config.workingDir ?? image.workingDir;
      const lookup = lookupIn(image, root);
      const found = lookup(argv[0] ?? '', env, cwd);
      if (!found) {
        const message = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: ${notFoundText(argv[0] ?? '')}: unknown`;
        container.status = {
          ...container.status,
          state: 'exited',
          finishedAt: clock.now(),
          exitCode: 128,
          reason: 'StartError',
          message,
        };
        remember(container);
        say({ what: 'stopped', sandbox: container.status.sandbox, container: id });
        throw new RuntimeError(message, 'RunContainerError');
      }
      const write = (text: string): void => container.log.write('stdout', text);
      container.input = config.stdin ? createInput(self) : undefined;
      const pty = config.tty ? await (await streams()).openPty(self, write, () => container.task) : undefined;
      container.pty = pty;
      const end = (): void => container.task?.process.kill();
      const cgroup = createCgroup(
        image.idle,
        limitsOf(config),
        (ofMachine) => {
          if (ofMachine) tellOom(argv[0] ?? '');
          // There may be no room for it from its first moment.
          if (container.task) end();
          else clock.after(0, end);
        },
        processors,
        memory,
      );
      container.cgroup = cgroup;
      const { name, namespace } = sandbox.status.config;
      container.task = startTask(
        self,
        {
          name: `${namespace}/${name}/${config.name}/${config.attempt}`,
          program: found.program,
          argv: [...found.prefix, ...argv],
          env,
          cwd,
          hostname: sandbox.status.config.hostname,
          files: root,
          sockets: socketsFor(sandbox, root),
          cgroup,
          lookup,
          ports: portsOf(config.annotations),
          user: userOf(config.user, image.user),
          // Without `stdin: true` nobody types at a terminal, and a shell there ends at once.
          stdin: pty && config.stdin ? pty.stdin : (container.input?.input ?? emptyInput),
          stdout: pty ? pty.print : write,
          stderr: pty ? pty.print : (text) => container.log.write('stderr', text),
          ...(pty && { terminal: pty.terminal }),
        },
        (code) => exited(container, code),
      );
      container.status = { ...container.status, state: 'running', startedAt: clock.now() };
      remember(container);
      self.trace.emit('cri.start', about(config.labels, id), { node: options.node, container: config.name, attempt: config.attempt, image: config.image });
      say({ what: 'started', sandbox: container.status.sandbox, container: id });
    },
    updateContainerResources: async (id, resources) => {
      const container = containerOf(id);
      await clock.sleep(ms(2) + rng.between(0, ms(3)));
      if (!container.cgroup || !container.task) throw notRunning(id);
      const { memoryLimit: _, cpuRequest: __, cpuLimit: ___, ...others } = container.status.config;
      container.status = { ...container.status, config: { ...others, ...resources } };
      remember(container);
      container.cgroup.setLimits(limitsOf(resources));
    },
    stopContainer: async (id, grace) => {
      const container = containers.get(id);
      if (container) await stop(container, grace);
    },
    removeContainer: async (id) => {
      const container = containers.get(id);
      if (!container) return;
      await stop(container, 0);
      containers.delete(id);
      forget(`${STATE}/containers/${id}.json`);
      say({ what: 'deleted', sandbox: container.status.sandbox, container: id });
    },
    containers: () => [...containers.values()].map((container) => container.status),
    freeze: (id, on) => {
      const task = containers.get(id)?.task;
      if (on) task?.process.pause();
      else task?.process.resume();
      return task !== undefined;
    },
    onEvent: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    exec: async (id, argv, io) => {
      const container = containerOf(id);
      const task = container.task;
      if (!task) throw new RuntimeError(`failed to exec in container: container is in CONTAINER_EXITED state`, 'NotFound');
      const sandbox = sandboxOf(container.status.sandbox);
      const env = environment(container, sandbox);
      const cwd = container.status.config.workingDir ?? container.image.workingDir;
      const found = lookupIn(container.image, container.files!)(argv[0] ?? '', env, cwd);
      if (!found) throw (await streams()).execFailure(rng.text(64, HEX), argv[0] ?? '');
      await clock.sleep(ms(2) + rng.between(0, ms(3)));
      if (!task.process.alive) return 137;
      return (await streams()).execIn(self, task, { program: found.program, argv: [...found.prefix, ...argv], env, cwd }, io);
    },
    attach: async (id, io: ExecIo) => {
      const container = containerOf(id);
      if (!container.task) throw new RuntimeError('container is in CONTAINER_EXITED state', 'NotFound');
      const { attachTo } = await streams();
      const leave = attachTo(container, container.status.config.stdinOnce === true, io);
      await waitExit(container);
      leave();
    },
    portForward: async (id, port) => {
      const sandbox = sandboxOf(id);
      if (sandbox.status.state !== 'ready') throw new RuntimeError(`sandbox container "${id}" is not running`, 'NotFound');
      return (await streams()).connectInside(socketsFor(sandbox, files), id, sandbox.netns, port);
    },
    logs: (id) => containers.get(id)?.log.all() ?? [],
    followLogs: (id, listener) => containers.get(id)?.log.follow(listener) ?? (() => {}),

    imageStatus: (reference) => {
      const image = localImage(reference);
      return image && { id: imageId(image, reference), size: image.sizeBytes };
    },
    pullImage: async (reference, auth) => {
      let image: Image | undefined;
      try {
        parseReference(reference);
        image = inRegistries(reference);
        if (!image && options.registry && !options.registry.known) {
          await self.outside(options.registry.bring());
          image = inRegistries(reference);
        }
      } catch (error) {
        if (error instanceof InvalidReference) throw new RuntimeError(`couldn't parse image name "${reference}": ${error.message}`, 'InvalidImageName');
        throw error;
      }
      if (!image) {
        await clock.sleep(PULL_OVERHEAD + rng.between(0, ms(400)));
        throw new RuntimeError(
          pullFailure([...options.images, ...(options.registry?.known?.images ?? [])], reference, options.registry?.known?.families),
          'ErrImagePull',
        );
      }
      const refused = image.access && accessFailure(reference, image.access, auth);
      if (refused !== undefined) {
        await clock.sleep(PULL_OVERHEAD + rng.between(0, ms(200)));
        throw new RuntimeError(refused, 'ErrImagePull');
      }
      if (present.has(image.digest)) {
        // The manifest is resolved again; the layers are here.
        await clock.sleep(PULL_OVERHEAD + rng.between(0, ms(200)));
      } else {
        let under = pulling.get(image.digest);
        if (!under) {
          under = pull(reference, image);
          pulling.set(image.digest, under);
        }
        await under;
        pulling.delete(image.digest);
      }
      return { id: imageId(image, reference), size: image.sizeBytes };
    },
    images: () => {
      // The kubelet looks every ten seconds.
      listed ??= [...present.values()].map((image) => ({ id: image.digest, names: [imageId(image, image.names[0]!), ...image.names], size: image.sizeBytes }));
      return listed;
    },

    removeImage: async (id) => {
      await clock.sleep(ms(30) + rng.between(0, ms(30)));
      if (present.delete(id)) imagesChanged();
    },
    imageFsUsed: () => {
      let bytes = 0;
      for (const image of present.values()) bytes += image.sizeBytes * UNPACKED;
      return bytes;
    },
    onSystemOom: (listener) => {
      oomListeners.add(listener);
      return () => oomListeners.delete(listener);
    },

    load: () => {
      let cpuMilli = 0;
      let memoryBytes = 0;
      for (const { task, cgroup } of containers.values()) {
        if (!task || !cgroup) continue;
        cpuMilli += cgroup.cpuMilli;
        memoryBytes += cgroup.memoryBytes;
      }
      return { cpuMilli, memoryBytes };
    },
    usage: () => {
      let cpuNanos = spent;
      let memoryBytes = 0;
      for (const { task, cgroup } of containers.values()) {
        if (!task || !cgroup) continue;
        cpuNanos += cgroup.stats().cpuNanos;
        memoryBytes += cgroup.memoryBytes;
      }
      return { cpuNanos, memoryBytes };
    },
    stats: (id) => {
      const container = containers.get(id);
      if (!container?.task || !container.cgroup) return undefined;
      const { memoryPeak: _, ...stats } = container.cgroup.stats();
      return { ...stats, startedAt: container.status.startedAt ?? 0 };
    },
  };
}
