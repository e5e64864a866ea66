/** One node for tests: a kubelet, containerd on a flat network, and a small API server in memory. */
import { createFiles, type Files } from '../../linux/files.ts';
import { type Duration, type Instant, inSeconds, seconds } from '../../sim/clock.ts';
import { type Host, Loop } from '../../sim/loop.ts';
import type { Process } from '../../sim/process.ts';
import { testHost } from '../../sim/test-host.ts';
import type { DeepReadonly } from '../api/json.ts';
import type { ApiHandler, ApiRequest, ApiResponse } from '../api/request.ts';
import type { Event, Pod } from '../api/types.gen.ts';
import { createFakeApiServer, type FakeApiServer } from '../client/fake-apiserver.test-support.ts';
import { createContainerd } from '../containerd/containerd.ts';
import { createFakeNetwork, type FakeNetwork } from '../containerd/fake-network.test-support.ts';
import { privateImage } from '../containerd/images/private.ts';
import { testImages } from '../containerd/test-images.test-support.ts';
import type { ContainerRuntime } from './cri.ts';
import { runKubelet } from './run.ts';
import { SYSTEM } from './system-use.ts';

export interface TestNode {
  readonly loop: Loop;
  readonly api: FakeApiServer;
  readonly files: Files;
  readonly runtime: ContainerRuntime;
  readonly network: FakeNetwork;
  /** The kubelet's own API. */
  ask(path: string, query?: ApiRequest['query'], more?: Partial<ApiRequest>): Promise<ApiResponse>;
  startKubelet(): Process;
  run(duration: Duration): Promise<void>;
  pod(name: string): DeepReadonly<Pod> | undefined;
  create(name: string, spec: object, metadata?: object): void;
  /** `Reason: message`, oldest first, of one object. */
  events(name: string): string[];
  /** Every change of a value as time goes on: `[second, value]`. */
  watch<T>(look: () => T, duration: Duration): Promise<[number, T][]>;
}

const PRIVATE = { images: [], families: [privateImage] };

export async function createTestNode(
  options: { images?: readonly string[]; kubelet?: boolean; ready?: boolean; host?: Host; memory?: number; disk?: string } = {},
): Promise<TestNode> {
  const loop = new Loop({ seed: 11, host: options.host ?? testHost });
  const files = createFiles({ '/etc/resolv.conf': 'nameserver 10.0.0.2\n' });
  let api!: FakeApiServer;
  let network!: FakeNetwork;
  let runtime!: ContainerRuntime;
  loop.spawn('apiserver', async (self) => {
    api = createFakeApiServer(self);
    await self.clock.sleep(seconds(1_000_000));
  });
  loop.spawn('machine', async (self) => {
    network = createFakeNetwork(self);
    network.cni.ready = options.ready !== false;
    runtime = createContainerd(self, {
      node: 'node-1',
      network,
      images: testImages,
      registry: { known: PRIVATE, bring: () => Promise.resolve(PRIVATE) },
      ...(options.memory !== undefined && { memory: { bytes: options.memory, reserved: SYSTEM.memoryBytes } }),
      cni: network.cni,
      files,
      hostIP: '10.0.0.11',
      preloaded: options.images ?? ['tool', 'web:1'],
    });
    await self.clock.sleep(seconds(1_000_000));
  });
  await loop.run(1);
  let served: ApiHandler | undefined;
  const startKubelet = (): Process =>
    loop.spawn('kubelet@node-1', (self) =>
      runKubelet(self, {
        nodeName: 'node-1',
        addresses: { internalIP: '10.0.0.11' },
        capacity: { cpu: '4', memory: options.memory === undefined ? '8Gi' : String(options.memory), pods: 110, ephemeralStorage: options.disk ?? '100Gi' },
        nodeInfo: { osImage: 'Debian GNU/Linux 12 (bookworm)', kernelVersion: '6.1.0-18-amd64', bootID: 'b1' },
        handler: (request) => api.handler(request),
        certificate: { commonName: 'system:node:node-1', organizations: ['system:nodes'] },
        runtime,
        files,
        clusterDns: ['10.96.0.10'],
        serve: (handler) => {
          served = handler;
        },
        connect: (ip, port) => network.connect(ip, port),
      }),
    );
  if (options.kubelet !== false) startKubelet();
  const node: TestNode = {
    loop,
    api,
    files,
    runtime,
    network,
    startKubelet,
    ask: (path, query = {}, more = {}) => served!({ method: 'GET', path, query, headers: {}, ...more }),
    run: (duration) => loop.run(loop.now + duration),
    pod: (name) => api.get('pods', `default/${name}`) as unknown as DeepReadonly<Pod> | undefined,
    create: (name, spec, metadata = {}) => {
      api.put('pods', {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'default', uid: `uid-${name}`, ...metadata },
        spec: { nodeName: 'node-1', ...spec },
        status: { phase: 'Pending' },
      });
    },
    events: (name) =>
      api
        .all('events')
        .map((event) => event as unknown as Event)
        .filter((event) => event.involvedObject.name === name)
        .map((event) => `${event.reason}: ${event.message}`),
    watch: async (look, duration) => {
      const seen: [number, ReturnType<typeof look>][] = [];
      const end: Instant = loop.now + duration;
      let last = '';
      while (loop.now < end) {
        const value = look();
        const text = JSON.stringify(value);
        if (text !== last) seen.push([Math.round(inSeconds(loop.now) * 10) / 10, value]);
        last = text;
        await loop.run(loop.now + seconds(1) / 10);
      }
      return seen;
    },
  };
  return node;
}
