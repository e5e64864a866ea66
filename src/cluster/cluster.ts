/**
 * Puts a cluster together: the only file that names every component's place.
 *
 * Machines on wires; etcd on three of them; nodes with kernel, containerd and kubelet; the control plane
 * as static pods; a laptop with kubectl; and kubeadm to bring it up.
 */

import type { DeepReadonly } from '../kubernetes/api/json.ts';
import type { ApiHandler, ApiRequest, ApiResponse } from '../kubernetes/api/request.ts';
import type { Deployment, Node, Pod } from '../kubernetes/api/types.gen.ts';
import { refuse } from '../kubernetes/apiserver/apiserver.ts';
import { openBorder } from '../kubernetes/apiserver/border.ts';
import { unavailable } from '../kubernetes/apiserver/errors.ts';
import { PRESETS, type Preset } from '../kubernetes/etcd/raft/config.ts';
import { Kernel } from '../linux/kernel.ts';
import { Lan } from '../linux/lan.ts';
import { Wires } from '../linux/wire.ts';
import type { Loop } from '../sim/loop.ts';
import { forever, type Process } from '../sim/process.ts';
import { dial } from './dial.ts';
import { type EtcdCluster, EtcdHost, endpointAt, etcdClient } from './etcd-host.ts';
import { Laptop } from './laptop.ts';
import { LoopBook } from './loop-book.ts';
import type { Machine } from './machine.ts';
import { ClusterNode, KUBELET_PORT } from './node.ts';
import { ClusterSecrets } from './pki.ts';
import { type RaftInFlight, RaftWire } from './raft-wire.ts';
import { type StoreListener, StoreMirror } from './store-mirror.ts';
import { type ControlPlane, systemImages } from './system-images.ts';
import { etcdMachine, topologyOf } from './topologies/topologies.ts';

export interface ClusterOptions {
  /** What a terminal of the laptop shows. */
  terminal(terminal: string, text: string): void;
  readonly loadTexts?: () => Promise<unknown>;
}

export const ADMIN = { commonName: 'kubernetes-admin', organizations: ['kubeadm:cluster-admins'] } as const;

export class Cluster {
  readonly wires: Wires;
  readonly raftWire: RaftWire;
  readonly nodes: readonly ClusterNode[];
  readonly etcd: EtcdHost[] = [];
  private readonly etcdCluster: EtcdCluster;
  private readonly serviceListeners: ((machine: string) => void)[] = [];
  private readonly machineListeners: ((machine: Machine) => void)[] = [];
  readonly laptop: Laptop;
  readonly mirror = new StoreMirror();
  readonly loops = new LoopBook();
  private reads: ((request: ApiRequest) => ApiResponse) | undefined;
  private bringingReads: Promise<void> | undefined;
  private readonly adminHandler: ApiHandler;
  private readonly byName = new Map<string, Machine>();
  private readonly kernels = new Map<string, Kernel>();

  constructor(
    readonly loop: Loop,
    topologyName: string,
    options: ClusterOptions,
  ) {
    const topology = topologyOf(topologyName);
    const { controlPlane: plan } = topology;
    this.wires = new Wires(loop);
    const lan = new Lan(this.wires);
    // Reading a file of the program takes real time, of which the world knows nothing.
    const load = options.loadTexts;
    const loadTexts =
      load &&
      (() => {
        const letGo = loop.hold();
        return load().finally(letGo);
      });

    this.raftWire = new RaftWire(loop, this.wires);
    this.etcdCluster = { loop, wires: this.wires, raftWire: this.raftWire, mirror: this.mirror, scheme: plan ? 'https' : 'http', hosts: () => this.etcd };
    for (const { name, ip } of topology.etcd) this.etcd.push(new EtcdHost(this.etcdCluster, name, ip, true));
    const secrets = new ClusterSecrets(loop.rng.fork('pki'), plan ?? { name: 'control-plane', ip: '10.0.0.10' });
    const plane: ControlPlane = {
      secrets,
      loops: this.loops,
      apiServer: (self, from) => this.apiServer(self, from),
      etcd: (self, from) => etcdClient(self, from, this.etcd, this.wires),
      etcdMembers: (self, from) => this.etcd.map(({ clientURL }) => endpointAt(self, from, clientURL, this.etcd, this.wires)),
      kubelet: (self, from, node) => this.kubelet(self, from, node),
      ...(loadTexts ? { loadTexts } : {}),
    };
    this.nodes = [...(plan ? [plan] : []), ...topology.workers].map(
      ({ name, ip }) =>
        new ClusterNode({
          name,
          ip,
          loop,
          wires: this.wires,
          lan,
          secrets,
          systemImages: (node) => systemImages(node, plane),
          apiServer: (self, from) => this.apiServer(self, from),
        }),
    );
    this.laptop = new Laptop({
      loop,
      wires: this.wires,
      lan,
      secrets,
      apiServer: (self) => this.apiServer(self, 'laptop'),
      show: options.terminal,
      ...(plan ? { server: `https://${plan.ip}:6443` } : {}),
      etcd: (self, url) => endpointAt(self, 'laptop', url, this.etcd, this.wires),
      etcdEndpoints: this.etcd.map((host) => host.clientURL),
      remote: {
        machine: (name) => this.machines.find((each) => each.name === name || each.ip === name),
        sockets: (machine, process) => this.kernelOf(machine, lan).sockets('root', process, machine.files),
      },
      ...(loadTexts ? { loadTexts } : {}),
    });

    for (const host of [...this.etcd, ...this.nodes, this.laptop]) {
      this.byName.set(host.machine.name, host.machine);
      host.machine.powerOn();
    }
    // Requests of the page and of the real kubectl leave from the laptop.
    const browser = this.laptop.machine.root.spawn('browser@laptop', forever);
    const asAdmin = this.apiServer(browser, 'laptop');
    this.adminHandler = (request) => asAdmin(request.headers['authorization'] === undefined ? { ...request, certificate: ADMIN } : request);
    // Code on its way while the cluster boots; no world waits for it here.
    void import('./system-programs.ts');

    const [controlPlane, ...workers] = this.nodes;
    if (controlPlane)
      controlPlane.machine.root.spawn('kubeadm@control-plane', async (self) => {
        const { kubeadm } = await self.outside(import('./kubeadm.ts'));
        await kubeadm(self, {
          controlPlane,
          workers,
          etcd: this.etcd,
          secrets,
          apiServer: (process, from) => this.apiServer(process, from),
          storageAfter: topology.addons?.includes('local-path-storage') ? () => this.ready() : undefined,
          withMetrics: topology.addons?.includes('metrics-server'),
        });
      });
  }

  /** A node's kernel; a machine that is no node gets one when somebody first works on it. */
  private kernelOf({ name, ip }: Machine, lan: Lan): Kernel {
    const node = this.node(name);
    if (node) return node.kernel;
    let kernel = this.kernels.get(name);
    if (!kernel) {
      kernel = new Kernel({ hostname: name, address: `${ip}/24`, loop: this.loop, lan, rng: this.loop.rng.fork(`kernel@${name}`) });
      this.kernels.set(name, kernel);
    }
    return kernel;
  }

  /** A new machine with an etcd that wants to join; it tries until `etcdctl member add` has told the members of it. Throws RangeError when there is one of that name. */
  addEtcdMachine(name: string): void {
    if (this.byName.has(name)) throw new RangeError(`there is a machine "${name}" already`);
    const host = new EtcdHost(this.etcdCluster, name, etcdMachine(this.etcd.length + 1).ip, false);
    this.etcd.push(host);
    this.byName.set(name, host.machine);
    for (const listener of this.machineListeners) listener(host.machine);
    for (const listener of this.serviceListeners) host.machine.onService(() => listener(name));
    host.machine.powerOn();
  }

  /** Restarts etcd's members with the times of a preset; here simplified: without the flags etcd would want for it. Throws RangeError. */
  setEtcdTiming(preset: string): void {
    if (!Object.hasOwn(PRESETS, preset)) throw new RangeError(`there are no times called "${preset}"; there are ${Object.keys(PRESETS).join(', ')}`);
    this.etcdCluster.timing = PRESETS[preset as Preset];
    for (const { machine } of this.etcd) {
      if (!machine.isRunning('etcd')) continue;
      machine.kill('etcd', true);
      machine.start('etcd');
    }
  }

  /** Called with every machine that is added later. */
  onMachine(listener: (machine: Machine) => void): void {
    this.machineListeners.push(listener);
  }

  /** `observe` answers from then on. What it needs comes when first asked for: a cluster boots without it. */
  observable(): Promise<void> {
    this.bringingReads ??= Promise.all([import('./observation.ts'), openBorder()]).then(([{ observation }]) => {
      this.reads = observation(this);
    });
    return this.bringingReads;
  }

  /** GETs answered at once, for whoever looks and touches nothing: no time passes, no luck is drawn. 503 until `observable`. */
  observe(request: ApiRequest): ApiResponse {
    return this.reads?.(request) ?? refuse(unavailable('not loaded yet'));
  }

  /** As the cluster's administrator, from the laptop; a bearer token makes the caller somebody else. */
  admin(request: ApiRequest): Promise<ApiResponse> {
    return this.adminHandler(request);
  }

  get machines(): readonly Machine[] {
    return [...this.byName.values()];
  }

  /** Throws RangeError when there is no such machine. */
  machine(name: string): Machine {
    const machine = this.byName.get(name);
    if (!machine) throw new RangeError(`there is no machine "${name}"; there are ${[...this.byName.keys()].join(', ')}`);
    return machine;
  }

  node(name: string): ClusterNode | undefined {
    return this.nodes.find((node) => node.name === name);
  }

  /** By its machine. Throws RangeError when there is no etcd on it. */
  etcdHost(name: string): EtcdHost {
    const host = this.etcd.find((each) => each.name === name);
    if (!host) throw new RangeError(`there is no etcd on "${name}"; there is on ${this.etcd.map((each) => each.name).join(', ')}`);
    return host;
  }

  /** Messages of Raft that are under way between members, in the order in which they were sent: for drawing, and for `raft-drop` and `raft-delay`. */
  raftInFlight(): readonly RaftInFlight[] {
    return this.raftWire.inFlight();
  }

  get etcdHosts(): readonly { readonly name: string; readonly host: string }[] {
    return this.etcd.map(({ name }) => ({ name, host: name }));
  }

  etcdStatus(name: string) {
    const host = this.etcd.find((each) => each.name === name);
    return host?.machine.isRunning('etcd') ? host.member?.status() : undefined;
  }

  watchStore(plural: string, listener: StoreListener): void {
    this.mirror.watch(plural, listener);
  }

  /** Called with a machine's name when one of its services starts or stops. */
  onServiceChange(listener: (machine: string) => void): void {
    this.serviceListeners.push(listener);
    for (const machine of this.machines) machine.onService(() => listener(machine.name));
  }

  /** Every node of the topology is Ready, and DNS answers; in a world of etcd alone: every member follows one leader and has said its name. */
  ready(): boolean {
    if (this.nodes.length === 0) {
      const [first] = this.etcd;
      const lead = first?.member?.status().lead ?? '';
      return (
        lead !== '' && this.etcd.every(({ member }) => member?.status().lead === lead && member.members().every(({ clientURLs }) => clientURLs.length > 0))
      );
    }
    const nodes = this.mirror.list('nodes') as readonly DeepReadonly<Node>[];
    if (
      nodes.length < this.nodes.length ||
      !nodes.every((node) => node.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True'))
    )
      return false;
    const dns = this.mirror.get('deployments', 'kube-system/coredns') as DeepReadonly<Deployment> | undefined;
    if ((dns?.status?.readyReplicas ?? 0) < (dns?.spec?.replicas ?? 1)) return false;
    return (this.mirror.list('pods') as readonly DeepReadonly<Pod>[])
      .filter((pod) => pod.metadata.namespace === 'kube-system')
      .every((pod) => pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false);
  }

  private apiServer(self: Process, from: string): ApiHandler {
    const [controlPlane] = this.nodes;
    if (!controlPlane) return dial({ wires: this.wires, self, from, to: from, address: '10.0.0.10:6443', listener: () => undefined });
    return dial({
      wires: this.wires,
      self,
      from,
      to: controlPlane.name,
      address: `${controlPlane.ip}:6443`,
      listener: () => controlPlane.machine.ports.get(6443),
    });
  }

  private kubelet(self: Process, from: string, name: string): ApiHandler | undefined {
    const node = this.node(name);
    return (
      node && dial({ wires: this.wires, self, from, to: name, address: `${node.ip}:${KUBELET_PORT}`, listener: () => node.machine.ports.get(KUBELET_PORT) })
    );
  }
}

export const createCluster = (loop: Loop, topology: string, options: ClusterOptions): Cluster => new Cluster(loop, topology, options);
