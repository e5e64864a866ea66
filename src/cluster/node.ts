/**
 * A node: a machine with a Linux kernel, containerd and, once it has joined, a kubelet. kube-proxy and the
 * pod network's daemon run on it as pods.
 */

import type { ApiHandler } from '../kubernetes/api/request.ts';
import { createBridgePlugin } from '../kubernetes/cni/bridge.ts';
import { createContainerd } from '../kubernetes/containerd/containerd.ts';
import type { Image, Registry } from '../kubernetes/containerd/image.ts';
import { pauseImages } from '../kubernetes/containerd/images/pause.ts';
import type { ContainerRuntime } from '../kubernetes/kubelet/cri.ts';
import { runKubelet } from '../kubernetes/kubelet/run.ts';
import { SYSTEM } from '../kubernetes/kubelet/system-use.ts';
import { Kernel } from '../linux/kernel.ts';
import type { Lan } from '../linux/lan.ts';
import type { Wires } from '../linux/wire.ts';
import { ms, seconds } from '../sim/clock.ts';
import type { Loop } from '../sim/loop.ts';
import { type Deferred, defer } from '../sim/mailbox.ts';
import { forever, type Process } from '../sim/process.ts';
import type { Rng } from '../sim/rng.ts';
import { LOCAL_PATH_HELPER_IMAGE, LOCAL_PATH_IMAGE } from './local-path-images.ts';
import { Machine } from './machine.ts';
import type { ClusterSecrets } from './pki.ts';
import { DNS_IP, IMAGES } from './plan.ts';
import { bringRegistries } from './registries.ts';

export const KUBELET_PORT = 10250;
/** Of every node. */
const CORES = 4;
const MEMORY_KIB = 8_129_440;

const HEX = '0123456789abcdef';
const uuid = (luck: Rng): string => [8, 4, 4, 4, 12].map((length) => luck.text(length, HEX)).join('-');

export interface NodeOptions {
  readonly name: string;
  readonly ip: string;
  readonly loop: Loop;
  readonly wires: Wires;
  readonly lan: Lan;
  /** Images of the control plane and the add-ons, for this node. */
  systemImages(node: ClusterNode): readonly Image[];
  /** The API server as a process on this node reaches it. */
  apiServer(self: Process, from: string): ApiHandler;
  readonly secrets: ClusterSecrets;
  readonly labels?: Readonly<Record<string, string>>;
}

export class ClusterNode {
  readonly machine: Machine;
  readonly kernel: Kernel;
  /** containerd, while it runs. */
  runtime: ContainerRuntime | undefined;
  /** What firmware and boot give a machine; the boot's id is new each time. */
  private ids: { readonly machine: string; readonly system: string; readonly boot: string };
  private waitingForRuntime: Deferred<ContainerRuntime>[] = [];
  /** Beyond what it came with; known from its first pull on. */
  private readonly registry: { known: Registry | undefined; bring(): Promise<Registry> } = {
    known: undefined,
    bring: async () => {
      this.registry.known = await bringRegistries();
      return this.registry.known;
    },
  };

  constructor(private readonly options: NodeOptions) {
    const { loop, wires, name, ip, lan } = options;
    this.machine = new Machine(loop, wires, name, ip);
    this.kernel = new Kernel({ hostname: name, address: `${ip}/24`, loop, lan, rng: loop.rng.fork(`kernel@${name}`) });
    const luck = loop.rng.fork(`machine@${name}`);
    this.ids = { machine: luck.text(32, HEX), system: uuid(luck), boot: uuid(luck) };
    this.machine.onPower((on) => {
      if (on) this.ids = { ...this.ids, boot: uuid(luck) };
    });
    this.machine.files.write('/etc/hostname', `${name}\n`);
    this.machine.files.write('/etc/resolv.conf', 'nameserver 10.0.0.1\n');
    this.machine.files.write('/etc/hosts', `127.0.0.1 localhost\n${ip} ${name}\n`);
    this.machine.onPower((on) => {
      if (!on) {
        this.kernel.reset();
        this.runtime = undefined;
      }
    });
    this.machine.enable({ name: 'containerd', main: (self) => this.containerd(self), restartAfter: seconds(5) });
  }

  get name(): string {
    return this.options.name;
  }
  get ip(): string {
    return this.options.ip;
  }

  /** Installs and starts the kubelet: the end of `kubeadm init` and `kubeadm join`. */
  join(): void {
    // As kubeadm leaves it: where static pods are read from, even on nodes that have none.
    this.machine.files.mkdir('/etc/kubernetes/manifests');
    this.machine.enable({ name: 'kubelet', main: (self) => this.kubelet(self), restartAfter: seconds(10) });
  }

  private async containerd(self: Process): Promise<void> {
    await self.clock.sleep(ms(self.rng.between(150, 250)));
    const { kernel, machine } = this;
    const runtime = createContainerd(self, {
      node: this.name,
      hostIP: this.ip,
      cpuMilli: CORES * 1_000,
      memory: { bytes: MEMORY_KIB * 1024, reserved: SYSTEM.memoryBytes },
      network: {
        createNetns: (name) => void kernel.createNetns(name),
        deleteNetns: (name) => kernel.deleteNetns(name),
        sockets: (netns, { files }) => kernel.sockets(netns, self, files),
        hostSockets: kernel.sockets('root', self, machine.files),
      },
      images: [...pauseImages, ...this.options.systemImages(this)],
      registry: this.registry,
      preloaded: [...Object.values(IMAGES), LOCAL_PATH_IMAGE, LOCAL_PATH_HELPER_IMAGE],
      cni: createBridgePlugin({ kernel, files: machine.files }),
      files: machine.files,
    });
    self.onExit(() => {
      if (this.runtime === runtime) this.runtime = undefined;
    });
    this.runtime = runtime;
    for (const waiting of this.waitingForRuntime.splice(0)) waiting.resolve(runtime);
    await forever();
  }

  private async kubelet(self: Process): Promise<void> {
    await self.clock.sleep(ms(self.rng.between(200, 400)));
    let runtime = this.runtime;
    if (!runtime) {
      const waiting = defer<ContainerRuntime>(self.clock);
      this.waitingForRuntime.push(waiting);
      runtime = await waiting.promise;
    }
    const sockets = this.kernel.sockets('root', self, this.machine.files);
    await runKubelet(self, {
      nodeName: this.name,
      addresses: { internalIP: this.ip },
      capacity: { cpu: String(CORES), memory: `${MEMORY_KIB}Ki`, pods: 110, ephemeralStorage: '61255492Ki' },
      nodeInfo: {
        osImage: 'Debian GNU/Linux 12 (bookworm)',
        kernelVersion: '6.1.0-37-amd64',
        machineID: this.ids.machine,
        systemUUID: this.ids.system,
        bootID: this.ids.boot,
      },
      handler: this.options.apiServer(self, this.name),
      certificate: { commonName: `system:node:${this.name}`, organizations: ['system:nodes'] },
      runtime,
      files: this.machine.files,
      clusterDns: [DNS_IP],
      ...(this.options.labels ? { labels: this.options.labels } : {}),
      completeToken: (sealed) => this.options.secrets.tokens.complete(sealed),
      serve: (handler) => this.machine.listen(KUBELET_PORT, self, handler),
      connect: (ip, port, timeout) => sockets.connect(ip, port, { timeout }),
    });
  }
}
