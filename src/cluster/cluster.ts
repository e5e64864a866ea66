/**
 * Puts a cluster together: the only file that names every component's place.
 *
 * Machines on wires; etcd on three of them; nodes with kernel, containerd and kubelet; the control plane
 * as static pods; a laptop with kubectl; and kubeadm to bring it up.
 */

import type { DeepReadonly } from '../kubernetes/api/json.ts';
import type { ApiHandler, ApiRequest, ApiResponse } from '../kubernetes/api/request.ts';
import type { Deployment, Node, Pod } from '../kubernetes/api/types.gen.ts';
import { openBorder } from '../kubernetes/apiserver/border.ts';
import { createObserver } from '../kubernetes/apiserver/observer.ts';
import { Lan } from '../linux/lan.ts';
import { Wires } from '../linux/wire.ts';
import type { Loop } from '../sim/loop.ts';
import { forever, type Process } from '../sim/process.ts';
import { dial } from './dial.ts';
import { EtcdHost, etcdClient } from './etcd-host.ts';
import { kubeadm } from './kubeadm.ts';
import { Laptop } from './laptop.ts';
import type { Machine } from './machine.ts';
import { ClusterNode, KUBELET_PORT } from './node.ts';
import { observeLogs } from './observe-logs.ts';
import { type StoreListener, StoreMirror } from './store-mirror.ts';
import { type ControlPlane, systemImages } from './system-images.ts';
import { topologyOf } from './topologies/topologies.ts';

export interface ClusterOptions {
  /** What a terminal of the laptop shows. */
  terminal(terminal: string, text: string): void;
  readonly loadTexts?: () => Promise<unknown>;
}

export const ADMIN = { commonName: 'kubernetes-admin', organizations: ['kubeadm:cluster-admins', 'system:masters'] } as const;

export class Cluster {
  readonly wires: Wires;
  readonly nodes: readonly ClusterNode[];
  readonly etcd: readonly EtcdHost[];
  readonly laptop: Laptop;
  readonly mirror = new StoreMirror();
  readonly observe: (request: ApiRequest) => ApiResponse;
  private readonly adminHandler: ApiHandler;
  private readonly byName = new Map<string, Machine>();

  constructor(
    readonly loop: Loop,
    topologyName: string,
    options: ClusterOptions,
  ) {
    const topology = topologyOf(topologyName);
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

    this.etcd = topology.etcd.map(({ name, ip }) => new EtcdHost(loop, this.wires, name, ip, () => this.etcd, this.mirror));
    const plane: ControlPlane = {
      apiServer: (self, from) => this.apiServer(self, from),
      etcd: (self, from) => etcdClient(self, from, this.etcd, this.wires),
      kubelet: (self, from, node) => this.kubelet(self, from, node),
      ...(loadTexts ? { loadTexts } : {}),
    };
    this.nodes = [topology.controlPlane, ...topology.workers].map(
      ({ name, ip }) =>
        new ClusterNode({
          name,
          ip,
          loop,
          wires: this.wires,
          lan,
          systemImages: (node) => systemImages(node, plane),
          apiServer: (self, from) => this.apiServer(self, from),
        }),
    );
    this.laptop = new Laptop({
      loop,
      wires: this.wires,
      lan,
      apiServer: (self) => this.apiServer(self, 'laptop'),
      show: options.terminal,
      server: `https://${topology.controlPlane.ip}:6443`,
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
    void openBorder();
    const observer = createObserver({ store: this.mirror, now: () => loop.now });
    this.observe = (request) => observeLogs(this, request) ?? observer.handle(request);

    const [controlPlane, ...workers] = this.nodes as [ClusterNode, ...ClusterNode[]];
    controlPlane.machine.root.spawn('kubeadm@control-plane', (self) =>
      kubeadm(self, { controlPlane, workers, etcd: this.etcd, apiServer: (process, from) => this.apiServer(process, from) }),
    );
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
    for (const machine of this.machines) machine.onService(() => listener(machine.name));
  }

  /** Every node of the topology is Ready, and DNS answers. */
  ready(): boolean {
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
    const [controlPlane] = this.nodes as [ClusterNode];
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
