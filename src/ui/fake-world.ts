/**
 * A scripted stand-in for the world, for looking at the page without one: boot, a few nodes, thirty pods, a rollout, a
 * node that dies. Speaks the same protocol; used only in development (`?fake`) and by tests of the page.
 */
import type { WorldPort } from '../hosts/connect.ts';
import type { EtcdMemberRecord, Frame, FromWorld, Happening, NodeRecord, PodDetail, PodRecord, ServiceRecord, ToWorld } from '../hosts/protocol.ts';
import { PodFlag } from '../hosts/protocol.ts';

interface FakePod {
  record: PodRecord;
  node: number;
  slot: number;
  status: number;
  flags: number;
  restarts: number;
}

const machine = (index: number, name: string, group: string, over: Partial<NodeRecord> = {}): NodeRecord => ({
  index,
  uid: group === 'etcd' ? '' : `node-uid-${index}`,
  name,
  group,
  roles: [],
  ip: `10.0.0.${group === 'etcd' ? 21 + index : 10 + index}`,
  podCidr: group === 'etcd' ? '' : `10.244.${index}.0/24`,
  slots: group === 'etcd' ? 0 : 110,
  cpu: { allocatable: 4000, requested: group === 'etcd' ? 0 : 550, used: 0 },
  memory: { allocatable: 8192, requested: group === 'etcd' ? 0 : 700, used: 0 },
  ready: 'True',
  readyReason: 'KubeletReady',
  cordoned: false,
  pressures: [],
  taints: [],
  powered: true,
  kubelet: 'running',
  ...over,
});

export class FakeWorld implements WorldPort {
  private readonly listeners: ((event: MessageEvent<FromWorld>) => void)[] = [];
  private now = 0;
  private events = 0;
  private factor = 1;
  private timer: ReturnType<typeof setInterval> | undefined;
  private pods: FakePod[] = [];
  private touched = new Set<number>();
  private fresh: PodRecord[] = [];
  private removed: number[] = [];
  private nodes: NodeRecord[] = [];
  private changedNodes = new Set<number>();
  private services: ServiceRecord[] = [];
  private members: EtcdMemberRecord[] = [];
  private happenings: Happening[] = [];
  private reset = true;
  private script: { at: number; act: () => void }[] = [];

  constructor(private readonly scenario: string) {}

  addEventListener(type: 'message' | 'error', listener: never): void {
    if (type === 'message') this.listeners.push(listener);
  }
  terminate(): void {
    clearInterval(this.timer);
  }
  private say(message: FromWorld): void {
    for (const listener of this.listeners) listener({ data: message } as MessageEvent<FromWorld>);
  }
  postMessage(message: ToWorld): void {
    switch (message.type) {
      case 'boot':
        this.boot();
        return;
      case 'speed':
        this.factor = message.factor;
        return;
      case 'step':
        this.factor = 0;
        this.advance(200_000);
        return;
      case 'input': {
        const input = message.input;
        if (input.type === 'request') {
          const pod = this.pods.find((one) => one.slot >= 0 && input.request.url.endsWith(`/pods/${one.record.name}`));
          if (input.request.method === 'DELETE' && pod) this.kill(pod.record.index);
          const refused = input.request.url.includes('forbidden');
          this.say({ type: 'response', id: input.id, status: refused ? 403 : 200, headers: {}, text: '{}' });
        } else if (input.type === 'run')
          this.say({ type: 'ran', id: input.id, stdout: '', stderr: "error: cannot evict pod as it would violate the pod's disruption budget.", exitCode: 1 });
        else if (input.type === 'fault' && input.fault.kind === 'node-power') {
          const { node, on } = input.fault;
          this.node(
            node,
            on
              ? { powered: true, kubelet: 'running', ready: 'True', readyReason: 'KubeletReady' }
              : { powered: false, kubelet: 'stopped', ready: 'Unknown', readyReason: 'NodeStatusUnknown' },
          );
        }
        this.flush();
        return;
      }
      case 'observe': {
        const log = message.request.url.includes('/log');
        this.say({
          type: 'response',
          id: message.id,
          status: 200,
          headers: {},
          text: log
            ? '/docker-entrypoint.sh: Configuration complete; ready for start up\n2026/01/01 00:00:12 [notice] 1#1: nginx/1.27.4\n2026/01/01 00:00:12 [notice] 1#1: start worker processes\n10.244.1.7 - - [01/Jan/2026:00:00:31 +0000] "GET / HTTP/1.1" 200 615\n'
            : JSON.stringify({
                apiVersion: 'v1',
                kind: 'Pod',
                metadata: { name: 'web', namespace: 'default', labels: { app: 'web' }, managedFields: [{ manager: 'kubectl' }] },
                spec: { containers: [{ name: 'nginx', image: 'nginx:1.27' }] },
              }),
        });
        this.say({ type: 'end', id: message.id });
        return;
      }
      case 'journeys':
        this.say({ type: 'journeys', id: message.id, requests: [], more: false });
        return;
      case 'journey':
        this.say({ type: 'journey', id: message.id, journey: undefined });
        return;
      case 'why':
        this.say({
          type: 'why',
          id: message.id,
          chain: [
            {
              fact: { id: 1, at: 9_000_000, type: 'user.command', by: 'laptop', cause: 0, about: '', data: {} },
              sentence: 'A person ran kubectl create deployment web --replicas=12 on the laptop.',
            },
            {
              fact: { id: 2, at: 9_020_000, type: 'reconcile.write', by: 'kube-controller-manager@control-plane', cause: 1, about: message.about, data: {} },
              sentence: 'The Deployment controller created ReplicaSet web-7c9d8b5f44 with 12 replicas.',
            },
            {
              fact: { id: 3, at: 9_041_000, type: 'sched.bind', by: 'kube-scheduler@control-plane', cause: 2, about: message.about, data: {} },
              sentence: `The scheduler bound ${message.about} to node-2.`,
            },
          ],
        });
        return;
      case 'hash':
        this.say({ type: 'hash', id: message.id, hash: `fake-${this.events}` });
        return;
    }
  }

  private boot(): void {
    clearInterval(this.timer);
    Object.assign(this, { now: 0, events: 0, pods: [], nodes: [], services: [], members: [], happenings: [], reset: true, script: [] });
    if (this.scenario.startsWith('fleet')) this.fleet(Number(this.scenario.slice(5)) || 1000);
    else this.lesson();
    this.timer = setInterval(() => this.advance(50_000 * this.factor), 50);
    this.advance(0);
  }

  private fleet(count: number): void {
    for (let i = 0; i < count; i++) this.addNode(machine(i, `node-${i}`, 'nodes'));
    for (let i = 0; i < count * 30; i++) {
      const index = this.add(
        `app-${i % 200}-${i}`,
        i % 2 ? 'shop' : 'default',
        `Deployment/app-${i % 200}`,
        i % count,
        Math.floor(i / count),
        i % 97 === 0 ? 3 : i % 41 === 0 ? 1 : 0,
      );
      this.pods[index]!.flags = PodFlag.Ready;
    }
  }

  private lesson(): void {
    const at = (seconds: number, act: () => void) => this.script.push({ at: seconds * 1e6, act });
    for (let i = 0; i < 3; i++) this.addNode(machine(100 + i, `etcd-${i + 1}`, 'etcd', { ip: `10.0.0.${21 + i}` }));
    this.members = [0, 1, 2].map((i) => ({
      name: `etcd-${i + 1}`,
      host: `etcd-${i + 1}`,
      role: i === 1 ? 'Leader' : 'Follower',
      term: 2,
      commit: 214,
      revision: 187,
    }));
    at(0.3, () => {
      this.addNode(machine(0, 'control-plane', 'zone-a', { roles: ['control-plane'], taints: ['node-role.kubernetes.io/control-plane:NoSchedule'] }));
      for (const [slot, name] of ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].entries())
        this.make(`${name}-control-plane`, 'kube-system', `Node/control-plane`, 0, slot, PodFlag.Static);
      this.service('default/kubernetes', '10.96.0.1', '443/TCP', {}, []);
    });
    at(0.8, () => {
      for (let i = 1; i <= 3; i++)
        this.addNode(
          machine(i, `node-${i}`, 'zone-a', {
            cpu: { allocatable: 4000, requested: 900 + i * 400, used: 0 },
            memory: { allocatable: 8192, requested: 1400 + i * 900, used: 0 },
          }),
        );
      for (let i = 0; i <= 3; i++) {
        this.make(`kube-proxy-${'x7k2q'.slice(i)}`, 'kube-system', 'DaemonSet/kube-proxy', i, i === 0 ? 3 : 0, PodFlag.DaemonSet);
        this.make(`kindnet-${'p9w4z'.slice(i)}`, 'kube-system', 'DaemonSet/kindnet', i, i === 0 ? 4 : 1, PodFlag.DaemonSet);
      }
      const dns = [
        this.make('coredns-668d6bf9bc-2xkzq', 'kube-system', 'Deployment/coredns', 1, 2),
        this.make('coredns-668d6bf9bc-8m7vd', 'kube-system', 'Deployment/coredns', 2, 2),
      ];
      this.service('kube-system/kube-dns', '10.96.0.10', '53/UDP,53/TCP,9153/TCP', { 'k8s-app': 'kube-dns' }, dns);
    });
    at(1.5, () => {
      const web = Array.from({ length: 12 }, (_, i) =>
        this.make(`web-7c9d8b5f44-${'abcdefghijkl'[i]}x2q`, 'default', 'Deployment/web', 1 + (i % 3), 3 + Math.floor(i / 3)),
      );
      this.service('default/web', '10.103.22.8', '80/TCP', { app: 'web' }, web);
      for (let i = 0; i < 4; i++) this.make(`checkout-5d78c9869d-${'mnop'[i]}4z`, 'shop', 'Deployment/checkout', 1 + (i % 3), 7 + Math.floor(i / 3));
      const job = this.make('migrate-db-x8k2p', 'shop', 'Job/migrate-db', 3, 9);
      this.after(2, () => this.set(job, { status: 4 }));
      const crash = this.make('worker-6b5c4f9d7-q2w3e', 'shop', 'Deployment/worker', 2, 9);
      this.after(1.2, () => {
        this.set(crash, { status: 3, restarts: 4, flags: 0 });
        this.happen(
          'Warning',
          'BackOff',
          'Back-off restarting failed container worker in pod worker-6b5c4f9d7-q2w3e_shop',
          'Pod/shop/worker-6b5c4f9d7-q2w3e',
          'kubelet',
        );
      });
      const slow = this.make('api-79f9b4c6d-zzt9k', 'shop', 'Deployment/api', 1, 9);
      this.after(1.5, () => this.set(slow, { status: 2, flags: 0 }));
      this.service('shop/api', '10.98.4.31', '8080/TCP', { app: 'api' }, []);
      this.service('shop/db', 'None', '5432/TCP', { app: 'db' }, []);
      const big = this.add('gpu-train-0', 'shop', 'Job/gpu-train', -1, 0, 2);
      this.pods[big]!.flags = PodFlag.Unschedulable;
      this.happen(
        'Warning',
        'FailedScheduling',
        '0/4 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 3 Insufficient cpu.',
        'Pod/shop/gpu-train-0',
        'default-scheduler',
      );
    });
    at(6, () => {
      const old = this.pods.filter((pod) => pod.record.owner === 'Deployment/checkout').map((pod) => pod.record.index);
      for (const [i, index] of old.entries()) {
        this.after(i * 0.8, () => {
          const node = 1 + ((i + 1) % 3);
          const next = this.make(`checkout-7b64d9c5f8-${'rstu'[i]}9k`, 'shop', 'Deployment/checkout', node, 12 + i);
          this.after(0.6, () => next >= 0 && this.kill(index));
        });
      }
    });
    at(16, () => this.node('node-3', { powered: false, kubelet: 'stopped' }));
    at(18, () => {
      this.node('node-3', {
        ready: 'Unknown',
        readyReason: 'NodeStatusUnknown',
        taints: ['node.kubernetes.io/unreachable:NoExecute', 'node.kubernetes.io/unreachable:NoSchedule'],
      });
      for (const pod of this.pods) if (pod.slot >= 0 && pod.node === 3) this.set(pod.record.index, { status: 5 });
      this.happen('Normal', 'NodeNotReady', 'Node node-3 status is now: NodeNotReady', 'Node/node-3', 'node-controller');
    });
  }

  private addNode(node: NodeRecord): void {
    this.nodes.push(node);
    this.changedNodes.add(node.index);
  }
  private node(name: string, over: Partial<NodeRecord>): void {
    this.nodes = this.nodes.map((node) => (node.name === name ? { ...node, ...over } : node));
    const found = this.nodes.find((node) => node.name === name);
    if (found) this.changedNodes.add(found.index);
  }
  private service(key: string, clusterIP: string, ports: string, selector: Record<string, string>, pods: readonly number[]): void {
    this.services.push({ key, type: 'ClusterIP', clusterIP, ports, selector, endpoints: pods.map((index) => ({ uid: `pod-uid-${index}`, ready: true })) });
  }
  private add(name: string, namespace: string, owner: string, node: number, slot: number, status: number): number {
    const index = this.pods.length;
    const record: PodRecord = { index, uid: `pod-uid-${index}`, namespace, name, owner, labels: { app: owner.split('/')[1] ?? name }, createdAt: this.now };
    this.pods.push({ record, node, slot, status, flags: 0, restarts: 0 });
    this.fresh.push(record);
    this.touched.add(index);
    return index;
  }
  /** A pod as a rollout makes it: waits, is bound, starts, is ready. */
  private make(name: string, namespace: string, owner: string, node: number, slot: number, flags = 0): number {
    const index = this.add(name, namespace, owner, -1, this.pods.length % 30, 1);
    this.happen(
      'Normal',
      'Scheduled',
      `Successfully assigned ${namespace}/${name} to ${this.nodes.find((one) => one.index === node)?.name}`,
      `Pod/${namespace}/${name}`,
      'default-scheduler',
    );
    this.after(0.15, () => this.set(index, { node, slot }));
    this.after(0.9 + (index % 5) * 0.1, () => {
      this.set(index, { status: 0, flags: flags | PodFlag.Ready });
      this.happen('Normal', 'Started', `Started container ${owner.split('/')[1]}`, `Pod/${namespace}/${name}`, 'kubelet');
    });
    return index;
  }
  private kill(index: number): void {
    this.set(index, { flags: PodFlag.Terminating, status: 5 });
    this.after(0.8, () => {
      this.removed.push(index);
      this.pods[index]!.slot = -1;
    });
  }
  private set(index: number, over: Partial<FakePod>): void {
    Object.assign(this.pods[index]!, over);
    this.touched.add(index);
  }
  private happen(type: Happening['type'], reason: string, message: string, about: string, source: string): void {
    this.happenings.push({ at: this.now, type, reason, message, about, source, count: 1 });
  }
  private after(seconds: number, act: () => void): void {
    this.script.push({ at: this.now + seconds * 1e6, act });
  }

  private advance(by: number): void {
    this.now += by;
    for (;;) {
      const due = this.script.findIndex((one) => one.at <= this.now);
      if (due < 0) break;
      this.events++;
      this.script.splice(due, 1)[0]!.act();
    }
    this.say({ type: 'clock', now: this.now, events: this.events, factor: this.factor, lag: 0, idle: this.script.length === 0 });
    this.flush();
  }

  private flush(): void {
    if (!this.reset && this.touched.size + this.removed.length + this.changedNodes.size + this.happenings.length === 0) return;
    const changes: number[] = [];
    const podDetails: PodDetail[] = [];
    for (const index of this.touched) {
      const pod = this.pods[index]!;
      if (pod.slot < 0) continue;
      changes.push(index, pod.node, pod.slot, pod.status, pod.flags, pod.restarts);
      if (this.pods.length < 2000) {
        podDetails.push({
          index,
          ip: pod.node < 0 ? '' : `10.244.${pod.node}.${10 + pod.slot}`,
          status: ['Running', pod.node < 0 ? 'Pending' : 'ContainerCreating', 'Running', 'CrashLoopBackOff', 'Completed', 'Unknown'][pod.status]!,
          message: pod.status === 3 ? 'back-off 40s restarting failed container' : '',
          qos: 'BestEffort',
          containers: [
            {
              name: pod.record.labels['app'] ?? 'main',
              kind: 'main',
              image: 'nginx:1.27',
              assumed: false,
              state: pod.status === 0 ? 'running' : 'waiting',
              reason: '',
              ready: pod.status === 0,
              restarts: pod.restarts,
            },
            ...(pod.record.namespace === 'shop'
              ? [
                  {
                    name: 'proxy',
                    kind: 'sidecar' as const,
                    image: 'envoy:1.31',
                    assumed: false,
                    state: 'running' as const,
                    reason: '',
                    ready: true,
                    restarts: 0,
                  },
                ]
              : []),
          ],
        });
      }
    }
    const frame: Frame = {
      type: 'frame',
      now: this.now,
      events: this.events,
      reset: this.reset,
      nodes: this.nodes.filter((node) => this.changedNodes.has(node.index)),
      removedNodes: [],
      pods: this.fresh,
      removedPods: this.removed,
      podChanges: Int32Array.from(changes),
      podDetails,
      services: this.services,
      removedServices: [],
      members: this.members,
      happenings: this.happenings,
    };
    this.reset = false;
    this.touched.clear();
    this.changedNodes.clear();
    this.fresh = [];
    this.removed = [];
    this.happenings = [];
    this.say(frame);
  }
}

export const fakeWorld = (scenario: string): WorldPort => new FakeWorld(scenario);
